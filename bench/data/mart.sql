-- The orders once more, as a shop writes them: logged, with an index on the member.  Of one
-- table there is a mart, of the other none.
CREATE TABLE mart_orders AS SELECT order_id, customer_id, ordered_at, amount FROM orders;
CREATE TABLE plain_orders AS TABLE mart_orders;
CREATE INDEX ON mart_orders (customer_id);
CREATE INDEX ON plain_orders (customer_id);
\o /dev/null
SELECT create_member_mart('mart', 'mart_orders', 'customer_id', 'rfm(ordered_at, amount) AS rfm, count(*) AS orders, max(ordered_at) AS last_seen');
SELECT refresh_member_mart('mart');
