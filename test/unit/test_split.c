/*
 * test_split.c
 *		Hash parts are a promise; the hold-out has exact counts.
 */
#include "unit.h"
#include "core/rng.h"
#include "data/split.h"

typedef struct Fixture
{
	MlEnv env;
	MlArena arena;
	MlFrame *frame;
	MlDataset data;
	MlRows train, valid;
} Fixture;

/* n rows whose class is class_of(i). */
static void
set_up(Fixture *f, size_t n, uint32_t n_classes, uint32_t (*class_of)(size_t i))
{
	static const MlWidth width = ML_WIDTH_FLOAT64;

	ml_env_init(&f->env);
	ml_arena_init(&f->arena, &f->env);
	CHECK(ml_frame_create(&f->env, &width, 1, &f->frame) == ML_OK);
	for (size_t i = 0; i < n; i++)
	{
		double y = class_of(i);

		CHECK(ml_frame_append(f->frame, &y) == ML_OK);
	}
	f->data = (MlDataset){
		.frame = f->frame, .task = ML_CLASSIFICATION, .n_classes = n_classes, .weight_column = -1};
}

static void
tear_down(Fixture *f)
{
	ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
	CHECK(f->env.used == 0);
}

/* Count a class among rows. */
static size_t
count(const MlRows *rows, uint32_t (*class_of)(size_t i), uint32_t class)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		n += class_of(rows->index[i]) == class;
	return n;
}

/* Whether the two parts ascend and together are 0..n-1. */
static bool
is_partition(const MlRows *train, const MlRows *valid, size_t n)
{
	size_t t = 0, v = 0;

	for (size_t i = 0; i < n; i++)
		if (t < train->n && train->index[t] == i)
			t++;
		else if (v < valid->n && valid->index[v] == i)
			v++;
		else
			return false;
	return t == train->n && v == valid->n && t + v == n;
}

static uint32_t
one_in_ten(size_t i)
{
	return i % 10 == 0;
}

/* 1 row of class 2, 2 of class 3, the rest in two halves. */
static uint32_t
rare(size_t i)
{
	return i == 5 ? 2 : i == 7 || i == 8 ? 3 : i % 2;
}

static uint32_t
pairs(size_t i)
{
	return (uint32_t) (i / 2);
}

static void
classes_keep_their_share(void)
{
	Fixture f;

	set_up(&f, 10007, 2, one_in_ten);
	CHECK(ml_split_rows(&f.arena, &f.data, 10007, 0.2, 7, &f.train, &f.valid) == ML_OK);
	CHECK(is_partition(&f.train, &f.valid, 10007));
	CHECK(f.valid.n == 2001);
	CHECK(count(&f.valid, one_in_ten, 1) == 200); /* of 1001 */
	tear_down(&f);
}

static void
rare_classes_stay_in_training(void)
{
	Fixture f;

	set_up(&f, 1000, 4, rare);
	for (uint64_t seed = 0; seed < 5; seed++)
	{
		CHECK(ml_split_rows(&f.arena, &f.data, 1000, 0.5, seed, &f.train, &f.valid) == ML_OK);
		CHECK(is_partition(&f.train, &f.valid, 1000));
		CHECK(count(&f.train, rare, 2) == 1 && count(&f.train, rare, 3) == 1);
	}
	CHECK(ml_split_rows(&f.arena, &f.data, 1000, 0.999, 1, &f.train, &f.valid) == ML_OK);
	for (uint32_t k = 0; k < 4; k++)
		CHECK(count(&f.train, rare, k) >= 1);
	tear_down(&f);
}

static void
many_small_classes_still_give_a_hold_out(void)
{
	Fixture f;

	set_up(&f, 100, 50, pairs);
	CHECK(ml_split_rows(&f.arena, &f.data, 100, 0.2, 1, &f.train, &f.valid) == ML_OK);
	CHECK(f.valid.n == 20 && is_partition(&f.train, &f.valid, 100));
	tear_down(&f);
}

static void
regression_takes_an_exact_share(void)
{
	Fixture f;
	double mean = 0;

	set_up(&f, 1000, 2, one_in_ten);
	f.data.task = ML_REGRESSION;
	for (uint64_t seed = 0; seed < 50; seed++)
	{
		CHECK(ml_split_rows(&f.arena, &f.data, 1000, 0.25, seed, &f.train, &f.valid) == ML_OK);
		CHECK(f.valid.n == 250 && is_partition(&f.train, &f.valid, 1000));
		for (size_t i = 0; i < 250; i++)
			mean += f.valid.index[i] / 250.0 / 50;
	}
	/* Uniform: 499.5 with a standard error of 1000/sqrt(12)*sqrt(0.75)/sqrt(250*50) = 2.2. */
	CHECK(fabs(mean - 499.5) < 9);
	tear_down(&f);
}

static void
nothing_to_split_is_all_training(void)
{
	Fixture f;

	set_up(&f, 3, 2, one_in_ten);
	CHECK(ml_split_rows(&f.arena, &f.data, 3, 0, 1, &f.train, &f.valid) == ML_OK);
	CHECK(f.train.n == 3 && !f.train.index && f.valid.n == 0);
	CHECK(ml_split_rows(&f.arena, &f.data, 1, 0.5, 1, &f.train, &f.valid) == ML_OK);
	CHECK(f.train.n == 1 && f.valid.n == 0);
	CHECK(ml_split_rows(&f.arena, &f.data, 0, 0.5, 1, &f.train, &f.valid) == ML_OK);
	CHECK(f.train.n == 0 && f.valid.n == 0);
	tear_down(&f);
}

/* A hash of the rows held out; stable because splits are a promise. */
static uint64_t
fingerprint(const MlRows *rows)
{
	return ml_hash_bytes(rows->index, rows->n * sizeof(uint32_t), 0);
}

static void
splits_are_the_same_for_ever(void)
{
	Fixture f;
	uint64_t first;

	set_up(&f, 5000, 2, one_in_ten);
	CHECK(ml_split_rows(&f.arena, &f.data, 5000, 0.3, 42, &f.train, &f.valid) == ML_OK);
	first = fingerprint(&f.valid);
	CHECK(f.valid.index[0] == 0 && f.valid.index[1499] == 4998);
	CHECK(ml_split_rows(&f.arena, &f.data, 5000, 0.3, 43, &f.train, &f.valid) == ML_OK);
	CHECK(fingerprint(&f.valid) != first);
	tear_down(&f);
}

static void
parts_follow_the_fractions(void)
{
	static const double fractions[] = {0.7, 0, 0.2, 0.1};
	static const double short_sum[] = {0.5, 0.5 - 1e-9, 0};
	size_t n[4] = {0};

	for (uint64_t key = 0; key < 100000; key++)
		n[ml_part_of(key, fractions, 4)]++;
	CHECK(labs((long) n[0] - 70000) < 700 && n[1] == 0 && labs((long) n[2] - 20000) < 600);
	CHECK(n[0] + n[2] + n[3] == 100000);
	for (uint64_t key = 0; key < 1000; key++)
		CHECK(ml_part_of(key * 0x9E3779B97F4A7C15u, short_sum, 3) < 2);
}

/* The values themselves are the contract: a table split by part_of today is split so tomorrow.
 * Computed apart from the definition: mix64(hash ^ mix64(seed)) / 2^64, 53 bits. */
static void
hash_numbers_are_the_same_for_ever(void)
{
	CHECK(ml_split_uniform(1, 0) == 0x1.5a485874402cp-2);
	CHECK(ml_split_uniform(1, 1) == 0x1.07d8d0d82c008p-1);
	CHECK(ml_split_uniform(0x123456789abcdef0, 42) == 0x1.551983d3ab536p-2);
	for (uint64_t h = 0; h < 1000; h++)
		CHECK(ml_split_uniform(h, h) >= 0 && ml_split_uniform(h, h) < 1);
}

static MlStatus
split_once(MlEnv *env, void *arg)
{
	Fixture *f = arg;
	MlArena arena;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = ml_split_rows(&arena, &f->data, 1000, 0.2, 1, &f->train, &f->valid);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Fixture f;

	set_up(&f, 1000, 2, one_in_ten);
	unit_every_allocation_fails(split_once, &f, 20);
	tear_down(&f);
}

static bool
always(void *ctx)
{
	(void) ctx;
	return true;
}

static void
a_cancel_is_heard(void)
{
	Fixture f;

	set_up(&f, 1000, 2, one_in_ten);
	f.env.canceled = always;
	CHECK(ml_split_rows(&f.arena, &f.data, 1000, 0.2, 1, &f.train, &f.valid) == ML_ECANCELED);
	tear_down(&f);
}

int
main(void)
{
	RUN(classes_keep_their_share);
	RUN(rare_classes_stay_in_training);
	RUN(many_small_classes_still_give_a_hold_out);
	RUN(regression_takes_an_exact_share);
	RUN(nothing_to_split_is_all_training);
	RUN(splits_are_the_same_for_ever);
	RUN(parts_follow_the_fractions);
	RUN(hash_numbers_are_the_same_for_ever);
	RUN(every_allocation_may_fail);
	RUN(a_cancel_is_heard);
	return unit_end();
}
