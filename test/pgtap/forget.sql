-- forget: of every book that has members, the book of all other rows, byte for byte.
-- One release is enough (test/run): the figures do not depend on the server.
--
-- Needs the extensions custmart and pgtap in the database.  Public data sets are
-- read where $CUSTMART_SHARED/data has them, else their tests are skipped.
\ir include/quiet.sql
\set have_retail `test -r "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz" && echo 1 || echo 0`
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

-- 700 members, some of whom have many rows and most a few; channels, categories and items that are of one member only;
-- refunds that are the latest row, fractions of seconds, wide amounts; and rows that are skipped: without a member, or without a time.
CREATE TEMP TABLE deed AS
SELECT i, m, md5(m::text)::uuid AS u, repeat('m', (m % 5)::int) || m AS x, t, amount, item,
       CASE WHEN m % 67 = 3 THEN 'channel of ' || m % 400 ELSE (ARRAY['email', 'sms', 'push'])[1 + i % 3] END AS channel,
       CASE WHEN m % 7 = 0 THEN 'item of ' || m ELSE 'item ' || item END AS name
FROM (SELECT i, CASE WHEN i % 41 > 0 THEN 1 + floor(700 * power((hashint8(i) & 65535) / 65536.0, 3))::bigint END AS m,
             CASE WHEN i % 43 > 0 THEN timestamptz '2024-01-01' + (hashint8extended(i, 1) & 65535) * interval '15 minutes' + CASE WHEN i % 11 = 0 THEN interval '1 microsecond' ELSE interval '0' END END AS t,
             round(((hashint8extended(i, 2) & 65535) - 20000) / 100.0, (i % 3)::int) * CASE WHEN i % 97 = 0 THEN 1e20 ELSE 1 END AS amount,
             floor(60 * power((hashint8extended(i, 3) & 65535) / 65536.0, 3))::bigint AS item
        FROM generate_series(1, 2500::bigint) i) d;
-- What is left to some of the members is a refund, and to some of these it is all.
UPDATE deed SET amount = -abs(amount) - 1 WHERE m % 5 = 1 AND t > '2025-01-01' OR m % 31 = 2;

-- Books, of members {m}; a row without a time is skipped by all of them.
CREATE TEMP TABLE kind (name text, book text, type text);
INSERT INTO kind VALUES
  ('rfm_book', 'rfm_book({m}, t, amount)', 'rfm_book'), ('rfm_book of lines', 'rfm_book({m}, i / 3, t, amount)', 'rfm_book'), ('rfm_book of lines, texts', 'rfm_book({m}, name, t, amount)', 'rfm_book'),
  ('rfm_book of lines, uuids', 'rfm_book({m}, md5(item::text)::uuid, t, amount)', 'rfm_book'),
  ('rfm_book of summaries', 'rfm_book({m}, CASE WHEN t IS NOT NULL THEN CASE WHEN amount < 0 THEN rfm_of(t, amount) ELSE rfm(1, amount, t, t) END END)', 'rfm_book'),
  ('retention_book, days', 'retention_book({m}, t, ''day'', ''Europe/Berlin'')', 'retention_book'), ('retention_book, money', 'retention_book({m}, t, amount, ''month'', ''UTC'')', 'retention_book'), ('retention_book, times', 'retention_book({m}, t)', 'retention_book'),
  ('retention_book_since, weeks', 'retention_book_since({m}, t - item * interval ''1 day'', t, ''week'', ''UTC'')', 'retention_book'),
  ('retention_book_since, money', 'retention_book_since({m}, t - item * interval ''1 day'', CASE WHEN i % 5 > 0 THEN t END, amount, ''year'', ''UTC'')', 'retention_book'),
  ('retention_book_since, times', 'retention_book_since({m}, t + (item - 20) * interval ''1 day'', CASE WHEN i % 5 > 0 THEN t END)', 'retention_book'),
  ('funnel_book', 'funnel_book({m}, ''7 days'', t, amount > 0, item > 5, item > 9)', 'funnel_book'), ('session_book', 'session_book({m}, t)', 'session_book'),
  ('interaction_book', 'interaction_book({m}, (ARRAY[''own'', ''induced'', ''obliged''])[1 + i % 3], t)', 'interaction_book'),
  ('contact_book', 'contact_book({m}, channel, (ARRAY[''sent'', ''clicked''])[1 + i % 2], t)', 'contact_book'), ('contact_book, whole seconds', 'contact_book({m}, channel, ''sent'', date_trunc(''second'', t))', 'contact_book'),
  ('contact_book, one with fractions', 'contact_book({m}, channel, ''sent'', CASE WHEN m = 5 THEN t + interval ''1 microsecond'' ELSE date_trunc(''second'', t) END)', 'contact_book'),
  ('preference_book', 'preference_book({m}, name, CASE WHEN t IS NOT NULL THEN amount END)', 'preference_book'),
  ('audience_book', 'audience_book(CASE WHEN t IS NOT NULL THEN {m} END, item::float8 / 8, amount > 0, item > 5)', 'audience_book'),
  ('audience_book of arrays', 'audience_book({m}, NULL, VARIADIC CASE WHEN t IS NOT NULL THEN ARRAY[amount > 0, item > 5, true] END)', 'audience_book'),
  ('basket_book', 'basket_book({m}, CASE WHEN t IS NOT NULL THEN item END)', 'basket_book'), ('basket_book of texts', 'basket_book({m}, CASE WHEN t IS NOT NULL THEN name END)', 'basket_book');
-- Of a member with refunds alone a summary can be made of rows only.
CREATE FUNCTION pg_temp.rfm_of(t timestamptz, amount numeric) RETURNS rfm_summary LANGUAGE sql AS 'SELECT rfm(t, amount)';
UPDATE kind SET book = replace(book, 'rfm_of(', 'pg_temp.rfm_of(');
CREATE TEMP TABLE key (type text PRIMARY KEY, expression text);
INSERT INTO key VALUES ('bigint', 'm'), ('uuid', 'u'), ('text', 'x');
-- Whom to forget.
CREATE TEMP TABLE list (what text, members bigint[]);
INSERT INTO list VALUES ('nobody', '{}'), ('somebody else', '{0,701,-5}'), ('the first', '{1}'), ('one of many', '{300}'), ('the last', ARRAY[(SELECT max(m) FROM deed)]), ('the same twice', '{7,7,1}'),
  ('half', ARRAY(SELECT DISTINCT m FROM deed WHERE m % 2 = 0 ORDER BY m DESC)), ('those whose categories nobody else has', ARRAY(SELECT DISTINCT m FROM deed WHERE m % 7 = 0 OR m % 67 = 3)),
  ('those who have the latest rows', ARRAY(SELECT m FROM deed WHERE t > '2025-11-01' AND m IS NOT NULL)), ('those whose times have fractions', ARRAY(SELECT m FROM deed WHERE i % 11 = 0 AND m IS NOT NULL)),
  ('the one with fractions', '{5}'), ('all but one', ARRAY(SELECT DISTINCT m FROM deed WHERE m <> 42)), ('all', ARRAY(SELECT DISTINCT m FROM deed WHERE m IS NOT NULL));
INSERT INTO list SELECT 'random ' || n, ARRAY(SELECT m::bigint FROM generate_series(1, 700) m WHERE hashint8extended(m, n) & 1023 < 1024 * n / 7) FROM generate_series(1, 6) n;

SELECT plan(22 * 3 + 22 + 22 + 5 + 2);

-- How many lists of members are not forgotten as they should be.
CREATE FUNCTION pg_temp.wrong(book text, type text, key text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  result text[];
BEGIN
  EXECUTE format('SELECT array_agg(what) FROM (SELECT %s AS book FROM deed) b, list l, LATERAL (SELECT ARRAY(SELECT DISTINCT %2$s FROM deed WHERE m = ANY (members)) || CASE WHEN what = ''the same twice'' THEN ARRAY(SELECT DISTINCT %2$s FROM deed WHERE m = 7) ELSE ''{}'' END AS keys) k
    WHERE forget(book, keys) IS DISTINCT FROM (SELECT %1$s FROM deed WHERE m IS NULL OR t IS NULL OR m <> ALL (members))', replace(book, '{m}', key), key) INTO result;
  RETURN result;
END $$;
SELECT is(pg_temp.wrong(book, k.type, expression), NULL, format('%s of %s members', name, k.type)) FROM kind, key k ORDER BY name, k.type;

-- One after the other is all at once, and of parts it is that of the whole; nothing skipped and nobody left is NULL.
CREATE FUNCTION pg_temp.steps(book text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('WITH b AS (SELECT (SELECT %1$s FROM deed) AS whole, (SELECT %1$s FROM deed WHERE i %% 3 = 0) AS a, (SELECT %1$s FROM deed WHERE i %% 3 > 0) AS b, (SELECT %1$s FROM deed WHERE m IS NOT NULL AND t IS NOT NULL) AS counted)
    SELECT concat_ws('', '', CASE WHEN forget(forget(forget(whole, 8::bigint), 1::bigint), 300::bigint) IS DISTINCT FROM forget(whole, ''{1,8,300}''::bigint[]) THEN ''one after the other'' END,
      CASE WHEN forget(a, l.members) + forget(b, l.members) IS DISTINCT FROM forget(whole, l.members) THEN ''parts'' END,
      CASE WHEN forget(whole, 999::bigint) IS DISTINCT FROM whole THEN ''absent'' END,
      CASE WHEN forget(counted, e.members) IS NOT NULL THEN ''everybody'' END,
      CASE WHEN forget(whole, e.members) + whole IS DISTINCT FROM (SELECT whole + (SELECT %1$s FROM deed WHERE m IS NULL OR t IS NULL)) THEN ''nobody is left'' END,
      CASE WHEN forget(forget(whole, e.members), e.members) IS DISTINCT FROM forget(whole, e.members) THEN ''twice'' END,
      CASE WHEN (forget(whole, l.members))::text::%2$s IS DISTINCT FROM forget(whole, l.members) THEN ''text'' END)
    FROM b, (SELECT members FROM list WHERE what = ''half'') l, (SELECT members FROM list WHERE what = ''all'') e', replace(book, '{m}', 'm'), type) INTO result;
  RETURN result;
END $$;
SELECT is(pg_temp.steps(book, type), '', format('%s: step by step', name)) FROM kind ORDER BY name;

-- What was made by forgetting is read and merged like any other book: expanded, in a table, from another session's parts.
CREATE FUNCTION pg_temp.in_aggregates(book text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  result boolean;
BEGIN
  EXECUTE format('SELECT rollup(forget(part, ''{1,2,3,44,55}''::bigint[])) = (SELECT %1$s FROM deed WHERE m IS NULL OR t IS NULL OR m NOT IN (1, 2, 3, 44, 55)) FROM (SELECT %1$s AS part FROM deed GROUP BY i %% 5) p', replace(book, '{m}', 'm')) INTO result;
  RETURN result;
END $$;
SELECT ok(pg_temp.in_aggregates(book), format('%s: in an aggregate', name)) FROM kind ORDER BY name;

-- What is forgotten is not there any more.
SELECT is_empty($$ SELECT member FROM (SELECT forget(rfm_book(m, t, amount), '{1,2,3}'::bigint[]) AS b FROM deed) s, rfm_members(b) WHERE member IN (1, 2, 3) $$, 'nobody who is forgotten is a member');
SELECT is_empty($$ SELECT text FROM (SELECT forget(contact_book(x, channel, 'sent', t), ARRAY(SELECT DISTINCT x FROM deed WHERE m % 67 = 3)) AS b FROM deed) s, LATERAL (SELECT encode(contact_book_send(b), 'escape') AS text) e WHERE text ~ 'channel of' $$, 'nor are channels that they alone had');
SELECT is_empty($$ SELECT text FROM (SELECT forget(preference_book(x, name, amount), ARRAY(SELECT DISTINCT x FROM deed WHERE m % 7 = 0)) AS b FROM deed) s, LATERAL (SELECT encode(preference_book_send(b), 'escape') AS text) e WHERE text ~ 'item of' $$, 'nor categories');
SELECT is_empty($$ SELECT text FROM (SELECT forget(basket_book(x, name), ARRAY(SELECT DISTINCT x FROM deed WHERE m % 7 = 0)) AS b FROM deed) s, LATERAL (SELECT encode(basket_book_send(b), 'escape') AS text) e WHERE text ~ 'item of' $$, 'nor items');
-- Reports on a book of periods do not know when in its last period a row was.
SELECT results_eq($$ SELECT c::text FROM (SELECT retention_book(m, t, 'day', 'UTC') AS b FROM deed WHERE t < '2025-06-15 12:00') s, cohort_retention(b, '2025-06-15') c $$,
  $$ SELECT c::text FROM (SELECT retention_book(m, t, 'day', 'UTC') AS b FROM deed WHERE t < '2025-06-15 12:00') s, cohort_retention(b, '2025-06-15 23:59:59') c $$, 'as_of counts as its period');

-- Online Retail (UCI): 100 customers, among them the one whose cancellation is the latest row.
\if :have_retail
CREATE TEMP TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
\copy retail FROM PROGRAM 'gzip -dc "$CUSTMART_SHARED/data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER)
CREATE TEMP TABLE gone AS SELECT DISTINCT customer FROM retail WHERE customer % 43 = 11 OR at > '2011-12-09 12:00' AND customer IS NOT NULL;
SELECT results_eq($$ SELECT forget(rfm_book(customer, invoice, at AT TIME ZONE 'UTC', quantity * price), ARRAY(TABLE gone)) FROM retail $$,
  $$ SELECT rfm_book(customer, invoice, at AT TIME ZONE 'UTC', quantity * price) FROM retail WHERE customer IS NULL OR customer NOT IN (TABLE gone) $$, 'Online Retail: rfm_book');
SELECT results_eq($$ SELECT forget(basket_book(customer, stock_code), ARRAY(TABLE gone)) FROM retail $$,
  $$ SELECT basket_book(customer, stock_code) FROM retail WHERE customer IS NULL OR customer NOT IN (TABLE gone) $$, 'Online Retail: basket_book of customers');
\else
SELECT skip('Online Retail is not in $CUSTMART_SHARED/data', 2);
\endif

SELECT * FROM finish();
ROLLBACK;
