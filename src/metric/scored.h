/*
 * scored.h
 *		Checked access to the rows of a scored set, for metrics and curves.
 */
#ifndef ML_SCORED_H
#define ML_SCORED_H

#include "metric/metric.h"
#include "metric/ranking.h"

static inline double
ml_scored_weight(const MlScored *scored, size_t i)
{
	return scored->weight ? scored->weight[i] : 1;
}

/* Actual and predicted class of row i; ML_EDATA when they cannot be. */
extern MlStatus ml_scored_class(MlEnv *env, const MlScored *scored, size_t i, uint32_t *actual,
								uint32_t *predicted);

/* Binary: the scores of class 0 and class 1. The caller frees both, also on failure. */
extern MlStatus ml_scored_split(MlEnv *env, const MlScored *scored, MlScores scores[2]);

#endif /* ML_SCORED_H */
