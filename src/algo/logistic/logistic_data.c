/*
 * logistic_data.c
 *		The working copy of the training rows, and passes over it.
 *
 * The frame is read once, into blocks: in each block the standardised numbers
 * column by column in float, the active level of each factor, class, weight, and
 * room for what an evaluation leaves behind. A one-hot matrix is never formed.
 *
 * A pass divides the blocks among a fixed number of parts, which depends on the
 * sizes alone; each part adds up its blocks in order, and the parts are added in
 * order. So the sums do not depend on the number of threads. Parts advance in
 * rounds of a few milliseconds, because cancel is polled between tasks.
 */
#include <math.h>
#include <string.h>

#include "algo/logistic/logistic.h"
#include "core/pool.h"

#define LANES 16
#define BLOCK_MAX 1024
#define BLOCK_BYTES (512 * 1024) /* the numbers of a block stay in the second-level cache */
#define BLOCK_FLOPS \
	1e9 /* about 20 ms: what a coupled matrix takes for a block, between two polls of cancel */
#define TASK_SECONDS 0.004
#define PARTS_MAX 32
#define PARTS_MIN 4
#define PARTS_BYTES ((size_t) 32 << 20)
#define REDUCE_CHUNK 8192

/* ---- sizes and memory */

/* Rows in a block: all, or as many as the cache holds and a matrix takes in one task; a multiple of LANES. */
static size_t
block_rows(const MlLogisticProblem *problem)
{
	size_t rows = BLOCK_MAX, cells = problem->n_dense + problem->n_groups;
	double square =
		problem->n_groups > 1 ? (double) problem->n_unknowns * (double) problem->n_unknowns : 0;

	square = fmin(square, (double) ML_LOGISTIC_MAX_COUPLED * ML_LOGISTIC_MAX_COUPLED);
	while (rows > 64 &&
		   (rows * cells * sizeof(float) > BLOCK_BYTES || (double) rows * square > BLOCK_FLOPS))
		rows /= 2;
	return ML_MIN(rows, (problem->n + LANES - 1) / LANES * LANES);
}

/* Arrays of 4-byte cells in a block: numbers, levels, class, weight, state. */
static size_t
block_arrays(const MlLogisticProblem *problem)
{
	return (size_t) problem->n_dense + problem->n_factors + 2 + problem->n_groups;
}

/* Where the parts of a block lie. */
MlLogisticBlock
ml_logistic_block(const MlLogisticProblem *problem, size_t block)
{
	char *at = (char *) problem->cells.data + block * problem->block_bytes;
	size_t array = problem->block * sizeof(float);
	MlLogisticBlock view;

	view.x = (const float *) at;
	view.levels = (const uint32_t *) (at + array * problem->n_dense);
	view.label = view.levels + problem->block * problem->n_factors;
	view.weight = (const float *) (view.label + problem->block);
	view.state = (float *) (view.weight + problem->block);
	view.n = ML_MIN(problem->block, problem->n - block * problem->block);
	return view;
}

/* Each worker's arrays, cut from two allocations. */
static MlStatus
allocate_scratch(MlLogisticProblem *problem)
{
	size_t tile = problem->block * (1 + (size_t) problem->n_dense);
	size_t doubles = 4 * problem->block + 3 * tile;
	size_t floats = problem->block * ((size_t) problem->n_groups + problem->n_factors);

	problem->n_workers = ml_pool_size(ml_env_pool(problem->env));
	problem->scratch =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, sizeof(MlLogisticScratch));
	problem->scratch_data =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, doubles * sizeof(double));
	problem->scratch_floats =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, floats * sizeof(float));
	if (!problem->scratch || !problem->scratch_data || !problem->scratch_floats)
		return ML_ENOMEM;
	for (int w = 0; w < problem->n_workers; w++)
	{
		MlLogisticScratch *s = &problem->scratch[w];

		s->a = problem->scratch_data + (size_t) w * doubles;
		s->b = s->a + problem->block;
		s->c = s->b + problem->block;
		s->d = s->c + problem->block;
		s->dense = s->d + problem->block;
		s->tile = s->dense + tile;
		s->tile_rows = s->tile + tile;
		s->eta = problem->scratch_floats + (size_t) w * floats;
		s->levels = (uint32_t *) (s->eta + problem->block * problem->n_groups);
	}
	return ML_OK;
}

/* Numbers are centred only with an intercept: without one, zero must stay zero. Indicators stay 0 and 1. */
static void
fit_scale(MlLogisticProblem *problem)
{
	for (uint32_t j = 0; j < problem->n_dense; j++)
	{
		const MlDesignColumn *column = &problem->design->columns[j];
		bool number = column->level == ML_DESIGN_NUMBER;

		problem->center[j] = number && problem->options.intercept ? column->mean : 0;
		problem->scale[j] = number ? column->scale : 1;
	}
}

/* Everything whose size is known before the rows are read. */
static MlStatus
allocate(MlLogisticProblem *problem)
{
	MlEnv *env = problem->env;

	problem->block = block_rows(problem);
	problem->n_blocks = (problem->n + problem->block - 1) / problem->block;
	problem->block_bytes = block_arrays(problem) * problem->block * sizeof(float);
	problem->center = ml_alloc_array(env, ML_MAX(problem->n_dense, 1), sizeof(double));
	problem->scale = ml_alloc_array(env, ML_MAX(problem->n_dense, 1), sizeof(double));
	problem->class_weight = ml_alloc_array(env, problem->n_classes, sizeof(double));
	problem->level_share = ml_alloc_array(env, ML_MAX(problem->n_levels, 1), sizeof(double));
	problem->coef =
		ml_zalloc_array(env, problem->n_groups, ((size_t) problem->n_columns + 1) * sizeof(float));
	if (!problem->center || !problem->scale || !problem->class_weight || !problem->level_share ||
		!problem->coef)
		return ML_ENOMEM;
	ML_TRY(allocate_scratch(problem));
	return ml_region_alloc(env, &problem->cells, problem->n_blocks, problem->block_bytes);
}

/* Release what ml_logistic_load made. */
void
ml_logistic_free(MlLogisticProblem *problem)
{
	MlEnv *env = problem->env;

	ml_region_free(env, &problem->cells);
	ml_free(env, problem->partial);
	ml_free(env, problem->scratch_floats);
	ml_free(env, problem->scratch_data);
	ml_free(env, problem->scratch);
	ml_free(env, problem->coef);
	ml_free(env, problem->level_share);
	ml_free(env, problem->class_weight);
	ml_free(env, problem->scale);
	ml_free(env, problem->center);
}

/* ---- passes */

typedef struct Round
{
	const MlLogisticPass *pass;
	size_t used;  /* blocks that the pass visits */
	size_t parts; /* and parts that they are divided among */
	size_t chunk; /* blocks of a task */
	size_t round;
	size_t stride; /* doubles between the sums of parts */
	double *total;
} Round;

/* One part's share of a round. */
static void
visit_chunk(void *arg, size_t part, int worker)
{
	const Round *round = arg;
	const MlLogisticPass *pass = round->pass;
	MlLogisticProblem *problem = pass->problem;
	double *sums = problem->partial + part * round->stride;
	size_t first = (round->round * round->parts + part) * round->chunk;
	size_t end = ML_MIN(first + round->chunk, round->used);

	if (round->round == 0)
		memset(sums, 0, pass->n_sums * sizeof(double));
	for (size_t i = first; i < end; i++)
		pass->visit(pass, i * pass->stride, &problem->scratch[worker], sums);
}

/* Add up the parts for a range of sums. */
static void
reduce_chunk(void *arg, size_t task, int worker)
{
	const Round *round = arg;
	const double *partial = round->pass->problem->partial;
	size_t first = task * REDUCE_CHUNK, end = ML_MIN(first + REDUCE_CHUNK, round->pass->n_sums);

	(void) worker;
	memcpy(round->total + first, partial + first, (end - first) * sizeof(double));
	for (size_t part = 1; part < round->parts; part++)
		for (size_t i = first; i < end; i++)
			round->total[i] += partial[part * round->stride + i];
}

/* Room for the sums of all parts; it grows to the largest pass and is kept. */
static MlStatus
reserve_partial(MlLogisticProblem *problem, size_t parts, size_t stride)
{
	if (parts * stride <= problem->partial_size)
		return ML_OK;
	ml_free(problem->env, problem->partial);
	problem->partial_size = 0;
	problem->partial = ml_alloc_array(problem->env, parts, stride * sizeof(double));
	if (!problem->partial)
		return ML_ENOMEM;
	problem->partial_size = parts * stride;
	return ML_OK;
}

/* Visit every stride-th block and add up the sums. */
MlStatus
ml_logistic_run(const MlLogisticPass *pass, double *total)
{
	MlLogisticProblem *problem = pass->problem;
	Round round = {.pass = pass, .total = total};
	size_t affordable;

	round.used = (problem->n_blocks + pass->stride - 1) / pass->stride;
	round.stride = (pass->n_sums + 7) / 8 * 8 + 8; /* no cache line is shared between parts */
	affordable = PARTS_BYTES / (round.stride * sizeof(double));
	round.parts = ML_MIN(round.used, ML_MIN(PARTS_MAX, ML_MAX(affordable, PARTS_MIN)));
	round.chunk = (size_t) fmax(1, TASK_SECONDS / pass->block_seconds);
	round.chunk = ML_MIN(round.chunk, (round.used + round.parts - 1) / round.parts);
	ML_TRY(reserve_partial(problem, round.parts, round.stride));
	for (; round.round * round.parts * round.chunk < round.used; round.round++)
		ML_TRY(ml_pool_run(problem->env, round.parts, visit_chunk, &round));
	return ml_pool_run(problem->env, (pass->n_sums + REDUCE_CHUNK - 1) / REDUCE_CHUNK, reduce_chunk,
					   &round);
}

/* ---- reading the frame */

/* Standardise one column into float. */
static void
narrow(const double *in, size_t n, double center, double scale, float *out)
{
	double factor = 1 / scale;

	for (size_t i = 0; i < n; i++)
		out[i] = (float) ((in[i] - center) * factor);
}

/* The sum of the weights of a block, as they are. */
static void
weigh_block(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	size_t n = ml_logistic_block(problem, block).n;

	ml_dataset_weight(problem->data, problem->rows, block * problem->block, n, scratch->b);
	for (size_t i = 0; i < n; i++)
		sums[0] += scratch->b[i];
}

/* Weights are divided by their mean, and the penalties with them, so that float sees numbers around 1. */
static MlStatus
fit_weight(MlLogisticProblem *problem)
{
	MlLogisticPass pass = {.visit = weigh_block, .problem = problem, .stride = 1, .n_sums = 1};
	double sum;

	problem->weight_mean = 1;
	if (problem->data->weight_column < 0 && !problem->data->class_weight)
		return ML_OK;
	pass.block_seconds = 4e-9 * (double) problem->block;
	ML_TRY(ml_logistic_run(&pass, &sum));
	if (!(sum > 0 && isfinite(sum)))
		return ml_fail(problem->env, ML_EDATA, "the sum of the weights is %g", sum);
	problem->weight_mean = sum / (double) problem->n;
	problem->options.l1 /= problem->weight_mean;
	problem->options.l2 /= problem->weight_mean;
	return ML_OK;
}

/* Fill a block from the frame; sums: weights of classes, then of levels. */
static void
read_block(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticBlock view = ml_logistic_block(problem, block);
	size_t first = block * problem->block, n = view.n, stride = problem->block;
	float *x = (float *) view.x, *weight = (float *) view.weight;
	uint32_t *levels = (uint32_t *) view.levels, *label = (uint32_t *) view.label;

	ml_design_block(problem->design, problem->data, problem->rows, first, n, stride, scratch->dense,
					levels);
	for (uint32_t j = 0; j < problem->n_dense; j++)
		narrow(scratch->dense + j * stride, n, problem->center[j], problem->scale[j],
			   x + j * stride);
	ml_dataset_target(problem->data, problem->rows, first, n, scratch->a);
	ml_dataset_weight(problem->data, problem->rows, first, n, scratch->b);
	for (size_t i = 0; i < n; i++)
	{
		label[i] = (uint32_t) scratch->a[i];
		scratch->b[i] /= problem->weight_mean;
		weight[i] = (float) scratch->b[i];
		sums[label[i]] += scratch->b[i];
	}
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < stride; i++)
		{
			uint32_t *level = &levels[f * stride + i];

			*level =
				i < n && *level != ML_NO_COLUMN ? *level - problem->n_dense : problem->n_levels;
			if (*level < problem->n_levels)
				sums[problem->n_classes + *level] += scratch->b[i];
		}
}

/* Make the working copy of the rows of problem->data; the caller has set the fields that come before n. */
MlStatus
ml_logistic_load(MlLogisticProblem *problem)
{
	MlLogisticPass pass = {.visit = read_block, .problem = problem, .stride = 1};
	double *sums;
	MlStatus status;

	problem->n = problem->rows->n;
	if (problem->n == 0)
		return ml_fail(problem->env, ML_EDATA, "there are no rows to train on");
	problem->n_classes = problem->data->n_classes;
	problem->n_groups = problem->n_classes == 2 ? 1 : problem->n_classes;
	problem->n_dense = problem->design->n_dense;
	problem->n_factors = problem->design->n_factors;
	problem->n_levels = problem->design->n_columns - problem->n_dense;
	problem->n_columns = problem->design->n_columns + 1;
	problem->n_unknowns = (size_t) problem->n_groups * problem->n_columns;
	ML_TRY(allocate(problem));
	fit_scale(problem);
	ML_TRY(fit_weight(problem));

	pass.n_sums = (size_t) problem->n_classes + problem->n_levels;
	pass.block_seconds = 4e-9 * (double) (problem->block * block_arrays(problem));
	sums = ml_alloc_array(problem->env, pass.n_sums, sizeof(double));
	if (!sums)
		return ML_ENOMEM;
	status = ml_logistic_run(&pass, sums);
	for (uint32_t k = 0; k < problem->n_classes && status == ML_OK; k++)
		problem->class_weight[k] = sums[k];
	for (uint32_t l = 0; l < problem->n_levels && status == ML_OK; l++)
		problem->level_share[l] = sums[problem->n_classes + l] / (double) problem->n;
	ml_free(problem->env, sums);
	return status;
}
