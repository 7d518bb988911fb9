# The nightly refresh of README.md, as it stands there: its settings, its commands,
# its SQL, with pg_cron.  Only the hour is another: pg_cron runs a job on "@reboot" as
# soon as the server has started, so nothing waits for the clock.
use strict;
use warnings;

use File::Basename qw(dirname);
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($sharedir) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--sharedir' ]);
plan skip_all => 'pg_cron is not installed (Debian: postgresql-NN-cron)' unless -e "$sharedir/extension/pg_cron.control";

my $top = dirname(__FILE__) . '/../..';
my $readme = PostgreSQL::Test::Utils::slurp_file("$top/README.md");
my ($section) = $readme =~ /^### Refresh every night\n(.*?)^##/ms;
my ($install) = $readme =~ /^```sql\n(CREATE SCHEMA custmart;\n.*?)^```/ms;
my ($view) = $readme =~ /^(CREATE MATERIALIZED VIEW members AS\n.*?;)$/ms;
my ($settings) = $section =~ /^```ini\n(.*?)^```/ms;
my ($commands) = $section =~ /^```sh\n(.*?)^```/ms;
my ($index, $schedule, @more) = $section =~ /^```sql\n(.*?)^```/gms;
ok($install && $view && $settings && $commands && $index && $schedule && !@more, 'README.md says how to install and how to refresh every night')
  or BAIL_OUT('a section is not as this test expects it');

my $node = PostgreSQL::Test::Cluster->new('cron');
$node->init;
# TCP as on Debian.
$node->append_conf('postgresql.conf', "listen_addresses = 'localhost'\n");
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all all scram-sha-256\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE analyst LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER analyst');

sub as_analyst
{
	my ($sql) = @_;
	return $node->safe_psql('shop', $sql, extra_params => [ '--username', 'analyst' ]);
}

# Restart the server, and wait for the job that runs then; returns how it ended.
sub run_job
{
	my $before = $node->safe_psql('shop', 'SELECT coalesce(max(runid), 0) FROM cron.job_run_details');
	$node->restart;
	my $ended = "FROM cron.job_run_details WHERE status IN ('succeeded', 'failed') AND runid > $before";
	$node->poll_query_until('shop', "SELECT count(*) > 0 $ended") or diag 'the job did not run';
	return $node->safe_psql('shop', "SELECT username, status, return_message $ended");
}

as_analyst($install);
as_analyst(PostgreSQL::Test::Utils::slurp_file("$top/test/docs/shop.sql"));
as_analyst("$view\n$index");
as_analyst(q{INSERT INTO orders VALUES (1000000, 1000000, 0, '2025-12-31', 5)});
my $is_seen = 'SELECT count(*) FROM members WHERE member = 1000000';
is($node->safe_psql('shop', $is_seen), '0', 'a new customer is not in the view yet');

$node->append_conf('postgresql.conf', $settings);
$node->restart;
{
	local @ENV{qw(PGHOST PGPORT)} = ($node->host, $node->port);
	ok(IPC::Run::run([ 'sh', '-e', '-c', $commands ]), 'pg_cron is created');
}
as_analyst($schedule);
is($node->safe_psql('shop', 'SELECT username, active FROM cron.job'), 'analyst|t', 'the owner of the view schedules a job');

as_analyst(q{SELECT cron.schedule(jobname, '@reboot', command) FROM cron.job});
is(run_job(), 'analyst|succeeded|REFRESH MATERIALIZED VIEW', 'the job succeeds');
is($node->safe_psql('shop', $is_seen), '1', 'and now the customer is there');

$node->append_conf('postgresql.conf', 'cron.use_background_workers = off');
like(run_job(), qr/^analyst\|failed\|connection failed/, 'it cannot connect without background workers');

$node->stop;
done_testing();
