/*
 * test_gbdt_objective.c
 *		Losses: their gradients, their leaves, what they refuse; monotone features.
 */
#include "gbdt_fixture.h"

#include "algo/gbdt/gbdt_objective.h"

/* ---- gradients */

/* Move the score of one row and output by step. */
static void
move_score(GbdtObjective *o, uint32_t output, size_t row, double step)
{
	float values[2] = {0, (float) step};
	uint16_t leaf_of[64] = {0};
	MlTree tree = {.n_leaves = 2, .values = values};

	leaf_of[row] = 1;
	CHECK(ml_gbdt_objective_add(o, output, &tree, leaf_of) == ML_OK);
}

/* The sum of the rows' losses. */
static double
total_loss(GbdtObjective *o, double weight)
{
	double loss, spare;

	CHECK(ml_gbdt_objective_round(o, 0, &loss, &spare) == ML_OK);
	return loss * weight;
}

/* Gradients of all rows and outputs against central differences of the loss, away from the start. */
static void
check_gradients(GbdtLoss loss, uint32_t n_classes)
{
	enum
	{
		N = 40
	};
	const double step = 0.02;
	TableSpec spec = {N, 3, n_classes, true, 20};
	MlEnv env;
	Table t;
	GbdtOptions options = {.loss = loss, .alpha = 0.7, .tweedie_power = 1.3};
	GbdtObjective *o = NULL;
	double base[3], weight = 0, factor = loss == GBDT_SQUARED ? 2 : 1;
	MlRng rng;

	ml_env_init(&env);
	ml_rng_seed(&rng, 5, 0);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	MlRows rows = {NULL, N}, none = {NULL, 0};
	GbdtObjectiveInput input = {&options, &t.data, &rows, &none, NULL};

	for (size_t i = 0; i < N; i++)
		weight += t.w[i];
	CHECK(ml_gbdt_objective_create(&env, &input, &o) == ML_OK);
	CHECK(ml_gbdt_objective_start(o, N, base) == ML_OK);
	for (uint32_t k = 0; k < ml_gbdt_outputs(o); k++)
	{
		for (size_t i = 0; i < N; i++)
			move_score(o, k, i, ml_rng_normal(&rng) * 0.4);
	}
	for (uint32_t k = 0; k < ml_gbdt_outputs(o); k++)
	{
		GbdtGradients gradients;
		int32_t packed[N];

		total_loss(o, weight);
		CHECK(ml_gbdt_objective_gradients(o, k, &gradients) == ML_OK);
		memcpy(packed, gradients.packed, sizeof(packed));
		CHECK(ml_gbdt_gradient_norm(o) > 0);
		for (size_t i = 0; i < N; i++)
		{
			GbdtSum got = ml_gbdt_unpack(ml_gbdt_widen(packed[i]));
			double up, down;

			move_score(o, k, i, step);
			up = total_loss(o, weight);
			move_score(o, k, i, -2 * step);
			down = total_loss(o, weight);
			move_score(o, k, i, step);
			/* a kink between the two makes the difference a mixture */
			if (fabs((double) (o->scores[i] - o->target[i])) < 2 * step && loss >= GBDT_ABSOLUTE &&
				loss <= GBDT_QUANTILE)
				continue;
			CHECK_NEAR((double) got.g * gradients.g_unit * factor, (up - down) / (2 * step), 3e-3);
			CHECK(got.h >= 0);
		}
	}
	ml_gbdt_objective_free(&env, o);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

static void
gradients_are_the_slopes_of_the_losses(void)
{
	static const GbdtLoss losses[] = {GBDT_SQUARED, GBDT_ABSOLUTE, GBDT_HUBER, GBDT_QUANTILE};

	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++)
		check_gradients(losses[i], 0);
	check_gradients(GBDT_POISSON, TABLE_COUNTS);
	check_gradients(GBDT_TWEEDIE, TABLE_COUNTS);
	check_gradients(GBDT_LOGISTIC, 2);
	check_gradients(GBDT_SOFTMAX, 3);
}

/* ---- what the objectives aim at */

typedef struct Fitted
{
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model;
	MlStatus status;
} Fitted;

static void
fit_table(Fitted *f, const TableSpec *spec, const char *options)
{
	ml_env_init(&f->env);
	f->model = NULL;
	CHECK(table_open(&f->t, &f->env, spec) == ML_OK);
	f->status = table_boost(&f->t, options, 0, &f->report, &f->model);
}

static void
unfit_table(Fitted *f)
{
	if (f->status == ML_OK)
		report_free(&f->report);
	table_close(&f->t);
	ml_env_close(&f->env);
	CHECK(f->env.used == 0);
}

static double
predict_row(const Fitted *f, size_t i)
{
	double out;

	ml_algo_gbdt.predict(f->model, f->t.x + i * FEATURES, &out);
	return out;
}

/* A constant prediction: the base and one tree without a split. */
static double
fit_constant(const char *options, uint32_t n_classes)
{
	TableSpec spec = {401, 5, n_classes, true, 21};
	Fitted f;
	double got;

	fit_table(&f, &spec, options);
	CHECK(f.status == ML_OK);
	got = predict_row(&f, 0);
	unfit_table(&f);
	return got;
}

/* The weighted quantile by its definition. */
static double
slow_quantile(const Table *t, double share)
{
	double best = INFINITY, total = 0;

	for (size_t i = 0; i < t->n; i++)
		total += t->w[i];
	for (size_t i = 0; i < t->n; i++)
	{
		double below = 0;

		for (size_t k = 0; k < t->n; k++)
			below += t->y[k] <= t->y[i] ? t->w[k] : 0;
		if (below >= share * total)
			best = fmin(best, t->y[i]);
	}
	return best;
}

static void
constants_are_the_best_ones(void)
{
	TableSpec spec = {401, 5, 0, true, 21}, counts = {401, 5, TABLE_COUNTS, true, 21};
	Table t;
	MlEnv env;
	double sum = 0, total = 0;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK_NEAR(fit_constant("{\"n_trees\":1,\"min_leaf_rows\":401,\"objective\":\"absolute\"}", 0),
			   slow_quantile(&t, 0.5), 1e-6);
	CHECK_NEAR(
		fit_constant(
			"{\"n_trees\":1,\"min_leaf_rows\":401,\"objective\":\"quantile\",\"alpha\":0.9}", 0),
		slow_quantile(&t, 0.9), 1e-6);
	table_close(&t);
	CHECK(table_open(&t, &env, &counts) == ML_OK);
	for (size_t i = 0; i < t.n; i++)
	{
		sum += t.w[i] * t.y[i];
		total += t.w[i];
	}
	CHECK_NEAR(fit_constant("{\"n_trees\":1,\"min_leaf_rows\":401,\"objective\":\"poisson\"}",
							TABLE_COUNTS),
			   sum / total, 1e-4);
	table_close(&t);
	ml_env_close(&env);
}

/* Each loss on its own ground: the mean absolute error, the share below a quantile, the deviance. */
static void
objectives_reach_their_aims(void)
{
	TableSpec spec = {3000, 30, 0, false, 22}, counts = {3000, 30, TABLE_COUNTS, false, 23};
	static const char *const absolute[] = {"absolute", "huber"};
	static const char *const amounts[] = {"poisson", "tweedie"};
	char options[128];
	Fitted f;

	for (int k = 0; k < 2; k++)
	{
		double error = 0;

		snprintf(options, sizeof(options), "{\"n_trees\":150,\"objective\":\"%s\"}", absolute[k]);
		fit_table(&f, &spec, options);
		CHECK(f.status == ML_OK);
		for (size_t i = 0; i < f.t.n; i++)
			error += fabs(predict_row(&f, i) - f.t.y[i]) / (double) f.t.n;
		CHECK(error < 0.3); /* the noise alone has 0.24 */
		unfit_table(&f);
	}
	fit_table(&f, &spec, "{\"n_trees\":100,\"objective\":\"quantile\",\"alpha\":0.8}");
	CHECK(f.status == ML_OK);
	double below = 0;

	for (size_t i = 0; i < f.t.n; i++)
		below += (f.t.y[i] <= predict_row(&f, i)) / (double) f.t.n;
	CHECK(below > 0.75 && below < 0.85);
	unfit_table(&f);
	for (int k = 0; k < 2; k++)
	{
		double mean = 0, predicted = 0, error = 0, spread = 0;

		snprintf(options, sizeof(options), "{\"n_trees\":100,\"objective\":\"%s\"}", amounts[k]);
		fit_table(&f, &counts, options);
		CHECK(f.status == ML_OK);
		for (size_t i = 0; i < f.t.n; i++)
		{
			double p = predict_row(&f, i);

			CHECK(p > 0);
			mean += f.t.y[i] / (double) f.t.n;
			predicted += p / (double) f.t.n;
			error += (p - f.t.y[i]) * (p - f.t.y[i]);
		}
		for (size_t i = 0; i < f.t.n; i++)
			spread += (f.t.y[i] - mean) * (f.t.y[i] - mean);
		CHECK_NEAR(predicted, mean, 0.02);
		CHECK(error < 0.2 * spread);
		unfit_table(&f);
	}
}

/* Contributions add up to the logarithm of what is predicted; an image keeps the link. */
static void
log_links_survive_images(void)
{
	TableSpec spec = {500, 10, TABLE_COUNTS, false, 24};
	Fitted f;
	MlBuffer image;
	MlReader in;
	void *loaded = NULL;

	fit_table(&f, &spec, "{\"n_trees\":10,\"objective\":\"poisson\"}");
	CHECK(f.status == ML_OK);
	ml_buffer_init(&image, &f.env);
	ml_algo_gbdt.save(f.model, &image);
	ml_reader_init(&in, &f.env, image.data, image.len);
	CHECK(ml_algo_gbdt.load(&in, &f.t.arena, f.t.schema, 1, &loaded) == ML_OK);
	for (size_t i = 0; i < 50; i++)
	{
		double out, base, phi[FEATURES], sum = 0;
		const double *x = f.t.x + i * FEATURES;

		ml_algo_gbdt.predict(loaded, x, &out);
		CHECK(out == predict_row(&f, i));
		CHECK(ml_algo_gbdt.contributions(&f.env, loaded, x, 0, phi, &base) == ML_OK);
		for (int j = 0; j < FEATURES; j++)
			sum += phi[j];
		CHECK_NEAR(exp(sum + base), out, 1e-9);
	}
	ml_buffer_free(&image);
	unfit_table(&f);
}

/* ---- refusals */

/* The error of a training. */
static void
refuses(uint32_t n_classes, const char *options, MlStatus status, const char *says)
{
	TableSpec spec = {50, 3, n_classes, false, 25};
	Fitted f;

	fit_table(&f, &spec, options);
	CHECK(f.status == status);
	CHECK(strstr(f.env.error, says) || strstr(f.env.hint, says));
	if (!strstr(f.env.error, says) && !strstr(f.env.hint, says))
		printf("# %s (%s)\n", f.env.error, f.env.hint);
	unfit_table(&f);
}

static void
refuses_what_makes_no_sense(void)
{
	refuses(0, "{\"objective\":\"poisson\"}", ML_EDATA, "needs targets of 0 or more");
	refuses(0, "{\"objective\":\"binary\"}", ML_EINVAL, "is for classes");
	refuses(2, "{\"objective\":\"huber\"}", ML_EINVAL, "is for numbers");
	refuses(3, "{\"objective\":\"binary\"}", ML_EINVAL, "two classes");
	refuses(0, "{\"objective\":\"quantile\",\"alpha\":2}", ML_EINVAL, "between 0 and 1");
	refuses(0, "{\"sampling\":\"goss\",\"subsample\":0.5}", ML_EINVAL, "subsample");
	refuses(0, "{\"sampling\":\"goss\",\"top_rate\":0.9,\"other_rate\":0.2}", ML_EINVAL, "add up");
	refuses(0, "{\"monotone\":{\"z\":1}}", ML_EINVAL, "not a feature");
	refuses(0, "{\"monotone\":{\"e\":1}}", ML_EINVAL, "no order");
	refuses(0, "{\"monotone\":{\"a\":2}}", ML_EINVAL, "1, -1 or 0");
	refuses(0, "{\"monotone\":[1]}", ML_EINVAL, "must be an object");
	refuses(3, "{\"monotone\":{\"a\":1}}", ML_EINVAL, "two classes");
}

/* ---- monotone features */

/* Sweep feature j over its range in many rows; returns how often the prediction goes the wrong way. */
static long
wrong_steps(const Fitted *f, int j, int direction)
{
	long wrong = 0;

	for (size_t i = 0; i < 200; i++)
	{
		double x[FEATURES], last = -INFINITY, out;

		memcpy(x, f->t.x + i * FEATURES, sizeof(x));
		for (int step = 0; step <= 80; step++)
		{
			x[j] = direction * (step - 40) / 12.0;
			ml_algo_gbdt.predict(f->model, x, &out);
			wrong += out < last;
			last = out;
		}
	}
	return wrong;
}

static void
monotone_features_are(void)
{
	static const char *const options[] = {
		"{\"n_trees\":60,\"monotone\":{\"a\":1,\"b\":-1}}",
		"{\"n_trees\":60,\"monotone\":{\"a\":1,\"b\":-1},\"objective\":\"absolute\"}",
		"{\"n_trees\":60,\"monotone\":{\"a\":1,\"b\":-1},\"l1\":3}"};

	for (uint32_t k = 0; k < 4; k++)
	{
		TableSpec spec = {1500, 10, k == 3 ? 2 : 0, false, 26};
		Fitted f;

		fit_table(&f, &spec, options[k % 3]);
		CHECK(f.status == ML_OK);
		CHECK(wrong_steps(&f, 0, 1) == 0);
		CHECK(wrong_steps(&f, 1, -1) == 0);
		/* the others are free, and the noise bends them; the fit is good nevertheless */
		CHECK(wrong_steps(&f, 2, 1) > 0);
		CHECK(k > 0 || table_loss(&f.t, f.model) < 0.3);
		unfit_table(&f);
	}
}

static void
monotone_against_the_data(void)
{
	TableSpec spec = {1500, 10, 0, false, 27};
	Fitted f;

	fit_table(&f, &spec, "{\"n_trees\":30,\"monotone\":{\"a\":-1}}");
	CHECK(f.status == ML_OK);
	CHECK(wrong_steps(&f, 0, -1) == 0);
	unfit_table(&f);
}

/* ---- sampling by gradient */

/* The rows of the greatest gradients are in, and the others' sum is kept on average. */
static void
goss_keeps_the_sums(void)
{
	enum
	{
		N = 20000,
		TOP = 2000,
		OTHER = 1000
	};
	GbdtOptions options = {.goss = true, .top_rate = 0.1, .other_rate = 0.05};
	static int32_t packed[N], before[N];
	static uint32_t positions[N + 5], left_out[N + 5];
	GbdtSample sample = {&options, N, N + 5, 0, positions, left_out, NULL, NULL};
	GbdtGradients gradients = {packed, 1, 1, true};
	double want[2] = {0, 0}, got[2] = {0, 0};
	MlEnv env;
	MlRng rng;
	size_t n;

	ml_env_init(&env);
	ml_rng_seed(&rng, 7, 0);
	CHECK(ml_gbdt_headroom(&options) >= 18);
	for (size_t i = 0; i < N; i++)
	{
		int32_t g = (int32_t) ml_rng_below(&rng, i % 10 == 3 ? 20000 : 1600) - 800;

		before[i] = packed[i] = ml_gbdt_pack_row(g, 1000 + (int32_t) (i % 7));
		want[0] += g;
		want[1] += 1000 + (double) (i % 7);
	}
	CHECK(ml_gbdt_sample_rows(&env, &sample, &gradients, &rng, &n) == ML_OK);
	CHECK(n == TOP + OTHER);
	int32_t least = INT32_MAX, most = 0;

	for (size_t i = 0; i < N + 5; i++)
	{
		CHECK(positions[i] < N + 5 && (i == 0 || i == n || positions[i] > positions[i - 1]));
		if (positions[i] >= N)
			continue;
		int32_t size = abs(before[positions[i]] >> 16);

		if (i < n && packed[positions[i]] == before[positions[i]])
			least = ML_MIN(least, size);
		else
			most = ML_MAX(most, size);
		if (i < n)
		{
			got[0] += packed[positions[i]] >> 16;
			got[1] += packed[positions[i]] & 0xffff;
		}
	}
	CHECK(least >= most);
	CHECK_NEAR(got[0] / want[0], 1, 0.03);
	CHECK_NEAR(got[1] / want[1], 1, 0.001);
	ml_env_close(&env);
}

static void
goss_learns(void)
{
	TableSpec spec = {4000, 20, 2, true, 28};
	Fitted all, some;

	fit_table(&all, &spec, "{\"n_trees\":80}");
	fit_table(&some, &spec, "{\"n_trees\":80,\"sampling\":\"goss\",\"top_rate\":0.3}");
	CHECK(all.status == ML_OK && some.status == ML_OK);
	CHECK(table_loss(&some.t, some.model) < 1.3 * table_loss(&all.t, all.model) + 0.02);
	unfit_table(&all);
	unfit_table(&some);
}

/* ---- all of it */

/* The checksum of a training's image. */
static uint32_t
image_sum(const TableSpec *spec, const char *options, int n_threads)
{
	Fitted f;
	MlBuffer image;
	uint32_t sum = 0;

	ml_env_init(&f.env);
	f.env.n_threads = n_threads;
	CHECK(table_open(&f.t, &f.env, spec) == ML_OK);
	f.status = table_boost(&f.t, options, 0, &f.report, &f.model);
	CHECK(f.status == ML_OK);
	if (f.status == ML_OK)
	{
		ml_buffer_init(&image, &f.env);
		ml_algo_gbdt.save(f.model, &image);
		sum = ml_crc32c(image.data, image.len);
		ml_buffer_free(&image);
	}
	unfit_table(&f);
	return sum;
}

static const char *const mixtures[] = {
	"{\"n_trees\":4,\"objective\":\"absolute\",\"monotone\":{\"a\":1},\"subsample\":0.8}",
	"{\"n_trees\":4,\"objective\":\"huber\",\"sampling\":\"goss\",\"learning_rate\":0.5}",
	"{\"n_trees\":6,\"objective\":\"quantile\",\"alpha\":0.2,\"early_stopping\":2}"};

static void
same_bytes_with_any_number_of_threads(void)
{
	TableSpec spec = {20000, 40, 0, true, 29};

	for (size_t i = 0; i < sizeof(mixtures) / sizeof(*mixtures); i++)
		CHECK(image_sum(&spec, mixtures[i], 1) == image_sum(&spec, mixtures[i], 3));
}

static MlStatus
train_work(MlEnv *env, void *arg)
{
	TableSpec spec = {80, 5, 0, true, 30};
	MlFitReport report;
	Table t;
	void *model = NULL;
	MlStatus status = table_open(&t, env, &spec);

	if (status == ML_OK)
		status = table_boost(&t, arg, 0, &report, &model);
	if (status == ML_OK)
		report_free(&report);
	table_close(&t);
	return status;
}

static void
every_allocation_can_fail(void)
{
	for (size_t i = 0; i < sizeof(mixtures) / sizeof(*mixtures); i++)
		unit_every_allocation_fails(train_work, (void *) mixtures[i], 2000);
}

int
main(void)
{
	RUN(gradients_are_the_slopes_of_the_losses);
	RUN(constants_are_the_best_ones);
	RUN(objectives_reach_their_aims);
	RUN(log_links_survive_images);
	RUN(refuses_what_makes_no_sense);
	RUN(monotone_features_are);
	RUN(monotone_against_the_data);
	RUN(goss_keeps_the_sums);
	RUN(goss_learns);
	RUN(same_bytes_with_any_number_of_threads);
	RUN(every_allocation_can_fail);
	return unit_end();
}
