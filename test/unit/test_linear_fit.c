/*
 * test_linear_fit.c
 *		Least squares from a dataset: factors against columns made by hand, threads, hold-outs.
 */
#include "linear_fixture.h"

#include "core/pool.h"

/*
 * The table with a 0/1 column per level instead of factors, without the first level when drop: the most
 * frequent one, by how make_skewed draws them.
 */
static Table
one_hot(const Table *t, bool drop)
{
	uint32_t kept = t->n_levels - (drop ? 1 : 0), p = t->n_numbers;
	Table dense = table_make(t->n, p + t->n_factors * kept, 0, 0);

	for (size_t i = 0; i < t->n; i++)
	{
		const double *from = t->x + i * (p + t->n_factors);
		double *to = dense.x + i * dense.n_numbers;

		memcpy(to, from, p * sizeof(double));
		for (uint32_t f = 0; f < t->n_factors; f++)
		{
			uint32_t level = (uint32_t) from[p + f];

			if (level >= (drop ? 1 : 0))
				to[p + f * kept + level - (drop ? 1 : 0)] = 1;
		}
		dense.y[i] = t->y[i];
	}
	if (t->w)
	{
		dense.w = malloc(t->n * sizeof(double));
		memcpy(dense.w, t->w, t->n * sizeof(double));
	}
	return dense;
}

/* Level k of each factor occurs less often than level k - 1. */
static Table
make_skewed(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t n_levels)
{
	Table t = table_random(n, n_numbers, n_factors, n_levels, n);
	uint32_t width = n_numbers + n_factors;
	MlRng rng;

	ml_rng_seed(&rng, 9, 9);
	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t f = n_numbers; f < width; f++)
		{
			double u = ml_rng_uniform(&rng);

			t.x[i * width + f] = floor(u * u * n_levels);
			t.y[i] += t.x[i * width + f];
		}
	}
	return t;
}

/* The coefficient of each column by hand, for the columns of the design, whose order is by frequency. */
static void
check_same_fit(const Training *a, const Training *b, const Table *t, bool errors)
{
	uint32_t n = t->n_numbers + 1;
	double sum_a = 0, sum_b = 0, error_a = 0, error_b = 0;

	CHECK(a->n_rows == b->n_rows);
	for (size_t k = 0; k < n; k++)
	{
		CHECK_NEAR(a->rows[k].value, b->rows[k].value, 1e-9);
		if (errors)
			CHECK_NEAR(a->rows[k].std_error, b->rows[k].std_error, 1e-9);
	}
	for (size_t k = n; k < a->n_rows; k++)
	{
		sum_a += a->rows[k].value * a->rows[k].value;
		sum_b += b->rows[k].value * b->rows[k].value;
		error_a += errors ? a->rows[k].std_error : 0;
		error_b += errors ? b->rows[k].std_error : 0;
	}
	CHECK_NEAR(sum_a, sum_b, 1e-8);
	CHECK_NEAR(error_a, error_b, 1e-8);
	CHECK_NEAR(summary_number(a, "sigma"), summary_number(b, "sigma"), 1e-9);
	CHECK_NEAR(summary_number(a, "r2"), summary_number(b, "r2"), 1e-10);
	CHECK_NEAR(summary_number(a, "log_likelihood"), summary_number(b, "log_likelihood"), 1e-10);
	CHECK(summary_number(a, "df_residual") == summary_number(b, "df_residual"));
}

/* Factors through sums by level = columns through the factorisation; few and many rows, weights, ridge, extended. */
static void
factors_equal_columns_by_hand(void)
{
	static const size_t rows[] = {150, 9000};
	static const char *const options[] = {"{}", "{\"l2\":2.5}", "{\"precision\":\"extended\"}",
										  "{\"l2\":2.5,\"precision\":\"extended\"}"};

	for (size_t r = 0; r < 2; r++)
	{
		Table t = make_skewed(rows[r], 3, 3, 5);

		for (size_t o = 0; o < 8; o++)
		{
			bool ridge = o % 2 == 1;
			Table dense;
			Training a, b;
			MlEnv env;

			if (o == 4)
			{
				t.w = malloc(t.n * sizeof(double));
				for (size_t i = 0; i < t.n; i++)
					t.w[i] = 0.5 + (double) (i % 3);
			}
			dense = one_hot(&t, !ridge);
			ml_env_init(&env);
			CHECK(train_frame(&a, &env, &t, options[o % 4]) == ML_OK);
			CHECK(train_frame(&b, &env, &dense, options[o % 4]) == ML_OK);
			check_same_fit(&a, &b, &t, !ridge);
			for (size_t i = 0; i < t.n; i += 7)
				CHECK_NEAR(predict_row(&a, t.x + i * 6),
						   predict_row(&b, dense.x + i * dense.n_numbers), 1e-9);
			training_end(&a);
			training_end(&b);
			table_free(&dense);
			ml_env_close(&env);
		}
		table_free(&t);
	}
}

/* From a dataset = streaming, with missing values, with and without an intercept. */
static void
dataset_equals_streaming(void)
{
	static const size_t rows[] = {60, 5000};
	static const char *const options[] = {"{}", "{\"intercept\":false}", "{\"l2\":7}"};

	for (size_t r = 0; r < 2; r++)
	{
		Table t = table_random(rows[r], 5, 0, 0, 2);

		for (size_t i = 0; i < t.n; i++)
		{
			if (i % 6 == 1)
				t.x[i * 5 + 2] = NAN;
			if (i % 7 == 3)
				t.x[i * 5 + 4] = NAN;
		}
		for (size_t o = 0; o < 3; o++)
		{
			Training a, b;
			MlEnv env;

			ml_env_init(&env);
			CHECK(train_frame(&a, &env, &t, options[o]) == ML_OK);
			CHECK(train_stream(&b, &env, &t, options[o], 3) == ML_OK);
			CHECK(a.n_rows == b.n_rows);
			for (size_t k = 0; k < a.n_rows; k++)
			{
				CHECK_NEAR(a.rows[k].value, b.rows[k].value, 1e-10);
				if (o < 2)
					CHECK_NEAR(a.rows[k].std_error, b.rows[k].std_error, 1e-10);
			}
			for (size_t i = 0; i < t.n; i += 11)
				CHECK_NEAR(predict_row(&a, t.x + i * 5), predict_row(&b, t.x + i * 5), 1e-10);
			training_end(&a);
			training_end(&b);
			ml_env_close(&env);
		}
		table_free(&t);
	}
}

/* A number and a date, each sometimes missing; raw[i * 3]: number, date, target. */
static void
make_dated(MlArena *arena, double *raw, size_t n, MlSchema **schema)
{
	MlRng rng;

	ml_rng_seed(&rng, 3, 3);
	for (size_t i = 0; i < n; i++)
	{
		double day = (double) ml_rng_below(&rng, 3000);

		raw[i * 3] = i % 9 == 4 ? NAN : ml_rng_normal(&rng);
		raw[i * 3 + 1] = i % 5 == 2 ? NAN : day * 86400e6;
		raw[i * 3 + 2] = 0.01 * day + (i % 5 == 2 ? 7 : 0) + ml_rng_normal(&rng);
	}
	CHECK(ml_schema_create(arena, 2, schema) == ML_OK);
	for (uint32_t k = 0; k < 2; k++)
	{
		MlInput *input = &(*schema)->inputs[k];

		input->name = input->type_name = ml_arena_text(arena, k ? "when" : "x", k ? 4 : 1);
		input->kind = k ? ML_DATE : ML_NUMERIC;
		input->width = ML_WIDTH_FLOAT64;
		input->n_slots = 1;
	}
	CHECK(ml_schema_layout(*schema) == ML_OK);
	ml_schema_seal(*schema);
}

/* The parts of a date are missing together: streaming gives them one indicator, as the design does. */
static void
dates_stream_as_from_a_dataset(void)
{
	enum
	{
		N = 700
	};
	static const MlWidth widths[] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	const MlStreaming *s = ml_algo_linear.streaming;
	double *raw = malloc(N * 3 * sizeof(double)), x[16], a, b;
	Table empty = {.n_numbers = 1}; /* for options only */
	Training t;
	MlEnv env;
	MlFrame *frame;
	MlDataset data = {.task = ML_REGRESSION, .target_column = 2, .weight_column = -1};
	MlFitInput input = {.train = {NULL, N}};
	MlStreamInput stream = {0};
	void *state, *streamed, *resident;

	ml_env_init(&env);
	CHECK(training_begin(&t, &env, &empty, "{}") == ML_OK);
	make_dated(&t.arena, raw, N, &t.schema);
	CHECK(ml_frame_create(&env, widths, 3, &frame) == ML_OK);
	stream.params = input.params = &t.params;
	stream.n_features = t.schema->n_features;
	CHECK(s->begin(&t.arena, &stream, &state) == ML_OK);
	for (size_t i = 0; i < N; i++)
	{
		CHECK(ml_frame_append(frame, raw + i * 3) == ML_OK);
		ml_schema_expand(t.schema, raw + i * 3, x);
		CHECK(s->accumulate(state, x, raw + i * 3 + 2, NULL, 1) == ML_OK);
	}
	data.schema = t.schema;
	data.frame = frame;
	input.data = &data;
	CHECK(ml_algo_linear.fit(&env, &t.arena, &input, &t.report, &resident) == ML_OK);
	CHECK(s->finish(state, &t.arena, t.schema, &t.report, &streamed) == ML_OK);
	for (size_t i = 0; i < N; i++)
	{
		ml_schema_expand(t.schema, raw + i * 3, x);
		ml_algo_linear.predict(streamed, x, &a);
		ml_algo_linear.predict(resident, x, &b);
		CHECK_NEAR(a, b, 1e-9);
	}
	CHECK(ml_algo_linear.coefficients(&env, streamed, t.schema, keep_row, &t) == ML_OK);
	CHECK(t.n_rows == 1 + t.schema->n_features + 2);
	CHECK_NEAR(t.rows[t.n_rows - 1].value, 7, 0.5);
	ml_frame_free(frame);
	free(raw);
	training_end(&t);
	ml_env_close(&env);
}

/* The same bytes with one thread and with four, whatever the number of lanes. */
static void
threads_do_not_change_the_bytes(void)
{
	static const char *const options[] = {"{}", "{\"precision\":\"extended\"}"};
	Table t = make_skewed(30000, 4, 2, 6);

	for (size_t o = 0; o < 2; o++)
	{
		MlBuffer bytes[2];
		MlEnv env[2];

		for (int k = 0; k < 2; k++)
		{
			Training a;

			ml_env_init(&env[k]);
			env[k].n_threads = k ? 4 : 1;
			ml_buffer_init(&bytes[k], &env[k]);
			CHECK(train_frame(&a, &env[k], &t, options[o]) == ML_OK);
			ml_algo_linear.save(a.model, &bytes[k]);
			training_end(&a);
		}
		CHECK(bytes[0].len == bytes[1].len);
		CHECK(memcmp(bytes[0].data, bytes[1].data, bytes[0].len) == 0);
		for (int k = 0; k < 2; k++)
		{
			ml_buffer_free(&bytes[k]);
			ml_env_close(&env[k]);
		}
	}
	table_free(&t);
}

/*
 * A factor that repeats another, a level that a number gives away, missing and unseen levels: a finite fit,
 * aliased levels are 0 with NaN errors.
 */
static void
dependent_levels_are_aliased(void)
{
	Table t = make_skewed(2000, 2, 3, 4);
	double row[5], rss = 0;
	size_t aliased = 0;
	Training a, exact;
	MlEnv env;

	for (size_t i = 0; i < t.n; i++)
	{
		double *x = t.x + i * 5;

		x[3] = x[2];
		x[1] = x[4] == 1;
		if (i % 50 == 0)
			x[4] = NAN;
	}
	ml_env_init(&env);
	CHECK(train_frame(&a, &env, &t, "{}") == ML_OK);
	CHECK(a.n_rows == 3 + 3 * 3 + 1); /* the missing level of the last */
	CHECK(train_frame(&exact, &env, &t, "{\"precision\":\"extended\"}") == ML_OK);
	for (size_t k = 0; k < a.n_rows; k++)
	{
		CHECK_NEAR(a.rows[k].value, exact.rows[k].value, 1e-9);
		if (!isnan(exact.rows[k].std_error))
			CHECK_NEAR(a.rows[k].std_error, exact.rows[k].std_error, 1e-9);
	}
	training_end(&exact);
	for (size_t k = 0; k < a.n_rows; k++)
	{
		CHECK(isfinite(a.rows[k].value));
		if (isnan(a.rows[k].std_error))
		{
			CHECK(a.rows[k].value == 0);
			aliased++;
		}
	}
	CHECK(aliased == 3);
	CHECK(summary_number(&a, "rank") == (double) (a.n_rows - aliased));
	for (size_t i = 0; i < t.n; i++)
		rss += pow(t.y[i] - predict_row(&a, t.x + i * 5), 2);
	CHECK_NEAR(summary_number(&a, "sigma"), sqrt(rss / ((double) t.n - 10)), 1e-9);
	memcpy(row, t.x + 5, sizeof row);
	row[4] = 0; /* the reference */
	double reference = predict_row(&a, row);
	row[4] = ML_UNSEEN;
	CHECK(predict_row(&a, row) == reference);
	row[4] = 1e9;
	CHECK(predict_row(&a, row) == reference);
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* Only the most frequent levels have coefficients; the others are the reference. */
static void
rare_levels_share_the_reference(void)
{
	Table t = make_skewed(3000, 1, 1, 9);
	Training a;
	MlEnv env;
	double last, other;

	ml_env_init(&env);
	CHECK(train_frame(&a, &env, &t, "{\"max_levels\":4}") == ML_OK);
	CHECK(a.n_rows == 2 + 4);
	last = predict_row(&a, (double[]){1, 8});
	other = predict_row(&a, (double[]){1, 5});
	CHECK(last == other && last != predict_row(&a, (double[]){1, 0}));
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* Fewer rows than columns, with factors: finite, and exact on the training rows. */
static void
few_rows_with_factors(void)
{
	static const char *const options[] = {"{}", "{\"precision\":\"extended\"}",
										  "{\"intercept\":false}", "{\"l2\":1}"};
	Table t = make_skewed(12, 4, 3, 6);

	for (size_t o = 0; o < 4; o++)
	{
		Training a;
		MlEnv env;

		ml_env_init(&env);
		CHECK(train_frame(&a, &env, &t, options[o]) == ML_OK);
		for (size_t k = 0; k < a.n_rows; k++)
			CHECK(isfinite(a.rows[k].value));
		for (size_t i = 0; i < t.n && o < 3; i++)
			CHECK_NEAR(predict_row(&a, t.x + i * 7), t.y[i], 1e-7);
		training_end(&a);
		ml_env_close(&env);
	}
	table_free(&t);
}

/* Contributions of factors add up, and are zero on average. */
static void
contributions_of_levels_add_up(void)
{
	Table t = make_skewed(800, 2, 2, 4);
	double parts[4], base, mean[4] = {0}, gain[4];
	Training a;
	MlEnv env;

	ml_env_init(&env);
	CHECK(train_frame(&a, &env, &t, "{}") == ML_OK);
	for (size_t i = 0; i < t.n; i++)
	{
		double total = 0;

		CHECK(ml_algo_linear.contributions(&env, a.model, t.x + i * 4, 0, parts, &base) == ML_OK);
		for (size_t j = 0; j < 4; j++)
		{
			total += parts[j];
			mean[j] += parts[j] / (double) t.n;
		}
		CHECK_NEAR(total + base, predict_row(&a, t.x + i * 4), 1e-12);
	}
	ml_algo_linear.importance(a.model, gain);
	for (size_t j = 0; j < 4; j++)
		CHECK(fabs(mean[j]) < 1e-10 && gain[j] > 0.1);
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* A model with factors through its bytes; cut and changed bytes are refused or harmless. */
static void
model_bytes_are_checked(void)
{
	Table t = make_skewed(300, 1, 2, 4);
	MlBuffer bytes;
	MlReader in;
	Training a;
	MlEnv env;
	void *model;
	double out;

	ml_env_init(&env);
	ml_buffer_init(&bytes, &env);
	CHECK(train_frame(&a, &env, &t, "{}") == ML_OK);
	ml_algo_linear.save(a.model, &bytes);
	ml_reader_init(&in, &env, bytes.data, bytes.len);
	CHECK(ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_OK);
	for (size_t i = 0; i < t.n; i++)
	{
		ml_algo_linear.predict(model, t.x + i * 3, &out);
		CHECK(out == predict_row(&a, t.x + i * 3));
	}
	for (size_t i = 0; i < bytes.len * 8; i++)
	{
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
		ml_reader_init(&in, &env, bytes.data, bytes.len - (i % 3 == 2));
		if (ml_algo_linear.load(&in, &a.arena, a.schema, 1, &model) == ML_OK)
			ml_algo_linear.predict(model, t.x, &out);
		bytes.data[i / 8] ^= (uint8_t) (1 << (i % 8));
	}
	ml_buffer_free(&bytes);
	training_end(&a);
	table_free(&t);
	ml_env_close(&env);
}

/* Bad targets and features; no rows. */
static void
bad_tables_are_refused(void)
{
	Table t = make_skewed(500, 2, 1, 3);
	Training a;
	MlEnv env;

	ml_env_init(&env);
	t.y[499] = INFINITY;
	CHECK(train_frame(&a, &env, &t, "{}") == ML_EDATA && strstr(env.error, "target"));
	training_end(&a);
	t.y[499] = 0;
	t.x[3 * 77 + 1] = INFINITY;
	CHECK(train_frame(&a, &env, &t, "{}") == ML_EDATA && strstr(env.error, "\"x2\""));
	training_end(&a);
	t.n = 0;
	CHECK(train_frame(&a, &env, &t, "{}") == ML_EDATA);
	training_end(&a);
	table_free(&t);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

static MlStatus
train_under(MlEnv *env, void *arg)
{
	Training t;
	MlStatus status = train_frame(&t, env, arg, "{}");

	training_end(&t);
	return status;
}

static bool
canceled_later(void *ctx)
{
	return --*(int *) ctx < 0;
}

static void
failures_are_reported(void)
{
	Table t = make_skewed(5000, 3, 2, 4);
	int polls = 4;
	MlEnv env;

	unit_every_allocation_fails(train_under, &t, 500);
	ml_env_init(&env);
	env.canceled = canceled_later;
	env.ctx = &polls;
	CHECK(train_under(&env, &t) == ML_ECANCELED);
	CHECK(env.used == 0);
	ml_env_close(&env);
	table_free(&t);
}

int
main(void)
{
	RUN(factors_equal_columns_by_hand);
	RUN(dataset_equals_streaming);
	RUN(dates_stream_as_from_a_dataset);
	RUN(threads_do_not_change_the_bytes);
	RUN(dependent_levels_are_aliased);
	RUN(rare_levels_share_the_reference);
	RUN(few_rows_with_factors);
	RUN(contributions_of_levels_add_up);
	RUN(model_bytes_are_checked);
	RUN(bad_tables_are_refused);
	RUN(failures_are_reported);
	return unit_end();
}
