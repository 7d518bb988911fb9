-- Books without some of their members.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA forget_test;
SET search_path = forget_test, public;
SET timezone = 'UTC';

-- The latest row is a refund of Ann's. When she is forgotten, the latest row is Cy's refund, later than Bo's order; then Bo's order.
CREATE TABLE orders (member text, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES ('Ann', '2026-01-01', 10), ('Ann', '2026-03-05', -4), ('Bo', '2026-01-10', 20), ('Bo', '2026-01-02', -1), ('Cy', '2026-02-02', -3), (NULL, '2026-04-01', 5), ('Bo', NULL, 5);
SELECT gone, member, frequency, refunds, monetary, recency, member_count(b) AS members, rows_skipped(b) AS skipped
FROM (SELECT rfm_book(member, ordered_at, amount) AS book FROM orders) o, (VALUES ('{}'::text[]), ('{Ann}'), ('{Ann,Cy}'), ('{Cy,Di}')) v(gone), LATERAL (SELECT forget(book, gone) AS b) f, rfm_members(NULL::text, b) ORDER BY gone, member;
SELECT gone, forget(book, gone) = (SELECT rfm_book(member, ordered_at, amount) FROM orders WHERE member <> ALL (gone) OR (member = ANY (gone)) IS NOT TRUE OR ordered_at IS NULL) AS that_of_all_other_rows
FROM (SELECT rfm_book(member, ordered_at, amount) AS book FROM orders) o, (VALUES ('{}'::text[]), ('{Ann}'), ('{Ann,Cy}'), ('{Bo}'), ('{Ann,Bo,Cy}')) v(gone);
-- One, or several; who is not there; everybody, with rows that were skipped and without.
SELECT forget(book, 'Bo') = forget(book, '{Bo}'::text[]) AS one, forget(book, 'Di') = book AS absent, forget(book, '{}'::text[]) = book AS none, forget(book, '{Ann,Bo,Cy,Ann}'::text[]) = (SELECT rfm_book(member, NULL, amount) FROM orders WHERE member IS NULL OR ordered_at IS NULL) AS all_of_them,
	forget(forget(book, 'Ann'), 'Cy') = forget(book, '{Cy,Ann}'::text[]) AS step_by_step FROM (SELECT rfm_book(member, ordered_at, amount) AS book FROM orders) o;
SELECT forget(rfm_book(member, ordered_at, amount), '{Ann,Bo,Cy}'::text[]) IS NULL AS nothing_left FROM orders WHERE member IS NOT NULL AND ordered_at IS NOT NULL;
SELECT forget(NULL::rfm_book, 'Ann') IS NULL AS of_nothing, forget(NULL::basket_book, '{1}'::bigint[]) IS NULL AS of_no_baskets;
-- Who was skipped is not known, so their rows stay counted.
SELECT rows_skipped(forget(rfm_book(member, ordered_at, amount), 'Bo')) FROM orders;

-- Channels, categories and items that nobody else has are forgotten as well, and that times had fractions.
SELECT encode(contact_book_send(b), 'escape') ~ 'pager' AS before, encode(contact_book_send(forget(b, 1::bigint)), 'escape') ~ 'pager' AS after, forget(b, 1::bigint) = (SELECT contact_book(2::bigint, 'email', 'sent', '2026-01-02')) AS seconds
FROM (SELECT contact_book(m, c, 'sent', t) AS b FROM (VALUES (1::bigint, 'pager', timestamptz '2026-01-01 00:00:00.5'), (1, 'email', '2026-01-01'), (2, 'email', '2026-01-02')) v(m, c, t)) s;
SELECT encode(preference_book_send(b), 'escape') ~ 'pager' AS before, encode(preference_book_send(forget(b, 1::bigint)), 'escape') ~ 'pager' AS after FROM (SELECT preference_book(m, c, 1) AS b FROM (VALUES (1::bigint, 'pager'), (1, 'tea'), (2, 'tea')) v(m, c)) s;
SELECT item_count(b), item_count(forget(b, 1::bigint)), encode(basket_book_send(forget(b, 1::bigint)), 'escape') ~ 'pager' AS after FROM (SELECT basket_book(m, c) AS b FROM (VALUES (1::bigint, 'pager'), (1, 'tea'), (2, 'tea')) v(m, c)) s;

-- Of rows that were skipped it stays known which steps and how many audiences there are, if they said so; of the others it does not.
SELECT said, (SELECT count(*) FROM funnel_steps(forget(f, 1::bigint))) AS steps, forget(f, 1::bigint) = skipped AS that_of_all_other_rows
FROM (SELECT 'steps' AS said, funnel_book(m, '1 h', timestamptz '2026-01-01', true, false) AS f, (SELECT funnel_book(NULL::bigint, '1 h', '2026-01-01', true, false)) AS skipped FROM unnest('{1,NULL}'::bigint[]) m
	UNION ALL SELECT 'nothing', funnel_book(1::bigint, w, '2026-01-01', true, false), (SELECT funnel_book(1::bigint, NULL, '2026-01-01', true, false)) FROM unnest('{1 h,NULL}'::interval[]) w) s;
SELECT said, forget(a, 1::bigint) = skipped AS that_of_all_other_rows, hostile.error_of(format('SELECT %L::audience_book + audience_book(2::bigint, 1, true)', forget(a, 1::bigint))) AS with_one
FROM (SELECT 'two' AS said, audience_book(m, 1, true, false) AS a, (SELECT audience_book(NULL::bigint, 1, true, false)) AS skipped FROM unnest('{1,NULL}'::bigint[]) m
	UNION ALL SELECT 'nothing', audience_book(1::bigint, 1, VARIADIC c), (SELECT audience_book(1::bigint, 1, VARIADIC NULL::boolean[])) FROM (VALUES ('{t,f}'::boolean[]), (NULL)) v(c)) s;

-- When in its last period a row was is not kept: a book of periods has no latest time.
SELECT forget(retention_book(m, t, 'month', 'UTC'), 1::bigint) = retention_book(m, t, 'month', 'UTC') FILTER (WHERE m <> 1) AS same FROM (VALUES (1::bigint, timestamptz '2026-03-31 12:00'), (2, '2026-03-05'), (2, '2026-01-05')) v(m, t);

-- Errors.
\set VERBOSITY default
SELECT forget(rfm_book(member, ordered_at, amount), 5) FROM orders;
SELECT forget(rfm_book(member, ordered_at, amount), NULL::text) FROM orders;
SELECT forget(rfm_book(member, ordered_at, amount), NULL::text[]) FROM orders;
SELECT forget(rfm_book(member, ordered_at, amount), '{Ann,NULL}'::text[]) FROM orders;
SELECT forget(basket_book(5, 'tea'), '{a}'::text[]);
SELECT forget(basket_book(5, 'tea'), NULL::bigint);
\set VERBOSITY terse
SELECT statement, left(hostile.error_of('SELECT ' || statement), 60) AS error FROM unnest(ARRAY[$$forget(session_book(1::bigint, '2026-01-01'), 'x')$$, $$forget(session_book('x'::text, '2026-01-01'), 1)$$, $$forget(session_book('00000000-0000-0000-0000-000000000001'::uuid, '2026-01-01'), '00000000-0000-0000-0000-000000000001')$$,
	$$forget(audience_book(1::bigint, 1, true), ARRAY[NULL]::uuid[])$$, $$forget(session_book('00000000-0000-0000-0000-000000000001'::uuid, '2026-01-01'), '{00000000-0000-0000-0000-000000000001}'::uuid[])$$]) statement;
