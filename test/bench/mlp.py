#!/usr/bin/env python3
"""The multilayer perceptron against scikit-learn's in the same run: time to train, and quality on held-out rows.

Both sides train the same layers (64, 32) on the same rows (is_test = 0) and are measured on the others. scikit-learn
gets its usual preparation: median and indicators for missing values, standardised numbers, one column per level, a
standardised target; once with its defaults and once with early stopping, as ours has by default. Three seeds; the mean
is shown, and the best of the peer's two figures is what the gap is taken from. Every side runs as it comes: ours on
its two threads, scikit-learn on those of its BLAS.
Uses the server of the PG* variables; skipped where the data or scikit-learn are missing.

    mlp.py [--params JSON] [SET ...]
"""
import argparse
import json
import os
import sys
import time
import warnings

from common import DATA, PEERS, connect, query

try:
    import numpy
    import pandas
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit()
warnings.filterwarnings("ignore")

SETS = ["california_housing", "bike_sharing_hour", "wine_quality", "concrete", "diamonds", "telco_churn",
        "credit_scoring", "breast_cancer", "digits", "letter", "covtype_20k", "adult"]
DROPPED = {"bike_sharing_hour": ["instant", "dteday", "casual", "registered"], "telco_churn": ["customer_id"]}
SEEDS = (1, 2, 3)
parser = argparse.ArgumentParser()
parser.add_argument("--params", default="{}")
parser.add_argument("--no-peer", action="store_true")
parser.add_argument("sets", nargs="*")
arguments = parser.parse_args()
if not os.path.exists(PEERS):
    print(f"skipped: {PEERS} is not there (set MLPLAT_DATA and MLPLAT_PEERS)")
    sys.exit()
facts = json.load(open(PEERS))
cursor = connect()


def load(name):
    """The set as a table, and as a frame."""
    path = os.path.abspath(os.path.join(DATA, name + ".csv.gz"))
    cursor.execute(f'DROP TABLE IF EXISTS "set_{name}"')
    query(cursor, "SELECT mlplat.import_csv(%s, %s)", f"set_{name}", path)
    target = facts[name]["target"]
    columns = [row[0] for row in query(cursor, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass "
                                               "AND attnum > 0 AND NOT attisdropped ORDER BY attnum", f"set_{name}")]
    columns = [c for c in columns if c not in DROPPED.get(name, []) + [target, "is_test"]]
    return columns, target, pandas.read_csv(path)


def ours(name, columns, target, regression, seed):
    """Seconds of create_model, and the loss on the held-out rows."""
    listed = ", ".join(f'"{c}"' for c in columns)
    cast = "" if regression else "::text"
    text = f'SELECT {listed}, "{target}"{cast} AS target FROM "set_{name}" WHERE is_test = %s AND "{target}" IS NOT NULL'
    start = time.perf_counter()
    query(cursor, "SELECT mlplat.create_model('bench_mlp', %s, 'target', 'mlp', params => %s, holdout => 0, "
                  "promote => 'always', seed => %s)", text % 0, arguments.params, seed)
    seconds = time.perf_counter() - start
    if regression:
        metric = "mlplat.rmse(target::float8, mlplat.predict('bench_mlp', t))"
    else:
        metric = "avg(-ln(greatest(mlplat.predict_proba('bench_mlp', t, target), 1e-15)))"
    return seconds, query(cursor, f"SELECT {metric} FROM ({text % 1}) t")[0][0]


def theirs(columns, target, frame, regression, seed, early):
    """The same for scikit-learn."""
    frame = frame[frame[target].notna()]
    part = [frame[frame.is_test == k] for k in (0, 1)]
    numbers = [c for c in columns if pandas.api.types.is_numeric_dtype(frame[c])]
    factors = [c for c in columns if c not in numbers]
    prepare = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        ("factors", make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"),
                                  OneHotEncoder(handle_unknown="ignore", sparse_output=False)), factors)])
    options = dict(hidden_layer_sizes=(64, 32), random_state=seed, early_stopping=early)
    if regression:
        model = make_pipeline(prepare, TransformedTargetRegressor(MLPRegressor(**options), transformer=StandardScaler()))
    else:
        model = make_pipeline(prepare, MLPClassifier(**options))
    y = [p[target].to_numpy(dtype=float) if regression else p[target].astype(str).to_numpy() for p in part]
    start = time.perf_counter()
    model.fit(part[0][columns], y[0])
    seconds = time.perf_counter() - start
    if regression:
        return seconds, numpy.sqrt(numpy.mean((model.predict(part[1][columns]) - y[1]) ** 2))
    return seconds, log_loss(y[1], model.predict_proba(part[1][columns]), labels=model.classes_)


def mean(results):
    return [sum(r[i] for r in results) / len(results) for i in (0, 1)]


print(f"{'set':<20}{'loss: ours':>12}{'default':>12}{'stopping':>12}{'gap':>9}   {'seconds: ours':>13}{'default':>9}{'stopping':>9}")
gaps, ratios = [], []
for name in arguments.sets or SETS:
    if not os.path.exists(os.path.join(DATA, name + ".csv.gz")):
        print(f"{name:<20}skipped: the data is not there")
        continue
    columns, target, frame = load(name)
    regression = facts[name]["task"] == "regression"
    ours(name, columns, target, regression, 0)
    a = mean([ours(name, columns, target, regression, s) for s in SEEDS])
    if arguments.no_peer:
        print(f"{name:<20}{a[1]:>12.5g}   {a[0]:.2f}", flush=True)
        continue
    b = mean([theirs(columns, target, frame, regression, s, False) for s in SEEDS])
    c = mean([theirs(columns, target, frame, regression, s, True) for s in SEEDS])
    gaps.append(a[1] / min(b[1], c[1]) - 1)
    ratios.append(a[0] / min(b[0], c[0]))
    print(f"{name:<20}{a[1]:>12.5g}{b[1]:>12.5g}{c[1]:>12.5g}{gaps[-1]:>9.2%}   {a[0]:>13.2f}{b[0]:>9.2f}{c[0]:>9.2f}", flush=True)
if gaps:
    print(f"mean gap {sum(gaps) / len(gaps):+.2%}, worst {max(gaps):+.2%}; time against the faster peer: "
          f"{sum(ratios) / len(ratios):.2f} x on average, {max(ratios):.2f} x at worst")
