-- funnel and funnel_book: how far members come. Levels by hand, from statistics and documentation of others, or from plain SQL next to them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA funnel_test;
SET search_path = funnel_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Letters are rows, a minute apart; a, b, c are the steps.
CREATE FUNCTION rows_of(letters text) RETURNS TABLE (t timestamptz, s text) LANGUAGE sql AS
$$ SELECT '2026-01-01'::timestamptz + n * interval '1 minute', substr(letters, n, 1) FROM generate_series(1, length(letters)) n $$;
CREATE FUNCTION abc(letters text, within interval DEFAULT '1 day') RETURNS funnel_summary LANGUAGE sql AS
$$ SELECT funnel(within, t, s = 'a', s = 'b', s = 'c') FROM rows_of(letters) $$;

-- By hand: the steps in order; what comes between does no harm, unless the order is strict.
SELECT letters, level(abc(letters)) AS level, expected, level(abc(letters), 'strict_order') AS strict_order, expected_strict
FROM (VALUES ('abc', 3, 3), ('adbc', 3, 1), ('aabbcc', 3, 3), ('aabbdcc', 3, 2), ('ccbbaa', 1, 1), ('d', 0, 0), ('bc', 0, 0), ('acb', 2, 1), ('adbcabc', 3, 3)) v(letters, expected, expected_strict)
WHERE (level(abc(letters)), level(abc(letters), 'strict_order')) IS DISTINCT FROM (expected, expected_strict) OR letters = 'aabbdcc';
-- A repeat ends a chain, the last chain may be the longest.
SELECT letters, level(abc(letters), 'strict_deduplication') AS level FROM unnest(ARRAY['abbc', 'abbcabc', 'abac', 'aabc', 'abxc', 'abbabbc']) letters;
-- The window is inclusive, from the first step to the last.
SELECT within, level(abc('axbxxc', within::interval)) AS level FROM unnest(ARRAY['5 minutes', '4 minutes 59.999999 seconds', '2 minutes', '0', '1 day -1435 minutes']) within;

-- ClickHouse's documentation of windowFunnel: 4.
SELECT level(funnel('70000000 days', at, event = 1003, event = 1009, event = 1007, event = 1010), 'clickhouse') AS level
FROM (VALUES (timestamptz '2019-01-29 10:00', 1003), ('2019-01-31 09:00', 1007), ('2019-01-30 08:00', 1009), ('2019-02-01 08:00', 1010)) v(at, event);
-- and of its modes: A->B->D->C is 2 with strict_order.
SELECT level(abc('abdc'), 'strict_order') AS strict_order, level(abc('abdc'), 'clickhouse') AS clickhouse;
-- Doris's documentation of window_funnel: four tables, one for each of its modes.
CREATE TABLE doris (example text, user_id int, event text, at timestamptz);
INSERT INTO doris SELECT example, user_id, event, at FROM (VALUES
	(100123, 'login', timestamptz '2022-05-14 10:01'), (100123, 'visit', '2022-05-14 10:02'),
	(100125, 'login', '2022-05-15 11:00'), (100125, 'visit', '2022-05-15 11:01'), (100125, 'order', '2022-05-15 11:02'),
	(100126, 'login', '2022-05-15 12:00'), (100126, 'visit', '2022-05-15 12:01'), (100127, 'login', '2022-05-15 11:30'), (100127, 'visit', '2022-05-15 11:31')) v(user_id, event, at),
	unnest(ARRAY['default', 'deduplication', 'fixed', 'increase']) example;
INSERT INTO doris VALUES
	('default', 100123, 'order', '2022-05-14 10:04'), ('default', 100123, 'payment', '2022-05-14 10:10'),
	('deduplication', 100123, 'login', '2022-05-14 10:03'), ('deduplication', 100123, 'order', '2022-05-14 10:04'), ('deduplication', 100123, 'payment', '2022-05-14 10:10'),
	('fixed', 100123, 'order', '2022-05-14 10:03'), ('fixed', 100123, 'login2', '2022-05-14 10:04'), ('fixed', 100123, 'payment', '2022-05-14 10:10'),
	('increase', 100123, 'order', '2022-05-14 10:04'), ('increase', 100123, 'payment', '2022-05-14 10:04');
CREATE TABLE doris_modes AS SELECT * FROM (VALUES ('default', 'clickhouse', interval '300 s', 3), ('deduplication', 'strict_deduplication', '1 h', 2), ('fixed', 'strict_order', '1 h', 3), ('increase', 'strict_increase', '1 h', 3)) v(example, mode, within, level_100123);
SELECT example, user_id, level(funnel(within, at, event = 'login', event = 'visit', event = 'order', event = 'payment'), mode) AS level,
	CASE user_id WHEN 100123 THEN level_100123 WHEN 100125 THEN 3 ELSE 2 END AS published
FROM doris JOIN doris_modes USING (example) GROUP BY example, user_id, mode, level_100123 ORDER BY example COLLATE "C", user_id;
-- Of A-B-C-B-D deduplication is 3, of A-B-D-C fixed is 2.
SELECT level(funnel('1 h', t, s = 'A', s = 'B', s = 'C', s = 'D'), 'strict_deduplication') AS deduplication FROM rows_of('ABCBD');
SELECT level(funnel('1 h', t, s = 'A', s = 'B', s = 'C', s = 'D'), 'strict_order') AS fixed FROM rows_of('ABDC');

-- Rows of one moment: each is one step, or all it meets, or just one of them is.
CREATE TABLE moment (id int, s text);
INSERT INTO moment VALUES (1, 'ab'), (2, 'a'), (2, 'ab'), (3, 'abc'), (3, 'ab'), (3, 'a'), (4, 'ab'), (4, 'c'), (5, 'x'), (5, 'a'), (6, 'abc'), (6, 'bc'), (6, 'c'), (6, 'c');
SELECT id, level(f), level(f, 'clickhouse') AS clickhouse, level(f, 'strict_increase') AS strict_increase, level(f, 'strict_order') AS strict_order, level(f, 'strict_order, strict_once') AS both
FROM (SELECT id, funnel('0', '2026-01-01', s ~ 'a', s ~ 'b', s ~ 'c') AS f FROM moment GROUP BY id) m ORDER BY id;
-- What is of a moment in which the chain advances does not come between.
SELECT mode, level(funnel('1 h', t, s = 'a', s = 'b', s = 'c'), mode) AS level
FROM (VALUES (timestamptz '2026-01-01 10:00', 'a'), ('2026-01-01 10:01', 'x'), ('2026-01-01 10:01', 'b'), ('2026-01-01 10:01', 'a'), ('2026-01-01 10:02', 'c')) v(t, s),
	unnest(ARRAY['strict_order', 'strict_deduplication', 'strict_order,strict_deduplication,strict_increase,strict_once']) WITH ORDINALITY m(mode, n) GROUP BY mode, n ORDER BY n;

-- Times: of the chain that reaches most, then begins last, each step as early as may be.
SELECT letters, step_times(abc(letters)), step_durations(abc(letters)), step_seconds(abc(letters)) FROM unnest(ARRAY['x', 'xa', 'abxxcabxcc', 'abcab']) letters;
SELECT step_durations(abc('abdc'), 'strict_order'), step_seconds(abc('abdc'), 'strict_order') AS seconds, step_seconds(abc('abdc'), 'clickhouse'), step_times(abc('abdc'), mode => ' strict_order , strict_once ');
-- Durations are what subtracting gives, whatever clocks do.
SET timezone = 'Europe/Berlin';
SELECT step_durations(f) AS durations, (SELECT array_agg(step_times[i + 1] - step_times[i] ORDER BY i) FROM step_times(f), generate_series(1, 2) i) = step_durations(f) AS same, step_seconds(f) AS seconds
FROM (SELECT funnel('400 days', t, t = '2026-03-28 12:00', t = '2026-03-29 12:00', t = '2026-12-31 18:30:00.000001') AS f FROM unnest(ARRAY['2026-03-28 12:00', '2026-03-29 12:00', '2026-12-31 18:30:00.000001']::timestamptz[]) t) s;
SET timezone = 'UTC';
-- Both ends of time: further apart than the longest window is long; the longest that fits.
SELECT level(funnel('106751991 days 04:00:54.775807', t, t < '2000-01-01', t > '2000-01-01')) AS level, step_times(funnel('0', t, t > '2000-01-01'))
FROM unnest(ARRAY['4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999']::timestamptz[]) t;
SELECT step_durations(funnel('106751991 days 04:00:54.775807', t, t < '2000-01-01', t > '2000-01-01')) AS longest, step_seconds(funnel('106751991 days 04:00:54.775807', t, t < '2000-01-01', t > '2000-01-01')) = ARRAY[9223372036854.775807]::float8[] AS seconds
FROM unnest(ARRAY['1999-01-01', '1999-01-01'::timestamptz + interval '106751991 days 04:00:54.775807']) t;

-- 1 to 32 steps, as a list or a whole array; NULL is false.
SELECT level(funnel('1 h', t, VARIADIC ARRAY[s = 'a', s = 'b'])), level(funnel('1 h', t, VARIADIC ARRAY[s = 'a', NULL, s = 'b'])) AS with_null, level(funnel('1 h', t, s = 'a')) AS one,
	level(funnel('1 h', t, NULL)) AS none FROM rows_of('ab');
SELECT level(funnel('31 s', t, VARIADIC ARRAY(SELECT k = n FROM generate_series(1, 32) k))) AS level, level(funnel('30 s', t, VARIADIC ARRAY(SELECT k = n FROM generate_series(1, 32) k))) AS shorter,
	cardinality(step_times(funnel('31 s', t, VARIADIC ARRAY(SELECT k = n FROM generate_series(1, 32) k)))) AS times
FROM (SELECT n, '2026-01-01'::timestamptz + n * interval '1 s' AS t FROM generate_series(1, 32) n) v;
SELECT level(funnel('0', '2026-01-01', VARIADIC array_fill(true, ARRAY[32]))) AS once, level(funnel('0', '2026-01-01', VARIADIC array_fill(true, ARRAY[32])), 'clickhouse') AS clickhouse FROM generate_series(1, 20);
-- Listed, steps need no array: two to eight have aggregates of their own. The same bytes either way, NULL being false.
CREATE TABLE listed AS SELECT n, '2026-01-01'::timestamptz + hashint8(n) % 1000 * interval '1 minute' AS t, nullif(hashint8(n) & 15, 9) AS member FROM generate_series(1, 300::bigint) n;
CREATE FUNCTION listed(aggregate text, n int, has_array bool) RETURNS TABLE (bytes text, is_array bool) LANGUAGE plpgsql AS $$
DECLARE
	list text := (SELECT string_agg(format('nullif(hashint8(n * %s) & 7, 6) < 3', i), ', ' ORDER BY i) FROM generate_series(1, n) i);
BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW listed_view AS SELECT (SELECT %s''2 hours'', CASE WHEN n %% 7 > 0 THEN t END, %s) FROM listed)::text AS bytes',
		aggregate, CASE WHEN has_array THEN format('VARIADIC ARRAY[%s]', list) ELSE list END);
	RETURN QUERY SELECT v.bytes, pg_get_viewdef('listed_view'::regclass) ~ 'VARIADIC' FROM listed_view v;
END $$;
SELECT aggregate, count(*) FILTER (WHERE listed.bytes = arrays.bytes) AS same, count(DISTINCT arrays.bytes) AS different,
	string_agg(n::text, ' ' ORDER BY n) FILTER (WHERE NOT listed.is_array) AS listed, bool_and(arrays.is_array) AS arrays
FROM unnest(ARRAY['funnel(', 'funnel_book(member::bigint, ', 'funnel_book(member::text, ', 'funnel_book(md5(member::text)::uuid, ']) aggregate, generate_series(1, 10) n,
	listed(aggregate, n, false) listed, listed(aggregate, n, true) arrays
GROUP BY aggregate ORDER BY aggregate COLLATE "C";
SELECT level(f), rows_skipped(b), (SELECT string_agg(members::text, ' ' ORDER BY step) FROM funnel_steps(b)) AS steps
FROM (SELECT funnel('1 h', t, NULL, NULL) AS f, funnel_book(1::bigint, '1 h', t, s = 'a', NULL) AS b FROM rows_of('ab')) v;
SELECT funnel(NULL, t, s = 'a', s = 'b') IS NULL AS no_window, rows_skipped(funnel_book(1::bigint, NULL, t, s = 'a', s = 'b')) AS skipped,
	rows_skipped(funnel_book(NULL::bigint, '1 h', t, s = 'a', s = 'b')) AS no_member FROM rows_of('ab');
-- The array may begin anywhere.
SELECT level(funnel('1 h', t, VARIADIC format('[-1:0]={%s,%s}', s = 'a', s = 'b')::boolean[])) FROM rows_of('ab');
-- The array may come from a table, compressed or not.
CREATE TABLE stored_steps (t timestamptz, steps boolean[]);
INSERT INTO stored_steps SELECT t, ARRAY[s = 'a', s = 'b', s = 'c'] FROM rows_of('abc');
SELECT level(funnel('1 h', t, VARIADIC steps)) FROM stored_steps;

-- Rows with NULL are left out; of no rows there is nothing.
SELECT level(funnel(within, t, VARIADIC steps)) FROM (VALUES (interval '1 h', timestamptz '2026-01-01', ARRAY[true]), (NULL, '2026-01-01', ARRAY[true, true]), ('1 month', NULL, ARRAY[true]), ('1 h', '2026-01-01', NULL)) v(within, t, steps);
SELECT funnel('1 h', t, true) IS NULL AS no_rows, funnel('1 h', NULL, true) IS NULL AS null_rows FROM rows_of('');
SELECT level(NULL::funnel_summary), step_times(NULL::funnel_summary), step_durations(NULL::funnel_summary), step_seconds(NULL), level(abc('a'), NULL), NULL::funnel_summary + abc('a') AS plus, rollup(NULL::funnel_summary);

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT funnel('1 month', t, s = 'a') FROM rows_of('ab');
SELECT funnel('-1 second', t, s = 'a') FROM rows_of('ab');
SELECT funnel('106751991 days 04:00:54.775808', t, s = 'a') FROM rows_of('ab');
SELECT funnel('1 h', 'infinity', s = 'a') FROM rows_of('ab');
SELECT funnel('-1 second', t, s = 'a', s = 'b') FROM rows_of('ab');
SELECT funnel_book(1::bigint, '1 h', 'infinity', s = 'a', s = 'b') FROM rows_of('ab');
SELECT funnel_book(1::bigint, CASE s WHEN 'a' THEN interval '1 h' ELSE '61 min' END, t, s = 'a', s = 'b') FROM rows_of('ab');
SELECT funnel('1 h', t, VARIADIC '{}') FROM rows_of('ab');
SELECT funnel('1 h', t, VARIADIC array_fill(true, ARRAY[33])) FROM rows_of('ab');
SELECT funnel('1 h', t, VARIADIC '{{t,f},{f,t}}') FROM rows_of('ab');
SELECT funnel(CASE s WHEN 'a' THEN interval '1 h' ELSE '61 min' END, t, s = 'a') FROM rows_of('ab');
SELECT funnel('1 h', t, VARIADIC array_fill(true, ARRAY[ascii(s) - 96])) FROM rows_of('ab');
SELECT abc('a') + abc('a', '1 h');
SELECT level(abc('a'), 'strict');
SELECT level(abc('a'), 'clickhouse, strict_once');
SELECT funnel_steps((SELECT funnel_book(1::bigint, '1 h', t, true) FROM rows_of('a')), NULL);
SELECT funnel_step(NULL, '1 h', now(), '{t}');
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 5) AS state
FROM unnest(ARRAY['funnel(''1 year -12 months'', now(), true)', 'funnel(''1 year'', now(), true)', 'funnel(''-1 month 60 days'', now(), true)', 'funnel(''-1 day 25 hours'', now(), true)', 'funnel(''1 day -25 hours'', now(), true)',
	'funnel(''2147483647 days'', now(), true)', 'funnel(''-2147483648 days'', now(), true)', 'funnel(''1 h'', ''-infinity'', true)', 'funnel(''1 h'', now(), VARIADIC ''{{t}}'')', 'funnel(''1 h'', now(), VARIADIC ''{{{t},{t}}}'')',
	'funnel_summary_combine(NULL, NULL)', 'funnel_book_combine(NULL, NULL)', 'funnel_book_step_bigint(NULL, 1, ''1 h'', now(), ''{t}'')', 'rollup(f) FROM (VALUES (abc(''a'')), (abc(''b'')), (NULL)) v(f)', 'rollup(f) FROM (VALUES (abc(''a'')), (abc(''b'', ''1 h''))) v(f)',
	'rollup(f) FROM (SELECT funnel(''1 h'', now(), VARIADIC array_fill(true, ARRAY[n])) AS f FROM generate_series(1, 2) n GROUP BY n) s']) statement;
-- Infinity as a window, from 17 on.
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 170000 AND
		(hostile.error_of('SELECT funnel(''infinity'', now(), true)') || hostile.error_of('SELECT funnel(timestamptz ''-infinity'' - now(), now(), true)')) NOT LIKE '22008 %22008 %' THEN
		RAISE 'an infinite window is taken';
	END IF;
END $$;
-- Modes: names, commas, blanks; nothing else.
SELECT quote_literal(left(mode, 40)) AS mode, left(hostile.error_of(format('SELECT level(abc(''a''), %L)', mode)), 60) AS error
FROM unnest(ARRAY['strict_once', ' strict_order,strict_increase ', E'strict_deduplication\t,\nstrict_once', 'strict_once,strict_once', 'clickhouse', '', ' ', ',', 'strict_once,', ',strict_once', 'strict_once strict_order', 'STRICT_ONCE', 'strict_onc', 'strict_once;',
	'clickhouse,clickhouse', 'strict_order,clickhouse', 'default', repeat('x', 1000)]) mode;

-- Plain SQL: chains by lateral joins, each step the first that may follow. `forbidden` are rows that must not lie between two steps.
CREATE FUNCTION oracle(relation text, follows text, forbidden text, within interval) RETURNS TABLE (member bigint, level int, step_times timestamptz[]) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('FROM %s s1', relation);
BEGIN
	FOR k IN 2 .. 4 LOOP
		query := query || format(' LEFT JOIN LATERAL (SELECT n.t FROM %1$s n WHERE n.member = s1.member AND n.met & %2$s <> 0 AND n.t %3$s s%4$s.t AND n.t <= s1.t + %5$L'
			' AND NOT EXISTS (SELECT FROM %1$s x WHERE x.member = s1.member AND x.t > s%4$s.t AND x.t < n.t AND %6$s) ORDER BY n.t LIMIT 1) s%7$s ON true',
			relation, 1 << k - 1, follows, k - 1, within, replace(forbidden, 'REACHED', ((1 << k - 1) - 1)::text), k);
	END LOOP;
	RETURN QUERY EXECUTE 'SELECT DISTINCT ON (s1.member) s1.member, num_nonnulls(s1.t, s2.t, s3.t, s4.t), array_remove(ARRAY[s1.t, s2.t, s3.t, s4.t], NULL) ' || query ||
		' WHERE s1.met & 1 <> 0 ORDER BY s1.member, 2 DESC, s1.t DESC';
END $$;
-- Rows that meet one step or none, many at equal times; the same at times that all differ; and rows that meet several.
CREATE TABLE disjoint AS
SELECT n % 307 AS member, '2026-01-01'::timestamptz + (hashint8extended(n, 1) & 127) * interval '10 minutes' AS t, (ARRAY[1, 1, 2, 2, 4, 8, 0, 4])[1 + (hashint8extended(n, 2) & 7)] AS met FROM generate_series(1, 5000::bigint) n;
CREATE TABLE apart AS SELECT DISTINCT ON (member, t) * FROM disjoint ORDER BY member, t, met;
CREATE TABLE several AS SELECT n, member, t, (hashint8extended(n, 3) & hashint8extended(n, 4) & 15)::int AS met FROM (SELECT *, row_number() OVER (ORDER BY member, t, met) AS n FROM disjoint) s;
CREATE INDEX ON disjoint (member, t); CREATE INDEX ON apart (member, t); CREATE INDEX ON several (member, t);
ANALYZE disjoint, apart, several;
CREATE TABLE cases AS SELECT * FROM (VALUES
	(1, 'disjoint', 'strict_once', '>=', 'false'), (2, 'disjoint', 'clickhouse', '>=', 'false'), (3, 'disjoint', 'strict_increase', '>', 'false'), (4, 'several', 'clickhouse', '>=', 'false'), (5, 'several', 'strict_increase', '>', 'false'),
	(6, 'apart', 'strict_order', '>', 'x.met & REACHED = 0'), (7, 'apart', 'strict_deduplication', '>', 'x.met & REACHED <> 0'), (8, 'apart', 'strict_order, strict_deduplication', '>', 'true')) v(id, relation, mode, follows, forbidden),
	unnest(ARRAY['0', '40 minutes', '5 hours', '30 hours']::interval[]) within;
CREATE FUNCTION differences(relation text, mode text, follows text, forbidden text, within interval) RETURNS TABLE (differ bigint, levels bigint[]) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('WITH expected AS (SELECT m.member, coalesce(level, 0) AS level, coalesce(step_times, ''{}'') AS step_times FROM (SELECT DISTINCT member FROM %1$s) m LEFT JOIN oracle(%1$L, %3$L, %4$L, %5$L) USING (member)),
		grouped AS (SELECT member, level(f, %2$L), step_times(f, %2$L) FROM (SELECT member, funnel(%5$L, t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS f FROM %1$s GROUP BY member) s),
		book AS (SELECT member, level, step_times FROM funnel_members((SELECT funnel_book(member, %5$L, t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) FROM %1$s), %2$L))
		SELECT (SELECT count(*) FROM (TABLE expected EXCEPT TABLE grouped) e) + (SELECT count(*) FROM (TABLE grouped EXCEPT TABLE expected) e) + (SELECT count(*) FROM (TABLE book EXCEPT TABLE expected) e) + abs((SELECT count(*) FROM book) - (SELECT count(*) FROM expected)),
		array_agg(n ORDER BY k) FROM (SELECT k, (SELECT count(*) FROM expected WHERE level = k) AS n FROM generate_series(0, 4) k) s', relation, mode, follows, forbidden, within);
END $$;
SELECT id, relation, mode, within, differ, levels FROM cases, differences(relation, mode, follows, forbidden, within) ORDER BY id, within;
-- Where one row counts for one step but may meet several: all chains there are, the longest, the last to begin, the earliest times.
WITH RECURSIVE chain AS (
	SELECT member, 1 AS level, ARRAY[t] AS times, ARRAY[n] AS used FROM several WHERE met & 1 <> 0
	UNION ALL
	SELECT c.member, level + 1, times || t, used || n FROM chain c JOIN several s ON s.member = c.member AND met & (1 << level) <> 0 AND t BETWEEN times[level] AND times[1] + interval '90 minutes' AND n <> ALL (used)),
best AS (SELECT DISTINCT ON (member) member, level, times FROM chain ORDER BY member, level DESC, times[1] DESC, times)
SELECT count(*) FILTER (WHERE (level, times) IS DISTINCT FROM (level(f), step_times(f))) AS differ, count(*) FILTER (WHERE level(f) <> level(f, 'clickhouse')) > 10 AS not_clickhouse, count(*) FILTER (WHERE level > level(f, 'strict_increase')) > 10 AS not_strict_increase, count(*) AS members
FROM best JOIN (SELECT member, funnel('90 minutes', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS f FROM several GROUP BY member) s USING (member);

-- funnel_steps: counted and averaged in plain SQL, to the microsecond.
CREATE TABLE book AS SELECT funnel_book(member, '5 hours', t + member * interval '1.000003 ms' * met, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS b FROM several;
WITH member AS (SELECT m.* FROM book, funnel_members(b) m),
expected AS (SELECT k AS step, (SELECT count(*) FROM member WHERE level >= k) AS members, (SELECT count(*) FROM member WHERE level >= k - 1) AS before, (SELECT count(*) FROM member WHERE level >= 1) AS first,
	(SELECT array_agg(percentile ORDER BY p) FROM unnest(ARRAY[0.5, 0.9]) p, LATERAL (SELECT percentile_cont(p) WITHIN GROUP (ORDER BY (extract(epoch FROM step_times[k] - step_times[k - 1]) * 1000000)::float8) AS percentile FROM member WHERE level >= k) s WHERE k > 1) AS times
	FROM generate_series(1, 4) k)
SELECT step, s.members = e.members AS members, rate_from_previous IS NOT DISTINCT FROM CASE WHEN step > 1 THEN e.members / nullif(before, 0)::float8 END AS rate_from_previous, rate_from_first = e.members / first::float8 AS rate_from_first,
	abs(extract(epoch FROM median_time) * 1000000 - times[1]::numeric) <= 0.5 AS median_time, abs(extract(epoch FROM p90_time) * 1000000 - times[2]::numeric) <= 0.5 AS p90_time,
	median_seconds IS NOT DISTINCT FROM extract(epoch FROM median_time)::float8 AND p90_seconds IS NOT DISTINCT FROM extract(epoch FROM p90_time)::float8 AS seconds
FROM book, funnel_steps(b) s JOIN expected e USING (step) ORDER BY step;
-- By hand: 4 members; 4, 3, 1 reach a step, nobody the last; minutes 10, 20, 60 to the second: median 20, p90 20 + 0.8 * 40 = 52.
CREATE TABLE hand (member bigint, minute int, s text);
INSERT INTO hand VALUES (1, 0, 'a'), (1, 10, 'b'), (2, 0, 'a'), (2, 20, 'b'), (2, 1463, 'c'), (3, 0, 'a'), (3, 60, 'b'), (4, 5, 'a'), (NULL, 6, 'a');
SELECT rows_skipped(b), member_count(b), s.* FROM (SELECT funnel_book(member, '2 days', '2026-01-01'::timestamptz + minute * interval '1 minute', s = 'a', s = 'b', s = 'c', s = 'd') AS b FROM hand) h, funnel_steps(b) s;
SELECT s.* FROM (SELECT funnel_book(member, '2 days', '2026-01-01'::timestamptz + minute * interval '1 minute', s = 'z', s = 'b') AS b FROM hand) h, funnel_steps(b, 'strict_order') s;
SELECT count(*) AS rows FROM funnel_steps(NULL);
SELECT rows_skipped(funnel_book(1::bigint, within, t, VARIADIC steps)) FROM (VALUES (interval '1 h', timestamptz '2026-01-01', ARRAY[true]), (NULL, '2026-01-01', ARRAY[true, true]), ('1 h', NULL, ARRAY[true]), ('1 h', '2026-01-01', NULL), ('1 month', '2026-01-01', NULL)) v(within, t, steps);
-- Of rows that are all skipped the steps are known, and nobody reached one: there is no member, or no time; unless within or the steps are never told.
CREATE TABLE nobody AS SELECT 'member' AS missing, funnel_book(NULL::bigint, '1 h', t, s = 'a', s = 'b') AS b FROM rows_of('ab')
	UNION ALL SELECT 'time', funnel_book(1::bigint, '1 h', NULL, s = 'a', s = 'b') FROM rows_of('ab') UNION ALL SELECT 'infinite', funnel_book(NULL::bigint, '1 h', 'infinity', s = 'a', s = 'b') FROM rows_of('ab')
	UNION ALL SELECT 'within', funnel_book(1::bigint, NULL, t, s = 'a', s = 'b') FROM rows_of('ab') UNION ALL SELECT 'steps', funnel_book(1::bigint, '1 h', t, VARIADIC NULL) FROM rows_of('ab');
SELECT missing, rows_skipped(b), member_count(b), s.*, (SELECT count(*) FROM funnel_members(b)) AS members_, b::text::funnel_book = b AS round_trip FROM nobody LEFT JOIN funnel_steps(b, 'strict_order') s ON true ORDER BY missing COLLATE "C", step;
-- They go with rows of the same funnel, in any order, as if skipped among them; their bytes by hand: kind 12, version 1, bigint; no member, 2 rows skipped; 9 bytes of settings, which skipped rows have (the first bit), 2 steps, 1 h = 3600000000 = 0xd693a400, latest time 0.
SELECT missing, n.b + o.b = w.b AND o.b + n.b = w.b AND rollup(p) = w.b AS as_if_among_them FROM (SELECT funnel_book(1::bigint, '1 h', t, s = 'a', s = 'b') AS b FROM rows_of('ab')) o,
	nobody n, LATERAL (SELECT funnel_book(CASE WHEN k = 1 OR missing IN ('time', 'within', 'steps') THEN 1::bigint END, CASE WHEN k = 1 OR missing <> 'within' THEN interval '1 h' END, CASE WHEN k = 1 OR missing <> 'time' THEN t END,
		VARIADIC CASE WHEN k = 1 OR missing <> 'steps' THEN ARRAY[s = 'a', s = 'b'] END) AS b FROM rows_of('ab'), generate_series(1, 2) k) w, unnest(ARRAY[n.b, o.b]) p GROUP BY missing, n.b, o.b, w.b ORDER BY missing COLLATE "C";
SELECT funnel_book_send(n.b) = '\x0c010100 00000000 0000000000000002 8009 02 00000000d693a400 0000000000000000'::bytea AS as_specified FROM nobody n WHERE missing = 'time';
SELECT funnel_book(1::bigint, '1 h', t, true) IS NULL AS no_rows FROM rows_of('');

-- Members of every type are the same, asked for as what they are.
CREATE TABLE typed AS SELECT *, member::text AS m_text, ('00000000-0000-0000-0000-' || lpad(member::text, 12, '0'))::uuid AS m_uuid FROM apart;
SELECT (SELECT array_agg((level, step_times) ORDER BY member) FROM funnel_members(b)) = (SELECT array_agg((level, step_times) ORDER BY member) FROM funnel_members(NULL::uuid, u)) AS uuid,
	(SELECT array_agg((member, level, step_times) ORDER BY member) FROM funnel_members(NULL::bigint, b)) = (SELECT array_agg((member::bigint, level, step_times) ORDER BY member::bigint) FROM funnel_members(NULL::text, t)) AS text,
	(SELECT array_agg(s) FROM funnel_steps(b) s) = (SELECT array_agg(s) FROM funnel_steps(t) s) AS steps
FROM (SELECT funnel_book(member, '5 h', t, met = 1, met = 2) AS b, funnel_book(m_text, '5 h', t, met = 1, met = 2) AS t, funnel_book(m_uuid, '5 h', t, met = 1, met = 2) AS u FROM typed) s;
\set VERBOSITY default
SELECT funnel_members(funnel_book(m_text, '5 h', t, met = 1)) FROM typed;
SELECT funnel_book(m_text, '5 h', t, met = 1) + funnel_book(member, '5 h', t, met = 1) FROM typed;
SELECT funnel_book(member, '5 h', t, met = 1) + funnel_book(member, '5 h', t, met = 1, met = 2) FROM typed;
SELECT funnel_book(member, member * interval '1 h', t, met = 1) FROM typed;
SELECT funnel_book(m, '1 h', '2026-01-01', VARIADIC array_fill(true, ARRAY[CASE WHEN m IS NULL THEN 2 ELSE 1 END])) FROM unnest('{1,NULL}'::bigint[]) m;
SELECT funnel_book(NULL::bigint, '1 month', '2026-01-01', true);
SELECT n.b + funnel_book(1::bigint, '2 h', '2026-01-01', true, true) FROM nobody n WHERE missing = 'member' GROUP BY n.b;
\set VERBOSITY terse

-- From stored funnels of members: the same bytes as from their rows, whatever the parts; members of every type.
CREATE VIEW several_typed AS SELECT *, 'member ' || member AS m_text, ('00000000-0000-0000-0000-' || lpad(member::text, 12, '0'))::uuid AS m_uuid FROM several;
CREATE TABLE stored AS SELECT member, m_text, m_uuid, n % 3 AS part, funnel('5 h', t, met & 1 <> 0, met & 2 <> 0) AS f FROM several_typed GROUP BY 1, 2, 3, 4;
SELECT count(*) > count(DISTINCT member) AS parts, bool_or(level(f) = 2) AS some_arrive, (SELECT funnel_book(member, f) FROM stored) = b AS bigint, (SELECT funnel_book(m_text, f) FROM stored) = t AS text, (SELECT funnel_book(m_uuid, f) FROM stored) = u AS uuid,
	(SELECT funnel_book(member, f ORDER BY member DESC) FROM (SELECT member, rollup(f) AS f FROM stored GROUP BY member) s) = b AS rolled_up, (SELECT rollup(b) FROM (SELECT funnel_book(member, f) AS b FROM stored GROUP BY part) s) = b AS in_parts
FROM stored, (SELECT funnel_book(member, '5 h', t, met & 1 <> 0, met & 2 <> 0) AS b, funnel_book(m_text, '5 h', t, met & 1 <> 0, met & 2 <> 0) AS t, funnel_book(m_uuid, '5 h', t, met & 1 <> 0, met & 2 <> 0) AS u FROM several_typed) w GROUP BY b, t, u;
-- By hand: ann in two parts, a at 0:01 and b at 0:02; bob once; rows with NULL are skipped, and one without a member tells the steps.
SELECT rows_skipped(b), m.* FROM (SELECT funnel_book(member, f) AS b FROM (VALUES ('ann', abc('a')), ('ann', abc('xb')), ('bob', abc('bca')), (NULL, abc('abc')), ('cid', NULL)) v (member, f)) s, funnel_members(NULL::text, b) m;
SELECT rows_skipped(b), member_count(b), array_agg(members) AS members FROM (SELECT funnel_book(NULL::uuid, abc('abc')) AS b) s, funnel_steps(b) GROUP BY b;
SELECT rows_skipped(b), member_count(b), (SELECT count(*) FROM funnel_steps(b)) AS steps FROM (SELECT funnel_book(1::bigint, NULL::funnel_summary) AS b) s;
SELECT funnel_book(member, f) IS NULL AS no_rows FROM stored WHERE false;
SELECT hostile.error_of(format('SELECT funnel_book(member, f) FROM (SELECT 1::bigint AS member, abc(''a'') AS f UNION ALL SELECT %s) s', other)) AS error
FROM unnest(ARRAY['2, abc(''a'', ''1 h'')', 'NULL, abc(''a'', ''1 h'')', '2, funnel(''1 day'', ''2026-01-01'', true)', '2, ''funnel_summary:CwEA''']) other;
SELECT funnel_book_step_bigint_summary(NULL, 1, abc('a'));

-- Any order of rows, in parts, merged in any grouping, stored and reloaded, as a window: the same bytes.
CREATE TABLE parts AS SELECT n % 7 AS n, funnel('5 h', t, met & 1 <> 0, met & 2 <> 0) AS f, funnel_book(member, '5 h', t, met & 1 <> 0, met & 2 <> 0) AS b FROM several GROUP BY 1;
SELECT (SELECT rollup(f) FROM parts) = whole AS rolled_up, (SELECT rollup(f ORDER BY n DESC) FROM parts) = whole AS other_order, (SELECT f FROM parts WHERE n = 0) + (SELECT rollup(f) FROM parts WHERE n > 0) = whole AS plus,
	(SELECT funnel('5 h', t, met & 1 <> 0, met & 2 <> 0 ORDER BY t DESC, met) FROM several) = whole AS sorted, whole::text::funnel_summary = whole AS text_round_trip, funnel_summary_send(whole::text::funnel_summary) = funnel_summary_send((SELECT rollup(f) FROM parts)) AS same_bytes,
	funnel_summary_hash(whole) = funnel_summary_hash((SELECT rollup(f) FROM parts)) AS hash, funnel_summary_hash_extended(whole, 7) = funnel_summary_hash_extended((SELECT rollup(f) FROM parts), 7) AS hash_extended, (SELECT f FROM parts WHERE n = 1) = whole AS part_is_whole
FROM (SELECT funnel('5 h', t, met & 1 <> 0, met & 2 <> 0) AS whole FROM several) s;
SELECT (SELECT rollup(b) FROM parts) = whole AS rolled_up, (SELECT rollup(b ORDER BY n DESC) FROM parts) = whole AS other_order, (SELECT b FROM parts WHERE n = 0) + (SELECT rollup(b) FROM parts WHERE n > 0) = whole AS plus,
	(SELECT funnel_book(member, '5 h', t, met & 1 <> 0, met & 2 <> 0 ORDER BY t DESC, met) FROM several) = whole AS sorted, whole::text::funnel_book = whole AS text_round_trip, funnel_book_send(whole::text::funnel_book) = funnel_book_send((SELECT rollup(b) FROM parts)) AS same_bytes,
	funnel_book_hash(whole) = funnel_book_hash((SELECT rollup(b) FROM parts)) AS hash, funnel_book_hash_extended(whole, 7) = funnel_book_hash_extended((SELECT rollup(b) FROM parts), 7) AS hash_extended, (SELECT b FROM parts WHERE n = 1) = whole AS part_is_whole
FROM (SELECT funnel_book(member, '5 h', t, met & 1 <> 0, met & 2 <> 0) AS whole FROM several) s;
SELECT n, running = (SELECT rollup(f) FROM parts o WHERE o.n <= s.n) AS running, moving = (SELECT rollup(f) FROM parts o WHERE o.n BETWEEN s.n - 1 AND s.n) AS moving
FROM (SELECT n, rollup(f) OVER (ORDER BY n) AS running, rollup(f) OVER (ORDER BY n ROWS 1 PRECEDING) AS moving FROM parts) s ORDER BY n;
SELECT count(*) FILTER (WHERE level(running) <> level((SELECT funnel('5 h', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0) FROM several o WHERE o.member = s.member AND o.t <= s.t))) AS differ, count(DISTINCT level(running)) AS levels
FROM (SELECT member, t, funnel('5 h', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0) OVER (PARTITION BY member ORDER BY t) AS running FROM several WHERE member < 40) s;
-- Many groups at once, of two aggregates, hashed and sorted.
CREATE FUNCTION by_group() RETURNS TABLE (n bigint, levels bigint, both_levels bigint, same boolean) LANGUAGE sql AS $$
	SELECT count(*), sum(level(f)), sum(level(g)), bool_and(f + f = g) FROM (SELECT member, t, funnel('1 h', t, met & 1 <> 0, met & 2 <> 0) AS f, rollup(x) AS g
		FROM (SELECT member, t, met, funnel('1 h', t, met & 1 <> 0, met & 2 <> 0) AS x FROM several, generate_series(1, 2) GROUP BY member, t, met, ctid) s GROUP BY member, t) s $$;
CREATE TABLE groups AS SELECT 'default' AS how, * FROM by_group();
SET enable_hashagg = off; INSERT INTO groups SELECT 'sorted', * FROM by_group(); RESET enable_hashagg;
SET work_mem = '64kB'; INSERT INTO groups SELECT 'spilled', * FROM by_group(); RESET work_mem;
SELECT count(DISTINCT (n, levels, both_levels)) AS answers, min(n) > 4000 AS many, min(levels) > 2000 AS told, count(*) AS ways FROM groups;

-- In parallel: a plan of partial aggregates, the same result.
CREATE FUNCTION is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line ~ 'Partial' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE TABLE serial AS SELECT member, funnel('5 h', t, met & 1 <> 0, met & 2 <> 0) AS f FROM several GROUP BY member;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT is_partial('SELECT member, funnel(''5 h'', t, met & 1 <> 0, met & 2 <> 0) FROM several GROUP BY member') AS grouped, is_partial('SELECT funnel_book(member, ''5 h'', t, met & 1 <> 0, met & 2 <> 0) FROM several') AS book, is_partial('SELECT funnel_book(member, f) FROM serial') AS of_funnels;
SELECT count(*) AS members, bool_and(p.f = s.f) AS same FROM (SELECT member, funnel('5 h', t, met & 1 <> 0, met & 2 <> 0) AS f FROM several GROUP BY member) p JOIN serial s USING (member);
SELECT funnel_book(member, '5 h', t, met & 1 <> 0, met & 2 <> 0) = (SELECT rollup(b) FROM parts) AS same FROM several;
SELECT funnel_book(member, f) = (SELECT rollup(b) FROM parts) AS same FROM serial;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- Comparison: DISTINCT, sorting, keys.
SELECT count(DISTINCT f), count(*) FROM (SELECT f FROM parts UNION ALL SELECT f + abc FROM parts, (SELECT funnel('5 h', '2026-01-01', true, true) AS abc) x UNION ALL SELECT f FROM parts) s;
SELECT count(*) FILTER (WHERE (a.f < b.f)::int + (a.f = b.f)::int + (a.f > b.f)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.f <= b.f) <> (NOT a.f > b.f) OR (a.f >= b.f) <> (NOT a.f < b.f) OR (a.f <> b.f) <> (NOT a.f = b.f)) AS not_opposite,
	count(*) FILTER (WHERE sign(funnel_summary_cmp(a.f, b.f)) <> -sign(funnel_summary_cmp(b.f, a.f))) AS not_antisymmetric FROM parts a, parts b;
SELECT count(*) FILTER (WHERE (a.b < b.b)::int + (a.b = b.b)::int + (a.b > b.b)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.b <= b.b) <> (NOT a.b > b.b) OR (a.b >= b.b) <> (NOT a.b < b.b) OR (a.b <> b.b) <> (NOT a.b = b.b)) AS not_opposite,
	count(*) FILTER (WHERE sign(funnel_book_cmp(a.b, b.b)) <> -sign(funnel_book_cmp(b.b, a.b))) AS not_antisymmetric FROM parts a, parts b;
CREATE TABLE kept (f funnel_summary PRIMARY KEY);
INSERT INTO kept SELECT abc(l) FROM unnest(ARRAY['a', 'b', 'ab']) l;
SELECT left(hostile.error_of('INSERT INTO kept SELECT abc(''ab'')'), 5) AS state;

-- The specified bytes (docs/storage-format.md), by hand: kind 11, version 1, 3 steps, 1 s = 1000000 microseconds = 0xf4240; 2 events:
-- 2000-01-01 is time 0, tag 1 (a); 1 s on, 1000000 = 61 * 2^14 + 4 * 2^7 + 64, in groups of 7 bits, lowest first, c0 84 3d; tag 6 (b and c).
SELECT funnel_summary_send(funnel('1 s', t, a, b, c)) = '\x0b01 0009 03 00000000000f4240 02 00 01 c0843d 06'::bytea AS as_specified FROM (VALUES (timestamptz '2000-01-01 00:00:01', false, true, true), ('2000-01-01', true, false, NULL)) v(t, a, b, c);

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(type, v) AS (SELECT 'funnel_summary', abc('abcx')::text UNION ALL SELECT 'funnel_book', funnel_book(1::bigint, '1 h', t, s = 'a', s = 'b')::text FROM rows_of('abx'))
SELECT type, '' AS literal FROM valid UNION ALL SELECT type, unnest(ARRAY[' ', 'funnel_summary', 'funnel_summary:', 'funnel_book:', ':', 'funnel_summary: ', 'funnel_summary:=', 'funnel_summary:====', 'funnel_summary:AAAA', 'funnel_book:AAAA', 'funnel_summary:%%%%', '{}', 'null', '0', 'rfm_book:AwEBAA==',
	'funnel_summary:CwEACQMAAAAAAA9CQAA=', 'funnel_summary:CwEACQAAAAAAAA9CQAEAAA==', 'funnel_summary:CwEACSEAAAAAAA9CQAEAAQ==', 'funnel_summary:CwEACQP/AAAAAA9CQAEAAQ==', 'funnel_summary:CwEACQMAAAAAAA9CQP///////////wE=', 'funnel_book:DAEBAA=='])
	FROM valid
UNION ALL SELECT type, replace(v, type || ':', x) FROM valid, unnest(ARRAY['', 'funnel_summary', 'pricebook_summary:', 'FUNNEL_SUMMARY:', ' funnel_summary:']) x
UNION ALL SELECT type, left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT type, v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x;
SELECT type, count(*) AS literals, count(*) FILTER (WHERE error LIKE format('22P02 invalid input syntax for type %s: "%%', type)) AS refused FROM (SELECT type, hostile.error_of(format('SELECT %L::%s', literal, type)) AS error FROM bad_literals) s GROUP BY type ORDER BY type COLLATE "C";
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::%s', literal, type)) IS NULL;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, type)' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images; whatever is accepted must be harmless.
CREATE TABLE valid_images AS
SELECT row_number() OVER () AS id, *
FROM (SELECT 'funnel_summary' AS type, funnel_summary_send(abc('abxcab')) AS image
	  UNION ALL SELECT 'funnel_summary', funnel_summary_send(funnel('106751991 days', t, VARIADIC array_fill(true, ARRAY[32]))) FROM unnest(ARRAY['4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999']::timestamptz[]) t
	  UNION ALL SELECT 'funnel_book', funnel_book_send(funnel_book(ascii(s)::bigint, '1 h', t, s = 'a', s = 'b')) FROM rows_of('abxa')
	  UNION ALL SELECT 'funnel_book', funnel_book_send(funnel_book(s, '1 h', '2026-01-01', s = 'a', s = 'b')) FROM rows_of('aab')
	  UNION ALL SELECT 'funnel_book', funnel_book_send(funnel_book(NULL::text, '1 h', '2026-01-01', true, true))) s;
CREATE TABLE images (type text, image bytea, answer text);
SELECT format('INSERT INTO images SELECT type, m, hostile.receive(type, m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT type, count(*) > 200 AS many, count(*) FILTER (WHERE answer LIKE format('22P03 binary %s is not valid: %%', type)) > 100 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE format('22P03 binary %s is not valid: %%', type) AND answer NOT LIKE format('accepted: %s:%%', type)) AS other
FROM images GROUP BY type ORDER BY type COLLATE "C";
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND CASE type WHEN 'funnel_summary' THEN funnel_summary_send(substr(answer, 11)::funnel_summary) ELSE funnel_book_send(substr(answer, 11)::funnel_book) END <> image;
SELECT type, count(*) > 40 AS accepted, count(DISTINCT left(e, 5)) AS surprises
FROM (SELECT type, hostile.error_of(format(CASE type WHEN 'funnel_summary' THEN 'SELECT level(f), step_times(f, ''strict_order''), step_durations(f, ''clickhouse''), step_seconds(f, ''clickhouse''), f + f = f + f FROM (SELECT %L::funnel_summary AS f) s'
	ELSE 'SELECT (SELECT count(*) FROM funnel_steps(b)), (SELECT count(*) FROM funnel_members(NULL::text, b)), rows_skipped(b), b + b = b + b FROM (SELECT %L::funnel_book AS b) s' END, substr(answer, 11))) AS e
	FROM images WHERE answer LIKE 'accepted%' AND (type = 'funnel_summary' OR answer !~ '^accepted: funnel_book:DAE[BC]')) s GROUP BY type ORDER BY type COLLATE "C";

-- Exclusions: letters are rows, a minute apart; a, b, c are the steps, x and y the exclusions. By hand: one between two steps ends the chain, another try may succeed; one before the first step or behind the last does not matter.
CREATE FUNCTION abcxy(letters text, within interval DEFAULT '1 day') RETURNS funnel_summary LANGUAGE sql AS
$$ SELECT funnel(within, t, s = 'a', s = 'b', s = 'c', s = 'x', s = 'y') FROM rows_of(letters) $$;
SELECT letters, level(abcxy(letters), exclusions => '{4,5}') AS level, expected, level(abcxy(letters), exclusions => '{{4,1,2},{5,2,3}}') AS between, expected_between
FROM (VALUES ('abc', 3, 3), ('axbc', 1, 1), ('abxc', 2, 3), ('aybc', 1, 3), ('abyc', 2, 2), ('axabc', 3, 3), ('xabcx', 3, 3), ('abxcabc', 3, 3), ('abxab', 2, 2), ('abybc', 2, 3), ('axb', 1, 1), ('x', 0, 0)) v(letters, expected, expected_between);
-- In the moment of a step that the chain takes it does not lie between two; in one in which it takes none it does.
SELECT level(funnel('1 h', t, s = 'a', s = 'b', s = 'x'), exclusions => '{3}') AS with_b, level(funnel('1 h', t, s = 'a', s IN ('b', 'a'), s = 'x'), exclusions => '{3}') AS with_a
FROM (VALUES (timestamptz '2026-01-01 10:00', 'a'), ('2026-01-01 10:01', 'b'), ('2026-01-01 10:01', 'x')) v(t, s);
SELECT level(funnel('1 h', t, s = 'a', s = 'b', s = 'c', s = 'x'), exclusions => '{{4,1,2}}') AS repeat_does_not_help
FROM (VALUES (timestamptz '2026-01-01 10:00', 'a'), ('2026-01-01 10:01', 'd'), ('2026-01-01 10:01', 'x'), ('2026-01-01 10:02', 'b')) v(t, s);
-- Where exclusions stand does not matter: steps are counted without them; a row may be a step and an exclusion.
SELECT l, level(abcxy(l), exclusions => '{4,5}') AS level, level(funnel('1 day', t, s = 'x', s = 'a', s = 'y', s = 'b', s = 'c'), exclusions => '{3,1}') AS elsewhere, level(funnel('1 day', t, s = 'a', s = 'b', s = 'c', s IN ('a', 'b', 'c')), exclusions => '{4}') AS all_rows
FROM unnest(ARRAY['abc', 'axbyc', 'abac', 'abbc', 'adbxxc']) l, rows_of(l) GROUP BY l ORDER BY l;
-- With modes: a row that is only an exclusion meets no step, so strict_order is broken by it as well.
SELECT mode, level(abcxy('abxc'), mode, '{{4,1,2}}') AS level FROM unnest(ARRAY['strict_once', 'clickhouse', 'strict_order', 'strict_deduplication', 'strict_increase']) mode;

-- Limits for each step, both inclusive. By hand: the second of two b is within a minute of c, the first is not.
SELECT letters, step_within, step_gap, level(abc(letters, '1 day')) AS plain, level(abc(letters), step_within => step_within::interval[], step_gap => step_gap::interval[]) AS level, step_durations(abc(letters), step_within => step_within::interval[], step_gap => step_gap::interval[])
FROM (VALUES ('abbc', '{NULL,1 min}', '{}'), ('abbc', '{NULL,59.999999 s}', '{}'), ('abbc', '{}', '{2 min}'), ('abbc', '{1 min}', '{NULL,2 min}'), ('abc', '{1 min,1 min}', '{1 min,1 min}'), ('abc', '{1 min}', '{1 min}'), ('aabc', '{}', '{00:01:00.000001}'), ('abcbxc', '{3 min, 2 min}', '{3 min}'), ('abc', '{0}', '{}'), ('abdc', '{NULL,2 min}', '{}')) v(letters, step_within, step_gap);
-- A chain must take a step as soon as it may if the mode says what a row does to it.
SELECT level(abc('abbc'), 'strict_order', step_within => '{NULL,1 min}') AS strict_order, level(abc('abbc'), 'strict_order, strict_once', step_gap => '{2 min}') AS too_early_is_no_step;
-- Steps of one moment need no gap.
SELECT level(f), level(f, step_gap => '{0}') AS zero, level(f, step_gap => '{1 us}') AS gap, level(f, step_within => '{0}') AS within, level(f, 'clickhouse', step_gap => '{NULL,1 us}') AS second_gap
FROM (SELECT funnel('1 h', timestamptz '2026-01-01', true, true, true) AS f FROM generate_series(1, 3)) s;
-- Both ends of time.
SELECT level(f, step_within => '{106751991 days 04:00:54.775807}') AS within, level(f, step_gap => '{106751991 days 04:00:54.775807}') AS gap
FROM (SELECT funnel('106751991 days', t, t < '2000-01-01', t > '2000-01-01') AS f FROM unnest(ARRAY['1999-01-01', '1999-01-01'::timestamptz + interval '106751991 days']) t) s;
-- Empty lists are no rules; of NULL there is nothing.
SELECT level(f) = level(f, exclusions => '{}', step_within => '{}', step_gap => '{}') AS same, level(f, exclusions => NULL) IS NULL AS exclusions, level(f, step_within => NULL) IS NULL AS within, level(f, step_gap => '{NULL}') AS no_limit FROM abc('abc') f;

\set VERBOSITY default
SELECT level(abc('a'), exclusions => '{4}');
SELECT level(abc('a'), exclusions => '{1,2,3}');
SELECT level(abc('a'), exclusions => '{{3,2,1}}');
SELECT level(abc('a'), exclusions => '{{3,1}}');
SELECT level(abc('a'), exclusions => '{NULL}');
SELECT level(abc('a'), step_within => '{1 h,1 h,1 h}');
SELECT level(abc('a'), step_within => '{-1 s}');
SELECT level(abc('a'), step_gap => '{-1 s}');
SELECT level(abc('a'), step_gap => '{1 month}');
SELECT level(abc('a'), step_gap => '{{1 h}}');
SELECT level(abc('a'), step_within => '{NULL,1 h}', step_gap => '{NULL,2 h}');
SELECT funnel_steps(b, step_gap => NULL) FROM book;
SELECT funnel_conversions(b, '1999-01-01') FROM book;
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 5) AS state
FROM unnest(ARRAY['level(abc(''a''), exclusions => ''{0}'')', 'level(abc(''a''), exclusions => ''{-1}'')', 'level(abc(''a''), exclusions => ''{2147483647}'')', 'level(abc(''a''), exclusions => ''{{3,0,1}}'')', 'level(abc(''a''), exclusions => ''{{3,1,3}}'')', 'level(abc(''a''), exclusions => ''{{{3,1,2}}}'')',
	'level(abc(''a''), exclusions => ''{{3,1,NULL}}'')', 'level(abc(''a''), step_within => ''{{1 h}}'')', 'level(abc(''a''), step_gap => ''{1 h,1 h,1 h}'')', 'level(abc(''a''), exclusions => ''{3}'', step_gap => ''{1 h,1 h}'')', 'level(abc(''a''), step_within => ''{2147483647 days}'')', 'level(abc(''a''), step_within => ''{1 year}'')',
	'funnel_steps(b, exclusions => NULL) FROM book', 'funnel_steps(b, step_within => NULL) FROM book', 'funnel_members(b, exclusions => ''{5}'') FROM book', 'funnel_members(NULL::text, b, exclusions => ''{4}'') FROM book', 'funnel_members(NULL::bigint, b, step_gap => ''{1 h,1 h,1 h,1 h}'') FROM book',
	'funnel_conversions(b, ''infinity'') FROM book', 'funnel_conversions(b, mode => NULL) FROM book', 'funnel_conversions(b, mode => ''x'') FROM book', 'funnel_conversions(b, exclusions => ''{9}'') FROM book', 'funnel_conversions(b, step_gap => NULL) FROM book']) statement;

-- Plain SQL: all chains that there are, under rules: step 2 at least 20 minutes and at most 5 hours after step 1, step 3 within 3 hours, none of the rows that meet condition 4 between steps 1 and 2.
CREATE FUNCTION chains(last_start timestamptz DEFAULT 'infinity') RETURNS TABLE (member bigint, level int, step_times timestamptz[]) LANGUAGE sql AS $$
	WITH RECURSIVE chain AS (
		SELECT member, 1 AS level, ARRAY[t] AS times, ARRAY[n] AS used FROM several WHERE met & 1 <> 0 AND t <= last_start
		UNION ALL
		SELECT c.member, level + 1, times || t, used || n FROM chain c JOIN several s ON s.member = c.member AND level < 3 AND met & (1 << level) <> 0 AND t BETWEEN times[level] AND times[1] + interval '7 hours' AND n <> ALL (used)
			AND t - times[level] BETWEEN CASE level WHEN 1 THEN interval '20 minutes' ELSE '0' END AND CASE level WHEN 1 THEN interval '5 hours' ELSE '3 hours' END
			AND (level <> 1 OR NOT EXISTS (SELECT FROM several x WHERE x.member = c.member AND x.met & 8 <> 0 AND x.t > times[1] AND x.t < s.t)))
	SELECT DISTINCT ON (member) member, level, times FROM chain ORDER BY member, level DESC, times[1] DESC, times $$;
CREATE TABLE ruled AS SELECT funnel_book(member, '7 hours', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS b FROM several;
SELECT count(*) FILTER (WHERE (coalesce(c.level, 0), coalesce(c.step_times, '{}')) IS DISTINCT FROM (m.level, m.step_times)) AS differ, count(*) AS members,
	count(*) FILTER (WHERE m.level = 1) > 10 AS some_1, count(*) FILTER (WHERE m.level = 2) > 10 AS some_2, count(*) FILTER (WHERE m.level = 3) > 10 AS some_3
FROM ruled, funnel_members(b, exclusions => '{{4,1,2}}', step_gap => '{20 min}', step_within => '{5 h,3 h}') m FULL JOIN chains() c USING (member);
SELECT step, members = (SELECT count(*) FROM chains() WHERE level >= step) AS members, rate_from_first IS NOT DISTINCT FROM members / (SELECT count(*) FROM chains())::float8 AS rate
FROM ruled, funnel_steps(b, 'strict_once', '{{4,1,2}}', '{5 h,3 h}', '{20 min}') ORDER BY step;
-- An optional step that a chain has which has ended, and the open one has not, is nobody who may still come.
SELECT step, members, members_open, rate_from_first FROM funnel_conversions((SELECT funnel_book(m, '1 hour', t, e = 'a', e = 'b', e = 'c') FROM (VALUES
	(1::bigint, timestamptz '2026-01-01 00:00+00', 'a'), (1, '2026-01-01 00:10+00', 'b'), (1, '2026-01-01 00:20+00', 'c'), (1, '2026-01-01 10:00+00', 'a'), (1, '2026-01-01 10:10+00', 'c'),
	(2, '2026-01-01 10:00+00', 'a'), (2, '2026-01-01 10:05+00', 'b'), (2, '2026-01-01 10:10+00', 'c')) v(m, t, e)), '2026-01-01 10:30+00', optional_steps => '{2}');
-- funnel_conversions: of the same chains those that begin at least 7 hours before; its rates are those of its members, and nothing that follows changes them.
SELECT as_of, step, c.members = count(e.level) FILTER (WHERE e.level >= step) AS members, c.members_open = count(a.level) FILTER (WHERE a.level >= step) - count(e.level) FILTER (WHERE e.level >= step) AS members_open, c.members < s.members AS fewer,
	rate_from_first = c.members / nullif(count(e.level), 0)::float8 AS from_first, rate_from_previous IS NOT DISTINCT FROM CASE WHEN step > 1 THEN c.members / nullif(count(e.level) FILTER (WHERE e.level >= step - 1), 0)::float8 END AS from_previous
FROM ruled, unnest(ARRAY['2026-01-01 21:10', '2026-01-02 01:00']::timestamptz[]) as_of, funnel_conversions(b, as_of, exclusions => '{{4,1,2}}', step_gap => '{20 min}', step_within => '{5 h,3 h}') c
JOIN LATERAL (SELECT step, members FROM funnel_steps(b, 'strict_once', '{{4,1,2}}', '{5 h,3 h}', '{20 min}')) s USING (step),
	chains() a LEFT JOIN LATERAL (SELECT * FROM chains(as_of - interval '7 hours') e WHERE e.member = a.member) e ON true
GROUP BY as_of, step, c.members, c.members_open, s.members, rate_from_first, rate_from_previous ORDER BY as_of, step;
SELECT (SELECT array_agg((step, members, rate_from_first)) FROM funnel_conversions(early, '2026-01-01 15:00')) = (SELECT array_agg((step, members, rate_from_first)) FROM funnel_conversions(later, '2026-01-01 19:00')) AS same,
	(SELECT array_agg(members) FROM funnel_conversions(early)) = (SELECT array_agg(members) FROM funnel_conversions(early, (SELECT max(t) FROM several WHERE t <= '2026-01-01 15:00'))) AS latest_row
FROM (SELECT funnel_book(member, '7 hours', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0) AS early FROM several WHERE t <= '2026-01-01 15:00') e,
	(SELECT funnel_book(member, '7 hours', t, met & 1 <> 0 AND t <= '2026-01-01 08:00', met & 2 <> 0, met & 4 <> 0) AS later FROM several WHERE t <= '2026-01-01 19:00') l;
-- By hand, the funnel above: two days. At 2026-01-03 00:04 the window of member 4, who began five minutes past midnight, is open for a minute.
SELECT at, c.* FROM (SELECT funnel_book(member, '2 days', '2026-01-01'::timestamptz + minute * interval '1 minute', s = 'a', s = 'b', s = 'c', s = 'd') AS b FROM hand) h, unnest(ARRAY['2026-01-03 00:04', '2026-01-03 00:05', NULL]::timestamptz[]) WITH ORDINALITY u(at, n), funnel_conversions(b, at) c ORDER BY n, step;
SELECT c.* FROM nobody, funnel_conversions(b, '1970-01-01') c WHERE missing = 'member';
SELECT count(*) AS rows FROM funnel_conversions(NULL);
-- Bloomreach's documentation of a funnel in loose order: A > B > F > C > D > E counts in every step, A > B > C > E in three, A > B > C > E > D > E in every one.
SELECT letters, level(funnel('1 day', t, s = 'A', s = 'B', s = 'C', s = 'D', s = 'E')), published
FROM (VALUES ('ABCDE', 5), ('ABFCDE', 5), ('ABCE', 3), ('ABCEDE', 5)) v(letters, published), rows_of(letters) GROUP BY letters, published ORDER BY letters COLLATE "C";

-- Optional steps: b and c need not be taken. By hand: the chain is a, d; b and c take the first rows that they can between them, in their order; where d is missing, up to the end of the chain.
CREATE FUNCTION abcd(letters text, within interval DEFAULT '1 day') RETURNS funnel_summary LANGUAGE sql AS
$$ SELECT funnel(within, t, s = 'a', s = 'b', s = 'c', s = 'd', s = 'x') FROM rows_of(letters) $$;
SELECT letters, level(abcd(letters), exclusions => '{5}', optional_steps => '{2,3}') AS level, expected_level, (SELECT string_agg(coalesce((extract(epoch FROM t - '2026-01-01') / 60)::int::text, '-'), ' ' ORDER BY n) FROM unnest(step_times(abcd(letters), exclusions => '{5}', optional_steps => '{2,3}')) WITH ORDINALITY u(t, n)) AS minutes, expected
FROM (VALUES ('abcd', 4, '1 2 3 4'), ('ad', 4, '1 - - 2'), ('acd', 4, '1 - 2 3'), ('acbd', 4, '1 - 2 4'), ('bad', 4, '2 - - 3'), ('a', 1, '1'), ('ab', 2, '1 2'), ('axbcd', 1, '1'), ('abxc', 2, '1 2'), ('abxacd', 4, '4 - 5 6'), ('abbccd', 4, '1 2 4 6'), ('abacd', 4, '3 - 4 5'), ('adbc', 4, '1 - - 2'), ('bcd', 0, NULL)) v(letters, expected_level, expected);
SELECT letters, step_durations(abcd(letters), optional_steps => '{2,3}') AS durations, step_seconds(abcd(letters), optional_steps => '{2,3}') AS seconds, level(abcd(letters), 'strict_order', '{5}', optional_steps => '{2,3}') AS strict_order, level(abcd(letters), 'strict_order', '{5}') AS all_required
FROM unnest(ARRAY['abcd', 'accd', 'ad', 'ab', 'abxcd']) letters;
-- One row is one step, here as well; limits are from the step before that was taken, for a required step from the required one before it.
SELECT level(f, optional_steps => '{2}') AS once, step_times(f, optional_steps => '{2}') = ARRAY[t, NULL, t] AS skipped, step_times(f, 'clickhouse', optional_steps => '{2}') = ARRAY[t, t, t] AS clickhouse
FROM (SELECT funnel('1 h', '2026-01-01', n < 3, n < 3, n < 3) AS f, timestamptz '2026-01-01' AS t FROM generate_series(1, 2) n) s;
SELECT letters, step_within, step_gap, step_durations(abcd(letters), step_within => step_within::interval[], step_gap => step_gap::interval[], optional_steps => '{2,3}') AS durations
FROM (VALUES ('abcd', '{30 s}', '{}'), ('abcd', '{}', '{90 s}'), ('abbcd', '{}', '{2 min,1 min}'), ('abcd', '{NULL,NULL,2 min}', '{}'), ('abcd', '{NULL,NULL,3 min}', '{}'), ('abcd', '{}', '{NULL,NULL,3 min}')) v(letters, step_within, step_gap);
-- A step that is optional does not stop anybody: the others are counted as if it were not there.
SELECT r.step, step = 2 OR r.members <= o.members AS not_fewer, o.members = f.members AS as_without_it, o.rate_from_previous IS NOT DISTINCT FROM CASE WHEN r.step > 1 THEN o.members::float8 / (SELECT members FROM funnel_steps(b, optional_steps => '{2}') WHERE step = 1) END AS of_the_required_step_before
FROM ruled, funnel_steps(b, exclusions => '{4}') r JOIN LATERAL (SELECT * FROM funnel_steps(b, exclusions => '{4}', optional_steps => '{2}')) o USING (step) LEFT JOIN (SELECT 2 * step - 1 AS step, members FROM (SELECT funnel_book(member, '7 hours', t, met & 1 <> 0, met & 4 <> 0, met & 8 <> 0) AS two FROM several) s, funnel_steps(two, exclusions => '{3}')) f USING (step) ORDER BY step;

-- Any order: how many different steps within the window, whichever comes first. By hand.
SELECT letters, level(abc(letters, within::interval), 'strict_once, any_order') AS level, expected, step_durations(abc(letters, within::interval), 'any_order') AS durations
FROM (VALUES ('abc', '1 day', 3), ('cba', '1 day', 3), ('cxxb', '1 day', 2), ('cab', '2 min', 3), ('caxb', '2 min', 2), ('aabb', '1 day', 2), ('bxxa', '1 min', 1), ('xyz', '1 day', 0), ('acxxab', '1 min', 2)) v(letters, within, expected);
SELECT letters, level(abcxy(letters), 'any_order', '{4,5}') AS level, expected FROM (VALUES ('cba', 3), ('cxba', 2), ('xcbay', 3), ('cxb', 1), ('axbyc', 1)) v(letters, expected);
-- A row that meets several steps is one of them, or all.
SELECT level(f, 'strict_once, any_order') AS once, level(f, 'any_order') AS all_it_meets FROM (SELECT funnel('1 h', t, s IN ('a', 'b'), s = 'a', s = 'b') AS f FROM rows_of('ab')) s;
-- funnel_steps counts members with one step or more, two or more, three: in plain SQL, where rows meet one step each, by a window from each row.
WITH windows AS (SELECT a.member, count(DISTINCT b.met) AS steps FROM disjoint a JOIN disjoint b ON b.member = a.member AND b.t BETWEEN a.t AND a.t + interval '90 min' AND a.met IN (1, 2, 4) AND b.met IN (1, 2, 4) GROUP BY a.member, a.t),
expected AS (SELECT k AS step, count(*) AS members FROM (SELECT member, max(steps) AS steps FROM windows GROUP BY member) m JOIN generate_series(1, 3) k ON k <= steps GROUP BY k)
SELECT step, s.members = e.members AS same, s.members > 20 AS many FROM (SELECT funnel_book(member, '90 min', t, met = 1, met = 2, met = 4) AS b FROM disjoint) d, funnel_steps(b, 'any_order, strict_once') s JOIN expected e USING (step) ORDER BY step;

\set VERBOSITY default
SELECT level(abcd('a'), 'any_order, strict_order');
SELECT level(abcd('a'), 'any_order', optional_steps => '{2}');
SELECT level(abcd('a'), 'any_order', exclusions => '{{5,1,2}}');
SELECT level(abcd('a'), optional_steps => '{1}');
SELECT level(abcd('a'), exclusions => '{{5,2,3}}', optional_steps => '{2}');
SELECT level(abcd('a'), optional_steps => '{{2}}');
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 5) AS state
FROM unnest(ARRAY['level(abcd(''a''), ''any_order, clickhouse'')', 'level(abcd(''a''), ''any_order, strict_increase'')', 'level(abcd(''a''), ''strict_deduplication, any_order'')', 'level(abcd(''a''), ''any_order'', step_within => ''{1 h}'')', 'level(abcd(''a''), ''any_order'', step_gap => ''{1 h}'')', 'level(abcd(''a''), optional_steps => ''{0}'')', 'level(abcd(''a''), optional_steps => ''{6}'')',
	'level(abcd(''a''), exclusions => ''{5}'', optional_steps => ''{5}'')', 'level(abcd(''a''), optional_steps => ''{NULL}'')', 'level(abcd(''a''), optional_steps => ''{2147483647}'')', 'funnel_steps(b, optional_steps => NULL) FROM book', 'funnel_conversions(b, optional_steps => ''{1}'') FROM book', 'funnel_members(b, optional_steps => ''{9}'') FROM book']) statement;
-- PostHog's documentation of step orders and duplicate steps: B after A with any events between; directly after; in any sequence; two clicks for two steps that one click meets.
SELECT letters, level(f) AS sequential, level(f, 'strict_order') AS strict_order, level(f, 'any_order') AS any_order, published
FROM (VALUES ('AB', '2 2 2'), ('AxB', '2 1 2'), ('BA', '1 1 2')) v(letters, published), LATERAL (SELECT funnel('1 day', t, s = 'A', s = 'B') AS f FROM rows_of(letters)) s;
SELECT level(funnel('14 days', t, true, s = 'S')) AS one_click, level(funnel('14 days', t, true, true)) AS twice FROM rows_of('S');
