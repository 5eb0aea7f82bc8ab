-- Lasso: one column by hand, columns that do not matter, the choice of alpha, streams and factors, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA lasso_test;
SET search_path = lasso_test;
CREATE TABLE t AS SELECT i, (i % 13)::float8 AS a, (i % 7)::float8 AS b, (i % 13 + (i * i) % 5)::float8 AS c, (i * i % 17)::float8 AS d, (i * 7 % 19)::float8 AS e,
    CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' ELSE 'z' END AS f, (2 * (i % 13) - (i % 7) + i * 37 % 11)::float8 AS y FROM generate_series(1, 400) i;

-- one column: (x'y / n - alpha) / (x'x / n) after centring, here (20 - 3) / 10
SELECT (mlplat.create_model('one', 'SELECT i AS x, 2 * i AS y FROM generate_series(-5, 5) i', 'y', 'lasso', params => '{"alpha": 3, "standardize": false}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 9) AS coefficient, std_error, p_value FROM mlplat.coefficients('one') ORDER BY feature COLLATE "C";
SELECT key, value FROM mlplat.model_versions, jsonb_each(summary) WHERE name = 'one' AND key IN ('alpha', 'converged', 'nonzero', 'l1_ratio') ORDER BY key;
-- alpha by cross-validation; what does not matter is left out
SELECT (mlplat.create_model('chosen', 'SELECT a, b, c, d, e, y FROM t ORDER BY i', 'y', 'lasso', params => '{"selection": "one_se"}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 5) AS coefficient FROM mlplat.coefficients('chosen') ORDER BY feature COLLATE "C";
SELECT key, CASE WHEN jsonb_typeof(value) = 'number' THEN round(value::text::numeric, 5)::text ELSE value::text END AS value FROM mlplat.model_versions, jsonb_each(summary) WHERE name = 'chosen' ORDER BY key;
SELECT count(*) AS lines, min(round((l ->> 'valid_loss')::numeric, 5)) AS least, max((l ->> 'nonzero')::int) AS most FROM jsonb_array_elements(mlplat.model_info('chosen') -> 'log') l;
SELECT (mlplat.create_model('levels', 'SELECT a, b, c, f, y FROM t ORDER BY i', 'y', 'lasso', holdout => 0.25)).metric;
SELECT bool_and(abs(p - s) < 1e-9) AS add_up FROM (SELECT mlplat.predict('levels', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('levels', t)) AS s FROM t) q;
-- one model a group, and states that merge
SELECT count(*), bool_and(mlplat.predict(model, '{"x": 1}'::jsonb) BETWEEN 10 AND 21) AS right
FROM (SELECT g, mlplat.train(t, 'y', '{"algorithm": "lasso", "exclude": ["g"]}') AS model
      FROM (SELECT g, x::float8, (10 + g * x)::float8 AS y FROM generate_series(1, 10) g, generate_series(1, 50) x) t GROUP BY g) m;
CREATE TABLE often AS SELECT a, b, c, y FROM t, generate_series(1, 500);
ALTER TABLE often SET (parallel_workers = 3);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT (mlplat.create_model('often', 'TABLE often', 'y', 'lasso', params => '{"alpha": 0.1}', holdout => 0)).rows;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT (mlplat.create_model('serial', 'SELECT a, b, c, y FROM t', 'y', 'lasso', params => '{"alpha": 0.1}', holdout => 0)).rows;
SELECT bool_and(abs(a.coefficient - b.coefficient) < 1e-4) AS same FROM mlplat.coefficients('often') a JOIN mlplat.coefficients('serial') b USING (feature);

-- errors
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'lasso', params => '{"alpha": "much"}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'lasso', params => '{"lambda": 1}');
SELECT mlplat.create_model('bad', 'TABLE t', 'y', 'lasso', params => '{"n_alphas": 1}');
SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DROP SCHEMA lasso_test CASCADE;
RESET client_min_messages;

\set algorithm lasso
\set task regression
\set options '{}'
\i test/sql/include/bad_input.sql
