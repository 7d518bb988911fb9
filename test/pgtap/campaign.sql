-- Campaigns against an oracle: sums, means, variances, slopes and curves are computed
-- once more in plain SQL, from the rows, for members of many sorts and sizes.
--
-- Needs the extensions custmart and pgtap in the database.
\ir include/quiet.sql
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(17);

\ir include/compare.sql

-- 40 shops of 20 to 400 members, some with NULL somewhere, refunds, and decimals of all kinds.
CREATE TEMP TABLE member AS
SELECT shop, i, CASE WHEN pg_temp.chance(i, 1) < 0.02 THEN NULL ELSE pg_temp.chance(i, 2) < 0.3 + shop % 5 * 0.1 END AS treated,
       CASE WHEN pg_temp.chance(i, 3) < 0.02 THEN NULL WHEN pg_temp.chance(i, 4) < 0.6 THEN 0
            ELSE round((pg_temp.chance(i, 5) ^ 3 * 400 - shop % 3 * 10)::numeric, (i % 5)::int) END AS y,
       CASE WHEN pg_temp.chance(i, 6) < 0.02 THEN NULL ELSE round((pg_temp.chance(i, 5) ^ 3 * 300 + 50 * pg_temp.chance(i, 7))::numeric, (i % 4)::int) END AS before,
       CASE WHEN pg_temp.chance(i, 8) < 0.98 THEN 'segment ' || floor(7 * pg_temp.chance(i, 9)) END AS segment,
       CASE WHEN pg_temp.chance(i, 10) < 0.98 THEN round((40 * pg_temp.chance(i, 11) ^ 2)::numeric) / 8 - 2 END AS score
  FROM generate_series(1, 40::bigint) shop, LATERAL (SELECT shop * 1000 + k AS i FROM generate_series(1, 20 + (380 * pg_temp.chance(shop, 12))::int) k) m;
CREATE TEMP TABLE kept AS
SELECT shop, campaign(treated, y) AS c, campaign(treated, y, before) AS cb, campaign_book(segment, treated, y) AS segments, campaign_book(score::float8, treated, y) AS scores FROM member GROUP BY shop;

-- What must be 0, but for rounding.
CREATE FUNCTION pg_temp.close(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= 1e-9 * greatest(abs(a), abs(b), 1) END;

-- Sums

SELECT is_empty($$
  SELECT shop, g.treated FROM kept, campaign_groups(cb) g
  EXCEPT ALL SELECT shop, t FROM generate_series(1, 40) shop, unnest('{t,f}'::boolean[]) t $$, 'two groups of every shop');
SELECT results_eq($$
  SELECT shop, g.treated, members, buyers, total::text, total_before::text FROM kept, campaign_groups(cb) g WHERE members > 0 ORDER BY 1, 2 $$, $$
  SELECT shop, treated, count(*), count(*) FILTER (WHERE y <> 0), sum(y)::text, sum(before)::text FROM member WHERE num_nulls(treated, y, before) = 0 GROUP BY 1, 2 ORDER BY 1, 2 $$,
  'members, buyers, and sums to the last digit');
SELECT results_eq($$ SELECT shop, rows_skipped(c), rows_skipped(cb), rows_skipped(segments), rows_skipped(scores) FROM kept ORDER BY 1 $$, $$
  SELECT shop, count(*) FILTER (WHERE num_nulls(treated, y) > 0), count(*) FILTER (WHERE num_nulls(treated, y, before) > 0),
         count(*) FILTER (WHERE num_nulls(segment, treated, y) > 0), count(*) FILTER (WHERE num_nulls(score, treated, y) > 0) FROM member GROUP BY 1 ORDER BY 1 $$,
  'rows with NULL are counted');

-- Results

CREATE TEMP VIEW moments AS
SELECT shop, count(*) FILTER (WHERE treated) AS n1, count(*) FILTER (WHERE NOT treated) AS n0, avg(y) FILTER (WHERE treated) AS m1, avg(y) FILTER (WHERE NOT treated) AS m0,
       var_samp(y) FILTER (WHERE treated) AS v1, var_samp(y) FILTER (WHERE NOT treated) AS v0,
       avg((y <> 0)::int) FILTER (WHERE treated) AS p1, avg((y <> 0)::int) FILTER (WHERE NOT treated) AS p0, avg((y <> 0)::int) AS p
  FROM member WHERE num_nulls(treated, y) = 0 GROUP BY 1;
SELECT is_empty($$
  SELECT shop FROM kept JOIN moments USING (shop), campaign_results(c) r
   WHERE measure = 'spend' AND NOT (pg_temp.close(treated_mean, m1::float8) AND pg_temp.close(control_mean, m0::float8) AND pg_temp.close(uplift, (m1 - m0)::float8)
         AND pg_temp.close(std_error, sqrt(v1 / n1 + v0 / n0)::float8) AND pg_temp.close(df, ((v1 / n1 + v0 / n0) ^ 2 / ((v1 / n1) ^ 2 / (n1 - 1) + (v0 / n0) ^ 2 / (n0 - 1)))::float8)
         AND pg_temp.close(statistic, uplift / std_error) AND pg_temp.close(uplift_low + uplift_high, 2 * uplift) AND pg_temp.close(incremental, uplift * n1)) $$, 'spend: means, error and degrees of freedom');
SELECT is_empty($$
  SELECT shop FROM kept JOIN moments USING (shop), campaign_results(c) r, LATERAL welch_test(n1, m1::float8, v1::float8, n0, m0::float8, v0::float8) w
   WHERE measure = 'spend' AND NOT (pg_temp.close(uplift_low, w.difference_low) AND pg_temp.close(uplift_high, w.difference_high) AND pg_temp.close(r.p_value, w.p_value)) $$, 'spend: as welch_test has it');
SELECT is_empty($$
  SELECT shop FROM kept JOIN moments USING (shop), campaign_results(c) r
   WHERE measure = 'conversion' AND NOT (pg_temp.close(uplift, (p1 - p0)::float8) AND uplift_low <= uplift AND uplift <= uplift_high AND uplift_low >= -1 AND uplift_high <= 1
         AND (least(p, 1 - p) * least(n1, n0) < 5) = (p_value IS NULL)
         AND (p_value IS NULL OR pg_temp.close(statistic, ((p1 - p0) / sqrt(p * (1 - p) * (1.0 / n1 + 1.0 / n0)))::float8))) $$, 'conversion: rates and z');

-- Adjusted spend is a regression of y on group and outcome before.
CREATE TEMP VIEW adjusted AS
WITH deviation AS (
  SELECT shop, treated, y, before, y - avg(y) OVER g AS dy, before - avg(before) OVER g AS dx, avg(before) OVER (PARTITION BY shop) AS mean
    FROM member WHERE num_nulls(treated, y, before) = 0 WINDOW g AS (PARTITION BY shop, treated)),
slope AS (SELECT shop, sum(dx * dy) / sum(dx * dx) AS theta FROM deviation GROUP BY 1)
SELECT shop, count(*) FILTER (WHERE treated) AS n1, count(*) FILTER (WHERE NOT treated) AS n0,
       avg(y - theta * (before - mean)) FILTER (WHERE treated) AS m1, avg(y - theta * (before - mean)) FILTER (WHERE NOT treated) AS m0,
       var_samp(y - theta * (before - mean)) FILTER (WHERE treated) AS v1, var_samp(y - theta * (before - mean)) FILTER (WHERE NOT treated) AS v0
  FROM deviation JOIN slope USING (shop) GROUP BY 1;
SELECT is_empty($$
  SELECT shop FROM kept JOIN adjusted USING (shop), campaign_results(cb) r, LATERAL welch_test(n1, m1::float8, v1::float8, n0, m0::float8, v0::float8) w
   WHERE measure = 'adjusted spend' AND NOT (pg_temp.close(treated_mean, m1::float8) AND pg_temp.close(control_mean, m0::float8) AND pg_temp.close(uplift, w.difference)
         AND pg_temp.close(uplift_low, w.difference_low) AND pg_temp.close(uplift_high, w.difference_high) AND pg_temp.close(r.df, w.df) AND pg_temp.close(r.p_value, w.p_value)) $$, 'adjusted spend');

-- Segments and scores

SELECT results_eq($$ SELECT shop, s.segment, s.treated, s.control FROM kept, campaign_segments(segments) s ORDER BY 1, 2 $$, $$
  SELECT shop, segment, count(*) FILTER (WHERE treated), count(*) FILTER (WHERE NOT treated) FROM member WHERE num_nulls(segment, treated, y) = 0 GROUP BY 1, 2 ORDER BY 1, 2 $$, 'segments: their members');
SELECT is_empty($$
  SELECT shop, s.segment FROM kept, campaign_segments(segments) s
    JOIN LATERAL (SELECT campaign(treated, y) AS one FROM member m WHERE m.shop = kept.shop AND m.segment = s.segment) o ON true, campaign_results(one) r
   WHERE measure = 'conversion' AND (s.uplift, s.uplift_low, s.uplift_high, s.p_value) IS DISTINCT FROM (r.uplift, r.uplift_low, r.uplift_high, r.p_value) $$, 'segments: each as a campaign of its own');
SELECT is_empty($$
  SELECT shop FROM (SELECT shop, p_value, q_value, count(*) OVER shop AS n, rank() OVER (PARTITION BY shop ORDER BY p_value DESC) AS above
                      FROM kept, campaign_segments(segments) s WHERE p_value IS NOT NULL WINDOW shop AS (PARTITION BY shop)) s
   WHERE NOT pg_temp.close(q_value, (SELECT min(least(1, o.p_value * n / (SELECT count(*) FROM campaign_segments((SELECT segments FROM kept k WHERE k.shop = s.shop)) z WHERE z.p_value <= o.p_value)))
                                       FROM campaign_segments((SELECT segments FROM kept k WHERE k.shop = s.shop)) o WHERE o.p_value >= s.p_value)) $$, 'segments: q-values by definition');
SELECT is_empty($$
  SELECT shop, p.score FROM kept, uplift_points(scores) p
    JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE treated) AS n1, count(*) FILTER (WHERE NOT treated) AS n0,
                         coalesce(sum(y) FILTER (WHERE treated), 0) AS y1, coalesce(sum(y) FILTER (WHERE NOT treated), 0) AS y0
                    FROM member m WHERE m.shop = kept.shop AND m.score >= p.score AND num_nulls(treated, y) = 0) o ON true
   WHERE (members, treated, control, treated_total, control_total) IS DISTINCT FROM (n, n1, n0, y1, y0)
      OR NOT pg_temp.close(qini, (y1 - CASE WHEN n0 = 0 THEN 0 ELSE y0 * n1 / n0 END)::float8)
      OR NOT pg_temp.close(gain, ((CASE WHEN n1 = 0 THEN 0 ELSE y1 / n1 END - CASE WHEN n0 = 0 THEN 0 ELSE y0 / n0 END) * n)::float8) $$, 'scores: every point of both curves');
SELECT is_empty($$
  SELECT shop, curve FROM kept, uplift_curves(kept.scores) c
    JOIN LATERAL (SELECT sum((members - last) * (value + before) / 2) AS area, max(members) AS n, (array_agg(value ORDER BY members DESC))[1] AS value
                    FROM (SELECT members, value, lag(members, 1, 0::bigint) OVER w AS last, lag(value, 1, 0::float8) OVER w AS before
                            FROM (SELECT members, CASE curve WHEN 'qini' THEN qini ELSE gain END AS value FROM uplift_points(kept.scores)) p WINDOW w AS (ORDER BY members)) t) o ON true
   WHERE NOT (pg_temp.close(c.area, o.area) AND pg_temp.close(last_value, value) AND pg_temp.close(above_chance, o.area - n * value / 2)) $$, 'scores: areas of what uplift_points gives');
SELECT results_eq($$ SELECT shop, array_agg(p.score ORDER BY p.ordinality) FROM kept, uplift_points(scores) WITH ORDINALITY p GROUP BY 1 ORDER BY 1 $$, $$
  SELECT shop, array_agg(DISTINCT score::float8 ORDER BY score::float8 DESC) FROM member WHERE num_nulls(score, treated, y) = 0 GROUP BY 1 ORDER BY 1 $$, 'scores: the highest first, equal ones once');

-- The same bytes whatever the order and the parts.

SELECT is_empty($$
  SELECT shop FROM kept JOIN (SELECT shop, rollup(c ORDER BY part DESC) AS c, rollup(cb ORDER BY part DESC) AS cb, rollup(segments) AS segments, rollup(scores) AS scores
                                FROM (SELECT shop, i % 5 AS part, campaign(treated, y ORDER BY y) AS c, campaign(treated, y, before ORDER BY before DESC) AS cb,
                                             campaign_book(segment, treated, y ORDER BY y DESC) AS segments, campaign_book(score::float8, treated, y ORDER BY i DESC) AS scores FROM member GROUP BY 1, 2) p
                               GROUP BY 1) o USING (shop)
   WHERE campaign_summary_send(kept.c) <> campaign_summary_send(o.c) OR campaign_summary_send(kept.cb) <> campaign_summary_send(o.cb)
      OR campaign_book_send(kept.segments) <> campaign_book_send(o.segments) OR campaign_book_send(kept.scores) <> campaign_book_send(o.scores) $$, 'merged parts are the whole');
SELECT is_empty($$
  SELECT shop FROM kept WHERE c::text::campaign_summary <> c OR cb::text::campaign_summary <> cb OR segments::text::campaign_book <> segments OR scores::text::campaign_book <> scores $$, 'text and back');
SELECT is((SELECT rollup(cb) FROM kept), (SELECT campaign(treated, y, before) FROM member), 'all shops are one campaign');
SELECT is_empty($$
  SELECT s.i FROM (SELECT shop, i, campaign(treated, y) OVER (PARTITION BY shop ORDER BY i) AS c FROM member WHERE shop < 4) s
   WHERE c <> (SELECT campaign(treated, y) FROM member m WHERE m.shop = s.shop AND m.i <= s.i) $$, 'a running campaign has the members so far');

SELECT * FROM finish();
ROLLBACK;
