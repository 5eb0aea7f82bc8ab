-- Elastic net: one column by hand, its ends are lasso and ridge, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA net_test;
SET search_path = net_test;
CREATE TABLE t AS SELECT i, (i % 13)::float8 AS a, (i % 7)::float8 AS b, (i % 13 + (i * i) % 5)::float8 AS c, CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' ELSE 'z' END AS f,
    (2 * (i % 13) - (i % 7) + i * 37 % 11)::float8 AS y FROM generate_series(1, 400) i;

-- one column: (x'y / n - alpha l1_ratio) / (x'x / n + alpha (1 - l1_ratio)) after centring, here (20 - 1) / (10 + 3)
SELECT (mlplat.create_model('one', 'SELECT i AS x, 2 * i AS y FROM generate_series(-5, 5) i', 'y', 'elastic_net', params => '{"alpha": 4, "l1_ratio": 0.25, "standardize": false}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 6) AS coefficient, round(19.0 / 13, 6) AS by_hand FROM mlplat.coefficients('one') WHERE feature = 'x';
-- l1_ratio 1 is lasso, 0 is ridge with alpha times the number of rows
SELECT (mlplat.create_model('n1', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'elastic_net', params => '{"alpha": 0.2, "l1_ratio": 1}', holdout => 0)).rows;
SELECT (mlplat.create_model('l', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'lasso', params => '{"alpha": 0.2}', holdout => 0)).rows;
SELECT (mlplat.create_model('n0', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'elastic_net', params => '{"alpha": 0.2, "l1_ratio": 0}', holdout => 0)).rows;
SELECT (mlplat.create_model('r', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'ridge', params => '{"alpha": 80}', holdout => 0)).rows;
SELECT bool_and(abs(a.coefficient - b.coefficient) < 1e-12) AS lasso FROM mlplat.coefficients('n1') a JOIN mlplat.coefficients('l') b USING (feature);
SELECT bool_and(abs(a.coefficient - b.coefficient) < 1e-9) AS ridge FROM mlplat.coefficients('n0') a JOIN mlplat.coefficients('r') b USING (feature);
-- by cross-validation
SELECT (mlplat.create_model('chosen', 'SELECT a, b, c, y FROM t ORDER BY i', 'y', 'elastic_net', holdout => 0)).rows;
SELECT key, CASE WHEN jsonb_typeof(value) = 'number' THEN round(value::text::numeric, 5)::text ELSE value::text END AS value FROM mlplat.model_versions, jsonb_each(summary) WHERE name = 'chosen' ORDER BY key;
SELECT feature, round(importance::numeric, 4) AS importance FROM mlplat.feature_importance('chosen') ORDER BY feature;

-- errors
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'elastic_net', params => '{"l1_ratio": 2}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'elastic_net', params => '{"tol": 0}');
SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DROP SCHEMA net_test CASCADE;
RESET client_min_messages;

\set algorithm elastic_net
\set task regression
\set options '{}'
\i test/sql/include/bad_input.sql
