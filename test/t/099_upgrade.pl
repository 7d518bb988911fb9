# ALTER EXTENSION custmart UPDATE: a database that was upgraded is like one in which the extension was installed
# afresh, object by object, and reads what the old version stored.
#
# For every upgrade script sql/custmart--OLD--NEW.sql there is an install script of OLD.  Before there is any, an old
# version is made here, which lacks some objects, so that this test is known to work when it is needed.
use strict;
use warnings;

use File::Basename qw(basename dirname);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Catalog;
use Kept;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my ($share) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--sharedir' ]);
my $extension = "$share/extension";
my ($new) = PostgreSQL::Test::Utils::slurp_file("$extension/custmart.control") =~ /^default_version\s*=\s*'([^']+)'/m;
my @made;
END { unlink @made if @made }

my %old = map { /custmart--(\d[\d.]*)--\Q$new\E\.sql$/ ? ($1 => 1) : () } glob "$top/sql/custmart--*--$new.sql";
if (-w $extension)
{
	# The version before the first: without the topic that came last but one, and with a function that has gone.
	my $script = PostgreSQL::Test::Utils::slurp_file("$extension/custmart--$new.sql");
	my $topic = PostgreSQL::Test::Utils::slurp_file("$top/sql/install/65_portrait.sql");
	my $objects = join "\n", $topic =~ /^((?:CREATE|COMMENT).*?;)$/msg;
	my $before = $script;
	$before =~ s/\Q$_\E\n// or BAIL_OUT("the install script has no: $_") for $topic =~ /^((?:CREATE|COMMENT).*?;)$/msg;
	my $gone = "CREATE FUNCTION has_gone() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1;\n";
	write_script('0.0.1', $before . $gone);
	write_script("0.0.1--$new", "DROP FUNCTION has_gone();\n$objects\n");
	$old{'0.0.1'} = 1;
}
elsif (!%old)
{
	plan skip_all => "no earlier version, and none can be made in $extension";
}

sub write_script
{
	my ($name, $text) = @_;
	push @made, "$extension/custmart--$name.sql";
	open my $file, '>', $made[-1] or die "$made[-1]: $!";
	print $file $text;
	close $file or die $!;
}

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE SCHEMA analytics; CREATE EXTENSION custmart SCHEMA analytics');
my $fresh = $node->safe_psql('fresh', $Catalog::objects);
cmp_ok(length $fresh, '>', 100000, 'there is a catalog to compare');
for my $version (sort keys %old)
{
	(my $database = "from_$version") =~ tr/./_/;
	# What it stored is read by both; that may be less than what the new one can store.
	my $make = $Kept::make =~ s/CREATE EXTENSION custmart SCHEMA analytics;/CREATE EXTENSION custmart SCHEMA analytics VERSION '$version';/r;
	Kept::fill($node, $database, $make);
	is($node->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'custmart'}), $version, "$version is installed");
	my $before = $node->safe_psql($database, $Kept::contents);
	is(($node->psql($database, 'ALTER EXTENSION custmart UPDATE', on_error_stop => 1))[2], '', "$version is upgraded to $new");
	is(Catalog::differences($fresh, $node->safe_psql($database, $Catalog::objects)), '', "$version, upgraded: every object is as in a fresh install");
	ok($node->safe_psql($database, $Kept::contents) eq $before, "$version, upgraded: everything stored is read as before");
	is($node->safe_psql($database, q{SELECT analytics.age_band('2000-01-01', '2026-01-01', '{18,65}')}), '18-64', "$version, upgraded: what is new works");
	is($node->safe_psql($database, "DROP EXTENSION custmart CASCADE; SELECT count(*) FROM pg_proc WHERE probin LIKE '%custmart%'"), '0', "$version, upgraded: dropped without a trace");
}

$node->stop;
done_testing();
