# pg_upgrade: a cluster with values of every stored type, moved to the release under test, holds them byte for byte;
# its indexes find what they found, its views and member marts go on, and the extension is as a fresh install.
#
# Always from the same release, which is made anew by pg_dump --binary-upgrade just the same, in some ten seconds.  From older
# releases, as long for each, where OLD_SERVERS names a directory with N/usr/lib/postgresql/N and N/usr/share/postgresql/N of
# release N, custmart installed in it: test/run --full makes those of the older releases that it tests.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Catalog;
use IPC::Run;
use Kept;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my ($bindir) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--bindir' ]);
my $new_version;

# Settings under which both clusters are made: pg_upgrade refuses others, and releases differ in their defaults.
my @initdb = (extra => [ '--data-checksums', '--encoding=UTF8', '--locale=C.UTF-8' ]);

sub cluster
{
	my ($name, $path) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, $path ? (install_path => $path) : ());
	$node->init(@initdb);
	$node->append_conf('postgresql.conf', "jit = off\nautovacuum = off\n");
	return $node;
}

# A new cluster, whether the old one could be upgraded to it, and what pg_upgrade said.
my $clusters = 0;
sub upgraded
{
	my ($old) = @_;
	my $new = cluster('new_' . ++$clusters);
	my $old_bindir = $old->install_path ? $old->install_path . '/bin' : $bindir;
	# Older programs may need shared libraries that are kept beside their server.
	local $ENV{LD_LIBRARY_PATH} = $old->install_path . '/lib' if $old->install_path;
	local $ENV{PGOPTIONS};
	delete $ENV{PGOPTIONS};
	my $said = '';
	# It writes files where it runs.
	my $done = IPC::Run::run(
		[
			"$bindir/pg_upgrade", '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir, '--old-bindir', $old_bindir, '--new-bindir', $bindir,
			'--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port ],
		'<', \undef, '>&', \$said,
		init => sub { chdir $new->basedir or die $! });
	unless ($done)
	{
		for my $log (grep { -s } glob $new->data_dir . '/pg_upgrade_output.d/*/log/*.log')
		{
			my @lines = grep { /(?:error|ERROR|FATAL|DETAIL|HINT): / } split /\n/, PostgreSQL::Test::Utils::slurp_file($log);
			splice @lines, 0, @lines - 10 if @lines > 10;
			$said .= join "\n", $log, @lines, '';
		}
	}
	return ($new, $done, $said);
}

# The most common tags of each column of sets of tags, and of each index over expressions.
my $common = q{
	SELECT tablename, attname, null_frac, avg_width, most_common_elems, most_common_elem_freqs FROM pg_stats
	 WHERE (tablename, attname) IN (SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE atttypid = 'analytics.tagbloom'::regtype) ORDER BY 1, 2};

sub upgrade_from
{
	my ($version, $path) = @_;
	my $start = time;
	my $what = "$version to $new_version";
	my $old = cluster("old_$version", $path);
	$old->start;
	Kept::fill($old, 'shop');
	$old->safe_psql('shop', 'VACUUM; ANALYZE');
	my $before = $old->safe_psql('shop', $Kept::contents);
	my $common_before = $old->safe_psql('shop', $common);
	like($common_before, qr/^kept_tags\|value\|.*\{-?\d+,/m, "$what: there are most common tags");
	$old->stop;

	my ($new, $done, $said) = upgraded($old);
	unless ($done)
	{
		# PostgreSQL's own doing, if it cannot move a table of another database, either.
		my $bare = cluster("bare_$version", $path);
		$bare->start;
		$bare->safe_psql('postgres', 'CREATE TABLE plain AS SELECT 1 AS id');
		$bare->stop;
		my (undef, $bare_done, $bare_said) = upgraded($bare);
		unless ($bare_done)
		{
			# So is it from minor releases since 15.20 and 17.12, which keep a version of every column, to 18.6, which does not know of it.
			my ($error) = $bare_said =~ /((?:ERROR|FATAL|error): .*)/;
		  SKIP: { skip "$what: pg_upgrade cannot move a table without custmart, either: " . ($error // $bare_said), 1 }
			return;
		}
	}
	ok($done, "$what: pg_upgrade") or return diag $said;
	$new->start;

	my $after = $new->safe_psql('shop', $Kept::contents);
	ok($after eq $before, "$what: everything is as it was, byte for byte") or diag Catalog::differences($before, $after);
	$new->safe_psql('postgres', 'CREATE DATABASE fresh');
	$new->safe_psql('fresh', 'CREATE SCHEMA analytics; CREATE EXTENSION custmart SCHEMA analytics');
	# A body in SQL was printed and read once more, which changes parentheses alone.
	is(Catalog::differences(map { $new->safe_psql($_, $Catalog::objects) =~ tr/()//dr } 'fresh', 'shop'), '', "$what: every object is as in a fresh install");
	Kept::indexes_find($new, 'shop', $what);
  SKIP:
	{
		skip 'amcheck is not installed', 1 unless $new->safe_psql('shop', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
		$new->command_ok([ 'pg_amcheck', '--install-missing', '--heapallindexed', '--database', 'shop' ], "$what: every table is whole, and every btree index has its rows in order");
	}

	# PostgreSQL 18 and later carry statistics, but common elements only of types that it knows to have some.  Where this changes,
	# so must docs/tagbloom.md.
	my $carried = $new_version >= 18 ? join '', map { /^((?:[^|]*\|){4})/ ? "$1|\n" : () } split /\n/, $common_before : '';
	is($new->safe_psql('shop', $common), $carried =~ s/\n\z//r, "$what: of a set of tags, " . ($new_version >= 18 ? 'statistics come along without the most common tags' : 'statistics do not come along'));
	$new->safe_psql('shop', 'ANALYZE');
	is($new->safe_psql('shop', $common), $common_before, "$what: ANALYZE finds the most common tags again");

	# What is made anew of what was carried over.
	$new->safe_psql('shop', "SET search_path = public, analytics; REINDEX DATABASE shop");
	$new->safe_psql('shop', "SET search_path = public, analytics; $_") for split /\n/, $new->safe_psql('shop', q{SELECT 'REFRESH MATERIALIZED VIEW public.' || relname FROM pg_class WHERE relkind = 'm' ORDER BY relname});
	$new->safe_psql('shop', 'SET search_path = public, analytics; REFRESH MATERIALIZED VIEW CONCURRENTLY fair');
	ok($new->safe_psql('shop', $Kept::contents) eq $before, "$what: the same, with indexes and views made again");
	is( $new->safe_psql('shop', q{SET search_path = public, analytics; SELECT recomputed > 0 FROM refresh_member_mart('mart'); SELECT wrong FROM check_member_mart('mart', 1)}),
		"t\n0", "$what: a member mart goes on with what was changed before");
	is( $new->safe_psql('shop', q{SET search_path = public, analytics;
			UPDATE sale SET amount = amount + 1 WHERE id % 50 = 0; DELETE FROM sale WHERE id % 70 = 0;
			SELECT recomputed > 0 FROM refresh_member_mart('mart'); SELECT wrong FROM check_member_mart('mart', 1)}),
		"t\n0", "$what: and with what is changed now");
	is($new->safe_psql('shop', q{SET search_path = public, analytics;
			SELECT count(*), bool_and(r.value + s.value = n.value) FROM kept_rfm r, LATERAL (SELECT rfm('2026-02-03', 5) AS value) s, LATERAL (SELECT rollup(v) AS value FROM (VALUES (r.value), (s.value)) u (v)) n WHERE r.id < 97}),
		'97|t', "$what: values made before and after are merged");
	is($new->safe_psql('shop', "DROP EXTENSION custmart CASCADE; SELECT count(*) FROM pg_proc WHERE probin LIKE '%custmart%'"), '0', "$what: dropped without a trace");
	$new->stop;
	note sprintf '%s: %.0f s', $what, time - $start;
	return;
}

my %path = map { m{/(\d+)$} && -d "$_/usr/lib/postgresql/$1" ? ($1 => "$_/usr/lib/postgresql/$1") : () } glob(($ENV{OLD_SERVERS} || '/nonexistent') . '/*');
{
	my $node = PostgreSQL::Test::Cluster->new('version');
	$new_version = $node->pg_version->major;
}
upgrade_from($new_version);
upgrade_from($_, $path{$_}) for sort { $a <=> $b } grep { $_ < $new_version } keys %path;
SKIP: { skip 'no older servers: OLD_SERVERS names none', 1 unless grep { $_ < $new_version } keys %path; pass('upgraded from older releases') }

done_testing();
