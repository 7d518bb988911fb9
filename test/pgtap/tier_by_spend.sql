-- Tiers by spend against an oracle: histories of tiers and all that is said of a member
-- are computed once more in plain SQL, from the rows.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_cdnow `test -r "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(102);

-- The oracle

CREATE TEMP TABLE line (member bigint, at timestamptz, amount numeric, part int);
CREATE INDEX ON line (member, at);

-- The moments of each member and the ends of periods after the first of them, with the
-- net of each and the place of the tier that it warrants, 1 for the best.  Ends go on
-- until nothing is left in the span.
CREATE TEMP TABLE point (member bigint, at timestamptz, is_end boolean, net numeric, warranted int, tier int);
CREATE TEMP TABLE kept (member bigint, x spend_summary);

-- Months and days by the clock of the zone, hours as they pass.
CREATE FUNCTION pg_temp.before(at timestamptz, span interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN date_trunc('day', span) = '0' THEN at ELSE (at AT TIME ZONE zone - date_trunc('day', span)) AT TIME ZONE zone END - (span - date_trunc('day', span))
$$;

-- Within a period tiers only go up: there the tier is the best that was warranted since
-- the end of the last period, that end included.
CREATE FUNCTION pg_temp.prepare(span interval, unit text, zone text, limits numeric[], as_of timestamptz) RETURNS void LANGUAGE sql AS $$
  TRUNCATE point, kept;
  INSERT INTO kept SELECT member, spend(at, amount) FROM line WHERE member IS NOT NULL AND at <= as_of GROUP BY member;
  WITH seen AS MATERIALIZED (
    SELECT member, at FROM line WHERE num_nulls(member, amount) = 0 AND at <= as_of GROUP BY member, at),
  period AS MATERIALIZED (
    SELECT p AT TIME ZONE zone AS at
      FROM (SELECT date_trunc(unit, min(at) AT TIME ZONE zone) AS first, greatest(max(at), as_of) AT TIME ZONE zone + span AS last FROM seen) b,
           LATERAL (SELECT CASE unit WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || unit)::interval END AS step) s, generate_series(first, last + 2 * step, step) p),
  either AS MATERIALIZED (
    SELECT member, at, false AS is_end, pg_temp.before(at, span, zone) AS since FROM seen
     UNION ALL
    SELECT member, at, true, pg_temp.before(at, span, zone)
      FROM (SELECT member, min(at) AS first, max(at) AS last FROM seen GROUP BY member) m JOIN period ON at > first AND at < last + span + CASE unit WHEN 'year' THEN interval '13 months' WHEN 'quarter' THEN '4 months' ELSE '40 days' END),
  counted AS (
    SELECT member, at, is_end,
           (SELECT coalesce(sum(amount), 0) FROM line l WHERE l.member = e.member AND l.at BETWEEN since AND e.at AND l.at <= as_of
               AND l.at <> CASE WHEN is_end THEN e.at ELSE since END) AS net,
           count(*) FILTER (WHERE is_end) OVER (PARTITION BY member ORDER BY at, is_end DESC) AS ended
      FROM either e),
  placed AS (
    SELECT *, (SELECT 1 + count(*) FROM unnest(limits) l WHERE net < l)::int AS warranted FROM counted)
  INSERT INTO point
  SELECT member, at, is_end, net, warranted, min(warranted) OVER (PARTITION BY member, ended ORDER BY at, is_end DESC) FROM placed;
  ANALYZE point, kept;
$$;

CREATE FUNCTION pg_temp.histories(names text[], as_of timestamptz) RETURNS TABLE (member bigint, since timestamptz, tier text, net numeric, reason text)
LANGUAGE sql STABLE AS $$
  SELECT member, at, names[tier], net, CASE WHEN before IS NULL THEN 'start' WHEN tier < before THEN 'upgrade' ELSE 'downgrade' END
    FROM (SELECT *, lag(tier) OVER (PARTITION BY member ORDER BY at, is_end DESC) AS before FROM point WHERE at <= as_of) p
   WHERE before IS DISTINCT FROM tier
$$;

-- One line per member at a moment: net, tier, what is missing, when it is lost.
CREATE FUNCTION pg_temp.present(span interval, zone text, limits numeric[], names text[], as_of timestamptz)
RETURNS TABLE (member bigint, net numeric, tier text, missing numeric, until date)
LANGUAGE sql STABLE AS $$
  WITH now AS MATERIALIZED (
    SELECT DISTINCT ON (member) member, tier FROM point WHERE at <= as_of ORDER BY member, at DESC, is_end),
  rolling AS MATERIALIZED (
    SELECT member, coalesce(sum(amount) FILTER (WHERE at > pg_temp.before(as_of, span, zone)), 0) AS net FROM line WHERE at <= as_of GROUP BY member),
  lost AS MATERIALIZED (
    SELECT member, min(at) AS at FROM point JOIN now USING (member) WHERE at > as_of AND warranted > now.tier GROUP BY member)
  SELECT member, net, names[tier], greatest(limits[tier - 1] - net, CASE WHEN tier > 1 THEN 0 END), (lost.at AT TIME ZONE zone)::date
    FROM now JOIN rolling USING (member) LEFT JOIN lost USING (member)
$$;

\ir include/compare.sql

-- All that can be asked under a rule, 4 tests: what the oracle says, and what has to be
-- so whatever it says.
CREATE FUNCTION pg_temp.agrees(data text, span interval, unit text, zone text, limits numeric[], names text[], as_of timestamptz) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  asked text := format(' of %s: %s of %s by %s in %s as of %s', data, limits, span, unit, zone, as_of);
  of_rule text := format('%L::interval, %L, %L', span, unit, zone);
  of_tiers text := format('%L::numeric[], %L::text[], %s', limits, names, of_rule);
BEGIN
  PERFORM pg_temp.prepare(span, unit, zone, limits, as_of);
  RETURN NEXT pg_temp.same_rows(
    format('SELECT member, since, tier, rolling_spend, reason FROM kept, tier_history(x, %L, %s)', as_of, of_tiers),
    format('SELECT * FROM pg_temp.histories(%L, %L)', names, as_of), 'tier_history()' || asked);
  RETURN NEXT pg_temp.same_rows(
    format('SELECT member, rolling_spend(x, %L, %L, %L) AS net, tier_by_spend(x, %1$L, %4$s) AS tier, spend_to_next(x, %1$L, %5$L, %6$s) AS missing, tier_until(x, %1$L, %5$L, %6$s) AS until
              FROM kept WHERE x IS NOT NULL', as_of, span, zone, of_tiers, limits, of_rule),
    format('SELECT * FROM pg_temp.present(%L, %L, %L, %L, %L)', span, zone, limits, names, as_of), 'what is said of each member' || asked);
  -- Whoever spends what is missing has the next tier or a better one, with a cent less the same as before.
  RETURN NEXT is_empty(
    format($q$ SELECT member, missing, place, array_position(%2$L::text[], paid), array_position(%2$L::text[], nearly)
                 FROM (SELECT member, missing, array_position(%2$L::text[], tier_by_spend(x, %1$L, %3$s)) AS place,
                              tier_by_spend(x + spend(%1$L, missing), %1$L, %3$s) AS paid, tier_by_spend(x + spend(%1$L, missing - 0.01), %1$L, %3$s) AS nearly
                         FROM (SELECT *, spend_to_next(x, %1$L, %4$L, %5$s) AS missing FROM kept WHERE x IS NOT NULL) k GROUP BY member, x, missing) p
                WHERE missing IS NOT NULL AND (array_position(%2$L::text[], paid) >= place OR missing >= 0.01 AND array_position(%2$L::text[], nearly) <> place)
                   OR (missing IS NULL) <> (place = 1) $q$, as_of, names, of_tiers, limits, of_rule),
    'spend_to_next() is enough, and not a cent too much' || asked);
  -- A tier is there until just before tier_until(), and is lost then.
  RETURN NEXT is_empty(
    format($q$ SELECT * FROM (SELECT member, until, array_position(%2$L::text[], tier_by_spend(x, %1$L, %3$s)) AS place,
                              CASE WHEN begin > %1$L THEN array_position(%2$L::text[], tier_by_spend(x, begin - interval '1 microsecond', %3$s)) END AS before,
                              CASE WHEN begin > %1$L THEN array_position(%2$L::text[], tier_by_spend(x, until, %3$s)) END AS after
                         FROM (SELECT *, tier_until(x, %1$L, %4$L, %5$s) AS until FROM kept WHERE x IS NOT NULL) k,
                              LATERAL (SELECT until::timestamp AT TIME ZONE %6$L AS begin) b) p
                WHERE (CASE WHEN until IS NULL THEN place = cardinality(%2$L::text[]) ELSE before <= place AND after > place END) IS NOT TRUE $q$, as_of, names, of_tiers, limits, of_rule, zone),
    'tier_until() is when it is lost' || asked);
END $$;

-- Worked out by hand.  2025-07-09 is 180 days after 2025-01-10 (21 + 28 + 31 + 30 + 31 + 30 + 9):
-- then the first amount no longer counts, a microsecond before it does.  On the 1st of July it
-- still does (since the 2nd of January), on the 1st of August not (since the 2nd of February).
CREATE FUNCTION pg_temp.half_year(x spend_summary) RETURNS TABLE (since timestamptz, tier text, net numeric, reason text) LANGUAGE sql AS $$
  SELECT * FROM tier_history(x, '2026-01-01', '{200,100}', '{gold,silver,member}', '180 days', 'month', 'UTC')
$$;
SELECT results_eq($$ SELECT * FROM pg_temp.half_year((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-01-10', 120), ('2025-07-09', 80)) v (t, a))) $$,
                  $$ VALUES (timestamptz '2025-01-10', 'silver', 120::numeric, 'start'), ('2025-08-01', 'member', 80, 'downgrade') $$,
                  'the window of a moment is open where it begins');
SELECT results_eq($$ SELECT * FROM pg_temp.half_year((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-01-10', 120), ('2025-07-08 23:59:59.999999', 80)) v (t, a))) $$,
                  $$ VALUES (timestamptz '2025-01-10', 'silver', 120::numeric, 'start'), ('2025-07-08 23:59:59.999999', 'gold', 200, 'upgrade'), ('2025-08-01', 'member', 80, 'downgrade') $$,
                  'a microsecond earlier both amounts count');
-- The window of an end begins with its first moment and lacks its last: 180 days before the
-- 1st of July is the 2nd of January.
SELECT results_eq($$ SELECT * FROM pg_temp.half_year((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-01-02', 100), ('2025-07-01', 100)) v (t, a))) $$,
                  $$ VALUES (timestamptz '2025-01-02', 'silver', 100::numeric, 'start'), ('2026-01-01', 'member', 0, 'downgrade') $$,
                  'the end of June has the 2nd of January; the amount of that end counts from then on');
SELECT results_eq($$ SELECT * FROM pg_temp.half_year((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-01-01 23:59:59.999999', 100), ('2025-07-01', 100)) v (t, a))) $$,
                  $$ VALUES (timestamptz '2025-01-01 23:59:59.999999', 'silver', 100::numeric, 'start'), ('2025-07-01', 'member', 0, 'downgrade'), ('2025-07-01', 'silver', 100, 'upgrade'), ('2026-01-01', 'member', 0, 'downgrade') $$,
                  'and lacks what was before: lost, and reached again at once');
-- 2025-11-01 02:00 in Greenwich is still October in New York, whose clocks go back on the 2nd.
SELECT results_eq($$ SELECT timezone, tier_until(x, '2025-11-05', '{100}', '1 month', 'month', timezone), tier_by_spend(x, '2025-12-15', '{100}', '{gold,member}', '1 month', 'month', timezone)
                       FROM (SELECT spend('2025-11-01 02:00+00', 100) AS x) s, unnest('{UTC,America/New_York}'::text[]) timezone $$,
                  $$ VALUES ('UTC', date '2026-01-01', 'gold'), ('America/New_York', '2025-12-01', 'member') $$, 'a month is one of the zone');
-- 180 days before 20:00 in summer is 20:00 in winter, 4320 hours and one; 4320 hours is 19:00.
SELECT results_eq($$ SELECT rolling_spend(x, '2025-07-09 00:00+00', span, timezone) FROM (SELECT spend('2025-01-10 00:30+00', 7) AS x) s,
                            (VALUES (1, interval '180 days', 'UTC'), (2, '180 days', 'America/New_York'), (3, '4320 hours', 'America/New_York')) v (i, span, timezone) ORDER BY i $$,
                  ARRAY[7, 0, 7]::numeric[], 'days are those of the clock, hours are not');
-- A refund takes nothing away before the end; an amount after it needs the whole limit again.
SELECT results_eq($$ SELECT * FROM tier_history((SELECT spend(t, a) FROM (VALUES (timestamptz '2025-02-03', 250), ('2025-02-10', -200), ('2025-02-20', 149.99), ('2025-03-05', 0.01)) v (t, a)), '2025-04-30', '{200,100}', '{gold,silver,member}', '2 months', 'month') $$,
                  $$ VALUES (timestamptz '2025-02-03', 'gold', 250.00, 'start'), ('2025-03-01', 'silver', 199.99, 'downgrade'), ('2025-03-05', 'gold', 200.00, 'upgrade') $$,
                  'a refund, a cent short of a limit, and the cent');

-- Generated rows: members who come once and often; moments at full hours, at which days of
-- some zone end, and a microsecond before; twice at one time; refunds, 0, scales of all
-- sizes; NULLs.

INSERT INTO line
SELECT CASE WHEN pg_temp.chance(i, 1) > 0.01 THEN member END,
       CASE WHEN pg_temp.chance(i, 2) > 0.01 THEN timestamptz '2025-01-03' + floor((pg_temp.chance(member, 3) * 0.5 + pg_temp.chance(i / 2, 4) * power(pg_temp.chance(member, 5), 2)) * 8000) * interval '1 hour'
         - CASE WHEN pg_temp.chance(i, 6) < 0.3 THEN interval '1 microsecond' ELSE '0' END END,
       CASE WHEN c < 0.01 THEN NULL WHEN c < 0.04 THEN 0 WHEN c < 0.20 THEN -round((v * 90)::numeric, 2) WHEN c < 0.40 THEN round((v * 100)::numeric, 0) WHEN c < 0.41 THEN round((v * 10)::numeric, 15)
            WHEN c < 0.50 THEN 100 ELSE round((v * 100)::numeric, 2) END,
       i % 13
  FROM generate_series(1, 4000::bigint) i, LATERAL (SELECT floor(power(pg_temp.chance(i / 2, 7), 2) * 300)::bigint AS member, pg_temp.chance(i, 8) AS c, pg_temp.chance(i, 9) AS v) s;
ANALYZE line;

SELECT pg_temp.agrees('generated rows', span, unit, zone, limits, names, as_of)
  FROM (VALUES (interval '180 days', 'month', 'UTC', '{200,100}'::numeric[], '{gold,silver,member}'::text[], timestamptz '2026-07-01'),
               ('180 days', 'month', 'America/New_York', '{200,100}', '{gold,silver,member}', '2026-07-01 04:00'),
               ('180 days', 'month', 'America/New_York', '{200,100}', '{gold,silver,member}', '2025-11-01 03:59:59.999999'),
               ('1 year', 'year', 'Europe/Berlin', '{600,300,100,0.01}', '{d,c,b,a,z}', '2026-03-01 12:34:56.789'),
               ('3 months', 'quarter', 'America/New_York', '{100}', '{in,out}', '2025-10-05'),
               ('45 days 06:30', 'week', 'Europe/Berlin', '{150.50,75.25}', '{gold,silver,member}', '2025-12-07 23:00'),
               ('25:00', 'day', 'America/New_York', '{100,50}', '{gold,silver,member}', '2025-11-03 05:00'),
               ('1 month', 'day', 'Asia/Kathmandu', '{300,200,100}', '{1,2,3,4}', '2025-06-30'),
               ('1 microsecond', 'month', 'UTC', '{100}', '{in,out}', '2026-01-01')) v (span, unit, zone, limits, names, as_of);

-- The rest is about these, by months in New York.
SELECT pg_temp.prepare('180 days', 'month', 'America/New_York', '{200,100}', '2026-07-01');
CREATE TEMP VIEW history AS
SELECT member, h.* FROM kept, tier_history(x, '2026-07-01', '{200,100}', '{gold,silver,member}', '180 days', 'month', 'America/New_York') h;
SELECT results_eq('SELECT reason, tier FROM history GROUP BY 1, 2 HAVING count(*) > 10 ORDER BY reason COLLATE "C", tier COLLATE "C"',
                  $$ VALUES ('downgrade', 'member'), ('downgrade', 'silver'), ('start', 'member'), ('start', 'silver'), ('upgrade', 'gold'), ('upgrade', 'silver') $$, 'tiers are won and lost in every way');
-- The net has as many decimals as the amount with the most.
SELECT is_empty($$ SELECT member, d, s FROM (SELECT member, max(scale(amount)) AS d FROM line WHERE at IS NOT NULL GROUP BY member) l JOIN
                   (SELECT member, scale(rolling_spend) AS s FROM history UNION ALL SELECT member, scale(rolling_spend(x, '2100-01-01')) FROM kept) h USING (member) WHERE s <> d $$, 'no decimals are lost');
SELECT is((SELECT sum(rolling_spend(x, '2026-07-01', '100 years')) FROM kept), (SELECT sum(amount) FROM line WHERE num_nulls(member, at) = 0), 'a long span has all there is');
-- Three times the money and the limits: the same tiers at the same times.
SELECT pg_temp.same_rows($$ SELECT member, since, tier, rolling_spend, reason FROM (SELECT member, spend(at, amount * 3) AS x FROM line WHERE member IS NOT NULL GROUP BY member) m,
                                   tier_history(x, '2026-07-01', '{600,300}', '{gold,silver,member}', '180 days', 'month', 'America/New_York') $$,
                         'SELECT member, since, tier, rolling_spend * 3, reason FROM history', 'money in another unit');
-- The calendar begins again after 400 years, with the same day of the week.
SELECT pg_temp.same_rows(format($$ SELECT member, since - interval '146097 days', tier, rolling_spend, reason FROM (SELECT member, spend(at + interval '146097 days', amount) AS x FROM line WHERE member IS NOT NULL GROUP BY member) m,
                                   tier_history(x, '2426-07-01', '{200,100}', '{gold,silver,member}', %L, %L) $$, span, unit),
                         format($$ SELECT member, h.* FROM kept, tier_history(x, '2026-07-01', '{200,100}', '{gold,silver,member}', %L, %L) h $$, span, unit), format('400 years later: %s by %s', span, unit))
  FROM (VALUES ('180 days', 'week'), ('1 year', 'year'), ('2 months', 'month')) v (span, unit);

-- Parts, partial states, any order, written and read back: the same bytes.
CREATE TEMP TABLE whole (LIKE line) PARTITION BY HASH (part);
CREATE TEMP TABLE whole_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TEMP TABLE whole_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TEMP TABLE whole_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO whole SELECT * FROM line;
ANALYZE whole;
CREATE FUNCTION pg_temp.is_kept(query text, description text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.same_rows(format('SELECT member, spend_summary_send(x) FROM (%s) q (member, x)', query), 'SELECT member, spend_summary_send(x) FROM kept', description)
$$;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT ok(pg_temp.plan_has('SELECT spend(at, amount) FROM whole', '$.**."Partial Mode" ? (@ == "Partial")'), 'a plan with partial states');
SELECT is((SELECT spend_summary_send(spend(at, amount)) FROM whole), (SELECT spend_summary_send(spend(at, amount ORDER BY at)) FROM line), 'gives the same bytes');
RESET enable_partitionwise_aggregate;
SELECT pg_temp.is_kept(format('SELECT member, rollup(x) FROM (SELECT member, spend(at, amount) AS x FROM line WHERE member IS NOT NULL GROUP BY member, part %% %s) p GROUP BY member', parts), format('rollup() of %s parts', parts))
  FROM unnest(ARRAY[1, 2, 13]) parts;
SELECT pg_temp.is_kept('SELECT member, rollup(x) FROM (SELECT member, spend(at, amount) AS x FROM line WHERE member IS NOT NULL GROUP BY member, date_trunc(''month'', at)) p GROUP BY member', 'rollup() of months');
SELECT pg_temp.is_kept('SELECT member, coalesce(a.x + b.x, a.x, b.x) FROM (SELECT member, spend(at, amount) AS x FROM line WHERE part < 6 GROUP BY member) a
                          FULL JOIN (SELECT member, spend(at, amount) AS x FROM line WHERE part >= 6 GROUP BY member) b USING (member) WHERE member IS NOT NULL', 'one part + the other');
SELECT pg_temp.is_kept(format('SELECT member, spend(at, amount ORDER BY %s) FROM line WHERE member IS NOT NULL GROUP BY member', o), 'rows in another order: ' || o)
  FROM unnest('{at DESC,amount,"hashtextextended(at::text || amount, 7)"}'::text[]) o;
SELECT pg_temp.is_kept('SELECT member, spend_summary_in(spend_summary_out(x)::cstring) FROM kept', 'written and read back');
SELECT is((SELECT count(*) FROM kept k JOIN (SELECT DISTINCT x FROM kept) d ON d.x = k.x), (SELECT count(*) FROM kept), 'equal to themselves');

-- Nothing depends on where the clock stands, or on how it is written.
CREATE TEMP TABLE in_utc AS SELECT member, extract(epoch FROM since) AS since, tier, rolling_spend, reason FROM history;
SET LOCAL timezone = 'Australia/Lord_Howe'; SET LOCAL datestyle = 'German'; SET LOCAL intervalstyle = 'sql_standard';
SELECT pg_temp.same_rows($$ SELECT member, extract(epoch FROM since), tier, rolling_spend, reason
                              FROM kept, tier_history(x, '2026-07-01', '{200,100}', '{gold,silver,member}', interval 'P180D', 'month', 'America/New_York') $$, 'TABLE in_utc', 'settings of the session change nothing');
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';

-- Periods that count from 0: a member has the best tier of the present period up to now, by its running net, and of the
-- period before, by the whole of it; with keep_for 0 the present one alone counts.
CREATE FUNCTION pg_temp.from_zero_agrees(data text, unit text, zone text, limits numeric[], names text[], as_of timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  WITH moment AS MATERIALIZED (
    SELECT member, at, date_trunc(unit, at AT TIME ZONE zone) AS period, sum(amount) AS net FROM line WHERE num_nulls(member, at, amount) = 0 AND at <= as_of GROUP BY member, at),
  running AS (
    SELECT member, period, sum(net) OVER (PARTITION BY member, period ORDER BY at) AS net, false AS is_whole FROM moment
     UNION ALL
    SELECT member, period, sum(net), true FROM moment GROUP BY member, period),
  present AS (
    SELECT date_trunc(unit, as_of AT TIME ZONE zone) AS period, date_trunc(unit, date_trunc(unit, as_of AT TIME ZONE zone) - interval '1 day') AS before),
  expected AS (
    SELECT member, (SELECT 1 + count(*) FROM unnest(limits) l WHERE l > coalesce(max(net) FILTER (WHERE r.period = p.period AND NOT is_whole OR r.period = p.before AND is_whole), -1)) AS with_before,
           (SELECT 1 + count(*) FROM unnest(limits) l WHERE l > coalesce(max(net) FILTER (WHERE r.period = p.period AND NOT is_whole), -1)) AS alone
      FROM running r, present p GROUP BY member),
  got AS (
    SELECT member, array_position(names, tier_by_spend(spend(at, amount), as_of, limits, names, unit => unit, timezone => zone, from_zero => true)) AS with_before,
           array_position(names, tier_by_spend(spend(at, amount), as_of, limits, names, unit => unit, timezone => zone, from_zero => true, keep_for => '0')) AS alone
      FROM line WHERE num_nulls(member, at, amount) = 0 AND at <= as_of GROUP BY member)
  SELECT ok(count(*) > 0 AND count(*) FILTER (WHERE e.with_before IS DISTINCT FROM g.with_before OR e.alone IS DISTINCT FROM g.alone) = 0 AND count(DISTINCT e.with_before) > 1,
            format('%s, %s from 0 in %s: the tiers of %s members', data, unit, zone, count(*)))
    FROM expected e FULL JOIN got g USING (member)
$$;

-- Before anything lapses, the oldest first means: of all points up to a time, as many are gone as were redeemed.
CREATE FUNCTION pg_temp.points_agree(data text, unit text, zone text, as_of timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  WITH entry AS MATERIALIZED (
    SELECT member, at, sum(points) AS points FROM (SELECT member, at, amount * CASE WHEN at < '1999-01-01' AND amount > 20 THEN -0.4 ELSE 1 END AS points FROM line WHERE num_nulls(member, at, amount) = 0 AND at <= as_of) l GROUP BY member, at, points < 0),
  earned AS (
    SELECT member, at, points, sum(points) OVER (PARTITION BY member ORDER BY at) AS up_to FROM entry WHERE points >= 0),
  redeemed AS (
    SELECT member, -sum(points) AS points FROM entry WHERE points < 0 GROUP BY member),
  expected AS (
    SELECT member, (date_trunc(unit, at AT TIME ZONE zone + interval '30 years') + CASE unit WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || unit)::interval END)::date AS lapses_on,
           sum(greatest(0, least(e.points, up_to - coalesce(r.points, 0)))) AS points
      FROM earned e LEFT JOIN redeemed r USING (member) GROUP BY 1, 2),
  account AS MATERIALIZED (
    SELECT member, points(at, points) AS x, sum(points) AS balance FROM entry GROUP BY member),
  got AS (
    SELECT member, l.* FROM account, points_lapses(x, as_of, '30 years', unit, zone) l)
  SELECT ok((SELECT count(*) FROM got) > 0 AND NOT EXISTS (SELECT member, lapses_on, points FROM expected WHERE points > 0 EXCEPT SELECT member, lapses_on, points FROM got)
            AND NOT EXISTS (SELECT member, lapses_on, points FROM got EXCEPT SELECT member, lapses_on, points FROM expected), format('%s by %s in %s: what is left of what was earned', data, unit, zone))
   UNION ALL
  SELECT ok(count(*) FILTER (WHERE points_balance(x, as_of, '30 years', unit, zone) <> balance OR points_earned(x) - points_redeemed(x) <> balance
                              OR points_lapsed(x, '2090-01-01', '30 years', unit, zone) <> greatest(balance, 0) OR points_balance(x, '2090-01-01', '30 years', unit, zone) <> least(balance, 0)) = 0 AND bool_or(balance < 0),
            'balances, and all of them lapses') FROM account
$$;

SELECT pg_temp.from_zero_agrees('generated rows', unit, zone, limits, names, as_of)
  FROM (VALUES ('year', 'UTC', '{200,100}'::numeric[], '{gold,silver,member}'::text[], timestamptz '2026-03-01'), ('year', 'Asia/Kathmandu', '{300,200,100,0.01}', '{d,c,b,a,z}', '2025-12-31 18:15'), ('quarter', 'America/New_York', '{100,50}', '{gold,silver,member}', '2025-10-05'),
               ('month', 'Europe/Berlin', '{100,50}', '{gold,silver,member}', '2025-11-30 22:59:59.999999'), ('week', 'UTC', '{100,50}', '{gold,silver,member}', '2025-07-17')) v (unit, zone, limits, names, as_of);
SELECT pg_temp.points_agree('generated rows', unit, zone, as_of)
  FROM (VALUES ('day', 'UTC', timestamptz '2026-07-01'), ('month', 'America/New_York', '2025-09-01'), ('quarter', 'Asia/Kathmandu', '2026-07-01')) v (unit, zone, as_of);

-- CDNOW: orders of 1997 and 1998 of those who bought first in the first quarter of 1997.
-- Its days are midnights in Greenwich, so periods there end at moments; in New York they
-- are evenings of the day before.

\if :have_cdnow
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line from program 'gzip -dc "$CUSTMART_SHARED/data/cdnow/CDNOW_master.txt.gz"'
TRUNCATE line;
INSERT INTO line
SELECT f[1]::bigint, (substr(f[2], 1, 4) || '-' || substr(f[2], 5, 2) || '-' || substr(f[2], 7, 2))::timestamptz, f[4]::numeric
  FROM (SELECT regexp_split_to_array(btrim(line, E' \r'), ' +') AS f FROM cdnow_line WHERE line !~ 'customer_id') l;
ANALYZE line;
SELECT pg_temp.agrees('CDNOW', span, unit, zone, '{200,100}', '{gold,silver,member}', as_of)
  FROM (VALUES (interval '1 year', 'year', 'UTC', timestamptz '1998-04-01'), ('3 months', 'quarter', 'America/New_York', '1997-10-01 04:00'),
               ('180 days', 'month', 'America/New_York', '1998-07-01'), ('180 days', 'month', 'UTC', '1998-07-01')) v (span, unit, zone, as_of);
SELECT pg_temp.from_zero_agrees('CDNOW', unit, zone, '{200,100}', '{gold,silver,member}', as_of)
  FROM (VALUES ('year', 'UTC', timestamptz '1998-04-01'), ('year', 'America/New_York', '1998-01-01 04:59:59'), ('month', 'Asia/Tokyo', '1997-05-31 15:00')) v (unit, zone, as_of);
SELECT pg_temp.points_agree('CDNOW', unit, zone, as_of)
  FROM (VALUES ('day', 'America/New_York', timestamptz '1998-07-01'), ('year', 'UTC', '1997-12-31')) v (unit, zone, as_of);
SELECT is((SELECT count(*) FROM kept), 23570::bigint, 'the published customers');
SELECT is((SELECT sum(rolling_spend(x, '1998-07-01', '10 years')) FROM kept), 2500315.63, 'and revenue');
SELECT is((SELECT array_agg(DISTINCT zone_tiers) FROM (SELECT (SELECT count(DISTINCT tier_by_spend(x, '1998-07-01', '{200,100}', '{gold,silver,member}', '180 days', 'month', zone)) FROM kept) AS zone_tiers FROM unnest('{UTC,America/New_York}'::text[]) zone) z),
          '{3}'::bigint[], 'all tiers are there');
SELECT cmp_ok((SELECT count(*) FROM kept WHERE tier_by_spend(x, '1998-07-01', '{200,100}', '{gold,silver,member}', '180 days', 'month', 'UTC')
                                            <> tier_by_spend(x, '1998-07-01', '{200,100}', '{gold,silver,member}', '180 days', 'month', 'America/New_York')), '>', 0::bigint, 'the zone matters');
SELECT pg_temp.is_kept('SELECT member, rollup(x) FROM (SELECT member, spend(at, amount) AS x FROM line GROUP BY member, date_trunc(''month'', at)) m GROUP BY member', 'rollup() of months');
\else
SELECT skip('CDNOW is not in $CUSTMART_SHARED/data', 28);
\endif

SELECT * FROM finish();
ROLLBACK;
