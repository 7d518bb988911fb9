-- session_number, session_start and session_book: by hand, and against lag() in plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA session_test;
SET search_path = session_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';

-- A session that is longer than any gap in it, from the beginning of time to its end: 109203527 days by plain arithmetic.
SELECT length, length_seconds = (extract(epoch FROM ended_at) - extract(epoch FROM started_at))::float8 AS same, (SELECT m.length_seconds FROM session_members(b, '106751991 days') m) = s.length_seconds AS as_of_all
FROM (SELECT session_book(1::bigint, t) AS b FROM unnest('{4714-11-24 00:00+00 BC,2000-01-01 00:00+00,294276-12-31 00:00+00}'::timestamptz[]) t) x, LATERAL sessions(b, '106751991 days') s;

-- By hand: a pause of just the gap goes on, a longer one does not; equal times are one session; NULL changes nothing.
CREATE TABLE hand (member bigint, t timestamptz);
INSERT INTO hand SELECT m, t::timestamptz FROM (VALUES (1, '2026-01-01 10:00'), (1, '2026-01-01 10:30'), (1, '2026-01-01 10:30'), (1, '2026-01-01 11:00:00.000001'), (1, NULL), (2, '2026-01-01 10:00'), (2, '2026-01-02 10:00'), (NULL, '2026-01-01 10:00')) v(m, t);
SELECT member, t, session_number(t) OVER w AS number, session_start(t) OVER w AS start, session_number(t, '1 day') OVER w AS by_day, session_number(t, '0') OVER w AS by_moment
FROM hand WHERE member IS NOT NULL WINDOW w AS (PARTITION BY member ORDER BY t) ORDER BY member, t;
SELECT s.* FROM (SELECT session_book(member, t) AS b FROM hand) h, sessions(b) s;
SELECT m.*, rows_skipped(b), member_count(b) FROM (SELECT session_book(member, t) AS b FROM hand) h, session_members(b) m;
SELECT m.* FROM (SELECT session_book(member, t) AS b FROM hand) h, session_members(b, '1 day') m;
SELECT session_number(t) OVER () AS nothing FROM hand WHERE t IS NULL;
SELECT session_book(member, t) IS NULL AS no_rows FROM hand WHERE false;
SELECT (SELECT count(*) FROM sessions(NULL)) AS sessions, (SELECT count(*) FROM session_members(NULL)) AS members, (SELECT count(*) FROM sessions((SELECT session_book(NULL::bigint, t) FROM hand))) AS of_nobody;

-- Plain SQL: a session begins where lag() is missing or too long ago.
CREATE TABLE event AS SELECT n, nullif(hashint8extended(n, 1) & 63, 5) AS member, '2026-01-01'::timestamptz + (hashint8extended(n, 2) & 4095) * interval '5 minutes' AS t FROM generate_series(1, 6000::bigint) n;
CREATE FUNCTION plain(gap interval) RETURNS TABLE (n bigint, member bigint, t timestamptz, number bigint, start timestamptz) LANGUAGE sql AS $$
	SELECT n, member, t, number, min(t) OVER (PARTITION BY member, number)
	FROM (SELECT *, sum(begins::int) OVER (PARTITION BY member ORDER BY t, n) AS number
		FROM (SELECT *, coalesce(t - lag(t) OVER (PARTITION BY member ORDER BY t, n) > gap, true) AS begins FROM event) b) s
$$;
SELECT gap, count(*) FILTER (WHERE (p.number, p.start) IS DISTINCT FROM (s.number, s.start)) AS differ, max(p.number) > 5 AS many
FROM (VALUES (interval '1 hour')) g(gap), LATERAL plain(gap) p JOIN LATERAL (SELECT n, session_number(t, '1 hour') OVER w AS number, session_start(t, '1 hour') OVER w AS start FROM event WINDOW w AS (PARTITION BY member ORDER BY t)) s USING (n) GROUP BY gap;
CREATE TABLE book AS SELECT session_book(member, t) AS b FROM event;
CREATE TABLE plain_sessions AS SELECT gap, member, number, min(t) AS started_at, max(t) AS ended_at, max(t) - min(t) AS length, extract(epoch FROM max(t) - min(t))::float8 AS seconds, count(*) AS events
FROM unnest('{0,5 min,1 hour,1 day}'::interval[]) gap, plain(gap) WHERE member IS NOT NULL GROUP BY gap, member, number;
SELECT gap, (SELECT count(*) FROM (SELECT s.* FROM book, sessions(b, gap) s EXCEPT SELECT member, number, started_at, ended_at, length, seconds, events FROM plain_sessions p WHERE p.gap = g.gap) x) AS differ,
	(SELECT count(*) FROM book, sessions(b, gap)) = (SELECT count(*) FROM plain_sessions p WHERE p.gap = g.gap) AS as_many,
	(SELECT count(*) FROM (SELECT m.* FROM book, session_members(b, gap) m EXCEPT SELECT member, count(*), sum(events)::bigint, count(*) FILTER (WHERE events = 1), sum(seconds), min(started_at), max(ended_at) FROM plain_sessions p WHERE p.gap = g.gap GROUP BY member) x) AS members_differ
FROM unnest('{0,5 min,1 hour,1 day}'::interval[]) g(gap) ORDER BY gap;
-- Members of every type; parts, in any order, make the same book.
SELECT (SELECT array_agg((number, events) ORDER BY member, number) FROM (SELECT member::bigint, session AS number, events FROM sessions(NULL::text, t, '1 h')) x) = (SELECT array_agg((session, events) ORDER BY member, session) FROM sessions(b, '1 h')) AS text,
	(SELECT array_agg((sessions, events) ORDER BY member) FROM session_members(NULL::uuid, u, '1 h')) = (SELECT array_agg((sessions, events) ORDER BY member) FROM session_members(NULL::bigint, b, '1 h')) AS uuid,
	(SELECT session_book_send(rollup(p)) FROM (SELECT session_book(member, e.t) AS p FROM event e GROUP BY n % 7) x) = session_book_send(b) AS parts, b::text::session_book = b AS round_trip
FROM (SELECT session_book(member, t) AS b, session_book(member::text, t ORDER BY hashint8(n)) AS t, session_book(lpad(member::text, 32, '0')::uuid, t) AS u FROM event) s;

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT session_number(t) OVER (PARTITION BY member ORDER BY t DESC) FROM hand WHERE member = 1 AND t IS NOT NULL;
SELECT session_number(t, '-1 s') OVER (ORDER BY t) FROM hand;
SELECT session_number(t, member * interval '1 h') OVER (ORDER BY t) FROM hand WHERE member > 0 AND t IS NOT NULL;
SELECT session_number(t, NULL) OVER (ORDER BY t) FROM hand;
SELECT sessions(b, '1 month') FROM book;
SELECT session_members(b, NULL) FROM book;
SELECT sessions(NULL::text, b) FROM book;
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 5) AS state
FROM unnest(ARRAY['session_start(t, ''-1 s'') OVER (ORDER BY t) FROM hand', 'session_start(''infinity''::timestamptz) OVER ()', 'session_start(t, ''1 year'') OVER (ORDER BY t) FROM hand', 'session_start(t, NULL) OVER (ORDER BY t) FROM hand', 'session_number(now())', 'session_book(1::bigint, ''infinity'')', 'sessions(b, ''-1 s'') FROM book',
	'sessions(b, NULL) FROM book', 'session_members(b, ''1 month'') FROM book', 'session_members(NULL::uuid, b) FROM book', 'session_book(1::bigint, now()) + session_book(''a''::text, now())', 'session_book_step_bigint(NULL, 1, now())', 'session_book_combine(NULL, NULL)', '''session_book:AAAA''::session_book', '''session_book:FwEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==''::session_book']) statement;
DROP SCHEMA session_test CASCADE;
