-- Audiences: who gets what, once, with a fair control group.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA audience_test;
SET search_path = audience_test, public;

-- Values that another implementation of XXH64 gives (docs/audience.md); they are for ever.
SELECT member, hash_share(member, 'spring 2026') FROM unnest('{0,1,42,-1}'::bigint[]) member;
SELECT hash_share('anna@example.org', 'spring 2026');
SELECT count(*) FROM generate_series(1, 100000::bigint) m WHERE is_held_out(m, 'spring 2026', 0.1);
-- A uuid and a text of the same bytes; an empty text; NULL.
SELECT hash_share(uuid '61626364-6566-6768-696a-6b6c6d6e6f70', 's') = hash_share('abcdefghijklmnop', 's') AS same, hash_share('', '') AS empty, hash_share(1::bigint, NULL), hash_share(NULL::text, 'x'), is_held_out(1::bigint, 's', NULL);
-- Who is held out of a tenth is held out of a fifth, and other salts are independent.
SELECT count(*) FILTER (WHERE is_held_out(m, 'a', 0.1) AND NOT is_held_out(m, 'a', 0.2)) AS left_out, count(*) FILTER (WHERE is_held_out(m, 'a', 0)) AS none, count(*) FILTER (WHERE is_held_out(m, 'a', 1)) AS everybody,
		abs(corr(hash_share(m, 'a'), hash_share(m, 'b'))) < 0.02 AS independent, abs(avg(hash_share(m, 'a')) - 0.5) < 0.005 AS even, min(hash_share(m, 'a')) >= 0 AND max(hash_share(m, 'a')) < 1 AS in_range
FROM generate_series(1, 50000::bigint) m;

-- An audience_book: who is in which audience, the one of the highest priority first.
CREATE TABLE member AS
SELECT id, 'm' || id AS name, CASE WHEN id % 17 > 0 THEN (hashint8(id) & 255) / 8.0 END::float8 AS score,
		hashint8(id + 7) & 1 = 0 AS a, CASE WHEN id % 13 > 0 THEN hashint8(id + 9) & 3 = 0 END AS b, hashint8(id + 11) & 7 = 0 AS c
FROM generate_series(1, 5000::bigint) id;

SELECT (audience_overlaps(audience_book(id, score, a, b, c), '{A,B,C}')).* FROM member;
-- The same in plain SQL: exactly these, and at least these.
WITH s AS (SELECT ARRAY(SELECT n FROM (VALUES (1, 'A', a), (2, 'B', coalesce(b, false)), (3, 'C', c)) v(o, n, is_in) WHERE is_in ORDER BY o) AS audiences FROM member),
e AS (SELECT audiences, count(*) AS members, (SELECT count(*) FROM s x WHERE x.audiences @> s.audiences) AS at_least, count(*) / 5000.0::float8 AS share FROM s GROUP BY audiences)
SELECT count(*), count(*) FILTER (WHERE o IS NULL OR (e.members, e.at_least, e.share) IS DISTINCT FROM (o.members, o.at_least, o.share)) AS wrong
FROM e FULL JOIN (SELECT (audience_overlaps(audience_book(id, score, a, b, c), '{A,B,C}')).* FROM member) o USING (audiences);

-- Plans: each member once.
CREATE TABLE plan AS SELECT (audience_plan(audience_book(id, score, a, b, c), '{700,500,NULL}')).* FROM member;
SELECT audience, count(*), min(place), max(place), count(DISTINCT place) FROM plan GROUP BY 1 ORDER BY 1;
-- By definition, one audience after the other.
CREATE VIEW by_rank AS SELECT *, row_number() OVER (ORDER BY score DESC NULLS LAST, hash_share(id, ''), id) AS rank FROM member;
WITH first AS (SELECT id, 1 AS audience, row_number() OVER (ORDER BY rank) AS place FROM by_rank WHERE a ORDER BY rank LIMIT 700),
second AS (SELECT id, 2, row_number() OVER (ORDER BY rank) AS place FROM by_rank WHERE b AND id NOT IN (SELECT id FROM first) ORDER BY rank LIMIT 500),
third AS (SELECT id, 3, row_number() OVER (ORDER BY rank) AS place FROM by_rank WHERE c AND id NOT IN (SELECT id FROM first UNION ALL SELECT id FROM second))
SELECT count(*), count(*) FILTER (WHERE (x.audience, x.place) IS DISTINCT FROM (p.audience, p.place)) AS wrong
FROM (SELECT * FROM first UNION ALL SELECT * FROM second UNION ALL SELECT * FROM third) x FULL JOIN plan p ON p.member = x.id;
-- Nobody, everybody; ties are cut the same way whatever the order of the rows, workers and members' type.
SELECT count(*) FILTER (WHERE audience = 1), count(*) FROM (SELECT (audience_plan(audience_book(id, score, a, b, c), '{0,NULL,0}')).* FROM member) p;
SELECT count(*) = (SELECT count(*) FROM member WHERE a OR b OR c) AS everybody FROM (SELECT (audience_plan(audience_book(id, score, a, b, c))).* FROM member) p;
SELECT sum(hashint8(member)) = (SELECT sum(hashint8(member)) FROM (SELECT (audience_plan(audience_book(id, NULL, a), '{100}')).* FROM (SELECT * FROM member ORDER BY hashint8(id)) m) p) AS same
FROM (SELECT (audience_plan(audience_book(id, NULL, a), '{100}')).* FROM member) p;
SELECT array_agg(p.member ORDER BY p.place) = (SELECT array_agg(name ORDER BY score DESC NULLS LAST, hash_share(name, ''), name COLLATE "C") FROM member WHERE b) AS same
FROM (SELECT (audience_plan(NULL::text, audience_book(name, score, b))).* FROM member) p;
SELECT array_agg(p.member ORDER BY p.place) = (SELECT array_agg(md5(name)::uuid ORDER BY hash_share(md5(name)::uuid, '')) FROM member WHERE c) AS same
FROM (SELECT (audience_plan(NULL::uuid, audience_book(md5(name)::uuid, 1, c))).* FROM member) p;

-- Who came and who left.
SELECT change, count(*) FROM (SELECT (audience_changes(audience_book(id, score, a, b) FILTER (WHERE id % 3 < 2), audience_book(id, score, a, b, c) FILTER (WHERE id % 3 > 0), 2)).* FROM member) x GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE id % 3 = 2) AS entered, count(*) FILTER (WHERE id % 3 = 0) AS "left", count(*) FILTER (WHERE id % 3 = 1) AS stayed FROM member WHERE b;
SELECT member, change FROM (SELECT audience_book(md5(name)::uuid, 1, a) AS x, audience_book(md5(name)::uuid, 1, c) AS y FROM member WHERE id <= 8) b, audience_changes(NULL::uuid, x, y, 1)
EXCEPT SELECT md5(name)::uuid, CASE WHEN a AND c THEN 'stayed' WHEN a THEN 'left' ELSE 'entered' END FROM member WHERE id <= 8 AND (a OR c);
SELECT * FROM audience_changes(NULL, NULL, 1);

-- A member of several rows: in all audiences of them, with the greatest score; NULLs.
SELECT p.*, rows_skipped(book), member_count(book)
FROM (SELECT audience_book(m, s, x, y) AS book FROM (VALUES (1::bigint, 2::float8, true, NULL), (1, 5, false, false), (1, NULL, NULL, true), (2, 3, true, false), (NULL, 9, true, true), (3, 0, false, false), (4, -0.0, true, NULL), (5, NULL, true, NULL)) v(m, s, x, y)) b, audience_plan(book) p ORDER BY place;
SELECT rows_skipped(audience_book(id, score, VARIADIC CASE WHEN id < 4 THEN NULL ELSE ARRAY[a, b] END)), audience_book(id, 1, a) FILTER (WHERE id < 0) IS NULL AS none FROM member;
-- Only skipped rows; one of each number of audiences.
SELECT (SELECT count(*) FROM audience_overlaps(b, '{x,y}')), (SELECT count(*) FROM audience_plan(b)), member_count(b), rows_skipped(b) FROM (SELECT audience_book(NULL::bigint, 1, true, false) AS b) x;
SELECT n, (SELECT audience FROM audience_plan(audience_book)) AS last, length(audience_book::text) FROM generate_series(1, 32) n, LATERAL (SELECT audience_book(m, 1, VARIADIC array_append(array_fill(false, ARRAY[n - 1]), true)) FROM (VALUES (7::bigint)) v(m)) b WHERE n IN (1, 2, 8, 9, 31, 32);

-- Arrays that are NULL say nothing of how many audiences there are: a book of nothing else is kept, merged and read.
SELECT member_count(b), rows_skipped(b), b::text::audience_book = b AS same, (SELECT count(*) FROM audience_overlaps(b, '{x}')) AS overlaps, (SELECT count(*) FROM audience_plan(b, '{1,2}')) AS planned,
		rows_skipped(b + book), rows_skipped(book + b), b + book = book + b AS either_way, (SELECT count(*) FROM audience_plan(b + book)) AS of_both, (SELECT count(*) FROM audience_changes(b, book, 2)) AS entered
FROM (SELECT audience_book(id, score, VARIADIC NULL::boolean[]) AS b, audience_book(id, score, a, b) AS book FROM member WHERE id <= 20) x;
SELECT rollup(book) = (SELECT audience_book(id, score, VARIADIC CASE WHEN id % 5 > 0 THEN ARRAY[a, b] END) FROM member) AS same FROM (SELECT audience_book(id, score, VARIADIC CASE WHEN id % 5 > 0 THEN ARRAY[a, b] END) AS book FROM member GROUP BY id % 5) s;

-- The same bytes in any order, in parts, from an array.
SELECT count(DISTINCT book) FROM (
	SELECT audience_book(id, score, a, b, c) AS book FROM member
	UNION ALL SELECT audience_book(id, score, VARIADIC ARRAY[a, b, c]) FROM member
	UNION ALL SELECT audience_book(id, score, a, b, c) FROM (SELECT * FROM member ORDER BY score) m
	UNION ALL SELECT rollup(part) FROM (SELECT audience_book(id, score, a, b, c) AS part FROM member GROUP BY id % 9) p
	UNION ALL SELECT (SELECT audience_book(id, score, a, b, c) FROM member WHERE id % 2 = 0) + (SELECT audience_book(id, score, a, b, c) FROM member WHERE id % 3 > 0 OR id % 2 = 1)
	UNION ALL SELECT audience_book(id, score, a, b, c)::text::audience_book FROM member) s;

-- Hostile bytes.
SELECT count(*) AS images, count(*) FILTER (WHERE result LIKE 'accepted%') AS accepted, array_agg(DISTINCT regexp_replace(result, ':.*', '')) AS results
FROM (SELECT audience_book_send(audience_book(id, score, a, b)) AS image FROM member WHERE id <= 12) b, LATERAL hostile.mutations(image) m, LATERAL (SELECT hostile.receive('audience_book', m) AS result) r;

-- Errors.
\set VERBOSITY default
SELECT is_held_out(1::bigint, 'a', 10);
SELECT audience_book(id, score, VARIADIC CASE WHEN id = 9 THEN ARRAY[a, b] ELSE ARRAY[a, b, c] END) FROM member;
SELECT audience_book(1::bigint, 'NaN', true);
SELECT (audience_plan(audience_book(name, 1, a))).* FROM member;
SELECT audience_plan(audience_book(id, 1, a, b), '{1}') FROM member;
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	$$is_held_out(1::bigint, 'a', -0.1)$$, $$is_held_out('a', 'a', 'NaN')$$, $$is_held_out(NULL::text, 'a', 2)$$, $$is_held_out(uuid '00000000-0000-0000-0000-000000000000', 'a', 'Infinity')$$,
	$$audience_book(1::bigint, 1, VARIADIC '{}'::boolean[])$$, $$audience_book(1::bigint, 1, VARIADIC array_fill(true, ARRAY[33]))$$, $$audience_book(1::bigint, 1, VARIADIC '{{t,f}}'::boolean[])$$,
	$$audience_book(1::bigint, '-Infinity', true)$$, $$audience_book(1::bigint, 1, true) + audience_book('a', 1, true)$$, $$audience_book(1::bigint, 1, true) + audience_book(1::bigint, 1, true, true)$$,
	$$audience_plan(audience_book(1::bigint, 1, true), '{-1}')$$, $$audience_plan(audience_book(1::bigint, 1, true), '{{1}}')$$, $$audience_plan(audience_book(1::bigint, 1, true), '{1,NULL}')$$,
	$$audience_overlaps(audience_book(1::bigint, 1, true), NULL)$$, $$audience_overlaps(audience_book(1::bigint, 1, true), '{a,b}')$$, $$audience_overlaps(audience_book(1::bigint, 1, true), '{NULL}')$$,
	$$audience_changes(audience_book(1::bigint, 1, true), audience_book(1::bigint, 1, true, true), 2)$$, $$audience_changes(audience_book(1::bigint, 1, true), audience_book(1::bigint, 1, true), 0)$$,
	$$audience_changes(audience_book(1::bigint, 1, true), audience_book(1::bigint, 1, true), NULL)$$, $$audience_changes(audience_book(1::bigint, 1, true), audience_book('a', 1, true), 1)$$,
	$$audience_overlaps((SELECT audience_book(i, 1, VARIADIC ARRAY(SELECT i >> k & 1 = 1 FROM generate_series(0, 16) k)) FROM generate_series(0, 65536::bigint) i), array_fill('x'::text, ARRAY[17]))$$,
	$$'audience_book:AAAA'::audience_book$$]) statement;
