/*
 * gbdt_loss.c
 *		Losses and their gradients, block by block.
 *
 * For a row with weight w, target y and score s:
 *	squared		loss w (s - y)^2			g = w (s - y)			h = w
 *	absolute	loss w |s - y|				g = w sign(s - y)		h = w
 *	huber		loss w d^2 / 2 for d = |s - y| <= alpha, else w alpha (d - alpha / 2);
 *				g = w (s - y), at most w alpha in size				h = w
 *	quantile	loss w alpha (y - s) for y > s, else w (1 - alpha) (s - y);
 *				g = -w alpha or w (1 - alpha)						h = w
 *	poisson		loss w (e^s - y s)			g = w (e^s - y)			h = w e^(s + c)
 *	tweedie		loss w (e^((2-r)s) / (2-r) - y e^((1-r)s) / (1-r))
 *				g = w (e^((2-r)s) - y e^((1-r)s))
 *				h = w ((2-r) e^((2-r)s) - (1-r) y e^((1-r)s))
 *	logistic	loss w log(1 + e^-(2y-1)s)	g = w (p - y)			h = w p (1 - p)
 *	softmax		loss -w log p_y				g_k = w (p_k - [y = k])	h_k = w p_k (1 - p_k) f
 * with p the probability, and f = n / (n - 1), as classes share one degree of
 * freedom (Friedman 2001, algorithm 6, has it in the leaf's value); r is the
 * power of the variance, 1 < r < 2; c, the greatest step of a score, keeps the
 * hessian of counts from being far too small where the score is too low.
 *
 * The exponential is our own polynomial and each kernel a plain loop that
 * compilers turn into vectors of any width, lane by lane the same operations:
 * the image must not depend on the machine. Weights are multiplied in apart.
 */
#include <string.h>

#include "algo/gbdt/gbdt_objective.h"

#define MAX_LOG 40.0f /* of a mean; products with targets and weights stay floats */

/* e^x for -87 <= x <= 88, relative error below 3e-7. Cody and Waite's reduction, then Taylor. */
static inline float
exp_inside(float x)
{
	const float shifter = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	float k, r, p;
	int32_t bits;

	k = (x * 1.44269504f + shifter) - shifter;
	r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
	p = 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	bits = ((int32_t) k + 127) * (1 << 23);
	memcpy(&r, &bits, sizeof(r));
	return p * r;
}

/* e^x for x <= 0; below -87 it counts as -87 */
static inline float
exp_negative(float x)
{
	return exp_inside(x < -87.0f ? -87.0f : x);
}

/* e^x, x taken to lie within +-MAX_LOG */
static inline float
exp_bounded(float x)
{
	x = x < -MAX_LOG ? -MAX_LOG : x;
	return exp_inside(x > MAX_LOG ? MAX_LOG : x);
}

/* log(1 + t) for t in [0, 1], error below 1e-7: 2 artanh(t / (2 + t)) */
static inline float
log_1p(float t)
{
	float z = t / (2.0f + t), z2 = z * z, p;

	p = 1.0f / 13;
	p = p * z2 + 1.0f / 11;
	p = p * z2 + 1.0f / 9;
	p = p * z2 + 1.0f / 7;
	p = p * z2 + 1.0f / 5;
	p = p * z2 + 1.0f / 3;
	p = p * z2 + 1.0f;
	return 2.0f * z * p;
}

/* A fraction in [0, 1) for a row: multiples of the golden ratio cover it evenly. 23 bits, so that 1 + it is below 2. */
static inline float
dither(uint32_t position, uint32_t shift)
{
	return (float) (int32_t) ((position * 2654435769u + shift) >> 9) * 0x1p-23f;
}

/* g and h of a block as packed integers. */
GBDT_CLONES void
ml_gbdt_pack_block(const float *restrict g, const float *restrict h, size_t first, size_t n,
				   uint32_t shift, float g_scale, float h_scale, int32_t *restrict packed)
{
	for (size_t i = 0; i < n; i++)
	{
		float u = dither((uint32_t) (first + i), shift);
		int32_t g_int = (int32_t) (g[i] * g_scale + 32768.0f + u) - 32768;
		int32_t h_int = (int32_t) (h[i] * h_scale + u);

		packed[i] = ml_gbdt_pack_row(g_int, h_int);
	}
}

/* Gradients, hessians and losses of a block of the logistic loss, weights aside. */
GBDT_CLONES static void
logistic_block(const float *restrict s, const float *restrict y, size_t n, float *restrict g,
			   float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float size = s[i] < 0 ? -s[i] : s[i];
		float t = exp_negative(-size);
		float q = 1.0f / (1.0f + t);
		float p = s[i] < 0 ? t * q : q;

		g[i] = p - y[i];
		h[i] = t * q * q;
		loss[i] = (s[i] > 0 ? s[i] : 0.0f) - s[i] * y[i] + log_1p(t);
	}
}

/* The same of the squared error. */
GBDT_CLONES static void
squared_block(const float *restrict s, const float *restrict y, size_t n, float *restrict g,
			  float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		g[i] = s[i] - y[i];
		h[i] = 1.0f;
		loss[i] = g[i] * g[i];
	}
}

/* The same of the absolute error. */
GBDT_CLONES static void
absolute_block(const float *restrict s, const float *restrict y, size_t n, float *restrict g,
			   float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float d = s[i] - y[i];

		g[i] = (d > 0 ? 1.0f : 0.0f) - (d < 0 ? 1.0f : 0.0f);
		h[i] = 1.0f;
		loss[i] = d < 0 ? -d : d;
	}
}

/* The same of Huber's loss. */
GBDT_CLONES static void
huber_block(float alpha, const float *restrict s, const float *restrict y, size_t n,
			float *restrict g, float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float d = s[i] - y[i], cut = d > alpha ? alpha : d;

		cut = cut < -alpha ? -alpha : cut;
		g[i] = cut;
		h[i] = 1.0f;
		loss[i] = cut * (d - 0.5f * cut);
	}
}

/* The same of a quantile's loss. */
GBDT_CLONES static void
quantile_block(float alpha, const float *restrict s, const float *restrict y, size_t n,
			   float *restrict g, float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float d = s[i] - y[i];

		g[i] = d < 0 ? -alpha : 1.0f - alpha;
		h[i] = 1.0f;
		loss[i] = d * g[i];
	}
}

/* The same of counts; widen: e^c. */
GBDT_CLONES static void
poisson_block(float widen, const float *restrict s, const float *restrict y, size_t n,
			  float *restrict g, float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float mean = exp_bounded(s[i]);

		g[i] = mean - y[i];
		h[i] = mean * widen;
		loss[i] = mean - y[i] * s[i];
	}
}

/* The same of Tweedie's distribution. */
GBDT_CLONES static void
tweedie_block(float power, const float *restrict s, const float *restrict y, size_t n,
			  float *restrict g, float *restrict h, float *restrict loss)
{
	const float r1 = 1.0f - power, r2 = 2.0f - power;

	for (size_t i = 0; i < n; i++)
	{
		float a = y[i] * exp_bounded(r1 * s[i]), b = exp_bounded(r2 * s[i]);

		g[i] = b - a;
		h[i] = r2 * b - r1 * a;
		loss[i] = b / r2 - a / r1;
	}
}

/* Gradients, hessians and losses of n rows of a loss with one output, weights aside. */
void
ml_gbdt_loss_block(const GbdtObjective *o, const float *s, const float *y, size_t n, float *g,
				   float *h, float *loss)
{
	switch (o->loss)
	{
		case GBDT_LOGISTIC:
			logistic_block(s, y, n, g, h, loss);
			break;
		case GBDT_ABSOLUTE:
			absolute_block(s, y, n, g, h, loss);
			break;
		case GBDT_HUBER:
			huber_block(o->alpha, s, y, n, g, h, loss);
			break;
		case GBDT_QUANTILE:
			quantile_block(o->alpha, s, y, n, g, h, loss);
			break;
		case GBDT_POISSON:
			poisson_block(o->widen, s, y, n, g, h, loss);
			break;
		case GBDT_TWEEDIE:
			tweedie_block(o->power, s, y, n, g, h, loss);
			break;
		case GBDT_SQUARED:
		case GBDT_SOFTMAX:
			squared_block(s, y, n, g, h, loss);
			break;
	}
}

/* sum += e^(s - top) */
GBDT_CLONES void
ml_gbdt_add_exp_block(const float *restrict s, const float *restrict top, size_t n,
					  float *restrict sum)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += exp_negative(s[i] - top[i]);
}

GBDT_CLONES void
ml_gbdt_max_block(const float *restrict s, size_t n, float *restrict top)
{
	for (size_t i = 0; i < n; i++)
		top[i] = s[i] > top[i] ? s[i] : top[i];
}

/* Gradients of one class. */
GBDT_CLONES void
ml_gbdt_softmax_block(const float *restrict s, const float *restrict log_sum,
					  const float *restrict y, float k, float factor, size_t n, float *restrict g,
					  float *restrict h)
{
	for (size_t i = 0; i < n; i++)
	{
		float d = s[i] - log_sum[i];
		float p = exp_negative(d > 0 ? 0 : d);

		g[i] = p - (y[i] == k ? 1.0f : 0.0f);
		h[i] = p * (1.0f - p) * factor;
	}
}

GBDT_CLONES void
ml_gbdt_scale_block(const float *restrict w, size_t n, float *restrict values)
{
	for (size_t i = 0; i < n; i++)
		values[i] *= w[i];
}

/* The sum of a block, GBDT_LANES partial sums side by side. */
GBDT_CLONES double
ml_gbdt_sum_block(const float *values, size_t n)
{
	float lanes[GBDT_LANES] = {0};
	double sum = 0;

	for (size_t i = 0; i < n; i += GBDT_LANES)
	{
		for (int l = 0; l < GBDT_LANES; l++)
			lanes[l] += values[i + (size_t) l];
	}
	for (int l = 0; l < GBDT_LANES; l++)
		sum += lanes[l];
	return sum;
}

GBDT_CLONES float
ml_gbdt_max_size_block(const float *values, size_t n)
{
	float lanes[GBDT_LANES] = {0}, max = 0;

	for (size_t i = 0; i < n; i += GBDT_LANES)
	{
		for (int l = 0; l < GBDT_LANES; l++)
		{
			float size = values[i + (size_t) l];

			size = size < 0 ? -size : size;
			lanes[l] = size > lanes[l] ? size : lanes[l];
		}
	}
	for (int l = 0; l < GBDT_LANES; l++)
		max = lanes[l] > max ? lanes[l] : max;
	return max;
}

/* The sum of squares of a block. */
GBDT_CLONES double
ml_gbdt_sum_squares_block(const float *values, size_t n)
{
	double lanes[GBDT_LANES] = {0}, sum = 0;

	for (size_t i = 0; i < n; i += GBDT_LANES)
	{
		for (int l = 0; l < GBDT_LANES; l++)
			lanes[l] += (double) values[i + (size_t) l] * (double) values[i + (size_t) l];
	}
	for (int l = 0; l < GBDT_LANES; l++)
		sum += lanes[l];
	return sum;
}
