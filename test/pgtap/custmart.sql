-- What every object of the extension has to have, whatever capability it is of.
--
-- Needs the extensions custmart and pgtap in the database.  is_empty() names the
-- objects that break a rule.
\ir include/quiet.sql
BEGIN;

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
  FROM pg_depend d
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'custmart' AND d.deptype = 'e';

CREATE TEMP VIEW member_function AS
SELECT m.object, p.*
  FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

CREATE TEMP VIEW member_type AS
SELECT m.object, t.*
  FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
 WHERE t.typcategory <> 'A';

SELECT plan(24);

SELECT isnt(obj_description((SELECT oid FROM pg_extension WHERE extname = 'custmart'), 'pg_extension'),
            NULL, 'the extension has a comment');

-- A composite type is two objects; the comment is on either.
SELECT is_empty($$
  SELECT m.object
    FROM member m
    LEFT JOIN pg_type t ON (m.classid = 'pg_type'::regclass AND t.oid = m.objid)
                        OR (m.classid = 'pg_class'::regclass AND t.typrelid = m.objid)
   WHERE coalesce(obj_description(m.objid, m.classid::regclass::name),
                  obj_description(t.oid, 'pg_type'), '') = ''
     AND t.typcategory IS DISTINCT FROM 'A'
   ORDER BY 1
$$, 'every object has a comment');

-- Functions

-- Those of a member mart make, write and drop tables, and chart_rows runs a query of the caller, in the search_path of
-- the caller: it may need what no worker may do.
SELECT is_empty($$ SELECT object FROM member_function WHERE proparallel <> 's' AND proname !~ 'member_mart|^chart_rows$' ORDER BY 1 $$,
                'every function is parallel safe');

SELECT is_empty($$ SELECT object FROM member_function WHERE (provolatile = 'v') <> (proparallel = 'u') OR provolatile = 'v' AND proname !~ 'member_mart' ORDER BY 1 $$,
                'no function is left volatile, the default, unless it writes');

SELECT is_empty($$ SELECT object FROM member_function WHERE proretset AND prorows = 1000 ORDER BY 1 $$,
                'no function that returns rows is left at the default estimate of 1000');

SELECT is_empty($$ SELECT object FROM member_function WHERE prosecdef ORDER BY 1 $$,
                'no function runs with its owner''s rights');

SELECT is_empty($$
  SELECT object FROM member_function WHERE NOT has_function_privilege('public', oid, 'EXECUTE') ORDER BY 1
$$, 'everybody may execute every function');

SELECT is_empty($$
  SELECT f.object
    FROM member_function f JOIN pg_language l ON l.oid = f.prolang
   WHERE l.lanname NOT IN ('c', 'internal') AND f.prosqlbody IS NULL
     AND NOT coalesce(array_to_string(f.proconfig, ' ') LIKE '%search_path=%', false) AND f.proname <> 'chart_rows'
   ORDER BY 1
$$, 'every SQL or PL function is parsed at creation or pins its search_path');

-- Aggregates: what it takes to split them over parallel workers and other machines

SELECT is_empty($$
  SELECT f.object
    FROM member_function f JOIN pg_aggregate a ON a.aggfnoid = f.oid
   WHERE a.aggtranstype = 'internal'::regtype OR a.aggcombinefn = 0
   ORDER BY 1
$$, 'every aggregate has a state that travels and can be combined');

SELECT is_empty($$
  SELECT f.object
    FROM member_function f
    JOIN pg_aggregate a ON a.aggfnoid = f.oid, unnest(f.proargtypes::oid[]) AS argument
    JOIN pg_type t ON t.oid = argument
   WHERE t.typtype = 'p'
   ORDER BY 1
$$, 'every aggregate has arguments of concrete types');

SELECT is_empty($$
  SELECT f.object
    FROM member_function f JOIN pg_aggregate a ON a.aggfnoid = f.oid
   WHERE a.aggfinalextra OR a.aggmfinalextra OR a.aggfinalmodify <> 'r'
   ORDER BY 1
$$, 'every final function leaves the state as it is and asks for no extra arguments');

SELECT is_empty($$
  SELECT f.object
    FROM member_function f JOIN pg_aggregate a ON a.aggfnoid = f.oid
   WHERE a.aggtransspace = 0
   ORDER BY 1
$$, 'every aggregate says how large its state is');

-- Types and operators

SELECT is_empty($$
  SELECT object FROM member_type
   WHERE typtype = 'b' AND (typreceive = 0 OR typsend = 0)
   ORDER BY 1
$$, 'every type has binary input and output');

SELECT is_empty($$
  SELECT object FROM member_type WHERE NOT has_type_privilege('public', oid, 'USAGE') ORDER BY 1
$$, 'everybody may use every type');

SELECT is_empty($$
  SELECT t.object, m.amname
    FROM member_type t, pg_am m
   WHERE t.typtype = 'b' AND m.amname IN ('btree', 'hash')
     AND NOT EXISTS (SELECT FROM pg_opclass c
                      WHERE c.opcmethod = m.oid AND c.opcintype = t.oid AND c.opcdefault)
   ORDER BY 1, 2
$$, 'every stored type can be sorted and hashed');

SELECT is_empty($$
  SELECT m.object
    FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
   WHERE o.oprname IN ('=', '<>', '<', '<=', '>', '>=')
     AND (o.oprcom = 0 OR o.oprnegate = 0 OR o.oprrest = 0 OR o.oprjoin = 0)
   ORDER BY 1
$$, 'every comparison has its commutator, negator and selectivity estimators');

SELECT is_empty($$
  SELECT m.object
    FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
   WHERE o.oprname = '=' AND NOT (o.oprcanmerge AND o.oprcanhash)
   ORDER BY 1
$$, 'every equality serves merge and hash joins');

SELECT is_empty($$
  SELECT m.object
    FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
   WHERE o.oprresult = 'boolean'::regtype
     AND (o.oprrest = 0 OR o.oprjoin = 0 OR (o.oprleft = o.oprright AND o.oprcom = 0))
   ORDER BY 1
$$, 'every other condition has selectivity estimators, and a commutator if it can have one');

SELECT is_empty($$
  SELECT m.object
    FROM member m
    JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
    JOIN pg_proc p ON p.oid = o.oprcode
   WHERE p.provolatile <> 'i' OR NOT p.proisstrict
   ORDER BY 1
$$, 'every operator is immutable and strict');

SELECT is_empty($$
  SELECT m.object
    FROM member m JOIN pg_opclass c ON m.classid = 'pg_opclass'::regclass AND m.objid = c.oid
   WHERE NOT amvalidate(c.oid)
   ORDER BY 1
$$, 'every operator class is what its index access method wants');

SELECT is_empty($$
  SELECT t.object
    FROM member_type t
   WHERE (t.typmodin = 0) <> (t.typmodout = 0)
      OR (t.typmodin <> 0 AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget = t.oid))
   ORDER BY 1
$$, 'every modifier of a type can be written, and a value cast to it');

SELECT is_empty($$
  SELECT m.object
    FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
   WHERE c.castcontext = 'i' AND c.castsource <> c.casttarget
   ORDER BY 1
$$, 'no cast to another type happens in an expression without being asked for');

SELECT is_empty($$
  SELECT t.object FROM member_type t WHERE t.typtype = 'b' AND (t.typlen <> -1 OR t.typstorage = 'p') ORDER BY 1
$$, 'every stored type can be compressed and moved out of line');

-- They are called with NULL by whoever likes to, being functions like others.
SELECT is_empty($$
  SELECT f.object
    FROM member_type t
    JOIN member_function f ON f.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend)
   WHERE NOT f.proisstrict
   ORDER BY 1
$$, 'every input and output function is strict');

SELECT * FROM finish();
ROLLBACK;
