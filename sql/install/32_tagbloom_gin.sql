-- The GIN index of tagbloom

CREATE FUNCTION tagbloom_gin_value(tagbloom, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_gin_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_gin_query(tagbloom, internal, smallint, internal, internal, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION tagbloom_gin_consistent(internal, smallint, tagbloom, integer, internal, internal, internal) RETURNS "char"
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_gin_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR CLASS tagbloom_gin_ops DEFAULT FOR TYPE tagbloom USING gin AS
	OPERATOR 1 ? (tagbloom, text),
	OPERATOR 2 ?| (tagbloom, text[]),
	OPERATOR 3 ?& (tagbloom, text[]),
	OPERATOR 4 @> (tagbloom, tagbloom),
	OPERATOR 5 @@ (tagbloom, tagquery),
	FUNCTION 1 btint8cmp(bigint, bigint),
	FUNCTION 2 tagbloom_gin_value(tagbloom, internal, internal),
	FUNCTION 3 tagbloom_gin_query(tagbloom, internal, smallint, internal, internal, internal, internal),
	FUNCTION 6 tagbloom_gin_consistent(internal, smallint, tagbloom, integer, internal, internal, internal),
	STORAGE bigint;

COMMENT ON FUNCTION tagbloom_gin_value(tagbloom, internal, internal) IS
	'GIN support: the keys of a set are its hashes; a filter has the NULL key.';
COMMENT ON FUNCTION tagbloom_gin_query(tagbloom, internal, smallint, internal, internal, internal, internal) IS
	'GIN support: the keys to look up for ?, ?|, ?&, @> and @@, of a query those of the tags that it asks for, not the negated ones.';
COMMENT ON FUNCTION tagbloom_gin_consistent(internal, smallint, tagbloom, integer, internal, internal, internal) IS
	'GIN support: whether a row with some of the keys answers the query; filters and negated tags are rechecked.';
COMMENT ON OPERATOR CLASS tagbloom_gin_ops USING gin IS
	'Looks up tags: ?, ?|, ?&, @> and @@. Sets that are filters are candidates of every search and are rechecked.';
COMMENT ON OPERATOR FAMILY tagbloom_gin_ops USING gin IS
	'Looks up tags.';
