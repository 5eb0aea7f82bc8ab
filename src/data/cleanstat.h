/*
 * cleanstat.h
 *		Statistics that cleaning fits: moments, places of quantiles, bounds of outliers.
 */
#ifndef ML_CLEANSTAT_H
#define ML_CLEANSTAT_H

#include <stdint.h>

/* Of finite numbers. The sum is compensated, so that whole numbers below 2^106 are summed exactly. */
typedef struct MlCleanMoments
{
	int64_t n;
	double sum, rest;
	double mean, m2;
} MlCleanMoments;

extern void ml_clean_moments_add(MlCleanMoments *moments,
								 double value);             /* not finite: passed over */
extern double ml_clean_mean(const MlCleanMoments *moments); /* NaN: no numbers */
extern double
ml_clean_stddev(const MlCleanMoments *moments); /* of the sample; NaN: less than two */

/* Between which ranks (from 0) of n ordered values the quantile is, and how far from the lower one. */
extern double ml_clean_rank(double share, int64_t n, int64_t *lower);

/* The number at that fraction between two. */
extern double ml_clean_between(double a, double b, double fraction);

/* What lies outside is an outlier; NaN: no bound on this side. */
typedef struct MlCleanBounds
{
	double lower, upper;
} MlCleanBounds;

extern MlCleanBounds ml_clean_bounds_iqr(double q25, double q75, double factor);
extern MlCleanBounds ml_clean_bounds_zscore(const MlCleanMoments *moments, double factor);

#endif /* ML_CLEANSTAT_H */
