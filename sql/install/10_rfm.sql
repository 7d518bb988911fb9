-- rfm: one member's orders summarised

-- @stored_type type=rfm_summary in=10 out=10 recv=1 send=1 storage=extended text="a text such as v1 frequency=2 refunds=0 monetary=20.50 first_order=2026-01-31T12:00:00+00:00 last_order=2026-02-01T09:30:00+00:00, times in UTC"

COMMENT ON TYPE rfm_summary IS 'One member''s orders: number, net total, refunds, first and last. Made by the aggregate rfm(occurred_at, amount) or, of what is already aggregated, by the function rfm(frequency, monetary, first_order, last_order), merged by rollup() and +, read by frequency(), monetary(), recency() and others. 36 bytes, in a format that will not change: docs/storage-format.md.';

-- @merge type=rfm_summary cost=1 size=64

COMMENT ON AGGREGATE rollup(rfm_summary) IS
	'Merges summaries of the same member made on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 54000 for more than 4294967295 orders.';
COMMENT ON OPERATOR + (rfm_summary, rfm_summary) IS 'Both summaries as one, as if made of all their orders.';

-- Aggregates

CREATE FUNCTION rfm_step(rfm_summary, timestamptz, numeric) RETURNS rfm_summary
	AS 'MODULE_PATHNAME', 'custmart_rfm_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE rfm(occurred_at timestamptz, amount numeric) (
	SFUNC = rfm_step, STYPE = rfm_summary, SSPACE = 64,
	COMBINEFUNC = rfm_summary_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION rfm_step(rfm_summary, timestamptz, numeric) IS 'Transition function of the aggregate rfm.';
COMMENT ON AGGREGATE rfm(timestamptz, numeric) IS
	'Summarises one member''s orders, one row = one order. occurred_at: when (a timestamp or a date is taken in the time zone of the session); amount: money, below 0 = a refund, which lowers monetary, counts in refunds, is not an order and moves no date; 0 is an order. Rows with NULL are skipped; no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time; 54000 for more than 4294967295 orders.';

-- From what is already aggregated

CREATE FUNCTION rfm(frequency bigint, monetary numeric, first_order timestamptz, last_order timestamptz, refunds bigint DEFAULT 0) RETURNS rfm_summary
	AS 'MODULE_PATHNAME', 'custmart_rfm_from_figures' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

COMMENT ON FUNCTION rfm(bigint, numeric, timestamptz, timestamptz, bigint) IS
	'A summary of figures that are already at hand. frequency: number of orders; monetary: net total, less refunds; first_order, last_order: their times, NULL if and only if frequency is 0; refunds: number of refunds. NULL for frequency, monetary or refunds gives NULL. Errors: 22023 for figures that no member can have: numbers below 0 or above 4294967295, neither orders nor refunds, a first order later than the last, money below 0 without a refund; 22004 for a NULL time where there are orders; 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time.';

-- Accessors

CREATE FUNCTION frequency(summary rfm_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_frequency' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION monetary(summary rfm_summary) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rfm_monetary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION refunds(summary rfm_summary) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_refunds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION first_order(summary rfm_summary) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_rfm_first_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION last_order(summary rfm_summary) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_rfm_last_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION avg_order_value(summary rfm_summary) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rfm_avg_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION recency(summary rfm_summary, as_of timestamptz DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_rfm_recency' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tenure(summary rfm_summary, as_of timestamptz DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_rfm_tenure' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

COMMENT ON FUNCTION frequency(rfm_summary) IS 'Number of orders.';
COMMENT ON FUNCTION monetary(rfm_summary) IS 'Net total of all amounts, less refunds: equal to sum(amount) to the last digit.';
COMMENT ON FUNCTION refunds(rfm_summary) IS 'Number of refunds (amounts below 0).';
COMMENT ON FUNCTION first_order(rfm_summary) IS 'Time of the first order; NULL without an order.';
COMMENT ON FUNCTION last_order(rfm_summary) IS 'Time of the last order; NULL without an order.';
COMMENT ON FUNCTION avg_order_value(rfm_summary) IS 'monetary / frequency, in money; NULL without an order.';
COMMENT ON FUNCTION recency(rfm_summary, timestamptz) IS 'Days (24 hours each, with fraction) from the last order to as_of; NULL without an order. as_of: NULL or omitted = the latest row known, which of one member is their last order, so recency is 0; give the time from which to look back. Errors: 22023 if an order lies after as_of, 22008 if as_of is infinite.';
COMMENT ON FUNCTION tenure(rfm_summary, timestamptz) IS 'Days (24 hours each, with fraction) from the first order to as_of; NULL without an order. as_of: NULL or omitted = the latest row known, which of one member is their last order, so tenure is the time from the first order to the last; give the time from which to look back. Errors: 22023 if an order lies after as_of, 22008 if as_of is infinite.';

-- @comparison type=rfm_summary equality="Two summaries are equal if and only if their stored bytes are."
