-- Every function and aggregate, with one argument after the other replaced by values that are out of range, endless, no number, empty or of
-- the wrong shape.  What is refused is refused by an error of the right class that has a hint; only NULL needs none.
CREATE SCHEMA bad_arguments_test;
SET search_path = bad_arguments_test, public;
SET client_min_messages = warning;
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';

\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/samples.sql'
\set ECHO none
\i :include
\set ECHO all

-- Values that may be bad, as SQL.
CREATE TABLE bad (type text, value text);
INSERT INTO bad
SELECT type, format('%L::%s', value, type) FROM (VALUES
	('timestamp with time zone', '{infinity,-infinity,4714-11-24 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::text[]),
	('timestamp without time zone', '{infinity,-infinity,4714-11-24 00:00 BC,294276-12-31 23:59:59.999999}'),
	('date', '{infinity,-infinity,4714-11-24 BC,294276-12-31,5874897-12-31}'), ('time without time zone', '{00:00,24:00}'),
	('interval', '{0,-1 day,1 mon,178000000 years,290000 years,2147483647 days,106751991 days,1 year -400 days,00:00:00.000001,-178000000 years -2147483648 days}'),
	('interval[]', '{"{}","{NULL}","{{1 day}}","{1 mon}","{-1 day}","{2147483647 days}"}'),
	('integer', '{0,-1,2147483647,-2147483648}'), ('bigint', '{0,-1,9223372036854775807,-9223372036854775808}'),
	('integer[]', '{"{}","{NULL}","{{1,2},{3,4}}","{-1}","{2147483647}","[0:1]={1,2}"}'),
	('double precision', '{0,-1,1,NaN,Infinity,-Infinity,1e308,5e-324}'), ('double precision[]', '{"{}","{NULL}","{{1}}","{-1}","{NaN}","{Infinity}"}'),
	('boolean[]', '{"{}","{NULL}","{{t,f}}"}'), ('numeric', '{0,-1,NaN,Infinity,-Infinity,1e100,1e-100}'), ('numeric[]', '{"{}","{NULL}","{{1}}","{-1}","{NaN}","{Infinity}","{1e100}"}'),
	('text', '{"",a,now,infinity,4714-11-24 BC,294276-12-31 23:59:59.999999,2026-02-30,5874897-01-01,31/12/2025 Europe/Nowhere}'),
	('text[]', '{"{}","{NULL}","{{a,b},{c,d}}","{\"\"}"}')) v (type, literals), unnest(literals) value
UNION ALL VALUES ('text', 'repeat(''x'', 100000)'), ('text[]', 'array_fill(''x''::text, ARRAY[10000])'), ('integer[]', 'array_fill(1, ARRAY[10000])'),
	('interval[]', 'array_fill(interval ''1 day'', ARRAY[100])');

CREATE TABLE outcomes (function text, argument text, value text, sqlstate text, message text, hint text);
CREATE PROCEDURE try(function text, kind "char", argument text, value text, arguments text[]) LANGUAGE plpgsql AS $$
DECLARE
	state text;
	error text;
	hint text;
BEGIN
	EXECUTE format('SELECT * FROM (SELECT public.%s(%s) %s) s LIMIT 100', function, array_to_string(arguments, ', '), CASE kind WHEN 'w' THEN 'OVER ()' END);
	INSERT INTO outcomes VALUES (function, argument, value);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, error = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	INSERT INTO outcomes VALUES (function, argument, value, state, left(error, 150), nullif(hint, ''));
END $$;

-- All functions but those that write, and those that only types, aggregates, operator classes and the planner call.
CREATE VIEW functions AS
SELECT p.oid::regprocedure::text AS signature, proname AS name, prokind AS kind, ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) WITH ORDINALITY a (t, n) ORDER BY n) AS types,
	coalesce(proargnames, '{}') AS names
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE extname = 'custmart' AND provolatile <> 'v' AND NOT proargtypes::oid[] && '{internal,cstring}'::regtype[]::oid[] AND provariadic = 0
	AND NOT EXISTS (SELECT FROM pg_aggregate a WHERE p.oid IN (aggtransfn, aggcombinefn, aggfinalfn))
	AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (typsend, typreceive, typoutput, typmodout))
	AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid) AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid)
	AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
	AND proname NOT LIKE 'member_mart%';

DO $$
DECLARE
	f record;
	s record;
	bad_value text;
	arguments text[];
	is_good boolean;
BEGIN
	FOR f IN SELECT * FROM functions ORDER BY signature LOOP
		-- There is at most one type with several samples; a function has it once.
		FOR s IN SELECT n FROM generate_series(1, (SELECT max(count) FROM (SELECT count(*) FROM samples WHERE type = ANY (f.types) AND name IS NULL GROUP BY type) c)) n LOOP
			arguments := ARRAY(
				SELECT format('%L::%s', CASE WHEN named.name IS NULL THEN any_of.samples[least(s.n, cardinality(any_of.samples))] ELSE named.sample END, CASE t WHEN 'anyelement' THEN 'bigint' ELSE t END)
				FROM unnest(f.types) WITH ORDINALITY a (t, n)
				LEFT JOIN samples named ON named.type = t AND named.name IN (f.names[a.n], format('%s %s', f.name, a.n))
				LEFT JOIN LATERAL (SELECT array_agg(sample ORDER BY ctid) AS samples FROM samples WHERE type = t AND name IS NULL) any_of ON true
				ORDER BY a.n);
			CALL try(f.name, f.kind, 'none', f.signature, arguments);
			SELECT sqlstate IS NULL INTO is_good FROM outcomes WHERE value = f.signature ORDER BY ctid DESC LIMIT 1;
			IF is_good THEN
				FOR i IN 1 .. cardinality(arguments) LOOP
					FOR bad_value IN
						SELECT value FROM bad WHERE type = f.types[i] UNION ALL
						SELECT 'NULL::' || CASE f.types[i] WHEN 'anyelement' THEN 'text' ELSE f.types[i] END
					LOOP
						CALL try(f.name, f.kind, coalesce(f.names[i], i::text), bad_value, arguments[:i - 1] || bad_value || arguments[i + 1:]);
					END LOOP;
				END LOOP;
				EXIT;
			END IF;
		END LOOP;
	END LOOP;
END $$;

SELECT count(*) > 100 AS many_functions, (SELECT count(*) FROM outcomes) > 3000 AS many_calls, (SELECT count(DISTINCT sqlstate) FROM outcomes) > 4 AS errors FROM functions;
-- Functions of which no call was good: a new argument needs a sample.
SELECT signature, message FROM functions f JOIN outcomes o ON o.value = signature
WHERE NOT EXISTS (SELECT FROM outcomes WHERE value = f.signature AND sqlstate IS NULL) ORDER BY signature COLLATE "C";
-- Errors that are not the user's, or do not help. What is wrong with a statement that chart_rows() runs is said as of any statement.
SELECT DISTINCT function, argument, sqlstate, message FROM outcomes
WHERE (sqlstate !~ '^(22|42804|42883|54000)' OR hint IS NULL AND sqlstate NOT IN ('22004') AND argument <> 'none')
	AND (function, argument) <> ('chart_rows', 'statement') ORDER BY 1, 2, 3, 4;
DROP SCHEMA bad_arguments_test CASCADE;
