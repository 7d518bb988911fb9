# Processes and whole servers are killed while aggregates run, indexes over tags are built, and views and a member
# mart are refreshed: afterwards every acknowledged row is there, and everything made of the rows agrees with them.
# Three times by default, 22 times with FULL=yes (test/run --full).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(_exit);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep);

# One release is enough (test/run): what is written after a crash is up to PostgreSQL.

my $rounds = $ENV{FULL} ? 22 : 3;
my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', q{
restart_after_crash = on
jit = off
max_wal_size = 1GB
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders (id bigserial PRIMARY KEY, customer bigint NOT NULL, at timestamptz NOT NULL, amount numeric NOT NULL, tags tagbloom NOT NULL);
	INSERT INTO orders (customer, at, amount, tags)
	SELECT n % 997, timestamptz '2026-01-01' + n * interval '1 minute', n % 101, tags('store ' || n % 7, 'item ' || n % 301) FROM generate_series(1, 50000) n;
	CREATE INDEX ON orders (customer);
	CREATE INDEX orders_tags ON orders USING gin (tags);
	SELECT create_member_mart('mart', 'orders', 'customer', 'rfm(at, amount) AS rfm');
	SELECT refresh_member_mart('mart');
	CREATE VIEW live AS SELECT customer, rfm(at, amount) AS rfm, tag_agg('amount ' || amount) AS tags FROM orders GROUP BY customer;
	CREATE MATERIALIZED VIEW kept AS TABLE live;
	CREATE UNIQUE INDEX ON kept (customer);
	CREATE INDEX ON kept USING gin (tags);
});

# What goes on until it is killed.
my %loop = (
	books => [ 'SET max_parallel_workers_per_gather = 2', 'SELECT count(*) FROM (SELECT (rfm_members(rfm_book(customer, at, amount))).* FROM orders) m', 'SELECT length(retention_book_send(retention_book(customer, at))) FROM orders' ],
	'views' => [ 'SET client_min_messages = error', 'REFRESH MATERIALIZED VIEW CONCURRENTLY kept', 'REFRESH MATERIALIZED VIEW kept' ],
	mart => [ 'SET client_min_messages = error', q{SELECT refresh_member_mart('mart', 40)}, q{SELECT refresh_member_mart('mart')} ],
	indexes => [ 'DROP INDEX IF EXISTS another', 'CREATE INDEX CONCURRENTLY another ON orders USING gin (tags)', 'REINDEX INDEX another', 'DROP INDEX another', 'VACUUM orders' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

# A child runs statements until its session ends, and notes how often it has run them all.
sub start_child
{
	my ($round, $what) = @_;
	my $pid = fork // die "could not fork: $!";
	return $pid if $pid;

	my $session = Session->new($node);
	$session->sql("SET application_name = '$what'");
	for (my $runs = 1; ; $runs++)
	{
		for (@{ $loop{$what} })
		{
			my ($out, $err) = $session->query($_);
			_exit(0) if $err =~ /broke off|FATAL|PANIC|connection/;
		}
		PostgreSQL::Test::Utils::append_to_file("$dir/$round.$what", "$runs\n");
	}
}

# Writers note what the server has acknowledged, and only then.
sub start_writer
{
	my ($round, $number) = @_;
	my $pid = fork // die "could not fork: $!";
	return $pid if $pid;

	my $session = Session->new($node);
	open my $noted, '>', "$dir/$round.$number" or _exit(1);
	$noted->autoflush(1);
	$session->sql("SET application_name = 'writer'");
	for my $n (1 .. 1000000)
	{
		my ($id, $err) = $session->query("INSERT INTO orders (customer, at, amount, tags) VALUES ((random() * 1100)::int, timestamptz '2026-03-01' + random() * interval '90 days', (random() * 100)::int, tags('store ' || (random() * 6)::int, 'written')) RETURNING id");
		_exit(0) if $id !~ /^\d+\z/;
		print $noted "$id\n";
	}
	_exit(0);
}

sub acknowledged
{
	return map { split /\n/, PostgreSQL::Test::Utils::slurp_file($_) } @_;
}

my $wrong_rows = q{
	SELECT (SELECT count(*) FROM (SELECT m.member, m.rfm FROM mart m FULL JOIN live l ON l.customer = m.member WHERE m.rfm IS DISTINCT FROM l.rfm) d),
	       (SELECT count(*) FROM ((TABLE live EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE live)) d),
	       (SELECT count(*) FROM (SELECT (rfm_members(rfm_book(customer, at, amount))).* FROM orders) b
	          FULL JOIN (SELECT customer, count(*) AS n, sum(amount) AS money FROM orders GROUP BY customer) p ON p.customer = b.member
	         WHERE (b.frequency, b.monetary) IS DISTINCT FROM (p.n, p.money))};
srand 7;
for my $round (1 .. $rounds)
{
	my @children = ((map { start_child($round, $_) } sort keys %loop), map { start_writer($round, $_) } 1, 2);
	my @files = map { "$dir/$round.$_" } 1, 2;
	# When everything has run at least once, and after so many rows, whenever that is.
	my @runs = map { "$dir/$round.$_" } sort keys %loop;
	my $until = 100 + int rand 1500;
	my $waited = 0;
	while ((grep { -e } @files, @runs) < 2 + @runs || acknowledged(@files) < $until)
	{
		last if ($waited += 0.05) > 600;
		sleep 0.05;
	}
	my $victim = (qw(postmaster books views mart indexes writer checkpointer))[ ($round - 1) % 7 ];
	$victim = (qw(postmaster mart indexes))[ $round - 1 ] if $rounds == 3;
	my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	if ($victim eq 'postmaster')
	{
		$node->kill9;
	}
	else
	{
		# Whoever it is has to be at work.
		my $pid = '';
		for (1 .. 6000)
		{
			$pid = $node->safe_psql('postgres', $victim eq 'checkpointer' ? q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'}
				: qq{SELECT pid FROM pg_stat_activity WHERE application_name = '$victim' AND state = 'active' LIMIT 1});
			last if $pid ne '';
			sleep 0.01;
		}
		ok($pid ne '', "round $round: the $victim is at work");
		# Without somebody to kill, the others would go on for ever.
		$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'}) if $pid eq '';
		kill 'KILL', $pid;
	}
	waitpid $_, 0 for @children;
	if ($victim eq 'postmaster')
	{
		# The last process of the old server has to be gone before a new one starts.
		for (1 .. 6000) { last if !grep { kill 0, $_ } @pids; sleep 0.1; }
		$node->start;
	}
	ok($node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'), "round $round, without the $victim: the server is up again");

	my @there = acknowledged(map { my $r = $_; map { "$dir/$r.$_" } 1, 2 } 1 .. $round);
	my ($missing, $more) = split /\|/, $node->safe_psql('postgres', 'WITH noted AS (SELECT unnest(\'{' . join(',', @there) . "}'::bigint[]) AS id)
		SELECT (SELECT count(*) FROM noted WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = noted.id)), (SELECT count(*) FROM orders) - 50000 - (SELECT count(*) FROM noted)");
	is($missing, '0', "round $round: all of " . @there . ' acknowledged rows are there');
	# One row of each writer may have been committed without a word of it.
	cmp_ok($more, '<=', 2 * $round, "round $round: and no others");
	is($node->safe_psql('postgres', q{SELECT wrong FROM check_member_mart('mart', 1)}), '0', "round $round: who does not wait in the mart is right");
	$node->safe_psql('postgres', q{SELECT refresh_member_mart('mart'); REFRESH MATERIALIZED VIEW CONCURRENTLY kept});
	is($node->safe_psql('postgres', $wrong_rows), '0|0|0', "round $round: the mart, the view and a book agree with the rows");
	for my $query ("tags ? 'written'", "tags @@ '\"store 3\" & !\"item 7\"'", q{tags ?& '{store 1,item 8}'})
	{
		my ($used, $read) = map { $node->safe_psql('postgres', "SET enable_seqscan = $_->[0]; SET enable_indexscan = off; SET enable_bitmapscan = $_->[1]; SET max_parallel_workers_per_gather = 0; SELECT count(*), sum(id) FROM orders WHERE $query") } [ 'off', 'on' ], [ 'on', 'off' ];
		is($used, $read, "round $round: the index of tags finds $query");
	}
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', "round $round: no temporary files are left");
}
$node->stop;
done_testing();
