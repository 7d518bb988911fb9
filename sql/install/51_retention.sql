-- retention_book: when every member was active, in one scan; cohorts, growth, frequency of use

-- @stored_type type=retention_book

COMMENT ON TYPE retention_book IS
	'When every member was active: calendar periods, with or without the money of each, or exact times, and perhaps when each joined. Made by retention_book() and retention_book_since() in one scan, merged by rollup() and +, read by cohort_retention(), lifecycle_counts(), revenue_growth(), stickiness() and day_retention(). At most 704 MB.';

-- @merge type=retention_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(retention_book) IS
	'Merges books made of different rows, on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 42804 if their keys are of different types or they were made with other arguments, 22023 if their units or time zones differ.';
COMMENT ON OPERATOR + (retention_book, retention_book) IS 'Both books as one, as if made of all their rows.';

-- Aggregates

-- Of points in time, of what the clocks of the time zone show, and of days there.
--   suffix: of the transition functions
--   type, when: of occurred_at, and what it says
-- @template retention_books_of type when suffix=""
-- @each member bigint uuid text
CREATE FUNCTION retention_book_step_{member}{suffix}(retention_book, {member}, {type}, text, text) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book(member {member}, occurred_at {type}, unit text, timezone text) (
	SFUNC = retention_book_step_{member}{suffix}, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}{suffix}(retention_book, {member}, {type}, text, text) IS
	'Transition function of the aggregate retention_book.';
COMMENT ON AGGREGATE retention_book({member}, {type}, text, text) IS
	'The calendar periods in which each member was active; one row = one sign of activity. member: whose; occurred_at: {when}; unit: day, week (from Monday, as in ISO 8601), month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC; 54000 for a book over 704 MB.';

CREATE FUNCTION retention_book_step_{member}_amount{suffix}(retention_book, {member}, {type}, numeric, text, text) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_amount{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book(member {member}, occurred_at {type}, amount numeric, unit text, timezone text) (
	SFUNC = retention_book_step_{member}_amount{suffix}, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_amount{suffix}(retention_book, {member}, {type}, numeric, text, text) IS
	'Transition function of the aggregate retention_book.';
COMMENT ON AGGREGATE retention_book({member}, {type}, numeric, text, text) IS
	'The calendar periods in which each member was active, with the money of each; one row = one order or refund. member: whose; occurred_at: {when}; amount: money, below 0 = a refund, which lowers the net of its period and is not an activity; unit: day, week (from Monday, as in ISO 8601), month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows with NULL are skipped and counted (rows_skipped). Errors: 22003 for an amount that is NaN, infinite or has more than 38 digits before the point or 28 after it; 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC; 54000 for a book over 704 MB.';

-- @end
-- @end

-- @retention_books_of type=timestamptz when="when"
-- @retention_books_of type=timestamp suffix=_timestamp when="when, by the clocks of timezone; the zone of the session does not matter"
-- @retention_books_of type=date suffix=_date when="the day, in timezone; the zone of the session does not matter"

-- @each member bigint uuid text
CREATE FUNCTION retention_book_step_{member}_time(retention_book, {member}, timestamptz) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_time' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book(member {member}, occurred_at timestamptz) (
	SFUNC = retention_book_step_{member}_time, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_time(retention_book, {member}, timestamptz) IS
	'Transition function of the aggregate retention_book.';
COMMENT ON AGGREGATE retention_book({member}, timestamptz) IS
	'The exact times at which each member was active, for day_retention(); one row = one sign of activity. member: whose; occurred_at: when (a timestamp or a date is taken in the time zone of the session). Rows with NULL are skipped and counted (rows_skipped). Errors: 22008 for an infinite time; 54000 for a book over 704 MB.';

CREATE FUNCTION retention_book_step_{member}_activity(retention_book, {member}, activity_summary) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_activity' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE AGGREGATE retention_book(member {member}, activity activity_summary) (
	SFUNC = retention_book_step_{member}_activity, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_activity(retention_book, {member}, activity_summary) IS
	'Transition function of the aggregate retention_book.';
COMMENT ON AGGREGATE retention_book({member}, activity_summary) IS
	'The calendar periods of each member, from stored activities; one row = one activity, of which a member may have many. All must have the same unit and time zone. Only the period of the latest time is known. Rows with NULL are skipped and counted (rows_skipped). Errors: 22023 if a unit or time zone is not the same in all rows; 54000 for a book over 704 MB.';

-- @end

-- The same, and when each member joined: of points in time, clocks and days again, for both.  Under the name
-- retention_book, calls with an amount whose type is not known would have two meanings.
--   joined, joined_when: the type of joined_at, and what it says
--   type, when: of occurred_at
-- @template retention_books_joined joined joined_when type when
-- @each member bigint uuid text
CREATE FUNCTION retention_book_step_{member}_since_{joined}_{type}(retention_book, {member}, {joined}, {type}, text, text) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_since_{joined}_{type}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book_since(member {member}, joined_at {joined}, occurred_at {type}, unit text, timezone text) (
	SFUNC = retention_book_step_{member}_since_{joined}_{type}, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_since_{joined}_{type}(retention_book, {member}, {joined}, {type}, text, text) IS
	'Transition function of the aggregate retention_book_since.';
COMMENT ON AGGREGATE retention_book_since({member}, {joined}, {type}, text, text) IS
	'The calendar period in which each member joined, which is their cohort, and those in which they were active; one row = one sign of activity. member: whose; joined_at: when the member joined, {joined_when}; of several the earliest counts; occurred_at: {when}; NULL: the row only says when the member joined; unit: day, week (from Monday, as in ISO 8601), month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows in which another argument is NULL are skipped and counted (rows_skipped). Errors: 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC; 54000 for a book over 704 MB.';

CREATE FUNCTION retention_book_step_{member}_amount_since_{joined}_{type}(retention_book, {member}, {joined}, {type}, numeric, text, text) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_amount_since_{joined}_{type}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book_since(member {member}, joined_at {joined}, occurred_at {type}, amount numeric, unit text, timezone text) (
	SFUNC = retention_book_step_{member}_amount_since_{joined}_{type}, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_amount_since_{joined}_{type}(retention_book, {member}, {joined}, {type}, numeric, text, text) IS
	'Transition function of the aggregate retention_book_since.';
COMMENT ON AGGREGATE retention_book_since({member}, {joined}, {type}, numeric, text, text) IS
	'The calendar period in which each member joined, which is their cohort, and those in which they were active, with the money of each; one row = one order or refund. member: whose; joined_at: when the member joined, {joined_when}; of several the earliest counts; occurred_at: {when}; NULL: the row only says when the member joined, whatever the amount; amount: money, below 0 = a refund, which lowers the net of its period and is not an activity; unit: day, week (from Monday, as in ISO 8601), month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows in which another argument is NULL are skipped and counted (rows_skipped). Errors: 22003 for an amount that is NaN, infinite or has more than 38 digits before the point or 28 after it; 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC; 54000 for a book over 704 MB.';

-- @end
-- @end

-- @retention_books_joined joined=timestamptz joined_when="a point in time" type=timestamptz when="when they were active"
-- @retention_books_joined joined=timestamptz joined_when="a point in time" type=timestamp when="when they were active, by the clocks of timezone; the zone of the session does not matter"
-- @retention_books_joined joined=timestamptz joined_when="a point in time" type=date when="the day on which they were active, in timezone; the zone of the session does not matter"
-- @retention_books_joined joined=timestamp joined_when="by the clocks of timezone; the zone of the session does not matter" type=timestamptz when="when they were active"
-- @retention_books_joined joined=timestamp joined_when="by the clocks of timezone; the zone of the session does not matter" type=timestamp when="when they were active, by the clocks of timezone; the zone of the session does not matter"
-- @retention_books_joined joined=timestamp joined_when="by the clocks of timezone; the zone of the session does not matter" type=date when="the day on which they were active, in timezone; the zone of the session does not matter"
-- @retention_books_joined joined=date joined_when="a day in timezone; the zone of the session does not matter" type=timestamptz when="when they were active"
-- @retention_books_joined joined=date joined_when="a day in timezone; the zone of the session does not matter" type=timestamp when="when they were active, by the clocks of timezone; the zone of the session does not matter"
-- @retention_books_joined joined=date joined_when="a day in timezone; the zone of the session does not matter" type=date when="the day on which they were active, in timezone; the zone of the session does not matter"

-- @each member bigint uuid text
CREATE FUNCTION retention_book_step_{member}_time_since(retention_book, {member}, timestamptz, timestamptz) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_{member}_time_since' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book_since(member {member}, joined_at timestamptz, occurred_at timestamptz) (
	SFUNC = retention_book_step_{member}_time_since, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_{member}_time_since(retention_book, {member}, timestamptz, timestamptz) IS
	'Transition function of the aggregate retention_book_since.';
COMMENT ON AGGREGATE retention_book_since({member}, timestamptz, timestamptz) IS
	'The exact times at which each member joined and was active, for day_retention(); one row = one sign of activity. member: whose; joined_at: when the member joined; of several the earliest counts; occurred_at: when they were active (a timestamp or a date, of both, is taken in the time zone of the session); NULL: the row only says when the member joined. Rows in which another argument is NULL are skipped and counted (rows_skipped). Errors: 22008 for an infinite time; 54000 for a book over 704 MB.';

-- @end

-- Calls whose time zone was forgotten
--   amount: the argument amount, if it is given
-- @template retention_book_without_timezone name="" amount=""
-- @each member bigint uuid text
CREATE FUNCTION retention_book_step_without_timezone(retention_book, {member}, timestamptz, {amount}text) RETURNS retention_book
	AS 'MODULE_PATHNAME', 'custmart_retention_book_step_without_timezone' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE retention_book(member {member}, occurred_at timestamptz, {name}{amount}unit text) (
	SFUNC = retention_book_step_without_timezone, STYPE = retention_book, SSPACE = 65536,
	COMBINEFUNC = retention_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION retention_book_step_without_timezone(retention_book, {member}, timestamptz, {amount}text) IS
	'Transition function of the aggregate retention_book that raises its error.';
COMMENT ON AGGREGATE retention_book({member}, timestamptz, {amount}text) IS
	'Only raises an error, 42883, that says how to call retention_book with a time zone.';

-- @end
-- @end

-- @retention_book_without_timezone
-- @retention_book_without_timezone name="amount " amount="numeric, "

-- Reading a book

-- The time as_of is given as a point in time or by the clocks of the book's time zone.  A bare literal is text.
--   suffix: of the C functions
--   type, when: of as_of, and what it says
-- @template reports_as_of type when default="" suffix="" volatility=IMMUTABLE
CREATE FUNCTION cohort_retention(book retention_book, as_of {type}{default},
					OUT cohort date, OUT periods_later integer, OUT period date, OUT members bigint,
					OUT active bigint, OUT rate double precision,
					OUT on_or_after bigint, OUT on_or_after_rate double precision,
					OUT net numeric, OUT net_rate double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_cohort_retention{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 300;
CREATE FUNCTION lifecycle_counts(book retention_book, as_of {type}{default},
					OUT period date, OUT active bigint, OUT new_members bigint, OUT returning_members bigint,
					OUT resurrecting_members bigint, OUT dormant_members bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_lifecycle_counts{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 100;
CREATE FUNCTION revenue_growth(book retention_book, as_of {type}{default},
					OUT period date, OUT revenue numeric, OUT new_revenue numeric, OUT resurrected numeric,
					OUT expansion numeric, OUT contraction numeric, OUT churned numeric, OUT excess_refunds numeric,
					OUT paid_before numeric, OUT net_retention_rate double precision, OUT gross_retention_rate double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_revenue_growth{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 100;
CREATE FUNCTION stickiness(book retention_book, as_of {type}{default}, since date DEFAULT NULL, until date DEFAULT NULL,
					OUT active_periods integer, OUT members bigint, OUT share double precision,
					OUT at_least bigint, OUT at_least_share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_stickiness{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 50;

COMMENT ON FUNCTION cohort_retention(retention_book, {type}) IS
	'Of those who came in a period, how many are still here? One row per cohort and period since, up to that of as_of. as_of: the time up to which the rows go, {when}; NULL: the latest row; a period has ended if as_of lies in a later one. cohort: first day of the period in which its members were active first, or in which they joined, in a book made by retention_book_since(); periods_later: 0 for that period, 1 for the next one, 2 ...; period: its first day; members: size of the cohort; active: members active in that period; on_or_after: members active in it or later; rate, on_or_after_rate: the same divided by members; net: money of the cohort''s members in that period, refunds subtracted; net_rate: net divided by that of the cohort''s first period (NULL if that is not above 0). In the period that has not ended counts and net are those so far, and rates are NULL. net is NULL in a book without amounts. Errors: 22023 if a row is in a period after that of as_of or the book has no calendar periods, 22008 if as_of is infinite, 54000 for more than 16777216 rows.';
COMMENT ON FUNCTION lifecycle_counts(retention_book, {type}) IS
	'Growth accounting: one row per period, from the first to that of as_of. as_of: the time up to which the rows go, {when}; NULL: the latest row; a period has ended if as_of lies in a later one. period: its first day; new_members: active for the first time; returning_members: active in it and in the one before; resurrecting_members: active in it, not in the one before, but earlier; dormant_members: active in the one before, not in it, NULL for the period that has not ended. active: new, returning and resurrecting ones together; less those of the period before it is new + resurrecting - dormant. Errors: 22023 if a row is in a period after that of as_of or the book has no calendar periods, 22008 if as_of is infinite, 54000 for more than 16777216 rows.';
COMMENT ON FUNCTION revenue_growth(retention_book, {type}) IS
	'Why revenue changes: one row per period from the first to that of as_of. as_of: the time up to which the rows go, {when}; NULL: the latest row; a period has ended if as_of lies in a later one. What a member pays in a period is their net in it if that is above 0, else nothing. period: first day; revenue: the sum of all amounts; new_revenue: paid by members who never paid before; resurrected: by those who paid earlier but nothing in the period before; expansion, contraction: how much more, and less (below 0), was paid by those who paid in both periods; churned: what those paid in the period before who pay nothing in this one (below 0); excess_refunds: the change of what the nets of members are below 0, which nobody pays. The six add up to the change of revenue. paid_before: what was paid in the period before; net_retention_rate: what the same members pay in this one, divided by it, which is (paid_before + expansion + contraction + churned) / paid_before; gross_retention_rate: the same without expansion; both NULL if paid_before is 0. In the period that has not ended what is paid is that so far, and contraction, churned, excess_refunds and rates are NULL. Errors: 22023 if a row is in a period after that of as_of or the book has no calendar periods or no amounts, 22008 if as_of is infinite, 54000 for more than 16777216 rows.';
COMMENT ON FUNCTION stickiness(retention_book, {type}, date, date) IS
	'How often do members come? One row per number of active periods, from 1 to the largest there is. as_of: the time up to which the rows go, {when}; NULL: the latest row. since, until: days; only the periods in which they lie and those between count, NULL: no bound. members: members active in exactly that many periods; at_least: in that many or more; share, at_least_share: the same divided by all members active in that time. Errors: 22023 if a row is in a period after that of as_of, since is after until or the book has no calendar periods, 22008 for an infinite as_of or day.';

-- @end

-- @reports_as_of type=timestamptz default=" DEFAULT NULL" when="a point in time"
-- @reports_as_of type=timestamp suffix=_timestamp when="what the clocks of the book''s time zone show"
-- @reports_as_of type=date suffix=_date when="the start of that day in the book''s time zone"
-- @reports_as_of type=text suffix=_text volatility=STABLE when="what the clocks of the book''s time zone show, unless a zone, or a time of day with its offset, is named"

CREATE FUNCTION net_outside(book retention_book) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_retention_book_net_outside' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION day_retention(book retention_book, as_of timestamptz DEFAULT NULL, last_day integer DEFAULT 90, bounds integer[] DEFAULT NULL,
					OUT day integer, OUT until_day integer, OUT members bigint, OUT active bigint, OUT rate double precision,
					OUT on_or_after bigint, OUT on_or_after_rate double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_day_retention' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 91;
CREATE FUNCTION rows_skipped(book retention_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_retention_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book retention_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_retention_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION net_outside(retention_book) IS
	'Money that belongs to no cohort: refunds from before a member''s first activity, or of members who were never active; in one made by retention_book_since() all money from before the period in which the member joined. Together with the sum of net over cohort_retention() it is the sum of all amounts, exactly. NULL for a book without amounts.';
COMMENT ON FUNCTION day_retention(retention_book, timestamptz, integer, integer[]) IS
	'N-day retention, from a book of times: one row per day since a member joined, or in a book that does not say when, since their own first time, 0 to last_day. Day N is the 24 hours that begin N * 24 hours after it. as_of: the time up to which the rows go (a timestamp, a date or a bare literal is taken in the time zone of the session), NULL: the latest row. bounds: the first days of brackets, ascending: ''{1,8,31}'' gives one row each for the days 1 to 7, 8 to 30, and 31 to last_day; NULL: single days. day, until_day: the first and the last day of the bracket; members: those for whom until_day has ended by as_of; active: those of them with a row in the bracket; on_or_after: with a row in it or later; rate, on_or_after_rate: the same divided by members. Errors: 22023 if a row is after as_of, last_day is not from 0 to 16777215, bounds are empty, have more than one dimension, do not ascend or are not from 0 to last_day, or the book has calendar periods instead of times; 22004 if last_day or a bound is NULL; 22008 if as_of is infinite.';
COMMENT ON FUNCTION rows_skipped(retention_book) IS 'Number of rows left out because an argument was NULL.';
COMMENT ON FUNCTION member_count(retention_book) IS 'Number of members in the book.';

-- @comparison type=retention_book equality="Books are equal if they hold the same members with the same periods, amounts or times, were made with the same unit and time zone, have the same latest time and skipped as many rows."
