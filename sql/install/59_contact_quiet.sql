-- contact: quiet hours, and friends who are new

-- The time is given as a point in time or by the clocks of the time zone.  A bare literal is text.
--   suffix: of the C function
--   type, when: of the time, and what it says
-- @template after_quiet type when suffix="" volatility=IMMUTABLE
CREATE FUNCTION after_quiet(t {type}, quiet_from time, quiet_to time, timezone text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_after_quiet{suffix}' LANGUAGE C {volatility} STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION after_quiet({type}, time, time, text) IS
	'The first moment from t on that is not in quiet hours: t itself, or when they end. t: {when}; quiet_from, quiet_to: times of the day by the clocks of timezone; it is quiet from quiet_from up to but without quiet_to, over midnight if quiet_from is later, and never if both are the same; timezone: a full name such as Europe/Berlin. Exact where clocks change, too: hours that they leave out or show twice are as quiet as the clocks say. NULL if any argument is. Errors: 22023 for a time zone that is not known and for quiet hours from 00:00 to 24:00, 22008 if t is infinite or out of range.';

-- @end

-- @after_quiet type=timestamptz when="a point in time"
-- @after_quiet type=timestamp suffix=_timestamp when="what the clocks of timezone show"
-- @after_quiet type=date suffix=_date when="the start of that day in timezone"
-- @after_quiet type=text suffix=_text volatility=STABLE when="what the clocks of timezone show, unless a zone, or a time of day with its offset, is named"

CREATE FUNCTION friend(frequency bigint, first_order timestamptz, as_of timestamptz,
					   min_orders bigint DEFAULT 3, min_tenure interval DEFAULT '90 days') RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_friend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;

COMMENT ON FUNCTION friend(bigint, timestamptz, timestamptz, bigint, interval) IS
	'Is a member an old friend, or a new one, whom one writes to less? old if frequency >= min_orders and first_order <= as_of - min_tenure, else new. frequency: number of orders; first_order: time of the first one; as_of: the moment to look at (a timestamp, a date or a bare literal is taken in the time zone of the session); min_orders: 1 or more; min_tenure: days and time without months, 0 or more (a day is 24 hours). NULL without orders or a first order. Errors: 22023 if frequency is negative, min_orders is below 1, min_tenure is negative or has months, or first_order is after as_of; 22004 if as_of, min_orders or min_tenure is NULL; 22008 for infinite times.';
