/*
 * threshold.h
 *		From which probability on a row of two classes is called positive.
 *
 * The option is a number, the name of a metric to make as great as can be, or
 * what the two kinds of error cost: {"fp": 1, "fn": 5}. The last two are
 * chosen on predictions of rows that the model has not seen.
 */
#ifndef ML_THRESHOLD_H
#define ML_THRESHOLD_H

#include "core/json.h"

typedef enum MlThresholdKind
{
	ML_THRESHOLD_FIXED = 0, /* 0.5 when nothing was said */
	ML_THRESHOLD_ACCURACY,
	ML_THRESHOLD_BALANCED_ACCURACY,
	ML_THRESHOLD_F1,
	ML_THRESHOLD_MCC,
	ML_THRESHOLD_YOUDEN, /* true minus false positive rate: the KS distance */
	ML_THRESHOLD_COST
} MlThresholdKind;
#define ML_N_THRESHOLDS 7

typedef struct MlThresholdRule
{
	MlThresholdKind kind;
	double value;  /* FIXED: in (0, 1) */
	double fp, fn; /* COST: of a false positive, of a false negative */
} MlThresholdRule;

/* Read the option; NULL or null: 0.5. */
extern MlStatus ml_threshold_parse(MlEnv *env, const MlJson *option, MlThresholdRule *rule);
extern const char *ml_threshold_name(MlThresholdKind kind); /* "f1", "cost", ... */

/*
 * The best threshold for n rows with P(class 1), class, weight (NULL: ones), in (0, 1]: a row is positive when
 * its probability is greater. Half-way between two probabilities; of several best ones that nearest to 0.5.
 * *score: the metric there, or the cost a row. The rule's kind is not FIXED.
 */
extern MlStatus ml_threshold_choose(MlEnv *env, const MlThresholdRule *rule, size_t n,
									const double *probs, const double *actual, const double *weight,
									double *threshold, double *score);

#endif /* ML_THRESHOLD_H */
