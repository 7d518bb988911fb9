-- portrait: who the members are

CREATE FUNCTION age_band(birth date, as_of date, bounds integer[]) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_age_band' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION age_band(date, date, integer[]) IS
	'The band of a member''s age on a day, in whole years as age() counts them. bounds: ages at which a band begins, ascending, 0 to 120; ARRAY[18, 25, 65] names <18, 18-24, 25-64 and 65+. NULL for a birth after as_of and for ages above 120, which are mistakes or stand for unknown, so that one bad row does not break a view. Errors: 22023 for bounds that do not ascend, are empty, or outside 0 to 120, and for infinite dates.';
