/*
 * test_spread.c
 *		Mean, standard deviation, skewness and correlation: golden values, merged batches, strange numbers.
 */
#include "unit.h"

#include "core/spread.h"
#include "sketch_rows.h"

/* test/golden/sketches.py */
#define MEAN_X 1000000339.5899919
#define STDDEV_X 303.56086779923658
#define SKEWNESS_X 0.63700881097829964
#define R_XY -0.0084301015609943297

static double x[N_SKETCH_ROWS], y[N_SKETCH_ROWS];

static void
make_rows(void)
{
	for (long i = 0; i < N_SKETCH_ROWS; i++)
	{
		x[i] = sketch_row(i).x;
		y[i] = sketch_row(i).y;
	}
}

/* The offset is 3e6 times the spread: of 16 digits, batches as small as one row may keep 10. */
static void
check_golden(const MlSpread *spread, const MlComoments *pair)
{
	CHECK(spread->n == N_SKETCH_ROWS && pair->n == N_SKETCH_ROWS);
	CHECK_NEAR(ml_spread_mean(spread), MEAN_X, 1e-15);
	CHECK_NEAR(ml_spread_stddev(spread), STDDEV_X, 1e-10);
	CHECK_NEAR(ml_spread_skewness(spread), SKEWNESS_X, 1e-10);
	CHECK_NEAR(ml_comoments_correlation(pair), R_XY, 1e-10);
}

/* Batches of any length, one after the other or merged, give the same to the last digits. */
static void
any_batches_agree_with_golden(void)
{
	const size_t sizes[] = {1, 2, 3, 7, 64, 333, 1000};

	make_rows();
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
	{
		MlSpread all = {0}, parts[2] = {{0}};
		MlComoments pair = {0}, pairs[2] = {{0}};

		for (size_t at = 0, k = 0; at < N_SKETCH_ROWS; at += sizes[s], k++)
		{
			size_t n = ML_MIN(sizes[s], N_SKETCH_ROWS - at);

			ml_spread_add(&all, x + at, n);
			ml_spread_add(&parts[k % 2], x + at, n);
			ml_comoments_add(&pair, x + at, y + at, n);
			ml_comoments_add(&pairs[k % 2], x + at, y + at, n);
		}
		check_golden(&all, &pair);
		ml_spread_merge(&parts[0], &parts[1]);
		ml_comoments_merge(&pairs[0], &pairs[1]);
		check_golden(&parts[0], &pairs[0]);
	}
}

static void
save_then_load_is_the_same(void)
{
	MlEnv env;
	MlBuffer out;
	MlReader in;
	MlSpread spread = {0}, loaded;
	MlComoments pair = {0}, loaded_pair;

	make_rows();
	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	ml_spread_add(&spread, x, N_SKETCH_ROWS);
	ml_comoments_add(&pair, x, y, N_SKETCH_ROWS);
	ml_spread_save(&spread, &out);
	ml_comoments_save(&pair, &out);
	ml_reader_init(&in, &env, out.data, out.len);
	CHECK(ml_spread_load(&in, &loaded) == ML_OK && ml_comoments_load(&in, &loaded_pair) == ML_OK);
	CHECK(in.pos == in.len);
	check_golden(&loaded, &loaded_pair);
	ml_reader_init(&in, &env, out.data, 20);
	CHECK(ml_spread_load(&in, &loaded) == ML_ECORRUPT);
	CHECK(ml_comoments_load(&in, &loaded_pair) == ML_ECORRUPT);
	ml_buffer_free(&out);
}

/* A constant has no spread at all, whatever rounding does to its mean. */
static void
constants_have_no_spread(void)
{
	double constant[7] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	MlSpread spread = {0};
	MlComoments pair = {0};

	CHECK(isnan(ml_spread_mean(&spread)) && isnan(ml_spread_stddev(&spread)));
	ml_spread_add(&spread, constant, 1);
	CHECK(isnan(ml_spread_stddev(&spread)));
	for (int i = 0; i < 1000; i++)
	{
		ml_spread_add(&spread, constant, 1 + (size_t) i % 7);
		ml_comoments_add(&pair, constant, x + i % 100, 1 + (size_t) i % 7);
	}
	CHECK(ml_spread_stddev(&spread) == 0 && isnan(ml_spread_skewness(&spread)));
	CHECK(isnan(ml_comoments_correlation(&pair)));
}

static void
whole_numbers_are_summed_exactly(void)
{
	double numbers[3] = {9007199254740992.0, 1.0, -9007199254740992.0};
	MlSpread spread = {0};

	for (int i = 0; i < 1000; i++)
		ml_spread_add(&spread, numbers, 3);
	CHECK(ml_spread_mean(&spread) == 1.0 / 3.0);
}

/* Sums may overflow, means not. */
static void
huge_numbers_end(void)
{
	double huge[6] = {1e308, 1e308, 1e308, -1e308, 1e308, 1e308};
	MlSpread spread = {0};
	MlComoments pair = {0};

	ml_spread_add(&spread, huge, 6);
	ml_spread_add(&spread, huge, 6);
	ml_comoments_add(&pair, huge, huge, 6);
	CHECK_NEAR(ml_spread_mean(&spread) / 1e308, 2.0 / 3.0, 1e-12);
	CHECK(isnan(ml_comoments_correlation(&pair)) || ml_comoments_correlation(&pair) <= 1);
	CHECK(ml_correlation(1, 1e-200, 1e200) <= 1 && isnan(ml_correlation(0, 0, 1)));
}

int
main(void)
{
	RUN(any_batches_agree_with_golden);
	RUN(save_then_load_is_the_same);
	RUN(constants_have_no_spread);
	RUN(whole_numbers_are_summed_exactly);
	RUN(huge_numbers_end);
	return unit_end();
}
