-- Metric aggregates on bad and on little input.
SET search_path = mlplat, public;
SET extra_float_digits = 0;
CREATE TABLE nothing (a int, t text, p float8);

-- no rows: NULL
SELECT accuracy(a, a), f1(t, t), f1(t, t, 'macro'), confusion_matrix(t, t), roc_auc(a, p), pr_auc(a, p), ks(a, p),
       log_loss(a, p), brier(a, p), mse(p, p), r2(p, p) FROM nothing \gx

-- one row, one class
SELECT accuracy(a, 1), balanced_accuracy(a, 1), mcc(a, 1), mlplat.precision(a, 1), recall(a, 1), f1(a, 1), roc_auc(a, 0.7),
       pr_auc(a, 0.7), ks(a, 0.7), gini(a, 0.7), round(log_loss(a, 0.7)::numeric, 9) AS log_loss, round(brier(a, 0.7)::numeric, 9) AS brier,
       mse(a, 2), rmse(a, 2), mae(a, 2), mape(a, 2), r2(a, 2), explained_variance(a, 2)
FROM (VALUES (1)) v(a) \gx
-- only negative rows, none predicted as positive: nothing to be precise about
SELECT mlplat.precision(a, false), recall(a, false), f1(a, false), log_loss(a, 0) < 1e-15 AS log_loss, brier(a, 0) FROM (VALUES (false), (false)) v(a) \gx
-- one text label only: whether it is the positive one cannot be told
SELECT mlplat.precision(a, 'x'), mlplat.precision(a, 'x', 'x') AS given FROM (VALUES ('x'::text)) v(a);
-- all scores tied, all values the same, all weights zero
SELECT roc_auc(a, 0.5), pr_auc(a, 0.5), ks(a, 0.5) FROM (VALUES (0), (1), (1)) v(a);
SELECT r2(7, a), explained_variance(7, a), mse(7, a) FROM (VALUES (6), (8)) v(a);
SELECT accuracy(a, 1, 0), roc_auc(a, 1, 0), mse(a, 1, 0), confusion_matrix(a, 1, 0) FROM (VALUES (1), (2), (3)) v(a);
-- an actual value of 0 makes mape huge, as in scikit-learn; probabilities of 0 and 1 are kept off the ends
SELECT mape(0, 1) > 1e15 AS huge, round(log_loss(true, 0)::numeric, 9) AS loss;

-- three labels for a metric of two
SELECT f1(a, 1) FROM (VALUES (1), (2), (3)) v(a);
SELECT mlplat.precision(t, 'b') FROM (VALUES ('a'), ('b'), ('c'), ('d')) v(t);
SELECT roc_auc(a, 0.5) FROM (VALUES (1), (0), (-1)) v(a);
SELECT log_loss(a, 0.5) FROM (VALUES (0.5), (0), (1)) v(a);
SELECT roc_auc(a, 0.5) FROM (VALUES (1), (2), (3)) v(a);

-- not a number, infinite, out of range
SELECT roc_auc(true, 'NaN');
SELECT roc_auc(true, 'Infinity');
SELECT roc_auc(a, 0.5) FROM (VALUES ('NaN'::float8)) v(a);
SELECT accuracy('NaN'::float8, 1);
SELECT accuracy(1, '-Infinity'::float8);
SELECT mse('NaN'::float8, 1);
SELECT mse(1, 'Infinity'::float8);
SELECT log_loss(true, 1.5);
SELECT brier(true, -0.1);
SELECT log_loss(true, 'NaN');
SELECT mse(1e200, 0);
SELECT r2(a, 0) FROM (VALUES (1e200), (-1e200)) v(a);
SELECT accuracy(1, 1, -1);
SELECT roc_auc(true, 0.5, 'NaN');
SELECT mse(1, 1, 'Infinity');
SELECT accuracy(a, a, 1e308) FROM (VALUES (1), (1), (1)) v(a);

-- the option of precision and its like
SELECT f1(a, 1, o) FROM (VALUES (1, 'macro'), (2, 'micro')) v(a, o);
SELECT f1(a, 1, 'one') FROM (VALUES (1), (2)) v(a);
SELECT f1(a, true, 'perhaps') FROM (VALUES (true), (false)) v(a);
SELECT f1(a, 1, NULL) FROM (VALUES (1), (2)) v(a);
SELECT confusion_matrix(i, i) FROM generate_series(1, 1001) i;

-- support functions are for aggregates
SELECT regression_transfn(NULL, 1, 1);
SELECT class_transfn(NULL, 'a'::text, 'a'::text);
SELECT ranking_transfn(NULL, true, 0.5);

DROP TABLE nothing;
