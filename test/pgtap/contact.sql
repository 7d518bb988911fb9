-- Contact pressure against an oracle: all that the reports of contact_book say is
-- computed once more in plain SQL, from the rows: windows, lateral joins, a self-join.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/coupon_redemptions.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(71);

-- The oracle

CREATE TEMP TABLE contact_log (member bigint, channel text, kind text, at timestamptz, part int);

-- What is known at a moment; of it, the contacts: what was sent to a member at a moment on a channel, however many lines tell of it.
CREATE TEMP TABLE known (LIKE contact_log);
CREATE TEMP TABLE contact (member bigint, channel text, at timestamptz);
CREATE INDEX ON contact (member, channel, at);
CREATE FUNCTION pg_temp.look(as_of timestamptz) RETURNS void LANGUAGE sql AS $$
  TRUNCATE known, contact;
  INSERT INTO known SELECT * FROM contact_log WHERE num_nulls(member, channel, kind, at) = 0 AND at <= as_of;
  INSERT INTO contact SELECT DISTINCT member, channel, at FROM known WHERE kind = 'sent';
  ANALYZE known, contact;
$$;

-- What is due to a contact: a row goes to the latest contact at or before it, if that is not longer ago than within.
CREATE FUNCTION pg_temp.credited(kinds text[], within interval) RETURNS TABLE (member bigint, channel text, at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT member, channel, contact
    FROM (SELECT member, channel, kind, at, max(at) FILTER (WHERE kind = 'sent') OVER (PARTITION BY member, channel ORDER BY at) AS contact
            FROM known) s
   WHERE kind = ANY (kinds) AND at <= contact + within
$$;

CREATE FUNCTION pg_temp.pressures(as_of timestamptz, half_life interval, channels text[] DEFAULT '{}', weights float8[] DEFAULT '{}')
RETURNS TABLE (member bigint, pressure float8, contacts bigint, last_contact timestamptz) LANGUAGE sql STABLE AS $$
  SELECT member, coalesce(sum(CASE WHEN half_lives < 1000 THEN coalesce(w.weight, 1) * 2.0::float8 ^ -half_lives ELSE 0 END), 0), count(c.at), max(c.at)
    FROM (SELECT DISTINCT member FROM known) m
         LEFT JOIN (SELECT *, (extract(epoch FROM as_of - at) / extract(epoch FROM half_life))::float8 AS half_lives FROM contact) c USING (member)
         LEFT JOIN (SELECT unnest(channels) AS channel, unnest(weights) AS weight) w USING (channel)
   GROUP BY member
$$;

-- Members on a channel with their mature contacts in the lookback, 0 for those without.
CREATE FUNCTION pg_temp.mature(as_of timestamptz, lookback interval, respond_within interval, kinds text[])
RETURNS TABLE (member bigint, channel text, contacts bigint, responses bigint) LANGUAGE sql STABLE AS $$
  SELECT member, channel, count(c.at), count(r.at)
    FROM (SELECT DISTINCT member, channel FROM known) m
         LEFT JOIN (SELECT * FROM contact WHERE at > as_of - lookback AND at + respond_within <= as_of) c USING (member, channel)
         LEFT JOIN pg_temp.credited(kinds, respond_within) r USING (member, channel, at)
   GROUP BY member, channel
$$;

-- numeric, because small differences decide.
CREATE FUNCTION pg_temp.priors(as_of timestamptz, lookback interval, respond_within interval, kinds text[], kappa numeric)
RETURNS TABLE (channel text, members bigint, contacts bigint, responses bigint, rate numeric, prior_weight numeric) LANGUAGE sql STABLE AS $$
  WITH counts AS (
    SELECT channel, contacts::numeric AS n, responses::numeric AS x, sum(responses) OVER c / nullif(sum(contacts) OVER c, 0) AS p
      FROM pg_temp.mature(as_of, lookback, respond_within, kinds) WINDOW c AS (PARTITION BY channel)),
  sums AS (
    SELECT channel, count(*) FILTER (WHERE n > 0) AS k, sum(n) AS n, sum(x) AS x, max(p) AS p, sum(n * (x / nullif(n, 0) - p) ^ 2) AS s, sum(n * n) AS squares
      FROM counts GROUP BY channel)
  SELECT channel, k, n::bigint, x::bigint, p,
         CASE WHEN kappa IS NOT NULL THEN kappa WHEN rho > 0 THEN greatest(1 / rho - 1, 0.01) END
    FROM sums, LATERAL (SELECT (s - p * (1 - p) * (k - 1)) / nullif(p * (1 - p) * (n - squares / nullif(n, 0) - (k - 1)), 0) AS rho) r
$$;

-- ratio = above / below, of which only the quotient is rounded.
CREATE FUNCTION pg_temp.engagements(as_of timestamptz, lookback interval, respond_within interval, kinds text[], kappa numeric)
RETURNS TABLE (member bigint, channel text, contacts bigint, responses bigint, rate float8, engagement float8, ratio float8, above numeric, below numeric) LANGUAGE sql STABLE AS $$
  SELECT m.member, channel, m.contacts, m.responses, m.responses::float8 / nullif(m.contacts, 0), p.rate * coalesce(r.above / r.below, 1), coalesce(r.above / r.below, 1), coalesce(r.above, 1), coalesce(r.below, 1)
    FROM pg_temp.mature(as_of, lookback, respond_within, kinds) m
         JOIN pg_temp.priors(as_of, lookback, respond_within, kinds, kappa) p USING (channel)
         LEFT JOIN LATERAL (SELECT m.responses * p.contacts + p.prior_weight * p.responses AS above, (m.contacts + p.prior_weight) * p.responses AS below
                             WHERE p.prior_weight IS NOT NULL AND p.responses > 0 AND m.contacts + p.prior_weight > 0) r ON true
$$;

CREATE FUNCTION pg_temp.allowances(as_of timestamptz, span interval, base_cap int, min_cap int, max_cap int, lookback interval, respond_within interval, kinds text[], kappa numeric)
RETURNS TABLE (member bigint, channel text, contacts bigint, ratio float8, cap int, is_allowed boolean, next_allowed timestamptz, is_opted_out boolean) LANGUAGE sql STABLE AS $$
  SELECT member, channel, w.contacts, e.ratio, c.cap, w.contacts < c.cap, CASE WHEN w.contacts < c.cap THEN as_of ELSE l.at + span END, o.is_opted_out
    FROM pg_temp.engagements(as_of, lookback, respond_within, kinds, kappa) e
         JOIN (SELECT member, channel, coalesce(max(at) FILTER (WHERE kind IN ('unsubscribed', 'complained')) >= coalesce(max(at) FILTER (WHERE kind = 'subscribed'), '-infinity'), false) AS is_opted_out
                 FROM known GROUP BY member, channel) o USING (member, channel),
         LATERAL (SELECT CASE WHEN is_opted_out THEN 0 ELSE least(greatest(floor(base_cap * e.above / e.below + 0.5), min_cap), max_cap) END::int AS cap) c,
         LATERAL (SELECT count(*) AS contacts FROM contact s WHERE s.member = e.member AND s.channel = e.channel AND s.at > as_of - span AND s.at <= as_of) w
         LEFT JOIN LATERAL (SELECT s.at FROM contact s WHERE s.member = e.member AND s.channel = e.channel AND c.cap > 0 ORDER BY s.at DESC OFFSET greatest(c.cap, 1) - 1 LIMIT 1) l ON true
$$;

-- z: the quantile of the normal distribution that belongs to the intervals.
CREATE FUNCTION pg_temp.fatigue(as_of timestamptz, span interval, respond_within interval, kinds text[], max_prior int, z float8, only_channel text DEFAULT NULL)
RETURNS TABLE (prior int, contacts bigint, responses bigint, rate float8, ci_low float8, ci_high float8, opt_outs bigint, opt_out_rate float8, members bigint,
               rate_ratio float8, ratio_ci_low float8, ratio_ci_high float8, is_tired boolean) LANGUAGE sql STABLE AS $$
  WITH one AS (SELECT * FROM contact WHERE channel = only_channel OR only_channel IS NULL),
  told AS (
    SELECT c.member, c.channel, c.at, least(count(o.at), max_prior)::int AS prior
      FROM one c LEFT JOIN one o ON o.member = c.member AND o.at > c.at - span AND o.at < c.at
     WHERE c.at + respond_within <= as_of GROUP BY 1, 2, 3),
  by_member AS (
    SELECT member, prior, count(*) AS n, count(r.at) AS x, count(g.at) AS gone
      FROM told c LEFT JOIN pg_temp.credited(kinds, respond_within) r USING (member, channel, at)
           LEFT JOIN pg_temp.credited('{unsubscribed,complained}', respond_within) g USING (member, channel, at) GROUP BY 1, 2),
  total AS (SELECT prior, sum(n)::bigint AS n, sum(x)::bigint AS x, sum(gone)::bigint AS gone FROM by_member GROUP BY 1),
  inside AS (
    SELECT m.prior, count(*) AS members, sum(m.x * first.n / (m.n + first.n)::float8) AS above, sum(first.x * m.n / (m.n + first.n)::float8) AS below,
           sum((m.n * first.n * (m.x + first.x) - m.x * first.x * (m.n + first.n)) / (m.n + first.n)::float8 ^ 2) AS v
      FROM by_member m JOIN by_member first ON first.member = m.member AND first.prior = 0 AND m.prior > 0 GROUP BY 1)
  SELECT prior, n, x, w.p, CASE WHEN x > 0 THEN center - margin ELSE 0 END, CASE WHEN x < n THEN center + margin ELSE 1 END, gone, gone / n::float8,
         CASE WHEN prior > 0 THEN coalesce(members, 0) END, CASE WHEN prior = 0 THEN 1 ELSE above / nullif(below, 0) END, low, high, coalesce(high < 1, false)
    FROM total LEFT JOIN inside USING (prior)
         LEFT JOIN LATERAL (SELECT exp(l - m) AS low, exp(l + m) AS high
                              FROM (SELECT ln(nullif(above, 0) / nullif(below, 0)) AS l, z * sqrt(nullif(v, 0) / nullif(above * below, 0)) AS m) r) i ON true,
         LATERAL (SELECT x / n::float8 AS p, (x + z * z / 2) / (n + z * z) AS center, z / (n + z * z) * sqrt(x * (n - x) / n::float8 + z * z / 4) AS margin) w
$$;

-- Comparing

-- Equal but for rounding.
CREATE FUNCTION pg_temp.same(a jsonb, b jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT a = b OR NOT EXISTS (
    SELECT FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y USING (key)
     WHERE x.value IS DISTINCT FROM y.value
       AND NOT (coalesce(jsonb_typeof(x.value) = 'number' AND jsonb_typeof(y.value) = 'number', false)
                AND abs((x.value #>> '{}')::float8 - (y.value #>> '{}')::float8) <= 1e-10 * abs((y.value #>> '{}')::float8)))
$$;

CREATE FUNCTION pg_temp.same_rows(one text, other text, keys text, description text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  difference text;
  rows bigint;
BEGIN
  EXECUTE format($q$
    WITH one AS MATERIALIZED (%1$s), other AS MATERIALIZED (%2$s),
    paired AS (SELECT a, b FROM (SELECT %3$s, to_jsonb(one) AS a FROM one) x FULL JOIN (SELECT %3$s, to_jsonb(other) AS b FROM other) y USING (%3$s)),
    wrong AS (SELECT a, b FROM paired WHERE NOT coalesce(pg_temp.same(a, b), false) ORDER BY coalesce(a, b) LIMIT 5)
    SELECT (SELECT string_agg(format('is %%s, not %%s', coalesce(a::text, 'missing'), coalesce(b::text, 'there')), E'\n') FROM wrong), (SELECT count(*) FROM paired) $q$, one, other, keys)
   INTO difference, rows;
  RETURN ok(difference IS NULL AND rows > 0, description)
      || CASE WHEN difference IS NULL AND rows > 0 THEN '' ELSE E'\n' || diag(coalesce(difference, 'no rows')) END;
END $$;

\ir include/compare.sql

CREATE FUNCTION pg_temp.book() RETURNS contact_book LANGUAGE sql STABLE AS $$ SELECT contact_book(member, channel, kind, at) FROM known $$;

-- All that a book as of a moment can be asked, one test each.
CREATE FUNCTION pg_temp.agrees(as_of timestamptz, span interval, respond_within interval, lookback interval, responses text[], prior_weight numeric, caps int[], max_prior int, z float8, alpha float8, channel text)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  asked text := format('%s, %s, %s, %s %s %s %s', as_of, span, respond_within, lookback, responses, prior_weight, caps);
  rated text := format('%L::interval, %L::interval, %L::text[], %L', lookback, respond_within, responses, prior_weight);
BEGIN
  PERFORM pg_temp.look(as_of);
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM contact_pressures(pg_temp.book(), %L, %L)', as_of, span), format('SELECT * FROM pg_temp.pressures(%L, %L)', as_of, span), 'member', 'contact_pressures(): ' || asked);
  RETURN NEXT pg_temp.same_rows(format($q$ SELECT * FROM contact_pressures(pg_temp.book(), %L, %L, '{sms,post,never used}', '{2.5,0,1}') $q$, as_of, span),
                                format($q$ SELECT * FROM pg_temp.pressures(%L, %L, '{sms,post,never used}', '{2.5,0,1}') $q$, as_of, span), 'member', 'contact_pressures() with weights: ' || asked);
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM contact_priors(pg_temp.book(), %L, %s)', as_of, rated), format('SELECT * FROM pg_temp.priors(%L, %s)', as_of, rated), 'channel', 'contact_priors(): ' || asked);
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM contact_engagements(pg_temp.book(), %L, %s)', as_of, rated),
                                format('SELECT member, channel, contacts, responses, rate, engagement, ratio FROM pg_temp.engagements(%L, %s)', as_of, rated), 'member, channel', 'contact_engagements(): ' || asked);
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM contact_allowances(pg_temp.book(), %L, %L, %s, %s, %s, %s)', as_of, span, caps[1], caps[2], caps[3], rated),
                                format('SELECT * FROM pg_temp.allowances(%L, %L, %s, %s, %s, %s)', as_of, span, caps[1], caps[2], caps[3], rated), 'member, channel', 'contact_allowances(): ' || asked);
  RETURN NEXT pg_temp.same_rows(format('SELECT * FROM contact_fatigue(pg_temp.book(), %L, %L, %L, %L, %s, %s, %L)', as_of, span, respond_within, responses, max_prior, alpha, channel),
                                format('SELECT * FROM pg_temp.fatigue(%L, %L, %L, %L, %s, %s, %L)', as_of, span, respond_within, responses, max_prior, z, channel), 'prior', 'contact_fatigue(): ' || asked);
END $$;

-- Generated data: few members with many rows and many with few, each as willing to answer as they are; half of the times are of
-- few, and every fifth line is there twice.
INSERT INTO contact_log
SELECT member, CASE WHEN i % 97 <> 0 THEN channel END, kind,
       at + CASE WHEN kind = 'sent' THEN '0' WHEN pg_temp.chance(i, 9) < 0.2 THEN '3 days' ELSE floor(pg_temp.chance(i, 10 + stream) * 20) * interval '6 hours' END, floor(pg_temp.chance(i, 7) * 9)
  FROM (SELECT i, CASE WHEN i % 101 <> 0 THEN floor(power(pg_temp.chance(i, 1), 3) * 900)::bigint END AS member, (ARRAY['email', 'sms', 'push', 'email', 'post'])[1 + floor(pg_temp.chance(i, 2) * 5)::int] AS channel,
               timestamptz '2025-06-01 10:00' + CASE WHEN pg_temp.chance(i, 4) < 0.5 THEN floor(pg_temp.chance(i, 6) * 150) ELSE pg_temp.chance(i, 6) * 150 END * interval '1 day' AS at
          FROM generate_series(1, 6000::bigint) i) s,
       LATERAL (VALUES (1, 'sent', 0.97), (2, 'sent', 0.2), (3, 'opened', 0.4), (4, 'clicked', 0.6 * pg_temp.chance(member, 11) ^ 2), (5, 'clicked', 0.1 * pg_temp.chance(member, 11)),
                       (6, 'converted', 0.2 * pg_temp.chance(member, 12)), (7, 'unsubscribed', 0.02), (8, 'complained', 0.01), (9, 'subscribed', 0.02)) k (stream, kind, chance)
 WHERE pg_temp.chance(i, 20 + stream) < chance;
SELECT pg_temp.agrees(as_of, span, respond_within, lookback, responses::text[], prior_weight, caps::int[], max_prior, z, alpha, channel)
  FROM (VALUES (timestamptz '2025-12-01', interval '7 days', interval '7 days', interval '180 days', '{clicked,converted}', NULL::numeric, '{3,1,7}', 10, 1.959963984540054::float8, 0.05, NULL),
               ('2025-12-01', '30 days', '3 days', '60 days', '{converted}', 20, '{4,1,8}', 2, 1.6448536269514722, 0.1, 'email'),
               ('2025-08-15 10:00', '12:30', '18:00', '45 days', '{opened,clicked,converted}', 5, '{1,0,3}', 1, 2.5758293035489004, 0.01, 'post'),
               ('2025-11-01', '0.000001 seconds', '0.000001 seconds', '1000 days', '{clicked}', 0.5, '{2,1,2}', 10, 1.959963984540054, 0.05, NULL))
       s (as_of, span, respond_within, lookback, responses, prior_weight, caps, max_prior, z, alpha, channel);

SELECT pg_temp.look('infinity');
SELECT is((SELECT rows_skipped(contact_book(member, channel, kind, at)) FROM contact_log), (SELECT count(*) FROM contact_log WHERE num_nulls(member, channel, kind, at) > 0), 'rows_skipped()');
SELECT is(member_count(pg_temp.book()), (SELECT count(DISTINCT member) FROM known), 'member_count()');
SELECT pg_temp.same_rows('SELECT * FROM contact_pressures(pg_temp.book())', $$ SELECT * FROM pg_temp.pressures((SELECT max(at) FROM known), '7 days') $$, 'member',
                         'contact_pressures(): as_of left out is the latest row, and the half-life a week');
SELECT pg_temp.same_rows('SELECT * FROM contact_allowances(pg_temp.book())',
                         $$ SELECT * FROM pg_temp.allowances((SELECT max(at) FROM known), '7 days', 3, 1, 7, '180 days', '7 days', '{clicked,converted}', NULL) $$, 'member, channel', 'contact_allowances(): defaults');
SELECT pg_temp.same_rows('SELECT * FROM contact_priors(pg_temp.book())', $$ SELECT * FROM pg_temp.priors((SELECT max(at) FROM known), '180 days', '7 days', '{clicked,converted}', NULL) $$, 'channel', 'contact_priors(): defaults');
SELECT pg_temp.same_rows('SELECT * FROM contact_engagements(pg_temp.book())',
                         $$ SELECT member, channel, contacts, responses, rate, engagement, ratio FROM pg_temp.engagements((SELECT max(at) FROM known), '180 days', '7 days', '{clicked,converted}', NULL) $$,
                         'member, channel', 'contact_engagements(): defaults');
SELECT pg_temp.same_rows('SELECT * FROM contact_fatigue(pg_temp.book())', $$ SELECT * FROM pg_temp.fatigue((SELECT max(at) FROM known), '7 days', '7 days', '{clicked,converted}', 10, 1.959963984540054) $$, 'prior', 'contact_fatigue(): defaults');
SELECT pg_temp.same_rows('SELECT (contact_allowances(contact_book(member, channel, kind, at), base_cap => 2)).* FROM known', 'SELECT * FROM contact_allowances(pg_temp.book(), base_cap => 2)', 'member, channel',
                         'contact_allowances(): in the select list as in FROM');
SELECT ok((SELECT count(DISTINCT cap) > 3 AND bool_or(is_opted_out) AND bool_or(NOT is_allowed AND NOT is_opted_out) FROM contact_allowances(pg_temp.book(), base_cap => 2, span => '21 days')), 'caps of all kinds, members who left and who must wait');

-- Members of the other types.
SELECT pg_temp.same_rows(
         format($$ SELECT n.member, %4$s FROM %1$s(NULL::%2$s, (SELECT contact_book(%3$s, channel, kind, at) FROM known), '2026-01-01') m
                     JOIN (SELECT DISTINCT member, %3$s AS id FROM known) n ON n.id = m.member $$, report, type, id, columns),
         format('SELECT member, %s FROM %s(pg_temp.book(), ''2026-01-01'') m', columns, report), keys, format('%s(): members of type %s', report, type))
  FROM (VALUES ('uuid', 'md5(member::text)::uuid'), ('text', 'repeat(''Kunde № '', (member % 40)::int) || member'), ('bigint', 'member::int')) v (type, id),
       (VALUES ('contact_pressures', 'member', 'pressure, contacts, last_contact'), ('contact_engagements', 'member, channel', 'channel, contacts, responses, rate, engagement, ratio'),
               ('contact_allowances', 'member, channel', 'channel, contacts, ratio, cap, is_allowed, next_allowed, is_opted_out')) r (report, keys, columns);

-- A trail of each member says of them what the book says.
CREATE TEMP TABLE trails AS SELECT member, contact_trail(channel, kind, at) AS trail FROM known GROUP BY member;
SELECT is_empty($$ SELECT * FROM contact_pressures(pg_temp.book(), '2026-01-01', '10 days', '{email,sms}', '{0.5,3}') FULL JOIN trails USING (member)
                    WHERE pressure IS DISTINCT FROM pressure(trail, '2026-01-01', '10 days', '{email,sms}', '{0.5,3}') $$, 'pressure() of a trail');
SELECT is_empty($$ SELECT * FROM contact_allowances(pg_temp.book(), '2025-11-20', '20 days', base_cap => 1, min_cap => 1, max_cap => 3) a JOIN trails USING (member)
                    WHERE a.contacts <> contacts_within(trail, '2025-11-20', '20 days', channel) OR next_allowed <> next_contact(trail, '2025-11-20', '20 days', cap, channel) $$,
                'contacts_within() and next_contact() of a trail') FROM pg_temp.look('2025-11-20');
SELECT pg_temp.same_rows('SELECT member, contacts_within(trail, ''2026-01-01'', ''70 days'') AS contacts FROM trails',
                         'SELECT member, (SELECT count(*) FROM contact c WHERE c.member = m.member AND at > timestamptz ''2026-01-01'' - interval ''70 days'') AS contacts FROM (SELECT DISTINCT member FROM known) m', 'member',
                         'contacts_within(): all channels') FROM pg_temp.look('2026-01-01');
SELECT pg_temp.same_rows('SELECT member, next_contact(trail, ''2026-01-01'', ''70 days'', 2) AS at FROM trails',
                         $$ SELECT member, CASE WHEN is_out THEN NULL WHEN at > timestamptz '2026-01-01' - interval '70 days' THEN at + '70 days' ELSE timestamptz '2026-01-01' END AS at
                              FROM (SELECT member, coalesce(max(at) FILTER (WHERE kind IN ('unsubscribed', 'complained')) >= coalesce(max(at) FILTER (WHERE kind = 'subscribed'), '-infinity'), false) AS is_out FROM known GROUP BY member) m
                                   LEFT JOIN LATERAL (SELECT at FROM contact c WHERE c.member = m.member ORDER BY at DESC OFFSET 1 LIMIT 1) l ON true $$, 'member',
                         'next_contact(): all channels');
SELECT is_empty($$ SELECT * FROM trails, LATERAL (SELECT max(at) AS latest FROM known WHERE known.member = trails.member) l
                    WHERE pressure(trail) <> pressure(trail, latest) OR contacts_within(trail, NULL, '9 days') <> contacts_within(trail, latest, '9 days')
                       OR next_contact(trail, NULL, '90 days', 2) IS DISTINCT FROM next_contact(trail, latest, '90 days', 2) $$, 'as_of of a trail is its latest row, if left out');
SELECT is_empty($$ SELECT * FROM (SELECT member, at, contact_trail(channel, kind, at) OVER (PARTITION BY member ORDER BY at) AS trail FROM known WHERE member BETWEEN 5 AND 40) r
                    WHERE trail <> (SELECT contact_trail(channel, kind, at) FROM known WHERE member = r.member AND at <= r.at) $$, 'a running trail has the rows so far');

-- Members differ as much as they can: what all do says nothing, but a little.
SELECT results_eq($$ SELECT p.channel, p.prior_weight FROM (SELECT contact_book(member, channel, kind, t) AS book
                       FROM (VALUES (1::bigint, 'all or nothing', 5), (2, 'all or nothing', 0), (1, 'nobody', 0), (2, 'nobody', 0), (1, 'one', 2), (1, 'as by chance', 2), (2, 'as by chance', 3)) v (member, channel, x),
                            LATERAL (SELECT 'sent' AS kind, timestamptz '2026-01-01' + i * interval '1 hour' AS t FROM generate_series(1, 5) i
                                     UNION ALL SELECT 'clicked', timestamptz '2026-01-01' + i * interval '1 hour' FROM generate_series(1, x) i) r) b, contact_priors(book, '2026-06-01') p ORDER BY 1 $$,
                  $$ VALUES ('all or nothing', 0.01::float8), ('as by chance', NULL), ('nobody', NULL), ('one', NULL) $$, 'contact_priors(): the least there is, and none');

-- Who answers more often may be written to more often; who was written to more often, and answered as often, less often.
CREATE TEMP TABLE capped AS
SELECT channel, e.contacts, responses, cap FROM contact_engagements(pg_temp.book(), prior_weight => 7) e JOIN contact_allowances(pg_temp.book(), base_cap => 5, min_cap => 0, max_cap => 100, prior_weight => 7) a USING (member, channel) WHERE NOT is_opted_out;
SELECT is_empty($$ SELECT * FROM capped a JOIN capped b USING (channel) WHERE a.contacts >= b.contacts AND a.responses <= b.responses AND a.cap > b.cap $$, 'caps rise with responses and fall with contacts');

-- Parts, partial states, any order: the same bytes.
CREATE TEMP TABLE whole (LIKE contact_log) PARTITION BY HASH (part);
CREATE TEMP TABLE whole_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TEMP TABLE whole_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TEMP TABLE whole_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO whole SELECT * FROM contact_log;
ANALYZE whole;
CREATE TEMP TABLE made AS SELECT contact_book(member, channel, kind, at) AS book, contact_trail(channel, kind, at) AS trail FROM contact_log;
SET LOCAL enable_partitionwise_aggregate = on;
-- Few rows for each member: the planner knows what merging costs, and would not.
SET LOCAL cpu_operator_cost = 0;
SELECT ok(pg_temp.plan_has('SELECT contact_book(member, channel, kind, at), contact_trail(channel, kind, at) FROM whole', '$.**."Partial Mode" ? (@ == "Partial")'), 'a plan with partial states');
SELECT is((SELECT (contact_book_send(contact_book(member, channel, kind, at)), contact_trail_send(contact_trail(channel, kind, at)))::text FROM whole), (contact_book_send(book), contact_trail_send(trail))::text, 'gives the same bytes') FROM made;
RESET enable_partitionwise_aggregate;
SELECT is((SELECT (contact_book_send(rollup(b)), contact_trail_send(rollup(t)))::text FROM (SELECT contact_book(member, channel, kind, at) AS b, contact_trail(channel, kind, at) AS t FROM contact_log GROUP BY part % parts) s),
          (contact_book_send(book), contact_trail_send(trail))::text, format('rollup() of %s parts', parts))
  FROM unnest(ARRAY[1, 2, 9]) parts, made;
-- Parts with channels that others do not have, and with another unit of time.
SELECT is((SELECT (contact_book_send(rollup(b)), contact_trail_send(rollup(t)))::text
             FROM (SELECT contact_book(member, channel, kind, at) AS b, contact_trail(channel, kind, at) AS t FROM contact_log GROUP BY channel, extract(microseconds FROM at)::bigint % 1000000 = 0) s),
          (contact_book_send(book), contact_trail_send(trail))::text, 'rollup() of a part for each channel and unit') FROM made;
SELECT ok(a + b = book AND b + a = book, '+') FROM made,
  (SELECT contact_book(member, channel, kind, at) FILTER (WHERE part % 2 = 0) AS a, contact_book(member, channel, kind, at) FILTER (WHERE part % 2 = 1) AS b FROM contact_log) s;
SELECT ok(a + b = trail AND b + a = trail, '+ of trails') FROM made,
  (SELECT contact_trail(channel, kind, at) FILTER (WHERE part % 2 = 0) AS a, contact_trail(channel, kind, at) FILTER (WHERE part % 2 = 1) AS b FROM contact_log) s;
SELECT is((SELECT (contact_book_send(contact_book(member, channel, kind, at ORDER BY o)), contact_trail_send(contact_trail(channel, kind, at ORDER BY o)))::text FROM (SELECT *, hashtextextended(at::text || kind, seed) AS o FROM contact_log) s),
          (contact_book_send(book), contact_trail_send(trail))::text, format('rows in another order, %s', seed))
  FROM unnest(ARRAY[1, 2]) seed, made;
SELECT ok(contact_book_in(contact_book_out(book)::cstring) = book AND contact_trail_in(contact_trail_out(trail)::cstring) = trail, 'written and read back') FROM made;

-- Nothing depends on where the clock stands.
CREATE TEMP TABLE in_utc AS SELECT member, channel, a.contacts, cap, extract(epoch FROM next_allowed) AS next_allowed FROM contact_allowances(pg_temp.book(), '2026-01-01 00:00+00', '100 days') a;
CREATE TEMP TABLE fatigue_in_utc AS SELECT * FROM contact_fatigue(pg_temp.book(), '2026-01-01 00:00+00');
SET LOCAL timezone = 'America/New_York';
SELECT pg_temp.same_rows('SELECT member, channel, a.contacts, cap, extract(epoch FROM next_allowed) AS next_allowed FROM contact_allowances(pg_temp.book(), ''2026-01-01 00:00+00'', ''100 days'') a', 'TABLE in_utc', 'member, channel',
                         'contact_allowances(): the same in a zone that moved its clocks in the span');
SELECT pg_temp.same_rows('SELECT * FROM contact_fatigue(pg_temp.book(), ''2026-01-01 00:00+00'')', 'TABLE fatigue_in_utc', 'prior', 'contact_fatigue(): the same there');
SET LOCAL timezone = 'UTC';

-- The Complete Journey (dunnhumby): every campaign is a letter to its households, every redeemed coupon an answer.

\if :have_journey
CREATE TEMP TABLE description (campaign_id int, campaign_type text, start_date date, end_date date);
CREATE TEMP TABLE target (campaign_id int, household_id bigint);
CREATE TEMP TABLE redemption (household_id bigint, coupon_upc numeric, campaign_id int, redeemed_on date);
\copy description from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaign_descriptions.csv.gz"' csv header
\copy target from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaigns.csv.gz"' csv header
\copy redemption from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/coupon_redemptions.csv.gz"' csv header
TRUNCATE contact_log;
INSERT INTO contact_log
SELECT household_id, 'post', 'sent', start_date, 0 FROM target JOIN description USING (campaign_id)
UNION ALL SELECT household_id, 'post', 'converted', redeemed_on, 1 FROM redemption;
SELECT pg_temp.agrees('2018-01-01', '60 days', '30 days', '1000 days', '{clicked,converted}', NULL, '{2,1,4}', 10, 1.959963984540054, 0.05, NULL);
SELECT results_eq($$ SELECT members, contacts, responses, round(rate::numeric, 10), round(prior_weight::numeric, 9) FROM contact_priors(pg_temp.book(), '2018-01-01', '1000 days', '30 days') $$,
                  $$ VALUES (1550::bigint, 6065::bigint, 696::bigint, 0.1147568013, 3.611145149) $$, 'The Complete Journey: what everybody is shrunk to');
SELECT results_eq($$ SELECT cap, count(*) FROM contact_allowances(pg_temp.book(), '2018-01-01', '60 days', 2, 1, 4, '1000 days', '30 days') GROUP BY 1 ORDER BY 1 $$,
                  -- 9 of the 318 have no contact that is a month old.
                  $$ VALUES (1, 922::bigint), (2, 318), (3, 79), (4, 240) $$, 'The Complete Journey: caps');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 8);
\endif

SELECT * FROM finish();
ROLLBACK;
