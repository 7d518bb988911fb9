# What packagers do: build outside the source tree, install below DESTDIR, and
# rely on what the control and META files say.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path(dirname(__FILE__) . '/../..');
my $work = PostgreSQL::Test::Utils::tempdir();
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';

sub slurp
{
	my ($file) = @_;
	return PostgreSQL::Test::Utils::slurp_file("$source/$file");
}

sub shell
{
	my ($command) = @_;
	# The make that runs the tests must not hand its settings to these.
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	my $output = `$command 2>&1`;
	return ($? >> 8, $output);
}

my ($version) = slurp('custmart.control') =~ /^default_version\s*=\s*'([^']+)'/m;
my $meta = decode_json(slurp('META.json'));
is($meta->{version}, $version, 'META.json has the version of the control file');
is($meta->{provides}{custmart}{version}, $version, 'in both places');
ok(-e "$source/$meta->{provides}{custmart}{file}", 'and names a file that is there');

# A clean copy of the sources, because make would find what is built in them.
my $clean = "$work/source";
shell("mkdir -p $clean $work/build && cd $source && "
	  . "tar -cf - --exclude='*.o' --exclude='*.bc' Makefile custmart.control src sql/install sql/*--*--*.sql test/sql expected "
	  . "2>/dev/null | tar -xf - -C $clean");

# As Debian's pg_buildext calls it.  Without the just-in-time compiler's files,
# which take long and are made by the same rules.
my $make = "make -C $work/build -f $clean/Makefile PG_CONFIG=$pg_config VPATH=$clean USE_PGXS=1 with_llvm=no";
my ($status, $output) = shell($make);
is($status, 0, 'builds outside the source tree') or diag $output;

($status, $output) = shell("$make install DESTDIR=$work/root");
is($status, 0, 'installs from there') or diag $output;
my $files = join "\n", sort map { s{.*/}{}r } split /\n/, `find $work/root -type f`;
my @upgrades = map { s{.*/}{}r } glob "$source/sql/custmart--*--*.sql";
is( $files,
	join("\n", sort "custmart--$version.sql", 'custmart.control', 'custmart.so', @upgrades),
	'the library, the control file, the install script and the upgrade scripts');

is(join("\n", sort split /\n/, `cd $clean && find . -name '*.o' -o -name '*.so' -o -name 'custmart--$version.sql'`),
	'', 'and leaves nothing in the source tree');

shell("$make clean");
is(`find $work/build -type f`, '', 'make clean leaves nothing where it was built');

# pg_regress would call an empty list of tests a success.
shell("rm $clean/test/sql/*.sql");
($status, $output) = shell("$make installcheck");
isnt($status, 0, 'installcheck without a test fails');
like($output, qr/holds no test/, 'and says so');

done_testing();
