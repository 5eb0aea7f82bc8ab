#!/usr/bin/env python3
"""Isolation forests against scikit-learn in the same run: how well labelled outliers are found, and the time.

Both sides train 100 trees on 256 rows each, on all rows and without the labels, and score the same rows; the figure is
the area under the ROC curve of the score against the label, the mean of ten seeds, with its standard deviation. The
outliers are a rare class, or few rows of one. Levels are numbers in order of their names for scikit-learn, and sets of
levels for ours.
Uses the server of the PG* variables; skipped where the data or scikit-learn are missing.
"""
import os
import sys
import time

from common import DATA, connect, dense, query

try:
    import numpy
    import pandas
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()

# set: the query for its rows, the columns left out of the features; label is true for an outlier
SETS = {
    "mammography": "SELECT *, class::text IN ('1', '''1''') AS label FROM bench_mammography",
    "breast_cancer": "SELECT * FROM (SELECT *, target = 0 AS label, row_number() OVER (PARTITION BY target) AS i FROM "
                     "bench_breast_cancer) t WHERE NOT label OR i <= 20",
    "letter": "SELECT * FROM (SELECT *, lettr <> 'A' AS label, row_number() OVER (PARTITION BY lettr = 'A') AS i FROM "
              "bench_letter) t WHERE NOT label OR i <= 80",
    "digits": "SELECT * FROM (SELECT *, digit = 0 AS label, row_number() OVER (PARTITION BY digit = 0) AS i FROM "
              "bench_digits) t WHERE NOT label OR i <= 40",
    "covtype_20k": "SELECT * FROM (SELECT *, cover_type = 4 AS label FROM bench_covtype_20k WHERE cover_type IN (2, 4)) t",
    "mushroom": "SELECT * FROM (SELECT *, poisonous::text IN ('p', '1', 'true') AS label, row_number() OVER (PARTITION BY "
                "poisonous) AS i FROM bench_mushroom) t WHERE NOT label OR i <= 100",
}
LEFT_OUT = {"label", "is_test", "i", "class", "target", "lettr", "digit", "cover_type", "poisonous"}
SEEDS = range(10)
cursor = connect()


def ours(text, seed):
    """Seconds to train, seconds to score, and the area."""
    start = time.perf_counter()
    query(cursor, "SELECT mlplat.create_model('bench_isolation', %s, NULL, 'isolation_forest', seed => %s, promote => 'always')",
          text, seed)
    middle = time.perf_counter()
    area = query(cursor, "SELECT mlplat.roc_auc(label, mlplat.predict('bench_isolation', t)) FROM bench_rows t")[0][0]
    return middle - start, time.perf_counter() - middle, area


def theirs(x, label, seed):
    model = IsolationForest(random_state=seed)
    start = time.perf_counter()
    model.fit(x)
    middle = time.perf_counter()
    scores = -model.score_samples(x)
    return middle - start, time.perf_counter() - middle, roc_auc_score(label, scores)


def spread(results):
    areas = [r[2] for r in results]
    return f"{numpy.mean(areas):.4f} +- {numpy.std(areas):.4f}", min(r[0] for r in results), min(r[1] for r in results)


def compare(name):
    columns = [row[0] for row in query(cursor, "SELECT attname FROM pg_attribute WHERE attrelid = 'bench_rows'::regclass AND "
                                               "attnum > 0 AND NOT attisdropped ORDER BY attnum")]
    columns = [c for c in columns if c not in LEFT_OUT]
    listed = ", ".join(f'"{c}"' for c in columns)
    cursor.execute(f"SELECT {listed}, label FROM bench_rows")
    frame = pandas.DataFrame(cursor.fetchall(), columns=columns + ["label"])
    label = frame.pop("label").to_numpy(dtype=bool)
    for c in columns:
        number = pandas.to_numeric(frame[c], errors="coerce")
        frame[c] = number if number.notna().any() else frame[c].astype("category").cat.codes
    x = frame.fillna(frame.median()).to_numpy(dtype=float)
    text = f"SELECT {listed} FROM bench_rows"
    ours(text, 0)
    a, b = spread([ours(text, s) for s in SEEDS]), spread([theirs(x, label, s) for s in SEEDS])
    print(f"{name:<16}{len(label):>8} rows, {label.sum():>5} outliers   AUC {a[0]}, scikit-learn {b[0]}   "
          f"create_model {a[1]:.3f} s, fit {b[1]:.3f} s   score all: {a[2]:.3f} s, {b[2]:.3f} s", flush=True)


for name, text in SETS.items():
    path = os.path.abspath(os.path.join(DATA, name + ".csv.gz"))
    if not os.path.exists(path):
        print(f"skipped: {path} is not there (set MLPLAT_DATA)")
        continue
    cursor.execute(f"DROP TABLE IF EXISTS bench_{name}, bench_rows")
    query(cursor, "SELECT mlplat.import_csv(%s, %s)", f"bench_{name}", path)
    cursor.execute(f"CREATE TABLE bench_rows AS {text}")
    compare(name)
SEEDS = range(1)
dense(cursor)
cursor.execute("DROP TABLE IF EXISTS bench_rows")
cursor.execute("CREATE TABLE bench_rows AS SELECT * FROM (SELECT x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x1 * x1 + x2 * x2 > 20 "
               "AS label FROM dense) t")
compare("normal, 1M x 10")
