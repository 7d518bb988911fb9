# The price reports against test/oracle/price_fairness.py and price_inference.py,
# which work out the same with NumPy and SciPy: shops of all shapes, every column.
# The first is tested by figures that others have published, the second by
# price_inference_check.py (083_price_inference.pl).
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use List::Util qw(shuffle);
use Math::BigFloat;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The first python3 need not be the one that Debian's packages belong to.
my ($python) = grep { system("$_ -c 'import numpy, scipy.stats' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python\'s SciPy is not installed (Debian: python3-scipy)' unless $python;

my $oracles = abs_path(dirname(__FILE__) . '/../oracle');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('price_oracle');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;
$ENV{PGCLIENTENCODING} = 'UTF8';
$node->safe_psql('postgres', 'CREATE EXTENSION custmart');

# ---------- reports and how they are compared ----------

# Columns are the same as text, or else are numerics (equal as numbers), means (no
# shorter than what avg() gives, and equal where that is rounded), floats, or
# probabilities, whose digits count however small they are.  A statistic that is
# shown divided by what is not known is not shown at all: "known".  Far out, a tail
# makes many times more of the rounding of t than it was: its logarithm counts.
my %report = (
	skipped => [qw(cells all null price quantity)],
	price_gaps => [
		qw(member_group reference items cells rows reference_rows compared_share:float naive_gap_pct:float mean_premium_pct:float premium_pct:float
		  overcharge:numeric overcharge_net:numeric items_flagged) ],
	price_gap_money => [
		qw(member_group reference items cells rows reference_rows compared_share:float naive_gap_pct:float mean_premium_pct:float premium_pct:float overcharge:numeric overcharge_net:numeric) ],
	inference => [
		qw(member_group reference items cells rows reference_rows premium_pct:float premium_pct_low:float premium_pct_high:float std_error:float df:float effective_items:float design_effect:float
		  rank_z:known z:float p_value:tail premium_p_value:tail verdict) ],
	# What the report does not show, the oracle does not either.
	item_inference => [qw(item member_group rows reference_rows p_value:probability q_value:probability is_flagged)],
	price_gap_item_money => [qw(item member_group rows reference_rows mean:mean reference_mean:mean median:numeric reference_median:numeric gap_pct:float hedges_g:float overcharge:numeric)],
	price_gap_items => [
		qw(item member_group rows reference_rows mean:mean reference_mean:mean median:numeric reference_median:numeric gap_pct:float hedges_g:float
		  p_value:probability q_value:probability overcharge:numeric is_flagged) ],
	price_gap_mix => [qw(member_group reference items rows reference_rows mean:float reference_mean:float difference:float basket_effect:float price_effect:float)],
	fair_prices => [qw(item period fair_price:numeric rows)],
	price_slopes => [qw(items cells rows slope:float std_error:float df:float premium_pct:float premium_pct_low:float premium_pct_high:float p_value:tail)],
	# Those columns of them that plain SQL can give.
	sql_gaps => [qw(member_group items cells rows reference_rows compared_share:float naive_gap_pct:float overcharge:numeric overcharge_net:numeric)],
	sql_items => [qw(item member_group rows reference_rows mean:mean reference_mean:mean median:numeric reference_median:numeric)],
	welch_test => [qw(difference:float difference_low:float difference_high:float t:float df:float p_value:probability)]);

sub is_same
{
	my ($got, $want, $type) = @_;
	return 1 if $got eq $want || $type eq 'known' && $got eq '\N';
	return 0 if $got eq '\N' || $want eq '\N' || $type eq 'text';
	if ($type eq 'mean')
	{
		my ($digits, $wanted) = map { /\.(\d+)$/ ? length $1 : 0 } $got, $want;
		return 0 if $digits < $wanted;
		# Both are rounded.
		my $apart = Math::BigFloat->new($got)->bsub($want)->babs->blsft($wanted, 10);
		return $apart <= ($digits == $wanted ? 0 : Math::BigFloat->new(10)->bpow($wanted - $digits)->badd(1)->bmul(.5));
	}
	if ($type eq 'numeric')
	{
		s/^(-?\d+)$/$1./, s/\.?0*$// for $got, $want;
		return $got eq $want;
	}
	return $got == $want if $got == $want || abs($want) == 'inf';
	my $allowed = 1e-9 * abs $want;
	# What is 0 but for rounding.
	$allowed += 1e-12 if $type eq 'float' || $type eq 'known';
	$allowed *= 1 + abs log abs $want if $type eq 'tail' && $want > 0;
	return abs($got - $want) <= $allowed;
}

sub lines { return map { [ split /\t/, $_, -1 ] } split /\n/, $_[0] }

# compare(DESCRIPTION, REPORT, ROWS, ROWS): ours and theirs
sub compare
{
	my ($description, $name, $got, $want) = @_;
	my @wrong;
	push @wrong, @$got . ' rows, not ' . @$want if @$got != @$want;
	for my $i (0 .. ($#$got < $#$want ? $#$got : $#$want))
	{
		my $column = 0;
		for (@{ $report{$name} })
		{
			my ($as, $type) = /^(\w+)(?::(\w+))?$/;
			my ($one, $other) = map { $_->[$i][$column] // 'nothing' } $got, $want;
			push @wrong, "row $i ($want->[$i][0]), $as: got $one, want $other" unless is_same($one, $other, $type // 'text');
			$column++;
		}
		push @wrong, "row $i has more columns" if @{ $want->[$i] } != $column || @{ $got->[$i] } != $column;
	}
	splice @wrong, 5;
	return is(join("\n", @wrong), '', $description);
}
ok(is_same('12.50', '12.5', 'numeric') && is_same('12.000', '12', 'numeric') && !is_same('120', '12', 'numeric') && !is_same('0.5000000000000000001', '.5', 'numeric'),
	'numerics are compared as numbers');
ok(is_same('7.66666666667', '7.6667', 'mean') && is_same('7.5', '8', 'mean') && !is_same('7.67', '7.6667', 'mean') && !is_same('7.66664', '7.6667', 'mean')
	  && is_same('7.66665', '7.6666', 'mean') && is_same('7.66665', '7.6667', 'mean') && !is_same('7.6667', '7.6666', 'mean') && is_same('7.6666', '7.6666', 'mean'),
	'means as they are rounded');
ok( !is_same('1.000000002e-300', '1e-300', 'probability') && is_same('1.0000000001e-300', '1e-300', 'probability') && is_same('1e-300', '0', 'float') && !is_same('0', '1e-300', 'probability')
	  && is_same('1.00000005e-300', '1e-300', 'tail') && !is_same('1.000001e-300', '1e-300', 'tail') && !is_same('0.2500000007', '0.25', 'tail') && is_same('\N', '3', 'known') && !is_same('3', '\N', 'known')
	  && is_same('Infinity', 'inf', 'float') && !is_same('-Infinity', 'inf', 'float') && !is_same('\N', '0', 'float'),
	'floats as floats');

# A comparison is a test that waits for the oracle's answer; all are asked at once.
my @waiting;
my %by_inference = (inference => "effective\tprice_gaps", item_inference => "effective\tprice_gap_items", price_slopes => "effective\tprice_slopes");
sub expect
{
	my ($description, $name, $sql, @parameters) = @_;
	push @waiting, { description => $description, name => $name, sql => $sql, job => join("\t", $by_inference{$name} // $name, @parameters) };
	return;
}

sub ask
{
	my ($oracle, @jobs) = @_;
	PostgreSQL::Test::Utils::append_to_file("$dir/jobs", join '', map { "$_\n" } @jobs);
	my $out = `$python '$oracles/$oracle.py' <'$dir/jobs' 2>'$dir/complaints'`;
	unlink "$dir/jobs";
	is($?, 0, "$oracle answers") or diag(PostgreSQL::Test::Utils::slurp_file("$dir/complaints"));
	my @answers = ([]);
	for ($out =~ /^(.*)\n/mg)
	{
		if ($_ eq '') { push @answers, [] }
		else { push @{ $answers[-1] }, [ split /\t/, $_, -1 ] }
	}
	pop @answers;
	is(scalar(@answers), scalar(@jobs), 'all that it was asked');
	return @answers;
}

# ---------- shops ----------

# A shop is { rows => [[item, period, member_group, price, quantity], ...] }, perhaps with
# is_number for items that are bigint, and without_period where the shorter
# signature is meant.  With members, which are of the type $shop->{member}, rows have
# a sixth column.
my %member_column = (bigint => 'member_number', uuid => 'member_uuid', text => 'member');
my $shops = 0;
sub csv_line { return join(',', map { !defined $_ ? '\N' : /[",\n ]|^$/ ? '"' . s/"/""/gr . '"' : $_ } @_) . "\n" }

sub load_shop
{
	my ($shop) = @_;
	my $table = $shop->{table} = 'shop_' . $shops++;
	my @columns = $shop->{without_period} ? qw(item member_group price) : qw(item period member_group price quantity);
	my @picked = $shop->{without_period} ? (0, 2, 3) : (0 .. 4);
	my $type = $shop->{is_number} ? 'bigint' : 'text';
	if ($shop->{member})
	{
		push @columns, $member_column{ $shop->{member} };
		push @picked, 5;
	}

	$shop->{file} = "$dir/$table.csv";
	PostgreSQL::Test::Utils::append_to_file(
		$shop->{file},
		join '', map { csv_line(@$_) } [ map { $_ eq 'item' && $shop->{is_number} ? 'item_number' : $_ } @columns ], map { [ @$_[@picked] ] } @{ $shop->{rows} });
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (item $type, period date @{[ $shop->{without_period} ? "DEFAULT '2000-01-01'" : '' ]}, member_group text, price numeric, quantity numeric @{[ $shop->{without_period} ? 'DEFAULT 1' : '' ]}
			@{[ $shop->{member} ? ", $columns[-1] $shop->{member}" : '' ]});
		COPY $table (@{[ join ', ', @columns ]}) FROM '$shop->{file}' (FORMAT csv, HEADER, NULL '\\N');
		CREATE TABLE book_$table AS SELECT pricebook(@{[ join ', ', @columns ]}) AS book FROM $table});
	return $shop;
}

my @in_sql;
my @counted;
sub quoted { return "'" . $_[0] =~ s/'/''/gr . "'" }

# All reports of a shop, with parameters as price_gaps() has them.
sub expect_shop
{
	my ($description, $shop, @parameters) = @_;
	my ($reference, @numbers) = @parameters;
	my $arguments = join ', ', quoted($reference), @numbers;
	my $item_type = $shop->{is_number} ? '' : 'NULL::text, ';

	load_shop($shop) unless $shop->{table};
	my $of = sub {
		my ($name, $call) = @_;
		my $columns = join ', ', map { s/:.*//r } @{ $report{$name} };
		return "SELECT $columns FROM book_$shop->{table}, $call";
	};
	expect("$description: rows", 'skipped',
		"SELECT cell_count(book), rows_skipped(book), rows_skipped(book, 'null'), rows_skipped(book, 'price'), rows_skipped(book, 'quantity') FROM book_$shop->{table}",
		$shop->{file});
	# Without members, price_fairness.py has the tests of items, too.
	my ($gaps, $items) = $shop->{member} ? ('price_gap_money', 'price_gap_item_money') : ('price_gaps', 'price_gap_items');
	expect("$description: price_gaps($arguments)", $gaps, $of->($gaps, "price_gaps(book, $arguments)"), $shop->{file}, @parameters);
	expect("$description: price_gap_items($arguments)",
		$items, $of->($items, "price_gap_items(${item_type}book, $arguments)"), $shop->{file}, @parameters);
	expect("$description: inference of price_gaps($arguments)",
		'inference', $of->('inference', "LATERAL (SELECT *, z * sqrt(design_effect) AS rank_z FROM price_gaps(book, $arguments)) g"), $shop->{file}, @parameters);
	expect("$description: inference of price_gap_items($arguments)",
		'item_inference', $of->('item_inference', "price_gap_items(${item_type}book, $arguments)"), $shop->{file}, @parameters);
	push @counted, "SELECT (SELECT coalesce(sum(items_flagged), 0) FROM price_gaps(book, $arguments)) = (SELECT count(*) FROM price_gap_items(${item_type}book, $arguments) WHERE is_flagged) FROM book_$shop->{table}" if $shop->{member};
	expect("$description: price_gap_mix", 'price_gap_mix', $of->('price_gap_mix', "price_gap_mix(book, @{[ quoted($reference) ]})"), $shop->{file}, $reference);
	push @in_sql, { description => $description, shop => $shop, reference => $reference, arguments => $arguments } unless $shop->{in_sql}++;
	expect("$description: fair_prices", 'fair_prices', $of->('fair_prices', "fair_prices(${item_type}book, @{[ quoted($reference) ]})"), $shop->{file}, $reference);
	return;
}

sub between { return $_[0] + int rand(1 + $_[1] - $_[0]) }
sub one_of { return $_[ rand @_ ] }
sub day { return sprintf '2026-%02d-%02d', 1 + $_[0] / 28, 1 + $_[0] % 28 }

# Prices as text, about $_[0] large.
my %price = (
	# Few different ones, written in several ways.
	ties => sub { return sprintf(one_of('%.1f', '%.2f', '%.5f'), one_of(.5, .9, 1, 1, 1, 1.1) * int(1 + $_[0])) },
	cents => sub { return sprintf '%.2f', .01 + $_[0] * (.7 + rand .6) },
	small => sub { return sprintf '%.4f', .0001 + $_[0] * (.7 + rand .6) / 10_000 },
	long => sub { return sprintf '%d.3333333333333333%03d', 1 + $_[0] * (.7 + rand .6), rand 1000 },
	large => sub { return sprintf '%d%012d.25', 1 + $_[0] * (.7 + rand .6), rand 1e12 },
	wild => sub { return sprintf '%.4e', $_[0] * 10**between(-24, 35) * (.7 + rand .6) });
my %quantity = (
	one => sub { return 1 },
	whole => sub { return between(1, 9) },
	wild => sub { return sprintf '%.3e', 10**between(-16, 24) * (1 + rand 8) },
	weighed => sub { return sprintf one_of('%.3f', '%.1f'), .1 + rand 5 });

my @names = ('a', 'aa', 'B', 'a b', '', 'été', 'Zoë, "the 5th"', '🛒', "it's", '10', '9', map { "item $_" } 1 .. 2000);
my @numbers = (9223372036854775807, '-9223372036854775808', 0, -1, 10, 9, map { 100 + 7919 * $_ % 10007 } 1 .. 2000);

my %member_key = (
	bigint => sub { return $numbers[ $_[0] % 7 ] + 7 * int($_[0] / 7) * ($numbers[ $_[0] % 7 ] > 0 ? -1 : 1) },
	uuid => sub { return sprintf '%08x-0000-4000-8000-%012x', $_[0] * 2654435761 % 2**32, $_[0] },
	text => sub { return $names[ $_[0] % 11 ] . ($_[0] > 10 ? '-' x ($_[0] % 41) . $_[0] : '') });

# random_shop(items, periods, groups => { name => [fewest rows in a cell, most,
# premium], ... }, price, quantity, share of rows that are no sales)
sub random_shop
{
	my (%of) = @_;
	my $shop = { is_number => $of{is_number}, without_period => $of{without_period}, member => $of{member}, rows => [] };
	# Members have a price level of their own, and belong to a group or to any.
	my @level = map { 1 + ($of{level} // 0) * (rand(2) - 1) } 1 .. ($of{members} // 0);
	my @groups = sort keys %{ $of{groups} };
	my $member_of = sub {
		my ($member_group) = @_;
		my ($place) = grep { $groups[$_] eq $member_group } 0 .. $#groups;
		return $of{are_mixed} ? int rand @level : ($place + @groups * int rand(@level / @groups)) % @level;
	};
	for my $item (($of{is_number} ? @numbers : @names)[ 0 .. $of{items} - 1 ])
	{
		my $base = 5 + rand 100;
		for my $period ($of{without_period} ? undef : map { day($_) } 1 .. $of{periods})
		{
			for my $member_group (sort keys %{ $of{groups} })
			{
				my ($fewest, $most, $premium) = @{ $of{groups}{$member_group} };
				my $sales = between($fewest, $most);
				for (1 .. $sales)
				{
					my $member = @level ? $member_of->($member_group) : 0;
					my @row = ($item, $period, $member_group, $price{ $of{price} // 'cents' }->($base * (1 + $premium) * ($level[$member] // 1)), $quantity{ $of{quantity} // 'whole' }->());
					push @row, $member_key{ $of{member} }->($member) if @level;
					push @{ $shop->{rows} }, [@row];
					next if rand() >= ($of{no_sales} // 0);
					my $field = $of{without_period} ? one_of(0, 2, 3, 3, @level ? 5 : ()) : between(0, @level ? 5 : 4);
					$row[$field] = $field == 5 ? undef : $field >= 3 ? one_of(undef, 0, -1, '-0.01') : undef;
					push @{ $shop->{rows} }, [@row];
				}
			}
		}
	}
	$shop->{rows} = [ shuffle @{ $shop->{rows} } ];
	return $shop;
}

# Another seed, other shops.
srand($ENV{CUSTMART_SEED} // 20260401);

# The worked example of van Elteren's test and of much else: R's ToothGrowth, tooth
# lengths of guinea pigs (C. I. Bliss, The Statistics of Bioassay, 1952).  The three
# doses are periods.
my %teeth = (
	OJ => [ [qw(15.2 21.5 17.6 9.7 14.5 10.0 8.2 9.4 16.5 9.7)], [qw(19.7 23.3 23.6 26.4 20.0 25.2 25.8 21.2 14.5 27.3)], [qw(25.5 26.4 22.4 24.5 24.8 30.9 26.4 27.3 29.4 23.0)] ],
	VC => [ [qw(4.2 11.5 7.3 5.8 6.4 10.0 11.2 11.2 5.2 7.0)], [qw(16.5 16.5 15.2 17.3 22.5 17.3 13.6 14.5 18.8 15.5)], [qw(23.6 18.5 33.9 25.5 26.4 32.5 26.7 21.5 23.3 29.5)] ]);
my $teeth = { rows => [] };
for my $member_group (sort keys %teeth)
{
	for my $dose (0 .. 2)
	{
		push @{ $teeth->{rows} }, map { [ 'length', day($dose), $member_group, $_, 1 ] } @{ $teeth{$member_group}[$dose] };
	}
}
my @example = ([qw(a 1 0 10)], [qw(a 1 1 11)], [qw(a 1 1 12)], [qw(a 2 0 10)], [qw(b 1 0 20)], [qw(b 1 0 21)], [qw(b 1 1 22)], [qw(c 1 1 5)], [qw(c 1 0 5)], [qw(c 1 1 5.5)]);
my $example = { rows => [ map { [ $_->[0], day($_->[1]), $_->[2], $_->[3], 1 ] } @example ] };
my $numbered = { is_number => 1, rows => [ map { [ ord $_->[0], day($_->[1]), $_->[2], $_->[3], 1 ] } @example ] };
expect_shop('the worked example', $example, 0);
expect_shop('the worked example, numbered', $numbered, 0, 0.05, 1, 1);
expect_shop('the worked example, the other way round', $example, 1, 0.1, 0, 1);
expect_shop('ToothGrowth', $teeth, 'VC');
expect_shop('ToothGrowth, doses as items', { without_period => 1, rows => [ map { [ @$_[ 1, 1 .. 4 ] ] } @{ $teeth->{rows} } ] }, 'VC');
expect_shop('ToothGrowth, the other way round', $teeth, 'OJ');
expect('Welch', 'welch_test', 'SELECT (welch_test(3, 64.3 / 3, 73 / 75.0, 3, 19.4, 0.61)).*', '-', 3, 64.3 / 3, 73 / 75, 3, 19.4, 0.61);

my %two = (old => [ 1, 6, 0.05 ], new => [ 1, 6, 0 ]);
expect_shop("prices: $_", random_shop(items => 20, periods => 3, groups => \%two, price => $_, no_sales => .1), 'new', 0.05, 1.23, 5) for sort keys %price;
expect_shop("quantities: $_", random_shop(items => 15, periods => 3, groups => \%two, quantity => $_, price => 'ties'), 'new') for sort keys %quantity;
for my $is_number (0, 1)
{
	my %of = (items => 40, groups => { %two, '' => [ -3, 3, .02 ], 'iOS' => [ -1, 2, -.05 ], 'Größe "XL", 5' => [ -9, 9, 0 ] }, no_sales => .05, is_number => $is_number);
	my $items = $is_number ? 'numbers' : 'texts';
	expect_shop("five groups, items $items", random_shop(%of, periods => 4), 'new', 0.05, 1.23, 2);
	expect_shop("five groups without periods, items $items", random_shop(%of, without_period => 1, price => 'ties'), '', 0.2, 1.23, 1);
}
expect_shop('groups of very different size', random_shop(items => 10, periods => 3, groups => { few => [ 0, 2, .1 ], many => [ 40, 80, 0 ] }, price => 'ties'), 'many', 0.05, 1, 10);
expect_shop('and with few as the reference', random_shop(items => 10, periods => 3, groups => { few => [ 0, 2, .1 ], many => [ 40, 80, 0 ] }), 'few');
expect_shop('cells of mostly one group', random_shop(items => 60, periods => 6, groups => { one => [ -8, 2, .1 ], other => [ -8, 2, 0 ] }), 'other', 0.05, 1, 1);
# The standard error is clustered by item; there is none of one item, and of two it
# is that of the t distribution with one degree of freedom.
for my $items (1 .. 3)
{
	expect_shop("items: $items, cell by cell", random_shop(items => $items, periods => 1, groups => \%two), 'new', 0.05, 1, 1);
	expect_shop("items: $items", random_shop(items => $items, periods => 9, groups => \%two, price => 'ties'), 'new', 0.01, 1, 1);
}

sub fixed_shop { return { rows => [ map { [ $_->[0], day($_->[1]), $_->[2], $_->[3], $_->[4] // 1 ] } @_ ] } }
expect_shop('one row of each group', fixed_shop([ 'a', 1, 'x', 7 ], [ 'a', 1, 'y', 8 ]), 'x', 0.05, 1, 1);
expect_shop('one row of one and two of the other', fixed_shop([ 'a', 1, 'x', 7 ], [ 'a', 1, 'x', 7.5 ], [ 'a', 1, 'y', 8 ]), 'x', 0.05, 1, 1);
expect_shop('one group', fixed_shop([ 'a', 1, 'x', 7 ], [ 'b', 1, 'x', 8 ]), 'x');
# Constant prices: nothing to rank, or nothing but the groups to tell them apart.
expect_shop('all prices the same', fixed_shop(map { my $item = $_; map { [ $item, 1, 'x', '2.50' ], [ $item, 1, 'y', '2.5' ], [ $item, 2, 'y', '2.500' ] } 1 .. 6 } 'a' .. 'c'), 'x');
expect_shop('the same within each item', fixed_shop(map { my $item = $_; map { [ $item, 1, 'x', ord $item ], [ $item, 1, 'y', ord $item ] } 1 .. 6 } 'a' .. 'c'), 'y');
expect_shop('constant, but different', fixed_shop(map { my $item = $_; map { [ $item, 1, 'x', 20 ], [ $item, 1, 'y', 23 ] } 1 .. 6 } 'a' .. 'c'), 'x');
expect_shop('constant, but different, in one item', fixed_shop((map { [ 'a', 1, 'x', 20 ], [ 'a', 1, 'y', 23 ], [ 'b', 1, 'x', 4 ], [ 'b', 1, 'y', 4 ] } 1 .. 6)), 'x');
# Means and medians apart; the dearer by one is the cheaper by the other.
expect_shop('means and medians that disagree', fixed_shop((map { [ 'a', 1, 'x', 10, 2 ], [ 'a', 1, 'y', 9, 3 ] } 1 .. 9), [ 'a', 1, 'y', 100, .5 ], [ 'a', 2, 'x', 1 ], [ 'a', 2, 'y', 1 ]), 'x');
# Simpson's paradox: cheaper on the whole, dearer in every cell.
expect_shop('a basket that hides the premium',
	fixed_shop((map { [ 'dear', 1, 'x', 100 + $_ ], [ 'cheap', 1, 'y', 11 + $_ / 10 ] } 1 .. 20), (map { [ 'dear', 1, 'y', 110 + $_ ], [ 'cheap', 1, 'x', 10 + $_ / 10 ] } 1 .. 5)), 'x');
expect_shop('a group with other items, and one with other periods',
	fixed_shop((map { [ 'a', 1, 'x', $_ ], [ 'b', 1, 'other items', $_ ], [ 'a', 2, 'other periods', $_ ], [ 'a', 1, 'y', $_ + 1 ] } 1 .. 7)), 'x');
expect_shop('means that do not differ at all', fixed_shop((map { [ 'a', 1, 'x', '1000000000.10' ], [ 'a', 1, 'y', $_ % 2 ? '1000000000.05' : '1000000000.15' ] } 1 .. 6), (map { [ 'b', 1, 'x', '0.3' ], [ 'b', 1, 'y', $_ % 3 / 5 + .1 ] } 1 .. 9)), 'x');
# A gap of as much as min_premium_pct is not above it.
for my $percent (1, 5, 10, 50)
{
	expect_shop("a gap of $percent %",
		fixed_shop(map { my $price = $_; map { [ "at $price", 1, 'x', $price ], [ "at $price", 1, 'y', $price * (100 + $percent) / 100 ] } 1 .. 9 } 10, 20, 300),
		'x', 0.05, $percent);
}
# Floats hardly tell these apart, and then not at all.
expect_shop('prices that differ by cents in millions', fixed_shop(map { my $item = $_; map { [ $item, 1, 'x', sprintf '%.2f', 7_000_000 + rand(10) / 100 ], [ $item, 1, 'y', sprintf '%.2f', 7_000_000 + rand(20) / 100 ] } 1 .. 6 } 'a' .. 'c'), 'x');
expect_shop('prices that differ in the 25th digit',
	fixed_shop((map { my $item = $_; map { [ $item, 1, 'x', "12.33333333333333333333333$_" ], [ $item, 1, 'y', '12.33333333333333333333333' . ($_ + 2) ] } 1 .. 6 } 'a' .. 'c')), 'x');
expect_shop('periods before and after 2000',
	{ rows => [ map { my $n = $_; map { [ 'a', $_, 'x', $n, 1 ], [ 'a', $_, 'y', $n + 1, 1 ] } qw(0001-01-01 1969-12-31 1970-01-01 1999-12-31 2000-01-01 2000-01-02 9999-12-31) } 1 .. 3 ] }, 'x');
expect_shop('long names', fixed_shop(map { my $item = $_; map { [ $item, 1, 'x', 3 + rand ], [ $item, 1, 'x' x 5000, 3 + rand ] } 1 .. 6 } map { 'é' x $_ } 0, 1, 30, 100, 2000), 'x');
{
	my %groups = map { ("group $_" => [ -1, 2, rand .05 ]) } 1 .. 200;
	$groups{'group 7'}[0] = 1;
	expect_shop('two hundred groups', random_shop(items => 8, periods => 2, groups => \%groups), 'group 7', 0.05, 1, 1);
	expect_shop('many rows, few prices', random_shop(items => 1, periods => 2, groups => { old => [ 9000, 9000, .02 ], new => [ 4000, 4000, 0 ] }, price => 'ties', quantity => 'one'), 'new');
}

# The levels that a user may ask for.
{
	my $shop = random_shop(items => 12, periods => 3, groups => \%two);
	expect_shop('parameters', $shop, 'new', @$_)
	  for [ 0.5, 0.2, 1 ], [ 0.001, 1.23, 20 ], [ 1e-10, 2, 1 ], [ 0.999999, 0, 1 ], [ 0.05, 10_000, 1 ], [ 0.05, 1, 1_000_000 ], [ 0.2, 4.56, 8 ];
	$shop = random_shop(items => 2, periods => 1, groups => \%two);
	expect_shop('limits that overflow', $shop, 'new', 1e-12, 1, 1);
}

# Every row of the one group dearer than all of the other, n of each: z is nearly
# the root of 1.5 n, so that p falls to the smallest numbers that a float can be,
# and then to 0.
{
	my @sizes = (50, 300, 600, 880, 915, 935, 945, 952, 1000);
	my $shop = fixed_shop(map { my $n = $_; map { [ "$n of each", 1, 'x', "1.$_" + 1000 ], [ "$n of each", 1, 'y', "1.$_" + 3000 ] } 1000 .. 999 + $n } @sizes);
	expect_shop('tails', $shop, 'x');
	for my $n (@sizes)
	{
		expect_shop("tails, $n", { rows => [ grep { $_->[0] eq "$n of each" } @{ $shop->{rows} } ] }, 'y');
	}
}

# Ten thousand cells.
expect_shop('ten thousand cells', random_shop(items => 500, periods => 20, groups => { old => [ 0, 3, .02 ], new => [ 1, 3, 0 ] }, price => 'cents'), 'new');

# And anything at all.
for my $round (1 .. 40)
{
	my %groups = map { ($_ => [ between(-3, 2), between(2, one_of(2, 4, 12)), rand .2 - .1 ]) } (shuffle 'old', 'new', 'iOS', 'été', 'B')[ 0 .. between(1, 3) ];
	# The reference occurs at all events.
	my ($reference) = sort keys %groups;
	$groups{$reference}[0] = 1;
	# Products of these two need more than the 76 digits that there are.
	my ($price, $quantity);
	do { ($price, $quantity) = (one_of(sort keys %price), one_of(sort keys %quantity)) } while ($price eq 'wild' && $quantity eq 'wild');
	my $shop = random_shop(
		items => between(1, one_of(2, 10, 50)), periods => between(1, 5), groups => \%groups, price => $price, quantity => $quantity,
		no_sales => one_of(0, 0, .1), is_number => between(0, 1), without_period => rand() < .3);
	expect_shop("random shop $round", $shop, $reference, one_of(0.05, 0.01, 0.3), one_of(1.23, 4.56), between(1, 6));
}

# Members, of all types and some or many of them, who differ by little or by much; in
# every other shop they belong to one group.
for my $round (1 .. 36)
{
	my $members = one_of(2, 4, 9, 40, 300);
	my %groups = (%two, $round % 3 ? () : (third => [ -2, 5, -.05 ]));
	expect_shop(
		"members: $members, round $round",
		random_shop(
			items => one_of(1, 2, 6, 25), periods => one_of(1, 2, 5), groups => \%groups, price => one_of('cents', 'cents', 'small', 'ties', 'long', 'large'), no_sales => one_of(0, .1),
			member => (qw(bigint uuid text))[ $round % 3 ], members => $members, level => one_of(0, .05, .3), are_mixed => $round % 2, is_number => between(0, 1), without_period => rand() < .3),
		'new', one_of(0.05, 0.2), one_of(1.23, 0.5), between(1, 5));
}
expect_shop('members, ten thousand cells', random_shop(items => 500, periods => 20, groups => { old => [ 0, 3, .02 ], new => [ 1, 3, 0 ] }, member => 'bigint', members => 1500, level => .1), 'new');
{
	my %groups = map { ("group $_" => [ -1, 4, rand .05 ]) } 1 .. 40;
	$groups{'group 7'}[0] = 1;
	expect_shop('members in forty groups', random_shop(items => 8, periods => 3, groups => \%groups, member => 'text', members => 900, level => .05), 'group 7', 0.05, 1, 1);
}

# ---------- the same in plain SQL ----------

# What SQL can say without statistics: a third opinion of counts and money.
my $sql_gaps = q{
	WITH sale AS (SELECT * FROM SHOP WHERE item IS NOT NULL AND period IS NOT NULL AND member_group IS NOT NULL AND price > 0 AND quantity > 0 HAS_MEMBER),
	reference AS (SELECT * FROM sale WHERE member_group = REFERENCE),
	-- The middle one, or half of the middle two; avg() would round it.
	fair AS (
	  SELECT item, period, CASE n % 2 WHEN 1 THEN sum(price) ELSE sum(price) * 0.5 END AS price, n
	    FROM (SELECT *, row_number() OVER (PARTITION BY item, period ORDER BY price) AS i, count(*) OVER (PARTITION BY item, period) AS n FROM reference) x
	   WHERE i IN ((n + 1) / 2, n / 2 + 1) GROUP BY item, period, n),
	compared AS (SELECT s.*, f.price AS fair, f.n AS fair_n FROM sale s JOIN fair f USING (item, period) WHERE member_group <> REFERENCE),
	cell AS (SELECT member_group, item, period, max(fair_n) AS fair_n FROM compared GROUP BY 1, 2, 3),
	total AS (
	  SELECT member_group, count(DISTINCT item) AS items, count(*) AS n, sum(price * quantity) AS revenue,
	         sum(greatest(price - fair, 0) * quantity) AS overcharge, sum((price - fair) * quantity) AS net
	    FROM compared GROUP BY 1)
	SELECT member_group, coalesce(items, 0), (SELECT count(*) FROM cell c WHERE c.member_group = g.member_group), coalesce(t.n, 0),
	       (SELECT coalesce(sum(fair_n), 0) FROM cell c WHERE c.member_group = g.member_group), (coalesce(t.revenue, 0) / g.revenue)::float8,
	       (100 * (g.mean / (SELECT avg(price)::numeric(1000, 100) FROM reference) - 1))::float8, coalesce(overcharge, 0), coalesce(net, 0)
	  FROM (SELECT member_group, avg(price)::numeric(1000, 100) AS mean, sum(price * quantity) AS revenue FROM sale WHERE member_group <> REFERENCE GROUP BY 1) g LEFT JOIN total t USING (member_group)
	 ORDER BY member_group COLLATE "C"};
my $sql_items = q{
	WITH sale AS (SELECT * FROM SHOP WHERE item IS NOT NULL AND period IS NOT NULL AND member_group IS NOT NULL AND price > 0 AND quantity > 0 HAS_MEMBER),
	cell AS (
	  SELECT a.item, a.period, a.member_group FROM (SELECT DISTINCT item, period, member_group FROM sale WHERE member_group <> REFERENCE) a
	    JOIN (SELECT DISTINCT item, period FROM sale WHERE member_group = REFERENCE) b USING (item, period)),
	side AS (
	  SELECT item, c.member_group, s.member_group = REFERENCE AS is_reference, price, row_number() OVER w AS i, count(*) OVER (PARTITION BY item, c.member_group, s.member_group) AS n
	    FROM cell c JOIN sale s USING (item, period) WHERE s.member_group IN (c.member_group, REFERENCE)
	  WINDOW w AS (PARTITION BY item, c.member_group, s.member_group ORDER BY price)),
	summary AS (
	  SELECT item, member_group, is_reference, count(*) AS n, avg(price) AS mean,
	         sum(price) FILTER (WHERE i IN ((n + 1) / 2, n / 2 + 1)) * CASE n % 2 WHEN 1 THEN 1 ELSE 0.5 END AS median
	    FROM side GROUP BY item, member_group, is_reference, side.n)
	SELECT a.item, a.member_group, a.n, b.n, a.mean, b.mean, a.median, b.median
	  FROM summary a JOIN summary b USING (item, member_group) WHERE NOT a.is_reference AND b.is_reference
	 ORDER BY ITEM, a.member_group COLLATE "C"};

# ---------- premium per unit of something ----------

sub expect_slope
{
	my ($description, $alpha, $type, @rows) = @_;
	my $table = 'shop_' . $shops++;
	# A type of the members may stand behind that of the items.
	($type, my $member) = split / /, $type;
	my @columns = ($type eq 'bigint' ? 'item_number' : 'item', 'period', 'x', 'price', $member ? $member_column{$member} : ());
	PostgreSQL::Test::Utils::append_to_file("$dir/$table.csv",
		join '', map { csv_line(@$_) } [@columns], @rows);
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (item $type, period date, x float8, price numeric @{[ $member ? ", member $member" : '' ]});
		COPY $table FROM '$dir/$table.csv' (FORMAT csv, HEADER, NULL '\\N')});
	expect("price_slopes($alpha): $description", 'price_slopes',
		"SELECT @{[ join ', ', map { s/:.*//r } @{ $report{price_slopes} } ]} FROM (SELECT price_slope(item, period, x, price @{[ $member ? ', member' : '' ]}) FROM $table) s (sums), price_slopes(sums, $alpha)", "$dir/$table.csv", $alpha, 'item_fold');
	return;
}

sub random_slope
{
	my (%of) = @_;
	my @rows;
	for my $item (1 .. $of{items})
	{
		my $base = 5 + rand 100;
		for my $period (1 .. $of{periods})
		{
			for (1 .. between(@{ $of{rows} }))
			{
				my $member = $of{member} ? int rand $of{members} : 0;
				my @key = $of{member} ? $member_key{ $of{member} }->($member) : ();
				my $x = $of{x}->();
				push @rows, [ $item, day($period), $x, sprintf('%.2f', .01 + $base * exp(($of{slope} // 0) * $x) * (.9 + rand .2) * (1 + ($of{level} // 0) * ($member % 7 - 3))), @key ];
				push @rows, [ $item, day($period), one_of([ undef, 5, @key ], [ 1, 0, @key ], [ 1, -5, @key ], [ 1, undef, @key ], @key ? [ 1, 5, undef ] : ())->@* ] if rand() < .05;
			}
		}
	}
	return shuffle @rows;
}
my %x = (
	'years' => sub { return between(0, 20) / 2 },
	'days as years' => sub { return between(0, 9999) / 365.25 },
	'one or the other' => sub { return between(0, 1) },
	'below zero' => sub { return -rand 30 },
	'a large and a small part' => sub { return 1_000_000 + rand },
	'powers of two' => sub { return 2**between(-20, 20) * one_of(-1, 1) });
for my $x (sort keys %x)
{
	my $slope = $x =~ /powers|large/ ? 0 : .02;
	expect_slope($x, 0.05, 'text', random_slope(items => 20, periods => 3, rows => [ 0, 6 ], x => $x{$x}, slope => $slope));
}
expect_slope("$_ items", 0.01, 'bigint', random_slope(items => $_, periods => 3, rows => [ 2, 6 ], x => $x{years}, slope => .01)) for 1 .. 4;
expect_slope('2,000 cells', 0.05, 'bigint', random_slope(items => 400, periods => 5, rows => [ 0, 4 ], x => $x{years}, slope => .003));
expect_slope('a slope far from chance', 0.05, 'text', random_slope(items => 300, periods => 1, rows => [ 20, 20 ], x => $x{years}, slope => .2));
for my $member (qw(bigint uuid text))
{
	for my $members (1, 2, 5, 40, 400)
	{
		for my $items (1, 2, 9)
		{
			expect_slope("$members members ($member), items: $items", 0.05, "text $member",
				random_slope(items => $items, periods => 2, rows => [ 3, 40 ], x => $x{years}, slope => .01, member => $member, members => $members, level => .02));
		}
	}
	for my $x (sort keys %x)
	{
		expect_slope("members ($member), $x", 0.1, "bigint $member", random_slope(items => 6, periods => 3, rows => [ 0, 30 ], x => $x{$x}, member => $member, members => 60, level => .01));
	}
}
expect_slope('nothing varies', 0.05, 'text', map { [ $_, day(1), 3, $_ ], [ $_, day(1), 3, 2 * $_ ] } 1 .. 5);
expect_slope('two rows', 0.05, 'text', [ 'a', day(1), 1, 10 ], [ 'a', day(1), 2, 11 ]);

# ---------- Welch's test ----------

for (1 .. 60)
{
	my @one = (between(2, one_of(3, 30, 100_000)), sprintf('%.4f', rand 100), sprintf '%.4f', .01 + rand one_of(1, 100, 1e5));
	my @other = (between(2, one_of(3, 30, 100_000)), sprintf('%.4f', rand 100), sprintf '%.4f', .01 + rand one_of(1, 100, 1e5));
	my $alpha = one_of(0.05, 0.01, 0.5);
	my $arguments = join ', ', @one, @other, $alpha;
	expect("welch_test($arguments)", 'welch_test', "SELECT (welch_test($arguments)).*", '-', @one, @other, $alpha);
}

# Means so far apart that a float cannot be as small as p.
for my $apart (0.5, 1, 1.9, 2, 2.01, 2.02, 2.03, 2.04, 2.1, 20)
{
	my @arguments = (1000, 10 + $apart, 1, 999, 10, 1.01);
	expect("tails: welch_test(@arguments)", 'welch_test', "SELECT (welch_test(@{[ join ', ', @arguments ]})).*", '-', @arguments);
}

# ---------- the answers ----------

# What others have published, first of the oracle itself.
sub figures
{
	my ($description, $type, $got, @want) = @_;
	return is(join("\n", map { "got $got->[$_], want $want[$_]" } grep { !is_same($got->[$_], $want[$_], $type) } 0 .. $#want), '', $description);
}
my @answers = ask('price_fairness',
	"benjamini_hochberg\t-\t" . join("\t", qw(.0001 .0004 .0019 .0095 .0201 .0278 .0298 .0344 .0459 .3240 .4262 .5719 .6528 .7590 1)),
	map { $_->{job} } grep { !$by_inference{ $_->{name} } } @waiting);
# Y. Benjamini and Y. Hochberg (1995): the example of their paper, as R's p.adjust() has it.
figures('the oracle: Benjamini and Hochberg', 'probability', [ map { sprintf '%.6f', $_->[0] } @{ shift @answers } ],
	qw(.0015 .0030 .0095 .035625 .0603 .063857 .063857 .0645 .0765 .486 .581182 .714875 .753231 .813214 1));

my @inferences = ask('price_inference', map { $_->{job} } grep { $by_inference{ $_->{name} } } @waiting);

my @got;
{
	my $sql = join '', map { "COPY ($_->{sql}) TO STDOUT;\nSELECT '-- end --';\n" } @waiting;
	my ($status, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0);
	@got = map { [ lines($_) ] } split /^-- end --\n?/m, $out;
	is($err, '', 'no report is an error');
}

my %answers;
for my $i (0 .. $#waiting)
{
	my $of = $waiting[$i];
	my $answer = shift @{ $by_inference{ $of->{name} } ? \@inferences : \@answers } // [];
	# Items: the statistic and what it was divided by are not shown.
	$answer = [ map { [ @$_[ 0 .. 3, 9, 10, 11 ] ] } @$answer ] if $of->{name} eq 'item_inference';
	compare($of->{description}, $of->{name}, $got[$i] // [], $answer) or diag(substr $of->{sql}, 0, 300);
	$answers{ $of->{description} } = [ $got[$i], $answer ];
}
is(join(' ', map { $node->safe_psql('postgres', $_) } @counted), join(' ', ('t') x @counted), 'with members price_gaps counts the items that price_gap_items flags');

for my $of (@in_sql)
{
	my $sql = $sql_gaps;
	my $items = $sql_items;
	for ($sql, $items)
	{
		s/SHOP/$of->{shop}{table}/g;
		s/HAS_MEMBER/$of->{shop}{member} ? "AND $member_column{ $of->{shop}{member} } IS NOT NULL" : ''/ge;
		s/REFERENCE/quoted($of->{reference})/ge;
		s/ITEM/$of->{shop}{is_number} ? 'item' : 'item COLLATE "C"'/ge;
	}
	my @by_us = map { $answers{"$of->{description}: $_($of->{arguments})"}[0] // [] } 'price_gaps', 'price_gap_items';
	compare("$of->{description}: gaps as SQL has them", 'sql_gaps', [ map { [ @$_[ 0, 2 .. 7, 10, 11 ] ] } @{ $by_us[0] } ], [ lines($node->safe_psql('postgres', "COPY ($sql) TO STDOUT")) ]);
	compare("$of->{description}: items as SQL has them", 'sql_items', [ map { [ @$_[ 0 .. 7 ] ] } @{ $by_us[1] } ], [ lines($node->safe_psql('postgres', "COPY ($items) TO STDOUT")) ]);
}

for my $side (0, 1)
{
	my $by = ('custmart', 'the oracle')[$side];
	my $row = $answers{'the worked example: price_gaps(\'0\')'}[$side][0];
	my $inference = $answers{'the worked example: inference of price_gaps(\'0\')'}[$side][0];
	my ($premium, $low, $high) = map { log 1 + $_ / 100 } @$inference[ 6 .. 8 ];
	# Half of the interval is 4.302652730 standard errors: Student's t with two degrees
	# of freedom, at 97.5 %, as its tables have it.
	figures("$by: the worked example", 'float', [ @$row[ 7, 9 ], $premium, ($high - $low) / 2 / 4.30265272975, @$row[ 10, 11 ] ],
		-15.90909090909, 8.958332441, .08579535197, .02734738473, 5, 5);
	figures("$by: ToothGrowth", 'float', [ $answers{'ToothGrowth: price_gap_items(\'VC\')'}[$side][0][10] ], .002756035977);
	figures("$by: ToothGrowth, doses as items", 'float', [ $answers{'ToothGrowth, doses as items: inference of price_gaps(\'VC\')'}[$side][0][13] ], 2.993714619);
	figures("$by: Welch", 'float', [ @{ $answers{Welch}[$side][0] }[ 3 .. 5 ] ], 2.798871953, 3.799904002, .05180736035);
}

$node->stop;
done_testing();
