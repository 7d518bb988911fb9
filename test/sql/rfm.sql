-- The type rfm_summary: one member's orders. Every expected figure is worked out by hand
-- or stands in a comment with its reason.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA rfm_test;
SET search_path = rfm_test, public;
SET timezone = 'UTC';

CREATE TABLE orders (member bigint, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
	(1, '2026-01-01', 10.00), (1, '2026-01-11', 20.50), (1, '2026-01-21', -5.25),	-- a refund
	(2, '2026-02-01', 0),						-- amount 0 is an order
	(3, '2026-01-05', -7),						-- refunds only
	(4, NULL, 5), (4, '2026-01-01', NULL),		-- nothing usable
	(5, '2026-01-01', 0.1), (5, '2026-01-01', 0.20);	-- scales differ
SELECT member, frequency(x), monetary(x), refunds(x), first_order(x), last_order(x), avg_order_value(x),
	recency(x, '2026-02-01 12:00'), tenure(x, '2026-02-01 12:00')
FROM (SELECT member, rfm(ordered_at, amount) AS x FROM orders GROUP BY member) s ORDER BY member;

-- Without as_of the latest row known is the time to look back from, and that of one member is their last order.
SELECT member, recency(x), tenure(x), recency(x, NULL) = recency(x) AS same_recency, tenure(summary => x, as_of => NULL) = tenure(x) AS same_tenure
FROM (SELECT member, rfm(ordered_at, amount) AS x FROM orders GROUP BY member) s ORDER BY member;
SELECT recency(NULL), tenure(NULL), recency(NULL, '2026-01-01'), tenure(NULL, '2026-01-01');

-- monetary is sum(amount), scale and all.
SELECT member, monetary(rfm(ordered_at, amount))::text IS NOT DISTINCT FROM
	(sum(amount) FILTER (WHERE ordered_at IS NOT NULL))::text AS same
FROM orders GROUP BY member ORDER BY member;

-- No rows.
SELECT rfm(ordered_at, amount) FROM orders WHERE false;
SELECT rollup(NULL::rfm_summary);
SELECT frequency(NULL::rfm_summary), monetary(NULL::rfm_summary), NULL::rfm_summary + NULL::rfm_summary;

-- Text form: the same under every setting, and back to the same bytes.
SELECT member, rfm(ordered_at, amount) FROM orders GROUP BY member ORDER BY member;
SET timezone = 'Asia/Shanghai'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET extra_float_digits = 0;
SELECT rfm(ordered_at, amount) FROM orders WHERE member = 1;
RESET datestyle; RESET intervalstyle; RESET extra_float_digits; SET timezone = 'UTC';
SELECT bool_and(rfm_summary_send(x::text::rfm_summary) = rfm_summary_send(x)) AS same_bytes
FROM (SELECT rfm(ordered_at, amount) AS x FROM orders GROUP BY member) s;
-- The specified bytes (docs/storage-format.md), written out by hand: kind 1, version 1, two
-- zeros; 2 orders, 0 refunds; money 30 at scale 2 is 30.00 * 10^2 = 3000 = 0xbb8, then the scale;
-- 2000-01-01 is time 0, a day later 86400000000 microseconds = 0x141dd76000.
SELECT rfm_summary_send(rfm(t, a)) = '\x01010000 00000002 00000000 00000000000bb802 0000000000000000 000000141dd76000'::bytea AS as_specified
FROM (VALUES (timestamptz '2000-01-01', 10.00), ('2000-01-02', 20)) v(t, a);

-- Dates at both ends, 38 digits, 28 decimals, and sums that cross 56 bits and come back.
SELECT rfm(t, a) FROM (VALUES (timestamptz '4713-01-01 BC', 1), ('294276-12-31 23:59:59.999999', 2)) v(t, a);
SELECT monetary(rfm(now(), a)) = sum(a) AS exact
FROM (VALUES (99999999999999999999999999999999999999::numeric), (0.0000000000000000000000000001), (-1), (12345678901234567.89)) v(a);
SELECT monetary(rfm('2026-01-01', a)), rfm('2026-01-01', a)
FROM (VALUES (36028797018963967::numeric), (1), (-1), (-36028797018963968)) v(a);
SELECT rfm_summary_send(rfm('2026-01-01', a ORDER BY a)) = rfm_summary_send(rfm('2026-01-01', a ORDER BY a DESC)) AS same_bytes
FROM (VALUES (36028797018963967::numeric), (1), (-1), (1e20), (-1e20), (0.5)) v(a);

-- Merging is what one aggregate over all rows gives, in any grouping.
SELECT rollup(x) = (SELECT rfm(ordered_at, amount) FROM orders) AS rollup_is_whole
FROM (SELECT rfm(ordered_at, amount) AS x FROM orders GROUP BY extract(day FROM ordered_at)) s;
SELECT (SELECT rfm(ordered_at, amount) FROM orders WHERE member = 1) + (SELECT rfm(ordered_at, amount) FROM orders WHERE member <> 1)
	= (SELECT rfm(ordered_at, amount) FROM orders) AS plus_is_whole;

-- Of what is already aggregated: the same value as of its rows.
SELECT member, count(*) FILTER (WHERE amount >= 0) AS frequency, sum(amount) AS monetary, min(ordered_at) FILTER (WHERE amount >= 0) AS first_order,
	max(ordered_at) FILTER (WHERE amount >= 0) AS last_order, count(*) FILTER (WHERE amount < 0) AS refunds, rfm(ordered_at, amount) AS x
INTO figures FROM orders WHERE ordered_at IS NOT NULL AND amount IS NOT NULL GROUP BY member;
SELECT member, rfm(frequency, monetary, first_order, last_order, refunds) = x AS same,
	rfm(frequency(x), monetary(x), first_order(x), last_order(x), refunds(x)) = x AS given_back
FROM figures ORDER BY member;
SELECT rfm(2, 30.50, '2026-01-01', '2026-01-11'), rfm(frequency => 0, monetary => -7, first_order => NULL, last_order => NULL, refunds => 1);
SELECT rfm(4294967295, 99999999999999999999999999999999999999.0000000000000000000000000001, '4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00', 4294967295);
SELECT rfm(NULL, 1, '2026-01-01', '2026-01-01') IS NULL AS no_frequency, rfm(1, NULL, '2026-01-01', '2026-01-01') IS NULL AS no_monetary, rfm(1, 1, '2026-01-01', '2026-01-01', NULL) IS NULL AS no_refunds, rfm(NULL, NULL, NULL, NULL) IS NULL AS nothing;
SELECT call, hostile.error_of('SELECT ' || call) FROM unnest(ARRAY[
	$$rfm(-1, 1, '2026-01-01', '2026-01-01')$$, $$rfm(4294967296, 1, '2026-01-01', '2026-01-01')$$, $$rfm(1, 1, '2026-01-01', '2026-01-01', -1)$$,
	$$rfm(0, 0, NULL, NULL)$$, $$rfm(0, 0, NULL, NULL, 1)$$, $$rfm(0, 5, NULL, NULL, 1)$$, $$rfm(0, -5, NULL, NULL)$$, $$rfm(0, -5, '2026-01-01', NULL, 1)$$, $$rfm(0, -5, NULL, '2026-01-01', 1)$$,
	$$rfm(1, -5, '2026-01-01', '2026-01-01')$$, $$rfm(2, 5, '2026-01-02', '2026-01-01')$$, $$rfm(1, 5, NULL, '2026-01-01')$$, $$rfm(1, 5, '2026-01-01', NULL)$$,
	$$rfm(1, 'NaN', '2026-01-01', '2026-01-01')$$, $$rfm(1, '-Infinity', '2026-01-01', '2026-01-01')$$, $$rfm(1, 1e38, '2026-01-01', '2026-01-01')$$,
	$$rfm(1, 5, '-infinity', '2026-01-01')$$, $$rfm(1, 5, '2026-01-01', 'infinity')$$]) call;
\set VERBOSITY default
SELECT rfm(2, -5.25, '2026-01-01', '2026-01-11');
SELECT rfm(2, 5.25, '2026-01-01', NULL);
SELECT rfm(-1, 5.25, '2026-01-01', '2026-01-11');
\set VERBOSITY terse

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT rfm('2026-01-01', 'NaN');
SELECT rfm('2026-01-01', '-Infinity');
SELECT rfm('2026-01-01', 1e38);
SELECT rfm('2026-01-01', 1e-29);
SELECT rfm('infinity', 1);
SELECT rfm('-infinity', 1);
SELECT recency(rfm('2026-01-02', 1), '2026-01-01');
SELECT tenure(rfm('2026-01-02', 1), 'infinity');
\set VERBOSITY terse
SELECT hostile.error_of(format('SELECT rfm(''2026-01-01'', %s)', a))
FROM unnest(ARRAY['1e131071', '1e-16383', 'repeat(''9'', 131072)::numeric', '-1e38', '(repeat(''9'', 39))::numeric']) a;
SELECT rfm_step(NULL, now(), 1);
SELECT rfm_summary_combine(NULL, NULL);

-- Comparison: DISTINCT, GROUP BY, sorting, hashing.
SELECT count(DISTINCT x), count(*) FROM (SELECT rfm(ordered_at, amount) AS x FROM orders, generate_series(1, 2) g GROUP BY member, g) s;
SELECT count(*) FROM (SELECT rfm(ordered_at, amount) AS x FROM orders GROUP BY member) a JOIN (SELECT rfm(ordered_at, amount) AS x FROM orders GROUP BY member) b USING (x);
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, rfm_summary_cmp(a, b), rfm_summary_hash(a) = rfm_summary_hash(b) AS hash, rfm_summary_hash_extended(a, 7) = rfm_summary_hash_extended(b, 7) AS hash_extended
FROM (SELECT rfm('2026-01-01', 1) AS a, rfm('2026-01-01', 1) AS b) s;
CREATE TABLE kept (x rfm_summary PRIMARY KEY);
INSERT INTO kept SELECT rfm(ordered_at, amount) FROM orders WHERE member < 4 GROUP BY member;
SELECT hostile.error_of('INSERT INTO kept SELECT rfm(ordered_at, amount) FROM orders WHERE member = 1');
SELECT count(*) FROM kept WHERE x = 'v1 frequency=1 refunds=0 monetary=0 first_order=2026-02-01T00:00:00+00:00 last_order=2026-02-01T00:00:00+00:00';

-- Bad literals: each an error of its own SQLSTATE, none accepted.
CREATE TABLE bad_literals (literal text);
INSERT INTO bad_literals VALUES
	(''), (' '), ('v1'), ('null'), ('{}'), ('1'), ('(1,2)'), ('v1 '), ('v2 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('V1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	(' v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00 '),
	('v1  frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=01 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=-1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1.5 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency= refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=4294967296 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=99999999999999999999999999 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=0 refunds=0 monetary=0'),
	('v1 frequency=0 refunds=0 monetary=0 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=0 refunds=1 monetary=-1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=0 refunds=1 monetary=1'),
	('v1 frequency=0 refunds=1 monetary=0'),
	('v1 frequency=1 refunds=0 monetary=-1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1'),
	('v1 frequency=1 refunds=0 monetary= first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=NaN first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=Infinity first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1e3 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=.5 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=5. first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=+5 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=-0 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1,5 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=0.00000000000000000000000000001 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=' || repeat('9', 78) || ' first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=' || repeat('9', 100000) || ' first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-02T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01 last_order=2026-01-01'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=now last_order=now'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=infinity last_order=infinity'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-02-29T00:00:00+00:00 last_order=2026-02-29T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-13-01T00:00:00+00:00 last_order=2026-13-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T24:00:00+00:00 last_order=2026-01-01T24:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:60+00:00 last_order=2026-01-01T00:00:60+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00.1234567+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00.10+00:00 last_order=2026-01-02T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+01:00 last_order=2026-01-01T00:00:00+01:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=0000-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=4715-01-01T00:00:00+00:00 BC last_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=294277-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00'),
	('v1 frequency=1 refunds=0 monetary=1 last_order=2026-01-01T00:00:00+00:00 first_order=2026-01-01T00:00:00+00:00'),
	('rfm_summary:AQEAAA=='), (repeat('x', 1000000)), ('v1 frequency=1 refunds=0 monetary=1 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00x');
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type rfm_summary: "%') AS refused,
	max(length(error)) AS longest_message
FROM (SELECT hostile.error_of(format('SELECT %L::rfm_summary', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::rfm_summary', literal)) IS NULL;
SELECT 'v1 frequency=1'::rfm_summary;
\set VERBOSITY default
SELECT 'v1 frequency=0 refunds=1 monetary=1'::rfm_summary;
\set VERBOSITY terse
-- Soft errors, from 16 on.
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''rfm_summary'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid value.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('rfm_summary', m) AS answer
FROM (SELECT rfm_summary_send(rfm(t, a)) AS image FROM (VALUES (timestamptz '2026-01-01', 10.00), ('2026-01-02', -3)) v(t, a)
	  UNION ALL SELECT rfm_summary_send(rfm('2026-01-01', 1e20))) s, hostile.mutations(image) m;
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary rfm_summary is not valid: %') > 150 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary rfm_summary is not valid: %' AND answer NOT LIKE 'accepted: v1 frequency=%') AS other
FROM images;
SELECT DISTINCT answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
-- What was accepted says what its bytes say.
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND rfm_summary_send(substr(answer, 11)::rfm_summary) <> image;

-- One member of a book, at every place of a block and of the book, is what rfm() makes of their orders.
CREATE TABLE sold AS
SELECT (i * 37 % 700 - 300)::bigint * 3 AS member, timestamptz '2026-01-01' + i * interval '1 hour' AS at,
	CASE i % 11 WHEN 0 THEN -1 WHEN 1 THEN 1e20 ELSE i END + 0.25 AS amount FROM generate_series(1, 3000) i
UNION ALL SELECT -2000 - i, '2026-01-01', -1 FROM generate_series(1, 300) i;
CREATE FUNCTION pg_temp.uuid_of(bigint) RETURNS uuid LANGUAGE sql AS 'SELECT md5($1::text)::uuid';
SELECT count(*) AS members, count(*) FILTER (WHERE rfm_member(b, member) = x) AS same, count(rfm_member(b, member + 1)) AS others,
	count(*) FILTER (WHERE rfm_member(t, member::text) = x) AS same_text, count(rfm_member(t, member || ' ')) AS other_texts,
	count(*) FILTER (WHERE rfm_member(u, pg_temp.uuid_of(member)) = x) AS same_uuid, count(rfm_member(u, pg_temp.uuid_of(member + 1))) AS other_uuids
FROM (SELECT member, rfm(at, amount) AS x FROM sold GROUP BY member) m,
	(SELECT rfm_book(member, at, amount) AS b, rfm_book(member::text, at, amount) AS t, rfm_book(pg_temp.uuid_of(member), at, amount) AS u FROM sold OFFSET 0) books;
SELECT rfm_member(b, 9223372036854775807) IS NULL AS above, rfm_member(b, -9223372036854775808) IS NULL AS below, rfm_member(b, NULL::bigint) IS NULL AS of_null,
	rfm_member(e, 1) IS NULL AS of_none, frequency(rfm_member(l, 1)) AS orders_of_lines
FROM (SELECT rfm_book(member, at, amount) AS b, rfm_book(member, at, NULL::numeric) AS e, rfm_book(1::bigint, member, at, 1) AS l
	FROM (SELECT member, at, amount FROM sold) s, LATERAL (SELECT 1) n OFFSET 0) books;
SELECT rfm_member(rfm_book(member, at, amount), 'x') FROM sold;
SELECT rfm_member(rfm_book(member::text, at, amount), 1) FROM sold;
DROP TABLE sold;
