-- Retention books: cohorts, growth accounting, frequency of use, N-day retention.
-- Expected figures are worked out by hand; test/pgtap/retention.sql compares to plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA retention_test;
SET search_path = retention_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;

-- Member 0 is active on days 12, 13 and 14, member 1 on 12 and 13, member 2 on 12: the cohort of day 12 has 3, 2, 1.
CREATE VIEW example AS
SELECT retention_book(uid, day, 'day', 'UTC') AS b
FROM (VALUES (0, timestamptz '2026-01-12 10:00'), (0, '2026-01-13 09:00'), (0, '2026-01-14'), (1, '2026-01-12 00:00'), (1, '2026-01-13 23:59:59.999999'), (2, '2026-01-12 12:00'), (2, '2026-01-12 12:00')) v (uid, day);
-- Day 14 has begun, and not ended; the day after it has.
SELECT c.* FROM example, cohort_retention(b) c;
SELECT c.* FROM example, cohort_retention(b, '2026-01-15') c;
SELECT l.* FROM example, lifecycle_counts(b, '2026-01-16') l;
SELECT s.* FROM example, stickiness(b) s;
SELECT member_count(b), rows_skipped(b), net_outside(b) IS NULL AS no_money FROM example;

-- With money. Member 1 comes in January, is refunded in a month without orders and is back in April; 2 comes once; 3 is refunded before the
-- first order and 4 never orders; 5 gives all back in the same month; 6 pays nothing, then is refunded.
CREATE TABLE orders (member bigint, t timestamptz, amount numeric);
INSERT INTO orders VALUES
	(1, '2026-01-31 23:59:59', 10.00), (1, '2026-02-01', 5.5), (1, '2026-03-31', -2), (1, '2026-04-10', 20), (2, '2026-01-15', 30),
	(3, '2025-12-24', -4), (3, '2026-02-14', 8), (4, '2026-01-01', -3), (4, '2026-01-02', -4), (5, '2026-02-03', 12.50), (5, '2026-02-28', -12.5), (6, '2026-03-08', 0), (6, '2026-04-15 12:00', -1),
	(NULL, '2026-01-01', 1), (7, NULL, 1), (7, '2026-01-01', NULL);
CREATE VIEW money AS SELECT retention_book(member, t, amount, 'month', 'UTC') AS b FROM orders;
-- January: 40, then 5.5, -2 and, so far, 20. February: 8 + 12.5 - 12.5. March: 0, of which there are no shares.
SELECT c.* FROM money, cohort_retention(b) c;
-- 70.5 in cohorts and -4 - 7 outside are 59.5, all there is; seven members less one without a usable row.
SELECT net_outside(b), (SELECT sum(net) FROM cohort_retention(b)) + net_outside(b) = (SELECT sum(amount) FROM orders WHERE num_nulls(member, t, amount) = 0) AS adds_up, member_count(b), rows_skipped(b) FROM money;
SELECT l.* FROM money, lifecycle_counts(b) l;
SELECT s.* FROM money, stickiness(b) s;
-- The months from that of the first day to that of the second: of 1 February is left, of 3 and 5 too, of 6 March.
SELECT s.* FROM money, stickiness(b, since => '2026-02-28', until => '2026-03-01') s;
SELECT count(*) AS one_month, (SELECT array_agg(members) FROM stickiness(b, since => '2026-04-01')) AS since, (SELECT array_agg(members) FROM stickiness(b, until => '2026-01-01')) AS until, (SELECT count(*) FROM stickiness(b, since => '2027-01-01')) AS later, (SELECT count(*) FROM stickiness(b, until => '2025-12-31')) AS earlier
FROM money, stickiness(b, since => '2026-03-31', until => '2026-03-31') GROUP BY b;
-- An as_of after the latest row changes nothing, whatever its type and however the arguments are given.
SELECT bool_and(x = s) AS same, count(*) AS ways FROM money, LATERAL (SELECT array_agg(s) AS s FROM stickiness(b) s) s, LATERAL (
	SELECT array_agg(x) AS x FROM stickiness(b, NULL) x UNION ALL SELECT array_agg(x) FROM stickiness(b, timestamptz '2026-04-15 12:00') x UNION ALL SELECT array_agg(x) FROM stickiness(b, timestamp '2026-04-15 12:00') x
	UNION ALL SELECT array_agg(x) FROM stickiness(b, date '2026-04-16') x UNION ALL SELECT array_agg(x) FROM stickiness(b, '2026-04-15 12:00') x UNION ALL SELECT array_agg(x) FROM stickiness(b, '2026-04-15 14:00+02', NULL, NULL) x
	UNION ALL SELECT array_agg(x) FROM stickiness(b, as_of => '2027-01-01', since => '2025-12-01', until => '2026-04-01') x) x;
SELECT s.* FROM money, stickiness(b, '2026-05-01', '2026-02-28', '2026-03-01') s;
-- The latest row is on 15 April, here as in Berlin and New York: the 14th is too early, by the calendar of the book's time zone. When on the 15th the book does not know.
SELECT zone, as_of, hostile.error_of(format('SELECT * FROM stickiness((SELECT retention_book(member, t, ''day'', %L) FROM orders), %s)', zone, as_of)) AS error
FROM unnest('{UTC,Europe/Berlin,America/New_York}'::text[]) zone, unnest(ARRAY[$$timestamp '2026-04-14 23:30'$$, $$'2026-04-14 23:30'$$, $$'2026-04-14 23:30+00'$$, $$timestamptz '2026-04-14 23:30'$$, $$date '2026-04-14'$$, $$date '2026-04-15'$$, $$timestamptz '2026-04-15 03:30'$$]) as_of ORDER BY zone COLLATE "C", as_of COLLATE "C";
-- A later as_of ends April, and no day earlier than in the book's time zone does it do so.
SELECT (SELECT count(*) FROM cohort_retention(b, '2026-04-30 23:59:59.999999') WHERE rate IS NULL) AS before, (SELECT count(*) FROM cohort_retention(b, '2026-05-01')) AS cells, (SELECT count(*) FROM cohort_retention(b, '2026-05-01') WHERE rate IS NULL) AS after,
	(SELECT array_agg(dormant_members) FROM lifecycle_counts(b, '2026-05-01')) AS dormant FROM money;
SELECT as_of, array_agg(rate) AS rates FROM unnest('{2026-04-30 22:00,2026-04-30 21:59:59.999999}'::timestamptz[]) as_of, cohort_retention((SELECT retention_book(2, '2026-03-31 22:00', 1, 'month', 'Europe/Berlin')), as_of) GROUP BY as_of ORDER BY as_of;
-- Only refunds: members, and no cohort.
SELECT member_count(b), (SELECT count(*) FROM cohort_retention(b)) AS cells, (SELECT count(*) FROM lifecycle_counts(b)) AS periods, (SELECT count(*) FROM stickiness(b)) AS sticky, net_outside(b) FROM (SELECT retention_book(4, t, amount, 'day', 'UTC') AS b FROM orders WHERE amount < 0) s;
-- The latest row may be a refund; it says how far the book tells.
SELECT max(periods_later) FROM cohort_retention((SELECT retention_book(1, t, a, 'day', 'UTC') FROM (VALUES (timestamptz '2026-01-01', 5), ('2026-01-04', -5)) v (t, a)));
-- Money of many digits, exact; scales that differ; sums that leave 56 bits and come back.
SELECT c.periods_later, c.net, c.net_rate FROM cohort_retention((SELECT retention_book(1, timestamptz '2026-01-01' + day * interval '1 day', a, 'day', 'UTC')
	FROM (VALUES (0, 99999999999999999999999999999999999999.5), (0, 0.0000000000000000000000000001), (1, 36028797018963967), (1, 1), (2, 36028797018963967), (2, 1), (2, -9), (3, 1.10), (3, 2.2), (4, 1e30), (4, -1e30), (4, 0.25), (5, -99999999999999999999999999999999999999)) v (day, a))) c;
SELECT b::text::retention_book = b AS round_trip, b = (SELECT retention_book(member, t, a, 'day', 'UTC') FROM (VALUES (1, timestamptz '2026-01-01', 36028797018963959), (2, '2026-01-01', 5.00)) v (member, t, a)) AS as_if_one_row
FROM (SELECT retention_book(member, t, a, 'day', 'UTC') AS b FROM (VALUES (1, timestamptz '2026-01-01', 36028797018963967), (1, '2026-01-01', 1), (1, '2026-01-01', -9), (2, '2026-01-01', 2.5), (2, '2026-01-01', 2.50)) v (member, t, a)) s;

-- Days of 24 hours from a member's own start, whatever the clocks do. Member 1 starts at 10:00 on the 1st and comes again on days 0, 1 (at both ends of it)
-- and 3; of 2, who starts at midnight of the 3rd, day 1 ends just as_of.
CREATE VIEW times AS
SELECT retention_book(member, t) AS b
FROM (VALUES (1, timestamptz '2026-01-01 10:00'), (1, '2026-01-02 09:59:59.999999'), (1, '2026-01-02 10:00'), (1, '2026-01-03 09:59:59.999999'), (1, '2026-01-04 10:00'), (1, '2026-01-04 10:00'), (2, '2026-01-03 00:00'), (NULL, '2026-01-01'), (3, NULL)) v (member, t);
SELECT d.* FROM times, day_retention(b, '2026-01-05', 4) d;
SELECT array_agg(d.members) FROM times, day_retention(b, '2026-01-04 23:59:59.999999', 4) d;
SELECT array_agg(d.members) AS as_of_the_latest, array_agg(d.active) AS active FROM times, day_retention(b, last_day => 3) d;
SELECT count(*) AS default_, min(day), max(day) FROM times, day_retention(b);
SELECT d.*, member_count(b), rows_skipped(b) FROM times, day_retention(b, '294276-12-31', 0) d;
SELECT day, members, active, on_or_after FROM day_retention((SELECT retention_book(1, t) FROM unnest('{4714-11-24 BC,294276-12-31 23:59:59.999999}'::timestamptz[]) t), last_day => 1);

-- Nothing to tell of.
SELECT retention_book(member, t, 'day', 'UTC') IS NULL AS no_rows FROM orders WHERE false;
SELECT (SELECT count(*) FROM cohort_retention(NULL)) AS cohorts, (SELECT count(*) FROM lifecycle_counts(NULL)) AS lifecycles, (SELECT count(*) FROM stickiness(NULL)) AS sticky, (SELECT count(*) FROM day_retention(NULL)) AS days,
	rollup(NULL::retention_book) IS NULL AS rolled_up, NULL::retention_book + NULL IS NULL AS added, rows_skipped(NULL::retention_book), member_count(NULL::retention_book), net_outside(NULL);
SELECT member_count(b), rows_skipped(b), net_outside(b), (SELECT count(*) FROM cohort_retention(b)) AS cohorts, (SELECT count(*) FROM lifecycle_counts(b, '2026-01-01')) AS lifecycles, (SELECT count(*) FROM stickiness(b)) AS sticky, b::text::retention_book = b AS round_trip
FROM (SELECT retention_book(member, t, amount, 'day', 'UTC') AS b FROM orders WHERE num_nulls(member, t, amount) > 0) s;
SELECT member_count(b), rows_skipped(b), (SELECT count(*) FROM day_retention(b)) AS days, b::text::retention_book = b AS round_trip FROM (SELECT retention_book(member, t) AS b FROM orders WHERE num_nulls(member, t) > 0) s;
-- Each argument that is NULL; a unit or zone in such a row may be anything.
SELECT rows_skipped(b), member_count(b) FROM (SELECT retention_book(m, t, u, z) AS b FROM (VALUES (1, timestamptz '2026-01-01', 'day', 'UTC'), (NULL, '2026-01-01', 'day', 'UTC'), (1, NULL, 'x', 'y'), (2, '2026-01-01', NULL, 'UTC'), (3, 'infinity', 'day', NULL)) v (m, t, u, z)) s;
SELECT rows_skipped(b), member_count(b) FROM (SELECT retention_book(m, t, a, u, z) AS b FROM (VALUES (1, timestamptz '2026-01-01', 1::numeric, 'day', 'UTC'), (NULL, '2026-01-01', 'NaN', 'day', 'UTC'), (1, NULL, 1, 'x', 'y'), (2, '2026-01-01', NULL, 'day', 'UTC'), (3, 'infinity', 1, 'day', NULL), (3, 'infinity', 1, NULL, 'UTC')) v (m, t, a, u, z)) s;
SELECT rows_skipped(b), member_count(b) FROM (SELECT retention_book(m, a) AS b FROM (VALUES (1::bigint, NULL::activity_summary), (NULL, NULL), (2, (SELECT activity('2026-01-01', 'day', 'UTC')))) v (m, a)) s;
-- A book of nothing but skipped rows has no unit, and goes with any.
SELECT member_count(e.b + m.b), rows_skipped(e.b + m.b), rows_skipped(m.b + e.b) FROM money m, (SELECT retention_book(NULL::bigint, now(), 1, 'day', 'Asia/Tokyo') AS b) e;

-- From activities: the same, but that of the latest time only the period is known.
CREATE TABLE signs AS
SELECT (hashint8extended(n, 1) & 255)::bigint AS member, timestamptz '2024-01-01' + (hashint8extended(n, 2) & 65535) * interval '7 minutes 13 seconds' AS t, (hashint8extended(n, 3) & 7)::int AS part,
	CASE WHEN (hashint8extended(n, 4) & 15) = 0 THEN -1 ELSE 1 END * (hashint8extended(n, 5) & 4095) / CASE (hashint8extended(n, 6) & 3) WHEN 0 THEN 1 ELSE 100.0 END * CASE WHEN n % 211 = 0 THEN 1e17 ELSE 1 END AS amount,
	md5((hashint8extended(n, 1) & 255)::text)::uuid AS u, repeat('Kundin № ', (hashint8extended(n, 1) & 3)::int) || (hashint8extended(n, 1) & 255) AS x
FROM generate_series(1, 4000::bigint) n;
INSERT INTO signs SELECT member, t, part, NULL, u, NULL FROM signs WHERE part = 0 LIMIT 20;
CREATE TABLE of_activities AS
SELECT unit, (SELECT retention_book(member, t, unit, 'Europe/Berlin') FROM signs) AS rows,
	(SELECT retention_book(member, a) FROM (SELECT member, activity(t, unit, 'Europe/Berlin') AS a FROM signs GROUP BY member) s) AS by_member,
	(SELECT retention_book(member, a) FROM (SELECT member, activity(t, unit, 'Europe/Berlin') AS a FROM signs GROUP BY member, part) s) AS by_part
FROM unnest('{day,week,month,quarter,year}'::text[]) unit;
SELECT unit, by_member = by_part AS same, bool_and(r IS NOT DISTINCT FROM a) AS cohorts, count(*) > 0 AS some, (SELECT array_agg(l) FROM lifecycle_counts(rows) l) = (SELECT array_agg(l) FROM lifecycle_counts(by_member) l) AS lifecycles, member_count(by_member) = member_count(rows) AS members
FROM of_activities, LATERAL (SELECT r, a FROM cohort_retention(rows, '2025-01-01 12:00') r FULL JOIN cohort_retention(by_part, '2025-01-01 12:00') a USING (cohort, periods_later)) s GROUP BY unit, rows, by_member, by_part ORDER BY unit COLLATE "C";
-- Of keys of other types.
CREATE TABLE by_key AS SELECT retention_book(member, a) AS member, retention_book(u, a) AS u, retention_book(x, a) AS x FROM (SELECT member, u, x, activity(t, 'week', 'UTC') AS a FROM signs WHERE x IS NOT NULL GROUP BY member, u, x) s;
SELECT count(*) AS books, count(DISTINCT a) AS answers FROM by_key, unnest(ARRAY[member, u, x]) b, LATERAL (SELECT string_agg(c::text, ' ') AS a FROM cohort_retention(b) c) c;
SELECT count(DISTINCT a) AS answers FROM (SELECT retention_book(member, t, amount, 'week', 'UTC') AS member, retention_book(u, t, amount, 'week', 'UTC') AS u, retention_book(x, t, amount, 'week', 'UTC') AS x FROM signs) s, unnest(ARRAY[member, u, x]) b, LATERAL (SELECT string_agg(c::text, ' ') AS a FROM cohort_retention(b) c) c;
SELECT count(DISTINCT a) AS answers FROM (SELECT retention_book(member, t) AS member, retention_book(u, t) AS u, retention_book(x, t) AS x FROM signs WHERE x IS NOT NULL) s, unnest(ARRAY[member, u, x]) b, LATERAL (SELECT string_agg(d::text, ' ') AS a FROM day_retention(b) d) d;

-- The clocks of Havana show the first hour of November 2026 twice: it is November from the first time on.
SELECT as_of, c.cohort, c.active FROM unnest('{2026-11-01 04:00,2026-11-01 04:30,2026-11-01 05:30}'::timestamptz[]) as_of, cohort_retention((SELECT retention_book(1, a) FROM (SELECT activity('2026-11-01 04:00', 'month', 'America/Havana') AS a) s), as_of) c;
-- Midnight of 4 November 2018 was skipped in Sao Paulo, and a whole day, 30 December 2011, in Apia: no member is ever active on it.
SELECT zone, periods_later, period, members, active, rate FROM (VALUES ('America/Sao_Paulo', timestamptz '2018-11-03 12:00', timestamptz '2018-11-04 03:00', timestamptz '2018-11-05 02:00'), ('Pacific/Apia', '2011-12-30 09:00', '2011-12-30 10:00', '2011-12-31 10:00')) v (zone, one, two, as_of),
	LATERAL (SELECT retention_book(1, t, 'day', zone) AS b FROM unnest(ARRAY[one, two]) t) b, cohort_retention(b, as_of) ORDER BY zone COLLATE "C", periods_later;

-- Both ends of time, in zones east and west, every unit: one cell of one member, from rows, from activities, and stored.
CREATE TABLE ends AS
SELECT zone, t, unit, retention_book(1, t, unit, zone) AS rows, retention_book(1, t, 5, unit, zone) AS money, activity(t, unit, zone) AS a
FROM unnest('{UTC,Pacific/Kiritimati,Pacific/Pago_Pago,Asia/Tokyo,America/New_York,XXX167:59,XXX-167:59}'::text[]) zone, unnest('{294276-12-31 23:59:59.999999,294276-12-31 09:59:59.999999,294276-12-24,4713-01-08 BC,4713-01-01 12:00 BC,4714-12-01 12:00 BC,4714-11-25 12:00 BC,4714-11-24 12:00 BC,4714-11-24 BC}'::timestamptz[]) t,
	unnest('{day,week,month,quarter,year}'::text[]) unit WHERE hostile.error_of(format('SELECT activity(%L, %L, %L)', t, unit, zone)) IS NULL GROUP BY zone, t, unit;
ALTER TABLE ends ADD of_activity retention_book;
UPDATE ends e SET of_activity = s.b FROM (SELECT zone, t, unit, retention_book(1, a) AS b FROM ends GROUP BY zone, t, unit) s WHERE (e.zone, e.t, e.unit) = (s.zone, s.t, s.unit);
SELECT count(*) > 150 AS many, count(*) FILTER (WHERE r.cohort <> first_period(a) OR r.period <> r.cohort OR r.periods_later <> 0 OR r.active <> 1 OR r.rate IS NOT NULL) AS wrong, count(*) FILTER (WHERE r IS DISTINCT FROM f) AS differ, count(*) FILTER (WHERE m.net <> 5) AS money
FROM ends, cohort_retention(rows) r, cohort_retention(of_activity) f, cohort_retention(money) m;
SELECT count(*) > 150 AS many, count(*) FILTER (WHERE r.period <> first_period(a) OR (r.active, r.new_members) <> (1, 1) OR r IS DISTINCT FROM f) AS wrong FROM ends, lifecycle_counts(rows) r, lifecycle_counts(of_activity) f;
SELECT count(*) > 150 AS many, count(*) FILTER (WHERE retention_book_send(rows::text::retention_book) <> retention_book_send(rows) OR retention_book_send(money::text::retention_book) <> retention_book_send(money)) AS differ FROM ends;
-- The widest triangle: a year a column. By day it would have more cells than can be told.
SELECT max(periods_later), max(period) AS period, sum(active), count(DISTINCT rate) FROM cohort_retention((SELECT retention_book(1, t, 'year', 'UTC') FROM unnest('{4713-01-01 BC,294276-12-31}'::timestamptz[]) t));

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT retention_book(1, '2026-01-01', 'fortnight', 'UTC');
SELECT retention_book(1, '2026-01-01', 'month', 'CEST');
SELECT retention_book(1, 'infinity', 'month', 'UTC');
SELECT retention_book(1, timestamptz '-infinity');
SELECT retention_book(1, '2026-01-01', 'NaN', 'month', 'UTC');
SELECT retention_book(1, '2026-01-01', 'infinity', 'month', 'UTC');
SELECT retention_book(1, '2026-01-01', 1e38, 'month', 'UTC');
SELECT retention_book(1, '4714-11-30 BC', 'month', 'UTC');
SELECT retention_book(1, '2026-01-01', unit, 'UTC') FROM unnest('{day,week}'::text[]) unit;
SELECT retention_book(1, '2026-01-01', 5, 'day', zone) FROM unnest('{UTC,Asia/Tokyo}'::text[]) zone;
SELECT retention_book(1, a) FROM (SELECT activity('2026-01-01', unit, 'UTC') AS a FROM unnest('{day,week}'::text[]) unit GROUP BY unit) s;
SELECT retention_book(1, '2026-01-01', 'day', 'UTC') + retention_book(1, '2026-01-01', 'day', 'Europe/Berlin');
SELECT retention_book(1, '2026-01-01', 'day', 'UTC') + retention_book(1, '2026-01-01', 5, 'day', 'UTC');
SELECT retention_book(1, '2026-01-01', 'day', 'UTC') + retention_book(1, timestamptz '2026-01-01');
SELECT retention_book(1, '2026-01-01', 'day', 'UTC') + retention_book('1'::text, '2026-01-01', 'day', 'UTC');
SELECT * FROM cohort_retention((SELECT b FROM money), '2026-03-31 23:59:59.999999');
SELECT * FROM cohort_retention((SELECT b FROM money), 'infinity');
SELECT * FROM cohort_retention((SELECT b FROM times));
SELECT * FROM cohort_retention((SELECT retention_book(1, t, 'day', 'UTC') FROM unnest('{4713-01-01 BC,294276-12-31}'::timestamptz[]) t));
SELECT * FROM lifecycle_counts((SELECT b FROM money), '2026-03-31');
SELECT * FROM lifecycle_counts((SELECT b FROM money), '-infinity');
SELECT * FROM lifecycle_counts((SELECT b FROM times));
SELECT * FROM lifecycle_counts((SELECT retention_book(1, '2026-01-01', 'day', 'UTC')), '294276-12-31');
SELECT * FROM stickiness((SELECT b FROM money), since => '2026-03-01', until => '2026-01-31');
SELECT * FROM stickiness((SELECT b FROM money), since => '2026-01-20', until => '2026-01-10');
SELECT * FROM stickiness((SELECT b FROM money), since => '-infinity');
SELECT * FROM stickiness((SELECT b FROM money), '-infinity');
SELECT * FROM stickiness((SELECT b FROM money), '2026-03-31 23:59:59.999999');
SELECT * FROM stickiness((SELECT b FROM money), until => 'infinity');
SELECT * FROM stickiness((SELECT b FROM times));
SELECT * FROM day_retention((SELECT b FROM money));
SELECT * FROM day_retention((SELECT b FROM times), '2026-01-04 09:59');
SELECT * FROM day_retention((SELECT b FROM times), 'infinity');
SELECT * FROM day_retention((SELECT b FROM times), last_day => NULL);
SELECT * FROM day_retention((SELECT b FROM times), last_day => -1);
SELECT * FROM day_retention((SELECT b FROM times), last_day => 16777216);
-- A unit without a time zone.
SELECT retention_book(member, t, 'month') FROM orders;
SELECT member, retention_book(member, t, amount, 'month') FROM orders GROUP BY member;
\set VERBOSITY terse
SELECT retention_book_step_without_timezone(NULL, 1::bigint, '2026-01-01', 'month');
SELECT retention_book_combine(NULL, NULL);
SELECT retention_book_step_bigint(NULL, 1, now(), 'day', 'UTC');
SELECT retention_book_step_uuid_amount(NULL, NULL, now(), 1, 'day', 'UTC');
SELECT retention_book_step_text_time(NULL, '', now());
SELECT retention_book_step_bigint_activity(NULL, 1, NULL);
-- The SQLSTATE of every kind of error.
SELECT left(hostile.error_of(format('SELECT retention_book(%s)', a)), 5) AS code, string_agg(a, E'\n' ORDER BY a COLLATE "C") AS arguments
FROM unnest(ARRAY[$$1, '2026-01-01', 'days', 'UTC'$$, $$1, '2026-01-01', 'day', 'Nowhere'$$, $$1, '2026-01-01', 1, '', 'UTC'$$, $$''::text, timestamptz 'infinity'$$, $$1, '-infinity', 1, 'day', 'UTC'$$, $$1, '2026-01-01', 'NaN', 'day', 'UTC'$$, $$1, '2026-01-01', 1e-29, 'day', 'UTC'$$, $$1, '4714-11-24 BC', 'year', 'UTC'$$]) a GROUP BY 1 ORDER BY 1;
SELECT left(hostile.error_of(format('SELECT * FROM %s', f)), 5) AS code, string_agg(f, E'\n' ORDER BY f COLLATE "C") AS calls
FROM unnest(ARRAY[$$cohort_retention((SELECT b FROM money), '2026-01-01')$$, $$cohort_retention((SELECT b FROM money), '-infinity')$$, $$cohort_retention((SELECT b FROM times))$$, $$lifecycle_counts((SELECT b FROM money), '2026-01-01')$$, $$lifecycle_counts((SELECT b FROM money), 'infinity')$$, $$lifecycle_counts((SELECT b FROM times))$$,
	$$stickiness((SELECT b FROM money), 'infinity')$$, $$stickiness((SELECT b FROM money), '2026-01-01')$$, $$stickiness((SELECT b FROM money), date '2026-03-31')$$, $$stickiness((SELECT b FROM money), timestamp '2026-03-31 11:00')$$, $$stickiness((SELECT b FROM money), timestamptz '-infinity')$$, $$stickiness((SELECT b FROM money), since => 'infinity')$$, $$stickiness((SELECT b FROM money), since => '2026-01-01', until => '2025-01-01')$$, $$stickiness((SELECT b FROM times))$$, $$day_retention((SELECT b FROM times), '2026-01-01')$$, $$day_retention((SELECT b FROM times), '-infinity')$$, $$day_retention((SELECT b FROM times), last_day => -2147483648)$$, $$day_retention((SELECT b FROM times), last_day => NULL)$$, $$day_retention((SELECT b FROM money))$$]) f GROUP BY 1 ORDER BY 1;

-- Every way to write the arguments: calls that are complete find their function, and those without a time zone the one that says so.
CREATE TABLE calls AS
SELECT member, at, amount, zone, format('retention_book(%s)', concat_ws(', ', member, at, amount, unit, zone)) AS call
FROM unnest(ARRAY[$$bigint '1'$$, $$integer '1'$$, $$smallint '1'$$, '1', $$'1'$$, $$text '1'$$, $$varchar '1'$$, $$name '1'$$, $$char '1'$$, $$uuid '00000000-0000-0000-0000-000000000001'$$, 'NULL::bigint']) member,
	unnest(ARRAY[$$timestamptz '2026-01-31 12:00+00'$$, $$timestamp '2026-01-31 12:00'$$, $$date '2026-01-31'$$, $$'2026-01-31 12:00+00'$$]) at,
	unnest(ARRAY[NULL, $$numeric '5'$$, '5', '5.0', $$bigint '5'$$, $$smallint '5'$$]) amount,
	(VALUES ($$'month'$$, $$'Europe/Berlin'$$), ($$text 'month'$$, $$text 'Europe/Berlin'$$), ($$varchar 'month'$$, $$'Europe/Berlin'$$), ($$'month'$$, $$varchar 'Europe/Berlin'$$), ($$'month'$$, NULL), ($$text 'month'$$, NULL), ($$varchar 'month'$$, NULL)) z (unit, zone);
CREATE FUNCTION january_of(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT string_agg(concat_ws('' '', cohort, round(net)), '','') FROM cohort_retention((SELECT %s))', call) INTO answer;
	RETURN answer;
END $$;
SELECT zone IS NOT NULL AS has_zone, amount IS NOT NULL AS has_amount, member LIKE 'NULL%' AS no_member, coalesce(hostile.error_of('SELECT ' || call), january_of(call)) AS answer, count(*) AS calls FROM calls GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- Parameters of unknown types are taken for what they were.
PREPARE periods AS SELECT member_count(retention_book($1, '2026-01-01', $2, $3)), member_count(retention_book(1, $4, $2, 'UTC'));
EXECUTE periods('ann', 'month', 'UTC', '2026-01-01');
PREPARE amounts AS SELECT net_outside(retention_book($1, $2, $3, $4, $5));
EXECUTE amounts('ann', '2026-01-01', -5, 'month', 'UTC');
PREPARE without_timezone AS SELECT retention_book($1, '2026-01-01', $2);
EXECUTE without_timezone('ann', 'month');
DEALLOCATE ALL;

-- Whatever the order and the parts, the same bytes; of every form and type of key.
CREATE TABLE kinds (kind text, aggregate text);
INSERT INTO kinds SELECT key || ' ' || form, format('retention_book(%s, t%s %%s)', key, rest)
FROM unnest('{member,u,x}'::text[]) key, (VALUES ('periods', ', ''week'', ''Europe/Berlin'''), ('amounts', ', amount, ''week'', ''Europe/Berlin'''), ('times', '')) v (form, rest);
CREATE TABLE wholes (kind text, b retention_book);
CREATE TABLE parts (kind text, part int, b retention_book);
CREATE TABLE others (kind text, way text, b retention_book);
SELECT format('INSERT INTO wholes SELECT %L, %s FROM signs', kind, format(aggregate, '')), format('INSERT INTO parts SELECT %L, part, %s FROM signs GROUP BY part', kind, format(aggregate, '')) FROM kinds \gexec
SELECT format('INSERT INTO others SELECT %L, %L, %s FROM signs', kind, way, format(aggregate, way)) FROM kinds, unnest('{ORDER BY t,ORDER BY t DESC,"ORDER BY amount","ORDER BY u, t","ORDER BY x DESC"}'::text[]) way \gexec
INSERT INTO others SELECT kind, 'rollup', rollup(b) FROM parts GROUP BY kind;
INSERT INTO others SELECT kind, 'rollup, other order', rollup(b ORDER BY part DESC) FROM parts GROUP BY kind;
INSERT INTO others SELECT kind, 'rollup of rollups', rollup(b) FROM (SELECT kind, rollup(b) AS b FROM parts GROUP BY kind, part % 3) s GROUP BY kind;
INSERT INTO others SELECT kind, 'plus', a.b + o.b FROM parts a JOIN (SELECT kind, rollup(b) AS b FROM parts WHERE part > 0 GROUP BY kind) o USING (kind) WHERE part = 0;
INSERT INTO others SELECT kind, 'plus, commuted', o.b + a.b FROM parts a JOIN (SELECT kind, rollup(b) AS b FROM parts WHERE part > 0 GROUP BY kind) o USING (kind) WHERE part = 0;
INSERT INTO others SELECT kind, 'text', b::text::retention_book FROM wholes;
SELECT count(DISTINCT kind) AS kinds, count(DISTINCT way) AS ways, count(*) AS books, bool_and(retention_book_send(w.b) = retention_book_send(o.b) AND w.b = o.b AND NOT w.b <> o.b AND retention_book_cmp(w.b, o.b) = 0) AS same,
	bool_and(retention_book_hash(w.b) = retention_book_hash(o.b) AND retention_book_hash_extended(w.b, 3) = retention_book_hash_extended(o.b, 3)) AS hash, count(DISTINCT w.b) AS different, bool_and(rows_skipped(w.b) = rows_skipped(o.b)) AS skipped
FROM wholes w JOIN others o USING (kind);
SELECT count(*) AS members_of_parts, bool_and(member_count(b) <= 256) AS few, bool_and(b = b + b) FILTER (WHERE kind LIKE '%periods' AND rows_skipped(b) = 0) AS periods_are_sets, bool_and(b = b + b) FILTER (WHERE kind LIKE '%times' AND rows_skipped(b) = 0) AS times_are_sets, bool_or(b = b + b) FILTER (WHERE kind LIKE '%amounts') AS money_adds FROM parts;
-- The same of activities, and of a book in which all of them are merged.
SELECT unit, retention_book_send(by_member) = retention_book_send(by_part) AS same, by_member = rows AS those_of_rows FROM of_activities ORDER BY unit COLLATE "C";
-- In parallel.
CREATE FUNCTION is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN jsonb_path_exists(plan, '$.**."Partial Mode" ? (@ == "Partial")') AND jsonb_path_exists(plan, '$.**."Workers Planned" ? (@ >= 1)');
END $$;
CREATE TABLE activities AS SELECT member, u, x, activity(t, 'week', 'Europe/Berlin') AS a FROM signs GROUP BY member, u, x, part;
ALTER TABLE signs SET (parallel_workers = 2); ALTER TABLE activities SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ANALYZE signs, activities, parts;
CREATE TABLE in_parallel (kind text, is_partial boolean, b retention_book);
SELECT format('INSERT INTO in_parallel SELECT %L, is_partial(%L)', kind, format('SELECT %s FROM signs', format(aggregate, ''))), format('CREATE TABLE one AS SELECT %s AS b FROM signs', format(aggregate, '')), format('UPDATE in_parallel p SET b = one.b FROM one WHERE kind = %L', kind), 'DROP TABLE one' FROM kinds \gexec
SELECT count(*) AS kinds, bool_and(is_partial) AS partial, bool_and(retention_book_send(p.b) = retention_book_send(w.b)) AS same FROM in_parallel p JOIN wholes w USING (kind);
SELECT is_partial('SELECT rollup(b) FROM parts') AS rolled_up, is_partial('SELECT retention_book(member, a), retention_book(u, a), retention_book(x, a) FROM activities') AS of_activities;
SELECT retention_book(member, a) = (SELECT by_part FROM of_activities WHERE unit = 'week') AS same FROM activities;
RESET parallel_setup_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- As a window: each row sees the rows up to it.
SELECT count(*) AS rows, count(*) FILTER (WHERE (SELECT sum(active) FROM cohort_retention(running)) <> (SELECT count(DISTINCT (o.member, date_trunc('week', o.t))) FROM signs o WHERE o.t <= s.t)) AS differ
FROM (SELECT t, retention_book(member, t, 'week', 'UTC') OVER (ORDER BY t) AS running FROM signs ORDER BY t LIMIT 150) s;
SELECT part, member_count(running) > 100 AS running, member_count(moving) <= member_count(running) AS moving, running + moving = running AS within FROM (SELECT part, rollup(b) OVER (ORDER BY part) AS running, rollup(b) OVER (ORDER BY part ROWS 1 PRECEDING) AS moving FROM parts WHERE kind = 'u periods') s;

-- Nothing depends on settings.
CREATE TABLE digests (settings text, digest text);
CREATE FUNCTION digest() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(b::text || (SELECT string_agg(concat_ws(' ', c.cohort - date '2000-01-01', c.periods_later, c.members, c.active, c.rate, c.on_or_after, c.net, c.net_rate), ',') FROM cohort_retention(b) c), ';'))
	FROM (SELECT retention_book(member, t, amount, 'month', 'Europe/Berlin') AS b FROM signs) s
$$;
INSERT INTO digests VALUES ('as above', digest());
SET timezone = 'Asia/Kathmandu'; SET datestyle = 'SQL, DMY'; SET timezone_abbreviations = 'India';
INSERT INTO digests VALUES ('Kathmandu', digest());
SET timezone = 'America/St_Johns'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601';
INSERT INTO digests VALUES ('Newfoundland', digest());
SET timezone = 'UTC'; SET datestyle = 'ISO'; RESET intervalstyle; RESET timezone_abbreviations;
SELECT count(*) AS settings, count(DISTINCT digest) AS answers FROM digests;

-- Comparison: by hash and by sorting, keys.
SET enable_sort = off; CREATE TABLE hashed AS SELECT b, count(*) AS n FROM (SELECT b FROM wholes UNION ALL SELECT b FROM others UNION ALL SELECT b FROM parts) s GROUP BY b; RESET enable_sort;
SET enable_hashagg = off; CREATE TABLE sorted AS SELECT b, count(*) AS n FROM (SELECT b FROM wholes UNION ALL SELECT b FROM others UNION ALL SELECT b FROM parts) s GROUP BY b; RESET enable_hashagg;
SELECT count(*) AS groups, count(*) FILTER (WHERE h.n IS DISTINCT FROM s.n) AS differ FROM hashed h FULL JOIN sorted s USING (b);
SELECT count(*) FILTER (WHERE (a.b < b.b)::int + (a.b = b.b)::int + (a.b > b.b)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.b <= b.b) <> (NOT a.b > b.b) OR (a.b >= b.b) <> (NOT a.b < b.b) OR (a.b <> b.b) <> (NOT a.b = b.b)) AS not_opposite,
	count(*) FILTER (WHERE sign(retention_book_cmp(a.b, b.b)) <> -sign(retention_book_cmp(b.b, a.b))) AS not_antisymmetric FROM parts a, parts b;
SELECT count(*) AS out_of_order FROM (SELECT b, lag(b) OVER (ORDER BY b) AS before FROM parts) s WHERE before > b;
-- Books differ by unit, zone, skipped rows, form; of periods not by when in a period a row was.
SELECT count(DISTINCT b) FROM (SELECT retention_book(1, '2026-01-01', 'day', 'UTC') AS b UNION ALL SELECT retention_book(1, '2026-01-01', 'week', 'UTC') UNION ALL SELECT retention_book(1, '2026-01-01', 'day', 'Europe/London') UNION ALL SELECT retention_book(1, '2026-01-01 01:00', 'day', 'UTC')
	UNION ALL SELECT retention_book(1, t, 'day', 'UTC') FROM unnest('{2026-01-01,NULL}'::timestamptz[]) t UNION ALL SELECT retention_book(1, '2026-01-01', 0, 'day', 'UTC') UNION ALL SELECT retention_book(1, timestamptz '2026-01-01') UNION ALL SELECT retention_book('1'::text, timestamptz '2026-01-01')) s;

-- Binary COPY, out and in.
CREATE TABLE copies (kind text, b retention_book);
SELECT quote_literal(current_setting('data_directory') || '/custmart_retention_copy') AS file \gset
COPY wholes TO :file WITH (FORMAT binary);
COPY copies FROM :file WITH (FORMAT binary);
SELECT count(*) AS books, bool_and(retention_book_send(w.b) = retention_book_send(c.b)) AS same FROM copies c JOIN wholes w USING (kind);

-- The specified bytes (docs/storage-format.md), by hand: kind 10, version 1, bigint keys, form; members, rows skipped; keys, the width of their
-- differences, the smallest, and by how much each is above it; settings of 4 bytes: unit 3 and UTC; 8 bytes of 0;
-- for each member the number of events, and these: months since January 2000, 312 as 2 * 312 = 0x270 = 0xf0 04, then 2 later.
SELECT retention_book_send(retention_book(member, t, 'month', 'UTC')) = decode('0a010100' || '00000002' || '0000000000000001' || '01' || '0000000000000005' || '0002' || '000403555443' || '0000000000000000'
	|| '02' || 'f004' || '02' || '01' || 'f004', 'hex') AS periods FROM (VALUES (7, timestamptz '2026-01-01'), (5, '2026-03-31'), (5, '2026-01-31'), (5, '2026-01-02'), (NULL, '2027-01-01')) v (member, t);
-- With money: a byte of the scale and 0x80 for activity, then the amount without a point: 15.50 as 2 * 1550 = 0xc1c = 0x9c 18, -3 as 2 * 3 - 1 = 5 and of no activity; 10^20 = 0x56bc75e2d63100000 is too wide: 0x1f, its scale and 32 bytes.
SELECT retention_book_send(retention_book(member, t, amount, 'month', 'UTC')) = decode('0a010101' || '00000003' || '0000000000000000' || '01' || '0000000000000005' || '000203' || '000403555443' || '0000000000000000'
	|| '02' || 'f004' || '82' || '9c18' || '02' || '00' || '05' || '01' || 'f004' || '80' || '00' || '01' || 'f004' || '9f' || '00' || lpad('56bc75e2d63100000', 64, '0'), 'hex') AS amounts FROM (VALUES (8, timestamptz '2026-01-01', 1e20), (7, '2026-01-01', 0), (5, '2026-03-31', -3), (5, '2026-01-31', 5), (5, '2026-01-02', 10.50)) v (member, t, amount);
-- Times: the first as it is, 2 * 1000000 = 0x1e8480 = 0x80 89 7a, then 1 microsecond later.
SELECT retention_book_send(retention_book('ab'::text, t)) = decode('0a010302' || '00000001' || '0000000000000000' || '00000002' || encode('ab', 'hex') || '0000' || '00000000000f4241' || '02' || '80897a' || '01', 'hex') AS times FROM unnest('{2000-01-01 00:00:01.000001,2000-01-01 00:00:01,2000-01-01 00:00:01}'::timestamptz[]) t;

-- Valid images of every form.
CREATE TABLE valid_images AS
SELECT row_number() OVER () AS id, image FROM (
	SELECT retention_book_send(retention_book(member, t, 'month', 'UTC')) AS image FROM orders WHERE member < 3
	UNION ALL SELECT retention_book_send(retention_book(member, t, CASE WHEN member = 2 THEN amount * 1e17 + 0.5 ELSE amount END, 'month', 'Asia/Tokyo')) FROM orders WHERE member IN (2, 3)
	UNION ALL SELECT retention_book_send(retention_book(member::text, t)) FROM orders WHERE member IN (3, 7)
	UNION ALL SELECT retention_book_send(retention_book(u, t, 'year', 'UTC')) FROM (SELECT * FROM signs LIMIT 2) s
	UNION ALL SELECT retention_book_send(retention_book(NULL::bigint, now()))) s;
-- Images put together by hand, each with one thing that is wrong: after the first, which is a book of one member in January 2026.
CREATE TABLE crafted AS
SELECT number, what, decode('0a0101' || form || members || skipped || keys || settings || latest || rest, 'hex') AS image
FROM (SELECT 1, 'nothing', '00', '00000001', '0000000000000000', '000403555443', '0000000000000000', '01' || 'f004'
	UNION ALL SELECT 1 + row_number() OVER (), what, coalesce(form, '00'), coalesce(members, '00000001'), coalesce(skipped, '0000000000000000'), coalesce(settings, '000403555443'), coalesce(latest, '0000000000000000'), coalesce(rest, '01' || 'f004')
	FROM (VALUES
		('form', '06', NULL, NULL, NULL, NULL, NULL), ('form of more', '01', NULL, NULL, NULL, NULL, NULL), ('no member', NULL, '00000000', NULL, NULL, NULL, NULL), ('two members', NULL, '00000002', NULL, NULL, NULL, NULL), ('a member twice', NULL, '00000002', NULL, NULL, NULL, '01' || 'f004' || '01' || 'f004'), ('many members', NULL, 'ffffffff', NULL, NULL, NULL, NULL),
		('rows skipped', NULL, NULL, 'ffffffffffffffff', NULL, NULL, NULL), ('no settings', NULL, NULL, NULL, '0000', NULL, NULL), ('no zone', NULL, NULL, NULL, '000103', NULL, NULL), ('a blank in the zone', NULL, NULL, NULL, '000403552043', NULL, NULL), ('unit', NULL, NULL, NULL, '000406555443', NULL, NULL), ('unit', NULL, NULL, NULL, '000400555443', NULL, NULL),
		('long settings', NULL, NULL, NULL, 'ffff03555443', NULL, NULL), ('long settings', NULL, NULL, NULL, '000903555443', NULL, NULL), ('infinite time', NULL, NULL, NULL, NULL, '7fffffffffffffff', NULL), ('infinite time', NULL, NULL, NULL, NULL, '8000000000000000', NULL),
		('no events', NULL, NULL, NULL, NULL, NULL, '00'), ('one too few', NULL, NULL, NULL, NULL, NULL, '02' || 'f004'), ('the same again', NULL, NULL, NULL, NULL, NULL, '02' || 'f004' || '00'), ('a longer number than need be', NULL, NULL, NULL, NULL, NULL, '01' || 'f08400'), ('very many events', NULL, NULL, NULL, NULL, NULL, 'ffffffff0f' || 'f004'),
		('a late month', NULL, NULL, NULL, NULL, NULL, '01' || 'ffffffff0e'), ('an early month', NULL, NULL, NULL, NULL, NULL, '01' || 'edea09'), ('a byte too many', NULL, NULL, NULL, NULL, NULL, '01' || 'f004' || '00'), ('a far distance', NULL, NULL, NULL, NULL, NULL, '02' || 'f004' || 'ffffffffffffffff7f'),
		('no amount', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '80'), ('an amount cut off', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '8080'), ('scale', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '9d02'), ('reserved bits', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || 'a002'), ('reserved bits', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || 'c002'),
		('no activity, but money', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '0002'), ('no activity, no money', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '0000'), ('wide, and 0', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '9f' || repeat('00', 33)), ('more than 56 bits, not wide', '01', NULL, NULL, NULL, NULL, '01' || 'f004' || '82ffffffffffffffffff01'),
		('times with a zone', '02', NULL, NULL, '000103', NULL, '01' || '00'), ('another latest time', '02', NULL, NULL, '0000', '0000000000000001', '01' || '00'), ('a time twice', '02', NULL, NULL, '0000', NULL, '02' || '00' || '00'), ('an infinite time', '02', NULL, NULL, '0000', NULL, '01' || 'fcffffffffffffffff01')) v (what, form, members, skipped, settings, latest, rest)) s (number, what, form, members, skipped, settings, latest, rest),
	LATERAL (SELECT CASE what WHEN 'two members' THEN '0100000000000000010001' ELSE '000000000000000001' END AS keys) k;
SELECT what, hostile.receive('retention_book', image) AS answer FROM crafted ORDER BY number;
-- Without members there is nothing else, either.
SELECT hostile.receive('retention_book', image) AS answer FROM unnest(ARRAY['\x0a010100 00000000 0000000000000004 0000 0000000000000000', '\x0a010100 00000000 0000000000000004 0004 03555443 0000000000000000', '\x0a010100 00000000 0000000000000004 0000 0000000000000001']::bytea[]) image;
-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT 'retention_book:' || replace(encode(image, 'base64'), E'\n', '') FROM valid_images WHERE id < 4)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'retention_book', 'retention_book:', ':', 'rfm_summary:', 'retention_book: ', 'retention_book:=', 'retention_book:====', 'retention_book:AAAA', 'retention_book:%%%%', '{}', 'null', '0', 'RETENTION_BOOK:CgEBAA==', 'retention_book:CgEBAA==', 'interaction_book:CgEBAAAAAAAAAAAAAAAAAA=='])
UNION ALL SELECT 'retention_book:' || replace(encode(image, 'base64'), E'\n', '') FROM crafted WHERE number > 1
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 12) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(20, 60, 10) n;
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE error IS NULL OR error NOT LIKE '22P02 invalid input syntax for type retention_book: "%') AS not_refused
FROM (SELECT hostile.error_of(format('SELECT %L::retention_book', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::retention_book', literal)) IS NULL;
\set VERBOSITY default
SELECT 'retention_book:CgEBAAAAAAEAAAAAAAAAAAAAAAAAAAAAAQACAy8AAAAAAAAAAALwBAA='::retention_book;
\set VERBOSITY terse
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''retention_book'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images, of every form: every one-byte change and every cut of a valid one is refused or is another valid book.
CREATE TABLE images (id bigint, image bytea, answer text);
-- One statement for each, because every image takes locks.
SELECT format('INSERT INTO images SELECT id, m, hostile.receive(''retention_book'', m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT count(*) > 900 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary retention_book is not valid: %') > 600 AS many_refused, count(*) FILTER (WHERE answer LIKE 'accepted%') > 200 AS some_accepted,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary retention_book is not valid: %' AND answer NOT LIKE 'accepted: retention_book:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND retention_book_send(substr(answer, 11)::retention_book) <> image;
-- What was accepted is harmless, and canonical: merged with itself twice it is what its parts are.
CREATE TABLE accepted AS SELECT id, substr(answer, 11)::retention_book AS b FROM images WHERE answer LIKE 'accepted%';
SELECT count(*) AS differ FROM accepted WHERE hostile.error_of(format('SELECT %L::retention_book + %1$L', b)) IS NULL AND retention_book_send((SELECT rollup(x) FROM (VALUES (b), (b)) v (x))) <> retention_book_send(b + b);
SELECT left(e, 5) AS code, count(*) > 0 AS some FROM accepted a, LATERAL (
	SELECT hostile.error_of(format('SELECT member_count(b), rows_skipped(b), net_outside(b), (SELECT count(*) FROM stickiness(b)), (SELECT count(*) FROM stickiness(b, since => ''2026-01-01'', until => ''2026-01-31'')) FROM (SELECT %L::retention_book AS b) s', b)) AS e WHERE id <> 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM day_retention(%L::retention_book, NULL, 20)', b)) WHERE id = 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM cohort_retention(%L::retention_book, ''2026-05-01'')', b)) WHERE id <> 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM lifecycle_counts(%L::retention_book, ''2026-05-01'')', b)) WHERE id <> 3) o GROUP BY 1 ORDER BY 1;
-- An image can say a latest time that is before its periods: it is never believed.
SELECT hostile.error_of(format('SELECT count(*) FROM cohort_retention(%L::retention_book, ''2026-01-15'')', f)) IS NOT NULL AS refused, (SELECT array_agg(periods_later) FROM cohort_retention(f)) AS cells, (SELECT count(*) FROM lifecycle_counts(f)) AS periods
FROM (SELECT ('retention_book:' || encode(decode('0a0101000000000100000000000000000000000000000000010004015554430000000000000000' || '02' || 'ee9401' || '03', 'hex'), 'base64'))::retention_book AS f) s;
