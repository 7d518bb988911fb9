-- tier_by_spend: accounts of points that lapse, the oldest first

-- @stored_type type=points_summary in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE points_summary IS
	'The points that one member earned and redeemed, moment by moment: what was earned at the same time is added exactly, and so is what was redeemed. Made by the aggregate points(occurred_at, points), merged by rollup() and +, read by points_balance(), points_lapses(), points_history() and others. About ten bytes per moment.';

-- @merge type=points_summary cost=10 size=512

COMMENT ON AGGREGATE rollup(points_summary) IS
	'Merges the points of the same member on different days, partitions or servers; each row must be in exactly one part. NULLs are skipped; no rows: NULL. Errors: 22003 for a sum out of range, 54000 above 704 MB.';
COMMENT ON OPERATOR + (points_summary, points_summary) IS 'Both as one, as if made of all their rows.';

-- Aggregates

CREATE FUNCTION points_step(points_summary, timestamptz, numeric) RETURNS points_summary
	AS 'MODULE_PATHNAME', 'custmart_points_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE points(occurred_at timestamptz, points numeric) (
	SFUNC = points_step, STYPE = points_summary, SSPACE = 512,
	COMBINEFUNC = points_summary_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION points_step(points_summary, timestamptz, numeric) IS 'Transition function of the aggregate points.';
COMMENT ON AGGREGATE points(timestamptz, numeric) IS
	'Keeps the points of one member, one row = points that were earned or redeemed. occurred_at: when (a timestamp or a date is taken in the time zone of the session); points: earned, below 0 = redeemed. What is earned and what is redeemed at the same time are kept apart, each added exactly. Rows with NULL are skipped; no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time; 54000 above 704 MB, which is some 70 million moments.';

-- Accounts

-- The time as_of, as in tier_by_spend.
--   suffix: of the C functions
--   type, when: of as_of, and what it says
--   default: where as_of can be omitted
-- @template points_as_of type when suffix="" volatility=IMMUTABLE default=""
CREATE FUNCTION points_balance(summary points_summary, as_of {type}{default}, valid_for interval DEFAULT '1 year', unit text DEFAULT 'day', timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_points_balance{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION points_lapsed(summary points_summary, as_of {type}{default}, valid_for interval DEFAULT '1 year', unit text DEFAULT 'day', timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_points_lapsed{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION points_until(summary points_summary, as_of {type}{default}, valid_for interval DEFAULT '1 year', unit text DEFAULT 'day', timezone text DEFAULT 'UTC') RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_points_until{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION points_earned(summary points_summary, as_of {type}{default}, timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_points_earned{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 20;
CREATE FUNCTION points_redeemed(summary points_summary, as_of {type}{default}, timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_points_redeemed{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 20;
CREATE FUNCTION points_lapses(summary points_summary, as_of {type}{default}, valid_for interval DEFAULT '1 year', unit text DEFAULT 'day', timezone text DEFAULT 'UTC',
	OUT lapses_on date, OUT points numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_points_lapses{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 10;
CREATE FUNCTION points_history(summary points_summary, as_of {type}{default}, valid_for interval DEFAULT '1 year', unit text DEFAULT 'day', timezone text DEFAULT 'UTC',
	OUT at timestamptz, OUT change numeric, OUT balance numeric, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_points_history{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 20;

COMMENT ON FUNCTION points_balance(points_summary, {type}, interval, text, text) IS
	'Points that can be redeemed at as_of, exact: earned less redeemed less lapsed. What is redeemed uses up the oldest points, those of the same time included; redeemed beyond the balance makes it negative, and points earned later fill that up first. valid_for: how long points last, on to the end of the unit in which that ends, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: a full name or a POSIX rule; as_of: {when}; it may be any time, NULL or omitted is the latest entry; later entries are not counted, and what lapses at as_of has lapsed. A NULL summary gives NULL. Errors: 22023 for a part of valid_for below 0 or an unknown unit or time zone, 22008 for an infinite as_of or valid_for, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_lapsed(points_summary, {type}, interval, text, text) IS
	'Points that have lapsed up to as_of, all in all and exact: those not redeemed when valid_for was over. Of two times the difference is what lapsed in between. valid_for: how long points last, on to the end of the unit in which that ends, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: a full name or a POSIX rule; as_of: {when}; it may be any time, NULL or omitted is the latest entry; later entries are not counted, and what lapses at as_of has lapsed. A NULL summary gives NULL. Errors: 22023 for a part of valid_for below 0 or an unknown unit or time zone, 22008 for an infinite as_of or valid_for, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_until(points_summary, {type}, interval, text, text) IS
	'The day, in timezone, from which on the oldest of the points that the member has at as_of are lapsed if none are redeemed; infinity if that is after all times; NULL if there are none. valid_for: how long points last, on to the end of the unit in which that ends, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: a full name or a POSIX rule; as_of: {when}; it may be any time, NULL or omitted is the latest entry; later entries are not counted, and what lapses at as_of has lapsed. A NULL summary gives NULL. Errors: 22023 for a part of valid_for below 0 or an unknown unit or time zone, 22008 for an infinite as_of or valid_for, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_earned(points_summary, {type}, text) IS
	'Points that were earned up to as_of, all in all and exact. as_of: {when}; it may be any time, NULL or omitted is the latest entry; timezone: a full name or a POSIX rule. A NULL summary gives NULL. Errors: 22023 for an unknown time zone, 22008 for an infinite as_of, 22004 for a NULL timezone, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_redeemed(points_summary, {type}, text) IS
	'Points that were redeemed up to as_of, all in all and exact, as a number not below 0, with what was redeemed beyond the balance. as_of: {when}; it may be any time, NULL or omitted is the latest entry; timezone: a full name or a POSIX rule. A NULL summary gives NULL. Errors: 22023 for an unknown time zone, 22008 for an infinite as_of, 22004 for a NULL timezone, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_lapses(points_summary, {type}, interval, text, text) IS
	'What of the balance at as_of will lapse, and when, if no points are redeemed: one row per day, in order. lapses_on: the first day, in timezone, without them; points: how many. Points that last for all times are not among them. valid_for: how long points last, on to the end of the unit in which that ends, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: a full name or a POSIX rule; as_of: {when}; it may be any time, NULL or omitted is the latest entry; later entries are not counted, and what lapses at as_of has lapsed. A NULL summary gives no rows. Errors: 22023 for a part of valid_for below 0 or an unknown unit or time zone, 22008 for an infinite as_of or valid_for, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION points_history(points_summary, {type}, interval, text, text) IS
	'The account of a member up to as_of, line by line, in order. at: when; change: points, below 0 where they were redeemed or lapsed; balance: after that; reason: earned, redeemed or lapsed. At one time points lapse first, then points are earned, then redeemed. valid_for: how long points last, on to the end of the unit in which that ends, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: a full name or a POSIX rule; as_of: {when}; it may be any time, NULL or omitted is the latest entry; later entries are not counted, and what lapses at as_of has lapsed. A NULL summary gives no rows. Errors: 22023 for a part of valid_for below 0 or an unknown unit or time zone, 22008 for an infinite as_of or valid_for, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';

-- @end

-- @points_as_of type=timestamptz when="a point in time" default=" DEFAULT NULL"
-- @points_as_of type=timestamp suffix=_timestamp when="what the clocks of timezone show"
-- @points_as_of type=date suffix=_date when="the start of that day in timezone"
-- @points_as_of type=text suffix=_text volatility=STABLE when="what the clocks of timezone show, unless a zone, or a time of day with its offset, is named"

-- @comparison type=points_summary equality="Two values are equal if they hold the same entries with the same points, decimals included, that is, if and only if their stored bytes are equal."
