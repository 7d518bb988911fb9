-- audience: who gets what, once, with a fair control group

-- @each member bigint uuid text
CREATE FUNCTION hash_share(member {member}, salt text) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_hash_share_{member}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION hash_share({member}, text) IS
	'A number from 0 to below 1 that is the member''s own for this salt, spread evenly, on every machine and in every release the same: the upper 53 bits of XXH64 of the member (bigint as 8 bytes, least significant first; uuid as 16; text as UTF-8), seeded with XXH64 of the salt. Another salt gives numbers that are independent of these. Errors: 22P05 or 22021 for a text that cannot be written in UTF-8.';

CREATE FUNCTION is_held_out(member {member}, salt text, share double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_is_held_out_{member}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION is_held_out({member}, text, double precision) IS
	'True if the member belongs to the control group of this salt, which is about the given share (0 to 1) of all: hash_share(member, salt) < share. A member stays on its side when the audience changes. Errors: 22023 for a share outside 0 to 1.';

-- @end
-- audience_book: in which audiences every member is

-- @stored_type type=audience_book

COMMENT ON TYPE audience_book IS
	'In which of 1 to 32 audiences every member of a table is, and with which score. Made by audience_book() in one scan, merged by rollup() and +, read by audience_overlaps(), audience_plan() and audience_changes(). At most 704 MB, about 40 million members. docs/storage-format.md.';

-- @merge type=audience_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(audience_book) IS
	'Merges books of different members, made on different days, partitions or servers; a member of several is in all audiences of them, with the greatest score. NULLs are skipped; no rows: NULL. Errors: 22023 if the number of audiences differs, 42804 if the type of the members does, 54000 for a book over 704 MB.';
COMMENT ON OPERATOR + (audience_book, audience_book) IS 'Both books as one, as if made of all their rows.';

-- @each member bigint uuid text
CREATE FUNCTION audience_book_step_{member}(audience_book, {member}, double precision, boolean[]) RETURNS audience_book
	AS 'MODULE_PATHNAME', 'custmart_audience_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE audience_book(member {member}, score double precision, VARIADIC is_in boolean[]) (
	SFUNC = audience_book_step_{member}, STYPE = audience_book, SSPACE = 65536,
	COMBINEFUNC = audience_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION audience_book_step_{member}(audience_book, {member}, double precision, boolean[]) IS
	'Transition function of the aggregate audience_book.';
COMMENT ON AGGREGATE audience_book({member}, double precision, boolean[]) IS
	'In which audiences every member is. member: who; score: the higher, the earlier a place in audience_plan(), NULL after all others; is_in: 1 to 32 conditions, one for each audience, the one of the highest priority first, NULL counting as false. A member of several rows is in all audiences of these, with the greatest score. A row with NULL as member or as the whole of is_in is skipped and counted (rows_skipped), but its audiences must be as many; no rows: NULL. Errors: 22023 if there are not 1 to 32 audiences, or not as many in all rows; 22003 for a score that is not finite; 54000 for a book over 704 MB.';

-- @each is_in "is_in_1 boolean" "is_in_1 boolean, is_in_2 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean, is_in_4 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean, is_in_4 boolean, is_in_5 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean, is_in_4 boolean, is_in_5 boolean, is_in_6 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean, is_in_4 boolean, is_in_5 boolean, is_in_6 boolean, is_in_7 boolean" "is_in_1 boolean, is_in_2 boolean, is_in_3 boolean, is_in_4 boolean, is_in_5 boolean, is_in_6 boolean, is_in_7 boolean, is_in_8 boolean"
CREATE FUNCTION audience_book_step_{member}(audience_book, {member}, double precision, {is_in}) RETURNS audience_book
	AS 'MODULE_PATHNAME', 'custmart_audience_book_step_{member}_listed' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE audience_book(member {member}, score double precision, {is_in}) (
	SFUNC = audience_book_step_{member}, STYPE = audience_book, SSPACE = 65536,
	COMBINEFUNC = audience_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION audience_book_step_{member}(audience_book, {member}, double precision, {is_in}) IS
	'Transition function of the aggregate audience_book.';
COMMENT ON AGGREGATE audience_book({member}, double precision, {is_in}) IS
	'audience_book(member, score, is_in) for this number of audiences: the same result, faster than from an array.';
-- @end

-- @end

-- Reading a book

CREATE FUNCTION audience_overlaps(book audience_book, names text[],
								  OUT audiences text[], OUT members bigint, OUT at_least bigint, OUT share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_audience_overlaps' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 20;
-- @template audience_members book books member symbol
CREATE FUNCTION audience_plan({book}, caps bigint[] DEFAULT NULL,
							  OUT member {member}, OUT audience integer, OUT place bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_audience_plan{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION audience_changes({books}, audience integer,
								 OUT member {member}, OUT change text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_audience_changes{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @audience_members book="book audience_book" books="earlier audience_book, later audience_book" member=bigint symbol=""
-- @audience_members book="member_type anyelement, book audience_book" books="member_type anyelement, earlier audience_book, later audience_book" member=anyelement symbol=_typed
CREATE FUNCTION rows_skipped(book audience_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_audience_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book audience_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_audience_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION audience_overlaps(audience_book, text[]) IS
	'One row per combination of audiences that members are in, the rows of an UpSet plot, the largest first: the names of the audiences in order of priority (an empty array: of none), members who are in exactly these, how many are in these at least, and the share of exactly these of all members of the book. names: one for each audience. Errors: 22023 for another number of names or NULL among them; 22004 for NULL as names; 54000 for more than 65536 combinations.';
COMMENT ON FUNCTION audience_plan(audience_book, bigint[]) IS
	'Who gets what, each member at most once, of a book whose members are bigint: member, number of the audience, and place in it from 1. The first audience takes its members by descending score up to its cap, the second of those who are left, and so on. caps: one for each audience, NULL = no limit, also for all. Between equal scores hash_share(member, '''') decides, the lower first, and then the key, so a plan is the same whatever the order of the rows. Members without a place are not listed. Errors: 22023 for another number of caps or a negative one; 22P05 or 22021 for a text that cannot be written in UTF-8; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION audience_plan(anyelement, audience_book, bigint[]) IS
	'The same for members that are bigint, uuid or text: audience_plan(NULL::uuid, book). Only the type of the first argument matters; columns, other arguments and errors are those of audience_plan(book).';
COMMENT ON FUNCTION audience_changes(audience_book, audience_book, integer) IS
	'Who entered an audience, stayed in it or left it between two books whose members are bigint: one row per member who is in it in one of them. audience: its number in both, from 1. A NULL book: no rows. Errors: 22023 for an audience that is not in both books; 22004 for NULL as audience; 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION audience_changes(anyelement, audience_book, audience_book, integer) IS
	'The same for members that are bigint, uuid or text: audience_changes(NULL::uuid, earlier, later, 1). Only the type of the first argument matters; columns, other arguments and errors are those of audience_changes(earlier, later, audience).';
COMMENT ON FUNCTION rows_skipped(audience_book) IS 'Number of rows left out of the book because the member or the whole of is_in was NULL.';
COMMENT ON FUNCTION member_count(audience_book) IS 'Number of members in the book, in an audience or not.';

-- @comparison type=audience_book equality="Books are equal if they hold the same members in the same audiences with the same scores and skipped as many rows."
