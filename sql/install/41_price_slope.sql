-- price_slope: how prices rise with x inside item and period, such as the years of a membership

CREATE TYPE price_slope;

CREATE FUNCTION price_slope_in(cstring) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION price_slope_out(price_slope) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_price_slope_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION price_slope_recv(internal) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION price_slope_send(price_slope) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE TYPE price_slope (
	INPUT = price_slope_in,
	OUTPUT = price_slope_out,
	RECEIVE = price_slope_recv,
	SEND = price_slope_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);

COMMENT ON FUNCTION price_slope_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION price_slope_out(price_slope) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION price_slope_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION price_slope_send(price_slope) IS
	'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE price_slope IS
	'Sums of a regression of ln(price) on x inside each item and period, exact whatever the order of the rows. Made by price_slope() in one scan, merged by rollup() and +, read by price_slopes(). At most 704 MB, about 7 million items and periods.';

-- Aggregates and the operator +

CREATE FUNCTION price_slope_step_bigint(price_slope, bigint, date, double precision, numeric) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_step_text(price_slope, text, date, double precision, numeric) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_combine(price_slope, price_slope) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION price_slope_add(price_slope, price_slope) RETURNS price_slope
	AS 'MODULE_PATHNAME', 'custmart_price_slope_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE AGGREGATE price_slope(item bigint, period date, x double precision, price numeric) (
	SFUNC = price_slope_step_bigint, STYPE = price_slope, SSPACE = 65536,
	COMBINEFUNC = price_slope_combine, PARALLEL = SAFE
);
CREATE AGGREGATE price_slope(item text, period date, x double precision, price numeric) (
	SFUNC = price_slope_step_text, STYPE = price_slope, SSPACE = 65536,
	COMBINEFUNC = price_slope_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(price_slope) (
	SFUNC = price_slope_combine, STYPE = price_slope, SSPACE = 65536,
	COMBINEFUNC = price_slope_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_add, COMMUTATOR = +);

COMMENT ON FUNCTION price_slope_step_bigint(price_slope, bigint, date, double precision, numeric) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON FUNCTION price_slope_step_text(price_slope, text, date, double precision, numeric) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON FUNCTION price_slope_combine(price_slope, price_slope) IS
	'Combine function of the aggregates price_slope, transition function of rollup(price_slope).';
COMMENT ON FUNCTION price_slope_add(price_slope, price_slope) IS 'Implements the operator +.';
COMMENT ON AGGREGATE price_slope(bigint, date, double precision, numeric) IS
	'Sums for the slope of ln(price) on x; one row = one sale. item: what; period: any day that stands for it; x: what the price may rise with, such as years as a member, from -1048576 to 1048576 and kept to 2^-40; price: money for one unit. Rows with NULL or a price not above 0 are skipped and counted (rows_skipped). Errors: 22003 for an x out of range, a price that is NaN, infinite or has more than 38 digits before the point or 28 after it; 22008 for an infinite period; 54000 for a result over 704 MB or more than 2^42 rows of an item in a period.';
COMMENT ON AGGREGATE price_slope(text, date, double precision, numeric) IS
	'Sums for the slope of ln(price) on x; one row = one sale. item: what; period: any day that stands for it; x: what the price may rise with, such as years as a member, from -1048576 to 1048576 and kept to 2^-40; price: money for one unit. Rows with NULL or a price not above 0 are skipped and counted (rows_skipped). Errors: 22003 for an x out of range, a price that is NaN, infinite or has more than 38 digits before the point or 28 after it; 22008 for an infinite period; 54000 for a result over 704 MB or more than 2^42 rows of an item in a period.';
COMMENT ON AGGREGATE rollup(price_slope) IS
	'Merges sums of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their items are of different types.';
COMMENT ON OPERATOR + (price_slope, price_slope) IS 'The sums of both, as if made of all their rows.';

-- Reading the sums

CREATE FUNCTION price_slopes(slope price_slope, alpha double precision DEFAULT 0.05,
					OUT items bigint, OUT cells bigint, OUT n bigint,
					OUT slope double precision, OUT premium_pct double precision,
					OUT se double precision, OUT ci_low double precision,
					OUT ci_high double precision, OUT p_value double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_price_slopes' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
CREATE FUNCTION rows_skipped(price_slope) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_price_slope_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION price_slopes(price_slope, double precision) IS
	'How much does the price rise with x, for the same item in the same period? One row. items, cells, n: items, items x periods and rows that tell something, because x differs inside a period; slope: of ln(price) per unit of x, from a regression with item x period fixed effects; premium_pct: the same in percent, 100 (exp(slope) - 1); se: standard error of slope, clustered by item; ci_low, ci_high: interval of premium_pct at level 1 - alpha; p_value: two-sided, by Student''s t with items - 1 degrees of freedom. Of one item the last four are NULL, of none all but the counts. Errors: 22023 if alpha is not above 0 and below 1, 22004 if it is NULL.';
COMMENT ON FUNCTION rows_skipped(price_slope) IS
	'Number of rows left out because an argument was NULL or a price not above 0.';

CREATE FUNCTION price_slope_eq(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_ne(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_lt(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_le(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_gt(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_ge(price_slope, price_slope) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_cmp(price_slope, price_slope) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_hash(price_slope) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION price_slope_hash_extended(price_slope, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = price_slope, RIGHTARG = price_slope, FUNCTION = price_slope_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS price_slope_ops DEFAULT FOR TYPE price_slope USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 price_slope_cmp(price_slope, price_slope);
CREATE OPERATOR CLASS price_slope_hash_ops DEFAULT FOR TYPE price_slope USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 price_slope_hash(price_slope),
	FUNCTION 2 price_slope_hash_extended(price_slope, bigint);

COMMENT ON FUNCTION price_slope_eq(price_slope, price_slope) IS 'Implements the operator =.';
COMMENT ON FUNCTION price_slope_ne(price_slope, price_slope) IS 'Implements the operator <>.';
COMMENT ON FUNCTION price_slope_lt(price_slope, price_slope) IS 'Implements the operator <.';
COMMENT ON FUNCTION price_slope_le(price_slope, price_slope) IS 'Implements the operator <=.';
COMMENT ON FUNCTION price_slope_gt(price_slope, price_slope) IS 'Implements the operator >.';
COMMENT ON FUNCTION price_slope_ge(price_slope, price_slope) IS 'Implements the operator >=.';
COMMENT ON FUNCTION price_slope_cmp(price_slope, price_slope) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION price_slope_hash(price_slope) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION price_slope_hash_extended(price_slope, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (price_slope, price_slope) IS 'Equal. Sums are equal if they hold the same items and periods with the same sums and skipped as many rows.';
COMMENT ON OPERATOR <> (price_slope, price_slope) IS 'Different. Sums are equal if they hold the same items and periods with the same sums and skipped as many rows.';
COMMENT ON OPERATOR < (price_slope, price_slope) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (price_slope, price_slope) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (price_slope, price_slope) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (price_slope, price_slope) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS price_slope_ops USING btree IS 'Sorts price_slope for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS price_slope_hash_ops USING hash IS 'Hashes price_slope for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY price_slope_ops USING btree IS 'Sorts price_slope.';
COMMENT ON OPERATOR FAMILY price_slope_hash_ops USING hash IS 'Hashes price_slope.';
