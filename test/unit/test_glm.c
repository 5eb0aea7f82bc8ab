/*
 * test_glm.c
 *		Generalised linear models: R's results, gradients, hard data, failures.
 */
#include "glm_rows.h"
#include "table_fixture.h"

#include "algo/glm/glm.h"
#include "core/pool.h"
#include "core/rng.h"
#include "core/stats.h"

extern const MlAlgo ml_algo_glm;

/* Cars with one or two numbers. */
static Table
cars(const double *a, const double *b, const double *y, double *x)
{
	Table t = {.n = CARS, .n_numbers = b ? 2 : 1, .x = x, .y = y};

	for (size_t i = 0; i < CARS; i++)
	{
		x[i * t.n_numbers] = a[i];
		if (b)
			x[i * 2 + 1] = b[i];
	}
	return t;
}

/* A result of R: coefficients and errors of (intercept), x1, x2, as many as there are; then the figures. */
typedef struct Golden
{
	const char *options;
	const double *a, *b, *y, *w;
	double value[3], error[3];
	double deviance, null, aic, dispersion;
} Golden;

/* R 4.2.2, glm(..., control = glm.control(epsilon = 1e-15)) on mtcars; null 0: not known there. */
static const Golden of_r[] = {
	{"{\"family\":\"gamma\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 NULL,
	 {3.825870596528679002, -0.196986771596299043, -0.001560105701628877},
	 {0.0711384012232788715, 0.0281536152369255381, 0.0004017789071927274},
	 0.3681608281975969,
	 2.735289650284874,
	 145.2752650063608,
	 0.01331587316242498},
	{"{\"family\":\"gamma\",\"link\":\"inverse\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 NULL,
	 {8.922600001074497e-03, 9.826436154662312e-03, 8.887335871091873e-05},
	 {2.959836790676901e-03, 1.459975312221285e-03, 2.225967102439984e-05},
	 0.3344894457121452,
	 2.735289650284874,
	 142.2003876024765,
	 0.011612121039248},
	{"{\"family\":\"inverse_gaussian\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 NULL,
	 {3.795381034791976749, -0.191593758974429873, -0.001479226825090914},
	 {0.0780230623962788056, 0.0273432409184034900, 0.0003966085271090533},
	 0.02173422807585714,
	 0.1424889610781024,
	 149.3061566677032,
	 0.0008005892421981069},
	{"{\"family\":\"inverse_gaussian\",\"link\":\"inverse_squared\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 NULL,
	 {-1.295777835914809e-03, 9.049384159474582e-04, 9.681924023483965e-06},
	 {2.890225929567657e-04, 1.639578224135234e-04, 2.644095943017603e-06},
	 0.02332530966387,
	 0.1424889610781024,
	 151.566978240306,
	 0.000743833263466721},
	{"{\"family\":\"gaussian\",\"link\":\"log\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 car_qsec,
	 {3.887722898048178610, -0.206329798607018944, -0.001814308156185731},
	 {0.0630284446049124841, 0.0309155630492397270, 0.0004822691307464319},
	 2547.058878234125,
	 20421.27970641326,
	 146.806772568534,
	 87.82961649110166},
	{"{\"family\":\"poisson\",\"exposure\":\"x2\"}",
	 car_wt,
	 car_cyl,
	 car_carb,
	 NULL,
	 {-0.86074239737707370, 0.02100901761793897, NAN},
	 {0.3990929496379083, 0.1115705462038354, NAN},
	 18.13984927104493,
	 18.17522658555087,
	 111.5054989284527,
	 1},
	{"{\"family\":\"gamma\",\"exposure\":\"x2\"}",
	 car_wt,
	 car_hp,
	 car_mpg,
	 NULL,
	 {0.1558250135048422, -0.6198770229700776, NAN},
	 {0.26410070260471391, 0.07864125958751805, NAN},
	 5.499621565605213,
	 17.05868571684795,
	 230.6548837075261,
	 NAN},
	{"{\"family\":\"poisson\",\"link\":\"identity\"}",
	 car_hp,
	 NULL,
	 car_carb,
	 NULL,
	 {0.3675942091812079, 0.0166674446753731, NAN},
	 {0.629313723851997131, 0.004628439883603942, NAN},
	 12.51644129673898,
	 27.04335745013215,
	 105.8820909541468,
	 1},
	{"{\"family\":\"poisson\",\"link\":\"sqrt\",\"intercept\":false}",
	 car_hp,
	 car_wt,
	 car_carb,
	 NULL,
	 {NAN, 0.004973147427319673, 0.266704959449530876},
	 {NAN, 0.001740801869869392, 0.083697147189815038},
	 22.2058800329436,
	 NAN,
	 115.5715296903514,
	 1},
	{"{\"family\":\"binomial\"}",
	 car_wt,
	 NULL,
	 car_am,
	 NULL,
	 {12.040369728657323, -4.023969962173202, NAN},
	 {4.510066210133037, 1.436527743689314, NAN},
	 19.17608480744509,
	 43.22973327685781,
	 23.17608480744509,
	 1},
	{"{\"family\":\"binomial\",\"link\":\"probit\"}",
	 car_wt,
	 NULL,
	 car_am,
	 NULL,
	 {6.726406261846618, -2.257762581366134, NAN},
	 {2.2684344951715496, 0.7197285455929111, NAN},
	 19.19873000512722,
	 43.22973327685781,
	 23.19873000512722,
	 1},
	{"{\"family\":\"binomial\",\"link\":\"cloglog\"}",
	 car_wt,
	 NULL,
	 car_am,
	 NULL,
	 {6.876676534523517, -2.507431914753757, NAN},
	 {2.4420555231562768, 0.8326308994535784, NAN},
	 19.79793181404941,
	 43.22973327685781,
	 23.79793181404941,
	 1},
};

static void
check_value(double got, double want, double tolerance)
{
	if (isnan(want))
		CHECK(isnan(got));
	else
		CHECK(fabs(got - want) <= tolerance * fabs(want));
}

static void
fits_as_in_r(void)
{
	static const char *const names[] = {"(intercept)", "x1", "x2"};
	double x[2 * CARS];
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (size_t k = 0; k < sizeof of_r / sizeof *of_r; k++)
	{
		const Golden *g = &of_r[k];
		Table t = cars(g->a, g->b, g->y, x);

		t.w = g->w;
		CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, g->options, NULL) == ML_OK);
		for (int j = 0; j < 3; j++)
		{
			check_value(fit_row(&fit, names[j], -1)->value, g->value[j], 1e-6);
			check_value(fit_row(&fit, names[j], -1)->std_error, g->error[j], 1e-6);
		}
		check_value(fit_number(&fit, "deviance"), g->deviance, 1e-10);
		check_value(fit_number(&fit, "null_deviance"), g->null, 1e-10);
		check_value(fit_number(&fit, "aic"), g->aic, 1e-10);
		if (!isnan(g->dispersion))
			check_value(fit_number(&fit, "dispersion"), g->dispersion, 1e-6);
		CHECK(fit_true(&fit, "converged"));
		if (unit_case_failed)
			printf("# with %s: %s\n", g->options, env.error);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* R: summary of the gamma fit above has t = -6.996855286206242 and p = 1.078984281244478e-07 for wt. */
static void
statistics_as_in_r(void)
{
	double x[2 * CARS];
	Table t = cars(car_wt, car_hp, car_mpg, x);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, of_r[0].options, NULL) == ML_OK);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->statistic, -6.996855286206242, 1e-7);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->p_value * 1e7, 1.078984281244478, 1e-6);
	CHECK(fit_number(&fit, "df_residual") == 29 && fit_number(&fit, "df_null") == 31);
	fit_end(&fit);
	t = cars(car_wt, NULL, car_am, x);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"binomial\"}", NULL) == ML_OK);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->p_value, 0.005091642032082422, 1e-7);
	fit_end(&fit);
	ml_env_close(&env);
}

/* Newton's method in numpy, coefficients confirmed by scikit-learn 1.2's TweedieRegressor(power, alpha = l2 / sum of w). */
static void
tweedie_as_computed(void)
{
	static const struct
	{
		const char *options;
		double value[3], deviance, dispersion, error;
	} golden[] = {
		{"{\"family\":\"tweedie\"}",
		 {-1.122947143410557, 0.08798536251882538, 0.008312079611474782},
		 690.7877390932421,
		 14.923776379478479,
		 0.18363721791260085},
		{"{\"family\":\"tweedie\",\"l2\":10}",
		 {-1.1156113440582307, 0.09223470868485839, 0.008178431819092804},
		 690.8310101987981,
		 14.843745154007651,
		 NAN},
		{"{\"family\":\"tweedie\",\"power\":1.2}",
		 {-1.0434430148152982, 0.07483264929810914, 0.008113171379072224},
		 520.8423889885473,
		 15.163528298013503,
		 0.1616822454189574},
	};
	double x[2 * CARS], y[CARS] = {0};
	Table t = cars(car_wt, car_hp, y, x);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	t.w = car_qsec;
	for (size_t i = 0; i < CARS; i++)
		y[i] = car_carb[i] - 1;
	for (size_t k = 0; k < 3; k++)
	{
		CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, golden[k].options, NULL) == ML_OK);
		/* Fisher scoring converges linearly here, to the tolerance of 1e-6 standard errors. */
		CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, golden[k].value[0], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x1", -1)->value, golden[k].value[1], 1e-6);
		CHECK_NEAR(fit_row(&fit, "x2", -1)->value, golden[k].value[2], 1e-8);
		check_value(fit_row(&fit, "x1", -1)->std_error, golden[k].error, 1e-5);
		check_value(fit_number(&fit, "deviance"), golden[k].deviance, 1e-9);
		check_value(fit_number(&fit, "dispersion"), golden[k].dispersion, 1e-5);
		CHECK(isnan(fit_number(&fit, "aic")));
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* R 4.2.2, MASS::glm.nb(Days ~ Eth + Sex + Lrn + Age), levels of Age from its most frequent one. */
static void
theta_as_in_mass(void)
{
	static double x[4 * PUPILS];
	Table t = {.n = PUPILS, .n_numbers = 3, .n_factors = 1, .n_levels = 4, .x = x, .y = pupil_days};
	MlEnv env;
	Fit fit, again;

	for (size_t i = 0; i < PUPILS; i++)
	{
		x[4 * i] = pupil_eth[i];
		x[4 * i + 1] = pupil_sex[i];
		x[4 * i + 2] = pupil_lrn[i];
		x[4 * i + 3] = pupil_age[i];
	}
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"negative_binomial\"}", NULL) ==
		  ML_OK);
	check_value(fit_number(&fit, "theta"), 1.274892645053622, 1e-7);
	check_value(fit_number(&fit, "theta_std_error"), 0.1610351787734746, 1e-5);
	check_value(fit_row(&fit, "(intercept)", -1)->value, 2.44615184037177880, 1e-7);
	check_value(fit_row(&fit, "x1", -1)->value, -0.56937169735797222, 1e-7);
	check_value(fit_row(&fit, "x1", -1)->std_error, 0.1533333592827446, 1e-6);
	check_value(fit_row(&fit, "f1=l0", -1)->value, 0.44842814987752250, 1e-7);
	check_value(fit_row(&fit, "f1=l3", -1)->value, 0.80532912130696799, 1e-7);
	check_value(fit_row(&fit, "f1=l3", -1)->p_value, 1.046390781041023e-03, 1e-6);
	check_value(fit_number(&fit, "deviance"), 167.9518008205856, 1e-7);
	check_value(fit_number(&fit, "null_deviance"), 195.2866364528496, 1e-7);
	check_value(fit_number(&fit, "aic"), 1109.151018289984, 1e-10);
	check_round_trip(&fit, &t);
	check_hostile(&fit, &t);

	/* Going on from there ends at once, at the same place. */
	CHECK(fit_table(&again, &env, &ml_algo_glm, &t, "{\"family\":\"negative_binomial\"}",
					fit.model) == ML_OK);
	check_value(fit_number(&again, "theta"), 1.274892645053622, 1e-7);
	CHECK(fit_number(&again, "iterations") <= 2);
	CHECK(fit_number(&fit, "iterations") > 5);
	fit_end(&again);
	fit_end(&fit);
	ml_env_close(&env);
}

/* ---- properties */

/* Every law that can be chosen. */
static const char *const laws[] = {
	"{\"family\":\"gaussian\"}",
	"{\"family\":\"gaussian\",\"link\":\"log\"}",
	"{\"family\":\"gaussian\",\"link\":\"inverse\"}",
	"{\"family\":\"poisson\"}",
	"{\"family\":\"poisson\",\"link\":\"sqrt\",\"l2\":3}",
	"{\"family\":\"poisson\",\"link\":\"identity\"}",
	"{\"family\":\"gamma\"}",
	"{\"family\":\"gamma\",\"link\":\"inverse\"}",
	"{\"family\":\"tweedie\",\"power\":1.7,\"l2\":2}",
	"{\"family\":\"tweedie\",\"power\":2.5}",
	"{\"family\":\"inverse_gaussian\"}",
	"{\"family\":\"inverse_gaussian\",\"link\":\"inverse_squared\"}",
	"{\"family\":\"negative_binomial\",\"theta\":1.5}",
	"{\"family\":\"binomial\"}",
	"{\"family\":\"binomial\",\"link\":\"probit\"}",
	"{\"family\":\"binomial\",\"link\":\"cloglog\"}",
};

/* A target that every family takes, numbers of unlike scale, two factors. */
#define ROWS 700
static double random_x[ROWS * 4], random_y[ROWS], random_w[ROWS];

static Table
random_table(void)
{
	Table t = {.n = ROWS,
			   .n_numbers = 2,
			   .n_factors = 2,
			   .n_levels = 3,
			   .x = random_x,
			   .y = random_y,
			   .w = random_w};
	MlRng rng;

	ml_rng_seed(&rng, 7, 0);
	for (size_t i = 0; i < ROWS; i++)
	{
		random_x[4 * i] = 100 + 3 * ml_rng_normal(&rng);
		random_x[4 * i + 1] = i % 11 == 0 ? NAN : 0.01 * ml_rng_normal(&rng);
		random_x[4 * i + 2] = (double) ml_rng_below(&rng, 3);
		random_x[4 * i + 3] = (double) ml_rng_below(&rng, 2);
		random_w[i] = 0.5 + ml_rng_uniform(&rng);
		random_y[i] = 0.2 + 0.1 * random_x[4 * i + 2] + 0.4 * ml_rng_uniform(&rng);
	}
	return t;
}

/* The gradient is the derivative of the objective, whatever the law. */
static void
gradients_are_derivatives(void)
{
	Table t = random_table();
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{}", NULL) == ML_OK);
	for (size_t k = 0; k < sizeof laws / sizeof *laws; k++)
	{
		const MlParam *tables[] = {ml_algo_glm.params};
		MlDesignOptions options = {.max_levels = 100, .drop_first = true};
		MlRows rows = {NULL, t.n};
		MlGlmProblem problem = {
			.env = &env, .data = &fit.data, .rows = &rows, .intercept = true, .offset_feature = -1};
		MlGlmPoint point = {0}, other = {0};
		MlParams params;
		MlDesign *design;
		MlJson *json;
		double b[16] = {0};

		CHECK(ml_json_parse(&fit.arena, laws[k], strlen(laws[k]), &json) == ML_OK);
		CHECK(ml_params_parse(&fit.arena, "glm", tables, 1, json, &params) == ML_OK);
		CHECK(ml_glm_law(&env, &params, &problem.law) == ML_OK);
		problem.l2 = ml_param_real(&params, GLM_L2);
		CHECK(ml_design_fit(&env, &fit.arena, &fit.data, &rows, &options, &design) == ML_OK);
		problem.design = design;
		CHECK(ml_glm_open(&problem) == ML_OK);
		CHECK(ml_glm_point_create(&problem, &point) == ML_OK);
		CHECK(ml_glm_point_create(&problem, &other) == ML_OK);
		b[0] = ml_glm_link(&problem.law, 0.55);
		for (uint32_t j = 1; j < problem.n_columns; j++)
			b[j] = 0.02 * sin(j);
		CHECK(ml_glm_evaluate(&problem, b, &point) == ML_OK);
		for (uint32_t j = 0; j < problem.n_columns; j++)
		{
			double at = b[j], h = 1e-5, high;

			b[j] = at + h;
			CHECK(ml_glm_evaluate(&problem, b, &other) == ML_OK);
			high = other.objective;
			b[j] = at - h;
			CHECK(ml_glm_evaluate(&problem, b, &other) == ML_OK);
			b[j] = at;
			CHECK_NEAR(-point.gradient[j], (high - other.objective) / (2 * h), 2e-6);
		}
		if (unit_case_failed)
			printf("# with %s\n", laws[k]);
		ml_glm_point_free(&problem, &other);
		ml_glm_point_free(&problem, &point);
		ml_glm_close(&problem);
	}
	fit_end(&fit);
	ml_env_close(&env);
}

/* Contributions add up to the link of the prediction; the gradient at the end is 0. */
static void
every_law_fits(void)
{
	Table t = random_table();
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (size_t k = 0; k < sizeof laws / sizeof *laws; k++)
	{
		const MlGlmModel *model;

		CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, laws[k], NULL) == ML_OK);
		CHECK(fit_true(&fit, "converged"));
		model = fit.model;
		for (size_t i = 0; i < 30 && model; i++)
		{
			double c[4], base, out;

			ml_algo_glm.predict(model, t.x + 4 * i, &out);
			CHECK(ml_algo_glm.contributions(&env, model, t.x + 4 * i, 0, c, &base) == ML_OK);
			CHECK_NEAR(ml_glm_mean(&model->law, base + c[0] + c[1] + c[2] + c[3]), out, 1e-12);
		}
		CHECK(strstr((const char *) fit.report.log.data, "\"gradient_norm\":") != NULL);
		check_round_trip(&fit, &t);
		if (unit_case_failed)
			printf("# with %s: %s\n", laws[k], env.error);
		fit_end(&fit);
	}
	ml_env_close(&env);
}

/* Exposure: its contribution is its logarithm less the mean one; twice as much doubles the prediction. */
static void
exposure_is_proportional(void)
{
	double x[2 * CARS], row[2] = {3, 4}, low, high, c[2], base;
	Table t = cars(car_wt, car_cyl, car_carb, x);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, of_r[5].options, NULL) == ML_OK);
	ml_algo_glm.predict(fit.model, row, &low);
	row[1] = 8;
	ml_algo_glm.predict(fit.model, row, &high);
	CHECK_NEAR(high, 2 * low, 1e-13);
	CHECK(ml_algo_glm.contributions(&env, fit.model, row, 0, c, &base) == ML_OK);
	CHECK_NEAR(exp(base + c[0] + c[1]), high, 1e-13);
	row[1] = NAN;
	ml_algo_glm.predict(fit.model, row, &low);
	CHECK_NEAR(low, high / 8, 1e-13);
	check_round_trip(&fit, &t);
	fit_end(&fit);
	ml_env_close(&env);
}

/* Same bytes with one thread and with four. */
static void
threads_do_not_matter(void)
{
	Table t = random_table();
	MlEnv one, four;
	Fit a, b;

	ml_env_init(&one);
	ml_env_init(&four);
	four.n_threads = 4;
	CHECK(fit_table(&a, &one, &ml_algo_glm, &t, "{\"family\":\"gamma\"}", NULL) == ML_OK);
	CHECK(fit_table(&b, &four, &ml_algo_glm, &t, "{\"family\":\"gamma\"}", NULL) == ML_OK);
	CHECK(a.bytes.len == b.bytes.len && memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
	fit_end(&a);
	fit_end(&b);
	ml_env_close(&one);
	ml_env_close(&four);
}

/* ---- hard data */

/* x2 = x1 + tiny noise: near dependence is told from a true one, as R's tolerance 1e-11 does. */
static void
near_dependence_is_kept(void)
{
	static double x[3 * 200], y[200];
	Table t = {.n = 200, .n_numbers = 3, .x = x, .y = y};
	MlRng rng;
	MlEnv env;
	Fit fit;

	ml_rng_seed(&rng, 3, 0);
	for (size_t i = 0; i < 200; i++)
	{
		double noise = ml_rng_normal(&rng);

		x[3 * i] = ml_rng_normal(&rng);
		x[3 * i + 1] = x[3 * i] + 1e-6 * noise;
		x[3 * i + 2] = 2 * x[3 * i] + 1;
		y[i] = exp(0.5 + 0.3 * x[3 * i] + 0.2 * noise);
	}
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"gamma\"}", NULL) == ML_OK);
	CHECK(fit_true(&fit, "converged"));
	CHECK_NEAR(fit_row(&fit, "x2", -1)->value, 0.2e6, 1e-4);
	CHECK_NEAR(fit_row(&fit, "x1", -1)->value, 0.3 - 0.2e6, 1e-4);
	CHECK_NEAR(fit_row(&fit, "(intercept)", -1)->value, 0.5, 1e-4);
	CHECK(isnan(fit_row(&fit, "x3", -1)->std_error) && fit_row(&fit, "x3", -1)->value == 0);
	CHECK(fit_number(&fit, "df_residual") == 197);
	fit_end(&fit);
	ml_env_close(&env);
}

/* A level without any event has no finite coefficient: said, and not an error; a penalty helps. */
static void
separation_is_said(void)
{
	static double x[60], y[60];
	Table t = {.n = 60, .n_factors = 1, .n_levels = 3, .x = x, .y = y};
	MlEnv env;
	Fit fit;

	for (size_t i = 0; i < 60; i++)
	{
		x[i] = (double) (i % 3);
		y[i] = i % 3 == 2 ? 0 : (double) (i % 5);
	}
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"poisson\"}", NULL) == ML_OK);
	CHECK(!fit_true(&fit, "converged"));
	CHECK(strstr(fit_summary(&fit, "advice"), "set l2 above 0") != NULL);
	fit_end(&fit);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"poisson\",\"l2\":1}", NULL) ==
		  ML_OK);
	CHECK(fit_true(&fit, "converged"));
	fit_end(&fit);
	ml_env_close(&env);
}

/* A target that an option refuses gives a sentence, and leaves nothing behind. */
static void
check_refused(const Table *t, const char *options, MlStatus want, const char *words)
{
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &ml_algo_glm, t, options, NULL) == want);
	CHECK(strstr(env.error, words) != NULL);
	if (unit_case_failed)
		printf("# with %s: %s\n", options, env.error);
	fit_end(&fit);
	CHECK(env.used == 0 || env.pool != NULL);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

static void
bad_targets_are_refused(void)
{
	double x[CARS], y[CARS] = {0};
	Table t = cars(car_wt, NULL, y, x);

	check_refused(&t, "{\"family\":\"poisson\"}", ML_EDATA, "the target is 0 in all rows");
	y[3] = -1;
	check_refused(&t, "{\"family\":\"poisson\"}", ML_EDATA, "has the value -1");
	y[3] = 2;
	check_refused(&t, "{\"family\":\"gamma\"}", ML_EDATA, "takes values above 0");
	check_refused(&t, "{\"family\":\"binomial\"}", ML_EDATA, "between 0 and 1");
	check_refused(&t, "{\"family\":\"tweedie\",\"power\":2.5}", ML_EDATA, "takes values above 0");
	check_refused(&t, "{\"family\":\"poisson\",\"power\":1.2}", ML_EINVAL, "is for family");
	check_refused(&t, "{\"family\":\"poisson\",\"theta\":1}", ML_EINVAL, "is for family");
	check_refused(&t, "{\"family\":\"poisson\",\"link\":\"logit\"}", ML_EINVAL, "does not go with");
	check_refused(&t, "{\"family\":\"poisson\",\"exposure\":\"area\"}", ML_EINVAL, "\"area\"");
	check_refused(&t, "{\"exposure\":\"x1\"}", ML_EINVAL, "needs link \"log\"");
	x[5] = 0;
	check_refused(&t, "{\"family\":\"poisson\",\"exposure\":\"x1\"}", ML_EDATA, "above 0");
	x[5] = NAN;
	check_refused(&t, "{\"family\":\"poisson\",\"offset\":\"x1\"}", ML_EDATA, "is missing");
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	Fit fit;
	MlStatus status = fit_table(&fit, env, &ml_algo_glm, arg,
								"{\"family\":\"negative_binomial\",\"max_iter\":3}", NULL);

	fit_end(&fit);
	return status;
}

static void
failing_allocations_leave_nothing(void)
{
	Table t = random_table();

	t.n = 40;
	unit_every_allocation_fails(train_once, &t, 3000);
}

static bool
cancel_now(void *ctx)
{
	return ++*(int *) ctx > 20;
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
	CHECK(fit_table(&fit, &env, &ml_algo_glm, &t, "{\"family\":\"poisson\"}", NULL) ==
		  ML_ECANCELED);
	fit_end(&fit);
	ml_env_close(&env);
}

/* Abramowitz and Stegun, table 6.1 and 6.4.10: psi(1) = -gamma, psi'(1) = pi^2 / 6. */
static void
digamma_as_tabulated(void)
{
	CHECK_NEAR(ml_digamma(1), -0.57721566490153286, 1e-15);
	CHECK_NEAR(ml_digamma(0.5), -1.9635100260214235, 1e-15);
	CHECK_NEAR(ml_digamma(100), 4.6001618527380874, 1e-15);
	CHECK_NEAR(ml_digamma(1e-3), -1000.5755719318104, 1e-15);
	CHECK_NEAR(ml_trigamma(1), 1.6449340668482264, 1e-15);
	CHECK_NEAR(ml_trigamma(0.5), 4.9348022005446793, 1e-15);
	CHECK_NEAR(ml_trigamma(100), 0.010050166663333571, 1e-15);
}

int
main(void)
{
	RUN(digamma_as_tabulated);
	RUN(fits_as_in_r);
	RUN(statistics_as_in_r);
	RUN(tweedie_as_computed);
	RUN(theta_as_in_mass);
	RUN(gradients_are_derivatives);
	RUN(every_law_fits);
	RUN(exposure_is_proportional);
	RUN(threads_do_not_matter);
	RUN(near_dependence_is_kept);
	RUN(separation_is_said);
	RUN(bad_targets_are_refused);
	RUN(failing_allocations_leave_nothing);
	RUN(cancel_ends_the_fit);
	return unit_end();
}
