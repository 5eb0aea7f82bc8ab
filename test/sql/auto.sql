-- algorithm => 'auto' of create_model: compares algorithms, keeps the best.
\set SHOW_CONTEXT never
CREATE SCHEMA chosen;
SET search_path = chosen;

CREATE TABLE thing AS
SELECT i AS id, i % 83 AS x, (i * 7919) % 101 AS z, 'kind ' || i % 4 AS kind,
       3.0 * (i % 83) - 2 * ((i * 7919) % 101) + (i * 104729 % 97) / 10.0 AS straight,
       CASE WHEN i % 83 BETWEEN 20 AND 40 AND (i * 7919) % 101 > 50 THEN 100 ELSE 0 END + (i * 104729 % 97) / 10.0 AS stepped,
       CASE WHEN i % 83 BETWEEN 20 AND 40 OR (i * 7919) % 101 > 70 THEN 'in' ELSE 'out' END AS side,
       (i % 83) + (i * 104729 % 97) > 85 AS noisy
FROM generate_series(0, 399) i;

-- a straight line is for linear models, steps are for trees
SELECT algorithm IN ('linear', 'ridge') AS linear, task, rows, metric, score < 5 AS good, active
FROM mlplat.create_model('straight', 'SELECT x, z, kind, straight FROM thing', 'straight');
SELECT algorithm NOT IN ('linear', 'ridge') AS trees, task, rows, metric, score < 20 AS good, active
FROM mlplat.create_model('stepped', 'SELECT x, z, kind, stepped FROM thing', 'stepped', 'auto');
SELECT algorithm <> 'logistic' AS trees, task, metric, score < 0.3 AS good
FROM mlplat.create_model('side', 'SELECT x, z, kind, side FROM thing', 'side');
SELECT task, metric, score > 0.7 AS good
FROM mlplat.create_model('noisy', 'SELECT x, z, kind, noisy FROM thing', 'noisy', metric => 'roc_auc', folds => 2);
-- several algorithms were compared, on the same folds; the model is the best of them
SELECT model, count(*) > 3 AS several, count(DISTINCT algorithm) > 1 AS different, count(*) FILTER (WHERE chosen) AS chosen,
       min(cardinality(fold_scores)) AS folds, bool_or(error IS NOT NULL) AS errors
FROM mlplat.trials GROUP BY model ORDER BY model;
SELECT bool_and(t.algorithm = r.algorithm AND t.rank = 1) AS the_best FROM mlplat.trials t JOIN mlplat.runs r USING (run_id) WHERE t.chosen;
SELECT bool_and(algorithm = mlplat.model_info(name) ->> 'algorithm') AS as_told FROM mlplat.models;
SELECT bool_or(algorithm = 'linear') AS linear, bool_or(algorithm = 'logistic') AS logistic, bool_or(algorithm = 'gbdt') AS boosting
FROM mlplat.trials WHERE model = 'straight';
SELECT bool_or(algorithm = 'linear') AS linear, bool_or(algorithm = 'logistic') AS logistic, bool_or(algorithm = 'gbdt') AS boosting
FROM mlplat.trials WHERE model = 'side';
SELECT count(mlplat.predict('straight', t)) AS predicted FROM thing t;
-- the same again
SELECT version FROM mlplat.create_model('side', 'SELECT x, z, kind, side FROM thing', 'side');
SELECT count(DISTINCT image) AS images FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'side';

-- folds, groups, weights and hold-outs go with it
SELECT rows FROM mlplat.create_model('grouped', 'SELECT x, z, kind, id % 50 AS shop, straight FROM thing', 'straight', group_by => 'shop', folds => 2);
SELECT DISTINCT cardinality(fold_scores) AS folds FROM mlplat.trials WHERE model = 'grouped';
SELECT rows FROM mlplat.create_model('weighted', 'SELECT x, z, 1 + id % 3 AS w, noisy FROM thing', 'noisy', weight => 'w', holdout => 0, folds => 2,
    params => '{"class_weight": "balanced", "refit": true}');
SELECT rows_holdout, metric, score > 0 AS mean_of_folds FROM mlplat.runs WHERE model = 'weighted';
-- almost no time: one is enough
SELECT rows FROM mlplat.create_model('hurried', 'SELECT x, z, kind, stepped FROM thing', 'stepped', time_budget => 0.000001);
SELECT count(*) FILTER (WHERE chosen) AS chosen, count(*) FILTER (WHERE rank IS NULL) > 0 AS others_cut FROM mlplat.trials WHERE model = 'hurried';
-- few rows: nothing to compare
SELECT algorithm, rows FROM mlplat.create_model('tiny', 'SELECT x, straight FROM thing WHERE id < 12', 'straight');
SELECT count(*) FROM mlplat.trials WHERE model = 'tiny';
SELECT algorithm, rows FROM mlplat.create_model('tiny', 'SELECT x, straight FROM thing WHERE id < 3', 'straight', holdout => 0);
-- in the aggregate auto stays one algorithm
SELECT mlplat.model_info(mlplat.train(t, 'straight', '{"algorithm": "auto", "n_trees": 3}')) ->> 'algorithm' AS algorithm
FROM (SELECT x, straight FROM thing) t;

-- ---------------------------------------------------------------- what cannot be
SELECT mlplat.create_model('bad', 'TABLE thing', 'straight', 'auto', '{"n_trees": 10}');
SELECT mlplat.create_model('bad', 'TABLE thing', 'straight', 'auto', search => '{"max_leaves": [3, 5]}');
SELECT mlplat.create_model('bad', 'TABLE thing', 'straight', 'auto', '{"max_leafs": 10}');
SELECT mlplat.create_model('bad', 'TABLE thing', 'straight', 'auto', time_budget => 0);
SELECT mlplat.create_model('bad', 'TABLE thing', 'straight', 'auto', folds => 1);
SELECT mlplat.create_model('bad', 'SELECT x, ''a'' AS side FROM thing', 'side');
SELECT mlplat.create_model('bad', 'SELECT x, straight FROM thing WHERE false', 'straight');

SET client_min_messages = warning;
DROP SCHEMA chosen CASCADE;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
