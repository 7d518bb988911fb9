# after_quiet against counting: of every minute of a year, and of every second around odd changes of the clocks, the first one from
# then on whose clocks, by AT TIME ZONE, show nothing quiet.
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('after_quiet');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION custmart');

# Clocks and windows are of whole steps, so the answer is one, too; two days more have those of the last ones.
$node->safe_psql('postgres', q{
	CREATE FUNCTION compare(zone text, since timestamptz, until timestamptz, step interval, quiet_from time, quiet_to time) RETURNS text LANGUAGE sql AS $$
		SELECT concat_ws(' ', count(*), 'tried,', count(*) FILTER (WHERE is_quiet), 'quiet,', count(*) FILTER (WHERE after_quiet(t, quiet_from, quiet_to, zone) IS DISTINCT FROM first), 'wrong')
		FROM (SELECT t, is_quiet, min(t) FILTER (WHERE NOT is_quiet) OVER (ORDER BY t DESC) AS first
			FROM (SELECT t, CASE WHEN quiet_from <= quiet_to THEN clock >= quiet_from AND clock < quiet_to ELSE clock >= quiet_from OR clock < quiet_to END AS is_quiet
				FROM (SELECT t, (t AT TIME ZONE zone)::time AS clock FROM generate_series(since, until + '2 days', step) t) c) q) f
		WHERE t < until $$;
});

# More than none is quiet, and nothing is wrong.
sub is_right
{
	my ($zone, $since, $until, $step, $from, $to) = @_;
	my $got = $node->safe_psql('postgres', "SELECT compare('$zone', '$since', '$until', '$step', '$from', '$to')");
	like($got, qr/^[1-9]\d* tried, [1-9]\d* quiet, 0 wrong$/, "$zone, $since, quiet from $from to $to: $got");
	return;
}

for my $zone (qw(Europe/Berlin America/New_York Australia/Lord_Howe Asia/Shanghai))
{
	is_right($zone, '2026-01-01 00:00Z', '2027-01-01 00:00Z', '1 minute', @$_) for [ '21:00', '08:00' ], [ '22:00', '02:30' ], [ '01:45', '02:15' ];
}

# Clocks that change at midnight, by two hours, twice in a month, by a day; that skip what is the end of quiet hours, or repeat it.
for (
	[ 'America/Sao_Paulo', '2018-11-03', '2018-11-06', '1 minute' ], [ 'America/Sao_Paulo', '2018-02-16', '2018-02-20', '1 minute' ], [ 'America/Havana', '2025-03-07', '2025-03-11', '1 minute' ],
	[ 'America/Havana', '2025-11-01', '2025-11-04', '1 minute' ], [ 'Asia/Beirut', '2025-03-28', '2025-04-01', '1 minute' ], [ 'Africa/Cairo', '2014-05-01', '2014-10-01', '1 minute' ],
	[ 'Antarctica/Troll', '2025-03-28', '2025-04-01', '1 minute' ], [ 'Antarctica/Troll', '2025-10-24', '2025-10-28', '1 minute' ], [ 'Africa/Casablanca', '2025-02-20', '2025-04-10', '1 minute' ],
	[ 'Pacific/Apia', '2011-12-27', '2012-01-02', '1 minute' ], [ 'Pacific/Kwajalein', '1993-08-19', '1993-08-24', '1 minute' ], [ 'Europe/Dublin', '2025-03-28', '2025-04-01', '1 minute' ], [ 'Asia/Kathmandu', '1985-12-30', '1986-01-03', '1 minute' ],
	[ 'Europe/Berlin', '1945-04-01', '1945-12-01', '1 minute' ], [ 'Europe/London', '1941-04-01', '1947-12-01', '10 minutes' ], [ '<-0130>01:30', '2025-01-01', '2025-01-04', '1 minute' ], [ 'XXX23YYY,M3.2.0,M11.1.0', '2025-03-06', '2025-03-12', '1 minute' ],
	# Before there were time zones, clocks differed by seconds.
	[ 'Europe/Berlin', '1893-03-30', '1893-04-03', '1 second' ], [ 'America/New_York', '1883-11-17', '1883-11-20', '1 second' ], [ 'Africa/Monrovia', '1972-01-05', '1972-01-09', '1 second' ], [ 'Asia/Shanghai', '1900-12-30', '1901-01-03', '1 second' ],
	[ 'Asia/Kolkata', '1850-01-01', '1850-01-03', '1 second' ], [ 'Asia/Manila', '1844-12-29', '1845-01-03', '1 second' ], [ 'America/Juneau', '1867-10-16', '1867-10-20', '1 second' ],
	# Far from all that is known, by the rules of today.
	[ 'Europe/Berlin', '2399-03-20', '2399-04-10', '1 minute' ], [ 'America/New_York', '9999-10-25', '9999-11-20', '1 minute' ], [ 'Europe/Berlin', '4000-01-01 BC', '4000-01-03 BC', '1 second' ])
{
	my ($zone, $since, $until, $step) = @$_;
	s/(BC)?$/ UTC$1/ for $since, $until;
	s/ UTCBC/ UTC BC/ for $since, $until;
	is_right($zone, $since, $until, $step, @$_) for [ '21:00', '08:00' ], [ '23:30', '00:30' ], [ '00:00', '01:00' ], [ '08:00', '07:00' ];
}

done_testing();
