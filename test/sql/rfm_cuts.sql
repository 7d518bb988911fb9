-- Score limits, scores and segments.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA rfm_cuts_test;
SET search_path = rfm_cuts_test, public;
SET timezone = 'UTC';

-- Six members: member i has i orders of 10 each, the last on day 7 - i. Positions of the four
-- limits among 6 values are 1, 2, 3, 4 (counted from 0): the second to fifth value.
CREATE TABLE members AS
SELECT m AS member, rfm('2026-01-07'::timestamptz - m * interval '1 day', 10) AS x
FROM generate_series(1, 6) m, generate_series(1, m) GROUP BY m;
SELECT rfm_cuts(x) FROM members;
SELECT * FROM rfm_limits((SELECT rfm_cuts(x) FROM members));
-- Frequency and monetary: 1 + limits below the value, so 1 1 2 3 4 5; recency the other way round.
SELECT member, rfm_score(x, (SELECT rfm_cuts(x) FROM members)) FROM members ORDER BY member;

-- Two members, five bins: limits are interpolated, a fifth of the way each, times to the microsecond.
SELECT rfm_cuts(x) FROM (SELECT rfm(t, a) AS x FROM (VALUES (1, timestamptz '2026-01-01', 0.5), (2, '2026-01-06', 1.5)) v(m, t, a) GROUP BY m) s;
-- All equal: every limit is that value, and everybody has the top recency and the lowest other scores.
SELECT DISTINCT rfm_score(x, rfm_cuts(x) OVER ()) FROM (SELECT rfm('2026-01-01', 5) AS x FROM generate_series(1, 10) g GROUP BY g) s;
-- Members with refunds only count for nothing; without any other member there are no limits.
SELECT rfm_cuts(x) IS NULL AS none, rfm_score((array_agg(x))[1], (SELECT rfm_cuts(x) FROM members)) IS NULL AS no_score FROM (SELECT rfm('2026-01-01', -1) AS x) s;
SELECT rfm_cuts(NULL::rfm_summary) IS NULL AS none, rfm_cuts(x) IS NULL AS no_rows FROM members WHERE false;

-- Other numbers of bins, two digits each from 10 on.
SELECT rfm_cuts(x, 2) FROM members;
SELECT member, rfm_score(x, (SELECT rfm_cuts(x, 12) FROM members)) FROM members ORDER BY member;
\set VERBOSITY default
SELECT rfm_cuts(x, 1) FROM members;
SELECT rfm_cuts(x, 100) FROM members;
SELECT rfm_cuts(x, member::int + 1) FROM members;
\set VERBOSITY terse
SELECT rfm_cuts(x, NULL) IS NULL AS skipped FROM members;

-- Limits are kept in a table and score tomorrow's members.
CREATE TABLE kept AS SELECT rfm_cuts(x) AS cuts FROM members;
SELECT rfm_score(x, cuts) FROM kept, (SELECT rfm('2026-03-01', 1000) AS x UNION ALL SELECT rfm('2025-01-01', 1)) s;
SELECT cuts::text::rfm_cuts = cuts AS text_round_trip, rfm_cuts_send(cuts::text::rfm_cuts) = rfm_cuts_send(cuts) AS same_bytes FROM kept;
-- The specified bytes: kind 2, version 1, 2 bins, zero; 1 member; a limit each, 2000-01-01, 1 and 2.5.
SELECT rfm_cuts_send(rfm_cuts(x, 2)) = '\x02010200 0000000000000001 0000000000000000 3ff0000000000000 4004000000000000'::bytea AS as_specified
FROM (SELECT rfm('2000-01-01', 2.5) AS x) s;
SELECT count(DISTINCT cuts), count(*) FROM (SELECT cuts FROM kept UNION ALL SELECT cuts FROM kept) s;

-- Limits of one's own: a frequency or money above a limit scores one more, and a last order at or after one does.
SELECT rfm_cuts(ARRAY[timestamptz '2026-01-05'], ARRAY[1], ARRAY[9.99]);
SELECT member, rfm_score(x, cuts), rfm_segment(x, cuts) FROM members, rfm_cuts(ARRAY['2026-01-03', '2026-01-05']::timestamptz[], '{1,4}', '{20,50}') cuts ORDER BY member;
-- What was found and is given back is the same, but for the number of members that it was found among.
SELECT bins, own.*, replace(cuts::text, 'members=6', 'members=0') = own.c::text AS same FROM (SELECT bins, rfm_cuts(x, bins) AS cuts FROM members, unnest(ARRAY[2, 5, 99]) bins GROUP BY bins) s,
	LATERAL (SELECT rfm_cuts(array_agg(last_order ORDER BY bin), array_agg(frequency ORDER BY bin), array_agg(monetary ORDER BY bin)) AS c FROM rfm_limits(cuts)) own ORDER BY bins LIMIT 2;
SELECT count(*) AS limits FROM rfm_limits((SELECT rfm_cuts(array_agg(timestamptz '2026-01-01'), array_agg(1), array_agg(-0.0::float8)) FROM generate_series(1, 98)));
SELECT rfm_cuts('{2026-01-01}', '{1}', '{-0}') = rfm_cuts('{2026-01-01}', '{1}', '{0}') AS one_zero, c::text::rfm_cuts = c AS text_round_trip FROM rfm_cuts('{2026-01-01,2026-01-01}', '{1,1.5}', '{-3,1e300}') c;
SELECT call, hostile.error_of('SELECT rfm_cuts(' || call || ')') FROM unnest(ARRAY[
	$$'{}', '{}', '{}'$$, $$'{2026-01-01}', '{}', '{}'$$, $$'{2026-01-01}', '{1,2}', '{1}'$$, $$'{2026-01-01}', '{1}', '{1,2}'$$, $$'{2026-01-01,2026-01-02}', '{1}', '{1}'$$,
	$$NULL, '{1}', '{1}'$$, $$'{2026-01-01}', NULL, '{1}'$$, $$'{2026-01-01}', '{1}', NULL$$, $$'{NULL}', '{1}', '{1}'$$, $$'{2026-01-01}', '{NULL}', '{1}'$$, $$'{2026-01-01}', '{1}', '{NULL}'$$,
	$$'{{2026-01-01}}', '{{1}}', '{{1}}'$$, $$'{2026-01-02,2026-01-01}', '{1,2}', '{1,2}'$$, $$'{2026-01-01,2026-01-02}', '{2,1}', '{1,2}'$$, $$'{2026-01-01,2026-01-02}', '{1,2}', '{2,1}'$$,
	$$'{2026-01-01}', '{0.5}', '{1}'$$, $$'{2026-01-01}', '{NaN}', '{1}'$$, $$'{2026-01-01}', '{Infinity}', '{1}'$$, $$'{2026-01-01}', '{4294967296}', '{1}'$$, $$'{2026-01-01}', '{1}', '{NaN}'$$, $$'{2026-01-01}', '{1}', '{-Infinity}'$$,
	$$'{infinity}', '{1}', '{1}'$$, $$'{-infinity}', '{1}', '{1}'$$, $$array_fill(timestamptz '2026-01-01', ARRAY[99]), array_fill(1::float8, ARRAY[99]), array_fill(1::float8, ARRAY[99])$$]) call;
\set VERBOSITY default
SELECT rfm_cuts('{2026-01-02,2026-01-01}', '{1,2}', '{10,20.5}');
SELECT rfm_cuts('{2026-01-01}', '{1,2}', '{10}');
SELECT rfm_cuts('{}', '{}', '{}');
\set VERBOSITY terse

-- The map: 125 scores, and as many per segment as statistics list.
SELECT segment, count(*), min(score), max(score) FROM rfm_segment_map() GROUP BY segment ORDER BY max(score) DESC, count(*);
SELECT count(*), count(DISTINCT score), bool_and(segment = rfm_segment(score)) AS same FROM rfm_segment_map();
SELECT rfm_segment(555), rfm_segment(111), rfm_segment(212), rfm_segment(NULL);
-- By limits, which know how many bins they have: of 3 bins, 1 2 3 are 1 3 5.
SELECT rfm_score(x, c) AS score, rfm_segment(x, c) AS segment, rfm_segment(CASE rfm_score(x, c) / 100 WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 5 END * 100
	+ CASE rfm_score(x, c) / 10 % 10 WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 5 END * 10 + CASE rfm_score(x, c) % 10 WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 5 END) AS spread
FROM members, (SELECT rfm_cuts(x, 3) AS c FROM members) s ORDER BY member;
\set VERBOSITY default
SELECT rfm_segment(556);
\set VERBOSITY terse
SELECT hostile.error_of(format('SELECT rfm_segment(%s)', s)) FROM unnest(ARRAY[0, -555, 110, 101, 11, 5555, 1000111, 2147483647, -2147483648]) s;

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(v) AS (SELECT 'v1 bins=2 members=3 last_order={2026-01-31T12:00:00+00:00} frequency={2} monetary={20.5}')
SELECT replace(v, wrong.a, wrong.b) AS literal FROM valid, (VALUES
	('v1', ''), ('v1', 'v2'), ('v1', 'v'), ('v1 ', 'v1'), ('v1 ', 'v1  '), ('v1 ', ' v1 '), ('bins=2', 'bins=1'), ('bins=2', 'bins=0'), ('bins=2', 'bins=-2'),
	('bins=2', 'bins=3'), ('bins=2', 'bins=02'), ('bins=2', 'bins=100'), ('bins=2', 'bins='), ('bins=2', 'bin=2'), ('members=3', 'members=-3'),
	('members=3', 'members=-3'), ('members=3', 'members=3.5'), ('members=3', 'members=99999999999999999999'), ('members=3', 'members='), ('members=3 ', ''),
	('last_order={', 'last_order='), ('{2026', '{ 2026'), ('2026-01-31', '2026-01-32'), ('2026-01-31', '2026-1-31'), ('2026-01-31T12:00:00+00:00', ''),
	('2026-01-31T12:00:00+00:00', 'infinity'), ('2026-01-31T12:00:00+00:00', 'now'), ('2026-01-31T12:00:00+00:00', '2026-01-31T12:00:00+00:00,2026-01-31T12:00:00+00:00'),
	('+00:00', '+08:00'), ('+00:00', ''), ('12:00:00', '12:00'), ('frequency={2}', 'frequency={}'), ('frequency={2}', 'frequency={0}'), ('frequency={2}', 'frequency={-1}'),
	('frequency={2}', 'frequency={NaN}'), ('frequency={2}', 'frequency={2,3}'), ('frequency={2}', 'frequency={Infinity}'), ('frequency={2}', 'frequency={2.0}'),
	('frequency={2}', 'frequency={0x2}'), ('frequency={2}', 'frequency={4294967296}'), ('frequency={2}', 'frequency={ 2}'), ('20.5', 'NaN'), ('20.5', '-inf'), ('20.5', '1e999'), ('20.5', '20,5'),
	('20.5}', '20.5'), ('20.5}', '20.5} '), ('20.5}', '20.5}}'), ('20.5', '20.50'), ('20.5', '+20.5'), ('20.5', '-0'), (' monetary={20.5}', ''), ('{', '['), ('members', 'MEMBERS')) wrong(a, b);
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type rfm_cuts: "%') AS refused
FROM (SELECT hostile.error_of(format('SELECT %L::rfm_cuts', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::rfm_cuts', literal)) IS NULL;
SELECT hostile.error_of(format('SELECT %L::rfm_cuts', l)) FROM unnest(ARRAY[
	'v1 bins=3 members=3 last_order={2026-01-31T12:00:00+00:00,2026-01-30T12:00:00+00:00} frequency={2,2} monetary={20.5,20.5}',
	'v1 bins=3 members=3 last_order={2026-01-30T12:00:00+00:00,2026-01-31T12:00:00+00:00} frequency={2,1} monetary={20.5,20.5}',
	'v1 bins=3 members=3 last_order={2026-01-30T12:00:00+00:00,2026-01-31T12:00:00+00:00} frequency={2,2} monetary={20.5,20}']) l;
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''rfm_cuts'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;

-- Bad images.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('rfm_cuts', m) AS answer FROM kept, hostile.mutations(rfm_cuts_send(cuts)) m;
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary rfm_cuts is not valid: %') > 100 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary rfm_cuts is not valid: %' AND answer NOT LIKE 'accepted: v1 bins=%') AS other
FROM images;
SELECT DISTINCT answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND rfm_cuts_send(substr(answer, 11)::rfm_cuts) <> image;
