# Member marts while everything goes on at once: writers of all kinds, two refreshers, crashes, partitions, dump and restore.
# Whatever happens, no member may differ from what GROUP BY makes of the source. Two designs that look right and are not
# stand beside it, so that the test is seen to bite.
use strict;
use warnings;

use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('mart');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 60\nautovacuum_naptime = 1s\nlog_min_messages = fatal\nrestart_after_crash = on\n");
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir();

# ---------- the order of events that two wrong designs do not survive ----------

$node->safe_psql('postgres', 'CREATE DATABASE designs');
$node->safe_psql('designs', q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders (id bigserial, customer_id bigint, amount numeric);
	CREATE INDEX ON orders (customer_id);
	CREATE FUNCTION wrong(mart regclass) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE n bigint;
	BEGIN
		EXECUTE format('SELECT count(*) FROM (SELECT customer_id, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer_id) s
			FULL JOIN %s m ON m.member = s.customer_id WHERE (s.orders, s.spent) IS DISTINCT FROM (m.orders, m.spent)', mart) INTO n;
		RETURN n;
	END $$;

	-- A log with a unique key: a member is noted once.
	CREATE TABLE once (member bigint PRIMARY KEY, orders bigint, spent numeric);
	CREATE TABLE once_changes (member bigint PRIMARY KEY);
	CREATE FUNCTION note_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO once_changes VALUES (NEW.customer_id) ON CONFLICT DO NOTHING; RETURN NULL; END $$;
	CREATE TRIGGER once AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_once();
	CREATE FUNCTION refresh_once() RETURNS void LANGUAGE sql AS $$
		WITH keys AS (DELETE FROM once_changes RETURNING member)
		INSERT INTO once SELECT customer_id, count(*), sum(amount) FROM orders WHERE customer_id IN (TABLE keys) GROUP BY customer_id
		ON CONFLICT (member) DO UPDATE SET orders = excluded.orders, spent = excluded.spent $$;

	-- A watermark: what has a higher id than the highest of the last refresh is new.
	CREATE TABLE above (member bigint PRIMARY KEY, orders bigint, spent numeric);
	CREATE TABLE watermark AS SELECT 0::bigint AS id;
	CREATE FUNCTION refresh_above() RETURNS void LANGUAGE sql AS $$
		INSERT INTO above SELECT customer_id, count(*), sum(amount) FROM orders WHERE customer_id IN (SELECT o.customer_id FROM orders o, watermark w WHERE o.id > w.id) GROUP BY customer_id
		ON CONFLICT (member) DO UPDATE SET orders = excluded.orders, spent = excluded.spent;
		UPDATE watermark SET id = (SELECT max(id) FROM orders) $$;

	SELECT create_member_mart('mart', 'orders', 'customer_id', 'count(*) AS orders, sum(amount) AS spent');
	SELECT refresh_member_mart('mart')});
{
	my ($slow, $fast) = map { Session->new($node, 'designs') } 1, 2;
	my $refresh = q{SELECT refresh_once(); SELECT refresh_above(); SELECT refresh_member_mart('mart')};
	my $wrong = q{SELECT wrong('once'), wrong('above'), wrong('mart')};

	$fast->sql('INSERT INTO orders (customer_id, amount) VALUES (1, 10), (2, 10)');
	$fast->sql($refresh);
	is($fast->sql($wrong), '0|0|0', 'one after the other, all designs are right');

	$fast->sql('INSERT INTO orders (customer_id, amount) VALUES (1, 20)');
	$slow->sql('BEGIN; INSERT INTO orders (customer_id, amount) VALUES (1, 30), (2, 30)');
	$fast->sql('INSERT INTO orders (customer_id, amount) VALUES (3, 40)');
	$fast->sql($refresh);
	is($fast->sql($wrong), '0|0|0', 'and while a transaction is open');
	$slow->sql('COMMIT');
	$fast->sql($refresh);
	is($fast->sql($wrong), '1|2|0', 'after its end, a unique key has lost one member for ever, a watermark two, the mart none');
	$fast->sql($refresh);
	is($fast->sql($wrong), '1|2|0', 'the next refresh does not find them');

	$fast->sql('DROP TRIGGER once ON orders');

	# A statement has one snapshot, but a transaction under REPEATABLE READ has an older one than its lock.
	for my $call ('refresh_member_mart', 'rebuild_member_mart')
	{
		$slow->sql('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders');
		$fast->sql("INSERT INTO orders (customer_id, amount) VALUES (3, 1)") if $call eq 'refresh_member_mart';
		$fast->sql('DELETE FROM orders WHERE customer_id = 3') if $call eq 'rebuild_member_mart';
		$fast->sql(q{SELECT refresh_member_mart('mart')});
		my ($out, $err) = $slow->query("SELECT $call('mart')");
		$slow->sql('COMMIT');
		if ($call eq 'rebuild_member_mart')
		{
			like($err, qr/could not serialize access/, 'a rebuild with an old snapshot does not bring back who was removed');
		}
		is($fast->sql(q{SELECT wrong('mart')}), '0', "$call in an old snapshot does no harm");
	}
	$slow->sql('BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO orders (customer_id, amount) VALUES (1, 5)');
	$fast->sql('INSERT INTO orders (customer_id, amount) VALUES (1, 7)');
	$slow->sql(q{SELECT refresh_member_mart('mart'); COMMIT});
	is($fast->sql(q{SELECT wrong('mart'), count(*) FROM mart_changes}), '1|1', 'a refresh leaves the notes that it could not see');
	is($fast->sql(q{SELECT refresh_member_mart('mart'); SELECT wrong('mart')}), "(1,0,0)\n0", 'for the next one');

	# Notes of what is rolled back go with it.
	$fast->sql(q{BEGIN; INSERT INTO orders (customer_id, amount) VALUES (8, 1); SAVEPOINT s; INSERT INTO orders (customer_id, amount) VALUES (9, 1); ROLLBACK TO s; COMMIT});
	is($fast->sql(q{SELECT string_agg(member::text, ',') FROM mart_changes}), '8', 'a savepoint that is rolled back notes nobody');
}

# ---------- a shop with names that need quotes, in partitions ----------

my $source = q{"My Shop"."Orders; x"};
my $member = q{"Customer ""Id"""};
my $mart = q{'"My Shop"."it''s members"'};
$node->safe_psql('postgres', 'CREATE ROLE writer LOGIN; CREATE ROLE owner LOGIN; CREATE ROLE visitor LOGIN; CREATE DATABASE shop OWNER owner');

sub as_user
{
	my ($user, $sql) = @_;
	my ($status, $out, $err) = $node->psql('shop', $sql, on_error_stop => 1, extra_params => [ '--username', $user ]);
	return $status == 0 ? $out : $err;
}

my $made = as_user('owner', qq{
	CREATE SCHEMA custmart;
	CREATE EXTENSION custmart SCHEMA custmart;
	GRANT USAGE ON SCHEMA custmart TO PUBLIC;
	CREATE SCHEMA "My Shop";
	CREATE TABLE $source (id bigint GENERATED BY DEFAULT AS IDENTITY, store int, $member text, ordered_at timestamptz, amount numeric(12,2), note json) PARTITION BY LIST (store);
	CREATE TABLE "My Shop".store_1 PARTITION OF $source FOR VALUES IN (1);
	-- Its columns have another order.
	CREATE TABLE "My Shop".store_2 (gone int, note json, amount numeric(12,2), $member text, ordered_at timestamptz, store int, id bigint NOT NULL);
	ALTER TABLE "My Shop".store_2 DROP gone;
	ALTER TABLE $source ATTACH PARTITION "My Shop".store_2 FOR VALUES IN (2);
	CREATE INDEX ON $source ($member);
	CREATE INDEX ON $source (id);
	INSERT INTO $source (store, $member, ordered_at, amount, note)
	SELECT 1 + n % 2, CASE WHEN n % 50 > 0 THEN 'it''s "' || n * 7919 % 2003 || '" \\ ; \$mart\$' END, timestamptz '2025-01-01' + n * interval '17 minutes', (n * 7919 % 10007 - 300) / 100.0, '{"n": 1}' FROM generate_series(1, 20000) n;
	ANALYZE;
	GRANT USAGE ON SCHEMA "My Shop" TO writer;
	GRANT SELECT, INSERT, UPDATE, DELETE ON $source, "My Shop".store_2 TO writer;
	SET search_path = custmart, "My Shop";
	SELECT create_member_mart(\$\$it's members\$\$, '$source', 'Customer "Id"',
		\$\$rfm(ordered_at, amount) AS rfm, activity(ordered_at, 'month', 'UTC') AS activity, count(*) AS "number; of orders", sum(amount) AS waiting, max(ordered_at) AS "max_members" -- \$mart\$ and 'more\$\$,
		\$\$amount <> 5 -- nothing's for free\$\$);
	SELECT refresh_member_mart($mart);
	SELECT count(*), count(rfm_segment) FROM "My Shop"."it's members_scored"});
is($made, "\n(2003,0,0)\n2003|2003", 'names and expressions that need quotes');

# The members who differ from GROUP BY.
sub wrong
{
	my ($database) = @_;
	return $node->safe_psql($database // 'shop', qq{
		SET search_path = custmart;
		SELECT count(*) FROM (SELECT $member AS member, custmart.rfm(ordered_at, amount) AS rfm, custmart.activity(ordered_at, 'month', 'UTC') AS activity, count(*) AS orders, sum(amount) AS spent, max(ordered_at) AS last
			FROM $source WHERE $member IS NOT NULL AND amount <> 5 GROUP BY 1) s
		FULL JOIN "My Shop"."it's members" m USING (member)
		WHERE (s.rfm, s.activity, s.orders, s.spent, s.last) IS DISTINCT FROM (m.rfm, m.activity, m."number; of orders", m.waiting, m.max_members)});
}
sub refresh { my ($max) = @_; return as_user('owner', "SELECT custmart.refresh_member_mart($mart" . ($max ? ", $max)" : ')')); }
sub check { return as_user('owner', "SELECT wrong FROM custmart.check_member_mart($mart, 1)"); }
is(wrong(), '0', 'the mart is right');
is($node->safe_psql('shop', q{SELECT proconfig::text FROM pg_proc WHERE proname = $$refresh_it's members$$}), q|{"search_path=custmart, \"My Shop\", pg_temp",row_security=off,plan_cache_mode=force_custom_plan}|, 'search_path is that of the creator, pg_temp last');
is(as_user('owner', qq{SET search_path = pg_catalog; CREATE TEMP TABLE "it's members" (x int); CREATE TEMP TABLE "Orders; x" (x int); SELECT custmart.refresh_member_mart($mart)}), '(0,0,0)', 'whatever search_path the session has');

# Who may write orders goes on writing them, and may do nothing else.
is(as_user('writer', qq{INSERT INTO $source (store, $member, ordered_at, amount) VALUES (1, 'new', '2025-06-01', 9); UPDATE "My Shop".store_2 SET note = '{"n": 2}' WHERE $member LIKE '%"1000"%'; SELECT 1}),
	'1', 'a role without rights on the mart writes orders, with a column that has no equality');
like(as_user('writer', qq{SELECT * FROM "My Shop"."it's members"}), qr/permission denied/, 'it does not read the mart');
like(as_user('writer', qq{SELECT * FROM "My Shop"."it's members_changes"}), qr/permission denied/, 'nor the log');
like(as_user('writer', qq{DELETE FROM "My Shop"."it's members_changes"}), qr/permission denied/, 'nor does it remove notes');
like(as_user('writer', "SELECT custmart.refresh_member_mart($mart)"), qr/permission denied/, 'nor refresh');
$node->safe_psql('shop', 'ALTER TABLE "My Shop"."it\'s members_changes" ENABLE ROW LEVEL SECURITY');
like(as_user('writer', qq{DELETE FROM $source WHERE id = 1}), qr/has row-level security, and notes of a member mart do not pass it/, 'row security of the log is respected');
$node->safe_psql('shop', 'ALTER TABLE "My Shop"."it\'s members_changes" DISABLE ROW LEVEL SECURITY');
like(refresh(), qr/^\(2,0,0\)$/, 'both members are recomputed');
is(wrong(), '0', 'and right');
like(as_user('visitor', q{CREATE SCHEMA x}), qr/permission denied/, 'a visitor has no schema');
# The trigger is no way into tables of others.
$node->safe_psql('shop', 'CREATE SCHEMA v AUTHORIZATION visitor; CREATE TABLE public.secret (member bigint); GRANT USAGE ON SCHEMA public TO visitor');
like(as_user('visitor', q{CREATE TABLE v.t (c bigint); CREATE TRIGGER t AFTER INSERT ON v.t FOR EACH ROW EXECUTE FUNCTION custmart.member_mart_note('public', 'secret', 'c'); INSERT INTO v.t VALUES (1)}),
	qr/permission denied for table secret/, 'and does not write into tables of others by the trigger');

# ---------- writers and refreshers at once ----------

sub script
{
	my ($name, $sql) = @_;
	open my $file, '>', "$dir/$name" or die $!;
	print $file $sql;
	close $file;
	return "$dir/$name";
}
my $who = q{'it''s "' || :m || '" \ ; $mart$'};
my $set = "\\set m random_zipfian(0, 2002, 1.1)\n\\set o random(0, 2002)\n\\set d random(0, 500000)\n";
my $other = $who =~ s/:m/:o/r;
my @writers = map { script("write$_->[0].sql", $set . $_->[1]) } (
	[ insert => "INSERT INTO $source (store, $member, ordered_at, amount) VALUES (1 + :o % 2, $who, timestamptz '2025-01-01' + :d * interval '1 minute', :o / 100.0);\n" ],
	[ update => "UPDATE $source SET amount = :o / 100.0, ordered_at = ordered_at - interval '1 day' WHERE id = 1 + :d % 20000;\n" ],
	[ new => "INSERT INTO $source (store, $member, ordered_at, amount) VALUES (2, 'new ' || :d, '2025-05-05', 5 + :o % 2);\n" ],
	[ delete => "DELETE FROM $source WHERE id IN (SELECT id FROM $source WHERE $member = $other LIMIT 1 + :o % 20);\n" ],
	[ member => "UPDATE $source SET $member = $other WHERE id = 1 + :d % 20000;\n" ],
	[ store => "UPDATE $source SET store = 3 - store WHERE id = 1 + :d % 20000 AND store < 3;\n" ],
	[ direct => "INSERT INTO \"My Shop\".store_2 (id, store, $member, ordered_at, amount) VALUES (-:d, 2, $who, '2025-03-03', 1);\n" ],
	[ long => "BEGIN;\nINSERT INTO $source (store, $member, ordered_at, amount) VALUES (2, $who, '2025-02-02', 2), (1, $other, '2025-02-03', 3), (1, NULL, '2025-02-03', 3);\n"
		  . "\\sleep 30 ms\nSAVEPOINT s;\nINSERT INTO $source (store, $member, ordered_at, amount) VALUES (2, $other, '2025-04-02', 4);\nROLLBACK TO s;\nUPDATE $source SET amount = amount + 1 WHERE $member = $who AND store < 3 AND id % 5 = 0;\n\\sleep 30 ms\nCOMMIT;\n" ],
	[ abort => "BEGIN;\nINSERT INTO $source (store, $member, ordered_at, amount) VALUES (2, $who, '2025-02-02', 2);\nROLLBACK;\n" ]);
my $batches = script('batches.sql', "SELECT custmart.refresh_member_mart($mart, 40);\n\\sleep 3 ms\n");
my $everybody = script('everybody.sql', "SELECT custmart.refresh_member_mart($mart);\n\\sleep 20 ms\n");

# Writers of some kinds deadlock each other, and try again.  How much is done does not depend on how busy the machine is.
sub start_pgbench
{
	my ($user, $isolation, $transactions, $clients, @files) = @_;
	my %bench = (out => '', err => '');
	local $ENV{PGOPTIONS} = '-c default_transaction_isolation=' . $isolation =~ s/ /\\ /r;
	my @command = ('pgbench', '--no-vacuum', '--transactions', $transactions, '--client', $clients, '--max-tries', 1000, '--random-seed', 7 + @files, '--host', $node->host, '--port', $node->port, '--username', $user, (map { ('--file', $_) } @files), 'shop');
	$bench{handle} = IPC::Run::start(\@command, '<', \undef, '>', \$bench{out}, '2>', \$bench{err});
	return \%bench;
}
sub is_running
{
	my ($bench) = @_;
	$bench->{handle}->pump_nb if $bench->{handle}->pumpable;
	return $bench->{handle}->pumpable;
}
sub end_pgbench
{
	my ($bench) = @_;
	IPC::Run::finish($bench->{handle});
	my ($done) = $bench->{out} =~ /^number of transactions actually processed: (\d+)/m;
	my ($repeated) = $bench->{out} =~ /^number of transactions retried: (\d+)/m;
	my ($failed) = $bench->{out} =~ /^number of failed transactions: (\d+)/m;
	diag $bench->{err} if $bench->{err} =~ /error/i && ($failed // 1) > 0;
	return ($done // 0, $repeated // 0, $failed // -1);
}

my @benches = (start_pgbench('writer', 'read committed', 250, 6, @writers), start_pgbench('owner', 'read committed', 400, 1, $batches), start_pgbench('owner', 'repeatable read', 150, 1, $everybody));
my ($looks, $found, $compared) = (0, 0, 0);
while ((grep { is_running($_) } @benches) || $looks < 3)
{
	# Whoever does not wait is right at any moment; a partition comes and another goes, both empty.
	my ($checked, $is_wrong) = split /\|/, as_user('owner', "SELECT * FROM custmart.check_member_mart($mart, 1)");
	$looks++;
	$found += $is_wrong;
	$compared += $checked;
	if ($looks == 2)
	{
		is(as_user('owner', qq{SET lock_timeout = '180s'; CREATE TABLE "My Shop".store_3 PARTITION OF $source FOR VALUES IN (3); GRANT INSERT ON "My Shop".store_3 TO writer; SELECT 1}), '1', 'a partition is added meanwhile');
		is(as_user('writer', qq{INSERT INTO $source (store, $member, ordered_at, amount) SELECT 3, 'it''s "' || n || '" \\ ; \$mart\$', '2025-07-01', 30 FROM generate_series(0, 100) n; SELECT 1}), '1', 'and filled');
		# A row that a writer moves at the same time cannot be moved: PostgreSQL says so, and whoever moves rows tries again.
		my $moved;
		do { $moved = as_user('writer', "UPDATE $source SET store = 3 WHERE id % 100 = 0; SELECT 1") } while ($moved =~ /moved to another partition due to concurrent update/);
		is($moved, '1', 'also by rows that move');
	}
	sleep 0.3;
}
my @counts = map { [ end_pgbench($_) ] } @benches;
is($counts[0][0], 1500, "$counts[0][0] transactions wrote");
is(join(',', map { $_->[0] } @counts[ 1, 2 ]), '400,150', "refreshes, $counts[1][1] and $counts[2][1] of them repeated");
is(join(',', map { $_->[2] } @counts), '0,0,0', 'none failed');
cmp_ok($compared, '>', 1000, "$looks looks at $compared members meanwhile");
is($found, 0, 'none of them wrong');
like(refresh(), qr/,0\)$/, 'nobody waits after the last refresh');
my $members = $node->safe_psql('shop', q{SELECT count(*) FROM "My Shop"."it's members"});
is(wrong(), '0', "and 0 of $members members are wrong");
is(check(), '0', 'check_member_mart says so, too');
is($node->safe_psql('shop', qq{SET search_path = custmart; SELECT rfm_cuts(rfm) = (SELECT rfm FROM "My Shop"."it's members_cuts") FROM "My Shop"."it's members"}), 't', 'limits are of the last refresh');

# Batches show their progress.
as_user('writer', qq{UPDATE $source SET amount = amount + 1 WHERE $member IN (SELECT DISTINCT $member FROM $source WHERE $member LIKE 'it%' ORDER BY 1 LIMIT 250)});
my @waiting = map { refresh(100) =~ /,(\d+)\)$/ } 1 .. 3;
is("@waiting", '150 50 0', 'batches say how many wait');
is(wrong(), '0', 'and end with all right');

# ---------- a crash in a refresh ----------

for my $round (1, 2)
{
	my $writing = start_pgbench('writer', 'read committed', 1000, 4, @writers);
	ok($node->poll_query_until('shop', q{SELECT EXISTS (SELECT FROM "My Shop"."it's members" JOIN "My Shop"."it's members_changes" USING (member))}), 'members wait');
	# The refresh stops in the middle, at a member that is locked.
	my $holder = Session->new($node, 'shop');
	$holder->sql(qq{BEGIN; SELECT member FROM "My Shop"."it's members" WHERE member IN (SELECT member FROM "My Shop"."it's members_changes") FOR UPDATE});
	my $refreshing = start_pgbench('owner', 'read committed', 100000, 1, $everybody);
	ok($node->poll_query_until('shop', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%refresh_member_mart(%' AND backend_type = 'client backend'}), 'a refresh is half done');
	if ($round == 1)
	{
		# Its last process has to be gone before the next server starts.
		my @pids = split /\n/, $node->safe_psql('shop', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
		$node->kill9;
		for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default) { last if !grep { kill 0, $_ } @pids; sleep 0.1; }
	}
	else
	{
		kill 'KILL', $node->safe_psql('shop', q{SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%refresh_member_mart(%' LIMIT 1});
	}
	IPC::Run::finish($_->{handle}) for $writing, $refreshing;
	undef $holder;
	$node->start if $round == 1;
	$node->poll_query_until('shop', 'SELECT NOT pg_is_in_recovery()');
	is(check(), '0', 'after a crash, whoever does not wait is right');
	isnt(refresh(), '(0,0,0)', 'the notes are there');
	is(wrong(), '0', 'and the refresh makes all right');
}

# ---------- what triggers do not see is found ----------

as_user('owner', qq{CREATE TABLE "My Shop".store_4 (LIKE $source); INSERT INTO "My Shop".store_4 (id, store, $member, ordered_at, amount) SELECT -n, 4, 'filled before ' || n, '2025-08-01', 1 FROM generate_series(1, 30) n;
	ALTER TABLE $source ATTACH PARTITION "My Shop".store_4 FOR VALUES IN (4)});
is(refresh(), '(0,0,0)', 'rows of a partition that was attached are not noted');
is(check(), '30', 'they are found');
is(as_user('owner', "SELECT recomputed > 1000, removed FROM custmart.rebuild_member_mart($mart)"), 't|0', 'and computed by a rebuild');
is(wrong() . check(), '00', 'after which all is right');
as_user('owner', qq{INSERT INTO $source (store, $member, ordered_at, amount) VALUES (4, 'filled before 7', '2025-08-02', 2)});
is(refresh() . wrong(), '(1,0,0)0', 'what is written into it later is noted');
as_user('owner', qq{ALTER TABLE $source DETACH PARTITION "My Shop".store_4});
is(refresh() . check(), '(0,0,0)30', 'rows of a partition that was detached are found');
as_user('owner', qq{DELETE FROM "My Shop".store_4});
is(as_user('owner', "SELECT removed FROM custmart.rebuild_member_mart($mart)") . wrong(), '300', 'and removed by a rebuild');
as_user('owner', qq{TRUNCATE "My Shop".store_3});
cmp_ok(check(), '>', 10, 'so is TRUNCATE of a partition');
as_user('owner', "SELECT custmart.rebuild_member_mart($mart)");
is(wrong(), '0', 'and rebuilt');

as_user('owner', qq{INSERT INTO $source (store, $member, ordered_at, amount) VALUES (1, 'replicated', '2025-09-01', 10); SELECT custmart.refresh_member_mart($mart)});
my $as_replica = qq{SET session_replication_role = replica; UPDATE "My Shop".store_1 SET amount = amount + 1 WHERE $member = 'replicated'};
$node->safe_psql('shop', $as_replica);
is(refresh() . check(), '(0,0,0)1', 'what a replica is told is not noted, and found');
$node->safe_psql('shop', qq{ALTER TABLE $source ENABLE ALWAYS TRIGGER "it's members_updated"; $as_replica});
is(refresh() . wrong(), '(1,0,0)0', 'but with ENABLE ALWAYS it is');

# ---------- the shop changes its table ----------

is(as_user('owner', qq{ALTER TABLE $source RENAME $member TO buyer; UPDATE $source SET amount = amount + 1 WHERE id = (SELECT min(id) FROM $source WHERE buyer IS NOT NULL); SELECT 1}), '1', 'with another name of the column, the shop goes on');
like(refresh(), qr/column Orders; x\.Customer "Id" does not exist/, 'and the refresh says what is wrong');
as_user('owner', qq{ALTER TABLE $source RENAME buyer TO $member});
like(refresh(), qr/^\(\d{4},0,0\)$/, 'with its name, everybody is recomputed');
is(wrong(), '0', 'and right');

SKIP:
{
	skip 'virtual generated columns came with PostgreSQL 18', 3 if $node->safe_psql('postgres', 'SHOW server_version_num') < 180000;
	like(as_user('owner', q{CREATE TABLE "My Shop".computed (a int, m int GENERATED ALWAYS AS (a) VIRTUAL); SELECT custmart.create_member_mart('c', '"My Shop".computed', 'm', 'count(*)')}),
		qr/column "m" of table "computed" is a virtual generated column/, 'a member that triggers do not see is refused');
	is(as_user('owner', q{SET client_min_messages = error; ALTER TABLE "My Shop".computed ADD k int; SELECT custmart.create_member_mart('c', '"My Shop".computed', 'k', 'count(*)'); SELECT recomputed FROM custmart.refresh_member_mart('"My Shop".c');
		ALTER TABLE "My Shop".computed RENAME k TO was_k; ALTER TABLE "My Shop".computed RENAME m TO k; INSERT INTO "My Shop".computed VALUES (7); SELECT count(*) FROM "My Shop".c_changes WHERE member IS NULL}),
		"\n0\n1", 'where it becomes one, everybody is noted');
	is(as_user('owner', q{SELECT recomputed FROM custmart.refresh_member_mart('"My Shop".c'); SELECT member FROM "My Shop".c; SELECT custmart.drop_member_mart('"My Shop".c')}), "1\n7\n", 'and computed');
}

# ---------- dump and restore ----------

as_user('writer', qq{INSERT INTO $source (store, $member, ordered_at, amount) SELECT 1 + n % 2, 'waits ' || n, '2025-09-02', 10 FROM generate_series(1, 12) n});
for my $format ('plain', 'custom')
{
	$node->command_ok([ 'pg_dump', '--format', $format, '--file', "$dir/dump.$format", 'shop' ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format OWNER owner");
	my @restore = $format eq 'plain' ? ('psql', '--no-psqlrc', '--quiet', '--output', '/dev/null', '--set', 'ON_ERROR_STOP=1', '--file', "$dir/dump.plain", "restored_plain") : ('pg_restore', '--exit-on-error', '--dbname', 'restored_custom', "$dir/dump.custom");
	$node->command_ok(\@restore, 'restored');
	my $before = wrong("restored_$format");
	is($before, '12', 'who waited waits');
	is($node->safe_psql("restored_$format", "SELECT recomputed, removed FROM custmart.refresh_member_mart($mart)"), "$before|0", 'they are recomputed');
	is(wrong("restored_$format"), '0', 'all are right');
	$node->safe_psql("restored_$format", qq{UPDATE $source SET amount = amount + 1 WHERE $member = 'waits 3'; DELETE FROM $source WHERE $member IN ('waits 5', 'waits 7')});
	is($node->safe_psql("restored_$format", "SELECT custmart.refresh_member_mart($mart)") . wrong("restored_$format"), '(1,2,0)0', 'and it goes on there');
}

# ---------- emptied, and dropped ----------

as_user('owner', qq{TRUNCATE $source; INSERT INTO $source (store, $member, ordered_at, amount) VALUES (1, 'first', '2026-01-01', 1)});
like(refresh(1), qr/^\(1,\d+,0\)$/, 'TRUNCATE is noted');
is(wrong(), '0', 'and all is right');
is(as_user('owner', "SELECT custmart.drop_member_mart($mart)"), '', 'dropped');
is($node->safe_psql('shop', q{SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'it_s members%') + (SELECT count(*) FROM pg_proc WHERE proname LIKE '%members' AND pronamespace = '"My Shop"'::regnamespace) + (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'it_s members%')}), '0', 'and nothing is left');
is(as_user('writer', qq{INSERT INTO $source (store, $member, ordered_at, amount) VALUES (1, 'second', '2026-01-01', 1); SELECT 1}), '1', 'the shop goes on');

$node->stop;
done_testing();
