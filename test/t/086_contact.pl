# Contact pressure against test/oracle/contact.py: every figure of every report, on random shops, on The Complete Journey
# if $CUSTMART_SHARED/data has it, and on a log whose truth is known; the worked examples; the same whatever the order,
# the parts and the plan; and what bad arguments come to.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Scalar::Util qw(looks_like_number);
use Test::More;

# The first python3 need not be the one that Debian's packages belong to.
my ($python) = grep { system("$_ -c 'import scipy.stats' >/dev/null 2>&1") == 0 } 'python3', '/usr/bin/python3';
plan skip_all => 'Python\'s SciPy is not installed (Debian: python3-scipy)' unless $python;
my $oracle = abs_path(dirname(__FILE__) . '/../oracle/contact.py');
my $journey = ($ENV{CUSTMART_SHARED} // '') . '/data/completejourney';
my @types = qw(bigint uuid text);
local $ENV{PYTHONUTF8} = 1;

my $node = PostgreSQL::Test::Cluster->new('contact');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nTimeZone = 'UTC'\nmax_parallel_workers = 4\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE UNLOGGED TABLE log (shop int, member text, channel text, kind text, at timestamptz);
	CREATE TABLE setting (shop int, member_type text, as_of timestamptz, half_life interval, channels text[], weights float8[], lookback interval, respond_within interval, responses text[],
		prior_weight float8, span interval, base_cap int, min_cap int, max_cap int, max_prior int, alpha float8, only_channel text);
	CREATE FUNCTION figures(shop int, report text, "row" text, columns jsonb, names text[]) RETURNS SETOF text LANGUAGE sql IMMUTABLE
	AS $$ SELECT concat_ws(E'\t', shop, report, "row", n, coalesce(columns ->> n, '')) FROM unnest(names) n $$;
	-- The state and message of an error, or what the statement returns.
	CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
	BEGIN
		EXECUTE statement INTO result;
		RETURN coalesce(result, 'NULL');
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END $$;
});

sub value { return $node->safe_psql('postgres', "SELECT $_[0]") }

# What each report is asked: its arguments, the row of a figure, its columns.
my %report = (
	pressures   => [ 's.as_of, s.half_life, s.channels, s.weights', 'r.member::text', '{pressure,contacts,last_contact}' ],
	engagements => [ 's.as_of, s.lookback, s.respond_within, s.responses, s.prior_weight', "r.member::text || ' ' || r.channel", '{contacts,responses,rate,engagement,ratio}' ],
	allowances  => [ 's.as_of, s.span, s.base_cap, s.min_cap, s.max_cap, s.lookback, s.respond_within, s.responses, s.prior_weight', "r.member::text || ' ' || r.channel", '{contacts,ratio,cap,is_allowed,next_allowed,is_opted_out}' ]);
my %one_type = (
	priors  => [ 's.as_of, s.lookback, s.respond_within, s.responses, s.prior_weight', 'r.channel', '{members,contacts,responses,rate,prior_weight}' ],
	fatigue => [ 's.as_of, s.span, s.respond_within, s.responses, s.max_prior, s.alpha, s.only_channel', 'r.prior::text', '{contacts,responses,rate,ci_low,ci_high,opt_outs,opt_out_rate,members,rate_ratio,ratio_ci_low,ratio_ci_high,is_tired}' ]);

# Books and trails of a log, of all three types of members.
my $books = join ' UNION ALL ', map { "SELECT shop, contact_book(member::$_, channel, kind, at) AS book FROM log JOIN setting USING (shop) WHERE member_type = '$_' GROUP BY shop" } @types;
my @query = (
	qq{SELECT figures(shop, 'book', '', jsonb_build_object('rows_skipped', rows_skipped(book), 'member_count', member_count(book)), '{rows_skipped,member_count}') FROM book},
	map({ my ($name, $type) = ($_, undef); my ($arguments, $row, $columns) = @{ $report{$name} };
			map { "SELECT figures(shop, '$name', $row, to_jsonb(r), '$columns') FROM asked_$_ s, contact_$name(" . ($_ eq 'bigint' ? '' : "NULL::$_, ") . "s.book, $arguments) r" } @types } sort keys %report),
	map({ my ($arguments, $row, $columns) = @{ $one_type{$_} };
			"SELECT figures(shop, '$_', $row, to_jsonb(r), '$columns') FROM setting s JOIN book b USING (shop), contact_$_(b.book, $arguments) r" } sort keys %one_type),
	map({ "SELECT figures(shop, 'trails', member, jsonb_build_object('pressure', pressure(trail, now, half_life, channels, weights), 'within', contacts_within(trail, now, span), 'next', next_contact(trail, now, span, base_cap)),
			'{pressure,within,next}') FROM asked_$_ JOIN trail USING (shop)" } @types));

my $files = $node->basedir;

# What the oracle expects of the rows that it writes, and what custmart says of them.
sub compare
{
	my ($title, $least, @arguments) = @_;
	my (%expected, %tolerance, %got, %reports, %twice);

	for (split /\n/, `$python '$oracle' @arguments '$files'`)
	{
		my ($shop, $report, $row, $column, $value, $tolerance) = split /\t/, $_, -1;
		my $key = "shop $shop: $report, $row: $column";
		@reports{$key} = $report;
		$expected{$key} = $value;
		$tolerance{$key} = $tolerance;
	}
	is($?, 0, "$title: the oracle has answers");
	$node->safe_psql('postgres', qq{
		TRUNCATE log, setting;
		COPY log FROM '$files/rows.csv' (FORMAT csv);
		COPY setting FROM '$files/settings.csv' (FORMAT csv);
		ANALYZE log, setting;
		DROP TABLE IF EXISTS book, trail;
		CREATE TABLE book AS $books;
		DROP TABLE IF EXISTS asked_bigint, asked_uuid, asked_text;
		CREATE TABLE trail AS SELECT shop, member, contact_trail(channel, kind, at) AS trail FROM log WHERE num_nulls(member, channel, kind, at) = 0 GROUP BY shop, member} . join '', map { "; CREATE TABLE asked_$_ AS SELECT s.*, book, coalesce(as_of, latest) AS now FROM setting s JOIN book USING (shop) JOIN (SELECT shop, max(at) AS latest FROM log WHERE num_nulls(member, channel, kind, at) = 0 GROUP BY 1) l USING (shop) WHERE member_type = '$_'" } @types);
	for (split /\n/, $node->safe_psql('postgres', join ";\n", @query))
	{
		my ($shop, $report, $row, $column, $value) = split /\t/, $_, -1;
		my $key = "shop $shop: $report, $row: $column";
		$reports{$key} = $report;
		$twice{$report}++ if exists $got{$key};
		$got{$key} = $value;
	}
	is(join(' ', %twice), '', "$title: every row once");

	for my $report (sort keys %{ { map { $_ => 1 } values %reports } })
	{
		my @keys = sort grep { $reports{$_} eq $report } keys %reports;
		my @wrong;
		for my $key (@keys)
		{
			my ($is, $should) = ($got{$key}, $expected{$key});
			push @wrong, "$key is " . ($is // 'missing') . ', not ' . ($should // 'there')
			  unless defined $is && defined $should
			  && ($is eq $should || looks_like_number($is) && looks_like_number($should) && abs($is - $should) <= $tolerance{$key} * abs($should) + 1e-300);
		}
		ok(!@wrong, "$title: $report: " . @keys . ' figures') or diag(join "\n", scalar(@wrong) . ' differ', grep { defined } @wrong[ 0 .. 9 ]);
	}
	cmp_ok(scalar(keys %reports), '>', $least, "$title: many");
	return;
}

# ---------- random shops ----------

my $shops = $ENV{FULL} ? 400 : 40;
compare("$shops random shops", 700 * $shops, 'shops', $shops);

# Whatever the order of the rows, the parts and the plan, the bytes are the same.
sub same_books
{
	my ($name, $books, $trails) = @_;
	is(value("count(*) FROM book FULL JOIN ($books) o USING (shop) WHERE contact_book_send(book) IS DISTINCT FROM contact_book_send(b)"), 0, "books: $name");
	is(value("count(*) FROM trail FULL JOIN ($trails) o USING (shop, member) WHERE contact_trail_send(trail) IS DISTINCT FROM contact_trail_send(t)"), 0, "trails: $name");
	return;
}

sub made
{
	my ($order, $part) = @_;
	my $whole = 'num_nulls(member, channel, kind, at) = 0';
	my $group = $part ? "GROUP BY shop, $part" : 'GROUP BY shop';
	return (
		join(' UNION ALL ', map { "SELECT shop, contact_book(member::$_, channel, kind, at $order) AS b FROM log JOIN setting USING (shop) WHERE member_type = '$_' $group" } @types),
		"SELECT shop, member, contact_trail(channel, kind, at $order) AS t FROM log WHERE $whole $group, member");
}

same_books("rows in another order, $_", made("ORDER BY hashtextextended(concat(member, channel, kind, at), $_)")) for 1, 2;
for my $part ('hashtextextended(concat(member, at), 3) % 4', 'channel', 'kind', 'extract(microseconds FROM at)::bigint % 1000000 = 0')
{
	my ($b, $t) = made('', $part);
	same_books("parts by $part, rolled up", "SELECT shop, rollup(b) AS b FROM ($b) p GROUP BY shop", "SELECT shop, member, rollup(t) AS t FROM ($t) p GROUP BY shop, member");
}
{
	my $two = 'hashtextextended(concat(channel, kind, at), 4) & 1';
	my ($b, $t) = made('', $two);
	$b =~ s/SELECT shop,/SELECT shop, $two AS side,/g;
	$t =~ s/SELECT shop,/SELECT shop, $two AS side,/g;
	# NULL where all rows are on one side.
	same_books("$_->[0] + $_->[1]",
		"SELECT shop, coalesce(x.b + y.b, x.b, y.b) AS b FROM (SELECT * FROM ($b) p WHERE side = $_->[0]) x FULL JOIN (SELECT * FROM ($b) p WHERE side = $_->[1]) y USING (shop)",
		"SELECT shop, member, coalesce(x.t + y.t, x.t, y.t) AS t FROM (SELECT * FROM ($t) p WHERE side = $_->[0]) x FULL JOIN (SELECT * FROM ($t) p WHERE side = $_->[1]) y USING (shop, member)")
	  for [ 0, 1 ], [ 1, 0 ];
}
{
	my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 10; SET cpu_tuple_cost = 10; SET cpu_operator_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 4;';
	my ($b) = made();
	# One trail for all members of a shop: the planner would not make one for each in parts.
	my $t = 'SELECT shop, contact_trail(channel, kind, at) AS t FROM log GROUP BY shop';
	$node->safe_psql('postgres', 'ALTER TABLE log SET (parallel_workers = 4)');
	like($node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $_->[1]"), qr/Partial (Hash|Group|)Aggregate/, "$_->[0] are made by workers") for [ 'books', $b ], [ 'trails', $t ];
	$node->safe_psql('postgres', "$parallel CREATE TABLE parallel_book AS $b; CREATE TABLE parallel_trail AS $t");
	is(value('count(*) FROM book FULL JOIN parallel_book USING (shop) WHERE contact_book_send(book) IS DISTINCT FROM contact_book_send(b)'), 0, 'books have the same bytes');
	is(value("count(*) FROM parallel_trail p FULL JOIN ($t) o USING (shop) WHERE contact_trail_send(p.t) IS DISTINCT FROM contact_trail_send(o.t)"), 0, 'and so do trails');
}
for my $format ('text', 'binary')
{
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS loaded_book, loaded_trail;
		CREATE TABLE loaded_book (shop int, b contact_book);
		CREATE TABLE loaded_trail (shop int, member text, t contact_trail);
		COPY book TO '$files/books' (FORMAT $format); COPY loaded_book FROM '$files/books' (FORMAT $format);
		COPY trail TO '$files/trails' (FORMAT $format); COPY loaded_trail FROM '$files/trails' (FORMAT $format)});
	same_books("stored and loaded as $format", 'TABLE loaded_book', 'TABLE loaded_trail');
}

# What the trail of a member says is what the book says of them, to the last bit.
for my $type (@types)
{
	my $named = $type eq 'bigint' ? '' : "NULL::$type, ";
	is(value("count(*) FROM asked_$type s, contact_pressures(${named}book, now, half_life, channels, weights) p LEFT JOIN trail t ON t.member = p.member::text
		WHERE t.shop = s.shop AND p.pressure IS DISTINCT FROM pressure(trail, now, half_life, channels, weights)"), 0, "$type: pressure() of a trail is the pressure in the book");
	is(value("count(*) FROM asked_$type s, contact_allowances(${named}book, now, span, base_cap, min_cap, max_cap, lookback, respond_within, responses, prior_weight) a LEFT JOIN trail t ON t.member = a.member::text
		WHERE t.shop = s.shop AND (a.contacts IS DISTINCT FROM contacts_within(trail, now, span, a.channel) OR a.next_allowed IS DISTINCT FROM next_contact(trail, now, span, cap, a.channel))"), 0,
		"$type: so are contacts_within() and next_contact()");
}

# Monotone: of two members of a channel, who answered as many of fewer mails, or more, has no lower cap.
$node->safe_psql('postgres', q{
	CREATE TABLE capped AS SELECT shop, e.channel, e.contacts AS n, e.responses AS x, cap
	  FROM asked_bigint s, contact_engagements(book, s.as_of, s.lookback, s.respond_within, s.responses, s.prior_weight) e
	       JOIN LATERAL contact_allowances(book, s.as_of, s.span, 9, 0, 100, s.lookback, s.respond_within, s.responses, s.prior_weight) a USING (member, channel)
	 WHERE NOT is_opted_out});
is(value('count(DISTINCT cap) > 20 FROM capped'), 't', 'caps of all sizes');
is(value('count(*) FROM capped a JOIN capped b USING (shop, channel) WHERE a.n <= b.n AND a.x >= b.x AND a.cap < b.cap'), 0, 'they rise with answers and fall with contacts');

# ---------- a log whose truth is known ----------

compare('82,000 mails', 10_000, 'truth');
$node->safe_psql('postgres', q{CREATE TABLE tired AS SELECT f.* FROM setting s JOIN book USING (shop), contact_fatigue(book, s.as_of, respond_within => '36 hours') f});
is(value(q{sum((kind = 'sent')::int) FROM log}), 82_000, 'there are 82,000');
is(value(q{string_agg(prior::text, ' ' ORDER BY prior) FROM tired WHERE prior BETWEEN 1 AND 4 AND 0.85 ^ prior BETWEEN ratio_ci_low AND ratio_ci_high}), '1 2 3 4', 'the intervals hold the truth');
is(value('min(prior) FROM tired WHERE is_tired'), 1, 'the first row that is tired is the first after another mail');
is(value('bool_and(t.rate > z.rate) FROM tired t, tired z WHERE z.prior = 0 AND t.prior BETWEEN 1 AND 4'), 't', 'although all rates rise: those who answer are written to more often');

# ---------- The Complete Journey ----------

SKIP:
{
	skip 'The Complete Journey is not in $CUSTMART_SHARED/data', 22 unless -r "$journey/campaigns.csv.gz";
	compare('The Complete Journey', 10_000, 'journey', "'$journey'");
	# Figures that were found by other means, to their digits.
	my @table = split /\n/, $node->safe_psql('postgres', q{
		SELECT prior, f.contacts, f.responses, round(f.rate::numeric, 4), round(ci_low::numeric, 4), round(ci_high::numeric, 4), round((f.rate / first_value(f.rate) OVER (ORDER BY prior))::numeric, 3),
		       round(rate_ratio::numeric, 6), round(ratio_ci_low::numeric, 6), round(ratio_ci_high::numeric, 6), f.members, is_tired
		  FROM setting s JOIN book USING (shop), contact_fatigue(book, '2018-01-01', '60 days', '30 days') f ORDER BY prior});
	is($table[1], '1|1867|250|0.1339|0.1192|0.1501|1.431|1.286439|1.100936|1.503198|870|f', 'one letter before');
	is($table[2], '2|678|103|0.1519|0.1269|0.1809|1.624|1.240957|0.958256|1.607061|357|f', 'two');
	is($table[3], '3|86|22|0.2558|0.1754|0.3571|2.734|2.338608|1.311484|4.170151|68|f', 'three');
	like($table[0], qr/^0\|3431\|321\|0\.0936\|0\.0843\|0\.1038\|1\.000\|1\.000000\|\|\|/, 'none');
	like($table[4], qr/^4\|3\|0\|0\.0000\|0\.0000\|0\.5615\|0\.000\|[0.]*\|\|\|3\|/, 'four');
	is(scalar(@table), 5, 'and no more');
	is(value(q{sum(f.contacts) FROM book, contact_fatigue(book, '2018-01-01', '60 days', '30 days') f}), 6065, 'letters that are a month old');
	is(value(q{sum(contacts) FROM book, contact_pressures(book, '2018-01-01')}), 6589, 'of all');
	is(value(q{concat_ws(' ', members, contacts, responses, round(rate::numeric, 10), round(prior_weight::numeric, 9), round((1 / (1 + prior_weight))::numeric, 10)) FROM book, contact_priors(book, '2018-01-01', '1000 days', '30 days')}),
		'1550 6065 696 0.1147568013 3.611145149 0.2168658691', 'what everybody is shrunk to');
	is(value(q{concat_ws(' ', contacts, responses, round(ratio::numeric, 9)) FROM book, contact_engagements(book, '2018-01-01', '1000 days', '30 days') WHERE member = 1}), '6 2 2.189052995', 'household 1');
	# 9 of the 318 have had no letter that is a month old.
	is(value(q{string_agg(concat(n, 'x', cap), ' ' ORDER BY cap) FROM (SELECT cap, count(*) AS n FROM book, contact_allowances(book, '2018-01-01', '60 days', 2, 1, 4, '1000 days', '30 days') GROUP BY 1) c}), '922x1 318x2 79x3 240x4', 'caps');
	is(value(q{count(*) FROM book, contact_allowances(book, '2018-01-01', '60 days', 2, 1, 4, '1000 days', '30 days') a JOIN contact_engagements(book, '2018-01-01', '1000 days', '30 days') e USING (member) WHERE cap = 2 AND e.contacts > 0}), 309, 'of them');
}

# ---------- worked examples ----------

$node->safe_psql('postgres', q{
	CREATE VIEW example AS SELECT * FROM (VALUES
		(1::bigint, 'email', 'sent', timestamptz '2026-03-01 10:00Z'), (1, 'email', 'sent', '2026-03-03 10:00Z'), (1, 'email', 'sent', '2026-03-06 10:00Z'), (1, 'email', 'sent', '2026-03-06 10:00Z'), (1, 'sms', 'sent', '2026-03-06 10:00Z'),
		(2, 'email', 'sent', '2026-02-20 21:30Z'), (2, 'email', 'unsubscribed', '2026-02-20 21:40Z'), (3, 'email', 'sent', '2026-03-07 09:00Z')) v (member, channel, kind, at);
	CREATE TABLE example_book AS SELECT contact_book(member, channel, kind, at) AS book FROM example;
	CREATE TABLE example_trail AS SELECT member, contact_trail(channel, kind, at) AS trail FROM example GROUP BY member;
	-- p = .1: (n, x) of members, one member more for the rest.  Answers come within the hour.
	CREATE TABLE tenth AS SELECT contact_book(member, 'email', kind, at) AS book
	  FROM (VALUES (1::bigint, 0, 0), (2, 10, 0), (3, 10, 2), (4, 40, 12), (5, 60, 0), (6, 100, 8)) m (member, n, x),
	       LATERAL (SELECT 'sent' AS kind, timestamptz '2026-01-01' + i * interval '6 hours' AS at FROM generate_series(1, n) i
	                UNION ALL SELECT 'clicked', timestamptz '2026-01-01 01:00' + i * interval '6 hours' FROM generate_series(1, x) i
	                UNION ALL SELECT 'sent', '2026-02-28' WHERE n = 0) r});
my $now = q{'2026-03-08 09:00Z'};
is(value(qq{string_agg(concat_ws(' ', member, contacts, round(pressure::numeric, 12)), '; ' ORDER BY member) FROM example_book, contact_pressures(book, $now, '7 days', '{email,sms}', '{1,3}')}),
	'1 4 4.409001770714; 2 1 0.215938213296; 3 1 0.905723664264', 'pressures');
is(value(qq{string_agg(concat_ws(' ', member, round(pressure(trail, $now, '7 days', '{email,sms}', '{1,3}')::numeric, 12)), '; ' ORDER BY member) FROM example_trail}),
	'1 4.409001770714; 2 0.215938213296; 3 0.905723664264', 'pressures of trails');
is(value(qq{string_agg(concat_ws(' ', member, contacts, cap, is_allowed, coalesce(next_allowed::text, 'never'), is_opted_out), '; ' ORDER BY member) FROM example_book, contact_allowances(book, $now) WHERE channel = 'email'}),
	'1 3 3 f 2026-03-08 10:00:00+00 f; 2 0 0 f never t; 3 1 3 t 2026-03-08 09:00:00+00 f', 'three a week');
is(value(qq{next_contact(trail, $now, '7 days', 2, 'email') FROM example_trail WHERE member = 1}), '2026-03-10 10:00:00+00', 'two a week');
is(value(qq{next_contact(trail, $now, '7 days', 3, 'email') FROM example_trail WHERE member = 1}), '2026-03-08 10:00:00+00', 'three a week');
is(value(qq{next_contact(trail, $now, '7 days', 3) FROM example_trail WHERE member = 3}), '2026-03-08 09:00:00+00', 'now');
is(value(qq{concat_ws(' ', contacts_within(trail, $now, '7 days', 'email'), contacts_within(trail, $now, '7 days', 'sms'), contacts_within(trail, $now, '7 days'), contacts_within(trail, $now, '6 days 23:00:00', 'email')) FROM example_trail WHERE member = 1}),
	'3 1 4 2', 'windows');
is(value(q{string_agg(cap::text, ' ' ORDER BY member) FROM tenth, contact_allowances(book, '2026-03-01', base_cap => 4, max_cap => 8, prior_weight => 20) WHERE member < 6}), '4 3 5 8 1', 'caps');
is(value(q{concat_ws(' ', contacts, responses, rate, prior_weight) FROM tenth, contact_priors(book, '2026-03-01', prior_weight => 20)}), '220 22 0.1 20', 'of a rate of .1');
is(value(q{concat_ws(' ', friend(3, '2025-12-01', '2026-03-01'), friend(2, '2025-12-01', '2026-03-01'), friend(3, '2025-12-02', '2026-03-01'), friend(1, '2025-12-01', '2026-03-01', 1), friend(9, '2026-02-01', '2026-03-01', min_tenure => '28 days'), coalesce(friend(0, '2025-12-01', '2026-03-01'), '-'), coalesce(friend(NULL, '2025-12-01', '2026-03-01'), '-'))}),
	'old new new old old - -', 'friends');
is(value(qq{after_quiet('$_->[0]', '$_->[1]', '$_->[2]', 'Europe/Berlin') AT TIME ZONE 'UTC'}), $_->[3], "after_quiet $_->[0], $_->[1] to $_->[2]")
  for [ '2026-03-28 20:30Z', '21:00', '08:00', '2026-03-29 06:00:00' ], [ '2026-10-25 00:30Z', '21:00', '08:00', '2026-10-25 07:00:00' ],
  [ '2026-03-29 06:00Z', '21:00', '08:00', '2026-03-29 06:00:00' ], [ '2026-03-28 22:00Z', '22:00', '02:30', '2026-03-29 01:00:00' ];

# The edges: a window does not hold its oldest moment; an answer in the last moment counts; a tie is an opt-out; the second answer does not.
my $edges = q{FROM (SELECT contact_book(1::bigint, 'email', kind, at) AS book FROM (VALUES ('sent', timestamptz '2026-01-01 00:00Z'), ('sent', '2026-01-08 00:00Z'), ('clicked', '2026-01-15 00:00Z'), ('converted', '2026-01-15 00:00Z')%s) v (kind, at)) b};
like(value(q{outcome($o$ SELECT 1 } . sprintf($edges, '') . q{, contact_allowances(book, '2026-01-08 00:00Z') $o$)}), qr/^22023 /, 'rows after as_of are an error');
is(value(q{concat_ws(' ', contacts, responses) } . sprintf($edges, '') . q{, contact_engagements(book, '2026-01-15 00:00Z')}), '2 1', 'an answer in the last moment counts, once');
is(value(q{concat_ws(' ', contacts, responses) } . sprintf($edges, '') . q{, contact_engagements(book, '2026-01-15 00:00Z', respond_within => '6 days 23:59:59.999999')}), '2 0', 'and not a microsecond later');
is(value(q{a.contacts } . sprintf($edges, '') . q{, contact_allowances(book, '2026-01-15 00:00Z') a}), 0, 'a window does not hold its oldest moment');
is(value(q{a.contacts } . sprintf($edges, '') . q{, contact_allowances(book, '2026-01-15 00:00Z', '7 days 00:00:00.000001') a}), 1, 'but the one after it');
is(value(q{is_opted_out } . sprintf($edges, $_->[0]) . q{, contact_allowances(book, '2026-02-01 00:00Z') a}), $_->[1], "opted out: $_->[2]")
  for [ q{, ('complained', '2026-01-20'), ('subscribed', '2026-01-20')}, 't', 'a tie' ], [ q{, ('complained', '2026-01-20'), ('subscribed', '2026-01-20 00:00:00.000001')}, 'f', 'back' ],
  [ q{, ('unsubscribed', '2026-01-20'), ('subscribed', '2026-01-19'), ('subscribed', '2026-01-02')}, 't', 'and never back' ], [ q{, ('subscribed', '2026-01-02')}, 'f', 'subscribed only' ];

# ---------- bad arguments ----------

# The reports, the values of trails, and what each does with an argument.
my $book = q{(SELECT contact_book(member, channel, kind, at) FROM example)};
my $trail = q{(SELECT contact_trail(channel, kind, at) FROM example WHERE member = 1)};
sub called { my ($name, $arguments, $of) = @_; return $name . '(' . ($of // ($name =~ /^contact_(?!s)/ ? $book : $trail)) . ($arguments ? ", $arguments" : '') . ')' }
my @bad;
sub bad { my ($expected, $statement) = @_; push @bad, [ $expected, $statement ]; return }

# Rows
for my $aggregate ('contact_book(1::bigint, %s, %s, %s)', 'contact_book(gen_random_uuid(), %s, %s, %s)', q{contact_book('m'::text, %s, %s, %s)}, 'contact_trail(%s, %s, %s)')
{
	my $of = sub { return sprintf "SELECT $aggregate", @_ };
	bad(qr/^22023 /, $of->(q{'email'}, "'$_'", q{'2026-01-01'})) for '', 'send', 'Sent', ' sent', 'sent ', 'x' x 1000;
	bad(qr/^22008 /, $of->(q{'email'}, q{'sent'}, "'$_'")) for 'infinity', '-infinity';
	bad(qr/^54000 /, $of->(q{'channel ' || i}, q{'sent'}, q{'2026-01-01'}) . ' FROM generate_series(1, 17) i');
	bad(qr/^(?!\d{5} )/, $of->(q{'channel ' || i}, q{'sent'}, q{'2026-01-01'}) . ' FROM generate_series(1, 16) i');
	bad(qr/^(?!\d{5} )/, $of->(q{''}, q{'sent'}, q{'2026-01-01'}));
	# Long names are kept, or refused as what is too large or not valid.
	bad(qr/^(?!\d{5} )|^(54000|22023) /, $of->(q{repeat('e', 1000000)}, q{'sent'}, q{'2026-01-01'}));
	bad(qr/^NULL$/, $of->(q{'email'}, q{'sent'}, q{'2026-01-01'}) . ' WHERE false');
	bad(qr/^(?!\d{5} )/, $of->(@$_)) for [ 'NULL', q{'sent'}, q{'2026-01-01'} ], [ q{'email'}, 'NULL', q{'2026-01-01'} ], [ q{'email'}, q{'sent'}, 'NULL' ];
	bad(qr/^(?!\d{5} )/, $of->(q{'email'}, q{'sent'}, "'$_'")) for '4713-01-01 BC', '294276-12-31';
}
# Seventeen channels in two parts.
bad(qr/^54000 /, q{SELECT rollup(b) FROM (SELECT contact_book(1::bigint, 'channel ' || i, 'sent', '2026-01-01') AS b FROM generate_series(1, 17) i GROUP BY i % 2) p});
bad(qr/^54000 /, q{SELECT rollup(t) FROM (SELECT contact_trail('channel ' || i, 'sent', '2026-01-01') AS t FROM generate_series(1, 17) i GROUP BY i % 2) p});
bad(qr/^42804 /, q{SELECT contact_book(1::bigint, 'email', 'sent', '2026-01-01') + contact_book('1'::text, 'email', 'sent', '2026-01-01')});
# Members of another type.
for my $report (qw(contact_pressures contact_engagements contact_allowances))
{
	bad(qr/^42804 /, "SELECT $report(NULL::$_, $book)") for 'uuid', 'text';
	bad(qr/^42804 /, qq{SELECT $report(contact_book('1'::text, 'email', 'sent', '2026-01-01'))});
	bad(qr/^(42804|42883|0A000) /, "SELECT $report(NULL::float8, $book)");
	bad(qr/^0$/, "SELECT count(*) FROM $report(NULL::uuid, NULL)");
}
# No book.
bad(qr/^0$/, "SELECT count(*) FROM $_(NULL)") for qw(contact_pressures contact_engagements contact_priors contact_allowances contact_fatigue);
# The time
for my $name (qw(contact_pressures contact_engagements contact_priors contact_allowances contact_fatigue))
{
	bad(qr/^22008 /, 'SELECT ' . called($name, "as_of => '$_'")) for 'infinity', '-infinity';
	bad(qr/^22023 /, 'SELECT ' . called($name, "as_of => '$_'")) for '2026-03-07 08:59:59.999999Z', '4713-01-01 BC';
	bad(qr/^(?!\d{5} )/, "SELECT count(*) FROM " . called($name, "as_of => '$_'")) for '2026-03-07 09:00Z', '294276-12-31';
	bad(qr/^(?!\d{5} )/, "SELECT count(*) FROM " . called($name, 'as_of => NULL'));
}
# Intervals
my %intervals = (contact_pressures => ['half_life'], contact_engagements => [ 'lookback', 'respond_within' ], contact_priors => [ 'lookback', 'respond_within' ], contact_allowances => [ 'span', 'lookback', 'respond_within' ], contact_fatigue => [ 'span', 'respond_within' ]);
for my $name (sort keys %intervals)
{
	for my $argument (@{ $intervals{$name} })
	{
		bad(qr/^22023 /, 'SELECT ' . called($name, "$argument => '$_'")) for '1 month', '-1 month', '1 year', '1 month -30 days', '-1 microsecond', '1 day -25 hours', '-7 days';
		bad(qr/^22023 /, 'SELECT ' . called($name, "$argument => '0'")) unless $argument eq 'respond_within';
		bad(qr/^(22004|22023) /, 'SELECT ' . called($name, "$argument => NULL"));
		# 5.8 million years, the largest of days, the smallest.
		bad(qr/^(?!\d{5} )|^(22023|22008) /, 'SELECT count(*) FROM ' . called($name, "$argument => '$_'")) for '2147483647 days', '2562047788 hours', '2147483647 days 2562047788 hours';
		bad(qr/^(?!\d{5} )/, 'SELECT count(*) FROM ' . called($name, "$argument => '$_'")) for '1 microsecond', '36500 days', '1 day -23:59:59.999999';
	}
}
# Weights
for my $name ('contact_pressures', 'pressure')
{
	bad(qr/^22023 /, 'SELECT ' . called($name, "$now, '7 days', $_"))
	  for q{'{email}', '{-1}'}, q{'{email}', '{NaN}'}, q{'{email}', '{inf}'}, q{'{email}', '{-inf}'}, q{'{email,sms}', '{1}'}, q{'{email}', '{1,2}'}, q{'{email}', NULL}, q{NULL, '{1}'}, q{'{}', '{1}'};
	bad(qr/^(22004|22023) /, 'SELECT ' . called($name, "$now, '7 days', $_")) for q{'{email,NULL}', '{1,2}'}, q{'{email,sms}', '{1,NULL}'};
	bad(qr/^(?!\d{5} )|^(22023|2202E) /, 'SELECT ' . called($name, "$now, '7 days', $_")) for q{'{{email},{sms}}', '{{1},{2}}'};
	bad(qr/^(?!\d{5} )|^22023 /, 'SELECT ' . called($name, "$now, '7 days', $_")) for q{'{email,email}', '{1,2}'}, q{'{email}', '{1e308}'};
	bad(qr/^(?!\d{5} )/, 'SELECT ' . called($name, "$now, '7 days', $_")) for q{'{}', '{}'}, q{'{email}', '{0}'}, q{NULL, NULL}, q{ARRAY(SELECT 'c' || i FROM generate_series(1, 1000) i), ARRAY(SELECT i FROM generate_series(1, 1000) i)};
}
# Answers
for my $name (qw(contact_engagements contact_priors contact_allowances contact_fatigue))
{
	bad(qr/^22023 /, 'SELECT ' . called($name, "responses => '$_'")) for '{click}', '{clicked,Converted}', '{sent}', '{""}';
	bad(qr/^(22004|22023|2202E) /, 'SELECT ' . called($name, "responses => $_")) for q{'{clicked,NULL}'}, q{'{NULL}'}, 'NULL';
	bad(qr/^(?!\d{5} )|^(22023|2202E) /, 'SELECT count(*) FROM ' . called($name, "responses => '$_'")) for '{}', '{clicked,clicked}', '{{clicked},{converted}}';
}
for my $name (qw(contact_engagements contact_priors contact_allowances))
{
	bad(qr/^22023 /, 'SELECT ' . called($name, "prior_weight => '$_'")) for '-1', 'NaN', '-inf', '-1e-300';
	bad(qr/^(?!\d{5} )|^22023 /, 'SELECT count(*) FROM ' . called($name, "prior_weight => '$_'")) for '0', 'inf', '1e308', '1e-308';
}
# Caps
for my $argument (qw(base_cap min_cap max_cap))
{
	bad(qr/^22023 /, 'SELECT ' . called('contact_allowances', "$argument => -1"));
	bad(qr/^(22004|22023) /, 'SELECT ' . called('contact_allowances', "$argument => NULL"));
}
bad(qr/^22023 /, 'SELECT ' . called('contact_allowances', $_)) for 'min_cap => 8', 'max_cap => 0', 'min_cap => 3, max_cap => 2';
bad(qr/^(?!\d{5} )/, 'SELECT count(*) FROM ' . called('contact_allowances', $_)) for 'base_cap => 2147483647, max_cap => 2147483647', 'min_cap => 0, max_cap => 0';
# Fatigue
bad(qr/^22023 /, 'SELECT ' . called('contact_fatigue', "alpha => '$_'")) for '0', '1', '-0.05', '1.5', 'NaN', 'inf', '-inf';
bad(qr/^22023 /, 'SELECT ' . called('contact_fatigue', "max_prior => $_")) for '-1', '-2147483648';
bad(qr/^(22004|22023) /, 'SELECT ' . called('contact_fatigue', "$_ => NULL")) for 'alpha', 'max_prior';
bad(qr/^(?!\d{5} )|^22023 /, 'SELECT count(*) FROM ' . called('contact_fatigue', $_)) for 'max_prior => 0', 'max_prior => 2147483647', q{channel => 'never used'}, q{channel => ''}, q{channel => repeat('e', 1000000)}, q{alpha => 1e-300};
# Trails
bad(qr/^NULL$/, 'SELECT ' . called($_->[0], $_->[1], 'NULL::contact_trail')) for [ 'pressure', "$now, '7 days'" ], [ 'contacts_within', "$now, '7 days'" ], [ 'next_contact', "$now, '7 days', 3" ];
for ([ 'pressure', '%s, %s' ], [ 'contacts_within', '%s, %s' ], [ 'next_contact', '%s, %s, 3' ])
{
	my ($name, $arguments) = @$_;
	bad(qr/^22008 /, 'SELECT ' . called($name, sprintf $arguments, "'infinity'", q{'7 days'}));
	bad(qr/^22023 /, 'SELECT ' . called($name, sprintf $arguments, q{'2026-03-06 09:59Z'}, q{'7 days'}));
	bad(qr/^22023 /, 'SELECT ' . called($name, sprintf $arguments, $now, $_)) for q{'1 month'}, q{'0'}, q{'-1 day'};
	bad(qr/^(22004 |NULL$)/, 'SELECT ' . called($name, sprintf $arguments, $now, 'NULL'));
}
bad(qr/^22023 /, 'SELECT ' . called('next_contact', "$now, '7 days', -1"));
bad(qr/^NULL$/, 'SELECT ' . called('next_contact', "$now, '7 days', 0"));
bad(qr/^(22004 |NULL$)/, 'SELECT ' . called('next_contact', "$now, '7 days', NULL"));
bad(qr/^2026-03-08 09:00:00\+00$/, 'SELECT ' . called('next_contact', "$now, '7 days', 2147483647"));
bad(qr/^(0$|22023 )/, 'SELECT ' . called('contacts_within', "$now, '7 days', 'never used'"));
# The last moment there is: the next one may be beyond it.
bad(qr/^(22008|22023) /, q{SELECT next_contact(contact_trail('email', 'sent', '294276-12-31 23:00'), '294276-12-31 23:30', '7 days', 1)});
bad(qr/^(?!\d{5} )|^(22008|22023) /, q{SELECT a FROM (SELECT contact_book(1::bigint, 'email', 'sent', '294276-12-31 23:00') AS book) b, contact_allowances(book, '294276-12-31 23:30', base_cap => 1, max_cap => 1) a});
# Friends and quiet hours
bad(qr/^(NULL$|22023 )/, q{SELECT friend(-1, '2025-12-01', '2026-03-01')});
bad(qr/^NULL$/, $_) for q{SELECT friend(3, NULL, '2026-03-01')}, q{SELECT after_quiet(NULL, '21:00', '08:00', 'UTC')}, q{SELECT after_quiet('2026-01-01', NULL, '08:00', 'UTC')}, q{SELECT after_quiet('2026-01-01', '21:00', NULL, 'UTC')},
  q{SELECT after_quiet('2026-01-01', '21:00', '08:00', NULL)};
bad(qr/^22023 /, "SELECT after_quiet('2026-01-01', '21:00', '08:00', '$_')") for 'Europe/Nowhere', '', 'x' x 1000;
bad(qr/^(infinity$|22008 )/, q{SELECT after_quiet('infinity', '21:00', '08:00', 'UTC')});
bad(qr/^2026-01-01 22:00:00\+00$/, q{SELECT after_quiet('2026-01-01 22:00Z', '22:00', '22:00', 'UTC')});
bad(qr/^2026-01-02 00:00:00\+00$/, "SELECT after_quiet('2026-01-01 22:00Z', '22:00', '$_', 'UTC')") for '24:00', '00:00';

my $all = join ' UNION ALL ', map { "SELECT $_, outcome(\$statement\$$bad[$_][1]\$statement\$)" } 0 .. $#bad;
my %outcome = map { /^(\d+)\|(.*)$/ ? ($1 => $2) : () } split /\n/, $node->safe_psql('postgres', "$all ORDER BY 1");
my @wrong;
for my $i (0 .. $#bad)
{
	my ($expected, $statement) = @{ $bad[$i] };
	my $is = $outcome{$i} // 'nothing';
	push @wrong, substr($statement, 0, 300) . "\n    $is" if $is !~ $expected;
	# A message is in lower case, unless it starts with a name.
	push @wrong, substr($statement, 0, 300) . "\n    $is" if $is =~ /^(?:22|54)\w{3} [A-Z][a-z]/;
}
ok(!@wrong, 'bad arguments: ' . @bad . ' statements') or diag(join "\n", scalar(@wrong) . ' are not as expected', @wrong[ 0 .. ($#wrong > 59 ? 59 : $#wrong) ]);

$node->stop;
done_testing();
