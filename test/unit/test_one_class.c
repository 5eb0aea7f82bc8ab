/*
 * test_one_class.c
 *		One-class machines: conditions of an optimum, the kernel that features stand for, failures.
 */
#include "table_fixture.h"

#include "algo/svm/one_class.h"
#include "core/pool.h"
#include "core/rng.h"

extern const MlAlgo ml_algo_one_class_svm;

#define ROWS 600
static double random_x[ROWS * 4], random_w[ROWS];

/* Three numbers with missing ones and a factor; the last twenty rows lie far out. */
static Table
random_table(void)
{
	Table t = {.n = ROWS,
			   .n_numbers = 3,
			   .n_factors = 1,
			   .n_levels = 3,
			   .x = random_x,
			   .w = random_w,
			   .task = ML_ANOMALY};
	MlRng rng;

	ml_rng_seed(&rng, 5, 0);
	for (size_t i = 0; i < ROWS; i++)
	{
		double *x = random_x + 4 * i, a = ml_rng_normal(&rng);

		x[0] = 500 + 20 * a;
		x[1] = a + 0.3 * ml_rng_normal(&rng);
		x[2] = i % 10 == 0 ? NAN : 1e-3 * ml_rng_normal(&rng);
		x[3] = (double) ml_rng_below(&rng, 3);
		random_w[i] = 0.5 + ml_rng_uniform(&rng);
		if (i >= ROWS - 20)
			x[1] = -4 * a + 8 * ml_rng_normal(&rng);
	}
	return t;
}

/* Weights within their bounds, sum 1; gradients of free rows at rho, of bounded ones below, of the others above. */
static void
conditions_of_an_optimum(void)
{
	static double alpha[ROWS], w[64];
	Table t = random_table();
	MlOneClassOptions options = {.nu = 0.2, .tol = 1e-7, .max_iter = 10000, .seed = 1};
	MlOneClassSolution s = {.w = w, .alpha = alpha};
	MlDesignOptions wish = {.max_levels = 100};
	MlRows all = {NULL, t.n};
	double sum = 0, total = 0;
	MlDesign *design;
	MlSvmRows rows;
	MlBuffer log;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	ml_buffer_init(&log, &env);
	CHECK(fit_table(&fit, &env, &ml_algo_one_class_svm, &t, "{\"n_components\":8}", NULL) == ML_OK);
	CHECK(ml_design_fit(&env, &fit.arena, &fit.data, &all, &wish, &design) == ML_OK);
	rows = (MlSvmRows){.env = &env, .data = &fit.data, .rows = &all, .design = design};
	CHECK(ml_svm_rows_load(&rows) == ML_OK);
	CHECK(ml_one_class_solve(&rows, &options, &s, &log) == ML_OK);
	CHECK(s.converged && s.rho > 0);
	for (size_t i = 0; i < t.n; i++)
		total += rows.weight[i];
	for (size_t i = 0; i < t.n; i++)
	{
		double bound = rows.weight[i] / (options.nu * total), score = ml_svm_score(&rows, i, w);

		sum += alpha[i];
		CHECK(alpha[i] >= 0 && alpha[i] <= bound);
		if (alpha[i] < bound)
			CHECK(score >= s.rho * (1 - 1e-6));
		if (alpha[i] > 0)
			CHECK(score <= s.rho * (1 + 1e-6));
	}
	CHECK_NEAR(sum, 1, 1e-12);
	ml_svm_rows_free(&rows);
	ml_buffer_free(&log);
	fit_end(&fit);
	ml_env_close(&env);
}

/* With nu a row's score is above 0 for about that share, at most; what lies far out scores highest. */
static void
nu_is_the_share_outside(void)
{
	static const char *const options[] = {"{\"nu\":0.1,\"n_components\":128}", "{\"nu\":0.5}",
										  "{\"nu\":0.1,\"kernel\":\"linear\"}"};
	static const double nu[] = {0.1, 0.5, 0.1};
	Table t = random_table();
	MlEnv env;
	Fit fit;

	t.w = NULL;
	ml_env_init(&env);
	for (int k = 0; k < 3; k++)
	{
		size_t outside = 0, far = 0;
		double score;

		CHECK(fit_table(&fit, &env, &ml_algo_one_class_svm, &t, options[k], NULL) == ML_OK);
		for (size_t i = 0; i < t.n; i++)
		{
			ml_algo_one_class_svm.predict(fit.model, t.x + 4 * i, &score);
			outside += score > 0;
			far += score > 0.3 && i >= t.n - 20;
			CHECK(isfinite(score));
		}
		CHECK(fabs((double) outside / (double) t.n - nu[k]) < 0.03);
		CHECK_NEAR(fit_number(&fit, "share_outside"), nu[k], 0.03);
		CHECK(k == 2 || far >= 10);
		CHECK(fit_true(&fit, "converged"));
		check_round_trip(&fit, &t);
		check_hostile(&fit, &t);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* Cosines and sines of 1,024 frequencies: the kernel to a few hundredths; of a row with itself exactly 1. */
static void
features_stand_for_the_kernel(void)
{
	Table t = random_table();
	double worst = 0, a[1024], b[1024];
	MlEnv env;
	Fit fit;

	t.n_factors = 0;
	t.n_numbers = 4; /* the codes as a fourth number */
	t.w = NULL;
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_one_class_svm, &t,
					"{\"n_components\":2048,\"gamma\":0.2,\"max_iter\":1}", NULL) == ML_OK);
	for (size_t i = 1; i < 40; i++)
	{
		const MlOneClassModel *m = fit.model;
		double square = 0, product = 0, *x = random_x + 4 * i, *y = random_x + 4 * (i - 1);

		for (uint32_t j = 0; j < 4; j++)
		{
			double mean = m->design->columns[j].mean, u = isnan(x[j]) ? mean : x[j];
			double v = isnan(y[j]) ? mean : y[j];

			square += pow((u - v) / m->design->columns[j].scale, 2);
		}
		square += isnan(x[2]) != isnan(y[2]); /* the indicator */
		ml_one_class_project(m, x, a);
		ml_one_class_project(m, y, b);
		for (uint32_t k = 0; k < m->n_frequencies; k++)
			product += cos(a[k]) * cos(b[k]) + sin(a[k]) * sin(b[k]);
		worst = fmax(worst, fabs(product / m->n_frequencies - exp(-0.2 * square)));
	}
	CHECK(worst < 0.08);
	fit_end(&fit);
	ml_env_close(&env);
}

static void
threads_do_not_matter(void)
{
	Table t = random_table();
	MlEnv one, four;
	Fit a, b;

	ml_env_init(&one);
	ml_env_init(&four);
	four.n_threads = 4;
	CHECK(fit_table(&a, &one, &ml_algo_one_class_svm, &t, "{}", NULL) == ML_OK);
	CHECK(fit_table(&b, &four, &ml_algo_one_class_svm, &t, "{}", NULL) == ML_OK);
	CHECK(a.bytes.len == b.bytes.len && memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
	fit_end(&a);
	fit_end(&b);
	ml_env_close(&one);
	ml_env_close(&four);
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	Fit fit;
	MlStatus status =
		fit_table(&fit, env, &ml_algo_one_class_svm, arg, "{\"n_components\":8}", NULL);

	fit_end(&fit);
	return status;
}

static void
failing_allocations_leave_nothing(void)
{
	Table t = random_table();

	t.n = 60;
	unit_every_allocation_fails(train_once, &t, 2000);
}

static bool
cancel_now(void *ctx)
{
	return ++*(int *) ctx > 15;
}

static void
cancel_ends_the_fit(void)
{
	Table t = random_table();
	int calls = 0;
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	env.canceled = cancel_now;
	env.ctx = &calls;
	CHECK(fit_table(&fit, &env, &ml_algo_one_class_svm, &t, "{}", NULL) == ML_ECANCELED);
	fit_end(&fit);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(conditions_of_an_optimum);
	RUN(nu_is_the_share_outside);
	RUN(features_stand_for_the_kernel);
	RUN(threads_do_not_matter);
	RUN(failing_allocations_leave_nothing);
	RUN(cancel_ends_the_fit);
	return unit_end();
}
