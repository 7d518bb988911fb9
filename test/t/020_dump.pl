# What is stored comes back byte for byte: pg_dump and pg_restore as text, in the
# custom format and in a directory, COPY as text and binary, values as keys of all
# kinds; and the indexes that serve it are made again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Kept;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;

Kept::fill($node, 'shop');

# Everything there is, with the bytes of what is stored.
my $before = $node->safe_psql('shop', $Kept::contents);
cmp_ok(length $before, '>', 50000, 'there is something to dump');
is($node->safe_psql('shop', q{SET search_path = public, analytics; SELECT count(*), count(DISTINCT tableoid) FROM kept_partitioned}), '103|3', 'rows in each partition');

like($before, qr/^type\|kept_tags\|raised\|(?:analytics\.)?tagbloom\(5000\)$/m, 'a column with a size');
is( $node->safe_psql('shop', q{SET search_path = public, analytics;
	SELECT count(*) FILTER (WHERE is_exact(value)) > 3, count(*) FILTER (WHERE NOT is_exact(value)) > 30, count(*) FILTER (WHERE value <> raised) > 5,
	       count(DISTINCT length(tagbloom_send(value))) FILTER (WHERE NOT is_exact(value)) > 5, max(pg_column_size(plain)) > 65536,
	       bool_or(pg_column_size(raised) < length(tagbloom_send(raised)) / 2) FROM kept_tags}),
	't|t|t|t|t|t', 'sets of many sizes, some compressed');

is( $node->safe_psql('shop', q{SET search_path = public, analytics;
	SELECT count(DISTINCT value), count(*) FILTER (WHERE value IS NULL), min(cell_count(value)), max(cell_count(value)), count(*) FILTER (WHERE pg_column_size(value) > 65536) > 1,
	       bool_or(rows_skipped(value, 'null') > 0 AND rows_skipped(value, 'price') > 0 AND rows_skipped(value, 'quantity') > 0),
	       (SELECT count(*) > 100 FROM fair), (SELECT count(premium_pct) > 8 FROM gap), (SELECT count(slope) FROM slope) FROM kept_pricebook}),
	'10|1|0|5000|t|t|t|t|2', 'price books of many kinds');
{
	# Fair prices are medians; those of kept_pricebook 4 are known from its lines.
	my $medians = q{SET search_path = public, analytics;
		SELECT count(*) FROM (
		  (SELECT item, period, trim_scale(fair_price) AS fair_price, rows FROM fair
		   EXCEPT SELECT member_text, quarter, (SELECT trim_scale(avg(x)) FROM unnest(list[(count + 1) / 2:count / 2 + 1]) x), count
		     FROM (SELECT member_text, quarter, array_agg(amount ORDER BY amount) AS list, count(*)::int FROM line WHERE member_group = 'Ærø' AND amount > 0 AND quantity > 0 GROUP BY 1, 2) l)
		  UNION ALL SELECT NULL, NULL, NULL, abs((SELECT count(*) FROM fair) - (SELECT count(DISTINCT (member_text, quarter)) FROM line WHERE member_group = 'Ærø' AND amount > 0 AND quantity > 0))) d
		 WHERE rows <> 0};
	is($node->safe_psql('shop', $medians), 0, 'fair prices are those of plain SQL');
	$node->safe_psql('shop', 'SET search_path = public, analytics; REFRESH MATERIALIZED VIEW CONCURRENTLY fair');
	ok($node->safe_psql('shop', $Kept::contents) eq $before, 'and the same when the view is refreshed');
	$node->safe_psql('shop', q{SET search_path = public, analytics;
		CREATE TABLE fair_at_first AS TABLE fair;
		UPDATE kept_pricebook SET value = value + (SELECT pricebook(member_text, quarter, member_group, amount * 2, quantity) FROM line WHERE member_group = 'Ærø') WHERE id = 4;
		REFRESH MATERIALIZED VIEW CONCURRENTLY fair});
	is( $node->safe_psql('shop', $medians =~ s/FROM line WHERE/FROM (TABLE line UNION ALL SELECT id, member, member_uuid, member_text, order_id, order_text, at, amount * 2, member_group, quarter, quantity FROM line) line WHERE/gr),
		0, 'a view that is refreshed has new prices');
	is($node->safe_psql('shop', 'SELECT count(*) > 100 FROM fair JOIN fair_at_first f USING (item, period) WHERE fair.fair_price <> f.fair_price'), 't', 'which are others');
	$node->safe_psql('shop', q{SET search_path = public, analytics;
		UPDATE kept_pricebook SET value = (SELECT pricebook(member_text, quarter, member_group, amount, quantity) FROM line) WHERE id = 4;
		REFRESH MATERIALIZED VIEW CONCURRENTLY fair; DROP TABLE fair_at_first});
	ok($node->safe_psql('shop', $Kept::contents) eq $before, 'and back');
}

Kept::indexes_find($node, 'shop', 'shop');

# pg_dump and pg_restore
my $dir = PostgreSQL::Test::Utils::tempdir();
for my $format ('plain', 'custom', 'directory', 'inserts')
{
	my @options = $format eq 'inserts' ? ('--format', 'custom', '--rows-per-insert', '100') : ('--format', $format);
	$node->command_ok([ 'pg_dump', '--file', "$dir/$format", @options, 'shop' ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', "$dir/$format", '--output', '/dev/null', "restored_$format" ], 'psql runs it');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', "restored_$format", "$dir/$format" ], "pg_restore, $format");
	}
	my $after = $node->safe_psql("restored_$format", $Kept::contents);
	ok($after eq $before, "$format: everything is as it was, byte for byte") or diag(first_difference($before, $after));
	Kept::indexes_find($node, "restored_$format", $format) if $format eq 'directory';
}
sub first_difference
{
	my ($one, $other) = map { [ split /\n/ ] } @_;
	for my $i (0 .. $#$one)
	{
		return substr("-$one->[$i]", 0, 500) . "\n" . substr('+' . ($other->[$i] // ''), 0, 500) if $one->[$i] ne ($other->[$i] // '');
	}
	return 'there is more than there was';
}

# COPY
my @tables = qw(kept_rfm kept_cuts kept_book kept_cards kept_domain kept_key kept_partitioned kept_tags kept_query kept_tag_domain kept_tag_partitioned kept_pricebook kept_price_slope kept_price_domain kept_price_partitioned
	kept_activity kept_retention kept_funnel kept_funnel_book kept_interaction_book kept_session_book kept_contact_trail kept_contact_book kept_spend kept_points kept_campaign kept_campaign_book kept_audience_book kept_basket_book kept_preference_book kept_check_book kept_behaviour_partitioned kept_behaviour_domain);
for my $format ('text', 'csv', 'binary')
{
	my $sql = "SET search_path = public, analytics;\n";
	for my $table (@tables)
	{
		my $source = $table =~ /partitioned/ ? "(TABLE $table)" : $table;
		$sql .= "BEGIN; COPY $source TO '$dir/$table.$format' (FORMAT $format); DELETE FROM $table; COPY $table FROM '$dir/$table.$format' (FORMAT $format); COMMIT;\n";
	}
	$sql = "ALTER TABLE public.kept_reference DROP CONSTRAINT IF EXISTS kept_reference_value_fkey;\n$sql";
	my ($status, $out, $err) = $node->psql('shop', $sql);
	is($status, 0, "COPY out and in, $format") or diag $err;
	my $after = $node->safe_psql('shop', $Kept::contents);
	ok($after eq $before, "$format: everything is as it was, byte for byte") or diag(first_difference($before, $after));
}

# The text form depends on no setting.  Some locale writes a comma in numbers, if there is any.
my ($numeric) = ((grep { /^de_DE\.utf-?8$/i } `locale -a 2>/dev/null`), 'C');
chomp $numeric;
for my $type (qw(rfm_summary rfm_cuts rfm_book tagbloom tagquery pricebook_summary price_slope_summary activity_summary retention_book funnel_summary funnel_book interaction_book contact_trail contact_book spend_summary points_summary clv_model campaign_summary campaign_book audience_book basket_book preference_book check_book session_book))
{
	my $table = 'public.kept_' . $type =~ s/_summary//r =~ s/rfm_|tag(?=query)|(?<=retention)_book//r =~ s/bloom/s/r;
	my %seen;
	for my $settings ("SET datestyle = 'German'; SET timezone = 'America/New_York'", "SET datestyle = 'SQL, DMY'; SET extra_float_digits = -15",
		"SET datestyle = 'Postgres'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape'; SET timezone = 'Asia/Kolkata'", 'SET client_encoding = UTF8')
	{
		$seen{$_}++
		  for split /\|/, $node->safe_psql('shop', "$settings; SET lc_numeric = '$numeric'; SELECT md5(string_agg(value::text, ',' ORDER BY id)), md5(string_agg(value::text::analytics.${type}::text, ',' ORDER BY id)) FROM $table");
	}
	is(join(',', values %seen), '8', "$type: the same text under every setting");
}

# A book holds the bytes of its texts, as the database encodes them; another
# database refuses those that are no text there.
SKIP:
{
	my ($status) = $node->psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	skip 'no database in LATIN1 can be made', 9 if $status != 0;
	is( $node->safe_psql(
			'latin', q{
		CREATE EXTENSION custmart;
		CREATE TABLE kept (value rfm_book);
		INSERT INTO kept SELECT rfm_book(m, '2026-01-01', 1) FROM (VALUES (chr(230)), ('x')) v (m);
		SELECT string_agg(ascii(member)::text, ',' ORDER BY member COLLATE "C"), bool_and(value = value::text::rfm_book) FROM kept, rfm_members(NULL::text, value)}),
		'120,230|t', 'texts of a database in LATIN1');
	for my $ways ([ "'" . $node->safe_psql('latin', 'SELECT value FROM kept') . "'::rfm_book", qr/ERROR:  22P02/, 'text' ],
		[ undef, qr/ERROR:  22P03/, 'binary' ])
	{
		my ($value, $error, $way) = @$ways;
		$node->safe_psql('latin', "COPY kept TO '$dir/latin' (FORMAT binary)");
		my ($status, $out, $err) = $node->psql('shop', "SET search_path = public, analytics; \\set VERBOSITY verbose\n"
			  . ($value ? "SELECT member_count($value)" : "CREATE TEMP TABLE foreign_book (value rfm_book); COPY foreign_book FROM '$dir/latin' (FORMAT binary)"));
		like($err, $error, "are not taken for UTF-8, $way");
	}
	# So do the names of items and of groups.
	for my $names ([ "m, 'g', 1", 'items' ], [ "1, m, 1", 'groups' ], [ "m, '2026-01-01', 1, 1", 'items of slopes', 'price_slope' ])
	{
		my ($arguments, $what, $type) = (@$names, 'pricebook');
		$node->safe_psql('latin', qq{CREATE TABLE "$what" AS SELECT $type($arguments) AS value FROM (VALUES (chr(230)), ('x')) v (m); COPY "$what" TO '$dir/$what' (FORMAT binary)});
		my $text = $node->safe_psql('latin', qq{SELECT value FROM "$what"});
		for my $way ("SELECT '$text'::${type}_summary", "CREATE TEMP TABLE foreign_prices (value ${type}_summary); COPY foreign_prices FROM '$dir/$what' (FORMAT binary)")
		{
			my ($status, $out, $err) = $node->psql('shop', "SET search_path = public, analytics; \\set VERBOSITY verbose\n$way");
			like($err, $way =~ /COPY/ ? qr/ERROR:  22P03/ : qr/ERROR:  22P02/, "$what are not taken for UTF-8, either: " . substr $way, 0, 20);
		}
	}
}

# As keys
my $keys = q{
	SET search_path = public, analytics;
	CREATE TEMP TABLE many AS SELECT id % 40 AS id, value FROM kept_rfm CROSS JOIN generate_series(1, 5) WHERE value IS NOT NULL;
	%s;
	SELECT (SELECT count(*) FROM (SELECT value FROM many GROUP BY value) g) = (SELECT count(DISTINCT rfm_summary_send(value)) FROM many),
	       (SELECT count(*) FROM (SELECT DISTINCT value FROM many) g) = (SELECT count(DISTINCT rfm_summary_send(value)) FROM many),
	       (SELECT count(*) FROM many a JOIN many b USING (value)) = (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM many GROUP BY rfm_summary_send(value)) g),
	       (SELECT bool_and(rfm_summary_send(value) >= last OR last IS NULL) FROM (SELECT value, lag(rfm_summary_send(value)) OVER (ORDER BY value) AS last FROM many) o),
	       (SELECT count(*) FROM (SELECT value FROM many EXCEPT SELECT value FROM kept_rfm) e) = 0,
	       (SELECT count(DISTINCT value) FROM (SELECT value FROM kept_cuts CROSS JOIN generate_series(1, 3)) c) = (SELECT count(DISTINCT rfm_cuts_send(value)) FROM kept_cuts),
	       (SELECT count(*) FROM (SELECT value FROM kept_tags GROUP BY value) g) = (SELECT count(DISTINCT tagbloom_send(value)) FROM kept_tags) + 1,
	       (SELECT count(*) FROM kept_tags a JOIN kept_tags b USING (value)) = (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM kept_tags WHERE value IS NOT NULL GROUP BY tagbloom_send(value)) g),
	       (SELECT count(*) FROM (SELECT value FROM kept_query CROSS JOIN generate_series(1, 3) GROUP BY value) g) = (SELECT count(*) FROM kept_query),
	       (SELECT count(*) FROM (SELECT value FROM kept_pricebook CROSS JOIN generate_series(1, 3) GROUP BY value) g) = (SELECT count(DISTINCT pricebook_summary_send(value)) FROM kept_pricebook) + 1,
	       (SELECT count(*) FROM (SELECT value FROM kept_price_slope UNION SELECT value FROM kept_price_slope) u) = (SELECT count(DISTINCT price_slope_summary_send(value)) FROM kept_price_slope) + 1,
	       (SELECT count(*) FROM (SELECT value FROM kept_activity CROSS JOIN generate_series(1, 3) GROUP BY value) g) = (SELECT count(DISTINCT activity_summary_send(value)) FROM kept_activity) + 1,
	       (SELECT count(*) FROM kept_funnel a JOIN kept_funnel b USING (value)) = (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM kept_funnel WHERE value IS NOT NULL GROUP BY funnel_summary_send(value)) g),
	       (SELECT count(*) FROM (SELECT value FROM kept_retention UNION SELECT value FROM kept_retention) u) = (SELECT count(DISTINCT retention_book_send(value)) FROM kept_retention) + 1,
	       (SELECT count(*) FROM kept_points a JOIN kept_points b USING (value)) = (SELECT count(*) FROM kept_points WHERE value IS NOT NULL),
	       (SELECT count(*) FROM kept_spend a JOIN kept_spend b USING (value)) = (SELECT count(*) FROM kept_spend WHERE value IS NOT NULL),
	       (SELECT count(*) FROM (SELECT value FROM kept_campaign UNION SELECT value FROM kept_campaign) u) = (SELECT count(DISTINCT campaign_summary_send(value)) FROM kept_campaign) + 1,
	       (SELECT count(*) FROM (SELECT value FROM kept_check_book UNION SELECT value FROM kept_check_book) u) = (SELECT count(DISTINCT check_book_send(value)) FROM kept_check_book),
	       (SELECT count(*) FROM (SELECT value FROM kept_book UNION SELECT value FROM kept_book) u) = (SELECT count(DISTINCT value) FROM kept_book) + 1;
};
for my $settings ('SET enable_sort = on', 'SET enable_hashagg = off; SET enable_hashjoin = off', 'SET enable_sort = off; SET enable_mergejoin = off; SET enable_nestloop = off')
{
	is($node->safe_psql('shop', sprintf $keys, $settings), join('|', ('t') x 19), "GROUP BY, DISTINCT, joins and ORDER BY: $settings");
}
for my $method ('btree', 'hash')
{
	my $found = $node->safe_psql(
		'shop', qq{
		SET search_path = public, analytics;
		SET enable_seqscan = off;
		CREATE TEMP TABLE found AS TABLE kept_rfm;
		CREATE INDEX found_index ON found USING $method (value);
		SELECT count(*), count(*) FILTER (WHERE f.id = k.id) FROM kept_rfm k, LATERAL (SELECT id FROM found WHERE value = k.value OFFSET 0) f;
		EXPLAIN (COSTS off) SELECT id FROM found WHERE value = (SELECT value FROM kept_rfm WHERE id = 3)});
	like($found, qr/^102\|102\n(?s:.*)found_index/, "a $method index finds every value");
}
my ($status, $out, $err) = $node->psql('shop', q{SET search_path = public, analytics; \set VERBOSITY sqlstate
	INSERT INTO kept_key SELECT value FROM kept_key LIMIT 1});
like($err, qr/23505/, 'a key is unique');

$node->stop;
done_testing();
