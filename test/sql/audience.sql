-- Audiences: who gets what, once, with a fair control group.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA audience_test;
SET search_path = audience_test, public;

-- Values that another implementation of XXH64 gives (docs/audience.md); they are for ever.
SELECT member, hash_share(member, 'spring 2026') FROM unnest('{0,1,42,-1}'::bigint[]) member;
SELECT hash_share('anna@example.org', 'spring 2026');
SELECT count(*) FROM generate_series(1, 100000::bigint) m WHERE is_held_out(m, 'spring 2026', 0.1);
-- A uuid and a text of the same bytes; an empty text; NULL.
SELECT hash_share(uuid '61626364-6566-6768-696a-6b6c6d6e6f70', 's') = hash_share('abcdefghijklmnop', 's') AS same, hash_share('', '') AS empty, hash_share(1::bigint, NULL), hash_share(NULL::text, 'x'), is_held_out(1::bigint, 's', NULL);
-- Who is held out of a tenth is held out of a fifth, and other salts are independent.
SELECT count(*) FILTER (WHERE is_held_out(m, 'a', 0.1) AND NOT is_held_out(m, 'a', 0.2)) AS left_out, count(*) FILTER (WHERE is_held_out(m, 'a', 0)) AS none, count(*) FILTER (WHERE is_held_out(m, 'a', 1)) AS everybody,
       abs(corr(hash_share(m, 'a'), hash_share(m, 'b'))) < 0.02 AS independent, abs(avg(hash_share(m, 'a')) - 0.5) < 0.005 AS even, min(hash_share(m, 'a')) >= 0 AND max(hash_share(m, 'a')) < 1 AS in_range
FROM generate_series(1, 50000::bigint) m;

-- Errors.
\set VERBOSITY default
SELECT is_held_out(1::bigint, 'a', 10);
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	$$is_held_out(1::bigint, 'a', -0.1)$$, $$is_held_out('a', 'a', 'NaN')$$, $$is_held_out(NULL::text, 'a', 2)$$, $$is_held_out(uuid '00000000-0000-0000-0000-000000000000', 'a', 'Infinity')$$]) statement;
