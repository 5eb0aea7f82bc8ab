/*
 * moments.h
 *		Cross products of centred columns: what a penalised path works on, by fold.
 *
 * The moments of disjoint rows add up, so that those of all rows but a fold's are
 * the sum of the other folds'. Columns are taken about a centre that all share,
 * which keeps the digits that raw cross products lose; the exact means follow
 * from the sums. A missing value stands at the centre, that is at the mean.
 */
#ifndef ML_MOMENTS_H
#define ML_MOMENTS_H

#include "algo/linear/leastsq.h"

#define ML_MOMENTS_MAX_FOLDS 20

typedef struct MlMomentTotals
{
	double weight, y, yy; /* sums of w, w y, w y^2 */
} MlMomentTotals;

/* All sums lie in one array, so that adding up is one loop. */
typedef struct MlMoments
{
	size_t n; /* columns: dense ones, then levels */
	size_t n_sums;
	double *sums;
	MlMomentTotals *t; /* the parts of the array: 3, */
	double *x, *q;     /* n and n: sums of w x_j, and of w x_j y, */
	double *h;         /* n x n, both triangles: sums of w x_j x_k */
} MlMoments;

extern MlStatus ml_moments_create(MlArena *arena, size_t n, MlMoments *moments);

/* The weighted means of what is there, over several states with the same columns: n columns, then the target. */
extern void ml_moments_centre(const MlTsqr *const *states, size_t n_states,
							  const MlLeastColumns *columns, double *centre);

/* += the rows of one state; levels (their centre is the same) may be NULL. */
extern MlStatus ml_moments_add_rows(MlMoments *moments, const MlTsqr *state,
									const MlLeastColumns *columns, const MlLevelSums *levels,
									const double *centre);
extern MlStatus ml_moments_add(MlEnv *env, MlMoments *total, const MlMoments *other);

/* Of n_folds moments make each the sum of the others. */
extern MlStatus ml_moments_complement(MlEnv *env, MlMoments *const *folds, size_t n_folds);

/* About their own means; or, without an intercept, about zero: centre has n + 1 values, 0 for levels. */
extern MlStatus ml_moments_to_means(MlEnv *env, MlMoments *moments);
extern MlStatus ml_moments_to_zero(MlEnv *env, MlMoments *moments, const double *centre);

/* Columns divided by scale. */
extern MlStatus ml_moments_scale(MlEnv *env, MlMoments *moments, const double *scale);

#endif /* ML_MOMENTS_H */
