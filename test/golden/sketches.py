"""Golden values of profile and correlations, by numpy, scipy and pandas.

Prints lines "name value" for the rows that test/unit/test_spread.c, test_groups.c and test_comatrix.c and
test/sql/profile.sql make by the same integer arithmetic.

    python3 test/golden/sketches.py
"""
import numpy as np
import pandas as pd
from scipy import stats

N = 1000

def rows():
    i = np.arange(N)
    x = 1e9 + (i * 7919 % 1009) ** 2 / 1000.0
    y = (i * 104729 % 1013) / 10.0 - 2 * (i % 7) + 20 * (i * 17 % 5)
    z = np.where(i % 3 == 0, np.nan, i * 31 % 17 + y / 50)
    a, b = i * 17 % 5, (i * 17 % 5 + (i % 4 == 0)) % 6
    return x, y, z, a, b

def eta(number, level):
    """The correlation ratio with Kelley's correction: sqrt(epsilon squared)."""
    groups = [number[level == k] for k in np.unique(level)]
    within = sum(((g - g.mean()) ** 2).sum() for g in groups)
    total = ((number - number.mean()) ** 2).sum()
    n, k = len(number), len(groups)
    return np.sqrt(max(0, 1 - within / (n - k) / (total / (n - 1))))

def cramers_v(a, b):
    """With Bergsma's correction."""
    table = pd.crosstab(a, b).to_numpy()
    n = table.sum()
    phi2 = stats.chi2_contingency(table, correction=False)[0] / n
    r, k = table.shape
    phi2 = max(0, phi2 - (k - 1) * (r - 1) / (n - 1))
    return np.sqrt(phi2 / min(k - (k - 1) ** 2 / (n - 1) - 1, r - (r - 1) ** 2 / (n - 1) - 1))

x, y, z, a, b = rows()
print("mean_x %.17g" % x.mean())
print("stddev_x %.17g" % x.std(ddof=1))
# Of the distances to the offset: pandas itself keeps 9 digits of the skewness otherwise.
print("skewness_x %.17g" % pd.Series(x - 1e9).skew())

print("r_xy %.17g" % stats.pearsonr(x - 1e9, y)[0])
frame = pd.DataFrame({"x": x - 1e9, "y": y, "z": z, "a": a})
print("pairwise\n", frame.corr().to_string(float_format="%.15f"))
print("eta_ya %.17g" % eta(y, a))
print("eta_xa %.17g" % eta(x - 1e9, a))
print("contrast %.17g" % stats.pearsonr(y, a >= 2)[0])
print("cramers_v %.17g" % cramers_v(a, b))
print("independent_v %.17g" % cramers_v(a, np.arange(N) // 5 % 4))
