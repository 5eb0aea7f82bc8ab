#!/usr/bin/env python3
"""Training and prediction over 1,000,000 rows x 20 float8, warm, against scikit-learn in the same run. See also boosting.py.

The peers get their data by COPY from the same table (timed apart): that is what leaving the database costs.
Uses the server of the PG* variables. Peers that are not installed are skipped.
"""
import io
import sys
import time

from common import FEATURES, connect, dense, query, seconds, show, sql_seconds

cursor = connect()
dense(cursor)
query(cursor, "SELECT count(x20), count(label) FROM dense")
TRAIN = f"SELECT {FEATURES}, y FROM dense"
CLASSIFY = f"SELECT {FEATURES}, label FROM dense"


def create(name, text, target, algorithm, params="{}", holdout=0):
    query(cursor, "SELECT mlplat.create_model(%s, %s, %s, %s, params => %s, holdout => %s, promote => 'always')",
          name, text, target, algorithm, params, holdout)


def log_loss_in_sql(name):
    return query(cursor, f"SELECT mlplat.log_loss(label, mlplat.predict('{name}', t)) FROM dense t")[0][0]


def take_out():
    """The table as a numpy array, by COPY, and how long that took."""
    import numpy
    start = time.perf_counter()
    buffer = io.BytesIO()
    cursor.copy_expert(f"COPY (SELECT {FEATURES}, y, label::int FROM dense) TO STDOUT (FORMAT csv)", buffer)
    import pandas
    buffer.seek(0)
    table = pandas.read_csv(buffer, header=None).to_numpy(dtype=numpy.float64)
    return table, time.perf_counter() - start


print("== SQL alone")
count = sql_seconds(cursor, "SELECT count(x20) FROM dense")
show("SELECT count(x20) FROM dense", count)
linear = seconds(lambda: create("bench_linear", TRAIN, "y", "linear"))
show("create_model linear, no hold-out", linear, f"{linear[0] / count[0]:.1f} x count(x20)")
show("train aggregate, record form, linear",
     sql_seconds(cursor, "SELECT mlplat.train(t, 'y', '{\"algorithm\": \"linear\", \"exclude\": [\"label\"]}') FROM dense t"))
logistic = seconds(lambda: create("bench_logistic", CLASSIFY, "label", "logistic"), 3)
show("create_model logistic", logistic)
BOOSTING = '{"n_trees": 100, "max_leaves": 63, "learning_rate": 0.1, "colsample": 1}'
gbdt = seconds(lambda: create("bench_gbdt", CLASSIFY, "label", "gbdt", BOOSTING), 3)
show("create_model gbdt 100 x 63", gbdt)

print("\n== prediction, serial plan, microseconds a row")
cursor.execute("SET max_parallel_workers_per_gather = 0")
base = sql_seconds(cursor, "SELECT sum(x20) FROM dense")
show("SELECT sum(x20) FROM dense", base)
for model in ("bench_linear", "bench_logistic", "bench_gbdt"):
    show(f"SELECT sum(mlplat.predict('{model}', t)) FROM dense t",
         sql_seconds(cursor, f"SELECT sum(mlplat.predict('{model}', t)) FROM dense t", 3), "s per 1M rows = us a row")
show("the same, the row formed first (gbdt)",
     sql_seconds(cursor, "SELECT sum(mlplat.predict('bench_gbdt', t)) FROM (SELECT * FROM dense OFFSET 0) t", 3))

print("\n== metrics")
cursor.execute("CREATE TEMP TABLE scored AS SELECT label, mlplat.predict('bench_gbdt', t) AS p FROM dense t")
query(cursor, "SELECT count(p) FROM scored")
show("roc_auc over 1M rows", sql_seconds(cursor, "SELECT mlplat.roc_auc(label, p) FROM scored", 3))
cursor.execute("SET work_mem = '256MB'")
show("the sort alone in SQL", sql_seconds(cursor, "SELECT count(*) FROM (SELECT p FROM scored ORDER BY p OFFSET 0) s", 3))

try:
    import sklearn.linear_model
    import sklearn.metrics
except ImportError:
    print("\nscikit-learn is not installed: its figures are skipped")
    sys.exit()

print("\n== scikit-learn on the same rows")
table, out = take_out()
x, y, label = table[:, :20], table[:, 20], table[:, 21]
print(f"taking the data out (COPY, read_csv): {out:.1f} s, once")
show("LinearRegression.fit", seconds(lambda: sklearn.linear_model.LinearRegression().fit(x, y), 3))
peer = sklearn.linear_model.LogisticRegression(max_iter=1000, tol=1e-6)
fit = seconds(lambda: peer.fit(x, label), 3)
theirs = sklearn.metrics.log_loss(label, peer.predict_proba(x)[:, 1])
ours = log_loss_in_sql("bench_logistic")
show("LogisticRegression.fit", fit, f"log loss {theirs:.9f}; ours {ours:.9f}, relative {ours / theirs - 1:+.1e}")
