/*
 * test_shares.c
 *		Rows of classes among parts: exact sums, nearest shares, a row of each class in the first part.
 */
#include "unit.h"

#include "data/shares.h"

#define MAX_ROWS 4000

static uint64_t rows[MAX_ROWS];

static void
share(const uint64_t *count, size_t n_classes, const double *fractions, int n_parts)
{
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_share_rows(&env, count, n_classes, fractions, n_parts, rows) == ML_OK);
	CHECK(env.used == 0);
	for (size_t k = 0; k < n_classes; k++)
	{
		uint64_t sum = 0;

		for (int p = 0; p < n_parts; p++)
			sum += rows[k * n_parts + p];
		CHECK(sum == count[k]);
	}
}

static uint64_t
part_rows(size_t n_classes, int n_parts, int part)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < n_classes; k++)
		sum += rows[k * n_parts + part];
	return sum;
}

static void
classes_keep_their_shares(void)
{
	static const uint64_t count[] = {50, 50, 50};
	static const double fractions[] = {0.7, 0.2, 0.1};

	share(count, 3, fractions, 3);
	for (int k = 0; k < 3; k++)
		CHECK(rows[3 * k] == 35 && rows[3 * k + 1] == 10 && rows[3 * k + 2] == 5);
}

static void
small_classes_add_up_to_the_share(void)
{
	static const double fractions[] = {0.8, 0.2};
	uint64_t count[100];

	for (int k = 0; k < 100; k++)
		count[k] = 3;
	share(count, 100, fractions, 2);
	CHECK(part_rows(100, 2, 0) == 240 && part_rows(100, 2, 1) == 60);
	for (int k = 0; k < 100; k++)
		CHECK(rows[2 * k] >= 2);
	/* Equal rests: the first classes give. */
	CHECK(rows[0] == 3 && rows[2 * 39] == 3 && rows[2 * 40] == 2);
}

static void
the_first_part_has_every_class(void)
{
	static const uint64_t count[] = {1000000, 1, 2, 0};
	static const double fractions[] = {0.01, 0.99};

	share(count, 4, fractions, 2);
	CHECK(rows[0] == 10000 && rows[2] == 1 && rows[4] == 1 && rows[6] == 0);
}

static void
sums_of_parts_are_within_a_row(void)
{
	static const double fractions[] = {0.15, 0.25, 0.05, 0.55};
	uint64_t count[997], total = 0;

	for (int k = 0; k < 997; k++)
		total += count[k] = 10 + (uint64_t) k * 7919 % 1000;
	share(count, 997, fractions, 4);
	for (int p = 0; p < 4; p++)
	{
		CHECK(fabs((double) part_rows(997, 4, p) - fractions[p] * (double) total) <= 2);
		for (int k = 0; k < 997; k++)
			CHECK(fabs((double) rows[4 * k + p] - fractions[p] * (double) count[k]) <= 2);
	}
}

static void
nothing_and_one_part(void)
{
	static const uint64_t none[] = {0, 0}, some[] = {7, UINT64_C(1) << 40};
	static const double whole[] = {1}, halves[] = {0.5, 0.5};

	share(none, 2, halves, 2);
	CHECK(part_rows(2, 2, 0) == 0);
	share(some, 2, whole, 1);
	CHECK(rows[0] == 7 && rows[1] == UINT64_C(1) << 40);
	share(some, 2, halves, 2);
	CHECK(rows[2] == UINT64_C(1) << 39);
	share(none, 0, halves, 2);
}

static MlStatus
share_two(MlEnv *env, void *arg)
{
	static const uint64_t count[] = {5, 6};
	static const double fractions[] = {0.5, 0.5};

	(void) arg;
	return ml_share_rows(env, count, 2, fractions, 2, rows);
}

static void
every_allocation_fails_once(void)
{
	unit_every_allocation_fails(share_two, NULL, 10);
}

int
main(void)
{
	RUN(classes_keep_their_shares);
	RUN(small_classes_add_up_to_the_share);
	RUN(the_first_part_has_every_class);
	RUN(sums_of_parts_are_within_a_row);
	RUN(nothing_and_one_part);
	RUN(every_allocation_fails_once);
	return unit_end();
}
