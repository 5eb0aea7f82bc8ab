/*
 * cleanstat.c
 *		Statistics that cleaning fits: moments, places of quantiles, bounds of outliers.
 */
#include <math.h>

#include "data/cleanstat.h"

/* Welford's update of mean and squares, Knuth's TwoSum for the sum. */
void
ml_clean_moments_add(MlCleanMoments *moments, double value)
{
	double sum = moments->sum + value, added = sum - moments->sum;
	double delta = value - moments->mean;

	if (!isfinite(value))
		return;
	moments->rest += (moments->sum - (sum - added)) + (value - added);
	moments->sum = sum;
	moments->n++;
	moments->mean += delta / (double) moments->n;
	moments->m2 += delta * (value - moments->mean);
}

/* The sum may overflow where the mean does not. */
double
ml_clean_mean(const MlCleanMoments *moments)
{
	double sum = moments->sum + moments->rest;

	if (moments->n == 0)
		return NAN;
	return isfinite(sum) ? sum / (double) moments->n : moments->mean;
}

double
ml_clean_stddev(const MlCleanMoments *moments)
{
	return moments->n < 2 ? NAN : sqrt(moments->m2 / (double) (moments->n - 1));
}

/* As percentile_cont: rank share * (n - 1). */
double
ml_clean_rank(double share, int64_t n, int64_t *lower)
{
	double rank = share * (double) (n - 1);

	*lower = (int64_t) rank;
	return rank - (double) *lower;
}

double
ml_clean_between(double a, double b, double fraction)
{
	if (a == b || fraction == 0.0)
		return a;
	return isfinite(b - a) ? a + fraction * (b - a) : (1.0 - fraction) * a + fraction * b;
}

static double
bound(double value)
{
	return isfinite(value) ? value : NAN;
}

MlCleanBounds
ml_clean_bounds_iqr(double q25, double q75, double factor)
{
	double reach = factor * (q75 - q25);

	return (MlCleanBounds){bound(q25 - reach), bound(q75 + reach)};
}

MlCleanBounds
ml_clean_bounds_zscore(const MlCleanMoments *moments, double factor)
{
	double mean = ml_clean_mean(moments), reach = factor * ml_clean_stddev(moments);

	return (MlCleanBounds){bound(mean - reach), bound(mean + reach)};
}
