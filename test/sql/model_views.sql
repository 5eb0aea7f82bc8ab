-- Views of what models are made of: the same as the functions, for all versions.
CREATE TABLE spot AS SELECT (i * 37 % 101) / 101.0 AS a, (i * 53 % 97) / 97.0 AS b, (i * 37 % 101) + (i * 53 % 97) + i % 31 > 110 AS hit FROM generate_series(1, 400) i;
SELECT mlplat.create_model('mv line', 'TABLE spot', 'hit', 'logistic') IS NOT NULL, mlplat.create_model('mv tree', 'TABLE spot', 'hit', 'tree') IS NOT NULL,
    mlplat.create_model('mv near', 'TABLE spot', 'hit', 'knn') IS NOT NULL, mlplat.create_model('mv tree', 'TABLE spot', 'hit', 'gbdt', '{"n_trees": 2}') IS NOT NULL;
-- A version whose bytes and facts are nonsense has no rows, and spoils no others'.
INSERT INTO mlplat.version (model_id, version, info, image) SELECT model_id, 7, '{"importance": [3, null, {"feature": "a", "gain": "much"}, {"gain": 1e999}]}', '\xdeadbeef' FROM mlplat.registry WHERE name = 'mv line';
\pset null '(null)'

SELECT count(*) AS rows, bool_and((v.feature, v.coefficient, v.std_error) IS NOT DISTINCT FROM (c.feature, c.coefficient, c.std_error)) AS same
FROM (SELECT * FROM mlplat.coefficients WHERE model LIKE 'mv%') v FULL JOIN mlplat.coefficients('mv line@1') c USING (feature);
SELECT model, version, count(*) AS rows, sum(importance) BETWEEN 0.999 AND 1.001 AS shares FROM mlplat.feature_importance WHERE model LIKE 'mv%' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT model, version, feature, importance FROM mlplat.feature_importance WHERE version = 7 ORDER BY feature;
SELECT v.version, count(*) = (SELECT count(*) FROM mlplat.tree_nodes('mv tree@' || v.version)) AS same, count(DISTINCT tree) AS trees FROM mlplat.tree_nodes v WHERE model = 'mv tree' GROUP BY 1 ORDER BY 1;
SELECT v.version, count(*) = (SELECT count(*) FROM mlplat.tree_rules('mv tree@' || v.version)) AS same FROM mlplat.tree_rules v WHERE model = 'mv tree' GROUP BY 1 ORDER BY 1;
SELECT DISTINCT model FROM mlplat.tree_nodes WHERE model LIKE 'mv%';

SELECT name, version, mlplat.image_has(image, 'coefficients') AS coefficients, mlplat.image_has(image, 'nodes') AS nodes
FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE name LIKE 'mv%' ORDER BY 1, 2;
SELECT mlplat.image_has('', 'nodes'), mlplat.image_has(NULL, 'nodes');
SELECT mlplat.image_has('', 'roots');

CREATE ROLE regress_viewer;
SET ROLE regress_viewer;
SELECT (SELECT count(*) FROM mlplat.coefficients) AS coefficients, (SELECT count(*) FROM mlplat.feature_importance) AS importance,
    (SELECT count(*) FROM mlplat.tree_nodes) AS nodes, (SELECT count(*) FROM mlplat.tree_rules) AS rules;
RESET ROLE;
DROP ROLE regress_viewer;
SELECT mlplat.drop_model(name) FROM mlplat.models WHERE name LIKE 'mv%';
DELETE FROM mlplat.run WHERE model LIKE 'mv%';
DROP TABLE spot;
