-- privacy: forgetting members

-- @template forget type noun
-- @each key bigint uuid text
CREATE FUNCTION forget(book {type}, {noun} {key}) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_forget_{key}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION forget(book {type}, {noun}s {key}[]) RETURNS {type}
	AS 'MODULE_PATHNAME', 'custmart_{type}_forget_{key}_list' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION forget({type}, {key}) IS
	'The book that all rows but those of one {noun} would have made, byte for byte; rows_skipped stays. A {noun} that is not in it: the same book; none left and nothing skipped: NULL; a NULL book: NULL. Errors: 22004 for NULL as {noun}, which is in no book; 42804 if those of the book are of another type.';
COMMENT ON FUNCTION forget({type}, {key}[]) IS
	'The same for several at once, in one pass over the book. Errors: 22004 for NULL as the list or in it; 42804 if those of the book are of another type.';
-- @end

-- @end
-- @forget type=rfm_book noun=member
-- @forget type=retention_book noun=member
-- @forget type=funnel_book noun=member
-- @forget type=interaction_book noun=member
-- @forget type=session_book noun=member
-- @forget type=contact_book noun=member
-- @forget type=preference_book noun=member
-- @forget type=audience_book noun=member
-- @forget type=basket_book noun=basket
