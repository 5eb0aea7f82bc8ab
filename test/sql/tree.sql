-- One decision tree: known results, options, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA tree_test;
SET search_path = tree_test;
CREATE TABLE t AS
    SELECT i AS id, (i * 37 % 101)::float8 AS a, CASE WHEN i % 11 <> 0 THEN (i * 53 % 89)::float8 END AS b, (ARRAY['red', 'green', 'blue', 'dark "grey"'])[1 + i % 4] AS colour,
           (i * 37 % 101) / 10.0 + CASE WHEN i % 4 = 2 THEN 5 ELSE 0 END AS y, (i * 37 % 101) > 50 AND i % 4 < 2 AS yes,
           CASE WHEN i * 37 % 101 < 30 THEN 'low' WHEN i % 4 > 1 THEN 'odd' ELSE 'high' END AS kind, 1 + i % 3 AS w
    FROM generate_series(1, 600) i;

-- A tree finds what made the data; probabilities are the shares of the leaves.
SELECT version, rows, metric, round(score::numeric, 3) AS score FROM mlplat.create_model('t_yes', 'SELECT a, b, colour, yes FROM t ORDER BY id', 'yes', 'tree', metric => 'accuracy');
SELECT version, metric, round(score::numeric, 3) AS score FROM mlplat.create_model('t_kind', 'SELECT a, b, colour, kind FROM t ORDER BY id', 'kind', 'tree', metric => 'accuracy');
SELECT version, metric, score < 0.5 AS good FROM mlplat.create_model('t_y', 'SELECT a, b, colour, y FROM t ORDER BY id', 'y', 'tree');
SELECT mlplat.model_info('t_yes') -> 'summary' AS summary;
SELECT mlplat.predict('t_yes', ROW(60, 1, 'red')) AS red, mlplat.predict('t_yes', ROW(60, 1, 'blue')) AS blue, mlplat.predict_probs('t_kind', ROW(10, 1, 'blue')) AS probs;
SELECT feature, round(importance::numeric, 3) AS importance FROM mlplat.feature_importance('t_yes') ORDER BY importance DESC, feature;

-- Contributions add up to the prediction.
SELECT count(*) FILTER (WHERE abs(p - s) > 1e-6) AS wrong, count(*) AS rows
FROM (SELECT mlplat.predict('t_y', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('t_y', t)) AS s FROM t WHERE id <= 50) q;

-- Limits, criteria, weights.
CREATE FUNCTION summary(options jsonb, target text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT mlplat.model_info(mlplat.train(q, target, '{"algorithm": "tree"}' || options ||
        jsonb_build_object('exclude', (SELECT jsonb_agg(c) FROM unnest('{id,y,yes,kind,w}'::text[]) c WHERE c NOT IN (target, coalesce(options ->> 'weight', '')))))) -> 'summary'
    FROM (SELECT * FROM t ORDER BY id) q $$;
SELECT o, summary(o::jsonb, 'kind') FROM unnest(ARRAY['{"max_depth": 1}', '{"max_leaves": 3}', '{"min_leaf_rows": 200}', '{"min_split_rows": 500}', '{"criterion": "entropy"}', '{"weight": "w"}', '{"class_weight": "balanced", "max_leaves": 2}', '{"min_gain": 0.5}']) o;
SELECT o, summary(o::jsonb, 'y') ->> 'leaves' AS leaves FROM unnest(ARRAY['{"max_depth": 2}', '{"max_leaves": 7}', '{"min_leaf_rows": 60}', '{"weight": "w", "max_leaves": 4}']) o;

-- Pruning: more alpha, fewer leaves; a target without structure has one leaf.
SELECT alpha, (summary(jsonb_build_object('ccp_alpha', alpha), 'y') ->> 'leaves')::int AS leaves FROM unnest('{0, 0.0001, 0.01, 0.1, 1, 100}'::float8[]) alpha;
SELECT (summary('{"ccp_alpha": "auto"}', 'y') ->> 'leaves')::int AS y, summary('{"ccp_alpha": "auto"}', 'y') ? 'cv_loss_se' AS cv, (summary('{"ccp_alpha": "auto"}', 'kind') ->> 'leaves')::int AS kind;
SELECT mlplat.model_info(mlplat.train(q, 'y', '{"algorithm": "tree", "ccp_alpha": "auto"}')) -> 'summary' ->> 'leaves' AS noise FROM (SELECT hashint4(i) % 1000 AS x, hashint4(-i) % 1000 / 1000.0 AS y FROM generate_series(1, 500) i ORDER BY i) q;

-- Errors.
SELECT summary('{"criterion": "squared"}', 'kind');
SELECT summary('{"criterion": "gini"}', 'y');
SELECT summary('{"criterion": "brier"}', 'y');
SELECT summary('{"max_features": 0}', 'y');
SELECT summary('{"max_features": 1.5}', 'y');
SELECT summary('{"max_features": "half"}', 'y');
SELECT summary('{"ccp_alpha": -1}', 'y');
SELECT summary('{"ccp_alpha": "some"}', 'y');
SELECT summary('{"n_trees": 5}', 'y');
SELECT summary('{"max_depth": 1000}', 'y');
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name LIKE 't\_%';

-- What every algorithm must bear.
RESET search_path;
\set algorithm tree
\set options '{}'
\set task classification
\i test/sql/include/bad_input.sql
\set task regression
\i test/sql/include/bad_input.sql

SET client_min_messages = warning;
DROP SCHEMA tree_test CASCADE;
DELETE FROM mlplat.run;
