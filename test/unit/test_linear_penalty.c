/*
 * test_linear_penalty.c
 *		ridge, lasso and elastic_net: scikit-learn's figures, optimality, folds, merging, odd tables.
 */
#include "golden_linear.h"
#include "linear_fixture.h"

static const MlAlgo *const all_three[] = {&ml_algo_ridge, &ml_algo_lasso, &ml_algo_elastic_net};

/* The rows of test/golden/linear.py. */
static Table
golden_table(size_t n, uint32_t p, bool weighted)
{
	Table t = table_make(n, p, 0, 0);

	if (weighted)
		t.w = malloc(n * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		double *x = t.x + i * p;

		for (size_t j = 0; j < p; j++)
		{
			x[j] = (double) ((i * (2 * j + 3) + (i * i) % (j + 5) * 7 + j) % 17) / 4.0 - 2;
			x[j] = (x[j] + (double) j) * (1 + (double) (j % 3));
		}
		t.y[i] = 2 * x[0] - x[1] + 0.5 * x[2] + 0.25 * x[3] + (double) (i * 37 % 11) / 2.0;
		if (weighted)
			t.w[i] = 1 + (double) (i % 3) / 2.0;
	}
	return t;
}

/* The same with 3 numbers and 2 factors of 5 levels. */
static Table
golden_levels(void)
{
	Table from = golden_table(60, 8, false), t = table_make(60, 3, 2, 5);

	for (size_t i = 0; i < t.n; i++)
	{
		size_t level = (i * i + 3 * i) % 7 % 5;

		memcpy(t.x + i * 5, from.x + i * 8, 3 * sizeof(double));
		t.x[i * 5 + 3] = (double) level;
		t.x[i * 5 + 4] = (double) ((level * 3 + i) % 5);
		t.y[i] = from.y[i];
	}
	table_free(&from);
	return t;
}

/* Train by frame (parts 0) or by stream; checks that it works. */
static void
train(Training *t, MlEnv *env, const MlAlgo *algo, const Table *table, const char *options,
	  size_t parts)
{
	fixture_algo = algo;
	ml_env_init(env);
	if (parts == 0)
		CHECK(train_frame(t, env, table, options) == ML_OK);
	else
		CHECK(train_stream(t, env, table, options, parts) == ML_OK);
	if (env->error[0])
		printf("# %s %s: %s\n", algo->name, options, env->error);
}

static void
train_done(Training *t, MlEnv *env)
{
	training_end(t);
	ml_env_close(env);
}

/* One fit against the intercept and coefficients of scikit-learn, resident, streamed and merged. */
static void
check_golden(const MlAlgo *algo, const Table *table, const char *options, const double *golden)
{
	for (size_t parts = 0; parts <= 3; parts++)
	{
		Training t;
		MlEnv env;
		size_t first;

		train(&t, &env, algo, table, options, parts);
		first = t.n_rows - table->n_numbers;
		for (size_t k = 0; k < t.n_rows; k++)
		{
			CHECK_NEAR(t.rows[k].value, golden[k + 1 - first], 2e-7);
			CHECK(isnan(t.rows[k].std_error));
		}
		train_done(&t, &env);
	}
}

static void
scikit_learn_agrees(void)
{
	Table t = golden_table(60, 8, false), w = golden_table(60, 8, true);

	check_golden(&ml_algo_ridge, &t, "{\"alpha\":3,\"standardize\":false}", golden_ridge);
	check_golden(&ml_algo_ridge, &t, "{\"alpha\":3}", golden_ridge_scaled);
	check_golden(&ml_algo_ridge, &w, "{\"alpha\":3}", golden_ridge_weighted);
	check_golden(&ml_algo_ridge, &t, "{\"alpha\":3,\"standardize\":false,\"intercept\":false}",
				 golden_ridge_zero);
	check_golden(&ml_algo_lasso, &t, "{\"alpha\":0.3,\"standardize\":false,\"tol\":1e-10}",
				 golden_lasso);
	check_golden(&ml_algo_lasso, &t, "{\"alpha\":0.3,\"tol\":1e-10}", golden_lasso_scaled);
	check_golden(&ml_algo_lasso, &w, "{\"alpha\":0.3,\"tol\":1e-10}", golden_lasso_weighted);
	check_golden(&ml_algo_lasso, &t,
				 "{\"alpha\":0.3,\"standardize\":false,\"intercept\":false,\"tol\":1e-10}",
				 golden_lasso_zero);
	check_golden(&ml_algo_elastic_net, &t,
				 "{\"alpha\":0.3,\"l1_ratio\":0.4,\"standardize\":false,\"tol\":1e-10}",
				 golden_net);
	check_golden(&ml_algo_elastic_net, &t, "{\"alpha\":0.3,\"l1_ratio\":0.4,\"tol\":1e-10}",
				 golden_net_scaled);
	check_golden(&ml_algo_elastic_net, &w, "{\"alpha\":0.3,\"l1_ratio\":0.4,\"tol\":1e-10}",
				 golden_net_weighted);
	check_golden(&ml_algo_elastic_net, &t,
				 "{\"alpha\":0.3,\"l1_ratio\":0.4,\"standardize\":false,\"intercept\":false,"
				 "\"tol\":1e-10}",
				 golden_net_zero);
	table_free(&t);
	table_free(&w);
}

static void
scikit_learn_agrees_on_more_columns_than_rows(void)
{
	Table t = golden_table(15, 24, false);

	check_golden(&ml_algo_lasso, &t, "{\"alpha\":0.3,\"standardize\":false,\"tol\":1e-10}",
				 golden_lasso_wide);
	check_golden(&ml_algo_elastic_net, &t,
				 "{\"alpha\":0.3,\"l1_ratio\":0.4,\"standardize\":false,\"tol\":1e-10}",
				 golden_net_wide);
	table_free(&t);
}

/* Levels have a column each in scikit-learn's order, also those that do not occur. */
static void
check_levels(const MlAlgo *algo, const char *options, const double *golden)
{
	Table table = golden_levels();
	Training t;
	MlEnv env;
	size_t found = 0;

	train(&t, &env, algo, &table, options, 0);
	for (size_t k = 0; k < 4; k++)
		CHECK_NEAR(t.rows[k].value, golden[k], 2e-7);
	for (int f = 0; f < 2; f++)
	{
		for (int l = 0; l < 5; l++)
		{
			char name[32];
			double value;

			snprintf(name, sizeof name, "f%d=l%d", f + 1, l);
			value = coefficient_of(&t, name);
			CHECK_NEAR(isnan(value) ? 0 : value, golden[4 + 5 * f + l], 2e-7);
			found += !isnan(value);
		}
	}
	CHECK(found + 4 == t.n_rows && found > 5);
	train_done(&t, &env);
	table_free(&table);
}

static void
scikit_learn_agrees_on_levels(void)
{
	check_levels(&ml_algo_elastic_net,
				 "{\"alpha\":0.05,\"l1_ratio\":0.4,\"standardize\":false,\"tol\":1e-10}",
				 golden_net_levels);
	check_levels(&ml_algo_ridge, "{\"alpha\":3,\"standardize\":false}", golden_ridge_levels);
}

/* alpha, its error and the fit by scikit-learn on the same folds. */
static void
check_choice(const MlAlgo *algo, const char *options, const double *golden)
{
	Table table = golden_table(60, 8, false);

	for (size_t parts = 0; parts <= 1; parts++)
	{
		Training t;
		MlEnv env;

		train(&t, &env, algo, &table, options, parts);
		CHECK_NEAR(summary_number(&t, "alpha") / golden[0], 1, 1e-9);
		CHECK_NEAR(summary_number(&t, "cv_mse"), golden[1], 1e-6);
		for (size_t k = 0; k < t.n_rows; k++)
			CHECK_NEAR(t.rows[k].value, golden[2 + k], 1e-6);
		CHECK(t.report.log.len > 1000);
		train_done(&t, &env);
	}
	table_free(&table);
}

static void
cross_validation_agrees_with_scikit_learn(void)
{
	check_choice(&ml_algo_lasso, "{\"standardize\":false,\"tol\":1e-10}", golden_lasso_cv);
	check_choice(&ml_algo_ridge, "{\"standardize\":false}", golden_ridge_cv);
}

/* The greatest violation of the optimality conditions, with columns divided by scale, over the mean of rows. */
static double
violation(const Training *t, const Table *table, double alpha, double ratio, bool standardize)
{
	uint32_t p = table->n_numbers;
	double worst = 0, weight = 0;

	for (size_t i = 0; i < table->n; i++)
		weight += table->w ? table->w[i] : 1;
	for (uint32_t j = 0; j < p; j++)
	{
		double b = t->rows[1 + j].value, gradient = 0, mean = 0, square = 0, scale;

		for (size_t i = 0; i < table->n; i++)
		{
			const double *x = table->x + i * p;
			double w = (table->w ? table->w[i] : 1) / weight;

			gradient -= w * x[j] * (table->y[i] - predict_row(t, x));
			mean += w * x[j];
			square += w * x[j] * x[j];
		}
		scale = standardize ? sqrt(square - mean * mean) : 1;
		gradient = gradient / scale + alpha * (1 - ratio) * b * scale;
		if (b == 0)
			worst = fmax(worst, fabs(gradient) - alpha * ratio);
		else
			worst = fmax(worst, fabs(gradient + copysign(alpha * ratio, b)));
	}
	return worst;
}

/* Columns that repeat each other, up to noise of the given size. */
static Table
correlated(size_t n, uint32_t p, double noise)
{
	Table t = table_random(n, p, 0, 0, 5);
	MlRng rng;

	ml_rng_seed(&rng, 6, 0);
	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t j = 1; j < p; j += 2)
			t.x[i * p + j] = 3 * t.x[i * p + j - 1] + noise * ml_rng_normal(&rng);
	}
	return t;
}

static void
optimality_conditions_hold(void)
{
	Table tables[] = {table_random(500, 12, 0, 0, 3), correlated(300, 20, 0.1),
					  correlated(300, 10, 1e-7), table_random(30, 60, 0, 0, 4)};
	double alphas[] = {2, 0.1, 0.01};

	for (size_t k = 0; k < 4; k++)
	{
		for (size_t a = 0; a < 3; a++)
		{
			char options[128];
			Training t;
			MlEnv env;

			snprintf(options, sizeof options, "{\"alpha\":%g,\"l1_ratio\":0.7,\"tol\":1e-10}",
					 alphas[a]);
			train(&t, &env, &ml_algo_elastic_net, &tables[k], options, a);
			CHECK(violation(&t, &tables[k], alphas[a], 0.7, true) < 1e-4 * alphas[a]);
			train_done(&t, &env);
		}
		table_free(&tables[k]);
	}
}

static void
ends_of_the_path_are_known(void)
{
	Table table = golden_table(60, 8, false);
	Training t, plain;
	MlEnv env, other;
	double mean = 0;

	for (size_t i = 0; i < table.n; i++)
		mean += table.y[i] / (double) table.n;
	train(&t, &env, &ml_algo_lasso, &table, "{\"alpha\":1e6}", 1);
	CHECK_NEAR(t.rows[0].value, mean, 1e-12);
	CHECK(summary_number(&t, "nonzero") == 0);
	CHECK_NEAR(summary_number(&t, "r2"), 0, 1e-12);
	train_done(&t, &env);

	/* Without a penalty all three are least squares. */
	train(&plain, &other, &ml_algo_linear, &table, "{}", 1);
	for (size_t a = 0; a < 3; a++)
	{
		train(&t, &env, all_three[a], &table, "{\"alpha\":0}", a);
		for (size_t k = 0; k < t.n_rows; k++)
			CHECK_NEAR(t.rows[k].value, plain.rows[k].value, 1e-10);
		train_done(&t, &env);
	}
	train_done(&plain, &other);
	table_free(&table);
}

/* elastic_net with l1_ratio 0 is ridge with alpha times the sum of weights. */
static void
ridge_is_an_elastic_net(void)
{
	Table table = golden_table(60, 8, true);
	Training a, b;
	MlEnv env, other;

	train(&a, &env, &ml_algo_elastic_net, &table, "{\"alpha\":0.1,\"l1_ratio\":0}", 2);
	train(&b, &other, &ml_algo_ridge, &table, "{\"alpha\":9}", 0); /* weights sum to 90 */
	for (size_t k = 0; k < a.n_rows; k++)
		CHECK_NEAR(a.rows[k].value, b.rows[k].value, 1e-10);
	train_done(&a, &env);
	train_done(&b, &other);
	table_free(&table);
}

/* Threads, and the way that rows came, change nothing; the cautious choice penalises at least as much. */
static void
folds_do_not_depend_on_the_way(void)
{
	Table table = correlated(2500, 15, 1);

	for (size_t i = 0; i < table.n; i += 7)
		table.x[i * 15 + i % 15] = NAN;
	for (size_t a = 0; a < 3; a++)
	{
		const char *options = a > 0 ? "{\"tol\":1e-9}" : "{}";
		Training one, stream, cautious;
		MlEnv env, other, third;
		double plain;

		train(&one, &env, all_three[a], &table, options, 0);
		train(&stream, &other, all_three[a], &table, options, 1);
		plain = summary_number(&one, "alpha");
		CHECK_NEAR(summary_number(&stream, "alpha") / plain, 1, 1e-9);
		CHECK_NEAR(summary_number(&stream, "cv_mse"), summary_number(&one, "cv_mse"), 1e-7);
		CHECK(one.n_rows == stream.n_rows);
		for (size_t k = 0; k < one.n_rows; k++)
			CHECK_NEAR(stream.rows[k].value, one.rows[k].value, 1e-5);
		train_done(&stream, &other);
		train(&cautious, &third, all_three[a], &table, "{\"selection\":\"one_se\"}", 0);
		CHECK(summary_number(&cautious, "alpha") > plain);
		CHECK(summary_number(&cautious, "cv_mse") <=
			  summary_number(&one, "cv_mse") + summary_number(&one, "cv_mse_error"));
		train_done(&cautious, &third);

		ml_env_init(&other);
		other.n_threads = 4;
		CHECK(train_frame(&stream, &other, &table, options) == ML_OK);
		for (size_t k = 0; k < one.n_rows; k++)
			CHECK(memcmp(&stream.rows[k].value, &one.rows[k].value, sizeof(double)) == 0);
		train_done(&stream, &other);
		train_done(&one, &env);
	}
	table_free(&table);
}

/* Constant columns and targets, one row, two rows, huge and tiny scales: finite predictions or a clear refusal. */
static void
odd_tables_are_borne(void)
{
	static const char *const options[] = {"{}", "{\"alpha\":0.5}", "{\"intercept\":false}",
										  "{\"standardize\":false}"};

	for (size_t kind = 0; kind < 7; kind++)
	{
		size_t n = kind == 0 ? 1 : kind == 1 ? 2 : 40;
		Table table = table_random(n, 3, 0, 0, 8);

		for (size_t i = 0; i < n; i++)
		{
			double *x = table.x + 3 * i;

			x[0] = kind == 2 ? 0.1 : x[0];
			x[1] *= kind == 3 ? 1e60 : kind == 4 ? 1e-60 : 1;
			x[2] = kind == 5 ? x[1] : kind == 6 ? NAN : x[2];
			table.y[i] = kind == 2 ? 0.3 : table.y[i];
		}
		for (size_t run = 0; run < 24; run++)
		{
			Training t;
			MlEnv env;

			train(&t, &env, all_three[run % 3], &table, options[run / 3 % 4], run / 12);
			for (size_t i = 0; i < n; i++)
				CHECK(isfinite(predict_row(&t, table.x + 3 * i)));
			if (kind == 2 && run / 3 % 4 != 2)
				CHECK_NEAR(predict_row(&t, table.x), 0.3, 1e-12);
			train_done(&t, &env);
		}
		table_free(&table);
	}
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	const Table *table = arg;
	Training t;
	MlStatus status = train_frame(&t, env, table, "{\"path_folds\":3,\"n_alphas\":4}");

	training_end(&t);
	if (status != ML_OK || table->n_factors > 0)
		return status;
	status = train_stream(&t, env, table, "{\"path_folds\":3,\"n_alphas\":4}", 2);
	training_end(&t);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Table dense = table_random(200, 3, 0, 0, 1), levels = table_random(60, 2, 2, 4, 1);

	for (size_t i = 0; i < dense.n; i += 9)
		dense.x[i] = NAN;
	for (size_t a = 0; a < 3; a += 2)
	{
		fixture_algo = all_three[a];
		unit_every_allocation_fails(train_once, &dense, 1000);
		unit_every_allocation_fails(train_once, &levels, 1000);
	}
	table_free(&dense);
	table_free(&levels);
}

/* A state goes only to the loader of the same folds; damaged ones are refused. */
static void
damaged_states_are_refused(void)
{
	Table table = table_random(300, 3, 0, 0, 1);
	MlStreamInput input = {.n_features = 3, .task = ML_REGRESSION};
	const MlStreaming *s = ml_algo_lasso.streaming;
	Training t;
	MlBuffer bytes;
	MlReader in;
	MlEnv env;
	void *state, *copy;

	fixture_algo = &ml_algo_lasso;
	ml_env_init(&env);
	CHECK(training_begin(&t, &env, &table, "{}") == ML_OK);
	input.params = &t.params;
	CHECK(s->begin(&t.arena, &input, &state) == ML_OK);
	CHECK(s->accumulate(state, table.x, table.y, NULL, table.n) == ML_OK);
	ml_buffer_init(&bytes, &env);
	s->save(state, &bytes);
	for (size_t len = 0; len < bytes.len; len += 1 + len / 40)
	{
		ml_reader_init(&in, &env, bytes.data, len);
		CHECK(s->load(&in, &t.arena, &input, &copy) == ML_ECORRUPT);
	}
	ml_reader_init(&in, &env, bytes.data, bytes.len);
	CHECK(s->load(&in, &t.arena, &input, &copy) == ML_OK);
	ml_buffer_free(&bytes);
	train_done(&t, &env);
	table_free(&table);
}

int
main(void)
{
	RUN(scikit_learn_agrees);
	RUN(scikit_learn_agrees_on_more_columns_than_rows);
	RUN(scikit_learn_agrees_on_levels);
	RUN(cross_validation_agrees_with_scikit_learn);
	RUN(optimality_conditions_hold);
	RUN(ends_of_the_path_are_known);
	RUN(ridge_is_an_elastic_net);
	RUN(folds_do_not_depend_on_the_way);
	RUN(odd_tables_are_borne);
	RUN(every_allocation_may_fail);
	RUN(damaged_states_are_refused);
	return unit_end();
}
