/*
 * test_groups.c
 *		Numbers and categories by levels: golden values, merging, limits, hostile bytes.
 */
#include "unit.h"

#include "core/groups.h"
#include "sketch_rows.h"

/* test/golden/sketches.py */
#define ETA_YA 0.69248657045016593
#define CONTRAST 0.60087498907130477
#define CRAMERS_V 0.78897873050287581

enum
{
	BY_LEVEL,
	BY_HALF,
	PAIRS
};

/* Every step-th row from first on. */
static MlStatus
add_rows(MlGroups *groups, int what, long first, long step)
{
	for (long i = first; i < N_SKETCH_ROWS; i += step)
	{
		SketchRow row = sketch_row(i);
		uint64_t a = what == BY_HALF ? (row.a >= 2) + UINT64_C(77) : row.a;

		ML_TRY(ml_groups_add(groups, a, what == PAIRS ? row.b : 0, what == PAIRS ? 0 : row.y));
	}
	return ML_OK;
}

static void
check_golden(const MlGroups *groups, int what)
{
	double v;

	CHECK(ml_groups_rows(groups) == N_SKETCH_ROWS);
	if (what == BY_LEVEL)
		CHECK_NEAR(ml_groups_eta(groups), ETA_YA, 1e-12);
	if (what == BY_HALF)
	{
		CHECK_NEAR(ml_groups_contrast(groups, 78), CONTRAST, 1e-12);
		CHECK_NEAR(ml_groups_contrast(groups, 77), -CONTRAST, 1e-12);
	}
	CHECK(ml_groups_cramers_v(groups, &v) == ML_OK);
	if (what == PAIRS)
		CHECK_NEAR(v, CRAMERS_V, 1e-12);
	else
		CHECK(isnan(v) && (what == BY_HALF || isnan(ml_groups_contrast(groups, 0))));
}

static void
agrees_with_golden(void)
{
	for (int what = BY_LEVEL; what <= PAIRS; what++)
	{
		MlEnv env;
		MlGroups all, parts[3];

		ml_env_init(&env);
		ml_groups_init(&all, &env, 100);
		CHECK(add_rows(&all, what, 0, 1) == ML_OK);
		check_golden(&all, what);
		for (int k = 0; k < 3; k++)
		{
			ml_groups_init(&parts[k], &env, 100);
			CHECK(add_rows(&parts[k], what, k, 3) == ML_OK);
		}
		CHECK(ml_groups_merge(&parts[2], &parts[0]) == ML_OK);
		CHECK(ml_groups_merge(&parts[2], &parts[1]) == ML_OK);
		check_golden(&parts[2], what);
		for (int k = 0; k < 3; k++)
			ml_groups_free(&parts[k]);
		ml_groups_free(&all);
		CHECK(env.used == 0);
	}
}

/* What is given up depends on how many groups there are, not on who saw them. */
static void
too_many_groups_are_given_up(void)
{
	MlEnv env;
	MlGroups a, b;
	double v;

	ml_env_init(&env);
	for (uint64_t limit = 4; limit <= 5; limit++)
	{
		ml_groups_init(&a, &env, limit);
		ml_groups_init(&b, &env, limit);
		CHECK(add_rows(&a, BY_LEVEL, 0, 1) == ML_OK);
		CHECK(a.full == (limit == 4));
		ml_groups_free(&a);
		ml_groups_init(&a, &env, limit);
		for (uint64_t key = 0; key < 5; key++)
			CHECK(ml_groups_add(key < 3 ? &a : &b, key, 0, (double) key) == ML_OK);
		CHECK(!a.full && !b.full && ml_groups_merge(&a, &b) == ML_OK);
		CHECK(a.full == (limit == 4));
		CHECK(ml_groups_merge(&b, &a) == ML_OK && b.full == a.full);
		CHECK(ml_groups_cramers_v(&b, &v) == ML_OK && isnan(v));
		CHECK(isnan(ml_groups_eta(&a)) && isnan(ml_groups_contrast(&a, 0)));
		ml_groups_free(&a);
		ml_groups_free(&b);
	}
	CHECK(env.used == 0);
}

static void
nothing_to_say(void)
{
	MlEnv env;
	MlGroups groups;
	double v;

	ml_env_init(&env);
	ml_groups_init(&groups, &env, 100);
	CHECK(isnan(ml_groups_eta(&groups)) && ml_groups_cramers_v(&groups, &v) == ML_OK && isnan(v));
	/* As many groups as rows: nothing is left to compare with. */
	for (uint64_t key = 0; key < 40; key++)
		CHECK(ml_groups_add(&groups, key, key, (double) key) == ML_OK);
	CHECK(isnan(ml_groups_eta(&groups)) && ml_groups_cramers_v(&groups, &v) == ML_OK);
	CHECK(isnan(v) || v == 0);
	ml_groups_free(&groups);
}

/* Whole, cut short anywhere, and with each byte changed. */
static void
load_takes_hostile_bytes(void)
{
	MlEnv env;
	MlBuffer out;
	MlReader in;
	MlGroups groups, loaded;

	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	ml_groups_init(&groups, &env, 100);
	CHECK(add_rows(&groups, PAIRS, 0, 1) == ML_OK);
	ml_groups_save(&groups, &out);
	ml_reader_init(&in, &env, out.data, out.len);
	CHECK(ml_groups_load(&in, &loaded) == ML_OK && in.pos == in.len);
	check_golden(&loaded, PAIRS);
	ml_groups_free(&loaded);
	for (size_t len = 0; len < out.len; len++)
	{
		ml_reader_init(&in, &env, out.data, len);
		CHECK(ml_groups_load(&in, &loaded) == ML_ECORRUPT);
		ml_groups_free(&loaded);
	}
	for (size_t i = 0; i < out.len; i++)
	{
		double v;

		out.data[i] ^= 0x81;
		ml_reader_init(&in, &env, out.data, out.len);
		if (ml_groups_load(&in, &loaded) == ML_OK && ml_groups_merge(&loaded, &groups) == ML_OK)
			(void) (ml_groups_cramers_v(&loaded, &v) + ml_groups_eta(&loaded));
		ml_groups_free(&loaded);
		out.data[i] ^= 0x81;
	}
	ml_groups_free(&groups);
	ml_buffer_free(&out);
	CHECK(env.used == 0);
}

static MlStatus
use_all(MlEnv *env, void *arg)
{
	MlGroups groups, other;
	MlStatus status;
	double v;

	(void) arg;
	ml_groups_init(&groups, env, 100);
	ml_groups_init(&other, env, 100);
	status = add_rows(&groups, PAIRS, 0, 2);
	if (status == ML_OK)
		status = add_rows(&other, PAIRS, 1, 2);
	if (status == ML_OK)
		status = ml_groups_merge(&groups, &other);
	if (status == ML_OK)
		status = ml_groups_cramers_v(&groups, &v);
	ml_groups_free(&groups);
	ml_groups_free(&other);
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
	RUN(too_many_groups_are_given_up);
	RUN(nothing_to_say);
	RUN(load_takes_hostile_bytes);
	RUN(survives_failing_allocations);
	return unit_end();
}
