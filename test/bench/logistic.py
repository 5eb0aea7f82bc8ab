#!/usr/bin/env python3
"""Logistic regression on real data against scikit-learn in the same run: many levels, many classes.

Both sides fit the same objective on the same rows: standardised numbers, one column per level, C = 1. Flights are
1,200,000 rows with two factors of 227 levels; letter and covtype have 26 and 7 classes. The objective of ours is
computed by scikit-learn's formula from our coefficients, so that "objective" compares like with like (less is better).
Uses the server of the PG* variables; skipped where the data or scikit-learn are missing.
"""
import os
import sys

from common import DATA, connect, query, seconds, show

try:
    import numpy
    import pandas
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()

FLIGHTS = """SELECT extract(month FROM date)::int AS month, extract(dow FROM date)::int AS dow,
    extract(hour FROM date) + extract(minute FROM date) / 60 AS hour, distance, origin, destination, delay > 15 AS target
    FROM bench_airline_2001_1500k_a WHERE delay IS NOT NULL LIMIT 1200000"""
SETS = {"airline_2001_1500k_a": FLIGHTS,
        "letter": "SELECT *, lettr AS target FROM bench_letter",
        "covtype_20k": "SELECT *, cover_type::text AS target FROM bench_covtype_20k"}
LEFT_OUT = ["lettr", "cover_type", "is_test"]
cursor = connect()


def design(frame):
    """The columns that both sides see: sparse if there are levels."""
    numbers = frame.select_dtypes("number").astype(float)
    scale = numbers.std(ddof=0).replace(0, 1)
    factors = frame[[c for c in frame if c not in numbers]]
    x = ((numbers - numbers.mean()) / scale).to_numpy()
    if factors.shape[1] > 0:
        x = hstack([csr_matrix(x), OneHotEncoder().fit_transform(factors)]).tocsr()
    return x


def objective(log_likelihood, coefficients):
    return -log_likelihood + 0.5 * (coefficients ** 2).sum()


def ours(table, frame):
    """Time and objective of create_model."""
    time = seconds(lambda: query(cursor, "SELECT mlplat.create_model('bench', %s, 'target', 'logistic', holdout => 0, "
                                         "promote => 'always')", f"TABLE {table}"), 3)
    rows = query(cursor, "SELECT feature, coefficient FROM mlplat.coefficients('bench') WHERE feature <> '(intercept)'")
    scale = frame.select_dtypes("number").astype(float).std(ddof=0)
    values = numpy.array([value * scale.get(feature, 1.0) for feature, value in rows])
    likelihood = query(cursor, "SELECT mlplat.model_info('bench') -> 'summary' -> 'log_likelihood'")[0][0]
    return time, objective(float(likelihood), values)


for name, text in SETS.items():
    path = os.path.abspath(os.path.join(DATA, name + ".csv.gz"))
    if not os.path.exists(path):
        print(f"skipped: {path} is not there (set MLPLAT_DATA)")
        continue
    cursor.execute(f"DROP TABLE IF EXISTS bench_{name}, bench_rows")
    query(cursor, "SELECT mlplat.import_csv(%s, %s)", f"bench_{name}", path)
    cursor.execute(f"CREATE TABLE bench_rows AS {text}")
    for column in LEFT_OUT:
        cursor.execute(f"ALTER TABLE bench_rows DROP COLUMN IF EXISTS {column}")
    cursor.execute("ANALYZE bench_rows")
    cursor.execute("SELECT * FROM bench_rows")
    frame = pandas.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
    target = frame.pop("target").to_numpy()
    frame = frame.apply(lambda column: pandas.to_numeric(column, errors="ignore"))
    time, value = ours("bench_rows", frame)
    x = design(frame)
    peer = LogisticRegression(max_iter=1000)
    peer_time = seconds(lambda: peer.fit(x, target), 1)
    chosen = numpy.searchsorted(peer.classes_, target)
    likelihood = peer.predict_log_proba(x)[numpy.arange(len(target)), chosen].sum()
    show(f"{name}: create_model", time, f"objective {value:.4f}")
    show(f"{name}: LogisticRegression.fit, data in memory", peer_time,
         f"objective {objective(likelihood, peer.coef_):.4f}; ours takes {time[0] / peer_time[0]:.2f} x")
