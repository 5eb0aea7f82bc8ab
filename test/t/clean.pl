# clean under time-outs and in little memory; recorded cleanings through dump and restore; wide tables.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('clean', shared_buffers => '16MB', work_mem => '4MB', max_parallel_workers_per_gather => 0);

$node->safe_psql('postgres', q{
CREATE UNLOGGED TABLE big AS
SELECT i * 9 / 10 AS id, CASE WHEN i % 10 > 0 THEN i % 1009 END AS age, (i::bigint * 7919 % 1000003)::float8 AS income, '  Name ' || i % 1000 || ' ' AS name,
       i::text AS num, md5(i::text) AS hash FROM generate_series(1, 400000) i;
CREATE FUNCTION peak_kb() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT (regexp_match(pg_read_file('/proc/self/status', 0, 10000), 'VmHWM:\s+(\d+)'))[1]::int $$;
});

sub clean
{
	my ($query, $steps, $target) = @_;

	return sprintf("SELECT * FROM mlplat.clean(\$q\$%s\$q\$, '%s', \$s\$%s\$s\$)", $query, $target // 'cleaned', $steps);
}

# left(WHAT): after an error there is no table, no recipe, no file.
sub left
{
	my ($what) = @_;

	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname LIKE 'cleaned%'"), '0', "$what: no table");
	is($node->safe_psql('postgres', "SELECT count(*) FROM mlplat.cleanings"), '0', "$what: nothing recorded");
	is(temporary_files($node), '0', "$what: no temporary files");
}

# Stop at several times, so that reading, sorting, fitting and writing are hit; a fast machine may be done before.
sub times_out
{
	my ($what, $sql, @timeouts) = @_;
	my @over;

	for my $timeout (@timeouts)
	{
		my ($out, $err);

		$node->psql('postgres', "SET statement_timeout = $timeout;\n\\timing on\n$sql;", stdout => \$out, stderr => \$err, on_error_stop => 0);
		if ($err !~ /canceling statement due to statement timeout/)
		{
			is($err, '', "$what, $timeout ms: was done") unless $err eq '';
			$node->safe_psql('postgres', 'DROP TABLE IF EXISTS cleaned; DELETE FROM mlplat.cleaning');
			next;
		}
		push @over, $1 - $timeout if $out =~ /Time: ([\d.]+) ms[^\n]*\s*\z/;
	}
  SKIP:
	{
		skip "$what: was done before it could be stopped", 1 unless @over;
		# The machine may be busy: the limit of 100 ms is one of the work between two polls.
		cmp_ok(median(@over), '<', 150, "$what: ends in time") or diag("over: @over");
	}
	left($what);
}

times_out('the query', clean('SELECT pg_sleep(60)::text AS x', '["trim"]'), 100);
times_out('rows into the table', clean('TABLE big', '["trim"]'), 30, 100, 200, 300);
times_out('duplicates', clean('TABLE big', '[{"drop_duplicates": "hash"}]'), 50, 200, 400, 700, 1000);
times_out('all columns', clean('TABLE big', '["drop_duplicates"]'), 50, 300, 700, 1200);
times_out('fits', clean('TABLE big', '[{"fill": {"columns": ["age", "income"], "with": "median"}}, {"fill": {"columns": ["name", "hash"], "with": "mode"}}, "drop_constant"]'), 100, 300, 600, 900, 1300);
times_out('values of the row before', clean('TABLE big', '[{"fill": {"with": "previous", "order_by": "hash"}}]'), 100, 400, 800, 1200);
times_out('casts that fail', clean('TABLE big', '[{"cast": {"columns": "hash", "type": "integer", "on_error": "null"}}]'), 100, 300, 600);
times_out('a filter', clean('TABLE big', q{[{"filter": "length(repeat(hash, 100)) > 0 AND pg_sleep(0.01) IS NOT NULL"}]}), 100);

# stopped by the server's end
my $job = start_background($node, clean('TABLE big CROSS JOIN generate_series(1, 50) g', '["drop_duplicates"]') =~ s/TABLE big/SELECT * FROM big/r);
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%mlplat.clean%' AND pid <> pg_backend_pid() AND state = 'active'");
$node->safe_psql('postgres', 'SELECT pg_sleep(0.5)');
$node->stop('immediate');
finish_background($job);
$node->start;
left('the server stopped');

# UNLOGGED rows are gone with the crash.
$node->safe_psql('postgres', q{
INSERT INTO big SELECT i * 9 / 10, CASE WHEN i % 10 > 0 THEN i % 1009 END, i::bigint * 7919 % 1000003, '  Name ' || i % 1000 || ' ', i::text, md5(i::text) FROM generate_series(1, 400000) i});

# Memory is that of work_mem, whatever the number of rows: 400,000 rows of 120 bytes.
my $all = '[{"drop_duplicates": "id"}, "normalize", {"fill": {"columns": "age", "with": "median"}}, {"clip": ["age", "income"]}, {"cast": {"columns": "num", "type": "bigint", "on_error": "null"}},
    {"group_rare": ["name"]}, {"fill": {"with": "previous", "order_by": "hash"}}, "drop_constant", "drop_duplicates", {"filter": "id > 10"}]';
my $growth = $node->safe_psql('postgres', "SELECT * FROM mlplat.clean('SELECT 1 AS x', 'warm', '[\"clip\"]') \\g /dev/null\nSELECT peak_kb() AS before \\gset\n" . clean('TABLE big', $all) . " \\g /dev/null\nSELECT peak_kb() - :before");
cmp_ok($growth, '<', 60000, 'memory is bounded') or diag("grew by $growth kB");
is($node->safe_psql('postgres', "SELECT rows_in, rows_out FROM mlplat.cleanings WHERE name = 'cleaned'"), '400000|359990', 'all rows went through');
is(temporary_files($node), '0', 'no temporary files are left');

# A session may clean for ever.
$growth = $node->safe_psql('postgres', q{
CREATE FUNCTION rss_kb() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT (regexp_match(pg_read_file('/proc/self/status', 0, 10000), 'RssAnon:\s+(\d+)'))[1]::int $$;
CREATE FUNCTION growth_kb(rounds int) RETURNS int LANGUAGE plpgsql AS $f$
DECLARE early int;
BEGIN
    FOR i IN 1..rounds LOOP
        PERFORM mlplat.clean('SELECT * FROM big LIMIT 200', 'small', '["drop_duplicates", {"fill": {"with": "mode"}}, "normalize", {"clip": ["age"]}, {"cast": {"columns": "hash", "type": "int", "on_error": "null"}}, {"filter": "age > 3"}]', replace => true);
        PERFORM mlplat.apply_cleaning('small', 'SELECT * FROM big LIMIT 200', 'small2', replace => true);
        BEGIN
            PERFORM mlplat.clean('SELECT * FROM big LIMIT 200', 'bad', '["drop_duplicates", {"filter": "1 / (age - age) > 0"}]');
            RAISE 'no error' USING ERRCODE = 'ZZZZZ';
        EXCEPTION WHEN division_by_zero THEN
        END;
        IF i = rounds / 3 THEN early := rss_kb(); END IF;
    END LOOP;
    RETURN rss_kb() - early;
END $f$;
SELECT growth_kb(300)});
cmp_ok($growth, '<', 8000, 'memory stays') or diag("grew by $growth kB");

# As many columns as a table can have.
my $columns = join ', ', map { "CASE WHEN i % 7 > 0 THEN i % (5 + $_ % 11) END AS \"c $_\"" } 1 .. 1600;
is($node->safe_psql('postgres', "SELECT sum(rows_dropped), sum(cells_changed) > 0 FROM mlplat.clean('SELECT $columns FROM generate_series(1, 300) i', 'wide', '[\"drop_duplicates\", {\"fill\": {\"with\": \"median\"}}, \"clip\", \"drop_constant\", {\"fill\": {\"with\": \"mode\"}}, \"drop_missing\"]')"),
	'41|t', '1,600 columns');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_attribute WHERE attrelid = 'wide'::regclass AND attnum > 0"), '1600', '1,600 columns are written');

# Recorded cleanings come along with a dump, and do the same there.
$node->safe_psql('postgres', q{
CREATE ROLE ann;
GRANT CREATE ON SCHEMA public TO ann;
SET ROLE ann;
SELECT mlplat.clean('SELECT i AS x, ''v'' || i % 3 AS c FROM generate_series(1, 9) i', 'hers', '[{"clip": {"by": "zscore", "factor": 1}}]') \g /dev/null
});
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$PostgreSQL::Test::Utils::tmp_check/clean.dump", $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), "$PostgreSQL::Test::Utils::tmp_check/clean.dump" ], 'restore');
my $recipes = "SELECT string_agg(c::text, E'\\n' ORDER BY name) FROM mlplat.cleanings c";
is($node->safe_psql('restored', $recipes), $node->safe_psql('postgres', $recipes), 'recipes are the same');
is($node->safe_psql('restored', "SET ROLE ann; SELECT string_agg(name || ' ' || owner, ',') FROM mlplat.cleanings"), 'hers ann', 'and their owners');
$node->safe_psql($_, "SELECT * FROM mlplat.apply_cleaning('cleaned', 'SELECT * FROM big ORDER BY hash LIMIT 1000', 'again')") for 'postgres', 'restored';
my $again = "SELECT md5(string_agg(a::text, ';' ORDER BY id, hash)) FROM again a";
is($node->safe_psql('restored', $again), $node->safe_psql('postgres', $again), 'and what they do');
is($node->safe_psql('restored', "SELECT rows_in FROM mlplat.clean('SELECT 1 AS x', 'another', '[\"clip\"]')"), '1', 'the next one is recorded');

# Names and levels beyond ASCII in a database of another encoding.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION mlplat');
my $latin = q{
SET client_encoding = 'UTF8';
SELECT cells_changed, fitted FROM mlplat.clean($q$SELECT unnest('{é,é,ü,  ß}'::text[]) AS "größe", 1 AS "ñ"$q$, 'latin', '[{"map": {"columns": "größe", "values": {"ü": "é"}}}, "normalize", {"group_rare": {"columns": "größe", "min_count": 2, "other": "ø"}}, "drop_constant", {"filter": "\"größe\" <> ''x''"}]');
SELECT cells_changed, fitted FROM mlplat.apply_cleaning('latin', $q$SELECT unnest('{é,å}'::text[]) AS "größe"$q$, 'latin2');
SELECT string_agg("größe", ',') FROM latin2};
is($node->safe_psql('latin', $latin), qq{1|
0|
1|{"größe": ["é"]}
0|{"dropped": ["ñ"]}
0|
0|
0|
1|{"größe": ["é"]}
0|{"dropped": ["ñ"]}
0|
é,ø}, 'LATIN1');

$node->stop;
done_testing();
