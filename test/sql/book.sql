--
-- What all books have in common (docs/storage-format.md): books of the same rows
-- have the same bytes, however they were made, merged, stored and carried.
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA book_test;
SET search_path = book_test, public;
SET timezone = 'UTC';

-- Some members have one row, some hundreds. Texts share long beginnings, or are the beginning of another; there are the
-- smallest and the largest keys. Amounts are of all scales and sizes, and some cancel out. Each column is NULL now and then.
CREATE TABLE shop AS
SELECT i, nullif(m, 3)::bigint AS number,
	CASE m % 4 WHEN 0 THEN lpad(to_hex(m), 32, '0')::uuid WHEN 1 THEN lpad(to_hex(m), 32, 'f')::uuid WHEN 2 THEN rpad(to_hex(m), 32, '0')::uuid END AS uuid,
	CASE m % 6 WHEN 0 THEN '' WHEN 1 THEN repeat(E'\x01', m / 6) WHEN 2 THEN repeat('member ', 30) || m / 6 WHEN 3 THEN 'é' || m WHEN 4 THEN repeat('ÿ', m / 6) END AS text,
	CASE WHEN i % 31 > 0 THEN (o - 60) * 36028797018963968 END AS order_number, CASE WHEN i % 29 > 0 THEN repeat('1', o / 9) || o % 9 END AS order_text,
	CASE i % 50 WHEN 0 THEN timestamptz '4713-01-20 00:00+00 BC' WHEN 1 THEN '294276-09-30 23:59:59.999999+00' WHEN 2 THEN NULL
		ELSE timestamptz '2024-01-01 00:00+00' + make_interval(hours => i / 10 * 7) END AS at,
	date '1999-12-27' + i % 4 * 7 AS period,
	CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN -19.99 WHEN 2 THEN 12345678901234567890.5 WHEN 3 THEN -12345678901234567890.5 WHEN 4 THEN 0.00 WHEN 5 THEN 0.0000000000000000000000000001
		WHEN 6 THEN 36028797018963967 WHEN 7 THEN -36028797018963968 WHEN 8 THEN i % 7 ELSE i * 0.010 END AS amount,
	CASE i % 13 WHEN 0 THEN 0 WHEN 1 THEN 10.00 WHEN 2 THEN 10 WHEN 3 THEN 10.0 WHEN 4 THEN 12345678901234567890.500 WHEN 5 THEN 0.0000000000000000000000000001 ELSE i % 17 * 0.50 END AS price,
	CASE i % 17 WHEN 0 THEN -1 WHEN 1 THEN 72057594037927936.50 WHEN 2 THEN 1e-28 ELSE i % 3 + 1 END AS quantity,
	(ARRAY['old', 'new', '', 'ol', repeat('old', 50), NULL])[1 + i * 7 % 6] AS grp,
	(i % 1001 - 500) / 7.0::float8 AS x,
	(ARRAY['obliged', 'induced', 'own', NULL])[1 + i * 7919 % 17 % 4] AS kind
FROM (SELECT i, ((i::bigint * i * 7919 % 1009) ^ 2 / 4000)::int AS m, (i::bigint * 104729 % 131 / (1 + i % 3))::int AS o FROM generate_series(1, 1500) i) i;
UPDATE shop SET number = 9223372036854775807 WHERE number = 1;
UPDATE shop SET number = -9223372036854775808 WHERE number = 2;
UPDATE shop SET number = -number WHERE number % 2 = 0 AND number > 0;
ALTER TABLE shop ADD PRIMARY KEY (i);
ANALYZE shop;
SELECT count(*), count(DISTINCT number) AS numbers, count(DISTINCT uuid) AS uuids, count(DISTINCT text) AS texts FROM shop;

-- Every way to make a book.
CREATE TABLE books AS
SELECT book, format(call, key, id) AS call
FROM unnest('{number,uuid,text}'::text[]) key, unnest('{order_number,order_text}'::text[]) id,
	(VALUES ('rfm_book', 'rfm_book(%s, at, amount)'),
		('rfm_book', 'rfm_book(%s, %s, at, amount)'),
		('pricebook_summary', 'pricebook(%s, grp, price)'),
		('pricebook_summary', 'pricebook(%s, period, grp, price, quantity)'),
		('price_slope_summary', 'price_slope(%s, period, x, price)'),
		('retention_book', 'retention_book(%s, at, ''month'', ''Europe/Berlin'')'),
		('retention_book', 'retention_book(%s, at, amount, ''quarter'', ''UTC'')'),
		('retention_book', 'retention_book(%s, at)'),
		('funnel_book', 'funnel_book(%s, ''30 days'', at, i %% 2 = 0, kind = ''own'', amount > 0)'),
		('session_book', 'session_book(%s, at)'),
		('interaction_book', 'interaction_book(%s, kind, at)')) b (book, call)
WHERE key <> 'uuid' OR book !~ 'price'
GROUP BY 1, 2;
ALTER TABLE books ADD bytes bytea;
SELECT book, count(*) FROM books GROUP BY book ORDER BY book;

-- The calls for which a condition is not true, in which stand BOOK, CALL, and BYTES, those of one book of all rows.
CREATE FUNCTION answer(query text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT ' || query INTO result USING bytes;
	RETURN result;
END $$;
CREATE FUNCTION in_call(query text, book text, call text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT replace(replace(replace(query, 'BOOK', book), 'CALL', call), 'BYTES', '$1')
$$;
CREATE FUNCTION wrong(condition text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(call, ', ' ORDER BY call), 'none') FROM books WHERE answer(in_call(condition, book, call), bytes) IS DISTINCT FROM 'true'
$$;
UPDATE books SET bytes = answer(in_call('BOOK_send(CALL) FROM shop', book, call), NULL)::bytea;
SELECT book, count(DISTINCT bytes) FROM books GROUP BY book ORDER BY book;

-- One row less is seen.
SELECT wrong('BOOK_send(CALL) = BYTES FROM shop WHERE i > 1') = (SELECT string_agg(call, ', ' ORDER BY call) FROM books) AS all_;

-- Rows in any order.
SELECT "order", wrong(format('BOOK_send(CALL) = BYTES FROM (SELECT * FROM shop ORDER BY %s) s', "order"))
FROM (VALUES ('i DESC'), ('hashint4(i)'), ('number, uuid, text, order_text'), ('amount DESC'), ('price, quantity, grp'), ('at')) o ("order");

-- Parts of any size, in any order: many and small, few and large, of the same keys and of others, rolled up once and twice.
SELECT split, wrong(format('BOOK_send(rollup(b)) = BYTES FROM (SELECT CALL AS b FROM shop GROUP BY %s) p', split)) AS any_order,
	wrong(format('BOOK_send(rollup(b ORDER BY length(BOOK_send(b)))) = BYTES FROM (SELECT CALL AS b FROM shop GROUP BY %s) p', split)) AS small_first,
	wrong(format('BOOK_send(rollup(b ORDER BY length(BOOK_send(b)) DESC)) = BYTES FROM (SELECT CALL AS b FROM shop GROUP BY %s) p', split)) AS large_first,
	wrong(format('BOOK_send(rollup(b)) = BYTES FROM (SELECT rollup(b) AS b FROM (SELECT %1$s AS part, CALL AS b FROM shop GROUP BY 1) p GROUP BY part %% 7) q', split)) AS twice
FROM (VALUES ('i'), ('i % 2'), ('i % 200'), ('i / 13'), ('abs(hashtext(text)) % 10'), ('greatest(i - 1300, 0)')) s (split);

-- By the operator: trees that lean to the left and to the right, and a book with itself.
SELECT side, wrong(format('BOOK_send(b) = BYTES FROM (WITH RECURSIVE part AS (SELECT i %% 6 AS n, CALL AS b FROM shop GROUP BY 1), '
	'sum AS (SELECT n, b FROM part WHERE n = 0 UNION ALL SELECT p.n, %s FROM sum s JOIN part p ON p.n = s.n + 1) SELECT b FROM sum WHERE n = 5) s', sum))
FROM (VALUES ('left', 's.b + p.b'), ('right', 'p.b + s.b')) s (side, sum);
SELECT wrong('BOOK_send(b + b) = BOOK_send(rollup(c)) FROM (SELECT CALL AS b FROM shop) s, LATERAL (VALUES (b), (b)) v (c) GROUP BY b') AS with_itself;

-- Books of rows that are all skipped, of one row, of none.
CREATE VIEW skipped AS
SELECT i, NULL::bigint AS number, NULL::uuid AS uuid, NULL::text AS text, order_number, order_text, at, period, amount, price, quantity, grp, x, kind FROM shop WHERE i <= 10;
SELECT wrong('BOOK_send(CALL) = BOOK_send((SELECT rollup(b) FROM (SELECT CALL AS b FROM skipped GROUP BY i) p)) FROM skipped') AS skipped,
	wrong('rows_skipped(CALL) = 10 FROM skipped') AS counted,
	wrong('BOOK_send(CALL) = BOOK_send((SELECT CALL FROM skipped)::text::BOOK) FROM skipped') AS read_back,
	wrong('BOOK_send(CALL + (SELECT CALL FROM skipped)) = BOOK_send((SELECT CALL FROM (TABLE shop UNION ALL TABLE skipped) s)) FROM shop') AS skipped_last,
	wrong('BOOK_send((SELECT CALL FROM skipped) + CALL) = BOOK_send((SELECT CALL FROM (TABLE shop UNION ALL TABLE skipped) s)) FROM shop') AS skipped_first,
	wrong('bool_and(BOOK_send(b) = BOOK_send(b::text::BOOK)) FROM (SELECT CALL AS b FROM shop GROUP BY i) p') AS one_row,
	wrong('CALL IS NULL FROM shop WHERE false') AS none,
	wrong('BOOK_send(rollup(b)) = BYTES FROM (SELECT CALL AS b FROM shop UNION ALL SELECT NULL UNION ALL SELECT CALL FROM shop WHERE false) p') AS none_and_all;

-- Groups: hashed and sorted, small and large, several sets of them in one query.
CREATE FUNCTION wrong_groups(strategy text) RETURNS text LANGUAGE sql AS $$
	SELECT set_config('enable_hashagg', (strategy = 'hashed')::text, true), set_config('enable_sort', (strategy = 'sorted')::text, true);
	SELECT wrong('bool_and(BOOK_send(b) = (SELECT BOOK_send(CALL) FROM shop WHERE i BETWEEN n * 3 AND n * 3 + 2)) FROM (SELECT i / 3 AS n, CALL AS b FROM shop WHERE i < 600 GROUP BY 1) p')
$$;
SELECT strategy, wrong_groups(strategy) FROM unnest('{hashed,sorted}'::text[]) strategy;
SELECT wrong('bool_and(BOOK_send(b) = (SELECT BOOK_send(CALL) FROM shop WHERE CASE set WHEN 1 THEN i % 3 = n WHEN 2 THEN grp IS NOT DISTINCT FROM name ELSE true END)) '
	'FROM (SELECT grouping(i % 3, grp) AS set, i % 3 AS n, grp AS name, CALL AS b FROM shop GROUP BY GROUPING SETS ((i % 3), (grp), ())) p') AS grouping_sets;

-- Windows: frames that grow, move and leave a row out.
SELECT wrong('bool_and(BOOK_send(b) = (SELECT BOOK_send(CALL) FROM shop s WHERE s.i BETWEEN 901 AND p.i)) FROM (SELECT i, CALL OVER (ORDER BY i) AS b FROM shop WHERE i BETWEEN 901 AND 960) p') AS growing,
	wrong('bool_and(BOOK_send(b) = (SELECT BOOK_send(CALL) FROM shop s WHERE s.i BETWEEN greatest(p.i - 9, 901) AND least(p.i + 2, 960))) '
		'FROM (SELECT i, CALL OVER (ORDER BY i ROWS BETWEEN 9 PRECEDING AND 2 FOLLOWING) AS b FROM shop WHERE i BETWEEN 901 AND 960) p') AS moving,
	wrong('bool_and(BOOK_send(b) IS NOT DISTINCT FROM (SELECT BOOK_send(CALL) FROM shop s WHERE s.i BETWEEN greatest(p.i - 9, 901) AND p.i - 1)) '
		'FROM (SELECT i, CALL OVER (ORDER BY i ROWS 9 PRECEDING EXCLUDE CURRENT ROW) AS b FROM shop WHERE i BETWEEN 901 AND 960) p') AS excluding,
	wrong('bool_and(BOOK_send(b) = (SELECT BOOK_send(CALL) FROM shop WHERE i BETWEEN (n - 2) * 40 AND n * 40 + 39)) '
		'FROM (SELECT n, rollup(b) OVER (ORDER BY n ROWS 2 PRECEDING) AS b FROM (SELECT i / 40 AS n, CALL AS b FROM shop GROUP BY 1) q) p') AS rolled_up;

-- Workers, where passing on rows costs more than passing on books.
CREATE FUNCTION is_partial(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%Partial Aggregate%' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
ALTER TABLE shop SET (parallel_workers = 3);
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 1;
-- Few rows for each key: the planner knows what merging costs, and would not.
SET cpu_operator_cost = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 3;
SELECT wrong('is_partial($q$SELECT CALL FROM shop$q$)') AS planned_otherwise, wrong('BOOK_send(CALL) = BYTES FROM shop');
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET cpu_operator_cost;
RESET parallel_tuple_cost;
RESET parallel_leader_participation;
RESET max_parallel_workers_per_gather;

-- The planner knows what merging costs: a few keys are worth it, as many as rows are not.
CREATE TABLE ordered AS SELECT i AS many, i % 20 AS few, timestamptz '2026-01-01' AS at FROM generate_series(1, 200000::bigint) i;
ALTER TABLE ordered SET (parallel_workers = 2);
ANALYZE ordered;
SET parallel_setup_cost = 0;
SET max_parallel_workers_per_gather = 2;
SELECT key, is_partial(format('SELECT rfm_book(%s, at, 1) FROM ordered', key)) AS of_orders, is_partial(format('SELECT pricebook(%s, ''x'', 1) FROM ordered', key)) AS of_prices,
	is_partial(format('SELECT rfm_book(%s, at, 1), rfm_book(few, at, 1) FROM ordered', key)) AS of_both
FROM unnest('{few,many}'::text[]) key;
RESET parallel_setup_cost;
RESET max_parallel_workers_per_gather;
DROP TABLE ordered;

-- Stored in a table in every way that there is, and copied out and in as binary.
CREATE FUNCTION carried(book text, value text, storage text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/custmart_book_copy';
	bytes bytea[];
BEGIN
	EXECUTE format('CREATE TEMP TABLE carried (b %s)', book);
	EXECUTE format('ALTER TABLE carried ALTER b SET STORAGE %s', storage);
	EXECUTE format('INSERT INTO carried VALUES (%L)', value);
	EXECUTE format('COPY carried TO %L WITH (FORMAT binary)', file);
	EXECUTE format('COPY carried FROM %L WITH (FORMAT binary)', file);
	EXECUTE format('SELECT array_agg(DISTINCT %s_send(b)) FROM carried', book) INTO bytes;
	DROP TABLE carried;
	RETURN CASE cardinality(bytes) WHEN 1 THEN bytes[1] END;
END $$;
SET client_min_messages = warning;
SELECT storage, wrong(format('carried(''BOOK'', CALL::text, %L) = BYTES FROM shop', storage)) FROM unnest('{main,external,extended}'::text[]) storage;

-- Errors that are caught: half of another book, while one is being made, leaves no trace in this one.
CREATE FUNCTION is_interrupted(query text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN false;
EXCEPTION WHEN division_by_zero THEN
	RETURN true;
END $$;
SELECT wrong('BOOK_send(CALL) = BYTES FROM shop WHERE i % 400 > 0 OR is_interrupted($q$SELECT CALL FROM shop WHERE 1 / (i - 1200) < 2$q$)') AS interrupted,
	wrong('BOOK_send(rollup(b)) = BYTES FROM (SELECT i % 9 AS n, CALL AS b FROM shop GROUP BY 1) p WHERE is_interrupted($q$SELECT rollup(b) FROM (SELECT i, CALL AS b FROM shop GROUP BY i) p WHERE 1 / (i - 200) < 2$q$)') AS rollup_interrupted;
CREATE FUNCTION summed() RETURNS TABLE (is_whole bool, errors int) LANGUAGE plpgsql AS $$
DECLARE
	part record;
	other CONSTANT rfm_book := rfm_book(1::bigint, now(), 1);
	sum rfm_book;
BEGIN
	errors := 0;
	FOR part IN SELECT rfm_book(number, order_text, at, amount) AS b FROM shop GROUP BY i % 9 LOOP
		BEGIN
			sum := coalesce(sum + part.b, part.b);
			sum := sum + other;
		EXCEPTION WHEN datatype_mismatch THEN
			errors := errors + 1;
		END;
	END LOOP;
	is_whole := sum = rfm_book(number, order_text, at, amount) FROM shop;
	RETURN NEXT;
END $$;
SELECT * FROM summed();

-- Keys that are numbers are a packed column: 5, 7 and 300 have 2 bytes each. Other columns in the place of theirs.
CREATE FUNCTION packed(width int, smallest bigint, VARIADIC above bigint[]) RETURNS bytea LANGUAGE sql AS $$
	SELECT set_byte('\x00', 0, width) || int8send(smallest) || string_agg(substr(int8send(n), 9 - width), '' ORDER BY place) FROM unnest(above) WITH ORDINALITY u (n, place)
$$;
CREATE FUNCTION images_of(numbers bigint[]) RETURNS TABLE (book text, image bytea) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE one_row_each ON COMMIT DROP AS
	SELECT i, number, i AS order_number, i::text AS order_text, timestamptz '2026-01-01 00:00+00' AS at, date '2026-01-05' AS period, 5 AS amount, 5 AS price, 1 AS quantity, 'old' AS grp, 0.5::float8 AS x, 'own' AS kind
	FROM unnest(numbers) WITH ORDINALITY n (number, i);
	RETURN QUERY SELECT b.book, answer(in_call('BOOK_send(CALL) FROM one_row_each', b.book, call), NULL)::bytea FROM books b WHERE call LIKE '%(number,%';
END $$;
CREATE FUNCTION receive(book text, image bytea) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(replace(hostile.receive(book, image), book, 'BOOK'), '^accepted.*', 'accepted')
$$;
CREATE TABLE few AS SELECT * FROM images_of('{5,7,300}');
SELECT count(*) AS books, count(*) FILTER (WHERE substr(image, 17, 15) = '\x02 0000000000000005 0000 0002 0127') AS as_specified FROM few;
SELECT what, receive(book, substr(image, 1, 16) || keys || substr(image, 32)) AS answer, count(*) AS books
FROM few, (VALUES (1, 'as they are', packed(2, 5, 0, 2, 295)), (2, 'up to the largest number', packed(2, 9223372036854775512, 0, 2, 295)), (3, 'and beyond it', packed(2, 9223372036854775513, 0, 2, 295)),
	(4, 'from the smallest number on', packed(2, -9223372036854775808, 0, 2, 295)), (5, 'all the numbers there are', packed(8, -9223372036854775808, 0, 1, -1)), (6, '3 bytes', packed(3, 5, 0, 2, 295)), (7, '8 bytes', packed(8, 5, 0, 2, 295)),
	(8, '1 byte where none is needed', packed(1, 5, 0, 0, 0)), (9, 'another smallest number', packed(2, 4, 1, 3, 296)), (10, 'not in order', packed(2, 5, 0, 295, 2)), (11, 'a key twice', packed(1, 5, 0, 1, 1)), (12, 'one key only', packed(0, 5, 0, 0, 0)),
	(13, '9 bytes', packed(9, 5, 0, 2, 295)), (14, '255 bytes', set_byte(packed(2, 5, 0, 2, 295), 0, 255))) v (number, what, keys)
GROUP BY number, what, answer ORDER BY number, answer;
SELECT receive(book, substr(image, 1, 16 + length)) AS cut_off, count(*) FROM few, generate_series(0, 14) length GROUP BY 1;
-- The 257th key begins another block, and is above the one before.
CREATE TABLE blocks AS SELECT * FROM images_of(ARRAY(SELECT generate_series(1, 257)));
SELECT count(*) AS books, count(*) FILTER (WHERE substr(image, 17, 9 + 256 + 9) = packed(1, 1, VARIADIC ARRAY(SELECT generate_series(0, 255::bigint))) || packed(0, 257, 0)) AS as_specified FROM blocks;
SELECT what, receive(book, substr(image, 1, 16 + 9 + 256) || block || substr(image, 16 + 9 + 256 + 10)) AS answer, count(*) AS books
FROM blocks, (VALUES (1, '257', packed(0, 257, 0)), (2, '256', packed(0, 256, 0)), (3, '-1', packed(0, -1, 0)), (4, '1 byte', packed(1, 257, 0)), (5, 'one byte, another smallest number', packed(1, 256, 1)), (6, '9 bytes', packed(9, 257, 0))) v (number, what, block)
GROUP BY number, what, answer ORDER BY number, answer;
SELECT receive(book, substr(image, 1, 16 + 9 + 256 + length)) AS cut_off, count(*) FROM blocks, generate_series(0, 8) length GROUP BY 1;

DROP SCHEMA book_test CASCADE;
