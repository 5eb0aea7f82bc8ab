# A session may predict and train for ever: its memory does not grow, its cache keeps to its limit.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('memory');

plan skip_all => 'the system does not tell the memory of a process' unless defined resident_kb($$);

$node->safe_psql('postgres', q{
CREATE TABLE t AS SELECT i AS id, (i % 37)::float8 AS x, (i % 11)::float8 AS z, 'level ' || i % 7 AS c, (i % 37 * 2 + i % 11)::float8 AS y, i % 37 > 18 AS flag FROM generate_series(1, 2000) i;
SELECT mlplat.create_model('linear', 'SELECT x, z, c, y FROM t', 'y', 'linear', holdout => 0);
SELECT mlplat.create_model('boosted', 'SELECT x, z, c, flag FROM t', 'flag', 'gbdt', '{"n_trees": 20}', holdout => 0);
CREATE FUNCTION resident_kb() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT (regexp_match(pg_read_file('/proc/self/status', 0, 10000), 'VmRSS:\s+(\d+)'))[1]::int $$;
-- how much the session grows from the first fifth of the rounds to the end
CREATE FUNCTION growth_kb(rounds int, work text, error text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE early int;
BEGIN
    FOR i IN 1..rounds LOOP
        BEGIN
            EXECUTE work USING i;
            IF error <> '' THEN RAISE 'no error' USING ERRCODE = 'ZZZZZ'; END IF;
        EXCEPTION WHEN OTHERS THEN IF sqlstate <> error THEN RAISE; END IF;
        END;
        IF i = greatest(rounds / 5, 1) THEN early := resident_kb(); END IF;
    END LOOP;
    RETURN resident_kb() - early;
END $$;
});

# stays(WHAT, ROUNDS, WORK, SQLSTATE that each round must end in, SETTING)
sub stays
{
	my ($what, $rounds, $work, $error, $setting) = @_;

	$error //= '';
	my $growth = $node->safe_psql('postgres',
		($setting ? "SET $setting;\n" : '') . "SELECT growth_kb($rounds, \$work\$$work\$work\$, '$error')");

	cmp_ok($growth, '<', 4000, "$what: memory stays") or diag("grew by $growth kB");
}

# one expression, many rows
stays('100,000 predictions in a loop', 5, q{DO $$
DECLARE s t; p float8;
BEGIN
    SELECT * INTO s FROM t WHERE id = 7;
    FOR i IN 1..20000 LOOP p := mlplat.predict('linear', s) + mlplat.predict('boosted', to_jsonb(s)); END LOOP;
END $$});
# a new statement for each
stays('statements', 3000, q{SELECT mlplat.predict('linear', t), mlplat.predict_class('boosted', t) FROM t WHERE id = $1});
# two names by turns in one expression
stays('changing names', 5, q{DO $$
DECLARE s t; p float8;
BEGIN
    SELECT * INTO s FROM t WHERE id = 7;
    FOR i IN 1..20000 LOOP p := mlplat.predict(CASE i % 3 WHEN 0 THEN 'linear' WHEN 1 THEN 'boosted' ELSE 'linear@1' END, s); END LOOP;
END $$});
# the registry changes all the time
stays('promotions', 400, q{DO $$ BEGIN PERFORM mlplat.predict('linear', t) FROM t WHERE id = 1; UPDATE mlplat.registry SET active_history = active_history; END $$});
# trainings, good and bad
stays('200 trainings', 200, q{DO $$ BEGIN
    PERFORM mlplat.create_model('linear', 'SELECT x, z, y FROM t', 'y', 'linear', holdout => 0);
    PERFORM mlplat.create_model('boosted', 'SELECT x, z, c, flag FROM t', 'flag', 'gbdt', '{"n_trees": 5}');
    RAISE 'back'; END $$}, 'P0001');
stays('trainings that spill', 30, q{DO $$ BEGIN
    PERFORM mlplat.create_model('spilt', 'SELECT x, z, c, flag FROM t, generate_series(1, 30)', 'flag', 'gbdt', '{"n_trees": 2}'); RAISE 'back'; END $$},
	'P0001', "mlplat.training_memory = '1MB'");
stays('bad trainings', 500, q{SELECT mlplat.create_model('bad', 'SELECT x, z, CASE WHEN id < 1900 THEN y ELSE ''infinity'' END AS y FROM t ORDER BY id', 'y', 'gbdt')}, '22000');
stays('bad options', 2000, q{SELECT mlplat.create_model('bad', 'SELECT x, y FROM t', 'y', 'linear', '{"lllll": 1}')}, '22023');
stays('bad images', 1000, q{SELECT mlplat.predict(set_byte(image, 300 + $1 % 500, (get_byte(image, 300 + $1 % 500) + 1) % 256), t) FROM t, mlplat.version WHERE id = 1 AND version = 1}, 'XX001');
stays('models of many groups', 10, q{SELECT count(image) FROM (SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') AS image FROM (SELECT id % 500 AS g, x, z, y FROM t) s GROUP BY g) m});
stays('window frames', 3, q{SELECT count(p) FROM (SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') OVER (ORDER BY s.id) AS p FROM (SELECT id, x, z, y FROM t WHERE id <= 300) s) w});
stays('reports', 100, q{SELECT length(mlplat.report('boosted'))});
stays('states', 300, q{SELECT length(mlplat.finish(mlplat.merge(s))) FROM (SELECT mlplat.train_state(y, ARRAY[x, z], '{"algorithm": "linear"}') AS s FROM t GROUP BY id % 10) p});
stays('profiles', 200, q{SELECT count(*) FROM mlplat.profile('TABLE t', 'c'), mlplat.correlations('SELECT x, nullif(z, 3) AS z, flag FROM t')});
stays('bad profiles', 300, q{SELECT count(*) FROM mlplat.profile('SELECT *, 1 / (id - 1999) FROM t', 'c')}, '22012');
stays('the extension made anew', 20, q{DO $$ BEGIN DROP EXTENSION mlplat; CREATE EXTENSION mlplat;
    PERFORM mlplat.create_model('again', 'SELECT x, y FROM t', 'y', 'linear', holdout => 0); PERFORM mlplat.predict('again', t) FROM t WHERE id = 1; RAISE 'back'; END $$}, 'P0001');

# a model for each of 1,000 groups, by name and by image: right, and decoded once each
$node->safe_psql('postgres', q{
CREATE TABLE product AS SELECT g, x::float8, (g * x + 1)::float8 AS y FROM generate_series(1, 1000) g, generate_series(1, 5) x;
CREATE TABLE per_group AS SELECT g, mlplat.train(y, ARRAY[x], '{"algorithm": "linear"}') AS image FROM product GROUP BY g;
SELECT count(mlplat.save_model('group ' || g, image)) FROM per_group;
});
for my $model ("'group ' || p.g", 'm.image')
{
	is($node->safe_psql('postgres', qq{
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT mlplat.predict($model, ARRAY[p.x]) AS predicted, p.y FROM (SELECT * FROM product ORDER BY x, g) p JOIN per_group m USING (g);
CREATE TEMP TABLE result (rows int, far int);
DO \$\$
DECLARE c refcursor := 'c'; predicted float8; y float8; n int := 0; far int := 0;
BEGIN
    LOOP
        FETCH c INTO predicted, y;
        EXIT WHEN NOT FOUND;
        n := n + 1;
        far := far + (abs(predicted - y) > 1e-6)::int;
    END LOOP;
    INSERT INTO result VALUES (n, far);
END \$\$;
SELECT rows, far, (SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'mlplat model') FROM result;
ROLLBACK;
}), '5000|0|1000', "a model a group by $model: right, and decoded once each");
}

# the cache keeps to its limit, unless models are in use
for my $limit (64, 500, 10000)
{
	my $bytes = $node->safe_psql('postgres', qq{
SET mlplat.cache_memory = '${limit}kB';
SELECT count(mlplat.predict('group ' || g, ARRAY[x])) > 0 FROM product \\g /dev/null
SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts WHERE name = 'mlplat model';
});
	cmp_ok($bytes, '<=', $limit * 1024, "a cache of $limit kB keeps to it");
}
my $kept = $node->safe_psql('postgres', q{
SELECT count(mlplat.predict('group ' || g, ARRAY[x])) FROM product \g /dev/null
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'mlplat model';
});
is($kept, '1000', 'models that fit stay from statement to statement');
$node->stop;
done_testing();
