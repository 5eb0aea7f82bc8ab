/*
 * spread.h
 *		Mean, spread and skewness of numbers, and how two of them go together, from batches that merge.
 *
 * All numbers must be finite. What overflows ends as an infinity or NaN in the results.
 */
#ifndef ML_SPREAD_H
#define ML_SPREAD_H

#include "core/buffer.h"

typedef struct MlSpread
{
	uint64_t n;
	double sum, rest; /* the sum, and what rounding took off it: whole numbers are summed exactly */
	double mean;      /* where m2 and m3 are taken around */
	double m2, m3;    /* sums of squares and cubes of the distances to the mean */
} MlSpread;

extern void ml_spread_add(MlSpread *spread, const double *x, size_t n);
extern void ml_spread_merge(MlSpread *spread, const MlSpread *other);
extern void ml_spread_save(const MlSpread *spread, MlBuffer *out);
extern MlStatus ml_spread_load(MlReader *in, MlSpread *spread);

/* NaN where there are too few numbers, or no spread. */
extern double ml_spread_mean(const MlSpread *spread);
extern double ml_spread_stddev(const MlSpread *spread);   /* of a sample: n - 1 */
extern double ml_spread_skewness(const MlSpread *spread); /* adjusted Fisher-Pearson G1 */

typedef struct MlComoments
{
	uint64_t n;
	double mean_x, mean_y;
	double m2_x, m2_y; /* sums of squares around the means */
	double c;          /* sum of products around the means */
} MlComoments;

extern void ml_comoments_add(MlComoments *comoments, const double *x, const double *y, size_t n);
extern void ml_comoments_merge(MlComoments *comoments, const MlComoments *other);
extern void ml_comoments_save(const MlComoments *comoments, MlBuffer *out);
extern MlStatus ml_comoments_load(MlReader *in, MlComoments *comoments);

/* Pearson's r; NaN where one of them is constant. */
extern double ml_comoments_correlation(const MlComoments *comoments);

/* c / sqrt(m2_x * m2_y) within -1 and 1, without overflow of the product. */
extern double ml_correlation(double c, double m2_x, double m2_y);

#endif /* ML_SPREAD_H */
