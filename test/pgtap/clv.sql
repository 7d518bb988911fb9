-- clv against plain SQL: what clv_summaries() says is computed once more from the rows,
-- and what is true of any model is tried on all of them.
--
-- Needs the extensions custmart and pgtap in the database.  Online Retail is read where
-- $CUSTMART_SHARED/data has it, else its tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'America/New_York';
SET LOCAL client_min_messages = warning;

SELECT plan(60);

-- One row per order or refund, of which any column may be NULL.
CREATE TEMP TABLE line (member bigint, at timestamptz, amount numeric);

-- The summaries by their definition; without members whose first order is after the day.
CREATE FUNCTION pg_temp.summaries(zone text, until date)
RETURNS TABLE (member bigint, repeats bigint, last_age float8, age float8, mean_spend numeric, holdout_days bigint, holdout_net numeric) LANGUAGE sql AS $$
	WITH row AS (SELECT member, (at AT TIME ZONE zone)::date AS day, amount FROM line WHERE member IS NOT NULL AND at IS NOT NULL AND amount IS NOT NULL),
	day AS (SELECT member, day, bool_or(amount >= 0) AS has_order, sum(amount) AS net FROM row GROUP BY member, day),
	first AS (SELECT member, min(day) AS first FROM day WHERE has_order GROUP BY member)
	SELECT member, count(*) FILTER (WHERE has_order AND day > first AND day <= until), max(day) FILTER (WHERE has_order AND day <= until) - first, until - first,
		sum(net) FILTER (WHERE day > first AND day <= until) / nullif(count(*) FILTER (WHERE has_order AND day > first AND day <= until), 0),
		count(*) FILTER (WHERE has_order AND day > until), coalesce(sum(net) FILTER (WHERE day > until), 0)
	FROM day JOIN first USING (member) WHERE first <= until GROUP BY member, first
$$;

-- Rows that one has and the other has not.
CREATE FUNCTION pg_temp.differences(zone text, until date) RETURNS bigint LANGUAGE sql AS $$
	WITH given AS (SELECT member, repeats, last_age, age, mean_spend, holdout_days, holdout_net FROM (SELECT retention_book(member, at, amount, 'day', zone) AS b FROM line) x, clv_summaries(b, until)),
	wanted AS (SELECT * FROM pg_temp.summaries(zone, until))
	SELECT (SELECT count(*) FROM (TABLE given EXCEPT TABLE wanted) d) + (SELECT count(*) FROM (TABLE wanted EXCEPT TABLE given) d)
$$;

-- Of a model and figures: what must hold whatever they are.
CREATE FUNCTION pg_temp.broken(m clv_model) RETURNS SETOF text LANGUAGE sql AS $$
	WITH figure AS MATERIALIZED (
		SELECT repeats, age, CASE WHEN repeats = 0 THEN 0 ELSE share * age END AS last_age, days FROM unnest('{0,1,2,7,40}'::bigint[]) repeats, unnest('{30,200,900}'::float8[]) age, unnest('{0.2,0.9,1}'::float8[]) share, unnest('{1,30,365}'::float8[]) days),
	predicted AS MATERIALIZED (
		SELECT f.*, p_alive(m, repeats, last_age, age) AS alive, p_alive(m, repeats, last_age, age + 50) AS alive_later, p_order(m, repeats, last_age, age, days) AS p, p_order(m, repeats, last_age, age, days + 1) AS p_longer,
			expected_orders(m, repeats, last_age, age, days) AS orders, expected_orders(m, repeats, last_age, age, 2 * days) AS twice, discounted_orders(m, repeats, last_age, age, days, 0.2) AS discounted,
			discounted_orders(m, repeats, last_age, age, days, 0) AS undiscounted FROM figure f)
	SELECT 'p_alive' FROM predicted WHERE NOT alive BETWEEN 0 AND 1 UNION ALL
	SELECT 'p_alive does not fall with silence' FROM predicted WHERE alive_later > alive + 1e-12 UNION ALL
	SELECT 'p_order is not below p_alive' FROM predicted WHERE NOT p BETWEEN 0 AND alive + 1e-12 UNION ALL
	SELECT 'p_order does not rise with time' FROM predicted WHERE p_longer < p - 1e-12 UNION ALL
	SELECT 'fewer orders than their chance' FROM predicted WHERE orders < p - 1e-12 UNION ALL
	SELECT 'orders of twice the time are not from one to two times as many' FROM predicted WHERE NOT twice BETWEEN orders - 1e-12 AND 2 * orders + 1e-12 UNION ALL
	SELECT 'a discount does not lower orders, or by too much' FROM predicted WHERE NOT discounted BETWEEN orders * 1.2 ^ (-days / 365.25) - 1e-12 AND orders + 1e-12 UNION ALL
	SELECT 'no discount is not none' FROM predicted WHERE abs(undiscounted - orders) > 1e-12 * orders UNION ALL
	SELECT 'an order a day later' FROM predicted WHERE abs(expected_orders(m, repeats, last_age, age, days + 1) - orders - (alive * (expected_orders(m, repeats, age, age, days + 1) - expected_orders(m, repeats, age, age, days)) / nullif(p_alive(m, repeats, age, age), 0))) > 1e-9 AND repeats > 0 UNION ALL
	SELECT 'mean spend' FROM unnest('{0,1,5,100}'::bigint[]) repeats, unnest('{-5,0,20,1000}'::numeric[]) mean WHERE NOT expected_spend(m, repeats, mean) > 0 UNION ALL
	SELECT 'spend does not come close to that of many orders' WHERE abs(expected_spend(m, 1000000, 20) - 20) > 0.1
$$;

-- Members of all kinds, some of whom never order, or only send back.
INSERT INTO line
SELECT CASE WHEN i % 97 > 0 THEN m END, CASE WHEN i % 89 > 0 THEN timestamptz '2025-01-01 00:00+00' + m % 300 * interval '1 day' + (i * i % (m + 1)) * interval '7 hours' END,
	CASE WHEN i % 83 > 0 THEN (((i * m * 7919) % 2003 - 700) * CASE WHEN m % 61 = 0 THEN 1e22 ELSE 0.01 END)::numeric END
FROM generate_series(1, 400::bigint) m, LATERAL generate_series(1, 1 + m * 31 % 13) i;

SELECT is(pg_temp.differences(zone, until), 0::bigint, format('summaries until %s, %s', until, zone))
FROM unnest('{UTC,Asia/Tokyo,America/New_York,<+0530>-5:30}'::text[]) zone, unnest('{2025-01-03,2025-03-31,2025-06-30,2025-10-01}'::date[]) until;
SELECT is((SELECT array_agg(s::text) FROM (SELECT (clv_summaries(retention_book(member, at, amount, 'day', 'UTC'))).* FROM line) s),
	(SELECT array_agg(s::text) FROM (SELECT retention_book(member, at, amount, 'day', 'UTC') AS b, max((at AT TIME ZONE 'UTC')::date) AS last FROM line WHERE member IS NOT NULL AND amount IS NOT NULL) x, clv_summaries(b, last) s), 'the last day is the one that is taken');
SELECT is((SELECT count(*) FROM pg_temp.summaries('UTC', '2025-10-01') WHERE repeats > 0 AND mean_spend <= 0) > 0, true, 'there are members who sent back more than they kept');

-- Wide money says nothing about what others spend.
UPDATE line SET amount = amount / 1e24 WHERE abs(amount) > 1e10;

-- Parts of the rows, by member, day or at random, merge to the same model.
CREATE TEMP TABLE whole AS SELECT model, clv_fit(retention_book(member, at, amount, 'day', 'Europe/Berlin'), model, penalty => 0.5) AS m FROM line, unnest('{bg/nbd,mbg/nbd,pareto/nbd}'::text[]) model GROUP BY model;
SELECT is((SELECT clv_fit(rollup(b), model, penalty => 0.5) FROM (SELECT retention_book(member, at, amount, 'day', 'Europe/Berlin') AS b FROM line GROUP BY CASE part WHEN 'member' THEN member % 7 WHEN 'day' THEN extract(doy FROM at)::int % 31 ELSE hashtext(line::text) % 10 END) p),
	m, format('%s of parts by %s', model, part)) FROM whole, unnest('{member,day,chance}'::text[]) part;

-- What is true of any model.
CREATE TEMP TABLE model AS
SELECT model || ', ' || name AS name, clv_fit(repeats, last_age, age, mean_spend, model) AS m
FROM unnest('{bg/nbd,mbg/nbd,pareto/nbd}'::text[]) model, (SELECT 'all' AS name, s.* FROM pg_temp.summaries('UTC', '2025-09-30') s UNION ALL SELECT 'some', s.* FROM pg_temp.summaries('UTC', '2025-06-30') s WHERE member % 3 = 0
	UNION ALL SELECT 'leavers', i, i % 4, CASE WHEN i % 4 > 0 THEN i % 4 * (5 + i % 17) END, 200 + i % 400, 10 + i % 30, 0, 0 FROM generate_series(1, 600) i) s
WHERE last_age IS NOT NULL OR repeats = 0 GROUP BY model, name
UNION ALL SELECT 'a guess, ' || model, clv_fit(2, 30 + i, 400, 20 + i % 2, model) FROM generate_series(1, 3) i, unnest('{bg/nbd,mbg/nbd,pareto/nbd}'::text[]) model GROUP BY model;
SELECT is_empty(format('SELECT * FROM pg_temp.broken(%L)', m), name) FROM model ORDER BY name;
SELECT is(m::text::clv_model, m, name || ' as text') FROM model ORDER BY name;

-- Members and the values of new ones add up.
SELECT ok(abs(sum(v.clv) - sum(v.p_alive * 0 + clv(m, v.repeats, v.last_age, v.age, s.mean_spend, 365, 0.1, 0.5))) < 1e-9 * sum(v.clv), model || ': members of a book and of columns')
FROM whole, (SELECT retention_book(member, at, amount, 'day', 'Europe/Berlin') AS b FROM line) l, LATERAL clv_members(b, m, '365 days', margin => 0.5) v, LATERAL (SELECT * FROM clv_summaries(b)) s WHERE s.member = v.member GROUP BY model ORDER BY model;
SELECT ok(abs(n.expected_orders - expected_orders(m, 0, 0, 0, 730.5)) < 1e-12 AND abs(n.clv - clv(m, 0, 0, 0, NULL, 730.5)) < 1e-9, name || ': a new member') FROM model, new_member_value(m, '2 years') n WHERE name LIKE '%leavers' ORDER BY name;

-- Online Retail
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
\copy retail FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER)
TRUNCATE line;
INSERT INTO line SELECT customer, at AT TIME ZONE 'UTC', quantity * price FROM retail;
SELECT is(pg_temp.differences(zone, until), 0::bigint, format('Online Retail: summaries until %s, %s', until, zone)) FROM (VALUES ('UTC', date '2011-08-31'), ('Asia/Tokyo', '2011-12-09'), ('America/New_York', '2010-12-01')) v(zone, until);
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 3);
\endif

SELECT * FROM finish();
ROLLBACK;
