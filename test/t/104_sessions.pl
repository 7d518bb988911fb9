# One release is enough: what sessions see of each other is up to PostgreSQL.
#
# Sixteen sessions of pgbench at once: orders come in, each with its day's book, its member's label and what the mart notes; labels
# are changed and put back; the mart and a view are refreshed; reports, books and indexes of tags are read, and must agree with the
# rows that the same statement sees.  No statement fails, none waits in a ring, and in the end everything equals GROUP BY.  How many
# transactions there are is fixed, not how long they may take.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($sessions, $transactions) = (16, $ENV{FULL} ? 2000 : 40);
my $node = PostgreSQL::Test::Cluster->new('sessions');
$node->init;
# Readers take workers even for small tables; the longest wait is for a view that others refresh.
$node->append_conf('postgresql.conf', "max_connections = 40\nmax_worker_processes = 12\nmin_parallel_table_scan_size = 0\nparallel_setup_cost = 0\nautovacuum_naptime = 1s\n"
	  . "deadlock_timeout = 200ms\njit = off\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, item int NOT NULL, amount numeric NOT NULL, tags tagbloom NOT NULL);
	CREATE INDEX ON orders (customer);
	CREATE INDEX orders_tags ON orders USING gin (tags);
	INSERT INTO orders (customer, at, item, amount, tags)
	SELECT n % 301, timestamptz '2026-01-01' + n * 7919 % 200 * interval '1 day', n % 25, (n * 104729 % 9000 - 500) / 100.0, tags('item ' || n % 25, 'day ' || n * 7919 % 200) FROM generate_series(1, 6000) n;
	-- What orders are added to as they come: a book for each day, a label for each member, of few enough tags to stay exact.
	CREATE TABLE day_book (day date PRIMARY KEY, book rfm_book NOT NULL, spend spend_summary NOT NULL, prices pricebook_summary NOT NULL);
	INSERT INTO day_book SELECT at::date, rfm_book(customer, at, amount), spend(at, amount), pricebook(item, 'all', amount) FROM orders GROUP BY 1;
	CREATE TABLE label (customer int PRIMARY KEY, tags tagbloom NOT NULL);
	INSERT INTO label SELECT customer, tag_agg('item ' || item) FROM orders GROUP BY 1;
	CREATE INDEX label_tags ON label USING gin (tags);
	SELECT create_member_mart('mart', 'orders', 'customer', 'rfm(at, amount) AS rfm, count(*) AS n, tag_agg(''item '' || item) AS tags');
	SELECT refresh_member_mart('mart');
	CREATE MATERIALIZED VIEW kept AS SELECT customer, rfm(at, amount) AS rfm, activity(at, 'month', 'UTC') AS months FROM orders GROUP BY customer;
	CREATE UNIQUE INDEX ON kept (customer);
	-- Ends a session that sees what cannot be.
	CREATE FUNCTION must(claim boolean, what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF claim IS NOT TRUE THEN RAISE 'not so: %', what; END IF; END $$;
	ANALYZE});

# Scripts, and how often of 100 they run.
my %script = (
	order => [ 40, q{
\set customer random(0, 320)
\set day random(0, 199)
\set item random(0, 24)
\set amount random(-500, 9000)
BEGIN;
INSERT INTO orders (customer, at, item, amount, tags) VALUES (:customer, timestamptz '2026-01-01' + :day * interval '1 day', :item, :amount / 100.0, tags('item ' || :item, 'day ' || :day));
INSERT INTO day_book AS d SELECT (timestamptz '2026-01-01' + :day * interval '1 day')::date, rfm_book(:customer::int, timestamptz '2026-01-01' + :day * interval '1 day', :amount / 100.0),
  spend(timestamptz '2026-01-01' + :day * interval '1 day', :amount / 100.0), pricebook(:item::int, 'all', :amount / 100.0)
  ON CONFLICT (day) DO UPDATE SET book = d.book + excluded.book, spend = d.spend + excluded.spend, prices = d.prices + excluded.prices;
INSERT INTO label AS l VALUES (:customer, tags('item ' || :item)) ON CONFLICT (customer) DO UPDATE SET tags = l.tags | excluded.tags;
COMMIT;
} ],
	label => [ 15, q{
\set customer random(0, 300)
BEGIN;
UPDATE label SET tags = tags || 'cart' WHERE customer = :customer;
SELECT must(tags ? 'cart' AND tags @@ 'cart & !nobody', 'a label that was added') FROM label WHERE customer = :customer;
SAVEPOINT s;
UPDATE label SET tags = tags | tags('a', 'b', 'c') WHERE customer = :customer;
ROLLBACK TO s;
UPDATE label SET tags = tags - 'cart' WHERE customer = :customer;
COMMIT;
} ],
	index => [ 20, q{
\set item random(0, 24)
\set day random(0, 199)
SELECT must((SELECT count(*) FROM orders WHERE tags ? ('item ' || :item)) = (SELECT count(*) FROM orders WHERE item = :item), 'what an index finds');
SELECT must((SELECT count(*) FROM orders WHERE tags @@ format('"item %s" & !"day %s"', :item, :day)::tagquery) = (SELECT count(*) FROM orders WHERE item = :item AND at::date <> date '2026-01-01' + :day), 'what an index finds with NOT');
SELECT count(*) FROM label WHERE tags @> tags('item ' || :item) AND NOT tags ? 'nobody';
} ],
	report => [ 13, q{
SELECT must((SELECT sum(frequency + refunds) FROM (SELECT (rfm_members(rfm_book(customer, at, amount))).* FROM orders) m) = (SELECT count(*) FROM orders), 'orders of a report');
SELECT must((SELECT sum(monetary) FROM rfm_members(NULL::bigint, (SELECT rfm_book(customer, at, amount) FROM orders))) = (SELECT sum(amount) FROM orders), 'money of a report');
SELECT must((SELECT sum(members) FROM cohort_retention((SELECT retention_book(customer, at, 'month', 'UTC') FROM orders)) WHERE periods_later = 0) = (SELECT count(DISTINCT customer) FROM orders), 'members of cohorts');
SELECT count(*) FROM rfm_members(NULL::bigint, (SELECT rollup(book) FROM day_book)) LIMIT 20;
} ],
	book => [ 7, q{
SELECT must((SELECT rollup(book) FROM day_book) = (SELECT rfm_book(customer, at, amount) FROM orders), 'books of days');
SELECT must((SELECT rollup(prices) FROM day_book) = (SELECT pricebook(item, 'all', amount) FROM orders), 'prices of days');
SELECT must((SELECT rollup(spend) FROM day_book) = (SELECT spend(at, amount) FROM orders), 'spend of days');
} ],
	mart => [ 4, q{
SELECT * FROM refresh_member_mart('mart', 60);
SELECT count(*) FROM mart_scored;
} ],
	view => [ 1, q{
REFRESH MATERIALIZED VIEW CONCURRENTLY kept;
} ]);

my $dir = PostgreSQL::Test::Utils::tempdir();
my @names = sort keys %script;
for (@names)
{
	PostgreSQL::Test::Utils::append_to_file("$dir/$_.sql", $script{$_}[1]);
}
my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM orders');
my ($out, $err) = ('', '');
my $ended = IPC::Run::run([ 'pgbench', '-n', '-c', $sessions, '-j', 4, '-t', $transactions, '--random-seed=1', '--failures-detailed', '-d', $node->connstr('postgres'), map { ('-f', "$dir/$_.sql\@$script{$_}[0]") } @names ],
	'>', \$out, '2>', \$err);
ok($ended, 'no session ended early') or diag($err);
like($out, qr{^number of transactions actually processed: (\d+)/\1$}m, 'all transactions were processed');
like($out, qr/^number of failed transactions: 0 /m, 'none failed') or diag($out);
# Per script, in the order in which they were given.
my %ran;
@ran{@names} = $out =~ /^ - (\d+) transactions \(/mg;
is(scalar(grep { defined && $_ > 0 } @ran{@names}), scalar(@names), 'each ran: ' . join(', ', map { "$_ " . ($ran{$_} // 'never') } @names)) or diag($out);
is($node->safe_psql('postgres', 'SELECT deadlocks, conflicts FROM pg_stat_database WHERE datname = current_database()'), '0|0', 'none waited in a ring');

# In the end.
is($node->safe_psql('postgres', 'SELECT count(*) FROM orders'), $before + $ran{order}, 'each order is there once');
is($node->safe_psql('postgres', q{SELECT (SELECT rollup(book) FROM day_book) = (SELECT rfm_book(customer, at, amount) FROM orders), (SELECT rollup(prices) FROM day_book) = (SELECT pricebook(item, 'all', amount) FROM orders),
	(SELECT rollup(spend) FROM day_book) = (SELECT spend(at, amount) FROM orders)}), 't|t|t', 'books of days are those of the rows');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rfm_members((SELECT rollup(book) FROM day_book)) m
	FULL JOIN (SELECT customer, count(*) FILTER (WHERE amount >= 0) AS frequency, count(*) FILTER (WHERE amount < 0) AS refunds, sum(amount) AS monetary, max(at) FILTER (WHERE amount >= 0) AS last_order FROM orders GROUP BY 1) g
	ON m.member = g.customer WHERE (m.frequency, m.refunds, m.monetary, m.last_order) IS DISTINCT FROM (g.frequency, g.refunds, g.monetary, g.last_order)}), '0', 'and say what GROUP BY says');
is($node->safe_psql('postgres', q{SELECT count(*) FROM label l FULL JOIN (SELECT customer, tag_agg('item ' || item) AS tags FROM orders GROUP BY 1) g USING (customer) WHERE l.tags IS DISTINCT FROM g.tags}), '0', 'labels are those of the rows');
$node->safe_psql('postgres', q{SELECT refresh_member_mart('mart'); REFRESH MATERIALIZED VIEW CONCURRENTLY kept});
is($node->safe_psql('postgres', q{SELECT count(*) FROM mart m FULL JOIN (SELECT customer, rfm(at, amount) AS rfm, count(*) AS n, tag_agg('item ' || item) AS tags FROM orders GROUP BY 1) g ON m.member = g.customer
	WHERE (m.rfm, m.n, m.tags) IS DISTINCT FROM (g.rfm, g.n, g.tags)}), '0', 'the mart is as GROUP BY makes it');
is($node->safe_psql('postgres', q{SELECT count(*) FROM kept k FULL JOIN (SELECT customer, rfm(at, amount) AS rfm, activity(at, 'month', 'UTC') AS months FROM orders GROUP BY 1) g USING (customer)
	WHERE (k.rfm, k.months) IS DISTINCT FROM (g.rfm, g.months)}), '0', 'the view is as GROUP BY makes it');
for ([ orders_tags => 'orders' ], [ label_tags => 'label' ])
{
	my ($index, $table) = @$_;
	my @found = map { $node->safe_psql('postgres', "SET enable_seqscan = $_->[0]; SET enable_bitmapscan = $_->[1]; SELECT i, (SELECT count(*) FROM $table WHERE tags ? ('item ' || i)) FROM generate_series(0, 25) i") } [ 'off', 'on' ], [ 'on', 'off' ];
	ok($found[0] eq $found[1] && $found[0] =~ /\|[1-9]/, "$index finds what reading all rows finds");
}
$node->stop;
is(scalar(grep { /PANIC|was terminated by signal/ } split /\n/, slurp_file($node->logfile)), 0, "the server's log has no crash");
done_testing();
