-- Cohorts by signup: when members joined, what they did since, brackets of days.
-- Expected figures are worked out by hand; test/t/089_cohorts.pl compares to plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA since_test;
SET search_path = since_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;

-- Member 1 joins and buys in January, and again in March; 2 joins and never comes; 3 has bought before joining, and does again in February;
-- 4 has a refund only; 5 has no date of joining; 6 joins in March; of 7 nothing is known of the one order.
CREATE TABLE visits (member bigint, joined timestamptz, t timestamptz, amount numeric);
INSERT INTO visits VALUES
	(1, '2026-01-10', '2026-01-12', 10), (1, '2026-01-10', '2026-03-02', 5), (2, '2026-01-20', NULL, NULL), (3, '2026-01-05', '2026-02-10', 7), (3, '2026-01-05', '2025-12-30', 3),
	(4, '2026-02-01', '2026-02-01', -4), (5, NULL, '2026-01-01', 1), (6, '2026-03-09', NULL, 8), (7, '2026-03-09', '2026-03-09', NULL);
CREATE VIEW money AS SELECT retention_book_since(member, joined, t, amount, 'month', 'UTC') AS b FROM visits;
CREATE VIEW periods AS SELECT retention_book_since(member, joined, t, 'month', 'UTC') AS b FROM visits;
CREATE VIEW times AS SELECT retention_book_since(member, joined, t) AS b FROM visits;
-- January: three members, of whom 1 comes at once, 3 in February and 1 in March; 2 is counted and never comes.
SELECT c.* FROM money, cohort_retention(b) c;
-- 3 of December is outside: the cohort of January has 22 in all, that of February -4, and 3 make 21.
SELECT net_outside(b), (SELECT sum(net) FROM cohort_retention(b)) + net_outside(b) = 21 AS adds_up, member_count(b), rows_skipped(b) FROM money;
-- Without amounts every row is activity, those of 4 and 7 too.
SELECT c.cohort, c.period, c.members, c.active, c.on_or_after FROM periods, cohort_retention(b, '2026-04-01') c;
SELECT member_count(b), rows_skipped(b), net_outside(b) IS NULL AS no_money FROM periods;
-- What is not about cohorts is about those who were active: new is who is active for the first time, wherever they joined.
SELECT l.* FROM money, lifecycle_counts(b) l;
SELECT s.* FROM money, stickiness(b) s;
SELECT g.* FROM money, revenue_growth(b) g;
-- The latest row may be one that says only when somebody joined: it ends the months before.
SELECT max(period), count(*) FILTER (WHERE rate IS NULL) AS not_ended FROM cohort_retention((SELECT retention_book_since(m, j, t, 'month', 'UTC') FROM (VALUES (1, timestamptz '2026-01-01', timestamptz '2026-01-02'), (2, '2026-03-01', NULL)) v (m, j, t)));

-- From the moment of joining: member 1 came on day 2, 3 on day 36 and before joining, 4 on day 0, 7 too; of 7 and 6 no day has ended.
SELECT d.* FROM times, day_retention(b, last_day => 3) d;
SELECT d.* FROM times, day_retention(b, last_day => 40, bounds => '{0,1,8,31}') d;
-- In May day 60 has ended of all but 6 and 7; 1 came on day 51 too.
SELECT d.* FROM times, day_retention(b, '2026-05-01', 60, '{1,8,31}') d;
SELECT d.* FROM times, day_retention(b, '2026-05-01', bounds => '{36}') d;
-- A book without joined_at has brackets as well; day 0 is the first.
SELECT d.* FROM day_retention((SELECT retention_book(member, t) FROM visits), last_day => 60, bounds => '{0,1,49}') d;
-- Single days as brackets of one are the same.
SELECT count(*), bool_and(a = b) AS same FROM (SELECT a, row_number() OVER (ORDER BY day) AS n FROM times, day_retention(b, '2026-06-01', 90) a) a JOIN (SELECT d AS b, row_number() OVER (ORDER BY day) AS n FROM times, day_retention(times.b, '2026-06-01', 90, ARRAY(SELECT generate_series(0, 90))) d) b USING (n);

-- Of several dates of joining the earliest counts, in one book and in parts.
SELECT way, c.cohort, c.period, c.active FROM (
	SELECT 'rows' AS way, retention_book_since(1, j, t, 'month', 'UTC') AS b FROM (VALUES (timestamptz '2026-02-01', timestamptz '2026-02-03'), ('2026-01-31', NULL), ('2026-03-01', '2026-01-01')) v (j, t)
	UNION ALL SELECT 'parts', rollup(b) FROM (SELECT retention_book_since(1, j, t, 'month', 'UTC') AS b FROM (VALUES (timestamptz '2026-02-01', timestamptz '2026-02-03'), ('2026-01-31', NULL), ('2026-03-01', '2026-01-01')) v (j, t) GROUP BY j) s) s, cohort_retention(b, '2026-03-01') c ORDER BY way COLLATE "C", period;

-- Every kind of time, for both: what clocks and calendars show in the time zone of the book, whatever that of the session.
SET timezone = 'Asia/Tokyo';
CREATE TABLE typed AS SELECT member, joined AS joined_timestamptz, (joined AT TIME ZONE 'America/New_York') AS joined_timestamp, (joined AT TIME ZONE 'America/New_York')::date AS joined_date,
	t AS t_timestamptz, (t AT TIME ZONE 'America/New_York') AS t_timestamp, (t AT TIME ZONE 'America/New_York')::date AS t_date, amount, member::text AS x, md5(member::text)::uuid AS u FROM visits;
CREATE TABLE by_type (joined text, t text, member text, money boolean, answer text);
SELECT format('INSERT INTO by_type SELECT %L, %L, %L, %L, string_agg(c::text, '' '') FROM cohort_retention((SELECT retention_book_since(%s, joined_%s, t_%s%s, ''week(sunday)'', ''America/New_York'') FROM typed), ''2026-04-01'') c', joined, t, member, money, member, joined, t, CASE WHEN money THEN ', amount' END)
FROM unnest('{timestamptz,timestamp,date}'::text[]) joined, unnest('{timestamptz,timestamp,date}'::text[]) t, unnest('{member,x,u}'::text[]) member, unnest('{false,true}'::boolean[]) money \gexec
SELECT money, count(*) AS ways, count(DISTINCT answer) AS answers FROM by_type GROUP BY money ORDER BY money;
-- Arguments of unknown types are times.
SELECT count(*) FROM (SELECT retention_book_since('ann', '2026-01-01', '2026-01-02', 'month', 'UTC') b UNION ALL SELECT retention_book_since('ann', '2026-01-01', '2026-01-02', '5', 'month', 'UTC') UNION ALL SELECT retention_book_since('ann', '2026-01-01', NULL) UNION ALL SELECT retention_book_since(1, '2026-01-01', NULL, NULL, 'month', 'UTC')) s WHERE member_count(b) = 1;
SET timezone = 'UTC';

-- Whatever the order and the parts, the same bytes; of every form and type of key.
CREATE TABLE signs AS
SELECT (hashint8extended(n, 1) & 255)::bigint AS member, timestamptz '2024-01-01' + (hashint8extended(n, 2) & 65535) * interval '7 minutes 13 seconds' AS t, (hashint8extended(n, 3) & 7)::int AS part,
	timestamptz '2024-02-01' + (hashint8extended(hashint8extended(n, 1) & 255, 7) & 1023) * interval '5 hours' + CASE WHEN n % 5 = 0 THEN interval '40 days' ELSE '0' END AS j,
	CASE WHEN (hashint8extended(n, 4) & 15) = 0 THEN -1 ELSE 1 END * (hashint8extended(n, 5) & 4095) / 100.0 * CASE WHEN n % 211 = 0 THEN 1e17 ELSE 1 END AS amount,
	md5((hashint8extended(n, 1) & 255)::text)::uuid AS u, repeat('Kundin № ', (hashint8extended(n, 1) & 3)::int) || (hashint8extended(n, 1) & 255) AS x
FROM generate_series(1, 3000::bigint) n;
UPDATE signs SET t = NULL WHERE member % 7 = 3; UPDATE signs SET amount = NULL WHERE t IS NULL AND part < 3; UPDATE signs SET j = NULL WHERE part = 1 AND member % 31 = 0;
INSERT INTO signs SELECT NULL, t, part, j, amount, NULL, NULL FROM signs LIMIT 5;
CREATE TABLE kinds AS SELECT key || ' ' || form AS kind, format('retention_book_since(%s, j, t%s %%s)', key, rest) AS aggregate
FROM unnest('{member,u,x}'::text[]) key, (VALUES ('periods', ', ''day'', ''Europe/Berlin'''), ('months', ', ''month'', ''Europe/Berlin'''), ('amounts', ', amount, ''week(saturday)'', ''Europe/Berlin'''), ('times', '')) v (form, rest);
CREATE TABLE wholes (kind text, b retention_book);
CREATE TABLE parts (kind text, part int, b retention_book);
CREATE TABLE others (kind text, way text, b retention_book);
SELECT format('INSERT INTO wholes SELECT %L, %s FROM signs', kind, format(aggregate, '')), format('INSERT INTO parts SELECT %L, part, %s FROM signs GROUP BY part', kind, format(aggregate, '')) FROM kinds \gexec
SELECT format('INSERT INTO others SELECT %L, %L, %s FROM signs', kind, way, format(aggregate, way)) FROM kinds, unnest('{ORDER BY t,ORDER BY t DESC,"ORDER BY j DESC","ORDER BY u, t"}'::text[]) way \gexec
INSERT INTO others SELECT kind, 'rollup', rollup(b) FROM parts GROUP BY kind;
INSERT INTO others SELECT kind, 'rollup, other order', rollup(b ORDER BY part DESC) FROM parts GROUP BY kind;
INSERT INTO others SELECT kind, 'rollup of rollups', rollup(b) FROM (SELECT kind, rollup(b) AS b FROM parts GROUP BY kind, part % 3) s GROUP BY kind;
INSERT INTO others SELECT kind, 'text', b::text::retention_book FROM wholes;
SELECT count(DISTINCT kind) AS kinds, count(DISTINCT way) AS ways, count(*) AS books, bool_and(retention_book_send(w.b) = retention_book_send(o.b) AND w.b = o.b AND retention_book_cmp(w.b, o.b) = 0 AND retention_book_hash(w.b) = retention_book_hash(o.b)) AS same, count(DISTINCT w.b) AS different
FROM wholes w JOIN others o USING (kind);
-- In parallel.
CREATE FUNCTION is_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN jsonb_path_exists(plan, '$.**."Partial Mode" ? (@ == "Partial")') AND jsonb_path_exists(plan, '$.**."Workers Planned" ? (@ >= 1)');
END $$;
ALTER TABLE signs SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ANALYZE signs;
CREATE TABLE in_parallel (kind text, is_partial boolean, b retention_book);
SELECT format('INSERT INTO in_parallel SELECT %L, is_partial(%L)', kind, format('SELECT %s FROM signs', format(aggregate, ''))), format('CREATE TABLE one AS SELECT %s AS b FROM signs', format(aggregate, '')), format('UPDATE in_parallel p SET b = one.b FROM one WHERE kind = %L', kind), 'DROP TABLE one' FROM kinds \gexec
SELECT count(*) AS kinds, bool_and(is_partial) AS partial, bool_and(retention_book_send(p.b) = retention_book_send(w.b)) AS same FROM in_parallel p JOIN wholes w USING (kind);
RESET parallel_setup_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- As a window, rows come between results.
SELECT count(*) AS rows, count(*) FILTER (WHERE member_count(running) <> (SELECT count(DISTINCT member) FROM (SELECT member FROM signs WHERE j IS NOT NULL ORDER BY u, j, t LIMIT s.n) o)) AS differ
FROM (SELECT row_number() OVER w AS n, retention_book_since(member, j, t, 'day', 'UTC') OVER w AS running FROM signs WHERE j IS NOT NULL WINDOW w AS (ORDER BY u, j, t ROWS UNBOUNDED PRECEDING) LIMIT 60) s;
-- Days far from the one of joining, before and after it, repeated.
SELECT (SELECT array_agg(period ORDER BY period) FILTER (WHERE active > 0) FROM cohort_retention(b)) AS days, member_count(b) FROM (SELECT retention_book_since(1, j, t, 'day', 'UTC') AS b
	FROM (VALUES (date '2026-03-01', date '2026-03-01'), ('2026-03-01', '2026-05-03'), ('2026-03-01', '2026-05-04'), ('2026-03-01', '2026-05-04'), ('2026-03-01', '2026-02-01'), ('2026-02-28', '2026-03-01'), ('2026-03-01', '2026-05-03')) v (j, t)) s;

-- The specified bytes (docs/storage-format.md), by hand: kind 10, version 1, bigint keys, form 3; 2 members, 1 row skipped; keys 5 and 7; month and UTC; 8 bytes
-- of 0; for each member the month of joining, 312 = 0xf0 04 as zigzag, and the number of events: one, a month later; none.
SELECT retention_book_send(retention_book_since(member, j, t, 'month', 'UTC')) = decode('0a010103' || '00000002' || '0000000000000001' || '01' || '0000000000000005' || '0002' || '000403555443' || '0000000000000000'
	|| 'f004' || '01' || 'f204' || 'f404' || '00', 'hex') AS periods FROM (VALUES (7, timestamptz '2026-03-31', NULL::timestamptz), (5, '2026-01-31', '2026-02-01'), (5, '2026-02-02', '2026-02-28'), (5, NULL, '2027-01-01')) v (member, j, t);
-- The year that begins in April 2025 is 25, zigzag 0x32; the one before has 15.50 and activity, this one a refund of 3.
SELECT retention_book_send(retention_book_since(member, j, t, amount, 'year(april)', 'UTC')) = decode('0a010104' || '00000001' || '0000000000000000' || '00' || '0000000000000005' || '000435555443' || '0000000000000000'
	|| '32' || '02' || '30' || '82' || '9c18' || '01' || '00' || '05', 'hex') AS amounts FROM (VALUES (5, timestamptz '2026-03-31', timestamptz '2026-03-31', -3), (5, '2026-03-31', '2025-03-31', 15.50)) v (member, j, t, amount);
-- Joined one microsecond after the beginning of 2000, came after a second and a microsecond later.
SELECT retention_book_send(retention_book_since('ab'::text, j, t)) = decode('0a010305' || '00000001' || '0000000000000000' || '00000002' || encode('ab', 'hex') || '0000' || '00000000000f4241' || '02' || '02' || '80897a' || '01', 'hex') AS times
FROM (VALUES (timestamptz '2000-01-01 00:00:00.000001', timestamptz '2000-01-01 00:00:01.000001'), ('2000-01-01 00:00:00.000002', '2000-01-01 00:00:01'), ('2000-01-01 00:00:01', NULL)) v (j, t);

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT retention_book_since(1, 'infinity', '2026-01-01', 'month', 'UTC');
SELECT retention_book_since(1, timestamptz '2026-01-01', date '-infinity', 'month', 'UTC');
SELECT retention_book_since(1, timestamptz '-infinity', NULL);
SELECT retention_book_since(1, '2026-01-01', '2026-01-01', 'NaN', 'month', 'UTC');
SELECT retention_book_since(1, '2026-01-01', NULL, 'fortnight', 'UTC');
SELECT retention_book_since(1, '2026-01-01', NULL, 'month', 'CEST');
SELECT retention_book_since(1, '4714-11-30 BC', NULL, 'month', 'UTC');
SELECT retention_book_since(1, '2026-01-01', NULL, unit, 'UTC') FROM unnest('{week(sunday),week}'::text[]) unit;
SELECT retention_book_since(1, '2026-01-01', NULL, 'day', 'UTC') + retention_book(1, '2026-01-01', 'day', 'UTC');
SELECT * FROM cohort_retention((SELECT b FROM money), '2026-02-28');
SELECT * FROM cohort_retention((SELECT b FROM times));
SELECT * FROM day_retention((SELECT b FROM money));
SELECT * FROM day_retention((SELECT b FROM times), '2026-03-08');
SELECT * FROM day_retention((SELECT b FROM times), bounds => '{1,8,8}');
SELECT * FROM day_retention((SELECT b FROM times), bounds => '{-1,8}');
SELECT * FROM day_retention((SELECT b FROM times), last_day => 30, bounds => '{1,8,31}');
SELECT * FROM day_retention((SELECT b FROM times), bounds => '{1,NULL}');
SELECT * FROM day_retention((SELECT b FROM times), bounds => '{}');
SELECT * FROM day_retention((SELECT b FROM times), bounds => '{{1},{2}}');
SELECT count(*) FROM day_retention(NULL, bounds => '{}');
\set VERBOSITY terse
SELECT retention_book_step_bigint_since_timestamptz_timestamptz(NULL, 1, now(), now(), 'day', 'UTC');
SELECT retention_book_step_text_time_since(NULL, '', now(), now());
SELECT hostile.error_of($$SELECT clv_fit((SELECT retention_book_since(1, '2026-01-01', '2026-01-01', 5, 'day', 'UTC')))$$);

-- Images put together by hand, each with one thing that is wrong; the first is a book of a member who joined in January and came in February 2026.
CREATE TABLE crafted AS
SELECT number, what, decode('0a0101' || form || members || '0000000000000000' || '000000000000000001' || settings || latest || rest, 'hex') AS image
FROM (SELECT row_number() OVER () AS number, what, coalesce(form, '03') AS form, coalesce(members, '00000001') AS members, coalesce(settings, '000403555443') AS settings, coalesce(latest, '0000000000000000') AS latest, coalesce(rest, 'f004' || '01' || 'f204') AS rest
	FROM (VALUES
		('nothing', NULL, NULL, NULL, NULL, NULL), ('nothing, without events', NULL, NULL, NULL, NULL, 'f004' || '00'), ('nothing, events before joining', NULL, NULL, NULL, NULL, 'f004' || '01' || 'ee04'),
		('form', '06', NULL, NULL, NULL, NULL), ('no start', NULL, NULL, NULL, NULL, ''), ('a start cut off', NULL, NULL, NULL, NULL, 'f0'), ('a start, and nothing', NULL, NULL, NULL, NULL, 'f004'), ('a longer number than need be', NULL, NULL, NULL, NULL, 'f08400' || '00'),
		('a late month of joining', NULL, NULL, NULL, NULL, 'ffffffff0e' || '00'), ('an early month of joining', NULL, NULL, NULL, NULL, 'edea09' || '00'), ('one event too few', NULL, NULL, NULL, NULL, 'f004' || '02' || 'f204'), ('a byte too many', NULL, NULL, NULL, NULL, 'f004' || '00' || '00'),
		('of amounts, no amount', '04', NULL, NULL, NULL, NULL), ('times with a zone', '05', NULL, NULL, NULL, NULL), ('times', '05', NULL, '0000', NULL, '00' || '00'), ('times, a later row', '05', NULL, '0000', '0000000000000001', '00' || '00'), ('times, joined after the latest', '05', NULL, '0000', NULL, '02' || '00'), ('times, an event after the latest', '05', NULL, '0000', NULL, '00' || '01' || '02'),
		('times, joined at no time', '05', NULL, '0000', NULL, 'fcffffffffffffffff01' || '00'), ('no member', NULL, '00000000', NULL, NULL, NULL)) v (what, form, members, settings, latest, rest)) s;
SELECT what, hostile.receive('retention_book', image) AS answer FROM crafted ORDER BY number;
-- Every one-byte change and every cut of a valid image is refused or is another valid book, and what is accepted is harmless.
CREATE TABLE valid_images AS SELECT row_number() OVER () AS id, image FROM (SELECT retention_book_send(b) AS image FROM money UNION ALL SELECT retention_book_send(b) FROM periods UNION ALL SELECT retention_book_send(b) FROM times) s;
CREATE TABLE images (id bigint, image bytea, answer text);
SELECT format('INSERT INTO images SELECT id, m, hostile.receive(''retention_book'', m) FROM valid_images, hostile.mutations(image) m WHERE id = %s', id) FROM valid_images ORDER BY id \gexec
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary retention_book is not valid: %') > 300 AS many_refused, count(*) FILTER (WHERE answer LIKE 'accepted%') > 100 AS some_accepted,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary retention_book is not valid: %' AND answer NOT LIKE 'accepted: retention_book:%') AS other FROM images;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND retention_book_send(substr(answer, 11)::retention_book) <> image;
SELECT left(e, 5) AS code, count(*) > 0 AS some FROM (SELECT id, substr(answer, 11)::retention_book AS b FROM images WHERE answer LIKE 'accepted%') a, LATERAL (
	SELECT hostile.error_of(format('SELECT member_count(b), net_outside(b), (SELECT count(*) FROM stickiness(b)) FROM (SELECT %L::retention_book AS b) s', b)) AS e WHERE id <> 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM day_retention(%L::retention_book, NULL, 20, ''{0,3}'')', b)) WHERE id = 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM cohort_retention(%L::retention_book, ''2026-05-01'')', b)) WHERE id <> 3
	UNION ALL SELECT hostile.error_of(format('SELECT * FROM revenue_growth(%L::retention_book, ''2026-05-01'')', b)) WHERE id = 1
	UNION ALL SELECT hostile.error_of(format('SELECT %L::retention_book + %1$L', b))) o GROUP BY 1 ORDER BY 1;
