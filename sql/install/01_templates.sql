-- A stored type: its input and output functions, the type, and the comments of the functions.
-- The defaults suit books, whose text form is base64.
--   in, out, recv, send: what each function costs
--   text: describes the text form after "Input: " and "Output: "
-- @template stored_type type in=5000 out=1000 recv=5000 send=1000 storage=external text="the type''s name, a colon and the stored bytes in base64"
CREATE TYPE {type};

CREATE FUNCTION {type}_in(cstring) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {in};
CREATE FUNCTION {type}_out({type}) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_{type}_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {out};
CREATE FUNCTION {type}_recv(internal) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {recv};
CREATE FUNCTION {type}_send({type}) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {send};

CREATE TYPE {type} (
	INPUT = {type}_in,
	OUTPUT = {type}_out,
	RECEIVE = {type}_recv,
	SEND = {type}_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = {storage}
);

COMMENT ON FUNCTION {type}_in(cstring) IS
	'Input: {text}. Errors: 22P02 if the output function would not write such a text.';
COMMENT ON FUNCTION {type}_out({type}) IS
	'Output: {text}. It depends on no setting, and reading it back gives the same bytes.';
COMMENT ON FUNCTION {type}_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03.';
COMMENT ON FUNCTION {type}_send({type}) IS
	'Binary output: the stored bytes (docs/storage-format.md).';
-- @end

-- Merging summaries: the combine function, rollup() and the operator +.  The comments of
-- rollup() and + differ from type to type and follow where the template is used.
--   cost: of merging two summaries
--   size: of a summary in bytes, roughly, for SSPACE
--   support: a clause with the planner support of the combine function
-- @template merge type cost=1000 size=65536 support=""
-- Merging

CREATE FUNCTION {type}_combine({type}, {type}) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST {cost}{support};
CREATE FUNCTION {type}_add({type}, {type}) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {cost};

CREATE AGGREGATE rollup(summary {type}) (
	SFUNC = {type}_combine, STYPE = {type}, SSPACE = {size},
	COMBINEFUNC = {type}_combine, PARALLEL = SAFE
);
CREATE OPERATOR + (LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_add, COMMUTATOR = +);

COMMENT ON FUNCTION {type}_combine({type}, {type}) IS
	'Combine function of the aggregates that return {type}, transition function of rollup({type}).';
COMMENT ON FUNCTION {type}_add({type}, {type}) IS 'Implements the operator +.';
-- @end

-- Comparison: everything that equality, sorting, grouping and hashing need.
--   equality: a sentence that says when two values are equal
--   cost: of comparing two values
-- @template comparison type equality cost=1
-- Comparison

-- @each op eq ne lt le gt ge
CREATE FUNCTION {type}_{op}({type}, {type}) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_{op}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {cost};
-- @end
CREATE FUNCTION {type}_cmp({type}, {type}) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {cost};
CREATE FUNCTION {type}_hash({type}) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {cost};
CREATE FUNCTION {type}_hash_extended({type}, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST {cost};

CREATE OPERATOR = (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = {type}, RIGHTARG = {type}, FUNCTION = {type}_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS {type}_ops DEFAULT FOR TYPE {type} USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 {type}_cmp({type}, {type});
CREATE OPERATOR CLASS {type}_hash_ops DEFAULT FOR TYPE {type} USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 {type}_hash({type}),
	FUNCTION 2 {type}_hash_extended({type}, bigint);

COMMENT ON FUNCTION {type}_eq({type}, {type}) IS 'Implements the operator =.';
COMMENT ON FUNCTION {type}_ne({type}, {type}) IS 'Implements the operator <>.';
COMMENT ON FUNCTION {type}_lt({type}, {type}) IS 'Implements the operator <.';
COMMENT ON FUNCTION {type}_le({type}, {type}) IS 'Implements the operator <=.';
COMMENT ON FUNCTION {type}_gt({type}, {type}) IS 'Implements the operator >.';
COMMENT ON FUNCTION {type}_ge({type}, {type}) IS 'Implements the operator >=.';
COMMENT ON FUNCTION {type}_cmp({type}, {type}) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION {type}_hash({type}) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION {type}_hash_extended({type}, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = ({type}, {type}) IS 'Equal. {equality}';
COMMENT ON OPERATOR <> ({type}, {type}) IS 'Different. {equality}';
COMMENT ON OPERATOR < ({type}, {type}) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= ({type}, {type}) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > ({type}, {type}) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= ({type}, {type}) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS {type}_ops USING btree IS 'Sorts {type} for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS {type}_hash_ops USING hash IS 'Hashes {type} for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY {type}_ops USING btree IS 'Sorts {type}.';
COMMENT ON OPERATOR FAMILY {type}_hash_ops USING hash IS 'Hashes {type}.';
-- @end
