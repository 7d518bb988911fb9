-- member_mart: what is made, arguments and errors. What must hold while others write is in test/t/091_member_mart.pl.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA member_mart_test;
SET search_path = member_mart_test, public;
SET timezone = 'UTC';

CREATE TABLE orders (customer_id bigint, ordered_at timestamptz, amount numeric(12,2), status text, note json);
CREATE INDEX ON orders (customer_id);
INSERT INTO orders VALUES (1, '2026-01-01', 10, 'paid', '{}'), (1, '2026-02-01', 20, 'paid', NULL), (2, '2026-01-05', 5, 'open', NULL), (3, '2026-03-01', 7.50, 'paid', NULL), (NULL, '2026-03-02', 99, 'paid', NULL);

-- What it would run. Nothing is made.
\pset format unaligned
\pset tuples_only on
SELECT member_mart_script('members', 'orders', 'customer_id', 'rfm(ordered_at, amount) AS rfm, count(*) AS orders', 'status = ''paid''');
SELECT member_mart_script('members', 'orders', 'customer_id', 'count(*)') LIKE '%WHERE orders.customer_id IS NOT NULL
GROUP BY orders.customer_id%' AS without_filter LIMIT 1;
\pset format aligned
\pset tuples_only off
SELECT to_regclass('members') IS NULL AS nothing_is_made;

-- By way of \gexec or by one call.
SET client_min_messages = error;
SELECT member_mart_script('by_script', 'orders', 'customer_id', 'rfm(ordered_at, amount) AS rfm, count(*) AS orders', 'status = ''paid''')
\set ECHO none
\gexec
\set ECHO all
RESET client_min_messages;
SELECT create_member_mart('members', 'orders', 'customer_id', 'rfm(ordered_at, amount) AS rfm, count(*) AS orders', 'status = ''paid''');
SELECT count(*) AS empty FROM members;
SELECT * FROM refresh_member_mart('members');
SELECT * FROM refresh_member_mart('by_script');
SELECT member, frequency(rfm), monetary(rfm), orders FROM members ORDER BY member;
SELECT count(*) AS differ FROM members m FULL JOIN by_script s USING (member) WHERE m IS DISTINCT FROM s;
SELECT member, rfm_score, rfm_segment FROM members_scored ORDER BY member;
SELECT m.member, m.rfm_score = r.score AS as_rfm_members FROM members_scored m JOIN (SELECT (rfm_members(rfm_book(customer_id, ordered_at, amount))).* FROM orders WHERE status = 'paid') r USING (member) ORDER BY 1;

-- Insert, a late order, update, another member, the filter, delete: only these members are recomputed, from all their rows.
INSERT INTO orders VALUES (3, '2025-01-01', 1, 'paid'), (4, '2026-04-01', 4, 'open');
SELECT * FROM refresh_member_mart('members');
SELECT member, first_order(rfm), orders FROM members ORDER BY member;
UPDATE orders SET amount = 11 WHERE amount = 10;
UPDATE orders SET status = 'paid' WHERE customer_id = 2;
UPDATE orders SET customer_id = 5 WHERE customer_id = 4;
SELECT member FROM members_changes ORDER BY 1;
SELECT * FROM refresh_member_mart('members');
UPDATE orders SET status = 'paid' WHERE customer_id = 5;
DELETE FROM orders WHERE customer_id = 2;
SELECT * FROM refresh_member_mart('members', 1);
SELECT * FROM refresh_member_mart('members', 1);
SELECT * FROM refresh_member_mart('members', 1);
SELECT member, monetary(rfm) FROM members ORDER BY member;
-- Guests are nobody, and a row that stays as it is has not changed, whatever its types.
INSERT INTO orders VALUES (NULL, '2026-04-01', 4, 'paid');
UPDATE orders SET customer_id = NULL WHERE customer_id = 5;
UPDATE orders SET note = note, status = status;
UPDATE orders SET note = '{"a": 1}' WHERE customer_id = 1 AND amount = 11;
SELECT member FROM members_changes ORDER BY 1;
SELECT * FROM refresh_member_mart('members');
BEGIN;
INSERT INTO orders VALUES (7, '2026-04-01', 4, 'paid');
SELECT * FROM refresh_member_mart('members');
UPDATE orders SET amount = 5 WHERE customer_id = 7;
SELECT * FROM refresh_member_mart('members');
SELECT monetary(rfm) FROM members WHERE member = 7;
ROLLBACK;
SELECT count(*) FROM members WHERE member = 7;
SELECT count(*) FROM members_changes;

-- Checked, found and mended.
SELECT * FROM check_member_mart('members', 1);
UPDATE members SET orders = orders + 1 WHERE member = 1;
DELETE FROM members WHERE member = 3;
INSERT INTO members VALUES (77);
SELECT * FROM check_member_mart('members', 1);
INSERT INTO members_changes VALUES (77);
SELECT * FROM check_member_mart('members', 1);
SELECT * FROM rebuild_member_mart('members');
SELECT * FROM check_member_mart('members', 1);
INSERT INTO members_changes VALUES (NULL);
SELECT * FROM check_member_mart('members', 1);
SELECT checked <= 3 AS a_share, wrong FROM check_member_mart('by_script', 0.5);
TRUNCATE orders;
SELECT * FROM refresh_member_mart('members', 1);
SELECT * FROM members_scored;
SELECT * FROM members_cuts;

-- Keys of other types: uuid, a domain that refuses NULL, text with a collation, a name that is a column's, too.
CREATE DOMAIN card AS text NOT NULL;
CREATE TABLE visits (id uuid, card card, name varchar(20) COLLATE "C", member int, "share" float8);
CREATE INDEX ON visits (id, card);
CREATE INDEX ON visits (card);
CREATE INDEX ON visits (name);
INSERT INTO visits SELECT md5((n % 3)::text)::uuid, 'card ' || n % 4, 'name ' || n % 5, n, n FROM generate_series(1, 60) n;
SELECT create_member_mart('by_id', 'visits', 'id', 'count(*) AS n, max(member) AS max_members, sum("share") AS "share"', '"share" > 0');
SELECT create_member_mart('by_card', 'visits', 'card', 'count(*), array_agg(member ORDER BY member) AS recomputed');
SELECT create_member_mart('by_name', 'visits', 'name', 'count(*), rfm(''2026-01-01'', member) AS a, rfm(''2026-01-02'', member) AS b', 'true -- all');
SELECT refresh_member_mart(m) FROM unnest('{by_id,by_card,by_name}'::regclass[]) m;
UPDATE visits SET member = 100, card = 'card 9' WHERE member = 8;
UPDATE visits SET name = 'long ' || repeat('x', 15) WHERE member = 9;
SELECT refresh_member_mart(m) FROM unnest('{by_id,by_card,by_name}'::regclass[]) m;
SELECT check_member_mart(m, 1) FROM unnest('{by_id,by_card,by_name}'::regclass[]) m;
SELECT format_type(atttypid, atttypmod), attcollation::regcollation FROM pg_attribute WHERE attrelid = 'by_name'::regclass AND attname = 'member';
SELECT count(a_score) + count(b_score) AS scores, count(DISTINCT a_segment) > 1 AS segments FROM by_name_scored;
SELECT drop_member_mart(m) FROM unnest('{by_id,by_card}'::regclass[]) m;

\set VERBOSITY terse
-- A function of somebody else is not run, whatever its name.
CREATE FUNCTION refresh_by_name(text, boolean, OUT recomputed bigint, OUT removed bigint) LANGUAGE plpgsql AS $$ BEGIN RAISE 'run by %', current_user; END $$;
SELECT removed FROM rebuild_member_mart('by_name');
DROP FUNCTION refresh_by_name(text, boolean);
CREATE ROLE member_mart_somebody;
ALTER FUNCTION refresh_by_name(bigint, boolean) OWNER TO member_mart_somebody;
ALTER FUNCTION check_by_name(double precision) OWNER TO member_mart_somebody;
SELECT refresh_member_mart('by_name');
SELECT rebuild_member_mart('by_name');
SELECT check_member_mart('by_name');
ALTER FUNCTION refresh_by_name(bigint, boolean) OWNER TO CURRENT_USER;
ALTER FUNCTION check_by_name(double precision) OWNER TO CURRENT_USER;
DROP ROLE member_mart_somebody;
-- Without a log there is no mart, and no note; the shop is told what to do.
ALTER TABLE by_name_changes RENAME TO other;
INSERT INTO visits VALUES (NULL, '', 'name 1');
SELECT refresh_member_mart('by_name');
ALTER TABLE other RENAME TO by_name_changes;
-- Another name of the schema does not stop the shop.
ALTER SCHEMA member_mart_test RENAME TO renamed;
INSERT INTO renamed.visits VALUES (NULL, '', 'name 1');
CREATE SCHEMA member_mart_test;
INSERT INTO renamed.visits VALUES (NULL, '', 'name 2');
DROP SCHEMA member_mart_test;
ALTER SCHEMA renamed RENAME TO member_mart_test;
SELECT refresh_member_mart('by_name');
-- With another type of member everybody is noted.
DROP INDEX visits_name_idx;
ALTER TABLE visits ALTER name TYPE text;
INSERT INTO visits VALUES (NULL, '', 'a name as long as never before');
TABLE by_name_changes;
ALTER TABLE visits RENAME name TO called;
INSERT INTO visits VALUES (NULL, '', 'name 1');
SELECT refresh_member_mart('by_name');
ALTER TABLE visits RENAME TO calls;
ALTER TRIGGER by_name_rows ON calls RENAME TO anything;
SELECT drop_member_mart('by_name');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'calls'::regclass;
INSERT INTO calls VALUES (NULL, '', 'name 1');

\set VERBOSITY default
-- Without an index it works and warns; with a part of an index, too.
SELECT create_member_mart('by_called', 'calls', 'called', 'count(*)');
CREATE INDEX ON calls (called) WHERE called > '';
SELECT drop_member_mart('by_called');
SELECT create_member_mart('by_called', 'calls', 'called', 'count(*)');
-- A crash empties an unlogged source, its mart and its log.
CREATE UNLOGGED TABLE sessions (id int PRIMARY KEY);
SELECT create_member_mart('by_session', 'sessions', 'id', 'count(*), rfm(''2026-01-01'', id)');
SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relname LIKE 'by\_session%' AND relkind = 'r' ORDER BY 1;
SELECT refresh_member_mart('by_session');
TRUNCATE sessions;
TRUNCATE by_session, by_session_changes, by_session_cuts;
INSERT INTO sessions VALUES (10), (20);
SELECT refresh_member_mart('by_session');
SELECT member, rfm_score IS NOT NULL AS has_score FROM by_session_scored ORDER BY member;
-- Limits follow the last batch, even if it has nobody to recompute.
INSERT INTO sessions VALUES (30);
INSERT INTO by_session_changes VALUES (40);
SELECT refresh_member_mart('by_session', 1);
SELECT c.rfm = l.rfm AS of_all FROM by_session_cuts c, (SELECT rfm_cuts(rfm) AS rfm FROM by_session) l;
SELECT refresh_member_mart('by_session', 1);
SELECT c.rfm = l.rfm AS of_all FROM by_session_cuts c, (SELECT rfm_cuts(rfm) AS rfm FROM by_session) l;
-- Members that are equal, whatever their spelling, are one.
CREATE TABLE spelled (id numeric, n int);
CREATE INDEX ON spelled (id);
INSERT INTO spelled VALUES (1.0, 1), (2, 1);
SELECT create_member_mart('by_spelled', 'spelled', 'id', 'sum(n) AS n');
SELECT refresh_member_mart('by_spelled');
DELETE FROM spelled WHERE id = 1;
INSERT INTO spelled VALUES (1.00, 5);
UPDATE by_spelled_changes SET member = 1.000;
SELECT refresh_member_mart('by_spelled');
TABLE by_spelled ORDER BY member;
UPDATE spelled SET id = 2.00 WHERE id = 2;
DELETE FROM by_spelled_changes;
SELECT check_member_mart('by_spelled', 1);
UPDATE by_spelled SET n = 7 WHERE member = 2;
SELECT check_member_mart('by_spelled', 1);
SELECT drop_member_mart('by_spelled');
-- Nor does it when the mart is dropped, nor when rows are written into a partition in yet another schema.
CREATE SCHEMA member_mart_parts;
CREATE TABLE sales (customer_id int, n int) PARTITION BY LIST (n);
CREATE TABLE member_mart_parts.sales_1 PARTITION OF sales FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE member_mart_parts.sales_1_all PARTITION OF member_mart_parts.sales_1 DEFAULT;
CREATE TABLE other_sales (customer_id int);
CREATE INDEX ON sales (customer_id);
CREATE INDEX ON member_mart_parts.sales_1 (n);
CREATE INDEX ON other_sales (customer_id);
SELECT create_member_mart('by_sales', 'sales', 'customer_id', 'count(*)');
SELECT create_member_mart('of_parts', 'member_mart_parts.sales_1', 'n', 'count(*)');
SELECT create_member_mart('by_other', 'other_sales', 'customer_id', 'count(*)');
TRUNCATE by_sales_changes, member_mart_parts.of_parts_changes;
ALTER SCHEMA member_mart_test RENAME TO renamed;
ALTER SCHEMA member_mart_parts RENAME TO renamed_parts;
INSERT INTO renamed_parts.sales_1_all VALUES (11, 1);
TABLE renamed.by_sales_changes;
TABLE renamed_parts.of_parts_changes;
CREATE SCHEMA member_mart_test;
SELECT drop_member_mart('renamed.by_sales');
INSERT INTO renamed.sales VALUES (12, 1);
TABLE renamed_parts.of_parts_changes;
SELECT drop_member_mart('renamed_parts.of_parts');
DELETE FROM renamed.sales;
SELECT t.tgrelid::regclass, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgfoid = 'member_mart_note'::regproc AND (c.relname LIKE 'sales%' OR c.relname = 'other_sales') GROUP BY 1;
DROP SCHEMA member_mart_test;
DROP SCHEMA renamed_parts CASCADE;
ALTER SCHEMA renamed RENAME TO member_mart_test;
SELECT drop_member_mart('by_other');
-- A member that no index can hold stops the refresh, not the shop, and nobody if the filter leaves it out.
CREATE TABLE pages (url text, n int);
SET client_min_messages = error;
SELECT create_member_mart('by_url', 'pages', 'url', 'count(*)');
SELECT create_member_mart('by_short_url', 'pages', 'url', 'count(*)', 'octet_length(url) < 2000');
RESET client_min_messages;
TRUNCATE by_url_changes, by_short_url_changes;
INSERT INTO pages VALUES (repeat('x', 2044), 1), ('short', 1);
SELECT length(member) FROM by_url_changes ORDER BY 1;
SELECT refresh_member_mart('by_url');
INSERT INTO pages SELECT string_agg(md5(n::text), ''), 2 FROM generate_series(1, 100) n;
UPDATE pages SET url = url || 'y' WHERE n = 2;
SELECT length(member) FROM by_url_changes ORDER BY 1;
\set VERBOSITY sqlstate
SELECT refresh_member_mart('by_url');
\set VERBOSITY default
SELECT refresh_member_mart('by_short_url');
TABLE by_short_url;
SELECT drop_member_mart(m) FROM unnest('{by_url,by_short_url}'::regclass[]) m;

-- Errors.
CREATE VIEW orders_view AS TABLE orders;
CREATE TEMP TABLE of_session (customer_id int);
CREATE TABLE parent (customer_id int);
CREATE TABLE child () INHERITS (parent);
SELECT hostile.error_of(statement) FROM unnest(ARRAY[
	$$SELECT create_member_mart('m', 'orders_view', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders_customer_id_idx', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'of_session', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'parent', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 0::regclass, 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'ctid', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'note', 'count(*)')$$,
	$$CREATE TABLE lists (a int[]); SELECT create_member_mart('m', 'lists', 'a', 'count(*)')$$,
	$$SELECT create_member_mart(NULL, 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', NULL, 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', NULL, 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', NULL)$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', E' \n ')$$,
	$$SELECT create_member_mart('', 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('member_mart_test.m', 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('member_mart', 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart(repeat('x', 56), 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', 'amount')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', 'sum(price)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', 'count(*), count(amount)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', 'count(*) FROM orders; DROP TABLE orders; SELECT 1, count(*)')$$,
	$$SELECT create_member_mart('m', 'orders', 'customer_id', 'count(*)', 'amount')$$,
	$$SELECT create_member_mart('members', 'orders', 'customer_id', 'count(*)')$$,
	$$SELECT refresh_member_mart('orders')$$,
	$$SELECT refresh_member_mart('members_changes')$$,
	$$SELECT refresh_member_mart(NULL)$$,
	$$SELECT refresh_member_mart('members', 0)$$,
	$$SELECT rebuild_member_mart('orders')$$,
	$$SELECT check_member_mart('orders')$$,
	$$SELECT check_member_mart('members', 0)$$,
	$$SELECT check_member_mart('members', 1.5)$$,
	$$SELECT check_member_mart('members', 'NaN')$$,
	$$SELECT check_member_mart('members', NULL)$$,
	$$SELECT drop_member_mart('orders')$$,
	$$SELECT drop_member_mart(NULL)$$,
	$$SELECT member_mart_note()$$,
	$$SELECT member_mart_columns('SELECT 1; SELECT 2')$$,
	$$SELECT member_mart_columns('DROP TABLE orders')$$,
	$$CREATE TRIGGER t BEFORE INSERT ON calls FOR EACH ROW EXECUTE FUNCTION member_mart_note('member_mart_test', 'members_changes', 'called'); INSERT INTO calls VALUES (NULL, '')$$,
	$$CREATE TRIGGER t AFTER INSERT ON calls FOR EACH STATEMENT EXECUTE FUNCTION member_mart_note('member_mart_test', 'members_changes', 'called'); INSERT INTO calls VALUES (NULL, '')$$,
	$$CREATE TRIGGER t AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION member_mart_note('members_changes'); INSERT INTO calls VALUES (NULL, '')$$,
	$$CREATE TRIGGER t AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION member_mart_note('member_mart_test', 'members_scored', 'called'); INSERT INTO calls VALUES (NULL, '')$$,
	$$CREATE TABLE nothing (); CREATE TRIGGER t AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION member_mart_note('member_mart_test', 'nothing', 'called'); INSERT INTO calls VALUES (NULL, '', 'name 1')$$,
	$$CREATE TABLE nothing (gone int); ALTER TABLE nothing DROP gone; CREATE TRIGGER t AFTER TRUNCATE ON calls FOR EACH STATEMENT EXECUTE FUNCTION member_mart_note('member_mart_test', 'nothing', 'called'); TRUNCATE calls$$,
	$$CREATE VIEW of_members AS TABLE members; SELECT drop_member_mart('members')$$
]) WITH ORDINALITY s (statement, n) ORDER BY n;
SELECT to_regclass('m') IS NULL AS nothing_is_left;
-- A mart goes with all that is made for it, and nothing else.
SELECT drop_member_mart(m) FROM unnest('{members,by_script,by_called,by_session}'::regclass[]) m;
SELECT relname FROM pg_class WHERE relnamespace = 'member_mart_test'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
SELECT count(*) AS functions FROM pg_proc WHERE pronamespace = 'member_mart_test'::regnamespace;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid IN ('orders'::regclass, 'calls'::regclass);
SET client_min_messages = warning;
DROP SCHEMA member_mart_test CASCADE;
