-- Quiet hours and new friends.  The moments of after_quiet are those of the specification, worked out by hand; test/t/093_after_quiet.pl
-- tries every minute of a year.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- ---------- quiet hours ----------

-- From 21:00 to 08:00, in a winter night, in that when clocks go forward, in that when they go back, and at the end; then from 22:00 to
-- 02:30, which the clocks of that night do not show.
SELECT t, after_quiet(t, quiet_from, quiet_to, 'Europe/Berlin') AS got, expected, after_quiet(t, quiet_from, quiet_to, 'Europe/Berlin') = expected AS same
FROM (VALUES (timestamptz '2026-01-15 20:00Z', time '21:00', time '08:00', timestamptz '2026-01-16 07:00Z'), ('2026-01-15 19:59:59.999999Z', '21:00', '08:00', '2026-01-15 19:59:59.999999Z'),
	('2026-03-28 20:30Z', '21:00', '08:00', '2026-03-29 06:00Z'), ('2026-10-25 00:30Z', '21:00', '08:00', '2026-10-25 07:00Z'), ('2026-03-29 06:00Z', '21:00', '08:00', '2026-03-29 06:00Z'),
	('2026-03-28 22:00Z', '22:00', '02:30', '2026-03-29 01:00Z'), ('2026-01-15 12:00Z', '13:00', '15:00', '2026-01-15 14:00Z'), ('2026-01-15 14:00Z', '13:00', '15:00', '2026-01-15 14:00Z')) v (t, quiet_from, quiet_to, expected);
-- Quiet by day, over an hour that is shown twice: from 02:15 to 02:45 twice, with half an hour in between that is not.
SELECT after_quiet(timestamptz '2026-10-25 00:20Z', '02:15', '02:45', 'Europe/Berlin') AS first, after_quiet(timestamptz '2026-10-25 00:50Z', '02:15', '02:45', 'Europe/Berlin') AS between,
	after_quiet(timestamptz '2026-10-25 01:20Z', '02:15', '02:45', 'Europe/Berlin') AS second;
-- To an end that clocks jump back over: at 02:30 it is not quiet any more, at 02:00 again it is.
SELECT after_quiet(timestamptz '2026-10-24 22:00Z', '23:00', '02:30', 'Europe/Berlin') AS first, after_quiet(timestamptz '2026-10-25 01:00Z', '23:00', '02:30', 'Europe/Berlin') AS again;
-- Where clocks change at midnight: 00:00 is left out, or comes twice.
SELECT after_quiet(timestamptz '2018-11-04 02:30Z', '23:00', '00:30', 'America/Sao_Paulo') AS left_out, after_quiet(timestamptz '2018-02-18 01:30Z', '23:00', '00:00', 'America/Sao_Paulo') AS twice;
-- A day that was left out, and clocks that were not of whole minutes.
SELECT after_quiet(timestamptz '2011-12-30 08:00Z', '21:00', '08:00', 'Pacific/Apia') AS apia, after_quiet(timestamptz '1800-01-01 00:00Z', '21:00', '08:00', 'Europe/Berlin') AS berlin;
-- No quiet hours; up to midnight; and from midnight, however it is written.
SELECT count(*) FILTER (WHERE after_quiet(t, '08:00', '08:00', 'UTC') <> t) AS none, count(*) FILTER (WHERE after_quiet(t, '24:00', '24:00', 'UTC') <> t) AS none_either, count(*) FILTER (WHERE after_quiet(t, '24:00', '00:00', 'UTC') <> t) AS nor_here,
	count(*) FILTER (WHERE after_quiet(t, '22:00', '24:00', 'UTC') <> CASE WHEN t::time >= '22:00' THEN t::date + 1 ELSE t END) AS to_midnight, count(*) FILTER (WHERE after_quiet(t, '22:00', '24:00', 'UTC') <> after_quiet(t, '22:00', '00:00', 'UTC')) AS to_midnight_too,
	count(*) FILTER (WHERE after_quiet(t, '24:00', '06:00', 'UTC') <> after_quiet(t, '00:00', '06:00', 'UTC')) AS from_midnight
FROM generate_series(timestamptz '2026-01-01', '2026-01-03', '13 minutes') t;
-- By the clocks of the time zone, whatever that of the session is.
SELECT after_quiet(timestamp '2026-01-15 22:00', '21:00', '08:00', 'America/New_York') AS timestamp, after_quiet(date '2026-01-15', '21:00', '08:00', 'America/New_York') AS date,
	after_quiet('2026-01-15 22:00', '21:00', '08:00', 'America/New_York') AS text, after_quiet('2026-01-15 22:00+01', '21:00', '08:00', 'America/New_York') AS text_with_offset;
SELECT after_quiet(NULL::timestamptz, '21:00', '08:00', 'UTC') IS NULL AS t, after_quiet(timestamptz '2026-01-01', NULL, '08:00', 'UTC') IS NULL AS quiet_from, after_quiet(timestamptz '2026-01-01', '21:00', NULL, 'UTC') IS NULL AS quiet_to, after_quiet(timestamptz '2026-01-01', '21:00', '08:00', NULL) IS NULL AS timezone;
-- Far out.
SELECT after_quiet(timestamptz '4714-11-24 00:00 BC', '21:00', '08:00', 'UTC') AS first, after_quiet(timestamptz '294276-12-31 12:00', '21:00', '08:00', 'UTC') AS last, after_quiet(timestamptz '200000-07-01 20:00Z', '21:00', '08:00', 'Europe/Berlin') AS later;
\set VERBOSITY default
SELECT after_quiet(timestamptz '294276-12-31 22:00', '21:00', '08:00', 'UTC');
SELECT after_quiet(timestamptz '2026-01-01', '00:00', '24:00', 'UTC');
SELECT after_quiet(timestamptz 'infinity', '21:00', '08:00', 'UTC');
SELECT after_quiet(timestamptz '2026-01-01', '21:00', '08:00', 'Europe/Nowhere');
\set VERBOSITY terse

-- ---------- friends ----------

-- Three orders, and 90 days since the first: to the microsecond.
SELECT frequency, first_order, friend(frequency, first_order, '2026-06-01 00:00Z') FROM (VALUES (3, timestamptz '2026-03-03 00:00Z'), (3, '2026-03-03 00:00:00.000001Z'), (2, '2020-01-01'), (50, '2026-06-01'), (0, NULL), (NULL, '2020-01-01'), (3, NULL)) v (frequency, first_order);
SELECT friend(1, '2026-01-01', '2026-01-01', 1, '0') AS at_once, friend(1, '4714-11-24 BC', '294276-12-31', 1, '106751991 days') AS in_a_long_time, friend(2, first_order => '2025-01-01', as_of => '2026-01-01', min_tenure => '30 days', min_orders => 2) AS by_name;
\set VERBOSITY default
SELECT friend(-1, '2026-01-01', '2026-01-01');
SELECT friend(3, '2026-01-02', '2026-01-01');
SELECT friend(3, '2026-01-01', NULL);
SELECT friend(3, '2026-01-01', 'infinity');
SELECT friend(3, '-infinity', '2026-01-01');
SELECT friend(3, '2026-01-01', '2026-01-01', 0);
SELECT friend(3, '2026-01-01', '2026-01-01', NULL);
SELECT friend(3, '2026-01-01', '2026-01-01', 3, '-1 day');
SELECT friend(3, '2026-01-01', '2026-01-01', 3, '1 month');
SELECT friend(3, '2026-01-01', '2026-01-01', 3, NULL);
\set VERBOSITY terse
SELECT call, left(hostile.error_of('SELECT ' || call), 5) AS state FROM unnest(ARRAY[
	$$after_quiet(timestamptz '294276-12-31 22:00', '21:00', '08:00', 'UTC')$$, $$after_quiet(timestamptz '2026-01-01', '00:00', '24:00', 'UTC')$$, $$after_quiet(date 'infinity', '21:00', '08:00', 'UTC')$$, $$after_quiet(timestamp '-infinity', '21:00', '08:00', 'UTC')$$,
	$$after_quiet(timestamptz '2026-01-01', '21:00', '08:00', 'EST5')$$, $$after_quiet(timestamptz '2026-01-01', '21:00', '08:00', 'nowhere')$$, $$after_quiet('yesterday afternoon', '21:00', '08:00', 'UTC')$$,
	$$friend(-1, '2026-01-01', '2026-01-01')$$, $$friend(3, '2026-01-02', '2026-01-01')$$, $$friend(3, '2026-01-01', NULL)$$, $$friend(3, '2026-01-01', 'infinity')$$, $$friend(3, '2026-01-01', '2026-01-01', 0)$$, $$friend(3, '2026-01-01', '2026-01-01', 3, '1 month')$$]) call;
