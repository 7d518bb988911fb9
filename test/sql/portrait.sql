-- Bands of age.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA portrait_test;
SET search_path = portrait_test, public;

SELECT birth, age_band(birth::date, '2026-06-15', ARRAY[18, 25, 35, 45, 55, 65])
FROM unnest(ARRAY['2020-01-01', '2008-06-16', '2008-06-15', '2001-06-16', '2001-06-15', '1961-06-15', '1906-06-15', '1905-06-15', '1900-01-01', '2026-06-15', '2026-06-16', NULL]) birth;
-- Born on 29 February: a year older on 1 March.
SELECT day, age_band('2004-02-29', day::date, ARRAY[20, 21, 22]) FROM unnest(ARRAY['2025-02-28', '2025-03-01', '2024-02-28', '2024-02-29']) day;
-- One bound, bands of one year, a first bound of 0.
SELECT age, age_band(birth, '2026-01-01', '{18}'), age_band(birth, '2026-01-01', '{0,1,2,18}') AS of_four
FROM unnest(ARRAY[0, 1, 2, 17, 18, 120]) age, LATERAL (SELECT (date '2026-01-01' - age * interval '1 year')::date AS birth) b;
-- As age() counts, for every day of birth over five years and every day of a leap year's turn.
SELECT count(*), count(*) FILTER (WHERE age_band(birth, day, ARRAY(SELECT generate_series(0, 120))) IS DISTINCT FROM
	CASE WHEN birth > day THEN NULL ELSE extract(year FROM age(day, birth))::text END) AS wrong
FROM (SELECT date '1999-01-01' + b AS birth, date '2004-02-20' + d AS day FROM generate_series(0, 2000) b, generate_series(0, 20) d) s;

-- Errors.
\set VERBOSITY default
SELECT age_band('2000-01-01', '2026-01-01', '{18,18}');
SELECT age_band('infinity', '2026-01-01', '{18}');
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	$$age_band('2000-01-01', '2026-01-01', '{}')$$, $$age_band('2000-01-01', '2026-01-01', '{18,NULL}')$$, $$age_band('2000-01-01', '2026-01-01', '{{18,19}}')$$,
	$$age_band('2000-01-01', '2026-01-01', '{-1}')$$, $$age_band('2000-01-01', '2026-01-01', '{18,121}')$$, $$age_band('2000-01-01', '2026-01-01', '{65,18}')$$,
	$$age_band('2000-01-01', '-infinity', '{18}')$$]) statement;
