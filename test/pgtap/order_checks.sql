-- Checks of tables of orders against plain SQL: every check is computed once more, by a
-- statement of its own that knows nothing of how custmart does it, on generated rows
-- and on public data; and every filter leaves out exactly the rows of its check.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/products.csv.gz" && echo 1 || echo 0`
\set have_cdnow `test -r "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL client_min_messages = warning;

SELECT plan(47);

CREATE TEMP TABLE sale (member text, order_id text, item text, at timestamptz, quantity numeric, price numeric, currency text);

-- Blanks at the ends and the case of ASCII letters do not matter.
CREATE FUNCTION pg_temp.fold(id text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT lower(btrim(id, E' \t\n\x0b\f\r') COLLATE "C")
$$;
CREATE FUNCTION pg_temp.is_nobody(member text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT member IS NULL OR pg_temp.fold(member) IN ('', '0', '-1', 'guest', 'unknown', 'n/a', 'null', 'test', 'anonymous')
$$;
CREATE FUNCTION pg_temp.is_placeholder(at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT NOT isfinite(at) OR (at AT TIME ZONE 'UTC')::date = '1970-01-01' OR extract(year FROM at AT TIME ZONE 'UTC') IN (1, 1753, 1899, 1900, 2038, 9999)
$$;

-- Each check, one statement after the other: rows, money, members.
CREATE FUNCTION pg_temp.plain(as_of timestamptz) RETURNS TABLE (check_name text, rows bigint, amount numeric, members bigint) LANGUAGE plpgsql AS $$
DECLARE
	all_rows bigint := (SELECT count(*) FROM sale);
	all_orders bigint := (SELECT count(DISTINCT order_id) + count(DISTINCT ROW(member, at)) FILTER (WHERE order_id IS NULL) FROM sale);
BEGIN
	RETURN QUERY SELECT 'no_member', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE pg_temp.is_nobody(member);

	RETURN QUERY WITH orders AS (
		SELECT member, count(DISTINCT order_id) + count(DISTINCT at) FILTER (WHERE order_id IS NULL) + (bool_or(order_id IS NULL AND at IS NULL))::int AS n
		FROM sale WHERE NOT pg_temp.is_nobody(member) GROUP BY 1),
	ranked AS (SELECT member, n, row_number() OVER w AS place, lead(n) OVER w AS second FROM orders WINDOW w AS (ORDER BY n DESC))
	SELECT 'dominant_member', count(s.*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT s.member)
	FROM ranked r JOIN sale s USING (member) WHERE place = 1 AND n >= 0.05 * all_orders AND n >= 10 * second;

	RETURN QUERY SELECT 'duplicate_row', coalesce(sum(n - 1), 0)::bigint, coalesce(sum((n - 1) * money), 0), count(DISTINCT member)
	FROM (SELECT s.member, count(*) AS n, s.quantity * s.price AS money FROM sale s GROUP BY s.member, s.order_id, s.item, s.at, s.quantity, s.price, s.currency HAVING count(*) > 1) d;

	RETURN QUERY SELECT 'order_two_members', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE order_id IN (SELECT order_id FROM sale GROUP BY 1 HAVING count(DISTINCT member) > 1);
	RETURN QUERY SELECT 'order_two_times', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE order_id IN (SELECT order_id FROM sale GROUP BY 1 HAVING count(DISTINCT at) > 1);

	RETURN QUERY SELECT 'after_as_of', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE at > as_of AND NOT pg_temp.is_placeholder(at);
	RETURN QUERY SELECT 'placeholder_date', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE pg_temp.is_placeholder(at);

	-- The ten neighbours by window functions.
	RETURN QUERY WITH ordered AS (
		SELECT order_id, min(at AT TIME ZONE 'UTC') FILTER (WHERE NOT pg_temp.is_placeholder(at)) AS t, substring(order_id FROM '[0-9]+$') AS digits
		FROM sale WHERE order_id IS NOT NULL GROUP BY 1),
	numbered AS (
		SELECT *, count(*) OVER (PARTITION BY left(order_id, -length(digits)), length(digits)) AS orders
		FROM ordered WHERE length(digits) <= 18 AND t IS NOT NULL),
	series AS (
		SELECT order_id, t, ARRAY[lag(t, 5) OVER w, lag(t, 4) OVER w, lag(t, 3) OVER w, lag(t, 2) OVER w, lag(t) OVER w,
			lead(t) OVER w, lead(t, 2) OVER w, lead(t, 3) OVER w, lead(t, 4) OVER w, lead(t, 5) OVER w] AS neighbours
		FROM numbered WHERE orders >= 11 AND orders >= 0.01 * all_orders
		WINDOW w AS (PARTITION BY left(order_id, -length(digits)), length(digits) ORDER BY digits::numeric)),
	judged AS (
		SELECT order_id, t, median, abs(extract(epoch FROM t - median)) > 10 * 86400 AS is_far,
			extract(day FROM t) <= 12 AND abs(extract(epoch FROM make_timestamp(extract(year FROM t)::int, least(extract(day FROM t), 12)::int, extract(month FROM t)::int, 0, 0, 0) + t::time - median)) <= 2 * 86400 AS is_near
		FROM series, LATERAL (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS median FROM unnest(neighbours) n WHERE n IS NOT NULL) m)
	SELECT 'day_month_swap', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE order_id IN (SELECT order_id FROM judged WHERE is_far AND is_near) AND (SELECT count(*) * 2 >= all_orders AND avg(is_far::int) <= 0.15 FROM judged);

	RETURN QUERY WITH days AS (SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM sale WHERE NOT pg_temp.is_placeholder(at))
	SELECT 'gap', count(*), NULL::numeric, NULL::bigint FROM generate_series((SELECT min(day) FROM days), (SELECT max(day) FROM days), interval '1 day') g
	WHERE g::date NOT IN (SELECT day FROM days) AND extract(dow FROM g) IN (SELECT extract(dow FROM day) FROM days);

	RETURN QUERY SELECT 'negative_price', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE price < 0;
	RETURN QUERY SELECT 'zero_price', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE price = 0;

	-- A logarithm for each sale; then the median, then the median of what differs from it.
	CREATE TEMP TABLE usual ON COMMIT DROP AS
	WITH sold AS (SELECT s.item, ln(s.price::float8) AS x FROM sale s WHERE s.price > 0 AND s.quantity > 0),
	middle AS (SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS m, count(*) AS n FROM sold WHERE item IS NOT NULL GROUP BY 1)
	SELECT item, m, n, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(x - m)) AS mad, avg(abs(x - m)) AS mean FROM sold JOIN middle USING (item) GROUP BY 1, 2, 3;
	CREATE TEMP TABLE unusual ON COMMIT DROP AS
	SELECT s.quantity * s.price AS money, s.member, s.price::float8 / exp(m) AS ratio FROM sale s JOIN usual u USING (item)
	WHERE s.price > 0 AND s.quantity > 0 AND n >= 10 AND CASE WHEN mad > 0 THEN 0.67449 * abs(ln(s.price::float8) - m) / mad WHEN mean > 0 THEN abs(ln(s.price::float8) - m) / (1.25331 * mean) ELSE 0 END > 3.5;
	RETURN QUERY SELECT 'price_outlier', count(*), coalesce(sum(money), 0), count(DISTINCT member) FROM unusual WHERE abs(ln(ratio)) >= ln(10.0::float8) - 1e-9;
	RETURN QUERY SELECT 'decimal_slip', count(*), coalesce(sum(money), 0), count(DISTINCT member) FROM unusual
	WHERE EXISTS (SELECT FROM generate_series(1, 3) k WHERE abs(ratio / 10.0::float8 ^ k::float8 - 1) <= 0.005 OR abs(ratio * 10.0::float8 ^ k::float8 - 1) <= 0.005);

	RETURN QUERY WITH usual_quantity AS (
		SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.quantity::float8) AS m, count(*) AS n FROM sale s WHERE s.price > 0 AND s.quantity > 0 GROUP BY 1),
	usual_of_all AS (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s.quantity::float8) AS m FROM sale s WHERE s.price > 0 AND s.quantity > 0)
	SELECT 'huge_reversal', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT s.member)
	FROM sale s JOIN usual_quantity u USING (item), usual_of_all a
	WHERE s.price > 0 AND s.quantity >= 100 * CASE WHEN n >= 10 THEN u.m ELSE a.m END AND NOT pg_temp.is_nobody(s.member)
	  AND EXISTS (SELECT FROM sale r WHERE r.item = s.item AND r.member = s.member AND r.price = s.price AND r.quantity = -s.quantity AND r.at > s.at);

	RETURN QUERY SELECT 'refund', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s WHERE quantity < 0;
	RETURN QUERY SELECT 'item_variant', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE pg_temp.fold(item) IN (SELECT pg_temp.fold(item) FROM sale GROUP BY 1 HAVING count(DISTINCT item COLLATE "C") > 1);
	RETURN QUERY SELECT 'member_variant', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE pg_temp.fold(member) IN (SELECT pg_temp.fold(member) FROM sale GROUP BY 1 HAVING count(DISTINCT member COLLATE "C") > 1);
	RETURN QUERY SELECT 'rare_item_shape', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE translate(item, '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', '9999999999' || repeat('A', 52)) IN (
		SELECT translate(item, '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', '9999999999' || repeat('A', 52)) FROM sale GROUP BY 1 HAVING count(*) < 0.01 * all_rows);
	RETURN QUERY SELECT 'scientific_id', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE EXISTS (SELECT FROM unnest(ARRAY[member, order_id, item]) id WHERE id ~ '^\d(\.\d+)?[eE]\+\d+$');
	RETURN QUERY SELECT 'test_row', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE EXISTS (SELECT FROM unnest(ARRAY[member, order_id, item]) id, unnest(regexp_split_to_array(lower(id COLLATE "C"), '[^a-z]+')) word WHERE word IN ('test', 'dummy'));
	RETURN QUERY SELECT 'mixed_currency', count(*), coalesce(sum(s.quantity * s.price), 0), count(DISTINCT member) FROM sale s
	WHERE currency <> (SELECT currency FROM sale WHERE currency IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, currency COLLATE "C" LIMIT 1);
	DROP TABLE usual, unusual;
END $$;

CREATE TEMP TABLE found (check_name text, severity text, rows bigint, share float8, amount numeric, amount_share float8, members bigint, example text, effect text, filter text);

CREATE TEMP TABLE seen (check_name text);

-- What custmart says of the rows in sale, kept in `found`.
CREATE FUNCTION pg_temp.find(as_of timestamptz DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	TRUNCATE found;
	INSERT INTO found SELECT (order_checks(check_book(member, order_id, item, at, quantity, price, currency), as_of, columns => '{member,order_id,item,at,quantity,price,currency}')).* FROM sale;
	INSERT INTO seen SELECT check_name FROM found WHERE rows > 0;
$$;

-- Three tests: all figures, all filters, all examples.
CREATE FUNCTION pg_temp.same(what text, as_of timestamptz DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	f found;
	n bigint;
	wrong text := '';
BEGIN
	PERFORM pg_temp.find(as_of);
	RETURN NEXT is((SELECT string_agg(concat_ws(' ', c.check_name, c.rows, trim_scale(c.amount), c.members), E'\n' ORDER BY c.check_name) FROM found c),
		(SELECT string_agg(concat_ws(' ', p.check_name, p.rows, trim_scale(p.amount), p.members), E'\n' ORDER BY p.check_name) FROM pg_temp.plain(as_of) p),
		what || ': every check as in plain SQL');
	FOR f IN SELECT * FROM found WHERE filter IS NOT NULL LOOP
		EXECUTE format('SELECT count(*) FROM (SELECT (%s) AS keep FROM sale) s WHERE keep IS NOT TRUE', f.filter) INTO n;
		IF n <> f.rows THEN
			wrong := wrong || format('%s: %s rows, of which the filter leaves out %s; ', f.check_name, f.rows, n);
		END IF;
	END LOOP;
	RETURN NEXT is(wrong, '', what || ': every filter leaves out the rows of its check');
	RETURN NEXT ok((SELECT bool_and(example IS NULL OR check_name = 'gap' OR example IN (SELECT order_id FROM sale)) AND
			bool_and((severity = 'ok') <= (rows = 0)) AND
			bool_and(check_name = 'gap' OR share = rows::float8 / (SELECT count(*) FROM sale)) AND
			bool_and(amount_share IS NULL OR abs(amount_share - (amount / (SELECT sum(s.quantity * s.price) FROM sale s))::float8) < 1e-12) FROM found), what || ': examples and shares');
END $$;

-- Generated tables: everything in them is in some rows wrong, in different proportions.
CREATE FUNCTION pg_temp.generate(seed int, n int, faults int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE sale;
	INSERT INTO sale
	SELECT CASE WHEN f = 0 THEN NULL WHEN f = 1 THEN (ARRAY['', ' ', '0', 'guest', ' Guest', 'N/A', '-1'])[1 + abs(h) % 7] WHEN f = 2 THEN ' M' || abs(h) % 40 WHEN f = 3 THEN '1e+0' || abs(h) % 3 ELSE 'm' || abs(h) % 50 END,
		CASE WHEN f = 4 THEN NULL WHEN f = 5 THEN 'TEST-' || i / 3 WHEN f = 6 THEN '1.5E+10' WHEN f = 7 THEN '' ELSE 'A' || 100000 + i / 3 END,
		CASE WHEN f = 8 THEN NULL WHEN f = 9 THEN 'POST' WHEN f = 10 THEN 'i1' || abs(h) % 3 || ' ' WHEN f = 11 THEN 'DUMMY' ELSE 'I' || 10 + abs(h) % 12 END,
		CASE WHEN f = 12 THEN NULL WHEN f = 13 THEN (ARRAY['infinity', '-infinity', '1970-01-01 12:00Z', '1900-01-01 00:00Z', '9999-12-31 23:59:59Z'])[1 + abs(h) % 5]::timestamptz
			WHEN f = 14 THEN timestamptz '2026-01-01Z' + i * interval '97 minutes' ELSE timestamptz '2026-01-01Z' + (i - i % 3) * interval '97 minutes' END,
		CASE WHEN f = 15 THEN NULL WHEN f = 16 THEN -1 - abs(h) % 2 WHEN f = 17 THEN 500 WHEN f = 18 THEN -500 WHEN f = 19 THEN 0 ELSE 1 + abs(h) % 3 END,
		CASE WHEN f = 20 THEN NULL WHEN f = 21 THEN -1 WHEN f = 22 THEN 0 WHEN f = 23 THEN (10 + abs(h) % 12) * 10 WHEN f = 24 THEN (10 + abs(h) % 12) * 0.01 WHEN f = 25 THEN 777.77
			WHEN f IN (17, 18) THEN 8 ELSE 10 + abs(h) % 12 - CASE WHEN abs(h) % 5 = 0 THEN 0.5 ELSE 0.00 END END,
		CASE WHEN f = 26 THEN NULL WHEN f = 27 THEN 'USD' ELSE 'EUR' END
	FROM generate_series(1, n) i, LATERAL (SELECT hashint4extended(i, seed)::bigint % 1000000007 AS h, abs(hashint4extended(i, seed + 1) % faults) AS f) x;
	-- Some rows twice; some orders with day and month exchanged; a day without orders.
	INSERT INTO sale SELECT * FROM sale WHERE abs(hashtextextended(sale::text, seed)) % 11 = 0;
	UPDATE sale SET at = make_timestamptz(2026, 1, extract(month FROM at AT TIME ZONE 'UTC')::int, 10, 0, 0, 'UTC') WHERE order_id IN (SELECT order_id FROM sale WHERE at BETWEEN '2026-03-31Z' AND '2026-12-02Z' AND extract(day FROM at AT TIME ZONE 'UTC') = 1 AND order_id LIKE 'A%' ORDER BY order_id COLLATE "C" LIMIT seed);
	DELETE FROM sale WHERE (at AT TIME ZONE 'UTC')::date = '2026-03-11' AND seed = 3;
$$;
SELECT pg_temp.generate(1, 3000, 60);
SELECT pg_temp.same('a tenth of all rows wrong in 28 ways', '2026-06-01Z');
SELECT pg_temp.generate(2, 3000, 28);
SELECT pg_temp.same('all rows wrong', '2026-06-01Z');
SELECT pg_temp.generate(3, 20000, 5000);
SELECT pg_temp.same('few rows wrong');
SELECT pg_temp.generate(4, 200, 200);
SELECT pg_temp.same('few rows', '2026-01-02Z');
SELECT pg_temp.generate(5, 12, 9);
SELECT pg_temp.same('hardly any rows');
-- Orders of one member, of 20 that have fewer, of nobody.
TRUNCATE sale;
INSERT INTO sale SELECT CASE WHEN i % 4 = 0 THEN NULL WHEN i % 4 = 1 THEN 'm' || i % 80 ELSE 'guest 7' END, i || '', 'x', timestamptz '2026-01-01Z' + i * interval '1 hour', 1, 1 FROM generate_series(1, 400) i;
SELECT pg_temp.same('a dominant member');
SELECT is((SELECT rows FROM found WHERE check_name = 'dominant_member'), 200::bigint, 'which has half of all orders');

SELECT is((SELECT string_agg(check_name, ', ' ORDER BY check_name) FROM found WHERE check_name NOT IN (SELECT check_name FROM seen)), NULL, 'every check has found something in some of these tables');

-- Online Retail: what is known of it.
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity int, at timestamp, price numeric, customer text, country text);
\copy retail FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' WITH (FORMAT csv, HEADER)
TRUNCATE sale;
INSERT INTO sale SELECT customer, invoice, stock_code, at AT TIME ZONE 'UTC', quantity, price FROM retail;
SELECT pg_temp.same('Online Retail');
SELECT results_eq('SELECT check_name, severity, rows, amount FROM found WHERE rows > 0', $$VALUES
	('no_member', 'error', 135080::bigint, 1447682.12), ('duplicate_row', 'warning', 5270, 22292.83), ('order_two_times', 'warning', 3347, 62711.76), ('gap', 'warning', 16, NULL),
	('negative_price', 'error', 2, -22124.12), ('zero_price', 'warning', 2515, 0), ('price_outlier', 'warning', 230, 89727.781), ('decimal_slip', 'warning', 27, 2208),
	('huge_reversal', 'warning', 30, 284747.39), ('refund', 'info', 10624, -896812.49), ('item_variant', 'warning', 22833, 391425.94), ('rare_item_shape', 'warning', 3385, -28299.276)$$, 'Online Retail: what is wrong in it');
SELECT is((SELECT effect FROM found WHERE check_name = 'no_member'), 'As one member they would have 3710 orders, 15.0 times as many as the member with most.', 'rows without a customer');
SELECT is((SELECT concat_ws('; ', effect) FROM found WHERE check_name = 'order_two_times'), '43 orders have several times: counted by time they are 86.', 'orders with two times');
SELECT is((SELECT effect FROM found WHERE check_name = 'day_month_swap'), 'Of 25897 orders with a number, 0 lie far from their neighbours, and next to them with day and month exchanged.', 'no day was exchanged with a month');
SELECT is((SELECT example FROM found WHERE check_name = 'gap'), '2010-12-24 to 2011-01-03', 'the longest gap');
SELECT is((SELECT example || ' ' || members FROM found WHERE check_name = 'huge_reversal'), '581483 16', '80,995 of 23843, given back after a quarter of an hour');
SELECT is((SELECT effect FROM found WHERE check_name = 'item_variant'), 'They count as 224 items instead of 112.', 'stock codes in two cases');
-- All columns of the file: 5,268 rows are surplus, in 4,879 groups.
SELECT is((SELECT concat_ws(' ', rows, amount, left(effect, 4)) FROM order_checks((SELECT check_book(customer, invoice, concat_ws('|', stock_code, description), at, quantity, price, country) FROM retail)) WHERE check_name = 'duplicate_row'),
	'5268 21740.980 4879', 'with description and country two rows less are equal');
-- Guests under one number: their 3,710 orders are found as what they are.
SELECT is((SELECT string_agg(concat_ws(' ', check_name, rows), ', ') FROM order_checks((SELECT check_book(coalesce(customer, '0'), invoice, stock_code, at, quantity, price) FROM retail)) WHERE check_name IN ('no_member', 'dominant_member')), 'no_member 135080, dominant_member 0', 'guests as member 0');
SELECT is((SELECT string_agg(concat_ws(' ', check_name, rows), ', ') FROM order_checks((SELECT check_book(coalesce(customer, '99999'), invoice, stock_code, at, quantity, price) FROM retail)) WHERE check_name IN ('no_member', 'dominant_member')), 'no_member 0, dominant_member 135080', 'guests as member 99999');
-- Day and month exchanged in every 20th, 5th and 2nd order.
CREATE TEMP TABLE swapped AS
SELECT invoice, at, n, CASE WHEN extract(day FROM at) <= 12 AND extract(day FROM at) <> extract(month FROM at) THEN make_timestamp(extract(year FROM at)::int, extract(day FROM at)::int, extract(month FROM at)::int, 0, 0, 0) + at::time END AS other
FROM (SELECT invoice, min(at) AS at, row_number() OVER (ORDER BY invoice COLLATE "C") AS n FROM retail GROUP BY 1) o;
CREATE FUNCTION pg_temp.exchange(every int) RETURNS TABLE (found bigint, effect text) LANGUAGE sql AS $$
	SELECT c.rows, c.effect FROM order_checks((SELECT check_book(NULL, invoice, NULL, CASE WHEN n % every = 0 THEN coalesce(other, at) ELSE at END, 1, 1) FROM swapped)) c WHERE check_name = 'day_month_swap'
$$;
CREATE FUNCTION pg_temp.injected(every int) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM swapped WHERE n % every = 0 AND other IS NOT NULL AND abs(extract(epoch FROM other - at)) > 12 * 86400
$$;
SELECT ok(found BETWEEN pg_temp.injected(20) - 2 AND pg_temp.injected(20) + 2, format('exchanged in every 20th order: %s found of %s', found, pg_temp.injected(20))) FROM pg_temp.exchange(20);
SELECT ok(found BETWEEN pg_temp.injected(5) - 5 AND pg_temp.injected(5) + 5, format('exchanged in every 5th order: %s found of %s', found, pg_temp.injected(5))) FROM pg_temp.exchange(5);
SELECT ok(found = 0 AND effect LIKE 'Cannot tell: %', 'exchanged in every 2nd order: cannot tell') FROM pg_temp.exchange(2);
\else
SELECT skip('$CUSTMART_SHARED/data/online_retail is not there', 16);
\endif

-- The Complete Journey: ids that a spreadsheet has rounded.
\if :have_journey
CREATE TEMP TABLE line (household_id text, store_id text, basket_id text, product_id text, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamp);
\copy line FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE product (product_id text, a text, b text, c text, d text, e text, f text);
\copy product FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/completejourney/products.csv.gz"' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE coupon (a text, b text, c text);
\copy coupon FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/completejourney/coupons.csv.gz"' WITH (FORMAT csv, HEADER)
TRUNCATE sale;
INSERT INTO sale SELECT household_id, basket_id, product_id, at AT TIME ZONE 'UTC', quantity, round(sales_value / nullif(quantity, 0), 4) FROM line;
SELECT pg_temp.same('The Complete Journey');
SELECT is((SELECT rows || ' ' || example FROM found WHERE check_name = 'scientific_id'), '1 4.0128e+10', 'a basket of it');
SELECT is((SELECT c.rows FROM order_checks((SELECT check_book(NULL, NULL, product_id, NULL::timestamp, 1, 1) FROM product)) c WHERE check_name = 'scientific_id'), 1::bigint, 'a product of it');
SELECT is((SELECT c.rows FROM order_checks((SELECT check_book(a, b, c, NULL::timestamp, 1, 1) FROM coupon)) c WHERE check_name = 'scientific_id'), 2::bigint, 'two coupons of it');
\else
SELECT skip('$CUSTMART_SHARED/data/completejourney is not there', 6);
\endif

-- CDNOW: orders without an id.
\if :have_cdnow
CREATE TEMP TABLE cd (text text);
\copy cd FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz" | tr -d "\r" | tail -n +2'
TRUNCATE sale;
INSERT INTO sale SELECT w[1], NULL, w[3], w[2]::timestamp AT TIME ZONE 'UTC', 1, w[4]::numeric FROM (SELECT regexp_split_to_array(btrim(text), ' +') AS w FROM cd WHERE text ~ '[0-9]') s;
SELECT pg_temp.same('CDNOW');
SELECT is((SELECT count(*) FROM sale), 69659::bigint, 'all of it');
SELECT is((SELECT concat_ws(' ', rows, amount) FROM found WHERE check_name = 'duplicate_row'), '255 4332.88', 'rows that are there twice');
\else
SELECT skip('$CUSTMART_SHARED/data/cdnow is not there', 5);
\endif

SELECT * FROM finish();
ROLLBACK;
