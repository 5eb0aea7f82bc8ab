#!/usr/bin/env python3
"""Correct digits of least squares on the NIST reference sets: serial, merged from parts, and in extended precision.

Digits: -log10 of the largest relative error of a coefficient against the exact solution, found in rational arithmetic
here (the certified values are its rounding). The powers that the server gets are computed from x1 in double precision,
which alone limits Filip to 7.6 digits.
"""
import csv
import math
import os
import sys
from fractions import Fraction

from common import DATA, connect, query

# set, degree of the polynomial (0: its own columns), digits wanted
SETS = [("longley", 0, 9), ("norris", 1, 9), ("pontius", 2, 9), ("filip", 10, 7), ("wampler1", 5, 8), ("wampler2", 5, 8),
        ("wampler3", 5, 8), ("wampler4", 5, 8), ("wampler5", 5, 6)]

if not os.path.isdir(os.path.join(DATA, "nist")):
    print("skipped: the NIST sets are not there (set MLPLAT_DATA)")
    sys.exit()
cursor = connect()


def read(name, degree):
    with open(os.path.join(DATA, "nist", name + ".csv"), encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    first = "x1" if "x1" in rows[0] else "x"
    y = [float(r["y"]) for r in rows]
    if not degree:
        x = [[float(r[c]) for c in r if c != "y"] for r in rows]
        return x, x, y
    base = [float(r[first]) for r in rows]
    return ([[b ** k for k in range(1, degree + 1)] for b in base],
            [[Fraction(b) ** k for k in range(1, degree + 1)] for b in base], y)


def exact(x, y):
    """Normal equations with an intercept in rational numbers."""
    rows = [[Fraction(1)] + [Fraction(v) for v in r] for r in x]
    p = len(rows[0])
    a = [[sum(r[i] * r[j] for r in rows) for j in range(p)] + [sum(r[i] * Fraction(t) for r, t in zip(rows, y))] for i in range(p)]
    for i in range(p):
        pivot = next(k for k in range(i, p) if a[k][i] != 0)
        a[i], a[pivot] = a[pivot], a[i]
        a[i] = [v / a[i][i] for v in a[i]]
        for k in range(p):
            if k != i:
                a[k] = [u - a[k][i] * v for u, v in zip(a[k], a[i])]
    return [row[p] for row in a]


def digits(got, want):
    worst = 16.0
    for g, w in zip(got, want):
        error = abs(Fraction(g) - w) / (abs(w) if w else 1)
        worst = min(worst, -math.log10(float(error)) if error else 16.0)
    return worst


def fit(options, parts):
    states = " UNION ALL ".join(
        f"SELECT mlplat.train_state(y, x, '{options}') AS s FROM nist WHERE i %% {parts} = {k}" for k in range(parts))
    sql = f"SELECT c.coefficient FROM (SELECT mlplat.finish(mlplat.merge(s)) AS m FROM ({states}) q) f, mlplat.coefficients(f.m) c"
    return [row[0] for row in query(cursor, sql.replace("%%", "%"))]


failed = 0
print(f"{'set':<10}{'wanted':>7}{'serial':>8}{'2 parts':>9}{'4 parts':>9}{'extended':>10}")
for name, degree, wanted in SETS:
    x, powers, y = read(name, degree)
    cursor.execute("DROP TABLE IF EXISTS nist; CREATE TABLE nist (i int, y float8, x float8[])")
    cursor.executemany("INSERT INTO nist VALUES (%s, %s, %s)", [(i, t, r) for i, (t, r) in enumerate(zip(y, x))])
    want = exact(powers, y)
    got = [digits(fit('{"algorithm": "linear"}', parts), want) for parts in (1, 2, 4)]
    extended = digits(fit('{"algorithm": "linear", "precision": "extended"}', 2), want)
    bad = min(got) < wanted or (name.startswith("wampler") and extended < 12)
    failed += bad
    print(f"{name:<10}{wanted:>7}" + f"{got[0]:8.1f}{got[1]:9.1f}{got[2]:9.1f}{extended:10.1f}" + ("   below what is wanted" if bad else ""))
sys.exit(failed > 0)
