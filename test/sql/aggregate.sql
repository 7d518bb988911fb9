-- Support functions change states in place, so only an aggregate may call them. Every one that the extension has, final
-- ones included, is called by hand and refuses, whatever it is given.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
SET timezone = 'UTC';
CREATE TEMP VIEW support AS
SELECT DISTINCT f.oid::regproc AS name, f.provariadic <> 0 AS is_variadic, f.proargtypes::oid[]::regtype[] AS types
FROM pg_aggregate a JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = a.aggfnoid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'custmart'
CROSS JOIN unnest(ARRAY[aggtransfn, aggcombinefn, aggfinalfn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn]::oid[]) s (oid) JOIN pg_proc f ON f.oid = s.oid;

-- A good value of every type that a state or an argument has.
CREATE TEMP TABLE good (type regtype PRIMARY KEY, value text);
INSERT INTO good VALUES ('bigint', '1'), ('integer', '2'), ('numeric', '1.50'), ('double precision', '0.5'), ('text', 'own'), ('uuid', '00000000-0000-0000-0000-000000000001'),
	('date', '2026-01-01'), ('timestamptz', '2026-01-01'), ('timestamp', '2026-01-01'), ('interval', '1 day'), ('boolean', 't'), ('boolean[]', '{t}'), ('bigint[]', '{5}'), ('double precision[]', '{1,0.5}'), ('bytea', '\x06010000000000000000000000000000');
INSERT INTO good SELECT pg_typeof(v), v::text FROM (SELECT rfm('2026-01-01', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT rfm_book(1::bigint, '2026-01-01', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT tags('vip')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT pricebook(1::bigint, 'a', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT price_slope(1::bigint, '2026-01-01', 1, 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT activity('2026-01-01', 'day', 'UTC')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT retention_book(1::bigint, '2026-01-01', 'day', 'UTC')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT funnel('1 day', '2026-01-01', true)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT funnel_book(1::bigint, '1 day', '2026-01-01', true)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT interaction_book(1::bigint, 'own', '2026-01-01')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT session_book(1::bigint, '2026-01-01')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT spend('2026-01-01', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT points('2026-01-01', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT campaign(true, 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT campaign_book('a'::text, true, 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT contact_book(1::bigint, 'email', 'sent', '2026-01-01')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT contact_trail('email', 'sent', '2026-01-01')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT audience_book(1::bigint, 1, true)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT preference_book(1::bigint, 'tea', 1)) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT basket_book(1::bigint, 'tea')) x (v)
	UNION ALL SELECT pg_typeof(v), v::text FROM (SELECT check_book('m', 'o', 'i', timestamptz '2026-01-01', 1, 1)) x (v);
SELECT DISTINCT unnest(types) AS without_a_value FROM support EXCEPT SELECT type FROM good;

-- With and without a state, with and without the rest.
CREATE TEMP TABLE calls AS SELECT name, format('SELECT %s(%s)', name, list) AS call
FROM support, unnest('{f,t}'::boolean[]) has_state, unnest('{f,t}'::boolean[]) has_rest,
LATERAL (SELECT string_agg(CASE WHEN is_variadic AND n = cardinality(types) THEN 'VARIADIC ' ELSE '' END
		|| CASE WHEN CASE n WHEN 1 THEN has_state ELSE has_rest END THEN quote_literal(value) ELSE 'NULL' END || '::' || type, ', ' ORDER BY n) AS list
	FROM unnest(types) WITH ORDINALITY t (type, n) JOIN good USING (type)) s;
SELECT count(DISTINCT name) >= 56 AS all_functions, count(DISTINCT name) FILTER (WHERE name::text LIKE '%\_final') >= 4 AS final_ones_too, bool_and(call IS NOT NULL) AS all_called FROM calls;
SELECT call, error FROM calls, hostile.error_of(call) error WHERE error IS NULL OR error NOT LIKE '0A000 support function of %' ORDER BY call;
