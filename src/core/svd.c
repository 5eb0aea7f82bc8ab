/*
 * svd.c
 *		One-sided Jacobi: rotate pairs of columns until all are orthogonal.
 *
 * A sweep visits every pair once, in the order of a round-robin tournament (Brent and
 * Luk 1985): the pairs of a round have no column in common, so that they may be
 * rotated on several threads with the same result. Columns are scaled by a power of
 * two, so that no square overflows.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/pool.h"
#include "core/svd.h"
#include "core/vmath.h"

#define SWEEPS_MAX 60
#define LANES 8
#define TASK_PRODUCTS 200000.0 /* some 50 microseconds: what waking a thread is worth */

typedef double Reals __attribute__((vector_size(8 * LANES)));

typedef struct Sweep
{
	double *b;
	size_t length, n, players, round, task_pairs;
	bool *rotated; /* by task */
} Sweep;

/* x'x, y'y and x'y, lane by lane and then in order. */
ML_CLONES static void
products(const double *x, const double *y, size_t n, double *out)
{
	Reals xx = {0}, yy = {0}, xy = {0};
	double a = 0, b = 0, c = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
	{
		Reals u, v;

		memcpy(&u, x + i, sizeof u);
		memcpy(&v, y + i, sizeof v);
		xx += u * u;
		yy += v * v;
		xy += u * v;
	}
	for (int l = 0; l < LANES; l++)
	{
		a += xx[l];
		b += yy[l];
		c += xy[l];
	}
	for (; i < n; i++)
	{
		a += x[i] * x[i];
		b += y[i] * y[i];
		c += x[i] * y[i];
	}
	out[0] = a;
	out[1] = b;
	out[2] = c;
}

ML_CLONES static void
rotate(double *x, double *y, size_t n, double c, double s)
{
	for (size_t i = 0; i < n; i++)
	{
		double u = x[i], v = y[i];

		x[i] = c * u - s * v;
		y[i] = s * u + c * v;
	}
}

/* Make two columns orthogonal; false: they are. */
static bool
rotate_pair(const Sweep *s, size_t i, size_t j)
{
	double *x = s->b + i * s->length, *y = s->b + j * s->length, p[3], zeta, t, c;

	products(x, y, s->length, p);
	if (fabs(p[2]) <= 4 * DBL_EPSILON * sqrt(p[0]) * sqrt(p[1]))
		return false;
	zeta = (p[1] - p[0]) / (2 * p[2]);
	t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
	c = 1 / sqrt(1 + t * t);
	rotate(x, y, s->length, c, c * t);
	return true;
}

/* Some pairs of a round: player 0 stays, the others move on by one each round. */
static void
play(void *arg, size_t task, int worker)
{
	const Sweep *s = arg;
	size_t m = s->players, end = ML_MIN((task + 1) * s->task_pairs, m / 2);

	(void) worker;
	for (size_t k = task * s->task_pairs; k < end; k++)
	{
		size_t i = k == 0 ? 0 : 1 + (k - 1 + s->round) % (m - 1);
		size_t j = 1 + (m - 2 - k + s->round) % (m - 1);

		if (i < s->n && j < s->n)
			s->rotated[task] |= rotate_pair(s, ML_MIN(i, j), ML_MAX(i, j));
	}
}

/* Sweeps until nothing is rotated. */
static MlStatus
run_sweeps(MlEnv *env, Sweep *s, size_t n_tasks)
{
	for (int sweep = 0; sweep < SWEEPS_MAX; sweep++)
	{
		bool any = false;

		memset(s->rotated, 0, n_tasks * sizeof(bool));
		for (s->round = 0; s->round + 1 < s->players; s->round++)
			ML_TRY(ml_pool_run(env, n_tasks, play, s));
		for (size_t task = 0; task < n_tasks; task++)
			any |= s->rotated[task];
		if (!any)
			return ML_OK;
	}
	return ML_OK; /* what is left is below what rounding makes */
}

/* Sort columns by falling norm (insertion of whole columns by swaps), and scale them to length one. */
static void
sort_columns(double *b, size_t length, size_t n, double *sigma, size_t *rank)
{
	double greatest = 0;

	for (size_t i = 0; i < n; i++)
	{
		double p[3];

		products(b + i * length, b + i * length, length, p);
		sigma[i] = sqrt(p[0]);
		greatest = fmax(greatest, sigma[i]);
	}
	*rank = 0;
	for (size_t i = 0; i < n; i++)
	{
		size_t best = i;

		for (size_t j = i + 1; j < n; j++)
		{
			if (sigma[j] > sigma[best])
				best = j;
		}
		if (best != i)
		{
			double t = sigma[i];

			sigma[i] = sigma[best];
			sigma[best] = t;
			for (size_t k = 0; k < length; k++)
			{
				double u = b[i * length + k];

				b[i * length + k] = b[best * length + k];
				b[best * length + k] = u;
			}
		}
		if (sigma[i] > greatest * DBL_EPSILON * (double) ML_MAX(n, length))
			*rank = i + 1;
		for (size_t k = 0; k < length && sigma[i] > 0; k++)
			b[i * length + k] /= sigma[i];
	}
}

/* The power of two that brings the largest element to about one; 0 when all are zero. */
static double
scale_of(const double *b, size_t n)
{
	double greatest = 0;
	int exponent;

	for (size_t i = 0; i < n; i++)
		greatest = fmax(greatest, fabs(b[i]));
	if (!(greatest > 0))
		return 0;
	frexp(greatest, &exponent);
	return ldexp(1, ML_MAX(ML_MIN(-exponent, 1000), -1000));
}

MlStatus
ml_svd_left(MlEnv *env, double *b, size_t length, size_t n, double *sigma, size_t *rank)
{
	Sweep s = {.b = b, .length = length, .n = n, .players = n + n % 2};
	double scale = scale_of(b, length * n);
	size_t n_tasks;
	MlStatus status;

	*rank = 0;
	memset(sigma, 0, n * sizeof(double));
	if (scale == 0)
		return ML_OK;
	for (size_t i = 0; i < length * n; i++)
		b[i] *= scale;
	s.task_pairs = (size_t) fmax(1, TASK_PRODUCTS / (8.0 * (double) length));
	n_tasks = (s.players / 2 + s.task_pairs - 1) / s.task_pairs;
	s.rotated = ml_alloc_array(env, n_tasks + 1, sizeof(bool));
	if (!s.rotated)
		return ML_ENOMEM;
	status = n > 1 ? run_sweeps(env, &s, n_tasks) : ML_OK;
	if (status == ML_OK)
		sort_columns(b, length, n, sigma, rank);
	for (size_t i = 0; i < n; i++)
		sigma[i] /= scale;
	ml_free(env, s.rotated);
	return status;
}
