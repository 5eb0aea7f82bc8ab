/*
 * test_logistic_model.c
 *		A fitted logistic regression: prediction, contributions, importance, names, bytes.
 */
#include "logistic_fixture.h"

/* Two numbers, the second one sometimes missing, and a factor with a missing level. */
static Cells
with_missing(uint32_t n_classes)
{
	Cells c = cells_random(600, 2, 1, 5, n_classes, 40 + n_classes);

	for (size_t i = 0; i < 600; i++)
	{
		if (i % 7 == 0)
			c.x[i * 3 + 1] = NAN;
		if (i % 11 == 0)
			c.x[i * 3 + 2] = NAN;
	}
	return c;
}

/* The score of a row from the coefficient view alone. */
static double
score_by_hand(const Fit *fit, const double *x, int class_index)
{
	char name[32];
	double mean = 0, score = fit_row(fit, "(intercept)", class_index)->value;
	size_t there = 0;

	score += fit_row(fit, "x1", class_index)->value * x[0];
	for (size_t i = 0; i < 600; i++) /* a missing number stands for the mean of the others */
	{
		double value;

		ml_frame_read(fit->frame, 1, i, 1, &value);
		mean += value == value ? value : 0;
		there += value == value;
	}
	score += fit_row(fit, "x2", class_index)->value * (isnan(x[1]) ? mean / (double) there : x[1]);
	score += isnan(x[1]) ? fit_row(fit, "x2 is missing", class_index)->value : 0;
	snprintf(name, sizeof name, isnan(x[2]) ? "f1 is missing" : "f1=l%.0f", x[2]);
	return score + (x[2] == ML_UNSEEN ? 0 : fit_row(fit, name, class_index)->value);
}

static const double rows[][3] = {{1, 12, 0},        {-2, NAN, 3},        {0.5, 9, NAN},
								 {0, 0, ML_UNSEEN}, {3, NAN, ML_UNSEEN}, {-1, NAN, NAN}};
#define N_ROWS (sizeof rows / sizeof rows[0])

static void
predictions_follow_the_coefficients(void)
{
	Cells two = with_missing(2), three = with_missing(3);
	MlEnv env;
	Fit fit;
	double p[3];

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &two, "{}") == ML_OK);
	CHECK(fit.n_rows == 1 + 2 + 1 + 6);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		ml_algo_logistic.predict(fit.model, rows[i], p);
		CHECK_NEAR(p[0], 1 / (1 + exp(-score_by_hand(&fit, rows[i], -1))), 1e-12);
	}
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &three, "{}") == ML_OK);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		double e[3], sum = 0;

		ml_algo_logistic.predict(fit.model, rows[i], p);
		for (int k = 0; k < 3; k++)
			sum += e[k] = exp(score_by_hand(&fit, rows[i], k));
		for (int k = 0; k < 3; k++)
			CHECK_NEAR(p[k], e[k] / sum, 1e-12);
	}
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&two);
	cells_free(&three);
}

/* A code beyond the levels of training, as a grown dictionary may give, counts as unseen. */
static void
codes_beyond_the_levels_are_unseen(void)
{
	Cells c = with_missing(2);
	double unseen[3] = {1, 12, ML_UNSEEN}, beyond[3] = {1, 12, 5}, far[3] = {1, 12, 1e18}, p, q, r;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{}") == ML_OK);
	ml_algo_logistic.predict(fit.model, unseen, &p);
	ml_algo_logistic.predict(fit.model, beyond, &q);
	ml_algo_logistic.predict(fit.model, far, &r);
	CHECK(p == q && p == r);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

/* Contributions and base add up to the log-odds, and are zero on average over the training rows. */
static void
contributions_add_up(void)
{
	for (uint32_t classes = 2; classes <= 3; classes++)
	{
		Cells c = with_missing(classes);
		double part[3], base, mean[3] = {0};
		MlEnv env;
		Fit fit;

		ml_env_init(&env);
		CHECK(fit_cells(&fit, &env, &c, "{\"l2\":0.5}") == ML_OK);
		for (uint32_t k = 0; k < (classes == 2 ? 1 : classes); k++)
			for (size_t i = 0; i < N_ROWS; i++)
			{
				CHECK(ml_algo_logistic.contributions(&env, fit.model, rows[i], classes == 2 ? 1 : k,
													 part, &base) == ML_OK);
				CHECK_NEAR(base + part[0] + part[1] + part[2],
						   score_by_hand(&fit, rows[i], classes == 2 ? -1 : (int) k), 1e-12);
			}
		for (size_t i = 0; i < c.n; i++)
		{
			CHECK(ml_algo_logistic.contributions(&env, fit.model, c.x + i * 3, 0, part, &base) ==
				  ML_OK);
			for (int j = 0; j < 3; j++)
				mean[j] += part[j] / (double) c.n;
		}
		for (int j = 0; j < 3; j++)
			CHECK_NEAR(mean[j], 0, 1e-10);
		fit_end(&fit);
		ml_env_close(&env);
		cells_free(&c);
	}
}

/* Importance is the standard deviation of a feature's contribution. */
static void
importance_is_the_spread_of_contributions(void)
{
	Cells c = cells_random(500, 2, 1, 4, 2, 50);
	double gain[3], square[3] = {0}, part[3], base;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{}") == ML_OK);
	ml_algo_logistic.importance(fit.model, gain);
	for (size_t i = 0; i < c.n; i++)
	{
		CHECK(ml_algo_logistic.contributions(&env, fit.model, c.x + i * 3, 0, part, &base) ==
			  ML_OK);
		for (int j = 0; j < 3; j++)
			square[j] += part[j] * part[j] / (double) c.n;
	}
	for (int j = 0; j < 3; j++)
		CHECK_NEAR(gain[j], sqrt(square[j]), 1e-9);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

/* ---- bytes */

/* Load bytes; all memory is released. out: the first prediction, if it loads. */
static MlStatus
load(MlEnv *env, const Fit *fit, const uint8_t *bytes, size_t len, uint32_t n_outputs, double *out)
{
	MlArena arena;
	MlReader in;
	void *model;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_reader_init(&in, env, bytes, len);
	status = ml_algo_logistic.load(&in, &arena, fit->schema, n_outputs, &model);
	if (status == ML_OK)
		status = ml_reader_end(&in, "model");
	if (status == ML_OK)
		for (size_t i = 0; i < N_ROWS; i++)
			ml_algo_logistic.predict(model, rows[i], out + i * n_outputs);
	if (status == ML_OK)
	{
		double gain[3], part[3], base;

		ml_algo_logistic.importance(model, gain);
		status = ml_algo_logistic.contributions(env, model, rows[1], 0, part, &base);
	}
	ml_arena_free(&arena);
	return status;
}

static void
bytes_give_the_same_model(void)
{
	static const char *const options[] = {"{}", "{\"l2\":0}", "{\"intercept\":false}"};

	for (uint32_t classes = 2; classes <= 3; classes++)
		for (int o = 0; o < 3; o++)
		{
			Cells c = with_missing(classes);
			uint32_t outputs = classes == 2 ? 1 : classes;
			double want[3], got[3 * N_ROWS];
			MlEnv env;
			Fit fit;

			ml_env_init(&env);
			CHECK(fit_cells(&fit, &env, &c, options[o]) == ML_OK);
			CHECK(load(&env, &fit, fit.bytes.data, fit.bytes.len, outputs, got) == ML_OK);
			for (size_t i = 0; i < N_ROWS; i++)
			{
				ml_algo_logistic.predict(fit.model, rows[i], want);
				CHECK(memcmp(want, got + i * outputs, outputs * sizeof(double)) == 0);
			}
			CHECK(load(&env, &fit, fit.bytes.data, fit.bytes.len, outputs == 1 ? 3 : 1, got) ==
				  ML_ECORRUPT);
			fit_end(&fit);
			ml_env_close(&env);
			cells_free(&c);
		}
}

/* Every truncation is refused; every flipped byte is refused, or gives a model that predicts. */
static void
damaged_bytes_are_refused_or_harmless(void)
{
	Cells c = with_missing(2);
	double out[N_ROWS];
	MlEnv env;
	Fit fit;
	uint8_t *bytes;
	int refused = 0;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{\"l2\":0}") == ML_OK);
	for (size_t len = 0; len < fit.bytes.len; len++)
	{
		bytes = malloc(len + 1); /* so that the sanitizer sees a read beyond the end */
		memcpy(bytes, fit.bytes.data, len);
		CHECK(load(&env, &fit, bytes, len, 1, out) == ML_ECORRUPT);
		free(bytes);
	}
	bytes = malloc(fit.bytes.len);
	for (size_t i = 0; i < fit.bytes.len; i++)
		for (int flip = 1; flip < 256; flip = flip * 4 + 3)
		{
			MlStatus status;

			memcpy(bytes, fit.bytes.data, fit.bytes.len);
			bytes[i] ^= (uint8_t) flip;
			status = load(&env, &fit, bytes, fit.bytes.len, 1, out);
			CHECK(status == ML_OK || status == ML_ECORRUPT);
			refused += status == ML_ECORRUPT;
		}
	CHECK(refused > 50);
	free(bytes);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

static MlStatus
load_bytes(MlEnv *env, void *arg)
{
	const Fit *fit = arg;
	double out[N_ROWS];

	return load(env, fit, fit->bytes.data, fit->bytes.len, 1, out);
}

static void
every_allocation_of_loading_may_fail(void)
{
	Cells c = with_missing(2);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{\"l2\":0}") == ML_OK);
	unit_every_allocation_fails(load_bytes, &fit, 100);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

int
main(void)
{
	RUN(predictions_follow_the_coefficients);
	RUN(codes_beyond_the_levels_are_unseen);
	RUN(contributions_add_up);
	RUN(importance_is_the_spread_of_contributions);
	RUN(bytes_give_the_same_model);
	RUN(damaged_bytes_are_refused_or_harmless);
	RUN(every_allocation_of_loading_may_fail);
	return unit_end();
}
