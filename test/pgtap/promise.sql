-- Kept promises: conditions that few can meet, and coming back after a let-down, on public data and by published methods.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(5);

-- 14 of 40 who were refused came back, 62 of 100 who were not (SciPy's ttest_ind, equal_var=False).
SELECT results_eq($$
  SELECT round(difference::numeric, 2), round(difference_low::numeric, 4), round(difference_high::numeric, 4), round(p_value::numeric, 6)
    FROM (SELECT count(*) FILTER (WHERE refused) AS n1, avg(y) FILTER (WHERE refused) AS m1, var_samp(y) FILTER (WHERE refused) AS v1,
                 count(*) FILTER (WHERE NOT refused) AS n0, avg(y) FILTER (WHERE NOT refused) AS m0, var_samp(y) FILTER (WHERE NOT refused) AS v0
            FROM (SELECT i <= 40 AS refused, (i <= 14 OR i > 40 AND i <= 102)::int AS y FROM generate_series(1, 140) i) s) g, welch_test(n1, m1, v1, n0, m0, v0) $$,
  $$ VALUES (-0.27, -0.4506, -0.0894, 0.003928) $$, 'after a let-down: 14 of 40 against 62 of 100');

-- More stock never hurts, and what is needed is the least that does.
SELECT is_empty($$
  SELECT * FROM (SELECT issued, redeemed, offered, stock, stock_out_probability(issued, redeemed, offered, stock) AS p, stock_out_probability(issued, redeemed, offered, stock + 1) AS next, stock_needed(issued, redeemed, offered, 0.9) AS needed
      FROM (VALUES (50, 0, 0), (200, 3, 40), (300, 299, 300), (1000, 60, 750)) v (issued, redeemed, offered), generate_series(0, issued) stock) s
   WHERE next > p * (1 + 1e-12) OR (stock = needed AND p > 0.1) OR (stock < needed AND p <= 0.1) $$, 'probabilities fall with the stock');

-- Online Retail: of the members of 90 days before November 2011, how many had one order of so much in its last 14 days.
\if :have_retail
CREATE TEMP TABLE retail (invoice text, code text, description text, quantity bigint, at timestamp, price numeric, customer bigint, country text);
\copy retail from program 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' csv header
CREATE TEMP TABLE invoice AS
SELECT customer, invoice, min(at) AS at, sum(quantity * price) AS amount FROM retail WHERE customer IS NOT NULL AND invoice NOT LIKE 'C%' GROUP BY 1, 2;
CREATE TEMP VIEW condition AS
SELECT minimum, count(*) AS members, count(*) FILTER (WHERE meets) AS met
  FROM (SELECT customer, minimum, bool_or(amount >= minimum AND at >= timestamp '2011-11-01' - interval '14 days') AS meets
          FROM invoice, (VALUES (100), (300), (1000)) v (minimum) WHERE at >= '2011-08-03' AND at < '2011-11-01' GROUP BY 1, 2) m
 GROUP BY minimum;
SELECT results_eq('SELECT minimum, members, met, round(100 * rate::numeric, 1) FROM condition, wilson_interval(met, members) ORDER BY minimum',
  $$ VALUES (100, 2461::bigint, 701::bigint, 28.5), (300, 2461, 426, 17.3), (1000, 2461, 58, 2.4) $$, 'Online Retail: few can meet an order of 1000 in 14 days');
SELECT results_eq('SELECT round(100 * ci_low::numeric, 2), round(100 * ci_high::numeric, 2) FROM condition, wilson_interval(met, members) WHERE minimum = 1000',
  $$ VALUES (1.83, 3.03) $$, 'and it is known how few');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 2);
\endif

-- The Complete Journey: households of a campaign that had ever bought an item of its coupons before it began.
\if :have_journey
CREATE TEMP TABLE line (household bigint, store_id int, basket_id text, product numeric, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric,
  coupon_match_disc numeric, week int, at timestamp);
CREATE TEMP TABLE coupon (upc text, product numeric, campaign int);
CREATE TEMP TABLE target (campaign int, household bigint);
CREATE TEMP TABLE campaign (campaign int, kind text, start_date date, end_date date);
\copy line from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
\copy coupon from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/coupons.csv.gz"' csv header
\copy target from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaigns.csv.gz"' csv header
\copy campaign from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaign_descriptions.csv.gz"' csv header
SELECT results_eq($$
  SELECT t.campaign, count(DISTINCT t.household), count(DISTINCT l.household)
    FROM target t JOIN campaign c USING (campaign) LEFT JOIN (line l JOIN coupon u USING (product)) ON u.campaign = t.campaign AND l.household = t.household AND l.at < c.start_date
   WHERE t.campaign IN (7, 8, 26) GROUP BY t.campaign ORDER BY t.campaign $$,
  $$ VALUES (7, 198::bigint, 11::bigint), (8, 1076, 1008), (26, 118, 0) $$, 'The Complete Journey: campaigns for what their households buy, and for what they never did');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
