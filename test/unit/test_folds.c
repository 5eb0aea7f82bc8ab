/*
 * test_folds.c
 *		Folds are partitions: stratified, whole groups, in order of time; hold-outs likewise.
 */
#include "unit.h"
#include "core/rng.h"
#include "data/folds.h"

#define MAX_ROWS 4000

/* Rows of class, group and time; what a test makes of i. */
typedef struct Fixture
{
	MlEnv *env;
	MlArena arena;
	MlFrame *frame;
	MlDataset data;
	MlSplitInput input;
} Fixture;

typedef struct Row
{
	double class, group, time;
} Row;

static MlStatus
set_up(Fixture *f, MlEnv *env, size_t n, uint32_t n_classes, Row (*make)(size_t i))
{
	static const MlWidth widths[3] = {ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL, ML_WIDTH_FLOAT64};

	*f = (Fixture){.env = env};
	ml_arena_init(&f->arena, env);
	ML_TRY(ml_frame_create(env, widths, 3, &f->frame));
	for (size_t i = 0; i < n; i++)
	{
		Row row = make(i);

		ML_TRY(ml_frame_append(f->frame, &row.class));
	}
	f->data = (MlDataset){
		.frame = f->frame,
		.task = n_classes ? ML_CLASSIFICATION : ML_REGRESSION,
		.n_classes = n_classes,
		.weight_column = -1,
	};
	f->input = (MlSplitInput){.data = &f->data,
							  .rows = {NULL, n},
							  .group_column = -1,
							  .order_column = -1,
							  .group = "shop",
							  .order = "day"};
	return ML_OK;
}

static void
tear_down(Fixture *f)
{
	if (f->frame)
		ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
}

/* Class 1 in a tenth of the rows; 37 groups of falling size; two rows a day, not in order. */
static Row
mixed(size_t i)
{
	uint64_t h = ml_mix64(i);
	double u = (double) (h >> 11) * 0x1p-53;

	return (Row){h % 10 == 0, floor(37 * u * (1 + u) / 2), (double) (ml_mix64(i / 2) % 5000)};
}

static Row
by_day(size_t i)
{
	return (Row){0, 0, (double) ((i * 7919) % 1000)};
}

static Row
one_group(size_t i)
{
	return (Row){(double) (i % 2), 3, 5};
}

/* Each row is tested once, or never where folds are in order; training and test rows never meet. */
static void
check_partition(const MlFolds *folds)
{
	static uint32_t train[MAX_ROWS], valid[MAX_ROWS];
	static uint8_t seen[MAX_ROWS];
	size_t n = folds->rows.n, tested = 0;

	memset(seen, 0, sizeof seen);
	for (uint32_t k = 0; k < folds->n; k++)
	{
		size_t n_train, n_valid;

		ml_folds_rows(folds, k, train, &n_train, valid, &n_valid);
		CHECK(n_train > 0 && n_valid > 0);
		CHECK(folds->ordered || n_train + n_valid == n);
		for (size_t i = 0; i < n_valid; i++)
		{
			CHECK(i == 0 || valid[i] > valid[i - 1]);
			CHECK(!(seen[valid[i]] & 1));
			seen[valid[i]] |= 3;
		}
		for (size_t i = 0; i < n_train; i++)
		{
			CHECK(i == 0 || train[i] > train[i - 1]);
			CHECK(!(seen[train[i]] & 2));
		}
		for (size_t i = 0; i < n_valid; i++)
			seen[valid[i]] &= 1;
		tested += n_valid;
	}
	CHECK(folds->ordered ? tested < n : tested == n);
}

static void
at_random(void)
{
	MlEnv env;
	Fixture f;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 1003, 2, mixed) == ML_OK);
	for (uint32_t n = 2; n <= 20; n += 3)
	{
		size_t rows[20] = {0}, ones[20] = {0}, total = 0;
		MlFolds folds, again;

		f.input.seed = n;
		CHECK(ml_folds_create(&f.arena, &f.input, n, &folds) == ML_OK);
		CHECK(ml_folds_create(&f.arena, &f.input, n, &again) == ML_OK);
		CHECK(memcmp(folds.part, again.part, 1003 * sizeof(uint16_t)) == 0);
		check_partition(&folds);
		for (size_t i = 0; i < 1003; i++)
		{
			rows[folds.part[i]]++;
			ones[folds.part[i]] += mixed(i).class == 1;
			total += mixed(i).class == 1;
		}
		for (uint32_t k = 0; k < n; k++)
		{
			CHECK(rows[k] == 1003 / n || rows[k] == 1003 / n + 1);
			CHECK(ones[k] == total / n || ones[k] == total / n + 1);
		}
		f.input.seed = n + 1000;
		CHECK(ml_folds_create(&f.arena, &f.input, n, &again) == ML_OK);
		CHECK(memcmp(folds.part, again.part, 1003 * sizeof(uint16_t)) != 0);
	}
	tear_down(&f);
}

/* Every place is as likely for the first row as for any: a chi-square far below what bias would give. */
static void
at_random_is_fair(void)
{
	MlEnv env;
	Fixture f;
	size_t count[5] = {0};
	double chi = 0;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 23, 0, by_day) == ML_OK);
	for (uint64_t seed = 0; seed < 2300; seed++)
	{
		MlFolds folds;

		f.input.seed = seed;
		CHECK(ml_folds_create(&f.arena, &f.input, 5, &folds) == ML_OK);
		count[folds.part[seed % 23]]++;
	}
	for (int k = 0; k < 5; k++)
	{
		double expected = 2300 * (k < 3 ? 5.0 : 4.0) / 23;

		chi += ((double) count[k] - expected) * ((double) count[k] - expected) / expected;
	}
	CHECK(chi < 18.5); /* 0.999 quantile with 4 degrees of freedom */
	tear_down(&f);
}

/* Whole groups, near the shares of rows and of the rare class. */
static void
by_group(void)
{
	MlEnv env;
	Fixture f;
	MlFolds folds;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 3000, 2, mixed) == ML_OK);
	f.input.group_column = 1;
	for (uint32_t n = 2; n <= 7; n++)
	{
		int part_of[37];
		double rows[7] = {0}, ones[7] = {0}, total = 0;

		CHECK(ml_folds_create(&f.arena, &f.input, n, &folds) == ML_OK);
		check_partition(&folds);
		memset(part_of, -1, sizeof part_of);
		for (size_t i = 0; i < 3000; i++)
		{
			int group = (int) mixed(i).group;

			CHECK(part_of[group] < 0 || part_of[group] == folds.part[i]);
			part_of[group] = folds.part[i];
			rows[folds.part[i]]++;
			ones[folds.part[i]] += mixed(i).class;
			total += mixed(i).class;
		}
		for (uint32_t k = 0; k < n; k++)
		{
			CHECK_NEAR(rows[k] * n / 3000, 1, 0.1);
			CHECK_NEAR(ones[k] * n / total, 1, 0.2);
		}
	}
	CHECK(ml_folds_create(&f.arena, &f.input, 38, &folds) == ML_EDATA);
	CHECK(strcmp(env.error, "38 folds cannot be made of the 37 groups of column \"shop\"") == 0);
	CHECK(ml_folds_create(&f.arena, &f.input, 37, &folds) == ML_OK);
	check_partition(&folds);
	tear_down(&f);
}

/* A fold is later than all that it trains on, and follows it at once. */
static void
in_order(void)
{
	static uint32_t train[MAX_ROWS], valid[MAX_ROWS];
	MlEnv env;
	Fixture f;
	MlFolds folds;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 3000, 2, mixed) == ML_OK);
	f.input.order_column = 2;
	for (uint32_t n = 2; n <= 8; n++)
	{
		CHECK(ml_folds_create(&f.arena, &f.input, n, &folds) == ML_OK);
		CHECK(folds.ordered);
		check_partition(&folds);
		for (uint32_t k = 0; k < n; k++)
		{
			double last = -INFINITY, first = INFINITY;
			size_t n_train, n_valid;

			ml_folds_rows(&folds, k, train, &n_train, valid, &n_valid);
			for (size_t i = 0; i < n_train; i++)
				last = fmax(last, mixed(train[i]).time);
			for (size_t i = 0; i < n_valid; i++)
				first = fmin(first, mixed(valid[i]).time);
			CHECK(last < first);
			CHECK_NEAR((double) n_valid * (n + 1) / 3000, 1, 0.05);
			CHECK_NEAR((double) n_train * (n + 1) / (3000 * (k + 1.0)), 1, 0.05);
		}
	}
	tear_down(&f);
}

/* The hold-out of some rows only, in each of the three ways. */
static void
hold_out(void)
{
	uint32_t index[1500];
	MlEnv env;
	Fixture f;
	MlRows train, valid;
	int side[37];

	ml_env_init(&env);
	for (size_t i = 0; i < 1500; i++)
		index[i] = (uint32_t) (2 * i + 1);
	CHECK(set_up(&f, &env, 3000, 2, mixed) == ML_OK);
	f.input.rows = (MlRows){index, 1500};
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_OK);
	CHECK(train.n == 1200 && valid.n == 300);
	for (size_t i = 0; i < valid.n; i++)
		CHECK(valid.index[i] % 2 == 1);
	f.input.order_column = 2;
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_OK);
	CHECK_NEAR((double) valid.n, 300, 0.02);
	CHECK(train.n + valid.n == 1500);
	for (size_t i = 0; i < train.n; i++)
		CHECK(mixed(train.index[i]).time < mixed(valid.index[i % valid.n]).time);
	f.input.order_column = -1;
	f.input.group_column = 1;
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_OK);
	CHECK(train.n + valid.n == 1500);
	CHECK_NEAR((double) valid.n, 300, 0.1);
	memset(side, 0, sizeof side);
	for (size_t i = 0; i < train.n; i++)
		side[(int) mixed(train.index[i]).group] |= 1;
	for (size_t i = 0; i < valid.n; i++)
		side[(int) mixed(valid.index[i]).group] |= 2;
	for (int g = 0; g < 37; g++)
		CHECK(side[g] != 3);
	CHECK(ml_split_holdout(&f.arena, &f.input, 0, &train, &valid) == ML_OK);
	CHECK(train.n == 1500 && valid.n == 0);
	tear_down(&f);
}

/* Equal values stay together, even where a cut falls among many of them. */
static Row
few_values(size_t i)
{
	return (Row){0, i == 0 ? 1 : 0, i < 95 ? 1 : i < 97 ? 2 : 3};
}

static void
corners(void)
{
	MlEnv env;
	Fixture f;
	MlFolds folds;
	MlRows train, valid;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 100, 0, few_values) == ML_OK);
	f.input.order_column = 2;
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_OK);
	CHECK(train.n == 95 && valid.n == 5);
	CHECK(ml_folds_create(&f.arena, &f.input, 2, &folds) == ML_OK);
	check_partition(&folds);
	CHECK(ml_folds_create(&f.arena, &f.input, 3, &folds) == ML_EDATA);
	CHECK(strcmp(env.error, "order_by column \"day\" has too few different values for 4 parts") ==
		  0);
	f.input.order_column = -1;
	f.input.group_column = 1;
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_OK);
	CHECK(train.n == 99 && valid.n == 1); /* groups of 99 and 1 rows */
	tear_down(&f);
	CHECK(set_up(&f, &env, 20, 2, one_group) == ML_OK);
	f.input.group_column = 1;
	CHECK(ml_split_holdout(&f.arena, &f.input, 0.2, &train, &valid) == ML_EDATA);
	CHECK(strcmp(env.error, "group_by column \"shop\" has one group only") == 0);
	f.input.group_column = -1;
	f.input.order_column = 2;
	CHECK(ml_folds_create(&f.arena, &f.input, 2, &folds) == ML_EDATA);
	CHECK(strcmp(env.error, "order_by column \"day\" has one value only") == 0);
	f.input.order_column = -1;
	CHECK(ml_folds_create(&f.arena, &f.input, 21, &folds) == ML_EDATA);
	CHECK(strcmp(env.error, "21 folds cannot be made of 20 rows") == 0);
	CHECK(ml_folds_create(&f.arena, &f.input, 20, &folds) == ML_OK);
	check_partition(&folds); /* leave one out */
	tear_down(&f);
	CHECK(env.used == 0);
}

/* All ways once, for the failing allocations. */
static MlStatus
all_ways(Fixture *f)
{
	MlFolds folds;
	MlRows train, valid;

	for (int way = 0; way < 3; way++)
	{
		f->input.group_column = way == 1 ? 1 : -1;
		f->input.order_column = way == 2 ? 2 : -1;
		ML_TRY(ml_folds_create(&f->arena, &f->input, 3, &folds));
		ML_TRY(ml_split_holdout(&f->arena, &f->input, 0.3, &train, &valid));
	}
	return ML_OK;
}

static MlStatus
all_ways_work(MlEnv *env, void *arg)
{
	Fixture f;
	MlStatus status = set_up(&f, env, 300, 2, mixed);

	(void) arg;
	if (status == ML_OK)
		status = all_ways(&f);
	tear_down(&f);
	return status;
}

static void
allocations_fail(void)
{
	unit_every_allocation_fails(all_ways_work, NULL, 500);
}

int
main(void)
{
	RUN(at_random);
	RUN(at_random_is_fair);
	RUN(by_group);
	RUN(in_order);
	RUN(hold_out);
	RUN(corners);
	RUN(allocations_fail);
	return unit_end();
}
