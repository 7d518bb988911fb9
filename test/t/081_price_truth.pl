# Shops whose truth is known, because it was planted: 500 of every kind, small ones,
# and what the reports say of them.  An interval of 95 % has to cover the truth in
# about 95 % of them, a test at 5 % to be wrong in about 5 %, and no more of the items
# that are flagged may be wrong than promised.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('price_truth');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nwork_mem = '256MB'\n");
$node->start;

# A shop has 40 items and 10 weeks.  Items have prices that are log-normal, every week
# another one, and in a fifth of the weeks, which differ by item, there is a promotion
# at 70 % for everybody.  What a single sale costs scatters by 5 %, and is rounded to
# cents.  The reference buys the dear items, the others the cheap ones, and promotions:
# mean prices, of all rows or of an item, mislead.  They pay the premium for an item if
# it is one of those that are chosen for it, by dice, too.
#
# All dice are hashes of what they are thrown for and of a seed, 100 times the number
# of the kind of shop: the same at every run.  They are hashed twice, because hashes of
# consecutive numbers are spread more evenly than chance would have it.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION custmart;
CREATE FUNCTION chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashint8extended(hashint8extended(i, stream), stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52)
$$;
-- Standard normal (Box and Muller 1958); uses two streams.
CREATE FUNCTION bell(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT sqrt(-2 * ln(1 - chance(i, stream))) * cos(2 * pi() * chance(i, stream + 1))
$$;
CREATE TABLE kind (kind int, premium float8, share float8);
INSERT INTO kind VALUES (1, 0, 1), (2, 0.01, 1), (3, 0.03, 1), (4, 0.10, 1), (5, 0.01, 0.2), (6, 0.03, 0.2), (7, 0.10, 0.2);

CREATE FUNCTION sales(kind int, premium float8, share float8, OUT run int, OUT item int, OUT is_planted boolean, OUT week date, OUT member_group text, OUT price numeric)
RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
	SELECT run, item, is_planted, date '2026-01-05' + 7 * week, CASE is_member WHEN 1 THEN 'member' ELSE 'guest' END,
		round((week_price * exp(0.05 * bell(s, seed + 7)) * (1 + CASE WHEN is_planted AND is_member = 1 THEN premium ELSE 0 END))::numeric, 2)
	FROM (SELECT 100 * kind AS seed OFFSET 0) AS seed, generate_series(1, 500) AS run, generate_series(1, 40) AS item,
		LATERAL (SELECT run * 1000 + item AS i) AS i,
		LATERAL (SELECT exp(2.5 + 0.8 * bell(i, seed)) AS item_price, chance(i, seed + 2) < share AS is_planted OFFSET 0) AS of_item,
		generate_series(0, 9) AS week,
		LATERAL (SELECT i * 10 + week AS c) AS c,
		LATERAL (SELECT chance(c, seed + 5) < 0.2 AS is_promotion OFFSET 0) AS promotion,
		LATERAL (SELECT item_price * exp(0.05 * bell(c, seed + 3)) * CASE WHEN is_promotion THEN 0.7 ELSE 1 END AS week_price OFFSET 0) AS of_week,
		generate_series(0, 1) AS is_member, generate_series(0, 3) AS sale,
		LATERAL (SELECT (c * 2 + is_member) * 4 + sale AS s) AS s
	WHERE chance(s, seed + 6) < CASE is_member WHEN 0 THEN 0.2 + item / 80.0 ELSE 0.7 - item / 80.0 + CASE WHEN is_promotion THEN 0.2 ELSE 0 END END
$$;
CREATE TABLE shop AS
SELECT kind, run, pricebook(item, week, member_group, price, 1) AS book, array_agg(DISTINCT item) FILTER (WHERE is_planted) AS planted
FROM kind, sales(kind, premium, share) GROUP BY kind, run;
-- The premium is that of a sale's logarithm on average: of all items, or of a share.
CREATE TABLE gap AS
SELECT kind, run, g.*, 100 * (exp(share * ln(1 + premium)) - 1) AS truth FROM shop JOIN kind USING (kind), price_gaps(book, 'guest', min_premium_pct => 0) AS g;
CREATE TABLE item AS
SELECT kind, run, g.*, coalesce(item = ANY (planted), false) AS is_planted FROM shop, price_gap_items(NULL::bigint, book, 'guest', min_premium_pct => 0) AS g;
SQL

sub number { return $node->safe_psql('postgres', "SELECT $_[0]") }

sub between
{
	my ($description, $low, $high, $number) = @_;
	return ok($number >= $low && $number <= $high, $description) || diag("$number is not between $low and $high");
}

is(number('count(*) FROM gap'), 3500, '500 shops of every kind');
my @kinds = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', q{SELECT kind, 100 * premium || ' % on ' || 100 * share || ' % of the items', premium, share FROM kind ORDER BY kind});
for (@kinds)
{
	my ($kind, $name, $premium, $share) = @$_;
	# The standard deviation of a share of 95 % among 500 is 1 %; nine of them are looked
	# at, so that three and a half of it are allowed.
	between("premium of $name: the interval covers it in about 95 % of the shops", .915, .985, number("avg((truth BETWEEN premium_pct_low AND premium_pct_high)::int) FROM gap WHERE kind = $kind"));
	# The mean of 500 estimates is off by more than 4 of its standard deviations in one case of 16,000.
	between("premium of $name: and is right on average", -4, 4, number("avg(premium_pct - truth) / (stddev_samp(premium_pct) / sqrt(500)) FROM gap WHERE kind = $kind"));
}
# And 0.37 % among all.
between('all premiums: the interval covers 95 %', .94, .96, number('avg((truth BETWEEN premium_pct_low AND premium_pct_high)::int) FROM gap'));
is(number('count(*) FROM gap WHERE naive_gap_pct BETWEEN premium_pct_low AND premium_pct_high AND kind = 1') < 250 ? 'yes' : 'no', 'yes', 'which the gap of mean prices is not');

between('without a premium, at most 5 % are called unfair', .005, .05, number(q{avg((verdict = 'unfair')::int) FROM gap WHERE kind = 1}));
between('and about as many favoured', .005, .05, number(q{avg((verdict = 'favoured')::int) FROM gap WHERE kind = 1}));
between('about 5 % of the p values are below 0.05', .025, .075, number('avg((p_value < 0.05)::int) FROM gap WHERE kind = 1'));
between('and about half below 0.5', .43, .57, number('avg((p_value < 0.5)::int) FROM gap WHERE kind = 1'));
# Of items there are 20,000, but with few rows, of which the normal distribution is not quite true.
between('about 5 % of those of items', .04, .055, number('avg((p_value < 0.05)::int) FROM item WHERE kind = 1'));
is(number(q{count(*) FROM gap WHERE verdict <> 'unfair' AND kind IN (3, 4)}), 0, '3 % or more on all items are unfair');
between('1 % on all items is so more often than by chance', .3, 1, number(q{avg((verdict = 'unfair')::int) FROM gap WHERE kind = 2}));
is(number(q{count(*) FROM gap WHERE verdict = 'favoured' AND kind <> 1}), number(q{count(*) FROM gap WHERE p_value < 0.05 AND premium_p_value < 0.05 AND premium_pct < 0 AND z < 0 AND kind <> 1}), 'favoured is who pays less');

# The promise of Benjamini and Hochberg: of the items with q < 0.05, 5 % are wrong on
# average; none counts as 0 %.  Items that are flagged pay more as well, which halves it.
for (grep { $_->[3] < 1 || $_->[2] == 0 } @kinds)
{
	my ($kind, $name, $premium) = @$_;
	my $is_wrong = $premium == 0 ? 'true' : 'NOT is_planted';
	for ('q_value < 0.05', 'is_flagged')
	{
		my $share = qq{avg(coalesce(wrong / nullif(found, 0)::float8, 0)) FROM (SELECT count(*) FILTER (WHERE $_) AS found, count(*) FILTER (WHERE $_ AND $is_wrong) AS wrong FROM item WHERE kind = $kind GROUP BY run) s};
		between("premium of $name: of the items with $_, at most 5 % are wrong", 0, .05, number($share));
	}
}
between('most of the items that cost 10 % more are found', .75, 1, number('avg(is_flagged::int) FROM item WHERE kind = 7 AND is_planted'));
between('and more if all do', .9, 1, number('avg(is_flagged::int) FROM item WHERE kind = 4'));
# A premium that does not matter is not worth a flag.
is( number(q{count(*) FROM shop, price_gap_items(NULL::bigint, book, 'guest', min_premium_pct => 20) AS g WHERE kind = 4 AND is_flagged AND gap_pct <= 20}),
	0, 'none is flagged for less than min_premium_pct');

# The same for a slope: 0 and 2 % a year of membership.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE slope AS
SELECT rate, run, (price_slopes(slope)).*, 100 * (exp(rate) - 1) AS truth
FROM (SELECT rate, run, price_slope(item, week, years, round((price * exp(rate * years))::numeric, 2)) AS slope
	  FROM unnest('{0,0.02}'::float8[]) AS rate, (SELECT *, 10 * chance(row_number() OVER (), 900) AS years FROM sales(8, 0, 1)) AS s GROUP BY 1, 2) AS s;
SQL
for (0, .02)
{
	between("slope of $_: the interval covers it in about 95 % of the shops", .915, .985, number("avg((truth BETWEEN premium_pct_low AND premium_pct_high)::int) FROM slope WHERE rate = $_"));
	between("slope of $_: and is right on average", -4, 4, number("avg(premium_pct - truth) / (stddev_samp(premium_pct) / sqrt(500)) FROM slope WHERE rate = $_"));
}
between('without a slope, about 5 % of the p values are below 0.05', .025, .075, number('avg((p_value < 0.05)::int) FROM slope WHERE rate = 0'));

$node->stop;
done_testing();
