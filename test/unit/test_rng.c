/*
 * test_rng.c
 *		Random numbers and hashes against their references' values.
 */
#include "unit.h"

#include "core/rng.h"

/* From the reference implementation: state 1, 2, 3, 4. */
static void
xoshiro_gives_its_reference_values(void)
{
	static const uint64_t want[] = {11520u,
									0u,
									1509978240u,
									1215971899390074240u,
									1216172134540287360u,
									607988272756665600u,
									16172922978634559625u,
									8476171486693032832u,
									10595114339597558777u,
									2904607092377533576u};
	MlRng rng = {{1, 2, 3, 4}};

	for (int i = 0; i < 10; i++)
		CHECK(ml_rng_next(&rng) == want[i]);
}

/* From the reference implementation of splitmix64: seed 1234567. */
static void
mix_is_splitmix64(void)
{
	static const uint64_t want[] = {6457827717110365317u, 3203168211198807973u,
									9817491932198370423u, 4593380528125082431u,
									16408922859458223821u};
	uint64_t x = 1234567;
	MlRng rng;

	for (int i = 0; i < 5; i++)
		CHECK(ml_mix64(x += 0x9E3779B97F4A7C15u) == want[i]);
	/* A generator is seeded with these. */
	ml_rng_seed(&rng, 1234567, 0);
	for (int i = 0; i < 4; i++)
		CHECK(rng.s[i] == want[i]);
}

/* From xxHash's own XXH64. */
static void
hash_is_xxh64(void)
{
	const char *sentence = "Nobody inspects the spammish repetition";
	char unaligned[64];

	CHECK(ml_hash_bytes("", 0, 0) == 0xEF46DB3751D8E999u);
	CHECK(ml_hash_bytes("a", 1, 0) == 0xD24EC4F1A98C6E5Bu);
	CHECK(ml_hash_bytes("abc", 3, 0) == 0x44BC2CF5AD770999u);
	CHECK(ml_hash_bytes("123456789", 9, 0) == 0x8CB841DB40E6AE83u);
	CHECK(ml_hash_bytes(sentence, strlen(sentence), 0) == 0xFBCEA83C8A378BF1u);
	memcpy(unaligned + 3, sentence, strlen(sentence));
	CHECK(ml_hash_bytes(unaligned + 3, strlen(sentence), 0) == 0xFBCEA83C8A378BF1u);
	CHECK(ml_hash_bytes("abc", 3, 1) != ml_hash_bytes("abc", 3, 0));
}

static void
streams_and_seeds_differ(void)
{
	uint64_t first[64];

	for (uint64_t i = 0; i < 64; i++)
	{
		MlRng rng;

		ml_rng_seed(&rng, i / 8, i % 8);
		first[i] = ml_rng_next(&rng);
		for (uint64_t k = 0; k < i; k++)
			CHECK(first[k] != first[i]);
	}
}

static void
uniform_has_its_moments(void)
{
	MlRng rng;
	double sum = 0, squares = 0, least = 1, most = 0;
	int n = 200000;

	ml_rng_seed(&rng, 42, 0);
	for (int i = 0; i < n; i++)
	{
		double u = ml_rng_uniform(&rng);

		sum += u;
		squares += u * u;
		least = fmin(least, u);
		most = fmax(most, u);
	}
	CHECK(least >= 0 && most < 1);
	CHECK_NEAR(sum / n, 0.5, 0.003);
	CHECK_NEAR(squares / n, 1.0 / 3, 0.003);
}

static void
below_is_even(void)
{
	MlRng rng;
	int counts[7] = {0};
	uint64_t huge = (uint64_t) 3 << 62; /* a quarter of the raw numbers is rejected */
	int low = 0;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < 70000; i++)
		counts[ml_rng_below(&rng, 7)]++;
	for (int k = 0; k < 7; k++)
		CHECK(counts[k] > 9600 && counts[k] < 10400);
	for (int i = 0; i < 30000; i++)
	{
		uint64_t x = ml_rng_below(&rng, huge);

		CHECK(x < huge);
		low += x < (uint64_t) 1 << 62;
	}
	CHECK(low > 9700 && low < 10300);
	CHECK(ml_rng_below(&rng, 1) == 0);
}

/* The distribution function at seven points, from R's pnorm. */
static void
normal_has_its_distribution(void)
{
	static const double at[] = {-3, -2, -1, 0, 1, 2, 3};
	static const double want[] = {0.001349898031630095, 0.0227501319481792, 0.1586552539314571, 0.5,
								  0.8413447460685429,   0.9772498680518208, 0.9986501019683699};
	int n = 400000, counts[7] = {0};
	double sum = 0, squares = 0;
	MlRng rng;

	ml_rng_seed(&rng, 7, 3);
	for (int i = 0; i < n; i++)
	{
		double z = ml_rng_normal(&rng);

		sum += z;
		squares += z * z;
		for (int k = 0; k < 7; k++)
			counts[k] += z <= at[k];
	}
	CHECK_NEAR(sum / n, 0, 0.005);
	CHECK_NEAR(squares / n, 1, 0.01);
	for (int k = 0; k < 7; k++)
	{
		double error = sqrt(want[k] * (1 - want[k]) / n);

		CHECK(fabs((double) counts[k] / n - want[k]) < 4 * error);
	}
}

/* The deviate is the quantile of the raw number's uniform: put back into the distribution function, it returns. */
static void
normal_inverts_the_distribution(void)
{
	MlRng rng, copy;

	ml_rng_seed(&rng, 11, 0);
	for (int i = 0; i < 100000; i++)
	{
		double p, z;

		copy = rng;
		p = ((double) (ml_rng_next(&copy) >> 12) + 0.5) * 0x1p-52;
		z = ml_rng_normal(&rng);
		if (p > 0.5)
		{
			p = 1 - p;
			z = -z;
		}
		CHECK(fabs(0.5 * erfc(-z / sqrt(2)) / p - 1) < 1e-13);
	}
}

static void
shuffle_keeps_all_and_mixes(void)
{
	uint32_t items[52], first[4] = {0};
	MlRng rng;

	ml_rng_seed(&rng, 5, 0);
	for (int round = 0; round < 8000; round++)
	{
		uint64_t seen = 0;

		for (uint32_t i = 0; i < 52; i++)
			items[i] = i;
		ml_rng_shuffle(&rng, items, 52);
		for (int i = 0; i < 52; i++)
			seen |= (uint64_t) 1 << items[i];
		CHECK(seen == ((uint64_t) 1 << 52) - 1);
		first[items[0] / 13]++;
	}
	for (int k = 0; k < 4; k++)
		CHECK(first[k] > 1800 && first[k] < 2200);
	ml_rng_shuffle(&rng, items, 0);
}

int
main(void)
{
	RUN(xoshiro_gives_its_reference_values);
	RUN(mix_is_splitmix64);
	RUN(hash_is_xxh64);
	RUN(streams_and_seeds_differ);
	RUN(uniform_has_its_moments);
	RUN(below_is_even);
	RUN(normal_has_its_distribution);
	RUN(normal_inverts_the_distribution);
	RUN(shuffle_keeps_all_and_mixes);
	return unit_end();
}
