-- training_progress, training_log, weight_log.
CREATE TABLE spot AS SELECT (i * 37 % 101) / 101.0 AS a, (i * 53 % 97) / 97.0 AS b, (i * 37 % 101) + (i * 53 % 97) + i % 31 > 110 AS hit
FROM generate_series(1, 400) i;
SELECT mlplat.create_model('boosted', 'TABLE spot', 'hit', 'gbdt', '{"n_trees": 5, "early_stopping": 0}') IS NOT NULL AS trained;
SELECT mlplat.create_model('logit', 'TABLE spot', 'hit', 'logistic') IS NOT NULL AS trained;
SELECT count(*) AS running FROM mlplat.training_progress;
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'mlplat' AND table_name = 'training_progress' ORDER BY ordinal_position;

SELECT model, version, algorithm, iteration, round(loss::numeric, 1) AS loss, valid_loss FROM mlplat.training_log WHERE model = 'boosted' ORDER BY iteration;
SELECT count(*) > 2 AS iterations, min(iteration) AS first, count(*) = count(loss) AS losses,
       count(*) = count(gradient_norm) AND count(*) = count(weight_norm) AND count(*) = count(step) AS norms FROM mlplat.training_log WHERE model = 'logit';
SELECT bool_and(w.gradient_norm = t.gradient_norm AND w.weight_norm = t.weight_norm AND w.step = t.step AND w.part IS NULL) AS same, count(*) > 2 AS rows
FROM mlplat.weight_log w JOIN mlplat.training_log t USING (model, version, iteration) WHERE model = 'logit' AND kind = 'model';

-- layers and features, and images that tell nonsense
INSERT INTO mlplat.registry (name) VALUES ('made up');
CREATE FUNCTION log_is(log text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM mlplat.version v USING mlplat.registry r WHERE v.model_id = r.model_id AND r.name = 'made up';
    INSERT INTO mlplat.version (model_id, version, info, image) SELECT model_id, 1, jsonb_build_object('log', log::jsonb), '' FROM mlplat.registry WHERE name = 'made up' $$;
SELECT log_is('[{"iteration": 7, "loss": 0.5, "rate": 0.1, "weight_norm": 3, "layers": [{"layer": "hidden 1", "gradient_norm": 0.25, "weight_norm": 2}, {"weight_norm": 1}],
    "features": [{"feature": "a", "step": 0.5}]}]');
SELECT iteration, loss, weight_norm, more FROM mlplat.training_log WHERE model = 'made up';
SELECT iteration, kind, part, gradient_norm, weight_norm, step FROM mlplat.weight_log WHERE model = 'made up' ORDER BY kind DESC, part;
SELECT log_is('[{"iteration": 1e300, "loss": 1e5000, "valid_loss": 1e-5000, "step": "x", "layers": 3, "features": [1, null, [2]]}, 5, null, [], "text", {"iteration": -1, "loss": true}]');
SELECT iteration, loss, valid_loss, step, more FROM mlplat.training_log WHERE model = 'made up' ORDER BY iteration;
SELECT iteration, kind, part, gradient_norm, weight_norm, step FROM mlplat.weight_log WHERE model = 'made up' ORDER BY kind, part;
SELECT log_is('{"iteration": 1}');
SELECT count(*) AS rows FROM mlplat.training_log WHERE model = 'made up';

-- trainings that failed, also where all is rolled back
SELECT mlplat.create_model('failed', 'SELECT 1 / (b - 3) AS a, b FROM generate_series(1, 9) b', 'b', 'linear');
BEGIN;
SELECT mlplat.create_model('failed', 'TABLE spot', 'hit', 'boosting');
ROLLBACK;
DO $$
BEGIN
    PERFORM mlplat.create_model('failed', 'TABLE spot', 'miss', params => '{"n_trees": 1}');
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
SELECT model, version, query, target, algorithm, options, rows, rows_dropped, promoted, outcome, sqlstate, error, seconds BETWEEN 0 AND 60 AS timed FROM mlplat.runs WHERE model = 'failed' ORDER BY run_id;
SELECT count(*) AS models FROM mlplat.models WHERE name = 'failed';
SELECT DISTINCT outcome, sqlstate, error FROM mlplat.runs WHERE model = 'boosted';
BEGIN TRANSACTION READ ONLY;
SELECT mlplat.create_model('failed', 'TABLE spot', 'hit', 'boosting');
ROLLBACK;

-- others see nothing of it
CREATE ROLE regress_log_reader;
SET ROLE regress_log_reader;
SELECT (SELECT count(*) FROM mlplat.training_log) AS training_log, (SELECT count(*) FROM mlplat.weight_log) AS weight_log, (SELECT count(*) FROM mlplat.runs) AS runs,
       (SELECT count(*) FROM mlplat.training_progress) AS training_progress;
RESET ROLE;
DROP ROLE regress_log_reader;
DELETE FROM mlplat.registry WHERE name IN ('made up', 'boosted', 'logit');
DELETE FROM mlplat.run WHERE model IN ('boosted', 'logit', 'failed');
DROP FUNCTION log_is;
DROP TABLE spot;
