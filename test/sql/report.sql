-- Reports, all of them: rows that stream from the select list are those that FROM stores.
\set ECHO none
\set VERBOSITY terse
SET timezone = 'UTC';

CREATE TEMP TABLE orders AS
SELECT i AS order_id, i % 17 AS customer_id, CASE i % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'south' ELSE '' END AS store,
	'item ' || i % 7 AS item, CASE WHEN i % 2 = 0 THEN 'new' ELSE 'loyal' END AS customer_group,
	timestamptz '2026-01-01' + i * interval '17 hours' AS ordered_at,
	round((i * 7919 % 1000) / 10.0 - 5, 2) AS amount, round(10 + i % 7 + (i * 31 % 11) / 10.0, 2) AS price
FROM generate_series(1, 500) i;

-- Books of each form, and every report on them; {book} stands for its source, which is a column or made on the spot.
CREATE TEMP TABLE report (name text, call text, source text);
INSERT INTO report VALUES
	('rfm_members', '{book}', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_members', '{book}, bins => 3', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_members', 'NULL::text, {book}', 'rfm_book(customer_id::text, order_id, ordered_at, amount)'),
	('rfm_members', 'NULL::uuid, {book}', 'rfm_book(lpad(customer_id::text, 32, ''0'')::uuid, ordered_at, amount)'),
	('rfm_members', 'NULL::bigint, {book}', 'rfm_book(customer_id, md5(order_id::text)::uuid, ordered_at, amount)'),
	('rfm_members', '{book}, cuts => rfm_cuts(ARRAY[timestamptz ''2026-06-01''], ARRAY[9], ARRAY[400])', 'rfm_book(customer_id, rfm(1, abs(amount), ordered_at, ordered_at))'),
	('rfm_segments', '{book}', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_segments', '{book}, ''2028-01-01'', cuts => rfm_cuts(ARRAY[timestamptz ''2026-06-01''], ARRAY[9], ARRAY[400])', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_segments', '{book}, bins => 2, segments => ''{{111,rest},{112,rest},{121,rest},{122,rest},{211,rest},{212,rest},{221,rest},{222,best}}''', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_transitions', '{book}, {book}, bins => 3, to_cuts => rfm_cuts_per_order({book}, 3)', 'rfm_book(customer_id, ordered_at, amount)'),
	('rfm_limits', 'rfm_cuts({book}, 7)', 'rfm_book(customer_id, ordered_at, amount)'),
	('price_gaps', '{book}, ''new''', 'pricebook(item, customer_group, price)'),
	('price_gaps', '{book}, ''new''', 'pricebook(item, customer_group, price, customer_id::bigint)'),
	('price_gaps', '{book}, ''new''', 'pricebook(item, date_trunc(''month'', ordered_at)::date, customer_group, price, 1, customer_id::text)'),
	('price_gap_items', '{book}, ''new''', 'pricebook(customer_id, customer_group, price, order_id::text)'),
	('price_placebo', '{book}, ''new'', 20', 'pricebook(item, customer_group, price, customer_id::bigint)'),
	('price_placebo', '{book}, ''new'', 20, ''reference'', 7', 'pricebook(item, date_trunc(''month'', ordered_at)::date, customer_group, price, 1, customer_id::text)'),
	('price_gap_items', 'NULL::text, {book}, ''new''', 'pricebook(item, date_trunc(''month'', ordered_at)::date, customer_group, price, 1)'),
	('price_gap_items', '{book}, ''new'', min_premium_pct => 0.1', 'pricebook(customer_id, customer_group, price)'),
	('price_gap_mix', '{book}, ''new''', 'pricebook(item, customer_group, price)'),
	('fair_prices', 'NULL::text, {book}, ''new''', 'pricebook(item, date_trunc(''month'', ordered_at)::date, customer_group, price, 1)'),
	('fair_prices', '{book}, ''new''', 'pricebook(customer_id, customer_group, price)'),
	('fair_prices', '{book}, ''new''', 'pricebook(customer_id, date_trunc(''month'', ordered_at)::date, customer_group, price, 1, order_id::text)'),
	('price_gap_mix', '{book}, ''new''', 'pricebook(item, customer_group, price, customer_id::text)'),
	('price_slopes', '{book}', 'price_slope(item, ordered_at::date, amount::float8, price)'),
	('price_slopes', '{book}, 0.2', 'price_slope(item, amount::float8, price)'),
	('price_slopes', '{book}', 'price_slope(item, ordered_at::date, amount::float8, price, customer_id::bigint)'),
	('price_slopes', '{book}', 'price_slope(item, amount::float8, price, lpad(customer_id::text, 32, ''0'')::uuid)'),
	('cohort_retention', '{book}', 'retention_book(customer_id, ordered_at, amount, ''week'', ''UTC'')'),
	('cohort_retention', '{book}, date ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''month'', ''UTC'')'),
	('cohort_retention', '{book}, timestamp ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''month'', ''UTC'')'),
	('cohort_retention', '{book}, ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''month'', ''UTC'')'),
	('lifecycle_counts', '{book}', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('lifecycle_counts', '{book}, date ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('lifecycle_counts', '{book}, timestamp ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('lifecycle_counts', '{book}, ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('stickiness', '{book}', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('stickiness', '{book}, date ''2027-01-01'', until => ''2026-05-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('stickiness', '{book}, timestamp ''2027-01-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('stickiness', '{book}, ''2027-01-01'', ''2026-02-01''', 'retention_book(customer_id, ordered_at, ''week'', ''UTC'')'),
	('day_retention', '{book}', 'retention_book(customer_id, ordered_at)'),
	('day_retention', '{book}, ''2027-01-01'', 7', 'retention_book(customer_id::text, ordered_at)'),
	('day_retention', '{book}, last_day => 30, bounds => ''{1,8}''', 'retention_book_since(customer_id, timestamptz ''2025-12-31'', ordered_at)'),
	('cohort_retention', '{book}', 'retention_book_since(customer_id, date ''2025-12-31'', ordered_at, amount, ''week(sunday)'', ''UTC'')'),
	('revenue_growth', '{book}', 'retention_book(customer_id, ordered_at, amount, ''week'', ''UTC'')'),
	('revenue_growth', '{book}, date ''2027-01-01''', 'retention_book(customer_id, ordered_at, amount, ''month'', ''UTC'')'),
	('revenue_growth', '{book}, timestamp ''2027-01-01''', 'retention_book(customer_id, ordered_at, amount, ''month'', ''UTC'')'),
	('revenue_growth', '{book}, ''2027-01-01''', 'retention_book(customer_id, ordered_at, amount, ''month'', ''UTC'')'),
	('funnel_steps', '{book}', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_steps', '{book}, ''clickhouse''', 'funnel_book(NULL::bigint, ''9 days'', ordered_at, amount < 40, amount > 20)'),
	('funnel_steps', '{book}, exclusions => ''{{3,1,2}}'', step_gap => ''{1 day}''', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_members', '{book}, exclusions => ''{3}'', step_within => ''{3 days}''', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_members', '{book}, optional_steps => ''{2}''', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_steps', '{book}, ''any_order''', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_conversions', '{book}', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_conversions', '{book}, ''2027-01-01'', step_within => ''{3 days}''', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20)'),
	('funnel_members', '{book}', 'funnel_book(customer_id, ''9 days'', ordered_at, amount < 40, amount > 20, amount > 60)'),
	('funnel_members', 'NULL::uuid, {book}, ''clickhouse''', 'funnel_book(lpad(customer_id::text, 32, ''0'')::uuid, ''9 days'', ordered_at, amount < 40, amount > 20)'),
	('funnel_members', 'NULL::text, {book}', 'funnel_book(customer_id::text, ''9 days'', ordered_at, amount < 40, amount > 20)'),
	('sessions', '{book}, ''9 days''', 'session_book(customer_id, ordered_at)'),
	('sessions', 'NULL::uuid, {book}', 'session_book(lpad(customer_id::text, 32, ''0'')::uuid, ordered_at)'),
	('session_members', '{book}, ''9 days''', 'session_book(customer_id, ordered_at)'),
	('session_members', 'NULL::text, {book}', 'session_book(customer_id::text, ordered_at)'),
	('interaction_stages', '{book}', 'interaction_book(customer_id, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('interaction_members', '{book}', 'interaction_book(customer_id, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('interaction_members', '{book}, min_own => 3, min_own_share => 0.6', 'interaction_book(customer_id, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('interaction_members', 'NULL::uuid, {book}', 'interaction_book(lpad(customer_id::text, 32, ''0'')::uuid, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('interaction_members', 'NULL::text, {book}', 'interaction_book(customer_id::text, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('interaction_transitions', '{book}, ''2026-06-01''', 'interaction_book(customer_id, CASE WHEN amount < 40 THEN ''own'' ELSE ''obliged'' END, ordered_at)'),
	('tier_history', '{book}, limits => ARRAY[900, 400], names => ARRAY[''gold'', ''silver'', ''member'']', 'spend(ordered_at, amount)'),
	('tier_history', '{book}, timestamptz ''2027-01-01'', ARRAY[900, 400], ARRAY[''gold'', ''silver'', ''member'']', 'spend(ordered_at, amount)'),
	('tier_history', '{book}, date ''2027-01-01'', ARRAY[900, 400], ARRAY[''gold'', ''silver'', ''member'']', 'spend(ordered_at, amount)'),
	('tier_history', '{book}, timestamp ''2027-01-01'', ARRAY[900, 400], ARRAY[''gold'', ''silver'', ''member'']', 'spend(ordered_at, amount)'),
	('tier_history', '{book}, ''2027-01-01'', ARRAY[900, 400], ARRAY[''gold'', ''silver'', ''member'']', 'spend(ordered_at, amount)'),
	('tier_history', '{book}, limits => ARRAY[900, 400], names => ARRAY[''gold'', ''silver'', ''member''], unit => ''month'', from_zero => true, keep_for => ''2 months'', keep_limits => ARRAY[500, 300], soft_landing => true, with_kept => true', 'spend(ordered_at, amount)'),
	('points_lapses', '{book}', 'points(ordered_at, amount)'),
	('points_lapses', '{book}, timestamptz ''2026-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_lapses', '{book}, date ''2026-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_lapses', '{book}, timestamp ''2026-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_lapses', '{book}, ''2026-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_history', '{book}, valid_for => ''3 months''', 'points(ordered_at, amount)'),
	('points_history', '{book}, timestamptz ''2027-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_history', '{book}, date ''2027-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_history', '{book}, timestamp ''2027-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('points_history', '{book}, ''2027-12-01'', ''6 months'', ''month''', 'points(ordered_at, amount)'),
	('clv_members', '{book}, clv_fit({book}, penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_members', '{book}, clv_fit({book}, ''pareto/nbd'', penalty => 1), ''3 months'', ''2026-06-30'', 0.05, 0.4', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_members', 'NULL::text, {book}, clv_fit({book}, penalty => 1)', 'retention_book(customer_id::text, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_members', 'NULL::uuid, {book}, clv_fit({book}, penalty => 1)', 'retention_book(lpad(customer_id::text, 32, ''0'')::uuid, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_summaries', '{book}', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_summaries', 'NULL::text, {book}, ''2026-06-30''', 'retention_book(customer_id::text, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_parameters', 'clv_fit({book}, penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_details', 'clv_fit({book}, penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('new_member_value', 'clv_fit({book}, penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_check', '{book}, ''2026-06-30'', penalty => 1', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_check_deciles', '{book}, ''2026-06-30'', penalty => 1', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_frequencies', '{book}, clv_fit({book}, penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('clv_tracking', '{book}, clv_fit({book}, until => ''2026-06-30'', penalty => 1)', 'retention_book(customer_id, ordered_at, amount, ''day'', ''UTC'')'),
	('campaign_results', '{book}', 'campaign(customer_id % 3 > 0, amount)'),
	('campaign_results', '{book}, 0.2', 'campaign(customer_id % 3 > 0, amount, price)'),
	('campaign_groups', '{book}', 'campaign(customer_id % 3 > 0, amount, price)'),
	('campaign_sample_ratios', '{book}, 0.7', 'campaign(customer_id % 3 > 0, amount)'),
	('campaign_segments', '{book}', 'campaign_book(item, customer_id % 3 > 0, floor(amount / 60))'),
	('campaign_segments', '{book}, 0.2', 'campaign_book(item, customer_id > 0, amount)'),
	('campaign_differences', '{book}', 'campaign_book(item, customer_id % 3 > 0, floor(amount / 60))'),
	('campaign_offers', '{book}, 20, 0.1, 1, 0.9, 0.1', 'campaign_book(item, customer_id % 3 > 0, floor(amount / 60))'),
	('uplift_curves', '{book}', 'campaign_book(price::float8, customer_id % 3 > 0, floor(amount / 60))'),
	('uplift_points', '{book}', 'campaign_book(price::float8, customer_id % 3 > 0, amount)'),
	('contact_pressures', '{book}', 'contact_book(customer_id, item, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_pressures', 'NULL::uuid, {book}, ''2027-06-01'', ''100 days'', ''{item 1,item 2}'', ''{2,0}''', 'contact_book(lpad(customer_id::text, 32, ''0'')::uuid, item, ''sent'', ordered_at)'),
	('contact_engagements', '{book}', 'contact_book(customer_id, customer_group, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_engagements', 'NULL::text, {book}, lookback => ''900 days'', prior_weight => 3', 'contact_book(customer_id::text, item, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_priors', '{book}, respond_within => ''20 days''', 'contact_book(customer_id, item, CASE WHEN amount < 40 THEN ''converted'' ELSE ''sent'' END, ordered_at)'),
	('contact_allowances', '{book}', 'contact_book(customer_id, item, CASE WHEN amount < 5 THEN ''unsubscribed'' WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_allowances', 'NULL::uuid, {book}, NULL, ''90 days'', 2, 1, 3, ''900 days''', 'contact_book(lpad(customer_id::text, 32, ''0'')::uuid, customer_group, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_fatigue', '{book}, span => ''90 days''', 'contact_book(customer_id, customer_group, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('contact_fatigue', '{book}, max_prior => 2, channel => ''new''', 'contact_book(customer_id::text, customer_group, CASE WHEN amount < 40 THEN ''clicked'' ELSE ''sent'' END, ordered_at)'),
	('member_preferences', '{book}', 'preference_book(customer_id, item, amount)'),
	('member_preferences', 'NULL::uuid, {book}, 1', 'preference_book(lpad(customer_id::text, 32, ''0'')::uuid, item, amount)'),
	('member_preferences', 'NULL::text, {book}, 1, 2.5', 'preference_book(customer_id::text, item, amount)'),
	('audience_overlaps', '{book}, ''{a,b}''', 'audience_book(customer_id, amount::float8, amount < 40, amount > 20)'),
	('audience_plan', '{book}', 'audience_book(customer_id, amount::float8, amount < 40, amount > 20)'),
	('audience_plan', 'NULL::uuid, {book}, ''{5,NULL}''', 'audience_book(lpad(customer_id::text, 32, ''0'')::uuid, amount::float8, amount < 40, amount > 20)'),
	('audience_plan', 'NULL::text, {book}, ''{5,6}''', 'audience_book(customer_id::text, amount::float8, amount < 40, amount > 20)'),
	('audience_changes', '{book}, {book}, 2', 'audience_book(customer_id, amount::float8, amount < 40, amount > 20)'),
	('audience_changes', 'NULL::uuid, {book}, {book}, 1', 'audience_book(lpad(customer_id::text, 32, ''0'')::uuid, amount::float8, amount < 40, amount > 20)'),
	('item_affinities', '{book}, 1', 'basket_book(customer_id, order_id % 20)'),
	('item_affinities', 'NULL::text, {book}, 2, 6, 3, ''lift''', 'basket_book(lpad((order_id % 100)::text, 32, ''0'')::uuid, item)'),
	('item_affinities', 'NULL::text, {book}, 1, NULL, NULL', 'basket_book(customer_id::text, item)'),
	('order_checks', '{book}', 'check_book(customer_id::text, order_id::text, item, ordered_at, 1, amount)'),
	('order_checks', '{book}, timestamp ''2026-02-03'', ''Europe/Berlin''', 'check_book(customer_id::text, order_id::text, item, ordered_at, 1, amount, store)'),
	('order_checks', '{book}, date ''2026-02-03''', 'check_book(customer_id::text, store, item, ordered_at::date, amount, price)'),
	('order_checks', '{book}, ''2026-02-03'', columns => ''{a,b,c,d,e,f}''', 'check_book(customer_id::text, order_id::text, item, ordered_at::timestamp, amount, price)');

\echo '# Functions of the extension that return sets and are not tried here'
SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
	JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'custmart' AND p.proretset AND p.proname NOT IN (SELECT name FROM report UNION VALUES ('rfm_segment_map'), ('member_mart_script'), ('unnest'));

\echo '# The one that has no book: rfm_segment_map (unnest of a tagbloom only raises an error; member_mart_script gives statements)'
SELECT count(*), array_agg(s ORDER BY s::text) = (SELECT array_agg(f ORDER BY f::text) FROM rfm_segment_map() f) AS is_same
FROM (SELECT (rfm_segment_map()).*) s;

-- The same report four ways: in FROM, as columns and as one row from the select list, and for every store at once.
CREATE FUNCTION pg_temp.rows_of(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE result text[];
BEGIN
	EXECUTE format('SELECT array_agg(r::text) FROM (%s) r', statement) INTO result;
	RETURN coalesce(result, '{}');
END $$;

CREATE FUNCTION pg_temp.try_report(r report) RETURNS TABLE (row_count integer, columns boolean, whole boolean, grouped boolean, limited boolean, left_early boolean)
LANGUAGE plpgsql AS $$
DECLARE
	made text := r.name || '(' || replace(r.call, '{book}', r.source) || ')';
	stored text := r.name || '(' || replace(r.call, '{book}', 'b.book') || ')';
	books text := format('(SELECT %s AS book FROM orders)', r.source);
	books_by_store text := format('(SELECT store, %s AS book FROM orders GROUP BY store)', r.source);
	expected text[] := pg_temp.rows_of(format('SELECT r.* FROM %s b, %s r', books, stored));
	by_store text[] := pg_temp.rows_of(format('SELECT store, r.* FROM %s b, %s r ORDER BY store', books_by_store, stored));
BEGIN
	row_count := cardinality(expected);
	columns := pg_temp.rows_of(format('SELECT (%s).* FROM orders', made)) = expected;
	whole := pg_temp.rows_of(format('SELECT (s.r).* FROM (SELECT %s AS r FROM %s b OFFSET 0) s', stored, books)) = expected;
	grouped := pg_temp.rows_of(format('SELECT * FROM (SELECT store, (%s).* FROM orders GROUP BY store) g ORDER BY store', made)) = by_store;
	limited := pg_temp.rows_of(format('SELECT (%s).* FROM %s b LIMIT 1', stored, books)) = expected[:1];
	left_early := pg_temp.rows_of(format('SELECT store, first.* FROM %s b, LATERAL (SELECT (%s).* LIMIT 1) first ORDER BY store', books_by_store, stored))
		= pg_temp.rows_of(format('SELECT store, first.* FROM %s b, LATERAL (SELECT * FROM %s r LIMIT 1) first ORDER BY store', books_by_store, stored));
	RETURN NEXT;
END $$;

\echo '# Reports that differ, or have no rows'
SELECT r.name, r.call, t.* FROM report r, pg_temp.try_report(r) t
WHERE NOT (t.row_count > 0 AND t.columns AND t.whole AND t.grouped AND t.limited AND t.left_early);

\echo '# Of NULL there are no rows'
SELECT count(*) FROM (SELECT (rfm_members(NULL::rfm_book)).*) r;
SELECT (SELECT count(*) FROM (SELECT (cohort_retention(NULL)).*) r) AS cohorts, (SELECT count(*) FROM (SELECT (stickiness(NULL, NULL)).*) r) AS sticky, (SELECT count(*) FROM (SELECT (funnel_steps(NULL)).*) r) AS steps, (SELECT count(*) FROM (SELECT (funnel_members(NULL::uuid, NULL)).*) r) AS members;

\echo '# How often a report is called in the select list: once, but once for each column if an argument is a subquery'
CREATE FUNCTION pg_temp.calls(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	line text;
	is_below boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS off) ' || statement LOOP
		is_below := is_below OR line ~ 'ProjectSet';
		IF is_below AND line ~ 'Output:' THEN
			RETURN cardinality(regexp_split_to_array(line, 'rfm_segments\(')) - 1;
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.calls('SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount))).* FROM orders') AS plain,
	pg_temp.calls('SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount), as_of => now(), bins => 4)).* FROM orders') AS with_arguments,
	pg_temp.calls('SELECT store, (rfm_segments(rfm_book(customer_id, ordered_at, amount))).* FROM orders GROUP BY store') AS grouped,
	pg_temp.calls('SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount), bins => (SELECT 4))).* FROM orders') AS with_subquery;

\echo '# How many rows the planner expects: of a book at hand, of one made on the spot, of one that it cannot see'
CREATE TEMP TABLE many AS SELECT i % 3000 AS customer_id FROM generate_series(1, 30000) i;
ANALYZE many;
CREATE FUNCTION pg_temp.expected_rows(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT rfm_book(i, '2026-01-01', 1) AS book, funnel_book(i, '1 day', '2026-01-01', true) AS funnels FROM generate_series(1, 1234) i \gset
SELECT pg_temp.expected_rows(format('SELECT * FROM rfm_members(%L::rfm_book)', :'book')) AS at_hand,
	pg_temp.expected_rows(format('SELECT (rfm_members(%L::rfm_book)).*', :'book')) AS at_hand_in_select_list,
	pg_temp.expected_rows(format('SELECT * FROM rfm_members(NULL::bigint, %L::rfm_book)', :'book')) AS with_a_type,
	pg_temp.expected_rows('SELECT (rfm_members(rfm_book(customer_id, ''2026-01-01'', 1))).* FROM many') AS made_on_the_spot,
	pg_temp.expected_rows('SELECT * FROM rfm_members((SELECT rfm_book(customer_id, ''2026-01-01'', 1) FROM many))') AS in_a_subquery,
	pg_temp.expected_rows('SELECT * FROM rfm_members(NULL::rfm_book)') AS of_null;
SELECT pg_temp.expected_rows(format('SELECT * FROM funnel_members(%L)', :'funnels')) AS at_hand, pg_temp.expected_rows(format('SELECT * FROM funnel_members(NULL::bigint, %L::funnel_book)', :'funnels')) AS with_a_type,
	pg_temp.expected_rows('SELECT (funnel_members(funnel_book(customer_id, ''1 day'', ''2026-01-01'', true))).* FROM many') AS made_on_the_spot,
	pg_temp.expected_rows('SELECT * FROM funnel_members((SELECT funnel_book(customer_id, ''1 day'', ''2026-01-01'', true) FROM many))') AS in_a_subquery;
SELECT pg_temp.expected_rows('SELECT (interaction_members(interaction_book(customer_id, ''own'', ''2026-01-01''))).* FROM many') AS interaction_members,
	pg_temp.expected_rows('SELECT (contact_pressures(contact_book(customer_id, ''email'', ''sent'', ''2026-01-01''))).* FROM many') AS contact_pressures,
	pg_temp.expected_rows('SELECT (price_gap_items(NULL::bigint, pricebook(customer_id, ''new'', 1), ''new'')).* FROM many') AS price_gap_items;

\echo '# A library beside the SQL of another version says so, and writes no row that is too long'
CREATE FUNCTION pg_temp.segments_of_another_version(book rfm_book, as_of timestamp, bins int, cuts rfm_cuts) RETURNS TABLE (segment text, members bigint)
	LANGUAGE C IMMUTABLE AS '$libdir/custmart', 'custmart_rfm_segments';
SELECT * FROM pg_temp.segments_of_another_version(:'book', NULL, NULL, NULL);
SELECT (pg_temp.segments_of_another_version(:'book', NULL, NULL, NULL)).*;
