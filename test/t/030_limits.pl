# Sizes at which something has to give: it is always a clear error, in good time,
# with the server alive and the memory given back.
# One release is enough (test/run): it is custmart's own memory and loops.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use TestModule;
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
my $watch = TestModule::build('watch');
$node->safe_psql(
	'postgres', qq{
	CREATE FUNCTION watch_start(cancel_after float8) RETURNS void AS '$watch' LANGUAGE C;
	CREATE FUNCTION watch_raises() RETURNS int AS '$watch' LANGUAGE C;
	CREATE FUNCTION watch_stop(OUT total float8, OUT longest float8, OUT late float8) AS '$watch' LANGUAGE C;
	CREATE FUNCTION watch_unit() RETURNS float8 AS '$watch' LANGUAGE C;
	CREATE FUNCTION watch_memory() RETURNS float8 AS '$watch' LANGUAGE C;

	-- Runs a statement until there is enough of it to be seen, or else until it is cancelled after so
	-- much CPU time: however quick it is, it is not done before.  The total is that of one run.
	CREATE FUNCTION watched(statement text, cancel_after float8, OUT total float8, OUT longest float8, OUT late float8) LANGUAGE plpgsql AS \$\$
	DECLARE
	  runs int := 0;
	BEGIN
	  BEGIN
	    PERFORM watch_start(cancel_after);
	    LOOP
	      EXECUTE statement;
	      runs := runs + 1;
	      EXIT WHEN cancel_after IS NULL AND watch_raises() >= 20;
	    END LOOP;
	  EXCEPTION WHEN query_canceled THEN
	  END;
	  SELECT w.total / greatest(1, runs), w.longest, w.late INTO total, longest, late FROM watch_stop() w;
	END \$\$});
my $session = Session->new($node);
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

# The error that a statement gives, as "state: message, hint", and how much more
# memory the session has afterwards than before, in MB.
sub error_of
{
	my ($sql) = @_;
	my ($out, $err) = $session->query(
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

# Run a statement and watch it (test/watch): gives the CPU time of it, of its longest stretch without
# a look whether it is cancelled, and, if it was cancelled, from then on, in seconds.
sub watched
{
	my ($sql, $cancel_after) = @_;
	$cancel_after //= 'NULL';
	return split /\|/, $session->sql("SELECT * FROM watched(\$statement\$$sql\$statement\$, $cancel_after)");
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
	SELECT memory('VmHWM') - :before <= (2000000 * (64 + 2 * 5)) / 1024 / 1024 + 64}),
	# a column of keys, of 4 bytes each, and six columns of numbers that are all the same, all in blocks of 256; no wide sums, no late refunds
	join('|', 2000000, 16 + 8 + 2000000 * 4 + 7813 * 7 * 9 + 4 + 4) . "\nt", 'two million members take little more than 64 bytes each, and stored little more than their keys');

# A million tags in one set, and two million rows of few tags.
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
# How long rows take must not depend on how many different tags there are.
{
	my %took;
	for my $different (300, 1000, 1015, 1020, 1100, 2040, 4090, 16380)
	{
		my @tries = map { (watched("SELECT tag_agg('tag ' || i % $different) IS NULL FROM (SELECT generate_series(1, 100000) AS i) g"))[0] } 1 .. 3;
		$took{$different} = min @tries;
	}
	my $least = min values %took;
	my @slow = grep { $took{$_} > 8 * $least } sort { $a <=> $b } keys %took;
	is("@slow", '', 'however many different tags there are, rows take as long');
	note(join ', ', map { sprintf '%d: %.1f ms', $_, $took{$_} * 1000 } sort { $a <=> $b } keys %took);
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

# Prices.  Items and groups with names of 1 MB, and with none.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE long_line AS
	SELECT CASE WHEN i % 5 > 0 THEN 'i' || i % 5 || repeat(chr(65 + i % 5), 1000000) ELSE '' END AS item, CASE WHEN i % 3 > 0 THEN 'g' || i % 3 || repeat('#', 1000000) ELSE '' END AS member_group, i * 0.25 AS price
	  FROM generate_series(1, 60) i});
is( $node->safe_psql(
		'postgres', q{
	SELECT count(*), count(g.item), count(*) FILTER (WHERE (g.rows, g.reference_rows, g.mean, g.reference_mean, g.median) = (a.n, r.n, a.mean, r.mean, a.median))
	  FROM price_gap_items(NULL::text, (SELECT pricebook(item, member_group, price) FROM long_line), '') g
	  FULL JOIN (SELECT item, member_group, count(*) AS n, avg(price) AS mean, (percentile_cont(0.5) WITHIN GROUP (ORDER BY price::float8))::numeric AS median FROM long_line WHERE member_group <> '' GROUP BY 1, 2) a USING (item, member_group)
	  JOIN (SELECT item, count(*) AS n, avg(price) AS mean FROM long_line WHERE member_group = '' GROUP BY 1) r USING (item);
	SELECT b = (SELECT pricebook(item, member_group, price ORDER BY price DESC) FROM long_line), b = b::text::pricebook_summary, cell_count(b + b), length(pricebook_summary_send(b)) < 6100000 FROM (SELECT pricebook(item, member_group, price) AS b FROM long_line) x;
	SELECT string_agg(member_group, ',' ORDER BY member_group), sum(items) FROM (SELECT left(member_group, 2) AS member_group, items FROM price_gaps((SELECT pricebook(item, member_group, price) FROM long_line), (SELECT max(member_group) FROM long_line))) g;
	SELECT price_slope(item, '2026-01-01', price, price) = (SELECT rollup(s) FROM (SELECT price_slope(item, '2026-01-01', price, price) AS s FROM long_line GROUP BY price) x) FROM long_line}),
	"10|10|10\nt|t|5|t\n,g1|10\nt", 'items and groups with names of 1 MB');

# What is no price, and what is no sale.
is( $node->safe_psql('postgres', q{
	SELECT cell_count(b), rows_skipped(b, 'null'), rows_skipped(b, 'price'), rows_skipped(b, 'quantity')
	  FROM (SELECT pricebook(i, d, g, p, q) AS b FROM (VALUES (1, date '2026-01-01', 'g', 1, 1), (2, '2026-01-01', 'g', 1e-28, 1e-28), (NULL, 'infinity', 'g', 'NaN', 'infinity'), (1, NULL, 'g', 0, 0), (1, '2026-01-01', NULL, 0, 0),
	    (1, '2026-01-01', 'g', NULL, 0), (1, '2026-01-01', 'g', 0, NULL), (1, '2026-01-01', 'g', 0, 0), (1, '2026-01-01', 'g', -1e37, 1), (1, '2026-01-01', 'g', 1, 0.000), (1, '2026-01-01', 'g', 1, -1e-28)) v (i, d, g, p, q)) x}),
	'2|5|2|2', 'rows that are skipped');
for my $bad (
	[ "pricebook(1, 'g', %s)", 'price', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "pricebook('i', '2026-01-01', 'g', %s, 1)", 'price', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "pricebook(1, '2026-01-01', 'g', 1, %s)", 'quantity', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "price_slope(1, '2026-01-01', 1, %s)", 'price', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "price_slope('i', date '2026-01-01', %s, 1)", 'x', qw('NaN' 'infinity' '-infinity' 1048576.1 -1048577 1e300) ],
	[ "pricebook(1, %s, 'g', 1, 1)", 'period', qw('infinity' '-infinity') ],
	[ "pricebook('i', %s, 'g', 1, 1)", 'period', qw('infinity' '-infinity') ],
	[ "campaign(true, %s)", 'y', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "campaign(true, 1, %s)", 'y_before', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "campaign_book('s', true, %s)", 'y', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "check_book('m', 'o', 'i', timestamptz '2026-01-01', %s, 1)", 'quantity', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "check_book('m', 'o', 'i', timestamptz '2026-01-01', 1, %s)", 'price', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "campaign_book(%s::float8, true, 1)", 'score', qw('NaN' 'infinity' '-infinity') ],
	[ "preference_book(1, 'a', %s)", 'amount', qw('NaN' 'infinity' '-infinity' 1e38 1e131071 1e-29) ],
	[ "audience_book(1, %s, true)", 'score', qw('NaN' 'infinity' '-infinity') ],
	[ "price_slope(1, %s, 1, 1)", 'period', qw('infinity' '-infinity') ])
{
	my ($call, $what, @values) = @$bad;
	my $state = $what eq 'period' ? '22008' : '22003';
	my @errors = map { (error_of('SELECT ' . sprintf $call, $_))[0] } @values;
	is(scalar(grep { /ERROR:  $state: $what (?:must .*|".*" is out of range\nDETAIL:.*)\nHINT:/ } @errors), scalar(@values), "$call: all errors name the $what") or diag join "\n", @errors;
}
# A reference that is no group: those that are get listed, the first of many.
for my $report ("price_gaps(%s, %s)", "price_gap_items(NULL::bigint, %s, %s)", "price_gap_mix(%s, %s)", "fair_prices(NULL::bigint, %s, %s)")
{
	fails('SELECT * FROM ' . sprintf($report, "(SELECT pricebook(1, g, 1) FROM unnest('{new,old,\"\"}'::text[]) g)", "'nobody'"),
		qr/ERROR:  22023: reference "nobody" is not a group of this pricebook\nHINT:  Its groups are "", "new", "old"\.\n/, "$report of nobody");
	fails('SELECT * FROM ' . sprintf($report, "(SELECT pricebook(1, 'é' || g || repeat('é', 100000), 1) FROM generate_series(10, 60) g)", "repeat('é', 100000)"),
		qr/ERROR:  22023: reference "(?:é){30}" is not .*\nHINT:  Its groups are "é10(?:é){28}", (?:"é1\d(?:é){28}",? ){9}and 41 more\.\n/s, "$report of a long name");
}

# 100,000 groups; a million prices in one item; both; many items.  What comes out of the
# first three is known without them.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE crowd (name text PRIMARY KEY, book pricebook_summary);
	INSERT INTO crowd SELECT 'groups', pricebook(i % 3, 'group ' || i / 3, (1 + i * 7919 % 1000) * 0.01) FROM (SELECT generate_series(3, 300002::bigint) AS i) g;
	INSERT INTO crowd SELECT 'prices', pricebook(1, 'group ' || i % 2, i * 0.01) FROM (SELECT generate_series(1, 1000000) AS i) g;
	INSERT INTO crowd SELECT 'both', pricebook(1, CASE WHEN i % 10 > 0 THEN 'all others' ELSE 'group ' || i / 10 END, i * 0.01) FROM (SELECT generate_series(1, 1000000) AS i) g;
	INSERT INTO crowd SELECT 'items', pricebook('item ' || i / 2, date '2026-01-01' + i / 2 % 7, 'group ' || i % 2, i % 97 + 0.99, 1) FROM (SELECT generate_series(0, 599999) AS i) g});
sub crowd { return "(SELECT book FROM crowd WHERE name = '$_[0]')" }

is( $node->safe_psql('postgres', q{SELECT name, cell_count(book), length(pricebook_summary_send(book)) FROM crowd WHERE name <> 'items' ORDER BY 1}),
	# see docs/storage-format.md; items are a column of numbers, of a byte each if there are several; names of groups are counted off: of one digit, two, ...
	join("\n", map { my ($name, $items, $groups, $names, $prices) = @$_; "$name|$items|" . (41 + 9 + ($items > 1 ? $items : 0) + 4 * $items + 4 * $groups + $names + 16 * $prices) }
		  [ both => 1, 100001, 10 + 6 * 100000 + 9 + 180 + 2700 + 36000 + 450000 + 6, 1000000 ], [ groups => 3, 100000, 6 * 100000 + 9 + 180 + 2700 + 36000 + 450000 + 6, 300000 ], [ prices => 1, 2, 14, 1000000 ]),
	'books of a million prices');
# The even ones are the reference: their median is 5000.01, and half of the odd ones are
# above it by 0.02, 0.04, ...  Each of these has one less below it than a tie would ask for.
is( $node->safe_psql('postgres', 'SELECT items, cells, rows, reference_rows, compared_share, overcharge, overcharge_net, abs(naive_gap_pct / (100 * (5000 / 5000.01 - 1)) - 1) < 1e-9,
		z, verdict FROM price_gaps(' . crowd('prices') . q{, 'group 0')}),
	'1|1|500000|500000|1|624997500.00|-5000.00|t||not comparable', 'a million prices in one item: the gap');
# Near 0, p is 1 - sqrt(2 / pi) |z|, but for z^3.
is( $node->safe_psql('postgres', 'SELECT rows, reference_rows, round(mean, 4), round(reference_mean, 4), median, reference_median, overcharge, abs(p_value - (1 - sqrt(2 / pi()) * 250000 / sqrt(500000.0 * 500000 * 1000001 / 12))) < 1e-9, is_flagged FROM price_gap_items(NULL::bigint, ' . crowd('prices') . q{, 'group 0')}),
	'500000|500000|5000.0000|5000.0100|5000.00|5000.01|624997500.00|t|f', 'and by item');
is($node->safe_psql('postgres', 'SELECT * FROM fair_prices(NULL::bigint, ' . crowd('prices') . q{, 'group 1')}), '1||5000.00|500000', 'and its median');
# All prices but every tenth are the reference, whose mean and median are 5000; group k
# paid 0.1 k, and 9 k of the others less.
is( $node->safe_psql('postgres', 'SELECT count(*), count(*) FILTER (WHERE (items, cells, rows, reference_rows, compared_share) = (1, 1, 1, 900000, 1) AND overcharge = greatest(0, 0.1 * k - 5000) AND overcharge_net = 0.1 * k - 5000
			AND abs(naive_gap_pct - (0.002 * k - 100)) < 1e-9 AND z IS NULL AND premium_pct_low IS NULL AND verdict = \'not comparable\'), count(DISTINCT k)
		FROM price_gaps(' . crowd('both') . q{, 'all others', alpha => 0.2, min_rows => 1), LATERAL (SELECT substr(member_group, 7)::int AS k) g}),
	'100000|100000|100000', '100,000 groups and a million prices in one item: the gaps');
# p by the series of the normal distribution, which is short below z = 2.
is( $node->safe_psql('postgres', 'SELECT count(*), count(*) FILTER (WHERE abs(p_value - p) < 1e-9), count(*) FILTER (WHERE p_value < 0.2) > 0, count(DISTINCT is_flagged)
		FROM price_gap_items(NULL::bigint, ' . crowd('both') . q{, 'all others', alpha => 0.2, min_rows => 1), LATERAL (SELECT abs(9 * substr(member_group, 7)::int - 450000) / sqrt(900000.0::float8 * 900002 / 12) AS z) z,
		     LATERAL (SELECT 1 - sqrt(2 / pi()) * sum((-1) ^ n * z ^ (2 * n + 1) / (factorial(n) * 2 ^ n * (2 * n + 1))::float8) AS p FROM generate_series(0, 24) n) p}),
	'100000|100000|t|2', 'and their tests');
is( $node->safe_psql('postgres', 'SELECT count(*), count(*) FILTER (WHERE (items, rows, reference_rows, reference_mean, basket_effect) = (1, 1, 900000, 5000, 0) AND abs(price_effect - (0.1 * k - 5000)) < 1e-9)
		FROM price_gap_mix(' . crowd('both') . q{, 'all others'), LATERAL (SELECT substr(member_group, 7)::int AS k) g}),
	'100000|100000', 'the mix');
is($node->safe_psql('postgres', 'SELECT * FROM fair_prices(NULL::bigint, ' . crowd('both') . q{, 'all others')}), '1||5000.00|900000', 'and the median');
# Each group bought each of three items once.
my $groups = q{WITH line AS (SELECT i % 3 AS item, i / 3 AS k, (1 + i * 7919 % 1000) * 0.01 AS price FROM generate_series(3, 300002::bigint) i),
	r AS (SELECT item, price AS reference FROM line WHERE k = 5) };
is( $node->safe_psql('postgres', "$groups SELECT count(*), count(*) FILTER (WHERE (g.items, cells, g.rows, g.reference_rows, compared_share) = (3, 3, 3, 3, 1) AND g.overcharge = p.overcharge AND overcharge_net = p.net
			AND abs(naive_gap_pct - p.naive) < 1e-8 AND abs(premium_pct - p.premium) < 1e-8 AND abs(price_effect - net / 3) < 1e-9 AND abs(basket_effect) < 1e-9)
		FROM price_gaps(" . crowd('groups') . ", 'group 5') g JOIN price_gap_mix(" . crowd('groups') . ", 'group 5') m USING (member_group) JOIN
		  (SELECT 'group ' || k AS member_group, sum(greatest(0, price - reference)) AS overcharge, sum(price - reference) AS net, 100 * (sum(price) / sum(reference) - 1) AS naive, 100 * (exp(avg(ln(price::float8 / reference::float8))) - 1) AS premium
		     FROM line JOIN r USING (item) WHERE k <> 5 GROUP BY k) p USING (member_group)"),
	'99999|99999', '100,000 groups: the gaps and the mix');
is( $node->safe_psql('postgres', 'SELECT count(*), sum(rows), trim_scale(sum(mean)), trim_scale(sum(reference_mean)), trim_scale(sum(median)), trim_scale(sum(overcharge)), count(hedges_g), count(*) FILTER (WHERE is_flagged)
		FROM price_gap_items(NULL::bigint, ' . crowd('groups') . ", 'group 5')"),
	$node->safe_psql('postgres', "$groups SELECT count(*), count(*), trim_scale(sum(price)), trim_scale(sum(reference)), trim_scale(sum(price)), trim_scale(sum(greatest(0, price - reference))), 0, 0 FROM line JOIN r USING (item) WHERE k <> 5"),
	'and by item');

# Behaviour.  Ten million rows of one member, a second apart; what comes of them is counted off.
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE ten_million AS
	SELECT funnel_book(7, '10 seconds', at, i % 10 = 0, i % 10 = 3, i % 10 = 2, i % 10 = 8) AS f, retention_book('m', at) AS t, activity(at, 'day', 'America/New_York') AS a, memory('VmHWM') < 1000 AS is_small
	  FROM (SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 second' AS at FROM (SELECT generate_series(0, 9999999) AS i) g) o;
	SELECT is_small, length(funnel_book_send(f)) < 40001000, length(retention_book_send(t)) < 30001000, (SELECT string_agg(concat_ws(' ', step, members, median_time), ',') FROM funnel_steps(f)), (SELECT m::text FROM funnel_members(f) m) FROM ten_million;
	SELECT string_agg(d::text, ' ') FROM ten_million, day_retention(t, last_day => 116) d WHERE day IN (0, 114, 115);
	SELECT active_periods(a), streak(a), longest_streak(a), first_period(a), last_period(a), length(activity_summary_send(a)) < 200 FROM ten_million}),
	qq{t|t|t|1 1,2 1 00:00:03,3 0,4 0|(7,2,"{""2026-04-26 17:46:30+00"",""2026-04-26 17:46:33+00""}")\n(0,0,1,1,1,1,1) (114,114,1,1,1,1,1) (115,115,0,0,,0,)\n117|117|117|2025-12-31|2026-04-26|t},
	'ten million rows of one member');
# 32 steps, a hundred thousand rows in one moment; rows that meet all steps, and one that is one too few.
is( $node->safe_psql(
		'postgres', q{
	SELECT level(f), level(f, 'clickhouse'), level(f, 'strict_increase') FROM (SELECT funnel('0', timestamptz '2026-01-01', VARIADIC ARRAY(SELECT i % 37 = s OR (i * 7919) % 41 = s FROM generate_series(0, 31) s)) AS f FROM generate_series(1, 100000) i) x;
	SELECT string_agg(level(f)::text || ' ' || level(f, 'clickhouse'), ',' ORDER BY n) FROM (SELECT n, funnel('0', timestamptz '2026-01-01', VARIADIC array_fill(true, ARRAY[32])) AS f FROM generate_series(29, 33) n, generate_series(1, n) GROUP BY n) x}),
	"32|32|1\n29 32,30 32,31 32,32 32,32 32", '32 steps in one moment');
# From the first microsecond to the last.
is( $node->safe_psql(
		'postgres', q{
	CREATE TABLE ends AS SELECT timestamptz '4714-11-24 00:00:00+00 BC' AS first, timestamptz '294276-12-31 23:59:59.999999+00' AS last;
	SELECT level(f), level(n), (SELECT sum(active)::text FROM day_retention(b, last_day => 0)), period_list(a) FROM (SELECT funnel('106751991 days', t, t = first, t = last) AS f,
	         funnel('106751991 days', t, t < '2002-01-01', t = last) AS n, retention_book(1, t) AS b, activity(t, 'day', 'UTC') AS a
	    FROM ends, LATERAL (SELECT unnest(ARRAY[first, last, '2001-01-01'])) u (t)) x}),
	'1|2|1|{"4714-11-24 BC",2001-01-01,294276-12-31}', 'times from one end to the other');
# All of time, by the day, takes not much longer than a few days.
{
	my ($near, $far) = map {
		my $rows = $_;
		min map {
			(watched("SELECT count(*) FROM (SELECT spend(t, 1) AS x FROM unnest('{$rows}'::timestamptz[]) t) s, unnest('{day,year}'::text[]) unit, unnest('{UTC,Pacific/Kiritimati,America/Juneau}'::text[]) timezone, unnest('{1 us,1 day,1 month 1 day 1 us}'::interval[]) span,
				LATERAL (SELECT tier_until(x, '294276-12-31 23:59:59.999999+00', '{1}', span, unit, timezone), spend_to_next(x, '294276-12-31 23:59:59.999999+00', '{1000000}', span, unit, timezone)) u, tier_history(x, '294276-12-31 23:59:59.999999+00', '{2,1}', '{a,b,c}', span, unit, timezone)"))[0]
		} 1 .. 3
	} '2000-01-01,2000-01-02 12:00,2000-01-04', '4713-01-01 00:00 BC,2000-01-01 12:00,294276-12-31 23:59:59.999999';
	cmp_ok($far, '<', 50 * $near, 'all of time is no longer than a few days');
	note(sprintf '%.2f ms, %.2f ms', $near * 1000, $far * 1000);
}
fails("SELECT count(*) FROM ends, LATERAL (SELECT retention_book(1, t, 'day', 'UTC') AS b FROM unnest(ARRAY[first, last]) t) x, $_(b)", $too_large, "$_() of 300,000 years by day") for 'cohort_retention', 'lifecycle_counts';
fails("SELECT count(*) FROM ends, LATERAL (SELECT retention_book(1, t, 5, 'day', 'UTC') AS b FROM unnest(ARRAY[first, last]) t) x, revenue_growth(b)", $too_large, 'revenue_growth() of 300,000 years by day');
fails("SELECT retention_book_since(repeat('x', 1000000) || i, now(), now(), 'day', 'UTC') FROM (SELECT generate_series(1, 1100) AS i) g", $too_large, 'a retention_book_since over the limit');
is((error_of("SELECT count(*) FROM (SELECT retention_book(1, a) AS b FROM (SELECT activity('294276-12-31 23:00:00+00', 'day', 'Asia/Tokyo') AS a) y) x, cohort_retention(b)"))[0], 'no error', 'a triangle of the last day of all');
fails("SELECT funnel('$_', now(), true)", qr/ERROR:  22023: /, "a window of $_") for '-1 second', '1 month', '106751992 days';
fails("SELECT funnel_book(1, '1 day', now(), VARIADIC array_fill(true, ARRAY[33]))", qr/ERROR:  22023: /, '33 steps');
fails("SELECT retention_book(repeat('x', 1000000) || i, now(), 'day', 'UTC') FROM (SELECT generate_series(1, 1100) AS i) g", $too_large, 'a retention_book over the limit');
fails("SELECT funnel_book(repeat('x', 1000000) || i, '1 day', now(), true) FROM (SELECT generate_series(1, 1100) AS i) g", $too_large, 'a funnel_book over the limit');

# Every byte of stored behaviour changed, and every piece of it: refused, or another value that comes back as it is.
{
	my %reports = (
		activity_summary => "first_period(v), last_period(v), period_list(v), streak(v), longest_streak(v), lifecycle(v, '2026-01-01'), is_active(v, '2026-01-01'), activity_summary_send(v + v)",
		retention_book => 'member_count(v), rows_skipped(v), net_outside(v), retention_book_send(v + v)',
		funnel_summary => "level(v), step_times(v, 'clickhouse'), step_durations(v, 'strict_order'), step_seconds(v), funnel_summary_send(v + v)",
		funnel_book => q{member_count(v), rows_skipped(v), funnel_steps(v), funnel_conversions(v, exclusions => '{2}'), funnel_book_send(v + v)},
		session_book => 'member_count(v), rows_skipped(v), session_members(v), session_book_send(v + v)',
		interaction_book => "member_count(v), rows_skipped(v), interaction_stages(v), interaction_transitions(v, '1999-01-01'), interaction_book_send(v + v)",
		contact_trail => "pressure(v), contacts_within(v, NULL, '1 day'), next_contact(v, NULL, '1 day', 1), contact_trail_send(v + v)",
		contact_book => 'member_count(v), rows_skipped(v), contact_priors(v), contact_fatigue(v), contact_book_send(v + v)',
		spend_summary => "rolling_spend(v, '2026-01-01'), spend_summary_send(v + v)",
		points_summary => "points_balance(v, '2027-01-01'), points_lapsed(v, '2027-01-01', '0', 'month'), points_earned(v), points_redeemed(v), points_summary_send(v + v)");
	my $rows = q{(VALUES (1, 'a', timestamptz '2026-01-05 00:00+00', 5.25, 'own'), (1, 'a', '2026-01-05 00:00:01+00', -3, 'own'), (2, 'b', '2026-02-05 00:00+00', 1e20, 'induced'), (2, 'b', '2025-12-05 00:00+00', 0.001, 'obliged'), (-3, '', '2031-02-05 00:00+00', 7, 'own')) r (n, m, at, amount, kind)};
	$node->safe_psql('postgres', "CREATE TABLE valid_behaviour (name text, type text, bytes bytea);\n" . join '', map { "INSERT INTO valid_behaviour SELECT '$_->[0]', '$_->[0]', $_->[0]_send($_->[1]) FROM $rows;\n" }
		  [ activity_summary => "activity(at, 'day', 'Europe/Berlin')" ], [ retention_book => "retention_book(n, at, 'week', 'UTC')" ], [ retention_book => "retention_book(m, at, amount, 'month', 'UTC')" ], [ retention_book => 'retention_book(md5(m)::uuid, at)' ], [ retention_book => "retention_book_since(n, at - interval '9 days', at, amount, 'week(sunday)', 'UTC')" ], [ retention_book => 'retention_book_since(m, at, at)' ],
		[ funnel_summary => "funnel('40 days', at, amount < 0, n > 1)" ],
		[ funnel_book => "funnel_book(m, '40 days', at, amount < 0, n > 1)" ], [ interaction_book => 'interaction_book(n, kind, at)' ], [ session_book => 'session_book(n, at)' ], [ contact_trail => "contact_trail(m, CASE kind WHEN 'own' THEN 'sent' ELSE 'clicked' END, at)" ],
		[ contact_book => "contact_book(n, m, CASE kind WHEN 'own' THEN 'sent' ELSE 'clicked' END, at)" ], [ contact_book => "contact_book(m, 'é', 'sent', at + interval '1 microsecond')" ], [ spend_summary => 'spend(at, amount)' ], [ points_summary => 'points(at, amount)' ]);
	$node->safe_psql('postgres', "CREATE CAST (bytea AS $_) WITHOUT FUNCTION") for sort keys %reports;
	$node->safe_psql('postgres', 'CREATE TABLE behaviour_report (type text, list text)');
	$node->safe_psql('postgres', "INSERT INTO behaviour_report VALUES ('$_', \$\$$reports{$_}\$\$)") for sort keys %reports;
	$node->safe_psql(
		'postgres', q{
		CREATE FUNCTION behaviour_outcome(type text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE
		  is_same bool;
		  report text;
		BEGIN
		  EXECUTE format('SELECT %1$s_send(v::text::%1$s) = $1 AND %1$s_send(rollup(v)) = $1 FROM (SELECT $1::%1$s) x (v) GROUP BY v::text::%1$s', type) INTO is_same USING bytes;
		  EXECUTE format('SELECT %s FROM (SELECT $1::%s OFFSET 0) x (v)', (SELECT list FROM behaviour_report r WHERE r.type = behaviour_outcome.type), type) USING bytes;
		  IF type = 'retention_book' THEN
		    FOREACH report IN ARRAY '{cohort_retention,lifecycle_counts,revenue_growth,stickiness,day_retention}'::text[] LOOP
		      BEGIN
		        EXECUTE format('SELECT count(*) FROM %s($1::retention_book)', report) USING bytes;
		      EXCEPTION WHEN invalid_parameter_value OR program_limit_exceeded OR datetime_field_overflow THEN
		      END;
		    END LOOP;
		  END IF;
		  RETURN CASE WHEN is_same THEN 'valid' ELSE 'others' END;
		EXCEPTION WHEN OTHERS THEN
		  RETURN sqlstate;
		END $$;
		CREATE TABLE changed_behaviour AS SELECT name, i, v, behaviour_outcome(type, set_byte(bytes, i, v)) AS outcome
		  FROM valid_behaviour, generate_series(0, length(bytes) - 1) i, unnest(ARRAY(SELECT get_byte(bytes, i) # x FROM unnest('{1,2,4,8,32,64,128,255}'::int[]) x)) v});
	is($node->safe_psql('postgres', "SELECT name FROM valid_behaviour WHERE behaviour_outcome(type, bytes) <> 'valid'"), '', 'some stored behaviour');
	is( $node->safe_psql('postgres', q{SELECT count(*) > 3000, count(*) FILTER (WHERE outcome = 'XX001') > 1000, count(*) FILTER (WHERE outcome = 'valid') > 1000, count(*) FILTER (WHERE outcome = 'others') FROM changed_behaviour}),
		't|t|t|0', 'with another byte it is refused, or is valid and comes back as it is');
	# 22023: a time zone that is none, a row after as_of; 22P02: a member that is no text; the others: limits.
	is($node->safe_psql('postgres', q{SELECT * FROM changed_behaviour WHERE outcome NOT IN ('XX001', 'valid', '22023', '22P02', '22003', '54000')}), '', 'and no other error');
	is($node->safe_psql('postgres', q{SELECT name, n FROM valid_behaviour, generate_series(0, length(bytes) - 1) n WHERE behaviour_outcome(type, substr(bytes, 1, n)) <> 'XX001'}), '', 'every piece is refused');
	is($node->safe_psql('postgres', q{SELECT name FROM valid_behaviour WHERE behaviour_outcome(type, bytes || '\x00') <> 'XX001'}), '', 'and a byte more');
	$node->safe_psql('postgres', "DROP CAST (bytea AS $_)") for sort keys %reports;
}

# The session's settings change nothing.
{
	my %seen;
	my ($numeric) = ((grep { /^de_DE\.utf-?8$/i } `locale -a 2>/dev/null`), 'C');
	chomp $numeric;
	for my $settings ('', "SET timezone = 'America/New_York'; SET datestyle = 'German'", "SET timezone = 'Pacific/Kiritimati'; SET extra_float_digits = -15", "SET lc_numeric = '$numeric'; SET lc_monetary = '$numeric'; SET extra_float_digits = 3; SET intervalstyle = 'iso_8601'")
	{
		$seen{ $node->safe_psql('postgres', qq{$settings;
			SELECT md5(pricebook_summary_send(b)), md5(b::text), md5(price_slope_summary_send(s)), md5(s::text),
			       (SELECT md5(string_agg(concat_ws(' ', member_group, rows, float8send(compared_share), float8send(premium_pct), float8send(premium_pct_low), float8send(z), float8send(p_value), overcharge, verdict), ',')) FROM price_gaps(b, 'group 1')),
			       (SELECT md5(string_agg(concat_ws(' ', item, member_group, mean, reference_median, float8send(q_value)), ',')) FROM price_gap_items(NULL::bigint, b, 'group 1')),
			       (SELECT md5(string_agg(concat_ws(' ', item, period - date '2026-01-01', fair_price, rows), ',')) FROM fair_prices(NULL::bigint, b, 'group 1')),
			       (SELECT concat_ws(' ', items, float8send(slope), float8send(premium_pct_high), float8send(p_value)) FROM price_slopes(s)), price_check(10.7, 10, 6.25)
			  FROM (SELECT pricebook(i % 5, date '2026-01-01' + i % 7, 'group ' || i % 3, i % 11 + 0.25, 1 + i % 2) AS b, price_slope(i % 9, date '2026-01-01' + i % 8, i % 17 * 0.1, i % 11 + 0.25) AS s FROM generate_series(1, 2000) i) x}) }++;
	}
	is(join('|', values %seen), '4', 'books and reports are the same under all settings') or diag join "\n", keys %seen;
	like((keys %seen)[0], qr/\|above by 7\.0 %$/, 'numbers have points');
}

# A book over the limit, of 1 GB in text, which pg_dump writes
my $keys = q{repeat('x', 1000000) || i, timestamptz '2026-01-01', 1};
fails("SELECT rfm_book($keys) FROM (SELECT generate_series(1, 1100) AS i) g", $too_large, 'a book over the limit');
fails("SELECT member_count(a + b) FROM (SELECT rfm_book($keys) AS a FROM (SELECT generate_series(1, 400) AS i) g) x, (SELECT rfm_book($keys) AS b FROM (SELECT generate_series(1001, 1400) AS i) g) y",
	$too_large, 'a sum over the limit');
is( ($session->query("SELECT member_count(b), octet_length(rfm_book_send(b)), octet_length(b::text) FROM (SELECT rfm_book($keys) AS b FROM (SELECT generate_series(1, 700) AS i) g) x"))[0],
	'700|700004986|933339993', 'a book just below it can be read and written');
fails("SELECT pricebook(item, '', 1) FROM (SELECT repeat('i', 1000000) || i AS item FROM generate_series(1, 800) i) x", $too_large, 'a pricebook over the limit');
fails("SELECT pricebook(1, '2026-01-01', member_group, 1, 1) FROM (SELECT repeat('g', 1000000) || i AS member_group FROM generate_series(1, 800) i) x", $too_large, 'a pricebook over the limit by its groups');
fails("SELECT cell_count(a + b) FROM (SELECT pricebook(1, repeat('g', 1000000) || i, 1) AS a FROM generate_series(1, 400) i) x, (SELECT pricebook(1, repeat('g', 1000000) || i, 1) AS b FROM generate_series(401, 800) i) y",
	$too_large, 'a sum of pricebooks over the limit');
fails("SELECT price_slope(item, '2026-01-01', 1, 1) FROM (SELECT repeat('i', 1000000) || i AS item FROM generate_series(1, 800) i) x", $too_large, 'a price_slope over the limit');
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
	# take the bytes as they are, those that do not look at them because they only say
	# what to call instead, and the supports of types and indexes, in which SQL has no place.
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
				   AND 'bytea'::regtype <> ALL (p.proargtypes::oid[]) AND p.prosrc <> 'custmart_tagbloom_no_names'
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

# The same for prices.  First what a hand may write, by docs/storage-format.md: item 7,
# group "a", one row of price 5; and one cell of a slope, x = 1, ln(price) = 0.
{
	$node->safe_psql('postgres', 'CREATE CAST (bytea AS pricebook_summary) WITHOUT FUNCTION; CREATE CAST (bytea AS price_slope_summary) WITHOUT FUNCTION');
	my $none = '0' x 16;
	my $pricebook = sub {
		my %part = (kind => '07', version => '01', key_type => '01', form => '00', items => '00000001', skipped => $none, keys => '000000000000000007',
			decimals => '00', price_skipped => $none, quantity_skipped => $none, groups => '00000001', lengths => '00000001', names => '61', wide => '00000000',
			item_rows => '00000001', period => '', group => '00000000', price => '0000000000000500', count => '00000001', quantity => '', more => '', @_);
		return join '', @part{qw(kind version key_type form items skipped keys decimals price_skipped quantity_skipped groups lengths names item_rows period group price count quantity more wide)};
	};
	my $slope = sub {
		my %part = (kind => '08', version => '01', key_type => '01', form => '00', items => '00000001', skipped => $none, keys => '000000000000000007', cells => '00000001', item_cells => '00000001',
			period => '00000000', n => '0000000000000001', x => '0' x 21 . '10000000000', y => '0' x 32, xx => '0' x 27 . '100000000000000000000', xy => '0' x 48, more => '', @_);
		return join '', @part{qw(kind version key_type form items skipped keys cells item_cells period n x y xx xy more)};
	};
	my @periods = (form => '01', period => '00000000', quantity => '0000000000000100');
	my %bad = (
		pricebook_summary => {
			'empty' => '', 'two bytes' => '0701', 'another type' => $pricebook->(kind => '08'), 'version 0' => $pricebook->(version => '00'), 'version 2' => $pricebook->(version => '02'),
			'items that are uuid' => $pricebook->(key_type => '02', keys => $none x 2), 'an unknown type of item' => $pricebook->(key_type => '04'), 'form 2' => $pricebook->(form => '02'),
			'rows skipped below 0' => $pricebook->(skipped => 'f' x 16), 'more prices skipped than rows' => $pricebook->(price_skipped => '0' x 15 . '1'),
			'more quantities skipped than rows' => $pricebook->(skipped => '0' x 15 . '1', quantity_skipped => '0' x 15 . '2'), 'prices skipped below 0' => $pricebook->(price_skipped => 'f' x 16),
			'both skipped too often' => $pricebook->(skipped => '0' x 15 . '1', price_skipped => '7' . 'f' x 15, quantity_skipped => '7' . 'f' x 15),
			'many items' => $pricebook->(items => 'ffffffff'), 'an item of a byte too many' => $pricebook->(keys => '01' . '0000000000000007' . '00'), 'an item that is not the smallest' => $pricebook->(keys => '01' . '0000000000000006' . '01'), 'an item of 9 bytes' => $pricebook->(keys => '09' . '0000000000000007' . '0' x 18),
			'an item beyond 64 bits' => $pricebook->(items => '00000002', keys => '01' . '7' . 'f' x 15 . '0001', item_rows => '0000000100000001', more => '00000000' . '0000000000000600' . '00000001'), 'no item' => $pricebook->(items => '00000000'), 'an item without price' => $pricebook->(item_rows => '00000000'),
			'29 decimals' => $pricebook->(decimals => '1d'), 'a price of more decimals' => $pricebook->(price => '0000000000000501'), 'a price with a zero after the point' => $pricebook->(decimals => '01', price => '0000000000003201'),
			'many groups' => $pricebook->(groups => 'ffffffff'), 'a group too long' => $pricebook->(lengths => 'ffffffff'), 'a group that nobody is in' => $pricebook->(groups => '00000002', lengths => '0000000100000001', names => '6162'),
			'a group twice' => $pricebook->(groups => '00000002', lengths => '0000000100000001', names => '6161'), 'groups not in order' => $pricebook->(groups => '00000002', lengths => '0000000100000001', names => '6261'),
			'many wide numbers' => $pricebook->(wide => 'ffffffff'), 'a wide number that is nobody\'s' => $pricebook->(wide => '00000001' . '0' x 62 . '0500'), 'a wide number that is missing' => $pricebook->(price => '00000000000000ff'),
			'a wide number that is not wide' => $pricebook->(wide => '00000001' . '0' x 62 . '0500', price => '00000000000000ff'), 'a wide quantity that is not wide' => $pricebook->(@periods, wide => '00000001' . '0' x 62 . '0500', quantity => '00000000000000ff'),
			'many rows' => $pricebook->(item_rows => 'ffffffff'), 'a row that is missing' => $pricebook->(item_rows => '00000002'), 'a row too many' => $pricebook->(more => '00000000' . '0000000000000600' . '00000001'),
			'a group that is not there' => $pricebook->(group => '00000001'), 'price 0' => $pricebook->(price => '0' x 16), 'a price below 0' => $pricebook->(price => 'fffffffffffffb00'), 'a scale of 77' => $pricebook->(decimals => '1c', price => '000000000000054d'),
			'no row of a price' => $pricebook->(count => '00000000'), 'a byte too many' => $pricebook->(more => '00'), 'a byte too few' => substr($pricebook->(), 0, -2),
			'a price twice' => $pricebook->(item_rows => '00000002', more => '00000000' . '0000000000000500' . '00000001'), 'prices not in order' => $pricebook->(item_rows => '00000002', more => '00000000' . '0000000000000400' . '00000001'),
			'an item twice' => $pricebook->(items => '00000002', item_rows => '0000000100000001', more => '00000000' . '0000000000000600' . '00000001'),
			'items not in order' => $pricebook->(items => '00000002', keys => '01' . 'f' x 16 . '0800', item_rows => '0000000100000001', more => '00000000' . '0000000000000600' . '00000001'),
			'no quantity' => $pricebook->(@periods, quantity => '0' x 16), 'a quantity below 0' => $pricebook->(@periods, quantity => 'f' x 14 . '00'), 'a wide quantity that is missing' => $pricebook->(@periods, quantity => '00000000000000ff'),
			'a quantity of scale 77' => $pricebook->(@periods, quantity => '000000000000014d'), 'period infinity' => $pricebook->(@periods, period => '7fffffff'), 'period -infinity' => $pricebook->(@periods, period => '80000000'),
			'a period before all' => $pricebook->(@periods, period => '80000001'), 'rows of the other form' => $pricebook->(form => '01')
		},
		price_slope_summary => {
			'empty' => '', 'one byte' => '08', 'another type' => $slope->(kind => '07'), 'version 2' => $slope->(version => '02'), 'items that are uuid' => $slope->(key_type => '02', keys => $none x 2), 'form 2' => $slope->(form => '02'), 'a period in form 1' => $slope->(form => '01', period => '00000001'),
			'two cells of an item in form 1' => $slope->(form => '01', cells => '00000002', item_cells => '00000002', more => '00000001' . substr $slope->(), -192 + 8),
			'rows skipped below 0' => $slope->(skipped => 'f' x 16), 'many items' => $slope->(items => 'ffffffff'), 'an item of a byte too many' => $slope->(keys => '01' . '0000000000000007' . '00'), 'an item of 9 bytes' => $slope->(keys => '09' . '0000000000000007' . '0' x 18), 'no item' => $slope->(items => '00000000'), 'many cells' => $slope->(cells => 'ffffffff'), 'no cell' => $slope->(cells => '00000000'),
			'an item without cell' => $slope->(item_cells => '00000000'), 'an item with many' => $slope->(item_cells => '00000002'), 'period infinity' => $slope->(period => '7fffffff'), 'a period before all' => $slope->(period => '80000001'),
			'no row' => $slope->(n => '0' x 16), 'rows below 0' => $slope->(n => 'f' x 16), 'x above 2^20' => $slope->(x => '0' x 16 . '1000000000000001'), 'y above 128' => $slope->(y => '0' x 15 . '1' . '0' x 15 . '1'),
			'squares below 0' => $slope->(xx => 'f' x 48), 'squares too small' => $slope->(xx => '0' x 48), 'a byte too many' => $slope->(more => '00'), 'a byte too few' => substr($slope->(), 0, -2),
			'a period twice' => $slope->(cells => '00000002', item_cells => '00000002', more => '00000000' . substr $slope->(), -192 + 8)
		});
	is( $node->safe_psql('postgres', "SELECT pricebook_summary_send(pricebook(7, 'a', 5)), pricebook_summary_send(pricebook(7, '2000-01-01', 'a', 5, 1)), price_slope_summary_send(price_slope(7, '2000-01-01', 1, 1)), price_slope_summary_send(price_slope(7, 1, 1))"),
		join('|', map { "\\x$_" } $pricebook->(), $pricebook->(@periods), $slope->(), $slope->(form => '01')), 'stored prices, byte by byte');
	for my $type ('pricebook_summary', 'price_slope_summary')
	{
		$node->safe_psql('postgres', "CREATE TABLE bad_$type (why text, v $type);\n" . join '', map { "INSERT INTO bad_$type VALUES (\$\$$_\$\$, '\\x$bad{$type}{$_}'::bytea::$type);\n" } sort keys %{ $bad{$type} });
		# Every function of the extension that takes one, as above.
		my $list = q{SELECT format_type(t, NULL) AS type, n FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n)};
		my $calls = qq{
			SELECT p.oid::regprocedure AS function, format('SELECT %s(%s) FROM bad_$type WHERE why = ', p.proname,
			       (SELECT string_agg(CASE WHEN type = '$type' THEN 'v' WHEN p.proname = 'price_placebo' AND n = 4 THEN '''both''' WHEN type = 'text' THEN '''a''' WHEN type = 'double precision' THEN '0.05' WHEN type = 'integer' THEN '5'
			                               WHEN type = 'bigint' THEN '0' WHEN type = 'anyelement' THEN 'NULL::bigint' ELSE 'NULL::' || type END, ', ' ORDER BY n) FROM ($list) a)) AS call
			  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
			  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
			 WHERE e.extname = 'custmart' AND '$type'::regtype = ANY (p.proargtypes::oid[]) AND p.proname !~ '_(send|eq|ne|lt|le|gt|ge|cmp|hash|hash_extended|step_.*|combine)\$'};
		is( $node->safe_psql('postgres', "SELECT string_agg(function::text, ' ' ORDER BY function::text COLLATE \"C\") FROM ($calls) c" =~ s/function::text/split_part(function::text, '(', 1)/gr),
			$type eq 'pricebook_summary' ? 'cell_count fair_prices fair_prices price_gap_items price_gap_items price_gap_mix price_gaps price_placebo pricebook_summary_add pricebook_summary_out rollup rows_skipped rows_skipped' : 'price_slope_summary_add price_slope_summary_out price_slopes rollup rows_skipped',
			"$type: functions found");
		is( $node->safe_psql('postgres', "SELECT function, why, outcome FROM ($calls) c, bad_$type b, LATERAL (SELECT outcome(call || quote_literal(why))) o WHERE outcome !~ '^XX001 stored $type is not valid: ' ORDER BY 1, 2"),
			'', "$type: every function refuses damaged bytes");
		is( $node->safe_psql('postgres', "SELECT count(*) FROM bad_$type a, bad_$type b WHERE (a.v = b.v) <> (a.why = b.why) OR (a.v < b.v) = (a.v >= b.v) OR ${type}_hash(a.v) IS NULL"),
			0, "$type: comparisons do no harm");
	}

	# Then every byte of valid ones changed, and every piece of them.  What is not refused is
	# read back as it is, by text and by being merged, and no report breaks.
	$node->safe_psql(
		'postgres', q{
		CREATE TABLE valid (name text, type text, bytes bytea);
		INSERT INTO valid
		SELECT 'numbers', 'pricebook_summary', pricebook_summary_send(pricebook(i, g, p)) FROM (VALUES (1, 'a', 1.5), (1, 'b', 2), (2, 'a', 1.25), (2, 'b', 1.5), (NULL, 'a', 1), (1, 'c', -1), (1, 'a', 1.50)) v (i, g, p)
		UNION ALL SELECT 'texts', 'pricebook_summary', pricebook_summary_send(pricebook(i, g, p)) FROM (VALUES ('', 'é', 1e30), ('ab', 'a', 2), ('b', 'é', 1e30), ('b', '', 1e-20), ('b', 'a', 1e30 + 1)) v (i, g, p)
		UNION ALL SELECT 'periods', 'pricebook_summary', pricebook_summary_send(pricebook(i, d, g, p, q))
		  FROM (VALUES (1, date '2026-01-01', 'a', 1.5, 1), (1, '2026-01-01', 'b', 2, 1.5), (2, '1999-01-01', 'a', 1.25, 3), (2, '2026-01-01', 'b', 1.5, 1e20), (2, '2026-01-01', 'a', 1e30, 1e-20), (1, '2026-01-01', 'c', 1, -1)) v (i, d, g, p, q)
		UNION ALL SELECT 'texts, periods', 'pricebook_summary', pricebook_summary_send(pricebook(i, d, g, p, q))
		  FROM (VALUES ('x', date '2026-01-01', 'a', 1.5, 1), ('x', '2026-01-01', 'b', 2, 1.5), ('y', '1999-01-01', 'a', 1.25, 3)) v (i, d, g, p, q)
		UNION ALL SELECT 'no prices', 'pricebook_summary', pricebook_summary_send(pricebook(NULL::text, 'a', 1))
		UNION ALL SELECT 'slope', 'price_slope_summary', price_slope_summary_send(price_slope(i, d, x, p))
		  FROM (VALUES (1, date '2026-01-01', 0.5, 1.5), (1, '2026-01-01', 2, 2), (1, '2026-02-01', -2, 3), (2, '2026-01-01', 2, 0.5), (2, '2026-01-01', -1e6, 0.5), (3, '2026-01-01', 1, -1)) v (i, d, x, p)
		UNION ALL SELECT 'slope of texts', 'price_slope_summary', price_slope_summary_send(price_slope(i, d, x, p))
		  FROM (VALUES ('', date '2026-01-01', 0.5, 1.5), ('', '2026-01-01', 2, 2), ('é', '2026-02-01', -2, 3), ('z', '1999-01-01', 2, 0.5)) v (i, d, x, p)
		UNION ALL SELECT 'no slope', 'price_slope_summary', price_slope_summary_send(price_slope(NULL::text, '2026-01-01', 1, 1));
		CREATE FUNCTION outcome_of(type text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE
		  b pricebook_summary;
		  s price_slope_summary;
		  same bool;
		BEGIN
		  IF type = 'pricebook_summary' THEN
		    b := bytes::pricebook_summary;
		    SELECT pricebook_summary_send(b::text::pricebook_summary) = bytes AND pricebook_summary_send(rollup(b)) = bytes INTO same;
		    PERFORM cell_count(b), rows_skipped(b), price_gaps(b, 'a'), price_gap_mix(b, 'a'), pricebook_summary_send(b + b);
		    IF get_byte(bytes, 2) = 1 THEN
		      PERFORM price_gap_items(b, 'a'), fair_prices(b, 'a');
		    ELSE
		      PERFORM price_gap_items(NULL::text, b, 'a'), fair_prices(NULL::text, b, 'a');
		    END IF;
		  ELSE
		    s := bytes::price_slope_summary;
		    SELECT price_slope_summary_send(s::text::price_slope_summary) = bytes AND price_slope_summary_send(rollup(s)) = bytes INTO same;
		    PERFORM price_slopes(s), rows_skipped(s), price_slope_summary_send(s + s);
		  END IF;
		  RETURN CASE WHEN same THEN 'valid' ELSE 'others' END;
		EXCEPTION WHEN OTHERS THEN
		  RETURN sqlstate;
		END $$;
		CREATE TABLE changed AS SELECT name, i, outcome_of(type, set_byte(bytes, i, v))
		  FROM valid, generate_series(0, length(bytes) - 1) i, unnest(ARRAY(SELECT get_byte(bytes, i) # x FROM unnest('{1,2,3,4,8,16,32,64,127,128,255}'::int[]) x)) v});
	is($node->safe_psql('postgres', "SELECT name FROM valid WHERE outcome_of(type, bytes) <> 'valid'"), '', 'some stored prices and slopes');
	is( $node->safe_psql('postgres', q{SELECT count(*) > 15000, count(*) FILTER (WHERE outcome_of = 'XX001') > 8000, count(*) FILTER (WHERE outcome_of = 'valid') > 3000, count(*) FILTER (WHERE outcome_of = 'others') FROM changed}),
		't|t|t|0', 'with another byte they are refused, or are valid and come back as they are');
	# 22P02: a name that is no text any more; the others: what cannot be added up.  22023: the group "a" is none.
	is($node->safe_psql('postgres', q{SELECT * FROM changed WHERE outcome_of NOT IN ('XX001', 'valid', '22P02', '22023', '22003', '54000')}), '', 'no other error');
	is($node->safe_psql('postgres', q{SELECT name, n, outcome_of(type, substr(bytes, 1, n)) FROM valid, generate_series(0, length(bytes) - 1) n WHERE outcome_of(type, substr(bytes, 1, n)) <> 'XX001'}), '', 'every piece is refused');
	is($node->safe_psql('postgres', q{SELECT name FROM valid WHERE outcome_of(type, bytes || '\x00') <> 'XX001'}), '', 'and a byte more');
	$node->safe_psql('postgres', 'DROP CAST (bytea AS pricebook_summary); DROP CAST (bytea AS price_slope_summary)');
}

# Numbers of absurd size
for my $number ("1e131071", "-1e131071", "1e-16383", "repeat('9', 131072)::numeric", "('0.' || repeat('0', 16382) || '1')::numeric")
{
	fails("SELECT rfm('2026-01-01', $number)", qr/ERROR:  22003: .{20,200}\n/, "rfm of $number");
	fails("SELECT rfm_book(1, '2026-01-01', $number)", qr/ERROR:  22003: .{20,200}\n/, "rfm_book of $number");
	fails("SELECT tier($number, '{0.5}', '{a,b}') OVER ()", qr/ERROR:  22003: .{20,200}\n/, "tier of $number");
}

# Cancelled.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE big (name text PRIMARY KEY, book rfm_book);
	INSERT INTO big
	SELECT 'numbers', rfm_book(i::bigint, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1, 1500000) AS i) g;
	INSERT INTO big
	SELECT 'backwards', rfm_book(i::bigint, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1500000, 1, -1) AS i) g;
	INSERT INTO big
	SELECT 'lines', rfm_book('member ' || i % 300000, 'order ' || i, timestamptz '2026-01-01' + i * interval '1 second', i % 1000) FROM (SELECT generate_series(1, 600000) AS i) g;
	-- Here and below, what PostgreSQL would compress is stored as it is: it cannot be cancelled while it decompresses.
	CREATE TABLE literal (text text);
	ALTER TABLE literal ALTER text SET STORAGE EXTERNAL;
	INSERT INTO literal SELECT book::text FROM big WHERE name = 'lines';
	CREATE TABLE copied (book rfm_book);

	-- Members with sets of tags; sets of many; the text of both and of a query.
	CREATE TABLE tagged AS SELECT i AS id, tags('vip ' || i % 7, 'city ' || i % 997, 'id ' || i, 'x' || i / 3, 'y' || i / 2) AS tags FROM generate_series(1, 150000) i;
	CREATE TABLE large (n int, tags tagbloom);
	ALTER TABLE large ALTER tags SET STORAGE EXTERNAL;
	INSERT INTO large SELECT n, tag_agg('tag ' || i * n, 20000000) AS tags FROM generate_series(1, 2) n, generate_series(1, 100000) i GROUP BY n;
	CREATE TABLE tag_text (list text, json jsonb, tags text[]);
	ALTER TABLE tag_text ALTER list SET STORAGE EXTERNAL, ALTER json SET STORAGE EXTERNAL, ALTER tags SET STORAGE EXTERNAL;
	INSERT INTO tag_text SELECT '{' || string_agg('"tag ' || i || '"', ',') || '}' AS list, jsonb_agg('tag ' || i) AS json, array_agg('tag ' || i) AS tags
	  FROM generate_series(1, 1000000) i;
	CREATE TABLE query AS SELECT string_agg('tag' || i, ' & !' ORDER BY i) AS text FROM generate_series(1, 65536) i;
});
$node->safe_psql('postgres', q{
	CREATE TABLE slope AS SELECT n, price_slope(i / 3 * n, date '2026-01-01' + (i % 3)::int, i % 100 * 0.1, i % 7 + 0.99) AS slope FROM generate_series(1, 2) n, (SELECT generate_series(1, 300000::bigint) AS i) g GROUP BY n;
	CREATE TABLE price_literal (prices text, slope text);
	ALTER TABLE price_literal ALTER prices SET STORAGE EXTERNAL, ALTER slope SET STORAGE EXTERNAL;
	INSERT INTO price_literal SELECT book::text, s.slope::text FROM crowd, slope s WHERE name = 'items' AND n = 1;
	CREATE TABLE copied_prices (book pricebook_summary)});
my $price_file = $node->data_dir . '/prices.copy';
$node->safe_psql('postgres', 'COPY (SELECT ' . crowd('items') . ") TO '$price_file' (FORMAT binary)");
my $file = $node->data_dir . '/book.copy';
$node->safe_psql('postgres', "COPY (SELECT book FROM big WHERE name = 'lines') TO '$file' (FORMAT binary)");

$node->safe_psql('postgres', q{
	CREATE TABLE offered AS SELECT n, campaign_book(i * n / 8.0, i % 3 > 0, i % 7 / 4) AS scores, campaign_book('segment ' || i * n, i % 3 > 0, i % 7 / 4) AS alone, campaign_book('segment ' || i / 30 * n, i % 3 > 0, i % 7 / 4) AS segments
	  FROM generate_series(1, 2) n, (SELECT generate_series(1, 600000::bigint) AS i) g GROUP BY n;
	CREATE TABLE liked AS SELECT n, preference_book(i % 100000 * n, 'category ' || i % 11, i % 100 - 3) AS book, preference_book('member ' || i % 300 * n, 'category ' || i % 5000, i) AS many FROM generate_series(1, 2) n, (SELECT generate_series(1, 500000::bigint) AS i) g GROUP BY n;
	CREATE TABLE bought AS SELECT n, basket_book(i % 100000 * n, i * i % 5003) AS book, basket_book('basket ' || i % 30000 * n, 'item ' || i % 20011) AS names, basket_book(i % 300, i / 300 * n) AS large
	  FROM generate_series(1, 2) n, (SELECT generate_series(1, 500000::bigint) AS i) g GROUP BY n;
	CREATE TABLE aimed AS SELECT n, audience_book(i * n, i % 1000 / 8.0, i % 2 = 0, i % 3 = 0, i % 5 = 0) AS book, audience_book('member ' || i * n, NULL, true) AS names FROM generate_series(1, 2) n, (SELECT generate_series(1, 600000::bigint) AS i) g GROUP BY n;
	CREATE TABLE checked AS SELECT n, check_book('member ' || i % 90000, 'order ' || i / 2 * n, 'item ' || i % 20000, timestamptz '2026-01-01' + i * interval '1 minute', i % 9 - 1, i % 1000 * 0.07) AS book
	  FROM generate_series(1, 2) n, (SELECT generate_series(1, 400000::bigint) AS i) g GROUP BY n;
	CREATE TABLE checked_literal AS SELECT book::text AS book FROM checked WHERE n = 1;
	CREATE TABLE offered_literal AS SELECT scores::text AS book FROM offered WHERE n = 1;
});
$node->safe_psql('postgres', q{
	CREATE TABLE deed AS SELECT n, retention_book(i % 150000 * n, at, i % 100 - 3, 'day', 'Europe/Berlin') AS money, retention_book('member ' || i % 100000 * n, at) AS times,
	       funnel_book(i % 150000 * n, '30 days', at, i % 2 = 0, i % 3 = 0, i % 5 = 0) AS funnels, contact_book(i % 150000 * n, 'channel ' || i % 4 * n, (ARRAY['sent', 'sent', 'clicked'])[1 + i % 3], at) AS contacts, interaction_book(i % 150000 * n, (ARRAY['own', 'induced', 'obliged'])[1 + i % 3], at) AS interactions
	  FROM generate_series(1, 2) n, LATERAL (SELECT i, timestamptz '2026-01-01' + i * 7919 % 400000 * interval '100 seconds' AS at FROM (SELECT generate_series(1, 400000::bigint) AS i) g) o GROUP BY n;
	CREATE TABLE deed_one (n int, a activity_summary, f funnel_summary, s spend_summary, p points_summary);
	ALTER TABLE deed_one ALTER a SET STORAGE EXTERNAL, ALTER f SET STORAGE EXTERNAL, ALTER s SET STORAGE EXTERNAL, ALTER p SET STORAGE EXTERNAL;
	INSERT INTO deed_one SELECT n, activity(timestamptz '1000-01-01' + i * n % 400000 * interval '2 days', 'day', 'UTC') AS a, funnel('1 day', timestamptz '2026-01-01' + i * 7919 % 400000 * interval '1 hour', i % 3 = 0, i % 5 = 0) AS f,
	       spend(timestamptz '2000-01-01' + i * 7919 % 400000 * interval '1 hour', i % 100 - 3) AS s,
	       points(timestamptz '2000-01-01' + i * 7919 % 400000 * interval '1 hour', i % 100 - 40) AS p FROM generate_series(1, 2) n, generate_series(1, 400000::bigint) i GROUP BY n;
	CREATE TABLE deed_literal (money text);
	ALTER TABLE deed_literal ALTER money SET STORAGE EXTERNAL;
	INSERT INTO deed_literal SELECT money::text FROM deed WHERE n = 1;
	CREATE TABLE copied_deed (money retention_book, funnels funnel_book)});
my $deed_file = $node->data_dir . '/deed.copy';
$node->safe_psql('postgres', "COPY (SELECT money, funnels FROM deed) TO '$deed_file' (FORMAT binary)");

sub book { return "(SELECT book FROM big WHERE name = '$_[0]')" }

my %slow = (
	'retention_book()' => q{SELECT length(retention_book_send(retention_book(i % 100000, timestamptz '2026-01-01' + i % 3000 * interval '1 day', i, 'day', 'Europe/Berlin'))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'retention_book_since()' => q{SELECT length(retention_book_send(retention_book_since(i % 100000, date '2025-12-31', timestamptz '2026-01-01' + i % 3000 * interval '1 day', i, 'day', 'Europe/Berlin'))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'revenue_growth()' => 'SELECT count(*) FROM deed, revenue_growth(money) WHERE n = 2',
	'funnel_book()' => q{SELECT length(funnel_book_send(funnel_book(i % 100000, '1 day', timestamptz '2026-01-01' - i * interval '1 second', i % 3 = 0, i % 5 = 0))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'activity()' => q{SELECT active_periods(activity(timestamptz '1000-01-01' + i * 7919 % 600000 * interval '1 day', 'day', 'UTC')) FROM (SELECT generate_series(1, 600000::bigint) AS i) g},
	'funnel()' => q{SELECT level(funnel('1 day', timestamptz '2026-01-01' - i * interval '1 second', i % 3 = 0, i % 5 = 0)) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'spend()' => q{SELECT length(spend_summary_send(spend(timestamptz '2026-01-01' - i * interval '1 second', i * 1e20))) FROM (SELECT generate_series(1, 500000::bigint) AS i) g},
	'points()' => q{SELECT length(points_summary_send(points(timestamptz '2026-01-01' - i * interval '1 second', (i % 3 - 1) * i * 1e20))) FROM (SELECT generate_series(1, 500000::bigint) AS i) g},
	'points_balance()' => q{SELECT points_balance(p, '2200-01-01', '5 years', 'day', 'Europe/Berlin') FROM deed_one WHERE n = 1},
	'points_history()' => q{SELECT count(*) FROM deed_one, points_history(p, '2200-01-01', '5 years', 'day', 'Europe/Berlin') WHERE n = 1},
	'tier_history() from 0' => q{SELECT count(*) FROM deed_one, tier_history(s, '2200-01-01', '{200,100}', '{a,b,c}', unit => 'day', timezone => 'Europe/Berlin', from_zero => true, keep_for => '3 days', with_kept => true) WHERE n = 1},
	'rollup() of behaviour' => 'SELECT length(retention_book_send(rollup(money))), length(funnel_book_send(rollup(funnels))) FROM deed',
	'+ of behaviour' => 'SELECT length(interaction_book_send(a.interactions + b.interactions)), length(retention_book_send(a.times + b.times)) FROM deed a, deed b WHERE a.n < b.n',
	'rollup() of series' => 'SELECT length(activity_summary_send(rollup(a))), length(funnel_summary_send(rollup(f))), length(spend_summary_send(rollup(s))), length(points_summary_send(rollup(p))) FROM deed_one',
	'cohort_retention()' => 'SELECT count(*) FROM deed, cohort_retention(money) WHERE n = 2',
	'net_outside()' => 'SELECT net_outside(money) FROM deed WHERE n = 2',
	'lifecycle_counts()' => 'SELECT count(*) FROM deed, lifecycle_counts(money) WHERE n = 2',
	'stickiness()' => 'SELECT count(*) FROM deed, stickiness(money) WHERE n = 2',
	'day_retention()' => 'SELECT count(*) FROM deed, day_retention(times, last_day => 500000) WHERE n = 2',
	'clv_fit()' => q{SELECT log_likelihood(clv_fit(money, 'best')) FROM deed WHERE n = 2},
	'clv_fit() of columns' => q{SELECT log_likelihood(clv_fit(i % 50, i % 50 * 3, 150 + i % 200, i % 40 + 5, 'pareto/nbd')) FROM (SELECT generate_series(1, 200000::bigint) AS i) g},
	'clv_members()' => q{SELECT count(*) FROM deed, (SELECT clv_fit(1, i, 300, 5.5, 'pareto/nbd') AS m FROM generate_series(250, 300) i) f, clv_members(money, m) WHERE n = 2},
	'clv_summaries()' => 'SELECT count(*) FROM deed, clv_summaries(money) WHERE n = 2',
	'clv_check()' => q{SELECT count(*) FROM deed, clv_check(money, '2027-01-01', 'pareto/nbd') WHERE n = 2},
	'clv_tracking()' => q{SELECT count(*) FROM (SELECT retention_book(i, date '1850-01-01' + i, 5, 'day', 'UTC') AS b FROM generate_series(1, 60000) i) d, (SELECT clv_fit(1, i, 300, 5.5, 'mbg/nbd') AS m FROM generate_series(250, 300) i) f, clv_tracking(b, m)},
	'clv_frequencies()' => q{SELECT count(*) FROM (SELECT retention_book(i, date '1850-01-01' + i, 5, 'day', 'UTC') AS b FROM generate_series(1, 60000) i) d, (SELECT clv_fit(i % 9, i % 9 * 30, 300, 5.5, 'pareto/nbd') AS m FROM generate_series(1, 300) i) f, clv_frequencies(b, m)},
	'funnel_steps()' => q{SELECT count(*) FROM deed, funnel_steps(funnels, 'strict_order,strict_once') WHERE n = 2},
	'funnel_conversions()' => q{SELECT count(*) FROM deed, funnel_conversions(funnels, exclusions => '{{3,1,2}}', step_within => '{10 days}', step_gap => '{1 minute}') WHERE n = 2},
	'funnel_steps() with optional steps' => q{SELECT count(*) FROM deed, funnel_steps(funnels, optional_steps => '{2}') WHERE n = 2},
	'funnel_steps() in any order' => q{SELECT count(*) FROM deed, funnel_steps(funnels, 'strict_once, any_order') WHERE n = 2},
	'funnel_members()' => 'SELECT count(*) FROM deed, funnel_members(NULL::bigint, funnels) WHERE n = 2',
	'interaction_members()' => 'SELECT count(*) FROM deed, interaction_members(interactions) WHERE n = 2',
	'interaction_transitions()' => q{SELECT count(*) FROM deed, interaction_transitions(interactions, '2026-06-01') WHERE n = 2},
	'contact_book()' => q{SELECT length(contact_book_send(contact_book(i % 100000, 'email', 'sent', timestamptz '2026-01-01' - i * interval '1 second'))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'contact_trail()' => q{SELECT length(contact_trail_send(contact_trail('channel ' || i % 3, 'sent', timestamptz '2026-01-01' - i * interval '1 second'))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'rollup(contact_book)' => 'SELECT length(contact_book_send(rollup(contacts))) FROM deed',
	'contact_allowances()' => 'SELECT count(*) FROM deed, contact_allowances(contacts) WHERE n = 2',
	'contact_fatigue()' => 'SELECT count(*) FROM deed, contact_fatigue(contacts) WHERE n = 2',
	'contact_pressures()' => 'SELECT count(*) FROM deed, contact_pressures(contacts) WHERE n = 2',
	'campaign()' => q{SELECT length(campaign_summary_send(campaign(i % 3 > 0, i % 100 * 1e15, i))) FROM (SELECT generate_series(1, 1000000) AS i) g},
	'campaign_book()' => q{SELECT length(campaign_book_send(campaign_book(i / 8.0, i % 3 > 0, i))) FROM (SELECT generate_series(1, 500000) AS i) g},
	'rollup(campaign_book)' => 'SELECT length(campaign_book_send(rollup(scores))), length(campaign_book_send(rollup(alone))) FROM offered',
	'input of campaign_book' => 'SELECT rows_skipped(book::campaign_book) FROM offered_literal',
	'preference_book()' => q{SELECT length(preference_book_send(preference_book(i % 100000, 'category ' || i % 11, i))) FROM (SELECT generate_series(1, 700000) AS i) g},
	'rollup(preference_book)' => 'SELECT length(preference_book_send(rollup(book))), length(preference_book_send(rollup(many))) FROM liked',
	'member_preferences()' => 'SELECT count(*) FROM liked, member_preferences(book) WHERE liked.n = 2',
	'member_preferences() of many' => 'SELECT count(*) FROM liked, member_preferences(NULL::text, many) WHERE liked.n = 2',
	'basket_book()' => q{SELECT length(basket_book_send(basket_book(i % 100000, 'item ' || i % 997))) FROM (SELECT generate_series(1, 700000::bigint) AS i) g},
	'basket_book() of one' => q{SELECT length(basket_book_send(basket_book(1, i))) FROM (SELECT generate_series(1, 1000000::bigint) AS i) g},
	'rollup(basket_book)' => 'SELECT length(basket_book_send(rollup(book))), length(basket_book_send(rollup(names))) FROM bought',
	'item_affinities()' => 'SELECT count(*) FROM bought, item_affinities(book, 1) WHERE n = 2',
	'item_affinities() of large baskets' => 'SELECT count(*) FROM bought, item_affinities(large, 2, NULL) WHERE n = 1',
	'item_affinities() of texts' => q{SELECT count(*) FROM bought, item_affinities(NULL::text, names, 1, NULL, NULL, 'lift') WHERE n = 2},
	'baskets_over()' => 'SELECT sum(baskets_over(book, n)) FROM bought, generate_series(1, 50) k',
	'forget() of rfm_book' => q{SELECT length(rfm_book_send(forget(book, 77::bigint))) FROM big WHERE name = 'numbers'},
	'forget() of order lines' => q{SELECT length(rfm_book_send(forget(book, 'member 77'))) FROM big WHERE name = 'lines'},
	'forget() of many' => q{SELECT length(rfm_book_send(forget(book, ARRAY(SELECT i FROM generate_series(1500000, 1::bigint, -2) i)))) FROM big WHERE name = 'numbers'},
	'forget() of behaviour' => 'SELECT length(retention_book_send(forget(money, 77::bigint))), length(funnel_book_send(forget(funnels, 77::bigint))), length(contact_book_send(forget(contacts, 77::bigint))) FROM deed WHERE n = 1',
	'forget() of preferences' => q{SELECT length(preference_book_send(forget(book, 77::bigint))), length(preference_book_send(forget(many, 'member 7'))) FROM liked WHERE n = 1},
	'forget() of audiences' => q{SELECT length(audience_book_send(forget(book, 77::bigint))), length(audience_book_send(forget(names, 'member 77'))) FROM aimed WHERE n = 1},
	'forget() of baskets' => q{SELECT length(basket_book_send(forget(book, 77::bigint))), length(basket_book_send(forget(names, 'basket 77'))) FROM bought WHERE n = 1},
	'audience_book()' => q{SELECT length(audience_book_send(audience_book(i, i / 8.0, i % 2 = 0, i % 3 = 0))) FROM (SELECT generate_series(1, 700000) AS i) g},
	'rollup(audience_book)' => 'SELECT length(audience_book_send(rollup(book))), length(audience_book_send(rollup(names))) FROM aimed',
	'audience_plan()' => 'SELECT count(*) FROM aimed, audience_plan(book) WHERE n = 2',
	'audience_plan() of ties' => 'SELECT count(*) FROM aimed, audience_plan(NULL::text, names, ARRAY[100]) WHERE n = 2',
	'audience_overlaps()' => q{SELECT count(*) FROM aimed, audience_overlaps(book, '{a,b,c}') WHERE n = 2},
	'audience_overlaps() of many' => q{SELECT count(*) FROM (SELECT audience_book(i, 1, VARIADIC ARRAY(SELECT i >> k & 1 = 1 FROM generate_series(0, 15) k)) AS b FROM (SELECT generate_series(1, 50000) AS i) g) x, audience_overlaps(b, array_fill('x'::text, ARRAY[16]))},
	'audience_changes()' => 'SELECT count(*) FROM aimed a, aimed b, audience_changes(a.book, b.book, 1) WHERE a.n = 1 AND b.n = 2',
	'safe_count()' => 'SELECT count(s) FROM (SELECT safe_count(i) OVER () AS s FROM (SELECT generate_series(1, 1000000::bigint) AS i) g) x',
	'campaign_segments()' => 'SELECT count(*) FROM offered, campaign_segments(segments)',
	'campaign_offers()' => 'SELECT count(*) FROM offered, campaign_offers(segments, 8, 0.1, 1)',
	'campaign_differences()' => 'SELECT count(*) FROM offered, campaign_differences(segments)',
	'check_book()' => q{SELECT length(check_book_send(check_book('m' || i % 9999, 'o' || i / 3, 'i' || i % 999, timestamptz '2026-01-01', i % 5, i % 77))) FROM (SELECT generate_series(1, 400000) AS i) g},
	'rollup(check_book)' => 'SELECT length(check_book_send(rollup(book))) FROM checked',
	'input of check_book' => q{SELECT length(check_book_send(book::check_book)) FROM checked_literal},
	'order_checks()' => 'SELECT count(*) FROM checked, order_checks(book)',
	'uplift_curves()' => 'SELECT count(*) FROM offered, uplift_curves(scores)',
	'uplift_points()' => 'SELECT count(*) FROM offered, uplift_points(scores)',
	'step_times()' => 'SELECT cardinality(step_times(f)) FROM deed_one WHERE n = 1',
	'longest_streak()' => 'SELECT longest_streak(a) FROM deed_one WHERE n = 1',
	'level()' => 'SELECT level(f) FROM deed_one WHERE n = 1',
	'period_list()' => 'SELECT cardinality(period_list(a)) FROM deed_one WHERE n = 1',
	'tier_history()' => q{SELECT count(*) FROM deed_one, tier_history(s, '2200-01-01', '{1000,500}', '{a,b,c}', '30 days', 'day', 'Europe/Berlin') WHERE n = 1},
	'tier_by_spend()' => q{SELECT tier_by_spend(s, '2200-01-01', '{1000,500}', '{a,b,c}', '30 days', 'day', 'Europe/Berlin') FROM deed_one WHERE n = 1},
	'tier_history() of all of time' => q{SELECT count(*) FROM (SELECT spend(t, 1) AS x FROM unnest('{4713-01-01 BC,2000-01-01,294276-12-31}'::timestamptz[]) t) s, tier_history(x, '294276-12-31', '{2,1}', '{a,b,c}', '178000000 years', 'day', 'UTC')},
	'tier_until()' => q{SELECT tier_until(s, '2200-01-01', '{1000,500}', '200000 years', 'day', 'Europe/Berlin') FROM deed_one WHERE n = 1},
	'spend_to_next()' => q{SELECT spend_to_next(s, '200000-01-01', '{100000000,50000000}', '1 second', 'day', 'Europe/Berlin') FROM deed_one WHERE n = 1},
	'input of behaviour' => 'SELECT member_count(money::retention_book) FROM deed_literal',
	'output of behaviour' => 'SELECT octet_length(money::text) + octet_length(funnels::text) FROM deed',
	'recv of behaviour' => "COPY copied_deed FROM '$deed_file' (FORMAT binary)",
	'tag_agg()' => q{SELECT length(tagbloom_send(tag_agg('tag ' || i))) FROM (SELECT generate_series(1, 1500000) AS i) g},
	'tag_agg() of groups' => q{SELECT sum(tag_count(t)) FROM (SELECT tag_agg('tag ' || i) AS t FROM (SELECT generate_series(1, 800000) AS i) g GROUP BY i % 20) s},
	'rollup(tagbloom)' => 'SELECT length(tagbloom_send(rollup(tags))) FROM tagged',
	'rollup(tagbloom) of filters' => 'SELECT length(tagbloom_send(rollup(tags))) FROM large, generate_series(1, 4)',
	'tags(text[])' => 'SELECT tag_count(tags(VARIADIC tags)) FROM tag_text',
	'tags(jsonb)' => 'SELECT tag_count(tags(json)) FROM tag_text',
	'tag_list()' => 'SELECT cardinality(tag_list(large.tags, tag_text.tags)) FROM large, tag_text WHERE n = 1',
	'tag_count()' => 'SELECT tag_count(tags) FROM large WHERE n = 1',
	'false_positive_rate()' => 'SELECT false_positive_rate(tags) FROM large WHERE n = 1',
	'|' => 'SELECT length(tagbloom_send(a.tags | b.tags)) FROM large a, large b',
	'@>' => 'SELECT a.tags @> b.tags FROM large a, large b',
	'the cast to tagbloom(n)' => 'SELECT length(tagbloom_send(tagbloom(tags, 1000 + 30000000 * i, true))) FROM large, generate_series(0, 1) i',
	'input of tagbloom' => 'SELECT tag_count(list::tagbloom) FROM tag_text',
	'input of a filter' => 'SELECT tag_count(tags::text::tagbloom) FROM large WHERE n = 1',
	'output of tagbloom' => 'SELECT sum(octet_length(tags::text)) FROM large',
	'a GIN build' => 'CREATE INDEX ON tagged USING gin (tags)',
	'ANALYZE' => 'SET LOCAL default_statistics_target = 500; ANALYZE tagged',
	'input of tagquery' => 'SELECT count(text::tagquery) FROM query, generate_series(1, 30)',
	'input of tagquery, of nots' => q{SELECT (repeat('!', 50000000) || 'vip')::tagquery},
	'input of tagquery, of parentheses' => q{SELECT count((repeat('(!', 65536) || 'vip' || n || repeat(')', 65536))::tagquery) FROM generate_series(1, 60) n},
	'output of tagquery' => 'SELECT sum(octet_length(q::text)) FROM (SELECT text::tagquery AS q FROM query OFFSET 0) q, generate_series(1, 30)',
	'tagquery_tree()' => 'SELECT sum(octet_length(tagquery_tree(q))) FROM (SELECT text::tagquery AS q FROM query OFFSET 0) q, generate_series(1, 30)',
	'@@' => 'SELECT count(*) FROM query, LATERAL (SELECT text::tagquery AS q OFFSET 0) q, tagged WHERE id < 5000 AND NOT (tags @@ q)',
	'pricebook()' => q{SELECT length(pricebook_summary_send(pricebook(i % 100, 'group ' || i % 3, i * 0.01))) FROM (SELECT generate_series(1, 500000) AS i) g},
	'pricebook() of periods' => q{SELECT length(pricebook_summary_send(pricebook('item ' || i / 9, date '2026-01-01' + i % 7, 'group ' || i % 90000, i % 31 + 0.99, i % 5 + 1))) FROM (SELECT generate_series(1, 300000) AS i) g},
	'rollup(pricebook_summary)' => 'SELECT rollup(b) IS NULL FROM (SELECT book AS b FROM crowd, generate_series(1, 2) WHERE name IN (\'both\', \'groups\')) b',
	'+ of pricebooks' => 'SELECT length(pricebook_summary_send(' . crowd('items') . ' + ' . crowd('items') . '))',
	'cell_count()' => 'SELECT cell_count(' . crowd('both') . ')',
	'price_gaps() of groups' => 'SELECT count(*) FROM price_gaps(' . crowd('groups') . q{, 'group 5')},
	'price_gaps() of prices' => 'SELECT count(*) FROM price_gaps(' . crowd('prices') . q{, 'group 1')},
	'price_gap_items()' => 'SELECT count(*) FROM price_gap_items(NULL::text, ' . crowd('items') . q{, 'group 1')},
	'price_gap_mix()' => 'SELECT count(*) FROM price_gap_mix(' . crowd('groups') . q{, 'group 5')},
	'fair_prices()' => 'SELECT count(*) FROM fair_prices(NULL::text, ' . crowd('items') . q{, 'group 1')},
	'input of pricebook_summary' => 'SELECT rows_skipped(prices::pricebook_summary) FROM price_literal',
	'output of pricebook_summary' => 'SELECT sum(octet_length(book::text)) FROM crowd',
	'recv of pricebook_summary' => "COPY copied_prices FROM '$price_file' (FORMAT binary)",
	'price_slope()' => q{SELECT length(price_slope_summary_send(price_slope('item ' || i / 5, date '2026-01-01' + i % 5, i * 0.01, i % 31 + 0.99))) FROM (SELECT generate_series(1, 400000) AS i) g},
	'rollup(price_slope_summary)' => 'SELECT length(price_slope_summary_send(rollup(slope))) FROM slope',
	'price_slopes()' => 'SELECT p.items FROM slope s, price_slopes(s.slope) p WHERE s.n = 1',
	'input of price_slope_summary' => 'SELECT rows_skipped(slope::price_slope_summary) FROM price_literal',
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
	'rfm_cuts_per_order(book)' => 'SELECT rfm_cuts_per_order(' . book('numbers') . ', 99)',
	'rfm_transitions()' => 'SELECT count(*) FROM rfm_transitions(' . book('numbers') . ', ' . book('backwards') . ')',
	'segments of 99 bins' => q{SELECT count(*) FROM rfm_segments((SELECT rfm_book(1, '2026-01-01', 1)), bins => 99, segments => (SELECT array_agg(ARRAY[(r * 10000 + f * 100 + m)::text, (m * 7 + f)::text])
		FROM generate_series(1, 99) r, generate_series(1, 99) f, generate_series(1, 99) m))},
	'rfm_cuts()' => q{SELECT rfm_cuts(r, 99) FROM (SELECT rfm('2026-01-01', 5) AS r OFFSET 0) x, (SELECT generate_series(1, 1000000) OFFSET 0) g},
	'input' => 'SELECT member_count(text::rfm_book) FROM literal',
	'output' => 'SELECT sum(octet_length(book::text)) FROM big',
	'recv' => "COPY copied FROM '$file' (FORMAT binary)",
	'tier() of float8' => q{SELECT count(t) FROM (SELECT tier(i::float8, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 1000000) AS i) g) x},
	'tier() of numeric' => q{SELECT count(t) FROM (SELECT tier(i::numeric * 1e25, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 400000) AS i) g) x},
	'tier_cuts()' => q{SELECT tier_cuts(i % 7, '{0.1,0.2}') FROM (SELECT generate_series(1, 2000000) AS i) g});
# custmart looks whether it is cancelled every 65536 steps.  What PostgreSQL does at once with a large
# value may take longer, but not half of the statement, nor as long as some millions of slow steps.
# What the kernel does meanwhile is counted, too, so what is too long has to be so three times; and PostgreSQL copies a
# large text several times, for which the kernel has to give as much memory each time.  That is measured: on a virtual
# machine it may take longer than all else.
my $copies = 10 * $node->safe_psql('postgres', 'SELECT avg(watch_memory()) FROM generate_series(1, 5)');
my $unit = $node->safe_psql('postgres', 'SELECT min(watch_unit()) FROM generate_series(1, 5)');
my $usual = 3 * $unit;
my $long = $usual;
note(sprintf 'long is %.1f ms, and copies of a large text take %.1f ms', $long * 1000, $copies * 1000);
for my $name (sort keys %slow)
{
	# Only input has a large text that is copied.
	my $copied = $name =~ /^input of/ ? $copies : 0;
	$long = max($usual, $copied);
	my ($total, $longest, @late);
	for (1 .. 3)
	{
		($total, $longest) = watched($slow{$name});
		last if $longest < min(max($total / 2, $copied, $unit), $long);
	}
	# Half of a statement that is over within the time of one look says nothing.
	cmp_ok($longest, '<', max($total / 2, $copied, $unit), "$name can be cancelled");
	cmp_ok($longest, '<', $long, "$name stops at once");
	for my $part (0.3, 0.75)
	{
		my $late;
		for (1 .. 3)
		{
			(undef, undef, $late) = watched($slow{$name}, $part * $total);
			last if $late < $long;
		}
		cmp_ok($late, '<', $long, "$name is cancelled at $part of its time");
		push @late, $late;
	}
	note(sprintf '%s: %.1f ms, %.1f ms of it at once (%.3f of it, %.3f of what is long), cancelled within %s ms', $name, $total * 1000, $longest * 1000, $longest / $total, $longest / $long, join ', ', map { sprintf '%.1f', $_ * 1000 } @late);
}

# Very long ones, too.
$long = $usual;
{
	my ($total, $longest, $late) = watched('SELECT count(*) FROM price_gap_items(NULL::bigint, ' . crowd('both') . q{, 'all others')}, 5 * $long);
	cmp_ok($longest, '<', $long, '100,000 groups and a million prices, item by item, can be cancelled');
	cmp_ok($late, '<', $long, 'and stop at once');
}

# Out of memory: from here on new sessions may have little more than they have
# from the start.  (What is refused here is what malloc would be refused on a
# machine without memory to spare.)
SKIP:
{
	# Two million members of 31 bytes each: a uuid, a first order at any time, money of any amount.
	$node->safe_psql(
		'postgres', q{
		CREATE TABLE large_book AS
		SELECT rfm_book(md5(i::text)::uuid, timestamptz '4000-01-01 00:00+00 BC' + i::bigint * 7919 % 3000000 * interval '1 day', i * 1e10) AS book FROM (SELECT generate_series(1, 2000000) AS i) g;
		INSERT INTO large_book TABLE large_book});
	my @large = map { "(SELECT book FROM large_book LIMIT 1 OFFSET $_)" } 0, 1;
	my ($postmaster) = PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $size = $node->safe_psql('postgres', q{SELECT memory('VmSize')});
	my $limit = ($size + 100) * 1024 * 1024;
	skip 'there is no prlimit to limit memory with', 1 if system("prlimit --pid $postmaster --as=$limit: >/dev/null 2>&1") != 0;

	my $memory = qr/ERROR:  53200: out of memory/;
	my %large = (
		'retention_book()' => q{SELECT member_count(retention_book(i, now(), 'day', 'UTC')) FROM (SELECT generate_series(1, 10000000::bigint) AS i) g},
		'retention_book_since()' => q{SELECT member_count(retention_book_since(i, now(), now(), 'day', 'UTC')) FROM (SELECT generate_series(1, 10000000::bigint) AS i) g},
		'retention_book() of one member' => q{SELECT member_count(retention_book(1, timestamptz '2026-01-01' + i * interval '1 second')) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'funnel_book()' => q{SELECT member_count(funnel_book('x', '1 day', timestamptz '2026-01-01' + i * interval '1 second', true)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'contact_book()' => q{SELECT member_count(contact_book(i, 'email', 'sent', timestamptz '2026-01-01' + i * interval '1 second')) FROM (SELECT generate_series(1, 10000000::bigint) AS i) g},
		'contact_trail()' => q{SELECT contacts_within(contact_trail('email', 'sent', timestamptz '2026-01-01' + i * interval '1 second'), NULL, '1 day') FROM (SELECT generate_series(1, 10000000) AS i) g},
		'funnel()' => q{SELECT level(funnel('1 day', timestamptz '2026-01-01' + i * interval '1 second', true)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'points() of wide amounts' => q{SELECT length(points_summary_send(points(timestamptz '2026-01-01' + i * interval '1 second', (i % 2 * 2 - 1) * i * 1e25))) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'spend() of wide amounts' => q{SELECT length(spend_summary_send(spend(timestamptz '2026-01-01' + i * interval '1 second', i * 1e25))) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rollup(funnel_book)' => q{SELECT member_count(rollup(f + f)) FROM ten_million},
		'day_retention()' => q{SELECT count(*) FROM day_retention((SELECT retention_book(1, now())), last_day => 16777215)},
		'cohort_retention()' => q{SELECT count(*) FROM cohort_retention((SELECT retention_book(1, '2000-01-01', 1, 'day', 'UTC')), '40000-01-01')},
		'pricebook()' => q{SELECT cell_count(pricebook(i, 'g', i)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'pricebook() of wide numbers' => q{SELECT cell_count(pricebook(1, '2026-01-01', 'g', i * 1e25, i * 1e25)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'pricebook() of groups' => q{SELECT cell_count(pricebook(1, 'group ' || i, 1)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'pricebook() of long items' => q{SELECT cell_count(pricebook(repeat('i', 30000000) || i, 'g', 1)) FROM (SELECT generate_series(1, 10) AS i) g},
		'rollup(pricebook_summary)' => 'SELECT cell_count(rollup(book)) FROM crowd WHERE name IN (\'groups\', \'both\')',
		'price_gaps()' => 'SELECT count(*) FROM price_gaps(' . crowd('groups') . q{, 'group 5')},
		'price_gap_items()' => 'SELECT count(*) FROM price_gap_items(NULL::bigint, ' . crowd('groups') . q{, 'group 5')},
		'output of pricebook_summary' => 'SELECT sum(octet_length(string_agg)) FROM (SELECT string_agg(book::text, \',\') FROM crowd) x',
		'campaign_book()' => q{SELECT rows_skipped(campaign_book(i, true, 1)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'check_book()' => q{SELECT length(check_book_send(check_book('m' || i, 'o' || i, 'i', timestamptz '2026-01-01', i, 1))) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'campaign_segments()' => 'SELECT count(*) FROM offered, campaign_segments(alone)',
		'preference_book()' => q{SELECT member_count(preference_book(i, 'x', 1)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'basket_book()' => q{SELECT basket_count(basket_book(i, i)) FROM (SELECT generate_series(1, 10000000::bigint) AS i) g},
		'basket_book() of one' => q{SELECT length(basket_book_send(basket_book(1, i))) FROM (SELECT generate_series(1, 30000000::bigint) AS i) g},
		'item_affinities()' => 'SELECT count(*) FROM (SELECT basket_book(i % 2000, (hashint8(i) & 16383)::bigint) AS b FROM (SELECT generate_series(1, 500000::bigint) AS i) g) x, item_affinities(b, 1, NULL)',
		'forget()' => 'SELECT length(rfm_book_send(forget(book, md5(\'1\')::uuid))) FROM large_book',
		'audience_book()' => q{SELECT member_count(audience_book(i, i, true)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'price_slope()' => q{SELECT rows_skipped(price_slope(i, '2026-01-01', 1, 1)) FROM (SELECT generate_series(1, 10000000) AS i) g},
		'rollup(price_slope_summary)' => 'SELECT rows_skipped(rollup(slope)) FROM (SELECT slope FROM slope UNION ALL SELECT price_slope(-i, date \'2026-01-01\', 1, 1) FROM (SELECT generate_series(1, 600000) AS i) g) x',
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
		'rollup()' => 'SELECT member_count(rollup(book)) FROM large_book',
		'=' => "SELECT $large[0] = $large[1]",
		'+' => "SELECT member_count($large[0] + $large[1])",
		'output' => 'SELECT sum(octet_length(book::text)) FROM large_book',
		'rfm_cuts()' => q{SELECT rfm_cuts(r, 99) FROM (SELECT rfm('2026-01-01', 5) AS r OFFSET 0) x, (SELECT generate_series(1, 10000000) OFFSET 0) g},
		'tier_cuts()' => q{SELECT tier_cuts(i % 7, '{0.1,0.2}') FROM (SELECT generate_series(1, 30000000) AS i) g},
		'tier() of numeric' => q{SELECT count(t) FROM (SELECT tier(i::numeric * 1e25, '{0.1,0.2}', '{a,b,c}') OVER () AS t FROM (SELECT generate_series(1, 4000000) AS i) g) x});
	for my $name (sort keys %large)
	{
		$session = Session->new($node);
		fails($large{$name}, $memory, "$name without memory");
	}
	is($node->safe_psql('postgres', q{SELECT member_count(rfm_book(i::bigint, timestamptz '2026-01-01', i)) FROM (SELECT generate_series(1, 100000) AS i) g}),
		100000, 'smaller ones still work');
	system("prlimit --pid $postmaster --as=unlimited: >/dev/null 2>&1");
}

undef $session;

# Nothing was lost on the way.
is( $node->safe_psql('postgres', "SELECT name, member_count(book) FROM big ORDER BY name"),
	"backwards|1500000\nlines|300000\nnumbers|1500000", 'the books are still there');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server is the one that was started');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'and none of its processes crashed');

$node->stop;
done_testing();
