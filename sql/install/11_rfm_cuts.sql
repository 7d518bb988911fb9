-- rfm_cuts: score limits, scores and segments

-- @stored_type type=rfm_cuts in=20 out=20 recv=1 send=1 storage=extended text="a text such as v1 bins=2 members=3 last_order={2026-01-31T12:00:00+00:00} frequency={2} monetary={20.5}, times in UTC"

COMMENT ON TYPE rfm_cuts IS 'Score limits of a population: for each of bins - 1 limits a last order, a frequency and a monetary value. Made by rfm_cuts(), of members or of limits of one''s own, used by rfm_score() and rfm_members(), listed by rfm_limits(); store it to score tomorrow''s members by today''s limits.';

-- The aggregate: collects the values of all members, then finds the limits.

-- @template rfm_cuts_aggregate name
CREATE FUNCTION {name}_step(bigint[], rfm_summary) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_{name}_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION {name}_step(bigint[], rfm_summary, integer) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_{name}_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION {name}_final(bigint[]) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_{name}_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;

CREATE AGGREGATE {name}(summary rfm_summary) (
	SFUNC = {name}_step, STYPE = bigint[], SSPACE = 8192,
	FINALFUNC = {name}_final, COMBINEFUNC = rfm_cuts_combine, PARALLEL = SAFE
);
CREATE AGGREGATE {name}(summary rfm_summary, bins integer) (
	SFUNC = {name}_step, STYPE = bigint[], SSPACE = 8192,
	FINALFUNC = {name}_final, COMBINEFUNC = rfm_cuts_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION {name}_step(bigint[], rfm_summary) IS 'Transition function of the aggregate {name}(rfm_summary).';
COMMENT ON FUNCTION {name}_step(bigint[], rfm_summary, integer) IS 'Transition function of the aggregate {name}(rfm_summary, bins).';
COMMENT ON FUNCTION {name}_final(bigint[]) IS 'Final function of the aggregates {name}.';
-- @end
CREATE FUNCTION rfm_cuts_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION rfm_cuts_combine(bigint[], bigint[]) IS 'Combine function of the aggregates rfm_cuts and rfm_cuts_per_order.';

-- @rfm_cuts_aggregate name=rfm_cuts
-- @rfm_cuts_aggregate name=rfm_cuts_per_order

COMMENT ON AGGREGATE rfm_cuts(rfm_summary) IS
	'Limits of the scores 1 to 5 among members who have orders: percentile_cont at 1/5, 2/5, 3/5 and 4/5 of last order, frequency and monetary (type 7 of Hyndman and Fan 1996). NULLs and members without orders are skipped; if none is left: NULL. Errors: 54000 for more than 33 million members.';
COMMENT ON AGGREGATE rfm_cuts(rfm_summary, integer) IS
	'Limits of the scores 1 to bins (from 2 to 99, the same for all rows) among members who have orders, computed as by rfm_cuts(rfm) for 5. Errors: 22023, 54000 for more than 33 million members.';
COMMENT ON AGGREGATE rfm_cuts_per_order(rfm_summary) IS
	'The same limits as rfm_cuts(rfm_summary), but of monetary those of the mean value of an order, avg_order_value(summary): monetary / frequency. By them, that mean is what makes the monetary score, everywhere. Equal means are equal, of whatever sums.';
COMMENT ON AGGREGATE rfm_cuts_per_order(rfm_summary, integer) IS
	'The same limits as rfm_cuts(rfm_summary, bins), but of monetary those of the mean value of an order, avg_order_value(summary): monetary / frequency. Errors: those of rfm_cuts.';

-- Limits of one's own

CREATE FUNCTION rfm_cuts(last_order timestamptz[], frequency double precision[], monetary double precision[]) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_rfm_cuts_from_limits' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

COMMENT ON FUNCTION rfm_cuts(timestamptz[], double precision[], double precision[]) IS
	'Limits of one''s own as rfm_limits() lists them: as many in each list, one less than there are scores, each list ascending. A last order at or after a limit of last_order scores one more, a frequency or money above a limit does. Errors: 22023 for lists that are empty, of different lengths, longer than 98, not ascending or have NULL in them, for a frequency below 1 or a number that is not finite; 22008 for an infinite time; 22004 for NULL in place of a list.';

-- @template rfm_cuts_in_days name symbol
CREATE FUNCTION {name}(as_of timestamptz, max_recency double precision[], min_frequency double precision[],
					   min_monetary double precision[]) RETURNS rfm_cuts
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
-- @end
-- @rfm_cuts_in_days name=rfm_cuts symbol=rfm_cuts_in_days
-- @rfm_cuts_in_days name=rfm_cuts_per_order symbol=rfm_cuts_per_order_in_days

COMMENT ON FUNCTION rfm_cuts(timestamptz, double precision[], double precision[], double precision[]) IS
	'Limits of one''s own as one says them: who ordered at most max_recency days (24 hours each) before as_of, has at least min_frequency orders, has brought at least min_monetary in money, reaches the next score. Each list has a limit for score 2, 3 and so on, so the days descend and the others ascend; all are of one length. Limits of recency are stored as points in time, so make them anew for another as_of. Errors: 22023 for lists that are empty, of different lengths, longer than 98, in another order or have NULL in them, for days below 0, for a frequency that is not above 1 or a number that is not finite; 22008 for a time out of range; 22004 for NULL.';
COMMENT ON FUNCTION rfm_cuts_per_order(timestamptz, double precision[], double precision[], double precision[]) IS
	'The same limits as rfm_cuts(as_of, max_recency, min_frequency, min_monetary), but min_monetary is the mean value of an order, avg_order_value(summary): monetary / frequency. Errors: those of rfm_cuts.';

-- Scores and segments

CREATE FUNCTION rfm_score(summary rfm_summary, cuts rfm_cuts) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_rfm_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION rfm_segment(score integer) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION rfm_segment(summary rfm_summary, cuts rfm_cuts) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment_by_cuts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION rfm_segment_map(OUT score integer, OUT segment text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_segment_map' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10 ROWS 125;
CREATE FUNCTION rfm_limits(cuts rfm_cuts, OUT bin integer, OUT last_order timestamptz,
						   OUT frequency double precision, OUT monetary double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_rfm_limits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5 ROWS 4;

COMMENT ON FUNCTION rfm_score(rfm_summary, rfm_cuts) IS
	'555-style score: a digit each for recency, frequency and monetary, 5 is best (two digits each if the limits have more than 9 bins). 1 + number of limits below the value; for recency bins - number of limits after the last order. The value of monetary is the total, by limits of rfm_cuts_per_order() the mean of an order. Equal values score equally. NULL without an order.';
COMMENT ON FUNCTION rfm_segment(integer) IS
	'Name of the segment of a 5-bin score, one of 11 (docs/rfm.md lists all 125 scores). Errors: 22023 if it is not such a score.';
COMMENT ON FUNCTION rfm_segment(rfm_summary, rfm_cuts) IS
	'Name of a member''s segment by stored limits for any number of bins (docs/rfm.md); NULL without an order.';
COMMENT ON FUNCTION rfm_segment_map() IS 'All 125 scores of 5 bins with their segments.';
COMMENT ON FUNCTION rfm_limits(rfm_cuts) IS
	'The limits as rows: a frequency or monetary value above limit number bin scores at least bin + 1; so does the recency of a last order at or after last_order. monetary: in money, of rfm_cuts_per_order() that of an order.';

-- @comparison type=rfm_cuts equality="Two sets of limits are equal if and only if their stored bytes are."
