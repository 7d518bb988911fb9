-- wilson_interval: how often does something happen, and how sure is that?

CREATE FUNCTION wilson_interval(successes bigint, trials bigint, alpha double precision DEFAULT 0.05,
								OUT rate double precision, OUT ci_low double precision, OUT ci_high double precision)
	AS 'MODULE_PATHNAME', 'custmart_wilson_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION wilson_interval(bigint, bigint, double precision) IS
	'How often does something happen, and how sure is that? Wilson''s interval (1927) of a proportion, which holds for few trials as well and stays between 0 and 1. successes: in how many of the trials it happened; trials: all of them. rate = successes / trials, a fraction; ci_low, ci_high: its interval at level 1 - alpha. All are NULL if there were no trials or a number is NULL. Errors: 22023 if successes are negative or more than trials or alpha is not above 0 and below 1, 22004 if alpha is NULL.';
