# One release is enough: the checkers do not depend on it.
#
# Bytes that custmart did not write, inside a real server: stored values that were damaged, sent by binary COPY and put past the
# checks of COPY by a cast that a superuser made, and given to every function; states of aggregates that were damaged, given to every
# step, merge and final function.  What comes of it is an error that says so, or a value with the bytes that custmart would write;
# never a crash, a hang, much memory or an error of PostgreSQL's own code. Everything follows from CUSTMART_SEED.
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

my $seed = $ENV{CUSTMART_SEED} // 1;
# For each type how many images, and how many calls with each; for each aggregate how many states.
my ($images, $calls, $states) = $ENV{FULL} ? (1500, 25, 150) : (80, 8, 10);

my $module = TestModule::build('split');
my $node = PostgreSQL::Test::Cluster->new('forged');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = 64MB\njit = off\nmax_parallel_workers_per_gather = 0\ntimezone = 'America/New_York'\nmax_stack_depth = 2MB\nrestart_after_crash = on\n"
	  . "statement_timeout = '300s'\n");
$node->start;

# ---------- what is called ----------

my $directory = $node->data_dir;
my $file = -d '/dev/shm' ? '/dev/shm/custmart' . ($directory =~ s{/}{_}gr) . '_forged' : "$directory/forged";
my $samples = slurp_file("$FindBin::Bin/../sql/include/samples.sql");
my $session = Session->new($node);
$session->sql(qq{
	CREATE EXTENSION custmart;
	CREATE SCHEMA forged;
	SET search_path = forged, public;
	$samples
	CREATE TABLE outcomes (type text, way text, state text, message text, call text, image bytea);
	CREATE TABLE types AS
	SELECT typname::text AS type FROM pg_type t JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid
	 WHERE extname = 'custmart' AND typtype = 'b' AND typcategory <> 'A';
	-- Every function and aggregate that takes a value of a type, with that value in one place and, if there are others, in all; its other arguments are good.
	CREATE TABLE calls AS
	SELECT t.type, row_number() OVER (PARTITION BY t.type ORDER BY signature COLLATE "C", place)::int AS n, signature,
	       format('SELECT * FROM (SELECT %I(%s) %s FROM forged.one_%s) s LIMIT 100', name,
	         (SELECT string_agg(CASE WHEN types[n] = t.type AND (place = 0 OR place = n) THEN 'v' WHEN types[n] LIKE 'any%' THEN 'NULL::{ANY}'
	                                 ELSE format('%L::%s', coalesce((SELECT sample FROM samples s WHERE s.type = types[n] AND s.name IN (names[n], name || ' ' || n) LIMIT 1), (SELECT sample FROM samples s WHERE s.type = types[n] AND s.name IS NULL LIMIT 1)), types[n]) END
	                            || CASE WHEN n = cardinality(types) THEN '' ELSE ', ' END, '' ORDER BY n) FROM generate_subscripts(types, 1) n),
	         CASE kind WHEN 'w' THEN 'OVER ()' ELSE '' END, t.type) AS call
	  FROM (SELECT p.oid::regprocedure::text AS signature, proname AS name, prokind AS kind, coalesce(proargnames, '{}') AS names,
	               ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) WITH ORDINALITY a (t, n) ORDER BY n) AS types
	          FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid
	         WHERE extname = 'custmart' AND provolatile <> 'v' AND NOT proargtypes::oid[] && '{internal,cstring}'::regtype[]::oid[]) f
	  JOIN types t ON t.type = ANY (types),
	       LATERAL (SELECT 0 AS place UNION ALL SELECT n FROM generate_subscripts(types, 1) n WHERE types[n] = t.type AND (SELECT count(*) FROM unnest(types) o WHERE o = t.type) > 1) places;
	-- What is called by other ways than its name; and what has no call at all.
	CREATE TABLE made (type text);
	DO \$\$
	DECLARE
	  t text;
	BEGIN
	  FOR t IN SELECT type FROM types ORDER BY 1 LOOP
	    EXECUTE format('CREATE CAST (bytea AS %s) WITHOUT FUNCTION', t);
	    EXECUTE format('CREATE UNLOGGED TABLE one_%1\$s (filler "char", v %1\$s)', t);
	    -- In the row, as it is, wherever it begins.
	    EXECUTE format('ALTER TABLE one_%s ALTER v SET STORAGE %s', t, CASE WHEN t IN ('rfm_summary') THEN 'PLAIN' ELSE 'MAIN' END);
	    EXECUTE format('CREATE UNLOGGED TABLE indexed_%1\$s (v %1\$s)', t);
	    EXECUTE format('CREATE INDEX ON indexed_%s USING hash (v)', t);
	    IF t = 'tagbloom' THEN
	      EXECUTE format('CREATE INDEX ON indexed_%s USING gin (v)', t);
	      INSERT INTO calls VALUES (t, -1, 'gin', 'SELECT count(*) FROM forged.one_tagbloom, forged.indexed_tagbloom i WHERE i.v @> one_tagbloom.v');
	    END IF;
	    INSERT INTO calls VALUES (t, -2, 'ANALYZE', format('ANALYZE forged.one_%s', t)), (t, -3, 'index', format('INSERT INTO forged.indexed_%s SELECT v FROM forged.one_%1\$s', t)),
	      (t, -4, 'sort', format('SELECT count(*) FROM (SELECT v FROM (SELECT v FROM forged.one_%1\$s UNION ALL SELECT %2\$L::%1\$s) s ORDER BY v DESC) s', t, (SELECT sample FROM samples s WHERE s.type = t LIMIT 1)));
	  END LOOP;
	END \$\$;

	CREATE FUNCTION tried(type text, way text, call text, image bytea) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
	  state text := 'value';
	  message text;
	BEGIN
	  BEGIN
	    EXECUTE call;
	  EXCEPTION WHEN OTHERS THEN
	    state := SQLSTATE;
	    message := SQLERRM;
	  END;
	  INSERT INTO forged.outcomes VALUES (type, way, state, left(message, 300), call, image);
	  RETURN state;
	END \$\$;
	-- A value of a type, by binary COPY; and the bytes of the one that was taken.
	CREATE FUNCTION received(type text, image bytea) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
	  EXECUTE format('COPY (SELECT NULL::"char", %L::bytea) TO %L WITH (FORMAT binary)', image, '$file');
	  EXECUTE format('DELETE FROM forged.one_%s', type);
	  RETURN forged.tried(type, 'received', format('COPY forged.one_%s FROM %L WITH (FORMAT binary)', type, '$file'), image);
	END \$\$;
	CREATE FUNCTION sent(type text) RETURNS bytea LANGUAGE plpgsql AS \$\$
	DECLARE
	  result bytea;
	BEGIN
	  EXECUTE format('SELECT public.%1\$s_send(v) FROM forged.one_%1\$s', type) INTO STRICT result;
	  RETURN result;
	END \$\$;
	-- An image in all ways; those calls, with values that were taken and those that were not.
	CREATE FUNCTION try(type text, image bytea, which int[], key text) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
	  way text := 'received';
	  c text;
	  bytes bytea;
	  same boolean;
	BEGIN
	  IF forged.received(type, image) = 'value' THEN
	    bytes := forged.sent(type);
	    -- Their text is taken, too, and means the same.
	    EXECUTE format('SELECT public.%1\$s_send(v::text::public.%1\$s) = \$1 AND v = v::text::public.%1\$s FROM forged.one_%1\$s', type) INTO STRICT same USING bytes;
	    IF NOT same OR forged.received(type, bytes) <> 'value' OR forged.sent(type) <> bytes THEN
	      INSERT INTO forged.outcomes VALUES (type, way, 'bytes', 'what was taken is not sent as what custmart writes', NULL, image);
	    END IF;
	  ELSE
	    way := 'put there';
	    IF forged.tried(type, way, format('INSERT INTO forged.one_%s (v) SELECT %L::bytea::public.%1\$s', type, image), image) <> 'value' THEN
	      RETURN;
	    END IF;
	  END IF;
	  FOR c IN SELECT calls.call FROM forged.calls WHERE calls.type = try.type AND n = ANY (which) LOOP
	    PERFORM forged.tried(type, way, replace(c, '{ANY}', key), image);
	  END LOOP;
	END \$\$;

	-- The same functions with other names of their states' types; see test/split/split.c.
	CREATE FUNCTION forged_state(internal, oid, "any", anyelement) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION forged_step(internal, oid, "any", VARIADIC "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION forged_combine(internal, oid, "any", "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_step(internal, oid, VARIADIC "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION split_to_text(internal) RETURNS text AS '$module' LANGUAGE C;
	CREATE FUNCTION split_final(internal, oid, "any", anyelement) RETURNS anyelement AS '$module' LANGUAGE C;
	CREATE AGGREGATE partial_text(oid, VARIADIC "any") (SFUNC = split_step, STYPE = internal, FINALFUNC = split_to_text);
	CREATE AGGREGATE stepped(oid, "any", VARIADIC "any") (SFUNC = forged_step, STYPE = internal, FINALFUNC = split_to_text);
	CREATE AGGREGATE combined(oid, "any", "any") (SFUNC = forged_combine, STYPE = internal, FINALFUNC = split_to_text);
	CREATE AGGREGATE finished(oid, "any", anyelement) (SFUNC = forged_state, STYPE = internal, FINALFUNC = split_final, FINALFUNC_EXTRA);
	-- An aggregate that anybody can make, of a step function and an initial state of the right type.
	CREATE FUNCTION own(aggregate regprocedure, types text, state text, arguments text) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
	  made text := format('forged.mine(%s)', types);
	BEGIN
	  EXECUTE (SELECT format('CREATE AGGREGATE %s (SFUNC = %s, STYPE = %s, INITCOND = %L, COMBINEFUNC = %s%s)', made, aggtransfn, aggtranstype::regtype, state, aggcombinefn, CASE WHEN aggfinalfn <> 0 THEN ', FINALFUNC = ' || aggfinalfn END)
	             FROM pg_aggregate WHERE aggfnoid = aggregate);
	  PERFORM forged.tried(aggregate::text, 'own', 'SELECT forged.mine(' || arguments, NULL);
	  EXECUTE 'DROP AGGREGATE ' || made;
	END \$\$;
	CREATE ROLE guest;
	GRANT ALL ON SCHEMA forged TO guest;
	GRANT INSERT ON outcomes TO guest;
	CREATE FUNCTION memory() RETURNS int LANGUAGE sql VOLATILE RETURN (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\\s+(\\d+)'))[1]::int / 1024;
});

# ---------- what is good ----------

my @types = split /\n/, $session->sql('SELECT type FROM types ORDER BY 1');
cmp_ok(scalar(@types), '>=', 24, 'there are types');
Aggregates::make_shop(sub { $session->sql($_[0]) });
my @aggregates = Aggregates::list(sub { $session->sql($_[0]) });
my %state_type = map { split /\|/ } split /\n/, $session->sql(q{SELECT aggfnoid, aggtranstype::regtype FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid} =~ s/SELECT aggfnoid/SELECT aggfnoid::regprocedure/r);
# Images by type, of results of all aggregates over a row, a few, and more; and states of the others.
my (%good, %states);
for (@aggregates)
{
	my ($signature, $name, $result, $types) = @$_;
	my $arguments = Aggregates::arguments($name, $types);

	for my $rows ('id = 171', 'id BETWEEN 160 AND 175', 'id % 9 = 4')
	{
		my $state_type = $state_type{$signature};
		push @{ $states{$state_type} }, $session->sql("SELECT partial_text('$signature'::regprocedure, $arguments) FROM shop WHERE $rows") if $state_type =~ /^(bytea|bigint\[\])$/;
		next if !grep { $result eq $_ } @types;
		my $image = $session->sql("SELECT substr(${result}_send($name(@{[ Aggregates::called($arguments) ]}))::text, 3) FROM shop WHERE $rows");
		push @{ $good{$result} }, pack 'H*', $image if length $image;
	}
}
for my $type (@types)
{
	push @{ $good{$type} }, map { pack 'H*', $_ } split /\n/, $session->sql("SELECT substr(${type}_send(sample::$type)::text, 3) FROM samples WHERE type = '$type'");
}
push @{ $good{tagquery} }, map { pack 'H*', $_ } split /\n/, $session->sql(q{SELECT substr(tagquery_send(q::tagquery)::text, 3) FROM unnest('{!vip,"Київ & (東京 | \"a, b\") & !(🛒 | x)"}'::text[] || (repeat('(a & !', 100) || 'b' || repeat(')', 100))) q});
for my $type (@types)
{
	my %seen;
	# Mutations of long ones would mostly be of what is counted.
	$good{$type} = [ grep { length($_) <= 4000 && !$seen{$_}++ } @{ $good{$type} } ];
	cmp_ok(scalar(@{ $good{$type} }), '>', 0, "$type: good images (" . @{ $good{$type} } . ')');
}
my @all = map { @{ $good{$_} } } @types;

# ---------- what is not ----------

sub pick { return $_[ int rand @_ ] }

my @numbers = (pack('n', 0xffff), map { pack 'N', $_ } (0, 1, 2, 255, 256, 65536, 0x7fffffff, 0x80000000, 0xffffffff));
push @numbers, map { pack 'NN', @$_ } [ 0, 0 ], [ 0, 1 ], [ 0x7fffffff, 0xffffffff ], [ 0x80000000, 0 ], [ 0xffffffff, 0xffffffff ], [ 0x7ff00000, 0 ], [ 0x7ff80000, 0 ], [ 0xfff00000, 0 ], [ 0, 0x100 ], [ 0xff, 0xffffffff ], [ 0x40000000, 0 ];

# An image with some damage.  Most of it at the beginning, where counts and forms are.
sub damaged
{
	my ($image, @others) = @_;

	for (1 .. pick(1, 1, 1, 1, 2, 5))
	{
		my $length = length $image;
		my $at = $length == 0 ? 0 : int rand pick($length, $length, $length < 64 ? $length : 64);
		my $n = 1 + int rand pick(2, 8, 40);
		my $other = pick(@others);
		my $from = int rand(1 + length $other);
		# What keeps the length is taken most.
		my $how = pick(0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12);

		if ($how <= 2) { substr($image, $at, 1) = chr(ord(substr($image, $at, 1) // "\0") ^ 1 << int rand 8) if $length }
		elsif ($how == 3) { substr($image, $at, 1) = chr int rand 256 if $length }
		elsif ($how == 4) { $image = substr $image, 0, $at }
		elsif ($how == 5) { $image .= join '', map { chr int rand 256 } 1 .. $n }
		elsif ($how == 6) { substr($image, $at, $n) = join '', map { chr int rand 256 } 1 .. $n }
		elsif ($how == 7) { substr($image, $at, 0) = substr $image, $at, $n }
		elsif ($how == 8) { substr($image, $at, $n) = '' }
		elsif ($how == 9) { substr($image, $at, $n) = substr $other, $from, $n }
		elsif ($how == 10) { substr($image, $at) = substr $other, $from }
		elsif ($how == 11) { substr($image, 0, 2) = chr(int rand 30) . chr(pick(1, 1, 1, 0, 2)) if $length >= 2 }
		else { my $number = pick(@numbers); substr($image, $at, length $number) = $number }
	}
	return $image;
}

sub literal { return "'\\x" . unpack('H*', $_[0]) . "'::bytea" }

my $crashes = 0;
my %memory;

# Runs statements, and says after which of them the server had to begin again.
sub attempt
{
	my ($what, $sql) = @_;
	my ($out, $err) = $session->query($sql);

	return if $err !~ /ERROR|FATAL|PANIC|broke off/;
	$crashes++;
	diag("CUSTMART_SEED=$seed, $what: $err\n" . substr $sql, 0, 10000);
	BAIL_OUT('that is enough') if $crashes > 5;
	# Until all of it is over.
	while ($err =~ /FATAL|broke off/)
	{
		sleep 1;
		$session = Session->new($node);
		(undef, $err) = $session->query('SET search_path = forged, public; SELECT pg_sleep(1)');
	}
	return;
}

my $number = 0;
for my $type (@types)
{
	srand($seed * 1000 + $number++);
	my ($most, $support) = split /\|/, $session->sql("SELECT count(*) FILTER (WHERE n > 0), min(n) FROM calls WHERE type = '$type'");
	my @support = split /\n/, $session->sql(qq{SELECT n FROM calls WHERE type = '$type' AND n > 0 AND signature::regprocedure IN (SELECT unnest(ARRAY[aggtransfn, aggcombinefn, aggfinalfn]) FROM pg_aggregate)});
	my %support = map { $_ => 1 } @support;
	my @others = grep { !$support{$_} } -4 .. -1, 1 .. $most;

	for my $n (1 .. $images)
	{
		# Those that follow the rules of a type are found by changing little.
		my $image = $n == 1 ? '' : damaged(pick(@{ $good{$type} }), rand() < 0.7 ? @{ $good{$type} } : @all);
		my @which = ((map { pick(@others) } 1 .. $calls), @support ? pick(@support) : ());
		attempt("$type, image $n", "SELECT try('$type', " . literal($image) . ", '{" . join(',', @which) . "}', '" . pick(qw(bigint uuid text)) . "')");
	}
	$memory{$type} = $session->sql('SELECT memory()');
}
for (@aggregates)
{
	my ($signature, $name, $result, $types) = @$_;
	my $arguments = Aggregates::arguments($name, $types);
	my $state_type = $state_type{$signature};
	srand($seed * 1000 + $number++);
	my @good = $state_type =~ /^(?:bytea|bigint\[\])$/ ? grep { length } @{ $states{$state_type} } : @{ $good{$state_type} };
	for my $n (1 .. $states)
	{
		# Some are whole, of another form.
		my $whole = $n % 2 == 0;
		my @state = map {
			if ($state_type eq 'bigint[]')
			{
				my @numbers = pick(@good) =~ /-?\d+/g;
				!$whole && splice @numbers, int rand @numbers, int rand pick(1, 3, 20), map { pick('NULL', -1, 0, 1, 2, 99, 100, 2**31, '9223372036854775807', '-9223372036854775808', int rand 1e9) } 1 .. pick(0, 1, 1, 4) for 1 .. pick(0, 1, 2);
				my $list = join ',', @numbers;
				rand() < 0.1 ? "'{{$list}}'::bigint[]" : rand() < 0.1 ? "'[0:$#numbers]={$list}'::bigint[]" =~ s/\[0:-1\]=//r : "'{$list}'::bigint[]";
			}
			elsif ($n == 1) { 'NULL::bytea' }
			elsif ($whole) { $state_type eq 'bytea' ? pick(@good) =~ s/.*/'$&'::bytea/r : literal(pick(@good)) }
			elsif ($state_type eq 'bytea') { literal(damaged(pack('H*', substr pick(@good), 2), (map { pack 'H*', substr $_, 2 } @good), pick(@all))) }
			else { literal(damaged(pick(@good), rand() < 0.7 ? @good : @all)) }
		} 1, 2;
		my $row = 1 + int rand 480;
		for my $call ([ step => "stepped('$signature'::regprocedure, $state[0], $arguments) FROM shop WHERE id BETWEEN $row AND $row + 6" ],
			[ combine => "combined('$signature'::regprocedure, $state[0], $state[1]) FROM generate_series(1, 3)" ], [ final => "finished('$signature'::regprocedure, $state[0], NULL::$result)" ])
		{
			my ($way, $sql) = @$call;
			$sql =~ s/'/''/g;
			attempt("$signature, $way $n", "SELECT tried('$signature', '$way', 'SELECT $sql', NULL)");
		}
	}
}
# The same by a role without rights: whole states, of every form.
$session->sql('GRANT SELECT ON shop TO guest');
for (@aggregates)
{
	my ($signature, $name, $result, $types) = @$_;
	my $arguments = Aggregates::arguments($name, $types) =~ s/'/''/gr;
	my $state_type = $state_type{$signature};
	for (1 .. ($ENV{FULL} ? 40 : 2))
	{
		my $state = $state_type =~ /^(?:bytea|bigint\[\])$/ ? "'" . pick(grep { length } @{ $states{$state_type} }) . "'" : '(' . literal(pick(@{ $good{$state_type} })) . "::$state_type)::text";
		my $row = 1 + int rand 480;
		attempt("$signature, own", "SET ROLE guest; SELECT own('$signature', '$types', $state, '$arguments) FROM shop WHERE id BETWEEN $row AND $row + 6')");
		$session->sql('RESET ROLE');
	}
}
$memory{states} = $session->sql('SELECT memory()');

# ---------- what came of it ----------

# What COPY refuses is bad data or too much of it; a function that gets it put there may call it damaged, or not made for it.
is($crashes, 0, 'no session ended');
is( $session->sql(q{
	SELECT type, way, state, count(*), min(message), (array_agg(call || ' <- ' || coalesce(left(image::text, 3000), '') ORDER BY length(image), call))[1] FROM outcomes
	 WHERE state <> 'value' AND state !~ CASE way WHEN 'received' THEN '^(22...|54000|42804|42883|0A000|55000)$' ELSE '^(22...|54000|42804|42883|0A000|55000|XX001)$' END
	 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3}), '', "errors are of the classes that are documented (CUSTMART_SEED=$seed)");
is($session->sql(q{SELECT string_agg(type, ' ') FROM types t WHERE NOT EXISTS (SELECT FROM outcomes o WHERE t.type = o.type AND way = 'received' AND call LIKE 'COPY%' AND state <> 'value')
	OR NOT EXISTS (SELECT FROM outcomes o WHERE t.type = o.type AND way = 'received' AND call LIKE 'COPY%' AND state = 'value')}), '', 'images of every type are taken, and refused');
cmp_ok((sort { $b <=> $a } values %memory)[0], '<', 400, 'images of a few kB made no session take much memory');
note("most memory after $_: $memory{$_} MB") for sort { $memory{$b} <=> $memory{$a} } keys %memory;
note($session->sql(q{SELECT way, state, count(*) FROM outcomes GROUP BY 1, 2 ORDER BY 1, 3 DESC}));
$node->stop;
is(scalar(grep { /PANIC|was terminated by signal|TRAP:/ } split /\n/, slurp_file($node->logfile)), 0, "the server's log has no crash");
unlink $file;
done_testing();
