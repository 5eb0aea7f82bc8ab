/*
 * logistic_kernel.c
 *		The inner loops of logistic regression: one block of rows in float.
 *
 * Sixteen lanes, whatever the CPU: sums are kept lane by lane and added up in a
 * fixed order, so that the bytes do not depend on the width of its vectors.
 * Float sums stay within a block; what leaves a block is double. That is enough
 * for a gradient good to about 4e-8 of its terms.
 */
#include <string.h>

#include "algo/logistic/logistic.h"
#include "core/vmath.h"

#define LANES 16

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef float LooseFloats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define LOAD(p) (*(const LooseFloats *) (p))
#define STORE(p, v) (*(LooseFloats *) (p) = (v))

/* The lanes of *v added up, in order of halves. */
static inline __attribute__((always_inline)) double
add_lanes(const Floats *v)
{
	double sum[LANES];

	for (int l = 0; l < LANES; l++)
		sum[l] = (double) (*v)[l];
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int l = 0; l < half; l++)
			sum[l] += sum[l + half];
	return sum[0];
}

/* eta = coef[0] + X coef[1..n_dense]; four columns a round, so that eta is read and written less. */
ML_CLONES void
ml_logistic_scores(const float *x, size_t n, size_t n_dense, const float *coef, float *eta)
{
	size_t j = 0;

	for (size_t i = 0; i < n; i++)
		eta[i] = coef[0];
	for (; j + 4 <= n_dense; j += 4)
	{
		const float *x0 = x + j * n, *x1 = x0 + n, *x2 = x1 + n, *x3 = x2 + n;
		float b0 = coef[j + 1], b1 = coef[j + 2], b2 = coef[j + 3], b3 = coef[j + 4];

		for (size_t i = 0; i < n; i += LANES)
			STORE(eta + i, LOAD(eta + i) + ((LOAD(x0 + i) * b0 + LOAD(x1 + i) * b1) +
											(LOAD(x2 + i) * b2 + LOAD(x3 + i) * b3)));
	}
	for (; j < n_dense; j++)
		for (size_t i = 0; i < n; i += LANES)
			STORE(eta + i, LOAD(eta + i) + LOAD(x + j * n + i) * coef[j + 1]);
}

/* sums[j] += x_j' r for every column. */
ML_CLONES void
ml_logistic_project(const float *x, size_t n, size_t n_dense, const float *r, double *sums)
{
	size_t j = 0;

	for (; j + 4 <= n_dense; j += 4)
	{
		const float *x0 = x + j * n, *x1 = x0 + n, *x2 = x1 + n, *x3 = x2 + n;
		Floats s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};

		for (size_t i = 0; i < n; i += LANES)
		{
			Floats residual = LOAD(r + i);

			s0 += LOAD(x0 + i) * residual;
			s1 += LOAD(x1 + i) * residual;
			s2 += LOAD(x2 + i) * residual;
			s3 += LOAD(x3 + i) * residual;
		}
		sums[j] += add_lanes(&s0);
		sums[j + 1] += add_lanes(&s1);
		sums[j + 2] += add_lanes(&s2);
		sums[j + 3] += add_lanes(&s3);
	}
	for (; j < n_dense; j++)
	{
		Floats s = {0};

		for (size_t i = 0; i < n; i += LANES)
			s += LOAD(x + j * n + i) * LOAD(r + i);
		sums[j] += add_lanes(&s);
	}
}

/* The sum of r. */
ML_CLONES double
ml_logistic_sum(const float *r, size_t n)
{
	Floats s = {0};

	for (size_t i = 0; i < n; i += LANES)
		s += LOAD(r + i);
	return add_lanes(&s);
}

/* A copy in double. */
ML_CLONES void
ml_logistic_widen(const float *in, double *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double) in[i];
}

/* eta += coef[level of the row]; coef has a 0 behind the last level. */
void
ml_logistic_add_levels(const uint32_t *levels, size_t n, const float *coef, float *eta)
{
	for (size_t i = 0; i < n; i++)
		eta[i] += coef[levels[i]];
}

/* sums[level of the row] += r. */
void
ml_logistic_sum_levels(const uint32_t *levels, size_t n, uint32_t n_levels, const float *r,
					   double *sums)
{
	for (size_t i = 0; i < n; i++)
		if (levels[i] < n_levels)
			sums[levels[i]] += (double) r[i];
}
