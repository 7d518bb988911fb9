# A persistent session, for files with many small checks: psql is started once
# rather than once per statement.
#
#   my $session = Session->new($node);
#   is($session->sql('SELECT 1'), '1');            # as safe_psql of a node
#   my ($out, $err) = $session->query('SELECT 1/0');  # whatever becomes of it
package Session;

use strict;
use warnings;
use Carp qw(croak);
use IO::Select;
use IPC::Open3 qw(open3);
use Symbol qw(gensym);

sub new
{
	my ($class, $node, $database) = @_;
	my ($to, $out, $err) = (undef, undef, gensym);
	my $pid = open3($to, $out, $err, 'psql', '-XAtq', '-f', '-', '-d', $node->connstr($database // 'postgres'));

	return bless { pid => $pid, to => $to, out => $out, err => $err, count => 0 }, $class;
}

# Run statements; returns what they print, and their errors and notices.
sub query
{
	my ($self, $sql) = @_;
	my $mark = 'end of query ' . ++$self->{count};
	my $left = "$sql\n;\n\\echo $mark\n\\warn $mark\n";
	my %text = (out => '', err => '');
	my $reading = IO::Select->new($self->{out}, $self->{err});
	my $writing = IO::Select->new($self->{to});

	local $SIG{PIPE} = 'IGNORE';
	while ($reading->count)
	{
		my ($readable, $writable) = IO::Select->select($reading, $writing);

		if (@$writable)
		{
			my $n = syswrite $self->{to}, $left, 4096;
			$left = defined $n ? substr($left, $n) : '';
			$writing = IO::Select->new if $left eq '';
		}
		for my $file (@$readable)
		{
			my $which = $file == $self->{out} ? 'out' : 'err';
			my $n = sysread $file, $text{$which}, 65536, length $text{$which};

			# At its end, or at that of the session.
			$reading->remove($file) if !$n || $text{$which} =~ s/^\Q$mark\E\n\z//m;
			$text{err} .= "the session broke off\n" if !$n;
		}
	}
	chomp %text;
	return @text{qw(out err)};
}

# Run statements that must not fail; returns what they print.
sub sql
{
	my ($self, $sql) = @_;
	my ($out, $err) = $self->query($sql);

	croak "$err\nin: $sql" if $err =~ /^(?:psql:\S+ )?(?:ERROR|FATAL|PANIC): |the session broke off/m;
	return $out;
}

sub DESTROY
{
	my ($self) = @_;
	# The exit status of the test is not that of psql.
	local $?;

	close $self->{to};
	waitpid $self->{pid}, 0;
	return;
}

1;
