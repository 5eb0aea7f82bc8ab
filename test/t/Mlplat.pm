# Mlplat.pm: what the TAP tests share: a server with mlplat, a session that stays open, sizes of processes.
package Mlplat;

use strict;
use warnings;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(new_node start_background finish_background resident_kb temporary_files median);

# new_node(NAME, SETTING => VALUE, ...): a started server with mlplat in database postgres.
sub new_node
{
	my ($name, %settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
	$node->append_conf('postgresql.conf', "$_ = '$settings{$_}'\n") for sort keys %settings;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION mlplat');
	return $node;
}

# start_background(NODE, SQL): run SQL in a psql of its own; finish_background waits and returns all it said.
sub start_background
{
	my ($node, $sql) = @_;
	my $job = { out => '' };
	my @command = ('psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $sql);

	$job->{run} = IPC::Run::start(\@command, '<', \undef, '>', \$job->{out}, '2>', \$job->{out},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $job;
}

sub finish_background
{
	my ($job) = @_;

	$job->{run}->finish;
	return $job->{out};
}

# resident_kb(PID): memory of a process; undef where the system does not tell.
sub resident_kb
{
	my ($pid) = @_;

	open(my $status, '<', "/proc/$pid/status") or return undef;
	while (<$status>)
	{
		return $1 if /^VmRSS:\s+(\d+)/;
	}
	return undef;
}

# temporary_files(NODE): files in the server's directories for them.
sub temporary_files
{
	my ($node) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_tablespace t, pg_ls_tmpdir(t.oid) WHERE spcname <> 'pg_global'");
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[ int(@sorted / 2) ];
}

1;
