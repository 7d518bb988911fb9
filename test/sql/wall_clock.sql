-- Times given as a timestamp or a date to what knows a time zone: what its clocks show, and the start of the day
-- there.  Nothing here sets the time zone of the session but where it says so: the output is the same in any.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA wall_clock_test;
SET search_path = wall_clock_test, public;
SET datestyle = 'ISO';

-- ---------- rows ----------

-- An order of the first of December is of December, wherever the session is.
CREATE TABLE orders (member bigint, day date, at timestamp, amount numeric);
INSERT INTO orders SELECT m, day, day + time '23:30', 10 FROM (VALUES (1, date '2010-12-01'), (1, '2011-01-31'), (2, '2010-12-31'), (3, '2011-01-01')) v (m, day);
CREATE VIEW answers AS
SELECT zone, c.cohort, c.period, c.members, c.active, c.active = m.active AND m.net = 10 * m.active AND c.active = t.active AND n.net = m.net AS same
FROM unnest('{UTC,Europe/Berlin,America/New_York,Asia/Tokyo}'::text[]) zone
	CROSS JOIN LATERAL (SELECT retention_book(member, day, 'month', zone) AS d, retention_book(member, day, amount, 'month', zone) AS da, retention_book(member, at, 'month', zone) AS t, retention_book(member, at, amount, 'month', zone) AS ta FROM orders) b
	CROSS JOIN LATERAL cohort_retention(d) c JOIN LATERAL cohort_retention(da) m USING (cohort, period) JOIN LATERAL cohort_retention(t) t USING (cohort, period) JOIN LATERAL cohort_retention(ta) n USING (cohort, period);
SELECT cohort, period, members, active, bool_and(same) AS same, count(*) AS zones FROM answers GROUP BY 1, 2, 3, 4 ORDER BY 1, 2;
SELECT zone, first_period(activity(day, 'month', zone)) AS of_dates, period_list(activity(at, 'day', zone)) AS of_timestamps FROM orders, unnest('{UTC,Asia/Tokyo,Pacific/Pago_Pago}'::text[]) zone GROUP BY zone ORDER BY zone COLLATE "C";
-- Members of all types, and the same bytes as with AT TIME ZONE.
SELECT count(*) FILTER (WHERE retention_book_send(x) <> retention_book_send(y)) AS differ, count(*) FROM (
	SELECT unnest(ARRAY[retention_book(member, at, 'week', 'Europe/Berlin'), retention_book(member::text, at, 'week', 'Europe/Berlin'), retention_book(u, at, 'week', 'Europe/Berlin'),
		retention_book(member, at, amount, 'week', 'Europe/Berlin'), retention_book(member::text, at, amount, 'week', 'Europe/Berlin'), retention_book(u, at, amount, 'week', 'Europe/Berlin'),
		retention_book(member, day, 'week', 'Europe/Berlin'), retention_book(member::text, day, 'week', 'Europe/Berlin'), retention_book(u, day, 'week', 'Europe/Berlin'),
		retention_book(member, day, amount, 'week', 'Europe/Berlin'), retention_book(member::text, day, amount, 'week', 'Europe/Berlin'), retention_book(u, day, amount, 'week', 'Europe/Berlin')]) AS x,
		unnest(ARRAY[retention_book(member, t, 'week', 'Europe/Berlin'), retention_book(member::text, t, 'week', 'Europe/Berlin'), retention_book(u, t, 'week', 'Europe/Berlin'),
		retention_book(member, t, amount, 'week', 'Europe/Berlin'), retention_book(member::text, t, amount, 'week', 'Europe/Berlin'), retention_book(u, t, amount, 'week', 'Europe/Berlin'),
		retention_book(member, d, 'week', 'Europe/Berlin'), retention_book(member::text, d, 'week', 'Europe/Berlin'), retention_book(u, d, 'week', 'Europe/Berlin'),
		retention_book(member, d, amount, 'week', 'Europe/Berlin'), retention_book(member::text, d, amount, 'week', 'Europe/Berlin'), retention_book(u, d, amount, 'week', 'Europe/Berlin')]) AS y
	FROM (SELECT *, md5(member::text)::uuid AS u, at AT TIME ZONE 'Europe/Berlin' AS t, day::timestamp AT TIME ZONE 'Europe/Berlin' AS d FROM orders) o) s;

-- Plain SQL gives the same: a book holds its latest time, so books of one row are equal if their times are.
-- Every quarter of an hour for three days around changes of the clocks; all of history and far beyond; both ends of pieces of time.
CREATE TABLE zones AS SELECT unnest('{UTC,Europe/Berlin,America/New_York,Australia/Lord_Howe,Africa/Casablanca,Pacific/Apia,America/Sao_Paulo,Pacific/Kiritimati,Asia/Kathmandu,Antarctica/Troll,America/Havana,America/St_Johns,America/Juneau,Europe/Dublin,Asia/Manila,<-0130>01:30,"XXX23YYY,M3.2.0,M11.1.0","XXX-100YYY66,M3.2.0,M11.1.0"}'::text[]) AS zone;
CREATE TABLE moments AS
SELECT zone, local FROM zones, LATERAL (
	SELECT timestamp '1840-01-01' + (hashint8extended(n, hashtext(zone)) & 4294967295) * interval '2 seconds' AS local FROM generate_series(1, 300::bigint) n
	UNION ALL SELECT timestamp '4712-01-02 BC' + (hashint8extended(n, hashtext(zone)) & 4294967295) * interval '2000 seconds' FROM generate_series(1, 100::bigint) n
	UNION ALL SELECT timestamp '2000-01-01' + n * interval '549755813888 microseconds' - p * interval '1 microsecond' FROM generate_series(-4, 300, 2) n, generate_series(0, 1) p) s;
INSERT INTO moments
SELECT zone, day::timestamp + n * interval '15 minutes' - p * interval '1 microsecond'
FROM (SELECT zone, day, row_number() OVER (PARTITION BY zone ORDER BY hashtext(day::text)) AS nth
	FROM zones, LATERAL (SELECT date '1890-01-01' + i AS day FROM generate_series(0, 56600) i) d
	WHERE (day::timestamp AT TIME ZONE 'UTC') - (day::timestamp AT TIME ZONE zone) <> ((day + 1)::timestamp AT TIME ZONE 'UTC') - ((day + 1)::timestamp AT TIME ZONE zone)) d,
	generate_series(-96, 192) n, generate_series(0, 1) p
WHERE nth <= 4;
SELECT count(*) > 40000 AS many, count(DISTINCT zone) AS zones, count(*) FILTER (WHERE got <> want) AS differ
FROM (SELECT zone, local, retention_book_send(retention_book(1, local, 'day', zone)) AS got, retention_book_send(retention_book(1, local AT TIME ZONE zone, 'day', zone)) AS want FROM moments GROUP BY zone, local ORDER BY hashtext(local::text)) s;
SELECT count(*) AS differ FROM (SELECT FROM moments GROUP BY zone, local HAVING activity(local, 'day', zone) <> activity(local AT TIME ZONE zone, 'day', zone)) s;
-- A day begins at its first midnight, where there are two.
SELECT count(*) > 2000 AS many, count(*) FILTER (WHERE got <> want) AS differ, count(DISTINCT zone) FILTER (WHERE begin <> day::timestamp AT TIME ZONE zone) > 0 AS two_midnights
FROM (SELECT zone, day, begin, retention_book_send(retention_book(1, day, 'day', zone)) AS got, retention_book_send(retention_book(1, begin, 'day', zone)) AS want
	FROM (SELECT zone, day, CASE WHEN (at - interval '1 hour') AT TIME ZONE zone = day::timestamp THEN at - interval '1 hour' ELSE at END AS begin
		FROM (SELECT DISTINCT zone, local::date AS day, local::date::timestamp AT TIME ZONE zone AS at FROM moments WHERE zone NOT LIKE 'XXX%') m) b GROUP BY zone, day, begin) s;
-- A day that was left out is the day after, and a time that was, one that was not.
SELECT first_period(activity(date '2011-12-30', 'day', 'Pacific/Apia')) AS apia, first_period(activity(timestamp '2018-11-04 00:30', 'day', 'America/Sao_Paulo')) AS sao_paulo, first_period(activity(date '2018-11-04', 'day', 'America/Sao_Paulo')) AS sao_paulo_day;

-- NULL, and errors.
SELECT activity(NULL::date, 'day', 'UTC') IS NULL AS date, activity(NULL::timestamp, 'day', 'UTC') IS NULL AS timestamp, rows_skipped(retention_book(1, NULL::date, 'day', 'UTC')), rows_skipped(retention_book(1, NULL::timestamp, 5, 'day', 'UTC'));
SELECT call, hostile.error_of('SELECT ' || call) AS error FROM unnest(ARRAY[
	$$activity(date 'infinity', 'day', 'UTC')$$, $$activity(timestamp '-infinity', 'day', 'UTC')$$, $$retention_book(1, date '-infinity', 'day', 'UTC')$$,
	$$activity(date '294277-01-01', 'day', 'UTC')$$, $$activity(date '294276-12-31', 'day', 'XXX25')$$, $$activity(date '4714-11-24 BC', 'day', 'Asia/Tokyo')$$, $$activity(timestamp '294276-12-31 23:00', 'day', 'America/New_York')$$,
	$$activity(timestamp '4714-11-24 BC', 'day', 'Asia/Tokyo')$$, $$activity(date '2026-01-01', 'day', 'Nowhere')$$, $$activity(timestamp '2026-01-01', 'fortnight', 'UTC')$$]) call;
SELECT first_period(activity(d, 'day', zone)) FROM (VALUES (date '294276-12-31', 'UTC'), ('294276-12-31', 'America/New_York'), ('4714-11-24 BC', 'UTC'), ('4714-11-24 BC', 'America/New_York')) v (d, zone) GROUP BY d, zone ORDER BY 1;
\set VERBOSITY default
SELECT activity(timestamp '294276-12-31 23:00', 'day', 'America/New_York');
\set VERBOSITY terse

-- ---------- as_of ----------

-- 1,500 spent in June 2024: the year ends, and the next, in New York; until then the tier is kept.
CREATE VIEW spent AS SELECT spend(timestamptz '2024-06-01 12:00+00', 1500) AS x;
CREATE TABLE sessions (zone text, answer text);
CREATE FUNCTION answers() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', tier_by_spend(x, '2026-01-01', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_by_spend(x, date '2026-01-01', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_by_spend(x, timestamp '2026-01-01', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_by_spend(x, timestamptz '2026-01-01 00:00+00', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_by_spend(x, '2026-01-01 00:00+00', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_by_spend(x, timestamp '2025-12-31 23:59:59.999999', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York'),
		tier_until(x, '2024-12-31', ARRAY[1000], timezone => 'Europe/Berlin') - date '2000-01-01', tier_until(x, date '2024-12-31', ARRAY[1000], timezone => 'Asia/Tokyo') - date '2000-01-01',
		spend_to_next(x, '2025-06-01 08:00', ARRAY[2000], timezone => 'America/New_York'), spend_to_next(x, '2025-06-01 07:59', ARRAY[2000], timezone => 'America/New_York'),
		rolling_spend(x, '2025-06-01 08:00', timezone => 'America/New_York'), rolling_spend(x, timestamp '2025-06-01 07:59', timezone => 'America/New_York'), rolling_spend(x, date '2025-06-02', timezone => 'America/New_York'),
		(SELECT count(*) FROM tier_history(x, '2025-12-31 23:59', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York')),
		(SELECT count(*) FROM tier_history(x, date '2026-01-01', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York')),
		(SELECT count(*) FROM tier_history(x, timestamp '2025-12-31 23:59', ARRAY[1000], ARRAY['gold', 'member'], timezone => 'America/New_York')))
		|| (SELECT string_agg(' ' || (SELECT count(*) FROM cohort_retention(b, '2011-02-28 23:59')) || (SELECT count(*) FROM cohort_retention(b, '2011-03-01')) || (SELECT count(*) FROM cohort_retention(b, date '2011-03-01')) || (SELECT count(*) FROM cohort_retention(b, timestamp '2011-02-28 23:59'))
			|| (SELECT count(*) FROM lifecycle_counts(b, '2011-02-28 23:59')) || (SELECT count(*) FROM lifecycle_counts(b, '2011-03-01')) || (SELECT count(*) FROM lifecycle_counts(b, date '2011-03-01')) || (SELECT count(*) FROM lifecycle_counts(b, timestamp '2011-02-28 23:59')), '' ORDER BY zone COLLATE "C")
			FROM (SELECT zone, retention_book(member, day, 'month', zone) AS b FROM orders, unnest('{Europe/Berlin,America/New_York,Pacific/Kiritimati}'::text[]) zone GROUP BY zone) s)
	FROM spent
$$;
-- Cohorts of December and January have 3 and 2 cells up to February, 4 and 3 up to March.
SELECT answers();
SELECT current_setting('timezone') AS session \gset
SELECT format('SET timezone = %L; INSERT INTO sessions SELECT %1$L, answers()', zone) FROM unnest('{UTC,Europe/Berlin,America/New_York,Asia/Tokyo,Pacific/Kiritimati,Pacific/Pago_Pago}'::text[]) zone \gexec
SET timezone = :'session';
SELECT count(*) AS sessions, count(DISTINCT answer) AS answers, bool_and(answer = answers()) AS same FROM sessions;

-- What a literal, a parameter of no type and every type of time is taken for; as_of is the latest by name and if omitted.
CREATE TABLE times (d date, l timestamp, t timestamptz, s text, v varchar(40));
INSERT INTO times VALUES ('2026-01-01', '2026-01-01', '2026-01-01 05:00+00', '2026-01-01', '2026-01-01 00:00');
SELECT tier_by_spend(x, d, '{1000}', '{gold,member}', timezone => z) AS date, tier_by_spend(x, l, '{1000}', '{gold,member}', timezone => z) AS timestamp, tier_by_spend(x, t, '{1000}', '{gold,member}', timezone => z) AS timestamptz,
	tier_by_spend(x, t - interval '1 us', '{1000}', '{gold,member}', timezone => z) AS earlier, tier_by_spend(x, s, '{1000}', '{gold,member}', timezone => z) AS text, tier_by_spend(x, v, '{1000}', '{gold,member}', timezone => z) AS varchar,
	tier_by_spend(x, NULL, '{1000}', '{gold,member}', timezone => z) AS null, tier_by_spend(x, as_of => '2026-01-01', limits => '{1000}', names => '{gold,member}', timezone => z) AS named, tier_by_spend(x, now(), '{1000}', '{gold,member}', timezone => z) IS NOT NULL AS now,
	tier_by_spend(x, current_date, '{1000}', '{gold,member}', timezone => z) IS NOT NULL AS today
FROM spent, times, (VALUES ('America/New_York')) z (z);
PREPARE untyped AS SELECT tier_by_spend(x, $1, '{1000}', '{gold,member}', timezone => 'America/New_York'), pg_typeof($1) FROM spent;
EXECUTE untyped('2026-01-01');
EXECUTE untyped('2025-12-31 23:59:59');
EXECUTE untyped('2026-01-01 00:00:00+01');
-- A day is a day, whatever offset JDBC has added to it.
EXECUTE untyped('2026-01-01 +01');
EXECUTE untyped('2025-12-31 -11:00');
SELECT count(*) AS omitted, (SELECT count(*) FROM cohort_retention(b, NULL)) AS of_null, (SELECT count(*) FROM cohort_retention(book => b)) AS named, (SELECT count(*) FROM cohort_retention(b, as_of => '2011-03-01')) AS later, (SELECT count(*) FROM lifecycle_counts(b)) AS growth
FROM (SELECT retention_book(member, day, 'month', 'Europe/Berlin') AS b FROM orders) s, cohort_retention(b) GROUP BY b;
-- A view keeps what it means.
CREATE VIEW kept AS SELECT tier_by_spend(x, '2026-01-01', '{1000}', '{gold,member}', timezone => 'America/New_York') AS tier FROM spent;
SELECT pg_get_viewdef('kept') LIKE '%''2026-01-01''::text%' AS text, tier FROM kept;
-- An error leaves the session's zone as it was.
SELECT call, hostile.error_of(format('SELECT %s FROM wall_clock_test.spent', call)) AS error FROM unnest(ARRAY[
	$$tier_by_spend(x, 'soon', '{1000}', '{gold,member}')$$, $$tier_by_spend(x, 'infinity', '{1000}', '{gold,member}')$$, $$tier_by_spend(x, date '-infinity', '{1000}', '{gold,member}')$$, $$tier_until(x, timestamp 'infinity', '{1000}')$$,
	$$spend_to_next(x, '2024-06-01', '{1000}', timezone => 'America/New_York')$$, $$rolling_spend(x, date '294277-01-01')$$]) call;
SELECT current_setting('timezone') = :'session' AS same, timestamptz '2026-01-01' = timestamp '2026-01-01' AT TIME ZONE :'session' AS same_times;
