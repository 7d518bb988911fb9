-- wilson_interval: figures of Newcombe (1998), "Two-sided confidence intervals for the single proportion", method 3,
-- and the equation that defines the bounds.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all

-- .2553 .3662, .0624 .1605, 0 .1611, .0061 .1718
SELECT x || '/' || n AS of, round(rate::numeric, 4) AS rate, round(ci_low::numeric, 4) AS low, round(ci_high::numeric, 4) AS high
FROM (VALUES (1, 81, 263), (2, 15, 148), (3, 0, 20), (4, 1, 29)) v(i, x, n), wilson_interval(x, n) ORDER BY i;
-- A bound p is where the rate is z standard errors of p away from it: (rate - p)^2 = z^2 p (1 - p) / n.
SELECT count(*) AS cases, bool_and(abs((rate - p) ^ 2 - z ^ 2 * p * (1 - p) / n) < 1e-14) AS as_defined, bool_and(ci_low <= rate AND rate <= ci_high) AS around_the_rate
FROM generate_series(1, 40) n, generate_series(0, n) x, (VALUES (0.05, 1.959963984540054), (0.1, 1.6448536269514722), (0.01, 2.5758293035489004)) a(alpha, z),
	wilson_interval(x, n, alpha), unnest(ARRAY[ci_low, ci_high]) p;
-- The ends are exact: nothing succeeded, all did, both at once there is not.
SELECT x, n, i.rate, i.ci_low = 0 AS from_0, i.ci_high = 1 AS to_1 FROM (VALUES (0, 1), (1, 1), (0, 1000000), (1000000, 1000000)) v(x, n), wilson_interval(x, n) i;
-- The other way round: the interval of what did not happen.
SELECT bool_and(abs(a.ci_low + b.ci_high - 1) < 1e-15 AND abs(a.ci_high + b.ci_low - 1) < 1e-15) AS reversed
FROM generate_series(0, 50) x, wilson_interval(x, 50) a, wilson_interval(50 - x, 50) b;
-- More trials, less doubt.
SELECT n, round((ci_high - ci_low)::numeric, 9) AS width FROM unnest(ARRAY[10, 1000, 100000, 9000000000000000000]) n, wilson_interval(n / 10, n);
-- No trials, nothing known.
SELECT * FROM wilson_interval(0, 0);
SELECT wilson_interval(NULL, 5) IS NULL AS successes, wilson_interval(5, NULL) IS NULL AS trials;
-- By name.
SELECT round(ci_low::numeric, 4) AS low FROM wilson_interval(trials => 29, successes => 1, alpha => 0.05);
\set VERBOSITY default
SELECT wilson_interval(-1, 5);
SELECT wilson_interval(6, 5);
SELECT wilson_interval(0, -1);
SELECT wilson_interval(1, 5, 0);
SELECT wilson_interval(1, 5, 1);
SELECT wilson_interval(1, 5, 'NaN');
SELECT wilson_interval(1, 5, NULL);
\set VERBOSITY terse
SELECT arguments, left(hostile.error_of('SELECT wilson_interval(' || arguments || ')'), 5) AS state
FROM unnest(ARRAY['-1, 5', '6, 5', '0, -1', '1, 5, 2', '1, 5, NULL', '-9223372036854775808, 9223372036854775807', '9223372036854775807, 9223372036854775807']) arguments;
