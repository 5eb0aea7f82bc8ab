#!/usr/bin/env python3
"""Nearest neighbours against scikit-learn in the same run: the same answers, and the time.

Both sides search the same coordinates: standardised columns in single precision. The answers are compared row by row;
rows whose last neighbour is as far as the next one (a tie) may differ and are counted apart. Prediction in SQL is one
row after the other in one process; scikit-learn predicts the whole batch, by its own choice of method, on one thread.
Uses the server of the PG* variables; skipped where the data or scikit-learn are missing.
"""
import os
import sys
import time

from common import DATA, connect, query, seconds, show

try:
    import numpy
    import pandas
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()

# set: target, columns that are left out
SETS = {"california_housing": ("median_house_value", ["ocean_proximity", "total_bedrooms"]),
        "letter": ("lettr", []), "digits": ("digit", []), "covtype_20k": ("cover_type", []),
        "mammography": ("class", [])}
cursor = connect()
cursor.execute("SET max_parallel_workers_per_gather = 0")


def compare(name, table, columns, target, regression, k=5, weights="uniform", distance="euclidean"):
    """Train and predict on both sides; the rows of table with is_test = 1 are predicted."""
    listed = ", ".join(f'"{c}"::float8' for c in columns)
    cast = "" if regression else "::text"
    rows = f'SELECT {listed}, "{target}"{cast} AS target FROM {table} WHERE is_test = %s ORDER BY ctid'
    fit = seconds(lambda: query(cursor, "SELECT mlplat.create_model('bench_knn', %s, 'target', 'knn', params => %s, "
                                        "holdout => 0, promote => 'always')", rows % 0,
                                '{"n_neighbors": %d, "weights": "%s", "distance": "%s"}' % (k, weights, distance)), 1)
    call = "mlplat.predict('bench_knn', q)" if regression else "mlplat.predict_class('bench_knn', q)"
    start = time.perf_counter()
    ours = numpy.array([row[0] for row in query(cursor, f"SELECT {call} FROM ({rows % 1}) q")])
    predict = time.perf_counter() - start
    data = [pandas.DataFrame(query(cursor, rows % part)) for part in (0, 1)]
    x = [part.iloc[:, :-1].to_numpy(dtype=float) for part in data]
    y = [part.iloc[:, -1].to_numpy() for part in data]
    mean, scale = x[0].mean(0), x[0].std(0)
    scale[scale == 0] = 1
    x = [((part - mean) / scale).astype(numpy.float32).astype(float) for part in x]
    peer = (KNeighborsRegressor if regression else KNeighborsClassifier)(
        k, weights=weights, metric=distance, n_jobs=1)
    start = time.perf_counter()
    peer.fit(x[0], y[0])
    peer_fit = time.perf_counter() - start
    start = time.perf_counter()
    theirs = peer.predict(x[1])
    peer_predict = time.perf_counter() - start
    distances = peer.kneighbors(x[1], k + 1)[0]
    tied = distances[:, k] - distances[:, k - 1] <= 1e-9 * distances[:, k]
    if not regression:
        # the vote itself may be a tie: then the order of classes decides, on both sides alike
        same = ours == theirs
    else:
        same = numpy.abs(ours.astype(float) - theirs) <= 1e-9 * numpy.abs(theirs)
    print(f"{name}: {len(y[0])} x {len(columns)}, k={k}, {weights}, {distance}: {(~same & ~tied).sum()} of {len(same)} "
          f"answers differ, and {(~same & tied).sum()} of {tied.sum()} ties")
    show("  create_model", fit, f"scikit-learn fits in {peer_fit:.3f} s")
    per = 1e6 / len(y[1])
    print(f"  predict, microseconds a row: {predict * per:.1f}; scikit-learn {peer_predict * per:.1f}; "
          f"ours takes {predict / peer_predict:.2f} x")
    sys.stdout.flush()


for name, (target, left_out) in SETS.items():
    path = os.path.abspath(os.path.join(DATA, name + ".csv.gz"))
    if not os.path.exists(path):
        print(f"skipped: {path} is not there (set MLPLAT_DATA)")
        continue
    cursor.execute(f"DROP TABLE IF EXISTS bench_{name}")
    query(cursor, "SELECT mlplat.import_csv(%s, %s)", f"bench_{name}", path)
    columns = [row[0] for row in query(cursor, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                                               "AND NOT attisdropped ORDER BY attnum", f"bench_{name}")]
    columns = [c for c in columns if c not in left_out + [target, "is_test"]]
    regression = name == "california_housing"
    compare(name, f"bench_{name}", columns, target, regression)
    if name in ("california_housing", "letter"):
        compare(name, f"bench_{name}", columns, target, regression, 20, "distance", "manhattan")

for features, rows in ((2, 1_000_000), (5, 500_000), (10, 200_000), (20, 100_000), (50, 50_000)):
    cursor.execute("DROP TABLE IF EXISTS bench_cloud")
    cursor.execute("SELECT setseed(0.5)")
    listed = ", ".join(f"sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS x{j}" for j in range(features))
    cursor.execute(f"CREATE TABLE bench_cloud AS SELECT {listed}, random() AS y, (i <= 1000)::int AS is_test "
                   f"FROM generate_series(1, {rows + 1000}) i")
    compare("normal cloud", "bench_cloud", [f"x{j}" for j in range(features)], "y", True)
