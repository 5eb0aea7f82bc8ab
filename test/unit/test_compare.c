/*
 * test_compare.c
 *		A training that compares: folds, search and auto, from rows to the image's facts.
 */
#include "core/json.h"
#include "core/rng.h"
#include "model/compare.h"
#include "unit.h"

#define N_ROWS 300

/* A training: rows (x, z), y = 2 x + noise or a class, a group and a time. */
typedef struct Training
{
	MlEnv *env;
	MlArena arena;
	MlTrainer *trainer;
	MlTrainResult result;
	MlJson *info, *trials;
} Training;

static MlStatus
set_input(MlArena *arena, MlInput *input, const char *name)
{
	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = ml_arena_text(arena, "float8", 6);
	input->width = ML_WIDTH_FLOAT64;
	input->n_slots = 1;
	return input->name && input->type_name ? ML_OK : ML_ENOMEM;
}

static MlStatus
begin(Training *t, MlEnv *env, const char *options, bool classes)
{
	MlTrainerSetup setup = {
		.options = options,
		.options_len = strlen(options),
		.target = "y",
		.target_kind = classes ? ML_TARGET_BOOL : ML_TARGET_NUMBER,
		.target_width = ML_WIDTH_FLOAT64,
		.keep_rows = true,
	};

	*t = (Training){.env = env};
	ml_arena_init(&t->arena, env);
	ML_TRY(ml_schema_create(&t->arena, 2, &setup.schema));
	ML_TRY(set_input(&t->arena, &setup.schema->inputs[0], "x"));
	ML_TRY(set_input(&t->arena, &setup.schema->inputs[1], "z"));
	ML_TRY(ml_schema_layout(setup.schema));
	return ml_trainer_create(&t->arena, &setup, &t->trainer);
}

/* Rows, with the columns behind the target that the options ask for. */
static MlStatus
add_rows(Training *t, int n, bool classes)
{
	const MlTrainSpec *spec = ml_trainer_spec(t->trainer);

	for (int i = 0; i < n; i++)
	{
		double x = (double) (ml_mix64((uint64_t) i) % 1000) / 100;
		double noise = (double) (ml_mix64((uint64_t) i + 5000) % 1000) / 500 - 1;
		double raw[4] = {x, noise * noise};
		int at = 2;

		raw[at++] = classes ? x + noise > 5 : 2 * x + noise;
		if (spec->group_by || spec->order_by)
			raw[at++] = spec->group_by ? i % 10 : n - i;
		ML_TRY(ml_trainer_add(t->trainer, raw));
	}
	return ML_OK;
}

static MlStatus
parse(Training *t, const MlBuffer *text, MlJson **out)
{
	return ml_json_parse(&t->arena, (const char *) text->data, text->len, out);
}

static MlStatus
finish(Training *t, double holdout)
{
	MlTrainOptions options = {.holdout = holdout, .compare = true};

	ML_TRY(ml_trainer_finish(t->trainer, &t->arena, &options, &t->result));
	ML_TRY(parse(t, &t->result.info, &t->info));
	return t->result.trials.len > 0 ? parse(t, &t->result.trials, &t->trials) : ML_OK;
}

static void
end(Training *t)
{
	ml_trainer_free(t->trainer);
	if (t->result.image.env)
	{
		ml_buffer_free(&t->result.image);
		ml_buffer_free(&t->result.info);
		ml_buffer_free(&t->result.trials);
	}
	ml_arena_free(&t->arena);
}

/* All of it. */
static MlStatus
train(Training *t, MlEnv *env, const char *options, bool classes, int n, double holdout)
{
	MlStatus status = begin(t, env, options, classes);

	if (status == ML_OK)
		status = add_rows(t, n, classes);
	return status == ML_OK ? finish(t, holdout) : status;
}

static double
number(const MlJson *object, const char *key)
{
	const MlJson *value = ml_json_get(object, key);

	return value && value->type == ML_JSON_NUMBER ? value->number : NAN;
}

/* ---- cases ---- */

static void
one_candidate(void)
{
	MlEnv env;
	Training t;
	double mean = 0, squares = 0;
	const MlJson *folds, *validation;

	ml_env_init(&env);
	CHECK(train(&t, &env, "{\"algorithm\": \"linear\", \"folds\": 4}", false, N_ROWS, 0) == ML_OK);
	validation = ml_json_get(t.info, "validation");
	folds = ml_json_get(validation, "fold_scores");
	CHECK(t.trials && t.trials->n == 1 && folds && folds->n == 4);
	for (size_t k = 0; k < 4; k++)
		mean += folds->items[k].number / 4;
	for (size_t k = 0; k < 4; k++)
		squares += (folds->items[k].number - mean) * (folds->items[k].number - mean);
	CHECK_NEAR(t.result.score, mean, 1e-12); /* without a hold-out, the mean over the folds */
	CHECK_NEAR(number(validation, "stddev"), sqrt(squares / 3), 1e-12);
	CHECK(mean > 0.5 && mean < 0.65); /* the noise: uniform between -1 and 1 */
	CHECK(t.result.valid_rows == 0 && number(validation, "folds") == 4);
	end(&t);
	CHECK(train(&t, &env, "{\"algorithm\": \"linear\", \"folds\": 4}", false, N_ROWS, 0.2) ==
		  ML_OK);
	CHECK(t.result.valid_rows == 60);
	CHECK(t.result.score != number(ml_json_get(t.info, "validation"), "score"));
	end(&t);
	CHECK(env.used == 0);
}

/* The best of a search is what the model is made of. */
static void
search(void)
{
	static const char *const options =
		"{\"algorithm\": \"gbdt\", \"n_trees\": 30, \"search\": {\"learning_rate\": [0.001, 0.2], "
		"\"max_leaves\": [2, 4]}, \"folds\": 2}";
	MlEnv env;
	Training t;
	int chosen = 0;

	ml_env_init(&env);
	env.n_threads = 2;
	CHECK(train(&t, &env, options, false, N_ROWS, 0.2) == ML_OK);
	CHECK(t.trials && t.trials->n == 4);
	for (size_t i = 0; i < t.trials->n; i++)
	{
		const MlJson *trial = &t.trials->items[i];

		CHECK(number(trial, "trial") == (double) i + 1);
		if (!ml_json_get(trial, "chosen")->boolean)
			continue;
		chosen++;
		CHECK(number(trial, "rank") == 1);
		for (size_t p = 0; p < ml_json_get(trial, "params")->n; p++)
		{
			const MlJson *params = ml_json_get(trial, "params");

			CHECK(number(ml_json_get(t.info, "params"), params->keys[p]) ==
				  params->items[p].number);
		}
		CHECK(number(ml_json_get(trial, "params"), "learning_rate") == 0.2);
	}
	CHECK(chosen == 1);
	end(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* auto: several algorithms, the best of them in the image; nothing to compare with few rows. */
static void
several_algorithms(void)
{
	MlEnv env;
	Training t;
	int n_gbdt = 0, n_others = 0;

	ml_env_init(&env);
	CHECK(train(&t, &env, "{\"folds\": 2}", false, N_ROWS, 0.2) == ML_OK);
	CHECK(t.trials && t.trials->n > 2);
	for (size_t i = 0; i < t.trials->n; i++)
	{
		bool gbdt = strcmp(ml_json_get(&t.trials->items[i], "algorithm")->string, "gbdt") == 0;

		n_gbdt += gbdt;
		n_others += !gbdt;
		if (ml_json_get(&t.trials->items[i], "chosen")->boolean)
			CHECK(strcmp(ml_json_get(&t.trials->items[i], "algorithm")->string,
						 ml_json_get(t.info, "algorithm")->string) == 0);
	}
	CHECK(n_gbdt > 1 && n_others >= 1);
	CHECK(strcmp(t.result.model->algo->name, "gbdt") != 0); /* a line */
	end(&t);
	CHECK(train(&t, &env, "{}", false, 30, 0) == ML_OK);
	CHECK(!t.trials && strcmp(t.result.model->algo->name, "gbdt") == 0);
	end(&t);
	CHECK(env.used == 0);
}

/* Columns to split by stand behind the target, and are no features. */
static void
groups_and_order(void)
{
	static const char *const options[2] = {
		"{\"algorithm\": \"linear\", \"folds\": 2, \"group_by\": \"g\"}",
		"{\"algorithm\": \"linear\", \"folds\": 2, \"order_by\": \"t\"}",
	};
	MlEnv env;
	Training t;
	double raw[4] = {1, 2, 3, NAN};

	ml_env_init(&env);
	for (int way = 0; way < 2; way++)
	{
		CHECK(train(&t, &env, options[way], false, N_ROWS, 0.2) == ML_OK);
		CHECK(t.result.valid_rows == 60 && t.result.model->schema->n_features == 2);
		CHECK(ml_trainer_add(t.trainer, raw) == ML_EDATA);
		CHECK(strcmp(env.error, way == 0 ? "group_by column \"g\" is missing in row 301"
										 : "order_by column \"t\" is missing in row 301") == 0);
		end(&t);
	}
	/* two classes, but not in the rows that come first */
	CHECK(begin(&t, &env, "{\"algorithm\": \"logistic\", \"order_by\": \"t\"}", true) == ML_OK);
	for (int i = 0; i < 100; i++)
		CHECK(ml_trainer_add(t.trainer, (double[4]){i, 0, i >= 80, i}) == ML_OK);
	CHECK(finish(&t, 0.2) == ML_EDATA);
	CHECK(strcmp(env.error, "the training rows have one class only") == 0);
	end(&t);
	CHECK(env.used == 0);
}

typedef struct Refused
{
	const char *options, *error;
} Refused;

static const Refused refused[] = {
	{"{\"folds\": 1}", "option \"folds\" must be 0 or at least 2, not 1"},
	{"{\"time_budget\": 0}", "option \"time_budget\" must be more than 0 seconds"},
	{"{\"group_by\": \"a\", \"order_by\": \"b\"}",
	 "options \"group_by\" and \"order_by\" exclude each other"},
	{"{\"n_trees\": 3}",
	 "option \"n_trees\" belongs to one algorithm, and \"auto\" compares several"},
	{"{\"search\": {\"max_leaves\": [3]}}",
	 "option \"search\" is over the parameters of one algorithm, not \"auto\""},
	{"{\"algorithm\": \"linear\", \"search\": {\"l3\": [3]}}",
	 "search over \"l3\": algorithm \"linear\" has no such parameter"},
};

/* Before any row is read; and all of it where rows cannot be kept. */
static void
refusals(void)
{
	MlEnv env;
	Training t;

	ml_env_init(&env);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
	{
		MlArena arena;
		MlJson *json;
		MlTrainSpec *spec;
		MlStatus status;

		ml_arena_init(&arena, &env);
		CHECK(ml_json_parse(&arena, refused[i].options, strlen(refused[i].options), &json) ==
			  ML_OK);
		status = ml_train_spec_parse(&arena, json, &spec);
		if (status == ML_OK)
			status = ml_compare_check(&arena, spec);
		CHECK(status == ML_EINVAL && strcmp(env.error, refused[i].error) == 0);
		ml_arena_free(&arena);
	}
	CHECK(begin(&t, &env, "{\"algorithm\": \"linear\", \"folds\": 2}", false) == ML_OK);
	CHECK(ml_train_spec_plain(&env, ml_trainer_spec(t.trainer)) == ML_EINVAL);
	CHECK(strcmp(env.error, "option \"folds\" is for create_model only") == 0);
	end(&t);
	CHECK(env.used == 0);
}

static MlStatus
some_training(MlEnv *env, void *arg)
{
	Training t;
	MlStatus status = train(&t, env, arg, false, 40, 0.2);

	end(&t);
	return status;
}

static void
allocations_fail(void)
{
	unit_every_allocation_fails(
		some_training, "{\"algorithm\": \"linear\", \"folds\": 2, \"order_by\": \"t\"}", 5000);
}

int
main(void)
{
	RUN(one_candidate);
	RUN(search);
	RUN(several_algorithms);
	RUN(groups_and_order);
	RUN(refusals);
	RUN(allocations_fail);
	return unit_end();
}
