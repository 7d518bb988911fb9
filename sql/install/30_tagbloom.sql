-- tagbloom: a set of tags in few bytes

CREATE TYPE tagbloom;

CREATE FUNCTION tagbloom_in(cstring, oid, integer) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagbloom_out(tagbloom) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION tagbloom_recv(internal, oid, integer) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_send(tagbloom) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_stored_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_typanalyze' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE tagbloom (
	INPUT = tagbloom_in,
	OUTPUT = tagbloom_out,
	RECEIVE = tagbloom_recv,
	SEND = tagbloom_send,
	TYPMOD_IN = tagbloom_typmod_in,
	TYPMOD_OUT = tagbloom_typmod_out,
	ANALYZE = tagbloom_typanalyze,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON FUNCTION tagbloom_in(cstring, oid, integer) IS
	'Input: tags written like an array, {vip,"new friend"}, NULLs left out, or the text that the output function writes. A filter smaller than tagbloom(n) calls for is raised. Errors: 22P02 if the text is neither, or a tag is empty or over 1024 bytes.';
COMMENT ON FUNCTION tagbloom_out(tagbloom) IS
	'Output: tagbloom: and the stored bytes in base64. The tags themselves are not kept and cannot be written; tag_list() finds those of a dictionary. Reading the text back gives the same bytes.';
COMMENT ON FUNCTION tagbloom_recv(internal, oid, integer) IS
	'Binary input: the stored bytes (docs/storage-format.md), checked. A filter smaller than tagbloom(n) calls for is raised. Errors: 22P03.';
COMMENT ON FUNCTION tagbloom_send(tagbloom) IS 'Binary output: the stored bytes (docs/storage-format.md).';
COMMENT ON FUNCTION tagbloom_typmod_in(cstring[]) IS
	'Input of the n of tagbloom(n), the number of tags expected. Errors: 22023 if there is not one number from 1 to 63573348.';
COMMENT ON FUNCTION tagbloom_typmod_out(integer) IS 'Output of the n of tagbloom(n).';
COMMENT ON FUNCTION tagbloom_typanalyze(internal) IS
	'Sets up ANALYZE of a tagbloom column, which keeps, besides the usual statistics, the hashes of the most common tags and the share of rows that have each.';
COMMENT ON TYPE tagbloom IS
	'A set of tags: exact up to 32 (their XXH64 hashes), above that a split-block Bloom filter as in the Parquet format, with at most 0.1 % false positives when it is made. It never says that a tag is missing that was put in. tagbloom(n) is for sets of about n tags: a filter in such a column is at least of the size for n.';

-- Size

CREATE FUNCTION tagbloom(tags tagbloom, typmod integer, is_explicit boolean) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_resize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE CAST (tagbloom AS tagbloom) WITH FUNCTION tagbloom(tagbloom, integer, boolean) AS IMPLICIT;

COMMENT ON FUNCTION tagbloom(tagbloom, integer, boolean) IS
	'The cast to tagbloom(n). An exact set stays as it is. A filter smaller than the size for n tags is raised to it, each block repeated: it gains room for tags to come and keeps its rate of false positives. A larger one is kept in an assignment, and halved to that size by an explicit cast, x::tagbloom(n): fewer bytes, more false positives.';
COMMENT ON CAST (tagbloom AS tagbloom) IS
	'Brings a filter to the size of tagbloom(n).';

-- Making sets

CREATE FUNCTION tags(VARIADIC tags text[]) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tags' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION tags(document jsonb) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tags_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION tags_if(VARIADIC pairs "any") RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tags_if' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;

CREATE CAST (text[] AS tagbloom) WITH FUNCTION tags(text[]) AS ASSIGNMENT;

COMMENT ON FUNCTION tags(text[]) IS
	'The set of these tags, each of 1 to 1024 bytes of UTF-8. NULLs are left out, so CASE WHEN ... THEN ''vip'' END can be one. Errors: 22023 for an empty tag or one that is too long.';
COMMENT ON FUNCTION tags(jsonb) IS
	'The set of the elements of an array, or of key=value for each key of an object and each element of a value that is an array. Numbers and booleans are tags as jsonb writes them, nulls are left out. Errors: 22023 for deeper nesting, for a jsonb that is neither an array nor an object, for an empty tag or one that is too long.';
COMMENT ON FUNCTION tags_if("any") IS
	'The set of the tags whose condition is true: tags_if(''vip'', revenue > 1000, ''lapsed'', last_order < ''2026-01-01''). Arguments are pairs of a text and a boolean; a pair with NULL in it is left out. Errors: 22023 for an odd number of arguments, an empty tag or one that is too long, 42804 for other types.';
COMMENT ON CAST (text[] AS tagbloom) IS
	'The set of the elements of an array, as tags() makes it.';

-- Aggregates

CREATE FUNCTION tag_agg_step(bytea, text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_tag_agg_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tag_agg_step(bytea, text, integer) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_tag_agg_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_rollup_step(bytea, tagbloom) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_rollup_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tag_agg_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'custmart_tag_agg_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE FUNCTION tag_agg_final(bytea) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tag_agg_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE tag_agg(tag text) (
	SFUNC = tag_agg_step, STYPE = bytea, SSPACE = 128,
	FINALFUNC = tag_agg_final, COMBINEFUNC = tag_agg_combine, PARALLEL = SAFE
);
CREATE AGGREGATE tag_agg(tag text, expected integer) (
	SFUNC = tag_agg_step, STYPE = bytea, SSPACE = 128,
	FINALFUNC = tag_agg_final, COMBINEFUNC = tag_agg_combine, PARALLEL = SAFE
);
CREATE AGGREGATE rollup(tagbloom) (
	SFUNC = tagbloom_rollup_step, STYPE = bytea, SSPACE = 256,
	FINALFUNC = tag_agg_final, COMBINEFUNC = tag_agg_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION tag_agg_step(bytea, text) IS 'Transition function of the aggregate tag_agg(text).';
COMMENT ON FUNCTION tag_agg_step(bytea, text, integer) IS
	'Transition function of the aggregate tag_agg(text, integer).';
COMMENT ON FUNCTION tagbloom_rollup_step(bytea, tagbloom) IS
	'Transition function of the aggregate rollup(tagbloom).';
COMMENT ON FUNCTION tag_agg_combine(bytea, bytea) IS
	'Combine function of the aggregates tag_agg and rollup(tagbloom).';
COMMENT ON FUNCTION tag_agg_final(bytea) IS 'Final function of the aggregates tag_agg and rollup(tagbloom).';
COMMENT ON AGGREGATE tag_agg(text) IS
	'The set of all tags of the rows; NULLs are left out, no tags: NULL. For more than 32 different tags it is a filter of the smallest size that keeps the rate of false positives at 0.1 % or below. The bytes are the same whatever the order of rows and however they were split. Errors: 22023 for an empty tag or one over 1024 bytes, 54000 for more than 63573348 different tags.';
COMMENT ON AGGREGATE tag_agg(text, integer) IS
	'tag_agg(text) for a set that will be added to: if it becomes a filter, it has room for the expected number of tags (the same number for all rows, from 1 to 63573348). Errors: 22023, 54000.';
COMMENT ON AGGREGATE rollup(tagbloom) IS
	'The union of sets; NULLs are left out, no sets: NULL. The union of exact sets is what tag_agg(text) makes of all their tags; with filters among them it is a filter of the size of the largest, or of the size that the tags of the exact sets call for, if that is larger. The bytes are the same whatever the order of rows and however they were split. Errors: 54000 for more than 63573348 different tags.';

-- What a set has

CREATE FUNCTION tagbloom_has(tagbloom, text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_has_all(tagbloom, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_has_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_has_any(tagbloom, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_has_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_contains(tagbloom, tagbloom) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_contained(tagbloom, tagbloom) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_contained' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_has_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_has_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_has_any_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_has_any_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION tagbloom_contained_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_contained_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;

CREATE OPERATOR ? (
	LEFTARG = tagbloom, RIGHTARG = text, FUNCTION = tagbloom_has,
	RESTRICT = tagbloom_has_sel, JOIN = matchingjoinsel
);
CREATE OPERATOR ?& (
	LEFTARG = tagbloom, RIGHTARG = text[], FUNCTION = tagbloom_has_all,
	RESTRICT = tagbloom_has_sel, JOIN = matchingjoinsel
);
CREATE OPERATOR ?| (
	LEFTARG = tagbloom, RIGHTARG = text[], FUNCTION = tagbloom_has_any,
	RESTRICT = tagbloom_has_any_sel, JOIN = matchingjoinsel
);
CREATE OPERATOR @> (
	LEFTARG = tagbloom, RIGHTARG = tagbloom, FUNCTION = tagbloom_contains,
	COMMUTATOR = <@, RESTRICT = tagbloom_has_sel, JOIN = contjoinsel
);
CREATE OPERATOR <@ (
	LEFTARG = tagbloom, RIGHTARG = tagbloom, FUNCTION = tagbloom_contained,
	COMMUTATOR = @>, RESTRICT = tagbloom_contained_sel, JOIN = contjoinsel
);

COMMENT ON FUNCTION tagbloom_has(tagbloom, text) IS 'Implements the operator ?.';
COMMENT ON FUNCTION tagbloom_has_all(tagbloom, text[]) IS 'Implements the operator ?&.';
COMMENT ON FUNCTION tagbloom_has_any(tagbloom, text[]) IS 'Implements the operator ?|.';
COMMENT ON FUNCTION tagbloom_contains(tagbloom, tagbloom) IS 'Implements the operator @>.';
COMMENT ON FUNCTION tagbloom_contained(tagbloom, tagbloom) IS 'Implements the operator <@.';
COMMENT ON FUNCTION tagbloom_has_sel(internal, oid, internal, integer) IS
	'Estimates for the planner the share of rows for which ?, ?& or @> is true, from the most common tags found by ANALYZE, assumed to be independent of each other.';
COMMENT ON FUNCTION tagbloom_has_any_sel(internal, oid, internal, integer) IS
	'Estimates for the planner the share of rows for which ?| is true, from the most common tags found by ANALYZE, assumed to be independent of each other.';
COMMENT ON FUNCTION tagbloom_contained_sel(internal, oid, internal, integer) IS
	'Estimates for the planner the share of rows for which <@ is true, from the most common tags found by ANALYZE, assumed to be independent of each other.';
COMMENT ON OPERATOR ? (tagbloom, text) IS
	'True if the set has the tag. A set that is not exact may give false positives, never false negatives.';
COMMENT ON OPERATOR ?& (tagbloom, text[]) IS
	'True if the set has all the tags; NULLs are left out. A set that is not exact may give false positives, never false negatives.';
COMMENT ON OPERATOR ?| (tagbloom, text[]) IS
	'True if the set has at least one of the tags; NULLs are left out. A set that is not exact may give false positives, never false negatives.';
COMMENT ON OPERATOR @> (tagbloom, tagbloom) IS
	'True if the set on the left has all tags of the one on the right. A set that is not exact may give false positives, never false negatives.';
COMMENT ON OPERATOR <@ (tagbloom, tagbloom) IS
	'True if the set on the right has all tags of the one on the left. A set that is not exact may give false positives, never false negatives.';

-- The same for clients that treat a question mark as a placeholder.  They are
-- inlined, so an index serves them as well.

CREATE FUNCTION has_tag(tags tagbloom, tag text) RETURNS boolean
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 1
	RETURN tags ? tag;
CREATE FUNCTION has_all_tags(tags tagbloom, all_of text[]) RETURNS boolean
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 1
	RETURN tags ?& all_of;
CREATE FUNCTION has_any_tag(tags tagbloom, any_of text[]) RETURNS boolean
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 1
	RETURN tags ?| any_of;

COMMENT ON FUNCTION has_tag(tagbloom, text) IS
	'True if the set has the tag: the operator ?. A set that is not exact may give false positives, never false negatives.';
COMMENT ON FUNCTION has_all_tags(tagbloom, text[]) IS
	'True if the set has all the tags: the operator ?&. A set that is not exact may give false positives, never false negatives.';
COMMENT ON FUNCTION has_any_tag(tagbloom, text[]) IS
	'True if the set has at least one of the tags: the operator ?|. A set that is not exact may give false positives, never false negatives.';

-- Sets made of sets

CREATE FUNCTION tagbloom_union(tagbloom, tagbloom) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_union' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION tagbloom_add(tagbloom, text) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION tagbloom_remove(tagbloom, text) RETURNS tagbloom
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_remove' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;

CREATE OPERATOR | (LEFTARG = tagbloom, RIGHTARG = tagbloom, FUNCTION = tagbloom_union, COMMUTATOR = |);
CREATE OPERATOR || (LEFTARG = tagbloom, RIGHTARG = text, FUNCTION = tagbloom_add);
CREATE OPERATOR - (LEFTARG = tagbloom, RIGHTARG = text, FUNCTION = tagbloom_remove);

COMMENT ON FUNCTION tagbloom_union(tagbloom, tagbloom) IS 'Implements the operator |.';
COMMENT ON FUNCTION tagbloom_add(tagbloom, text) IS 'Implements the operator ||.';
COMMENT ON FUNCTION tagbloom_remove(tagbloom, text) IS 'Implements the operator -.';
COMMENT ON OPERATOR | (tagbloom, tagbloom) IS
	'The union. If one of the sets is a filter, so is the union, of the larger one''s size; if it has more than 32 tags, it is a filter made for their number. For many sets use rollup(), which sees all tags before it chooses a size.';
COMMENT ON OPERATOR || (tagbloom, text) IS
	'The set with one more tag; NULL if the tag is NULL. Errors: 22023 for an empty tag or one over 1024 bytes.';
COMMENT ON OPERATOR - (tagbloom, text) IS
	'The set without the tag, whether it had the tag or not. Errors: 55000 if the set is a filter, from which nothing can be removed: make it again with tag_agg().';

-- What a set says about itself

CREATE FUNCTION tag_count(tags tagbloom) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tag_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION is_exact(tags tagbloom) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_is_exact' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION false_positive_rate(tags tagbloom) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_false_positive_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
CREATE FUNCTION tag_list(tags tagbloom, dictionary text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_tag_list' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION tag_list(tags tagbloom) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_no_names' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
CREATE FUNCTION unnest(tags tagbloom) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'custmart_tagbloom_no_names' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1 ROWS 10;

COMMENT ON FUNCTION tag_count(tagbloom) IS
	'Number of tags: exact if is_exact(), else an estimate from the share of bits that are not set (linear counting, Whang, Vander-Zanden and Taylor 1990).';
COMMENT ON FUNCTION is_exact(tagbloom) IS
	'True if the set keeps the hashes of all its tags, as it does up to 32 tags; false if it is a filter.';
COMMENT ON FUNCTION false_positive_rate(tagbloom) IS
	'Probability that a tag that was not put in seems to be there: for an exact set the number of tags / 2^64; for a filter the mean over blocks of the product over the eight words of the share of bits set.';
COMMENT ON FUNCTION tag_list(tagbloom, text[]) IS
	'The tags of the dictionary that the set has, in the order of the dictionary, NULLs left out. For a set that is not exact it may list tags too many, at the rate of false_positive_rate(). Errors: 22023 for an empty tag or one over 1024 bytes.';
COMMENT ON FUNCTION tag_list(tagbloom) IS
	'Always an error, 0A000, except for NULL: a set does not keep the names of its tags. Give it the tags to look for: tag_list(tags, dictionary).';
COMMENT ON FUNCTION unnest(tagbloom) IS
	'Always an error, 0A000, except for NULL: a set does not keep the names of its tags. Use unnest(tag_list(tags, dictionary)).';

-- @comparison type=tagbloom equality="Exact sets are equal if and only if their bytes are, that is, if their tags are; filters are equal if size, grain and bits are. An exact set and a filter are never equal."
