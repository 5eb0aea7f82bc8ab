-- Linear support vector machines: classes, numbers, probabilities, options, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA svm_test;
SET search_path = svm_test;
CREATE TABLE points AS
    SELECT i AS id, (i * 37 % 101) / 10.0::float8 AS x, (i * 53 % 97) / 10.0::float8 AS z, chr(97 + i % 3) AS c,
           (i * 37 % 101) / 10.0 + (i % 3) + (i * 71 % 13 - 6) / 4.0 > 6 AS far,
           CASE WHEN i * 37 % 101 < 33 THEN 'near' WHEN i * 53 % 97 < 50 THEN 'middle' ELSE 'far' END AS zone,
           3 * (i * 37 % 101) / 10.0 - 2 * (i % 3) + (i * 71 % 13 - 6) / 4.0 AS y
    FROM generate_series(1, 400) i;

-- Two classes: one machine; the decision value is what contributions add up to, and rises with the probability.
CREATE TABLE images AS
    SELECT 'two' AS name, mlplat.train(t, 'far', '{"algorithm": "svm", "tol": 1e-8, "max_iter": 100000}') AS image
    FROM (SELECT x, z, c, far FROM points ORDER BY id) t;
SELECT c.feature, round(c.coefficient::numeric, 4) AS coefficient, c.std_error FROM images, mlplat.coefficients(image) c;
SELECT s ->> 'converged' AS converged, round((s ->> 'primal_objective')::numeric, 4) AS primal
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i;
SELECT mlplat.accuracy(far::text, mlplat.predict_class(image, p)) > 0.85 AS accurate,
       mlplat.roc_auc(far, mlplat.predict(image, p)) > 0.93 AS ranks,
       min(mlplat.predict(image, p)) > 0 AND max(mlplat.predict(image, p)) < 1 AS probabilities,
       abs(avg(mlplat.predict(image, p)) - avg(far::int)) < 0.02 AS calibrated
FROM images, points p;
SELECT e.feature, round(e.contribution::numeric, 3) AS contribution FROM images, mlplat.explain(image, ROW(7.0, 1.0, 'b')) e;
-- The hinge, and classes of equal weight.
SELECT loss, weight, round(mlplat.accuracy(far::text, mlplat.predict_class(image, p))::numeric, 2) AS accuracy
FROM unnest(ARRAY['hinge', 'squared_hinge']) loss, unnest(ARRAY['none', 'balanced']) weight,
     LATERAL (SELECT mlplat.train(t, 'far', jsonb_build_object('algorithm', 'svm', 'loss', loss, 'class_weight', weight)) AS image
              FROM (SELECT x, z, c, far FROM points ORDER BY id) t) m, points p
GROUP BY loss, weight ORDER BY loss, weight;

-- The dual problem meets the primal one.
SELECT (s ->> 'converged')::bool AND (s ->> 'primal_objective')::float8 - (s ->> 'dual_objective')::float8 BETWEEN 0 AND 1e-3 AS met
FROM (SELECT mlplat.model_info(mlplat.train(t, 'far', '{"algorithm": "svm", "loss": "hinge", "tol": 1e-6, "max_iter": 100000}')) -> 'summary' AS s
      FROM (SELECT x, z, c, far FROM points ORDER BY id) t) m;

-- More classes: a machine each against the rest; probabilities sum to one.
INSERT INTO images
    SELECT 'three', mlplat.train(t, 'zone', '{"algorithm": "svm", "tol": 1e-6, "max_iter": 100000}')
    FROM (SELECT x, z, zone FROM points ORDER BY id) t;
SELECT c.class, count(*) AS coefficients FROM images, mlplat.coefficients(image) c WHERE name = 'three' GROUP BY 1 ORDER BY 1;
SELECT mlplat.accuracy(zone, mlplat.predict_class(image, p)) > 0.9 AS accurate,
       bool_and(abs(mlplat.predict_proba(image, p, 'near') + mlplat.predict_proba(image, p, 'middle') + mlplat.predict_proba(image, p, 'far') - 1) < 1e-9) AS sum_to_one
FROM images, points p WHERE name = 'three';

-- Numbers: the same whatever the unit of the target.
SELECT loss, round(mlplat.r2(y, mlplat.predict(image, p))::numeric, 2) AS r2
FROM unnest(ARRAY['epsilon_insensitive', 'squared_epsilon_insensitive']) loss,
     LATERAL (SELECT mlplat.train(t, 'y', jsonb_build_object('algorithm', 'svm', 'loss', loss)) AS image
              FROM (SELECT x, c, y FROM points ORDER BY id) t) m, points p
GROUP BY loss ORDER BY loss;
SELECT unit, round((mlplat.predict(image, ROW(5.0, 'a')) / unit)::numeric, 3) AS prediction
FROM unnest(ARRAY[1, 1000000]) unit,
     LATERAL (SELECT mlplat.train(t, 'y', '{"algorithm": "svm", "tol": 1e-9, "max_iter": 100000}') AS image
              FROM (SELECT x, c, y * unit AS y FROM points ORDER BY id) t) m;
SELECT round(mlplat.predict(image, ROW(NULL, 'never seen'))::numeric, 1) AS missing_and_unseen
FROM (SELECT mlplat.train(t, 'y', '{"algorithm": "svm"}') AS image FROM (SELECT x, c, y FROM points ORDER BY id) t) m;

-- Options.
SELECT mlplat.train(t, 'far', '{"algorithm": "svm", "loss": "epsilon_insensitive"}') FROM (SELECT x, far FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "svm", "loss": "hinge"}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "svm", "c": 0}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "svm", "C": 1}') FROM (SELECT x, y FROM points) t;
SELECT mlplat.train(t, 'far', '{"algorithm": "svm", "probability_folds": 1}') FROM (SELECT x, far FROM points) t;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA svm_test CASCADE;
RESET client_min_messages;

-- The common lists.
\set algorithm svm
\set task classification
\set options '{}'
\i test/sql/include/bad_input.sql
\set task regression
\i test/sql/include/bad_input.sql
