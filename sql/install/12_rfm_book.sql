-- rfm_book: every member of an order table summarised in one scan

-- @stored_type type=rfm_book

COMMENT ON TYPE rfm_book IS 'A summary of every member of an order table: made by rfm_book() in one scan, merged by rollup() and +, read by rfm_members() and rfm_segments(). At most 704 MB, about 35 million members.';

-- @merge type=rfm_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(rfm_book) IS
	'Merges books made of different rows of one order table, on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their members or order ids are of different types.';
COMMENT ON OPERATOR + (rfm_book, rfm_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- @each member bigint uuid text
CREATE FUNCTION rfm_book_step_{member}(rfm_book, {member}, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE rfm_book(member {member}, occurred_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_{member}, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION rfm_book_step_{member}(rfm_book, {member}, timestamptz, numeric) IS
	'Transition function of the aggregate rfm_book.';
COMMENT ON AGGREGATE rfm_book({member}, timestamptz, numeric) IS
	'Summarises every member of an order table in one scan; one row = one order. member: whose; occurred_at: when (a timestamp or a date is taken in the time zone of the session); amount: money, below 0 = a refund. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';

-- @each order_id bigint uuid text
CREATE FUNCTION rfm_book_step_{member}_{order_id}(rfm_book, {member}, {order_id}, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_{member}_{order_id}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE rfm_book(member {member}, order_id {order_id}, occurred_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_{member}_{order_id}, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION rfm_book_step_{member}_{order_id}(rfm_book, {member}, {order_id}, timestamptz, numeric) IS
	'Transition function of the aggregate rfm_book.';
COMMENT ON AGGREGATE rfm_book({member}, {order_id}, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';

-- @end
CREATE FUNCTION rfm_book_step_{member}_summary(rfm_book, {member}, rfm_summary) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_{member}_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE rfm_book(member {member}, summary rfm_summary) (
	SFUNC = rfm_book_step_{member}_summary, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION rfm_book_step_{member}_summary(rfm_book, {member}, rfm_summary) IS
	'Transition function of the aggregate rfm_book.';
COMMENT ON AGGREGATE rfm_book({member}, rfm_summary) IS
	'A book of summaries that are already there, one row = one summary, of which a member may have many: all are merged. It is as if made of all their orders, but for the latest row: of refunds it is not known when they were, so it is the latest order. Rows with NULL are skipped and counted (rows_skipped). Errors: 54000 for more than 4294967295 orders of a member or a book over 704 MB.';

-- @end

-- Reading a book

-- The limits are the last argument.  With rfm_members(book, cuts) beside rfm_members(book, as_of), it could
-- not be told which of them the literal in rfm_members(book, '2026-01-01') is for.
-- @template rfm_members book member symbol
CREATE FUNCTION rfm_members({book}, as_of timestamptz DEFAULT NULL, bins integer DEFAULT NULL, cuts rfm_cuts DEFAULT NULL,
							segments text[] DEFAULT NULL,
							OUT member {member}, OUT frequency bigint, OUT refunds bigint, OUT monetary numeric,
							OUT first_order timestamptz, OUT last_order timestamptz,
							OUT recency double precision, OUT recency_score integer, OUT frequency_score integer,
							OUT monetary_score integer, OUT score integer, OUT segment text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @rfm_members book="book rfm_book" member=bigint symbol=rfm_members
-- @rfm_members book="member_type anyelement, book rfm_book" member=anyelement symbol=rfm_members_typed
CREATE FUNCTION rfm_segments(book rfm_book, as_of timestamptz DEFAULT NULL, bins integer DEFAULT NULL, cuts rfm_cuts DEFAULT NULL,
							 segments text[] DEFAULT NULL,
							 OUT segment text, OUT members bigint, OUT share double precision,
							 OUT monetary numeric, OUT monetary_share double precision,
							 OUT avg_recency double precision, OUT avg_frequency double precision,
							 OUT avg_monetary numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_segments' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 11;
CREATE FUNCTION rfm_transitions(from_book rfm_book, to_book rfm_book, from_as_of timestamptz DEFAULT NULL, to_as_of timestamptz DEFAULT NULL,
								bins integer DEFAULT NULL, from_cuts rfm_cuts DEFAULT NULL, to_cuts rfm_cuts DEFAULT NULL,
								same_cuts boolean DEFAULT false, segments text[] DEFAULT NULL,
								OUT from_segment text, OUT to_segment text, OUT members bigint, OUT share double precision,
								OUT from_monetary numeric, OUT to_monetary numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_transitions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200 ROWS 100;
-- @each member bigint uuid text
CREATE FUNCTION rfm_member(book rfm_book, member {member}) RETURNS rfm_summary
	AS 'MODULE_PATHNAME', 'custmart_rfm_member_{member}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION rfm_member(rfm_book, {member}) IS
	'The summary of one member of a book, as rfm() makes it of their orders; NULL if the member is not in the book. Errors: 42804 if the members of the book are of another type.';
-- @end
CREATE FUNCTION rfm_cuts(book rfm_book, bins integer DEFAULT 5) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_cuts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;
CREATE FUNCTION rfm_cuts_per_order(book rfm_book, bins integer DEFAULT 5) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_cuts_per_order' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;
CREATE FUNCTION rows_skipped(book rfm_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book rfm_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION rfm_members(rfm_book, timestamptz, integer, rfm_cuts, text[]) IS
	'One row per member of a book whose members are bigint: frequency (orders), refunds, monetary (net total), first and last order, recency (days from the last order to as_of), the three scores from 1 to bins, 555-style score, segment. as_of: NULL = the latest row in the book, which may be a refund. bins: number of scores, NULL = those of cuts, or 5. cuts: the limits between scores, NULL = those of the members in the book. segments: a name for each score, as pairs, ARRAY(SELECT ARRAY[score::text, segment] FROM ...), NULL = the eleven of docs/rfm.md. A member with only refunds has frequency 0 and NULL from first_order on. Errors: 22023 if a row, an order or a refund, lies after as_of, bins is not from 2 to 99, or cuts are for another number of bins, or if segments has a score twice, not at all, NULL, or one that is none; 54000 for more than 1000 segments; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION rfm_members(anyelement, rfm_book, timestamptz, integer, rfm_cuts, text[]) IS
	'One row per member of a book whose members are bigint, uuid or text: rfm_members(NULL::uuid, book), rfm_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of rfm_members(book).';
COMMENT ON FUNCTION rfm_segments(rfm_book, timestamptz, integer, rfm_cuts, text[]) IS
	'One row per segment that has members: how many, their share of all members, their net total in money and as a share of that of all members (NULL if that is 0), and averages per member: recency in days, frequency in orders, monetary in money. Members without orders are a last row whose segment is NULL. With a number of bins other than 5, scores are mapped to 1 .. 5 first (docs/rfm.md). Rows are in the order of the segments: of one''s own, that in which their names first stand in the argument segments. Arguments and errors as for rfm_members.';
COMMENT ON FUNCTION rfm_cuts(rfm_book, integer) IS
	'The score limits of all members of a book who have orders, for bins scores from 2 to 99; NULL if none has. Errors: 22023; 22004 if bins is NULL.';
COMMENT ON FUNCTION rfm_cuts_per_order(rfm_book, integer) IS
	'The same limits as rfm_cuts(book, bins), but of monetary those of the mean value of an order, monetary / frequency. As the argument cuts of a report they make that mean the M of its scores. Errors: those of rfm_cuts.';
COMMENT ON FUNCTION rfm_transitions(rfm_book, rfm_book, timestamptz, timestamptz, integer, rfm_cuts, rfm_cuts, boolean, text[]) IS
	'Who moved between two books of the same shop, or between two sets of limits: one row per pair of segments that members went from and to, with their number, their share of the members of from_segment, and their net total in either book, in money. NULL is no segment: not in the book, or without an order. from_as_of, to_as_of: NULL = the latest row of the book. bins: number of scores of both, NULL = those of the limits, or 5. from_cuts, to_cuts: limits of either book, NULL = those of its members. same_cuts: to_book is scored by the limits of from_book, those of recency moved on with as_of, so that they are as many days from it. segments: as for rfm_members. A NULL book gives no rows. Errors: 22023 as for rfm_members, if from_as_of is after to_as_of, limits are for different numbers of bins, same_cuts is true and to_cuts given, or from_book has nobody to take limits from; 22004 if same_cuts is NULL; 42804 if the members are of different types; 54000 for more than 1000 segments.';
COMMENT ON FUNCTION rows_skipped(rfm_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(rfm_book) IS 'Number of members in the book, with or without orders.';

-- @comparison type=rfm_book equality="Books are equal if they hold the same members with the same summaries and skipped as many rows."
