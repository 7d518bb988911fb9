# The install script is expanded from templates: what comes of them, and that a
# mistake stops make instead of ending up in the script.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path(dirname(__FILE__) . '/../..');
my $work = PostgreSQL::Test::Utils::tempdir();

# Run expand.awk on files a.sql, b.sql ... of these lines; returns the exit status,
# the lines of the output and the errors.
sub expand
{
	my @names = map { "$_.sql" } ('a' .. 'z')[0 .. $#_];
	for my $i (0 .. $#_)
	{
		open my $file, '>', "$work/$names[$i]" or die $!;
		print $file map { "$_\n" } @{ $_[$i] };
		close $file;
	}
	my @output = `cd $work && awk -f $source/sql/install/expand.awk @names 2>errors`;
	my $status = $? >> 8;
	chomp @output;
	return ($status, \@output, PostgreSQL::Test::Utils::slurp_file("$work/errors"));
}

sub expands
{
	my ($what, $expected, @files) = @_;
	is_deeply([ expand(@files) ], [ 0, $expected, '' ], $what);
}

sub refuses
{
	my ($what, $expected, @files) = @_;
	is_deeply([ expand(@files) ], [ 1, [], "$expected\n" ], "refused: $what");
}

expands('files without directives are joined',
	[ q(SELECT '\&', 1 @> 2;), '', '-- b' ], [q(SELECT '\&', 1 @> 2;)], ['-- b']);
expands('several empty lines become one', [ 'a', '', 'b' ], [ '', '', 'a', '', '', '', 'b' ]);
expands('@each repeats its block', [ '1 x 1', '1 y z 1' ], [ '-- @each n x "y z"', '1 {n} 1', '-- @end' ]);
expands('a block in a block',
	[ 'bigint', 'bigint_text', 'uuid', 'uuid_text' ],
	[ '-- @each a bigint uuid', '{a}', '-- @each b text', '{a}_{b}', '-- @end', '-- @end' ]);
expands('a template, with and without its default',
	[ q(f(x, 1)), q(f(y z, it''s \&)) ],
	[ '-- @template f a b=1', 'f({a}, {b})', '-- @end' ],
	[ '-- @f a=x', q(-- @f b="it''s \&" a="y z") ]);
expands('a template used in another one and in a block',
	[ '<<p>>', '<<q>>' ],
	[ '-- @template inner of', '<{of}>', '-- @end', '-- @template outer of', '-- @inner of=<{of}>', '-- @end' ],
	[ '-- @each x p q', '-- @outer of={x}', '-- @end' ]);
expands('the comment directly above a template is left out',
	[ '-- heading', '', '1' ],
	[ '-- heading', '', '-- about t', '-- @template t', '1', '-- @end', '', '-- @t' ]);

refuses('an unknown directive', 'b.sql:2: unknown directive @eahc', ['1;'], [ '1;', '-- @eahc n 1' ]);
refuses('a capital letter', 'a.sql:1: unknown directive @Each', ['--@Each n 1']);
refuses('a block without an end', 'a.sql:2: no @end for @each', [ '1;', '-- @each n 1', '{n}' ]);
refuses('an end in another file', 'a.sql:1: no @end for @each', [ '-- @each n 1', '{n}' ], ['-- @end']);
refuses('an end without a block', 'a.sql:1: @end without a block', ['-- @end']);
refuses('a block without values', 'a.sql:1: no values for n', [ '-- @each n', '{n}', '-- @end' ]);
refuses('a block without a name', 'a.sql:1: "" is no name', [ '-- @each', '{n}', '-- @end' ]);
refuses('a name that the block does not use', 'a.sql:1: nothing uses {n}', [ '-- @each n 1', 'n', '-- @end' ]);
refuses('a name that is taken', 'a.sql:2: n is declared twice',
	[ '-- @each n 1', '-- @each n 2', '{n}', '-- @end', '-- @end' ]);
refuses('an unknown placeholder', 'a.sql:1: unknown placeholder {n}', ['SELECT {n};']);
refuses('a placeholder after its block',
	'a.sql:4: unknown placeholder {n}', [ '-- @each n 1', '{n}', '-- @end', '{n}' ]);
refuses('an open quote', 'a.sql:1: cannot be read from here on: "1 ', [ '-- @each n "1', '{n}', '-- @end' ]);

my @t = ('-- @template t a b=1', '{a}{b}', '-- @end');
refuses('a missing parameter', 'b.sql:1: @t needs a', \@t, ['-- @t b=2']);
refuses('a parameter that the template lacks', 'b.sql:1: @t has no parameter c', \@t, ['-- @t a=1 c=2']);
refuses('a value without its parameter', 'b.sql:1: @t has no parameter x', \@t, ['-- @t x']);
refuses('a parameter given twice', 'b.sql:1: a is given twice', \@t, ['-- @t a=1 a=2']);
refuses('a parameter declared twice', 'a.sql:1: a is declared twice', [ '-- @template t a a', '{a}', '-- @end' ]);
refuses('a parameter that the template does not use',
	'a.sql:1: nothing uses {c}', [ '-- @template t c', 'c', '-- @end' ]);
refuses('a template without a use', 'a.sql:1: nothing uses @t', \@t);
refuses('a template defined twice', 'b.sql:1: @t is defined twice, before at a.sql:1', \@t, \@t);
refuses('a template with the name of a directive',
	'a.sql:1: "each" is no name for a template', [ '-- @template each', '-- @end' ]);
refuses('a template inside a block',
	'a.sql:2: @template inside of @each', [ '-- @each n 1', '-- @template {n}', '-- @end', '-- @end' ]);
refuses('a template used before it is defined', 'a.sql:1: unknown directive @t', ['-- @t a=1'], \@t);
refuses('a template that uses itself',
	'a.sql:2: @t uses itself, used at a.sql:4', [ '-- @template t', '-- @t', '-- @end', '-- @t' ]);
refuses('a name from where the template is used',
	'a.sql:2: unknown placeholder {n}, used at a.sql:5',
	[ '-- @template t', '{n}', '-- @end', '-- @each n 1', '-- @t', '{n}', '-- @end' ]);

# make, outside the source tree.
my ($version) = PostgreSQL::Test::Utils::slurp_file("$source/custmart.control") =~ /^default_version\s*=\s*'([^']+)'/m;
my $script = "sql/custmart--$version.sql";
my $copy = "$work/source";
system("mkdir -p $copy $work/build && cd $source && tar -cf - Makefile custmart.control sql/install | tar -xf - -C $copy") == 0
  or die 'the sources could not be copied';
# The make that runs the tests must not hand its settings to this one.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my $make = "make -C $work/build -f $copy/Makefile VPATH=$copy PG_CONFIG=$pg_config $script";
my $output = `$make 2>&1`;
is($?, 0, 'make makes the install script') or diag $output;
my $sql = PostgreSQL::Test::Utils::slurp_file("$work/build/$script");
unlike($sql, qr/^\s*--\s*\@|\{[a-z]\w*\}/m, 'which contains no directive and no placeholder');
is_deeply([ $sql =~ /^(.*[^\x00-\x7F].*)$/mg ], [], 'and nothing beyond ASCII, so it goes into databases of any encoding');
is(system("$make --question >$work/make.log 2>&1") >> 8, 0, 'and is made once');
for my $file ("$copy/sql/install/expand.awk", "$copy/sql/install/10_rfm.sql")
{
	is(system("$make --question --what-if=$file >$work/make.log 2>&1") >> 8,
		1, 'but anew if ' . basename($file) . ' changes');
}

my $topic = "$copy/sql/install/10_rfm.sql";
open my $file, '>>', $topic or die $!;
print $file '-- @comparisn type=rfm', "\n";
close $file;
my $line = () = PostgreSQL::Test::Utils::slurp_file($topic) =~ /\n/g;
# Older than the mistake, however little time has passed.
utime 1, 1, "$work/build/$script";
$output = `$make 2>&1`;
isnt($?, 0, 'a mistake in a topic file stops make');
like($output, qr{^\Q$topic\E:$line: unknown directive \@comparisn$}m, 'with the file and the line');
ok(!-e "$work/build/$script", 'and leaves no install script');

done_testing();
