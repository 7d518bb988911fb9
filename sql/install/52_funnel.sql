-- funnel: how far one member got through the steps of a funnel, and when

-- @stored_type type=funnel_summary in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE funnel_summary IS
	'One member''s rows for a funnel: the time of each and the steps that it meets. Made by the aggregate funnel(within, occurred_at, steps), merged by rollup() and +, read by level(), step_times(), step_durations() and step_seconds(), which choose the mode, and for all members at once by funnel_book(). 12 bytes and 2 to 15, mostly 5 to 8, for each row; at most 704 MB. docs/storage-format.md.';

-- @merge type=funnel_summary cost=10 size=512

COMMENT ON AGGREGATE rollup(funnel_summary) IS
	'Merges the rows of one member from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if within or the number of steps differs.';
COMMENT ON OPERATOR + (funnel_summary, funnel_summary) IS 'Both as one, as if made of all their rows.';

-- Aggregates

CREATE FUNCTION funnel_step(funnel_summary, interval, timestamptz, boolean[]) RETURNS funnel_summary
	AS 'MODULE_PATHNAME', 'custmart_funnel_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE funnel(within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_step, STYPE = funnel_summary, SSPACE = 512,
	COMBINEFUNC = funnel_summary_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION funnel_step(funnel_summary, interval, timestamptz, boolean[]) IS 'Transition function of the aggregate funnel.';
COMMENT ON AGGREGATE funnel(interval, timestamptz, boolean[]) IS
	'One member''s path through a funnel; one row = one event. within: the longest time from the first step of a chain to its last, in days and time (a day is 24 hours); occurred_at: when (a timestamp or a date is taken in the time zone of the session); steps: 1 to 32 conditions in the order of the funnel, each true if the row meets the step, NULL counting as false. Rows that meet no step are kept, too, because strict_order needs them. A row with NULL in within, occurred_at or the whole of steps is skipped; no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a value over 704 MB.';

-- The same for the usual number of steps, which PostgreSQL then need not put into an array at every row.  A call
-- that lists its steps finds these by itself.

-- @each steps "step_1 boolean, step_2 boolean" "step_1 boolean, step_2 boolean, step_3 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean, step_7 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean, step_7 boolean, step_8 boolean"
CREATE FUNCTION funnel_step(funnel_summary, interval, timestamptz, {steps}) RETURNS funnel_summary
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_listed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE funnel(within interval, occurred_at timestamptz, {steps}) (
	SFUNC = funnel_step, STYPE = funnel_summary, SSPACE = 512,
	COMBINEFUNC = funnel_summary_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION funnel_step(funnel_summary, interval, timestamptz, {steps}) IS 'Transition function of the aggregate funnel.';
COMMENT ON AGGREGATE funnel(interval, timestamptz, {steps}) IS
	'funnel(within, occurred_at, steps) for this number of steps: the same result, faster than from an array.';
-- @end

-- Accessors

CREATE FUNCTION level(summary funnel_summary, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
	step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}') RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_funnel_level' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION step_times(summary funnel_summary, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
	step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}') RETURNS timestamptz[]
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_times' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION step_durations(summary funnel_summary, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
	step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}') RETURNS interval[]
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_durations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION step_seconds(summary funnel_summary, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
	step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}') RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'custmart_funnel_step_seconds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION level(funnel_summary, text, integer[], interval[], interval[], integer[]) IS
	'How many steps the member reached: the steps of the longest chain of rows that meet step 1, 2 ... one after the other or at the same time, the last at most within after the first; 0 = not even step 1. mode: what restricts a chain of steps, one name or several separated by commas: strict_once (a row counts for one step at most), clickhouse (no restriction: a row may meet several steps), strict_order (a row that meets no step reached so far breaks the chain unless the chain advances), strict_deduplication (a repetition of a step already reached ends it), strict_increase (times of steps increase strictly), any_order (the steps in whatever order they come; alone or with strict_once). exclusions: conditions that are no steps but end a chain, counted from 1 as they are listed in the aggregate, ''{4}''; a row that meets one ends a chain that lies between two steps then, unless the chain takes a step at that very moment; with two steps each, ''{{4,1,2}}'', between these only; steps are counted without them. step_within, step_gap: the longest and the shortest time from step 1 to 2, from step 2 to 3 and so on, both inclusive, in days and time; NULL = no limit; to a required step from the required step before it, to an optional one from the step before it that was taken. optional_steps: steps, counted from 1, that a chain need not take: it consists of the others, and each optional step takes the first row that it can between its neighbours. level is then the last step reached. Errors: 22023 if mode is none of these, or combines clickhouse with another one, or any_order with one that depends on the order; 22023 if exclusions names a condition or a step that there is not, or all conditions, if step_within or step_gap has more elements than there are steps but one, is negative, has months, or asks for more than it allows, if optional_steps has step 1 or one that there is not, or if any of these but a list of exclusions is given with any_order; 22004 for NULL in exclusions or optional_steps; 22008 for infinite intervals. Definition: docs/funnel.md.';
COMMENT ON FUNCTION step_times(funnel_summary, text, integer[], interval[], interval[], integer[]) IS
	'When the steps were reached in the longest chain (of several, the one that begins last), each step as early as the chain allows: one time for each step reached, NULL for an optional step that was not, an empty array at level 0. Arguments and errors as for level().';
COMMENT ON FUNCTION step_durations(funnel_summary, text, integer[], interval[], interval[], integer[]) IS
	'How long it took from each step reached to the next, by the times of step_times(): an array shorter by one, empty at level 0 and 1; for an optional step that was not reached NULL, and from the step before it to the next one that was. Arguments and errors as for level().';
COMMENT ON FUNCTION step_seconds(funnel_summary, text, integer[], interval[], interval[], integer[]) IS
	'The same as step_durations() in seconds, which can be charted. Arguments and errors as for level().';

-- @comparison type=funnel_summary equality="Values are equal if they hold the same rows, window and number of steps."

-- funnel_book: the funnel of every member of a table

-- @stored_type type=funnel_book

COMMENT ON TYPE funnel_book IS
	'The funnel of every member of a table, made by funnel_book() in one scan, merged by rollup() and +, read by funnel_steps() and funnel_members(), which choose the mode. At most 704 MB, about 90 million rows. docs/storage-format.md.';

-- @merge type=funnel_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(funnel_book) IS
	'Merges books of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if within or the number of steps differs, 42804 if the type of the members does.';
COMMENT ON OPERATOR + (funnel_book, funnel_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- @each member bigint uuid text
CREATE FUNCTION funnel_book_step_{member}(funnel_book, {member}, interval, timestamptz, boolean[]) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE funnel_book(member {member}, within interval, occurred_at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = funnel_book_step_{member}, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION funnel_book_step_{member}(funnel_book, {member}, interval, timestamptz, boolean[]) IS
	'Transition function of the aggregate funnel_book.';
COMMENT ON AGGREGATE funnel_book({member}, interval, timestamptz, boolean[]) IS
	'The path of every member through a funnel, in one scan; one row = one event. member: whose; within: the longest time from the first step of a chain to its last, in days and time (a day is 24 hours); occurred_at: when (a timestamp or a date is taken in the time zone of the session); steps: 1 to 32 conditions in the order of the funnel, each true if the row meets the step, NULL counting as false. Rows that meet no step are kept, too, because strict_order needs them. A row with NULL in member, within, occurred_at or the whole of steps is skipped and counted (rows_skipped), but its within and steps must fit, too; no rows: NULL. Errors: 22023 if within is negative or has months or years, if there are not 1 to 32 steps, or if within or the number of steps is not the same in all rows; 22008 for an infinite occurred_at or within; 54000 for a book over 704 MB.';

-- @each steps "step_1 boolean, step_2 boolean" "step_1 boolean, step_2 boolean, step_3 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean, step_7 boolean" "step_1 boolean, step_2 boolean, step_3 boolean, step_4 boolean, step_5 boolean, step_6 boolean, step_7 boolean, step_8 boolean"
CREATE FUNCTION funnel_book_step_{member}(funnel_book, {member}, interval, timestamptz, {steps}) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_{member}_listed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE funnel_book(member {member}, within interval, occurred_at timestamptz, {steps}) (
	SFUNC = funnel_book_step_{member}, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION funnel_book_step_{member}(funnel_book, {member}, interval, timestamptz, {steps}) IS
	'Transition function of the aggregate funnel_book.';
COMMENT ON AGGREGATE funnel_book({member}, interval, timestamptz, {steps}) IS
	'funnel_book(member, within, occurred_at, steps) for this number of steps: the same result, faster than from an array.';
-- @end

CREATE FUNCTION funnel_book_step_{member}_summary(funnel_book, {member}, funnel_summary) RETURNS funnel_book
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_step_{member}_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE AGGREGATE funnel_book(member {member}, summary funnel_summary) (
	SFUNC = funnel_book_step_{member}_summary, STYPE = funnel_book, SSPACE = 65536,
	COMBINEFUNC = funnel_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION funnel_book_step_{member}_summary(funnel_book, {member}, funnel_summary) IS
	'Transition function of the aggregate funnel_book.';
COMMENT ON AGGREGATE funnel_book({member}, funnel_summary) IS
	'The path of every member, from stored funnels, as if made of all their rows; one row = one funnel_summary, of which a member may have many. member: whose; summary: what funnel() or rollup() made. All must have the same within and number of steps. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 22023 if within or the number of steps is not the same in all rows; 54000 for a book over 704 MB.';

-- @end

-- Reading a book

CREATE FUNCTION funnel_steps(book funnel_book, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
							 step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}',
							 OUT step integer, OUT members bigint,
							 OUT rate_from_previous double precision, OUT rate_from_first double precision,
							 OUT median_time interval, OUT p90_time interval,
							 OUT median_seconds double precision, OUT p90_seconds double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_funnel_steps' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 5;
CREATE FUNCTION funnel_conversions(book funnel_book, as_of timestamptz DEFAULT NULL,
								   mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
								   step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}',
								   OUT step integer, OUT members bigint, OUT members_open bigint,
								   OUT rate_from_previous double precision, OUT rate_from_first double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_funnel_conversions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 5;
-- @template funnel_members book member symbol
CREATE FUNCTION funnel_members({book}, mode text DEFAULT 'strict_once', exclusions integer[] DEFAULT '{}',
							   step_within interval[] DEFAULT '{}', step_gap interval[] DEFAULT '{}', optional_steps integer[] DEFAULT '{}',
							   OUT member {member}, OUT level integer, OUT step_times timestamptz[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @funnel_members book="book funnel_book" member=bigint symbol=funnel_members
-- @funnel_members book="member_type anyelement, book funnel_book" member=anyelement symbol=funnel_members_typed
CREATE FUNCTION rows_skipped(book funnel_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book funnel_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_funnel_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION funnel_steps(funnel_book, text, integer[], interval[], interval[], integer[]) IS
	'One row for each step of the funnel, whether anyone reached it or not. members: those who reached it, that is, whose level is at least step; rate_from_previous: their share of the members who reached the step before (NULL for step 1, and if nobody did); rate_from_first: their share of those who reached step 1 (NULL if nobody did); median_time, p90_time: 50th and 90th percentile of the time that it took them from the step before, as percentile_cont computes it, to the nearest microsecond (NULL for step 1, and if nobody reached it); median_seconds, p90_seconds: the same in seconds. Of a book without members nobody reached any step; it has no rows if within or steps was NULL in all of its rows. mode: what restricts a chain of steps, one name or several separated by commas: strict_once (a row counts for one step at most), clickhouse (no restriction: a row may meet several steps), strict_order (a row that meets no step reached so far breaks the chain unless the chain advances), strict_deduplication (a repetition of a step already reached ends it), strict_increase (times of steps increase strictly), any_order (steps may come in any order; step k is then k steps). exclusions, step_within, step_gap, optional_steps: as for level(). An optional step is compared with the required step before it, and so is the required step behind it. Errors: 22023 if mode is none of these, or combines clickhouse with another one, for the rules as for level(); 22004 if mode or one of these is NULL.';
COMMENT ON FUNCTION funnel_conversions(funnel_book, timestamptz, text, integer[], interval[], interval[], integer[]) IS
	'Conversion by chains whose window has ended, so that no later row can raise it: those that begin at most as_of - within. One row for each step. members: those who reached it in such a chain; members_open: those who reached it only in chains whose window has not ended, and who therefore do not count yet; rate_from_previous: members as a share of those of the step before (NULL for step 1, and if there are none); rate_from_first: as a share of those of step 1 (NULL if there are none). as_of: the moment up to which rows are known, NULL = the latest row in the book. mode, exclusions, step_within, step_gap, optional_steps and errors: as for funnel_steps(); 22023 for a row after as_of, 22008 for an infinite as_of.';
COMMENT ON FUNCTION funnel_members(funnel_book, text, integer[], interval[], interval[], integer[]) IS
	'One row per member of a book whose members are bigint, in their order: level and step_times as returned by the functions of these names. mode and errors as for funnel_steps; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION funnel_members(anyelement, funnel_book, text, integer[], interval[], interval[], integer[]) IS
	'One row per member of a book whose members are bigint, uuid or text: funnel_members(NULL::uuid, book), funnel_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of funnel_members(book).';
COMMENT ON FUNCTION rows_skipped(funnel_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(funnel_book) IS 'Number of members in the book, whichever step they reached.';

-- @comparison type=funnel_book equality="Books are equal if they hold the same rows of the same members, window and number of steps, and skipped as many rows."
