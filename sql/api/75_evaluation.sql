-- ---------------------------------------------------------------- how good models are on the rows of a query

CREATE OR REPLACE FUNCTION mlplat.evaluate_model(model text, query text, metric text DEFAULT NULL, target text DEFAULT NULL,
    weight text DEFAULT NULL, OUT evaluation_id bigint, OUT name text, OUT version int, OUT rows bigint, OUT metric text, OUT score float8,
    OUT metrics jsonb, OUT curves jsonb)
    AS 'MODULE_PATHNAME', 'mlplat_evaluate_model' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.evaluate_model(text, text, text, text, text) IS
    'measure a model by name on the rows of a query, which have its target; returns metrics and curves, and stores them under the version';
CREATE OR REPLACE FUNCTION mlplat.evaluate_model(image bytea, query text, metric text DEFAULT NULL, target text DEFAULT NULL,
    weight text DEFAULT NULL, OUT evaluation_id bigint, OUT name text, OUT version int, OUT rows bigint, OUT metric text, OUT score float8,
    OUT metrics jsonb, OUT curves jsonb)
    AS 'MODULE_PATHNAME', 'mlplat_evaluate_model' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.evaluate_model(bytea, text, text, text, text) IS
    'measure a model by its image on the rows of a query, which have its target; returns metrics and curves, and stores nothing';

CREATE OR REPLACE FUNCTION mlplat.compare_models(models text[], query text, metric text DEFAULT NULL, target text DEFAULT NULL,
    weight text DEFAULT NULL, OUT rank int, OUT model text, OUT version int, OUT algorithm text, OUT rows bigint, OUT metric text,
    OUT score float8, OUT metrics jsonb)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_compare_models' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 5;
COMMENT ON FUNCTION mlplat.compare_models(text[], text, text, text, text) IS
    'measure several models or versions on the same rows, the best first; stores nothing';

-- ---------------------------------------------------------------- views of metrics and curves
-- security_barrier, and the policy once more, as for the other views of the registry. What is measured comes out of
-- images and rows that users can make: whatever they hold must not end in an error for those who see them.

CREATE OR REPLACE FUNCTION mlplat.log_array(value jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE pg_catalog.jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END $$;
COMMENT ON FUNCTION mlplat.log_array(jsonb) IS 'a jsonb value that is an array; an empty one when it is none';

CREATE OR REPLACE VIEW mlplat.evaluations WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, m.evaluation_id, m.data, m.query, m.rows, m.metric, m.score, m.metrics, m.curves,
       m.evaluated_by, m.evaluated_at
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL (SELECT NULL::bigint AS evaluation_id, CASE WHEN mlplat.log_number(v.info -> 'holdout_rows') > 0 THEN 'holdout' ELSE 'training' END AS data,
                     NULL::text AS query,
                     greatest(least(COALESCE(nullif(mlplat.log_number(v.info -> 'holdout_rows'), 0), mlplat.log_number(v.info -> 'rows')), 9e18), 0)::bigint AS rows, v.metric, v.score,
                     v.info -> 'metrics' AS metrics, v.info -> 'curves' AS curves, v.created_by AS evaluated_by, v.created_at AS evaluated_at
              WHERE jsonb_typeof(v.info -> 'metrics') = 'object'
              UNION ALL
              SELECT e.evaluation_id, 'query', e.query, e.rows, e.metric, e.score, e.metrics, e.curves, e.evaluated_by, e.evaluated_at
              FROM mlplat.evaluation e WHERE e.version_id = v.version_id) m
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.evaluations IS 'one row a data set that a version was measured on: its hold-out or training rows, and what evaluate_model was given';

CREATE OR REPLACE VIEW mlplat.model_metrics WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, e.rows, m.key AS metric, mlplat.log_number(m.value) AS value, e.evaluated_at
FROM mlplat.evaluations e, LATERAL jsonb_each(CASE jsonb_typeof(e.metrics) WHEN 'object' THEN e.metrics ELSE '{}' END) m;
COMMENT ON VIEW mlplat.model_metrics IS 'one row a metric of a version on a data set';

CREATE OR REPLACE VIEW mlplat.roc_curves WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int, mlplat.log_number(p.threshold) AS threshold,
       mlplat.log_number(p.fpr) AS fpr, mlplat.log_number(p.tpr) AS tpr
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'roc' -> 'threshold')), jsonb_array_elements(mlplat.log_array(e.curves -> 'roc' -> 'fpr')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'roc' -> 'tpr'))) WITH ORDINALITY AS p(threshold, fpr, tpr, point);
COMMENT ON VIEW mlplat.roc_curves IS 'one row a point of the ROC curve of a version on a data set; the first has no threshold';

CREATE OR REPLACE VIEW mlplat.pr_curves WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int, mlplat.log_number(p.threshold) AS threshold,
       mlplat.log_number(p."precision") AS "precision", mlplat.log_number(p.recall) AS recall
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'pr' -> 'threshold')), jsonb_array_elements(mlplat.log_array(e.curves -> 'pr' -> 'precision')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'pr' -> 'recall'))) WITH ORDINALITY AS p(threshold, "precision", recall, point);
COMMENT ON VIEW mlplat.pr_curves IS 'one row a point of the precision-recall curve of a version on a data set; the first has no threshold';

CREATE OR REPLACE VIEW mlplat.ks_curves WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int, mlplat.log_number(p.threshold) AS threshold,
       mlplat.log_number(p.cdf_negative) AS cdf_negative, mlplat.log_number(p.cdf_positive) AS cdf_positive
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'ks' -> 'threshold')), jsonb_array_elements(mlplat.log_array(e.curves -> 'ks' -> 'cdf_negative')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'ks' -> 'cdf_positive'))) WITH ORDINALITY AS p(threshold, cdf_negative, cdf_positive, point);
COMMENT ON VIEW mlplat.ks_curves IS 'one row a point of the distribution functions of the scores of the two classes, of a version on a data set';

CREATE OR REPLACE VIEW mlplat.lift_curves WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int, mlplat.log_number(p.share) AS share,
       mlplat.log_number(p.gain) AS gain, mlplat.log_number(p.lift) AS lift
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'lift' -> 'share')), jsonb_array_elements(mlplat.log_array(e.curves -> 'lift' -> 'gain')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'lift' -> 'lift'))) WITH ORDINALITY AS p(share, gain, lift, point);
COMMENT ON VIEW mlplat.lift_curves IS 'one row a point of the cumulative gain and lift of a version on a data set';

CREATE OR REPLACE VIEW mlplat.calibration_curves WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int AS bin, mlplat.log_number(p.predicted) AS predicted,
       mlplat.log_number(p.observed) AS observed, mlplat.log_number(p.weight) AS weight
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'calibration' -> 'predicted')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'calibration' -> 'observed')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'calibration' -> 'count'))) WITH ORDINALITY AS p(predicted, observed, weight, point);
COMMENT ON VIEW mlplat.calibration_curves IS 'one row a bin: what a version predicts against what happens, on a data set';

CREATE OR REPLACE VIEW mlplat.confusion_matrices WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, a.label AS actual, p.label AS predicted,
       mlplat.log_number(e.curves -> 'confusion' -> 'matrix' -> (a.place - 1)::int -> (p.place - 1)::int) AS rows
FROM mlplat.evaluations e,
     LATERAL jsonb_array_elements_text(mlplat.log_array(e.curves -> 'confusion' -> 'classes')) WITH ORDINALITY AS a(label, place),
     LATERAL jsonb_array_elements_text(mlplat.log_array(e.curves -> 'confusion' -> 'classes')) WITH ORDINALITY AS p(label, place);
COMMENT ON VIEW mlplat.confusion_matrices IS 'one row a pair of classes, actual and predicted, with the weight of its rows, of a version on a data set';

CREATE OR REPLACE VIEW mlplat.residuals WITH (security_barrier) AS
SELECT e.model, e.version, e.owner, e.evaluation_id, e.data, p.point::int, mlplat.log_number(p.actual) AS actual,
       mlplat.log_number(p.predicted) AS predicted, mlplat.log_number(p.actual) - mlplat.log_number(p.predicted) AS residual
FROM mlplat.evaluations e, LATERAL ROWS FROM (
    jsonb_array_elements(mlplat.log_array(e.curves -> 'residuals' -> 'actual')),
    jsonb_array_elements(mlplat.log_array(e.curves -> 'residuals' -> 'predicted'))) WITH ORDINALITY AS p(actual, predicted, point);
COMMENT ON VIEW mlplat.residuals IS 'actual and predicted values of an even sample of rows, of a regression on a data set';

GRANT SELECT ON mlplat.evaluations, mlplat.model_metrics, mlplat.roc_curves, mlplat.pr_curves, mlplat.ks_curves, mlplat.lift_curves,
    mlplat.calibration_curves, mlplat.confusion_matrices, mlplat.residuals TO PUBLIC;
