# What is stored arrives byte for byte at a standby and at a subscriber: values of every type, the indexes over
# them, and every report that reads them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Kept;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $shop = PostgreSQL::Test::Cluster->new('shop');
$shop->init(allows_streaming => 'logical');
$shop->append_conf('postgresql.conf', "jit = off\nmax_wal_size = 2GB\n");
$shop->start;
Kept::fill($shop, 'shop');

my @stored = split /\n/, $shop->safe_psql('shop', q{
	SELECT c.relname FROM pg_class c JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id' JOIN pg_attribute v ON v.attrelid = c.oid AND v.attname = 'value'
	 WHERE c.relname LIKE 'kept\_%' AND c.relkind = 'r' AND NOT c.relispartition AND EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary) AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisunique AND NOT indisprimary) ORDER BY 1});
cmp_ok(scalar @stored, '>', 15, 'there are tables with a key and a value');

# Rows come and go, in tables and in their indexes.
my $change = join '', 'SET search_path = public, analytics; BEGIN;',
  (map { "INSERT INTO $_ (id, value) SELECT 100000 + id, value FROM $_; UPDATE $_ SET value = (SELECT value FROM $_ WHERE id = 100001) WHERE id >= 100000 AND id % 2 = 0; DELETE FROM $_ WHERE id >= 100000 AND id % 3 = 0;" } @stored),
  q{INSERT INTO sale SELECT 100000 + id, member, member_uuid, member_text, order_id, order_text, at, amount FROM sale WHERE id < 100; COMMIT};
my $undo = join '', 'SET search_path = public, analytics;', map { "DELETE FROM $_ WHERE id >= 100000;" } @stored, 'sale';

sub same
{
	my ($node, $expected, $description) = @_;
	my $is = $node->safe_psql('shop', $Kept::contents);
	my @differ = grep { $_->[0] ne $_->[1] } map { [ $_->[0] // '', $_->[1] // '' ] } do { my ($one, $other) = ([ split /\n/, $expected ], [ split /\n/, $is ]); map { [ $one->[$_], $other->[$_] ] } 0 .. ($#$one > $#$other ? $#$one : $#$other) };
	ok(!@differ, $description) or diag scalar(@differ) . " lines differ, the first:\n-" . substr($differ[0][0], 0, 300) . "\n+" . substr($differ[0][1], 0, 300);
	return;
}

# The index over sets of tags is used, and finds what reading all rows finds.
sub finds
{
	my ($node, $description) = @_;
	my ($plan, $found, $read) = map { $node->safe_psql('shop', "SET search_path = public, analytics; SET enable_seqscan = $_->[0]; SET enable_bitmapscan = $_->[1]; SET enable_indexscan = off; $_->[2] SELECT id FROM kept_tags WHERE value \@\@ '\"Ærø1\" & !7' ORDER BY id") }
	  [ 'off', 'on', 'EXPLAIN (COSTS off)' ], [ 'off', 'on', '' ], [ 'on', 'off', '' ];
	like($plan, qr/Bitmap Index Scan on kept_tags_gin/, "$description: the index of tags is used");
	ok($found eq $read && $found ne '', "$description: and finds the same rows");
	return;
}

# ---------- a standby ----------

$shop->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($shop, 'base', has_streaming => 1);
$standby->start;
$shop->safe_psql('shop', $change);
$shop->safe_psql('shop', 'VACUUM ANALYZE');
$shop->wait_for_catchup($standby, 'replay', $shop->lsn('insert'));
my $there = $shop->safe_psql('shop', $Kept::contents);
same($standby, $there, 'a standby has everything, byte for byte');
finds($standby, 'standby');
like(($standby->psql('shop', q{SET search_path = public, analytics; SELECT refresh_member_mart('mart')}))[2], qr/ERROR:  cannot execute .* during recovery/, 'a member mart is refreshed at the primary only');
$standby->promote;
same($standby, $there, 'promoted: the same');
is($standby->safe_psql('shop', q{SET search_path = public, analytics; SELECT recomputed > 0 FROM refresh_member_mart('mart'); SELECT wrong FROM check_member_mart('mart', 1)}), "t\n0", 'promoted: a member mart goes on');
$standby->safe_psql('shop', q{SET search_path = public, analytics; INSERT INTO kept_tags (id, value) SELECT id + 500000, value FROM kept_tags});
finds($standby, 'promoted, with new rows');
$standby->stop;

# ---------- subscribers, of text and of bytes ----------

$shop->safe_psql('shop', $undo);
my $dir = PostgreSQL::Test::Utils::tempdir();
$shop->command_ok([ 'pg_dump', '--schema-only', '--no-publications', '--file', "$dir/schema.sql", 'shop' ], 'the schema');
# Rows without a key are found by all of their columns.
$shop->safe_psql('shop', 'ALTER TABLE sale REPLICA IDENTITY FULL; CREATE PUBLICATION everything FOR ALL TABLES');
for my $binary ('false', 'true')
{
	my $node = PostgreSQL::Test::Cluster->new("subscriber_$binary");
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', "jit = off\nmax_logical_replication_workers = 10\n");
	$node->start;
	$node->safe_psql('postgres', "CREATE DATABASE shop; ALTER DATABASE shop SET timezone = 'America/New_York'");
	$node->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--output', '/dev/null', '--file', "$dir/schema.sql", 'shop' ], "binary $binary: the schema is made");
	$node->safe_psql('shop', "CREATE SUBSCRIPTION s_$binary CONNECTION '" . ($shop->connstr =~ s/'/''/gr) . " dbname=shop' PUBLICATION everything WITH (binary = $binary)");
	$node->wait_for_subscription_sync($shop, "s_$binary", 'shop');
	$shop->safe_psql('shop', $change);
	$shop->wait_for_catchup("s_$binary");
	my $views = join ';', split /\n/, $node->safe_psql('shop', q{SELECT 'REFRESH MATERIALIZED VIEW public.' || relname FROM pg_class WHERE relkind = 'm'});
	$_->safe_psql('shop', "SET search_path = public, analytics; $views") for $shop, $node;
	same($node, $shop->safe_psql('shop', $Kept::contents), "binary $binary: a subscriber has everything, byte for byte");
	finds($node, "subscriber, binary $binary");
	$node->safe_psql('shop', "DROP SUBSCRIPTION s_$binary");
	$node->stop;
	$shop->safe_psql('shop', $undo);
}

$shop->stop;
done_testing();
