/*
 * test_trainer.c
 *		The trainer: streamed = collected, merged = all at once, travels, refuses what it must.
 */
#include "core/rng.h"
#include "model/trainer.h"
#include "unit.h"

#define N_ROWS 700

typedef struct Case
{
	const char *options;
	bool with_level; /* a second, categorical input */
	bool keep_rows;
	bool has_weight;
	MlTargetKind target_kind;
} Case;

static const Case plain = {"{\"algorithm\": \"linear\"}", false, false, false, ML_TARGET_NUMBER};
static const Case collected = {"{\"algorithm\": \"linear\"}", false, true, false, ML_TARGET_NUMBER};
static const Case levels = {"{\"algorithm\": \"linear\"}", true, false, false, ML_TARGET_NUMBER};

/* An input of the schema. */
static MlStatus
set_input(MlArena *arena, MlInput *input, const char *name, MlKind kind)
{
	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = ml_arena_text(arena, "test", 4);
	input->kind = kind;
	input->width = kind == ML_CATEGORICAL ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	input->n_slots = 1;
	return input->name && input->type_name ? ML_OK : ML_ENOMEM;
}

static MlStatus
begin(MlArena *arena, const Case *c, MlTrainer **trainer)
{
	MlTrainerSetup setup = {
		.options = c->options,
		.options_len = strlen(c->options),
		.target = "y",
		.target_kind = c->target_kind,
		.target_width = c->target_kind == ML_TARGET_TEXT ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64,
		.has_weight = c->has_weight,
		.keep_rows = c->keep_rows,
	};

	ML_TRY(ml_schema_create(arena, c->with_level ? 2 : 1, &setup.schema));
	ML_TRY(set_input(arena, &setup.schema->inputs[0], "x", ML_NUMERIC));
	if (c->with_level)
		ML_TRY(set_input(arena, &setup.schema->inputs[1], "color", ML_CATEGORICAL));
	ML_TRY(ml_schema_layout(setup.schema));
	return ml_trainer_create(arena, &setup, trainer);
}

/* Rows first..last-1 of a fixed data set, y = 3 x + effect of the level + noise, a missing y now and then. */
static MlStatus
add_rows(MlTrainer *trainer, const Case *c, int first, int last)
{
	static const char *const colors[] = {"red", "green", "blue"};

	for (int i = first; i < last; i++)
	{
		double raw[4];
		double x = (double) (ml_mix64((uint64_t) i) % 1000) / 100;
		int color = (int) (ml_mix64((uint64_t) i + 5000) % 3);
		double y = 3 * x + 2 * color + (double) (i % 7) / 10;
		int n = 0;

		raw[n++] = x;
		if (c->with_level)
		{
			uint32_t code;

			ML_TRY(ml_dict_add(ml_trainer_schema(trainer)->inputs[1].levels, colors[color],
							   strlen(colors[color]), &code));
			raw[n++] = code;
		}
		raw[n++] = i % 50 == 49 ? NAN : y;
		if (c->has_weight)
			raw[n++] = 1 + i % 3;
		ML_TRY(ml_trainer_add(trainer, raw));
	}
	return ML_OK;
}

/* The prediction of the finished model for x = 2, level "green". */
static MlStatus
finish(MlTrainer *trainer, MlArena *arena, double holdout, double *prediction,
	   MlTrainResult *result)
{
	MlTrainOptions options = {.holdout = holdout};
	double x[2] = {2, 0};
	MlStatus status = ml_trainer_finish(trainer, arena, &options, result);

	if (status == ML_OK)
	{
		const MlSchema *schema = result->model->schema;

		if (schema->n_inputs > 1)
			x[1] = ml_dict_find(schema->inputs[1].levels, "green", 5);
		ml_model_predict(result->model, x, prediction);
	}
	ml_buffer_free(&result->image);
	ml_buffer_free(&result->info);
	return status;
}

/* Train in n_parts pieces that meet in reverse order, each sent through bytes. */
static MlStatus
train_parts(MlEnv *env, const Case *c, int n_parts, double holdout, double *prediction,
			MlTrainResult *result)
{
	MlArena arena;
	MlTrainer *whole = NULL;
	MlStatus status = ML_OK;

	ml_arena_init(&arena, env);
	for (int part = n_parts - 1; part >= 0 && status == ML_OK; part--)
	{
		MlTrainer *trainer = NULL, *copy = NULL;
		MlBuffer bytes;
		MlReader in;

		ml_buffer_init(&bytes, env);
		status = begin(&arena, c, &trainer);
		if (status == ML_OK)
			status = add_rows(trainer, c, N_ROWS * part / n_parts, N_ROWS * (part + 1) / n_parts);
		if (status == ML_OK)
		{
			ml_trainer_save(trainer, &bytes);
			status = bytes.status;
		}
		if (status == ML_OK)
		{
			ml_reader_init(&in, env, bytes.data, bytes.len);
			status = ml_trainer_load(&in, &arena, &copy);
		}
		if (status == ML_OK)
			status = ml_reader_end(&in, "state");
		if (status == ML_OK && whole)
			status = ml_trainer_merge(whole, copy);
		ml_trainer_free(trainer);
		if (whole)
			ml_trainer_free(copy);
		else
			whole = copy;
		ml_buffer_free(&bytes);
	}
	if (status == ML_OK)
		status = finish(whole, &arena, holdout, prediction, result);
	ml_trainer_free(whole);
	ml_arena_free(&arena);
	return status;
}

static void
merged_is_all_at_once(void)
{
	const Case *const cases[] = {&plain, &collected, &levels};

	for (int k = 0; k < 3; k++)
	{
		double once, parts;
		MlTrainResult result;
		MlEnv env;

		ml_env_init(&env);
		CHECK(train_parts(&env, cases[k], 1, 0, &once, &result) == ML_OK);
		CHECK(result.rows == N_ROWS - N_ROWS / 50 && result.dropped == N_ROWS / 50);
		CHECK(train_parts(&env, cases[k], 3, 0, &parts, &result) == ML_OK);
		CHECK_NEAR(parts, once, 1e-12);
		CHECK(result.rows == N_ROWS - N_ROWS / 50);
		ml_env_close(&env);
	}
}

static void
streamed_is_collected(void)
{
	double streamed, kept;
	MlTrainResult result;
	MlEnv env;

	ml_env_init(&env);
	CHECK(train_parts(&env, &plain, 1, 0, &streamed, &result) == ML_OK);
	CHECK(train_parts(&env, &collected, 1, 0, &kept, &result) == ML_OK);
	CHECK_NEAR(streamed, kept, 1e-12);
	CHECK(isnan(result.score) && result.valid_rows == 0);
	CHECK(train_parts(&env, &collected, 1, 0.25, &kept, &result) == ML_OK);
	CHECK(result.valid_rows == (N_ROWS - N_ROWS / 50) / 4 + ((N_ROWS - N_ROWS / 50) % 4 >= 2));
	CHECK(result.score > 0 && result.score < 3);
	CHECK(strcmp(result.metric, "rmse") == 0);
	ml_env_close(&env);
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	double prediction;
	MlTrainResult result;

	return train_parts(env, arg, 2, 0.2, &prediction, &result);
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(train_once, (void *) &levels, 5000);
}

/* The error of creating a trainer, or of feeding one row. */
static void
expect_error(const Case *c, const double *row, MlStatus wanted, const char *part)
{
	MlEnv env;
	MlArena arena;
	MlTrainer *trainer = NULL;
	MlStatus status;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	status = begin(&arena, c, &trainer);
	if (status == ML_OK && row)
		status = ml_trainer_add(trainer, row);
	CHECK(status == wanted);
	if (!strstr(env.error, part) && !strstr(env.hint, part))
	{
		printf("# error \"%s\", hint \"%s\": no \"%s\"\n", env.error, env.hint, part);
		unit_case_failed++;
	}
	ml_trainer_free(trainer);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

static void
bad_input_is_refused(void)
{
	Case c = plain;

	c.options = "{\"algorithm\": \"linaer\"}";
	expect_error(&c, NULL, ML_EINVAL, "linear");
	c.options = "{\"algorithm\": \"linear\", \"weigth\": \"w\"}";
	expect_error(&c, NULL, ML_EINVAL, "weight");
	c.options = "{\"algorithm\": \"linear\", \"task\": \"classification\"}";
	expect_error(&c, NULL, ML_EINVAL, "does regression");
	c.options = "{\"algorithm\": \"linear\", \"exclude\": \"x\"}";
	expect_error(&c, NULL, ML_EINVAL, "array");
	c.options = "{\"algorithm\": \"linear\", \"prep\": {\"x\": 3}}";
	expect_error(&c, NULL, ML_EINVAL, "prep");
	c = plain;
	c.target_kind = ML_TARGET_TEXT;
	expect_error(&c, NULL, ML_EINVAL, "classification");
	expect_error(&plain, (double[]){1, INFINITY}, ML_EDATA, "infinite");
	c = plain;
	c.has_weight = true;
	expect_error(&c, (double[]){1, 1, -1}, ML_EDATA, "weight");
	expect_error(&c, (double[]){1, 1, NAN}, ML_EDATA, "missing");
}

/* Every prefix and every flipped byte of a state: an error or a sound trainer, never a crash. */
static void
hostile_states_are_refused(void)
{
	const Case *const cases[] = {&plain, &levels};

	for (int k = 0; k < 2; k++)
	{
		MlEnv env;
		MlArena arena;
		MlTrainer *trainer;
		MlBuffer bytes;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_buffer_init(&bytes, &env);
		CHECK(begin(&arena, cases[k], &trainer) == ML_OK &&
			  add_rows(trainer, cases[k], 0, 30) == ML_OK);
		ml_trainer_save(trainer, &bytes);
		for (size_t i = 0; i < 2 * bytes.len; i++)
		{
			bool flip = i >= bytes.len;
			MlArena temp;
			MlTrainer *loaded = NULL;
			MlTrainResult result;
			MlReader in;
			double prediction;

			if (flip)
				bytes.data[i - bytes.len] ^= 0x41;
			ml_arena_init(&temp, &env);
			ml_reader_init(&in, &env, bytes.data, flip ? bytes.len : i);
			if (ml_trainer_load(&in, &temp, &loaded) == ML_OK)
			{
				CHECK(flip);
				finish(loaded, &temp, 0, &prediction, &result);
				ml_trainer_free(loaded);
			}
			ml_arena_free(&temp);
			if (flip)
				bytes.data[i - bytes.len] ^= 0x41;
		}
		ml_trainer_free(trainer);
		ml_buffer_free(&bytes);
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
}

int
main(void)
{
	RUN(merged_is_all_at_once);
	RUN(streamed_is_collected);
	RUN(every_allocation_may_fail);
	RUN(bad_input_is_refused);
	RUN(hostile_states_are_refused);
	return unit_end();
}
