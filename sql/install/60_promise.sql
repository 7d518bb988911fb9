-- promise: offers that are kept

CREATE FUNCTION stock_out_probability(issued bigint, redeemed bigint, offered bigint, stock bigint) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_stock_out_probability' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
CREATE FUNCTION stock_needed(issued bigint, redeemed bigint, offered bigint, confidence double precision DEFAULT 0.95) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stock_needed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000;
CREATE FUNCTION promise_score(kept bigint, broken bigint, alpha double precision DEFAULT 0.05) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_promise_score' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION stock_out_probability(bigint, bigint, bigint, bigint) IS
	'How likely is it that more members claim an offer than there is stock? issued: members who get the offer; redeemed, offered: how many of how many offers were redeemed in the past, 0 of 0 if nothing is known; stock: how many can be redeemed, NULL = any number, which gives 0. P(X > stock), 0 to 1, X being beta-binomial (issued; redeemed + 1/2, offered - redeemed + 1/2), for a rate seen in few offers is not known (Jeffreys'' prior). NULL if another argument is. Errors: 22023 for numbers below 0 and for redeemed above offered.';
COMMENT ON FUNCTION stock_needed(bigint, bigint, bigint, double precision) IS
	'How much stock does an offer need? The least number s with P(X > s) <= 1 - confidence, X as in stock_out_probability(). issued: members who get the offer; redeemed, offered: how many of how many offers were redeemed in the past, 0 of 0 if nothing is known; confidence: how likely stock should last, above 0 and below 1. NULL if a number is. Errors: 22023 for numbers below 0, redeemed above offered or a confidence out of range, 22004 if confidence is NULL.';
COMMENT ON FUNCTION promise_score(bigint, bigint, double precision) IS
	'How well is an offer honoured, from 0 to 100? 100 times the lower bound of Wilson''s interval (1927) of kept / (kept + broken) at level 1 - alpha, so that few claims do not look better than many. kept: claims that were honoured; broken: claims that were refused through no fault of the member. NULL without claims or if a number is NULL. Errors: 22023 for numbers below 0 or an alpha that is not above 0 and below 1, 22004 if alpha is NULL.';
