/*
 * logistic_fixture.h
 *		Tables and trainings that the tests of `logistic` share.
 */
#ifndef LOGISTIC_FIXTURE_H
#define LOGISTIC_FIXTURE_H

#include "unit.h"

#include "algo/algo.h"
#include "core/rng.h"

extern const MlAlgo ml_algo_logistic;

/* n rows: numbers, then level codes, row by row; y is the class; w may be NULL. */
typedef struct Cells
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels, n_classes;
	double *x, *y, *w;
} Cells;

#define FIT_ROWS 4096

/* The model to go on from in the next fits; NULL: none. */
static const void *fit_previous;

/* A fit: everything in one arena; the first rows of the coefficient view are kept. */
typedef struct Fit
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlFitReport report;
	void *model;
	MlBuffer bytes;
	MlCoefficient rows[FIT_ROWS];
	char names[FIT_ROWS][32];
	size_t n_rows;
} Fit;

static inline Cells
cells_make(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels, uint32_t n_classes)
{
	Cells c = {n, n_numbers, n_factors, n_levels, n_classes, NULL, NULL, NULL};

	c.x = calloc(n * (n_numbers + n_factors) + 1, sizeof(double));
	c.y = calloc(n + 1, sizeof(double));
	return c;
}

static inline void
cells_free(Cells *c)
{
	free(c->x);
	free(c->y);
	free(c->w);
}

/* Normal numbers of unequal means and scales, levels of unequal frequency, classes that depend on both. */
static inline Cells
cells_random(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels,
			 uint32_t n_classes, uint64_t seed)
{
	Cells c = cells_make(n, n_numbers, n_factors, n_levels, n_classes);
	uint32_t width = n_numbers + n_factors;
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t i = 0; i < n; i++)
	{
		double *x = c.x + i * width, best = -INFINITY;

		for (uint32_t j = 0; j < width; j++)
		{
			double u = ml_rng_uniform(&rng);

			x[j] =
				j < n_numbers ? 10.0 * j + (1 + j) * ml_rng_normal(&rng) : floor(u * u * n_levels);
		}
		for (uint32_t k = 0; k < n_classes; k++)
		{
			double score = -log(-log(ml_rng_uniform(&rng) + 1e-12)); /* Gumbel: argmax is softmax */

			for (uint32_t j = 0; j < width; j++)
				score += j < n_numbers ? (x[j] - 10.0 * j) / (1 + j) * cos(1.0 + k + 3 * j)
									   : sin(x[j] + k + j);
			if (score > best)
			{
				best = score;
				c.y[i] = k;
			}
		}
	}
	return c;
}

/* Numbers x1, x2, ... and factors f1, f2, ... with levels l0, l1, ... */
static inline MlStatus
fit_schema(Fit *fit, const Cells *c)
{
	uint32_t n = c->n_numbers + c->n_factors;
	char text[32];

	ML_TRY(ml_schema_create(&fit->arena, n, &fit->schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &fit->schema->inputs[i];
		bool factor = i >= c->n_numbers;

		snprintf(text, sizeof text, factor ? "f%u" : "x%u",
				 (unsigned) (factor ? i - c->n_numbers + 1 : i + 1));
		input->name = input->type_name = ml_arena_text(&fit->arena, text, strlen(text));
		if (!input->name)
			return ML_ENOMEM;
		input->kind = factor ? ML_CATEGORICAL : ML_NUMERIC;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(fit->schema));
	for (uint32_t i = c->n_numbers; i < n; i++)
		for (uint32_t k = 0; k < c->n_levels; k++)
		{
			uint32_t code;

			snprintf(text, sizeof text, "l%u", (unsigned) k);
			ML_TRY(ml_dict_add(fit->schema->inputs[i].levels, text, strlen(text), &code));
		}
	ml_schema_seal(fit->schema);
	return ML_OK;
}

static inline MlStatus
fit_frame(Fit *fit, const Cells *c)
{
	uint32_t n = c->n_numbers + c->n_factors;
	MlWidth widths[512];
	double row[512];

	for (uint32_t j = 0; j < n + 2; j++)
		widths[j] = j >= c->n_numbers && j < n ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	ML_TRY(ml_frame_create(fit->env, widths, n + 2, &fit->frame));
	for (size_t i = 0; i < c->n; i++)
	{
		memcpy(row, c->x + i * n, n * sizeof(double));
		row[n] = c->y[i];
		row[n + 1] = c->w ? c->w[i] : 1;
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

/* Train, save, list the coefficients. Call fit_end whatever it returns. */
static inline MlStatus
fit_cells(Fit *fit, MlEnv *env, const Cells *c, const char *options)
{
	const MlParam *tables[] = {ml_algo_logistic.params};
	MlParams params;
	MlDataset data = {.task = ML_CLASSIFICATION, .n_classes = c->n_classes};
	MlFitInput input = {
		.params = &params, .data = &data, .train = {NULL, c->n}, .previous = fit_previous};
	MlJson *json;

	memset(fit, 0, sizeof *fit);
	fit->env = env;
	ml_arena_init(&fit->arena, env);
	ml_buffer_init(&fit->report.summary, env);
	ml_buffer_init(&fit->report.log, env);
	ml_buffer_init(&fit->bytes, env);
	ML_TRY(fit_schema(fit, c));
	ML_TRY(ml_json_parse(&fit->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&fit->arena, "logistic", tables, 1, json, &params));
	ML_TRY(fit_frame(fit, c));
	data.schema = fit->schema;
	data.frame = fit->frame;
	data.target_column = c->n_numbers + c->n_factors;
	data.weight_column = c->w ? data.target_column + 1 : -1;
	ML_TRY(ml_algo_logistic.fit(env, &fit->arena, &input, &fit->report, &fit->model));
	ml_algo_logistic.save(fit->model, &fit->bytes);
	ML_TRY(fit->bytes.status);
	ML_TRY(fit->report.summary.status);
	ML_TRY(fit->report.log.status);
	return ml_algo_logistic.coefficients(env, fit->model, fit->schema, fit_keep_row, fit);
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
fit_converged(const Fit *fit)
{
	return strncmp(fit_summary(fit, "converged"), "true", 4) == 0;
}

/* Value of the coefficient of that name (and class, -1 for two classes); NaN: not there. */
static inline const MlCoefficient *
fit_row(const Fit *fit, const char *name, int class_index)
{
	static const MlCoefficient none = {NULL, -1, NAN, NAN, NAN, NAN};

	for (size_t i = 0; i < ML_MIN(fit->n_rows, FIT_ROWS); i++)
		if (strcmp(fit->names[i], name) == 0 && fit->rows[i].class_index == class_index)
			return &fit->rows[i];
	return &none;
}

#endif /* LOGISTIC_FIXTURE_H */
