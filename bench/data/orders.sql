-- :rows orders of :members members in two years.  One of 20,000 items at one of its 25
-- prices; 3 of 100 orders are refunds.
CREATE UNLOGGED TABLE orders (
	order_id bigint,
	customer_id bigint,
	ordered_at timestamptz,
	amount numeric,
	item text,
	price numeric,
	grp text
);
INSERT INTO orders
SELECT i, customer_id, moment(i, :rows),
	price * CASE WHEN dice(i, 2) < 0.03 THEN -1 ELSE 1 + trunc(3 * dice(i, 3))::int END,
	'item ' || item, price,
	(ARRAY['basic', 'plus', 'gold'])[1 + trunc(3 * dice(customer_id, 4))::int]
FROM (
	SELECT i, whose(i, :members) AS customer_id, item,
		money(199 + 9800 * dice(item, 6) ^ 3 + (1 + 40 * dice(item, 7)) * trunc(25 * dice(i, 8))) AS price
	FROM (
		SELECT i, trunc(20000 * dice(i, 5))::bigint AS item
		FROM (SELECT generate_series(1, :rows::bigint) AS i) numbers
		OFFSET 0
	) items
	OFFSET 0
) sales;

\if :want_tier
-- What each member is worth, and the month in which the member joined.
CREATE UNLOGGED TABLE members (
	customer_id bigint,
	cohort date,
	value numeric
);
INSERT INTO members
SELECT customer_id, date '2024-01-01' + make_interval(months => trunc(24 * dice(customer_id, 9))::int), sum(amount)
FROM orders
GROUP BY customer_id;
\endif

\if :want_price
-- The same number of sales, all at different prices.
CREATE UNLOGGED TABLE different_prices (item text, grp text, price numeric);
INSERT INTO different_prices SELECT item, grp, order_id * 0.0001 FROM orders;
\endif

\if :want_merge
-- Eight books, of orders dealt out by their number.
CREATE UNLOGGED TABLE parts (part bigint, book rfm_book);
INSERT INTO parts SELECT order_id % 8, rfm_book(customer_id, ordered_at, amount) FROM orders GROUP BY 1;
\endif

\if :want_stores
-- 100,000 stores, or fewer if there are not enough orders to give each of them twenty.
CREATE UNLOGGED TABLE store_orders (
	store int,
	customer_id bigint,
	ordered_at timestamptz,
	amount numeric
);
CREATE UNLOGGED TABLE few_store_orders (LIKE store_orders);
INSERT INTO store_orders
SELECT order_id % :stores, customer_id, ordered_at, amount FROM orders WHERE order_id <= 20 * :stores;
INSERT INTO few_store_orders
SELECT store / 10, customer_id, ordered_at, amount FROM store_orders WHERE store % 10 = 0;
\endif

\if :want_campaign
-- What each member spent in the last quarter and in the one before; two of three got a coupon.
CREATE UNLOGGED TABLE campaign_members (customer_id bigint, treated boolean, spend numeric, spend_before numeric);
INSERT INTO campaign_members
SELECT customer_id, dice(customer_id, 10) < 2 / 3.0,
	coalesce(sum(amount) FILTER (WHERE ordered_at >= '2025-10-01Z'), 0),
	coalesce(sum(amount) FILTER (WHERE ordered_at >= '2025-07-01Z' AND ordered_at < '2025-10-01Z'), 0)
FROM orders
GROUP BY customer_id;
\endif

\if :want_contact
-- As many lines of a log of messages: what was sent on three channels, and what members did an hour or days later.
CREATE UNLOGGED TABLE message_log (customer_id bigint, channel text, kind text, logged_at timestamptz);
INSERT INTO message_log
SELECT customer_id, (ARRAY['email', 'email', 'email', 'push', 'sms'])[1 + trunc(5 * dice(i, 12))::int],
	CASE WHEN about < 0.78 THEN 'sent' WHEN about < 0.90 THEN 'clicked' WHEN about < 0.97 THEN 'opened'
		WHEN about < 0.98 THEN 'converted' WHEN about < 0.99 THEN 'unsubscribed' ELSE 'subscribed' END,
	date_trunc('second', moment(i, :rows))
FROM (SELECT i, whose(i, :members) AS customer_id, dice(i, 13) AS about
	FROM (SELECT generate_series(1, :rows::bigint) AS i) numbers OFFSET 0) lines;
\endif

\if :want_audience
-- Half as many members as orders, each once: how good they are, to the cent, and five conditions. In the order of their
-- ids, as a table of customers and a report have them, and in none.
CREATE UNLOGGED TABLE mailing (customer_id bigint, score float8, come_back boolean, thanks boolean, new_app boolean, birthday boolean, news boolean);
INSERT INTO mailing
SELECT i, trunc(100000 * dice(i, 20) ^ 3) / 100, dice(i, 21) < 0.1, dice(i, 22) < 0.2, dice(i, 23) < 0.3, dice(i, 24) < 0.2, dice(i, 25) < 0.5
FROM (SELECT generate_series(1, :rows / 2::bigint) AS i) numbers;
CREATE UNLOGGED TABLE mailing_shuffled (LIKE mailing);
INSERT INTO mailing_shuffled SELECT * FROM mailing ORDER BY hashint8extended(customer_id, 26);
\endif

\if :want_checks
-- The same as order lines, three to an order, ids as text; of 100 rows 2 have no member and 1 is there twice.
CREATE UNLOGGED TABLE check_lines (member text, order_id text, item text, ordered_at timestamptz, quantity numeric, price numeric);
INSERT INTO check_lines
SELECT CASE WHEN o.order_id % 150 > 2 THEN 'm' || first_value(customer_id) OVER w END, 'W' || 10000000 + o.order_id / 3, item,
	first_value(ordered_at) OVER w, round(amount / price), price
FROM orders o
WINDOW w AS (PARTITION BY o.order_id / 3 ORDER BY o.order_id);
INSERT INTO check_lines SELECT l.* FROM check_lines l WHERE hashtext(order_id) % 100 = 0;
\endif

\if :want_basket
-- As many lines of baskets with 10 on average, of 20,000 items: half of them of what the basket is for, 50 of 400 things to buy for.
CREATE UNLOGGED TABLE basket_lines (basket bigint, item bigint);
INSERT INTO basket_lines
SELECT basket, CASE WHEN dice(i, 15) < 0.5 THEN purpose * 50 + trunc(50 * dice(i, 16) ^ 2) ELSE trunc(20000 * dice(i, 17) ^ 2) END::bigint
FROM (SELECT basket, trunc(400 * dice(basket, 14) ^ 2) AS purpose, basket * 32 + n AS i
	FROM generate_series(1, :rows / 10::bigint) basket, LATERAL generate_series(1, 1 + trunc(19 * dice(basket, 18))::int) n OFFSET 0) lines;
\endif
