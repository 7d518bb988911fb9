-- tier_by_spend: tiers by rolling net spend

-- @stored_type type=spend_summary in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE spend_summary IS
	'What one member spent and got back, moment by moment: amounts with the same time are one moment and are added exactly. Made by the aggregate spend(occurred_at, amount), merged by rollup() and +, read by tier_by_spend(), tier_history(), rolling_spend() and others. About ten bytes per moment.';

-- @merge type=spend_summary cost=10 size=512

COMMENT ON AGGREGATE rollup(spend_summary) IS
	'Merges what the same member spent on different days, partitions or servers; each row must be in exactly one part. NULLs are skipped; no rows: NULL. Errors: 22003 for a sum out of range, 54000 above 704 MB.';
COMMENT ON OPERATOR + (spend_summary, spend_summary) IS 'Both as one, as if made of all their rows.';

-- Aggregates

CREATE FUNCTION spend_step(spend_summary, timestamptz, numeric) RETURNS spend_summary
	AS 'MODULE_PATHNAME', 'custmart_spend_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE spend(occurred_at timestamptz, amount numeric) (
	SFUNC = spend_step, STYPE = spend_summary, SSPACE = 512,
	COMBINEFUNC = spend_summary_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION spend_step(spend_summary, timestamptz, numeric) IS 'Transition function of the aggregate spend.';
COMMENT ON AGGREGATE spend(timestamptz, numeric) IS
	'Keeps what one member spent, one row = one amount. occurred_at: when (a timestamp or a date is taken in the time zone of the session); amount: money, below 0 = a refund. Amounts with the same time are one moment and are added exactly. Rows with NULL are skipped; no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time; 54000 above 704 MB, which is some 70 million moments.';

-- Tiers

-- The time as_of is given as a point in time or by the clocks of timezone.  A bare literal is text.
--   suffix: of the C functions
--   type, when: of as_of, and what it says
--   default, needed: where as_of can be omitted, so that what stands behind it has a default as well
-- @template tiers_as_of type when suffix="" volatility=IMMUTABLE default="" needed=""
CREATE FUNCTION rolling_spend(summary spend_summary, as_of {type}{default}, span interval DEFAULT '1 year', timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rolling_spend{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 20;
CREATE FUNCTION tier_by_spend(summary spend_summary, as_of {type}{default}, limits numeric[]{needed}, names text[]{needed},
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC',
	from_zero boolean DEFAULT false, keep_for interval DEFAULT NULL, keep_limits numeric[] DEFAULT NULL, soft_landing boolean DEFAULT false) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tier_by_spend{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION spend_to_next(summary spend_summary, as_of {type}{default}, limits numeric[]{needed},
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC',
	from_zero boolean DEFAULT false, keep_for interval DEFAULT NULL, keep_limits numeric[] DEFAULT NULL, soft_landing boolean DEFAULT false) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_spend_to_next{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION tier_until(summary spend_summary, as_of {type}{default}, limits numeric[]{needed},
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC',
	from_zero boolean DEFAULT false, keep_for interval DEFAULT NULL, keep_limits numeric[] DEFAULT NULL, soft_landing boolean DEFAULT false) RETURNS date
	AS 'MODULE_PATHNAME', 'custmart_tier_until{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100;
CREATE FUNCTION tier_history(summary spend_summary, as_of {type}{default}, limits numeric[]{needed}, names text[]{needed},
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC',
	from_zero boolean DEFAULT false, keep_for interval DEFAULT NULL, keep_limits numeric[] DEFAULT NULL, soft_landing boolean DEFAULT false,
	with_kept boolean DEFAULT false,
	OUT since timestamptz, OUT tier text, OUT rolling_spend numeric, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_tier_history{suffix}' LANGUAGE C {volatility} PARALLEL SAFE COST 100 ROWS 4;

COMMENT ON FUNCTION rolling_spend(spend_summary, {type}, interval, text) IS
	'Net spend, exact, in the time after as_of - span up to and including as_of; 0 if there was none. as_of: {when}; it may be any time, NULL or omitted is the latest amount; amounts after it are not counted. span: months and days by the clock of timezone, hours as they pass; timezone: a full name or a POSIX rule. A NULL spend gives NULL. Errors: 22023 for a span that is not above 0 or an unknown time zone, 22008 for an infinite as_of or span, 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_by_spend(spend_summary, {type}, numeric[], text[], interval, text, text, boolean, interval, numeric[], boolean) IS
	'The tier at as_of. An amount that brings the rolling net spend of span up to a limit lifts the member at once; at the end of each calendar period the tier becomes the one that the net of the span before it warrants, unless it is kept longer; nothing else takes a tier away, not even refunds. limits: where each tier but the last begins, in money, best first, strictly descending, above 0; names: those of the tiers, best first, one more than limits, the last for the rest; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april), at whose end a tier can be lost; timezone: a full name or a POSIX rule; from_zero: true if not the span decides but what was spent since the unit began, and at its end that of the whole unit; keep_for: how long a tier is kept after it was reached (with from_zero: after the unit whose net warrants it), on to the end of the unit in which that ends, months and days by the clock of timezone; NULL: to the next end of a unit (with from_zero: to the end of the next unit); keep_limits: what keeps each tier at an end, in the order of limits, none above the limit to reach it; NULL: limits; soft_landing: true if a member falls one tier at a time; as_of: {when}, not before any amount; NULL or omitted: the latest one. A NULL spend gives NULL. Errors: 22023 for limits or names that do not fit, a span that is not above 0, an unknown unit or time zone, keep_limits that do not fit limits, a part of keep_for below 0, a span beside from_zero, or an amount after as_of; 22008 for an infinite as_of, span or keep_for; 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION spend_to_next(spend_summary, {type}, numeric[], interval, text, text, boolean, interval, numeric[], boolean) IS
	'How much is missing at as_of for the next better tier: its limit less the rolling net spend, 0 if any next amount will do; NULL in the best tier. limits: where each tier but the last begins, in money, best first, strictly descending, above 0; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april), at whose end a tier can be lost; timezone: a full name or a POSIX rule; from_zero: true if not the span decides but what was spent since the unit began, and at its end that of the whole unit; keep_for: how long a tier is kept after it was reached (with from_zero: after the unit whose net warrants it), on to the end of the unit in which that ends, months and days by the clock of timezone; NULL: to the next end of a unit (with from_zero: to the end of the next unit); keep_limits: what keeps each tier at an end, in the order of limits, none above the limit to reach it; NULL: limits; soft_landing: true if a member falls one tier at a time; as_of: {when}, not before any amount; NULL or omitted: the latest one. A NULL spend gives NULL. Errors: 22023 for limits that do not descend or are not above 0, a span that is not above 0, an unknown unit or time zone, keep_limits that do not fit limits, a part of keep_for below 0, a span beside from_zero, or an amount after as_of; 22008 for an infinite as_of, span or keep_for; 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_until(spend_summary, {type}, numeric[], interval, text, text, boolean, interval, numeric[], boolean) IS
	'The day from which on the tier that the member has at as_of will be lost if no amount is added, in timezone: that on which the first calendar period ends, after as_of, whose net warrants a lower tier, and the next one begins; infinity if that is after all times; NULL in the last tier, below which there is no other. limits: where each tier but the last begins, in money, best first, strictly descending, above 0; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april), at whose end a tier can be lost; timezone: a full name or a POSIX rule; from_zero: true if not the span decides but what was spent since the unit began, and at its end that of the whole unit; keep_for: how long a tier is kept after it was reached (with from_zero: after the unit whose net warrants it), on to the end of the unit in which that ends, months and days by the clock of timezone; NULL: to the next end of a unit (with from_zero: to the end of the next unit); keep_limits: what keeps each tier at an end, in the order of limits, none above the limit to reach it; NULL: limits; soft_landing: true if a member falls one tier at a time; as_of: {when}, not before any amount; NULL or omitted: the latest one. A NULL spend gives NULL. Errors: 22023 for limits that do not descend or are not above 0, a span that is not above 0, an unknown unit or time zone, keep_limits that do not fit limits, a part of keep_for below 0, a span beside from_zero, or an amount after as_of; 22008 for an infinite as_of, span or keep_for; 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_history(spend_summary, {type}, numeric[], text[], interval, text, text, boolean, interval, numeric[], boolean, boolean) IS
	'Every tier that the member had up to as_of, one row per change, in order. since: when it began; tier: its name; rolling_spend: the net that decided; reason: start (the first amount), upgrade, downgrade, and with with_kept, which adds a row for each end whose net kept the tier, kept. limits: where each tier but the last begins, in money, best first, strictly descending, above 0; names: those of the tiers, best first, one more than limits, the last for the rest; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year, or with another start week(sunday), quarter(february), year(april), at whose end a tier can be lost; timezone: a full name or a POSIX rule; from_zero: true if not the span decides but what was spent since the unit began, and at its end that of the whole unit; keep_for: how long a tier is kept after it was reached (with from_zero: after the unit whose net warrants it), on to the end of the unit in which that ends, months and days by the clock of timezone; NULL: to the next end of a unit (with from_zero: to the end of the next unit); keep_limits: what keeps each tier at an end, in the order of limits, none above the limit to reach it; NULL: limits; soft_landing: true if a member falls one tier at a time; as_of: {when}, not before any amount; NULL or omitted: the latest one. A NULL spend gives no rows. Errors: 22023 for limits or names that do not fit, a span that is not above 0, an unknown unit or time zone, keep_limits that do not fit limits, a part of keep_for below 0, a span beside from_zero, or an amount after as_of; 22008 for an infinite as_of, span or keep_for; 22004 for a NULL parameter, 22003 for a sum that needs more than 76 digits.';

-- @end

-- @tiers_as_of type=timestamptz when="a point in time" default=" DEFAULT NULL" needed=" DEFAULT NULL"
-- @tiers_as_of type=timestamp suffix=_timestamp when="what the clocks of timezone show"
-- @tiers_as_of type=date suffix=_date when="the start of that day in timezone"
-- @tiers_as_of type=text suffix=_text volatility=STABLE when="what the clocks of timezone show, unless a zone, or a time of day with its offset, is named"

-- @comparison type=spend_summary equality="Two values are equal if they hold the same moments with the same amounts, decimals included, that is, if and only if their stored bytes are equal."
