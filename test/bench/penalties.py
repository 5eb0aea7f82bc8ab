#!/usr/bin/env python3
"""Penalised models against scikit-learn in the same run, on the table dense: the penalty chosen by 5-fold
cross-validation for lasso, elastic net and ridge, a given lasso penalty for logistic.

Ours is create_model from SQL, everything included; scikit-learn's is fit alone, on standardised data in memory, with
two processes. "objective" and "mse" compare like with like: less is better.
Uses the server of the PG* variables; skipped where scikit-learn is missing.
"""
import sys

from common import FEATURES, connect, dense, query, seconds, show

try:
    import numpy
    from sklearn.linear_model import ElasticNetCV, LassoCV, LogisticRegression, RidgeCV
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()

CREATE = "SELECT mlplat.create_model('bench', %s, %s, %s, params => %s::jsonb, holdout => 0, promote => 'always')"
cursor = connect()
dense(cursor)
rows = numpy.array(query(cursor, f"SELECT {FEATURES}, y, label::int FROM dense"), dtype=float)
x, y, label = rows[:, :20], rows[:, 20], rows[:, 21]
scale = x.std(axis=0)
x = (x - x.mean(axis=0)) / scale


def summary(key):
    return float(query(cursor, "SELECT mlplat.model_info('bench') #>> ARRAY['summary', %s]", key)[0][0])


def coefficients():
    found = dict(query(cursor, "SELECT feature, coefficient FROM mlplat.coefficients('bench')"))
    return numpy.array([found[f"x{i}"] for i in range(1, 21)]) * scale


def compare(algorithm, peer):
    """The choice of the penalty by cross-validation."""
    ours = seconds(lambda: query(cursor, CREATE, f"SELECT {FEATURES}, y FROM dense", "y", algorithm, "{}"), 3)
    show(f"{algorithm}, alpha by 5 folds: create_model", ours, f"mse {summary('cv_mse'):.6f} by cross-validation")
    theirs = seconds(lambda: peer.fit(x, y), 1)
    error = peer.mse_path_.mean(axis=-1).min() if hasattr(peer, "mse_path_") else -peer.best_score_
    show(f"{algorithm}, alpha by 5 folds: scikit-learn's fit", theirs,
         f"mse {error:.6f} by cross-validation; ours takes {ours[0] / theirs[0]:.2f} x")


compare("lasso", LassoCV(cv=5, n_jobs=2))
compare("elastic_net", ElasticNetCV(cv=5, n_jobs=2))
compare("ridge", RidgeCV(alphas=numpy.logspace(3, -5, 25) * len(y), cv=5, scoring="neg_mean_squared_error"))

PENALTY = 1000.0
ours = seconds(lambda: query(cursor, CREATE, f"SELECT {FEATURES}, label FROM dense", "label", "logistic",
                             f'{{"l1": {PENALTY}, "l2": 0}}'), 3)
show("logistic, l1: create_model", ours,
     f"objective {-summary('log_likelihood') + PENALTY * abs(coefficients()).sum():.4f}")
peer = LogisticRegression(penalty="l1", C=1 / PENALTY, solver="saga", max_iter=1000)
theirs = seconds(lambda: peer.fit(x, label), 1)
loss = -peer.predict_log_proba(x)[numpy.arange(len(label)), label.astype(int)].sum()
show("logistic, l1: scikit-learn's fit", theirs,
     f"objective {loss + PENALTY * abs(peer.coef_).sum():.4f}; ours takes {ours[0] / theirs[0]:.2f} x")
