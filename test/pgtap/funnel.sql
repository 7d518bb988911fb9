-- Funnels against an oracle: levels, times, counts and rates are computed once more
-- in plain SQL, from the rows, one lateral join for each step.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_cdnow `test -r "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz" && echo 1 || echo 0`
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(84);

-- The oracle

-- One row is one event; `what` tells which steps it meets.
CREATE TEMP TABLE event (id bigint, member bigint, at timestamptz, what text);
CREATE INDEX ON event (member, at, id);

-- The longest chain of each member, of those the one that begins last, each step
-- as early as it can be; of rows of equal times any may be it.  once: a row is one step; follows: >= or >, of times.
CREATE FUNCTION pg_temp.chains(steps text[], within interval, follows text DEFAULT '>=', once boolean DEFAULT true)
RETURNS TABLE (member bigint, level int, step_times timestamptz[]) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH chain AS (
      SELECT a.member, num_nonnulls(a.at, b.at, c.at) AS level, array_remove(ARRAY[a.at, b.at, c.at], NULL) AS step_times
        FROM event a
        LEFT JOIN LATERAL (SELECT id, at FROM event e WHERE e.member = a.member AND (%2$s) AND e.at %4$s a.at AND e.at - a.at <= %5$L
                              AND (e.id <> a.id OR NOT %6$L) ORDER BY at FETCH FIRST 1 ROW WITH TIES) b ON true
        LEFT JOIN LATERAL (SELECT at FROM event e WHERE e.member = a.member AND (%3$s) AND e.at %4$s b.at AND e.at - a.at <= %5$L
                              AND (e.id <> ALL (ARRAY[a.id, b.id]) OR NOT %6$L) ORDER BY at LIMIT 1) c ON true
       WHERE %1$s)
    SELECT m.member, coalesce(c.level, 0), coalesce(c.step_times, '{}')
      FROM (SELECT DISTINCT member FROM event WHERE num_nulls(member, at) = 0) m
      LEFT JOIN (SELECT DISTINCT ON (member) * FROM chain ORDER BY member, level DESC, step_times[1] DESC, step_times) c USING (member)
  $q$, replace(steps[1], 'what', 'a.what'), replace(steps[2], 'what', 'e.what'), replace(steps[3], 'what', 'e.what'), follows, within, once);
END $$;

-- The reports of funnel_steps, from what a query says of each member.
CREATE FUNCTION pg_temp.reports(query text)
RETURNS TABLE (step int, members bigint, from_previous float8, from_first float8, median numeric, p90 numeric) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH member AS MATERIALIZED (%s),
    reached AS (SELECT step, count(*) FILTER (WHERE level >= step) AS members FROM member, generate_series(1, 3) step GROUP BY step),
    duration AS (SELECT step, extract(epoch FROM step_times[step] - step_times[step - 1])::float8 AS seconds FROM member, generate_series(2, 3) step WHERE level >= step)
    SELECT r.step, r.members, r.members / nullif(p.members, 0)::float8, r.members / nullif(f.members, 0)::float8,
           round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM duration d WHERE d.step = r.step)::numeric, 4),
           round((SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) FROM duration d WHERE d.step = r.step)::numeric, 4)
      FROM reached r LEFT JOIN reached p ON p.step = r.step - 1 JOIN reached f ON f.step = 1 $q$, query);
END $$;

\ir include/compare.sql

-- All that is asked of one data set: 8 tests for each question.
CREATE FUNCTION pg_temp.asked(data text, steps text[], within interval) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  arguments text := format('%L, at, %s', within, array_to_string(steps, ', '));
  about text := format('%s, within %s', data, within);
BEGIN
  EXECUTE format('CREATE TEMP TABLE IF NOT EXISTS asked_book ON COMMIT DROP AS SELECT funnel_book(member, %s) AS book FROM event', arguments);
  EXECUTE format('CREATE TEMP TABLE answer AS SELECT * FROM pg_temp.chains(%L, %L)', steps, within);
  RETURN NEXT pg_temp.same_rows('SELECT m.* FROM asked_book, funnel_members(book) m', 'TABLE answer', about || ': members as in plain SQL');
  RETURN NEXT pg_temp.same_rows(format('SELECT member, level(f), step_times(f) FROM (SELECT member, funnel(%s) AS f FROM event WHERE num_nulls(member, at) = 0 GROUP BY member) s', arguments),
                                'TABLE answer', about || ': values as in plain SQL');
  RETURN NEXT pg_temp.same_rows('SELECT step, members, rate_from_previous, rate_from_first, round(extract(epoch FROM median_time), 4), round(extract(epoch FROM p90_time), 4), round(median_seconds::numeric, 4), round(p90_seconds::numeric, 4) FROM asked_book, funnel_steps(book)',
                                $q$ SELECT *, median, p90 FROM pg_temp.reports('TABLE answer') $q$, about || ': steps as in plain SQL');
  RETURN NEXT pg_temp.same_rows($q$ SELECT m.* FROM asked_book, funnel_members(book, 'clickhouse') m $q$, format('SELECT * FROM pg_temp.chains(%L, %L, once => false)', steps, within), about || ': a row may meet several steps');
  RETURN NEXT pg_temp.same_rows($q$ SELECT m.* FROM asked_book, funnel_members(book, 'strict_increase') m $q$, format($q$ SELECT * FROM pg_temp.chains(%L, %L, '>') $q$, steps, within), about || ': times that increase');
  RETURN NEXT pg_temp.same_rows(format($q$ SELECT m.* FROM (SELECT rollup(book) AS book FROM (SELECT funnel_book(member, %s) AS book FROM event GROUP BY date_trunc('month', at)) p) p, funnel_members(book, 'strict_once') m $q$, arguments),
                                'TABLE answer', about || ': merged from months');
  RETURN NEXT pg_temp.same_rows(format($q$ SELECT m.member::bigint, level, step_times FROM (SELECT funnel_book(member::text, %s ORDER BY hashint8extended(id, 1)) AS book FROM event) p, funnel_members(NULL::text, book) m $q$, arguments),
                                'TABLE answer', about || ': members as text, rows in another order');
  RETURN QUERY SELECT is(rows_skipped(book), (SELECT count(*) FROM event WHERE num_nulls(member, at) > 0), about || ': rows skipped') FROM asked_book;
  DROP TABLE answer, asked_book;
END $$;

-- Rows made up: many at equal times, some of no member or time, of 300 members.

INSERT INTO event
SELECT n, nullif((hashint8extended(n, 1) & 511) % 301, 300), CASE WHEN n % 71 > 0 THEN timestamptz '2025-03-01' + (hashint8extended(n, 2) & 255) * interval '3 hours' END,
       substr('abcabdx', 1 + ((hashint8extended(n, 3) & 65535) % 7)::int, 1)
  FROM generate_series(1, 6000::bigint) n;
ANALYZE event;
SELECT pg_temp.asked('made up', steps, within)
  FROM (VALUES (ARRAY['what = ''a''', 'what = ''b''', 'what = ''c''']), (ARRAY['what IN (''a'', ''b'')', 'what IN (''b'', ''c'')', 'what = ''b'''])) s (steps), unnest(ARRAY['0', '2 days']::interval[]) within;

SELECT is((SELECT funnel_book_send(funnel_book(member, f)) FROM (SELECT member, funnel('2 days', at, what = 'a', what = 'b') AS f FROM event WHERE num_nulls(member, at) = 0 GROUP BY member, id % 5) s),
          (SELECT funnel_book_send(funnel_book(member, '2 days', at, what = 'a', what = 'b')) FROM event WHERE num_nulls(member, at) = 0), 'a book made of stored funnels');

-- CDNOW: a second and a third order; all have but dates.

\if :have_cdnow
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line from program 'gzip -dc "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz"'
TRUNCATE event;
INSERT INTO event
SELECT n, f[1]::bigint, (substr(f[2], 1, 4) || '-' || substr(f[2], 5, 2) || '-' || substr(f[2], 7, 2))::timestamptz, 'order'
  FROM (SELECT row_number() OVER () AS n, regexp_split_to_array(btrim(line, E' \r'), ' +') AS f
          FROM cdnow_line WHERE line !~ 'customer_id') l;
ANALYZE event;
SELECT pg_temp.asked('CDNOW, three orders', ARRAY['what = ''order''', 'what = ''order''', 'what = ''order'''], within) FROM unnest(ARRAY['0', '30 days']::interval[]) within;
SELECT is((SELECT members FROM funnel_steps((SELECT funnel_book(member, '600 days', at, true, true) FROM event)) WHERE step = 2),
          (SELECT count(*) FROM (SELECT FROM event GROUP BY member HAVING count(*) > 1) s), 'CDNOW: whoever has two orders has a second');
\else
SELECT skip('CDNOW is not in $CUSTMART_SHARED/data', 17);
\endif

-- Online Retail: an order, a cancellation, another order; lines without a customer.

\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity int, at timestamptz, price numeric, customer bigint, country text);
\copy retail from program 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' csv header
TRUNCATE event;
INSERT INTO event
SELECT row_number() OVER (), customer, at, CASE WHEN invoice LIKE 'C%' THEN 'cancellation' ELSE 'order' END
  FROM (SELECT DISTINCT invoice, customer, at FROM retail) i;
ANALYZE event;
SELECT pg_temp.asked('Online Retail', ARRAY['what = ''order''', 'what = ''cancellation''', 'what = ''order'''], within) FROM unnest(ARRAY['7 days', '30 days']::interval[]) within;
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 16);
\endif

-- The Complete Journey: a basket with a coupon, then two without, by the clocks of New York.

\if :have_journey
CREATE TEMP TABLE journey (household bigint, store int, basket numeric, product bigint, quantity numeric, sales numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamp);
\copy journey from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
TRUNCATE event;
INSERT INTO event
SELECT basket, household, min(at) AT TIME ZONE 'America/New_York', CASE WHEN bool_or(coupon_disc > 0) THEN 'coupon' ELSE 'none' END FROM journey GROUP BY basket, household;
ANALYZE event;
SELECT pg_temp.asked('The Complete Journey', ARRAY['what = ''coupon''', 'what = ''none''', 'what = ''none'''], within) FROM unnest(ARRAY['5 days', '100 days 12:00']::interval[]) within;
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 16);
\endif

-- What these funnels must not be: empty.

SELECT ok((SELECT min(members) > 20 FROM funnel_steps((SELECT funnel_book(id % 100, '1 day', '2026-01-01'::timestamptz + (hashint8extended(id, 1) & 65535) * interval '1 minute', id % 3 = 0, id % 3 = 1, id % 3 = 2) FROM generate_series(1, 20000::bigint) id))),
          'a funnel whose last step is reached');
SELECT is((SELECT array_agg(members ORDER BY step) FROM funnel_steps((SELECT funnel_book(member, '31 hours', at, VARIADIC ARRAY(SELECT hour = step FROM generate_series(0, 31) step))
             FROM (SELECT member, hour, '2026-01-01'::timestamptz + hour * interval '1 hour' AS at FROM generate_series(1, 32::bigint) member, generate_series(0, 31) hour WHERE hour < member) s))),
          (SELECT array_agg(33 - step ORDER BY step)::bigint[] FROM generate_series(1, 32) step), '32 steps, at each of which one member stops');

SELECT * FROM finish();
ROLLBACK;
