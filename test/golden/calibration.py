#!/usr/bin/env python3
"""Golden values of test/unit/test_calibration.c: scikit-learn's calibration and metrics on its rows."""
import numpy as np
from scipy.special import logit
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

i = np.arange(60)
p = np.rint(((i * 37) % 101 + 0.5) / 101 * 20) / 20 * 0.9 + 0.05
y = (((i * 53) % 97) / 97 < p**1.5).astype(float)


def cost(actual, predicted, sample_weight):
    return -np.average((predicted > actual) * 1 + (predicted < actual) * 5, weights=sample_weight)


for w in (np.ones(60), 1.0 + i % 3):
    # a and b of 1 / (1 + exp(a f + b)); the model's slope and intercept are -a and -b
    print("platt on log-odds", _sigmoid_calibration(logit(p), y, w))
    print("platt on p", _sigmoid_calibration(p, y, w))
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(p, y, w)
    print("isotonic", repr(isotonic.predict([0, 0.2, 0.43, 0.5, 0.61, 0.75, 0.84, 0.95, 1])))
    s = np.unique(p)
    cuts = [s[0] / 2] + list((s[:-1] + s[1:]) / 2) + [s[-1]]
    for metric in (accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef, cost):
        scores = [metric(y, (p > t).astype(float), sample_weight=w) for t in cuts]
        best = max(scores)
        print(metric.__name__, repr(best), [t for v, t in zip(scores, cuts) if best - v < 1e-12])
