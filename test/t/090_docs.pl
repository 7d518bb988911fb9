# Runs every SQL block of README.md and docs/*.md, each file in a database of its
# own that has the tables of test/docs/shop.sql.  Where a block of output (```text)
# follows directly, psql must print just that, in a session in UTC and in one in Tokyo.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX qw(strftime);
use Test::More;
use Time::Local qw(timegm);

my $top = dirname(__FILE__) . '/../..';
my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->start;

sub read_file
{
	my ($path) = @_;
	open my $file, '<:encoding(UTF-8)', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

# What was printed in Tokyo, with its points in time as they are printed in UTC.
sub in_utc
{
	my ($printed) = @_;
	$printed =~ s{(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\+09}
		{strftime('%Y-%m-%d %H:%M:%S+00', gmtime(timegm($6, $5, $4, $3, $2 - 1, $1) - 9 * 3600))}ge;
	return $printed;
}

# README.md's table "What to use" shows all aggregates and reports, and the arguments of functions in order: their names,
# or their types where they have none.  Quotes and ... stand for arguments of any number.
sub check_calls
{
	my ($name, $text) = @_;
	my ($section) = $text =~ /^## What to use\n(.*?)^## /ms or die "$name does not say what to use";
	my $table = join "\n", grep { /^\|/ } split /\n/, $section;
	my $functions = $node->safe_psql('shop', q{
		SELECT proname, prokind = 'a' OR proretset AND prorettype = 'record'::regtype, array_to_string(ARRAY(
			SELECT coalesce(nullif(proargnames[i], ''), format_type(proargtypes[i - 1], NULL)) FROM generate_series(1, pronargs) i), ',')
		FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
		WHERE extname = 'custmart'});
	my (%arguments, %is_missing, $calls);
	for (split /\n/, $functions)
	{
		my ($function, $must_be_there, $arguments) = split /\|/, $_, -1;
		push @{ $arguments{$function} }, $arguments;
		$is_missing{$function} = 1 if $must_be_there eq 't';
	}
	while ($table =~ /`(\w+)\(([^`']*?)\)[^`]*`/g)
	{
		my ($function, $call) = ($1, $2);
		(my $wanted = $call) =~ s/[\[\] ]|\x{2026}//g;
		ok(scalar(grep { index("$_,", "$wanted,") == 0 || $wanted eq '' } @{ $arguments{$function} // [] }), "$function($wanted) exists");
		$calls++;
		delete $is_missing{$function};
	}
	is(join(', ', sort keys %is_missing), '', 'every aggregate and every report is in the table');
	cmp_ok($calls, '>', 30, "$calls calls in the table");
	return;
}

# README.md names the functions that read a time without a zone in that of the session, because whoever does not know it counts
# other days: those with an as_of, and the aggregates and window functions of rows.
sub check_zones
{
	my ($name, $text) = @_;
	my %about = (as_of => qr/^A bare `as_of.*?\n\n/ms, rows => qr/^\*\*My times are `timestamp`.*?\n\n/ms);
	my $functions = $node->safe_psql('shop', q{
		WITH f AS (
			SELECT proname, prokind, proargtypes::oid[] AS types, coalesce(proargnames, '{}') AS names
			FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
			JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
			WHERE extname = 'custmart')
		SELECT DISTINCT CASE WHEN prokind IN ('a', 'w') THEN 'rows' ELSE 'as_of' END, proname FROM f
		WHERE 'timestamptz'::regtype = ANY (types) AND (prokind IN ('a', 'w') OR names && '{as_of,from_as_of}')
			AND NOT EXISTS (SELECT FROM f g WHERE g.proname = f.proname
				AND g.types = array_replace(f.types, 'timestamptz'::regtype::oid, 'timestamp'::regtype::oid))
		ORDER BY 1, 2});
	my %of;
	push @{ $of{ $_->[0] } }, $_->[1] for map { [split /\|/] } split /\n/, $functions;
	for my $place (sort keys %about)
	{
		my ($paragraph) = $text =~ /($about{$place})/ or die "$name does not say how times without a zone are read";
		my @named = map { s/_\x{2026}$/_\\w+/r } $paragraph =~ /`(\w+_?\x{2026}?)`/g;
		my @missing = grep { my $function = $_; !grep { $function =~ /^$_$/ } @named } @{ $of{$place} };
		is(join(', ', @missing), '', "$name names all functions that read $place in the session's time zone");
		cmp_ok(scalar @{ $of{$place} }, '>', 10, 'some do');
	}
	return;
}

my @files = grep { -f } ("$top/README.md", sort glob("$top/docs/*.md"), sort glob("$top/docs/decisions/*.md"));
my $blocks = 0;

$node->safe_psql('postgres', 'CREATE DATABASE shop_of_docs');
$node->safe_psql('shop_of_docs', read_file("$top/test/docs/shop.sql"));
# README.md makes its first table itself.
$node->safe_psql('postgres', 'CREATE DATABASE shop_of_readme TEMPLATE shop_of_docs');
$node->safe_psql('shop_of_readme', 'DROP TABLE orders');

foreach my $path (@files)
{
	my $name = $path =~ s{^\Q$top\E/}{}r;
	my $text = read_file($path);
	my (@sql, @expected, @line);

	while ($text =~ /^```sql\n(.*?)^```\n(?:\n*```text\n(.*?)^```\n)?/gms)
	{
		push @sql, $1;
		push @expected, $2;
		push @line, 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
	}
	next unless @sql;
	$blocks += @sql;

	foreach my $zone ('UTC', 'Asia/Tokyo')
	{
		# README.md calls the database so.
		$node->safe_psql('postgres', 'CREATE DATABASE shop TEMPLATE shop_of_' . ($name eq 'README.md' ? 'readme' : 'docs'));

		my $script = "SET client_min_messages = warning;\nSET timezone = '$zone';\n";
		$script .= "CREATE SCHEMA custmart;\nCREATE EXTENSION custmart SCHEMA custmart;\nSET search_path = public, custmart;\n"
		  unless $name eq 'README.md';
		$script .= "\\set ON_ERROR_STOP on\n";
		# pg_cron works in one database alone, as 055_cron.pl tests; its one function that the README calls is stood in for.
		$script .= "CREATE SCHEMA cron;\nCREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';\n";
		$script .= "\\echo ---- block $_\n$sql[$_]\n" for 0 .. $#sql;
		$script .= "\\echo ---- end\n";

		my ($out, $err) = ('', '');
		IPC::Run::run([ 'psql', '-X', '-q', '-P', 'pager=off', '-h', $node->host, '-p', $node->port, '-d', 'shop' ],
			'<', \$script, '>', \$out, '2>', \$err);
		utf8::decode($out);
		my @parts = split /^---- (?:block \d+|end)\n/m, $out, -1;
		shift @parts;
		for my $i (0 .. $#sql)
		{
			ok($i + 1 < @parts, "$name:$line[$i] runs in $zone") or diag $err;
			next unless defined $expected[$i] && $i + 1 < @parts;
			(my $got = in_utc($parts[$i])) =~ s/[ \t]+$//mg;
			(my $want = $expected[$i]) =~ s/[ \t]+$//mg;
			s/\n+\z/\n/ for $got, $want;
			is($got, $want, "$name:$line[$i] prints what it says in $zone");
		}
		if ($name eq 'README.md')
		{
			is($node->safe_psql('shop', q{SELECT oid::regprocedure FROM pg_proc WHERE proname = 'rfm_segments'}),
				'rfm_segments(rfm_book,timestamp with time zone,integer,rfm_cuts,text[])', 'later sessions find the extension by search_path');
			check_calls($name, $text) if $zone eq 'UTC';
			check_zones($name, $text) if $zone eq 'UTC';
		}
		$node->safe_psql('postgres', 'DROP DATABASE shop');
		$node->safe_psql('postgres', 'DROP ROLE IF EXISTS dashboard');
	}
}
cmp_ok($blocks, '>', 10, "$blocks blocks found");
done_testing();
