#!/usr/bin/env python3
"""Quality with default parameters on real data sets, against what the best libraries reach on the same split.

Each set is imported with import_csv; rows with is_test = 1 are held out, the others train. The gap is the relative
distance to the peer on log loss or rmse; negative is better. Linear models stand against scikit-learn's, boosting
against the best of LightGBM, XGBoost and HistGradientBoosting. The peers' figures come from peers.json beside the data.

    quality.py [--algorithm NAME] [--params JSON] [--min-rows N] [SET ...]

With algorithm auto, which compares several, the column of times says what that costs.
"""
import argparse
import json
import os
import sys

from common import DATA, PEERS, connect, query

DROPPED = {"telco_churn": [], "bike_sharing_hour": ["instant", "dteday", "casual", "registered"]}
TREES = ("lightgbm", "xgb", "sk_hgb")

parser = argparse.ArgumentParser()
parser.add_argument("--algorithm", default="all")
parser.add_argument("--params", default="{}")
parser.add_argument("--min-rows", type=int, default=2500)
parser.add_argument("sets", nargs="*")
arguments = parser.parse_args()

if not os.path.exists(PEERS):
    print(f"skipped: {PEERS} is not there (set MLPLAT_DATA and MLPLAT_PEERS)")
    sys.exit()
peers = json.load(open(PEERS))
cursor = connect()


def load(name):
    """The set as a table, and its feature columns."""
    path = os.path.abspath(os.path.join(DATA, name + ".csv.gz"))
    cursor.execute(f'DROP TABLE IF EXISTS "set_{name}"')
    query(cursor, "SELECT mlplat.import_csv(%s, %s)", f"set_{name}", path)
    columns = [row[0] for row in query(cursor, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass "
                                               "AND attnum > 0 AND NOT attisdropped ORDER BY attnum", f"set_{name}")]
    return [c for c in columns if c not in DROPPED.get(name, []) and c != "is_test"]


def run(name, algorithm, columns):
    """Train on the training rows, and measure on the held-out ones."""
    facts = peers[name]
    target = facts["target"]
    listed = ", ".join(f'"{c}"' for c in columns if c != target)
    cast = "" if facts["task"] == "regression" else "::text"
    params = json.loads(arguments.params)
    text = f'SELECT {listed}, "{target}"{cast} AS target FROM "set_{name}" WHERE is_test = %s AND "{target}" IS NOT NULL'
    query(cursor, "SELECT mlplat.create_model('quality', %s, 'target', %s, params => %s, holdout => 0, promote => 'always')",
          text % 0, algorithm, json.dumps(params))
    chosen = query(cursor, "SELECT format('%s in %s s', algorithm, round(seconds::numeric, 1)) FROM mlplat.runs WHERE model = 'quality' "
                           "ORDER BY run_id DESC LIMIT 1")[0][0]
    if facts["task"] == "regression":
        metric = "mlplat.rmse(target::float8, mlplat.predict('quality', t))"
    else:
        metric = "avg(-ln(greatest(mlplat.predict_proba('quality', t, target), 1e-15)))"
    return query(cursor, f"SELECT {metric} FROM ({text % 1}) t")[0][0], chosen


def table(algorithm, best_of, task_ok):
    gaps = []
    print(f"\n{algorithm}\n{'set':<22}{'metric':<10}{'ours':>12}{'peer':>12}  {'gap':>8}  peer")
    for name, facts in peers.items():
        if facts["n"] < arguments.min_rows or not task_ok(facts["task"]) or (arguments.sets and name not in arguments.sets):
            continue
        if not os.path.exists(os.path.join(DATA, name + ".csv.gz")):
            print(f"{name:<22}skipped: the data is not there")
            continue
        metric = "rmse" if facts["task"] == "regression" else "log_loss"
        peer = min((p for p in best_of), key=lambda p: facts[p][metric])
        ours, chosen = run(name, algorithm, load(name))
        gap = ours / facts[peer][metric] - 1
        gaps.append((name, gap))
        print(f"{name:<22}{metric:<10}{ours:12.6g}{facts[peer][metric]:12.6g}  {gap:+8.2%}  {peer:<11}{chosen}")
        sys.stdout.flush()
    counted = [g for n, g in gaps if n != "mushroom"]
    if counted:
        print(f"mean gap {sum(counted) / len(counted):+.2%}, worst {max(counted):+.2%} "
              "(without mushroom, which is separable: its losses are all but zero)")


if arguments.algorithm in ("all", "linear"):
    table("linear", ("sk_linear",), lambda task: task == "regression")
if arguments.algorithm in ("all", "logistic"):
    table("logistic", ("sk_linear",), lambda task: task != "regression")
if arguments.algorithm in ("all", "gbdt"):
    table("gbdt", TREES, lambda task: True)
for trees in ("forest", "extra_trees"):
    if arguments.algorithm in ("all", trees):
        table(trees, ("sk_rf",), lambda task: True)
if arguments.algorithm in ("all", "auto"):
    table("auto", TREES, lambda task: True)
