"""Golden values of the metric tests, by scikit-learn.

Prints lines "name value" for the data that row() defines; test/unit/test_metric.c and
test/sql/metrics.sql make the same rows by the same integer arithmetic.

    python3 test/golden/metrics.py c      as elements of a C array
    python3 test/golden/metrics.py sql    as rows of VALUES
"""
import sys

import numpy as np
from sklearn import metrics as m

N = 1000


def rows():
    i = np.arange(N)
    a, b = i * 7919 % 101, i * 104729 % 1013
    label = (b + 5 * a > 760).astype(int)
    p = a / 100.0  # with ties, 0 and 1
    weight = 1 + (i % 7) / 4.0
    actual = i * 31 % 5
    predicted = np.where(i * 17 % 10 < 7, actual, (actual + i % 3) % 4)
    y = 100 + (i * 7919 % 1009) / 10.0
    y_hat = y + (b - 506) / 100.0
    return label, p, weight, actual, predicted, y, y_hat


def ks(label, p, w):
    fpr, tpr, _ = m.roc_curve(label, p, sample_weight=w, drop_intermediate=False)
    return np.max(np.abs(tpr - fpr))


def golden(w, suffix):
    label, p, _, actual, predicted, y, y_hat = rows()
    hard = (p > 0.5).astype(int)
    k = {"sample_weight": w}
    out = {
        "roc_auc": m.roc_auc_score(label, p, **k),
        "pr_auc": m.average_precision_score(label, p, **k),
        "ks": ks(label, p, w),
        "gini": 2 * m.roc_auc_score(label, p, **k) - 1,
        "log_loss": m.log_loss(label, p, **k),
        "brier": m.brier_score_loss(label, p, **k),
        "accuracy": m.accuracy_score(label, hard, **k),
        "balanced_accuracy": m.balanced_accuracy_score(label, hard, **k),
        "precision": m.precision_score(label, hard, **k),
        "recall": m.recall_score(label, hard, **k),
        "f1": m.f1_score(label, hard, **k),
        "mcc": m.matthews_corrcoef(label, hard, **k),
        "many_accuracy": m.accuracy_score(actual, predicted, **k),
        "many_balanced_accuracy": m.balanced_accuracy_score(actual, predicted, **k),
        "many_mcc": m.matthews_corrcoef(actual, predicted, **k),
        "mse": m.mean_squared_error(y, y_hat, **k),
        "rmse": m.mean_squared_error(y, y_hat, squared=False, **k),
        "mae": m.mean_absolute_error(y, y_hat, **k),
        "mape": m.mean_absolute_percentage_error(y, y_hat, **k),
        "r2": m.r2_score(y, y_hat, **k),
        "explained_variance": m.explained_variance_score(y, y_hat, **k),
    }
    for rate in ("precision", "recall", "f1"):
        score = getattr(m, rate + "_score")
        for average in ("macro", "micro", "weighted"):
            out["many_%s_%s" % (rate, average)] = score(
                actual, predicted, average=average, zero_division=0, **k)
        out["many_%s_of_3" % rate] = score(
            actual, predicted, labels=[3], average="macro", zero_division=0, **k)
    return {name + suffix: value for name, value in out.items()}


def main():
    values = {**golden(None, ""), **golden(rows()[2], "_weighted_rows")}
    form = {"c": '{"%s", %.17g},', "sql": "('%s', %.17g),"}[sys.argv[1]]
    for name, value in values.items():
        print(form % (name, value))


main()
