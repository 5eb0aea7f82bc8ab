/*
 * test_logistic.c
 *		Fits of logistic regression: known results, conditions of an optimum, hard data, failures.
 */
#include "logistic_fixture.h"

#include "core/pool.h"

/* ---- Motor Trend cars (Henderson and Velleman 1981), as R's mtcars */

#define CARS 32

static const double car_weight[CARS] = {2.620, 2.875, 2.320, 3.215, 3.440, 3.460, 3.570, 3.190,
										3.150, 3.440, 3.440, 4.070, 3.730, 3.780, 5.250, 5.424,
										5.345, 2.200, 1.615, 1.835, 2.465, 3.520, 3.435, 3.840,
										3.845, 1.935, 2.140, 1.513, 3.170, 2.770, 3.570, 2.780};
static const double car_power[CARS] = {110, 110, 93,  110, 175, 105, 245, 62,  95,  123, 123,
									   180, 180, 180, 205, 215, 230, 66,  52,  65,  97,  150,
									   150, 245, 175, 66,  91,  113, 264, 175, 335, 109};
static const double car_gears[CARS] = {4, 4, 4, 3, 3, 3, 3, 4, 4, 4, 4, 3, 3, 3, 3, 3,
									   3, 4, 4, 4, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 5, 4};
static const double car_manual[CARS] = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
										0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1};
static const double car_cylinders[CARS] = {6, 6, 4, 6, 8, 6, 8, 4, 4, 6, 6, 8, 8, 8, 8, 8,
										   8, 4, 4, 4, 4, 8, 8, 8, 8, 4, 4, 4, 8, 6, 8, 4};

/* Weight and, if there is a second number, power; gears as levels l0 = 3, l1 = 4, l2 = 5 if there is a factor. */
static Cells
cars(uint32_t n_numbers, uint32_t n_factors, bool cylinders)
{
	Cells c = cells_make(CARS, n_numbers, n_factors, 3, cylinders ? 3 : 2);
	uint32_t width = n_numbers + n_factors;

	for (size_t i = 0; i < CARS; i++)
	{
		c.x[i * width] = car_weight[i];
		if (n_numbers > 1)
			c.x[i * width + 1] = car_power[i];
		if (n_factors > 0)
			c.x[i * width + n_numbers] = car_gears[i] - 3;
		c.y[i] = cylinders ? car_cylinders[i] / 2 - 2 : car_manual[i];
	}
	return c;
}

/* R 4: summary(glm(am ~ wt, binomial)) and (am ~ wt + hp); digits beyond R's print by Newton in 80 bits. */
static void
unpenalised_fit_as_in_r(void)
{
	Cells one = cars(1, 0, false), two = cars(2, 0, false);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &one, "{\"l2\":0}") == ML_OK);
	CHECK(fit.n_rows == 2);
	CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, 12.040369728657321, 1e-10);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, -4.023969962173202, 1e-10);
	CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->std_error, 4.510066238966784, 1e-5);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->std_error, 1.436527752623566, 1e-5);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->statistic, -2.8011780174967913, 1e-5);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->p_value, 0.00509, 5e-6);
	CHECK_NEAR(fit_number(&fit, "log_likelihood"), -9.588042403722541, 1e-12);
	CHECK_NEAR(fit_number(&fit, "null_log_likelihood"), -43.22973 / 2, 1e-6);
	CHECK_NEAR(fit_number(&fit, "aic"), 23.17608480744508, 1e-12);
	CHECK_NEAR(fit_number(&fit, "pseudo_r2"), 1 - 19.17608480744508 / 43.22973, 1e-6);
	CHECK(fit_number(&fit, "n") == 32 && fit_converged(&fit));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &two, "{\"l2\":0}") == ML_OK);
	CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, 18.866298717204153, 1e-9);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, -8.083475182444648, 1e-9);
	CHECK_NEAR(fit_row(&fit, "x2", -1)->value, 0.03625559608221661, 1e-9);
	CHECK_NEAR(fit_row(&fit, "x2", -1)->std_error, 0.01773415433194695, 1e-6);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&one);
	cells_free(&two);
}

/* Newton in 80 bits on standardised columns; scikit-learn's LogisticRegression(C=1) agrees. */
static void
penalised_fits_as_computed(void)
{
	Cells two = cars(2, 0, false), factor = cars(1, 1, false), three = cars(2, 0, true);
	static const double slopes[3][2] = {{-1.3107164789716983, -0.01923904068025326},
										{0.09646414695899566, -0.0028304273383206},
										{1.2142523320127026, 0.02206946801857386}};
	static const double intercepts[3] = {6.431993121739553, 0.3710302894594242, -6.803023411198977};
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &two, "{}") == ML_OK);
	CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, 5.864460985849819, 2e-5);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, -2.406815945300018, 2e-5);
	CHECK_NEAR(fit_row(&fit, "x2", -1)->value, 0.00815381202629403, 1e-6);
	CHECK(isnan(fit_row(&fit, "x1", -1)->std_error) && isnan(fit_row(&fit, "x1", -1)->p_value));
	CHECK_NEAR(fit_number(&fit, "log_likelihood"), -9.399315400464344, 1e-5);
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &two, "{\"intercept\":false}") == ML_OK);
	CHECK(fit.n_rows == 2);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, -0.6243827254726341, 2e-5);
	CHECK_NEAR(fit_row(&fit, "x2", -1)->value, 0.00842419962969131, 1e-6);
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &factor, "{}") == ML_OK);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, -1.6790887031897925, 2e-5);
	CHECK_NEAR(fit_row(&fit, "f1=l1", -1)->value, 0.2093431709572817, 2e-5);
	CHECK_NEAR(fit_row(&fit, "f1=l0", -1)->value, -1.3169242382858746, 2e-5);
	CHECK_NEAR(fit_row(&fit, "f1=l2", -1)->value, 1.1075810673285928, 2e-5);
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &three, "{}") == ML_OK);
	for (int k = 0; k < 3; k++)
	{
		CHECK_NEAR(fit_row(&fit, "(intercept)", k)->value, intercepts[k], 5e-5);
		CHECK_NEAR(fit_row(&fit, "x1", k)->value, slopes[k][0], 2e-5);
		CHECK_NEAR(fit_row(&fit, "x2", k)->value, slopes[k][1], 2e-6);
	}
	CHECK_NEAR(fit_number(&fit, "log_likelihood"), -11.99959858965472, 1e-5);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&two);
	cells_free(&factor);
	cells_free(&three);
}

/* ---- the conditions of an optimum, on larger data */

/*
 * The gradient of the objective in the numbers and levels of the table, from predictions alone: with the
 * residuals r = w (p - y), a column's part is x'r + l2 sd^2 coefficient. Returns the greatest component in
 * units of sqrt(sum w p (1 - p) x^2), that is about its distance from the optimum in standard errors.
 */
static double
worst_gradient(const Fit *fit, const Cells *c, double l2)
{
	uint32_t width = c->n_numbers + c->n_factors, groups = c->n_classes == 2 ? 1 : c->n_classes;
	double worst = 0, p[64];

	for (uint32_t k = 0; k < groups; k++)
	{
		double mean[64] = {0}, sd[64] = {0}, g[64] = {0}, h[64] = {0}, total = 0;
		double *gl = calloc(c->n_levels * (c->n_factors + 1) + 1, sizeof(double));
		double *hl = calloc(c->n_levels * (c->n_factors + 1) + 1, sizeof(double));

		for (size_t i = 0; i < c->n; i++)
			for (uint32_t j = 0; j < c->n_numbers; j++)
				mean[j] += c->x[i * width + j] * (c->w ? c->w[i] : 1);
		for (size_t i = 0; i < c->n; i++)
			total += c->w ? c->w[i] : 1;
		for (size_t i = 0; i < c->n; i++)
		{
			const double *x = c->x + i * width;
			double w = c->w ? c->w[i] : 1, hit = groups == 1 ? c->y[i] : c->y[i] == k, r, s;

			ml_algo_logistic.predict(fit->model, x, p);
			r = w * (p[k] - hit);
			s = w * p[k] * (1 - p[k]);
			for (uint32_t j = 0; j < c->n_numbers; j++)
			{
				double z = x[j] - mean[j] / total;

				g[j] += r * z;
				h[j] += s * z * z;
				sd[j] += w * z * z / total;
			}
			for (uint32_t f = 0; f < c->n_factors; f++)
			{
				gl[f * c->n_levels + (size_t) x[c->n_numbers + f]] += r;
				hl[f * c->n_levels + (size_t) x[c->n_numbers + f]] += s;
			}
		}
		for (size_t i = 0; i < ML_MIN(fit->n_rows, FIT_ROWS); i++)
		{
			const MlCoefficient *row = &fit->rows[i];
			unsigned j, level;

			if (groups > 1 && row->class_index != (int) k)
				continue;
			if (sscanf(fit->names[i], "x%u", &j) == 1)
			{
				double v = sd[j - 1];

				worst = fmax(worst, fabs(g[j - 1] + l2 * v * row->value) / sqrt(h[j - 1] + l2 * v));
			}
			else if (sscanf(fit->names[i], "f%u=l%u", &j, &level) == 2)
			{
				size_t at = (j - 1) * c->n_levels + level;

				worst = fmax(worst, fabs(gl[at] + l2 * row->value) / sqrt(hl[at] + l2));
			}
		}
		free(gl);
		free(hl);
	}
	return worst;
}

typedef struct Shape
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels, n_classes;
	const char *options;
	double l2;
} Shape;

/* One shape for each form of the metric: sampled, with levels, coupled, by classes, diagonal. */
static void
solutions_are_optima(void)
{
	static const Shape shapes[] = {
		{70000, 3, 0, 1, 2, "{}", 1},
		{3000, 2, 2, 9, 2, "{}", 1},
		{3000, 2, 2, 9, 2, "{\"l2\":0}", 0},
		{2500, 3, 1, 5, 4, "{}", 1},
		{2500, 3, 0, 1, 3, "{\"l2\":0}", 0},
		{2000, 2, 1, 600, 3, "{\"l2\":10}", 10},
		{3000, 2, 1, 2500, 2, "{\"l2\":2,\"max_levels\":5000}", 2},
		{3000, 2, 1, 2500, 3, "{\"l2\":5,\"max_levels\":5000}", 5},
		{500, 40, 0, 1, 2, "{\"l2\":0.1}", 0.1},
	};

	for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
	{
		const Shape *shape = &shapes[s];
		Cells c = cells_random(shape->n, shape->n_numbers, shape->n_factors, shape->n_levels,
							   shape->n_classes, s + 1);
		MlEnv env;
		Fit fit;
		double worst;

		ml_env_init(&env);
		CHECK(fit_cells(&fit, &env, &c, shape->options) == ML_OK);
		CHECK(fit_converged(&fit));
		worst = worst_gradient(&fit, &c, shape->l2);
		CHECK(worst < 1e-3);
		if (unit_case_failed)
			printf("# shape %zu: %g, %s\n", s, worst, fit_summary(&fit, "iterations"));
		fit_end(&fit);
		ml_env_close(&env);
		cells_free(&c);
	}
}

/* A row of weight 3 is three rows; the unit of weights does not matter without a penalty. */
static void
weights_count_rows(void)
{
	Cells c = cells_random(400, 2, 1, 4, 2, 77), repeated = cells_make(1200, 2, 1, 4, 2);
	static const char *const options[] = {"{}", "{\"l2\":0}"};
	MlEnv env;
	Fit a, b;
	size_t n = 0;

	c.w = malloc(400 * sizeof(double));
	for (size_t i = 0; i < 400; i++)
	{
		c.w[i] = (double) (1 + i % 3);
		for (size_t times = 0; times < 1 + i % 3; times++, n++)
		{
			memcpy(repeated.x + n * 3, c.x + i * 3, 3 * sizeof(double));
			repeated.y[n] = c.y[i];
		}
	}
	repeated.n = n;
	ml_env_init(&env);
	for (int o = 0; o < 2; o++)
	{
		CHECK(fit_cells(&a, &env, &c, options[o]) == ML_OK);
		CHECK(fit_cells(&b, &env, &repeated, options[o]) == ML_OK);
		CHECK(a.n_rows == b.n_rows && a.n_rows > 4);
		for (size_t i = 0; i < b.n_rows; i++)
			CHECK_NEAR(fit_row(&a, b.names[i], -1)->value, b.rows[i].value, 2e-5);
		CHECK_NEAR(fit_number(&a, "log_likelihood"), fit_number(&b, "log_likelihood"), 1e-6);
		CHECK_NEAR(fit_number(&a, "null_log_likelihood"), fit_number(&b, "null_log_likelihood"),
				   1e-12);
		fit_end(&b);
		fit_end(&a);
	}
	CHECK(fit_cells(&a, &env, &c, "{\"l2\":0}") == ML_OK);
	for (size_t i = 0; i < 400; i++)
		c.w[i] *= 1e200;
	CHECK(fit_cells(&b, &env, &c, "{\"l2\":0}") == ML_OK);
	for (size_t i = 0; i < a.n_rows; i++)
		CHECK_NEAR(b.rows[i].value, a.rows[i].value, 1e-7);
	fit_end(&b);
	fit_end(&a);
	ml_env_close(&env);
	cells_free(&c);
	cells_free(&repeated);
}

static void
threads_do_not_change_a_byte(void)
{
	static const Shape shapes[] = {{9000, 3, 2, 7, 2, "{}", 1},
								   {6000, 3, 1, 5, 3, "{}", 1},
								   {9000, 3, 1, 4, 2, "{\"l2\":0}", 0}};

	for (size_t s = 0; s < 3; s++)
	{
		Cells c = cells_random(shapes[s].n, shapes[s].n_numbers, shapes[s].n_factors,
							   shapes[s].n_levels, shapes[s].n_classes, 11 + s);
		MlEnv one, three;
		Fit a, b;

		ml_env_init(&one);
		ml_env_init(&three);
		one.n_threads = 1;
		three.n_threads = 3;
		CHECK(fit_cells(&a, &one, &c, shapes[s].options) == ML_OK);
		CHECK(fit_cells(&b, &three, &c, shapes[s].options) == ML_OK);
		CHECK(a.bytes.len > 0 && a.bytes.len == b.bytes.len);
		CHECK(memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
		CHECK(a.report.log.len == b.report.log.len &&
			  memcmp(a.report.log.data, b.report.log.data, a.report.log.len) == 0);
		fit_end(&b);
		fit_end(&a);
		ml_env_close(&three);
		ml_env_close(&one);
		cells_free(&c);
	}
}

/* ---- hard data */

/* Every coefficient is finite, and so is the prediction of the first row. */
static bool
is_finite(const Fit *fit, const Cells *c)
{
	double p[64];

	for (size_t i = 0; i < ML_MIN(fit->n_rows, FIT_ROWS); i++)
		if (!isfinite(fit->rows[i].value))
			return false;
	ml_algo_logistic.predict(fit->model, c->x, p);
	return p[0] >= 0 && p[0] <= 1;
}

/* A plane tells the classes apart: no optimum without a penalty, a plain one with it. */
static void
separated_classes_end_with_advice(void)
{
	Cells c = cells_make(200, 1, 0, 1, 2), gears = cars(1, 1, false),
		  three = cells_make(300, 1, 0, 1, 3);
	MlEnv env;
	Fit fit;

	for (size_t i = 0; i < 200; i++)
	{
		c.x[i] = (double) i;
		c.y[i] = i >= 100;
	}
	for (size_t i = 0; i < 300; i++)
	{
		three.x[i] = (double) i;
		three.y[i] = (double) (i / 100);
	}
	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{\"l2\":0}") == ML_OK);
	CHECK(!fit_converged(&fit) && strstr(fit_summary(&fit, "advice"), "set l2 above 0"));
	CHECK(is_finite(&fit, &c) && fit_row(&fit, "x1", -1)->value > 1);
	CHECK(fit_number(&fit, "iterations") < 60);
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &c, "{}") == ML_OK);
	CHECK(fit_converged(&fit) && is_finite(&fit, &c) && fit_summary(&fit, "advice")[0] == 0);
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &c, "{\"l2\":1e-6}") == ML_OK);
	CHECK(fit_converged(&fit) && is_finite(&fit, &c));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &gears, "{\"l2\":0}") == ML_OK); /* no car with 3 gears is manual */
	CHECK(!fit_converged(&fit) && is_finite(&fit, &gears));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &three, "{\"l2\":0}") == ML_OK);
	CHECK(!fit_converged(&fit) && is_finite(&fit, &three));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &three, "{}") == ML_OK);
	CHECK(fit_converged(&fit) && is_finite(&fit, &three));
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
	cells_free(&gears);
	cells_free(&three);
}

/* x2 is constant, x3 = x1 again, x4 = x1 + x2 + x3: the first one speaks for all. */
static void
dependent_columns_are_left_alone(void)
{
	Cells plain = cells_random(500, 1, 0, 1, 2, 3), c = cells_make(500, 4, 0, 1, 2);
	MlEnv env;
	Fit a, b;

	for (size_t i = 0; i < 500; i++)
	{
		c.y[i] = plain.y[i];
		c.x[i * 4] = c.x[i * 4 + 2] = plain.x[i];
		c.x[i * 4 + 1] = 5;
		c.x[i * 4 + 3] = 2 * plain.x[i] + 5;
	}
	ml_env_init(&env);
	CHECK(fit_cells(&a, &env, &plain, "{\"l2\":0}") == ML_OK);
	CHECK(fit_cells(&b, &env, &c, "{\"l2\":0}") == ML_OK);
	CHECK(fit_converged(&b));
	CHECK_NEAR(fit_row(&b, "x1", -1)->value, fit_row(&a, "x1", -1)->value, 1e-8);
	CHECK_NEAR(fit_row(&b, "x1", -1)->std_error, fit_row(&a, "x1", -1)->std_error, 1e-8);
	CHECK_NEAR(fit_row(&b, "(intercept)", -1)->value, fit_row(&a, "(intercept)", -1)->value, 1e-8);
	for (int j = 1; j < 4; j++)
		CHECK(fit_row(&b, j == 1 ? "x2" : j == 2 ? "x3" : "x4", -1)->value == 0);
	CHECK(isnan(fit_row(&b, "x2", -1)->std_error) && isnan(fit_row(&b, "x3", -1)->std_error));
	CHECK_NEAR(fit_number(&b, "aic"), fit_number(&a, "aic"), 1e-10);
	fit_end(&b);
	CHECK(fit_cells(&b, &env, &c, "{}") == ML_OK); /* a penalty shares it out */
	CHECK(fit_converged(&b));
	CHECK_NEAR(fit_row(&b, "x1", -1)->value, fit_row(&b, "x3", -1)->value, 1e-5);
	CHECK(fit_row(&b, "x2", -1)->value == 0);
	fit_end(&b);
	fit_end(&a);
	ml_env_close(&env);
	cells_free(&plain);
	cells_free(&c);
}

/* Shifting and scaling the numbers changes no prediction, whatever the size. */
static void
scales_do_not_matter(void)
{
	static const double scale[3] = {1e9, 1e-12, 1e150}, shift[3] = {1e12, 0, -1e150};
	Cells plain = cells_random(800, 3, 0, 1, 2, 21), c = cells_make(800, 3, 0, 1, 2);
	MlEnv env;
	Fit a, b;

	for (size_t i = 0; i < 800; i++)
	{
		c.y[i] = plain.y[i];
		for (int j = 0; j < 3; j++)
			c.x[i * 3 + j] = plain.x[i * 3 + j] * scale[j] + shift[j];
	}
	ml_env_init(&env);
	CHECK(fit_cells(&a, &env, &plain, "{}") == ML_OK);
	CHECK(fit_cells(&b, &env, &c, "{}") == ML_OK);
	CHECK(fit_converged(&b));
	for (size_t i = 0; i < 800; i += 50)
	{
		double p, q;

		ml_algo_logistic.predict(a.model, plain.x + i * 3, &p);
		ml_algo_logistic.predict(b.model, c.x + i * 3, &q);
		CHECK_NEAR(q, p, 1e-6);
	}
	fit_end(&b);
	c.x[4] = 1e140; /* an outlier beside which the others are one number */
	CHECK(fit_cells(&b, &env, &c, "{}") == ML_OK);
	CHECK(is_finite(&b, &c) && fit_converged(&b));
	fit_end(&b);
	c.x[5] = 1.7e308;
	CHECK(fit_cells(&b, &env, &c, "{}") == ML_EDATA);
	CHECK(strstr(env.error, "x3"));
	fit_end(&b);
	c.x[5] = -INFINITY;
	CHECK(fit_cells(&b, &env, &c, "{}") == ML_EDATA);
	CHECK(strstr(env.error, "x3"));
	fit_end(&b);
	fit_end(&a);
	ml_env_close(&env);
	cells_free(&plain);
	cells_free(&c);
}

/* Training parts may lack a class, or have one row, or only missing values. */
static void
poor_data_gives_a_model(void)
{
	Cells one = cells_make(1, 2, 1, 2, 2), same = cells_random(50, 2, 0, 1, 2, 4),
		  four = cells_random(90, 2, 0, 1, 3, 5);
	MlEnv env;
	Fit fit;
	double p[4];

	for (size_t i = 0; i < 50; i++)
		same.y[i] = 1;
	four.n_classes = 4; /* the last one never occurs */
	for (size_t i = 0; i < 90; i++)
		four.x[i * 2] = NAN;
	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &one, "{}") == ML_OK);
	CHECK(is_finite(&fit, &one));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &same, "{}") == ML_OK);
	ml_algo_logistic.predict(fit.model, same.x, p);
	CHECK(p[0] > 0.999 && p[0] <= 1 && fit_converged(&fit));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &same, "{\"l2\":0}") == ML_OK);
	CHECK(is_finite(&fit, &same));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &four, "{}") == ML_OK);
	ml_algo_logistic.predict(fit.model, four.x, p);
	CHECK(p[3] < 1e-6 && fit_converged(&fit));
	CHECK_NEAR(p[0] + p[1] + p[2] + p[3], 1, 1e-12);
	fit_end(&fit);
	one.n = 0;
	CHECK(fit_cells(&fit, &env, &one, "{}") == ML_EDATA);
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&one);
	cells_free(&same);
	cells_free(&four);
}

/* ---- report and failures */

static void
log_tells_each_iteration(void)
{
	Cells c = cells_random(600, 3, 0, 1, 2, 6);
	MlEnv env;
	Fit fit;
	char text[8192];
	int lines = 0;
	double before = INFINITY;

	ml_env_init(&env);
	CHECK(fit_cells(&fit, &env, &c, "{}") == ML_OK);
	snprintf(text, sizeof text, "%.*s", (int) fit.report.log.len,
			 (const char *) fit.report.log.data);
	for (const char *at = text; (at = strstr(at, "\"loss\":")) != NULL; at++, lines++)
	{
		double loss = strtod(at + 7, NULL);

		CHECK(loss <= before + 1e-6); /* the penalty is not in it */
		before = loss;
	}
	CHECK(lines >= 3 && lines == (int) fit_number(&fit, "iterations"));
	CHECK_NEAR(before, -fit_number(&fit, "log_likelihood") / 600, 1e-12);
	CHECK(strstr(text, "\"gradient_norm\":") && strstr(text, "\"weight_norm\":") &&
		  strstr(text, "\"step\":1"));
	fit_end(&fit);
	CHECK(fit_cells(&fit, &env, &c, "{\"max_iter\":1}") == ML_OK);
	CHECK(!fit_converged(&fit) && strstr(fit_summary(&fit, "advice"), "max_iter"));
	fit_end(&fit);
	ml_env_close(&env);
	cells_free(&c);
}

static MlStatus
fit_and_forget(MlEnv *env, void *arg)
{
	const Shape *shape = arg;
	Cells c = cells_random(shape->n, shape->n_numbers, shape->n_factors, shape->n_levels,
						   shape->n_classes, 8);
	Fit fit;
	MlStatus status = fit_cells(&fit, env, &c, shape->options);

	fit_end(&fit);
	cells_free(&c);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Shape two = {120, 2, 1, 3, 2, "{\"l2\":0}", 0}, three = {90, 2, 1, 3, 3, "{}", 1};

	unit_every_allocation_fails(fit_and_forget, &two, 400);
	unit_every_allocation_fails(fit_and_forget, &three, 400);
}

/* Says yes from the n-th poll on. */
static bool
cancel_later(void *ctx)
{
	long *left = ctx;

	return --*left < 0;
}

static void
cancel_ends_the_fit(void)
{
	Cells c = cells_random(3000, 3, 1, 4, 3, 9);

	for (long polls = 0; polls < 200; polls += 7)
	{
		MlEnv env;
		Fit fit;
		long left = polls;
		MlStatus status;

		ml_env_init(&env);
		env.canceled = cancel_later;
		env.ctx = &left;
		status = fit_cells(&fit, &env, &c, "{}");
		CHECK(status == ML_OK || status == ML_ECANCELED);
		CHECK(polls > 7 || status == ML_ECANCELED);
		fit_end(&fit);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
	cells_free(&c);
}

/* From a model of other rows, which lack a level: the same optimum in no more iterations; from itself in one at most. */
static void
training_goes_on_from_a_model(void)
{
	static const char *const options[] = {"{}", "{\"l1\":2}", "{\"l2\":0}",
										  "{\"intercept\":false}"};

	for (size_t k = 0; k < 8; k++)
	{
		uint32_t classes = k % 2 ? 3 : 2;
		Cells all = cells_random(3000, 4, 1, 6, classes, 11), part = all;
		Fit cold, first, warm, again;
		MlEnv env;

		part.n = 2500;
		for (size_t i = 0; i < all.n; i++)
		{
			if (i % 40 == 0)
				all.x[5 * i] = NAN;
			if (i < part.n && all.x[5 * i + 4] == 5)
				all.x[5 * i + 4] = NAN;
		}
		ml_env_init(&env);
		CHECK(fit_cells(&cold, &env, &all, options[k / 2]) == ML_OK);
		CHECK(fit_cells(&first, &env, &part, options[k / 2]) == ML_OK);
		fit_previous = first.model;
		CHECK(fit_cells(&warm, &env, &all, options[k / 2]) == ML_OK);
		fit_previous = warm.model;
		CHECK(fit_cells(&again, &env, &all, options[k / 2]) == ML_OK);
		fit_previous = NULL;
		CHECK(fit_number(&warm, "iterations") <= fit_number(&cold, "iterations"));
		CHECK(fit_number(&again, "iterations") <= 1);
		CHECK(warm.n_rows == cold.n_rows);
		for (size_t i = 0; i < warm.n_rows; i++)
			CHECK_NEAR(warm.rows[i].value, cold.rows[i].value, 1e-4);
		fit_end(&again);
		fit_end(&warm);
		fit_end(&first);
		fit_end(&cold);
		ml_env_close(&env);
		cells_free(&all);
	}
}

int
main(void)
{
	RUN(unpenalised_fit_as_in_r);
	RUN(penalised_fits_as_computed);
	RUN(solutions_are_optima);
	RUN(weights_count_rows);
	RUN(threads_do_not_change_a_byte);
	RUN(separated_classes_end_with_advice);
	RUN(dependent_columns_are_left_alone);
	RUN(scales_do_not_matter);
	RUN(poor_data_gives_a_model);
	RUN(log_tells_each_iteration);
	RUN(training_goes_on_from_a_model);
	RUN(every_allocation_may_fail);
	RUN(cancel_ends_the_fit);
	return unit_end();
}
