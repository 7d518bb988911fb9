# Charts and the page of custmart_report(): every number on it is what the statement beside it says, names that would be
# code elsewhere are text, and a browser shows it without a word, a request or a script.  demo/report makes the pages, of
# tables of all kinds, with the right to read them and no other.
#
# One release is enough: what a chart says does not depend on the release, and test/sql/chart.sql runs on all of them.
use strict;
use warnings;
use utf8;

use File::Basename qw(dirname);
use IPC::Run ();
use JSON::PP ();
use Math::BigFloat ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my $work = PostgreSQL::Test::Utils::tempdir();
# Where test/run keeps pictures of the pages.
my $pictures = $ENV{PICTURES} || "$work/pictures";
mkdir $pictures;
my $node = PostgreSQL::Test::Cluster->new('chart');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = mod\n");
$node->start;
my $connection = 'host=' . $node->host . ' port=' . $node->port . ' dbname=shop';

sub read_file
{
	my ($path) = @_;
	open my $file, '<:encoding(UTF-8)', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>:encoding(UTF-8)', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return;
}

# Run a program; returns whether it succeeded, and what it printed.
sub run
{
	my (@command) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run(\@command, '<', \'', '>', \$out, '2>', \$err);
	utf8::decode($_) for $out, $err;
	return ($ok, $out, $err);
}

# The parts of a page as it was written: title, statement, columns, what cells show and what they stand for, and the
# texts that shapes say when they are pointed at.
sub plain
{
	my ($text) = @_;
	my %entity = (lt => '<', gt => '>', amp => '&', quot => '"');
	$text =~ s/&(?:#(\d+)|(\w+));/$1 ? chr $1 : $entity{$2}/ge;
	return $text;
}

sub parts
{
	my ($page) = @_;
	my @parts;
	while ($page =~ m{^<section class="part"><h2>(.*?)</h2>(<svg .*?</svg>)(.*?)</section>$}gms)
	{
		my ($name, $picture, $rest) = ($1, $2, $3);
		my ($statement) = $rest =~ m{<pre><code>(.*?)</code></pre>}s;
		my @rows;
		while ($rest =~ m{<tr>(<td.*?)</tr>}gs)
		{
			push @rows, [ map { my ($value, $shown) = /^<data value="(.*?)">(.*?)<\/data>$/ ? ($1, $2) : ($_, $_); { value => plain($value), shown => plain($shown) } } $1 =~ m{<td[^>]*>(.*?)</td>}gs ];
		}
		push @parts,
		  {
			name => plain($name),
			picture => $picture,
			statement => defined $statement ? plain($statement) : undef,
			columns => [ map { plain($_) } $rest =~ m{<th scope="col">(.*?)</th>}gs ],
			rows => \@rows,
			# All but the title of the picture.
			tips => [ map { plain($_) } $picture =~ m{"><title>([^<]*)</title></(?:rect|circle|path)>}g ]
		  };
	}
	return @parts;
}

# The rows that a statement returns, as psql prints them.
sub rows_of
{
	my ($user, $statement) = @_;
	my ($ok, $out, $err) = run('psql', '-X', '-q', '-At', '-F', "\x1f", '-R', "\x1e", '-P', 'null=(null)', '-d', "$connection user=$user", '-v', 'ON_ERROR_STOP=1',
		'-c', "SET timezone = 'UTC'; SET extra_float_digits = 1; SET jit = off; SET search_path = public, custmart", '-c', $statement);
	ok($ok, 'the statement runs') or diag "$statement\n$err";
	chomp $out;
	return map { [ split /\x1f/, $_, -1 ] } split /\x1e/, $out;
}

# A number as the page writes it, and back.
sub commas
{
	my ($number) = @_;
	1 while $number =~ s/^(-?\d+)(\d\d\d)/$1,$2/;
	return $number;
}

# Every cell is what the statement returned, and shows it to the digits that it shows.
sub equals
{
	my ($what, $part, @expected) = @_;
	my @wrong;
	push @wrong, scalar(@{ $part->{rows} }) . ' rows instead of ' . @expected if @{ $part->{rows} } != @expected;
	for my $row (0 .. ($#expected < $#{ $part->{rows} } ? $#expected : $#{ $part->{rows} }))
	{
		for my $column (0 .. $#{ $part->{columns} })
		{
			my ($cell, $is) = ($part->{rows}[$row][$column], allowed($expected[$row][$column]));
			my $right;
			if ($is eq '(null)') { $right = $cell->{value} eq ''; }
			elsif ($is =~ /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/ && $cell->{shown} =~ /^-?[\d,]+(?:\.(\d+))?$/)
			{
				my $decimals = length($1 // '');
				my ($value, $shown) = map { s/,//gr } @$cell{qw(value shown)};
				# Numbers are compared as numbers, because 1e-05 may be written in two ways.
				$right = $value == $is && abs($shown - $is) <= 0.5000001 * 10**-$decimals;
				$right &&= commas($shown =~ s/\..*//r) eq $cell->{shown} =~ s/\..*//r;
			}
			elsif ($is =~ /^[tf]$/) { $right = $cell->{shown} eq ($is eq 't' ? 'yes' : 'no'); }
			# JSON writes a point in time with a T.
			else { $right = $cell->{value} eq $is || $cell->{value} =~ s/T/ /r =~ s/([-+]\d\d):00$/$1/r eq $is; }
			push @wrong, "row $row, $part->{columns}[$column]: $cell->{shown} ($cell->{value}) instead of $is" if !$right;
		}
	}
	is(join('; ', @wrong[0 .. ($#wrong < 5 ? $#wrong : 5)]), '', "$what: every number is what the statement says");
	return;
}

# The statements of a page say what the page says, and its pictures say so, too.
sub is_right
{
	my ($what, $user, $page, @names) = @_;
	my @parts = parts($page);
	is(join(', ', map { $_->{name} } @parts), join(', ', @names), "$what: the pictures") if @names;
	for my $part (@parts)
	{
		my $name = "$what, $part->{name}";
		like($part->{statement} // '', qr/^SELECT /, "$name: there is a statement");
		my @expected = rows_of($user, $part->{statement});
		equals($name, $part, @expected);
		my %nth = map { $part->{columns}[$_] => $_ } 0 .. $#{ $part->{columns} };
		my $of = sub { my ($row, $column) = @_; return $expected[$row][ $nth{$column} ]; };
		my (@tips, @texts);
		if (!@expected) { push @texts, 'no rows'; }
		elsif (exists $nth{premium_pct}) { is_forest($name, $part, \@tips, \@texts, map { my $row = $_; +{ map { $_ => $of->($row, $_) } keys %nth } } 0 .. $#expected); }
		elsif (exists $nth{rate_ratio}) { is_fatigue($name, $part, \@tips, \@texts, map { my $row = $_; +{ map { $_ => $of->($row, $_) } keys %nth } } 0 .. $#expected); }
		elsif (exists $nth{rate})
		{
			for my $row (0 .. $#expected)
			{
				next unless $of->($row, 'periods_later');
				my $rate = $of->($row, 'rate');
				push @tips, period(\@expected, $nth{cohort}, $row) . ', ' . $of->($row, 'periods_later') . ' later: ' . ($rate eq '(null)' ? 'not over yet' : percent($rate));
			}
		}
		elsif (exists $nth{dormant_members} || exists $nth{churned})
		{
			my @columns = exists $nth{churned} ? ([ new_revenue => 'new' ], [ resurrected => 'back again' ], [ expansion => 'more' ], [ contraction => 'less' ], [ churned => 'churned' ], [ excess_refunds => 'excess refunds' ])
			  : ([ new_members => 'new' ], [ resurrecting_members => 'back again' ], [ dormant_members => 'dormant' ]);
			for my $row (0 .. $#expected)
			{
				for (@columns)
				{
					my ($column, $says) = @$_;
					my $value = $of->($row, $column);
					next if $value eq '(null)' || $value == 0;
					$value = -$value if $column eq 'dormant_members';
					push @tips, period(\@expected, $nth{period}, $row) . ", $says: " . commas($value);
				}
			}
		}
		elsif (exists $nth{step}) { push @texts, map { commas($of->($_, 'members')) } 0 .. $#expected; }
		elsif (grep { /^from_/ } keys %nth)
		{
			@tips = map { join(' to ', map { $_ eq '(null)' ? '(none)' : $_ } @{ $expected[$_] }[ 0, 1 ]) . ': ' . commas($of->($_, 'members')) } 0 .. $#expected;
		}
		elsif (exists $nth{avg_recency})
		{
			push @texts, map { ($of->($_, 'segment') =~ s/^\(null\)$/(none)/r) } 0 .. $#expected;
			push @texts, map { percent($of->($_, 'share')) } 0 .. $#expected;
		}
		elsif (exists $nth{avg_clv}) { @tips = map { my $row = $_; ($of->($row, 'segment') . ': ' . commas(sprintf '%.2f', $of->($row, 'clv')) . ', members ' . commas($of->($row, 'members')), $of->($row, 'segment') . ', each: ' . commas(sprintf '%.2f', $of->($row, 'avg_clv'))) } 0 .. $#expected; }
		else { @texts = table_texts($part); }
		is_deeply([ sort @{ $part->{tips} } ], [ sort @tips ], "$name: the picture says so") if @tips;
		my %said = map { plain($_) => 1 } $part->{picture} =~ m{<text[^>]*>(.*?)</text>}gs;
		is(join(', ', grep { !$said{$_} } @texts), '', "$name: the picture says so") if @texts;
	}
	return @parts;
}

# The texts of a forest plot, and that squares and intervals are where the numbers under the axis say.
sub is_forest
{
	my ($name, $part, $tips, $texts, @gaps) = @_;
	my ($reference) = sort { utf8($a) cmp utf8($b) } map { $_->{reference} } @gaps;
	push @$texts, 'premium over ' . label($reference, 18) . ' for the same thing, in %';
	my ($description) = map { plain($_) } $part->{picture} =~ m{<desc>([^<]*)</desc>};
	for my $gap (@gaps)
	{
		my ($premium, $low, $high) = map { rounded($gap->{$_}, 2) } qw(premium_pct premium_pct_low premium_pct_high);
		my $interval = defined $low && defined $high ? " ($low to $high)" : '';
		push @$texts, label($gap->{member_group}, 22), (defined $premium ? "$premium %$interval, " : '') . $gap->{verdict};
		push @$tips, allowed($gap->{member_group}) if defined $premium;
		my $said = allowed($gap->{member_group}) . ' ' . ($premium // '') . " %, $gap->{verdict}";
		ok(index($description, $said) >= 0, "$name: so does the description") or diag "$said\nis not in\n$description";
	}
	my @ticks = map { [ split / / ] } map { s/,//gr } map { "$_->[0] $_->[1]" } pairs($part->{picture} =~ m{<text class="m s c" x="([-\d.]+)"[^>]*>(-?[\d.,]+) %</text>}g);
	my $at = scale_of(@ticks);
	my @drawn = sort { $b->{premium_pct} <=> $a->{premium_pct} || utf8($a->{member_group}) cmp utf8($b->{member_group}) } grep { $_->{premium_pct} ne '(null)' } @gaps;
	my @squares = map { my ($class, $x) = @$_; [ $class, $x + 5 ] } pairs($part->{picture} =~ m{<rect class="(a q|p u)" x="([-\d.]+)"[^>]*width="10" height="10">}g);
	is(join(', ', map { $squares[$_][0] . (abs($squares[$_][1] - $at->($drawn[$_]{premium_pct})) < 0.25 ? '' : " at $squares[$_][1]") } 0 .. $#squares),
		join(', ', map { $_->{premium_pct_low} ne '(null)' && ($_->{premium_pct_low} > 0 || $_->{premium_pct_high} < 0) ? 'a q' : 'p u' } @drawn), "$name: squares are where the axis says, filled if 0 is not in the interval");
	my @intervals = grep { $_->{premium_pct_low} ne '(null)' } @drawn;
	my @lines = grep { $_->[1] == $_->[3] } map { [ split /[ L]/ ] } $part->{picture} =~ m{<path class="u" d="M([-\d.]+ [-\d.]+L[-\d.]+ [-\d.]+)"/>}g;
	is(scalar(grep { abs($lines[$_][0] - $at->($intervals[$_]{premium_pct_low})) < 0.25 && abs($lines[$_][2] - $at->($intervals[$_]{premium_pct_high})) < 0.25 } 0 .. $#lines), scalar(@intervals), "$name: and so are the intervals");
	return;
}

# The texts of a curve of fatigue, and that its points are where the numbers beside the axis say.
sub is_fatigue
{
	my ($name, $part, $tips, $texts, @rows) = @_;
	my ($tired) = sort { $a <=> $b } map { $_->{prior} } grep { $_->{is_tired} eq 't' } @rows;
	my ($last) = sort { $b <=> $a } map { $_->{prior} } @rows;
	my ($description) = map { plain($_) } $part->{picture} =~ m{<desc>([^<]*)</desc>};
	my @known = grep { $_->{rate_ratio} ne '(null)' } @rows;
	push @$texts, defined $tired ? "from $tired on they answer less" : 'no sign of fatigue';
	for my $row (@rows)
	{
		push @$tips, "$row->{prior} before: " . commas($row->{contacts}) . ' contacts';
		push @$texts, $row->{prior}, short($row->{contacts}) if $row->{prior} % int(($last + 9) / 9) == 0;
	}
	for my $row (@known)
	{
		my ($ratio, $low, $high) = map { rounded($row->{$_}, 2) } qw(rate_ratio ratio_ci_low ratio_ci_high);
		push @$tips, "$row->{prior} before: $ratio" . (defined $low && defined $high ? " ($low to $high)" : '');
	}
	is($description,
		(defined $tired ? "Members answer less from $tired contacts before on." : 'No number of contacts after which members answer less.') . (@known ? ' ' . join('; ', map { "$_->{prior} before: " . rounded($_->{rate_ratio}, 2) } sort { $a->{prior} <=> $b->{prior} } @known) : ''),
		"$name: so does the description");
	my $at = scale_of(map { [ $_->[0] - 4, $_->[1] ] } pairs($part->{picture} =~ m{<text class="m s r" x="36" y="([-\d.]+)">([\d.]+)</text>}g));
	my @points = pairs($part->{picture} =~ m{<circle class="(a q|p u)"[^>]*cy="([-\d.]+)"}g);
	is(join(', ', map { $points[$_][0] . (abs($points[$_][1] - $at->($known[$_]{rate_ratio})) < 0.25 ? '' : " at $points[$_][1]") } 0 .. $#points), join(', ', map { $_->{is_tired} eq 't' ? 'a q' : 'p u' } @known),
		"$name: points are where the axis says, filled if tired");
	return;
}

# The texts of a table in a picture: of a single row all, of several the first twelve and their first five columns.
sub table_texts
{
	my ($part) = @_;
	my @rows = @{ $part->{rows} };
	my $columns = @{ $part->{columns} };
	my $width = @rows == 1 ? 32 : int(54 / ($columns < 5 ? $columns : 5));
	my @texts = map { label($_, @rows == 1 ? 26 : int(50 / ($columns < 5 ? $columns : 5))) } @{ $part->{columns} }[ 0 .. (@rows == 1 ? $columns : $columns < 5 ? $columns : 5) - 1 ];
	for my $row (@rows > 12 ? @rows[ 0 .. 11 ] : @rows)
	{
		for my $cell (@$row[ 0 .. (@rows == 1 ? $columns : $columns < 5 ? $columns : 5) - 1 ])
		{
			my $value = $cell->{value};
			if ($value =~ /^-?[\d,]+(?:\.\d+)?(?:e[-+]?\d+)?$/) { $value =~ s/,//g; push @texts, $value =~ /^-?\d{1,7}$/ ? commas($value) : short($value); }
			elsif ($value ne '') { push @texts, label($value, $width); }
		}
	}
	return @texts;
}

sub pairs
{
	my @pairs;
	while (@_) { push @pairs, [ splice @_, 0, 2 ]; }
	return @pairs;
}

# Where a value is in a picture, given the places and values of the numbers at an axis.
sub scale_of
{
	my ($first, @others) = @_;
	my $last = $others[-1];
	my $per = ($last->[0] - $first->[0]) / ($last->[1] - $first->[1]);
	return sub { my ($value) = @_; return $first->[0] + $per * ($value - $first->[1]); };
}

sub utf8 { my ($text) = @_; utf8::encode($text); return $text; }

# A text without what XML does not allow, and as it is where there is no room for more than so many letters.
sub allowed { my ($text) = @_; return $text =~ s/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\x{fffe}\x{ffff}]/\x{fffd}/gr; }

sub label
{
	my ($text, $width) = @_;
	my $size = length($text) + length(utf8($text));
	return allowed($text) if $size <= 2 * $width;
	my $letters = int(2 * ($width - 1) * length($text) / $size);
	return allowed(substr $text, 0, $letters < 1 ? 1 : $letters) . "\x{2026}";
}

# A number with so many decimals, of which halves go away from zero, as those of numeric do; and one in three digits.
sub rounded
{
	my ($number, $decimals) = @_;
	return if $number eq '(null)';
	return commas(Math::BigFloat->new($number)->ffround(-$decimals, 'common')->bstr =~ s/^-(?=[0.]+$)//r);
}

sub short
{
	my ($number) = @_;
	my $x = Math::BigFloat->new($number);
	my $unit = '';
	for ([ 1e12, ' T' ], [ 1e9, ' B' ], [ 1e6, ' M' ], [ 10000, ' k' ])
	{
		next if abs($number) < $_->[0];
		$x->bdiv($_->[0] == 10000 ? 1000 : $_->[0], 60);
		$unit = $_->[1];
		last;
	}
	my $decimals = abs($x->numify) >= 100 ? 0 : abs($x->numify) >= 10 ? 1 : 2;
	my $text = rounded($x->bstr, $decimals);
	$text =~ s/\.?0+$// if $text =~ /\./;
	return "$text$unit";
}

# A day, or its month where all days are the first of one.
sub period
{
	my ($rows, $column, $row) = @_;
	my $day = $rows->[$row][$column];
	return (grep { $_->[$column] !~ /-01$/ } @$rows) ? $day : $day =~ s/-01$//r;
}

sub percent
{
	my ($share) = @_;
	# Halves go up, as those of numeric do.
	return commas(sprintf abs($share) < 0.0995 && $share != 0 ? '%.1f' : '%.0f', 100 * $share * (1 + 1e-14)) . ' %';
}

# Run demo/report; returns the page, and leaves it in a file.
sub report
{
	my ($what, @arguments) = @_;
	my $file = "$work/" . $what =~ s/\W+/_/gr . '.html';
	my ($ok, $out, $err) = run("$top/demo/report", '-o', $file, @arguments);
	ok($ok, "$what: demo/report makes a page") or diag $err;
	is($err, '', "$what: without a complaint");
	return -e $file ? read_file($file) : '';
}

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file("$top/test/docs/shop.sql"));
$node->safe_psql('shop', q{
	CREATE SCHEMA custmart;
	CREATE EXTENSION custmart SCHEMA custmart;
	GRANT USAGE ON SCHEMA custmart TO PUBLIC;
	ALTER DATABASE shop SET search_path = public, custmart;
	REVOKE ALL ON DATABASE shop FROM PUBLIC;
	-- Who may read one table, and may not even make a temporary one.
	CREATE ROLE reader LOGIN;
	GRANT CONNECT ON DATABASE shop TO reader;
	GRANT SELECT ON orders TO reader;
	CREATE ROLE analyst LOGIN;
	GRANT CONNECT ON DATABASE shop TO analyst;
	GRANT pg_read_all_data TO analyst;
});

# The picture that README.md and docs/chart.md show
is($node->safe_psql('shop', 'SELECT rfm_chart(json_agg(s)) FROM (SELECT (rfm_segments(rfm_book(customer_id, ordered_at, amount))).* FROM orders) s') . "\n",
	read_file("$top/docs/segments.svg"), 'docs/segments.svg is what the statement beside it returns');

# Others may be running a demo of theirs.
sub own_directories { return grep { -o } glob '/tmp/custmart-demo.*' }

# A page of an order table, by a role that may read it and nothing else.
my $made_before = $node->safe_psql('shop', 'SELECT count(*) FROM pg_class');
my @left_before = own_directories();
my $page = report('a shop', '-u', 'EUR', "$connection user=reader", 'orders', 'customer_id', 'ordered_at', 'amount');
my @parts = is_right('a shop', 'reader', $page);
is(join(', ', map { $_->{name} } @parts), 'Who the members are, Retention, Members gained and lost, Revenue gained and lost, Who orders again within a year, Lifetime value of the year ahead, Would it have been right?, What is in the table',
	'a shop: all pictures');
is($node->safe_psql('shop', 'SELECT count(*) FROM pg_class'), $made_before, 'nothing was made');
is_deeply([ own_directories() ], \@left_before, 'and nothing is left');
unlike(read_file($node->logfile), qr/user=reader.*statement: *(?!SELECT|BEGIN|SET|WITH)\w/, 'nor was anything written');
# Whoever may not read the table gets no page, and those who may read other tables are not asked for them.
my ($ok, $out, $err) = run("$top/demo/report", '-o', "$work/refused.html", "$connection user=reader", 'sales', 'customer_id', 'sold_at', 'price');
ok(!$ok && !-e "$work/refused.html", 'no page of a table that may not be read');
like($err, qr/permission denied for table sales/, 'and PostgreSQL says so');

# Tables of all kinds
$node->safe_psql('shop', q{
	SET timezone = 'UTC';
	CREATE SCHEMA "Old Sales";
	CREATE TABLE "Old Sales"."it's ""all""" AS SELECT customer_id::numeric AS "Customer", ordered_at AT TIME ZONE 'UTC' AS "At", 2 AS quantity, (amount / 2)::float8 AS price FROM orders;
	CREATE TABLE dated AS SELECT md5(customer_id::text)::uuid AS member, ordered_at::date AS day, amount::int AS amount FROM orders;
	CREATE TABLE named AS
	SELECT (ARRAY['<script>alert(1)</script>', '"><img src=x onerror=alert(2)>', 'it''s', U&'\05E9\05DC\05D5\05DD', repeat('x', 1000)])[customer_id % 5 + 1] || customer_id / 5 AS member, ordered_at, amount FROM orders;
	CREATE TABLE empty (member bigint, ordered_at timestamptz, amount numeric);
	CREATE TABLE one AS SELECT 1::bigint AS member, timestamptz '2026-01-01 12:00+00' AS ordered_at, 9.99 AS amount;
	CREATE TABLE one_often AS SELECT 1::bigint AS member, timestamptz '2024-01-01 12:00+00' + n * interval '9 days' AS ordered_at, 9.99 AS amount FROM generate_series(0, 90) n;
	CREATE TABLE once AS SELECT n AS member, timestamptz '2024-01-01 12:00+00' + n * interval '1 day' AS ordered_at, 5 + n % 7 AS amount FROM generate_series(1, 700) n;
	CREATE TABLE no_refunds AS SELECT * FROM orders WHERE amount > 0;
	CREATE TABLE refunds AS SELECT customer_id, ordered_at, -abs(amount) AS amount FROM orders;
	CREATE TABLE nothing_but_guests AS SELECT NULL::bigint AS member, ordered_at, amount FROM orders;
	CREATE TABLE decades AS SELECT n % 40 AS member, timestamptz '1999-01-01 12:00+00' + n * interval '5 days' AS ordered_at, n % 17 AS amount FROM generate_series(1, 1900) n;
	CREATE TABLE weeks AS SELECT n % 40 AS member, timestamptz '2026-01-01 12:00+00' + n * interval '3 hours' AS ordered_at, n % 17 AS amount FROM generate_series(1, 600) n;
});
my %table = (
	'names that need quotes' => [ '"Old Sales"."it\'s ""all"""', '"Customer"', '"At"', 'quantity * price' ],
	'days and uuid' => [qw(dated member day amount)],
	'members with names' => [qw(named member ordered_at amount)],
	'an empty table' => [qw(empty member ordered_at amount)],
	'one order' => [qw(one member ordered_at amount)],
	'one member' => [qw(one_often member ordered_at amount)],
	'one order each' => [qw(once member ordered_at amount)],
	'no refunds' => [qw(no_refunds customer_id ordered_at amount)],
	'refunds only' => [qw(refunds customer_id ordered_at amount)],
	'guests only' => [qw(nothing_but_guests member ordered_at amount)],
	'twenty-six years' => [qw(decades member ordered_at amount)],
	'eleven weeks' => [qw(weeks member ordered_at amount)],
	'a subquery' => [ '(SELECT * FROM orders WHERE store_id = 1) q', 'customer_id', 'ordered_at', 'amount' ]);
for my $what (sort keys %table)
{
	my $page_of = report($what, "$connection user=analyst", @{ $table{$what} });
	my @of = is_right($what, 'analyst', $page_of);
	cmp_ok(scalar(@of), '>=', 6, "$what: " . @of . ' pictures');
	cmp_ok(length $page_of, '<', 400_000, "$what: it is small");
}
like(read_file("$work/one_order_each.html"), qr{<p class="words" dir="auto">Lifetime value is not shown: no member has ordered on a second day\.</p>}, 'where no model can be fitted, the page says why');
like(read_file("$work/one_member.html"), qr{>first order</text><text[^>]*>1</text>}, 'one member is one in the funnel');
# Twenty thousand members take no more room than a hundred.
$node->safe_psql('shop', q{CREATE TABLE many AS SELECT n % 20000 AS member, timestamptz '2024-01-01 12:00+00' + n * 7919 % 17520 * interval '1 hour' AS ordered_at, n % 17 AS amount FROM generate_series(1, 100000) n});
my $many = report('many members', "$connection user=analyst", 'many', 'member', 'ordered_at', 'amount');
cmp_ok(length $many, '<', 2_000_000, '20,000 members: ' . int(length($many) / 1024) . ' kB');

# The two charts of which demo/report has none for a table of orders, beside the others in the made-up shop: groups and
# channels whose names would be code elsewhere, no rows, and one row.
$node->safe_psql('shop', q{
	SET timezone = 'UTC';
	CREATE TABLE bad AS SELECT n, name FROM unnest(ARRAY['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'it''s "quoted" & <b>bold</b>', U&'\05E9\05DC\05D5\05DD \05E2\05D5\05DC\05DD', U&'evil\202Edesrever',
		repeat('long name ', 103), U&'\4E2D\6587\987E\5BA2', E'tab\tnewline\nbell\x07 esc\x1b', '', '&lt;script&gt;', U&'\+01F600 \FFFE', '</metadata></svg><script>alert(2)</script>', ']]>', '<!-- ', '${x}', '\u003cscript>', 'javascript:alert(1)']) WITH ORDINALITY u(name, n);
	-- The first group pays what the second does; others more, and the last less.
	CREATE TABLE "<b>sales</b>" AS
	SELECT item::bigint, date '2026-01-01' + period AS period, name AS "</code>", n, 100 * n + buyer AS member,
		round(item * (1 + CASE WHEN n = 17 THEN -0.1 WHEN n > 2 THEN n / 100.0 ELSE 0 END) + (buyer * item * 7 + n * 3 + period) % 11 / 10.0, 2) AS price
	FROM bad, generate_series(5, 40) item, generate_series(0, 2) period, generate_series(1, 4) buyer;
	-- Up to eight messages in a week, of which the later ones are answered less; of the last of all it is not known yet.
	CREATE TABLE "<b>mails</b>" AS
	SELECT member::bigint, CASE WHEN octet_length(name) > 63 THEN left(name, 60) ELSE name END AS "</code>", kind, timestamptz '2026-01-01 12:00+00' + nth * interval '10 hours' + (kind = 'clicked')::int * interval '1 minute' AS at
	FROM generate_series(1, 1500) member JOIN bad ON n = member % 16 + 1, generate_series(0, member % 8) nth, unnest('{sent,clicked}'::text[]) kind
	WHERE kind = 'sent' OR (member * 31 + nth * 17) % 100 < 40 - 4 * nth;
});
my $foreign = qr/<(?!\/?(?:html|head|meta|link|title|style|body|main|h1|h2|div|section|p|svg|desc|text|rect|path|circle|details|summary|table|caption|thead|tbody|tr|th|td|data|pre|code)[ >]|!DOCTYPE)/;
my $gaps = q{SELECT (price_gaps(pricebook(item, period, "</code>", price, 1, member), reference => '<script>alert(1)</script>')).* FROM "<b>sales</b>"};
my $fatigue = q{SELECT (contact_fatigue(contact_book(member, "</code>", kind, at), respond_within => '2 hours')).* FROM "<b>mails</b>"};
for my $case (
	[ 'hostile names', "$gaps WHERE true", "$fatigue WHERE true", 16, 7 ],
	[ 'no rows', "$gaps WHERE false", "$fatigue WHERE false", 0, 0 ],
	[ 'one row', "$gaps WHERE n IN (1, 9)", "$fatigue WHERE member % 8 < 2", 1, 1 ],
	[ 'nothing to compare', "$gaps WHERE n = 1 AND period < '2026-01-02' OR n = 2 AND period > '2026-01-02'", "$fatigue WHERE kind = 'sent'", 1, 7 ])
{
	my ($what, $of_prices, $of_mails, $groups, $priors) = @$case;
	my ($made, $out, $err) = run('psql', '-X', '-q', '-At', '-d', "$connection user=analyst", '-v', 'ON_ERROR_STOP=1', '-c', "SET timezone = 'UTC'",
		'-c', "SELECT custmart_report('charts', price_gap_chart(chart_rows(\$q\$$of_prices\$q\$), '<b>Prices</b>'), fatigue_chart(chart_rows(\$q\$$of_mails\$q\$), '<b>Mails</b>'))");
	ok($made, "$what: a page of prices and mails") or diag $err;
	my @of = is_right($what, 'analyst', $out, '<b>Prices</b>', '<b>Mails</b>');
	is(join(', ', map { scalar @{ $_->{rows} } } @of), "$groups, $priors", "$what: as many rows as there should be");
	# The page has something of each kind to get wrong.
	next if $what ne 'hostile names';
	like($of[0]{picture}, qr/<rect class="$_" [^>]*height="10">/, "$what: a square of kind $_") for 'a q', 'p u';
	like($of[1]{picture}, qr/<circle class="$_" /, "$what: a point of kind $_") for 'a q', 'p u';
	unlike($out, $foreign, "$what: names never begin an element");
}

# What cannot be a page says why.
for my $case (
	[ 'no such table', qr/relation "nowhere" does not exist/, 'nowhere', 'a', 'b', 'c' ],
	[ 'no such column', qr/column "a" does not exist/, 'orders', 'a', 'ordered_at', 'amount' ],
	[ 'a time that is none', qr/amount: a time is a timestamp or a date, and this is numeric/, 'orders', 'customer_id', 'amount', 'amount' ],
	[ 'an amount that is none', qr/ordered_at: an amount is a number, and this is timestamp/, 'orders', 'customer_id', 'ordered_at', 'ordered_at' ],
	[ 'a statement in place of a table', qr/syntax error/, 'orders; DROP TABLE orders', 'customer_id', 'ordered_at', 'amount' ],
	[ 'an amount that is not finite', qr/amount .*NaN/, q{(SELECT 1::bigint AS m, timestamptz '2026-01-01' AS t, 'NaN'::float8 AS x) q}, 'm', 't', 'x' ])
{
	my ($what, $message, @arguments) = @$case;
	($ok, $out, $err) = run("$top/demo/report", '-o', "$work/refused.html", "$connection user=analyst", @arguments);
	ok(!$ok && !-e "$work/refused.html", "$what: no page");
	like($err, $message, "$what: and a reason");
}
($ok, $out, $err) = run("$top/demo/report", '-o', "$work/refused.html", '-z', 'Mars/Olympus', "$connection user=analyst", 'orders', 'customer_id', 'ordered_at', 'amount');
like($err, qr/Mars\/Olympus/, 'an unknown time zone');
ok(!$ok && !-e "$work/refused.html", 'makes no page');
is($node->safe_psql('shop', 'SELECT count(*) FROM orders'), 2000, 'the orders are still there');
($ok, $out, $err) = run("$top/demo/report", 'one', 'two');
ok(!$ok && $err =~ /demo\/report \[-o FILE\]/, 'wrong arguments: it says how to call it');

# Names that would be code elsewhere, in every place where a name can be.
my $hostile = $node->safe_psql('shop', q{
	SELECT custmart_report('<script>alert("title")</script> ', '<script>alert(3)</script>', rfm_chart(NULL, '<i>x</i>') || '<script>alert(4)</script>',
		rfm_chart((SELECT json_agg(s) FROM (SELECT name AS segment, 10 * n AS members, 100.5 * n AS monetary, 3 * n AS avg_recency, n AS avg_frequency, name AS "<script>alert('column')</script>" FROM bad) s), '<b onclick="alert(5)">', '<i>unit</i>'),
		flow_chart((SELECT json_agg(s) FROM (SELECT a.name AS "from_<x>", b.name AS "to_""x", a.n * b.n AS members FROM bad a, bad b WHERE (a.n + b.n) % 4 = 0) s)),
		price_gap_chart((SELECT json_agg(s) FROM (SELECT name AS member_group, name AS reference, n - 5 AS premium_pct, n - 6 AS premium_pct_low, n - 3.5 AS premium_pct_high, name AS verdict FROM bad) s)),
		clv_chart((SELECT json_agg(s) FROM (SELECT name AS segment, n AS members, 1e13 * (n - 3) AS clv, n - 3 AS avg_clv FROM bad) s), unit => '<i>unit</i>'),
		funnel_chart((SELECT json_agg(s) FROM (SELECT n AS step, 100 - n AS members FROM bad) s), names => (SELECT array_agg(name ORDER BY n) FROM bad)),
		retention_chart((SELECT json_agg(s) FROM (SELECT name AS cohort, p AS periods_later, 1000000 * n AS members, 0.01 * n AS rate FROM bad, generate_series(0, 3) p) s), unit => '<script>'),
		lifecycle_chart((SELECT json_agg(s) FROM (SELECT name AS period, n AS new_members, n AS resurrecting_members, 2 AS dormant_members FROM bad) s)),
		fatigue_chart((SELECT json_agg(s) FROM (SELECT n - 1 AS prior, 100 - n AS contacts, 1 - n / 20.0 AS rate_ratio, 0.9 - n / 20.0 AS ratio_ci_low, 1.1 - n / 20.0 AS ratio_ci_high, n > 5 AS is_tired, name AS "</desc>" FROM bad) s), '</title><script>alert(7)</script>'),
		table_chart(chart_rows('SELECT name AS "<b>", ''</code><script>alert(6)</script>'' AS statement FROM bad'), '<title>', '</text>'))});
utf8::decode($hostile);
write_file("$work/hostile.html", "$hostile\n");
unlike($hostile, $foreign, 'names never begin an element');
my @bad = map { [ split /\x1f/, $_ ] } split /\x1e/, (run('psql', '-X', '-At', '-F', "\x1f", '-R', "\x1e", '-d', $connection, '-c', 'SELECT n, name FROM bad ORDER BY n'))[1];
my @segments = map { $_->[0]{value} } @{ (parts($hostile))[0]{rows} };
is_deeply(\@segments, [ map { my $name = $_->[1] // ''; $name =~ s/\n\z// if $_ == $bad[-1]; $name =~ s/[\x07\x1b\x{fffe}]/\x{fffd}/g; $name } @bad ], 'names are there to the last letter');

# In a browser
sub missing
{
	my ($what, $packages, @command) = @_;
	my ($out, $err) = ('', '');
	return 0 if eval { IPC::Run::run(\@command, '<', \'', '>', \$out, '2>', \$err) };
	my $missing = "$what is not installed (Debian: $packages)";
	fail($missing) if $ENV{CI} && $ENV{FIRST};
	return $missing;
}
SKIP:
{
	my $missing = missing('Chromium', 'chromium', 'chromium', '--version') || missing('Node.js', 'nodejs', 'node', '--version');
	skip $missing, 1 if $missing;
	# axe-core comes from npm alone.
	my ($has_axe, $axe) = run('node', '-p', 'require.resolve("axe-core/axe.min.js")');
	chomp $axe;

	for my $name ('a_shop', 'hostile', 'an_empty_table')
	{
		($ok, $out, $err) = run('node', "$top/test/clients/browser.js", 'chromium', "$work/$name.html", $pictures, $has_axe ? $axe : ());
		ok($ok, "$name: the browser shows it") or diag $err;
		my %is = map { my ($what, $value) = split /: /, $_, 2; ($what => $value) } split /\n/, $out;
		is($is{requests}, '', "$name: no request to anywhere");
		is($is{messages}, '[]', "$name: no message on the console");
		is($is{scripts}, 0, "$name: no script, frame, link, picture or form");
		is($is{handlers}, '', "$name: no attribute that would do something");
		my @checks = grep { /^(?:wider|misplaced|smallest|serious)/ } sort keys %is;
		cmp_ok(scalar(@checks), '>=', 18, "$name: light and dark, at three widths");
		for my $check (@checks)
		{
			if ($check =~ /^smallest/) { cmp_ok($is{$check}, '>=', 8, "$name: $check are large enough"); }
			elsif ($check =~ /^wider/) { is($is{$check}, 0, "$name: not $check"); }
			# Names of a kilobyte are cut, but not to the width of every letter.
			elsif ($check =~ /^misplaced/) { is($is{$check}, '', "$name: nothing is $check") if $name ne 'hostile'; }
			else { is($is{$check}, '', "$name: no $check"); }
		}
		# What the browser made of the page is what was written.
		my $contents = JSON::PP->new->decode($is{contents});
		my @written = parts(read_file("$work/$name.html"));
		is_deeply(
			[ map { [ $_->{name}, $_->{statement}, $_->{columns}, $_->{rows} ] } @$contents ],
			[ map { my $part = $_; [ $part->{name}, $part->{statement}, $part->{columns}, [ map { [ map { $_->{value} } @$_ ] } @{ $part->{rows} } ] ] } @written ],
			"$name: what it shows is what is written");
		if ($name eq 'hostile')
		{
			my $text = JSON::PP->new->allow_nonref->decode($is{text});
			for (qw{<script>alert(3)</script> <script>alert(4)</script> </code><script>alert(6)</script>})
			{
				ok(index($text, $_) >= 0, "hostile: $_ is text");
			}
			is($is{title}, '<script>alert("title")</script>', 'hostile: and so is the title');
		}
		ok(-s "$pictures/$name-$_.png", "$name: a picture, $_") for map { ("$_-light", "$_-dark") } 320, 768, 1400;
	}
	note("pictures are in $pictures");
	skip 'axe-core is not installed (npm install axe-core): accessibility was not checked', 1 unless $has_axe;
}

# The BI tool of docs/chart.md, over plain views, by a role that may read them only.
SKIP:
{
	my $missing = missing('Chromium', 'chromium', 'chromium', '--version') || missing('Node.js', 'nodejs', 'node', '--version');
	skip $missing, 1 if $missing;
	skip 'Malloy is not installed (npm, with test/run --full)', 1
	  unless (run('node', '-e', 'require("@malloydata/malloy"); require("@malloydata/db-postgres"); require.resolve("@malloydata/render")'))[0];
	my $docs = read_file("$top/docs/chart.md");
	my ($views, $model, $script) = $docs =~ /^```sql\n(CREATE VIEW segments_bi.*?)^```.*?^```malloy\n(.*?)^```.*?^```js\n(.*?)^```/ms or die 'docs/chart.md is not as this test expects it';
	$node->safe_psql('shop', "SET search_path = public, custmart; $views; GRANT CONNECT ON DATABASE shop TO dashboard");
	write_file("$work/shop.malloy", $model);
	write_file("$work/shop.js", $script);
	my ($ok, $out, $err);
	{
		local @ENV{qw(PGHOST PGPORT PGDATABASE PGUSER)} = ($node->host, $node->port, 'shop', 'dashboard');
		($ok, $out, $err) = run('sh', '-c', 'cd "$0" && node shop.js', $work);
	}
	ok($ok, 'Malloy answers') or diag $err;
	($ok, $out, $err) = run('node', "$top/test/clients/browser.js", 'chromium', "$work/shop.html", $pictures);
	ok($ok, 'and a browser shows it') or diag $err;
	my %is = map { my ($what, $value) = split /: /, $_, 2; ($what => $value) } split /\n/, $out;
	is("$is{requests}|$is{messages}", '|[]', 'without a request or a message');
	my $text = JSON::PP->new->allow_nonref->decode($is{text});
	my @expected = rows_of('dashboard', 'SELECT segment, members FROM public.segments_bi');
	is(join(', ', map { "$_->[0] $_->[1]" } grep { index($text, $_->[0] . commas($_->[1])) < 0 } @expected), '', 'the members of every segment are there');
}

# Where custmart is not installed, in a server of its own; and the made-up shop. These take a minute to build.
SKIP:
{
	skip 'demo/report in a private server: test/run --full', 1 unless $ENV{FULL};
	$node->safe_psql('postgres', 'CREATE DATABASE plain');
	$node->safe_psql('plain', read_file("$top/test/docs/shop.sql"));
	$node->safe_psql('plain', 'GRANT SELECT ON orders TO reader');
	my $file = "$work/copied.html";
	($ok, $out, $err) = run("$top/demo/report", '-o', $file, '-u', 'EUR', $connection =~ s/dbname=shop/dbname=plain user=reader/r, 'orders', 'customer_id', 'ordered_at', 'amount');
	ok($ok, 'a page of a database without custmart') or diag $err;
	is(read_file($file), $page, 'is the same page');
	$file = "$work/made_up.html";
	($ok, $out, $err) = run("$top/demo/report", '-o', $file);
	ok($ok, 'a page of the made-up shop') or diag $err;
	is(scalar(parts(read_file($file))), 12, 'with all pictures');
	is_deeply([ own_directories() ], \@left_before, 'and nothing is left');
}

$node->stop;
done_testing();
