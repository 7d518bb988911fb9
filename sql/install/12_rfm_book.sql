-- rfm_book: every member of an order table summarised in one scan

CREATE TYPE rfm_book;

CREATE FUNCTION rfm_book_in(cstring) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION rfm_book_out(rfm_book) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION rfm_book_recv(internal) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION rfm_book_send(rfm_book) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE TYPE rfm_book (
	INPUT = rfm_book_in,
	OUTPUT = rfm_book_out,
	RECEIVE = rfm_book_recv,
	SEND = rfm_book_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);

COMMENT ON TYPE rfm_book IS 'A summary of every member of an order table: made by rfm_book() in one scan, merged by rollup() and +, read by rfm_members() and rfm_segments(). At most 704 MB, about 17 million members.';
COMMENT ON FUNCTION rfm_book_in(cstring) IS 'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION rfm_book_out(rfm_book) IS 'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION rfm_book_recv(internal) IS 'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION rfm_book_send(rfm_book) IS 'Binary output: the stored bytes (docs/storage-format.md).';

-- Aggregates and the operator +

CREATE FUNCTION rfm_book_step_bigint(rfm_book, bigint, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_bigint_bigint(rfm_book, bigint, bigint, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_bigint_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_bigint_text(rfm_book, bigint, text, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_bigint_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_uuid(rfm_book, uuid, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_uuid_bigint(rfm_book, uuid, bigint, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_uuid_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_uuid_text(rfm_book, uuid, text, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_uuid_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_text(rfm_book, text, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_text_bigint(rfm_book, text, bigint, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_text_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_step_text_text(rfm_book, text, text, timestamptz, numeric) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_step_text_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_combine(rfm_book, rfm_book) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION rfm_book_add(rfm_book, rfm_book) RETURNS rfm_book
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE AGGREGATE rfm_book(member bigint, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_bigint, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member bigint, order_id bigint, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_bigint_bigint, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member bigint, order_id text, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_bigint_text, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member uuid, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_uuid, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member uuid, order_id bigint, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_uuid_bigint, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member uuid, order_id text, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_uuid_text, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member text, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_text, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member text, order_id bigint, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_text_bigint, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_book(member text, order_id text, ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_book_step_text_text, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(rfm_book) (
	SFUNC = rfm_book_combine, STYPE = rfm_book, SSPACE = 65536,
	COMBINEFUNC = rfm_book_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_add, COMMUTATOR = +);

COMMENT ON FUNCTION rfm_book_step_bigint(rfm_book, bigint, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_bigint_bigint(rfm_book, bigint, bigint, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_bigint_text(rfm_book, bigint, text, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_uuid(rfm_book, uuid, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_uuid_bigint(rfm_book, uuid, bigint, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_uuid_text(rfm_book, uuid, text, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_text(rfm_book, text, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_text_bigint(rfm_book, text, bigint, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_step_text_text(rfm_book, text, text, timestamptz, numeric) IS 'Transition function of the aggregate rfm_book.';
COMMENT ON FUNCTION rfm_book_combine(rfm_book, rfm_book) IS 'Combine function of the aggregates rfm_book, transition function of rollup(rfm_book).';
COMMENT ON FUNCTION rfm_book_add(rfm_book, rfm_book) IS 'Implements the operator +.';
COMMENT ON AGGREGATE rfm_book(bigint, timestamptz, numeric) IS
	'Summarises every member of an order table in one scan; one row = one order. member: whose; ordered_at: when; amount: money, below 0 = a refund. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(bigint, bigint, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(bigint, text, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(uuid, timestamptz, numeric) IS
	'Summarises every member of an order table in one scan; one row = one order. member: whose; ordered_at: when; amount: money, below 0 = a refund. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(uuid, bigint, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(uuid, text, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(text, timestamptz, numeric) IS
	'Summarises every member of an order table in one scan; one row = one order. member: whose; ordered_at: when; amount: money, below 0 = a refund. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(text, bigint, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rfm_book(text, text, timestamptz, numeric) IS
	'Summarises every member of a table of order lines in one scan, one row = one line: an order_id counts once per member, as an order if it has a line with an amount of 0 or more, as a refund if it has a line below 0. Order ids are kept in the book, so parts may be merged that share orders. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 and 22008 for amounts and times that are not finite, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rollup(rfm_book) IS
	'Merges books made of different rows of one order table, on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their members or order ids are of different types.';
COMMENT ON OPERATOR + (rfm_book, rfm_book) IS 'Both books as one, as if made of all their rows.';

-- Reading a book

CREATE FUNCTION rfm_members(book rfm_book, as_of timestamptz DEFAULT NULL, bins integer DEFAULT 5,
							OUT member bigint, OUT frequency bigint, OUT monetary numeric,
							OUT first_order timestamptz, OUT last_order timestamptz,
							OUT recency double precision, OUT r integer, OUT f integer, OUT m integer,
							OUT score integer, OUT segment text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_members' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION rfm_members(member_type anyelement, book rfm_book, as_of timestamptz DEFAULT NULL, bins integer DEFAULT 5,
							OUT member anyelement, OUT frequency bigint, OUT monetary numeric,
							OUT first_order timestamptz, OUT last_order timestamptz,
							OUT recency double precision, OUT r integer, OUT f integer, OUT m integer,
							OUT score integer, OUT segment text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_members_typed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION rfm_segments(book rfm_book, as_of timestamptz DEFAULT NULL, bins integer DEFAULT 5,
							 OUT segment text, OUT members bigint, OUT share double precision,
							 OUT revenue numeric, OUT revenue_share double precision,
							 OUT avg_recency double precision, OUT avg_frequency double precision,
							 OUT avg_monetary numeric)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_segments' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000 ROWS 11;
CREATE FUNCTION rfm_cuts(book rfm_book, bins integer DEFAULT 5) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_cuts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;
CREATE FUNCTION rows_skipped(rfm_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(rfm_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION rfm_members(rfm_book, timestamptz, integer) IS
	'One row per member of a book whose members are bigint: frequency (orders), monetary (net total), first and last order, recency (days from the last order to as_of), scores r, f, m from 1 to bins, 555-style score, segment. as_of: NULL = the latest order in the book. A member with refunds only has frequency 0 and NULL from first_order on. Errors: 22023 if an order lies after as_of or bins is not from 2 to 99; 22004 if bins is NULL; 42804 if the members are of another type; then give the type first.';
COMMENT ON FUNCTION rfm_members(anyelement, rfm_book, timestamptz, integer) IS
	'One row per member of a book whose members are bigint, uuid or text: rfm_members(NULL::uuid, book), rfm_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of rfm_members(book).';
COMMENT ON FUNCTION rfm_segments(rfm_book, timestamptz, integer) IS
	'One row per segment that has members: how many, their share of all members, net revenue in money and as a share of all revenue (NULL if that is 0), and averages per member: recency in days, frequency in orders, monetary in money. Members without orders are a last row whose segment is NULL. With other than 5 bins scores are brought to 1 .. 5 first (docs/rfm.md). Arguments and errors as for rfm_members.';
COMMENT ON FUNCTION rfm_cuts(rfm_book, integer) IS
	'The score limits of all members of a book who have orders, for bins scores from 2 to 99; NULL if none has. Errors: 22023; 22004 if bins is NULL.';
COMMENT ON FUNCTION rows_skipped(rfm_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(rfm_book) IS 'Number of members in the book, with or without orders.';

-- Comparison: two books are equal if they say the same, in whatever order they met their members.

CREATE FUNCTION rfm_book_eq(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_ne(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_lt(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_le(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_gt(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_ge(rfm_book, rfm_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_cmp(rfm_book, rfm_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_hash(rfm_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_book_hash_extended(rfm_book, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = rfm_book, RIGHTARG = rfm_book, FUNCTION = rfm_book_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS rfm_book_ops DEFAULT FOR TYPE rfm_book USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 rfm_book_cmp(rfm_book, rfm_book);
CREATE OPERATOR CLASS rfm_book_hash_ops DEFAULT FOR TYPE rfm_book USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 rfm_book_hash(rfm_book),
	FUNCTION 2 rfm_book_hash_extended(rfm_book, bigint);

COMMENT ON FUNCTION rfm_book_eq(rfm_book, rfm_book) IS 'Implements the operator =.';
COMMENT ON FUNCTION rfm_book_ne(rfm_book, rfm_book) IS 'Implements the operator <>.';
COMMENT ON FUNCTION rfm_book_lt(rfm_book, rfm_book) IS 'Implements the operator <.';
COMMENT ON FUNCTION rfm_book_le(rfm_book, rfm_book) IS 'Implements the operator <=.';
COMMENT ON FUNCTION rfm_book_gt(rfm_book, rfm_book) IS 'Implements the operator >.';
COMMENT ON FUNCTION rfm_book_ge(rfm_book, rfm_book) IS 'Implements the operator >=.';
COMMENT ON FUNCTION rfm_book_cmp(rfm_book, rfm_book) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION rfm_book_hash(rfm_book) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION rfm_book_hash_extended(rfm_book, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (rfm_book, rfm_book) IS 'Equal. Books are equal if they hold the same members with the same summaries and skipped as many rows.';
COMMENT ON OPERATOR <> (rfm_book, rfm_book) IS 'Different. Books are equal if they hold the same members with the same summaries and skipped as many rows.';
COMMENT ON OPERATOR < (rfm_book, rfm_book) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (rfm_book, rfm_book) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (rfm_book, rfm_book) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (rfm_book, rfm_book) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS rfm_book_ops USING btree IS 'Sorts rfm_book for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS rfm_book_hash_ops USING hash IS 'Hashes rfm_book for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY rfm_book_ops USING btree IS 'Sorts rfm_book.';
COMMENT ON OPERATOR FAMILY rfm_book_hash_ops USING hash IS 'Hashes rfm_book.';
