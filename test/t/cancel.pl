# Ctrl-C, statement_timeout and a lost server end any training soon, and leave nothing behind.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

# The server's just-in-time compiler does not hear a cancel while it compiles, some 300 ms for the longer queries here.
my $node = new_node('cancel', max_parallel_workers_per_gather => 1, jit => 'off');

$node->safe_psql('postgres', q{
CREATE UNLOGGED TABLE big AS
SELECT random() AS x1, random() AS x2, random() AS x3, random() AS x4, random() AS x5, (i % 1009)::int AS x6,
       'level ' || i % 50 AS c, random() > 0.5 AS flag, random() AS y, 'k' || i % 5 AS k FROM generate_series(1, 1000000) i;
CREATE UNLOGGED TABLE wide AS
SELECT ARRAY(SELECT random() FROM generate_series(1, 800) WHERE i = i) AS x, random() AS y FROM generate_series(1, 2000) i;
-- milliseconds from the cancel of the marked statement, some time after its start, to its end; -1: it had ended before
CREATE FUNCTION cancel_latency(wait float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE started timestamptz; victim int;
BEGIN
    FOR i IN 1..5000 LOOP
        SELECT pid INTO victim FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%/*victim*/%' AND pid <> pg_backend_pid() AND leader_pid IS NULL;
        EXIT WHEN victim IS NOT NULL;
        PERFORM pg_sleep(0.002), pg_stat_clear_snapshot();
    END LOOP;
    PERFORM pg_sleep(wait), pg_stat_clear_snapshot();
    IF NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim AND state = 'active') THEN RETURN -1; END IF;
    started := clock_timestamp();
    PERFORM pg_cancel_backend(victim);
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim AND state = 'active');
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN 1000 * extract(epoch FROM clock_timestamp() - started);
END $$;
});

# Cancel a training after several times, so that the query, the reading and the fitting all are hit.
sub cancels
{
	my ($what, $sql, @waits) = @_;
	my (@latencies, $said);

	for my $wait (@waits)
	{
		my $job = start_background($node, "/*victim*/ $sql");
		my $latency = $node->safe_psql('postgres', "SELECT cancel_latency($wait)");
		my $out = finish_background($job);

		# It was done before the cancel came, which a fast machine may well be.
		if ($latency < 0 || $out !~ /ERROR/)
		{
			$node->safe_psql('postgres', 'DELETE FROM mlplat.registry; DELETE FROM mlplat.run');
			next;
		}
		push @latencies, $latency;
		$said //= $out;
		$said = $out if $out !~ /canceling statement due to user request/;
	}
	SKIP:
	{
		skip "$what: was done before it could be canceled", 2 unless @latencies;
		like($said, qr/canceling statement due to user request/, "$what: says so");
		# The machine may be busy: the limit of 100 ms is one of the work between two polls.
		cmp_ok(median(@latencies), '<', 100, "$what: ends in time")
		  or diag("latencies: @latencies");
	}
}

sub create
{
	my ($target, $algorithm, $params, $rest) = @_;

	return "SELECT mlplat.create_model('canceled', 'SELECT * FROM big', '$target', '$algorithm', '$params'"
	  . ", exclude => (SELECT array_agg(c) FROM unnest('{flag,y,k}'::text[]) c WHERE c <> '$target')$rest)";
}

cancels('boosting', create('flag', 'gbdt', '{"n_trees": 5000}', ''), 0.05, 0.2, 0.5, 0.9, 1.3);
cancels('boosting, many classes', create('k', 'gbdt', '{"n_trees": 5000}', ''), 0.3, 0.7, 1.1);
cancels('clusters', q{SELECT mlplat.create_model('canceled', 'SELECT x1, x2, x3, x4 FROM big', NULL, 'kmeans', '{"n_clusters": 300, "tol": 0, "max_iter": 100000}')}, 0.1, 0.4, 0.8, 1.2);
cancels('components', q{SELECT mlplat.train(NULL, (SELECT array_agg(x1 * j + sin(x2 * j)) FROM generate_series(1, 300) j), '{"algorithm": "pca"}') FROM big}, 0.1, 0.4);
cancels('linear, streaming, in workers', create('y', 'linear', '{}', ', holdout => 0'), 0.02, 0.05, 0.1);
cancels('linear, collected', create('y', 'linear', '{}', ''), 0.02, 0.1, 0.2);
cancels('many columns', "SELECT length(mlplat.train(y, x, '{\"algorithm\": \"linear\", \"precision\": \"extended\"}')) FROM wide", 0.1, 0.4, 0.8);
cancels('a search, fits side by side', create('flag', 'gbdt', '{"n_trees": 500}', q{, folds => 5, search => '{"n_trials": 20, "max_leaves": {"min": 8, "max": 60}}'}), 0.2, 0.6, 1.1);
cancels('auto', create('flag', 'auto', '{}', ''), 0.2, 0.6, 1.1);
cancels('folds by group, and in order', create('flag', 'logistic', '{}', q{, folds => 20, order_by => 'x1'}), 0.1, 0.2, 0.4);
cancels('the query itself', "SELECT mlplat.create_model('canceled', 'SELECT pg_sleep(60)::text AS x, 1.0 AS y', 'y', 'linear')", 0.1, 0.2);
cancels('a slow query, streaming', "SELECT mlplat.create_model('canceled', 'SELECT count(*)::float8 AS x, 1.0 AS y FROM big a, big b', 'y', 'linear', holdout => 0)", 0.2);
cancels('a profile', "SELECT count(*) FROM mlplat.profile('SELECT b.* FROM big b, generate_series(1, 5)', 'k')", 0.1, 0.2, 0.3, 0.5, 0.7);
for my $gap ('', 'nullif')
{
	cancels("correlations of 800 columns $gap", "SELECT count(*) FROM mlplat.correlations((SELECT 'SELECT ' || string_agg(format('$gap(x[%s]" . ($gap ? ', x[1]' : '') . ") AS c%s', j, j), ', ') || ' FROM wide, generate_series(1, 20)' FROM generate_series(1, 800) AS j))", 0.3, 0.6, 1);
}
cancels('predictions', "SELECT sum(mlplat.predict(image, b)) FROM big b, (SELECT mlplat.train(s, 'y', '{\"algorithm\": \"gbdt\", \"n_trees\": 500, \"min_leaf_rows\": 1}') AS image FROM (SELECT x1, x2, x3, y FROM big LIMIT 3000) s) m", 0.5, 1);

$node->safe_psql('postgres', q{SELECT mlplat.save_model('inspected', mlplat.train(s, 'y', '{"algorithm": "gbdt", "n_trees": 500, "min_leaf_rows": 1}')) FROM (SELECT x1, x2, x3, x4, y FROM big LIMIT 3000) s});
cancels('permutation importance', "SELECT * FROM mlplat.permutation_importance('inspected', 'TABLE big')", 0.2, 1, 2, 3);
cancels('partial dependence', "SELECT * FROM mlplat.partial_dependence('inspected', 'TABLE big', 'x2', 50, '{0.1,0.5,0.9}')", 0.2, 1, 2, 3);
$node->safe_psql('postgres', "SELECT mlplat.drop_model('inspected')");
cancels('calibration', create('flag', 'gbdt', '{"n_trees": 50, "calibration": "isotonic", "threshold": "f1", "calibration_folds": 10}', ''), 0.7, 1, 1.5, 2, 3);

cancels('prepared columns', create('flag', 'prep', '{}', q{, prep => '{"*": {"power": "yeo_johnson", "scale": "robust", "clip": [0.01, 0.99], "impute": "median"}}'}), 0.2, 0.4, 0.6);
cancels('logistic, many classes', create('k', 'logistic', '{}', ''), 0.05, 0.2, 0.3);

# every algorithm and task, on numbers and many levels, while it reads and while it fits
$node->safe_psql('postgres', q{
CREATE UNLOGGED TABLE mixed AS
SELECT random() AS x1, random() AS x2, random() AS x3, random() AS x4, 'l' || (random() * 5000)::int AS c, random() AS y, 'k' || i % 3 AS k FROM generate_series(1, 200000) i});
my %target = (regression => 'y', classification => 'k');
my %more = (gbdt => '"n_trees": 5000', forest => '"n_trees": 1000', extra_trees => '"n_trees": 1000', isolation_forest => '"n_trees": 5000',
	mlp => '"max_iter": 1000', kmeans => '"n_clusters": 50');
for my $case (split /\n/, $node->safe_psql('postgres', "SELECT name, task FROM mlplat.algorithms, unnest(tasks) task"))
{
	my ($algorithm, $task) = split /\|/, $case;
	my $column = $target{$task};
	my $options = join ', ', "\"task\": \"$task\"", $more{$algorithm} // ();

	cancels("$algorithm, $task", "SELECT mlplat.create_model('canceled', 'SELECT x1, x2, x3, x4, c" . ($column ? ", $column" : '') . " FROM mixed', "
		. ($column ? "'$column'" : 'NULL') . ", '$algorithm', '{$options}')", 0.1, 0.2, 0.3, 0.7);
}

# statement_timeout, seen by psql's own clock
my ($out, $err);
my @over;
for my $timeout (100, 300, 600)
{
	my $sql = create('flag', 'gbdt', '{"n_trees": 5000}', '');

	$node->psql('postgres', "SET statement_timeout = $timeout;\n\\timing on\n$sql;", stdout => \$out, stderr => \$err,
		on_error_stop => 0);
	like($err, qr/canceling statement due to statement timeout/, "statement_timeout $timeout: says so");
	push @over, $1 - $timeout if $out =~ /Time: ([\d.]+) ms[^\n]*\s*\z/;
}
cmp_ok(median(@over), '<', 150, 'statement_timeout ends a training in time') or diag("over: @over");

# The connection goes while a training runs; so does the whole server.
my $job = start_background($node, "/*victim*/ " . create('flag', 'gbdt', '{"n_trees": 5000}', ''));
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%/*victim*/%' AND pid <> pg_backend_pid() AND state = 'active'");
is($node->safe_psql('postgres', "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%/*victim*/%' AND pid <> pg_backend_pid()"), 1, 'terminated');
like(finish_background($job), qr/terminating connection due to administrator command/, 'a terminated training says so');
$job = start_background($node, "SET mlplat.training_memory = '1MB'; /*victim*/ " . create('flag', 'gbdt', '{"n_trees": 5000}', ''));
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%/*victim*/%' AND pid <> pg_backend_pid() AND state = 'active'");
$node->safe_psql('postgres', 'SELECT pg_sleep(0.3)');
$node->stop('immediate');
finish_background($job);
$node->start;

is($node->safe_psql('postgres', "SELECT count(*) FROM mlplat.models"), '0', 'nothing was registered');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT outcome || ' ' || sqlstate, ', ') FROM mlplat.runs"), 'failed 57014', 'all runs are logged as canceled');
is(temporary_files($node), '0', 'no temporary files are left');
is($node->safe_psql('postgres', "SELECT rows FROM mlplat.create_model('after', 'SELECT x1, y FROM (VALUES (1, 2), (2, 4), (3, 6)) v(x1, y)', 'y', 'linear', holdout => 0)"),
	'3', 'the server trains on');
$node->stop;
done_testing();
