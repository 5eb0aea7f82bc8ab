-- Isolation forests: anomalies stand out, thresholds, missing values and levels, contributions, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA isolation_test;
SET search_path = isolation_test;

-- A ring of ordinary points, one in its middle, one far off, and one of a rare kind.
CREATE TABLE points AS
    SELECT i AS id, cos(i) AS x, sin(i) AS z, CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END AS kind FROM generate_series(1, 500) i
    UNION ALL VALUES (501, 6.0, 6.0, 'odd'), (502, 0.6, 0.6, 'rare');
CREATE TABLE images AS
    SELECT mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "contamination": 0.01}') AS image FROM (SELECT x, z, kind FROM points ORDER BY id) t;
SELECT id, score > 0.6 AS above, rank FROM (SELECT id, mlplat.predict(image, p) AS score, rank() OVER (ORDER BY mlplat.predict(image, p) DESC) FROM images, points p) s WHERE rank <= 2 ORDER BY rank;
SELECT min(mlplat.predict(image, p)) > 0 AS above_zero, max(mlplat.predict(image, p)) <= 1 AS at_most_one FROM images, points p;
-- the summary has the score that one row of a hundred exceeds
SELECT s ->> 'n' AS n, s ->> 'n_trees' AS n_trees, s ->> 'sample_rows' AS sample_rows, s ->> 'contamination' AS contamination,
       (SELECT count(*) FROM points p WHERE mlplat.predict(image, p) > (s ->> 'threshold')::float8) AS above
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i;
-- missing values say nothing, an unseen level is unusual, infinity is far
SELECT mlplat.predict(image, ROW(NULL, NULL, NULL)) < 0.55 AS missing, mlplat.predict(image, ROW(0.6, 0.8, 'new')) > mlplat.predict(image, ROW(0.6, 0.8, 'odd')) AS unseen,
       mlplat.predict(image, ROW('infinity'::float8, 0.8, 'odd')) > 0.55 AS far FROM images;
-- contributions add up to the logarithm (base 2) of the score: here the far point
SELECT feature, contribution > 0.1 AS matters FROM images, mlplat.explain(image, ROW(6, 6, 'odd')) ORDER BY feature COLLATE "C";
-- scores as a ranking with names, through the registry
SELECT algorithm, task, rows, metric, score FROM mlplat.create_model('isolation_test', 'SELECT x, z, kind FROM isolation_test.points ORDER BY id', algorithm => 'isolation_forest');
SELECT id FROM points p ORDER BY mlplat.predict('isolation_test', p) DESC LIMIT 1;
SELECT mlplat.drop_model('isolation_test');
-- same seed, same image
SELECT image = mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "contamination": 0.01}') AS same FROM images, (SELECT x, z, kind FROM points ORDER BY id) t GROUP BY image;

-- Errors.
SELECT mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "n_trees": 0}') FROM (SELECT x, z FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "max_samples": 1}') FROM (SELECT x, z FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "contamination": 0.7}') FROM (SELECT x, z FROM points) t;
SELECT mlplat.train(t, NULL, '{"algorithm": "isolation_forest", "contaminaton": 0.1}') FROM (SELECT x, z FROM points) t;
SELECT mlplat.train(t, 'x', '{"algorithm": "isolation_forest"}') FROM (SELECT x, z FROM points) t;

SET client_min_messages = warning;
DROP SCHEMA isolation_test CASCADE;
\set algorithm isolation_forest
\set task anomaly
\set options '{"n_trees": 20, "contamination": 0.1}'
\i test/sql/include/bad_input.sql
