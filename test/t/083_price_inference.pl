# Prices: how often intervals hold the truth and verdicts are false where sales are
# concentrated on few items, or members buy much and have price levels of their own.
#
# Shops are those of test/oracle/price_shops.py, whose truth was planted: by default a
# few lines of them at 150 shops, with FULL all lines at 500.  Then group labels are
# dealt out by chance over the members of public data sets, if $CUSTMART_SHARED/data
# has them.
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
my ($python) = grep { system("$_ -c 'import numpy, scipy.stats' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python\'s SciPy is not installed (Debian: python3-scipy)' unless $python;
my $is_full = $ENV{FULL} ? 1 : 0;
my $oracles = abs_path(dirname(__FILE__) . '/../oracle');

# ---------- the oracle itself ----------

for (split /\n/, `$python '$oracles/price_inference_check.py' 2>&1`)
{
	if (/^ok \d+ - (.*?)( # SKIP.*)?$/) { pass("the oracle: $1") }
	elsif (/^not ok \d+ - (.*)$/) { fail("the oracle: $1") }
	elsif (!/^1\.\.\d+$/) { diag($_) }
}
is($?, 0, 'the oracle is right by other means');

my $node = PostgreSQL::Test::Cluster->new('price_inference');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nwork_mem = '256MB'\nfsync = off\nmax_wal_size = '4GB'\nmax_parallel_workers = 4\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION custmart');

sub number { return $node->safe_psql('postgres', "SELECT $_[0]") }

sub between
{
	my ($description, $low, $high, $number) = @_;
	return ok($number ne '' && $number >= $low && $number <= $high, $description) || diag("$number is not between $low and $high");
}

# ---------- simulated shops ----------

my %premium = (power => 3);
# The share of shops whose interval holds the truth, and of those without a premium
# that are called unfair or favoured nevertheless, were measured by price_shops.py at
# 3,000 shops a line: from .944 (zipf, .948 five) up, and up to .048 (zipf, five, and
# .042 members_200), about half of them of either word.  Of 500 shops the standard
# deviations of such shares are .010 and, of one word, .007: .92 is 2.3 of them
# below the lowest line and .05 nearly 4 above; both words together may have .02 more
# than .05.  Of 150 shops they are .019 and .013, so that .89 and .07 are as far
# away.  Shops and their members are the same at every run.
my $shops = $is_full ? 500 : 150;
my ($least_coverage, $most_false, $most_both) = $is_full ? (.92, .05, .07) : (.89, .07, .1);
my @lines = $is_full ? qw(alike five zipf one one_varied members_40_2 members_40_5 members_200 both power) : qw(five zipf one_varied members_40_5 both power);

# Books by shop, with members and without.
sub make_shops
{
	my ($line, $number) = @_;
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS sale, book, gap;
		CREATE UNLOGGED TABLE sale (shop int, item text, period date, member_group text, price numeric, quantity int, member bigint);
		COPY sale FROM PROGRAM '$python $oracles/price_shops.py rows $line $number' (FORMAT csv, HEADER);
		CREATE TABLE book AS SELECT shop, pricebook(item, period, member_group, price, quantity, member) AS by_member, pricebook(item, period, member_group, price, quantity) AS by_item FROM sale GROUP BY shop;
		CREATE TABLE gap AS SELECT shop, is_by_member, g.* FROM book, LATERAL (VALUES (true, by_member), (false, by_item)) v (is_by_member, book), price_gaps(v.book, '0') g});
	return;
}

for my $line (@lines)
{
	make_shops($line, $shops);
	my $truth = $premium{$line} // 0;
	my $with = sub { return number("avg(($_[0])::int)::numeric(5, 4) FROM gap WHERE is_by_member") };
	my ($holds, $unfair, $favoured) = map { $with->($_) } "$truth BETWEEN premium_pct_low AND premium_pct_high", q{verdict = 'unfair'}, q{verdict = 'favoured'};
	my ($holds_without, $false_without) =
	  map { number("avg(($_)::int)::numeric(5, 4) FROM gap WHERE NOT is_by_member") } "$truth BETWEEN premium_pct_low AND premium_pct_high", q{verdict IN ('unfair', 'favoured')};
	note("$line: the interval holds the truth in $holds, unfair $unfair, favoured $favoured; without members $holds_without, both words $false_without");
	is(number('count(*) FILTER (WHERE is_by_member) FROM gap'), $shops, "$line: $shops shops");
	between("$line: the interval holds the truth", $least_coverage, 1, $holds);
	if ($truth)
	{
		between("$line: a premium of $truth % is found", .9, 1, $unfair);
		is($favoured, '0.0000', "$line: and not called favoured");
	}
	else
	{
		between("$line: unfair without a reason", 0, $most_false, $unfair);
		between("$line: favoured without a reason", 0, $most_false, $favoured);
		between("$line: either", 0, $most_both, $unfair + $favoured);
	}
	# What the test would find if members were not looked at: it can fail.
	if ($line =~ /^members/)
	{
		between("$line: without members the interval is too narrow", 0, .8, $holds_without);
		between("$line: and words are false", .1, 1, $false_without);
	}
	cmp_ok($holds_without, '<', $holds, "$line: without members the interval holds the truth less often") if $line eq 'both';
	is(number(q{count(*) FROM gap WHERE verdict IN ('unfair', 'favoured') AND 0 BETWEEN premium_pct_low AND premium_pct_high}), 0, "$line: no word is stronger than the interval beside it");

	# price_shops.py again, shop by shop: it adds up cells and folds, and knows nothing of books.
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS wanted;
		CREATE TABLE wanted (shop int, premium_pct float8, premium_pct_low float8, premium_pct_high float8, std_error float8, df float8, effective_items float8, design_effect float8, rank_z float8, z float8, p_value float8, premium_p_value float8, verdict text);
		COPY wanted FROM PROGRAM '$python $oracles/price_shops.py effective expected $line 20'});
	my @columns = qw(premium_pct premium_pct_low premium_pct_high std_error df effective_items design_effect z p_value premium_p_value);
	is( number("count(*) FILTER (WHERE g.verdict = w.verdict AND " . join(' AND ', map { "abs(g.$_ - w.$_) <= 1e-7 * abs(w.$_) + 1e-9" } @columns) . ') FROM gap g JOIN wanted w USING (shop) WHERE is_by_member'),
		20, "$line: 20 shops as price_shops.py has them");
}

# ---------- placebos ----------

# placebo_t_sd of a shop is the standard deviation of some 200 t, of dealt folds of few
# items: about 1 on average.  Among 60 shops the mean has a standard error of about .03.
for my $line (qw(members_40_5 both power))
{
	my $number = $is_full ? 200 : 60;
	make_shops($line, $number);
	$node->safe_psql('postgres', q{DROP TABLE IF EXISTS placebo; CREATE TABLE placebo AS SELECT shop, p.* FROM book, price_placebo(by_member, '0') p});
	note("$line, placebos: " . number(q{format('t spreads by %s, p < .05 in %s, p < .5 in %s', avg(placebo_t_sd), avg((p_value < 0.05)::int), avg((p_value < 0.5)::int)) FROM placebo}));
	is(number('count(*) FROM placebo WHERE draws_used > 190'), $number, "$line: hardly a deal tells nothing");
	between("$line: t of placebos spreads by about 1", .8, 1.25, number('avg(placebo_t_sd) FROM placebo'));
	# Deals do not know that premiums differ by item, which is part of the real error.
	between("$line: so do their premiums in units of the standard error", $line eq 'both' ? .4 : .7, 1.3, number('avg(placebo_premium_pct_sd / (100 * std_error)) FROM placebo JOIN gap USING (shop) WHERE is_by_member'));
	if ($premium{$line})
	{
		# 1 of 201 deals is the real one.
		is(number('count(*) FROM placebo WHERE p_value < 1.5 / 201'), $number, "$line: a real premium is beyond all deals");
	}
	else
	{
		# Binomial: .05 of 60 has a standard deviation of .028, .5 one of .065.
		between("$line: about 5 % of the p values are below 0.05", 0, .05 + 3 * sqrt(.05 * .95 / $number), number('avg((p_value < 0.05)::int) FROM placebo'));
		between("$line: and half below 0.5", .5 - 3 * .5 / sqrt($number), .5 + 3 * .5 / sqrt($number), number('avg((p_value < 0.5)::int) FROM placebo'));
	}
	between("$line: among the members of the reference alone", .7, 1.35, number(q{avg(placebo_t_sd) FROM book, price_placebo(by_member, '0', 100, 'reference')}));
}

# ---------- any plan ----------

# Books that workers make in parts, and placebos of them.
{
	my $made = 'SELECT pricebook(item, period, member_group, price, quantity, member) AS book, price_slope(item, period, (member % 20)::float8, price, member) AS slope FROM sale WHERE shop < 10';
	my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 4;};
	$node->safe_psql('postgres', 'ALTER TABLE sale SET (parallel_workers = 4); ANALYZE sale');
	like($node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $made"), qr/Partial Aggregate/, 'books are made by workers');
	$node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; CREATE TABLE alone AS $made");
	$node->safe_psql('postgres', "$parallel CREATE TABLE together AS $made");
	is(number('pricebook_summary_send(a.book) = pricebook_summary_send(b.book) AND price_slope_summary_send(a.slope) = price_slope_summary_send(b.slope) FROM alone a, together b'), 't', 'and have the same bytes');
	is(number(q{count(*) FROM (SELECT p.* FROM alone, price_placebo(book, '0') p EXCEPT SELECT p.* FROM together, price_placebo(book, '0') p) x}), 0, 'and the same placebos');
	is( number(q{count(*) FROM (SELECT p.* FROM alone, price_placebo(book, '0') p EXCEPT SELECT p.* FROM (SELECT rollup(b) AS book FROM (SELECT pricebook(item, period, member_group, price, quantity, member ORDER BY price) AS b FROM sale WHERE shop < 10 GROUP BY member % 3) x) r, price_placebo(book, '0') p) y}),
		0, 'as have those of books that are rolled up');
}

# ---------- labels dealt out over members ----------

# The standard deviation of the corrected z, and of t, of labels that mean nothing: at
# most 1.1.  Below .6 a test is too timid, and here they are not far from it: of 400
# deals z spreads by .68 at Online Retail and .58 at The Complete Journey, t by .59 and
# .83.  A few members pay by far the most, and how much they do is taken for what all
# might.  Less than .5 would be news.  Of n deals a standard deviation is known to
# 1 / sqrt(2 (n - 1)), .035 of 400 and .11 of 40; the latter may be off by two of them.
my $deals = $is_full ? 400 : 40;
my ($least_sd, $most_sd) = $is_full ? (.5, 1.1) : (.5 * .77, 1.1 * 1.23);

# The table real(item, period, member_group, price, member): the group's label "1" is dealt to as
# many members as have it, in each of the deals.
sub deal_labels
{
	my ($name) = @_;
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS dealt;
		ANALYZE real;
		CREATE TABLE dealt AS
		SELECT deal, z, premium_pct, design_effect, ln(1 + premium_pct / 100) / std_error AS t, p_value < 0.05 AS is_below, verdict
		  FROM generate_series(1, $deals) deal,
		       LATERAL (SELECT pricebook(item, period, label, price, 1, member) AS book
		                  FROM real JOIN (SELECT member, CASE WHEN row_number() OVER (ORDER BY hashint8extended(member, deal)) <= (SELECT count(DISTINCT member) FROM real WHERE member_group = '1') THEN '1' ELSE '0' END AS label
		                                    FROM (SELECT DISTINCT member FROM real) m) l USING (member)) b, price_gaps(b.book, '0')});
	note("$name: " . number(q{format('z spreads by %s (%s uncorrected), t by %s, p < .05 in %s, false words in %s', stddev_samp(z), stddev_samp(z * sqrt(design_effect)), stddev_samp(t), avg(is_below::int), avg((verdict IN ('unfair', 'favoured'))::int)) FROM dealt}));
	is(number('count(z) FROM dealt'), $deals, "$name: every deal is tested");
	between("$name: z of labels dealt out by chance", $least_sd, $most_sd, number('stddev_samp(z) FROM dealt'));
	between("$name: their t", $least_sd, $most_sd, number('stddev_samp(t) FROM dealt'));
	# Of the premium, that is: where few members pay by far the most, t is not symmetric.
	between("$name: their mean in standard errors", -4, 4, number('avg(premium_pct) / (stddev_samp(premium_pct) / sqrt(count(*))) FROM dealt'));
	# What z would be if rows were independent, which is what the design effect is for.
	between("$name: uncorrected, they would spread by more", 1.5, 100, number('stddev_samp(z * sqrt(design_effect)) / stddev_samp(z) FROM dealt'));
	return;
}

my $data = ($ENV{CUSTMART_SHARED} // '') . '/data';
SKIP:
{
	skip 'Online Retail is not in $CUSTMART_SHARED/data', 5 unless -r "$data/online_retail/online_retail.csv.gz";
	# A slice of the items, so that a deal takes little time.
	$node->safe_psql('postgres', qq{
		CREATE TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
		COPY retail FROM PROGRAM 'gzip -dc "$data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER);
		CREATE TABLE real AS SELECT stock_code AS item, date_trunc('month', at)::date AS period, CASE country WHEN 'United Kingdom' THEN '0' ELSE '1' END AS member_group, price, customer AS member
		  FROM retail WHERE customer IS NOT NULL AND quantity > 0 AND price > 0 AND hashtext(stock_code) & 15 = 0});
	deal_labels('Online Retail by country');
}
SKIP:
{
	skip 'The Complete Journey is not in $CUSTMART_SHARED/data', 5 unless -r "$data/completejourney/transactions_sample.csv.gz";
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS real;
		CREATE TABLE line (household_id bigint, store_id bigint, basket_id text, product_id bigint, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamp);
		CREATE TABLE household (household_id bigint, age text, income text, home_ownership text, marital_status text, household_size text, household_comp text, kids_count text);
		COPY line FROM PROGRAM 'gzip -dc "$data/completejourney/transactions_sample.csv.gz"' (FORMAT csv, HEADER);
		COPY household FROM PROGRAM 'gzip -dc "$data/completejourney/demographics.csv.gz"' (FORMAT csv, HEADER);
		CREATE TABLE real AS SELECT product_id AS item, date '2017-01-01' + 28 * ((week - 1) / 4) AS period, CASE WHEN income IN ('Under 15K', '15-24K', '25-34K', '35-49K') THEN '1' ELSE '0' END AS member_group,
		       round((sales_value + retail_disc + coupon_match_disc) / quantity, 4) AS price, household_id AS member
		  FROM line JOIN household USING (household_id) WHERE quantity > 0 AND sales_value > 0});
	deal_labels('The Complete Journey by income');
}

$node->stop;
done_testing();
