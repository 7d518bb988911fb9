-- preference: what members like

-- @stored_type type=preference_book

COMMENT ON TYPE preference_book IS
	'How often, and for how much, every member of a table bought of every category. Made by preference_book() in one scan, merged by rollup() and +, read by member_preferences(). At most 704 MB, about 100 million pairs of member and category. docs/storage-format.md.';

-- @merge type=preference_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(preference_book) IS
	'Merges books of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if the type of the members differs, 54000 for a book over 704 MB.';
COMMENT ON OPERATOR + (preference_book, preference_book) IS 'Both books as one, as if made of all their rows.';

-- @each member bigint uuid text
CREATE FUNCTION preference_book_step_{member}(preference_book, {member}, text, numeric) RETURNS preference_book
	AS 'MODULE_PATHNAME', 'custmart_preference_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE preference_book(member {member}, category text, amount numeric) (
	SFUNC = preference_book_step_{member}, STYPE = preference_book, SSPACE = 65536,
	COMBINEFUNC = preference_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION preference_book_step_{member}(preference_book, {member}, text, numeric) IS
	'Transition function of the aggregate preference_book.';
COMMENT ON AGGREGATE preference_book({member}, text, numeric) IS
	'What every member bought of every category; one row = one purchase. member: who; category: of what, compared by bytes; amount: money, below 0 for a refund, which lowers the total and is no purchase. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 22003 for an amount that is NaN, infinite or has more than 38 digits before or 28 after the point; 54000 for a book over 704 MB.';

-- @end

-- @template member_preferences book member symbol
CREATE FUNCTION member_preferences({book}, min_rows integer DEFAULT 3, prior_weight double precision DEFAULT 5,
								   OUT member {member}, OUT n bigint, OUT amount numeric, OUT categories bigint,
								   OUT top_category text, OUT top_share double precision, OUT entropy double precision,
								   OUT hhi double precision, OUT effective double precision,
								   OUT distinctive text, OUT distinctive_index double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @member_preferences book="book preference_book" member=bigint symbol=member_preferences
-- @member_preferences book="member_type anyelement, book preference_book" member=anyelement symbol=member_preferences_typed
CREATE FUNCTION rows_skipped(book preference_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_preference_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book preference_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_preference_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION member_preferences(preference_book, integer, double precision) IS
	'What each member of a book whose members are bigint likes: purchases (n), their net total in money (amount), the number of categories with purchases, the one with most (top_category, NULL if several have as many) and its share of the purchases, entropy of the shares in nats (Shannon 1948), hhi, the sum of their squares (Herfindahl and Hirschman), effective, e^entropy, and the distinctive category: of those with at least min_rows purchases the one of the greatest index (n_c + prior_weight q_c) / (n + prior_weight) / q_c, how many times as often as everybody they buy it, q_c being its share of all purchases of the book; NULL if there is none or several have the same. prior_weight: with how many purchases like everybody''s each member is credited, 0 or more. A member with only refunds has n 0 and NULLs. Errors: 22023 for min_rows below 1 or a prior_weight that is negative or infinite; 22004 for NULL; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION member_preferences(anyelement, preference_book, integer, double precision) IS
	'The same for members that are bigint, uuid or text: member_preferences(NULL::uuid, book). Only the type of the first argument matters; columns, other arguments and errors are those of member_preferences(book).';
COMMENT ON FUNCTION rows_skipped(preference_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(preference_book) IS 'Number of members in the book, with or without purchases.';

-- @comparison type=preference_book equality="Books are equal if they hold the same members with the same purchases and totals and skipped as many rows."
