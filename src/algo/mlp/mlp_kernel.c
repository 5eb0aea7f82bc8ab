/*
 * mlp_kernel.c
 *		Single-precision kernels: products of matrices, activations, steps.
 *
 * Every sum has an order of its own, whatever the width of the CPU's vectors, and
 * products are rounded before they are added (contraction is off): so the same
 * rows give the same weights on every machine. That is why this is not BLAS, whose
 * kernels differ from CPU to CPU.
 */
#include <math.h>
#include <string.h>

#include "algo/mlp/mlp.h"
#include "core/vmath.h"

typedef float Singles __attribute__((vector_size(4 * MLP_LANES)));
typedef int32_t Words __attribute__((vector_size(4 * MLP_LANES)));

#define INLINE static inline __attribute__((always_inline))

/* Rows of a tile: six sums of 16 lanes fit the registers from AVX2 on. */
#define TILE_ROWS 6
#define WIDE 4 /* vectors side by side where there is but one row */

INLINE void
load(Singles *out, const float *x)
{
	memcpy(out, x, sizeof(*out));
}

INLINE void
store(float *x, const Singles *value)
{
	memcpy(x, value, sizeof(*value));
}

/* ---- products */

/* What the sums at row i and column j start from. */
INLINE void
start_sum(const MlMlpProduct *p, size_t i, size_t j, Singles *sum)
{
	if (p->start)
		load(sum, p->start + j);
	else if (p->add)
		load(sum, p->c + i * p->ldc + j);
	else
		*sum = (Singles){0};
}

/* rows x 16 elements of c. */
INLINE void
tile(const MlMlpProduct *p, size_t i, size_t j, int rows)
{
	const float *a = p->a + i * p->a_row, *b = p->b + j;
	Singles sum[TILE_ROWS], line;

	for (int r = 0; r < rows; r++)
		start_sum(p, i + (size_t) r, j, &sum[r]);
	for (size_t k = 0; k < p->k; k++, a += p->a_col, b += p->ldb)
	{
		load(&line, b);
		for (int r = 0; r < rows; r++)
			sum[r] += a[(size_t) r * p->a_row] * line;
	}
	for (int r = 0; r < rows; r++)
		store(p->c + (i + (size_t) r) * p->ldc + j, &sum[r]);
}

/* One row x vectors * 16 elements of c, so that additions overlap. */
INLINE void
strip(const MlMlpProduct *p, size_t i, size_t j, int vectors)
{
	const float *a = p->a + i * p->a_row, *b = p->b + j;
	Singles sum[WIDE], line;

	for (int s = 0; s < vectors; s++)
		start_sum(p, i, j + (size_t) s * MLP_LANES, &sum[s]);
	for (size_t k = 0; k < p->k; k++, a += p->a_col, b += p->ldb)
		for (int s = 0; s < vectors; s++)
		{
			load(&line, b + (size_t) s * MLP_LANES);
			sum[s] += *a * line;
		}
	for (int s = 0; s < vectors; s++)
		store(p->c + i * p->ldc + j + (size_t) s * MLP_LANES, &sum[s]);
}

/* The rows that are left below whole tiles. */
INLINE void
last_rows(const MlMlpProduct *p, size_t i, size_t j)
{
	switch (p->m - i)
	{
		case 5:
			tile(p, i, j, 5);
			break;
		case 4:
			tile(p, i, j, 4);
			break;
		case 3:
			tile(p, i, j, 3);
			break;
		case 2:
			tile(p, i, j, 2);
			break;
		case 1:
			tile(p, i, j, 1);
			break;
	}
}

/* The product of matrices that mlp.h defines. */
ML_CLONES void
ml_mlp_multiply(const MlMlpProduct *p)
{
	size_t j = 0;

	if (p->m == 1)
		for (; j + WIDE * MLP_LANES <= p->n; j += WIDE * MLP_LANES)
			strip(p, 0, j, WIDE);
	for (; j < p->n; j += MLP_LANES)
	{
		size_t i = 0;

		for (; i + TILE_ROWS <= p->m; i += TILE_ROWS)
			tile(p, i, j, TILE_ROWS);
		last_rows(p, i, j);
	}
}

/* ---- activations */

#define EXP_MAX 87.0f
#define LOG2_E 1.44269504f
/* ln2 = HIGH + LOW; HIGH has few digits, so k * HIGH is exact. */
#define LN2_HIGH 0.693359375f
#define LN2_LOW (-2.12194440e-4f)
#define ROUND_TO_INTEGER 12582912.0f /* 1.5 * 2^23 */

/* mask ? a : b, lane by lane. */
#define CHOOSE(mask, a, b) \
	((Singles) (((Words) (mask) & (Words) (a)) | (~(Words) (mask) & (Words) (b))))
#define ALL(value) ((Singles){0} + (value))

/* *x = 1 / (1 + exp(-*x)), within some units in the last place. */
INLINE void
logistic_lanes(Singles *x)
{
	Singles t = -*x, shifted, k, r, poly;

	t = CHOOSE(t > EXP_MAX, ALL(EXP_MAX), t);
	t = CHOOSE(t < -EXP_MAX, ALL(-EXP_MAX), t);
	shifted = t * LOG2_E + ROUND_TO_INTEGER;
	k = shifted - ROUND_TO_INTEGER;
	r = (t - k * LN2_HIGH) - k * LN2_LOW;
	poly = r * (1.0f / 5040.0f) + 1.0f / 720.0f;
	poly = poly * r + 1.0f / 120.0f;
	poly = poly * r + 1.0f / 24.0f;
	poly = poly * r + 1.0f / 6.0f;
	poly = poly * r + 0.5f;
	poly = poly * (r * r) + r + 1.0f;
	poly *= (Singles) (((Words) shifted + 127) << 23);
	*x = 1.0f / (1.0f + poly);
}

/* z = activation(z); n is a multiple of MLP_LANES. */
ML_CLONES void
ml_mlp_activate(MlMlpActivation activation, float *z, size_t n)
{
	Singles x;

	for (size_t i = 0; i < n; i += MLP_LANES)
	{
		load(&x, z + i);
		if (activation == MLP_RELU)
			x = CHOOSE(x > 0.0f, x, ALL(0.0f));
		else if (activation == MLP_TANH)
		{
			x = 2.0f * x;
			logistic_lanes(&x);
			x = 2.0f * x - 1.0f;
		}
		else
			logistic_lanes(&x);
		store(z + i, &x);
	}
}

ML_CLONES void
ml_mlp_deactivate(MlMlpActivation activation, const float *a, float *d, size_t n)
{
	Singles x, y;

	for (size_t i = 0; i < n; i += MLP_LANES)
	{
		load(&x, a + i);
		load(&y, d + i);
		if (activation == MLP_RELU)
			y = CHOOSE(x > 0.0f, y, ALL(0.0f));
		else if (activation == MLP_TANH)
			y *= 1.0f - x * x;
		else
			y *= x * (1.0f - x);
		store(d + i, &y);
	}
}

/* ---- vectors */

ML_CLONES void
ml_mlp_add(const float *x, float *sum, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += x[i];
}

/* The sum of squares, in lanes. */
ML_CLONES double
ml_mlp_squares(const float *x, size_t n)
{
	double lanes[MLP_LANES] = {0}, sum = 0;

	for (size_t i = 0; i < n; i += MLP_LANES)
		for (size_t l = 0; l < MLP_LANES; l++)
			lanes[l] += (double) x[i + l] * x[i + l];
	for (size_t l = 0; l < MLP_LANES; l++)
		sum += lanes[l];
	return sum;
}

/*
 * Adam: Kingma and Ba 2015, Algorithm 1, in the order of operations at the end of their section 2, or
 * Nesterov's momentum as Sutskever et al. 2013 write it. The gradient gets the penalty's part.
 */
ML_CLONES void
ml_mlp_step(const MlMlpStep *step, float *gradient, float *theta, float *m, float *v, size_t n)
{
	float rate = step->rate, beta1 = step->beta1, beta2 = step->beta2, epsilon = step->epsilon;
	float momentum = step->momentum, l2 = step->l2;

	if (step->adam)
		for (size_t i = 0; i < n; i++)
		{
			float g = gradient[i] + l2 * theta[i];

			gradient[i] = g;
			m[i] = beta1 * m[i] + (1 - beta1) * g;
			v[i] = beta2 * v[i] + (1 - beta2) * (g * g);
			theta[i] -= rate * m[i] / (sqrtf(v[i]) + epsilon);
		}
	else
		for (size_t i = 0; i < n; i++)
		{
			float g = gradient[i] + l2 * theta[i];

			gradient[i] = g;
			m[i] = momentum * m[i] - rate * g;
			theta[i] += momentum * m[i] - rate * g;
		}
}
