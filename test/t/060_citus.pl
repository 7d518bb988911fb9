# With Citus, where it is installed: aggregates that are split over shards give
# what they give on one table.  (040_split.pl tests the rules without it.)
use strict;
use warnings;

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
$node->safe_psql('postgres', q{
	CREATE EXTENSION citus;
	CREATE EXTENSION custmart;
	SELECT citus_set_coordinator_host('localhost', current_setting('port')::int);
	CREATE TABLE local_orders (order_id bigint, member bigint, ordered_at timestamptz, amount numeric);
	INSERT INTO local_orders
	SELECT n / 2, n * n % 997, timestamptz '2025-01-01' + n * interval '7 minutes', (n % 1009 - 30) / 8.0
	FROM generate_series(1, 20000::bigint) n;
	CREATE TABLE orders (LIKE local_orders);
	SELECT create_distributed_table('orders', 'order_id', shard_count => 8);
	INSERT INTO orders SELECT * FROM local_orders;
});

# Sharded by order, so that every member's rows lie on many shards.
foreach my $expression (
	'rfm(ordered_at, amount)',
	'rfm_book(member, ordered_at, amount)',
	'rfm_book(member::text, order_id, ordered_at, amount)',
	'rfm_book(member, md5(order_id::text)::uuid, ordered_at, amount)',
	'rfm_book(member, rfm(1, abs(amount), ordered_at, ordered_at))',
	"tier_cuts(amount, ARRAY[0.1, 0.3])",
	"tag_agg('m' || member)",
	"tag_agg('m' || member % 20)",
	"tag_agg('m' || member, 5000)",
	"rollup(tags('m' || member, 'o' || order_id % 7))",
	"pricebook(member, 'g' || order_id % 3, amount)",
	"pricebook('i' || member, date '2026-01-01' + (order_id % 20)::int, 'g' || order_id % 3, amount, 1 + order_id % 5)",
	"price_slope(member, date '2026-01-01' + (order_id % 20)::int, order_id / 1000.0, amount)",
	"points(ordered_at, amount - 50)",
	"campaign(member % 3 > 0, amount, order_id)",
	"contact_trail('channel ' || order_id % 7, 'sent', ordered_at)",
	"contact_book(member, 'channel ' || order_id % 7, (ARRAY['sent', 'clicked', 'sent'])[1 + order_id % 3], ordered_at)",
	"preference_book(member, 'category ' || order_id % 20, amount)",
	"basket_book(member, order_id % 50)",
	"basket_book(order_id::text, 'item ' || member)",
	"audience_book(member, (order_id / 8.0)::float8, order_id % 2 = 0, order_id % 3 = 0)",
	"campaign_book('s' || member % 20, member % 3 > 0, amount)",
	"campaign_book(order_id / 16.0, member % 3 > 0, amount)",
	"check_book('m' || member, order_id::text, (order_id % 50)::text, ordered_at, member % 7, amount)",
	"check_book('m' || member, (member % 10)::text, NULL, ordered_at::date, 1, amount, 'EUR')",
	"retention_book_since(member, ordered_at - order_id % 9 * interval '1 day', ordered_at, amount, 'week(sunday)', 'Europe/Berlin')")
{
	is( $node->safe_psql('postgres', "SELECT (SELECT $expression FROM orders) = (SELECT $expression FROM local_orders)"),
		't', "$expression over shards is what it is over one table");
}
for my $expression ('rfm_book(member, ordered_at, amount)', "pricebook(member, 'g' || order_id % 3, amount)")
{
	like($node->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS off) SELECT $expression FROM orders"),
		qr/worker_partial_agg/, "$expression is really split");
}
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM (
			(SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders))
			 EXCEPT SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM local_orders)))) s}),
	'0', 'the members are the same');
is( $node->safe_psql('postgres', q{
		SELECT count(*), count(*) FILTER (WHERE premium_pct IS NOT NULL) FROM (
			(SELECT * FROM price_gaps((SELECT pricebook(member, 'g' || order_id % 3, amount) FROM orders), 'g0')
			 INTERSECT SELECT * FROM price_gaps((SELECT pricebook(member, 'g' || order_id % 3, amount) FROM local_orders), 'g0'))) s}),
	'2|2', 'so are gaps between prices');

done_testing();
