-- rfm: one member's orders summarised

CREATE TYPE rfm;

CREATE FUNCTION rfm_in(cstring) RETURNS rfm
	AS 'MODULE_PATHNAME', 'custmart_rfm_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION rfm_out(rfm) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_rfm_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION rfm_recv(internal) RETURNS rfm
	AS 'MODULE_PATHNAME', 'custmart_rfm_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_send(rfm) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE rfm (
	INPUT = rfm_in,
	OUTPUT = rfm_out,
	RECEIVE = rfm_recv,
	SEND = rfm_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE rfm IS 'One member''s orders: number, net total, refunds, first and last. Made by the aggregate rfm(ordered_at, amount), merged by rollup() and +, read by frequency(), monetary(), recency() and others. Stored in 36 bytes for ever: docs/storage-format.md.';
COMMENT ON FUNCTION rfm_in(cstring) IS 'Input: a text such as v1 frequency=2 refunds=0 monetary=20.50 first_order=2026-01-31T12:00:00+00:00 last_order=2026-02-01T09:30:00+00:00, times in UTC. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION rfm_out(rfm) IS 'Output: a text such as v1 frequency=2 refunds=0 monetary=20.50 first_order=2026-01-31T12:00:00+00:00 last_order=2026-02-01T09:30:00+00:00, times in UTC. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION rfm_recv(internal) IS 'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION rfm_send(rfm) IS 'Binary output: the stored bytes (docs/storage-format.md).';

-- Aggregates and the operator +

CREATE FUNCTION rfm_step(rfm, timestamptz, numeric) RETURNS rfm
	AS 'MODULE_PATHNAME', 'custmart_rfm_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_combine(rfm, rfm) RETURNS rfm
	AS 'MODULE_PATHNAME', 'custmart_rfm_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_add(rfm, rfm) RETURNS rfm
	AS 'MODULE_PATHNAME', 'custmart_rfm_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE AGGREGATE rfm(ordered_at timestamptz, amount numeric) (
	SFUNC = rfm_step, STYPE = rfm, SSPACE = 64,
	COMBINEFUNC = rfm_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(rfm) (
	SFUNC = rfm_combine, STYPE = rfm, SSPACE = 64,
	COMBINEFUNC = rfm_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_add, COMMUTATOR = +);

COMMENT ON FUNCTION rfm_step(rfm, timestamptz, numeric) IS 'Transition function of the aggregate rfm.';
COMMENT ON FUNCTION rfm_combine(rfm, rfm) IS 'Combine function of the aggregate rfm, transition function of rollup(rfm).';
COMMENT ON FUNCTION rfm_add(rfm, rfm) IS 'Implements the operator +.';
COMMENT ON AGGREGATE rfm(timestamptz, numeric) IS
	'Summarises one member''s orders, one row = one order. ordered_at: when; amount: money, below 0 = a refund, which lowers monetary, counts in refunds, is no order and moves no date; 0 is an order. Rows with NULL are skipped; no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time; 54000 for more than 4294967295 orders.';
COMMENT ON AGGREGATE rollup(rfm) IS
	'Merges summaries of the same member made on different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 54000 for more than 4294967295 orders.';
COMMENT ON OPERATOR + (rfm, rfm) IS 'Both summaries as one, as if made of all their orders.';

-- Accessors

CREATE FUNCTION frequency(rfm) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_frequency' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION monetary(rfm) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rfm_monetary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION refunds(rfm) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_rfm_refunds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION first_order(rfm) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_rfm_first_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION last_order(rfm) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_rfm_last_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION avg_order_value(rfm) RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rfm_avg_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION recency(rfm, as_of timestamptz) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_rfm_recency' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tenure(rfm, as_of timestamptz) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_rfm_tenure' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION frequency(rfm) IS 'Number of orders.';
COMMENT ON FUNCTION monetary(rfm) IS 'Net total of all amounts, refunds taken off: equal to sum(amount) to the last digit.';
COMMENT ON FUNCTION refunds(rfm) IS 'Number of refunds (amounts below 0).';
COMMENT ON FUNCTION first_order(rfm) IS 'Time of the first order; NULL without an order.';
COMMENT ON FUNCTION last_order(rfm) IS 'Time of the last order; NULL without an order.';
COMMENT ON FUNCTION avg_order_value(rfm) IS 'monetary / frequency, in money; NULL without an order.';
COMMENT ON FUNCTION recency(rfm, timestamptz) IS 'Days (24 hours each, with fraction) from the last order to as_of; NULL without an order. Errors: 22023 if an order lies after as_of, 22008 if as_of is infinite.';
COMMENT ON FUNCTION tenure(rfm, timestamptz) IS 'Days (24 hours each, with fraction) from the first order to as_of; NULL without an order. Errors: 22023 if an order lies after as_of, 22008 if as_of is infinite.';

-- Comparison

CREATE FUNCTION rfm_eq(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_ne(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_lt(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_le(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_gt(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_ge(rfm, rfm) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cmp(rfm, rfm) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_hash(rfm) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_hash_extended(rfm, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = rfm, RIGHTARG = rfm, FUNCTION = rfm_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS rfm_ops DEFAULT FOR TYPE rfm USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 rfm_cmp(rfm, rfm);
CREATE OPERATOR CLASS rfm_hash_ops DEFAULT FOR TYPE rfm USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 rfm_hash(rfm),
	FUNCTION 2 rfm_hash_extended(rfm, bigint);

COMMENT ON FUNCTION rfm_eq(rfm, rfm) IS 'Implements the operator =.';
COMMENT ON FUNCTION rfm_ne(rfm, rfm) IS 'Implements the operator <>.';
COMMENT ON FUNCTION rfm_lt(rfm, rfm) IS 'Implements the operator <.';
COMMENT ON FUNCTION rfm_le(rfm, rfm) IS 'Implements the operator <=.';
COMMENT ON FUNCTION rfm_gt(rfm, rfm) IS 'Implements the operator >.';
COMMENT ON FUNCTION rfm_ge(rfm, rfm) IS 'Implements the operator >=.';
COMMENT ON FUNCTION rfm_cmp(rfm, rfm) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION rfm_hash(rfm) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION rfm_hash_extended(rfm, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (rfm, rfm) IS 'Equal. Two summaries are equal if and only if their stored bytes are.';
COMMENT ON OPERATOR <> (rfm, rfm) IS 'Different. Two summaries are equal if and only if their stored bytes are.';
COMMENT ON OPERATOR < (rfm, rfm) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (rfm, rfm) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (rfm, rfm) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (rfm, rfm) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS rfm_ops USING btree IS 'Sorts rfm for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS rfm_hash_ops USING hash IS 'Hashes rfm for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY rfm_ops USING btree IS 'Sorts rfm.';
COMMENT ON OPERATOR FAMILY rfm_hash_ops USING hash IS 'Hashes rfm.';
