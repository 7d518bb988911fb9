-- Counts that may be shown, and consent.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA privacy_test;
SET search_path = privacy_test, public;

-- Worked examples of the definition: what is below 10 goes, and the next if the total gave it away.
SELECT counts, array_agg(safe_count ORDER BY place) AS shown
FROM (SELECT counts, place, safe_count(n::bigint) OVER (PARTITION BY counts)
		FROM unnest(ARRAY['40,25,12,7', '40,25,12,12,7', '40,25,6,7', '40,25,3,4', '40,3', '5,5,50,60', '100,9,10', '40,25,0,0', '3', '40,25', '0', '9,1', '4,4']) counts,
			string_to_table(counts, ',') WITH ORDINALITY t(n, place)) s
GROUP BY counts ORDER BY counts COLLATE "C";
-- NULL stays NULL and is no row of the table; another minimum.
SELECT n, safe_count(n) OVER () FROM (VALUES (NULL::bigint), (40), (25), (12), (7)) v(n) ORDER BY n;
SELECT n, safe_count(n, 5) OVER (), safe_count(n, 2) OVER () AS of_2 FROM (VALUES (40::bigint), (25), (12), (4), (1)) v(n) ORDER BY n;
-- Neither ORDER BY nor the frame matters, nor does the order of the rows.
SELECT bool_and(a IS NOT DISTINCT FROM b AND a IS NOT DISTINCT FROM c) AS same
FROM (SELECT safe_count(n) OVER (PARTITION BY g) AS a, safe_count(n) OVER (PARTITION BY g ORDER BY n DESC ROWS CURRENT ROW) AS b,
				safe_count(n) OVER (PARTITION BY g ORDER BY hashint8(n)) AS c
		FROM (SELECT i % 50 AS g, hashint8(i) & 31 AS n FROM generate_series(1, 400::bigint) i) t) s;
-- By definition, step by step, in plain SQL: nothing below the minimum is shown, what is hidden is nobody or two rows
-- and the minimum, as far as there are rows, and nothing is hidden without need.
WITH t AS (SELECT g, (CASE WHEN random < 3 THEN 0 ELSE random END)::bigint AS n, i FROM (SELECT i % 3000 AS g, i, hashint8(i) & 31 AS random FROM generate_series(1, 12000::bigint) i) r),
s AS (SELECT g, n, safe_count(n, 8) OVER (PARTITION BY g) AS shown FROM t),
g AS (SELECT g, count(*) FILTER (WHERE shown IS NULL) AS hidden, sum(n) FILTER (WHERE shown IS NULL) AS hidden_sum, max(n) FILTER (WHERE shown IS NULL) AS largest_hidden,
				min(shown) FILTER (WHERE n > 0) AS smallest_shown, count(*) FILTER (WHERE n BETWEEN 1 AND 7) AS small, sum(n) FILTER (WHERE n BETWEEN 1 AND 7) AS small_sum FROM s GROUP BY g)
SELECT count(*) AS tables, count(*) FILTER (WHERE small > 0 AND hidden > small) AS with_more_hidden,
		count(*) FILTER (WHERE smallest_shown < 8 OR largest_hidden >= smallest_shown OR (small = 0 AND hidden > 0)
						OR (hidden > 0 AND smallest_shown IS NOT NULL AND (hidden < 2 OR hidden_sum < 8))
						OR (hidden > small AND small >= 2 AND small_sum >= 8)) AS wrong FROM g;

-- Consent fails closed.
SELECT tags, channel, has_consent(tags::text[]::tagbloom, channel)
FROM (VALUES ('{consent:email}', 'email'), ('{consent:email}', 'sms'), ('{consent:email,optout:email}', 'email'), ('{consent:email,optout:sms}', 'email'),
				('{optout:email}', 'email'), ('{}', 'email'), ('{consent:}', ''), ('{consent:email}', NULL), (NULL, 'email')) v(tags, channel);
-- A filter may be mistaken, so it gives none.
SELECT has_tag(tags, 'consent:email') AS has, is_exact(tags), has_consent(tags, 'email')
FROM (SELECT tag_agg(tag) AS tags FROM (SELECT 'tag ' || i AS tag FROM generate_series(1, 40) i UNION ALL SELECT 'consent:email') t) s;
-- It is inlined.
SELECT count(*) FROM (SELECT tags('consent:email', 'c' || i) AS t FROM generate_series(1, 5) i) s WHERE has_consent(t, 'email');

-- Errors.
\set VERBOSITY default
SELECT safe_count(-1) OVER ();
SELECT safe_count(5, 1) OVER ();
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement || ' FROM generate_series(1, 3::bigint) v') FROM unnest(ARRAY[
	$$safe_count(v, NULL) OVER ()$$, $$safe_count(v, 0) OVER ()$$, $$safe_count(v, -2147483648) OVER ()$$, $$safe_count(v, 1 + v::int) OVER ()$$,
	$$safe_count(v - 2) OVER ()$$, $$safe_count(v)$$, $$has_consent(tags('a'), repeat('x', 1017))$$]) statement;
