#!/usr/bin/env python3
"""Time and memory of training against rows and against features: how close to linear they grow.

Each training runs in a backend of its own, whose peak resident memory is read from /proc (shared buffers do not
count). BENCH_MAX_ROWS (10,000,000) ends the first series.
"""
import os
import sys
import time

from common import connect, query

MAX_ROWS = int(os.environ.get("BENCH_MAX_ROWS", "10000000"))
WORK = (("linear", "y", '{}'), ("logistic", "label", '{}'),
        ("gbdt", "label", '{"n_trees": 20, "max_leaves": 63, "early_stopping": 0}'),
        ("forest", "label", '{"n_trees": 10, "max_depth": 12}'),
        ("kmeans", None, '{"n_clusters": 8, "max_iter": 10, "n_init": 1}'))


def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def make(name, rows, features):
    """A table of uniform numbers, a number and a class that depend on a few of them."""
    cursor = connect()
    if features <= 100:
        columns = ", ".join(f"random() AS x{i}" for i in range(1, features + 1))
        few = "x1 + 2 * x2 * x3 - x4"
    else:
        columns = f"ARRAY(SELECT random() FROM generate_series(1, {features}) WHERE g IS NOT NULL) AS x"
        few = "x[1] + 2 * x[2] * x[3] - x[4]"
    cursor.execute(f"CREATE UNLOGGED TABLE {name} AS SELECT *, {few} + random() AS y, {few} + random() > 1 AS label "
                   f"FROM (SELECT {columns} FROM generate_series(1, {rows}) g OFFSET 0) r")
    cursor.execute(f"VACUUM ANALYZE {name}")
    query(cursor, f"SELECT count(y) FROM {name}")


def train(table, algorithm, target, params):
    """Seconds and peak bytes of one training."""
    cursor = connect()
    pid = query(cursor, "SELECT pg_backend_pid()")[0][0]
    cursor.execute("SET mlplat.training_memory = '16GB'; SET max_parallel_workers_per_gather = 1")
    exclude = [column for column in ("y", "label") if column != target]
    create = "SELECT mlplat.create_model('growth', %s, %s, %s, params => %s, exclude => %s, holdout => 0, promote => 'always')"
    query(cursor, create, f"SELECT * FROM {table} LIMIT 1000", target, algorithm, params, exclude)
    before = status(pid, "VmRSS") - status(pid, "RssShmem")
    start = time.perf_counter()
    query(cursor, create, f"TABLE {table}", target, algorithm, params, exclude)
    taken = time.perf_counter() - start
    peak = status(pid, "VmHWM") - status(pid, "RssShmem") - before
    cursor.connection.close()
    return taken, max(peak, 0)


def series(sizes):
    """A line for each algorithm, a column for each size."""
    tables = []
    for rows, features in sizes:
        tables.append(f"growth_{rows}_{features}")
        make(tables[-1], rows, features)
    print(f"{'':<10}" + "".join(f"{f'{rows:,} x {features}':>26}" for rows, features in sizes))
    for algorithm, target, params in WORK:
        figures = [train(table, algorithm, target, params) for table in tables]
        print(f"{algorithm:<10}" + "".join(f"{f'{taken:.2f} s, {peak / 1e6:.0f} MB':>26}" for taken, peak in figures))
        sys.stdout.flush()
    for table in tables:
        connect().execute(f"DROP TABLE {table}")


if not sys.platform.startswith("linux"):
    print("skipped: the memory of a backend is read from /proc")
    sys.exit()
known = {name for name, in query(connect(), "SELECT name FROM mlplat.algorithms")}
WORK = tuple(work for work in WORK if work[0] in known)
print("== against rows")
series([(rows, 10) for rows in (100_000, 1_000_000, 10_000_000) if rows <= MAX_ROWS])
print("\n== against features")
series([(100_000, features) for features in (10, 100, 1000)])
