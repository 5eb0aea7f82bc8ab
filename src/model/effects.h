/*
 * effects.h
 *		What inputs do to a model's predictions, whatever the algorithm: permutation importance,
 *		partial dependence.
 */
#ifndef ML_EFFECTS_H
#define ML_EFFECTS_H

#include "model/model.h"

/* Importance of one input: the mean over the repeats of how much worse the metric gets, and its deviation. */
typedef struct MlImportance
{
	double mean, stddev; /* stddev: of a sample; NaN for one repeat */
} MlImportance;

/*
 * Permutation importance (Breiman 2001, section 10) of each input on all rows of the dataset, which has a target:
 * importance[n_inputs]. The values of one input, all its features together, are shuffled among the rows; the
 * difference of the metric is the importance, positive where shuffling harms. NaN: the metric is not defined.
 */
extern MlStatus ml_permutation_importance(MlEnv *env, const MlModel *model, const MlDataset *data,
										  const char *metric, uint32_t repeats, uint64_t seed,
										  MlImportance *importance);

/* One value of an input or feature, and what the model predicts when all rows have it. */
typedef struct MlDependencePoint
{
	double raw;        /* slot value of an input (NaN: missing; a level's code), or the feature's */
	double *mean;      /* n_outputs */
	double *quantiles; /* n_outputs x n_quantiles, of the single predictions */
} MlDependencePoint;

typedef struct MlDependence
{
	bool whole_input; /* else one feature of it, such as a date's month */
	uint32_t input, feature;
	uint32_t n_points; /* at most */
	uint32_t n_quantiles;
	const double *quantiles; /* each in [0, 1] */
} MlDependence;

/* Find an input or a feature by its name; false: there is none. */
extern bool ml_dependence_find(const MlSchema *schema, const char *name, MlDependence *dependence);

/*
 * Partial dependence (Friedman 2001, section 8.2) on all rows: the mean prediction with one input set to a value,
 * for at most n_points values that the rows have: all of them when there are no more, else quantiles of numbers
 * and the most frequent levels; a missing value is one more, the last. *points, in arena, ascend (levels: by code).
 */
extern MlStatus ml_partial_dependence(MlArena *arena, const MlModel *model, const MlDataset *data,
									  const MlDependence *dependence, MlDependencePoint **points,
									  uint32_t *n_points);

#endif /* ML_EFFECTS_H */
