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
-- The items weigh alike.
SELECT abs(effective_items - 3) < 1e-14 AS effective_items, abs(df - 2) < 1e-14 AS df FROM example, price_slopes(example.slope) s;
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
-- The bytes of docs/storage-format.md: kind 8, version 1, bigint, form 1; 1 item, nothing skipped, item 7 in a column of width 0; 1 cell, of
-- that item 1; period 0, 1 row, x 2^40, y 0, x squared 2^80, xy 0.
SELECT price_slope_summary_send(price_slope(7::bigint, 1, 1)) =
	('\x08010101 00000001 0000000000000000 00 0000000000000007 00000001 00000001 00000000 0000000000000001 00000000000000000000010000000000'
	'00000000000000000000000000000000 000000000000000000000000000100000000000000000000 000000000000000000000000000000000000000000000000')::bytea AS as_specified;
SELECT rows_skipped(price_slope(item, x, price)) FROM (VALUES ('a', 1, 1), (NULL, 1, 1), ('a', NULL, 1), ('a', 1, NULL), ('a', 1, 0), ('a', 1, -1)) v(item, x, price);
SELECT price_slope('a', 1, 1) = price_slope('a'::text, 1.0::real, 1) AS literal, price_slope(7, 1, 1) = price_slope(7::bigint, 1, 1) AS int, price_slope('a'::varchar, 1, 1) = price_slope('a'::text, 1, 1) AS varchar;

-- Rows with NULL or a price that is none are skipped, those of a book that has no others, too.
CREATE TABLE odd (item text, period date, x float8, price numeric);
INSERT INTO odd VALUES (NULL, '2026-01-01', 1, 1), ('a', NULL, 1, 1), ('a', '2026-01-01', NULL, 1), ('a', '2026-01-01', 1, NULL), ('a', '2026-01-01', 1, 0), ('a', '2026-01-01', 1, -5), (NULL, NULL, NULL, -1);
SELECT rows_skipped(sums), s.*, sums::text::price_slope_summary = sums AS round_trip FROM (SELECT price_slope(item, period, x, price) AS sums FROM odd) o, price_slopes(sums) s;
SELECT rows_skipped(price_slope(item, period, x, price)) FROM (TABLE odd UNION ALL TABLE sale) o;
SELECT rows_skipped(NULL::price_slope_summary), NULL::price_slope_summary + NULL::price_slope_summary AS plus;

-- Against plain SQL: slope, its error by leaving out each item in turn, and counts, from deviations within cells.
CREATE TABLE many AS
SELECT n % 23 AS item, date '2026-01-05' + 7 * (n % 5)::int AS period, (n * 7919 % 4001) / 365.25 AS x, round((5 + n % 23 + n * 7907 % 13 * 0.25) * exp(0.01 * (n * 7919 % 4001) / 365.25), 2) AS price, n FROM generate_series(1, 4000::bigint) n;
INSERT INTO many SELECT 100 + n % 3, '2026-01-05', 2, n, n FROM generate_series(1, 9) n;	-- tells nothing
WITH deviation AS (SELECT item, period, x - avg(x) OVER cell AS x, ln(price::float8) - avg(ln(price::float8)) OVER cell AS y FROM (SELECT item, period, x::float8, price FROM many) m WINDOW cell AS (PARTITION BY item, period)),
telling AS (SELECT * FROM deviation d WHERE EXISTS (SELECT FROM deviation e WHERE e.item = d.item AND e.period = d.period AND abs(e.x) > 1e-9)),
slope AS (SELECT sum(x * y) / sum(x * x) AS slope FROM telling),
cluster AS (SELECT item, sum(x * x) AS square, (SELECT sum(x * y) / sum(x * x) FROM telling o WHERE o.item <> t.item) AS without FROM telling t GROUP BY item),
error AS (SELECT sqrt((count(*) - 1.0) / count(*) * sum((without - slope) ^ 2)) AS std_error, sum(square) ^ 2 / sum(square ^ 2) AS effective_items FROM cluster, slope)
SELECT s.items = (SELECT count(*) FROM cluster) AS items, s.cells = (SELECT count(DISTINCT (item, period)) FROM telling) AS cells, s.rows = (SELECT count(*) FROM telling) AS n,
	abs(s.slope / slope.slope - 1) < 1e-10 AS slope, abs(s.std_error / error.std_error - 1) < 1e-10 AS std_error, abs(s.effective_items / error.effective_items - 1) < 1e-10 AS effective_items, abs(s.df / (error.effective_items - 1) - 1) < 1e-10 AS df, abs(s.premium_pct / (100 * (exp(slope.slope) - 1)) - 1) < 1e-10 AS premium_pct
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

-- Members: the sums by 32 folds of them. XXH64 of the key's bytes mod 32, as the package xxhash of Python has it, puts 1 to 5 in
-- folds 26, 0, 10, 8, 28, 'm1' to 'm5' in 28, 1, 29, 1, 12, and uuids that end in 1 to 5 in 7, 15, 13, 9, 15.
CREATE TABLE member_sale AS SELECT i.item, date '2026-01-01' + i.item % 2 AS period, m.member, 'm' || m.member AS name, lpad(m.member::text, 32, '0')::uuid AS id, m.member % 5 AS x,
	round(10 * exp(0.02 * (m.member % 5) + 0.3 * (m.member % 3) + 0.01 * (i.item * m.member % 7)), 2) AS price FROM generate_series(1, 4) i(item), generate_series(1, 5::bigint) m(member);
WITH image AS (SELECT 'bigint' AS type, price_slope_summary_send(price_slope(1::bigint, x, price, member)) AS image FROM member_sale UNION ALL SELECT 'text', price_slope_summary_send(price_slope(1::bigint, x, price, name)) FROM member_sale UNION ALL SELECT 'uuid', price_slope_summary_send(price_slope(1::bigint, x, price, id)) FROM member_sale)
-- Cells of 93 bytes: i32 period, u8 fold, and what cells have. They are behind 16 + 9 + 4 + 4 bytes.
SELECT type, get_byte(image, 3) AS form, string_agg(get_byte(image, 37 + 93 * i)::text, ' ' ORDER BY i) AS folds, length(image) - 33 = 93 * count(*) AS length FROM image, generate_series(0, CASE type WHEN 'bigint' THEN 4 ELSE 3 END) i GROUP BY type, image ORDER BY type;
-- Members change what is known of the error, not the slope.
SELECT bool_and(a.slope = b.slope AND a.items = b.items AND a.cells = b.cells AND a.rows = b.rows AND a.effective_items = b.effective_items) AS same, bool_or(a.std_error <> b.std_error) AS other_error
FROM (SELECT price_slope(item, period, x, price) AS p, price_slope(item, period, x, price, member) AS m, price_slope(item, x, price) AS q, price_slope(item, x, price, member) AS n FROM member_sale) s,
	LATERAL (VALUES (p, m), (q, n)) v(without, with_members), price_slopes(without) a, price_slopes(with_members) b;
-- One item has an interval then. Of prices e^(x + the member's own level) a member's fold left out leaves the rest; by hand of three
-- members with x of 0, 1 and 2 each and levels 0, 0 and 0 there is no error, and with one who pays double for x = 2 there is.
-- Without a fold: slopes of 1, 1 and 1, of x~ = -1 0 1 the mean of y at 2 less that at 0, halved: 1 + ln(2) / 6 of all, 1 + ln(2) / 4 twice, 1.
SELECT abs(s.slope - 1) < 1e-12 AS slope, s.std_error < 1e-12 AS certain, abs(t.slope - 1 - ln(2) / 6) < 1e-12 AS other_slope, abs(t.std_error - sqrt(2 / 3.0 * (2 * (ln(2) / 12) ^ 2 + (ln(2) / 6) ^ 2))) < 1e-12 AS error, abs(t.df - 2) < 1e-12 AS df
FROM (SELECT price_slope(1::bigint, x, exp(x)::numeric, m) AS a, price_slope(1::bigint, x, (exp(x) * CASE WHEN m = 1 AND x = 2 THEN 2 ELSE 1 END)::numeric, m) AS b FROM generate_series(0, 2) x, generate_series(1, 3::bigint) m) o, LATERAL (SELECT slope, std_error FROM price_slopes(a)) s, price_slopes(b) t;
-- A fold that is all there is, or without which x does not differ: nothing is said of the error.
SELECT s.slope IS NOT NULL AS slope, s.std_error, s.df, s.p_value FROM (SELECT price_slope(i::bigint, x, x + i, 'one') AS b FROM generate_series(1, 3) i, generate_series(1, 3) x) o, price_slopes(b) s;
SELECT s.slope IS NOT NULL AS slope, s.std_error, s.df, s.p_value FROM (SELECT price_slope(i::bigint, CASE m WHEN 1 THEN x ELSE 2 END, x + i, m) AS b FROM generate_series(1, 3) i, generate_series(1, 3) x, generate_series(1, 4::bigint) m) o, price_slopes(b) s;
-- Without a member a row is skipped.
SELECT rows_skipped(price_slope(item, x, price, nullif(member, 1))) AS skipped, price_slope(item, x, price, nullif(member, 1)) = (SELECT price_slope(item, x, price, member) + (SELECT price_slope(item, x, price, NULL::bigint) FROM member_sale WHERE member = 1) FROM member_sale WHERE member <> 1) AS same FROM member_sale;
-- The same bytes in any order and grouping.
CREATE TABLE member_parts AS SELECT n % 7 AS n, price_slope(item, period, x, price, n % 500) AS b FROM many GROUP BY 1;
SELECT (SELECT rollup(b) FROM member_parts) = whole AS rolled_up, (SELECT rollup(b ORDER BY n DESC) FROM member_parts) = whole AS other_order, (SELECT b FROM member_parts WHERE n = 0) + (SELECT rollup(b) FROM member_parts WHERE n > 0) = whole AS plus,
	(SELECT price_slope(item, period, x, price, n % 500 ORDER BY price DESC, x) FROM many) = whole AS sorted, whole::text::price_slope_summary = whole AS text_round_trip, price_slope_summary_hash(whole) = price_slope_summary_hash((SELECT rollup(b) FROM member_parts)) AS hash, (SELECT b FROM member_parts WHERE n = 1) = whole AS part_is_whole
FROM (SELECT price_slope(item, period, x, price, n % 500) AS whole FROM many) s;
SELECT n, running = (SELECT rollup(b) FROM member_parts o WHERE o.n <= s.n) AS same FROM (SELECT n, rollup(b) OVER (ORDER BY n) AS running FROM member_parts) s ORDER BY n;
\set VERBOSITY default
SELECT price_slope(item, x, price) + price_slope(item, x, price, member) FROM member_sale;
SELECT price_slope(item, period, x, price, member) + price_slope(item, x, price, member) FROM member_sale;
SELECT rollup(b) FROM (SELECT price_slope(item, period, x, price) AS b FROM member_sale UNION ALL SELECT price_slope(item, period, x, price, name) FROM member_sale) s;

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
FROM unnest(ARRAY['price_slopes(slope, 1)', 'price_slopes(slope, ''NaN'')', 'price_slopes(slope, NULL)', 'price_slope(1::bigint, date ''2026-01-01'', ''NaN'', 1)', 'price_slope(1::bigint, date ''2026-01-01'', -1048576.5, 1)', 'price_slope(1::bigint, ''-infinity'', 1, 1)',
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
	  UNION ALL SELECT price_slope_summary_send(price_slope(item, x, price)) FROM sale WHERE item = 'c'
	  UNION ALL SELECT price_slope_summary_send(price_slope(item, period, x, price, ascii(item)::bigint)) FROM sale WHERE item = 'a'
	  UNION ALL SELECT price_slope_summary_send(price_slope(item::bigint, x, price, name)) FROM member_sale WHERE member < 3) s;
-- A fold that is none, folds that do not ascend, a period although there are none: refused. Cells have 93 bytes, the first
-- from 33 on: its fold is at 37, its rows from 38 on.
CREATE TABLE fold_image AS SELECT price_slope_summary_send(price_slope(1::bigint, x, price, member)) AS image FROM member_sale WHERE member < 3;
SELECT what, hostile.receive('price_slope_summary', forged) AS answer
FROM fold_image, LATERAL (VALUES ('fold 32', set_byte(image, 37, 32)), ('fold 255', set_byte(image, 37 + 93, 255)), ('folds in another order', set_byte(image, 37, 31)), ('a fold twice', set_byte(image, 37 + 93, get_byte(image, 37))),
	('a period', set_byte(image, 36, 1)), ('form 4', set_byte(image, 3, 4)), ('without members', set_byte(image, 3, 1)), ('2^37 + 1 rows', overlay(image PLACING '\x0000002000000001' FROM 39)), ('truncated', substr(image, 1, length(image) - 1))) v(what, forged);
CREATE TABLE images (image bytea, answer text);
SELECT format('INSERT INTO images SELECT m, hostile.receive(''price_slope_summary'', m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary price_slope_summary is not valid: %') > 500 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary price_slope_summary is not valid: %' AND answer NOT LIKE 'accepted: price_slope_summary:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND price_slope_summary_send(substr(answer, 11)::price_slope_summary) <> image;
SELECT count(*) > 100 AS accepted, count(DISTINCT left(e, 5)) FILTER (WHERE left(e, 5) NOT IN ('22003', '54000')) AS surprises
FROM (SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM price_slopes(b)), rows_skipped(b), b + b = b + b FROM (SELECT %L::price_slope_summary AS b) s', substr(answer, 11))) AS e FROM images WHERE answer LIKE 'accepted%') s;
