-- activity: the calendar periods in which one member was active

-- @stored_type type=activity_summary in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE activity_summary IS
	'The calendar periods (days, weeks, months, quarters or years of a time zone) in which a member was active, each once. Made by activity(), merged by rollup() and +, read by first_period(), is_active(), streak(), lifecycle() and others, and for all members at once by retention_book(). A byte or two per period.';

-- @merge type=activity_summary cost=10 size=512

COMMENT ON AGGREGATE rollup(activity_summary) IS
	'The union of activities from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if their units or time zones differ.';
COMMENT ON OPERATOR + (activity_summary, activity_summary) IS 'The union: the periods of either, as if made of all their rows.';

-- Aggregates

-- Of points in time, of what the clocks of the time zone show, and of days there.
--   step: the transition function
--   type, when: of occurred_at, and what it says
-- @template activity_of step type when
CREATE FUNCTION {step}(activity_summary, {type}, text, text) RETURNS activity_summary
	AS 'MODULE_PATHNAME', 'custmart_{step}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE activity(occurred_at {type}, unit text, timezone text) (
	SFUNC = {step}, STYPE = activity_summary, SSPACE = 512,
	COMBINEFUNC = activity_summary_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION {step}(activity_summary, {type}, text, text) IS
	'Transition function of the aggregate activity.';
COMMENT ON AGGREGATE activity({type}, text, text) IS
	'The calendar periods in which a member was active; one row = one sign of activity. occurred_at: {when}; unit: day, week (from Monday, as in ISO 8601), month, quarter or year, or with another start week(sunday), quarter(february), year(april); timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC.';
-- @end

-- @activity_of step=activity_step type=timestamptz when="when"
-- @activity_of step=activity_step_timestamp type=timestamp when="when, by the clocks of timezone; the zone of the session does not matter"
-- @activity_of step=activity_step_date type=date when="the day, in timezone; the zone of the session does not matter"

-- Reading an activity

CREATE FUNCTION first_period(summary activity_summary) RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_activity_first_period' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION last_period(summary activity_summary) RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_activity_last_period' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION active_periods(summary activity_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_activity_active_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION period_list(summary activity_summary) RETURNS date[]
	AS 'MODULE_PATHNAME', 'custmart_activity_period_list' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION is_active(summary activity_summary, day date) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_activity_is_active' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION streak(summary activity_summary) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_streak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION streak(summary activity_summary, day date) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_streak_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION longest_streak(summary activity_summary) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_longest_streak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION lifecycle(summary activity_summary, day date) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_activity_lifecycle' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION first_period(activity_summary) IS 'The first day of the first period of activity.';
COMMENT ON FUNCTION last_period(activity_summary) IS 'The first day of the last period of activity.';
COMMENT ON FUNCTION active_periods(activity_summary) IS 'Number of periods of activity.';
COMMENT ON FUNCTION period_list(activity_summary) IS 'The first days of all periods of activity, ascending.';
COMMENT ON FUNCTION is_active(activity_summary, date) IS
	'Was the member active in the period in which the day lies? day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';
COMMENT ON FUNCTION streak(activity_summary) IS
	'How many periods in a row, up to the last period of activity, the member was active.';
COMMENT ON FUNCTION streak(activity_summary, date) IS
	'How many periods in a row, up to the one in which the day lies, the member was active; 0 if not active in that one. day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';
COMMENT ON FUNCTION longest_streak(activity_summary) IS
	'The largest number of periods in a row in which the member was active.';
COMMENT ON FUNCTION lifecycle(activity_summary, date) IS
	'What the member is in the period in which the day lies: new (active for the first time), returning (active in it and in the one before), resurrecting (active in it, not in the one before, but earlier), dormant (active in the one before, not in it); NULL if active in neither. day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';

-- @comparison type=activity_summary equality="Activities are equal if they have the same unit and time zone and the same periods."
