# Who may install custmart, where it goes, and what it leaves behind.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('install');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE ROLE shopkeeper LOGIN;
	CREATE ROLE visitor LOGIN;
	CREATE DATABASE shop OWNER shopkeeper;
});

# Run SQL in the shop's database; returns exit status, output and error output.
sub sql_as
{
	my ($user, $sql) = @_;
	return $node->psql('shop', $sql,
		extra_params => [ '--username', $user ], on_error_stop => 1);
}

# Everything a database can hold that an extension could leave in it.
my $contents = join ' UNION ALL ', map { "SELECT '$_', count(*) FROM $_" }
  qw(pg_class pg_proc pg_type pg_operator pg_opclass pg_opfamily pg_amop pg_amproc
  pg_cast pg_extension pg_depend pg_description pg_namespace pg_constraint);

# A trusted extension: the owner of the database needs nobody's help.
my ($status, $out, $err) = sql_as('shopkeeper', 'CREATE SCHEMA analytics');
is($status, 0, 'the owner of the database makes a schema') or diag $err;
my $before = $node->safe_psql('shop', $contents);

($status, $out, $err) = sql_as('shopkeeper', 'CREATE EXTENSION custmart SCHEMA analytics');
is($status, 0, 'and custmart in it, without being superuser') or diag $err;

is( $node->safe_psql(
		'shop', q{
		SELECT e.extowner::regrole, e.extnamespace::regnamespace,
		       e.extversion = a.default_version, e.extrelocatable
		  FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
		 WHERE e.extname = 'custmart'}),
	'shopkeeper|analytics|t|t',
	'the extension is the owner\'s, in that schema, at the default version');

is( $node->safe_psql(
		'shop', q{
		SELECT pg_describe_object(d.classid, d.objid, 0)
		  FROM pg_depend d
		       JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
		       pg_identify_object(d.classid, d.objid, 0) i
		 WHERE e.extname = 'custmart' AND d.deptype = 'e'
		   AND coalesce(i.schema, '') <> 'analytics' AND i.type <> 'cast'
		 ORDER BY 1}),
	'',
	'every object is in that schema');

# A visitor may use it, not change it.
($status, $out, $err) = sql_as('visitor', 'DROP EXTENSION custmart');
isnt($status, 0, 'another user cannot drop it');
like($err, qr/must be owner of extension custmart/, 'and is told why');
($status, $out, $err) = sql_as('visitor', 'CREATE EXTENSION custmart SCHEMA public');
isnt($status, 0, 'nor make it once more');

($status, $out, $err) = sql_as('visitor', 'ALTER EXTENSION custmart SET SCHEMA public');
isnt($status, 0, 'nor move it');

($status, $out, $err) = sql_as('shopkeeper', 'DROP EXTENSION custmart');
is($status, 0, 'the owner drops it') or diag $err;
is($node->safe_psql('shop', $contents), $before, 'and nothing stays behind');

# The schema's name is quoted wherever the script names it.
($status, $out, $err) =
  sql_as('shopkeeper', 'CREATE SCHEMA "Shop Floor"; CREATE EXTENSION custmart SCHEMA "Shop Floor"');
is($status, 0, 'made again, in a schema whose name needs quotes') or diag $err;
($status, $out, $err) = sql_as('shopkeeper', 'DROP EXTENSION custmart; CREATE EXTENSION custmart');
is($status, 0, 'and in the default schema') or diag $err;

($status, $out, $err) = sql_as('visitor', 'CREATE EXTENSION custmart');
isnt($status, 0, 'a second one is refused');

$node->stop;

# A name that leaves the library may clash with another library of the server.
my ($libdir) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--pkglibdir' ]);
my ($symbols) = PostgreSQL::Test::Utils::run_command(
	[ 'nm', '--dynamic', '--defined-only', '--format=posix', "$libdir/custmart.so" ]);
my @symbols = map { /^(\S+)/ } split /\n/, $symbols;
ok(scalar(@symbols), 'the library is installed and exports something');
my @foreign =
  grep { !/^(?:custmart_|pg_finfo_custmart_|Pg_magic_func$|_PG_init$)/ } @symbols;
is_deeply(\@foreign, [], 'it exports its own names only');

done_testing();
