-- When weeks, quarters and years begin: part of the unit, wherever one is taken.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA units_test;
SET search_path = units_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Every unit, what one writes for it, and when it begins by date_trunc: the unit begins so much later.
CREATE TABLE units (unit text, kind text, later interval, stored text);
INSERT INTO units SELECT format('week(%s)', lower(to_char(date '2000-01-03' + n, 'FMDay'))), 'week', n * interval '1 day', CASE WHEN n = 0 THEN 'week' ELSE format('week(%s)', lower(to_char(date '2000-01-03' + n, 'FMDay'))) END FROM generate_series(0, 6) n;
INSERT INTO units SELECT format('%s(%s)', kind, lower(to_char(date '2000-01-03' + n * interval '1 month', 'FMMonth'))), kind, n * interval '1 month',
	CASE WHEN n % length = 0 THEN kind ELSE format('%s(%s)', kind, lower(to_char(date '2000-01-03' + n % length * interval '1 month', 'FMMonth'))) END FROM generate_series(0, 11) n, (VALUES ('quarter', 3), ('year', 12)) v (kind, length);
INSERT INTO units SELECT unit, unit, '0', unit FROM unnest('{day,week,month,quarter,year}'::text[]) unit;
CREATE FUNCTION first_of(unit text, day date) RETURNS date LANGUAGE sql AS $$ SELECT (date_trunc(kind, day - later) + later)::date FROM units WHERE units.unit = $1 $$;
CREATE TABLE days AS SELECT date '1998-12-01' + n AS day FROM generate_series(0, 1000) n UNION SELECT unnest('{2023-12-31,2024-02-29,2024-03-01,1900-03-31,0001-01-01,0044-03-15 BC,5000-12-31}'::date[]);
SELECT count(*) AS units, count(*) FILTER (WHERE list IS DISTINCT FROM expected) AS differ
FROM units, LATERAL (SELECT period_list(activity(day, unit, 'UTC')) AS list FROM days) a, LATERAL (SELECT array_agg(DISTINCT first_of(unit, day) ORDER BY first_of(unit, day)) AS expected FROM days) e;
SELECT count(*) AS units, count(*) FILTER (WHERE list IS DISTINCT FROM expected) AS differ
FROM units, LATERAL (SELECT array_agg(cohort ORDER BY cohort) AS list FROM cohort_retention((SELECT retention_book(day - date '1990-01-01', day, unit, 'Asia/Tokyo') FROM days WHERE day BETWEEN '1999-01-01' AND '2002-01-01')) WHERE periods_later = 0) a,
	LATERAL (SELECT array_agg(DISTINCT first_of(unit, day) ORDER BY first_of(unit, day)) AS expected FROM days WHERE day BETWEEN '1999-01-01' AND '2002-01-01') e;
-- By the calendar of the time zone: Sunday begins at 05:00 in UTC where it is New York's.
SELECT period_list(activity(t, 'week(sunday)', 'America/New_York')) FROM unnest('{2026-01-04 04:59:59+00,2026-01-04 05:00+00,2026-01-11 04:59:59+00}'::timestamptz[]) t;
-- Reading: streaks, days of a period, lifecycles.
SELECT streak(a), longest_streak(a), is_active(a, '2026-03-31') AS last_year, is_active(a, '2026-04-01') AS this_year, streak(a, '2025-04-01'), lifecycle(a, '2027-04-01') FROM (SELECT activity(d, 'year(april)', 'UTC') AS a FROM unnest('{2024-04-01,2025-03-31,2025-12-31,2026-12-24}'::date[]) d) s;
SELECT s.* FROM stickiness((SELECT retention_book(1, d, 'week(saturday)', 'UTC') FROM unnest('{2026-01-02,2026-01-03,2026-01-09,2026-01-10}'::date[]) d), since => '2026-01-09', until => '2026-01-10') s;
-- The same periods by two names are the same bytes: stored is the canonical one, as errors show.
CREATE TABLE images AS SELECT unit, stored, activity_summary_send(activity(date '2026-05-05', unit, 'UTC')) AS image FROM units GROUP BY unit, stored;
SELECT count(*) AS names, count(DISTINCT image) AS units, count(*) FILTER (WHERE image <> (SELECT image FROM images c WHERE c.unit = i.stored)) AS differ FROM images i;
SELECT unit, activity_summary_send(activity(date '2000-01-10', unit, 'UTC')) FROM unnest('{week,week(sunday),quarter(may),year(april),year(december)}'::text[]) unit GROUP BY unit ORDER BY unit COLLATE "C";
SELECT bool_and(a::text::activity_summary = a AND first_period(a) = first_of(unit, '2026-05-05')) AS round_trip FROM (SELECT unit, activity(date '2026-05-05', unit, 'UTC') AS a FROM units GROUP BY unit) s;
-- Tiers of a fiscal year: gold of May 2025 is kept to the end of the first period whose end is more than a year later.
SELECT unit, tier_until(x, '2025-06-01', '{100}', unit => unit, timezone => 'Europe/Berlin'), h.since AT TIME ZONE 'Europe/Berlin' AS since, tier, reason FROM (SELECT spend(timestamptz '2025-05-01 10:00+02', 150) AS x) s, unnest('{year,year(april),quarter(february),week(sunday)}'::text[]) unit, tier_history(x, '2027-12-31', '{100}', '{gold,member}', unit => unit, timezone => 'Europe/Berlin') h ORDER BY unit COLLATE "C", since;
-- Errors.
\set VERBOSITY default
SELECT activity('2026-01-01', 'week(april)', 'UTC');
SELECT activity('2026-01-01', 'year(sunday)', 'UTC');
SELECT retention_book(1, '2026-01-01', 'month(april)', 'UTC');
SELECT tier_by_spend(spend('2026-01-01', 5), NULL, '{100}', '{gold,member}', unit => 'Year(April)');
SELECT activity('2026-01-01', 'week(sunday)', 'UTC') + activity('2026-01-01', 'week', 'UTC');
SELECT activity('2026-01-01', unit, 'UTC') FROM unnest('{year(april),year(may)}'::text[]) unit;
SELECT activity('4714-12-25 BC', 'year(april)', 'UTC');
\set VERBOSITY terse
SELECT count(*) AS refused FROM unnest(ARRAY['week()', 'week(', 'week(sunday', 'week(Sunday)', 'week(sun)', ' week(sunday)', 'week(sunday) ', 'week (sunday)', 'day(sunday)', 'month()', 'quarter(q2)', 'year(4)', 'year(april)(april)', repeat('year(', 200)]) unit WHERE hostile.error_of(format('SELECT activity(''2026-01-01'', %L, ''UTC'')', unit)) LIKE '22023 unit "%" is not known';
-- A byte of the unit that stands for nothing: a start that a kind does not have.
SELECT get_byte(decode(b, 'hex'), 0) AS unit, hostile.receive('activity_summary', decode('09010004' || b || '55544301' || '00', 'hex')) AS answer FROM unnest('{01,11,02,62,72,03,13,24,34,05,b5,c5,06,00,f0}'::text[]) b;
