-- Interaction stages: aggregate and book. Expected figures are worked out by hand
-- or compared to plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA interaction_test;
SET search_path = interaction_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- As of 2026-07-01 180 days go back to 2026-01-02, that moment not included.
CREATE TABLE interactions (member bigint, kind text, occurred_at timestamptz);
INSERT INTO interactions VALUES
	(1, 'own', '2026-01-02 00:00:00.000001'), (1, 'own', '2026-07-01'), (1, 'obliged', '2026-03-01'), (1, 'induced', '2026-03-01'),	-- 2 of 4, at both ends: sticky
	(2, 'own', '2026-01-02'), (2, 'own', '2026-07-01'), (2, 'obliged', '2026-03-01'),		-- the first is too old: induced
	(3, 'own', '2026-05-01'), (3, 'own', '2026-05-01'), (3, 'obliged', '2026-05-01'), (3, 'obliged', '2026-05-01'), (3, 'obliged', '2026-05-01'),	-- 2 of 5: induced
	(4, 'induced', '2026-06-01'), (4, 'obliged', '2026-06-02'),								-- induced
	(5, 'obliged', '2026-06-01'), (5, 'own', '2025-01-01'),									-- forced now
	(6, 'own', '2025-06-01'), (6, 'own', '2025-06-02'),										-- dormant, was sticky
	(7, NULL, '2026-06-01'), (7, 'own', NULL), (NULL, 'own', '2026-06-01');					-- nothing usable
SELECT member, interaction_stage(kind, occurred_at, '2026-07-01'),
	interaction_stage(kind, occurred_at, '2026-07-01', '180 days', 2, 0.5) AS same,
	interaction_stage(kind, occurred_at, '2026-07-01', '180 days', 1, 0.5) AS one_is_enough,
	interaction_stage(kind, occurred_at, '2026-07-01', '180 days', 2, 0.4) AS less_will_do,
	interaction_stage(kind, occurred_at, '2026-07-01', '180 days', 1, 1) AS all_of_them,
	interaction_stage(kind, occurred_at, '2026-07-01', '180 days', 1, 0) AS any_of_them,
	interaction_stage(kind, occurred_at, '2026-07-01', '4320 hours 1 microsecond', 2, 0.5) AS a_moment_longer,
	interaction_stage(kind, occurred_at, '2026-07-01', '1 microsecond', 1, 0.5) AS a_moment,
	interaction_stage(kind, occurred_at, '2026-07-01', '106751991 days', 2, 0.5) AS ever
FROM interactions WHERE member IS NOT NULL GROUP BY member ORDER BY member;
SELECT member_count(b), rows_skipped(b) FROM (SELECT interaction_book(member, kind, occurred_at) AS b FROM interactions) s;
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions));
SELECT * FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions)) ORDER BY member;
SELECT * FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2026-07-01', min_own => 1, min_own_share => 0) ORDER BY member;
-- A later as_of lets interactions grow too old, and nothing else.
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2026-12-30');
-- On 2025-06-30 member 6 was sticky, what 5 had done had grown too old at that moment, and the others were not known.
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2025-06-30');
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2025-07-01', '2026-07-01') EXCEPT ALL
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2025-07-01');

-- Nothing to tell of.
SELECT interaction_stage(kind, occurred_at, '2026-07-01') IS NULL AS no_rows FROM interactions WHERE false;
SELECT interaction_stage(kind, occurred_at, '2026-07-01') IS NULL AS all_skipped FROM interactions WHERE member = 7;
SELECT interaction_stage(kind, occurred_at, NULL) IS NULL AS no_as_of, interaction_stage(kind, occurred_at, '2026-07-01', NULL, 2, 0.5) IS NULL AS no_span,
	interaction_stage(kind, occurred_at, '2026-07-01', '1 day', NULL, 0.5) IS NULL AS no_min_own, interaction_stage(kind, occurred_at, '2026-07-01', '1 day', 2, NULL) IS NULL AS no_min_own_share
FROM interactions;
SELECT interaction_book(member, kind, occurred_at) IS NULL AS no_rows FROM interactions WHERE false;
SELECT (SELECT count(*) FROM interaction_stages(NULL)), (SELECT count(*) FROM interaction_members(NULL::interaction_book)), (SELECT count(*) FROM interaction_transitions(NULL, '2026-01-01'));
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions WHERE member = 7));
SELECT count(*) FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions WHERE member = 7));
SELECT count(*), sum(members) FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions WHERE member = 7), '2026-01-01');
SELECT rollup(NULL::interaction_book) IS NULL AS rolled_up, NULL::interaction_book + NULL IS NULL AS added;

-- Both ends of time, whose distance 64 bits hold only without a sign: it is within no span.
SELECT interaction_stage(kind, t, '294276-12-31 23:59:59.999999', '106751991 days 04:00:54.775807', 1, 0.5) AS last_only,
	interaction_stage(kind, t, '294276-12-31 23:59:59.999999', '1 microsecond', 1, 0.5) AS the_moment
FROM (VALUES ('own', timestamptz '4714-11-24 BC'), ('induced', '294276-12-31 23:59:59.999999'), ('obliged', '294276-12-31 23:59:59.999998')) v (kind, t);
SELECT stage, obliged, induced, own
FROM interaction_members((SELECT interaction_book(1, kind, t)
	FROM (VALUES ('own', timestamptz '4714-11-24 BC'), ('induced', '294276-12-31 23:59:59.999999'), ('obliged', '294276-12-31 23:59:59.999998')) v (kind, t)),
	span => '106751991 days 04:00:54.775807');
SELECT interaction_stage('own', '4714-11-24 BC', '4714-11-24 BC', '106751991 days', 1, 1) AS nothing_is_before;

-- Members as uuid and text: the type comes first.
CREATE TABLE typed AS SELECT *, ('00000000-0000-0000-0000-' || lpad(member::text, 12, '0'))::uuid AS u, 'member ' || member AS t FROM interactions;
SELECT * FROM interaction_members(NULL::uuid, (SELECT interaction_book(u, kind, occurred_at) FROM typed)) ORDER BY member LIMIT 2;
SELECT * FROM interaction_members(NULL::text, (SELECT interaction_book(t, kind, occurred_at) FROM typed), '2026-12-01', '10 years'::interval - '10 years' + '300 days', 3, 0.1) ORDER BY member COLLATE "C" LIMIT 2;
SELECT member, pg_typeof(member) FROM interaction_members(NULL::bigint, (SELECT interaction_book(member::int, kind::varchar(9), occurred_at) FROM typed)) ORDER BY member LIMIT 1;

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT interaction_stage('forced', '2026-01-01', '2026-07-01');
SELECT interaction_book(1, repeat('Own ', 100), '2026-01-01');
SELECT interaction_stage('own', '2026-07-01 00:00:00.000001', '2026-07-01');
SELECT interaction_stage('own', 'infinity', '2026-07-01');
SELECT interaction_stage('own', '-infinity', '2026-07-01');
SELECT interaction_stage('own', '2026-07-01', 'infinity');
SELECT interaction_book(1, 'own', 'infinity');
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '6 months', 2, 0.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '0', 2, 0.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day -25 hours', 2, 0.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '2147483647 days', 2, 0.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day', 0, 0.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day', 2, 1.5);
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day', 2, 'NaN');
SELECT interaction_stage('own', '2026-01-01', day) FROM unnest('{2026-07-01,2026-07-02}'::timestamptz[]) day;
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', n * interval '1 day', 2, 0.5) FROM generate_series(1, 2) n;
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day', n, 0.5) FROM generate_series(1, 2) n;
SELECT interaction_stage('own', '2026-01-01', '2026-07-01', '1 day', 2, n / 2.0) FROM generate_series(1, 2) n;
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2026-06-30');
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions), 'infinity');
SELECT * FROM interaction_stages((SELECT interaction_book(member, kind, occurred_at) FROM interactions), span => NULL);
SELECT * FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions), min_own => NULL);
SELECT * FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions), min_own_share => NULL);
SELECT * FROM interaction_members((SELECT interaction_book(member, kind, occurred_at) FROM interactions), min_own_share => '-Infinity');
SELECT * FROM interaction_members((SELECT interaction_book(u, kind, occurred_at) FROM typed));
SELECT * FROM interaction_members(NULL::int, (SELECT interaction_book(member, kind, occurred_at) FROM interactions));
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), NULL);
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2026-07-01');
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '2026-06-01', '2026-06-30');
SELECT * FROM interaction_transitions((SELECT interaction_book(member, kind, occurred_at) FROM interactions), '-infinity', '2026-07-01');
SELECT interaction_book(member, kind, occurred_at) + interaction_book(t, kind, occurred_at) FROM typed;
\set VERBOSITY terse
SELECT interaction_stage_step(NULL, 'own', now(), now());
SELECT interaction_stage_combine(NULL, NULL);
SELECT interaction_stage_final(NULL);
SELECT interaction_book_combine(NULL, NULL);
SELECT interaction_book_step_bigint(NULL, 1, 'own', now());
SELECT interaction_book_step_uuid(NULL, NULL, 'own', now());
SELECT interaction_book_step_text(NULL, '', 'own', now());
DO $$
BEGIN
	-- Intervals are infinite from 17 on.
	IF current_setting('server_version_num')::int >= 170000
	   AND hostile.error_of('SELECT interaction_stage(''own'', ''2026-07-01'', ''2026-07-01'', ''infinity'', 2, 0.5)') NOT LIKE '22008 span must be a length of time, not "infinity"' THEN
		RAISE 'an infinite span is not refused as it should be';
	END IF;
END $$;
SELECT hostile.error_of(format('SELECT interaction_stage(%L, ''2026-01-01'', ''2026-07-01'')', k)) AS error
FROM unnest(ARRAY['', ' ', 'OWN', 'own ', ' own', 'ownn', 'ow', 'sticky', 'null', E'own\n', 'öwn', repeat('ö', 1000)]) k;

-- The SQLSTATE of every kind of error.
SELECT left(hostile.error_of(format('SELECT interaction_stage(%s)', a)), 5) AS code, string_agg(a, E'\n' ORDER BY a COLLATE "C") AS arguments
FROM unnest(ARRAY[$$'own', '2026-07-02', '2026-07-01'$$, $$'none', '2026-07-01', '2026-07-01'$$, $$'own', 'infinity', '2026-07-01'$$, $$'own', '2026-07-01', '-infinity'$$,
	$$'own', '2026-07-01', '2026-07-01', '1 month', 2, 0.5$$, $$'own', '2026-07-01', '2026-07-01', '-1 day', 2, 0.5$$, $$'own', '2026-07-01', '2026-07-01', '106751992 days', 2, 0.5$$,
	$$'own', '2026-07-01', '2026-07-01', '1 day', -2147483648, 0.5$$, $$'own', '2026-07-01', '2026-07-01', '1 day', 2, -1e-300$$, $$'own', '2026-07-01', '2026-07-01', '1 day', 2, 'Infinity'$$]) a GROUP BY 1 ORDER BY 1;
SELECT left(hostile.error_of(format('SELECT * FROM interaction_%s((SELECT interaction_book(member, kind, occurred_at) FROM interactions)%s)', f, a)), 5) AS code,
	string_agg(f || a, E'\n' ORDER BY f || a COLLATE "C") AS arguments
FROM (VALUES ('stages', ', ''2026-06-30'''), ('stages', ', ''-infinity'''), ('stages', ', span => NULL'), ('stages', ', span => ''1 year'''), ('members', ', min_own => NULL'), ('members', ', min_own => 0'),
	('members', ', min_own_share => 2'), ('transitions', ', NULL'), ('transitions', ', ''2026-07-01'''), ('transitions', ', ''2026-06-01'', ''2026-06-02'''), ('transitions', ', ''infinity''')) v (f, a) GROUP BY 1 ORDER BY 1;

-- Thousands of members whose interactions fall on midnights, so that many lie on the edge of a span: plain SQL.
CREATE TABLE many AS
SELECT floor(1500 * power((hashint8extended(n, 1) & 65535) / 65536.0, 2))::bigint AS member,
	CASE (hashint8extended(n, 2) & 7) WHEN 0 THEN NULL WHEN 1 THEN 'induced' WHEN 2 THEN 'induced' WHEN 3 THEN 'own' WHEN 4 THEN 'own' ELSE 'obliged' END AS kind,
	timestamptz '2024-01-01' + (hashint8extended(n, 3) & 65535) % 700 * interval '1 day' AS occurred_at, (hashint8extended(n, 4) & 7)::int AS part
FROM generate_series(1, 12000::bigint) n;
CREATE FUNCTION stages_by_sql(as_of timestamptz, span interval, k int, theta numeric)
RETURNS TABLE (member bigint, stage text, obliged bigint, induced bigint, own bigint) LANGUAGE sql STABLE AS $$
	SELECT member, CASE WHEN own >= k AND own >= theta * (obliged + induced + own) THEN 'sticky' WHEN induced > 0 OR own > 0 THEN 'induced'
		WHEN obliged > 0 THEN 'forced' ELSE 'dormant' END, obliged, induced, own
	FROM (SELECT member, count(*) FILTER (WHERE kind = 'obliged' AND occurred_at > as_of - span) AS obliged,
			count(*) FILTER (WHERE kind = 'induced' AND occurred_at > as_of - span) AS induced,
			count(*) FILTER (WHERE kind = 'own' AND occurred_at > as_of - span) AS own
		FROM many WHERE kind IS NOT NULL AND occurred_at <= as_of GROUP BY member) s
$$;
CREATE TABLE settings AS
SELECT row_number() OVER () AS n, * FROM
	(VALUES (timestamptz '2024-02-01'), ('2024-07-15 12:00'), ('2025-01-01'), ('2025-11-30')) a (as_of),
	(VALUES (interval '1 day'), ('30 days'), ('180 days'), ('99 days 12 hours'), ('3000 days')) s (span),
	(VALUES (1, 0.5), (2, 0.5), (3, 0.3), (2, 0), (1, 1)) t (k, theta);
CREATE TABLE answers AS
SELECT s.n, a.* FROM settings s, LATERAL (SELECT interaction_book(member, kind, occurred_at) AS b FROM many WHERE occurred_at <= as_of) b,
	LATERAL interaction_members(b, as_of, span, k, theta) a;
CREATE TABLE expected_answers AS
SELECT s.n, a.* FROM settings s, LATERAL stages_by_sql(as_of, span, k, theta) a;
SELECT count(*) > 50000 AS many, count(*) FILTER (WHERE stage = 'sticky') > 1000 AS sticky, count(*) FILTER (WHERE stage = 'induced') > 1000 AS induced,
	count(*) FILTER (WHERE stage = 'forced') > 1000 AS forced, count(*) FILTER (WHERE stage = 'dormant') > 1000 AS dormant
FROM expected_answers;
SELECT (SELECT count(*) FROM (SELECT * FROM answers EXCEPT ALL SELECT * FROM expected_answers) d) AS too_many,
	(SELECT count(*) FROM (SELECT * FROM expected_answers EXCEPT ALL SELECT * FROM answers) d) AS missing;
-- The aggregate by member.
SELECT count(*) AS differ FROM (
	SELECT n, member, interaction_stage(kind, occurred_at, as_of, span, k, theta) AS stage FROM settings, many WHERE occurred_at <= as_of GROUP BY n, member) a
FULL JOIN expected_answers e USING (n, member) WHERE a.stage IS DISTINCT FROM e.stage;
SELECT count(*) AS differ FROM (SELECT member, interaction_stage(kind, occurred_at, '2025-12-31') AS stage FROM many GROUP BY member HAVING count(kind) > 0) a
FULL JOIN stages_by_sql('2025-12-31', '180 days', 2, 0.5) e USING (member) WHERE a.stage IS DISTINCT FROM e.stage;
-- Stages counted.
SELECT count(*) AS rows, count(*) FILTER (WHERE (g.members, g.obliged, g.induced, g.own) IS DISTINCT FROM (coalesce(e.members, 0), coalesce(e.obliged, 0), coalesce(e.induced, 0), coalesce(e.own, 0))
	OR g.share IS DISTINCT FROM coalesce(e.members, 0)::float8 / g.all_members) AS differ
FROM (SELECT s.n, a.*, member_count(b) AS all_members FROM settings s, LATERAL (SELECT interaction_book(member, kind, occurred_at) AS b FROM many WHERE occurred_at <= as_of) b,
	LATERAL interaction_stages(b, as_of, span, k, theta) a) g
LEFT JOIN (SELECT n, stage, count(*) AS members, sum(obliged) AS obliged, sum(induced) AS induced, sum(own) AS own FROM expected_answers GROUP BY n, stage) e USING (n, stage);
-- Who moved: the answers of two moments joined.
CREATE TABLE moves AS SELECT n, a.* FROM (SELECT interaction_book(member, kind, occurred_at) AS b FROM many) b,
	(SELECT row_number() OVER () AS n, * FROM (VALUES (timestamptz '2024-01-03'), ('2024-06-01'), ('2025-06-01')) f (f), (VALUES (timestamptz '2025-12-01'), ('2026-05-01')) t (t),
		(VALUES (interval '60 days', 2, 0.5), ('200 days', 1, 0.3)) s (span, k, theta)) s,
	LATERAL interaction_transitions(b, f, t, span, k, theta) a;
CREATE TABLE expected_moves AS
SELECT n, f.stage AS from_stage, t.stage AS to_stage, count(*) AS members
FROM (SELECT row_number() OVER () AS n, * FROM (VALUES (timestamptz '2024-01-03'), ('2024-06-01'), ('2025-06-01')) f (f), (VALUES (timestamptz '2025-12-01'), ('2026-05-01')) t (t),
		(VALUES (interval '60 days', 2, 0.5), ('200 days', 1, 0.3)) s (span, k, theta)) s,
	LATERAL (SELECT * FROM stages_by_sql(t, span, k, theta)) t LEFT JOIN LATERAL (SELECT * FROM stages_by_sql(f, span, k, theta)) f USING (member)
GROUP BY n, f.stage, t.stage;
SELECT count(*) AS rows, count(*) FILTER (WHERE members > 0) > 80 AS many_moved FROM moves;
SELECT count(*) AS differ FROM (SELECT n, from_stage, to_stage, members FROM moves WHERE members > 0) g FULL JOIN expected_moves e
	ON (g.n, g.to_stage) = (e.n, e.to_stage) AND g.from_stage IS NOT DISTINCT FROM e.from_stage WHERE g.members IS DISTINCT FROM e.members;
SELECT count(*) AS wrong_shares FROM (SELECT *, nullif(sum(members) OVER (PARTITION BY n, from_stage), 0) AS all_of_stage FROM moves) s
WHERE share IS DISTINCT FROM (members / all_of_stage)::float8;

-- The specified bytes (docs/storage-format.md), written out by hand: kind 13, version 1, bigint, a zero; 1 member, 1 row skipped;
-- member 7 in a column of width 0; no settings; the latest time is 201 microseconds after 2000-01-01; 3 interactions: time 0, own; 1 later, obliged;
-- 200 = 0x48 + 1 * 128 later, induced.
SELECT interaction_book_send(interaction_book(7, kind, t)) =
	'\x0d010100 00000001 0000000000000001 00 0000000000000007 0000 00000000000000c9 03 0002 0100 c80101'::bytea AS as_specified
FROM (VALUES ('own', timestamptz '2000-01-01'), ('induced', '2000-01-01 00:00:00.000201'), ('obliged', '2000-01-01 00:00:00.000001'), (NULL, '2000-01-01')) v (kind, t);

-- Whatever the order and the parts, the same.
CREATE TABLE books AS SELECT part, interaction_book(member, kind, occurred_at) AS b FROM many GROUP BY part;
SELECT (SELECT rollup(b) FROM books) = whole AS rolled_up, (SELECT rollup(b ORDER BY part DESC) FROM books) = whole AS other_order,
	(SELECT b FROM books WHERE part = 0) + (SELECT rollup(b) FROM books WHERE part > 0) = whole AS plus,
	(SELECT rollup(b) FROM books WHERE part > 0) + (SELECT b FROM books WHERE part = 0) = whole AS commuted,
	(SELECT interaction_book(member, kind, occurred_at ORDER BY kind DESC, occurred_at DESC) FROM many) = whole AS sorted,
	(SELECT interaction_book(member, kind, occurred_at ORDER BY member, occurred_at) FROM many) = whole AS by_member,
	whole::text::interaction_book = whole AS text_round_trip, interaction_book_send(whole::text::interaction_book) = interaction_book_send(whole) AS same_bytes,
	interaction_book_hash(whole) = interaction_book_hash((SELECT rollup(b) FROM books)) AS hash,
	interaction_book_hash_extended(whole, 1) = interaction_book_hash_extended((SELECT rollup(b) FROM books), 1) AS hash_extended,
	(SELECT b FROM books WHERE part = 1) = whole AS part_is_whole, (SELECT rows_skipped(whole) = count(*) FROM many WHERE kind IS NULL) AS skipped,
	(SELECT rows_skipped(whole) = sum(rows_skipped(b)) FROM books) AS skipped_in_parts
FROM (SELECT interaction_book(member, kind, occurred_at) AS whole FROM many) s;
SELECT (a < b)::int + (a = b)::int + (a > b)::int AS trichotomy, (a <= b) = (NOT a > b) AS le, (a >= b) = (NOT a < b) AS ge, a <> b AS ne, interaction_book_cmp(a, b) = -interaction_book_cmp(b, a) AS cmp
FROM (SELECT (SELECT b FROM books WHERE part = 1) AS a, (SELECT b FROM books WHERE part = 2) AS b) s;
SELECT count(DISTINCT b), count(*) FROM (SELECT b FROM books UNION ALL SELECT interaction_book(member, kind, occurred_at ORDER BY occurred_at DESC) FROM many GROUP BY part) s;
-- In binary COPY, too.
SELECT hostile.receive('interaction_book', interaction_book_send(b)) = 'accepted: ' || b::text AS as_it_was FROM books WHERE part = 3;
-- The aggregate of parts, by the support functions: what workers do.
CREATE AGGREGATE stage_state(text, timestamptz, timestamptz, interval, int, float8) (SFUNC = interaction_stage_step, STYPE = bytea, COMBINEFUNC = interaction_stage_combine);
CREATE AGGREGATE stage_of_states(bytea) (SFUNC = interaction_stage_combine, STYPE = bytea, FINALFUNC = interaction_stage_final);
CREATE AGGREGATE merged_state(bytea) (SFUNC = interaction_stage_combine, STYPE = bytea);
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE a.stage IS DISTINCT FROM e.stage) AS differ
FROM (SELECT member, stage_of_states(state) AS stage
	FROM (SELECT member, part, stage_state(kind, occurred_at, '2025-12-31', '200 days', 1, 0.3) AS state FROM many GROUP BY member, part) s GROUP BY member) a
LEFT JOIN stages_by_sql('2025-12-31', '200 days', 1, 0.3) e USING (member);
SELECT count(*) AS differ FROM (SELECT member, merged_state(state) AS parts
	FROM (SELECT member, part, stage_state(kind, occurred_at, '2025-12-31', '200 days', 1, 0.3) AS state FROM many GROUP BY member, part) s GROUP BY member) p
JOIN (SELECT member, stage_state(kind, occurred_at, '2025-12-31', '200 days', 1, 0.3 ORDER BY occurred_at DESC) AS whole FROM many GROUP BY member) w USING (member)
WHERE parts IS DISTINCT FROM whole;
-- As a window: the stage as it was told after each interaction.
SELECT member, occurred_at::date, interaction_stage(kind, occurred_at, '2026-07-01') OVER (PARTITION BY member ORDER BY occurred_at, kind COLLATE "C")
FROM interactions WHERE member IN (1, 5) ORDER BY 1, 2, 3;

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT interaction_book(member, kind, occurred_at)::text FROM interactions)
SELECT '' AS literal UNION ALL SELECT unnest(ARRAY[' ', 'interaction_book', 'interaction_book:', ':', 'rfm_summary:', 'interaction_book: ', 'interaction_book:=', 'interaction_book:====', 'interaction_book:AAAA', 'interaction_book:%%%%', '{}', 'null', '0',
	'INTERACTION_BOOK:DQEBAA==', 'v1 sticky', 'interaction_book:DQEB', 'interaction_book:DQEBAA==', 'rfm_book:DQEBAAAAAAAAAAAAAAAAAA=='])
UNION ALL SELECT left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(20, 60, 10) n;
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type interaction_book: "%') AS refused
FROM (SELECT hostile.error_of(format('SELECT %L::interaction_book', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::interaction_book', literal)) IS NULL;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''interaction_book'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid book.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('interaction_book', m) AS answer
FROM (SELECT interaction_book_send(interaction_book(member, kind, occurred_at)) AS image FROM interactions WHERE member < 4
	  UNION ALL SELECT interaction_book_send(interaction_book(t, kind, occurred_at)) FROM typed WHERE member > 3
	  UNION ALL SELECT interaction_book_send(interaction_book(u, kind, occurred_at)) FROM typed WHERE member = 6
	  UNION ALL SELECT interaction_book_send(interaction_book(member, NULL, occurred_at)) FROM interactions) s, hostile.mutations(image) m;
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary interaction_book is not valid: %') > 500 AS many_refused,
	count(*) FILTER (WHERE answer LIKE 'accepted%') > 50 AS some_accepted,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary interaction_book is not valid: %' AND answer NOT LIKE 'accepted: interaction_book:%') AS other
FROM images;
SELECT DISTINCT answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND interaction_book_send(substr(answer, 11)::interaction_book) <> image;
-- What was accepted is harmless, and canonical: made anew of itself it has the same bytes.
SELECT count(*) > 50 AS accepted, count(*) FILTER (WHERE e IS NOT NULL) AS errors
FROM (SELECT hostile.error_of(format('SELECT (SELECT sum(members) FROM interaction_stages(b)), (SELECT sum(members) FROM interaction_transitions(b, ''2020-01-01'', ''294276-12-31'')), b + b = b + b FROM (SELECT %L::interaction_book AS b) s', substr(answer, 11))) AS e
	  FROM images WHERE answer LIKE 'accepted%') s;
SELECT count(*) AS differ FROM (SELECT substr(answer, 11)::interaction_book AS b FROM images WHERE answer LIKE 'accepted%') s
WHERE interaction_book_send((SELECT rollup(x) FROM (VALUES (b), (b)) v (x))) <> interaction_book_send(b + b);

-- Bad states of the aggregate: an error or a stage, nothing else.
CREATE TABLE states AS
SELECT m AS state, hostile.error_of(format('SELECT stage_of_states(s) FROM (VALUES (%L::bytea), (%1$L::bytea)) v (s)', m)) AS error
FROM (SELECT stage_state(kind, occurred_at, '2026-07-01', '180 days', 2, 0.5) AS state FROM interactions WHERE member = 1) s, hostile.mutations(state) m;
SELECT error, count(*) > 3 AS several FROM states GROUP BY error ORDER BY error COLLATE "C";
SELECT count(*) AS other FROM states WHERE error IS NULL AND (SELECT stage_of_states(s) FROM (VALUES (state)) v (s)) NOT IN ('sticky', 'induced', 'forced', 'dormant');
SELECT stage_of_states(s) FROM (SELECT stage_state('own', '2026-01-01', '2026-07-01', '180 days', 2, 0.5) UNION ALL SELECT stage_state('own', '2026-01-01', '2026-07-01', '180 days', 2, 0.6)) v (s);
SELECT stage_of_states(s) FROM (SELECT stage_state('own', '2026-06-01', '2026-07-01', '180 days', 1, -0.0::float8) UNION ALL SELECT stage_state('own', '2026-06-01', '2026-07-01', '180 days', 1, 0)) v (s);
