-- tier_by_spend: tiers by rolling net spend.  Expected figures are worked out by hand
-- in comments, or by plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA tier_by_spend_test;
SET search_path = tier_by_spend_test, public;
SET timezone = 'UTC';

-- One member, gold from 1000 on, silver from 500 on, by the calendar year:
--   2025-03-10  300     net  300           member
--   2025-07-02  450.50  net  750.50        silver at once
--   2025-11-20  400     net 1150.50        gold at once
--   2025-12-05 -200     net  950.50        a refund takes nothing away before the year ends
--   2026-01-01          net of 2025 950.50 silver
--   2026-02-14  120     net of 2025-02-15 .. 2026-02-14: 1070.50, gold again
--   2027-01-01          net of 2026 120    member
CREATE TABLE bought (occurred_at timestamptz, amount numeric);
INSERT INTO bought VALUES ('2025-03-10', 300), ('2025-07-02', 450.50), ('2025-11-20', 400), ('2025-12-05', -200), ('2026-02-14', 120);
CREATE TABLE one AS SELECT spend(occurred_at, amount) AS x FROM bought;
SELECT h.* FROM one, tier_history(x, '2027-06-30', ARRAY[1000, 500], ARRAY['gold', 'silver', 'member']) h;
-- At other times; of 2026-06-30 the present tier gold is lost at the end of the year.
SELECT as_of::date, tier_by_spend(x, as_of, ARRAY[1000, 500], ARRAY['gold', 'silver', 'member']),
	spend_to_next(x, as_of, ARRAY[1000, 500]), tier_until(x, as_of, ARRAY[1000, 500]), rolling_spend(x, as_of)
FROM unnest(ARRAY[timestamptz '2025-03-31', '2025-08-31', '2025-12-31', '2026-01-01', '2026-06-30', '2027-01-01']) as_of,
	LATERAL (SELECT spend(occurred_at, amount) AS x FROM bought WHERE occurred_at <= as_of) s ORDER BY 1;
-- The same by name, and with a calendar quarter: 2025-09-30 is over with 750.50.
SELECT tier_by_spend(x, as_of => '2026-06-30', limits => '{1000,500}', names => '{gold,silver,member}', span => '1 year', unit => 'quarter', timezone => 'Europe/Berlin') FROM one;
SELECT h.* FROM one, tier_history(x, '2027-06-30', '{1000,500}', '{gold,silver,member}', unit => 'quarter') h;

-- Edges.  At an end a row of that very time belongs to the period that begins: the 500 of
-- 2026-01-01 00:00 do not count for 2025, which ends with 600, but lift the member again.
SELECT h.* FROM tier_history((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-01-01', 600), ('2025-06-01', 400), ('2025-07-01', -400), ('2026-01-01', 500)) v(t, a)),
	'2026-12-31', '{1000,500}', '{gold,silver,member}') h;
-- Within a year up to a moment: the row of just a year ago no longer counts, one microsecond later it does.
SELECT rolling_spend(x, '2026-01-01'), rolling_spend(x, '2025-12-31 23:59:59.999999'), rolling_spend(x, '2024-12-31')
FROM (SELECT spend('2025-01-01', 7) AS x) s;
-- But the end of 2025 has it: a year of dates without a time is a whole one.
SELECT tier_by_spend(spend('2025-01-01', 7), '2026-01-01', '{7}', '{a,b}');
-- Equal times are one moment: 300 - 100 + 250 never was 550.
SELECT h.* FROM tier_history((SELECT spend('2026-01-05', a) FROM unnest(ARRAY[300, 250, -100]) a), '2026-01-05', '{500,400}', '{gold,silver,member}') h;
-- A refund that leaves the window raises the net, and the end of the period sees it; before, any row will.
CREATE TABLE old_refund AS SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2025-01-10', -300), ('2025-02-10', 400), ('2025-12-10', 200)) v(t, a);
-- 13 months before 2026-03-01 is 2025-02-01: the 300 have left, the 400 have not.
SELECT h.* FROM old_refund, tier_history(x, '2026-03-31', '{500}', '{gold,member}', unit => 'month', span => '13 months') h;
SELECT tier_by_spend(x, as_of, '{500}', '{gold,member}', unit => 'month', span => '13 months'), spend_to_next(x, as_of, '{500}', unit => 'month', span => '13 months') FROM old_refund, unnest(ARRAY[timestamptz '2025-12-31', '2026-02-20']) as_of;
-- Refunds first, and nothing but refunds.
SELECT h.* FROM tier_history((SELECT spend('2026-01-01', -5)), '2028-01-01', '{500}', '{gold,member}') h;
SELECT tier_by_spend(x, '2026-01-01', '{500}', '{gold,member}'), spend_to_next(x, '2026-01-01', '{500}'), tier_until(x, '2026-01-01', '{500}')
FROM (SELECT spend('2026-01-01', -5) AS x) s;

-- No rows, NULL.
SELECT spend(occurred_at, amount) FROM bought WHERE false;
SELECT spend(t, a) FROM (VALUES (NULL::timestamptz, 1), ('2026-01-01', NULL)) v(t, a);
SELECT spend(t, a) = (SELECT spend('2026-01-01', 1)) AS skipped FROM (VALUES (NULL::timestamptz, 1), ('2026-01-01', NULL), ('2026-01-01', 1)) v(t, a);
-- as_of NULL is the latest amount.
SELECT rolling_spend(x, NULL, '10 days') = rolling_spend(x, '2026-03-05', '10 days') AS rolling, tier_by_spend(x, NULL, '{20,10}', '{a,b,c}', '10 days', 'month') AS tier, spend_to_next(x, NULL, '{20,10}', '10 days', 'month') AS missing,
	(SELECT count(*) FROM tier_history(x, NULL, '{20,10}', '{a,b,c}', '10 days', 'month')) AS changes
FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2026-01-05', 25), ('2026-03-01', 8), ('2026-03-05', 4)) v(t, a)) s;
-- So it is where as_of is omitted; limits and names, which stand behind it, cannot be.
SELECT rolling_spend(x) = rolling_spend(x, NULL) AS rolling, rolling_spend(summary => x, span => '10 days') AS ten_days, tier_by_spend(x, limits => '{20,10}', names => '{a,b,c}', span => '10 days', unit => 'month') AS tier,
	spend_to_next(x, limits => '{20,10}', span => '10 days', unit => 'month') AS missing, tier_until(x, limits => '{20,10}', span => '10 days') AS until,
	(SELECT count(*) FROM tier_history(x, limits => '{20,10}', names => '{a,b,c}', span => '10 days', unit => 'month')) AS changes, (SELECT count(*) FROM (SELECT (tier_history(x, limits => '{20,10}', names => '{a,b,c}', span => '10 days', unit => 'month')).*) h) AS streamed
FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2026-01-05', 25), ('2026-03-01', 8), ('2026-03-05', 4)) v(t, a)) s;
SELECT call, hostile.error_of(format('SELECT %s FROM (SELECT spend(''2026-01-01'', 1) AS x) s', call)) FROM unnest(ARRAY['tier_by_spend(x)', 'tier_by_spend(x, ''2026-01-01'')', $$tier_by_spend(x, limits => '{1}')$$, $$tier_by_spend(x, names => '{a,b}')$$, $$tier_by_spend(x, '2026-01-01', '{1}')$$, $$tier_by_spend(x, '2026-01-01', NULL, '{a,b}')$$,
	'spend_to_next(x)', 'spend_to_next(x, ''2026-01-01'')', 'tier_until(x)', 'tier_until(x, date ''2026-01-01'', NULL)', '(tier_history(x)).tier', $$(tier_history(x, '2026-01-01', '{1}')).tier$$, $$tier_by_spend(x, limits => '{}', names => '{a}')$$]) call;
\set VERBOSITY default
SELECT tier_by_spend(x, limits => '{1}') FROM (SELECT spend('2026-01-01', 1) AS x) s;
\set VERBOSITY terse
-- In Beirut 2014-03-30 began at 1:00, and a month before that is 2014-02-28 1:00: what was spent half an hour before has left the
-- window then, and is in it again a day later.  An amount that is too small to matter changes nothing.
SELECT small, h.since AT TIME ZONE 'Asia/Beirut' AS since, h.tier, h.reason FROM unnest(ARRAY[0, 1]) small,
	LATERAL (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2014-02-28 00:30+02', 100), ('2014-03-05 00:00+02', small)) v(t, a)) s, tier_history(x, '2014-04-05', '{50}', '{a,b}', '1 month', 'day', 'Asia/Beirut') h ORDER BY 1, 2;
SELECT rollup(NULL::spend_summary), NULL::spend_summary + NULL::spend_summary;
SELECT tier_by_spend(NULL, '2026-01-01', '{1}', '{a,b}'), spend_to_next(NULL, '2026-01-01', '{1}'), tier_until(NULL, '2026-01-01', '{1}'), rolling_spend(NULL, '2026-01-01');
SELECT count(*) FROM tier_history(NULL, '2026-01-01', '{1}', '{a,b}');

-- Exact, and never shorter than the amounts.
SELECT rolling_spend(x, '2026-01-01', '1 month') = 99999999999999999999999999999999999999.0000000000000000000000000001 AS exact,
	rolling_spend(x, '2026-01-01', '1 day'), rolling_spend(x, '2026-06-01', '1 day')
FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2025-12-31', 99999999999999999999999999999999999999::numeric), ('2025-12-30', 0.0000000000000000000000000001), ('2026-01-01', 0)) v(t, a)) s;
SELECT tier_by_spend(x, '2026-01-01', ARRAY[0.3], '{a,b}') FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2026-01-01', 0.1), ('2026-01-01', 0.2)) v(t, a)) s;

-- ---------- periods that count from 0, tiers that are kept ----------

-- Gold from 1000 on, kept by 800; silver from 500 on, kept by 400; calendar years from 0, each for the next one as well.
--   2024-03-10  600                        silver at once
--   2024-11-20  450  of 2024 1050          gold at once, and for 2025
--   2025-02-01  300, 2025-09-01 520        820 of 2025 keep gold for 2026 (not 1000, which would reach it)
--   2026-05-01  450                        of 2026: silver for 2027, by the 400 that keep it
--   2027                                   nothing: member from 2028 on
CREATE TABLE flown AS SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2024-03-10', 600.00), ('2024-11-20', 450), ('2025-02-01', 300), ('2025-09-01', 520), ('2026-05-01', 450)) v(t, a);
SELECT h.* FROM flown, tier_history(x, '2030-01-01', '{1000,500}', '{gold,silver,member}', from_zero => true, keep_limits => '{800,400}', with_kept => true) h;
SELECT h.* FROM flown, tier_history(x, '2030-01-01', '{1000,500}', '{gold,silver,member}', from_zero => true, keep_limits => '{800,400}') h;
-- By the limits to reach a tier alone, gold is lost with 2025, and silver, which is reached anew in 2025, with 2026.
SELECT h.* FROM flown, tier_history(x, '2030-01-01', '{1000,500}', '{gold,silver,member}', from_zero => true, with_kept => true) h;
-- The next year is what is meant by default; two years more; only the year itself, in which nothing of the year before counts.
SELECT keep_for, string_agg(format('%s %s %s', since::date, tier, reason), ', ' ORDER BY since) FROM flown, unnest(ARRAY[NULL, interval '1 year', '2 years', '0']) WITH ORDINALITY k (keep_for, n),
	tier_history(x, '2030-01-01', '{1000,500}', '{gold,silver,member}', from_zero => true, keep_for => keep_for) h GROUP BY n, keep_for ORDER BY n;
-- What is missing is counted from 0, and when a tier ends is known.
SELECT as_of::date, tier_by_spend(x, as_of, '{1000,500}', '{gold,silver,member}', from_zero => true, keep_limits => '{800,400}') AS tier, spend_to_next(x, as_of, '{1000,500}', from_zero => true, keep_limits => '{800,400}') AS to_next,
	tier_until(x, as_of, '{1000,500}', from_zero => true, keep_limits => '{800,400}') AS until
FROM unnest(ARRAY[timestamptz '2024-04-01', '2024-12-31', '2025-01-01', '2025-12-31', '2026-12-31', '2027-01-01', '2028-01-01']) as_of,
	LATERAL (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2024-03-10', 600.00), ('2024-11-20', 450), ('2025-02-01', 300), ('2025-09-01', 520), ('2026-05-01', 450)) v(t, a) WHERE t <= as_of) s ORDER BY 1;
-- A soft landing is one tier down at a time, each for as long as a tier is kept.
SELECT keep_for, string_agg(format('%s %s %s', since::date, tier, reason), ', ' ORDER BY since) FROM (SELECT spend('2025-03-01', 5000) AS x) s, unnest(ARRAY[NULL, interval '2 years', '0']) WITH ORDINALITY k (keep_for, n),
	tier_history(x, '2035-01-01', '{4000,1000,500}', '{platinum,gold,silver,member}', from_zero => true, soft_landing => true, keep_for => keep_for) h GROUP BY n, keep_for ORDER BY n;
-- The years are those of a zone: 2026-01-01 03:00 in Greenwich is the last evening of 2025 in New York.  Of a moment at midnight only the new year knows.
SELECT timezone, string_agg(format('%s %s %s %s', since AT TIME ZONE timezone, tier, rolling_spend, reason), ', ' ORDER BY since)
FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2025-06-01', 600), ('2026-01-01 03:00+00', 400), ('2026-01-01 05:00+00', 500)) v(t, a)) s, unnest('{UTC,America/New_York}'::text[]) timezone,
	tier_history(x, '2029-01-01', '{1000,500}', '{gold,silver,member}', timezone => timezone, from_zero => true) h GROUP BY timezone ORDER BY timezone DESC;
-- In Havana, 2011-11-13 began twice, at midnight and when clocks were set back to it an hour later: a day from 0 has both hours.
SELECT h.since AT TIME ZONE 'UTC', h.tier, h.rolling_spend, h.reason FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2011-11-13 04:30+00', 60), ('2011-11-13 05:30+00', 40), ('2011-11-14 04:59:59+00', 1)) v(t, a)) s,
	tier_history(x, '2011-11-20', '{101,100}', '{a,b,c}', unit => 'day', timezone => 'America/Havana', from_zero => true) h;
-- A refund takes nothing away before the year ends, and then counts, though the tier was reached.
SELECT h.* FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2025-03-01', 1200), ('2025-12-20', -500)) v(t, a)) s, tier_history(x, '2028-01-01', '{1000,500}', '{gold,silver,member}', from_zero => true) h;
-- Two published examples.  Paul Fredrick's status, reached on 2025-11-01, is kept through 2026-12-31.  Of the tier credits of a casino
-- (15000 diamond, 5000 platinum, counted from 0 each January), 15000 of 2018 and 5000 of 2019 are diamond through 2019 and platinum
-- through 2020 (where each ends a month later).
SELECT tier_until(spend('2025-11-01', 2500), '2025-11-02', '{2500}', from_zero => true);
SELECT h.* FROM (SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2018-04-01', 15000), ('2019-04-01', 5000)) v(t, a)) s, tier_history(x, '2022-01-01', '{15000,5000}', '{diamond,platinum,gold}', from_zero => true) h;
-- Where the window rolls, a tier is kept from the day on which it was reached: 12 months, to the end of the month or of the day, and as long again if the last 90 days warrant it.
CREATE TABLE rolled AS SELECT spend(t, a) AS x FROM (VALUES (timestamptz '2025-02-28 10:00', 700), ('2025-03-10 12:00', 400), ('2026-02-20 09:00', 550)) v(t, a);
SELECT unit, h.since, h.tier, h.rolling_spend, h.reason FROM rolled, unnest('{month,day}'::text[]) unit,
	tier_history(x, '2028-01-01', '{1000,500}', '{gold,silver,member}', '90 days', unit, keep_for => '12 months', with_kept => true) h ORDER BY unit DESC, since;
SELECT unit, h.since, h.tier, h.rolling_spend, h.reason FROM rolled, unnest('{month,day}'::text[]) unit,
	tier_history(x, '2028-01-01', '{1000,500}', '{gold,silver,member}', '90 days', unit, keep_for => '12 months', keep_limits => '{500,200}', soft_landing => true, with_kept => true) h ORDER BY unit DESC, since;
-- The last day of February is a year after the leap day.
SELECT tier_until(spend('2024-02-29 12:00', 100), '2024-03-01', '{100}', '1 day', 'day', keep_for => '1 year'), tier_until(spend('2024-02-29 12:00', 100), '2024-03-01', '{100}', '1 day', 'month', keep_for => '1 year'),
	tier_until(spend('2024-02-29 12:00', 100), '2024-03-01', '{100}', from_zero => true, keep_for => '1 year'), tier_until(spend('2024-02-29 12:00', 100), '2024-03-01', '{100}', keep_for => '300000 years') AS beyond;
-- No time at all is the default where the window rolls; limits to keep a tier that are those to reach it change nothing, nor do ends that are asked for.
SELECT count(*) AS changes, bool_and(h = k) AS same FROM one, LATERAL (SELECT array_agg(h ORDER BY since) AS h, count(*) AS n FROM tier_history(x, '2027-06-30', '{1000,500}', '{gold,silver,member}', unit => 'month') h) h,
	LATERAL (SELECT array_agg(k ORDER BY since) AS k FROM tier_history(x, '2027-06-30', '{1000,500}', '{gold,silver,member}', unit => 'month', keep_for => '0', keep_limits => '{1000.00,500}', with_kept => true) k WHERE reason <> 'kept') k;
SELECT reason, count(*), min(since), max(since) FROM one, tier_history(x, '2027-06-30', '{1000,500}', '{gold,silver,member}', unit => 'month', with_kept => true) GROUP BY reason ORDER BY 3;

-- ---------- plain SQL gives the same ----------

-- Members with amounts at all hours, at midnights of the zone, twice at one time, and refunds.
-- Rules of several kinds; in the zones clocks change, at midnight (Sao Paulo), soon after it (St. John's,
-- Havana), and a whole day was left out (Apia, 2011-12-30).
CREATE TABLE rules (rule int PRIMARY KEY, span interval, unit text, step interval, timezone text);
INSERT INTO rules VALUES
	(1, '1 year', 'year', '1 year', 'UTC'), (2, '3 months', 'month', '1 month', 'Europe/Berlin'), (3, '45 days 06:00', 'week', '7 days', 'America/Sao_Paulo'),
	(4, '1 month', 'day', '1 day', 'America/St_Johns'), (5, '30 days', 'day', '1 day', 'Pacific/Apia'), (6, '2 months 3 days 12:34:56.789', 'quarter', '3 months', 'Australia/Lord_Howe'),
	(7, '25:00', 'day', '1 day', 'America/New_York'), (8, '6 months', 'month', '1 month', 'Asia/Kathmandu'), (9, '1 mon', 'month', '1 month', 'America/New_York'),
	(10, '1 month', 'day', '1 day', 'America/Havana');
CREATE TABLE amounts (rule int, member int, occurred_at timestamptz, amount numeric);
INSERT INTO amounts
SELECT rule, member,
	(date '2011-01-01' + (hashint8extended(n, 1) & 65535)::int % 500 + CASE h & 3 WHEN 0 THEN interval '0' WHEN 1 THEN interval '1 hour' * (h % 24) ELSE interval '1 minute' * (h % 1440) END)
		AT TIME ZONE timezone,
	CASE WHEN h % 5 = 0 THEN -1 ELSE 1 END * (hashint8extended(n * 31 + r, 3) & 65535) / (ARRAY[1, 10.0, 100.00])[1 + h % 3]
FROM rules, generate_series(1, 12) member, generate_series(1, 25) r,
	LATERAL (SELECT (rule * 1000 + member) * 1000 + r - CASE WHEN r % 7 = 0 THEN 1 ELSE 0 END AS n) s,
	LATERAL (SELECT (hashint8extended(n, 2) & 65535)::int AS h) t
WHERE r <= 3 * member;
-- In 2010 and 2011 clocks were set back to 23:01 in St. John's, a minute after midnight, and to 0:00 in
-- Havana, an hour after it.  The new day begins with the first midnight, so the refunds do not belong to the
-- old one.  And 25 hours, of which the clocks of New York show 26.
INSERT INTO amounts VALUES (4, 13, '2010-11-01 12:00+00', 10000), (4, 13, '2010-11-07 02:30:30+00', -10000),
	(4, 14, '2010-11-07 02:40+00', 10000), (4, 14, '2010-11-07 02:45+00', -10000),
	(10, 13, '2011-11-01 12:00+00', 10000), (10, 13, '2011-11-13 04:30+00', -10000),
	(7, 13, '2011-03-12 15:00+00', 6000), (7, 13, '2011-03-13 15:30+00', 1);
CREATE INDEX ON amounts (rule, member);
\set as_of '''2012-06-10 12:00+00'''
\set limits '''{60000,20000,5000}'''

-- All points at which something can happen: moments, and the ends of periods, on to when nothing is left.
CREATE TABLE points (rule int, member int, n bigint, at timestamptz, is_moment boolean, net numeric, warranted int, PRIMARY KEY (rule, member, n));
CREATE FUNCTION fill_points(r rules) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	-- timestamptz - interval is calculated in the zone of the session.
	PERFORM set_config('timezone', r.timezone, true);
	INSERT INTO points
	SELECT r.rule, member, row_number() OVER (PARTITION BY member ORDER BY at, is_moment), at, is_moment, net,
		CASE WHEN net >= 60000 THEN 1 WHEN net >= 20000 THEN 2 WHEN net >= 5000 THEN 3 ELSE 4 END
	FROM (
		SELECT member, occurred_at AS at, true AS is_moment,
			(SELECT sum(amount) FROM amounts x WHERE x.rule = r.rule AND x.member = a.member AND x.occurred_at > a.occurred_at - r.span AND x.occurred_at <= a.occurred_at) AS net
		FROM (SELECT DISTINCT member, occurred_at FROM amounts WHERE rule = r.rule) a
		UNION ALL
		SELECT member, at, false,
			(SELECT coalesce(sum(amount), 0) FROM amounts x WHERE x.rule = r.rule AND x.member = a.member AND x.occurred_at >= at - r.span AND x.occurred_at < at)
		FROM (SELECT member, min(occurred_at) AS first FROM amounts WHERE rule = r.rule GROUP BY member) a,
			-- The first of two midnights, where clocks are set back over it.
			LATERAL (SELECT DISTINCT CASE WHEN (at - interval '1 hour') AT TIME ZONE r.timezone = local THEN at - interval '1 hour' ELSE at END AS at
				FROM (SELECT local, local AT TIME ZONE r.timezone AS at FROM generate_series(date_trunc(r.unit, first AT TIME ZONE r.timezone), timestamp '2014-12-31', r.step) local) l) ends
		WHERE at > first
	) p;
END $$;
SELECT count(fill_points(r)) FROM rules r;
CREATE TABLE walked AS
WITH RECURSIVE walk AS (
	SELECT *, warranted AS tier, 'start' AS reason FROM points WHERE n = 1
	UNION ALL
	SELECT p.*, t.tier, CASE WHEN t.tier < w.tier THEN 'upgrade' WHEN t.tier > w.tier THEN 'downgrade' END
	FROM walk w JOIN points p ON p.rule = w.rule AND p.member = w.member AND p.n = w.n + 1,
		LATERAL (SELECT CASE WHEN p.is_moment THEN least(w.tier, p.warranted) ELSE p.warranted END AS tier) t
)
SELECT * FROM walk;
\set names '''{platinum,gold,silver,member}'''
-- What was walked is worth it.
SELECT rule, count(*) FILTER (WHERE is_moment) > 150 AS moments, count(*) FILTER (WHERE NOT is_moment) >= 12 AS ends,
	count(*) FILTER (WHERE reason = 'upgrade') > 20 AS upgrades, count(*) FILTER (WHERE reason = 'downgrade') >= 3 AS downgrades
FROM walked WHERE at <= :as_of GROUP BY rule ORDER BY rule;

-- In a session of another zone, from values merged of parts.
SET timezone = 'Asia/Tokyo';
CREATE TABLE members AS SELECT rule, member, rollup(x) AS x
FROM (SELECT rule, member, spend(occurred_at, amount) AS x FROM amounts GROUP BY rule, member, extract(day FROM occurred_at)) s GROUP BY rule, member;
CREATE TABLE histories AS SELECT rule, member, h.* FROM members JOIN rules USING (rule), tier_history(x, :as_of, :limits, :names, span, unit, timezone) h;
SELECT since, tier, rolling_spend FROM histories WHERE member > 12 ORDER BY rule, member, since;
CREATE VIEW expected AS SELECT rule, member, at, (:names::text[])[tier] AS tier, net, reason FROM walked WHERE reason IS NOT NULL AND at <= :as_of;
SELECT count(*) > 500 AS many FROM histories;
SELECT count(*) AS wrong FROM (TABLE histories EXCEPT TABLE expected) s;
SELECT count(*) AS missing FROM (TABLE expected EXCEPT TABLE histories) s;
SELECT count(*) AS members, count(*) FILTER (WHERE got IS DISTINCT FROM (:names::text[])[tier]) AS tiers_wrong,
	count(*) FILTER (WHERE missing IS DISTINCT FROM greatest(0, CASE tier WHEN 2 THEN 60000 WHEN 3 THEN 20000 WHEN 4 THEN 5000 END - net) AND (tier > 1 OR missing IS NOT NULL)) AS missing_wrong,
	count(*) FILTER (WHERE until IS DISTINCT FROM (lost AT TIME ZONE timezone)::date) AS until_wrong, count(lost) AS lose, count(*) FILTER (WHERE tier = 1) AS platinum, count(*) FILTER (WHERE net <> 0) > 40 AS net
FROM (
	SELECT tier_by_spend(x, :as_of, :limits, :names, span, unit, timezone) AS got, spend_to_next(x, :as_of, :limits, span, unit, timezone) AS missing,
		tier_until(x, :as_of, :limits, span, unit, timezone) AS until, timezone, w.tier,
		(SELECT coalesce(sum(amount), 0) FROM amounts a WHERE a.rule = m.rule AND a.member = m.member
			AND a.occurred_at > (:as_of AT TIME ZONE timezone - span) AT TIME ZONE timezone) AS net,
		(SELECT min(at) FROM points p WHERE p.rule = m.rule AND p.member = m.member AND p.at > :as_of AND p.warranted > w.tier) AS lost
	FROM members m JOIN rules USING (rule)
		JOIN LATERAL (SELECT tier FROM walked w WHERE w.rule = m.rule AND w.member = m.member AND w.at <= :as_of ORDER BY n DESC LIMIT 1) w ON true
) s;
-- The rolling net at every point, of all rows and of those up to then; and in a session of the zone itself.
SELECT count(*) > 1500 AS many, count(*) FILTER (WHERE rolling_spend(x, at, span, timezone) <> net) AS wrong
FROM points JOIN members USING (rule, member) JOIN rules USING (rule) WHERE is_moment;
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE rolling_spend(x, at - interval '1 us', span, timezone) <>
	(SELECT coalesce(sum(amount), 0) FROM amounts a WHERE a.rule = m.rule AND a.member = m.member AND occurred_at < at
		AND occurred_at > ((at - interval '1 us') AT TIME ZONE timezone - span) AT TIME ZONE timezone)) AS wrong
FROM points JOIN members m USING (rule, member) JOIN rules USING (rule) WHERE NOT is_moment AND rule IN (1, 2, 8, 9) AND member <= 3;
SET timezone = 'UTC';

-- ---------- merging, order, storing ----------

CREATE TABLE whole AS SELECT spend(occurred_at, amount) AS x FROM amounts;
SELECT x = (SELECT spend(occurred_at, amount ORDER BY occurred_at DESC, amount) FROM amounts) AS descending,
	x = (SELECT spend(occurred_at, amount ORDER BY hashint8(extract(epoch FROM occurred_at)::bigint), amount DESC) FROM amounts) AS shuffled,
	x = (SELECT rollup(m.x ORDER BY member DESC) FROM members m) AS rolled_up,
	x = (SELECT rollup(p.x) FROM (SELECT spend(occurred_at, amount) AS x FROM amounts GROUP BY amount < 100, member % 3) p) AS rolled_up_otherwise,
	x = (SELECT a.x + b.x FROM (SELECT spend(occurred_at, amount) AS x FROM amounts WHERE amount < 0) a, (SELECT spend(occurred_at, amount) AS x FROM amounts WHERE amount >= 0) b) AS added,
	x <> (SELECT spend(occurred_at, amount) FROM amounts WHERE member > 1) AS other,
	spend_summary_send(x::text::spend_summary) = spend_summary_send(x) AS text_and_back
FROM whole;
-- Added to itself it has every amount twice.
SELECT rolling_spend(x + x, '2030-01-01', '100 years') = 2 * sum(amount) AS twice FROM whole, amounts GROUP BY x;
-- Wide sums, across 56 bits and back, in any order.
SELECT spend_summary_send(spend(t, a ORDER BY t, a)) = spend_summary_send(spend(t, a ORDER BY a DESC)) AS same_bytes, rolling_spend(spend(t, a), '2026-02-01', '1 year')
FROM (VALUES (timestamptz '2026-01-01', 36028797018963967::numeric), ('2026-01-01', 1), ('2026-01-01', -1), ('2026-01-02', 1e30), ('2026-01-02', 0.25), ('2026-01-02', -1e30)) v(t, a);
-- The specified bytes (docs/storage-format.md), written out by hand: kind 14, version 1, 2 moments; time 0
-- (2000-01-01), scale 2, 10.00 is 1000, zigzag 2000 = 0x7d0, in 7 bits d0 0f; 100 microseconds on, 2^55, wide:
-- scale 0, 32 bytes; then -0.5 after 1 more: scale 1, zigzag 9.
SELECT spend_summary_send(spend(t, a)) = '\x0e01 0000 03 00 02 d00f 64 1f 00 000000000000000000000000000000000000000000000000 0080000000000000 01 01 09'::bytea AS as_specified
FROM (VALUES (timestamptz '2000-01-01', 10.00), ('2000-01-01 00:00:00.0001', 36028797018963968), ('2000-01-01 00:00:00.000101', -0.5)) v(t, a);
SELECT rolling_spend(spend(t, a), '2000-01-02', '1 day') FROM (VALUES (timestamptz '2000-01-01 00:00:01', 10.00), ('2000-01-01 00:00:02', 36028797018963968), ('2000-01-01 00:00:03', -0.5)) v(t, a);

-- Parallel workers.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
DO $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN SELECT spend(occurred_at, amount) FROM amounts' LOOP plan := plan || line; END LOOP;
	IF plan NOT LIKE '%Partial Aggregate%' THEN RAISE 'not parallel: %', plan; END IF;
END $$;
SELECT (SELECT spend(occurred_at, amount) FROM amounts) = x AS same FROM whole;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- Grouping, sorting, joining.
SELECT count(*) AS members, count(DISTINCT x) AS distinct_values FROM (TABLE members UNION ALL TABLE members) s;
SET enable_hashjoin = off; SET enable_nestloop = off;
SELECT count(*) FROM members a JOIN members b ON a.x = b.x;
RESET enable_hashjoin; SET enable_mergejoin = off;
SELECT count(*) FROM members a JOIN members b ON a.x = b.x;
RESET enable_mergejoin; RESET enable_nestloop;

-- The session: nothing depends on it.
SET timezone = 'America/St_Johns'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET timezone_abbreviations = 'India';
SELECT count(*) AS differ FROM members JOIN rules USING (rule)
WHERE tier_by_spend(x, :as_of, :limits, :names, span, unit, timezone) <> (SELECT tier FROM histories h WHERE h.rule = rules.rule AND h.member = members.member ORDER BY since DESC LIMIT 1);
RESET datestyle; RESET intervalstyle; RESET timezone_abbreviations; SET timezone = 'UTC';

-- ---------- hostile input ----------

\set VERBOSITY terse
SELECT spend('infinity', 1);
SELECT spend('-infinity', 1);
SELECT spend('2026-01-01', 'NaN');
SELECT spend('2026-01-01', 'Infinity');
SELECT spend('2026-01-01', 1e38);
SELECT spend('2026-01-01', 0.00000000000000000000000000001);
SELECT spend_step(NULL, '2026-01-01', 1);
SELECT spend_summary_combine(NULL, NULL);
CREATE TABLE bad_calls (call text);
INSERT INTO bad_calls
SELECT format('tier_by_spend(x, %s)', rest) FROM unnest(ARRAY[
	$$'2026-12-31', '{}', '{a}'$$, $$'2026-12-31', '{{1},{2}}', '{a,b,c}'$$, $$'2026-12-31', '{1,NULL}', '{a,b,c}'$$, $$'2026-12-31', '{1,2}', '{a,b,c}'$$,
	$$'2026-12-31', '{2,2}', '{a,b,c}'$$, $$'2026-12-31', '{2,2.00}', '{a,b,c}'$$, $$'2026-12-31', '{1,0}', '{a,b,c}'$$, $$'2026-12-31', '{-1}', '{a,b}'$$,
	$$'2026-12-31', '{NaN}', '{a,b}'$$, $$'2026-12-31', '{Infinity,1}', '{a,b,c}'$$, $$'2026-12-31', '{-Infinity}', '{a,b}'$$, $$'2026-12-31', ARRAY[1e38], '{a,b}'$$,
	$$'2026-12-31', ARRAY[1e-29], '{a,b}'$$, $$'2026-12-31', (SELECT array_agg(n) FROM generate_series(1000, 1, -1) n), '{a,b}'$$,
	$$'2026-12-31', (SELECT array_agg(n) FROM generate_series(1, 999) n), '{a,b}'$$,
	$$'2026-12-31', '{2,1}', '{a,b}'$$, $$'2026-12-31', '{2,1}', '{a,b,c,d}'$$, $$'2026-12-31', '{2,1}', '{}'$$, $$'2026-12-31', '{2,1}', '{a,NULL,c}'$$, $$'2026-12-31', '{1}', '{{a},{b}}'$$,
	$$'2026-12-31', NULL, '{a,b}'$$, $$'2026-12-31', '{1}', NULL$$, $$NULL, '{1}', '{a,b}'$$, $$'2026-12-31', '{1}', '{a,b}', NULL$$, $$'2026-12-31', '{1}', '{a,b}', unit => NULL$$, $$'2026-12-31', '{1}', '{a,b}', timezone => NULL$$,
	$$'infinity', '{1}', '{a,b}'$$, $$'-infinity', '{1}', '{a,b}'$$, $$'2025-03-10', '{1}', '{a,b}'$$,
	$$'2026-12-31', '{1}', '{a,b}', '0'$$, $$'2026-12-31', '{1}', '{a,b}', '-1 year'$$, $$'2026-12-31', '{1}', '{a,b}', '1 month -1 day'$$, $$'2026-12-31', '{1}', '{a,b}', '1 day -00:00:01'$$, $$'2026-12-31', '{1}', '{a,b}', '-1 day 48:00'$$,
	$$'2026-12-31', '{1}', '{a,b}', unit => 'fortnight'$$, $$'2026-12-31', '{1}', '{a,b}', unit => ''$$, $$'2026-12-31', '{1}', '{a,b}', timezone => 'Europe/Atlantis'$$, $$'2026-12-31', '{1}', '{a,b}', timezone => ''$$,
	$$'2026-12-31', '{1}', '{a,b}', timezone => repeat('x', 1000)$$,
	$$'2026-12-31', '{1}', '{a,b}', from_zero => NULL$$, $$'2026-12-31', '{1}', '{a,b}', soft_landing => NULL$$, $$'2026-12-31', '{1}', '{a,b}', '6 months', from_zero => true$$, $$'2026-12-31', '{1}', '{a,b}', '365 days', from_zero => true$$,
	$$'2026-12-31', '{1}', '{a,b}', keep_for => '-1 year'$$, $$'2026-12-31', '{1}', '{a,b}', keep_for => '1 month -1 day'$$, $$'2026-12-31', '{2,1}', '{a,b,c}', keep_limits => '{1}'$$, $$'2026-12-31', '{2,1}', '{a,b,c}', keep_limits => '{2,1,0.5}'$$,
	$$'2026-12-31', '{2,1}', '{a,b,c}', keep_limits => '{2,1.01}'$$, $$'2026-12-31', '{2,1}', '{a,b,c}', keep_limits => '{1,1}'$$, $$'2026-12-31', '{2,1}', '{a,b,c}', keep_limits => '{1,0}'$$, $$'2026-12-31', '{1}', '{a,b}', keep_limits => '{NaN}'$$,
	$$'2026-12-31', '{1}', '{a,b}', keep_limits => '{NULL}'$$, $$'2026-12-31', '{1}', '{a,b}', keep_limits => '{}'$$, $$'2026-12-31', '{1}', '{a,b}', keep_limits => ARRAY[1e-29]$$]) rest
UNION ALL SELECT format('spend_to_next(x, %s)', rest) FROM unnest(ARRAY[$$'2025-03-10', '{1}'$$, $$'2026-12-31', '{1,2}'$$, $$'2026-12-31', '{1}', '0'$$, $$'2026-12-31', NULL$$, $$NULL, '{1}'$$, $$'2026-12-31', '{1}', unit => NULL$$]) rest
UNION ALL SELECT format('tier_until(x, %s)', rest) FROM unnest(ARRAY[$$'2025-03-10', '{1}'$$, $$'2026-12-31', '{1,2}'$$, $$'2026-12-31', '{1}', '0'$$, $$'2026-12-31', NULL$$]) rest
UNION ALL SELECT format('rolling_spend(x, %s)', rest) FROM unnest(ARRAY[$$NULL$$, $$'infinity'$$, $$'2026-12-31', '0'$$, $$'2026-12-31', NULL$$, $$'2026-12-31', timezone => NULL$$, $$'2026-12-31', timezone => 'nowhere'$$]) rest;
SELECT call, hostile.error_of('SELECT ' || call || ' FROM tier_by_spend_test.one') AS error FROM bad_calls ORDER BY call COLLATE "C";
-- tier_history refuses what tier_by_spend refuses.
SELECT count(*) AS differ FROM bad_calls
WHERE call LIKE 'tier_by_spend%' AND hostile.error_of('SELECT ' || call || ' FROM tier_by_spend_test.one') IS DISTINCT FROM
	hostile.error_of('SELECT (SELECT count(*) FROM ' || replace(call, 'tier_by_spend', 'tier_history') || ') FROM tier_by_spend_test.one');
SELECT hostile.error_of($$SELECT tier_history(x, '2026-12-31', '{1}', '{a,b}', with_kept => NULL) FROM tier_by_spend_test.one$$);
-- Infinite spans, from 17 on.
DO $$
DECLARE error text;
BEGIN
	IF current_setting('server_version_num')::int >= 170000 THEN
		FOR error IN SELECT hostile.error_of(format('SELECT tier_by_spend(x, ''2026-12-31'', ''{1}'', ''{a,b}'', %L), rolling_spend(x, ''2026-12-31'', %1$L) FROM tier_by_spend_test.one', span)) FROM unnest(ARRAY['infinity', '-infinity']) span LOOP
			IF error IS NULL OR error NOT LIKE '22008 span must be a length of time, not "%infinity"' THEN RAISE 'infinite span: %', error; END IF;
		END LOOP;
		FOR error IN SELECT hostile.error_of(format('SELECT tier_by_spend(x, ''2026-12-31'', ''{1}'', ''{a,b}'', keep_for => %L) FROM tier_by_spend_test.one', span)) FROM unnest(ARRAY['infinity', '-infinity']) span LOOP
			IF error IS NULL OR error NOT LIKE '22008 keep_for must be a length of time, not "%infinity"' THEN RAISE 'infinite keep_for: %', error; END IF;
		END LOOP;
	END IF;
END $$;

-- All of time, by the day (how quickly, 030_limits.pl says).  A span of one day is over a day later, one of all time never.
CREATE TABLE far AS SELECT spend(t, 1) AS x FROM (VALUES (timestamptz '4713-01-01 00:00 BC'), ('2000-01-01 12:00'), ('294276-12-31 23:59:59.999999')) v(t);
SELECT h.* FROM far, tier_history(x, '294276-12-31 23:59:59.999999+00', '{1}', '{a,b}', '1 day', 'day') h;
SELECT h.* FROM far, tier_history(x, '294276-12-31 23:59:59.999999+00', '{2,1}', '{a,b,c}', '178000000 years', 'day', 'Asia/Kathmandu') h;
SELECT unit, timezone, tier_until(x, '294276-12-31 23:59:59.999999+00', '{1}', '1 day', unit, timezone), tier_until(x, '294276-12-31 23:59:59.999999+00', '{3}', '178000000 years', unit, timezone),
	spend_to_next(x, '294276-12-31 23:59:59.999999+00', '{1000000}', '2147483646 months 2147483647 days 2562047788:00:54.775807', unit, timezone)
FROM far, unnest(ARRAY['day', 'year']) unit, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12']) timezone ORDER BY 1, 2;
SELECT count(*) FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) unit, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12', 'Asia/Manila', 'America/Juneau', '<+167>-167', '<-167>167']) timezone,
	unnest(ARRAY[interval '1 us', '1 day', '1 month 1 day 1 us', '2147483647 days']) span, far, tier_history(x, '294276-12-31 23:59:59.999999+00', '{2,1}', '{a,b,c}', span, unit, timezone);
SELECT timezone, tier_by_spend(x, '4714-11-24 00:00+00 BC', '{1}', '{a,b}', '1 day', 'day', timezone), rolling_spend(x, '4714-11-24 00:00+00 BC', '1 day', timezone)
FROM (SELECT spend('4714-11-24 BC', 1) AS x) s, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12']) timezone;
SELECT count(*) FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) unit, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12', 'Asia/Manila', 'America/Juneau', '<+167>-167', '<-167>167']) timezone,
	unnest(ARRAY[NULL, interval '0', '1 month 1 day 1 us', '300000 years', '2147483646 months 2147483647 days 2562047788:00:54.775807']) keep_for, far, tier_history(x, '294276-12-31 23:59:59.999999+00', '{2,1}', '{a,b,c}', unit => unit, timezone => timezone, from_zero => true, keep_for => keep_for, with_kept => true);
-- A million moments.
CREATE TABLE long_history AS SELECT spend(timestamptz '2000-01-01' + n * interval '10 minutes', n % 100) AS x FROM generate_series(1, 1000000) n;
SELECT count(*) > 1 AS changes FROM long_history, tier_history(x, '2030-01-01', '{500000,50000}', '{a,b,c}', '1 month', 'day', 'Europe/Berlin');

-- Bad literals.
CREATE TABLE bad_literals AS SELECT v AS literal FROM unnest(ARRAY['', 'spend_summary', 'spend_summary:', 'v1', '{}', 'null', 'spend_summary:=', 'spend_summary:AAAA', 'activity_summary:DgEAAAEAAgI=']) v;
INSERT INTO bad_literals
SELECT replace(x::text, 'spend_summary:', v) FROM one, unnest(ARRAY['', 'SPEND_SUMMARY:', ' spend_summary:', 'spend_summary: ']) v
UNION ALL SELECT left(x::text, length(x::text) - n) FROM one, generate_series(1, 20) n
UNION ALL SELECT x::text || v FROM one, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) v;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type spend_summary: "%') AS refused FROM (SELECT hostile.error_of(format('SELECT %L::spend_summary', literal)) AS error FROM bad_literals) s;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''spend_summary'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images: every one-byte change and every cut is refused, or is another value in its only form, which is harmless.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('spend_summary', m) AS answer
FROM (SELECT spend_summary_send(spend(t, a)) AS image FROM (VALUES (timestamptz '2026-01-01', 10.00), ('2026-01-02', -3), ('2026-03-01', 1e20)) v(t, a)
	  UNION ALL SELECT spend_summary_send(x) FROM one UNION ALL SELECT spend_summary_send(x) FROM far) s, hostile.mutations(image) m;
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary spend_summary is not valid: %') > 200 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary spend_summary is not valid: %' AND answer NOT LIKE 'accepted: spend_summary:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND spend_summary_send(substr(answer, 11)::spend_summary) <> image;
SELECT count(*) > 100 AS accepted, count(*) FILTER (WHERE e <> '22003 sum of amounts is out of range') AS surprises
FROM (SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM tier_history(x, ''294276-12-31 23:59:59.999999+00'', ''{2,1}'', ''{a,b,c}'', ''1 month'', ''day'', ''Europe/Berlin'')), spend_to_next(x, ''294276-12-31 23:59:59.999999+00'', ''{2,1}''), rolling_spend(x, ''2026-01-01''), x + x = x + x FROM (SELECT %L::spend_summary AS x) s', substr(answer, 11))) AS e FROM images WHERE answer LIKE 'accepted%') s;
-- Sums that no rows can make are refused.
CREATE TABLE forged AS SELECT ('\x0e01 0000 02 00 1f 00 7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff 01 1f 00 7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::bytea) AS image;
SELECT substr(hostile.receive('spend_summary', image), 1, 24) FROM forged;
SELECT hostile.error_of(format($$SELECT %s FROM (SELECT 'spend_summary:%s'::spend_summary AS x) s$$, call, replace(encode(image, 'base64'), E'\n', ''))) AS error
FROM forged, unnest(ARRAY[$$tier_by_spend(x, '2026-01-01', '{1}', '{a,b}')$$, $$rolling_spend(x, '2000-01-02')$$, $$(x + x)::text$$, $$spend_to_next(x, '2000-01-01 00:00:00.000001', '{1}')$$, $$tier_until(x, '2026-01-01', '{1}')$$]) call;
