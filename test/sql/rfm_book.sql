-- Books: every member of an order table in one value.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA rfm_book_test;
SET search_path = rfm_book_test, public;
SET timezone = 'UTC';

CREATE TABLE orders (order_id bigint, member bigint, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
	(1, 1, '2026-01-01', 10.00), (2, 1, '2026-01-11', 20.50), (3, 1, '2026-01-21', -5.25),
	(4, 2, '2026-02-01', 0), (5, 3, '2026-01-05', -7), (6, NULL, '2026-01-01', 1), (7, 4, NULL, 5), (8, 4, '2026-01-01', NULL),
	(9, 5, '2026-01-01', 0.1), (10, 5, '2026-01-01', 0.20), (11, -9223372036854775808, '2026-01-10', 100), (12, 9223372036854775807, '2026-01-10', 100);
SELECT member_count(b), rows_skipped(b) FROM (SELECT rfm_book(member, ordered_at, amount) AS b FROM orders) s;

-- Six members, five with orders. Positions of the four limits among 5 values: 0.8, 1.6, 2.4, 3.2.
-- Frequencies 1 1 1 2 2 give limits 1, 1, 1.4, 2; money 0 0.3 25.25 100 100 gives 0.24, 15.27, 55.15, 100;
-- last orders Jan 1, 10, 10, 11, Feb 1.
SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders)) ORDER BY member;
SELECT rfm_cuts((SELECT rfm_book(member, ordered_at, amount) FROM orders));
SELECT segment, members, round(share::numeric, 4) AS share, monetary, round(monetary_share::numeric, 4) AS monetary_share,
	avg_recency, avg_frequency, avg_monetary
FROM rfm_segments((SELECT rfm_book(member, ordered_at, amount) FROM orders));
-- A later as_of moves recency, and nothing else.
SELECT member, recency, score FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), '2026-02-02 12:00') ORDER BY member;
SELECT member, recency_score, frequency_score, monetary_score, score, segment FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), bins => 2) ORDER BY member;

-- By limits of one's own: from January 10 on, 2 orders, 100 in money.  Nothing depends on who else is in the book.
CREATE TABLE own AS SELECT rfm_cuts(ARRAY[timestamptz '2026-01-10'], ARRAY[1], ARRAY[99.99]) AS cuts;
SELECT member, recency, recency_score, frequency_score, monetary_score, score, segment FROM own, rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), cuts => cuts) ORDER BY member;
SELECT m.member, score FROM own, rfm_members(NULL::text, (SELECT rfm_book(member::text, ordered_at, amount) FROM orders WHERE member < 3), '2026-03-01', 2, cuts) m ORDER BY member;
SELECT segment, members, monetary FROM own, rfm_segments((SELECT rfm_book(member, ordered_at, amount) FROM orders), cuts => cuts);
SELECT member, score FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), NULL, NULL, NULL) ORDER BY member LIMIT 2;
SELECT rfm_members(book, cuts => (SELECT rfm_cuts(book, bins))) = rfm_members(book, bins => bins) AS same
FROM (SELECT rfm_book(member, ordered_at, amount) AS book FROM orders) b, generate_series(2, 99) bins GROUP BY 1;
SELECT count(*), count(score) AS scores FROM own, rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders WHERE amount < 0 AND member = 3), cuts => cuts);

-- Nothing to tell of.
SELECT rfm_book(member, ordered_at, amount) IS NULL AS no_rows FROM orders WHERE false;
SELECT count(*) FROM rfm_members(NULL::rfm_book);
SELECT count(*) FROM rfm_segments(NULL::rfm_book);
SELECT member_count(b), rows_skipped(b), (SELECT count(*) FROM rfm_members(b)) AS members, (SELECT count(*) FROM rfm_segments(b)) AS segments, rfm_cuts(b) IS NULL AS no_limits
FROM (SELECT rfm_book(member, ordered_at, amount) AS b FROM orders WHERE member IS NULL) s;
SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders WHERE amount < 0 AND member = 3));
SELECT * FROM rfm_segments((SELECT rfm_book(member, ordered_at, amount) FROM orders WHERE amount < 0 AND member = 3));
-- What lies after as_of is refused, a refund as much as an order; without as_of it is the latest row.
CREATE VIEW returned AS SELECT rfm_book(member, ordered_at, amount) AS book FROM (VALUES (1, timestamptz '2026-01-01', 5), (1, '2026-01-11', -5), (2, '2026-01-06', 7)) v(member, ordered_at, amount);
SELECT member, recency FROM returned, rfm_members(book) ORDER BY member;
SELECT member, recency FROM returned, rfm_members(book, '2026-01-11') ORDER BY member;
SELECT count(*) FROM returned, rfm_members(book, '2026-01-10');
SELECT count(*) FROM returned, rfm_segments(book, '2026-01-10');
SELECT count(*) FROM rfm_members((SELECT rollup(b) FROM (SELECT book AS b FROM returned UNION ALL SELECT rfm_book(3::bigint, '2026-01-01', 1)) s), '2026-01-10');

-- Members as uuid and text: the type comes first.
CREATE TABLE typed AS SELECT *, ('00000000-0000-0000-0000-' || lpad(to_hex(abs(member % 1000)), 12, '0'))::uuid AS u, 'member ' || member AS t FROM orders;
SELECT member, frequency, monetary FROM rfm_members(NULL::uuid, (SELECT rfm_book(u, ordered_at, amount) FROM typed)) ORDER BY member;
SELECT member, frequency, monetary FROM rfm_members(NULL::text, (SELECT rfm_book(t, ordered_at, amount) FROM typed)) ORDER BY member COLLATE "C";
SELECT member, pg_typeof(member) FROM rfm_members(NULL::bigint, (SELECT rfm_book(member, ordered_at, amount) FROM orders)) ORDER BY member LIMIT 1;
SELECT member_count(rfm_book(t::varchar(20), ordered_at, amount)) AS varchar, member_count(rfm_book((member % 1000)::int, ordered_at, amount)) AS int FROM typed;
-- Texts of every length; the empty one is a member, too.
SELECT count(*), sum(frequency), max(length(member)) FROM rfm_members(NULL::text,
	(SELECT rfm_book(repeat('é', n % 1000), '2026-01-01', 1) FROM generate_series(1, 3000) n));
\set VERBOSITY default
SELECT * FROM rfm_members((SELECT rfm_book(t, ordered_at, amount) FROM typed));
SELECT * FROM rfm_members(NULL::int, (SELECT rfm_book(member, ordered_at, amount) FROM orders));
SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), '2026-01-20');
SELECT * FROM rfm_segments((SELECT rfm_book(member, ordered_at, amount) FROM orders), 'infinity');
SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), NULL, 1);
SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders), NULL, 5, (SELECT cuts FROM own));
SELECT * FROM rfm_segments((SELECT rfm_book(member, ordered_at, amount) FROM orders), bins => 3, cuts => (SELECT cuts FROM own));
SELECT rfm_cuts((SELECT rfm_book(member, ordered_at, amount) FROM orders), NULL);
SELECT rfm_cuts((SELECT rfm_book(member, ordered_at, amount) FROM orders), 100);
SELECT rfm_book(member, ordered_at, 'NaN') FROM orders;
SELECT rfm_book(member, 'infinity', amount) FROM orders;
SELECT rfm_book(member, ordered_at, amount) + rfm_book(t, ordered_at, amount) FROM typed;
SELECT rfm_book(member, ordered_at, amount) + rfm_book(member, order_id, ordered_at, amount) FROM typed;
SELECT rfm_book(member, u, ordered_at, amount) + rfm_book(member, order_id, ordered_at, amount) FROM typed;
SELECT rfm_book(member, u, ordered_at, amount) + rfm_book(member, t, ordered_at, amount) FROM typed;
\set VERBOSITY terse
SELECT rfm_book_combine(NULL, NULL);
SELECT rfm_book_step_bigint(NULL, 1, now(), 1);

-- Order lines: an order counts once, on whatever day or by whatever worker its lines are met.
CREATE TABLE lines (member bigint, order_id bigint, ordered_at timestamptz, amount numeric);
INSERT INTO lines VALUES
	(1, 100, '2026-01-01 10:00', 5), (1, 100, '2026-01-01 10:01', 6),	-- one order, two times
	(1, 101, '2026-01-05', 7), (1, 101, '2026-01-09', -7),				-- bought, then returned
	(1, 102, '2026-01-10', -1), (1, 102, '2026-01-10', -2),				-- one refund of two lines
	(2, 100, '2026-01-02', 3), (2, NULL, '2026-01-02', 3);				-- another member's order 100; a line without id
SELECT member, frequency, monetary, first_order, last_order FROM rfm_members((SELECT rfm_book(member, order_id, ordered_at, amount) FROM lines)) ORDER BY member;
SELECT rows_skipped(rfm_book(member, order_id, ordered_at, amount)) FROM lines;
-- The same with ids as text and with every pair of types; parts overlap in orders, and are merged.
CREATE TABLE typed_lines AS SELECT *, order_id::text AS o, md5(order_id::text)::uuid AS ou, ('00000000-0000-0000-0000-' || lpad(member::text, 12, '0'))::uuid AS u, member::text AS t FROM lines;
SELECT rfm_book(member, order_id, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(member, order_id, ordered_at, amount) AS b FROM lines GROUP BY ctid) s) AS bigint_bigint,
	rfm_book(member, o, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(member, o, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS bigint_text,
	rfm_book(member, ou, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(member, ou, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS bigint_uuid,
	rfm_book(u, ou, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(u, ou, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS uuid_uuid,
	rfm_book(t, ou, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(t, ou, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS text_uuid,
	rfm_book(u, order_id, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(u, order_id, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS uuid_bigint,
	rfm_book(u, o, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(u, o, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS uuid_text,
	rfm_book(t, order_id, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(t, order_id, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS text_bigint,
	rfm_book(t, o, ordered_at, amount) = (SELECT rollup(b) FROM (SELECT rfm_book(t, o, ordered_at, amount) AS b FROM typed_lines GROUP BY ctid) s) AS text_text
FROM typed_lines;
SELECT count(DISTINCT (frequency, monetary, first_order, last_order)) AS answers FROM (
	SELECT frequency, monetary, first_order, last_order FROM rfm_members((SELECT rfm_book(member, o, ordered_at, amount) FROM typed_lines)) WHERE member = 1
	UNION ALL SELECT frequency, monetary, first_order, last_order FROM rfm_members((SELECT rfm_book(member, ou, ordered_at, amount) FROM typed_lines)) WHERE member = 1
	UNION ALL SELECT frequency, monetary, first_order, last_order FROM rfm_members(NULL::text, (SELECT rfm_book(t, ou, ordered_at, amount) FROM typed_lines)) WHERE member = '1'
	UNION ALL SELECT frequency, monetary, first_order, last_order FROM rfm_members(NULL::uuid, (SELECT rfm_book(u, order_id, ordered_at, amount) FROM typed_lines)) WHERE frequency = 2
	UNION ALL SELECT frequency, monetary, first_order, last_order FROM rfm_members(NULL::text, (SELECT rfm_book(t, o, ordered_at, amount) FROM typed_lines)) WHERE member = '1') s;

-- The specified bytes: kind 3, version 1, member bigint, order ids uuid; 1 member, none skipped; member 7 in a column of width 0; the latest
-- time; columns of width 0 with 1 order, 0 refunds, money 100 at scale 2, the first order, no time to the last; no wide sums; no late refunds; 1 order, bought, its 16 bytes.
SELECT rfm_book_send(rfm_book(7, '00112233-4455-6677-8899-aabbccddeeff'::uuid, '2000-01-02', 1.00)) = ('\x03010102 00000001 0000000000000000 00 0000000000000007'
	'000000141dd76000 00 0000000000000001 00 0000000000000000 00 0000000000000064 00 0000000000000002 00 000000141dd76000 00 0000000000000000 00000000 00000000 01 01 00112233445566778899aabbccddeeff')::bytea AS as_specified;
-- Three members: 1 with two orders, 2 with an order of much money, 4 with a refund. Each column is its width, its smallest number, and
-- by how much each number is above it; 1 s = 0xf4240 microseconds; 10^20 = 0x56bc75e2d63100000 is wide number 0. The latest row
-- of one member, the third (2, from 0), is a refund, 2 s after the beginning.
CREATE FUNCTION book_of(keys bytea DEFAULT '\x01 0000000000000001 000103', latest bytea DEFAULT '\x00000000002dc6c0',
	frequency bytea DEFAULT '\x01 0000000000000000 020100', refunds bytea DEFAULT '\x01 0000000000000000 000001',
	mantissa bytea DEFAULT '\x02 fffffffffffffffb 0131 0005 0000', scale bytea DEFAULT '\x01 0000000000000001 01fe00',
	first_order bytea DEFAULT '\x03 00000000000f4240 000000 0f4240 000000', span bytea DEFAULT '\x03 0000000000000000 1e8480 000000 000000',
	wide bytea DEFAULT '\x00000001 00 0000000000000000000000000000000000000000000000056bc75e2d63100000',
	refunded bytea DEFAULT '\x00000001 00 0000000000000002 00 00000000001e8480') RETURNS bytea LANGUAGE sql AS $$
	SELECT '\x03010100 00000003 0000000000000000'::bytea || keys || latest || frequency || refunds || mantissa || scale || first_order || span || wide || refunded
$$;
SELECT rfm_book_send(rfm_book(member, t, amount)) = book_of() AS as_specified
FROM (VALUES (1, timestamptz '2000-01-01 00:00:01', 1.00), (1, '2000-01-01 00:00:03', 2.00), (2, '2000-01-01 00:00:02', 100000000000000000000), (4, '2000-01-01 00:00:02', -0.5)) v (member, t, amount);
-- All bytes of an id count, and those of the same id under two members are two orders.
SELECT member, frequency FROM rfm_members((SELECT rfm_book(m, ('00000000-0000-0000-0000-0000000000' || i)::uuid, '2026-01-01', 1) FROM unnest(ARRAY['00', '01', '01', 'ff']) i, unnest(ARRAY[1, 1, 2]) m)) ORDER BY 1;
SELECT member, frequency FROM rfm_members((SELECT rfm_book(1, (i || '000000-0000-0000-0000-000000000000')::uuid, '2026-01-01', 1) FROM unnest(ARRAY['00', '01', '01', 'ff']) i));

-- A book of summaries that are already there: a member may have many.
CREATE TABLE summaries AS SELECT member, ordered_at, rfm(ordered_at, amount) AS x FROM orders GROUP BY member, ordered_at UNION ALL SELECT 6, '2026-01-01', NULL;
SELECT member_count(b), rows_skipped(b) FROM (SELECT rfm_book(member, x) AS b FROM summaries) s;
SELECT member, frequency, refunds, monetary, first_order, last_order, recency, score FROM rfm_members((SELECT rfm_book(member, x) FROM summaries)) ORDER BY member;
SELECT count(*) AS differ FROM ((SELECT * FROM rfm_members((SELECT rfm_book(member, x) FROM summaries))) EXCEPT (SELECT * FROM rfm_members((SELECT rfm_book(member, ordered_at, amount) FROM orders)))) d;
-- It is the book of the rows, byte for byte, of members whose latest row is no refund; and parts of either kind can be merged.
CREATE TABLE refunded_last AS SELECT member FROM orders WHERE member IS NOT NULL GROUP BY member HAVING max(ordered_at) FILTER (WHERE amount < 0) > coalesce(max(ordered_at) FILTER (WHERE amount >= 0), '-infinity');
SELECT rfm_book_send(rfm_book(member, x)) = (SELECT rfm_book_send(rfm_book(member, ordered_at, amount)) FROM orders WHERE ordered_at IS NOT NULL AND amount IS NOT NULL AND member IS NOT NULL AND member NOT IN (TABLE refunded_last)) AS same_bytes,
	count(DISTINCT member) AS members, (SELECT count(*) FROM refunded_last) AS others
FROM summaries WHERE member NOT IN (TABLE refunded_last) AND x IS NOT NULL;
SELECT rfm_book(member, x) + (SELECT rfm_book(member, ordered_at, amount) FROM orders WHERE member >= 3 OR member IN (TABLE refunded_last)) = (SELECT rfm_book(member, ordered_at, amount) FROM orders) AS merged, count(DISTINCT member) AS members
FROM summaries WHERE member IS NULL OR member < 3 AND member NOT IN (TABLE refunded_last);
SELECT rollup(b) = (SELECT rfm_book(member, x) FROM summaries) AS rolled_up FROM (SELECT rfm_book(member, x) AS b FROM summaries GROUP BY ctid) s;
SELECT rfm_book(member::text, x) = (SELECT rollup(b) FROM (SELECT rfm_book(member::text, x) AS b FROM summaries GROUP BY ctid) s) AS text,
	rfm_book(md5(member::text)::uuid, x) = (SELECT rollup(b) FROM (SELECT rfm_book(md5(member::text)::uuid, x) AS b FROM summaries GROUP BY ctid) s) AS uuid FROM summaries;
-- When a refund was is not known: of refunds only, nothing lies after any as_of; and the latest row is the latest order.
SELECT member, frequency, refunds, monetary, recency FROM rfm_members((SELECT rfm_book(3, x) FROM (SELECT rfm('2026-01-05', -7) AS x) s), '2020-01-01');
SELECT segment, members, monetary, avg_recency FROM rfm_segments((SELECT rfm_book(3, x) FROM (SELECT rfm('2026-01-05', -7) AS x) s));
SELECT member, recency FROM rfm_members((SELECT rfm_book(m, x) FROM (SELECT 1 AS m, rfm('2026-01-01', 5) + rfm('2026-01-09', -1) AS x UNION ALL SELECT 2, rfm('2026-01-03', 5)) s)) ORDER BY member;
-- Sums too wide for 56 bits, and more orders than 32 bits count.
SELECT member, monetary FROM rfm_members((SELECT rfm_book(i % 3, rfm(1, 1e20 * i, '2026-01-01', '2026-01-01')) FROM generate_series(1, 1000) i)) ORDER BY member;
SELECT rfm_book(1, rfm(4294967295, 1, '2026-01-01', '2026-01-01')) IS NOT NULL AS most;
SELECT rfm_book(1, x) FROM (SELECT rfm(4294967295, 1, '2026-01-01', '2026-01-01') AS x FROM generate_series(1, 2)) s;
-- An aggregate of one's own may begin with a book.
CREATE AGGREGATE from_a_book(bigint, rfm_summary) (SFUNC = rfm_book_step_bigint_summary, STYPE = rfm_book, COMBINEFUNC = rfm_book_combine, INITCOND = 'rfm_book:AwEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
SELECT from_a_book(member, x) = rfm_book(member, x) AS same FROM summaries;

-- Thousands of members: equal to GROUP BY, in any order, merged in any grouping, stored and reloaded.
CREATE TABLE many AS
SELECT n % 7919 AS member, n / 3 AS order_id, timestamptz '2025-01-01' + (n * 7919 % 31536000) * interval '1 second' AS ordered_at,
	(n * 104729 % 20011 - 500) / 100.0 * CASE WHEN n % 97 = 0 THEN 1e17 ELSE 1 END AS amount
FROM generate_series(1, 50000::bigint) n;
CREATE TABLE books AS SELECT n, rfm_book(member, ordered_at, amount) AS b, rfm_book(member, order_id, ordered_at, amount) AS l
FROM (SELECT *, order_id % 5 AS n FROM many) s GROUP BY n;
SELECT (SELECT rollup(b) FROM books) = whole AS rolled_up,
	(SELECT rollup(b ORDER BY n DESC) FROM books) = whole AS other_order,
	(SELECT b FROM books WHERE n = 0) + (SELECT rollup(b) FROM books WHERE n > 0) = whole AS plus,
	(SELECT rfm_book(member, ordered_at, amount ORDER BY amount) FROM many) = whole AS sorted,
	whole::text::rfm_book = whole AS text_round_trip, rfm_book_send(whole::text::rfm_book) = rfm_book_send(whole) AS same_bytes,
	rfm_book_hash(whole) = rfm_book_hash((SELECT rollup(b) FROM books)) AS hash,
	(SELECT b FROM books WHERE n = 1) = whole AS part_is_whole
FROM (SELECT rfm_book(member, ordered_at, amount) AS whole FROM many) s;
SELECT (SELECT rollup(l) FROM books) = whole AS rolled_up, whole::text::rfm_book = whole AS text_round_trip
FROM (SELECT rfm_book(member, order_id, ordered_at, amount) AS whole FROM many) s;
SELECT count(*) AS differences FROM (
	(SELECT member, frequency, monetary, first_order, last_order FROM rfm_members((SELECT rollup(b) FROM books))
	 EXCEPT SELECT member, count(*) FILTER (WHERE amount >= 0), sum(amount), min(ordered_at) FILTER (WHERE amount >= 0), max(ordered_at) FILTER (WHERE amount >= 0) FROM many GROUP BY member)
	UNION ALL
	(SELECT member, frequency, monetary, first_order, last_order FROM rfm_members((SELECT rollup(l) FROM books))
	 EXCEPT SELECT member, count(DISTINCT order_id) FILTER (WHERE amount >= 0), sum(amount), min(ordered_at) FILTER (WHERE amount >= 0), max(ordered_at) FILTER (WHERE amount >= 0) FROM many GROUP BY member)) s;
SELECT count(DISTINCT b), count(*) FROM (SELECT b FROM books UNION ALL SELECT rfm_book(member, ordered_at, amount ORDER BY ordered_at) FROM (SELECT *, order_id % 5 AS n FROM many) s GROUP BY n) s;
SELECT (a < b)::int + (a = b)::int + (a > b)::int AS trichotomy, (a <= b) = (NOT a > b) AS le, (a >= b) = (NOT a < b) AS ge, a <> b AS ne
FROM (SELECT (SELECT b FROM books WHERE n = 1) AS a, (SELECT b FROM books WHERE n = 2) AS b) s;

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT rfm_book(member, order_id, ordered_at, amount)::text FROM lines)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'rfm_book', 'rfm_book:', ':', 'rfm_summary:', 'rfm_book: ', 'rfm_book:=', 'rfm_book:====', 'rfm_book:AAAA', 'rfm_book:%%%%', '{}', 'null', '0', 'RFM_BOOK:AwEBAA==', 'v1 frequency=1',
	'rfm_book:AwEB', 'rfm_book:AwEBAA==', 'rfm_book:AwEBAAAAAAAAAAAAAAAAAA==', 'rfm_book:AwEBAP////8AAAAAAAAAAA==', 'rfm_book:AwIBAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'rfm_book:AwEJAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
	'rfm_book:AwEBCQAAAAAAAAAAAAAAAAAAAAAAAAAA', 'rfm_book:AwEBAAAAAAD//////////wAAAAAAAAAA', 'rfm_book:AwEBAAAAAAAAAAAAAAAAAAAAAAEAAAAA', 'rfm_book:AwEBAAAAAAAAAAAAAAAAAAAAAAAAAAAB'])
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(10, 40, 10) n;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type rfm_book: "%') AS refused
FROM (SELECT hostile.error_of(format('SELECT %L::rfm_book', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::rfm_book', literal)) IS NULL;
\set VERBOSITY default
SELECT 'rfm_book:AwEBAAAAAAAAAAAAAAAAAAAAAAAAAAAB'::rfm_book;
\set VERBOSITY terse
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''rfm_book'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Images put together by hand, each with one column that is not that of the book above.
CREATE TABLE crafted AS
SELECT * FROM (VALUES (1, 'as it is', book_of()),
	(2, 'a frequency of 2^32 - 1', book_of(frequency => '\x04 0000000000000000 ffffffff 00000001 00000000')), (3, 'of 2^32', book_of(frequency => '\x05 0000000000000000 0100000000 0000000001 0000000000')), (4, 'of -1', book_of(frequency => '\x01 ffffffffffffffff 000201')),
	(5, '2^32 - 1 refunds', book_of(refunds => '\x04 0000000000000000 00000000 00000000 ffffffff')), (6, '2^32 refunds', book_of(refunds => '\x05 0000000000000000 0000000000 0000000000 0100000000')), (7, '-1 refunds', book_of(refunds => '\x01 ffffffffffffffff 010002')),
	(8, 'neither orders nor refunds', book_of(refunds => '\x00 0000000000000000')), (9, 'a mantissa of 2^55 - 1', book_of(mantissa => '\x07 fffffffffffffffb 80000000000004 00000000000005 00000000000000')), (10, 'of 2^55', book_of(mantissa => '\x07 fffffffffffffffb 80000000000005 00000000000005 00000000000000')),
	(11, 'of -2^55', book_of(mantissa => '\x07 ff80000000000000 8000000000012c 80000000000000 00000000000000')), (12, 'of -2^55 - 1', book_of(mantissa => '\x07 ff7fffffffffffff 8000000000012d 80000000000001 00000000000000')), (13, 'money below zero without a refund', book_of(mantissa => '\x02 fffffffffffffed4 0000 012c 0127')),
	(14, 'a refund of money above zero', book_of(mantissa => '\x02 0000000000000000 012c 0000 0005')), (15, 'another wide sum', book_of(mantissa => '\x02 fffffffffffffffb 0131 0006 0000')), (16, 'a wide sum below the first', book_of(mantissa => '\x02 fffffffffffffffb 0131 0004 0000')),
	(17, 'scale 28', book_of(scale => '\x01 0000000000000001 1bfe00')), (18, 'scale 29', book_of(scale => '\x01 0000000000000001 1cfe00')), (19, 'scale 256', book_of(scale => '\x01 0000000000000001 fffe00')), (20, 'scale -1', book_of(scale => '\x02 ffffffffffffffff 0003 0100 0000')),
	(21, 'a last order before the first', book_of(span => '\x03 ffffffffffffffff 1e8481 000000 000001')), (22, 'a last order after all time', book_of(span => '\x08 0000000000000000 00000000001e8480 7fffffffffe17b7f 0000000000000000')), (23, 'and so far after it that it is before it', book_of(span => '\x08 0000000000000000 00000000001e8480 7fffffffffffffff 0000000000000000')),
	(24, 'a first order before all time', book_of(first_order => '\x08 8000000000000000 80000000000f4240 0000000000000000 0000000000000000')), (25, 'a date without orders', book_of(first_order => '\x03 00000000000f4240 000000 0f4240 000001')), (26, 'another one', book_of(first_order => '\x03 0000000000000000 0f4240 1e8480 000000')),
	(27, 'a time to the last order without orders', book_of(span => '\x03 0000000000000000 1e8480 000000 000001')), (28, 'more bytes than are needed', book_of(frequency => '\x02 0000000000000000 0002 0001 0000')), (29, 'any where none is needed', book_of(span => '\x01 0000000000000000 000000')),
	(30, 'another smallest number', book_of(refunds => '\x01 ffffffffffffffff 010102')), (31, 'beyond 64 bits', book_of(first_order => '\x03 7ffffffffffffff0 000000 0f4240 000000')), (32, '9 bytes', book_of(scale => '\x09 0000000000000001 000000000000000001 0000000000000000fe 000000000000000000')),
	(33, 'no columns', book_of(frequency => '', refunds => '', mantissa => '', scale => '', first_order => '', span => '', wide => '', refunded => '')),
	(36, 'no late refund', book_of(latest => '\x00000000002dc6c0', refunded => '\x00000000')), (37, 'that of a fourth member', book_of(refunded => '\x00000001 00 0000000000000003 00 00000000001e8480')), (38, 'of a member before the first', book_of(refunded => '\x00000001 00 ffffffffffffffff 00 00000000001e8480')),
	(39, 'of a member without refunds', book_of(refunded => '\x00000001 00 0000000000000000 00 0000000000ffffff')), (40, 'before the latest order', book_of(refunds => '\x00 0000000000000001', refunded => '\x00000001 00 0000000000000000 00 00000000002dc6c0')),
	(41, 'later than all rows', book_of(refunded => '\x00000001 00 0000000000000002 00 00000000002dc6c1')), (42, 'which is the latest row', book_of(latest => '\x00000000002dc6c1', refunded => '\x00000001 00 0000000000000002 00 00000000002dc6c1')),
	(43, 'at no time', book_of(refunded => '\x00000001 00 0000000000000002 00 7fffffffffffffff')), (44, 'two of one member', book_of(refunds => '\x00 0000000000000001', refunded => '\x00000002 00 0000000000000002 01 00000000001e8480 0001')), (45, 'cut off', book_of(refunded => '\x00000001 00 0000000000000002 00 00000000001e84'))) v (number, what, image)
-- Without orders in a block dates are 0.
UNION ALL SELECT 34, 'refunds only', '\x03010100 00000001 0000000000000000 00 0000000000000007 0000000000000000 00 0000000000000000 00 0000000000000001 00 ffffffffffffffff 00 0000000000000002 00 0000000000000000 00 0000000000000000 00000000 00000001 00 0000000000000000 00 0000000000000000'
UNION ALL SELECT 35, 'refunds only, with a date', '\x03010100 00000001 0000000000000000 00 0000000000000007 0000000000000000 00 0000000000000000 00 0000000000000001 00 ffffffffffffffff 00 0000000000000002 00 0000000000000001 00 0000000000000000 00000000 00000001 00 0000000000000000 00 0000000000000000';
SELECT what, regexp_replace(hostile.receive('rfm_book', image), '^accepted.*', 'accepted') AS answer FROM crafted ORDER BY number;

-- Bad images, of every form; whatever is accepted must be harmless.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('rfm_book', m) AS answer
FROM (SELECT rfm_book_send(rfm_book(member, ordered_at, amount)) AS image FROM (VALUES (1, timestamptz '2026-01-01', 1.5), (2, '2026-01-02', -1e20), (1, '2026-01-03', 2)) v(member, ordered_at, amount)
	  UNION ALL SELECT rfm_book_send(rfm_book(t, o, ordered_at, amount)) FROM typed_lines
	  UNION ALL SELECT rfm_book_send(rfm_book(t, ou, ordered_at, amount)) FROM typed_lines WHERE member = 1
	  UNION ALL SELECT rfm_book_send(rfm_book(u, order_id, ordered_at, amount)) FROM typed_lines WHERE member = 2) s, hostile.mutations(image) m
UNION ALL SELECT m, hostile.receive('rfm_book', m)
FROM (VALUES ('\x03010100000000000000000000000000000000000000000000000001'::bytea || decode(repeat('00', 37), 'hex'))) wide_sum_of_no_member(m)
UNION ALL SELECT image, hostile.receive('rfm_book', image) FROM crafted;
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary rfm_book is not valid: %') > 500 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary rfm_book is not valid: %' AND answer NOT LIKE 'accepted: rfm_book:%') AS other
FROM images;
SELECT DISTINCT answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND rfm_book_send(substr(answer, 11)::rfm_book) <> image;
SELECT count(*) > 100 AS accepted, count(DISTINCT left(e, 5)) FILTER (WHERE left(e, 5) NOT IN ('42804', '22003', '54000')) AS surprises
FROM (SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM rfm_members(NULL::text, b)), (SELECT count(*) FROM rfm_segments(b)), b + b = b + b FROM (SELECT %L::rfm_book AS b) s', substr(answer, 11))) AS e
	  FROM images WHERE answer LIKE 'accepted%') s;
