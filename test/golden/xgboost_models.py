"""Models of XGBoost of many kinds into a folder, each as JSON and UBJSON, with rows and the library's predictions.

xgboost_models.py FOLDER writes NAME.json, NAME.ubj, NAME.csv (features and prediction, or prediction_0.. of classes)
and, where a model has one output, NAME_shap.csv (its contributions, the base last). Used by test/t/foreign_models.pl.
"""
import csv
import sys

import numpy as np
import xgboost as xgb

ROWS, TREES = 400, 30
rng = np.random.default_rng(7)


def rows(n_rows, n_categories=0):
    """Numbers with missing values, some of them exactly at floats that thresholds may take, and maybe codes."""
    x = np.round(rng.normal(size=(n_rows, 5)), 1).astype(np.float64)
    x[:, 1] = rng.normal(size=n_rows) * 1e6
    x[:, 2] = rng.integers(0, 5, n_rows)
    x[rng.random((n_rows, 5)) < 0.1] = np.nan
    if n_categories:
        codes = rng.integers(0, n_categories, n_rows).astype(float)
        codes[rng.random(n_rows) < 0.1] = np.nan
        x = np.column_stack([x, codes])
    return x


def signal(x):
    z = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) / 1e6 + np.sin(np.nan_to_num(x[:, 2]))
    if x.shape[1] > 5:
        z = z + np.nan_to_num(x[:, 5] * 7 % 5) - 2
    return z


def write_csv(path, head, table):
    with open(path, 'w', newline='') as file:
        out = csv.writer(file)
        out.writerow(head)
        for row in table:
            out.writerow([repr(float(v)) for v in row])


def model(folder, name, objective, target, n_categories=0, trees=TREES, n_rows=ROWS, **more):
    x = rows(n_rows, n_categories)
    y = target(signal(x))
    names = [f'x{j}' for j in range(x.shape[1])]
    types = ['q'] * 5 + ['c'] * (n_categories > 0)
    data = xgb.DMatrix(x, y, feature_names=names, feature_types=types, enable_categorical=True)
    params = {'objective': objective, 'seed': 1, 'nthread': 2, 'tree_method': 'hist', 'max_depth': 4, **more}
    booster = xgb.train(params, data, trees)
    booster.save_model(f'{folder}/{name}.json')
    booster.save_model(f'{folder}/{name}.ubj')
    got = booster.predict(data).reshape(n_rows, -1)[:ROWS]
    head = ['prediction'] if got.shape[1] == 1 else [f'prediction_{k}' for k in range(got.shape[1])]
    write_csv(f'{folder}/{name}.csv', names + head, np.column_stack([x[:ROWS], got]))
    if got.shape[1] == 1:
        shares = booster.predict(data, pred_contribs=True)[:ROWS]
        write_csv(f'{folder}/{name}_shap.csv', [f'c{j}' for j in range(shares.shape[1])], shares)


def main(folder):
    def number(z): return z
    def binary(z): return (z + rng.normal(size=ROWS) * 0.3 > 0).astype(float)
    def classes(z): return np.digitize(z, [-0.7, 0.7]).astype(float)
    def count(z): return rng.poisson(np.exp(z / 2)).astype(float)

    model(folder, 'squared', 'reg:squarederror', number, base_score=10.25)
    model(folder, 'many', 'reg:squarederror', number, trees=500, max_depth=6)
    model(folder, 'exact', 'reg:squarederror', number, tree_method='exact', max_depth=8, trees=50)
    model(folder, 'logistic', 'binary:logistic', binary, base_score=0.2)
    model(folder, 'logitraw', 'binary:logitraw', binary)
    model(folder, 'reglogistic', 'reg:logistic', binary)
    model(folder, 'softprob', 'multi:softprob', classes, num_class=3, num_parallel_tree=2, subsample=0.7)
    model(folder, 'poisson', 'count:poisson', count, base_score=2.5)
    model(folder, 'gamma', 'reg:gamma', lambda z: np.exp(z))
    model(folder, 'tweedie', 'reg:tweedie', count)
    model(folder, 'categories', 'reg:squarederror', number, n_categories=12, max_cat_to_onehot=1)
    model(folder, 'onehot', 'binary:logistic', binary, n_categories=12, max_cat_to_onehot=100)
    model(folder, 'wide', 'reg:squarederror', number, n_categories=390, max_cat_to_onehot=1, max_depth=6)
    model(folder, 'dart', 'reg:squarederror', number, booster='dart', rate_drop=0.3, one_drop=1)
    model(folder, 'deep', 'reg:squarederror', lambda z: z + rng.normal(size=len(z)), n_rows=6000, tree_method='exact', max_depth=14, trees=3)
    model(folder, 'hinged', 'reg:pseudohubererror', number)


if __name__ == '__main__':
    main(sys.argv[1])
