/*
 * kmeans_seed.c
 *		Seeds by greedy k-means++ (Arthur and Vassilvitskii 2007).
 *
 * Each next center is a row drawn with probability proportional to its weight
 * times its squared distance to the centers so far (the *potential* is the sum of
 * that). Of 2 + log k rows drawn so, the one that leaves the least potential is
 * taken, as in the authors' remark and in scikit-learn.
 *
 * Potentials are summed block by block, so that drawing looks at one block only
 * and sums do not depend on the number of threads.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"
#include "core/pool.h"

#define TRIALS_MAX 12 /* 2 + log(1000) = 8.9 */
#define TASK_ROWS 2048

typedef struct Seeding
{
	MlKmeansRun *run;
	uint32_t n_trials;
	MlKmeansCenters packed;
	double *point; /* of the trials: n_trials * n_columns */
	double *
		potential; /* by block and trial: [block * n_trials + t]; [0] of the closest when drawing */
	double *block_sum; /* by block: w times the squared distance to the nearest center */
	size_t task_blocks;
} Seeding;

/* The squared distance of a score; never below zero. */
static inline double
squared(double norm, double score)
{
	double d = norm + 2 * score;

	return d > 0 ? d : 0;
}

/* What each trial would leave, for some blocks. */
static void
try_blocks(void *arg, size_t task, int worker)
{
	const Seeding *s = arg;
	const MlKmeansRows *rows = s->run->rows;
	double *score = s->run->scratch + (size_t) worker * s->run->scratch_stride;
	size_t n = rows->block, first = task * s->task_blocks;

	for (size_t block = first; block < ML_MIN(first + s->task_blocks, rows->n_blocks); block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);

		for (uint32_t t = 0; t < s->n_trials; t++)
		{
			double sum = 0;

			if (t % ML_KMEANS_GROUP == 0)
				ml_kmeans_scores(rows, &b, &s->packed, t / ML_KMEANS_GROUP, score);
			for (size_t i = 0; i < b.n; i++)
			{
				double d = squared(b.norm[i], score[t % ML_KMEANS_GROUP * n + i]);

				sum += b.weight[i] * (d < b.closest[i] ? d : b.closest[i]);
			}
			s->potential[block * s->n_trials + t] = sum;
		}
	}
}

/* Take the first trial as a center: distances to the nearest one, and their sums by block. */
static void
take_blocks(void *arg, size_t task, int worker)
{
	const Seeding *s = arg;
	const MlKmeansRows *rows = s->run->rows;
	double *score = s->run->scratch + (size_t) worker * s->run->scratch_stride;
	size_t first = task * s->task_blocks;

	for (size_t block = first; block < ML_MIN(first + s->task_blocks, rows->n_blocks); block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);
		double sum = 0;

		ml_kmeans_scores(rows, &b, &s->packed, 0, score);
		for (size_t i = 0; i < b.n; i++)
		{
			double d = squared(b.norm[i], score[i]);

			b.closest[i] = d < b.closest[i] ? d : b.closest[i];
			sum += b.weight[i] * b.closest[i];
		}
		s->block_sum[block] = sum;
	}
}

static MlStatus
run_blocks(const Seeding *s, MlTaskFn fn)
{
	size_t n_tasks = (s->run->rows->n_blocks + s->task_blocks - 1) / s->task_blocks;

	return ml_pool_run(s->run->env, n_tasks, fn, (void *) s);
}

/* Make the first point a center. */
static MlStatus
take_point(Seeding *s, uint32_t cluster, uint32_t trial)
{
	size_t columns = s->run->space->n_columns;
	const double *point = s->point + trial * columns;

	memcpy(s->run->center + cluster * columns, point, columns * sizeof(double));
	memmove(s->point, point, columns * sizeof(double));
	ml_kmeans_centers_set(s->run->space, &s->packed, s->point);
	return run_blocks(s, take_blocks);
}

/* A row drawn by weight times closest: the block by its sum, then the row within. */
static size_t
draw_row(const Seeding *s, double total, MlRng *rng)
{
	const MlKmeansRows *rows = s->run->rows;
	double left = ml_rng_uniform(rng) * total;
	size_t block = 0, last = rows->n - 1;
	MlKmeansBlock b;

	while (block + 1 < rows->n_blocks && left >= s->block_sum[block])
		left -= s->block_sum[block++];
	b = ml_kmeans_block(rows, block);
	for (size_t i = 0; i < b.n; i++)
	{
		double share = b.weight[i] * b.closest[i];

		if (share > 0)
			last = block * rows->block + i;
		if (left < share)
			return last;
		left -= share;
	}
	return last;
}

static double
sum_blocks(const Seeding *s)
{
	double total = 0;

	for (size_t block = 0; block < s->run->rows->n_blocks; block++)
		total += s->block_sum[block];
	return total;
}

/* Draw the trials, and return the one that leaves the least potential; the first of equals. */
static MlStatus
best_trial(Seeding *s, MlRng *rng, uint32_t *best)
{
	const MlKmeansRows *rows = s->run->rows;
	size_t columns = s->run->space->n_columns;
	double total = sum_blocks(s), least = INFINITY;

	for (uint32_t t = 0; t < s->n_trials; t++)
		ml_kmeans_point(rows, draw_row(s, total, rng), s->point + t * columns);
	ml_kmeans_centers_set(s->run->space, &s->packed, s->point);
	ML_TRY(run_blocks(s, try_blocks));
	*best = 0;
	for (uint32_t t = 0; t < s->n_trials; t++)
	{
		double sum = 0;

		for (size_t block = 0; block < rows->n_blocks; block++)
			sum += s->potential[block * s->n_trials + t];
		if (sum < least)
		{
			least = sum;
			*best = t;
		}
	}
	return ML_OK;
}

/* The first center: a row drawn by weight. */
static MlStatus
take_first(Seeding *s, MlRng *rng)
{
	const MlKmeansRows *rows = s->run->rows;

	for (size_t block = 0; block < rows->n_blocks; block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);

		s->block_sum[block] = 0;
		for (size_t i = 0; i < b.n; i++)
		{
			b.closest[i] = 1;
			s->block_sum[block] += b.weight[i];
		}
	}
	ml_kmeans_point(rows, draw_row(s, sum_blocks(s), rng), s->point);
	for (size_t block = 0; block < rows->n_blocks; block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);

		for (size_t i = 0; i < b.n; i++)
			b.closest[i] = INFINITY;
	}
	return take_point(s, 0, 0);
}

static MlStatus
seed(Seeding *s, MlRng *rng)
{
	ML_TRY(take_first(s, rng));
	for (uint32_t k = 1; k < s->run->k; k++)
	{
		uint32_t best;

		if (!isfinite(sum_blocks(s)))
			return ml_fail(s->run->env, ML_EDATA,
						   "the rows are too far apart: the sum of squared distances overflows");
		ML_TRY(best_trial(s, rng, &best));
		ML_TRY(take_point(s, k, best));
	}
	return ML_OK;
}

MlStatus
ml_kmeans_seed(MlKmeansRun *run, MlRng *rng)
{
	MlEnv *env = run->env;
	size_t n_blocks = run->rows->n_blocks;
	Seeding s = {.run = run, .n_trials = 2 + (uint32_t) log((double) run->k)};
	MlStatus status;

	s.n_trials = ML_MIN(s.n_trials, TRIALS_MAX);
	s.task_blocks = ML_MAX(TASK_ROWS / run->rows->block, (size_t) 1);
	s.point = ml_zalloc_array(env, s.n_trials, ML_MAX(run->space->n_columns, 1) * sizeof(double));
	s.potential = ml_alloc_array(env, n_blocks, s.n_trials * sizeof(double));
	s.block_sum = ml_alloc_array(env, n_blocks, sizeof(double));
	status = s.point && s.potential && s.block_sum ? ML_OK : ML_ENOMEM;
	if (status == ML_OK)
		status = ml_kmeans_centers_create(env, run->space, s.n_trials, &s.packed);
	if (status == ML_OK)
		status = seed(&s, rng);
	ml_kmeans_centers_free(env, &s.packed);
	ml_free(env, s.block_sum);
	ml_free(env, s.potential);
	ml_free(env, s.point);
	return status;
}
