-- What ClickHouse is asked, each statement a view, as in queries.sql.

CREATE TABLE orders (order_id Int64, customer_id Int64, ordered_at DateTime, item String, price Float64, grp String)
ENGINE = MergeTree ORDER BY ordered_at;

CREATE VIEW price AS
SELECT item, grp, count() AS n, avg(price) AS mean, stddevSamp(price) AS deviation
FROM orders
GROUP BY item, grp;

CREATE VIEW retention AS
SELECT toStartOfMonth(cohort) AS first_month, month - toRelativeMonthNum(cohort) AS periods_later, count() AS active
FROM (
	SELECT min(ordered_at) AS cohort, groupUniqArray(toRelativeMonthNum(ordered_at)) AS months
	FROM orders
	GROUP BY customer_id
)
ARRAY JOIN months AS month
GROUP BY first_month, periods_later;

-- 30 days in seconds.
CREATE VIEW funnel AS
SELECT step, sum(members) AS members
FROM (
	SELECT level, count() AS members
	FROM (
		SELECT windowFunnel(2592000)(ordered_at, order_id % 5 = 0, order_id % 5 = 1, order_id % 5 = 2) AS level
		FROM orders
		GROUP BY customer_id
	)
	GROUP BY level
)
ARRAY JOIN arrayMap(reached -> reached + 1, range(level)) AS step
GROUP BY step;
