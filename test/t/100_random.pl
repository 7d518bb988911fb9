# Random statements: the same query with aggregates of custmart and in plain SQL, by whatever plan, gives the same rows.
# GROUP BY, ROLLUP, CUBE, GROUPING SETS, FILTER, ORDER BY in aggregates, frames with EXCLUDE, LATERAL, partitions;
# as CREATE TABLE AS, prepared with a generic plan, by a cursor, in subtransactions, by MERGE and through a trigger;
# serial and in parallel, with little memory, in another time zone.
#
# 250 statements by default, 10,000 with FULL=yes (test/run --full).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $statements = $ENV{FULL} ? 10000 : 250;
my $node = PostgreSQL::Test::Cluster->new('random');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nmax_parallel_workers = 8\nlog_statement = none\n");
$node->start;
my $parallel_mode = $node->safe_psql('postgres', 'SHOW server_version_num') < 160000 ? 'force_parallel_mode' : 'debug_parallel_query';
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders AS
	SELECT n AS id, nullif(n * 7919 % 211, 13) AS customer, n * 31 % 5 AS store, 'item ' || n * 104729 % 23 AS item, timestamptz '2026-01-01 00:00+00' + n * 7907 % 9000 * interval '1 hour 7 seconds' AS at,
	       ((n * 6007 % 997 - 100) / 8.0)::numeric(10, 3) AS amount FROM generate_series(1, 3000::bigint) n;
	CREATE TABLE parts (LIKE orders) PARTITION BY HASH (customer);
	CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
	CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
	CREATE TABLE part_2 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
	INSERT INTO parts TABLE orders;
	CREATE INDEX ON orders (store, at);
	CREATE INDEX ON parts (customer);
	CREATE TABLE stores AS SELECT s AS store, 'town ' || s % 3 AS town FROM generate_series(0, 6) s;
	CREATE VIEW shown AS SELECT * FROM orders WHERE id % 13 > 0;
	ANALYZE;

	-- The rows of a statement, by a cursor, with a subtransaction for each.
	CREATE FUNCTION by_cursor(statement text, target text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
	  c refcursor;
	  r record;
	BEGIN
	  EXECUTE format('CREATE TEMP TABLE %I ON COMMIT DROP AS %s WITH NO DATA', target, statement);
	  OPEN c SCROLL FOR EXECUTE format('SELECT ROW(s.*)::%I::text AS row FROM (%s) s', target, statement);
	  FETCH FORWARD FROM c INTO r;
	  MOVE BACKWARD 1 FROM c;
	  LOOP
	    BEGIN
	      FETCH c INTO r;
	      EXIT WHEN NOT FOUND;
	      EXECUTE format('INSERT INTO %1$I SELECT ($1::%1$I).*', target) USING r.row;
	      IF length(r.row) % 3 = 0 THEN RAISE division_by_zero; END IF;
	    EXCEPTION WHEN division_by_zero THEN
	      EXECUTE format('INSERT INTO %1$I SELECT ($1::%1$I).*', target) USING r.row;
	    END;
	  END LOOP;
	  CLOSE c;
	END $$;
	CREATE FUNCTION kept_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
});

srand($ENV{CUSTMART_SEED} // 1);
sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

# What is counted: by custmart, and by plain SQL; {F} is a condition on rows, {O} an order.  In frames only the first few
# serve, because the others need count(DISTINCT).
my $any = 'CASE WHEN count(*) FILTER (WHERE {F}) > 0 THEN %s END';
my @framed = (
	[ 'frequency({A})', 'rfm(at, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(*) FILTER (WHERE amount >= 0 AND {F})') ],
	[ 'refunds({A})', 'rfm(at, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(*) FILTER (WHERE amount < 0 AND {F})') ],
	[ 'monetary({A})', 'rfm(at, amount {O}) FILTER (WHERE {F})', 'sum(amount) FILTER (WHERE {F})' ],
	[ 'first_order({A})', 'rfm(at, amount {O}) FILTER (WHERE {F})', 'min(at) FILTER (WHERE amount >= 0 AND {F})' ],
	[ 'last_order({A})', 'rfm(at, amount {O}) FILTER (WHERE {F})', 'max(at) FILTER (WHERE amount >= 0 AND {F})' ],
	[ "{A} ? 'item 5'", 'tag_agg(item {O}) FILTER (WHERE {F})', q{bool_or(item = 'item 5') FILTER (WHERE {F})} ]);
my @grouped = (
	@framed,
	# The same contact twice is one contact.
	[ "contacts_within({A}, timestamptz '2030-01-01 00:00+00', '5000 days')", "contact_trail('email', 'sent', at {O}) FILTER (WHERE {F})", 'nullif(count(DISTINCT at) FILTER (WHERE {F}), 0)' ],
	[ '(SELECT sum(total) FROM campaign_groups({A}))', 'campaign(store > 1, amount {O}) FILTER (WHERE {F})', 'sum(amount) FILTER (WHERE {F})' ],
	[ 'member_count({A})', 'rfm_book(customer, at, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(DISTINCT customer) FILTER (WHERE {F})') ],
	[ 'rows_skipped({A})', 'rfm_book(customer, at, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(*) FILTER (WHERE customer IS NULL AND {F})') ],
	[ '(SELECT coalesce(sum(frequency), 0) FROM rfm_members({A}))', 'rfm_book(customer, at, amount {O}) FILTER (WHERE {F})', 'count(*) FILTER (WHERE customer IS NOT NULL AND amount >= 0 AND {F})' ],
	[ '(SELECT sum(monetary) FROM rfm_members(NULL::text, {A}))', 'rfm_book(item, at, amount {O}) FILTER (WHERE {F})', 'sum(amount) FILTER (WHERE {F})' ],
	[ 'tag_count({A})', 'tag_agg(item {O}) FILTER (WHERE {F})', 'nullif(count(DISTINCT item) FILTER (WHERE {F}), 0)' ],
	[ 'tag_count({A})', 'tag_agg(DISTINCT item) FILTER (WHERE {F})', 'nullif(count(DISTINCT item) FILTER (WHERE {F}), 0)' ],
	[ 'cell_count({A})', 'pricebook(item, store::text, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(DISTINCT item) FILTER (WHERE amount > 0 AND {F})') ],
	[ 'member_count({A})', 'retention_book(customer, at {O}) FILTER (WHERE {F})', sprintf($any, 'count(DISTINCT customer) FILTER (WHERE {F})') ],
	[ 'active_periods({A})', "activity(at, 'month', 'Europe/Berlin' {O}) FILTER (WHERE {F})", "nullif(count(DISTINCT date_trunc('month', at, 'Europe/Berlin')) FILTER (WHERE {F}), 0)" ],
	[ 'member_count({A})', 'preference_book(customer, item, amount {O}) FILTER (WHERE {F})', sprintf($any, 'count(DISTINCT customer) FILTER (WHERE {F})') ],
	[ 'member_count({A})', "contact_book(customer, store::text, 'sent', at {O}) FILTER (WHERE {F})", sprintf($any, 'count(DISTINCT customer) FILTER (WHERE {F})') ],
	[ 'member_count({A})', 'session_book(customer, at {O}) FILTER (WHERE {F})', sprintf($any, 'count(DISTINCT customer) FILTER (WHERE {F})') ]);

sub condition
{
	my $n = int rand 200;
	return pick('true', 'true', "amount > $n - 100", 'store <> ' . $n % 5, "item < 'item $n'", "customer % 7 = " . $n % 8, "at < timestamptz '2026-01-01 00:00+00' + $n * interval '2 days'", 'customer IS NOT NULL', 'false');
}

# One statement in both forms.
sub statement
{
	my $framed = chance(0.3);
	my @columns;
	for (1 .. 1 + int rand 3)
	{
		my ($outer, $aggregate, $plain) = @{ $framed ? pick(@framed) : pick(@grouped) };
		my $condition = condition();
		my $order = $framed || $aggregate =~ /DISTINCT/ || chance(0.7) ? '' : 'ORDER BY ' . pick('amount', 'at DESC', 'item, id', 'id DESC', 'customer NULLS FIRST');
		my $over = $framed ? ' OVER w' : '';
		s/\{F\}/$condition/g, s/\{O\}/$order/g for $aggregate, $plain;
		$aggregate .= $over;
		$plain =~ s/(FILTER \(WHERE (?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))/$1$over/g;
		push @columns, [ $outer =~ s/\{A\}/$aggregate/r, $plain ];
	}
	my $source = pick('orders', 'orders', 'parts', 'shown', '(SELECT DISTINCT * FROM orders) d', '(TABLE orders UNION ALL TABLE parts) u', 'orders JOIN stores USING (store)', '(SELECT * FROM parts ORDER BY amount, id OFFSET 100) s');
	my $where = condition() . ' AND id > {P}';
	my @forms;
	if ($framed)
	{
		my ($start, $end) = (int rand 6, int rand 6);
		my $frame = pick("ROWS BETWEEN $start PRECEDING AND $end FOLLOWING", "GROUPS BETWEEN $start PRECEDING AND CURRENT ROW", 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW', "ROWS BETWEEN UNBOUNDED PRECEDING AND $end FOLLOWING", 'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING')
		  . pick('', ' EXCLUDE CURRENT ROW', ' EXCLUDE GROUP', ' EXCLUDE TIES');
		my $window = 'PARTITION BY ' . pick('store', 'item', 'customer % 5') . ' ORDER BY ' . pick('id', 'at', 'amount', 'store, id') . " $frame";
		@forms = map { my $i = $_; 'SELECT id, ' . join(', ', map { "$columns[$_][$i] AS c$_" } 0 .. $#columns) . " FROM $source WHERE $where AND id % 11 = 3 WINDOW w AS ($window)" } 0, 1;
	}
	elsif (chance(0.2))
	{
		@forms = map { my $i = $_; 'SELECT s.store AS s, l.* FROM stores s CROSS JOIN LATERAL (SELECT ' . join(', ', map { "$columns[$_][$i] AS c$_" } 0 .. $#columns) . " FROM $source WHERE $where AND store = s.store) l" } 0, 1;
	}
	else
	{
		my $keys = pick('', 'store', 'store', 'item', 'customer', 'store, item', 'ROLLUP (store, item)', 'CUBE (store, customer)', 'GROUPING SETS ((store), (item), ())', "date_trunc('month', at, 'UTC')", 'ROLLUP (store), CUBE (item)');
		my @names = $keys =~ /date_trunc/ ? ($keys) : do { my %seen; grep { !$seen{$_}++ } $keys =~ /\b(store|item|customer)\b/g };
		my $select = join '', map { "$names[$_] AS k$_, " } 0 .. $#names;
		my $group = $keys eq '' ? '' : " GROUP BY $keys" . pick('', '', ' HAVING count(*) > 3');
		@forms = map { my $i = $_; "SELECT $select" . join(', ', map { "$columns[$_][$i] AS c$_" } 0 .. $#columns) . " FROM $source WHERE $where$group" } 0, 1;
	}
	return @forms;
}

sub settings
{
	my @settings = ("timezone = '" . pick('UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati') . "'");
	push @settings, "$_ = off" for grep { chance(0.25) } qw(enable_hashagg enable_sort enable_hashjoin enable_mergejoin enable_nestloop enable_seqscan enable_bitmapscan enable_incremental_sort enable_material);
	push @settings, "work_mem = '64kB'" if chance(0.3);
	push @settings, 'enable_partitionwise_aggregate = on', 'enable_partitionwise_join = on' if chance(0.5);
	push @settings, 'min_parallel_table_scan_size = 0', 'min_parallel_index_scan_size = 0', 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'max_parallel_workers_per_gather = ' . int rand 4, 'parallel_leader_participation = ' . pick('on', 'off') if chance(0.6);
	push @settings, "$parallel_mode = on" if chance(0.2);
	return join '', map { "SET LOCAL $_;\n" } @settings;
}

my $session = Session->new($node);
my (%mode, %plan, @wrong);
my $rows = 0;
for my $n (1 .. $statements)
{
	my ($ours, $plain) = statement();
	my $least = pick(0, 0, 500, 2900);
	$_ =~ s/\{P\}/$least/ for $plain;
	my $mode = pick(qw(create create prepare cursor merge trigger));
	my $prepared = $ours =~ s/\{P\}/\$1/r;
	$ours =~ s/\{P\}/$least/;
	my $settings = settings();
	my %run = (
		create => "CREATE TEMP TABLE ours ON COMMIT DROP AS $ours;",
		prepare => "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE p$n (bigint) AS $prepared; CREATE TEMP TABLE ours ON COMMIT DROP AS EXECUTE p$n ($least); TRUNCATE ours; INSERT INTO ours SELECT * FROM ours; DROP TABLE ours; CREATE TEMP TABLE ours ON COMMIT DROP AS EXECUTE p$n ($least); DEALLOCATE p$n;",
		cursor => "SELECT by_cursor(\$s\$$ours\$s\$, 'ours');",
		merge => "CREATE TEMP TABLE ours ON COMMIT DROP AS $ours WITH NO DATA; MERGE INTO ours USING ($ours) s ON false WHEN NOT MATCHED THEN INSERT VALUES (s.*);",
		trigger => "CREATE TEMP TABLE ours ON COMMIT DROP AS $ours WITH NO DATA; CREATE TRIGGER t BEFORE INSERT ON ours FOR EACH ROW EXECUTE FUNCTION kept_row(); SAVEPOINT s; INSERT INTO ours $ours; ROLLBACK TO s; INSERT INTO ours $ours;");
	# MERGE takes its values by name.
	$run{merge} =~ s/VALUES \(s\.\*\)/'VALUES (' . join(', ', map { "s.$_" } columns_of($ours)) . ')'/e;
	my ($out, $err) = $session->query("BEGIN;\n$settings$run{$mode}\nSET LOCAL work_mem = '4MB'; SET LOCAL max_parallel_workers_per_gather = 0;
		CREATE TEMP TABLE plain ON COMMIT DROP AS $plain;
		SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM ((TABLE ours EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE ours)) d);
		COMMIT");
	my ($count, $differ) = $out =~ /(\d+)\|(\d+)\z/ or $err ||= $out;
	$mode{$mode}++;
	$rows += $count // 0;
	if ($err =~ /ERROR|FATAL|broke off/ || !defined $differ || $differ > 0)
	{
		push @wrong, $n;
		diag("statement $n, $mode, " . (defined $differ ? "$differ rows differ" : '') . ': ' . ($err =~ /^(.*?ERROR.*(?:\nCONTEXT.*)?)/ ? $1 : $err) . "\n$settings$ours\n-- plain:\n$plain") if @wrong <= 5;
		$session = Session->new($node);
		last if @wrong > 20;
	}
}
sub columns_of
{
	my ($sql) = @_;
	my ($list) = $sql =~ /^(SELECT .*?) FROM (?:orders|parts|shown|stores|\()/s;
	return $sql =~ /^SELECT s\.store AS s/ ? ('s', sort { substr($a, 1) <=> substr($b, 1) } keys %{ { map { $_ => 1 } $sql =~ /AS (c\d)\b/g } })
	  : (($sql =~ /^SELECT id,/ ? ('id') : ()), map { "$_" } $list =~ /AS ([kc]\d)\b/g);
}
is("@wrong", '', "$statements random statements give the rows of plain SQL (" . join(', ', map { "$_: $mode{$_}" } sort keys %mode) . ')');
cmp_ok($rows, '>', 5 * $statements, "$rows rows were compared");

$node->stop;
done_testing();
