# custmart beside tables named as shops name them, and in a schema of its own.
# One release is enough.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('names');
$node->init;
$node->start;

# A table has a type of its name, so no type of the extension may be called like one.
my @tables = map { ($_, /[^aeiou]y$/ ? s/y$/ies/r : /(?:s|x|ch)$/ ? "${_}es" : "${_}s") } qw(
  account activity address audience basket behaviour book booking brand bucket budget campaign card cart category
  channel charge check checkout click client cohort consent contact conversion coupon credit customer cut day deal
  delivery device discount email entry event fact feedback fee funnel gift goal grade group household income
  interaction inventory invoice item journey label lead ledger level lifecycle limit line list location lookup
  member membership message metric milestone model moment month note notification number offer order order_item
  order_line outlet page partner payment period persona plan point portrait posting price price_book price_list
  price_slope pricebook product profile promise promotion purchase question quote rating reason receipt referral
  refund region report retention return revenue review reward rfm rule sale score segment session shipment shop
  sku source spend stage stamp state step stock store streak subscription summary supplier survey tag target task tax
  tenure ticket tier touchpoint trail transaction trend unit upload value vendor visit visitor voucher warehouse week
  wishlist year);
push @tables, qw(people rfm_score rfm_segment tier_history customer_rfm customer_segments customer_tags
  member_tags order_history price_history promise_to_pay spending staff user users);
cmp_ok(scalar(@tables), '>=', 200, 'many names');
my $make_tables = join '', map { qq{CREATE TABLE "$_" (id bigint);\n} } @tables;

# Something of everything: aggregates, operators, functions, reports, indexes.
my $use = q{
	SELECT frequency(x + x), x::text::rfm_summary = x, monetary(rollup(x)) FROM (SELECT rfm('2026-01-01', 5) AS x) s GROUP BY x;
	SELECT streak(a + a), level(f + f), rolling_spend(s + s, NULL::timestamptz), points_balance(p + p, NULL::timestamptz)
	  FROM (SELECT activity(timestamptz '2026-01-01', 'day', 'UTC') AS a, funnel('1 day', '2026-01-01', true) AS f, spend('2026-01-01', 5) AS s, points('2026-01-01', 5) AS p) x;
	SELECT r.member_group, r.verdict, cell_count(b + b) FROM (SELECT pricebook(n::bigint, g, n) AS b FROM generate_series(1, 3) n, unnest('{old,new}'::text[]) g) s, price_gaps(b, 'old') r;
	SELECT p.rows, rows_skipped(b + b) FROM (SELECT price_slope(1::bigint, '2026-01-01', n, n) AS b FROM generate_series(1, 3) n) s, price_slopes(b) p;
	SELECT r.treated, r.verdict, (rows_skipped(c + c)) FROM (SELECT campaign(n > 2, n) AS c FROM generate_series(1, 5) n) s, campaign_results(c) r LIMIT 1;
	SELECT segment, members FROM rfm_segments((SELECT rfm_book(n, '2026-01-01', n) FROM generate_series(1, 3::bigint) n)) LIMIT 1;
	SELECT tags('a', 'b') ? 'a', tags('a', 'b') @@ 'a & b';
	CREATE TABLE kept AS SELECT n, rfm('2026-01-01', n) AS x, tags('tag ' || n) AS t FROM generate_series(1, 3) n GROUP BY n;
	CREATE INDEX ON kept (x);
	CREATE INDEX ON kept USING gin (t);
	SET enable_seqscan = off;
	SELECT count(*) FROM kept WHERE x = (SELECT x FROM kept WHERE n = 2);
	SELECT count(*) FROM kept WHERE t ? 'tag 3';
	SELECT count(*) FROM kept a JOIN kept b USING (x);
	DROP TABLE kept;
};
my $answer = join "\n", qw(2|t|5 1|1|10|10), 'new|not comparable|3', '3|0', '3|not shown|0', 'New Customers|1', qw(t|t 1 1 3);

sub works
{
	my ($database, $schema, $name) = @_;
	my ($status, $out, $err) = $node->psql($database, "SET search_path = $schema;\n$use", on_error_stop => 1);
	is($out, $answer, "$name: everything works") or diag $err;
}

for my $order ('tables first', 'extension first')
{
	my $database = $order =~ s/ /_/r;
	my @steps = ($make_tables, 'CREATE EXTENSION custmart;');
	@steps = reverse @steps if $order eq 'extension first';
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	for my $step (@steps)
	{
		my ($status, $out, $err) = $node->psql($database, $step, on_error_stop => 1);
		is($status, 0, "$order: " . substr $step, 0, 16) or diag $err;
	}
	works($database, 'public', $order);
}

# In a schema of its own, and then in another one.  What was stored before it moved stays usable.
$node->safe_psql('postgres', q{
	CREATE SCHEMA custmart;
	CREATE EXTENSION custmart SCHEMA custmart;
	CREATE SCHEMA other;
	CREATE TABLE stored AS SELECT n, custmart.rfm('2026-01-01', n) AS x, custmart.tags('tag ' || n) AS t FROM generate_series(1, 9) n GROUP BY n;
	CREATE INDEX ON stored (x);
	CREATE INDEX ON stored USING gin (t);
	CREATE VIEW total AS SELECT custmart.monetary(custmart.rollup(x)) AS total FROM stored});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace}), 0, 'nothing is in public');
works('postgres', 'public, custmart', 'a schema of its own');
$node->safe_psql('postgres', 'ALTER EXTENSION custmart SET SCHEMA other; DROP SCHEMA custmart');
works('postgres', 'public, other', 'moved');
is( $node->safe_psql('postgres', q{
		SET search_path = public, other;
		SET enable_seqscan = off;
		SELECT total, (SELECT n FROM stored WHERE x = (SELECT rfm('2026-01-01', 4))), (SELECT n FROM stored WHERE t ? 'tag 7') FROM total}),
	'45|4|7', 'moved: what was stored is found');

$node->stop;
done_testing();
