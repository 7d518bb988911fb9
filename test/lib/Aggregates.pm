# Rows for every aggregate of the extension, for tests that split one over processes or machines.
#
#   Aggregates::make_shop(sub { $session->sql($_[0]) });     # the table "shop"
#   for (Aggregates::list(sub { $session->sql($_[0]) }))     # signature, name, result, types of arguments
#   my $arguments = Aggregates::arguments($name, $types);    # expressions over it, or undef
#   "$name(" . Aggregates::called($arguments) . ')'
package Aggregates;

use strict;
use warnings;

# Rows for every list of argument types; an aggregate with another list needs its
# own line here.  Column by column: expressions over the table "shop".
my %arguments = (
	'timestamp with time zone, numeric' => 'at, amount',
	'rfm_summary' => 'one_order',
	'rfm_summary, integer' => 'one_order, 7',
	'rfm_book' => 'day_book',
	'text' => 'member_text',
	'text, integer' => 'member_text, 500',
	'tagbloom' => 'tags',
	'pricebook_summary' => 'day_prices',
	'price_slope_summary' => 'day_slope',
	'double precision, double precision[]' => "nullif(amount, 0)::float8, '{0.1,0.2,0.3}'::float8[]",
	map {
		my ($member, $column) = @$_;
		("$member, timestamp with time zone, numeric" => "$column, at, amount",
			"$member, bigint, timestamp with time zone, numeric" => "$column, order_id, at, amount",
			"$member, uuid, timestamp with time zone, numeric" => "$column, md5(order_text)::uuid, at, amount",
			"$member, text, timestamp with time zone, numeric" => "$column, order_text, at, amount",
			"$member, rfm_summary" => "$column, one_order")
	} [ bigint => 'member' ],
	[ uuid => 'member_uuid' ],
	[ text => 'member_text' ]);
# Some prices and quantities are below 0, some have 30 digits; any column may be NULL.
for ([ bigint => 'member' ], [ text => 'member_text' ])
{
	my ($item, $column) = @$_;
	$arguments{"$item, text, numeric"} = "$column, order_text, amount";
	$arguments{"$item, date, text, numeric, numeric"} = "$column, at::date, right(order_text, 1), amount, round(amount / 7 + 3, 2)";
	$arguments{"$item, double precision, numeric"} = "$column, (order_id / 7.0)::float8, amount";
	$arguments{"$item, date, double precision, numeric"} = "$column, at::date, (order_id / 7.0)::float8, amount";
	# The same with members, some of whom nobody knows.
	for ([ bigint => 'nullif(order_id % 50, 7)' ], [ uuid => 'member_uuid' ], [ text => 'order_text' ])
	{
		my ($type, $member) = @$_;
		$arguments{"$_, $type"} = "$arguments{$_}, $member"
		  for "$item, text, numeric", "$item, date, text, numeric, numeric", "$item, double precision, numeric", "$item, date, double precision, numeric";
	}
}
# Interactions: every seventh of no kind.
my $kind = "(ARRAY['own', 'induced', 'obliged', 'own', 'obliged', 'induced'])[id % 7]";
$arguments{'text, timestamp with time zone, timestamp with time zone'} = "$kind, at, timestamptz '2026-03-01'";
$arguments{'text, timestamp with time zone, timestamp with time zone, interval, integer, double precision'} =
  "$kind, at, timestamptz '2026-03-01', interval '40 days', 3, 0.3::float8";
$arguments{"$$_[0], text, timestamp with time zone"} = "$$_[1], $kind, at"
  for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{interaction_book} = 'day_interactions';
# Contacts; a trail is made of the types of interaction_book.
my $contact = "'channel ' || order_id % 5, (ARRAY['sent', 'clicked', 'complained', 'sent'])[id % 5], at";
$arguments{"$$_[0], text, text, timestamp with time zone"} = "$$_[1], $contact"
  for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{'contact_trail(text, text, timestamp with time zone)'} = $contact;
$arguments{contact_trail} = 'day_trail';
$arguments{contact_book} = 'day_contacts';
$arguments{session_book} = 'day_sessions';
$arguments{spend_summary} = 'day_spend';
$arguments{points_summary} = 'day_points';
# Campaigns: squares of the largest amounts would not fit.
my $outcome = 'member % 3 > 0, round(mod(amount, 1000000), 2)';
$arguments{'boolean, numeric'} = $outcome;
$arguments{'boolean, numeric, numeric'} = "$outcome, order_id::numeric";
$arguments{'text, boolean, numeric'} = "member_text, $outcome";
$arguments{'double precision, boolean, numeric'} = "(order_id / 7.0)::float8, $outcome";
$arguments{campaign_summary} = 'day_campaign';
$arguments{campaign_book} = 'day_segments';
# Categories: every seventh of none.
$arguments{"$$_[0], text, numeric"} //= "$$_[1], 'category ' || nullif(id % 7, 3), amount" for [ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ];
$arguments{preference_book} = 'day_preferences';
# Baskets: items of both types, some of them NULL.
for my $basket ([ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ])
{
	$arguments{"$basket->[0], $_->[0]"} //= "$basket->[1], $_->[1]" for [ bigint => 'nullif(order_id % 9, 4)' ], [ text => "nullif(right(order_text, 1), '3')" ];
}
$arguments{basket_book} = 'day_baskets';
# Audiences, with as many conditions as the arguments have.
for my $n (0 .. 8)
{
	my ($types, $conditions) = $n == 0 ? ('boolean[]', 'ARRAY[amount > 0, order_id % 3 = 0]') : (join(', ', ('boolean') x $n), join(', ', map { "order_id % " . ($_ + 1) . ' = 0' } 1 .. $n));
	$arguments{"$_, double precision, $types"} = { bigint => 'member', uuid => 'member_uuid', text => 'member_text' }->{$_} . ", (order_id / 8.0)::float8, $conditions" for qw(bigint uuid text);
}
$arguments{audience_book} = 'day_audience';
# Tables of orders: NULL is data.
$arguments{"text, text, text, $_->[0], numeric, numeric"} = "member_text, order_text, right(member_text, 1), $_->[1], mod(order_id, 5)::numeric, amount",
  $arguments{"text, text, text, $_->[0], numeric, numeric, text"} = "member_text, order_text, right(member_text, 1), $_->[1], mod(order_id, 5)::numeric, amount, right(order_text, 1)"
  for [ 'timestamp with time zone' => 'at' ], [ 'timestamp without time zone' => "at AT TIME ZONE 'UTC'" ], [ date => "(at AT TIME ZONE 'UTC')::date" ];
$arguments{check_book} = 'day_checks';
# Funnels: rows that meet several steps, none, and NULL ones.
my $events = "interval '3 days', at, ARRAY[amount > 0, order_id % 3 = 0, member > 20]";
$arguments{'interval, timestamp with time zone, boolean[]'} = $events;
my %members = (bigint => 'member', uuid => 'member_uuid', text => 'member_text');
$arguments{"$_, interval, timestamp with time zone, boolean[]"} = "$members{$_}, $events" for keys %members;
# The same with an argument for each step.
my @steps = ('amount > 0', 'order_id % 3 = 0', 'member > 20', 'NULL', 'amount < 9', 'order_id % 2 = 1', 'member < 30', 'amount > 2');
for my $n (2 .. @steps)
{
	my $types = 'interval, timestamp with time zone' . ', boolean' x $n;
	my $listed = "interval '3 days', at, " . join(', ', map { "($_)::boolean" } @steps[0 .. $n - 1]);
	$arguments{$types} = $listed;
	$arguments{"$_, $types"} = "$members{$_}, $listed" for keys %members;
}
$arguments{funnel_summary} = 'day_events';
$arguments{funnel_book} = 'day_funnels';
# Activity: constants for unit and zone, and what was stored of it before.
my $calendar = "text 'week', text 'America/New_York'";
my %clocks = (
	'timestamp with time zone' => 'at',
	'timestamp without time zone' => "at AT TIME ZONE 'UTC'",
	'date' => "(at AT TIME ZONE 'UTC')::date");
$arguments{"$_, text, text"} = "$clocks{$_}, $calendar" for keys %clocks;
for ([ bigint => 'member' ], [ uuid => 'member_uuid' ], [ text => 'member_text' ])
{
	my ($member, $column) = @$_;
	$arguments{"$member, $_, text, text"} = "$column, $clocks{$_}, $calendar" for keys %clocks;
	$arguments{"$member, $_, numeric, text, text"} = "$column, $clocks{$_}, amount, $calendar" for keys %clocks;
	$arguments{"$member, timestamp with time zone"} = "$column, at";
	for my $joined (keys %clocks)
	{
		$arguments{"$member, $joined, $_, text, text"} = "$column, $clocks{$joined}, $clocks{$_}, $calendar" for keys %clocks;
		$arguments{"$member, $joined, $_, numeric, text, text"} = "$column, $clocks{$joined}, $clocks{$_}, amount, $calendar" for keys %clocks;
	}
	$arguments{"retention_book_since($member, timestamp with time zone, timestamp with time zone)"} = "$column, at, at + id % 9 * interval '1 day'";
	$arguments{"$member, activity_summary"} = "$column, day_activity";
	$arguments{"$member, funnel_summary"} = "$column, day_events";
}
$arguments{'bigint, double precision, double precision, numeric, text'} = "order_id % 9, ((order_id % 9) * 10)::float8, (100 + id % 7)::float8, amount, text 'mbg/nbd'";
$arguments{activity_summary} = 'day_activity';
$arguments{retention_book} = 'day_retention';

# Expressions for the arguments of an aggregate of that name or, if it has no line of its own, of those types.
sub arguments
{
	my ($name, $types) = @_;
	return $arguments{"$name($types)"} // $arguments{$types};
}

# The same arguments in a call that names the aggregate: an array is all that is variadic.
sub called
{
	my ($list) = @_;
	return $list =~ s/(?=ARRAY\[amount|NULL::boolean\[\])/VARIADIC /r;
}

# NULLs of the given types, as arguments.
sub nulls
{
	my ($types) = @_;
	return join ', ', map { "NULL::$_" } split /, /, $types;
}

# Every aggregate, but those that only say how to call another one.
sub list
{
	my ($run) = @_;
	return map { [ split /\|/ ] } split /\n/, $run->(q{
		SELECT p.oid::regprocedure, p.proname, p.prorettype::regtype,
		       (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (t, n))
		  FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
		  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		 WHERE e.extname = 'custmart' AND (SELECT proname FROM pg_proc f WHERE f.oid = aggtransfn) <> 'retention_book_step_without_timezone'
		 ORDER BY p.oid::regprocedure::text COLLATE "C"});
}

# The table: every column may be NULL.
sub make_shop
{
	my ($run) = @_;
	$run->(q{
		CREATE TABLE shop AS
		SELECT i AS id, i % 4 AS worker, member, md5(member::text)::uuid AS member_uuid, repeat('É', (member % 9)::int) || member AS member_text,
		       order_id, CASE WHEN order_id % 7 <> 0 THEN '#' || order_id ELSE '' END AS order_text,
		       CASE WHEN i % 41 <> 0 THEN timestamptz '2026-01-01' + (i * 7919 % 1000) * interval '1 hour' END AS at,
		       CASE WHEN i % 43 <> 0 THEN (i * 104729 % 5000 - 500)::numeric / 100 * CASE WHEN i % 97 = 0 THEN 1e30 ELSE 1 END END AS amount
		  FROM generate_series(1, 500) i,
		       LATERAL (SELECT CASE WHEN i % 37 <> 0 THEN (i * 15485863::bigint % 1009 % 60) END AS member, CASE WHEN i % 31 <> 0 THEN (i / 3)::bigint END AS order_id) x;
		ALTER TABLE shop ADD one_order rfm_summary, ADD day_book rfm_book, ADD tags tagbloom, ADD day_prices pricebook_summary, ADD day_slope price_slope_summary;
		UPDATE shop s SET (day_prices, day_slope) =
		  (SELECT pricebook(member_text, at::date, right(order_text, 1), amount, 2.50), price_slope(member, at::date, order_id, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id)
		 WHERE id % 29 <> 0;
		UPDATE shop s SET one_order = (SELECT rfm(at, amount) FROM shop o WHERE o.id = s.id),
		                  day_book = (SELECT rfm_book(member, order_text, at, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id);
		UPDATE shop SET day_book = NULL WHERE id % 29 = 0;
		-- Sets of all sizes, exact and filters, some raised and some halved.
		UPDATE shop s SET tags = CASE WHEN id % 3 = 0 THEN tagbloom(all_of, 1 + id * 7 % 600, true) ELSE all_of END
		  FROM (SELECT n, tag_agg(member_text || '/' || order_text) AS all_of FROM shop, generate_series(1, 10) n WHERE id % 500 < n * n * n GROUP BY n) x WHERE n = 1 + id % 11;
	});
	$run->(qq{
		ALTER TABLE shop ADD day_interactions interaction_book;
		ALTER TABLE shop ADD day_trail contact_trail, ADD day_contacts contact_book;
		UPDATE shop s SET (day_trail, day_contacts) = (SELECT contact_trail($contact), contact_book(member_text, $contact) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		ALTER TABLE shop ADD day_spend spend_summary, ADD day_points points_summary;
		ALTER TABLE shop ADD day_preferences preference_book;
		UPDATE shop s SET day_preferences = (SELECT preference_book(member_text, 'category ' || id % 5, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		ALTER TABLE shop ADD day_baskets basket_book;
		UPDATE shop s SET day_baskets = (SELECT basket_book(member_text, order_id) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		ALTER TABLE shop ADD day_audience audience_book;
		UPDATE shop s SET day_audience = (SELECT audience_book(member_text, id, id % 2 = 0, id % 3 = 0) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		ALTER TABLE shop ADD day_campaign campaign_summary, ADD day_segments campaign_book;
		UPDATE shop s SET (day_campaign, day_segments) = (SELECT campaign($outcome), campaign_book(member_text, $outcome) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		ALTER TABLE shop ADD day_checks check_book;
		UPDATE shop s SET day_checks = (SELECT check_book(member_text, order_text, right(member_text, 1), at, mod(order_id, 5)::numeric, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		UPDATE shop s SET (day_spend, day_points) = (SELECT spend(at, amount), points(at, amount) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		UPDATE shop s SET day_interactions = (SELECT interaction_book(member_text, $kind, at) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	});
	
	$run->(qq{
		ALTER TABLE shop ADD day_events funnel_summary, ADD day_funnels funnel_book, ADD day_sessions session_book;
		UPDATE shop s SET day_sessions = (SELECT session_book(member_text, at) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
		UPDATE shop s SET (day_events, day_funnels) = (SELECT funnel(@{[ called($events) ]}), funnel_book(member_text, @{[ called($events) ]}) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	});
	$run->(qq{
		ALTER TABLE shop ADD day_activity activity_summary, ADD day_retention retention_book;
		UPDATE shop s SET (day_activity, day_retention) = (SELECT activity(at, $calendar), retention_book(member_text, at, amount, $calendar) FROM shop o WHERE o.id BETWEEN s.id - 3 AND s.id) WHERE id % 29 <> 0;
	});
	return;
}

1;
