-- audience on public data: overlaps, plans and changes as published figures of the
-- data and plain SQL have them.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
\set have_journey `test -r "$CUSTMART_SHARED/data/completejourney/campaigns.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

SELECT plan(14);

-- 200,000 members of 12 audiences, with scores that many share.
CREATE TEMP TABLE member AS
SELECT i AS id, CASE WHEN hashint8extended(i, 99) & 15 > 0 THEN (hashint8extended(i, 98) & 1023) / 16.0 END::float8 AS score,
       ARRAY(SELECT hashint8extended(i, k) & 7 < k % 5 FROM generate_series(1, 12) k) AS is_in
  FROM generate_series(1, 20000::bigint) i;
CREATE TEMP TABLE kept AS SELECT audience_book(id, score, VARIADIC is_in) AS book FROM member;

SELECT results_eq($$ SELECT audiences, members FROM kept, audience_overlaps(book, ARRAY(SELECT 'a' || k FROM generate_series(1, 12) k)) ORDER BY 1 $$,
  $$ SELECT ARRAY(SELECT 'a' || k FROM generate_series(1, 12) k WHERE is_in[k]), count(*) FROM member GROUP BY 1 ORDER BY 1 $$, 'members of exactly these audiences');
SELECT results_eq($$ SELECT audiences, at_least FROM kept, audience_overlaps(book, ARRAY(SELECT 'a' || k FROM generate_series(1, 12) k)) WHERE members < 12 ORDER BY 1 $$,
  $$ SELECT names, (SELECT sum(n) FROM (SELECT ARRAY(SELECT 'a' || k FROM generate_series(1, 12) k WHERE is_in[k]) AS names, count(*) AS n FROM member GROUP BY 1) o WHERE o.names @> e.names)::bigint
       FROM (SELECT ARRAY(SELECT 'a' || k FROM generate_series(1, 12) k WHERE is_in[k]) AS names FROM member GROUP BY 1 HAVING count(*) < 12) e ORDER BY 1 $$, 'members of these audiences at least');

-- The plan by definition: one audience after the other, the best by rank of those who are left.
CREATE FUNCTION pg_temp.plan(caps bigint[]) RETURNS TABLE (member bigint, audience int, place bigint) LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMP TABLE placed (member bigint PRIMARY KEY, audience int, place bigint) ON COMMIT DROP;
  FOR k IN 1 .. 12 LOOP
    INSERT INTO placed SELECT id, k, row_number() OVER (ORDER BY m.score DESC NULLS LAST, hash_share(id, ''), id) FROM member m
     WHERE is_in[k] AND NOT EXISTS (SELECT FROM placed p WHERE p.member = m.id)
     ORDER BY 3 LIMIT caps[k];
  END LOOP;
  RETURN QUERY SELECT p.member, p.audience, p.place FROM placed p;
  DROP TABLE placed;
END $$;
SELECT set_eq(format('SELECT p.* FROM kept, audience_plan(book, %L) p', caps), format('SELECT * FROM pg_temp.plan(%L)', caps), 'plan with caps ' || caps::text)
  FROM (VALUES (NULL::bigint[]), ('{10,200,3000,NULL,0,1,2,3,4,500,NULL,7}'), ('{1,1,1,1,1,1,1,1,1,1,1,1}'), ('{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,3}')) v(caps);
SELECT results_eq($$ SELECT count(*) FROM kept, audience_plan(book) $$, $$ SELECT count(*) FROM member WHERE true = ANY (is_in) $$, 'without caps everybody who is in an audience gets something');

-- hash_share is even: a chi square of 100 classes, and independent of the salt.
SELECT ok((SELECT sum((n - 1000) ^ 2 / 1000.0) FROM (SELECT count(*) AS n FROM (SELECT floor(100 * hash_share(i, 'a salt')) AS class FROM generate_series(1, 100000::bigint) i) c GROUP BY class) s) < 148, 'hash_share is even (chi square of 99 degrees of freedom, p above .001)');

-- The Complete Journey (dunnhumby): campaigns of three types, and the households that got them.
\if :have_journey
CREATE TEMP TABLE campaign (campaign_id int, household_id bigint);
CREATE TEMP TABLE description (campaign_id int, campaign_type text, start_date date, end_date date);
\copy campaign from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaigns.csv.gz"' csv header
\copy description from program 'gzip -dc "$CUSTMART_SHARED/data/completejourney/campaign_descriptions.csv.gz"' csv header
CREATE TEMP TABLE household AS
SELECT household_id AS id, bool_or(campaign_type = 'Type A') AS a, bool_or(campaign_type = 'Type B') AS b, bool_or(campaign_type = 'Type C') AS c
  FROM campaign JOIN description USING (campaign_id) GROUP BY 1;
SELECT results_eq($$ SELECT array_to_string(audiences, ''), members FROM (SELECT (audience_overlaps(audience_book(id, -id, a, b, c), '{A,B,C}')).* FROM household) o $$,
  $$ VALUES ('AB', 597::bigint), ('A', 508), ('ABC', 338), ('B', 57), ('AC', 47), ('C', 9), ('BC', 3) $$, 'The Complete Journey: exactly these types of campaign');
SELECT results_eq($$ SELECT at_least FROM (SELECT (audience_overlaps(audience_book(id, -id, a, b, c), '{A,B,C}')).* FROM household) o WHERE audiences = '{A,B}' $$, $$ VALUES (935::bigint) $$, 'at least A and B');
SELECT results_eq($$ SELECT count(*) FROM (SELECT (audience_plan(audience_book(id, -id, c, b, a))).* FROM household) p GROUP BY audience ORDER BY audience $$, $$ VALUES (397::bigint), (654), (508) $$, 'priority C, B, A');
SELECT results_eq($$ SELECT count(*) FROM (SELECT (audience_plan(audience_book(id, -id, c, b, a), '{300,500,NULL}')).* FROM household) p GROUP BY audience ORDER BY audience $$, $$ VALUES (300::bigint), (500), (740) $$, 'with caps of 300 and 500');
\else
SELECT skip('The Complete Journey is not in $CUSTMART_SHARED/data', 4);
\endif

-- Online Retail (UCI): Champions, in one quarter and the next.
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
\copy retail FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER)
CREATE TEMP TABLE champions AS
SELECT day, audience_book(member, monetary::float8, segment = 'Champions') AS book
  FROM (SELECT day, (rfm_members(rfm_book(customer, invoice, at AT TIME ZONE 'UTC', quantity * price) FILTER (WHERE at < day), day)).*
          FROM retail, unnest('{2011-09-01,2011-12-01}'::timestamp[]) day GROUP BY day) m GROUP BY day;
SELECT results_eq($$ SELECT (SELECT count(*) FROM audience_plan(book)) FROM champions ORDER BY day $$, $$ VALUES (667::bigint), (792) $$, 'Online Retail: Champions of two days');
SELECT results_eq($$ SELECT change, count(*) FROM champions a, champions b, audience_changes(a.book, b.book, 1) WHERE a.day < b.day GROUP BY 1 ORDER BY 1 $$,
  $$ VALUES ('entered', 337::bigint), ('left', 212), ('stayed', 455) $$, 'who became one, and who is none any more');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 2);
\endif

SELECT * FROM finish();
ROLLBACK;
