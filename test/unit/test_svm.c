/*
 * test_svm.c
 *		Linear support vector machines: scikit-learn's results, conditions of an optimum, failures.
 */
#include "glm_rows.h"
#include "table_fixture.h"

#include "algo/svm/svm.h"
#include "core/pool.h"
#include "core/rng.h"
#include "core/stats.h"

extern const MlAlgo ml_algo_svm;

static double car_x[2 * CARS];

/* Weight and power of cars; classes or a number. */
static Table
cars(const double *y, uint32_t n_classes)
{
	Table t = {.n = CARS, .n_numbers = 2, .x = car_x, .y = y, .n_classes = n_classes};

	t.task = n_classes ? ML_CLASSIFICATION : ML_REGRESSION;
	for (size_t i = 0; i < CARS; i++)
	{
		car_x[2 * i] = car_wt[i];
		car_x[2 * i + 1] = car_hp[i];
	}
	return t;
}

/* ---- scikit-learn 1.2: LinearSVC and LinearSVR(C=1, tol=1e-12) on standardised columns, here on their scale */

static void
classes_as_in_scikit_learn(void)
{
	static const struct
	{
		const char *options;
		bool weighted;
		double value[3];
	} golden[] = {
		{"{\"loss\":\"hinge\",\"tol\":1e-9,\"max_iter\":1000000}",
		 false,
		 {5.557865685370076, -2.428702851884504, 0.011898190739027792}},
		{"{\"tol\":1e-9,\"max_iter\":1000000}",
		 false,
		 {4.295992222154512, -1.8183336003034853, 0.008056802254598667}},
		{"{\"loss\":\"hinge\",\"tol\":1e-9,\"max_iter\":1000000}",
		 true,
		 {8.902240325859339, -3.6659877800383605, 0.015478615071276442}},
	};
	Table t = cars(car_am, 2);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (size_t k = 0; k < 3; k++)
	{
		t.w = golden[k].weighted ? car_qsec : NULL;
		CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, golden[k].options, NULL) == ML_OK);
		CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, golden[k].value[0], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x1", -1)->value, golden[k].value[1], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x2", -1)->value, golden[k].value[2], 1e-7);
		CHECK(fit_true(&fit, "converged"));
		if (k != 1) /* Newton's method solves the primal problem alone */
			CHECK_NEAR(fit_number(&fit, "primal_objective"), fit_number(&fit, "dual_objective"),
					   1e-8);
		CHECK(isnan(fit_row(&fit, "x1", -1)->std_error));
		check_round_trip(&fit, &t);
		check_hostile(&fit, &t);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

static void
one_machine_a_class(void)
{
	static const double want[3][3] = {
		{4.317941419784203, -0.8661568790210281, -0.017046357250764706},
		{-0.4011291268028459, 0.11738958943690418, -0.003659391379885965},
		{-6.758535926145939, 1.1936799694417233, 0.018278643331668558}};
	double y[CARS] = {0}, p[3];
	Table t = cars(y, 3);
	MlEnv env;
	Fit fit;

	for (size_t i = 0; i < CARS; i++)
		y[i] = car_cyl[i] / 2 - 2;
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"tol\":1e-9,\"max_iter\":1000000}", NULL) ==
		  ML_OK);
	for (int k = 0; k < 3; k++)
	{
		CHECK_NEAR(fit_row(&fit, "(intercept)", k)->value, want[k][0], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x1", k)->value, want[k][1], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x2", k)->value, want[k][2], 1e-7);
	}
	for (size_t i = 0; i < CARS; i++)
	{
		ml_algo_svm.predict(fit.model, t.x + 2 * i, p);
		CHECK_NEAR(p[0] + p[1] + p[2], 1, 1e-14);
		CHECK(p[0] >= 0 && p[1] >= 0 && p[2] >= 0);
	}
	check_round_trip(&fit, &t);
	check_hostile(&fit, &t);
	fit_end(&fit);
	ml_env_close(&env);
}

static void
numbers_as_in_scikit_learn(void)
{
	static const struct
	{
		const char *options;
		double value[3], tolerance;
	} golden[] = {
		{"{\"tol\":1e-9,\"max_iter\":1000000}",
		 {35.845651867621854, -3.4300101168954713, -0.03457897650627081},
		 1e-5},
		{"{\"loss\":\"squared_epsilon_insensitive\",\"tol\":1e-9,\"max_iter\":1000000}",
		 {37.246208479060506, -3.8990230959585324, -0.0309546226246338},
		 1e-6},
	};
	Table t = cars(car_mpg, 0);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (size_t k = 0; k < 2; k++)
	{
		double c[2], base, out;

		CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, golden[k].options, NULL) == ML_OK);
		CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, golden[k].value[0],
				   golden[k].tolerance);
		CHECK_NEAR(fit_row(&fit, "x1", -1)->value, golden[k].value[1], golden[k].tolerance);
		CHECK_NEAR(fit_row(&fit, "x2", -1)->value, golden[k].value[2], golden[k].tolerance);
		ml_algo_svm.predict(fit.model, t.x, &out);
		CHECK(ml_algo_svm.contributions(&env, fit.model, t.x, 0, c, &base) == ML_OK);
		CHECK_NEAR(base + c[0] + c[1], out, 1e-13);
		check_round_trip(&fit, &t);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* ---- conditions of an optimum on larger data */

#define ROWS 900
static double random_x[ROWS * 5], random_y[ROWS], random_class[ROWS], random_w[ROWS];

/* Three numbers with missing ones, two factors; a class and a number that depend on them with noise. */
static Table
random_table(bool classes)
{
	Table t = {
		.n = ROWS, .n_numbers = 3, .n_factors = 2, .n_levels = 4, .x = random_x, .w = random_w};
	MlRng rng;

	ml_rng_seed(&rng, 11, 0);
	for (size_t i = 0; i < ROWS; i++)
	{
		double *x = random_x + 5 * i, f;

		x[0] = 50 + 4 * ml_rng_normal(&rng);
		x[1] = i % 9 == 0 ? NAN : ml_rng_normal(&rng);
		x[2] = 1e-4 * ml_rng_normal(&rng);
		x[3] = (double) ml_rng_below(&rng, 4);
		x[4] = (double) ml_rng_below(&rng, 3);
		f = (x[0] - 50) / 4 + (x[3] == 1) - 1e4 * x[2] + ml_rng_normal(&rng);
		random_class[i] = f > 0.3;
		random_y[i] = 100 + 10 * f;
		random_w[i] = 0.5 + ml_rng_uniform(&rng);
	}
	t.y = classes ? random_class : random_y;
	t.n_classes = classes ? 2 : 0;
	t.task = classes ? ML_CLASSIFICATION : ML_REGRESSION;
	return t;
}

/* Every alpha: at 0 only where the margin is kept, at its bound only where it is not, else on the margin. */
static void
check_kkt(const MlSvmDual *d, const MlSvmOptions *o, double tolerance)
{
	bool regression = o->loss >= ML_SVM_EPSILON;
	bool squared = o->loss == ML_SVM_SQUARED_HINGE || o->loss == ML_SVM_SQUARED_EPSILON;

	for (size_t i = 0; i < d->rows->n; i++)
	{
		double c = o->c * d->rows->weight[i], alpha = d->alpha[i];
		double f = ml_svm_score(d->rows, i, d->w), y = d->rows->y[i], slack, at;

		slack = regression ? (alpha >= 0 ? y - f : f - y) - o->epsilon
						   : 1 - (y == d->positive ? f : -f); /* how far inside the margin */
		at = fabs(alpha);
		if (squared)
			CHECK(fabs(at - 2 * c * fmax(slack, 0)) <= tolerance * fmax(1, 2 * c));
		else if (at == 0)
			CHECK((regression ? fabs(y - f) - o->epsilon : slack) <= tolerance);
		else if (at == c)
			CHECK(slack >= -tolerance);
		else
			CHECK(fabs(slack) <= tolerance);
		CHECK(at <= (squared ? INFINITY : c) && (regression || alpha >= 0));
	}
}

static void
conditions_of_an_optimum(void)
{
	MlEnv env;

	ml_env_init(&env);
	for (int loss = ML_SVM_HINGE; loss <= ML_SVM_SQUARED_EPSILON; loss++)
	{
		Table t = random_table(loss <= ML_SVM_SQUARED_HINGE);
		MlSvmOptions options = {
			.loss = (MlSvmLoss) loss, .c = 0.5, .epsilon = 0.3, .tol = 1e-8, .max_iter = 100000};
		MlDesignOptions wish = {.max_levels = 100};
		MlRows all = {NULL, t.n};
		MlSvmRows rows = {.env = &env, .rows = &all, .intercept = true, .centred = true};
		MlSvmDual dual = {.rows = &rows, .options = &options, .positive = 1};
		MlDesign *design;
		Fit fit;

		CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"tol\":0.1}", NULL) == ML_OK);
		CHECK(ml_design_fit(&env, &fit.arena, &fit.data, &all, &wish, &design) == ML_OK);
		rows.data = &fit.data;
		rows.design = design;
		CHECK(ml_svm_rows_load(&rows) == ML_OK);
		for (size_t i = 0; i < rows.n && loss >= ML_SVM_EPSILON; i++)
			rows.y[i] = (rows.y[i] - 100) / 10;
		CHECK(ml_svm_dual_begin(&dual, NULL, 1, 0) == ML_OK);
		CHECK(ml_svm_dual_run(&env, &dual, 1) == ML_OK);
		CHECK(dual.converged);
		check_kkt(&dual, &options, 1e-4);
		ml_svm_dual_end(&dual);
		ml_svm_rows_free(&rows);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* Newton's method ends where coordinate descent does, with factors and missing values; going on from there ends at once. */
static void
newton_agrees_with_descent(void)
{
	static const char *const options[] = {
		"{\"c\":0.5,\"tol\":1e-8}",
		"{\"c\":0.5,\"tol\":1e-8,\"epsilon\":0.3,\"loss\":\"squared_epsilon_insensitive\"}"};
	MlEnv env;

	ml_env_init(&env);
	for (int regression = 0; regression <= 1; regression++)
	{
		Table t = random_table(!regression);
		MlSvmOptions wish = {.loss = regression ? ML_SVM_SQUARED_EPSILON : ML_SVM_SQUARED_HINGE,
							 .c = 0.5,
							 .epsilon = 0.3,
							 .tol = 1e-8,
							 .max_iter = 100000};
		MlRows all = {NULL, t.n};
		MlSvmRows rows = {.env = &env, .rows = &all, .intercept = true, .centred = true};
		MlSvmDual dual = {.rows = &rows, .options = &wish, .positive = 1}, newton = dual;
		Fit fit, again;

		CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, options[regression], NULL) == ML_OK);
		CHECK(fit_table(&again, &env, &ml_algo_svm, &t, options[regression], fit.model) == ML_OK);
		CHECK(fit_number(&fit, "iterations") > 3 && fit_number(&again, "iterations") <= 1);
		for (size_t j = 0; j < fit.n_rows; j++)
			CHECK_NEAR(again.rows[j].value, fit.rows[j].value, 1e-6);
		rows.data = &fit.data;
		rows.design = ((const MlSvmModel *) fit.model)->design;
		CHECK(ml_svm_rows_load(&rows) == ML_OK);
		for (size_t i = 0; i < rows.n && regression; i++)
			rows.y[i] = (rows.y[i] - 100) / 10;
		newton.w = calloc(ml_svm_n_weights(&rows), sizeof(double));
		CHECK(ml_svm_newton_fits(&rows, &wish));
		CHECK(ml_svm_newton(&newton) == ML_OK && newton.converged);
		CHECK(ml_svm_dual_begin(&dual, NULL, 1, 0) == ML_OK);
		CHECK(ml_svm_dual_run(&env, &dual, 1) == ML_OK && dual.converged);
		for (uint32_t c = 0; c <= rows.n_columns; c++)
			CHECK_NEAR(newton.w[c], dual.w[c], 1e-6);
		free(newton.w);
		ml_svm_dual_end(&dual);
		ml_svm_rows_free(&rows);
		fit_end(&again);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* Decision values tell the classes apart, and probabilities are about the share of class 1 among equals. */
static void
probabilities_are_calibrated(void)
{
	Table t = random_table(true);
	double low = 0, low_sum = 0, high = 0, high_sum = 0, right = 0;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{}", NULL) == ML_OK);
	for (size_t i = 0; i < t.n; i++)
	{
		double p;

		ml_algo_svm.predict(fit.model, t.x + 5 * i, &p);
		right += (p > 0.5) == (t.y[i] == 1);
		if (p < 0.5)
		{
			low += p - t.y[i];
			low_sum++;
		}
		else
		{
			high += p - t.y[i];
			high_sum++;
		}
	}
	CHECK(right / (double) t.n > 0.8);
	CHECK(fabs(low / low_sum) < 0.03 && fabs(high / high_sum) < 0.03);
	fit_end(&fit);
	ml_env_close(&env);
}

/* The optimum has gradient 0: moving a or b raises the loss with Platt's targets. */
static void
sigmoid_is_optimal(void)
{
	double f[40], y[40], w[40], loss[5] = {0};
	static const double move[5][2] = {{0, 0}, {1e-3, 0}, {-1e-3, 0}, {0, 1e-3}, {0, -1e-3}};
	MlSvmSigmoid s;
	MlEnv env;

	ml_env_init(&env);
	for (int i = 0; i < 40; i++)
	{
		f[i] = 0.1 * (i - 18);
		y[i] = i * 7 % 40 + i > 38;
		w[i] = 1;
	}
	CHECK(ml_svm_fit_sigmoid(&env, f, y, 1, w, 40, &s) == ML_OK);
	CHECK(s.a < 0);
	for (int k = 0; k < 5; k++)
	{
		double n1 = 0;

		for (int i = 0; i < 40; i++)
			n1 += y[i];
		for (int i = 0; i < 40; i++)
		{
			double t = y[i] == 1 ? (n1 + 1) / (n1 + 2) : 1 / (40 - n1 + 2);
			double eta = -((s.a + move[k][0]) * f[i] + s.b + move[k][1]);

			loss[k] += ml_log1p_exp(eta) - t * eta;
		}
	}
	for (int k = 1; k < 5; k++)
		CHECK(loss[k] > loss[0]);
	ml_env_close(&env);
}

/* ---- the same everywhere, and failures */

static void
threads_do_not_matter(void)
{
	Table t = random_table(true);
	MlEnv one, four;
	Fit a, b;

	ml_env_init(&one);
	ml_env_init(&four);
	four.n_threads = 4;
	CHECK(fit_table(&a, &one, &ml_algo_svm, &t, "{}", NULL) == ML_OK);
	CHECK(fit_table(&b, &four, &ml_algo_svm, &t, "{}", NULL) == ML_OK);
	CHECK(a.bytes.len == b.bytes.len && memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
	fit_end(&a);
	fit_end(&b);
	ml_env_close(&one);
	ml_env_close(&four);
}

static void
losses_have_their_task(void)
{
	Table t = cars(car_am, 2);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"loss\":\"epsilon_insensitive\"}", NULL) ==
		  ML_EINVAL);
	CHECK(strstr(env.error, "is for regression") != NULL);
	fit_end(&fit);
	t = cars(car_mpg, 0);
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"loss\":\"hinge\"}", NULL) == ML_EINVAL);
	CHECK(strstr(env.error, "is for classification") != NULL);
	fit_end(&fit);
	ml_env_close(&env);
}

/* One epoch is not enough: said, and not an error. */
static void
stopping_early_is_said(void)
{
	Table t = random_table(true);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"max_iter\":1}", NULL) == ML_OK);
	CHECK(!fit_true(&fit, "converged"));
	CHECK(strstr(fit_summary(&fit, "advice"), "raise max_iter") != NULL);
	fit_end(&fit);
	ml_env_close(&env);
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	Fit fit;
	MlStatus status = fit_table(&fit, env, &ml_algo_svm, arg, "{\"max_iter\":3}", NULL);

	fit_end(&fit);
	return status;
}

static void
failing_allocations_leave_nothing(void)
{
	Table classes = random_table(true), numbers = random_table(false);

	classes.n = numbers.n = 40;
	unit_every_allocation_fails(train_once, &classes, 3000);
	unit_every_allocation_fails(train_once, &numbers, 3000);
}

static bool
cancel_now(void *ctx)
{
	return ++*(int *) ctx > 12;
}

static void
cancel_ends_the_fit(void)
{
	Table t = random_table(false);
	int calls = 0;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	env.canceled = cancel_now;
	env.ctx = &calls;
	CHECK(fit_table(&fit, &env, &ml_algo_svm, &t, "{\"tol\":1e-12,\"max_iter\":1000000}", NULL) ==
		  ML_ECANCELED);
	fit_end(&fit);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(classes_as_in_scikit_learn);
	RUN(one_machine_a_class);
	RUN(numbers_as_in_scikit_learn);
	RUN(conditions_of_an_optimum);
	RUN(newton_agrees_with_descent);
	RUN(probabilities_are_calibrated);
	RUN(sigmoid_is_optimal);
	RUN(threads_do_not_matter);
	RUN(losses_have_their_task);
	RUN(stopping_early_is_said);
	RUN(failing_allocations_leave_nothing);
	RUN(cancel_ends_the_fit);
	return unit_end();
}
