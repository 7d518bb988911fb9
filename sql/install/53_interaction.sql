-- interaction: whether members come of their own wish, because they were induced, because they must

-- One member: the aggregate interaction_stage

CREATE FUNCTION interaction_stage_step(bytea, text, timestamptz, timestamptz) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_interaction_stage_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_stage_step(bytea, text, timestamptz, timestamptz, interval, integer, double precision) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_interaction_stage_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_stage_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_interaction_stage_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_stage_final(bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_interaction_stage_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE interaction_stage(kind text, occurred_at timestamptz, as_of timestamptz) (
	SFUNC = interaction_stage_step, STYPE = bytea, SSPACE = 64, FINALFUNC = interaction_stage_final,
	COMBINEFUNC = interaction_stage_combine, PARALLEL = SAFE
);
CREATE AGGREGATE interaction_stage(kind text, occurred_at timestamptz, as_of timestamptz,
								   span interval, k integer, theta double precision) (
	SFUNC = interaction_stage_step, STYPE = bytea, SSPACE = 64, FINALFUNC = interaction_stage_final,
	COMBINEFUNC = interaction_stage_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION interaction_stage_step(bytea, text, timestamptz, timestamptz) IS
	'Transition function of the aggregate interaction_stage.';
COMMENT ON FUNCTION interaction_stage_step(bytea, text, timestamptz, timestamptz, interval, integer, double precision) IS
	'Transition function of the aggregate interaction_stage.';
COMMENT ON FUNCTION interaction_stage_combine(bytea, bytea) IS 'Combine function of the aggregates interaction_stage.';
COMMENT ON FUNCTION interaction_stage_final(bytea) IS 'Final function of the aggregates interaction_stage.';
COMMENT ON AGGREGATE interaction_stage(text, timestamptz, timestamptz) IS
	'The stage of one member, from its interactions of the 180 days up to as_of; one row = one interaction. kind: obliged (the member had to: after-sales, a bundled channel), induced (a coupon or contact came first) or own (its own wish: an order without a push, a review, a referral); occurred_at: when; as_of: the moment that is asked about. sticky if 2 or more are own and they are half of all or more; else induced if any is induced or own; else forced if there is any; else dormant. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for another kind, an interaction after as_of or an as_of that is not the same in all rows, 22008 for infinite times.';
COMMENT ON AGGREGATE interaction_stage(text, timestamptz, timestamptz, interval, integer, double precision) IS
	'The stage of one member, from its interactions with as_of - span < occurred_at <= as_of: sticky if own >= k and own / all >= theta; else induced if any is induced or own; else forced if there is any; else dormant. span: days and time, above 0, a day being 24 hours; k: 1 or more; theta: 0 to 1; all as as_of the same in all rows. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for another kind, an interaction after as_of, parameters out of range or not the same in all rows, 22008 for infinite times.';

-- All members: interaction_book

CREATE TYPE interaction_book;

CREATE FUNCTION interaction_book_in(cstring) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION interaction_book_out(interaction_book) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION interaction_book_recv(internal) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION interaction_book_send(interaction_book) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE TYPE interaction_book (
	INPUT = interaction_book_in,
	OUTPUT = interaction_book_out,
	RECEIVE = interaction_book_recv,
	SEND = interaction_book_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);

COMMENT ON TYPE interaction_book IS
	'The interactions of every member, each with its time and whether it was obliged, induced or own: made by interaction_book() in one scan, merged by rollup() and +, read by interaction_stages(), interaction_members() and interaction_transitions(), as of any moment. At most 704 MB.';
COMMENT ON FUNCTION interaction_book_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION interaction_book_out(interaction_book) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION interaction_book_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION interaction_book_send(interaction_book) IS
	'Binary output: the stored bytes (docs/storage-format.md).';

-- Aggregates and the operator +

CREATE FUNCTION interaction_book_step_bigint(interaction_book, bigint, text, timestamptz) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_step_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_step_uuid(interaction_book, uuid, text, timestamptz) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_step_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_step_text(interaction_book, text, text, timestamptz) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_step_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_combine(interaction_book, interaction_book) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION interaction_book_add(interaction_book, interaction_book) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE AGGREGATE interaction_book(member bigint, kind text, occurred_at timestamptz) (
	SFUNC = interaction_book_step_bigint, STYPE = interaction_book, SSPACE = 65536,
	COMBINEFUNC = interaction_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE interaction_book(member uuid, kind text, occurred_at timestamptz) (
	SFUNC = interaction_book_step_uuid, STYPE = interaction_book, SSPACE = 65536,
	COMBINEFUNC = interaction_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE interaction_book(member text, kind text, occurred_at timestamptz) (
	SFUNC = interaction_book_step_text, STYPE = interaction_book, SSPACE = 65536,
	COMBINEFUNC = interaction_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(interaction_book) (
	SFUNC = interaction_book_combine, STYPE = interaction_book, SSPACE = 65536,
	COMBINEFUNC = interaction_book_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_add, COMMUTATOR = +);

COMMENT ON FUNCTION interaction_book_step_bigint(interaction_book, bigint, text, timestamptz) IS 'Transition function of the aggregate interaction_book.';
COMMENT ON FUNCTION interaction_book_step_uuid(interaction_book, uuid, text, timestamptz) IS 'Transition function of the aggregate interaction_book.';
COMMENT ON FUNCTION interaction_book_step_text(interaction_book, text, text, timestamptz) IS 'Transition function of the aggregate interaction_book.';
COMMENT ON FUNCTION interaction_book_combine(interaction_book, interaction_book) IS
	'Combine function of the aggregates interaction_book, transition function of rollup(interaction_book).';
COMMENT ON FUNCTION interaction_book_add(interaction_book, interaction_book) IS 'Implements the operator +.';
COMMENT ON AGGREGATE interaction_book(bigint, text, timestamptz) IS
	'The interactions of every member in one scan; one row = one interaction. member: whose; kind: obliged (the member had to), induced (a coupon or contact came first) or own (its own wish); occurred_at: when. Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 for another kind, 22008 for infinite times, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE interaction_book(uuid, text, timestamptz) IS
	'The interactions of every member in one scan; one row = one interaction. member: whose; kind: obliged (the member had to), induced (a coupon or contact came first) or own (its own wish); occurred_at: when. Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 for another kind, 22008 for infinite times, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE interaction_book(text, text, timestamptz) IS
	'The interactions of every member in one scan; one row = one interaction. member: whose; kind: obliged (the member had to), induced (a coupon or contact came first) or own (its own wish); occurred_at: when. Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 for another kind, 22008 for infinite times, 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rollup(interaction_book) IS
	'Merges books made of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their members are of different types.';
COMMENT ON OPERATOR + (interaction_book, interaction_book) IS 'Both books as one, as if made of all their rows.';

-- Reading a book

CREATE FUNCTION interaction_stages(book interaction_book, as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', k integer DEFAULT 2,
					theta double precision DEFAULT 0.5,
					OUT stage text, OUT members bigint, OUT share double precision,
					OUT obliged bigint, OUT induced bigint, OUT own bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_stages' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 4;
CREATE FUNCTION interaction_members(book interaction_book, as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', k integer DEFAULT 2,
					theta double precision DEFAULT 0.5,
					OUT member bigint, OUT stage text, OUT obliged bigint, OUT induced bigint, OUT own bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_members' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION interaction_members(member_type anyelement, book interaction_book, as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', k integer DEFAULT 2,
					theta double precision DEFAULT 0.5,
					OUT member anyelement, OUT stage text, OUT obliged bigint, OUT induced bigint, OUT own bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_members_typed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION interaction_transitions(book interaction_book, from_as_of timestamptz, to_as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', k integer DEFAULT 2,
					theta double precision DEFAULT 0.5,
					OUT from_stage text, OUT to_stage text, OUT members bigint, OUT share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_transitions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 20;
CREATE FUNCTION rows_skipped(interaction_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(interaction_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION interaction_stages(interaction_book, timestamptz, interval, integer, double precision) IS
	'How many members are in which stage? Always four rows: sticky, induced, forced, dormant. members; share: of all members of the book, NULL if it has none; obliged, induced, own: their interactions with as_of - span < occurred_at <= as_of. A member is sticky if own >= k and own / all >= theta; else induced if any is induced or own; else forced if there is any; else dormant. as_of: NULL = the latest interaction in the book; span: days and time, above 0, a day being 24 hours; k: 1 or more; theta: 0 to 1. Errors: 22023 for an interaction after as_of or parameters out of range, 22004 if span, k or theta is NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION interaction_members(interaction_book, timestamptz, interval, integer, double precision) IS
	'One row per member of a book whose members are bigint: its stage, and how many of its interactions in the span were obliged, induced and own. Stages, arguments and errors as for interaction_stages; 42804 if the members are of another type; then give the type first.';
COMMENT ON FUNCTION interaction_members(anyelement, interaction_book, timestamptz, interval, integer, double precision) IS
	'One row per member of a book whose members are bigint, uuid or text: interaction_members(NULL::uuid, book), interaction_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of interaction_members(book).';
COMMENT ON FUNCTION interaction_transitions(interaction_book, timestamptz, timestamptz, interval, integer, double precision) IS
	'Who moved between the stages? How many members were in from_stage as of from_as_of and in to_stage as of to_as_of. Always 20 rows, in the order of the stages; from_stage is NULL for members without any interaction up to from_as_of, who are new. share: of the members of from_stage, NULL if it has none. to_as_of: NULL = the latest interaction in the book. The members of all rows are all members of the book. Other arguments and errors as for interaction_stages; 22023 if from_as_of is not before to_as_of, 22004 if it is NULL.';
COMMENT ON FUNCTION rows_skipped(interaction_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(interaction_book) IS 'Number of members in the book.';

-- Comparison

CREATE FUNCTION interaction_book_eq(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_ne(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_lt(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_le(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_gt(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_ge(interaction_book, interaction_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_cmp(interaction_book, interaction_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_hash(interaction_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION interaction_book_hash_extended(interaction_book, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = interaction_book, RIGHTARG = interaction_book, FUNCTION = interaction_book_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS interaction_book_ops DEFAULT FOR TYPE interaction_book USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 interaction_book_cmp(interaction_book, interaction_book);
CREATE OPERATOR CLASS interaction_book_hash_ops DEFAULT FOR TYPE interaction_book USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 interaction_book_hash(interaction_book),
	FUNCTION 2 interaction_book_hash_extended(interaction_book, bigint);

COMMENT ON FUNCTION interaction_book_eq(interaction_book, interaction_book) IS 'Implements the operator =.';
COMMENT ON FUNCTION interaction_book_ne(interaction_book, interaction_book) IS 'Implements the operator <>.';
COMMENT ON FUNCTION interaction_book_lt(interaction_book, interaction_book) IS 'Implements the operator <.';
COMMENT ON FUNCTION interaction_book_le(interaction_book, interaction_book) IS 'Implements the operator <=.';
COMMENT ON FUNCTION interaction_book_gt(interaction_book, interaction_book) IS 'Implements the operator >.';
COMMENT ON FUNCTION interaction_book_ge(interaction_book, interaction_book) IS 'Implements the operator >=.';
COMMENT ON FUNCTION interaction_book_cmp(interaction_book, interaction_book) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION interaction_book_hash(interaction_book) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION interaction_book_hash_extended(interaction_book, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (interaction_book, interaction_book) IS 'Equal. Books are equal if they hold the same members with the same interactions and skipped as many rows.';
COMMENT ON OPERATOR <> (interaction_book, interaction_book) IS 'Different. Books are equal if they hold the same members with the same interactions and skipped as many rows.';
COMMENT ON OPERATOR < (interaction_book, interaction_book) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (interaction_book, interaction_book) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (interaction_book, interaction_book) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (interaction_book, interaction_book) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS interaction_book_ops USING btree IS 'Sorts interaction_book for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS interaction_book_hash_ops USING hash IS 'Hashes interaction_book for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY interaction_book_ops USING btree IS 'Sorts interaction_book.';
COMMENT ON OPERATOR FAMILY interaction_book_hash_ops USING hash IS 'Hashes interaction_book.';
