-- price_check: is one price fair?

CREATE FUNCTION price_check(price numeric, fair numeric, tolerance_pct double precision) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_price_check' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION price_check(numeric, numeric, double precision) IS
	'How a price compares with a fair one, such as one from fair_prices(): ''ok'' if it differs by at most tolerance_pct, in percent of the fair price; else ''above by 7.0 %'' or ''below by 7.0 %''. Errors: 22023 if fair is not above 0 or tolerance_pct is negative, infinite or NaN; 22003 for amounts that are NaN, infinite or have more than 38 digits before the point or 28 after it.';
