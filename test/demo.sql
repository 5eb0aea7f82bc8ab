-- demo.sql: the main job on real flights. Run by test/demo.sh; :csv is the path of the file.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null '-'
SET client_min_messages = warning;
SET extra_float_digits = -9;
\timing off

\echo
\echo '== 1. Install: one statement, nothing else on the server.'
\set ECHO queries
CREATE EXTENSION mlplat;

\set ECHO none
\echo
\echo '== 2. Import 200,000 flights from a compressed CSV file. Table and types come from the file.'
\set ECHO queries
SELECT * FROM mlplat.import_csv('flights', :'csv');

\set ECHO none
\echo
\echo '== 3. Look at the data: one reading of the table.'
\set ECHO queries
SELECT column_name, type, nulls, distinct_values AS "distinct", min, max, round(mean::numeric, 1) AS mean,
       top_values -> 0 ->> 'value' AS most_frequent, suggested_role
FROM mlplat.profile('TABLE flights');

\set ECHO none
\echo
\echo '== 4. Split: a part of every flight is decided by a hash of its key, the same on every machine.'
\echo '   Question: does a flight arrive more than 15 minutes late?'
\set ECHO queries
ALTER TABLE flights ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
CREATE VIEW flights_train AS
    SELECT date, distance, origin, destination, delay > 15 AS late FROM flights WHERE mlplat.part_of(id) = 1;
CREATE VIEW flights_test AS
    SELECT id, date, distance, origin, destination, delay > 15 AS late FROM flights WHERE mlplat.part_of(id) = 2;
SELECT 'train' AS part, count(*), avg(late::int) AS share_late FROM flights_train
UNION ALL SELECT 'test', count(*), avg(late::int) FROM flights_test ORDER BY 1 DESC;

\set ECHO none
\echo
\echo '== 5. Train two models: boosted trees, and a logistic regression. Both keep a fifth of the rows to measure themselves.'
\set ECHO queries
SELECT * FROM mlplat.create_model('late', 'TABLE flights_train', 'late', 'gbdt');
SELECT * FROM mlplat.create_model('late_logistic', 'TABLE flights_train', 'late', 'logistic');

\set ECHO none
\echo
\echo '== 6. Evaluate both on the flights that neither has seen. Metrics are aggregates: any query will do.'
\set ECHO queries
SELECT m AS model, count(*) AS flights, mlplat.roc_auc(late, mlplat.predict(m, t)) AS roc_auc,
       mlplat.log_loss(late, mlplat.predict(m, t)) AS log_loss,
       mlplat.accuracy(late, mlplat.predict(m, t) > 0.5) AS accuracy
FROM flights_test t, unnest('{late,late_logistic}'::text[]) AS m GROUP BY m ORDER BY m;

\set ECHO none
\echo
\echo '   ... the same for the boosted trees by month:'
\set ECHO queries
SELECT extract(month FROM date) AS month, count(*) AS flights, mlplat.roc_auc(late, mlplat.predict('late', t)) AS roc_auc
FROM flights_test t GROUP BY 1 ORDER BY 1;

\set ECHO none
\echo
\echo '== 7. Predict: a function in any query.'
\set ECHO queries
SELECT date, origin, destination, late, mlplat.predict('late', t) AS probability, mlplat.predict_class('late', t) AS class
FROM flights_test t ORDER BY mlplat.predict('late', t) DESC LIMIT 5;
SELECT mlplat.predict_probs('late', '{"date": "2001-03-02T18:30:00", "distance": 733, "origin": "ORD", "destination": "LGA"}'::jsonb);

\set ECHO none
\echo
\echo '   Why: what each feature adds to the log-odds of one flight, and what the models go by in general.'
\set ECHO queries
SELECT e.* FROM (SELECT * FROM flights_test t ORDER BY mlplat.predict('late', t) DESC LIMIT 1) t, mlplat.explain('late', t, 4) e;
SELECT feature, importance FROM mlplat.feature_importance('late') ORDER BY importance DESC LIMIT 5;
SELECT feature, coefficient FROM mlplat.coefficients('late_logistic') ORDER BY abs(coefficient) DESC LIMIT 5;

\set ECHO none
\echo
\echo '== 8. Choose: candidates on three folds, all from one reading; then one tree that people can read.'
\set ECHO queries
SELECT name, version, algorithm, metric, score, seconds, active
FROM mlplat.create_model('late_small', 'TABLE flights_train', 'late', 'gbdt', '{"n_trees": 100}', folds => 3,
                         search => '{"max_leaves": [15, 63], "learning_rate": [0.1, 0.2]}');
SELECT rank, params, score, stddev, chosen FROM mlplat.trials WHERE model = 'late_small' ORDER BY rank, trial;
SELECT name, algorithm, score FROM mlplat.create_model('late_tree', 'TABLE flights_train', 'late', 'tree',
                                                       '{"max_depth": 3, "min_leaf_rows": 500}', exclude => '{origin,destination}');
SELECT rule, rows, round((probabilities ->> 'true')::numeric, 2) AS late FROM mlplat.tree_rules('late_tree') ORDER BY 3 DESC;

\set ECHO none
\echo
\echo '== 9. The registry: every version, who made it, and how good it is.'
\set ECHO queries
SELECT name, active_version, algorithm, task, target, rows, metric, score FROM mlplat.models ORDER BY name;
\set ECHO none
