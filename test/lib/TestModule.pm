# C functions that only tests need: a directory test/NAME with a Makefile for PGXS
# and sources, built in a scratch directory and loaded from there.
package TestModule;

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

# The file to name in CREATE FUNCTION … AS; without it no test can continue.
sub build
{
	my ($name) = @_;
	my $source = abs_path(dirname(__FILE__) . "/../$name");
	my $work = PostgreSQL::Test::Utils::tempdir();
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';

	# The make that runs the tests must not pass its settings to this one.
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	my $output =
	  `make -C '$work' -f '$source/Makefile' PG_CONFIG='$pg_config' VPATH='$source' USE_PGXS=1 with_llvm=no 2>&1`;
	is($?, 0, "the test module $name is built") or BAIL_OUT($output);
	return "$work/$name";
}

1;
