-- rfm_cuts: score limits, scores and segments

CREATE TYPE rfm_cuts;

CREATE FUNCTION rfm_cuts_in(cstring) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION rfm_cuts_out(rfm_cuts) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION rfm_cuts_recv(internal) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_send(rfm_cuts) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE rfm_cuts (
	INPUT = rfm_cuts_in,
	OUTPUT = rfm_cuts_out,
	RECEIVE = rfm_cuts_recv,
	SEND = rfm_cuts_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE rfm_cuts IS 'Score limits of a population: for each of bins - 1 limits a last order, a frequency and a monetary value. Made by rfm_cuts(), used by rfm_score(), listed by rfm_limits(); store it to score tomorrow''s members by today''s limits.';
COMMENT ON FUNCTION rfm_cuts_in(cstring) IS 'Input: a text such as v1 bins=2 members=3 last_order={2026-01-31T12:00:00+00:00} frequency={2} monetary={20.5}, times in UTC. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION rfm_cuts_out(rfm_cuts) IS 'Output: a text such as v1 bins=2 members=3 last_order={2026-01-31T12:00:00+00:00} frequency={2} monetary={20.5}, times in UTC. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION rfm_cuts_recv(internal) IS 'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION rfm_cuts_send(rfm_cuts) IS 'Binary output: the stored bytes (docs/storage-format.md).';

-- The aggregate: all members' values are collected, then the limits found.

CREATE FUNCTION rfm_cuts_step(bigint[], rfm) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_step(bigint[], rfm, integer) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_final(bigint[]) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;

CREATE AGGREGATE rfm_cuts(rfm) (
	SFUNC = rfm_cuts_step, STYPE = bigint[], SSPACE = 8192,
	FINALFUNC = rfm_cuts_final, COMBINEFUNC = rfm_cuts_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rfm_cuts(rfm, bins integer) (
	SFUNC = rfm_cuts_step, STYPE = bigint[], SSPACE = 8192,
	FINALFUNC = rfm_cuts_final, COMBINEFUNC = rfm_cuts_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION rfm_cuts_step(bigint[], rfm) IS 'Transition function of the aggregate rfm_cuts(rfm).';
COMMENT ON FUNCTION rfm_cuts_step(bigint[], rfm, integer) IS 'Transition function of the aggregate rfm_cuts(rfm, bins).';
COMMENT ON FUNCTION rfm_cuts_combine(bigint[], bigint[]) IS 'Combine function of the aggregates rfm_cuts.';
COMMENT ON FUNCTION rfm_cuts_final(bigint[]) IS 'Final function of the aggregates rfm_cuts.';
COMMENT ON AGGREGATE rfm_cuts(rfm) IS
	'Limits of the scores 1 to 5 among members who have orders: percentile_cont at 1/5, 2/5, 3/5 and 4/5 of last order, frequency and monetary (type 7 of Hyndman and Fan 1996). NULLs and members without orders are skipped; if none is left: NULL. Errors: 54000 for more than 33 million members.';
COMMENT ON AGGREGATE rfm_cuts(rfm, integer) IS
	'Limits of the scores 1 to bins (from 2 to 99, the same for all rows) among members who have orders, as rfm_cuts(rfm) makes them for 5. Errors: 22023, 54000 for more than 33 million members.';

-- Scores and segments

CREATE FUNCTION rfm_score(rfm, rfm_cuts) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_rfm_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION rfm_segment(score integer) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_segment(rfm, rfm_cuts) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment_by_cuts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION rfm_segment_map(OUT score integer, OUT segment text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment_map' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10 ROWS 125;
CREATE FUNCTION rfm_limits(rfm_cuts, OUT bin integer, OUT last_order timestamptz,
						   OUT frequency double precision, OUT monetary double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_limits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5 ROWS 4;

COMMENT ON FUNCTION rfm_score(rfm, rfm_cuts) IS
	'555-style score: recency, frequency and monetary digit, 5 the best (two digits each if the limits have more than 9 bins). 1 + number of limits below the value; for recency bins - number of limits after the last order. Equal values score equally. NULL without an order.';
COMMENT ON FUNCTION rfm_segment(integer) IS
	'Name of the segment of a 5-bin score, one of 11 (docs/rfm.md lists all 125 scores). Errors: 22023 if it is not such a score.';
COMMENT ON FUNCTION rfm_segment(rfm, rfm_cuts) IS
	'Name of a member''s segment by kept limits of any number of bins (docs/rfm.md); NULL without an order.';
COMMENT ON FUNCTION rfm_segment_map() IS 'All 125 scores of 5 bins with their segments.';
COMMENT ON FUNCTION rfm_limits(rfm_cuts) IS
	'The limits as rows: above limit number bin of frequency or monetary a member scores at least bin + 1, from last_order on its recency does.';

-- Comparison

CREATE FUNCTION rfm_cuts_eq(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_ne(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_lt(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_le(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_gt(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_ge(rfm_cuts, rfm_cuts) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_cmp(rfm_cuts, rfm_cuts) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_hash(rfm_cuts) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_cuts_hash_extended(rfm_cuts, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = rfm_cuts, RIGHTARG = rfm_cuts, FUNCTION = rfm_cuts_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS rfm_cuts_ops DEFAULT FOR TYPE rfm_cuts USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 rfm_cuts_cmp(rfm_cuts, rfm_cuts);
CREATE OPERATOR CLASS rfm_cuts_hash_ops DEFAULT FOR TYPE rfm_cuts USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 rfm_cuts_hash(rfm_cuts),
	FUNCTION 2 rfm_cuts_hash_extended(rfm_cuts, bigint);

COMMENT ON FUNCTION rfm_cuts_eq(rfm_cuts, rfm_cuts) IS 'Implements the operator =.';
COMMENT ON FUNCTION rfm_cuts_ne(rfm_cuts, rfm_cuts) IS 'Implements the operator <>.';
COMMENT ON FUNCTION rfm_cuts_lt(rfm_cuts, rfm_cuts) IS 'Implements the operator <.';
COMMENT ON FUNCTION rfm_cuts_le(rfm_cuts, rfm_cuts) IS 'Implements the operator <=.';
COMMENT ON FUNCTION rfm_cuts_gt(rfm_cuts, rfm_cuts) IS 'Implements the operator >.';
COMMENT ON FUNCTION rfm_cuts_ge(rfm_cuts, rfm_cuts) IS 'Implements the operator >=.';
COMMENT ON FUNCTION rfm_cuts_cmp(rfm_cuts, rfm_cuts) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION rfm_cuts_hash(rfm_cuts) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION rfm_cuts_hash_extended(rfm_cuts, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (rfm_cuts, rfm_cuts) IS 'Equal. Two sets of limits are equal if and only if their stored bytes are.';
COMMENT ON OPERATOR <> (rfm_cuts, rfm_cuts) IS 'Different. Two sets of limits are equal if and only if their stored bytes are.';
COMMENT ON OPERATOR < (rfm_cuts, rfm_cuts) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (rfm_cuts, rfm_cuts) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (rfm_cuts, rfm_cuts) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (rfm_cuts, rfm_cuts) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS rfm_cuts_ops USING btree IS 'Sorts rfm_cuts for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS rfm_cuts_hash_ops USING hash IS 'Hashes rfm_cuts for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY rfm_cuts_ops USING btree IS 'Sorts rfm_cuts.';
COMMENT ON OPERATOR FAMILY rfm_cuts_hash_ops USING hash IS 'Hashes rfm_cuts.';
