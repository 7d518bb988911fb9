-- What goes with what.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA basket_test;
SET search_path = basket_test, public;

-- By hand: 8 baskets; a and b are in 5 each and together in 4, c in 3, d in 2, e alone. What is there twice counts once.
CREATE TABLE line (basket bigint, item text);
INSERT INTO line VALUES (1, 'a'), (1, 'b'), (1, 'c'), (2, 'b'), (2, 'a'), (3, 'd'), (3, 'b'), (3, 'a'), (4, 'c'), (4, 'a'), (5, 'b'), (6, 'd'), (6, 'c'),
	(7, 'a'), (7, 'b'), (7, 'a'), (7, 'b'), (8, 'e'), (NULL, 'a'), (9, NULL);
-- a and b by chance: at least 4 of 5 among 8, (C(5,4) C(3,1) + C(5,5)) / C(8,5) = 16/56 = 0.285714.
SELECT item, other, rank, together, item_baskets AS item_n, other_baskets AS other_n, support, round(confidence::numeric, 6) AS confidence, round(lift::numeric, 6) AS lift,
	round(jaccard::numeric, 6) AS jaccard, round(cosine::numeric, 6) AS cosine, round(p_value::numeric, 6) AS p_value, round(q_value::numeric, 6) AS q_value
FROM (SELECT basket_book(basket, item) AS book FROM line) b, item_affinities(NULL::text, book, 1);
SELECT rows_skipped(book), basket_count(book), item_count(book), baskets_over(book, 2) AS over_2, baskets_over(book, 3) AS over_3 FROM (SELECT basket_book(basket, item) AS book FROM line) b;
-- Only a and b are together twice or more, and a with c.
SELECT item, other, rank, together FROM (SELECT basket_book(basket, item) AS book FROM line) b, item_affinities(NULL::text, book, 2);
-- Baskets of more than two items are left out of everything: of 6 baskets a is in 3.
SELECT item, other, together, item_baskets, other_baskets, round(support::numeric, 6) AS support FROM (SELECT basket_book(basket, item) AS book FROM line) b, item_affinities(NULL::text, book, 1, 2);
-- Ranks: equal ones are all shown, even beyond top_k. b, c and d are with a by lift 1.28, 1.066667, 0.8; with d everything is once.
SELECT rank_by, item, string_agg(rank || ' ' || other, ', ' ORDER BY rank, other) AS companions
FROM (SELECT basket_book(basket, item) AS book FROM line) b, unnest('{together,support,confidence,lift,jaccard,cosine}'::text[]) rank_by, item_affinities(NULL::text, book, 1, 100, 1, rank_by)
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS all_of_them FROM (SELECT basket_book(basket, item) AS book FROM line) b, item_affinities(NULL::text, book, 1, NULL, NULL);

-- Nothing in common; nothing but skipped rows; no rows; a NULL book.
SELECT count(*) FROM (SELECT basket_book(i, i) AS book FROM generate_series(1, 100::bigint) i) b, item_affinities(book, 1);
SELECT basket_count(book), item_count(book), baskets_over(book, 1), rows_skipped(book), (SELECT count(*) FROM item_affinities(book)) FROM (SELECT basket_book(NULL::bigint, 1::bigint) AS book) b;
SELECT basket_book(basket, item) IS NULL AS none FROM line WHERE false;
SELECT * FROM item_affinities(NULL);
SELECT baskets_over(NULL, 5), item_count(NULL::basket_book);

-- The Groceries of Hahsler, Hornik & Reutterer (2006), in their published counts: 9,835 baskets, made up so that nine pairs are as often together as there.
CREATE TABLE planted (items text[], n int);
INSERT INTO planted VALUES ('{root vegetables,other vegetables,whole milk}', 228), ('{root vegetables,other vegetables}', 466 - 228), ('{root vegetables,whole milk}', 481 - 228), ('{other vegetables,whole milk}', 736 - 228),
	('{yogurt,other vegetables}', 427), ('{yogurt,whole milk}', 551), ('{root vegetables,tropical fruit}', 207), ('{yogurt,tropical fruit}', 288), ('{Instant food products,hamburger meat}', 30), ('{bottled beer,whole milk}', 201);
INSERT INTO planted SELECT ARRAY[item], n - (SELECT sum(p.n) FROM planted p WHERE item = ANY (items))
FROM (VALUES ('root vegetables', 1072), ('other vegetables', 1903), ('whole milk', 2513), ('yogurt', 1372), ('tropical fruit', 1032), ('Instant food products', 79), ('hamburger meat', 327), ('bottled beer', 792)) v(item, n);
INSERT INTO planted SELECT '{canned beer}', 9835 - sum(n) FROM planted;
CREATE TABLE groceries AS SELECT basket_book(basket, item) AS book FROM (SELECT row_number() OVER () AS basket, items FROM planted, generate_series(1, n)) b, unnest(items) item;
SELECT basket_count(book), item_count(book) FROM groceries;
-- p-values by SciPy 1.10 (hypergeom.sf), q-values by R 4.2 (p.adjust of phyper), the others published.
SELECT item, other, together = n AND item_baskets = n_a AND other_baskets = n_b AS counts, abs(a.support - v.support) < 1e-8 AND abs(a.confidence - v.confidence) < 1e-7 AND abs(a.lift - v.lift) < 1e-6 AND abs(a.cosine - v.cosine) < 1e-7 AS measures,
	abs(p_value / p - 1) < 1e-11 AS p_value, abs(q_value / q - 1) < 1e-11 AS q_value
FROM (VALUES ('other vegetables', 'whole milk', 736, 1903, 2513, 0.07483477, 0.3867578, 1.513634, 0.3365597, 1.4438915547437522e-45, 4.33167466423083e-45),
	('root vegetables', 'other vegetables', 466, 1072, 1903, 0.04738180, 0.4347015, 2.246605, 0.3262640, 1.6576755698559863e-83, 1.49190801287040e-82),
	('Instant food products', 'hamburger meat', 30, 79, 327, 0.00305033, 0.3797468, 11.421438, 0.1866525, 1.535378225503634e-24, 1.97405771850467e-24),
	('bottled beer', 'whole milk', 201, 792, 2513, 0.02043721, 0.2537879, 0.9932367, 0.1424745, 0.5608331407765581, 0.560833140776558),
	('root vegetables', 'whole milk', 481, 1072, 2513, 0.04890697, 0.4486940, 1.756031, 0.2930566, 2.5461358042463943e-48, 1.14576111191101e-47),
	('yogurt', 'other vegetables', 427, 1372, 1903, 0.04341637, 0.3112245, 1.608457, 0.2642600, 8.118715573085225e-30, 1.21780733596272e-29),
	('yogurt', 'whole milk', 551, 1372, 2513, 0.05602440, 0.4016035, 1.571735, 0.2967415, 6.188890444100428e-38, 1.39250034992263e-37),
	('root vegetables', 'tropical fruit', 207, 1072, 1032, 0.02104728, 0.1930970, 1.840222, 0.1968036, 2.981263638666707e-20, 3.35392159350014e-20),
	('yogurt', 'tropical fruit', 288, 1372, 1032, 0.02928317, 0.2099125, 2.000475, 0.2420336, 5.327018668227935e-36, 9.58863360281006e-36)) v(item, other, n, n_a, n_b, support, confidence, lift, cosine, p, q)
LEFT JOIN (SELECT a.* FROM groceries, item_affinities(NULL::text, book) a) a USING (item, other);
-- What goes with root vegetables and yogurt.
SELECT other, round(sum(cosine)::numeric, 6) AS score FROM groceries, item_affinities(NULL::text, book) WHERE item IN ('root vegetables', 'yogurt') GROUP BY other ORDER BY score DESC LIMIT 3;

-- In plain SQL: 400 baskets of 30 items, some bought much, some baskets large; probabilities by exact fractions.
CREATE TABLE random_line AS
SELECT i, 1 + (hashint8(i) & 65535) % 400::bigint AS basket, floor(30 * power((hashint8extended(i, 1) & 65535) / 65536.0, 2))::bigint AS item FROM generate_series(1, 2400::bigint) i;
INSERT INTO random_line SELECT 10000 + i, 500 + i % 3, i % 26 FROM generate_series(1, 80::bigint) i;
CREATE TABLE random_book AS SELECT basket_book(basket, item) AS book FROM random_line;
CREATE FUNCTION choose(n bigint, k bigint) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN CASE WHEN k BETWEEN 0 AND n THEN factorial(n) / (factorial(k) * factorial(n - k)) ELSE 0 END;
CREATE VIEW plain AS
WITH entry AS (SELECT DISTINCT basket, item FROM random_line),
kept AS (SELECT * FROM entry WHERE basket IN (SELECT basket FROM entry GROUP BY 1 HAVING count(*) <= 20)),
n AS (SELECT count(DISTINCT basket) AS n FROM kept),
one AS (SELECT item, count(*) AS n FROM kept GROUP BY 1),
pair AS (SELECT a.item AS a, b.item AS b, count(*) AS n_ab FROM kept a JOIN kept b USING (basket) WHERE a.item < b.item GROUP BY 1, 2 HAVING count(*) >= 3),
tested AS (SELECT a, b, n_ab, n.n, x.n AS n_a, y.n AS n_b, (SELECT sum(choose(x.n, k) * choose(n.n - x.n, y.n - k)) FROM generate_series(n_ab, least(x.n, y.n)) k) / choose(n.n, y.n) AS p
	FROM pair JOIN one x ON x.item = a JOIN one y ON y.item = b CROSS JOIN n),
corrected AS (SELECT *, least(1, min(m * p / j) OVER (ORDER BY j DESC)) AS q_value FROM (SELECT *, count(*) OVER () AS m, row_number() OVER (ORDER BY p) AS j FROM tested) r)
SELECT a AS item, b AS other, n_ab, n, n_a, n_b, p, q_value FROM corrected UNION ALL SELECT b, a, n_ab, n, n_b, n_a, p, q_value FROM corrected;
CREATE TABLE plain_ranked AS
SELECT *, rank() OVER (PARTITION BY item ORDER BY n_ab DESC) AS by_together, rank() OVER (PARTITION BY item ORDER BY n_ab::numeric / n_b DESC) AS by_lift,
	rank() OVER (PARTITION BY item ORDER BY n_ab::numeric / (n_a + n_b - n_ab) DESC) AS by_jaccard, rank() OVER (PARTITION BY item ORDER BY n_ab::numeric * n_ab / n_b DESC) AS by_cosine FROM plain;
SELECT count(*) > 300 AS many, max(n) AS baskets, max(basket_count(book)) AS of, count(*) FILTER (WHERE a.item IS NULL OR p.item IS NULL OR together <> n_ab OR item_baskets <> n_a OR other_baskets <> n_b OR rank <> by_cosine) AS wrong_counts,
	count(*) FILTER (WHERE abs(support - n_ab::float8 / n) > 1e-12 OR abs(confidence - n_ab::float8 / n_a) > 1e-12 OR abs(lift - n_ab::float8 * n / (n_a * n_b)) > 1e-12
	OR abs(jaccard - n_ab::float8 / (n_a + n_b - n_ab)) > 1e-12 OR abs(cosine - n_ab / sqrt(n_a * n_b)) > 1e-12) AS wrong_measures,
	count(*) FILTER (WHERE abs(p_value / p::float8 - 1) > 1e-11 OR abs(q_value / q_value_plain::float8 - 1) > 1e-11) AS wrong_p
FROM (SELECT item, other, n_ab, n, n_a, n_b, p, q_value AS q_value_plain, by_cosine FROM plain_ranked) p
FULL JOIN (SELECT book, a.* FROM random_book, item_affinities(book, 3, 20, NULL) a) a USING (item, other);
-- Every rank, up to the fourth.
SELECT rank_by, count(*) FILTER (WHERE a.item IS NULL OR p.item IS NULL OR a.rank <> p.rank) AS wrong
FROM unnest('{together,lift,jaccard,cosine}'::text[]) rank_by, LATERAL (
	SELECT a.item, p.item, a.rank, p.rank FROM (SELECT a.* FROM random_book, item_affinities(book, 3, 20, 4, rank_by) a) a
	FULL JOIN (SELECT item, other, CASE rank_by WHEN 'together' THEN by_together WHEN 'lift' THEN by_lift WHEN 'jaccard' THEN by_jaccard ELSE by_cosine END AS rank FROM plain_ranked) p
	USING (item, other) WHERE p.rank <= 4 OR a.rank IS NOT NULL) x (a, b, a_rank, p_rank), LATERAL (SELECT a AS item, a_rank AS rank) a, LATERAL (SELECT b AS item, p_rank AS rank) p GROUP BY 1 ORDER BY 1;
-- Rows come by item, rank and other.
SELECT bool_and((item, rank, other) > before) AS in_order FROM (SELECT item, rank, other, lag((item, rank, other)) OVER () AS before FROM random_book, item_affinities(book, 3, NULL, NULL)) r;

-- The same bytes in any order and in parts, of which some share baskets; text and back.
SELECT count(DISTINCT b) FROM (
	SELECT book AS b FROM random_book
	UNION ALL SELECT basket_book(basket, item) FROM (SELECT * FROM random_line ORDER BY hashint8(i)) l
	UNION ALL SELECT basket_book(basket, item) FROM (SELECT * FROM random_line UNION ALL SELECT * FROM random_line) l
	UNION ALL SELECT rollup(part) FROM (SELECT basket_book(basket, item) AS part FROM random_line GROUP BY i % 7) p
	UNION ALL SELECT rollup(part) FROM (SELECT basket_book(basket, item) AS part FROM random_line GROUP BY basket) p
	UNION ALL SELECT (SELECT basket_book(basket, item) FROM random_line WHERE item < 9) + (SELECT basket_book(basket, item) FROM random_line WHERE item >= 9)
	UNION ALL SELECT book + book FROM random_book
	UNION ALL SELECT book::text::basket_book FROM random_book) s;
-- All types of baskets and items.
CREATE TABLE random_pairs AS SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item, other) AS list FROM random_book, item_affinities(book, 3);
SELECT (SELECT list FROM random_pairs) = ALL (ARRAY[
	(SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item, other) FROM (SELECT basket_book(md5(basket::text)::uuid, item) AS b FROM random_line) x, item_affinities(b, 3)),
	(SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item, other) FROM (SELECT basket_book('basket ' || basket, item) AS b FROM random_line) x, item_affinities(b, 3)),
	(SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item::bigint, other::bigint) FROM (SELECT basket_book(basket, item::text) AS b FROM random_line) x, item_affinities(NULL::text, b, 3)),
	(SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item::bigint, other::bigint) FROM (SELECT basket_book(md5(basket::text)::uuid, item::text) AS b FROM random_line) x, item_affinities(NULL::text, b, 3)),
	(SELECT string_agg(concat_ws(' ', item, other, rank, together, lift, p_value), ',' ORDER BY item::bigint, other::bigint) FROM (SELECT basket_book(basket::text, item::text) AS b FROM random_line) x, item_affinities(NULL::text, b, 3))]) AS same;

-- Hostile bytes.
SELECT type, count(*) AS images, count(*) FILTER (WHERE result LIKE 'accepted%') AS accepted, array_agg(DISTINCT regexp_replace(result, ':.*', '')) AS results
FROM (SELECT 'texts' AS type, basket_book_send(basket_book(basket, item)) AS image FROM line UNION ALL SELECT 'numbers', basket_book_send(basket_book('b' || basket, ascii(item)::bigint)) FROM line) b,
LATERAL hostile.mutations(image) m, LATERAL (SELECT hostile.receive('basket_book', m) AS result) r GROUP BY type ORDER BY type;

-- Errors.
\set VERBOSITY default
SELECT (item_affinities(basket_book(basket, item))).* FROM line;
SELECT item_affinities(book, rank_by => 'p_value') FROM random_book;
SELECT item_affinities(book, 0) FROM random_book;
SELECT item_affinities(book, max_basket => 0) FROM random_book;
SELECT item_affinities(book, top_k => -1) FROM random_book;
SELECT baskets_over(book, 0) FROM random_book;
SELECT basket_book(basket, item) + (SELECT book FROM random_book) FROM line;
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	$$basket_book(1::bigint, 1::bigint) + basket_book('b', 1::bigint)$$, $$item_affinities(basket_book(1::bigint, 1::bigint), NULL)$$, $$item_affinities(basket_book(1::bigint, 1::bigint), rank_by => NULL)$$,
	$$item_affinities(NULL::uuid, basket_book(1::bigint, 1::bigint))$$, $$item_affinities(NULL::text, basket_book(1::bigint, 1::bigint))$$, $$'basket_book:AAAA'::basket_book$$]) statement;
