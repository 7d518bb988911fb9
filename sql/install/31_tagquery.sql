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

-- @comparison type=tagquery equality="Two queries are equal if and only if their canonical texts are."
