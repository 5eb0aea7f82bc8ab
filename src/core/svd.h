/*
 * svd.h
 *		Singular values and left singular vectors, by rotations that can be cancelled.
 */
#ifndef ML_SVD_H
#define ML_SVD_H

#include "core/env.h"

/*
 * One-sided Jacobi over the n columns of b (length values each, column after column): they become the left
 * singular vectors, in the order of falling singular values, which go to sigma. Columns of a singular value
 * that is zero but for rounding are no vectors; *rank is the number of the others. Small singular values are
 * accurate relative to the columns they come from (Demmel and Veselic 1992). The same bytes whatever the threads.
 */
extern MlStatus ml_svd_left(MlEnv *env, double *b, size_t length, size_t n, double *sigma,
							size_t *rank);

#endif /* ML_SVD_H */
