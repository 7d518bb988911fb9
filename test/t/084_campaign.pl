# Campaigns against test/oracle/campaign.py: every figure of every report, on random
# members of all sorts.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The first python3 need not be the one that Debian's packages belong to.
my ($python) = grep { system("$_ -c 'import scipy.stats' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python\'s SciPy is not installed (Debian: python3-scipy)' unless $python;
my $oracle = abs_path(dirname(__FILE__) . '/../oracle/campaign.py');

my $node = PostgreSQL::Test::Cluster->new('campaign');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;

	CREATE FUNCTION chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (hashint8extended(i, stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52);

	-- Cases differ in size, in the share that was treated, in how many buy, in how many segments and scores there are.
	CREATE TABLE member AS
	SELECT c AS "case", 'segment ' || floor(chance(i, 1) * (c % 9 + 1)) AS segment, round((chance(i, 2) * (c % 40 + 3))::numeric) / 8 AS score,
	       chance(i, 3) < share AS treated,
	       CASE WHEN chance(i, 4) < rate * (0.5 + chance(floor(chance(i, 1) * (c % 9 + 1))::bigint, 40 + c)) THEN round((c % 3 + 20 * chance(i, 5) ^ 4)::numeric, (i % 3)::int) ELSE 0 END AS y,
	       CASE WHEN chance(i, CASE WHEN c % 2 = 0 THEN 4 ELSE 6 END) < rate THEN round((20 * chance(i, 5) ^ 4 + chance(i, 7))::numeric, 2) ELSE 0 END AS before
	FROM generate_series(1, 30) c, LATERAL (SELECT 0.2 + 0.7 * chance(c, 8) AS share, 0.05 + 0.8 * chance(c, 9) ^ 2 AS rate, 60 + floor(600 * chance(c, 10) ^ 2)::int AS n) p,
	     LATERAL (SELECT c * 10000 + k AS i FROM generate_series(1, n) k) m;

	-- A segment that nobody was treated in, and one with very few members.
	INSERT INTO member SELECT c, CASE WHEN k < 8 THEN 'left out' ELSE 'few' END, 1, k > 10, k % 2, 1 FROM generate_series(5, 30, 5) c, generate_series(1, 14) k;

	CREATE FUNCTION figures(c int, report text, "row" text, columns jsonb, names text[]) RETURNS SETOF text LANGUAGE sql IMMUTABLE
	AS $$ SELECT concat_ws(E'\t', c, report, "row", n, coalesce(columns ->> n, '')) FROM unnest(names) n $$;
});

my $members = $node->basedir . '/members.tsv';
$node->safe_psql('postgres', qq{COPY (SELECT "case", segment, score, treated, y, before FROM member ORDER BY 1) TO '$members'});
my %expected;
for (split /\n/, `$python '$oracle' '$members'`)
{
	my ($case, $report, $row, $column, $value) = split /\t/, $_, -1;
	$expected{$report}{join ' ', "case $case:", $row, $column} = $value;
}
is($?, 0, 'the oracle has answers');

my %query = (
	results => q{
		SELECT figures("case", 'results', measure, to_jsonb(r), '{uplift,uplift_low,uplift_high,std_error,statistic,df,p_value,incremental}')
		  FROM (SELECT "case", (campaign_results(campaign(treated, y, before))).* FROM member GROUP BY 1) r
		UNION ALL SELECT figures("case", 'results', 'ratio', to_jsonb(r), '{chi_squared,p_value}')
		  FROM (SELECT "case", (campaign_sample_ratios(campaign(treated, y), 2 / 3.0)).* FROM member GROUP BY 1) r},
	segments => q{
		SELECT figures("case", 'segments', segment, to_jsonb(r), '{uplift,uplift_low,uplift_high,p_value,q_value,shrunk_uplift,shrunk_low,shrunk_high}')
		  FROM (SELECT "case", (campaign_segments(campaign_book(segment, treated, y))).* FROM member GROUP BY 1) r},
	differences => q{
		SELECT figures("case", 'differences', '', to_jsonb(r), '{segments,mean_uplift,uplift_sd,cochran_q,df,p_value}')
		  FROM (SELECT "case", (campaign_differences(campaign_book(segment, treated, y))).* FROM member GROUP BY 1) r
		 WHERE segments > 1},
	offers => q{
		SELECT figures("case", 'offers', segment, to_jsonb(r), '{label,observed_profit,expected_profit,probability,offer}')
		  FROM (SELECT "case", (campaign_offers(campaign_book(segment, treated, y), 8, 0.1, 1)).* FROM member GROUP BY 1) r},
	curves => q{
		SELECT figures("case", 'curves', curve, to_jsonb(r), '{last_value,area,above_chance,perfect,coefficient}')
		  FROM (SELECT "case", (uplift_curves(campaign_book(score, treated, (y <> 0)::int))).* FROM member GROUP BY 1) r
		UNION ALL SELECT figures("case", 'curves', curve || ' of money', to_jsonb(r), '{last_value,area,above_chance}')
		  FROM (SELECT "case", (uplift_curves(campaign_book(score, treated, y))).* FROM member GROUP BY 1) r});

# Differences of one segment are none.
for my $key (grep { /segments$/ && $expected{differences}{$_} < 2 } keys %{ $expected{differences} })
{
	(my $case = $key) =~ s/:.*//;
	delete @{ $expected{differences} }{ grep { /^\Q$case\E:/ } keys %{ $expected{differences} } };
}

for my $report (sort keys %query)
{
	my (%got, @wrong);
	for (split /\n/, $node->safe_psql('postgres', $query{$report}))
	{
		my ($case, undef, $row, $column, $value) = split /\t/, $_, -1;
		$got{join ' ', "case $case:", $row, $column} = $value =~ s/^true$/t/r =~ s/^false$/f/r;
	}
	my %keys = (%got, %{ $expected{$report} });
	for my $key (sort keys %keys)
	{
		my ($is, $should) = ($got{$key}, $expected{$report}{$key});
		push @wrong, "$key is " . ($is // 'missing') . ', not ' . ($should // 'there')
		  unless defined $is && defined $should
		  && ($is eq $should || $is =~ /\d/ && $should =~ /\d/ && abs($is - $should) <= 1e-9 * abs($should) + 1e-12);
	}
	ok(!@wrong, "$report: " . keys(%keys) . ' figures') or diag(join "\n", scalar(@wrong) . ' differ', grep { defined } @wrong[ 0 .. 9 ]);
	cmp_ok(scalar(keys %keys), '>', 100, "$report: many");
}

done_testing();
