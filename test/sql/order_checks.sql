-- Checks of a table of orders: a clean table, in which there is nothing, then one fault
-- of each kind.  Expected figures are worked out by hand beside the rows.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA order_checks_test;
SET search_path = order_checks_test, public;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German, DMY';

-- 60 orders of 10 members, one a day but on Sundays, 20 of each of three items.
CREATE TABLE clean (member text, order_id text, item text, ordered_at timestamptz, quantity numeric, price numeric, currency text);
INSERT INTO clean
SELECT 'm' || i % 10, 1000 + i, 10001 + i % 3, '2026-01-05 10:00Z'::timestamptz + make_interval(days => i - 1 + (i - 1) / 6), 1 + i % 4, (10 * (1 + i % 3))::numeric(9, 2), 'EUR'
FROM generate_series(1, 60) i;
SELECT check_name, severity, rows, share, amount, amount_share, members, example, effect, filter
FROM order_checks((SELECT check_book(member, order_id, item, ordered_at, quantity, price, currency) FROM clean));

-- The rows that a filter leaves out, as a way of counting that knows nothing of the check.
CREATE FUNCTION left_out(source text, filter text) RETURNS bigint LANGUAGE plpgsql STRICT AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT (%s) AS keep FROM %s) s WHERE keep IS NOT TRUE', filter, source) INTO n;
	RETURN n;
END $$;

-- The columns have names that SQL must quote.
CREATE TABLE dirty ("Member" text, "order" text, item text, "at" timestamptz, "Qty 1" numeric, "pr""ice" numeric, currency text);
INSERT INTO dirty TABLE clean;
INSERT INTO dirty VALUES
	-- nobody: 8 rows, 7 orders, of which one has no id, 8 x 10; further down there are 4 rows and 3 orders more
	(NULL, '2001', '10001', '2026-03-02 10:00Z', 1, 10, 'EUR'), (NULL, '2001', '10001', '2026-03-02 10:00Z', 1, 10, NULL),
	('', '2002', '10001', '2026-03-02 11:00Z', 1, 10, 'EUR'), ('  ', '2003', '10001', '2026-03-02 12:00Z', 1, 10, 'EUR'),
	('0', '2004', '10001', '2026-03-02 13:00Z', 1, 10, 'EUR'), (E' Guest\n', '2005', '10001', '2026-03-02 14:00Z', 1, 10, 'EUR'),
	('N/A', '2006', '10001', '2026-03-02 15:00Z', 1, 10, 'EUR'), (NULL, NULL, '10001', '2026-03-02 16:00Z', 1, 10, 'EUR'),
	-- three times the same: 2 surplus rows, 2 x 20; the fourth differs
	('m1', '2007', '10002', '2026-03-03 10:00Z', 1, 20, 'EUR'), ('m1', '2007', '10002', '2026-03-03 10:00Z', 1.0, 20.00, 'EUR'),
	('m1', '2007', '10002', '2026-03-03 10:00Z', 1, 20, 'EUR'), ('m1', '2007', '10002', '2026-03-03 10:00Z', 1, 20.001, 'EUR'),
	-- two rows of nothing but NULL: 1 surplus row
	(NULL, NULL, NULL, NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	-- two members in one order; one member and NULL are no two
	('m1', '2008', '10001', '2026-03-04 10:00Z', 1, 10, 'EUR'), ('m2', '2008', '10001', '2026-03-04 10:00Z', 1, 10, 'EUR'),
	('m1', '2009', '10001', '2026-03-04 11:00Z', 1, 10, 'EUR'), (NULL, '2009', '10001', '2026-03-04 11:00Z', 1, 10, 'EUR'),
	-- three times in one order
	('m1', '2010', '10001', '2026-03-04 12:00Z', 1, 10, 'EUR'), ('m1', '2010', '10001', '2026-03-04 12:01Z', 1, 10, 'EUR'),
	('m1', '2010', '10001', '2026-03-04 12:02Z', 1, 10, 'EUR'),
	-- later than as_of, which will be 2026-06-30
	('m3', '2011', '10001', '2026-07-01', 1, 10, 'EUR'),
	-- placeholders, the first and the last by the calendar of UTC
	('m3', '2012', '10001', '1970-01-01 00:00Z', 1, 10, 'EUR'), ('m3', '2013', '10001', '1900-06-07', 1, 10, 'EUR'),
	('m3', '2014', '10001', 'infinity', 1, 10, 'EUR'), ('m3', '2015', '10001', '-infinity', 1, 10, 'EUR'),
	('m3', '2016', '10001', '9999-12-31 23:59Z', 1, 10, 'EUR'),
	-- prices below 0, of 0, and a thousand times too high, which is a slip, and 20 times, which is none
	('m4', '2017', '10001', '2026-03-05 10:00Z', 1, -5, 'EUR'), ('m4', '2018', '10001', '2026-03-05 11:00Z', 1, 0, 'EUR'),
	('m4', '2018', '10001', '2026-03-05 11:00Z', -1, 0.00, 'EUR'),
	('m4', '2019', '10002', '2026-03-05 12:00Z', 1, 20000, 'EUR'), ('m4', '2020', '10002', '2026-03-05 13:00Z', 1, 400, 'EUR'),
	('m4', '2020', '10002', '2026-03-05 13:00Z', -1, 400, 'EUR'),
	-- 300 of an item of which usually 2.5 are bought, taken back later; 300 taken back before; 200 of 300 taken back
	('m5', '2021', '10003', '2026-03-06 10:00Z', 300, 30, 'EUR'), ('m5', '2022', '10003', '2026-03-07 10:00Z', -300, 30, 'EUR'),
	('m6', '2023', '10003', '2026-03-07 10:00Z', 300, 30, 'EUR'), ('m6', '2024', '10003', '2026-03-06 10:00Z', -300, 30, 'EUR'),
	('m7', '2025', '10003', '2026-03-06 10:00Z', 300, 30, 'EUR'), ('m7', '2026', '10003', '2026-03-07 10:00Z', -200, 30, 'EUR'),
	-- the same item and member, written differently: m8 has 6 rows more; '' and '  ' above are variants of each other, too
	('m8', '2027', 'AB-1', '2026-03-09 10:00Z', 1, 10, 'EUR'), ('M8', '2028', 'ab-1', '2026-03-09 11:00Z', 1, 10, 'EUR'), ('m8 ', '2029', 'aB-1 ', '2026-03-09 12:00Z', 1, 10, 'EUR'),
	-- what a spreadsheet did to ids, and what it did not
	('m9', '1.23e+05', '10001', '2026-03-10 10:00Z', 1, 10, 'EUR'), ('9E+10', '2030', '10001', '2026-03-10 11:00Z', 1, 10, 'EUR'),
	('m9', '2031', '4e5', '2026-03-10 12:00Z', 1, 10, 'EUR'), ('m9', '2032', '1.e+5', '2026-03-10 12:00Z', 1, 10, 'EUR'),
	-- tests, and a contest
	('m9', 'TEST-1', '10001', '2026-03-11 10:00Z', 1, 10, 'EUR'), ('dummy', '2033', '10001', '2026-03-11 11:00Z', 1, 10, 'EUR'), ('contest', '2034', '10001', '2026-03-11 12:00Z', 1, 10, 'EUR'),
	('test', '2035', '10001', '2026-03-11 13:00Z', 1, 10, 'EUR'),
	-- another currency
	('m9', '2036', '10001', '2026-03-12 10:00Z', 1, 10, 'USD');
CREATE TABLE book AS SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency) AS book FROM dirty;
CREATE TABLE report AS
SELECT r.* FROM book, order_checks(book, timestamptz '2026-06-30 12:00Z', columns => '{Member,order,item,at,"Qty 1","pr\"ice",currency}') WITH ORDINALITY r;
SELECT check_name, severity, rows, round(share::numeric, 6) AS share, amount, round(amount_share::numeric, 6) AS amount_share, members, example FROM report ORDER BY ordinality;
SELECT check_name, effect FROM report WHERE effect IS NOT NULL ORDER BY ordinality;
SELECT check_name, filter FROM report WHERE filter IS NOT NULL ORDER BY ordinality;
-- A filter leaves out as many rows as the check has found; only a gap has none.
SELECT check_name, rows, left_out('dirty', filter) FROM report WHERE rows <> left_out('dirty', filter);
SELECT check_name FROM report WHERE rows > 0 AND filter IS NULL;
-- All filters at once make a table in which only gaps are left.
DO $$
DECLARE
	filters text := (SELECT string_agg(filter, ' AND ') FROM report WHERE check_name <> 'item_variant');
BEGIN
	EXECUTE 'CREATE VIEW kept AS SELECT * FROM (SELECT *, ' || filters || ' AS keep FROM dirty) d WHERE keep';
END $$;
SELECT check_name, severity, rows, example FROM order_checks((SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency) FROM kept), '2026-06-30') WHERE rows > 0;

-- Day and month exchanged: 1 April as 4 January, 5 April as 4 May.  W-0040 is only wrong.
CREATE TABLE numbered AS
SELECT 'W-' || lpad(i::text, 4, '0') AS order_id, timestamptz '2026-03-30 09:00Z' + i * interval '6 hours' AS ordered_at FROM generate_series(1, 80) i;
UPDATE numbered SET ordered_at = '2026-01-04 09:00Z' WHERE order_id = 'W-0008';
UPDATE numbered SET ordered_at = '2026-05-04 09:00Z' WHERE order_id = 'W-0024';
UPDATE numbered SET ordered_at = '2026-07-19 09:00Z' WHERE order_id = 'W-0040';
SELECT severity, rows, example, effect, filter FROM order_checks((SELECT check_book('a' || order_id, order_id, 'x', ordered_at, 1, 1) FROM numbered)) WHERE check_name = 'day_month_swap';
-- Numbers that do not follow time, ids that are no numbers, too few orders.
SELECT 'random' AS ids, severity, rows, effect FROM order_checks((SELECT check_book('a' || order_id, hashtext(order_id) & 1023 | 1024 || '', 'x', ordered_at + interval '1 year' * (hashtext(order_id) & 7), 1, 1) FROM numbered)) WHERE check_name = 'day_month_swap'
UNION ALL SELECT 'none', severity, rows, effect FROM order_checks((SELECT check_book('a' || order_id, order_id || '-x', 'x', ordered_at, 1, 1) FROM numbered)) WHERE check_name = 'day_month_swap'
UNION ALL SELECT 'few', severity, rows, effect FROM order_checks((SELECT check_book('a' || order_id, order_id, 'x', ordered_at, 1, 1) FROM numbered WHERE order_id < 'W-0011')) WHERE check_name = 'day_month_swap';

-- A member with 40 of 80 orders, where the second has 4; ten times is enough, nine is not; nobody does not count.
SELECT n, severity, rows, share, effect, filter
FROM (VALUES (40), (36)) v(n), LATERAL (SELECT check_book(CASE WHEN i <= n THEN 'big' WHEN i <= 60 THEN NULL ELSE 'm' || i % 5 END, i || '', 'x', timestamptz '2026-01-01' + i * interval '1 day', 1, 1) AS b FROM generate_series(1, 80) i) s, order_checks(b)
WHERE check_name = 'dominant_member';

-- Times by the clocks of a shop: the zone of the report and that of the session do not move them.
CREATE TABLE clock AS SELECT order_id, ordered_at AT TIME ZONE 'UTC' AS ordered_at FROM numbered;
SELECT check_book(NULL, order_id, NULL, ordered_at, 1, 1) = check_book(NULL, order_id, NULL, ordered_at, 1, 1, NULL) AS same,
	check_book(NULL, order_id, NULL, ordered_at::date, 1, 1) = check_book(NULL, order_id, NULL, ordered_at::date::timestamp, 1, 1) AS same_days FROM clock;
SELECT zone, r.rows, r.filter FROM (SELECT check_book('m', order_id, NULL, ordered_at, 1, 1) AS b FROM clock) s, unnest('{UTC,America/New_York,Asia/Tokyo}'::text[]) zone, order_checks(b, timestamp '2026-04-18 15:00', zone) r WHERE check_name = 'after_as_of';
SELECT zone, r.rows, r.filter FROM (SELECT check_book('m', order_id, NULL, ordered_at, 1, 1) AS b FROM numbered) s, unnest('{UTC,America/New_York,Asia/Tokyo}'::text[]) zone, order_checks(b, timestamp '2026-04-18 15:00', zone) r WHERE check_name = 'after_as_of';
SELECT a.rows AS moment, d.rows AS day, t.rows AS text FROM (SELECT check_book('m', order_id, NULL, ordered_at, 1, 1) AS b FROM numbered) s, order_checks(b, timestamptz '2026-04-17 15:00Z', 'Asia/Tokyo') a, order_checks(b, date '2026-04-18', 'Asia/Tokyo') d, order_checks(b, '2026-04-18', 'Asia/Tokyo') t
WHERE a.check_name = 'after_as_of' AND d.check_name = 'after_as_of' AND t.check_name = 'after_as_of';
-- By the clocks of a shop no time is left out, whatever the clocks of a zone do: they are put forward at 2:00, or over midnight.
SELECT zone, a.filter AS of_timestamp, d.filter AS of_date FROM (SELECT check_book('m', '1', NULL, timestamp '2026-09-09', 1, 1) AS b) s, (VALUES ('America/New_York', timestamp '2026-03-08 02:30'), ('America/Santiago', timestamp '2026-09-06')) z(zone, at), order_checks(b, at, zone) a, order_checks(b, at::date, zone) d WHERE a.check_name = 'after_as_of' AND d.check_name = 'after_as_of';
-- The day of a moment depends on the zone: 1969-12-31 in New York is no placeholder.
SELECT zone, r.rows, r.filter, left_out('(SELECT timestamptz ''1970-01-01 02:00Z'' AS ordered_at) t', r.filter) FROM (SELECT check_book('m', '1', 'x', timestamptz '1970-01-01 02:00Z', 1, 1) AS b) s, unnest('{UTC,America/New_York}'::text[]) zone, order_checks(b, NULL, zone) r WHERE check_name = 'placeholder_date';

-- Gaps: Sundays are closed; from the 13th to the 16th nothing came; the calendar is that of the zone.
SELECT r.rows, r.share, r.amount, r.members, r.example, r.effect FROM order_checks((SELECT check_book(member, order_id, item, ordered_at, quantity, price) FROM clean WHERE ordered_at NOT BETWEEN '2026-01-13 00:00Z' AND '2026-01-16 23:00Z'), NULL, 'UTC') r WHERE check_name = 'gap';

-- Numbers that do not fit into 56 bits, and sums that do not fit into 128.
SELECT check_name, rows, amount FROM order_checks((SELECT check_book('m' || i % 3, i % 7 || '', 'x', timestamptz '2026-01-01', q, p) FROM (VALUES (1, 99999999999999999999, 99999999999999999999), (2, -99999999999999999999999999999999999999, 0.0000000000000000000000000001), (9, -99999999999999999999999999999999999999, 0.0000000000000000000000000001), (9, -99999999999999999999999999999999999999.0, 0.0000000000000000000000000001)) v(i, q, p))) WHERE check_name IN ('refund', 'duplicate_row');
-- Texts of every kind: '' and NULL are different ids, and so is what begins with the byte that tells them apart.
SELECT check_book(NULL, o, NULL, NULL::timestamptz, NULL, NULL) = check_book(NULL, o, NULL, NULL::timestamptz, NULL, NULL ORDER BY o DESC) AS same, r.rows, r.effect, b::text::check_book = b AS same_text
FROM unnest(ARRAY['', NULL, E'\x01', E'\x01\x01', E'\x01a', 'a']) o, LATERAL (SELECT check_book(NULL, o, NULL, NULL::timestamptz, NULL, NULL) AS b FROM unnest(ARRAY['', NULL, E'\x01', E'\x01\x01', E'\x01a', 'a']) o) s, order_checks(b) r WHERE check_name = 'no_member' GROUP BY b, r.rows, r.effect;

-- Equal rows make equal books in any order and in parts.
SELECT (SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency ORDER BY md5(d::text)) FROM dirty d) = book AS any_order,
	(SELECT rollup(b) FROM (SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency) AS b FROM dirty GROUP BY hashtext("Member" || item) % 7) p) = book AS in_parts,
	(SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency) FROM dirty WHERE "Qty 1" > 1) + (SELECT check_book("Member", "order", item, "at", "Qty 1", "pr""ice", currency) FROM dirty WHERE NOT coalesce("Qty 1" > 1, false)) = book AS added,
	(SELECT string_agg(r::text, ';' ORDER BY ordinality) FROM order_checks(book::text::check_book, timestamptz '2026-06-30 12:00Z', columns => '{Member,order,item,at,"Qty 1","pr\"ice",currency}') WITH ORDINALITY r) = (SELECT string_agg(r::text, ';' ORDER BY ordinality) FROM report r) AS same_report
FROM book;
-- As a window, of no rows and of NULL.
SELECT count(DISTINCT b), bool_and(b IS NOT NULL) FROM (SELECT check_book(member, order_id, item, ordered_at, quantity, price) OVER (ORDER BY order_id ROWS 2 PRECEDING) AS b FROM clean) s;
SELECT check_book(member, order_id, item, ordered_at, quantity, price) IS NULL AS nothing, rollup(NULL::check_book) IS NULL AS of_null FROM clean WHERE false;
SELECT count(*) FROM order_checks(NULL);
SELECT count(*) FROM order_checks((SELECT book FROM book), NULL::timestamptz);

-- Errors
SELECT hostile.error_of(format('SELECT %s', e)) AS error, e FROM unnest(ARRAY[
	'check_book(''m'', ''o'', ''i'', timestamptz ''2026-01-01'', ''NaN'', 1)',
	'check_book(''m'', ''o'', ''i'', timestamptz ''2026-01-01'', 1, ''infinity'')',
	'check_book(''m'', ''o'', ''i'', timestamp ''2026-01-01'', 1e38, 1)',
	'check_book(''m'', ''o'', ''i'', date ''2026-01-01'', 1, 1e-29)',
	'check_book(''m'', ''o'', ''i'', date ''5874897-01-01'', 1, 1)',
	'check_book(''m'', ''o'', ''i'', timestamptz ''2026-01-01'', 1, 1) + check_book(''m'', ''o'', ''i'', timestamp ''2026-01-01'', 1, 1)',
	'rollup(b) FROM (SELECT check_book(''m'', ''o'', ''i'', timestamptz ''2026-01-01'', 1, 1) AS b UNION ALL SELECT check_book(''m'', ''o'', ''i'', date ''2026-01-01'', 1, 1)) s',
	'order_checks(book, timezone => ''Mars/Olympus'') FROM order_checks_test.book',
	'order_checks(book, timezone => ''Etc/GMT-1'') FROM order_checks_test.book',
	'order_checks(book, timezone => NULL) FROM order_checks_test.book',
	'order_checks(book, timestamptz ''infinity'') FROM order_checks_test.book',
	'order_checks(book, date ''-infinity'') FROM order_checks_test.book',
	'order_checks(book, ''yesterday-ish'') FROM order_checks_test.book',
	'order_checks(book, date ''5874897-12-31'') FROM order_checks_test.book',
	'order_checks(check_book(''m'', ''o'', ''i'', date ''2026-01-01'', 1, 1), date ''5874897-12-31'')',
	'order_checks(check_book(''m'', ''o'', ''i'', date ''2026-01-01'', 1, 1), ''4714-11-24 00:00Z BC'', ''America/New_York'')',
	'order_checks(check_book(''m'', ''o'', ''i'', date ''2026-01-01'', 1, 1), ''294276-12-31 23:00Z'', ''Asia/Tokyo'')',
	'order_checks(book, columns => ''{a,b}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{{a,b,c},{d,e,f}}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{a,b,c,NULL,e,f}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{{a,b,c,d,e,f}}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{a,b,c,"",e,f}'') FROM order_checks_test.book',
	'order_checks(book, columns => ''{a,b,c,d,e,f}'') FROM order_checks_test.book',
	'order_checks(b) FROM (SELECT check_book(''m'', i || '''', ''i'', timestamptz ''2026-01-01'', 1e37, 1e37) AS b FROM generate_series(1, 1000000) i) s',
	'public.check_book_combine(NULL, NULL)',
	'public.check_book_step(NULL, ''m'', ''o'', ''i'', timestamptz ''2026-01-01'', 1, 1)']) e;
SELECT 'check_book:'::check_book;
SELECT 'check_book:FQEDAAAAAAAAAAAAAAAAAA=='::check_book;

-- Bytes from outside: whatever is changed in a book is refused or makes another book that can be read.
CREATE TABLE small AS SELECT check_book(m, o, i, t, q, p, c) AS book FROM (VALUES ('a', '1', 'x', timestamptz '2026-01-01', 1, 2.5, 'EUR'), ('b', '1', NULL, '2026-01-02', -1, 99999999999999999999, 'USD'), (NULL, NULL, 'y', NULL, NULL, NULL, NULL), ('a', '1', 'x', '2026-01-01', 1, 2.5, 'EUR')) v(m, o, i, t, q, p, c);
SELECT count(*) AS tried, count(*) FILTER (WHERE result LIKE 'accepted%') > 0 AS some_taken, count(*) FILTER (WHERE result NOT LIKE 'accepted%' AND result NOT LIKE '22P03 binary check_book is not valid: %') AS otherwise
FROM small, hostile.mutations(check_book_send(book)) image, hostile.receive('check_book', image) result;
SELECT DISTINCT hostile.error_of(format('SELECT 1 / (count(*) = 21)::int FROM order_checks(%L::check_book)', substr(result, 11))) AS error FROM small, hostile.mutations(check_book_send(book)) image, hostile.receive('check_book', image) result WHERE result LIKE 'accepted%' ORDER BY 1;
-- The scale of a column is at least that of its numbers; amounts have at most 38 digits before the point.
SELECT hostile.receive('check_book', set_byte(a, i, 0)) AS smaller_scale, hostile.receive('check_book', set_byte(a, i, 2)) = 'accepted: ' || z.book::text AS larger_scale
FROM (SELECT check_book_send(check_book('m', 'o', 'i', timestamptz '2026-01-01', 1, 1.5)) AS a, check_book('m', 'o', 'i', timestamptz '2026-01-01', 1, 1.50) AS book) z, generate_series(0, length(a) - 1) i WHERE get_byte(a, i) <> get_byte(check_book_send(book), i);
-- The last 32 bytes are the price, its highest word first: 2^128 is added.
SELECT hostile.receive('check_book', set_byte(image, length(image) - 20, 1)) AS too_large
FROM (SELECT check_book_send(check_book('m', 'o', 'i', timestamptz '2026-01-01', 1, 99999999999999999999999999999999999999)) AS image) s;
SET client_min_messages = warning;
DROP SCHEMA order_checks_test CASCADE;
