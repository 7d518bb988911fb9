-- Growth of revenue: six movements that add up to its change.
-- Expected figures are worked out by hand; test/pgtap/retention.sql compares to plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA revenue_test;
SET search_path = revenue_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;

-- Member 1 pays 10, then 15, then is refunded 20 in March and pays 7 in May. 2 pays 30, 12, nothing until May, then 100.50. 3 is refunded before the first
-- order, which is of March. 4 pays 5 and gets it back in the same month; 5 orders for nothing in January and pays in February.
CREATE TABLE orders (member bigint, t timestamptz, amount numeric);
INSERT INTO orders VALUES
	(1, '2026-01-05', 10.00), (1, '2026-02-01', 15), (1, '2026-03-01', -20), (1, '2026-05-01', 7), (2, '2026-01-09', 30), (2, '2026-02-11', 12), (2, '2026-05-01', 100.5), (3, '2026-02-02', -4), (3, '2026-03-03', 8),
	(4, '2026-02-03', 5), (4, '2026-02-04', -5), (5, '2026-01-01', 0), (5, '2026-02-28', 3), (NULL, '2026-01-01', 1), (6, NULL, 1), (6, '2026-01-01', NULL);
CREATE VIEW money AS SELECT retention_book(member, t, amount, 'month', 'UTC') AS b FROM orders;
-- February: 1 expands by 5, 2 contracts by 18, 5 is new with 3, 3 is 4 below 0. Of 40 there are 27 left, 22 without the expansion.
-- March: 1, 2 and 5 churn, 15 + 12 + 3; 3 is new with 8 and 4 less below 0, 1 is 20 below 0. April: 3 churns, and nobody is below 0 any more.
-- May: 1 and 2 are back. June has not ended.
SELECT g.* FROM money, revenue_growth(b, '2026-06-15') g;
-- The latest row is of May, which has not ended then.
SELECT g.* FROM money, revenue_growth(b) g WHERE period > '2026-03-01';
SELECT count(*) AS periods, count(*) FILTER (WHERE revenue - before <> new_revenue + resurrected + expansion + contraction + churned + excess_refunds) AS differ, sum(revenue) = (SELECT sum(amount) FROM orders WHERE num_nulls(member, t, amount) = 0) AS all_money
FROM (SELECT g.*, coalesce(lag(revenue) OVER (ORDER BY period), 0) AS before FROM money, revenue_growth(b, '2026-06-15') g) s;
SELECT count(*) FILTER (WHERE net_retention_rate <> ((paid_before + expansion + contraction + churned) / paid_before)::float8 OR gross_retention_rate <> ((paid_before + contraction + churned) / paid_before)::float8) AS differ, count(net_retention_rate) AS rates FROM money, revenue_growth(b, '2026-06-15') WHERE paid_before > 0;
-- Two published examples of net revenue retention: of 100,000, 15,000 more, 5,000 less and 8,000 lost are 102 % (theprimecalculator.com); of 27,000, 8,000 more
-- and 5,000 lost are 111 % (churnzero.net). Without what is more they are 87 % and 22 of 27.
SELECT example, paid_before, expansion, contraction, churned, round(net_retention_rate::numeric, 4) AS net, round(gross_retention_rate::numeric, 4) AS gross FROM (SELECT example, (revenue_growth(retention_book(member, month, amount, 'month', 'UTC'), '2026-03-01')).*
	FROM (VALUES (1, 1, date '2026-01-01', 80000), (1, 1, '2026-02-01', 95000), (1, 2, '2026-01-01', 12000), (1, 2, '2026-02-01', 7000), (1, 3, '2026-01-01', 8000), (2, 1, '2026-01-01', 22000), (2, 1, '2026-02-01', 30000), (2, 2, '2026-01-01', 5000)) v (example, member, month, amount) GROUP BY example) g WHERE period = '2026-02-01' ORDER BY example;
-- However as_of is given.
SELECT count(DISTINCT x) AS answers FROM money, LATERAL (SELECT array_agg(g) AS x FROM revenue_growth(b, timestamptz '2026-06-15') g UNION ALL SELECT array_agg(g) FROM revenue_growth(b, timestamp '2026-06-15') g UNION ALL SELECT array_agg(g) FROM revenue_growth(b, date '2026-06-15') g UNION ALL SELECT array_agg(g) FROM revenue_growth(b, as_of => '2026-06-15') g) x;
-- Money of many digits, exact; amounts at the ends of 56 bits; scales that differ.
SELECT period, revenue, new_revenue + resurrected + expansion + coalesce(contraction + churned + excess_refunds, 0) AS change, net_retention_rate FROM revenue_growth((SELECT retention_book(1, timestamptz '2026-01-01' + day * interval '1 day', a, 'day', 'UTC')
	FROM (VALUES (0, 36028797018963967), (1, -36028797018963967), (1, -1), (2, 36028797018963967), (3, 99999999999999999999999999999999999999.5), (4, 0.0000000000000000000000000001), (5, -99999999999999999999999999999999999999), (7, 1.10), (8, 2.2)) v (day, a)), '2026-01-10');
-- Only refunds; nothing; a gap of years.
SELECT period, revenue, new_revenue, excess_refunds, paid_before FROM revenue_growth((SELECT retention_book(1, t, -5, 'month', 'UTC') FROM unnest('{2026-01-01,2026-02-01}'::timestamptz[]) t), '2026-04-01');
SELECT (SELECT count(*) FROM revenue_growth(NULL)) AS no_book, (SELECT count(*) FROM revenue_growth((SELECT retention_book(NULL::bigint, now(), 1, 'day', 'UTC')))) AS no_members, (SELECT count(*) FROM revenue_growth((SELECT retention_book(1, t, 5, 'month', 'UTC') FROM unnest('{1926-01-01,2026-01-01}'::timestamptz[]) t))) AS century;
-- Errors.
\set VERBOSITY default
SELECT * FROM revenue_growth((SELECT retention_book(member, t, 'month', 'UTC') FROM orders));
SELECT * FROM revenue_growth((SELECT retention_book(member, t) FROM orders));
SELECT * FROM revenue_growth((SELECT b FROM money), '2026-04-30');
SELECT * FROM revenue_growth((SELECT b FROM money), 'infinity');
SELECT * FROM revenue_growth((SELECT retention_book(1, '2026-01-01', 5, 'day', 'UTC')), '294276-12-31');
