# Data from elsewhere, for real: a second PostgreSQL by postgres_fdw and dblink, files by file_fdw, MariaDB by mysql_fdw;
# servers that are down, wrong passwords, cancels.

use strict;
use warnings;
use Mlplat;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my ($sharedir) = run_command([ 'pg_config', '--sharedir' ]);

# Is an extension there to be created?
sub has_extension { return -e "$sharedir/extension/$_[0].control"; }

for my $extension ('postgres_fdw', 'dblink', 'file_fdw')
{
	plan skip_all => "$extension is not there (package postgresql-contrib)" unless has_extension($extension);
}

my $secret = 'pw-Of-the-reader';
my $wrong = 'pw-That-is-wrong';
my $dir = PostgreSQL::Test::Utils::tempdir();

# away: where the data is. Its reader needs a password.
my $away = PostgreSQL::Test::Cluster->new('away');
$away->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$away->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nlog_statement = 'all'\n");
my $rules = slurp_file($away->data_dir . '/pg_hba.conf');
open(my $hba, '>', $away->data_dir . '/pg_hba.conf') or die $!;
print $hba "local all reader scram-sha-256\nhost all reader 127.0.0.1/32 scram-sha-256\n$rules";
close $hba;
$away->start;
$away->safe_psql('postgres', qq{
SET password_encryption = 'scram-sha-256';
CREATE ROLE reader LOGIN PASSWORD '$secret';
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO reader;
CREATE TABLE shop.orders AS SELECT i AS id, 'item ' || i AS item, (i * 1.25)::numeric(10, 2) AS price, timestamptz '2024-01-01 00:00Z' + i * interval '1 minute' AS at FROM generate_series(1, 20000) AS i;
CREATE TABLE shop."Odd ""Name""" ("a b" int, "Ü" text);
INSERT INTO shop."Odd ""Name""" VALUES (1, 'ß'), (2, NULL);
CREATE TABLE shop.hidden (id int);
CREATE VIEW shop.slow AS SELECT 1 AS id, pg_sleep(120)::text AS nothing;
CREATE VIEW shop.bad AS SELECT 1 / (id - 15000) AS x FROM shop.orders;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader;
REVOKE SELECT ON shop.hidden FROM reader;
CREATE TABLE shop.inbox (id int, note text);
GRANT SELECT, INSERT ON shop.inbox TO reader;
});
my ($host, $port) = ($away->host, $away->port);

my $home = new_node('home', log_statement => 'none');

# Run; returns the rows, or the error's first line.
sub ask
{
	my ($sql, $role) = @_;
	my ($status, $out, $err) = $home->psql('postgres', ($role ? "SET ROLE $role;\n" : '') . $sql);

	return $status == 0 ? $out : (split /\n/, $err)[0] =~ s/^.*?ERROR:\s*//r;
}

sub last_line
{
	return ask("SELECT concat_ws('|', kind, location, target, rows, outcome, sqlstate, error) FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1");
}

# ---- the README's lines

is(ask(qq{
CREATE EXTENSION postgres_fdw;
CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR CURRENT_USER SERVER away OPTIONS (user 'reader', password '$secret');
SELECT table_name, rows_loaded FROM mlplat.import_foreign('away', 'shop', '{orders}');
}), 'public.orders|20000', 'a table from another PostgreSQL');
is(last_line(), 'foreign|away.shop|public.*|20000|loaded', 'its line in the log');
is(ask('SELECT count(*) FROM pg_foreign_table'), 0, 'no foreign table is left');

# ---- import_foreign

is(ask(q{CREATE SCHEMA copies; SELECT table_name, rows_loaded FROM mlplat.import_foreign('away', 'shop', '{"Odd \"Name\"",orders}', '{"schema": "copies"}')}),
	qq{copies."Odd ""Name"""|2\ncopies.orders|20000}, 'two tables, with names to be quoted');
is(ask(q{SELECT "a b", "Ü" IS NULL FROM copies."Odd ""Name""" ORDER BY 1}), "1|f\n2|t", 'and columns');
is(ask(q{SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'copies.orders'::regclass AND attnum > 0}),
	'integer,text,numeric(10,2),timestamp with time zone', 'types are those of the remote table');
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{orders,ordrs}', '{"schema": "copies"}')}), 'relation copies.orders already exists', 'a name that is taken');
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{inbox,ordrs}')}), 'schema "shop" of server "away" has no table "ordrs"', 'a table that is not there');
is(ask(q{SELECT mlplat.import_foreign('away', 'nosuch')}), 'schema "nosuch" is not present on foreign server "away"', 'a schema that is not there');
is(ask(q{SELECT mlplat.import_foreign('nosuch', 'shop')}), 'server "nosuch" does not exist', 'a server that is not there');
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{"Odd \"Name\"",bad}')}), 'division by zero', 'a table that fails in the middle');
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{"Odd \"Name\"",hidden}')}), 'permission denied for table hidden', 'a table without rights');
is(ask(q{SELECT to_regclass('"Odd ""Name"""') IS NULL AND to_regclass('bad') IS NULL}), 't', 'all tables or none');
is(ask(q{CREATE TEMP TABLE inbox (id int); SELECT mlplat.import_foreign('away', 'shop', '{inbox}')}), 'temporary table "inbox" is in the way', 'a temporary table in the way');
$home->safe_psql('postgres', 'CREATE ROLE ann; CREATE SCHEMA anns AUTHORIZATION ann; GRANT USAGE ON SCHEMA copies TO ann');
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{inbox}', '{"schema": "anns"}')}, 'ann'), 'permission denied for foreign server away', 'a role without the server');
$home->safe_psql('postgres', "GRANT USAGE ON FOREIGN SERVER away TO ann; CREATE USER MAPPING FOR ann SERVER away OPTIONS (user 'reader', password '$secret')");
is(ask(q{SELECT mlplat.import_foreign('away', 'shop', '{inbox}', '{"schema": "copies"}')}, 'ann'), 'permission denied for schema copies', 'a role that may not create');
is(ask(q{SELECT table_name, rows_loaded FROM mlplat.import_foreign('away', 'shop', '{inbox}', '{"schema": "anns"}')}, 'ann'), 'anns.inbox|0', 'a role with both, and no right on the database');

# ---- import_query over foreign tables and dblink

$home->safe_psql('postgres', q{
CREATE SCHEMA far;
IMPORT FOREIGN SCHEMA shop LIMIT TO (orders, slow, inbox, bad) FROM SERVER away INTO far;
CREATE EXTENSION dblink;
});
is(ask(q{SELECT rows_loaded FROM mlplat.import_query('cheap', 'SELECT id, price FROM far.orders WHERE price < 100')}), 79, 'a query over a foreign table');
is(ask(q{SELECT rows_loaded FROM mlplat.import_query('far.inbox', 'SELECT id, item AS note FROM orders WHERE id <= 1500')}), 1500, 'into a foreign table');
is($away->safe_psql('postgres', 'SELECT count(*), min(note) FROM shop.inbox'), '1500|item 1', 'the rows are there');
is(ask(qq{SELECT rows_loaded FROM mlplat.import_query('linked', 'SELECT * FROM dblink(''host=$host port=$port dbname=postgres user=reader password=$secret'', ''SELECT id, item FROM shop.orders WHERE id > 19990'') AS t(id int, item text)')}), 10, 'dblink');
like(last_line(), qr/^query\|SELECT \* FROM dblink\('host=\S+ port=\d+ dbname=postgres user=reader password=\*\*\*', .*\|linked\|10\|loaded$/, 'the log without the password');
is(ask(qq{SELECT rows_loaded FROM mlplat.import_query('linked', 'SELECT * FROM dblink(''away'', ''SELECT id, item FROM shop.orders WHERE id < 11'') AS t(id int, item text)')}), 10, 'dblink through the server and its user mapping');
like(ask(q{SELECT mlplat.create_source('linked', 'query', 'SELECT * FROM dblink(''host=h password=x'', ''SELECT 1'') AS t(id int)', 'linked')}), qr/must not hold a password/, 'a source keeps no password');

# ---- sources

$home->safe_psql('postgres', q{
SELECT mlplat.create_source('new', 'query', 'SELECT id, item, at FROM far.orders', 'incremental', '{"refresh": "append", "high_water": "at"}');
SELECT mlplat.create_source('all', 'query', 'SELECT id, item FROM far.orders', 'whole');
SELECT mlplat.create_source('keyed', 'query', 'SELECT id, item, at FROM far.orders', 'keyed', '{"refresh": "upsert", "key": "id", "high_water": "id"}');
});
my $refresh = q{SELECT rows_loaded, rows_inserted, rows_updated, rows_deleted FROM mlplat.refresh_source};
is(ask("$refresh('new')"), '20000|20000|0|0', 'append: first');
is(ask("$refresh('all')"), '20000|20000|0|0', 'replace: first');
is(ask("$refresh('keyed')"), '20000|20000|0|0', 'upsert: first');
$away->safe_psql('postgres', q{INSERT INTO shop.orders SELECT i, 'later ' || i, 1, timestamptz '2025-01-01Z' + i * interval '1 second' FROM generate_series(20001, 20005) AS i; UPDATE shop.orders SET item = 'changed' WHERE id = 20000});
my $log_before = -s $away->logfile;
is(ask("$refresh('new')"), '5|5|0|0', 'append: only the new ones');
is(ask("$refresh('keyed')"), '6|5|1|0', 'upsert: the new ones and the last one');
my $remote = substr(slurp_file($away->logfile), $log_before);
like($remote, qr/WHERE \(?\(?\(?at > '2024-01-14 21:20:00\+00'/, 'the mark goes to the other server');
like($remote, qr/WHERE \(?\(?\(?id >= 20000/, 'that of an upsert as well');
is(ask("$refresh('all')"), '20005|20005|0|20000', 'replace: all of them');

# ---- a failure in the middle, a password that is wrong, a server that is down

is(ask(q{SELECT mlplat.import_query('b', 'SELECT * FROM far.bad')}), 'division by zero', 'a remote error in the middle of the rows');
is(ask(q{SELECT to_regclass('b') IS NULL}), 't', 'nothing is left of it');

$home->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER away OPTIONS (SET password '$wrong')");
for my $try (
	q{SELECT mlplat.import_query('w', 'TABLE far.orders')},
	q{SELECT mlplat.import_foreign('away', 'shop', '{bad}')},
	q{SELECT mlplat.refresh_source('all')})
{
	is(ask($try), 'could not connect to server "away"', "wrong password: $try");
	like(last_line(), qr/\|0\|failed\|08001\|could not connect to server "away"$/, 'its line in the log');
}
is(ask('SELECT count(*) FROM whole'), 20005, 'the old rows are there');
$home->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER away OPTIONS (SET password '$secret')");

$away->stop('immediate');
is(ask("$refresh('new')"), 'could not connect to server "away"', 'the server is down');
is(ask("$refresh('all')"), 'could not connect to server "away"', 'replace as well');
is(ask(q{SELECT outcome, error FROM mlplat.sources WHERE name = 'all'}), 'failed|could not connect to server "away"', 'the view tells');
is(ask('SELECT (SELECT count(*) FROM whole), (SELECT count(*) FROM incremental)'), '20005|20005', 'the old rows are there');
is(ask(q{SELECT count(*) FROM pg_class WHERE relname LIKE '%delivery%'}), 0, 'no temporary table is left');
$away->start;
is(ask("$refresh('all')"), '20005|20005|0|20005', 'and goes on when it is up again');

# ---- cancel

my $n_cancelled = 0;
for my $what ('import_query', 'refresh_source', 'import_foreign')
{
	my %sql = (
		import_query => q{SELECT mlplat.import_query('slowly', 'TABLE far.slow')},
		refresh_source => q{SELECT mlplat.refresh_source('slow')},
		import_foreign => q{SELECT mlplat.import_foreign('away', 'shop', '{slow}')});

	$home->safe_psql('postgres', q{SELECT mlplat.create_source('slow', 'query', 'TABLE far.slow', 'slowly')}) if $what eq 'refresh_source';
	my $job = start_background($home, $sql{$what});
	$away->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'reader' AND wait_event = 'PgSleep'}) or die 'it does not start';
	my $start = time;
	$home->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT mlplat.%' AND pid <> pg_backend_pid() AND state = 'active'});
	like(finish_background($job), qr/canceling statement due to user request/, "$what is cancelled");
	cmp_ok(time - $start, '<', 60, 'without waiting for the other server');
	$n_cancelled++;
	$home->poll_query_until('postgres', "SELECT count(*) >= $n_cancelled FROM mlplat.import_log WHERE sqlstate = '57014'"); # nobody waits for it
	like(last_line(), qr/\|0\|failed\|57014\|canceling statement due to user request$/, 'its line in the log');
	ok($away->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'}), 'the other server has stopped, too');
}
is(ask(q{SELECT to_regclass('slowly') IS NULL AND to_regclass('slow') IS NULL}), 't', 'nothing is left');

# ---- files by file_fdw

open(my $csv, '>', "$dir/f.csv") or die $!;
print $csv "id,x\n1,1.5\n2,2.5\n";
close $csv;
is(ask(qq{
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE far.f (id int, x float8) SERVER files OPTIONS (filename '$dir/f.csv', format 'csv', header 'true');
SELECT rows_loaded FROM mlplat.import_query('f', 'TABLE far.f');
}), 2, 'a file by file_fdw');
is(ask(q{SELECT mlplat.create_source('f', 'query', 'TABLE far.f', 'f', '{"refresh": "append", "high_water": "id"}');} . " $refresh('f')"), "\n0|0|0|0", 'as a source, which finds the rows that are there');
append_to_file("$dir/f.csv", "3,3.5\n");
is(ask("$refresh('f')"), '1|1|0|0', 'and loads the one that comes');
append_to_file("$dir/f.csv", "4,none\n");
is(ask("$refresh('f')"), 'invalid input syntax for type double precision: "none"', 'a row that is wrong');
unlink "$dir/f.csv";
like(ask("$refresh('f')"), qr/could not open file .*f\.csv.* for reading: No such file or directory/, 'a file that is gone');
is(ask('SELECT count(*), max(id) FROM f'), '3|3', 'the old rows are there');

# ---- MariaDB by mysql_fdw

sub mysql_tests
{
	my $data = "$dir/mysql";
	my $mysql_port = PostgreSQL::Test::Cluster::get_free_port();
	my ($daemon) = grep { -x } '/usr/sbin/mariadbd', '/usr/libexec/mariadbd';
	my $said = '';

	IPC::Run::run([ 'mariadb-install-db', '--no-defaults', "--datadir=$data", '--auth-root-authentication-method=normal', '--skip-test-db' ], '>', \$said, '2>&1') or die "mariadb-install-db: $said";
	open(my $init, '>', "$dir/init.sql") or die $!;
	print $init <<"SQL";
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE USER 'reader'\@'%' IDENTIFIED BY '$secret';
GRANT SELECT ON shop.* TO 'reader'\@'%';
CREATE TABLE shop.orders (id int PRIMARY KEY, item varchar(20), price decimal(8,2), at datetime);
INSERT INTO shop.orders VALUES (1, 'caf\xc3\xa9', 1.50, '2024-01-01 01:00:00'), (2, NULL, 2.25, '2024-01-01 02:00:00'), (3, 'three', -3, '2024-01-01 03:00:00');
SQL
	close $init;
	my $server = IPC::Run::start([ $daemon, '--no-defaults', "--datadir=$data", "--socket=$dir/mysql.sock", '--bind-address=127.0.0.1', "--port=$mysql_port", "--init-file=$dir/init.sql", '--character-set-server=utf8mb4' ], '>', \$said, '2>&1');
	for (1 .. 300)
	{
		$server->pump_nb;
		last if $said =~ /ready for connections/;
		sleep 0.1;
	}
	is(ask(qq{
CREATE EXTENSION mysql_fdw;
CREATE SERVER shop FOREIGN DATA WRAPPER mysql_fdw OPTIONS (host '127.0.0.1', port '$mysql_port');
CREATE USER MAPPING FOR CURRENT_USER SERVER shop OPTIONS (username 'reader', password '$secret');
SELECT table_name, rows_loaded FROM mlplat.import_foreign('shop', 'shop', '{orders}', '{"schema": "anns"}');
}), 'anns.orders|3', 'mysql_fdw: a table');
	is(ask('SELECT id, item, price, at FROM anns.orders ORDER BY id'), "1|café|1.50|2024-01-01 01:00:00\n2||2.25|2024-01-01 02:00:00\n3|three|-3.00|2024-01-01 03:00:00", 'mysql_fdw: the rows');
	$home->safe_psql('postgres', q{CREATE SCHEMA mysql; IMPORT FOREIGN SCHEMA shop FROM SERVER shop INTO mysql; SELECT mlplat.create_source('mysql', 'query', 'SELECT id, item, at FROM mysql.orders', 'from_mysql', '{"refresh": "append", "high_water": "at"}')});
	is(ask("$refresh('mysql')"), '3|3|0|0', 'mysql_fdw: a source');
	is(ask("$refresh('mysql')"), '0|0|0|0', 'mysql_fdw: nothing new');
	is(ask(q{SELECT high_water FROM mlplat.sources WHERE name = 'mysql'}), '2024-01-01 03:00:00', 'mysql_fdw: its mark');
	is(ask(q{SELECT mlplat.import_foreign('shop', 'shop', '{nosuch}')}), 'schema "shop" of server "shop" has no table "nosuch"', 'mysql_fdw: a table that is not there');
	$home->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER shop OPTIONS (SET password '$wrong')");
	like(ask("$refresh('mysql')"), qr/failed to connect to MySQL: Access denied for user 'reader'/, 'mysql_fdw: a wrong password');
	$server->kill_kill;
	like(ask("$refresh('mysql')"), qr/failed to connect to MySQL/, 'mysql_fdw: the server is down');
	is(ask('SELECT count(*) FROM from_mysql'), 3, 'mysql_fdw: the old rows are there');
	return;
}

SKIP:
{
	skip 'mysql_fdw is not there (package postgresql-15-mysql-fdw)', 1 unless has_extension('mysql_fdw');
	skip 'MariaDB is not there (packages mariadb-server-core, mariadb-client-core)', 1
		unless IPC::Run::run([ 'sh', '-c', 'command -v mariadb-install-db && command -v my_print_defaults' ], '>', \my $found) && (-x '/usr/sbin/mariadbd' || -x '/usr/libexec/mariadbd');
	mysql_tests();
}

# ---- passwords are nowhere

for my $password ($secret, $wrong)
{
	is(ask(qq{SELECT count(*) FROM mlplat.import_log l, mlplat.sources s WHERE concat(l, s) LIKE '%$password%'}), 0, 'no password in the log and the sources');
}
unlike(slurp_file($home->logfile), qr/\Q$wrong\E/, 'the wrong password is not in the server log');

$home->stop;
$away->stop;
done_testing();
