"""facts.py: facts of made-up models, as src/plot/report.h describes them, for the browser test.

Each function below is one case that a page must cope with. All numbers come from a seeded
generator, so that a failing page can be made again.
"""
import math
import random


def history(n, metric):
    """n versions, the newest first; the one before the newest is active."""
    return [{"version": n - i, "score": None if i == 3 else metric * (1 - 0.03 * math.log(1 + n - i)),
             "created": "2025-%02d-14 03:00:12+01" % (12 - i % 12), "active": i == 1}
            for i in range(n)]


def log(n, valid=True, layers=0):
    """A log whose validation loss turns up again after two thirds; layers: of a network, now and then."""
    lines = []
    for i in range(1, n + 1):
        loss = 0.42 + 0.27 * math.exp(-i / (n / 5))
        lines.append({"iteration": i, "loss": loss,
                      "valid_loss": loss + 0.02 + 0.05 * (i / n) ** 2 if valid else None,
                      "gradient_norm": 3 * math.exp(-i / (n / 4)), "weight_norm": 9 - 5 * loss})
        if layers and i % (n // 3) == 1:
            lines[-1]["layers"] = [{"layer": k + 1, "weight_norm": k + 5 * (1 - loss), "low": -2 - i / n, "high": 2 + i / n,
                                    "histogram": [round(900 * math.exp(-(b - 10) ** 2 / (9 + i / 5))) for b in range(21)]} for k in range(layers)]
    return lines


def scores(rng, n=4000, share=0.22, gap=1.1):
    """(class, probability) of n rows: calibrated logistic scores."""
    rows = []
    for _ in range(n):
        actual = rng.random() < share
        z = rng.gauss(gap if actual else 0.0, 1.0)
        logit = gap * z - gap * gap / 2 + math.log(share / (1 - share))
        rows.append((int(actual), 1 / (1 + math.exp(-logit))))
    return sorted(rows, key=lambda row: -row[1])


def thin(columns, points=200):
    """At most points rows of equally long columns, both ends kept."""
    n = len(next(iter(columns.values())))
    keep = sorted({round(i * (n - 1) / (points - 1)) for i in range(points)}) if n > points else range(n)
    return {name: [values[i] for i in keep] for name, values in columns.items()}


def binary_curves(rows, classes):
    """All curves of a binary classifier from rows sorted by falling probability."""
    n, positives = len(rows), sum(actual for actual, _ in rows)
    negatives = n - positives
    roc = {"threshold": [None], "fpr": [0.0], "tpr": [0.0]}
    pr = {"threshold": [], "precision": [], "recall": []}
    lift = {"share": [0.0], "gain": [0.0], "lift": [None]}
    tp = 0
    for i, (actual, p) in enumerate(rows, 1):
        tp += actual
        roc["threshold"].append(p)
        roc["fpr"].append((i - tp) / negatives)
        roc["tpr"].append(tp / positives)
        pr["threshold"].append(p)
        pr["precision"].append(tp / i)
        pr["recall"].append(tp / positives)
        lift["share"].append(i / n)
        lift["gain"].append(tp / positives)
        lift["lift"].append(tp / positives / (i / n))
    ks = {"threshold": [p for _, p in reversed(rows)],
          "cdf_negative": [1 - x for x in reversed(roc["fpr"][:-1])],
          "cdf_positive": [1 - x for x in reversed(roc["tpr"][:-1])]}
    calibration = {"predicted": [], "observed": [], "count": []}
    for k in range(10):
        part = [row for row in rows if k / 10 <= row[1] < (k + 1) / 10]
        calibration["count"].append(len(part))
        calibration["predicted"].append(sum(p for _, p in part) / len(part) if part else None)
        calibration["observed"].append(sum(a for a, _ in part) / len(part) if part else None)
    matrix = [[0, 0], [0, 0]]
    for actual, p in rows:
        matrix[actual][int(p >= 0.5)] += 1
    return {"roc": thin(roc), "pr": thin(pr), "ks": thin(ks), "lift": thin(lift),
            "calibration": calibration, "confusion": {"classes": classes, "matrix": matrix}}


def binary_metrics(rows):
    """Metrics of the same rows."""
    n, positives = len(rows), sum(actual for actual, _ in rows)
    rank_sum = sum(n - i for i, (actual, _) in enumerate(rows) if actual)
    auc = (rank_sum - positives * (positives + 1) / 2) / (positives * (n - positives))
    loss = -sum(math.log(p if actual else 1 - p) for actual, p in rows) / n
    hits = sum(actual == (p >= 0.5) for actual, p in rows) / n
    tp = sum(actual and p >= 0.5 for actual, p in rows)
    called = sum(p >= 0.5 for _, p in rows)
    precision, recall = tp / called, tp / positives
    return {"roc_auc": auc, "pr_auc": 0.4412, "log_loss": loss, "accuracy": hits,
            "balanced_accuracy": 0.6123, "precision": precision, "recall": recall,
            "f1": 2 * precision * recall / (precision + recall), "mcc": 0.312,
            "brier": sum((p - actual) ** 2 for actual, p in rows) / n, "ks": 0.4134,
            "gini": 2 * auc - 1}


def binary():
    """A boosted model of late flights, as the demonstration makes it."""
    rng = random.Random(1)
    rows = scores(rng)
    metrics = binary_metrics(rows)
    names = ["origin", "dest", "when.hour", "distance", "when.dow", "when.month", "when.day",
             "carrier", "when.epoch"]
    return {
        "name": "late_flights", "version": 3, "created": "2025-12-14 03:00:12.345+01",
        "owner": "analytics", "target": "late", "task": "binary classification",
        "algorithm": "gbdt", "algorithm_summary": "Gradient boosted decision trees on histograms",
        "query": "SELECT delay > 15 AS late, origin, dest, distance, carrier, flight_date AS \"when\"\n"
                 "  FROM flights\n WHERE mlplat.part_of(flight_id) = 1",
        "rows": 200000, "dropped": 1204, "holdout_rows": 40000, "seconds": 1.834,
        "image_bytes": 912345, "active": True, "metric": "log_loss", "score": metrics["log_loss"],
        "params": {"n_trees": 200, "learning_rate": 0.1, "max_leaves": 63, "min_leaf_rows": 20,
                   "l2": 1.0, "max_bins": 255, "subsample": 1.0, "colsample": 1.0,
                   "early_stopping": 20, "class_weight": None, "seed": 0},
        "summary": {"trees": 143, "leaves": 8912, "best_iteration": 143, "stopped_early": True},
        "metrics": metrics, "curves": binary_curves(rows, ["false", "true"]),
        "log": log(200),
        "importance": [{"feature": name, "gain": 1000 * math.exp(-i / 2)}
                       for i, name in enumerate(names)],
        "classes": ["false", "true"],
        "features": [{"name": "origin", "type": "text", "kind": "categorical"},
                     {"name": "dest", "type": "text", "kind": "categorical"},
                     {"name": "distance", "type": "integer", "kind": "numeric"},
                     {"name": "carrier", "type": "text", "kind": "categorical"},
                     {"name": "when", "type": "timestamp with time zone", "kind": "timestamp"}],
        "history": history(5, 0.5),
    }


def logistic():
    """A logistic model with coefficients and tests, a short log, a first version."""
    facts = binary()
    facts.update(
        name="churn", version=1, active=False, target="churned", algorithm="logistic",
        algorithm_summary="Logistic regression", metric="roc_auc", classes=["stays", "leaves"],
        score=facts["metrics"]["roc_auc"], importance=[], log=log(7, valid=False),
        params={"l2": 0.0, "max_iter": 100, "tol": 1e-8, "intercept": True},
        summary={"iterations": 7, "converged": True, "log_likelihood": -3412.5551, "aic": 6861.11,
                 "advice": "Some columns tell the classes apart without error, so that their best "
                           "coefficients are infinite: set l2 above zero"},
        history=history(1, 0.8),
        coefficients=[{"feature": "(intercept)", "class": None, "value": -1.2311, "std_error": 0.08,
                       "statistic": -15.4, "p_value": 1e-53}]
        + [{"feature": "%s=%s" % (name, level), "class": None, "value": 0.5 * (-1) ** i / (i + 1),
            "std_error": 0.02 * (i + 1), "statistic": 25 * (-1) ** i / (i + 1) ** 2,
            "p_value": min(1.0, 0.00002 * 4 ** i)}
           for i, (name, level) in enumerate([("contract", "two_year"), ("tenure_months", "1"),
                                              ("payment", "electronic_check"), ("internet", "fiber"),
                                              ("monthly_charges", "70"), ("senior", "true"),
                                              ("partner", "true"), ("paperless", "true")])])
    facts["curves"]["confusion"]["classes"] = ["stays", "leaves"]
    return facts


def matrix_of(rng, n, rows=200):
    """A confusion matrix whose errors fall on few neighbours, as letters do."""
    matrix = [[0] * n for _ in range(n)]
    for i in range(n):
        for _ in range(rows + rng.randrange(rows)):
            j = i if rng.random() < 0.9 else (i + rng.choice([1, 2, 3, 7])) % n
            matrix[i][j] += 1
    return matrix


def multiclass(classes, name):
    """A classifier of many classes."""
    rng = random.Random(2)
    matrix = matrix_of(rng, len(classes))
    total = sum(map(sum, matrix))
    hits = sum(matrix[i][i] for i in range(len(classes)))
    return {
        "name": name, "version": 12, "created": "2025-06-01 12:30:00+00", "owner": "postgres",
        "target": name, "task": "multiclass classification", "algorithm": "gbdt",
        "algorithm_summary": "Gradient boosted decision trees on histograms",
        "query": "SELECT * FROM " + name, "rows": 5 * total, "dropped": 0, "holdout_rows": total,
        "seconds": 92.4, "image_bytes": 41234567, "active": True, "metric": "log_loss",
        "score": 0.1423,
        "metrics": {"accuracy": hits / total, "balanced_accuracy": 0.9001, "precision": 0.9021,
                    "recall": 0.9001, "f1": 0.901, "mcc": 0.894, "log_loss": 0.1423},
        "curves": {"confusion": {"classes": classes, "matrix": matrix}},
        "params": {"n_trees": 300, "learning_rate": 0.05}, "log": log(300), "classes": classes,
        "importance": [{"feature": "pixels[%d]" % (i + 1), "gain": rng.random() ** 4}
                       for i in range(64)],
        "features": [{"name": "pixels", "type": "real[]", "kind": "block"}],
        "history": history(40, 0.15),
    }


def regression():
    """A linear model of house prices: skewed target, a few wild errors."""
    rng = random.Random(3)
    actual = [math.exp(rng.gauss(12, 0.5)) for _ in range(200)]
    predicted = [a * (1 + rng.gauss(0.02, 0.18)) for a in actual]
    predicted[7] = -900000.0
    return {
        "name": "house_prices", "version": 2, "created": "2025-11-02 08:15:59+01",
        "owner": "postgres", "target": "median_house_value", "task": "regression",
        "algorithm": "linear", "algorithm_summary": "Least squares and ridge regression",
        "query": "SELECT * FROM housing", "rows": 20640, "dropped": 0, "holdout_rows": 4128,
        "seconds": 0.084, "image_bytes": 2318, "active": True, "metric": "rmse", "score": 69123.4,
        "metrics": {"rmse": 69123.4, "mae": 50123.9, "mse": 4778044427.6, "mape": 0.2913,
                    "r2": 0.6412, "explained_variance": 0.6413},
        "curves": {"residuals": {"actual": actual, "predicted": predicted}},
        "params": {"l2": 0, "intercept": True, "precision": "double"},
        "summary": {"r2": 0.6461, "adjusted_r2": 0.6458, "sigma": 68654.12, "df": 16498,
                    "f_statistic": 2512.9, "p_value": 0},
        "coefficients": [{"feature": "(intercept)", "value": -2269954.1, "std_error": 88012.9,
                          "statistic": -25.8, "p_value": 0}]
        + [{"feature": name, "value": value, "std_error": abs(value) / (50 - 6 * i),
            "statistic": (50 - 6 * i) * (1 if value > 0 else -1), "p_value": 10.0 ** (-60 + 8 * i)}
           for i, (name, value) in enumerate([
               ("median_income", 39214.2), ("latitude", -25424.6), ("longitude", -26813.1),
               ("housing_median_age", 1072.9), ("total_rooms", -6.19),
               ("ocean_proximity=INLAND", -39284.3), ("ocean_proximity=ISLAND", 152901.6),
               ("total_bedrooms", 100.5)])],
        "features": [{"name": name, "type": "double precision", "kind": "numeric"}
                     for name in ("longitude", "latitude", "housing_median_age", "total_rooms",
                                  "total_bedrooms", "population", "households", "median_income")]
        + [{"name": "ocean_proximity", "type": "text", "kind": "categorical"}],
        "history": history(2, 70000),
    }


def unevaluated():
    """Trained on all rows: nothing was measured."""
    facts = regression()
    facts.update(name="no_holdout", holdout_rows=0, score=None, metrics={}, curves={}, history=[])
    return facts


def empty():
    """No facts at all."""
    return {}


HOSTILE = "<script>alert('x')</script> \"quoted\" & 'single' \u202eevil\u202c \u05e9\u05dc\u05d5\u05dd " \
          "\u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301 \u6f22\u5b57 "


def hostile():
    """Names that want to break out, 200 characters long, right to left, with emoji; 1,000 features."""
    facts = logistic()
    long_name = (HOSTILE * 4)[:200]
    facts.update(name=long_name, owner=HOSTILE, target=long_name, algorithm_summary=HOSTILE,
                 query=(HOSTILE + "\n") * 60, classes=[long_name, HOSTILE], metric="<b>own</b>",
                 score=-1e-300, created=HOSTILE)
    facts["curves"]["confusion"]["classes"] = [long_name, HOSTILE]
    facts["params"] = {long_name: long_name, "list": list(range(50)), "nested": {"a": {"b": [1]}},
                       "empty": [], "none": None, "</table>": "</td>"}
    facts["metrics"][HOSTILE] = 12345678901234.5
    facts["importance"] = [{"feature": "%s %d" % (HOSTILE, i), "gain": 1 / (i + 1)} for i in range(1000)]
    facts["coefficients"] = [{"feature": "W" * 200, "class": HOSTILE, "value": 1e300, "std_error": 1e-300,
                              "statistic": -1e300, "p_value": 0}] * 300
    facts["features"] = [{"name": long_name, "type": HOSTILE, "kind": "<i>"}] * 1000
    facts["tree"] = tree(random.Random(6), facts["classes"], [long_name, HOSTILE])
    return facts


def tree(rng, classes, names, depth=4):
    """A tree of this depth over the features of these names."""
    nodes = []

    def grow(parent, rule, rows, level):
        place = len(nodes)
        node = {"rule": rule, "condition": rule and rule + " or it is null", "rows": rows,
                "more": level == depth}
        if parent is not None:
            node["parent"] = parent
        nodes.append(node)
        if classes:
            shares = [rng.random() ** 3 for _ in classes]
            node["shares"] = [share / sum(shares) for share in shares]
            node["class"] = classes[node["shares"].index(max(node["shares"]))]
        else:
            node["value"] = rng.gauss(0, 1e4)
        if level < depth and (level == 0 or rng.random() < 0.8):
            name, threshold = rng.choice(names), rng.uniform(0, 1e6)
            grow(place, "%s <= %.5g" % (name, threshold), rows // 3, level + 1)
            grow(place, "%s > %.5g" % (name, threshold), rows - rows // 3, level + 1)

    grow(None, None, 1234567, 0)
    return {"number": 0, "trees": 1, "nodes": nodes}


def grown():
    """A single tree for eight classes."""
    classes = ["class %d" % k for k in range(8)]
    return dict(multiclass(classes, "grown"), algorithm="tree",
                tree=tree(random.Random(4), classes, ["age", "income_per_head_and_year"]))


def grown_regression():
    """A single tree for a number, six levels deep."""
    return dict(regression(), algorithm="tree", coefficients=[],
                tree=tree(random.Random(5), [], ["rooms", "median_income", "when.epoch"], 6))


def network():
    """A network with the norms of its layers."""
    return dict(multiclass(["a", "b", "c"], "network"), algorithm="mlp", log=log(90, layers=4))


def extreme():
    """One point, equal points, values at the ends of the range, null everywhere."""
    facts = regression()
    facts.update(
        rows=1e15, dropped=1, holdout_rows=3, seconds=1e9, image_bytes=0, score=1.7e308,
        log=[{"iteration": 1, "loss": 1e-320, "valid_loss": None}],
        importance=[{"feature": "only", "gain": 5e-324}],
        history=[{"version": 1, "score": 1e300, "created": None, "active": True}] * 4,
        coefficients=[{"feature": None, "value": None}])
    facts["curves"] = {"residuals": {"actual": [1e308, -1e308, None, 0.1, 5], "predicted":
                                     [-1e307, 1e307, 3, 0.1, None]}}
    facts["metrics"] = {"rmse": 1.7e308, "mae": 5e-324, "r2": -1e200, "mape": None}
    return facts


def one_point():
    """A binary model whose hold-out had two rows; curves of one and two points."""
    facts = binary()
    facts["curves"] = {
        "roc": {"threshold": [None], "fpr": [0.5], "tpr": [0.5]},
        "pr": {"threshold": [0.5], "precision": [0.5], "recall": [1.0]},
        "ks": {"threshold": [0.3, 0.3], "cdf_negative": [0, 1], "cdf_positive": [0, 1]},
        "lift": {"share": [1.0], "gain": [1.0], "lift": [1.0]},
        "calibration": {"predicted": [0.5], "observed": [0.5], "count": [1]},
        "confusion": {"classes": ["false", "true"], "matrix": [[0, 1], [0, 1]]}}
    facts["log"] = log(1)
    facts["metrics"]["roc_auc"] = None
    return facts


def constant():
    """Equal values: the target never changes, 5,000 iterations, all alike."""
    facts = regression()
    facts["curves"] = {"residuals": {"actual": [1234567.0] * 50, "predicted": [1234567.0] * 50}}
    facts["log"] = [{"iteration": i + 1, "loss": 0.25 + (i % 7) * 1e-3, "valid_loss": 0.3} for i in range(5000)]
    return facts


def clusters(n=8, features=("income", "age", "region=north", "region=south")):
    """Customers in groups."""
    rng = random.Random(5)
    return {
        "name": "customer_groups", "version": 1, "created": "2026-03-02 10:00:00+00", "owner": "postgres",
        "task": "clustering", "algorithm": "kmeans", "algorithm_summary": "clusters around means",
        "query": "SELECT * FROM customers", "rows": 5000, "dropped": 0, "holdout_rows": 0, "seconds": 0.05,
        "image_bytes": 1800, "active": True, "metric": "silhouette", "score": 0.51, "metrics": {}, "curves": {},
        "summary": {"n": 5000, "inertia": 881.4, "sizes": [rng.randint(0, 900) for _ in range(n)]},
        "params": {"n_clusters": n, "scale": True}, "log": log(6, valid=False),
        "importance": [{"feature": name, "gain": rng.random()} for name in features],
        "coefficients": [{"feature": name, "class": str(k), "value": rng.gauss(0, 100)}
                         for k in range(n) for name in features],
        "features": [{"name": name, "type": "double precision", "kind": "numeric"} for name in features],
        "history": history(1, 0.5),
    }


def components():
    """Fifty columns in fifteen components, without a score."""
    facts = clusters(15, ["sensor_%02d" % i for i in range(50)])
    facts.update(name="sensors", task="decomposition", algorithm="pca", algorithm_summary="principal components",
                 metric=None, score=None, importance=[], log=[],
                 summary={"explained_variance_ratio": [0.5 ** (i + 1) for i in range(15)]})
    return facts


def anomalies():
    """A score for each row, nothing to measure it by."""
    facts = clusters()
    facts.update(name="odd_payments", task="anomaly", algorithm="isolation_forest", metric=None, score=None,
                 algorithm_summary="rows that few cuts isolate", coefficients=[], summary={"trees": 100})
    return facts


CASES = {
    "binary": binary, "logistic": logistic, "regression": regression, "unevaluated": unevaluated,
    "letters": lambda: multiclass([chr(65 + i) for i in range(26)], "letter"),
    "species": lambda: multiclass(["setosa", "versicolor", "virginica"], "species"),
    "hundred": lambda: multiclass(["class_%02d" % i for i in range(100)], "hundred"),
    "grown": grown, "grown_regression": grown_regression, "network": network,
    "empty": empty, "hostile": hostile, "extreme": extreme, "one_point": one_point,
    "constant": constant, "clusters": clusters, "components": components, "anomalies": anomalies,
    "hostile_clusters": lambda: dict(clusters(300, [HOSTILE + str(i) for i in range(200)]), summary={"sizes": [None, -1, 1e308, "x"]}),
}
