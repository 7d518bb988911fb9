-- What members like.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA preference_test;
SET search_path = preference_test, public;

-- By hand. Ann: tea 3 of 4, coffee 1; Bo: one of each; Cy: tea 2, of which one came back; Di: a refund alone.
CREATE TABLE purchase (member text, category text, amount numeric);
INSERT INTO purchase VALUES ('Ann', 'tea', 5), ('Ann', 'tea', 6.50), ('Ann', 'tea', 7), ('Ann', 'coffee', 10), ('Bo', 'tea', 1), ('Bo', 'coffee', 2), ('Bo', 'jam', 3),
	('Cy', 'tea', 4), ('Cy', 'tea', -4), ('Cy', 'tea', 8), ('Di', 'jam', -3.00), ('Eve', 'tea', 0), (NULL, 'tea', 1), ('Eve', NULL, 1), ('Eve', 'tea', NULL);
-- Of 10 purchases 7 are tea, 2 coffee, 1 jam. Ann's tea: (3 + 5 * 0.7) / (4 + 5) / 0.7 = 1.031746...
SELECT member, n, amount, categories, top_category, round(top_share::numeric, 6) AS top_share, round(entropy::numeric, 6) AS entropy, round(hhi::numeric, 6) AS hhi,
		round(effective::numeric, 6) AS effective, distinctive, round(distinctive_index::numeric, 6) AS index
FROM (SELECT preference_book(member, category, amount) AS book FROM purchase) b, member_preferences(NULL::text, book);
SELECT rows_skipped(book), member_count(book) FROM (SELECT preference_book(member, category, amount) AS book FROM purchase) b;
-- From one purchase on: Bo's jam is (1 + 5 * 0.1) / 8 / 0.1 = 1.875; without a prior, 1 / 3 / 0.1.
SELECT member, distinctive, round(distinctive_index::numeric, 6) AS index FROM (SELECT preference_book(member, category, amount) AS book FROM purchase) b, member_preferences(NULL::text, book, 1);
SELECT member, distinctive, round(distinctive_index::numeric, 6) AS index FROM (SELECT preference_book(member, category, amount) AS book FROM purchase) b, member_preferences(NULL::text, book, min_rows => 1, prior_weight => 0);
-- Equal indexes are equal though their floating point numbers are not: 3 of 3 and 5 of 5.
SELECT member, distinctive FROM (SELECT (member_preferences(preference_book(m, c, 1))).* FROM (
	SELECT 1::bigint AS m, 'A' AS c FROM generate_series(1, 3) UNION ALL SELECT 1, 'B' FROM generate_series(1, 5) UNION ALL SELECT 2, 'C' FROM generate_series(1, 2)) s) p;
SELECT member, distinctive FROM (SELECT (member_preferences(preference_book(m, c, 1), 1, 1e15)).* FROM (VALUES (1::bigint, 'A'), (1, 'A'), (1, 'B'), (1, 'B'), (2, 'B')) v(m, c)) p;
-- As many purchases as a number holds, and one more.
CREATE FUNCTION doubled(book preference_book, times int) RETURNS preference_book LANGUAGE plpgsql AS $$
BEGIN FOR i IN 1 .. times LOOP book := book + book; END LOOP; RETURN book; END $$;
SELECT p.n, p.categories, p.entropy::numeric(10, 6) FROM (SELECT preference_book(1::bigint, c, 1) AS b FROM unnest('{x,y}'::text[]) c) s, member_preferences(doubled(b, 61)) p;
SELECT hostile.error_of(format('SELECT doubled(b, %s) FROM (SELECT preference_book(m::bigint, c, 1) AS b FROM (VALUES %s) v(m, c)) s', times, rows)) AS error, times, rows
FROM (VALUES (62, '(1, ''x'')'), (63, '(1, ''x'')'), (61, '(1, ''x''), (1, ''y'')'), (62, '(1, ''x''), (1, ''y'')'), (61, '(1, ''x''), (2, ''x'')'), (62, '(1, ''x''), (2, ''x'')')) v(times, rows);

-- Nobody bought anything; nothing but skipped rows; no rows; a NULL book.
SELECT p.* FROM (SELECT preference_book(1::bigint, 'tea', -1) AS book) b, member_preferences(book) p;
SELECT member_count(book), rows_skipped(book), (SELECT count(*) FROM member_preferences(book)) FROM (SELECT preference_book(NULL::bigint, 'tea', 1) AS book) b;
SELECT preference_book(1::bigint, category, amount) IS NULL AS none FROM purchase WHERE false;
SELECT * FROM member_preferences(NULL);

-- In plain SQL: 300 members, 40 categories, refunds, wide amounts.
CREATE TABLE line AS
SELECT i, 1 + (hashint8(i) & 65535) % 300::bigint AS member, 'category ' || floor(40 * power((hashint8extended(i, 1) & 65535) / 65536.0, 2 + (hashint8(i) & 65535) % 3)) AS category,
		round(((hashint8extended(i, 2) & 65535) - 3000) / 100.0, (i % 3)::int) * CASE WHEN i % 500 = 7 THEN 1e20 ELSE 1 END AS amount
FROM generate_series(1, 8000::bigint) i;
CREATE TABLE book AS SELECT preference_book(member, category, amount) AS book FROM line;
WITH cell AS (SELECT member, category, count(*) FILTER (WHERE amount >= 0) AS n FROM line GROUP BY 1, 2),
q AS (SELECT category, sum(n) / sum(sum(n)) OVER () AS q FROM cell GROUP BY 1),
s AS (SELECT c.*, q, n / nullif(sum(n) OVER (PARTITION BY member), 0) AS s, sum(n) OVER (PARTITION BY member) AS all_n, max(n) OVER (PARTITION BY member) AS most FROM cell c JOIN q USING (category)),
x AS (SELECT *, CASE WHEN n >= 3 THEN (n + 5 * q) / (all_n + 5) / q END AS index FROM s),
m AS (SELECT member, sum(n) AS n, count(*) FILTER (WHERE n > 0) AS categories, min(category) FILTER (WHERE n = most) AS top, count(*) FILTER (WHERE n = most) AS tops, max(s) AS top_share,
				-sum(s * ln(s)) FILTER (WHERE n > 0) AS entropy, sum(s * s) AS hhi, max(index) AS index, (array_agg(category ORDER BY index DESC NULLS LAST))[1] AS distinctive FROM x GROUP BY 1),
t AS (SELECT member, sum(amount) AS amount FROM line GROUP BY 1)
SELECT count(*), count(*) FILTER (WHERE p.member IS NULL OR m.n <> p.n OR t.amount::text <> p.amount::text OR m.categories <> p.categories OR (CASE WHEN tops = 1 THEN top END) IS DISTINCT FROM p.top_category
	OR abs(m.top_share - p.top_share) > 1e-12 OR abs(m.entropy - p.entropy) > 1e-12 OR abs(m.hhi - p.hhi) > 1e-12 OR abs(exp(m.entropy) - p.effective) > 1e-9
	OR m.distinctive IS DISTINCT FROM p.distinctive AND m.index IS NOT NULL OR m.index IS NULL <> (p.distinctive IS NULL) OR abs(m.index - p.distinctive_index) > 1e-12) AS wrong
FROM m JOIN t USING (member) FULL JOIN (SELECT p.* FROM book, member_preferences(book) p) p USING (member);

-- The same bytes in any order and in parts; text and back.
SELECT count(DISTINCT b) FROM (
	SELECT book AS b FROM book
	UNION ALL SELECT preference_book(member, category, amount) FROM (SELECT * FROM line ORDER BY hashint8(i)) l
	UNION ALL SELECT rollup(part) FROM (SELECT preference_book(member, category, amount) AS part FROM line GROUP BY i % 7) p
	UNION ALL SELECT rollup(part) FROM (SELECT preference_book(member, category, amount) AS part FROM line GROUP BY category) p
	UNION ALL SELECT (SELECT preference_book(member, category, amount) FROM line WHERE member < 200) + (SELECT preference_book(member, category, amount) FROM line WHERE member >= 200)
	UNION ALL SELECT book::text::preference_book FROM book) s;
-- All types of members.
SELECT (SELECT string_agg((to_jsonb(p) - 'member')::text, ',' ORDER BY n, amount, entropy) FROM book, member_preferences(book) p)
	= ALL (ARRAY[(SELECT string_agg((to_jsonb(p) - 'member')::text, ',' ORDER BY n, amount, entropy) FROM (SELECT preference_book('m' || member, category, amount) AS b FROM line) x, member_preferences(NULL::text, b) p),
					(SELECT string_agg((to_jsonb(p) - 'member')::text, ',' ORDER BY n, amount, entropy) FROM (SELECT preference_book(md5(member::text)::uuid, category, amount) AS b FROM line) x, member_preferences(NULL::uuid, b) p)]) AS same;

-- Hostile bytes.
SELECT count(*) AS images, count(*) FILTER (WHERE result LIKE 'accepted%') AS accepted, array_agg(DISTINCT regexp_replace(result, ':.*', '')) AS results
FROM (SELECT preference_book_send(preference_book(member, category, amount)) AS image FROM purchase) b, LATERAL hostile.mutations(image) m, LATERAL (SELECT hostile.receive('preference_book', m) AS result) r;

-- Errors.
\set VERBOSITY default
SELECT (member_preferences(preference_book(member, category, amount))).* FROM purchase;
SELECT member_preferences(book, min_rows => 0) FROM book;
SELECT member_preferences(book, prior_weight => -1) FROM book;
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	$$preference_book(1::bigint, 'a', 'NaN')$$, $$preference_book(1::bigint, 'a', 'Infinity')$$, $$preference_book(1::bigint, 'a', 1e100)$$,
	$$preference_book(1::bigint, 'a', 1) + preference_book('b', 'a', 1)$$, $$member_preferences(preference_book(1::bigint, 'a', 1), NULL)$$, $$member_preferences(preference_book(1::bigint, 'a', 1), 3, NULL)$$,
	$$member_preferences(preference_book(1::bigint, 'a', 1), 3, 'NaN')$$, $$member_preferences(preference_book(1::bigint, 'a', 1), 3, 'Infinity')$$, $$'preference_book:AAAA'::preference_book$$]) statement;
