# The recipe of docs/referral.md, as it is written there, on random referrals against a count by walking up from every member;
# and its errors.
#
# One release is enough (test/run): the recipe is plain SQL.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = PostgreSQL::Test::Utils::slurp_file(dirname(__FILE__) . '/../../docs/referral.md');
my @blocks = $text =~ /^```sql\n(.*?)^```$/gms;
my ($table) = grep { /^CREATE TABLE referrals / } @blocks;
my @views = map { /^(CREATE (?:VIEW|FUNCTION).*?;\n)(?=\n(?:SELECT|CREATE)|\z)/gms } @blocks;
my ($earliest) = "@blocks" =~ /(INSERT INTO referrals\n.*?;)/s;
is(scalar(@views), 4, 'the recipe has three views and a function');

my $node = PostgreSQL::Test::Cluster->new('referral');
$node->init;
$node->start;
$node->safe_psql('postgres', join "\n", 'CREATE TABLE orders (customer_id bigint, amount numeric);',
	'CREATE TABLE referral_log (member bigint, referrer bigint, referred_at timestamptz);', $table, @views);

sub fails
{
	my ($sql, $message, $name) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql);
	return like($err, $message, $name);
}

# Money is in cents, so that Perl is exact.  Shapes: few referrals, many, a chain, a star.
srand(18);
my $n = 300;
for my $shape ('few', 'many', 'chain', 'star', 'none')
{
	my (%referrer, %cents, @row, %expected);
	for my $member (2 .. $n)
	{
		next if $shape eq 'none' || ($shape eq 'few' && rand() > 0.3);
		# Numbers say nothing of who was there before.
		my $above = $shape eq 'chain' ? $member - 1 : $shape eq 'star' ? 1 : 1 + int(rand($member - 1));
		$referrer{ $member * 7919 % 1009 } = $above * 7919 % 1009;
	}
	my @order = map { [ (1 + int(rand($n))) * 7919 % 1009, int(rand(10000)) - 1500 ] } 1 .. 1000;
	$cents{ $_->[0] } += $_->[1] for @order;
	for my $member (keys %referrer)
	{
		my $depth = 1;
		for (my $above = $referrer{$member}; defined $above; $above = $referrer{$above}, $depth++)
		{
			my $e = $expected{$above} //= [ (0) x 5 ];
			my $cents = $cents{$member} // 0;
			$e->[0]++ if $depth == 1;
			$e->[1]++;
			$e->[2] += $cents if $depth == 1;
			$e->[3] += $cents;
			$e->[4] = $depth if $depth > $e->[4];
		}
	}
	my $script = "TRUNCATE orders, referrals;\n";
	$script .= "INSERT INTO orders VALUES ($_->[0], $_->[1] / 100.0);\n" for @order;
	$script .= "INSERT INTO referrals VALUES ($_, $referrer{$_}, '2026-01-01');\n" for keys %referrer;
	$node->safe_psql('postgres', $script);
	my $got = $node->safe_psql('postgres', 'SELECT member, direct, brought, (direct_monetary * 100)::bigint, (monetary * 100)::bigint, depth FROM referrers ORDER BY member');
	is($got, join("\n", map { join '|', $_, @{ $expected{$_} } } sort { $a <=> $b } keys %expected), "$shape: counts, money and depth");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM referral_errors'), '0', "$shape: no errors");
}

# Cycles of one's own making, with members below and beside them.
for my $length (2, 3, 50)
{
	$node->safe_psql('postgres', qq{
		TRUNCATE referrals;
		INSERT INTO referrals SELECT 100 + i, 100 + (i + 1) % $length, '2026-01-01' FROM generate_series(0, $length - 1) i;
		INSERT INTO referrals SELECT i, 100 + i % $length, '2026-01-01' FROM generate_series(1000, 1100) i;
		INSERT INTO referrals VALUES (2, 1, '2026-01-01')});
	is($node->safe_psql('postgres', q{SELECT string_agg(member::text, ',' ORDER BY member) FROM referral_errors}),
		join(',', 100 .. 99 + $length), "a cycle of $length: its members are named, and not those below");
	fails('SELECT * FROM referrers', qr/ERROR:  member 100 is on a cycle of referrals/, 'and the report names one');
}
$node->safe_psql('postgres', 'DELETE FROM referrals WHERE member < 100 OR member > 999');
fails('SELECT * FROM referrers', qr/ERROR:  member 100 is on a cycle of referrals/, 'even where nobody is outside of the cycle');

# Self-referral and two referrers never get that far.
$node->safe_psql('postgres', 'TRUNCATE referrals');
fails(q{INSERT INTO referrals VALUES (5, 5, '2026-01-01')}, qr/violates check constraint.*Failing row contains \(5, 5,/s, 'self-referral names the member');
fails(q{INSERT INTO referrals VALUES (5, 4, '2026-01-01'), (5, 3, '2026-01-02')}, qr/violates unique constraint.*Key \(member\)=\(5\)/s, 'two referrers name the member');
$node->safe_psql('postgres', q{INSERT INTO referral_log VALUES (5, 4, '2026-01-02'), (5, 3, '2026-01-01'), (6, 5, '2026-01-01')});
is($node->safe_psql('postgres', "$earliest SELECT member, referrer FROM referrals ORDER BY 1"), "5|3\n6|5", 'of a log the earliest counts');
fails("TRUNCATE referrals; INSERT INTO referral_log VALUES (5, 9, '2026-01-01'); $earliest", qr/Key \(member\)=\(5\) already exists/, 'two that are equally early are an error');

done_testing();
