# The golden literals of rfm_book, pricebook_summary, price_slope_summary, contact_trail, contact_book, basket_book and check_book are
# those that test/oracle/stored_books.py prints, and it prints no others.  Those of
# retention books with the time of joining are what test/oracle/retention_books.py prints.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

# date.fromisoformat() came with 3.7, as dataclasses did.
my ($python) = grep { system("$_ -c 'import dataclasses' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python 3 is not installed (Debian: python3)' unless $python;

my $test = abs_path(dirname(__FILE__) . '/..');
my @printed = split /\n/, `$python $test/oracle/stored_books.py`;
is($?, 0, 'the oracle prints its literals');
cmp_ok(scalar(@printed), '>', 0, 'and there are some');
my %golden = map { ($_ => 1) } PostgreSQL::Test::Utils::slurp_file("$test/sql/golden.sql") =~ /'((?:rfm_book|pricebook_summary|price_slope_summary|contact_trail|contact_book|basket_book|check_book):[^']*)'/g;
is_deeply([ sort keys %golden ], [ sort @printed ], 'which are those of golden.sql');

my @retention = split /\n/, `$python $test/oracle/retention_books.py`;
is($?, 0, 'the oracle of retention books prints its literals');
my $golden = PostgreSQL::Test::Utils::slurp_file("$test/sql/golden.sql");
is_deeply([ grep { index($golden, "'$_'") < 0 } @retention ], [], 'golden.sql has all of them') if cmp_ok(scalar(@retention), '>=', 6, 'some');

done_testing();
