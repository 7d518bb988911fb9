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
