/*
 * silhouette.c
 *		Silhouettes from all pairs of points.
 *
 * Points are laid out by column in tiles of eight, so that a vector holds the
 * distances of one point to eight others. Each task takes a few points and writes
 * their silhouettes; these are summed in order.
 */
#include <math.h>
#include <string.h>

#include "core/pool.h"
#include "core/silhouette.h"
#include "core/vmath.h"

#define LANES 8
#define TASK_PRODUCTS 2e6 /* some 2 ms */

typedef double Reals __attribute__((vector_size(8 * LANES)));

typedef struct Job
{
	const MlSilhouettePoints *points;
	size_t n_tiles, task_points;
	double *tile;  /* [(t * width + j) * LANES + lane] */
	double *size;  /* points of each cluster, by count */
	double *sum;   /* n_labels of each worker: distances of a point to each cluster */
	double *score; /* of each point */
} Job;

/* The distances of a point to the eight points of a tile. */
ML_CLONES static void
tile_distances(const double *point, const double *tile, size_t width, double *out)
{
	Reals sum = {0};

	for (size_t j = 0; j < width; j++)
	{
		Reals d;

		memcpy(&d, tile + j * LANES, sizeof d);
		d -= point[j];
		sum += d * d;
	}
	for (int l = 0; l < LANES; l++)
		out[l] = sqrt(sum[l]);
}

/* (b - a) / max(a, b) of a point, whose summed distances to the clusters are known. */
static double
score_of(const Job *job, size_t i, const double *sum)
{
	const MlSilhouettePoints *p = job->points;
	uint32_t own = p->label[i];
	double a, b = INFINITY;

	if (!(job->size[own] > 1))
		return 0;
	a = sum[own] / (job->size[own] - 1);
	for (uint32_t k = 0; k < p->n_labels; k++)
	{
		if (k != own && job->size[k] > 0)
			b = fmin(b, sum[k] / job->size[k]);
	}
	return fmax(a, b) > 0 ? (b - a) / fmax(a, b) : 0;
}

static void
score_points(void *arg, size_t task, int worker)
{
	const Job *job = arg;
	const MlSilhouettePoints *p = job->points;
	double *sum = job->sum + (size_t) worker * p->n_labels;
	size_t first = task * job->task_points, end = ML_MIN(first + job->task_points, p->n);

	for (size_t i = first; i < end; i++)
	{
		memset(sum, 0, p->n_labels * sizeof(double));
		for (size_t t = 0; t < job->n_tiles; t++)
		{
			double distance[LANES];
			size_t n = ML_MIN((size_t) LANES, p->n - t * LANES);

			tile_distances(p->x + i * p->width, job->tile + t * p->width * LANES, p->width,
						   distance);
			for (size_t l = 0; l < n; l++)
				sum[p->label[t * LANES + l]] +=
					distance[l] * (p->count ? p->count[t * LANES + l] : 1);
		}
		job->score[i] = score_of(job, i, sum);
	}
}

/* Lay out the tiles, and count the clusters. */
static void
lay_out(Job *job)
{
	const MlSilhouettePoints *p = job->points;

	for (size_t i = 0; i < p->n; i++)
	{
		double *tile = job->tile + i / LANES * p->width * LANES + i % LANES;

		for (size_t j = 0; j < p->width; j++)
			tile[j * LANES] = p->x[i * p->width + j];
		job->size[p->label[i]] += p->count ? p->count[i] : 1;
	}
}

static MlStatus
run(MlEnv *env, Job *job, double *mean)
{
	const MlSilhouettePoints *p = job->points;
	double sum = 0, total = 0;
	size_t clusters = 0;

	lay_out(job);
	*mean = NAN;
	for (uint32_t k = 0; k < p->n_labels; k++)
		clusters += job->size[k] > 0;
	if (clusters < 2)
		return ML_OK;
	ML_TRY(ml_pool_run(env, (p->n + job->task_points - 1) / job->task_points, score_points, job));
	for (size_t i = 0; i < p->n; i++)
	{
		double count = p->count ? p->count[i] : 1;

		sum += count * job->score[i];
		total += count;
	}
	*mean = sum / total;
	return ML_OK;
}

MlStatus
ml_silhouette(MlEnv *env, const MlSilhouettePoints *points, double *mean)
{
	Job job = {.points = points, .n_tiles = (points->n + LANES - 1) / LANES};
	size_t workers = (size_t) ml_pool_size(ml_env_pool(env));
	double work = ((double) points->width + 8) * (double) points->n;
	MlStatus status = ML_ENOMEM;

	job.task_points = (size_t) fmax(1, TASK_PRODUCTS / fmax(work, 1));
	job.tile = ml_zalloc_array(env, job.n_tiles + 1, (points->width + 1) * LANES * sizeof(double));
	job.size = ml_zalloc_array(env, (size_t) points->n_labels + 1, sizeof(double));
	job.sum = ml_alloc_array(env, workers, ((size_t) points->n_labels + 1) * sizeof(double));
	job.score = ml_alloc_array(env, points->n + 1, sizeof(double));
	if (job.tile && job.size && job.sum && job.score)
		status = run(env, &job, mean);
	ml_free(env, job.score);
	ml_free(env, job.sum);
	ml_free(env, job.size);
	ml_free(env, job.tile);
	return status;
}
