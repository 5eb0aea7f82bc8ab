/*
 * test_logistic_sparse.c
 *		Lasso and elastic net penalties of `logistic`: scikit-learn's figures, optimality in each form of the solver.
 */
#include "golden_linear.h"
#include "logistic_fixture.h"

#include "algo/logistic/logistic.h"

/* The rows of test/golden/linear.py. */
static Cells
golden_cells(uint32_t n_classes, bool weighted)
{
	Cells c = cells_make(120, 6, 0, 0, n_classes);

	if (weighted)
		c.w = malloc(c.n * sizeof(double));
	for (size_t i = 0; i < c.n; i++)
	{
		double *x = c.x + i * 6, score;

		for (size_t j = 0; j < 6; j++)
		{
			x[j] = (double) ((i * (2 * j + 3) + (i * i) % (j + 5) * 7 + j) % 17) / 4.0 - 2;
			x[j] = (x[j] + (double) j) * (1 + (double) (j % 3));
		}
		score = x[0] - 0.5 * x[1] + 0.25 * x[2] + (double) (i * 37 % 11) / 2.0;
		c.y[i] = n_classes == 2 ? score > 1.5 : (score > 0) + (score > 3);
		if (weighted)
			c.w[i] = 1 + (double) (i % 3) / 2.0;
	}
	return c;
}

/* Coefficients by class, intercept first, against scikit-learn's. */
static void
check_golden(uint32_t n_classes, bool weighted, const char *options, const double *golden)
{
	Cells c = golden_cells(n_classes, weighted);
	MlEnv env;
	Fit fit;
	size_t n = n_classes == 2 ? 7 : 21, used = 0;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, options) == ML_OK);
	CHECK(fit.n_rows == n && fit_converged(&fit));
	for (size_t i = 0; i < n; i++)
	{
		CHECK_NEAR(fit.rows[i].value, golden[i], 2e-4);
		CHECK(isnan(fit.rows[i].std_error));
		CHECK((golden[i] == 0) == (fit.rows[i].value == 0));
		used += i % 7 > 0 && golden[i] != 0;
	}
	CHECK(fit_number(&fit, "nonzero") == (double) used);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

static void
scikit_learn_agrees(void)
{
	check_golden(2, false, "{\"l1\":5,\"l2\":0,\"tol\":1e-7}", golden_logistic_l1);
	check_golden(2, false, "{\"l1\":0.6,\"l2\":1.4,\"tol\":1e-7}", golden_logistic_net);
	check_golden(2, true, "{\"l1\":5,\"l2\":0,\"tol\":1e-7}", golden_logistic_weighted);
	check_golden(3, false, "{\"l1\":5,\"l2\":0,\"tol\":1e-7}", golden_logistic_classes);
	check_golden(3, false, "{\"l1\":0.6,\"l2\":1.4,\"tol\":1e-7}", golden_logistic_classes_net);
}

/* The mean and standard deviation of a number over the rows. */
static void
standard(const Cells *c, uint32_t j, double *mean, double *scale)
{
	uint32_t width = c->n_numbers + c->n_factors;
	double sum = 0, square = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->x[i * width + j] / (double) c->n;
	for (size_t i = 0; i < c->n; i++)
		square += pow(c->x[i * width + j] - sum, 2) / (double) c->n;
	*mean = sum;
	*scale = sqrt(square);
}

/* How far a coefficient b of a standardised column is from optimal. */
static double
off(double gradient, double b, double l1, double l2)
{
	gradient += l2 * b;
	return b == 0 ? fmax(fabs(gradient) - l1, 0) : fabs(gradient + copysign(l1, b));
}

/* The worst violation of the optimality conditions over all numbers, levels and classes. */
static double
violation(const Fit *fit, const Cells *c, double l1, double l2)
{
	uint32_t width = c->n_numbers + c->n_factors, groups = c->n_classes == 2 ? 1 : c->n_classes;
	double *p = calloc(c->n * groups, sizeof(double)), worst = 0;

	for (size_t i = 0; i < c->n; i++)
	{
		ml_algo_logistic.predict(fit->model, c->x + i * width, p + i * groups);
		for (uint32_t k = 0; k < groups; k++)
			p[i * groups + k] -= groups == 1 ? c->y[i] : c->y[i] == k;
	}
	for (uint32_t k = 0; k < groups; k++)
	{
		int class_index = groups == 1 ? -1 : (int) k;
		char name[32];

		for (uint32_t j = 0; j < c->n_numbers; j++)
		{
			double mean, scale, gradient = 0;

			standard(c, j, &mean, &scale);
			for (size_t i = 0; i < c->n; i++)
				gradient += p[i * groups + k] * (c->x[i * width + j] - mean) / scale;
			snprintf(name, sizeof name, "x%u", j + 1);
			worst =
				fmax(worst, off(gradient, fit_row(fit, name, class_index)->value * scale, l1, l2));
		}
		for (uint32_t level = 0; level < c->n_levels; level++)
		{
			double gradient = 0;
			const MlCoefficient *row;

			for (size_t i = 0; i < c->n; i++)
				gradient += c->x[i * width + c->n_numbers] == level ? p[i * groups + k] : 0;
			snprintf(name, sizeof name, "f1=l%u", level);
			row = fit_row(fit, name, class_index);
			if (!isnan(row->value))
				worst = fmax(worst, off(gradient, row->value, l1, l2));
		}
	}
	free(p);
	return worst;
}

/* Two classes and several, by descent; many levels and many classes, on faces. */
static void
solutions_are_optima(void)
{
	Cells tables[] = {cells_random(2000, 8, 1, 6, 2, 1), cells_random(1500, 4, 1, 5, 4, 2),
					  cells_random(4000, 3, 1, 2600, 2, 3), cells_random(1700, 39, 0, 0, 40, 4)};
	double penalties[][2] = {{3, 0}, {20, 1}, {0.3, 0.1}};

	for (size_t t = 0; t < 4; t++)
	{
		for (size_t k = 0; k < 3; k++)
		{
			char options[64];
			MlEnv env;
			Fit fit;

			snprintf(options, sizeof options, "{\"l1\":%g,\"l2\":%g,\"max_levels\":3000}",
					 penalties[k][0], penalties[k][1]);
			ml_env_init(&env);
			CHECK(fit_cells(&fit, &env, &tables[t], options) == ML_OK);
			CHECK(fit_converged(&fit));
			CHECK(violation(&fit, &tables[t], penalties[k][0], penalties[k][1]) < 0.01);
			CHECK(fit_number(&fit, "nonzero") > 0);
			if (getenv("UNIT_VERBOSE"))
				printf("# table %zu %s: off by %g, %g iterations, %g of them not 0\n", t, options,
					   violation(&fit, &tables[t], penalties[k][0], penalties[k][1]),
					   fit_number(&fit, "iterations"), fit_number(&fit, "nonzero"));
			fit_end(&fit);
			ml_env_close(&env);
		}
		cells_free(&tables[t]);
	}
}

/* The gradient and Hessian times vector of the objective against central differences; scores are float. */
static void
check_differences(Fit *fit, const Cells *c)
{
	MlDataset data = {.schema = fit->schema,
					  .frame = fit->frame,
					  .task = ML_CLASSIFICATION,
					  .n_classes = c->n_classes,
					  .target_column = c->n_numbers + c->n_factors,
					  .weight_column = -1};
	MlRows rows = {NULL, c->n};
	MlDesignOptions options = {.max_levels = 100};
	MlLogisticProblem problem = {.env = fit->env, .data = &data, .rows = &rows};
	double b[64], g[64], other[64], product[64], v[64], low, high, value, h = 0.02;
	MlDesign *design;

	problem.options = (MlLogisticOptions){.l2 = 3, .intercept = true};
	CHECK(ml_design_fit(fit->env, &fit->arena, &data, &rows, &options, &design) == ML_OK);
	problem.design = design;
	CHECK(ml_logistic_load(&problem) == ML_OK && problem.n_unknowns < 63);
	for (size_t i = 0; i < problem.n_unknowns; i++)
	{
		b[i] = 0.3 * sin(1.0 + (double) i);
		v[i] = 0.5 * cos(2.0 * (double) i);
	}
	CHECK(ml_logistic_evaluate(&problem, b, &value, g) == ML_OK);
	CHECK(ml_logistic_hessian_times(&problem, v, product) == ML_OK);
	for (size_t i = 0; i < problem.n_unknowns; i++)
	{
		double at = b[i];

		b[i] = at + h;
		CHECK(ml_logistic_evaluate(&problem, b, &high, other) == ML_OK);
		b[i] = at - h;
		CHECK(ml_logistic_evaluate(&problem, b, &low, other) == ML_OK);
		b[i] = at;
		CHECK(fabs((high - low) / (2 * h) - g[i]) < 1e-4 * (double) c->n);
	}
	for (size_t i = 0; i < problem.n_unknowns; i++)
		b[i] += h * v[i];
	CHECK(ml_logistic_evaluate(&problem, b, &high, other) == ML_OK);
	for (size_t i = 0; i < problem.n_unknowns; i++)
		b[i] -= 2 * h * v[i];
	CHECK(ml_logistic_evaluate(&problem, b, &low, g) == ML_OK);
	for (size_t i = 0; i < problem.n_unknowns; i++)
		CHECK(fabs((other[i] - g[i]) / (2 * h) - product[i]) < 1e-3 * (double) c->n);
	ml_logistic_free(&problem);
}

static void
derivatives_are_those_of_the_objective(void)
{
	for (uint32_t classes = 2; classes <= 3; classes++)
	{
		Cells c = cells_random(700, 4, 1, 5, classes, 21);
		MlEnv env;
		Fit fit;

		ml_env_init(&env);
		CHECK(fit_cells(&fit, &env, &c, "{}") == ML_OK);
		check_differences(&fit, &c);
		fit_end(&fit);
		ml_env_close(&env);
		cells_free(&c);
	}
}

/* A great penalty leaves the shares of the classes, whatever the form. */
static void
great_penalties_leave_the_intercept(void)
{
	for (uint32_t classes = 2; classes <= 3; classes++)
	{
		Cells c = golden_cells(classes, false);
		double share[3] = {0}, p[3];
		MlEnv env;
		Fit fit;

		for (size_t i = 0; i < c.n; i++)
			share[(int) c.y[i]] += 1.0 / (double) c.n;
		ml_env_init(&env);
		CHECK(fit_cells(&fit, &env, &c, "{\"l1\":1e6}") == ML_OK);
		CHECK(fit_number(&fit, "nonzero") == 0);
		ml_algo_logistic.predict(fit.model, c.x, p);
		CHECK_NEAR(p[0], classes == 2 ? share[1] : share[0], 1e-5);
		fit_end(&fit);
		ml_env_close(&env);
		cells_free(&c);
	}
}

static void
threads_do_not_change_a_byte(void)
{
	Cells c = cells_random(5000, 5, 1, 20, 3, 7);
	MlEnv one, four;
	Fit a, b;

	ml_env_init(&one);
	ml_env_init(&four);
	four.n_threads = 4;
	CHECK(fit_cells(&a, &one, &c, "{\"l1\":2}") == ML_OK);
	CHECK(fit_cells(&b, &four, &c, "{\"l1\":2}") == ML_OK);
	CHECK(a.bytes.len == b.bytes.len && memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
	fit_end(&a);
	fit_end(&b);
	ml_env_close(&one);
	ml_env_close(&four);
	cells_free(&c);
}

/* Separable classes have a finite fit with any penalty. */
static void
separated_classes_have_a_fit(void)
{
	Cells c = cells_make(200, 2, 0, 0, 2);
	MlEnv env;
	Fit fit;

	for (size_t i = 0; i < c.n; i++)
	{
		c.x[2 * i] = (double) i;
		c.x[2 * i + 1] = (double) (i * 7 % 13);
		c.y[i] = i >= 100;
	}
	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{\"l1\":0.5,\"l2\":0}") == ML_OK);
	CHECK(fit_converged(&fit) && fit_summary(&fit, "advice")[0] == 0);
	CHECK(violation(&fit, &c, 0.5, 0) < 1e-2);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

static MlStatus
fit_once(MlEnv *env, void *arg)
{
	Fit fit;
	MlStatus status = fit_cells(&fit, env, arg, "{\"l1\":1}");

	fit_end(&fit);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Cells two = cells_random(100, 2, 1, 3, 2, 1), wide = cells_random(30, 40, 0, 0, 3, 1);

	unit_every_allocation_fails(fit_once, &two, 200);
	unit_every_allocation_fails(fit_once, &wide, 400);
	cells_free(&two);
	cells_free(&wide);
}

int
main(void)
{
	RUN(scikit_learn_agrees);
	RUN(solutions_are_optima);
	RUN(derivatives_are_those_of_the_objective);
	RUN(great_penalties_leave_the_intercept);
	RUN(threads_do_not_change_a_byte);
	RUN(separated_classes_have_a_fit);
	RUN(every_allocation_may_fail);
	return unit_end();
}
