# One release is enough: limits are custmart's own.
#
# The table of limits in docs/reliability.md: each row of it is tested, at the limit and beyond, and says what is seen; a row without a test
# fails.  What takes minutes or gigabytes is tested elsewhere, and here it is seen that it is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('limit_table');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nmax_parallel_workers_per_gather = 0\n");
$node->start;
my $session = Session->new($node);
$session->sql('CREATE EXTENSION custmart');

my $nines = '9' x 38 . '.' . '9' x 28;
my $steps = "array_fill(true, ARRAY[%d])";
my $channels = "SELECT %s FROM (SELECT contact_book(1, left(i || repeat('c', 70), %d), 'sent', '2026-01-01') AS b FROM generate_series(10, 9 + %d) i) s";
my $large = [ '030_limits.pl', 'a book over the limit', 'a book just below it can be read and written', 'a pricebook over the limit', 'a sum over the limit' ];
# By the first words of a row: the numbers that it names, and [ statement at the limit, statement beyond ]s or [ file, tests in it ].
my %tests = (
	'a stored value' => [ [704], $large ],
	'its text form' => [ [ 704, 939 ], $large ],
	'members of a book' => [ [ 704, 30, 90 ], $large ],
	'numbers that an aggregate collects' => [ [100], map { [ "SELECT $_ FROM generate_series(1, 1000000) i", "SELECT $_ FROM generate_series(1, 100000000) i", 'long' ] } "tier_cuts(1, '{0.5}') IS NOT NULL" ],
	'an amount' => [ [ 38, 28 ], [ "SELECT monetary(rfm('2026-01-01', $nines)) = $nines", "SELECT rfm('2026-01-01', 1${nines})" ], [ "SELECT rfm('2026-01-01', $nines)", "SELECT rfm('2026-01-01', 0.${\('0' x 28)}1)" ],
		[ "SELECT points('2026-01-01', -$nines)", "SELECT points('2026-01-01', -1$nines)" ], [ "SELECT retention_book(1, '2026-01-01', $nines, 'day', 'UTC')", "SELECT retention_book(1, '2026-01-01', 1$nines, 'day', 'UTC')" ] ],
	'a tag' => [ [1024], [ "SELECT tags(repeat('x', 1024))", "SELECT tags(repeat('x', 1025))" ], [ "SELECT tag_agg(repeat('é', 512))", "SELECT tag_agg(repeat('é', 513))" ], [ "SELECT '{}'::tagbloom || repeat('x', 1024)", "SELECT '{}'::tagbloom || repeat('x', 1025)" ] ],
	'steps of a funnel, conditions of an audience' => [ [32], map { [ sprintf("SELECT $_", sprintf $steps, 32), sprintf("SELECT $_", sprintf $steps, 33) ] } "funnel('1 day', '2026-01-01', VARIADIC %s)", "funnel_book(1, '1 day', '2026-01-01', VARIADIC %s)", 'audience_book(1, 1, VARIADIC %s)' ],
	'channels of a contact book' => [ [ 16, 63 ], [ sprintf($channels, 'member_count(b)', 63, 16), sprintf($channels, 'b', 63, 17) ], [ sprintf($channels, 'member_count(b)', 63, 1), sprintf($channels, 'b', 64, 1) ] ],
	'bins of RFM' => [ [ 2, 99 ], map { my $call = $_; map { my $pair = $_; [ map { "SELECT count(c) FROM (SELECT " . sprintf($call, $_) . " AS c FROM (SELECT rfm_book(i, '2026-01-01', i) AS b FROM generate_series(1, 9) i) s) t" } @$pair ] } [ 2, 1 ], [ 99, 100 ] } 'rfm_members(b, bins => %d)', 'rfm_cuts(b, %d)' ]);

my $page = slurp_file("$FindBin::Bin/../../docs/reliability.md");
my ($table) = $page =~ /^## Limits\n\n(\|.*?)(?:\n\n|\z)/ms;
my @rows = map { [ map { s/^ +| +$//gr } (split /(?<!\\)\|/)[ 1 .. 3 ] ] } grep { !/^\|(?: \| at most|---)/ } split /\n/, $table;
cmp_ok(scalar(@rows), '>=', 9, 'the table is there');
for (@rows)
{
	my ($what, $most, $then) = @$_;
	my ($key) = grep { $what =~ /^\Q$_\E\b/ } keys %tests;
	ok(defined $key, "$what: there is a test") or next;
	my ($numbers, @tests) = @{ delete $tests{$key} };
	is(join(' ', "$what $most" =~ s/,(?=\d{3})//gr =~ /\b\d+\b/g), join(' ', @$numbers), "$what: its numbers are those that are tested");
	my ($state) = $then =~ /^(\d{5}|\w{5})\b/;
	for my $test (@tests)
	{
		if ($test->[0] =~ /\.pl$/)
		{
			my ($file, @names) = @$test;
			my $source = slurp_file("$FindBin::Bin/$file");
			is(join(', ', grep { index($source, $_) < 0 } @names), '', "$what: tested in $file");
			next;
		}
		my ($at, $beyond, $long) = @$test;
		my (undef, $err) = $session->query($at);
		is($err, '', "$what: $most are taken");
		# Gigabytes, and half a minute.
		next if $long && !$ENV{FULL};
		(undef, $err) = $session->query("\\set VERBOSITY verbose\n$beyond");
		like($err, qr/ERROR:  $state: .*\n(?:DETAIL:.*\n)?HINT: /, "$what: what is beyond is refused as the table says");
	}
}
is(join(', ', sort keys %tests), '', 'what is tested is in the table');
$node->stop;
done_testing();
