/*
 * kmeans_batch.c
 *		Mini-batch iterations (Sculley 2010): for more rows than one wants to read many times.
 *
 * A batch is drawn with replacement; each center moves to the mean of all rows
 * that it was given so far, in all batches. Only one batch is in memory. The
 * iterations end after max_iter times the number of rows, or when the smoothed
 * inertia of a batch has not improved for a while, as in scikit-learn.
 */
#include <math.h>
#include <stdlib.h>

#include "algo/kmeans/kmeans.h"

#define PATIENCE 10 /* batches without improvement */
#define LINES_MAX 1000

typedef struct Batches
{
	MlKmeansRun *run;
	const MlRows *all;
	MlRng *rng;
	uint32_t *index; /* of the batch */
	size_t n;
	double *weight; /* that each center was given so far */
} Batches;

static int
compare_rows(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* Draw a batch and read it: ascending, which the frame reads fastest. */
static MlStatus
draw_batch(Batches *s)
{
	MlRows rows = {s->index, s->n};

	for (size_t i = 0; i < s->n; i++)
	{
		size_t row = (size_t) ml_rng_below(s->rng, s->all->n);

		s->index[i] = s->all->index ? s->all->index[row] : (uint32_t) row;
	}
	qsort(s->index, s->n, sizeof(uint32_t), compare_rows);
	return ml_kmeans_rows_read(s->run->rows, &rows, 0, s->n);
}

/* Move the centers to the means of what they were given; returns the summed squared moves. */
static double
move_centers(Batches *s)
{
	MlKmeansRun *run = s->run;
	size_t columns = run->space->n_columns;
	const double *weight = run->total + run->k * columns;
	double moves = 0;

	for (uint32_t k = 0; k < run->k; k++)
	{
		double *center = run->center + k * columns;
		const double *sum = run->total + k * columns;

		s->weight[k] += weight[k];
		for (size_t c = 0; c < columns && weight[k] > 0; c++)
		{
			double move = (sum[c] - weight[k] * center[c]) / s->weight[k];

			center[c] += move;
			moves += move * move;
		}
	}
	return moves;
}

static MlStatus
run_batches(Batches *s, const MlKmeansOptions *o)
{
	MlKmeansRun *run = s->run;
	double n = (double) s->all->n, batch = (double) s->n;
	double steps = fmin(ceil(n / batch) * o->max_iter, 1e9), smooth = NAN, least = INFINITY;
	double alpha = fmin(1, 2 * batch / (n + 1)), limit = o->tol * ml_kmeans_variance(run);
	int thin = (int) ceil(steps / LINES_MAX), waited = 0;

	run->converged = false;
	run->n_lines = 0;
	run->anew = true;
	for (int step = 0; step < (int) steps && !run->converged; step++)
	{
		double inertia, moves;

		ML_TRY(draw_batch(s));
		ML_TRY(ml_kmeans_assign(run));
		inertia = run->total[(size_t) run->k * run->space->n_columns + run->k] / run->rows->weight;
		moves = move_centers(s);
		if (!isfinite(moves) || !isfinite(inertia))
			return ml_fail(run->env, ML_EDATA,
						   "the rows are too far apart: the sum of squared distances overflows");
		if (step % thin == 0)
			ML_TRY(ml_kmeans_add_line(run, inertia * n, moves, (int) (steps / thin), true));
		smooth = step == 0 ? inertia : smooth * (1 - alpha) + inertia * alpha;
		waited = smooth < least ? 0 : waited + 1;
		least = fmin(least, smooth);
		run->converged = waited >= PATIENCE || moves <= limit;
	}
	return ML_OK;
}

MlStatus
ml_kmeans_batches(MlKmeansRun *run, const MlRows *all, const MlKmeansOptions *o, MlRng *rng)
{
	Batches s = {.run = run, .all = all, .rng = rng, .n = o->batch_size};
	MlStatus status = ML_ENOMEM;

	s.index = ml_alloc_array(run->env, s.n, sizeof(uint32_t));
	s.weight = ml_zalloc_array(run->env, run->k, sizeof(double));
	if (s.index && s.weight)
		status = run_batches(&s, o);
	ml_free(run->env, s.weight);
	ml_free(run->env, s.index);
	return status;
}
