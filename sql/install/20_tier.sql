-- tier: grades inside a cohort

-- @each value float8 numeric bigint
CREATE FUNCTION tier(value {value}, shares double precision[], names text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tier_{value}' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tier({value}, double precision[], text[]) IS
	'Window function, OVER (PARTITION BY cohort): the grade of the row''s value inside its partition. shares: sizes of the grades, best first, as fractions of 1; names: one more, the last for the rest. Grade k if the share of rows with a strictly greater value is below the sum of the first k shares, so equal values have equal grades. NULL value: NULL, and not counted. No ORDER BY is needed. Errors: 22023 for shares outside 0 .. 1, a sum above 1, a wrong number of names, parameters that vary inside a partition; 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22004 for NULL as shares or names; 54000 for more than 2147483647 rows.';

-- @end

CREATE FUNCTION tier_cuts_step(bigint[], double precision, double precision[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_tier_cuts_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tier_cuts_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_tier_cuts_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tier_cuts_final(bigint[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'custmart_tier_cuts_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;

CREATE AGGREGATE tier_cuts(value double precision, shares double precision[]) (
	SFUNC = tier_cuts_step, STYPE = bigint[], SSPACE = 8192,
	FINALFUNC = tier_cuts_final, COMBINEFUNC = tier_cuts_combine, PARALLEL = SAFE
);

CREATE FUNCTION tier_of(value double precision, cuts double precision[], names text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tier_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION tier_cuts_step(bigint[], double precision, double precision[]) IS 'Transition function of the aggregate tier_cuts.';
COMMENT ON FUNCTION tier_cuts_combine(bigint[], bigint[]) IS 'Combine function of the aggregate tier_cuts.';
COMMENT ON FUNCTION tier_cuts_final(bigint[]) IS 'Final function of the aggregate tier_cuts.';
COMMENT ON AGGREGATE tier_cuts(double precision, double precision[]) IS
	'The lowest value of each grade but the last, best grade first, values taken as double precision; Infinity where nobody can have the grade. Store it to grade others by the same cuts with tier_of(). Rows with NULL are skipped; no rows: NULL. Errors as for tier(); 54000 for more than 100 million values.';
COMMENT ON FUNCTION tier_of(double precision, double precision[], text[]) IS
	'The grade of a value by stored cuts: the name at the first cut that the value reaches, else the last name. Errors: 22023 for cuts that are not in descending order or a wrong number of names; 22003 for NaN or infinity.';
