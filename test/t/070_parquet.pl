# Sets of tags, bit for bit: what custmart stores against an implementation in
# Perl, written from the Parquet format's BloomFilter.md and the description of
# XXH64, both checked by figures that others have published.  In databases of
# several encodings, because a tag is hashed as UTF-8 in all of them.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;
no warnings 'portable';

use Digest::MD5 ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max min);
use MIME::Base64 qw(encode_base64);
use POSIX qw(log1p);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

# ---------- XXH64, seed 0 ----------

my ($p1, $p2, $p3, $p4, $p5) =
  (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5);

# Sums and products wrap around under "use integer" as registers do; shifts would
# keep the sign there, so they are done outside.
sub product { use integer; return $_[0] * $_[1] }
sub sum { use integer; return $_[0] + $_[1] }
sub rotate { return $_[0] << $_[1] | $_[0] >> 64 - $_[1] }
sub mix { return product(rotate(sum($_[0], product($_[1], $p2)), 31), $p1) }

sub xxh64
{
	my ($bytes) = @_;
	my $hash = $p5;
	my $at = 0;

	if (length $bytes >= 32)
	{
		my @lane = (sum($p1, $p2), $p2, 0, product($p1, -1));
		for (; $at + 32 <= length $bytes; $at += 32)
		{
			my @word = unpack 'Q<4', substr $bytes, $at, 32;
			$lane[$_] = mix($lane[$_], $word[$_]) for 0 .. 3;
		}
		$hash = 0;
		$hash = sum($hash, rotate($lane[$_], (1, 7, 12, 18)[$_])) for 0 .. 3;
		$hash = sum(product($hash ^ mix(0, $lane[$_]), $p1), $p4) for 0 .. 3;
	}
	$hash = sum($hash, length $bytes);
	for (; $at + 8 <= length $bytes; $at += 8)
	{
		$hash ^= mix(0, unpack 'Q<', substr $bytes, $at, 8);
		$hash = sum(product(rotate($hash, 27), $p1), $p4);
	}
	if ($at + 4 <= length $bytes)
	{
		$hash ^= product(unpack('L<', substr $bytes, $at, 4), $p1);
		$hash = sum(product(rotate($hash, 23), $p2), $p3);
		$at += 4;
	}
	$hash = product(rotate($hash ^ product($_, $p5), 11), $p1) for unpack 'C*', substr $bytes, $at;
	$hash = product($hash ^ $hash >> 33, $p2);
	$hash = product($hash ^ $hash >> 29, $p3);
	return $hash ^ $hash >> 32;
}

# From the tests of xxhash for Go (cespare) and of readers of Parquet, and from the
# manual of xxhash for Python.
my %published = (
	'' => 'ef46db3751d8e999',
	'a' => 'd24ec4f1a98c6e5b',
	'as' => '1c330fb2d66be179',
	'asd' => '631c37ce72a97393',
	'asdf' => '415872f599cea71e',
	'abc' => '44bc2cf5ad770999',
	'hello' => '26c7827d889f6da3',
	'parquet' => '3c9d29275c52e429',
	'Nobody inspects the spammish repetition' => 'fbcea83c8a378bf1',
	'Call me Ishmael. Some years ago--never mind how long precisely-' => '02a2e85470d6fd96');
is(sprintf('%016x', xxh64($_)), $published{$_}, "XXH64 of \"$_\"") for sort keys %published;

# ---------- the filter ----------

my @salt = (0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31);

# Numbers of the bits that a hash has in a filter of 2^k blocks of 8 words of 32
# bits; Perl's vec() counts bits as little-endian words do.
sub bits_of
{
	my ($hash, $k) = @_;
	my $block = ($hash >> 32) * (1 << $k) >> 32;
	return map { $block * 256 + $_ * 32 + ((product($hash & 0xffffffff, $salt[$_]) & 0xffffffff) >> 27) } 0 .. 7;
}

sub insert
{
	my ($filter, $k, @hashes) = @_;
	for my $hash (@hashes)
	{
		vec($filter, $_, 1) = 1 for bits_of($hash, $k);
	}
	return $filter;
}

sub blocks { return unpack '(a32)*', $_[0] }

# Every block written twice; blocks 2i and 2i + 1 in one.
sub raised { return join '', map { $_ x (1 << $_[1]) } blocks($_[0]) }
sub halved
{
	my ($filter) = @_;
	my @blocks = blocks($filter);
	return join '', map { $blocks[ 2 * $_ ] | $blocks[ 2 * $_ + 1 ] } 0 .. @blocks / 2 - 1;
}

# The rate of false positives that n tags in 2^k blocks are expected to have: j of
# the tags share the block that is asked, and set each of its words' bits with
# probability 1 - (31/32)^j.
sub rate
{
	my ($n, $k) = @_;
	my $p = 1 / (1 << $k);
	return (1 - (31 / 32)**$n)**8 if $k == 0;
	my $probability = exp($n * log1p(-$p));
	my $rate = 0;
	return 1 if $n * $p > 100;
	for my $j (0 .. min($n, 400))
	{
		$rate += $probability * (1 - (31 / 32)**$j)**8;
		$probability *= ($n - $j) / ($j + 1) * $p / (1 - $p);
	}
	return $rate;
}
# Figures that others have worked out.
is(sprintf('%.1e', rate(@$_[ 0, 1 ])), $_->[2], "$_->[0] tags in 2^$_->[1] blocks")
  for [ 10, 0, '3.0e-05' ], [ 16, 0, '6.3e-04' ], [ 24, 0, '6.5e-03' ], [ 32, 0, '2.7e-02' ], [ 32, 1, '9.4e-04' ], [ 64, 1, '3.0e-02' ];

# The smallest filter that keeps the rate at 0.1 % or below.
sub log2_for
{
	my ($n) = @_;
	my $k = 0;
	$k++ while $k < 22 && rate($n, $k) > 0.001;
	return $k;
}

# ---------- sets ----------

# A set is { hashes => { hash => 1, ... } } as long as it is exact, and then
# { filter, k, grain }.
my %hash;
sub hash_of { return $hash{ $_[0] } //= xxh64($_[0]) }

# The set of a filter, or none, and of hashes: as large as either calls for.
sub make
{
	my ($filter, $hashes, $expected) = @_;
	my $n = keys %$hashes;
	return { hashes => $hashes } if !$filter && $n <= 32;
	my $k = max($filter ? $filter->{k} : 0, log2_for(max($n, $expected // 0)));
	return {
		k => $k,
		grain => $filter ? $filter->{grain} : $k,
		filter => insert($filter ? raised($filter->{filter}, $k - $filter->{k}) : "\0" x (32 << $k), $k, keys %$hashes) };
}
sub set_of { return make(undef, { map { (hash_of($_) => 1) } @_ }) }

# Filters come to the size of the largest; exact sets are kept as hashes till then.
sub union
{
	my @filters = grep { $_->{filter} } @_;
	my %hashes = map { %{ $_->{hashes} // {} } } @_;
	return make(undef, \%hashes) unless @filters;
	my %all = (k => max(map { $_->{k} } @filters), grain => min(map { $_->{grain} } @filters));
	$all{filter} = "\0" x (32 << $all{k});
	$all{filter} |= raised($_->{filter}, $all{k} - $_->{k}) for @filters;
	return make(\%all, \%hashes);
}

sub added
{
	my ($set, $tag) = @_;
	return make($set->{filter} ? $set : undef, { %{ $set->{hashes} // {} }, hash_of($tag) => 1 });
}

# The cast to tagbloom(n), written or by assignment.
sub resized
{
	my ($set, $n, $is_explicit) = @_;
	my $k = log2_for($n);
	my %new = %$set;
	return $set if !$set->{filter} || ($k < $set->{k} && !$is_explicit);
	$new{filter} = raised($set->{filter}, $k - $set->{k}) if $k > $set->{k};
	$new{filter} = halved($new{filter}) for $k .. $set->{k} - 1;
	@new{qw(k grain)} = ($k, min($k, $set->{grain}));
	return \%new;
}

# As it is stored: kind 4, version 1; then the hashes in ascending order, or the
# filter.
sub stored
{
	my ($set) = @_;
	return pack('C4', 4, 1, $set->{k}, 0x80 | $set->{grain}) . $set->{filter} if $set->{filter};
	my @hashes = sort { $a <=> $b } keys %{ $set->{hashes} };
	return pack 'C4Q>*', 4, 1, 0, scalar(@hashes), @hashes;
}

# Keys of Perl's hashes are texts; numbers over 2^63 must come back as integers.
is(stored({ hashes => { '18446744073709551615' => 1, '9' => 1 } }), pack('C4 H32', 4, 1, 0, 2, '0' x 15 . '9' . 'f' x 16), 'hashes are written as integers');

# ---------- the server ----------

my $node = PostgreSQL::Test::Cluster->new('parquet');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;
$ENV{PGCLIENTENCODING} = 'UTF8';
$node->safe_psql('postgres', "CREATE DATABASE shop ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");

my $dir = PostgreSQL::Test::Utils::tempdir();
my @scripts = ('tag', 'Größe', 'Київ', '東京', '🛒 und', 'a "quoted" \\, {one}', '  blanks  ');
my @tags = map { "$scripts[$_ % @scripts] $_" } 0 .. 99_999;
# All lengths that XXH64 treats differently, and the longest.
$tags[$_] = substr('0123456789' x 110, 0, $_) for 1 .. 100;
$tags[101] = 'x' x 1024;
$tags[102] = 'я' x 512;
$tags[103] = '🛒' x 256;
$tags[104] = ' ';
$tags[105] = "\t\n";

sub quote { return q{E'} . ($_[0] =~ s/([\\'])/\\$1/gr) . q{'} }
sub array { return 'ARRAY[' . join(', ', map { quote($_) } @_) . ']::text[]' }
sub literal { return quote('{' . join(',', map { '"' . s/(["\\])/\\$1/gr . '"' } @_) . '}') . '::tagbloom' }

sub copy_tags
{
	my ($database, $table, @tags) = @_;
	PostgreSQL::Test::Utils::append_to_file("$dir/$database.$table",
		join '', map { "$_\t" . ($tags[$_] =~ s/\\/\\\\/gr =~ s/\t/\\t/gr =~ s/\n/\\n/gr) . "\n" } 0 .. $#tags);
	$node->safe_psql($database, "CREATE TABLE $table (id int PRIMARY KEY, tag text); COPY $table FROM '$dir/$database.$table' (ENCODING 'UTF8')");
	return;
}
$node->safe_psql('shop', q{
	CREATE EXTENSION custmart;
	CREATE FUNCTION tagbloom_of(bytes bytea) RETURNS tagbloom LANGUAGE sql IMMUTABLE
	RETURN ('tagbloom:' || translate(encode(bytes, 'base64'), E'\n', ''))::tagbloom;
});
copy_tags('shop', 'tag', @tags);

# One for each database.
my %session;
sub session { return $session{ $_[0] } //= Session->new($node, $_[0]) }

# Compares sets: expression in SQL => set.
sub compare
{
	my ($database, $description, @pairs) = @_;
	my @expressions = @pairs[ grep { $_ % 2 == 0 } 0 .. $#pairs ];
	my @sets = @pairs[ grep { $_ % 2 == 1 } 0 .. $#pairs ];
	my @got = split /\n/, session($database)->sql(join '', map { "SELECT encode(tagbloom_send($_), 'hex');\n" } @expressions), -1;
	my @different = grep { ($got[$_] // '') ne unpack('H*', stored($sets[$_])) } 0 .. $#sets;
	ok(@sets && !@different, $description)
	  or diag(join "\n", scalar(@different) . ' of ' . scalar(@sets) . ' differ',
		map { substr($expressions[$_], 0, 300), 'got  ' . substr($got[$_] // 'nothing', 0, 200), 'want ' . substr(unpack('H*', stored($sets[$_])), 0, 200) } grep { defined } @different[ 0 .. 2 ]);
	return;
}

# A filter that Parquet's Java library wrote (data/bloom_filter.xxhash.bin of
# apache/parquet-testing): four strings in 1,024 bytes.  The blocks that are not
# zero:
{
	my %block = (
		4 => '0000100000020000000400008000000000020000000000800000001000000008',
		5 => '0000800000000010010000000000001020000000000020000000004000000800',
		7 => '0400000000004000000040000000080000000004002000001000000002000000',
		10 => '0000200000080000000100000000002000008000000000080001000000100000');
	my $file = join '', map { pack 'H64', $block{$_} // '0' x 64 } 0 .. 31;
	my @strings = qw(hello parquet bloom filter);
	my %empty = (k => 5, grain => 5, filter => "\0" x 1024);

	is(unpack('H*', insert($empty{filter}, 5, map { hash_of($_) } @strings)), unpack('H*', $file), 'the filter of a Parquet file, made here');
	my $stored = { %empty, filter => $file };
	my $empty = q{tagbloom_of('\x} . unpack('H*', stored(\%empty)) . q{')};
	compare('shop', 'and made by custmart',
		"($empty || 'hello' || 'parquet' || 'bloom' || 'filter')" => $stored,
		"($empty | '{filter,bloom,parquet,hello}')" => $stored);
	is( $node->safe_psql('shop', q{SELECT tag_list(tagbloom_of('\x} . unpack('H*', stored($stored)) . q{'), '{absent,bloom,xyzzy,filter,Hello,hello,parquet}')}),
		'{bloom,filter,hello,parquet}', 'and read by it');
}

# Exact sets, by all ways to make one.
sub ways
{
	my (@of) = @_;
	my $array = array(@of);
	my $set = set_of(@of);
	return (
		"tags(VARIADIC $array)" => $set,
		"$array\::tagbloom" => $set,
		literal(@of) => $set,
		"(SELECT coalesce(tag_agg(tag), '{}') FROM unnest($array) tag)" => $set,
		"(SELECT coalesce(rollup(tags(tag)), '{}') FROM unnest($array) tag)" => $set,
		"tags(to_jsonb($array))" => $set);
}
for my $n (0, 1, 2, 31, 32)
{
	my @of = @tags[ 100 .. 99 + $n ];
	compare('shop', "$n tags, exact", ways(@of), ways(@of, reverse @of), join(' || ', "'{}'::tagbloom", map { quote($_) } @of) => set_of(@of));
}
compare('shop', 'tags of all lengths', map { ways($tags[$_]) } 1 .. 100, 101 .. 105);

# Filters
for my $n (33, 62, 63, 123, 124, 244, 245, 1000)
{
	compare('shop', "$n tags, a filter", ways(@tags[ 300 .. 299 + $n ]));
}
for my $n (15_522, 15_523, 99_999)
{
	compare('shop', "$n tags, a filter", "(SELECT tag_agg(tag) FROM tag WHERE id BETWEEN 1 AND $n)" => set_of(@tags[ 1 .. $n ]),
		"(SELECT tags(VARIADIC array_agg(tag)) FROM tag WHERE id BETWEEN 1 AND $n)" => set_of(@tags[ 1 .. $n ]));
}
# Tags that are there already do not make 32 more.
compare('shop', 'the 33rd tag', '(' . literal(@tags[ 1 .. 32 ]) . " || '0' || '01' || '012')" => set_of(@tags[ 1 .. 32 ]),
	'(' . literal(@tags[ 1 .. 32 ]) . ' | ' . literal(@tags[ 10 .. 20 ]) . ')' => set_of(@tags[ 1 .. 32 ]),
	'(' . literal(@tags[ 1 .. 32 ]) . " || 'one more')" => set_of(@tags[ 1 .. 32 ], 'one more'));

# With a number of tags expected.
{
	my @some = @tags[ 1 .. 40 ];
	compare('shop', 'tag_agg() with a number of tags expected',
		map {
			my $expected = $_;
			("(SELECT tag_agg(tag, $expected) FROM tag WHERE id BETWEEN 1 AND 40)" => make(undef, { map { (hash_of($_) => 1) } @some }, $expected),
				"(SELECT tag_agg(tag, $expected) FROM tag WHERE id BETWEEN 1 AND 32)" => set_of(@tags[ 1 .. 32 ]))
		} 1, 40, 62, 63, 10_000, 200_000);
}

# Sizes: where the next one begins.  The largest filter takes 128 MB.
{
	my ($filter, $most) = ('(SELECT tag_agg(tag) FROM tag WHERE id BETWEEN 1 AND 33)', 0);
	for my $k (1 .. 22)
	{
		# The most tags that the size before takes, by halving.
		my ($low, $high) = (1 << $k, 32 << $k);
		while ($low < $high)
		{
			my $middle = int(($low + $high + 1) / 2);
			if (rate($middle, $k) <= 0.001) { $low = $middle }
			else { $high = $middle - 1 }
		}
		$most = $low;
		next if $k < 2 || $k > 18;
		is( $node->safe_psql('shop', "SELECT length(tagbloom_send($filter\::tagbloom($most))), length(tagbloom_send($filter\::tagbloom(" . ($most + 1) . ')))'),
			(4 + (32 << $k)) . '|' . (4 + (64 << $k)), "$most tags are the most for 2^$k blocks");
	}
	my ($status, $out, $err) = $node->psql('shop', "SELECT NULL::tagbloom($most), NULL::tagbloom(" . ($most + 1) . ')');
	like($err, qr/from 1 to $most, not @{[ $most + 1 ]}/, "$most tags are the most of all");
}

# Casts: raised and halved, and back; the same whether by columns or written.
{
	my @pairs;
	for my $n (33, 200, 3000)
	{
		my $set = set_of(@tags[ 1000 .. 999 + $n ]);
		my $sql = "(SELECT tag_agg(tag) FROM tag WHERE id BETWEEN 1000 AND 999 + $n)";
		for my $other (1, 17, 18, 62, 500, 3000, 20_000)
		{
			push @pairs, "$sql\::tagbloom($other)" => resized($set, $other, 1),
			  "tagbloom($sql, $other, false)" => resized($set, $other, 0),
			  "$sql\::tagbloom($other)::tagbloom($n)" => resized(resized($set, $other, 1), $n, 1);
		}
		ok(stored(resized(resized($set, 50_000, 1), $n, 1)) eq stored($set), "$n tags raised and halved back are what they were");
		# A filter that was halved is the one of that size: no trace of where it came from.
		my $small = { k => 1, grain => 1, filter => insert("\0" x 64, 1, map { hash_of($_) } @tags[ 1000 .. 999 + $n ]) };
		ok(stored(resized($set, 32, 1)) eq stored($small), "$n tags halved are the smaller filter of the same tags");
	}
	push @pairs, literal(@tags[ 1 .. 32 ]) . '::tagbloom(5000)' => set_of(@tags[ 1 .. 32 ]);
	compare('shop', 'tagbloom(n)', @pairs);

	$node->safe_psql('shop', 'CREATE TABLE sized (id int, tags tagbloom(1000))');
	my $filter = set_of(@tags[ 1 .. 40 ]);
	my $large = set_of(@tags[ 1 .. 2000 ]);
	PostgreSQL::Test::Utils::append_to_file("$dir/sized.copy", "1\ttagbloom:" . encode_base64(stored($filter), '') . "\n2\ttagbloom:" . encode_base64(stored($large), '') . "\n");
	$node->safe_psql('shop', qq{
		COPY sized FROM '$dir/sized.copy';
		CREATE TABLE any_size (id int, tags tagbloom);
		COPY any_size FROM '$dir/sized.copy';
		COPY any_size TO '$dir/sized.binary' (FORMAT binary);
		UPDATE any_size SET id = id + 2;
		INSERT INTO sized TABLE any_size;
		UPDATE any_size SET id = id + 2;
		COPY any_size TO '$dir/other.binary' (FORMAT binary);
		COPY sized FROM '$dir/other.binary' (FORMAT binary)});
	compare('shop', 'columns of type tagbloom(n), by COPY, INSERT and binary COPY',
		map { ("(SELECT tags FROM sized WHERE id = $_)" => $_ % 2 ? resized($filter, 1000, 0) : $large) } 1 .. 6);
}

# Unions of all sizes with each other, by | and by rollup().
{
	my (%sql, %set);
	for my $n (0, 5, 32, 33, 70, 300, 5000)
	{
		$sql{$n} = $n == 0 ? "'{}'::tagbloom" : "(SELECT tag_agg(tag) FROM tag WHERE id BETWEEN $n AND 2 * $n - 1)";
		$set{$n} = set_of(@tags[ $n .. 2 * $n - 1 ]);
	}
	$sql{raised} = "$sql{33}::tagbloom(2000)";
	$set{raised} = resized($set{33}, 2000, 1);
	$sql{halved} = "$sql{5000}::tagbloom(100)";
	$set{halved} = resized($set{5000}, 100, 1);
	my @pairs;
	for my $one (sort keys %sql)
	{
		for my $other (sort keys %sql)
		{
			push @pairs, "($sql{$one} | $sql{$other})" => union($set{$one}, $set{$other}),
			  "(SELECT rollup(t) FROM (VALUES ($sql{$one}), (NULL), ($sql{$other})) v (t))" => union($set{$one}, $set{$other}),
			  "(SELECT rollup(t) FROM (VALUES ($sql{$one}), ($sql{raised}), ($sql{$other}), ($sql{5})) v (t))" => union(@set{ $one, 'raised', $other, 5 });
		}
	}
	compare('shop', 'unions', @pairs);
	compare('shop', 'unions of one filter and many exact sets',
		map {
			my $name = $_;
			map { ("(SELECT rollup(t) FROM (SELECT tags(tag) FROM tag WHERE id BETWEEN 6001 AND 6000 + $_ UNION ALL SELECT $sql{$name}) v (t))" => union($set{$name}, map { set_of($_) } @tags[ 6001 .. 6000 + $_ ])) } 1, 100, 3000
		} 33, 300, 5000, 'raised', 'halved');
}

# Any sequence of all that can be done with a set.
{
	srand 20260101;
	my $any;
	$any = sub {
		my ($depth) = @_;
		if ($depth == 0 || rand() < 0.1)
		{
			my $n = int(rand() < 0.5 ? rand 20 : rand() < 0.8 ? rand 100 : rand 600);
			my $first = 200 + int rand 2000;
			return ("(SELECT coalesce(tag_agg(tag), '{}') FROM tag WHERE id >= $first AND id < $first + $n)", set_of(@tags[ $first .. $first + $n - 1 ]));
		}
		my ($sql, $set) = $any->($depth - 1);
		my $what = int rand 7;
		if ($what <= 1)
		{
			my ($other, $other_set) = $any->(int rand $depth);
			return ("($sql | $other)", union($set, $other_set));
		}
		if ($what == 2)
		{
			my $tag = $tags[ int rand 3000 ];
			$tag = 'zero' if $tag eq '';
			return ("($sql || " . quote($tag) . ')', added($set, $tag));
		}
		if ($what <= 4)
		{
			my $n = 1 + int(rand() < 0.5 ? rand 100 : rand 5000);
			my $is_explicit = int rand 2;
			return ("tagbloom($sql, $n, $is_explicit\::boolean)", resized($set, $n, $is_explicit));
		}
		if ($what == 5)
		{
			my ($second, $second_set) = $any->(int rand $depth);
			my ($third, $third_set) = $any->(int rand $depth);
			return ("(SELECT rollup(t) FROM (VALUES ($second), ($sql), (NULL), ($third), ($sql)) v (t))", union($second_set, $set, $third_set));
		}
		return ("$sql\::text::tagbloom", $set);
	};
	for my $depth (1 .. 5)
	{
		compare('shop', "200 sequences, up to $depth deep", map { $any->($depth) } 1 .. 200);
	}
}

# A filter that was made here answers as the format says, yes and no.
{
	my $set = set_of(@tags[ 1 .. 500 ]);
	my $small = resized($set, 200, 1);
	my @said = grep {
		my $tag = $_;
		!grep { !vec $small->{filter}, $_, 1 } bits_of(hash_of($tag), $small->{k})
	} @tags[ 1 .. 30_000 ];
	cmp_ok(scalar(@said), '>', 520, 'the filter is full enough to say yes wrongly');
	my $filter = q{tagbloom_of('\x} . unpack('H*', stored($small)) . q{')};
	is( $node->safe_psql('shop', qq{
		CREATE TABLE asked AS SELECT id, tag, $filter AS tags FROM tag WHERE id BETWEEN 1 AND 30000;
		SELECT count(*), md5(string_agg(tag, '|' ORDER BY id)) FROM asked WHERE tags ? tag;
		SELECT count(*), md5(string_agg(tag, '|' ORDER BY id)) FROM asked WHERE tags ?& ARRAY[tag] AND tags ?| ARRAY[tag] AND tags @> tags(tag);
		SELECT cardinality(list), md5(array_to_string(list, '|')) FROM (SELECT tag_list($filter, array_agg(tag ORDER BY id)) FROM asked) x (list);
	}), join("\n", (scalar(@said) . '|' . Digest::MD5::md5_hex(join '|', @said)) x 3), 'custmart says yes to the same tags');
}

# ---------- encodings ----------

my %alphabet = (
	UTF8 => [ 'é', 'ß', 'Ünal', 'ж', '東', 'カ', '🛒', "e\xcc\x81" ],
	LATIN1 => [ 'é', 'ß', 'Ünal', 'naïve', '£5', '½' ],
	EUC_JP => [ '東京', 'カ', 'かな', 'ж', '会員', 'α' ],
	WIN1251 => [ 'Київ', 'друг', 'щ', '№ 5', '«vip»', 'ё' ]);
for my $encoding (sort keys %alphabet)
{
	my $database = lc "in_$encoding";
	my ($status, $out, $err) = $node->psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	is($status, 0, "a database in $encoding") or diag($err), next;
	my @letters = @{ $alphabet{$encoding} };
	my @all = (@letters, map { "plain $_" } 1 .. 5);
	my @many = map { "$letters[$_ % @letters] $_" } 1 .. 300;
	$node->safe_psql($database, 'CREATE EXTENSION custmart');
	copy_tags($database, 'tag', @many);
	compare($database, "$encoding: the same bytes",
		ways(@all), (map { ways($_) } @letters), ways(@many),
		'(SELECT tag_agg(tag) FROM tag)' => set_of(@many),
		qq<tags('{"$letters[0]": ["$letters[1]", "$letters[2]"]}'::jsonb)> => set_of("$letters[0]=$letters[1]", "$letters[0]=$letters[2]"),
		"tags_if('$letters[0]', true, '$letters[1]', false)" => set_of($letters[0]));
	is( $node->safe_psql($database, "SELECT count(*) FILTER (WHERE tags ? tag), bool_and(tags ?& array_agg), tag_list(tags, ARRAY['$letters[0] 0', tag_agg]) = ARRAY[tag_agg]
		FROM tag, (SELECT tag_agg(tag), array_agg(tag), min(tag COLLATE \"C\") AS tag_agg FROM tag) x (tags, array_agg, tag_agg) GROUP BY tags, tag_agg"),
		'300|t|t', "$encoding: and the same tags");

	# A query as it is stored: kind 5, version 1, two zeros, the number of nodes; nodes
	# in prefix order, 1 tag with its length, 2 not, 3 and, 4 or, with how many follow.
	my ($a, $b, $c) = @letters;
	my $bytes = pack('C4 N', 5, 1, 0, 0, 6) . pack('C N', 3, 2) . pack('C n/a', 1, $a) . pack('C', 2) . pack('C N', 4, 2) . pack('C n/a', 1, $b) . pack('C n/a', 1, $c);
	my $query = qq{"$a" & !("$b" | "$c")};
	is( $node->safe_psql($database, qq{SELECT encode(tagquery_send('$query'), 'hex'), '{"$a"}' @@ tagquery '$query', '{"$a","$b"}' @@ tagquery '$query', '$query'::tagquery::text}),
		unpack('H*', $bytes) . '|t|f|' . ($query =~ s/"(\S+)"/$1/gr), "$encoding: queries, too");

	# The longest tag is 1024 bytes of UTF-8, whatever it is here.
	my $letter = $letters[0] =~ s/^((?:[\xc0-\xff][\x80-\xbf]+)).*/$1/sr;
	my $most = int(1024 / length $letter);
	compare($database, "$encoding: $most letters", map { $_ => set_of($letter x $most) } "tags(repeat('$letter', $most))", "('{' || repeat('$letter', $most) || '}')::tagbloom");
	for my $sql ("tags(repeat('$letter', $most + 1))", "('{' || repeat('$letter', $most + 1) || '}')::tagbloom", "repeat('$letter', $most + 1)::tagquery",
		"tags('x') ? repeat('$letter', $most + 1)")
	{
		my ($out, $err) = session($database)->query("\\set VERBOSITY verbose\nSELECT $sql");
		like($err, qr/ERROR:  (?:22023|22P02): .*(?:@{[ length($letter) * ($most + 1) ]}|1024) bytes|ERROR:  22P02: .*\nDETAIL:  .*more than 1024 bytes/, "$encoding: one more letter is too much, $sql");
	}
}

# Bytes that are no text in UTF-8
sub error_in
{
	my ($database, $sql) = @_;
	my ($out, $err) = session($database)->query("\\set VERBOSITY verbose\nSELECT $sql");
	return $err || "no error: $out";
}
sub everywhere
{
	my ($tag) = @_;
	return (
		"tags($tag)", "ARRAY[$tag]::tagbloom", "('{' || $tag || '}')::tagbloom", "('{a,\"' || $tag || '\"}')::tagbloom", "(SELECT tag_agg($tag))",
		"(SELECT tag_agg($tag, 50))", "tags_if($tag, true)", "tags('x') ? $tag", "tags('x') ?| ARRAY[$tag]", "tags('x') ?& ARRAY['x', $tag]", "has_tag(tags('x'), $tag)",
		"tags('x') || $tag", "tags('x') - $tag", "tag_list(tags('x'), ARRAY[$tag])", "$tag\::tagquery", "('a & \"' || $tag || '\"')::tagquery");
}
$node->safe_psql('postgres', "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
$node->safe_psql('bytes', 'CREATE EXTENSION custmart');
compare('bytes', 'SQL_ASCII: UTF-8 is taken as it is', ways(@{ $alphabet{UTF8} }, 'plain'));
for my $invalid ("E'vip\\xff'", "E'\\xc3'", "E'\\xc0\\xaf'", "E'\\xed\\xa0\\x80'", "E'\\xf4\\x90\\x80\\x80'")
{
	my @wrong = grep { error_in('bytes', $_) !~ /ERROR:  22021: .*UTF-8\n(?:LINE .*\n *\^\n)?HINT:/ } everywhere($invalid);
	is(join("\n", map { "$_: " . error_in('bytes', $_) } @wrong), '', "SQL_ASCII: $invalid is refused");
}
for my $untranslatable ([ 'in_euc_jp', "E'\\xa2\\xaf'" ], [ 'in_win1251', "E'\\x98'" ])
{
	my ($database, $tag) = @$untranslatable;
	my @wrong = grep { error_in($database, $_) !~ /ERROR:  22P05: .*UTF-8\n(?:LINE .*\n *\^\n)?HINT:/ } everywhere($tag);
	is(join("\n", map { "$_: " . error_in($database, $_) } @wrong), '', "$database: $tag, which UTF-8 does not have, is refused");
}

# Sets travel between encodings; a query can be asked anywhere, and printed where
# its tags can be written.
{
	my $set = $node->safe_psql('in_latin1', q{SELECT tags('Größe', 'naïve')});
	is($node->safe_psql('in_utf8', "SELECT '$set'::tagbloom ?& ARRAY['Größe', 'naïve'], '$set' = tags('naïve', 'Größe')"), 't|t', 'a set of one database in another');
	$node->safe_psql('in_utf8', qq{COPY (SELECT '"東京" | é'::tagquery) TO '$dir/query' (FORMAT binary)});
	is($node->safe_psql('in_latin1', qq{CREATE TABLE query (q tagquery); COPY query FROM '$dir/query' (FORMAT binary); SELECT tags('é') @@ q, tags('e') @@ q FROM query}),
		't|f', 'a query of one database in another');
	like(error_in('in_latin1', 'q::text FROM query'), qr/ERROR:  22P05: .*LATIN1/, 'is not printed where its tags have no letters');
}

%session = ();
$node->stop;
done_testing();
