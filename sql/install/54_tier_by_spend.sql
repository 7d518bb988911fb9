-- tier_by_spend: tiers by rolling net spend

CREATE TYPE spend;

CREATE FUNCTION spend_in(cstring) RETURNS spend
	AS 'MODULE_PATHNAME', 'custmart_spend_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION spend_out(spend) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_spend_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION spend_recv(internal) RETURNS spend
	AS 'MODULE_PATHNAME', 'custmart_spend_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION spend_send(spend) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE spend (
	INPUT = spend_in,
	OUTPUT = spend_out,
	RECEIVE = spend_recv,
	SEND = spend_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON FUNCTION spend_in(cstring) IS
	'Input: the type''s name, a colon and the stored bytes in base64. Errors: 22P02 if the text is not one that the output function writes.';
COMMENT ON FUNCTION spend_out(spend) IS
	'Output: the type''s name, a colon and the stored bytes in base64. No setting changes it, and reading it back gives the same bytes.';
COMMENT ON FUNCTION spend_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION spend_send(spend) IS 'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE spend IS
	'What one member spent and got back, moment by moment: equal times are one moment, whose amounts are added exactly. Made by the aggregate spend(occurred_at, amount), merged by rollup() and +, read by tier_by_spend(), tier_history(), rolling_spend() and others. Some ten bytes a moment.';

-- Aggregates and the operator +

CREATE FUNCTION spend_step(spend, timestamptz, numeric) RETURNS spend
	AS 'MODULE_PATHNAME', 'custmart_spend_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION spend_combine(spend, spend) RETURNS spend
	AS 'MODULE_PATHNAME', 'custmart_spend_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
CREATE FUNCTION spend_add(spend, spend) RETURNS spend
	AS 'MODULE_PATHNAME', 'custmart_spend_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE AGGREGATE spend(occurred_at timestamptz, amount numeric) (
	SFUNC = spend_step, STYPE = spend, SSPACE = 512,
	COMBINEFUNC = spend_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(spend) (
	SFUNC = spend_combine, STYPE = spend, SSPACE = 512,
	COMBINEFUNC = spend_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_add, COMMUTATOR = +);

COMMENT ON FUNCTION spend_step(spend, timestamptz, numeric) IS 'Transition function of the aggregate spend.';
COMMENT ON FUNCTION spend_combine(spend, spend) IS
	'Combine function of the aggregate spend, transition function of rollup(spend).';
COMMENT ON FUNCTION spend_add(spend, spend) IS 'Implements the operator +.';
COMMENT ON AGGREGATE spend(timestamptz, numeric) IS
	'Keeps what one member spent, one row = one amount. occurred_at: when; amount: money, below 0 = a refund. Equal times are one moment, their amounts added exactly. Rows with NULL are skipped; no rows: NULL. Errors: 22003 for NaN, infinity, more than 38 digits before or 28 after the point; 22008 for an infinite time; 54000 above 704 MB, which is some 70 million moments.';
COMMENT ON AGGREGATE rollup(spend) IS
	'Merges what the same member spent on different days, partitions or servers; a row must be in one part only. NULLs are skipped; no rows: NULL. Errors: 22003 for a sum out of range, 54000 above 704 MB.';
COMMENT ON OPERATOR + (spend, spend) IS 'Both as one, as if made of all their rows.';

-- Tiers

CREATE FUNCTION rolling_spend(spend, as_of timestamptz, span interval DEFAULT '1 year', timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_rolling_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
CREATE FUNCTION tier_by_spend(spend, as_of timestamptz, limits numeric[], names text[],
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC') RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tier_by_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
CREATE FUNCTION spend_to_next(spend, as_of timestamptz, limits numeric[],
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC') RETURNS numeric
	AS 'MODULE_PATHNAME', 'custmart_spend_to_next' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
CREATE FUNCTION tier_until(spend, as_of timestamptz, limits numeric[],
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC') RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_tier_until' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
CREATE FUNCTION tier_history(spend, as_of timestamptz, limits numeric[], names text[],
	span interval DEFAULT '1 year', unit text DEFAULT 'year', timezone text DEFAULT 'UTC',
	OUT since timestamptz, OUT tier text, OUT rolling_spend numeric, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_tier_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 4;

COMMENT ON FUNCTION rolling_spend(spend, timestamptz, interval, text) IS
	'Net spend, exact, of the time after as_of - span up to and with as_of; 0 if there was none. as_of may be at any time, NULL is the latest amount: those after it are not counted. span: months and days by the clock of timezone, hours as they pass; timezone: a full name or a POSIX rule. NULL for NULL. Errors: 22023 for a span that is not above 0 or an unknown time zone, 22008 for an infinite as_of or span, 22004 for NULL as a parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_by_spend(spend, timestamptz, numeric[], text[], interval, text, text) IS
	'The tier at as_of. An amount that brings the rolling net spend of span up to a limit lifts the member at once; at the end of each calendar period the tier becomes the one that the net of the span before it warrants; nothing else takes a tier away, refunds neither. limits: what each tier but the last begins at, in money, the best first, strictly descending, above 0; names: of the tiers, the best first, one more than limits, the last for the rest; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year: at whose end a tier can be lost; timezone: a full name or a POSIX rule; as_of: not before any amount; NULL: the latest one. NULL for NULL. Errors: 22023 for limits or names that do not fit, a span that is not above 0, an unknown unit or time zone, or an amount after as_of; 22008 for an infinite as_of or span; 22004 for NULL as a parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION spend_to_next(spend, timestamptz, numeric[], interval, text, text) IS
	'How much is missing at as_of for the next better tier: its limit less the rolling net spend, 0 if any next amount will do; NULL in the best tier. limits: what each tier but the last begins at, in money, the best first, strictly descending, above 0; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year: at whose end a tier can be lost; timezone: a full name or a POSIX rule; as_of: not before any amount; NULL: the latest one. NULL for NULL. Errors: 22023 for limits that do not descend or are not above 0, a span that is not above 0, an unknown unit or time zone, or an amount after as_of; 22008 for an infinite as_of or span; 22004 for NULL as a parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_until(spend, timestamptz, numeric[], interval, text, text) IS
	'When the tier that the member has at as_of will be lost if no amount is added: the end of the first calendar period, after as_of, whose net warrants a lower tier; infinity if that is after all times; NULL in the last tier, below which there is none. limits: what each tier but the last begins at, in money, the best first, strictly descending, above 0; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year: at whose end a tier can be lost; timezone: a full name or a POSIX rule; as_of: not before any amount; NULL: the latest one. NULL for NULL. Errors: 22023 for limits that do not descend or are not above 0, a span that is not above 0, an unknown unit or time zone, or an amount after as_of; 22008 for an infinite as_of or span; 22004 for NULL as a parameter, 22003 for a sum that needs more than 76 digits.';
COMMENT ON FUNCTION tier_history(spend, timestamptz, numeric[], text[], interval, text, text) IS
	'Every tier that the member had up to as_of, one row a change, in order. since: from when on; tier: its name; rolling_spend: the net that decided; reason: start (the first amount), upgrade, downgrade. limits: what each tier but the last begins at, in money, the best first, strictly descending, above 0; names: of the tiers, the best first, one more than limits, the last for the rest; span: the length of time whose net spend decides, months and days by the clock of timezone, hours as they pass; unit: day, week, month, quarter or year: at whose end a tier can be lost; timezone: a full name or a POSIX rule; as_of: not before any amount; NULL: the latest one. No rows for NULL. Errors: 22023 for limits or names that do not fit, a span that is not above 0, an unknown unit or time zone, or an amount after as_of; 22008 for an infinite as_of or span; 22004 for NULL as a parameter, 22003 for a sum that needs more than 76 digits.';

-- Comparison

CREATE FUNCTION spend_eq(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_ne(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_lt(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_le(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_gt(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_ge(spend, spend) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_cmp(spend, spend) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_hash(spend) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION spend_hash_extended(spend, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = spend, RIGHTARG = spend, FUNCTION = spend_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS spend_ops DEFAULT FOR TYPE spend USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 spend_cmp(spend, spend);
CREATE OPERATOR CLASS spend_hash_ops DEFAULT FOR TYPE spend USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 spend_hash(spend),
	FUNCTION 2 spend_hash_extended(spend, bigint);

COMMENT ON FUNCTION spend_eq(spend, spend) IS 'Implements the operator =.';
COMMENT ON FUNCTION spend_ne(spend, spend) IS 'Implements the operator <>.';
COMMENT ON FUNCTION spend_lt(spend, spend) IS 'Implements the operator <.';
COMMENT ON FUNCTION spend_le(spend, spend) IS 'Implements the operator <=.';
COMMENT ON FUNCTION spend_gt(spend, spend) IS 'Implements the operator >.';
COMMENT ON FUNCTION spend_ge(spend, spend) IS 'Implements the operator >=.';
COMMENT ON FUNCTION spend_cmp(spend, spend) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION spend_hash(spend) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION spend_hash_extended(spend, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (spend, spend) IS 'Equal. Equal are the same moments with the same amounts, decimals included: if and only if their stored bytes are equal.';
COMMENT ON OPERATOR <> (spend, spend) IS 'Different. Equal are the same moments with the same amounts, decimals included: if and only if their stored bytes are equal.';
COMMENT ON OPERATOR < (spend, spend) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (spend, spend) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (spend, spend) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (spend, spend) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS spend_ops USING btree IS 'Sorts spend for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS spend_hash_ops USING hash IS 'Hashes spend for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY spend_ops USING btree IS 'Sorts spend.';
COMMENT ON OPERATOR FAMILY spend_hash_ops USING hash IS 'Hashes spend.';
