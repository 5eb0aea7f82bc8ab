#!/usr/bin/env python3
"""What predicting costs where models are many, large, or asked by many clients; both sides of each line in one run, alternating.

A thousand models joined by group against one model over the same rows (target 2, also with the join on both sides); an
image of 10 MB in a column against the same model by name (target 1.2); transactions a second of 8 clients that predict a
row by its key in a prepared statement against those that read the row (target at least 0.85). BENCH_ROWS rows.
"""
import os
import re
import statistics
import subprocess
import tempfile
import time

from common import connect, find_pgbench, query

ROWS = int(os.environ.get("BENCH_ROWS", 1_000_000))
ROUNDS, SECONDS, CLIENTS, GROUPS = 5, 3, 8, 1000
BOOSTED = '{"algorithm": "gbdt", "exclude": ["id", "g"], "n_trees": 20, "max_leaves": 15, "min_leaf_rows": 5, "early_stopping": 0}'
LINEAR = '{"algorithm": "linear", "exclude": ["id", "g"]}'


def prepare(cursor):
    """The rows, a model for each group of them as images and as names, and a large one."""
    cursor.execute("DROP SCHEMA IF EXISTS bench_serving CASCADE; CREATE SCHEMA bench_serving; SET search_path = bench_serving")
    cursor.execute("SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB'; SELECT setseed(0.5)")
    columns = ", ".join(f"random() AS x{i}" for i in range(1, 11))
    cursor.execute(f"CREATE TABLE item AS SELECT i AS id, i % {GROUPS} AS g, {columns}, random() AS y FROM generate_series(1, {ROWS}) AS i")
    cursor.execute("ALTER TABLE item ADD PRIMARY KEY (id)")
    for table, options in (("linear", LINEAR), ("boosted", BOOSTED)):
        cursor.execute(f"CREATE TABLE {table} AS SELECT g, mlplat.train(item, 'y', %s) AS image FROM item WHERE id <= 200000 GROUP BY g", (options,))
        cursor.execute(f"SELECT mlplat.save_model('bench_{table}', image) FROM {table} WHERE g = 1")
    cursor.execute("CREATE TABLE large AS SELECT mlplat.train(item, 'y', %s) AS image FROM item WHERE id <= 50000",
                   ('{"algorithm": "forest", "exclude": ["id", "g"], "n_trees": 90, "max_depth": 20, "min_leaf_rows": 2}',))
    cursor.execute("SELECT mlplat.save_model('bench_large', image) FROM large")
    cursor.execute("VACUUM ANALYZE")


def compare(cursor, what, base, other):
    """Median microseconds a row of two queries that take turns."""
    times = {base: [], other: []}
    for turn in range(ROUNDS + 1):
        for sql in times:
            start = time.perf_counter()
            query(cursor, sql)
            if turn > 0:
                times[sql].append((time.perf_counter() - start) / ROWS * 1e6)
    first, second = (statistics.median(times[sql]) for sql in (base, other))
    print(f"{what:<58} {second:7.3f} us a row, beside {first:.3f}: {second / first:.2f} times", flush=True)


def throughput(pgbench, script):
    """Transactions a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(f"\\set id random(1, {ROWS})\n{script}\n")
        file.flush()
        out = subprocess.run([pgbench, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-f", file.name],
                             check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([0-9.]+)", out).group(1))


def compare_clients():
    pgbench = find_pgbench()
    if not pgbench:
        print("the clients are skipped: pgbench is not in the PATH")
        return
    plain = "SELECT y FROM bench_serving.item WHERE id = :id;"
    for name in ("bench_linear", "bench_boosted"):
        script = f"SELECT mlplat.predict('{name}', i) FROM bench_serving.item AS i WHERE id = :id;"
        rates = [(throughput(pgbench, plain), throughput(pgbench, script)) for _ in range(ROUNDS)]
        first, second = (statistics.median(side) for side in zip(*rates))
        print(f"{CLIENTS} clients, {name:<47} {second:7.0f} a second, beside {first:.0f}: {second / first:.2f} times", flush=True)


def main():
    cursor = connect()
    prepare(cursor)
    for table in ("linear", "boosted"):
        one = f"SELECT sum(mlplat.predict('bench_{table}', item)) FROM item"
        joined = f"SELECT sum(mlplat.predict(m.image, item)) FROM item JOIN {table} AS m USING (g)"
        same_join = f"SELECT sum(mlplat.predict('bench_{table}', item)) FROM item JOIN {table} AS m USING (g) WHERE m.image IS NOT NULL"
        compare(cursor, f"{GROUPS} models by group, {table}, beside one", one, joined)
        compare(cursor, f"{GROUPS} models by group, {table}, beside one in that join", same_join, joined)
    megabytes = query(cursor, "SELECT length(image) / 1e6 FROM large")[0][0]
    compare(cursor, f"an image of {megabytes:.1f} MB in a column, beside its name", "SELECT sum(mlplat.predict('bench_large', item)) FROM item",
            "SELECT sum(mlplat.predict(m.image, item)) FROM item, large AS m")
    compare_clients()
    for name in ("bench_linear", "bench_boosted", "bench_large"):
        cursor.execute("SELECT mlplat.drop_model(%s)", (name,))
    cursor.execute("DROP SCHEMA bench_serving CASCADE")


main()
