-- welch_test: do two groups differ in their mean? Figures of docs, tables and by hand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all

-- 20.3 22.1 21.9 and 18.9 20.3 19: t = 2.798871953, df = 3.799904002, p = .05180736035.
CREATE TEMP TABLE measured (grp int, x float8);
INSERT INTO measured VALUES (1, 20.3), (1, 22.1), (1, 21.9), (2, 18.9), (2, 20.3), (2, 19);
CREATE TEMP TABLE summary AS
SELECT a.n AS n1, a.mean AS mean1, a.variance AS variance1, b.n AS n2, b.mean AS mean2, b.variance AS variance2
FROM (SELECT count(*) AS n, avg(x) AS mean, var_samp(x) AS variance FROM measured WHERE grp = 1) a,
	(SELECT count(*) AS n, avg(x) AS mean, var_samp(x) AS variance FROM measured WHERE grp = 2) b;
SELECT round(difference::numeric, 9) AS difference, round(t::numeric, 9) AS t, round(df::numeric, 9) AS df, round(p_value::numeric, 11) AS p_value
FROM summary, welch_test(n1, mean1, variance1, n2, mean2, variance2);
-- The interval: the difference, less and more so many standard errors as Student's distribution has it.
-- Two groups of two rows with variance 1 have a standard error of 1 and 2 degrees of freedom, where the
-- distribution has a closed form: F(t) = 1/2 + t / (2 sqrt(t^2 + 2)), so t = 2 (F - 1/2) sqrt(2 / (4 F (1 - F))).
SELECT df, abs(t - difference) < 1e-15 AS t, abs(difference - difference_low - quantile) < 1e-12 AS low, abs(difference_high - difference - quantile) < 1e-12 AS high,
	abs(p_value - (1 - t / sqrt(t * t + 2))) < 1e-15 AS p_value
FROM (SELECT 2 * 0.475 * sqrt(2 / (4 * 0.975 * 0.025)) AS quantile) q, welch_test(2, 10, 1, 2, 7, 1);
-- With one degree of freedom, of two rows against any number that do not differ, it is Cauchy's.
SELECT df, t, abs(p_value - 0.5) < 1e-15 AS p_value, abs(difference_high - 1 - tan(pi() * 0.45)) < 1e-12 AS high FROM welch_test(2, 1, 2, 9, 0, 0, 0.1);
-- The other way round all signs change, and nothing else.
SELECT a.difference = -b.difference AND a.difference_low = -b.difference_high AND a.difference_high = -b.difference_low AND a.t = -b.t AND a.df = b.df AND a.p_value = b.p_value AS reversed
FROM welch_test(5, 1.5, 2, 9, 1.1, 0.5) a, welch_test(9, 1.1, 0.5, 5, 1.5, 2) b;
SELECT difference, t, p_value, difference_low = -difference_high AS symmetric FROM welch_test(10, 3, 1, 20, 3, 2);
-- Far out p is small, but not 0 as long as a double can tell: with 2 degrees of freedom it goes to 1 / t^2,
-- with millions it is about that of the normal distribution, 2 exp(-37.2^2 / 2) / (37.2 sqrt(2 pi)) = 7e-303.
SELECT abs(p_value * t ^ 2 - 1) < 1e-9 AS tail FROM welch_test(2, 1e150, 1, 2, 0, 1);
SELECT round(t::numeric, 4) AS t, df, p_value BETWEEN 6e-303 AND 9e-303 AS tiny FROM welch_test(1000001, 37.2, 500000, 1000001, 0, 500000);
SELECT round(t::numeric) AS t, p_value FROM welch_test(1000001, 1000, 1, 1000001, 0, 1);
-- Nothing to test: a difference all the same, and nothing else.
SELECT why, t.difference, num_nulls(t.difference_low, t.difference_high, t.t, t.df, t.p_value) AS nulls
FROM (VALUES ('one row', 1::bigint, 1, 0, 5::bigint, 2, 1), ('no row', 5, 1, 1, 0, 2, 1), ('no variance', 5, 1, 0, 5, 2, 0), ('no n1', NULL, 1, 1, 5, 2, 1), ('no n2', 5, 1, 1, NULL, 2, 1),
	('no variance1', 1, 1, NULL, 5, 2, 1), ('no variance2', 5, 1, 1, 5, 2, NULL), ('variance of one', 5, 1, 0, 5, 2, 1), ('only means', NULL, 1, NULL, NULL, 2, NULL)) v(why, n1, mean1, variance1, n2, mean2, variance2),
	welch_test(n1, mean1, variance1, n2, mean2, variance2) t;
-- Without two means there is nothing at all.
SELECT welch_test(5, NULL, 1, 5, 2, 1) IS NULL AS mean1, welch_test(5, 1, 1, 5, NULL, 1) IS NULL AS mean2, welch_test(NULL, NULL, NULL, NULL, NULL, NULL) IS NULL AS neither;
-- What is given must be sound, even where it decides nothing.
SELECT left(hostile.error_of('SELECT welch_test(' || arguments || ')'), 5) AS state
FROM unnest(ARRAY['1, 1, -1, 5, 2, 1', '1, ''NaN'', 0, 5, 2, 1', '5, 1, 1, 0, 2, ''Infinity''', '1, 1e308, 0, 1, -1e308, 0']) arguments;
SELECT count(*) FROM welch_test(9223372036854775807, 1, 1e-300, 9223372036854775807, 2, 1e300);
\set VERBOSITY default
SELECT welch_test(5, 1, -1, 5, 2, 1);
SELECT welch_test(5, 1, 1, 5, 2, 'NaN');
SELECT welch_test(5, 1, 'Infinity', 5, 2, 1);
SELECT welch_test(5, 'NaN', 1, 5, 2, 1);
SELECT welch_test(5, 1, 1, 5, '-Infinity', 1);
SELECT welch_test(5, 1, 1, 5, 2, 1, 0);
SELECT welch_test(5, 1, 1, 5, 2, 1, alpha => 1);
SELECT welch_test(5, 1, 1, 5, 2, 1, 'NaN');
SELECT welch_test(5, 1, 1, 5, 2, 1, NULL);
\set VERBOSITY terse
SELECT arguments, left(hostile.error_of('SELECT welch_test(' || arguments || ')'), 5) AS state
FROM unnest(ARRAY['5, 1, -1, 5, 2, 1', '5, 1, 1, 5, ''NaN'', 1', '5, 1, 1, 5, 2, 1, 2', '5, 1, 1, 5, 2, 1, NULL', '5, 1, 1, 5, 2, 1']) arguments;
