#!/usr/bin/env python3
"""Golden values of prepared columns by scikit-learn and NumPy, as test/unit/golden_prep.h.

The rows follow from a formula in whole numbers and quarters, so that C makes the very same ones: see test_prep.c.
Target encodings follow the definition in scikit-learn's TargetEncoder (1.3), which Debian's release does not have yet.
Run: test/golden/prep.py | clang-format > test/unit/golden_prep.h
"""
import datetime
import warnings

import numpy
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (KBinsDiscretizer, MinMaxScaler, PolynomialFeatures, PowerTransformer,
                                   RobustScaler, StandardScaler)

warnings.filterwarnings("ignore")
N = 60
i = numpy.arange(N)
x = ((i * i * 7 + i * 3) % 41) / 4.0 - 2
x[i % 9 == 4] = numpy.nan
price = ((i * 13) % 29) / 2.0
level = (i * i + 3 * i) % 7
level[i % 11 == 5] = 7  # missing: a level of its own
number = (i * 37 % 11) / 2.0 + level
binary = (number > 5).astype(int)
three = (i * 5 + level) % 3


def show(name, values):
    numbers = ", ".join(repr(float(v)) if numpy.isfinite(v) else "NAN" for v in numpy.asarray(values).ravel())
    print(f"static const double {name}[] = {{{numbers}}};")


def column(values):
    return numpy.asarray(values, dtype=float).reshape(-1, 1)


def imputed(strategy):
    return SimpleImputer(strategy=strategy).fit_transform(column(x))


def target_encoding(y, smooth):
    """As sklearn.preprocessing._target_encoder_fast: rows of the frame to the encoding of their level."""
    overall, variance = y.mean(), y.var()
    out = numpy.empty(len(y))
    for k in numpy.unique(level):
        of_level = y[level == k]
        n = len(of_level)
        if smooth == "auto":
            trust = variance * n / (variance * n + of_level.var())
            out[level == k] = trust * of_level.mean() + (1 - trust) * overall
        else:
            out[level == k] = (of_level.sum() + smooth * overall) / (n + smooth)
    return out


print(f"""/*
 * golden_prep.h
 *		Prepared columns by scikit-learn {sklearn.__version__}, made by test/golden/prep.py; do not edit.
 */
#ifndef GOLDEN_PREP_H
#define GOLDEN_PREP_H
""")
show("golden_mean_standard", StandardScaler().fit_transform(imputed("mean")))
show("golden_median_minmax", MinMaxScaler().fit_transform(imputed("median")))
show("golden_mode_robust", RobustScaler().fit_transform(imputed("most_frequent")))
low, high = numpy.nanquantile(x, [0.1, 0.9])
show("golden_clip", SimpleImputer(strategy="mean").fit_transform(column(numpy.clip(x, low, high))))
show("golden_yeo_johnson", PowerTransformer(standardize=True).fit_transform(imputed("median")))
show("golden_bins_quantile", KBinsDiscretizer(4, encode="ordinal", strategy="quantile").fit_transform(column(price)))
show("golden_bins_uniform", KBinsDiscretizer(5, encode="ordinal", strategy="uniform").fit_transform(column(price)))
show("golden_powers", PolynomialFeatures(3, include_bias=False).fit_transform(column(price)))
show("golden_target_auto", target_encoding(number, "auto"))
show("golden_target_10", target_encoding(number, 10))
show("golden_target_binary", target_encoding(binary, "auto"))
show("golden_target_three", numpy.stack([target_encoding((three == k).astype(float), 2) for k in range(3)], axis=1))
days = [datetime.date(2000, 1, 1) + datetime.timedelta(days=int(d)) for d in i * 97 - 1500]
show("golden_week", [d.isocalendar()[1] for d in days])
show("golden_doy", [d.timetuple().tm_yday for d in days])
show("golden_quarter", [(d.month - 1) // 3 + 1 for d in days])
print("\n#endif /* GOLDEN_PREP_H */")
