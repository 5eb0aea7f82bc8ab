# Splits elsewhere: in databases of other encodings, in parallel workers, after a dump and restore.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('split');

# ---- one key, one hash, whatever the encoding of the database

my $keys = q{
SET client_encoding = 'UTF8';
CREATE TYPE place AS ENUM ('Zürich', 'Århus');
SELECT mlplat.fold_of('Zürich'::text, 1000000), mlplat.fold_of('Zürich'::char(20), 1000000), mlplat.fold_of('Århus'::name, 1000000),
    mlplat.fold_of('Århus'::place, 1000000), mlplat.fold_of(ARRAY['é', 'ü'], 1000000), mlplat.fold_of(ROW('é'::text, 1), 1000000),
    mlplat.fold_of(repeat('ü', 3000), 1000000), mlplat.fold_of('plain'::text, 1000000);
};
my $utf8 = $node->safe_psql('postgres', $keys);

like($utf8, qr/^\d+(\|\d+){7}$/, 'hashes of text');
for my $encoding ('LATIN1', 'WIN1252', 'LATIN9')
{
	$node->safe_psql('postgres', "CREATE DATABASE \"db_$encoding\" ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	$node->safe_psql("db_$encoding", 'CREATE EXTENSION mlplat');
	is($node->safe_psql("db_$encoding", $keys), $utf8, "$encoding: the same");
}

# ---- parallel workers

$node->safe_psql('postgres', q{
CREATE ROLE ann;
GRANT CREATE ON SCHEMA public TO ann;
GRANT USAGE ON SCHEMA mlplat TO ann;
CREATE TABLE visits (id int PRIMARY KEY, "Who" text, at timestamptz, span interval, weight float8, class text);
INSERT INTO visits SELECT i, 'who ' || i % 997, '2024-01-01'::timestamptz + i * interval '1 minute', i * interval '-1 hour 3 seconds', i / 7.0::float8,
    CASE WHEN i % 100 = 0 THEN 'it''s \\ rare' WHEN i % 7 > 0 THEN 'b' END FROM generate_series(1, 50000) AS i;
GRANT SELECT ON visits TO ann;
ANALYZE visits;
});
my $sums = q{SELECT sum(mlplat.fold_of(ROW(id, "Who", at), 1000)), sum(mlplat.fold_of(ARRAY["Who", class], 1000)), sum(mlplat.part_of(visits."Who", '{0.3,0.7}')) FROM visits};
my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';

like($node->safe_psql('postgres', "$parallel EXPLAIN $sums"), qr/Workers Planned/, 'a parallel plan');
is($node->safe_psql('postgres', "$parallel $sums"), $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $sums"), 'parallel: the same');

# ---- dump and restore

$node->safe_psql('postgres', q{
SET ROLE ann;
SELECT mlplat.split_table('visits');
SELECT mlplat.split_table('visits', '{0.6,0.2,0.1}', stratify => 'class', name => '"strata 1"');
SELECT mlplat.split_table('visits', group_by => 'Who', name => 'by_who');
SELECT mlplat.split_table('visits', order_by => 'at', name => 'by_time');
SELECT mlplat.split_table('visits', order_by => 'span', name => 'by_span');
SELECT mlplat.split_table('visits', order_by => 'weight', name => 'by_weight');
SELECT mlplat.split_table('visits', '{0.5,0.5}', key => '{at,Who}', stratify => 'class', kind => 'table', name => 'kept', seed => -3);
});
my $parts = q{SELECT string_agg(format('%s %s %s %s', relname, relkind, pg_get_userbyid(relowner), obj_description(oid)) || ' ' ||
    (xpath('/row/h/text()', query_to_xml(format('SELECT count(*) || '' '' || md5(string_agg(id::text, '' '' ORDER BY id)) AS h FROM %I', relname), false, true, '')))[1]::text, E'\n' ORDER BY relname)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'r') AND relname <> 'visits'};
my $before = $node->safe_psql('postgres', $parts);

is(scalar(split /\n/, $before), 15, 'all parts');
my $dump = $PostgreSQL::Test::Utils::tmp_check . '/split.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->safe_psql('postgres', q{ALTER DATABASE restored SET datestyle = 'SQL, DMY'; ALTER DATABASE restored SET timezone = 'Asia/Kathmandu'; ALTER DATABASE restored SET intervalstyle = 'sql_standard'; ALTER DATABASE restored SET extra_float_digits = 0});
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), $dump ], 'restore');
is($node->safe_psql('restored', $parts), $before, 'the same rows in all parts');
is($node->safe_psql('restored', "SELECT count(*) FROM mlplat.split_table('visits', replace => true)"), '2', 'split anew');

# ---- equal values of a collation that ignores case have different hashes

SKIP:
{
	skip 'no ICU', 1 if $node->psql('postgres', q{CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)}) != 0;
	$node->safe_psql('postgres', 'CREATE TABLE cases (name text COLLATE nocase)');
	my ($status, $out, $err) = $node->psql('postgres', q{SELECT mlplat.split_table('cases', group_by => 'name')});
	like($err, qr/cannot split by column "name", whose collation is not deterministic/, 'refused');
}

# ---- a view reads with the rights and the row security of its reader

SKIP:
{
	skip 'before 15, a view reads with the rights of its owner', 2 if $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;
	$node->safe_psql('postgres', q{
CREATE ROLE bob;
CREATE TABLE mine AS SELECT i AS id, (ARRAY['ann', 'bob'])[1 + i % 2] AS who FROM generate_series(1, 100) AS i;
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON mine USING (who = current_user);
GRANT SELECT ON mine TO ann;
SET ROLE ann;
SELECT mlplat.split_table('mine', key => '{id}');
GRANT SELECT ON mine_train TO bob;
});
	my ($status, $out, $err) = $node->psql('postgres', 'SET ROLE bob; SELECT count(*) FROM mine_train');
	like($err, qr/permission denied for table mine/, 'no rights on the table, no rows');
	is($node->safe_psql('postgres', 'GRANT SELECT ON mine TO bob; SET ROLE bob; SELECT DISTINCT who FROM mine_train'), 'bob', 'own rows only');
}

# ---- Ctrl-C leaves nothing

$node->safe_psql('postgres', q{CREATE VIEW slow AS SELECT i AS id, pg_sleep(0.01)::text AS s FROM generate_series(1, 100000) AS i});
my ($status, $out, $err) = $node->psql('postgres', q{SET statement_timeout = '500ms'; SELECT mlplat.split_table('slow', key => '{s}', kind => 'table')});
like($err, qr/canceling statement due to statement timeout/, 'canceled');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'slow\__%'}), '0', 'nothing is left');

$node->stop;
done_testing();
