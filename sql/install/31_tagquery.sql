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
	'Input: tags joined by & (and), | (or), ! (not) and parentheses: vip & (ios | "new friend") & !lapsed. ! binds closest, then &, then |. A tag that contains blanks or one of &|!()"\ is written in double quotes; a backslash escapes the next character. Errors: 22P02 with the position of the mistake, 54000 for more than 65536 tags.';
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
CREATE FUNCTION tag_list(query tagquery) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_tagquery_tag_list' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagquery_tree(query tagquery) RETURNS text
	AS 'MODULE_PATHNAME', 'custmart_tagquery_tree' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

CREATE OPERATOR @@ (
	LEFTARG = tagbloom, RIGHTARG = tagquery, FUNCTION = tagbloom_matches,
	RESTRICT = tagbloom_matches_sel, JOIN = matchingjoinsel
);

COMMENT ON FUNCTION tagbloom_matches(tagbloom, tagquery) IS 'Implements the operator @@.';
COMMENT ON FUNCTION tagbloom_matches_sel(internal, oid, internal, integer) IS
	'Estimates for the planner the share of rows for which @@ is true, from the most common tags found by ANALYZE, assumed to be independent of each other.';
COMMENT ON FUNCTION tag_list(tagquery) IS
	'The tags in a query, each once, in the order of their bytes. Compare them with a dictionary: a misspelt tag finds nobody.';
COMMENT ON FUNCTION tagquery_tree(tagquery) IS
	'The part of a query that a GIN index can look up: the query without its negated tags. T if there is none, because the query is true for a set without any of its tags; then the whole index is read.';
COMMENT ON OPERATOR @@ (tagbloom, tagquery) IS
	'True if the query is true for the set. A false positive of a set that is not exact counts as a tag: without ! the answer may be wrongly true, with ! wrongly false.';

-- @comparison type=tagquery equality="Two queries are equal if and only if their canonical texts are."
