-- :rows orders of :members members, with the three columns that RFM needs, in two years.
SET client_min_messages = warning;
DROP TABLE IF EXISTS scaling CASCADE;
CREATE UNLOGGED TABLE scaling (
	customer_id bigint,
	ordered_at timestamptz,
	amount numeric
);
INSERT INTO scaling
SELECT whose(i, :members), moment(i, :rows),
	money(99 + 9900 * dice(i, 10) ^ 3) * CASE WHEN dice(i, 11) < 0.03 THEN -1 ELSE 1 END
FROM (SELECT generate_series(1, :rows::bigint) AS i) numbers;
VACUUM ANALYZE scaling;

CREATE VIEW scaling_floor AS
SELECT max(customer_id) AS a, max(ordered_at) AS b, max(amount) AS c FROM scaling;
CREATE VIEW scaling_book AS
SELECT member_count(rfm_book(customer_id, ordered_at, amount)) FROM scaling;
CREATE VIEW scaling_members AS
SELECT (rfm_members(rfm_book(customer_id, ordered_at, amount))).* FROM scaling;
