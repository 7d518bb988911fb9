-- A shop of 20,000 members and two years of orders, with planted facts.
--
-- Everything follows from dice(), and dice() from md5: the shop is the same, to
-- the cent, on every machine and every PostgreSQL version.
--
-- What an analyst has:  members, items, orders, order_lines, app_events, book_orders, offers_sent, mail_log, cafe_lines.
-- What only we know:    kinds, truth, book_truth, planted_offers, planted_letters.  shop_report compares the two.

-- Compiling these queries would take longer than running them.
SET jit = off;

-- A throw of a die with this number of sides, 0 .. sides - 1, determined by its name.
CREATE FUNCTION dice(sides int, name text) RETURNS int
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN ('x' || left(md5(name), 7))::bit(28)::int % sides;

CREATE FUNCTION pick(range int4range, name text) RETURNS int
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN lower(range) + dice(upper(range) - lower(range), name);

-- Planted: kinds of members, each with the segments where RFM should find them.
-- Days count from 2024-01-01; the last is day 730, 2025-12-31.
CREATE TABLE kinds (
	kind text PRIMARY KEY,
	per_mille int,        -- of all members
	joins int4range,      -- the day of the first order
	gap int4range,        -- days from one order to the next
	at_most int4range,    -- number of orders
	until int4range,      -- and none after this day
	expected text[]
);
INSERT INTO kinds VALUES
	('regular', 150, '[0,660]', '[15,30]', '[99,99]', '[730,730]', '{Champions,Loyal}'),
	('steady', 200, '[0,600]', '[45,75]', '[99,99]', '[730,730]',
		'{Champions,Loyal,Need Attention,Potential Loyalist}'),
	('newcomer', 100, '[655,728]', '[20,30]', '[1,2]', '[730,730]',
		'{New Customers,Promising,Potential Loyalist}'),
	('occasional', 200, '[150,640]', '[80,140]', '[2,4]', '[730,730]',
		'{Potential Loyalist,About To Sleep,Hibernating,Need Attention}'),
	('one-timer', 197, '[60,640]', '[99,99]', '[1,1]', '[730,730]',
		'{Lost,Hibernating,About To Sleep}'),
	('lapsed', 150, '[0,250]', '[20,35]', '[99,99]', '[380,560]', '{At Risk,Cannot Lose Them}'),
	-- They bought before these two years: all that is left of them is a refund.
	('long gone', 3, '[-300,-30]', '[99,99]', '[0,0]', '[730,730]', '{(none)}');

-- Planted: members who joined in one of three months take one more item in every order.
CREATE TABLE truth AS
SELECT member_id, kind, joined,
	date_trunc('month', date '2024-01-01' + joined)
		IN ('2024-04-01', '2024-11-01', '2025-06-01') AS good_month,
	pick(gap, 'gap ' || member_id) AS gap,
	pick(at_most, 'at most ' || member_id) AS at_most,
	pick(until, 'until ' || member_id) AS until
FROM (
	SELECT m AS member_id, kind, pick(joins, 'joins ' || m) AS joined, gap, at_most, until
	FROM generate_series(1, 20000) m
	JOIN (SELECT *, sum(per_mille) OVER (ORDER BY kind) AS upto FROM kinds) k
		ON m * 7 % 1000 >= upto - per_mille AND m * 7 % 1000 < upto
) m;

-- One member in three has no app.  Six in ten agreed to mail, one did not, and the others were never asked.
CREATE TABLE members AS
SELECT member_id::bigint, date '2024-01-01' + joined AS joined,
	(ARRAY['ios', 'android'])[1 + dice(3, 'app ' || member_id)] AS app,
	1945 + dice(62, 'born ' || member_id) AS born,
	(ARRAY[true, true, true, true, true, true, false])[1 + dice(10, 'takes mail ' || member_id)] AS takes_mail
FROM truth ORDER BY 1;

CREATE TABLE items AS
SELECT i AS item_id, category, lowest + dice(spread, 'price ' || i) + 0.90 AS price
FROM generate_series(0, 199) i
JOIN (VALUES (0, 'coffee', 8, 10), (1, 'tea', 6, 12), (2, 'kitchen', 14, 40), (3, 'books', 10, 20),
	(4, 'toys', 9, 30)) AS c(remainder, category, lowest, spread) ON remainder = i % 5;

-- When each member buys; and 4,000 guests, who have no member_id.
CREATE TEMP TABLE sales AS
SELECT row_number() OVER (ORDER BY at, member_id, nth) AS order_id, *
FROM (
	SELECT member_id, kind, joined, good_month, nth, timestamptz '2024-01-01 08:00+00'
		+ make_interval(days => day, mins => dice(14 * 60, 'time ' || member_id || ' ' || nth)) AS at
	FROM truth, generate_series(0, at_most - 1) nth, LATERAL (SELECT joined + nth * gap
		+ CASE nth WHEN 0 THEN 0 ELSE dice(gap / 3, 'late ' || member_id || ' ' || nth) END) d(day)
	WHERE day <= until
	UNION ALL
	SELECT NULL, 'guest', NULL, false, nth, timestamptz '2024-01-01 08:00+00'
		+ make_interval(days => dice(731, 'guest ' || nth), mins => dice(14 * 60, 'guest time ' || nth))
	FROM generate_series(1, 4000) nth
) s;

-- What is in the basket.  Prices rise by 4 % on 1 January 2025.
-- Planted: who joined a year ago or earlier pays 6 % more for coffee than new members;
-- and regulars like coffee.
CREATE TABLE order_lines AS
SELECT order_id, item_id, 1 + dice(2, 'quantity ' || name) AS quantity,
	round(price * CASE WHEN at >= '2025-01-01' THEN 1.04 ELSE 1 END
		* CASE WHEN is_established AND category = 'coffee' THEN 1.06 ELSE 1 END, 2) AS price
FROM (
	SELECT order_id, at, (at AT TIME ZONE 'UTC')::date >= date '2024-01-01' + joined + 365 AS is_established,
		name, 5 * dice(40, 'item ' || name)
		+ CASE WHEN kind = 'regular' AND dice(4, 'coffee ' || name) = 0 THEN 0
			ELSE dice(5, 'category ' || name) END AS item_id
	FROM sales, generate_series(1, 1 + dice(4, 'lines ' || order_id) + good_month::int) line,
		LATERAL (SELECT order_id || ' ' || line) n(name)
) l
JOIN items USING (item_id);

-- Planted: one order in 25 is partly returned some days later; and the refunds of
-- those who are long gone.  Their numbers follow those of the sales.
CREATE TEMP TABLE returns AS
SELECT (SELECT count(*) FROM sales) + row_number() OVER (ORDER BY r) AS order_id, *
FROM (
	SELECT DISTINCT ON (order_id)
		at + make_interval(days => 3 + dice(18, 'back ' || order_id)) AS at,
		member_id, item_id, -quantity AS quantity, price
	FROM sales JOIN order_lines USING (order_id)
	WHERE dice(25, 'returns ' || order_id) = 0
	ORDER BY order_id, item_id, quantity, price
) r
WHERE at < '2026-01-01'
UNION ALL
SELECT (SELECT 2 * count(*) FROM sales) + member_id,
	timestamptz '2024-01-02 09:00+00' + make_interval(hours => dice(200, 'refund ' || member_id)),
	member_id, 0, -1, 8.90
FROM truth WHERE kind = 'long gone';
INSERT INTO order_lines SELECT order_id, item_id, quantity, price FROM returns;

-- Planted: some late orders are not charged yet, so their amount is NULL.
-- Planted: occasional members order only with a coupon, for a small gift; of the
-- other orders one in ten has a coupon.
CREATE TABLE orders AS
SELECT order_id, member_id::bigint, at AS ordered_at,
	CASE WHEN at < '2025-12-29' OR nth = 0 OR dice(4, 'open ' || order_id) > 0 THEN amount END AS amount,
	coupon
FROM (
	SELECT order_id, member_id, at, nth,
		kind = 'occasional' OR dice(10, 'coupon ' || order_id) = 0 AS coupon
	FROM sales
	UNION ALL
	SELECT order_id, member_id, at, 0, false FROM returns
) o
JOIN (SELECT order_id, sum(quantity * price) AS amount FROM order_lines GROUP BY 1) l USING (order_id)
ORDER BY ordered_at, order_id;

-- What members did in the app, once each in the last quarter.
-- Planted: on Android 40 % of those who go to the checkout cannot pay; elsewhere 10 % do not.
CREATE TABLE app_events AS
SELECT member_id, begun + make_interval(mins => minute) AS at, event
FROM (
	SELECT member_id, app, timestamptz '2025-10-01 08:00+00'
		+ make_interval(days => dice(91, 'visits ' || member_id), mins => dice(14 * 60, 'visits at ' || member_id)) AS begun,
		dice(100, 'basket ' || member_id) < 60 AS fills, dice(100, 'checkout ' || member_id) < 70 AS goes,
		dice(100, 'pays ' || member_id) < CASE app WHEN 'android' THEN 60 ELSE 90 END AS pays
	FROM members
	WHERE app IS NOT NULL
) v,
LATERAL (VALUES ('visit', 0, true), ('basket', 4, fills), ('checkout', 9, fills AND goes),
	('paid', 11, fills AND goes AND pays)) e(event, minute, happened)
WHERE happened
ORDER BY at, member_id;

-- The shop has a bookshop beside it, whose 4,000 members come when they feel like it: each
-- orders at a pace of their own, and after every order may have had enough, with a chance
-- of their own.
CREATE FUNCTION luck(name text) RETURNS float8
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (dice(1000000, name) + 0.5) / 1000000;

CREATE TEMP TABLE visits AS
WITH RECURSIVE reader AS (
	SELECT m, luck('reader ' || m) * 546 AS day, -ln(luck('pace ' || m)) / 50 AS pace,
		power(luck('patience ' || m), 2) AS enough, 8 + dice(30, 'purse ' || m) AS money
	FROM generate_series(1, 4000) m
), visit AS (
	SELECT *, 0 AS nth, luck('enough ' || m || ' 0') < enough AS leaves FROM reader
	UNION ALL
	SELECT m, day, pace, enough, money, nth, luck('enough ' || m || ' ' || nth) < enough
	FROM (SELECT m, day - ln(luck('wait ' || m || ' ' || nth)) / pace AS day, pace, enough, money, nth + 1 AS nth
		FROM visit WHERE NOT leaves) v
	WHERE day < 731
)
SELECT * FROM visit;

CREATE TABLE book_orders AS
SELECT m::bigint AS member_id, timestamptz '2024-01-01 12:00+00' + floor(day)::int * interval '1 day' AS ordered_at,
	money * (60 + dice(81, 'books ' || m || ' ' || nth)) / 100.0 AS amount
FROM visits ORDER BY day;

-- Planted: who has left.
CREATE TABLE book_truth AS
SELECT m AS member_id, bool_or(leaves) AS has_left FROM visits GROUP BY m;

-- In January 2026 three of four members got a coupon, by lot; what each spent in the four weeks after it.
-- Planted: it moves those who lapsed or come now and then, puts newcomers off, and leaves all others as they are.
CREATE TABLE planted_offers AS
SELECT member_id, dice(4, 'coupon ' || member_id) > 0 AS treated, dice(1000, 'january ' || member_id) AS luck, usual, moved,
	10 + dice(4000, 'spends ' || member_id) / 100.0 AS spends
FROM truth JOIN (VALUES ('regular', 450, 0), ('steady', 250, 0), ('newcomer', 200, -120), ('occasional', 80, 100), ('one-timer', 10, 0), ('lapsed', 30, 80))
	k(kind, usual, moved) USING (kind);
CREATE TABLE offers_sent AS
SELECT member_id, treated, CASE WHEN luck < usual + CASE WHEN treated THEN moved ELSE 0 END THEN spends ELSE 0 END AS spent FROM planted_offers;

-- What members will do in January when they get a letter, and when they do not.
-- Planted: one that asks them to come back moves 8 of 100 who get it, and letters of other kinds nobody.
CREATE TABLE planted_letters AS
SELECT member_id, dice(1000, 'letter ' || member_id) AS luck, usual, 10 + dice(4000, 'then spends ' || member_id) / 100.0 AS spends
FROM truth JOIN (VALUES ('regular', 450), ('steady', 250), ('newcomer', 200), ('occasional', 80), ('one-timer', 10), ('lapsed', 30)) k(kind, usual) USING (kind);

-- Mails of the last quarter to a fifth of the members, and who clicked within two hours.
-- Planted: whoever got two or more mails in the week before clicks half as often.  Regular and steady members click most,
-- and get most.
CREATE TABLE mail_log AS
WITH mail AS (
	SELECT member_id, fond, at, dice(1000, 'clicks ' || member_id || ' ' || day) AS luck,
		count(*) OVER (PARTITION BY member_id ORDER BY at RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS prior
	FROM (SELECT member_id, kind IN ('regular', 'steady') AS fond, day, timestamptz '2025-10-01 09:00+00' + day * interval '25 hours' AS at
		FROM truth, generate_series(0, 86) day WHERE member_id % 5 = 0) d
	WHERE dice(100, 'mail ' || member_id || ' ' || day) < CASE WHEN fond THEN 35 ELSE 18 END
)
SELECT member_id::bigint, event, at + minute * interval '1 minute' AS at
FROM mail, LATERAL (VALUES ('sent', 0, true), ('clicked', 5 + luck % 100, luck < CASE WHEN fond THEN 300 ELSE 80 END * CASE WHEN prior >= 2 THEN 0.5 ELSE 1 END))
	e(event, minute, happened)
WHERE happened
ORDER BY at, member_id;

-- Four offers of autumn 2025, with stock for 300 each; about 8 of 100 members claim one, and who comes too late is refused.
-- Planted: one of them was issued three times over.
CREATE TABLE promised AS
SELECT offer, begins, 300 AS stock, issued FROM (VALUES ('cups', date '2025-09-01', 3000), ('filters', date '2025-10-01', 3000),
	('grinders', date '2025-11-01', 9000), ('beans', date '2025-12-01', 3000)) o (offer, begins, issued);
CREATE TABLE claims AS
SELECT offer, m AS member_id, at, row_number() OVER (PARTITION BY offer ORDER BY at, m) <= stock AS redeemed
FROM promised, generate_series(1, issued) m, LATERAL (SELECT begins + dice(40000, offer || ' at ' || m) * interval '1 minute' AS at) t
WHERE dice(1000, offer || ' wanted by ' || m) < 80;

-- A quarter in the café.  Half of all receipts have a coffee; most have a dish or two of 120, some more liked than others.
-- Planted: of those with soup 70 % have bread, of others 15 %; and eight caterers take one of everything.
CREATE TABLE cafe_lines AS
SELECT r::bigint AS receipt, item
FROM generate_series(1, 9000) r, LATERAL (SELECT dice(100, 'soup ' || r) < 10 AS soup) s,
LATERAL (SELECT 'coffee' AS item WHERE dice(100, 'a coffee ' || r) < 50
	UNION SELECT 'soup' WHERE soup
	UNION SELECT 'bread' WHERE dice(100, 'bread ' || r) < CASE WHEN soup THEN 70 ELSE 15 END
	UNION SELECT 'dish ' || 1 + dice(1 + dice(120, 'kind ' || r || ' ' || n), 'dish ' || r || ' ' || n)
		FROM generate_series(1, dice(3, 'dishes ' || r)) n) i
UNION ALL
SELECT 9000 + r, item FROM generate_series(1, 8) r, LATERAL (SELECT 'dish ' || n FROM generate_series(1, 120) n
	UNION ALL VALUES ('coffee'), ('soup'), ('bread')) i(item);

ALTER TABLE orders ADD PRIMARY KEY (order_id);
VACUUM ANALYZE;
RESET jit;
