/*
 * table_fixture.h
 *		A table of numbers and levels, and a training of any algorithm on it.
 */
#ifndef TABLE_FIXTURE_H
#define TABLE_FIXTURE_H

#include "unit.h"

#include "algo/algo.h"

/* n rows: numbers, then level codes, row by row; y NULL: no target; w NULL: no weights. n_classes 0: not classes. */
typedef struct Table
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels, n_classes;
	const double *x, *y, *w;
	MlTask task;
} Table;

#define FIT_ROWS 64

/* A training: everything in one arena; the first rows of the coefficient view are kept. */
typedef struct Fit
{
	const MlAlgo *algo;
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
	MlFitReport report;
	void *model;
	MlBuffer bytes;
	MlCoefficient rows[FIT_ROWS];
	char names[FIT_ROWS][32];
	size_t n_rows;
} Fit;

/* Numbers x1, x2, ... and factors f1, f2, ... with levels l0, l1, ... */
static inline MlStatus
fit_schema(Fit *fit, const Table *t)
{
	uint32_t n = t->n_numbers + t->n_factors;
	char text[32];

	ML_TRY(ml_schema_create(&fit->arena, n, &fit->schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &fit->schema->inputs[i];
		bool factor = i >= t->n_numbers;

		snprintf(text, sizeof text, factor ? "f%u" : "x%u",
				 (unsigned) (factor ? i - t->n_numbers + 1 : i + 1));
		input->name = input->type_name = ml_arena_text(&fit->arena, text, strlen(text));
		if (!input->name)
			return ML_ENOMEM;
		input->kind = factor ? ML_CATEGORICAL : ML_NUMERIC;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(fit->schema));
	for (uint32_t i = t->n_numbers; i < n; i++)
		for (uint32_t k = 0; k < t->n_levels; k++)
		{
			uint32_t code;

			snprintf(text, sizeof text, "l%u", (unsigned) k);
			ML_TRY(ml_dict_add(fit->schema->inputs[i].levels, text, strlen(text), &code));
		}
	ml_schema_seal(fit->schema);
	return ML_OK;
}

static inline MlStatus
fit_frame(Fit *fit, const Table *t)
{
	uint32_t n = t->n_numbers + t->n_factors;
	MlWidth widths[512];
	double row[512];

	for (uint32_t j = 0; j < n + 2; j++)
		widths[j] = j >= t->n_numbers && j < n ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	ML_TRY(ml_frame_create(fit->env, widths, n + 2, &fit->frame));
	for (size_t i = 0; i < t->n; i++)
	{
		memcpy(row, t->x + i * n, n * sizeof(double));
		row[n] = t->y ? t->y[i] : 0;
		row[n + 1] = t->w ? t->w[i] : 1;
		ML_TRY(ml_frame_append(fit->frame, row));
	}
	return ML_OK;
}

static inline MlStatus
fit_keep_row(void *arg, const MlCoefficient *row)
{
	Fit *fit = arg;

	if (fit->n_rows < FIT_ROWS)
	{
		snprintf(fit->names[fit->n_rows], sizeof fit->names[0], "%s", row->feature);
		fit->rows[fit->n_rows] = *row;
	}
	fit->n_rows++;
	return ML_OK;
}

/* Train from a previous model or NULL, save, list the coefficients. Call fit_end whatever it returns. */
static inline MlStatus
fit_table(Fit *fit, MlEnv *env, const MlAlgo *algo, const Table *t, const char *options,
		  const void *previous)
{
	const MlParam *tables[] = {algo->params};
	MlParams params;
	MlFitInput input = {
		.params = &params, .data = &fit->data, .train = {NULL, t->n}, .previous = previous};
	MlJson *json;

	memset(fit, 0, sizeof *fit);
	fit->algo = algo;
	fit->env = env;
	ml_arena_init(&fit->arena, env);
	ml_buffer_init(&fit->report.summary, env);
	ml_buffer_init(&fit->report.log, env);
	ml_buffer_init(&fit->bytes, env);
	ML_TRY(fit_schema(fit, t));
	ML_TRY(ml_json_parse(&fit->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&fit->arena, algo->name, tables, 1, json, &params));
	ML_TRY(fit_frame(fit, t));
	fit->data.schema = fit->schema;
	fit->data.frame = fit->frame;
	fit->data.task = t->task;
	fit->data.n_classes = t->n_classes;
	fit->data.target_column = t->y ? (int64_t) t->n_numbers + t->n_factors : -1;
	fit->data.weight_column = t->w ? (int64_t) t->n_numbers + t->n_factors + 1 : -1;
	ML_TRY(algo->fit(env, &fit->arena, &input, &fit->report, &fit->model));
	algo->save(fit->model, &fit->bytes);
	ML_TRY(fit->bytes.status);
	ML_TRY(fit->report.summary.status);
	ML_TRY(fit->report.log.status);
	return algo->coefficients ? algo->coefficients(env, fit->model, fit->schema, fit_keep_row, fit)
							  : ML_OK;
}

static inline void
fit_end(Fit *fit)
{
	ml_frame_free(fit->frame);
	ml_buffer_free(&fit->bytes);
	ml_buffer_free(&fit->report.log);
	ml_buffer_free(&fit->report.summary);
	ml_arena_free(&fit->arena);
}

/* The text behind a member of the summary; "" when it is not there. */
static inline const char *
fit_summary(const Fit *fit, const char *name)
{
	static char text[4096];
	char key[64];
	const char *at;

	snprintf(text, sizeof text, "%.*s", (int) fit->report.summary.len,
			 (const char *) fit->report.summary.data);
	snprintf(key, sizeof key, "\"%s\":", name);
	at = strstr(text, key);
	return at ? at + strlen(key) : "";
}

static inline double
fit_number(const Fit *fit, const char *name)
{
	const char *at = fit_summary(fit, name);

	return *at && strncmp(at, "null", 4) != 0 ? strtod(at, NULL) : NAN;
}

static inline bool
fit_true(const Fit *fit, const char *name)
{
	return strncmp(fit_summary(fit, name), "true", 4) == 0;
}

/* The coefficient of that name (and class, -1 for none). NaN: not there. */
static inline const MlCoefficient *
fit_row(const Fit *fit, const char *name, int class_index)
{
	static const MlCoefficient none = {NULL, -1, NAN, NAN, NAN, NAN};

	for (size_t i = 0; i < ML_MIN(fit->n_rows, FIT_ROWS); i++)
		if (strcmp(fit->names[i], name) == 0 && fit->rows[i].class_index == class_index)
			return &fit->rows[i];
	return &none;
}

static inline uint32_t
fit_outputs(const Table *t)
{
	return t->n_classes > 2 ? t->n_classes : 1;
}

/* Save, load, save again: the same bytes, the same predictions on all rows of the table. */
static inline void
check_round_trip(Fit *fit, const Table *t)
{
	uint32_t n = t->n_numbers + t->n_factors, outputs = fit_outputs(t);
	double before[64], after[64];
	MlReader in;
	MlBuffer again;
	void *model = NULL;

	ml_reader_init(&in, fit->env, fit->bytes.data, fit->bytes.len);
	CHECK(fit->algo->load(&in, &fit->arena, fit->schema, outputs, &model) == ML_OK);
	CHECK(ml_reader_end(&in, "test") == ML_OK);
	if (!model)
		return;
	ml_buffer_init(&again, fit->env);
	fit->algo->save(model, &again);
	CHECK(again.len == fit->bytes.len && memcmp(again.data, fit->bytes.data, again.len) == 0);
	ml_buffer_free(&again);
	for (size_t i = 0; i < t->n; i++)
	{
		fit->algo->predict(fit->model, t->x + i * n, before);
		fit->algo->predict(model, t->x + i * n, after);
		CHECK(memcmp(before, after, outputs * sizeof(double)) == 0);
	}
}

/* Every truncation is refused; damage of one byte is refused or gives a model that predicts without a fault. */
static inline void
check_hostile(Fit *fit, const Table *t)
{
	uint32_t outputs = fit_outputs(t);
	uint8_t *copy = malloc(fit->bytes.len + 1);
	double out[64];

	for (size_t len = 0; len < fit->bytes.len; len++)
	{
		MlReader in;
		MlArena arena;
		void *model = NULL;

		ml_arena_init(&arena, fit->env);
		memcpy(copy, fit->bytes.data, fit->bytes.len);
		ml_reader_init(&in, fit->env, copy, len);
		CHECK(fit->algo->load(&in, &arena, fit->schema, outputs, &model) != ML_OK ||
			  ml_reader_end(&in, "test") != ML_OK);
		copy[len] ^= (uint8_t) (1 + len * 37 % 255);
		ml_reader_init(&in, fit->env, copy, fit->bytes.len);
		if (fit->algo->load(&in, &arena, fit->schema, outputs, &model) == ML_OK)
			fit->algo->predict(model, t->x, out);
		ml_arena_free(&arena);
	}
	free(copy);
}

#endif /* TABLE_FIXTURE_H */
