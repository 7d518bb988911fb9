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
