-- Every function and aggregate, with one argument after the other replaced by values that are out of range, endless, no number, empty or of
-- the wrong shape.  What is refused is refused by an error of the right class that has a hint; only NULL needs none.
CREATE SCHEMA bad_arguments_test;
SET search_path = bad_arguments_test, public;
SET client_min_messages = warning;
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';

CREATE TABLE orders AS
SELECT n, n % 20 AS member, timestamptz '2025-01-01 05:00Z' + n * 7919 % 8000 * interval '1 hour' AS at, (n * 104729 % 20011 + 99) / 100.0 AS amount,
	(ARRAY['tea', 'rice', 'oil'])[1 + n % 3] AS item, (ARRAY['email', 'sms'])[1 + n % 2] AS channel, (ARRAY['sent', 'sent', 'clicked', 'unsubscribed'])[1 + n * 31 % 4] AS kind
FROM generate_series(1, 400) n;

-- Values of a type that are good, or of arguments of a name or, where they have none, a place. Functions are tried with one after the other until they take it.
CREATE TABLE samples (type text, name text, sample text);
INSERT INTO samples
SELECT 'rfm_summary', NULL, rfm(at, amount)::text FROM orders UNION ALL
SELECT 'rfm_cuts', NULL, rfm_cuts(rfm_book(member, at, amount))::text FROM orders UNION ALL
SELECT 'funnel_summary', NULL, funnel('3 days', at, kind = 'sent', kind = 'clicked', n % 3 = 0, n % 7 = 0)::text FROM orders UNION ALL
SELECT 'spend_summary', NULL, spend(at, amount)::text FROM orders UNION ALL
SELECT 'points_summary', NULL, points(at, amount)::text FROM orders UNION ALL
SELECT 'activity_summary', NULL, activity(at, 'month', 'America/New_York')::text FROM orders UNION ALL
SELECT 'contact_trail', NULL, contact_trail(channel, kind, at)::text FROM orders UNION ALL
SELECT 'check_book', NULL, check_book(member::text, n::text, item, at, 1, amount)::text FROM orders UNION ALL
SELECT 'campaign_summary', NULL, campaign(n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'campaign_book', NULL, campaign_book(item, n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'campaign_book', NULL, campaign_book(amount::float8, n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'pricebook_summary', NULL, pricebook(n % 5::bigint, date_trunc('month', at)::date, channel, amount, 1, member)::text FROM orders UNION ALL
SELECT 'price_slope_summary', NULL, price_slope(n % 5::bigint, n::float8, amount, member)::text FROM orders UNION ALL
SELECT 'clv_model', NULL, clv_fit(retention_book(member, at, amount, 'day', 'America/New_York'))::text FROM orders;
INSERT INTO samples VALUES
	('tagbloom', NULL, tags('a', 'b')::text), ('tagquery', NULL, 'a & !b'), ('uuid', NULL, '00000000-0000-0000-0000-000000000001'),
	('timestamp with time zone', NULL, '2026-06-01 00:00+00'), ('timestamp with time zone', 'from_as_of', '2026-02-01'),
	('timestamp with time zone', 'first_order', '2026-01-01'), ('timestamp with time zone[]', NULL, '{2026-01-01}'), ('timestamp without time zone', NULL, '2026-06-01'),
	('date', NULL, '2026-06-01'), ('date', 'until', '2025-10-01'), ('date', 'since', '2025-09-01'), ('date', 'birth', '2000-02-29'),
	('time without time zone', NULL, '08:00'), ('time without time zone', 'quiet_from', '21:00'),
	('interval', NULL, '30 days'), ('interval', 'keep_for', NULL), ('interval[]', NULL, '{1 day}'), ('boolean', NULL, 'true'), ('boolean', 'from_zero', 'false'),
	('boolean', 'same_cuts', 'false'), ('integer', NULL, '2'), ('integer', 'bins', '5'), ('integer', 'last_day', '90'),
	('integer', 'max_cap', '7'), ('integer', 'score', '555'), ('integer[]', NULL, '{1,8}'), ('integer[]', 'exclusions', '{4}'),
	('integer[]', 'optional_steps', '{2}'), ('integer[]', 'caps', '{1,2}'), ('bigint', NULL, '2'), ('bigint[]', NULL, '{2,3}'), ('uuid[]', NULL, '{00000000-0000-0000-0000-000000000001}'), ('bigint', 'offered', '9'),
	('double precision', NULL, '0.5'), ('double precision', 'treated_rate', '0.3'), ('double precision[]', NULL, '{0.5}'),
	('double precision[]', 'weights', '{1,2}'), ('double precision[]', 'min_frequency', '{2}'), ('double precision[]', 'frequency', '{2}'),  ('double precision[]', 'max_recency', '{30}'),
	('numeric', NULL, '2'), ('numeric[]', NULL, '{2}'),
	('text', NULL, 'a'), ('text', 'unit', 'month'), ('text', 'timezone', 'UTC'), ('text', 'mode', 'strict_once'), ('text', 'as_of', '2026-06-01'),
	('text', 't', '2026-06-01'), ('text', 'model', 'bg/nbd'), ('text', 'reference', 'email'), ('text', 'among', 'both'), ('text', 'reason', 'null'),
	('text[]', NULL, '{a,b}'), ('text[]', 'responses', '{clicked}'), ('text[]', 'columns', '{a,b,c,d,e,f}'), ('text[]', 'segments', NULL),
	('anyelement', NULL, NULL), ('boolean[]', NULL, '{t,f}'),
	('text', 'contact_book 3', 'sent'), ('text', 'contact_trail 2', 'sent'), ('text', 'interaction_book 2', 'own'), ('text', 'interaction_stage 1', 'own'), ('text', 'chart_rows 1', 'SELECT 1 AS a');

-- Books of members, by each type of them.
DO $$
DECLARE
	member text;
	book text;
BEGIN
	FOREACH member IN ARRAY ARRAY['member', 'member::text', 'lpad(member::text, 32, ''0'')::uuid'] LOOP
		FOREACH book IN ARRAY ARRAY[
			'rfm_book(member, at, amount)',
			'funnel_book(member, ''3 days'', at, kind = ''sent'', kind = ''clicked'', n % 3 = 0, n % 7 = 0)',
			'session_book(member, at)',
			'interaction_book(member, ''own'', at)',
			'preference_book(member, item, amount)',
			'audience_book(member, amount::float8, n % 2 = 0, n % 3 = 0)',
			'contact_book(member, channel, kind, at)',
			'retention_book(member, at, amount, ''day'', ''America/New_York'')',
			'retention_book(member, at)'] LOOP
			EXECUTE 'INSERT INTO samples SELECT pg_typeof(book), NULL, book::text FROM (SELECT ' || replace(book, '(member', '(' || member) || ' AS book FROM orders) b';
		END LOOP;
	END LOOP;
END $$;

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
