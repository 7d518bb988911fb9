-- pricebook: what every group paid for every item, in one scan

-- @stored_type type=pricebook_summary

COMMENT ON TYPE pricebook_summary IS
	'What each group of members paid for each item, or item and period: every distinct price with the number of rows and the quantity sold at it. Made by pricebook() in one scan, merged by rollup() and +, read by price_gaps(), price_gap_items(), price_gap_mix() and fair_prices(). At most 704 MB: about 46 million distinct prices of an item in a group, 26 million with periods.';

-- @merge type=pricebook_summary support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(pricebook_summary) IS
	'Merges books made of different rows, on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if only some have periods or their items are of different types.';
COMMENT ON OPERATOR + (pricebook_summary, pricebook_summary) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- @each item bigint text
CREATE FUNCTION pricebook_step_{item}(pricebook_summary, {item}, text, numeric) RETURNS pricebook_summary
	AS 'MODULE_PATHNAME', 'custmart_pricebook_step_{item}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE pricebook(item {item}, member_group text, price numeric) (
	SFUNC = pricebook_step_{item}, STYPE = pricebook_summary, SSPACE = 65536,
	COMBINEFUNC = pricebook_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION pricebook_step_{item}(pricebook_summary, {item}, text, numeric) IS
	'Transition function of the aggregate pricebook.';
COMMENT ON AGGREGATE pricebook({item}, text, numeric) IS
	'What each group paid for each item; one row = one sale. item: what; member_group: which kind of member; price: money for one unit. Rows with NULL or a price not above 0 are skipped and counted (rows_skipped). Errors: 22003 for NaN, infinity, more than 38 digits before the point or 28 after it; 54000 for a book over 704 MB or more than 4294967295 rows of one price.';

CREATE FUNCTION pricebook_step_{item}_period(pricebook_summary, {item}, date, text, numeric, numeric) RETURNS pricebook_summary
	AS 'MODULE_PATHNAME', 'custmart_pricebook_step_{item}_period' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE pricebook(item {item}, period date, member_group text, price numeric, quantity numeric) (
	SFUNC = pricebook_step_{item}_period, STYPE = pricebook_summary, SSPACE = 65536,
	COMBINEFUNC = pricebook_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION pricebook_step_{item}_period(pricebook_summary, {item}, date, text, numeric, numeric) IS
	'Transition function of the aggregate pricebook.';
COMMENT ON AGGREGATE pricebook({item}, date, text, numeric, numeric) IS
	'What each group paid for each item in each period; one row = one line of an order. item: what; period: any day that stands for it, such as date_trunc(''week'', sold_at AT TIME ZONE ''Europe/London'')::date where sold_at is a timestamptz, date_trunc(''week'', sold_at)::date where it is a timestamp; member_group: which kind of member; price: money for one unit; quantity: units. Only sales of one item in one period are compared. Rows with NULL, a price not above 0 or a quantity not above 0 are skipped and counted (rows_skipped). Errors: 22003 for NaN, infinity, more than 38 digits before the point or 28 after it; 22008 for an infinite period; 54000 for a book over 704 MB or more than 4294967295 rows of one price.';

-- With members the reports know how much those differ.
-- @each member bigint uuid text
CREATE FUNCTION pricebook_step_{item}_member_{member}(pricebook_summary, {item}, text, numeric, {member}) RETURNS pricebook_summary
	AS 'MODULE_PATHNAME', 'custmart_pricebook_step_{item}_member_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE pricebook(item {item}, member_group text, price numeric, member {member}) (
	SFUNC = pricebook_step_{item}_member_{member}, STYPE = pricebook_summary, SSPACE = 65536,
	COMBINEFUNC = pricebook_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION pricebook_step_{item}_member_{member}(pricebook_summary, {item}, text, numeric, {member}) IS
	'Transition function of the aggregate pricebook.';
COMMENT ON AGGREGATE pricebook({item}, text, numeric, {member}) IS
	'What each group paid for each item, and how much its members differ; one row = one sale. item: what; member_group: which kind of member; price: money for one unit; member: who paid it. Members are dealt into 32 folds by a hash; for each of them the book keeps rows and the exact sum of logarithms of prices. Rows with NULL or a price not above 0 are skipped and counted (rows_skipped). Errors: 22003 for NaN, infinity, more than 38 digits before the point or 28 after it; 54000 for a book over 704 MB or more than 4294967295 rows of one price or fold.';

CREATE FUNCTION pricebook_step_{item}_period_member_{member}(pricebook_summary, {item}, date, text, numeric, numeric, {member}) RETURNS pricebook_summary
	AS 'MODULE_PATHNAME', 'custmart_pricebook_step_{item}_period_member_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE pricebook(item {item}, period date, member_group text, price numeric, quantity numeric, member {member}) (
	SFUNC = pricebook_step_{item}_period_member_{member}, STYPE = pricebook_summary, SSPACE = 65536,
	COMBINEFUNC = pricebook_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION pricebook_step_{item}_period_member_{member}(pricebook_summary, {item}, date, text, numeric, numeric, {member}) IS
	'Transition function of the aggregate pricebook.';
COMMENT ON AGGREGATE pricebook({item}, date, text, numeric, numeric, {member}) IS
	'What each group paid for each item in each period, and how much its members differ; one row = one line of an order. item: what; period: any day that stands for it, such as date_trunc(''week'', sold_at AT TIME ZONE ''Europe/London'')::date where sold_at is a timestamptz, date_trunc(''week'', sold_at)::date where it is a timestamp; member_group: which kind of member; price: money for one unit; quantity: units; member: who paid it. Members are dealt into 32 folds by a hash; for each of them the book keeps rows and the exact sum of logarithms of prices. Only sales of one item in one period are compared. Rows with NULL, a price not above 0 or a quantity not above 0 are skipped and counted (rows_skipped). Errors: 22003 for NaN, infinity, more than 38 digits before the point or 28 after it; 22008 for an infinite period; 54000 for a book over 704 MB or more than 4294967295 rows of one price or fold.';

-- @end
-- @end

-- Reading a book

CREATE FUNCTION price_gaps(book pricebook_summary, reference text DEFAULT NULL, alpha double precision DEFAULT 0.05,
					min_premium_pct double precision DEFAULT 1, min_rows integer DEFAULT 5,
					OUT member_group text, OUT reference text,
					OUT items bigint, OUT effective_items double precision, OUT cells bigint,
					OUT rows bigint, OUT reference_rows bigint, OUT compared_share double precision,
					OUT naive_gap_pct double precision, OUT mean_premium_pct double precision,
					OUT premium_pct double precision, OUT premium_pct_low double precision,
					OUT premium_pct_high double precision, OUT std_error double precision,
					OUT df double precision, OUT premium_p_value double precision,
					OUT design_effect double precision, OUT z double precision, OUT p_value double precision,
					OUT overcharge numeric, OUT overcharge_net numeric,
					OUT items_flagged bigint, OUT verdict text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_price_gaps' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
-- @template price_gap_items book item symbol
CREATE FUNCTION price_gap_items({book}, reference text DEFAULT NULL, alpha double precision DEFAULT 0.05,
					min_premium_pct double precision DEFAULT 1, min_rows integer DEFAULT 5,
					OUT item {item}, OUT member_group text, OUT rows bigint, OUT reference_rows bigint,
					OUT mean numeric, OUT reference_mean numeric,
					OUT median numeric, OUT reference_median numeric,
					OUT gap_pct double precision, OUT hedges_g double precision,
					OUT p_value double precision, OUT q_value double precision,
					OUT overcharge numeric, OUT is_flagged boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 5000 SUPPORT book_report_support;
-- @end
-- @price_gap_items book="book pricebook_summary" item=bigint symbol=price_gap_items
-- @price_gap_items book="item_type anyelement, book pricebook_summary" item=anyelement symbol=price_gap_items_typed
CREATE FUNCTION price_gap_mix(book pricebook_summary, reference text DEFAULT NULL,
					OUT member_group text, OUT reference text, OUT items bigint,
					OUT rows bigint, OUT reference_rows bigint,
					OUT mean double precision, OUT reference_mean double precision,
					OUT difference double precision, OUT basket_effect double precision,
					OUT price_effect double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_price_gap_mix' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
CREATE FUNCTION price_placebo(book pricebook_summary, reference text DEFAULT NULL, draws integer DEFAULT 200,
					among text DEFAULT 'both', seed bigint DEFAULT 0,
					OUT member_group text, OUT reference text, OUT draws_used bigint,
					OUT premium_pct double precision, OUT t double precision,
					OUT placebo_premium_pct_sd double precision, OUT placebo_t_sd double precision,
					OUT p_value double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_price_placebo' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
-- @template fair_prices book item symbol
CREATE FUNCTION fair_prices({book}, reference text DEFAULT NULL,
					OUT item {item}, OUT period date, OUT fair_price numeric, OUT rows bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 5000;
-- @end
-- @fair_prices book="book pricebook_summary" item=bigint symbol=fair_prices
-- @fair_prices book="item_type anyelement, book pricebook_summary" item=anyelement symbol=fair_prices_typed
CREATE FUNCTION rows_skipped(book pricebook_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_pricebook_summary_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION rows_skipped(book pricebook_summary, reason text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_pricebook_rows_skipped_reason' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION cell_count(book pricebook_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_pricebook_cell_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION price_gaps(pricebook_summary, text, double precision, double precision, integer) IS
	'Does a group pay more for the same thing? One row per other group. reference: the group that the others are compared with; alpha: the significance level, above 0 and below 1; min_premium_pct: the gap that matters, in percent; min_rows: the rows that each side needs. Sales of an item in a period (a cell) are compared if both groups bought there. items, cells: those compared; effective_items: how many items of equal weight tell as much, (sum of w)^2 / sum of w^2; rows, reference_rows: rows in the cells; compared_share: share of the group''s revenue in them; naive_gap_pct: mean price of all rows against the reference''s, in percent, which mixes up baskets and prices; mean_premium_pct: what the group paid in the cells against what its rows would cost at the reference''s mean prices, in percent; premium_pct: how much more the group pays in a cell, in percent, from a regression of ln(price) with item x period fixed effects, so a ratio of geometric means; std_error: of ln(1 + premium_pct / 100), by jackknife over items and, in a book with members, over 32 folds of them (docs/pricebook.md), NULL with one item or if nothing compares without one of the folds; df: its degrees of freedom, one less than effective items or folds; premium_pct_low, premium_pct_high: the interval at level 1 - alpha by Student''s t; premium_p_value: t-test of no premium, two-sided; design_effect: that variance over the one of independent rows, at least 1; z: van Elteren''s stratified rank test over the root of design_effect, and p_value by Student''s t, two-sided; overcharge: money paid above the reference''s median price of each cell; overcharge_net: less what was paid below; items_flagged: as price_gap_items() flags them; verdict: ''not comparable'' (no cell, fewer rows than min_rows on a side, or no std_error), ''unfair'' (p_value and premium_p_value < alpha, z above 0 and premium above min_premium_pct), ''favoured'' (the mirror image), else ''fair''. Formulas: docs/pricebook.md. Errors: 22023 if reference is not a group of the book (the error lists them) or alpha, min_premium_pct or min_rows is out of range; 22004 if one of them is NULL (the error lists the groups if it is reference); 22003 if a sum needs more than 76 digits.';
COMMENT ON FUNCTION price_gap_items(pricebook_summary, text, double precision, double precision, integer) IS
	'Which items does a group pay more for? One row per item (of a book whose items are bigint) and group, if the group and the reference both bought the item in some period. reference: the group that the others are compared with; alpha: the significance level, above 0 and below 1; min_premium_pct: the gap that matters, in percent; min_rows: the rows that each side needs. rows, reference_rows: those in such periods, and mean, reference_mean, median, reference_median of these rows: money; gap_pct: the difference of the means, in percent of the reference''s; hedges_g: the same in standard deviations (NULL if there is none); p_value: van Elteren''s rank test over the item''s periods, two-sided, in a book with members less by how much those differ, and NULL if nothing compares without one of their folds; q_value: p_value corrected for the number of the group''s items (Benjamini and Hochberg 1995); overcharge: money paid above the reference''s median price of each period; is_flagged: q_value < alpha in a test that says dearer, gap above min_premium_pct and at least min_rows on both sides. Errors: 22023 if reference is not a group of the book (the error lists them) or alpha, min_premium_pct or min_rows is out of range; 22004 if one of them is NULL (the error lists the groups if it is reference); 22003 if a sum needs more than 76 digits; 42804 if the items are of another type; then pass the type first.';
COMMENT ON FUNCTION price_gap_items(anyelement, pricebook_summary, text, double precision, double precision, integer) IS
	'The same for a book whose items are bigint or text: price_gap_items(NULL::text, book, ''new''). Only the type of the first argument matters; columns, other arguments and errors are those of price_gap_items(book, reference).';
COMMENT ON FUNCTION price_gap_mix(pricebook_summary, text) IS
	'Why do the mean prices of two groups differ? One row per other group, for the items that both bought, in any periods. reference: the group that the others are compared with. rows, reference_rows: their rows; mean, reference_mean: mean prices; difference = mean - reference_mean = basket_effect (they buy other items) + price_effect (they pay other prices) (Kitagawa 1955). All are in money, but means, so double precision and not exact to the last digit. No common items: NULL. Errors as for price_gaps.';
COMMENT ON FUNCTION price_placebo(pricebook_summary, text, integer, text, bigint) IS
	'How large would the premium be if chance decided who belongs to which group? One row per other group, of a book with members. The folds of the members are dealt into two sides at random, draws times (2 to 100000), and the premium of one side over the other is estimated as by price_gaps(). reference: the group that the others are compared with; among: both deals the members of the group and of the reference together, reference those of the reference alone; seed: another number deals otherwise. draws_used: the deals that had a standard error; premium_pct: the real premium; t: its logarithm over the standard error; placebo_premium_pct_sd, placebo_t_sd: the standard deviations over the deals of 100 times the logarithm and of t; the latter should be about 1, and if it is more, the real t is too large by that factor; p_value: the share of deals, the real one included, whose t is at least as far from 0. Errors: 22023 if the book has no members, reference is not a group of it, or draws or among is out of range; 22004 if an argument is NULL.';
COMMENT ON FUNCTION fair_prices(pricebook_summary, text) IS
	'The price that the reference paid: one row per item (of a book whose items are bigint) and period in which it bought. period is NULL for a book without periods; fair_price: the median of its prices, money; rows: their number. reference: the group that the others are compared with. Errors: 22023 if reference is not a group of the book, 22004 if it is NULL (both list the groups), 42804 if the items are of another type; then pass the type first.';
COMMENT ON FUNCTION fair_prices(anyelement, pricebook_summary, text) IS
	'The same for a book whose items are bigint or text: fair_prices(NULL::text, book, ''new''). Only the type of the first argument matters; columns, other arguments and errors are those of fair_prices(book, reference).';
COMMENT ON FUNCTION rows_skipped(pricebook_summary) IS 'Number of rows left out of the book, for whatever reason.';
COMMENT ON FUNCTION rows_skipped(pricebook_summary, text) IS
	'Number of rows left out of the book for one reason: null (an argument was NULL), price (not above 0), quantity (not above 0). A row counts for the first of these that applies. Errors: 22023 for another reason.';
COMMENT ON FUNCTION cell_count(pricebook_summary) IS
	'Number of cells in the book: each item counts once for every period in which it was sold.';

-- @comparison type=pricebook_summary equality="Books are equal if they hold the same items, groups, prices, counts and quantities, their prices were given with as many decimals, and they skipped as many rows."
