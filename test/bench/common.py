"""What the benchmarks share: a connection by the PG* variables, timing, tables of results."""
import os
import shutil
import statistics
import sys
import time

import psycopg2

DATA = os.environ.get("MLPLAT_DATA") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/data")
PEERS = os.environ.get("MLPLAT_PEERS") or os.path.join(DATA, "../peers.json")


def connect():
    """A connection in autocommit mode, the extension in place."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION IF NOT EXISTS mlplat")
    return cursor


def query(cursor, sql, *parameters):
    """All rows of a query."""
    cursor.execute(sql, parameters or None)
    return cursor.fetchall()


def seconds(work, runs=5):
    """The median time of some runs after a warm-up, and the spread."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), min(times), max(times)


def sql_seconds(cursor, sql, runs=5):
    return seconds(lambda: query(cursor, sql), runs)


def show(work, measured, note=""):
    """One line: what, median (min to max), a comparison."""
    middle, low, high = measured
    print(f"{work:<58} {middle:8.3f} s  ({low:.3f} to {high:.3f})  {note}")
    sys.stdout.flush()


def find_pgbench():
    """Its path, or None."""
    return shutil.which("pgbench") or next((p for p in [os.path.join(os.environ.get("MLPLAT_BINDIR", ""), "pgbench")] if os.access(p, os.X_OK)), None)


def dense(cursor, rows=1_000_000, name="dense", seed=0.42):
    """The table dense: x1..x20 normal, y a sum of effects, label a class; made once. Other names and seeds: more such rows."""
    if query(cursor, "SELECT to_regclass(%s) IS NOT NULL", name)[0][0]:
        if query(cursor, f"SELECT count(*) FROM {name}")[0][0] == rows:
            return
        cursor.execute(f"DROP TABLE {name}")
    normal = "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())"
    columns = ", ".join(f"x[{i}] AS x{i}" for i in range(1, 21))
    cursor.execute(f"SELECT setseed({seed})")
    cursor.execute(f"""
        CREATE TABLE {name} AS
        WITH r AS MATERIALIZED (SELECT array(SELECT {normal} FROM generate_series(1, 20) k WHERE g IS NOT NULL) AS x
                                FROM generate_series(1, {rows}) g)
        SELECT {columns}, 2 * x[1] - x[2] + 0.5 * x[3] * x[4] + sin(3 * x[5]) + 0.3 * x[6] + 0.5 * {normal} AS y,
               1 / (1 + exp(-(x[1] - x[2] + 0.5 * x[3] + 2 * sin(2 * x[4]) * x[5]))) > random() AS label
        FROM r""")
    cursor.execute(f"VACUUM ANALYZE {name}")


FEATURES = ", ".join(f"x{i}" for i in range(1, 21))
