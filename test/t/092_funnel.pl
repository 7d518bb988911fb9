# Funnels under rules, chosen when they are read: exclusions, limits from step to step, rates of windows that have ended.
# Random rows against all chains that there are, found in Perl; the rows of public shops against plain SQL; the same from
# parts, in another order, in parallel plans and out of a dump.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('funnel');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION custmart;
	CREATE TABLE event (member bigint, minute int, met int);
});
srand(18);

# ---------- random rows ----------

# Rows of 200 members, few for each; a row is a minute and the conditions that it meets.
my %rows;
for my $member (1 .. 200)
{
	push @{ $rows{$member} }, [ int(rand(12)), rand() < 0.7 ? 1 << int(rand(5)) : int(rand(32)) ] for 1 .. 1 + int(rand(8));
}
$node->safe_psql('postgres', 'INSERT INTO event VALUES ' . join ', ', map { my $m = $_; map { "($m, $_->[0], $_->[1])" } @{ $rows{$m} } } keys %rows);
my $conditions = join ', ', map { "met & $_ <> 0" } 1, 2, 4, 8, 16;
$node->safe_psql('postgres', qq{
	CREATE VIEW at AS SELECT member, timestamptz '2026-01-01' + minute * interval '1 minute' AS t, met, minute FROM event;
	CREATE TABLE book AS SELECT within, funnel_book(member, within, t, $conditions) AS b FROM at, unnest('{4 min,9 min}'::interval[]) within GROUP BY within;
	CREATE TABLE part AS SELECT within, minute, funnel_book(member, within, t, $conditions) AS b FROM at, unnest('{4 min,9 min}'::interval[]) within GROUP BY within, minute;
	CREATE TABLE shuffled AS SELECT within, funnel_book(member, within, t, $conditions ORDER BY hashint4(minute * 32 + met)) AS b FROM at, unnest('{4 min,9 min}'::interval[]) within GROUP BY within});
is($node->safe_psql('postgres', 'SELECT bool_and(b = (SELECT rollup(p.b) FROM part p WHERE p.within = book.within) AND b = (SELECT s.b FROM shuffled s WHERE s.within = book.within)) FROM book'),
	't', 'parts and other orders make the same book');

# The best chain of a member under rules, of all that there are: the longest, the last to begin, the earliest times.
sub best_chain
{
	my ($rows, $rules) = @_;
	my @best;
	my $try;
	$try = sub {
		my ($times, $used) = @_;
		my $r = @$times;
		my $better = $r <=> @best || ($r ? $times->[0] <=> $best[0] : 0);
		$better ||= $best[$_] <=> $times->[$_] for 1 .. $r - 1;
		@best = @$times if $better > 0;
		return if $r == @{ $rules->{steps} };
		ROW: for my $i (0 .. $#$rows)
		{
			my ($t, $met) = @{ $rows->[$i] };
			next unless $met >> $rules->{steps}[$r] & 1;
			next if $used->{$i} && $rules->{mode} ne 'clickhouse';
			next if $r == 0 && $t > $rules->{last_start};
			if ($r > 0)
			{
				my $took = $t - $times->[-1];
				next if $took < 0 || $t - $times->[0] > $rules->{within};
				next if $took == 0 && $rules->{mode} eq 'strict_increase';
				next if defined $rules->{step_within}[$r - 1] && $took > $rules->{step_within}[$r - 1];
				next if defined $rules->{step_gap}[$r - 1] && $took < $rules->{step_gap}[$r - 1];
				for my $x (@{ $rules->{exclusions} })
				{
					next unless $x->[1] <= $r && $r < $x->[2];
					for (@$rows) { next ROW if $_->[1] >> ($x->[0] - 1) & 1 && $_->[0] > $times->[-1] && $_->[0] < $t }
				}
			}
			$try->([ @$times, $t ], { %$used, $i => 1 });
		}
	};
	$try->([], {});
	return @best;
}

sub intervals { return sprintf "'{%s}'", join ',', map { defined $_ ? "$_ min" : 'NULL' } @_ }

my ($differ, $chains, %levels) = (0, 0);
for my $run (1 .. 40)
{
	my @excluded = $run % 4 ? (sort { $a <=> $b } (map { $_->[0] } sort { $a->[1] <=> $b->[1] } map { [ $_, rand() ] } 1 .. 5)[ 0 .. $run % 3 ]) : ();
	my %is_excluded = map { $_ => 1 } @excluded;
	my @steps = grep { !$is_excluded{ $_ + 1 } } 0 .. 4;
	my $all_along = rand() < 0.4;
	my %rules = (
		mode => (qw(strict_once clickhouse strict_increase))[ $run % 3 ],
		within => $run % 2 ? 9 : 4,
		last_start => 99,
		steps => \@steps,
		exclusions => [ map { my $from = 1 + int(rand($#steps)); my $to = $from + 1 + int(rand($#steps - $from + 1)); [ $_, $all_along ? (1, scalar(@steps)) : ($from, $to) ] } @excluded ],
		step_gap => [ map { rand() < 0.5 ? undef : int(rand(3)) } 1 .. $#steps ],
	);
	$rules{step_within} = [ map { rand() < 0.5 ? undef : ($_ // 0) + int(rand(4)) } @{ $rules{step_gap} } ];
	my $arguments = sprintf q{'%s', '{%s}', %s, %s}, $rules{mode},
		join(',', map { $all_along ? $_->[0] : '{' . join(',', @$_) . '}' } @{ $rules{exclusions} }), intervals(@{ $rules{step_within} }), intervals(@{ $rules{step_gap} });
	my $minutes = q{(SELECT coalesce(string_agg((extract(epoch FROM x - timestamptz '2026-01-01') / 60)::int::text, ' ' ORDER BY x), '') FROM unnest(step_times) x)};
	my %got = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', "SELECT member, $minutes FROM book, funnel_members(b, $arguments) WHERE within = '$rules{within} min'");
	my @members = (0) x @steps;
	for my $member (keys %rows)
	{
		my @best = best_chain($rows{$member}, \%rules);
		$levels{ scalar @best }++;
		$chains++;
		$members[$_]++ for 0 .. $#best;
		next if "@best" eq $got{$member};
		diag("$arguments: member $member has @best, not $got{$member}") if $differ++ < 5;
	}
	is($node->safe_psql('postgres', "SELECT string_agg(members::text, ' ' ORDER BY step) FROM book, funnel_steps(b, $arguments) WHERE within = '$rules{within} min'"), "@members", "steps of run $run");
	# Windows that have ended at 2026-01-01 00:15, and what was seen of later ones.
	my @ended = (0) x @steps;
	for my $member (keys %rows)
	{
		my @best = best_chain($rows{$member}, { %rules, last_start => 15 - $rules{within} });
		$ended[$_]++ for 0 .. $#best;
	}
	is($node->safe_psql('postgres', "SELECT string_agg(concat_ws(' ', members, members_open), ',' ORDER BY step) FROM book, funnel_conversions(b, '2026-01-01 00:15', $arguments) WHERE within = '$rules{within} min'"),
		join(',', map { join ' ', $ended[$_], $members[$_] - $ended[$_] } 0 .. $#steps), "conversions of run $run");
}
is($differ, 0, "the chains of $chains members under rules are those of the definition");
cmp_ok($levels{$_} // 0, '>', 100, "and many have $_ steps") for 0 .. 3;

# Any order: the most steps that rows of one window can be given to, each row to one, tried from every beginning.
sub most_steps
{
	my ($rows, $steps, $used) = @_;
	my $best = 0;
	for my $i (0 .. $#$rows)
	{
		next if $used->{$i};
		for my $s (grep { $rows->[$i][1] >> $_ & 1 } @$steps)
		{
			my $n = 1 + most_steps($rows, [ grep { $_ != $s } @$steps ], { map({ $_ => 1 } 0 .. $i) });
			$best = $n if $n > $best;
		}
	}
	return $best;
}
for my $excluded ('', 5)
{
	my @steps = grep { $_ + 1 ne $excluded } 0 .. 4;
	my %expected;
	for my $member (keys %rows)
	{
		my @rows = @{ $rows{$member} };
		$expected{$member} = 0;
		for my $start (map { $_->[0] } @rows)
		{
			my ($end) = sort { $a <=> $b } $start + 4, $excluded ? map { $_->[0] } grep { $_->[0] > $start && $_->[1] >> ($excluded - 1) & 1 } @rows : ();
			my $n = most_steps([ grep { $_->[0] >= $start && $_->[0] <= $end } @rows ], \@steps, {});
			$expected{$member} = $n if $n > $expected{$member};
		}
	}
	is($node->safe_psql('postgres', "SELECT string_agg(member || ' ' || level, ',' ORDER BY member) FROM book, funnel_members(b, 'strict_once, any_order', '{$excluded}') WHERE within = '4 min'"),
		join(',', map { "$_ $expected{$_}" } sort { $a <=> $b } keys %expected), "any order, excluded: '$excluded'");
}

# Optional steps: the others are those of a funnel without them, and step 2 is the first row from step 1 to step 3.
for my $mode (qw(strict_once clickhouse strict_increase))
{
	is($node->safe_psql('postgres', qq{
		WITH without AS (SELECT funnel_book(member, '9 min', t, met & 1 <> 0, met & 4 <> 0, met & 8 <> 0) AS b FROM at),
		optional AS (SELECT funnel_book(member, '9 min', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS b FROM at)
		SELECT count(*) FROM without w, funnel_members(w.b, '$mode') a JOIN optional o ON true JOIN funnel_members(o.b, '$mode', optional_steps => '{2}') b USING (member)
		WHERE a.step_times IS DISTINCT FROM b.step_times[1:1] || b.step_times[3:4] OR (a.level > 1 AND a.level + 1 <> b.level) OR (a.level = 1 AND b.level NOT IN (1, 2))}),
		0, "$mode: an optional step changes no other");
}
is($node->safe_psql('postgres', q{
	WITH optional AS (SELECT funnel_book(member, '9 min', t, met & 1 <> 0, met & 2 <> 0, met & 4 <> 0, met & 8 <> 0) AS b FROM at)
	SELECT count(*) FILTER (WHERE step_times[2] IS DISTINCT FROM (SELECT min(t) FROM at WHERE at.member = m.member AND met & 2 <> 0 AND t > step_times[1] AND CASE WHEN step_times[3] IS NULL THEN t <= step_times[1] + interval '9 min' ELSE t < step_times[3] END)),
		count(step_times[2]) > 20, count(*) FILTER (WHERE level > 2 AND step_times[2] IS NULL) > 20
	FROM optional, funnel_members(b, 'strict_increase', optional_steps => '{2}') m WHERE level > 0}),
	'0|t|t', 'an optional step is the first row between its neighbours');

# The value of one member says the same as the book.
is($node->safe_psql('postgres', qq{
	SELECT count(*) FROM (SELECT member, funnel('9 min', t, $conditions) AS f FROM at GROUP BY member) v
	JOIN (SELECT m.* FROM book, funnel_members(b, 'strict_once', '{{4,1,2},{5,2,3}}', '{3 min}', '{NULL,1 min}') m WHERE within = '9 min') m USING (member)
	WHERE (level, step_times) IS DISTINCT FROM (level(f, 'strict_once', '{{4,1,2},{5,2,3}}', '{3 min}', '{NULL,1 min}'), step_times(f, 'strict_once', '{{4,1,2},{5,2,3}}', '{3 min}', '{NULL,1 min}'))
		OR step_durations(f, exclusions => '{{4,1,2},{5,2,3}}', step_within => '{3 min}', step_gap => '{NULL,1 min}') IS DISTINCT FROM ARRAY(SELECT step_times[k + 1] - step_times[k] FROM generate_series(1, cardinality(step_times) - 1) k ORDER BY k)}),
	0, 'values as the book');

# ---------- sessions ----------

# Sessions by walking through the sorted minutes of each member.
for my $gap (0, 1, 3)
{
	my (@sessions, @members);
	for my $member (sort { $a <=> $b } keys %rows)
	{
		my ($n, $first, $last, $events) = (0);
		for my $minute (sort { $a <=> $b } map { $_->[0] } @{ $rows{$member} })
		{
			if (!$n || $minute - $last > $gap)
			{
				push @sessions, "$member $n $first $last $events" if $n;
				($n, $first, $events) = ($n + 1, $minute, 0);
			}
			($last, $events) = ($minute, $events + 1);
		}
		push @sessions, "$member $n $first $last $events";
		push @members, "$member $n " . @{ $rows{$member} };
	}
	my $minute = q{(extract(epoch FROM %s - timestamptz '2026-01-01') / 60)::int};
	my $columns = sprintf "concat_ws(' ', member, session, $minute, $minute, events)", 'started_at', 'ended_at';
	is($node->safe_psql('postgres', "SELECT string_agg($columns, ',' ORDER BY member, session) FROM (SELECT (sessions(session_book(member, t), '$gap min')).* FROM at) s"), join(',', @sessions), "sessions with a gap of $gap");
	is($node->safe_psql('postgres', "SELECT string_agg(concat_ws(' ', member, sessions, events), ',' ORDER BY member) FROM (SELECT (session_members(rollup(b), '$gap min')).* FROM (SELECT session_book(member, t ORDER BY -met) AS b FROM at GROUP BY minute) p) s"), join(',', @members), 'by member, from parts');
	is($node->safe_psql('postgres', "SELECT string_agg(line, ',' ORDER BY member, number) FROM (SELECT member, number, concat_ws(' ', member, number, " . sprintf($minute, 'started_at') . ', ' . sprintf($minute, 'max(t)') . ", count(*)) AS line FROM (SELECT *, session_number(t, '$gap min') OVER w AS number, session_start(t, '$gap min') OVER w AS started_at FROM at WINDOW w AS (PARTITION BY member ORDER BY t)) s GROUP BY member, number, started_at) l"),
		join(',', @sessions), 'and by window functions');
}

# ---------- public data ----------

# Levels and beginnings of the best chains: which last rows each beginning can have reached, step by step.
sub reached
{
	my ($within, $steps, $ways, $last_start) = @_;
	my $sql = "WITH reach1 AS (SELECT member, at AS start, id, at FROM event1 WHERE $steps->[0]" . ($last_start ? " AND at <= '$last_start'" : '') . ')';
	for my $k (2 .. @$steps)
	{
		my ($at_most, $at_least, $between) = @{ $ways->[ $k - 2 ] };
		$sql .= sprintf q{, reach%1$d AS (SELECT DISTINCT r.member, r.start, e.id, e.at FROM reach%2$d r JOIN event1 e ON e.member = r.member AND e.id <> r.id AND (%3$s)
			AND e.at - r.at BETWEEN '%5$s' AND '%4$s' AND e.at - r.start <= '%6$s'
			AND NOT EXISTS (SELECT FROM event1 x WHERE x.member = r.member AND (%7$s) AND x.at > r.at AND x.at < e.at))},
			$k, $k - 1, $steps->[ $k - 1 ], $at_most, $at_least, $within, $between;
	}
	return "$sql SELECT DISTINCT ON (member) member, level, start FROM (" . join(' UNION ALL ', map { "SELECT member, $_ AS level, start FROM reach$_" } 1 .. @$steps) . ') r ORDER BY member, level DESC, start DESC';
}

my $data = ($ENV{CUSTMART_SHARED} // '') . '/data';
my %source = (
	'Online Retail' => [ 'online_retail/online_retail.csv.gz', q{
		CREATE TABLE retail (invoice text, stock_code text, description text, quantity int, at timestamptz, price numeric, customer bigint, country text);
		COPY retail FROM PROGRAM 'gzip -dc %s' (FORMAT csv, HEADER);
		CREATE TABLE event1 AS SELECT row_number() OVER () AS id, customer AS member, at, CASE WHEN invoice LIKE 'C%%' THEN 'cancellation' WHEN lines > 30 THEN 'large' ELSE 'small' END AS what
		FROM (SELECT invoice, customer, at, count(*) AS lines FROM retail WHERE customer IS NOT NULL GROUP BY 1, 2, 3) i },
		[ "what <> 'cancellation'", "what = 'large'", "what <> 'cancellation'" ], "what = 'cancellation'", '60 days', '2011-12-10' ],
	'The Complete Journey' => [ 'completejourney/transactions_sample.csv.gz', q{
		CREATE TABLE journey (household bigint, store int, basket numeric, product bigint, quantity numeric, sales numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamptz);
		COPY journey FROM PROGRAM 'gzip -dc %s' (FORMAT csv, HEADER);
		CREATE TABLE event1 AS SELECT row_number() OVER () AS id, household AS member, min(at) AS at, CASE WHEN bool_or(coupon_disc > 0) THEN 'coupon' WHEN bool_or(retail_disc > 0) THEN 'discount' ELSE 'none' END AS what
		FROM journey GROUP BY basket, household },
		[ "what = 'none'", "what = 'discount'", "what IN ('none', 'discount')" ], "what = 'coupon'", '40 days', '2018-01-02' ]);
for my $name (sort keys %source)
{
	my ($file, $load, $steps, $excluded, $within, $as_of) = @{ $source{$name} };
	SKIP:
	{
		skip "$name is not in \$CUSTMART_SHARED/data", 3 unless -r "$data/$file";
		$node->safe_psql('postgres', 'DROP TABLE IF EXISTS event1, book1;' . sprintf($load, "$data/$file") . '; CREATE INDEX ON event1 (member, at); ANALYZE event1');
		$node->safe_psql('postgres', "CREATE TABLE book1 AS SELECT funnel_book(member, '$within', at, " . join(', ', @$steps, $excluded) . ') AS b FROM event1');
		my $ways = [ [ '20 days', '1 day', $excluded ], [ '15 days', '0', 'false' ] ];
		my $rules = q{exclusions => '{{4,1,2}}', step_within => '{20 days,15 days}', step_gap => '{1 day}'};
		my $plain = reached($within, $steps, $ways);
		is($node->safe_psql('postgres', "SELECT count(*) FROM ($plain) e FULL JOIN (SELECT m.* FROM book1, funnel_members(b, $rules) m WHERE level > 0) m USING (member) WHERE (e.level, e.start) IS DISTINCT FROM (m.level, m.step_times[1])"),
			0, "$name: levels and beginnings as in plain SQL");
		like($node->safe_psql('postgres', "SELECT string_agg((members > 5)::text, ' ') FROM book1, funnel_steps(b, $rules)"), qr/^true true true$/, "$name: each step is reached");
		is($node->safe_psql('postgres', "SELECT string_agg(concat_ws(' ', step, members), ',' ORDER BY step) FROM book1, funnel_conversions(b, '$as_of', $rules)"),
			$node->safe_psql('postgres', "SELECT string_agg(step || ' ' || (SELECT count(*) FROM (" . reached($within, $steps, $ways, $node->safe_psql('postgres', "SELECT timestamptz '$as_of' - interval '$within'")) . ") e WHERE level >= step), ',' ORDER BY step) FROM generate_series(1, 3) step"),
			"$name: conversions as in plain SQL");
	}
}

# ---------- parallel plans, dumps ----------

my $rules = q{exclusions => '{{4,1,2}}', step_within => '{5 min}', step_gap => '{NULL,1 min}'};
my $query = "SELECT md5(string_agg(m::text, ',' ORDER BY member)) FROM (SELECT (funnel_members(funnel_book(member, '9 min', t, $conditions), $rules)).* FROM at) m";
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; ALTER TABLE event SET (parallel_workers = 3);';
like($node->safe_psql('postgres', "$parallel EXPLAIN $query"), qr/Partial Aggregate/, 'a parallel plan');
is($node->safe_psql('postgres', "$parallel $query"), $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $query"), 'gives the same');

my $dump = $node->basedir . '/dump.sql';
$node->safe_psql('postgres', "CREATE VIEW conversions AS SELECT within, c.* FROM book, funnel_conversions(b, $rules) c");
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $dump, '-d', $node->connstr('restored') ], 'restored');
is($node->safe_psql('restored', 'SELECT * FROM conversions ORDER BY 1, 2'), $node->safe_psql('postgres', 'SELECT * FROM conversions ORDER BY 1, 2'), 'a view with rules, restored');

done_testing();
