-- Boosting: its objectives, monotone features, sampling; what it refuses.
\set SHOW_CONTEXT never
CREATE SCHEMA gbdt;
SET search_path = gbdt;
CREATE TABLE claim AS
    SELECT i AS id, (i * 7919 % 997) / 997.0 AS age, (i * 104729 % 991) / 991.0 AS power, chr(97 + i % 5) AS region, chr(97 + i % 3) AS kind,
           floor(exp(2 * (i * 7919 % 997) / 997.0) * ((i * 31 % 100) / 100.0) * 1.5) AS n,
           3 * (i * 7919 % 997) / 997.0 + (i * 31 % 100) / 100.0 + CASE WHEN i % 50 = 0 THEN 100 ELSE 0 END AS cost
    FROM generate_series(1, 3000) i;

-- every objective of numbers, on its own measure
CREATE FUNCTION fit(target text, options jsonb) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE image bytea;
BEGIN
    EXECUTE format('SELECT mlplat.train(q, %L, %L) FROM (SELECT age, power, region, %I FROM claim ORDER BY id) q',
                   target, '{"algorithm": "gbdt", "n_trees": 60}'::jsonb || options, target) INTO image;
    RETURN image;
END $$;
CREATE TABLE m AS
    SELECT o AS objective, fit(CASE WHEN o IN ('poisson', 'tweedie') THEN 'n' ELSE 'cost' END, jsonb_build_object('objective', o, 'task', 'regression')) AS image
    FROM unnest('{squared,absolute,huber,quantile,poisson,tweedie}'::text[]) o;
SELECT objective, round(avg(abs(cost - p))::numeric, 1) AS mean_absolute_error, round(avg((cost <= p)::int), 1) AS share_below
FROM m, LATERAL (SELECT cost, mlplat.predict(image, c) AS p FROM claim c) s WHERE objective NOT IN ('poisson', 'tweedie') GROUP BY 1 ORDER BY 1;
SELECT objective, min(p) > 0 AS positive, abs(avg(p) / avg(n) - 1) < 0.03 AS mean_kept, corr(p, n) > 0.5 AS follows
FROM m, LATERAL (SELECT n, mlplat.predict(image, c) AS p FROM claim c) s WHERE objective IN ('poisson', 'tweedie') GROUP BY 1 ORDER BY 1;
-- contributions add up to the logarithm of what is predicted
SELECT objective, bool_and(abs(ln(p) - total) < 1e-6) AS adds_up
FROM m, claim c, LATERAL (SELECT mlplat.predict(image, c) AS p) s, LATERAL (SELECT sum(contribution) AS total FROM mlplat.explain(image, c, 99)) e
WHERE objective IN ('poisson', 'tweedie') AND id <= 20 GROUP BY 1 ORDER BY 1;
-- the log: the loss falls, and each round has its norms and its step
SELECT count(*) AS rounds, (max((line ->> 'loss')::float8) FILTER (WHERE i = 1) > max((line ->> 'loss')::float8) FILTER (WHERE i = 60)) AS falls,
       bool_and((line ->> 'gradient_norm')::float8 > 0 AND (line ->> 'weight_norm')::float8 > 0) AS norms, min((line ->> 'step')::float8) AS step
FROM m, jsonb_array_elements(mlplat.model_info(image) -> 'log') WITH ORDINALITY l(line, i) WHERE objective = 'squared';

-- monotone: over the whole range of age, whatever the rest
SELECT count(*) FILTER (WHERE p < before) AS falls, count(*) FILTER (WHERE p > before) > 0 AS rises
FROM (SELECT mlplat.predict(image, ROW(a / 50.0, power, region)) AS p, lag(mlplat.predict(image, ROW(a / 50.0, power, region))) OVER (PARTITION BY id ORDER BY a) AS before
      FROM (SELECT fit('cost', '{"monotone": {"age": 1, "power": -1}}') AS image) f, (SELECT * FROM claim WHERE id <= 40) c, generate_series(0, 50) a) s;

-- goss learns about as well from fewer rows
SELECT mlplat.rmse(n, mlplat.predict(a, c)) < 1.2 * mlplat.rmse(n, mlplat.predict(b, c)) AS about_as_good
FROM (SELECT fit('n', '{"sampling": "goss", "task": "regression"}') AS a, fit('n', '{"task": "regression"}') AS b) f, claim c;

-- going on from a model: with new rows, new levels and a shifted number; the first model's trees stay
SELECT rows FROM mlplat.create_model('claims', 'SELECT age, power, region, cost FROM claim WHERE id <= 2000', 'cost', 'gbdt', '{"n_trees": 40}', holdout => 0);
SELECT rows FROM mlplat.create_model('claims', 'SELECT age + 0.5 AS age, power, CASE WHEN id % 3 = 0 THEN ''new'' ELSE region END AS region, cost FROM claim WHERE id > 2000', 'cost', 'gbdt', '{"n_trees": 25}', holdout => 0, continue_from => 'claims', promote => 'always');
SELECT v, mlplat.model_info(v) -> 'summary' -> 'trees' AS trees FROM unnest('{claims@1,claims@2}'::text[]) v ORDER BY v;
SELECT mlplat.rmse(cost, mlplat.predict('claims@2', c)) < mlplat.rmse(cost, mlplat.predict('claims@1', c)) AS better
FROM (SELECT age + 0.5 AS age, power, CASE WHEN id % 3 = 0 THEN 'new' ELSE region END AS region, cost FROM claim WHERE id > 2000) c;
SELECT mlplat.create_model('claims', 'SELECT age, power, region, cost FROM claim', 'cost', 'gbdt', '{"n_trees": 5, "objective": "absolute"}', continue_from => 'claims');
SELECT mlplat.drop_model('claims');

-- what is refused
CREATE FUNCTION says(target text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE tip text;
BEGIN
    PERFORM fit(target, options);
    RETURN 'trains';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS tip = PG_EXCEPTION_HINT;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN tip <> '' THEN ' (' || tip || ')' ELSE '' END;
END $$;
SELECT says('cost', '{"objective": "logistic"}');
SELECT says('cost', '{"objective": "binary"}');
SELECT says('kind', '{"objective": "poisson"}');
SELECT says('kind', '{"objective": "binary"}');
SELECT says('cost', '{"objective": "quantile", "alpha": 1.5}');
SELECT says('cost', '{"objective": "quantile", "alpha": 0}');
SELECT says('cost', '{"objective": "tweedie", "tweedie_power": 2}');
UPDATE claim SET n = -3 WHERE id = 77;
SELECT says('n', '{"objective": "poisson", "task": "regression"}');
UPDATE claim SET n = 0;
SELECT says('n', '{"objective": "tweedie", "task": "regression"}');
SELECT says('cost', '{"monotone": {"aeg": 1}}');
SELECT says('cost', '{"monotone": {"region": 1}}');
SELECT says('cost', '{"monotone": {"age": "up"}}');
SELECT says('cost', '{"monotone": {"age": 0.5}}');
SELECT says('cost', '{"monotone": ["age"]}');
SELECT says('cost', '{"monotone": {}}');
SELECT says('kind', '{"monotone": {"age": 1}}');
SELECT says('cost', '{"sampling": "goss", "subsample": 0.5}');
SELECT says('cost', '{"sampling": "goss", "top_rate": 0.8, "other_rate": 0.3}');

-- the common list
\set algorithm gbdt
\set options '{"n_trees": 3, "min_leaf_rows": 2}'
\set task regression
\i test/sql/include/bad_input.sql
\set task classification
\i test/sql/include/bad_input.sql
DROP SCHEMA gbdt CASCADE;
