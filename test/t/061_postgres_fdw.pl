# docs/distributed.md, word for word: partitions on two other servers are aggregated there, and their books merged here.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = PostgreSQL::Test::Utils::slurp_file(dirname(__FILE__) . '/../../docs/distributed.md');
my ($frame, $query, $tags) = $page =~ /^```postgresql\n(.*?)^```/msg;
ok($tags, 'the page has its three blocks') or BAIL_OUT('docs/distributed.md is not as this test expects it');

my %node;
for my $name ('north', 'south', 'here')
{
	$node{$name} = PostgreSQL::Test::Cluster->new($name);
	$node{$name}->init;
	$node{$name}->append_conf('postgresql.conf', "jit = off\n");
	$node{$name}->start;
	$node{$name}->safe_psql('postgres', 'CREATE DATABASE shop');
	$node{$name}->safe_psql('shop', 'CREATE EXTENSION custmart');
	next if $name eq 'here';
	# Every member bought in both stores; times do not depend on the zone of a server.
	$node{$name}->safe_psql('shop', qq{
		ALTER DATABASE shop SET timezone = 'Asia/Tokyo';
		CREATE TABLE orders AS SELECT '$name'::text AS store, n % 997 AS customer_id, timestamptz '2026-01-01 00:00+00' + n * interval '11 minutes' AS ordered_at, (n % 101 - 5)::numeric / 4 AS amount
		FROM generate_series(1, 20000::bigint) n WHERE n % 2 = @{[ $name eq 'north' ? 0 : 1 ]};
		CREATE TABLE member_tags AS SELECT n AS member, tags(CASE WHEN n % 3 = 0 THEN 'vip' ELSE 'member' END, CASE WHEN n % 2 = 0 THEN 'lapsed' ELSE 'active' END) AS tags FROM generate_series(1, 600) n; ANALYZE});
}
# The other servers are beside this one, and trust whoever comes.
my $user = $node{here}->safe_psql('postgres', 'SELECT current_user');
for my $name ('north', 'south')
{
	my ($host, $port) = ($node{$name}->host, $node{$name}->port);
	$frame =~ s/host '$name\.example\.org'/host '$host', port '$port'/ or BAIL_OUT("no server $name in the page");
}
$frame =~ s/user 'analyst', password 'secret'/user '$user'/g;
my $here = $node{here};
$here->safe_psql('shop', $frame);

my $plain = $here->safe_psql('shop', q{SELECT string_agg(s::text, ',' ORDER BY s::text COLLATE "C") FROM (SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount))).* FROM (SELECT * FROM all_orders OFFSET 0) o) s});
my $wrapped = $query =~ s/(SELECT \(rfm.*);/SELECT string_agg(s::text, ',' ORDER BY s::text COLLATE "C") FROM ($1) s;/sr;
is($here->safe_psql('shop', $wrapped), $plain, 'the merged books give what one table gives');
cmp_ok(length $plain, '>', 200, 'which is something');
my $plan = $here->safe_psql('shop', $query =~ s/SELECT \(/EXPLAIN (VERBOSE, COSTS off) SELECT (/r);
is(scalar(() = $plan =~ /Remote SQL: SELECT .*rfm_book\(/g), 2, 'the aggregate is in the remote SQL of both servers') or diag $plan;
unlike($plan, qr/Remote SQL: SELECT (?:store, )?customer_id/, 'and rows do not travel');
is( $here->safe_psql('shop', q{SELECT count(DISTINCT member), sum(frequency) FROM (SELECT (rfm_members(rollup(book))).* FROM (SELECT store, rfm_book(customer_id, ordered_at, amount) AS book FROM all_orders GROUP BY store) s) m}),
	$here->safe_psql('shop', 'SELECT count(DISTINCT customer_id), count(*) FILTER (WHERE amount >= 0) FROM all_orders'), 'a member of both stores is one member');

$here->safe_psql('shop', "CREATE FOREIGN TABLE member_tags (member int, tags tagbloom) SERVER north OPTIONS (table_name 'member_tags')");
is($here->safe_psql('shop', $tags), $node{north}->safe_psql('shop', q{SELECT count(*) FROM member_tags WHERE tags ? 'vip' AND NOT tags ? 'lapsed'}), 'a query of tags over a foreign table');
like($here->safe_psql('shop', "EXPLAIN (VERBOSE, COSTS off) $tags"), qr/Remote SQL: .*OPERATOR\(public\.\@\@\)/, 'is answered there');
unlike($here->safe_psql('shop', q{EXPLAIN (VERBOSE, COSTS off) SELECT count(*) FROM member_tags WHERE tags ? 'vip'}), qr/Remote SQL: .*WHERE/, 'the operator ? is not, as the page says');

$_->stop for values %node;
done_testing();
