-- Grades inside a cohort.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA tier_test;
SET search_path = tier_test, public;

-- Ten members: the share of those above is 0, 0.1 ... 0.9; below 0.1 is gold, below 0.4 silver.
SELECT v, tier(v, ARRAY[0.1, 0.3], ARRAY['gold', 'silver', 'member']) OVER () FROM generate_series(1, 10) v ORDER BY v;
-- Ties share a grade, even where that makes it larger than its share.
SELECT v, tier(v, ARRAY[0.1, 0.3], ARRAY['gold', 'silver', 'member']) OVER () FROM unnest(ARRAY[5, 5, 5, 4, 4, 3, 3, 3, 3, 3]) v ORDER BY v DESC;
SELECT DISTINCT tier(7, ARRAY[0.1], ARRAY['top', 'rest']) OVER () FROM generate_series(1, 10);
-- Each cohort by itself; NULL has no grade and does not count.
SELECT c, v, tier(v, ARRAY[0.5], ARRAY['upper', 'lower']) OVER (PARTITION BY c)
FROM (VALUES ('a', 1.0), ('a', 2), ('a', NULL), ('b', 10), ('b', 20), ('b', 30), ('c', NULL), ('d', 1)) x(c, v) ORDER BY c, v;
-- 0.1 + 0.2 is a little more than 0.3 in binary: it must not make four silver members of ten.
SELECT tier, count(*) FROM (SELECT tier(v, ARRAY[0.1, 0.2], ARRAY['gold', 'silver', 'rest']) OVER () FROM generate_series(1, 10) v) s GROUP BY tier ORDER BY tier;
SELECT tier(v, ARRAY[0.7, 0.2, 0.1], ARRAY['a', 'b', 'c', 'd']) OVER () AS whole, v FROM generate_series(1, 10) v ORDER BY v LIMIT 2;
-- A share of 0 goes to nobody.
SELECT DISTINCT tier(v, ARRAY[0, 0.5], ARRAY['none', 'upper', 'lower']) OVER () FROM generate_series(1, 4) v ORDER BY 1;
-- numeric and bigint are compared exactly where float8 would see a tie.
SELECT v, tier(v, ARRAY[0.5], ARRAY['upper', 'lower']) OVER () FROM unnest(ARRAY[12345678901234567890.01, 12345678901234567890.02]) v ORDER BY v;
SELECT v, tier(v, ARRAY[0.5], ARRAY['upper', 'lower']) OVER () FROM unnest(ARRAY[9223372036854775806, 9223372036854775807]) v ORDER BY v;
SELECT v, tier(v, ARRAY[0.5], ARRAY['upper', 'lower']) OVER () FROM unnest(ARRAY[-0.5::float8, 0.25, 1e300, -1e300]) v ORDER BY v;

-- Cuts: kept, they grade as the window function does.
SELECT tier_cuts(v, ARRAY[0.1, 0.3]) FROM generate_series(1, 10) v;
SELECT tier_cuts(v, ARRAY[0, 0.5]) FROM generate_series(1, 4) v;
SELECT tier_cuts(v, ARRAY[0.5]) IS NULL AS none FROM generate_series(1, 10) v WHERE v > 10;
SELECT bool_and(tier = tier_of(v, (SELECT tier_cuts(x.v, ARRAY[0.1, 0.3]) FROM generate_series(1, 10) x(v)), ARRAY['gold', 'silver', 'member'])) AS same
FROM (SELECT v, tier(v, ARRAY[0.1, 0.3], ARRAY['gold', 'silver', 'member']) OVER () FROM generate_series(1, 10) v) s;
SELECT tier_of(100, '{10,7}', '{gold,silver,member}'), tier_of(7, '{10,7}', '{gold,silver,member}'), tier_of(6.99, '{10,7}', '{gold,silver,member}'), tier_of(NULL, '{10}', '{a,b}');

-- Parameters from a table: short, long, compressed and toasted arrays.
CREATE TABLE cohorts (c int, shares float8[], names text[]);
INSERT INTO cohorts SELECT c, ARRAY[0.1, 0.3], ARRAY[repeat('g', n), repeat('s', n), repeat('m', n)] FROM (VALUES (1, 5), (2, 60), (3, 3000), (4, 300000)) v(c, n);
INSERT INTO cohorts SELECT 5, array_agg(0.001), array_agg(md5(n::text)) || 'rest'::text FROM generate_series(1, 500) n;
ALTER TABLE cohorts ALTER names SET STORAGE external;
INSERT INTO cohorts SELECT 6, ARRAY[0.1, 0.3], ARRAY[repeat('g', 50000), repeat('s', 50000), repeat('m', 50000)];
SELECT c, left(tier, 3) AS tier, length(tier), count(*)
FROM (SELECT c, tier(v, shares, names) OVER (PARTITION BY c) FROM cohorts, generate_series(1, 10) v) s
GROUP BY c, tier, 2 ORDER BY c, count(*), tier COLLATE "C";

-- Errors.
\set VERBOSITY default
SELECT tier(v, ARRAY[0.1, 0.3], ARRAY['gold', 'silver']) OVER () FROM generate_series(1, 3) v;
SELECT tier(v, ARRAY[0.9, 0.3], ARRAY['gold', 'silver', 'rest']) OVER () FROM generate_series(1, 3) v;
SELECT tier(v, ARRAY[-0.1], ARRAY['gold', 'rest']) OVER () FROM generate_series(1, 3) v;
SELECT tier('NaN'::float8, ARRAY[0.1], ARRAY['gold', 'rest']) OVER ();
SELECT tier_of(1, '{1,2}', '{a,b,c}');
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement || ' FROM generate_series(1, 3) v') FROM unnest(ARRAY[
	$$tier(v, NULL, ARRAY['a']) OVER ()$$, $$tier(v, ARRAY[0.1], NULL) OVER ()$$, $$tier(v, ARRAY[NULL]::float8[], ARRAY['a', 'b']) OVER ()$$,
	$$tier(v, '{}'::float8[], ARRAY['a']) OVER ()$$, $$tier(v, ARRAY[[0.1]], ARRAY['a', 'b']) OVER ()$$, $$tier(v, ARRAY[0.1], ARRAY['a', NULL]) OVER ()$$,
	$$tier(v, ARRAY['NaN'::float8], ARRAY['a', 'b']) OVER ()$$, $$tier(v, ARRAY[1.1], ARRAY['a', 'b']) OVER ()$$, $$tier(v, ARRAY['Infinity'::float8], ARRAY['a', 'b']) OVER ()$$,
	$$tier(v, ARRAY[v / 10.0], ARRAY['a', 'b']) OVER ()$$, $$tier(v, ARRAY[0.1], ARRAY['a', v::text]) OVER ()$$,
	$$tier('NaN'::numeric, ARRAY[0.1], ARRAY['a', 'b']) OVER ()$$, $$tier('-Infinity'::numeric, ARRAY[0.1], ARRAY['a', 'b']) OVER ()$$, $$tier('Infinity'::float8, ARRAY[0.1], ARRAY['a', 'b']) OVER ()$$,
	$$tier(1e100, ARRAY[0.1], ARRAY['a', 'b']) OVER ()$$,
	$$tier_cuts(v, ARRAY[2])$$, $$tier_cuts(v, ARRAY[v / 10.0])$$, $$tier_cuts('NaN', ARRAY[0.1])$$, $$tier_cuts(v, '{}')$$,
	$$tier_of(v, '{1}', '{a}')$$, $$tier_of(v, '{NaN}', '{a,b}')$$, $$tier_of('NaN', '{1}', '{a,b}')$$, $$tier_of(v, '{}', '{a}')$$,
	$$tier_cuts_final(ARRAY[1]::bigint[])$$, $$tier_cuts_final(ARRAY[99, 1]::bigint[])$$, $$tier_cuts_final('{{1,2},{3,4}}')$$, $$tier_cuts_final('{1,7,3}')$$]) statement;
