#!/usr/bin/env python3
"""Golden values of ridge, lasso, elastic_net and logistic by scikit-learn, as test/unit/golden_linear.h.

The rows follow from a formula in whole numbers and quarters, so that C makes the very same ones: see the tests
that include it. Run: test/golden/linear.py | clang-format > test/unit/golden_linear.h
"""
import warnings

import numpy
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LassoCV, LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit

warnings.filterwarnings("ignore")
MASK = (1 << 64) - 1


def mix64(x):
    """splitmix64's finaliser, as ml_mix64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def rows(n, p):
    """Columns in quarters; a target of the first four and something like noise."""
    i = numpy.arange(n)[:, None]
    j = numpy.arange(p)[None, :]
    x = ((i * (2 * j + 3) + (i * i) % (j + 5) * 7 + j) % 17) / 4.0 - 2 + j
    x *= 1 + j % 3
    y = 2 * x[:, 0] - x[:, 1] + 0.5 * x[:, 2] + 0.25 * x[:, 3] + (numpy.arange(n) * 37 % 11) / 2.0
    w = 1 + numpy.arange(n) % 3 / 2.0
    return x, y, w


def levels(n, n_levels):
    i = numpy.arange(n)
    return (i * i + 3 * i) % 7 % n_levels


def show(name, *values):
    numbers = ", ".join(repr(float(v)) for v in numpy.concatenate([numpy.atleast_1d(v).ravel() for v in values]))
    print(f"static const double {name}[] = {{{numbers}}};")


def fit(name, model, x, y, w=None, scale=None):
    """The intercept, then the coefficients on the scale of the data."""
    s = numpy.ones(x.shape[1]) if scale is None else scale
    model.fit(x / s, y, sample_weight=w)
    show(name, model.intercept_, model.coef_ / s)


FINE = dict(tol=1e-15, max_iter=1000000)
x, y, w = rows(60, 8)
scale = x.std(axis=0)
wmean = numpy.average(x, axis=0, weights=w)
wscale = numpy.sqrt(numpy.average((x - wmean) ** 2, axis=0, weights=w))
print(f"""/*
 * golden_linear.h
 *		Penalised fits by scikit-learn {sklearn.__version__}, made by test/golden/linear.py; do not edit.
 */
#ifndef GOLDEN_LINEAR_H
#define GOLDEN_LINEAR_H
""")
print("/* intercept and coefficients of ridge with alpha 3, lasso with 0.3, elastic_net with 0.3 and l1_ratio 0.4 */")
fit("golden_ridge", Ridge(alpha=3), x, y)
fit("golden_ridge_scaled", Ridge(alpha=3), x, y, None, scale)
fit("golden_ridge_weighted", Ridge(alpha=3), x, y, w, wscale)
fit("golden_ridge_zero", Ridge(alpha=3, fit_intercept=False), x, y)
fit("golden_lasso", Lasso(alpha=0.3, **FINE), x, y)
fit("golden_lasso_scaled", Lasso(alpha=0.3, **FINE), x, y, None, scale)
fit("golden_lasso_weighted", Lasso(alpha=0.3, **FINE), x, y, w, wscale)
fit("golden_lasso_zero", Lasso(alpha=0.3, fit_intercept=False, **FINE), x, y)
fit("golden_net", ElasticNet(alpha=0.3, l1_ratio=0.4, **FINE), x, y)
fit("golden_net_scaled", ElasticNet(alpha=0.3, l1_ratio=0.4, **FINE), x, y, None, scale)
fit("golden_net_weighted", ElasticNet(alpha=0.3, l1_ratio=0.4, **FINE), x, y, w, wscale)
fit("golden_net_zero", ElasticNet(alpha=0.3, l1_ratio=0.4, fit_intercept=False, **FINE), x, y)
print("/* 15 rows of 24 columns */")
wide = rows(15, 24)
fit("golden_lasso_wide", Lasso(alpha=0.3, **FINE), wide[0], wide[1])
fit("golden_net_wide", ElasticNet(alpha=0.3, l1_ratio=0.4, **FINE), wide[0], wide[1])
print("/* 3 numbers and 2 factors of 5 levels each, a column per level in the order of levels */")
k = levels(60, 5)
one_hot = numpy.hstack([x[:, :3], numpy.eye(5)[k], numpy.eye(5)[(k * 3 + numpy.arange(60)) % 5]])
fit("golden_net_levels", ElasticNet(alpha=0.05, l1_ratio=0.4, **FINE), one_hot, y)
fit("golden_ridge_levels", Ridge(alpha=3), one_hot, y)

print("/* alpha and its error by cross-validation, then the fit */")
order = numpy.arange(60)
folds = numpy.array([(i % 5 + mix64(i // 5) % 5) % 5 for i in range(60)])
split = PredefinedSplit(folds)
cv = LassoCV(eps=1e-3, n_alphas=100, cv=split, **FINE).fit(x, y)
show("golden_lasso_cv", cv.alpha_, cv.mse_path_.mean(axis=1).min(), cv.intercept_, cv.coef_)
square = ((x - x.mean(axis=0)) ** 2).sum(axis=0).mean()
grid = [1e3 * square * 1e-8 ** (i / 24) for i in range(25)]
errors = [numpy.mean([((y[b] - Ridge(alpha=a).fit(x[f], y[f]).predict(x[b])) ** 2).mean() for f, b in split.split()])
          for a in grid]
best = Ridge(alpha=grid[int(numpy.argmin(errors))]).fit(x, y)
show("golden_ridge_cv", best.alpha, min(errors), best.intercept_, best.coef_)
print("/* logistic, 120 rows of 6 columns, standardised: intercept and coefficients on the scale of the data, by class */")
x, _, w = rows(120, 6)
i = numpy.arange(120)
score = x[:, 0] - 0.5 * x[:, 1] + 0.25 * x[:, 2] + (i * 37 % 11) / 2.0
two = (score > 1.5).astype(int)
three = (score > 0).astype(int) + (score > 3)


def classify(name, y, w=None, **options):
    mean = numpy.average(x, axis=0, weights=w)
    scale = numpy.sqrt(numpy.average((x - mean) ** 2, axis=0, weights=w))
    model = LogisticRegression(solver="saga", tol=1e-13, max_iter=2000000, random_state=1, **options)
    model.fit((x - mean) / scale, y, sample_weight=w)
    b = model.coef_ / scale
    show(name, numpy.hstack([(model.intercept_ - b @ mean)[:, None], b]))


classify("golden_logistic_l1", two, penalty="l1", C=0.2)
classify("golden_logistic_net", two, penalty="elasticnet", C=0.5, l1_ratio=0.3)
classify("golden_logistic_weighted", two, w, penalty="l1", C=0.2)
classify("golden_logistic_classes", three, penalty="l1", C=0.2, multi_class="multinomial")
classify("golden_logistic_classes_net", three, penalty="elasticnet", C=0.5, l1_ratio=0.3, multi_class="multinomial")
print("\n#endif /* GOLDEN_LINEAR_H */")
