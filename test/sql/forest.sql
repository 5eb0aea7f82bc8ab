-- Random forests: known results, options, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA forest_test;
SET search_path = forest_test;
CREATE TABLE t AS
    SELECT i AS id, (i * 37 % 101)::float8 AS a, CASE WHEN i % 11 <> 0 THEN (i * 53 % 89)::float8 END AS b, (ARRAY['red', 'green', 'blue', 'dark "grey"'])[1 + i % 4] AS colour,
           (i * 37 % 101) / 10.0 + CASE WHEN i % 4 = 2 THEN 5 ELSE 0 END AS y, (i * 37 % 101) > 50 AND i % 4 < 2 AS yes,
           CASE WHEN i * 37 % 101 < 30 THEN 'low' WHEN i % 4 > 1 THEN 'odd' ELSE 'high' END AS kind, 1 + i % 3 AS w
    FROM generate_series(1, 600) i;

-- What a forest finds, and its error on the rows out of the bag.
SELECT version, rows, metric, score > 0.95 AS good FROM mlplat.create_model('f_yes', 'SELECT a, b, colour, yes FROM t ORDER BY id', 'yes', 'forest', metric => 'roc_auc');
SELECT version, metric, score > 0.9 AS good FROM mlplat.create_model('f_kind', 'SELECT a, b, colour, kind FROM t ORDER BY id', 'kind', 'forest', '{"n_trees": 30}', metric => 'accuracy');
SELECT version, metric, score < 0.6 AS good FROM mlplat.create_model('f_y', 'SELECT a, b, colour, y FROM t ORDER BY id', 'y', 'forest', '{"n_trees": 30}');
SELECT name, s -> 'trees' AS trees, s -> 'oob_rows' AS oob_rows, (s ->> 'oob_accuracy')::float8 > 0.9 AS accuracy, (s ->> 'oob_log_loss')::float8 < 0.4 AS log_loss, (s ->> 'oob_r2')::float8 > 0.97 AS r2, (s ->> 'oob_rmse')::float8 < 0.6 AS rmse
FROM (SELECT name, mlplat.model_info(name) -> 'summary' AS s FROM mlplat.models WHERE name LIKE 'f\_%') q ORDER BY name;
SELECT count(*) > 5 AS lines, max((l ->> 'iteration')::int) AS trees, bool_and(l ? 'valid_loss') AS losses FROM jsonb_array_elements(mlplat.model_info('f_kind') -> 'log') l;
SELECT feature, importance > 0.1 AS used FROM mlplat.feature_importance('f_yes') ORDER BY feature;
-- Probabilities sum to one; contributions add up to them.
SELECT count(*) FILTER (WHERE abs(s - 1) > 1e-12) AS wrong FROM (SELECT (SELECT sum(value::float8) FROM jsonb_each_text(mlplat.predict_probs('f_kind', t))) AS s FROM t) q;
SELECT count(*) FILTER (WHERE abs(p - s) > 1e-6) AS wrong FROM (SELECT mlplat.predict('f_yes', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('f_yes', t)) AS s FROM t WHERE id <= 20) q;
SELECT count(*) FILTER (WHERE abs(p - s) > 1e-6) AS wrong FROM (SELECT mlplat.predict('f_y', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('f_y', t)) AS s FROM t WHERE id <= 20) q;

-- The same seed gives the same image, whatever the threads; another one does not.
CREATE FUNCTION image(options jsonb) RETURNS bytea LANGUAGE sql AS $$
    SELECT mlplat.train(q, 'kind', '{"algorithm": "forest", "n_trees": 10}' || options) FROM (SELECT a, b, colour, kind FROM t ORDER BY id) q $$;
SET mlplat.threads = 1;
SELECT image('{}') AS one \gset
SET mlplat.threads = 4;
SELECT image('{}') = :'one'::bytea AS same_seed, image('{"seed": 1}') = :'one'::bytea AS other_seed;
RESET mlplat.threads;
-- Options.
SELECT o, i -> 'trees' AS trees, (i ->> 'depth')::int <= 6 AS shallow, i ? 'oob_rows' AS oob
FROM (SELECT o, mlplat.model_info(image(o::jsonb)) -> 'summary' AS i FROM unnest(ARRAY['{"bootstrap": false}', '{"bootstrap": false, "subsample": 0.5}', '{"subsample": 0.3, "max_depth": 6}', '{"max_features": 2}', '{"max_features": "log2", "max_depth": 3}', '{"max_features": 0.5, "n_trees": 1}', '{"max_leaves": 4}', '{"class_weight": "balanced", "criterion": "entropy"}']) o) q;

-- Errors.
SELECT image('{"n_trees": 0}');
SELECT image('{"ccp_alpha": 0.1}');
SELECT image('{"criterion": "squared"}');
SELECT image('{"max_features": "some"}');
SELECT image('{"subsample": 0}');
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name LIKE 'f\_%';

-- What every algorithm must bear.
RESET search_path;
\set algorithm forest
\set options '{"n_trees": 5}'
\set task classification
\i test/sql/include/bad_input.sql
\set task regression
\i test/sql/include/bad_input.sql

SET client_min_messages = warning;
DROP SCHEMA forest_test CASCADE;
DELETE FROM mlplat.run;
