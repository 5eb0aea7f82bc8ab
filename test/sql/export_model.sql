-- Models as JSON: what is in it, and that a program can predict from it.
\set SHOW_CONTEXT never
CREATE SCHEMA export_model;
SET search_path = export_model;
CREATE TABLE t AS SELECT i % 50 AS "a ""<script>""", nullif(i % 7, 3)::float8 AS b, CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y"' END AS c,
    i % 50 + (i % 7) * 3 + (i % 3) * 5 AS y FROM generate_series(1, 300) i;

SELECT (mlplat.create_model('flat', 'TABLE t', 'y', 'linear', holdout => 0)).rows;
SELECT jsonb_pretty(mlplat.export_model('flat')::jsonb - '{info,columns,coefficients}'::text[] #- '{formula,outputs}') AS flat;
SELECT c ->> 'feature' AS feature, c -> 'level' AS level, c -> 'missing' AS missing, round((c -> 'coefficients' ->> 0)::numeric, 4) AS coefficient
FROM jsonb_array_elements(mlplat.export_model('flat')::jsonb -> 'columns') c;

-- trees: walk them here
SELECT (mlplat.create_model('trees', 'TABLE t', 'y', 'gbdt', '{"n_trees": 5, "max_leaves": 4}', holdout => 0)).rows;
CREATE TABLE model AS SELECT mlplat.export_model('trees')::jsonb AS m;
SELECT m -> 'formula' ->> 'link' AS link, jsonb_array_length(m -> 'trees') AS trees, m -> 'info' -> 'params' -> 'max_leaves' AS max_leaves FROM model;
WITH RECURSIVE walk AS (
    SELECT t.ctid AS id, t AS r, tree -> 'nodes' AS nodes, tree -> 'nodes' -> 0 AS node FROM t, model, jsonb_array_elements(m -> 'trees') tree
    UNION ALL
    SELECT id, r, nodes, nodes -> CASE WHEN
        CASE node ->> 'feature' WHEN 'c' THEN coalesce(node -> 'levels_left' ? (r).c, (node -> 'missing_left')::boolean)
             WHEN 'b' THEN coalesce((r).b <= (node ->> 'threshold')::float8, (node -> 'missing_left')::boolean)
             ELSE coalesce((r)."a ""<script>""" <= (node ->> 'threshold')::float8, (node -> 'missing_left')::boolean) END
        THEN (node -> 'left')::int ELSE (node -> 'right')::int END
    FROM walk WHERE node ? 'left')
SELECT bool_and(abs(p - mlplat.predict('trees', r)) < 1e-6) AS same
FROM (SELECT r, (m #>> '{formula,outputs,0,base}')::float8 + sum((node ->> 'value')::float8) AS p FROM walk, model WHERE node ? 'value' GROUP BY id, r, m) q;

-- every algorithm that has something to tell
CREATE FUNCTION members(algorithm text, tasks text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE target text := CASE WHEN 'regression' = ANY (tasks) THEN 'y' WHEN 'classification' = ANY (tasks) THEN 'c' END;
    columns text := CASE target WHEN 'y' THEN 'b, y' WHEN 'c' THEN 'b, y, c' ELSE 'b, y' END;
    members text;
BEGIN
    EXECUTE format('SELECT string_agg(k, '' '' ORDER BY k) FROM jsonb_object_keys((SELECT mlplat.export_model(mlplat.train(r, %L, %L)) FROM (SELECT %s FROM t) r)::jsonb) k',
        target, jsonb_build_object('algorithm', algorithm, 'task', CASE target WHEN 'y' THEN 'regression' WHEN 'c' THEN 'classification' ELSE tasks[1] END), columns) INTO members;
    RETURN members;
EXCEPTION WHEN invalid_parameter_value THEN RETURN SQLERRM;
END $$;
SELECT name, members(name, tasks) FROM mlplat.algorithms WHERE name <> 'naive_bayes' ORDER BY name;

-- errors
SELECT mlplat.export_model('nobody');
SELECT mlplat.export_model('flat', 'pmml');
SELECT mlplat.export_model(mlplat.train(t, 'y', '{"algorithm": "knn"}')) FROM (SELECT b, y FROM t) t;
SELECT mlplat.export_model('\x00'::bytea);
SELECT mlplat.export_model('flat', NULL) IS NULL AS strict;

SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name IN ('flat', 'trees');
DROP SCHEMA export_model CASCADE;
