# stock_out_probability against SciPy's betabinom, added up: offers of all sizes, histories of all kinds, both tails.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The first python3 need not be the one that Debian's packages belong to.
my ($python) = grep { system("$_ -c 'import numpy, scipy.stats' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python\'s SciPy is not installed (Debian: python3-scipy)' unless $python;

my $node = PostgreSQL::Test::Cluster->new('promise');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION custmart');

# Its sf is 1 - cdf, so far out it is 0, or slow: probabilities are added up from the one at the border, where the sum is not
# longer than it need be.  With a thousand million, gamma functions in double precision leave six digits of them.
my $oracle = PostgreSQL::Test::Utils::tempdir() . '/oracle.py';
PostgreSQL::Test::Utils::append_to_file($oracle, <<'P');
import random
import numpy
from scipy.stats import betabinom
random.seed(20260101)
for size in (3, 30, 300, 3000, 30000, 1000000, 30000000, 1000000000):
    for _ in range(60):
        issued = random.randint(1, size)
        offered = int(10 ** random.uniform(0, 9)) - 1
        redeemed = min(offered, int(offered * random.choice([0, 1, random.random(), 10 ** random.uniform(-6, 0)])))
        a, b = redeemed + 0.5, offered - redeemed + 0.5
        mean, sd = betabinom.mean(issued, a, b), betabinom.std(issued, a, b)
        stock = max(0, min(issued - 1, int(mean + random.choice([-1, 1]) * random.uniform(0, 1) ** 2 * 12 * sd)))
        if issued > 200000 and 40 * sd > 400000:
            continue
        above = betabinom.pmf(numpy.arange(stock + 1, min(issued, stock + 400000) + 1), issued, a, b).sum()
        print(issued, redeemed, offered, stock, repr(float(above)))
P
my ($out, $err) = run_command([ $python, $oracle ]);
is($err, '', 'the oracle has nothing to complain about');
my @cases = map { [split] } split /\n/, $out;
cmp_ok(scalar @cases, '>', 250, scalar @cases . ' cases');
$node->safe_psql('postgres', 'CREATE TABLE cases (issued bigint, redeemed bigint, offered bigint, stock bigint, above float8); INSERT INTO cases VALUES '
	  . join(', ', map { '(' . join(', ', @$_[ 0 .. 3 ], "'$_->[4]'") . ')' } @cases));
is( $node->safe_psql('postgres', q{
		SELECT *, p FROM cases, stock_out_probability(issued, redeemed, offered, stock) p
		WHERE above > 1e-280 AND abs(p - above) > above * greatest(1e-9, greatest(issued, offered) * 1e-13)}),
	'', 'the same as SciPy');
is( $node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE above < 1e-9) > 10, count(*) FILTER (WHERE above > 0.5) > 50, count(*) FILTER (WHERE issued > 100000000) > 5 FROM cases}),
	't|t|t', 'in both tails, and for many');

# A query that asks for many can be cancelled.
my ($status, undef, $said) = $node->psql('postgres', q{
	SET statement_timeout = '500ms';
	SELECT sum(stock_needed(9000000000000000000 - n, n, 2 * n)) FROM generate_series(1, 100000000::bigint) n});
like($said, qr/canceling statement due to statement timeout/, 'it can be cancelled');

done_testing();
