-- RFM as an analyst writes it: three NTILEs and a CASE.  PostgreSQL and
-- DuckDB run the same text.  It computes no more than it must to be useful: neither
-- the first order nor the recency in days.
SELECT member, frequency, monetary, last_order, r, f, m, score,
	CASE
		WHEN score IN (555, 554, 544, 545, 454, 455, 445) THEN 'Champions'
		WHEN score IN (543, 444, 435, 355, 354, 345, 344, 335) THEN 'Loyal'
		WHEN score IN (553, 551, 552, 541, 542, 533, 532, 531, 452, 451, 442, 441, 431, 453, 433, 432, 423, 353, 352, 351, 342, 341, 333, 323) THEN 'Potential Loyalist'
		WHEN score IN (512, 511, 422, 421, 412, 411, 311) THEN 'New Customers'
		WHEN score IN (525, 524, 523, 522, 521, 515, 514, 513, 425, 424, 413, 414, 415, 315, 314, 313) THEN 'Promising'
		WHEN score IN (535, 534, 443, 434, 343, 334, 325, 324) THEN 'Need Attention'
		WHEN score IN (331, 321, 312, 221, 213, 231, 241, 251) THEN 'About To Sleep'
		WHEN score IN (255, 254, 245, 244, 253, 252, 243, 242, 235, 234, 225, 224, 153, 152, 145, 143, 142, 135, 134, 133, 125, 124) THEN 'At Risk'
		WHEN score IN (155, 154, 144, 214, 215, 115, 114, 113) THEN 'Cannot Lose Them'
		WHEN score IN (332, 322, 233, 232, 223, 222, 132, 123, 122, 212, 211) THEN 'Hibernating'
		WHEN score IN (111, 112, 121, 131, 141, 151) THEN 'Lost'
	END AS segment
FROM (
	SELECT *, 100 * r + 10 * f + m AS score
	FROM (
		SELECT *,
			ntile(5) OVER (ORDER BY last_order) AS r,
			ntile(5) OVER (ORDER BY frequency) AS f,
			ntile(5) OVER (ORDER BY monetary) AS m
		FROM (
			SELECT customer_id AS member,
				count(*) FILTER (WHERE amount >= 0) AS frequency,
				sum(amount) AS monetary,
				max(ordered_at) FILTER (WHERE amount >= 0) AS last_order
			FROM orders
			GROUP BY customer_id
		) all_members
		WHERE frequency > 0
	) tiles
) scores
