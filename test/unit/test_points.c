/*
 * test_points.c
 *		Points of a clustering: counts, the sample of many, merging, travelling, hostile bytes.
 */
#include "unit.h"

#include "core/rng.h"
#include "iris.h"
#include "metric/labelled_points.h"

/* Rows first..last-1 of many distinct ones, each twice. */
static MlStatus
add_many(MlLabelledPoints *p, MlEnv *env, size_t first, size_t last)
{
	for (size_t i = first; i < last; i++)
	{
		double x[2] = {sin((double) i) + 3.0 * (double) (i % 2), (double) i / 65536};

		ML_TRY(ml_points_add(p, env, i % 2, x, 2, 2));
	}
	return ML_OK;
}

/* All of iris, twice: scikit-learn's silhouette_score of the repeated rows needs the counts. */
static void
counts_are_repetitions(void)
{
	MlLabelledPoints once = {0}, twice = {0};
	double a, b;
	MlEnv env;

	ml_env_init(&env);
	for (int i = 0; i < 150; i++)
		CHECK(ml_points_add(&once, &env, (uint64_t) i / 50, iris + 4 * i, 4, 1) == ML_OK);
	CHECK(ml_points_silhouette(&once, &env, &a) == ML_OK);
	CHECK_NEAR(a, 0.5034774406932961, 1e-12);
	for (int i = 0; i < 300; i++)
		CHECK(ml_points_add(&twice, &env, (uint64_t) i / 2 / 50, iris + 4 * (i / 2), 4, 1) ==
			  ML_OK);
	CHECK(twice.n == once.n);
	CHECK(ml_points_silhouette(&twice, &env, &b) == ML_OK);
	CHECK(b > a); /* a row's twin is at distance 0 */
	ml_points_free(&once, &env);
	ml_points_free(&twice, &env);
	ml_env_close(&env);
}

/* A sample of many is the same in one piece, in parts of any order, and through its bytes. */
static void
samples_do_not_depend_on_order(void)
{
	MlLabelledPoints whole = {0}, left = {0}, right = {0}, loaded;
	double a, b;
	MlBuffer bytes;
	MlReader in;
	MlEnv env;

	ml_env_init(&env);
	ml_buffer_init(&bytes, &env);
	CHECK(add_many(&whole, &env, 0, 30000) == ML_OK);
	CHECK(whole.limit > 0 && whole.n < 2 * ML_POINTS_MAX);
	CHECK(add_many(&right, &env, 4000, 30000) == ML_OK);
	CHECK(add_many(&left, &env, 0, 4000) == ML_OK);
	CHECK(left.limit == 0);
	ml_points_save(&right, &bytes);
	ml_reader_init(&in, &env, bytes.data, bytes.len);
	CHECK(ml_points_load(&in, &env, &loaded) == ML_OK && ml_reader_end(&in, "test") == ML_OK);
	CHECK(ml_points_merge(&left, &env, &loaded) == ML_OK);
	CHECK(ml_points_silhouette(&whole, &env, &a) == ML_OK);
	CHECK(ml_points_silhouette(&left, &env, &b) == ML_OK);
	CHECK(a == b && a > 0.1 && a < 0.9);
	ml_points_free(&whole, &env);
	ml_points_free(&left, &env);
	ml_points_free(&right, &env);
	ml_points_free(&loaded, &env);
	ml_buffer_free(&bytes);
	ml_env_close(&env);
}

static void
bad_input_is_refused(void)
{
	MlLabelledPoints p = {0}, empty = {0};
	double x[2] = {1, INFINITY}, mean;
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_points_silhouette(&empty, &env, &mean) == ML_OK && isnan(mean));
	CHECK(ml_points_add(&p, &env, 1, x, 1, 1) == ML_OK);
	CHECK(ml_points_add(&p, &env, 1, x, 2, 1) == ML_EDATA);
	CHECK(ml_points_add(&p, &env, 1, x + 1, 1, 1) == ML_EDATA);
	CHECK(ml_points_silhouette(&p, &env, &mean) == ML_OK && isnan(mean));
	ml_points_free(&p, &env);
	ml_env_close(&env);
}

/* Bytes that are cut or changed: refused, or a state that works. */
static void
hostile_bytes_are_borne(void)
{
	MlLabelledPoints p = {0};
	MlBuffer bytes;
	MlEnv env;

	ml_env_init(&env);
	ml_buffer_init(&bytes, &env);
	for (int i = 0; i < 20; i++)
		CHECK(ml_points_add(&p, &env, (uint64_t) i % 2, iris + 4 * i, 4, 1) == ML_OK);
	ml_points_save(&p, &bytes);
	for (size_t at = 0; at < 2 * bytes.len; at++)
	{
		size_t place = at % bytes.len;
		bool cut = at >= bytes.len;
		uint8_t kept = bytes.data[place];
		MlLabelledPoints loaded;
		MlReader in;
		double mean;

		bytes.data[place] ^= cut ? 0 : (uint8_t) (1 << at % 8);
		ml_reader_init(&in, &env, bytes.data, cut ? place : bytes.len);
		if (ml_points_load(&in, &env, &loaded) == ML_OK)
		{
			CHECK(!cut);
			CHECK(ml_points_silhouette(&loaded, &env, &mean) == ML_OK);
		}
		ml_points_free(&loaded, &env);
		bytes.data[place] = kept;
	}
	ml_buffer_free(&bytes);
	ml_points_free(&p, &env);
	ml_env_close(&env);
}

static MlStatus
add_and_measure(MlEnv *env, void *arg)
{
	MlLabelledPoints p = {0};
	double mean;
	MlStatus status = add_many(&p, env, 0, 100);

	(void) arg;
	if (status == ML_OK)
		status = ml_points_silhouette(&p, env, &mean);
	ml_points_free(&p, env);
	return status;
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(add_and_measure, NULL, 200);
}

int
main(void)
{
	RUN(counts_are_repetitions);
	RUN(samples_do_not_depend_on_order);
	RUN(bad_input_is_refused);
	RUN(hostile_bytes_are_borne);
	RUN(every_allocation_may_fail);
	return unit_end();
}
