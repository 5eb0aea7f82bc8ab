/*
 * spread.c
 *		Mean, spread and skewness of numbers, and how two of them go together, from batches that merge.
 *
 * A batch is read twice: for its mean, then for the distances to it. Batches are put together by the formulas of
 * Chan, Golub and LeVeque 1979, for cubes those of Pebay 2008. So a large common offset costs digits once,
 * not squared, and loops over a batch run in LANES independent sums, which the compiler makes into vectors.
 *
 * A batch's mean is kept between its least and its greatest number: rounding must not give a constant a spread.
 */
#include <math.h>

#include "core/spread.h"

#define LANES 4

/* ---- one variable */

/* sum + rest += x without loss (Knuth's TwoSum). */
static inline void
add_exactly(double *sum, double *rest, double x)
{
	double total = *sum + x, added = total - *sum;

	*rest += (*sum - (total - added)) + (x - added);
	*sum = total;
}

static void
sum_batch(const double *x, size_t n, double *sum, double *rest)
{
	double sums[LANES] = {0}, rests[LANES] = {0};
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++)
			add_exactly(&sums[l], &rests[l], x[i + l]);
	for (; i < n; i++)
		add_exactly(&sums[0], &rests[0], x[i]);
	*sum = sums[0];
	*rest = rests[0];
	for (int l = 1; l < LANES; l++)
	{
		add_exactly(sum, rest, sums[l]);
		*rest += rests[l];
	}
}

static void
find_range(const double *x, size_t n, double *least, double *greatest)
{
	double low[LANES], high[LANES];

	for (int l = 0; l < LANES; l++)
		low[l] = high[l] = x[0];
	for (size_t i = 0; i < n; i++)
	{
		low[i % LANES] = ML_MIN(low[i % LANES], x[i]);
		high[i % LANES] = ML_MAX(high[i % LANES], x[i]);
	}
	for (int l = 1; l < LANES; l++)
	{
		low[0] = ML_MIN(low[0], low[l]);
		high[0] = ML_MAX(high[0], high[l]);
	}
	*least = low[0];
	*greatest = high[0];
}

/* The mean of a batch of which the sum is known; the sum may overflow where the mean does not. */
static double
mean_of_batch(const double *x, size_t n, double sum)
{
	double mean = sum / (double) n, least, greatest;

	if (!isfinite(mean))
	{
		mean = 0;
		for (size_t i = 0; i < n; i++)
			mean += x[i] / (double) n;
	}
	find_range(x, n, &least, &greatest);
	return ML_MIN(ML_MAX(mean, least), greatest);
}

/* Sums of the distances to the mean, of their squares and cubes. */
static void
sum_powers(const double *x, size_t n, double mean, double powers[3])
{
	double d1[LANES] = {0}, d2[LANES] = {0}, d3[LANES] = {0};
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++)
		{
			double d = x[i + l] - mean;

			d1[l] += d;
			d2[l] += d * d;
			d3[l] += d * d * d;
		}
	for (; i < n; i++)
	{
		double d = x[i] - mean;

		d1[0] += d;
		d2[0] += d * d;
		d3[0] += d * d * d;
	}
	powers[0] = (d1[0] + d1[1]) + (d1[2] + d1[3]);
	powers[1] = (d2[0] + d2[1]) + (d2[2] + d2[3]);
	powers[2] = (d3[0] + d3[1]) + (d3[2] + d3[3]);
}

void
ml_spread_add(MlSpread *spread, const double *x, size_t n)
{
	MlSpread batch = {.n = n};
	double powers[3], shift;

	if (n == 0)
		return;
	sum_batch(x, n, &batch.sum, &batch.rest);
	batch.mean = mean_of_batch(x, n, batch.sum + batch.rest);
	sum_powers(x, n, batch.mean, powers);
	/* What the rounded mean is off by, taken out of the sums around it. */
	shift = powers[0] / (double) n;
	batch.mean += shift;
	batch.m2 = powers[1] - shift * powers[0];
	batch.m3 = powers[2] - 3 * shift * powers[1] + 2 * shift * shift * powers[0];
	ml_spread_merge(spread, &batch);
}

void
ml_spread_merge(MlSpread *spread, const MlSpread *other)
{
	double a = (double) spread->n, b = (double) other->n, n = a + b;
	double delta = other->mean - spread->mean, share = b / n, cross = delta * delta * (a * share);

	if (other->n == 0)
		return;
	if (spread->n == 0)
	{
		*spread = *other;
		return;
	}
	spread->m3 += other->m3 + cross * delta * ((a - b) / n) +
				  3 * delta * (a / n * other->m2 - share * spread->m2);
	spread->m2 += other->m2 + cross;
	spread->mean += delta * share;
	add_exactly(&spread->sum, &spread->rest, other->sum);
	spread->rest += other->rest;
	spread->n += other->n;
}

void
ml_spread_save(const MlSpread *spread, MlBuffer *out)
{
	const double values[] = {spread->sum, spread->rest, spread->mean, spread->m2, spread->m3};

	ml_put_u64(out, spread->n);
	ml_put_f64_array(out, values, sizeof values / sizeof *values);
}

/* Any numbers will do: nothing but the result depends on them. */
MlStatus
ml_spread_load(MlReader *in, MlSpread *spread)
{
	spread->n = ml_get_u64(in);
	spread->sum = ml_get_f64(in);
	spread->rest = ml_get_f64(in);
	spread->mean = ml_get_f64(in);
	spread->m2 = ml_get_f64(in);
	spread->m3 = ml_get_f64(in);
	return ml_reader_check(in, "spread");
}

double
ml_spread_mean(const MlSpread *spread)
{
	double sum = spread->sum + spread->rest;

	if (spread->n == 0)
		return NAN;
	return isfinite(sum) ? sum / (double) spread->n : spread->mean;
}

double
ml_spread_stddev(const MlSpread *spread)
{
	if (spread->n < 2)
		return NAN;
	return sqrt(ML_MAX(spread->m2, 0.0) / (double) (spread->n - 1));
}

/* G1 = sqrt(n (n - 1)) / (n - 2) * (m3 / n) / (m2 / n)^1.5 */
double
ml_spread_skewness(const MlSpread *spread)
{
	double n = (double) spread->n, variance = spread->m2 / n;

	if (spread->n < 3 || !(spread->m2 > 0))
		return NAN;
	return sqrt(n * (n - 1)) / (n - 2) * (spread->m3 / n) / (variance * sqrt(variance));
}

/* ---- two variables */

void
ml_comoments_add(MlComoments *comoments, const double *x, const double *y, size_t n)
{
	MlComoments batch = {.n = n};
	double sum, rest, dx = 0, dy = 0, xx = 0, yy = 0, xy = 0;

	if (n == 0)
		return;
	sum_batch(x, n, &sum, &rest);
	batch.mean_x = mean_of_batch(x, n, sum + rest);
	sum_batch(y, n, &sum, &rest);
	batch.mean_y = mean_of_batch(y, n, sum + rest);
	for (size_t i = 0; i < n; i++)
	{
		double p = x[i] - batch.mean_x, q = y[i] - batch.mean_y;

		dx += p;
		dy += q;
		xx += p * p;
		yy += q * q;
		xy += p * q;
	}
	batch.m2_x = xx - dx * (dx / (double) n);
	batch.m2_y = yy - dy * (dy / (double) n);
	batch.c = xy - dx * (dy / (double) n);
	batch.mean_x += dx / (double) n;
	batch.mean_y += dy / (double) n;
	ml_comoments_merge(comoments, &batch);
}

void
ml_comoments_merge(MlComoments *comoments, const MlComoments *other)
{
	double n = (double) comoments->n + (double) other->n, share = (double) other->n / n;
	double weight = (double) comoments->n * share;
	double dx = other->mean_x - comoments->mean_x, dy = other->mean_y - comoments->mean_y;

	if (other->n == 0)
		return;
	if (comoments->n == 0)
	{
		*comoments = *other;
		return;
	}
	comoments->m2_x += other->m2_x + dx * dx * weight;
	comoments->m2_y += other->m2_y + dy * dy * weight;
	comoments->c += other->c + dx * dy * weight;
	comoments->mean_x += dx * share;
	comoments->mean_y += dy * share;
	comoments->n += other->n;
}

void
ml_comoments_save(const MlComoments *comoments, MlBuffer *out)
{
	const double values[] = {comoments->mean_x, comoments->mean_y, comoments->m2_x, comoments->m2_y,
							 comoments->c};

	ml_put_u64(out, comoments->n);
	ml_put_f64_array(out, values, sizeof values / sizeof *values);
}

MlStatus
ml_comoments_load(MlReader *in, MlComoments *comoments)
{
	comoments->n = ml_get_u64(in);
	comoments->mean_x = ml_get_f64(in);
	comoments->mean_y = ml_get_f64(in);
	comoments->m2_x = ml_get_f64(in);
	comoments->m2_y = ml_get_f64(in);
	comoments->c = ml_get_f64(in);
	return ml_reader_check(in, "comoments");
}

double
ml_comoments_correlation(const MlComoments *comoments)
{
	return ml_correlation(comoments->c, comoments->m2_x, comoments->m2_y);
}

double
ml_correlation(double c, double m2_x, double m2_y)
{
	double r = c / (sqrt(m2_x) * sqrt(m2_y));

	if (!(m2_x > 0 && m2_y > 0) || isnan(r))
		return NAN;
	return ML_MIN(ML_MAX(r, -1.0), 1.0);
}
