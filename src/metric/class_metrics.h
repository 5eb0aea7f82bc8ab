/*
 * class_metrics.h
 *		Metrics of predicted classes, from the sums of a confusion matrix.
 */
#ifndef ML_CLASS_METRICS_H
#define ML_CLASS_METRICS_H

#include "core/env.h"

/* Of each class the weight of rows that: are it and were predicted as it, are it, were predicted as it. */
typedef struct MlClassTotals
{
	uint32_t n; /* classes */
	double *hits, *actual, *predicted;
	double total;
} MlClassTotals;

typedef enum MlRate
{
	ML_PRECISION,
	ML_RECALL,
	ML_F1
} MlRate;

typedef enum MlAverage
{
	ML_AVERAGE_MACRO,    /* plain mean over the classes */
	ML_AVERAGE_MICRO,    /* over all rows: equals the accuracy */
	ML_AVERAGE_WEIGHTED, /* mean over the classes, weighted by their actual rows */
	ML_AVERAGE_NONE
} MlAverage;

extern MlStatus ml_class_totals_init(MlEnv *env, MlClassTotals *totals, uint32_t n_classes);
extern void ml_class_totals_free(MlEnv *env, MlClassTotals *totals);

/* The average of this name (len bytes), else ML_AVERAGE_NONE. */
extern MlAverage ml_average_find(const char *name, size_t len);

/* All give NaN where the metric is not defined. */
extern double ml_class_accuracy(const MlClassTotals *totals);
extern double ml_class_balanced_accuracy(const MlClassTotals *totals); /* mean recall */
extern double ml_class_mcc(const MlClassTotals *totals); /* Matthews correlation coefficient */
extern double ml_class_rate(const MlClassTotals *totals, MlRate rate, uint32_t k);

/* As scikit-learn does: a class whose rate is not defined counts as 0. */
extern double ml_class_rate_average(const MlClassTotals *totals, MlRate rate, MlAverage average);

#endif /* ML_CLASS_METRICS_H */
