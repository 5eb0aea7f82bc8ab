/*
 * test_decision.c
 *		Class weights, calibration and thresholds inside a whole training.
 */
#include "image_fixture.h"

/* Train; the facts as JSON and the bytes stay in the arena's environment. */
static MlStatus
train(MlArena *arena, const ImageCase *c, MlTrainResult *result, MlJson **info)
{
	ML_TRY(train_image(arena, c, result));
	return ml_json_parse(arena, (const char *) result->info.data, result->info.len, info);
}

static void
release(MlTrainResult *result)
{
	ml_buffer_free(&result->image);
	ml_buffer_free(&result->info);
}

static double
decision_number(const MlJson *info, const char *key)
{
	const MlJson *decision = ml_json_get(info, "decision");
	const MlJson *value = decision ? ml_json_get(decision, key) : NULL;

	return value && value->type == ML_JSON_NUMBER ? value->number : NAN;
}

/* Calibration and threshold are found out of fold, told in the facts, and work in the decoded image. */
static void
decisions_reach_the_image(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_CLASSIFICATION, 2,
				   ",\"calibration\":\"platt\",\"threshold\":\"youden\""};
	MlTrainResult result;
	MlModel *model;
	MlArena arena;
	MlJson *info;
	MlEnv env;
	double p[2] = {0.6, 0.4};

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(train(&arena, &c, &result, &info) == ML_OK);
	CHECK(decision_number(info, "folds") == 5 && decision_number(info, "rows") == IMAGE_ROWS);
	CHECK(decision_number(info, "log_loss_after") < decision_number(info, "log_loss_before"));
	CHECK(ml_image_decode(&arena, result.image.data, result.image.len, &model) == ML_OK);
	CHECK(model->threshold == decision_number(info, "threshold"));
	CHECK(model->calibration && model->calibration->kind == ML_CALIBRATION_PLATT);
	CHECK(ml_model_class(model, p) == (0.4 > model->threshold));
	release(&result);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* Without the options there is no section, and the fit does not depend on them. */
static void
decisions_do_not_touch_the_fit(void)
{
	ImageCase plain = {ml_algo_find("gbdt"), ML_CLASSIFICATION, 2, NULL}, fixed = plain;
	MlTrainResult a, b;
	MlModel *model, *other;
	MlArena arena;
	MlJson *info;
	MlEnv env;

	fixed.more = ",\"threshold\":0.25,\"calibration\":\"isotonic\"";
	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(train(&arena, &plain, &a, &info) == ML_OK);
	CHECK(ml_json_get(info, "decision") == NULL);
	CHECK(train(&arena, &fixed, &b, &info) == ML_OK);
	CHECK(ml_image_decode(&arena, a.image.data, a.image.len, &model) == ML_OK);
	CHECK(ml_image_decode(&arena, b.image.data, b.image.len, &other) == ML_OK);
	CHECK(!model->calibration && model->threshold == 0.5);
	CHECK(other->calibration && other->threshold == 0.25);
	for (int which = 0; which < 6; which++)
	{
		double x[16], p, q;

		strange_row(model->schema, which, x);
		model->algo->predict(model->fitted, x, &p);
		other->algo->predict(other->fitted, x, &q);
		CHECK(p == q);
	}
	release(&a);
	release(&b);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* The image does not depend on the number of threads. */
static void
threads_do_not_matter(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_CLASSIFICATION, 3, ",\"calibration\":\"isotonic\""};
	MlTrainResult results[2];
	MlArena arenas[2];
	MlEnv envs[2];
	MlJson *info;

	for (int k = 0; k < 2; k++)
	{
		ml_env_init(&envs[k]);
		envs[k].n_threads = k == 0 ? 1 : 3;
		ml_arena_init(&arenas[k], &envs[k]);
		CHECK(train(&arenas[k], &c, &results[k], &info) == ML_OK);
	}
	CHECK(results[0].image.len == results[1].image.len &&
		  memcmp(results[0].image.data, results[1].image.data, results[0].image.len) == 0);
	for (int k = 0; k < 2; k++)
	{
		release(&results[k]);
		ml_arena_free(&arenas[k]);
		ml_env_close(&envs[k]);
	}
}

/* Weights by hand: those of one class doubled is not the same as none, equal ones are. */
static void
class_weights_are_factors(void)
{
	static const char *const options[] = {"", ",\"class_weight\":{\"late\":1,\"on time\":1}",
										  ",\"class_weight\":{\"late\":50}",
										  ",\"class_weight\":\"balanced\""};
	double p[4];
	MlEnv env;

	ml_env_init(&env);
	for (int k = 0; k < 4; k++)
	{
		ImageCase c = {ml_algo_find("logistic"), ML_CLASSIFICATION, 2, options[k]};
		MlTrainResult result;
		MlArena arena;
		MlJson *info;
		double x[16], probs[2];

		ml_arena_init(&arena, &env);
		CHECK(train(&arena, &c, &result, &info) == ML_OK);
		strange_row(result.model->schema, 3, x);
		for (uint32_t j = 0; j < result.model->schema->n_features; j++)
			x[j] = result.model->schema->features[j].categorical ? 0 : NAN;
		ml_model_predict(result.model, x, probs);
		p[k] = probs[0]; /* "late" */
		release(&result);
		ml_arena_free(&arena);
	}
	CHECK(p[0] == p[1] && p[2] > p[0] && p[3] != p[0]);
	ml_env_close(&env);
}

static void
bad_options_are_refused(void)
{
	static const struct
	{
		uint32_t n_classes;
		const char *more, *part;
	} bad[] = {
		{2, ",\"class_weight\":\"equal\"", "class_weight"},
		{2, ",\"class_weight\":[1,2]", "class_weight"},
		{2, ",\"class_weight\":{\"late\":0}", "above 0"},
		{2, ",\"class_weight\":{\"lat\":2}", "does not have"},
		{3, ",\"threshold\":0.3", "two classes"},
		{3, ",\"threshold\":\"f1\"", "two classes"},
		{0, ",\"threshold\":0.3", "classification"},
		{0, ",\"calibration\":\"platt\"", "classification"},
		{2, ",\"calibration\":\"sigmoid\"", "platt"},
		{2, ",\"calibration_folds\":50", "calibration_folds"},
	};

	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
	{
		ImageCase c = {ml_algo_find("gbdt"),
					   bad[k].n_classes > 0 ? ML_CLASSIFICATION : ML_REGRESSION, bad[k].n_classes,
					   bad[k].more};
		MlTrainResult result = {0};
		MlArena arena;
		MlEnv env;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		CHECK(train_image(&arena, &c, &result) == ML_EINVAL);
		if (!strstr(env.error, bad[k].part))
		{
			printf("# \"%s\" without \"%s\"\n", env.error, bad[k].part);
			unit_case_failed++;
		}
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
}

static MlStatus
train_and_forget(MlEnv *env, void *arg)
{
	MlTrainResult result = {0};
	MlArena arena;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = train_image(&arena, arg, &result);
	ml_buffer_free(&result.image);
	ml_buffer_free(&result.info);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	ImageCase c = {ml_algo_find("logistic"), ML_CLASSIFICATION, 2,
				   ",\"calibration\":\"isotonic\",\"threshold\":\"f1\",\"calibration_folds\":2,"
				   "\"class_weight\":\"balanced\""};

	unit_every_allocation_fails(train_and_forget, &c, 5000);
}

int
main(void)
{
	RUN(decisions_reach_the_image);
	RUN(decisions_do_not_touch_the_fit);
	RUN(threads_do_not_matter);
	RUN(class_weights_are_factors);
	RUN(bad_options_are_refused);
	RUN(every_allocation_may_fail);
	return unit_end();
}
