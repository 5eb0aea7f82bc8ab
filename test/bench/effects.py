#!/usr/bin/env python3
"""Permutation importance, partial dependence and calibration against scikit-learn in the same run.

Both sides look into a model of their own kind (100 boosted trees of 31 leaves) trained on the same rows; the peer
holds its rows in memory already, mlplat reads them from the table each time.
"""
import sys

import numpy as np

from common import connect, query, seconds, show

ROWS = 20_000
cursor = connect()
query(cursor, "SELECT setseed(0.5)")
cursor.execute("DROP TABLE IF EXISTS effects")
cursor.execute(f"""CREATE TABLE effects AS SELECT x1, x2, x3, x4, x1 + 2 * x2 * x3 + 0.3 * random() > 1 AS flag
    FROM (SELECT random() AS x1, random() AS x2, random() AS x3, random() AS x4 FROM generate_series(1, {ROWS})) s""")


def create(name, params):
    query(cursor, "SELECT mlplat.create_model(%s, 'TABLE effects', 'flag', 'gbdt', params => %s, promote => 'always')", name, params)


def ours(sql):
    return query(cursor, f"SELECT * FROM mlplat.{sql}")


create("effects", '{"n_trees": 100, "max_leaves": 31, "early_stopping": 0}')
show("permutation_importance, 5 repeats", seconds(lambda: ours("permutation_importance('effects', 'TABLE effects')"), 3))
show("partial_dependence, 20 points", seconds(lambda: ours("partial_dependence('effects', 'TABLE effects', 'x1')"), 3))
for kind in ("none", "platt", "isotonic"):
    options = f'{{"n_trees": 300, "learning_rate": 0.2, "early_stopping": 0, "calibration": "{kind}"}}'
    time = seconds(lambda: create("calibrated", options), 1)
    loss = query(cursor, "SELECT score FROM mlplat.models WHERE name = 'calibrated'")[0][0]
    show(f"create_model, calibration {kind}", time, f"log loss of the hold-out {loss:.4f}")

try:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import partial_dependence, permutation_importance
except ImportError:
    sys.exit("scikit-learn is not installed: no peer")
rows = np.array(query(cursor, "SELECT x1, x2, x3, x4, flag::int FROM effects"), dtype=float)
x, y = rows[:, :4], rows[:, 4]
peer = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, early_stopping=False).fit(x, y)
show("scikit-learn permutation_importance",
     seconds(lambda: permutation_importance(peer, x, y, scoring="neg_log_loss", n_repeats=5, random_state=0), 1))
show("scikit-learn partial_dependence, brute",
     seconds(lambda: partial_dependence(peer, x, [0], grid_resolution=20, method="brute"), 1))
