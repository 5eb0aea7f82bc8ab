# Every program of docs/clients.md, taken from the page and run as it stands: directly, and through PgBouncer in transaction mode.
#
# A client that is not installed is skipped. npm packages go into a temporary directory, when the registry answers in time.
use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $page = slurp_file('docs/clients.md');
my $node = new_node('clients', listen_addresses => '127.0.0.1');
my $jar = '/usr/share/java/postgresql.jar';

# block(HEADING, LANGUAGE): the code below a heading of the page; the heading '' is the page's beginning.
sub block
{
	my ($heading, $language) = @_;
	my $from = $heading eq '' ? 0 : index($page, "\n## $heading\n");

	die "docs/clients.md has no heading \"$heading\"" if $from < 0;
	substr($page, $from) =~ /^```\Q$language\E\n(.*?)^```$/ms or die "no block of $language below \"$heading\"";
	return $1;
}

sub put
{
	my ($name, $content) = @_;

	open(my $file, '>', "$dir/$name") or die "$dir/$name: $!";
	print $file $content;
	close $file;
	return "$dir/$name";
}

# run_quietly(COMMAND...): does it end well, and in time?
sub run_quietly
{
	my $out = '';

	return eval { IPC::Run::run(\@_, '<', \undef, '>&', \$out, IPC::Run::timeout(40)); };
}

# installed(PROGRAM): is it on the path?
sub installed { return run_quietly('sh', '-c', 'command -v "$0"', $_[0]); }

# Debian's Python is the one that has Debian's modules.
my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';

sub has_module
{
	return installed($python) && run_quietly($python, '-c', "import $_[0]");
}

# Fetched once; the programs stand beside node_modules.
my $fetched;

sub has_npm_packages
{
	local $ENV{npm_config_cache} = "$dir/npm";
	$fetched //= installed('node') && installed('npm') && run_quietly('npm', 'install', '--prefix', $dir, '--no-audit', '--no-fund',
		'--ignore-scripts', '--fetch-retries=0', '--fetch-timeout=10000', 'pg@8', 'knex@3') ? 1 : 0;
	return $fetched;
}

# Heading, language, file, its command, what it needs and whether that is there.
my @clients = (
	[ 'psql', 'sh', 'psql.sh', ['sh'], 'psql', sub { 1 } ],
	[ 'Python: psycopg2', 'python', 'psycopg2_program.py', [$python], 'python3-psycopg2', sub { has_module('psycopg2') } ],
	[ 'Python: SQLAlchemy', 'python', 'sqlalchemy_program.py', [$python], 'python3-sqlalchemy', sub { has_module('psycopg2, sqlalchemy') } ],
	[ 'Node.js: pg', 'js', 'pg.js', ['node'], 'node and the npm package pg', \&has_npm_packages ],
	[ 'Node.js: Knex', 'js', 'knex.js', ['node'], 'node and the npm package knex', \&has_npm_packages ],
	[ 'Java: JDBC', 'java', 'Clients.java', [ 'java', '-cp', $jar ], 'a JDK and libpostgresql-jdbc-java', sub { -e $jar && installed('javac') } ]);

$node->safe_psql('postgres', block('', 'sql'));
my $wanted = join "\n", sort split /\n/, $node->safe_psql('postgres', q{
SELECT 'one row: 150000'; SELECT 'array: ' || round(mlplat.predict('price_by_area', ARRAY[100]::float8[]));
SELECT 'rows: ' || string_agg(round(mlplat.predict('price', houses))::text, ' ' ORDER BY id) FROM houses WHERE id <= 3;
SELECT 'no such model: 42704'; SELECT 'too slow: 57014'; SELECT 'trained: 1000'});

# The client's programs find the server here.
$ENV{PGHOST} = '127.0.0.1';
$ENV{PGDATABASE} = 'postgres';
$ENV{PGUSER} = $node->safe_psql('postgres', 'SELECT current_user');

# run_clients(PORT, WHERE)
sub run_clients
{
	my ($port, $where) = @_;

	local $ENV{PGPORT} = $port;
	for my $client (@clients)
	{
		my ($heading, $language, $file, $command, $needs, $is_there) = @$client;

	  SKIP:
		{
			skip "$heading $where: needs $needs", 3 unless $is_there->();
			my ($out, $err) = ('', '');
			my $path = put($file, block($heading, $language));
			my $ended = eval { IPC::Run::run([ @$command, $path ], '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(60)); };

			ok($ended, "$heading $where") or diag($err, $@);
			is(join("\n", sort split /\n/, $out), $wanted, "$heading $where: what it prints");
			$node->safe_psql('postgres', q{SELECT mlplat.drop_model('background')});
			is($node->safe_psql('postgres', q{SELECT count(*) FROM mlplat.models WHERE name = 'slow'}), '0', 'nothing is left of what was cancelled');
		}
	}
}

run_clients($node->port, 'directly');

# ---- through PgBouncer

my $bouncer = (grep { -x } '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer')[0];
SKIP:
{
	skip 'through PgBouncer: needs pgbouncer', 3 unless $bouncer;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $server = $node->port;
	my $users = put('users.txt', qq{"$ENV{PGUSER}" ""\n});
	my $settings = block('PgBouncer, transaction mode', 'ini');

	# What belongs to this machine comes on top.
	$settings =~ s/^(\* = .*)$/$1 port=$server/m;
	$settings .= "listen_port = $port\nauth_file = $users\nlogfile = $dir/pgbouncer.log\npidfile = $dir/pgbouncer.pid\nunix_socket_dir =\n";
	my $log = '';
	my $run = IPC::Run::start([ $bouncer, put('pgbouncer.ini', $settings) ], '<', \undef, '>&', \$log);
	my $pool = "host=127.0.0.1 port=$port dbname=postgres user=$ENV{PGUSER}";

	ok($node->poll_query_until('postgres', 'SELECT 1', '1', connstr => $pool), 'PgBouncer is there') or diag($log);
	run_clients($port, 'through PgBouncer');

	# Clients that keep their connections: each transaction may meet another session, all see what is committed, at once.
	my $slope = q{SELECT mlplat.save_model('m', mlplat.train(x * %d, ARRAY[x], '{"algorithm": "linear"}')) FROM generate_series(1, 5) x};
	my $ask = q{SELECT round(mlplat.predict('m', ARRAY[1]::float8[]))};
	$node->safe_psql('postgres', sprintf $slope, 1);
	$node->safe_psql('postgres', sprintf $slope, 2);
	my @seen;
	for my $promoted (1, 2, 1)
	{
		$node->safe_psql('postgres', "SELECT mlplat.promote_model('m\@$promoted')");
		# Several at once, so that the pool has several sessions with the model in their caches.
		my @jobs = map {
			my $job = { out => '' };
			$job->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $pool, '-c', "BEGIN", '-c', $ask, '-c', 'SELECT pg_sleep(0.1)', '-c', 'COMMIT', '-c', $ask ],
				'<', \undef, '>&', \$job->{out}, IPC::Run::timeout(60));
			$job;
		} 1 .. 4;
		push @seen, join ' ', map { join '', grep { /\d/ } split /\n/, finish_background($_) } @jobs;
	}
	is(join(', ', @seen), '11 11 11 11, 22 22 22 22, 11 11 11 11', 'a promotion is seen by every session of the pool');
	my $sessions = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
	cmp_ok($sessions, '>=', 2, 'the pool has several');
	$run->signal('INT');
	$run->finish;
}
$node->stop;
done_testing();
