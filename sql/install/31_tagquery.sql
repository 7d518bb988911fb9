-- tagquery: boolean questions about tags

CREATE TYPE tagquery;

CREATE FUNCTION tagquery_in(cstring) RETURNS tagquery
	AS 'MODULE_PATHNAME', 'custmart_tagquery_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagquery_out(tagquery) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_tagquery_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagquery_recv(internal) RETURNS tagquery
	AS 'MODULE_PATHNAME', 'custmart_tagquery_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION tagquery_send(tagquery) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE tagquery (
	INPUT = tagquery_in,
	OUTPUT = tagquery_out,
	RECEIVE = tagquery_recv,
	SEND = tagquery_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON FUNCTION tagquery_in(cstring) IS
	'Input: tags joined by & (and), | (or), ! (not) and parentheses: vip & (ios | "new friend") & !lapsed. ! binds closest, then &, then |. A tag with blanks or one of &|!()"\ stands in double quotes; a backslash makes the next character an ordinary one. Errors: 22P02 with the position of what is wrong, 54000 for more than 65536 tags.';
COMMENT ON FUNCTION tagquery_out(tagquery) IS
	'Output: the query in its canonical form, with quotes and parentheses only where they are needed and without double negations. Reading it back gives the same bytes.';
COMMENT ON FUNCTION tagquery_recv(internal) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. Errors: 22P03, 22021 for a tag that is not UTF-8.';
COMMENT ON FUNCTION tagquery_send(tagquery) IS 'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON TYPE tagquery IS
	'A boolean question about a tagbloom: vip & (ios | android) & !lapsed.';

-- Asking

CREATE FUNCTION tagbloom_matches(tagbloom, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_matches' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_matches_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_matches_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tag_list(tagquery) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_tagquery_tag_list' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagquery_tree(tagquery) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tagquery_tree' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

CREATE OPERATOR @@ (
	LEFTARG = tagbloom, RIGHTARG = tagquery, FUNCTION = tagbloom_matches,
	RESTRICT = tagbloom_matches_sel, JOIN = matchingjoinsel
);

COMMENT ON FUNCTION tagbloom_matches(tagbloom, tagquery) IS 'Implements the operator @@.';
COMMENT ON FUNCTION tagbloom_matches_sel(internal, oid, internal, integer) IS
	'Estimates for the planner the share of rows for which @@ is true, by the most common tags that ANALYZE found, taken to be independent of each other.';
COMMENT ON FUNCTION tag_list(tagquery) IS
	'The tags that a query asks about, each once, in the order of their bytes; to be compared with a dictionary, for a misspelt tag finds nobody.';
COMMENT ON FUNCTION tagquery_tree(tagquery) IS
	'The part of a query that a GIN index can look up: the query without its negated tags. T if there is none, because the query is true of a set without any of its tags; then the whole index is read.';
COMMENT ON OPERATOR @@ (tagbloom, tagquery) IS
	'True if the query is true of the set. A tag that a set which is not exact may have by mistake counts as one that it has: without ! the answer may be wrongly true, with ! wrongly false.';

-- Comparison

CREATE FUNCTION tagquery_eq(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_ne(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_lt(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_le(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_gt(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_ge(tagquery, tagquery) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_stored_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_cmp(tagquery, tagquery) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_hash(tagquery) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_stored_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagquery_hash_extended(tagquery, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_stored_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR = (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR <> (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR < (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR <= (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR > (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR >= (
	LEFTARG = tagquery, RIGHTARG = tagquery, FUNCTION = tagquery_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS tagquery_ops DEFAULT FOR TYPE tagquery USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 tagquery_cmp(tagquery, tagquery);
CREATE OPERATOR CLASS tagquery_hash_ops DEFAULT FOR TYPE tagquery USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 tagquery_hash(tagquery),
	FUNCTION 2 tagquery_hash_extended(tagquery, bigint);

COMMENT ON FUNCTION tagquery_eq(tagquery, tagquery) IS 'Implements the operator =.';
COMMENT ON FUNCTION tagquery_ne(tagquery, tagquery) IS 'Implements the operator <>.';
COMMENT ON FUNCTION tagquery_lt(tagquery, tagquery) IS 'Implements the operator <.';
COMMENT ON FUNCTION tagquery_le(tagquery, tagquery) IS 'Implements the operator <=.';
COMMENT ON FUNCTION tagquery_gt(tagquery, tagquery) IS 'Implements the operator >.';
COMMENT ON FUNCTION tagquery_ge(tagquery, tagquery) IS 'Implements the operator >=.';
COMMENT ON FUNCTION tagquery_cmp(tagquery, tagquery) IS 'Orders two values for btree: below, at or above 0.';
COMMENT ON FUNCTION tagquery_hash(tagquery) IS 'Hash for hash joins and grouping; not stable across major versions.';
COMMENT ON FUNCTION tagquery_hash_extended(tagquery, bigint) IS 'Hash with a seed, for hash partitioning.';
COMMENT ON OPERATOR = (tagquery, tagquery) IS 'Equal. Two queries are equal if and only if their canonical texts are.';
COMMENT ON OPERATOR <> (tagquery, tagquery) IS 'Different. Two queries are equal if and only if their canonical texts are.';
COMMENT ON OPERATOR < (tagquery, tagquery) IS 'Before. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR <= (tagquery, tagquery) IS 'Before or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR > (tagquery, tagquery) IS 'After. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR >= (tagquery, tagquery) IS 'After or equal. The order has no meaning; it serves sorting, DISTINCT and merge joins.';
COMMENT ON OPERATOR CLASS tagquery_ops USING btree IS 'Sorts tagquery for DISTINCT, GROUP BY and merge joins.';
COMMENT ON OPERATOR CLASS tagquery_hash_ops USING hash IS 'Hashes tagquery for hash joins and grouping.';
COMMENT ON OPERATOR FAMILY tagquery_ops USING btree IS 'Sorts tagquery.';
COMMENT ON OPERATOR FAMILY tagquery_hash_ops USING hash IS 'Hashes tagquery.';
