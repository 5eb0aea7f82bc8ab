-- The views of the registry and of what can be trained; looking into models.
\set SHOW_CONTEXT never
CREATE SCHEMA looking;
SET search_path = looking;
CREATE TABLE t AS SELECT i AS id, (i % 23)::float8 AS a, (i % 7)::float8 AS b, chr(97 + i % 3) AS c, 3 * (i % 23) - 2 * (i % 7) + (i % 3) + (i * 31 % 11) / 20.0 AS y, (i % 23 + i % 7) > 12 AS late FROM generate_series(1, 700) i;

-- every algorithm and every option has a name, a type and a help text; defaults lie in their range
SELECT name, tasks, streaming, summary <> '' AS summary FROM mlplat.algorithms WHERE name IN ('gbdt', 'linear', 'logistic') ORDER BY name;
SELECT count(*) > 20 AS many, bool_and(help ~ '^[[:alnum:]].*[^ ]$') AS help, bool_and(type IN ('integer', 'real', 'boolean', 'choice', 'text', 'json')) AS types,
       bool_and(type NOT IN ('integer', 'real') OR default_value IS NULL OR default_value::float8 BETWEEN coalesce(min, '-infinity') AND coalesce(max, 'infinity')) AS in_range,
       bool_and((type = 'choice') = (choices IS NOT NULL)) AS choices, bool_and(type <> 'choice' OR default_value IS NULL OR default_value = ANY (choices)) AS default_is_a_choice,
       bool_and(algorithm IS NULL OR algorithm IN (SELECT name FROM mlplat.algorithms)) AS algorithms, count(*) = count(DISTINCT (algorithm, name)) AS distinct_names FROM mlplat.parameters;
SELECT name, type, default_value, choices FROM mlplat.parameters WHERE algorithm IS NULL ORDER BY name;
-- a default that is given is the same as one that is left out
CREATE FUNCTION defaults(algo text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(name, CASE WHEN type IN ('integer', 'real', 'boolean') THEN default_value::jsonb ELSE to_jsonb(default_value) END) FROM mlplat.parameters WHERE algorithm = algo AND default_value IS NOT NULL AND type <> 'json' $$;
SELECT (SELECT mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["late"]}' ORDER BY id) FROM t) = (SELECT mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["late"]}' || defaults('linear') ORDER BY id) FROM t) AS linear,
       (SELECT mlplat.train(t, 'late', '{"algorithm": "gbdt", "exclude": ["y"]}' ORDER BY id) FROM t) = (SELECT mlplat.train(t, 'late', '{"algorithm": "gbdt", "exclude": ["y"]}' || defaults('gbdt') ORDER BY id) FROM t) AS gbdt;

-- models, model_versions, runs
SELECT version, active FROM mlplat.create_model('y', 'SELECT a, b, c, y FROM t', 'y', 'linear');
SELECT version, active FROM mlplat.create_model('y', 'SELECT a, y FROM t', 'y', 'linear', '{"l2": 2}', exclude => '{}', seed => 3);
SELECT version, active FROM mlplat.create_model('late', 'SELECT a, b, c, late FROM t', 'late', 'gbdt', '{"n_trees": 10}', metric => 'roc_auc');
SELECT name, active_version, versions, algorithm, task, target, rows, metric, round(score::numeric, 2) AS score, trained_at > now() - interval '1 hour' AS recent FROM mlplat.models ORDER BY name;
SELECT name, version, active, rows, rows_dropped, rows_holdout, params -> 'l2' AS l2, metrics ? 'rmse' AS rmse, metrics ? 'roc_auc' AS roc_auc, summary ? 'r2' AS r2, query FROM mlplat.model_versions ORDER BY name, version;
SELECT model, version, target, algorithm, options, rows, rows_holdout, metric, promoted, seconds BETWEEN 0 AND 60 AND started_at < clock_timestamp() AS timed FROM mlplat.runs ORDER BY run_id;
-- runs stay when models go
SELECT mlplat.drop_model('late');
SELECT count(*) AS runs FROM mlplat.runs WHERE model = 'late';
-- what was not committed is no run
BEGIN;
SELECT version FROM mlplat.create_model('gone', 'SELECT a, y FROM t', 'y', 'linear');
ROLLBACK;
SELECT count(*) AS runs FROM mlplat.runs WHERE model = 'gone';

-- into a model, by name, version and image
SELECT feature, class, round(coefficient::numeric, 3) AS coefficient, std_error > 0 AS std_error, statistic IS NOT NULL AS statistic, p_value BETWEEN 0 AND 1 AS p_value FROM mlplat.coefficients('y');
SELECT feature, round(coefficient::numeric, 3) AS coefficient, std_error FROM mlplat.coefficients('y@2');
SELECT feature, round(importance::numeric, 2) AS importance FROM mlplat.feature_importance('y') ORDER BY importance DESC;
SELECT image FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'y' AND version = 1 \gset
SELECT (SELECT array_agg(c ORDER BY feature) FROM mlplat.coefficients('y') c) = (SELECT array_agg(c ORDER BY feature) FROM mlplat.coefficients(:'image'::bytea) c) AS coefficients,
       (SELECT array_agg(f ORDER BY feature) FROM mlplat.feature_importance('y') f) = (SELECT array_agg(f ORDER BY feature) FROM mlplat.feature_importance(:'image'::bytea) f) AS importance,
       mlplat.model_info('y') = mlplat.model_info(:'image'::bytea) AS info, mlplat.model_info('y') = mlplat.model_info('y@1') AS version, round(sum(importance)::numeric, 6) AS sum FROM mlplat.feature_importance('y');
SELECT info ->> 'algorithm' AS algorithm, info ->> 'target' AS target, info -> 'rows' AS rows, info -> 'holdout_rows' AS holdout, info -> 'metrics' ? 'mae' AS mae, jsonb_typeof(info -> 'log') AS log, info -> 'curves' ? 'residuals' AS residuals
FROM (SELECT mlplat.model_info('y') AS info) i;
SELECT mlplat.coefficients(NULL::text), mlplat.model_info(NULL::bytea), mlplat.report(NULL);
SELECT mlplat.model_info('y@7');
-- sets in other places than FROM
SELECT count(c) FROM (SELECT mlplat.coefficients('y') AS c) s;
SELECT name, (SELECT count(*) FROM mlplat.coefficients(m.name)) AS coefficients FROM mlplat.models m ORDER BY name;
SELECT substr(page, 1, 15) AS doctype, page LIKE '%</html>%' AS ends, page !~ '(src|href)="https?:' AS self_contained, length(page) > 5000 AS long FROM (SELECT mlplat.report('y') AS page) r;
SELECT mlplat.report('y@2') <> mlplat.report('y') AS versions_differ;

-- every function, table, view and type of the extension is commented and states what it is
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'mlplat'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL ORDER BY 1;
SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'mlplat'::regnamespace AND relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL ORDER BY 1;
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'mlplat'::regnamespace AND prosecdef ORDER BY 1;
SELECT p.oid::regprocedure AS unsafe FROM pg_proc p WHERE pronamespace = 'mlplat'::regnamespace AND proname ~ '^predict' AND proname <> 'predict_batch' AND (proparallel <> 's' OR provolatile <> CASE WHEN proargtypes[0] = 'bytea'::regtype OR proname ~ 'support' THEN 'i' ELSE 's' END) ORDER BY 1;

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA looking CASCADE;
