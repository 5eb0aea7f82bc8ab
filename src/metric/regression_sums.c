/*
 * regression_sums.c
 *		Metrics of predicted numbers, from sums that merge.
 *
 * Means and sums of squares around them are updated row by row (Welford 1962, with weights: West
 * 1979) and merged as Chan, Golub and LeVeque (1979) do; actual values are taken relative to the
 * first one. So a large common offset costs no digits, and a constant column has no spread at all.
 */
#include "metric/regression_sums.h"

#include <float.h>
#include <math.h>

static void
welford(double *mean, double *square, double x, double weight, double total)
{
	double delta = x - *mean;

	*mean += delta * (weight / total);
	*square += weight * delta * (x - *mean);
}

void
ml_regression_add(MlRegressionSums *sums, double actual, double predicted, double weight)
{
	double e = actual - predicted;

	if (weight == 0)
		return;
	if (sums->n++ == 0)
		sums->origin = actual;
	sums->weight += weight;
	sums->absolute += weight * fabs(e);
	sums->square += weight * e * e;
	/* As scikit-learn: an actual value of 0 counts as the smallest step, and the result shows it. */
	sums->percentage += weight * (fabs(e) / ML_MAX(fabs(actual), DBL_EPSILON));
	welford(&sums->mean_y, &sums->var_y, actual - sums->origin, weight, sums->weight);
	welford(&sums->mean_e, &sums->var_e, e, weight, sums->weight);
}

/* Put together two sets whose means are delta apart. */
static void
chan(double *mean, double *square, double weight, double delta, double other_square,
	 double other_weight)
{
	double share = other_weight / (weight + other_weight);

	*mean += delta * share;
	*square += other_square + delta * delta * (weight * share);
}

void
ml_regression_merge(MlRegressionSums *sums, const MlRegressionSums *other)
{
	if (other->n == 0)
		return;
	if (sums->n == 0)
	{
		*sums = *other;
		return;
	}
	chan(&sums->mean_y, &sums->var_y, sums->weight,
		 (other->origin - sums->origin) + (other->mean_y - sums->mean_y), other->var_y,
		 other->weight);
	chan(&sums->mean_e, &sums->var_e, sums->weight, other->mean_e - sums->mean_e, other->var_e,
		 other->weight);
	sums->n += other->n;
	sums->weight += other->weight;
	sums->absolute += other->absolute;
	sums->square += other->square;
	sums->percentage += other->percentage;
}

void
ml_regression_save(const MlRegressionSums *sums, MlBuffer *out)
{
	const double values[] = {sums->weight,     sums->absolute, sums->square,
							 sums->percentage, sums->origin,   sums->mean_y,
							 sums->var_y,      sums->mean_e,   sums->var_e};

	ml_put_u64(out, sums->n);
	ml_put_f64_array(out, values, sizeof(values) / sizeof(values[0]));
}

MlStatus
ml_regression_load(MlReader *in, MlRegressionSums *sums)
{
	sums->n = ml_get_u64(in);
	sums->weight = ml_get_f64(in);
	sums->absolute = ml_get_f64(in);
	sums->square = ml_get_f64(in);
	sums->percentage = ml_get_f64(in);
	sums->origin = ml_get_f64(in);
	sums->mean_y = ml_get_f64(in);
	sums->var_y = ml_get_f64(in);
	sums->mean_e = ml_get_f64(in);
	sums->var_e = ml_get_f64(in);
	/* Sums may have overflowed to infinity or NaN; only the counts are relied upon. */
	if (in->failed || (sums->n > 0) != (sums->weight > 0))
		return ml_corrupt(in->env, "sums of errors");
	return ML_OK;
}

static double
mean_of(const MlRegressionSums *sums, double sum)
{
	return sums->n > 0 ? sum / sums->weight : NAN;
}

double
ml_regression_mse(const MlRegressionSums *sums)
{
	return mean_of(sums, sums->square);
}

double
ml_regression_rmse(const MlRegressionSums *sums)
{
	return sqrt(mean_of(sums, sums->square));
}

double
ml_regression_mae(const MlRegressionSums *sums)
{
	return mean_of(sums, sums->absolute);
}

double
ml_regression_mape(const MlRegressionSums *sums)
{
	return mean_of(sums, sums->percentage);
}

double
ml_regression_r2(const MlRegressionSums *sums)
{
	return sums->n >= 2 && sums->var_y > 0 ? 1 - sums->square / sums->var_y : NAN;
}

double
ml_regression_explained_variance(const MlRegressionSums *sums)
{
	return sums->n >= 2 && sums->var_y > 0 ? 1 - sums->var_e / sums->var_y : NAN;
}
