# Cohorts by signup, and brackets of days, against plain SQL: on generated rows, CDNOW, Online Retail and The Complete
# Journey, in several time zones and with weeks and years that begin elsewhere.
#
# The public data know no signups, so members get some: most before their first order, some after it, and some who never
# came.  Data that $CUSTMART_SHARED does not have are skipped.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = ($ENV{CUSTMART_SHARED} // '') . '/data';
my $node = PostgreSQL::Test::Cluster->new('cohorts');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'Australia/Sydney'\nfsync = off\n");
$node->start;

# The oracle.  Rows are (member, joined, at, amount); what they count for is written down as the documentation says it.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION custmart;
CREATE TABLE line (member bigint, joined timestamptz, at timestamptz, amount numeric);

-- How much later than date_trunc has it a unit begins.
CREATE FUNCTION later(unit text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE unit WHEN 'week(sunday)' THEN interval '6 days' WHEN 'week(saturday)' THEN interval '5 days' WHEN 'year(april)' THEN interval '3 months' ELSE interval '0' END
$$;
CREATE FUNCTION period(at timestamptz, unit text, zone text) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT (date_trunc(split_part(unit, '(', 1), (at AT TIME ZONE zone) - later(unit)) + later(unit))::date
$$;

-- Who joined in which period, and what they did from then on; of several dates of joining the earliest counts.
CREATE FUNCTION cohorts(unit text, zone text, as_of timestamptz, with_amounts boolean)
RETURNS TABLE (cohort date, periods_later int, period date, members bigint, active bigint, rate float8, on_or_after bigint, on_or_after_rate float8, net numeric)
LANGUAGE sql AS $$
  WITH usable AS MATERIALIZED (
    SELECT member, period(joined, unit, zone) AS joined, period(at, unit, zone) AS p, amount, coalesce(amount >= 0, true) OR NOT with_amounts AS is_active FROM line
     WHERE member IS NOT NULL AND joined IS NOT NULL AND (at IS NULL OR NOT with_amounts OR amount IS NOT NULL)),
  start AS MATERIALIZED (SELECT member, min(joined) AS cohort FROM usable GROUP BY member),
  bound AS (SELECT min(least(cohort, p)) AS low, greatest(max(cohort), max(p), period(as_of, unit, zone)) AS high FROM start JOIN usable USING (member)),
  calendar AS MATERIALIZED (
    SELECT d::date AS first_day, row_number() OVER (ORDER BY d)::int AS n FROM bound, generate_series(low, high,
      CASE split_part(unit, '(', 1) WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || split_part(unit, '(', 1))::interval END) d),
  did AS MATERIALIZED (
    SELECT member, c.n AS came, d.n, bool_or(is_active) AS is_active, sum(amount) AS net
      FROM usable JOIN start USING (member) JOIN calendar c ON c.first_day = cohort JOIN calendar d ON d.first_day = p WHERE p >= cohort GROUP BY member, c.n, d.n),
  last AS (SELECT member, came, max(n) AS last FROM did WHERE is_active GROUP BY member, came),
  sizes AS (SELECT c.n, c.first_day, count(*) AS members FROM start JOIN calendar c ON c.first_day = cohort GROUP BY 1, 2),
  here AS (SELECT came, n, count(*) FILTER (WHERE is_active) AS active, sum(net) AS net FROM did GROUP BY came, n),
  left_behind AS (SELECT came, last, count(*) AS members FROM last GROUP BY came, last),
  cell AS (
    SELECT s.first_day AS cohort, k.n - s.n AS k, k.first_day AS period, s.members, k.n < (SELECT max(n) FROM calendar) AS has_ended, coalesce(active, 0) AS active,
           sum(coalesce(l.members, 0)) OVER (PARTITION BY s.n ORDER BY k.n DESC)::bigint AS on_or_after, CASE WHEN with_amounts THEN coalesce(net, 0) END AS net
      FROM sizes s JOIN calendar k ON k.n >= s.n LEFT JOIN here ON here.came = s.n AND here.n = k.n LEFT JOIN left_behind l ON l.came = s.n AND l.last = k.n)
  SELECT cohort, k, period, members, active, CASE WHEN has_ended THEN active / members::float8 END, on_or_after, CASE WHEN has_ended THEN on_or_after / members::float8 END, trim_scale(net) FROM cell
$$;

CREATE FUNCTION told(unit text, zone text, as_of timestamptz, with_amounts boolean)
RETURNS TABLE (cohort date, periods_later int, period date, members bigint, active bigint, rate float8, on_or_after bigint, on_or_after_rate float8, net numeric)
LANGUAGE sql AS $$
  SELECT cohort, periods_later, period, members, active, rate, on_or_after, on_or_after_rate, trim_scale(net)
    FROM cohort_retention((SELECT CASE WHEN with_amounts THEN retention_book_since(member, joined, at, amount, unit, zone) ELSE retention_book_since(member, joined, at, unit, zone) END FROM line), as_of)
$$;

-- Days of 24 hours since joining.
CREATE FUNCTION brackets(as_of timestamptz, bounds int[], last_day int)
RETURNS TABLE (day int, until_day int, members bigint, active bigint, rate float8, on_or_after bigint, on_or_after_rate float8) LANGUAGE sql AS $$
  WITH start AS MATERIALIZED (SELECT member, extract(epoch FROM min(joined)) AS s FROM line WHERE member IS NOT NULL AND joined IS NOT NULL GROUP BY member),
  stop AS (SELECT extract(epoch FROM coalesce(as_of, greatest(max(at), max(joined)))) AS t FROM line WHERE member IS NOT NULL AND joined IS NOT NULL),
  visit AS MATERIALIZED (SELECT DISTINCT member, floor((extract(epoch FROM at) - s) / 86400)::int AS day FROM line JOIN start USING (member) WHERE joined IS NOT NULL AND at IS NOT NULL AND extract(epoch FROM at) >= s),
  bracket AS (SELECT b AS low, coalesce(lead(b) OVER (ORDER BY b), last_day + 1) - 1 AS high FROM unnest(bounds) b),
  told AS (
    SELECT low, high, (SELECT count(*) FROM start, stop WHERE s + (high + 1) * 86400.0 <= t) AS members,
           (SELECT count(DISTINCT member) FROM start JOIN visit USING (member), stop WHERE s + (high + 1) * 86400.0 <= t AND visit.day BETWEEN low AND high) AS active,
           (SELECT count(DISTINCT member) FROM start JOIN visit USING (member), stop WHERE s + (high + 1) * 86400.0 <= t AND visit.day >= low) AS later
      FROM bracket)
  SELECT low, high, members, active, active / nullif(members, 0)::float8, later, later / nullif(members, 0)::float8 FROM told
$$;
SQL

sub same
{
	my ($one, $other, $name) = @_;
	my $difference = $node->safe_psql('postgres', qq{
		WITH one AS MATERIALIZED ($one), other AS MATERIALIZED ($other)
		SELECT (SELECT count(*) FROM one), string_agg(side || ' ' || line, E'\n')
		  FROM (SELECT '+' AS side, x::text AS line FROM (TABLE one EXCEPT ALL TABLE other) x
		        UNION ALL SELECT '-', x::text FROM (TABLE other EXCEPT ALL TABLE one) x ORDER BY 2, 1 LIMIT 5) y});
	return like($difference, qr/^[1-9][0-9]*\|$/, $name);
}

sub agrees
{
	my ($what, @calendars) = @_;
	$node->safe_psql('postgres', 'ANALYZE line');
	for (@calendars)
	{
		my ($unit, $zone, $as_of) = @$_;
		my $arguments = "'$unit', '$zone', " . ($as_of ? "'$as_of'" : 'NULL');
		for my $money ('false', 'true')
		{
			same("SELECT * FROM told($arguments, $money)", "SELECT * FROM cohorts($arguments, $money)",
				"$what by $unit in $zone" . ($as_of ? " as of $as_of" : '') . ($money eq 'true' ? ' with money' : ''));
		}
		# All money is in a cohort or outside.
		is($node->safe_psql('postgres', qq{
				SELECT (SELECT sum(net) FROM cohort_retention(b)) + net_outside(b) = (SELECT sum(amount) FROM line WHERE num_nulls(member, joined, at) = 0),
				       (SELECT count(*) FROM cohort_retention(b) WHERE periods_later = 0 AND rate < 1) > 0
				  FROM (SELECT retention_book_since(member, joined, at, amount, '$unit', '$zone') AS b FROM line) s}), 't|t', "$what by $unit: money adds up, and not everybody came at once");
	}
	for ([ 'NULL', '{1,8,31}', 90 ], [ 'NULL', '{0,1,2,7,14,28}', 59 ], [ "'2030-06-01 12:34:56.789'", '{0,30}', 365 ])
	{
		my ($as_of, $bounds, $last_day) = @$_;
		same("SELECT * FROM day_retention((SELECT retention_book_since(member, joined, at) FROM line), $as_of, $last_day, '$bounds')",
			"SELECT * FROM brackets($as_of, '$bounds', $last_day)", "$what: days $bounds to $last_day");
	}
	same('SELECT * FROM day_retention((SELECT retention_book_since(member, joined, at) FROM line), NULL, 20)',
		'SELECT * FROM brackets(NULL, ARRAY(SELECT generate_series(0, 20)), 20)', "$what: single days since joining");
	return;
}

# Members join on average 20 days before they first come, some after it; there are also some who never come.
my $join = q{
	WITH first AS (SELECT customer, min(at) AS first FROM source GROUP BY customer),
	start AS (SELECT customer, first - ((hashint8extended(customer, 11) & 65535) / 65536.0 * 46 - 6) * interval '1 day' AS joined FROM first)
	INSERT INTO line SELECT customer, joined, at, amount FROM source JOIN start USING (customer);
	INSERT INTO line SELECT -i, (SELECT min(joined) FROM line) + (hashint8extended(i, 12) & 255) * interval '17 hours', NULL, CASE WHEN i % 2 = 0 THEN 5 END FROM generate_series(1, 300) i};

# Generated rows: refunds, NULLs of every argument, several dates of joining, microseconds around midnight.
$node->safe_psql('postgres', q{
	INSERT INTO line
	SELECT CASE WHEN i % 97 > 0 THEN m END, CASE WHEN i % 89 > 0 THEN timestamptz '2025-03-01 00:00+00' + (hashint8extended(m, 1) & 1023) * interval '3 hours' + CASE WHEN i % 7 = 0 THEN (hashint8extended(i, 2) & 63) * interval '1 day' ELSE '0' END END,
	       CASE WHEN m % 5 > 0 AND i % 41 > 0 THEN timestamptz '2025-02-01 00:00+00' + floor(power((hashint8extended(i, 3) & 65535) / 65536.0, 2) * 6000) * interval '1 hour' - CASE WHEN i % 3 = 0 THEN interval '1 microsecond' ELSE '0' END END,
	       CASE WHEN i % 31 > 0 THEN ((hashint8extended(i, 4) & 8191) - 1500) / CASE WHEN i % 2 = 0 THEN 100.0 ELSE 1 END END
	  FROM (SELECT i, hashint8extended(i, 5) & 511 AS m FROM generate_series(1, 5000::bigint) i) s});
agrees('generated rows', map { [ split / / ] } 'week Europe/Berlin', 'day UTC', 'week(sunday) America/New_York', 'month Asia/Tokyo', 'quarter UTC', 'year(april) Europe/Berlin');
agrees('generated rows, later', [ 'month', 'America/New_York', '2026-01-01 04:59:59.999999+00' ], [ 'month', 'America/New_York', '2026-01-01 05:00+00' ]);

SKIP:
{
	skip 'CDNOW is not in $CUSTMART_SHARED/data', 1 unless -r "$data/cdnow/CDNOW_master.txt.gz";
	$node->safe_psql('postgres', qq{
		CREATE TABLE raw (line text);
		COPY raw FROM PROGRAM 'gzip -dc $data/cdnow/CDNOW_master.txt.gz';
		CREATE TABLE source AS SELECT f[1]::bigint AS customer, (substr(f[2], 1, 4) || '-' || substr(f[2], 5, 2) || '-' || substr(f[2], 7, 2) || ' 00:00+00')::timestamptz AS at, f[4]::numeric AS amount
		  FROM (SELECT regexp_split_to_array(btrim(line, E' \\r'), ' +') AS f FROM raw WHERE line !~ 'customer_id') l;
		TRUNCATE line; $join});
	agrees('CDNOW', [ 'month', 'UTC' ], [ 'week(saturday)', 'America/New_York' ]);
	# The published number of customers, whoever joined when, and their revenue.
	is($node->safe_psql('postgres', q{SELECT sum(members) FILTER (WHERE periods_later = 0), sum(net) + net_outside(b) FROM (SELECT retention_book_since(member, joined, at, amount, 'month', 'UTC') AS b FROM line) s, cohort_retention(b) GROUP BY b}),
		(23570 + 300) . '|2500315.63', 'CDNOW: 23,570 customers and 300 who never came; the published revenue');
	$node->safe_psql('postgres', 'DROP TABLE raw, source');
}

SKIP:
{
	skip 'Online Retail is not in $CUSTMART_SHARED/data', 1 unless -r "$data/online_retail/online_retail.csv.gz";
	$node->safe_psql('postgres', qq{
		CREATE TABLE raw (invoice text, stock_code text, description text, quantity int, at timestamp, price numeric, customer bigint, country text);
		COPY raw FROM PROGRAM 'gzip -dc $data/online_retail/online_retail.csv.gz' WITH (FORMAT csv, HEADER);
		CREATE TABLE source AS SELECT customer, at AT TIME ZONE 'Europe/London' AS at, quantity * price AS amount FROM raw WHERE customer IS NOT NULL;
		TRUNCATE line; $join});
	agrees('Online Retail', [ 'month', 'Europe/London' ], [ 'week(sunday)', 'Asia/Tokyo' ]);
	$node->safe_psql('postgres', 'DROP TABLE raw, source');
}

SKIP:
{
	skip 'The Complete Journey is not in $CUSTMART_SHARED/data', 1 unless -r "$data/completejourney/transactions_sample.csv.gz";
	$node->safe_psql('postgres', qq{
		CREATE TABLE raw (household_id int, store_id int, basket_id text, product_id numeric, quantity numeric, sales_value numeric, retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week int, at timestamp);
		COPY raw FROM PROGRAM 'gzip -dc $data/completejourney/transactions_sample.csv.gz' WITH (FORMAT csv, HEADER);
		CREATE TABLE source AS SELECT household_id::bigint AS customer, at AT TIME ZONE 'America/New_York' AS at, sales_value AS amount FROM raw;
		TRUNCATE line; $join});
	agrees('The Complete Journey', [ 'month', 'America/New_York' ], [ 'year(april)', 'UTC' ]);
}

done_testing();
