/*
 * shares.h
 *		How many rows of each class go to each part of a split.
 */
#ifndef ML_SHARES_H
#define ML_SHARES_H

#include "core/env.h"

/*
 * Divide count[k] rows of each of n_classes classes among n_parts parts: rows[k * n_parts + p]. fractions sum to 1.
 * Each class keeps its share in every part, and each part its share of all rows, as near as whole rows allow; the
 * first part has a row at least of every class that has one.
 */
extern MlStatus ml_share_rows(MlEnv *env, const uint64_t *count, size_t n_classes,
							  const double *fractions, int n_parts, uint64_t *rows);

#endif /* ML_SHARES_H */
