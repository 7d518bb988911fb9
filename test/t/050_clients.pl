# What comes out are plain types, which every client reads: BI tools know nothing
# of custmart's own.  Seen in the catalogs, and through ODBC as a user who may do
# nothing but read a table.
# One release is enough (test/run): drivers make no difference between releases.
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('clients');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE DATABASE shop;
	ALTER DATABASE shop SET timezone = 'UTC';
	CREATE ROLE analyst LOGIN});
$node->safe_psql(
	'shop', q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders AS
	SELECT i % 700 AS customer_id, md5((i % 700)::text)::uuid AS customer_uuid, 'Größe ' || i % 700 AS customer_name, 'o' || i / 2 AS order_id,
	       timestamptz '2026-01-01 00:00:00+00' + i * interval '1 hour 30 minutes' AS ordered_at, (i * 37 % 400 - 20)::numeric / 4 AS amount
	  FROM generate_series(1, 5000) i;
	CREATE TABLE profiles AS
	SELECT customer_id, tag_agg('Größe ' || amount) AS tags, array_agg(DISTINCT 'Größe ' || amount) AS list FROM orders
	 WHERE customer_id % 3 = 0 OR customer_id > 650 GROUP BY customer_id;
	UPDATE profiles SET tags = tags | (SELECT tag_agg(i::text) FROM generate_series(1, 50) i), list = list || (SELECT array_agg(i::text) FROM generate_series(1, 50) i)
	 WHERE customer_id % 10 = 0;
	-- Two of three groups pay the same, one more for four items; what "guest" buys nobody else does.
	CREATE TABLE lines AS
	SELECT i % 9 AS item, 'Größe ' || i % 9 AS item_name, date '2026-01-05' + 7 * (i / 500) AS week, member_group, joined,
	       CASE WHEN member_group = 'guest' THEN 100 + i % 9 ELSE i % 9 + i % 7 * 0.25 + 1 + CASE WHEN member_group = 'old' AND i % 9 < 4 THEN 0.75 ELSE 0 END END AS price,
	       1 + i % 4 AS quantity
	  FROM generate_series(1, 2000) i, LATERAL (SELECT (ARRAY['new', 'old', 'café'])[1 + i / 9 % 3] AS member_group, i % 11 / 4.0 AS joined) x
	UNION ALL SELECT 50, 'Größe 50', '2026-01-05', 'guest', NULL, 3, 1;
	GRANT SELECT ON orders, profiles, lines TO analyst;
});

# A query for every function that returns rows.  A new one needs its line here.
my $book = '(SELECT rfm_book(customer_id, ordered_at, amount) FROM orders)';
my $prices = '(SELECT pricebook(item, week, member_group, price, quantity) FROM lines)';
my $named_prices = '(SELECT pricebook(item_name, week, member_group, price, quantity) FROM lines)';
my $undated_prices = '(SELECT pricebook(item_name, member_group, price) FROM lines)';
my $members = "retention_book(customer_id, ordered_at, amount, 'week', 'Europe/Berlin')";
my ($days, $named_days) = map { "(SELECT retention_book($_, ordered_at, amount, 'day', 'UTC') FROM orders)" } 'customer_id', 'customer_name';
my $starts = '(SELECT retention_book(customer_name, ordered_at) FROM orders)';
my $checkouts = "funnel_book(%s, '100 days', ordered_at, amount < 0, amount > 72, amount BETWEEN 47 AND 60) FROM orders";
my $contacts = "interaction_book(%s, (ARRAY['obliged', 'induced', 'own'])[1 + right(order_id, 1)::int % 3], ordered_at) FROM orders";
my $messages = "contact_book(%s, (ARRAY['email', 'sms'])[1 + right(order_id, 1)::int % 2], (ARRAY['sent', 'clicked', 'sent'])[1 + right(order_id, 1)::int % 3], ordered_at) FROM orders";
my %query = (
	'cohort_retention(retention_book,timestamp with time zone)' => [ cohorts => "SELECT * FROM cohort_retention((SELECT $members FROM orders))", cohorts_later => "SELECT * FROM cohort_retention((SELECT $members FROM orders), timestamptz '2027-03-01')" ],
	'lifecycle_counts(retention_book,timestamp with time zone)' => [ lifecycle => "SELECT * FROM lifecycle_counts((SELECT $members FROM orders))" ],
	'stickiness(retention_book,timestamp with time zone,date,date)' => [ stickiness => "SELECT * FROM stickiness((SELECT $members FROM orders), since => '2026-02-01')" ],
	'day_retention(retention_book,timestamp with time zone,integer,integer[])' => [
		days => "SELECT * FROM day_retention($starts)",
		brackets => "SELECT * FROM day_retention((SELECT retention_book_since(customer_name, timestamptz '2025-12-31', ordered_at) FROM orders), bounds => '{1,8,31}')"
	],
	'revenue_growth(retention_book,timestamp with time zone)' => [ revenue => "SELECT * FROM revenue_growth((SELECT $members FROM orders))" ],
	'clv_members(retention_book,clv_model,interval,date,double precision,double precision)' => [ values => "SELECT * FROM clv_members($days, clv_fit($days, penalty => 1))" ],
	'clv_members(anyelement,retention_book,clv_model,interval,date,double precision,double precision)' => [ values_text => "SELECT * FROM clv_members(NULL::text, $named_days, clv_fit($named_days, penalty => 1))" ],
	'clv_summaries(retention_book,date)' => [ histories => "SELECT * FROM clv_summaries($days)" ],
	'clv_summaries(anyelement,retention_book,date)' => [ histories_text => "SELECT * FROM clv_summaries(NULL::text, $named_days, '2026-06-01')" ],
	'clv_parameters(clv_model)' => [ parameters => "SELECT * FROM clv_parameters(clv_fit($days, penalty => 1))" ],
	'clv_details(clv_model)' => [ model => "SELECT * FROM clv_details(clv_fit($days, penalty => 1))" ],
	'new_member_value(clv_model,interval,double precision,double precision)' => [ new_member => "SELECT * FROM new_member_value(clv_fit($days, penalty => 1))" ],
	'clv_check(retention_book,date,text,double precision)' => [ check => "SELECT * FROM clv_check($days, '2026-06-01', penalty => 1)" ],
	'clv_check_deciles(retention_book,date,text,double precision)' => [ check_deciles => "SELECT * FROM clv_check_deciles($days, '2026-06-01', penalty => 1)" ],
	'clv_frequencies(retention_book,clv_model)' => [ repeats => "SELECT * FROM clv_frequencies($days, clv_fit($days, penalty => 1))" ],
	'clv_tracking(retention_book,clv_model)' => [ weeks => "SELECT * FROM clv_tracking($days, clv_fit($days, penalty => 1))" ],
	'funnel_steps(funnel_book,text,integer[],interval[],interval[],integer[])' => [ steps => 'SELECT * FROM funnel_steps((SELECT ' . sprintf($checkouts, 'customer_id') . '))' ],
	'funnel_conversions(funnel_book,timestamp with time zone,text,integer[],interval[],interval[],integer[])' => [ conversions => q{SELECT * FROM funnel_conversions((SELECT } . sprintf($checkouts, 'customer_id') . q{), exclusions => '{2}', step_within => '{50 days}')} ],
	'funnel_members(funnel_book,text,integer[],interval[],interval[],integer[])' => [ levels => 'SELECT * FROM funnel_members((SELECT ' . sprintf($checkouts, 'customer_id') . '))' ],
	'funnel_members(anyelement,funnel_book,text,integer[],interval[],interval[],integer[])' => [ levels_text => 'SELECT * FROM funnel_members(NULL::text, (SELECT ' . sprintf($checkouts, 'customer_name') . '))' ],
	'sessions(session_book,interval)' => [ sessions => "SELECT * FROM sessions((SELECT session_book(customer_id, ordered_at) FROM orders), '3 days')" ],
	'sessions(anyelement,session_book,interval)' => [ sessions_text => "SELECT * FROM sessions(NULL::text, (SELECT session_book(customer_name, ordered_at) FROM orders), '3 days')" ],
	'session_members(session_book,interval)' => [ session_members => "SELECT * FROM session_members((SELECT session_book(customer_id, ordered_at) FROM orders), '3 days')" ],
	'session_members(anyelement,session_book,interval)' => [ session_members_uuid => "SELECT * FROM session_members(NULL::uuid, (SELECT session_book(customer_uuid, ordered_at) FROM orders), '3 days')" ],
	'interaction_stages(interaction_book,timestamp with time zone,interval,integer,double precision)' => [ stages => 'SELECT * FROM interaction_stages((SELECT ' . sprintf($contacts, 'customer_id') . '))' ],
	'interaction_members(interaction_book,timestamp with time zone,interval,integer,double precision)' => [ stage_members => 'SELECT * FROM interaction_members((SELECT ' . sprintf($contacts, 'customer_id') . '))' ],
	'interaction_members(anyelement,interaction_book,timestamp with time zone,interval,integer,double precision)' => [ stage_members_uuid => 'SELECT * FROM interaction_members(NULL::uuid, (SELECT ' . sprintf($contacts, 'customer_uuid') . '))' ],
	'interaction_transitions(interaction_book,timestamp with time zone,timestamp with time zone,interval,integer,double precision)' => [ moves => q{SELECT * FROM interaction_transitions((SELECT } . sprintf($contacts, 'customer_id') . q{), '2026-06-01')} ],
	'tier_history(spend_summary,timestamp with time zone,numeric[],text[],interval,text,text,boolean,interval,numeric[],boolean,boolean)' => [ tiers => q{SELECT * FROM tier_history((SELECT spend(ordered_at, amount) FROM orders WHERE customer_id < 10), timestamptz '2027-06-01', '{600,550}', '{Größe,silver,rest}', '60 days', 'month')} ],
	'points_history(points_summary,timestamp with time zone,interval,text,text)' => [ account => q{SELECT * FROM points_history((SELECT points(ordered_at, amount) FROM orders WHERE customer_id < 10), timestamptz '2027-06-01', '60 days', 'month')} ],
	'points_lapses(points_summary,timestamp with time zone,interval,text,text)' => [ lapses => q{SELECT * FROM points_lapses((SELECT points(ordered_at, amount) FROM orders WHERE customer_id < 10))} ],
	(map { my ($type, $as_of) = @$_; ("cohort_retention(retention_book,$type)" => [ "cohorts_$type" => "SELECT * FROM cohort_retention((SELECT $members FROM orders), $as_of)" ],
			"revenue_growth(retention_book,$type)" => [ "revenue_$type" => "SELECT * FROM revenue_growth((SELECT $members FROM orders), $as_of)" ],
			"lifecycle_counts(retention_book,$type)" => [ "lifecycle_$type" => "SELECT * FROM lifecycle_counts((SELECT $members FROM orders), $as_of)" ],
			"stickiness(retention_book,$type,date,date)" => [ "stickiness_$type" => "SELECT * FROM stickiness((SELECT $members FROM orders), $as_of)" ],
			"tier_history(spend_summary,$type,numeric[],text[],interval,text,text,boolean,interval,numeric[],boolean,boolean)" => [ "tiers_$type" => "SELECT * FROM tier_history((SELECT spend(ordered_at, amount) FROM orders WHERE customer_id < 10), $as_of, '{600,550}', '{a,b,c}')" ],
			"points_history(points_summary,$type,interval,text,text)" => [ "account_$type" => "SELECT * FROM points_history((SELECT points(ordered_at, amount) FROM orders WHERE customer_id < 10), $as_of)" ],
			"points_lapses(points_summary,$type,interval,text,text)" => [ "lapses_$type" => "SELECT * FROM points_lapses((SELECT points(ordered_at, amount) FROM orders WHERE customer_id < 10), $as_of)" ])
		} [ text => "'2027-06-01'" ], [ date => "date '2027-06-01'" ], [ 'timestamp without time zone' => "timestamp '2027-06-01'" ]),
	'campaign_results(campaign_summary,double precision)' => [ campaign => 'SELECT * FROM campaign_results((SELECT campaign(customer_id % 3 > 0, amount, 1) FROM orders))' ],
	'campaign_groups(campaign_summary)' => [ campaign_sides => 'SELECT * FROM campaign_groups((SELECT campaign(customer_id % 3 > 0, amount) FROM orders))' ],
	'campaign_sample_ratios(campaign_summary,double precision)' => [ campaign_ratio => 'SELECT * FROM campaign_sample_ratios((SELECT campaign(customer_id % 3 > 0, amount) FROM orders), 0.7)' ],
	'campaign_segments(campaign_book,double precision)' => [ campaign_parts => 'SELECT * FROM campaign_segments((SELECT campaign_book(customer_name, customer_id % 3 > 0, amount) FROM orders))' ],
	'campaign_differences(campaign_book,double precision)' => [ campaign_spread => 'SELECT * FROM campaign_differences((SELECT campaign_book(customer_name, customer_id % 3 > 0, amount) FROM orders))' ],
	'campaign_offers(campaign_book,double precision,double precision,double precision,double precision,double precision)' => [ campaign_offer => 'SELECT * FROM campaign_offers((SELECT campaign_book(customer_name, customer_id % 3 > 0, amount) FROM orders), 8)' ],
	'order_checks(check_book,timestamp with time zone,text,text[])' => [ checks => 'SELECT * FROM order_checks((SELECT check_book(customer_name, order_id::text, NULL, ordered_at, 1, amount) FROM orders))' ],
	(map { my ($type, $as_of) = @$_; ("order_checks(check_book,$type,text,text[])" => [ "checks_$type" => "SELECT * FROM order_checks((SELECT check_book(customer_name, order_id::text, NULL, ordered_at, 1, amount) FROM orders), $as_of)" ]) }
		[ text => "'2027-06-01'" ], [ date => "date '2027-06-01'" ], [ 'timestamp without time zone' => "timestamp '2027-06-01'" ]),
	'uplift_curves(campaign_book)' => [ uplift => 'SELECT * FROM uplift_curves((SELECT campaign_book(customer_id / 4.0, customer_id % 3 > 0, amount) FROM orders))' ],
	'contact_pressures(contact_book,timestamp with time zone,interval,text[],double precision[])' => [ pressures => 'SELECT * FROM contact_pressures((SELECT ' . sprintf($messages, 'customer_id') . q{), channels => '{sms}', weights => '{3}')} ],
	'contact_pressures(anyelement,contact_book,timestamp with time zone,interval,text[],double precision[])' => [ pressures_text => 'SELECT * FROM contact_pressures(NULL::text, (SELECT ' . sprintf($messages, 'customer_name') . '))' ],
	'contact_engagements(contact_book,timestamp with time zone,interval,interval,text[],double precision)' => [ engagements => 'SELECT * FROM contact_engagements((SELECT ' . sprintf($messages, 'customer_id') . '), prior_weight => 5)' ],
	'contact_engagements(anyelement,contact_book,timestamp with time zone,interval,interval,text[],double precision)' => [ engagements_uuid => 'SELECT * FROM contact_engagements(NULL::uuid, (SELECT ' . sprintf($messages, 'customer_uuid') . '))' ],
	'contact_priors(contact_book,timestamp with time zone,interval,interval,text[],double precision)' => [ priors => 'SELECT * FROM contact_priors((SELECT ' . sprintf($messages, 'customer_id') . '))' ],
	'contact_allowances(contact_book,timestamp with time zone,interval,integer,integer,integer,interval,interval,text[],double precision)' => [ allowances => 'SELECT * FROM contact_allowances((SELECT ' . sprintf($messages, 'customer_id') . '))' ],
	'contact_allowances(anyelement,contact_book,timestamp with time zone,interval,integer,integer,integer,interval,interval,text[],double precision)' => [ allowances_text => 'SELECT * FROM contact_allowances(NULL::text, (SELECT ' . sprintf($messages, 'customer_name') . '), base_cap => 1)' ],
	'contact_fatigue(contact_book,timestamp with time zone,interval,interval,text[],integer,double precision,text)' => [ fatigue => 'SELECT * FROM contact_fatigue((SELECT ' . sprintf($messages, 'customer_id') . q{), span => '60 days')} ],
	'uplift_points(campaign_book)' => [ uplift_curve => 'SELECT * FROM uplift_points((SELECT campaign_book(customer_id / 4.0, customer_id % 3 > 0, amount) FROM orders))' ],
	'member_preferences(preference_book,integer,double precision)' => [ likes => 'SELECT * FROM member_preferences((SELECT preference_book(customer_id, customer_name, amount) FROM orders), 1)' ],
	'member_preferences(anyelement,preference_book,integer,double precision)' => [ likes_text => 'SELECT * FROM member_preferences(NULL::text, (SELECT preference_book(customer_name, customer_name, amount) FROM orders), 1)' ],
	'item_affinities(basket_book,integer,integer,integer,text)' => [ together => 'SELECT * FROM item_affinities((SELECT basket_book(customer_name, customer_id % 5) FROM orders), 1)' ],
	'item_affinities(anyelement,basket_book,integer,integer,integer,text)' => [ together_text => q{SELECT * FROM item_affinities(NULL::text, (SELECT basket_book(customer_id % 3, customer_name) FROM orders), 1, NULL, 3, 'lift')} ],
	'audience_overlaps(audience_book,text[])' => [ overlaps => q{SELECT * FROM audience_overlaps((SELECT audience_book(customer_id, amount, amount < 40, amount > 20) FROM orders), '{a,b}')} ],
	'audience_plan(audience_book,bigint[])' => [ audience_plan => q{SELECT * FROM audience_plan((SELECT audience_book(customer_id, amount, amount < 40, amount > 20) FROM orders), '{2,NULL}')} ],
	'audience_plan(anyelement,audience_book,bigint[])' => [ audience_plan_uuid => q{SELECT * FROM audience_plan(NULL::uuid, (SELECT audience_book(customer_uuid, amount, amount < 40) FROM orders))} ],
	'audience_changes(audience_book,audience_book,integer)' => [ audience_changes => q{SELECT * FROM audience_changes((SELECT audience_book(customer_id, amount, amount < 40) FROM orders), (SELECT audience_book(customer_id, amount, amount > 20) FROM orders), 1)} ],
	'audience_changes(anyelement,audience_book,audience_book,integer)' => [ audience_changes_text => q{SELECT * FROM audience_changes(NULL::text, (SELECT audience_book(customer_name, amount, amount < 40) FROM orders), (SELECT audience_book(customer_name, amount, amount > 20) FROM orders), 1)} ],
	'price_placebo(pricebook_summary,text,integer,text,bigint)' => [ placebo => "SELECT * FROM price_placebo((SELECT pricebook(item, member_group, price, item_name) FROM lines), 'new')" ],
	'price_gaps(pricebook_summary,text,double precision,double precision,integer)' => [ gaps => "SELECT * FROM price_gaps($prices, 'new')" ],
	'price_gap_items(pricebook_summary,text,double precision,double precision,integer)' => [ gap_items => "SELECT * FROM price_gap_items($prices, 'new', 0.1, 0, 1)" ],
	'price_gap_items(anyelement,pricebook_summary,text,double precision,double precision,integer)' => [
		gap_items_bigint => "SELECT * FROM price_gap_items(NULL::bigint, $prices, 'café')",
		gap_items_text => "SELECT * FROM price_gap_items(NULL::text, $undated_prices, 'old')"
	],
	'price_gap_mix(pricebook_summary,text)' => [ gap_mix => "SELECT * FROM price_gap_mix($undated_prices, 'new')" ],
	'fair_prices(pricebook_summary,text)' => [ fair => "SELECT * FROM fair_prices((SELECT pricebook(item, member_group, price) FROM lines), 'new')" ],
	'fair_prices(anyelement,pricebook_summary,text)' => [
		fair_bigint => "SELECT * FROM fair_prices(NULL::bigint, $prices, 'new')",
		fair_text => "SELECT * FROM fair_prices(NULL::text, $named_prices, 'new')"
	],
	'price_slopes(price_slope_summary,double precision)' => [ slopes => 'SELECT * FROM price_slopes((SELECT price_slope(item, week, joined, price) FROM lines))' ],
	'rfm_members(rfm_book,timestamp with time zone,integer,rfm_cuts,text[])' => [ bigint => "SELECT * FROM rfm_members($book)" ],
	'rfm_members(anyelement,rfm_book,timestamp with time zone,integer,rfm_cuts,text[])' => [
		uuid => 'SELECT * FROM rfm_members(NULL::uuid, (SELECT rfm_book(customer_uuid, order_id, ordered_at, amount) FROM orders))',
		text => "SELECT * FROM rfm_members(NULL::text, (SELECT rfm_book(customer_name, ordered_at, amount) FROM orders), '2027-01-01', 10)"
	],
	'rfm_segments(rfm_book,timestamp with time zone,integer,rfm_cuts,text[])' => [ segments => "SELECT * FROM rfm_segments($book)" ],
	'rfm_transitions(rfm_book,rfm_book,timestamp with time zone,timestamp with time zone,integer,rfm_cuts,rfm_cuts,boolean,text[])' => [
		segment_moves => "SELECT * FROM rfm_transitions($book, $book, to_cuts => rfm_cuts_per_order($book))"
	],
	'rfm_limits(rfm_cuts)' => [ limits => "SELECT * FROM rfm_limits(rfm_cuts($book))" ],
	'rfm_segment_map()' => [ map => 'SELECT * FROM rfm_segment_map()' ]);

# But for unnest(tagbloom), which returns nothing and only says what to call instead, and member_mart_script, which returns SQL.
my @functions = split /\n/, $node->safe_psql(
	'shop', q{
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	 WHERE e.extname = 'custmart' AND p.prosrc <> 'custmart_tagbloom_no_names' AND p.proname <> 'member_mart_script' AND p.proretset ORDER BY 1});
is(join("\n", sort @functions), join("\n", sort keys %query), 'every function that returns rows has a query here');

is( $node->safe_psql(
		'shop', q{
	SELECT p.oid::regprocedure, name, type::regtype
	  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
	       LATERAL unnest(p.proallargtypes, p.proargmodes, p.proargnames) AS a (type, mode, name)
	  JOIN pg_type t ON t.oid = type
	 WHERE e.extname = 'custmart' AND p.proretset AND mode IN ('o', 'b', 't')
	   AND (t.oid >= 16384 OR t.typnamespace <> 'pg_catalog'::regnamespace OR t.typtype <> 'b' AND t.oid <> 'anyelement'::regtype
	        OR coalesce(name, '') !~ '^[a-z][a-z0-9_]*$')
	 ORDER BY 1, 2}), '', 'they return built-in types, in columns with names');
is( $node->safe_psql(
		'shop', q{
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	 WHERE e.extname = 'custmart' AND p.prosrc <> 'custmart_tagbloom_no_names' AND p.proretset AND p.proargmodes IS NULL}), '', 'and all say which');

my %views;
for (values %query)
{
	my @pairs = @$_;
	while (my ($name, $sql) = splice @pairs, 0, 2)
	{
		$views{$name} = $sql;
		# The view's owner is somebody else, the caller has no rights but to read.
		my ($status, $out, $err) = $node->psql('shop', "CREATE VIEW \"view_$name\" WITH (security_invoker) AS $sql; GRANT SELECT ON \"view_$name\" TO analyst");
		is($status, 0, "a view of $name") or diag $err;
	}
}
is( $node->safe_psql(
		'shop', q{
	SELECT attrelid::regclass, attname, format_type(atttypid, NULL) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
	 WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'view\_%' AND attnum > 0 AND (atttypid >= 16384 OR atttypid::regtype NOT IN
	   ('bigint', 'integer', 'numeric', 'double precision', 'text', 'uuid', 'date', 'timestamptz', 'boolean',
	   -- How long a step takes, and when each was reached; and which audiences overlap.
	   'interval', 'timestamptz[]', 'text[]'))}),
	'', 'columns of their views are of types every client reads');

# Sets of tags: a view tells of them in built-in types, as plain SQL over arrays of
# the same tags does.
my $tags = q{SELECT customer_id, tag_count(tags) AS tags, is_exact(tags) AS is_exact, round(false_positive_rate(tags)::numeric, 6) AS false_positives,
	tag_list(tags, ARRAY['Größe 22.7500000000000000', '7', '50']) AS known, has_tag(tags, '7') AS has_7, tags @@ '!7 & !8' AS has_neither FROM profiles};
$node->safe_psql('shop', "CREATE VIEW tag_report AS $tags; GRANT SELECT ON tag_report TO analyst");
my %tag_columns = (customer_id => 'int4', tags => 'float8', is_exact => 'bool', false_positives => 'numeric', known => '_text', has_7 => 'bool', has_neither => 'bool');
is_deeply(
	{
		map { split /\|/ } split /\n/,
		$node->safe_psql('shop', q{SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = 'tag_report'::regclass AND attnum > 0 AND t.oid < 16384})
	},
	\%tag_columns,
	'what sets of tags tell are built-in types');

# Dates and numbers in JSON, as web clients get them.
is( $node->safe_psql('shop', 'SELECT DISTINCT jsonb_typeof(value), key FROM view_bigint v, jsonb_each(to_jsonb(v)) WHERE jsonb_typeof(value) <> \'null\' ORDER BY 2',
		extra_params => [ '--username', 'analyst' ]),
	"string|first_order\nnumber|frequency\nnumber|frequency_score\nstring|last_order\nnumber|member\nnumber|monetary\nnumber|monetary_score\nnumber|recency\nnumber|recency_score\nnumber|refunds\nnumber|score\nstring|segment",
	'a member in JSON');

is( $node->safe_psql('shop', q{SELECT member_group, string_agg(jsonb_typeof(value), ' ' ORDER BY key COLLATE "C") FROM view_gaps v, jsonb_each(to_jsonb(v) - 'member_group') GROUP BY 1 ORDER BY member_group COLLATE "C"},
		extra_params => [ '--username', 'analyst' ]),
	'café|' . 'number ' x 16 . "string number number number string number\n"
	  . 'guest|number number ' . 'null ' x 3 . 'number number null ' . 'number ' x 3 . 'null ' x 5 . "string number number null string null\n"
	  . 'old|' . 'number ' x 16 . 'string number number number string number',
	'gaps in JSON, NULL where there is nothing to compare');

# Through ODBC
my ($driver) = (glob('/usr/lib/*/odbc/psqlodbcw.so'), glob('/usr/lib*/psqlodbcw.so'), glob('/usr/lib*/psqlodbc/psqlodbcw.so'));
my $isql = grep { -x "$_/isql" } split /:/, $ENV{PATH};
SKIP:
{
	if (!$driver || !$isql)
	{
		my $missing = 'unixODBC\'s isql or PostgreSQL\'s ODBC driver is not installed (Debian: unixodbc, odbc-postgresql)';
		if ($ENV{CI})
		{
			fail($missing);
		}
		skip $missing, 1;
	}
	# The driver writes a log wherever it is told to, and else to /tmp.
	my $settings = PostgreSQL::Test::Utils::tempdir();
	append_to_file("$settings/odbcinst.ini", "[PostgreSQL Unicode]\nLogdir = $settings\n");
	local $ENV{ODBCSYSINI} = $settings;
	my $connection = join ';', "Driver=$driver", 'Servername=' . $node->host, 'Port=' . $node->port, 'Database=shop', 'Uid=analyst', 'BoolsAsChar=0';

	# Run a statement (on one line) through ODBC; returns its rows, separated by |.
	my $odbc = sub {
		my ($sql, $options) = @_;
		my ($out, $err) = ('', '');
		IPC::Run::run([ 'isql', '-k', $connection . ($options // ''), '-b', '-v', '-d|' ], '<', \"$sql\n", '>', \$out, '2>', \$err)
		  or diag("isql: $out$err");
		return map { s/\s+$//r } grep { /\S/ } split /\n/, $out;
	};

	is(join("\n", $odbc->('SELECT current_user, 1 + 1')), 'analyst|2', 'ODBC works');
	for my $name (sort keys %views)
	{
		my $expected = $node->safe_psql('shop', $views{$name} =~ s/SELECT \*/SELECT count(*)/r);
		for my $options ('', ';UseDeclareFetch=1;Fetch=64', ';UseServerSidePrepare=1;Protocol=7.4-2')
		{
			my @rows = $odbc->($views{$name}, $options);
			is(scalar(@rows), $expected, "$name through ODBC$options: as many rows");
		}
	}

	# The values themselves arrive; numbers as numbers, times as times.
	my @rows = $odbc->("SELECT member, frequency, monetary, first_order, last_order, recency, recency_score, frequency_score, monetary_score, score, segment FROM rfm_members($book) WHERE member < 50 ORDER BY member");
	my @expected = split /\n/, $node->safe_psql('shop',
		"SELECT member, frequency, monetary, to_char(first_order, 'YYYY-MM-DD HH24:MI:SS'), to_char(last_order, 'YYYY-MM-DD HH24:MI:SS'), recency, recency_score, frequency_score, monetary_score, score, segment FROM rfm_members($book) WHERE member < 50 ORDER BY member");
	is_deeply([ map { s/(?<=:\d\d)\.0+(?=\||$)//gr } @rows ], \@expected, 'with the same values');
	is(join(',', $odbc->('SELECT member FROM view_text WHERE frequency > 0 ORDER BY member COLLATE "C" LIMIT 2')), 'Größe 0,Größe 1', 'and texts');

	# Fair prices are medians, known from elsewhere.
	my $median = q{SELECT %s, trim_scale(round(percentile_cont(0.5) WITHIN GROUP (ORDER BY price::float8)::numeric, 4)), count(*) FROM lines WHERE member_group = 'new' GROUP BY 1, 2 ORDER BY %s};
	for (
		[ "SELECT item, period, trim_scale(fair_price), rows FROM view_fair_bigint ORDER BY 1, 2", 'item, week', 'item, 2' ],
		[ "SELECT item, period, trim_scale(fair_price), rows FROM view_fair_text ORDER BY item COLLATE \"C\", 2", 'item_name, week', 'item_name COLLATE "C", 2' ],
		[ "SELECT item, period, trim_scale(fair_price), rows FROM view_fair ORDER BY item", 'item, NULL', 'item' ])
	{
		my ($sql, @plain) = @$_;
		my @medians = split /\n/, $node->safe_psql('shop', sprintf $median, @plain);
		cmp_ok(scalar(@medians), '>=', 9, "medians of $plain[0]");
		is_deeply([ $odbc->($sql) ], \@medians, 'arrive through ODBC');
	}
	# The group that pays more does so in all of the items, and in no others.
	is(join(',', $odbc->("SELECT member_group, is_flagged, count(*), min(item), max(item) FROM price_gap_items(NULL::bigint, $prices, 'new') GROUP BY 1, 2 ORDER BY member_group COLLATE \"C\", 2")),
		'café|0|9|0|8,old|0|5|4|8,old|1|4|0|3', 'flagged items through ODBC');
	is( join(',', $odbc->("SELECT member_group, items, cells, rows, reference_rows, premium_pct IS NULL, p_value IS NULL, items_flagged, verdict FROM view_gaps ORDER BY member_group COLLATE \"C\"")),
		join(',', map {
			my $both = "FROM lines a WHERE member_group = '%s' AND EXISTS (SELECT FROM lines b WHERE b.member_group = '%s' AND (b.item, b.week) = (a.item, a.week))";
			$node->safe_psql('shop', "SELECT '$_->[0]', count(DISTINCT item), count(DISTINCT (item, week)), count(*), (SELECT count(*) " . sprintf($both, 'new', $_->[0]) . "), $_->[1] " . sprintf($both, $_->[0], 'new'))
		  } [ 'café', q{0, 0, 0, 'fair'} ], [ guest => q{1, 1, 0, 'not comparable'} ], [ old => q{0, 0, 4, 'fair'} ]),
		'verdicts through ODBC');
	is(join(',', $odbc->("SELECT price_check(10.70, 10, 5), price_check(9.3, 10, 5), price_check(10.4, 10, 5)")), 'above by 7.0 %|below by 7.0 %|ok', 'a price is checked through ODBC');
	# The example of docs/pricebook.md: 20.3 22.1 21.9 against 18.9 20.3 19.
	is( join(',', $odbc->('SELECT round(t::numeric, 9), round(df::numeric, 9), round(p_value::numeric, 11) FROM (SELECT (welch_test(3, 64.3/3, 0.9733333333333333, 3, 58.2/3, 0.61)).*) w')),
		'2.798871953|3.799904002|0.05180736035', 'Welch\'s test through ODBC');
	# Those of docs/promise.md, Newcombe's 81 of 263, and a night in which clocks go forward.
	is( join(',', $odbc->('SELECT round(stock_out_probability(1000, 60, 750, 100)::numeric, 11), stock_needed(1000, 60, 750), round(promise_score(100, 16)::numeric, 4), round(ci_low::numeric, 4), round(ci_high::numeric, 4) FROM wilson_interval(81, 263)')),
		'0.07010448730|103|78.7644|0.2553|0.3662', 'stock, a score and an interval through ODBC');
	is(join(',', $odbc->("SELECT after_quiet(timestamptz '2026-03-28 20:30Z', '21:00', '08:00', 'Europe/Berlin') AT TIME ZONE 'UTC', friend(3, '2026-01-01', '2026-07-01')")), '2026-03-29 06:00:00|old', 'quiet hours and a friend through ODBC');

	# Growth adds up, as plain SQL counts it; and the members of a cohort.
	is( join(',', $odbc->('SELECT count(*), sum(active), sum(new_members), sum(returning_members), sum(resurrecting_members) FROM view_lifecycle')),
		$node->safe_psql('shop', q{
			WITH w AS (SELECT DISTINCT customer_id, date_trunc('week', ordered_at AT TIME ZONE 'Europe/Berlin')::date AS week FROM orders WHERE amount >= 0),
			l AS (SELECT *, lag(week) OVER (PARTITION BY customer_id ORDER BY week) AS before FROM w)
			SELECT (max(week) - min(week)) / 7 + 1, count(*), count(*) FILTER (WHERE before IS NULL), count(*) FILTER (WHERE before = week - 7), count(*) FILTER (WHERE before < week - 7) FROM l}),
		'growth accounting through ODBC');
	is( join(',', $odbc->('SELECT cohort, members, active FROM view_cohorts WHERE periods_later = 1 ORDER BY cohort')),
		join(',', split /\n/, $node->safe_psql('shop', q{
			WITH w AS (SELECT DISTINCT customer_id, date_trunc('week', ordered_at AT TIME ZONE 'Europe/Berlin')::date AS week FROM orders WHERE amount >= 0),
			c AS (SELECT *, min(week) OVER (PARTITION BY customer_id) AS cohort FROM w)
			SELECT cohort, count(DISTINCT customer_id), count(*) FILTER (WHERE week = cohort + 7) FROM c GROUP BY 1 HAVING cohort + 7 <= (SELECT max(week) FROM w) ORDER BY 1})),
		'cohorts through ODBC');

	# Who came how far, by joins; and how long it took.
	is( join(',', $odbc->('SELECT s.step, s.members, s.members = count(l.member) FROM view_steps s LEFT JOIN view_levels l ON l.level >= s.step GROUP BY s.step, s.members ORDER BY 1')),
		$node->safe_psql('shop', q{
			SELECT format('1|%s|1,2|%s|1,3|%s|1', count(DISTINCT a.customer_id), count(DISTINCT b.customer_id), count(DISTINCT c.customer_id)) FROM orders a
			  LEFT JOIN orders b ON b.customer_id = a.customer_id AND b.amount > 72 AND b.ordered_at > a.ordered_at AND b.ordered_at <= a.ordered_at + interval '100 days'
			  LEFT JOIN orders c ON c.customer_id = b.customer_id AND c.amount BETWEEN 47 AND 60 AND c.ordered_at > b.ordered_at AND c.ordered_at <= a.ordered_at + interval '100 days'
			 WHERE a.amount < 0}), 'funnels through ODBC');
	# Customers come every 700 * 1.5 hours.
	is(join(',', $odbc->('SELECT step, median_time FROM view_steps WHERE step > 1 ORDER BY step')), '2|43 days 18:00:00,3|43 days 18:00:00', 'with lengths of time');
	is( join(',', $odbc->('SELECT member, step_times[1] FROM view_levels_text WHERE level = 1 AND member < \'Größe 3\' ORDER BY member COLLATE "C"')),
		join(',', split /\n/, $node->safe_psql('shop', q{
			SELECT customer_name, max(ordered_at)::timestamp FROM orders JOIN (SELECT member FROM view_levels_text WHERE level = 1) l ON member = customer_name
			 WHERE amount < 0 AND member < 'Größe 3' GROUP BY 1 ORDER BY customer_name COLLATE "C"})), 'times of steps in an array, too');
	# Stages, by the definition.
	is( join(',', $odbc->('SELECT stage, members, obliged, induced, own FROM view_stages WHERE members > 0 ORDER BY stage COLLATE "C"')),
		join(',', split /\n/, $node->safe_psql('shop', q{
			WITH k AS (SELECT customer_id, (ARRAY['obliged', 'induced', 'own'])[1 + right(order_id, 1)::int % 3] AS kind,
			                  ordered_at > (SELECT max(ordered_at) FROM orders) - interval '4320 hours' AS counts FROM orders),
			n AS (SELECT customer_id, count(*) FILTER (WHERE counts AND kind = 'obliged') AS obliged, count(*) FILTER (WHERE counts AND kind = 'induced') AS induced, count(*) FILTER (WHERE counts AND kind = 'own') AS own FROM k GROUP BY 1)
			SELECT CASE WHEN own >= 2 AND own >= 0.5 * (obliged + induced + own) THEN 'sticky' WHEN induced + own > 0 THEN 'induced' WHEN obliged > 0 THEN 'forced' ELSE 'dormant' END AS stage,
			       count(*), sum(obliged), sum(induced), sum(own) FROM n GROUP BY 1 ORDER BY 1})), 'stages through ODBC');
	# The net of all, and how a history begins.
	is( join(',', $odbc->("SELECT count(*), sum(rolling_spend(x, '2027-06-01', '100 years')), sum(rolling_spend(x, '2026-06-01', '2 months')) FROM (SELECT spend(ordered_at, amount) AS x FROM orders GROUP BY customer_id) m")),
		$node->safe_psql('shop', q{SELECT count(DISTINCT customer_id), sum(amount), sum(amount) FILTER (WHERE ordered_at > '2026-04-01' AND ordered_at <= '2026-06-01') FROM orders}), 'net spend through ODBC');
	is( join(',', $odbc->("SELECT to_char(since, 'YYYY-MM-DD HH24:MI'), tier, trim_scale(rolling_spend) FROM view_tiers WHERE reason = 'start'")),
		$node->safe_psql('shop', q{SELECT to_char(ordered_at, 'YYYY-MM-DD HH24:MI'), 'rest', trim_scale(amount) FROM orders WHERE customer_id < 10 ORDER BY ordered_at LIMIT 1}), 'how a history begins');
	is(join(',', $odbc->("SELECT reason, max(tier) FROM view_tiers WHERE tier <> 'silver' GROUP BY 1 ORDER BY reason COLLATE \"C\"")), 'downgrade|rest,start|rest,upgrade|Größe', 'and how it goes on');

	# As what does a tool see the columns?  isql asks with SQLColumns.
	my %type = map { my @c = split /\|/; ($c[3] => $c[5]) } grep { /^shop\|/ } $odbc->('help view_bigint');
	is_deeply(
		\%type,
		{
			member => 'int8', frequency => 'int8', refunds => 'int8', monetary => 'numeric', first_order => 'timestamptz', last_order => 'timestamptz',
			recency => 'float8', recency_score => 'int4', frequency_score => 'int4', monetary_score => 'int4', score => 'int4', segment => 'text'
		},
		'a tool sees plain columns') or diag explain [ $odbc->('help view_bigint') ];

	%type = map { my @c = split /\|/; ($c[3] => $c[5]) } grep { /^shop\|/ } $odbc->('help view_gaps');
	is_deeply(
		\%type,
		{
			(map { $_ => 'text' } qw(member_group reference verdict)), (map { $_ => 'int8' } qw(items cells rows reference_rows items_flagged)), (map { $_ => 'numeric' } qw(overcharge overcharge_net)),
			(map { $_ => 'float8' } qw(effective_items compared_share naive_gap_pct mean_premium_pct premium_pct premium_pct_low premium_pct_high std_error df premium_p_value design_effect z p_value))
		},
		'of gaps, too') or diag explain [ $odbc->('help view_gaps') ];
	%type = map { my @c = split /\|/; ($c[3] => $c[5]) } grep { /^shop\|/ } $odbc->('help view_fair_bigint');
	is_deeply(\%type, { item => 'int8', period => 'date', fair_price => 'numeric', rows => 'int8' }, 'and of fair prices') or diag explain [ $odbc->('help view_fair_bigint') ];

	# Sets of tags.  A question mark is a parameter in ODBC; that is what has_tag() is
	# for.
	my %seen_columns = map { my @c = split /\|/; ($c[3] => $c[5]) } grep { /^shop\|/ } $odbc->('help tag_report');
	is_deeply(\%seen_columns, \%tag_columns, 'a tool sees plain columns of tags') or diag explain [ $odbc->('help tag_report') ];
	@rows = $odbc->("SELECT customer_id, is_exact, CASE WHEN is_exact THEN tags END, known, has_7, has_neither FROM ($tags) t ORDER BY customer_id" =~ s/\s+/ /gr);
	@expected = split /\n/, $node->safe_psql('shop', q{
		SELECT customer_id, (cardinality(list) <= 32)::int, CASE WHEN cardinality(list) <= 32 THEN cardinality(list) END,
		       ARRAY(SELECT k FROM unnest(ARRAY['Größe 22.7500000000000000', '7', '50']) WITH ORDINALITY u (k, n) WHERE k = ANY (list) ORDER BY n), ('7' = ANY (list))::int, (NOT list && '{7,8}')::int
		  FROM profiles ORDER BY customer_id});
	is_deeply([ map { s/\.0+(?=\|)//r } @rows ], \@expected, 'what sets of tags tell, through ODBC') or diag("$rows[0]\n$expected[0]");
	for my $some (qr/\|1\|\d+\|[^|]*Größe 22/, qr/\|0\|\|[^|]*7,50[^|]*\|1\|0$/, qr/\|\{\}\|0\|1$/)
	{
		ok(scalar(grep { /$some/ } @expected), "among them some like $some") or diag join "\n", @expected[ 0 .. 9 ];
	}
	my ($has, $expected) = ("SELECT count(*) FROM profiles WHERE ", $node->safe_psql('shop', q{SELECT count(*) FROM profiles WHERE '7' = ANY (list)}));
	for my $options ('', ';UseServerSidePrepare=1;Protocol=7.4-2')
	{
		is(join(',', map { $odbc->("$has $_", $options) } "has_tag(tags, '7')", "has_all_tags(tags, '{7,9}')", "has_any_tag(tags, '{7,nobody}')", "tags \@\@ '7 & !nobody'"),
			join(',', ($expected) x 4), "asked through ODBC$options");
	}
	is(join(',', $odbc->("PREPARE has_it (text, tagquery) AS $has has_tag(tags, \$1) AND tags \@\@ \$2\nEXECUTE has_it ('7', '9 & !nobody')")), $expected, 'with parameters');

	# An error comes through as an error, and the connection goes on.
	for my $wrong ("rfm_members($book, '2020-01-01')", "price_gaps($prices, 'nobody')")
	{
		@rows = $odbc->("SELECT * FROM $wrong\nSELECT 'still there'");
		like("@rows", qr/still there/, 'after an error the connection goes on');
	}
}

$node->stop;
done_testing();
