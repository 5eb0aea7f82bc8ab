-- One-class support vector machine: scores, kernels, options, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA one_class_test;
SET search_path = one_class_test;
-- A ring of ordinary rows, and three that lie outside or in its middle.
CREATE TABLE points AS
    SELECT i AS id, 10 * cos(i) + (i % 7) / 10.0 AS x, 10 * sin(i) + (i % 5) / 10.0 AS y, CASE WHEN i % 50 = 0 THEN 'rare' ELSE 'usual' END AS c
    FROM generate_series(1, 500) i;
CREATE TABLE images AS
    SELECT 'rbf' AS name, mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "nu": 0.1, "gamma": 2}') AS image
    FROM (SELECT x, y, c FROM points ORDER BY id) t;
SELECT s ->> 'converged' AS converged, abs((s ->> 'share_outside')::float8 - 0.1) < 0.02 AS share_is_nu
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i;
-- Greater is more anomalous: in the middle of the ring, far out, of a rare kind; above 0 is outside.
SELECT what, mlplat.predict(image, ROW(x, y, c)) > 0 AS outside, mlplat.predict(image, ROW(x, y, c)) > 0.5 AS far_outside
FROM images, (VALUES ('on the ring', 10 * cos(0.5), 10 * sin(0.5), 'usual'), ('in the middle', 0, 0, 'usual'),
                     ('far out', 100, 100, 'usual'), ('very far out', 1e300, -1e300, 'usual'), ('rare', 10 * cos(0.5), 10 * sin(0.5), 'rare')) v(what, x, y, c);
SELECT mlplat.predict(image, ROW(NULL, NULL, 'never seen')) IS NOT NULL AS bears_missing FROM images;
-- linear: parts the rows from zero.
SELECT what, mlplat.predict(image, ROW(x)) > 0 AS outside
FROM (SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "kernel": "linear", "nu": 0.1}') AS image FROM (SELECT 100 + id % 20 AS x FROM points ORDER BY id) t) m,
     (VALUES ('low', 50), ('usual', 110), ('high', 1000)) v(what, x);
-- The same seed gives the same bytes, another one others.
SELECT a = b AS same_seed, a = c AS other_seed
FROM (SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly"}') AS a, mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly"}') AS b,
             mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "seed": 2}') AS c FROM (SELECT x, y FROM points ORDER BY id) t) m;
-- Options.
SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "nu": 0}') FROM (SELECT x FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "kernel": "poly"}') FROM (SELECT x FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "kernel": "linear", "gamma": 1}') FROM (SELECT x FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "one_class_svm", "task": "anomaly", "n_components": 10000}') FROM (SELECT x FROM points) t;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA one_class_test CASCADE;
RESET client_min_messages;

-- The common list.
\set algorithm one_class_svm
\set task anomaly
\set options '{"n_components": 32}'
\i test/sql/include/bad_input.sql
\set options '{"kernel": "linear"}'
\i test/sql/include/bad_input.sql
