-- principal components: parallel, merged and kept rows alike; loadings, transform, and the list of bad inputs
CREATE SCHEMA pca;
SET search_path = pca, public;
CREATE TABLE points AS
    SELECT i AS id, 3 * sin(i) + cos(7 * i) AS a, sin(i) - 2 * cos(7 * i) + 100 AS b, 0.1 * sin(i * i) AS c, chr(97 + i % 3) AS level
    FROM generate_series(1, 2000) i;

SELECT name, algorithm, task, rows, metric, round(score::numeric, 9) AS score FROM mlplat.create_model('axes', 'SELECT a, b, c FROM points', algorithm => 'pca', promote => 'always');
SELECT class AS component, feature, round(coefficient::numeric, 6) AS loading FROM mlplat.coefficients('axes') ORDER BY component, feature;
SELECT round(v::numeric, 6) AS variance FROM mlplat.model_info('axes') i, jsonb_array_elements_text(i #> '{summary,explained_variance}') v;
-- components have mean 0, the variances that the model tells, and no covariance
SELECT round(avg(t[1])::numeric, 9) + 0 AS mean, round(variance(t[1])::numeric, 6) AS first, round(variance(t[2])::numeric, 6) AS second, round(covar_samp(t[1], t[2])::numeric, 9) + 0 AS covariance
FROM (SELECT mlplat.transform('axes', p) AS t FROM points p) s;
SELECT feature, round(importance::numeric, 3) AS importance FROM mlplat.feature_importance('axes') ORDER BY feature;
-- by parallel workers, from merged states, from an array: the same to the last digits
CREATE FUNCTION first_axis(image bytea) RETURNS numeric[] LANGUAGE sql AS
    $$ SELECT array_agg(round(coefficient::numeric, 9) ORDER BY feature) FROM mlplat.coefficients(image) WHERE class = '1' $$;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT first_axis(mlplat.train(p, NULL, '{"algorithm": "pca"}')) = first_axis((SELECT mlplat.train(p, NULL, '{"algorithm": "pca"}') FROM (SELECT a, b, c FROM points ORDER BY id OFFSET 0) p)) AS same FROM (SELECT a, b, c FROM points) p;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT first_axis(mlplat.finish(mlplat.merge(s))) = first_axis((SELECT mlplat.train(p, NULL, '{"algorithm": "pca"}') FROM (SELECT a, b, c FROM points) p)) AS same
FROM (SELECT mlplat.train_state(NULL, ARRAY[a, b, c], '{"algorithm": "pca"}') AS s FROM points WHERE id <= 700
      UNION ALL SELECT mlplat.train_state(NULL, ARRAY[a, b, c], '{"algorithm": "pca"}')::text::mlplat.state FROM points WHERE id > 700) parts;
-- a share of the variance; one model a group; levels; whitened
SELECT mlplat.model_info(mlplat.train(p, NULL, '{"algorithm": "pca", "n_components": 0.9}')) #> '{summary,n_components}' AS n FROM (SELECT a, b, c FROM points) p;
SELECT mlplat.model_info(m.image) #> '{summary,rank}' AS rank, round(variance(t[2])::numeric, 6) AS white
FROM (SELECT mlplat.train(p, NULL, '{"algorithm": "pca", "exclude": ["id"], "whiten": true, "scale": true}') AS image FROM points p) m, points p, mlplat.transform(m.image, p) t GROUP BY m.image;

-- what it does not do
SELECT mlplat.predict('axes', p) FROM points p LIMIT 1;
SELECT mlplat.predict_class('axes', p) FROM points p LIMIT 1;
SELECT mlplat.explain('axes', p) FROM points p LIMIT 1;
SELECT mlplat.train(p, NULL, '{"algorithm": "pca", "n_components": 0}') FROM points p;
SELECT mlplat.train(p, NULL, '{"algorithm": "pca", "n_components": 4}') FROM (SELECT a, b, c FROM points) p;
SELECT mlplat.train(p, 'a', '{"algorithm": "pca"}') FROM points p;
SELECT count(*) FROM (SELECT mlplat.drop_model('axes')) s;
DROP SCHEMA pca CASCADE;
RESET search_path;
\set algorithm pca
\set task decomposition
\set options '{}'
\i test/sql/include/bad_input.sql
