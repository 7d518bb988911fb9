# Databases of other encodings and collations, and roles that may read little: the same bytes and the same rows
# everywhere, names in the database's own encoding, and nothing that a role may not see.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('databases');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;

# ---------- encodings and collations ----------

my $fill = q{
	CREATE EXTENSION custmart;
	CREATE TABLE orders AS
	SELECT n AS id, (ARRAY['a', 'A', 'aa', 'b', 'B', 'I', 'i', 'z-1', 'z 1', 'z1'])[1 + n % 10] || n % 13 AS customer, n % 3 AS store, (ARRAY['ch', 'cz', 'd', 'll'])[1 + n % 4] AS item,
	       timestamptz '2026-01-01 00:00+00' + n * 7919 % 3600 * interval '1 hour' AS at, ((n * 37 % 101) / 4.0)::numeric(10, 2) AS amount FROM generate_series(1, 600) n;
};
# Stored bytes do not depend on the collation, and neither do the order and the rows of reports.
my $bytes = q{
	SET timezone = 'UTC';
	SELECT md5(rfm_book_send(rfm_book(customer, at, amount))) FROM orders;
	SELECT md5(tagbloom_send(tag_agg(customer))) FROM orders;
	SELECT md5(pricebook_summary_send(pricebook(item, store::text, amount))) FROM orders;
	SELECT md5(retention_book_send(retention_book(customer, at, 'month', 'Europe/Berlin'))) FROM orders;
	SELECT md5(campaign_book_send(campaign_book(item, store > 0, amount))) FROM orders;
	SELECT md5(contact_book_send(contact_book(customer, item, 'sent', at))) FROM orders;
	SELECT md5(preference_book_send(preference_book(customer, item, amount))) FROM orders;
	SELECT md5(check_book_send(check_book(customer, item, store::text, at, amount, 1))) FROM orders;
	SELECT md5(string_agg(m::text, ',')) FROM (SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders) m;
	SELECT md5(string_agg(g::text, ',')) FROM (SELECT (price_gap_items(NULL::text, pricebook(item, store::text, amount), '0')).* FROM orders) g;
	SELECT md5(string_agg(s::text, ',')) FROM (SELECT (campaign_segments(campaign_book(item, store > 0, amount))).* FROM orders) s;
	SELECT md5(string_agg(p::text, ',')) FROM (SELECT (member_preferences(NULL::text, preference_book(customer, item, amount))).* FROM orders) p;
	SELECT count(*) FROM orders WHERE tags(customer, item) @@ 'I5 | i6 | (ch & !a0)';
};
my %database = (
	plain => "ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0",
	latin => "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
	japanese => "ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0",
	any_bytes => "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
	czech => "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'cs' TEMPLATE template0",
	turkish => "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr' TEMPLATE template0");
# A name that is not ASCII, as the encoding writes it: its bytes are those of the key.
my %name = (plain => 'e697a5e69cac', latin => 'c6726f', japanese => 'c6fccbdc', any_bytes => 'ff80fe', czech => '636868c48d', turkish => 'c4b069c4b1');
my $expected;
for my $name ('plain', sort grep { $_ ne 'plain' } keys %database)
{
	SKIP:
	{
		my ($encoding) = $database{$name} =~ /ENCODING '(\w+)'/;
		my ($status, undef, $err) = $node->psql('postgres', "CREATE DATABASE $name $database{$name}");
		skip "no such database can be made: $err", 4 if $status != 0;
		is(($node->psql($name, $fill, on_error_stop => 1))[2], '', "$name: installed");
		my $is = $node->safe_psql($name, $bytes);
		$expected //= $is;
		is($is, $expected, "$name: the same bytes and rows as everywhere");
		# Escapes write the bytes of a text, whatever its encoding; a book's bytes show them.
		my $text = join '', map { "\\x$_" } $name{$name} =~ /../g;
		is( $node->safe_psql($name, "SET client_encoding = $encoding; SELECT position('\\x$name{$name}' IN rfm_book_send(b)) > 0, m.member = E'$text', m.frequency, b = b::text::rfm_book FROM (SELECT rfm_book(E'$text', at, amount) AS b FROM orders) x, rfm_members(NULL::text, b) m"),
			't|t|600|t', "$name: a name is kept byte for byte");
		is($node->safe_psql($name, q{SELECT count(*) FROM (SELECT (order_checks(check_book(customer, id::text, item, at, 1, amount))).* FROM orders) c}) > 10, 1, "$name: a report of texts");
	}
}

# ---------- columns and rows that a role may not read ----------

$node->safe_psql('plain', q{
	CREATE ROLE analyst LOGIN; CREATE ROLE branch LOGIN;
	GRANT SELECT (customer, at, amount) ON orders TO analyst;
	GRANT SELECT ON orders TO branch;
	ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON orders TO branch USING (store = 1);
	CREATE POLICY every ON orders TO analyst USING (true);
	CREATE VIEW everybody AS SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders;
	CREATE VIEW invoker WITH (security_invoker = true) AS SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders;
	GRANT SELECT ON everybody, invoker TO branch;
});
sub as_user
{
	my ($user, $sql) = @_;
	my ($status, $out, $err) = $node->psql('plain', $sql, on_error_stop => 1, extra_params => [ '--username', $user ]);
	return $status == 0 ? $out : $err;
}
is(as_user('analyst', 'SELECT count(*) FROM (SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders) m'), $node->safe_psql('plain', 'SELECT count(DISTINCT customer) FROM orders'), 'three columns are enough for a book');
like(as_user('analyst', 'SELECT (preference_book(customer, item, amount)) IS NULL FROM orders'), qr/permission denied for table orders/, 'another column is refused');
my $own = $node->safe_psql('plain', q{SELECT sum(frequency), sum(monetary) FROM (SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders WHERE store = 1) m});
is(as_user('branch', 'SELECT sum(frequency), sum(monetary) FROM (SELECT (rfm_members(NULL::text, rfm_book(customer, at, amount))).* FROM orders) m'), $own, 'a book is of those rows that its maker may see');
is(as_user('branch', 'SELECT sum(frequency), sum(monetary) FROM invoker'), $own, 'so is a view with the rights of who reads it');
isnt(as_user('branch', 'SELECT sum(frequency), sum(monetary) FROM everybody'), $own, 'another view has the rights of its owner');
# A condition that could tell of hidden rows, by an error of its own, is applied behind the policy.
is(as_user('branch', q{SELECT count(*) FROM orders WHERE tags(customer) @@ (CASE WHEN store = 1 THEN 'a0 | !a0' ELSE '(' END)::tagquery}), $node->safe_psql('plain', 'SELECT count(*) FROM orders WHERE store = 1'), 'conditions are not tried on hidden rows');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' WHERE proleakproof OR prosecdef}), '0', 'no function may be pushed below a policy, or runs with the rights of another');

$node->stop;
done_testing();
