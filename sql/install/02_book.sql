-- What the planner is told of books

CREATE FUNCTION book_report_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'custmart_book_report_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION book_report_support(internal) IS
	'Tells the planner how many rows a report with a row per member has: as many as the book has members where it is at hand, and as the statistics on the member column say where it is made in the same statement.';

CREATE FUNCTION book_combine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'custmart_book_combine_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

COMMENT ON FUNCTION book_combine_support(internal) IS
	'Tells the planner what it costs to merge the books of parallel workers, from the statistics on the column of the keys, so that it chooses a parallel plan only where that is faster.';
