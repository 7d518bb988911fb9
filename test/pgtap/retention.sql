-- Retention against an oracle: all that the reports of retention_book say is computed
-- once more in plain SQL, from the rows, and compared row for row.
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

SELECT plan(640);

-- The oracle

-- One row per order or refund, of which any column may be NULL.
CREATE TEMP TABLE line (member bigint, at timestamptz, amount numeric, part int);

-- What each member did in each period; periods are numbered in the calendar.  Without
-- amounts every row is activity, with them those whose amount is not below 0.
CREATE TEMP TABLE calendar (n bigint, first_day date);
CREATE TEMP TABLE did (member bigint, n bigint, has_order boolean, net numeric);
CREATE TEMP TABLE book (with_amounts boolean, b retention_book);

-- How much later than date_trunc has it a unit begins.
CREATE FUNCTION pg_temp.later(unit text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE unit WHEN 'week(sunday)' THEN interval '6 days' WHEN 'week(saturday)' THEN interval '5 days' WHEN 'quarter(february)' THEN interval '1 month' WHEN 'year(april)' THEN interval '3 months' ELSE interval '0' END
$$;
CREATE FUNCTION pg_temp.local_period(at timestamptz, unit text, zone text) RETURNS timestamp
LANGUAGE sql IMMUTABLE AS $$ SELECT date_trunc(split_part(unit, '(', 1), (at AT TIME ZONE zone) - pg_temp.later(unit)) + pg_temp.later(unit) $$;

-- Fills all of them, the calendar from the first row to as_of, or to the last row.
CREATE FUNCTION pg_temp.prepare(unit text, zone text, as_of timestamptz) RETURNS void LANGUAGE sql AS $$
  TRUNCATE calendar, did, book;
  INSERT INTO calendar
  SELECT n, p FROM (SELECT pg_temp.local_period(min(at), unit, zone) AS first, pg_temp.local_period(coalesce(as_of, max(at)), unit, zone) AS last
                      FROM line WHERE member IS NOT NULL) b,
         generate_series(first, last, CASE split_part(unit, '(', 1) WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || split_part(unit, '(', 1))::interval END) WITH ORDINALITY g (p, n);
  INSERT INTO did
  SELECT member, n, coalesce(bool_or(amount >= 0), false), sum(amount)
    FROM line JOIN calendar c ON c.first_day = pg_temp.local_period(at, unit, zone)
   WHERE member IS NOT NULL GROUP BY member, n;
  INSERT INTO book
  SELECT false, retention_book(member, at, unit, zone) FROM line
   UNION ALL SELECT true, retention_book(member, at, amount, unit, zone) FROM line;
  ANALYZE calendar, did;
$$;

CREATE FUNCTION pg_temp.book(with_amounts boolean) RETURNS retention_book LANGUAGE sql STABLE AS $$
  SELECT b FROM book WHERE book.with_amounts = $1
$$;

CREATE FUNCTION pg_temp.active(with_amounts boolean) RETURNS TABLE (member bigint, n bigint) LANGUAGE sql STABLE AS $$
  SELECT member, n FROM did WHERE NOT with_amounts OR has_order
$$;

CREATE FUNCTION pg_temp.cohorts(with_amounts boolean)
RETURNS TABLE (cohort date, periods_later int, period date, members bigint, active bigint, rate float8, on_or_after bigint, on_or_after_rate float8, net text, net_rate float8)
LANGUAGE sql STABLE AS $$
  WITH act AS MATERIALIZED (SELECT * FROM pg_temp.active(with_amounts)),
  came AS MATERIALIZED (SELECT member, min(n) AS n, max(n) AS last FROM act GROUP BY member),
  cell AS (
    SELECT c.n AS c, p.n - c.n AS k, members, p.n < max(p.n) OVER () AS has_ended
      FROM (SELECT n, count(*) AS members FROM came GROUP BY n) c JOIN calendar p ON p.n >= c.n),
  stay AS (SELECT came.n AS c, a.n - came.n AS k, count(*) AS active FROM came JOIN act a USING (member) GROUP BY 1, 2),
  leave AS (SELECT n AS c, last - n AS k, count(*) AS last_there FROM came GROUP BY 1, 2),
  money AS (SELECT came.n AS c, d.n - came.n AS k, sum(net) AS net FROM came JOIN did d ON d.member = came.member AND d.n >= came.n WHERE with_amounts AND net IS NOT NULL GROUP BY 1, 2),
  told AS (
    SELECT cell.c, cell.k, members, has_ended, coalesce(active, 0) AS active,
           sum(coalesce(last_there, 0)) OVER (PARTITION BY cell.c ORDER BY cell.k DESC)::bigint AS on_or_after,
           CASE WHEN with_amounts THEN coalesce(net, 0) END AS net
      FROM cell LEFT JOIN stay USING (c, k) LEFT JOIN leave USING (c, k) LEFT JOIN money USING (c, k))
  SELECT came.first_day, k::int, later.first_day, members, active, CASE WHEN has_ended THEN active / members::float8 END,
         on_or_after, CASE WHEN has_ended THEN on_or_after / members::float8 END,
         net::text, CASE WHEN has_ended THEN net::float8 / CASE WHEN first_value(net) OVER w > 0 THEN first_value(net) OVER w END::float8 END
    FROM told JOIN calendar came ON came.n = c JOIN calendar later ON later.n = c + k WINDOW w AS (PARTITION BY c ORDER BY k)
$$;

CREATE FUNCTION pg_temp.lifecycles(with_amounts boolean)
RETURNS TABLE (period date, active bigint, new_members bigint, returning_members bigint, resurrecting_members bigint, dormant_members bigint)
LANGUAGE sql STABLE AS $$
  WITH act AS MATERIALIZED (SELECT *, min(n) OVER (PARTITION BY member) AS first, lag(n) OVER w AS before, lead(n) OVER w AS next
                              FROM pg_temp.active(with_amounts) WINDOW w AS (PARTITION BY member ORDER BY n)),
  here AS (SELECT n, count(*) AS active, count(*) FILTER (WHERE n = first) AS new, count(*) FILTER (WHERE before = n - 1) AS back, count(*) FILTER (WHERE before < n - 1) AS again FROM act GROUP BY n),
  gone AS (SELECT n + 1 AS n, count(*) AS dormant FROM act WHERE next IS DISTINCT FROM n + 1 GROUP BY n)
  SELECT first_day, coalesce(active, 0), coalesce(new, 0), coalesce(back, 0), coalesce(again, 0),
         CASE WHEN n < (SELECT max(n) FROM calendar) THEN coalesce(dormant, 0) END
    FROM calendar LEFT JOIN here USING (n) LEFT JOIN gone USING (n)
   WHERE n >= (SELECT min(n) FROM act)
$$;

CREATE FUNCTION pg_temp.stickiness(with_amounts boolean, since date, until date)
RETURNS TABLE (active_periods int, members bigint, share float8, at_least bigint, at_least_share float8)
LANGUAGE sql STABLE AS $$
  WITH bound AS (SELECT (SELECT max(n) FROM calendar WHERE first_day <= since) AS low, (SELECT max(n) FROM calendar WHERE first_day <= until) AS high),
  often AS MATERIALIZED (
    SELECT member, count(*) AS times FROM pg_temp.active(with_amounts), bound
     WHERE n BETWEEN coalesce(low, n) AND CASE WHEN until IS NULL THEN n ELSE high END GROUP BY member)
  SELECT k::int, count(*) FILTER (WHERE times = k), count(*) FILTER (WHERE times = k) / count(*)::float8,
         count(*) FILTER (WHERE times >= k), count(*) FILTER (WHERE times >= k) / count(*)::float8
    FROM often, generate_series(1, (SELECT max(times) FROM often)) k GROUP BY k
$$;

-- What members pay in a period is their net in it if that is above 0; scales are left out.
CREATE FUNCTION pg_temp.revenue()
RETURNS TABLE (period date, revenue numeric, new_revenue numeric, resurrected numeric, expansion numeric, contraction numeric, churned numeric, excess_refunds numeric, paid_before numeric, net_retention_rate float8, gross_retention_rate float8)
LANGUAGE sql STABLE AS $$
  WITH spent AS MATERIALIZED (SELECT member, n, net FROM did WHERE net IS NOT NULL),
  first AS (SELECT member, min(n) AS first FROM spent WHERE net > 0 GROUP BY member),
  moved AS (
    SELECT member, n, coalesce(a.net, 0) AS now, coalesce(b.net, 0) AS before, first
      FROM spent a FULL JOIN (SELECT member, n + 1 AS n, net FROM spent) b USING (member, n) LEFT JOIN first USING (member)),
  told AS (
    SELECT n, sum(now) AS revenue, sum(now) FILTER (WHERE now > 0 AND n = first) AS new, sum(now) FILTER (WHERE now > 0 AND before <= 0 AND n > first) AS again,
           sum(now - before) FILTER (WHERE now > 0 AND before > 0 AND now > before) AS more, sum(now - before) FILTER (WHERE now > 0 AND before > 0 AND now < before) AS less,
           -sum(before) FILTER (WHERE now <= 0 AND before > 0) AS lost, sum(least(now, 0) - least(before, 0)) AS excess, sum(before) FILTER (WHERE before > 0) AS paid,
           sum(greatest(now, 0)) FILTER (WHERE before > 0) AS kept, sum(greatest(least(now, before), 0)) FILTER (WHERE before > 0) AS kept_without_more
      FROM moved GROUP BY n),
  last AS (SELECT max(n) AS last FROM calendar)
  SELECT first_day, trim_scale(coalesce(revenue, 0)), trim_scale(coalesce(new, 0)), trim_scale(coalesce(again, 0)), trim_scale(coalesce(more, 0)),
         CASE WHEN n < last THEN trim_scale(coalesce(less, 0)) END, CASE WHEN n < last THEN trim_scale(coalesce(lost, 0)) END, CASE WHEN n < last THEN trim_scale(coalesce(excess, 0)) END,
         trim_scale(coalesce(paid, 0)), CASE WHEN n < last THEN kept::float8 / paid::float8 END, CASE WHEN n < last THEN kept_without_more::float8 / paid::float8 END
    FROM calendar CROSS JOIN last LEFT JOIN told USING (n) WHERE n >= (SELECT min(n) FROM spent)
$$;

-- Days of 24 hours, in seconds that are exact.
CREATE FUNCTION pg_temp.days(as_of timestamptz, last_day int)
RETURNS TABLE (day int, until_day int, members bigint, active bigint, rate float8, on_or_after bigint, on_or_after_rate float8)
LANGUAGE sql STABLE AS $$
  WITH start AS MATERIALIZED (SELECT member, min(extract(epoch FROM at)) AS s FROM line WHERE member IS NOT NULL AND at IS NOT NULL GROUP BY member),
  stop AS (SELECT extract(epoch FROM coalesce(as_of, max(at))) AS s FROM line WHERE member IS NOT NULL),
  visit AS MATERIALIZED (SELECT DISTINCT member, floor((extract(epoch FROM at) - s) / 86400)::int AS day FROM line JOIN start USING (member) WHERE at IS NOT NULL),
  last AS (SELECT member, max(day) AS last FROM visit GROUP BY member),
  told AS (
    SELECT d AS day, count(start.member) AS members, count(visit.member) AS active, count(start.member) FILTER (WHERE last >= d) AS on_or_after
      FROM generate_series(0, last_day) d CROSS JOIN stop
      LEFT JOIN (start JOIN last USING (member)) ON start.s + (d + 1) * 86400 <= stop.s
      LEFT JOIN visit ON visit.member = start.member AND visit.day = d GROUP BY d)
  SELECT day, day, members, active, active / nullif(members, 0)::float8, on_or_after, on_or_after / nullif(members, 0)::float8 FROM told
$$;

\ir include/compare.sql

-- All reports of periods by a unit in a zone, 16 tests: both forms, row by row, and what has to add up.
CREATE FUNCTION pg_temp.agrees(data text, unit text, zone text, as_of timestamptz DEFAULT NULL, since date DEFAULT '2026-01-01', until date DEFAULT '2026-03-15') RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  asked text;
  with_amounts boolean;
  book text;
  told text := CASE WHEN as_of IS NULL THEN '' ELSE format(', %L', as_of) END;
BEGIN
  PERFORM pg_temp.prepare(unit, zone, as_of);
  FOREACH with_amounts IN ARRAY '{false,true}'::boolean[] LOOP
    asked := format(' of %s by %s in %s%s%s', data, unit, zone, CASE WHEN with_amounts THEN ' with amounts' ELSE '' END, CASE WHEN as_of IS NULL THEN '' ELSE ' as of ' || as_of END);
    book := format('pg_temp.book(%L)', with_amounts);
    RETURN NEXT pg_temp.same_rows(
      format('SELECT cohort, periods_later, period, members, active, rate, on_or_after, on_or_after_rate, net::text, net_rate FROM cohort_retention(%s%s)', book, told),
      format('SELECT * FROM pg_temp.cohorts(%L)', with_amounts), 'cohort_retention()' || asked);
    RETURN NEXT pg_temp.same_rows(
      format('SELECT * FROM lifecycle_counts(%s%s)', book, told),
      format('SELECT * FROM pg_temp.lifecycles(%L)', with_amounts), 'lifecycle_counts()' || asked);
    RETURN NEXT pg_temp.same_rows(
      format('SELECT * FROM stickiness(%s%s)', book, told),
      format('SELECT * FROM pg_temp.stickiness(%L, NULL, NULL)', with_amounts), 'stickiness()' || asked);
    RETURN NEXT pg_temp.same_rows(
      format('SELECT * FROM stickiness(%s%s, since => %L, until => %L)', book, told, since, until),
      format('SELECT * FROM pg_temp.stickiness(%L, %L, %L)', with_amounts, since, until), 'stickiness() within bounds' || asked);
    RETURN NEXT is_empty(
      format('SELECT * FROM (SELECT *, coalesce(lag(active) OVER (ORDER BY period), 0) AS before FROM lifecycle_counts(%s%s)) l
               WHERE active <> new_members + returning_members + resurrecting_members OR active - before <> new_members + resurrecting_members - dormant_members', book, told), 'growth adds up' || asked);
    RETURN NEXT results_eq(
      format('SELECT sum(members) FILTER (WHERE periods_later = 0), sum(net) + net_outside(%s) FROM cohort_retention(%1$s%s)', book, told),
      format('SELECT count(DISTINCT member)::numeric, %s FROM pg_temp.active(%L)', CASE WHEN with_amounts THEN '(SELECT sum(net) FROM did)' ELSE 'NULL::numeric' END, with_amounts),
      'cohorts add up to all who were active, and money to all there is' || asked);
    -- The same people, counted by cohort and by calendar.
    RETURN NEXT pg_temp.same_rows(
      format('SELECT period, sum(active)::bigint AS active, coalesce(sum(members) FILTER (WHERE periods_later = 0), 0)::bigint AS new_members
                FROM cohort_retention(%s%s) GROUP BY period', book, told),
      format('SELECT period, active, new_members FROM lifecycle_counts(%s%s)', book, told), 'cohorts and lifecycles tell of the same members' || asked);
  END LOOP;
  RETURN NEXT pg_temp.same_rows(
    format('SELECT period, trim_scale(revenue), trim_scale(new_revenue), trim_scale(resurrected), trim_scale(expansion), trim_scale(contraction), trim_scale(churned), trim_scale(excess_refunds), trim_scale(paid_before), net_retention_rate, gross_retention_rate
              FROM revenue_growth(pg_temp.book(true)%s)', told),
    'SELECT * FROM pg_temp.revenue()', 'revenue_growth()' || asked);
  RETURN NEXT is_empty(
    format('SELECT * FROM (SELECT *, coalesce(lag(revenue) OVER (ORDER BY period), 0) AS before FROM revenue_growth(pg_temp.book(true)%s)) l
             WHERE revenue - before <> new_revenue + resurrected + expansion + contraction + churned + excess_refunds', told), 'the movements add up to the change of revenue' || asked);
END $$;

-- Generated rows: members who come once and members who come often; breaks; full
-- hours, on which days of some zone end, and a microsecond before; refunds, 0, wide
-- money and scales of all sizes; members with refunds only; NULLs.

INSERT INTO line
SELECT CASE WHEN pg_temp.chance(i, 1) > 0.01 THEN member END,
       CASE WHEN pg_temp.chance(i, 2) > 0.01 THEN timestamptz '2025-03-08' + floor((pg_temp.chance(member, 3) * 0.7 + pg_temp.chance(i, 4) * power(pg_temp.chance(member, 5), 3)) * 6700) * interval '1 hour'
         - CASE WHEN pg_temp.chance(i, 6) < 0.3 THEN interval '1 microsecond' ELSE '0' END END,
       CASE WHEN c < 0.01 THEN NULL WHEN c < 0.05 THEN 0 WHEN c < 0.20 THEN -round((v * 40)::numeric, 2) WHEN c < 0.35 THEN round((v * 100)::numeric, 0) WHEN c < 0.36 THEN round((v * 10)::numeric, 15)
            WHEN c < 0.37 THEN round((v * 1e8)::numeric, 0) * 1e20 WHEN c < 0.38 THEN -round((v * 1e8)::numeric, 0) * 1e20 ELSE round((v * 100)::numeric, 2) END,
       i % 13
  FROM generate_series(1, 6000::bigint) i, LATERAL (SELECT floor(power(pg_temp.chance(i, 7), 2) * 700)::bigint AS member, pg_temp.chance(i, 8) AS c, pg_temp.chance(i, 9) AS v) s;
INSERT INTO line SELECT 1000 + i % 5, timestamptz '2025-06-01' + i * interval '3 days', -i, i FROM generate_series(1, 12) i;
INSERT INTO line SELECT 2000, timestamptz '2025-06-01' + i * interval '1 day', 5, i FROM generate_series(1, 100) i;

SELECT pg_temp.agrees('generated rows', unit, zone, NULL, '2025-05-11', '2025-10-01')
  FROM unnest('{day,week,month,quarter,year}'::text[]) unit, unnest('{UTC,Europe/Berlin,America/New_York}'::text[]) zone WHERE unit NOT IN ('quarter', 'year') OR zone <> 'UTC';
SELECT pg_temp.agrees('generated rows', unit, zone, NULL, '2025-05-11', '2025-10-01')
  FROM (VALUES ('week(sunday)', 'America/New_York'), ('week(saturday)', 'Europe/Berlin'), ('quarter(february)', 'Asia/Tokyo'), ('year(april)', 'Europe/Berlin')) v (unit, zone);
-- As of later moments, around the end of a month in New York and when a week ends in Berlin.
SELECT pg_temp.agrees('generated rows', unit, zone, as_of, '2025-11-02', '2026-05-20')
  FROM (VALUES ('month', 'America/New_York', timestamptz '2026-06-01 03:59:59.999999'), ('month', 'America/New_York', '2026-06-01 04:00'), ('week', 'Europe/Berlin', '2026-05-31 22:00')) v (unit, zone, as_of);
SELECT cmp_ok((SELECT count(*) FROM did WHERE NOT has_order), '>', 100::bigint, 'there are periods without orders');
SELECT cmp_ok((SELECT count(*) FROM cohort_retention(pg_temp.book(true)) WHERE net < 0), '>', 20::bigint, 'and cohorts that were refunded more than they paid');
SELECT cmp_ok((SELECT net_outside(b) FROM book WHERE with_amounts), '<', 0::numeric, 'and refunds that belong to no cohort');
SELECT is((SELECT net_outside(b) FROM book WHERE with_amounts),
          (SELECT sum(net) FROM did LEFT JOIN (SELECT member, min(n) AS first FROM did WHERE has_order GROUP BY member) f USING (member) WHERE n < first OR first IS NULL), 'net_outside() is the sum of them');
SELECT is((SELECT array_agg(rows_skipped(b) ORDER BY with_amounts) FROM book),
          (SELECT ARRAY[count(*) FILTER (WHERE num_nulls(member, at) > 0), count(*) FILTER (WHERE num_nulls(member, at, amount) > 0)] FROM line), 'rows_skipped()');
SELECT is((SELECT array_agg(member_count(b) ORDER BY with_amounts) FROM book),
          (SELECT ARRAY[count(DISTINCT member) FILTER (WHERE at IS NOT NULL), count(DISTINCT member) FILTER (WHERE num_nulls(at, amount) = 0)] FROM line), 'member_count()');
-- Word for word, and slowly: on or after is being there at some time from then on.
SELECT pg_temp.same_rows(
  'SELECT cohort, periods_later, on_or_after FROM cohort_retention(pg_temp.book(true), ''2026-05-31 22:00+00'')',
  $$ WITH came AS MATERIALIZED (SELECT member, min(n) AS n FROM did WHERE has_order GROUP BY member)
     SELECT c.first_day, (p.n - c.n)::int, (SELECT count(*) FROM came WHERE came.n = c.n AND EXISTS (SELECT FROM did d WHERE d.member = came.member AND has_order AND d.n >= p.n))
       FROM calendar c JOIN calendar p ON p.n >= c.n WHERE c.n IN (SELECT n FROM came) $$, 'on_or_after, by the definition');

-- N-day retention
SELECT pg_temp.same_rows(format('SELECT * FROM day_retention((SELECT retention_book(member, at) FROM line), %L, %s)', as_of, last_day),
                         format('SELECT * FROM pg_temp.days(%L, %s)', as_of, last_day), format('day_retention() of generated rows as of %s to day %s', as_of, last_day))
  FROM (VALUES (NULL, 90), (NULL, 0), ('2026-06-01 12:34:56.789012', 400), ('2027-01-01', 7)) v (as_of, last_day);
SELECT pg_temp.same_rows('SELECT * FROM day_retention((SELECT retention_book(member, at) FROM line))', 'SELECT * FROM pg_temp.days(NULL, 90)', 'day 90 of the latest row is what it tells if not asked');
SELECT cmp_ok((SELECT count(DISTINCT members) FROM pg_temp.days('2026-06-01 12:34:56.789012', 400)), '>', 50::bigint, 'members drop out of the count as their days have not ended');

-- Activities of members say the same as the book, and so do books made of them and of parts.
SELECT pg_temp.prepare('week', 'Europe/Berlin', NULL);
CREATE TEMP TABLE kept AS SELECT member, activity(at, 'week', 'Europe/Berlin') AS a FROM line WHERE member IS NOT NULL AND at IS NOT NULL GROUP BY member;
SELECT pg_temp.same_rows(
  'SELECT first_period(a) AS cohort, count(*) AS members FROM kept GROUP BY 1', 'SELECT cohort, members FROM cohort_retention(pg_temp.book(false)) WHERE periods_later = 0', 'first_period() is the cohort');
SELECT pg_temp.same_rows(
  'SELECT first_day, lifecycle(a, first_day) AS lifecycle, count(*) AS members FROM kept, calendar WHERE n < (SELECT max(n) FROM calendar) AND lifecycle(a, first_day) IS NOT NULL GROUP BY 1, 2',
  $$ SELECT period, v.* FROM lifecycle_counts(pg_temp.book(false)) l, LATERAL (VALUES ('new', new_members), ('returning', returning_members), ('resurrecting', resurrecting_members), ('dormant', dormant_members)) v (lifecycle, members)
      WHERE v.members > 0 AND dormant_members IS NOT NULL $$, 'lifecycle() of each member is what lifecycle_counts() counts');
SELECT pg_temp.same_rows('SELECT active_periods(a)::int AS active_periods, count(*) AS members FROM kept GROUP BY 1', 'SELECT active_periods, members FROM stickiness(pg_temp.book(false)) WHERE members > 0', 'active_periods() is what stickiness() counts');
SELECT pg_temp.same_rows('SELECT * FROM cohort_retention((SELECT retention_book(member, a) FROM kept), ''2026-06-09'')', 'SELECT * FROM cohort_retention(pg_temp.book(false), ''2026-06-09'')', 'cohort_retention() of a book made of activities');
SELECT is((SELECT retention_book_send(rollup(b)) FROM (SELECT retention_book(member, at, amount, 'week', 'Europe/Berlin') AS b FROM line GROUP BY part) s), retention_book_send(pg_temp.book(true)), 'rollup() of the books of parts');

-- The session's settings say nothing.
CREATE TEMP TABLE by_setting (settings text, digest text);
CREATE FUNCTION pg_temp.digest() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT md5(string_agg(concat_ws(' ', cohort - date '2000-01-01', periods_later, active, rate, net, net_rate), ',' ORDER BY cohort, periods_later))
    FROM cohort_retention((SELECT retention_book(member, at, amount, 'day', 'America/New_York') FROM line))
$$;
INSERT INTO by_setting VALUES ('UTC', pg_temp.digest());
SET LOCAL timezone = 'Pacific/Apia'; SET LOCAL datestyle = 'German';
INSERT INTO by_setting VALUES ('Apia', pg_temp.digest());
SET LOCAL timezone = 'America/New_York'; SET LOCAL datestyle = 'SQL, DMY';
INSERT INTO by_setting VALUES ('New York', pg_temp.digest());
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO';
SELECT is((SELECT count(DISTINCT digest) FROM by_setting), 1::bigint, 'settings of the session change nothing');

-- CDNOW: orders of 1997 and 1998 of those who bought first in the first quarter of 1997.

\if :have_cdnow
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line from program 'gzip -dc "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz"'
TRUNCATE line;
INSERT INTO line
SELECT f[1]::bigint, (substr(f[2], 1, 4) || '-' || substr(f[2], 5, 2) || '-' || substr(f[2], 7, 2))::timestamptz, f[4]::numeric
  FROM (SELECT regexp_split_to_array(btrim(line, E' \r'), ' +') AS f FROM cdnow_line WHERE line !~ 'customer_id') l;
ANALYZE line;
SELECT pg_temp.agrees('CDNOW', unit, zone, NULL, '1997-02-01', '1998-01-31')
  FROM unnest('{day,week,month}'::text[]) unit, unnest('{UTC,Europe/Berlin,America/New_York}'::text[]) zone WHERE zone <> 'Europe/Berlin' OR unit = 'month';
SELECT pg_temp.agrees('CDNOW', 'week(sunday)', 'America/New_York', NULL, '1997-02-01', '1998-01-31');
SELECT pg_temp.prepare('month', 'UTC', NULL);
SELECT results_eq('SELECT cohort FROM cohort_retention(pg_temp.book(true)) WHERE periods_later = 0', ARRAY['1997-01-01', '1997-02-01', '1997-03-01']::date[], 'all came in January, February or March 1997, as published');
SELECT results_eq('SELECT sum(members) FILTER (WHERE periods_later = 0), sum(net) FROM cohort_retention(pg_temp.book(true))', 'VALUES (23570::numeric, 2500315.63)', 'the published customers and revenue');
SELECT is((SELECT members FROM cohort_retention((SELECT retention_book(member, at, 'quarter', 'UTC') FROM line)) WHERE periods_later = 0), 23570::bigint, 'one cohort of a quarter');
SELECT pg_temp.same_rows('SELECT * FROM day_retention((SELECT retention_book(member, at) FROM line), ''1998-07-01'', 30)', 'SELECT * FROM pg_temp.days(''1998-07-01'', 30)', 'day_retention() of CDNOW');
\else
SELECT skip('CDNOW is not in $CUSTMART_SHARED/data', 132);
\endif

-- Online Retail (UCI): every line of a known customer, cancellations being refunds.

\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity int,
                          at timestamptz, price numeric, customer bigint, country text);
\copy retail from program 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' csv header
TRUNCATE line;
INSERT INTO line SELECT customer, at, quantity * price FROM retail;
ANALYZE line;
SELECT pg_temp.agrees('Online Retail', unit, zone, NULL, '2011-01-31', '2011-10-01')
  FROM (VALUES ('day', 'America/New_York'), ('week', 'UTC'), ('month', 'Europe/Berlin'), ('quarter(february)', 'Europe/Berlin')) v (unit, zone);
SELECT is((SELECT row(member_count(b), rows_skipped(b)) FROM book WHERE with_amounts), row(4372::bigint, 135080::bigint), 'the published customers, and lines without one');
SELECT is((SELECT sum(members) FROM cohort_retention((SELECT retention_book(customer, at, 'month', 'UTC') FROM retail WHERE quantity > 0 AND price > 0)) WHERE periods_later = 0), 4338::numeric, 'sales only: the published customers');
SELECT is((SELECT sum(net) FROM cohort_retention((SELECT retention_book(customer, at, quantity * price, 'month', 'UTC') FROM retail WHERE quantity > 0 AND price > 0))), 8911407.904, 'and revenue');
SELECT pg_temp.same_rows('SELECT * FROM day_retention((SELECT retention_book(member, at) FROM line), NULL, 60)', 'SELECT * FROM pg_temp.days(NULL, 60)', 'day_retention() of Online Retail');
-- The file has no time zone: its days and times are the shop's, wherever the session is.
CREATE TEMP VIEW december AS
SELECT cohort, members FROM cohort_retention((SELECT retention_book(customer, (at AT TIME ZONE 'UTC')::date, 'month', 'UTC') FROM retail WHERE quantity > 0)) WHERE periods_later = 0
 UNION ALL SELECT cohort, members FROM cohort_retention((SELECT retention_book(customer, at AT TIME ZONE 'UTC', 'month', 'UTC') FROM retail WHERE quantity > 0)) WHERE periods_later = 0;
SET LOCAL timezone = 'Europe/Berlin';
SELECT bag_eq($$ SELECT * FROM december WHERE cohort < '2011-01-01' $$, $$ VALUES (date '2010-12-01', 885::bigint), ('2010-12-01', 885) $$, 'the cohort of December by its days and by its times, in a session of Berlin');
CREATE TEMP TABLE berlin AS TABLE december;
SET LOCAL timezone = 'UTC';
SELECT bag_eq('TABLE december', 'TABLE berlin', 'and all cohorts are those of other sessions');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 70);
\endif

-- The Complete Journey: lines of baskets, the times being those of New York.

\if :have_journey
CREATE TEMP TABLE journey (household_id int, store_id int, basket_id text, product_id numeric, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric,
  coupon_match_disc numeric, week int, at timestamp);
\copy journey from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
TRUNCATE line;
INSERT INTO line SELECT household_id, at AT TIME ZONE 'America/New_York', sales_value, week FROM journey;
ANALYZE line;
SELECT pg_temp.agrees('The Complete Journey', unit, zone, as_of, '2017-02-01', '2017-11-30')
  FROM (VALUES ('day', 'America/New_York', NULL::timestamptz), ('week', 'Europe/Berlin', NULL), ('month', 'UTC', NULL), ('week(saturday)', 'America/New_York', NULL), ('year(april)', 'Asia/Tokyo', NULL), ('month', 'America/New_York', '2018-01-01 05:00')) v (unit, zone, as_of);
SELECT is((SELECT member_count(b) FROM book WHERE with_amounts), 2377::bigint, 'the published households');
SELECT pg_temp.same_rows('SELECT * FROM day_retention((SELECT retention_book(member, at) FROM line), NULL, 60)', 'SELECT * FROM pg_temp.days(NULL, 60)', 'day_retention() of The Complete Journey');
SELECT is((SELECT retention_book_send(rollup(b)) FROM (SELECT retention_book(member, at, amount, 'month', 'America/New_York') AS b FROM line GROUP BY part) s), retention_book_send(pg_temp.book(true)), 'rollup() of the books of weeks');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 99);
\endif

SELECT * FROM finish();
ROLLBACK;
