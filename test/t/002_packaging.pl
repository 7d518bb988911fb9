# What packagers do: build outside the source tree, install below DESTDIR, and
# rely on what the control and META files say.
# One release is enough (test/run): every release is built and installed by the same rules.
use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA;
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
my ($date) = slurp('CHANGELOG.md') =~ /^## \S+ \((.+)\)$/m;
is($meta->{release_status}, $date eq 'unreleased' ? 'unstable' : 'stable', 'and is stable once CHANGELOG.md has a date');

# A clean copy of the sources, because make would find what is built in them.
my $clean = "$work/source";
shell("mkdir -p $clean $work/build && cd $source && "
	  . "tar -cf - --exclude='*.o' --exclude='*.bc' Makefile custmart.control docs src sql/install sql/*--*--*.sql test/sql expected "
	  . "2>/dev/null | tar -xf - -C $clean");

# As Debian's pg_buildext calls it.  Without the just-in-time compiler's files,
# which take long and are made by the same rules.
my $make = "make -C $work/build -f $clean/Makefile PG_CONFIG=$pg_config VPATH=$clean USE_PGXS=1 with_llvm=no";
my ($status, $output) = shell($make);
is($status, 0, 'builds outside the source tree') or diag $output;

# Databases have the objects that a released script made: what it lacks comes by an upgrade script.
my %released = reverse map { split } split /\n/, slurp('sql/released.sha256');
is($released{"custmart--$version.sql"} // 'not listed', Digest::SHA->new(256)->addfile("$work/build/sql/custmart--$version.sql")->hexdigest,
	'the install script is as released, by sql/released.sha256: a change needs a new version and an upgrade script')
  if $date ne 'unreleased' || exists $released{"custmart--$version.sql"};

($status, $output) = shell("$make install DESTDIR=$work/root");
is($status, 0, 'installs from there') or diag $output;
my $files = join "\n", sort map { s{.*/}{}r } split /\n/, `find $work/root -type f`;
my @upgrades = map { s{.*/}{}r } glob "$source/sql/custmart--*--*.sql";
my @docs = map { s{.*/}{}r } glob "$source/docs/*.md";
is( $files,
	join("\n", sort "custmart--$version.sql", 'custmart.control', 'custmart.so', @upgrades, @docs),
	'the library, the control file, the install script, the upgrade scripts and the documentation');
chomp(my $docdir = `$pg_config --docdir`);
is( join("\n", map { s{.*/}{}r } sort glob "$work/root$docdir/extension/custmart/*"),
	join("\n", sort @docs),
	'which has a folder of its own');

is(join("\n", sort split /\n/, `cd $clean && find . -name '*.o' -o -name '*.so' -o -name 'custmart--$version.sql'`),
	'', 'and leaves nothing in the source tree');

($status, $output) = shell("$make uninstall DESTDIR=$work/root");
is(`find $work/root -type f`, '', 'make uninstall removes all it installed') or diag $output;

shell("$make clean");
is(`find $work/build -type f`, '', 'make clean leaves nothing where it was built');

# Without the server's headers there is nothing to include, and make would find nothing
# to do.  Debian's pg_config is there without them.
mkdir "$work/client" or die $!;
open my $fake, '>', "$work/client/pg_config" or die $!;
print $fake "#!/bin/sh\necho $work/client/pgxs.mk\n";
close $fake;
chmod 0755, "$work/client/pg_config" or die $!;
for my $useless ("$work/client/pg_config", "$work/client/no_pg_config")
{
	($status, $output) = shell("make -C $clean PG_CONFIG=$useless");
	isnt($status, 0, "make fails with $useless");
	like($output, qr/postgresql-server-dev-all/, 'and names the package to install');
}

# Only a checkout can be packed.
($status, $output) = shell("make -C $clean PG_CONFIG=$pg_config dist");
isnt($status, 0, 'make dist fails in an unpacked archive');
like($output, qr/needs a git checkout/, 'and says why');
SKIP:
{
	skip 'git is not installed', 1 unless grep { -x "$_/git" } split /:/, $ENV{PATH};
	subtest 'with git', sub {
		my $commit = 'git init -q && git add . && git -c user.name=x -c user.email=x@example.org commit -q -m all';
		my $dist = "make -C $work/outer/custmart PG_CONFIG=$pg_config dist";
		($status, $output) = shell("mkdir $work/outer && cp -r $clean $work/outer/custmart && cd $work/outer && $commit");
		is($status, 0, 'a checkout around an unpacked archive') or diag $output;
		($status, $output) = shell($dist);
		isnt($status, 0, 'is not packed');

		shell("cd $work/outer/custmart && $commit && touch uncommitted");
		($status, $output) = shell($dist);
		is($status, 0, 'what is committed is packed') or diag $output;
		# Names are not compressed.
		my $archive = PostgreSQL::Test::Utils::slurp_file("$work/outer/custmart/custmart-$version.zip");
		ok($archive =~ m{custmart-\Q$version\E/Makefile}, 'with all files');
		ok($archive !~ /uncommitted/, 'and nothing else');
	};
}

# pg_regress would call an empty list of tests a success.
shell("rm $clean/test/sql/*.sql");
($status, $output) = shell("$make installcheck");
isnt($status, 0, 'installcheck without a test fails');
like($output, qr/holds no test/, 'and says so');

done_testing();
