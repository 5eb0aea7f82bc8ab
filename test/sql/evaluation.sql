-- evaluate_model, compare_models, and the views of metrics and curves.
CREATE TABLE spot AS SELECT i, (i * 37 % 101) / 101.0 AS a, (i * 53 % 97) / 97.0 AS b, (i * 37 % 101) + (i * 53 % 97) + i % 31 > 110 AS hit, i % 3 AS grade, 2 * i + i % 7 AS y
FROM generate_series(1, 600) i;
SELECT name, version FROM mlplat.create_model('spotter', 'SELECT a, b, hit FROM spot WHERE i <= 400', 'hit', 'logistic');
SELECT name, version FROM mlplat.create_model('spotter', 'SELECT a, b, hit FROM spot WHERE i <= 400', 'hit', 'tree');
SELECT name, version FROM mlplat.create_model('line', 'SELECT i, a, y FROM spot WHERE i <= 400', 'y', 'linear');
SELECT name, version FROM mlplat.create_model('grader', 'SELECT a, b, grade::text FROM spot', 'grade', 'tree');
SELECT name, version FROM mlplat.create_model('groups', 'SELECT a, b FROM spot', algorithm => 'kmeans');
CREATE FUNCTION near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$SELECT abs(a - b) < 1e-12$$;
\pset null '(null)'

-- What it says is what the aggregates say.
SELECT name, version, rows, metric, near(score, (metrics ->> 'log_loss')::float8) AS score,
    near(score, (SELECT mlplat.log_loss(hit, mlplat.predict('spotter@1', s)) FROM spot s WHERE i > 400)) AS log_loss,
    near((metrics ->> 'roc_auc')::float8, (SELECT mlplat.roc_auc(hit, mlplat.predict('spotter@1', s)) FROM spot s WHERE i > 400)) AS roc_auc,
    near((metrics ->> 'accuracy')::float8, (SELECT mlplat.accuracy(hit::text, mlplat.predict_class('spotter@1', s)) FROM spot s WHERE i > 400)) AS accuracy,
    ARRAY(SELECT jsonb_object_keys(curves) ORDER BY 1) AS curves
FROM mlplat.evaluate_model('spotter@1', 'SELECT * FROM spot WHERE i > 400');
SELECT name, version, rows, metric, near(score, (SELECT mlplat.rmse(y, mlplat.predict('line', s)) FROM spot s WHERE i > 400)) AS rmse
FROM mlplat.evaluate_model('line', 'SELECT * FROM spot WHERE i > 400');
SELECT metric, near(score, (SELECT mlplat.mae(y, mlplat.predict('line', s), a) FROM spot s WHERE i > 400)) AS weighted
FROM mlplat.evaluate_model('line', 'SELECT i, a, y AS truth, a AS w FROM spot WHERE i > 400', metric => 'mae', target => 'truth', weight => 'w');
SELECT rows, metric, near(score, (SELECT mlplat.accuracy(grade::text, mlplat.predict_class('grader', s)) FROM spot s)) AS accuracy, jsonb_array_length(curves -> 'confusion' -> 'classes') AS classes
FROM mlplat.evaluate_model('grader', 'TABLE spot', 'accuracy');
-- By its image nothing is stored.
SELECT e.evaluation_id, e.name, e.version, e.rows, e.metric, near(e.score, s.score) AS same
FROM mlplat.version v JOIN mlplat.registry r USING (model_id), mlplat.evaluate_model(v.image, 'SELECT * FROM spot WHERE i > 400') e, mlplat.evaluations s
WHERE r.name = 'line' AND s.model = 'line' AND s.data = 'query' AND s.metric = 'rmse';

-- The views.
SELECT model, version, data, query, rows, metric, score IS NOT NULL AS scored, evaluation_id IS NULL AS holdout, evaluated_by = current_user AS mine FROM mlplat.evaluations ORDER BY model, version, evaluation_id NULLS FIRST;
SELECT model, version, data, count(*) AS metrics, count(value) AS defined, string_agg(metric, ' ' ORDER BY metric) FROM mlplat.model_metrics WHERE model IN ('spotter', 'line') GROUP BY 1, 2, 3, evaluation_id ORDER BY 1, 2, evaluation_id NULLS FIRST;
SELECT data, count(*) > 2 AS points, count(*) - count(threshold) AS without_threshold, min(fpr), max(fpr), min(tpr), max(tpr) FROM mlplat.roc_curves WHERE model = 'spotter' AND version = 1 GROUP BY data ORDER BY data;
SELECT max("precision"), min(recall), max(recall) FROM mlplat.pr_curves WHERE model = 'spotter' AND version = 1 AND data = 'query';
SELECT max(cdf_negative - cdf_positive) = (SELECT value FROM mlplat.model_metrics m WHERE m.model = 'spotter' AND m.version = 1 AND m.data = 'query' AND m.metric = 'ks') AS ks
FROM mlplat.ks_curves WHERE model = 'spotter' AND version = 1 AND data = 'query';
SELECT max(gain), max(share), min(lift) >= 1 AS lifts FROM mlplat.lift_curves WHERE model = 'spotter' AND version = 1 AND data = 'query';
SELECT sum(weight), bool_and(predicted BETWEEN 0 AND 1 AND observed BETWEEN 0 AND 1) FROM mlplat.calibration_curves WHERE model = 'spotter' AND version = 1 AND data = 'query';
SELECT actual, predicted, rows FROM mlplat.confusion_matrices WHERE model = 'spotter' AND version = 1 AND data = 'query' ORDER BY 1, 2;
SELECT sum(rows) FROM mlplat.confusion_matrices WHERE model = 'grader' AND data = 'query';
SELECT count(*), bool_and(residual = actual - predicted) FROM mlplat.residuals WHERE model = 'line' AND data = 'query' AND evaluation_id = (SELECT min(evaluation_id) FROM mlplat.evaluations WHERE model = 'line');

-- Comparing.
SELECT rank, model, version, algorithm, rows, metric, score IS NOT NULL AS scored FROM mlplat.compare_models('{spotter@1,spotter@2,spotter}', 'SELECT * FROM spot WHERE i > 400', 'roc_auc') ORDER BY rank, version;
SELECT bool_and(near(c.score, e.score)) AS same FROM mlplat.compare_models('{spotter@1}', 'SELECT * FROM spot WHERE i > 400') c, mlplat.evaluations e WHERE e.model = 'spotter' AND e.version = 1 AND e.data = 'query';
SELECT mlplat.compare_models('{spotter,line}', 'TABLE spot');
SELECT mlplat.compare_models('{spotter,nobody}', 'TABLE spot');
SELECT mlplat.compare_models('{}', 'TABLE spot');
SELECT mlplat.compare_models('{spotter,NULL}', 'TABLE spot');
SELECT mlplat.compare_models(NULL, 'TABLE spot');

-- Bad input.
SELECT mlplat.evaluate_model('nobody', 'TABLE spot');
SELECT mlplat.evaluate_model('spotter', NULL);
SELECT mlplat.evaluate_model(NULL::text, 'TABLE spot');
SELECT mlplat.evaluate_model('groups', 'TABLE spot');
SELECT mlplat.evaluate_model('spotter', 'SELECT a, b FROM spot');
SELECT mlplat.evaluate_model('spotter', 'SELECT a, hit FROM spot');
SELECT mlplat.evaluate_model('spotter', 'SELECT * FROM spot WHERE false');
SELECT mlplat.evaluate_model('spotter', 'SELECT a, b, ''maybe'' AS hit FROM spot');
SELECT mlplat.evaluate_model('spotter', 'TABLE spot', 'rmse');
SELECT mlplat.evaluate_model('spotter', 'DELETE FROM spot RETURNING *');
SELECT mlplat.evaluate_model('\xdeadbeef'::bytea, 'TABLE spot');
SELECT rows, metric, score, metrics ->> 'roc_auc' AS roc_auc FROM mlplat.evaluate_model('spotter', 'SELECT a, b, true AS hit FROM spot LIMIT 1', 'roc_auc');
BEGIN TRANSACTION READ ONLY;
SELECT mlplat.evaluate_model('spotter', 'TABLE spot');
ROLLBACK;
SELECT count(*) AS evaluations FROM mlplat.evaluation;

-- Others see nothing, and cannot add to another's model; nonsense is no error.
CREATE ROLE regress_evaluator;
GRANT SELECT ON spot TO regress_evaluator;
SET ROLE regress_evaluator;
SELECT (SELECT count(*) FROM mlplat.evaluation) AS evaluation, (SELECT count(*) FROM mlplat.evaluations) AS evaluations, (SELECT count(*) FROM mlplat.model_metrics) AS metrics,
    (SELECT count(*) FROM mlplat.roc_curves) AS roc, (SELECT count(*) FROM mlplat.confusion_matrices) AS confusion, (SELECT count(*) FROM mlplat.residuals) AS residuals;
SELECT mlplat.evaluate_model('spotter', 'TABLE spot');
RESET ROLE;
SELECT version_id FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = 'line' \gset
SET ROLE regress_evaluator;
INSERT INTO mlplat.evaluation (version_id, query, rows, metric, metrics, curves) VALUES (:version_id, '', 0, '', '{}', '{}');
RESET ROLE;
INSERT INTO mlplat.evaluation (version_id, query, rows, metric, metrics, curves) VALUES (:version_id, 'nonsense', 0, '', '[1]', '3'),
    (:version_id, 'nonsense', 0, '', '{"a": "x", "b": 1e500}', '{"roc": 3, "pr": {"precision": [1, "x"]}, "confusion": {"classes": [1, null], "matrix": 5}, "residuals": {"actual": {}, "predicted": [null]}}');
SELECT (SELECT count(*) FROM mlplat.model_metrics WHERE model = 'line') > 0 AS metrics, (SELECT count(*) FROM mlplat.roc_curves WHERE model = 'line') AS roc,
    (SELECT count(*) FROM mlplat.pr_curves WHERE model = 'line') AS pr, (SELECT count(rows) FROM mlplat.confusion_matrices WHERE model = 'line') AS confusion;

-- They go with their version and model.
SELECT mlplat.drop_model('spotter@1');
SELECT mlplat.promote_model('spotter@2'), mlplat.drop_model('spotter@1');
SELECT count(*) AS evaluations FROM mlplat.evaluations WHERE model = 'spotter' AND data = 'query';
SELECT mlplat.drop_model(name) FROM mlplat.models WHERE name IN ('spotter', 'line', 'grader', 'groups') ORDER BY name;
SELECT count(*) AS evaluations FROM mlplat.evaluation;
DELETE FROM mlplat.run;
DROP OWNED BY regress_evaluator;
DROP ROLE regress_evaluator;
DROP TABLE spot;
DROP FUNCTION near;
