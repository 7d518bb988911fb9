-- activity: the calendar periods in which one member was active

CREATE TYPE activity;

CREATE FUNCTION activity_in(cstring) RETURNS activity
	AS 'MODULE_PATHNAME', 'custmart_activity_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION activity_out(activity) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_activity_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION activity_recv(internal) RETURNS activity
	AS 'MODULE_PATHNAME', 'custmart_activity_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION activity_send(activity) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE activity (
	INPUT = activity_in,
	OUTPUT = activity_out,
	RECEIVE = activity_recv,
	SEND = activity_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON FUNCTION activity_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION activity_out(activity) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION activity_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION activity_send(activity) IS 'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE activity IS
	'The calendar periods (days, weeks, months, quarters or years of a time zone) in which a member was active, each once. Made by activity(), merged by rollup() and +, read by first_period(), is_active(), streak(), lifecycle() and others, and for all members at once by retention_book(). A byte or two a period.';

-- Aggregates and the operator +

CREATE FUNCTION activity_step(activity, timestamptz, text, text) RETURNS activity
	AS 'MODULE_PATHNAME', 'custmart_activity_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION activity_combine(activity, activity) RETURNS activity
	AS 'MODULE_PATHNAME', 'custmart_activity_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION activity_add(activity, activity) RETURNS activity
	AS 'MODULE_PATHNAME', 'custmart_activity_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE AGGREGATE activity(occurred_at timestamptz, unit text, timezone text) (
	SFUNC = activity_step, STYPE = activity, SSPACE = 512,
	COMBINEFUNC = activity_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(activity) (
	SFUNC = activity_combine, STYPE = activity, SSPACE = 512,
	COMBINEFUNC = activity_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_add, COMMUTATOR = +);

COMMENT ON FUNCTION activity_step(activity, timestamptz, text, text) IS
	'Transition function of the aggregate activity.';
COMMENT ON FUNCTION activity_combine(activity, activity) IS
	'Combine function of the aggregate activity, transition function of rollup(activity).';
COMMENT ON FUNCTION activity_add(activity, activity) IS 'Implements the operator +.';
COMMENT ON AGGREGATE activity(timestamptz, text, text) IS
	'The calendar periods in which a member was active; one row = one sign of activity. occurred_at: when (a date or a timestamp without time zone becomes a point in time by the zone of the session: say AT TIME ZONE); unit: day, week (from Monday, as ISO 8601 has it), month, quarter or year; timezone: the zone whose calendar counts, a full name such as Europe/Berlin or a POSIX rule. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for an unknown unit or time zone, or one that is not the same in all rows; 22008 for an infinite time, or one in a period that begins before 4714-11-24 BC.';
COMMENT ON AGGREGATE rollup(activity) IS
	'The union of activities: from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 22023 if their units or time zones differ.';
COMMENT ON OPERATOR + (activity, activity) IS 'The union: the periods of either, as if made of all their rows.';

-- Reading an activity

CREATE FUNCTION first_period(activity) RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_activity_first_period' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION last_period(activity) RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_activity_last_period' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION active_periods(activity) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_activity_active_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION period_list(activity) RETURNS date[]
	AS 'MODULE_PATHNAME', 'custmart_activity_period_list' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION is_active(activity, day date) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_activity_is_active' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION streak(activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_streak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION streak(activity, day date) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_streak_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION longest_streak(activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_activity_longest_streak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION lifecycle(activity, day date) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_activity_lifecycle' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION first_period(activity) IS 'The first day of the first period of activity.';
COMMENT ON FUNCTION last_period(activity) IS 'The first day of the last period of activity.';
COMMENT ON FUNCTION active_periods(activity) IS 'Number of periods of activity.';
COMMENT ON FUNCTION period_list(activity) IS 'The first days of all periods of activity, ascending.';
COMMENT ON FUNCTION is_active(activity, date) IS
	'Was the member active in the period in which the day lies? day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';
COMMENT ON FUNCTION streak(activity) IS
	'How many periods in a row, up to the last period of activity, the member was active.';
COMMENT ON FUNCTION streak(activity, date) IS
	'How many periods in a row, up to the one in which the day lies, the member was active; 0 if not active in that one. day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';
COMMENT ON FUNCTION longest_streak(activity) IS
	'The largest number of periods in a row in which the member was active.';
COMMENT ON FUNCTION lifecycle(activity, date) IS
	'What the member is in the period in which the day lies: new (active for the first time), returning (active in it and in the one before), resurrecting (active in it, not in the one before, but earlier), dormant (active in the one before, not in it); NULL if neither. day: any day of the period, in the calendar of the activity''s time zone. Errors: 22008 for an infinite day.';

CREATE FUNCTION activity_eq(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_ne(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_lt(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_le(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_gt(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_ge(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_cmp(activity, activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_hash(activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION activity_hash_extended(activity, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS activity_ops DEFAULT FOR TYPE activity USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 activity_cmp(activity, activity);
CREATE OPERATOR CLASS activity_hash_ops DEFAULT FOR TYPE activity USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 activity_hash(activity),
	FUNCTION 2 activity_hash_extended(activity, bigint);

COMMENT ON FUNCTION activity_eq(activity, activity) IS 'Implements the operator =.';
COMMENT ON FUNCTION activity_ne(activity, activity) IS 'Implements the operator <>.';
COMMENT ON FUNCTION activity_lt(activity, activity) IS 'Implements the operator <.';
COMMENT ON FUNCTION activity_le(activity, activity) IS 'Implements the operator <=.';
COMMENT ON FUNCTION activity_gt(activity, activity) IS 'Implements the operator >.';
COMMENT ON FUNCTION activity_ge(activity, activity) IS 'Implements the operator >=.';
COMMENT ON FUNCTION activity_cmp(activity, activity) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION activity_hash(activity) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION activity_hash_extended(activity, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (activity, activity) IS 'Equal. Activities are equal if they have the same unit and time zone and the same periods.';
COMMENT ON OPERATOR <> (activity, activity) IS 'Different. Activities are equal if they have the same unit and time zone and the same periods.';
COMMENT ON OPERATOR < (activity, activity) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (activity, activity) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (activity, activity) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (activity, activity) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS activity_ops USING btree IS 'Sorts activity for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS activity_hash_ops USING hash IS 'Hashes activity for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY activity_ops USING btree IS 'Sorts activity.';
COMMENT ON OPERATOR FAMILY activity_hash_ops USING hash IS 'Hashes activity.';
