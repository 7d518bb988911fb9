# Checks of a table of orders: nothing is found in a clean table; a fault that is put into it is found, all of
# it, by its own check, and nothing else is; books are the same byte by byte in any order, in parts, in
# parallel workers and after a dump.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('checks');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'Australia/Lord_Howe'\nmax_parallel_workers = 4\nfsync = off\n");
$node->start;

# A year of a shop that is closed on Sundays: 6,000 orders of two lines, 800 members, 60 items at prices near their own.
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE TABLE clean (id int PRIMARY KEY, member text, order_id text, item text, at timestamptz, quantity numeric(9), price numeric(12, 2), currency text);
	INSERT INTO clean
	SELECT i, 'c' || 1000 + abs(hashint4(n)::bigint) % 800, 'R' || 100000 + n, 20000 + (abs(hashint4(n + 7)::bigint) + i % 2) % 60,
	       timestamptz '2025-01-06 08:00Z' + (day + day / 6) * interval '1 day' + n % 19 * interval '30 minutes', 1 + abs(hashint4(i + 1)::bigint) % 4,
	       5 + (abs(hashint4(n + 7)::bigint) + i % 2) % 60 + abs(hashint4(i + 2)::bigint) % 5 * 0.25, 'EUR'
	  FROM generate_series(1, 12000) i, LATERAL (SELECT (i + 1) / 2 AS n) o, LATERAL (SELECT n * 312 / 6001 AS day) d});

my $columns = 'member, order_id, item, at, quantity, price, currency';
my $as_of = "timestamptz '2026-02-01'";

# What is found: names and rows; those of refunds, which are no fault, too.
sub found
{
	my ($table) = @_;
	return $node->safe_psql('postgres', qq{SELECT string_agg(check_name || ' ' || rows, ', ') FROM order_checks((SELECT check_book($columns) FROM $table), $as_of, columns => '{$columns}') WHERE rows > 0});
}
is(found('clean'), '', 'nothing is found in a clean table');
is( $node->safe_psql('postgres', qq{SELECT count(*), count(*) FILTER (WHERE severity = 'ok' AND filter IS NULL AND (effect IS NULL OR check_name = 'day_month_swap')) FROM order_checks((SELECT check_book($columns) FROM clean), $as_of)}),
	'21|21', 'and it says so for every check');

# A fault each: statements that put it in, what must be found.  Rows 100, 200 ... are spread over the table.
my @faults = (
	[ 'no member', q{UPDATE faulty SET member = NULL WHERE id % 500 = 0}, 'no_member 24' ],
	[ 'a member of blanks', q{UPDATE faulty SET member = '  ' WHERE id % 500 IN (1, 2)}, 'no_member 48' ],
	[ 'guests', q{UPDATE faulty SET member = 'GUEST' WHERE id % 500 IN (1, 2)}, 'no_member 48' ],
	[ 'guests with a vertical tab, beside ids that end in v', q{UPDATE faulty SET member = E'guest\x0b' WHERE id % 500 IN (1, 2); UPDATE faulty SET member = 'guestv' WHERE id % 500 IN (3, 4); UPDATE faulty SET member = 'v0' WHERE id % 500 IN (5, 6)}, 'no_member 48' ],
	[ 'one number for all guests', q{UPDATE faulty SET member = 'c77' WHERE (id + 1) / 2 % 9 = 0}, 'dominant_member 1332' ],
	[ 'half a day loaded twice', q{INSERT INTO faulty SELECT id + 1000000, member, order_id, item, at, quantity, price, currency FROM clean WHERE id BETWEEN 5001 AND 5020}, 'duplicate_row 20' ],
	[ 'the same row five times', q{INSERT INTO faulty SELECT id + g * 1000000, member, order_id, item, at, quantity, price, currency FROM clean, generate_series(1, 4) g WHERE id = 77}, 'duplicate_row 4' ],
	[ 'a number of an order given twice', q{UPDATE faulty SET order_id = 'R100101', at = (SELECT at FROM clean WHERE id = 201) WHERE id IN (203, 204)}, 'order_two_members 4' ],
	[ 'lines at different times', q{UPDATE faulty SET at = at + interval '1 second' WHERE id IN (1000, 2000, 3000)}, 'order_two_times 6' ],
	[ 'the future', q{UPDATE faulty SET at = '2026-02-20 12:00Z' WHERE id IN (11999, 12000)}, qr/^after_as_of 2, gap \d+$/ ],
	[ 'the epoch', q{UPDATE faulty SET at = '1970-01-01 00:00Z' WHERE id IN (4001, 4002)}, 'placeholder_date 2' ],
	[ 'the end of time', q{UPDATE faulty SET at = '9999-12-31' WHERE id IN (4001, 4002)}, 'placeholder_date 2' ],
	[ 'infinity', q{UPDATE faulty SET at = 'infinity' WHERE id IN (4001, 4002)}, 'placeholder_date 2' ],
	[ 'a day and a month exchanged', q{UPDATE faulty SET at = make_timestamptz(2025, 3, 10, 12, 0, 0, 'UTC') WHERE order_id IN (SELECT order_id FROM clean WHERE (at AT TIME ZONE 'UTC')::date = '2025-10-03' ORDER BY 1 LIMIT 4)}, 'day_month_swap 4' ],
	[ 'a lost day', q{DELETE FROM faulty WHERE (at AT TIME ZONE 'UTC')::date = '2025-05-15'}, 'gap 1' ],
	[ 'a lost fortnight', q{DELETE FROM faulty WHERE (at AT TIME ZONE 'UTC')::date BETWEEN '2025-05-12' AND '2025-05-25'}, 'gap 12' ],
	[ 'a negative price', q{UPDATE faulty SET price = -price WHERE id = 600}, 'negative_price 1' ],
	[ 'no price', q{UPDATE faulty SET price = 0 WHERE id % 300 = 0}, 'zero_price 40' ],
	[ 'a price of another item', q{UPDATE faulty SET price = price * 17 WHERE id IN (700, 1700)}, 'price_outlier 2' ],
	[ 'a price in cents', q{UPDATE faulty SET price = 10 * (5 + (item::int - 20000)) WHERE id IN (SELECT min(id) FROM clean WHERE item IN ('20030', '20040') AND price = 5.50 + item::int - 20000 GROUP BY item)}, '' ],
	[ 'a point one digit off', q{UPDATE faulty SET price = 10 * (5.50 + (item::int - 20000)) WHERE id IN (SELECT min(id) FROM clean WHERE item IN ('20030', '20040') GROUP BY item)}, 'price_outlier 2, decimal_slip 2' ],
	[ 'a point two digits off', q{UPDATE faulty SET price = 100 * (5.50 + (item::int - 20000)) WHERE id IN (SELECT min(id) FROM clean WHERE item IN ('20030', '20040') GROUP BY item)}, 'price_outlier 2, decimal_slip 2' ],
	[ 'a slip of the finger, taken back', q{UPDATE faulty SET quantity = 9999 WHERE id = 801; INSERT INTO faulty SELECT 1000000, member, 'R200001', item, at + interval '20 minutes', -9999, price, currency FROM clean WHERE id = 801}, 'huge_reversal 1, refund 1' ],
	[ 'such a slip in an order without a number, beside one with a number', q{UPDATE faulty SET quantity = 9999, order_id = NULL WHERE id = 801; INSERT INTO faulty SELECT 1000000, member, 'R200001', item, at + interval '20 minutes', -9999, price, currency FROM clean WHERE id = 801; INSERT INTO faulty SELECT 1000001, 'c1000', 'R200002', item, at, 9999, price, currency FROM clean WHERE id = 801}, 'huge_reversal 1, refund 1' ],
	[ 'a refund', q{INSERT INTO faulty SELECT 1000000, member, 'R200001', item, at + interval '20 minutes', -quantity, price, currency FROM clean WHERE id = 801}, 'refund 1' ],
	[ 'an item in lower case', q{UPDATE faulty SET item = 'x' || item WHERE item IN ('20007', '20008'); UPDATE faulty SET item = upper(item) WHERE id IN (SELECT min(id) FROM faulty WHERE item ~ 'x' GROUP BY item)}, qr/^item_variant \d+$/ ],
	[ 'a blank behind a member', q{UPDATE faulty SET member = member || ' ' WHERE id IN (901, 902)}, qr/^member_variant \d+$/ ],
	[ 'a vertical tab behind members, beside ids that end in v', q{UPDATE faulty SET member = 'k1' || CASE WHEN id % 20 < 3 THEN E'\x0b' ELSE '' END WHERE id BETWEEN 901 AND 904; UPDATE faulty SET member = CASE WHEN id % 20 < 7 THEN 'k2v' ELSE 'k2' END WHERE id BETWEEN 905 AND 908}, 'member_variant 4' ],
	[ 'postage', q{UPDATE faulty SET item = 'POST' WHERE id % 200 = 0}, 'rare_item_shape 60' ],
	[ 'a spreadsheet', q{UPDATE faulty SET order_id = '1.00101e+15' WHERE id IN (3001, 3002)}, 'scientific_id 2' ],
	[ 'a test order', q{UPDATE faulty SET order_id = 'Test 1' WHERE id IN (3001, 3002)}, 'test_row 2' ],
	[ 'a dummy', q{UPDATE faulty SET member = 'dummy-9' WHERE id IN (3001, 3002)}, 'test_row 2' ],
	[ 'another currency', q{UPDATE faulty SET currency = 'CHF' WHERE id IN (3001, 3002)}, 'mixed_currency 2' ],
	[ 'NULL where nothing is checked', q{UPDATE faulty SET price = NULL WHERE id = 5; UPDATE faulty SET quantity = NULL WHERE id = 7; UPDATE faulty SET item = NULL WHERE id = 9; UPDATE faulty SET currency = NULL WHERE id = 11; UPDATE faulty SET at = NULL WHERE id IN (13, 14)}, '' ]);
$node->safe_psql('postgres', q{
	CREATE TABLE faulty (LIKE clean);
	-- The rows that the filter of each check leaves out, where it is not as many as the check has found.
	CREATE FUNCTION wrong_filters() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
	  r record;
	  n bigint;
	  wrong text := '';
	BEGIN
	  FOR r IN SELECT * FROM order_checks((SELECT check_book(member, order_id, item, at, quantity, price, currency) FROM faulty), timestamptz '2026-02-01', columns => '{member,order_id,item,at,quantity,price,currency}') WHERE rows > 0 LOOP
	    IF r.filter IS NULL THEN
	      CONTINUE WHEN r.check_name = 'gap';
	      wrong := wrong || r.check_name || ' has none; ';
	    ELSE
	      EXECUTE format('SELECT count(*) FROM (SELECT (%s) AS keep FROM faulty) s WHERE keep IS NOT TRUE', r.filter) INTO n;
	      IF n <> r.rows THEN
	        wrong := wrong || r.check_name || ' ' || n || '; ';
	      END IF;
	    END IF;
	  END LOOP;
	  RETURN wrong;
	END $$});
for (@faults)
{
	my ($name, $put, $expected) = @$_;
	$node->safe_psql('postgres', "TRUNCATE faulty; INSERT INTO faulty TABLE clean; $put");
	my $found = found('faulty');
	ref $expected ? like($found, $expected, $name) : is($found, $expected, $name);
	is($node->safe_psql('postgres', 'SELECT wrong_filters()'), '', "$name: the filter leaves out these rows") if $found ne '';
}

# Where a sale of another member looks the same, a filter without members would leave out both.
$node->safe_psql('postgres', q{
	TRUNCATE faulty; INSERT INTO faulty TABLE clean;
	UPDATE faulty SET quantity = 9999 WHERE id = 801;
	INSERT INTO faulty SELECT 1000000, member, 'R200001', item, at + interval '20 minutes', -9999, price, currency FROM clean WHERE id = 801;
	INSERT INTO faulty SELECT 1000001, 'c1000', order_id, item, at, 9999, price, currency FROM clean WHERE id = 801});
is(found('faulty'), 'order_two_members 3, huge_reversal 1, refund 1', 'a slip taken back, and the same sale to another member');
is($node->safe_psql('postgres', 'SELECT wrong_filters()'), 'huge_reversal has none; ', 'no filter rather than one that leaves out both');

# A table with everything in it, for all that follows.
$node->safe_psql('postgres', q{
	TRUNCATE faulty; INSERT INTO faulty TABLE clean;
	ALTER TABLE faulty ALTER price TYPE numeric;
	UPDATE faulty SET price = price * 1e20 WHERE id % 999 = 0;
	UPDATE faulty SET order_id = NULL WHERE id % 97 = 0;
	UPDATE faulty SET member = NULL WHERE id % 89 = 0;
	UPDATE faulty SET item = NULL, at = NULL WHERE id % 83 = 0;
	UPDATE faulty SET quantity = -quantity, currency = 'USD' WHERE id % 79 = 0;
	UPDATE faulty SET order_id = 'R' || id % 7 WHERE id % 5 = 0;
	INSERT INTO faulty SELECT id + 100000, member, order_id, item, at, quantity, price, currency FROM faulty WHERE id % 9 = 0;
	ANALYZE faulty});
my $whole = $node->safe_psql('postgres', "SELECT md5(check_book_send(check_book($columns))) FROM faulty");
my $report = $node->safe_psql('postgres', "SELECT string_agg(r::text, E'\\n') FROM order_checks((SELECT check_book($columns) FROM faulty)) r");
for my $order ('id DESC', 'md5(id::text)', 'price, item', 'member NULLS FIRST, quantity', 'item, at DESC')
{
	is($node->safe_psql('postgres', "SELECT md5(check_book_send(check_book($columns ORDER BY $order))) FROM faulty"), $whole, "ordered by $order");
}
for my $split ('id % 2', 'id % 63', 'order_id', 'member', 'id', 'at::date', '(id < 5)::int', 'price')
{
	my $parts = "SELECT check_book($columns) AS b FROM faulty GROUP BY $split";
	is($node->safe_psql('postgres', "SELECT md5(check_book_send(rollup(b))) FROM ($parts) p"), $whole, "rolled up, by $split");
	is($node->safe_psql('postgres', "SELECT md5(check_book_send(rollup(b::text::check_book ORDER BY md5(b::text)))) FROM ($parts) p"), $whole, "stored, and rolled up in another order, by $split")
	  if $split ne 'id';
}
is( $node->safe_psql('postgres', "SELECT md5(check_book_send(a + b)), md5(check_book_send(b + a)) FROM (SELECT check_book($columns) FILTER (WHERE id % 3 = 0) AS a, check_book($columns) FILTER (WHERE id % 3 > 0) AS b FROM faulty) s"),
	"$whole|$whole", 'added, either way');
for my $workers (1, 2, 3)
{
	my $settings = "SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = $workers; ALTER TABLE faulty SET (parallel_workers = $workers)";
	my $query = "SELECT md5(check_book_send(check_book($columns))) FROM faulty";
	like($node->safe_psql('postgres', "$settings; EXPLAIN (COSTS off) $query"), qr/Partial Aggregate/, "$workers workers: the plan is parallel");
	is($node->safe_psql('postgres', "$settings; $query"), $whole, "$workers workers: the same bytes");
}

# Dump and restore, as text and with COPY in both formats.
$node->safe_psql('postgres', "CREATE TABLE kept AS SELECT check_book($columns) AS book FROM faulty; CREATE DATABASE restored");
my $dump = $node->data_dir . '/kept.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-t', 'kept', '--extension', 'custmart', '-f', $dump ], 'pg_dump');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
is($node->safe_psql('restored', 'SELECT md5(check_book_send(book)) FROM kept'), $whole, 'the same bytes after it');
is($node->safe_psql('restored', "SELECT string_agg(r::text, E'\\n') FROM kept, order_checks(book) r"), $report, 'and the same report');
$node->safe_psql('restored', "COPY kept TO '$dump.$_' (FORMAT $_); COPY kept FROM '$dump.$_' (FORMAT $_)") for qw(binary text csv);
is($node->safe_psql('restored', 'SELECT DISTINCT md5(check_book_send(book)) FROM kept'), $whole, 'COPY, in all formats');

# The table becomes a part after four million rows; what comes of it is what comes of its parts.
is( $node->safe_psql('postgres', q{
	SELECT check_book('m' || i % 100000, 'o' || i / 2, 'i' || i % 3000, timestamptz '2026-01-01' + i * interval '1 second', i % 5, i % 7) = (SELECT rollup(b) FROM (
	         SELECT check_book('m' || i % 100000, 'o' || i / 2, 'i' || i % 3000, timestamptz '2026-01-01' + i * interval '1 second', i % 5, i % 7) AS b FROM generate_series(1, 4500000) i GROUP BY i / 1500000) p)
	  FROM generate_series(1, 4500000) i}),
	't', 'millions of rows');

done_testing();
