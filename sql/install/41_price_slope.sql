-- price_slope: how prices rise with x, such as years of membership, inside item and period

-- @stored_type type=price_slope_summary

COMMENT ON TYPE price_slope_summary IS
	'Sums of a regression of ln(price) on x inside each item and period, exact whatever the order of the rows. Made by price_slope() in one scan, merged by rollup() and +, read by price_slopes(). At most 704 MB, about 7 million items and periods.';

-- @merge type=price_slope_summary support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(price_slope_summary) IS
	'Merges sums of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their items are of different types or only some have periods or members.';
COMMENT ON OPERATOR + (price_slope_summary, price_slope_summary) IS 'The sums of both, as if made of all their rows.';

-- Aggregates

-- @each item bigint text
CREATE FUNCTION price_slope_step_{item}_period(price_slope_summary, {item}, date, double precision, numeric) RETURNS price_slope_summary
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_{item}_period' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE price_slope(item {item}, period date, x double precision, price numeric) (
	SFUNC = price_slope_step_{item}_period, STYPE = price_slope_summary, SSPACE = 65536,
	COMBINEFUNC = price_slope_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION price_slope_step_{item}_period(price_slope_summary, {item}, date, double precision, numeric) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON AGGREGATE price_slope({item}, date, double precision, numeric) IS
	'Sums for the slope of ln(price) on x; one row = one sale. item: what; period: any day that stands for it, such as date_trunc(''week'', sold_at AT TIME ZONE ''Europe/London'')::date where sold_at is a timestamptz, date_trunc(''week'', sold_at)::date where it is a timestamp; x: what the price may rise with, such as years as a member, from -1048576 to 1048576 and kept to 2^-40; price: money for one unit. Rows with NULL or a price not above 0 are skipped and counted (rows_skipped). Errors: 22003 for an x out of range, a price that is NaN, infinite or has more than 38 digits before the point or 28 after it; 22008 for an infinite period; 54000 for a result over 704 MB or more than 2^42 rows of an item in a period.';

CREATE FUNCTION price_slope_step_{item}(price_slope_summary, {item}, double precision, numeric) RETURNS price_slope_summary
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_{item}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE price_slope(item {item}, x double precision, price numeric) (
	SFUNC = price_slope_step_{item}, STYPE = price_slope_summary, SSPACE = 65536,
	COMBINEFUNC = price_slope_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION price_slope_step_{item}(price_slope_summary, {item}, double precision, numeric) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON AGGREGATE price_slope({item}, double precision, numeric) IS
	'The same without periods, for prices that did not change meanwhile: all sales of an item are compared. It cannot be merged with sums that have periods.';

-- With members price_slopes() knows how much those differ.
-- @each member bigint uuid text
CREATE FUNCTION price_slope_step_{item}_period_member_{member}(price_slope_summary, {item}, date, double precision, numeric, {member}) RETURNS price_slope_summary
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_{item}_period_member_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE price_slope(item {item}, period date, x double precision, price numeric, member {member}) (
	SFUNC = price_slope_step_{item}_period_member_{member}, STYPE = price_slope_summary, SSPACE = 65536,
	COMBINEFUNC = price_slope_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION price_slope_step_{item}_period_member_{member}(price_slope_summary, {item}, date, double precision, numeric, {member}) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON AGGREGATE price_slope({item}, date, double precision, numeric, {member}) IS
	'The same with members, by 32 folds into which a hash deals them, so that price_slopes() knows how much members differ. member: who paid. It cannot be merged with sums without members. 54000, too, for more than 2^37 rows of a fold in an item and period.';

CREATE FUNCTION price_slope_step_{item}_member_{member}(price_slope_summary, {item}, double precision, numeric, {member}) RETURNS price_slope_summary
	AS 'MODULE_PATHNAME', 'custmart_price_slope_step_{item}_member_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE price_slope(item {item}, x double precision, price numeric, member {member}) (
	SFUNC = price_slope_step_{item}_member_{member}, STYPE = price_slope_summary, SSPACE = 65536,
	COMBINEFUNC = price_slope_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION price_slope_step_{item}_member_{member}(price_slope_summary, {item}, double precision, numeric, {member}) IS
	'Transition function of the aggregate price_slope.';
COMMENT ON AGGREGATE price_slope({item}, double precision, numeric, {member}) IS
	'The same with members and without periods. It cannot be merged with sums that have periods or no members.';

-- @end
-- @end

-- Reading the sums

CREATE FUNCTION price_slopes(summary price_slope_summary, alpha double precision DEFAULT 0.05,
					OUT items bigint, OUT effective_items double precision, OUT cells bigint, OUT rows bigint,
					OUT slope double precision, OUT premium_pct double precision,
					OUT premium_pct_low double precision, OUT premium_pct_high double precision,
					OUT std_error double precision, OUT df double precision, OUT p_value double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_price_slopes' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 1;
CREATE FUNCTION rows_skipped(summary price_slope_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_price_slope_summary_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION price_slopes(price_slope_summary, double precision) IS
	'How much does the price rise with x, for the same item in the same period? One row. items, cells, rows: items, items x periods and rows that contribute, because x differs inside a period; effective_items: how many items of equal weight tell as much; slope: of ln(price) per unit of x, from a regression with item x period fixed effects; premium_pct: the same in percent, 100 (exp(slope) - 1); std_error: of slope, by jackknife over items and, with members, over 32 folds of them (docs/pricebook.md), with one item over folds alone; df: its degrees of freedom, one less than effective items or folds; premium_pct_low, premium_pct_high: interval of premium_pct at level 1 - alpha, by Student''s t; p_value: t-test of no slope, two-sided. With one item and no members, or if nothing compares without one of the folds, the last five are NULL, without items all but the counts. Errors: 22023 if alpha is not above 0 and below 1, 22004 if it is NULL.';
COMMENT ON FUNCTION rows_skipped(price_slope_summary) IS
	'Number of rows left out because an argument was NULL or a price not above 0.';

-- @comparison type=price_slope_summary equality="Sums are equal if they hold the same items and periods with the same sums and skipped as many rows."
