-- The shop that the examples in README.md and docs/ speak of, in small.
SET timezone = 'UTC';
CREATE TABLE orders (
	order_id bigint PRIMARY KEY,
	customer_id bigint,
	store_id int NOT NULL,
	ordered_at timestamptz NOT NULL,
	amount numeric(12,2) NOT NULL
);
INSERT INTO orders
SELECT n, nullif(floor(power((n * 7919 % 2003) / 2003.0, 2) * 120), 0), n % 3, timestamptz '2025-01-01' + (n * 4391 % 8760) * interval '1 hour',
	(n * 104729 % 20011 + 99) / 100.0 * CASE WHEN n % 53 = 0 THEN -1 ELSE 1 END
FROM generate_series(1, 2000::bigint) n;

CREATE TABLE order_lines (
	order_no text NOT NULL,
	customer_id bigint,
	ordered_at timestamptz NOT NULL,
	item text NOT NULL,
	quantity int NOT NULL,
	unit_price numeric(10,2) NOT NULL
);
INSERT INTO order_lines
SELECT 'A' || order_id, customer_id, ordered_at, 'item ' || l, l, abs(amount) / 6
FROM orders, generate_series(1, 3) l;

-- The same orders as documents.
CREATE TABLE order_documents (doc jsonb NOT NULL);
INSERT INTO order_documents
SELECT jsonb_build_object('customer', customer_id, 'at', ordered_at, 'amount', amount,
	'labels', to_jsonb(array_remove(ARRAY[CASE WHEN order_id % 7 = 0 THEN 'gift' END, CASE WHEN order_id % 3 = 0 THEN 'express' END], NULL)))
FROM orders;

CREATE TABLE customers (
	customer_id bigint PRIMARY KEY,
	email text NOT NULL,
	born date NOT NULL,
	device text,
	takes_mail boolean NOT NULL
);
INSERT INTO customers
SELECT n, 'c' || n || '@example.org', date '1950-01-01' + (n * 7919 % 19001)::int, (ARRAY['ios', 'android'])[1 + n % 3], n % 5 <> 0
FROM generate_series(1, 119::bigint) n;

CREATE TABLE contacts (
	customer_id bigint NOT NULL,
	campaign text NOT NULL,
	sent_on date NOT NULL
);
INSERT INTO contacts
SELECT c, 'newsletter ' || m, date '2025-01-01' + 7 * m
FROM generate_series(1, 119::bigint) c, generate_series(1, 48) m
WHERE (c * 31 + m * 17) % 119 < c;

-- A grocery: members join all through the year, prices move by the week.  Who has
-- been a member for more than 30 days pays 5 % more for coffee and tea, and buys cheap
-- things more often.
CREATE TABLE sales (
	customer_id bigint NOT NULL,
	sold_at timestamptz NOT NULL,
	item text NOT NULL,
	quantity int NOT NULL,
	price numeric(10,2) NOT NULL,
	coupon text
);
INSERT INTO sales
SELECT customer_id, timestamptz '2025-01-01 09:00+00' + day * interval '1 day', item, quantity,
	round(base * (100 + day / 7 % 5) / 100
		* CASE WHEN is_hot_drink AND day > joined + 30 THEN 1.05 ELSE 1 END
		* CASE WHEN coupon THEN 0.8 ELSE 1 END
		* CASE WHEN quantity = 6 THEN 0.9 ELSE 1 END, 2),
	CASE WHEN coupon THEN 'WELCOME' END
FROM (
	SELECT customer_id, joined, day, day < joined + 5 AND (hashint8extended(n, 3) & 1) = 0 AS coupon,
		(ARRAY[1, 1, 1, 1, 2, 2, 3, 6])[1 + (hashint8extended(n, 4) & 7)] AS quantity,
		CASE WHEN day > joined + 30 AND (hashint8extended(n, 5) & 3) = 0 THEN 5 + (hashint8extended(n, 6) & 7)
			ELSE 1 + (hashint8extended(n, 7) & 65535) % 12 END AS item_number
	FROM (
		SELECT n, customer_id, 3 * customer_id AS joined,
			3 * customer_id + floor(power((hashint8extended(n, 2) & 65535) / 65536.0, 2) * (364 - 3 * customer_id))::int AS day
		FROM (SELECT n, 1 + (hashint8extended(n, 1) & 65535) % 119 AS customer_id FROM generate_series(1, 12000::bigint) n) n
	) s
) l
JOIN (VALUES (1, 'coffee beans', 12.90, true), (2, 'espresso', 14.50, true), (3, 'olive oil', 9.80, false),
	(4, 'honey', 7.40, false), (5, 'green tea', 5.60, true), (6, 'black tea', 4.90, true),
	(7, 'chocolate', 3.20, false), (8, 'jam', 2.80, false), (9, 'biscuits', 2.40, false), (10, 'rice', 2.10, false),
	(11, 'pasta', 1.70, false), (12, 'flour', 1.20, false)) i (item_number, item, base, is_hot_drink) USING (item_number);
-- Some of it comes back, and some buyers are guests.
ALTER TABLE sales ALTER customer_id DROP NOT NULL;
INSERT INTO sales
SELECT customer_id, sold_at + interval '3 days', item, -quantity, price, coupon FROM sales
WHERE hashtextextended(customer_id || item || sold_at::text, 8) % 50 = 0;
INSERT INTO sales
SELECT NULL, sold_at, item, 1, 2 * price, NULL FROM sales WHERE quantity = 2 AND hashtextextended(customer_id || item || sold_at::text, 9) % 5 = 0;

-- The same sales, late in the day, as a till writes them that knows no time zone.
CREATE TABLE till_sales AS
SELECT customer_id, sold_at AT TIME ZONE 'UTC' + interval '12 hours' AS sold_at, item, quantity, price, coupon FROM sales;

-- What members had to come for, and what they did of their own wish.
CREATE TABLE service_cases (
	customer_id bigint NOT NULL,
	opened_at timestamptz NOT NULL,
	reason text NOT NULL
);
INSERT INTO service_cases
SELECT 1 + floor(119 * sqrt((hashint8extended(n, 1) & 65535) / 65536.0)), timestamptz '2025-01-01 10:00+00' + (hashint8extended(n, 2) & 65535) % 365 * interval '1 day',
	(ARRAY['repair', 'exchange', 'invoice'])[1 + (hashint8extended(n, 3) & 65535) % 3]
FROM generate_series(1, 400::bigint) n;

CREATE TABLE reviews (
	customer_id bigint NOT NULL,
	written_at timestamptz NOT NULL,
	stars int NOT NULL
);
INSERT INTO reviews
SELECT 1 + (hashint8extended(n, 1) & 65535) % 119, timestamptz '2025-01-01 20:00+00' + (hashint8extended(n, 2) & 65535) % 365 * interval '1 day',
	1 + (hashint8extended(n, 3) & 65535) % 5
FROM generate_series(1, 150::bigint) n;

-- The web site: a visit, perhaps a cart, help on the way, an order; visitors who are not known are NULL.
CREATE TABLE events (
	customer_id bigint,
	occurred_at timestamptz NOT NULL,
	event text NOT NULL
);
INSERT INTO events
SELECT CASE WHEN (hashint8extended(n, 1) & 31) > 0 THEN 1 + (hashint8extended(n, 2) & 65535) % 400 END, visited + minute * interval '1 minute', event
FROM (SELECT n, timestamptz '2025-01-01' + (hashint8extended(n, 3) & 1048575) % 525600 * interval '1 minute' AS visited, hashint8extended(n, 4) & 15 AS luck FROM generate_series(1, 3000::bigint) n) v
CROSS JOIN LATERAL (VALUES ('visit', 0::bigint, true), ('cart', 2 + (hashint8extended(n, 5) & 15), luck < 8), ('help', 20, luck IN (2, 9)), ('order', 30 + (hashint8extended(n, 6) & 63), luck < 5)) e (event, minute, happened)
WHERE happened;

-- A chocolate shop of 300 members, who come less often as time goes by, but less so
-- since it got a loyalty card in July; some of what they buy comes back.
CREATE TABLE purchases (
	customer_id bigint,
	bought_at timestamptz NOT NULL,
	amount numeric(10,2) NOT NULL
);
INSERT INTO purchases
SELECT c, timestamptz '2025-01-01 12:00+00' + (joined + 7 * week + (hashint8extended(c * 64 + week, 2) & 65535) % 7) * interval '1 day',
	5 + (hashint8extended(c * 64 + week, 3) & 65535) % 4000 / 100.0
FROM (SELECT c, (hashint8extended(c, 1) & 65535) % 360 AS joined FROM generate_series(1, 300::bigint) c) m
CROSS JOIN LATERAL generate_series(0, (358 - joined) / 7) week
WHERE week = 0 OR (hashint8extended(c * 64 + week, 4) & 65535) / 65536.0 < CASE WHEN joined < 181 THEN 0.02 ELSE 0.07 END + 0.3 / (1 + week / 3.0);
INSERT INTO purchases
SELECT customer_id, bought_at + interval '2 days', -amount FROM purchases WHERE hashint8extended(customer_id * 400 + extract(doy FROM bought_at)::int, 5) % 30 = 0;

-- A mail-order bookshop of 600 members over two years: each orders at a pace of their own, and after any order may
-- have had enough.  Some parcels come back.
CREATE TABLE parcels (
	customer_id bigint NOT NULL,
	ordered_at timestamptz NOT NULL,
	amount numeric(10,2) NOT NULL
);
WITH RECURSIVE member AS (
	SELECT id, 600.0 * id / 600 AS came, -ln(((hashint8extended(id, 2) & 65535) + 1) / 65537.0) / 50 AS pace, power((hashint8extended(id, 3) & 65535) / 65536.0, 2) AS leaves,
		10 + (hashint8extended(id, 4) & 65535) % 30 AS money
	FROM generate_series(1, 600::bigint) id
), parcel AS (
	SELECT id, came AS day, 0 AS n, pace, leaves, money FROM member
	UNION ALL
	SELECT id, round(day - ln(((hashint8extended(id * 1000 + n, 5) & 65535) + 1) / 65537.0) / pace, 3), n + 1, pace, leaves, money FROM parcel
	WHERE day < 731 AND (hashint8extended(id * 1000 + n, 6) & 65535) / 65536.0 > leaves
)
INSERT INTO parcels
SELECT id, timestamptz '2024-01-01 12:00+00' + floor(day)::int * interval '1 day', money * (50 + (hashint8extended(id * 1000 + n, 7) & 65535) % 101) / 100.0
FROM parcel WHERE day < 731;
INSERT INTO parcels
SELECT customer_id, ordered_at + interval '5 days', -amount FROM parcels WHERE hashint8extended(customer_id * 1000 + extract(doy FROM ordered_at)::int, 8) % 40 = 0 AND ordered_at < '2025-12-20';

-- A spring campaign: 12000 members in five segments, two of three got a coupon, the others are the control group.  What
-- it does differs: Loyal and At Risk buy more, Champions would have bought anyway, Lost are lost, and New ones it puts off.
CREATE TABLE spring_campaign AS
SELECT i AS customer_id, segment, i % 3 < 2 AS treated,
	CASE WHEN before < rate THEN round((10 + 60 * level ^ 2) * (0.8 + 0.4 * noise), 2) ELSE 0 END AS spend_before,
	CASE WHEN now < rate + CASE WHEN i % 3 < 2 THEN lift ELSE 0 END THEN round((10 + 60 * level ^ 2) * (0.7 + 0.6 * other_noise), 2) ELSE 0 END AS spend,
	round(lift + 0.03 * (noise - 0.5), 3) AS score
FROM (SELECT i, u[1] AS level, u[2] AS noise, u[3] AS other_noise, u[4] AS before, CASE WHEN u[5] < 0.7 THEN u[4] ELSE u[6] END AS now, u[7] AS kind
	FROM (SELECT i, ARRAY(SELECT round(('x' || substr(md5('may ' || i || ' ' || k), 1, 8))::bit(32)::bigint / 4294967296.0, 6) FROM generate_series(1, 7) k) AS u
		FROM generate_series(1, 12000) i) uniform) member
JOIN (VALUES ('Champions', 0, 0.15, 0.30, 0), ('Loyal', 0.15, 0.4, 0.15, 0.07), ('At Risk', 0.4, 0.65, 0.04, 0.05), ('Lost', 0.65, 0.9, 0.014, -0.002), ('New', 0.9, 1, 0.22, -0.08))
	segment(segment, from_kind, to_kind, rate, lift) ON kind >= from_kind AND kind < to_kind;

-- What the shop sent to 600 members in 17 weeks, and what they did then.  A third is keen: they get more and click more.
-- Everybody clicks a fifth less with each mail of the week before.  Some lines were logged twice, and some are no marketing.
CREATE TABLE message_log (
	customer_id bigint NOT NULL,
	channel text NOT NULL,
	event text NOT NULL,
	logged_at timestamptz NOT NULL,
	purpose text NOT NULL
);
INSERT INTO message_log
WITH mail AS (
	SELECT c, c % 3 = 0 AS is_keen, sent_at, count(*) OVER (PARTITION BY c ORDER BY sent_at RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) - 1 AS prior,
		(hashint8extended(c * 1000 + day, 2) & 65535) / 65536.0 AS luck, (hashint8extended(c * 1000 + day, 3) & 65535) / 65536.0 AS patience
	FROM generate_series(1, 600::bigint) c CROSS JOIN generate_series(0, 117) day
	CROSS JOIN LATERAL (SELECT timestamptz '2025-09-05 09:00+00' + day * interval '1 day' + (hashint8extended(c, 4) & 7) * interval '1 hour' AS sent_at) s
	WHERE (hashint8extended(c * 1000 + day, 1) & 65535) / 65536.0 < CASE WHEN c % 3 = 0 THEN 0.4 ELSE 0.2 END
), goodbye AS (
	SELECT c, min(sent_at) + interval '1 hour' AS left_at FROM mail WHERE patience < 0.001 * (1 + prior) GROUP BY c
)
SELECT c, 'email', event, at, 'marketing' FROM mail LEFT JOIN goodbye USING (c)
CROSS JOIN LATERAL (VALUES ('sent', sent_at, true), ('clicked', sent_at + interval '90 minutes', luck < CASE WHEN is_keen THEN 0.4 ELSE 0.1 END * 0.8 ^ prior)) e (event, at, happened)
WHERE happened AND (at < left_at) IS NOT FALSE
UNION ALL
SELECT c, 'email', 'unsubscribed', left_at, 'marketing' FROM goodbye
UNION ALL
SELECT c, 'sms', 'sent', timestamptz '2025-09-10 10:00+00' + week * interval '7 days', 'marketing' FROM generate_series(1, 600::bigint) c, generate_series(0, 16) week
WHERE (hashint8extended(c * 100 + week, 5) & 7) < 2;
INSERT INTO message_log SELECT * FROM message_log WHERE event = 'sent' AND hashint8extended(customer_id + extract(epoch FROM logged_at)::bigint, 6) % 50 = 0;
INSERT INTO message_log SELECT customer_id, 'email', 'sent', ordered_at, 'receipt' FROM orders WHERE customer_id IS NOT NULL AND ordered_at > '2025-12-01';

-- When they signed up, and what they were offered: most before their first purchase, some never came. Half price for 30 days
-- brings people who buy less often once it is over.
CREATE TABLE signups (
	customer_id bigint PRIMARY KEY,
	joined_at timestamptz NOT NULL,
	offer text NOT NULL
);
INSERT INTO signups
SELECT customer_id, first - (hashint8extended(customer_id, 6) & 65535) % 25 * interval '1 day',
	CASE WHEN (hashint8extended(customer_id, 7) & 65535) % 3 = 0 THEN 'a book' WHEN often > 2 AND (hashint8extended(customer_id, 8) & 3) > 0 THEN 'a book' ELSE 'half price' END
FROM (
	SELECT customer_id, first, count(*) FILTER (WHERE amount > 0 AND bought_at BETWEEN first + interval '20 days' AND first + interval '80 days') AS often
	FROM purchases JOIN (SELECT customer_id, min(bought_at) AS first FROM purchases GROUP BY customer_id) f USING (customer_id) GROUP BY customer_id, first
) c;
INSERT INTO signups
SELECT c, timestamptz '2025-01-03 18:00+00' + (c - 300) * interval '6 days', (ARRAY['half price', 'a book', 'half price'])[1 + c % 3] FROM generate_series(301, 360::bigint) c;

-- What was promised: six offers, who claimed them, and what the till said.  One that has run out is refused; so are a few others for
-- other reasons.  Who was sent away because it had run out came back less.
CREATE TABLE offers (
	offer text PRIMARY KEY,
	valid_from timestamptz NOT NULL,
	valid_until timestamptz NOT NULL,
	stock bigint,
	issued bigint NOT NULL
);
INSERT INTO offers VALUES ('welcome', '2025-01-01 00:00+00', '2026-01-01 00:00+00', NULL, 1200), ('spring', '2025-03-01 00:00+00', '2025-04-01 00:00+00', 60, 400),
	('summer', '2025-06-01 00:00+00', '2025-07-01 00:00+00', 90, 800), ('autumn', '2025-09-01 00:00+00', '2025-10-01 00:00+00', 50, 500),
	('advent', '2025-12-01 00:00+00', '2025-12-25 00:00+00', 110, 1000);
CREATE TABLE claims (
	offer text NOT NULL REFERENCES offers,
	customer_id bigint NOT NULL,
	claimed_at timestamptz NOT NULL,
	outcome text NOT NULL CHECK (outcome IN ('redeemed', 'refused')),
	cause text
);
INSERT INTO claims
SELECT offer, customer_id, claimed_at, CASE WHEN cause IS NULL AND nth <= coalesce(stock, nth) THEN 'redeemed' ELSE 'refused' END, CASE WHEN cause IS NOT NULL THEN cause WHEN nth > stock THEN 'exhausted' END
FROM (SELECT *, count(*) FILTER (WHERE cause IS NULL) OVER (PARTITION BY offer ORDER BY claimed_at, customer_id) AS nth
	FROM (SELECT o.offer, o.stock, m AS customer_id, o.valid_from + date_trunc('minute', (o.valid_until - o.valid_from) * u[1]) AS claimed_at,
			CASE WHEN u[2] < 0.03 THEN 'minimum' WHEN u[2] < 0.05 THEN 'excluded item' WHEN u[2] < 0.06 THEN 'technical' WHEN u[2] < 0.08 THEN 'used' END AS cause
		FROM offers o CROSS JOIN LATERAL generate_series(1, o.issued) m
		CROSS JOIN LATERAL (SELECT ARRAY(SELECT round(('x' || substr(md5(o.offer || ' ' || m || ' ' || k), 1, 8))::bit(32)::bigint / 4294967296.0, 6)::float8 FROM generate_series(1, 3) k) AS u) u
		WHERE u[3] < 0.16) c) d;
CREATE TABLE causes (
	cause text PRIMARY KEY,
	blame text NOT NULL CHECK (blame IN ('shop', 'condition', 'member'))
);
INSERT INTO causes VALUES ('exhausted', 'shop'), ('technical', 'shop'), ('not honoured', 'shop'), ('minimum', 'condition'), ('excluded item', 'condition'), ('combination', 'condition'),
	('unclear', 'condition'), ('expired', 'member'), ('used', 'member'), ('not the addressee', 'member');
CREATE TABLE later_orders (
	customer_id bigint NOT NULL,
	ordered_at timestamptz NOT NULL
);
INSERT INTO later_orders
SELECT customer_id, claimed_at + (1 + (hashint8extended(customer_id, 11) & 65535) % 28) * interval '1 day'
FROM claims WHERE (hashint8extended(customer_id * 1000 + hashtext(offer), 12) & 65535) / 65536.0 < CASE WHEN cause = 'exhausted' THEN 0.3 ELSE 0.65 END;

-- Receipts of a grocer: most have a purpose, nearly all have milk or bread, a few things are from anywhere.  Six are of a
-- restaurant that takes what there is.
CREATE TABLE receipts (
	receipt bigint NOT NULL,
	customer_id bigint NOT NULL,
	item text NOT NULL
);
INSERT INTO receipts
SELECT DISTINCT receipt, customer_id, item
FROM (
	SELECT receipt, customer_id, n, (hashint8extended(receipt, 3) & 65535) % 5 AS usual, (hashint8extended(receipt, 4) & 65535) % 10 < 4 AS is_usual,
		(hashint8extended(receipt * 32 + n, 5) & 65535) / 65536.0 AS luck, (hashint8extended(receipt * 32 + n, 6) & 65535) AS which
	FROM (SELECT receipt, 1 + (hashint8extended(receipt, 2) & 65535) % 119 AS customer_id FROM generate_series(1, 4000::bigint) receipt) r, generate_series(1, 9) n
) l
CROSS JOIN LATERAL (SELECT CASE
	WHEN n <= 5 THEN ('{{bread,butter,jam,coffee,milk},{pasta,tomatoes,parmesan,olive oil,basil},{flour,sugar,eggs,butter,yeast},{charcoal,sausages,mustard,beer,salad},{nappies,wipes,baby food,milk,bananas}}'::text[])
		[1 + CASE WHEN is_usual THEN usual ELSE customer_id % 5 END][n]
	WHEN n = 6 THEN 'milk' WHEN n = 7 THEN 'bread' ELSE 'item ' || floor(300 * power(which / 65536.0, 2)) END AS item) i
WHERE luck < CASE WHEN n <= 5 THEN 0.55 WHEN n <= 7 THEN 0.4 ELSE 0.35 END;
INSERT INTO receipts
SELECT 4000 + r, 119 + r, item FROM generate_series(1, 6) r, (SELECT DISTINCT item FROM receipts) i WHERE (hashtextextended(item, r) & 7) < 5;
