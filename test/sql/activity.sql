-- Activities: the calendar periods in which a member was active. Expected figures
-- are worked out by hand or compared to plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA activity_test;
SET search_path = activity_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- The first that a process asks of these zones is the very moment in which a day is skipped or the clocks change at midnight: it is after the change.
SELECT first_period(activity('2011-12-30 10:00', 'day', 'Pacific/Apia')) AS apia, first_period(activity('2018-11-04 03:00', 'day', 'America/Sao_Paulo')) AS sao_paulo, first_period(activity('1994-12-31 10:00', 'day', 'Pacific/Kiritimati')) AS kiritimati;

-- Three days in a row, one alone, two in a row; twice on one day is once.
CREATE VIEW days AS
SELECT activity(t, 'day', 'UTC') AS a
FROM unnest('{2026-01-09,2026-01-01 23:59:59.999999,2026-01-02,2026-01-02 12:00,2026-01-03,2026-01-05,2026-01-08}'::timestamptz[]) t;
SELECT first_period(a), last_period(a), active_periods(a), period_list(a), streak(a), longest_streak(a) FROM days;
SELECT day::date, is_active(a, day::date), streak(a, day::date), lifecycle(a, day::date) FROM days, generate_series(timestamp '2025-12-31', '2026-01-11', '1 day') day;
-- By week, from Monday to Sunday: 2024-12-30 begins the first week of 2025, and 2026-01-04 ends the one that begins in 2025.
SELECT first_period(a), last_period(a), active_periods(a), period_list(a), streak(a), longest_streak(a), streak(a, '2025-01-05'), streak(a, '2025-01-06'),
	lifecycle(a, '2025-01-12') AS back, lifecycle(a, '2025-01-13') AS gone, lifecycle(a, '2024-12-29') AS before, lifecycle(a, '2026-01-04') AS again, lifecycle(a, '2026-01-05') AS gone_again
FROM (SELECT activity(t, 'week', 'UTC') AS a FROM unnest('{2024-12-30,2025-01-05 23:59:59,2025-01-06,2026-01-04 23:59:59}'::timestamptz[]) t) s;
-- By month, quarter and year: a new year does not break a streak, and a leap day belongs to February.
SELECT unit, period_list(a), streak(a), longest_streak(a), lifecycle(a, '2024-03-31') AS march, lifecycle(a, '2024-05-01') AS may, lifecycle(a, '2024-08-15') AS august
FROM (SELECT unit, activity(t, unit, 'UTC') AS a FROM unnest('{day,week,month,quarter,year}'::text[]) unit, unnest('{2023-12-31,2024-01-01,2024-02-29 23:59,2024-03-01,2024-05-01}'::timestamptz[]) t GROUP BY unit) s ORDER BY length(unit), unit;

-- Nothing to tell of.
SELECT activity(t, 'day', 'UTC') IS NULL AS no_rows FROM (SELECT now() AS t WHERE false) s;
SELECT activity(NULL, 'day', 'UTC') IS NULL AS no_time, activity('2026-01-01', NULL, 'UTC') IS NULL AS no_unit, activity('2026-01-01', 'day', NULL) IS NULL AS no_zone, rollup(NULL::activity_summary) IS NULL AS no_parts FROM generate_series(1, 3);
SELECT NULL::activity_summary + NULL AS nothing, (a + NULL) IS NULL AS strict, first_period(NULL), period_list(NULL), is_active(NULL, '2026-01-01'), is_active(a, NULL), streak(NULL), streak(a, NULL), longest_streak(NULL), lifecycle(a, NULL), active_periods(NULL) FROM days;
-- A row with NULL is skipped before anything else is looked at.
SELECT period_list(activity(t, unit, zone)) FROM (VALUES (timestamptz '2026-01-01', 'month', 'UTC'), (NULL, 'fortnight', 'Nowhere'), ('2026-02-01', NULL, 'Nowhere'), ('infinity', 'month', NULL)) v (t, unit, zone);

-- Zones have one name, in whatever case of letters; POSIX rules are taken as they are.
SELECT activity('2026-01-01', 'day', 'europe/BERLIN') = activity('2026-01-01', 'day', 'Europe/Berlin') AS same, activity('2026-01-01', 'day', 'utc') = activity('2026-01-01', 'day', 'UTC') AS same_utc,
	period_list(activity('2026-01-01 01:29:59', 'day', '<-0130>01:30')) AS west, period_list(activity('2026-01-01 22:30', 'day', 'XYZ-1:30')) AS east,
	first_period(activity('2026-01-01 02:00', 'day', '+02')) = ('2026-01-01 02:00Z'::timestamptz AT TIME ZONE '+02')::date AS west_as_posix_has_it, period_list(activity(t, 'day', 'CET-1CEST,M3.5.0,M10.5.0/3')) AS rule, activity('2026-01-01', 'day', 'UTC') = activity('2026-01-01', 'month', 'UTC') AS other_unit, activity('2026-01-01', 'day', 'UTC') = activity('2026-01-01', 'day', 'Europe/London') AS other_zone
FROM unnest('{2026-03-29 21:59:59,2026-03-29 22:00,2026-10-25 22:59:59,2026-10-25 23:00}'::timestamptz[]) t;

-- Clocks that change: the same UTC hour is another day before and after, and a day may be missing.
CREATE TABLE changes (zone text, t timestamptz, day date);
INSERT INTO changes VALUES
	('Europe/Berlin', '2026-03-28 22:59:59.999999', '2026-03-28'), ('Europe/Berlin', '2026-03-28 23:00', '2026-03-29'), ('Europe/Berlin', '2026-03-29 21:59:59.999999', '2026-03-29'), ('Europe/Berlin', '2026-03-29 22:00', '2026-03-30'),	-- 23 hours
	('Europe/Berlin', '2025-10-25 22:00', '2025-10-26'), ('Europe/Berlin', '2025-10-26 22:59:59.999999', '2025-10-26'), ('Europe/Berlin', '2025-10-26 23:00', '2025-10-27'),	-- 25 hours
	('America/New_York', '2025-03-09 04:59:59', '2025-03-08'), ('America/New_York', '2025-03-09 05:00', '2025-03-09'), ('America/New_York', '2025-03-10 03:59:59', '2025-03-09'), ('America/New_York', '2025-03-10 04:00', '2025-03-10'),
	('Australia/Lord_Howe', '2025-04-05 13:00', '2025-04-06'), ('Australia/Lord_Howe', '2025-04-06 13:29:59', '2025-04-06'), ('Australia/Lord_Howe', '2025-04-06 13:30', '2025-04-07'),	-- half an hour: +11 to +10:30
	('Africa/Casablanca', '2019-05-04 22:59:59', '2019-05-04'), ('Africa/Casablanca', '2019-05-04 23:00', '2019-05-05'), ('Africa/Casablanca', '2019-05-05 23:59:59', '2019-05-05'), ('Africa/Casablanca', '2019-05-06 00:00', '2019-05-06'),	-- Ramadan: +1 to +0
	('Africa/Casablanca', '2019-06-08 23:59:59', '2019-06-08'), ('Africa/Casablanca', '2019-06-09 00:00', '2019-06-09'), ('Africa/Casablanca', '2019-06-09 22:59:59', '2019-06-09'), ('Africa/Casablanca', '2019-06-09 23:00', '2019-06-10'),	-- and back, 35 days later
	('Pacific/Apia', '2011-12-30 09:59:59.999999', '2011-12-29'), ('Pacific/Apia', '2011-12-30 10:00', '2011-12-31'),	-- there was no 30th
	('America/Sao_Paulo', '2018-11-04 02:59:59.999999', '2018-11-03'), ('America/Sao_Paulo', '2018-11-04 03:00', '2018-11-04'), ('America/Sao_Paulo', '2018-11-05 02:00', '2018-11-05'),	-- 0:00 was 1:00
	('America/Sao_Paulo', '2018-02-18 02:59:59.999999', '2018-02-17'), ('America/Sao_Paulo', '2018-02-18 03:00', '2018-02-18'),	-- 0:00 was 23:00 again
	('Europe/Amsterdam', '1850-01-01 12:00', '1850-01-01'), ('Asia/Tokyo', '1850-01-01 14:40', '1850-01-01'), ('Asia/Tokyo', '1850-01-01 14:42', '1850-01-02'),	-- local mean time, +9:18:59
	('America/New_York', '1883-01-01 04:56:01', '1882-12-31'), ('America/New_York', '1883-01-01 04:56:02', '1883-01-01');
SELECT zone, t, day, first_period(activity(t, 'day', zone)) AS got FROM changes GROUP BY zone, t, day HAVING first_period(activity(t, 'day', zone)) <> day;
SELECT zone, period_list(activity(t, 'day', zone)), longest_streak(activity(t, 'day', zone)) FROM changes WHERE zone LIKE 'Pacific%' OR zone LIKE 'America/Sao%' GROUP BY zone ORDER BY zone COLLATE "C";

-- Many times, every unit: date_trunc() in plain SQL. All of history and far beyond, and every quarter of an hour around changes of the clocks.
CREATE TABLE zones AS SELECT unnest('{UTC,Europe/Berlin,America/New_York,Australia/Lord_Howe,Africa/Casablanca,Pacific/Apia,America/Sao_Paulo,Pacific/Kiritimati,Asia/Kathmandu,Antarctica/Troll,America/Havana,Europe/Dublin}'::text[]) AS zone;
CREATE TABLE moments AS
SELECT zone, t FROM zones, LATERAL (
	SELECT timestamptz '1840-01-01' + (hashint8extended(n, hashtext(zone)) & 4294967295) * interval '2 seconds' AS t FROM generate_series(1, 120::bigint) n
	UNION ALL SELECT timestamptz '4712-01-02 BC' + (hashint8extended(n, hashtext(zone)) & 4294967295) * interval '2000 seconds' FROM generate_series(1, 60::bigint) n
	UNION ALL SELECT timestamptz '2000-01-01' + n * interval '2199023255552 microseconds' - p * interval '1 microsecond' FROM generate_series(-4, 400, 4) n, generate_series(0, 1) p) s;
INSERT INTO moments
SELECT zone, day + n * interval '15 minutes' - p * interval '1 microsecond'
FROM (SELECT zone, day, row_number() OVER (PARTITION BY zone ORDER BY hashtext(day::text)) AS nth
	FROM zones, generate_series(timestamptz '1900-01-01', '2045-01-01', '1 day') day
	WHERE (day AT TIME ZONE zone) - (day AT TIME ZONE 'UTC') <> (day + interval '1 day') AT TIME ZONE zone - (day + interval '1 day') AT TIME ZONE 'UTC') d,
	generate_series(0, 96) n, generate_series(0, 1) p
WHERE nth <= 6;
CREATE TABLE answers AS
SELECT zone, t, unit, first_period(activity(t, unit, zone)) AS got, date_trunc(unit, t AT TIME ZONE zone)::date AS want
FROM moments, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY zone, t, unit ORDER BY hashtext(t::text || unit);
SELECT count(*) > 60000 AS many, count(DISTINCT zone) AS zones, count(*) FILTER (WHERE got IS DISTINCT FROM want) AS differ FROM answers;
SELECT * FROM answers WHERE got IS DISTINCT FROM want ORDER BY t LIMIT 5;
-- Clocks that changed twice within four weeks: summer time of one week in Recife, of two in Fortaleza; Tucuman's try of another zone; the war in Tirana.
SELECT zone, count(*) AS moments, count(*) FILTER (WHERE got <> want) AS differ, count(DISTINCT want) AS days
FROM (SELECT zone, first_period(activity(t, 'day', zone)) AS got, (t AT TIME ZONE zone)::date AS want
	FROM (VALUES ('America/Recife', timestamptz '2000-09-20'), ('America/Fortaleza', '2000-09-20'), ('America/Argentina/Tucuman', '2004-05-15'), ('Europe/Tirane', '1943-03-15')) v (zone, begin), generate_series(begin, begin + interval '45 days', '30 minutes') t GROUP BY zone, t) s
GROUP BY zone ORDER BY zone COLLATE "C";
-- All periods of a zone in one activity.
SELECT count(*) AS activities, count(*) FILTER (WHERE list IS DISTINCT FROM want) AS wrong_lists, count(*) FILTER (WHERE n <> cardinality(want)) AS wrong_numbers
FROM (SELECT zone, unit, period_list(a) AS list, active_periods(a) AS n FROM (SELECT zone, unit, activity(t, unit, zone) AS a FROM moments, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY zone, unit) s) g
JOIN (SELECT zone, unit, array_agg(DISTINCT want ORDER BY want) AS want FROM answers GROUP BY zone, unit) w USING (zone, unit);

-- Both ends of time. There plain SQL has no local time, so the local day is given by hand; the periods are made of it without timestamps.
CREATE FUNCTION first_of(unit text, day date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE unit WHEN 'day' THEN day WHEN 'week' THEN day - (extract(isodow FROM day)::int - 1)
		WHEN 'month' THEN make_date(extract(year FROM day)::int, extract(month FROM day)::int, 1)
		WHEN 'quarter' THEN make_date(extract(year FROM day)::int, extract(quarter FROM day)::int * 3 - 2, 1) ELSE make_date(extract(year FROM day)::int, 1, 1) END
$$;
SELECT count(*) AS differ FROM answers WHERE first_of(unit, (t AT TIME ZONE zone)::date) <> want;
CREATE TABLE ends (zone text, t timestamptz, day date);
INSERT INTO ends VALUES
	('UTC', '294276-12-31 23:59:59.999999', '294276-12-31'), ('Pacific/Kiritimati', '294276-12-31 23:59:59.999999', '294277-01-01'), ('Pacific/Kiritimati', '294276-12-31 10:00', '294277-01-01'),
	('Pacific/Kiritimati', '294276-12-31 09:59:59.999999', '294276-12-31'), ('Pacific/Pago_Pago', '294276-12-31 23:59:59.999999', '294276-12-31'), ('Pacific/Pago_Pago', '294276-12-31 10:59:59', '294276-12-30'),
	('XXX-167:59', '294276-12-31 23:59:59.999999', '294277-01-07'), ('XXX167:59', '294276-12-31 23:59:59.999999', '294276-12-25'),
	('UTC', '4713-01-01 BC', '4713-01-01 BC'), ('Asia/Tokyo', '4714-12-31 15:00 BC', '4713-01-01 BC'), ('America/New_York', '4713-01-01 04:56:02 BC', '4713-01-01 BC');
SELECT zone, t, unit, first_period(activity(t, unit, zone)) AS got FROM ends, unnest('{day,week,month,quarter,year}'::text[]) unit
GROUP BY zone, t, unit, day HAVING first_period(activity(t, unit, zone)) <> first_of(unit, day);
-- Julian day 0 was a Monday; the month, quarter and year in which it lies begin before it, and so have no first day. West of Greenwich it was not yet that day.
SELECT zone, t, string_agg(coalesce(left(error, 5), unit), ' ' ORDER BY n) AS units
FROM (VALUES ('UTC', '4714-11-24 BC'), ('UTC', '4714-11-30 23:59:59 BC'), ('UTC', '4714-12-01 BC'), ('UTC', '4714-12-31 23:59:59 BC'), ('UTC', '4713-01-01 BC'), ('America/New_York', '4714-11-24 BC'), ('America/New_York', '4714-11-24 04:56:02 BC'),
	('America/New_York', '4713-01-01 04:56:01 BC'), ('Asia/Tokyo', '4714-11-24 BC'), ('XXX-167:59', '4714-11-24 00:00:01 BC'), ('XXX167:59', '4714-11-30 BC')) v (zone, t),
	unnest('{day,week,month,quarter,year}'::text[]) WITH ORDINALITY u (unit, n), LATERAL (SELECT hostile.error_of(format('SELECT activity(%L, %L, %L)', t, unit, zone)) AS error OFFSET 0) e
GROUP BY zone, t ORDER BY t::timestamptz, zone COLLATE "C";
-- Days far beyond any time can be asked for.
SELECT is_active(a, '5874897-12-31'), lifecycle(a, '5874897-12-31'), streak(a, '4714-11-24 BC'), lifecycle(a, '4714-11-24 BC'), lifecycle(a, '294277-01-01') FROM (SELECT activity(t, unit, 'UTC') AS a FROM unnest('{day,week,month,quarter,year}'::text[]) unit, unnest('{294276-12-31}'::timestamptz[]) t GROUP BY unit) s;

-- Nothing depends on settings.
CREATE TABLE digests (settings text, digest text);
CREATE FUNCTION digest() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(encode(activity_summary_send(a), 'hex') || active_periods(a) || longest_streak(a) || (last_period(a) - date '2000-01-01') || coalesce(lifecycle(a, date '2000-01-01' + 9900), '-') || a::text, ',' ORDER BY zone COLLATE "C", unit COLLATE "C"))
	FROM (SELECT zone, unit, activity(t, unit, zone) AS a FROM moments, unnest('{day,week,month}'::text[]) unit GROUP BY zone, unit) s
$$;
INSERT INTO digests VALUES ('as above', digest());
SET timezone = 'Asia/Kathmandu'; SET datestyle = 'SQL, DMY'; SET intervalstyle = 'iso_8601';
INSERT INTO digests VALUES ('Kathmandu', digest());
SET timezone = 'America/St_Johns'; SET datestyle = 'German'; SET timezone_abbreviations = 'India';
INSERT INTO digests VALUES ('Newfoundland', digest());
SET timezone = 'UTC'; SET datestyle = 'ISO'; RESET intervalstyle; RESET timezone_abbreviations;
SELECT count(*) AS settings, count(DISTINCT digest) AS answers FROM digests;

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT activity('2026-01-01', 'fortnight', 'UTC');
SELECT activity('2026-01-01', 'Day', 'UTC');
SELECT activity('2026-01-01', 'month', 'Europe/Berlim');
SELECT activity('2026-01-01', 'month', 'PST');
SELECT activity('infinity', 'month', 'UTC');
SELECT activity('-infinity', 'month', 'UTC');
SELECT activity('4714-11-24 BC', 'month', 'UTC');
SELECT activity('2026-01-01', unit, 'UTC') FROM unnest('{day,week}'::text[]) unit;
SELECT activity('2026-01-01', 'day', zone) FROM unnest('{UTC,Europe/Berlin}'::text[]) zone;
SELECT activity('2026-01-01', 'day', 'UTC') + activity('2026-01-01', 'week', 'UTC');
SELECT rollup(a) FROM (SELECT activity('2026-01-01', 'day', zone) AS a FROM unnest('{UTC,Europe/Berlin}'::text[]) zone GROUP BY zone) s;
SELECT is_active(a, 'infinity') FROM days;
SELECT streak(a, '-infinity') FROM days;
SELECT lifecycle(a, 'infinity') FROM days;
\set VERBOSITY terse
SELECT activity_step(NULL, '2026-01-01', 'day', 'UTC');
SELECT activity_step(NULL, NULL, 'day', 'UTC');
SELECT activity_summary_combine(NULL, NULL);
SELECT hostile.error_of(format('SELECT activity(''2026-01-01'', %L, ''UTC'')', unit)) AS error FROM unnest(ARRAY['', ' ', 'days', 'DAY', 'day ', ' day', 'da', 'hour', 'decade', 'isoyear', E'day\n', 'täg', repeat('ä', 300)]) unit;
SELECT left(hostile.error_of(format('SELECT activity(''2026-01-01'', ''day'', %L)', zone)), 60) AS error
FROM unnest(ARRAY['', ' ', 'UTC ', ' UTC', 'Z', 'CEST', 'EDT', '../UTC', '/etc/localtime', 'Europe', 'Europe/', 'UTC''', 'A B5', E'A\tB5', 'Zürich5', '5', repeat('x', 255), repeat('x', 256), repeat('é', 1000)]) zone;

-- Zones that are others on other machines, or count leap seconds, where the machine has them at all.
SELECT zone, left(hostile.error_of(format('SELECT activity(''2026-01-01'', ''day'', %L)', zone)), 5) AS code FROM unnest('{localtime,LocalTime,posixrules,right/UTC}'::text[]) zone;

-- Whatever the order and the parts, the same bytes.
CREATE TABLE signs AS
SELECT (hashint8extended(n, 1) & 63)::int AS member, timestamptz '2024-01-01' + (hashint8extended(n, 2) & 65535) * interval '7 minutes 13 seconds' AS t, (hashint8extended(n, 3) & 7)::int AS part
FROM generate_series(1, 6000::bigint) n;
CREATE TABLE wholes AS SELECT member, unit, activity(t, unit, 'Europe/Berlin') AS a FROM signs, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY member, unit;
CREATE TABLE parts AS SELECT member, unit, part, activity(t, unit, 'Europe/Berlin') AS a FROM signs, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY member, unit, part;
SELECT count(*) > 300 AS many, bool_and(activity_summary_send(r) = activity_summary_send(a)) AS rolled_up, bool_and(activity_summary_send(d) = activity_summary_send(a)) AS other_order, bool_and(activity_summary_send(s) = activity_summary_send(a)) AS sorted, bool_and(activity_summary_send(b) = activity_summary_send(a)) AS backwards,
	bool_and(activity_summary_send(twice) = activity_summary_send(a)) AS twice, bool_and(activity_summary_send(a + a) = activity_summary_send(a)) AS with_itself, bool_and(a = r AND a <= r AND a >= r AND NOT a <> r AND NOT a < r AND NOT a > r AND activity_summary_cmp(a, r) = 0) AS equal,
	bool_and(activity_summary_hash(a) = activity_summary_hash(r)) AS hash, bool_and(activity_summary_hash_extended(a, 7) = activity_summary_hash_extended(r, 7)) AS hash_extended, bool_and(a::text::activity_summary = a) AS text_round_trip
FROM wholes
JOIN (SELECT member, unit, rollup(a) AS r, rollup(a ORDER BY part DESC) AS d FROM parts GROUP BY member, unit) r USING (member, unit)
JOIN (SELECT member, unit, activity(t, unit, 'Europe/Berlin' ORDER BY t) AS s, activity(t, unit, 'Europe/Berlin' ORDER BY t DESC) AS b FROM signs, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY member, unit) s USING (member, unit)
JOIN (SELECT member, unit, activity(t, unit, 'Europe/Berlin') AS twice FROM (TABLE signs UNION ALL TABLE signs) x, unnest('{day,week,month,quarter,year}'::text[]) unit GROUP BY member, unit) t USING (member, unit);
SELECT count(*) > 1000 AS many, bool_and(activity_summary_send(a.a + b.a) = activity_summary_send(b.a + a.a)) AS commutes, bool_and((a.a + b.a) + c.a = a.a + (b.a + c.a)) AS associates, count(*) FILTER (WHERE a.a + b.a = a.a) > 10 AS some_within
FROM parts a JOIN parts b USING (member, unit) JOIN parts c USING (member, unit) WHERE a.part = 1 AND c.part = 2 AND member < 40;
-- + leaves what it is given as it was; one may stand for both.
SELECT a = before AS untouched, ab = ab2 AS again FROM (SELECT a, a::text::activity_summary AS before, a + b AS ab, a + b AS ab2 FROM (SELECT activity('2026-01-01', 'day', 'UTC') AS a, activity('2026-01-02', 'day', 'UTC') AS b OFFSET 0) s OFFSET 0) s;
-- Each accessor in plain SQL, from the periods.
CREATE VIEW by_sql AS
WITH period AS (SELECT DISTINCT member, unit, date_trunc(unit, t AT TIME ZONE 'Europe/Berlin') AS p FROM signs, unnest('{day,week,month,quarter,year}'::text[]) unit),
numbered AS (SELECT *, row_number() OVER w AS n, CASE WHEN lag(p) OVER w + ('1 ' || replace(unit, 'quarter', 'month') || 's')::interval * CASE unit WHEN 'quarter' THEN 3 ELSE 1 END = p THEN 0 ELSE 1 END AS begins FROM period WINDOW w AS (PARTITION BY member, unit ORDER BY p)),
runs AS (SELECT *, sum(begins) OVER (PARTITION BY member, unit ORDER BY p) AS run FROM numbered),
lengths AS (SELECT *, row_number() OVER (PARTITION BY member, unit, run ORDER BY p) AS length FROM runs)
SELECT member, unit, p::date AS p, n, length, CASE WHEN n = 1 THEN 'new' WHEN begins = 1 THEN 'resurrecting' ELSE 'returning' END AS lifecycle FROM lengths;
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE (first_period(a), last_period(a), active_periods(a), longest_streak(a)::bigint, streak(a)::bigint) IS DISTINCT FROM (first, last, n, longest, of_last)) AS differ
FROM wholes JOIN (SELECT member, unit, min(p) AS first, max(p) AS last, count(*) AS n, max(length) AS longest, (array_agg(length ORDER BY p DESC))[1] AS of_last FROM by_sql GROUP BY member, unit) s USING (member, unit);
SELECT count(*) > 5000 AS many, count(DISTINCT lifecycle) AS stages, count(*) FILTER (WHERE NOT is_active(a, p) OR lifecycle(a, p) <> s.lifecycle OR streak(a, p) <> length) AS differ FROM wholes JOIN by_sql s USING (member, unit);
-- Also for any day of the period, and for those in which nothing was.
SELECT count(*) > 5000 AS many, count(*) FILTER (WHERE (is_active(a, day), streak(a, day)::bigint, lifecycle(a, day)) IS DISTINCT FROM (s.p IS NOT NULL, coalesce(s.length, 0), coalesce(s.lifecycle, CASE WHEN b.p IS NOT NULL THEN 'dormant' END))) AS differ
FROM wholes w CROSS JOIN (SELECT date '2023-12-01' + n AS day FROM generate_series(0, 400, 9) n) d
LEFT JOIN by_sql s ON s.member = w.member AND s.unit = w.unit AND s.p = date_trunc(w.unit, day::timestamp)
LEFT JOIN by_sql b ON b.member = w.member AND b.unit = w.unit AND b.p = date_trunc(w.unit, date_trunc(w.unit, day::timestamp) - interval '1 second')
WHERE w.member < 25;

-- As a window: each row sees what was told up to it.
SELECT count(*) FILTER (WHERE active_periods(running) <> (SELECT count(DISTINCT (o.t AT TIME ZONE 'Europe/Berlin')::date) FROM signs o WHERE o.member = s.member AND o.t <= s.t)) AS differ, max(active_periods(running)) > 50 AS many
FROM (SELECT member, t, activity(t, 'day', 'Europe/Berlin') OVER (PARTITION BY member ORDER BY t) AS running FROM signs WHERE member < 10) s;
SELECT n, active_periods(running) AS running, period_list(moving) AS moving, active_periods(running + moving) AS both_
FROM (SELECT n, rollup(a) OVER (ORDER BY n) AS running, rollup(a) OVER (ORDER BY n ROWS 1 PRECEDING) AS moving FROM (SELECT n, activity(timestamptz '2026-01-01' + n * interval '20 days', 'month', 'UTC') AS a FROM generate_series(1, 4) n GROUP BY n) s) s;

-- In parallel: a plan of partial aggregates, the same bytes.
CREATE FUNCTION is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN jsonb_path_exists(plan, '$.**."Partial Mode" ? (@ == "Partial")') AND jsonb_path_exists(plan, '$.**."Workers Planned" ? (@ >= 1)');
END $$;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ANALYZE signs, parts;
SELECT is_partial('SELECT member, activity(t, ''day'', ''Europe/Berlin'') FROM signs GROUP BY member') AS activity, is_partial('SELECT member, unit, rollup(a) FROM parts GROUP BY member, unit') AS rolled_up;
SELECT count(*) AS members, bool_and(activity_summary_send(p.a) = activity_summary_send(w.a)) AS same FROM (SELECT member, activity(t, 'day', 'Europe/Berlin') AS a FROM signs GROUP BY member) p JOIN wholes w ON w.member = p.member AND unit = 'day';
SELECT count(*) > 300 AS many, bool_and(activity_summary_send(p.a) = activity_summary_send(w.a)) AS same FROM (SELECT member, unit, rollup(a) AS a FROM parts GROUP BY member, unit) p JOIN wholes w USING (member, unit);
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- Comparison: GROUP BY by hash and by sorting, DISTINCT, joins, keys.
CREATE TABLE kinds AS SELECT member, activity(t, 'quarter', 'UTC') AS a FROM signs WHERE part < 2 GROUP BY member;
SET enable_sort = off; CREATE TABLE hashed AS SELECT a, count(*) AS n FROM kinds GROUP BY a; RESET enable_sort;
SET enable_hashagg = off; CREATE TABLE sorted AS SELECT a, count(*) AS n FROM kinds GROUP BY a; RESET enable_hashagg;
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE h.n IS DISTINCT FROM s.n) AS differ FROM hashed h FULL JOIN sorted s USING (a);
SELECT count(DISTINCT a) = (SELECT count(DISTINCT period_list(a)) FROM kinds) AS distinct_, count(*) FROM kinds;
SELECT count(*) FILTER (WHERE (a.a < b.a)::int + (a.a = b.a)::int + (a.a > b.a)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.a <= b.a) <> (NOT a.a > b.a) OR (a.a >= b.a) <> (NOT a.a < b.a) OR (a.a <> b.a) <> (NOT a.a = b.a)) AS not_opposite,
	count(*) FILTER (WHERE sign(activity_summary_cmp(a.a, b.a)) <> -sign(activity_summary_cmp(b.a, a.a))) AS not_antisymmetric FROM parts a, parts b WHERE a.member < 3 AND b.member < 4;
SELECT count(*) AS out_of_order FROM (SELECT a, lag(a) OVER (ORDER BY a) AS before FROM wholes) s WHERE before > a;
CREATE TABLE kept (a activity_summary PRIMARY KEY);
INSERT INTO kept SELECT DISTINCT a FROM kinds;
SELECT left(hostile.error_of('INSERT INTO kept SELECT a FROM kinds LIMIT 1'), 5) AS state;

-- Binary COPY, out and in.
CREATE TABLE copies (a activity_summary);
SELECT quote_literal(current_setting('data_directory') || '/custmart_activity_copy') AS file \gset
COPY (SELECT a FROM wholes ORDER BY member, unit) TO :file WITH (FORMAT binary);
COPY copies FROM :file WITH (FORMAT binary);
SELECT count(*) = (SELECT count(*) FROM wholes) AS all_, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM wholes w WHERE activity_summary_send(w.a) = activity_summary_send(c.a))) AS others FROM copies c;

-- The specified bytes (docs/storage-format.md), by hand: kind 9, version 1, settings of 4 bytes: unit 3 and UTC; 3 periods: months since
-- January 2000, -1 as 2 * 1 - 1 = 01, then 2 and 130 = 0x82 01 on; of days in Asia/Tokyo 0 alone.
SELECT encode(activity_summary_send(activity(t, 'month', 'utc')), 'hex') = '090100040355544303' || '01' || '02' || '8201' AS months FROM unnest('{1999-12-01,2000-02-29,2010-12-24}'::timestamptz[]) t;
SELECT encode(activity_summary_send(activity('1999-12-31 15:00', 'day', 'Asia/Tokyo')), 'hex') = '0901000b01' || encode('Asia/Tokyo', 'hex') || '0100' AS days;
SELECT period_list(('activity_summary:' || encode('\x09010004035554430301028201'::bytea, 'base64'))::activity_summary);

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT a::text FROM days)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'activity_summary', 'activity_summary:', ':', 'rfm_summary:', 'activity_summary: ', 'activity_summary:=', 'activity_summary:====', 'activity_summary:AAAA', 'activity_summary:%%%%', '{}', 'null', '0', 'ACTIVITY_SUMMARY:CQEABANVVEMBAA==', 'v1 day UTC', 'day', '2026-01-01',
	'activity_summary:CQE=', 'activity_summary:CQEAAA==', 'funnel_summary:CQEABANVVEMBAA==', 'activity_summary:CQEABANVVEMBAA', 'activity_summary:CQEABANVVEMBAA=', 'activity_summary: CQEABANVVEMBAA==', 'activity_summary:CQEABANVVEMBAA==x'])
UNION ALL SELECT 'activity_summary:' || encode(decode(h, 'hex'), 'base64')
FROM unnest(ARRAY['0901000403555443', '090100040355544300', '09010004035554430100' || '00', '0801000403555443' || '0100', '0902000403555443' || '0100', '0901000406555443' || '0100', '0901000400555443' || '0100', '090100010301' || '00', '090100000100',	-- no periods, a byte too many, kinds, versions, units, no zone
	'0901000403552043' || '0100', '0901000403550043' || '0100', '09010004035554c3' || '0100', '09010004035554430200' || '00', '090100040355544302' || '0080', '0901000403555443' || '01' || '8000', '0901000403555443' || '8100' || '00',	-- zones, twice the same, numbers cut off or longer than need be
	'0901000401555443' || '01' || 'ffffffff0f', '0901000405555443' || '01' || 'a3d90801', '0901000403555443' || '02' || '00' || 'ffffffffffffffff7f', '0901000403555443' || 'ffffffff0f' || '00', '0901ffff03555443' || '0100']) h	-- out of range
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 12) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(12, 24, 4) n;
SELECT count(*) > 70 AS many, count(*) FILTER (WHERE error IS NULL OR error NOT LIKE '22P02 invalid input syntax for type activity_summary: "%') AS not_refused
FROM (SELECT hostile.error_of(format('SELECT %L::activity_summary', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::activity_summary', literal)) IS NULL;
\set VERBOSITY default
SELECT 'activity_summary:CQEABANVVEMCAAA='::activity_summary;
SELECT 'activity_summary:CQEABAZVVEMBAA=='::activity_summary;
\set VERBOSITY terse
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''activity_summary'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid activity.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('activity_summary', m) AS answer
FROM (SELECT activity_summary_send(a) AS image FROM days
	  UNION ALL SELECT activity_summary_send(activity(t, 'month', 'Europe/Berlin')) FROM unnest('{1850-01-01,2026-01-01,294276-12-31}'::timestamptz[]) t
	  UNION ALL SELECT activity_summary_send(activity('4713-01-01 12:00 BC', 'year', 'UTC'))) s, hostile.mutations(image) m;
SELECT count(*) > 150 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary activity_summary is not valid: %') > 80 AS many_refused, count(*) FILTER (WHERE answer LIKE 'accepted%') > 20 AS some_accepted,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary activity_summary is not valid: %' AND answer NOT LIKE 'accepted: activity_summary:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND activity_summary_send(substr(answer, 11)::activity_summary) <> image;
-- What was accepted is harmless: it tells something, or does not know the zone.
SELECT count(*) FILTER (WHERE e NOT LIKE '22023 time zone "%" is not known') AS surprises, count(e) > 5 AS unknown_zones, count(*) - count(e) > 5 AS known
FROM (SELECT hostile.error_of(format('SELECT first_period(a), last_period(a), active_periods(a), period_list(a), is_active(a, ''2026-01-01''), streak(a), streak(a, ''2026-01-01''), longest_streak(a), lifecycle(a, ''2026-01-01''), a + a = a, (SELECT count(*) FROM stickiness(b)) FROM (SELECT a, retention_book(1, a) AS b FROM (SELECT %L::activity_summary AS a) s GROUP BY a) s', substr(answer, 11))) AS e
	  FROM images WHERE answer LIKE 'accepted%') s;
SELECT count(*) AS differ FROM (SELECT substr(answer, 11)::activity_summary AS a FROM images WHERE answer LIKE 'accepted%') s WHERE activity_summary_send(a + a) <> activity_summary_send(a);
