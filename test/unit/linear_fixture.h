/*
 * linear_fixture.h
 *		Tables, schemas and trainings that the tests of `linear` share.
 */
#ifndef LINEAR_FIXTURE_H
#define LINEAR_FIXTURE_H

#include "unit.h"

#include "algo/algo.h"
#include "core/rng.h"

extern const MlAlgo ml_algo_linear, ml_algo_ridge, ml_algo_lasso, ml_algo_elastic_net;

/* Which of them is trained. */
static const MlAlgo *fixture_algo = &ml_algo_linear;

/* n rows of n_numbers numbers and then n_factors level codes; w may be NULL. */
typedef struct Table
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels; /* levels of each factor */
	double *x, *y, *w;
} Table;

/* A training: everything in one arena. */
typedef struct Training
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlParams params;
	MlFitReport report;
	void *model;
	MlCoefficient rows[512]; /* of the coefficient view */
	char names[512][16];
	size_t n_rows;
} Training;

static inline MlStatus
keep_row(void *arg, const MlCoefficient *row)
{
	Training *t = arg;

	snprintf(t->names[t->n_rows], sizeof t->names[0], "%s", row->feature);
	t->rows[t->n_rows++] = *row;
	return ML_OK;
}

/* Numbers x1, x2, ... and factors f1, f2, ... with levels l0, l1, ... */
static inline MlStatus
make_schema(MlArena *arena, const Table *table, MlSchema **schema)
{
	uint32_t n = table->n_numbers + table->n_factors;
	char text[32];

	ML_TRY(ml_schema_create(arena, n, schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &(*schema)->inputs[i];
		bool factor = i >= table->n_numbers;

		snprintf(text, sizeof text, factor ? "f%u" : "x%u",
				 (unsigned) (factor ? i - table->n_numbers + 1 : i + 1));
		input->name = ml_arena_text(arena, text, strlen(text));
		input->type_name = input->name;
		if (input->name == NULL)
			return ML_ENOMEM;
		input->kind = factor ? ML_CATEGORICAL : ML_NUMERIC;
		input->width = factor ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(*schema));
	for (uint32_t i = table->n_numbers; i < n; i++)
	{
		for (uint32_t k = 0; k < table->n_levels; k++)
		{
			uint32_t code;

			snprintf(text, sizeof text, "l%u", (unsigned) k);
			ML_TRY(ml_dict_add((*schema)->inputs[i].levels, text, strlen(text), &code));
		}
	}
	ml_schema_seal(*schema);
	return ML_OK;
}

static inline MlStatus
training_begin(Training *t, MlEnv *env, const Table *table, const char *options)
{
	const MlParam *tables[] = {fixture_algo->params};
	MlJson *json;

	memset(t, 0, sizeof *t);
	t->env = env;
	ml_arena_init(&t->arena, env);
	ml_buffer_init(&t->report.summary, env);
	ml_buffer_init(&t->report.log, env);
	ML_TRY(make_schema(&t->arena, table, &t->schema));
	ML_TRY(ml_json_parse(&t->arena, options, strlen(options), &json));
	return ml_params_parse(&t->arena, fixture_algo->name, tables, 1, json, &t->params);
}

static inline void
training_end(Training *t)
{
	ml_buffer_free(&t->report.summary);
	ml_buffer_free(&t->report.log);
	ml_arena_free(&t->arena);
}

/* A state through its bytes. */
static inline MlStatus
travel(Training *t, const MlStreamInput *input, void **state)
{
	const MlStreaming *s = fixture_algo->streaming;
	MlBuffer bytes;
	MlReader in;
	MlStatus status;

	ml_buffer_init(&bytes, t->env);
	s->save(*state, &bytes);
	status = bytes.status;
	if (status == ML_OK)
	{
		ml_reader_init(&in, t->env, bytes.data, bytes.len);
		status = s->load(&in, &t->arena, input, state);
		if (status == ML_OK)
			status = ml_reader_end(&in, "state");
	}
	ml_buffer_free(&bytes);
	return status;
}

/* Stream the rows into n_parts states, send each through its bytes, merge them, finish. */
static inline MlStatus
train_stream(Training *t, MlEnv *env, const Table *table, const char *options, size_t n_parts)
{
	const MlStreaming *s = fixture_algo->streaming;
	MlStreamInput input = {.n_features = table->n_numbers, .task = ML_REGRESSION};
	void *total = NULL;

	ML_TRY(training_begin(t, env, table, options));
	input.params = &t->params;
	input.schema = t->schema;
	for (size_t part = 0; part < n_parts; part++)
	{
		size_t from = table->n * part / n_parts, to = table->n * (part + 1) / n_parts;
		void *state;

		ML_TRY(s->begin(&t->arena, &input, &state));
		/* In bites of up to 100 rows, as they come from a query. */
		for (size_t i = from; i < to; i += 100)
			ML_TRY(s->accumulate(state, table->x + i * table->n_numbers, table->y + i,
								 table->w ? table->w + i : NULL, ML_MIN(100, to - i)));
		if (n_parts > 1)
			ML_TRY(travel(t, &input, &state));
		if (total)
			ML_TRY(s->merge(total, state));
		else
			total = state;
	}
	ML_TRY(s->finish(total, &t->arena, t->schema, &t->report, &t->model));
	return fixture_algo->coefficients(env, t->model, t->schema, keep_row, t);
}

/* The table as a frame: features, target, weight. */
static inline MlStatus
make_frame(MlEnv *env, const Table *table, MlFrame **frame)
{
	uint32_t n = table->n_numbers + table->n_factors;
	MlWidth widths[512];
	double row[512];

	for (uint32_t c = 0; c < n + 2; c++)
		widths[c] = c >= table->n_numbers && c < n ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	ML_TRY(ml_frame_create(env, widths, n + 2, frame));
	for (size_t i = 0; i < table->n; i++)
	{
		MlStatus status;

		memcpy(row, table->x + i * n, n * sizeof(double));
		row[n] = table->y[i];
		row[n + 1] = table->w ? table->w[i] : 1;
		status = ml_frame_append(*frame, row);
		if (status != ML_OK)
		{
			ml_frame_free(*frame);
			return status;
		}
	}
	return ML_OK;
}

/* Fit from a dataset. */
static inline MlStatus
train_frame(Training *t, MlEnv *env, const Table *table, const char *options)
{
	uint32_t n = table->n_numbers + table->n_factors;
	MlFitInput input = {.train = {NULL, table->n}};
	MlDataset data = {.task = ML_REGRESSION, .target_column = n};
	MlFrame *frame;
	MlStatus status;

	ML_TRY(training_begin(t, env, table, options));
	ML_TRY(make_frame(env, table, &frame));
	data.schema = t->schema;
	data.frame = frame;
	data.weight_column = table->w ? (int64_t) n + 1 : -1;
	input.params = &t->params;
	input.data = &data;
	status = fixture_algo->fit(env, &t->arena, &input, &t->report, &t->model);
	ml_frame_free(frame);
	ML_TRY(status);
	return fixture_algo->coefficients(env, t->model, t->schema, keep_row, t);
}

/* The coefficient of that name; NaN: there is none. */
static inline double
coefficient_of(const Training *t, const char *name)
{
	for (size_t k = 0; k < t->n_rows; k++)
	{
		if (strcmp(t->names[k], name) == 0)
			return t->rows[k].value;
	}
	return NAN;
}

/* A number of the summary; NaN when it is null. */
static inline double
summary_number(const Training *t, const char *name)
{
	char key[64], text[4096];
	const char *at;

	snprintf(text, sizeof text, "%.*s", (int) t->report.summary.len,
			 (const char *) t->report.summary.data);
	snprintf(key, sizeof key, "\"%s\":", name);
	at = strstr(text, key);
	return at && strncmp(at + strlen(key), "null", 4) != 0 ? strtod(at + strlen(key), NULL) : NAN;
}

static inline double
predict_row(const Training *t, const double *x)
{
	double out;

	fixture_algo->predict(t->model, x, &out);
	return out;
}

/* Room for a table; free with table_free. */
static inline Table
table_make(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels)
{
	Table t = {n, n_numbers, n_factors, n_levels, NULL, NULL, NULL};

	t.x = calloc(n * (n_numbers + n_factors) + 1, sizeof(double));
	t.y = calloc(n + 1, sizeof(double));
	return t;
}

static inline void
table_free(Table *t)
{
	free(t->x);
	free(t->y);
	free(t->w);
}

/* Random normal numbers with unequal means and scales, random levels, a target that depends on all. */
static inline Table
table_random(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels, uint64_t seed)
{
	Table t = table_make(n, n_numbers, n_factors, n_levels);
	uint32_t width = n_numbers + n_factors;
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t i = 0; i < n; i++)
	{
		double *x = t.x + i * width;

		t.y[i] = 3 + ml_rng_normal(&rng);
		for (uint32_t j = 0; j < n_numbers; j++)
		{
			x[j] = 10.0 * j + (1 + j) * ml_rng_normal(&rng);
			t.y[i] += x[j] * (j % 2 ? -0.5 : 0.25);
		}
		for (uint32_t f = n_numbers; f < width; f++)
		{
			x[f] = (double) ml_rng_below(&rng, n_levels);
			t.y[i] += sin(x[f] + f);
		}
	}
	return t;
}

#endif /* LINEAR_FIXTURE_H */
