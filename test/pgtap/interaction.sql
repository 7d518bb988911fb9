-- Interaction stages against an oracle: all that interaction_stage and the reports of
-- interaction_book say is computed once more in plain SQL, from the rows.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/coupon_redemptions.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(57);

-- The oracle

CREATE TEMP TABLE interaction (member bigint, kind text, at timestamptz, part int);

-- Microseconds from one time to another, exactly.
CREATE FUNCTION pg_temp.microseconds(since timestamptz, until timestamptz) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
  SELECT (extract(epoch FROM until) - extract(epoch FROM since)) * 1000000
$$;

-- statistics.md, word for word.
CREATE FUNCTION pg_temp.stages(as_of timestamptz, days numeric DEFAULT 180, min_own int DEFAULT 2, min_own_share numeric DEFAULT 0.5)
RETURNS TABLE (member bigint, stage text, obliged bigint, induced bigint, own bigint)
LANGUAGE sql STABLE AS $$
  WITH told AS (
    SELECT member, CASE WHEN pg_temp.microseconds(at, as_of) < days * 86400000000 THEN kind END AS kind
      FROM interaction
     WHERE num_nulls(member, kind, at) = 0 AND at <= as_of),
  counted AS (
    SELECT member, count(kind) AS all_of_them, count(*) FILTER (WHERE kind = 'obliged') AS obliged,
           count(*) FILTER (WHERE kind = 'induced') AS induced, count(*) FILTER (WHERE kind = 'own') AS own
      FROM told GROUP BY member)
  SELECT member,
         CASE WHEN own >= min_own AND own / nullif(all_of_them, 0)::numeric >= min_own_share THEN 'sticky'
              WHEN induced > 0 OR own > 0 THEN 'induced'
              WHEN all_of_them > 0 THEN 'forced'
              ELSE 'dormant' END, obliged, induced, own
    FROM counted
$$;

CREATE FUNCTION pg_temp.book(as_of timestamptz) RETURNS interaction_book LANGUAGE sql STABLE AS $$
  SELECT interaction_book(member, kind, at) FROM interaction WHERE at <= as_of
$$;

\ir include/compare.sql

-- All that a book as of a moment can be asked, one test each.
CREATE FUNCTION pg_temp.agrees(as_of timestamptz, days numeric, min_own int, min_own_share numeric) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  asked text := format('%s, %s days, min_own %s, min_own_share %s', as_of::date, days, min_own, min_own_share);
  settings text := format('%L::timestamptz, %s * interval ''1 day'', %s, %s', as_of, days, min_own, min_own_share);
  oracle text := format('pg_temp.stages(%L, %s, %s, %s)', as_of, days, min_own, min_own_share);
BEGIN
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM interaction_members(pg_temp.book(%L), %s)', as_of, settings),
                                format('SELECT * FROM %s', oracle), 'interaction_members(): ' || asked);
  RETURN NEXT pg_temp.same_rows(
    format('SELECT stage, members, share, obliged, induced, own FROM interaction_stages(pg_temp.book(%L), %s) WHERE members > 0', as_of, settings),
    format($q$ SELECT stage, count(*), count(*)::float8 / sum(count(*)) OVER ()::float8, sum(obliged)::bigint, sum(induced)::bigint, sum(own)::bigint
                 FROM %s GROUP BY stage $q$, oracle), 'interaction_stages(): ' || asked);
  RETURN NEXT pg_temp.same_rows(
    format($q$ SELECT member, interaction_stage(kind, at, %s::float8) AS stage FROM interaction
                WHERE at <= %L AND num_nulls(member, kind, at) = 0 GROUP BY member $q$, settings, as_of),
    format('SELECT member, stage FROM %s', oracle), 'interaction_stage(): ' || asked);
END $$;

-- Generated data: few members with many interactions and many with few; each member
-- has kinds it leans to; some times are the same.
INSERT INTO interaction
SELECT member, CASE WHEN pg_temp.chance(i, 5) < 0.02 THEN NULL
                    WHEN pg_temp.chance(i, 2) < pg_temp.chance(member, 11) THEN 'own'
                    WHEN pg_temp.chance(i, 3) < pg_temp.chance(member, 12) THEN 'induced' ELSE 'obliged' END,
       timestamptz '2024-01-01' + CASE WHEN pg_temp.chance(i, 4) < 0.5 THEN floor(pg_temp.chance(i, 6) * 700) ELSE pg_temp.chance(i, 6) * 700 END * interval '1 day',
       floor(pg_temp.chance(i, 7) * 9)
  FROM (SELECT i, CASE WHEN i % 101 <> 0 THEN floor(power(pg_temp.chance(i, 1), 3) * 2500)::bigint END AS member
          FROM generate_series(1, 15000::bigint) i) s;
SELECT pg_temp.agrees(as_of, days, min_own, min_own_share)
  FROM (VALUES (timestamptz '2025-12-01', 180, 2, 0.5), ('2025-12-01', 30, 1, 0), ('2025-12-01', 365.25, 3, 0.4), ('2025-06-01', 180, 2, 0.5),
               ('2024-07-01', 60.5, 2, 1), ('2025-11-30', 100000, 5, 0.3), ('2025-11-01', 0.000001, 1, 0.5)) s (as_of, days, min_own, min_own_share);
SELECT set_eq('SELECT DISTINCT stage FROM pg_temp.stages(''2025-12-01'')', ARRAY['sticky', 'induced', 'forced', 'dormant'], 'all stages are there');
SELECT pg_temp.same_rows('SELECT * FROM interaction_members(pg_temp.book(''2025-12-01''))',
                         'SELECT * FROM pg_temp.stages((SELECT max(at) FROM interaction WHERE num_nulls(member, kind, at) = 0))',
                         'as_of left out is the latest interaction, and the other settings have the defaults');
SELECT is((SELECT rows_skipped(pg_temp.book('infinity'))), (SELECT count(*) FROM interaction WHERE num_nulls(member, kind, at) > 0), 'rows_skipped()');
SELECT is((SELECT member_count(pg_temp.book('infinity'))), (SELECT count(DISTINCT member) FROM interaction WHERE kind IS NOT NULL), 'member_count()');

-- Members of the other types.
SELECT pg_temp.same_rows(
         format($$ SELECT n.member, m.stage, m.obliged, m.induced, m.own
                     FROM interaction_members(NULL::%s, (SELECT interaction_book(%s, kind, at) FROM interaction), '2025-12-01') m
                     JOIN (SELECT DISTINCT member, %2$s AS id FROM interaction) n ON n.id = m.member $$, type, id),
         'SELECT * FROM pg_temp.stages(''2025-12-01'')', format('members of type %s', type))
  FROM (VALUES ('uuid', 'md5(member::text)::uuid'), ('text', 'repeat(''Kunde № '', (member % 40)::int) || member'), ('bigint', 'member::int')) v (type, id);

-- Who moved.
SELECT pg_temp.same_rows(
         format($$ SELECT * FROM interaction_transitions(pg_temp.book('2025-12-01'), %L, '2025-12-01', %s * interval '1 day', %s, %s) WHERE members > 0 $$, from_as_of, days, min_own, min_own_share),
         format($$ SELECT f.stage AS from_stage, t.stage AS to_stage, count(*), count(*)::float8 / sum(count(*)) OVER (PARTITION BY f.stage)::float8
                     FROM pg_temp.stages('2025-12-01', %2$s, %3$s, %4$s) t LEFT JOIN pg_temp.stages(%1$L, %2$s, %3$s, %4$s) f USING (member)
                    GROUP BY f.stage, t.stage $$, from_as_of, days, min_own, min_own_share),
         format('interaction_transitions() from %s, %s days', from_as_of, days))
  FROM (VALUES ('2024-01-02', 90, 2, 0.5), ('2024-06-01', 180, 2, 0.5), ('2025-06-01', 45, 1, 0.3), ('2025-11-30', 180, 2, 0.5)) s (from_as_of, days, min_own, min_own_share);
SELECT results_eq($$ SELECT from_stage, to_stage FROM interaction_transitions(pg_temp.book('2025-12-01'), '2025-06-01') $$,
                  $$ SELECT f, t FROM unnest(ARRAY['sticky', 'induced', 'forced', 'dormant', NULL]) WITH ORDINALITY f (f, i), unnest(ARRAY['sticky', 'induced', 'forced', 'dormant']) WITH ORDINALITY t (t, j) ORDER BY i, j $$,
                  'all 20 pairs, in order');
SELECT is((SELECT sum(members) FROM interaction_transitions(pg_temp.book('2025-12-01'), '2025-06-01')), member_count(pg_temp.book('2025-12-01'))::numeric, 'every member is in the matrix once');
-- Each margin of the matrix is what the reports of the two moments say.
SELECT pg_temp.same_rows($$ SELECT to_stage, sum(members)::bigint FROM interaction_transitions(pg_temp.book('2025-12-01'), '2025-06-01', '2025-12-01') GROUP BY 1 $$,
                         $$ SELECT stage, members FROM interaction_stages(pg_temp.book('2025-12-01'), '2025-12-01') $$, 'its columns are the stages of the second moment');
SELECT pg_temp.same_rows($$ SELECT from_stage, sum(members)::bigint FROM interaction_transitions(pg_temp.book('2025-12-01'), '2025-06-01', '2025-12-01') WHERE from_stage IS NOT NULL GROUP BY 1 $$,
                         $$ SELECT stage, members FROM interaction_stages(pg_temp.book('2025-06-01'), '2025-06-01') $$, 'its lines are those of the first');

-- Parts, partial states, any order: the same bytes.
CREATE TEMP TABLE whole (LIKE interaction) PARTITION BY HASH (part);
CREATE TEMP TABLE whole_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TEMP TABLE whole_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TEMP TABLE whole_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO whole SELECT * FROM interaction;
ANALYZE whole;
SET LOCAL enable_partitionwise_aggregate = on;
-- Few rows for each member: the planner knows what merging costs, and would not.
SET LOCAL cpu_operator_cost = 0;
SELECT ok(pg_temp.plan_has('SELECT interaction_book(member, kind, at) FROM whole', '$.**."Partial Mode" ? (@ == "Partial")'), 'a plan with partial books');
SELECT is((SELECT interaction_book_send(interaction_book(member, kind, at)) FROM whole), interaction_book_send(pg_temp.book('infinity')), 'gives the same bytes');
SELECT ok(pg_temp.plan_has('SELECT kind, interaction_stage(kind, at, ''2025-12-01'', ''90 days'', 2, 0.5) FROM whole GROUP BY kind', '$.**."Partial Mode" ? (@ == "Partial")'), 'a plan with partial counts');
SELECT pg_temp.same_rows('SELECT kind, interaction_stage(kind, at, ''2025-12-01'', ''90 days'', 2, 0.5) FROM whole GROUP BY kind',
                         $$ VALUES ('own', 'sticky'), ('induced', 'induced'), ('obliged', 'forced'), (NULL, NULL) $$, 'gives the stages of members who do one thing only');
RESET enable_partitionwise_aggregate;
SELECT is((SELECT interaction_book_send(rollup(b)) FROM (SELECT interaction_book(member, kind, at) AS b FROM interaction GROUP BY part % parts) s),
          interaction_book_send(pg_temp.book('infinity')), format('rollup() of %s books', parts))
  FROM unnest(ARRAY[1, 2, 9]) parts;
SELECT is((SELECT interaction_book_send(interaction_book(member, kind, at ORDER BY hashtextextended(at::text || kind, seed))) FROM interaction),
          interaction_book_send(pg_temp.book('infinity')), format('rows in another order, %s', seed))
  FROM unnest(ARRAY[1, 2]) seed;
SELECT is((SELECT interaction_book_send(interaction_book_in(interaction_book_out(b)::cstring)) FROM pg_temp.book('infinity') b),
          interaction_book_send(pg_temp.book('infinity')), 'written and read back');

-- Nothing depends on where the clock stands.
CREATE TEMP TABLE in_utc AS SELECT * FROM interaction_members(pg_temp.book('2025-12-01 00:00+00'), '2025-12-01 00:00+00');
SET LOCAL timezone = 'America/New_York';
SELECT pg_temp.same_rows('SELECT * FROM interaction_members(pg_temp.book(''2025-12-01 00:00+00''), ''2025-12-01 00:00+00'')', 'TABLE in_utc',
                         'the same in a zone that moved its clocks in the span');
SET LOCAL timezone = 'UTC';

-- The Complete Journey (dunnhumby): 2,377 households and their baskets of a year.  A
-- basket with a coupon, or on a day on which the household redeemed one, is induced;
-- one of nothing but fuel is obliged; the others are the household's own wish.

\if :have_journey
CREATE TEMP TABLE line (household_id int, store_id int, basket_id text, product_id numeric, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric,
  coupon_match_disc numeric, week int, at timestamp);
CREATE TEMP TABLE product (product_id numeric, manufacturer_id int, department text, brand text, product_category text, product_type text, package_size text);
CREATE TEMP TABLE redemption (household_id int, coupon_upc numeric, campaign_id int, redeemed_on date);
\copy line from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
\copy product from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/products.csv.gz"' csv header
\copy redemption from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/coupon_redemptions.csv.gz"' csv header
DELETE FROM interaction;
INSERT INTO interaction
SELECT household_id, CASE WHEN bool_or(coupon_disc <> 0) OR (household_id, min(at)::date) IN (SELECT household_id, redeemed_on FROM redemption) THEN 'induced'
                          WHEN bool_and(department IS NOT DISTINCT FROM 'FUEL') THEN 'obliged' ELSE 'own' END,
       min(at) AT TIME ZONE 'America/New_York', min(week)
  FROM line LEFT JOIN product USING (product_id) GROUP BY household_id, basket_id;
SELECT is(member_count(pg_temp.book('infinity')), 2377::bigint, 'The Complete Journey: the published number of households with orders');
SELECT pg_temp.agrees(as_of, days, min_own, min_own_share)
  FROM (VALUES (timestamptz '2018-01-01 00:00-05', 180, 2, 0.5), ('2017-07-01 00:00-04', 30, 1, 0.8)) s (as_of, days, min_own, min_own_share);
SELECT set_eq('SELECT DISTINCT stage FROM pg_temp.stages(''2017-07-01'', 30)', ARRAY['sticky', 'induced', 'forced', 'dormant'], 'all stages are there');
SELECT pg_temp.same_rows(
         $$ SELECT from_stage, to_stage, members FROM interaction_transitions(pg_temp.book('infinity'), '2017-04-01', '2018-01-01 05:00', '60 days') WHERE members > 0 $$,
         $$ SELECT f.stage AS from_stage, t.stage AS to_stage, count(*) FROM pg_temp.stages('2018-01-01 05:00', 60) t LEFT JOIN pg_temp.stages('2017-04-01', 60) f USING (member) GROUP BY f.stage, t.stage $$,
         'households that moved between spring and the end of the year');
SELECT is((SELECT interaction_book_send(rollup(b)) FROM (SELECT interaction_book(member, kind, at) AS b FROM interaction GROUP BY part) s),
          interaction_book_send(pg_temp.book('infinity')), 'rollup() of the books of the weeks');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 10);
\endif

SELECT * FROM finish();
ROLLBACK;
