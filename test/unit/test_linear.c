/*
 * test_linear.c
 *		Least squares by streaming: NIST's sets, merging, missing values, ridge, hostile states.
 */
#include "linear_fixture.h"
#include "nist.h"

/* The rows of a set as a table; powers are computed in double. times: each row so often. */
static Table
nist_table(const NistSet *set, size_t times)
{
	uint32_t p = set->degree ? (uint32_t) set->degree : (uint32_t) set->n_x;
	Table t = table_make(set->n_rows * times, p, 0, 0);

	for (size_t i = 0; i < t.n; i++)
	{
		size_t row = i % set->n_rows;
		double power = 1;

		t.y[i] = set->y[row];
		for (uint32_t j = 0; j < p; j++)
		{
			power *= set->x[row];
			t.x[i * p + j] = set->degree ? power : set->x[row * set->n_x + j];
		}
	}
	return t;
}

/* Log relative error: the number of correct digits. */
static double
digits(double got, double want)
{
	double error = want == 0 ? fabs(got) : fabs(got - want) / fabs(want);

	return error == 0 ? 16 : isnan(error) ? 0 : fmin(16, -log10(error));
}

/* The least number of correct digits over all coefficients. */
static double
coefficient_digits(const Training *t, const NistSet *set)
{
	double least = 16;

	for (size_t k = 0; k < t->n_rows; k++)
		least = fmin(least, digits(t->rows[k].value, set->beta[k]));
	return least;
}

typedef MlStatus (*TrainFn)(Training *t, MlEnv *env, const Table *table, const char *options,
							size_t n_parts);

static MlStatus
resident(Training *t, MlEnv *env, const Table *table, const char *options, size_t n_parts)
{
	(void) n_parts;
	return train_frame(t, env, table, options);
}

/* Train on a set and return the digits of its coefficients. */
static double
nist_digits(const NistSet *set, TrainFn train, const char *precision, size_t times, size_t n_parts)
{
	Table table = nist_table(set, times);
	char options[128];
	double result = 0;
	MlEnv env;
	Training t;

	snprintf(options, sizeof options, "{\"precision\":\"%s\",\"intercept\":%s}", precision,
			 set->intercept ? "true" : "false");
	ml_env_init(&env);
	CHECK(train(&t, &env, &table, options, n_parts) == ML_OK);
	CHECK(t.n_rows == table.n_numbers + (set->intercept ? 1 : 0));
	result = coefficient_digits(&t, set);
	if (getenv("UNIT_VERBOSE"))
		printf("# %s %s x%zu in %zu parts: %.1f digits\n", set->name, precision, times, n_parts,
			   result);
	training_end(&t);
	table_free(&table);
	ml_env_close(&env);
	return result;
}

/* What has to be reached, in double: 7 on Filip, 6 on Wampler5, 8 on the other Wamplers, 9 elsewhere. */
static double
wanted_digits(const NistSet *set)
{
	if (strcmp(set->name, "filip") == 0)
		return 7;
	if (strcmp(set->name, "wampler5") == 0)
		return 6;
	return strncmp(set->name, "wampler", 7) == 0 ? 8 : 9;
}

/* As they are: few rows, solved in double-double, whole and in parts. */
static void
nist_sets_keep_their_digits(void)
{
	for (size_t i = 0; i < N_NIST_SETS; i++)
	{
		double want = wanted_digits(&nist_sets[i]);

		for (size_t parts = 1; parts <= 4; parts++)
			CHECK(nist_digits(&nist_sets[i], train_stream, "double", 1, parts) >= want);
		CHECK(nist_digits(&nist_sets[i], resident, "double", 1, 1) >= want);
	}
}

/* Each row many times over, which changes no coefficient: now the triangular factor does the work. */
static void
nist_sets_keep_their_digits_when_folded(void)
{
	for (size_t i = 0; i < N_NIST_SETS; i++)
	{
		double want = wanted_digits(&nist_sets[i]);

		/* A residual of 10^4 times the signal, 160 times over, costs the Wamplers half a digit. */
		if (want == 8)
			want = 7.5;
		for (size_t parts = 1; parts <= 4; parts++)
			CHECK(nist_digits(&nist_sets[i], train_stream, "double", 160, parts) >= want);
		CHECK(nist_digits(&nist_sets[i], resident, "double", 160, 1) >= want);
	}
}

/* In double-double: 12 digits on all Wamplers, also when rows are many and merged. */
static void
extended_precision_keeps_all_digits(void)
{
	for (size_t i = 0; i < N_NIST_SETS; i++)
	{
		const NistSet *set = &nist_sets[i];
		double want = strcmp(set->name, "filip") == 0 ? 7 : 12;

		CHECK(nist_digits(set, train_stream, "extended", 1, 1) >= want);
		CHECK(nist_digits(set, train_stream, "extended", 50, 4) >= want);
		CHECK(nist_digits(set, resident, "extended", 50, 1) >= want);
	}
}

/* Equal weights change no coefficient, though a weight of 0.1 makes every product inexact in double. */
static void
extended_precision_keeps_digits_under_weights(void)
{
	const NistSet *set = &(NistSet) NIST_WAMPLER5;
	Table table = nist_table(set, 3);
	MlEnv env;
	Training t;

	table.w = malloc(table.n * sizeof(double));
	for (size_t i = 0; i < table.n; i++)
		table.w[i] = 0.1;
	ml_env_init(&env);
	CHECK(train_stream(&t, &env, &table, "{\"precision\":\"extended\"}", 2) == ML_OK);
	CHECK(coefficient_digits(&t, set) >= 12);
	training_end(&t);
	table_free(&table);
	ml_env_close(&env);
}

/* Standard errors, sigma and R2 against the certified values; t and p follow from them. */
static void
nist_errors_and_summary(void)
{
	for (size_t i = 0; i < N_NIST_SETS; i++)
	{
		const NistSet *set = &nist_sets[i];
		bool filip = strcmp(set->name, "filip") == 0;
		Table table = nist_table(set, 1);
		MlEnv env;
		Training t;

		ml_env_init(&env);
		CHECK(train_stream(&t, &env, &table, set->intercept ? "{}" : "{\"intercept\":false}", 1) ==
			  ML_OK);
		for (size_t k = 0; k < t.n_rows; k++)
		{
			const MlCoefficient *row = &t.rows[k];

			CHECK_NEAR(row->std_error, set->error[k], filip ? 1e-6 : 1e-9);
			if (set->error[k] > 0)
			{
				CHECK(row->statistic == row->value / row->std_error);
				CHECK(row->p_value >= 0 && row->p_value <= 1);
			}
		}
		CHECK_NEAR(summary_number(&t, "sigma"), set->sigma, 1e-9);
		CHECK_NEAR(summary_number(&t, "r2"), set->r2, 1e-10);
		CHECK(summary_number(&t, "n") == (double) set->n_rows);
		training_end(&t);
		table_free(&table);
		ml_env_close(&env);
	}
}

/*
 * Longley once more, against R 4.2: summary(lm(Employed ~ ., longley)) in the units of NIST. F-statistic
 * 330.285339 on 6 and 9 df, certified by NIST; logLik and AIC follow from the certified residual sum of squares
 * 836424.055505915 by R's formulas.
 */
static void
summary_of_longley(void)
{
	Table table = nist_table(&(NistSet) NIST_LONGLEY, 1);
	double likelihood = -8 * (log(2 * M_PI) + 1 - log(16) + log(836424.055505915));
	MlEnv env;
	Training t;

	ml_env_init(&env);
	CHECK(train_stream(&t, &env, &table, "{}", 1) == ML_OK);
	CHECK_NEAR(summary_number(&t, "f_statistic"), 330.285339234588, 1e-12);
	CHECK_NEAR(summary_number(&t, "f_p_value") / 4.98403052872e-10, 1, 1e-6);
	CHECK_NEAR(summary_number(&t, "adj_r2"), 1 - (1 - 0.995479004577296) * 15 / 9, 1e-12);
	CHECK(summary_number(&t, "df_residual") == 9 && summary_number(&t, "rank") == 7);
	CHECK_NEAR(summary_number(&t, "log_likelihood"), likelihood, 1e-12);
	CHECK_NEAR(summary_number(&t, "aic"), 2 * 8 - 2 * likelihood, 1e-12);
	training_end(&t);
	table_free(&table);
	ml_env_close(&env);
}

/* Largest relative difference of coefficients and errors of two trainings. */
static double
difference(const Training *a, const Training *b)
{
	double worst = a->n_rows == b->n_rows ? 0 : INFINITY;

	for (size_t k = 0; k < a->n_rows && k < b->n_rows; k++)
	{
		const MlCoefficient *x = &a->rows[k], *y = &b->rows[k];

		worst = fmax(worst, fabs(x->value - y->value) / fmax(1e-3, fabs(y->value)));
		if (isnan(x->std_error) != isnan(y->std_error))
			worst = INFINITY;
		if (!isnan(x->std_error))
			worst = fmax(worst, fabs(x->std_error - y->std_error) / fmax(1e-9, y->std_error));
	}
	return worst;
}

/* Train both ways and return the difference. */
static double
compare(const Table *a, const char *options_a, size_t parts_a, const Table *b,
		const char *options_b, size_t parts_b)
{
	MlEnv env;
	Training s, t;
	double result;

	ml_env_init(&env);
	CHECK(train_stream(&s, &env, a, options_a, parts_a) == ML_OK);
	CHECK(train_stream(&t, &env, b, options_b, parts_b) == ML_OK);
	result = difference(&s, &t);
	CHECK_NEAR(summary_number(&s, "r2"), summary_number(&t, "r2"), 1e-10);
	training_end(&s);
	training_end(&t);
	ml_env_close(&env);
	return result;
}

/* In parts, through bytes, with few and with many columns (which take another routine), extended or not. */
static void
merging_equals_all_at_once(void)
{
	static const size_t rows[] = {40, 300, 5000};

	for (size_t r = 0; r < 3; r++)
	{
		for (uint32_t p = 3; p <= 60; p += 57)
		{
			Table t = table_random(rows[r], p, 0, 0, rows[r]);

			if (rows[r] > p + 1)
			{
				CHECK(compare(&t, "{}", 1, &t, "{}", 7) < 1e-9);
				CHECK(compare(&t, "{}", 3, &t, "{\"precision\":\"extended\"}", 1) < 1e-9);
			}
			table_free(&t);
		}
	}
}

/* The bytes of a state with a triangle are those of the triangle, and keep the fit. */
static void
folded_state_is_small(void)
{
	const MlStreaming *s = ml_algo_linear.streaming;
	Table t = table_random(1000, 20, 0, 0, 6);
	MlStreamInput input = {.n_features = 20};
	MlBuffer bytes;
	MlEnv env;
	Training a;
	void *state;

	ml_env_init(&env);
	ml_buffer_init(&bytes, &env);
	CHECK(training_begin(&a, &env, &t, "{}") == ML_OK);
	input.params = &a.params;
	CHECK(s->begin(&a.arena, &input, &state) == ML_OK);
	CHECK(s->accumulate(state, t.x, t.y, NULL, t.n) == ML_OK);
	s->save(state, &bytes);
	CHECK(bytes.status == ML_OK && bytes.len < (22 * 23 / 2 + 22) * sizeof(double) + 64);
	ml_buffer_free(&bytes);
	training_end(&a);
	CHECK(compare(&t, "{}", 1, &t, "{}", 2) < 1e-10);
	table_free(&t);
	ml_env_close(&env);
}

/* Rows with weight k count as k rows, but for the degrees of freedom; weight zero as none. */
static void
weights_count_as_copies(void)
{
	Table t = table_random(400, 4, 0, 0, 8), copies = table_make(1200, 4, 0, 0);
	static const char *const precisions[] = {"{}", "{\"precision\":\"extended\"}"};
	size_t n = 0;

	t.w = calloc(t.n, sizeof(double));
	for (size_t i = 0; i < t.n; i++)
	{
		t.w[i] = (double) (i % 4);
		for (size_t k = 0; k < i % 4; k++, n++)
		{
			memcpy(copies.x + n * 4, t.x + i * 4, 4 * sizeof(double));
			copies.y[n] = t.y[i];
		}
	}
	copies.n = n;
	for (size_t p = 0; p < 2; p++)
	{
		MlEnv env;
		Training a, b;
		double ratio;

		ml_env_init(&env);
		CHECK(train_stream(&a, &env, &t, precisions[p], 2) == ML_OK);
		CHECK(train_stream(&b, &env, &copies, precisions[p], 1) == ML_OK);
		CHECK(summary_number(&a, "n") == 300 && summary_number(&b, "n") == 600);
		ratio = sqrt((600 - 5) / (300 - 5.0));
		for (size_t k = 0; k < 5; k++)
		{
			CHECK_NEAR(a.rows[k].value, b.rows[k].value, 1e-11);
			CHECK_NEAR(a.rows[k].std_error, b.rows[k].std_error * ratio, 1e-11);
		}
		training_end(&a);
		training_end(&b);
		ml_env_close(&env);
	}
	table_free(&t);
	table_free(&copies);
}

/* A few rows that take in the triangle of many keep the digits of columns with large means. */
static void
few_rows_take_in_many(void)
{
	const MlStreaming *s = ml_algo_linear.streaming;
	Table t = table_random(6000, 3, 0, 0, 8);
	MlStreamInput input = {.n_features = 3};
	MlEnv env;
	Training a, b;
	void *few, *many;

	for (size_t i = 0; i < t.n * 3; i++)
		t.x[i] += 1e9;
	ml_env_init(&env);
	CHECK(training_begin(&a, &env, &t, "{}") == ML_OK);
	input.params = &a.params;
	CHECK(s->begin(&a.arena, &input, &few) == ML_OK && s->begin(&a.arena, &input, &many) == ML_OK);
	CHECK(s->accumulate(few, t.x, t.y, NULL, 20) == ML_OK);
	CHECK(s->accumulate(many, t.x + 60, t.y + 20, NULL, t.n - 20) == ML_OK);
	CHECK(s->merge(few, many) == ML_OK);
	CHECK(s->finish(few, &a.arena, a.schema, &a.report, &a.model) == ML_OK);
	CHECK(ml_algo_linear.coefficients(&env, a.model, a.schema, keep_row, &a) == ML_OK);
	CHECK(train_stream(&b, &env, &t, "{\"precision\":\"extended\"}", 1) == ML_OK);
	for (size_t k = 1; k < 4; k++)
		CHECK_NEAR(a.rows[k].value / b.rows[k].value, 1, 1e-11);
	training_end(&a);
	training_end(&b);
	table_free(&t);
	ml_env_close(&env);
}

/* The log-likelihood under weights, by its definition: normal with variance sigma^2 / w at the maximum. */
static void
likelihood_counts_weights(void)
{
	Table t = table_random(9000, 2, 0, 0, 8);
	double variance = 0, likelihood = 0;
	MlEnv env;
	Training a, b;

	t.w = malloc(t.n * sizeof(double));
	for (size_t i = 0; i < t.n; i++)
		t.w[i] = 0.5 + (double) (i % 5);
	ml_env_init(&env);
	CHECK(train_stream(&a, &env, &t, "{}", 3) == ML_OK);
	CHECK(train_frame(&b, &env, &t, "{}") == ML_OK);
	for (size_t i = 0; i < t.n; i++)
		variance += t.w[i] * pow(t.y[i] - predict_row(&a, t.x + i * 2), 2) / (double) t.n;
	for (size_t i = 0; i < t.n; i++)
	{
		double v = variance / t.w[i], r = t.y[i] - predict_row(&a, t.x + i * 2);

		likelihood -= (log(2 * M_PI * v) + r * r / v) / 2;
	}
	CHECK_NEAR(summary_number(&a, "log_likelihood"), likelihood, 1e-11);
	CHECK_NEAR(summary_number(&b, "log_likelihood"), likelihood, 1e-11);
	training_end(&a);
	training_end(&b);
	table_free(&t);
	ml_env_close(&env);
}

/* The same rows with missing values, imputed by hand: means, and indicators as columns. */
static Table
impute_by_hand(Table *t, const uint32_t *holes, uint32_t n_holes)
{
	uint32_t p = t->n_numbers, width = p + n_holes;
	Table full = table_make(t->n, width, 0, 0);

	for (size_t i = 0; i < t->n; i++)
	{
		full.y[i] = t->y[i];
		memcpy(full.x + i * width, t->x + i * p, p * sizeof(double));
	}
	for (uint32_t h = 0; h < n_holes; h++)
	{
		double sum = 0, count = 0, mean;

		for (size_t i = 0; i < t->n; i++)
		{
			bool missing = i % (5 + h) == 2 + h && i > 30 * h;

			if (missing)
				t->x[i * p + holes[h]] = NAN;
			sum += missing ? 0 : t->x[i * p + holes[h]];
			count += missing ? 0 : 1;
			full.x[i * width + p + h] = missing;
		}
		mean = sum / count;
		for (size_t i = 0; i < t->n; i++)
		{
			if (isnan(t->x[i * p + holes[h]]))
				full.x[i * width + holes[h]] = mean;
		}
	}
	return full;
}

static void
missing_values_are_imputed_with_an_indicator(void)
{
	static const uint32_t holes[] = {1, 3, 4};
	static const size_t rows[] = {120, 3000};

	for (size_t r = 0; r < 2; r++)
	{
		Table t = table_random(rows[r], 6, 0, 0, 21), full = impute_by_hand(&t, holes, 3);

		CHECK(compare(&t, "{}", 1, &full, "{}", 1) < 1e-9);
		CHECK(compare(&t, "{}", 5, &full, "{}", 1) < 1e-9);
		CHECK(compare(&t, "{\"precision\":\"extended\"}", 5, &full, "{}", 1) < 1e-9);
		CHECK(compare(&t, "{\"l2\":3}", 2, &full, "{\"l2\":3}", 1) < 1e-9);
		CHECK(compare(&t, "{\"intercept\":false}", 2, &full, "{\"intercept\":false}", 1) < 1e-9);
		table_free(&t);
		table_free(&full);
	}
}

/* A feature that is always missing has no indicator, and no coefficient; a row without it predicts alike. */
static void
always_missing_feature_is_aliased(void)
{
	Table t = table_random(500, 3, 0, 0, 5);
	MlEnv env;
	Training all, two;
	double row[3] = {1, NAN, 20}, prediction;

	for (size_t i = 0; i < t.n; i++)
		t.x[i * 3 + 1] = NAN;
	ml_env_init(&env);
	CHECK(train_stream(&all, &env, &t, "{}", 3) == ML_OK);
	CHECK(all.n_rows == 4);
	CHECK(all.rows[2].value == 0 && isnan(all.rows[2].std_error) && isnan(all.rows[2].p_value));
	prediction = predict_row(&all, row);
	row[1] = 77;
	CHECK(predict_row(&all, row) == prediction);
	for (size_t i = 0; i < t.n; i++)
	{
		t.x[i * 2] = t.x[i * 3];
		t.x[i * 2 + 1] = t.x[i * 3 + 2];
	}
	t.n_numbers = 2;
	CHECK(train_stream(&two, &env, &t, "{}", 1) == ML_OK);
	row[1] = row[2];
	CHECK_NEAR(predict_row(&two, row), prediction, 1e-12);
	training_end(&all);
	training_end(&two);
	table_free(&t);
	ml_env_close(&env);
}

/* Ridge is least squares with sqrt(l2) times the unit matrix as further rows, on centred columns. */
static void
ridge_solves_its_normal_equations(void)
{
	static const char *const options[] = {"{\"l2\":50}", "{\"l2\":50,\"precision\":\"extended\"}",
										  "{\"l2\":50,\"intercept\":false}"};

	for (size_t o = 0; o < 3; o++)
	{
		for (size_t n = 30; n <= 2000; n += 1970)
		{
			Table t = table_random(n, 4, 0, 0, n);
			MlEnv env;
			Training r;
			double gradient[5] = {0}, *b;

			ml_env_init(&env);
			CHECK(train_stream(&r, &env, &t, options[o], 2) == ML_OK);
			CHECK(r.n_rows == (o == 2 ? 4 : 5));
			for (size_t i = 0; i < n; i++)
			{
				double residual = t.y[i] - predict_row(&r, t.x + i * 4);

				gradient[4] += o == 2 ? 0 : residual;
				for (size_t j = 0; j < 4; j++)
					gradient[j] += residual * t.x[i * 4 + j];
			}
			b = (double[4]){0};
			for (size_t j = 0; j < 4; j++)
				b[j] = r.rows[j + (o == 2 ? 0 : 1)].value;
			for (size_t j = 0; j < 4; j++)
				CHECK(fabs(gradient[j] - 50 * b[j]) < 1e-9 * (double) n * 100);
			CHECK(fabs(gradient[4]) < 1e-9 * (double) n);
			CHECK(isnan(r.rows[1].std_error) && isnan(summary_number(&r, "f_statistic")));
			CHECK(summary_number(&r, "r2") > 0.5);
			training_end(&r);
			table_free(&t);
			ml_env_close(&env);
		}
	}
}

/* Constant, doubled and summed columns, and fewer rows than columns: zeros with NaN errors, the fit unharmed. */
static void
collinear_columns_are_aliased(void)
{
	static const size_t rows[] = {3, 12, 200, 4000};

	for (size_t r = 0; r < 4; r++)
	{
		Table t = table_random(rows[r], 6, 0, 0, 3);
		double rss = 0, scale = 0;
		MlEnv env;
		Training a;

		for (size_t i = 0; i < t.n; i++)
		{
			double *x = t.x + i * 6;

			x[1] = 0.1;
			x[3] = x[2] * 3;
			x[5] = x[0] + x[4];
		}
		ml_env_init(&env);
		CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_OK);
		CHECK(a.n_rows == 7);
		for (size_t k = 0; k < 7; k++)
			CHECK(isfinite(a.rows[k].value));
		for (size_t i = 0; i < t.n; i++)
		{
			double residual = t.y[i] - predict_row(&a, t.x + i * 6);

			rss += residual * residual;
			scale += t.y[i] * t.y[i];
		}
		if (rows[r] == 3)
			CHECK(rss < 1e-20 * scale && isnan(summary_number(&a, "sigma")));
		else
		{
			CHECK(summary_number(&a, "rank") == 4);
			CHECK(a.rows[2].value == 0 && a.rows[4].value == 0 && a.rows[6].value == 0);
			CHECK(isnan(a.rows[2].std_error) && isnan(a.rows[4].std_error) &&
				  isnan(a.rows[6].std_error));
			CHECK(a.rows[1].std_error > 0 && a.rows[5].std_error > 0);
			CHECK_NEAR(summary_number(&a, "sigma"), sqrt(rss / (double) (rows[r] - 4)), 1e-9);
		}
		training_end(&a);
		table_free(&t);
		ml_env_close(&env);
	}
}

/* One row, a constant target, huge and tiny numbers. */
static void
extreme_tables_are_fitted(void)
{
	MlEnv env;
	Training a;
	Table one = table_random(1, 2, 0, 0, 1), t = table_random(600, 2, 0, 0, 2);

	ml_env_init(&env);
	CHECK(train_stream(&a, &env, &one, "{}", 1) == ML_OK);
	CHECK(predict_row(&a, (double[]){5, 5}) == one.y[0]);
	CHECK(isnan(summary_number(&a, "r2")) && isnan(a.rows[0].std_error));
	training_end(&a);

	for (size_t i = 0; i < t.n; i++)
		t.y[i] = 7;
	CHECK(train_stream(&a, &env, &t, "{}", 2) == ML_OK);
	CHECK_NEAR(predict_row(&a, (double[]){1e3, 5}), 7, 1e-12);
	training_end(&a);

	for (double size = 1e-200; size < 1e250; size *= 1e100)
	{
		for (size_t n = 100; n <= 600; n += 500)
		{
			t.n = n;
			for (size_t i = 0; i < t.n; i++)
			{
				t.x[i * 2] = size * (double) (i % 17);
				t.x[i * 2 + 1] = (double) (i % 5);
				t.y[i] = 2 * (double) (i % 17) - t.x[i * 2 + 1];
			}
			CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_OK);
			CHECK_NEAR(a.rows[1].value * size, 2, 1e-9);
			CHECK_NEAR(a.rows[2].value, -1, 1e-9);
			training_end(&a);
		}
	}
	table_free(&t);
	table_free(&one);
	ml_env_close(&env);
}

/* Infinite numbers and numbers whose squares overflow are refused, with the name of the feature. */
static void
bad_numbers_are_refused(void)
{
	Table t = table_random(600, 3, 0, 0, 2);
	static const char *const precisions[] = {"{}", "{\"precision\":\"extended\"}"};
	MlEnv env;
	Training a;

	ml_env_init(&env);
	for (size_t p = 0; p < 2; p++)
	{
		t.x[100 * 3 + 1] = -INFINITY;
		CHECK(train_stream(&a, &env, &t, precisions[p], 1) == ML_EDATA);
		CHECK(strcmp(env.error, "feature \"x2\" has an infinite value") == 0);
		training_end(&a);
		t.x[100 * 3 + 1] = 0;
		t.y[599] = INFINITY;
		CHECK(train_stream(&a, &env, &t, precisions[p], 1) == ML_EDATA);
		CHECK(strstr(env.error, "target") != NULL);
		training_end(&a);
		t.y[599] = 1e300;
		CHECK(train_stream(&a, &env, &t, precisions[p], 1) == ML_EDATA);
		CHECK(strstr(env.error, "too large") != NULL);
		training_end(&a);
		t.y[599] = 0;
	}
	t.n = 0;
	CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_EDATA);
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* Contributions and base add up to the prediction; importance is |coefficient| times deviation. */
static void
contributions_add_up(void)
{
	static const uint32_t holes[] = {1, 3, 4};
	Table t = table_random(900, 6, 0, 0, 21), full = impute_by_hand(&t, holes, 3);
	double parts[6], base, mean = 0, sum = 0, gain[6];
	MlEnv env;
	Training a;

	ml_env_init(&env);
	CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_OK);
	for (size_t i = 0; i < t.n; i++)
	{
		double total = 0;

		CHECK(ml_algo_linear.contributions(&env, a.model, t.x + i * 6, 0, parts, &base) == ML_OK);
		for (size_t j = 0; j < 6; j++)
			total += parts[j];
		CHECK_NEAR(total + base, predict_row(&a, t.x + i * 6), 1e-12);
		mean += t.y[i] / (double) t.n;
		sum += parts[1] / (double) t.n;
	}
	CHECK_NEAR(base, mean, 1e-10);
	CHECK(fabs(sum) < 1e-10);
	ml_algo_linear.importance(a.model, gain);
	CHECK_NEAR(gain[0], fabs(a.rows[1].value), 0.1); /* the deviation of x1 is about 1 */
	CHECK(gain[5] > 2.5 && gain[5] < 3.5);           /* 6 times 0.5 */
	training_end(&a);
	table_free(&t);
	table_free(&full);
	ml_env_close(&env);
}

/* A model through its bytes predicts the same bytes; every shorter or changed image is refused or harmless. */
static void
model_bytes_are_checked(void)
{
	static const uint32_t holes[] = {1, 3, 4};
	Table t = table_random(300, 6, 0, 0, 21), full = impute_by_hand(&t, holes, 3);
	MlBuffer bytes, again;
	MlReader in;
	MlEnv env;
	Training a;
	void *model;

	ml_env_init(&env);
	CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_OK);
	ml_buffer_init(&bytes, &env);
	ml_buffer_init(&again, &env);
	ml_algo_linear.save(a.model, &bytes);
	ml_reader_init(&in, &env, bytes.data, bytes.len);
	CHECK(ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_OK);
	CHECK(ml_reader_end(&in, "model") == ML_OK);
	ml_algo_linear.save(model, &again);
	CHECK(again.len == bytes.len && memcmp(again.data, bytes.data, bytes.len) == 0);
	for (size_t i = 0; i < t.n; i++)
	{
		double out;

		ml_algo_linear.predict(model, t.x + i * 6, &out);
		CHECK(out == predict_row(&a, t.x + i * 6));
	}
	for (size_t len = 0; len < bytes.len; len++)
	{
		ml_reader_init(&in, &env, bytes.data, len);
		CHECK(ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_ECORRUPT);
	}
	for (size_t i = 0; i < bytes.len * 8; i++)
	{
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		if (ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_OK)
		{
			double out;

			ml_algo_linear.predict(model, t.x, &out);
		}
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
	}
	ml_buffer_free(&bytes);
	ml_buffer_free(&again);
	training_end(&a);
	table_free(&t);
	table_free(&full);
	ml_env_close(&env);
}

/* The bytes of a state with missing values: shorter ones are refused, changed ones never crash. */
static void
check_state_bytes(const Table *t, const char *options)
{
	const MlStreaming *s = ml_algo_linear.streaming;
	MlStreamInput input = {.n_features = t->n_numbers, .task = ML_REGRESSION};
	MlBuffer bytes;
	MlReader in;
	MlEnv env;
	Training a;
	void *state, *other;

	ml_env_init(&env);
	ml_buffer_init(&bytes, &env);
	CHECK(training_begin(&a, &env, t, options) == ML_OK);
	input.params = &a.params;
	CHECK(s->begin(&a.arena, &input, &state) == ML_OK);
	CHECK(s->accumulate(state, t->x, t->y, NULL, t->n) == ML_OK);
	s->save(state, &bytes);
	for (size_t len = 0; len < bytes.len; len += 1 + len / 50)
	{
		ml_reader_init(&in, &env, bytes.data, len);
		CHECK(s->load(&in, &a.arena, &input, &other) == ML_ECORRUPT);
	}
	for (size_t i = 0; i < bytes.len * 8; i += 1 + i / 200)
	{
		MlArena arena;
		void *model;

		ml_arena_init(&arena, &env);
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		if (s->load(&in, &arena, &input, &other) == ML_OK &&
			s->accumulate(other, t->x, t->y, NULL, ML_MIN(t->n, 2)) == ML_OK &&
			s->merge(other, state) == ML_OK)
		{
			a.report.summary.len = 0;
			s->finish(other, &arena, a.schema, &a.report, &model);
		}
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
		ml_arena_free(&arena);
	}
	ml_buffer_free(&bytes);
	training_end(&a);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

static void
state_bytes_are_checked(void)
{
	static const uint32_t holes[] = {0, 2};
	static const size_t rows[] = {0, 20, 400};

	for (size_t r = 0; r < 3; r++)
	{
		Table t = table_random(rows[r], 3, 0, 0, 4), full = impute_by_hand(&t, holes, 2);

		check_state_bytes(&t, "{}");
		check_state_bytes(&t, "{\"precision\":\"extended\"}");
		table_free(&t);
		table_free(&full);
	}
}

/* As many waiting rows as make a state fold at once: it would never have been saved so. */
static void
state_with_too_many_rows_is_refused(void)
{
	const MlStreaming *s = ml_algo_linear.streaming;
	MlStreamInput input = {.n_features = 1};
	Table t = table_make(1, 1, 0, 0);
	MlBuffer bytes;
	MlReader in;
	MlEnv env;
	Training a;
	void *state;

	ml_env_init(&env);
	CHECK(training_begin(&a, &env, &t, "{}") == ML_OK);
	input.params = &a.params;
	for (uint32_t rows = 258; rows <= 260; rows++)
	{
		ml_buffer_init(&bytes, &env);
		ml_put_u8(&bytes, 0);
		ml_put_u32(&bytes, 1);
		ml_put_u32(&bytes, 3);
		ml_put_u64(&bytes, rows);
		ml_put_f64(&bytes, 0);
		ml_put_u8(&bytes, 0);
		ml_put_u8(&bytes, 0);
		ml_put_u32(&bytes, 256);
		ml_put_u32(&bytes, rows);
		for (uint32_t k = 0; k < 3 * rows; k++)
			ml_put_f64(&bytes, k);
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(s->load(&in, &a.arena, &input, &state) == (rows < 259 ? ML_OK : ML_ECORRUPT));
		ml_buffer_free(&bytes);
	}
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* States that do not belong together are not merged. */
static void
different_states_do_not_merge(void)
{
	const MlStreaming *s = ml_algo_linear.streaming;
	Table t = table_make(1, 2, 0, 0);
	MlStreamInput two = {.n_features = 2}, three = {.n_features = 3};
	MlEnv env;
	Training a, b;
	void *x, *y, *z;

	ml_env_init(&env);
	CHECK(training_begin(&a, &env, &t, "{}") == ML_OK);
	CHECK(training_begin(&b, &env, &t, "{\"precision\":\"extended\"}") == ML_OK);
	two.params = three.params = &a.params;
	CHECK(s->begin(&a.arena, &two, &x) == ML_OK && s->begin(&a.arena, &three, &y) == ML_OK);
	CHECK(s->merge(x, y) == ML_EINVAL);
	two.params = &b.params;
	CHECK(s->begin(&a.arena, &two, &z) == ML_OK);
	CHECK(s->merge(x, z) == ML_EINVAL);
	training_end(&a);
	training_end(&b);
	table_free(&t);
	ml_env_close(&env);
}

/* Work under a failing allocator: stream with missing values, merge, travel, finish. */
static MlStatus
train_under(MlEnv *env, void *arg)
{
	Training t;
	MlStatus status = train_stream(&t, env, arg, "{}", 2);

	training_end(&t);
	return status;
}

static MlStatus
train_extended_under(MlEnv *env, void *arg)
{
	Training t;
	MlStatus status = train_stream(&t, env, arg, "{\"precision\":\"extended\"}", 2);

	training_end(&t);
	return status;
}

static void
every_allocation_may_fail(void)
{
	static const uint32_t holes[] = {1, 3};
	Table t = table_random(700, 5, 0, 0, 4), full = impute_by_hand(&t, holes, 2);

	unit_every_allocation_fails(train_under, &t, 500);
	unit_every_allocation_fails(train_extended_under, &t, 500);
	table_free(&t);
	table_free(&full);
}

/* Errors too great for a double are not known; the model can be read all the same. */
static void
tiny_values_leave_errors_unknown(void)
{
	Table t = table_random(50, 2, 0, 0, 12);
	Training a;
	MlBuffer bytes;
	MlReader in;
	void *model;
	MlEnv env;

	for (size_t i = 0; i < t.n; i++)
		t.x[2 * i] *= 1e-305;
	ml_env_init(&env);
	CHECK(train_stream(&a, &env, &t, "{}", 1) == ML_OK);
	CHECK(isfinite(a.rows[1].value) && isnan(a.rows[1].std_error));
	CHECK(isfinite(a.rows[2].std_error));
	ml_buffer_init(&bytes, &env);
	ml_algo_linear.save(a.model, &bytes);
	ml_reader_init(&in, &env, bytes.data, bytes.len);
	CHECK(ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_OK);
	ml_buffer_free(&bytes);
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(nist_sets_keep_their_digits);
	RUN(nist_sets_keep_their_digits_when_folded);
	RUN(extended_precision_keeps_all_digits);
	RUN(extended_precision_keeps_digits_under_weights);
	RUN(nist_errors_and_summary);
	RUN(summary_of_longley);
	RUN(merging_equals_all_at_once);
	RUN(folded_state_is_small);
	RUN(few_rows_take_in_many);
	RUN(weights_count_as_copies);
	RUN(likelihood_counts_weights);
	RUN(missing_values_are_imputed_with_an_indicator);
	RUN(always_missing_feature_is_aliased);
	RUN(ridge_solves_its_normal_equations);
	RUN(collinear_columns_are_aliased);
	RUN(extreme_tables_are_fitted);
	RUN(bad_numbers_are_refused);
	RUN(contributions_add_up);
	RUN(model_bytes_are_checked);
	RUN(state_bytes_are_checked);
	RUN(state_with_too_many_rows_is_refused);
	RUN(different_states_do_not_merge);
	RUN(every_allocation_may_fail);
	RUN(tiny_values_leave_errors_unknown);
	return unit_end();
}
