#!/usr/bin/env python3
"""One-row predictions over prepared statements, as an application makes them, beside SELECT 1: pgbench, one client.

The rounds of both sides alternate; the difference of the medians is what a prediction adds.
"""
import re
import statistics
import subprocess
import sys
import tempfile

from common import FEATURES, connect, dense, find_pgbench, query

ROUNDS, SECONDS = 5, 2


def latency(pgbench, script):
    """Microseconds a call."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        out = subprocess.run([pgbench, "-n", "-M", "prepared", "-c", "1", "-T", str(SECONDS), "-f", file.name],
                             check=True, capture_output=True, text=True).stdout
    return 1000 * float(re.search(r"latency average = ([0-9.]+) ms", out).group(1))


pgbench = find_pgbench()
if not pgbench:
    print("skipped: pgbench is not in the PATH")
    sys.exit()
cursor = connect()
dense(cursor)
for name, algorithm, params in (("latency_linear", "linear", "{}"),
                                ("latency_gbdt", "gbdt", '{"n_trees": 100, "max_leaves": 63, "early_stopping": 0}')):
    target = "y" if algorithm == "linear" else "label"
    query(cursor, "SELECT mlplat.create_model(%s, %s, %s, %s, params => %s, holdout => 0)",
          name, f"SELECT {FEATURES}, {target} FROM dense", target, algorithm, params)
numbers = ", ".join(f"0.{i}" for i in range(1, 21))
fields = ", ".join(f'"x{i}": 0.{i}' for i in range(1, 21))
scripts = {"SELECT 1": "SELECT 1;\n"}
for name in ("latency_linear", "latency_gbdt"):
    scripts[f"predict('{name}', float8[])"] = f"SELECT mlplat.predict('{name}', '{{{numbers}}}'::float8[]);\n"
    scripts[f"predict('{name}', jsonb)"] = f"SELECT mlplat.predict('{name}', '{{{fields}}}'::jsonb);\n"
    scripts[f"predict('{name}', row of a table)"] = f"SELECT mlplat.predict('{name}', d) FROM (SELECT * FROM dense LIMIT 1) d;\n"
scripts["a row of a table"] = "SELECT d.x1 FROM (SELECT * FROM dense LIMIT 1) d;\n"
times = {what: [] for what in scripts}
for _ in range(ROUNDS):
    for what, script in scripts.items():
        times[what].append(latency(pgbench, script))
base = statistics.median(times["SELECT 1"])
for what, taken in times.items():
    middle = statistics.median(taken)
    print(f"{what:<50} {middle:8.1f} us  ({min(taken):.1f} to {max(taken):.1f})  SELECT 1 {middle - base:+.1f} us")
