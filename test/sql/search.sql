-- Searches of create_model: grid, random and halving; the view of trials; what is refused.
\set SHOW_CONTEXT never
CREATE SCHEMA searched;
SET search_path = searched;

CREATE TABLE part AS
SELECT i AS id, i % 83 AS x, (i * 7919) % 101 AS z, 'kind ' || i % 4 AS kind,
       abs((i % 83) - 40) + 20 * (i % 4) + ((i * 7919) % 101) / 25.0 + (i * 104729 % 97) / 20.0 AS y,
       (i % 83) * 2 + (i * 104729 % 97) > 120 AS late
FROM generate_series(0, 2999) i;

-- a grid: every combination, in order
SELECT algorithm, rows, metric, active FROM mlplat.create_model('grid', 'TABLE part', 'y', 'gbdt', '{"n_trees": 20}',
    exclude => '{id,late}', folds => 3, search => '{"max_leaves": [2, 16], "learning_rate": [0.01, 0.1, 0.3]}');
SELECT trial, params, cardinality(fold_scores) AS folds, share, rank IS NOT NULL AS ranked, error FROM mlplat.trials
WHERE model = 'grid' ORDER BY trial;
-- ranks follow the scores; the best is chosen, and is what the model was trained with
SELECT bool_and(by_score = rank) AS ranked_by_score, count(*) FILTER (WHERE chosen) AS chosen, min(rank) FILTER (WHERE chosen) AS rank
FROM (SELECT rank, chosen, rank() OVER (ORDER BY score) AS by_score FROM mlplat.trials WHERE model = 'grid') t;
SELECT params FROM mlplat.trials WHERE model = 'grid' AND chosen;
SELECT mlplat.model_info('grid') #>> '{params,max_leaves}' AS max_leaves, mlplat.model_info('grid') #>> '{params,learning_rate}' AS learning_rate,
       mlplat.model_info('grid') #>> '{params,n_trees}' AS n_trees, mlplat.model_info('grid') #>> '{validation,trials}' AS trials;
-- the same as a training with these parameters alone
SELECT algorithm FROM mlplat.create_model('alone', 'TABLE part', 'y', 'gbdt', '{"n_trees": 20, "max_leaves": 16, "learning_rate": 0.3}',
    exclude => '{id,late}');
SELECT abs(a.score - b.score) < 1e-9 AS same_score FROM mlplat.models a, mlplat.models b WHERE a.name = 'grid' AND b.name = 'alone';
SELECT max(abs(mlplat.predict('grid', p) - mlplat.predict('alone', p))) = 0 AS same_model FROM part p;

-- at random: within ranges, readable, the same for the same seed, on one inner hold-out where no folds are asked for
SELECT algorithm, metric FROM mlplat.create_model('random', 'TABLE part', 'late', 'gbdt', '{"n_trees": 10}', exclude => '{id,y}',
    search => '{"n_trials": 6, "max_leaves": {"min": 4, "max": 40}, "learning_rate": {"min": 0.05, "max": 0.5, "log": true}, "subsample": [0.7, 1]}');
SELECT count(*), count(DISTINCT params) AS different, bool_and(cardinality(fold_scores) = 1 AND stddev IS NULL) AS one_hold_out,
       bool_and((params ->> 'max_leaves')::int BETWEEN 4 AND 40 AND (params ->> 'learning_rate')::float8 BETWEEN 0.05 AND 0.5) AS in_range,
       max(length(params ->> 'learning_rate')) <= 7 AS readable
FROM mlplat.trials WHERE model = 'random';
SELECT version FROM mlplat.create_model('random', 'TABLE part', 'late', 'gbdt', '{"n_trees": 10}', exclude => '{id,y}',
    search => '{"n_trials": 6, "max_leaves": {"min": 4, "max": 40}, "learning_rate": {"min": 0.05, "max": 0.5, "log": true}, "subsample": [0.7, 1]}');
SELECT count(*) AS trials, bool_and(a.params = b.params AND a.score = b.score AND a.rank = b.rank) AS same
FROM mlplat.trials a JOIN mlplat.trials b USING (model, trial) WHERE model = 'random' AND a.version = 1 AND b.version = 2;
SELECT count(DISTINCT image) AS images FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'random';
-- whatever the threads
SET mlplat.threads = 1;
SELECT version FROM mlplat.create_model('random', 'TABLE part', 'late', 'gbdt', '{"n_trees": 10}', exclude => '{id,y}',
    search => '{"n_trials": 6, "max_leaves": {"min": 4, "max": 40}, "learning_rate": {"min": 0.05, "max": 0.5, "log": true}, "subsample": [0.7, 1]}');
RESET mlplat.threads;
SELECT count(DISTINCT image) AS images FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'random';
SELECT version FROM mlplat.create_model('random', 'TABLE part', 'late', 'gbdt', '{"n_trees": 10}', exclude => '{id,y}', seed => 9,
    search => '{"n_trials": 6, "max_leaves": {"min": 4, "max": 40}, "learning_rate": {"min": 0.05, "max": 0.5, "log": true}, "subsample": [0.7, 1]}');
SELECT bool_or(a.params = b.params) AS other_seed_same FROM mlplat.trials a JOIN mlplat.trials b USING (model, trial)
WHERE model = 'random' AND a.version = 1 AND b.version = 4;
-- no more trials than there are combinations; a metric of choice
SELECT score > 0.5 AS scored FROM mlplat.create_model('few', 'TABLE part', 'late', 'gbdt', '{"n_trees": 5}', exclude => '{id,y}', folds => 2, metric => 'roc_auc',
    search => '{"method": "random", "n_trials": 50, "max_leaves": [2, 4, 8]}');
SELECT count(*), (array_agg(rank ORDER BY score DESC))[1] AS greatest_is_first FROM mlplat.trials WHERE model = 'few';

-- halving: all on a ninth of the rows, a third of them on a third, the best on all
SELECT algorithm FROM mlplat.create_model('halving', 'SELECT p.* FROM part p, generate_series(1, 3)', 'y', 'gbdt', '{"n_trees": 10}', exclude => '{id,late}', folds => 2,
    search => '{"method": "halving", "n_trials": 9, "max_leaves": {"min": 2, "max": 60}, "learning_rate": {"min": 0.01, "max": 0.5, "log": true}}');
SELECT round(share::numeric, 3) AS share, count(*), min(rank) AS best_rank, bool_or(chosen) AS chosen FROM mlplat.trials WHERE model = 'halving'
GROUP BY 1 ORDER BY 1;

-- a trial that fails is told, and does not matter
SELECT algorithm, metric FROM mlplat.create_model('failing', 'SELECT x, y - 50 AS y FROM part', 'y', 'gbdt', '{"n_trees": 5}', folds => 2,
    search => '{"objective": ["poisson", "squared"]}');
SELECT trial, params ->> 'objective' AS objective, score IS NULL AS no_score, fold_scores IS NULL AS no_folds, rank, chosen, error
FROM mlplat.trials WHERE model = 'failing' ORDER BY trial;

-- with a budget of time there is always a result; what was not done says so
SELECT algorithm FROM mlplat.create_model('hurried', 'TABLE part', 'late', 'gbdt', exclude => '{id,y}', folds => 3, time_budget => 0.000001,
    search => '{"n_trials": 5, "max_leaves": {"min": 4, "max": 40}}');
SELECT trial, rank, chosen, error FROM mlplat.trials WHERE model = 'hurried' ORDER BY trial;
SELECT algorithm FROM mlplat.create_model('leisurely', 'TABLE part', 'y', 'linear', exclude => '{id,late}', folds => 3, time_budget => 1000);
SELECT count(*) FROM mlplat.trials WHERE model = 'leisurely' AND chosen;

-- the options are in the run
SELECT options FROM mlplat.runs WHERE model = 'few';

-- ---------------------------------------------------------------- what is refused
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"max_leafs": [1, 2]}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"max_leaves": [15, 1]}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"max_leaves": []}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"max_leaves": 15}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '[]');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"max_leaves": {"min": 40, "max": 4}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"learning_rate": {"min": 0, "max": 0.3, "log": true}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"l2": {"min": 0, "max": 3, "log": true}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"learning_rate": {"min": 0.1, "max": 0.3, "steps": 3}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"method": "grid", "l2": {"min": 0, "max": 3}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"method": "bayesian", "max_leaves": [3]}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"n_trials": 100000, "max_leaves": {"min": 3, "max": 9}}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', search => '{"seed": [1, 2]}');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', time_budget => 0);
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', time_budget => -1);
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', time_budget => 'NaN');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', time_budget => 'Infinity');
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', time_budget => 5);
SELECT mlplat.create_model('bad', 'SELECT 1 AS x, 2 AS y', 'y', 'gbdt', search => '{"max_leaves": [3, 4]}', holdout => 0);
SELECT mlplat.create_model('bad', 'TABLE part', 'y', 'gbdt', continue_from => 'alone', exclude => '{id,late}', folds => 3);
-- all fail: the first one's reason
SELECT mlplat.create_model('bad', 'SELECT x, y - 50 AS y FROM part', 'y', 'gbdt', folds => 2, search => '{"objective": ["poisson"], "max_leaves": [3, 4]}');

-- ---------------------------------------------------------------- trials belong to their owner, and to their run
CREATE ROLE regress_ml_searcher;
SET ROLE regress_ml_searcher;
SELECT count(*) FROM mlplat.trials;
SELECT count(*) FROM mlplat.trial;
INSERT INTO mlplat.trial (run_id, trial, algorithm, params, seconds, chosen) VALUES (1, 1000, 'x', '{}', 0, false);
UPDATE mlplat.trial SET score = 0;
SELECT algorithm FROM mlplat.create_model('own', 'SELECT i AS x, 2.0 * i AS y FROM generate_series(1, 100) i', 'y', 'linear', folds => 2);
SELECT model, trial, chosen FROM mlplat.trials;
DELETE FROM mlplat.run;
SELECT count(*) FROM mlplat.trial;
SELECT mlplat.drop_model('own');
RESET ROLE;
SELECT count(*) > 0 AS others_are_left FROM mlplat.trials;
DROP ROLE regress_ml_searcher;
CREATE TABLE not_a_run (run_id bigint);
CREATE TRIGGER t BEFORE DELETE ON not_a_run FOR EACH ROW EXECUTE FUNCTION mlplat.run_deleted();
INSERT INTO not_a_run SELECT run_id FROM mlplat.runs;
DELETE FROM not_a_run;

SET client_min_messages = warning;
DROP SCHEMA searched CASCADE;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
SELECT count(*) AS trials_left FROM mlplat.trial;
