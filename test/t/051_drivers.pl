# What README.md says of drivers and BI tools, in JDBC, pg (Node.js) and psycopg: the
# programs of test/clients print what they see, in programs in several time zones.
# ODBC is in 050_clients.pl.
#
# One release is enough (test/run): drivers make no difference between releases.
use strict;
use warnings;

use File::Basename qw(dirname);
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my $node = PostgreSQL::Test::Cluster->new('drivers');
$node->init;
# JDBC knows TCP only.
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\ntimezone = 'UTC'\n");
$node->start;
my ($host, $port) = ('127.0.0.1', $node->port);

my $readme = PostgreSQL::Test::Utils::slurp_file("$top/README.md");
my ($install) = $readme =~ /^```sql\n(CREATE SCHEMA custmart;\n.*?)^```/ms;
my ($members) = $readme =~ /^(CREATE MATERIALIZED VIEW members AS\n.*?;)$/ms;
my ($bi) = $readme =~ /^### Connect a BI tool\n.*?^```sql\n(.*?;)\n\n/ms;
ok($install && $members && $bi, 'README.md says how to install and how to connect a BI tool') or BAIL_OUT('a section is not as this test expects it');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql(
	'shop', qq{
	$install
	CREATE TABLE orders AS
	SELECT i % 700 AS customer_id, timestamptz '2026-01-01 00:00+00' + i * interval '1 hour 30 minutes' AS ordered_at, (i * 37 % 400 - 20)::numeric / 4 AS amount
	  FROM generate_series(1, 5000) i;
	$members
	$bi
	-- Midnights and first days of months, which a time zone would move, and none after May.
	CREATE TABLE visits AS
	SELECT i % 50 AS customer_id, d::date AS day, d AS clock, i::numeric AS amount
	  FROM generate_series(timestamp '2025-11-01', '2026-05-30', '1 day') WITH ORDINALITY AS x (d, i);
	CREATE VIEW cohorts AS SELECT * FROM cohort_retention((SELECT retention_book(customer_id, day, amount, 'month', 'Asia/Tokyo') FROM visits)) WHERE net_rate IS NOT NULL;
	CREATE TABLE profiles AS SELECT i AS customer_id, tags_if('7', i % 7 = 0, '9', i % 9 = 0, '10', i % 7 = 0 AND i % 2 = 0, 'id' || i, true) AS tags FROM generate_series(1, 700) i;
	CREATE VIEW portraits AS SELECT tags, has_tag(tags, '7') AS has_7, tag_list(tags, '{7,9}') AS known, tag_count(tags) AS tag_count FROM profiles;
	GRANT SELECT ON orders, visits, cohorts, profiles, portraits TO dashboard;
});

# What is to be seen, from a table of names instead of sets of tags, and by psql in UTC.
my $seven = $node->safe_psql('shop', 'SELECT count(*) FROM generate_series(1, 700) i WHERE i % 7 = 0');
my $both = $node->safe_psql('shop', 'SELECT count(*) FROM generate_series(1, 700) i WHERE i % 7 = 0 AND i % 9 = 0');
my $report = 'FROM rfm_members((SELECT rfm_book(customer_id, ordered_at, amount) FROM orders))';
my $rows = $node->safe_psql('shop', qq{SELECT string_agg(concat_ws('|', member, frequency, monetary, to_char(first_order, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), round(recency * 10000), score, segment), ',' ORDER BY member) $report});
my $fetched = $node->safe_psql('shop', qq{SELECT string_agg(concat_ws('|', member, monetary, segment), ',' ORDER BY member) $report});
my @cohorts = split /\n/, $node->safe_psql('shop', 'SELECT DISTINCT cohort FROM cohorts ORDER BY cohort');
is("@cohorts[0, 1]", '2025-11-01 2025-12-01', 'cohorts begin on the first of a month');
my %retention;
for my $day ('2026-05-31', '2026-06-01')
{
	$retention{$day} = $node->safe_psql('shop',
		qq{SELECT md5(string_agg(r::text, ',')) FROM cohort_retention((SELECT retention_book(customer_id, day, amount, 'month', 'UTC') FROM visits), date '$day') r});
}
isnt($retention{'2026-05-31'}, $retention{'2026-06-01'}, 'on the first of June, May has ended');
my $too_early = '22023 Exclude later rows with WHERE occurred_at <= as_of, or choose a later as_of; both without a time zone of their own are read in that of the session.';
my $wrong_query = '22P02 Write & for and, | for or, ! for not, and a tag with blanks in double quotes: vip & (ios | "new friend") & !lapsed.';

# The views as BI tools find them, by those who may read them only.
for my $user ([], [ '--username', 'dashboard' ])
{
	is($node->safe_psql('shop', q{SELECT table_name, table_type FROM information_schema.tables WHERE table_name LIKE 'members%'}, extra_params => $user),
		'members_bi|VIEW', "information_schema lists the view, and not the materialized view under it @$user");
}
is( $node->safe_psql('shop', q{SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'members_bi'}, extra_params => [ '--username', 'dashboard' ]),
	'member bigint, frequency bigint, refunds bigint, monetary numeric, first_order timestamp with time zone, last_order timestamp with time zone, '
	  . 'recency double precision, recency_score integer, frequency_score integer, monetary_score integer, score integer, segment text', 'and its columns');
is($node->safe_psql('shop', 'SELECT count(*) FROM members_bi', extra_params => [ '--username', 'dashboard' ]), 700, 'who can read it');
my ($status) = $node->psql('shop', 'SELECT count(*) FROM members', extra_params => [ '--username', 'dashboard' ]);
isnt($status, 0, 'and nothing else');

# What retention is, whatever the zone of the book, the type of its rows, and that of as_of.
sub retained
{
	my @types = @_;
	my %expected;
	for my $zone ('UTC', 'Asia/Tokyo', 'America/New_York')
	{
		for my $column ('day', 'clock')
		{
			for my $day (keys %retention)
			{
				$expected{"retention $zone $column $day $_"} = $retention{$day} for @types;
			}
		}
	}
	return %expected;
}

# Run a program; returns what it says.
sub answers
{
	my ($timezone, @command) = @_;
	my ($out, $err) = ('', '');
	local $ENV{TZ} = $timezone;
	my $ok = IPC::Run::run(\@command, '<', \'', '>', \$out, '2>', \$err);
	ok($ok, "$command[0] in $timezone ran to its end") or diag $err;
	return map { my ($what, $value) = split /: /, $_, 2; ($what => $value) } split /\n/, $out;
}

# Compares answers, those to one question at a time.
sub check
{
	my ($where, $got, $expected) = @_;
	is($got->{$_} // 'nothing', $expected->{$_}, "$where: $_") for sort keys %$expected;
	is_deeply([ grep { !exists $expected->{$_} } sort keys %$got ], [], "$where: nothing else");
}

# Are all these present, so that their test can be run?  Where test/run installs
# them and nobody would read that they were skipped, they must be.
sub missing
{
	my ($driver, $packages, @command) = @_;
	my ($out, $err) = ('', '');
	return 0 if eval { IPC::Run::run(\@command, '<', \'', '>', \$out, '2>', \$err) };
	my $missing = "$driver is not installed (Debian: $packages)";
	fail($missing) if $ENV{CI} && $ENV{FIRST};
	return $missing;
}

my $jar = '/usr/share/java/postgresql.jar';
SKIP:
{
	my $missing = missing('JDBC\'s driver or a JDK', 'libpostgresql-jdbc-java, default-jdk-headless', 'sh', '-c', 'test -e "$0" && javac -version', $jar);
	skip $missing, 1 if $missing;

	for my $timezone ('UTC', 'Asia/Tokyo', 'America/New_York')
	{
		my %got = answers($timezone, 'java', "-Duser.timezone=$timezone", '-Dfile.encoding=UTF-8', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', $jar,
			"$top/test/clients/Jdbc.java", "jdbc:postgresql://$host:$port/shop?user=dashboard");
		check(
			"JDBC in $timezone",
			\%got,
			{
				'time zone' => $timezone,
				(map { $_ => $seven } 'tags ?? constant', 'tags ?? ?', 'tags ??| ?', 'has_tag', 'has_any_tag', 'tags @@ ?::tagquery', 'tags @@ ? as OTHER'),
				(map { $_ => $both } 'tags ??& ?', 'has_all_tags'),
				'tags again' => 651,
				'tags @@ ?' => '42883 No operator matches the given name and argument types. You might need to add explicit type casts.',
				'tags ? constant' => '22023 null',
				retained(qw(Date LocalDate String LocalDateTime OffsetDateTime Timestamp)),
				'types of members_bi' => 'int8=Long int8=Long int8=Long numeric=BigDecimal timestamptz=Timestamp timestamptz=Timestamp float8=Double int4=Integer int4=Integer int4=Integer int4=Integer text=String',
				'types of cohorts' => 'date=Date int4=Integer date=Date int8=Long int8=Long float8=Double int8=Long float8=Double numeric=BigDecimal float8=Double',
				'types of portraits' => 'tagbloom=PGobject bool=Boolean _text=PgArray float8=Double',
				(map { ("answers with threshold $_" => 1, "members with threshold $_" => $rows) } 0, 5, -1),
				(map { $_ => join(',', map { "$_|$_" } @cohorts) } 'cohorts, time 0', 'cohorts, time 1'),
				cursors => 1,
				fetched => $fetched,
				'columns of members_bi' => 'member=int8 frequency=int8 refunds=int8 monetary=numeric first_order=timestamptz last_order=timestamptz recency=float8 recency_score=int4 frequency_score=int4 monetary_score=int4 score=int4 segment=text',
				'early as_of' => $too_early,
				'wrong query' => $wrong_query,
				(map { ("after $_" => 'still there') } 'tags @@ ?', 'tags ? constant', 'early as_of', 'wrong query')
			});
	}
}

SKIP:
{
	my $missing = missing('pg, the driver of Node.js,', 'node-pg', 'node', '-e', 'require("pg")');
	skip $missing, 1 if $missing;

	for my $timezone ('UTC', 'Asia/Tokyo', 'America/New_York')
	{
		my %got = answers($timezone, 'node', "$top/test/clients/pg.js", $host, $port);
		my $iso = join ',', @cohorts;
		# East of Greenwich, midnight is in the day before.
		$iso = $node->safe_psql('shop', q{SELECT string_agg((cohort - 1)::text, ',' ORDER BY cohort) FROM (SELECT DISTINCT cohort FROM cohorts) c}) if $timezone eq 'Asia/Tokyo';
		check(
			"pg in $timezone",
			\%got,
			{
				'time zone' => 'UTC',
				(map { $_ => $seven } 'tags ? $1', 'tags ?| $1', 'has_tag', 'tags @@ $1'),
				'tags ?& $1' => $both,
				'tags again' => 651,
				retained(qw(string Date)),
				'types of members_bi' => 'String String String String Date Date Number Number Number Number Number String',
				'types of cohorts' => 'Date Number Date String String Number String Number String Number',
				'types of portraits' => 'String Boolean Array Number',
				members => $rows,
				cohorts => join(',', @cohorts),
				'cohorts as ISO' => $iso,
				fetched => $fetched,
				'early as_of' => $too_early,
				'wrong query' => $wrong_query,
				(map { ("after $_" => 'still there') } 'early as_of', 'wrong query')
			});
	}
}

SKIP:
{
	my $missing = missing('psycopg', 'python3-psycopg', '/usr/bin/python3', '-c', 'import psycopg');
	skip $missing, 1 if $missing;

	my %got = answers('Asia/Tokyo', '/usr/bin/python3', "$top/test/clients/psycopg_client.py", $host, $port);
	check(
		'psycopg',
		\%got,
		{
			(map { $_ => $seven } 'tags ? %s', 'tags ?| %s', 'tags @@ %s'),
			'tags ?& %s' => $both,
			retained(qw(str date datetime)),
			'types of members_bi' => 'int int int Decimal datetime datetime float int int int int str',
			'types of cohorts' => 'date int date int int float int float Decimal float',
			'types of portraits' => 'str bool list float',
			'early as_of' => $too_early,
			'after early as_of' => 'still there'
		});
}

$node->stop;
done_testing();
