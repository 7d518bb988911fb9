-- session: what members do without a long pause

CREATE FUNCTION session_number(occurred_at timestamptz, gap interval DEFAULT '30 minutes') RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_session_number' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 1;
CREATE FUNCTION session_start(occurred_at timestamptz, gap interval DEFAULT '30 minutes') RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_session_start' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 1;

COMMENT ON FUNCTION session_number(timestamptz, interval) IS
	'Window function, OVER (PARTITION BY member ORDER BY occurred_at): which session of its partition the row belongs to, counted from 1. A row is in the session of the row before if it is at most gap later; a longer pause begins another session. gap: days and time without months, not negative (a day is 24 hours), the same in all rows of a partition. NULL where occurred_at is NULL; such a row changes nothing for others. Errors: 22023 for rows that are not in the order of occurred_at, for a gap that is negative, has months or is not the same in all rows; 22004 if gap is NULL; 22008 for infinite times.';
COMMENT ON FUNCTION session_start(timestamptz, interval) IS
	'Window function: when the session of the row began, which with the member identifies the session. Arguments, definition and errors as for session_number().';

-- All members: session_book

-- @stored_type type=session_book

COMMENT ON TYPE session_book IS
	'When every member of a table did something: made by session_book() in one scan, merged by rollup() and +, read by sessions() and session_members(), which choose the gap. At most 704 MB, about 120 million rows. docs/storage-format.md.';

-- @merge type=session_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(session_book) IS
	'Merges books made of different rows, from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their members are of different types.';
COMMENT ON OPERATOR + (session_book, session_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- @each member bigint uuid text
CREATE FUNCTION session_book_step_{member}(session_book, {member}, timestamptz) RETURNS session_book
	AS 'MODULE_PATHNAME', 'custmart_session_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE session_book(member {member}, occurred_at timestamptz) (
	SFUNC = session_book_step_{member}, STYPE = session_book, SSPACE = 65536,
	COMBINEFUNC = session_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION session_book_step_{member}(session_book, {member}, timestamptz) IS
	'Transition function of the aggregate session_book.';
COMMENT ON AGGREGATE session_book({member}, timestamptz) IS
	'When every member did something, in one scan; one row = one event. member: whose; occurred_at: when (a timestamp or a date is taken in the time zone of the session). Rows of equal times are all counted. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 22008 for infinite times, 54000 for a book over 704 MB.';

-- @end

-- Reading a book

-- @template sessions_reports book member symbol
CREATE FUNCTION sessions({book}, gap interval DEFAULT '30 minutes',
						 OUT member {member}, OUT session bigint, OUT started_at timestamptz, OUT ended_at timestamptz,
						 OUT length interval, OUT length_seconds double precision, OUT events bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_sessions{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION session_members({book}, gap interval DEFAULT '30 minutes',
								OUT member {member}, OUT sessions bigint, OUT events bigint, OUT single_event_sessions bigint,
								OUT length_seconds double precision, OUT first_at timestamptz, OUT last_at timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_session_members{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @sessions_reports book="book session_book" member=bigint symbol=""
-- @sessions_reports book="member_type anyelement, book session_book" member=anyelement symbol=_typed
CREATE FUNCTION rows_skipped(book session_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_session_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book session_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_session_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION sessions(session_book, interval) IS
	'One row per session of a book whose members are bigint, member by member. session: its number, from 1; started_at, ended_at: of its first and last event; length: between these, in days of 24 hours and time (0 for one event), length_seconds: the same in seconds; events. A session goes on as long as each event is at most gap after the one before. gap: days and time without months, not negative. Errors: 22023 for a gap that is negative or has months, 22004 if it is NULL, 22008 if it is infinite; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION sessions(anyelement, session_book, interval) IS
	'One row per session of a book whose members are bigint, uuid or text: sessions(NULL::uuid, book), sessions(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of sessions(book).';
COMMENT ON FUNCTION session_members(session_book, interval) IS
	'One row per member of a book whose members are bigint: sessions, events, single_event_sessions (sessions of one event), length_seconds (of all sessions together, in seconds), first_at and last_at (of all events). gap and errors as for sessions().';
COMMENT ON FUNCTION session_members(anyelement, session_book, interval) IS
	'One row per member of a book whose members are bigint, uuid or text: session_members(NULL::uuid, book), session_members(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of session_members(book).';
COMMENT ON FUNCTION rows_skipped(session_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(session_book) IS 'Number of members in the book.';

-- @comparison type=session_book equality="Books are equal if they hold the same members with events at the same times and skipped as many rows."
