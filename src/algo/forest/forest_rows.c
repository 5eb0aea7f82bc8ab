/*
 * forest_rows.c
 *		Targets, weights and bins of the training rows, by position.
 *
 * Numbers are searched on the scale of their spread, so that sums of squares
 * neither overflow nor lose digits; weights are divided by their mean.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define CHUNK_ROWS 4096

/* Room for one chunk of values, and what is filled in from it. */
typedef struct Reading
{
	MlEnv *env;
	const MlFitInput *input;
	ForestRows *rows;
	double *values;
} Reading;

/* Targets: the class, or the number. */
static MlStatus
read_targets(Reading *r)
{
	ForestRows *rows = r->rows;

	for (size_t first = 0; first < rows->n; first += CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) CHUNK_ROWS, rows->n - first);

		ML_TRY(ml_poll(r->env));
		ml_dataset_target(r->input->data, &r->input->train, first, n, r->values);
		for (size_t i = 0; i < n; i++)
		{
			if (rows->class_of)
				rows->class_of[first + i] = (uint16_t) r->values[i];
			else
				rows->y[first + i] = r->values[i];
		}
	}
	return ML_OK;
}

/* Weights, and their mean. */
static MlStatus
read_weights(Reading *r)
{
	ForestRows *rows = r->rows;
	double mean = 0;

	for (size_t first = 0; first < rows->n; first += CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) CHUNK_ROWS, rows->n - first);

		ML_TRY(ml_poll(r->env));
		ml_dataset_weight(r->input->data, &r->input->train, first, n, rows->weight + first);
		for (size_t i = first; i < first + n; i++)
			mean += rows->weight[i] / rows->n;
	}
	if (!(mean > 0 && mean < INFINITY))
		return ml_fail(r->env, ML_EDATA, "the weights of all rows sum to %g",
					   mean * (double) rows->n);
	rows->weight_unit = mean;
	for (size_t i = 0; i < rows->n; i++)
		rows->weight[i] /= mean;
	return ML_OK;
}

/* Centre and spread of the numbers. */
static void
find_scale(ForestRows *rows)
{
	double min = INFINITY, max = -INFINITY;

	for (size_t i = 0; i < rows->n; i++)
	{
		min = ML_MIN(min, rows->y[i]);
		max = ML_MAX(max, rows->y[i]);
	}
	rows->centre = min / 2 + max / 2;
	rows->inverse = max > min ? 1 / (max / 2 - min / 2) : 0;
	if (isinf(rows->inverse))
		rows->inverse = 0; /* a spread below what has a reciprocal is none */
}

static MlStatus
read_rows(Reading *r)
{
	const MlDataset *data = r->input->data;
	ForestRows *rows = r->rows;

	rows->weight_unit = 1;
	if (rows->n_classes > 0)
		rows->class_of = ml_alloc_array(r->env, rows->n, sizeof(*rows->class_of));
	else
		rows->y = ml_alloc_array(r->env, rows->n, sizeof(*rows->y));
	r->values = ml_alloc_array(r->env, CHUNK_ROWS, sizeof(*r->values));
	if ((!rows->class_of && !rows->y) || !r->values)
		return ML_ENOMEM;
	ML_TRY(read_targets(r));
	if (rows->y)
		find_scale(rows);
	if (data->weight_column < 0 && !data->class_weight)
		return ML_OK;
	rows->weight = ml_alloc_array(r->env, rows->n, sizeof(*rows->weight));
	return rows->weight ? read_weights(r) : ML_ENOMEM;
}

/* Read and bin the training rows; whatever the status, ml_forest_rows_free follows. */
MlStatus
ml_forest_rows_create(MlEnv *env, MlArena *arena, const MlFitInput *input, uint32_t max_bins,
					  ForestRows *rows)
{
	const MlDataset *data = input->data;
	MlRows none = {NULL, 0};
	MlBinnedInput binned = {.data = data,
							.tiled = &input->train,
							.others = &none,
							.max_bins = max_bins,
							.seed = input->seed,
							.columns_only = true};
	Reading reading = {env, input, rows, NULL};
	MlStatus status;

	memset(rows, 0, sizeof(*rows));
	if (input->train.n == 0 || input->train.n > UINT32_MAX / 2)
		return ml_fail(env, ML_EDATA, "trees cannot be grown from %zu rows", input->train.n);
	rows->n = (uint32_t) input->train.n;
	rows->n_classes = data->task == ML_CLASSIFICATION ? data->n_classes : 0;
	status = read_rows(&reading);
	ml_free(env, reading.values);
	ML_TRY(status);
	rows->features = ml_arena_array(arena, data->schema->n_features, sizeof(MlTreeFeature));
	if (!rows->features)
		return ML_ENOMEM;
	return ml_binned_create(env, arena, &binned, rows->features, &rows->binned);
}

/* The features stay: they belong to the arena. */
void
ml_forest_rows_free(MlEnv *env, ForestRows *rows)
{
	ml_free(env, rows->class_of);
	ml_free(env, rows->y);
	ml_free(env, rows->weight);
	ml_binned_free(env, &rows->binned);
}
