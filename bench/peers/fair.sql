-- RFM as custmart documents it, in plain SQL: equal values score equally, and a member
-- without an order is listed, but has no score.  PostgreSQL and DuckDB run the same text.
WITH members AS (
	SELECT customer_id AS member,
		count(*) FILTER (WHERE amount >= 0) AS frequency,
		count(*) FILTER (WHERE amount < 0) AS refunds,
		sum(amount) AS monetary,
		min(ordered_at) FILTER (WHERE amount >= 0) AS first_order,
		max(ordered_at) FILTER (WHERE amount >= 0) AS last_order
	FROM orders
	GROUP BY customer_id
), timed AS (
	SELECT *, extract(epoch FROM (SELECT max(last_order) FROM members) - last_order)::float8 / 86400 AS recency
	FROM members
), limits AS (
	SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY recency) AS r,
		percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY frequency) AS f,
		percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY monetary::float8) AS m
	FROM timed
	WHERE frequency > 0
), tiles AS (
	SELECT timed.*,
		5 - (recency > limits.r[1])::int - (recency > limits.r[2])::int - (recency > limits.r[3])::int - (recency > limits.r[4])::int AS r,
		1 + (frequency > limits.f[1])::int + (frequency > limits.f[2])::int + (frequency > limits.f[3])::int + (frequency > limits.f[4])::int AS f,
		1 + (monetary > limits.m[1])::int + (monetary > limits.m[2])::int + (monetary > limits.m[3])::int + (monetary > limits.m[4])::int AS m
	FROM timed, limits
	WHERE frequency > 0
)
SELECT member, frequency, refunds, monetary, first_order, last_order, recency, r AS recency_score, f AS frequency_score, m AS monetary_score, 100 * r + 10 * f + m AS score, segment
FROM tiles
JOIN segment_of ON score = 100 * r + 10 * f + m
UNION ALL
SELECT member, frequency, refunds, monetary, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM timed
WHERE frequency = 0
