-- interaction: whether members come of their own accord, because they were induced, or because they must

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
								   span interval, min_own integer, min_own_share double precision) (
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
	'The stage of one member, from their interactions in the 180 days up to as_of; one row = one interaction. kind: obliged (the member had to: after-sales, a bundled channel), induced (a coupon or contact came first) or own (of their own accord: an order without a push, a review, a referral); occurred_at: when (a timestamp or a date is taken in the time zone of the session); as_of: the moment to look at. sticky if 2 or more are own and these are at least half of all; else induced if any is induced or own; else forced if there is any; else dormant. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for another kind, an interaction after as_of or an as_of that is not the same in all rows, 22008 for infinite times.';
COMMENT ON AGGREGATE interaction_stage(text, timestamptz, timestamptz, interval, integer, double precision) IS
	'The stage of one member, from their interactions with as_of - span < occurred_at <= as_of: sticky if own >= min_own and own / all >= min_own_share; else induced if any is induced or own; else forced if there is any; else dormant. span: days and time without months, above 0 (a day is 24 hours); min_own: 1 or more; min_own_share: 0 to 1; all of them and as_of the same in all rows. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for another kind, an interaction after as_of, parameters out of range or not the same in all rows, 22008 for infinite times.';

-- All members: interaction_book

-- @stored_type type=interaction_book

COMMENT ON TYPE interaction_book IS
	'The interactions of every member, each with its time and whether it was obliged, induced or own: made by interaction_book() in one scan, merged by rollup() and +, read by interaction_stages(), interaction_members() and interaction_transitions(), as of any moment. At most 704 MB.';

-- @merge type=interaction_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(interaction_book) IS
	'Merges books made of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their members are of different types.';
COMMENT ON OPERATOR + (interaction_book, interaction_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- @each member bigint uuid text
CREATE FUNCTION interaction_book_step_{member}(interaction_book, {member}, text, timestamptz) RETURNS interaction_book
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE interaction_book(member {member}, kind text, occurred_at timestamptz) (
	SFUNC = interaction_book_step_{member}, STYPE = interaction_book, SSPACE = 65536,
	COMBINEFUNC = interaction_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION interaction_book_step_{member}(interaction_book, {member}, text, timestamptz) IS
	'Transition function of the aggregate interaction_book.';
COMMENT ON AGGREGATE interaction_book({member}, text, timestamptz) IS
	'The interactions of every member in one scan; one row = one interaction. member: whose; kind: obliged (the member had to), induced (a coupon or contact came first) or own (of their own accord); occurred_at: when (a timestamp or a date is taken in the time zone of the session). Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 for another kind, 22008 for infinite times, 54000 for a book over 704 MB.';

-- @end

-- Reading a book

CREATE FUNCTION interaction_stages(book interaction_book, as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', min_own integer DEFAULT 2,
					min_own_share double precision DEFAULT 0.5,
					OUT stage text, OUT members bigint, OUT share double precision,
					OUT obliged bigint, OUT induced bigint, OUT own bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_stages' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 4;
-- @template interaction_members book member symbol
CREATE FUNCTION interaction_members({book}, as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', min_own integer DEFAULT 2,
					min_own_share double precision DEFAULT 0.5,
					OUT member {member}, OUT stage text, OUT obliged bigint, OUT induced bigint, OUT own bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @interaction_members book="book interaction_book" member=bigint symbol=interaction_members
-- @interaction_members book="member_type anyelement, book interaction_book" member=anyelement symbol=interaction_members_typed
CREATE FUNCTION interaction_transitions(book interaction_book, from_as_of timestamptz, to_as_of timestamptz DEFAULT NULL,
					span interval DEFAULT '180 days', min_own integer DEFAULT 2,
					min_own_share double precision DEFAULT 0.5,
					OUT from_stage text, OUT to_stage text, OUT members bigint, OUT share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_interaction_transitions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 20;
CREATE FUNCTION rows_skipped(book interaction_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book interaction_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_interaction_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION interaction_stages(interaction_book, timestamptz, interval, integer, double precision) IS
	'How many members are in each stage? Always four rows: sticky, induced, forced, dormant. members; share: of all members of the book, NULL if it has none; obliged, induced, own: their interactions with as_of - span < occurred_at <= as_of. A member is sticky if own >= min_own and own / all >= min_own_share; else induced if any is induced or own; else forced if there is any; else dormant. as_of: NULL = the latest interaction in the book; span: days and time without months, above 0 (a day is 24 hours); min_own: 1 or more; min_own_share: 0 to 1. Errors: 22023 for an interaction after as_of or parameters out of range, 22004 if span, min_own or min_own_share is NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION interaction_members(interaction_book, timestamptz, interval, integer, double precision) IS
	'One row per member of a book whose members are bigint: their stage, and how many of their interactions in the span were obliged, induced and own. Stages, arguments and errors as for interaction_stages; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION interaction_members(anyelement, interaction_book, timestamptz, interval, integer, double precision) IS
	'One row per member of a book whose members are bigint, uuid or text: interaction_members(NULL::uuid, book), interaction_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of interaction_members(book).';
COMMENT ON FUNCTION interaction_transitions(interaction_book, timestamptz, timestamptz, interval, integer, double precision) IS
	'Who moved between the stages? How many members were in from_stage as of from_as_of and in to_stage as of to_as_of. Always 20 rows, in the order of the stages; from_stage is NULL for members without any interaction up to from_as_of, who are new. share: of the members of from_stage, NULL if there are none. to_as_of: NULL = the latest interaction in the book. The members of all rows add up to all members of the book. Other arguments and errors as for interaction_stages; 22023 if from_as_of is not before to_as_of, 22004 if it is NULL.';
COMMENT ON FUNCTION rows_skipped(interaction_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(interaction_book) IS 'Number of members in the book.';

-- @comparison type=interaction_book equality="Books are equal if they hold the same members with the same interactions and skipped as many rows."
