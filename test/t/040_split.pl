# Every aggregate can be split over machines as Citus does it.  Citus is in no
# Debian release, so what it does to an aggregate is done here by a module of our
# own, test/split/split.c, which says what that is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
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

# Rows for every list of argument types; an aggregate with another list needs its
# own line here.  Column by column: expressions over the table "shop".
my %arguments = (
	'timestamp with time zone, numeric' => 'at, amount',
	'rfm_summary' => 'one_order',
	'rfm_summary, integer' => 'one_order, 7',
	'rfm_book' => 'day_book',
	'text' => 'member_text',
	'text, integer' => 'member_text, 500',
	'tagbloom' => 'tags',
	'pricebook_summary' => 'day_prices',
	'price_slope_summary' => 'day_slope',
	'double precision, double precision[]' => "nullif(amount, 0)::float8, '{0.1,0.2,0.3}'::float8[]",
	map {
		my ($member, $column) = @$_;
		("$member, timestamp with time zone, numeric" => "$column, at, amount",
			"$member, bigint, timestamp with time zone, numeric" => "$column, order_id, at, amount",
			"$member, uuid, timestamp with time zone, numeric" => "$column, md5(order_text)::uuid, at, amount",
			"$member, text, timestamp with time zone, numeric" => "$column, order_text, at, amount",
			"$member, rfm_summary" => "$column, one_order")
	} [ bigint => 'member' ],
	[ uuid => 'member_uuid' ],
	[ text => 'member_text' ]);
# Some prices and quantities are below 0, some have 30 digits; any column may be NULL.
for ([ bigint => 'member' ], [ text => 'member_text' ])
{
	my ($item, $column) = @$_;
	$arguments{"$item, text, numeric"} = "$column, order_text, amount";
	$arguments{"$item, date, text, numeric, numeric"} = "$column, at::date, right(order_text, 1), amount, round(amount / 7 + 3, 2)";
	$arguments{"$item, double precision, numeric"} = "$column, (order_id / 7.0)::float8, amount";
	$arguments{"$item, date, double precision, numeric"} = "$column, at::date, (order_id / 7.0)::float8, amount";
	# The same with members, some of whom nobody knows.
	for ([ bigint => 'nullif(order_id % 50, 7)' ], [ uuid => 'member_uuid' ], [ text => 'order_text' ])
	{
		my ($type, $member) = @$_;
		$arguments{"$_, $type"} = "$arguments{$_}, $member"
		  for "$item, text, numeric", "$item, date, text, numeric, numeric", "$item, double precision, numeric", "$item, date, double precision, numeric";
	}
}
# Interactions: every seventh of no kind.
my $kind = "(ARRAY['own', 'induced', 'obliged', 'own', 'obliged', 'induced'])[id % 7]";
$arguments{'text, timestamp with time zone, timestamp with time zone'} = "$kind, at, timestamptz '2026-03-01'";
$arguments{'text, timestamp with time zone, timestamp with time zone, interval, integer, double precision'} =
  "$kind, at, timestamptz '2026-03-01', interval '40 days', 3, 0.3::float8";
$arguments{"$$_[0], text, timestamp with time zone"} = "$$_[1], $kind, at"
  for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{interaction_book} = 'day_interactions';
# Contacts; a trail is made of the types of interaction_book.
my $contact = "'channel ' || order_id % 5, (ARRAY['sent', 'clicked', 'complained', 'sent'])[id % 5], at";
$arguments{"$$_[0], text, text, timestamp with time zone"} = "$$_[1], $contact"
  for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{'contact_trail(text, text, timestamp with time zone)'} = $contact;
$arguments{contact_trail} = 'day_trail';
$arguments{contact_book} = 'day_contacts';
$arguments{session_book} = 'day_sessions';
$arguments{spend_summary} = 'day_spend';
$arguments{points_summary} = 'day_points';
# Campaigns: squares of the largest amounts would not fit.
my $outcome = 'member % 3 > 0, round(mod(amount, 1000000), 2)';
$arguments{'boolean, numeric'} = $outcome;
$arguments{'boolean, numeric, numeric'} = "$outcome, order_id::numeric";
$arguments{'text, boolean, numeric'} = "member_text, $outcome";
$arguments{'double precision, boolean, numeric'} = "(order_id / 7.0)::float8, $outcome";
$arguments{campaign_summary} = 'day_campaign';
$arguments{campaign_book} = 'day_segments';
# Categories: every seventh of none.
$arguments{"$$_[0], text, numeric"} //= "$$_[1], 'category ' || nullif(id % 7, 3), amount" for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{preference_book} = 'day_preferences';
# Baskets: items of both types, some of them NULL.
for my $basket ([ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ])
{
	$arguments{"$basket->[0], $_->[0]"} //= "$basket->[1], $_->[1]" for [ bigint => 'nullif(order_id % 9, 4)' ], [ text => "nullif(right(order_text, 1), '3')" ];
}
$arguments{basket_book} = 'day_baskets';
# Audiences, with as many conditions as the arguments have.
for my $n (0 .. 8)
{
	my ($types, $conditions) = $n == 0 ? ('boolean[]', 'ARRAY[amount > 0, order_id % 3 = 0]') : (join(', ', ('boolean') x $n), join(', ', map { "order_id % " . ($_ + 1) . ' = 0' } 1 .. $n));
	$arguments{"$_, double precision, $types"} = { bigint => 'member', uuid => 'member_uuid', text => 'member_text' }->{$_} . ", (order_id / 8.0)::float8, $conditions" for qw(bigint uuid text);
}
$arguments{audience_book} = 'day_audience';
# Tables of orders: NULL is data.
$arguments{"text, text, text, $_->[0], numeric, numeric"} = "member_text, order_text, right(member_text, 1), $_->[1], mod(order_id, 5)::numeric, amount",
  $arguments{"text, text, text, $_->[0], numeric, numeric, text"} = "member_text, order_text, right(member_text, 1), $_->[1], mod(order_id, 5)::numeric, amount, right(order_text, 1)"
  for [ 'timestamp with time zone' => 'at' ], [ 'timestamp without time zone' => "at AT TIME ZONE 'UTC'" ], [ date => "(at AT TIME ZONE 'UTC')::date" ];
$arguments{check_book} = 'day_checks';
# Funnels: rows that meet several steps, none, and NULL ones.
my $events = "interval '3 days', at, ARRAY[amount > 0, order_id % 3 = 0, member > 20]";
$arguments{'interval, timestamp with time zone, boolean[]'} = $events;
my %members = (bigint => 'member', uuid => 'member_uuid', text => 'member_text');
$arguments{"$_, interval, timestamp with time zone, boolean[]"} = "$members{$_}, $events" for keys %members;
# The same with an argument for each step.
my @steps = ('amount > 0', 'order_id % 3 = 0', 'member > 20', 'NULL', 'amount < 9', 'order_id % 2 = 1', 'member < 30', 'amount > 2');
for my $n (2 .. @steps)
{
	my $types = 'interval, timestamp with time zone' . ', boolean' x $n;
	my $listed = "interval '3 days', at, " . join(', ', map { "($_)::boolean" } @steps[0 .. $n - 1]);
	$arguments{$types} = $listed;
	$arguments{"$_, $types"} = "$members{$_}, $listed" for keys %members;
}
$arguments{funnel_summary} = 'day_events';
$arguments{funnel_book} = 'day_funnels';
# Activity: constants for unit and zone, and what was stored of it before.
my $calendar = "text 'week', text 'America/New_York'";
my %clocks = (
	'timestamp with time zone' => 'at',
	'timestamp without time zone' => "at AT TIME ZONE 'UTC'",
	'date' => "(at AT TIME ZONE 'UTC')::date");
$arguments{"$_, text, text"} = "$clocks{$_}, $calendar" for keys %clocks;
for ([ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ])
{
	my ($member, $column) = @$_;
	$arguments{"$member, $_, text, text"} = "$column, $clocks{$_}, $calendar" for keys %clocks;
	$arguments{"$member, $_, numeric, text, text"} = "$column, $clocks{$_}, amount, $calendar" for keys %clocks;
	$arguments{"$member, timestamp with time zone"} = "$column, at";
	for my $joined (keys %clocks)
	{
		$arguments{"$member, $joined, $_, text, text"} = "$column, $clocks{$joined}, $clocks{$_}, $calendar" for keys %clocks;
		$arguments{"$member, $joined, $_, numeric, text, text"} = "$column, $clocks{$joined}, $clocks{$_}, amount, $calendar" for keys %clocks;
	}
	$arguments{"retention_book_since($member, timestamp with time zone, timestamp with time zone)"} = "$column, at, at + id % 9 * interval '1 day'";
	$arguments{"$member, activity_summary"} = "$column, day_activity";
	$arguments{"$member, funnel_summary"} = "$column, day_events";
}
$arguments{'bigint, double precision, double precision, numeric, text'} = "order_id % 9, ((order_id % 9) * 10)::float8, (100 + id % 7)::float8, amount, text 'mbg/nbd'";
$arguments{activity_summary} = 'day_activity';
$arguments{retention_book} = 'day_retention';
$session->sql(q{
	CREATE TABLE shop AS
	SELECT i AS id, i % 4 AS worker, member, md5(member::text)::uuid AS member_uuid, repeat('É', (member % 9)::int) || member AS member_text,
	       order_id, CASE WHEN order_id % 7 <> 0 THEN '#' || order_id ELSE '' END AS order_text,
	       CASE WHEN i % 41 <> 0 THEN timestamptz '2026-01-01' + (i * 7919 % 1000) * interval '1 hour' END AS at,
	       CASE WHEN i % 43 <> 0 THEN (i * 104729 % 5000 - 500)::numeric / 100 * CASE WHEN i % 97 = 0 THEN 1e30 ELSE 1 END END AS amount
	  FROM generate_series(1, 500) i,
	       LATERAL (SELECT CASE WHEN i % 37 <> 0 THEN (i * 15485863::bigint % 1009 % 60) END AS member, CASE WHEN i % 31 <> 0 THEN (i / 3)::bigint END AS order_id) x;
	ALTER TABLE shop ADD one_order rfm_summary, ADD day_book rfm_book, ADD tags tagbloom, ADD day_prices pricebook_summary, ADD day_slope price_slope_summary;
	UPDATE shop s SET (day_prices, day_slope) =
	  (SELECT pricebook(member_text, at::date, right(order_text, 1), amount, 2.50), price_slope(member, at::date, order_id, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id)
	 WHERE id % 29 <> 0;
	UPDATE shop s SET one_order = (SELECT rfm(at, amount) FROM shop o WHERE o.id = s.id),
	                  day_book = (SELECT rfm_book(member, order_text, at, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id);
	UPDATE shop SET day_book = NULL WHERE id % 29 = 0;
	-- Sets of all sizes, exact and filters, some raised and some halved.
	UPDATE shop s SET tags = CASE WHEN id % 3 = 0 THEN tagbloom(all_of, 1 + id * 7 % 600, true) ELSE all_of END
	  FROM (SELECT n, tag_agg(member_text || '/' || order_text) AS all_of FROM shop, generate_series(1, 10) n WHERE id % 500 < n * n * n GROUP BY n) x WHERE n = 1 + id % 11;
});
$session->sql(qq{
	ALTER TABLE shop ADD day_interactions interaction_book;
	ALTER TABLE shop ADD day_trail contact_trail, ADD day_contacts contact_book;
	UPDATE shop s SET (day_trail, day_contacts) = (SELECT contact_trail($contact), contact_book(member_text, $contact) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	ALTER TABLE shop ADD day_spend spend_summary, ADD day_points points_summary;
	ALTER TABLE shop ADD day_preferences preference_book;
	UPDATE shop s SET day_preferences = (SELECT preference_book(member_text, 'category ' || id % 5, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	ALTER TABLE shop ADD day_baskets basket_book;
	UPDATE shop s SET day_baskets = (SELECT basket_book(member_text, order_id) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	ALTER TABLE shop ADD day_audience audience_book;
	UPDATE shop s SET day_audience = (SELECT audience_book(member_text, id, id % 2 = 0, id % 3 = 0) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	ALTER TABLE shop ADD day_campaign campaign_summary, ADD day_segments campaign_book;
	UPDATE shop s SET (day_campaign, day_segments) = (SELECT campaign($outcome), campaign_book(member_text, $outcome) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	ALTER TABLE shop ADD day_checks check_book;
	UPDATE shop s SET day_checks = (SELECT check_book(member_text, order_text, right(member_text, 1), at, mod(order_id, 5)::numeric, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	UPDATE shop s SET (day_spend, day_points) = (SELECT spend(at, amount), points(at, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	UPDATE shop s SET day_interactions = (SELECT interaction_book(member_text, $kind, at) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
});

$session->sql(qq{
	ALTER TABLE shop ADD day_events funnel_summary, ADD day_funnels funnel_book, ADD day_sessions session_book;
	UPDATE shop s SET day_sessions = (SELECT session_book(member_text, at) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	UPDATE shop s SET (day_events, day_funnels) = (SELECT funnel(@{[ called($events) ]}), funnel_book(member_text, @{[ called($events) ]}) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
});
$session->sql(qq{
	ALTER TABLE shop ADD day_activity activity_summary, ADD day_retention retention_book;
	UPDATE shop s SET (day_activity, day_retention) = (SELECT activity(at, $calendar), retention_book(member_text, at, amount, $calendar) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
});

# The same arguments in a call that names the aggregate: an array is all that is variadic.
sub called
{
	my ($list) = @_;
	return $list =~ s/(?=ARRAY\[amount|NULL::boolean\[\])/VARIADIC /r;
}

# All but those that only say how to call another one.
my @aggregates = map { [ split /\|/ ] }
  split /\n/, $session->sql(q{SELECT signature, proname, result, arguments FROM split_aggregate
	WHERE (SELECT proname FROM pg_proc f WHERE f.oid = aggtransfn) <> 'retention_book_step_without_timezone' ORDER BY 1});
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
	my $arguments = $arguments{"$name($types)"} // $arguments{$types};

	ok(defined $arguments, "$signature: rows for its arguments") or next;
	my $plain = "SELECT $name(@{[ called($arguments) ]}) FROM shop";
	my $of = "'$signature'::regprocedure";
	my $null = "NULL::$result";

	for my $way ('text', 'binary')
	{
		my $partial = "SELECT worker, partial_$way($of, $arguments) AS p FROM shop GROUP BY worker";
		my $none = "SELECT -1, partial_$way($of, $arguments) FROM shop WHERE false";
		my $null_rows = "SELECT -2, partial_$way($of, " . nulls($types) . ') FROM generate_series(1, 3)';

		is($session->sql("SELECT ($none) IS NULL" =~ s/SELECT -1, /SELECT /r), 't', "$signature: no rows, no state");
		same("SELECT result_$way($of, p, $null) FROM ($partial) s", $plain, "$signature: split, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT partial_$way($of, $arguments) AS p FROM shop) s",
			$plain, "$signature: one worker, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT partial_$way($of, $arguments) AS p FROM shop GROUP BY id ORDER BY id DESC) s",
			$plain, "$signature: a worker for each row, $way");
		same("SELECT result_$way($of, p, $null) FROM ($none UNION ALL $null_rows UNION ALL $partial UNION ALL $none UNION ALL $null_rows) s (worker, p)",
			"SELECT $name(@{[ called($arguments) ]}) FROM (SELECT (s).* FROM (SELECT s FROM shop s UNION ALL SELECT NULL::shop FROM generate_series(1, 6)) x) s",
			"$signature: workers with no rows and with NULLs, $way");
		same("SELECT result_$way($of, p, $null) FROM (SELECT merge_$way($of, p) AS p FROM ($none UNION ALL $partial) s (worker, p) GROUP BY worker % 2) s",
			$plain, "$signature: merged in two steps, $way");
		# Nothing at all, and nothing but NULLs: as the plain aggregate has it.
		for my $nothing ("SELECT result_$way($of, p, $null) FROM ($partial) s WHERE false",
			"SELECT result_$way($of, p, $null) FROM ($none UNION ALL $none) s (worker, p)")
		{
			is($session->sql("SELECT ($nothing) IS NULL AND (SELECT $name(@{[ called($arguments) ]}) FROM shop WHERE false) IS NULL"),
				't', "$signature: nothing of nothing, $way");
		}
		is( $session->sql("SELECT (SELECT result_$way($of, p, $null) FROM ($null_rows) s (worker, p)) IS NOT DISTINCT FROM (SELECT $name("
				  . called(nulls($types)) . ') FROM generate_series(1, 3))'),
			't', "$signature: nothing but NULLs, $way");
	}
	same("SELECT result_text($of, p, $null) FROM (SELECT partial_flat($of, $arguments) AS p FROM shop GROUP BY worker) s",
		$plain, "$signature: the state stored flat after every row");
}

# NULLs of the given types, as arguments.
sub nulls
{
	my ($types) = @_;
	return join ', ', map { "NULL::$_" } split /, /, $types;
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
