-- Limits of one's own in days, money per order, segments of one's own, and who moved between two books.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA rfm_transitions_test;
SET search_path = rfm_transitions_test, public;
SET timezone = 'UTC';
\set VERBOSITY terse

CREATE TABLE orders (member bigint, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
	(1, '2026-01-10', 50), (1, '2026-01-20', 60), (1, '2026-02-25', 70),
	(2, '2026-01-05', 200), (2, '2026-01-28', 100),
	(3, '2026-02-15', 20),
	(4, '2026-01-15', -5),
	(5, '2026-01-18', 40.50), (5, '2026-01-18', 59.50);

-- An order in the last 14 days, 2 orders, 100 in money, each reached exactly by member 5, missed by a little by the others here.
SELECT member, recency, frequency, monetary, score, segment FROM (SELECT (rfm_members(rfm_book(member, ordered_at, amount), '2026-02-01',
	cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}'))).* FROM orders WHERE ordered_at <= '2026-02-01') m ORDER BY member;
SELECT what, score FROM (VALUES ('all reached', rfm(2, 100, '2026-01-18', '2026-01-18')), ('a microsecond too old', rfm(2, 100, '2026-01-01', '2026-01-17 23:59:59.999999')),
	('one order', rfm(1, 100, '2026-01-18', '2026-01-18')), ('a cent too little', rfm(2, 99.99, '2026-01-18', '2026-01-18')),
	('the least float8 too little', rfm(2, 99.99999999999999, '2026-01-18', '2026-01-18'))) v(what, x), LATERAL (SELECT rfm_score(x, rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')) AS score) s;
-- Four limits make scores from 1 to 5; frequency from 2.5 orders is from 3; rfm_limits() lists what must be exceeded.
SELECT bin, last_order, frequency, monetary < 900 * bin AS below, monetary + 1e-9 > 900 * bin AS by_a_hair FROM rfm_limits(rfm_cuts('2026-03-01', '{30,14,7,0.5}', '{2,2.5,3,10}', '{900,1800,2700,3600}'));
SELECT rfm_cuts('2026-03-01', ARRAY[30, 14], ARRAY[2, 3], ARRAY[0, 10.5])::text::rfm_cuts = rfm_cuts('2026-03-01', '{30,14}', '{2,3}', '{0,10.5}') AS round_trip;
-- All equal limits, no lowest money, the earliest time.
SELECT rfm_cuts('2026-03-01', '{7,7}', '{2,2}', '{-5,-5}');
SELECT call, hostile.error_of('SELECT rfm_cuts(' || call || ')') FROM unnest(ARRAY[
	$$NULL, '{14}', '{2}', '{100}'$$, $$'2026-01-01', NULL, '{2}', '{100}'$$, $$'2026-01-01', '{14}', NULL, '{100}'$$, $$'2026-01-01', '{14}', '{2}', NULL$$,
	$$'infinity', '{14}', '{2}', '{100}'$$, $$'2026-01-01', '{}', '{}', '{}'$$, $$'2026-01-01', '{NULL}', '{2}', '{100}'$$, $$'2026-01-01', '{14}', '{2,3}', '{100}'$$, $$'2026-01-01', '{14}', '{2}', '{1,2}'$$,
	$$'2026-01-01', '{7,14}', '{2,3}', '{1,2}'$$, $$'2026-01-01', '{14,7}', '{3,2}', '{1,2}'$$, $$'2026-01-01', '{14,7}', '{2,3}', '{2,1}'$$,
	$$'2026-01-01', '{-1}', '{2}', '{1}'$$, $$'2026-01-01', '{NaN}', '{2}', '{1}'$$, $$'2026-01-01', '{Infinity}', '{2}', '{1}'$$, $$'2026-01-01', '{1e300}', '{2}', '{1}'$$, $$'2026-01-01', '{3000000}', '{2}', '{1}'$$,
	$$'2026-01-01', '{1}', '{1}', '{1}'$$, $$'2026-01-01', '{1}', '{NaN}', '{1}'$$, $$'2026-01-01', '{1}', '{4294967296}', '{1}'$$,
	$$'2026-01-01', '{1}', '{2}', '{NaN}'$$, $$'2026-01-01', '{1}', '{2}', '{-Infinity}'$$, $$'2026-01-01', '{1}', '{2}', '{-1.7976931348623157e308}'$$]) call;
\set VERBOSITY default
SELECT rfm_cuts('2026-01-01', '{7,14}', '{2,3}', '{1,2}');
\set VERBOSITY terse

-- Money per order: 10.01 in 7 orders is as good as 30.03 in 21, although 10.01 / 7 is not 30.03 / 21 in float8; refunds lower it.
CREATE TABLE means AS SELECT * FROM (VALUES (1, rfm(7, 10.01, '2026-01-01', '2026-01-01')), (2, rfm(21, 30.03, '2026-01-01', '2026-01-01')), (3, rfm(1, 500, '2026-01-01', '2026-01-01')),
	(4, rfm(4, 2000 - 1999, '2026-01-01', '2026-01-01', 1)), (5, rfm(0, -3, NULL, NULL, 2))) v(member, x);
SELECT 10.01::float8 / 7 = 30.03::float8 / 21 AS equal_in_float8;
SELECT rfm_cuts_per_order(x, 4) FROM means;
SELECT member, avg_order_value(x)::numeric(8,4), rfm_score(x, c) FROM means, (SELECT rfm_cuts_per_order(x, 4) AS c FROM means) s ORDER BY member;
SELECT member, monetary, monetary_score FROM (SELECT rfm_book(member, x) AS book FROM means) b, rfm_members(book, cuts => rfm_cuts_per_order(book, 4)) ORDER BY member;
SELECT rfm_cuts_per_order(book) = (SELECT rfm_cuts_per_order(x) FROM means) AS same, rfm_cuts_per_order(book, 4) = (SELECT rfm_cuts_per_order(x, 4) FROM means) AS same_of_4, rfm_cuts_per_order(book) = rfm_cuts(book) AS as_totals,
	rfm_cuts_per_order(book)::text::rfm_cuts = rfm_cuts_per_order(book) AS round_trip FROM (SELECT rfm_book(member, x) AS book FROM means) b;
-- Of one's own: 1.43 per order is reached by nobody but the large order.
SELECT member, rfm_score(x, rfm_cuts_per_order('2026-01-08', '{7}', '{7}', '{1.43}')) FROM means ORDER BY member;
SELECT rfm_score(rfm(3, 100, '2026-01-01', '2026-01-01'), rfm_cuts_per_order('2026-01-01', '{0}', '{2}', ARRAY[100 / 3.0::float8])) AS reached;
SELECT rfm_cuts_per_order(NULL::rfm_book) IS NULL AS no_book, (SELECT rfm_cuts_per_order(x) IS NULL FROM means WHERE member = 5) AS refunds_only, (SELECT rfm_cuts_per_order(x, NULL) IS NULL FROM means) AS skipped;
SELECT hostile.error_of(format('SELECT rfm_cuts_per_order(%s) FROM means', arguments)) FROM unnest(ARRAY['x, 1', 'x, 100', 'x, member + 1', 'rfm_book(member, x), 1', 'rfm_book(member, x), NULL']) arguments;
SELECT literal, hostile.error_of(format('SELECT %L::rfm_cuts', literal)) FROM unnest(ARRAY[
	'v1 bins=2 members=0 last_order={2026-01-01T00:00:00+00:00} frequency={1} monetary_per_order={1}',
	'v1 bins=2 members=0 last_order={2026-01-01T00:00:00+00:00} frequency={1} monetary_per={1}',
	'v1 bins=2 members=0 last_order={2026-01-01T00:00:00+00:00} frequency={1} monetary_per_order_per_order={1}',
	'v1 bins=2 members=0 last_order={2026-01-01T00:00:00+00:00} frequency={1} _per_order={1}']) literal;

-- Segments of one's own, as a table of scores and names, here for 2 bins; rows come in the order of the names.
CREATE TABLE names (score int, segment text);
INSERT INTO names VALUES (222, 'best'), (221, 'here'), (212, 'here'), (211, 'here'), (122, 'wake up'), (121, 'wake up'), (112, 'wake up'), (111, 'let go');
CREATE TABLE books AS SELECT rfm_book(member, ordered_at, amount) FILTER (WHERE ordered_at <= '2026-02-01') AS earlier, rfm_book(member, ordered_at, amount) AS later,
	rfm_book(member, ordered_at, amount) FILTER (WHERE ordered_at > '2026-02-01') AS february FROM orders;
SELECT member, score, segment FROM books, rfm_members(later, '2026-03-01', cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}'), segments => ARRAY(SELECT ARRAY[score::text, segment] FROM names)) ORDER BY member;
SELECT segment, members, monetary FROM books, rfm_segments(later, '2026-03-01', cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}'), segments => ARRAY(SELECT ARRAY[score::text, segment] FROM names ORDER BY score DESC));
SELECT segment, members FROM books, rfm_segments(later, '2026-03-01', cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}'), segments => ARRAY(SELECT ARRAY[score::text, segment] FROM names ORDER BY score));
-- The map that stands, given as a table, is the default.
SELECT count(*) AS members, count(*) FILTER (WHERE m IS DISTINCT FROM n) AS differ FROM books, LATERAL (SELECT m, n FROM rfm_members(later) m FULL JOIN rfm_members(later, segments => ARRAY(SELECT ARRAY[score::text, segment] FROM rfm_segment_map())) n USING (member)) x;
-- Of 10 bins, with each score as its own name.
SELECT count(*) AS members, count(*) FILTER (WHERE segment = score::text) AS same FROM books, rfm_members(later, bins => 10, segments => ARRAY(SELECT ARRAY[n, n] FROM
	(SELECT (r * 10000 + f * 100 + m)::text AS n FROM generate_series(1, 10) r, generate_series(1, 10) f, generate_series(1, 10) m) s));
SELECT what, hostile.error_of(format('SELECT * FROM books, rfm_segments(later, bins => 2, segments => %s)', segments)) FROM (VALUES
	('good', $$(SELECT array_agg(ARRAY[score::text, segment]) FROM names)$$),
	('no pairs', $$'{222,best}'$$), ('triples', $$'{{222,best,1}}'$$), ('nothing', $$'{}'$$), ('three dimensions', $$'{{{222,best}}}'$$),
	('NULL name', $$'{{222,NULL}}'$$), ('NULL score', $$'{{NULL,best}}'$$),
	('one missing', $$(SELECT array_agg(ARRAY[score::text, segment]) FROM names WHERE score <> 121)$$),
	('one twice', $$(SELECT array_agg(ARRAY[score::text, segment]) || '{122,twice}'::text[] FROM names)$$),
	('of other bins', $$(SELECT array_agg(ARRAY[score::text, segment]) FROM rfm_segment_map())$$),
	('no number', $$'{{champion,best}}'$$), ('blank', $$'{{" 222",best}}'$$), ('zeros', $$'{{0222,best}}'$$), ('sign', $$'{{+222,best}}'$$), ('long', $$'{{22222222222222222222,best}}'$$), ('empty', $$'{{"",best}}'$$)) v(what, segments);
SELECT hostile.error_of(format($$SELECT members FROM books, rfm_segments(later, bins => 11, segments => (SELECT array_agg(ARRAY[(r * 10000 + f * 100 + m)::text, (((r - 1) * 11 + f - 1) * 11 + m) %% %s || '']) FROM
	generate_series(1, 11) r, generate_series(1, 11) f, generate_series(1, 11) m))$$, n)) FROM unnest(ARRAY[1000, 1001]) n;
\set VERBOSITY default
SELECT * FROM books, rfm_segments(later, segments => '{{111,a},{111,b}}');
\set VERBOSITY terse

-- Who moved: 1 stayed, 2 has not come back, 3 is new, 4 has nothing but a refund, 5 has not come back.
SELECT t.* FROM books, rfm_transitions(earlier, later, '2026-02-01', '2026-03-01', from_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}'), to_cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}')) t;
-- In one scan, and with the same limits, which are as many days before either as_of; if these are omitted, the latest rows.
SELECT (rfm_transitions(rfm_book(member, ordered_at, amount) FILTER (WHERE ordered_at <= '2026-02-01'), rfm_book(member, ordered_at, amount), '2026-02-01', '2026-03-01',
	from_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}'), same_cuts => true, segments => '{{222,best},{221,here},{212,here},{211,here},{122,wake up},{121,wake up},{112,wake up},{111,let go}}')).* FROM orders;
SELECT t.from_segment, t.to_segment, t.members FROM books, rfm_transitions(earlier, later, same_cuts => true, bins => 2) t;
-- From a book of one month to that of the next, members go, and others are new.
SELECT t.* FROM books, rfm_transitions(earlier, february, bins => 2) t;
-- From limits to others: the same members, the same money.
SELECT t.* FROM books, rfm_transitions(later, later, from_cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}'), to_cuts => rfm_cuts_per_order('2026-03-01', '{14}', '{2}', '{50}')) t;
-- Nobody in either book; NULL is no book.
SELECT count(*) FROM books, rfm_transitions(earlier, NULL);
SELECT count(*) FROM books, rfm_transitions(NULL, later);
SELECT t.* FROM books, LATERAL (SELECT rfm_book(NULL::bigint, ordered_at, amount) AS nobody FROM orders) n, rfm_transitions(nobody, later, bins => 2) t;
SELECT t.* FROM books, LATERAL (SELECT rfm_book(NULL::bigint, ordered_at, amount) AS nobody FROM orders) n, rfm_transitions(earlier, nobody, bins => 2) t;
SELECT count(*) FROM (SELECT rfm_book(NULL::bigint, ordered_at, amount) AS nobody FROM orders) n, rfm_transitions(nobody, nobody, same_cuts => true, from_cuts => rfm_cuts('2026-03-01', '{14}', '{2}', '{100}'));
-- Members of every type, books of orders beside books of lines.
SELECT type, t.* FROM (VALUES ('uuid', (SELECT ARRAY[rfm_book(lpad(member::text, 32, '0')::uuid, ordered_at, amount) FILTER (WHERE ordered_at <= '2026-02-01'), rfm_book(lpad(member::text, 32, '0')::uuid, ordered_at, amount)] FROM orders)),
	('text', (SELECT ARRAY[rfm_book(repeat('m', member::int), ordered_at, amount) FILTER (WHERE ordered_at <= '2026-02-01'), rfm_book(repeat('m', member::int), ordered_at::text, ordered_at, amount)] FROM orders))) v(type, books), rfm_transitions(books[1], books[2], bins => 2) t;
-- Sums beyond 64 bits.
SELECT t.* FROM (SELECT rfm_book(m, '2026-01-01', 9e37) AS a, rfm_book(m, '2026-01-01', 1e-28) AS b FROM generate_series(1, 100::bigint) m) s, rfm_transitions(a, b) t;

SELECT call, hostile.error_of(format('SELECT * FROM books, LATERAL (SELECT rfm_book(member::text, ordered_at, amount) AS texts, rfm_book(member, ordered_at, amount) FILTER (WHERE amount < 0) AS refunds FROM orders) o, rfm_transitions(%s) t', call)) FROM unnest(ARRAY[
	'later, earlier', $$earlier, later, '2026-01-15'$$, $$earlier, later, '2026-02-01', '2026-02-02'$$, $$earlier, later, '2026-03-02', '2026-03-01'$$, $$earlier, later, 'infinity'$$, $$earlier, later, to_as_of => 'infinity'$$, 'earlier, texts',
	'earlier, later, bins => 1', $$earlier, later, bins => 5, from_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')$$, $$earlier, later, bins => 5, to_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')$$,
	$$earlier, later, from_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')$$, $$earlier, later, to_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')$$,
	$$earlier, later, same_cuts => true, to_cuts => rfm_cuts(later)$$, 'earlier, later, same_cuts => NULL', 'refunds, later, same_cuts => true', $$earlier, later, segments => '{{111,a}}'$$]) call;
\set VERBOSITY default
SELECT t.* FROM books, rfm_transitions(earlier, later, '2026-03-02', '2026-03-01') t;
SELECT t.* FROM books, rfm_transitions(earlier, later, bins => 5, to_cuts => rfm_cuts('2026-02-01', '{14}', '{2}', '{100}')) t;
