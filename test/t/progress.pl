# training_progress: another session watches a training; others' are not seen; ended ones are gone.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('progress', shared_preload_libraries => 'mlplat');

$node->safe_psql('postgres', q{
CREATE ROLE owner LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE member LOGIN; CREATE ROLE watcher LOGIN;
GRANT owner TO member; GRANT pg_read_all_stats TO watcher;
CREATE UNLOGGED TABLE big AS
SELECT random() AS x1, random() AS x2, random() AS x3, random() > 0.5 AS flag FROM generate_series(1, 200000) i;
GRANT SELECT ON big TO PUBLIC;
});
is($node->safe_psql('postgres', 'SELECT count(*) FROM mlplat.training_progress'), '0', 'nobody trains');

my $training = q{SET ROLE owner; SELECT mlplat.create_model('watched', 'TABLE big', 'flag', 'gbdt', '{"n_trees": 100000, "early_stopping": 0}')};
my $job = start_background($node, $training);

ok($node->poll_query_until('postgres', q{
	SELECT count(*) = 1 FROM mlplat.training_progress
	WHERE usename = 'owner' AND datname = 'postgres' AND model = 'watched' AND algorithm = 'gbdt' AND phase = 'fitting'
	AND rows_read = 200000 AND iteration > 1 AND of = 100000 AND loss > 0
	AND started < clock_timestamp() AND elapsed > '0' AND remaining > elapsed}), 'a training is seen while it fits');
is($node->safe_psql('postgres', q{SELECT count(*) FROM mlplat.training_progress p JOIN pg_stat_activity a USING (pid) WHERE a.state = 'active'}),
	'1', 'the pid is that of the session');
my $at = $node->safe_psql('postgres', 'SELECT iteration FROM mlplat.training_progress');
ok($node->poll_query_until('postgres', "SELECT iteration > $at FROM mlplat.training_progress"), 'it goes on');
for my $seen ([ 'owner', 1 ], [ 'member', 1 ], [ 'watcher', 1 ], [ 'stranger', 0 ])
{
	is($node->safe_psql('postgres', "SET ROLE $seen->[0]; SELECT count(*) FROM mlplat.training_progress"),
		$seen->[1], "$seen->[0] sees $seen->[1]");
}

# In another database, too.
$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$node->safe_psql('elsewhere', 'CREATE EXTENSION mlplat');
is($node->safe_psql('elsewhere', 'SELECT datname, model FROM mlplat.training_progress'), 'postgres|watched', 'seen from another database');

# However it ends, it is gone.
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM mlplat.training_progress');
like(finish_background($job), qr/canceling statement/, 'canceled');
is($node->safe_psql('postgres', 'SELECT count(*) FROM mlplat.training_progress'), '0', 'gone after a cancel');
$job = start_background($node, $training);
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM mlplat.training_progress');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM mlplat.training_progress');
finish_background($job);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM mlplat.training_progress'), 'gone after the end of its session');
is($node->safe_psql('postgres', q{
	SELECT mlplat.create_model('done', 'TABLE big', 'flag', 'gbdt', '{"n_trees": 2}') IS NOT NULL;
	SELECT count(*) FROM mlplat.training_progress}), "t\n0", 'gone after a success, in its own session');

# Failing in the middle of a transaction, under a savepoint.
is($node->safe_psql('postgres', q{
	BEGIN;
	DO $$ BEGIN PERFORM mlplat.create_model('bad', 'SELECT x1, 1 / (x2 * 0)::int AS y FROM big', 'y', 'linear'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
	SELECT count(*) FROM mlplat.training_progress;
	COMMIT}), '0', 'gone after an error that was caught');

# An aggregate is seen while it fits, without a name.
$job = start_background($node, q{SELECT length(mlplat.train(b, 'flag', '{"algorithm": "gbdt", "n_trees": 100000, "early_stopping": 0}')) FROM big b});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mlplat.training_progress WHERE model IS NULL AND phase = 'fitting'}), 'an aggregate is seen');

# The server crashes: nothing is left.
$node->stop('immediate');
finish_background($job);
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM mlplat.training_progress'), '0', 'nothing is left after a crash');

# Not preloaded: the view is there, and empty, also while a training runs.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;
$job = start_background($node, $training);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SET ROLE owner%'});
is($node->safe_psql('postgres', 'SELECT count(*) FROM mlplat.training_progress, pg_sleep(0.5)'), '0', 'not preloaded: empty');
$node->stop('immediate');
finish_background($job);
done_testing();
