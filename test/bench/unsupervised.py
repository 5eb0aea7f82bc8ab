#!/usr/bin/env python3
"""Clusters, components and naive Bayes over 1,000,000 rows x 20 float8, warm, against scikit-learn in the same run.

The peer gets its data by COPY from the same table (timed apart). Uses the server of the PG* variables; without
scikit-learn only our own figures are shown.
"""
import io
import json
import sys
import time

from common import FEATURES, connect, dense, query, seconds, show, sql_seconds

cursor = connect()
dense(cursor)
query(cursor, "SELECT count(x20) FROM dense")
ROWS = f"SELECT {FEATURES} FROM dense"
CLUSTERS = {"n_clusters": 8, "max_iter": 20, "tol": 0, "scale": False}


def create(name, text, target, algorithm, params):
    query(cursor, "SELECT mlplat.create_model(%s, %s, %s, %s, params => %s, holdout => 0, promote => 'always')",
          name, text, target, algorithm, json.dumps(params))


def summary(name, key):
    return query(cursor, "SELECT mlplat.model_info(%s) -> 'summary' -> %s", name, key)[0][0]


print("== SQL alone, everything included")
show("SELECT count(x20) FROM dense", sql_seconds(cursor, "SELECT count(x20) FROM dense"))
kmeans = seconds(lambda: create("bench_kmeans", ROWS, None, "kmeans", CLUSTERS), 3)
inertia = summary("bench_kmeans", "inertia")
show("create_model kmeans, k = 8, 20 iterations", kmeans, f"inertia {inertia:.1f}")
show("create_model kmeans, mini-batches of 4,096", seconds(
    lambda: create("bench_batches", ROWS, None, "kmeans", {**CLUSTERS, "batch_size": 4096}), 3),
    f"inertia {summary('bench_batches', 'inertia') / inertia - 1:+.2%} of that")
pca = seconds(lambda: create("bench_pca", ROWS, None, "pca", {}))
show("create_model pca", pca)
bayes = seconds(lambda: create("bench_bayes", f"SELECT {FEATURES}, label FROM dense", "label", "naive_bayes", {}))
show("create_model naive_bayes", bayes)
cursor.execute("SET max_parallel_workers_per_gather = 0")
for call in ("predict('bench_kmeans', t)", "transform('bench_pca', t)", "predict('bench_bayes', t)"):
    show(f"SELECT count(mlplat.{call}) FROM dense t, serial",
         sql_seconds(cursor, f"SELECT count(mlplat.{call}) FROM dense t", 3), "s per 1M rows = us a row")
cursor.execute("RESET max_parallel_workers_per_gather")
cursor.execute("CREATE TEMP TABLE clustered AS SELECT mlplat.predict('bench_kmeans', t) AS k, mlplat.transform('bench_pca', t) AS x "
               "FROM dense t LIMIT 10000")
silhouette = sql_seconds(cursor, "SELECT mlplat.silhouette(k, x) FROM clustered", 3)
show("silhouette of 10,000 rows, exact", silhouette)

try:
    import numpy
    import pandas
    import sklearn.metrics
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.naive_bayes import GaussianNB
except ImportError:
    print("\nscikit-learn is not installed: its figures are skipped")
    sys.exit()

print("\n== scikit-learn on the same rows, fit alone")
start = time.perf_counter()
buffer = io.BytesIO()
cursor.copy_expert(f"COPY (SELECT {FEATURES}, label::int FROM dense) TO STDOUT (FORMAT csv)", buffer)
buffer.seek(0)
table = pandas.read_csv(buffer, header=None).to_numpy(dtype=numpy.float64)
print(f"taking the data out (COPY, read_csv): {time.perf_counter() - start:.1f} s, once")
x, label = numpy.ascontiguousarray(table[:, :20]), table[:, 20]
peers = []
fit = seconds(lambda: peers.append(KMeans(8, n_init=1, max_iter=20, tol=0, random_state=len(peers)).fit(x)), 3)
theirs = sorted(peer.inertia_ for peer in peers)
show("KMeans(8, n_init=1, max_iter=20, tol=0).fit", fit,
     f"ours takes {kmeans[0] / fit[0]:.2f} x; inertia against their median {inertia / theirs[len(theirs) // 2] - 1:+.1e}, their best {inertia / theirs[0] - 1:+.1e}")
peer = PCA()
fit = seconds(lambda: peer.fit(x), 3)
gap = max(abs(a / b - 1) for a, b in zip(summary("bench_pca", "explained_variance"), peer.explained_variance_))
show("PCA().fit", fit, f"ours takes {pca[0] / fit[0]:.2f} x; variances agree to {gap:.0e}")
peer = GaussianNB()
fit = seconds(lambda: peer.fit(x, label), 3)
ours = [row[0] for row in query(cursor, "SELECT mlplat.predict('bench_bayes', t) FROM (SELECT * FROM dense LIMIT 20000) t")]
gap = numpy.abs(numpy.array(ours) - peer.predict_proba(x[:20000])[:, 1]).max()
show("GaussianNB().fit", fit, f"ours takes {bayes[0] / fit[0]:.2f} x; probabilities agree to {gap:.0e}")
rows = query(cursor, "SELECT k, x FROM clustered")
labels, points = [row[0] for row in rows], numpy.array([row[1] for row in rows])
fit = seconds(lambda: sklearn.metrics.silhouette_score(points, labels), 1)
gap = query(cursor, "SELECT mlplat.silhouette(k, x) FROM clustered")[0][0] - sklearn.metrics.silhouette_score(points, labels)
show("silhouette_score of 10,000 rows", fit, f"ours takes {silhouette[0] / fit[0]:.2f} x; they agree to {abs(gap):.0e}")
