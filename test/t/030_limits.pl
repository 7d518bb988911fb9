# Sizes at which something has to give: it is always a clear error, in good time,
# with the server alive and the memory given back.
use strict;
use warnings;

use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_buffers = 32MB
max_wal_size = 4GB
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION custmart;
	-- Memory of this process, in MB: VmSize is now, VmHWM was the most so far.
	CREATE FUNCTION memory(what text) RETURNS int LANGUAGE sql VOLATILE
	RETURN (regexp_match(pg_read_file('/proc/self/status'), what || ':\s+(\d+)'))[1]::int / 1024;
	-- The same as PostgreSQL accounts for it.
	CREATE FUNCTION held() RETURNS int LANGUAGE sql VOLATILE
	RETURN (SELECT sum(total_bytes) / 1024 / 1024 FROM pg_backend_memory_contexts)::int;
});
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

# Run statements in one session, whatever becomes of them.
sub session
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0);
	return ($out, $err);
}

# The error that a statement gives, as "state: message, hint", and how much more
# memory the session has afterwards than before, in MB.
sub error_of
{
	my ($sql) = @_;
	my ($out, $err) = session(
		qq{SELECT held() AS before \\gset
		\\set VERBOSITY verbose
		$sql;
		\\echo :ERROR
		SELECT held() - :before;
	});
	my ($error, $more) = $out =~ /(true|false)\n(-?\d+)\z/ or return ("the session broke off: $err", 0);
	$err =~ s/^psql:<stdin>:\d+: //mg;
	return ($error eq 'true' ? $err : 'no error', $more);
}

sub fails
{
	my ($sql, $pattern, $description) = @_;
	my ($error, $more) = error_of($sql);
	like($error, $pattern, $description);
	cmp_ok($more, '<=', 1, "$description: its memory is given back");
	return;
}

my $too_large = qr/ERROR:  54000: .*\n(?:DETAIL:.*\n)?HINT:/;

# Very many rows of one member
is( $node->safe_psql(
		'postgres', q{
	SELECT frequency(r), refunds(r), monetary(r), last_order(r) - first_order(r), member_count(b),
	       (SELECT (frequency, monetary)::text FROM rfm_members(b)), (SELECT (frequency, monetary)::text FROM rfm_members(NULL::text, lines)), memory('VmHWM') < 300
	  FROM (SELECT rfm(at, i) AS r, rfm_book(7, at, i) AS b, rfm_book('7', i / 2000000, at, i) AS lines
	          FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 second' AS at FROM (SELECT generate_series(1, 3000000) AS i) g) o) x}),
	'3000000|0|4500001500000|34 days 17:19:59|1|(3000000,4500001500000)|(2,4500001500000)|t',
	'three million orders of one member');

# Very many members of one row
is( $node->safe_psql(
		'postgres', q{
	SELECT memory('VmHWM') AS before \gset
	SELECT member_count(b), length(rfm_book_send(b)) FROM (SELECT rfm_book(i * 1000003::bigint, '2026-01-01', 9.99) AS b FROM (SELECT generate_series(1, 2000000) AS i) g) x;
	-- the book itself, and its flat copy twice
	SELECT memory('VmHWM') - :before <= (2000000 * (64 + 2 * 40)) / 1024 / 1024 + 64}),
	"2000000|80000024\nt", 'two million members take little more than 64 bytes each');

# Text keys of 1 MB
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE long AS SELECT 'k' || i || repeat(chr(65 + i % 26), 1000000) AS member, 'o' || i || repeat('#', 1000000) AS order_id,
	                            timestamptz '2026-01-01' AS at, i AS amount FROM generate_series(1, 20) i;
	SELECT count(*), count(*) FILTER (WHERE md5(m.member) = md5(l.member)), sum(frequency), sum(monetary)
	  FROM rfm_members(NULL::text, (SELECT rfm_book(member, order_id, at, amount) FROM (TABLE long UNION ALL TABLE long ORDER BY amount DESC) x)) m JOIN long l ON l.member = m.member;
	SELECT count(*), sum(frequency), sum(monetary)
	  FROM rfm_members(NULL::text, (SELECT b + b::text::rfm_book FROM (SELECT rfm_book(member, order_id, at, amount) AS b FROM long) x)) m;
	SELECT a = b, rfm_book_hash(a) = rfm_book_hash(b)
	  FROM (SELECT rfm_book(member, order_id, at, amount ORDER BY amount) AS a, rfm_book(member, order_id, at, amount ORDER BY amount DESC) AS b FROM long) x}),
	"20|20|20|420\n20|20|420\nt|t", 'members and orders with ids of 1 MB');

# A book over the limit, of 1 GB in text, which pg_dump writes
my $keys = q{repeat('x', 1000000) || i, timestamptz '2026-01-01', 1};
fails("SELECT rfm_book($keys) FROM (SELECT generate_series(1, 1100) AS i) g", $too_large, 'a book over the limit');
fails("SELECT member_count(a + b) FROM (SELECT rfm_book($keys) AS a FROM (SELECT generate_series(1, 400) AS i) g) x, (SELECT rfm_book($keys) AS b FROM (SELECT generate_series(1001, 1400) AS i) g) y",
	$too_large, 'a sum over the limit');
is( (session("SELECT member_count(b), octet_length(rfm_book_send(b)), octet_length(b::text) FROM (SELECT rfm_book($keys) AS b FROM (SELECT generate_series(1, 700) AS i) g) x"))[0],
	'700|700027216|933369633', 'a book just below it can be read and written');
# More numbers than an array holds, which is what aggregates over all members
# collect them in.  Their combine function gets there sooner than rows would.
$node->safe_psql('postgres', 'CREATE AGGREGATE collect(bigint[]) (SFUNC = rfm_cuts_combine, STYPE = bigint[], FINALFUNC = rfm_cuts_final)');
fails('SELECT collect(state) FROM (SELECT 5::bigint || array_fill(0::bigint, ARRAY[51000000]) AS state OFFSET 0) x, generate_series(1, 3)',
	$too_large, 'limits of more members than can be collected');

# A value is computed anew for each row; what that takes is not kept.
is( $node->safe_psql(
		'postgres', q{
	SELECT memory('VmHWM') AS before \gset
	SELECT count(t) FROM (SELECT tier(length(repeat('x', 1000) || i), '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 300000) AS i) g) x;
	SELECT count(t) FROM (SELECT tier(length(repeat('x', 1000) || i)::numeric, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 300000) AS i) g) x;
	SELECT memory('VmHWM') - :before < 60}),
	"300000\n300000\nt", 'tier() does not keep what computing its values took');

# Numbers of absurd size
for my $number ("1e131071", "-1e131071", "1e-16383", "repeat('9', 131072)::numeric", "('0.' || repeat('0', 16382) || '1')::numeric")
{
	fails("SELECT rfm('2026-01-01', $number)", qr/ERROR:  22003: .{20,200}\n/, "rfm of $number");
	fails("SELECT rfm_book(1, '2026-01-01', $number)", qr/ERROR:  22003: .{20,200}\n/, "rfm_book of $number");
	fails("SELECT tier($number, '{0.5}', '{a,b}') OVER ()", qr/ERROR:  22003: .{20,200}\n/, "tier of $number");
}

# Cancelled.  Each statement runs once to see how long it takes, then is to be
# stopped part of the way.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE big (name text PRIMARY KEY, book rfm_book);
	INSERT INTO big
	SELECT 'numbers', rfm_book(i::bigint, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1, 1500000) AS i) g;
	INSERT INTO big
	SELECT 'backwards', rfm_book(i::bigint, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1500000, 1, -1) AS i) g;
	INSERT INTO big
	SELECT 'lines', rfm_book('member ' || i % 300000, 'order ' || i, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1, 600000) AS i) g;
	CREATE TABLE literal AS SELECT book::text AS text FROM big WHERE name = 'lines';
	CREATE TABLE copied (book rfm_book);
});
my $file = $node->data_dir . '/book.copy';
$node->safe_psql('postgres', "COPY (SELECT book FROM big WHERE name = 'lines') TO '$file' (FORMAT binary)");

sub book { return "(SELECT book FROM big WHERE name = '$_[0]')" }

my %slow = (
	'rfm_book()' => q{SELECT length(rfm_book_send(rfm_book(i::bigint, timestamptz '2026-01-01', i))) FROM (SELECT generate_series(1, 1500000) AS i) g},
	'rfm_book() of lines' => q{SELECT length(rfm_book_send(rfm_book(i % 1000, i::text, timestamptz '2026-01-01', i))) FROM (SELECT generate_series(1, 600000) AS i) g},
	'rfm()' => q{SELECT rfm(timestamptz '2026-01-01', i) FROM (SELECT generate_series(1, 2000000) AS i) g},
	'rollup()' => q{SELECT rollup(book) IS NULL FROM big WHERE name IN ('numbers', 'backwards')},
	'rollup() of lines' => q{SELECT rollup(book) IS NULL FROM (SELECT book FROM big, generate_series(1, 3) WHERE name = 'lines') b},
	'+ of lines' => 'SELECT ' . book('lines') . ' + ' . book('lines') . ' IS NULL',
	'=' => 'SELECT ' . book('numbers') . ' = ' . book('backwards'),
	'rfm_book_hash()' => 'SELECT rfm_book_hash(' . book('lines') . ')',
	'rfm_members()' => 'SELECT count(*) FROM rfm_members(' . book('numbers') . ')',
	'rfm_members(text)' => 'SELECT count(*) FROM rfm_members(NULL::text, ' . book('lines') . ')',
	'rfm_segments()' => 'SELECT count(*) FROM rfm_segments(' . book('numbers') . ')',
	'rfm_cuts(book)' => 'SELECT rfm_cuts(' . book('numbers') . ', 99)',
	'rfm_cuts()' => q{SELECT rfm_cuts(r, 99) FROM (SELECT rfm('2026-01-01', 5) AS r OFFSET 0) x, (SELECT generate_series(1, 1000000) OFFSET 0) g},
	'input' => 'SELECT member_count(text::rfm_book) FROM literal',
	'output' => 'SELECT sum(octet_length(book::text)) FROM big',
	'recv' => "COPY copied FROM '$file' (FORMAT binary)",
	'tier() of float8' => q{SELECT count(t) FROM (SELECT tier(i::float8, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 1000000) AS i) g) x},
	'tier() of numeric' => q{SELECT count(t) FROM (SELECT tier(i::numeric * 1e25, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 400000) AS i) g) x},
	'tier_cuts()' => q{SELECT tier_cuts(i % 7, '{0.1,0.2}') FROM (SELECT generate_series(1, 2000000) AS i) g});
for my $name (sort keys %slow)
{
	my $sql = $slow{$name};
	my $script = qq{
		SET search_path = public;
		SELECT clock_timestamp() AS start \\gset
		$sql \\g /dev/null
		SELECT greatest(5, extract(epoch FROM clock_timestamp() - :'start') * 1000) AS all_of_it \\gset
		\\echo all :all_of_it
	};
	$script .= qq{
		SELECT (:all_of_it * $_)::int AS part, clock_timestamp() AS start \\gset
		SET statement_timeout = :part;
		$sql \\g /dev/null
		\\set failed :ERROR
		RESET statement_timeout;
		SELECT 'part', :'failed', (extract(epoch FROM clock_timestamp() - :'start') * 1000)::int - :part;
	} for (0.3, 0.75);
	my ($out, $err) = session($script);
	my ($all) = $out =~ /^all (\d+)/m;
	my @late = $out =~ /^part\|true\|(-?\d+)$/mg;
	my @done = $out =~ /^part\|false/mg;
	is(@late + @done, 2, "$name was tried") or diag $err;
	cmp_ok(scalar(@late), '>=', 1, "$name can be cancelled") or diag "$all ms\n$out";
	is(join(',', grep { $_ ne '57014' } $err =~ /ERROR:  (?!canceling statement due to statement timeout)(.*)/g), '', "$name: no other error");
	# Machines that are busy with other things are late, too; a loop that cannot
	# be cancelled would be late by the rest of its time, and more with more data.
	cmp_ok(max(0, @late), '<', 1000, "$name stops at once");
	note(sprintf '%s: %d ms, cancelled within %s ms', $name, $all // -1, join ', ', @late);
}

# Out of memory: from here on new sessions may have little more than they have
# from the start.  (What is refused here is what malloc would be refused on a
# machine without memory to spare.)
SKIP:
{
	my ($postmaster) = PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $size = $node->safe_psql('postgres', q{SELECT memory('VmSize')});
	my $limit = ($size + 100) * 1024 * 1024;
	skip 'there is no prlimit to limit memory with', 1 if system("prlimit --pid $postmaster --as=$limit: >/dev/null 2>&1") != 0;

	my $memory = qr/ERROR:  53200: out of memory/;
	my %large = (
		'rfm_book()' => q{SELECT member_count(rfm_book(i::bigint, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rfm_book() with wide sums' => q{SELECT member_count(rfm_book(i::bigint, timestamptz '2026-01-01', i * 1e25)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rfm_book() of uuid' => q{SELECT member_count(rfm_book(md5(i::text)::uuid, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rfm_book() of text' => q{SELECT member_count(rfm_book('member ' || i, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rfm_book() of long text' => q{SELECT member_count(rfm_book(repeat('m', 30000000) || i, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 10) AS i) g},
		'rfm_book() of lines' => q{SELECT member_count(rfm_book(1, i, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rollup()' => q{SELECT member_count(rollup(book)) FROM (SELECT book FROM big WHERE name = 'numbers' UNION ALL
			SELECT rfm_book(-i::bigint, timestamptz '2026-01-01', i) FROM (SELECT generate_series(1, 1000000) AS i) g) x},
		'=' => 'SELECT ' . book('numbers') . ' = ' . book('backwards'),
		'+' => 'SELECT member_count(' . book('numbers') . ' + ' . book('backwards') . ')',
		'output' => 'SELECT sum(octet_length(book::text)) FROM big',
		'rfm_cuts()' => q{SELECT rfm_cuts(r, 99) FROM (SELECT rfm('2026-01-01', 5) AS r OFFSET 0) x, (SELECT generate_series(1, 10000000) OFFSET 0) g},
		'tier_cuts()' => q{SELECT tier_cuts(i % 7, '{0.1,0.2}') FROM (SELECT generate_series(1, 30000000) AS i) g},
		'tier() of numeric' => q{SELECT count(t) FROM (SELECT tier(i::numeric * 1e25, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 4000000) AS i) g) x});
	fails($large{$_}, $memory, "$_ without memory") for sort keys %large;
	is($node->safe_psql('postgres', q{SELECT member_count(rfm_book(i::bigint, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 100000) AS i) g}),
		100000, 'smaller ones still work');
	system("prlimit --pid $postmaster --as=unlimited: >/dev/null 2>&1");
}

# Nothing was lost on the way.
is( $node->safe_psql('postgres', "SELECT name, member_count(book) FROM big ORDER BY name"),
	"backwards|1500000\nlines|300000\nnumbers|1500000", 'the books are still there');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server is the one that was started');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'and none of its processes crashed');

$node->stop;
done_testing();
