# pg_upgrade: a cluster with values of every stored type, moved to the release under test, holds them byte for byte;
# its indexes find what they found, its views and member marts go on, and the extension is as a fresh install.
#
# Always from the same release, which is made anew by pg_dump --binary-upgrade just the same.  From older releases where
# OLD_SERVERS names a directory with N/usr/lib/postgresql/N and N/usr/share/postgresql/N of each release N, custmart
# installed in it: test/run --full makes those of the older releases that it tests.
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

# Whether the one could be upgraded to the other, with what pg_upgrade said.
sub upgraded
{
	my ($old, $new) = @_;
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
			my @lines = grep { /error|fatal|could not|detail/i } split /\n/, PostgreSQL::Test::Utils::slurp_file($log);
			splice @lines, 0, @lines - 10 if @lines > 10;
			$said .= join "\n", $log, @lines, '';
		}
	}
	return ($done, $said);
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

	my $new = cluster("new_$version");
	my ($done, $said) = upgraded($old, $new);
	unless ($done)
	{
		# PostgreSQL's own doing, if it cannot move a cluster without custmart, either.
		my ($bare_old, $bare_new) = (cluster("bare_old_$version", $path), cluster("bare_new_$version"));
		my ($bare_done, $bare_said) = upgraded($bare_old, $bare_new);
		unless ($bare_done)
		{
			diag "$what: $bare_said";
		  SKIP: { skip "$what: pg_upgrade fails without custmart, too", 1 }
			return;
		}
		fail("$what: pg_upgrade");
		diag $said;
		return;
	}
	pass("$what: pg_upgrade");
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

	# Statistics are carried by PostgreSQL 18 and later, but no list of common elements of a type that is not an array.
	my $carried = $new->safe_psql('shop', $common);
	note "$what: statistics carried:\n" . substr $carried, 0, 2000;
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
