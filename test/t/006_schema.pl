# Views and materialized views over custmart in a schema of its own, as README.md installs it: they are refreshed, read,
# dumped and restored without a search_path that has the schema, and go on when the extension moves.  (From PostgreSQL 17
# on, a refresh sees none but pg_catalog.)
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my ($install) = PostgreSQL::Test::Utils::slurp_file("$top/README.md") =~ /^```sql\n(CREATE SCHEMA custmart;\n.*?)^```/ms;
ok($install, 'README.md says how to install') or BAIL_OUT('the section is not as this test expects it');

my $node = PostgreSQL::Test::Cluster->new('schema');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE analyst LOGIN; CREATE ROLE dashboard LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER analyst');

sub as_user
{
	my ($user, $sql) = @_;
	my ($status, $out, $err) = $node->psql('shop', $sql, on_error_stop => 1, extra_params => [ '--username', $user ]);
	return $status == 0 ? $out : $err;
}

# Every aggregate and every report, by way of accessors, operators and casts.
my %view = (
	members => q{(rfm_members(rfm_book(customer, at, amount))).* FROM orders},
	pages => q{store, custmart_report('store ' || store, rfm_chart(json_agg(s)), table_chart(chart_rows('SELECT count(*) AS orders FROM public.orders'))) AS page
		FROM (SELECT store, (rfm_segments(rfm_book(customer, at, amount))).* FROM orders GROUP BY store) s GROUP BY store},
	members_by_key => q{(rfm_members(NULL::uuid, rfm_book(key, nr, at, amount))).* FROM orders},
	segments => q{store, (rfm_segments(rfm_book(name, at, amount), '2026-07-01 00:00+00')).* FROM orders GROUP BY store},
	segment_names => q{(rfm_segment_map()).*},
	segment_moves => q{(rfm_transitions(rfm_book(customer, at, amount) FILTER (WHERE at < '2026-02-01'), rfm_book(customer, at, amount), same_cuts => true)).* FROM orders},
	own_limits => q{m.member, m.score, m.segment FROM (SELECT rfm_book(customer, at, amount) AS book FROM orders) b,
		rfm_members(book, cuts => rfm_cuts(timestamptz '2026-07-01', ARRAY[90, 30], ARRAY[2, 5], ARRAY[100, 500]),
			segments => ARRAY(SELECT ARRAY[r || f || m, 'cell ' || r || f] FROM unnest('{1,2,3}'::text[]) r, unnest('{1,2,3}'::text[]) f, unnest('{1,2,3}'::text[]) m)) m},
	order_value => q{(rfm_members(rfm_book(customer, at, amount), cuts => rfm_cuts_per_order(rfm_book(customer, at, amount)))).* FROM orders},
	order_value_limits => q{rfm_cuts_per_order(x), rfm_cuts_per_order(x, 3) AS of_3 FROM (SELECT rfm(at, amount) AS x FROM orders GROUP BY customer) s},
	limits => q{(rfm_limits(rfm_cuts(rfm_book(customer, at, amount)))).* FROM orders},
	scores => q{customer, rfm_score(x, cuts), monetary(x + x), x = rollup AS is_same, cuts::text
		FROM (SELECT customer, rfm(at, amount) AS x FROM orders GROUP BY customer) s,
		(SELECT rfm_cuts(x) AS cuts, rollup(x) AS rollup FROM (SELECT rfm(at, amount) AS x FROM orders GROUP BY customer) s) c},
	grades => q{customer, tier(amount, '{0.1,0.3}', '{gold,silver,member}') OVER (PARTITION BY store), tier_of(amount::float8, cuts, '{gold,member}')
		FROM orders, (SELECT tier_cuts(amount, '{0.1}') AS cuts FROM orders) c},
	portraits => q{customer, tags, tags ? 'store 1' AS has, tags @@ '"store 1" & !"store 2"' AS matches, tag_list(tags, '{store 1,large}')
		FROM (SELECT customer, tag_agg('store ' || store) | tags_if('large', sum(amount) > 500) | tags('member') AS tags FROM orders GROUP BY customer) s},
	cohorts => q{(cohort_retention(retention_book(customer, at, amount, 'month', 'Europe/Berlin'))).* FROM orders},
	growth => q{(lifecycle_counts(retention_book(customer, at, 'month', 'UTC'), '2026-07-01')).* FROM orders},
	months => q{(stickiness(retention_book(customer, activity))).* FROM (SELECT customer, activity(at, 'week', 'UTC') AS activity FROM orders GROUP BY customer) a},
	days => q{(day_retention(retention_book(customer, at), last_day => 9)).* FROM orders},
	signups => q{(cohort_retention(retention_book_since(customer, date '2025-12-31', at, amount, 'week(sunday)', 'Europe/Berlin'))).* FROM orders},
	brackets => q{(day_retention(retention_book_since(customer, timestamptz '2025-12-31', at), bounds => '{1,8}', last_day => 30)).* FROM orders},
	revenue => q{(revenue_growth(retention_book(customer, at, amount, 'year(april)', 'UTC'), '2027-07-01')).* FROM orders},
	values => q{(clv_members(retention_book(customer, at, amount, 'day', 'UTC'), clv_fit(retention_book(customer, at, amount, 'day', 'UTC'), penalty => 1))).* FROM orders},
	values_by_key => q{(clv_members(NULL::uuid, retention_book(key, at, amount, 'day', 'UTC'), clv_fit(retention_book(key, at, amount, 'day', 'UTC'), penalty => 1))).* FROM orders},
	histories => q{(clv_summaries(retention_book(customer, at, amount, 'day', 'UTC'), '2026-05-01')).* FROM orders},
	models => q{m::text, warnings(m), is_reliable(m), p_alive(m, 3, 20, 30), p.*, d.members, n.clv
		FROM (SELECT clv_fit(repeats, last_age, age, mean_spend, 'bg/nbd') AS m FROM (SELECT (clv_summaries(retention_book(customer, at, amount, 'day', 'UTC'))).* FROM orders) s) f, clv_parameters(m) p, clv_details(m) d, new_member_value(m) n},
	checks => q{(clv_check(retention_book(customer, at, amount, 'day', 'UTC'), '2026-05-01', penalty => 1)).* FROM orders},
	check_deciles => q{(clv_check_deciles(retention_book(customer, at, amount, 'day', 'UTC'), '2026-05-01', penalty => 1)).* FROM orders},
	repeats => q{(clv_frequencies(retention_book(customer, at, amount, 'day', 'UTC'), clv_fit(retention_book(customer, at, amount, 'day', 'UTC'), penalty => 1))).* FROM orders},
	weeks => q{(clv_tracking(retention_book(customer, at, amount, 'day', 'UTC'), clv_fit(retention_book(customer, at, amount, 'day', 'UTC'), penalty => 1))).* FROM orders},
	steps => q{(funnel_steps(funnel_book(customer, summary))).* FROM (SELECT customer, funnel('30 days', at, amount < 40, amount > 50) AS summary FROM orders GROUP BY customer) f},
	levels => q{(funnel_members(funnel_book(customer, '30 days', at, amount < 40, amount > 50), 'strict_order')).* FROM orders},
	conversions => q{(funnel_conversions(funnel_book(customer, '30 days', at, amount < 40, amount > 50, amount > 90), exclusions => '{3}', step_gap => '{1 hour}')).* FROM orders},
	sessions => q{(sessions(session_book(customer, at), '7 days')).* FROM orders},
	session_members => q{(session_members(session_book(customer, at), '7 days')).* FROM orders},
	session_numbers => q{customer, session_number(at, '7 days') OVER w AS number, session_start(at) OVER w AS start FROM orders WINDOW w AS (PARTITION BY customer ORDER BY at)},
	stages => q{(interaction_stages(interaction_book(customer, 'own', at), span => '30 days')).* FROM orders},
	stages_of_members => q{m.*, s.stage AS same FROM (SELECT (interaction_members(interaction_book(customer, 'own', at))).* FROM orders) m
		JOIN (SELECT customer, interaction_stage('own', at, '2026-07-01 00:00+00') AS stage FROM orders GROUP BY customer) s ON s.customer = member},
	moves => q{(interaction_transitions(interaction_book(customer, 'own', at), '2026-02-01', span => '30 days')).* FROM orders},
	tiers => q{customer, tier_by_spend(spend(at, amount), '2026-07-01', limits => '{900,700}', names => '{gold,silver,member}') FROM orders GROUP BY customer},
	account => q{customer, points_balance(p), points_lapsed(p, '2026-07-01', '2 months', 'month'), points_until(p), points_earned(p), points_redeemed(p) FROM (SELECT customer, points(at, amount) AS p FROM orders GROUP BY customer) m},
	account_lines => q{customer, (points_history(points(at, amount), valid_for => '1 month')).* FROM orders GROUP BY customer},
	account_lapses => q{customer, (points_lapses(rollup(p), unit => 'month')).* FROM (SELECT customer, points(at, amount) AS p FROM orders GROUP BY customer, store) m GROUP BY customer},
	year_tiers => q{customer, (tier_history(spend(at, amount), '2028-07-01', limits => '{900,700}', names => '{gold,silver,member}', from_zero => true, keep_for => '2 years', keep_limits => '{600,300}', soft_landing => true, with_kept => true)).* FROM orders GROUP BY customer},
	tier_changes => q{customer, (tier_history(spend(at, amount), '2026-07-01', limits => '{900,700}', names => '{gold,silver,member}')).* FROM orders GROUP BY customer},
	gaps => q{(price_gaps(pricebook(customer, store::text, amount), '0')).* FROM orders},
	gaps_of_items => q{(price_gap_items(pricebook(customer, date_trunc('year', at, 'UTC')::date, store::text, amount, 1), '0')).* FROM orders},
	placebo => q{(price_placebo(pricebook(name, store::text, amount, customer), '0', draws => 5)).* FROM orders},
	mix => q{(price_gap_mix(pricebook(name, store::text, amount), '0')).* FROM orders},
	fair => q{(fair_prices(NULL::text, pricebook(name, store::text, amount), '0')).* FROM orders},
	slopes => q{(price_slopes(price_slope(customer, store, amount))).* FROM orders WHERE amount > 0},
	results => q{store, (campaign_results(campaign(customer % 3 > 0, amount, 1))).* FROM orders GROUP BY store},
	campaign_sides => q{(campaign_groups(campaign(customer % 3 > 0, amount))).* FROM orders},
	ratio => q{(campaign_sample_ratios(rollup(c), 0.7)).*, campaign_group_size(0.05, 0.055) FROM (SELECT campaign(customer % 3 > 0, amount) AS c FROM orders GROUP BY store) s},
	uplifts => q{(campaign_segments(campaign_book(store::text, customer % 3 > 0, amount))).* FROM orders},
	heterogeneity => q{(campaign_differences(campaign_book(store::text, customer % 3 > 0, amount))).* FROM orders},
	offers => q{(campaign_offers(campaign_book(store::text, customer % 3 > 0, amount), 8)).* FROM orders},
	curves => q{(uplift_curves(campaign_book(customer / 4.0, customer % 3 > 0, (amount > 40)::int))).* FROM orders},
	likes => q{(member_preferences(preference_book(customer, name, amount))).* FROM orders},
	together => q{(item_affinities(NULL::text, basket_book(store, name), min_together => 1, max_basket => NULL)).* FROM orders},
	overlaps => q{(audience_overlaps(audience_book(customer, amount::float8, amount < 40, amount > 50), '{small,large}')).* FROM orders},
	planned => q{p.*, hash_share(member, 'spring') AS share, is_held_out(member, 'spring', 0.1) FROM (SELECT (audience_plan(audience_book(customer, amount::float8, amount < 40, amount > 50), '{3,NULL}')).* FROM orders) p},
	audience_moves => q{(audience_changes(audience_book(customer, 1, amount < 40) FILTER (WHERE store = 1), audience_book(customer, 1, amount < 40), 1)).* FROM orders},
	shown => q{store, safe_count(count(*), 5) OVER () AS members, has_consent(tags('consent:email'), 'email'), age_band('2000-01-01', max(at)::date, '{18,65}') FROM orders GROUP BY store},
	order_table => q{(order_checks(check_book(customer::text, name, store::text, at, amount, 1))).* FROM orders},
	points => q{(uplift_points(campaign_book(customer / 4.0, customer % 3 > 0, amount))).* FROM orders},
	allowed => q{(contact_allowances(contact_book(customer, store::text, 'sent', at))).* FROM orders},
	engaged => q{(contact_engagements(contact_book(customer, store::text, CASE WHEN amount > 40 THEN 'sent' ELSE 'clicked' END, at), respond_within => '20 days')).* FROM orders},
	engaged_by_channel => q{(contact_priors(contact_book(customer, store::text, CASE WHEN amount > 40 THEN 'sent' ELSE 'clicked' END, at), respond_within => '20 days')).* FROM orders},
	pressed => q{(contact_pressures(contact_book(customer, store::text, 'sent', at), channels => '{1}', weights => '{2}')).* FROM orders},
	tired => q{(contact_fatigue(contact_book(customer, 'any', CASE WHEN amount > 40 THEN 'sent' ELSE 'clicked' END, at), span => '60 days')).* FROM orders},
	trails => q{customer, pressure(t), contacts_within(t, '2026-12-31 00:00+00', '900 days'), next_contact(t, '2026-12-31 00:00+00', '900 days', 2), t::text
		FROM (SELECT customer, contact_trail(store::text, 'sent', at) AS t FROM orders GROUP BY customer) s},
	promises => q{store, promise_score(count(*) FILTER (WHERE amount > 50), count(*) FILTER (WHERE amount <= 50)), stock_needed(500, count(*) FILTER (WHERE amount > 90), count(*)),
		stock_out_probability(500, count(*) FILTER (WHERE amount > 90), count(*), 40), (wilson_interval(count(*) FILTER (WHERE amount > 50), count(*))).* FROM orders GROUP BY store},
	quiet => q{customer, after_quiet(max(at), '21:00', '08:00', 'Europe/Berlin'), after_quiet(max(at)::timestamp, '21:00', '08:00', 'Europe/Berlin') AS local, friend(count(*), min(at), '2026-07-01 00:00+00') FROM orders GROUP BY customer},
);
my @names = sort keys %view;

# The rows of all views, as plain views tell them now and as materialized views keep them.
sub rows_of
{
	my ($kind) = @_;
	return join "\n", map { as_user('analyst', "SET timezone = 'UTC'; SET search_path = ''; SELECT '$_', count(*) > 0, md5(string_agg(t::text, ',' ORDER BY t::text COLLATE pg_catalog.\"C\")) FROM public.${kind}_$_ t") } @names;
}

sub refresh
{
	my ($when) = @_;
	my $refreshed = join '', map { as_user('analyst', "SET search_path = ''; REFRESH MATERIALIZED VIEW public.kept_$_") } @names;
	is($refreshed, '', "$when: every view is refreshed");
	is(as_user('analyst', "SET search_path = ''; REFRESH MATERIALIZED VIEW CONCURRENTLY public.kept_portraits"), '', "$when: concurrently");
	my $live = rows_of('live');
	is(scalar(() = $live =~ /\|t\|/g), scalar @names, "$when: no view is empty") or diag $live;
	is(rows_of('kept'), $live, "$when: and says what a view says");
	return $live;
}

is(as_user('analyst', $install), '', 'the owner of the database installs it as README.md says');
is(as_user('analyst', 'SHOW search_path'), 'public, custmart', 'and its sessions find it');
is(as_user('analyst', q{
	SET timezone = 'UTC';
	CREATE TABLE orders AS
	SELECT n AS nr, n % 41 AS customer, md5((n % 41)::text)::uuid AS key, 'item ' || n % 41 AS name, (n % 3)::int AS store,
	       timestamptz '2026-01-01 00:00+00' + n * 7919 % 3600 * interval '1 hour' AS at, (n * 37 % 101)::numeric AS amount
	  FROM generate_series(1, 900::bigint) n}), '', 'a table');
# A table that follows the orders, made in the search_path that sessions have and refreshed without one.
my $make_mart = q{SELECT create_member_mart('mart', 'orders', 'customer', 'rfm(at, amount) AS rfm')};
my $refresh_mart = q{SET search_path = ''; SELECT %1$s.refresh_member_mart('public.mart'); SELECT * FROM %1$s.check_member_mart('public.mart', 1); SELECT count(rfm_score) FROM public.mart_scored};
as_user('analyst', 'CREATE INDEX ON orders (customer)');
is(as_user('analyst', "$make_mart; " . sprintf $refresh_mart, 'custmart'), "\n(41,0,0)\n41|0\n41", 'a member mart');
for (@names)
{
	is(as_user('analyst', "SET timezone = 'UTC'; CREATE VIEW live_$_ AS SELECT $view{$_}; CREATE MATERIALIZED VIEW kept_$_ AS SELECT $view{$_} WITH NO DATA"), '', "$_ is made");
}
is(as_user('analyst', 'CREATE UNIQUE INDEX ON kept_portraits (customer); CREATE INDEX ON kept_portraits USING gin (tags)'), '', 'and its indexes');
is( $node->safe_psql('shop', q{
		SELECT DISTINCT proname FROM pg_proc p JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
		 WHERE pronamespace = 'custmart'::regnamespace AND (prokind = 'a' OR proretset AND prorettype = 'record'::regtype)
		EXCEPT
		SELECT proname FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid
		 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_proc'::regclass}),
	'', 'every aggregate and every report is in one of them');

is(as_user('analyst', "SET search_path = ''; REFRESH MATERIALIZED VIEW public.kept_portraits"), '', 'the first refresh');
my $first = refresh('in its own schema');
as_user('analyst', "INSERT INTO orders SELECT nr + 1000, customer + 10, key, name, store, at + interval '1 day', amount + 1 FROM orders WHERE nr < 100");
my $before = refresh('with new rows');
isnt($before, $first, 'which make a difference');

# Who may do what
is(as_user('dashboard', "SELECT tags('vip') @@ 'vip & !lapsed'"), 't', 'everybody may use what is in the schema');
like(as_user('dashboard', 'CREATE FUNCTION custmart.f() RETURNS int LANGUAGE sql RETURN 1'), qr/permission denied for schema custmart/, 'but not add to it');
as_user('analyst', 'REVOKE USAGE ON SCHEMA custmart FROM PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA public TO dashboard');
is(as_user('dashboard', q{SELECT count(*) FROM live_segments WHERE segment = 'Champions'}), '3', 'a view needs no right to the schema');
is(as_user('dashboard', q{SELECT count(*) > 0 FROM kept_members}), 't', 'nor does a materialized view');
as_user('analyst', 'GRANT USAGE ON SCHEMA custmart TO PUBLIC');

# For one user
$node->safe_psql('postgres', q{ALTER ROLE dashboard SET search_path = "$user"});
like(as_user('dashboard', "SELECT tags('vip')"), qr/function tags\(unknown\) does not exist/, 'without the schema in the search_path there is no such function');
like(as_user('dashboard', "SELECT custmart.tags('vip') @@ 'vip'"), qr/operator does not exist: custmart\.tagbloom @@ unknown/, 'nor operator');
is(as_user('dashboard', "SELECT custmart.tags('vip') OPERATOR(custmart.@@) 'vip'"), 't', 'but by their full names');
$node->safe_psql('postgres', 'ALTER ROLE dashboard SET search_path = public, custmart');
is(as_user('dashboard', "SELECT tags('vip') @@ 'vip'"), 't', 'ALTER ROLE sets it');
$node->safe_psql('postgres', 'ALTER ROLE dashboard RESET search_path');

# Moved
# What a trusted extension consists of belongs to the superuser, whoever owns the extension, so only a superuser moves it.
$node->safe_psql('shop', 'CREATE SCHEMA elsewhere AUTHORIZATION analyst; ALTER EXTENSION custmart SET SCHEMA elsewhere; DROP SCHEMA custmart; ALTER DATABASE shop SET search_path = public, elsewhere');
is(rows_of('kept'), $before, 'moved: the views are as they were');
is(refresh('moved'), $before, 'moved: nothing has changed');
like(as_user('analyst', sprintf($refresh_mart, 'elsewhere')), qr/function rfm\(.*\) does not exist/, 'moved: a member mart has kept the search_path,');
is(as_user('analyst', "SELECT drop_member_mart('mart'); $make_mart; " . sprintf $refresh_mart, 'elsewhere'), "\n\n(51,0,0)\n51|0\n51", 'and is made anew');

# Dumped and restored, with what ALTER DATABASE set
my $dump = PostgreSQL::Test::Utils::tempdir() . '/shop';
$node->command_ok([ 'pg_dump', '--create', '--format', 'custom', '--file', $dump, 'shop' ], 'pg_dump');
$node->safe_psql('postgres', 'DROP DATABASE shop');
$node->command_ok([ 'pg_restore', '--create', '--exit-on-error', '--dbname', 'postgres', $dump ], 'pg_restore');
is(as_user('analyst', 'SHOW search_path'), 'public, elsewhere', 'the search_path is there again');
is(rows_of('kept'), $before, 'and everything in the views');
is(refresh('restored'), $before, 'restored: nothing has changed');
is(as_user('analyst', "UPDATE orders SET amount = amount + 1 WHERE customer < 3; " . sprintf $refresh_mart, 'elsewhere'), "(3,0,0)\n51|0\n51", 'a member mart goes on');

$node->stop;
done_testing();
