#!/usr/bin/env python3
"""Boosting against XGBoost in the same run: training from SQL with everything included against its fit alone.

dense: 1,000,000 rows x 20 float8, 100 trees of 63 leaves, judged by the log loss of 200,000 other rows.
flights: late arrivals of 1.5 million real flights, 80 % to train on, judged by the area under the curve of the rest,
over three seeds. Prediction: microseconds a row over 1,000,000 rows on one core.

All features are open to each tree on both sides (colsample 1). Two threads each, but one in prediction.
Uses the server of the PG* variables. Skipped where the data or XGBoost is not there.
"""
import io
import json
import os
import time

from common import DATA, FEATURES, connect, dense, query, seconds, show, sql_seconds

try:
    import numpy
    import pandas
    import sklearn.metrics
    import xgboost
except ImportError:
    xgboost = None
    print("XGBoost, scikit-learn or pandas is not installed: the peer's figures are skipped")

OPTIONS = {"n_trees": 100, "max_leaves": 63, "learning_rate": 0.1, "colsample": 1}
cursor = connect()
cursor.execute("SET mlplat.threads = 2")


def create(name, text, target, seed=0, **options):
    query(cursor, "SELECT mlplat.create_model(%s, %s, %s, 'gbdt', params => %s, holdout => 0, promote => 'always', seed => %s)",
          name, text, target, json.dumps(OPTIONS | options), seed)


def take_out(text):
    """Rows of a query as a table, by COPY."""
    buffer = io.BytesIO()
    cursor.copy_expert(f"COPY ({text}) TO STDOUT (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    return pandas.read_csv(buffer)


def peer(n_trees=100, max_leaves=63, **more):
    return xgboost.XGBClassifier(tree_method="hist", grow_policy="lossguide", n_estimators=n_trees, max_leaves=max_leaves,
                                 max_depth=0, learning_rate=0.1, max_bin=255, n_jobs=2, **more)


def dense_rows():
    print("== dense: 1,000,000 x 20, 100 trees x 63 leaves")
    dense(cursor)
    dense(cursor, 200_000, "dense_valid", 0.43)
    text = f"SELECT {FEATURES}, label FROM dense"
    ours = seconds(lambda: create("bench_gbdt", text, "label"), 3)
    loss = query(cursor, "SELECT mlplat.log_loss(label, mlplat.predict('bench_gbdt', t)) FROM dense_valid t")[0][0]
    show("create_model", ours, f"validation log loss {loss:.5f}")
    if not xgboost:
        return None
    train = take_out(f"SELECT {FEATURES}, label::int FROM dense").to_numpy(dtype=numpy.float64)
    valid = take_out(f"SELECT {FEATURES}, label::int FROM dense_valid").to_numpy(dtype=numpy.float64)
    booster = peer()
    theirs = seconds(lambda: booster.fit(train[:, :20], train[:, 20]), 1)
    loss = sklearn.metrics.log_loss(valid[:, 20], booster.predict_proba(valid[:, :20])[:, 1])
    show("XGBClassifier.fit", theirs, f"validation log loss {loss:.5f}; ours takes {ours[0] / theirs[0]:.2f} x")
    return train


def prediction(train):
    print("\n== prediction over 1,000,000 x 20, one core: s per 1M rows = us a row")
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    show("SELECT sum(x20) FROM dense", sql_seconds(cursor, "SELECT sum(x20) FROM dense"))
    create("bench_gbdt_500", f"SELECT {FEATURES}, label FROM dense", "label", n_trees=500, max_leaves=31)
    for name, n_trees, max_leaves in (("bench_gbdt", 100, 63), ("bench_gbdt_500", 500, 31)):
        sql = f"SELECT sum(mlplat.predict('{name}', t)) FROM dense t"
        show(f"predict, {n_trees} x {max_leaves}", sql_seconds(cursor, sql, 3))
        if train is not None:
            booster = peer(n_trees, max_leaves).fit(train[:100_000, :20], train[:100_000, 20])
            booster.set_params(n_jobs=1)
            show("XGBoost's batch, 1 thread", seconds(lambda: booster.predict_proba(train[:, :20]), 1))


def flights():
    print("\n== flights: 1.5 million, 100 trees x 63 leaves")
    path = os.path.abspath(os.path.join(DATA, "airline_2001_1500k_a.csv.gz"))
    if not os.path.exists(path):
        print(f"skipped: {path} is not there")
        return
    cursor.execute("DROP TABLE IF EXISTS bench_air, bench_flights")
    query(cursor, "SELECT mlplat.import_csv('bench_air', %s)", path)
    cursor.execute("""CREATE TABLE bench_flights AS SELECT row_number() OVER () AS id, extract(month FROM date)::int2 AS month,
        extract(dow FROM date)::int2 AS dow, (extract(hour FROM date) * 60 + extract(minute FROM date))::int2 AS minute, distance,
        origin, destination, delay > 15 AS late FROM bench_air WHERE delay IS NOT NULL""")
    cursor.execute("VACUUM ANALYZE bench_flights")
    columns = "month, dow, minute, distance, origin, destination"
    # copies, so that the split is not timed
    cursor.execute("CREATE TEMP TABLE flights_train AS SELECT * FROM bench_flights WHERE mlplat.part_of(id) = 1;"
                   "CREATE TEMP TABLE flights_test AS SELECT * FROM bench_flights WHERE mlplat.part_of(id) = 2")
    text = f"SELECT {columns}, late FROM flights_train"
    create("bench_flights", text, "late")
    times, areas = [], []
    for seed in range(3):
        start = time.perf_counter()
        create("bench_flights", text, "late", seed)
        times.append(time.perf_counter() - start)
        areas.append(query(cursor, "SELECT mlplat.roc_auc(late, mlplat.predict('bench_flights', t)) FROM flights_test t")[0][0])
    show("create_model", (sorted(times)[1], min(times), max(times)),
         f"area under the curve {sum(areas) / 3:.4f} ({', '.join(f'{a:.4f}' for a in areas)})")
    if not xgboost:
        return
    train, test = (take_out(f"SELECT {columns}, late::int FROM flights_{part}") for part in ("train", "test"))
    codes = {c: sorted(set(train[c])) for c in ("origin", "destination")}
    for table in (train, test):
        for c, levels in codes.items():
            table[c] = pandas.Categorical(table[c], levels).codes
    booster = peer()
    x = train.columns[:6]
    theirs = seconds(lambda: booster.fit(train[x], train["late"]), 1)
    area = sklearn.metrics.roc_auc_score(test["late"], booster.predict_proba(test[x])[:, 1])
    show("XGBClassifier.fit, levels as codes", theirs, f"area under the curve {area:.4f}; ours takes {sorted(times)[1] / theirs[0]:.2f} x")


train = dense_rows()
prediction(train)
del train
flights()
