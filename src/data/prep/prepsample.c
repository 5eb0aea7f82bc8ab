/*
 * prepsample.c
 *		Quantiles of a column, and what is fitted to them: clip, median, mode, the exponent of a power.
 *
 * The *sample* is all rows up to SAMPLE_ROWS of them, else so many, one from each
 * of as many equal stretches of the rows: the rank of a quantile is then off by
 * 0.14 % of the rows (one standard deviation) at most. Quantiles interpolate, as
 * those of scikit-learn, and do not look at weights.
 */
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "data/prep/prepfit.h"

#define SAMPLE_ROWS ((size_t) 1 << 17) /* sorted within 20 ms, as nobody can cancel meanwhile */
#define POWER_ROWS ((size_t) 1 << 13)  /* of the sample, to fit an exponent */
#define SAMPLE_STREAM 211              /* of random numbers */

/* One row from each of SAMPLE_ROWS equal stretches; all rows where there are no more. */
MlStatus
ml_prep_choose_sample(MlPrepBatch *b, uint64_t seed, uint32_t **index)
{
	size_t n = b->rows->n;
	MlRng rng;

	*index = NULL;
	b->sample = *b->rows;
	if (n <= SAMPLE_ROWS)
		return ML_OK;
	*index = ml_alloc_array(b->env, SAMPLE_ROWS, sizeof(uint32_t));
	if (!*index)
		return ML_ENOMEM;
	ml_rng_seed(&rng, seed, SAMPLE_STREAM);
	for (size_t k = 0; k < SAMPLE_ROWS; k++)
	{
		size_t from = n * k / SAMPLE_ROWS, to = n * (k + 1) / SAMPLE_ROWS;
		size_t i = from + (size_t) ml_rng_below(&rng, to - from);

		(*index)[k] = b->rows->index ? b->rows->index[i] : (uint32_t) i;
	}
	b->sample = (MlRows){*index, SAMPLE_ROWS};
	return ML_OK;
}

static int
compare_numbers(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* A value at a depth; NaN where it is missing there. */
double
ml_prep_value_at(const MlPrepColumn *column, double value, MlPrepDepth depth)
{
	double clipped;

	if (depth == ML_PREP_RAW)
		return value;
	if (depth == ML_PREP_PREPARED)
		return ml_prep_number(column, value);
	clipped = value < column->low ? column->low : value > column->high ? column->high : value;
	if (depth == ML_PREP_FILLED)
		return clipped == clipped ? clipped : column->fill;
	return isnan(ml_prep_power(column, clipped)) ? NAN : clipped;
}

/* The sample of a column in ascending order, without what is missing. */
void
ml_prep_take_sample(const MlPrepBatch *b, MlPrepWork *w, MlPrepDepth depth)
{
	size_t n = 0;

	ml_prep_source(w->column, b->data, &b->sample, 0, b->sample.n, w->sample);
	for (size_t i = 0; i < b->sample.n; i++)
	{
		double value = ml_prep_value_at(w->column, w->sample[i], depth);

		if (value == value)
			w->sample[n++] = value;
	}
	w->n_sample = n;
	qsort(w->sample, n, sizeof(double), compare_numbers);
}

/* The quantile p of the sample, between two values in proportion; NaN: it is empty. */
double
ml_prep_quantile(const MlPrepWork *w, double p)
{
	double at, low;
	size_t i;

	if (w->n_sample == 0)
		return NAN;
	at = p * (double) (w->n_sample - 1);
	i = (size_t) at;
	low = w->sample[i];
	if (i + 1 >= w->n_sample || at == (double) i || low == w->sample[i + 1])
		return low;
	return low + (w->sample[i + 1] - low) * (at - (double) i);
}

/* The most frequent value of the sample, the least of several; NaN: it is empty. */
double
ml_prep_mode(const MlPrepWork *w)
{
	size_t longest = 0;
	double mode = NAN;

	for (size_t i = 0; i < w->n_sample;)
	{
		size_t end = i + 1;

		while (end < w->n_sample && w->sample[end] == w->sample[i])
			end++;
		if (end - i > longest)
		{
			longest = end - i;
			mode = w->sample[i];
		}
		i = end;
	}
	return mode;
}

/* ---- the exponent of Yeo and Johnson ---- */

/* What the transform's derivative adds to the log likelihood, but for the factor lambda - 1. */
static double
log_slopes(const double *x, size_t n, size_t stride)
{
	double sum = 0;

	for (size_t i = 0; i < n; i += stride)
		sum += copysign(log1p(fabs(x[i])), x[i]);
	return sum;
}

/* The log likelihood of the sample being normal after the transform, but for constants. */
static double
normal_likelihood(const MlPrepColumn *column, const double *x, size_t n, size_t stride,
				  double slopes)
{
	double mean = 0, m2 = 0, count = 0;

	for (size_t i = 0; i < n; i += stride)
	{
		double y = ml_prep_power(column, x[i]), delta = y - mean;

		count++;
		mean += delta / count;
		m2 += delta * (y - mean);
	}
	if (!(m2 > 0) || !isfinite(m2))
		return -INFINITY;
	return -count / 2 * log(m2 / count) + (column->lambda - 1) * slopes;
}

/* The likelihood at an exponent. */
static double
likelihood_at(MlPrepWork *w, double lambda, size_t stride, double slopes)
{
	w->column->lambda = lambda;
	return normal_likelihood(w->column, w->sample, w->n_sample, stride, slopes);
}

/* Maximise over the exponent by golden sections of [-4, 6], in which the likelihood has one top. */
void
ml_prep_fit_exponent(MlPrepWork *w)
{
	static const double ratio = 0.61803398874989485;
	size_t stride = ML_MAX(w->n_sample / POWER_ROWS, (size_t) 1);
	double slopes = log_slopes(w->sample, w->n_sample, stride);
	double low = -4, high = 6, a = high - ratio * (high - low), b = low + ratio * (high - low);
	double at_a = likelihood_at(w, a, stride, slopes), at_b = likelihood_at(w, b, stride, slopes);

	while (high - low > 1e-8)
	{
		if (at_a >= at_b)
		{
			high = b;
			b = a;
			at_b = at_a;
			a = high - ratio * (high - low);
			at_a = likelihood_at(w, a, stride, slopes);
		}
		else
		{
			low = a;
			a = b;
			at_a = at_b;
			b = low + ratio * (high - low);
			at_b = likelihood_at(w, b, stride, slopes);
		}
	}
	/* Constant, or nothing there: as it is. */
	w->column->lambda = isfinite(at_a) || isfinite(at_b) ? (low + high) / 2 : 1;
}
