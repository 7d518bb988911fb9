# Tiers and accounts of points against test/oracle/loyalty.py: every line of every
# history, on random members, on CDNOW and on Online Retail, in zones of all kinds.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($python) = grep { system("$_ -c 'import zoneinfo; zoneinfo.ZoneInfo(\"Australia/Lord_Howe\")' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python 3.9 with time zones is not installed (Debian: python3, tzdata)' unless $python;
my $oracle = abs_path(dirname(__FILE__) . '/../oracle/loyalty.py');
my $data = ($ENV{CUSTMART_SHARED} // '') . '/data';

my $node = PostgreSQL::Test::Cluster->new('loyalty');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nTimeZone = 'Asia/Tokyo'\nmin_parallel_table_scan_size = 0\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;

	CREATE FUNCTION chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (hashint8extended(i, stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52);

	-- Money, and points that are earned and redeemed.
	CREATE TABLE entry (source text, member text, at timestamptz, amount numeric, points numeric, part int);

	-- At all times, at midnights in zones, a microsecond around them, around the turn of the year, twice at one time.
	INSERT INTO entry
	SELECT 'random', member, CASE WHEN chance(i, 2) < 0.2 THEN timestamptz '2012-01-01 00:00+00' + floor(chance(i, 3) * 72 - 36) * interval '30 minutes' - floor(chance(i, 4) * 2) * interval '1 microsecond'
		WHEN chance(i, 2) < 0.5 THEN timestamptz '2011-01-01 00:00+00' + floor(chance(i / 2, 3) * 1000) * interval '1 day' + floor(chance(i, 4) * 48) * interval '30 minutes'
		ELSE timestamptz '2011-01-01 00:00+00' + chance(i / 2, 3) * interval '1000 days' END,
		CASE WHEN chance(i, 5) < 0.15 THEN -1 ELSE 1 END * round((200 * chance(i, 6) ^ 2)::numeric, (i % 4)::int) * CASE WHEN i % 97 = 0 THEN 1e25 ELSE 1 END,
		CASE WHEN chance(i, 7) < 0.4 THEN -1.7 ELSE 1 END * round((100 * chance(i, 8) ^ 2)::numeric, (i % 3)::int) * CASE WHEN i % 97 = 0 THEN 1e25 ELSE 1 END, i % 5
	FROM generate_series(1, 3000::bigint) i, LATERAL (SELECT floor(chance(i / 2, 1) ^ 2 * 150) AS member) m;
});
my @sources = ('random');

sub load
{
	my ($name, $file, $sql) = @_;

  SKIP:
	{
		skip "$name is not in \$CUSTMART_SHARED/data", 1 unless -r "$data/$file";
		$node->safe_psql('postgres', $sql);
		push @sources, $name;
		pass("$name is there");
	}
}

# Every fourth order redeems three times its amount.  A part of the members: the oracle looks at every end of a period.
load('CDNOW', 'cdnow/CDNOW_master.txt.gz', qq{
	CREATE TABLE cdnow (line text);
	COPY cdnow FROM PROGRAM 'gzip -dc "$data/cdnow/CDNOW_master.txt.gz"';
	INSERT INTO entry
	SELECT 'CDNOW', f[1], to_timestamp(f[2], 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC', f[4]::numeric, CASE WHEN n % 4 = 0 THEN -3 ELSE 1 END * f[4]::numeric, n % 5
	FROM (SELECT regexp_split_to_array(btrim(line, E' \\r'), ' +') AS f, row_number() OVER () AS n FROM cdnow WHERE line !~ 'customer_id') l WHERE f[1]::int % 60 = 0;
});

# Cancellations are refunds, and take points.
load('Online Retail', 'online_retail/online_retail.csv.gz', qq{
	CREATE TABLE retail (invoice text, stock text, description text, quantity int, at timestamp, price numeric, customer text, country text);
	COPY retail FROM PROGRAM 'gzip -dc "$data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER);
	INSERT INTO entry
	SELECT 'Online Retail', customer, at AT TIME ZONE 'UTC', sum(quantity * price), sum(quantity * price) * CASE WHEN invoice ~ '3\$' THEN -0.5 ELSE 1 END, min(length(stock)) % 5
	FROM retail WHERE customer ~ '7\$' GROUP BY customer, at, invoice;
});

# Members as merged of parts and as made at once, in another order, must be the same bytes.
$node->safe_psql('postgres', q{
	ANALYZE entry;
	CREATE TABLE member AS SELECT source, member, rollup(s) AS s, rollup(p) AS p FROM (SELECT source, member, part, spend(at, amount) AS s, points(at, points) AS p FROM entry GROUP BY 1, 2, 3) parts GROUP BY 1, 2;
});
is($node->safe_psql('postgres', q{SELECT count(*) FROM member JOIN (SELECT source, member, spend(at, amount ORDER BY chance(extract(epoch FROM at)::bigint, 9), amount) AS s, points(at, points ORDER BY at DESC, points) AS p FROM entry GROUP BY 1, 2) o USING (source, member)
	WHERE spend_summary_send(member.s) <> spend_summary_send(o.s) OR points_summary_send(member.p) <> points_summary_send(o.p)}), '0', 'parts and another order give the same bytes');
is($node->safe_psql('postgres', q{SELECT points_summary_send(points(at, points)) = (SELECT points_summary_send(rollup(p)) FROM member) FROM entry}), 't', 'and so do workers');

my %members = (tiers => 'amount', points => 'points');
for my $source (@sources)
{
	(my $file = $source) =~ s/ //g;
	$node->safe_psql('postgres', "COPY (SELECT member, (extract(epoch FROM at) * 1000000)::bigint, $members{$_} FROM entry WHERE source = '$source' ORDER BY 1) TO '" . $node->basedir . "/$file.$_'") for keys %members;
}

# Runs the oracle and the query, which has a column for each column of the oracle.
sub agree
{
	my ($walk, $source, $rules, $query) = @_;
	(my $file = $source) =~ s/ //g;
	my $bounds = $node->safe_psql('postgres', "SELECT (extract(epoch FROM max(at)) * 1000000)::bigint + 60000000000000 FROM entry WHERE source = '$source'");
	my @json = map { my $r = $_; '{' . join(', ', "\"as_of\": $bounds", map { "\"$_\": " . ($r->{$_} =~ /^(null|true|false|\d+|\[.*\])$/ ? $r->{$_} : "\"$r->{$_}\"") } sort keys %$r) . '}' } @$rules;
	my %expected;
	open my $answers, '-|', $python, $oracle, $walk, $node->basedir . "/$file.$walk", @json or die;
	while (<$answers>)
	{
		chomp;
		$expected{$_}++;
	}
	ok(close($answers), "$source: the oracle has answers");

	for my $number (0 .. $#$rules)
	{
		my %should = map { ($_ => $expected{$_}) } grep { /^$number\t/ } keys %expected;
		my (%reasons, @wrong);
		my $as_of = "to_timestamp($bounds / 1000000) + $bounds % 1000000 * interval '1 us'";
		for (split /\n/, $node->safe_psql('postgres', $query->($rules->[$number], $number, $source, $as_of)))
		{
			push @wrong, "$_ is not expected" unless exists $should{$_} && $should{$_}-- > 0;
			$reasons{ (split /\t/)[-1] }++;
		}
		push @wrong, map { "$_ is missing" } grep { $should{$_} > 0 } keys %should;
		ok(!@wrong, "$source, $walk $number: " . join(', ', map { "$reasons{$_} $_" } sort keys %reasons)) or diag(join "\n", scalar(@wrong) . ' differ', grep { defined } @wrong[ 0 .. 9 ]);
		cmp_ok($reasons{$_} // 0, '>', 10, "$source, $walk $number: many $_") for $walk eq 'tiers' ? ('upgrade', 'downgrade') : ('earned', 'redeemed', 'lapsed');
	}
}

my %cents = (random => [ 300, 150, 60 ], CDNOW => [ 200, 90, 40 ], 'Online Retail' => [ 3000, 1000, 400 ]);
for my $source (@sources)
{
	my $limits = '[' . join(', ', @{ $cents{$source} }) . ']';
	my $keep = '[' . join(', ', map { int(0.7 * $_) } @{ $cents{$source} }) . ']';
	my @rules = map { my %r; @r{qw(timezone unit from_zero months keep keep_limits soft_landing)} = @$_; $r{limits} = $limits; $r{keep_limits} = $keep if $r{keep_limits}; $r{keep_limits} ||= 'null'; \%r } (
		[ 'America/New_York', 'year', 'true', 12, 'null', 1, 'false' ],
		[ 'Europe/Berlin', 'year', 'true', 12, 12, 0, 'true' ],
		[ 'Asia/Kolkata', 'quarter', 'true', 12, 6, 1, 'true' ],
		[ 'America/Sao_Paulo', 'month', 'true', 12, 0, 0, 'false' ],
		[ 'America/New_York', 'month', 'false', 3, 12, 1, 'false' ],
		[ 'Europe/Berlin', 'week', 'false', 2, 'null', 1, 'true' ],
		[ 'UTC', 'quarter', 'false', 12, 'null', 0, 'false' ],
		$source eq 'random' ? [ 'Australia/Lord_Howe', 'day', 'false', 1, 2, 1, 'true' ] : ());
	agree('tiers', $source, \@rules, sub {
		my ($r, $number, $of, $as_of) = @_;
		my $keep_for = $r->{keep} eq 'null' ? 'NULL' : "'$r->{keep} months'";
		my $limits_of = sub { $_[0] eq 'null' ? 'NULL' : "ARRAY$_[0]" };
		return "SELECT concat_ws(E'\\t', $number, member, (extract(epoch FROM since) * 1000000)::bigint, tier, trim_scale(rolling_spend), reason) FROM member, tier_history(s, $as_of, ARRAY$r->{limits}, '{0,1,2,3}', '$r->{months} months', '$r->{unit}', '$r->{timezone}',
			from_zero => $r->{from_zero}, keep_for => $keep_for, keep_limits => " . $limits_of->($r->{keep_limits}) . ", soft_landing => $r->{soft_landing}, with_kept => true) WHERE source = '$of'";
	});

	my @points = map { my %r; @r{qw(timezone unit months days)} = @$_; \%r } (
		[ 'UTC', 'day', 12, 0 ], [ 'America/New_York', 'year', 0, 0 ], [ 'Europe/Berlin', 'month', 6, 0 ], [ 'America/Sao_Paulo', 'day', 1, 10 ], [ 'Australia/Lord_Howe', 'quarter', 3, 0 ], [ 'Asia/Kolkata', 'week', 0, 45 ]);
	agree('points', $source, \@points, sub {
		my ($r, $number, $of, $as_of) = @_;
		return "SELECT concat_ws(E'\\t', $number, member, (extract(epoch FROM at) * 1000000)::bigint, trim_scale(change), trim_scale(balance), reason) FROM member, points_history(p, $as_of, '$r->{months} months $r->{days} days', '$r->{unit}', '$r->{timezone}') WHERE source = '$of'";
	});
}

# What tier_until() and points_until() say is what histories say later.
my $of_rule = q{'3 months', 'month', 'America/New_York', false, '12 months', '{100,40}', true};
is($node->safe_psql('postgres', qq{SELECT count(*) FROM member, LATERAL (SELECT tier_until(s, '2015-01-01', '{200,90}', $of_rule) AS until) u,
	LATERAL (SELECT (array_agg(tier ORDER BY since DESC))[1] AS tier FROM tier_history(s, '2015-01-01', '{200,90}', '{0,1,2}', $of_rule)) t,
	LATERAL (SELECT min((since AT TIME ZONE 'America/New_York')::date) AS lost FROM tier_history(s, '2030-01-01', '{200,90}', '{0,1,2}', $of_rule) h WHERE since > timestamp '2015-01-01' AT TIME ZONE 'America/New_York' AND h.tier > t.tier) l
	WHERE until IS DISTINCT FROM lost}), '0', 'tier_until() is when the history has the loss');
is($node->safe_psql('postgres', q{SELECT count(*) FROM member, LATERAL (SELECT points_until(p, '2013-10-01', '2 years', 'quarter', 'Europe/Berlin') AS until, points_balance(p, '2013-10-01', '2 years', 'quarter', 'Europe/Berlin') AS balance) u,
	LATERAL (SELECT min((at AT TIME ZONE 'Europe/Berlin')::date) AS first, -sum(change) AS all_points FROM points_history(p, '2030-01-01', '2 years', 'quarter', 'Europe/Berlin') WHERE at > timestamp '2013-10-01' AT TIME ZONE 'Europe/Berlin') l
	WHERE source <> 'random' AND (until IS DISTINCT FROM first OR greatest(balance, 0) <> coalesce(all_points, 0))}), '0', 'points_until() is when points lapse next, and all of the balance does');

# Earned = redeemed + lapsed + balance, at any time.
is($node->safe_psql('postgres', q{SELECT count(*) FROM member, unnest('{1997-08-01,2011-06-01 12:34:56,2012-02-29,2020-01-01}'::timestamp[]) as_of WHERE points_earned(p, as_of, 'Asia/Kolkata') <>
	points_redeemed(p, as_of, 'Asia/Kolkata') + points_lapsed(p, as_of, '5 months', 'week', 'Asia/Kolkata') + points_balance(p, as_of, '5 months', 'week', 'Asia/Kolkata')}), '0', 'an account adds up');

done_testing();
