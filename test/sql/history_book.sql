--
-- Books that keep the events of every member (retention_book, funnel_book,
-- interaction_book): merged from parts as they are stored, byte for byte what one
-- book of all rows is.
--
CREATE SCHEMA event_book_test;
SET search_path = event_book_test, public;
SET timezone = 'UTC';

-- Some members have one row, some hundreds; times repeat, and lie at both ends;
-- amounts are small, wide, of all scales, and refunds.
CREATE TABLE happened AS
SELECT i, member, md5(member::text)::uuid AS member_uuid, repeat('member ', (member % 3)::int) || member AS member_text,
	CASE i % 50 WHEN 0 THEN timestamptz '4713-01-20 00:00+00 BC' WHEN 1 THEN '294276-09-30 23:59:59.999999+00'
		ELSE timestamptz '2024-01-01 00:00+00' + make_interval(hours => i / 10 * 7) END AS at,
	CASE i % 7 WHEN 0 THEN -19.99 WHEN 1 THEN 99999999999999999999999999999999999999.9 WHEN 2 THEN 0.0000000000000000000000000001
		WHEN 3 THEN -99999999999999999999999999999999999999.9 ELSE i * 0.01 END AS amount,
	(ARRAY['obliged', 'induced', 'own'])[1 + i % 3] AS kind
FROM (SELECT i, (i::bigint * i * 7919 % 1009) ^ 2 / 3600 - 40 AS x FROM generate_series(1, 6000) i) i,
	LATERAL (SELECT trunc(x)::bigint * 1000003 AS member) m;
INSERT INTO happened SELECT 6000 + i, NULL, NULL, NULL, '2024-06-01', 1, 'own' FROM generate_series(1, 29) i;
INSERT INTO happened SELECT 6100 + i, 5, md5('5')::uuid, '5', '2024-06-01 10:00', 1, 'own' FROM generate_series(1, 500) i;
SELECT count(*), count(DISTINCT member) AS members, count(DISTINCT member_text) AS texts FROM happened;

-- Every book there is, and how its rows are split into parts.
CREATE TABLE books (book text, call text);
INSERT INTO books
SELECT name || ' ' || member, format(call, member)
FROM (VALUES
	('retention_book', 'retention_book(%s, at, ''month'', ''Europe/Berlin'')'),
	('retention_book', 'retention_book(%s, at, ''day'', ''UTC'')'),
	('retention_book', 'retention_book(%s, at, amount, ''quarter'', ''America/Havana'')'),
	('retention_book', 'retention_book(%s, at)'),
	('funnel_book', 'funnel_book(%s, interval ''30 days'', at, kind = ''obliged'', i %% 2 = 0, amount > 0)'),
	('session_book', 'session_book(%s, at)'),
	('interaction_book', 'interaction_book(%s, kind, at)')) b (name, call),
	unnest(ARRAY['member', 'member_uuid', 'member_text']) member;

-- The type of a book.
CREATE FUNCTION type_of(book text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT split_part(book, ' ', 1) $$;

-- Merges parts into one in many ways; returns those whose bytes are not those of one book of all rows.
CREATE FUNCTION wrong_merges(book text, call text, split text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	type text := type_of(book);
	whole bytea;
	merged text;
	is_same bool;
BEGIN
	EXECUTE format('SELECT %s_send(%s) FROM happened', type, call) INTO whole;
	EXECUTE format('CREATE TEMP TABLE part AS SELECT part, %s AS b FROM (SELECT *, %s AS part FROM happened) h GROUP BY part', call, split);
	FOREACH merged IN ARRAY ARRAY[
		'SELECT rollup(b ORDER BY part) FROM part',
		'SELECT rollup(b ORDER BY part DESC) FROM part',
		'SELECT rollup(b ORDER BY hashint4extended(part, 1)) FROM part',
		'SELECT rollup(b ORDER BY length(%1$s_send(b)), part) FROM part',
		'SELECT rollup(b ORDER BY length(%1$s_send(b)) DESC, part) FROM part',
		-- rolled up twice
		'SELECT rollup(b) FROM (SELECT rollup(b) AS b FROM part GROUP BY part %% 3) g',
		-- as text, which is read back only if it is in order
		'SELECT rollup(b)::text::%1$s FROM part',
		-- by the operator, one after the other and in pairs
		'WITH RECURSIVE sum AS (SELECT 1 AS n, b FROM nth WHERE n = 1 UNION ALL SELECT sum.n + 1, sum.b + nth.b FROM sum JOIN nth ON nth.n = sum.n + 1), '
			'nth AS (SELECT row_number() OVER (ORDER BY part) AS n, b FROM part) SELECT b FROM sum ORDER BY n DESC LIMIT 1',
		'WITH nth AS (SELECT row_number() OVER (ORDER BY part) AS n, b FROM part) '
			'SELECT rollup(coalesce(x.b + y.b, x.b)) FROM nth x LEFT JOIN nth y ON y.n = x.n + 1 WHERE x.n %% 2 = 1',
		-- with what was never there
		'SELECT rollup(b) FROM (SELECT b FROM part UNION ALL SELECT NULL) g']
	LOOP
		EXECUTE format('SELECT %s_send((%s)) = $1', type, format(merged, type)) INTO is_same USING whole;
		IF is_same IS NOT TRUE THEN
			RETURN NEXT format('%s, split by %s: %s', call, split, merged);
		END IF;
	END LOOP;
	DROP TABLE part;
END $$;
SET client_min_messages = warning;
SELECT w FROM books, unnest(ARRAY['0', 'i % 2', 'i % 3', 'i / 700', 'i * 7919 % 40', 'i / 155', 'i * 7919 % 90', 'abs(hashint8(member) % 5)', 'greatest(0, i - 6050)']) split,
	wrong_merges(book, call, split) w;

-- The same by workers, where passing on rows costs more than passing on books.
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 1;
-- Few rows for each key: the planner knows what merging costs, and would not.
SET cpu_operator_cost = 0;
CREATE FUNCTION by_workers(book text, call text, workers int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	line text;
	is_partial bool := false;
	bytes bytea;
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
	FOR line IN EXECUTE format('EXPLAIN SELECT %s FROM happened', call) LOOP
		is_partial := is_partial OR line LIKE '%Partial Aggregate%';
	END LOOP;
	IF is_partial <> (workers > 0) THEN
		RAISE EXCEPTION 'not as planned: %', call;
	END IF;
	EXECUTE format('SELECT %s_send(%s) FROM happened', type_of(book), call) INTO bytes;
	RETURN bytes;
END $$;
ALTER TABLE happened SET (parallel_workers = 3);
ANALYZE happened;
SELECT count(*) AS books, count(*) FILTER (WHERE by_workers(book, call, 0) = by_workers(book, call, workers)) AS same
FROM books, generate_series(1, 3) workers;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET cpu_operator_cost;
RESET min_parallel_table_scan_size;

-- A state goes on after it was asked for: windows ask at every row.
WITH few AS MATERIALIZED (
	SELECT row_number() OVER (ORDER BY i) AS n, * FROM happened WHERE i BETWEEN 5950 AND 6040
), asked AS (
	SELECT n, interaction_book(member, kind, at) OVER (ORDER BY n) AS moments,
		retention_book(member, at, amount, 'month', 'UTC') OVER (ORDER BY n) AS amounts FROM few
)
SELECT count(*) AS rows,
	count(*) FILTER (WHERE moments = (SELECT interaction_book(member, kind, at) FROM few WHERE few.n <= asked.n)) AS moments,
	count(*) FILTER (WHERE amounts = (SELECT retention_book(member, at, amount, 'month', 'UTC') FROM few WHERE few.n <= asked.n)) AS amounts
FROM asked;
WITH part AS MATERIALIZED (
	SELECT i % 40 AS n, retention_book(member, at, amount, 'month', 'UTC') AS b FROM happened GROUP BY n
), asked AS (
	SELECT n, rollup(b) OVER (ORDER BY n) AS b FROM part
)
SELECT count(*) AS parts,
	count(*) FILTER (WHERE b = (SELECT retention_book(member, at, amount, 'month', 'UTC') FROM happened WHERE i % 40 <= n)) AS same,
	count(*) FILTER (WHERE rows_skipped(b) = (SELECT count(*) FROM happened WHERE i % 40 <= n AND member IS NULL)) AS skipped,
	count(*) FILTER (WHERE member_count(b) = (SELECT count(DISTINCT member) FROM happened WHERE i % 40 <= n)) AS members
FROM asked;

-- Counts of what is merged, but was not stored yet.
SELECT rows_skipped(rollup(b)), member_count(rollup(b)), member_count(rollup(b)) = (SELECT count(DISTINCT member) FROM happened) AS right
FROM (SELECT retention_book(member, at) AS b FROM happened GROUP BY i % 10) p;

-- Books without members: a retention_book has no settings then and goes with any, a funnel_book has steps and goes with its like.
CREATE TABLE skipped AS
SELECT funnel_book(NULL::bigint, '2 days', at, true, false) AS funnel, retention_book(NULL::bigint, at, 'day', 'UTC') AS retention, count(*) AS rows
FROM happened WHERE i <= 10;
SELECT rows_skipped(funnel + funnel), member_count(funnel + funnel), rows_skipped(rollup(retention)) FROM skipped GROUP BY funnel;
SELECT rows_skipped(b), member_count(b), b = c AS either_way,
	b = (SELECT funnel_book(member, '2 days', at, true, kind = 'own') FROM (TABLE happened UNION ALL SELECT i, NULL, NULL, NULL, at, amount, kind FROM happened WHERE i <= 10) h) AS same
FROM (SELECT funnel + f AS b, f + funnel AS c FROM skipped, (SELECT funnel_book(member, '2 days', at, true, kind = 'own') AS f FROM happened) f) s;

-- What does not go together says so, wherever it stands among the parts.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(hint, ''), '');
END $$;
SELECT DISTINCT error_of(format('SELECT rollup(b ORDER BY o) FROM (
	SELECT 10 * (i %% 10) AS o, retention_book(member, at, ''month'', ''UTC'') AS b FROM happened GROUP BY 1
	UNION ALL SELECT %s, retention_book(member, at, ''week'', ''UTC'') FROM happened WHERE i < 10
	UNION ALL SELECT -2, retention FROM skipped) p', place))
FROM unnest('{-3, -1, 55, 200}'::int[]) place;
SELECT error_of('SELECT a.b + c.b FROM (SELECT retention_book(member, at) AS b FROM happened) a, (SELECT retention_book(member, at, ''day'', ''UTC'') AS b FROM happened) c');
SELECT error_of('SELECT a.b + c.b FROM (SELECT retention_book(member, at) AS b FROM happened) a, (SELECT retention_book(member_text, at) AS b FROM happened) c');
SELECT error_of('SELECT a.b + c.b FROM (SELECT funnel_book(member, ''1 day'', at, true) AS b FROM happened) a, (SELECT funnel_book(member, ''2 days'', at, true) AS b FROM happened) c');
SELECT error_of('SELECT a.b + funnel FROM (SELECT funnel_book(member, ''1 day'', at, true, true) AS b FROM happened) a, skipped');
