/*
 * kmeans_lloyd.c
 *		Lloyd's iterations: assign each row to the nearest center, move the centers to the means.
 *
 * The rows are divided among a fixed number of parts, each with its sums by
 * cluster; the parts are added in order, so that the sums do not depend on the
 * number of threads. A row that changes its cluster moves from one sum to the
 * other; every REFRESH iterations the sums are made anew, so that rounding does
 * not add up. Parts advance in rounds of a few milliseconds, because cancel is
 * polled between tasks.
 *
 * A cluster without rows gets the row that is farthest from its center, as in
 * scikit-learn. The iterations end when no row changes, or when the squared moves
 * of the centers sum to at most tol times the mean variance of a column.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"
#include "core/pool.h"
#include "core/vmath.h"

#define PARTS_MAX 32
#define PARTS_MIN 4
#define PARTS_BYTES ((size_t) 32 << 20)
#define REFRESH 16
#define TASK_SECONDS 0.003
#define PRODUCT_SECONDS 0.5e-9 /* of a coordinate and a center, without wide vectors */
#define REDUCE_CHUNK 8192

/* ---- a run */

/* Sums of a part: coordinates by cluster, weights by cluster, inertia, rows that changed. */
static size_t
sums_of(const MlKmeansRun *run)
{
	return (size_t) run->k * run->space->n_columns + run->k + 2;
}

MlStatus
ml_kmeans_run_create(MlKmeansRows *rows, uint32_t k, MlKmeansRun *run)
{
	MlEnv *env = rows->env;
	size_t points = (size_t) k * rows->space->n_columns + 1; /* there may be no column */
	size_t workers = (size_t) ml_pool_size(ml_env_pool(env));

	*run = (MlKmeansRun){.env = env, .space = rows->space, .rows = rows, .k = k};
	run->stride = (sums_of(run) + 15) / 8 * 8; /* parts share no cache line */
	run->parts = ML_MAX(PARTS_BYTES / (run->stride * sizeof(double)), (size_t) PARTS_MIN);
	run->parts = ML_MIN(ML_MIN(run->parts, (size_t) PARTS_MAX), rows->capacity);
	run->scratch_stride = (ML_KMEANS_GROUP + 1) * rows->block;
	run->center = ml_zalloc_array(env, points, sizeof(double));
	run->next = ml_zalloc_array(env, points, sizeof(double));
	run->size = ml_zalloc_array(env, k, sizeof(double));
	run->partial = ml_zalloc_array(env, run->parts, run->stride * sizeof(double));
	run->total = ml_zalloc_array(env, run->stride, sizeof(double));
	run->scratch = ml_alloc_array(env, workers, run->scratch_stride * sizeof(double));
	run->scratch_label = ml_alloc_array(env, workers, rows->block * sizeof(uint32_t));
	if (!run->center || !run->next || !run->size || !run->partial || !run->total || !run->scratch ||
		!run->scratch_label)
		return ML_ENOMEM;
	return ml_kmeans_centers_create(env, run->space, k, &run->packed);
}

void
ml_kmeans_run_free(MlKmeansRun *run)
{
	MlEnv *env = run->env;

	if (!env)
		return;
	ml_kmeans_centers_free(env, &run->packed);
	ml_free(env, run->scratch_label);
	ml_free(env, run->scratch);
	ml_free(env, run->total);
	ml_free(env, run->partial);
	ml_free(env, run->lines);
	ml_free(env, run->size);
	ml_free(env, run->next);
	ml_free(env, run->center);
}

/* ---- a pass over the rows */

typedef void (*VisitFn)(MlKmeansRun *run, MlKmeansBlock *b, double *scratch, uint32_t *label,
						double *sums);

typedef struct Round
{
	MlKmeansRun *run;
	VisitFn visit;
	size_t chunk, round;
} Round;

/* One part's share of a round: consecutive blocks. */
static void
visit_chunk(void *arg, size_t part, int worker)
{
	const Round *round = arg;
	MlKmeansRun *run = round->run;
	size_t n_blocks = run->rows->n_blocks;
	size_t begin = n_blocks * part / run->parts, end = n_blocks * (part + 1) / run->parts;
	size_t first = begin + round->round * round->chunk;

	for (size_t block = first; block < ML_MIN(first + round->chunk, end); block++)
	{
		MlKmeansBlock b = ml_kmeans_block(run->rows, block);

		round->visit(run, &b, run->scratch + (size_t) worker * run->scratch_stride,
					 run->scratch_label + (size_t) worker * run->rows->block,
					 run->partial + part * run->stride);
	}
}

/* Add up the parts for a range of sums. */
static void
reduce_chunk(void *arg, size_t task, int worker)
{
	const MlKmeansRun *run = arg;
	size_t n = sums_of(run), first = task * REDUCE_CHUNK, end = ML_MIN(first + REDUCE_CHUNK, n);

	(void) worker;
	memcpy(run->total + first, run->partial + first, (end - first) * sizeof(double));
	for (size_t part = 1; part < run->parts; part++)
		for (size_t i = first; i < end; i++)
			run->total[i] += run->partial[part * run->stride + i];
}

/* Visit all blocks, with the sums of the parts as they are or, anew, from zero on; then add up. */
static MlStatus
run_pass(MlKmeansRun *run, VisitFn visit)
{
	Round round = {.run = run, .visit = visit};
	const MlKmeansSpace *space = run->space;
	size_t n_blocks = run->rows->n_blocks, longest = (n_blocks + run->parts - 1) / run->parts;
	double width = space->n_dense + space->design->n_factors + 1;
	double seconds =
		PRODUCT_SECONDS * (double) run->rows->block * width * (run->packed.n_groups * 4.0 + 4);

	round.chunk = (size_t) ML_MAX(1.0, TASK_SECONDS / seconds);
	for (size_t part = 0; part < run->parts; part++)
	{
		double *sums = run->partial + part * run->stride;

		if (run->anew)
			memset(sums, 0, sums_of(run) * sizeof(double));
		sums[sums_of(run) - 2] = sums[sums_of(run) - 1] = 0;
	}
	for (round.round = 0; round.round * round.chunk < longest; round.round++)
		ML_TRY(ml_pool_run(run->env, run->parts, visit_chunk, &round));
	return ml_pool_run(run->env, (sums_of(run) + REDUCE_CHUNK - 1) / REDUCE_CHUNK, reduce_chunk,
					   run);
}

/* ---- assignment */

/* Add a row, times weight, to the sums of a cluster. */
static void
add_row(const MlKmeansRun *run, const MlKmeansBlock *b, size_t i, uint32_t cluster, double weight,
		double *sums)
{
	const MlKmeansSpace *space = run->space;
	size_t n = run->rows->block, columns = space->n_columns;
	double *sum = sums + cluster * columns;

	for (uint32_t j = 0; j < space->n_dense; j++)
		sum[j] += weight * b->x[ml_kmeans_cell(space, i, j)];
	for (uint32_t f = 0; f < space->design->n_factors; f++)
	{
		uint32_t level = b->level[f * n + i];

		if (level < space->n_levels)
			sum[space->n_dense + level] += weight;
	}
	sums[run->k * columns + cluster] += weight;
}

/* Assign the rows of a block; those that change move between the sums, or all rows go into empty ones. */
static void
assign_block(MlKmeansRun *run, MlKmeansBlock *b, double *scratch, uint32_t *label, double *sums)
{
	size_t n = run->rows->block, last = sums_of(run) - 1;
	double *score = scratch + ML_KMEANS_GROUP * n, inertia = 0, changes = 0;

	ml_kmeans_nearest(run->rows, b, &run->packed, scratch, label, score);
	for (size_t i = 0; i < b->n; i++)
	{
		double distance = b->norm[i] + 2 * score[i];
		bool changed = label[i] != b->label[i];

		inertia += b->weight[i] * (distance > 0 ? distance : 0);
		changes += changed;
		if (!changed && !run->anew)
			continue;
		if (!run->anew)
			add_row(run, b, i, b->label[i], -b->weight[i], sums);
		add_row(run, b, i, label[i], b->weight[i], sums);
		b->label[i] = label[i];
	}
	sums[last - 1] += inertia;
	sums[last] += changes;
}

MlStatus
ml_kmeans_assign(MlKmeansRun *run)
{
	ml_kmeans_centers_set(run->space, &run->packed, run->center);
	return run_pass(run, assign_block);
}

/* ---- clusters without rows */

/* The row with the greatest squared distance to its center; the first of equals. */
typedef struct Farthest
{
	double distance;
	size_t row;
} Farthest;

/* The squared distance of a row from a center. */
static double
distance_to(const MlKmeansRun *run, size_t row, const double *center, double *point)
{
	double sum = 0;

	ml_kmeans_point(run->rows, row, point);
	for (uint32_t c = 0; c < run->space->n_columns; c++)
		sum += (point[c] - center[c]) * (point[c] - center[c]);
	return sum;
}

/* The farthest row that was not taken before: taken rows have been marked in closest. */
static MlStatus
find_farthest(MlKmeansRun *run, double *point, Farthest *found)
{
	const MlKmeansRows *rows = run->rows;

	*found = (Farthest){0, SIZE_MAX};
	for (size_t block = 0; block < rows->n_blocks; block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);

		ML_TRY(ml_poll(run->env));
		for (size_t i = 0; i < b.n; i++)
		{
			double distance =
				b.closest[i] < 0
					? 0
					: distance_to(run, block * rows->block + i,
								  run->center + (size_t) b.label[i] * run->space->n_columns, point);

			if (distance > found->distance)
				*found = (Farthest){distance, block * rows->block + i};
		}
	}
	return ML_OK;
}

/* Give the cluster the row, in the totals alone: labels follow with the next assignment. */
static void
take_row(MlKmeansRun *run, uint32_t cluster, size_t row)
{
	MlKmeansBlock b = ml_kmeans_block(run->rows, row / run->rows->block);
	size_t i = row % run->rows->block;

	add_row(run, &b, i, b.label[i], -b.weight[i], run->total);
	add_row(run, &b, i, cluster, b.weight[i], run->total);
	b.closest[i] = -1;
}

/* Each empty cluster takes the row that is farthest from its center; none is left when all rows lie on centers. */
static MlStatus
fill_empty(MlKmeansRun *run)
{
	double *weight = run->total + (size_t) run->k * run->space->n_columns, *point = NULL;
	MlStatus status = ML_OK;

	for (uint32_t k = 0; k < run->k && status == ML_OK; k++)
	{
		Farthest farthest;

		if (weight[k] > 0)
			continue;
		if (!point)
		{
			point = ml_alloc_array(run->env, (size_t) run->space->n_columns + 1, sizeof(double));
			if (!point)
				return ML_ENOMEM;
			for (size_t block = 0; block < run->rows->n_blocks; block++)
				memset(ml_kmeans_block(run->rows, block).closest, 0,
					   run->rows->block * sizeof(double));
		}
		status = find_farthest(run, point, &farthest);
		if (status != ML_OK || farthest.row == SIZE_MAX)
			break;
		take_row(run, k, farthest.row);
	}
	ml_free(run->env, point);
	return status;
}

/* ---- iterations */

/* The means of the sums; a cluster that stays empty keeps its center. Returns the summed squared moves. */
static double
move_centers(MlKmeansRun *run)
{
	size_t columns = run->space->n_columns;
	const double *weight = run->total + run->k * columns;
	double moves = 0, *old;

	for (uint32_t k = 0; k < run->k; k++)
	{
		const double *sum = run->total + k * columns, *from = run->center + k * columns;
		double *to = run->next + k * columns;

		for (size_t c = 0; c < columns; c++)
		{
			to[c] = weight[k] > 0 ? sum[c] / weight[k] : from[c];
			moves += (to[c] - from[c]) * (to[c] - from[c]);
		}
	}
	old = run->center;
	run->center = run->next;
	run->next = old;
	return moves;
}

MlStatus
ml_kmeans_add_line(MlKmeansRun *run, double inertia, double moves, int total, bool loud)
{
	MlProgress line = {run->n_lines + 1, total, inertia, NAN};

	ML_TRY(ml_grow(run->env, &run->lines, &run->line_capacity, (size_t) run->n_lines + 1,
				   sizeof(MlKmeansLine)));
	run->lines[run->n_lines++] = (MlKmeansLine){inertia, sqrt(moves)};
	if (loud)
		ml_report(run->env, &line);
	return ML_OK;
}

/* The mean variance of a column, in the space: what tol is measured by. */
double
ml_kmeans_variance(const MlKmeansRun *run)
{
	const MlKmeansSpace *space = run->space;
	double sum = 0;

	for (uint32_t c = 0; c < space->n_dense; c++)
	{
		double deviation = space->design->columns[c].scale * space->factor[c];

		sum += deviation * deviation;
	}
	/* Of a level with share s it is s (1 - s), at most a quarter. */
	sum += 0.25 * space->n_levels;
	return space->n_columns > 0 ? sum / space->n_columns : 0;
}

MlStatus
ml_kmeans_lloyd(MlKmeansRun *run, int max_iter, double tol, bool loud)
{
	double limit = tol * ml_kmeans_variance(run), *inertia = run->total + sums_of(run) - 2;

	run->converged = false;
	run->n_lines = 0;
	for (size_t block = 0; block < run->rows->n_blocks; block++)
		memset(ml_kmeans_block(run->rows, block).label, 0xff,
			   run->rows->block * sizeof(uint32_t)); /* ML_KMEANS_NO_LABEL */
	for (int iteration = 0; iteration < max_iter && !run->converged; iteration++)
	{
		double moves;

		run->anew = iteration % REFRESH == 0;
		ML_TRY(ml_kmeans_assign(run));
		run->converged = inertia[1] == 0;
		ML_TRY(fill_empty(run));
		moves = move_centers(run);
		if (!isfinite(moves) || !isfinite(inertia[0]))
			return ml_fail(run->env, ML_EDATA,
						   "the rows are too far apart: the sum of squared distances overflows");
		ML_TRY(ml_kmeans_add_line(run, inertia[0], moves, max_iter, loud));
		run->converged |= moves <= limit;
	}
	return ML_OK;
}

/* ---- the end */

/* Assign, and add up the squared differences themselves, which keep digits that scores lose. */
static void
measure_block(MlKmeansRun *run, MlKmeansBlock *b, double *scratch, uint32_t *label, double *sums)
{
	const MlKmeansSpace *space = run->space;
	size_t n = run->rows->block;
	double *distance = scratch + ML_KMEANS_GROUP * n, inertia = 0;

	ml_kmeans_nearest(run->rows, b, &run->packed, scratch, label, distance);
	memset(distance, 0, n * sizeof(double));
	for (uint32_t j = 0; j < space->n_dense; j++)
	{
		for (size_t i = 0; i < b->n; i++)
		{
			double d = b->x[ml_kmeans_cell(space, i, j)] -
					   run->center[(size_t) label[i] * space->n_columns + j];

			distance[i] += d * d;
		}
	}
	for (size_t i = 0; i < b->n && space->design->n_factors > 0; i++)
	{
		const double *center = run->center + (size_t) label[i] * space->n_columns + space->n_dense;

		for (uint32_t l = 0; l < space->n_levels; l++)
			distance[i] += center[l] * center[l];
		for (uint32_t f = 0; f < space->design->n_factors; f++)
		{
			uint32_t level = b->level[f * n + i];

			distance[i] += level < space->n_levels ? 1 - 2 * center[level] : 0;
		}
	}
	for (size_t i = 0; i < b->n; i++)
	{
		inertia += b->weight[i] * distance[i];
		b->label[i] = label[i];
		sums[(size_t) run->k * space->n_columns + label[i]] += b->weight[i];
	}
	sums[sums_of(run) - 2] += inertia;
}

MlStatus
ml_kmeans_measure(MlKmeansRun *run, bool more)
{
	const double *weight = run->total + (size_t) run->k * run->space->n_columns;

	run->anew = true;
	ml_kmeans_centers_set(run->space, &run->packed, run->center);
	ML_TRY(run_pass(run, measure_block));
	for (uint32_t k = 0; k < run->k; k++)
		run->size[k] = (more ? run->size[k] : 0) + weight[k];
	run->inertia = (more ? run->inertia : 0) + weight[run->k];
	return ML_OK;
}
