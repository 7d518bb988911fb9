# clv: models of public data sets against figures that others have published or that
# were found by two optimizers (CDNOW with R besides), if $CUSTMART_SHARED/data has them;
# with FULL, where R is installed, fits and functions of random shops against R's nlm and
# integrate (test/oracle/clv.R); and 300 shops whose truth was planted.
#
# One release is enough (test/run): the figures do not depend on the server.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $is_full = $ENV{FULL} ? 1 : 0;
my $oracles = abs_path(dirname(__FILE__) . '/../oracle');
my $node = PostgreSQL::Test::Cluster->new('clv_oracle');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\ntimezone = 'UTC'\ndatestyle = 'ISO'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION custmart; CREATE TABLE book (name text PRIMARY KEY, until date, days retention_book)');

# Relative errors allowed.
my %tolerance = (function => 1e-9, likelihood => 1e-10, fitted => 1e-7, error => 1e-5, prior => 1e-5);

sub agree
{
	my ($description, $got, $expected, $tolerance) = @_;
	my @got = split /[|\n]/, $got;
	my @wrong = grep { !defined $got[$_] || $got[$_] eq '' || abs($got[$_] - $expected->[$_]) > $tolerance * abs($expected->[$_]) } 0 .. $#$expected;
	return ok(!@wrong && @got == @$expected, $description)
	  || diag(join "\n", scalar(@got) . ' figures of ' . scalar(@$expected), map { ($got[$_] // 'none') . " is not $expected->[$_]" } @wrong);
}

sub query { return $node->safe_psql('postgres', $_[0]) }

# ---------- CDNOW ----------

my $data = ($ENV{CUSTMART_SHARED} // '') . '/data';
SKIP:
{
	skip 'CDNOW is not in $CUSTMART_SHARED/data', 1 unless -r "$data/cdnow/CDNOW_sample.txt" && -r "$data/cdnow/CDNOW_master.txt.gz";
	query(qq{
		CREATE TABLE line (name text, line text);
		COPY line FROM PROGRAM 'tr -d "\\r" <"$data/cdnow/CDNOW_sample.txt" | sed "s/^ */sample\\t/"';
		COPY line FROM PROGRAM 'gzip -dc "$data/cdnow/CDNOW_master.txt.gz" | tr -d "\\r" | tail -n +2 | sed "s/^ */master\\t/"';
		CREATE TABLE cdnow AS
		SELECT name, p[1]::bigint AS member, to_date(p[CASE name WHEN 'sample' THEN 3 ELSE 2 END], 'YYYYMMDD') AS day, p[CASE name WHEN 'sample' THEN 5 ELSE 4 END]::numeric AS amount
		  FROM (SELECT name, regexp_split_to_array(btrim(line), ' +') AS p FROM line) l;
		INSERT INTO book SELECT name, '1997-09-30', retention_book(member, day, amount, 'day', 'UTC') FROM cdnow GROUP BY name});

	# Parameters in weeks, their standard errors, and the likelihood in days.
	my %fits = (
		'sample bg/nbd' => [ [ .24259452243, 4.413602019, .7929220172, 2.425906777 ], [ .012557378, .37822405, .18573382, .70541426 ], -14363.530442903 ],
		'sample mbg/nbd' => [ [ .5248431591, 6.183085280, .8913593907, 1.614002240 ], [ .083268207, .69562064, .15478993, .53749480 ], -14363.236951783 ],
		'sample pareto/nbd' => [ [ .5532770469, 10.57768346, .6062399891, 11.66873529 ], [ .047627926, .84272252, .18728134, 6.2111136 ], -14376.077415168 ],
		'master bg/nbd' => [ [ .2516239589, 4.788942962, .7234335768, 2.161088358 ], [ .0042019739, .13125491, .053929244, .19858929 ], -142726.059230720 ],
		'master mbg/nbd' => [ [ .6371397334, 7.310289542, .8074741179, 1.228393996 ], [ .036207465, .29326388, .037611765, .11194551 ], -142694.573617439 ],
		'master pareto/nbd' => [ [ .5974199663, 11.58565778, .5221856108, 8.827759150 ], [ .017372641, .29676469, .046341133, 1.4742266 ], -142772.733915029 ]);
	for (sort keys %fits)
	{
		my ($name, $model) = split / /;
		my ($parameters, $errors, $likelihood) = @{ $fits{$_} };
		my $rows = "FROM book, clv_parameters(clv_fit(days, '$model', book.until)) WITH ORDINALITY p (part, name, estimate, std_error, ci_low, ci_high, n) WHERE book.name = '$name' AND part = '$model'";
		my $in_days = "CASE WHEN p.name IN ('alpha', 'beta') THEN 7 ELSE 1 END";
		agree("CDNOW $_: parameters", query("SELECT estimate / $in_days $rows ORDER BY n"), $parameters, $tolerance{fitted});
		agree("CDNOW $_: standard errors", query("SELECT std_error / $in_days $rows ORDER BY n"), $errors, $tolerance{error});
		agree("CDNOW $_: likelihood", query("SELECT log_likelihood(clv_fit(days, '$model', book.until)) FROM book WHERE name = '$name'"), [$likelihood], $tolerance{likelihood});
	}
	my %counts = (sample => [ 2357, 946, 2457, 272, 946, 0 ], master => [ 23570, 9451, 24337, 272, 9450, 1 ]);
	my %spend = (
		sample => [ [ 6.249572271, 3.744224667, 15.44352096 ], [ 1.1900553, .29013307, 4.1594228 ], -4055.917694802, .1138879194 ],
		master => [ [ 6.275359068, 3.624450023, 14.98368703 ], [ .39969756, .090553407, 1.3440362 ], -40763.476261391, undef ]);
	for my $name (sort keys %spend)
	{
		my ($parameters, $errors, $likelihood, $correlation) = @{ $spend{$name} };
		my $details = "FROM book, clv_details(clv_fit(days, until => book.until)) d WHERE name = '$name'";
		my $rows = "FROM book, clv_parameters(clv_fit(days, until => book.until)) WITH ORDINALITY p (part, name, estimate, std_error, ci_low, ci_high, n) WHERE book.name = '$name' AND part = 'gamma-gamma' ORDER BY n";
		agree("CDNOW $name: counts", query("SELECT members, repeaters, repeats, longest_age, spend_members, spend_left_out $details"), $counts{$name}, 0);
		agree("CDNOW $name: likelihood of spend", query("SELECT spend_log_likelihood $details"), [$likelihood], $tolerance{likelihood});
		agree("CDNOW $name: correlation", query("SELECT spend_correlation $details"), [$correlation], 1e-8) if defined $correlation;
		agree("CDNOW $name: parameters of spend", query("SELECT estimate $rows"), $parameters, $tolerance{fitted});
		agree("CDNOW $name: standard errors of spend", query("SELECT std_error $rows"), $errors, $tolerance{error});
	}
	agree('CDNOW: likelihood if nobody leaves', query("SELECT nbd_log_likelihood FROM book, clv_details(clv_fit(days, until => book.until)) WHERE name = 'sample'"), [ -9763.657614673 - 2457 * log(7) ], $tolerance{likelihood});

	# Held back: predicted total, mean absolute and root mean square error, members alive.
	my %checks = (
		'sample bg/nbd' => [ 1653.408698, .7854542366, 1.607982011, 1917.277671 ], 'sample mbg/nbd' => [ 1576.728302, .7647789493, 1.607182657, 1057.636371 ],
		'sample pareto/nbd' => [ 1665.513107, .7545233834, 1.602848000, 1051.875247 ], 'master bg/nbd' => [ 16873.73368, .8187422548, 1.732911266 ],
		'master mbg/nbd' => [ 15933.59987, .7945357212, 1.739617970 ], 'master pareto/nbd' => [ 17153.18864, .7937663301, 1.726152600 ]);
	my %naive = (sample => [ 1882, 2930.101126, 1.023669163, 2.211917 ], master => [ 19684, 29010.64509, 1.038054097, 2.158216 ]);
	for (sort keys %checks)
	{
		my ($name, $model) = split / /;
		my $check = "FROM book, clv_check(days, until, '$model') WHERE name = '$name'";
		agree("CDNOW $_: held back", query("SELECT predicted, mae, rmse" . (@{ $checks{$_} } > 3 ? ', members_alive' : '') . " $check"), $checks{$_}, 1e-8);
		agree("CDNOW $_: the naive figures beside it", query("SELECT actual, naive, naive_mae, naive_rmse $check"), $naive{$name}, 1e-6);
	}
	is(query("SELECT holdout_days, actual_net, warnings, verdict FROM book, clv_check(days, until) WHERE name = 'sample'"), '273|70976.39||good', 'CDNOW: the check');

	my %frequencies = (
		'bg/nbd' => [ 1407.6843, 460.3235, 192.4614, 101.1642, 59.8471, 38.1197, 25.5491, 71.8507 ], 'mbg/nbd' => [ 1418.6177, 429.1434, 198.5689, 108.2369, 64.7441, 41.1477, 27.2940, 69.2473 ],
		'pareto/nbd' => [ 1434.0493, 396.8779, 193.4924, 111.8117, 69.9900, 45.8556, 30.9321, 73.9910 ]);
	my %tracking = (
		'bg/nbd' => [ 2493.956890, 3134.104231, 4160.609212 ], 'mbg/nbd' => [ 2475.636261, 3089.146040, 4049.953213 ], 'pareto/nbd' => [ 2524.932762, 3191.137544, 4270.040682 ]);
	for my $model (sort keys %frequencies)
	{
		my $fit = "clv_fit(days, '$model', book.until)";
		agree("CDNOW $model: members by repeats", query("SELECT expected FROM book, clv_frequencies(days, $fit) WHERE name = 'sample' ORDER BY repeats"), $frequencies{$model}, 3e-6);
		# The last week ends with the book, so one that ends earlier tells of that day.
		agree("CDNOW $model: repeats by day", query(join ' UNION ALL ', map {
			"SELECT * FROM (SELECT expected_so_far FROM book, (SELECT retention_book(member, day, amount, 'day', 'UTC') AS early FROM cdnow WHERE name = 'sample' AND day <= '$_') e, clv_tracking(early, $fit) WHERE name = 'sample' ORDER BY week_end DESC LIMIT 1) t"
			} '1997-09-30', '1997-12-31', '1998-06-30'), $tracking{$model}, 1e-8);
	}
	is(query("SELECT string_agg(members::text, ' ' ORDER BY repeats) FROM book, clv_frequencies(days, clv_fit(days, until => book.until)) WHERE name = 'sample'"), '1411 439 214 100 62 38 29 64', 'CDNOW: members by repeats that came');
	is(query(join ' UNION ALL ', map { "SELECT max(repeats_so_far) FROM book, clv_tracking(days, clv_fit(days, until => book.until)) WHERE name = 'sample' AND week_end <= '$_'" } '1997-09-30', '1998-06-30'), "2457\n4339", 'CDNOW: repeats that came');

	# Three members: orders in the half held back, of a year discounted by 15 % in 364 days, and without end.
	my %members = (
		'4 bg/nbd' => [ 24.6539186982, .72662031166, 1.2259944553, 1.4618859146 ], '4 mbg/nbd' => [ 24.6539186982, .70613847899, 1.2627588509, 1.4986362390 ],
		'4 pareto/nbd' => [ 24.6539186982, .86913426361, 1.4552017016, 1.7359375776, 6.5003518343 ],
		'18 bg/nbd' => [ 35.1703712657, 1, .19654877382, .23771165823 ], '18 mbg/nbd' => [ 35.1703712657, .39091709980, .15574361595, .18726611313 ],
		'18 pareto/nbd' => [ 35.1703712657, .29764775987, .10879541592, .12975554779, .48497939809 ],
		'21 bg/nbd' => [ 18.9100184468, .21239104440, .20341884753, .24380938200 ], '21 mbg/nbd' => [ 18.9100184468, .17095107915, .18894490180, .22533646710 ],
		'21 pareto/nbd' => [ 18.9100184468, .16799605794, .17111433631, .20412552166, .76436372268 ]);
	my $rate = 'exp(ln(1.15) / 364 * 365.25) - 1';
	for (sort keys %members)
	{
		my ($member, $model) = split / /;
		agree("CDNOW $model: member $member", query(
				"SELECT expected_spend(m, repeats, mean_spend), p_alive(m, repeats, last_age, age), expected_orders(m, repeats, last_age, age, 273), discounted_orders(m, repeats, last_age, age, 364, $rate)"
				  . ($model eq 'pareto/nbd' ? ", discounted_orders(m, repeats, last_age, age, 'Infinity', $rate)" : '')
				  . " FROM book, LATERAL (SELECT clv_fit(days, '$model', book.until) AS m OFFSET 0) f, clv_summaries(days, until) WHERE name = 'sample' AND member = $member"),
			$members{$_}, 1e-7);
	}

	# With a prior, times in days.
	my %priors = (
		'bg/nbd 1' => [ .2427961, 30.92065, .7844784, 2.391152, -14363.531827 ], 'mbg/nbd 1' => [ .5285832, 43.43409, .8855830, 1.588757, -14363.238146 ],
		'bg/nbd 100' => [ .2606839, 33.16622, .6404810, 1.696028, -14365.753577 ], 'mbg/nbd 100' => [ .6366973, 46.33148, .8213903, 1.169607, -14364.291175 ]);
	for (sort keys %priors)
	{
		my ($model, $penalty) = split / /;
		my $fit = "clv_fit(days, '$model', book.until, $penalty)";
		agree("CDNOW $model with a penalty of $penalty", query("SELECT estimate FROM book, clv_parameters($fit) WITH ORDINALITY p (part, name, estimate, std_error, ci_low, ci_high, n) WHERE book.name = 'sample' AND part = '$model' ORDER BY n") . "\n"
			  . query("SELECT log_likelihood($fit) FROM book WHERE name = 'sample'"), $priors{$_}, $tolerance{prior});
	}
}

# ---------- Online Retail ----------

SKIP:
{
	skip 'Online Retail is not in $CUSTMART_SHARED/data', 1 unless -r "$data/online_retail/online_retail.csv.gz";
	query(qq{
		CREATE TABLE retail (invoice text, stock_code text, description text, quantity numeric, at timestamp, price numeric, customer bigint, country text);
		COPY retail FROM PROGRAM 'gzip -dc "$data/online_retail/online_retail.csv.gz"' (FORMAT csv, HEADER);
		INSERT INTO book SELECT 'retail', '2011-08-31', retention_book(customer, at, quantity * price, 'day', 'UTC') FROM retail WHERE customer IS NOT NULL});
	for my $model ('bg/nbd', 'mbg/nbd', 'pareto/nbd', 'best')
	{
		my $fit = "clv_fit(days, '$model', book.until)";
		is(query("SELECT model_used, warnings($fit) && '{no_dropout}' FROM book, clv_details($fit) WHERE name = 'retail'"), 'nbd|t', "Online Retail, $model: nobody seems to leave, and it says so");
		agree("Online Retail, $model: parameters", query("SELECT estimate FROM book, clv_parameters($fit) WITH ORDINALITY p (part, name, estimate, std_error, ci_low, ci_high, n) WHERE book.name = 'retail' ORDER BY n"), [ .7226833132, 65.96590983, 2.449092052, 3.276761891, 369.5057890 ], $tolerance{fitted});
		agree("Online Retail, $model: standard errors", query("SELECT std_error FROM book, clv_parameters($fit) WITH ORDINALITY p (part, name, estimate, std_error, ci_low, ci_high, n) WHERE book.name = 'retail' ORDER BY n"), [ .0287984683, 3.0075062, .17496763, .16371277, 42.891181 ], $tolerance{error});
	}
	agree('Online Retail: likelihoods, correlation and counts', query("SELECT log_likelihood, spend_log_likelihood, spend_correlation, members, repeaters, repeats, spend_members, spend_left_out FROM book, clv_details(clv_fit(days, until => book.until)) WHERE name = 'retail'"),
		[ -35478.633247683, -12727.705892867, .1487014594, 3317, 1890, 7051, 1871, 19 ], $tolerance{function});
	is(query("SELECT member, repeats, last_age, age, round(mean_spend, 4) FROM book, clv_summaries(days, until) WHERE name = 'retail' AND member IN (12346, 12347) ORDER BY 1"), "12346|0|0|225|\n12347|4|238|267|519.7675", 'Online Retail: two members');
	agree('Online Retail: held back', query("SELECT actual, predicted, mae, rmse, naive FROM book, clv_check(days, until) WHERE name = 'retail'"), [ 4807, 3633.908114, .9973660487, 1.629786443, 3364.160150 ], 1e-8);
	is(query("SELECT warnings, verdict FROM book, clv_check(days, until) WHERE name = 'retail'"), 'no_dropout, seasonal, holdout_bias|biased', 'Online Retail: the season that the history has not seen');
}

# ---------- R ----------

# Shops of 400 members with random parameters, made by R, which fits them and computes
# expectations by integrals of its own.
sub against_r
{
	my $rscript = "$oracles/clv.R";
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $shops = `Rscript --vanilla '$rscript' '$dir' 2>&1`;

	is($?, 0, 'R has made its shops, fitted them and integrated') || diag($shops);
	query(qq{
		CREATE TABLE r_member (shop int, model text, repeats bigint, last_age float8, age float8, mean_spend numeric);
		CREATE TABLE r_fit (shop int, model text, by_integrals float8, by_formula float8, reached float8);
		CREATE TABLE r_value (shop int, model text, r float8, alpha float8, a float8, b float8, repeats bigint, last_age float8, age float8, days float8, p_alive float8, orders float8);
		COPY r_member FROM '$dir/members.csv' (FORMAT csv, NULL 'NA');
		COPY r_fit FROM '$dir/fits.csv' (FORMAT csv);
		COPY r_value FROM '$dir/values.csv' (FORMAT csv);
		CREATE TABLE fitted AS SELECT shop, model, clv_fit(repeats, last_age, age, mean_spend, model) AS m FROM r_member GROUP BY 1, 2;
		-- A model with these parameters, by the bytes of docs/storage-format.md.
		CREATE FUNCTION model(name text, parameters float8[]) RETURNS clv_model LANGUAGE SQL IMMUTABLE AS \$\$
			SELECT ('clv_model:' || replace(encode(
				decode('1001' || CASE name WHEN 'bg/nbd' THEN '01' WHEN 'mbg/nbd' THEN '02' ELSE '03' END || '0400000000', 'hex') || int4send(0) || int8send(100) || int8send(50) || int8send(80)
				|| float8send(400) || float8send(0) || float8send(-1) || float8send(-2) || int8send(0) || int8send(0)
				|| (SELECT string_agg(float8send(p), ''::bytea ORDER BY n) FROM unnest(parameters) WITH ORDINALITY o(p, n)), 'base64'), E'\\n', ''))::clv_model
		\$\$});
	is(query('SELECT count(*) FROM r_fit'), 30, 'there are 30 of them');
	is(query('SELECT * FROM r_fit WHERE NOT abs(by_integrals - by_formula) <= 1e-7 * abs(by_formula)'), '', 'the likelihoods are those of the integrals');
	# Where the likelihood has no maximum, nlm stops anywhere.
	is(query(q{SELECT shop, model, log_likelihood(m) - reached, warnings(m) FROM fitted JOIN r_fit USING (shop, model) WHERE NOT log_likelihood(m) BETWEEN reached - 1e-9 * abs(reached) AND reached + 1e-6 * abs(reached) AND NOT warnings(m) && '{no_dropout,weak_prior_used}'}), '', 'fits reach the likelihood that nlm reaches');
	cmp_ok(query(q{SELECT count(*) FROM fitted WHERE NOT warnings(m) && '{no_dropout,weak_prior_used}'}), '>=', 20, 'most have a maximum');
	is(query(q{SELECT v.*, p_alive(m, repeats, last_age, age), expected_orders(m, repeats, last_age, age, days) FROM r_value v, LATERAL (SELECT model(model, ARRAY[r, alpha, a, b]) AS m) o
		WHERE NOT abs(p_alive(m, repeats, last_age, age) - p_alive) <= 1e-7 * p_alive OR NOT abs(expected_orders(m, repeats, last_age, age, days) - orders) <= 1e-7 * orders}), '', 'chances and expected orders are those of the integrals');
	cmp_ok(query('SELECT count(*) FROM r_value WHERE orders > 0 AND repeats > 0'), '>', 300, 'of some hundred members');
	return;
}

SKIP:
{
	skip 'R is tried by test/run --full', 1 unless $is_full;
	skip 'R is not installed (Debian: r-base-core)', 1 if system('Rscript --version >/dev/null 2>&1') != 0;
	against_r();
}

$node->stop;
done_testing();
