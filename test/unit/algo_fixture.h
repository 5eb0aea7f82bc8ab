/*
 * algo_fixture.h
 *		Tables and trainings for the tests of any resident algorithm, with a target or without.
 */
#ifndef ALGO_FIXTURE_H
#define ALGO_FIXTURE_H

#include "unit.h"

#include "algo/algo.h"

/* n rows: numbers, then level codes, row by row; y: value or class; w may be NULL. */
typedef struct Table
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels;
	MlTask task;
	uint32_t n_classes;
	double *x, *y, *w;
} Table;

/* A training: everything in one arena. */
typedef struct Trained
{
	MlEnv *env;
	const MlAlgo *algo;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlFitReport report;
	void *model;
	MlBuffer bytes;
	uint32_t n_outputs;
} Trained;

static inline Table
table_make(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels, MlTask task,
		   uint32_t n_classes)
{
	Table t = {n, n_numbers, n_factors, n_levels, task, n_classes, NULL, NULL, NULL};

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

static inline uint32_t
table_width(const Table *t)
{
	return t->n_numbers + t->n_factors;
}

/* Normal numbers of unequal means and scales, levels of unequal frequency, targets that depend on both. */
static inline Table
table_random(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels, MlTask task,
			 uint32_t n_classes, uint64_t seed)
{
	Table t = table_make(n, n_numbers, n_factors, n_levels, task, n_classes);
	uint32_t width = table_width(&t);
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t i = 0; i < n; i++)
	{
		double *x = t.x + i * width, score = 0;

		for (uint32_t j = 0; j < width; j++)
		{
			double u = ml_rng_uniform(&rng);

			x[j] =
				j < n_numbers ? 10.0 * j + (1 + j) * ml_rng_normal(&rng) : floor(u * u * n_levels);
			score += j < n_numbers ? sin(2 * (x[j] - 10.0 * j) / (1 + j) + j) : cos(x[j] + j);
		}
		t.y[i] = n_classes == 0
					 ? 100 + 50 * score
					 : fmin(n_classes - 1, fmax(0, floor((score / 3 + 0.5) * n_classes)));
	}
	return t;
}

/* Numbers x1, x2, ... and factors f1, f2, ... with levels l0, l1, ... */
static inline MlStatus
trained_schema(Trained *f, const Table *t)
{
	uint32_t n = table_width(t), code;
	char text[32];

	ML_TRY(ml_schema_create(&f->arena, n, &f->schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &f->schema->inputs[i];
		bool factor = i >= t->n_numbers;

		snprintf(text, sizeof text, factor ? "f%u" : "x%u",
				 (unsigned) (factor ? i - t->n_numbers + 1 : i + 1));
		input->name = input->type_name = ml_arena_text(&f->arena, text, strlen(text));
		if (!input->name)
			return ML_ENOMEM;
		input->kind = factor ? ML_CATEGORICAL : ML_NUMERIC;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(f->schema));
	for (uint32_t i = t->n_numbers; i < n; i++)
		for (uint32_t k = 0; k < t->n_levels; k++)
		{
			snprintf(text, sizeof text, "l%u", (unsigned) k);
			ML_TRY(ml_dict_add(f->schema->inputs[i].levels, text, strlen(text), &code));
		}
	ml_schema_seal(f->schema);
	return ML_OK;
}

/* The rows, with target and weight behind the features. */
static inline MlStatus
trained_frame(Trained *f, const Table *t)
{
	uint32_t n = table_width(t);
	MlWidth widths[512];
	double row[512];

	for (uint32_t j = 0; j < n + 2; j++)
		widths[j] = j >= t->n_numbers && j < n ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	ML_TRY(ml_frame_create(f->env, widths, n + 2, &f->frame));
	for (size_t i = 0; i < t->n; i++)
	{
		memcpy(row, t->x + i * n, n * sizeof(double));
		row[n] = t->y[i];
		row[n + 1] = t->w ? t->w[i] : 1;
		ML_TRY(ml_frame_append(f->frame, row));
	}
	return ML_OK;
}

static inline MlDataset
trained_dataset(const Trained *f, const Table *t)
{
	bool target = t->task == ML_REGRESSION || t->task == ML_CLASSIFICATION;

	return (MlDataset){.schema = f->schema,
					   .frame = f->frame,
					   .task = t->task,
					   .n_classes = t->n_classes,
					   .target_column = target ? (int64_t) table_width(t) : -1,
					   .weight_column = t->w ? (int64_t) table_width(t) + 1 : -1};
}

/* Train on from a model (NULL: afresh) and save. Call trained_end whatever it returns. */
static inline MlStatus
train_on(Trained *f, MlEnv *env, const MlAlgo *algo, const Table *t, const char *options,
		 const void *previous)
{
	const MlParam *tables[] = {algo->params};
	MlParams params;
	MlDataset data;
	MlFitInput input = {
		.params = &params, .data = &data, .train = {NULL, t->n}, .seed = 7, .previous = previous};
	MlJson *json;

	memset(f, 0, sizeof *f);
	f->env = env;
	f->algo = algo;
	f->n_outputs = t->n_classes > 2 ? t->n_classes : 1;
	ml_arena_init(&f->arena, env);
	ml_buffer_init(&f->report.summary, env);
	ml_buffer_init(&f->report.log, env);
	ml_buffer_init(&f->bytes, env);
	ML_TRY(trained_schema(f, t));
	ML_TRY(ml_json_parse(&f->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&f->arena, algo->name, tables, 1, json, &params));
	ML_TRY(trained_frame(f, t));
	data = trained_dataset(f, t);
	ML_TRY(algo->fit(env, &f->arena, &input, &f->report, &f->model));
	algo->save(f->model, &f->bytes);
	ML_TRY(f->bytes.status);
	ML_TRY(f->report.summary.status);
	return f->report.log.status;
}

static inline MlStatus
train(Trained *f, MlEnv *env, const MlAlgo *algo, const Table *t, const char *options)
{
	return train_on(f, env, algo, t, options, NULL);
}

static inline void
trained_end(Trained *f)
{
	ml_frame_free(f->frame);
	ml_buffer_free(&f->bytes);
	ml_buffer_free(&f->report.log);
	ml_buffer_free(&f->report.summary);
	ml_arena_free(&f->arena);
}

/* Load from the bytes of f, with n of them changed or cut as the caller wishes; into f's arena. */
static inline MlStatus
trained_load(Trained *f, const void *bytes, size_t len, void **model)
{
	MlReader in;
	MlStatus status;

	ml_reader_init(&in, f->env, bytes, len);
	status = f->algo->load(&in, &f->arena, f->schema, f->n_outputs, model);
	return status == ML_OK ? ml_reader_end(&in, f->algo->name) : status;
}

/* A number of the summary; NaN: it is not there. */
static inline double
trained_number(const Trained *f, const char *name)
{
	char text[8192], key[64];
	const char *at;

	snprintf(text, sizeof text, "%.*s", (int) f->report.summary.len,
			 (const char *) f->report.summary.data);
	snprintf(key, sizeof key, "\"%s\":", name);
	at = strstr(text, key);
	return at && strncmp(at + strlen(key), "null", 4) != 0 ? strtod(at + strlen(key), NULL) : NAN;
}

/* Save, load, and predict: the same numbers. */
static inline void
check_save_and_load(Trained *f, const Table *t)
{
	double before[64], after[64];
	void *loaded;

	CHECK(trained_load(f, f->bytes.data, f->bytes.len, &loaded) == ML_OK);
	for (size_t i = 0; !unit_case_failed && i < ML_MIN(t->n, 200); i++)
	{
		f->algo->predict(f->model, t->x + i * table_width(t), before);
		f->algo->predict(loaded, t->x + i * table_width(t), after);
		CHECK(memcmp(before, after, f->n_outputs * sizeof(double)) == 0);
	}
}

/* Every cut and many damages of the bytes: a clean refusal, or a model that predicts. */
static inline void
check_hostile_bytes(Trained *f, const Table *t, int rounds)
{
	uint8_t *copy = malloc(f->bytes.len);
	double x[512], out[64];
	void *loaded;
	MlRng rng;

	ml_rng_seed(&rng, 99, 0);
	for (int round = 0; round < rounds; round++)
	{
		size_t len = f->bytes.len;
		MlStatus status;

		memcpy(copy, f->bytes.data, len);
		if (round % 3 == 0)
			len = ml_rng_below(&rng, len);
		else
			for (int k = 0; k <= round % 4; k++)
				copy[ml_rng_below(&rng, round % 2 ? ML_MIN(len, 200) : len)] =
					round % 5 == 0 ? 0xff : (uint8_t) ml_rng_next(&rng);
		status = trained_load(f, copy, len, &loaded);
		CHECK(status == ML_OK || status == ML_ECORRUPT || status == ML_ENOMEM);
		for (int which = 0; status == ML_OK && which < 3; which++)
		{
			for (uint32_t j = 0; j < table_width(t); j++)
				x[j] = which == 0 ? NAN : which == 1 ? INFINITY : t->x[j];
			f->algo->predict(loaded, x, out);
		}
	}
	free(copy);
}

/* The same bytes and log with one thread and with three. */
static inline void
check_threads(const MlAlgo *algo, const Table *t, const char *options)
{
	MlEnv one, three;
	Trained a, b;

	ml_env_init(&one);
	ml_env_init(&three);
	one.n_threads = 1;
	three.n_threads = 3;
	CHECK(train(&a, &one, algo, t, options) == ML_OK);
	CHECK(train(&b, &three, algo, t, options) == ML_OK);
	CHECK(a.bytes.len > 0 && a.bytes.len == b.bytes.len);
	CHECK(memcmp(a.bytes.data, b.bytes.data, ML_MIN(a.bytes.len, b.bytes.len)) == 0);
	CHECK(a.report.log.len == b.report.log.len &&
		  (a.report.log.len == 0 ||
		   memcmp(a.report.log.data, b.report.log.data, a.report.log.len) == 0));
	trained_end(&b);
	trained_end(&a);
	ml_env_close(&three);
	ml_env_close(&one);
}

typedef struct TrainCase
{
	const MlAlgo *algo;
	const Table *table;
	const char *options;
} TrainCase;

static inline MlStatus
train_and_forget(MlEnv *env, void *arg)
{
	const TrainCase *c = arg;
	Trained f;
	void *loaded;
	MlStatus status = train(&f, env, c->algo, c->table, c->options);

	if (status == ML_OK)
		status = trained_load(&f, f.bytes.data, f.bytes.len, &loaded);
	trained_end(&f);
	return status;
}

/* Says yes from the n-th poll on. */
static inline bool
cancel_after(void *ctx)
{
	long *left = ctx;

	return --*left < 0;
}

/* A cancel at any poll ends the fit and leaves nothing behind. */
static inline void
check_cancel(const MlAlgo *algo, const Table *t, const char *options, long polls, long step)
{
	for (long n = 0; n < polls; n += step)
	{
		MlEnv env;
		Trained f;
		long left = n;
		MlStatus status;

		ml_env_init(&env);
		env.canceled = cancel_after;
		env.ctx = &left;
		status = train(&f, &env, algo, t, options);
		CHECK(status == ML_OK || status == ML_ECANCELED);
		CHECK(n > 0 || status == ML_ECANCELED);
		trained_end(&f);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

#endif /* ALGO_FIXTURE_H */
