/*
 * test_comatrix.c
 *		Correlations of many columns: golden values, missing values, merging, hostile bytes.
 */
#include "unit.h"

#include "core/comatrix.h"
#include "core/rng.h"
#include "core/spread.h"
#include "sketch_rows.h"

/* test/golden/sketches.py: pandas.DataFrame.corr, of x, y, z with missing values, and a */
static const double golden[4][4] = {
	{1, -0.008430101560994, -0.008562582913655, -0.002768156585456},
	{-0.008430101560994, 1, 0.161843921479270, 0.693839302341263},
	{-0.008562582913655, 0.161843921479270, 1, 0.116715530649006},
	{-0.002768156585456, 0.693839302341263, 0.116715530649006, 1},
};

static MlStatus
add_rows(MlComatrix *matrix, long first, long step)
{
	for (long i = first; i < N_SKETCH_ROWS; i += step)
	{
		SketchRow row = sketch_row(i);
		double values[4] = {row.x, row.y, row.z, (double) row.a};

		ML_TRY(ml_comatrix_add(matrix, values));
	}
	return ml_comatrix_flush(matrix);
}

static void
check_golden(const MlComatrix *matrix)
{
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
		{
			uint64_t n;

			CHECK_NEAR(ml_comatrix_correlation(matrix, i, j, &n), golden[i][j], 1e-12);
			CHECK(n == (i == 2 || j == 2 ? 666 : 1000));
		}
}

static void
agrees_with_golden(void)
{
	MlEnv env;
	MlComatrix matrix, other;

	ml_env_init(&env);
	CHECK(ml_comatrix_init(&matrix, &env, 4) == ML_OK && add_rows(&matrix, 0, 1) == ML_OK);
	check_golden(&matrix);
	ml_comatrix_free(&matrix);
	/* Every third row lacks a value: one part has none, two are complete. */
	CHECK(ml_comatrix_init(&matrix, &env, 4) == ML_OK && add_rows(&matrix, 1, 3) == ML_OK);
	CHECK(matrix.complete);
	for (long k = 2; k >= 0; k -= 2)
	{
		CHECK(ml_comatrix_init(&other, &env, 4) == ML_OK && add_rows(&other, k, 3) == ML_OK);
		CHECK(other.complete == (k == 2) && ml_comatrix_merge(&matrix, &other) == ML_OK);
		ml_comatrix_free(&other);
	}
	check_golden(&matrix);
	ml_comatrix_free(&matrix);
	CHECK(env.used == 0);
}

#define WIDE 150
#define TALL 700

/* A value of a wide matrix: an offset, something shared, noise; share_missing of them missing. */
static void
make_wide(double *rows, double share_missing)
{
	MlRng rng;

	ml_rng_seed(&rng, 11, 0);
	for (size_t i = 0; i < TALL; i++)
	{
		double shared = ml_rng_normal(&rng);

		for (size_t j = 0; j < WIDE; j++)
		{
			double value = (double) j * 1e6 + shared * (double) (j % 7) + ml_rng_normal(&rng);

			rows[i * WIDE + j] = ml_rng_uniform(&rng) < share_missing ? NAN : value;
		}
	}
}

/* A pair by itself. */
static double
naive(const double *rows, size_t i, size_t j, uint64_t *n)
{
	static double x[TALL], y[TALL];
	MlComoments pair = {0};
	size_t m = 0;

	for (size_t k = 0; k < TALL; k++)
		if (!isnan(rows[k * WIDE + i]) && !isnan(rows[k * WIDE + j]))
		{
			x[m] = rows[k * WIDE + i];
			y[m++] = rows[k * WIDE + j];
		}
	ml_comoments_add(&pair, x, y, m);
	*n = m;
	return ml_comoments_correlation(&pair);
}

static void
many_columns_are_as_pairs(void)
{
	double *rows = malloc(sizeof(double) * WIDE * TALL);

	for (int missing = 0; missing < 2; missing++)
	{
		MlEnv env;
		MlComatrix matrix;

		ml_env_init(&env);
		make_wide(rows, missing ? 0.1 : 0.0);
		CHECK(ml_comatrix_init(&matrix, &env, WIDE) == ML_OK);
		for (size_t i = 0; i < TALL; i++)
			CHECK(ml_comatrix_add(&matrix, rows + i * WIDE) == ML_OK);
		CHECK(ml_comatrix_flush(&matrix) == ML_OK && matrix.complete == !missing);
		for (size_t i = 0; i < WIDE; i += 7)
			for (size_t j = 0; j < WIDE; j++)
			{
				uint64_t n, naive_n;
				double r = ml_comatrix_correlation(&matrix, i, j, &n);

				CHECK_NEAR(r, naive(rows, i, j, &naive_n), 1e-9);
				CHECK(n == naive_n);
			}
		ml_comatrix_free(&matrix);
		CHECK(env.used == 0);
	}
	free(rows);
}

/* Constant, constant where the other is there, never there, infinite. */
static void
strange_columns(void)
{
	MlEnv env;
	MlComatrix matrix;
	uint64_t n;

	ml_env_init(&env);
	CHECK(ml_comatrix_init(&matrix, &env, 5) == ML_OK);
	CHECK(isnan(ml_comatrix_correlation(&matrix, 0, 0, &n)) && n == 0);
	for (int i = 0; i < 2500; i++)
	{
		double row[5] = {i, 0.1, i % 2 ? NAN : i, i % 2 ? i : 7.7, i % 2 ? NAN : INFINITY};

		CHECK(ml_comatrix_add(&matrix, row) == ML_OK);
	}
	CHECK(ml_comatrix_flush(&matrix) == ML_OK);
	CHECK(ml_comatrix_correlation(&matrix, 0, 0, &n) == 1 && n == 2500);
	CHECK(isnan(ml_comatrix_correlation(&matrix, 0, 1, &n)) && n == 2500);
	CHECK(isnan(ml_comatrix_correlation(&matrix, 1, 1, &n)));
	CHECK_NEAR(ml_comatrix_correlation(&matrix, 0, 2, &n), 1, 1e-14);
	CHECK(n == 1250);
	CHECK(isnan(ml_comatrix_correlation(&matrix, 2, 3, &n)) && n == 1250);
	CHECK(isnan(ml_comatrix_correlation(&matrix, 0, 4, &n)) && n == 0);
	ml_comatrix_free(&matrix);
}

static void
load_takes_hostile_bytes(void)
{
	for (long first = 0; first < 2; first++)
	{
		MlEnv env;
		MlBuffer out;
		MlReader in;
		MlComatrix matrix, loaded;
		uint64_t n;

		ml_env_init(&env);
		ml_buffer_init(&out, &env);
		CHECK(ml_comatrix_init(&matrix, &env, 4) == ML_OK && add_rows(&matrix, first, 3) == ML_OK);
		CHECK(matrix.complete == (first == 1));
		ml_comatrix_save(&matrix, &out);
		ml_reader_init(&in, &env, out.data, out.len);
		CHECK(ml_comatrix_load(&in, &loaded) == ML_OK && in.pos == in.len);
		CHECK(ml_comatrix_correlation(&loaded, 0, 3, &n) ==
			  ml_comatrix_correlation(&matrix, 0, 3, &n));
		ml_comatrix_free(&loaded);
		for (size_t len = 0; len < out.len; len++)
		{
			ml_reader_init(&in, &env, out.data, len);
			CHECK(ml_comatrix_load(&in, &loaded) == ML_ECORRUPT);
			ml_comatrix_free(&loaded);
		}
		for (size_t i = 0; i < out.len; i++)
		{
			out.data[i] ^= 0xC1;
			ml_reader_init(&in, &env, out.data, out.len);
			if (ml_comatrix_load(&in, &loaded) == ML_OK)
			{
				(void) ml_comatrix_merge(&loaded, &matrix);
				CHECK(add_rows(&loaded, 0, 1) == ML_OK || loaded.p != 4);
				(void) ml_comatrix_correlation(&loaded, 0, 1, &n);
			}
			ml_comatrix_free(&loaded);
			out.data[i] ^= 0xC1;
		}
		ml_comatrix_free(&matrix);
		ml_buffer_free(&out);
		CHECK(env.used == 0);
	}
}

static MlStatus
use_all(MlEnv *env, void *arg)
{
	MlComatrix matrix, other = {.env = env};
	MlStatus status = ml_comatrix_init(&matrix, env, 4);

	(void) arg;
	if (status == ML_OK)
		status = add_rows(&matrix, 1, 3);
	if (status == ML_OK)
		status = ml_comatrix_init(&other, env, 4);
	if (status == ML_OK)
		status = add_rows(&other, 0, 1);
	if (status == ML_OK)
		status = ml_comatrix_merge(&matrix, &other);
	ml_comatrix_free(&matrix);
	ml_comatrix_free(&other);
	return status;
}

static void
survives_failing_allocations(void)
{
	unit_every_allocation_fails(use_all, NULL, 1000);
}

int
main(void)
{
	RUN(agrees_with_golden);
	RUN(many_columns_are_as_pairs);
	RUN(strange_columns);
	RUN(load_takes_hostile_bytes);
	RUN(survives_failing_allocations);
	return unit_end();
}
