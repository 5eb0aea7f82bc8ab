/*
 * test_calibration.c
 *		Platt, isotonic, thresholds: golden values of scikit-learn 1.2.1 (test/golden/calibration.py),
 *		properties, bytes that come back, hostile bytes.
 */
#include "model/calibration.h"
#include "model/threshold.h"
#include "unit.h"

#define N 60

typedef struct Rows
{
	double probs[N], actual[N], weight[N];
} Rows;

/* The rows of the golden script. */
static Rows
golden_rows(void)
{
	Rows r;

	for (int i = 0; i < N; i++)
	{
		r.probs[i] = rint(((i * 37) % 101 + 0.5) / 101 * 20) / 20 * 0.9 + 0.05;
		r.actual[i] = ((i * 53) % 97) / 97.0 < pow(r.probs[i], 1.5);
		r.weight[i] = 1 + i % 3;
	}
	return r;
}

static MlCalibration *
fit(MlArena *arena, MlCalibrationKind kind, const Rows *r, const double *weight)
{
	MlCalibrationRows rows = {N, 1, r->probs, r->actual, weight};
	MlCalibration *calibration = NULL;

	CHECK(ml_calibration_fit(arena, kind, &rows, &calibration) == ML_OK);
	return calibration;
}

static double
apply(const MlCalibration *calibration, double p)
{
	ml_calibration_apply(calibration, &p);
	return p;
}

static void
platt_is_golden(void)
{
	Rows r = golden_rows();
	MlCalibration *c;
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	c = fit(&arena, ML_CALIBRATION_PLATT, &r, NULL);
	CHECK(c->maps[0].log_odds);
	/* scikit-learn's optimiser stops early; these digits come from the same objective, minimised to the end */
	CHECK_NEAR(c->maps[0].slope, 0.64603781, 2e-8);
	CHECK_NEAR(c->maps[0].intercept, 0.01991152, 2e-8);
	CHECK_NEAR(apply(c, 0.5), 1 / (1 + exp(-0.01991152)), 1e-8);
	c = fit(&arena, ML_CALIBRATION_PLATT, &r, r.weight);
	CHECK_NEAR(c->maps[0].slope, 0.71158436, 2e-8);
	CHECK_NEAR(c->maps[0].intercept, 0.03252929, 2e-8);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* With a certainty among them, probabilities are taken as they are. */
static void
votes_are_not_log_odds(void)
{
	Rows r = golden_rows();
	MlCalibration *c;
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	r.weight[0] = 1e-300; /* a row that counts for nothing */
	r.probs[0] = 1;
	c = fit(&arena, ML_CALIBRATION_PLATT, &r, r.weight);
	CHECK(!c->maps[0].log_odds);
	CHECK(apply(c, 0) > 0 && apply(c, 1) < 1 && apply(c, 1) > apply(c, 0));
	ml_arena_free(&arena);
	ml_env_close(&env);
}

static void
isotonic_is_golden(void)
{
	static const double x[] = {0, 0.2, 0.43, 0.5, 0.61, 0.75, 0.84, 0.95, 1};
	static const double want[2][9] = {
		{0.23076923076923078, 0.23076923076923078, 0.27635327635327639, 0.33333333333333331,
		 0.54545454545454541, 0.90000000000000002, 0.95555555555555549, 61 / 62., 61 / 62.},
		{0.23076923076923078, 0.23076923076923078, 0.23931623931623935, 0.25, 0.5714285714285714,
		 0.90909090909090906, 0.95959595959595956, 121 / 122., 121 / 122.},
	};
	Rows r = golden_rows();
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int weighted = 0; weighted < 2; weighted++)
	{
		MlCalibration *c = fit(&arena, ML_CALIBRATION_ISOTONIC, &r, weighted ? r.weight : NULL);

		CHECK(c->maps[0].n_knots == 10);
		for (int i = 0; i < 9; i++)
		{
			/* on the way to 1, which is kept off by Laplace's rule: (W + 1) / (W + 2) */
			double tolerance = i == 6 ? 1e-2 : 1e-12;

			CHECK_NEAR(apply(c, x[i]), want[weighted][i], tolerance);
		}
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* A perfectly separating model, one that separates the wrong way, and one that says always the same. */
static void
extremes_stay_finite(void)
{
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int which = 0; which < 3; which++)
	{
		Rows r;

		for (int i = 0; i < N; i++)
		{
			r.actual[i] = i >= N / 2;
			r.probs[i] = which == 0 ? (i + 0.5) / N : which == 1 ? 1 - (i + 0.5) / N : 0.3;
		}
		for (int kind = ML_CALIBRATION_PLATT; kind < ML_N_CALIBRATIONS; kind++)
		{
			MlCalibration *c = fit(&arena, (MlCalibrationKind) kind, &r, NULL);
			double low = apply(c, 0.1), high = apply(c, 0.9);

			CHECK(low > 0 && high < 1);
			CHECK(which == 0 ? low < 0.1 && high > 0.9 : true);
			CHECK(which == 2 ? fabs(apply(c, 0.3) - 0.5) < 1e-6 : true);
			CHECK(apply(c, 0) >= 0 && apply(c, 1) <= 1 && isnan(apply(c, NAN)));
		}
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* Three classes: one map each, and probabilities that add up to 1. */
static MlStatus
fit_three(MlArena *arena, MlCalibrationKind kind, MlCalibration **c)
{
	double probs[3 * N], actual[N];
	MlCalibrationRows rows = {N, 3, probs, actual, NULL};

	for (int i = 0; i < N; i++)
	{
		double a = ((i * 37) % 101 + 1) / 103.0, b = (1 - a) * ((i * 11) % 17 + 1) / 20.0;

		probs[3 * i] = a;
		probs[3 * i + 1] = b;
		probs[3 * i + 2] = 1 - a - b;
		actual[i] = ((i * 53) % 97) / 97.0 < a ? 0 : i % 2 + 1;
	}
	return ml_calibration_fit(arena, kind, &rows, c);
}

static void
several_classes_add_up(void)
{
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int kind = ML_CALIBRATION_PLATT; kind < ML_N_CALIBRATIONS; kind++)
	{
		double p[3] = {0.2, 0.5, 0.3};
		MlCalibration *c = NULL;

		CHECK(fit_three(&arena, (MlCalibrationKind) kind, &c) == ML_OK);
		ml_calibration_apply(c, p);
		CHECK_NEAR(p[0] + p[1] + p[2], 1, 1e-15);
		CHECK(p[0] > 0 && p[1] > 0 && p[2] > 0);
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
}

static void
thresholds_are_golden(void)
{
	static const struct
	{
		const char *option;
		double threshold[2], score[2];
	} want[] = {
		{"\"accuracy\"", {0.5225, 0.5225}, {0.76666666666666672, 0.78333333333333333}},
		{"\"balanced_accuracy\"", {0.5225, 0.5225}, {0.7666666666666666, 0.78333333333333333}},
		{"\"youden\"", {0.5225, 0.5225}, {0.53333333333333333, 0.56666666666666665}},
		{"\"ks\"", {0.5225, 0.5225}, {0.53333333333333333, 0.56666666666666665}},
		{"\"f1\"", {0.5225, 0.5225}, {0.75862068965517238, 0.77586206896551724}},
		{"\"mcc\"", {0.7025, 0.7025}, {0.55479504109148177, 0.568353068157491}},
		{"{\"fp\": 1, \"fn\": 5}", {0.025, 0.025}, {0.5, 0.5}},
		{"{\"fn\": 0, \"fp\": 1}", {0.95, 0.95}, {0, 0}},
	};
	Rows r = golden_rows();
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (size_t k = 0; k < sizeof want / sizeof want[0]; k++)
	{
		MlThresholdRule rule;
		MlJson *option = NULL;

		CHECK(ml_json_parse(&arena, want[k].option, strlen(want[k].option), &option) == ML_OK);
		CHECK(ml_threshold_parse(&env, option, &rule) == ML_OK);
		for (int weighted = 0; weighted < 2; weighted++)
		{
			double threshold, score;

			CHECK(ml_threshold_choose(&env, &rule, N, r.probs, r.actual, weighted ? r.weight : NULL,
									  &threshold, &score) == ML_OK);
			if (k < 7)
				CHECK_NEAR(threshold, want[k].threshold[weighted], 1e-12);
			CHECK_NEAR(score, want[k].score[weighted], 1e-12);
		}
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
}

static void
bad_thresholds_are_refused(void)
{
	static const char *const bad[] = {"0",
									  "1",
									  "-1",
									  "\"roc_auc\"",
									  "\"fixed\"",
									  "\"cost\"",
									  "true",
									  "[0.5]",
									  "{}",
									  "{\"fp\": 1}",
									  "{\"fp\": 1, \"tn\": 2}",
									  "{\"fp\": 0, \"fn\": 0}",
									  "{\"fp\": -1, \"fn\": 2}",
									  "{\"fp\": \"1\", \"fn\": 2}"};
	MlThresholdRule rule;
	MlArena arena;
	MlJson *option;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
	{
		env.error[0] = '\0';
		CHECK(ml_json_parse(&arena, bad[k], strlen(bad[k]), &option) == ML_OK);
		CHECK(ml_threshold_parse(&env, option, &rule) == ML_EINVAL);
		CHECK(strstr(env.error, "threshold") != NULL);
	}
	CHECK(ml_threshold_parse(&env, NULL, &rule) == ML_OK && rule.value == 0.5);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* All there is, through bytes: the same, and every damaged byte gives an error or something sound. */
static void
bytes_come_back(void)
{
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int kind = ML_CALIBRATION_PLATT; kind < ML_N_CALIBRATIONS; kind++)
	{
		MlCalibration *c = NULL, *back = NULL;
		MlBuffer bytes;
		MlReader in;

		ml_buffer_init(&bytes, &env);
		CHECK(fit_three(&arena, (MlCalibrationKind) kind, &c) == ML_OK);
		ml_calibration_save(c, &bytes);
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_calibration_load(&in, &arena, 3, &back) == ML_OK);
		CHECK(ml_reader_end(&in, "calibration") == ML_OK);
		for (int i = 0; i <= 20; i++)
		{
			double p[3] = {i / 40.0, i / 50.0, 1 - i / 40.0 - i / 50.0}, q[3];

			memcpy(q, p, sizeof p);
			ml_calibration_apply(c, p);
			ml_calibration_apply(back, q);
			CHECK(memcmp(p, q, sizeof p) == 0);
		}
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_calibration_load(&in, &arena, 1, &back) == ML_ECORRUPT);
		for (size_t i = 0; i < bytes.len * 8; i++)
		{
			double p[3] = {0.1, 0.2, 0.7};

			bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
			ml_reader_init(&in, &env, bytes.data, bytes.len);
			if (ml_calibration_load(&in, &arena, 3, &back) == ML_OK)
			{
				ml_calibration_apply(back, p);
				CHECK(p[0] >= 0 && p[0] <= 1 && p[2] >= 0 && p[2] <= 1);
			}
			bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
		}
		for (size_t len = 0; len < bytes.len; len++)
		{
			ml_reader_init(&in, &env, bytes.data, len);
			CHECK(ml_calibration_load(&in, &arena, 3, &back) != ML_OK);
		}
		ml_buffer_free(&bytes);
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
}

/* Fit, choose, save, load. */
static MlStatus
everything(MlEnv *env, void *arg)
{
	MlCalibrationKind kind = *(MlCalibrationKind *) arg;
	MlThresholdRule rule = {.kind = ML_THRESHOLD_F1};
	Rows r = golden_rows();
	MlCalibrationRows rows = {N, 1, r.probs, r.actual, r.weight};
	MlCalibration *c;
	double threshold, score;
	MlBuffer bytes;
	MlReader in;
	MlArena arena;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&bytes, env);
	status = ml_calibration_fit(&arena, kind, &rows, &c);
	if (status == ML_OK)
		status =
			ml_threshold_choose(env, &rule, N, r.probs, r.actual, r.weight, &threshold, &score);
	if (status == ML_OK)
	{
		ml_calibration_save(c, &bytes);
		status = bytes.status;
	}
	if (status == ML_OK)
	{
		ml_reader_init(&in, env, bytes.data, bytes.len);
		status = ml_calibration_load(&in, &arena, 1, &c);
	}
	ml_buffer_free(&bytes);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	for (int kind = ML_CALIBRATION_PLATT; kind < ML_N_CALIBRATIONS; kind++)
	{
		MlCalibrationKind arg = (MlCalibrationKind) kind;

		unit_every_allocation_fails(everything, &arg, 200);
	}
}

/* A class without rows cannot be calibrated, and says so. */
static void
one_class_is_refused(void)
{
	Rows r = golden_rows();
	MlCalibrationRows rows = {N, 1, r.probs, r.actual, NULL};
	MlCalibration *c;
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int i = 0; i < N; i++)
		r.actual[i] = 0;
	CHECK(ml_calibration_fit(&arena, ML_CALIBRATION_PLATT, &rows, &c) == ML_EDATA);
	CHECK(strstr(env.error, "each class") != NULL);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(platt_is_golden);
	RUN(votes_are_not_log_odds);
	RUN(isotonic_is_golden);
	RUN(extremes_stay_finite);
	RUN(several_classes_add_up);
	RUN(thresholds_are_golden);
	RUN(bad_thresholds_are_refused);
	RUN(bytes_come_back);
	RUN(every_allocation_may_fail);
	RUN(one_class_is_refused);
	return unit_end();
}
