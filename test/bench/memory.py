#!/usr/bin/env python3
"""Peak memory of a training, at three sizes: what a cell of the table costs.

The peak resident memory of a backend that does nothing else is read from /proc. A collected float8 cell has 8 natural bytes; boosting adds its bins, one byte by row and one by column, and
what it keeps per row (score, gradient, order of rows).
"""
import sys

from common import FEATURES, connect, dense, query

dense(connect())


def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def peak(rows, algorithm, params):
    """Bytes that one training takes at its peak, in a backend of its own; shared buffers do not count."""
    cursor = connect()
    pid = query(cursor, "SELECT pg_backend_pid()")[0][0]
    cursor.execute("SET mlplat.training_memory = '8GB'; SET mlplat.threads = 2")
    create = "SELECT mlplat.create_model('bench_memory', %s, 'label', %s, params => %s, holdout => 0.01)"
    text = f"SELECT {FEATURES}, label FROM dense LIMIT %s"
    query(cursor, create, text % 1000, algorithm, params)  # loads libraries and catalogs
    before = status(pid, "VmRSS") - status(pid, "RssShmem")
    # The hold-out keeps linear from streaming: its rows are collected too.
    query(cursor, create, text % rows, algorithm, params)
    taken = status(pid, "VmHWM") - status(pid, "RssShmem") - before
    cursor.connection.close()
    return taken


if not sys.platform.startswith("linux"):
    print("skipped: the memory of a backend is read from /proc")
    sys.exit()
print(f"{'rows':>10}{'collected MB':>14}{'a natural byte':>16}{'boosting MB':>13}{'on top of it, bytes a row':>27}{'of these bins':>15}{'other':>7}")
for rows in (250_000, 500_000, 1_000_000):
    natural = rows * (20 * 8 + 1)
    collected = peak(rows, "linear", "{}")
    boosting = peak(rows, "gbdt", '{"n_trees": 5, "max_leaves": 63, "early_stopping": 0}')
    top = boosting - collected
    print(f"{rows:>10}{collected / 1e6:14.1f}{collected / natural:16.2f}{boosting / 1e6:13.1f}{top / rows:27.1f}{40:15d}{top / rows - 40:7.1f}")
