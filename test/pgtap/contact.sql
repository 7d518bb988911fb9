-- Contact pressure against an oracle: all that the reports of contact_book say is
-- computed once more in plain SQL, from the rows: windows, lateral joins, a self-join.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\set ECHO none
\set QUIET on
\pset format unaligned
\pset tuples_only true
\pset pager off
\set ON_ERROR_ROLLBACK 1
\set ON_ERROR_STOP true
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/coupon_redemptions.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(78);

-- The oracle

CREATE TEMP TABLE contact_log (member bigint, channel text, kind text, at timestamptz, part int);

-- An interruption: what was sent to a member at a moment on a channel, however many lines tell of it.
CREATE TEMP TABLE contact (member bigint, channel text, at timestamptz);
CREATE INDEX ON contact (member, channel, at);
CREATE FUNCTION pg_temp.fill_contact() RETURNS void LANGUAGE sql AS $$
  DELETE FROM contact;
  INSERT INTO contact SELECT DISTINCT member, channel, at FROM contact_log WHERE kind = 'sent' AND num_nulls(member, channel, at) = 0;
$$;

-- What is due to a contact: a row goes to the latest contact at or before it, if that is not longer ago than within.
CREATE FUNCTION pg_temp.credited(kinds text[], within interval) RETURNS TABLE (member bigint, channel text, at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT member, channel, contact
    FROM (SELECT member, channel, kind, at, max(at) FILTER (WHERE kind = 'sent') OVER (PARTITION BY member, channel ORDER BY at) AS contact
            FROM contact_log WHERE num_nulls(member, channel, kind, at) = 0) s
   WHERE kind = ANY (kinds) AND at <= contact + within
$$;

CREATE FUNCTION pg_temp.pressures(as_of timestamptz, half_life interval, channels text[] DEFAULT '{}', weights float8[] DEFAULT '{}')
RETURNS TABLE (member bigint, pressure float8, contacts bigint, last_contact timestamptz) LANGUAGE sql STABLE AS $$
  SELECT member, coalesce(sum(coalesce(w.weight, 1) * 2.0::float8 ^ (-extract(epoch FROM as_of - c.at) / extract(epoch FROM half_life))::float8), 0), count(c.at), max(c.at)
    FROM (SELECT DISTINCT member FROM contact_log WHERE num_nulls(member, channel, kind, at) = 0) m
         LEFT JOIN contact c USING (member)
         LEFT JOIN (SELECT unnest(channels) AS channel, unnest(weights) AS weight) w USING (channel)
   GROUP BY member
$$;

-- Members on a channel with their mature contacts in the lookback, 0 for those without.
CREATE FUNCTION pg_temp.mature(as_of timestamptz, lookback interval, respond_within interval, kinds text[])
RETURNS TABLE (member bigint, channel text, contacts bigint, responses bigint) LANGUAGE sql STABLE AS $$
  SELECT member, channel, count(c.at), count(r.at)
    FROM (SELECT DISTINCT member, channel FROM contact_log WHERE num_nulls(member, channel, kind, at) = 0) m
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
         CASE WHEN kappa IS NOT NULL THEN kappa WHEN rho >= 1 THEN 0.01 WHEN rho > 0 THEN 1 / rho - 1 WHEN p IS NOT NULL THEN 'Infinity' END
    FROM sums, LATERAL (SELECT (s - p * (1 - p) * (k - 1)) / nullif(p * (1 - p) * (n - squares / nullif(n, 0) - (k - 1)), 0) AS rho) r
$$;

-- ratio = above / below, of which only the quotient is rounded.
CREATE FUNCTION pg_temp.engagements(as_of timestamptz, lookback interval, respond_within interval, kinds text[], kappa numeric)
RETURNS TABLE (member bigint, channel text, contacts bigint, responses bigint, rate float8, engagement float8, ratio float8, above numeric, below numeric) LANGUAGE sql STABLE AS $$
  SELECT m.member, channel, m.contacts, m.responses, m.responses::float8 / nullif(m.contacts, 0), p.rate * coalesce(r.above / r.below, 1), coalesce(r.above / r.below, 1), coalesce(r.above, 1), coalesce(r.below, 1)
    FROM pg_temp.mature(as_of, lookback, respond_within, kinds) m
         JOIN pg_temp.priors(as_of, lookback, respond_within, kinds, kappa) p USING (channel)
         LEFT JOIN LATERAL (SELECT m.responses * p.contacts + p.prior_weight * p.responses AS above, (m.contacts + p.prior_weight) * p.responses AS below
                             WHERE p.prior_weight < 'Infinity' AND p.responses > 0 AND m.contacts + p.prior_weight > 0) r ON true
$$;

CREATE FUNCTION pg_temp.allowances(as_of timestamptz, span interval, base_cap int, min_cap int, max_cap int, lookback interval, respond_within interval, kinds text[], kappa numeric)
RETURNS TABLE (member bigint, channel text, contacts bigint, ratio float8, cap int, is_allowed boolean, next_allowed timestamptz, is_opted_out boolean) LANGUAGE sql STABLE AS $$
  SELECT member, channel, w.contacts, e.ratio, c.cap, w.contacts < c.cap, CASE WHEN w.contacts < c.cap THEN as_of ELSE l.at + span END, o.is_opted_out
    FROM pg_temp.engagements(as_of, lookback, respond_within, kinds, kappa) e
         JOIN (SELECT member, channel, coalesce(max(at) FILTER (WHERE kind IN ('unsubscribed', 'complained')) >= coalesce(max(at) FILTER (WHERE kind = 'subscribed'), '-infinity'), false) AS is_opted_out
                 FROM contact_log WHERE num_nulls(member, channel, kind, at) = 0 GROUP BY member, channel) o USING (member, channel),
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
                              FROM (SELECT ln(nullif(above, 0) / nullif(below, 0)) AS l, z * sqrt(v / nullif(above * below, 0)) AS m) r) i ON true,
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

CREATE FUNCTION pg_temp.plan_has(statement text, path jsonpath) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
  RETURN jsonb_path_exists(plan, path);
END $$;

CREATE FUNCTION pg_temp.chance(i bigint, stream bigint) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashint8extended(i, stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52)
$$;
