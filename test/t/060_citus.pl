# With Citus, where it is installed: aggregates that are split over shards give
# what they give on one table.  (040_split.pl tests the rules without it.)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Aggregates;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('citus');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 20\n");
$node->start;

if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'") eq '0')
{
	$node->stop;
	plan skip_all => 'Citus is not installed for this server';
}

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'citus'\n");
$node->restart;
# One node, which holds all shards.
my $run = sub { return $node->safe_psql('postgres', $_[0]) };
$run->('CREATE EXTENSION citus; CREATE EXTENSION custmart');
Aggregates::make_shop($run);
# Sharded by row, so that every member's rows lie on many shards.
$run->(q{
	CREATE TABLE shards (LIKE shop);
	SELECT create_distributed_table('shards', 'id', shard_count => 8);
	INSERT INTO shards SELECT * FROM shop;
	CREATE INDEX ON shards USING gin (tags)});

for (Aggregates::list($run))
{
	my ($signature, $name, $result, $types) = @$_;
	my $call = "$name(" . Aggregates::called(Aggregates::arguments($name, $types)) . ')';
	is($run->("SELECT (SELECT $call FROM shards) IS NOT DISTINCT FROM (SELECT $call FROM shop), (SELECT $call FROM shop) IS NOT NULL"), 't|t', "$signature over shards is what it is over one table");
}
for my $call ('rfm_book(member, at, amount)', 'pricebook(member, order_text, amount)', "tier_cuts(amount::float8, ARRAY[0.1, 0.3])")
{
	like($run->("EXPLAIN (VERBOSE, COSTS off) SELECT $call FROM shards"), qr/worker_partial_agg/, "$call is really split");
}
# A worker with fewer digits loses none.
is($run->("SET extra_float_digits = 0; SELECT (SELECT tier_cuts(1 / (id + 0.1::float8), ARRAY[0.1, 0.3]) FROM shards) = (SELECT tier_cuts(1 / (id + 0.1::float8), ARRAY[0.1, 0.3]) FROM shop)"), 't', 'no digits are lost');

# Reports over what was split, in FROM and with LATERAL.
sub same_rows
{
	my ($query, $description) = @_;
	my ($split, $plain) = map { $run->("SELECT count(*), md5(string_agg(s::text, ',' ORDER BY s::text COLLATE \"C\")) FROM (" . $query =~ s/\bROWS\b/$_/gr . ') s') } 'shards', 'shop';
	is($split, $plain, $description);
	cmp_ok($split, '!~', qr/^0\|/, "$description: there are rows");
	return;
}
same_rows('SELECT m.* FROM (SELECT rfm_book(member, at, amount) AS book FROM ROWS) b, LATERAL rfm_members(b.book) m', 'the members');
same_rows('SELECT g.* FROM (SELECT pricebook(member, order_text, amount) AS book FROM ROWS) b, LATERAL price_gap_items(b.book, \'\') g', 'gaps between prices');
# In the select list Citus takes no function that returns rows over an aggregate, whoever made it.
for my $call ('unnest(array_agg(id))', '(rfm_segments(rfm_book(member, at, amount))).segment')
{
	my (undef, undef, $refused) = $node->psql('postgres', "SELECT $call FROM shards");
	like($refused, qr/set-valued function called in context that cannot accept a set/, "$call: as docs/distributed.md says");
}
same_rows('SELECT member, rfm(at, amount) FROM ROWS WHERE member IS NOT NULL GROUP BY member', 'a summary for each member');
same_rows('SELECT id FROM ROWS WHERE tags @@ \'"É1/#1" | "É2/#2"\'', 'a query of tags');
# Citus would fetch the plan of a shard over TCP, on which this server does not listen.
my $shard = $run->("SELECT shard_name FROM citus_shards WHERE table_name = 'shards'::regclass ORDER BY 1 LIMIT 1");
like($run->(qq{SET enable_seqscan = off; EXPLAIN (COSTS off) SELECT id FROM $shard WHERE tags @@ '"x" & !"y"'}), qr/Bitmap Index Scan/, 'has an index on each shard');

$run->('CREATE MATERIALIZED VIEW kept AS SELECT m.* FROM (SELECT rfm_book(member, at, amount) AS book FROM shards) b, rfm_members(b.book) m');
$run->('INSERT INTO shards (id, member, at, amount) SELECT id + 10000, member, at, amount FROM shop; REFRESH MATERIALIZED VIEW kept');
is($run->('SELECT sum(frequency) FROM kept'), $run->('SELECT 2 * sum(frequency) FROM (SELECT (rfm_members(rfm_book(member, at, amount))).* FROM shop) m'), 'a materialized view is refreshed');
# The combining query of Citus gives a text no collation.
$run->(q{CREATE TABLE stages AS SELECT member, interaction_stage('own', at, '2027-01-01 00:00+00')::varchar AS stage FROM shards GROUP BY member});
is($run->('SELECT count(*) > 10 FROM stages WHERE stage IS NOT NULL'), 't', 'stages can be stored, as docs/distributed.md says');

$node->stop;
done_testing();
