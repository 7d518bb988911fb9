# Runs every SQL block of README.md and docs/*.md, each file in a database of its
# own that has the tables of test/docs/shop.sql.  Where a block of output (```text)
# follows directly, psql must print just that.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

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

my @files = grep { -f } ("$top/README.md", sort glob("$top/docs/*.md"), sort glob("$top/docs/decisions/*.md"));
my $blocks = 0;
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

	my $database = lc('docs_' . ($name =~ s/\W/_/gr));
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, read_file("$top/test/docs/shop.sql"));

	my $script = "SET client_min_messages = warning;\nSET timezone = 'UTC';\n";
	$script .= "CREATE EXTENSION custmart;\n" unless $name eq 'README.md';
	$script .= "\\set ON_ERROR_STOP on\n";
	# pg_cron works in one database alone, as 055_cron.pl tests; its one function that the README calls is stood in for.
	$script .= "CREATE SCHEMA cron;\nCREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';\n";
	$script .= "\\echo ---- block $_\n$sql[$_]\n" for 0 .. $#sql;
	$script .= "\\echo ---- end\n";

	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-X', '-q', '-P', 'pager=off', '-h', $node->host, '-p', $node->port, '-d', $database ],
		'<', \$script, '>', \$out, '2>', \$err);
	utf8::decode($out);
	my @parts = split /^---- (?:block \d+|end)\n/m, $out, -1;
	shift @parts;
	for my $i (0 .. $#sql)
	{
		ok($i + 1 < @parts, "$name:$line[$i] runs") or diag $err;
		next unless defined $expected[$i] && $i + 1 < @parts;
		(my $got = $parts[$i]) =~ s/[ \t]+$//mg;
		(my $want = $expected[$i]) =~ s/[ \t]+$//mg;
		s/\n+\z/\n/ for $got, $want;
		is($got, $want, "$name:$line[$i] prints what it says");
	}
}
cmp_ok($blocks, '>', 10, "$blocks blocks found");
done_testing();
