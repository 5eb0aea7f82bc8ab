#!/usr/bin/env python3
"""Generalised linear models and support vector machines against scikit-learn, on the same rows in one run.

The database side is one statement over a table; scikit-learn's is the fit alone, on an array that is ready and
standardised. Quality beside each time: the deviance, the objective, the area under the curve.
Uses the server of the PG* variables; skipped where scikit-learn is missing.
"""
import json
import os
import sys
import time
import warnings

from common import FEATURES, connect, dense, query, seconds, show

try:
    import numpy as np
    from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
    from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance, mean_tweedie_deviance, roc_auc_score
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC, LinearSVR, OneClassSVM
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()

ROWS = int(os.environ.get("GLM_SVM_ROWS", 100_000))
warnings.simplefilter("ignore")
cursor = connect()
dense(cursor, ROWS, "glm_svm_dense")
TABLE = f"(SELECT {FEATURES}, {{y}} AS y FROM glm_svm_dense) t"
COUNT = "floor(exp(1 + 0.2 * y))"
AMOUNT = "exp(1 + 0.2 * y)"
MIXED = "CASE WHEN y < -1 THEN 0 ELSE exp(1 + 0.2 * y) END"


def matrix(target):
    rows = np.array(query(cursor, f"SELECT {FEATURES}, ({target})::float8 FROM glm_svm_dense"), float)
    return StandardScaler().fit_transform(rows[:, :-1]), rows[:, -1]


def once(work):
    """The time of one run: some peers take a minute."""
    start = time.perf_counter()
    work()
    taken = time.perf_counter() - start
    return taken, taken, taken


def summary(target, options):
    """Train once, and the summary of the image."""
    sql = f"SELECT mlplat.model_info(mlplat.train(t, %s, %s)) -> 'summary' FROM {TABLE.format(y=target)}"
    return query(cursor, sql, "y", json.dumps(options))[0][0]


def compare(name, target, options, peer, ours, theirs):
    """Both times, their ratio, and a figure of quality each."""
    x, y = matrix(target)
    result, kept = {}, {}

    def train():
        result.update(summary(target, options))

    mine = seconds(train, 3)
    other = once(lambda: kept.update(model=peer().fit(x, y)))
    show(f"{name}: mlplat, from SQL", mine, f"{ours(result):.6g}")
    show(f"{name}: scikit-learn, fit alone", other, f"{theirs(kept['model'], x, y):.6g}")
    print(f"{'':<58} {mine[0] / other[0]:8.2f} x")


def deviance(result):
    return result["deviance"] / result["n"]


print(f"{ROWS} rows x 20")
compare("poisson, deviance", COUNT, {"algorithm": "glm", "family": "poisson"},
        lambda: PoissonRegressor(alpha=0, tol=1e-6, max_iter=1000), deviance,
        lambda m, x, y: mean_poisson_deviance(y, m.predict(x)))
compare("gamma, deviance", AMOUNT, {"algorithm": "glm", "family": "gamma"},
        lambda: GammaRegressor(alpha=0, tol=1e-6, max_iter=1000), deviance,
        lambda m, x, y: mean_gamma_deviance(y, m.predict(x)))
compare("tweedie 1.5, deviance", MIXED, {"algorithm": "glm", "family": "tweedie"},
        lambda: TweedieRegressor(power=1.5, alpha=0, link="log", tol=1e-6, max_iter=1000), deviance,
        lambda m, x, y: mean_tweedie_deviance(y, m.predict(x), power=1.5))


def hinge(m, x, y):
    margin = np.maximum(0, 1 - (2 * y - 1) * m.decision_function(x))
    power = 2 if m.loss == "squared_hinge" else 1
    return 0.5 * (np.sum(m.coef_ ** 2) + m.intercept_[0] ** 2) + np.sum(margin ** power)


def insensitive(m, x, y):
    over = np.maximum(0, np.abs(y - m.predict(x)) - m.epsilon)
    power = 2 if m.loss.startswith("squared") else 1
    return 0.5 * (np.sum(m.coef_ ** 2) + float(np.squeeze(m.intercept_)) ** 2) + np.sum(over ** power)


def primal(result):
    return result["primal_objective"]


# Ours has five machines more than the peer, for the probabilities. The peer gets the faster of its solvers.
for loss in ("squared_hinge", "hinge"):
    compare(f"svm {loss}, objective", "label::int", {"algorithm": "svm", "loss": loss, "task": "classification"},
            lambda loss=loss: LinearSVC(loss=loss, dual=loss == "hinge", random_state=0), primal, hinge)
for loss in ("squared_epsilon_insensitive", "epsilon_insensitive"):
    compare(f"svr {loss[:19]}, objective", "y / 3", {"algorithm": "svm", "loss": loss, "scale_target": False},
            lambda loss=loss: LinearSVR(loss=loss, dual=loss == "epsilon_insensitive", epsilon=0.1, random_state=0), primal, insensitive)

# One class: the kernel's exact machine is quadratic in rows, so there are fewer; one row in fifty is far out.
FEW = 10_000
cursor.execute(f"""CREATE TEMPORARY TABLE far AS
    SELECT {', '.join(f'x{i} * (1 + (n % 50 = 0)::int) AS x{i}' for i in range(1, 21))}, n % 50 = 0 AS odd
    FROM (SELECT *, row_number() OVER () AS n FROM glm_svm_dense LIMIT {FEW}) t""")
x = StandardScaler().fit_transform(np.array(query(cursor, f"SELECT {FEATURES} FROM far"), float))
odd = np.array([r[0] for r in query(cursor, "SELECT odd FROM far")])
options = json.dumps({"algorithm": "one_class_svm", "task": "anomaly", "nu": 0.1})
image, machine = [], {}
mine = seconds(lambda: image.append(query(cursor, f"SELECT mlplat.train(t, NULL, %s) FROM (SELECT {FEATURES} FROM far) t", options)[0][0]), 3)
other = once(lambda: machine.update(m=OneClassSVM(nu=0.1, gamma="scale").fit(x)))
score = [r[0] for r in query(cursor, f"SELECT mlplat.predict(%s, t) FROM (SELECT {FEATURES} FROM far) t", image[-1])]
show(f"one class, {FEW} rows, AUC: mlplat, from SQL", mine, f"{roc_auc_score(odd, score):.4f}")
show(f"one class, {FEW} rows, AUC: scikit-learn, fit alone", other, f"{roc_auc_score(odd, -machine['m'].decision_function(x)):.4f}")
print(f"{'':<58} {mine[0] / other[0]:8.2f} x")
cursor.execute("DROP TABLE glm_svm_dense")
