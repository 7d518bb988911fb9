-- Pricebooks: what each group paid for the same thing. Figures by hand, or from plain SQL next to them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA pricebook_test;
SET search_path = pricebook_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TABLE sale (item text, period date, member_group text, price numeric, quantity numeric);
INSERT INTO sale VALUES
	('a', '2026-01-01', '0', 10, 1), ('a', '2026-01-01', '1', 11, 1), ('a', '2026-01-01', '1', 12, 1), ('a', '2026-01-02', '0', 10, 1),
	('b', '2026-01-01', '0', 20, 1), ('b', '2026-01-01', '0', 21, 1), ('b', '2026-01-01', '1', 22, 1),
	('c', '2026-01-01', '1', 5, 1), ('c', '2026-01-01', '0', 5, 1), ('c', '2026-01-01', '1', 5.5, 1);
CREATE VIEW example AS SELECT pricebook(item, period, member_group, price, quantity) AS book FROM sale;
SELECT cell_count(book), rows_skipped(book), rows_skipped(book, 'null') AS "null", rows_skipped(book, 'price') AS price, rows_skipped(book, 'quantity') AS quantity FROM example;

-- Group 1 buys the cheap items and pays more for every one: 55.5 / 5 is 15.9 % below 66 / 5, and yet it is overcharged
-- 1 + 2 above the median of 10, 1.5 above 20.5 and 0 + 0.5 above 5.
-- W - E is 5 - 4, 3 - 2 and 4.5 - 4 (5 twice, in ranks 1 and 2), V 2/3, 2/3 and 1/2, the weights are all 1/4: z = 2.5 / sqrt(11/6).
-- The group's 5 rows would cost 2 * 10 + 20.5 + 2 * 5 at the reference's means.
-- ln(price) is ln(132) / 2 - ln(10), ln(22) - ln(420) / 2 and ln(27.5) / 2 - ln(5) above the reference's, each with a weight of
-- 2/3: the premium is their mean's, and the standard error by jackknife, of items that weigh alike, the usual one of a mean.
SELECT member_group, reference, items, cells, rows, reference_rows, compared_share, round(naive_gap_pct::numeric, 8) AS naive_gap_pct, round(mean_premium_pct::numeric, 9) AS mean_premium_pct, round((100 * (55.5 / 50.5 - 1)), 9) AS by_hand, round(premium_pct::numeric, 9) AS premium_pct,
	round((z * sqrt(design_effect))::numeric, 9) AS rank_z, round((2.5 / sqrt(11.0 / 6))::numeric, 9) AS z_by_hand, overcharge, overcharge_net, items_flagged, verdict
FROM example, price_gaps(book, '0');
SELECT abs(ln(1 + premium_pct / 100) - gamma) < 1e-14 AS premium, abs(ln(1 + premium_pct_low / 100) - (gamma - t * error)) < 1e-12 AS low, abs(ln(1 + premium_pct_high / 100) - (gamma + t * error)) < 1e-12 AS high,
	round(gamma::numeric, 11) AS gamma, round(error::numeric, 11) AS error
FROM example, price_gaps(book, '0'),
	(SELECT avg(d) AS gamma, stddev_samp(d) / sqrt(3) AS error, 2 * 0.475 * sqrt(2 / (4 * 0.975 * 0.025)) AS t	-- with 2 degrees of freedom
	 FROM unnest(ARRAY[ln(132::float8) / 2 - ln(10::float8), ln(22::float8) - ln(420::float8) / 2, ln(27.5::float8) / 2 - ln(5::float8)]) d) by_hand;
-- Rows, were they independent: in each item a pair faces a single one, so that x~ is 1/3 and 2/3 and (x~ e)^2 adds up to (o/9 + h/3)^2 +
-- (o/9 - h/3)^2 + (4o/9)^2 = 2h^2/9 + 2o^2/9, o being what the item's difference has beyond the premium and h half of what the pair's logarithms
-- differ by. The design effect is the one variance over the other; with 2 degrees of freedom p is 1 - t / sqrt(t^2 + 2).
SELECT abs(std_error - error) < 1e-14 AS std_error, abs(effective_items - 3) < 1e-14 AS effective_items, abs(df - 2) < 1e-14 AS df, abs(design_effect - error ^ 2 / independent) < 1e-12 AS design_effect, round(design_effect::numeric, 9) AS d,
	abs(premium_p_value - (1 - gamma / error / sqrt((gamma / error) ^ 2 + 2))) < 1e-12 AS premium_p_value, round(z::numeric, 9) AS z, abs(p_value - (1 - z / sqrt(z ^ 2 + 2))) < 1e-12 AS p_value
FROM example, price_gaps(book, '0'),
	(SELECT avg(d) AS gamma, stddev_samp(d) / sqrt(3) AS error, sum(2 * h ^ 2 / 9 + 2 * (d - mean) ^ 2 / 9) / 4 AS independent
	 FROM (SELECT d, h, avg(d) OVER () AS mean FROM unnest(ARRAY[ln(132::float8) / 2 - ln(10::float8), ln(22::float8) - ln(420::float8) / 2, ln(27.5::float8) / 2 - ln(5::float8)], ARRAY[ln(12 / 11.0::float8) / 2, ln(1.05::float8) / 2, ln(1.1::float8) / 2]) v(d, h)) s) by_hand;
-- Items have z = 1 / sqrt(2/3) twice and 0.5 / sqrt(1/2): p = 0.2206713619 (t of the normal distribution at 1.224745) and
-- 0.4795001222 (at 0.707107); q = p * 3 / 2 of the first two, the third's own of the third. No item has enough rows for g.
SELECT item, member_group, rows, reference_rows, mean, reference_mean, median, reference_median, round(gap_pct::numeric, 9) AS gap_pct, hedges_g, round(p_value::numeric, 10) AS p_value, round(q_value::numeric, 10) AS q_value, overcharge, is_flagged
FROM example, price_gap_items(NULL::text, book, '0');
-- Shares of rows .4 .2 .4 and .4 .4 .2, means 11.5 22 5.25 and 10 20.5 5: basket -.2 * 21.25 + .2 * 5.125, price 1.5 * .4 + 1.5 * .3 + .25 * .3.
SELECT member_group, reference, items, rows, reference_rows, mean, reference_mean, round(difference::numeric, 12) AS difference, round(basket_effect::numeric, 12) AS basket_effect, round(price_effect::numeric, 12) AS price_effect
FROM example, price_gap_mix(book, '0');
SELECT f.* FROM example, fair_prices(NULL::text, book, '0') f;
-- The other way round: -ln(1 + premium), the same z but for its sign, and money below the median of 11.5, 22 and 5.25.
SELECT a.member_group, a.reference, abs((1 + a.premium_pct / 100) * (1 + b.premium_pct / 100) - 1) < 1e-14 AS premium, a.z = -b.z AS z, a.p_value = b.p_value AS p_value, a.compared_share = (50 + 6) / 66.0 AS compared_share, a.overcharge, a.overcharge_net, a.verdict
FROM example, price_gaps(book, '1') a, price_gaps(book, '0') b;

-- Quantities weigh money, and nothing else: 3 at 11 and 2.5 at 12 are overcharged by 3 and 5, the revenue that compares is 33 + 30 of 73.
SELECT rows, compared_share = 63 / 73.0::float8 AS compared_share, overcharge, overcharge_net, round(naive_gap_pct::numeric, 9) AS naive_gap_pct, premium_pct = (SELECT premium_pct FROM price_gaps((SELECT pricebook('a'::text, member_group, price) FROM sale WHERE item = 'a' AND period = '2026-01-01'), '0')) AS premium
FROM (SELECT pricebook(item, period, member_group, price, q) AS book
	  FROM (VALUES ('a', date '2026-01-01', '0', 10.0, 7), ('a', '2026-01-01', '1', 11, 3), ('a', '2026-01-01', '1', 12, 2.5), ('c', '2026-01-02', '1', 5, 2)) v(item, period, member_group, price, q)) s, price_gaps(book, '0');

-- What is skipped, and why: the first reason of null, price, quantity.
CREATE TABLE odd (why text, item text, period date, member_group text, price numeric, quantity numeric);
INSERT INTO odd VALUES
	('kept', 'a', '2026-01-01', 'x', 0.01, 0.001), ('null', NULL, '2026-01-01', 'x', 1, 1), ('null', 'a', NULL, 'x', 1, 1), ('null', 'a', '2026-01-01', NULL, 1, 1),
	('null', 'a', '2026-01-01', 'x', NULL, 1), ('null', 'a', '2026-01-01', 'x', 1, NULL), ('null', NULL, NULL, NULL, NULL, NULL), ('null', 'a', '2026-01-01', 'x', -1, NULL),
	('price', 'a', '2026-01-01', 'x', 0, 1), ('price', 'a', '2026-01-01', 'x', 0.00, 1), ('price', 'a', '2026-01-01', 'x', -5, -1), ('price', 'a', '2026-01-01', 'x', -99999999999999999999999, 0),
	('quantity', 'a', '2026-01-01', 'x', 1, 0), ('quantity', 'a', '2026-01-01', 'x', 1, -2), ('quantity', 'a', '2026-01-01', 'x', 1, -1e30);
SELECT why, count(*), rows_skipped(pricebook(item, period, member_group, price, quantity)) AS skipped,
	rows_skipped(pricebook(item, period, member_group, price, quantity), 'null') AS "null", rows_skipped(pricebook(item, period, member_group, price, quantity), 'price') AS price,
	rows_skipped(pricebook(item, period, member_group, price, quantity), 'quantity') AS quantity, cell_count(pricebook(item, period, member_group, price, quantity)) AS cells
FROM odd GROUP BY ROLLUP (why) ORDER BY why;
-- Without periods and quantities these do not matter.
SELECT rows_skipped(b), rows_skipped(b, 'null') AS "null", rows_skipped(b, 'price') AS price, rows_skipped(b, 'quantity') AS quantity FROM (SELECT pricebook(item, member_group, price) AS b FROM odd) s;

-- Nothing to tell of.
SELECT pricebook(item, member_group, price) IS NULL AS no_rows, rollup(pricebook(item, member_group, price)) OVER () IS NULL AS no_books FROM sale WHERE false GROUP BY ();
SELECT (SELECT count(*) FROM price_gaps(NULL, '0')) AS gaps, (SELECT count(*) FROM price_gap_items(NULL::pricebook_summary, '0')) AS items, (SELECT count(*) FROM price_gap_items(NULL::bigint, NULL, '0')) AS bigint_items,
	(SELECT count(*) FROM price_gap_mix(NULL, '0')) AS mix, (SELECT count(*) FROM fair_prices(NULL::pricebook_summary, '0')) AS prices, cell_count(NULL::pricebook_summary), rows_skipped(NULL::pricebook_summary), NULL::pricebook_summary + NULL::pricebook_summary AS plus;
CREATE VIEW empty AS SELECT pricebook(item, period, member_group, price, quantity) AS book FROM odd WHERE why <> 'kept';
SELECT cell_count(book), rows_skipped(book), book::text::pricebook_summary = book AS round_trip, book + book = (SELECT rollup(b) FROM (SELECT book AS b FROM empty UNION ALL TABLE empty) s) AS plus,
	(SELECT count(*) FROM price_gaps(book, 'nobody')) AS gaps, (SELECT count(*) FROM price_gap_items(NULL::text, book, '')) AS items, (SELECT count(*) FROM price_gap_mix(book, 'x')) AS mix, (SELECT count(*) FROM fair_prices(NULL::text, book, 'x')) AS prices
FROM empty;
SELECT cell_count(e.book + s.book) AS cells, rows_skipped(e.book + s.book) AS skipped, g.premium_pct = w.premium_pct AS same FROM empty e, example s, price_gaps(e.book + s.book, '0') g, price_gaps(s.book, '0') w;
-- A book of one group.
SELECT (SELECT count(*) FROM price_gaps(b, 'x')) AS gaps, (SELECT count(*) FROM price_gap_items(NULL::text, b, 'x')) AS items, (SELECT count(*) FROM price_gap_mix(b, 'x')) AS mix, (SELECT string_agg(f::text, ' ') FROM fair_prices(NULL::text, b, 'x') f) AS prices
FROM (SELECT pricebook('a'::text, 'x', p) AS b FROM unnest('{1,2,4}'::numeric[]) p) s;

-- Cells of one group compare with nothing: no overlap in time, no common item.
SELECT g.* FROM (SELECT pricebook(item, period, member_group, price, 1) AS b FROM (VALUES ('a', date '2026-01-01', 'x', 10), ('a', '2026-01-02', 'y', 20), ('b', '2026-01-01', 'z', 5)) v(item, period, member_group, price)) s, price_gaps(b, 'x') g;
SELECT g.* FROM (SELECT pricebook(item, period, member_group, price, 1) AS b FROM (VALUES ('a', date '2026-01-01', 'x', 10), ('a', '2026-01-02', 'y', 20), ('b', '2026-01-01', 'z', 5)) v(item, period, member_group, price)) s, price_gap_items(NULL::text, b, 'x') g;
-- In the mix periods do not matter: both bought a.
SELECT g.* FROM (SELECT pricebook(item, period, member_group, price, 1) AS b FROM (VALUES ('a', date '2026-01-01', 'x', 10), ('a', '2026-01-02', 'y', 20), ('b', '2026-01-01', 'z', 5)) v(item, period, member_group, price)) s, price_gap_mix(b, 'x') g;

-- One item: no interval and no test, because there is nothing it could vary over, so no verdict. Ten rows each, 10 dearer by 1:
-- W - E is 50 pairs of 100 won, 100 - 50; V = 100 / 12 * (21 - 2 * (10^3 - 10) / (20 * 19)): z = 50 / sqrt(V) = sqrt(19).
CREATE VIEW constant AS
SELECT pricebook('a'::text, member_group, price + CASE member_group WHEN 'y' THEN 1 WHEN 'z' THEN -1 ELSE 0 END) AS book FROM (VALUES (10)) v(price), unnest('{x,y,z,same}'::text[]) member_group, generate_series(1, 10);
SELECT member_group, items, cells, rows, reference_rows, round(premium_pct::numeric, 9) AS premium_pct, premium_pct_low, premium_pct_high, round(z::numeric, 9) AS z, round(sqrt(19::numeric), 9) AS z_by_hand, round(p_value::numeric, 9) AS p_value, overcharge, overcharge_net, items_flagged, verdict
FROM constant, price_gaps(book, 'x');
-- Three such items: each adds as much to z and to its variance, so z = 3 / sqrt(3) sqrt(19); nothing else differs, so its design effect is 1 and the
-- premium certain. With 2 degrees of freedom p is 1 - z / sqrt(z^2 + 2).
CREATE VIEW constants AS
SELECT pricebook(item, member_group, price + CASE member_group WHEN 'y' THEN 1 WHEN 'z' THEN -1 ELSE 0 END) AS book FROM (VALUES (10)) v(price), unnest('{a,b,c}'::text[]) item, unnest('{x,y,z,same}'::text[]) member_group, generate_series(1, 10);
SELECT member_group, items, cells, rows, reference_rows, round(premium_pct::numeric, 9) AS premium_pct, round(premium_pct_low::numeric, 9) AS low, round(premium_pct_high::numeric, 9) AS high, std_error, design_effect, premium_p_value, round(z::numeric, 9) AS z, round(sqrt(57::numeric), 9) AS z_by_hand,
	round(p_value::numeric, 9) AS p_value, round((1 - abs(z) / sqrt(z ^ 2 + 2))::numeric, 9) AS p_by_hand, overcharge, overcharge_net, items_flagged, verdict
FROM constants, price_gaps(book, 'x');
-- No spread, no g; but different all the same. All alike: p = 1. q is that of one item, p.
SELECT member_group, mean, median, gap_pct, hedges_g, round(p_value::numeric, 9) AS p_value, q_value = p_value AS q, overcharge, is_flagged FROM constant, price_gap_items(NULL::text, book, 'x');
-- Two items of which nothing differs have an interval, of no width.
SELECT premium_pct, premium_pct_low, premium_pct_high, z, p_value, overcharge_net, verdict FROM (SELECT pricebook(i::bigint, member_group, i) AS b FROM generate_series(1, 2) i, unnest('{x,y}'::text[]) member_group, generate_series(1, 5)) s, price_gaps(b, 'x');
-- Rows on a side, the premium that matters and the level decide what counts.
SELECT min_rows, min_premium_pct, alpha, items_flagged, verdict, (SELECT bool_and(is_flagged) FROM price_gap_items(NULL::text, book, 'x', alpha, min_premium_pct, min_rows) i WHERE i.member_group = 'y') AS is_flagged
FROM constants, (VALUES (10, 1, 0.05), (11, 1, 0.05), (30, 1, 0.05), (31, 1, 0.05), (1, 9.99, 0.05), (1, 10.01, 0.05), (1, 1, 0.00001), (1, 1, 0.00002), (1, 1, 0.01708), (1, 1, 0.0171)) v(min_rows, min_premium_pct, alpha), price_gaps(book, 'x', alpha, min_premium_pct, min_rows) WHERE member_group = 'y' ORDER BY 1, 2, 3;
-- Hedges' g: 1 2 3 against 3 4 5 are two pooled standard deviations of 1 apart, and J of 4 degrees of freedom is
-- gamma(2) / (sqrt(2) gamma(1.5)) = sqrt(2 / pi). Of 1 and 2 against 3 and 5: sd sqrt(1.25), J gamma(1) / gamma(1/2).
SELECT member_group, abs(hedges_g - by_hand) < 1e-15 AS g FROM (SELECT pricebook(1::bigint, member_group, p) AS b FROM (VALUES ('x', 1), ('x', 2), ('x', 3), ('y', 3), ('y', 4), ('y', 5)) v(member_group, p)) s, price_gap_items(NULL::bigint, b, 'x'), (SELECT 2 * sqrt(2 / pi()) AS by_hand) h;
SELECT member_group, abs(hedges_g - by_hand) < 1e-15 AS g FROM (SELECT pricebook(1::bigint, member_group, p) AS b FROM (VALUES ('x', 1), ('x', 2), ('y', 3), ('y', 5)) v(member_group, p)) s, price_gap_items(NULL::bigint, b, 'x'), (SELECT 2.5 / sqrt(1.25) / sqrt(pi()) AS by_hand) h;
-- p does not go down to a silent 0. Of 700 rows on either side, all dearer, z is sqrt(2n - 1), as above, and p about
-- 2 exp(-z^2 / 2) / (z sqrt(2 pi)) = 3.5e-306.
SELECT p_value BETWEEN 3e-306 AND 4e-306 AS tiny, is_flagged FROM (SELECT pricebook(1::bigint, member_group, CASE member_group WHEN 'x' THEN 10 ELSE 11 END) AS b FROM unnest('{x,y}'::text[]) member_group, generate_series(1, 700)) s, price_gap_items(b, 'x');

-- One price however it is written; money has as many decimals as the prices are given with.
SELECT pricebook('a'::text, 'x', p ORDER BY p) = (SELECT pricebook('a'::text, 'x', 10.00) FROM generate_series(1, 3)) AS one_price,
	length(pricebook_summary_send(pricebook('a'::text, 'x', p))) - length(pricebook_summary_send((SELECT pricebook('a'::text, 'x', 10)))) AS more_bytes FROM unnest('{10,10.0,10.00}'::numeric[]) p;
SELECT f.* FROM (SELECT pricebook('a'::text, 'x', p) AS b FROM unnest('{10,10.0,10.00}'::numeric[]) p) s, fair_prices(NULL::text, b, 'x') f;
SELECT fair_price FROM (SELECT pricebook('a'::text, 'x', p) AS b FROM unnest('{10,11,1e3}'::numeric[]) p) s, fair_prices(NULL::text, b, 'x');
SELECT fair_price FROM (SELECT pricebook('a'::text, 'x', p) AS b FROM unnest('{10,10.01,11,1e3}'::numeric[]) p) s, fair_prices(NULL::text, b, 'x');
-- Of many digits: as many as 38 before the point and 28 behind it, exact. The median of an even number has one more.
CREATE TABLE wide (member_group text, price numeric, quantity numeric);
INSERT INTO wide VALUES ('x', 12.3333333333333333333, 1), ('x', 12.3333333333333333334, 2.00000000000000000001), ('y', 12.3333333333333333335, 36028797018963968), ('y', 12.33333333333333333330, 0.5),
	('x', 99999999999999999999999999999999999999, 1), ('y', 0.0000000000000000000000000001, 99999999999999999999999999999999999999), ('y', 36028797018963967, 1), ('y', 36028797018963968, 1);
SELECT f.* FROM (SELECT pricebook(1::bigint, '2026-01-01', member_group, price, quantity) AS b FROM wide) s, unnest('{x,y}'::text[]) r, fair_prices(NULL::bigint, b, r) f;
SELECT overcharge = over AS overcharge, overcharge_net = net AS overcharge_net, abs(compared_share - 1) < 1e-15 AS compared_share
FROM (SELECT pricebook(1::bigint, '2026-01-01', member_group, price, quantity) AS b FROM wide) s, price_gaps(b, 'x'),
	(SELECT sum(greatest(price - 12.3333333333333333334, 0) * quantity) AS over, sum((price - 12.3333333333333333334) * quantity) AS net FROM wide WHERE member_group = 'y') by_sql;
SELECT b::text::pricebook_summary = b AS round_trip, b = (SELECT pricebook(1::bigint, '2026-01-01', member_group, price, quantity ORDER BY price DESC, quantity) FROM wide) AS same_bytes,
	b + b = (SELECT pricebook(1::bigint, '2026-01-01', member_group, price, quantity) FROM wide, generate_series(1, 2)) AS plus
FROM (SELECT pricebook(1::bigint, '2026-01-01', member_group, price, quantity ORDER BY quantity, price) AS b FROM wide) s;
-- Quantities that cross 56 bits and come back by being whole.
SELECT pricebook(1::bigint, '2026-01-01', 'x', 2, q ORDER BY q) = pricebook(1::bigint, '2026-01-01', 'x', 2, q ORDER BY q DESC) AS same_bytes, f.n
FROM unnest('{36028797018963967.5,0.5,36028797018963967,1e20,0.25,0.75}'::numeric[]) q, LATERAL (SELECT 6 AS n) f GROUP BY f.n;

-- Items and groups of all kinds; text by its bytes, numbers by number, groups by their bytes.
SELECT i.item, i.member_group, i.gap_pct FROM (SELECT pricebook(item, member_group, 10 + (member_group = 'é')::int) AS b FROM unnest(ARRAY['b', 'B', '', 'aa', 'a', 'été', repeat('x', 30)]) item, unnest(ARRAY['ref', 'é', '', 'Z']) member_group) s, price_gap_items(NULL::text, b, 'ref') i;
SELECT item, pg_typeof(item), member_group, gap_pct FROM (SELECT pricebook(item, member_group, 10 + (member_group = 'y')::int) AS b FROM unnest('{9,10,-1,0,9223372036854775807,-9223372036854775808}'::bigint[]) item, unnest('{x,y}'::text[]) member_group) s, price_gap_items(NULL::bigint, b, 'x');
SELECT f.item, pg_typeof(f.item), f.period, f.fair_price, f.rows FROM (SELECT pricebook(item::int, period, member_group, price, quantity) AS b FROM (VALUES (2, date '4713-01-01 BC', 'x', 1.5, 1), (2, '5874897-12-31', 'x', 2, 1), (1, '2000-01-01', 'x', 3, 1), (1, '1999-12-31', 'x', 4, 1)) v(item, period, member_group, price, quantity)) s, fair_prices(NULL::bigint, b, 'x') f;
SELECT (SELECT count(*) FROM price_gap_items(NULL::text, book, '0')) AS items, (SELECT count(*) FROM fair_prices('any'::text, book, '0')) AS prices FROM example;
-- Items are bigint unless a type says otherwise, with arguments by position, by name and as parameters.
CREATE VIEW numbers AS SELECT pricebook(item, member_group, 10 + (member_group = 'y')::int) AS book FROM generate_series(7, 8) item, unnest('{x,y}'::text[]) member_group, generate_series(1, 5);
SELECT item, pg_typeof(item), fair_price, rows FROM numbers, fair_prices(book, 'x');
SELECT item, is_flagged FROM numbers, price_gap_items(book, reference => 'x', min_premium_pct => 9.9);
SELECT item, is_flagged FROM numbers, price_gap_items(book, 'x', 0.05, 10);
PREPARE items(pricebook_summary, text) AS SELECT count(*) FROM price_gap_items($1, $2);
SELECT book AS numbers FROM numbers \gset
EXECUTE items(:'numbers', 'y');
PREPARE untyped AS SELECT (SELECT count(*) FROM price_gap_items((SELECT book FROM numbers), $1)), (SELECT count(*) FROM fair_prices((SELECT book FROM numbers), $1));
EXECUTE untyped('y');
SELECT cell_count(pricebook(item::varchar(10), member_group, price)) AS varchar, cell_count(pricebook(ascii(item)::smallint, member_group, price)) AS smallint FROM sale;

-- A reference may be any group, of any name; what is none is told, cut short.
SELECT count(*) FROM (SELECT pricebook('a'::text, member_group, 1) AS b FROM unnest(ARRAY['', 'x', repeat('é', 100000)]) member_group) s, unnest(ARRAY['', repeat('é', 100000)]) r, price_gaps(b, r);
\set VERBOSITY default
SELECT g.* FROM example, price_gaps(book, '2') g;
SELECT price_gap_items(NULL::text, book, '') FROM example;
SELECT price_gap_mix(book, 'the "first" 30 days') FROM example;
SELECT fair_prices(NULL::text, book, repeat('é', 1000000)) FROM example;
SELECT price_gaps(b, 'x') FROM (SELECT pricebook(1::bigint, repeat('g', n * 10) || n, 1) AS b FROM generate_series(1, 12) n) s;
SELECT price_gaps(book, NULL) FROM example;
-- Without a reference the error says which there are; it comes before what is wrong with the items.
SELECT price_gaps(book) FROM example;
SELECT * FROM example, price_gap_items(book, min_rows => 1);
SELECT price_gap_mix(book) FROM example;
SELECT fair_prices(NULL::bigint, b) FROM (SELECT pricebook(1::bigint, repeat('g', n * 10) || n, 1) AS b FROM generate_series(1, 12) n) s;
SELECT * FROM empty, price_gaps(book);
SELECT price_gaps(book, '0', alpha => 0) FROM example;
SELECT price_gaps(book, '0', alpha => 1) FROM example;
SELECT price_gaps(book, '0', alpha => 'NaN') FROM example;
SELECT price_gaps(book, '0', alpha => NULL) FROM example;
SELECT price_gaps(book, '0', min_premium_pct => -1) FROM example;
SELECT price_gaps(book, '0', min_premium_pct => 'Infinity') FROM example;
SELECT price_gaps(book, '0', min_premium_pct => 'NaN') FROM example;
SELECT price_gaps(book, '0', min_premium_pct => NULL) FROM example;
SELECT price_gap_items(NULL::text, book, '0', min_rows => 0) FROM example;
SELECT price_gap_items(NULL::text, book, '0', min_rows => NULL) FROM example;
SELECT rows_skipped(book, 'because') FROM example;
SELECT * FROM example, price_gap_items(NULL::bigint, book, '0');
SELECT * FROM example, fair_prices(NULL::uuid, book, '0');
SELECT * FROM example, price_gap_items(book, '0');
SELECT fair_prices(b, reference => 'x') FROM (SELECT pricebook('a'::text, 'x', 1) AS b) s;
SELECT pricebook(item, member_group, 'NaN') FROM sale;
SELECT pricebook(item, member_group, '-Infinity') FROM sale;
SELECT pricebook(item, period, member_group, price, 'NaN') FROM sale;
SELECT pricebook(item, period, member_group, price, 'Infinity') FROM sale;
SELECT pricebook(item, 'infinity', member_group, price, quantity) FROM sale;
SELECT pricebook(item, '-infinity', member_group, price, quantity) FROM sale;
SELECT pricebook(item, member_group, 1e38) FROM sale;
SELECT pricebook(item, period, member_group, price, 1e-29) FROM sale;
SELECT pricebook(item, member_group, price) + pricebook(item, period, member_group, price, quantity) FROM sale;
SELECT pricebook(item, member_group, price) + pricebook(ascii(item), member_group, price) FROM sale;
SELECT rollup(b) FROM (SELECT pricebook(item, member_group, price) AS b FROM sale UNION ALL SELECT pricebook(item, period, member_group, price, quantity) FROM sale) s;
\set VERBOSITY terse
SELECT hostile.error_of('SELECT pricebook_step_text(NULL, ''a'', ''x'', 1)') AS step, hostile.error_of('SELECT pricebook_summary_combine(NULL, NULL)') AS combine;
SELECT statement, left(hostile.error_of('SELECT ' || statement || ' FROM example'), 5) AS state
FROM unnest(ARRAY['price_gaps(book, ''nobody'')', 'price_gaps(book, NULL)', 'fair_prices(NULL::text, book, NULL)', 'price_gap_mix(book, NULL)', 'price_gaps(book, ''0'', -1)', 'price_gaps(book, ''0'', NULL)', 'price_gaps(book, ''0'', 0.05, -1)',
	'price_gaps(book, ''0'', 0.05, 1, 0)', 'price_gaps(book, ''0'', 0.05, 1, NULL)', 'rows_skipped(book, '''')', 'price_gap_items(1, book, ''0'')', 'pricebook(''a''::text, ''x'', ''NaN'')', 'pricebook(''a''::text, ''x'', ''Infinity'')',
	'pricebook(''a''::text, ''2026-01-01'', ''x'', 1, ''NaN'')', 'pricebook(''a''::text, ''infinity'', ''x'', 1, 1)', 'pricebook(''a''::text, ''x'', 1e38)', 'pricebook(''a''::text, ''x'', -1e38)', 'book + (SELECT pricebook(1::bigint, ''x'', 1))', 'book + (SELECT pricebook(''a''::text, ''x'', 1))']) statement;
-- A sum of more than 76 digits is an error, and never a wrong one.
SELECT hostile.error_of($$ SELECT g.* FROM (SELECT pricebook(1::bigint, '2026-01-01', member_group, CASE member_group WHEN 'y' THEN 99999999999999999999999999999999999999.0000000000000000000000000001 ELSE 1 END, 99999999999999999999999999999999999999.0000000000000000000000000001) AS b FROM unnest('{x,y}'::text[]) member_group) s, price_gaps(b, 'x') g $$) AS too_large;

-- Any order of rows, in parts, merged in any grouping, stored and reloaded: the same bytes.
CREATE TABLE many AS
SELECT n % 97 AS item, date '2026-01-05' + 7 * (n * 7919 % 5)::int AS period, (ARRAY['new', 'old', 'oldest', NULL])[1 + n * 104729 % 29 % 4] AS member_group,
	(5 + n % 97 + n * 7907 % 13 * 0.25 - CASE WHEN n % 101 = 0 THEN 200 ELSE 0 END) * CASE WHEN n % 83 = 0 THEN 1e15 + 0.3333 ELSE 1 END AS price, n * 31 % 7 + (n % 3) * 0.5 AS quantity, n
FROM generate_series(1, 20000::bigint) n;
CREATE TABLE books AS SELECT n % 5 AS n, pricebook(item, period, member_group, price, quantity) AS b, pricebook(item::text, member_group, price) AS p FROM many GROUP BY 1;
SELECT (SELECT rollup(b) FROM books) = whole AS rolled_up, (SELECT rollup(b ORDER BY n DESC) FROM books) = whole AS other_order,
	(SELECT b FROM books WHERE n = 0) + (SELECT rollup(b) FROM books WHERE n > 0) = whole AS plus,
	(SELECT pricebook(item, period, member_group, price, quantity ORDER BY price, quantity DESC, n) FROM many) = whole AS sorted, (SELECT pricebook(item, period, member_group, price, quantity ORDER BY n DESC) FROM many) = whole AS backwards,
	whole::text::pricebook_summary = whole AS text_round_trip, pricebook_summary_send(whole::text::pricebook_summary) = pricebook_summary_send((SELECT rollup(b) FROM books)) AS same_bytes,
	pricebook_summary_hash(whole) = pricebook_summary_hash((SELECT rollup(b) FROM books)) AS hash, pricebook_summary_hash_extended(whole, 7) = pricebook_summary_hash_extended((SELECT rollup(b) FROM books), 7) AS hash_extended, (SELECT b FROM books WHERE n = 1) = whole AS part_is_whole
FROM (SELECT pricebook(item, period, member_group, price, quantity) AS whole FROM many) s;
SELECT (SELECT rollup(p) FROM books) = whole AS rolled_up, whole::text::pricebook_summary = whole AS text_round_trip FROM (SELECT pricebook(item::text, member_group, price) AS whole FROM many) s;
SELECT cell_count(whole) = (SELECT count(DISTINCT (item, period)) FROM many WHERE member_group IS NOT NULL AND price > 0 AND quantity > 0) AS cells, rows_skipped(whole) = (SELECT count(*) FROM many WHERE (member_group IS NOT NULL AND price > 0 AND quantity > 0) IS NOT TRUE) AS skipped,
	rows_skipped(whole, 'price') = (SELECT count(*) FROM many WHERE member_group IS NOT NULL AND price <= 0) AS price, rows_skipped(whole, 'quantity') = (SELECT count(*) FROM many WHERE member_group IS NOT NULL AND price > 0 AND quantity <= 0) AS quantity
FROM (SELECT rollup(b) AS whole FROM books) s;
-- Several books of one statement; those of a window, which are read while they grow.
SELECT count(*) AS differences FROM (SELECT g.*, m.n5 FROM (SELECT n % 5 AS n5, pricebook(item, period, member_group, price, quantity) AS b FROM many GROUP BY 1) m, price_gaps(b, 'new') g
	EXCEPT ALL SELECT g.*, books.n FROM books, price_gaps(b, 'new') g) s;
SELECT n, cell_count(running), running = (SELECT rollup(b) FROM books o WHERE o.n <= s.n) AS same, (SELECT sum(g.rows) FROM price_gaps(running, 'old') g) = (SELECT sum(g.rows) FROM price_gaps((SELECT rollup(b) FROM books o WHERE o.n <= s.n), 'old') g) AS same_report
FROM (SELECT n, rollup(b) OVER (ORDER BY n) AS running FROM books) s ORDER BY n;
SELECT bool_and(cell_count(running) = seen) AS as_counted FROM (SELECT n, pricebook(item, member_group, price) OVER (ORDER BY n) AS running FROM many WHERE n <= 300) s, LATERAL (SELECT count(DISTINCT item) AS seen FROM many m WHERE m.n <= s.n AND member_group IS NOT NULL AND price > 0) t WHERE n % 10 = 0;
SELECT n, cell_count(b) AS cells, frame = b AS same FROM (SELECT n, rollup(b) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND CURRENT ROW) AS frame, b FROM books) s ORDER BY n;
-- Comparison: DISTINCT, GROUP BY, sorting, hashing.
SELECT count(DISTINCT b), count(*) FROM (SELECT b FROM books UNION ALL SELECT pricebook(item, period, member_group, price, quantity ORDER BY price) FROM many GROUP BY n % 5) s;
SELECT count(*) FROM books x JOIN (SELECT pricebook(item, period, member_group, price, quantity ORDER BY n DESC) AS b FROM many GROUP BY n % 5) y USING (b);
SELECT count(*) FILTER (WHERE (a.b < b.b)::int + (a.b = b.b)::int + (a.b > b.b)::int <> 1) AS not_one, count(*) FILTER (WHERE (a.b <= b.b) <> (NOT a.b > b.b) OR (a.b >= b.b) <> (NOT a.b < b.b) OR (a.b <> b.b) <> (NOT a.b = b.b)) AS not_opposite,
	count(*) FILTER (WHERE sign(pricebook_summary_cmp(a.b, b.b)) <> -sign(pricebook_summary_cmp(b.b, a.b))) AS not_antisymmetric FROM books a, books b;

-- Members: rows and sums of logarithms by 32 folds of them. XXH64 of the key's bytes mod 32, as the package xxhash of Python has it, puts
-- 1 to 5 in folds 26, 0, 10, 8, 28, 'm1' to 'm5' in 28, 1, 29, 1, 12, and uuids that end in 1 to 5 in 7, 15, 13, 9, 15.
CREATE TABLE member_sale AS SELECT i.item, date '2026-01-01' + (i.item * m.member % 2)::int AS period, CASE WHEN m.member % 2 = 1 THEN 'x' ELSE 'y' END AS member_group, m.member, 'm' || m.member AS name, lpad(m.member::text, 32, '0')::uuid AS id,
	round(10 * exp(0.02 * (m.member % 2) + 0.3 * (m.member % 3) + 0.01 * (i.item * m.member % 7)), 2) AS price, 1 AS quantity FROM generate_series(1, 4::bigint) i(item), generate_series(1, 5::bigint) m(member), generate_series(1, 2);
-- Of one item and group a fold row has 21 bytes, u32 group, u8 fold, u32 rows, i96 sum. They are last.
WITH image AS (SELECT 'bigint' AS type, pricebook_summary_send(pricebook(1::bigint, 'x', price, member)) AS image FROM member_sale UNION ALL SELECT 'text', pricebook_summary_send(pricebook(1::bigint, 'x', price, name)) FROM member_sale UNION ALL SELECT 'uuid', pricebook_summary_send(pricebook(1::bigint, 'x', price, id)) FROM member_sale)
SELECT type, get_byte(image, 3) AS form, string_agg(get_byte(image, length(image) - 17 - 21 * i)::text, ' ' ORDER BY i DESC) AS folds, string_agg(get_byte(image, length(image) - 13 - 21 * i)::text, ' ' ORDER BY i DESC) AS rows FROM image, generate_series(0, CASE type WHEN 'bigint' THEN 4 ELSE 3 END) i GROUP BY type, image ORDER BY type;
-- The bytes of docs/storage-format.md: kind 7, version 1, bigint, form 2; 1 item, nothing skipped, item 7 in a column of width 0; one decimal, nothing skipped for its price
-- or quantity, a group of 1 byte; 1 row, of group 0, a price of 1, twice; no wide numbers; 1 fold row, of group 0, in the fold of 1, 2 rows, ln(1) = 0.
SELECT pricebook_summary_send(pricebook(7::bigint, 'x', p, 1::bigint)) =
	('\x07010102 00000001 0000000000000000 00 0000000000000007 01 0000000000000000 0000000000000000 00000001 00000001 78 00000001'
	'00000000 0000000000000100 00000002 00000000 00000001 00000000 1a 00000002 000000000000000000000000')::bytea AS as_specified FROM unnest('{1,1.0}'::numeric[]) p;
-- Members change what is known of the error, and nothing else.
SELECT bool_and((a.items, a.effective_items, a.cells, a.rows, a.reference_rows, a.compared_share, a.naive_gap_pct, a.mean_premium_pct, a.premium_pct, a.overcharge, a.overcharge_net) = (b.items, b.effective_items, b.cells, b.rows, b.reference_rows, b.compared_share, b.naive_gap_pct, b.mean_premium_pct, b.premium_pct, b.overcharge, b.overcharge_net)) AS same,
	bool_or(a.std_error <> b.std_error AND a.design_effect <> b.design_effect AND a.df <> b.df) AS other_error, bool_and(abs(a.z * sqrt(a.design_effect) - b.z * sqrt(b.design_effect)) < 1e-13) AS same_rank_z, count(*)
FROM (SELECT pricebook(item, period, member_group, price, quantity) AS p, pricebook(item, period, member_group, price, quantity, member) AS m, pricebook(item, member_group, price) AS q, pricebook(item, member_group, price, name) AS n FROM member_sale) s,
	LATERAL (VALUES (p, m), (q, n)) v(without, with_members), price_gaps(without, 'x') a, price_gaps(with_members, 'x') b;
SELECT bool_and((a.item, a.rows, a.mean, a.median, a.gap_pct, a.hedges_g, a.overcharge) = (b.item, b.rows, b.mean, b.median, b.gap_pct, b.hedges_g, b.overcharge)) AS same, bool_and(a.p_value <> b.p_value) AS other_p, count(*)
FROM (SELECT pricebook(item, member_group, price) AS p, pricebook(item, member_group, price, id) AS m FROM member_sale) s, price_gap_items(p, 'x') a JOIN LATERAL (SELECT * FROM price_gap_items(m, 'x')) b USING (item);
SELECT (SELECT string_agg(f::text, ' ') FROM price_gap_mix(m, 'x') f) = (SELECT string_agg(f::text, ' ') FROM price_gap_mix(p, 'x') f) AS mix, (SELECT string_agg(f::text, ' ') FROM fair_prices(m, 'x') f) = (SELECT string_agg(f::text, ' ') FROM fair_prices(p, 'x') f) AS fair_prices, cell_count(m) = cell_count(p) AS cells
FROM (SELECT pricebook(item, period, member_group, price, quantity) AS p, pricebook(item, period, member_group, price, quantity, member) AS m FROM member_sale) s;
-- A group that is one member, or whose members are all of one fold: what it pays may be that member's own level, so nothing is said of the error.
SELECT premium_pct IS NOT NULL AS premium, premium_pct_low, std_error, df, premium_p_value, design_effect, z, p_value, verdict FROM (SELECT pricebook(item, member_group, price, member) AS b FROM member_sale WHERE member IN (1, 2, 3, 5)) s, price_gaps(b, 'x');
SELECT item, p_value, q_value, is_flagged FROM (SELECT pricebook(item, member_group, price, member) AS b FROM member_sale WHERE member IN (1, 2, 3, 5)) s, price_gap_items(b, 'x') WHERE item = 1;
-- Without a member a row is skipped, because something is NULL.
SELECT rows_skipped(b) AS skipped, rows_skipped(b, 'null') AS "null", b = (SELECT pricebook(item, member_group, price, member) + (SELECT pricebook(item, member_group, price, NULL::bigint) FROM member_sale WHERE member = 1) FROM member_sale WHERE member <> 1) AS same
FROM (SELECT pricebook(item, member_group, price, nullif(member, 1)) AS b FROM member_sale) s;
-- Any order of rows, in parts, merged in any grouping, stored and reloaded: the same bytes; also of wide prices.
CREATE TABLE member_books AS SELECT n % 5 AS n, pricebook(item, period, member_group, price, quantity, n * 31 % 700) AS b, pricebook(item::text, member_group, price, 'm' || n % 40) AS p FROM many GROUP BY 1;
SELECT (SELECT rollup(b) FROM member_books) = whole AS rolled_up, (SELECT rollup(b ORDER BY n DESC) FROM member_books) = whole AS other_order,
	(SELECT b FROM member_books WHERE n = 0) + (SELECT rollup(b) FROM member_books WHERE n > 0) = whole AS plus,
	(SELECT pricebook(item, period, member_group, price, quantity, n * 31 % 700 ORDER BY price, quantity DESC, n) FROM many) = whole AS sorted, (SELECT pricebook(item, period, member_group, price, quantity, n * 31 % 700 ORDER BY n DESC) FROM many) = whole AS backwards,
	whole::text::pricebook_summary = whole AS text_round_trip, pricebook_summary_send(whole::text::pricebook_summary) = pricebook_summary_send((SELECT rollup(b) FROM member_books)) AS same_bytes, hostile.receive('pricebook_summary', pricebook_summary_send(whole)) = 'accepted: ' || whole::text AS binary_copy,
	pricebook_summary_hash(whole) = pricebook_summary_hash((SELECT rollup(b) FROM member_books)) AS hash, (SELECT b FROM member_books WHERE n = 1) = whole AS part_is_whole
FROM (SELECT pricebook(item, period, member_group, price, quantity, n * 31 % 700) AS whole FROM many) s;
SELECT (SELECT rollup(p) FROM member_books) = whole AS rolled_up, whole::text::pricebook_summary = whole AS text_round_trip FROM (SELECT pricebook(item::text, member_group, price, 'm' || n % 40) AS whole FROM many) s;
SELECT n, running = (SELECT rollup(b) FROM member_books o WHERE o.n <= s.n) AS same, (SELECT sum(g.std_error) FROM price_gaps(running, 'old') g) = (SELECT sum(g.std_error) FROM price_gaps((SELECT rollup(b) FROM member_books o WHERE o.n <= s.n), 'old') g) AS same_report
FROM (SELECT n, rollup(b) OVER (ORDER BY n) AS running FROM member_books) s ORDER BY n;
-- Books with members do not go with those without, nor do forms otherwise.
\set VERBOSITY default
SELECT pricebook(item, member_group, price) + pricebook(item, member_group, price, member) FROM member_sale;
SELECT pricebook(item, period, member_group, price, quantity, name) + pricebook(item, period, member_group, price, quantity) FROM member_sale;
SELECT pricebook(item, period, member_group, price, quantity, name) + pricebook(item, member_group, price, name) FROM member_sale;
SELECT rollup(b) FROM (SELECT pricebook(item, member_group, price) AS b FROM member_sale UNION ALL SELECT pricebook(item, member_group, price, id) FROM member_sale) s;

-- What would be found if it were chance who belongs to which group: the same at any time, for any order of the rows.
CREATE VIEW member_book AS SELECT rollup(b) AS book FROM member_books;
SELECT member_group, reference, draws_used, p.premium_pct = g.premium_pct AS premium_pct, abs(t - ln(1 + g.premium_pct / 100) / g.std_error) < 1e-10 AS t, placebo_premium_pct_sd > 0 AS sd, placebo_t_sd BETWEEN 0.5 AND 2 AS t_sd, p.p_value BETWEEN 1 / 201.0 AND 1 AS p
FROM member_book, price_placebo(book, 'old') p JOIN LATERAL (SELECT * FROM price_gaps(book, 'old')) g USING (member_group, reference);
SELECT p = q AS same, p = r AS other_seed, p = s AS fewer_draws, p = u AS among_reference FROM member_book, price_placebo(book, 'old') p, price_placebo(book, 'old', 200, 'both', 0) q, price_placebo(book, 'old', seed => 1) r, price_placebo(book, 'old', 199) s, price_placebo(book, 'old', among => 'reference') u
WHERE (p.member_group, q.member_group, r.member_group, s.member_group, u.member_group) = ('new', 'new', 'new', 'new', 'new');
SELECT p = q AS same FROM member_book, price_placebo(book, 'old') p, price_placebo((SELECT pricebook(item, period, member_group, price, quantity, n * 31 % 700 ORDER BY price) FROM many), 'old') q WHERE p.member_group = q.member_group;
-- p is a share of the deals and of the real one, so not below 1 / (draws + 1).
SELECT count(*) FILTER (WHERE abs(p_value * (draws_used + 1) - round(p_value * (draws_used + 1))) > 1e-9) AS not_shares, min(draws_used) AS draws FROM member_book, generate_series(2, 30) n, price_placebo(book, 'new', n) p;
-- Nothing to deal: no cells, one fold, one group, no rows.
SELECT p.* FROM (SELECT pricebook(item, member_group, price, member) AS b FROM member_sale WHERE item = CASE member_group WHEN 'x' THEN 1 ELSE 2 END) s, price_placebo(b, 'x') p;
SELECT p.member_group, draws_used, premium_pct IS NOT NULL AS premium, t, placebo_premium_pct_sd, placebo_t_sd, p_value FROM (SELECT pricebook(item, member_group, price, 1::bigint) AS b FROM member_sale) s, price_placebo(b, 'x') p;
SELECT count(*) FROM (SELECT pricebook(item, 'x', price, member) AS b FROM member_sale) s, price_placebo(b, 'x') p;
SELECT count(*) FROM price_placebo(NULL);
SELECT price_placebo(book, '0') FROM example;
SELECT price_placebo(book, 'nobody') FROM member_book;
SELECT price_placebo(book) FROM member_book;
SELECT price_placebo(book, 'old', 1) FROM member_book;
SELECT price_placebo(book, 'old', 100001) FROM member_book;
SELECT price_placebo(book, 'old', NULL) FROM member_book;
SELECT price_placebo(book, 'old', among => 'all') FROM member_book;
SELECT price_placebo(book, 'old', among => NULL) FROM member_book;
SELECT price_placebo(book, 'old', seed => NULL) FROM member_book;
\set VERBOSITY terse

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT book::text FROM example)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'pricebook_summary', 'pricebook_summary:', ':', 'rfm_book:', 'pricebook_summary: ', 'pricebook_summary:=', 'pricebook_summary:====', 'pricebook_summary:AAAA', 'pricebook_summary:%%%%', '{}', 'null', '0', 'PRICEBOOK_SUMMARY:BwEBAA==', 'v1 items=1',
	'pricebook_summary:BwEB', 'pricebook_summary:BwEBAA==', 'pricebook_summary:BwEBAAAAAAAAAAAAAAAAAA==', 'pricebook_summary:BwEBAP////8AAAAAAAAAAA==', 'price_slope_summary:BwEBAA==', 'rfm_book:AwEBAAAAAAAAAAAAAAAAAAAAAAAAAAAA'])
UNION ALL SELECT replace(v, 'pricebook_summary:', x) FROM valid, unnest(ARRAY['', 'pricebook_summary', 'rfm_book:', 'price_slope_summary:', ' pricebook_summary:', 'pricebook_summary: ']) x
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(20, 50, 10) n;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type pricebook_summary: "%') AS refused
FROM (SELECT hostile.error_of(format('SELECT %L::pricebook_summary', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::pricebook_summary', literal)) IS NULL;
\set VERBOSITY default
SELECT 'pricebook_summary:BwEBAAAAAAAAAAAAAAAAAA=='::pricebook_summary;
\set VERBOSITY terse
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''pricebook_summary'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images, of every form; whatever is accepted must be harmless.
CREATE TABLE valid_images AS
SELECT row_number() OVER () AS id, image
FROM (SELECT pricebook_summary_send(book) AS image FROM (SELECT pricebook(item, period, member_group, price, quantity) AS book FROM sale WHERE item = 'a') s
	  UNION ALL SELECT pricebook_summary_send(pricebook(item, member_group, price)) FROM sale WHERE item = 'c'
	  UNION ALL SELECT pricebook_summary_send(pricebook(1::bigint, '2026-01-01', member_group, price, quantity)) FROM wide WHERE price < 13
	  UNION ALL SELECT pricebook_summary_send(pricebook(n, 'group ' || n % 2, n * 1e17 + 0.5)) FROM generate_series(1, 3) n
	  UNION ALL SELECT pricebook_summary_send(book) FROM empty
	  UNION ALL SELECT pricebook_summary_send(pricebook(item, period, member_group, price, quantity, ascii(item)::bigint)) FROM sale WHERE item = 'a'
	  UNION ALL SELECT pricebook_summary_send(pricebook(n, 'group ' || n % 2, n * 1e17 + 0.5, 'member ' || n)) FROM generate_series(1, 3) n) s;
-- What folds cannot be. The row of a fold has its group at 75, itself at 79, its rows at 80 and the sum of their logarithms at 84.
CREATE TABLE fold_image AS SELECT pricebook_summary_send(pricebook('a'::text, 'x', 10, 7::bigint)) AS image;
SELECT what, hostile.receive('pricebook_summary', forged) AS answer
FROM fold_image, LATERAL (VALUES ('fold 32', set_byte(image, 79, 32)), ('fold 255', set_byte(image, 79, 255)), ('a group that is none', set_byte(image, 78, 1)), ('no rows', set_byte(image, 83, 0)), ('a row too many', set_byte(image, 83, 2)),
	('a price more often than members', set_byte(image, 66, 2)), ('a sum too large', set_byte(image, 84, 127)), ('too small', set_byte(image, 84, 128)), ('just too large', overlay(image PLACING '\x000000000800000000000001'::bytea FROM 85)), ('as large as can be', overlay(image PLACING '\x000000000800000000000000'::bytea FROM 85)), ('as small as can be', overlay(image PLACING '\xfffffffff800000000000000'::bytea FROM 85)), ('just too small', overlay(image PLACING '\xfffffffff7ffffffffffffff'::bytea FROM 85)),
	('no fold', overlay(substr(image, 1, 75) PLACING '\x00' FROM 75)), ('a fold twice', set_byte(image, 74, 2) || substr(image, 76)), ('two folds of a row each', set_byte(set_byte(image, 74, 2), 66, 2) || set_byte(substr(image, 76), 4, 31)),
	('folds that do not ascend', set_byte(set_byte(image, 74, 2), 66, 2) || set_byte(substr(image, 76), 4, 0)), ('folds that nobody counted', image || substr(image, 76)), ('truncated', substr(image, 1, 95)), ('without members', set_byte(image, 3, 0)), ('with periods', set_byte(image, 3, 3)), ('form 4', set_byte(image, 3, 4))) v(what, forged);
CREATE TABLE images (image bytea, answer text);
-- One statement for each, because every image takes locks.
SELECT format('INSERT INTO images SELECT m, hostile.receive(''pricebook_summary'', m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT count(*) > 2000 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary pricebook_summary is not valid: %') > 1500 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary pricebook_summary is not valid: %' AND answer NOT LIKE 'accepted: pricebook_summary:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND pricebook_summary_send(substr(answer, 11)::pricebook_summary) <> image;
SELECT count(*) > 100 AS accepted, count(DISTINCT left(e, 5)) FILTER (WHERE left(e, 5) NOT IN ('42804', '22003', '22023', '54000')) AS surprises
FROM images, unnest(ARRAY['0', 'x', 'group 1']) r, LATERAL (SELECT hostile.error_of(format('SELECT cell_count(b), rows_skipped(b), (SELECT count(*) FROM price_gaps(b, %2$L)), (SELECT count(*) FROM price_gap_mix(b, %2$L)), b + b = b + b FROM (SELECT %1$L::pricebook_summary AS b) s', substr(answer, 11), r)) AS e
	UNION ALL SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM price_gap_items(NULL::bigint, b, %2$L)), (SELECT count(*) FROM fair_prices(NULL::bigint, b, %2$L)) FROM (SELECT %1$L::pricebook_summary AS b) s', substr(answer, 11), r))
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM price_placebo(%1$L::pricebook_summary, %2$L, 3)', substr(answer, 11), r))
	UNION ALL SELECT hostile.error_of(format('SELECT (SELECT count(*) FROM price_gap_items(b, %2$L)), (SELECT count(*) FROM fair_prices(b, %2$L)) FROM (SELECT %1$L::pricebook_summary AS b) s', substr(answer, 11), r))) o
WHERE answer LIKE 'accepted%';

-- Items whose price doubled, bought early by one group and late by the other: their
-- means say dearer, and each week says cheaper.  Nobody is accused.
SELECT gap_pct, q_value < 1e-20 AS q, overcharge, is_flagged, z < 0 AS z, round(premium_pct::numeric, 9) AS premium, verdict
FROM (SELECT pricebook(item, week, member_group, price, 1) AS b
	FROM (VALUES (date '2026-01-05', 'x', 10.0, 40), ('2026-01-05', 'y', 9.5, 10), ('2026-01-12', 'x', 20, 10), ('2026-01-12', 'y', 19, 40)) v(week, member_group, price, n), generate_series(1, n), generate_series(1, 3) item) s,
	price_gap_items(NULL::bigint, b, 'x') i, LATERAL (SELECT z, premium_pct, verdict FROM price_gaps(b, 'x')) g;
-- Ranks say cheaper, the mean of logarithms says dearer: neither unfair nor favoured.
SELECT z < -7 AS z, premium_pct > 10 AS premium, p_value < 1e-8 AS p, premium_p_value < 1e-3 AS premium_p, verdict
FROM (SELECT pricebook(item, member_group, price) AS b FROM (VALUES ('x', 10, 50), ('y', 9.9, 45), ('y', 30, 5)) v(member_group, price, n), generate_series(1, n), generate_series(1, 10) item) s, price_gaps(b, 'x');
