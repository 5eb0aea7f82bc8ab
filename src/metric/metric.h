/*
 * metric.h
 *		Metrics and curves of predictions, over arrays.
 *
 * All of them take optional weights (NULL: ones), count ties as scikit-learn
 * does, and give NaN where the metric is not defined (for instance the area
 * under the ROC curve with one class only).
 */
#ifndef ML_METRIC_H
#define ML_METRIC_H

#include "core/json.h"

/* Predictions of one data set, as ml_metrics_all wants them. */
typedef struct MlScored
{
	bool classification;
	uint32_t n_classes;   /* classification: >= 2 */
	char *const *classes; /* labels, n_classes */
	size_t n;
	const double *actual; /* value, or class index */
	const double
		*predicted; /* regression: n values; binary: n P(class 1); else n x n_classes, row-major */
	const double *weight; /* or NULL */
	double threshold;     /* binary: class 1 is predicted above it; 0: a half */
} MlScored;

/*
 * Members of an object: every scalar metric that fits the task.
 *	binary: accuracy balanced_accuracy precision recall f1 mcc roc_auc pr_auc ks gini log_loss brier
 *	several classes: accuracy balanced_accuracy precision_macro recall_macro f1_macro f1_weighted mcc log_loss
 *	regression: mse rmse mae mape r2 explained_variance
 * Class 1 is predicted from a probability above the threshold on; of several classes the first most probable one.
 * A prediction that is not finite, or a class out of range, is ML_EDATA.
 */
extern MlStatus ml_metrics_all(MlEnv *env, const MlScored *scored, MlJsonWriter *w);

/* One metric of those; NaN where it is not defined. The caller has asked ml_metric_known. */
extern MlStatus ml_metric_one(MlEnv *env, const MlScored *scored, const char *name, double *value);

/*
 * Members of an object: the curves, as columns of equal length, at most max_points points each, exact ends kept.
 *	binary: "roc":{"threshold":[],"fpr":[],"tpr":[]}, "pr":{"threshold":[],"precision":[],"recall":[]},
 *		"ks":{"threshold":[],"cdf_negative":[],"cdf_positive":[]}, "lift":{"share":[],"gain":[],"lift":[]},
 *		"calibration":{"predicted":[],"observed":[],"count":[]}
 *	classification: "confusion":{"classes":[],"matrix":[[]]} (rows actual, columns predicted; up to 256 classes)
 *	regression: "residuals":{"actual":[],"predicted":[]} (an even sample of rows)
 * roc and pr begin with a threshold above all scores, null. The point of the greatest KS distance is always
 * kept. cdf: the share of the class with a score below the threshold; the last point has all below.
 * calibration: ten bins of equal width, without the empty ones. With one class only, just calibration and confusion.
 */
extern MlStatus ml_curves_all(MlEnv *env, const MlScored *scored, int max_points, MlJsonWriter *w);

/* The value of one metric of ml_metrics_all; false: no such metric for this task. */
extern bool ml_metric_known(const char *name, bool classification, uint32_t n_classes);
extern bool ml_metric_greater_is_better(const char *name);

#endif /* ML_METRIC_H */
