# pg_dump and restore: models, versions, owners and runs come along, and new versions can be added.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');

$node->safe_psql('postgres', q{
CREATE ROLE ann;
GRANT CREATE ON SCHEMA public TO ann;
CREATE TABLE t AS SELECT i AS id, (i % 37)::float8 AS x, 'level ' || i % 7 AS c, (i % 37 * 2 + i % 7)::float8 AS y, i % 37 > 18 AS flag FROM generate_series(1, 2000) i;
GRANT SELECT ON t TO ann;
SELECT mlplat.create_model('linear', 'SELECT x, c, y FROM t', 'y', 'linear');
SELECT mlplat.create_model('linear', 'SELECT x, y FROM t', 'y', 'linear', promote => 'always');
SELECT mlplat.create_model('emoji 🚀 "q"', 'SELECT x, c, flag FROM t', 'flag', 'gbdt', '{"n_trees": 20}');
SELECT mlplat.evaluate_model('linear@1', 'SELECT x, c, y FROM t');
SELECT mlplat.create_model('searched', 'SELECT x, flag FROM t', 'flag', 'gbdt', '{"n_trees": 5}', folds => 2, search => '{"max_leaves": [2, 4]}');
SELECT mlplat.drop_model('searched');
SELECT mlplat.drop_model('linear@1');
SELECT mlplat.create_source('rows', 'query', 'SELECT id, x FROM t', 'taken', '{"refresh": "append", "high_water": "id"}');
SELECT mlplat.refresh_source('rows');
SET ROLE ann;
SELECT mlplat.create_model('linear', 'SELECT c, y FROM t', 'y', 'linear', holdout => 0);
SELECT mlplat.create_source('rows', 'query', 'SELECT id, x FROM t', 'anns', '{"refresh": "upsert", "key": "id"}');
RESET ROLE;
-- objects that need a model while they are restored
SELECT format('CREATE TABLE generated (x float8, p float8 GENERATED ALWAYS AS (mlplat.predict(%L::bytea, ARRAY[x])) STORED)', v.image)
  FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = 'linear' AND r.owner = 'postgres' \gexec
INSERT INTO generated SELECT x FROM t WHERE id < 100;
SELECT format('CREATE INDEX predicted ON generated (mlplat.predict(%L::bytea, ROW(x)))', v.image)
  FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = 'linear' AND r.owner = 'postgres' \gexec
CREATE VIEW scored AS SELECT t.id, mlplat.predict('linear', t) AS p, mlplat.predict_class('emoji 🚀 "q"', t) AS c FROM t;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM scored;
CREATE TABLE states AS SELECT id % 3 AS part, mlplat.train_state(y, ARRAY[x], '{"algorithm": "linear"}') AS state FROM t GROUP BY 1;
});

my %question = (
	'predictions' => q{SELECT md5(string_agg(concat_ws(' ', p, c), ';' ORDER BY id)) FROM scored},
	'what a materialized view keeps' => q{SELECT md5(string_agg(concat_ws(' ', p, c), ';' ORDER BY id)) FROM kept},
	'generated columns' => q{SELECT md5(string_agg(p::text, ';' ORDER BY x, p)) FROM generated},
	'states' => q{SELECT md5(mlplat.finish(mlplat.merge(state ORDER BY part))) FROM states},
	'models' => q{SELECT string_agg(m::text, E'\n' ORDER BY name, owner) FROM mlplat.models m},
	'versions' => q{SELECT string_agg(concat_ws(' ', name, owner, version, active, metric, score, params, query, created_at), E'\n' ORDER BY name, owner, version) FROM mlplat.model_versions},
	'runs' => q{SELECT string_agg(r::text, E'\n' ORDER BY run_id) FROM mlplat.runs r},
	'evaluations' => q{SELECT string_agg(e::text, E'\n' ORDER BY model, owner, version, evaluation_id) FROM mlplat.evaluations e},
	'trials' => q{SELECT string_agg(t::text, E'\n' ORDER BY run_id, trial) FROM mlplat.trials t},
	'sources' => q{SELECT string_agg(s::text, E'\n' ORDER BY name, owner) FROM mlplat.sources s},
	'ids' => q{SELECT string_agg(concat_ws(' ', model_id, version_id), ';' ORDER BY version_id) FROM mlplat.version},
	'rights' => q{SELECT string_agg(concat_ws(' ', relname, relacl, relrowsecurity), E'\n' ORDER BY relname) FROM pg_class WHERE relnamespace = 'mlplat'::regnamespace AND relkind IN ('r', 'v')},
	'policies' => q{SELECT string_agg(concat_ws(' ', tablename, policyname, qual), E'\n' ORDER BY tablename, policyname) FROM pg_policies WHERE schemaname = 'mlplat'},
	'schema' => q{SELECT concat_ws(' ', nspacl, obj_description(oid)) FROM pg_namespace WHERE nspname = 'mlplat'},
);

my $dump = $PostgreSQL::Test::Utils::tmp_check . '/mlplat.dump';

for my $format ('plain', 'custom', 'custom in parallel')
{
	my $db = 'restored_' . join '_', split / /, $format;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], "$format: dump");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'pg_dump', '-f', "$dump.sql", $node->connstr('postgres') ], 'plain: dump as text');
		$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), '-f', "$dump.sql" ], 'plain: restore');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-e', ($format =~ /parallel/ ? ('-j', '3') : ()), '-d', $node->connstr($db), $dump ], "$format: restore");
	}
	for my $what (sort keys %question)
	{
		is($node->safe_psql($db, $question{$what}), $node->safe_psql('postgres', $question{$what}), "$format: $what");
	}
	is($node->safe_psql($db, "SET enable_seqscan = off; SELECT count(*) FROM generated WHERE p > 20"), $node->safe_psql('postgres', "SELECT count(*) FROM generated WHERE p > 20"), "$format: index");
	is($node->safe_psql($db, "SELECT version FROM mlplat.create_model('linear', 'SELECT x, c, y FROM t', 'y', 'linear')"), '3', "$format: the next version");
	is($node->safe_psql($db, "SELECT version FROM mlplat.create_model('another', 'SELECT x, y FROM t', 'y', 'linear')"), '1', "$format: the next model");
	is($node->safe_psql($db, "SET ROLE ann; SELECT string_agg(name || ' ' || owner, ',') FROM mlplat.models"), 'linear ann', "$format: owners");
	is($node->safe_psql($db, "SET ROLE ann; SELECT version FROM mlplat.create_model('linear', 'SELECT x, c, y FROM t', 'y', 'linear')"), '2', "$format: the owner's next version");
	is($node->safe_psql($db, "INSERT INTO t (id, x) VALUES (2001, 1); SELECT rows_loaded FROM mlplat.refresh_source('rows')"), '1', "$format: a source goes on from its mark");
	is($node->safe_psql($db, "SET ROLE ann; SELECT rows_loaded FROM mlplat.refresh_source('rows')"), '2001', "$format: the source of another");
	$node->safe_psql($db, 'REFRESH MATERIALIZED VIEW kept; DROP EXTENSION mlplat CASCADE');
	is($node->safe_psql($db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'mlplat'"), '0', "$format: dropped whole");
}

$node->stop;
done_testing();
