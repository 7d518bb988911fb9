-- welch_test: do two groups differ in their mean?

CREATE FUNCTION welch_test(n1 bigint, mean1 double precision, variance1 double precision,
						   n2 bigint, mean2 double precision, variance2 double precision,
						   alpha double precision DEFAULT 0.05,
						   OUT difference double precision, OUT difference_low double precision,
						   OUT difference_high double precision, OUT t double precision,
						   OUT df double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'custmart_welch_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION welch_test(bigint, double precision, double precision, bigint, double precision, double precision, double precision) IS
	'Do two groups differ in their mean? Welch''s test (1947), which does not assume equal variances. n1, mean1, variance1 and n2, mean2, variance2: what count(), avg() and var_samp() return for each group. difference = mean1 - mean2; difference_low, difference_high: its interval at level 1 - alpha; t: the difference in standard errors; df: degrees of freedom (Satterthwaite 1946); p_value: two-sided. All but difference are NULL if n or variance of a group is NULL, a group has fewer than 2 rows or neither has any variance; without both means everything is NULL. Errors: 22023 if a variance is negative or not finite or alpha is not above 0 and below 1, 22004 if alpha is NULL, 22003 if a mean is not finite.';
