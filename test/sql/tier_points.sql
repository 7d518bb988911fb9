-- tier_by_spend: accounts of points.  Expected figures are worked out by hand in comments, or by plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA tier_points_test;
SET search_path = tier_points_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- One member; points last a year, to the end of the month in which it ends.
--   2024-01-15  +100            100
--   2024-03-20   +50            150
--   2024-12-10   -80             70: 20 of January, 50 of March
--   2025-02-01   -20 lapsed      50: those of January
--   2025-02-10   +30             80
--   2025-03-05   -60             20: the 50 of March and 10 of February are used up, so none lapse in April
--   2025-06-01   -35            -15: 15 more than there were
--   2025-07-01   +10             -5: pays what is owed
--   2025-08-01   +12              7
--   2026-09-01    -7 lapsed       0: what was left of those of August
CREATE TABLE entry (occurred_at timestamptz, points numeric);
INSERT INTO entry VALUES ('2024-01-15 12:00', 100), ('2024-03-20 12:00', 50), ('2024-12-10 12:00', -80), ('2025-02-10 12:00', 30), ('2025-03-05 12:00', -60), ('2025-06-01 12:00', -35), ('2025-07-01 12:00', 10), ('2025-08-01 12:00', 12);
CREATE TABLE one AS SELECT points(occurred_at, points) AS x FROM entry;
SELECT h.* FROM one, points_history(x, '2027-01-01', '1 year', 'month') h;
SELECT as_of::date, points_earned(x, as_of) AS earned, points_redeemed(x, as_of) AS redeemed, points_lapsed(x, as_of, unit => 'month') AS lapsed, points_balance(x, as_of, unit => 'month') AS balance, points_until(x, as_of, unit => 'month') AS until,
	(SELECT string_agg(format('%s on %s', l.points, lapses_on), ', ') FROM points_lapses(x, as_of, unit => 'month') l) AS lapses
FROM one, unnest(ARRAY[timestamptz '2024-01-01', '2024-02-01', '2024-12-01', '2025-01-01', '2025-01-31 23:59:59.999999', '2025-02-01', '2025-03-01', '2025-06-02', '2025-08-02', '2026-09-01']) as_of ORDER BY as_of;
-- The example of AlpineIQ: 100 points of January and 150 of March; 120 redeemed in April leave 130 of March.
SELECT l.* FROM (SELECT points(t, p) AS x FROM (VALUES (timestamptz '2025-01-10', 100), ('2025-03-10', 150), ('2025-04-10', -120)) v(t, p)) s, points_lapses(x) l;
-- Between two dates: what is going to lapse if nothing is redeemed, and what did.
SELECT sum(points) AS in_quarter FROM one, points_lapses(x, '2024-12-01', '1 year', 'month') WHERE lapses_on BETWEEN '2025-01-01' AND '2025-03-31';
SELECT points_lapsed(x, '2025-12-31', '1 year', 'month') - points_lapsed(x, '2024-12-31', '1 year', 'month') AS in_2025 FROM one;
-- To the end of the day, of the year, of the next year; and the microsecond before the day is over.
SELECT v.*, points_until(points(t, 5), NULL, valid_for, unit, timezone) FROM (VALUES (timestamptz '2025-02-28 23:30+00', interval '1 year', 'day', 'UTC'), ('2025-02-28 23:30+00', '1 year', 'day', 'Europe/Berlin'), ('2025-02-28 23:30+00', '0', 'year', 'UTC'), ('2025-12-31 23:30+00', '0', 'year', 'UTC'),
	('2025-12-31 23:30+00', '0', 'year', 'Europe/Berlin'), ('2025-02-28 23:30+00', '1 year', 'year', 'UTC'), ('2024-02-29 12:00+00', '1 year', 'day', 'UTC'), ('2024-02-29 12:00+00', '4 years', 'day', 'UTC'), ('2025-08-31 12:00+00', '6 months', 'month', 'UTC'), ('2025-12-28 12:00+00', '3 days', 'week', 'UTC'),
	('2025-02-28 23:30+00', '18 months 12:00', 'quarter', 'UTC')) v(t, valid_for, unit, timezone) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT points_balance(x, '2026-02-28 22:59:59.999999+00', timezone => 'Europe/Berlin') AS before, points_balance(x, '2026-02-28 23:00+00', timezone => 'Europe/Berlin') AS after, points_balance(x, date '2026-03-01', timezone => 'Europe/Berlin') AS date, points_balance(x, timestamp '2026-02-28 23:59', timezone => 'Europe/Berlin') AS timestamp,
	points_balance(x, '2026-02-28 23:59', timezone => 'Europe/Berlin') AS text FROM (SELECT points('2025-02-28 12:00+00', 5) AS x) s;
-- At one time points lapse, then are earned, then redeemed: the 5 are gone, the 3 pay for 2.
SELECT h.* FROM points_history((SELECT points(t, p) FROM (VALUES (timestamptz '2026-01-02', -2), ('2025-01-01', 5), ('2026-01-02', 3)) v(t, p)), '2026-12-31') h;
-- What is earned twice at one time is one line, and so is what is redeemed.
SELECT h.* FROM points_history((SELECT points('2026-01-01', p) FROM unnest(ARRAY[3, -1, 0.5, -0.25]) p), '2026-01-01') h;
-- What lapses on the same day is one line as well.
SELECT h.* FROM points_history((SELECT points(t, 1) FROM unnest(ARRAY[timestamptz '2025-01-01 10:00', '2025-01-01 11:00', '2025-01-02 00:00']) t), '2027-01-01') h;
-- Nothing but 0, and nothing but redeemed.
SELECT points_balance(x), points_until(x), points_lapsed(x, '2030-01-01'), (SELECT count(*) FROM points_lapses(x)) FROM (SELECT points('2026-01-01', 0.00) AS x) s;
SELECT points_balance(x), points_until(x), points_lapsed(x, '2030-01-01'), (SELECT count(*) FROM points_lapses(x)), points_earned(x), points_redeemed(x) FROM (SELECT points('2026-01-01', -7.5) AS x) s;
-- Points that last for ever.
SELECT points_balance(x, '294276-12-31', '300000 years'), points_until(x, '2026-01-01', '300000 years'), (SELECT count(*) FROM points_lapses(x, '2026-01-01', '300000 years')) FROM (SELECT points('2026-01-01', 7.5) AS x) s;
-- In St. John's, clocks were set back a minute after the midnight of 2010-11-07 and showed the 6th once more: points of then lapse no earlier than those of that minute.
SELECT h.at, h.change, h.balance FROM points_history((SELECT points(t, p) FROM (VALUES (timestamptz '2010-11-07 02:30:30+00', 1), ('2010-11-07 03:00+00', 2)) v(t, p)), '2012-01-01', '1 year', 'day', 'America/St_Johns') h;

-- No rows, NULL, omitted.
SELECT points(occurred_at, points) FROM entry WHERE false;
SELECT points(t, p) FROM (VALUES (NULL::timestamptz, 1), ('2026-01-01', NULL)) v(t, p);
SELECT points(t, p) = (SELECT points('2026-01-01', 1)) AS skipped FROM (VALUES (NULL::timestamptz, 1), ('2026-01-01', NULL), ('2026-01-01', 1)) v(t, p);
SELECT points_balance(NULL), points_lapsed(NULL), points_until(NULL), points_earned(NULL), points_redeemed(NULL), (SELECT count(*) FROM points_lapses(NULL)) AS lapses, (SELECT count(*) FROM points_history(NULL)) AS history, rollup(NULL::points_summary), NULL::points_summary + NULL;
SELECT points_balance(x) = points_balance(x, NULL) AS balance, points_balance(x, NULL) = points_balance(x, '2025-08-01 12:00') AS latest, (SELECT count(*) FROM points_history(x)) AS lines FROM one;

-- Exact, and never shorter than the points.
SELECT points_balance(x, '2026-02-01') = 99999999999999999999999999999999999999.0000000000000000000000000001 - 1 AS exact, points_redeemed(x, '2026-02-01'), points_lapsed(x, '2026-01-05'), points_lapsed(x, '2028-01-01') = points_balance(x) AS all_lapsed
FROM (SELECT points(t, p) AS x FROM (VALUES (timestamptz '2026-01-01', 99999999999999999999999999999999999999::numeric), ('2026-01-02', 0.0000000000000000000000000001), ('2026-01-03', -1)) v(t, p)) s;

-- ---------- plain SQL gives the same ----------

-- Members who earn and redeem, twice at one time now and then, more than they have, too.
CREATE TABLE rules (rule int PRIMARY KEY, valid_for interval, unit text, timezone text);
INSERT INTO rules VALUES (1, '1 year', 'day', 'UTC'), (2, '3 months', 'month', 'America/New_York'), (3, '0', 'year', 'Pacific/Auckland'), (4, '40 days', 'week', 'Asia/Kathmandu'), (5, '6 months', 'quarter', 'Europe/Berlin');
CREATE TABLE entries AS
SELECT member, timestamptz '2011-01-01' + (hashint8extended(n, 1) & 65535) * 1000 % 43000000 * interval '1 second' AS at, CASE WHEN h % 3 = 0 THEN -2 ELSE 1 END * (1 + h % 20) AS points
FROM generate_series(1, 40) member, generate_series(1, 25) r, LATERAL (SELECT member * 1000 + r - CASE WHEN r % 7 = 0 THEN 1 ELSE 0 END AS n) s, LATERAL (SELECT (hashint8extended(member * 1000 + r, 2) & 65535)::int AS h) t WHERE r <= member;
-- An account kept by hand, in the zone of the rule: lots with what is left of them, first the debt, then the oldest.
CREATE FUNCTION kept_by_hand(r rules, of_member int, until timestamptz) RETURNS TABLE (at timestamptz, change numeric, balance numeric, reason text) LANGUAGE plpgsql AS $$
DECLARE
	e record; lot record; rest numeric; owed numeric := 0; total numeric := 0;
BEGIN
	PERFORM set_config('timezone', r.timezone, true);
	CREATE TEMP TABLE lots (id serial, lapses timestamptz, remaining numeric);
	FOR e IN
		SELECT * FROM (
			SELECT x.at AS moment, sum(x.points)::numeric AS sum, CASE WHEN x.points > 0 THEN 1 ELSE 2 END AS kind FROM entries x WHERE member = of_member AND x.at <= until GROUP BY x.at, x.points > 0
			UNION ALL SELECT DISTINCT date_trunc(r.unit, x.at + r.valid_for) + ('1 ' || replace(r.unit, 'quarter', 'month'))::interval * CASE r.unit WHEN 'quarter' THEN 3 ELSE 1 END, 0, 0 FROM entries x WHERE member = of_member AND x.points > 0) s
		WHERE moment <= until ORDER BY moment, kind
	LOOP
		at := e.moment;
		IF e.kind = 0 THEN
			SELECT coalesce(sum(remaining), 0) INTO rest FROM lots WHERE lapses = e.moment;
			DELETE FROM lots WHERE lapses = e.moment;
			CONTINUE WHEN rest = 0;
			change := -rest; reason := 'lapsed';
		ELSIF e.kind = 1 THEN
			INSERT INTO lots (lapses, remaining) SELECT date_trunc(r.unit, e.moment + r.valid_for) + ('1 ' || replace(r.unit, 'quarter', 'month'))::interval * CASE r.unit WHEN 'quarter' THEN 3 ELSE 1 END, greatest(e.sum - owed, 0);
			owed := greatest(owed - e.sum, 0);
			change := e.sum; reason := 'earned';
		ELSE
			rest := -e.sum;
			FOR lot IN SELECT * FROM lots WHERE remaining > 0 ORDER BY id LOOP
				UPDATE lots SET remaining = lot.remaining - least(lot.remaining, rest) WHERE id = lot.id;
				rest := rest - least(lot.remaining, rest);
			END LOOP;
			owed := owed + rest;
			change := e.sum; reason := 'redeemed';
		END IF;
		total := total + change;
		balance := total;
		RETURN NEXT;
	END LOOP;
	DROP TABLE lots;
END $$;
CREATE TABLE by_hand AS SELECT rule, member, k.* FROM rules r, generate_series(1, 40) member, kept_by_hand(r, member, '2013-06-01') k;
SELECT rule, count(*) > 500 AS lines, count(*) FILTER (WHERE reason = 'lapsed') > 30 AS lapsed, count(*) FILTER (WHERE balance < 0) > 30 AS overdrawn FROM by_hand GROUP BY rule ORDER BY rule;
SET timezone = 'Asia/Tokyo';
-- From values merged of parts, in a session of another zone.
CREATE TABLE members AS SELECT member, rollup(x) AS x FROM (SELECT member, points(at, points) AS x FROM entries GROUP BY member, extract(day FROM at)) s GROUP BY member;
CREATE TABLE histories AS SELECT rule, member, h.* FROM members, rules, points_history(x, '2013-06-01 00:00+00', valid_for, unit, timezone) h;
SELECT count(*) AS wrong FROM (TABLE histories EXCEPT ALL TABLE by_hand) s;
SELECT count(*) AS missing FROM (TABLE by_hand EXCEPT ALL TABLE histories) s;
-- At any time: the sums of the lines up to then; and what lapses after it is what lapses if there are no more entries.
SELECT count(*) AS asked, count(*) FILTER (WHERE points_balance(x, as_of, valid_for, unit, timezone) IS DISTINCT FROM coalesce(sum, 0)) AS balance_wrong, count(*) FILTER (WHERE points_lapsed(x, as_of, valid_for, unit, timezone) <> lapsed) AS lapsed_wrong,
	count(*) FILTER (WHERE points_earned(x, as_of) <> earned OR points_redeemed(x, as_of) <> redeemed) AS sums_wrong, count(*) FILTER (WHERE points_until(x, as_of, valid_for, unit, timezone) IS DISTINCT FROM first) AS until_wrong, count(*) FILTER (WHERE upcoming IS DISTINCT FROM of_rest) AS lapses_wrong, count(*) FILTER (WHERE greatest(sum, 0) <> all_upcoming) AS more_or_less
FROM members m, rules r, unnest(ARRAY[timestamptz '2010-12-01', '2011-03-03 03:03', '2011-12-31 15:00', '2012-02-29', '2012-06-01']) as_of,
	LATERAL (SELECT sum(change), coalesce(-sum(change) FILTER (WHERE reason = 'lapsed'), 0) AS lapsed, coalesce(sum(change) FILTER (WHERE reason = 'earned'), 0) AS earned, coalesce(-sum(change) FILTER (WHERE reason = 'redeemed'), 0) AS redeemed FROM by_hand b WHERE b.rule = r.rule AND b.member = m.member AND b.at <= as_of) s,
	LATERAL (SELECT array_agg((lapses_on, points)::text ORDER BY lapses_on) AS upcoming, min(lapses_on) AS first, coalesce(sum(points), 0) AS all_upcoming FROM points_lapses(x, as_of, valid_for, unit, timezone)) l,
	LATERAL (SELECT array_agg((((h.at AT TIME ZONE r.timezone)::date), -change)::text ORDER BY h.at) AS of_rest FROM (SELECT points(e.at, e.points) AS y FROM entries e WHERE e.member = m.member AND e.at <= as_of) p, points_history(y, '2020-01-01', valid_for, unit, timezone) h WHERE h.at > as_of) q;
SET timezone = 'UTC';

-- ---------- merging, order, storing ----------

CREATE TABLE whole AS SELECT points(at, points) AS x FROM entries;
SELECT x = (SELECT points(at, points ORDER BY at DESC, points) FROM entries) AS descending,
	x = (SELECT points(at, points ORDER BY hashint8(extract(epoch FROM at)::bigint), points DESC) FROM entries) AS shuffled,
	x = (SELECT rollup(m.x ORDER BY member DESC) FROM members m) AS rolled_up,
	x = (SELECT a.x + b.x FROM (SELECT points(at, points) AS x FROM entries WHERE points < 0) a, (SELECT points(at, points) AS x FROM entries WHERE points >= 0) b) AS added,
	x <> (SELECT points(at, points) FROM entries WHERE member > 1) AS other,
	points_summary_send(x::text::points_summary) = points_summary_send(x) AS text_and_back
FROM whole;
SELECT points_earned(x + x) = 2 * sum(points) FILTER (WHERE points > 0) AS earned_twice, points_redeemed(x + x) = -2 * sum(points) FILTER (WHERE points < 0) AS redeemed_twice FROM whole, entries GROUP BY x;
-- Wide sums, across 56 bits and back, on both sides, in any order.
SELECT points_summary_send(points(t, p ORDER BY t, p)) = points_summary_send(points(t, p ORDER BY p DESC)) AS same_bytes, points_balance(points(t, p), '2026-02-01')
FROM (VALUES (timestamptz '2026-01-01', 36028797018963967::numeric), ('2026-01-01', 1), ('2026-01-01', -1), ('2026-01-02', 1e30), ('2026-01-02', 0.25), ('2026-01-02', -1e30), ('2026-01-02', -36028797018963968), ('2026-01-02', -1)) v(t, p);
-- The specified bytes (docs/storage-format.md), written out by hand: kind 22, version 1, no settings, 3 entries; time 0 (2000-01-01),
-- scale 1, 10.0 is 100, zigzag 200 = 0xc8, in 7 bits c8 01; the same time, -3, zigzag 5; 100 microseconds on, 7.
SELECT points_summary_send(points(t, p)) = '\x1601 0000 03 00 01 c801 00 00 05 64 00 0e'::bytea AS as_specified
FROM (VALUES (timestamptz '2000-01-01 00:00:00.0001', 7), ('2000-01-01', -3), ('2000-01-01', 10.0)) v(t, p);
-- Parallel workers.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
DO $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN SELECT points(at, points) FROM entries' LOOP plan := plan || line; END LOOP;
	IF plan NOT LIKE '%Partial Aggregate%' THEN RAISE 'not parallel: %', plan; END IF;
END $$;
SELECT (SELECT points(at, points) FROM entries) = x AS same FROM whole;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- ---------- hostile input ----------

\set VERBOSITY terse
SELECT points('infinity', 1);
SELECT points('2026-01-01', 'NaN');
SELECT points('2026-01-01', '-Infinity');
SELECT points('2026-01-01', 1e38);
SELECT points('2026-01-01', 0.00000000000000000000000000001);
SELECT points_step(NULL, '2026-01-01', 1);
SELECT points_summary_combine(NULL, NULL);
CREATE TABLE bad_calls AS
SELECT format('%s(x, %s)', name, rest) AS call FROM unnest('{points_balance,points_lapsed,points_until,points_lapses,points_history}'::text[]) name, unnest(ARRAY[$$'infinity'$$, $$date '-infinity'$$, $$'soon'$$, $$'2026-01-01', NULL$$, $$'2026-01-01', unit => NULL$$, $$'2026-01-01', timezone => NULL$$,
	$$'2026-01-01', '-1 year'$$, $$'2026-01-01', '1 month -1 day'$$, $$'2026-01-01', unit => 'fortnight'$$, $$'2026-01-01', timezone => 'Europe/Atlantis'$$]) rest
UNION ALL SELECT format('%s(x, %s)', name, rest) FROM unnest('{points_earned,points_redeemed}'::text[]) name, unnest(ARRAY[$$'infinity'$$, $$'2026-01-01', NULL$$, $$'2026-01-01', 'nowhere'$$]) rest;
SELECT error, count(*), string_agg(DISTINCT split_part(call, '(', 1), ' ' ORDER BY split_part(call, '(', 1)) AS functions FROM (SELECT call, hostile.error_of('SELECT ' || call || ' FROM tier_points_test.one') AS error FROM bad_calls) s GROUP BY error ORDER BY error COLLATE "C";
DO $$
DECLARE error text;
BEGIN
	IF current_setting('server_version_num')::int >= 170000 THEN
		FOR error IN SELECT hostile.error_of(format('SELECT points_balance(x, ''2026-12-31'', %L) FROM tier_points_test.one', span)) FROM unnest(ARRAY['infinity', '-infinity']) span LOOP
			IF error IS NULL OR error NOT LIKE '22008 valid_for must be a length of time, not "%infinity"' THEN RAISE 'infinite valid_for: %', error; END IF;
		END LOOP;
	END IF;
END $$;
-- All of time.
SELECT count(*), min(points_balance(x, '294276-12-31 23:59:59.999999+00', valid_for, unit, timezone)), max(points_balance(x, '294276-12-31 23:59:59.999999+00', valid_for, unit, timezone)) FROM (SELECT points(t, 1) AS x FROM (VALUES (timestamptz '4714-11-24 00:00+00 BC'), ('2000-01-01 12:00+00'), ('294276-12-31 23:59:59.999999+00')) v(t)) s,
	unnest('{day,week,month,quarter,year}'::text[]) unit, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12', 'Asia/Manila', 'America/Juneau', '<+167>-167', '<-167>167']) timezone,
	unnest(ARRAY[interval '0', '1 us', '1 month 1 day 1 us', '2147483646 months 2147483647 days 2562047788:00:54.775807']) valid_for;
-- Bad literals.
CREATE TABLE bad_literals AS SELECT v AS literal FROM unnest(ARRAY['', 'points_summary', 'points_summary:', 'v1', '{}', 'null', 'points_summary:=', 'points_summary:AAAA', 'spend_summary:DgEAAAEAAgI=', 'points_summary:DgEAAAEAAgI=']) v;
INSERT INTO bad_literals
SELECT replace(x::text, 'points_summary:', v) FROM one, unnest(ARRAY['', 'POINTS_SUMMARY:', ' points_summary:', 'points_summary: ']) v
UNION ALL SELECT left(x::text, length(x::text) - n) FROM one, generate_series(1, 20) n
UNION ALL SELECT x::text || v FROM one, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) v
-- Redeemed before it was earned at one time; earned twice; a flag; another version.
UNION ALL SELECT 'points_summary:' || encode(b, 'base64') FROM unnest(ARRAY['\x160100000200000500000e', '\x1601000002000002000002', '\x16010000010080 0e', '\x160200000100000e', '\x1601000101000100000e']::bytea[]) b;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type points_summary: "%') AS refused FROM (SELECT hostile.error_of(format('SELECT %L::points_summary', literal)) AS error FROM bad_literals) s;
