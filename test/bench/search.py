#!/usr/bin/env python3
"""Five-fold cross-validation of 20 random candidates of boosting on the set adult: create_model's search against the
same candidates on as many folds with XGBoost from Python, in the same run: time, and the best candidate's quality.

The peer gets the data as a frame in memory, levels as categories, before its clock starts; ours reads the table.
XGBoost runs in its faster way of two: all threads at one fit, or a thread a fit (it lets go of Python's lock).

    search.py [--trials N] [--trees N]
"""
import argparse
import concurrent.futures
import json
import os
import sys
import time

from common import DATA, connect, query

SPACE = {"learning_rate": {"min": 0.02, "max": 0.3, "log": True}, "max_leaves": [15, 31, 63], "subsample": [0.7, 1],
         "colsample": [0.5, 0.7, 1], "l2": {"min": 0.1, "max": 10, "log": True}}
FOLDS = 5
THREADS = 2

parser = argparse.ArgumentParser()
parser.add_argument("--trials", type=int, default=20)
parser.add_argument("--trees", type=int, default=100)
arguments = parser.parse_args()

path = os.path.abspath(os.path.join(DATA, "adult.csv.gz"))
if not os.path.exists(path):
    print(f"skipped: {path} is not there (set MLPLAT_DATA)")
    sys.exit()
cursor = connect()
cursor.execute("DROP TABLE IF EXISTS set_adult")
query(cursor, "SELECT mlplat.import_csv('set_adult', %s)", path)
TRAIN = "SELECT * FROM set_adult WHERE is_test = 0"


def ours():
    """Seconds of the whole call, and its trials."""
    search = dict(SPACE, method="random", n_trials=arguments.trials)
    start = time.perf_counter()
    query(cursor, "SELECT mlplat.create_model('bench_search', %s, 'income', 'gbdt', %s, exclude => '{is_test}', folds => %s, "
                  "search => %s, holdout => 0, promote => 'always')",
          TRAIN, json.dumps({"n_trees": arguments.trees, "early_stopping": 0}), FOLDS, json.dumps(search))
    seconds = time.perf_counter() - start
    trials = query(cursor, "SELECT params, score, seconds FROM mlplat.trials WHERE run_id = (SELECT max(run_id) FROM mlplat.runs "
                           "WHERE model = 'bench_search') ORDER BY trial")
    return seconds, trials


def test_loss():
    return query(cursor, "SELECT avg(-ln(greatest(mlplat.predict_proba('bench_search', t, income), 1e-15))) "
                         "FROM set_adult t WHERE is_test = 1")[0][0]


query(cursor, f"SELECT count(*) FROM ({TRAIN}) t")
seconds, trials = min((ours() for _ in range(2)), key=lambda result: result[0])
best = min(trials, key=lambda trial: trial[1])
print(f"create_model, {len(trials)} candidates x {FOLDS} folds x {arguments.trees} trees: {seconds:.2f} s (fits: "
      f"{sum(t[2] for t in trials):.2f} s of threads), best mean log loss {best[1]:.5f}, on the test set {test_loss():.5f}")
sys.stdout.flush()

try:
    import pandas
    import sklearn.metrics
    import sklearn.model_selection
    import xgboost
except ImportError:
    print("XGBoost, scikit-learn or pandas is not installed: the peer is skipped")
    sys.exit()

frame = pandas.read_csv(path)
for column in frame.columns:
    if frame[column].dtype == object:
        frame[column] = frame[column].astype("category")
label = (frame.pop("income") == ">50K").astype(int)
is_test = frame.pop("is_test") == 1
x, y = frame[~is_test].reset_index(drop=True), label[~is_test].reset_index(drop=True)
folds = list(sklearn.model_selection.StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y))


def classifier(params, threads):
    return xgboost.XGBClassifier(tree_method="hist", grow_policy="lossguide", max_depth=0, enable_categorical=True,
                                 n_estimators=arguments.trees, max_leaves=params["max_leaves"],
                                 learning_rate=params["learning_rate"], subsample=params["subsample"],
                                 colsample_bytree=params["colsample"], reg_lambda=params["l2"], n_jobs=threads)


def fit(job):
    params, (train, valid), threads = job
    model = classifier(params, threads).fit(x.iloc[train], y.iloc[train])
    return sklearn.metrics.log_loss(y.iloc[valid], model.predict_proba(x.iloc[valid])[:, 1])


def peer_threads():
    return [fit((trial[0], fold, THREADS)) for trial in trials for fold in folds]


def peer_side_by_side():
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(fit, [(trial[0], fold, 1) for trial in trials for fold in folds]))


def timed(work):
    start = time.perf_counter()
    losses = work()
    means = [sum(losses[i * FOLDS:(i + 1) * FOLDS]) / FOLDS for i in range(len(trials))]
    chosen = trials[means.index(min(means))][0]
    model = classifier(chosen, THREADS).fit(x, y)
    return time.perf_counter() - start, min(means), model


fit((trials[0][0], folds[0], THREADS))
ways = {}
for way, work in (("a thread a fit", peer_side_by_side), ("all threads at a fit", peer_threads)):
    ways[way] = spent, loss, model = timed(work)
    theirs = sklearn.metrics.log_loss(label[is_test], model.predict_proba(frame[is_test])[:, 1])
    print(f"XGBoost {xgboost.__version__} from Python, {way}: {spent:.2f} s, best mean log loss {loss:.5f}, "
          f"on the test set {theirs:.5f}")
    sys.stdout.flush()
again = ours()[0]
fastest = min(result[0] for result in ways.values())
print(f"ours once more: {again:.2f} s; ratio {min(seconds, again) / fastest:.2f} (target 0.50)")
