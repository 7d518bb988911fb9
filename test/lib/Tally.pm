# The harness of test/run: prove and pg_prove run and print as always, and each
# outcome is also written as a line of the file $TALLY, so that test/run can
# add up tests of every kind and name those that failed or were skipped:
#
#   pass <tab> number
#   fail <tab> what
#   skip <tab> what: reason
#
# Use: TALLY=file TALLY_NAME="15 unit" PERL5LIB=test/lib prove --harness Tally …
package Tally;

use strict;
use warnings;
use File::Basename qw(basename);
use parent 'TAP::Harness';

sub runtests
{
	my ($self, @tests) = @_;
	my %lines;

	$self->callback(
		made_parser => sub {
			my ($parser, $job) = @_;
			my $file = basename($job->[0]);
			my $lines = $lines{$parser} = [];

			$parser->callback(
				test => sub {
					my ($test) = @_;
					my $what = "$file: test " . $test->number . ' ' . $test->description;

					if (!$test->is_ok)
					{
						push @$lines, [ fail => $what ];
					}
					elsif ($test->has_skip)
					{
						push @$lines,
						  [ skip => "$file: test " . $test->number . ': ' . $test->explanation ];
					}
					else
					{
						push @$lines, [ pass => 1 ];
					}
				});
		});

	$self->callback(
		after_test => sub {
			my ($job, $parser) = @_;
			my $file = basename($job->[0]);
			my @lines = @{ delete $lines{$parser} };

			push @lines, [ skip => "$file: " . $parser->skip_all ] if $parser->skip_all;

			# A plan that was not kept is a failure even if every test that ran
			# passed; the exit status matters only when nothing else failed.
			push @lines, [ fail => "$file: $_" ] for $parser->parse_errors;
			push @lines, [ fail => "$file: ended with wait status " . $parser->wait ]
			  if $parser->has_problems && !grep { $_->[0] eq 'fail' } @lines;

			record(@lines);
		});

	return $self->SUPER::runtests(@tests);
}

sub record
{
	my (@lines) = @_;
	my $name = $ENV{TALLY_NAME} ? "$ENV{TALLY_NAME} " : '';

	open my $tally, '>>', $ENV{TALLY} or die "cannot write $ENV{TALLY}: $!";
	for my $line (@lines)
	{
		my ($outcome, $what) = @$line;
		$what = $name . $what if $outcome ne 'pass';
		$what =~ s/\s+/ /g;
		print $tally "$outcome\t$what\n";
	}
	close $tally or die "cannot write $ENV{TALLY}: $!";
	return;
}

1;
