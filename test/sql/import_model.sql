-- Models of other libraries: their files become versions and images like any other.
\set SHOW_CONTEXT never
SET extra_float_digits = 0;
CREATE SCHEMA import_model;
SET search_path = import_model;

-- age <= 30.5, missing left ? (sum <= -1 ? 1 : 2) : (job in {b, d} ? 3 : 4), and 0.5
CREATE FUNCTION lightgbm(objective text DEFAULT 'regression', labels text DEFAULT '[["a", "b", "c", "d"]]') RETURNS text LANGUAGE sql IMMUTABLE AS
$f$ SELECT format($$tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=%s
feature_names=age sum job
feature_infos=[18:70] [-5:5] 0:1:2:3

Tree=0
num_leaves=4
num_cat=1
split_feature=0 1 2
split_gain=10 5 2
threshold=30.5 -1 0
decision_type=10 0 1
left_child=1 -1 -3
right_child=2 -2 -4
leaf_value=1 2 3 4
leaf_count=10 20 30 40
cat_boundaries=0 1
cat_threshold=10
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
leaf_value=0.5
leaf_count=100

end of trees

pandas_categorical:%s
$$, objective, labels) $f$;
CREATE FUNCTION xgboost(objective text DEFAULT 'binary:logistic', booster text DEFAULT 'gbtree') RETURNS text LANGUAGE sql IMMUTABLE AS
$f$ SELECT format($${"learner": {"feature_names": ["x", "k"], "feature_types": ["float", "c"], "gradient_booster": {"name": "%2$s", "model": {"tree_info": [0],
    "trees": [{"categories": [1, 3], "categories_nodes": [2], "categories_segments": [0], "categories_sizes": [2], "default_left": [0, 0, 1, 0, 0],
        "left_children": [1, -1, 3, -1, -1], "right_children": [2, -1, 4, -1, -1], "loss_changes": [9.5, 0, 4, 0, 0], "split_conditions": [0.1, 1, NaN, 2, 3],
        "split_indices": [0, 0, 1, 0, 0], "split_type": [0, 0, 1, 0, 0], "sum_hessian": [4, 1, 3, 1, 2]}]}},
    "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"}, "objective": {"name": "%1$s"}}, "version": [1, 7, 4]}$$, objective, booster) $f$;
CREATE TABLE row (id int, age int, sum float8, job text);
INSERT INTO row VALUES (1, 20, -2, 'a'), (2, 30, 0, 'b'), (3, 31, 0, 'b'), (4, 31, 0, 'c'), (5, NULL, NULL, NULL), (6, 99, 0, NULL), (7, 99, 0, 'new'), (8, 20, 'NaN', 'd');

SELECT mlplat.import_model('pay', 'lightgbm', lightgbm(), '{"target": "pay"}') AS version;
SELECT id, mlplat.predict('pay', r) FROM row r ORDER BY id;
SELECT name, active_version, algorithm, task, target, rows, score FROM mlplat.models WHERE name = 'pay';
SELECT feature, importance FROM mlplat.feature_importance('pay') ORDER BY importance DESC;
SELECT tree, node, parent, rule, rows, value FROM mlplat.tree_nodes('pay') ORDER BY tree, node;
SELECT e.* FROM row r, mlplat.explain('pay', r) e WHERE id = 4;
SELECT mlplat.model_info('pay') -> 'summary' AS summary;
SELECT length(mlplat.report('pay')) > 1000 AS report;
-- bytes and text, twice the same image; an image is a constant
SELECT mlplat.model_image('lightgbm', lightgbm()) = mlplat.model_image('lightgbm', convert_to(lightgbm(), 'UTF8')) AS same;
SELECT id, round(mlplat.predict(mlplat.model_image('lightgbm', lightgbm('binary sigmoid:1'), '{"classes": ["no", "yes"]}'), r)::numeric, 6) AS p,
       mlplat.predict_class(mlplat.model_image('lightgbm', lightgbm('binary sigmoid:1'), '{"classes": ["no", "yes"]}'), r) FROM row r ORDER BY id LIMIT 2;
-- without labels a code is its own label, whatever the type of its column
CREATE TABLE coded AS SELECT 40 AS age, 0::float8 AS sum, job, job::int2 AS small, job::float8 AS wide, job::text AS word FROM generate_series(0, 4) job;
SELECT mlplat.import_model('coded', 'lightgbm', lightgbm(labels => 'null')) AS version;
\set codes 'SELECT mlplat.predict(''coded'', ROW(age, sum, job)) AS int, mlplat.predict(''coded'', ROW(age, sum, small)) AS small, mlplat.predict(''coded'', ROW(age, sum, wide)) AS wide, mlplat.predict(''coded'', ROW(age, sum, word)) AS word FROM coded ORDER BY job'
SELECT mlplat.model_image('lightgbm', lightgbm(labels => 'null')) = mlplat.model_image('lightgbm', replace(lightgbm(), 'pandas_categorical:', 'none:')) AS same;
:codes;
-- XGBoost: numbers are compared as floats
SELECT mlplat.import_model('x', 'xgboost', xgboost(), '{"classes": [false, true], "target": "late"}') AS version;
SELECT x, k, round(mlplat.predict('x', t)::numeric, 6) AS p, mlplat.predict_class('x', t)
FROM (VALUES (0.0999::float8, 0), (0.09999999999999999, 1), (0.1, 3), (0.1, 7), (NULL, NULL)) t(x, k);
SELECT round(mlplat.predict('x', '{"x": 3, "k": "1"}'::jsonb)::numeric, 6) AS p;

-- it can be gone on from
CREATE TABLE more AS SELECT i % 60 AS age, (i % 7)::float8 AS sum, chr(97 + i % 4) AS job, (i % 60) / 10.0 AS pay FROM generate_series(1, 500) i;
SELECT version FROM mlplat.create_model('more', 'TABLE more', 'pay', 'gbdt', '{"n_trees": 20}', continue_from => 'pay', holdout => 0);
SELECT mlplat.rmse(pay, mlplat.predict('more', m)) < 0.5 * mlplat.rmse(pay, mlplat.predict('pay', m)) AS better FROM more m;

-- errors
SELECT mlplat.import_model('bad', 'lightgm', lightgbm());
SELECT mlplat.import_model('bad', 'lightgbm', xgboost());
SELECT mlplat.import_model('bad', 'xgboost', lightgbm());
SELECT mlplat.import_model('bad', 'xgboost', '{"learner": {}}');
SELECT mlplat.import_model('bad', 'xgboost', '{"learner"');
SELECT mlplat.import_model('bad', 'xgboost', '\x7b4c'::bytea);
SELECT mlplat.import_model('bad', 'xgboost', xgboost(booster => 'gblinear'));
SELECT mlplat.import_model('bad', 'xgboost', xgboost('binary:hinge'));
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm('regression sqrt'));
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm('multiclassova num_class:3'));
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(labels => '[["a"], ["b"]]'));
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(labels => '[["a"]]'));
SELECT mlplat.import_model('bad', 'lightgbm', left(lightgbm(), 400));
SELECT mlplat.import_model('bad', 'lightgbm', replace(lightgbm(), 'decision_type=10', 'decision_type=4'));
SELECT mlplat.import_model('bad', 'lightgbm', replace(lightgbm(), 'is_linear=0', 'is_linear=1'));
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(), '{"class": ["a"]}');
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(), '{"classes": ["a", "b"]}');
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm('binary'), '{"classes": ["a", "a"]}');
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(), '{"features": ["a", "b"]}');
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(), '{"categories": {"age": ["b"]}}');
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm(), '[]');
SELECT mlplat.import_model('bad@2', 'lightgbm', lightgbm());
SELECT count(*) AS bad FROM mlplat.models WHERE name LIKE 'bad%';
BEGIN TRANSACTION READ ONLY;
SELECT mlplat.import_model('bad', 'lightgbm', lightgbm());
ROLLBACK;
SELECT mlplat.import_model(NULL, 'lightgbm', lightgbm()) IS NULL AS strict;

-- names need quotes, and come from the option
SELECT mlplat.import_model('it''s', 'lightgbm', lightgbm(), '{"features": ["A \"b\" <script>", "sum", "job"], "categories": {"job": [1, "zwei", 3.5, true]}}') AS version;
SELECT mlplat.predict('it''s', t) FROM (VALUES (40, 0, 'zwei'), (40, 0, '3.5'), (40, 0, 'true')) t("A ""b"" <script>", sum, job);

SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name IN ('pay', 'coded', 'x', 'more', 'it''s');
DROP SCHEMA import_model CASCADE;
