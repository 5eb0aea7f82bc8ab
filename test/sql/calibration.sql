-- Class weights, calibration and thresholds.
CREATE TABLE loan AS
SELECT i::int AS i, income, debt, 'r' || i % 3 AS region, luck < 0.05 + 0.4 * debt ^ 2 AS defaults,
       CASE WHEN income + 0.5 * luck < 0.4 THEN 'low' WHEN income + 0.5 * luck < 0.9 THEN 'middle' ELSE 'high' END AS grade
FROM (SELECT i, (i * 7919 % 1009) / 1009.0::float8 AS income, (i * 104729 % 997) / 997.0::float8 AS debt,
             (i * i * 15485863 % 10007) / 10007.0::float8 AS luck FROM generate_series(1, 3000::bigint) i) s;
CREATE FUNCTION facts(model text) RETURNS jsonb LANGUAGE sql AS $$ SELECT mlplat.model_info(model) -> 'decision' $$;

-- calibration: out of fold, in the evaluation, in every prediction
SELECT metric, score < 0.5 AS good FROM mlplat.create_model('raw', 'TABLE loan', 'defaults', 'gbdt',
    '{"n_trees": 100, "learning_rate": 0.3, "early_stopping": 0}', exclude => '{i,grade}');
SELECT facts('raw') IS NULL AS nothing_to_decide;
SELECT metric, score < 0.5 AS good FROM mlplat.create_model('platt', 'TABLE loan', 'defaults', 'gbdt',
    '{"n_trees": 100, "learning_rate": 0.3, "early_stopping": 0, "calibration": "platt"}', exclude => '{i,grade}');
SELECT f ->> 'calibration' AS calibration, f -> 'folds' AS folds, f -> 'rows' AS rows,
       (f ->> 'log_loss_after')::float8 < (f ->> 'log_loss_before')::float8 AS better FROM facts('platt') f;
SELECT mlplat.create_model('isotonic', 'TABLE loan', 'defaults', 'gbdt',
    '{"n_trees": 100, "learning_rate": 0.3, "early_stopping": 0, "calibration": "isotonic", "calibration_folds": 3}', exclude => '{i,grade}') IS NOT NULL AS trained;
SELECT f ->> 'calibration' AS calibration, f -> 'folds' AS folds, f -> 'rows' AS rows,
       (f ->> 'log_loss_after')::float8 < (f ->> 'log_loss_before')::float8 AS better FROM facts('isotonic') f;
-- held-out log loss: the raw model of this strength is overconfident
SELECT r.score > p.score AS platt_helps, r.score > i.score AS isotonic_helps
FROM mlplat.models r, mlplat.models p, mlplat.models i WHERE r.name = 'raw' AND p.name = 'platt' AND i.name = 'isotonic';
-- the ranking is the algorithm's: Platt keeps it, and the contributions explain what was before
SELECT round(mlplat.roc_auc(defaults, mlplat.predict('raw', l))::numeric, 10) = round(mlplat.roc_auc(defaults, mlplat.predict('platt', l))::numeric, 10) AS same_order,
       max(abs(mlplat.predict('raw', l) - mlplat.predict('platt', l))) > 0.05 AS other_values FROM loan l;
SELECT count(*) AS rows FROM loan l WHERE i <= 20 AND mlplat.explain_json('raw', l) IS DISTINCT FROM mlplat.explain_json('platt', l);
-- over rows, JSON, columns, image: the same
SELECT bool_and(mlplat.predict('isotonic', l) = mlplat.predict('isotonic', to_jsonb(l))) AS as_json,
       bool_and(mlplat.predict_proba('isotonic', l, 'true') + mlplat.predict_proba('isotonic', l, 'false') = 1) AS sums_to_one FROM loan l;

-- several classes
SELECT mlplat.create_model('grade', 'SELECT income, debt, region, grade FROM loan', 'grade', 'logistic', '{"calibration": "isotonic"}') IS NOT NULL AS trained;
SELECT max(abs(1 - s)) < 1e-12 AS sums_to_one FROM loan l, LATERAL (SELECT sum(value::float8) AS s FROM jsonb_each_text(mlplat.predict_probs('grade', l))) x;
SELECT facts('grade') ->> 'calibration' AS calibration, facts('grade') ? 'threshold' AS threshold;

-- thresholds
SELECT mlplat.create_model('half', 'TABLE loan', 'defaults', 'logistic', exclude => '{i,grade}') IS NOT NULL AS trained;
SELECT mlplat.create_model('fixed', 'TABLE loan', 'defaults', 'logistic', '{"threshold": 0.2}', exclude => '{i,grade}') IS NOT NULL AS trained;
SELECT facts('fixed');
SELECT bool_and((mlplat.predict_class('fixed', l) = 'true') = (mlplat.predict('fixed', l) > 0.2)) AS by_threshold,
       bool_and(mlplat.predict('fixed', l) = mlplat.predict('half', l)) AS same_probabilities FROM loan l;
SELECT mlplat.create_model('best', 'TABLE loan', 'defaults', 'logistic', '{"threshold": "f1"}', exclude => '{i,grade}') IS NOT NULL AS trained;
SELECT facts('best') ->> 'threshold_for' AS threshold_for, (facts('best') ->> 'threshold')::float8 BETWEEN 0.05 AND 0.45 AS below_half;
-- on the hold-out, too
SELECT coalesce((h.metrics ->> 'f1')::float8, 0) < (b.metrics ->> 'f1')::float8 AS better FROM mlplat.model_versions h, mlplat.model_versions b WHERE h.name = 'half' AND b.name = 'best';
SELECT mlplat.create_model('costly', 'TABLE loan', 'defaults', 'logistic', '{"threshold": {"fp": 1, "fn": 1000}}', exclude => '{i,grade}') IS NOT NULL AS trained;
SELECT count(*) FILTER (WHERE mlplat.predict_class('costly', l) = 'false') < 20 AS hardly_any FROM loan l;
SELECT count(*) AS rows FROM loan l WHERE mlplat.predict_class('best', l) = 'true' AND mlplat.predict('best', l) <= (facts('best') ->> 'threshold')::float8;

-- a threshold for one call
SELECT bool_and((mlplat.predict_class('best', l, 0.3) = 'true') = (mlplat.predict('best', l) > 0.3)) AS by_row,
       bool_and(mlplat.predict_class('best', l, 0.3) = mlplat.predict_class('best', to_jsonb(l), 0.3)) AS by_json,
       count(mlplat.predict_class('best', l, NULL)) AS nothing FROM loan l;
SELECT mlplat.predict_class('best', l, 1.5) FROM loan l LIMIT 1;
SELECT mlplat.predict_class('grade', l, 0.5) FROM loan l LIMIT 1;

-- class weights
CREATE FUNCTION mean(options jsonb) RETURNS numeric LANGUAGE sql AS $$
SELECT round(avg(mlplat.predict(m, l))::numeric, 2) FROM loan l,
    (SELECT mlplat.train(x, 'defaults', '{"algorithm": "logistic"}' || options) AS m FROM (SELECT income, debt, region, defaults FROM loan) x) t $$;
SELECT mean('{}') AS plain, mean('{"class_weight": "balanced"}') AS balanced, mean('{"class_weight": {"true": 1, "false": 1}}') AS ones,
       mean('{"class_weight": {"true": 20}}') AS heavy, mean('{"class_weight": {"false": 20}}') AS light;

-- what is wrong
SELECT mean('{"class_weight": {"yes": 20}}');
SELECT mean('{"class_weight": {"true": -1}}');
SELECT mean('{"class_weight": 3}');
SELECT mean('{"threshold": 1.5}');
SELECT mean('{"threshold": "roc_auc"}');
SELECT mean('{"threshold": {"fp": 1}}');
SELECT mean('{"calibration": "sigmoid"}');
SELECT mean('{"calibration_folds": 21}');
SELECT mlplat.create_model('bad', 'SELECT income, grade FROM loan', 'grade', 'logistic', '{"threshold": 0.3}');
SELECT mlplat.create_model('bad', 'SELECT income, debt FROM loan', 'debt', 'linear', '{"threshold": 0.3}');
SELECT mlplat.create_model('bad', 'SELECT income, debt FROM loan', 'debt', 'linear', '{"calibration": "platt"}');
SELECT mlplat.create_model('bad', 'SELECT income, debt FROM loan', 'debt', 'linear', '{"calibration": "platt"}', holdout => 0);
SELECT mlplat.create_model('bad', $$SELECT income, CASE WHEN i = 1 THEN 'x' WHEN i % 2 = 0 THEN 'y' ELSE 'z' END AS k FROM loan$$, 'k', 'logistic', '{"calibration": "platt"}', holdout => 0);
DROP TABLE loan CASCADE;
DROP FUNCTION facts, mean;
DELETE FROM mlplat.registry WHERE name IN ('raw', 'platt', 'isotonic', 'grade', 'half', 'fixed', 'best', 'costly');
DELETE FROM mlplat.run WHERE model IN ('raw', 'platt', 'isotonic', 'grade', 'half', 'fixed', 'best', 'costly');
