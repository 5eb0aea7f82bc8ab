-- Metric aggregates against golden values of scikit-learn (test/golden/metrics.py).
SET search_path = mlplat, public;
SET extra_float_digits = 0;

CREATE TABLE metric_rows AS
SELECT i, (i * 104729::bigint % 1013 + 5 * (i * 7919 % 101) > 760) AS late,
       (i * 7919 % 101) / 100.0::float8 AS p,
       1 + (i % 7) / 4.0::float8 AS weight,
       i * 31 % 5 AS actual,
       CASE WHEN i * 17 % 10 < 7 THEN i * 31 % 5 ELSE (i * 31 % 5 + i % 3) % 4 END AS predicted,
       100 + (i * 7919 % 1009) / 10.0::float8 AS y,
       100 + (i * 7919 % 1009) / 10.0::float8 + (i * 104729::bigint % 1013 - 506) / 100.0::float8 AS y_hat
FROM generate_series(0, 999) i;

CREATE TABLE golden (metric text PRIMARY KEY, value float8);
INSERT INTO golden VALUES
('roc_auc', 0.66376989571624589),
('pr_auc', 0.64497657222779148),
('ks', 0.24969698909160731),
('gini', 0.32753979143249179),
('log_loss', 0.91194013954975983),
('brier', 0.25229190000000001),
('accuracy', 0.623),
('balanced_accuracy', 0.62296842686336706),
('precision', 0.62145748987854255),
('recall', 0.61770623742454733),
('f1', 0.61957618567103945),
('mcc', 0.24595013587085596),
('many_accuracy', 0.76600000000000001),
('many_balanced_accuracy', 0.76600000000000001),
('many_mcc', 0.7164827901194698),
('mse', 8.5505312000000018),
('rmse', 2.9241291353153338),
('mae', 2.53234),
('mape', 0.017568849425461077),
('r2', 0.9899275294028711),
('explained_variance', 0.98992755631813889),
('many_precision_macro', 0.79247011105776954),
('many_precision_micro', 0.76600000000000001),
('many_precision_weighted', 0.79247011105776966),
('many_precision_of_3', 0.74906367041198507),
('many_recall_macro', 0.76600000000000001),
('many_recall_micro', 0.76600000000000001),
('many_recall_weighted', 0.76600000000000001),
('many_recall_of_3', 1),
('many_f1_macro', 0.75427249099132476),
('many_f1_micro', 0.76600000000000001),
('many_f1_weighted', 0.75427249099132476),
('many_f1_of_3', 0.85653104925053536),
('roc_auc_weighted_rows', 0.66990579026541908),
('pr_auc_weighted_rows', 0.65038121651201319),
('ks_weighted_rows', 0.26354152570019074),
('gini_weighted_rows', 0.33981158053083815),
('log_loss_weighted_rows', 0.91823710084757992),
('brier_weighted_rows', 0.24916495640988998),
('accuracy_weighted_rows', 0.62955552379591251),
('balanced_accuracy_weighted_rows', 0.62947419422745143),
('precision_weighted_rows', 0.62420197330237959),
('recall_weighted_rows', 0.62383990719257543),
('f1_weighted_rows', 0.62402088772845965),
('mcc_weighted_rows', 0.25895056808433703),
('many_accuracy_weighted_rows', 0.76647134486208379),
('many_balanced_accuracy_weighted_rows', 0.76645284002695913),
('many_mcc_weighted_rows', 0.71706107747074255),
('mse_weighted_rows', 8.5432610118622279),
('rmse_weighted_rows', 2.9228857336307601),
('mae_weighted_rows', 2.5312548234957837),
('mape_weighted_rows', 0.017599700237092362),
('r2_weighted_rows', 0.98997763482481271),
('explained_variance_weighted_rows', 0.98997764748968287),
('many_precision_macro_weighted_rows', 0.79283373540733337),
('many_precision_micro_weighted_rows', 0.76647134486208379),
('many_precision_weighted_weighted_rows', 0.79284505193879173),
('many_precision_of_3_weighted_rows', 0.74853176721836623),
('many_recall_macro_weighted_rows', 0.76645284002695913),
('many_recall_micro_weighted_rows', 0.76647134486208379),
('many_recall_weighted_weighted_rows', 0.76647134486208379),
('many_recall_of_3_weighted_rows', 1),
('many_f1_macro_weighted_rows', 0.75476269507782756),
('many_f1_micro_weighted_rows', 0.76647134486208379),
('many_f1_weighted_weighted_rows', 0.75478028446331225),
('many_f1_of_3_weighted_rows', 0.85618320610687026);

-- Both relations have as many rows, and every value agrees to 1e-9: no row is printed.
CREATE VIEW measured AS
SELECT key AS metric, value::float8 AS value FROM (
    SELECT to_jsonb(m) AS plain FROM (
        SELECT roc_auc(late, p), pr_auc(late, p), ks(late, p), gini(late, p), log_loss(late, p), brier(late, p),
               accuracy(late, p > 0.5), balanced_accuracy(late, p > 0.5), mlplat.precision(late, p > 0.5),
               recall(late, p > 0.5), f1(late, p > 0.5), mcc(late, p > 0.5),
               accuracy(actual, predicted) AS many_accuracy,
               balanced_accuracy(actual, predicted) AS many_balanced_accuracy,
               mcc(actual, predicted) AS many_mcc,
               mse(y, y_hat), rmse(y, y_hat), mae(y, y_hat), mape(y, y_hat), r2(y, y_hat), explained_variance(y, y_hat),
               mlplat.precision(actual, predicted, 'macro') AS many_precision_macro,
               mlplat.precision(actual, predicted, 'micro') AS many_precision_micro,
               mlplat.precision(actual, predicted, 'weighted') AS many_precision_weighted,
               mlplat.precision(actual, predicted, '3') AS many_precision_of_3,
               recall(actual, predicted, 'macro') AS many_recall_macro,
               recall(actual, predicted, 'micro') AS many_recall_micro,
               recall(actual, predicted, 'weighted') AS many_recall_weighted,
               recall(actual, predicted, '3') AS many_recall_of_3,
               f1(actual, predicted, 'macro') AS many_f1_macro,
               f1(actual, predicted, 'micro') AS many_f1_micro,
               f1(actual, predicted, 'weighted') AS many_f1_weighted,
               f1(actual, predicted, '3') AS many_f1_of_3
        FROM metric_rows) m) AS unweighted, jsonb_each_text(plain)
UNION ALL
SELECT key || '_weighted_rows', value::float8 FROM (
    SELECT to_jsonb(m) AS weighted FROM (
        SELECT roc_auc(late, p, weight), pr_auc(late, p, weight), ks(late, p, weight), gini(late, p, weight),
               log_loss(late, p, weight), brier(late, p, weight),
               accuracy(late, p > 0.5, weight), balanced_accuracy(late, p > 0.5, weight),
               mlplat.precision(late, p > 0.5, weight), recall(late, p > 0.5, weight), f1(late, p > 0.5, weight),
               mcc(late, p > 0.5, weight),
               accuracy(actual, predicted, weight) AS many_accuracy,
               balanced_accuracy(actual, predicted, weight) AS many_balanced_accuracy,
               mcc(actual, predicted, weight) AS many_mcc,
               mse(y, y_hat, weight), rmse(y, y_hat, weight), mae(y, y_hat, weight), mape(y, y_hat, weight),
               r2(y, y_hat, weight), explained_variance(y, y_hat, weight),
               mlplat.precision(actual, predicted, 'macro', weight) AS many_precision_macro,
               mlplat.precision(actual, predicted, 'micro', weight) AS many_precision_micro,
               mlplat.precision(actual, predicted, 'weighted', weight) AS many_precision_weighted,
               mlplat.precision(actual, predicted, '3', weight) AS many_precision_of_3,
               recall(actual, predicted, 'macro', weight) AS many_recall_macro,
               recall(actual, predicted, 'micro', weight) AS many_recall_micro,
               recall(actual, predicted, 'weighted', weight) AS many_recall_weighted,
               recall(actual, predicted, '3', weight) AS many_recall_of_3,
               f1(actual, predicted, 'macro', weight) AS many_f1_macro,
               f1(actual, predicted, 'micro', weight) AS many_f1_micro,
               f1(actual, predicted, 'weighted', weight) AS many_f1_weighted,
               f1(actual, predicted, '3', weight) AS many_f1_of_3
        FROM metric_rows) m) AS w, jsonb_each_text(weighted);

CREATE VIEW disagreeing AS
SELECT metric, golden.value AS golden, measured.value AS measured
FROM golden FULL JOIN measured USING (metric)
WHERE (abs(golden.value - measured.value) <= 1e-9 * greatest(1, abs(golden.value))) IS NOT TRUE
ORDER BY metric;

SELECT count(*) AS metrics FROM measured;
SELECT * FROM disagreeing;

-- The same under parallel workers.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE metric_rows SET (parallel_workers = 2);
EXPLAIN (COSTS OFF)
SELECT roc_auc(late, p), accuracy(actual, predicted), accuracy(actual::text, predicted), r2(y, y_hat) FROM metric_rows;
SELECT * FROM disagreeing;
SELECT accuracy(actual::text, predicted), round(f1(actual::text, predicted, 'macro')::numeric, 12) AS f1 FROM metric_rows;
SET max_parallel_workers_per_gather = 0;

-- The confusion matrix: rows are actual labels, columns predicted ones, both ascending.
SELECT confusion_matrix(actual, predicted) FROM metric_rows;
SELECT confusion_matrix(late, p > 0.5, weight) FROM metric_rows WHERE i < 20;
SELECT confusion_matrix(a, b) FROM (VALUES ('b', 'a'), ('a', 'a'), ('"q"', 'é')) v(a, b);

-- GROUP BY, FILTER, OVER; a row with a NULL in any argument is skipped.
SELECT actual, round(roc_auc(late, p)::numeric, 6) AS auc, round(accuracy(late, p > 0.5)::numeric, 6) AS accuracy,
       round(rmse(y, y_hat) FILTER (WHERE i % 2 = 0)::numeric, 6) AS rmse_even
FROM metric_rows GROUP BY actual ORDER BY actual;
SELECT i, round(roc_auc(late, p) OVER (ORDER BY i)::numeric, 6) AS running,
       round(mae(y, y_hat) OVER (ORDER BY i ROWS 2 PRECEDING)::numeric, 6) AS moving,
       round(f1(actual, predicted, 'macro') OVER (ORDER BY i ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)::numeric, 6) AS f1
FROM metric_rows WHERE i < 8 ORDER BY i;
SELECT roc_auc(a, p) AS auc, accuracy(a, p > 0.5) AS accuracy, mse(a::int, p, w) AS mse
FROM (VALUES (true, 0.9, 1), (false, 0.2, 1), (NULL, 0.9, 1), (false, NULL, 1), (true, 0.1, NULL)) v(a, p, w);

-- Several metrics over the same arguments, in one query with an expression around each.
SELECT round((2 * roc_auc(late, p) - 1 - gini(late, p))::numeric, 12) AS zero,
       round((1 - accuracy(late, p > 0.5) - avg((late <> (p > 0.5))::int))::numeric, 12) AS zero
FROM metric_rows;

DROP VIEW disagreeing, measured;
DROP TABLE golden, metric_rows;
