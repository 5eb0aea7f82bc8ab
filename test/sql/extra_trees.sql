-- Extremely randomised trees: known results, options, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA extra_trees_test;
SET search_path = extra_trees_test;
CREATE TABLE t AS
    SELECT i AS id, (i * 37 % 101)::float8 AS a, CASE WHEN i % 11 <> 0 THEN (i * 53 % 89)::float8 END AS b, (ARRAY['red', 'green', 'blue', 'dark "grey"'])[1 + i % 4] AS colour,
           (i * 37 % 101) / 10.0 + CASE WHEN i % 4 = 2 THEN 5 ELSE 0 END AS y, (i * 37 % 101) > 50 AND i % 4 < 2 AS yes,
           CASE WHEN i * 37 % 101 < 30 THEN 'low' WHEN i % 4 > 1 THEN 'odd' ELSE 'high' END AS kind, 1 + i % 3 AS w
    FROM generate_series(1, 600) i;

-- What they find; without samples there are no rows out of the bag.
SELECT version, rows, metric, score > 0.95 AS good FROM mlplat.create_model('e_yes', 'SELECT a, b, colour, yes FROM t ORDER BY id', 'yes', 'extra_trees', metric => 'roc_auc');
SELECT version, metric, score > 0.9 AS good FROM mlplat.create_model('e_kind', 'SELECT a, b, colour, kind FROM t ORDER BY id', 'kind', 'extra_trees', metric => 'accuracy');
SELECT version, metric, score < 1 AS good FROM mlplat.create_model('e_y', 'SELECT a, b, colour, y FROM t ORDER BY id', 'y', 'extra_trees');
SELECT name, s -> 'trees' AS trees, s ? 'oob_rows' AS oob FROM (SELECT name, mlplat.model_info(name) -> 'summary' AS s FROM mlplat.models WHERE name LIKE 'e\_%') q ORDER BY name;
SELECT mlplat.model_info(mlplat.train(q, 'yes', '{"algorithm": "extra_trees", "bootstrap": true, "n_trees": 20}')) -> 'summary' ? 'oob_accuracy' AS oob FROM (SELECT a, b, colour, yes FROM t ORDER BY id) q;
-- All rows, every tree: the training rows are known by heart.
SELECT count(*) FILTER (WHERE mlplat.predict(image, t) <> t.yes::int) AS wrong
FROM (SELECT mlplat.train(q, 'yes', '{"algorithm": "extra_trees", "n_trees": 5}') AS image FROM (SELECT a, b, colour, yes FROM t ORDER BY id) q) m, t;
SELECT count(*) FILTER (WHERE abs(p - s) > 1e-6) AS wrong FROM (SELECT mlplat.predict('e_y', t) AS p, (SELECT sum(contribution) FROM mlplat.explain('e_y', t)) AS s FROM t WHERE id <= 10) q;
SELECT mlplat.train(t, 'y', '{"algorithm": "extra_trees", "criterion": "entropy"}') FROM t;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name LIKE 'e\_%';

-- What every algorithm must bear.
RESET search_path;
\set algorithm extra_trees
\set options '{"n_trees": 5}'
\set task classification
\i test/sql/include/bad_input.sql
\set task regression
\i test/sql/include/bad_input.sql

SET client_min_messages = warning;
DROP SCHEMA extra_trees_test CASCADE;
DELETE FROM mlplat.run;
