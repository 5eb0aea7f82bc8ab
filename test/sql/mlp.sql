-- The multilayer perceptron: learning, options, going on, the log, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA mlp_test;
SET search_path = mlp_test;

-- Exclusive or, which no linear model sees; and a curve.
CREATE TABLE points AS
    SELECT i AS id, x, z, (x > 0) <> (z > 0) AS differ, sin(2 * x) + z * z AS y,
           CASE WHEN x * x + z * z < 0.3 THEN 'inner' WHEN z > 0 THEN 'upper' ELSE 'lower' END AS place, chr(97 + i % 3) AS c
    FROM generate_series(1, 2000) i, LATERAL (SELECT (hashint4(i) % 1000) / 1000.0 AS x, (hashint4(i + 100000) % 1000) / 1000.0 AS z) h;
CREATE TABLE images AS
    SELECT 'differ' AS name, mlplat.train(t, 'differ', '{"algorithm": "mlp", "hidden": [16, 8], "learning_rate": 0.01}') AS image FROM (SELECT x, z, differ FROM points ORDER BY id) t
    UNION ALL
    SELECT 'y', mlplat.train(t, 'y', '{"algorithm": "mlp", "hidden": [16, 8], "learning_rate": 0.01, "activation": "tanh"}') FROM (SELECT x, z, y FROM points ORDER BY id) t
    UNION ALL
    SELECT 'place', mlplat.train(t, 'place', '{"algorithm": "mlp", "hidden": [16, 8], "learning_rate": 0.01}') FROM (SELECT x, z, c, place FROM points ORDER BY id) t;
SELECT avg((mlplat.predict_class(image, p) = differ::text)::int) > 0.97 AS differ FROM images, points p WHERE name = 'differ';
SELECT mlplat.r2(y, mlplat.predict(image, p)) > 0.98 AS y FROM images, points p WHERE name = 'y';
SELECT avg((mlplat.predict_class(image, p) = place)::int) > 0.95 AS place FROM images, points p WHERE name = 'place';
SELECT round(mlplat.predict_proba(image, ROW(0, 0, 'a'), 'inner')::numeric, 2) AS inner, round(mlplat.predict_proba(image, ROW(0.1, -0.9, NULL), 'lower')::numeric, 1) AS lower,
       mlplat.predict(image, ROW(NULL, 'infinity'::float8, 'new')) IS NOT NULL AS strange FROM images WHERE name = 'place';

-- What the image tells: the shape, the epochs, weights at three times.
SELECT s -> 'layers' AS layers, s -> 'parameters' AS parameters, (s ->> 'n')::int + (s ->> 'valid_rows')::int AS rows, (s ->> 'best_iteration')::int <= (s ->> 'iterations')::int AS best, s ->> 'stopped_early' AS stopped
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i WHERE name = 'place';
SELECT count(*) - 1 = (mlplat.model_info(image) -> 'summary' ->> 'iterations')::int AS lines, count(l -> 'layers') AS with_weights, bool_and((l ->> 'loss')::float8 > 0) AS loss,
       bool_and((l ->> 'valid_loss')::float8 > 0) AS valid_loss, count(l ->> 'gradient_norm') = count(*) - 1 AS gradient_norm, bool_and((l ->> 'weight_norm')::float8 > 0) AS weight_norm, max((l ->> 'step')::float8) AS step
FROM images, jsonb_array_elements(mlplat.model_info(image) -> 'log') l WHERE name = 'y' GROUP BY image;
SELECT h ->> 'layer' AS layer, jsonb_array_length(h -> 'histogram') AS bins, (SELECT sum(v::int) FROM jsonb_array_elements_text(h -> 'histogram') v) AS weights
FROM images, jsonb_array_elements(mlplat.model_info(image) -> 'log' -> 0 -> 'layers') h WHERE name = 'y' ORDER BY 1;

-- Same seed, same image; another seed, another.
SELECT a.image = b.image AS same, a.image = c.image AS other
FROM (SELECT mlplat.train(t, 'differ', '{"algorithm": "mlp", "max_iter": 3, "dropout": 0.2}') AS image FROM (SELECT x, z, differ FROM points ORDER BY id) t) a,
     (SELECT mlplat.train(t, 'differ', '{"algorithm": "mlp", "max_iter": 3, "dropout": 0.2}') AS image FROM (SELECT x, z, differ FROM points ORDER BY id) t) b,
     (SELECT mlplat.train(t, 'differ', '{"algorithm": "mlp", "max_iter": 3, "dropout": 0.2, "seed": 1}') AS image FROM (SELECT x, z, differ FROM points ORDER BY id) t) c;

-- Going on from a model: what it has learned stays, its shape and transform as well.
CREATE VIEW curve AS SELECT x, z, y FROM points ORDER BY id;
SELECT metric, score > 0.3 AS early FROM mlplat.create_model('mlp_test_early', 'TABLE mlp_test.curve', 'y', 'mlp', params => '{"hidden": [16], "max_iter": 2, "batch_size": 200, "learning_rate": 0.001}', metric => 'rmse');
SELECT metric, score < 0.2 AS late FROM mlplat.create_model('mlp_test_late', 'TABLE mlp_test.curve', 'y', 'mlp', params => '{"max_iter": 100, "learning_rate": 0.01}', metric => 'rmse', continue_from => 'mlp_test_early');
SELECT mlplat.model_info('mlp_test_late') -> 'summary' -> 'layers' AS layers,
       abs((mlplat.model_info('mlp_test_late') -> 'log' -> 0 ->> 'loss')::float8 / (mlplat.model_info('mlp_test_early') -> 'log' -> -1 ->> 'loss')::float8 - 1) < 0.3 AS where_it_was;
SELECT mlplat.create_model('mlp_test_other', 'TABLE mlp_test.curve', 'y', 'mlp', params => '{"hidden": [9]}', continue_from => 'mlp_test_early');
SELECT mlplat.drop_model('mlp_test_early'), mlplat.drop_model('mlp_test_late');

-- Errors.
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "hidden": 64}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "hidden": [0]}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "hidden": [4096, 4096, 4096]}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "activation": "softplus"}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "dropout": 1}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "mlp", "hiden": [5]}') FROM (SELECT x, y FROM points) t;

SET client_min_messages = warning;
DROP SCHEMA mlp_test CASCADE;
\set algorithm mlp
\set task regression
\set options '{"hidden": [8], "max_iter": 5}'
\i test/sql/include/bad_input.sql
\set task classification
\i test/sql/include/bad_input.sql
