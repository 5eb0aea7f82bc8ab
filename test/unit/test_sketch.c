/*
 * test_sketch.c
 *		HyperLogLog, KLL quantiles, tallies: errors within what they promise.
 */
#include "unit.h"

#include "core/hll.h"
#include "core/kll.h"
#include "core/rng.h"
#include "core/tally.h"

static MlHll hll;

static void
hll_counts_within_error(void)
{
	const double sizes[] = {0, 1, 100, 5000, 50000, 1000000};

	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
	{
		double estimate;

		memset(&hll, 0, sizeof hll);
		for (uint64_t i = 0; i < (uint64_t) sizes[s]; i++)
			for (int again = 0; again < 2; again++)
				ml_hll_add(&hll, ml_mix64(i + 12345));
		estimate = ml_hll_estimate(&hll);
		/* Four standard errors, and the rounding of small numbers. */
		CHECK(fabs(estimate - sizes[s]) <= 0.5 + 4 * 0.0081 * sizes[s]);
	}
}

/* A register holds at most 51, for a hash whose last 50 bits are zero. */
static void
hll_takes_any_hash(void)
{
	memset(&hll, 0, sizeof hll);
	ml_hll_add(&hll, 0);
	ml_hll_add(&hll, UINT64_MAX);
	CHECK(hll.registers[0] == 51 && hll.registers[ML_HLL_REGISTERS - 1] == 1);
	memset(&hll, 51, sizeof hll);
	CHECK(ml_hll_estimate(&hll) > 1e18);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static const double probabilities[] = {0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0};
#define N_PROBABILITIES (sizeof probabilities / sizeof *probabilities)

/* Every quantile's rank is within 0.45 % of where it should be. */
static void
check_ranks(MlKll *kll, double *values, size_t n)
{
	double got[N_PROBABILITIES];

	ml_kll_quantiles(kll, probabilities, N_PROBABILITIES, got);
	qsort(values, n, sizeof(double), compare_doubles);
	for (size_t i = 0; i < N_PROBABILITIES; i++)
	{
		size_t below = 0, up_to = 0;

		while (below < n && values[below] < got[i])
			below++;
		for (up_to = below; up_to < n && values[up_to] <= got[i];)
			up_to++;
		CHECK((double) below / (double) n <= probabilities[i] + 0.0045);
		CHECK((double) up_to / (double) n >= probabilities[i] - 0.0045);
	}
}

static void
kll_ranks_within_error(void)
{
	enum
	{
		N = 300000
	};
	double *values = malloc(N * sizeof(double));

	for (int shape = 0; shape < 4; shape++)
	{
		MlEnv env;
		MlKll *kll;
		MlRng rng;

		ml_env_init(&env);
		ml_rng_seed(&rng, 7, (uint64_t) shape);
		CHECK(ml_kll_create(&env, 1, &kll) == ML_OK);
		for (int i = 0; i < N; i++)
		{
			double u = ml_rng_uniform(&rng);

			values[i] = shape == 0   ? i
						: shape == 1 ? -i
						: shape == 2 ? exp(20 * u)
									 : floor(u * 100);
			CHECK(ml_kll_add(kll, values[i]) == ML_OK);
		}
		CHECK(kll->n_items <= 3 * ML_KLL_K + 8 * ML_KLL_MAX_LEVELS);
		check_ranks(kll, values, N);
		ml_kll_free(kll);
	}
	free(values);
}

static void
kll_is_exact_for_few(void)
{
	MlEnv env;
	MlKll *kll;
	double p[] = {0.0, 0.25, 0.5, 0.75, 1.0}, got[5];

	ml_env_init(&env);
	CHECK(ml_kll_create(&env, 1, &kll) == ML_OK);
	ml_kll_quantiles(kll, p, 5, got);
	CHECK(isnan(got[0]) && isnan(got[4]));
	for (int i = 1000; i >= 1; i--)
		CHECK(ml_kll_add(kll, i) == ML_OK);
	ml_kll_quantiles(kll, p, 5, got);
	CHECK(got[0] == 1 && got[1] == 250 && got[2] == 500 && got[3] == 750 && got[4] == 1000);
	ml_kll_free(kll);
}

/* Adding a value many times is adding it again and again. */
static void
kll_takes_counts(void)
{
	MlEnv env;
	MlKll *kll;
	double p[] = {0.1, 0.5, 0.9}, got[3];

	ml_env_init(&env);
	CHECK(ml_kll_create(&env, 1, &kll) == ML_OK);
	for (int i = 0; i < 10000; i++)
		CHECK(ml_kll_add_many(kll, i, 777777) == ML_OK);
	ml_kll_quantiles(kll, p, 3, got);
	CHECK_NEAR(got[0], 1000, 0.045);
	CHECK_NEAR(got[1], 5000, 0.009);
	CHECK_NEAR(got[2], 9000, 0.005);
	CHECK(ml_kll_add_many(kll, 1, UINT64_MAX) == ML_EDATA);
	ml_kll_free(kll);
}

static MlStatus
count_key(MlTally *tally, uint64_t key, const char *text)
{
	size_t slot = ml_tally_find(tally, key);

	if (tally->slots[slot].count > 0)
	{
		tally->slots[slot].count++;
		return ML_OK;
	}
	if (ml_tally_full(tally))
	{
		ML_TRY(ml_tally_forget(tally));
		slot = ml_tally_find(tally, key);
	}
	return ml_tally_enter(tally, slot, (MlTallyEntry){key, 1}, text, text ? strlen(text) : 0);
}

static void
tally_is_exact_for_few(void)
{
	MlEnv env;
	MlTally tally;

	ml_env_init(&env);
	CHECK(ml_tally_init(&tally, &env, 10000, false) == ML_OK);
	for (int round = 0; round < 3; round++)
		for (uint64_t key = 0; key < 10000; key++)
			if (round == 0 || key % 3 == 0)
				CHECK(count_key(&tally, key << 40, NULL) == ML_OK);
	CHECK(tally.exact && tally.n == 10000 && ml_tally_full(&tally));
	for (uint64_t key = 0; key < 10000; key++)
		CHECK(tally.slots[ml_tally_find(&tally, key << 40)].count == (key % 3 == 0 ? 3 : 1));
	ml_tally_free(&tally);
	CHECK(env.used == 0);
}

/* Among many values that come once, the frequent ones are found with nearly their counts. */
static void
tally_finds_the_frequent(void)
{
	enum
	{
		N = 400000
	};
	MlEnv env;
	MlTally tally;
	uint64_t common = 0, rare = 0;

	ml_env_init(&env);
	CHECK(ml_tally_init(&tally, &env, 1000, true) == ML_OK);
	for (uint64_t i = 0; i < N; i++)
	{
		if (i % 10 == 0)
			common++;
		if (i % 100 == 1)
			rare++;
		CHECK(count_key(&tally,
						i % 10 == 0    ? 1
						: i % 100 == 1 ? 2
									   : i + 1000,
						i % 10 == 0 ? "common" : "other") == ML_OK);
	}
	CHECK(!tally.exact && tally.n <= ML_TALLY_FREQUENT && tally.missed <= N / 256);
	CHECK(tally.slots[ml_tally_find(&tally, 1)].count <= common);
	CHECK(tally.slots[ml_tally_find(&tally, 1)].count + tally.missed >= common);
	CHECK(tally.slots[ml_tally_find(&tally, 2)].count + tally.missed >= rare);
	CHECK(strcmp(tally.texts[ml_tally_find(&tally, 1)], "common") == 0);
	ml_tally_free(&tally);
	CHECK(env.used == 0);
}

/* Whoever saw what: the same registers. */
static void
hll_merges_exactly(void)
{
	static MlHll part[3];

	memset(&hll, 0, sizeof hll);
	memset(part, 0, sizeof part);
	for (uint64_t i = 0; i < 200000; i++)
	{
		ml_hll_add(&hll, ml_mix64(i));
		ml_hll_add(&part[i % 3], ml_mix64(i));
		ml_hll_add(&part[i % 2], ml_mix64(i));
	}
	ml_hll_merge(&part[0], &part[1]);
	ml_hll_merge(&part[0], &part[2]);
	CHECK(memcmp(&hll, &part[0], sizeof hll) == 0);
}

/* Sketches of very different sizes, merged, keep the error of one. */
static void
kll_merges_within_error(void)
{
	enum
	{
		N = 300000
	};
	MlEnv env;
	MlKll *part[4];
	double *values = malloc(N * sizeof(double));
	MlRng rng;

	ml_env_init(&env);
	ml_rng_seed(&rng, 3, 0);
	for (int k = 0; k < 4; k++)
		CHECK(ml_kll_create(&env, 0, &part[k]) == ML_OK);
	for (int i = 0; i < N; i++)
	{
		values[i] = floor(exp(10 * ml_rng_uniform(&rng)));
		CHECK(ml_kll_add(part[i < 100 ? 0 : i < 5000 ? 1 : 2 + i % 2], values[i]) == ML_OK);
	}
	for (int k = 1; k < 4; k++)
		CHECK(ml_kll_merge(part[0], part[k]) == ML_OK);
	CHECK(part[0]->n_items <= 3 * ML_KLL_K + 8 * ML_KLL_MAX_LEVELS);
	check_ranks(part[0], values, N);
	CHECK_NEAR(ml_kll_share_up_to(part[0], exp(5)), 0.5, 0.0045);
	CHECK_NEAR(ml_kll_share_below(part[0], exp(9)), 0.9, 0.0045);
	CHECK(ml_kll_share_up_to(part[0], INFINITY) == 1 && ml_kll_share_below(part[0], 1) == 0);
	for (int k = 0; k < 4; k++)
		ml_kll_free(part[k]);
	free(values);
	CHECK(env.used == 0);
}

/* Merged frequent items: counts are low by no more than is known. */
static void
tally_adds_within_error(void)
{
	enum
	{
		N = 200000
	};
	MlEnv env;
	MlTally part[2];
	MlTallyEntry common;

	ml_env_init(&env);
	for (int k = 0; k < 2; k++)
		CHECK(ml_tally_init(&part[k], &env, 1000, true) == ML_OK);
	for (uint64_t i = 0; i < N; i++)
		CHECK(count_key(&part[i % 2], i % 20 < 2 ? 1 : i + 1000, "text") == ML_OK);
	for (size_t slot = 0; slot < part[1].n_slots; slot++)
		if (part[1].slots[slot].count > 0)
			CHECK(ml_tally_add(&part[0], part[1].slots[slot], "text", 4) == ML_OK);
	part[0].missed += part[1].missed;
	common = part[0].slots[ml_tally_find(&part[0], 1)];
	CHECK(common.count <= N / 10 && common.count + part[0].missed >= N / 10);
	CHECK(part[0].missed <= N / 256 && part[0].n <= ML_TALLY_FREQUENT);
	for (int k = 0; k < 2; k++)
		ml_tally_free(&part[k]);
	CHECK(env.used == 0);
}

static MlStatus
use_all(MlEnv *env, void *arg)
{
	MlTally tally;
	MlKll *kll = NULL;
	MlStatus status = ml_tally_init(&tally, env, 100, true);

	(void) arg;
	if (status != ML_OK)
		return status;
	status = ml_kll_create(env, 1, &kll);
	for (uint64_t i = 0; i < 4000 && status == ML_OK; i++)
	{
		status = count_key(&tally, i, "text");
		if (status == ML_OK)
			status = ml_kll_add(kll, (double) i);
		if (status == ML_OK && i == 2000)
			status = ml_kll_add_many(kll, (double) i, 1000);
	}
	ml_tally_free(&tally);
	ml_kll_free(kll);
	return status;
}

static void
survives_failing_allocations(void)
{
	unit_every_allocation_fails(use_all, NULL, 20000);
}

int
main(void)
{
	RUN(hll_counts_within_error);
	RUN(hll_takes_any_hash);
	RUN(kll_ranks_within_error);
	RUN(kll_is_exact_for_few);
	RUN(kll_takes_counts);
	RUN(tally_is_exact_for_few);
	RUN(tally_finds_the_frequent);
	RUN(hll_merges_exactly);
	RUN(kll_merges_within_error);
	RUN(tally_adds_within_error);
	RUN(survives_failing_allocations);
	return unit_end();
}
