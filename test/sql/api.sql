-- The interface: everything that the extension adds to a database, one line each, so that a diff shows how it
-- changes. What every object must have, such as a comment, is checked by test/pgtap/custmart.sql.
\set ECHO none
\set QUIET on
\pset format unaligned
\pset tuples_only on

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'custmart' AND d.deptype = 'e'
	-- Newer releases also list the array types that come with the types.
	AND NOT EXISTS (SELECT FROM pg_type t
		WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND t.typcategory = 'A');

CREATE FUNCTION pg_temp.short(types text) RETURNS text LANGUAGE SQL
RETURN replace(types, 'timestamp with time zone', 'timestamptz');

CREATE FUNCTION pg_temp.name(function oid) RETURNS text LANGUAGE SQL
RETURN (SELECT p.proname FROM pg_proc p WHERE p.oid = function);

CREATE TEMP VIEW function AS
SELECT p.*,
	pg_temp.short(format('%s(%s) -> %s', p.proname,
		regexp_replace(regexp_replace(pg_get_function_arguments(p.oid), '(^|, )OUT .*', ''), '::[a-z_ ]+(\[\])?', '', 'g'),
		pg_get_function_result(p.oid))) AS signature,
	CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' ELSE 'parallel unsafe' END AS parallel
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

-- A support function is called by a type, an operator, an aggregate or an index, and seldom by anybody else.
CREATE TEMP VIEW labelled_function AS
SELECT f.oid IN (
		SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze]::oid[]) FROM pg_type
		UNION ALL SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]::oid[]) FROM pg_operator
		UNION ALL SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn]::oid[]) FROM pg_aggregate
		UNION ALL SELECT amproc FROM pg_amproc
		UNION ALL SELECT prosupport FROM pg_proc) AS is_support,
	concat_ws(', ', f.signature, CASE f.prokind WHEN 'w' THEN 'window' WHEN 'p' THEN 'procedure' END,
		CASE f.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
		CASE WHEN f.proisstrict THEN 'strict' END, f.parallel,
		'cost ' || f.procost, CASE WHEN f.proretset THEN 'rows ' || f.prorows END,
		CASE WHEN f.prosupport <> 0 THEN 'support ' || f.prosupport END) COLLATE "C" AS line
FROM function f WHERE f.prokind <> 'a';

\echo '# Functions'
SELECT line FROM labelled_function WHERE NOT is_support ORDER BY line;

\echo '\n# Columns of reports'
SELECT pg_temp.short(format('%s(%s) %s: %s %s', f.proname, oidvectortypes(f.proargtypes),
	to_char(row_number() OVER (PARTITION BY f.oid ORDER BY a.position), 'FM00'), a.name, format_type(a.type, NULL))) COLLATE "C" AS line
FROM function f, unnest(f.proargnames, f.proallargtypes, f.proargmodes) WITH ORDINALITY a(name, type, mode, position)
WHERE a.mode IN ('o', 'b', 't')
ORDER BY line;

\echo '\n# Aggregates'
SELECT concat_ws(', ', f.signature, format('state %s of %s bytes', a.aggtranstype::regtype, a.aggtransspace),
	'step ' || pg_temp.name(a.aggtransfn), 'combine ' || pg_temp.name(a.aggcombinefn), 'final ' || pg_temp.name(a.aggfinalfn),
	f.parallel) COLLATE "C" AS line
FROM function f JOIN pg_aggregate a ON a.aggfnoid = f.oid
ORDER BY line;

\echo '\n# Operators'
SELECT concat_ws(', ', pg_temp.short(format('%s %s %s -> %s', o.oprleft::regtype, o.oprname, o.oprright::regtype, o.oprresult::regtype)),
	'function ' || pg_temp.name(o.oprcode), 'commutator ' || c.oprname, 'negator ' || n.oprname,
	'restrict ' || pg_temp.name(o.oprrest), 'join ' || pg_temp.name(o.oprjoin),
	CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END) COLLATE "C" AS line
FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
	LEFT JOIN pg_operator c ON c.oid = o.oprcom
	LEFT JOIN pg_operator n ON n.oid = o.oprnegate
ORDER BY line;

\echo '\n# Types'
SELECT concat_ws(', ', t.typname, CASE WHEN t.typtype <> 'b' THEN format('kind %s', t.typtype) END,
	format('length %s, align %s, storage %s', t.typlen, t.typalign, t.typstorage),
	CASE WHEN t.typmodin <> 0 THEN 'with a modifier' END, format('category %s', t.typcategory)) COLLATE "C" AS line
FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
ORDER BY line;

\echo '\n# Casts'
SELECT pg_temp.short(format('%s -> %s, %s, %s', c.castsource::regtype, c.casttarget::regtype,
	CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'in assignments' ELSE 'explicit' END,
	CASE c.castmethod WHEN 'f' THEN 'function ' || pg_temp.name(c.castfunc) WHEN 'b' THEN 'same bytes' ELSE 'by text' END)) COLLATE "C" AS line
FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
ORDER BY line;

\echo '\n# Operator classes'
SELECT concat_ws(', ', format('%s %s for %s', a.amname, c.opcname, c.opcintype::regtype),
	CASE WHEN c.opcdefault THEN 'default' END, 'keys ' || nullif(c.opckeytype, 0)::regtype,
	(SELECT 'operators ' || string_agg(format('%s %s', s.amopstrategy, o.oprname), ' ' ORDER BY s.amopstrategy)
	 FROM pg_amop s JOIN pg_operator o ON o.oid = s.amopopr WHERE s.amopfamily = c.opcfamily),
	(SELECT 'functions ' || string_agg(format('%s %s', s.amprocnum, pg_temp.name(s.amproc)), ' ' ORDER BY s.amprocnum)
	 FROM pg_amproc s WHERE s.amprocfamily = c.opcfamily)) COLLATE "C" AS line
FROM member m JOIN pg_opclass c ON m.classid = 'pg_opclass'::regclass AND m.objid = c.oid JOIN pg_am a ON a.oid = c.opcmethod
ORDER BY line;

\echo '\n# Functions that types, operators, aggregates and indexes call'
SELECT line FROM labelled_function WHERE is_support ORDER BY line;

-- An object of a kind that is not listed above is at least counted.
\echo '\n# Objects by catalog'
SELECT format('%s: %s', classid::regclass, count(*)) COLLATE "C" AS line FROM member GROUP BY classid ORDER BY line;
