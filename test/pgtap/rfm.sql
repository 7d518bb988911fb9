-- rfm against an oracle: everything that rfm, rfm_cuts and rfm_book say is
-- computed once more in plain SQL, from the rows, and compared row for row.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_cdnow `test -r "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(197);

-- The oracle

-- The 125 scores and their segments, as docs/rfm.md lists them.
CREATE TEMP TABLE segment_map AS
SELECT segment, score::int
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
  ('Lost', '111 112 121 131 141 151')) AS s (segment, scores),
  string_to_table(scores, ' ') AS score;

-- One row per order, or per order line.
CREATE TEMP TABLE line (member bigint, order_id bigint, at timestamptz, amount numeric);

CREATE TYPE pg_temp.member_row AS (
  member text, frequency bigint, refunds bigint, monetary numeric, monetary_text text, first_order timestamptz,
  last_order timestamptz, recency float8, recency_score int, frequency_score int, monetary_score int, score int, segment text);

-- What is known of each member.  In lines, an order counts once per member, and
-- so does an order that has lines below 0, as a refund.
CREATE FUNCTION pg_temp.totals(lines boolean, until timestamptz DEFAULT 'infinity')
RETURNS TABLE (member text, frequency bigint, refunds bigint, monetary numeric,
               first_order timestamptz, last_order timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT member::text,
         CASE WHEN lines THEN count(DISTINCT order_id) FILTER (WHERE amount >= 0)
              ELSE count(*) FILTER (WHERE amount >= 0) END,
         CASE WHEN lines THEN count(DISTINCT order_id) FILTER (WHERE amount < 0)
              ELSE count(*) FILTER (WHERE amount < 0) END,
         sum(amount),
         min(at) FILTER (WHERE amount >= 0),
         max(at) FILTER (WHERE amount >= 0)
    FROM line
   WHERE member IS NOT NULL AND at <= until AND amount IS NOT NULL
     AND (NOT lines OR order_id IS NOT NULL)
   GROUP BY member
$$;

-- Days between two times.  The difference is taken exactly, and not as an interval,
-- which cannot hold that of the earliest and the latest time.
CREATE FUNCTION pg_temp.days(since timestamptz, until timestamptz) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT ((extract(epoch FROM until) - extract(epoch FROM since)) * 1000000)::float8 / 86400000000::float8
$$;

-- The fifth in which a score of 1 .. bins lies; fewer than five bins are spread
-- over 1 .. 5, halves up.
CREATE FUNCTION pg_temp.of_five(score int, bins int) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
  SELECT (1 + CASE WHEN bins >= 5 THEN floor((score - 1) * 5::numeric / bins)
                   ELSE floor((score - 1) * 4::numeric / (bins - 1) + 0.5) END)::int
$$;

CREATE FUNCTION pg_temp.five_score(r int, f int, m int, bins int) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_temp.of_five(r, bins) * 100 + pg_temp.of_five(f, bins) * 10 + pg_temp.of_five(m, bins)
$$;

-- Members with scores, by the definition: limits are percentile_cont(i / bins)
-- of recency, frequency and monetary among members who have orders.
CREATE FUNCTION pg_temp.by_percentiles(lines boolean, bins int, as_of timestamptz)
RETURNS SETOF pg_temp.member_row LANGUAGE sql STABLE AS $$
  WITH total AS MATERIALIZED (SELECT * FROM pg_temp.totals(lines)),
  buyer AS MATERIALIZED (
    SELECT member, frequency::float8 AS frequency, monetary::float8 AS monetary,
           pg_temp.days(last_order, coalesce(as_of, max(last_order) OVER ())) AS recency
      FROM total WHERE frequency > 0),
  cut AS MATERIALIZED (
    SELECT percentile_cont(p) WITHIN GROUP (ORDER BY recency) AS recency,
           percentile_cont(p) WITHIN GROUP (ORDER BY frequency) AS frequency,
           percentile_cont(p) WITHIN GROUP (ORDER BY monetary) AS monetary
      FROM buyer, (SELECT array_agg(i / bins::float8 ORDER BY i) AS p FROM generate_series(1, bins - 1) i) AS p
     GROUP BY p),
  score AS (
    SELECT member, b.recency,
           bins - (SELECT count(*) FROM unnest(cut.recency) q WHERE q < b.recency)::int AS r,
           1 + (SELECT count(*) FROM unnest(cut.frequency) q WHERE q < b.frequency)::int AS f,
           1 + (SELECT count(*) FROM unnest(cut.monetary) q WHERE q < b.monetary)::int AS m
      FROM buyer b, cut)
  SELECT t.member, t.frequency, t.refunds, t.monetary, t.monetary::text, t.first_order, t.last_order,
         s.recency, s.r, s.f, s.m,
         CASE WHEN bins < 10 THEN s.r * 100 + s.f * 10 + s.m ELSE s.r * 10000 + s.f * 100 + s.m END,
         g.segment
    FROM total t LEFT JOIN score s USING (member)
    LEFT JOIN segment_map g ON g.score = pg_temp.five_score(s.r, s.f, s.m, bins)
$$;

-- The same without any rounding: limit i lies between the values at the ends of
-- position i * (n - 1) / bins, so a value is above the limit if and only if it is
-- above the lower end, which is found in integers.
CREATE FUNCTION pg_temp.by_positions(lines boolean, bins int, as_of timestamptz, until timestamptz DEFAULT 'infinity', per_order boolean DEFAULT false)
RETURNS SETOF pg_temp.member_row LANGUAGE sql STABLE AS $$
  WITH total AS MATERIALIZED (SELECT * FROM pg_temp.totals(lines, until)),
  buyer AS MATERIALIZED (
    SELECT member, frequency,
           CASE WHEN per_order THEN (div(monetary * 1e60, frequency) / 1e60)::float8 ELSE monetary::float8 END AS monetary,
           extract(epoch FROM coalesce(as_of, max(last_order) OVER ())) - extract(epoch FROM last_order) AS recency
      FROM total WHERE frequency > 0),
  sorted AS MATERIALIZED (
    SELECT array_agg(recency ORDER BY recency) AS recency,
           array_agg(frequency ORDER BY frequency) AS frequency,
           array_agg(monetary ORDER BY monetary) AS monetary, count(*) AS n
      FROM buyer),
  cut AS MATERIALIZED (
    SELECT array_agg(recency[p]) AS recency, array_agg(frequency[p]) AS frequency, array_agg(monetary[p]) AS monetary
      FROM sorted, generate_series(1, bins - 1) i, LATERAL (SELECT (1 + i * (n - 1) / bins)::int AS p) AS p),
  score AS (
    SELECT member, b.recency,
           bins - (SELECT count(*) FROM unnest(cut.recency) q WHERE q < b.recency)::int AS r,
           1 + (SELECT count(*) FROM unnest(cut.frequency) q WHERE q < b.frequency)::int AS f,
           1 + (SELECT count(*) FROM unnest(cut.monetary) q WHERE q < b.monetary)::int AS m
      FROM buyer b, cut)
  SELECT t.member, t.frequency, t.refunds, t.monetary, t.monetary::text, t.first_order, t.last_order,
         (s.recency * 1000000)::float8 / 86400000000::float8, s.r, s.f, s.m,
         CASE WHEN bins < 10 THEN s.r * 100 + s.f * 10 + s.m ELSE s.r * 10000 + s.f * 100 + s.m END,
         g.segment
    FROM total t LEFT JOIN score s USING (member)
    LEFT JOIN segment_map g ON g.score = pg_temp.five_score(s.r, s.f, s.m, bins)
$$;

-- What custmart says, from a book.
CREATE FUNCTION pg_temp.by_book(book rfm_book, bins int, as_of timestamptz DEFAULT NULL)
RETURNS SETOF pg_temp.member_row LANGUAGE sql STABLE AS $$
  SELECT member::text, frequency, refunds, monetary, monetary::text, first_order, last_order,
         recency, recency_score, frequency_score, monetary_score, score, segment
    FROM rfm_members(book, as_of, bins)
$$;

\ir include/compare.sql

-- Two numbers that differ in rounding only.
CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= 1e-12 * greatest(abs(a), abs(b)), false)
$$;

-- Limits against percentile_cont, in days before as_of, orders and money.
CREATE FUNCTION pg_temp.wrong_limits(book rfm_book, lines boolean, bins int)
RETURNS TABLE (bin int, what text, got float8, wanted float8) LANGUAGE sql STABLE AS $$
  WITH buyer AS MATERIALIZED (
    SELECT last_order, max(last_order) OVER () AS as_of, frequency::float8, monetary::float8
      FROM pg_temp.totals(lines) WHERE frequency > 0),
  p AS (SELECT array_agg(i / bins::float8 ORDER BY i) AS p FROM generate_series(1, bins - 1) i),
  q AS (
    SELECT max(as_of) AS as_of,
           percentile_cont(p) WITHIN GROUP (ORDER BY pg_temp.days(last_order, as_of)) AS recency,
           percentile_cont(p) WITHIN GROUP (ORDER BY frequency) AS frequency,
           percentile_cont(p) WITHIN GROUP (ORDER BY monetary) AS monetary
      FROM buyer, p GROUP BY p)
  SELECT l.bin, w.what, w.got, w.wanted
    FROM q, rfm_limits(rfm_cuts(book, bins)) AS l,
         LATERAL (VALUES ('recency', pg_temp.days(l.last_order, q.as_of), q.recency[bins - l.bin], 1.01 / 86400e6),
                         ('frequency', l.frequency, q.frequency[l.bin], 0),
                         ('monetary', l.monetary, q.monetary[l.bin], 0)) AS w (what, got, wanted, allowed)
   WHERE NOT pg_temp.near(w.got, w.wanted)
     AND NOT coalesce(abs(w.got - w.wanted) <= w.allowed, false)
$$;

-- Segments: all sums of the members' rows.
CREATE FUNCTION pg_temp.segments_of(book rfm_book, bins int)
RETURNS TABLE (segment text, members bigint, share float8, monetary numeric, monetary_share float8,
               avg_recency float8, avg_frequency float8, avg_monetary numeric)
LANGUAGE sql STABLE AS $$
  SELECT segment, count(*), count(*)::float8 / sum(count(*)) OVER ()::float8, sum(monetary),
         sum(monetary)::float8 / nullif(sum(sum(monetary)) OVER (), 0)::float8,
         avg(recency), avg(frequency)::float8, sum(monetary) / count(*)
    FROM rfm_members(book, NULL, bins) GROUP BY segment
$$;

CREATE FUNCTION pg_temp.wrong_segments(book rfm_book, bins int)
RETURNS TABLE (segment text, got text, wanted text) LANGUAGE sql STABLE AS $$
  SELECT coalesce(a.segment, b.segment), a::text, b::text
    FROM rfm_segments(book, NULL, bins) a
    FULL JOIN pg_temp.segments_of(book, bins) b ON coalesce(a.segment, '') = coalesce(b.segment, '')
   WHERE a.members IS DISTINCT FROM b.members
      OR a.monetary::text IS DISTINCT FROM b.monetary::text
      OR a.avg_monetary IS DISTINCT FROM b.avg_monetary
      OR NOT pg_temp.near(a.share, b.share)
      OR NOT pg_temp.near(a.monetary_share, b.monetary_share)
      OR NOT pg_temp.near(a.avg_recency, b.avg_recency)
      OR NOT pg_temp.near(a.avg_frequency, b.avg_frequency)
$$;

-- Who moved, from the rows up to a time to all rows: both populations scored in plain SQL.
CREATE FUNCTION pg_temp.moves(lines boolean, bins int, until timestamptz)
RETURNS TABLE (from_segment text, to_segment text, members bigint, share float8, from_monetary text, to_monetary text)
LANGUAGE sql STABLE AS $$
  SELECT a.segment, b.segment, count(*), count(*)::float8 / (sum(count(*)) OVER (PARTITION BY a.segment))::float8,
         coalesce(sum(a.monetary), 0)::text, coalesce(sum(b.monetary), 0)::text
    FROM pg_temp.by_positions(lines, bins, NULL, until) a FULL JOIN pg_temp.by_positions(lines, bins, NULL) b USING (member)
   GROUP BY a.segment, b.segment
$$;

-- The same by the limits of the earlier members, as many days before either time.
CREATE FUNCTION pg_temp.moves_by_same_days(lines boolean, bins int, cuts rfm_cuts, until timestamptz, as_of timestamptz)
RETURNS TABLE (from_segment text, to_segment text, members bigint) LANGUAGE sql STABLE AS $$
  WITH cut AS MATERIALIZED (
    SELECT array_agg(extract(epoch FROM until) - extract(epoch FROM last_order)) AS ages, array_agg(frequency) AS frequency, array_agg(monetary) AS monetary
      FROM rfm_limits(cuts)),
  moved AS (
    SELECT member, g.segment
      FROM pg_temp.totals(lines) t, cut,
           LATERAL (SELECT pg_temp.five_score(bins - (SELECT count(*) FROM unnest(ages) l WHERE extract(epoch FROM as_of) - extract(epoch FROM last_order) > l)::int,
                                              1 + (SELECT count(*) FROM unnest(cut.frequency) l WHERE l < t.frequency)::int,
                                              1 + (SELECT count(*) FROM unnest(cut.monetary) l WHERE l < t.monetary::float8)::int, bins) AS score
                     WHERE t.frequency > 0) s
      JOIN segment_map g USING (score))
  SELECT a.segment, b.segment, count(*)
    FROM pg_temp.by_positions(lines, bins, NULL, until) a
    FULL JOIN (SELECT member, segment FROM pg_temp.totals(lines) LEFT JOIN moved USING (member)) b USING (member)
   GROUP BY a.segment, b.segment
$$;

-- Limits as people say them: each that is reached scores one more.
CREATE FUNCTION pg_temp.by_limits(lines boolean, as_of timestamptz, max_recency numeric[], min_frequency int[], min_monetary numeric[], per_order boolean)
RETURNS TABLE (member text, score int) LANGUAGE sql STABLE AS $$
  SELECT member, CASE WHEN frequency > 0 THEN
           (1 + (SELECT count(*) FROM unnest(max_recency) l WHERE extract(epoch FROM as_of) - extract(epoch FROM last_order) <= l * 86400)) * 100
           + (1 + (SELECT count(*) FROM unnest(min_frequency) l WHERE frequency >= l)) * 10
           + 1 + (SELECT count(*) FROM unnest(min_monetary) l WHERE monetary >= l * CASE WHEN per_order THEN frequency ELSE 1 END) END
    FROM pg_temp.totals(lines)
$$;

-- All of that for what is in the tables line and book.
CREATE FUNCTION pg_temp.test_moves(what text, form text, all_bins int[], until timestamptz, as_of timestamptz) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  of_line text := format('(SELECT rfm_book(%s) FROM line WHERE at <= %L)', CASE WHEN form = 'lines' THEN 'member, order_id, at, amount' ELSE 'member, at, amount' END, until);
  of_book text := format('(SELECT %I FROM book)', form);
  limits text := format('%L, %L, %L, %L', as_of, '{90,30,10}', '{2,4,7}', '{0,20.5,100}');
  bins int;
  per_order boolean;
BEGIN
  FOREACH bins IN ARRAY all_bins
  LOOP
    RETURN NEXT pg_temp.same_rows(
      format('SELECT from_segment, to_segment, members, share, from_monetary::text, to_monetary::text FROM rfm_transitions(%s, %s, bins => %s)', of_line, of_book, bins),
      format('SELECT * FROM pg_temp.moves(%L, %s, %L)', form = 'lines', bins, until),
      format('%s: who moved, with %s bins, is as in plain SQL', what, bins));
    RETURN NEXT pg_temp.same_rows(
      format('SELECT from_segment, to_segment, members FROM rfm_transitions(%s, %s, %L, %L, bins => %s, same_cuts => true)', of_line, of_book, until, as_of, bins),
      format('SELECT * FROM pg_temp.moves_by_same_days(%L, %s, rfm_cuts(%s, %s), %L, %L)', form = 'lines', bins, of_line, bins, until, as_of),
      format('%s: and by the limits of before, with %s bins', what, bins));
    RETURN NEXT pg_temp.same_rows(
      format('SELECT member::text, recency_score, frequency_score, monetary_score, segment FROM %s b(b), rfm_members(b, cuts => rfm_cuts_per_order(b, %s))', of_book, bins),
      format('SELECT member, recency_score, frequency_score, monetary_score, segment FROM pg_temp.by_positions(%L, %s, NULL, per_order => true)', form = 'lines', bins),
      format('%s: scores by money per order, with %s bins', what, bins));
  END LOOP;
  FOREACH per_order IN ARRAY ARRAY[false, true]
  LOOP
    RETURN NEXT pg_temp.same_rows(
      format('SELECT member::text, score FROM rfm_members(%s, %L, cuts => %s(%s))', of_book, as_of, CASE WHEN per_order THEN 'rfm_cuts_per_order' ELSE 'rfm_cuts' END, limits),
      format('SELECT * FROM pg_temp.by_limits(%L, %s, %L)', form = 'lines', limits, per_order),
      format('%s: limits of one''s own, in days, money %s', what, CASE WHEN per_order THEN 'per order' ELSE 'in all' END));
  END LOOP;
  RETURN NEXT pg_temp.same_rows(
    format('SELECT segment, members, monetary FROM rfm_segments(%s, segments => ARRAY(SELECT ARRAY[score::text, name] FROM own_segment))', of_book),
    format('SELECT name, count(*), sum(monetary) FROM rfm_members(%s) LEFT JOIN own_segment USING (score) GROUP BY name', of_book),
    what || ': segments of one''s own are a join with their table');
  RETURN NEXT pg_temp.same_rows(
    format('SELECT from_segment, to_segment, members, from_monetary, to_monetary FROM rfm_transitions(%s, %s, segments => ARRAY(SELECT ARRAY[score::text, name] FROM own_segment))', of_line, of_book),
    format('SELECT a.name, b.name, count(*), coalesce(sum(a.monetary), 0), coalesce(sum(b.monetary), 0) FROM (SELECT * FROM rfm_members(%s) LEFT JOIN own_segment USING (score)) a FULL JOIN (SELECT * FROM rfm_members(%s) LEFT JOIN own_segment USING (score)) b USING (member) GROUP BY a.name, b.name', of_line, of_book),
    what || ': and so are moves between them');
END $$;

-- The map

SELECT is((SELECT count(*) FROM segment_map), 125::bigint, 'the written map has 125 scores');
SELECT pg_temp.same_rows('SELECT score, segment FROM rfm_segment_map()', 'SELECT score, segment FROM segment_map',
                         'rfm_segment_map() is the written map');
SELECT pg_temp.same_rows('SELECT score, rfm_segment(score) FROM segment_map', 'SELECT score, segment FROM segment_map',
                         'rfm_segment() says the same');
-- True if the number is a score; any other error than 22023 goes on.
CREATE FUNCTION pg_temp.is_score(number int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN rfm_segment(number) IS NOT NULL;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN false;
END $$;
SELECT pg_temp.same_rows(
  'SELECT n FROM (SELECT generate_series(-700, 1700) UNION VALUES (2147483647), (-2147483648), (1111)) AS g (n) WHERE pg_temp.is_score(n)',
  'SELECT score FROM segment_map', 'any other number is an error');

-- Generated orders: skewed members, ties everywhere, refunds, zeros, NULLs, mixed
-- scales, sums that are wide and sums that cancel out to nothing.

INSERT INTO line
SELECT CASE WHEN pg_temp.chance(i, 1) < 0.01 THEN NULL
            ELSE 1 + floor(power(pg_temp.chance(i, 2), 3) * 400) END,
       CASE WHEN pg_temp.chance(i, 3) < 0.01 THEN NULL ELSE i / 3 - 100 END,
       CASE WHEN pg_temp.chance(i, 4) < 0.01 THEN NULL
            WHEN pg_temp.chance(i, 4) < 0.5
              THEN timestamptz '2025-01-01' + floor(pg_temp.chance(i, 5) * 500) * interval '1 day'
            ELSE timestamptz '2025-01-01' + pg_temp.chance(i, 5) * interval '500 days' END,
       CASE WHEN pg_temp.chance(i, 6) < 0.01 THEN NULL
            WHEN pg_temp.chance(i, 6) < 0.05 THEN 0
            WHEN pg_temp.chance(i, 6) < 0.15 THEN -round((pg_temp.chance(i, 7) * 40)::numeric, 2)
            WHEN pg_temp.chance(i, 6) < 0.30 THEN round((pg_temp.chance(i, 7) * 100)::numeric, 0)
            WHEN pg_temp.chance(i, 6) < 0.31 THEN round((pg_temp.chance(i, 7) * 10)::numeric, 11)
            WHEN pg_temp.chance(i, 6) < 0.32 THEN round((pg_temp.chance(i, 7) * 1000000)::numeric, 0) * 1000000
            ELSE round((pg_temp.chance(i, 7) * 100)::numeric, 2) END
  FROM generate_series(1, 6000) i;
INSERT INTO line		-- all alike
SELECT 500 + i, 10000 + i, '2025-06-01', 20.00 FROM generate_series(1, 60) i;
INSERT INTO line		-- refunds only
SELECT 600 + i % 7, 20000 + i / 2, timestamptz '2025-06-01' + i * interval '1 hour', -i FROM generate_series(1, 30) i;
INSERT INTO line		-- nothing but rows that are skipped
VALUES (700, 1, NULL, 1), (700, 1, '2025-06-01', NULL), (701, NULL, NULL, 3);
INSERT INTO line		-- nothing left in the end
VALUES (702, 30000, '2025-06-02', 12.50), (702, 30001, '2025-06-03', -12.50),
       (703, 30002, '2025-06-02', 5), (703, 30003, '2025-06-03', -17.3);
INSERT INTO line		-- beyond 64 bits, before the point and behind it
VALUES (704, 30004, '2025-02-02', 99999999999999999999999999999999999999),
       (704, 30005, '2025-02-03', 99999999999999999999999999999999999999.5),
       (704, 30006, '2025-02-04', -99999999999999999999999999999999999999),
       (705, 30007, '2025-02-04', 0.0000000000000000000000000001),
       (705, 30008, '2025-02-04', 12345678901234567890123456789012345678),
       (706, 30009, '2025-02-04', 36028797018963967), (706, 30010, '2025-02-04', 1),
       (707, 30011, '2025-02-05', -36028797018963968), (707, 30012, '2025-02-05', -1),
       (708, 30013, '2025-02-05', 36028797018963967), (708, 30014, '2025-02-06', 1), (708, 30015, '2025-02-06', -9);
INSERT INTO line		-- times at both ends
VALUES (709, 30016, '4714-11-24 00:00:00+00 BC', 1), (709, 30017, '294276-12-31 23:59:59.999999+00', 2);
INSERT INTO line		-- keys at both ends
VALUES (-9223372036854775808, -9223372036854775808, '2025-03-01', 7.7),
       (9223372036854775807, 9223372036854775807, '2025-03-02', 8.8), (0, 0, '2025-03-03', 9.9), (-1, -1, '2025-03-04', 9.9);
ANALYZE line;

CREATE TEMP TABLE book AS
SELECT rfm_book(member, at, amount) AS orders, rfm_book(member, order_id, at, amount) AS lines FROM line;

SELECT is((SELECT member_count(orders) FROM book), (SELECT count(*) FROM pg_temp.totals(false)), 'member_count()');
SELECT is((SELECT member_count(lines) FROM book), (SELECT count(*) FROM pg_temp.totals(true)), 'member_count(), lines');
SELECT is((SELECT rows_skipped(orders) FROM book),
          (SELECT count(*) FROM line WHERE num_nulls(member, at, amount) > 0), 'rows_skipped()');
SELECT is((SELECT rows_skipped(lines) FROM book),
          (SELECT count(*) FROM line WHERE num_nulls(member, order_id, at, amount) > 0), 'rows_skipped(), lines');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.totals(false) WHERE frequency = 0), '>', 6::bigint, 'there are members with refunds only');

-- Each number of bins, as orders and as order lines, against both oracles.
SELECT pg_temp.same_rows(
         format('SELECT * FROM pg_temp.by_book((SELECT %s FROM book), %s)', form, bins),
         format('SELECT * FROM pg_temp.%s(%L, %s, NULL)', oracle, form = 'lines', bins),
         format('rfm_members() of %s with %s bins equals plain SQL %s', form, bins, oracle))
  FROM unnest(ARRAY['orders', 'lines']) form, unnest(ARRAY[2, 3, 4, 5, 7, 10, 99]) bins,
       unnest(ARRAY['by_percentiles', 'by_positions']) oracle
 -- percentile_cont computes positions in float8, which is not exact enough for very many bins
 WHERE bins < 99 OR oracle = 'by_positions';

SELECT is_empty(format('SELECT * FROM pg_temp.wrong_limits((SELECT %s FROM book), %L, %s)', form, form = 'lines', bins),
                format('limits of %s with %s bins are percentile_cont', form, bins))
  FROM unnest(ARRAY['orders', 'lines']) form, unnest(ARRAY[2, 3, 4, 5, 7, 10]) bins;

SELECT is_empty(format('SELECT * FROM pg_temp.wrong_segments((SELECT %s FROM book), %s)', form, bins),
                format('rfm_segments() of %s with %s bins equals GROUP BY over rfm_members()', form, bins))
  FROM unnest(ARRAY['orders', 'lines']) form, unnest(ARRAY[2, 3, 4, 5, 7, 10, 99]) bins;

SELECT pg_temp.same_rows(format('SELECT member, segment FROM rfm_members((SELECT orders FROM book), bins => %s)', bins),
                         'SELECT member, segment FROM rfm_members((SELECT orders FROM book))',
                         format('%s bins give the segments of 5, of which each is part', bins))
  FROM unnest(ARRAY[10, 15, 50, 95]) bins;

-- Who moved, scores by money per order, limits in days, segments of one's own with their names in no order.
CREATE TEMP TABLE own_segment AS
SELECT score, 'segment ' || abs(hashint4(score)) % 17 AS name FROM segment_map;
SELECT pg_temp.test_moves(form, form, ARRAY[2, 5, 10], '2025-09-01', (SELECT max(at) FROM line)) FROM unnest(ARRAY['orders', 'lines']) form;

-- Refunds, which rfm_members() does not show.
CREATE TEMP TABLE value AS
SELECT member, rfm(at, amount) AS rfm FROM line WHERE member IS NOT NULL GROUP BY member;
SELECT is((SELECT count(*) FROM value WHERE rfm IS NULL), 2::bigint, 'a member without a usable row has no summary');
DELETE FROM value WHERE rfm IS NULL;

SELECT pg_temp.same_rows(
  $$ SELECT member::text, frequency(rfm), refunds(rfm), monetary(rfm), monetary(rfm)::text, first_order(rfm), last_order(rfm) FROM value $$,
  $$ SELECT member, frequency, refunds, monetary, monetary::text, first_order, last_order FROM pg_temp.totals(false) $$,
  'rfm() GROUP BY member: accessors equal plain SQL');
SELECT pg_temp.same_rows(
  $$ SELECT member::text, avg_order_value(rfm), recency(rfm, '294276-12-31 23:59:59.999999'), tenure(rfm, '294276-12-31 23:59:59.999999') FROM value $$,
  $$ SELECT member, monetary / nullif(frequency, 0), pg_temp.days(last_order, '294276-12-31 23:59:59.999999'), pg_temp.days(first_order, '294276-12-31 23:59:59.999999')
       FROM pg_temp.totals(false) $$,
  'avg_order_value(), recency() and tenure() equal plain SQL');

SELECT pg_temp.same_rows(
         format($$ SELECT member, frequency(rfm), monetary(rfm)::text, first_order(rfm), last_order(rfm), rfm_score(rfm, cuts), rfm_segment(rfm, cuts)
                     FROM value, (SELECT rfm_cuts(rfm, %1$s) AS cuts FROM value) c $$, bins),
         format($$ SELECT member, frequency, monetary::text, first_order, last_order, score, segment
                     FROM rfm_members((SELECT orders FROM book), bins => %s) $$, bins),
         format('rfm() GROUP BY, rfm_cuts(), rfm_score() and rfm_segment() with %s bins equal rfm_members()', bins))
  FROM unnest(ARRAY[2, 3, 4, 5, 7, 9, 10, 11, 99]) bins;

SELECT is((SELECT rfm_cuts(rfm, bins) FROM value), (SELECT rfm_cuts(orders, bins) FROM book),
          format('the aggregate rfm_cuts with %s bins equals that of the book', bins))
  FROM unnest(ARRAY[2, 5, 10, 99]) bins;
SELECT is((SELECT rfm_cuts(rfm) FROM value), (SELECT rfm_cuts(orders) FROM book), 'and 5 is the default of both');
SELECT is((SELECT rfm_cuts(rfm)::text::rfm_cuts FROM value), (SELECT rfm_cuts(orders) FROM book), 'also when written and read back');

SELECT pg_temp.same_rows('SELECT (m).* FROM (SELECT rfm_members(orders) AS m FROM book) x', 'SELECT m.* FROM book, rfm_members(orders) m',
                         'rfm_members() in the select list is the same as in FROM');
SELECT pg_temp.same_rows('SELECT k, m.* FROM generate_series(1, 3) k, LATERAL rfm_members((SELECT rfm_book(member, at, amount) FROM line WHERE member % 3 = k - 1)) m',
                         'SELECT 1 + member % 3, m.* FROM generate_series(1, 3) k, rfm_members((SELECT rfm_book(member, at, amount) FROM line WHERE member % 3 = k - 1)) m',
                         'and again for each row, LATERAL');

-- Keys of the other types give the same answer.
CREATE TEMP TABLE typed AS
SELECT member, md5(member::text)::uuid AS id_uuid,
       CASE WHEN member = 0 THEN '' ELSE repeat('Kunde № ', 1 + abs(member % 40)::int) || member END AS id_text,
       order_id, md5('R' || order_id)::uuid AS order_uuid, CASE WHEN order_id = 0 THEN '' ELSE 'R' || order_id END AS order_text, at, amount
  FROM line;
SELECT pg_temp.same_rows(
         format($$ SELECT n.member, m.frequency, m.refunds, m.monetary::text, m.first_order, m.last_order, m.recency, m.recency_score, m.frequency_score, m.monetary_score, m.score, m.segment
                     FROM rfm_members(NULL::%s, (SELECT rfm_book(id_%s, %s at, amount) FROM typed)) m
                     JOIN (SELECT DISTINCT member, id_%s AS id FROM typed) n ON n.id = m.member $$,
                type, type, order_id, type),
         format($$ SELECT member, frequency, refunds, monetary::text, first_order, last_order, recency, recency_score, frequency_score, monetary_score, score, segment
                     FROM rfm_members((SELECT %s FROM book)) $$, CASE WHEN order_id = '' THEN 'orders' ELSE 'lines' END),
         format('rfm_book(%s, %s...) says the same', type, order_id))
  FROM unnest(ARRAY['uuid', 'text']) type, unnest(ARRAY['', 'order_id, ', 'order_uuid, ', 'order_text, ']) order_id;
SELECT pg_temp.same_rows(
         $$ SELECT * FROM rfm_members((SELECT rfm_book(member, order_text, at, amount) FROM typed)) $$,
         $$ SELECT * FROM rfm_members((SELECT lines FROM book)) $$,
         'rfm_book(bigint, order_text, ...) says the same');
SELECT pg_temp.same_rows(
         $$ SELECT * FROM rfm_members((SELECT rfm_book(member, order_uuid, at, amount) FROM typed)) $$,
         $$ SELECT * FROM rfm_members((SELECT lines FROM book)) $$,
         'rfm_book(bigint, order_uuid, ...) says the same');

-- A book of summaries, of which a member has one a day, is the book of their rows as far as these say when they were.
CREATE TEMP TABLE summed AS
SELECT member, id_uuid, id_text, rfm(at, amount) AS summary FROM typed GROUP BY member, id_uuid, id_text, at::date;
CREATE FUNCTION pg_temp.book_of_summaries(key text) RETURNS rfm_book LANGUAGE plpgsql AS $$
DECLARE book rfm_book;
BEGIN
  EXECUTE format('SELECT rfm_book(%I, summary) FROM summed', key) INTO book;
  RETURN book;
END $$;
SELECT pg_temp.same_rows(
         format($$ SELECT * FROM rfm_members(NULL::%s, pg_temp.book_of_summaries(%L), (SELECT max(at) FROM line)) $$, type, key),
         format($$ SELECT * FROM rfm_members(NULL::%s, (SELECT rfm_book(%I, at, amount) FROM typed), (SELECT max(at) FROM line)) $$, type, key),
         format('rfm_book(%s, rfm_summary) says the same', type))
  FROM (VALUES ('bigint', 'member'), ('uuid', 'id_uuid'), ('text', 'id_text')) v (type, key);
SELECT is((SELECT rfm_book(member, summary) FROM summed WHERE member IS NOT NULL AND refunds(summary) = 0),
          (SELECT rfm_book(member, at, amount) FROM line l
            WHERE member IS NOT NULL AND at IS NOT NULL AND amount IS NOT NULL AND NOT EXISTS (SELECT FROM line r WHERE r.member = l.member AND r.at::date = l.at::date AND r.amount < 0)),
          'and has the same bytes if there are no refunds');
SELECT is((SELECT rfm_book(member, rfm(frequency, monetary, first_order, last_order, refunds)) FROM rfm_members((SELECT orders FROM book))),
          (SELECT rfm_book(member, summary) FROM summed WHERE member IS NOT NULL AND summary IS NOT NULL), 'rfm() takes back what rfm_members() says');

-- The limits of the members themselves, given back, change nothing.
SELECT pg_temp.same_rows(
         format($$ SELECT m.* FROM book, rfm_members(orders, bins => %s) m $$, bins),
         format($$ SELECT m.* FROM book, rfm_members(orders, cuts => rfm_cuts(orders, %s)) m $$, bins),
         format('rfm_members() by the book''s own %s bins, given as cuts', bins))
  FROM unnest(ARRAY[2, 5, 12]) bins;
SELECT pg_temp.same_rows(
         $$ SELECT * FROM rfm_members((SELECT rfm_book(member::int, order_id::int, at, amount) FROM line WHERE member BETWEEN -9 AND 999)) $$,
         $$ SELECT * FROM rfm_members(NULL::bigint, (SELECT rfm_book(member, order_id, at, amount) FROM line WHERE member BETWEEN -9 AND 999)) $$,
         'int goes to bigint');

-- as_of moves recency and nothing else.
SELECT pg_temp.same_rows(
         $$ SELECT * FROM pg_temp.by_book((SELECT orders FROM book), 5, '294276-12-31 23:59:59.999999') $$,
         $$ SELECT * FROM pg_temp.by_positions(false, 5, '294276-12-31 23:59:59.999999') $$,
         'as_of at the latest order');
DELETE FROM line WHERE member = 709;
UPDATE book SET orders = (SELECT rfm_book(member, at, amount) FROM line);
SELECT pg_temp.same_rows(
         $$ SELECT * FROM pg_temp.by_book((SELECT orders FROM book), 5, '2027-03-04 05:06:07.890123') $$,
         $$ SELECT * FROM pg_temp.by_percentiles(false, 5, '2027-03-04 05:06:07.890123') $$,
         'as_of after the latest order, against percentile_cont');
SELECT pg_temp.same_rows(
         $$ SELECT member, recency_score, frequency_score, monetary_score, score FROM rfm_members((SELECT orders FROM book), '2027-03-04 05:06:07.890123') $$,
         $$ SELECT member, recency_score, frequency_score, monetary_score, score FROM rfm_members((SELECT orders FROM book)) $$,
         'scores do not depend on it');
SELECT throws_ok($$ SELECT * FROM rfm_members((SELECT orders FROM book), '2025-03-01') $$, '22023', NULL, 'as_of before an order');
SELECT throws_ok($$ SELECT * FROM rfm_segments((SELECT orders FROM book), '2025-03-01') $$, '22023', NULL, 'the same of segments');

-- Limits of yesterday, kept, for the members of tomorrow: those who bought later
-- than anybody, or less, or more.
CREATE TEMP TABLE kept AS SELECT bins, rfm_cuts(orders, bins) AS cuts FROM book, unnest(ARRAY[2, 5, 10]) bins;
CREATE TEMP TABLE tomorrow AS
SELECT member, rfm(at, amount) AS rfm
  FROM (SELECT member, timestamptz '2024-12-01' + pg_temp.chance(member, 21) * pg_temp.chance(i, 22) * interval '900 days' AS at,
               round((pg_temp.chance(i, 23) * 300 - 30)::numeric, 3) AS amount
          FROM generate_series(1, 5000) i, LATERAL (SELECT floor(power(pg_temp.chance(i, 24), 3) * 300)::bigint AS member) m) o
 GROUP BY member;
SELECT pg_temp.same_rows(
         format($$ SELECT member, rfm_score(rfm, cuts) FROM tomorrow, kept WHERE bins = %s $$, bins),
         format($$
           WITH today AS (SELECT last_order, max(last_order) OVER () AS as_of, frequency::float8, monetary::float8
                            FROM pg_temp.totals(false) WHERE frequency > 0),
           q AS (
             SELECT max(as_of) AS as_of,
                    percentile_cont(p) WITHIN GROUP (ORDER BY pg_temp.days(last_order, as_of)) AS recency,
                    percentile_cont(p) WITHIN GROUP (ORDER BY frequency) AS frequency,
                    percentile_cont(p) WITHIN GROUP (ORDER BY monetary) AS monetary
               FROM today, (SELECT array_agg(i / %1$s::float8) AS p FROM generate_series(1, %1$s - 1) i) p
              GROUP BY p)
           SELECT member,
                  CASE WHEN frequency(rfm) > 0 THEN
                    (%1$s - (SELECT count(*) FROM unnest(q.recency) l WHERE l < pg_temp.days(last_order(rfm), q.as_of))::int) * base * base
                    + (1 + (SELECT count(*) FROM unnest(q.frequency) l WHERE l < frequency(rfm))::int) * base
                    + (1 + (SELECT count(*) FROM unnest(q.monetary) l WHERE l < monetary(rfm)::float8)::int) END
             FROM tomorrow, q, (SELECT CASE WHEN %1$s < 10 THEN 10 ELSE 100 END AS base) b $$, bins),
         format('kept limits of %s bins score new members as plain SQL does', bins))
  FROM unnest(ARRAY[2, 5, 10]) bins;
SELECT pg_temp.same_rows(
         format($$ SELECT member, rfm_score(rfm, cuts), rfm_segment(rfm, cuts) FROM tomorrow, kept WHERE bins = %s $$, bins),
         format($$ SELECT member, score, segment FROM (SELECT rfm_book(member, rfm) AS book FROM tomorrow) b, kept, rfm_members(book, cuts => cuts) WHERE bins = %s $$, bins),
         format('rfm_members(cuts => ...) of %s bins scores as rfm_score() does', bins))
  FROM unnest(ARRAY[2, 5, 10]) bins;
SELECT pg_temp.same_rows(
         format($$ SELECT segment, count(*), sum(monetary) FROM (SELECT rfm_book(member, rfm) AS book FROM tomorrow) b, kept, rfm_members(book, cuts => cuts) WHERE bins = %s GROUP BY segment $$, bins),
         format($$ SELECT segment, members, monetary FROM (SELECT rfm_book(member, rfm) AS book FROM tomorrow) b, kept, rfm_segments(book, cuts => cuts) WHERE bins = %s $$, bins),
         format('and rfm_segments(cuts => ...) adds up those members, %s bins', bins))
  FROM unnest(ARRAY[2, 5, 10]) bins;
SELECT cmp_ok((SELECT count(DISTINCT rfm_score(rfm, cuts)) FROM tomorrow, kept WHERE bins = 5), '>', 30::bigint,
              'among them many different scores');

-- Few members, sizes at which positions fall on members exactly, many ties.
-- percentile_cont misses some of those positions by a rounding error.
CREATE FUNCTION pg_temp.wrong_sizes(kinds bigint) RETURNS TABLE (members int, bins int, wrong bigint)
LANGUAGE plpgsql AS $$
DECLARE
  n int;
  b int;
BEGIN
  FOREACH n IN ARRAY ARRAY[1, 2, 3, 4, 5, 6, 10, 11, 16, 21, 23, 50, 91, 101]
  LOOP
    DELETE FROM line;
    INSERT INTO line
    SELECT i, j, timestamptz '2025-01-01' + hashint8(i * 31 + n) % kinds * interval '1 day', abs(hashint8(i * 37 + n) % kinds)
      FROM generate_series(1, n) i, generate_series(0, abs(hashint8(i * 41) % kinds) % 5) j;
    FOREACH b IN ARRAY ARRAY[2, 3, 4, 5, 7, 10, 22, 49, 50, 99]
    LOOP
      SELECT n, b, count(*) INTO members, bins, wrong
        FROM (SELECT * FROM pg_temp.by_book((SELECT rfm_book(member, at, amount) FROM line), b)
              EXCEPT ALL SELECT * FROM pg_temp.by_positions(false, b, NULL)) d;
      IF wrong > 0 THEN
        RETURN NEXT;
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT is_empty('SELECT * FROM pg_temp.wrong_sizes(1000000)', '1 to 101 members, hardly any ties');
SELECT is_empty('SELECT * FROM pg_temp.wrong_sizes(7)', '1 to 101 members, many ties');
SELECT is_empty('SELECT * FROM pg_temp.wrong_sizes(1)', '1 to 101 members, all alike');

-- Neighbouring float8 numbers: limits between them are rounded to one of them.
SELECT lives_ok(
  format($$ SELECT rfm_cuts(rfm, %s)::text::rfm_cuts
              FROM (SELECT rfm('2026-01-01', x) FROM (VALUES (1::numeric), (1 + round(%s * 2.220446049250313e-16::numeric, 24))) v (x) GROUP BY x) s $$, bins, apart),
  format('limits of %s bins between numbers %s apart can be written and read back', bins, apart))
  FROM unnest(ARRAY[5, 10]) bins, unnest(ARRAY[1, 2, 3, 7]) apart;
SELECT lives_ok(
  $$ SELECT rfm_cuts(rfm, 10)::text::rfm_cuts
       FROM (SELECT rfm(x, 1) FROM (VALUES (timestamptz '2026-01-01'), ('2026-01-01 00:00:00.000001')) v (x) GROUP BY x) s $$,
  'limits between neighbouring times can be written and read back');

-- Nobody to be scored.
DELETE FROM line;
SELECT is((SELECT rfm_book(member, at, amount) FROM line), NULL::rfm_book, 'no rows: no book');
SELECT is_empty($$ SELECT * FROM rfm_members((SELECT rfm_book(member, at, amount) FROM line)) $$, 'no book: no rows');
SELECT is_empty($$ SELECT * FROM rfm_segments((SELECT rfm_book(member, at, amount) FROM line)) $$, 'no book: no segments');
INSERT INTO line VALUES (1, 1, '2026-01-01', -1), (2, 2, NULL, 5), (3, 3, '2026-01-01', -1.50);
SELECT pg_temp.same_rows($$ SELECT * FROM pg_temp.by_book((SELECT rfm_book(member, at, amount) FROM line), 5) $$,
                         $$ VALUES ('1', 0::bigint, 1::bigint, -1::numeric, '-1', NULL::timestamptz, NULL::timestamptz, NULL::float8,
                                    NULL::int, NULL::int, NULL::int, NULL::int, NULL),
                                   ('3', 0, 1, -1.50, '-1.50', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) $$,
                         'refunds only: no dates, no scores');
SELECT is((SELECT rfm_cuts(rfm_book(member, at, amount)) FROM line), NULL::rfm_cuts, 'and no limits');
SELECT results_eq($$ SELECT segment, members, share, monetary, monetary_share, avg_recency, avg_frequency, avg_monetary
                       FROM rfm_segments((SELECT rfm_book(member, at, amount) FROM line)) $$,
                  $$ VALUES (NULL::text, 2::bigint, 1::float8, -2.50::numeric, 1::float8, NULL::float8, 0::float8, -1.25::numeric) $$,
                  'and one row of segments');

-- Online Retail (UCI): sales only, then everything, cancellations being refunds.

\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity int,
                          at timestamptz, price numeric, customer bigint, country text);
\copy retail from program 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' csv header
CREATE TEMP TABLE invoice AS
SELECT row_number() OVER () AS id, invoice FROM (SELECT DISTINCT invoice FROM retail) i;
DELETE FROM line;
INSERT INTO line
SELECT customer, id, at, quantity * price FROM retail JOIN invoice USING (invoice)
 WHERE quantity > 0 AND price > 0 AND customer IS NOT NULL;
TRUNCATE book;
INSERT INTO book (lines)
SELECT rfm_book(customer, invoice, at, quantity * price) FROM retail WHERE quantity > 0 AND price > 0 AND customer IS NOT NULL;

SELECT is((SELECT count(*) FROM line), 397884::bigint, 'Online Retail: the published number of sales');
SELECT results_eq($$ SELECT member_count(lines), (SELECT sum(monetary) FROM rfm_members(lines)) FROM book $$,
                  $$ VALUES (4338::bigint, 8911407.904::numeric) $$, 'the published members and revenue');
SELECT pg_temp.same_rows(format('SELECT * FROM pg_temp.by_book((SELECT lines FROM book), %s)', bins),
                         format('SELECT * FROM pg_temp.by_percentiles(true, %s, NULL)', bins),
                         format('each member with %s bins as in plain SQL', bins))
  FROM unnest(ARRAY[4, 5, 10]) bins;
SELECT is_empty('SELECT * FROM pg_temp.wrong_limits((SELECT lines FROM book), true, 5)', 'limits as in plain SQL');
SELECT is_empty('SELECT * FROM pg_temp.wrong_segments((SELECT lines FROM book), 5)', 'segments as in plain SQL');

DELETE FROM line;
INSERT INTO line SELECT customer, id, at, quantity * price FROM retail JOIN invoice USING (invoice);
TRUNCATE book;
INSERT INTO book SELECT rfm_book(customer, at, quantity * price), rfm_book(customer, invoice, at, quantity * price) FROM retail;
SELECT is((SELECT row(member_count(lines), rows_skipped(lines)) FROM book), row(4372::bigint, 135080::bigint),
          'with cancellations: the published customers, and lines without one');
SELECT pg_temp.same_rows('SELECT * FROM pg_temp.by_book((SELECT lines FROM book), 5)',
                         'SELECT * FROM pg_temp.by_percentiles(true, 5, NULL)', 'each member as in plain SQL');
SELECT is_empty('SELECT * FROM pg_temp.wrong_limits((SELECT lines FROM book), true, 5)', 'limits as in plain SQL');
SELECT is_empty('SELECT * FROM pg_temp.wrong_segments((SELECT lines FROM book), 5)', 'segments as in plain SQL');
SELECT pg_temp.same_rows('SELECT * FROM pg_temp.by_book((SELECT orders FROM book), 5)',
                         'SELECT * FROM pg_temp.by_percentiles(false, 5, NULL)', 'each member as in plain SQL, every line an order');
SELECT pg_temp.test_moves('Online Retail', 'lines', ARRAY[5], '2011-08-31', (SELECT max(at) FROM line));
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 19);
\endif

-- CDNOW

\if :have_cdnow
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line from program 'gzip -dc "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz"'
DELETE FROM line;
INSERT INTO line
SELECT f[1]::bigint, n, (substr(f[2], 1, 4) || '-' || substr(f[2], 5, 2) || '-' || substr(f[2], 7, 2))::timestamptz, f[4]::numeric
  FROM (SELECT row_number() OVER () AS n, regexp_split_to_array(btrim(line, E' \r'), ' +') AS f
          FROM cdnow_line WHERE line !~ 'customer_id') l;
TRUNCATE book;
INSERT INTO book SELECT rfm_book(member, at, amount), rfm_book(member, order_id, at, amount) FROM line;

SELECT is((SELECT count(*) FROM line WHERE amount = 0), 80::bigint, 'CDNOW: the published number of orders of amount 0');
SELECT results_eq($$ SELECT member_count(orders), (SELECT sum(frequency) FROM rfm_members(orders)), (SELECT sum(monetary) FROM rfm_members(orders)) FROM book $$,
                  $$ VALUES (23570::bigint, 69659::numeric, 2500315.63::numeric) $$, 'the published members, orders and revenue');
SELECT pg_temp.same_rows(format('SELECT * FROM pg_temp.by_book((SELECT orders FROM book), %s)', bins),
                         format('SELECT * FROM pg_temp.by_percentiles(false, %s, NULL)', bins),
                         format('each member with %s bins as in plain SQL', bins))
  FROM unnest(ARRAY[4, 5, 10]) bins;
SELECT is_empty('SELECT * FROM pg_temp.wrong_limits((SELECT orders FROM book), false, 5)', 'limits as in plain SQL');
SELECT is_empty('SELECT * FROM pg_temp.wrong_segments((SELECT orders FROM book), 5)', 'segments as in plain SQL');
SELECT pg_temp.same_rows('SELECT * FROM rfm_members((SELECT orders FROM book))', 'SELECT * FROM rfm_members((SELECT lines FROM book))',
                         'the same as order lines of which each is an order');
SELECT pg_temp.test_moves('CDNOW', 'orders', ARRAY[5], '1997-12-31', '1998-07-01');
\else
SELECT skip('CDNOW is not in $CUSTMART_SHARED/data', 15);
\endif

SELECT * FROM finish();
ROLLBACK;
