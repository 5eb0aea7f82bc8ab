/*
 * dependence.c
 *		Partial dependence, exactly: every row is predicted with every value.
 *
 * Friedman, "Greedy function approximation", Annals of Statistics 29 (2001),
 * section 8.2. The quantiles of the single predictions tell what individual
 * conditional expectation plots show (Goldstein et al. 2015): how much rows
 * differ in their response, without a line for each row.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metric/radix_sort.h"
#include "model/effects.h"

#define BLOCK 4096

typedef struct Dependence
{
	MlArena *arena; /* of the points */
	MlEnv *env;
	const MlModel *model;
	const MlDataset *data;
	const MlDependence *wanted;
	MlRows rows;
	uint32_t *features; /* that change */
	uint32_t n_features;
	double *values;
	double *predicted; /* rows x n_outputs */
	uint64_t *keys;    /* rows: to sort */
} Dependence;

bool
ml_dependence_find(const MlSchema *schema, const char *name, MlDependence *dependence)
{
	for (uint32_t k = 0; k < schema->n_inputs; k++)
	{
		if (schema->inputs[k].n_slots == 1 && schema->inputs[k].name[0] &&
			strcmp(schema->inputs[k].name, name) == 0)
		{
			dependence->whole_input = true;
			dependence->input = k;
			dependence->feature = schema->inputs[k].first_feature;
			return true;
		}
	}
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		if (strcmp(schema->features[j].name, name) == 0)
		{
			dependence->whole_input = false;
			dependence->feature = j;
			dependence->input = schema->features[j].input;
			return true;
		}
	}
	return false;
}

/* ---- the values ---- */

/* The raw values of the input, or the values of the feature, of some rows. */
static void
read_values(const Dependence *d, size_t first, size_t n, double *out)
{
	if (d->wanted->whole_input)
		ml_frame_read(d->data->frame, d->model->schema->inputs[d->wanted->input].first_slot, first,
					  n, out);
	else
		ml_dataset_feature(d->data, d->wanted->feature, &d->rows, first, n, out);
}

/* Read the values that can be ordered into keys; returns how many, and whether some are missing. */
static MlStatus
read_keys(Dependence *d, size_t *n_keys, bool *missing)
{
	double block[BLOCK];

	*n_keys = 0;
	*missing = false;
	for (size_t first = 0; first < d->rows.n; first += BLOCK)
	{
		size_t n = ML_MIN(d->rows.n - first, (size_t) BLOCK);

		ML_TRY(ml_poll(d->env));
		read_values(d, first, n, block);
		for (size_t i = 0; i < n; i++)
		{
			if (isnan(block[i]))
				*missing = true;
			else
				d->keys[(*n_keys)++] = ml_sort_key(block[i]);
		}
	}
	return ML_OK;
}

/* A level and how many rows have it. */
typedef struct Level
{
	size_t count;
	double code;
} Level;

/* More rows first, then the lower code. */
static int
compare_counts(const void *a, const void *b)
{
	const Level *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->code < y->code ? -1 : x->code > y->code;
}

static int
compare_codes(const void *a, const void *b)
{
	const Level *x = a, *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

/* The most frequent levels of sorted keys, in the order of their codes. */
static MlStatus
choose_levels(Dependence *d, size_t n_keys, double *values, uint32_t *n_values)
{
	Level *levels = ml_alloc_array(d->env, n_keys, sizeof(Level));
	size_t n = 0;

	if (!levels)
		return ML_ENOMEM;
	for (size_t i = 0; i < n_keys; i++)
	{
		if (i == 0 || d->keys[i] != d->keys[i - 1])
			levels[n++] = (Level){0, ml_sort_value(d->keys[i])};
		levels[n - 1].count++;
	}
	qsort(levels, n, sizeof(Level), compare_counts);
	*n_values = (uint32_t) ML_MIN(n, (size_t) d->wanted->n_points);
	qsort(levels, *n_values, sizeof(Level), compare_codes);
	for (uint32_t i = 0; i < *n_values; i++)
		values[i] = levels[i].code;
	ml_free(d->env, levels);
	return ML_OK;
}

/* All distinct values of sorted keys, or even quantiles of the rows when there are too many; each once. */
static void
choose_numbers(const Dependence *d, size_t n_keys, double *values, uint32_t *n_values)
{
	uint32_t most = d->wanted->n_points, n = 0;
	size_t distinct = 0;

	for (size_t i = 0; i < n_keys && distinct <= most; i++)
		distinct += i == 0 || d->keys[i] != d->keys[i - 1];
	for (size_t i = 0; distinct <= most && i < n_keys; i++)
	{
		if (i == 0 || d->keys[i] != d->keys[i - 1])
			values[n++] = ml_sort_value(d->keys[i]);
	}
	for (uint32_t q = 0; distinct > most && q < most; q++)
	{
		double share = most > 1 ? (double) q / (most - 1) : 0.5;
		double value = ml_sort_value(d->keys[(size_t) (share * (double) (n_keys - 1) + 0.5)]);

		if (n == 0 || value != values[n - 1])
			values[n++] = value;
	}
	*n_values = n;
}

/* The points, their values filled in. */
static MlStatus
choose_points(Dependence *d, MlDependencePoint **points, uint32_t *n_points)
{
	bool categorical = d->model->schema->features[d->wanted->feature].categorical, missing;
	double *values = ml_arena_array(d->arena, (size_t) d->wanted->n_points + 1, sizeof(double));
	size_t n_keys;

	if (!values)
		return ML_ENOMEM;
	ML_TRY(read_keys(d, &n_keys, &missing));
	ML_TRY(ml_radix_sort(d->env, &d->keys, NULL, n_keys));
	*n_points = 0;
	if (categorical && n_keys > 0)
		ML_TRY(choose_levels(d, n_keys, values, n_points));
	else
		choose_numbers(d, n_keys, values, n_points);
	if (missing)
		values[(*n_points)++] = NAN;
	/* The sorted array has no room but for its keys. */
	ml_free(d->env, d->keys);
	d->keys = ml_alloc_array(d->env, d->rows.n, sizeof(uint64_t));
	if (!d->keys)
		return ML_ENOMEM;
	*points = ml_arena_array(d->arena, (size_t) *n_points + 1, sizeof(MlDependencePoint));
	if (!*points)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < *n_points; i++)
		(*points)[i].raw = values[i];
	return ML_OK;
}

/* ---- the predictions ---- */

/* What the features of the input are for a raw value. */
static void
set_values(Dependence *d, double raw)
{
	for (uint32_t j = 0; j < d->n_features; j++)
	{
		const MlFeature *feature = &d->model->schema->features[d->features[j]];

		d->values[j] = d->wanted->whole_input && feature->part != ML_PART_VALUE
						   ? ml_date_part(feature->part, raw)
						   : raw;
	}
}

/* The quantile of n sorted keys, between two of them in proportion (as percentile_cont). */
static double
key_quantile(const uint64_t *keys, size_t n, double share)
{
	double at = share * (double) (n - 1);
	size_t low = (size_t) at;
	double below = ml_sort_value(keys[low]);
	double above = ml_sort_value(keys[ML_MIN(low + 1, n - 1)]);

	return below + (above - below) * (at - (double) low);
}

/* Mean and quantiles of one output. */
static MlStatus
summarize(Dependence *d, uint32_t output, MlDependencePoint *point)
{
	uint32_t n_outputs = d->model->n_outputs, n_quantiles = d->wanted->n_quantiles;
	double sum = 0;

	for (size_t i = 0; i < d->rows.n; i++)
	{
		double value = d->predicted[i * n_outputs + output];

		if (i % BLOCK == 0)
			ML_TRY(ml_poll(d->env));
		sum += value;
		d->keys[i] = ml_sort_key(value);
	}
	point->mean[output] = sum / (double) d->rows.n;
	if (n_quantiles == 0)
		return ML_OK;
	ML_TRY(ml_radix_sort(d->env, &d->keys, NULL, d->rows.n));
	for (uint32_t q = 0; q < n_quantiles; q++)
		point->quantiles[output * n_quantiles + q] =
			key_quantile(d->keys, d->rows.n, d->wanted->quantiles[q]);
	return ML_OK;
}

/* Predict all rows with the value of a point. */
static MlStatus
predict_point(Dependence *d, MlDependencePoint *point)
{
	uint32_t n_outputs = d->model->n_outputs;
	MlChange change = {.features = d->features, .n = d->n_features, .values = d->values};

	point->mean = ml_arena_array(d->arena, n_outputs, sizeof(double));
	point->quantiles =
		ml_arena_array(d->arena, (size_t) n_outputs * d->wanted->n_quantiles + 1, sizeof(double));
	if (!point->mean || !point->quantiles)
		return ML_ENOMEM;
	set_values(d, point->raw);
	ML_TRY(ml_model_predict_changed(d->env, d->model, d->data, &d->rows, &change, d->predicted));
	for (uint32_t k = 0; k < n_outputs; k++)
		ML_TRY(summarize(d, k, point));
	return ML_OK;
}

/* Choose the points, predict them one by one. */
static MlStatus
predict_points(Dependence *d, MlDependencePoint **points, uint32_t *n_points)
{
	ML_TRY(choose_points(d, points, n_points));
	for (uint32_t i = 0; i < *n_points; i++)
		ML_TRY(predict_point(d, &(*points)[i]));
	return ML_OK;
}

MlStatus
ml_partial_dependence(MlArena *arena, const MlModel *model, const MlDataset *data,
					  const MlDependence *wanted, MlDependencePoint **points, uint32_t *n_points)
{
	const MlInput *input = &model->schema->inputs[wanted->input];
	size_t n = ml_frame_rows(data->frame);
	Dependence d = {
		.arena = arena,
		.env = arena->env,
		.model = model,
		.data = data,
		.wanted = wanted,
		.rows = {NULL, n},
		.n_features = wanted->whole_input ? input->n_features : 1,
	};
	MlStatus status = ML_ENOMEM;

	d.features = ml_arena_array(arena, d.n_features, sizeof(uint32_t));
	d.values = ml_arena_array(arena, d.n_features, sizeof(double));
	d.predicted = ml_alloc_array(d.env, n * model->n_outputs, sizeof(double));
	d.keys = ml_alloc_array(d.env, n, sizeof(uint64_t));
	for (uint32_t j = 0; d.features && j < d.n_features; j++)
		d.features[j] = wanted->whole_input ? input->first_feature + j : wanted->feature;
	if (d.features && d.values && d.predicted && d.keys)
		status = predict_points(&d, points, n_points);
	ml_free(d.env, d.predicted);
	ml_free(d.env, d.keys);
	return status;
}
