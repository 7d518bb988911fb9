# What PostgreSQL's catalogs say of the extension, to see that a database that was upgraded is like one with a fresh
# installation.
package Catalog;

use strict;
use warnings;

# Every object of the extension with all that its catalog says of it but numbers of objects.
our $objects = q{
	SET search_path = pg_catalog;
	CREATE TEMP VIEW member AS SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'custmart');
	SELECT pg_describe_object(classid, objid, 0), obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) FROM member;
	SELECT oid::regprocedure, pg_get_userbyid(proowner), prolang, procost, prorows, prosupport::regproc, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargs, pronargdefaults, prorettype::regtype, proallargtypes::regtype[], proargmodes, proargnames, pg_get_expr(proargdefaults, 0), prosrc, probin, pg_get_function_sqlbody(oid), proconfig, proacl
	  FROM pg_proc JOIN member ON objid = oid AND classid = 'pg_proc'::regclass;
	SELECT oid::regtype, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull, typbasetype::regtype, typtypmod, typdefault, typacl FROM pg_type JOIN member ON objid = oid AND classid = 'pg_type'::regclass;
	SELECT aggfnoid::regprocedure, aggkind, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggfinalextra, aggfinalmodify, aggsortop, aggtranstype::regtype, aggtransspace, agginitval FROM pg_aggregate JOIN member ON objid = aggfnoid AND classid = 'pg_proc'::regclass;
	SELECT oid::regoperator, oprcanmerge, oprcanhash, oprresult::regtype, oprcom::regoperator, oprnegate::regoperator, oprcode, oprrest, oprjoin FROM pg_operator JOIN member ON objid = oid AND classid = 'pg_operator'::regclass;
	SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod FROM pg_cast c JOIN member ON objid = c.oid AND classid = 'pg_cast'::regclass;
	SELECT opcname, opcintype::regtype, opcdefault, opckeytype::regtype, amname FROM pg_opclass c JOIN member ON objid = c.oid AND classid = 'pg_opclass'::regclass JOIN pg_am a ON a.oid = opcmethod;
	SELECT amoplefttype::regtype, amoprighttype::regtype, amopstrategy, amoppurpose, amopopr::regoperator FROM pg_amop JOIN member ON objid = amopfamily AND classid = 'pg_opfamily'::regclass;
	SELECT amproclefttype::regtype, amprocrighttype::regtype, amprocnum, amproc FROM pg_amproc JOIN member ON objid = amprocfamily AND classid = 'pg_opfamily'::regclass;
	SELECT extversion, extrelocatable, extnamespace::regnamespace FROM pg_extension WHERE extname = 'custmart'};

# The lines that are in one list of objects only.
sub differences
{
	my %should = map { $_ => 1 } split /\n/, $_[0];
	my %is = map { $_ => 1 } split /\n/, $_[1];
	return join "\n", (map { "-$_" } grep { !$is{$_} } sort keys %should), (map { "+$_" } grep { !$should{$_} } sort keys %is);
}

1;
