-- Ridge regression: scikit-learn's coefficients, the choice of alpha, streams and factors, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA ridge_test;
SET search_path = ridge_test;
CREATE TABLE t AS SELECT i, (i % 13)::float8 AS a, (i % 7)::float8 AS b, (i % 13 + (i * i) % 5)::float8 AS c, CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' ELSE 'z' END AS f,
    (2 * (i % 13) - (i % 7) + i * 37 % 11)::float8 AS y FROM generate_series(1, 400) i;

-- one column: x'y / (x'x + alpha) after centring
SELECT (mlplat.create_model('one', 'SELECT i AS x, 2 * i AS y FROM generate_series(-5, 5) i', 'y', 'ridge', params => '{"alpha": 110, "standardize": false}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 12) AS coefficient, std_error, p_value FROM mlplat.coefficients('one') ORDER BY feature COLLATE "C";
-- the same as linear with l2
SELECT (mlplat.create_model('ridge', 'SELECT a, b, c, y FROM t ORDER BY i', 'y', 'ridge', params => '{"alpha": 50, "standardize": false}', holdout => 0)).rows;
SELECT (mlplat.create_model('linear', 'SELECT a, b, c, y FROM t ORDER BY i', 'y', 'linear', params => '{"l2": 50}', holdout => 0)).rows;
SELECT r.feature, round(r.coefficient::numeric, 9) AS coefficient, abs(r.coefficient - l.coefficient) < 1e-12 AS same FROM mlplat.coefficients('ridge') r JOIN mlplat.coefficients('linear') l USING (feature) ORDER BY 1;
-- alpha by cross-validation: in one pass, in parallel workers, with a factor
SELECT (mlplat.create_model('chosen', 'SELECT a, b, c, y FROM t ORDER BY i', 'y', 'ridge', holdout => 0)).rows;
SELECT key, round(value::text::numeric, 6) FROM mlplat.model_versions, jsonb_each(summary) WHERE name = 'chosen' ORDER BY key;
SELECT count(*) AS lines, min(round((l ->> 'valid_loss')::numeric, 6)) AS least FROM jsonb_array_elements(mlplat.model_info('chosen') -> 'log') l;
SELECT (mlplat.create_model('levels', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'ridge', holdout => 0.25)).metric;
SELECT feature FROM mlplat.coefficients('levels') ORDER BY feature COLLATE "C";
CREATE TABLE often AS SELECT a, b, c, y FROM t, generate_series(1, 500);
ALTER TABLE often SET (parallel_workers = 3);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT (mlplat.create_model('often', 'TABLE often', 'y', 'ridge', params => '{"alpha": 1e4}', holdout => 0)).rows;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT (mlplat.create_model('serial', 'SELECT a, b, c, y FROM t', 'y', 'ridge', params => '{"alpha": 20}', holdout => 0)).rows;
SELECT bool_and(abs(a.coefficient - b.coefficient) < 1e-9) AS same FROM mlplat.coefficients('often') a JOIN mlplat.coefficients('serial') b USING (feature);
-- contributions add up to the prediction
SELECT bool_and(abs(p - s) < 1e-9) AS add_up FROM (SELECT mlplat.predict('levels', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('levels', t)) AS s FROM t) q;

-- errors
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'ridge', params => '{"alpha": -1}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'ridge', params => '{"l1_ratio": 0.5}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'ridge', params => '{"path_folds": 1}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'ridge', params => '{"selection": "max"}');
SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DROP SCHEMA ridge_test CASCADE;
RESET client_min_messages;

\set algorithm ridge
\set task regression
\set options '{}'
\i test/sql/include/bad_input.sql
