-- basket on public data: published figures of Online Retail, and pairs as plain SQL counts them.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(17);

-- 20,000 baskets of about 5 of 2,000 items, some bought much; every 97th basket is large.
CREATE TEMP TABLE line AS
SELECT b, floor(2000 * power((hashint8extended(b * 1000 + n, 1) & 65535) / 65536.0, 3))::bigint AS item
  FROM generate_series(1, 20000::bigint) b, LATERAL generate_series(1, CASE WHEN b % 97 = 0 THEN 60 ELSE 1 + (hashint8(b) & 7) + (b % 3)::int END) n;
ANALYZE line;
CREATE TEMP TABLE kept AS SELECT basket_book(b, item) AS book FROM line;
CREATE TEMP TABLE entry AS SELECT DISTINCT b, item FROM line WHERE b IN (SELECT b FROM line GROUP BY b HAVING count(DISTINCT item) <= 40);
CREATE TEMP TABLE one AS SELECT item, count(*) AS n FROM entry GROUP BY item;
CREATE TEMP TABLE pair AS SELECT x.item, y.item AS other, count(*) AS n FROM entry x JOIN entry y USING (b) WHERE x.item <> y.item GROUP BY 1, 2 HAVING count(*) >= 4;
SELECT set_eq($$ SELECT item, other, together, item_baskets, other_baskets FROM kept, item_affinities(book, 4, 40, NULL) $$,
  $$ SELECT p.item, other, p.n AS n_ab, x.n AS n_a, y.n AS n_b FROM pair p JOIN one x ON x.item = p.item JOIN one y ON y.item = p.other $$, 'pairs as the self-join counts them');
SELECT set_eq($$ SELECT item, rank, other FROM kept, item_affinities(book, 4, 40, 7, 'lift') $$,
  $$ SELECT * FROM (SELECT p.item, rank() OVER (PARTITION BY p.item ORDER BY p.n::numeric / y.n DESC) AS rank, other FROM pair p JOIN one y ON y.item = p.other) r WHERE rank <= 7 $$, 'the seven of the greatest lift, and their equals');
SELECT results_eq($$ SELECT basket_count(book), item_count(book), baskets_over(book, 40) FROM kept $$,
  $$ SELECT count(*), (SELECT count(DISTINCT item) FROM line), count(*) FILTER (WHERE n > 40) FROM (SELECT count(DISTINCT item) AS n FROM line GROUP BY b) s $$, 'counts');
CREATE TEMP TABLE affinity AS SELECT a.* FROM kept, item_affinities(book, 4, 40, NULL) a;
SELECT set_eq($$ SELECT item, other, together, item_baskets, other_baskets, support, lift, jaccard, cosine, p_value, q_value FROM affinity $$,
  $$ SELECT other, item, together, other_baskets, item_baskets, support, lift, jaccard, cosine, p_value, q_value FROM affinity $$, 'a pair is the same from both sides');
SELECT is_empty($$ SELECT * FROM affinity WHERE q_value < p_value OR q_value > 1 OR p_value <= 0 $$, 'a q-value is not below its p-value');

-- In parts: by day, by item, by both at once, and each part merged twice.
SELECT results_eq(format('SELECT rollup(part) FROM (SELECT basket_book(b, item) AS part FROM line GROUP BY %s) s', parts), 'SELECT book FROM kept', 'in parts by ' || parts)
  FROM unnest('{b % 13,item % 13,hashint8(b + item) & 31,b / 100}'::text[]) parts;
SELECT results_eq('SELECT book + book FROM kept', 'SELECT book FROM kept', 'a basket is a set');

-- Online Retail (UCI): invoices, goods with a number of five digits.
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
\copy retail FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER)
CREATE TEMP TABLE retail_book AS SELECT basket_book(invoice, upper(stock_code)) AS book FROM retail WHERE quantity > 0 AND price > 0 AND stock_code ~ '^[0-9]{5}';
SELECT results_eq($$ SELECT basket_count(book), baskets_over(book, 100), basket_count(book) - baskets_over(book, 100) FROM retail_book $$, $$ VALUES (19773::bigint, 626::bigint, 19147::bigint) $$, 'Online Retail: invoices, and large ones');
SELECT results_eq($$ SELECT count(*) / 2, round(sum(together) / 2e6, 1) FROM retail_book, item_affinities(NULL::text, book, 1, NULL, NULL) $$, $$ VALUES (3682555::bigint, 28.4) $$, 'Online Retail: pairs without a limit');
SELECT results_eq($$ SELECT count(*) / 2, round(28.4 - sum(together) / 2e6, 1) FROM retail_book, item_affinities(NULL::text, book, 1, 100, NULL) $$, $$ VALUES (1852876::bigint, 21.6) $$, 'Online Retail: pairs of invoices of no more than 100 goods; large ones have most');
SELECT results_eq($$ SELECT count(*) / 2, count(*) FILTER (WHERE q_value < 0.05) / 2 FROM retail_book, item_affinities(NULL::text, book, 100, NULL, NULL) $$, $$ VALUES (8061::bigint, 8059::bigint) $$, 'Online Retail: nearly all that are together often are so significantly');
SELECT results_eq($$ SELECT item, other, together, item_baskets, other_baskets, round(lift::numeric, 3) FROM retail_book, item_affinities(NULL::text, book, 100, NULL) WHERE item < other ORDER BY lift DESC LIMIT 1 $$,
  $$ VALUES ('21801', '21802', 110::bigint, 125::bigint, 180::bigint, 96.668) $$, 'Online Retail: the best lift without a limit');
SELECT results_eq($$ SELECT count(*) / 2 FROM retail_book, item_affinities(NULL::text, book, 100, 100, NULL) $$, $$ VALUES (1444::bigint) $$, 'Online Retail: pairs that are together in 100 invoices');
SELECT results_eq($$ SELECT item, other, round(lift::numeric, 6) FROM retail_book, item_affinities(NULL::text, book, 100) WHERE item < other ORDER BY lift DESC LIMIT 1 $$, $$ VALUES ('23289', '23291', 120.495155) $$, 'Online Retail: the best lift');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 7);
\endif

SELECT * FROM finish();
ROLLBACK;
