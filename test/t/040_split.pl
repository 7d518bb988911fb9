# Every aggregate can be split over machines as Citus does it.  Citus is in no
# Debian release, so what it does to an aggregate is done here by a module of our
# own, test/split/split.c, which says what that is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Aggregates;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use TestModule;
use Test::More;

my $module = TestModule::build('split');
my $node = PostgreSQL::Test::Cluster->new('split');
$node->init;
$node->start;
my $session = Session->new($node);
$session->sql(qq{
	CREATE EXTENSION custmart;
	CREATE FUNCTION split_step(internal, oid, VARIADIC "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_flat_step(internal, oid, VARIADIC "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_combine_text(internal, oid, text) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_combine_text(internal, oid, text, anyelement) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_combine_binary(internal, oid, bytea) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_combine_binary(internal, oid, bytea, anyelement) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_to_text(internal) RETURNS text AS '$module' LANGUAGE C;
	CREATE FUNCTION split_to_binary(internal) RETURNS bytea AS '$module' LANGUAGE C;
	CREATE FUNCTION split_final(internal, oid, text, anyelement) RETURNS anyelement AS '$module' LANGUAGE C;
	CREATE FUNCTION split_final(internal, oid, bytea, anyelement) RETURNS anyelement AS '$module' LANGUAGE C;

	-- On a worker: rows to a partial state that travels.
	CREATE AGGREGATE partial_text(oid, VARIADIC "any") (SFUNC = split_step, STYPE = internal, FINALFUNC = split_to_text);
	CREATE AGGREGATE partial_binary(oid, VARIADIC "any") (SFUNC = split_step, STYPE = internal, FINALFUNC = split_to_binary);
	CREATE AGGREGATE partial_flat(oid, VARIADIC "any") (SFUNC = split_flat_step, STYPE = internal, FINALFUNC = split_to_text);
	-- In between: partial states to one that travels on.
	CREATE AGGREGATE merge_text(oid, text) (SFUNC = split_combine_text, STYPE = internal, FINALFUNC = split_to_text);
	CREATE AGGREGATE merge_binary(oid, bytea) (SFUNC = split_combine_binary, STYPE = internal, FINALFUNC = split_to_binary);
	-- On the coordinator: partial states to the result.
	CREATE AGGREGATE result_text(oid, text, anyelement) (SFUNC = split_combine_text, STYPE = internal, FINALFUNC = split_final, FINALFUNC_EXTRA);
	CREATE AGGREGATE result_binary(oid, bytea, anyelement) (SFUNC = split_combine_binary, STYPE = internal, FINALFUNC = split_final, FINALFUNC_EXTRA);

	CREATE VIEW split_aggregate AS
	SELECT p.oid, p.oid::regprocedure::text AS signature, p.proname, p.prorettype::regtype::text AS result, a.*,
	       (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (t, n)) AS arguments
	  FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
	  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	 WHERE e.extname = 'custmart';
});

# The rules that show in the catalogs.
is( $session->sql(q{
	SELECT signature, rule
	  FROM split_aggregate a JOIN pg_proc p USING (oid), LATERAL (VALUES
	    ('arguments of concrete types', NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) x JOIN pg_type t ON t.oid = x WHERE t.typtype = 'p')),
	    ('a result of a concrete type', (SELECT typtype <> 'p' FROM pg_type t WHERE t.oid = p.prorettype)),
	    ('plain rows, no ordered set', aggkind = 'n'),
	    ('no initial state', agginitval IS NULL AND aggminitval IS NULL),
	    ('a state with a type', aggtranstype <> 'internal'::regtype AND aggserialfn = 0 AND aggdeserialfn = 0),
	    ('a state that travels as text and binary', (SELECT typinput <> 0 AND typoutput <> 0 AND typreceive <> 0 AND typsend <> 0 FROM pg_type t WHERE t.oid = aggtranstype)),
	    ('a state whose text depends on no setting', aggtranstype NOT IN ('float8[]'::regtype, 'float8'::regtype, 'timestamptz[]'::regtype, 'interval'::regtype)),
	    ('a combine function', aggcombinefn <> 0),
	    ('no extra arguments of the final function', NOT aggfinalextra),
	    ('parallel safe', proparallel = 's' AND NOT EXISTS (SELECT FROM pg_proc f WHERE f.oid IN (aggtransfn, aggcombinefn, aggfinalfn) AND f.proparallel <> 's')),
	    ('open to everybody', NOT EXISTS (SELECT FROM pg_proc f WHERE f.oid IN (a.oid, aggtransfn, aggcombinefn, aggfinalfn) AND NOT has_function_privilege('public', f.oid, 'EXECUTE')))
	  ) AS r (rule, is_kept)
	 WHERE NOT is_kept ORDER BY 1, 2}), '', 'every aggregate keeps the rules');
is( $session->sql(q{
	SELECT t.oid::regtype, m.amname
	  FROM pg_type t JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid, pg_am m
	 WHERE e.extname = 'custmart' AND t.typtype = 'b' AND t.typelem = 0 AND m.amname IN ('btree', 'hash')
	   AND NOT EXISTS (SELECT FROM pg_opclass c JOIN pg_amproc p ON p.amprocfamily = c.opcfamily AND p.amproclefttype = t.oid
	                    WHERE c.opcmethod = m.oid AND c.opcintype = t.oid AND c.opcdefault AND p.amprocnum = CASE amname WHEN 'hash' THEN 2 ELSE 1 END)
	 ORDER BY 1, 2}), '', 'every type can be sorted, hashed and be a distribution key');
# A function that reads a table or a setting would find others on each machine.
is( $session->sql(q{
	SELECT DISTINCT f.oid::regprocedure FROM split_aggregate a JOIN pg_proc f ON f.oid IN (aggtransfn, aggcombinefn, aggfinalfn)
	 WHERE f.provolatile <> 'i'}), '', 'support functions are immutable');

Aggregates::make_shop(sub { $session->sql($_[0]) });
my @aggregates = Aggregates::list(sub { $session->sql($_[0]) });
cmp_ok(scalar(@aggregates), '>=', 14, 'the extension has aggregates');

# "merged" does not depend on the type of the value it is compared with.
sub same
{
	my ($split, $plain, $description) = @_;
	my ($out, $err) = $session->query("SELECT ($split) IS NOT DISTINCT FROM ($plain), ($plain) IS NOT NULL");
	return is($out, 't|t', $description) || diag($err || "SELECT ($split)");
}

for (@aggregates)
{
	my ($signature, $name, $result, $types) = @$_;
	my $arguments = Aggregates::arguments($name, $types);

	ok(defined $arguments, "$signature: rows for its arguments") or next;
	my $plain = "SELECT $name(@{[ Aggregates::called($arguments) ]}) FROM shop";
	my $of = "'$signature'::regprocedure";
	my $null = "NULL::$result";

	for my $way ('text', 'binary')
	{
		my $partial = "SELECT worker, partial_$way($of, $arguments) AS p FROM shop GROUP BY worker";
		my $none = "SELECT -1, partial_$way($of, $arguments) FROM shop WHERE false";
		my $null_rows = "SELECT -2, partial_$way($of, " . Aggregates::nulls($types) . ') FROM generate_series(1, 3)';

		is($session->sql("SELECT ($none) IS NULL" =~ s/SELECT -1, /SELECT /r), 't', "$signature: no rows, no state");
		same("SELECT result_$way($of, p, $null) FROM ($partial) s", $plain, "$signature: split, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT partial_$way($of, $arguments) AS p FROM shop) s",
			$plain, "$signature: one worker, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT partial_$way($of, $arguments) AS p FROM shop GROUP BY id ORDER BY id DESC) s",
			$plain, "$signature: a worker for each row, $way");
		same("SELECT result_$way($of, p, $null) FROM ($none UNION ALL $null_rows UNION ALL $partial UNION ALL $none UNION ALL $null_rows) s (worker, p)",
			"SELECT $name(@{[ Aggregates::called($arguments) ]}) FROM (SELECT (s).* FROM (SELECT s FROM shop s UNION ALL SELECT NULL::shop FROM generate_series(1, 6)) x) s",
			"$signature: workers with no rows and with NULLs, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT merge_$way($of, p) AS p FROM ($none UNION ALL $partial) s (worker, p) GROUP BY worker % 2) s",
			$plain, "$signature: merged in two steps, $way");
		# Nothing at all, and nothing but NULLs: as the plain aggregate has it.
		for my $nothing ("SELECT result_$way($of, p, $null) FROM ($partial) s WHERE false",
			"SELECT result_$way($of, p, $null) FROM ($none UNION ALL $none) s (worker, p)")
		{
			is($session->sql("SELECT ($nothing) IS NULL AND (SELECT $name(@{[ Aggregates::called($arguments) ]}) FROM shop WHERE false) IS NULL"),
				't', "$signature: nothing of nothing, $way");
		}
		is( $session->sql("SELECT (SELECT result_$way($of, p, $null) FROM ($null_rows) s (worker, p)) IS NOT DISTINCT FROM (SELECT $name("
				  . Aggregates::called(Aggregates::nulls($types)) . ') FROM generate_series(1, 3))'),
			't', "$signature: nothing but NULLs, $way");
	}
	same("SELECT result_text($of, p, $null) FROM (SELECT partial_flat($of, $arguments) AS p FROM shop GROUP BY worker) s",
		$plain, "$signature: the state stored flat after every row");
}

# A state of another kind is refused on both sides.
for my $way ('text', 'binary')
{
	my ($out, $err) = $session->query(qq{\\set VERBOSITY sqlstate
		SELECT merge_$way('rfm_book(bigint,timestamptz,numeric)'::regprocedure, p) FROM (
		  SELECT partial_$way('rfm_book(bigint,timestamptz,numeric)'::regprocedure, member, at, amount) AS p FROM shop
		  UNION ALL SELECT partial_$way('rfm_book(uuid,timestamptz,numeric)'::regprocedure, member_uuid, at, amount) FROM shop) s});
	like($err, qr/ERROR:  42804/, "members of two types, $way");
	for my $two ([ 'pricebook(bigint,text,numeric)', 'member, order_text, amount', 'pricebook(text,text,numeric)', 'member_text, order_text, amount' ],
		[ 'pricebook(text,text,numeric)', 'member_text, order_text, amount', 'pricebook(text,date,text,numeric,numeric)', 'member_text, at::date, order_text, amount, amount' ],
		[ 'price_slope(bigint,date,double precision,numeric)', 'member, at::date, 1::float8, amount', 'price_slope(text,date,double precision,numeric)', 'member_text, at::date, 1::float8, amount' ])
	{
		my ($of, $one, $other_of, $other) = @$two;
		($out, $err) = $session->query(qq{\\set VERBOSITY sqlstate
			SELECT merge_$way('$of'::regprocedure, p) FROM (
			  SELECT partial_$way('$of'::regprocedure, $one) AS p FROM shop UNION ALL SELECT partial_$way('$other_of'::regprocedure, $other) FROM shop) s});
		like($err, qr/ERROR:  42804/, "$of and $other_of, $way");
	}
	for my $two ([ 'rfm_cuts(rfm_summary,integer)', 'one_order, 5', 'one_order, 6' ],
		[ 'clv_fit(bigint,double precision,double precision,numeric,text)', "1::bigint, 10::float8, 20::float8, amount, text 'mbg/nbd'", "1::bigint, 10::float8, 20::float8, amount, text 'best'" ],
		[ 'tag_agg(text,integer)', 'member_text, 500', 'member_text, 501' ],
		[ 'tier_cuts(double precision,double precision[])', 'amount::float8, ARRAY[0.5]::float8[]', 'amount::float8, ARRAY[0.25]::float8[]' ])
	{
		my ($of, $one, $other) = @$two;
		($out, $err) = $session->query(qq{\\set VERBOSITY sqlstate
			SELECT merge_$way('$of'::regprocedure, p) FROM (
			  SELECT partial_$way('$of'::regprocedure, $one) AS p FROM shop UNION ALL SELECT partial_$way('$of'::regprocedure, $other) FROM shop) s});
		like($err, qr/ERROR:  22023/, "$of with two parameters, $way");
	}
}

# A state that came in pieces, or from elsewhere, is an error and no crash.
{
	my $of = "'rollup(tagbloom)'::regprocedure";
	my ($length) = $session->sql(qq{
		CREATE TABLE state AS SELECT partial_binary($of, tags) AS p FROM shop WHERE id % 50 < 30;
		CREATE FUNCTION outcome(state bytea) RETURNS text LANGUAGE plpgsql AS \$\$
		BEGIN
		  PERFORM result_binary($of, p, NULL::tagbloom) FROM (SELECT merge_binary($of, p) AS p FROM (SELECT state UNION ALL TABLE state) s (p)) s;
		  RETURN 'a set';
		EXCEPTION WHEN OTHERS THEN
		  RETURN sqlstate;
		END \$\$;
		SELECT length(p) FROM state});
	cmp_ok($length, '>', 3000, 'a state with a filter and hashes');
	is( $session->sql(q{SELECT outcome(substr(p, 1, n)), count(*) FROM state, generate_series(0, 2000, 3) n GROUP BY 1}),
		'XX001|667', 'a state that is cut off');
	is( $session->sql(q{SELECT DISTINCT outcome(set_byte(p, n, v)) FROM state, generate_series(0, 15) n, unnest('{0,1,2,22,23,127,128,255}'::int[]) v
		EXCEPT SELECT unnest('{XX001,22023,a set}'::text[])}), '', 'a state with a wrong byte');
	is( $session->sql(q{SELECT n, outcome(set_byte(p, n, 255)) FROM state, unnest('{0,1,2,3,4,8,12,15}'::int[]) n ORDER BY 1}),
		join("\n", map { "$_|XX001" } 0, 1, 2, 3, 4, 8, 12, 15), 'every field of its header is checked');
}

{
	my $of = "'rollup(pricebook_summary)'::regprocedure";
	$session->sql(qq{
		CREATE TABLE price_state AS
		SELECT partial_binary($of, b) AS p FROM (SELECT pricebook(member_text, at::date, right(order_text, 1), amount, 2.50) AS b FROM shop WHERE id < 120) s
		UNION ALL SELECT partial_binary('price_slope(bigint,date,double precision,numeric)'::regprocedure, member, at::date, order_id::float8, amount) FROM shop WHERE id < 60;
		CREATE FUNCTION price_outcome(state bytea) RETURNS text LANGUAGE plpgsql AS \$\$
		DECLARE kind int := get_byte((SELECT p FROM price_state LIMIT 1), 0);
		BEGIN
		  PERFORM CASE WHEN get_byte(state || '\\x00', 0) = kind THEN merge_binary($of, state) ELSE merge_binary('rollup(price_slope_summary)'::regprocedure, state) END;
		  RETURN 'a state';
		EXCEPTION WHEN OTHERS THEN
		  RETURN sqlstate;
		END \$\$});
	is( $session->sql(q{SELECT DISTINCT length(p) > 1000, price_outcome(p), price_outcome(p || '\\x00') FROM price_state}), 't|a state|22P03', 'states of prices');
	is( $session->sql(q{SELECT DISTINCT price_outcome(substr(p, 1, n)) FROM price_state, generate_series(0, length(p) - 1) n}),
		'22P03', 'those that are cut off');
	is( $session->sql(q{SELECT n, price_outcome(set_byte(p, n, 255)) FROM price_state, unnest('{0,1,2,3,4,8}'::int[]) n WHERE price_outcome(set_byte(p, n, 255)) <> '22P03'}),
		'', 'every field of their headers is checked');
}

# Support functions called by hand are refused, not crashed.
is( $session->sql(q{
	CREATE FUNCTION call_it(call text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
	  EXECUTE call;
	  RETURN 'no error';
	EXCEPTION WHEN OTHERS THEN
	  RETURN sqlstate;
	END $$;
	SELECT string_agg(DISTINCT f.oid::regprocedure || ': ' || call_it(c), E'\n')
	  FROM split_aggregate a JOIN pg_proc f ON f.oid IN (aggtransfn, aggcombinefn),
	       LATERAL (SELECT string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY n) AS list FROM unnest(f.proargtypes::oid[]) WITH ORDINALITY AS t (t, n)) x,
	       LATERAL (SELECT format('SELECT %s(%s)', f.proname, list) AS c) y
	 WHERE call_it(c) NOT IN ('no error', '0A000')}), '', 'support functions outside of an aggregate');

undef $session;
$node->stop;
done_testing();
