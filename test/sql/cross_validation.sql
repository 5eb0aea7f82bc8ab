-- Folds and hold-outs of create_model: at random, by group, in order of time.
\set SHOW_CONTEXT never
CREATE SCHEMA folded;
SET search_path = folded;

-- y follows x, and its shop; shops are told by a feature, days go on
CREATE TABLE visit AS
SELECT i AS id, 'shop ' || i % 20 AS shop, i % 20 AS shop_number, date '2024-01-01' + i / 10 AS day, i % 83 AS x,
       2.0 * (i % 83) + 50 * ((i % 20) * 7919 % 13) + (i * 104729 % 101) / 50.0 AS y,
       (i * 104729 % 101) + (i % 83) > 110 AS late,
       (i / 10) * 3.0 + (i * 104729 % 101) / 50.0 AS trend
FROM generate_series(0, 1199) i;

-- the score of each fold, their mean and their standard deviation; the hold-out is measured apart
SELECT name, version, algorithm, rows, metric, score > 0 AS scored
FROM mlplat.create_model('plain', 'SELECT x, y FROM visit', 'y', 'linear', folds => 5);
SELECT model, version, trial, algorithm, params, metric, cardinality(fold_scores) AS folds, share, rank, chosen, error,
       seconds >= 0 AS timed
FROM mlplat.trials WHERE model = 'plain';
SELECT abs(t.score - (SELECT avg(s) FROM unnest(fold_scores) s)) < 1e-9 AS mean,
       abs(t.stddev - (SELECT stddev(s) FROM unnest(fold_scores) s)) < 1e-9 AS deviation,
       t.score <> r.score AS hold_out_apart, r.rows_holdout
FROM mlplat.trials t JOIN mlplat.runs r USING (run_id) WHERE t.model = 'plain';
SELECT (mlplat.model_info('plain') -> 'validation') - '{score,stddev,fold_scores}'::text[] AS validation;
-- without a hold-out the mean over the folds is the score
SELECT rows, active FROM mlplat.create_model('all', 'SELECT x, y FROM visit', 'y', 'linear', folds => 10, holdout => 0);
SELECT r.rows_holdout, r.metric, r.score = t.score AS mean_of_folds FROM mlplat.runs r JOIN mlplat.trials t USING (run_id) WHERE r.model = 'all';
SELECT max(abs(mlplat.predict('all', v) - mlplat.predict(m.image, v))) = 0 AS fitted_on_all_rows
FROM visit v, (SELECT mlplat.train(t, 'y', '{"algorithm": "linear"}') AS image FROM (SELECT x, y FROM visit) t) m;
-- classes keep their share: every fold sees the rare one
SELECT metric, score > 0 AS scored FROM mlplat.create_model('rare', 'SELECT x, shop, late, id % 60 = 0 AS rare FROM visit', 'rare', 'gbdt',
    '{"n_trees": 5}', folds => 4, metric => 'roc_auc');
SELECT cardinality(array_remove(fold_scores, NULL)) AS defined FROM mlplat.trials WHERE model = 'rare';
-- the same seed, the same folds; another one, others
SELECT mlplat.create_model('again', 'SELECT x, y FROM visit', 'y', 'linear', folds => 5) IS NOT NULL AS made;
SELECT count(DISTINCT score) FROM mlplat.trials WHERE model IN ('plain', 'again');
SELECT mlplat.create_model('other', 'SELECT x, y FROM visit', 'y', 'linear', folds => 5, seed => 1) IS NOT NULL AS made;
SELECT count(DISTINCT score) FROM mlplat.trials WHERE model IN ('plain', 'again', 'other');

-- by group: a model that knows shops by number is good on known shops, and bad on new ones
SELECT score < 30 AS good FROM mlplat.create_model('known', 'SELECT x, shop_number, y FROM visit', 'y', 'gbdt',
    '{"n_trees": 60}', folds => 5);
SELECT score > 50 AS bad FROM mlplat.create_model('new', 'SELECT x, shop_number, shop, y FROM visit', 'y', 'gbdt',
    '{"n_trees": 60}', folds => 5, group_by => 'shop');
SELECT (SELECT score FROM mlplat.trials WHERE model = 'new') > 2 * (SELECT score FROM mlplat.trials WHERE model = 'known') AS honest;
SELECT mlplat.model_info('new') -> 'validation' ->> 'group_by' AS group_by, rows_holdout
FROM mlplat.runs WHERE model = 'new';
-- the group is no feature, whatever its type
SELECT feature FROM mlplat.feature_importance('new') ORDER BY 1;
SELECT rows FROM mlplat.create_model('by_day', 'SELECT x, day, y FROM visit', 'y', 'linear', folds => 3, group_by => 'day');
SELECT rows FROM mlplat.create_model('by_number', 'SELECT x, shop_number::float8, y FROM visit', 'y', 'linear', folds => 20, group_by => 'shop_number', holdout => 0);
SELECT feature FROM mlplat.coefficients('by_number') ORDER BY 1;
-- groups and classes
SELECT metric, score > 0 AS scored FROM mlplat.create_model('groups', 'SELECT x, shop, late FROM visit', 'late', 'logistic', folds => 4, group_by => 'shop');

-- in order: trees do not follow a trend beyond what they have seen, and only this way does that show
SELECT score < 10 AS good FROM mlplat.create_model('shuffled', 'SELECT id, trend FROM visit', 'trend', 'gbdt', '{"n_trees": 60}', folds => 3);
SELECT score > 30 AS bad FROM mlplat.create_model('ahead', 'SELECT id, day, trend FROM visit', 'trend', 'gbdt', '{"n_trees": 60}', folds => 3,
    order_by => 'day');
SELECT feature FROM mlplat.feature_importance('ahead') ORDER BY 1;
-- each fold trains on what came before: the fold's score is what that training gives on the rows that come next
SELECT rows FROM mlplat.create_model('steps', 'SELECT x, id, trend FROM visit', 'trend', 'linear', folds => 3, order_by => 'id', holdout => 0);
SELECT count(*) AS compared, bool_and(abs(expected - got) < 1e-6) AS as_expected
FROM (SELECT k, fold_scores[k] AS got,
             (SELECT mlplat.rmse(trend, mlplat.predict(m.image, v))
              FROM visit v, (SELECT mlplat.train(t, 'trend', '{"algorithm": "linear"}') AS image
                             FROM (SELECT x, trend FROM visit WHERE id < 300 * k) t) m
              WHERE id >= 300 * k AND id < 300 * (k + 1)) AS expected
      FROM mlplat.trials t, generate_series(1, 3) k WHERE t.model = 'steps') s;
-- the hold-out are the last rows
SELECT rows FROM mlplat.create_model('last', 'SELECT x, id, trend FROM visit', 'trend', 'linear', order_by => 'id');
SELECT abs(score - (SELECT mlplat.rmse(trend, mlplat.predict('last', v)) FROM visit v WHERE id >= 960)) < 1e-9 AS last_fifth
FROM mlplat.models WHERE name = 'last';
-- a time of day, a timestamp, an interval
SELECT rows FROM mlplat.create_model('times', 'SELECT x, y, day + time ''12:00'' AS t FROM visit', 'y', 'linear', folds => 2, order_by => 't');
SELECT rows FROM mlplat.create_model('times', 'SELECT x, y, make_interval(secs => id) AS t FROM visit', 'y', 'linear', folds => 2, order_by => 't');

-- calibration and thresholds are learnt on whole groups and on the last rows, too
SELECT metric FROM mlplat.create_model('calibrated', 'SELECT x, shop, late FROM visit', 'late', 'logistic', '{"calibration": "platt", "threshold": "f1"}', group_by => 'shop');
SELECT mlplat.model_info('calibrated') #>> '{decision,folds}' AS folds, mlplat.model_info('calibrated') #>> '{decision,rows}' AS rows;
SELECT metric FROM mlplat.create_model('calibrated', 'SELECT x, day, late FROM visit', 'late', 'logistic', '{"calibration": "platt", "threshold": "f1"}', order_by => 'day', promote => 'always');
SELECT mlplat.model_info('calibrated') #>> '{decision,folds}' AS folds, mlplat.model_info('calibrated') #>> '{decision,rows}' AS rows;

-- ---------------------------------------------------------------- what cannot be
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit', 'y', 'linear', folds => 1);
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit', 'y', 'linear', folds => -2);
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit', 'y', 'linear', folds => 1001);
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit WHERE id < 10', 'y', 'linear', folds => 9);
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit WHERE id < 10', 'y', 'linear', folds => 11, holdout => 0);
SELECT rows FROM mlplat.create_model('leave_one_out', 'SELECT x, y FROM visit WHERE id < 10', 'y', 'linear', folds => 10, holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit WHERE id < 0', 'y', 'linear', folds => 2);
-- one class in a fold
SELECT mlplat.create_model('bad', 'SELECT x, id, id >= 400 AS high FROM visit', 'high', 'logistic', folds => 2, order_by => 'id', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x, shop, shop = ''shop 3'' AS third FROM visit', 'third', 'logistic', folds => 20, group_by => 'shop', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x, id, id >= 960 AS high FROM visit', 'high', 'logistic', order_by => 'id');
SELECT mlplat.create_model('bad', 'SELECT x, shop, late FROM visit WHERE id % 20 < 4', 'late', 'logistic', '{"calibration": "platt"}', group_by => 'shop', holdout => 0);
-- groups
SELECT mlplat.create_model('bad', 'SELECT x, nullif(shop, ''shop 3'') AS shop, y FROM visit', 'y', 'linear', folds => 3, group_by => 'shop');
SELECT mlplat.create_model('bad', 'SELECT x, 1 AS shop, y FROM visit', 'y', 'linear', group_by => 'shop');
SELECT mlplat.create_model('bad', 'SELECT x, 1 AS shop, y FROM visit', 'y', 'linear', group_by => 'shop', folds => 2, holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x, shop, y FROM visit', 'y', 'linear', group_by => 'shop', folds => 21, holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x, shop, y FROM visit', 'y', 'linear', group_by => 'shops');
SELECT mlplat.create_model('bad', 'SELECT x, ARRAY[1, 2] AS shop, y FROM visit', 'y', 'linear', group_by => 'shop');
SELECT mlplat.create_model('bad', 'SELECT x, shop, y FROM visit', 'y', 'linear', group_by => 'y');
SELECT mlplat.create_model('bad', 'SELECT x, shop, y FROM visit', 'y', 'linear', group_by => 'shop', order_by => 'x');
-- order
SELECT mlplat.create_model('bad', 'SELECT x, shop, y FROM visit', 'y', 'linear', order_by => 'shop');
SELECT mlplat.create_model('bad', 'SELECT x, jsonb ''{}'' AS t, y FROM visit', 'y', 'linear', order_by => 't');
SELECT mlplat.create_model('bad', 'SELECT x, nullif(id, 7) AS t, y FROM visit', 'y', 'linear', order_by => 't');
SELECT mlplat.create_model('bad', 'SELECT x, 1 AS t, y FROM visit', 'y', 'linear', order_by => 't');
SELECT mlplat.create_model('bad', 'SELECT x, id % 3 AS t, y FROM visit', 'y', 'linear', order_by => 't', folds => 5);
SELECT mlplat.create_model('bad', 'SELECT x, id, y FROM visit', 'y', 'linear', order_by => 'ids');
-- these are arguments, and not of the aggregate
SELECT mlplat.create_model('bad', 'SELECT x, y FROM visit', 'y', 'linear', '{"folds": 5}');
SELECT mlplat.train(v, 'y', '{"algorithm": "linear", "folds": 5}') FROM (SELECT x, y FROM visit) v;
SELECT mlplat.train(v, 'y', '{"algorithm": "linear", "group_by": "id"}') FROM (SELECT x, id, y FROM visit) v;
SELECT mlplat.train(y::float8, ARRAY[x::float8], '{"time_budget": 5}') FROM visit;
SELECT count(*) AS trials_of_bad_ones FROM mlplat.trials WHERE model = 'bad';

SET client_min_messages = warning;
DROP SCHEMA folded CASCADE;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
SELECT count(*) AS trials_left FROM mlplat.trial;
