-- funnel: how far one member came through the steps of a funnel, and when

CREATE TYPE funnel;

CREATE FUNCTION funnel_in(cstring) RETURNS funnel
	AS 'MODULE_PATHNAME', 'custmart_funnel_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION funnel_out(funnel) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_funnel_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION funnel_recv(internal) RETURNS funnel
	AS 'MODULE_PATHNAME', 'custmart_funnel_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION funnel_send(funnel) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE funnel (
	INPUT = funnel_in,
	OUTPUT = funnel_out,
	RECEIVE = funnel_recv,
	SEND = funnel_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON FUNCTION funnel_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION funnel_out(funnel) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION funnel_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION funnel_send(funnel) IS
	'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE funnel IS
	'One member''s rows for a funnel: when each was and which steps it meets. Made by the aggregate funnel(within, occurred_at, steps), merged by rollup() and +, read by level(), step_times() and step_durations(), which choose the mode. 12 bytes and 2 to 15, mostly 5 to 8, for each row; at most 704 MB. docs/storage-format.md.';

-- Aggregates and the operator +

CREATE FUNCTION funnel_step(funnel, interval, timestamptz, boolean[]) RETURNS funnel
	AS 'MODULE_PATHNAME', 'custmart_funnel_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_combine(funnel, funnel) RETURNS funnel
	AS 'MODULE_PATHNAME', 'custmart_funnel_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION funnel_add(funnel, funnel) RETURNS funnel
	AS 'MODULE_PATHNAME', 'custmart_funnel_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE AGGREGATE funnel(within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_step, STYPE = funnel, SSPACE = 512,
	COMBINEFUNC = funnel_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(funnel) (
	SFUNC = funnel_combine, STYPE = funnel, SSPACE = 512,
	COMBINEFUNC = funnel_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_add, COMMUTATOR = +);

COMMENT ON FUNCTION funnel_step(funnel, interval, timestamptz, boolean[]) IS 'Transition function of the aggregate funnel.';
COMMENT ON FUNCTION funnel_combine(funnel, funnel) IS 'Combine function of the aggregate funnel, transition function of rollup(funnel).';
COMMENT ON FUNCTION funnel_add(funnel, funnel) IS 'Implements the operator +.';
COMMENT ON AGGREGATE funnel(interval, timestamptz, boolean[]) IS
	'One member''s way through a funnel; one row = one event. within: the longest time from the first step of a chain to its last, in days and time, a day being 24 hours; occurred_at: when; steps: 1 to 32 conditions in the order of the funnel, whether the row meets the step, NULL being false. Rows that meet no step are kept, too, for strict_order needs them. A row with NULL in within, occurred_at or the whole of steps is skipped; no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a value over 704 MB.';
COMMENT ON AGGREGATE rollup(funnel) IS
	'Merges the rows of one member from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if within or the number of steps differs.';
COMMENT ON OPERATOR + (funnel, funnel) IS 'Both as one, as if made of all their rows.';

-- Accessors

CREATE FUNCTION level(funnel funnel, mode text DEFAULT 'strict_once') RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_funnel_level' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION step_times(funnel funnel, mode text DEFAULT 'strict_once') RETURNS timestamptz[]
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_times' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION step_durations(funnel funnel, mode text DEFAULT 'strict_once') RETURNS interval[]
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_durations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION level(funnel, text) IS
	'How many steps the member reached: the most of all chains of rows that meet step 1, 2 ... one after the other or at the same time, the last one not later than within after the first; 0 = not even step 1. mode: what restricts a chain of steps, one name or several separated by commas: strict_once (a row counts for one step at most), clickhouse (no restriction: a row may meet several steps), strict_order (a row that meets no step reached so far, where the chain does not advance, breaks it), strict_deduplication (a repeat of a step reached ends it), strict_increase (times of steps increase strictly). Errors: 22023 if mode is none of these, or clickhouse beside another one. Definition: docs/funnel.md.';
COMMENT ON FUNCTION step_times(funnel, text) IS
	'When the steps were reached, in the chain that reaches most steps, of several the one that begins last, each step as early as the chain can have it: one time for each step reached, an empty array at level 0. Arguments and errors as for level().';
COMMENT ON FUNCTION step_durations(funnel, text) IS
	'How long it took from each step reached to the next, of the times that step_times() gives: an array shorter by one, empty at level 0 and 1. Arguments and errors as for level().';

CREATE FUNCTION funnel_eq(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_ne(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_lt(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_le(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_gt(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_ge(funnel, funnel) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_cmp(funnel, funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_hash(funnel) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_hash_extended(funnel, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = funnel, RIGHTARG = funnel, FUNCTION = funnel_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS funnel_ops DEFAULT FOR TYPE funnel USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 funnel_cmp(funnel, funnel);
CREATE OPERATOR CLASS funnel_hash_ops DEFAULT FOR TYPE funnel USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 funnel_hash(funnel),
	FUNCTION 2 funnel_hash_extended(funnel, bigint);

COMMENT ON FUNCTION funnel_eq(funnel, funnel) IS 'Implements the operator =.';
COMMENT ON FUNCTION funnel_ne(funnel, funnel) IS 'Implements the operator <>.';
COMMENT ON FUNCTION funnel_lt(funnel, funnel) IS 'Implements the operator <.';
COMMENT ON FUNCTION funnel_le(funnel, funnel) IS 'Implements the operator <=.';
COMMENT ON FUNCTION funnel_gt(funnel, funnel) IS 'Implements the operator >.';
COMMENT ON FUNCTION funnel_ge(funnel, funnel) IS 'Implements the operator >=.';
COMMENT ON FUNCTION funnel_cmp(funnel, funnel) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION funnel_hash(funnel) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION funnel_hash_extended(funnel, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (funnel, funnel) IS 'Equal. Values are equal if they hold the same rows, window and number of steps.';
COMMENT ON OPERATOR <> (funnel, funnel) IS 'Different. Values are equal if they hold the same rows, window and number of steps.';
COMMENT ON OPERATOR < (funnel, funnel) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (funnel, funnel) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (funnel, funnel) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (funnel, funnel) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS funnel_ops USING btree IS 'Sorts funnel for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS funnel_hash_ops USING hash IS 'Hashes funnel for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY funnel_ops USING btree IS 'Sorts funnel.';
COMMENT ON OPERATOR FAMILY funnel_hash_ops USING hash IS 'Hashes funnel.';

-- funnel_book: the funnel of every member of a table

CREATE TYPE funnel_book;

CREATE FUNCTION funnel_book_in(cstring) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION funnel_book_out(funnel_book) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION funnel_book_recv(internal) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
CREATE FUNCTION funnel_book_send(funnel_book) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE TYPE funnel_book (
	INPUT = funnel_book_in,
	OUTPUT = funnel_book_out,
	RECEIVE = funnel_book_recv,
	SEND = funnel_book_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);

COMMENT ON FUNCTION funnel_book_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION funnel_book_out(funnel_book) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION funnel_book_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION funnel_book_send(funnel_book) IS
	'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE funnel_book IS
	'The funnel of every member of a table, made by funnel_book() in one scan, merged by rollup() and +, read by funnel_steps() and funnel_members(), which choose the mode. At most 704 MB, about 90 million rows. docs/storage-format.md.';

-- Aggregates and the operator +

CREATE FUNCTION funnel_book_step_bigint(funnel_book, bigint, interval, timestamptz, boolean[]) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_step_uuid(funnel_book, uuid, interval, timestamptz, boolean[]) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_step_text(funnel_book, text, interval, timestamptz, boolean[]) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_text' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_combine(funnel_book, funnel_book) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION funnel_book_add(funnel_book, funnel_book) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE AGGREGATE funnel_book(member bigint, within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_book_step_bigint, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE funnel_book(member uuid, within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_book_step_uuid, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE funnel_book(member text, within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_book_step_text, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(funnel_book) (
	SFUNC = funnel_book_combine, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_add, COMMUTATOR = +);

COMMENT ON FUNCTION funnel_book_step_bigint(funnel_book, bigint, interval, timestamptz, boolean[]) IS 'Transition function of the aggregate funnel_book.';
COMMENT ON FUNCTION funnel_book_step_uuid(funnel_book, uuid, interval, timestamptz, boolean[]) IS 'Transition function of the aggregate funnel_book.';
COMMENT ON FUNCTION funnel_book_step_text(funnel_book, text, interval, timestamptz, boolean[]) IS 'Transition function of the aggregate funnel_book.';
COMMENT ON FUNCTION funnel_book_combine(funnel_book, funnel_book) IS 'Combine function of the aggregates funnel_book, transition function of rollup(funnel_book).';
COMMENT ON FUNCTION funnel_book_add(funnel_book, funnel_book) IS 'Implements the operator +.';
COMMENT ON AGGREGATE funnel_book(bigint, interval, timestamptz, boolean[]) IS
	'The way of every member through a funnel, in one scan; one row = one event. member: whose; within: the longest time from the first step of a chain to its last, in days and time, a day being 24 hours; occurred_at: when; steps: 1 to 32 conditions in the order of the funnel, whether the row meets the step, NULL being false. Rows that meet no step are kept, too, for strict_order needs them. A row with NULL in member, within, occurred_at or the whole of steps is skipped and counted (rows_skipped); no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE funnel_book(uuid, interval, timestamptz, boolean[]) IS
	'The way of every member through a funnel, in one scan; one row = one event. member: whose; within: the longest time from the first step of a chain to its last, in days and time, a day being 24 hours; occurred_at: when; steps: 1 to 32 conditions in the order of the funnel, whether the row meets the step, NULL being false. Rows that meet no step are kept, too, for strict_order needs them. A row with NULL in member, within, occurred_at or the whole of steps is skipped and counted (rows_skipped); no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE funnel_book(text, interval, timestamptz, boolean[]) IS
	'The way of every member through a funnel, in one scan; one row = one event. member: whose; within: the longest time from the first step of a chain to its last, in days and time, a day being 24 hours; occurred_at: when; steps: 1 to 32 conditions in the order of the funnel, whether the row meets the step, NULL being false. Rows that meet no step are kept, too, for strict_order needs them. A row with NULL in member, within, occurred_at or the whole of steps is skipped and counted (rows_skipped); no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a book over 704 MB.';
COMMENT ON AGGREGATE rollup(funnel_book) IS
	'Merges books of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if within or the number of steps differs, 42804 if the type of the members does.';
COMMENT ON OPERATOR + (funnel_book, funnel_book) IS 'Both books as one, as if made of all their rows.';

-- Reading a book

CREATE FUNCTION funnel_steps(book funnel_book, mode text DEFAULT 'strict_once',
							 OUT step integer, OUT members bigint,
							 OUT rate_from_previous double precision, OUT rate_from_first double precision,
							 OUT median_time interval, OUT p90_time interval)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_funnel_steps' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5;
CREATE FUNCTION funnel_members(book funnel_book, mode text DEFAULT 'strict_once',
							   OUT member bigint, OUT level integer, OUT step_times timestamptz[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_funnel_members' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION funnel_members(member_type anyelement, book funnel_book, mode text DEFAULT 'strict_once',
							   OUT member anyelement, OUT level integer, OUT step_times timestamptz[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_funnel_members_typed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
CREATE FUNCTION rows_skipped(funnel_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(funnel_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION funnel_steps(funnel_book, text) IS
	'One row for each step of the funnel, whether anyone reached it or not. members: who reached it, that is whose level is at least step; rate_from_previous: of the members who reached the step before (NULL for step 1, and if nobody did); rate_from_first: of those who reached step 1 (NULL if nobody did); median_time, p90_time: 50th and 90th percentile of the time that it took them from the step before, as percentile_cont has it, to the nearest microsecond (NULL for step 1, and if nobody reached it). Of a book without members: no rows. mode: what restricts a chain of steps, one name or several separated by commas: strict_once (a row counts for one step at most), clickhouse (no restriction: a row may meet several steps), strict_order (a row that meets no step reached so far, where the chain does not advance, breaks it), strict_deduplication (a repeat of a step reached ends it), strict_increase (times of steps increase strictly). Errors: 22023 if mode is none of these, or clickhouse beside another one; 22004 if mode is NULL.';
COMMENT ON FUNCTION funnel_members(funnel_book, text) IS
	'One row per member of a book whose members are bigint, in their order: level and step_times as the functions of these names give them. mode and errors as for funnel_steps; 42804 if the members are of another type; then give the type first.';
COMMENT ON FUNCTION funnel_members(anyelement, funnel_book, text) IS
	'One row per member of a book whose members are bigint, uuid or text: funnel_members(NULL::uuid, book), funnel_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of funnel_members(book).';
COMMENT ON FUNCTION rows_skipped(funnel_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(funnel_book) IS 'Number of members in the book, whatever step they reached.';

CREATE FUNCTION funnel_book_eq(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_ne(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_lt(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_le(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_gt(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_ge(funnel_book, funnel_book) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_cmp(funnel_book, funnel_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_hash(funnel_book) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION funnel_book_hash_extended(funnel_book, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = funnel_book, RIGHTARG = funnel_book, FUNCTION = funnel_book_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS funnel_book_ops DEFAULT FOR TYPE funnel_book USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 funnel_book_cmp(funnel_book, funnel_book);
CREATE OPERATOR CLASS funnel_book_hash_ops DEFAULT FOR TYPE funnel_book USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 funnel_book_hash(funnel_book),
	FUNCTION 2 funnel_book_hash_extended(funnel_book, bigint);

COMMENT ON FUNCTION funnel_book_eq(funnel_book, funnel_book) IS 'Implements the operator =.';
COMMENT ON FUNCTION funnel_book_ne(funnel_book, funnel_book) IS 'Implements the operator <>.';
COMMENT ON FUNCTION funnel_book_lt(funnel_book, funnel_book) IS 'Implements the operator <.';
COMMENT ON FUNCTION funnel_book_le(funnel_book, funnel_book) IS 'Implements the operator <=.';
COMMENT ON FUNCTION funnel_book_gt(funnel_book, funnel_book) IS 'Implements the operator >.';
COMMENT ON FUNCTION funnel_book_ge(funnel_book, funnel_book) IS 'Implements the operator >=.';
COMMENT ON FUNCTION funnel_book_cmp(funnel_book, funnel_book) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION funnel_book_hash(funnel_book) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION funnel_book_hash_extended(funnel_book, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (funnel_book, funnel_book) IS 'Equal. Books are equal if they hold the same rows of the same members, window and number of steps, and skipped as many rows.';
COMMENT ON OPERATOR <> (funnel_book, funnel_book) IS 'Different. Books are equal if they hold the same rows of the same members, window and number of steps, and skipped as many rows.';
COMMENT ON OPERATOR < (funnel_book, funnel_book) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (funnel_book, funnel_book) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (funnel_book, funnel_book) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (funnel_book, funnel_book) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS funnel_book_ops USING btree IS 'Sorts funnel_book for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS funnel_book_hash_ops USING hash IS 'Hashes funnel_book for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY funnel_book_ops USING btree IS 'Sorts funnel_book.';
COMMENT ON OPERATOR FAMILY funnel_book_hash_ops USING hash IS 'Hashes funnel_book.';
