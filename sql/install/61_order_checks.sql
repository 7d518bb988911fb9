-- order_checks: whether a table of orders can be counted, and what it would do to the results

-- @stored_type type=check_book

COMMENT ON TYPE check_book IS
	'All rows of a table of orders, packed: made by check_book() in one scan, merged by rollup() and +, read by order_checks(). It holds the ids of members, orders and items. At most 704 MB.';

-- @merge type=check_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(check_book) IS
	'Merges books made of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if some were made with ordered_at of timestamptz and others with a timestamp or a date.';
COMMENT ON OPERATOR + (check_book, check_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- With and without a currency, of points in time, of what clocks show, and of days.
--   suffix: of the transition functions
--   type, when: of ordered_at, and what it says
-- @template check_books_of type when suffix=""
CREATE FUNCTION check_book_step{suffix}(check_book, text, text, text, {type}, numeric, numeric) RETURNS check_book
	AS 'MODULE_PATHNAME', 'custmart_check_book_step{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION check_book_step{suffix}(check_book, text, text, text, {type}, numeric, numeric, text) RETURNS check_book
	AS 'MODULE_PATHNAME', 'custmart_check_book_step{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE check_book(member text, order_id text, item text, ordered_at {type}, quantity numeric, price numeric) (
	SFUNC = check_book_step{suffix}, STYPE = check_book, SSPACE = 65536,
	COMBINEFUNC = check_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE check_book(member text, order_id text, item text, ordered_at {type}, quantity numeric, price numeric, currency text) (
	SFUNC = check_book_step{suffix}, STYPE = check_book, SSPACE = 65536,
	COMBINEFUNC = check_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION check_book_step{suffix}(check_book, text, text, text, {type}, numeric, numeric) IS
	'Transition function of the aggregate check_book.';
COMMENT ON FUNCTION check_book_step{suffix}(check_book, text, text, text, {type}, numeric, numeric, text) IS
	'Transition function of the aggregate check_book.';
COMMENT ON AGGREGATE check_book(text, text, text, {type}, numeric, numeric) IS
	'What order_checks() needs to know of a table of order lines, in one scan; one row = one line. member: who bought; order_id, item: which order, what; ordered_at: {when}; quantity: how much, below 0 = a refund; price: money for one. NULL is data in every argument, and so is an infinite time. No rows: NULL. Errors: 22003 for a quantity or a price that is NaN, infinite or has more than 38 digits before the point or 28 after it; 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE check_book(text, text, text, {type}, numeric, numeric, text) IS
	'The same with the currency of each price, which two rows must share to be equal.';

-- @end

-- @check_books_of type=timestamptz when="when"
-- @check_books_of type=timestamp suffix=_timestamp when="when, by the clocks of the shop; no time zone changes it"
-- @check_books_of type=date suffix=_date when="on which day; no time zone changes it"

-- Reading a book

-- The time as_of is given as a point in time or by the clocks of the time zone.  A bare literal is text.
--   suffix: of the C functions
--   type, when: of as_of, and what it says
-- @template order_checks_as_of type when default="" suffix="" volatility=IMMUTABLE
CREATE FUNCTION order_checks(book check_book, as_of {type}{default}, timezone text DEFAULT 'UTC', columns text[] DEFAULT NULL,
					OUT check_name text, OUT severity text, OUT rows bigint, OUT share double precision,
					OUT amount numeric, OUT amount_share double precision, OUT members bigint,
					OUT example text, OUT effect text, OUT filter text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_order_checks{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 10000 ROWS 21;
COMMENT ON FUNCTION order_checks(check_book, {type}, text, text[]) IS
	'Can this table of orders be counted? Always one row for each of 21 checks. as_of: {when}; later rows are found by after_as_of, NULL: none is later; timezone: whose calendar counts, a full name such as Europe/Berlin or a POSIX rule (times given to check_book as timestamp or date are taken as they are); columns: names of the columns for the filters, in the order of the arguments of check_book, with that of the currency if rows have one. check_name: which check; severity: ok (no rows), info (a fact), warning, error (5 % of the rows or of the money, or a check where one row is too much); rows: how many rows it concerns, of gap days; share: the same divided by all rows, of gap by the days on which the shop is open; amount: money (quantity x price) of these rows; amount_share: the same divided by the money of all rows, NULL if that is 0; members: how many members; example: an order, the one with most money, of gap the longest; effect: what it does to results; filter: SQL that is true for all other rows, NULL if there are none, or too many to list. Errors: 22023 for an unknown time zone or a wrong number of columns (6, or 7 with the currency, which must be there if rows have one), 22004 if timezone or one of the columns is NULL, 22008 if as_of is infinite, 22003 for a sum that no decimal of 256 bits holds.';

-- @end

-- @order_checks_as_of type=timestamptz default=" DEFAULT NULL" when="a point in time"
-- @order_checks_as_of type=timestamp suffix=_timestamp when="what the clocks of timezone show"
-- @order_checks_as_of type=date suffix=_date when="the start of that day in timezone"
-- @order_checks_as_of type=text suffix=_text volatility=STABLE when="what the clocks of timezone show, unless a zone, or a time of day with its offset, is named"

-- @comparison type=check_book equality="Books are equal if they hold the same rows, each as often, and prices and quantities were given with as many decimals."
