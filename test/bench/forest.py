#!/usr/bin/env python3
"""Forests of 50 trees of depth 12 on 200,000 rows x 20 float8, against scikit-learn's in the same run, 2 threads.

Ours is create_model from SQL with everything included, the out-of-bag error too; theirs is fit alone on an array in memory.
Accuracy, log loss and rmse are measured on rows that neither saw. Sizes of images and prediction in SQL stand
beside. Quality on real data sets: quality.py --algorithm forest. Uses the server of the PG* variables.
"""
import json
import sys

from common import FEATURES, connect, dense, query, seconds, show, sql_seconds

ROWS, TEST = 200_000, 50_000
cursor = connect()
dense(cursor, ROWS + TEST)
cursor.execute("DROP TABLE IF EXISTS forest_train, forest_test")
cursor.execute(f"CREATE TABLE forest_train AS SELECT * FROM dense LIMIT {ROWS}")
cursor.execute(f"CREATE TABLE forest_test AS SELECT * FROM dense OFFSET {ROWS}")
cursor.execute("VACUUM ANALYZE forest_train")
cursor.execute("SET mlplat.threads = 2")
LIMITS = {"n_trees": 50, "max_depth": 12}


def ours(algorithm, target, params):
    """Seconds to train, and the metrics on the test rows."""
    def create():
        query(cursor, "SELECT mlplat.create_model('bench_forest', %s, %s, %s, params => %s, holdout => 0, promote => 'always')",
              f"SELECT {FEATURES}, {target} FROM forest_train", target, algorithm, json.dumps(params))
    time = seconds(create, 2)
    if target == "y":
        metric = "mlplat.rmse(y, mlplat.predict('bench_forest', t))"
        return time, query(cursor, f"SELECT {metric} FROM forest_test t")[0]
    return time, query(cursor, "SELECT mlplat.accuracy(label, p > 0.5), mlplat.log_loss(label, p) FROM "
                               "(SELECT label, mlplat.predict('bench_forest', t) AS p FROM forest_test t OFFSET 0) s")[0]


def figures(values):
    return ", ".join(f"{v:.5f}" for v in values)


results = {}
for algorithm in ("forest", "extra_trees"):
    for target in ("label", "y"):
        results[algorithm, target] = time, values = ours(algorithm, target, LIMITS)
        show(f"create_model {algorithm}, {target}", time, figures(values))
        size = query(cursor, "SELECT length(image) FROM mlplat.version v JOIN mlplat.registry r USING (model_id) "
                             "WHERE r.name = 'bench_forest' ORDER BY version DESC LIMIT 1")[0][0]
        predicted = sql_seconds(cursor, "SELECT sum(mlplat.predict('bench_forest', t)) FROM forest_test t", 3)
        show("  predict in SQL, one core", predicted, f"{predicted[0] / TEST * 1e6:.2f} us a row; image {size / 1e6:.2f} MB")
time, values = ours("forest", "label", {"n_trees": 50})
results["deep", "label"] = time, values
show("create_model forest, label, no limit of depth", time, figures(values))

try:
    import numpy
    import sklearn.ensemble
    import sklearn.metrics
except ImportError:
    print("scikit-learn is not installed: its figures are skipped")
    sys.exit()


def take_out(table):
    rows = numpy.array(query(cursor, f"SELECT {FEATURES}, y, label::int FROM {table}"), dtype=float)
    return rows[:, :20], rows[:, 20], rows[:, 21]


x, y, label = take_out("forest_train")
test_x, test_y, test_label = take_out("forest_test")


def theirs(name, peer, algorithm, target):
    fit = seconds(lambda: peer.fit(x, label if target == "label" else y), 1)
    if target == "label":
        p = peer.predict_proba(test_x)[:, 1]
        values = ((p > 0.5) == test_label).mean(), sklearn.metrics.log_loss(test_label, p)
    else:
        values = (numpy.sqrt(((peer.predict(test_x) - test_y) ** 2).mean()),)
    show(name, fit, f"{figures(values)}; ours takes {results[algorithm, target][0][0] / fit[0]:.3f} x")


E = sklearn.ensemble
SAME = {"n_estimators": 50, "n_jobs": 2}
theirs("RandomForestClassifier.fit", E.RandomForestClassifier(max_depth=12, **SAME), "forest", "label")
theirs("ExtraTreesClassifier.fit", E.ExtraTreesClassifier(max_depth=12, **SAME), "extra_trees", "label")
theirs("RandomForestClassifier.fit, no limit of depth", E.RandomForestClassifier(**SAME), "deep", "label")
if "--numbers" in sys.argv:
    theirs("RandomForestRegressor.fit", E.RandomForestRegressor(max_depth=12, **SAME), "forest", "y")
    theirs("ExtraTreesRegressor.fit", E.ExtraTreesRegressor(max_depth=12, **SAME), "extra_trees", "y")
