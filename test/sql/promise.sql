-- Kept promises: figures of the specification, by SciPy's betabinom and binom, and definitions.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all

-- ---------- stock ----------

-- 60 of 750 were redeemed, 1000 are issued, there are 100: .07010448730; 3 of 40, 200, 20: .3112938169; nothing known, 500, 100: .7038001371.
SELECT round(stock_out_probability(1000, 60, 750, 100)::numeric, 11) AS p_1, round(stock_out_probability(200, 3, 40, 20)::numeric, 10) AS p_2, round(stock_out_probability(500, 0, 0, 100)::numeric, 10) AS p_3;
-- For 95 %: 103; for 99 %: 45.
SELECT stock_needed(1000, 60, 750) AS of_95, stock_needed(200, 3, 40, 0.99) AS of_99;
-- If the rate were known: 8 % of a million times as many. Then it is binomial, 1.0 % and 94.
SELECT round(stock_out_probability(1000, 60000000, 750000000, 100)::numeric, 3) AS p, stock_needed(1000, 60000000, 750000000) AS of_95;
-- Without a history rates are spread by the law of arcsine, of which P(p > x) = 1 - 2 asin(sqrt(x)) / pi, and many trials show it.
SELECT bool_and(abs(stock_out_probability(1000000000, 0, 0, (x * 1e7)::bigint) - (1 - 2 * asin(sqrt(x / 100.0)) / pi())) < 1e-8) AS arcsine FROM generate_series(1, 99) x;
-- One offer: the mean of the rate is (redeemed + 1/2) / (offered + 1). Two: of both at once the mean of its square.
SELECT bool_and(abs(stock_out_probability(1, r, o, 0) - (r + 0.5) / (o + 1)) < 1e-14) AS one, bool_and(abs(stock_out_probability(2, r, o, 1) - (r + 0.5) / (o + 1) * (r + 1.5) / (o + 2)) < 1e-14) AS two
FROM generate_series(0, 30) o, generate_series(0, o) r;
-- The probabilities by their recurrence, added up: every stock of every small offer.
WITH RECURSIVE p AS (
	SELECT n, r, o, 0 AS k, exp((SELECT coalesce(sum(ln((o - r + 0.5 + i) / (o + 1.0 + i))), 0) FROM generate_series(0, n - 1) i))::float8 AS p
	FROM (VALUES (1, 0, 0), (10, 3, 7), (40, 0, 25), (60, 30, 30), (100, 1, 1)) v (n, r, o)
	UNION ALL
	SELECT n, r, o, k + 1, p * (n - k) * (k + r + 0.5) / ((k + 1) * (n - k - 1 + o - r + 0.5)) FROM p WHERE k < n
), tail AS (SELECT n, r, o, k, coalesce(sum(p) OVER (PARTITION BY n, r, o ORDER BY k DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS above FROM p)
SELECT count(*), bool_and(abs(stock_out_probability(n, r, o, k) - above) <= 1e-12 * above) AS tails,
	bool_and(confidence IS NULL OR stock_needed(n, r, o, confidence) = (SELECT min(k) FROM tail u WHERE (u.n, u.r, u.o) = (t.n, t.r, t.o) AND above <= (1 - confidence) * (1 + 1e-12))) AS needed
FROM tail t LEFT JOIN unnest(ARRAY[0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.9999]) confidence ON k = 0;
-- What is exactly as likely as it may be is enough: 1/10, 1/20.
-- A confidence so low that one minus it is 1: the least stock whose tail below reaches it.
SELECT confidence, stock_needed(1000, 500, 1000, confidence) AS needed, stock_needed(1000, 500, 1000, confidence) = (SELECT min(k) FROM generate_series(0, 1000) k WHERE 1 - stock_out_probability(1000, 500, 1000, k) >= confidence) AS as_by_the_other_tail
FROM unnest('{1e-13,1e-9,1e-4,0.3,0.49999}'::float8[]) confidence;
SELECT stock_needed(1, 0, 4, 0.9) AS of_10th, stock_needed(1, 0, 9, 0.95) AS of_20th, stock_needed(1, 0, 4, 0.9000001) AS of_less;
-- Nobody gets one; as many as there are; more; and any number.
SELECT stock_out_probability(0, 5, 10, 0) AS nobody, stock_out_probability(100, 5, 10, 100) AS enough, stock_out_probability(100, 5, 10, 9223372036854775807) AS more, stock_out_probability(100, 5, 10, NULL) AS unlimited, stock_needed(0, 5, 10) AS of_nobody;
-- Far out on both sides, with 35 digits by mpmath: 1.29920935106289011e-188, 5.43783802339402889e-153 and 1 - 7.9677673867894507e-189.
SELECT stock_out_probability(1000000000, 300000000, 1000000000, 300600000)::numeric(210, 204)::text ~ '^0\.0{187}12992093510' AS few, stock_out_probability(1000000000, 0, 1000000000, 500)::numeric(210, 170)::text ~ '^0\.0{152}54378380233' AS fewer,
	stock_out_probability(1000000000, 300000000, 1000000000, 299400000) AS certain;
-- As large as they come, it does not take long.
SET statement_timeout = '60s';
SELECT count(*) AS answers, bool_and(p BETWEEN 0 AND 1) AS probabilities FROM unnest(ARRAY[0, 1, 1000000000, 9223372036854775807]) i, unnest(ARRAY[0, 1, 1000000000, 9223372036854775807]) o, unnest(ARRAY[0, o / 3, o]) r, unnest(ARRAY[0, i / 2, i]) s, stock_out_probability(i, r, o, s) p;
SELECT bool_and(stock_out_probability(i, r, o, s) <= 0.05 * (1 + 1e-11) AND (s = 0 OR stock_out_probability(i, r, o, s - 1) > 0.05 * (1 - 1e-11))) AS least FROM unnest(ARRAY[0, 1, 1000000000, 9223372036854775807]) i, unnest(ARRAY[0, 1, 1000000000, 9223372036854775807]) o, unnest(ARRAY[0, o / 3, o]) r, stock_needed(i, r, o) s;
RESET statement_timeout;
SELECT stock_out_probability(NULL, 1, 2, 3) IS NULL AS issued, stock_out_probability(1, NULL, 2, 3) IS NULL AS redeemed, stock_out_probability(1, 1, NULL, 3) IS NULL AS offered, stock_needed(NULL, 1, 2) IS NULL AS needed_issued, stock_needed(1, NULL, 2) IS NULL AS needed_redeemed, stock_needed(1, 1, NULL) IS NULL AS needed_offered;

-- ---------- score ----------

-- 100 kept, 16 broken: 78.7644.
SELECT round(promise_score(100, 16)::numeric, 4) AS score, promise_score(0, 5) AS none_kept, round(promise_score(5, 0)::numeric, 2) AS five, round(promise_score(5000, 0)::numeric, 2) AS five_thousand;
SELECT bool_and(promise_score(k, b, alpha) = 100 * ci_low) AS as_wilson FROM generate_series(0, 30) k, generate_series(1, 30) b, unnest(ARRAY[0.05, 0.1]) alpha, wilson_interval(k, k + b, alpha);
SELECT promise_score(0, 0) IS NULL AS no_claims, promise_score(NULL, 1) IS NULL AS kept, promise_score(1, NULL) IS NULL AS broken, promise_score(9223372036854775807, 9223372036854775807) BETWEEN 49.99 AND 50 AS many;

-- ---------- errors ----------

\set VERBOSITY default
SELECT stock_out_probability(-1, 1, 2, 3);
SELECT stock_out_probability(1, -1, 2, 3);
SELECT stock_out_probability(1, 1, -2, 3);
SELECT stock_out_probability(1, 1, 2, -3);
SELECT stock_out_probability(1, 3, 2, 3);
SELECT stock_needed(1, 3, 2);
SELECT stock_needed(1, 1, 2, 0);
SELECT stock_needed(1, 1, 2, 1);
SELECT stock_needed(1, 1, 2, 'NaN');
SELECT stock_needed(1, 1, 2, NULL);
SELECT promise_score(-1, 0);
SELECT promise_score(0, -1);
SELECT promise_score(1, 1, 2);
SELECT promise_score(1, 1, NULL);
\set VERBOSITY terse
SELECT call, left(hostile.error_of('SELECT ' || call), 5) AS state
FROM unnest(ARRAY['stock_out_probability(-1, 1, 2, 3)', 'stock_out_probability(1, -1, 2, 3)', 'stock_out_probability(1, 1, -2, 3)', 'stock_out_probability(1, 1, 2, -3)', 'stock_out_probability(1, 3, 2, 3)',
	'stock_needed(-9223372036854775808, 1, 2)', 'stock_needed(1, 1, 2, 1)', 'stock_needed(1, 1, 2, NULL)', 'promise_score(-1, 0)', 'promise_score(0, -1)', 'promise_score(1, 1, 0)', 'promise_score(1, 1, NULL)']) call;
