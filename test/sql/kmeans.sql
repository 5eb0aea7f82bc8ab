-- clusters around means: fits, faces, choice of the number, and the list of bad inputs
CREATE SCHEMA kmeans;
SET search_path = kmeans, public;
-- three clouds, one of a single level each
CREATE TABLE points AS
    SELECT i AS id, 10 * (i % 3) + sin(i) AS x, 100 * cos(2 * (i % 3)) + cos(3 * i) AS y, chr(97 + i % 3) AS c
    FROM generate_series(1, 600) i;

SELECT name, version, algorithm, task, rows, metric, round(score::numeric, 6) AS score, active
FROM mlplat.create_model('clouds', 'SELECT x, y, c FROM points ORDER BY id', algorithm => 'kmeans', params => '{"n_clusters": 3}');
-- each cloud is one cluster, and the label is the number as text
SELECT id % 3 AS cloud, count(DISTINCT mlplat.predict('clouds', p)) AS clusters, count(*),
       bool_and(mlplat.predict_class('clouds', p) = mlplat.predict('clouds', p)::text) AS same
FROM points p GROUP BY 1 ORDER BY 1;
-- the nearest center is the one of the cluster; by columns, jsonb and record alike
SELECT bool_and(array_length(mlplat.transform('clouds', p), 1) = 3
           AND mlplat.transform('clouds', p) = mlplat.transform('clouds', to_jsonb(p))
           AND (SELECT ordinality - 1 FROM unnest(mlplat.transform('clouds', p)) WITH ORDINALITY d ORDER BY d LIMIT 1) = mlplat.predict('clouds', p))
FROM points p;
-- centers in the units of the data, levels as shares
SELECT feature, count(*), round(min(coefficient)::numeric, 3) AS least, round(max(coefficient)::numeric, 3) AS greatest
FROM mlplat.coefficients('clouds') GROUP BY feature ORDER BY feature;
SELECT count(DISTINCT class), min(class), max(class) FROM mlplat.coefficients('clouds');
SELECT feature, importance > 0.2 AS matters FROM mlplat.feature_importance('clouds') ORDER BY feature;
SELECT info -> 'summary' -> 'sizes' AS sizes, info -> 'summary' -> 'converged' AS converged,
       jsonb_array_length(info -> 'log') > 0 AND info -> 'log' -> 0 ? 'loss' AND info -> 'log' -> 0 ? 'step' AS log
FROM mlplat.model_info('clouds') info;

-- the number is found
SELECT mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": "auto", "exclude": ["id"]}')) -> 'summary' -> 'n_clusters' AS n FROM points p;
SELECT mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": [2, 5], "exclude": ["id", "c"], "scale": false}')) #> '{summary,trials}' -> 1 ->> 'n_clusters' AS second FROM points p;
-- one model a group; over arrays; mini-batches; weights
SELECT id % 2 AS part, mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": 3, "exclude": ["id"]}' ORDER BY id)) -> 'summary' -> 'sizes' @> '[100]' AS sizes FROM points p GROUP BY 1 ORDER BY 1;
SELECT mlplat.predict(image, ARRAY[0, 100]) IN (0, 1, 2) AS predicted
FROM (SELECT mlplat.train(NULL, ARRAY[x, y], '{"algorithm": "kmeans", "n_clusters": 3}' ORDER BY id) AS image FROM points) m;
SELECT round((mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": 3, "batch_size": 100, "exclude": ["id"]}' ORDER BY id)) -> 'summary' ->> 'silhouette')::numeric, 2) > 0.9 AS apart FROM points p;
SELECT mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": 3, "weight": "w"}' ORDER BY w)) -> 'summary' -> 'sizes' @> '[400]' AS weighted FROM (SELECT x, y, 2 AS w FROM points) p;
-- same seed, same image, whatever the threads
SELECT md5(mlplat.train(p, NULL, '{"algorithm": "kmeans", "seed": 5}' ORDER BY id)) AS one FROM points p \gset
SET mlplat.threads = 1;
SELECT md5(mlplat.train(p, NULL, '{"algorithm": "kmeans", "seed": 5}' ORDER BY id)) = :'one' AS same FROM points p;
RESET mlplat.threads;

-- what it does not do
SELECT mlplat.predict_proba('clouds', p) FROM points p LIMIT 1;
SELECT mlplat.explain('clouds', p) FROM points p LIMIT 1;
SELECT mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": 0}') FROM points p;
SELECT mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": [5, 2]}') FROM points p;
SELECT mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": "many"}') FROM points p;
SELECT mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_cluster": 2}') FROM points p;
SELECT mlplat.train(p, NULL, '{"algorithm": "kmeans", "n_clusters": 601}') FROM points p;
SELECT mlplat.train(p, 'y', '{"algorithm": "kmeans"}') FROM points p;

-- nothing is held out or compared without a target: such options are refused, not passed over
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', folds => 3);
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', search => '{"n_clusters": [3, 7]}');
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', time_budget => 3);
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', group_by => 'y');
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', order_by => 'y');
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', metric => 'rmse');
SELECT mlplat.create_model('refused', 'TABLE points', algorithm => 'kmeans', params => '{"positive": "a"}');

SELECT count(*) FROM (SELECT mlplat.drop_model('clouds')) s;
DROP SCHEMA kmeans CASCADE;
RESET search_path;
\set algorithm kmeans
\set task clustering
\set options '{"n_clusters": 2}'
\i test/sql/include/bad_input.sql
