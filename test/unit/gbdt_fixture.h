/*
 * gbdt_fixture.h
 *		A table of random rows, and boosting on it.
 *
 * Features: NUMBERS numbers (the last with few values), then a categorical one
 * of TABLE_LEVELS levels. A tenth of the values is missing.
 */
#ifndef GBDT_FIXTURE_H
#define GBDT_FIXTURE_H

#include "unit.h"

#include "algo/algo.h"
#include "algo/gbdt/gbdt.h"

extern const MlAlgo ml_algo_gbdt;

#define NUMBERS 4
#define FEATURES (NUMBERS + 1)

typedef struct Table
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
	size_t n;
	double *x; /* row-major */
	double *y;
	double *w;
	double *class_value;
} Table;

#define TABLE_COUNTS 1

typedef struct TableSpec
{
	size_t n;
	uint32_t n_levels;
	uint32_t n_classes; /* 0: regression; TABLE_COUNTS: regression of counts */
	bool weighted;
	uint64_t seed;
} TableSpec;

/* The signal of a row; missing values count 0. */
static inline double
table_signal(const double *x)
{
	double s = 0;

	for (int j = 0; j < NUMBERS; j++)
		s += isnan(x[j]) || isinf(x[j]) ? 0.5 : x[j] * (j % 2 ? -1 : 1);
	return s + (isnan(x[NUMBERS]) ? 0 : fmod(x[NUMBERS] * 7, 5) - 2);
}

static inline void
table_row(MlRng *rng, uint32_t n_levels, double *x)
{
	for (int j = 0; j < NUMBERS; j++)
		x[j] = ml_rng_normal(rng);
	x[NUMBERS - 1] = (double) ml_rng_below(rng, 5) - 2;
	x[NUMBERS] = (double) ml_rng_below(rng, n_levels);
	for (int j = 0; j < FEATURES; j++)
	{
		if (ml_rng_below(rng, 10) == 0)
			x[j] = NAN;
	}
	if (ml_rng_below(rng, 50) == 0)
		x[0] = ml_rng_below(rng, 2) ? INFINITY : -INFINITY;
}

/* The rows in plain arrays, from malloc: they are not what is tested. */
static inline void
table_fill(Table *t, const TableSpec *spec)
{
	MlRng rng;

	ml_rng_seed(&rng, spec->seed, 0);
	t->n = spec->n;
	t->x = malloc(spec->n * FEATURES * sizeof(double));
	t->y = malloc(spec->n * sizeof(double));
	t->w = malloc(spec->n * sizeof(double));
	t->class_value = malloc((spec->n_classes + 1) * sizeof(double));
	for (size_t i = 0; i < spec->n; i++)
	{
		double *x = t->x + i * FEATURES;
		double s;

		table_row(&rng, spec->n_levels, x);
		s = table_signal(x) + 0.3 * ml_rng_normal(&rng);
		t->y[i] = s;
		if (spec->n_classes == TABLE_COUNTS)
			t->y[i] = floor(exp(s / 2) + ml_rng_uniform(&rng));
		else if (spec->n_classes == 2)
			t->y[i] = s > 0;
		else if (spec->n_classes > 2)
			t->y[i] = fmin(spec->n_classes - 1, fmax(0, floor(s + spec->n_classes / 2.0)));
		t->w[i] = spec->weighted ? (double) (1 + i % 3) : 1;
	}
	for (uint32_t k = 0; k < spec->n_classes; k++)
		t->class_value[k] = k;
}

static inline MlStatus
table_schema(Table *t, uint32_t n_levels)
{
	ML_TRY(ml_schema_create(&t->arena, FEATURES, &t->schema));
	for (int j = 0; j < FEATURES; j++)
	{
		char name[2] = {(char) ('a' + j), 0};
		MlInput *input = &t->schema->inputs[j];

		input->name = ml_arena_text(&t->arena, name, 1);
		input->type_name = input->name;
		input->kind = j < NUMBERS ? ML_NUMERIC : ML_CATEGORICAL;
		input->width = j < NUMBERS ? ML_WIDTH_FLOAT64 : ML_WIDTH_LEVEL;
		input->n_slots = 1;
		if (!input->name)
			return ML_ENOMEM;
	}
	ML_TRY(ml_schema_layout(t->schema));
	for (uint32_t l = 0; l < n_levels; l++)
	{
		char text[24];
		uint32_t code;

		snprintf(text, sizeof(text), "level %u", l);
		ML_TRY(ml_dict_add(t->schema->inputs[NUMBERS].levels, text, strlen(text), &code));
	}
	ml_schema_seal(t->schema);
	return ML_OK;
}

/* Free what table_open made. */
static inline void
table_close(Table *t)
{
	ml_frame_free(t->frame);
	ml_arena_free(&t->arena);
	free(t->x);
	free(t->y);
	free(t->w);
	free(t->class_value);
}

/* Whatever the status, table_close follows. */
static inline MlStatus
table_open(Table *t, MlEnv *env, const TableSpec *spec)
{
	MlWidth widths[FEATURES + 2] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64,
									ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL,   ML_WIDTH_FLOAT64,
									ML_WIDTH_FLOAT64};

	memset(t, 0, sizeof(*t));
	t->env = env;
	ml_arena_init(&t->arena, env);
	table_fill(t, spec);
	ML_TRY(table_schema(t, spec->n_levels));
	ML_TRY(ml_frame_create(env, widths, FEATURES + 2, &t->frame));
	for (size_t i = 0; i < t->n; i++)
	{
		double row[FEATURES + 2];

		memcpy(row, t->x + i * FEATURES, FEATURES * sizeof(double));
		row[FEATURES] = t->y[i];
		row[FEATURES + 1] = t->w[i];
		ML_TRY(ml_frame_append(t->frame, row));
	}
	t->data = (MlDataset){.schema = t->schema,
						  .frame = t->frame,
						  .task = spec->n_classes > 1 ? ML_CLASSIFICATION : ML_REGRESSION,
						  .n_classes = spec->n_classes > 1 ? spec->n_classes : 0,
						  .target_column = FEATURES,
						  .weight_column = spec->weighted ? FEATURES + 1 : -1,
						  .class_value = spec->n_classes > 1 ? t->class_value : NULL};
	return ML_OK;
}

/* Boost on rows first..n-1 with options as JSON; rows 0..first-1 are the validation set. */
static inline MlStatus
table_boost(Table *t, const char *options, size_t first, MlFitReport *report, void **model)
{
	const MlParam *table = ml_gbdt_params;
	MlParams params;
	MlJson *json;
	MlFitInput input = {.params = &params, .data = &t->data, .seed = 1};
	uint32_t *index = ml_arena_array(&t->arena, t->n, sizeof(*index));
	MlStatus status;

	if (!index)
		return ML_ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		index[i] = (uint32_t) i;
	input.train = (MlRows){index + first, t->n - first};
	input.valid = (MlRows){index, first};
	ML_TRY(ml_json_parse(&t->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&t->arena, "gbdt", &table, 1, json, &params));
	ml_buffer_init(&report->summary, t->env);
	ml_buffer_init(&report->log, t->env);
	status = ml_algo_gbdt.fit(t->env, &t->arena, &input, report, model);
	if (status != ML_OK)
	{
		ml_buffer_free(&report->summary);
		ml_buffer_free(&report->log);
	}
	return status;
}

static inline void
report_free(MlFitReport *report)
{
	ml_buffer_free(&report->summary);
	ml_buffer_free(&report->log);
}

/* Mean squared error, or mean log loss, of the model on the table's rows. */
static inline double
table_loss(const Table *t, const void *model)
{
	double out[16], sum = 0;

	for (size_t i = 0; i < t->n; i++)
	{
		ml_algo_gbdt.predict(model, t->x + i * FEATURES, out);
		if (t->data.n_classes == 0)
			sum += (out[0] - t->y[i]) * (out[0] - t->y[i]);
		else if (t->data.n_classes == 2)
			sum -= log(t->y[i] > 0 ? out[0] : 1 - out[0]);
		else
			sum -= log(out[(int) t->y[i]]);
	}
	return sum / (double) t->n;
}

#endif /* GBDT_FIXTURE_H */
