-- As many order lines as there are orders, three to an order.
CREATE UNLOGGED TABLE order_lines (
	order_id bigint,
	customer_id bigint,
	ordered_at timestamptz,
	amount numeric
);
INSERT INTO order_lines
SELECT order_id, whose(order_id, :members), moment(3 * order_id, :rows + 3),
	money(99 + 9900 * dice(i, 10) ^ 3) * CASE WHEN dice(i, 11) < 0.03 THEN -1 ELSE 1 END
FROM (
	SELECT i, (i + 2) / 3 AS order_id
	FROM (SELECT generate_series(1, :rows::bigint) AS i) numbers
	OFFSET 0
) lines;
