-- tagbloom and tagquery against an oracle: every answer of an operator, of an
-- index and of an aggregate is computed once more in plain SQL from text[].
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
-- Not in a transaction, because VACUUM cannot be; all tables are temporary.
\ir include/quiet.sql
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz" && echo 1 || echo 0`
SET client_min_messages = warning;
SET jit = off;

SELECT plan(151);

\ir include/compare.sql

-- Members

-- Tags that members have independently of each other, tag u with this probability.
CREATE FUNCTION pg_temp.share(u int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT 0.7 * power(u::float8, -0.75::float8) $$;
CREATE FUNCTION pg_temp.tag(u int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE u % 4 WHEN 0 THEN 'tag ' || u WHEN 1 THEN 'tag' || u WHEN 2 THEN 'Größe "' || u || '"' ELSE 'a\b&(' || u END
$$;
CREATE TEMP TABLE vocabulary AS
SELECT array_agg(pg_temp.tag(u) ORDER BY u) AS common,
       array_agg(pg_temp.tag(u) ORDER BY u) || (SELECT array_agg('extra ' || i) FROM generate_series(1, 230) i) || '{nobody has this}' AS everything
  FROM generate_series(1, 300) u;

-- Many members have 1 to 32 tags; some none, some no set, some so many that the
-- set is a filter.
CREATE FUNCTION pg_temp.tags_of(member int, stream int) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN member % 77 = 0 THEN NULL
              WHEN member % 79 = 0 THEN '{}'
              ELSE coalesce((SELECT array_agg(pg_temp.tag(u) ORDER BY u) FROM generate_series(1, 300) u
                              WHERE pg_temp.chance(member * 1000 + u, stream) < pg_temp.share(u)), '{}')
                   || coalesce((SELECT array_agg('extra ' || i)
                                  FROM generate_series(1, CASE WHEN member % 400 = 0 THEN 230 WHEN member % 40 = 0 THEN 35 END) i), '{}') END
$$;

-- seen: what a set is to say it has.  Of an exact set these are its tags; of a
-- filter also tags taken for others, which are counted below.
CREATE TEMP TABLE member (id int PRIMARY KEY, a text[], t tagbloom, seen text[]) WITH (fillfactor = 10);
CREATE FUNCTION pg_temp.seen(a text[], t tagbloom) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN is_exact(t) THEN a ELSE tag_list(t, everything) END FROM vocabulary
$$;
INSERT INTO member
SELECT id, a, t, pg_temp.seen(a, t)
  FROM (SELECT id, a, tags(VARIADIC a) AS t FROM (SELECT id, pg_temp.tags_of(id, 1) AS a FROM generate_series(1, 4000) id) s) s;
CREATE INDEX member_tags ON member USING gin (t);
VACUUM ANALYZE member;

SELECT cmp_ok((SELECT count(*) FROM member WHERE t IS NULL), '>', 40::bigint, 'there are NULLs');
SELECT cmp_ok((SELECT count(*) FROM member WHERE t = '{}'), '>', 40::bigint, 'and empty sets');
SELECT cmp_ok((SELECT count(*) FROM member WHERE NOT is_exact(t)), '>', 90::bigint, 'and filters');
SELECT is_empty($$ SELECT id FROM member WHERE is_exact(t) <> (cardinality(a) <= 32) $$, 'sets are exact up to 32 tags');
SELECT is_empty($$ SELECT id FROM member WHERE NOT seen @> a $$, 'no tag is lost');
SELECT cmp_ok((SELECT sum(cardinality(seen) - cardinality(a)) / (count(*) * 531.0) FROM member WHERE NOT is_exact(t)), '<=', 0.001,
              'a thousandth of the tags at most is taken for others');
SELECT is_empty($$ SELECT id FROM member WHERE CASE WHEN is_exact(t) THEN tag_count(t) <> cardinality(a) ELSE abs(tag_count(t) / cardinality(a) - 1) > 0.15 END $$,
                'tag_count()');
SELECT is_empty($$ SELECT id FROM member, vocabulary WHERE is_exact(t) AND tag_list(t, everything) <> ARRAY(SELECT x FROM unnest(everything) x WHERE x = ANY (a)) $$, 'tag_list()');

-- Sizes

-- The expected rate of false positives of n tags in 2^k blocks: j of them share
-- the block asked with a binomial probability, and set a given bit of each of
-- eight words with probability 1 - (31/32)^j.
CREATE FUNCTION pg_temp.rate(n int, k int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  blocks float8 := power(2, k);
  p float8 := power(1 - 1 / blocks, n);
  sum float8 := 0;
BEGIN
  IF k = 0 THEN
    RETURN power(1 - power(31 / 32.0::float8, n), 8);
  END IF;
  FOR j IN 0 .. n LOOP
    sum := sum + p * power(1 - power(31 / 32.0::float8, j), 8);
    EXIT WHEN p < 1e-30 AND j > n / blocks;
    p := p * (n - j) / (j + 1) / (blocks - 1);
  END LOOP;
  RETURN sum;
END $$;
SELECT is_empty($$
  SELECT n, length(tagbloom_send(t))
    FROM (SELECT n, tags(VARIADIC (SELECT array_agg('t' || i) FROM generate_series(1, n) i)) AS t
            FROM (SELECT generate_series(33, 130) UNION SELECT unnest('{200,243,244,245,300,486,487,488,500,971,972,973,1000}'::int[])) s (n)) s
   WHERE length(tagbloom_send(t)) <> 4 + (32 << (SELECT min(k) FROM generate_series(0, 12) k WHERE pg_temp.rate(n, k) <= 0.001))
$$, 'a filter is the smallest with an expected rate of 0.1 %');
SELECT is_empty($$
  SELECT n, rate, wanted
    FROM (SELECT n, avg(false_positive_rate(t)) AS rate, pg_temp.rate(n, k) AS wanted
            FROM (VALUES (40, 2), (62, 2), (63, 3), (123, 3), (244, 4)) v (n, k), generate_series(1, 60) g,
                 LATERAL (SELECT tag_agg(g || 't' || i) AS t FROM generate_series(1, n) i) s GROUP BY n, k) s
   WHERE rate NOT BETWEEN wanted / 1.3 AND wanted * 1.3
$$, 'and that is what false_positive_rate() reports');

-- Questions: of tags (column t), and the same of arrays (column seen)

CREATE FUNCTION pg_temp.quoted(tag text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '"' || replace(replace(tag, '\', '\\'), '"', '\"') || '"'
$$;
-- Makes up a query; what comes first in the vocabulary is asked for more often.
-- binding: 3 for a tag or "not", 2 for "and", 1 for "or".
CREATE FUNCTION pg_temp.make_up(vocabulary text[], depth int, OUT query text, OUT condition text, OUT binding int)
LANGUAGE plpgsql AS $$
DECLARE
  kind float8 := random();
  tag text := vocabulary[1 + floor(power(random(), 3) * cardinality(vocabulary))];
  operand record;
BEGIN
  IF depth = 0 OR kind < 0.25 THEN
    query := CASE WHEN tag !~ '[^a-z0-9]' AND random() < 0.5 THEN tag ELSE pg_temp.quoted(tag) END;
    condition := format('%L = ANY (seen)', tag);
    binding := 3;
  ELSIF kind < 0.45 THEN
    SELECT * INTO operand FROM pg_temp.make_up(vocabulary, depth - 1);
    query := '!' || repeat(' ', (random() * 2)::int) || CASE WHEN operand.binding = 3 AND random() < 0.7 THEN operand.query ELSE '(' || operand.query || ')' END;
    condition := 'NOT (' || operand.condition || ')';
    binding := 3;
  ELSE
    binding := 1 + (kind < 0.75)::int;
    FOR i IN 1 .. 2 + floor(power(random(), 3) * 4)::int LOOP
      SELECT * INTO operand FROM pg_temp.make_up(vocabulary, depth - 1);
      query := coalesce(query || CASE binding WHEN 2 THEN '&' ELSE ' | ' END, '')
               || CASE WHEN operand.binding > binding AND random() < 0.7 THEN operand.query ELSE '(' || operand.query || ')' END;
      condition := coalesce(condition || CASE binding WHEN 2 THEN ' AND ' ELSE ' OR ' END, '') || '(' || operand.condition || ')';
    END LOOP;
  END IF;
END $$;

CREATE TEMP TABLE question (id int GENERATED ALWAYS AS IDENTITY, kind text, of_tags text, of_arrays text, query text);
SELECT setseed(0.25) IS NULL AS seeded \gset
INSERT INTO question (kind, of_tags, of_arrays, query)
SELECT '@@', format('t @@ %L', query), condition, query
  FROM vocabulary, generate_series(1, 80) i, LATERAL pg_temp.make_up(CASE i % 3 WHEN 0 THEN common[1:12] WHEN 1 THEN common ELSE everything END, i % 5) m;
INSERT INTO question (kind, of_tags, of_arrays, query)
SELECT '@@', format('t @@ %L', query), condition, query
  FROM (VALUES ('!"nobody has this"', 'NOT ''nobody has this'' = ANY (seen)'), ('"nobody has this"', '''nobody has this'' = ANY (seen)'), ('!tag1', 'NOT ''tag1'' = ANY (seen)'),
               ('!tag1 & !tag5', 'NOT (''tag1'' = ANY (seen) OR ''tag5'' = ANY (seen))'), ('tag1 & !tag1', 'false'), ('tag1 | !tag1', 'seen IS NOT NULL'),
               ('!(tag1 | !(tag5 & !tag9))', 'NOT (''tag1'' = ANY (seen) OR NOT (''tag5'' = ANY (seen) AND NOT ''tag9'' = ANY (seen)))')) v (query, condition);
CREATE FUNCTION pg_temp.some_tags(vocabulary text[], most int) RETURNS text[] LANGUAGE sql AS $$
  SELECT coalesce(array_agg(vocabulary[1 + floor(power(random(), 4) * cardinality(vocabulary))]), '{}') FROM generate_series(1, floor(random() * (most + 1))::int)
$$;
INSERT INTO question (kind, of_tags, of_arrays)
SELECT kind, format(CASE kind WHEN '@>' THEN 't @> tags(VARIADIC %L::text[])' ELSE 't ' || kind || ' %L::text[]' END,
  CASE WHEN i % 10 = 0 THEN wanted || NULL::text ELSE wanted END),
       format('seen %s %L::text[]', CASE kind WHEN '?|' THEN '&&' ELSE '@>' END, wanted)
  FROM vocabulary, unnest('{?&,?|,@>}'::text[]) kind, generate_series(1, 30) i, LATERAL (SELECT pg_temp.some_tags(everything, i % 5) AS wanted) w;
INSERT INTO question (kind, of_tags, of_arrays)
SELECT '?', format(form, tag), format('%L = ANY (seen)', tag)
  FROM vocabulary, generate_series(1, 30) i, LATERAL (SELECT everything[1 + floor(power(pg_temp.chance(i, 9), 3) * 531)] AS tag) g,
       LATERAL (SELECT CASE i % 3 WHEN 0 THEN 't ? %L' WHEN 1 THEN 'has_tag(t, %L)' ELSE 'tags(%L) <@ t' END AS form) f;
-- Several conditions at once, of which some cannot be looked up.
INSERT INTO question (kind, of_tags, of_arrays)
SELECT 'both', format('(%s) %s (%s)', p.of_tags, how, q.of_tags), format('(%s) %s (%s)', p.of_arrays, how, q.of_arrays)
  FROM question p JOIN question q ON q.id = (p.id * 7919 % 200) + 1, LATERAL (SELECT CASE p.id % 3 WHEN 0 THEN 'OR' ELSE 'AND' END AS how) h
 WHERE p.id % 5 = 0;
INSERT INTO question (kind, of_tags, of_arrays)
SELECT 'inlined', format('has_all_tags(t, %L) AND has_any_tag(t, %L)', x, y), format('seen @> %L::text[] AND seen && %L::text[]', x, y)
  FROM vocabulary, generate_series(1, 10) i, LATERAL (SELECT pg_temp.some_tags(common, 1 + i % 3) AS x, pg_temp.some_tags(common, 4 + i % 4) AS y) s;
SELECT is((SELECT array_agg(DISTINCT kind COLLATE "C" ORDER BY kind COLLATE "C") FROM question), '{?,?&,?|,@>,@@,both,inlined}', 'questions of all kinds');

-- Members for whom a condition is true, found with an index or without.
CREATE FUNCTION pg_temp.found(of_table text, condition text, by_index boolean) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
  ids int[];
BEGIN
  PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true),
          set_config('enable_bitmapscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
  EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I WHERE %s', of_table, condition) INTO ids;
  RETURN coalesce(ids, '{}');
END $$;
CREATE FUNCTION pg_temp.estimate(condition text, of_table text DEFAULT 'member') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %I WHERE %s', of_table, condition) INTO plan;
  RETURN plan #>> '{0,Plan,Plan Rows}';
END $$;

-- The oracle's answers, kept until the table changes.
CREATE TEMP TABLE answer (id int, ids int[]);
CREATE FUNCTION pg_temp.ask_oracle() RETURNS bigint LANGUAGE sql AS $$
  TRUNCATE answer;
  INSERT INTO answer SELECT id, pg_temp.found('member', of_arrays, false) FROM question;
  SELECT count(*) FROM answer WHERE ids <> '{}';
$$;
CREATE FUNCTION pg_temp.wrong_answers(by_index boolean) RETURNS TABLE (question text, too_many int[], too_few int[]) LANGUAGE sql AS $$
  SELECT of_tags, ARRAY(SELECT unnest(got) EXCEPT SELECT unnest(ids)), ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(got))
    FROM question JOIN answer USING (id), LATERAL (SELECT pg_temp.found('member', of_tags, by_index) AS got) f
   WHERE got <> ids
   LIMIT 5
$$;

SELECT cmp_ok(pg_temp.ask_oracle(), '>', 180::bigint, 'most questions have an answer');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(false)', 'every answer as in plain SQL, reading the table');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and with the index');
BEGIN;
SET LOCAL enable_seqscan = off;
SELECT is_empty($$
  SELECT of_tags FROM question WHERE NOT pg_temp.plan_has('SELECT FROM member WHERE ' || of_tags, '$.**."Node Type" ? (@ == "Bitmap Index Scan")') AND kind <> 'both'
$$, 'the index serves every operator, and the functions that are inlined');
SET LOCAL work_mem = '64kB';
SELECT ok(pg_temp.plan_has($$ SELECT FROM member WHERE t @@ '!tag1' $$, '$.**."Lossy Heap Blocks" ? (@ > 0)', 'ANALYZE, TIMING off, '), 'little memory: pages are lossy');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and answers the same');
COMMIT;

-- The table changes

SELECT count(*) AS cleaned FROM gin_clean_pending_list('member_tags') \gset
INSERT INTO member
SELECT id, a, t, pg_temp.seen(a, t)
  FROM (SELECT id, a, tags(VARIADIC a) AS t FROM (SELECT id, pg_temp.tags_of(id, 2) AS a FROM generate_series(4001, 4500) id) s) s;
UPDATE member m SET a = s.a, t = s.t, seen = pg_temp.seen(s.a, s.t)
  FROM (SELECT id, a, tags(VARIADIC a) AS t FROM (SELECT id, pg_temp.tags_of(id + id % 13, 3) AS a FROM generate_series(1, 4000, 9) id) s) s
 WHERE m.id = s.id;
DELETE FROM member WHERE id % 11 = 3;
SELECT cmp_ok(pg_temp.ask_oracle(), '>', 180::bigint, 'rows inserted, updated, deleted');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(false)', 'every answer reading the table');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and with the index, new rows on its pending list');
SELECT cmp_ok(gin_clean_pending_list('member_tags'), '>', 0::bigint, 'where they were');
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and moved into the index');
DELETE FROM member WHERE id % 11 = 4;
VACUUM ANALYZE member;
SELECT pg_temp.ask_oracle() > 0 AS asked \gset
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and after VACUUM');
REINDEX INDEX member_tags;
SELECT is_empty('SELECT * FROM pg_temp.wrong_answers(true)', 'and after REINDEX');
DROP INDEX member_tags;
CREATE INDEX member_tags ON member USING gin (t);
-- An index that grew row by row.
CREATE TEMP TABLE grown (LIKE member);
CREATE INDEX ON grown USING gin (t) WITH (fastupdate = off);
INSERT INTO grown SELECT * FROM member ORDER BY md5(id::text);
ANALYZE grown;
SELECT is_empty($$ SELECT of_tags FROM question JOIN answer USING (id) WHERE pg_temp.found('grown', of_tags, true) <> ids $$, 'and with an index that grew row by row');

-- Which tags are looked up: a negated one is asked of the rows that the others leave, and only they are read

CREATE TEMP TABLE exact AS
SELECT id, tags(VARIADIC array_remove(ARRAY[CASE WHEN id % 50 = 0 THEN 'rare' END, CASE WHEN id % 10 > 0 THEN 'frequent' END, CASE WHEN id % 4 = 0 THEN 'some' END], NULL)) AS t
  FROM generate_series(1, 5000) id;
CREATE INDEX ON exact USING gin (t);
ANALYZE exact;
CREATE FUNCTION pg_temp.candidates(query text, OUT candidates int, OUT removed int, OUT kept int) LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM set_config('enable_seqscan', 'off', true);
  EXECUTE format('EXPLAIN (ANALYZE, TIMING off, SUMMARY off, FORMAT JSON) SELECT FROM exact WHERE t @@ %L', query) INTO plan;
  plan := plan #> '{0,Plan}';
  candidates := (plan #>> '{Plans,0,Actual Rows}')::float8;
  removed := coalesce((plan #>> '{Rows Removed by Index Recheck}')::float8, 0);
  kept := (plan #>> '{Actual Rows}')::float8;
END $$;
SELECT results_eq(format('SELECT * FROM pg_temp.candidates(%L)', query), format('VALUES (%s, %s, %s)', candidates, candidates - kept, kept), 'looked up: ' || query)
  FROM (VALUES ('rare & some', 50, 50), ('rare & !frequent', 100, 100), ('rare & some & !frequent', 50, 50), ('some & !frequent', 1250, 250), ('some & !(frequent | !rare)', 50, 50),
               ('rare & (some | !frequent)', 100, 100), ('(rare | some) & !(some & frequent)', 1300, 300), ('!frequent', 500, 500), ('some | !frequent', 1500, 1500), ('rare & !rare', 0, 0)) q (query, candidates, kept);

-- Queries that come from another table

CREATE TEMP TABLE asked AS
SELECT id, query::tagquery AS query, ids FROM question JOIN answer USING (id) WHERE query IS NOT NULL;
INSERT INTO asked VALUES (-1, NULL, '{}');
ANALYZE asked;
CREATE TEMP TABLE asked_tags AS
SELECT row_number() OVER () AS id, wanted, wanted[1] AS tag, tags(VARIADIC wanted) AS set FROM vocabulary, generate_series(1, 60) i,
  LATERAL (SELECT pg_temp.some_tags(everything, 2 + i % 3) AS wanted) w;
INSERT INTO asked_tags VALUES (-1);
ANALYZE asked_tags;
CREATE FUNCTION pg_temp.joined(condition text, of_table text, by_index boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement text := format('SELECT q.id || '' '' || m.id FROM %I q JOIN member m ON %s', of_table, condition);
BEGIN
  PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true),
          set_config('enable_bitmapscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
  IF pg_temp.plan_has(statement, '$.**."Node Type" ? (@ == "Bitmap Index Scan")') <> by_index THEN
    RAISE 'not the plan that was asked for: %', statement;
  END IF;
  RETURN QUERY EXECUTE statement;
END $$;
SELECT set_eq(format('SELECT * FROM pg_temp.joined(''m.t @@ q.query'', ''asked'', %L)', by_index), 'SELECT id || '' '' || unnest(ids) FROM asked',
              format('a join with queries, with the index: %s', by_index)) FROM unnest('{f,t}'::boolean[]) by_index;
SELECT set_eq(format('SELECT * FROM pg_temp.joined(%L, ''asked_tags'', %L)', of_tags, by_index),
  format('SELECT q.id || '' '' || m.id FROM asked_tags q JOIN member m ON %s', of_arrays),
              format('a join by %s, with the index: %s', of_tags, by_index))
  FROM (VALUES ('m.t ? q.tag', 'q.tag = ANY (m.seen)'), ('m.t ?& q.wanted', 'm.seen @> q.wanted'), ('m.t ?| q.wanted', 'm.seen && q.wanted'),
    ('m.t @> q.set', 'm.seen @> q.wanted'), ('q.set <@ m.t', 'm.seen @> q.wanted')) v (of_tags, of_arrays),
       unnest('{f,t}'::boolean[]) by_index;
SELECT set_eq($$ SELECT id FROM asked q WHERE EXISTS (SELECT FROM member m WHERE m.t @@ q.query) $$, $$ SELECT id FROM asked WHERE ids <> '{}' $$, 'a semi-join');
-- Sets of both sorts in each other: no member is lost whose tags are all there.
SELECT is_empty($$ SELECT p.id, q.id FROM member p, member q WHERE p.id % 40 IN (0, 1, 2) AND q.id % 40 IN (0, 3) AND p.a @> q.a AND NOT (p.t @> q.t AND q.t <@ p.t) $$,
  '@> and <@ find every set that is contained');
SELECT is_empty($$ SELECT p.id, q.id FROM member p, member q WHERE p.id % 40 < 4 AND q.id % 40 < 4 AND is_exact(p.t) AND is_exact(q.t) AND (p.t @> q.t) <> (p.a @> q.a) $$,
  'and of exact sets no other');
SELECT set_eq(format('SELECT m.id FROM member m WHERE m.t @> %L', f.t), format('SELECT id FROM pg_temp.found(''member'', %L, true) f, unnest(f) id', format('t @> %L', f.t)),
  'a filter is looked for as well')
  FROM (SELECT t FROM member WHERE id = 40) f;

-- The query of one plan changes between its calls

CREATE FUNCTION pg_temp.by_plan(mode text, by_index boolean) RETURNS TABLE (id int, ids int[]) LANGUAGE plpgsql AS $$
DECLARE
  q record;
BEGIN
  PERFORM set_config('plan_cache_mode', mode, true), set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true),
          set_config('enable_bitmapscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
  -- Anew, because a plan that is kept would not follow the settings.
  PREPARE matching(tagquery) AS SELECT array_agg(member.id ORDER BY member.id) FROM member WHERE t @@ $1;
  IF pg_temp.plan_has('EXECUTE matching(''tag9'')', '$.**."Node Type" ? (@ == "Bitmap Index Scan")') <> by_index THEN
    RAISE 'not the plan that was asked for';
  END IF;
  FOR q IN SELECT a.id, a.query FROM asked a WHERE query IS NOT NULL ORDER BY md5(a.id::text) LOOP
    id := q.id;
    EXECUTE format('EXECUTE matching(%L)', q.query) INTO ids;
    ids := coalesce(ids, '{}');
    RETURN NEXT;
  END LOOP;
  DEALLOCATE matching;
END $$;
SELECT set_eq(format('SELECT * FROM pg_temp.by_plan(%L, %L)', mode, by_index), 'SELECT id, ids FROM asked WHERE query IS NOT NULL',
  format('prepared, %s, with the index: %s', mode, by_index))
  FROM unnest('{force_generic_plan,force_custom_plan}'::text[]) mode, unnest('{f,t}'::boolean[]) by_index;
-- A simple expression of PL/pgSQL keeps its state from call to call.
CREATE FUNCTION pg_temp.answered_one_by_one() RETURNS TABLE (id int, ids int[]) LANGUAGE plpgsql AS $$
DECLARE
  q record;
  m record;
  yes boolean;
BEGIN
  CREATE TEMP TABLE yes ON COMMIT DROP AS SELECT 0 AS question, 0 AS member WHERE false;
  FOR m IN SELECT member.id, member.t FROM member WHERE member.id % 25 < 2 LOOP
    FOR q IN SELECT a.id, a.query FROM asked a LOOP
      yes := m.t @@ q.query;
      IF yes THEN
        INSERT INTO yes VALUES (q.id, m.id);
      END IF;
    END LOOP;
  END LOOP;
  RETURN QUERY SELECT question, array_agg(member ORDER BY member) FROM yes GROUP BY question;
END $$;
SELECT set_eq('SELECT * FROM pg_temp.answered_one_by_one()',
              $$ SELECT id, members FROM asked, LATERAL (SELECT array_agg(m ORDER BY m) AS members FROM unnest(ids) m WHERE m % 25 < 2) s WHERE members IS NOT NULL $$,
                'expressions of PL/pgSQL');
SELECT is_empty($$ SELECT FROM member m, asked q WHERE (CASE WHEN m.id % 2 = 0 THEN m.t @@ q.query ELSE m.t @@ q.query END) <> (m.id = ANY (q.ids)) AND m.id % 25 < 3 $$,
  'a query in the select list changes from row to row');

-- The planner

SELECT ok(pg_temp.plan_has('SELECT FROM member WHERE ' || condition, '$.**."Node Type" ? (@ == "Bitmap Index Scan")'), 'selective, so by the index: ' || condition)
  FROM (VALUES ('t ? ''extra 230'''), ('t ?& ''{tag45,tag5,tag9}'''), ('t ?| ''{extra 230,extra 229}'''), ('t @> ''{extra 230}'''), ('tags(''extra 230'') <@ t'),
    ('t @@ ''"extra 230" & !tag1'''), ('has_tag(t, ''extra 230'')'), ('has_all_tags(t, ''{extra 230,tag5}'')'),
               ('has_any_tag(t, ''{extra 230}'')')) v (condition);
SELECT ok(NOT pg_temp.plan_has('SELECT FROM member WHERE ' || condition, '$.**."Node Type" ? (@ == "Bitmap Index Scan")'), 'not selective, so without: ' || condition)
  FROM (VALUES ('t ? ''tag1'''), ('t ?& ''{}'''), ('t ?| ''{tag1,tag5}'''), ('t @> ''{}'''), ('t @@ ''!"nobody has this"'''), ('t @@ ''tag1 | !tag5'''),
    ('t @@ ''!tag9 & !tag13''')) v (condition);

-- Estimates of conditions on tags that members have independently: at most two
-- times too many or too few rows.
CREATE TEMP TABLE guess (of_tags text, of_arrays text);
INSERT INTO guess SELECT format('t ? %L', tag), format('%L = ANY (seen)', tag) FROM vocabulary, unnest(common[1:60]) tag;
INSERT INTO guess
SELECT format(form, x, y, z, pg_temp.quoted(x), pg_temp.quoted(y), pg_temp.quoted(z)), format(of_arrays, x, y, z)
  FROM vocabulary, (VALUES ('t ?& ARRAY[%L, %L]', 'seen @> ARRAY[%L, %L]'), ('t ?& ARRAY[%L, %L, %L]', 'seen @> ARRAY[%L, %L, %L]'),
    ('t ?| ARRAY[%L, %L]', 'seen && ARRAY[%L, %L]'), ('t ?| ARRAY[%L, %L, %L]', 'seen && ARRAY[%L, %L, %L]'),
       ('t @> tags(%L, %L)', 'seen @> ARRAY[%L, %L]'), ('tags(%L, %L, %L) <@ t', 'seen @> ARRAY[%L, %L, %L]'), ('t @@ %4$L', 'seen @> ARRAY[%L]'),
       ('t @@ (%4$L || '' & !'' || %5$L)::tagquery', 'seen @> ARRAY[%L] AND NOT seen @> ARRAY[%L]'),
       ('t @@ (''!'' || %4$L)::tagquery', 'NOT seen @> ARRAY[%L]'),
       ('t @@ (%4$L || '' & '' || %5$L || '' & !'' || %6$L)::tagquery', 'seen @> ARRAY[%L, %L] AND NOT seen @> ARRAY[%L]'),
       ('t @@ (''!('' || %4$L || '' & '' || %5$L || '') | '' || %6$L)::tagquery', 'NOT seen @> ARRAY[%L, %L] OR seen @> ARRAY[%L]'),
       ('t @@ (''('' || %4$L || '' | '' || %5$L || '') & !'' || %6$L)::tagquery', 'seen && ARRAY[%L, %L] AND NOT seen @> ARRAY[%L]'), ('t ?& ''{}''', 'seen IS NOT NULL')) f (form, of_arrays),
       generate_series(1, 12) i, LATERAL (SELECT common[i] AS x, common[i + 3] AS y, common[i + 5] AS z) s;
CREATE TEMP TABLE guessed AS
SELECT of_tags, pg_temp.estimate(of_tags) AS estimate, cardinality(pg_temp.found('member', of_arrays, false)) AS rows FROM guess;
SELECT cmp_ok((SELECT count(*) FROM guessed WHERE rows >= 30), '>', 180::bigint, 'most guesses are about so many rows that chance does not matter');
SELECT is_empty('SELECT * FROM guessed WHERE rows >= 30 AND NOT estimate BETWEEN rows / 2.0 AND rows * 2.0', 'their estimates are right to a factor of two');
SELECT cmp_ok((SELECT avg(abs(ln(estimate / rows))) FROM guessed WHERE rows >= 30), '<', 0.1::float8, 'and mostly by far better');
SELECT cmp_ok(pg_temp.estimate('t ? ''nobody has this'''), '<=', 20::float8, 'a tag that nobody has');
SELECT is(pg_temp.estimate('t ?| ''{}'''), 1::float8, 'no tag at all');

-- What ANALYZE keeps: the sample is the whole table, so shares are those of its rows.
CREATE TEMP TABLE kept AS
SELECT null_frac, most_common_elems::text::bigint[] AS hashes, most_common_elem_freqs AS shares, elem_count_histogram FROM pg_stats WHERE tablename = 'member' AND attname = 't'
  AND schemaname LIKE 'pg_temp%';
SELECT is((SELECT round(null_frac::numeric, 4) FROM kept), (SELECT round(avg((t IS NULL)::int), 4) FROM member), 'share of NULLs');
SELECT is((SELECT cardinality(shares) - cardinality(hashes) FROM kept), 3, 'three numbers behind the shares');
SELECT ok((SELECT hashes = ARRAY(SELECT h FROM unnest(hashes) h ORDER BY h) FROM kept), 'hashes in ascending order');
CREATE TEMP TABLE known AS
SELECT tag, hash, share, (SELECT avg((t ? tag)::int) FROM member WHERE t IS NOT NULL) AS wanted
  FROM vocabulary, unnest(everything) tag, LATERAL (SELECT ('x' || encode(substr(tagbloom_send(tags(tag)), 5), 'hex'))::bit(64)::bigint AS hash) h
  JOIN (SELECT h.hash, shares[n] AS share FROM kept, unnest(hashes) WITH ORDINALITY AS h (hash, n)) k USING (hash);
SELECT is((SELECT count(*) FROM known), (SELECT cardinality(hashes)::bigint FROM kept), 'all of them are of our tags');
SELECT is_empty($$ SELECT tag FROM vocabulary, unnest(common[1:100]) tag EXCEPT SELECT tag FROM known $$, 'the most common tags are among them');
SELECT is_empty($$ SELECT * FROM known WHERE abs(share - wanted) > 1e-6 $$, 'each with its share of rows');
SELECT ok((SELECT abs(shares[n + 1] - min) < 1e-6 AND abs(shares[n + 2] - max) < 1e-6 AND abs(shares[n + 3] - filters) < 1e-6
             FROM kept, LATERAL (SELECT cardinality(hashes) AS n) n, (SELECT min(share), max(share) FROM known) s,
               (SELECT avg((NOT is_exact(t))::int)::float8 AS filters FROM member) f),
          'then the smallest, the largest, and the share of filters');

-- Columns of another kind

CREATE TEMP TABLE odd (id int, filters tagbloom, nothing tagbloom, large tagbloom, same tagbloom, none tagbloom, other tagbloom);
INSERT INTO odd SELECT i, tags(VARIADIC ARRAY(SELECT i % 10 || ' ' || j FROM generate_series(1, 40) j)), NULL,
  (SELECT tag_agg('l' || j) FROM generate_series(1, 20000) j WHERE i < 4), '{vip,ios}', '{}', tags(i::text) FROM generate_series(1, 500) i;
CREATE INDEX ON odd USING gin (filters);
CREATE INDEX ON odd USING gin (nothing);
ANALYZE odd;
SELECT is((SELECT array_agg(most_common_elems::text ORDER BY attname) FROM pg_stats WHERE tablename = 'odd' AND attname IN ('filters', 'nothing', 'large', 'none')
  AND schemaname LIKE 'pg_temp%'), '{NULL,NULL,NULL,NULL}', 'no common tags of NULLs, of filters, of empty sets');
SELECT is((SELECT most_common_elem_freqs::text FROM pg_stats WHERE tablename = 'odd' AND attname = 'other' AND schemaname LIKE 'pg_temp%'),
  '{0.002,0.002,0.002,0}', 'one tag where all are equally rare');
SELECT is(pg_temp.estimate('other ? ''5''', 'odd'), 1::float8, 'so that any is known to be rare');
SELECT is((SELECT most_common_elem_freqs::text FROM pg_stats WHERE tablename = 'odd' AND attname = 'same' AND schemaname LIKE 'pg_temp%'), '{1,1,1,1,0}', 'all sets alike');
SELECT is(pg_temp.estimate('same @@ ''vip & ios''', 'odd'), 500::float8, 'estimate: all');
SELECT is(pg_temp.estimate('same @@ ''vip & !ios''', 'odd'), 1::float8, 'estimate: none');
SELECT ok(pg_temp.estimate(column_name || ' ? ''vip''', 'odd') BETWEEN 1 AND 100, 'estimate of column ' || column_name)
  FROM unnest('{filters,nothing,large,none,other}'::text[]) column_name;
SELECT is(pg_temp.found('odd', format('filters %s', condition), true),
  ARRAY(SELECT id FROM generate_series(1, 500) id WHERE CASE wanted WHEN 1 THEN id % 10 = 3 WHEN 2 THEN id % 10 IN (3, 4) WHEN 3 THEN true END), 'filters only: ' || condition)
  FROM (VALUES ('? ''3 7''', 1), ('?& ''{3 1,3 40}''', 1), ('?| ''{3 1,4 40}''', 2), ('@> ''{3 2}''', 1), ('@@ ''"3 7" & !"4 7"''', 1), ('@@ ''!nobody''', 3), ('?& ''{}''', 3),
    ('?| ''{}''', 0), ('@@ ''nobody''', 0)) v (condition, wanted);
SELECT is(pg_temp.found('odd', 'nothing @@ ''!vip''', true), '{}', 'NULLs only');
CREATE TEMP TABLE nobody (id int, t tagbloom);
CREATE INDEX ON nobody USING gin (t);
VACUUM ANALYZE nobody;
SELECT is(pg_temp.found('nobody', 't @@ ''!vip | ios''', true), '{}', 'an empty table');
ALTER TABLE member ALTER t SET STATISTICS 1;
ANALYZE member;
SELECT ok((SELECT cardinality(most_common_elem_freqs) <= 13 FROM pg_stats WHERE tablename = 'member' AND attname = 't' AND schemaname LIKE 'pg_temp%'),
  'ten tags for each step of the statistics target');
SELECT ok(pg_temp.estimate('t ? ''tag1''') / cardinality(pg_temp.found('member', 't ? ''tag1''', false)) BETWEEN 0.5 AND 2, 'from a sample of 300 rows');
ALTER TABLE member ALTER t SET STATISTICS 0;
CREATE INDEX member_a ON member USING gin (tags(VARIADIC a));
ANALYZE member;
SELECT ok(pg_temp.plan_has($$ SELECT FROM member WHERE tags(VARIADIC a) ? 'extra 230' $$, '$.**."Index Name" ? (@ == "member_a")'), 'an index on an expression serves it');
SELECT is_empty($$ SELECT of_tags FROM question JOIN answer USING (id) WHERE kind = '@@' AND pg_temp.found('member', 'tags(VARIADIC a)' || substr(of_tags, 2), true) <> ids $$,
  'and answers the same');
SELECT ok(pg_temp.estimate('tags(VARIADIC a) ? ''tag9''') / cardinality(pg_temp.found('member', 't ? ''tag9''', false)) BETWEEN 0.5 AND 2, 'and has statistics');

-- Aggregates: the same bytes, whatever the order and the groups

CREATE TEMP TABLE piece AS
SELECT n, i AS part, 't' || i % n AS tag, pg_temp.chance(i, n) AS place, hashint4(i) % 3 AS g FROM unnest('{1,5,32,33,50,63,64,65,130,500,3000}'::int[]) n,
  generate_series(1, 3 * n) i;
SELECT is_empty($$
  SELECT n FROM piece GROUP BY n
  HAVING tagbloom_send(tag_agg(tag ORDER BY place)) <> tagbloom_send(tag_agg(tag ORDER BY part DESC)) OR tag_agg(tag) <> tags(VARIADIC array_agg(tag))
    OR tag_agg(tag) <> tag_agg(DISTINCT tag)
      OR (is_exact(tag_agg(tag)) AND tag_count(tag_agg(tag)) <> count(DISTINCT tag)) OR is_exact(tag_agg(tag)) <> (n <= 32)
$$, 'tag_agg(): any order');
SELECT is_empty($$ SELECT n, g FROM piece GROUP BY n, g HAVING tag_list(tag_agg(tag), array_agg(DISTINCT tag)) <> array_agg(DISTINCT tag) $$, 'no tag is lost');
-- Sets of all sizes, exact ones and filters, raised and halved.
CREATE TEMP TABLE bit AS
SELECT i, CASE i % 5 WHEN 3 THEN t::tagbloom(1000) WHEN 4 THEN t::tagbloom(40) ELSE t END AS t, pg_temp.chance(i, 8) AS place, i % 4 AS kind
  FROM generate_series(1, 60) i, LATERAL (SELECT tag_agg(i % 7 || 't' || j) AS t
    FROM generate_series(1, CASE i % 4 WHEN 0 THEN 3 WHEN 1 THEN 40 WHEN 2 THEN 31 ELSE i * 8 END) j) s;
SELECT is((SELECT tagbloom_send(rollup(t ORDER BY place)) FROM bit), (SELECT tagbloom_send(rollup(t ORDER BY i)) FROM bit), 'rollup(): any order');
SELECT is((SELECT tagbloom_send(rollup(t ORDER BY i DESC)) FROM bit WHERE kind IN (0, 2)), (SELECT tagbloom_send(rollup(t ORDER BY place)) FROM bit WHERE kind IN (0, 2)),
  'of exact sets');
SELECT is((SELECT rollup(t) FROM (SELECT rollup(t) AS t FROM bit WHERE kind IN (1, 3) GROUP BY i % groups) s), (SELECT rollup(t) FROM bit WHERE kind IN (1, 3)),
  format('rollup() of rollups of filters, %s groups', groups)) FROM unnest('{1,2,7,60}'::int[]) groups;
SELECT is_empty($$ SELECT i FROM bit, LATERAL (SELECT array_agg(i % 7 || 't' || j) AS tags
  FROM generate_series(1, CASE i % 4 WHEN 0 THEN 3 WHEN 1 THEN 40 WHEN 2 THEN 31 ELSE i * 8 END) j) s
                    WHERE NOT (SELECT rollup(t) FROM bit) ?& tags OR NOT (SELECT rollup(t) FROM bit) @> t $$, 'the union has all tags of every set');
SELECT is((SELECT tagbloom_send(rollup(t)) FROM (SELECT tag_agg(tag) AS t FROM piece WHERE n = 500 GROUP BY part % 60) s),
  (SELECT tagbloom_send(tag_agg(tag)) FROM piece WHERE n = 500), 'rollup() of exact sets is tag_agg() of all their tags');
-- Partial states, put together again: of the parts of a table.
CREATE TEMP TABLE whole (n int, part int, tag text) PARTITION BY HASH (part);
CREATE TEMP TABLE whole_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TEMP TABLE whole_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TEMP TABLE whole_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO whole SELECT n, part, tag FROM piece;
ANALYZE whole;
BEGIN;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT ok(pg_temp.plan_has('SELECT n, tag_agg(tag), rollup(tags(tag)), tag_agg(tag, 100) FROM whole GROUP BY n', '$.**."Partial Mode" ? (@ == "Partial")'),
  'a plan with partial states');
CREATE TEMP TABLE in_parts AS SELECT n, tag_agg(tag) AS a, rollup(tags(tag)) AS b, tag_agg(tag, 100) AS c FROM whole GROUP BY n;
SELECT throws_ok('SELECT n, tag_agg(tag, 1 + part % 2) FROM whole GROUP BY n', '22023', NULL, 'they must agree on what is expected');
COMMIT;
SELECT set_eq('SELECT n, tagbloom_send(a) AS a, tagbloom_send(b) AS b, tagbloom_send(c) AS c FROM in_parts',
  'SELECT n, tagbloom_send(tag_agg(tag)) AS a, tagbloom_send(tag_agg(tag)) AS b, tagbloom_send(tag_agg(tag, 100)) AS c FROM piece GROUP BY n', 'gives the same bytes');

-- Equality

SELECT is_empty($$ SELECT FROM (SELECT count(*), count(DISTINCT s) AS different
  FROM (SELECT t, ARRAY(SELECT x FROM unnest(a) x ORDER BY x COLLATE "C") AS s FROM member WHERE is_exact(t)) m GROUP BY t) g WHERE different > 1 $$, 'equal sets have equal tags');
CREATE TEMP TABLE pool AS
SELECT i AS id, a, tags(VARIADIC a) AS t
  FROM generate_series(1, 3000) i,
       LATERAL (SELECT CASE WHEN i % 50 = 0 THEN ARRAY(SELECT 'x' || j FROM generate_series(1, 33 + i % 3) j)
                            ELSE ARRAY(SELECT DISTINCT 'tag ' || (pg_temp.chance(i * 10 + j, 5) * 6)::int AS tag
                                         FROM generate_series(1, i % 5) j ORDER BY tag) END AS a) s;
ANALYZE pool;
SELECT set_eq($$ SELECT array_agg(id ORDER BY id) FROM pool GROUP BY t $$, $$ SELECT array_agg(id ORDER BY id) FROM pool GROUP BY a $$, 'GROUP BY');
CREATE FUNCTION pg_temp.with_settings(off text[], statement text, node text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('enable_' || s, CASE WHEN s = ANY (off) THEN 'off' ELSE 'on' END, true) FROM unnest('{hashagg,sort,hashjoin,mergejoin,nestloop}'::text[]) s;
  IF NOT pg_temp.plan_has(statement, format('$.**.* ? (@ == %s)', to_json(node))::jsonpath) THEN
    RAISE 'not the plan that was asked for: %', statement;
  END IF;
  RETURN QUERY EXECUTE statement;
END $$;
SELECT set_eq(format('SELECT * FROM pg_temp.with_settings(%L, ''SELECT count(*)::text FROM pool GROUP BY t'', %L)', off, node), 'SELECT count(*)::text FROM pool GROUP BY a',
  'GROUP BY, ' || node)
  FROM (VALUES ('{sort}', 'Hashed'), ('{hashagg}', 'Sorted')) v (off, node);
SELECT is((SELECT count(*) FROM pg_temp.with_settings(off, 'SELECT DISTINCT t::text FROM (SELECT DISTINCT t FROM pool) s', node)), (SELECT count(DISTINCT a) FROM pool),
  'DISTINCT, ' || node) FROM (VALUES ('{sort}'::text[], 'Hashed'), ('{hashagg}', 'Unique')) v (off, node);
SELECT results_eq(format('SELECT * FROM pg_temp.with_settings(%L, ''SELECT count(*)::text FROM pool p JOIN pool q ON p.t = q.t'', %L)', off, node),
  'SELECT count(*)::text FROM pool p JOIN pool q ON p.a = q.a', node)
  FROM (VALUES ('{mergejoin,nestloop}', 'Hash Join'), ('{hashjoin,nestloop}', 'Merge Join')) v (off, node);
SELECT results_eq('SELECT count(DISTINCT query) FROM asked', 'SELECT count(DISTINCT query::text) FROM asked', 'queries are equal if their texts are');

-- Every query comes back from its text and its bytes, and asks the same.
SELECT is_empty($$ SELECT query FROM asked WHERE query::text::tagquery <> query OR tagquery_send(query::text::tagquery) <> tagquery_send(query) $$, 'canonical texts come back');
-- A query's tree is true of every set that the query is true of; T if it is true of the empty set.
SELECT is_empty($$ SELECT query FROM asked WHERE (tagquery_tree(query) = 'T') <> '{}'::tagbloom @@ query $$, 'T if and only if the query is true of no tags');
SELECT is_empty($$ SELECT query, m.id FROM (SELECT query, tagquery_tree(query)::tagquery AS tree, ids FROM asked
  WHERE tagquery_tree(query) <> 'T') q JOIN member m ON m.id = ANY (ids) WHERE NOT m.t @@ tree $$, 'a tree misses no member');
SELECT is_empty($$ SELECT query FROM asked WHERE tagquery_tree(query) LIKE '%!%' $$, 'and has no negation');

-- Soft errors, from 16 on.
SELECT current_setting('server_version_num')::int >= 160000 AS soft_errors \gset
\if :soft_errors
SELECT is_empty($$
  SELECT type, literal, valid FROM (VALUES ('tagbloom', '{vip}', true), ('tagbloom', '{vip', false), ('tagbloom', 'tagbloom:BAEAAA==', true),
    ('tagbloom', 'tagbloom:AAEAAA==', false), ('tagbloom(100)', '{vip}', true),
    ('tagbloom(100)', '{}}', false), ('tagquery', 'vip & !ios', true), ('tagquery', 'vip &', false), ('tagquery', repeat('a|', 70000) || 'a', false)) v (type, literal, valid)
    WHERE pg_input_is_valid(literal, type) <> valid
$$, 'pg_input_is_valid()');
SELECT results_eq($$ SELECT sql_error_code, message, detail FROM pg_input_error_info('{vip,', 'tagbloom') $$,
                  $$ VALUES ('22P02', 'invalid input syntax for type tagbloom: "{vip,"', 'The value is not valid: a tag is empty, at character 6.') $$,
                    'pg_input_error_info() of a set');
SELECT results_eq($$ SELECT sql_error_code, message, detail FROM pg_input_error_info('vip & (ios', 'tagquery') $$,
                  $$ VALUES ('22P02', 'invalid input syntax for type tagquery: "vip & (ios"', 'The value is not valid: a parenthesis is not closed, at character 11.') $$,
                    'and of a query');
SELECT is((SELECT sql_error_code FROM pg_input_error_info(repeat('a|', 70000) || 'a', 'tagquery')), '54000', 'and of one too large');
\else
SELECT skip('soft errors are from PostgreSQL 16 on', 4);
\endif

-- The Complete Journey (dunnhumby): households, with what they bought, which
-- campaigns they were in and who they are as tags.

\if :have_journey
CREATE TEMP TABLE line (household_id int, store_id int, basket_id text, product_id numeric, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric,
  coupon_match_disc numeric, week int, at timestamp);
CREATE TEMP TABLE product (product_id numeric, manufacturer_id int, department text, brand text, product_category text, product_type text, package_size text);
CREATE TEMP TABLE campaign (campaign_id int, household_id int);
CREATE TEMP TABLE demographic (household_id int, age text, income text, home_ownership text, marital_status text, household_size text, household_comp text, kids_count text);
\copy line from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/transactions_sample.csv.gz"' csv header
\copy product from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/products.csv.gz"' csv header
\copy campaign from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaigns.csv.gz"' csv header
\copy demographic from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/demographics.csv.gz"' csv header
CREATE TEMP TABLE label AS
SELECT household_id, 'bought=' || product_category AS tag FROM line JOIN product USING (product_id) WHERE product_category IS NOT NULL
UNION SELECT household_id, 'campaign=' || campaign_id FROM campaign
UNION SELECT household_id, key || '=' || value FROM demographic, jsonb_each_text(to_jsonb(demographic) - 'household_id') WHERE value IS NOT NULL;
-- A table of departments, too, whose sets are all exact.
CREATE TEMP TABLE house AS SELECT household_id AS id, array_agg(tag ORDER BY tag COLLATE "C") AS a, tag_agg(tag) AS t FROM label GROUP BY household_id;
CREATE TEMP TABLE shop AS
SELECT household_id AS id, array_agg(DISTINCT tag) AS seen, tag_agg(tag) AS t
  FROM (SELECT household_id, department AS tag FROM line JOIN product USING (product_id) UNION SELECT household_id, 'campaign=' || campaign_id FROM campaign) s
    GROUP BY household_id;
CREATE INDEX ON house USING gin (t);
CREATE INDEX ON shop USING gin (t);
ANALYZE house;
ANALYZE shop;
CREATE TEMP TABLE dictionary AS SELECT array_agg(tag ORDER BY n DESC, tag) AS everything FROM (SELECT tag, count(*) AS n FROM label GROUP BY tag) s;
CREATE TEMP TABLE seen_house AS SELECT id, CASE WHEN is_exact(t) THEN a ELSE tag_list(t, everything) END AS seen FROM house, dictionary;
ALTER TABLE house ADD seen text[];
UPDATE house h SET seen = s.seen FROM seen_house s WHERE s.id = h.id;
SELECT is((SELECT count(DISTINCT household_id) FROM line), 2377::bigint, 'The Complete Journey: the published number of households with orders');
SELECT ok((SELECT bool_or(is_exact(t)) AND bool_or(NOT is_exact(t)) FROM house) AND (SELECT bool_and(is_exact(t)) FROM shop),
  'exact sets and filters; of departments exact ones only');
SELECT is_empty($$ SELECT id FROM house WHERE NOT seen @> a $$, 'no tag is lost');
SELECT is_empty($$ SELECT id FROM house WHERE is_exact(t) <> (cardinality(a) <= 32) OR abs(tag_count(t) / cardinality(a) - 1) > CASE WHEN is_exact(t) THEN 0 ELSE 0.25 END $$,
  'sets are exact up to 32 tags, and counted');
SELECT cmp_ok((SELECT sum(cardinality(seen) - cardinality(a))::float8 FROM house WHERE NOT is_exact(t)), '<=',
              1.5 * (SELECT sum(false_positive_rate(t) * (cardinality(everything) - cardinality(a))) FROM house, dictionary WHERE NOT is_exact(t)),
                'no more tags taken for others than false_positive_rate() says');
CREATE TEMP TABLE journey (of_table text, query text, condition text);
INSERT INTO journey
SELECT 'house', query, condition
  FROM (VALUES ('"bought=SOFT DRINKS"', 'seen @> ''{bought=SOFT DRINKS}'''),
    ('"bought=SOFT DRINKS" & !"bought=BEERS/ALES"', 'seen @> ''{bought=SOFT DRINKS}'' AND NOT seen @> ''{bought=BEERS/ALES}'''),
    ('("bought=CHEESE" | "bought=YOGURT") & campaign=18', 'seen && ''{bought=CHEESE,bought=YOGURT}'' AND seen @> ''{campaign=18}'''),
    ('campaign=8 & campaign=13 & campaign=18', 'seen @> ''{campaign=8,campaign=13,campaign=18}'''),
    ('!campaign=8 & !campaign=13 & !campaign=18', 'NOT seen && ''{campaign=8,campaign=13,campaign=18}'''),
    ('age=25-34 & kids_count=0 & !home_ownership=Homeowner', 'seen @> ''{age=25-34,kids_count=0}'' AND NOT seen @> ''{home_ownership=Homeowner}'''),
    ('age=65+ | (income=50-74K & household_size=2)', 'seen @> ''{age=65+}'' OR seen @> ''{income=50-74K,household_size=2}'''),
    ('"household_comp=2 Adults No Kids" & "bought=BEEF"', 'seen @> ''{household_comp=2 Adults No Kids,bought=BEEF}'''),
    ('!(age=25-34 | age=35-44 | age=45-54)', 'NOT seen && ''{age=25-34,age=35-44,age=45-54}'''), ('"bought=NO SUCH THING"', 'seen @> ''{bought=NO SUCH THING}'''),
    ('!"bought=NO SUCH THING"', 'true'), ('"bought=TROPICAL FRUIT" & !("bought=APPLES" | "bought=GRAPES" & campaign=18)',
    'seen @> ''{bought=TROPICAL FRUIT}'' AND NOT (seen @> ''{bought=APPLES}'' OR seen @> ''{bought=GRAPES,campaign=18}'')')) v (query, condition);
INSERT INTO journey
SELECT 'shop', query, condition
  FROM (VALUES ('GROCERY & !DRUG\ GM', 'seen @> ''{GROCERY}'' AND NOT seen @> ''{DRUG GM}'''), ('PRODUCE | MEAT | SEAFOOD', 'seen && ''{PRODUCE,MEAT,SEAFOOD}'''),
    ('GROCERY & PRODUCE & MEAT & !campaign=18', 'seen @> ''{GROCERY,PRODUCE,MEAT}'' AND NOT seen @> ''{campaign=18}'''),
    ('!GROCERY', 'NOT seen @> ''{GROCERY}'''), ('"MEAT-PCKGD" & (DELI | PASTRY) & !(FLORAL | COSMETICS)',
    'seen @> ''{MEAT-PCKGD}'' AND seen && ''{DELI,PASTRY}'' AND NOT seen && ''{FLORAL,COSMETICS}'''),
    ('NUTRITION & campaign=8 | FLORAL & campaign=13', 'seen @> ''{NUTRITION,campaign=8}'' OR seen @> ''{FLORAL,campaign=13}''')) v (query, condition);
INSERT INTO journey SELECT 'house', m.query, m.condition FROM dictionary, generate_series(1, 60) i, LATERAL pg_temp.make_up(everything, 1 + i % 4) m;
INSERT INTO journey
SELECT 'shop', m.query, m.condition FROM (SELECT array_agg(tag ORDER BY n DESC, tag) AS everything FROM (SELECT tag, count(*) AS n FROM shop, unnest(seen) tag GROUP BY tag) s) d,
  generate_series(1, 60) i, LATERAL pg_temp.make_up(everything, 1 + i % 4) m;
SELECT cmp_ok((SELECT count(*) FROM journey WHERE pg_temp.found(of_table, condition, false) <> '{}'), '>', 100::bigint, 'more than a hundred queries that households answer');
SELECT is_empty(format('SELECT of_table, query FROM journey WHERE pg_temp.found(of_table, format(''t @@ %%L'', query), %L) <> pg_temp.found(of_table, condition, false)', by_index),
                format('all as text[] does, with the index: %s', by_index)) FROM unnest('{f,t}'::boolean[]) by_index;
-- Households whose sets are exact, against the tags themselves.
ALTER TABLE house DROP seen;
DELETE FROM house WHERE NOT is_exact(t);
ALTER TABLE house RENAME a TO seen;
SELECT is_empty($$ SELECT of_table, query FROM journey WHERE of_table = 'house'
  AND pg_temp.found(of_table, format('t @@ %L', query), true) <> pg_temp.found(of_table, condition, false) $$, 'all of exact sets as the tags themselves do');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 9);
\endif

SELECT * FROM finish();
