-- The data of bench/run: :rows orders of :members members in two years.
--
-- Everything follows from dice(), and dice() from PostgreSQL's hash of bigint,
-- which hash partitions rely on and which therefore never changes: the rows are
-- the same on every machine and every version.
--
-- Tables are unlogged and filled by INSERT, whose pages stay in shared buffers:
-- this compares work in memory, not this machine's disk.

-- A number from 0 to just below 1, different for each thing it decides about.
CREATE FUNCTION dice(i bigint, about int) RETURNS float8
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (hashint8extended(i, about) & 4294967295) / 4294967296.0::float8;

-- The member of an order.  The square makes members unequal: of a million members with
-- ten orders each on average, the first has ten thousand and the last have five.
-- The multiplication with a prime scatters them, so that neighbouring numbers are
-- unrelated, as in real life.
CREATE FUNCTION whose(i bigint, members bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN trunc(members * dice(i, 1) ^ 2)::bigint * 2654435761 % members + 1;

-- Orders are in order of time, as tables of orders usually are.
CREATE FUNCTION moment(i bigint, rows bigint) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN '2024-01-01 00:00:00+00'::timestamptz + make_interval(secs => i * 63072000 / rows);

-- A value in cents as money with two decimals.
CREATE FUNCTION money(cents float8) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN trunc(cents)::bigint * 0.01;

-- One of 20,000 items at one of its 25 prices; 3 of 100 orders are refunds.
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
	FROM (SELECT i, trunc(20000 * dice(i, 5))::bigint AS item FROM generate_series(1, :rows::bigint) i) i
) o;

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

\if :want_lines
-- The same number of order lines, three to an order.
CREATE UNLOGGED TABLE order_lines (
	order_id bigint,
	customer_id bigint,
	ordered_at timestamptz,
	amount numeric
);
INSERT INTO order_lines
SELECT order_id, whose(order_id, :members), moment(3 * order_id, :rows + 3),
	money(99 + 9900 * dice(i, 10) ^ 3) * CASE WHEN dice(i, 11) < 0.03 THEN -1 ELSE 1 END
FROM (SELECT i, (i + 2) / 3 AS order_id FROM generate_series(1, :rows::bigint) i) l;
\endif

\if :want_tags
-- 500 tags: the first on half of the members, the last on 1 %, 13 on a member on
-- average.  Of each stretch of members, whose length follows from the tag's share,
-- the dice choose one to get the tag, so tags are independent of each other.
CREATE UNLOGGED TABLE member_tag (
	customer_id bigint,
	tag text
);
INSERT INTO member_tag
SELECT first + trunc((next - first) * dice(i, 100 + nr))::bigint, tag
FROM (
	SELECT nr, (ARRAY['segment:', 'category:', 'campaign:', 'interest:', 'channel:'])[1 + nr % 5] || to_char(nr, 'FM0000') AS tag,
		round(:members * (0.01 + 0.49 * nr ^ -0.74))::bigint AS members
	FROM generate_series(1, 500) nr
) tags,
LATERAL generate_series(1, members) i,
LATERAL (SELECT 1 + (i - 1) * :members::bigint / members AS first, 1 + i * :members::bigint / members AS next) stretch;

-- The same three times: as arrays, as sets, and as arrays with short tags.
CREATE UNLOGGED TABLE tag_arrays AS
SELECT customer_id, array_agg(tag ORDER BY tag) AS tags FROM member_tag GROUP BY customer_id;
CREATE UNLOGGED TABLE tag_sets AS
SELECT customer_id, tags(VARIADIC tags) AS tags FROM tag_arrays;
CREATE UNLOGGED TABLE short_tag_arrays AS
SELECT customer_id, array_agg(right(tag, 8) ORDER BY tag) AS tags FROM member_tag GROUP BY customer_id;
\endif

VACUUM ANALYZE;
