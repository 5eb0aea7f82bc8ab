/*
 * kmeans_kernel.c
 *		Scores of centers: the inner loop of everything.
 *
 * Eight rows against four centers: four sums stay in registers while the columns
 * go by. Each lane is a row, so that the width of a CPU's vectors changes nothing.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"
#include "core/vmath.h"

#define GROUP ML_KMEANS_GROUP
#define LANES ML_KMEANS_LANES

typedef double Reals __attribute__((vector_size(8 * LANES)));
typedef double LooseReals __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

#define LOAD(p) (*(const LooseReals *) (p))
#define STORE(p, v) (*(LooseReals *) (p) = (v))
#define ALL(value) ((Reals){0} + (value))

MlStatus
ml_kmeans_centers_create(MlEnv *env, const MlKmeansSpace *space, uint32_t n,
						 MlKmeansCenters *centers)
{
	size_t groups = (n + GROUP - 1) / GROUP;

	centers->n = n;
	centers->n_groups = (uint32_t) groups;
	centers->half = ml_zalloc_array(env, groups, GROUP * sizeof(double));
	centers->dense =
		ml_zalloc_array(env, groups * ML_MAX(space->n_dense, 1), GROUP * sizeof(double));
	centers->level =
		ml_zalloc_array(env, groups * ((size_t) space->n_levels + 1), GROUP * sizeof(double));
	return centers->half && centers->dense && centers->level ? ML_OK : ML_ENOMEM;
}

void
ml_kmeans_centers_free(MlEnv *env, MlKmeansCenters *centers)
{
	ml_free(env, centers->level);
	ml_free(env, centers->dense);
	ml_free(env, centers->half);
}

void
ml_kmeans_centers_set(const MlKmeansSpace *space, MlKmeansCenters *centers, const double *point)
{
	for (uint32_t k = 0; k < centers->n_groups * GROUP; k++)
	{
		size_t g = k / GROUP, q = k % GROUP;
		const double *from = point + (size_t) k * space->n_columns;
		double sum = 0;

		centers->half[k] = INFINITY;
		if (k >= centers->n)
			continue;
		for (uint32_t j = 0; j < space->n_dense; j++)
			centers->dense[(g * space->n_dense + j) * GROUP + q] = from[j];
		for (uint32_t l = 0; l < space->n_levels; l++)
			centers->level[(g * ((size_t) space->n_levels + 1) + l) * GROUP + q] =
				from[space->n_dense + l];
		for (uint32_t c = 0; c < space->n_columns; c++)
			sum += from[c] * from[c];
		centers->half[k] = sum / 2;
	}
}

/* A tile of eight rows: to out, whose centers are stride apart. */
static inline __attribute__((always_inline)) void
score_tile(const double *x, size_t n_dense, const double *half, const double *center, size_t stride,
		   double *out)
{
	Reals a = ALL(half[0]), b = ALL(half[1]), c = ALL(half[2]), d = ALL(half[3]);

	for (size_t j = 0; j < n_dense; j++)
	{
		Reals value = LOAD(x + j * LANES);

		a -= value * center[j * GROUP];
		b -= value * center[j * GROUP + 1];
		c -= value * center[j * GROUP + 2];
		d -= value * center[j * GROUP + 3];
	}
	STORE(out, a);
	STORE(out + stride, b);
	STORE(out + 2 * stride, c);
	STORE(out + 3 * stride, d);
}

ML_CLONES static void
score_numbers(const double *x, size_t n, size_t n_dense, const double *half, const double *center,
			  double *out)
{
	for (size_t i = 0; i < n; i += LANES)
		score_tile(x + i * n_dense, n_dense, half, center, n, out + i);
}

/* The scores of the levels: each active column takes its coordinate away. */
static void
score_levels(const uint32_t *level, size_t n, const double *center, double *out)
{
	for (size_t i = 0; i < n; i++)
	{
		const double *c = center + (size_t) level[i] * GROUP;

		for (size_t q = 0; q < GROUP; q++)
			out[q * n + i] -= c[q];
	}
}

void
ml_kmeans_scores(const MlKmeansRows *rows, const MlKmeansBlock *b, const MlKmeansCenters *centers,
				 uint32_t g, double *out)
{
	const MlKmeansSpace *space = rows->space;
	const double *level = centers->level + g * ((size_t) space->n_levels + 1) * GROUP;
	size_t n = rows->block;

	score_numbers(b->x, n, space->n_dense, centers->half + (size_t) g * GROUP,
				  centers->dense + (size_t) g * space->n_dense * GROUP, out);
	for (uint32_t f = 0; f < space->design->n_factors; f++)
		score_levels(b->level + f * n, n, level, out);
}

/* Take over the scores of center k where they are less. */
ML_CLONES static void
take_less(const double *score, size_t n, uint32_t k, double *least, uint32_t *label)
{
	for (size_t i = 0; i < n; i++)
	{
		bool less = score[i] < least[i];

		label[i] = less ? k : label[i];
		least[i] = less ? score[i] : least[i];
	}
}

void
ml_kmeans_nearest(const MlKmeansRows *rows, const MlKmeansBlock *b, const MlKmeansCenters *centers,
				  double *scratch, uint32_t *label, double *score)
{
	size_t n = rows->block;

	for (size_t i = 0; i < n; i++)
	{
		label[i] = 0;
		score[i] = INFINITY;
	}
	for (uint32_t g = 0; g < centers->n_groups; g++)
	{
		ml_kmeans_scores(rows, b, centers, g, scratch);
		for (uint32_t q = 0; q < GROUP && g * GROUP + q < centers->n; q++)
			take_less(scratch + q * n, n, g * GROUP + q, score, label);
	}
}
