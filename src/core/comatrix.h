/*
 * comatrix.h
 *		How many columns go together, each with each: correlations over the rows where both are there.
 */
#ifndef ML_COMATRIX_H
#define ML_COMATRIX_H

#include "core/buffer.h"

#define ML_COMATRIX_MAX 1664 /* columns that a query can return */

typedef struct MlComatrix
{
	MlEnv *env;
	size_t p;        /* columns */
	uint64_t n_rows; /* not those of the batch */
	double *c;       /* p x p, i <= j: sums of products around the means */

	/* While no value was missing: all pairs have all rows, and the diagonal of c the sums of squares. */
	bool complete;
	double *mean; /* p */

	/* From the first missing value on, p x p: [i][j] is of column i in the rows where column j is there, too. */
	double *n; /* i <= j */
	double *pair_mean;
	double *pair_square; /* sums of squares around the mean */

	/* Rows that wait, one after the other, NaN: missing; and room to work. */
	size_t batch_rows, n_batch;
	double *batch, *shift, *sum;
	double *mask, *square; /* made with the first missing value */
} MlComatrix;

extern MlStatus ml_comatrix_init(MlComatrix *matrix, MlEnv *env, size_t p);
extern void ml_comatrix_free(MlComatrix *matrix);

/* Add a row of p numbers; what is not finite is missing. Polls cancel. */
extern MlStatus ml_comatrix_add(MlComatrix *matrix, const double *row);

/* Take in the rows that wait. Needed before merge, save and the result. */
extern MlStatus ml_comatrix_flush(MlComatrix *matrix);

extern MlStatus ml_comatrix_merge(MlComatrix *matrix, const MlComatrix *other);
extern void ml_comatrix_save(const MlComatrix *matrix, MlBuffer *out);
extern MlStatus ml_comatrix_load(MlReader *in, MlComatrix *matrix); /* free it on failure, too */

/* Pearson's r of two columns; NaN: one of them is constant in the *n rows where both are there. */
extern double ml_comatrix_correlation(const MlComatrix *matrix, size_t i, size_t j, uint64_t *n);

#endif /* ML_COMATRIX_H */
