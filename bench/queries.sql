-- The statements that bench/run compares, each a view, so that the text that is
-- timed is the text whose answer is checked.  A view costs nothing: the planner
-- substitutes its text.
--
-- Those that DuckDB runs, too, are in peers/, as is what ClickHouse is asked.
--
-- Reports are measured in the select list, as documented, where rows are handed out as
-- they are made, and in FROM (names that end in _from), where PostgreSQL stores them first.

-- About the least time in which PostgreSQL can read the three columns.
CREATE VIEW floor AS
SELECT max(customer_id) AS a, max(ordered_at) AS b, max(amount) AS c FROM orders;

-- ---------- book: a book alone, and what is made of it ----------

CREATE VIEW book_only AS
SELECT member_count(rfm_book(customer_id, ordered_at, amount)) FROM orders;

CREATE VIEW book_itself AS
SELECT rfm_book(customer_id, ordered_at, amount) AS book FROM orders;

CREATE VIEW segments_custmart AS
SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount))).* FROM orders;

-- ---------- rfm: members with scores and segments ----------

CREATE VIEW rfm_custmart AS
SELECT (rfm_members(rfm_book(customer_id, ordered_at, amount))).* FROM orders;
CREATE VIEW rfm_from AS
SELECT m.* FROM book_itself, rfm_members(book) m;

-- The segments, written out rather than taken from custmart, which is being checked.
CREATE TABLE segment_of AS
SELECT score::int, segment
FROM (VALUES
	('Champions', '555 554 544 545 454 455 445'),
	('Loyal', '543 444 435 355 354 345 344 335'),
	('Potential Loyalist', '553 551 552 541 542 533 532 531 452 451 442 441 431 453 433 432 423 353 352 351 342 341 333 323'),
	('New Customers', '512 511 422 421 412 411 311'),
	('Promising', '525 524 523 522 521 515 514 513 425 424 413 414 415 315 314 313'),
	('Need Attention', '535 534 443 434 343 334 325 324'),
	('About To Sleep', '331 321 312 221 213 231 241 251'),
	('At Risk', '255 254 245 244 253 252 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124'),
	('Cannot Lose Them', '155 154 144 214 215 115 114 113'),
	('Hibernating', '332 322 233 232 223 222 132 123 122 212 211'),
	('Lost', '111 112 121 131 141 151')
) s(segment, scores), string_to_table(scores, ' ') score;
ANALYZE segment_of;

\set ntile `cat bench/peers/ntile.sql`
\set ntile_any `sed 's/ FILTER (WHERE amount >= 0)//' bench/peers/ntile.sql`
\set fair `cat bench/peers/fair.sql`
CREATE VIEW rfm_ntile AS :ntile;
CREATE VIEW rfm_ntile_any AS :ntile_any;
CREATE VIEW rfm_fair AS :fair;

-- Who moved between segments since the middle of the time.
\set fair_before `sed 's/FROM orders/FROM orders WHERE ordered_at < (SELECT middle FROM halves)/' bench/peers/fair.sql`
CREATE TABLE halves AS
SELECT min(ordered_at) + (max(ordered_at) - min(ordered_at)) / 2 AS middle FROM orders;
CREATE VIEW rfm_moves AS
SELECT (rfm_transitions(rfm_book(customer_id, ordered_at, amount) FILTER (WHERE ordered_at < middle), rfm_book(customer_id, ordered_at, amount))).*
FROM orders, halves;
CREATE VIEW rfm_moves_fair AS
SELECT a.segment AS from_segment, b.segment AS to_segment, count(*) AS members, count(*) / (sum(count(*)) OVER (PARTITION BY a.segment))::float8 AS share,
	coalesce(sum(a.monetary), 0) AS from_monetary, coalesce(sum(b.monetary), 0) AS to_monetary
FROM (:fair_before) a FULL JOIN (:fair) b USING (member)
GROUP BY a.segment, b.segment;

-- ---------- group: one summary per member ----------

CREATE VIEW group_custmart AS
SELECT customer_id AS member, rfm(ordered_at, amount) AS summary FROM orders GROUP BY customer_id;

-- The same, read at once.
CREATE VIEW group_custmart_read AS
SELECT member, frequency(summary), monetary(summary), last_order(summary) FROM group_custmart;

CREATE VIEW group_plain AS
SELECT customer_id AS member, count(*) AS rows, sum(amount) AS monetary, max(ordered_at) AS last_row
FROM orders
GROUP BY customer_id;

-- Everything that a summary holds.
CREATE VIEW group_plain_all AS
SELECT customer_id AS member,
	count(*) FILTER (WHERE amount >= 0) AS frequency,
	sum(amount) AS monetary,
	count(*) FILTER (WHERE amount < 0) AS refunds,
	min(ordered_at) FILTER (WHERE amount >= 0) AS first_order,
	max(ordered_at) FILTER (WHERE amount >= 0) AS last_order
FROM orders
GROUP BY customer_id;

-- ---------- merge: books of eight parts of the orders ----------

\if :want_merge
CREATE VIEW parts_read AS SELECT sum(member_count(book)) AS members FROM parts;
CREATE VIEW parts_merged AS SELECT member_count(rollup(book)) AS members FROM parts;
\endif

-- ---------- stores: a book for each of many stores ----------

\if :want_stores
CREATE VIEW stores_custmart AS
SELECT store, rfm_book(customer_id, ordered_at, amount) AS book FROM store_orders GROUP BY store;
CREATE VIEW stores_plain AS
SELECT store, array_agg(customer_id) AS members FROM store_orders GROUP BY store;

CREATE VIEW few_stores_custmart AS
SELECT store, rfm_book(customer_id, ordered_at, amount) AS book FROM few_store_orders GROUP BY store;
CREATE VIEW few_stores_plain AS
SELECT store, array_agg(customer_id) AS members FROM few_store_orders GROUP BY store;
\endif

-- ---------- tier: grades inside a cohort ----------

\if :want_tier
CREATE VIEW tier_custmart AS
SELECT customer_id, tier(value, '{0.1,0.3}', '{gold,silver,bronze}') OVER (PARTITION BY cohort) FROM members;

CREATE VIEW tier_plain AS
SELECT customer_id,
	CASE WHEN better < 0.1 * members THEN 'gold' WHEN better < 0.4 * members THEN 'silver' ELSE 'bronze' END AS tier
FROM (
	SELECT customer_id,
		rank() OVER (PARTITION BY cohort ORDER BY value DESC) - 1 AS better,
		count(*) OVER (PARTITION BY cohort) AS members
	FROM members
) ranks;
\endif

-- ---------- lines: one row is a line of an order ----------

\if :want_lines
CREATE VIEW lines_custmart AS
SELECT (rfm_members(rfm_book(customer_id, order_id, ordered_at, amount))).* FROM order_lines;

CREATE VIEW lines_distinct AS
SELECT customer_id AS member,
	count(DISTINCT order_id) FILTER (WHERE amount >= 0) AS frequency,
	sum(amount) AS monetary,
	max(ordered_at) FILTER (WHERE amount >= 0) AS last_order
FROM order_lines
GROUP BY customer_id;

-- DISTINCT done by hand: orders first, then members.
CREATE VIEW lines_twice AS
SELECT customer_id AS member,
	count(*) FILTER (WHERE bought) AS frequency,
	sum(amount) AS monetary,
	max(last_line) AS last_order
FROM (
	SELECT customer_id, order_id, sum(amount) AS amount,
		bool_or(amount >= 0) AS bought,
		max(ordered_at) FILTER (WHERE amount >= 0) AS last_line
	FROM order_lines
	GROUP BY customer_id, order_id
) orders
GROUP BY customer_id;
\endif

-- ---------- tags: a set of tags against an array of them ----------

\if :want_tags
-- On every row.  The tag is one that 6 % of the members have.
CREATE VIEW tags_count AS SELECT count(*) FROM tag_sets;
CREATE VIEW tags_has_custmart AS SELECT count(*) FROM tag_sets WHERE tags ? 'segment:0020';
CREATE VIEW tags_has_array AS SELECT count(*) FROM tag_arrays WHERE tags @> '{segment:0020}';
CREATE VIEW tags_has_any AS SELECT count(*) FROM tag_arrays WHERE 'segment:0020' = ANY (tags);

CREATE VIEW tags_query_custmart AS
SELECT count(*) FROM tag_sets WHERE tags @@ 'category:0001 & (segment:0005 | segment:0010) & !campaign:0002';
CREATE VIEW tags_query_array AS
SELECT count(*) FROM tag_arrays
WHERE tags @> '{category:0001}' AND tags && '{segment:0005,segment:0010}' AND NOT tags @> '{campaign:0002}';

-- By index.
CREATE VIEW tags_index_custmart AS
SELECT customer_id FROM tag_sets WHERE tags @@ 'segment:0020 & segment:0030 & !category:0001';
CREATE VIEW tags_index_array AS
SELECT customer_id FROM tag_arrays WHERE tags @> '{segment:0020,segment:0030}' AND NOT tags @> '{category:0001}';

-- Built from the table that has a row for each tag of each member.
CREATE VIEW tags_made_custmart AS SELECT customer_id, tag_agg(tag) AS tags FROM member_tag GROUP BY customer_id;
CREATE VIEW tags_made_array AS SELECT customer_id, array_agg(tag) AS tags FROM member_tag GROUP BY customer_id;
CREATE VIEW tags_made_distinct AS SELECT customer_id, array_agg(DISTINCT tag) AS tags FROM member_tag GROUP BY customer_id;
\endif

-- ---------- price: what three groups paid for 20,000 items ----------

\if :want_price
CREATE VIEW price_floor AS SELECT max(item) AS item, max(grp) AS grp, max(price) AS price FROM orders;
CREATE VIEW price_floor_different AS SELECT max(item) AS item, max(grp) AS grp, max(price) AS price FROM different_prices;

CREATE VIEW price_book AS SELECT pricebook(item, grp, price) FROM orders;
CREATE VIEW price_custmart AS
SELECT (price_gaps(pricebook(item, grp, price), 'gold')).* FROM orders;
CREATE VIEW price_from AS
SELECT g.* FROM price_book, price_gaps(pricebook, 'gold') g;
CREATE VIEW price_floor_members AS
SELECT max(item) AS item, max(grp) AS grp, max(price) AS price, max(customer_id) AS customer_id FROM orders;
CREATE VIEW price_members_custmart AS
SELECT (price_gaps(pricebook(item, grp, price, customer_id), 'gold')).* FROM orders;
CREATE VIEW price_items_custmart AS
SELECT (price_gap_items(NULL::text, pricebook(item, grp, price), 'gold')).* FROM orders;
CREATE VIEW price_items_from AS
SELECT i.* FROM price_book, price_gap_items(NULL::text, pricebook, 'gold') i;
CREATE VIEW price_different_custmart AS
SELECT (price_gaps(pricebook(item, grp, price), 'gold')).* FROM different_prices;

-- The obvious first look; it tests nothing.
CREATE VIEW price_plain AS
SELECT item, grp, count(*) AS n, avg(price) AS mean, stddev(price) AS deviation
FROM orders
GROUP BY item, grp;

-- The rank test alone, written with the trick of counting prices first.
CREATE VIEW price_ranks AS
WITH points AS (
	SELECT item, price,
		count(*) FILTER (WHERE grp = 'gold') AS reference,
		count(*) FILTER (WHERE grp = 'basic') AS basic,
		count(*) FILTER (WHERE grp = 'plus') AS plus
	FROM orders
	GROUP BY item, price
), below AS (
	SELECT item, g.grp, g.own::float8, reference::float8,
		sum(reference) OVER (PARTITION BY item, g.grp ORDER BY price) - reference AS below
	FROM points, LATERAL (VALUES ('basic', basic), ('plus', plus)) g (grp, own)
), cells AS (
	SELECT item, grp, sum(own) AS m, sum(reference) AS n,
		sum(own * (below + reference / 2)) AS pairs,
		sum((own + reference) ^ 3) AS cubes
	FROM below
	GROUP BY item, grp
	HAVING sum(own) > 0 AND sum(reference) > 0
)
SELECT grp, sum((pairs - m * n / 2) / (m + n + 1)) /
	sqrt(sum(m * n / 12 * ((m + n) ^ 3 - cubes) / ((m + n) * (m + n - 1)) / (m + n + 1) ^ 2)) AS z
FROM cells
GROUP BY grp;
\endif

-- ---------- retention: a triangle of months ----------

CREATE VIEW retention_floor AS SELECT max(customer_id) AS a, max(ordered_at) AS b FROM orders;

CREATE VIEW retention_months AS SELECT retention_book(customer_id, ordered_at, 'month', 'UTC') AS book FROM orders;
CREATE VIEW retention_custmart AS
SELECT (cohort_retention(retention_book(customer_id, ordered_at, 'month', 'UTC'))).* FROM orders;
CREATE VIEW retention_from AS
SELECT r.* FROM retention_months, cohort_retention(book) r;

-- As it is usually written: the first month of every member joined to all of their months.
CREATE VIEW retention_join AS
WITH months AS (
	SELECT DISTINCT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'UTC') AS month FROM orders
), firsts AS (
	SELECT customer_id, min(date_trunc('month', ordered_at AT TIME ZONE 'UTC')) AS cohort FROM orders GROUP BY customer_id
)
SELECT cohort::date AS cohort,
	(extract(year FROM age(month, cohort)) * 12 + extract(month FROM age(month, cohort)))::int AS periods_later,
	count(*) AS active
FROM months
JOIN firsts USING (customer_id)
GROUP BY cohort, periods_later;

-- Written for speed: months once, as numbers, the first of them by a window.
CREATE VIEW retention_window AS
SELECT make_date(cohort / 12, cohort % 12 + 1, 1) AS cohort, month - cohort AS periods_later, count(*) AS active
FROM (
	SELECT month, min(month) OVER (PARTITION BY customer_id) AS cohort
	FROM (
		SELECT customer_id, (extract(year FROM ordered_at AT TIME ZONE 'UTC') * 12 + extract(month FROM ordered_at AT TIME ZONE 'UTC') - 1)::int AS month
		FROM orders
		GROUP BY 1, 2
	) months
) cohorts
GROUP BY 1, 2;

-- With the money of every month.
CREATE VIEW retention_net_custmart AS
SELECT (cohort_retention(retention_book(customer_id, ordered_at, amount, 'month', 'UTC'))).* FROM orders;
CREATE VIEW retention_net_join AS
WITH months AS (
	SELECT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'UTC') AS month,
		bool_or(amount >= 0) AS active, sum(amount) AS net
	FROM orders
	GROUP BY 1, 2
), firsts AS (
	SELECT customer_id, min(date_trunc('month', ordered_at AT TIME ZONE 'UTC')) AS cohort
	FROM orders
	WHERE amount >= 0
	GROUP BY customer_id
)
SELECT cohort::date AS cohort,
	(extract(year FROM age(month, cohort)) * 12 + extract(month FROM age(month, cohort)))::int AS periods_later,
	count(*) FILTER (WHERE active) AS active, sum(net) AS net
FROM months
JOIN firsts USING (customer_id)
WHERE month >= cohort
GROUP BY cohort, periods_later;

-- Why revenue changes from month to month.
CREATE VIEW retention_revenue_custmart AS
SELECT (revenue_growth(retention_book(customer_id, ordered_at, amount, 'month', 'UTC'))).* FROM orders;
CREATE VIEW retention_revenue_join AS
WITH spent AS MATERIALIZED (
	SELECT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'UTC') AS month, sum(amount) AS net FROM orders WHERE customer_id IS NOT NULL GROUP BY 1, 2
), first AS MATERIALIZED (SELECT customer_id, min(month) AS first FROM spent WHERE net > 0 GROUP BY 1)
SELECT month::date AS period, sum(now) AS revenue, coalesce(sum(now) FILTER (WHERE now > 0 AND month = first), 0) AS new_revenue,
	coalesce(sum(now) FILTER (WHERE now > 0 AND before <= 0 AND month > first), 0) AS resurrected,
	coalesce(sum(now - before) FILTER (WHERE now > before AND before > 0), 0) AS expansion, coalesce(sum(now - before) FILTER (WHERE now > 0 AND now < before), 0) AS contraction,
	coalesce(-sum(before) FILTER (WHERE now <= 0 AND before > 0), 0) AS churned, sum(least(now, 0) - least(before, 0)) AS excess_refunds
FROM (
	SELECT customer_id, month, coalesce(a.net, 0) AS now, coalesce(b.net, 0) AS before
	FROM spent a FULL JOIN (SELECT customer_id, month + interval '1 month' AS month, net FROM spent) b USING (customer_id, month)
) moved LEFT JOIN first USING (customer_id) GROUP BY month;

-- ---------- funnel: three steps within 30 days ----------

-- The step of an order follows from its number: two orders in five are not a step.
CREATE VIEW funnel_floor AS SELECT max(customer_id) AS a, max(ordered_at) AS b, max(order_id) AS c FROM orders;

CREATE VIEW funnel_events AS
SELECT funnel_book(customer_id, '30 days', ordered_at, order_id % 5 = 0, order_id % 5 = 1, order_id % 5 = 2) AS book FROM orders;
CREATE VIEW funnel_custmart AS
SELECT (funnel_steps(funnel_book(customer_id, '30 days', ordered_at, order_id % 5 = 0, order_id % 5 = 1, order_id % 5 = 2))).* FROM orders;

CREATE VIEW funnel_from AS
SELECT s.* FROM funnel_events, funnel_steps(book) s;

-- Without the orders that are not a step, as documented.
CREATE VIEW funnel_steps_custmart AS
SELECT (funnel_steps(funnel_book(customer_id, '30 days', ordered_at, order_id % 5 = 0, order_id % 5 = 1, order_id % 5 = 2))).*
FROM orders WHERE order_id % 5 < 3;

-- For every row the latest start of a chain that has got this far.
CREATE VIEW funnel_window AS
WITH first AS (
	SELECT customer_id, ordered_at, order_id % 5 AS kind,
		max(CASE WHEN order_id % 5 = 0 THEN ordered_at END) OVER (PARTITION BY customer_id ORDER BY ordered_at) AS start_1
	FROM orders
	WHERE order_id % 5 < 3
), second AS (
	SELECT customer_id, ordered_at, kind, start_1,
		max(CASE WHEN kind = 1 AND ordered_at <= start_1 + interval '30 days' THEN start_1 END)
			OVER (PARTITION BY customer_id ORDER BY ordered_at) AS start_2
	FROM first
), levels AS (
	SELECT customer_id,
		max(CASE WHEN kind = 2 AND ordered_at <= start_2 + interval '30 days' THEN 3
			WHEN start_2 IS NOT NULL THEN 2
			WHEN start_1 IS NOT NULL THEN 1 END) AS level
	FROM second
	GROUP BY customer_id
)
SELECT step, count(*) FILTER (WHERE level >= step) AS members
FROM levels, generate_series(1, 3) step
GROUP BY step;

-- ---------- clv: what will the members be worth? ----------

\if :want_clv
CREATE VIEW clv_book AS
SELECT retention_book(customer_id, ordered_at, amount, 'day', 'UTC') AS book FROM orders;
CREATE VIEW clv_fit_custmart AS
SELECT clv_fit(book) AS model FROM clv_book;
CREATE TABLE clv_fitted AS TABLE clv_fit_custmart;
CREATE VIEW clv_members_custmart AS
SELECT (clv_members(book, (SELECT model FROM clv_fitted))).* FROM clv_book;
CREATE VIEW clv_summaries_custmart AS
SELECT (clv_summaries(book)).* FROM clv_book;

-- What every fit outside the database begins with: days of orders of every member.
CREATE VIEW clv_summaries_plain AS
WITH days AS (
	SELECT customer_id, (ordered_at AT TIME ZONE 'UTC')::date AS day, bool_or(amount >= 0) AS active, sum(amount) AS net
	FROM orders
	GROUP BY 1, 2
), firsts AS (
	SELECT customer_id, day, active, net,
		min(day) FILTER (WHERE active) OVER (PARTITION BY customer_id) AS first, max(day) OVER () AS until
	FROM days
)
SELECT customer_id AS member, count(*) FILTER (WHERE active) - 1 AS repeats,
	(max(day) FILTER (WHERE active) - first)::float8 AS last_age, (until - first)::float8 AS age,
	sum(net) FILTER (WHERE day > first) / nullif(count(*) FILTER (WHERE active) - 1, 0) AS mean_spend
FROM firsts
WHERE first IS NOT NULL
GROUP BY customer_id, first, until;
\endif

-- ---------- campaign: what did it bring? ----------

\if :want_campaign
CREATE VIEW campaign_floor AS
SELECT bool_or(treated) AS a, max(spend) AS b, max(spend_before) AS c FROM campaign_members;
CREATE VIEW campaign_custmart AS
SELECT (campaign_results(campaign(treated, spend, spend_before))).* FROM campaign_members;

-- Means and their difference with its standard error, of spending and of what spending
-- before leaves to explain.
CREATE VIEW campaign_plain AS
WITH groups AS (
	SELECT treated, count(*) AS n, avg(spend) AS mean, var_samp(spend) AS variance, avg(spend_before) AS mean_before,
		var_samp(spend_before) AS variance_before, regr_sxy(spend, spend_before) AS sxy, regr_sxx(spend, spend_before) AS sxx
	FROM campaign_members
	GROUP BY treated
), slope AS (SELECT sum(sxy) / sum(sxx) AS b FROM groups),
pairs AS (
	SELECT t.mean - c.mean AS uplift, sqrt(t.variance / t.n + c.variance / c.n) AS std_error,
		t.mean - c.mean - b * (t.mean_before - c.mean_before) AS adjusted
	FROM groups t, groups c, slope
	WHERE t.treated AND NOT c.treated
)
SELECT 'spend' AS measure, uplift::float8, std_error::float8 FROM pairs
UNION ALL
SELECT 'adjusted spend', adjusted, NULL FROM pairs;
\endif

-- ---------- contact: who may be written to, and when is it too much? ----------

\if :want_contact
CREATE VIEW contact_floor AS
SELECT max(customer_id) AS a, max(channel) AS b, max(kind) AS c, max(logged_at) AS d FROM message_log;
CREATE VIEW contact_made AS
SELECT contact_book(customer_id, channel, kind, logged_at) AS book FROM message_log;
CREATE VIEW contact_allowances_custmart AS
SELECT (contact_allowances(contact_book(customer_id, channel, kind, logged_at), '2026-01-01Z', prior_weight => 10)).* FROM message_log;
CREATE VIEW contact_fatigue_custmart AS
SELECT (contact_fatigue(contact_book(customer_id, channel, kind, logged_at), '2026-01-01Z')).* FROM message_log;

-- Every row with the contact that it belongs to.
CREATE VIEW contact_credited AS
SELECT customer_id, channel, kind, logged_at,
	max(CASE WHEN kind = 'sent' THEN logged_at END) OVER (PARTITION BY customer_id, channel ORDER BY logged_at) AS contact_at
FROM message_log;
CREATE VIEW contact_answered AS
SELECT customer_id, channel, contact_at,
	bool_or(kind IN ('clicked', 'converted') AND logged_at <= contact_at + interval '7 days') AS answered,
	bool_or(kind IN ('unsubscribed', 'complained') AND logged_at <= contact_at + interval '7 days') AS opted_out
FROM contact_credited
WHERE contact_at IS NOT NULL
GROUP BY 1, 2, 3;

-- The moment from which on the next contact is allowed is looked up for those who must wait.
CREATE VIEW contact_allowances_plain AS
WITH answered AS MATERIALIZED (TABLE contact_answered), pair AS (
	SELECT customer_id, channel,
		coalesce(max(CASE WHEN kind IN ('unsubscribed', 'complained') THEN logged_at END)
			>= coalesce(max(CASE WHEN kind = 'subscribed' THEN logged_at END), '-infinity'), false) AS is_opted_out
	FROM message_log
	GROUP BY 1, 2
), counted AS (
	SELECT customer_id, channel, count(*) FILTER (WHERE contact_at > timestamptz '2026-01-01Z' - interval '7 days') AS contacts,
		count(*) FILTER (WHERE is_mature) AS n, count(*) FILTER (WHERE is_mature AND answered) AS x
	FROM (SELECT *, contact_at > timestamptz '2026-01-01Z' - interval '180 days'
			AND contact_at <= timestamptz '2026-01-01Z' - interval '7 days' AS is_mature FROM answered) a
	GROUP BY 1, 2
), everybody AS (
	SELECT channel, sum(x) AS x, sum(n) AS n FROM counted GROUP BY channel
), capped AS (
	SELECT p.customer_id, p.channel, coalesce(c.contacts, 0) AS contacts, is_opted_out,
		CASE WHEN is_opted_out THEN 0 ELSE least(greatest(floor(3 * (coalesce(c.x, 0) * e.n + 10 * e.x) / ((coalesce(c.n, 0) + 10) * e.x) + 0.5), 1), 7) END::int AS cap
	FROM pair p LEFT JOIN counted c USING (customer_id, channel) JOIN everybody e USING (channel)
)
SELECT customer_id AS member, channel, contacts, cap, contacts < cap AS is_allowed,
	CASE WHEN cap > contacts THEN timestamptz '2026-01-01Z' ELSE later.next_allowed END AS next_allowed, is_opted_out
FROM capped LEFT JOIN LATERAL (
	SELECT logged_at + interval '7 days' AS next_allowed FROM message_log l
	WHERE cap > 0 AND l.customer_id = capped.customer_id AND l.channel = capped.channel AND l.kind = 'sent'
	ORDER BY logged_at DESC OFFSET greatest(cap - 1, 0) LIMIT 1) later ON cap > 0 AND contacts >= cap;
CREATE INDEX message_log_sent ON message_log (customer_id, channel, logged_at) WHERE kind = 'sent';

CREATE VIEW contact_fatigue_plain AS
WITH answered AS MATERIALIZED (TABLE contact_answered), prior AS (
	SELECT a.customer_id, a.channel, a.contact_at, a.answered, a.opted_out, least(count(b.customer_id), 10) AS prior
	FROM answered a LEFT JOIN answered b
		ON b.customer_id = a.customer_id AND b.contact_at < a.contact_at AND b.contact_at > a.contact_at - interval '7 days'
	WHERE a.contact_at <= timestamptz '2026-01-01Z' - interval '7 days'
	GROUP BY 1, 2, 3, 4, 5
), cell AS (
	SELECT customer_id, prior, count(*) AS n, count(*) FILTER (WHERE answered) AS x, count(*) FILTER (WHERE opted_out) AS o
	FROM prior
	GROUP BY 1, 2
), ratio AS (
	SELECT a.prior, count(*) AS members, sum(a.x * r.n / (a.n + r.n)::float8) / sum(r.x * a.n / (a.n + r.n)::float8) AS rate_ratio
	FROM cell a JOIN cell r ON r.customer_id = a.customer_id AND r.prior = 0
	WHERE a.prior > 0
	GROUP BY a.prior
)
SELECT prior, sum(n)::bigint AS contacts, sum(x)::bigint AS responses, sum(o)::bigint AS opt_outs, members, rate_ratio
FROM cell LEFT JOIN ratio USING (prior)
GROUP BY prior, members, rate_ratio;
\endif

-- ---------- audience: who gets what ----------

\if :want_audience
CREATE VIEW audience_floor AS
SELECT max(customer_id) AS a, max(score) AS b, bool_or(come_back) AS c, bool_or(thanks) AS d, bool_or(new_app) AS e, bool_or(birthday) AS f, bool_or(news) AS g
FROM mailing;
CREATE VIEW audience_made AS
SELECT audience_book(customer_id, score, come_back, thanks, new_app, birthday, news) AS book FROM mailing;
CREATE VIEW audience_custmart AS
SELECT (audience_plan(audience_book(customer_id, score, come_back, thanks, new_app, birthday, news), '{50000,100000,NULL,20000,100000}')).* FROM mailing;
CREATE VIEW audience_from AS
SELECT p.* FROM audience_made, audience_plan(book, '{50000,100000,NULL,20000,100000}') p;
CREATE VIEW audience_made_shuffled AS
SELECT audience_book(customer_id, score, come_back, thanks, new_app, birthday, news) AS book FROM mailing_shuffled;
CREATE VIEW audience_shuffled AS
SELECT (audience_plan(audience_book(customer_id, score, come_back, thanks, new_app, birthday, news), '{50000,100000,NULL,20000,100000}')).* FROM mailing_shuffled;

-- Each audience ranks those whom the ones before it left; ties are cut by the same hash.
CREATE VIEW audience_plain AS
WITH one AS MATERIALIZED (
	SELECT * FROM (SELECT customer_id, 1 AS audience, row_number() OVER (ORDER BY score DESC, hash_share(customer_id, ''), customer_id) AS place
	FROM mailing m WHERE come_back) r WHERE place <= 50000
), two AS MATERIALIZED (
	SELECT * FROM (SELECT customer_id, 2 AS audience, row_number() OVER (ORDER BY score DESC, hash_share(customer_id, ''), customer_id) AS place
	FROM mailing m WHERE thanks AND NOT EXISTS (SELECT FROM one WHERE one.customer_id = m.customer_id)) r WHERE place <= 100000
), three AS MATERIALIZED (
	SELECT customer_id, 3 AS audience, row_number() OVER (ORDER BY score DESC, hash_share(customer_id, ''), customer_id) AS place
	FROM mailing m WHERE new_app AND NOT EXISTS (SELECT FROM one WHERE one.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM two WHERE two.customer_id = m.customer_id)
), four AS MATERIALIZED (
	SELECT * FROM (SELECT customer_id, 4 AS audience, row_number() OVER (ORDER BY score DESC, hash_share(customer_id, ''), customer_id) AS place
	FROM mailing m WHERE birthday AND NOT EXISTS (SELECT FROM one WHERE one.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM two WHERE two.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM three WHERE three.customer_id = m.customer_id)) r WHERE place <= 20000
), five AS MATERIALIZED (
	SELECT * FROM (SELECT customer_id, 5 AS audience, row_number() OVER (ORDER BY score DESC, hash_share(customer_id, ''), customer_id) AS place
	FROM mailing m WHERE news AND NOT EXISTS (SELECT FROM one WHERE one.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM two WHERE two.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM three WHERE three.customer_id = m.customer_id) AND NOT EXISTS (SELECT FROM four WHERE four.customer_id = m.customer_id)) r WHERE place <= 100000
)
TABLE one UNION ALL TABLE two UNION ALL TABLE three UNION ALL TABLE four UNION ALL TABLE five;

CREATE VIEW audience_overlaps_custmart AS
SELECT (audience_overlaps(audience_book(customer_id, score, come_back, thanks, new_app, birthday, news), '{come_back,thanks,new_app,birthday,news}')).* FROM mailing;
CREATE VIEW audience_overlaps_plain AS
WITH exactly AS (
	SELECT array_remove(ARRAY[CASE WHEN come_back THEN 'come_back' END, CASE WHEN thanks THEN 'thanks' END, CASE WHEN new_app THEN 'new_app' END,
		CASE WHEN birthday THEN 'birthday' END, CASE WHEN news THEN 'news' END], NULL) AS audiences, members
	FROM (SELECT come_back, thanks, new_app, birthday, news, count(*) AS members FROM mailing GROUP BY 1, 2, 3, 4, 5) g
)
SELECT audiences, members, (SELECT sum(members)::bigint FROM exactly more WHERE more.audiences @> e.audiences) AS at_least, members / (SELECT sum(members) FROM exactly)::float8 AS share
FROM exactly e;
\endif

-- ---------- mart: members whose orders changed ----------

\if :want_mart
CREATE VIEW mart_plain AS
SELECT customer_id AS member, rfm(ordered_at, amount) AS rfm, count(*) AS orders, max(ordered_at) AS last_seen
FROM mart_orders
WHERE customer_id IS NOT NULL
GROUP BY customer_id;

-- One order more of one member in so many, of others each time.
CREATE SEQUENCE mart_round;
CREATE FUNCTION mart_touch(one_in int) RETURNS bigint LANGUAGE sql AS $$
	WITH round AS MATERIALIZED (SELECT nextval('mart_round') AS round), made AS (
		INSERT INTO mart_orders SELECT -1, member, last_seen, 1 FROM mart, round
		WHERE abs(hash_record_extended(ROW(member), round)) % one_in = 0
		RETURNING 1
	)
	SELECT count(*) FROM made;
$$;
\endif

-- ---------- checks: can this table be counted? ----------

\if :want_checks
CREATE VIEW checks_floor AS
SELECT max(member) AS a, max(order_id) AS b, max(item) AS c, max(ordered_at) AS d, max(quantity) AS e, max(price) AS f FROM check_lines;
CREATE VIEW checks_custmart AS
SELECT (order_checks(check_book(member, order_id, item, ordered_at, quantity, price))).* FROM check_lines;
CREATE VIEW checks_book AS
SELECT check_book(member, order_id, item, ordered_at, quantity, price) AS book FROM check_lines;

-- A statement for each check, one after the other.
CREATE VIEW checks_plain AS
SELECT 'no_member' AS check_name, count(*) AS rows, coalesce(sum(quantity * price), 0) AS amount FROM check_lines
WHERE member IS NULL OR lower(btrim(member) COLLATE "C") IN ('', '0', '-1', 'guest', 'unknown', 'n/a', 'null', 'test', 'anonymous')
UNION ALL
SELECT 'dominant_member', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE member = (SELECT member FROM (SELECT member, n, lead(n) OVER (ORDER BY n DESC) AS second, row_number() OVER (ORDER BY n DESC) AS place
	FROM (SELECT member, count(DISTINCT order_id) AS n FROM check_lines WHERE member IS NOT NULL GROUP BY 1) m) r
	WHERE place = 1 AND n >= 10 * second AND n >= 0.05 * (SELECT count(DISTINCT order_id) FROM check_lines))
UNION ALL
SELECT 'duplicate_row', coalesce(sum(n - 1), 0)::bigint, coalesce(sum((n - 1) * money), 0)
FROM (SELECT count(*) AS n, quantity * price AS money FROM check_lines GROUP BY member, order_id, item, ordered_at, quantity, price HAVING count(*) > 1) d
UNION ALL
SELECT 'order_two_members', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE order_id IN (SELECT order_id FROM check_lines GROUP BY 1 HAVING min(member) <> max(member))
UNION ALL
SELECT 'order_two_times', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE order_id IN (SELECT order_id FROM check_lines GROUP BY 1 HAVING min(ordered_at) <> max(ordered_at))
UNION ALL
SELECT 'placeholder_date', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE NOT isfinite(ordered_at) OR (ordered_at AT TIME ZONE 'UTC')::date = '1970-01-01' OR extract(year FROM ordered_at AT TIME ZONE 'UTC') IN (1, 1753, 1899, 1900, 2038, 9999)
UNION ALL
SELECT 'day_month_swap', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE order_id IN (
	SELECT order_id FROM (
		SELECT order_id, t, ARRAY[lag(t, 5) OVER w, lag(t, 4) OVER w, lag(t, 3) OVER w, lag(t, 2) OVER w, lag(t) OVER w,
			lead(t) OVER w, lead(t, 2) OVER w, lead(t, 3) OVER w, lead(t, 4) OVER w, lead(t, 5) OVER w] AS neighbours
		FROM (SELECT order_id, min(ordered_at AT TIME ZONE 'UTC') AS t FROM check_lines GROUP BY 1) o
		WINDOW w AS (ORDER BY substring(order_id FROM '[0-9]+$')::bigint)) s,
	LATERAL (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS median FROM unnest(neighbours) n WHERE n IS NOT NULL) m
	WHERE abs(extract(epoch FROM t - median)) > 10 * 86400 AND extract(day FROM t) <= 12
	AND abs(extract(epoch FROM make_timestamp(extract(year FROM t)::int, least(extract(day FROM t), 12)::int, extract(month FROM t)::int, 0, 0, 0) + t::time - median)) <= 2 * 86400)
UNION ALL
SELECT 'gap', count(*), NULL
FROM (SELECT min(ordered_at AT TIME ZONE 'UTC')::date AS first, max(ordered_at AT TIME ZONE 'UTC')::date AS last FROM check_lines) b, generate_series(first, last, interval '1 day') g
WHERE g::date NOT IN (SELECT (ordered_at AT TIME ZONE 'UTC')::date FROM check_lines)
AND extract(dow FROM g) IN (SELECT extract(dow FROM ordered_at AT TIME ZONE 'UTC') FROM check_lines)
UNION ALL
SELECT 'negative_price', count(*), coalesce(sum(quantity * price), 0) FROM check_lines WHERE price < 0
UNION ALL
SELECT 'zero_price', count(*), coalesce(sum(quantity * price), 0) FROM check_lines WHERE price = 0
UNION ALL
SELECT kind, count(price), coalesce(sum(quantity * price), 0)
FROM (VALUES ('price_outlier'), ('decimal_slip')) k (kind) LEFT JOIN (
	SELECT quantity, price, price::float8 / exp(m) AS ratio FROM check_lines JOIN (
		SELECT item, m, n, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(ln(price::float8) - m)) AS mad, avg(abs(ln(price::float8) - m)) AS mean
		FROM check_lines JOIN (
			SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(price::float8)) AS m, count(*) AS n FROM check_lines WHERE price > 0 AND quantity > 0 GROUP BY 1) i USING (item)
		WHERE price > 0 AND quantity > 0 GROUP BY 1, 2, 3) u USING (item)
	WHERE price > 0 AND quantity > 0 AND n >= 10
	AND CASE WHEN mad > 0 THEN 0.67449 * abs(ln(price::float8) - m) / mad WHEN mean > 0 THEN abs(ln(price::float8) - m) / (1.25331 * mean) ELSE 0 END > 3.5) x
ON CASE kind WHEN 'price_outlier' THEN abs(ln(ratio)) >= ln(10.0::float8) - 1e-9
	ELSE EXISTS (SELECT FROM generate_series(1, 3) k WHERE abs(ratio / 10.0::float8 ^ k::float8 - 1) <= 0.005 OR abs(ratio * 10.0::float8 ^ k::float8 - 1) <= 0.005) END
GROUP BY 1
UNION ALL
SELECT 'huge_reversal', count(*), coalesce(sum(s.quantity * s.price), 0)
FROM check_lines s JOIN (SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY quantity::float8) AS m, count(*) AS n FROM check_lines WHERE price > 0 AND quantity > 0 GROUP BY 1) u USING (item),
	(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY quantity::float8) AS of_all FROM check_lines WHERE price > 0 AND quantity > 0) a
WHERE price > 0 AND quantity >= 100 * CASE WHEN n >= 10 THEN m ELSE of_all END
AND EXISTS (SELECT FROM check_lines r WHERE r.item = s.item AND r.member = s.member AND r.price = s.price AND r.quantity = -s.quantity AND r.ordered_at > s.ordered_at)
UNION ALL
SELECT 'refund', count(*), coalesce(sum(quantity * price), 0) FROM check_lines WHERE quantity < 0
UNION ALL
SELECT 'item_variant', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE lower(btrim(item) COLLATE "C") IN (SELECT lower(btrim(item) COLLATE "C") FROM check_lines GROUP BY 1 HAVING min(item) <> max(item))
UNION ALL
SELECT 'member_variant', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE lower(btrim(member) COLLATE "C") IN (SELECT lower(btrim(member) COLLATE "C") FROM check_lines GROUP BY 1 HAVING min(member) <> max(member))
UNION ALL
SELECT 'rare_item_shape', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE regexp_replace(regexp_replace(item, '[0-9]', '9', 'g'), '[A-Za-z]', 'A', 'g') IN (
	SELECT regexp_replace(regexp_replace(item, '[0-9]', '9', 'g'), '[A-Za-z]', 'A', 'g') FROM check_lines GROUP BY 1 HAVING count(*) < 0.01 * (SELECT count(*) FROM check_lines))
UNION ALL
SELECT 'scientific_id', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE member ~* '^[0-9](\.[0-9]+)?e\+[0-9]+$' OR order_id ~* '^[0-9](\.[0-9]+)?e\+[0-9]+$' OR item ~* '^[0-9](\.[0-9]+)?e\+[0-9]+$'
UNION ALL
SELECT 'test_row', count(*), coalesce(sum(quantity * price), 0) FROM check_lines
WHERE member ~* '(^|[^a-z])(test|dummy)([^a-z]|$)' OR order_id ~* '(^|[^a-z])(test|dummy)([^a-z]|$)' OR item ~* '(^|[^a-z])(test|dummy)([^a-z]|$)';
\endif

\if :want_basket
-- What goes with what.
CREATE VIEW basket_floor AS SELECT max(basket) AS a, max(item) AS b FROM basket_lines;
CREATE VIEW basket_sets AS SELECT basket_count(basket_book(basket, item)) FROM basket_lines;
CREATE VIEW basket_custmart AS SELECT (item_affinities(basket_book(basket, item))).* FROM basket_lines;
-- The same without a test: the self-join, in whose place there is no other way in SQL.
CREATE VIEW basket_plain AS
WITH sets AS MATERIALIZED (SELECT DISTINCT basket, item FROM basket_lines),
kept AS MATERIALIZED (SELECT basket, item FROM sets WHERE basket NOT IN (SELECT basket FROM sets GROUP BY basket HAVING count(*) > 100)),
one AS MATERIALIZED (SELECT item, count(*) AS n FROM kept GROUP BY item),
pair AS MATERIALIZED (
	SELECT a.item, b.item AS other, count(*) AS together FROM kept a JOIN kept b USING (basket)
	WHERE a.item < b.item GROUP BY a.item, b.item HAVING count(*) >= 10),
both_ways AS (SELECT item, other, together FROM pair UNION ALL SELECT other, item, together FROM pair)
SELECT item, other, rank, together, item_baskets, other_baskets, together::float8 / baskets AS support, together::float8 / item_baskets AS confidence,
	together::float8 * baskets / (item_baskets::float8 * other_baskets) AS lift, together::float8 / (item_baskets + other_baskets - together) AS jaccard, together / sqrt(item_baskets::float8 * other_baskets) AS cosine
FROM (SELECT p.item, p.other, p.together, a.n AS item_baskets, b.n AS other_baskets,
		rank() OVER (PARTITION BY p.item ORDER BY p.together * p.together::numeric / b.n DESC) AS rank
	FROM both_ways p JOIN one a ON a.item = p.item JOIN one b ON b.item = p.other) r,
	(SELECT count(DISTINCT basket) AS baskets FROM kept) n
WHERE rank <= 20;
\endif
