-- price_slope: how prices rise with x inside item and period. Figures by hand, or from plain SQL next to them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA price_slope_test;
SET search_path = price_slope_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Of a 0 and a 1 the slope is the premium of docs/pricebook.md's example: .08579535197, 8.958332441 %, error .02734738473.
-- (a, 2) does not tell anything, as x does not differ in it.
CREATE TABLE sale (item text, period date, x float8, price numeric);
INSERT INTO sale VALUES
	('a', '2026-01-01', 0, 10), ('a', '2026-01-01', 1, 11), ('a', '2026-01-01', 1, 12), ('a', '2026-01-02', 0, 10),
	('b', '2026-01-01', 0, 20), ('b', '2026-01-01', 0, 21), ('b', '2026-01-01', 1, 22),
	('c', '2026-01-01', 1, 5), ('c', '2026-01-01', 0, 5), ('c', '2026-01-01', 1, 5.5);
CREATE VIEW example AS SELECT price_slope(item, period, x, price) AS slope FROM sale;
-- With t = slope / std_error and 2 degrees of freedom p is 1 - t / sqrt(t^2 + 2), and the quantile 2 (F - 1/2) sqrt(2 / (4 F (1 - F))).
SELECT items, cells, rows, round(s.slope::numeric, 11) AS slope, round(premium_pct::numeric, 9) AS premium_pct, round(std_error::numeric, 11) AS std_error,
	abs(ln(1 + premium_pct_low / 100) - (s.slope - quantile * std_error)) < 1e-12 AS low, abs(ln(1 + premium_pct_high / 100) - (s.slope + quantile * std_error)) < 1e-12 AS high,
	abs(p_value - (1 - s.slope / std_error / sqrt((s.slope / std_error) ^ 2 + 2))) < 1e-12 AS p_value
FROM example, price_slopes(example.slope) s, (SELECT 2 * 0.475 * sqrt(2 / (4 * 0.975 * 0.025)) AS quantile) q;
SELECT abs(ln(1 + premium_pct_high / 100) - s.slope - 2 * 0.4 * sqrt(2 / (4 * 0.9 * 0.1)) * std_error) < 1e-12 AS at_20_pct FROM example, price_slopes(example.slope, 0.2) s;

-- Prices that double with every unit: ln(2), 100 %, whatever the prices begin with and wherever x does. Of several items nothing is left to err.
SELECT items, cells, rows, abs(s.slope - ln(2::float8)) < 1e-14 AS slope, abs(premium_pct - 100) < 1e-12 AS premium_pct, std_error < 1e-14 AS std_error
FROM (SELECT price_slope(item::bigint, '2026-01-01', x, item * 2 ^ x::numeric) AS slope FROM generate_series(1, 7) item, generate_series(-3, 3) x) o, price_slopes(o.slope) s;
SELECT abs(s.slope - ln(2::float8)) < 1e-14 AS slope FROM (SELECT price_slope(item::bigint, '2026-01-01', 1048576 - x, 3 / 2 ^ x::numeric) AS slope FROM generate_series(1, 2) item, generate_series(0, 5) x) o, price_slopes(o.slope) s;
-- x is kept to 2^-40: one step more is one step, half of one is none.
SELECT x, (SELECT rows FROM price_slopes(price_slope('a'::text, '2026-01-01', z, 1))) AS n FROM unnest(ARRAY[2 ^ -40, 2 ^ -41, 2 ^ -42]) x, unnest(ARRAY[0, x]) z GROUP BY x ORDER BY x;

-- One item: a slope without error. None that tells: no slope, either. No rows: nothing.
SELECT items, cells, rows, round(s.slope::numeric, 12) AS slope, premium_pct > 9.99 AND premium_pct < 10.01 AS premium, std_error, premium_pct_low, premium_pct_high, p_value FROM (SELECT price_slope('a'::text, '2026-01-01', x, 10 + x::int) AS slope FROM unnest('{0,1}'::float8[]) x) o, price_slopes(o.slope) s;
SELECT s.* FROM (SELECT price_slope('a'::text, '2026-01-01', 3, p) AS slope FROM unnest('{1,2,3}'::numeric[]) p) o, price_slopes(o.slope) s;
SELECT price_slope(item, period, x, price) IS NULL AS no_rows FROM sale WHERE false;
SELECT count(*) FROM price_slopes(NULL);
-- All prices alike: no slope, no error, p = 1.
SELECT s.* FROM (SELECT price_slope(item::bigint, '2026-01-01', x, 9.99) AS slope FROM generate_series(1, 3) item, generate_series(1, 4) x) o, price_slopes(o.slope) s;

-- Without periods all sales of an item are compared, those of (a, 2) too. In a x~ squared adds up to 1, in b and c to 2/3 as before.
CREATE VIEW no_periods AS SELECT price_slope(item, x, price) AS sums FROM sale;
SELECT items, cells, rows, abs(slope - by_hand) < 1e-14 AS slope, s IS NOT DISTINCT FROM (SELECT t FROM (SELECT price_slope(item, '2026-01-01', x, price) AS sums FROM sale) o, price_slopes(sums) t) AS as_one_period
FROM no_periods, price_slopes(sums) s, (SELECT ((ln(132::float8) / 2 - ln(10::float8)) + 2 / 3.0 * (ln(22::float8) - ln(420::float8) / 2) + 2 / 3.0 * (ln(27.5::float8) / 2 - ln(5::float8))) / (7 / 3.0) AS by_hand) h;
SELECT (SELECT rollup(b) FROM (SELECT price_slope(item, x, price) AS b FROM sale GROUP BY price > 11) p) = sums AS rolled_up, sums::text::price_slope_summary = sums AS text_round_trip,
	(SELECT price_slope(item, x, price ORDER BY price DESC, x DESC) FROM sale) = sums AS sorted, (SELECT price_slope(item, '2000-01-01', x, price) FROM sale) = sums AS is_a_period
FROM no_periods;
-- The bytes of docs/storage-format.md: kind 8, version 1, bigint, form 1; 1 item, nothing skipped, item 7; 1 cell, of that item 1;
-- period 0, 1 row, x 2^40, y 0, x squared 2^80, xy 0.
SELECT price_slope_summary_send(price_slope(7::bigint, 1, 1)) =
	('\x08010101 00000001 0000000000000000 0000000000000007 00000001 00000001 00000000 0000000000000001 00000000000000000000010000000000'
	'00000000000000000000000000000000 000000000000000000000000000100000000000000000000 000000000000000000000000000000000000000000000000')::bytea AS as_specified;
SELECT rows_skipped(price_slope(item, x, price)) FROM (VALUES ('a', 1, 1), (NULL, 1, 1), ('a', NULL, 1), ('a', 1, NULL), ('a', 1, 0), ('a', 1, -1)) v(item, x, price);
SELECT price_slope('a', 1, 1) = price_slope('a'::text, 1.0::real, 1) AS literal, price_slope(7, 1, 1) = price_slope(7::bigint, 1, 1) AS int, price_slope('a'::varchar, 1, 1) = price_slope('a'::text, 1, 1) AS varchar;

-- Rows with NULL or a price that is none are skipped, those of a book that has no others, too.
CREATE TABLE odd (item text, period date, x float8, price numeric);
INSERT INTO odd VALUES (NULL, '2026-01-01', 1, 1), ('a', NULL, 1, 1), ('a', '2026-01-01', NULL, 1), ('a', '2026-01-01', 1, NULL), ('a', '2026-01-01', 1, 0), ('a', '2026-01-01', 1, -5), (NULL, NULL, NULL, -1);
SELECT rows_skipped(sums), s.*, sums::text::price_slope_summary = sums AS round_trip FROM (SELECT price_slope(item, period, x, price) AS sums FROM odd) o, price_slopes(sums) s;
SELECT rows_skipped(price_slope(item, period, x, price)) FROM (TABLE odd UNION ALL TABLE sale) o;
SELECT rows_skipped(NULL::price_slope_summary), NULL::price_slope_summary + NULL::price_slope_summary AS plus;

-- Against plain SQL: slope, clustered error and counts, from deviations within cells.
CREATE TABLE many AS
SELECT n % 23 AS item, date '2026-01-05' + 7 * (n % 5)::int AS period, (n * 7919 % 4001) / 365.25 AS x, round((5 + n % 23 + n * 7907 % 13 * 0.25) * exp(0.01 * (n * 7919 % 4001) / 365.25), 2) AS price, n FROM generate_series(1, 4000::bigint) n;
INSERT INTO many SELECT 100 + n % 3, '2026-01-05', 2, n, n FROM generate_series(1, 9) n;	-- tells nothing
WITH deviation AS (SELECT item, period, x - avg(x) OVER cell AS x, ln(price::float8) - avg(ln(price::float8)) OVER cell AS y FROM (SELECT item, period, x::float8, price FROM many) m WINDOW cell AS (PARTITION BY item, period)),
telling AS (SELECT * FROM deviation d WHERE EXISTS (SELECT FROM deviation e WHERE e.item = d.item AND e.period = d.period AND abs(e.x) > 1e-9)),
slope AS (SELECT sum(x * y) / sum(x * x) AS slope, sum(x * x) AS square FROM telling),
cluster AS (SELECT item, sum(x * (y - slope * x)) AS score FROM telling, slope GROUP BY item),
error AS (SELECT sqrt(count(*) / (count(*) - 1.0) * sum(score ^ 2)) / (SELECT square FROM slope) AS std_error FROM cluster)
SELECT s.items = (SELECT count(*) FROM cluster) AS items, s.cells = (SELECT count(DISTINCT (item, period)) FROM telling) AS cells, s.rows = (SELECT count(*) FROM telling) AS n,
	abs(s.slope / slope.slope - 1) < 1e-10 AS slope, abs(s.std_error / error.std_error - 1) < 1e-10 AS std_error, abs(s.premium_pct / (100 * (exp(slope.slope) - 1)) - 1) < 1e-10 AS premium_pct
FROM slope, error, (SELECT price_slope(item, period, x, price) AS sums FROM many) m, price_slopes(sums) s;

-- The sums are exact: any order of rows, in parts, merged in any grouping, stored and reloaded, the same bytes.
CREATE TABLE parts AS SELECT n % 7 AS n, price_slope(item, period, x, price) AS b FROM many GROUP BY 1;
SELECT (SELECT rollup(b) FROM parts) = whole AS rolled_up, (SELECT rollup(b ORDER BY n DESC) FROM parts) = whole AS other_order, (SELECT b FROM parts WHERE n = 0) + (SELECT rollup(b) FROM parts WHERE n > 0) = whole AS plus,
	(SELECT price_slope(item, period, x, price ORDER BY price DESC, x) FROM many) = whole AS sorted, whole::text::price_slope_summary = whole AS text_round_trip, price_slope_summary_send(whole::text::price_slope_summary) = price_slope_summary_send((SELECT rollup(b) FROM parts)) AS same_bytes,
	price_slope_summary_hash(whole) = price_slope_summary_hash((SELECT rollup(b) FROM parts)) AS hash, price_slope_summary_hash_extended(whole, 7) = price_slope_summary_hash_extended((SELECT rollup(b) FROM parts), 7) AS hash_extended, (SELECT b FROM parts WHERE n = 1) = whole AS part_is_whole
FROM (SELECT price_slope(item, period, x, price) AS whole FROM many) s;
SELECT n, running = (SELECT rollup(b) FROM parts o WHERE o.n <= s.n) AS same FROM (SELECT n, rollup(b) OVER (ORDER BY n) AS running FROM parts) s ORDER BY n;
SELECT count(DISTINCT b), count(*) FROM (SELECT b FROM parts UNION ALL SELECT price_slope(item, period, x, price ORDER BY price) FROM many GROUP BY n % 7) s;
SELECT count(*) FILTER (WHERE (a.b < b.b)::int + (a.b = b.b)::int + (a.b > b.b)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.b <= b.b) <> (NOT a.b > b.b) OR (a.b >= b.b) <> (NOT a.b < b.b) OR (a.b <> b.b) <> (NOT a.b = b.b)) AS not_opposite,
	count(*) FILTER (WHERE sign(price_slope_summary_cmp(a.b, b.b)) <> -sign(price_slope_summary_cmp(b.b, a.b))) AS not_antisymmetric FROM parts a, parts b;
-- Items as text are the same as numbers, but not the same value.
SELECT a.* = b.* AS same FROM (SELECT price_slope(item, period, x, price) AS n, price_slope(item::text, period, x, price) AS t FROM many WHERE item < 10) s, price_slopes(n) a, price_slopes(t) b;

\set VERBOSITY default
SELECT price_slope(item, period, 'NaN', price) FROM sale;
SELECT price_slope(item, period, 1048577, price) FROM sale;
SELECT price_slope(item, period, '-Infinity', price) FROM sale;
SELECT price_slope(item, period, x, 'NaN') FROM sale;
SELECT price_slope(item, period, x, 1e38) FROM sale;
SELECT price_slope(item, 'infinity', x, price) FROM sale;
SELECT price_slope(item, period, x, price) + price_slope(ascii(item), period, x, price) FROM sale;
SELECT price_slope(item, x, price) + price_slope(item, period, x, price) FROM sale;
SELECT rollup(b) FROM (SELECT price_slope(item, x, price) AS b FROM sale UNION ALL SELECT price_slope(item, period, x, price) FROM sale) s;
SELECT price_slope(item, 'NaN', price) FROM sale;
SELECT price_slope(item, x, 'Infinity') FROM sale;
SELECT price_slopes(slope, 0) FROM example;
SELECT price_slopes(slope, NULL) FROM example;
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement || ' FROM example'), 5) AS state
FROM unnest(ARRAY['price_slopes(slope, 1)', 'price_slopes(slope, ''NaN'')', 'price_slopes(slope, NULL)', 'price_slope(1::bigint, ''2026-01-01'', ''NaN'', 1)', 'price_slope(1::bigint, ''2026-01-01'', -1048576.5, 1)', 'price_slope(1::bigint, ''-infinity'', 1, 1)',
	'price_slope(1::bigint, ''2026-01-01'', 1, ''Infinity'')', 'slope + (SELECT price_slope(1::bigint, ''2026-01-01'', 1, 1))', 'price_slope_step_text_period(NULL, ''a'', ''2026-01-01'', 1, 1)', 'price_slope_summary_combine(NULL, NULL)', 'price_slope(1::bigint, ''2026-01-01'', -1048576, 1)']) statement;

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT slope::text FROM example)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'price_slope_summary', 'price_slope_summary:', ':', 'pricebook_summary:', 'price_slope_summary: ', 'price_slope_summary:=', 'price_slope_summary:====', 'price_slope_summary:AAAA', 'price_slope_summary:%%%%', '{}', 'null', '0', 'v1 items=1',
	'price_slope_summary:CAEB', 'price_slope_summary:CAEBAA==', 'price_slope_summary:CAEBAAAAAAAAAAAAAAAAAA==', 'price_slope_summary:CAEBAP////8AAAAAAAAAAA==', 'pricebook_summary:BwEBAA=='])
UNION ALL SELECT replace(v, 'price_slope_summary:', x) FROM valid, unnest(ARRAY['', 'price_slope_summary', 'pricebook_summary:', 'PRICE_SLOPE_SUMMARY:', ' price_slope_summary:']) x
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type price_slope_summary: "%') AS refused FROM (SELECT hostile.error_of(format('SELECT %L::price_slope_summary', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::price_slope_summary', literal)) IS NULL;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''price_slope_summary'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images; whatever is accepted must be harmless.
CREATE TABLE valid_images AS
SELECT row_number() OVER () AS id, image
FROM (SELECT price_slope_summary_send(price_slope(item, period, x, price)) AS image FROM sale WHERE item = 'a'
	  UNION ALL SELECT price_slope_summary_send(price_slope(n, '2026-01-01', -1048576.0 / n, 1e37)) FROM generate_series(1, 2::bigint) n
	  UNION ALL SELECT price_slope_summary_send(price_slope(item, x, price)) FROM sale WHERE item = 'c') s;
CREATE TABLE images (image bytea, answer text);
SELECT format('INSERT INTO images SELECT m, hostile.receive(''price_slope_summary'', m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary price_slope_summary is not valid: %') > 500 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary price_slope_summary is not valid: %' AND answer NOT LIKE 'accepted: price_slope_summary:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND price_slope_summary_send(substr(answer, 11)::price_slope_summary) <> image;
SELECT count(*) > 100 AS accepted, count(DISTINCT left(e, 5)) FILTER (WHERE left(e, 5) NOT IN ('22003', '54000')) AS surprises
FROM (SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM price_slopes(b)), rows_skipped(b), b + b = b + b FROM (SELECT %L::price_slope_summary AS b) s', substr(answer, 11))) AS e FROM images WHERE answer LIKE 'accepted%') s;
