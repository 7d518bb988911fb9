-- basket: what goes with what

-- @stored_type type=basket_book

COMMENT ON TYPE basket_book IS
	'Which items every basket of a table has: what was bought together, or by the same member. Made by basket_book() in one scan, merged by rollup() and +, read by item_affinities(). At most 704 MB, about 250 million lines. docs/storage-format.md.';

-- @merge type=basket_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(basket_book) IS
	'Merges books of different rows, from different days, partitions or servers; a basket of several has the items of all of them. NULLs are skipped; no rows: NULL. Errors: 42804 if the type of the baskets or of the items differs, 54000 for a book over 704 MB.';
COMMENT ON OPERATOR + (basket_book, basket_book) IS 'Both books as one, as if made of all their rows.';

-- @each basket bigint uuid text
-- @each item bigint text
CREATE FUNCTION basket_book_step_{basket}_{item}(basket_book, {basket}, {item}) RETURNS basket_book
	AS 'MODULE_PATHNAME', 'custmart_basket_book_step_{basket}_{item}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE basket_book(basket {basket}, item {item}) (
	SFUNC = basket_book_step_{basket}_{item}, STYPE = basket_book, SSPACE = 65536,
	COMBINEFUNC = basket_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION basket_book_step_{basket}_{item}(basket_book, {basket}, {item}) IS
	'Transition function of the aggregate basket_book.';
COMMENT ON AGGREGATE basket_book({basket}, {item}) IS
	'Which items every basket has. basket: what items are together in, an order, or a member for what is bought by the same people; item: what, texts compared by bytes. A basket is a set: an item of several rows counts once. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 54000 for a book over 704 MB.';
-- @end

-- @end

-- Reading a book

-- @template item_affinities book item symbol
CREATE FUNCTION item_affinities({book}, min_together integer DEFAULT 10, max_basket integer DEFAULT 100,
								top_k integer DEFAULT 20, rank_by text DEFAULT 'cosine',
								OUT item {item}, OUT other {item}, OUT rank bigint, OUT together bigint,
								OUT item_baskets bigint, OUT other_baskets bigint, OUT support double precision,
								OUT confidence double precision, OUT lift double precision, OUT jaccard double precision,
								OUT cosine double precision, OUT p_value double precision, OUT q_value double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_{symbol}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10000;
-- @end
-- @item_affinities book="book basket_book" item=bigint symbol=item_affinities
-- @item_affinities book="item_type anyelement, book basket_book" item=anyelement symbol=item_affinities_typed
CREATE FUNCTION rows_skipped(book basket_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_basket_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION basket_count(book basket_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_basket_book_basket_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION item_count(book basket_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_basket_book_item_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION baskets_over(book basket_book, max_basket integer) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_baskets_over' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION item_affinities(basket_book, integer, integer, integer, text) IS
	'Which items go together, of a book whose items are bigint: one row for each item and each other one that is in at least min_together baskets with it, the best first. Baskets of more than max_basket items are left out of everything (NULL: none is). rank: 1 + the number of companions that are strictly better by rank_by, up to top_k (NULL: all), so equal ones are all shown; together: baskets that have both; item_baskets, other_baskets: that have each; support: share of all baskets that have both; confidence: share of the item''s; lift: how many times as often together as by chance, N together / (item_baskets other_baskets); jaccard: share of the baskets that have either; cosine: together / sqrt(item_baskets other_baskets). p_value: Fisher''s exact test, one-sided: how probable so many together or more would be by chance; q_value: that of Benjamini and Hochberg (1995) over all pairs with at least min_together, each once. rank_by: together, support, confidence (these three rank alike), lift, jaccard or cosine. Errors: 22023 for min_together, max_basket or top_k below 1 or another rank_by; 22004 for NULL as min_together or rank_by; 54000 for more than 100000000 pairs; 42804 if the items are of another type; then pass the type first.';
COMMENT ON FUNCTION item_affinities(anyelement, basket_book, integer, integer, integer, text) IS
	'The same for items that are bigint or text: item_affinities(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of item_affinities(book).';
COMMENT ON FUNCTION rows_skipped(basket_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION basket_count(basket_book) IS 'Number of baskets in the book, of any size.';
COMMENT ON FUNCTION item_count(basket_book) IS 'Number of different items in the book.';
COMMENT ON FUNCTION baskets_over(basket_book, integer) IS
	'Number of baskets in the book with more than max_basket items, which item_affinities() with this max_basket leaves out. Errors: 22023 for max_basket below 1.';

-- @comparison type=basket_book equality="Books are equal if their baskets have the same items and they skipped as many rows."
