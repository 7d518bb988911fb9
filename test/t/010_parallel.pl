# The answer does not depend on how it was come by: number of workers, order of
# rows, splits into parts that are merged, storing in between, hash tables that
# spill, the just-in-time compiler, windows, grouping sets, partitions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('parallel');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
max_worker_processes = 16
max_parallel_workers = 16
max_parallel_workers_per_gather = 0
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
jit = off
timezone = 'UTC'
});
$node->start;

my ($release) = $node->safe_psql('postgres', 'SHOW server_version_num') =~ /^(\d+)\d{4}$/;
my $force = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';

my $session = Session->new($node);

# Run SQL under settings; returns what it prints.
sub query
{
	my ($sql, @settings) = @_;
	return $session->sql(join('', "RESET ALL;\n", map({ "SET $_;\n" } @settings), $sql));
}

# All nodes of the plan of a query, each a hash.
sub plan_nodes
{
	my ($sql, $options, @settings) = @_;
	my $json = query("EXPLAIN (FORMAT json, COSTS off$options) $sql", @settings);
	my @nodes;
	my @todo = decode_json($json)->[0]{Plan};
	while (my $plan = shift @todo)
	{
		push @nodes, $plan;
		push @todo, @{ $plan->{Plans} || [] };
	}
	return @nodes;
}

# How many workers a query's plan has below a partial aggregate, 0 if none.
sub workers_planned
{
	my ($sql, @settings) = @_;
	my @nodes = plan_nodes($sql, '', @settings);
	return 0 unless grep { ($_->{'Partial Mode'} // '') eq 'Partial' } @nodes;
	my ($workers) = sort { $b <=> $a } map { $_->{'Workers Planned'} // 0 } @nodes;
	return $workers;
}

# The data: lines of orders of skewed members, with refunds, zeros, NULLs, scales
# of all sizes, sums beyond 64 bits; keys of all three types say the same.  Some
# households have one tag, some hundreds; the sets of "one" are of all sizes, a few of
# them raised or halved.
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION custmart;
	-- Here rows are few for each key: the planner knows what merging costs, and would not.
	UPDATE pg_proc SET prosupport = 0 WHERE prosupport = 'book_combine_support'::regproc;

	CREATE FUNCTION chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (hashint8extended(i, stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52);

	CREATE TABLE sale AS
	SELECT i AS id, member, md5(member::text)::uuid AS member_uuid,
	       repeat('m', (member % 60)::int) || member AS member_text,
	       order_id, 'R' || repeat('0', (order_id % 9)::int) || order_id AS order_text,
	       CASE WHEN chance(i, 4) < 0.01 THEN NULL
	            ELSE timestamptz '2025-01-01' + floor(chance(i, 5) * 50000) * interval '10 minutes' END AS at,
	       CASE WHEN c < 0.01 THEN NULL
	            WHEN c < 0.05 THEN 0
	            WHEN c < 0.15 THEN -round((v * 40)::numeric, 2)
	            WHEN c < 0.30 THEN round((v * 100)::numeric, 0)
	            WHEN c < 0.31 THEN round((v * 10)::numeric, 15)
	            WHEN c < 0.32 THEN round((v * 1e8)::numeric, 0) * 1e20
	            WHEN c < 0.33 THEN -round((v * 1e8)::numeric, 0) * 1e20
	            ELSE round((v * 100)::numeric, 2) END AS amount,
	       CASE WHEN chance(i, 12) > coalesce(member, 20) / 1050.0 THEN 'étiquette ' || floor(power(chance(i, 13), 2) * 3000) END AS tag,
	       i % 11 AS part, member / 10 AS household
	  FROM generate_series(1, 12000) i,
	       LATERAL (SELECT CASE WHEN chance(i, 1) > 0.01 THEN 1 + floor(power(chance(i, 2), 3) * 1000)::bigint END AS member,
	                       CASE WHEN chance(i, 3) > 0.01 THEN floor(chance(i, 8) * 6000)::bigint END AS order_id,
	                       chance(i, 6) AS c, chance(i, 7) AS v) x
	 ORDER BY chance(i, 9);
	ALTER TABLE sale SET (parallel_workers = 4);

	CREATE TABLE value AS
	SELECT member, date_trunc('month', at) AS month, rfm(at, amount) AS rfm, tag_agg(tag) FILTER (WHERE id % 9 < 2) AS tags,
	       activity(at, 'day', 'Asia/Kolkata') AS activity, funnel('1 day', at, id % 2 = 0, id % 3 = 0) AS funnel, spend(at, amount) AS spend, points(at, amount) AS points
	  FROM sale WHERE at IS NOT NULL AND amount IS NOT NULL GROUP BY 1, 2 ORDER BY chance(hashint8(member), 10), 2;
	ALTER TABLE value SET (parallel_workers = 4);

	CREATE TABLE one AS SELECT member, rollup(rfm) AS rfm FROM value GROUP BY 1;
	ALTER TABLE one ADD tags tagbloom, ADD part bigint;
	UPDATE one SET part = member % 20, tags = CASE member % 5 WHEN 0 THEN tagbloom(t, 1 + (member % 700)::int, true) ELSE t END
	  FROM (SELECT member AS m, tag_agg(tag) AS t FROM sale GROUP BY member) x WHERE m = member;
	ALTER TABLE one SET (parallel_workers = 4);

	CREATE TABLE few AS TABLE sale LIMIT 2;
	ALTER TABLE few SET (parallel_workers = 4);
	ANALYZE;
});

# Every aggregate, as a query whose answer is one short text.  Values and limits
# are compared by their bytes, books as books and by the rows they give.
my %members = (bigint => 'member', uuid => 'member_uuid', text => 'member_text');
my %orders = ('' => '', bigint => 'order_id, ', uuid => 'md5(order_text)::uuid, ', text => 'order_text, ');
my %whole = (
	'rfm, all in one' => 'SELECT rfm_summary_send(rfm(at, amount)) FROM %s',
	'rfm, by member' => q{SELECT md5(string_agg(concat_ws(' ', member, rfm_summary_send(rfm)), ',' ORDER BY member))
		FROM (SELECT member, rfm(at, amount) FROM %s GROUP BY member) s},
	'tag_agg, all in one' => 'SELECT md5(tagbloom_send(tag_agg(tag))) FROM %s',
	'tag_agg, by household' => q{SELECT md5(string_agg(concat_ws(' ', household, tagbloom_send(tags)), ',' ORDER BY household))
		FROM (SELECT household, tag_agg(tag) AS tags FROM %s GROUP BY household) s},
	'tag_agg(text, integer)' => q{SELECT md5(string_agg(concat_ws(' ', d, tagbloom_send(tags)), ',' ORDER BY d))
		FROM (SELECT part AS d, tag_agg(tag, 5000) AS tags FROM %s GROUP BY part) s});
my %book_of;
for my $member (sort keys %members)
{
	for my $order (sort keys %orders)
	{
		my $book = "SELECT rfm_book($members{$member}, $orders{$order}at, amount) FROM %s";
		my $name = "rfm_book($member" . ($order ? ", $order" : '') . ')';
		$book_of{$name} = [ $member, $book ];
		$whole{$name} = qq{SELECT concat_ws(' ', rows_skipped(book), member_count(book), book = (SELECT book FROM kept WHERE name = '$name'),
				(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM rfm_members(NULL::$member, book) m),
				(SELECT md5(string_agg(concat_ws(' ', segment, members, share, monetary, monetary_share, avg_recency, avg_frequency, avg_monetary), ','))
				   FROM rfm_segments(book)), rfm_cuts_send(rfm_cuts(book, 6)), rfm_cuts_send(rfm_cuts_per_order(book, 6)),
				(SELECT md5(string_agg(t::text, ',')) FROM rfm_transitions(book, book, to_cuts => rfm_cuts_per_order(book)) t))
			FROM ($book OFFSET 0) b (book)};
	}
}
# Prices: what is said to be a refund or nothing above is skipped, and so are some
# quantities.  These have one order of bytes, so bytes are compared, and reports.
my $price_group = "'group ' || mod(coalesce(order_id, part), 4)";
my $period = "date_trunc('month', at AT TIME ZONE 'UTC')::date";
my $quantity = 'CASE WHEN mod(order_id, 50) = 7 THEN 1e20 ELSE (mod(order_id, 19) - 1) * 0.5 END';
my %canonical_of;
for ([ bigint => 'household' ], [ text => "'Größe ' || household" ])
{
	my ($type, $item) = @$_;
	$canonical_of{"pricebook($type)"} = [ 'pricebook_summary', $type, "pricebook($item, $price_group, amount)" ];
	$canonical_of{"pricebook($type, periods)"} = [ 'pricebook_summary', $type, "pricebook($item, $period, $price_group, amount, $quantity)" ];
	$canonical_of{"price_slope($type)"} = [ 'price_slope_summary', $type, "price_slope($item, $period, order_id / 1000.0, amount)" ];
}
# Behaviour: what each member did, and when.  Their bytes have one order as well.
my $kind = "(ARRAY['obliged', 'induced', 'own'])[id % 4]";
my $steps = "id % 3 = 0, part < 4, amount > 20";
my $said = "(ARRAY['sent', 'clicked', 'unsubscribed', 'sent'])[id % 5]";
%canonical_of = (%canonical_of,
	'retention_book(bigint)' => [ 'retention_book', 'bigint', "retention_book(member, at, 'week', 'Europe/Berlin')" ],
	'retention_book(uuid, amounts)' => [ 'retention_book', 'uuid', "retention_book(member_uuid, at, amount, 'month', 'UTC')" ],
	'retention_book(uuid, amounts since joining)' => [ 'retention_book', 'uuid', "retention_book_since(member_uuid, date '2025-12-31', at, amount, 'week(sunday)', 'Europe/Berlin')" ],
	'retention_book(text, times)' => [ 'retention_book', 'text', 'retention_book(member_text, at)' ],
	'funnel_book(bigint)' => [ 'funnel_book', 'bigint', "funnel_book(member, '30 days', at, $steps)" ],
	'session_book(bigint)' => [ 'session_book', 'bigint', 'session_book(member, at)' ],
	'interaction_book(text)' => [ 'interaction_book', 'text', "interaction_book(member_text, $kind, at)" ],
	'contact_book(bigint)' => [ 'contact_book', 'bigint', "contact_book(member, left(md5(part::text), 1), $said, at)" ],
	'contact_book(uuid)' => [ 'contact_book', 'uuid', "contact_book(member_uuid, 'channel ' || id % 3, $said, date_trunc('second', at))" ],
	'campaign_book(segments)' => [ 'campaign_book', 'text', "campaign_book('segment ' || part, household % 3 > 0, round(mod(amount, 1000), 2))" ],
	'preference_book(bigint)' => [ 'preference_book', 'bigint', "preference_book(member, 'category ' || order_id % 50, amount)" ],
	'preference_book(text)' => [ 'preference_book', 'text', "preference_book(member_text, 'category ' || part, amount)" ],
	'basket_book(bigint)' => [ 'basket_book', 'bigint', 'basket_book(member, household)' ],
	'basket_book(text)' => [ 'basket_book', 'text', "basket_book(member_text, 'item ' || order_id % 5000)" ],
	'audience_book(bigint)' => [ 'audience_book', 'bigint', "audience_book(member, (order_id % 700 / 8.0)::float8, $steps)" ],
	'audience_book(text)' => [ 'audience_book', 'text', "audience_book(member_text, NULL, $steps)" ],
	'campaign_book(scores)' => [ 'campaign_book', 'float8', "campaign_book((order_id % 700 / 8.0)::float8, household % 3 > 0, round(mod(amount, 1000), 2))" ],
	'check_book(moments)' => [ 'check_book', 'text', "check_book(member_text, order_id::text, household::text, at, part, amount, 'EUR')" ],
	'check_book(days, of few orders)' => [ 'check_book', 'text', "check_book(member::text, (order_id % 9)::text, member_text, (at AT TIME ZONE 'UTC')::date, id % 7, round(mod(amount, 1000), 2))" ]);
my %behaviour_reports = (
	retention_book => [ 'member_count(book)', 'net_outside(book)', 'stickiness', 'cohort_retention', 'lifecycle_counts' ],
	funnel_book => [ 'member_count(book)', 'funnel_members', 'funnel_steps', "funnel_steps(book, 'clickhouse')", "funnel_steps(book, 'strict_order, strict_increase')",
		"funnel_steps(book, exclusions => '{2}', step_within => '{5 days}')", "funnel_conversions(book, step_gap => '{1 hour}', optional_steps => '{2}')", "funnel_steps(book, 'any_order')" ],
	session_book => [ 'member_count(book)', 'sessions', "session_members(book, '3 days')" ],
	interaction_book => [ 'member_count(book)', 'interaction_stages', "interaction_transitions(book, '2025-06-01')" ],
	contact_book => [ 'member_count(book)', 'contact_priors', "contact_fatigue(book, span => '90 days')" ],
	campaign_book => [ 'rows_skipped(book)' ],
	preference_book => [ 'member_count(book)', 'rows_skipped(book)' ],
	basket_book => [ 'basket_count(book)', 'item_count(book)', 'rows_skipped(book)', 'baskets_over(book, 5)' ],
	audience_book => [ 'member_count(book)', 'rows_skipped(book)', "audience_overlaps(book, '{a,b,c}')" ],
	check_book => [ 'order_checks' ]);
# Series of one member.
my %series_of = (
	activity => "activity(at, 'day', 'America/New_York')",
	funnel => "funnel('10 days', at, $steps)",
	spend => 'spend(at, amount)',
	points => 'points(at, amount)',
	campaign => 'campaign(household % 3 > 0, round(mod(amount, 1000), 2), order_id)');
for my $type (sort keys %series_of)
{
	$whole{"$type, all in one"} = "SELECT md5(${type}_summary_send($series_of{$type})) FROM %s";
	$whole{"$type, by part"} = "SELECT md5(string_agg(concat_ws(' ', part, ${type}_summary_send(s)), ',' ORDER BY part)) FROM (SELECT part, $series_of{$type} AS s FROM %s GROUP BY part) s";
}
$whole{'contact_trail, by part'} = "SELECT md5(string_agg(concat_ws(' ', part, contact_trail_send(s)), ',' ORDER BY part)) FROM (SELECT part, contact_trail('channel ' || id % 7, $said, at) AS s FROM %s GROUP BY part) s";
$whole{'interaction_stage, by part'} = "SELECT md5(string_agg(concat_ws(' ', part, stage), ',' ORDER BY part)) FROM (SELECT part, interaction_stage($kind, at, '2026-01-01', '60 days', 150 + part::int, 0.3) AS stage FROM %s GROUP BY part) s";

for my $name (sort keys %canonical_of)
{
	my ($type, $item, $prices) = @{ $canonical_of{$name} };
	my $report = sub { return "(SELECT md5(string_agg(r::text, ',')) FROM $_[0] r)" };
	my @reports = $behaviour_reports{$type} ? map { /^(?:member_count|net_outside|rows_skipped)/ ? $_ : $report->(/\(/ ? $_ : "$_(book)") } grep { $name !~ /times/ || /^member_count/ }
		map { s/^funnel_members$/funnel_members(NULL::$item, book)/r } @{ $behaviour_reports{$type} }
	  : $type eq 'pricebook_summary'
	  ? ("cell_count(book), rows_skipped(book, 'null'), rows_skipped(book, 'price'), rows_skipped(book, 'quantity')",
		map { $report->($_) } "price_gaps(book, 'group 1')", "price_gap_items(NULL::$item, book, 'group 2', 0.2, 0, 1)", "price_gap_mix(book, 'group 0')", "fair_prices(NULL::$item, book, 'group 3')")
	  : ($report->('price_slopes(book)'), $report->('price_slopes(book, 0.2)'));
	$whole{$name} = "SELECT concat_ws(' ', md5(${type}_send(book)), " . ($type eq 'check_book' ? '' : 'rows_skipped(book), ') . join(', ', @reports) . ") FROM (SELECT $prices FROM %s OFFSET 0) b (book)";
}
$whole{'pricebook, by part'} = "SELECT md5(string_agg(concat_ws(' ', part, pricebook_summary_send(book), price_slope_summary_send(slope)), ',' ORDER BY part))
	FROM (SELECT part, $canonical_of{'pricebook(text)'}[2] AS book, $canonical_of{'price_slope(bigint)'}[2] AS slope FROM %s GROUP BY 1) s";

my %parts = (
	'rollup(pricebook)' => q{SELECT md5(string_agg(concat_ws(' ', n, pricebook_summary_send(book), price_slope_summary_send(slope)), ',' ORDER BY n))
		FROM (SELECT month % 3 AS n, rollup(book) AS book, rollup(slope) AS slope FROM month GROUP BY 1) s},
	'rollup(pricebook), all in one' => 'SELECT md5(pricebook_summary_send(rollup(book)) || price_slope_summary_send(rollup(slope))) FROM month',
	'rollup(rfm)' => q{SELECT md5(string_agg(concat_ws(' ', month, rfm_summary_send(rfm)), ',' ORDER BY month))
		FROM (SELECT month, rollup(rfm) AS rfm FROM value GROUP BY month) s},
	'rollup(rfm), all in one' => 'SELECT rfm_summary_send(rollup(rfm)) FROM value',
	'rollup(tagbloom) of exact sets' => q{SELECT md5(string_agg(concat_ws(' ', month, tagbloom_send(tags)), ',' ORDER BY month))
		FROM (SELECT month, rollup(tags) AS tags FROM value GROUP BY month) s},
	'rollup(tagbloom)' => q{SELECT md5(string_agg(concat_ws(' ', d, tagbloom_send(tags)), ',' ORDER BY d))
		FROM (SELECT part AS d, rollup(tags) AS tags FROM one GROUP BY part) s},
	'rollup(tagbloom), all in one' => 'SELECT md5(tagbloom_send(rollup(tags))) FROM one',
	'rollup(activity), rollup(funnel), rollup(spend), rollup(points)' => q{SELECT md5(string_agg(concat_ws(' ', member, a, f, s, p), ',' ORDER BY member))
		FROM (SELECT member, activity_summary_send(rollup(activity)) AS a, funnel_summary_send(rollup(funnel)) AS f, spend_summary_send(rollup(spend)) AS s, points_summary_send(rollup(points)) AS p FROM value GROUP BY member) x},
	'retention_book(bigint, activity)' => q{SELECT md5(retention_book_send(retention_book(member, activity))) FROM value},
	'funnel_book(bigint, funnel)' => q{SELECT md5(funnel_book_send(funnel_book(member, funnel))) FROM value},
	'rollup(retention_book)' => q{SELECT md5(retention_book_send(rollup(members)) || funnel_book_send(rollup(funnels)) || interaction_book_send(rollup(interactions))) FROM month},
	'clv_fit(columns)' => q{SELECT string_agg(clv_model_send(clv_fit)::text, ',' ORDER BY part) FROM (SELECT part % 3 AS part, clv_fit(part % 5 + 1, 10 * part + 1, 10 * part + 1 + part % 20, monetary(rfm), 'mbg/nbd') FROM one GROUP BY part % 3) s},
	'rfm_cuts(rfm)' => 'SELECT rfm_cuts_send(rfm_cuts(rfm)) FROM one',
	'rfm_cuts(rfm, bins)' => 'SELECT rfm_cuts_send(rfm_cuts(rfm, 12)) FROM one',
	'rfm_cuts_per_order(rfm)' => 'SELECT rfm_cuts_send(rfm_cuts_per_order(rfm)) FROM one',
	'rfm_cuts_per_order(rfm, bins)' => 'SELECT rfm_cuts_send(rfm_cuts_per_order(rfm, 12)) FROM one',
	'tier_cuts' => 'SELECT tier_cuts(monetary(rfm)::float8, ARRAY[0.05, 0.1, 0.3]) FROM one');

# Books are kept in a table, made without parallel workers: what follows is
# compared with them.
$node->safe_psql('postgres',
	"CREATE TABLE kept (name text PRIMARY KEY, book rfm_book);\n"
	  . join '', map { "INSERT INTO kept SELECT '$_', (" . sprintf($book_of{$_}[1], 'sale') . ");\n" } sort keys %book_of);

$node->safe_psql('postgres', qq{
	CREATE TABLE month AS SELECT extract(month FROM at)::int AS month, $canonical_of{'pricebook(text, periods)'}[2] AS book, $canonical_of{'price_slope(text)'}[2] AS slope, $canonical_of{'retention_book(uuid, amounts)'}[2] AS members,
			$canonical_of{'funnel_book(bigint)'}[2] AS funnels, $canonical_of{'interaction_book(text)'}[2] AS interactions FROM sale GROUP BY 1, part;
	ALTER TABLE month SET (parallel_workers = 4);
	ANALYZE month});
my %query = (%parts, map { ($_ => sprintf($whole{$_}, 'sale')) } keys %whole);
my %expected;
for my $name (sort keys %query)
{
	is(workers_planned($query{$name}), 0, "$name: no workers at first");
	$expected{$name} = query($query{$name});
	isnt($expected{$name}, '', "$name has an answer");
}

# What they are is known from elsewhere: arrays of the same tags.
is( query(
		q{SELECT count(*), count(*) FILTER (WHERE is_exact(tags)) > 30, count(*) FILTER (WHERE NOT is_exact(tags)) > 30,
		         count(*) FILTER (WHERE tags = tags(VARIADIC array_agg) AND tags ?& array_agg)
		    FROM (SELECT household, tag_agg(tag) AS tags, array_agg(tag) FROM sale GROUP BY household) s WHERE tags IS NOT NULL}),
	query('SELECT count(DISTINCT coalesce(household, -1)), true, true, count(DISTINCT coalesce(household, -1)) FROM sale WHERE tag IS NOT NULL'), 'tag_agg() is tags() of an array');
is( query(
		q{SELECT count(*) > 10, bool_and(tags = tags(VARIADIC array_agg)), bool_and(NOT is_exact(tags)), bool_and(all_exact)
		    FROM (SELECT month, rollup(tags) AS tags, bool_and(is_exact(tags)) AS all_exact FROM value GROUP BY month) s
		    JOIN (SELECT date_trunc('month', at) AS month, array_agg(tag) FROM sale WHERE id % 9 < 2 AND at IS NOT NULL AND amount IS NOT NULL GROUP BY 1) a USING (month)}),
	't|t|t|t', 'rollup() of exact sets is, too');
is( query(
		q{SELECT count(DISTINCT length(tagbloom_send(tags))) FILTER (WHERE NOT is_exact(tags)) > 3, count(*) FILTER (WHERE is_exact(tags)) > 100 FROM one}),
	't|t', 'there are filters of several sizes and exact sets to be rolled up');
is( query(
		q{SELECT bool_and(all_of ? tag) FROM sale, (SELECT rollup(tags) AS all_of FROM one) x WHERE tag IS NOT NULL}), 't', 'and nothing is lost');

# And plain SQL on the same prices, its medians made of arrays; skipped are NULLs
# first, then prices, then quantities.
my $lines = "SELECT household AS item, $period AS period, $price_group AS member_group, amount AS price, $quantity AS quantity FROM sale";
my $sold = "SELECT * FROM ($lines) l WHERE price > 0 AND quantity > 0 AND num_nulls(item, period, member_group) = 0";
my $fair = "SELECT item, period, count, (list[(count + 1) / 2] + list[count / 2 + 1]) * 0.5 AS price FROM
	(SELECT item, period, array_agg(price ORDER BY price) AS list, count(*)::int FROM ($sold) s WHERE member_group = 'group 1' GROUP BY 1, 2) a";
is( query(
		"SELECT cell_count(book), rows_skipped(book, 'null'), rows_skipped(book, 'price'), rows_skipped(book, 'quantity') FROM (SELECT $canonical_of{'pricebook(bigint, periods)'}[2] FROM sale) b (book)"),
	query("SELECT (SELECT count(DISTINCT (item, period)) FROM ($sold) s), count(*) FILTER (WHERE nulls > 0), count(*) FILTER (WHERE nulls = 0 AND price <= 0),
			count(*) FILTER (WHERE nulls = 0 AND price > 0 AND quantity <= 0) FROM (SELECT *, num_nulls(item, period, member_group, price, quantity) AS nulls FROM ($lines) l) n"),
	'rows are counted as by plain SQL');
is( query("SELECT item, period, trim_scale(fair_price), rows FROM fair_prices(NULL::bigint, (SELECT $canonical_of{'pricebook(bigint, periods)'}[2] FROM sale), 'group 1') ORDER BY 1, 2"),
	query("SELECT item, period, trim_scale(price), count FROM ($fair) f ORDER BY 1, 2"), 'fair prices are medians');
is( query("SELECT member_group, items, cells, rows, reference_rows, trim_scale(overcharge), trim_scale(overcharge_net)
		FROM price_gaps((SELECT $canonical_of{'pricebook(bigint, periods)'}[2] FROM sale), 'group 1') ORDER BY member_group COLLATE \"C\""),
	query("SELECT member_group, count(DISTINCT item), count(*), sum(n), sum(count), trim_scale(sum(over)), trim_scale(sum(net))
		FROM (SELECT member_group, s.item, period, f.count, count(*) AS n, sum(greatest(0, s.price - f.price) * quantity) AS over, sum((s.price - f.price) * quantity) AS net
		        FROM ($sold) s JOIN ($fair) f USING (item, period) WHERE member_group <> 'group 1' GROUP BY 1, 2, 3, 4) c GROUP BY 1 ORDER BY member_group COLLATE \"C\""),
	'overcharges are those of plain SQL');

# All queries under one kind of circumstances, in one session.
sub all_the_same
{
	my ($circumstance, $queries, @settings) = @_;
	my @names = sort keys %$queries;
	my @answers = split /\n/, query(join('', map { "$queries->{$_};\n" } @names), @settings);
	is_deeply(
		[ map { "$names[$_]: " . ($answers[$_] // 'none') } 0 .. $#names ],
		[ map { "$_: $expected{$_}" } @names ],
		"$circumstance: the same answers");
	return;
}

# Any number of workers.
for my $workers (1 .. 4)
{
	my @settings = ("max_parallel_workers_per_gather = $workers");
	my @not = grep { workers_planned($query{$_}, @settings) != $workers } sort keys %query;
	is_deeply(\@not, [], "$workers workers: every query has a partial aggregate below them");
	all_the_same("$workers workers", \%query, @settings);
}
{
	my @launched = map { $_->{'Workers Launched'} // () }
	  plan_nodes($query{'rfm_book(bigint)'}, ', ANALYZE', 'max_parallel_workers_per_gather = 4');
	is_deeply(\@launched, [4], 'the workers really run');
}
all_the_same('4 workers without the leader',
	\%query, 'max_parallel_workers_per_gather = 4', 'parallel_leader_participation = off');
all_the_same('2 workers, sorted groups',
	\%query, 'max_parallel_workers_per_gather = 2', 'enable_hashagg = off');
for my $workers (0, 2)
{
	# The whole plan, or the plan above the aggregates too, in a worker.
	all_the_same("$force, $workers workers", \%query, "$force = on", "max_parallel_workers_per_gather = $workers");
}

# Workers that get no row, or rows that are all skipped.
for my $condition ('true', 'false', 'id < 0 OR at IS NULL')
{
	for my $query ('SELECT rfm(at, amount) FROM %s', 'SELECT row(tag_agg(tag), tag_agg(tag, 50), rollup(tags(tag))) FROM %s',
		'SELECT row(rows_skipped(b), member_count(b)) FROM (SELECT rfm_book(member, at, amount) FROM %s) s (b)',
		"SELECT row(rows_skipped(b), cell_count(b), md5(pricebook_summary_send(b))) FROM (SELECT pricebook(member, 'g', amount) FROM %s) s (b)",
		'SELECT row(rows_skipped(b), md5(price_slope_summary_send(b))) FROM (SELECT price_slope(member_text, at::date, 1, amount) FROM %s) s (b)',
		"SELECT row(a, f, s, p) FROM (SELECT activity(at, 'week', 'UTC'), funnel('1 day', at, true), spend(at, amount), points(at, amount) FROM %s) s (a, f, s, p)",
		"SELECT row(rows_skipped(b), md5(retention_book_send(b)), md5(funnel_book_send(f)), md5(interaction_book_send(i))) FROM (SELECT retention_book(member, at, amount, 'week', 'UTC'), funnel_book(member_text, '1 day', at, true), interaction_book(member_uuid, 'own', at) FROM %s) s (b, f, i)",
		'SELECT row(rows_skipped(b), member_count(b)) FROM (SELECT rfm_book(member_text, order_text, at, amount) FROM %s) s (b)')
	{
		my $sql = sprintf $query, "few WHERE $condition";
		my @settings = ('max_parallel_workers_per_gather = 4', 'parallel_leader_participation = off');
		is(query($sql, @settings), query($sql), "workers without rows: $sql");
	}
}

# Groups that spill to disk.
{
	my @settings = ("work_mem = '64kB'", 'hash_mem_multiplier = 1', 'enable_sort = off');
	# From 16 on, string_agg(... ORDER BY ...) would have the groups sorted.
	push @settings, 'enable_presorted_aggregate = off' if $release >= 16;
	my $many = q{SELECT md5(string_agg(concat_ws(' ', member, order_id, rfm_summary_send(rfm), rfm_book_send(book), tagbloom_send(tags), tagbloom_send(rolled), pricebook_summary_send(prices), price_slope_summary_send(slope)), ',' ORDER BY member, order_id))
		FROM (SELECT member, order_id, rfm(at, amount), rfm_book(member, at, amount ORDER BY id) AS book, tag_agg(tag) AS tags, rollup(tags(tag, member_text)) AS rolled,
		         pricebook(household, 'g' || part, amount) AS prices, price_slope(member_text, at::date, id / 10.0, amount) AS slope FROM sale GROUP BY member, order_id) s};
	my $spilling = $many =~ s/ ORDER BY id//r;
	my ($spilled) = grep { ($_->{'HashAgg Batches'} // 0) > 1 } plan_nodes($spilling, ', ANALYZE', @settings);
	ok($spilled, 'with little memory, groups spill to disk');
	is(query($spilling, @settings), query($many), 'and have the same values');
	all_the_same('little memory', \%query, @settings);
	all_the_same('little memory, 3 workers', \%query, @settings, 'max_parallel_workers_per_gather = 3');
}

# Compiled expressions.
SKIP:
{
	skip 'this server has no just-in-time compiler', 2 if query('SELECT pg_jit_available()', 'jit = on') ne 't';
	my @settings = ('jit = on', 'jit_above_cost = 0', 'jit_inline_above_cost = 0', 'jit_optimize_above_cost = 0');
	my %some = map { $_ => $query{$_} } 'rfm, by member', 'rollup(rfm)', 'rfm_book(bigint)', 'rfm_book(text, text)', 'tier_cuts',
	  'tag_agg, by household', 'tag_agg(text, integer)', 'rollup(tagbloom)', 'pricebook(text, periods)', 'pricebook, by part', 'price_slope(bigint)', 'rollup(pricebook)';
	all_the_same('jit', \%some, @settings);
	all_the_same('jit, 2 workers', \%some, @settings, 'max_parallel_workers_per_gather = 2');
}

# Any order of the rows.
for my $order ('id', 'at DESC, amount', 'amount DESC NULLS LAST, id', 'member, id DESC')
{
	my %ordered = map { $_ => sprintf $whole{$_}, "(TABLE sale ORDER BY $order) s" } keys %whole;
	all_the_same("rows ordered by $order", \%ordered);
}
{
	my %shuffled = %parts;
	for my $sql (values %shuffled)
	{
		$sql =~ s/FROM month\b/FROM (TABLE month ORDER BY pricebook_summary_send(book)) s/
		  or $sql =~ s/FROM value\b/FROM (TABLE value ORDER BY rfm_summary_send(rfm), month DESC, tags) s/
		  or $sql =~ s/FROM one\b/FROM (TABLE one ORDER BY rfm_summary_send(rfm)) s/
		  or die $sql;
	}
	all_the_same('parts ordered by their bytes', \%shuffled);
}

# Any split into parts, merged by rollup or by +, with or without storing.  The
# lines of an order come to lie in several parts; it still counts once.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE part (split text, part int, name text, book rfm_book);
	-- Takes the first two, puts their sum last, until one is left.
	CREATE FUNCTION sum_of(books rfm_book[]) RETURNS rfm_book LANGUAGE plpgsql AS $$
	BEGIN
	  WHILE cardinality(books) > 1 LOOP
	    books := books[3:] || (books[2] + books[1]);
	  END LOOP;
	  RETURN books[1];
	END $$;
});
my @canonical_types = qw(pricebook_summary price_slope_summary retention_book funnel_book interaction_book contact_book campaign_book audience_book basket_book preference_book check_book session_book);
$node->safe_psql('postgres', "CREATE TABLE part_$_ (split text, part int, name text, book $_);
	CREATE FUNCTION sum_of(books $_\[]) RETURNS $_ LANGUAGE plpgsql AS \$\$
	BEGIN
	  WHILE cardinality(books) > 1 LOOP
	    books := books[3:] || (books[2] + books[1]);
	  END LOOP;
	  RETURN books[1];
	END \$\$") for @canonical_types;
my %split = (
	'2 parts' => 'id % 2',
	'3 parts, one of them almost empty' => 'CASE WHEN id < 5 THEN 0 ELSE 1 + id % 2 END',
	'5 parts by day' => 'extract(day FROM at)::int % 5');
for my $split (sort keys %split)
{
	my (%stored, %direct, %backwards, %added, %nested, %text);
	for my $name (sort (keys %book_of, keys %canonical_of))
	{
		my ($type, undef, $book) = $canonical_of{$name} ? @{ $canonical_of{$name} } : ('rfm_book', undef, $book_of{$name}[1] =~ /^SELECT (.*) FROM/);
		my $table = $type eq 'rfm_book' ? 'part' : "part_$type";
		my $parts = "SELECT coalesce($split{$split}, -1), $book FROM sale GROUP BY 1";
		$node->safe_psql('postgres', "INSERT INTO $table SELECT '$split', part, '$name', book FROM ($parts) p (part, book)");
		my $compare = $whole{$name};
		my $from = "FROM $table WHERE split = '$split' AND name = '$name'";
		my $use = sub {
			my ($merged) = @_;
			my $query = $compare;
			$query =~ s/\(SELECT (?:rfm_book|pricebook|price_slope|retention_book(?:_since)?|funnel_book|interaction_book|contact_book|campaign_book|audience_book|basket_book|preference_book|check_book|session_book)\(.*? FROM %s OFFSET 0\)/($merged OFFSET 0)/ or die $query;
			return $query;
		};
		$stored{$name} = $use->("SELECT rollup(book) $from");
		$direct{$name} = $use->("SELECT rollup(book) FROM ($parts) p (part, book)");
		$backwards{$name} = $use->("SELECT rollup(book ORDER BY part DESC) FROM ($parts) p (part, book)");
		$text{$name} = $use->("SELECT rollup(book::text::$type) $from");
		$added{$name} = $use->("SELECT sum_of(array_agg(book ORDER BY part)) $from");
		# ((0 + 1) + 2) + ...: sums that are not stored in between
		my ($sum, @more) = map { "(SELECT book $from AND part = $_)" } split /\n/, query("SELECT part $from ORDER BY part");
		$sum = "($sum + $_)" for @more;
		$nested{$name} = $use->("SELECT $sum");
	}
	all_the_same("$split, stored, merged by rollup", \%stored);
	all_the_same("$split, stored, merged by rollup with 4 workers", \%stored, 'max_parallel_workers_per_gather = 4');
	all_the_same("$split, merged at once", \%direct);
	all_the_same("$split, merged at once, 2 workers", \%direct, 'max_parallel_workers_per_gather = 2');
	all_the_same("$split, merged from the last to the first", \%backwards);
	all_the_same("$split, by way of text", \%text);
	all_the_same("$split, merged by +", \%added);
	all_the_same("$split, merged by + at once", \%nested);

	my %values = (
		'rfm, by member' => qq{SELECT md5(string_agg(concat_ws(' ', member, rfm_summary_send(rfm)), ',' ORDER BY member))
			FROM (SELECT member, rollup(rfm) AS rfm FROM (SELECT member, rfm(at, amount) FROM sale GROUP BY member, $split{$split}) p GROUP BY member) s},
		'rfm, all in one' => "SELECT rfm_summary_send(rollup(rfm)) FROM (SELECT rfm(at, amount) FROM sale GROUP BY $split{$split}) p");
	all_the_same("$split, values merged by rollup", \%values);
	all_the_same("$split, values merged by rollup, 3 workers", \%values, 'max_parallel_workers_per_gather = 3');
}
is( query(
		q{SELECT count(*) FROM one a JOIN value v ON v.member = a.member, LATERAL
		  (SELECT rfm + v.rfm AS all_but_one FROM (SELECT rollup(rfm) AS rfm FROM value o WHERE o.member = v.member AND o.month <> v.month) o WHERE rfm IS NOT NULL) x
		 WHERE v.member < 200 AND (rfm_summary_send(all_but_one) <> rfm_summary_send(a.rfm) OR NOT all_but_one = a.rfm)}),
	0, 'values merged by +, any one of them last');
is( query(
		q{SELECT count(*) FROM part a JOIN part b USING (name, split), LATERAL (SELECT a.book + b.book AS ab, b.book + a.book AS ba) x
		 WHERE split = '3 parts, one of them almost empty' AND (NOT ab = ba OR ab <> ba OR rfm_book_cmp(ab, ba) <> 0 OR rfm_book_hash(ab) <> rfm_book_hash(ba))}),
	0, 'a + b = b + a, and they have one hash');
is(query(q{SELECT count(*) FROM (SELECT DISTINCT a.book + b.book FROM part a JOIN part b USING (name, split)
	        WHERE split = '2 parts' AND name = 'rfm_book(text, bigint)' AND a.part <> b.part) x}),
	query(q{SELECT count(DISTINCT least(a.part, b.part) || '+' || greatest(a.part, b.part)) FROM part a JOIN part b USING (name, split)
	        WHERE split = '2 parts' AND name = 'rfm_book(text, bigint)' AND a.part <> b.part}),
	'DISTINCT knows that');
for my $type (@canonical_types)
{
	is( query(
			qq{SELECT count(*) > 10, bool_and(ab = ba AND NOT ab <> ba AND ${type}_cmp(ab, ba) = 0 AND ${type}_hash(ab) = ${type}_hash(ba) AND ${type}_send(ab) = ${type}_send(ba)),
			          bool_and((a.book = b.book) = (a.part = b.part))
			     FROM part_$type a JOIN part_$type b USING (name, split), LATERAL (SELECT a.book + b.book AS ab, b.book + a.book AS ba) x}),
		't|t|t', "$type: a + b = b + a, to the last byte");
}

# As window functions: the state is read after each row and goes on.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE running AS
	SELECT id, at, amount, member,
	       rfm(at, amount) OVER (ORDER BY id) AS rfm,
	       rfm(at, amount) OVER (PARTITION BY member ORDER BY id) AS rfm_of_member,
	       rfm(at, amount) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING) AS rfm_near,
	       rfm(at, amount) OVER (ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING) AS rfm_never,
	       rfm(at, amount) FILTER (WHERE amount > 50) OVER (ORDER BY at RANGE BETWEEN '1 hour' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS rfm_hour,
	       tag, tag_agg(tag) OVER (ORDER BY id) AS tags,
	       tag_agg(tag, 100) OVER (ORDER BY id ROWS BETWEEN 50 PRECEDING AND 1 FOLLOWING) AS tags_near,
	       rollup(tags(tag, member_text)) OVER (PARTITION BY id % 3 ORDER BY id) AS tags_rolled,
	       household, part, order_id, pricebook(household, 'g' || part, amount) OVER (ORDER BY id) AS prices,
	       pricebook(member_text, at::date, 'g' || part, amount, part) OVER (ORDER BY id ROWS BETWEEN 7 PRECEDING AND 1 FOLLOWING) AS prices_near,
	       price_slope(household, at::date, order_id, amount) OVER (PARTITION BY part ORDER BY id) AS slope,
	       rfm_book(member, at, amount) OVER (ORDER BY id) AS book,
	       rfm_book(member_text, order_text, at, amount) OVER (ORDER BY id ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS book_near
	  FROM sale WHERE id <= 200;
});
is( query(
		q{SELECT count(*) FROM (
		  SELECT *, count(amount) FILTER (WHERE amount >= 0 AND at IS NOT NULL) OVER w AS n, sum(amount) FILTER (WHERE at IS NOT NULL) OVER w AS total,
		         count(amount) FILTER (WHERE amount >= 0 AND at IS NOT NULL) OVER m AS n_m, sum(amount) FILTER (WHERE at IS NOT NULL) OVER m AS total_m,
		         max(at) FILTER (WHERE amount >= 0) OVER m AS last_m,
		         count(amount) FILTER (WHERE amount < 0 AND at IS NOT NULL) OVER n AS refunds_n, sum(amount) FILTER (WHERE at IS NOT NULL) OVER n AS total_n,
		         count(amount) FILTER (WHERE amount > 50 AND at IS NOT NULL) OVER h AS n_h, sum(amount) FILTER (WHERE amount > 50 AND at IS NOT NULL) OVER h AS total_h
		    FROM running
		  WINDOW w AS (ORDER BY id), m AS (PARTITION BY member ORDER BY id), n AS (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING),
		         h AS (ORDER BY at RANGE BETWEEN '1 hour' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)) s
		 WHERE frequency(rfm) <> n OR monetary(rfm)::text <> total::text
		    OR coalesce(frequency(rfm_of_member), 0) <> n_m OR monetary(rfm_of_member)::text IS DISTINCT FROM total_m::text
		    OR last_order(rfm_of_member) IS DISTINCT FROM last_m
		    OR coalesce(refunds(rfm_near), 0) <> refunds_n OR monetary(rfm_near)::text IS DISTINCT FROM total_n::text
		    OR coalesce(frequency(rfm_hour), 0) <> n_h OR monetary(rfm_hour)::text IS DISTINCT FROM total_h::text
		    OR rfm_never IS NOT NULL}),
	0, 'rfm() OVER: each row has the summary of its frame');
is( query(
		q{SELECT count(*) FROM running r, LATERAL (SELECT count(DISTINCT member), sum(amount), rfm_book(member, at, amount) AS book
		    FROM running o WHERE o.id <= r.id AND member IS NOT NULL AND at IS NOT NULL AND amount IS NOT NULL) x
		 WHERE member_count(r.book) <> x.count
		    OR (SELECT sum(monetary) FROM rfm_members(r.book)) <> x.sum
		    OR (SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM rfm_members(r.book) m)
		       IS DISTINCT FROM (SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM rfm_members(x.book) m)}),
	0, 'rfm_book() OVER: each row has the book of its frame');
is( query(
		q{SELECT count(*) FROM running r, LATERAL (SELECT rfm_book(member_text, order_text, at, amount) AS book
		    FROM sale o WHERE o.id BETWEEN r.id - 5 AND r.id) x
		 WHERE NOT r.book_near = x.book OR rfm_book_hash(r.book_near) <> rfm_book_hash(x.book)}),
	0, 'rfm_book() OVER a moving frame');
is( query(
		q{SELECT count(*), bool_or(is_exact(tags)), bool_or(NOT is_exact(tags)),
		         bool_and(tags IS NOT DISTINCT FROM (SELECT tags(VARIADIC array_agg(t)) FROM unnest(so_far) t WHERE t IS NOT NULL)),
		         bool_and(tags_near IS NOT DISTINCT FROM (SELECT tag_agg(t, 100) FROM unnest(near) t)),
		         bool_and(tags_rolled = tags(VARIADIC rolled || rolled_text))
		    FROM (SELECT *, array_agg(tag) OVER (ORDER BY id) AS so_far, array_agg(tag) OVER (ORDER BY id ROWS BETWEEN 50 PRECEDING AND 1 FOLLOWING) AS near,
		                 array_agg(tag) OVER (PARTITION BY id % 3 ORDER BY id) AS rolled, array_agg(s.member_text) OVER (PARTITION BY id % 3 ORDER BY id) AS rolled_text
		            FROM running r JOIN (SELECT id, member_text FROM sale) s USING (id)) s}),
	'200|t|t|t|t|t', 'tag_agg() and rollup() OVER: each row has the tags of its frame');
is( query(
		q{SELECT count(*), bool_and(r.prices = x.prices AND pricebook_summary_send(r.prices) = pricebook_summary_send(x.prices)), bool_and(pricebook_summary_send(r.prices_near) = pricebook_summary_send(x.prices_near)),
		         bool_and(price_slope_summary_send(r.slope) = price_slope_summary_send(x.slope)), bool_and(cells = cell_count(r.prices)), count(DISTINCT r.prices) > 100
		    FROM running r, LATERAL (SELECT pricebook(household, 'g' || part, amount) FILTER (WHERE o.id <= r.id) AS prices,
		                                    count(DISTINCT household) FILTER (WHERE o.id <= r.id AND amount > 0) AS cells,
		                                    pricebook(member_text, at::date, 'g' || part, amount, part) FILTER (WHERE o.id BETWEEN r.id - 7 AND r.id + 1) AS prices_near,
		                                    price_slope(household, at::date, order_id, amount) FILTER (WHERE o.id <= r.id AND o.part = r.part) AS slope
		                               FROM sale o WHERE o.id <= 200) x}),
	'200|t|t|t|t|t', 'pricebook() and price_slope() OVER: each row has those of its frame');
# The same frames with the values used at once rather than stored.
is( query(
		q{SELECT count(*) FROM (SELECT id, rfm_summary_send(rfm(at, amount) OVER (ORDER BY id)) AS bytes, member_count(rfm_book(member, at, amount) OVER (ORDER BY id)) AS members,
		         cell_count(pricebook(household, 'g' || part, amount) OVER (ORDER BY id)) AS cells, price_slope_summary_send(price_slope(household, at::date, order_id, amount) OVER (PARTITION BY part ORDER BY id)) AS slopes
		    FROM sale WHERE id <= 200) x JOIN running r USING (id)
		 WHERE bytes <> rfm_summary_send(rfm) OR members <> member_count(book) OR cells <> cell_count(prices) OR slopes <> price_slope_summary_send(slope)}),
	0, 'the same when the value is used at once');

# A sort takes books into its tuples, in memory in which nothing can be given back (from 17 on).
for my $name (sort (keys %book_of, keys %canonical_of))
{
	my ($type, undef, $book) = $canonical_of{$name} ? @{ $canonical_of{$name} } : ('rfm_book', undef, $book_of{$name}[1] =~ /^SELECT (.*) FROM/);
	my $sorted = "SELECT part, $book AS book FROM sale GROUP BY part ORDER BY count(*) DESC, part";
	ok(scalar(grep { $_->{'Node Type'} eq 'Sort' && grep { /count/ } @{ $_->{'Sort Key'} } } plan_nodes($sorted)), "$name: a sort of books");
	is( (query("SELECT count(*), bool_and(s.book = (SELECT $book FROM sale WHERE part = s.part)) FROM ($sorted OFFSET 0) s") || 'an error'), '11|t', "$name: and they are what they were");
}

# DISTINCT, ORDER BY and FILTER inside; grouping sets; aggregates that share a state.
is( query(
		q{SELECT rfm_summary_send(rfm(DISTINCT at, amount)) = (SELECT rfm_summary_send(rfm(at, amount)) FROM (SELECT DISTINCT at, amount FROM sale) s),
		         rfm_book(DISTINCT member, order_id, at, amount) = (SELECT rfm_book(member, order_id, at, amount) FROM (SELECT DISTINCT member, order_id, at, amount FROM sale) s),
		         rfm_summary_send(rfm(at, amount ORDER BY amount DESC)) = rfm_summary_send(rfm(at, amount)),
		         rfm_book(member_text, at, amount ORDER BY member_text DESC) = rfm_book(member_text, at, amount),
		         rfm_summary_send(rfm(at, amount) FILTER (WHERE amount > 10)) = (SELECT rfm_summary_send(rfm(at, amount)) FROM sale WHERE amount > 10),
		         rfm_book(member_uuid, at, amount) FILTER (WHERE amount > 10) = (SELECT rfm_book(member_uuid, at, amount) FROM sale WHERE amount > 10),
		         rfm(at, amount) FILTER (WHERE false) IS NULL,
		         tag_agg(DISTINCT tag) = tag_agg(tag),
		         tag_agg(tag ORDER BY tag DESC) = tag_agg(tag ORDER BY amount),
		         tag_agg(tag) FILTER (WHERE amount > 10) = (SELECT tags(VARIADIC array_agg(tag)) FROM sale WHERE amount > 10),
		         rollup(DISTINCT tags(tag)) = rollup(tags(tag)),
		         tag_agg(tag) FILTER (WHERE false) IS NULL,
		         pricebook(DISTINCT household, tag, amount) = (SELECT pricebook(household, tag, amount) FROM (SELECT DISTINCT household, tag, amount FROM sale) s),
		         pricebook_summary_send(pricebook(member_text, at::date, tag, amount, part ORDER BY amount DESC)) = pricebook_summary_send(pricebook(member_text, at::date, tag, amount, part)),
		         pricebook(household, tag, amount) FILTER (WHERE id > 5000) = (SELECT pricebook(household, tag, amount) FROM sale WHERE id > 5000),
		         price_slope_summary_send(price_slope(household, at::date, id, amount ORDER BY id)) = price_slope_summary_send(price_slope(household, at::date, id, amount)),
		         pricebook(household, tag, amount) FILTER (WHERE false) IS NULL
		    FROM sale}),
	't|t|t|t|t|t|t|t|t|t|t|t|t|t|t|t|t', 'DISTINCT, ORDER BY and FILTER');
for my $settings ([], ['enable_hashagg = off'], [ "work_mem = '64kB'", 'enable_sort = off' ], ['max_parallel_workers_per_gather = 3'])
{
	is( query(
			q{WITH g AS (SELECT member, month, rollup(rfm) AS rfm, grouping(member, month) AS level FROM value GROUP BY GROUPING SETS ((member, month), (member), (month), ()))
			SELECT (SELECT count(*) FROM g WHERE level = 0), (SELECT count(*) FROM g JOIN value v USING (member, month) WHERE level = 0 AND rfm_summary_send(g.rfm) <> rfm_summary_send(v.rfm)),
			       (SELECT count(*) FROM g JOIN one o USING (member) WHERE level = 1 AND rfm_summary_send(g.rfm) <> rfm_summary_send(o.rfm)),
			       (SELECT rfm_summary_send(rfm) = (SELECT rfm_summary_send(rollup(rfm)) FROM value) FROM g WHERE level = 3),
			       (SELECT rfm_summary_send(rollup(rfm)) = (SELECT rfm_summary_send(rollup(rfm)) FROM value) FROM g WHERE level = 2)}, @$settings),
		query('SELECT count(*) FROM value') . '|0|0|t|t', "GROUPING SETS @$settings");
}
for my $settings ([], ['enable_hashagg = off'], [ "work_mem = '64kB'", 'enable_sort = off' ], ['max_parallel_workers_per_gather = 3'])
{
	is( query(
			q{WITH g AS (SELECT member, order_id % 4 AS quarter, tag_agg(tag) AS tags, grouping(member, order_id % 4) AS level, array_agg(tag) AS list
			     FROM sale GROUP BY GROUPING SETS ((member, order_id % 4), (member), (order_id % 4), ()))
			SELECT level, count(*) > 0, bool_and(tags IS NOT DISTINCT FROM CASE WHEN array_remove(list, NULL) <> '{}' THEN tags(VARIADIC list) END) FROM g GROUP BY level ORDER BY 1}, @$settings),
		"0|t|t\n1|t|t\n2|t|t\n3|t|t", "tag_agg() of GROUPING SETS @$settings");
}
for my $settings ([], ['enable_hashagg = off'], [ "work_mem = '64kB'", 'enable_sort = off' ], ['max_parallel_workers_per_gather = 3'])
{
	is( query(
			q{WITH g AS (SELECT household, order_id % 4 AS quarter, pricebook(part, 'g' || id % 3, amount) AS book, price_slope(part, at::date, id, amount) AS slope,
			                    grouping(household, order_id % 4) AS level FROM sale WHERE num_nulls(household, order_id) = 0 GROUP BY GROUPING SETS ((household, order_id % 4), (household), (order_id % 4), ()))
			SELECT g.level, count(*), bool_and(g.book = x.book AND g.slope = x.slope)
			  FROM (SELECT level, rollup(book) AS book, rollup(slope) AS slope FROM g GROUP BY level) x, g WHERE g.level = 3 GROUP BY 1
			UNION ALL SELECT level, count(*), true FROM g WHERE level < 3 GROUP BY 1 ORDER BY 1}, @$settings),
		query(q{SELECT 0, count(DISTINCT (household, order_id % 4)), true FROM sale WHERE num_nulls(household, order_id) = 0 UNION ALL
			SELECT 1, count(DISTINCT household), true FROM sale WHERE order_id IS NOT NULL UNION ALL SELECT 2, 4, true UNION ALL SELECT 3, 4, true}),
		"pricebook() and price_slope() of GROUPING SETS @$settings");
}
$node->safe_psql(
	'postgres', q{
	CREATE AGGREGATE my_tags(text) (SFUNC = tag_agg_step, STYPE = bytea, FINALFUNC = tag_agg_final, COMBINEFUNC = tag_agg_combine, PARALLEL = SAFE);
	CREATE AGGREGATE my_cells(bigint, text, numeric) (SFUNC = pricebook_step_bigint, STYPE = pricebook_summary, FINALFUNC = cell_count, COMBINEFUNC = pricebook_summary_combine, PARALLEL = SAFE);
	CREATE AGGREGATE my_orders(timestamptz, numeric) (SFUNC = rfm_step, STYPE = rfm_summary, FINALFUNC = frequency, COMBINEFUNC = rfm_summary_combine, PARALLEL = SAFE);
	CREATE AGGREGATE my_total(timestamptz, numeric) (SFUNC = rfm_step, STYPE = rfm_summary, FINALFUNC = monetary, COMBINEFUNC = rfm_summary_combine, PARALLEL = SAFE);
	CREATE AGGREGATE my_members(bigint, timestamptz, numeric) (SFUNC = rfm_book_step_bigint, STYPE = rfm_book, FINALFUNC = member_count, COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE);
	CREATE AGGREGATE my_skipped(bigint, timestamptz, numeric) (SFUNC = rfm_book_step_bigint, STYPE = rfm_book, FINALFUNC = rows_skipped, COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE);
});
my $shared = q{SELECT my_orders(at, amount), rfm(at, amount), my_total(at, amount), frequency(rfm(at, amount)),
	my_members(member, at, amount), rfm_book(member, at, amount) = (SELECT book FROM kept WHERE name = 'rfm_book(bigint)'), my_skipped(member, at, amount),
	tag_agg(tag) = (SELECT tags(VARIADIC array_agg(tag)) FROM sale), my_tags(tag) = tag_agg(tag), my_cells(household, tag, amount), md5(pricebook_summary_send(pricebook(household, tag, amount))) FROM sale};
my $apart = q{SELECT (SELECT frequency(rfm(at, amount)) FROM sale), (SELECT rfm(at, amount) FROM sale), (SELECT sum(amount) FROM sale WHERE at IS NOT NULL), (SELECT my_orders(at, amount) FROM sale),
	(SELECT count(DISTINCT member) FROM sale WHERE num_nulls(at, amount) = 0), true, (SELECT count(*) FROM sale WHERE num_nulls(member, at, amount) > 0), true, true,
	(SELECT count(DISTINCT household) FROM sale WHERE amount > 0 AND tag IS NOT NULL), (SELECT md5(pricebook_summary_send(pricebook(household, tag, amount))) FROM sale)};
is(query($shared), query($apart), 'aggregates with one state between them');
is(query($shared, 'max_parallel_workers_per_gather = 3'), query($apart), 'the same with workers');
is(query("SELECT string_agg(x::text, ',' ORDER BY member) FROM (SELECT member, my_total(at, amount) OVER w, rfm(at, amount) OVER w, my_orders(at, amount) OVER w, my_members(member, at, amount) OVER w FROM sale WHERE member BETWEEN 40 AND 60 WINDOW w AS (PARTITION BY member ORDER BY id)) x"),
	query("SELECT string_agg(x::text, ',' ORDER BY member) FROM (SELECT member, sum(amount) FILTER (WHERE at IS NOT NULL) OVER w, rfm(at, amount) OVER w, frequency(rfm(at, amount) OVER w), member_count(rfm_book(member, at, amount) OVER w) FROM sale WHERE member BETWEEN 40 AND 60 WINDOW w AS (PARTITION BY member ORDER BY id)) x"),
	'and in windows');

# Partitions, aggregated each for itself.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE by_member (LIKE sale) PARTITION BY HASH (member);
	CREATE TABLE by_time (LIKE sale) PARTITION BY RANGE (at);
	CREATE TABLE by_time_rest PARTITION OF by_time DEFAULT;
	SELECT format('CREATE TABLE by_member_%s PARTITION OF by_member FOR VALUES WITH (MODULUS 3, REMAINDER %s)', i, i) FROM generate_series(0, 2) i \gexec
	SELECT format('CREATE TABLE by_time_%s PARTITION OF by_time FOR VALUES FROM (%L) TO (%L)', i, timestamptz '2025-01-01' + i * interval '60 days', timestamptz '2025-01-01' + (i + 1) * interval '60 days')
	  FROM generate_series(0, 3) i \gexec
	INSERT INTO by_member TABLE sale;
	INSERT INTO by_time TABLE sale;
	ANALYZE by_member, by_time;
});
for my $table ('by_member', 'by_time')
{
	my @settings = ('enable_partitionwise_aggregate = on', 'enable_partitionwise_join = on');
	my %partitioned = map { $_ => sprintf $whole{$_}, $table } keys %whole;
	for my $name (sort keys %partitioned)
	{
		my $aggregates = grep { $_->{'Node Type'} eq 'Aggregate' } plan_nodes($partitioned{$name}, '', @settings);
		# Groups that are nearly as many as the rows are not worth it, nor are large states.
		next if $table eq 'by_time' && $name eq 'rfm, by member' || $name =~ /, by part$/;
		cmp_ok($aggregates, '>=', 4, "$table, $name: one aggregate in each partition");
	}
	all_the_same("$table, partition by partition", \%partitioned, @settings);
	all_the_same("$table, partition by partition, 3 workers", \%partitioned, @settings, 'max_parallel_workers_per_gather = 3');
}

# A materialized view that is refreshed while it can be read.
$node->safe_psql(
	'postgres', q{
	CREATE MATERIALIZED VIEW member AS SELECT * FROM rfm_members((SELECT rfm_book(member, at, amount) FROM sale));
	CREATE MATERIALIZED VIEW member_text AS SELECT * FROM rfm_members(NULL::text, (SELECT rfm_book(member_text, order_text, at, amount) FROM sale), bins => 10);
	CREATE MATERIALIZED VIEW member_value AS SELECT member, rfm(at, amount) FROM sale WHERE member IS NOT NULL GROUP BY member;
	CREATE MATERIALIZED VIEW day AS SELECT extract(month FROM at) AS month, rfm_book(member, at, amount) AS book, tag_agg(tag) AS tags FROM sale GROUP BY 1;
	CREATE MATERIALIZED VIEW member_tags AS SELECT member, tag_agg(tag) AS tags FROM sale WHERE member IS NOT NULL GROUP BY member;
	CREATE UNIQUE INDEX ON member_tags (member);
	CREATE UNIQUE INDEX ON member (member);
	CREATE UNIQUE INDEX ON member_text (member);
	CREATE UNIQUE INDEX ON member_value (member);
	CREATE UNIQUE INDEX ON day (month);
});
my $views = q{SELECT (SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM member m), (SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM member_text m),
	(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM member_value m), (SELECT rollup(book) = (SELECT rfm_book(member, at, amount) FROM sale) FROM day),
	(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM member_tags m), (SELECT md5(string_agg(tags::text, ',' ORDER BY month)) FROM day)};
my $fresh = q{SELECT (SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM rfm_members((SELECT rfm_book(member, at, amount) FROM sale)) m),
	(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM rfm_members(NULL::text, (SELECT rfm_book(member_text, order_text, at, amount) FROM sale), bins => 10) m),
	(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM (SELECT member, rfm(at, amount) FROM sale WHERE member IS NOT NULL GROUP BY member) m), true,
	(SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM (SELECT member, CASE WHEN array_remove(array_agg, NULL) <> '{}' THEN tags(VARIADIC array_agg) END
	   FROM (SELECT member, array_agg(tag) FROM sale WHERE member IS NOT NULL GROUP BY member) a) m),
	(SELECT md5(string_agg(tags(VARIADIC array_agg)::text, ',' ORDER BY month)) FROM (SELECT extract(month FROM at) AS month, array_agg(tag) FROM sale GROUP BY 1) a)};
my $refresh = join ' ', map { "REFRESH MATERIALIZED VIEW CONCURRENTLY $_;" } qw(member member_text member_value member_tags day);
query($refresh);
is(query($views), query($fresh), 'REFRESH MATERIALIZED VIEW CONCURRENTLY, nothing changed');
query(q{
	DELETE FROM sale WHERE id % 11 = 0;
	INSERT INTO sale SELECT id + 100000, member + 500, md5((member + 500)::text)::uuid, member_text || '+', order_id, order_text, at, amount * 2, tag || '!', part, household FROM sale WHERE id % 5 = 0});
query($refresh, 'max_parallel_workers_per_gather = 2');
is(query($views), query($fresh), 'REFRESH MATERIALIZED VIEW CONCURRENTLY after changes');

undef $session;
$node->stop;
done_testing();
