-- tier against its definition, computed in plain SQL with exact fractions:
-- grade k if (rank - 1) / N is below the sum of the first k shares.
--
-- Needs the extensions custmart and pgtap in the database.
\ir include/quiet.sql
BEGIN;
SET LOCAL client_min_messages = warning;

SELECT plan(157);

\ir include/compare.sql

-- The grade by the definition.  Shares are written as fractions, so that a third
-- is a third: numerators over one denominator.
CREATE FUNCTION pg_temp.grade(rank bigint, n bigint, numerators int[], denominator int, names text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT names[1 + (SELECT count(*)
                      FROM generate_subscripts(numerators, 1) k
                     WHERE (rank - 1) * denominator >= n * (SELECT sum(s) FROM unnest(numerators[:k]) s))]
$$;

-- The shares as a user has them.
CREATE FUNCTION pg_temp.shares(numerators int[], denominator int) RETURNS float8[]
LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(n::float8 / denominator ORDER BY k) FROM unnest(numerators) WITH ORDINALITY AS u (n, k)
$$;

CREATE FUNCTION pg_temp.names(n int) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg('grade ' || i ORDER BY i) FROM generate_series(1, n) i
$$;

CREATE TEMP TABLE member (id bigint, cohort int, number float8, amount numeric, points bigint);

-- Rows whose grade is not that of the definition, for values of one column.
CREATE FUNCTION pg_temp.wrong_grades(source text, value text, numerators int[], denominator int)
RETURNS TABLE (id bigint, got text, wanted text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    SELECT t.id, got, wanted
      FROM (SELECT s.id, tier(%1$s, $1, $2) OVER (PARTITION BY cohort) AS got FROM %2$s AS s) t
      JOIN (SELECT m.id,
                   CASE WHEN m.%1$s IS NOT NULL THEN
                     pg_temp.grade(rank() OVER (PARTITION BY cohort ORDER BY %1$s DESC NULLS LAST),
                                   count(%1$s) OVER (PARTITION BY cohort), $3, $4, $2) END AS wanted
              FROM member m) w ON w.id = t.id
     WHERE got IS DISTINCT FROM wanted $q$, value, source)
  USING pg_temp.shares(numerators, denominator), pg_temp.names(cardinality(numerators) + 1), numerators, denominator;
END $$;

-- Cohorts of 1 to 200 members, many ties, NULLs, one of NULLs only, one all equal.
INSERT INTO member
SELECT row_number() OVER (), cohort,
       CASE WHEN is_null THEN NULL ELSE v::float8 / 8 - 3 END,
       CASE WHEN is_null THEN NULL ELSE v::numeric / 8 - 3 END,
       CASE WHEN is_null THEN NULL ELSE v * 1000000007 END
  FROM (VALUES (1, 1, 5), (2, 2, 1000), (3, 3, 2), (4, 7, 1000), (5, 10, 1000), (6, 10, 3), (7, 30, 1000), (8, 100, 20),
               (9, 100, 1), (10, 200, 1000), (11, 200, 5), (12, 60, 60), (13, 4, 0)) c (cohort, size, kinds),
       generate_series(1, size) i,
       LATERAL (SELECT floor(pg_temp.chance(i, cohort) * kinds)::bigint AS v,
                       kinds = 0 OR (kinds = 60 AND i % 5 = 0) AS is_null) x;

CREATE TEMP TABLE share (numerators int[], denominator int);
INSERT INTO share VALUES
  (ARRAY[1, 3], 10), (ARRAY[1, 2], 10), (ARRAY[2, 1], 10), (ARRAY[1, 1, 1], 10), (ARRAY[1], 2), (ARRAY[1], 3), (ARRAY[2], 3),
  (ARRAY[1, 1], 3), (ARRAY[1, 1, 1], 3), (ARRAY[1, 1, 1, 1, 1, 1], 7), (ARRAY[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 10), (ARRAY[5], 6),
  (ARRAY[0, 1], 5), (ARRAY[1, 0, 1], 5), (ARRAY[0], 1), (ARRAY[1], 1), (ARRAY[0, 0, 0], 1), (ARRAY[1, 0], 1), (ARRAY[1, 2, 3, 4], 100),
  (ARRAY[7, 7, 7, 7], 30), (ARRAY[1], 200), (ARRAY[1], 201), (ARRAY[199], 200);

SELECT is_empty(format('SELECT * FROM pg_temp.wrong_grades(%L, %L, %L, %s)', 'member', value, numerators, denominator),
                format('grades of %s/%s of %s', numerators, denominator, value))
  FROM share, unnest(ARRAY['number', 'amount', 'points']) value;

-- Any order of the rows and of the window gives the same grades.
SELECT is_empty(format('SELECT * FROM pg_temp.wrong_grades(%L, %L, %L, 10)', source, 'amount', ARRAY[1, 2]), source)
  FROM unnest(ARRAY['(TABLE member ORDER BY amount)', '(TABLE member ORDER BY amount DESC NULLS LAST)',
                    '(TABLE member ORDER BY pg_temp.chance(id, 99))']) source;
SELECT results_eq(
  $$ SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER (PARTITION BY cohort ORDER BY id) FROM member ORDER BY id $$,
  $$ SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER (PARTITION BY cohort) FROM member ORDER BY id $$,
  'ORDER BY in the window changes nothing');
SELECT results_eq(
  $$ SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER (PARTITION BY cohort ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM member ORDER BY id $$,
  $$ SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER (PARTITION BY cohort) FROM member ORDER BY id $$,
  'nor does a frame: the cohort is the partition');
SELECT results_eq(
  $$ SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER (), ntile(3) OVER w, tier(points, '{0.5}', '{x,y}') OVER w FROM member
     WINDOW w AS (PARTITION BY cohort ORDER BY id) ORDER BY id $$,
  $$ SELECT id, a, b, c
       FROM (SELECT id, tier(amount, '{0.1,0.2}', '{a,b,c}') OVER () AS a FROM member) x
       JOIN (SELECT id, ntile(3) OVER (PARTITION BY cohort ORDER BY id) AS b FROM member) y USING (id)
       JOIN (SELECT id, tier(points, '{0.5}', '{x,y}') OVER (PARTITION BY cohort) AS c FROM member) z USING (id) ORDER BY id $$,
  'several of them in one query');
SELECT results_eq(
  $$ SELECT cohort, tier(sum(amount), '{0.25}', '{top,rest}') OVER () FROM member GROUP BY cohort ORDER BY cohort $$,
  $$ SELECT cohort, CASE WHEN total IS NULL THEN NULL WHEN (rank() OVER (ORDER BY total DESC NULLS LAST) - 1) * 4 < count(total) OVER () THEN 'top' ELSE 'rest' END
       FROM (SELECT cohort, sum(amount) AS total FROM member GROUP BY cohort) s ORDER BY cohort $$,
  'over groups');

-- Arguments that are more than a column: for so many rows that memory is given back
-- in between.
CREATE FUNCTION pg_temp.sum_to(n int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  parts text[];
BEGIN
  parts := (SELECT array_agg(i::text) FROM generate_series(1, n) i);
  RETURN (SELECT sum(p::numeric) FROM unnest(parts) p);
EXCEPTION WHEN division_by_zero THEN
  RETURN 0;
END $$;
CREATE TEMP TABLE varied AS SELECT k, ARRAY[0.1::float8 * k] AS shares, ARRAY[repeat('gold', 5000) || k, 'rest'] AS names FROM generate_series(1, 3) k;
SELECT is((SELECT count(*) FILTER (WHERE tier = 'a')
             FROM (SELECT tier(pg_temp.sum_to(1 + i % 50), '{0.1}', '{a,b}') OVER () FROM generate_series(1, 5000) i) s), 500::bigint, 'of a function');
SELECT is((SELECT count(*) FILTER (WHERE tier = 'a')
             FROM (SELECT tier((SELECT sum(x) FROM generate_series(1, 1 + i % 50) x WHERE x IN (SELECT id FROM member)), '{0.1}', '{a,b}') OVER ()
                     FROM generate_series(1, 5000) i) s), 500::bigint, 'of a subquery');
SELECT results_eq($$ SELECT k, count(*) FILTER (WHERE tier LIKE 'gold%' || k)
                       FROM (SELECT k, tier(i, shares, names) OVER (PARTITION BY k) FROM varied, generate_series(1, 2000) i) s GROUP BY k ORDER BY k $$,
                  $$ VALUES (1, 200::bigint), (2, 400), (3, 600) $$, 'shares and names of the cohort');

-- 0.1 + 0.2 is a little more than 0.3 in float8, and is meant to be 0.3.
SELECT is((SELECT string_agg(tier, '' ORDER BY v DESC) FROM (SELECT v, tier(v, '{0.1,0.2}', '{a,b,c}') OVER () FROM generate_series(1, 10) v) s),
          'abbccccccc', 'three tenths of ten are three');
SELECT is((SELECT string_agg(tier, '' ORDER BY v DESC) FROM (SELECT v, tier(v, '{0.7,0.1}', '{a,b,c}') OVER () FROM generate_series(1, 10) v) s),
          'aaaaaaabcc', 'nor are 0.7 + 0.1, a little less than 0.8, other than eight tenths');
SELECT is((SELECT count(*) FILTER (WHERE tier = 'a') FROM (SELECT tier(v, ARRAY[k::float8 / n], '{a,b}') OVER (PARTITION BY n, k)
              FROM generate_series(1, 60) n, generate_series(0, n) k, generate_series(1, n) v) s),
          (SELECT sum(k) FROM generate_series(1, 60) n, generate_series(0, n) k)::bigint,
          'k of n members are k/n of them, for all n up to 60');
SELECT is((SELECT count(*) FILTER (WHERE tier = 'a') FROM (SELECT tier(v::numeric, ARRAY[k::float8 / n], '{a,b}') OVER (PARTITION BY n, k)
              FROM generate_series(1, 30) n, generate_series(0, n) k, generate_series(1, n) v) s),
          (SELECT sum(k) FROM generate_series(1, 30) n, generate_series(0, n) k)::bigint,
          'the same of numeric');
SELECT is((SELECT count(*) FILTER (WHERE tier = 'a') FROM (SELECT tier(v, ARRAY[k / 1000000.0], '{a,b}') OVER (PARTITION BY k)
              FROM unnest(ARRAY[1, 10, 333330, 333340, 999990]) k, generate_series(1, 100000) v) s),
          1 + 1 + 33333 + 33334 + 99999::bigint, 'shares of a hundred thousand');

-- Exactness beyond float8
CREATE TEMP TABLE exact (id int, amount numeric, points bigint);
INSERT INTO exact VALUES
  (1, 10000000000000000001, 9223372036854775807), (2, 10000000000000000002, 9223372036854775806),
  (3, 10000000000000000003.0, 9223372036854775805), (4, 10000000000000000003.0000000001, -9223372036854775808);
SELECT results_eq($$ SELECT id, tier(amount, '{0.25,0.25,0.25}', '{a,b,c,d}') OVER () FROM exact ORDER BY id $$,
                  $$ VALUES (1, 'd'), (2, 'c'), (3, 'b'), (4, 'a') $$, 'numeric values that differ in the 20th digit differ');
SELECT results_eq($$ SELECT id, tier(points, '{0.25,0.25,0.25}', '{a,b,c,d}') OVER () FROM exact ORDER BY id $$,
                  $$ VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd') $$, 'bigint values that are one float8 differ');
SELECT results_eq($$ SELECT v::text, tier(v, '{0.5}', '{a,b}') OVER () FROM (VALUES (1.0), (1.00), (1.000), (0.9)) x (v) ORDER BY 1 $$,
                  $$ VALUES ('0.9', 'b'), ('1.0', 'a'), ('1.00', 'a'), ('1.000', 'a') $$, 'equal numbers of other scales are equal');
SELECT results_eq($$ SELECT v::text, tier(v, '{0.5}', '{a,b}') OVER () FROM (VALUES (float8 '-0'), (0), (-1), (-1)) x (v) ORDER BY 1 $$,
                  $$ VALUES ('-0', 'a'), ('-1', 'b'), ('-1', 'b'), ('0', 'a') $$, '-0 is 0');
SELECT results_eq($$ SELECT v, tier(v, '{0.5}', '{a,b}') OVER () FROM (VALUES (99999999999999999999999999999999999999.9999999999999999999999999999),
                       (99999999999999999999999999999999999999.9999999999999999999999999998), (-99999999999999999999999999999999999999),
                       (0.0000000000000000000000000001)) x (v) ORDER BY 1 $$,
                  $$ VALUES (-99999999999999999999999999999999999999, 'b'), (0.0000000000000000000000000001, 'b'),
                       (99999999999999999999999999999999999999.9999999999999999999999999998, 'a'),
                       (99999999999999999999999999999999999999.9999999999999999999999999999, 'a') $$, 'the widest numeric values');
SELECT results_eq($$ SELECT v, tier(v, '{0.5}', '{a,b}') OVER () FROM (VALUES (1.7976931348623157e308::float8), (-1.7976931348623157e308), (5e-324), (0)) x (v) ORDER BY 1 $$,
                  $$ VALUES (-1.7976931348623157e308::float8, 'b'), (0, 'b'), (5e-324, 'a'), (1.7976931348623157e308, 'a') $$, 'the widest float8 values');

-- Small cohorts
SELECT is_empty($$ SELECT tier(amount, '{0.5}', '{a,b}') OVER () FROM member WHERE false $$, 'no rows: none');
SELECT is((SELECT tier(1, '{0.1}', '{gold,rest}') OVER ()), 'gold', 'one row has the first grade');
SELECT is((SELECT tier(1, '{0}', '{gold,rest}') OVER ()), 'rest', 'unless that is of nobody');
SELECT is((SELECT tier(NULL::numeric, '{0.1}', '{gold,rest}') OVER ()), NULL, 'NULL has none');
SELECT is((SELECT string_agg(DISTINCT tier, ',') FROM (SELECT tier(7, '{0.0001}', '{gold,rest}') OVER () FROM generate_series(1, 10000)) s),
          'gold', 'all equal: all have the first grade');
SELECT is((SELECT string_agg(tier, ',') FROM (SELECT tier(1.5, '{1}', ARRAY['Größe "№ 1",', '']) OVER ()) s), 'Größe "№ 1",', 'names are given back as they are');

-- tier_cuts and tier_of are the same in two steps.
SELECT is_empty(format($$
  SELECT m.id, tier_of(number, cuts, pg_temp.names(%2$s)), tier
    FROM (SELECT *, tier(number, %1$L, pg_temp.names(%2$s)) OVER (PARTITION BY cohort) FROM member) m
    JOIN (SELECT cohort, tier_cuts(number, %1$L) AS cuts FROM member GROUP BY cohort) c USING (cohort)
   WHERE tier_of(number, cuts, pg_temp.names(%2$s)) IS DISTINCT FROM tier $$,
         pg_temp.shares(numerators, denominator), cardinality(numerators) + 1),
  format('tier_of() by tier_cuts() of %s/%s equals tier()', numerators, denominator))
  FROM share WHERE cardinality(numerators) < 4 AND denominator IN (1, 3, 5, 10);
SELECT is((SELECT tier_cuts(v, '{0.1,0.2,0.7}') FROM generate_series(1, 10) v), '{10,8,1}'::float8[], 'cuts are the lowest values of their grades');
SELECT is((SELECT tier_cuts(v, '{0,0.1}') FROM generate_series(1, 10) v), '{Infinity,10}'::float8[], 'Infinity where nobody is');
SELECT is((SELECT tier_cuts(v, '{0.1}') FROM generate_series(1, 0) v), NULL::float8[], 'no rows: NULL');
SELECT is((SELECT tier_cuts(NULL, '{0.1}') FROM generate_series(1, 3) v), NULL::float8[], 'NULLs only: NULL');
SELECT is(tier_of(v, cuts, '{a,b}'), grade, format('tier_of(%s, %s)', v, cuts))
  FROM (VALUES (1::float8, '{1}'::float8[], 'a'), (0.999, '{1}', 'b'), (1e300, '{Infinity}', 'b'), (-1e300, '{-Infinity}', 'a'), (NULL, '{1}', NULL), (1, NULL, NULL)) x (v, cuts, grade);

-- Errors
CREATE FUNCTION pg_temp.window_call(value text, shares text, names text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT tier(%s, %s, %s) OVER () FROM generate_series(1, 3) i', value, shares, names)
$$;
SELECT throws_ok(pg_temp.window_call(value, shares, names), code, NULL, description)
  FROM (VALUES
    ('i', '''{0.5}''', '''{a}''', '22023', 'too few names'),
    ('i', '''{0.5}''', '''{a,b,c}''', '22023', 'too many names'),
    ('i', '''{0.5}''', '''{}''', '22023', 'no names'),
    ('i', '''{}''', '''{a}''', '22023', 'no shares'),
    ('i', '''{-0.1}''', '''{a,b}''', '22023', 'a share below 0'),
    ('i', '''{1.1}''', '''{a,b}''', '22023', 'a share above 1'),
    ('i', '''{0.5,0.6}''', '''{a,b,c}''', '22023', 'a sum above 1'),
    ('i', '''{NaN}''', '''{a,b}''', '22023', 'a share that is no number'),
    ('i', '''{Infinity}''', '''{a,b}''', '22023', 'an infinite share'),
    ('i', '''{0.1,NULL}''', '''{a,b,c}''', '22023', 'a share that is NULL'),
    ('i', '''{0.1}''', '''{a,NULL}''', '22023', 'a name that is NULL'),
    ('i', '''{{0.1,0.2}}''', '''{a,b,c}''', '22023', 'shares in two dimensions'),
    ('i', '''{0.1}''', '''{{a,b}}''', '22023', 'names in two dimensions'),
    ('i', 'NULL', '''{a,b}''', '22004', 'no shares: NULL'),
    ('i', '''{0.1}''', 'NULL', '22004', 'no names: NULL'),
    ('i', 'ARRAY[i / 10.0]', '''{a,b}''', '22023', 'shares that vary'),
    ('i', '''{0.1}''', 'ARRAY[i::text, ''b'']', '22023', 'names that vary'),
    ('CASE WHEN i = 2 THEN float8 ''NaN'' ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'a value that is no number'),
    ('CASE WHEN i = 2 THEN float8 ''-Infinity'' ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'an infinite value'),
    ('CASE WHEN i = 2 THEN numeric ''NaN'' ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'a numeric value that is no number'),
    ('CASE WHEN i = 2 THEN numeric ''Infinity'' ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'an infinite numeric value'),
    ('CASE WHEN i = 2 THEN 1e39 ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'a numeric value too large'),
    ('CASE WHEN i = 2 THEN 1e-29 ELSE i END', '''{0.1}''', '''{a,b}''', '22003', 'a numeric value too fine')
  ) e (value, shares, names, code, description);
SELECT throws_ok(format('SELECT tier_cuts(%s, %s) FROM generate_series(1, 3) i', value, shares), code, NULL, 'tier_cuts: ' || description)
  FROM (VALUES
    ('i', '''{}''', '22023', 'no shares'), ('i', '''{0.5,0.6}''', '22023', 'a sum above 1'), ('i', '''{NaN}''', '22023', 'a share that is no number'),
    ('i', 'ARRAY[i / 10.0]', '22023', 'shares that vary'), ('i', '''{0.1,NULL}''', '22023', 'a share that is NULL'),
    ('CASE WHEN i = 2 THEN float8 ''NaN'' ELSE i END', '''{0.1}''', '22003', 'a value that is no number')
  ) e (value, shares, code, description);
SELECT throws_ok(format('SELECT tier_of(%s, %s, %s)', value, cuts, names), code, NULL, 'tier_of: ' || description)
  FROM (VALUES
    ('1', '''{1,2}''', '''{a,b,c}''', '22023', 'cuts that ascend'), ('1', '''{NaN}''', '''{a,b}''', '22023', 'a cut that is no number'),
    ('1', '''{2,1}''', '''{a,b}''', '22023', 'too few names'), ('1', '''{}''', '''{a}''', '22023', 'no cuts'),
    ('1', '''{2,NULL}''', '''{a,b,c}''', '22023', 'a cut that is NULL'), ('1', '''{2}''', '''{a,NULL}''', '22023', 'a name that is NULL'),
    ('float8 ''NaN''', '''{1}''', '''{a,b}''', '22003', 'a value that is no number'), ('float8 ''Infinity''', '''{1}''', '''{a,b}''', '22003', 'an infinite value')
  ) e (value, cuts, names, code, description);

SELECT * FROM finish();
ROLLBACK;
