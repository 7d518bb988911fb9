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

# A million tags in one set, and two million rows of few tags.  How long that takes
# must not depend on how many different tags there are.
is( $node->safe_psql(
		'postgres', q{
	SELECT memory('VmHWM') AS before \gset
	CREATE TABLE million AS SELECT tag_agg('tag ' || i) AS tags FROM (SELECT generate_series(1, 1000000) AS i) g;
	-- 2^17 blocks, see docs/storage-format.md; hashes twice, and the filter
	SELECT length(tagbloom_send(tags)), abs(tag_count(tags) / 1000000 - 1) < 0.01, false_positive_rate(tags) <= 0.001, memory('VmHWM') - :before < 60 FROM million;
	CREATE FUNCTION count_of(tags tagbloom, prefix text, n int) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN RETURN (SELECT count(*) FROM generate_series(1, n) i WHERE tags ? (prefix || i)); END $$;
	SELECT count_of(tags || 'one more', 'tag ', 1000000), count_of(tags || 'one more', 'other ', 200000) < 300 FROM million}),
	"4194308|t|t|t\n1000000|t", 'a set of a million tags');
is( $node->safe_psql(
		'postgres', q{
	SELECT memory('VmHWM') AS before \gset
	SELECT tag_agg('tag ' || i % 900) = (SELECT tag_agg('tag ' || i) FROM generate_series(0, 899) i) FROM (SELECT generate_series(1, 2000000) AS i) g;
	SELECT rollup(a) = (SELECT tag_agg('tag ' || i) FROM generate_series(0, 29) i) FROM (SELECT tags('tag ' || i % 30) AS a FROM (SELECT generate_series(1, 2000000) AS i) g) x;
	SELECT memory('VmHWM') - :before < 10}),
	"t\nt\nt", 'two million rows of few tags take little memory');
{
	my %took;
	for my $different (300, 1000, 1015, 1020, 1100, 2040, 4090, 16380)
	{
		$took{$different} = $node->safe_psql('postgres', qq{
			SET statement_timeout = '20s';
			SELECT clock_timestamp() AS start \\gset
			SELECT tag_agg('tag ' || i % $different) IS NULL FROM (SELECT generate_series(1, 100000) AS i) g \\g /dev/null
			SELECT (extract(epoch FROM clock_timestamp() - :'start') * 1000)::int}, on_error_stop => 0);
	}
	my ($least) = sort { $a <=> $b } values %took;
	my @slow = grep { $took{$_} > 8 * $least + 200 } sort { $a <=> $b } keys %took;
	is("@slow", '', 'however many different tags there are, rows take as long') or diag(join ', ', map { "$_: $took{$_} ms" } sort { $a <=> $b } keys %took);
}
is( $node->safe_psql(
		'postgres', q{SELECT length(tagbloom_send(tag_agg('tag ' || i, 63573348))) FROM generate_series(1, 33) i}), 4 + 128 * 1024 * 1024,
	'a filter of the largest size');

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

# Queries as deep as they may be, on a stack as small as it may be: a & !b in a & !(...)
# in a & !(...).  Each of these with a turns the answer of the one inside round.
for my $depth (1, 2, 10_000, 10_001, 65_535)
{
	my $query = "(repeat('a & !(', $depth - 1) || 'a & !b' || repeat(')', $depth - 1))::tagquery";
	my $file = $node->data_dir . "/query.$depth";
	is( $node->safe_psql(
			'postgres', qq{
		SET max_stack_depth = '100kB';
		CREATE TEMP TABLE deep AS SELECT $query AS q;
		CREATE TEMP TABLE asked AS SELECT i AS id, CASE i % 4 WHEN 0 THEN tags('a', 'b') WHEN 1 THEN tags('a') WHEN 2 THEN tags('b') ELSE '{}' END AS tags FROM generate_series(0, 399) i;
		ANALYZE asked;
		SELECT string_agg((tags \@\@ q)::text::char, '' ORDER BY id) FROM deep, asked WHERE id < 4;
		COPY deep TO '$file' (FORMAT binary);
		CREATE TEMP TABLE copied (q tagquery);
		COPY copied FROM '$file' (FORMAT binary);
		SELECT d.q::text::tagquery = d.q, c.q = d.q, tagquery_tree(d.q) FROM deep d, copied c;
		CREATE INDEX ON asked USING gin (tags);
		SET enable_seqscan = off;
		SELECT count(*), min(id) FROM asked WHERE tags \@\@ $query;
		SELECT count(*) FROM asked, deep WHERE tags \@\@ q}),
		($depth % 2 ? 'ftff' : 'tfff') . "\nt|t|a\n100|" . $depth % 2 . "\n100", "a query $depth deep");
}
fails("SELECT (repeat('(!', 65537) || 'a' || repeat(')', 65537))::tagquery", $too_large, 'a query that is too deep');
fails("SELECT (repeat('a|', 65536) || 'a')::tagquery", $too_large, 'a query of too many tags');

# Filters that are stored apart are asked piece by piece, compressed or not, and
# answer as they do in memory.
{
	my $compressions = $node->safe_psql('postgres', q{SELECT string_agg(v, ' ') FROM pg_settings, unnest(enumvals) v WHERE name = 'default_toast_compression'});
	$node->safe_psql(
		'postgres', qq{
		CREATE TABLE apart (id serial, storage text, log2 int, tags tagbloom);
		CREATE TABLE apart_plain (LIKE apart);
		ALTER TABLE apart_plain ALTER tags SET STORAGE EXTERNAL} . join '', map { qq{;
		CREATE TABLE apart_$_ (LIKE apart);
		ALTER TABLE apart_$_ ALTER tags SET COMPRESSION $_} } split / /, $compressions);
	for my $table ('plain', split / /, $compressions)
	{
		# Full ones, which do not become smaller, and raised ones, which do.
		$node->safe_psql(
			'postgres', qq{
			INSERT INTO apart_$table
			SELECT n, '$table', n, tag_agg('tag ' || i) FROM generate_series(7, 13) n, LATERAL generate_series(1, 12 * (1 << n)) i GROUP BY n;
			INSERT INTO apart_$table
			SELECT 100 + n, '$table', n, tagbloom((SELECT tag_agg('tag ' || i) FROM generate_series(1, 50) i), 14 * (1 << n), true) FROM generate_series(7, 16) n});
		is( $node->safe_psql(
				'postgres', qq{
			SELECT count(*), bool_and(length(tagbloom_send(tags)) = 4 + (32 << log2)), count(*) FILTER (WHERE id < 100 AND pg_column_size(tags) > 65536),
			       count(*) FILTER (WHERE id > 100 AND pg_column_size(tags) > 65536) FROM apart_$table}),
			$table eq 'plain' ? '17|t|3|6' : '17|t|3|0', "$table: filters that are stored apart");
		is( $node->safe_psql(
				'postgres', qq{
			SELECT count(*), count(*) FILTER (WHERE a.tags ? tag), count(*) FILTER (WHERE (a.tags ? tag) <> (m.tags ? tag)), count(*) FILTER (WHERE (a.tags ? tag) <> (m.tags ?| ARRAY[tag]))
			  FROM apart_$table a JOIN (SELECT id, tags || 'tag 1' AS tags FROM apart_$table OFFSET 0) m USING (id), LATERAL (SELECT 'tag ' || i * 3 AS tag FROM generate_series(1, 150) i) t}),
			$node->safe_psql('postgres', qq{
			SELECT 17 * 150, count(*) FILTER (WHERE m.tags ?& ARRAY[tag]), 0, 0
			  FROM (SELECT id, tags || 'tag 1' AS tags FROM apart_$table OFFSET 0) m, LATERAL (SELECT 'tag ' || i * 3 AS tag FROM generate_series(1, 150) i) t}),
			"$table: ? answers as it does in memory");
	}
	# A read of the whole filter goes through every page of it.
	my ($piece, $whole) = map {
		my $plan = $node->safe_psql('postgres', "EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) SELECT id FROM apart_plain WHERE id = 113 AND tags $_");
		$plan =~ /Seq Scan.*?Buffers: shared (?:hit=(\d+))? ?(?:read=(\d+))?/s ? ($1 // 0) + ($2 // 0) : -1
	} "? 'tag 7'", "?| '{tag 7}'";
	cmp_ok($whole, '>', 100, 'asked for several tags, a large filter is read');
	cmp_ok($piece, '<', $whole / 4, 'and for one tag only a piece of it') or diag("$piece of $whole");
}

# Stored bytes that are damaged, as they would come from a broken disk: whatever
# reads them says so.
{
	$node->safe_psql(
		'postgres', q{
		CREATE CAST (bytea AS tagbloom) WITHOUT FUNCTION;
		CREATE CAST (bytea AS tagquery) WITHOUT FUNCTION;
		CREATE FUNCTION h(n int) RETURNS bytea LANGUAGE sql IMMUTABLE RETURN int8send(n);
		CREATE TABLE bad_tags (why text, bytes bytea);
		INSERT INTO bad_tags VALUES
		  ('empty', ''), ('one byte', '\x04'), ('three bytes', '\x040100'), ('another type', '\x05010000'), ('version 0', '\x04000000'), ('version 2', '\x04020000'),
		  ('a reserved byte', '\x04010100'), ('33 hashes', '\x04010021' || decode(repeat('00', 264), 'hex')), ('127 hashes', '\x0401007f'),
		  ('a hash is missing', '\x04010002' || h(1)), ('half a hash is missing', '\x04010001' || '\x00000000'::bytea), ('a hash too many', '\x04010001' || h(1) || h(2)),
		  ('hashes not in order', '\x04010002' || h(2) || h(1)), ('a hash twice', '\x04010003' || h(1) || h(2) || h(2)),
		  ('no block', '\x04010080'), ('half a block', '\x04010080' || decode(repeat('ff', 16), 'hex')), ('a byte too many', '\x04010080' || decode(repeat('ff', 33), 'hex')),
		  ('one block of two', '\x04010181' || decode(repeat('ff', 32), 'hex')), ('2^23 blocks', '\x04011780' || decode(repeat('ff', 32), 'hex')),
		  ('2^255 blocks', '\x0401ff80' || decode(repeat('ff', 32), 'hex')), ('the largest, cut off', '\x04011696' || decode(repeat('ff', 32), 'hex')),
		  ('a grain above the size', '\x04010081' || decode(repeat('ff', 32), 'hex')), ('a grain of 127', '\x040100ff' || decode(repeat('ff', 32), 'hex')),
		  ('a large one, cut off', '\x04010d8d' || decode(repeat('5a', 262143), 'hex')), ('a large one and more', '\x04010d8d' || decode(repeat('5a', 262145), 'hex')),
		  ('a large one of another version', '\x04020d8d' || decode(repeat('5a', 262144), 'hex'));
		CREATE TABLE stored_bad (why text, tags tagbloom, plain tagbloom);
		ALTER TABLE stored_bad ALTER plain SET STORAGE EXTERNAL;
		INSERT INTO stored_bad SELECT why, bytes::tagbloom, bytes::tagbloom FROM bad_tags;

		CREATE TABLE bad_query (why text, bytes bytea);
		INSERT INTO bad_query VALUES
		  ('empty', ''), ('no nodes', '\x0501000000000000'), ('another type', '\x040100000000000101000161'), ('version 2', '\x050200000000000101000161'),
		  ('a reserved byte', '\x050100010000000101000161'), ('another reserved byte', '\x050101000000000101000161'), ('too many nodes', '\x05010000ffffffff01000161'),
		  ('a node is missing', '\x050100000000000201000161'), ('a node too many', '\x05010000000000010100016101000162'), ('bytes too many', '\x05010000000000010100016100'),
		  ('an empty tag', '\x0501000000000001010000'), ('a tag that is cut off', '\x050100000000000101000261'), ('a tag of 1025 bytes', '\x0501000000000001010401' || decode(repeat('61', 1025), 'hex')),
		  ('a length that is cut off', '\x05010000000000010100'), ('an unknown node', '\x050100000000000105000161'), ('node 0', '\x050100000000000100000161'),
		  ('not of nothing', '\x050100000000000102'), ('not of not', '\x0501000000000003020201000161'), ('and of one', '\x050100000000000203' || '\x00000001'::bytea || '\x01000161'),
		  ('and of none', '\x050100000000000103' || '\x00000000'::bytea), ('and of three, two there', '\x050100000000000303' || '\x00000003'::bytea || '\x0100016101000162'),
		  ('and of very many', '\x050100000000000303' || '\xffffffff'::bytea || '\x0100016101000162'),
		  ('and in and', '\x050100000000000503' || '\x0000000203'::bytea || '\x00000002'::bytea || '\x010001610100016201000163'),
		  ('or in or', '\x050100000000000504' || '\x0000000204'::bytea || '\x00000002'::bytea || '\x010001610100016201000163');
		CREATE TABLE stored_bad_query AS SELECT why, bytes::tagquery AS q FROM bad_query;

		CREATE FUNCTION outcome(sql text) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
		  EXECUTE sql;
		  RAISE EXCEPTION 'no error';
		EXCEPTION WHEN OTHERS THEN
		  RETURN sqlstate || ' ' || sqlerrm;
		END $$});
	my $right = q{'^XX001 stored tag(bloom|query) is not valid: '};

	# Every function of the extension that takes a set or a query, but for those that
	# take the bytes as they are and the supports of types and indexes, in which
	# SQL has no place.
	my $arguments = q{SELECT format_type(t, NULL) AS type, n FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n)};
	for my $type ('tagbloom', 'tagquery')
	{
		my ($table, $columns) = $type eq 'tagbloom' ? ('stored_bad', [qw(tags plain)]) : ('stored_bad_query', ['q']);
		for my $column (@$columns)
		{
			my $calls = qq{
				SELECT p.oid::regprocedure AS function, p.prokind,
				       format('SELECT %s(%s) FROM $table WHERE why = ', p.proname, string_agg(CASE WHEN type = '$type' AND n = first THEN '$column'
				         WHEN type = 'tagbloom' THEN '''{a,b}''::tagbloom' WHEN type = 'tagquery' THEN '''a''::tagquery' WHEN type = 'text' THEN '''a'''
				         WHEN type = 'text[]' THEN '''{a}''::text[]' WHEN type = 'integer' THEN '5000' WHEN type = 'boolean' THEN 'true' ELSE 'NULL::' || type END, ', ' ORDER BY n)) AS call
				  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
				  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
				       LATERAL ($arguments) a, LATERAL (SELECT n AS first FROM ($arguments) b WHERE type = '$type') f
				 WHERE e.extname = 'custmart' AND p.proname !~ '_(send|eq|ne|lt|le|gt|ge|cmp|hash|hash_extended)\$' AND 'internal'::regtype <> ALL (p.proargtypes::oid[])
				   AND 'bytea'::regtype <> ALL (p.proargtypes::oid[])
				 GROUP BY p.oid, p.prokind, p.proname, first};
			cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM ($calls) c"), '>=', $type eq 'tagbloom' ? 18 : 3, "$type, $column: functions found");
			is( $node->safe_psql('postgres', "SELECT function, why, outcome FROM ($calls) c, bad_" . ($type eq 'tagbloom' ? 'tags' : 'query') . qq{ b,
				LATERAL (SELECT outcome(call || quote_literal(why))) o WHERE outcome !~ $right
				   -- Whoever compares all hashes does not need them in order.
				   AND NOT (function::text ~ '^(tagbloom_has|has_|tagbloom_matches)' AND why IN ('hashes not in order', 'a hash twice') AND outcome = 'P0001 no error')
				 ORDER BY 1, 2}), '', "$type, $column: every function refuses damaged bytes");
			# Those that take the bytes as they are do no harm.
			is( $node->safe_psql('postgres', "SELECT count(*) FROM $table a, $table b WHERE (a.$column = b.$column) <> (a.why = b.why) OR (a.$column < b.$column) = (a.$column >= b.$column) OR ${type}_hash(a.$column) IS NULL"),
				0, "$type, $column: comparisons");
		}
	}
	for my $sql ("SELECT tags::text FROM stored_bad WHERE why = %s", "CREATE TABLE one AS SELECT tags FROM stored_bad WHERE why = %s; ANALYZE one",
		"CREATE TABLE one AS SELECT plain FROM stored_bad WHERE why = %s; CREATE INDEX ON one USING gin (plain)",
		"CREATE TABLE one (tags tagbloom(50)); INSERT INTO one SELECT tags FROM stored_bad WHERE why = %s",
		"SELECT FROM good WHERE tags @> (SELECT tags FROM stored_bad WHERE why = %s)",
		"SET enable_seqscan = off; SELECT FROM good WHERE tags @> (SELECT tags FROM stored_bad WHERE why = %s)")
	{
		$node->safe_psql('postgres', q{CREATE TABLE IF NOT EXISTS good AS SELECT tags('a', i::text) AS tags FROM generate_series(1, 1000) i; CREATE INDEX IF NOT EXISTS good_gin ON good USING gin (tags); ANALYZE good});
		is( $node->safe_psql('postgres', "SELECT why, outcome FROM bad_tags, LATERAL (SELECT outcome(format(\$\$$sql\$\$" =~ s/%s/%L/r . ", why))) o WHERE outcome !~ $right"
			  # What is large is counted by ANALYZE, and not read.
			  . ($sql =~ /ANALYZE/ ? " AND NOT (why LIKE 'a large one%' AND outcome = 'P0001 no error')" : '')), '', "damaged bytes: $sql");
	}
	# As a constant in a query, which the planner reads; the index as well.
	for my $planned ('on', 'off')
	{
		is( $node->safe_psql('postgres', qq{SET enable_seqscan = $planned; SELECT why, outcome FROM bad_tags, LATERAL (SELECT outcome(format('EXPLAIN SELECT FROM good WHERE tags @> %L::bytea::tagbloom', bytes))) o
			WHERE length(bytes) < 1000 AND outcome !~ $right}), '', "damaged constants, enable_seqscan $planned");
		is( $node->safe_psql('postgres', qq{SET enable_seqscan = $planned; SELECT why, outcome FROM bad_query, LATERAL (SELECT outcome(format('SELECT FROM good WHERE tags \@\@ %L::bytea::tagquery', bytes))) o
			WHERE outcome !~ $right}), '', "damaged queries as constants, enable_seqscan $planned");
	}
	# Tags that are no text come out of it as an error.
	for my $tag ('ff', '00', '6100', 'c0af', 'eda080')
	{
		my $query = q{('\x05010000000000010100} . sprintf('%02x', length($tag) / 2) . "$tag'::bytea)::tagquery";
		like((error_of("SELECT $query\::text"))[0], qr/ERROR:  22021: /, "a query with the bytes $tag is not printed");
		like((error_of("SELECT tagquery_tree($query)"))[0], qr/ERROR:  22021: /, 'nor the part of it that an index can look up');
		is((error_of("SELECT '{a}'::tagbloom \@\@ $query"))[0], 'no error', 'and matches nothing');
	}
	$node->safe_psql('postgres', 'DROP CAST (bytea AS tagbloom); DROP CAST (bytea AS tagquery)');
}

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

	-- Members with sets of tags; sets of many; the text of both and of a query.
	CREATE TABLE tagged AS SELECT i AS id, tags('vip ' || i % 7, 'city ' || i % 997, 'id ' || i, 'x' || i / 3, 'y' || i / 2) AS tags FROM generate_series(1, 150000) i;
	CREATE TABLE large AS SELECT n, tag_agg('tag ' || i * n, 20000000) AS tags FROM generate_series(1, 2) n, generate_series(1, 100000) i GROUP BY n;
	CREATE TABLE tag_text AS SELECT '{' || string_agg('"tag ' || i || '"', ',') || '}' AS list, jsonb_agg('tag ' || i) AS json, array_agg('tag ' || i) AS tags
	  FROM generate_series(1, 1000000) i;
	CREATE TABLE query AS SELECT string_agg('tag' || i, ' & !' ORDER BY i) AS text FROM generate_series(1, 65536) i;
});
my $file = $node->data_dir . '/book.copy';
$node->safe_psql('postgres', "COPY (SELECT book FROM big WHERE name = 'lines') TO '$file' (FORMAT binary)");

sub book { return "(SELECT book FROM big WHERE name = '$_[0]')" }

my %slow = (
	'tag_agg()' => q{SELECT length(tagbloom_send(tag_agg('tag ' || i))) FROM (SELECT generate_series(1, 1500000) AS i) g},
	'tag_agg() of groups' => q{SELECT sum(tag_count(t)) FROM (SELECT tag_agg('tag ' || i) AS t FROM (SELECT generate_series(1, 800000) AS i) g GROUP BY i % 20) s},
	'rollup(tagbloom)' => 'SELECT length(tagbloom_send(rollup(tags))) FROM tagged',
	'rollup(tagbloom) of filters' => 'SELECT length(tagbloom_send(rollup(tags))) FROM large, generate_series(1, 4)',
	'tags(text[])' => 'SELECT tag_count(tags(VARIADIC tags)) FROM tag_text',
	'tags(jsonb)' => 'SELECT tag_count(tags(json)) FROM tag_text',
	'tag_list()' => 'SELECT cardinality(tag_list(large.tags, tag_text.tags)) FROM large, tag_text',
	'tag_count()' => 'SELECT tag_count(tags) FROM large',
	'false_positive_rate()' => 'SELECT false_positive_rate(tags) FROM large, generate_series(1, 3)',
	'|' => 'SELECT length(tagbloom_send(a.tags | b.tags)) FROM large a, large b',
	'@>' => 'SELECT a.tags @> b.tags FROM large a, large b',
	'the cast to tagbloom(n)' => 'SELECT length(tagbloom_send(tagbloom(tags, 1000 + 30000000 * i, true))) FROM large, generate_series(0, 1) i',
	'input of tagbloom' => 'SELECT tag_count(list::tagbloom) FROM tag_text',
	'input of a filter' => 'SELECT tag_count(tags::text::tagbloom) FROM large WHERE n = 1',
	'output of tagbloom' => 'SELECT sum(octet_length(tags::text)) FROM large',
	'a GIN build' => 'CREATE INDEX ON tagged USING gin (tags)',
	'ANALYZE' => 'SET default_statistics_target = 500; ANALYZE tagged',
	'input of tagquery' => 'SELECT count(text::tagquery) FROM query, generate_series(1, 30)',
	'input of tagquery, of nots' => q{SELECT (repeat('!', 50000000) || 'vip')::tagquery},
	'input of tagquery, of parentheses' => q{SELECT count((repeat('(!', 65536) || 'vip' || n || repeat(')', 65536))::tagquery) FROM generate_series(1, 60) n},
	'output of tagquery' => 'SELECT sum(octet_length(q::text)) FROM (SELECT text::tagquery AS q FROM query OFFSET 0) q, generate_series(1, 30)',
	'tagquery_tree()' => 'SELECT sum(octet_length(tagquery_tree(q))) FROM (SELECT text::tagquery AS q FROM query OFFSET 0) q, generate_series(1, 30)',
	'@@' => 'SELECT count(*) FROM query, LATERAL (SELECT text::tagquery AS q OFFSET 0) q, tagged WHERE id < 5000 AND NOT (tags @@ q)',
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
		'tag_agg()' => q{SELECT tag_count(tag_agg('tag ' || i)) FROM (SELECT generate_series(1, 20000000) AS i) g},
		'tag_agg() of filters' => q{SELECT tag_count(tag_agg('tag ' || i, 63573348)) FROM generate_series(1, 33) i},
		'rollup(tagbloom)' => 'SELECT tag_count(rollup(tagbloom(tags, 60000000, true))) FROM large',
		'the cast to tagbloom(n)' => 'SELECT tag_count(tagbloom(tags, 60000000, true)) FROM large',
		'input of tagbloom' => q{SELECT tag_count(('{' || repeat('a,', 30000000) || 'b}')::tagbloom)},
		'input of tagquery' => q{SELECT length(tagquery_tree((repeat('!', 80000000) || 'b')::tagquery))},
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
