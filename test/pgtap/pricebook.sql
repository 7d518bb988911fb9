-- pricebook against an oracle: every column of the price reports is computed once
-- more in plain SQL, from the rows, and compared row for row.  (Student's quantiles,
-- which SQL does not have, are left to test/t/080_price_oracle.pl but for an expansion.)
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

SELECT plan(78);

-- The oracle

-- One row per sale.
CREATE TEMP TABLE sale (item text, period date, member_group text, price numeric, quantity numeric);

-- Two numbers that differ in rounding only.
CREATE FUNCTION pg_temp.near(a float8, b float8, zero float8 DEFAULT 0) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= 1e-9 * greatest(abs(a), abs(b)) + zero, false)
$$;

-- Two-sided p of a standard normal z, by its series, and far out by its continued
-- fraction (Abramowitz and Stegun 26.2.11 and 26.2.14).
CREATE FUNCTION pg_temp.normal_p(z float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  x float8 := abs(z);
  density float8;
  term float8 := x;
  sum float8 := 0;
BEGIN
  -- Beyond, PostgreSQL calls it an underflow; p is below 4e-306.
  IF x > 37.4 THEN
    RETURN 0;
  END IF;
  density := exp(-x * x / 2) / sqrt(2 * pi());
  IF x < 3 THEN
    FOR k IN 1 .. 100 LOOP
      sum := sum + term;
      EXIT WHEN term <= sum * 1e-20;
      term := term * x * x / (2 * k + 1);
    END LOOP;
    RETURN 1 - 2 * density * sum;
  END IF;
  sum := x;
  FOR k IN REVERSE 200 .. 1 LOOP
    sum := x + k / sum;
  END LOOP;
  RETURN 2 * density / sum;
END $$;

-- Hedges' correction for an integer number of degrees of freedom, from
-- gamma(x + 1) = x gamma(x), gamma(1) = 1 and gamma(1/2) = sqrt(pi).
CREATE TEMP TABLE correction AS
SELECT df, exp(sum(ln(factor)) OVER (PARTITION BY df % 2 ORDER BY df)) / sqrt(df / 2.0::float8) AS j
  FROM generate_series(2, 20000) df,
       LATERAL (SELECT CASE df WHEN 2 THEN 1 / sqrt(pi()) WHEN 3 THEN sqrt(pi()) / 2 ELSE (df - 2.0::float8) / (df - 3) END AS factor) f;

-- q of Benjamini and Hochberg.
CREATE FUNCTION pg_temp.benjamini_hochberg(p float8[]) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(q ORDER BY i)
    FROM (SELECT i, min(p * n / place) OVER (ORDER BY place DESC) AS q
            FROM (SELECT i, p, row_number() OVER (ORDER BY p) AS place, count(*) OVER () AS n
                    FROM unnest(p) WITH ORDINALITY AS u (p, i)) s) t
$$;

-- What is a sale.
CREATE FUNCTION pg_temp.sold() RETURNS SETOF sale LANGUAGE sql STABLE AS $$
  SELECT * FROM sale
   WHERE item IS NOT NULL AND period IS NOT NULL AND member_group IS NOT NULL AND price IS NOT NULL AND quantity IS NOT NULL
     AND price > 0 AND quantity > 0
$$;

-- The median of numerics, exact (percentile_cont is of float8).
CREATE FUNCTION pg_temp.fair(reference text) RETURNS TABLE (item text, period date, fair_price numeric, rows bigint)
LANGUAGE sql STABLE AS $$
  SELECT item, period,
         (percentile_disc(0.5) WITHIN GROUP (ORDER BY price) + percentile_disc(0.5) WITHIN GROUP (ORDER BY price DESC)) * 0.5,
         count(*)
    FROM pg_temp.sold() WHERE member_group = reference GROUP BY item, period
$$;

-- ln gamma(x), by Stirling's series where that is exact enough (Abramowitz and Stegun 6.1.41).
CREATE FUNCTION pg_temp.ln_gamma(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT (z - 0.5) * ln(z) - z + ln(2 * pi()) / 2 + 1 / (12 * z) - 1 / (360 * z ^ 3) + 1 / (1260 * z ^ 5) - 1 / (1680 * z ^ 7)
         - (SELECT coalesce(sum(ln(x + i)), 0) FROM generate_series(0, steps - 1) i)
    FROM (SELECT greatest(ceil(20 - x), 0)::int AS steps) s, LATERAL (SELECT x + steps AS z) z
$$;

-- The incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8); x^a needs no more digits than floats have.
CREATE FUNCTION pg_temp.incomplete_beta(x float8, a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  power float8;
  fraction float8 := 1;
BEGIN
  IF x <= 0 THEN
    RETURN 0;
  ELSIF x > (a + 1) / (a + b + 2) THEN
    RETURN 1 - pg_temp.incomplete_beta(1 - x, b, a);
  END IF;
  power := a * ln(x) + b * ln(1 - x) + pg_temp.ln_gamma(a + b) - pg_temp.ln_gamma(a) - pg_temp.ln_gamma(b);
  -- Beyond, PostgreSQL calls it an underflow.
  IF power < -700 THEN
    RETURN 0;
  END IF;
  FOR m IN REVERSE 300 .. 1 LOOP
    fraction := 1 + m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) / fraction;
    fraction := 1 - (a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1)) / fraction;
  END LOOP;
  RETURN exp(power) / a / fraction;
END $$;

-- Two-sided p of Student's t.
CREATE FUNCTION pg_temp.student_p(t float8, df float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE WHEN t * t < 3 THEN 1 - pg_temp.incomplete_beta(t * t / (df + t * t), 0.5, df / 2) ELSE pg_temp.incomplete_beta(df / (df + t * t), df / 2, 0.5) END
$$;

-- Every group's and the reference's rows in their common cells, with what the tests
-- need: midranks, ties, logarithms relative to their mean, the fair price.
CREATE TEMP TABLE compared (member_group text, item text, period date, is_own boolean, price numeric, quantity numeric, fair_price numeric,
                            midrank float8, tied bigint, m bigint, n bigint, x float8, y float8);
CREATE FUNCTION pg_temp.compare(reference text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE compared;
  INSERT INTO compared
  WITH sold AS MATERIALIZED (SELECT * FROM pg_temp.sold()),
  fair AS MATERIALIZED (SELECT * FROM pg_temp.fair(reference)),
  common AS (SELECT DISTINCT s.member_group, item, period, fair_price FROM sold s JOIN fair USING (item, period) WHERE s.member_group <> reference),
  side AS (
    SELECT c.member_group, item, period, s.member_group <> reference AS is_own, s.price, s.quantity, c.fair_price, ln(s.price::float8) AS y
      FROM common c JOIN sold s USING (item, period) WHERE s.member_group IN (c.member_group, reference))
  SELECT member_group, item, period, is_own, price, quantity, fair_price,
         rank() OVER (cell ORDER BY price) + (count(*) OVER price - 1) / 2.0::float8, count(*) OVER price,
         count(*) FILTER (WHERE is_own) OVER cell, count(*) FILTER (WHERE NOT is_own) OVER cell,
         is_own::int - avg(is_own::int::float8) OVER cell, y - avg(y) OVER cell
    FROM side
  WINDOW cell AS (PARTITION BY member_group, item, period), price AS (PARTITION BY member_group, item, period, price);
  ANALYZE compared;
END $$;

-- van Elteren's sums of every cell.
CREATE VIEW pg_temp.ranked AS
SELECT member_group, item, period, 1.0::float8 / (m + n + 1) AS weight,
       sum(midrank) FILTER (WHERE is_own) - m * (m + n + 1) / 2.0::float8 AS excess,
       -- Of t tied rows each adds t^2 - 1, together t^3 - t.
       m * n / 12.0::float8 * (m + n + 1 - sum((tied * tied - 1)::float8) / ((m + n)::float8 * (m + n - 1))) AS variance
  FROM compared GROUP BY member_group, item, period, m, n;

CREATE TYPE pg_temp.item_row AS (
  item text, member_group text, rows bigint, reference_rows bigint, mean numeric, reference_mean numeric, median numeric, reference_median numeric,
  gap_pct float8, hedges_g float8, p_value float8, q_value float8, overcharge numeric, is_flagged boolean);
CREATE FUNCTION pg_temp.items(alpha float8, min_premium_pct float8, min_rows int) RETURNS SETOF pg_temp.item_row LANGUAGE sql STABLE AS $$
  WITH test AS (
    SELECT member_group, item, sum(weight * excess) / sqrt(nullif(sum(weight * weight * variance), 0)) AS z FROM pg_temp.ranked GROUP BY member_group, item),
  summary AS MATERIALIZED (
    SELECT member_group, item, is_own, count(*) AS n, avg(price) AS mean, var_samp(price) AS variance,
           (percentile_disc(0.5) WITHIN GROUP (ORDER BY price) + percentile_disc(0.5) WITHIN GROUP (ORDER BY price DESC)) * 0.5 AS median,
           sum(greatest(price - fair_price, 0) * quantity) AS overcharge
      FROM compared GROUP BY member_group, item, is_own),
  both_sides AS (
    SELECT a.item, a.member_group, a.n, b.n AS reference_n, a.mean, b.mean AS reference_mean, a.median, b.median AS reference_median,
           (100 * (a.mean - b.mean) / b.mean)::float8 AS gap_pct,
           (a.mean - b.mean)::float8 / nullif(sqrt(((coalesce(a.variance, 0) * (a.n - 1) + coalesce(b.variance, 0) * (b.n - 1)) / nullif(a.n + b.n - 2, 0))::float8), 0) * j AS hedges_g,
           z, coalesce(pg_temp.normal_p(z), 1) AS p_value, a.overcharge
      FROM summary a JOIN summary b USING (member_group, item) JOIN test USING (member_group, item) LEFT JOIN correction c ON c.df = a.n + b.n - 2
     WHERE a.is_own AND NOT b.is_own),
  corrected AS (
    SELECT member_group, u.item, u.q_value
      FROM (SELECT member_group, array_agg(item ORDER BY item) AS items, pg_temp.benjamini_hochberg(array_agg(p_value ORDER BY item)) AS q FROM both_sides GROUP BY member_group) s,
           unnest(items, q) AS u (item, q_value))
  SELECT item, member_group, n, reference_n, mean, reference_mean, median, reference_median, gap_pct, hedges_g, p_value, q_value, overcharge,
         q_value < alpha AND coalesce(z, 0) > 0 AND gap_pct > min_premium_pct AND n >= min_rows AND reference_n >= min_rows
    FROM both_sides JOIN corrected USING (member_group, item)
$$;

CREATE TYPE pg_temp.gap_row AS (
  member_group text, reference text, items bigint, cells bigint, rows bigint, reference_rows bigint, compared_share float8, naive_gap_pct float8,
  mean_premium_pct float8, slope float8, error float8, df float8, premium_p_value float8, effective_items float8, design_effect float8, z float8, p_value float8, overcharge numeric, overcharge_net numeric, items_flagged bigint, verdict text);
CREATE FUNCTION pg_temp.gaps(asked text, alpha float8, min_premium_pct float8, min_rows int) RETURNS SETOF pg_temp.gap_row LANGUAGE sql STABLE AS $$
  WITH sold AS MATERIALIZED (SELECT * FROM pg_temp.sold()),
  total AS (SELECT member_group, avg(price) AS mean, sum(price * quantity) AS revenue FROM sold GROUP BY member_group),
  test AS (SELECT member_group, count(*) AS cells, count(DISTINCT item) AS items, sum(weight * excess) / sqrt(nullif(sum(weight * weight * variance), 0)) AS z FROM pg_temp.ranked GROUP BY member_group),
  slope AS (SELECT member_group, regr_slope(y, x) AS slope, sum(x * x) AS square FROM compared GROUP BY member_group),
  -- Each item left out in turn, and rows as if they were independent.
  cluster AS (SELECT member_group, sum(x * y) AS product, sum(x * x) AS square FROM compared GROUP BY member_group, item),
  items_error AS (
    SELECT member_group, s.square ^ 2 / sum(c.square ^ 2) AS effective_items,
           CASE WHEN count(*) > 1 THEN (count(*) - 1.0) / count(*) * sum(((slope * s.square - product) / nullif(s.square - c.square, 0) - slope) ^ 2) END AS items_variance
      FROM cluster c JOIN slope s USING (member_group) GROUP BY member_group, slope, s.square),
  rows_error AS (SELECT member_group, sum((x * (y - slope * x)) ^ 2) / max(square) ^ 2 AS rows_variance FROM compared JOIN slope USING (member_group) GROUP BY member_group),
  error AS (
    SELECT member_group, effective_items, greatest(effective_items - 1, 1) AS df, sqrt(variance) AS error, CASE WHEN rows_variance > 0 THEN greatest(variance / rows_variance, CASE WHEN variance IS NOT NULL THEN 1 END) END AS design_effect
      FROM items_error JOIN rows_error USING (member_group), LATERAL (SELECT CASE WHEN items_variance IS NOT NULL THEN greatest(items_variance, rows_variance) END AS variance) v),
  money AS (
    SELECT member_group, count(*) FILTER (WHERE is_own) AS n, count(*) FILTER (WHERE NOT is_own) AS reference_n, sum(price * quantity) FILTER (WHERE is_own) AS revenue,
           sum(greatest(price - fair_price, 0) * quantity) FILTER (WHERE is_own) AS overcharge, sum((price - fair_price) * quantity) FILTER (WHERE is_own) AS net
      FROM compared GROUP BY member_group),
  at_means AS (
    SELECT member_group, 100 * (sum(own) / sum(other * m / n) - 1)::float8 AS mean_premium_pct
      FROM (SELECT member_group, m, n, sum(price) FILTER (WHERE is_own) AS own, sum(price) FILTER (WHERE NOT is_own) AS other FROM compared GROUP BY member_group, item, period, m, n) c GROUP BY member_group),
  flagged AS (SELECT member_group, count(*) FILTER (WHERE is_flagged) AS items_flagged FROM pg_temp.items(alpha, min_premium_pct, min_rows) GROUP BY member_group),
  -- Where all prices of every cell are alike the test has nothing to say.
  result AS (
    SELECT t.member_group, r.mean AS reference_mean, t.mean, items, cells, n, reference_n, m.revenue / t.revenue AS compared_share, mean_premium_pct, slope, error, CASE WHEN error IS NOT NULL THEN df END AS df, effective_items, design_effect, overcharge, net, items_flagged,
           coalesce(z, 0) / sqrt(design_effect) AS z, pg_temp.student_p(coalesce(z, 0) / sqrt(design_effect), df) AS p_value, pg_temp.student_p(slope / nullif(error, 0), df) AS premium_p_value, exp(slope) - 1 AS premium
      FROM total t CROSS JOIN total r LEFT JOIN test ON test.member_group = t.member_group LEFT JOIN slope s ON s.member_group = t.member_group LEFT JOIN error e ON e.member_group = t.member_group
      LEFT JOIN money m ON m.member_group = t.member_group LEFT JOIN at_means a ON a.member_group = t.member_group LEFT JOIN flagged f ON f.member_group = t.member_group
     WHERE t.member_group <> asked AND r.member_group = asked)
  SELECT member_group, asked, coalesce(items, 0), coalesce(cells, 0), coalesce(n, 0), coalesce(reference_n, 0), coalesce(compared_share, 0)::float8, (100 * (mean - reference_mean) / reference_mean)::float8,
         mean_premium_pct, slope, error, df, premium_p_value, effective_items, design_effect, z, p_value, coalesce(overcharge, 0), coalesce(net, 0), coalesce(items_flagged, 0),
         CASE WHEN cells IS NULL OR n < min_rows OR reference_n < min_rows OR error IS NULL THEN 'not comparable'
              WHEN premium_p_value >= alpha THEN 'fair'
              WHEN p_value < alpha AND z > 0 AND 100 * premium > min_premium_pct THEN 'unfair'
              WHEN p_value < alpha AND z < 0 AND 100 * premium < -min_premium_pct THEN 'favoured'
              ELSE 'fair' END
    FROM result
$$;

CREATE FUNCTION pg_temp.mix(asked text)
RETURNS TABLE (member_group text, reference text, items bigint, rows bigint, reference_rows bigint, mean float8, reference_mean float8, difference float8, basket_effect float8, price_effect float8)
LANGUAGE sql STABLE AS $$
  WITH item_mean AS MATERIALIZED (SELECT member_group, item, count(*) AS n, avg(price)::float8 AS mean FROM pg_temp.sold() GROUP BY member_group, item),
  both_sides AS (
    SELECT a.member_group, item, a.n, a.mean, b.mean AS mean0, b.n AS n0, a.n / sum(a.n) OVER w::float8 AS share, b.n / sum(b.n) OVER w::float8 AS share0
      FROM item_mean a JOIN item_mean b USING (item) WHERE a.member_group <> asked AND b.member_group = asked
    WINDOW w AS (PARTITION BY a.member_group)),
  result AS (
    SELECT member_group, count(*) AS items, sum(n)::bigint AS n, sum(n0)::bigint AS n0, sum(share * mean) AS mean, sum(share0 * mean0) AS mean0,
           sum((share - share0) * (mean + mean0) / 2) AS basket, sum((mean - mean0) * (share + share0) / 2) AS price
      FROM both_sides GROUP BY member_group)
  SELECT g.member_group, asked, coalesce(items, 0), coalesce(n, 0), coalesce(n0, 0), mean, mean0, mean - mean0, basket, price
    FROM (SELECT DISTINCT member_group FROM item_mean WHERE member_group <> asked) g LEFT JOIN result USING (member_group)
$$;

-- Half the interval in standard errors, by the expansion of Student's quantile around
-- the normal one for 97.5 % (Abramowitz and Stegun 26.7.5).
CREATE FUNCTION pg_temp.student(degrees float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT z + (z ^ 3 + z) / (4 * df) + (5 * z ^ 5 + 16 * z ^ 3 + 3 * z) / (96 * df ^ 2) + (3 * z ^ 7 + 19 * z ^ 5 + 17 * z ^ 3 - 15 * z) / (384 * df ^ 3)
       + (79 * z ^ 9 + 776 * z ^ 7 + 1482 * z ^ 5 - 1920 * z ^ 3 - 945 * z) / (92160 * df ^ 4)
    FROM (SELECT 1.959963984540054::float8 AS z, nullif(degrees, 0) AS df) z
$$;

-- Means are as exact as avg() has them; with more digits where other items' prices have.
CREATE FUNCTION pg_temp.same_mean(a numeric, b numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT scale(a) >= scale(b) AND round(a, scale(b)) = b
$$;

-- The rows in which custmart and the oracle differ, and in what.
CREATE FUNCTION pg_temp.wrong_gaps(book pricebook_summary, asked text, alpha float8, min_premium_pct float8, min_rows int)
RETURNS TABLE (member_group text, what text, got text, wanted text) LANGUAGE sql STABLE AS $$
  SELECT coalesce(a.member_group, b.member_group), w.what, w.got, w.wanted
    FROM price_gaps(book, asked, alpha, min_premium_pct, min_rows) a FULL JOIN pg_temp.gaps(asked, alpha, min_premium_pct, min_rows) b ON a.member_group = b.member_group,
         LATERAL (SELECT ln(1 + a.premium_pct / 100) AS slope, ln(1 + a.premium_pct_low / 100) AS low, ln(1 + a.premium_pct_high / 100) AS high) l,
         LATERAL (VALUES
           ('counts', (a.reference, a.items, a.cells, a.rows, a.reference_rows, a.items_flagged, a.verdict)::text,
            (b.reference, b.items, b.cells, b.rows, b.reference_rows, b.items_flagged, b.verdict)::text,
            (a.reference, a.items, a.cells, a.rows, a.reference_rows, a.items_flagged, a.verdict) IS NOT DISTINCT FROM (b.reference, b.items, b.cells, b.rows, b.reference_rows, b.items_flagged, b.verdict)),
           ('compared_share', a.compared_share::text, b.compared_share::text, pg_temp.near(a.compared_share, b.compared_share)),
           ('naive_gap_pct', a.naive_gap_pct::text, b.naive_gap_pct::text, pg_temp.near(a.naive_gap_pct, b.naive_gap_pct, 1e-12)),
           ('premium_pct', l.slope::text, b.slope::text, pg_temp.near(l.slope, b.slope, 1e-13)),
           ('middle of the interval', ((l.low + l.high) / 2)::text, b.slope::text, a.items < 2 OR pg_temp.near((l.low + l.high) / 2, b.slope, 1e-13)),
           ('mean_premium_pct', a.mean_premium_pct::text, b.mean_premium_pct::text, pg_temp.near(a.mean_premium_pct, b.mean_premium_pct, 1e-12)),
           ('std_error', a.std_error::text, b.error::text, pg_temp.near(a.std_error, b.error, 1e-14)),
           ('effective_items', a.effective_items::text, b.effective_items::text, pg_temp.near(a.effective_items, b.effective_items)),
           ('df', a.df::text, b.df::text, pg_temp.near(a.df, b.df)),
           ('premium_p_value', a.premium_p_value::text, b.premium_p_value::text, pg_temp.near(a.premium_p_value, b.premium_p_value, 4e-300)),
           ('design_effect', a.design_effect::text, b.design_effect::text, pg_temp.near(a.design_effect, b.design_effect)),
           ('interval', ((l.high - l.low) / 2)::text, (b.error * pg_temp.student(b.df))::text,
            CASE WHEN a.items < 2 THEN l.low IS NULL AND l.high IS NULL
                 ELSE alpha <> 0.05 OR b.df < 9 OR abs((l.high - l.low) / 2 / (b.error * pg_temp.student(b.df)) - 1) < 1e-5 END),
           ('z', a.z::text, b.z::text, pg_temp.near(a.z, b.z, 1e-10)),
           ('p_value', a.p_value::text, b.p_value::text, pg_temp.near(a.p_value, b.p_value, 4e-300)),
           ('overcharge', a.overcharge::text, b.overcharge::text, a.overcharge = b.overcharge),
           ('overcharge_net', a.overcharge_net::text, b.overcharge_net::text, a.overcharge_net = b.overcharge_net)
         ) AS w (what, got, wanted, is_same)
   WHERE is_same IS NOT TRUE
$$;

CREATE FUNCTION pg_temp.wrong_items(book pricebook_summary, is_number boolean, reference text, alpha float8, min_premium_pct float8, min_rows int)
RETURNS TABLE (item text, member_group text, what text, got text, wanted text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
  SELECT coalesce(a.item::text, b.item), coalesce(a.member_group, b.member_group), w.what, w.got, w.wanted
    FROM price_gap_items(NULL::%s, $1, $2, $3, $4, $5) a FULL JOIN pg_temp.items($3, $4, $5) b ON a.item::text = b.item AND a.member_group = b.member_group,
         LATERAL (VALUES
           ('counts', (a.rows, a.reference_rows, a.is_flagged)::text, (b.rows, b.reference_rows, b.is_flagged)::text, (a.rows, a.reference_rows, a.is_flagged) IS NOT DISTINCT FROM (b.rows, b.reference_rows, b.is_flagged)),
           ('means', (a.mean, a.reference_mean)::text, (b.mean, b.reference_mean)::text, pg_temp.same_mean(a.mean, b.mean) AND pg_temp.same_mean(a.reference_mean, b.reference_mean)),
           ('medians', (a.median, a.reference_median)::text, (b.median, b.reference_median)::text, (a.median, a.reference_median) = (b.median, b.reference_median)),
           ('gap_pct', a.gap_pct::text, b.gap_pct::text, pg_temp.near(a.gap_pct, b.gap_pct)),
           ('hedges_g', a.hedges_g::text, b.hedges_g::text, pg_temp.near(a.hedges_g, b.hedges_g)),
           ('p_value', a.p_value::text, b.p_value::text, pg_temp.near(a.p_value, b.p_value, 4e-306)),
           ('q_value', a.q_value::text, b.q_value::text, pg_temp.near(a.q_value, b.q_value, 4e-300)),
           ('overcharge', a.overcharge::text, b.overcharge::text, a.overcharge = b.overcharge)
         ) AS w (what, got, wanted, is_same)
   WHERE is_same IS NOT TRUE
   LIMIT 10 $q$, CASE WHEN is_number THEN 'bigint' ELSE 'text' END) USING book, reference, alpha, min_premium_pct, min_rows;
END $$;

CREATE FUNCTION pg_temp.wrong_mix(book pricebook_summary, asked text) RETURNS TABLE (member_group text, got text, wanted text) LANGUAGE sql STABLE AS $$
  SELECT coalesce(a.member_group, b.member_group), a::text, b::text
    FROM price_gap_mix(book, asked) a FULL JOIN pg_temp.mix(asked) b ON a.member_group = b.member_group
   WHERE (a.reference, a.items, a.rows, a.reference_rows) IS DISTINCT FROM (b.reference, b.items, b.rows, b.reference_rows)
      OR NOT pg_temp.near(a.mean, b.mean) OR NOT pg_temp.near(a.reference_mean, b.reference_mean)
      -- Differences of large sums: exact to the digits of these.
      OR NOT pg_temp.near(a.difference, b.difference, 1e-12 * a.mean) OR NOT pg_temp.near(a.basket_effect, b.basket_effect, 1e-12 * a.mean) OR NOT pg_temp.near(a.price_effect, b.price_effect, 1e-12 * a.mean)
      OR NOT pg_temp.near(a.basket_effect + a.price_effect, a.difference, 1e-12 * a.mean)
$$;

CREATE FUNCTION pg_temp.wrong_prices(book pricebook_summary, is_number boolean, reference text) RETURNS TABLE (item text, period date, fair_price numeric, rows bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    (SELECT item::text, period, fair_price, rows FROM fair_prices(NULL::%1$s, $1, $2) EXCEPT ALL SELECT * FROM pg_temp.fair($2))
    UNION ALL (SELECT * FROM pg_temp.fair($2) EXCEPT ALL SELECT item::text, period, fair_price, rows FROM fair_prices(NULL::%1$s, $1, $2)) LIMIT 10 $q$, CASE WHEN is_number THEN 'bigint' ELSE 'text' END) USING book, reference;
END $$;

CREATE TEMP TABLE book (book pricebook_summary);

-- Five tests: all reports of the table sale.
CREATE FUNCTION pg_temp.check_reports(description text, reference text, is_number boolean DEFAULT false, alpha float8 DEFAULT 0.05, min_premium_pct float8 DEFAULT 1, min_rows int DEFAULT 5)
RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE book;
  IF is_number THEN
    INSERT INTO book SELECT pricebook(s.item::bigint, s.period, s.member_group, s.price, s.quantity) FROM sale s;
  ELSE
    INSERT INTO book SELECT pricebook(s.item, s.period, s.member_group, s.price, s.quantity) FROM sale s;
  END IF;
  PERFORM pg_temp.compare(reference);
  RETURN NEXT results_eq('SELECT cell_count(book), rows_skipped(book), rows_skipped(book, ''price'') FROM book',
    $q$ SELECT (SELECT count(DISTINCT (item, period)) FROM pg_temp.sold()), (SELECT count(*) FROM sale) - (SELECT count(*) FROM pg_temp.sold()),
               (SELECT count(*) FROM sale WHERE num_nulls(item, period, member_group, price, quantity) = 0 AND price <= 0) $q$, description || ': cells, rows skipped');
  RETURN NEXT is_empty(format('SELECT w.* FROM book, pg_temp.wrong_gaps(book, %L, %s, %s, %s) w', reference, alpha, min_premium_pct, min_rows), description || ': price_gaps()');
  RETURN NEXT is_empty(format('SELECT w.* FROM book, pg_temp.wrong_items(book, %L, %L, %s, %s, %s) w', is_number, reference, alpha, min_premium_pct, min_rows), description || ': price_gap_items()');
  RETURN NEXT is_empty(format('SELECT w.* FROM book, pg_temp.wrong_mix(book, %L) w', reference), description || ': price_gap_mix()');
  RETURN NEXT is_empty(format('SELECT w.* FROM book, pg_temp.wrong_prices(book, %L, %L) w', is_number, reference), description || ': fair_prices()');
END $$;

-- A number from 0 up to 1 that follows from two others.
CREATE FUNCTION pg_temp.chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashint8extended(hashint8extended(i, stream), stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52)
$$;

-- Published figures

-- The oracle itself, first.
SELECT ok(abs(pg_temp.normal_p(1.959963984540054) - 0.05) < 1e-15 AND pg_temp.near(pg_temp.normal_p(2.575829303548901), 0.01) AND pg_temp.near(pg_temp.normal_p(6), 1.973175290075e-9)
          AND pg_temp.near(pg_temp.normal_p(2.9999999999), pg_temp.normal_p(3.0000000001)), 'the oracle: tables of the normal distribution');
SELECT ok(abs(pg_temp.student(30) - 2.042272456) < 1e-7 AND abs(pg_temp.student(10) - 2.228138852) < 1e-5, 'the oracle: tables of Student''s');
-- Closed forms of one, two and three degrees of freedom, and tables of more.
SELECT ok((SELECT bool_and(pg_temp.near(pg_temp.student_p(t, 1), 1 - 2 / pi() * atan(t)) AND pg_temp.near(pg_temp.student_p(t, 2), 1 - t / sqrt(t ^ 2 + 2), 1e-15)
                   AND pg_temp.near(pg_temp.student_p(t, 3), 1 - 2 / pi() * (atan(t / sqrt(3)) + t / sqrt(3) / (1 + t ^ 2 / 3)), 1e-15)) FROM unnest('{0.01,0.5,1,1.7,1.8,3,12,40}'::float8[]) t)
          AND abs(pg_temp.student_p(2.228138852, 10) - 0.05) < 1e-10 AND abs(pg_temp.student_p(2.042272456, 30) - 0.05) < 1e-10 AND pg_temp.near(pg_temp.student_p(40, 1e7), 0, 1e-300), 'the oracle: Student''s test');
SELECT ok((SELECT abs(j - sqrt(2 / pi())) < 1e-15 FROM correction WHERE df = 4) AND (SELECT abs(j - (1 - 3 / (4 * 1000 - 1.0))) < 1e-6 FROM correction WHERE df = 1000), 'the oracle: Hedges'' correction');
-- Y. Benjamini and Y. Hochberg (1995), the example of their paper.
CREATE TEMP TABLE published AS
SELECT * FROM unnest('{.0001,.0004,.0019,.0095,.0201,.0278,.0298,.0344,.0459,.3240,.4262,.5719,.6528,.7590,1}'::float8[],
  '{.0015,.0030,.0095,.035625,.0603,.063857,.063857,.0645,.0765,.486,.581182,.714875,.753231,.813214,1}'::numeric[]) WITH ORDINALITY AS p (p, q, i);
SELECT is((SELECT array_agg(round(q::numeric, 6) ORDER BY i) FROM unnest((SELECT pg_temp.benjamini_hochberg(array_agg(p ORDER BY i)) FROM published)) WITH ORDINALITY AS u (q, i)),
          (SELECT array_agg(round(q, 6) ORDER BY i) FROM published), 'the oracle: Benjamini and Hochberg');

INSERT INTO sale VALUES
  ('a', '2026-01-01', '0', 10, 1), ('a', '2026-01-01', '1', 11, 1), ('a', '2026-01-01', '1', 12, 1), ('a', '2026-01-02', '0', 10, 1), ('b', '2026-01-01', '0', 20, 1),
  ('b', '2026-01-01', '0', 21, 1), ('b', '2026-01-01', '1', 22, 1), ('c', '2026-01-01', '1', 5, 1), ('c', '2026-01-01', '0', 5, 1), ('c', '2026-01-01', '1', 5.5, 1);
SELECT pg_temp.check_reports('the worked example', '0', min_rows => 1);
SELECT ok(pg_temp.near(ln(1 + premium_pct / 100), .08579535197, 5e-12) AND pg_temp.near(premium_pct, 8.958332441, 5e-10) AND pg_temp.near(naive_gap_pct, -15.90909091, 5e-9)
          -- 4.302652730: Student's quantile for 97.5 % and 2 degrees of freedom.
          AND pg_temp.near((ln(1 + premium_pct_high / 100) - ln(1 + premium_pct_low / 100)) / 2 / 4.302652730, .02734738473, 5e-12)
          AND overcharge = 5 AND overcharge_net = 5, 'the worked example: its figures')
  FROM book, price_gaps(book, '0');
SELECT ok(pg_temp.near(s.slope, .08579535197, 5e-12) AND pg_temp.near(s.std_error, .02734738473, 5e-12) AND pg_temp.near(s.premium_pct, 8.958332441, 5e-10), 'and as a slope')
  FROM (SELECT price_slope(item, period, member_group::float8, price) AS sums FROM sale) p, price_slopes(sums) s;

-- C. I. Bliss, The Statistics of Bioassay (1952), as R's data set ToothGrowth has it: the
-- length of teeth by supplement, orange juice or vitamin C, at three doses.
TRUNCATE sale;
INSERT INTO sale
SELECT 'teeth', dose, member_group, len, 1
  FROM (VALUES
    ('VC', date '2026-01-01', '{4.2,11.5,7.3,5.8,6.4,10,11.2,11.2,5.2,7}'::numeric[]), ('VC', '2026-01-02', '{16.5,16.5,15.2,17.3,22.5,17.3,13.6,14.5,18.8,15.5}'),
    ('VC', '2026-01-03', '{23.6,18.5,33.9,25.5,26.4,32.5,26.7,21.5,23.3,29.5}'), ('OJ', '2026-01-01', '{15.2,21.5,17.6,9.7,14.5,10,8.2,9.4,16.5,9.7}'),
    ('OJ', '2026-01-02', '{19.7,23.3,23.6,26.4,20,25.2,25.8,21.2,14.5,27.3}'), ('OJ', '2026-01-03', '{25.5,26.4,22.4,24.5,24.8,30.9,26.4,27.3,29.4,23}')) v (member_group, dose, lengths), unnest(lengths) len;
SELECT pg_temp.check_reports('ToothGrowth', 'VC');
-- Doses are strata alike if they are items.
SELECT ok(abs(z * sqrt(design_effect) - 2.993714619) < 1e-9, 'ToothGrowth: z of van Elteren''s test') FROM (SELECT pricebook(period::text, member_group, price) AS by_dose FROM sale) s, price_gaps(by_dose, 'VC');
SELECT ok(abs(p_value - .002756035977) < 1e-12, 'ToothGrowth: its p') FROM book, price_gap_items(NULL::text, book, 'VC');
SELECT results_eq('SELECT round(midrank::numeric, 1), round(expected::numeric, 1), round(variance::numeric, 7) FROM (SELECT period, excess + 105 AS midrank, 105 AS expected, variance FROM pg_temp.ranked) r ORDER BY period',
  'VALUES (135.5, 105.0, 174.6052632), (143.5, 105, 174.6052632), (104.5, 105, 174.3421053)', 'ToothGrowth: rank sums and variances of the doses');

SELECT ok(abs(t - 2.798871953) < 1e-9 AND abs(df - 3.799904002) < 1e-9 AND abs(p_value - .05180736035) < 1e-11 AND abs(difference - 6.1 / 3) < 1e-14, 'Welch''s test')
  FROM (SELECT count(*) AS n1, avg(x) AS mean1, var_samp(x) AS variance1 FROM unnest('{20.3,22.1,21.9}'::float8[]) x) a,
       (SELECT count(*) AS n2, avg(x) AS mean2, var_samp(x) AS variance2 FROM unnest('{18.9,20.3,19}'::float8[]) x) b, welch_test(n1, mean1, variance1, n2, mean2, variance2);

-- Generated sales: few and many rows a cell, cells of one group, prices that tie in many ways, promotions, quantities, NULLs, refunds, gifts, items
-- of which all prices are alike, wide prices.
TRUNCATE sale;
INSERT INTO sale
SELECT CASE WHEN c[1] < 0.005 THEN NULL ELSE item::text END, CASE WHEN c[2] < 0.005 THEN NULL ELSE date '2026-01-05' + 7 * week END,
       CASE WHEN c[3] < 0.005 THEN NULL ELSE (ARRAY['old', 'new', 'newer', 'never'])[1 + member_group] END,
       CASE WHEN c[4] < 0.01 THEN NULL WHEN c[4] < 0.02 THEN 0 WHEN c[4] < 0.03 THEN -1.99
            WHEN item % 10 = 0 THEN item
            WHEN item % 10 = 1 THEN item + member_group
            WHEN item % 10 = 2 THEN round((item * (0.8 + c[5] / 2) * (1 + 0.1 * (member_group = 0)::int))::numeric, 4)
            WHEN item % 10 = 3 THEN round((item * (1 + 0.3 * (member_group = 0)::int + floor(c[5] * 3) / 10))::numeric, 1)
            ELSE round((item * (1 + floor(c[5] * 6) / 20 + 0.02 * (member_group = 0)::int) * CASE WHEN pg_temp.chance(item * 10 + week, 20) < 0.2 THEN 0.7 ELSE 1 END)::numeric, 2) END,
       CASE WHEN c[6] < 0.01 THEN NULL WHEN c[6] < 0.02 THEN -1 WHEN c[6] < 0.03 THEN 0 WHEN c[6] < 0.5 THEN 1 WHEN c[6] < 0.8 THEN 1 + floor(c[7] * 5) ELSE round(c[7]::numeric + 0.001, 3) END
  FROM generate_series(1, 120) item, generate_series(0, 5) week, generate_series(0, 3) member_group, generate_series(0, 7) k,
       LATERAL (SELECT ((item * 10 + week) * 4 + member_group) * 8 + k AS i) i, LATERAL (SELECT array_agg(pg_temp.chance(i, stream) ORDER BY stream) AS c FROM generate_series(1, 8) stream) c
 WHERE c[8] < (ARRAY[0.6, 0.5, 0.3, 0.02])[1 + member_group] * (0.1 + item % 7 / 4.0);
ANALYZE sale;
SELECT cmp_ok((SELECT count(*) FROM sale), '>', 5000::bigint, 'generated: thousands of sales');
SELECT pg_temp.check_reports('generated', 'new');
SELECT set_eq('SELECT DISTINCT verdict FROM book, price_gaps(book, ''new'')', ARRAY['unfair', 'fair'], 'the group that pays more is found');
SELECT pg_temp.check_reports('generated, as numbers', 'old', true, 0.2, 0.05, 20);
SELECT pg_temp.check_reports('generated, seen from those who hardly bought', 'never', true, 0.05, 0, 1);
UPDATE sale SET item = repeat('Ware № ', 1 + item::int % 5) || item, price = price * 1.00000000000000000003, quantity = quantity * 1e17;
SELECT pg_temp.check_reports('wide prices and quantities', 'new', min_premium_pct => 2);
-- Groups that share no cell, or a single one.
TRUNCATE sale;
INSERT INTO sale SELECT i::text, date '2026-01-05' + 7 * (CASE WHEN i = 1 THEN 0 ELSE g END), (ARRAY['a', 'b', 'c'])[1 + g], 10 + i + g + k, 2 FROM generate_series(1, 30) i, generate_series(0, 2) g, generate_series(1, 3) k WHERE g < 2 OR i > 1;
SELECT pg_temp.check_reports('one cell in common, or none', 'a', min_rows => 3);
-- p far below what a test at the desk sees.
TRUNCATE sale;
INSERT INTO sale SELECT i::text, '2026-01-05', (ARRAY['a', 'b'])[1 + g], (100 + k) * i * (1 + 0.3 * g), 1 FROM generate_series(1, 60) i, generate_series(0, 1) g, generate_series(1, 100) k;
SELECT pg_temp.check_reports('a gap beyond doubt', 'a');
SELECT cmp_ok((SELECT p_value FROM book, price_gaps(book, 'a')), '<', 1e-20::float8, 'and p says so');

-- Without periods and quantities: one of each.
UPDATE sale SET period = '2000-01-01';
SELECT results_eq($$ SELECT g.* FROM (SELECT pricebook(item, member_group, price) AS b FROM sale) s, price_gaps(b, 'a') g $$,
                  $$ SELECT g.* FROM (SELECT pricebook(item, '2000-01-01', member_group, price, 1) AS b FROM sale) s, price_gaps(b, 'a') g $$, 'without periods all is one period');
SELECT results_eq($$ SELECT g.* FROM (SELECT pricebook(item, member_group, price) AS b FROM sale) s, price_gap_items(NULL::text, b, 'a') g $$,
                  $$ SELECT g.* FROM (SELECT pricebook(item, '2000-01-01', member_group, price, 1) AS b FROM sale) s, price_gap_items(NULL::text, b, 'a') g $$, 'item by item');

-- Online Retail: the first 30 days as a member versus later; the United Kingdom versus other countries
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
\copy retail from program 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' csv header
TRUNCATE sale;
INSERT INTO sale
SELECT stock_code, date_trunc('week', at)::date, CASE WHEN at < min(at) FILTER (WHERE quantity > 0) OVER (PARTITION BY customer) + interval '30 days' THEN 'first 30 days' ELSE 'later' END, price, quantity
  FROM retail WHERE customer IS NOT NULL;
ANALYZE sale;
SELECT is((SELECT count(*) FROM pg_temp.sold()), 397884::bigint, 'Online Retail: the published number of sales');
SELECT pg_temp.check_reports('Online Retail, first 30 days and later', 'first 30 days');
TRUNCATE sale;
INSERT INTO sale SELECT stock_code, date_trunc('week', at)::date, CASE country WHEN 'United Kingdom' THEN 'United Kingdom' ELSE 'elsewhere' END, price, quantity FROM retail;
ANALYZE sale;
SELECT pg_temp.check_reports('Online Retail, United Kingdom and elsewhere', 'United Kingdom');
SELECT ok(cells > 10000 AND compared_share > 0.9 AND naive_gap_pct > 10 AND premium_pct_high < -10, 'of thousands of cells, in which others pay less, though they pay more on average') FROM book, price_gaps(book, 'United Kingdom');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 12);
\endif

-- The Complete Journey: bands of income, as the shelf says and after coupons
\if :have_journey
CREATE TEMP TABLE line (household_id bigint, store_id bigint, basket_id text, product_id bigint, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamp);
CREATE TEMP TABLE household (household_id bigint, age text, income text, home_ownership text, marital_status text, household_size text, household_comp text, kids_count text);
\copy line from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
\copy household from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/demographics.csv.gz"' csv header
CREATE TEMP VIEW bought AS
SELECT product_id::text AS item, date '2017-01-01' + 7 * (week - 1) AS period, income AS member_group, sales_value, retail_disc, coupon_disc, coupon_match_disc, quantity FROM line LEFT JOIN household USING (household_id);
TRUNCATE sale;
INSERT INTO sale SELECT item, period, member_group, round((sales_value + retail_disc + coupon_match_disc) / nullif(quantity, 0), 4), quantity FROM bought;
ANALYZE sale;
SELECT pg_temp.check_reports('The Complete Journey, shelf prices by income', '50-74K', true);
TRUNCATE sale;
INSERT INTO sale SELECT item, period, member_group, round((sales_value - coupon_disc) / nullif(quantity, 0), 4), quantity FROM bought;
ANALYZE sale;
SELECT pg_temp.check_reports('The Complete Journey, prices after coupons by income', '50-74K', true);
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 10);
\endif

SELECT * FROM finish();
ROLLBACK;
