/*
 * rng.c
 *		xoshiro256** and XXH64, by their public specifications.
 *
 * "The same on every platform" includes the normal deviates: these are made by
 * the inverse distribution function AS 241 (Wichura 1988), which needs a
 * logarithm only in the tails, and that is computed here from + - * /, because
 * the C library's may differ in the last bit from one processor to the next.
 */
#include <math.h>
#include <string.h>

#include "core/rng.h"

#define GOLDEN 0x9E3779B97F4A7C15u /* 2^64 / golden ratio, the step of splitmix64 */

static uint64_t
rotate_left(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

/* The stream moves the starting point of splitmix64 by a hash of its number, so streams don't overlap. */
void
ml_rng_seed(MlRng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed ^ ml_mix64(stream);

	for (int i = 0; i < 4; i++)
		rng->s[i] = ml_mix64(x += GOLDEN);
}

uint64_t
ml_rng_next(MlRng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

double
ml_rng_uniform(MlRng *rng)
{
	return (double) (ml_rng_next(rng) >> 11) * 0x1p-53;
}

/* Lemire (2019): multiply, and reject the few low products that would make some results likelier. */
uint64_t
ml_rng_below(MlRng *rng, uint64_t bound)
{
	unsigned __int128 product = (unsigned __int128) ml_rng_next(rng) * bound;

	if ((uint64_t) product < bound)
	{
		uint64_t threshold = -bound % bound;

		while ((uint64_t) product < threshold)
			product = (unsigned __int128) ml_rng_next(rng) * bound;
	}
	return (uint64_t) (product >> 64);
}

/* Natural logarithm of x in (0, 1) to about 1e-16, by the series of atanh. */
static double
portable_log(double x)
{
	int exponent;
	double m = frexp(x, &exponent), s, s2, sum = 0;

	if (m < 0.70710678118654752)
	{
		m *= 2;
		exponent--;
	}
	s = (m - 1) / (m + 1); /* |s| < 0.172: 21 terms reach 1e-16 */
	s2 = s * s;
	for (int k = 21; k >= 1; k -= 2)
		sum = sum * s2 + 1.0 / k;
	return 2 * s * sum + exponent * 0.69314718055994531;
}

/* c[0] + c[1] x + ... + c[7] x^7 */
static double
polynomial7(const double *c, double x)
{
	double sum = c[7];

	for (int i = 6; i >= 0; i--)
		sum = sum * x + c[i];
	return sum;
}

/* AS 241, PPND16: three rational approximations, for the middle, the tails, and the far tails. */
static double
normal_quantile(double p)
{
	static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
								1.9715909503065514427e+3, 1.3731693765509461125e+4,
								4.5921953931549871457e+4, 6.7265770927008700853e+4,
								3.3430575583588128105e+4, 2.5090809287301226727e+3};
	static const double b[8] = {1.0,
								4.2313330701600911252e+1,
								6.8718700749205790830e+2,
								5.3941960214247511077e+3,
								2.1213794301586595867e+4,
								3.9307895800092710610e+4,
								2.8729085735721942674e+4,
								5.2264952788528545610e+3};
	static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
								5.76949722146069140550e0,  3.64784832476320460504e0,
								1.27045825245236838258e0,  2.41780725177450611770e-1,
								2.27238449892691845833e-2, 7.74545014278341407640e-4};
	static const double d[8] = {1.0,
								2.05319162663775882187e0,
								1.67638483018380384940e0,
								6.89767334985100004550e-1,
								1.48103976427480074590e-1,
								1.51986665636164571966e-2,
								5.47593808499534494600e-4,
								1.05075007164441684324e-9};
	static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
								1.78482653991729133580e0,  2.96560571828504891230e-1,
								2.65321895265761230930e-2, 1.24266094738807843860e-3,
								2.71155556874348757815e-5, 2.01033439929228813265e-7};
	static const double f[8] = {1.0,
								5.99832206555887937690e-1,
								1.36929880922735805310e-1,
								1.48753612908506148525e-2,
								7.86869131145613259100e-4,
								1.84631831751005468180e-5,
								1.42151175831644588870e-7,
								2.04426310338993978564e-15};
	double q = p - 0.5, r, z;

	if (fabs(q) <= 0.425)
	{
		r = 0.180625 - q * q;
		return q * polynomial7(a, r) / polynomial7(b, r);
	}
	r = sqrt(-portable_log(q < 0 ? p : 1 - p));
	if (r <= 5)
		z = polynomial7(c, r - 1.6) / polynomial7(d, r - 1.6);
	else
		z = polynomial7(e, r - 5) / polynomial7(f, r - 5);
	return q < 0 ? -z : z;
}

double
ml_rng_normal(MlRng *rng)
{
	/* The middle of one of 2^52 cells: never 0 nor 1, and symmetric. */
	return normal_quantile(((double) (ml_rng_next(rng) >> 12) + 0.5) * 0x1p-52);
}

void
ml_rng_shuffle(MlRng *rng, uint32_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--)
	{
		size_t other = (size_t) ml_rng_below(rng, i);
		uint32_t item = items[i - 1];

		items[i - 1] = items[other];
		items[other] = item;
	}
}

/* ---- XXH64: the names are those of its specification */

#define PRIME1 0x9E3779B185EBCA87u
#define PRIME2 0xC2B2AE3D27D4EB4Fu
#define PRIME3 0x165667B19E3779F9u
#define PRIME4 0x85EBCA77C2B2AE63u
#define PRIME5 0x27D4EB2F165667C5u

/* The n bytes at p as a little-endian number. */
static uint64_t
read_lane(const uint8_t *p, int n)
{
	uint64_t value = 0;

	for (int i = 0; i < n; i++)
		value |= (uint64_t) p[i] << (8 * i);
	return value;
}

static uint64_t
xxh_round(uint64_t acc, uint64_t lane)
{
	return rotate_left(acc + lane * PRIME2, 31) * PRIME1;
}

uint64_t
ml_hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const uint8_t *p = data;
	size_t left = len;
	uint64_t acc = seed + PRIME5;

	if (len >= 32)
	{
		uint64_t v[4] = {seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1};

		for (; left >= 32; left -= 32, p += 32)
		{
			for (int i = 0; i < 4; i++)
				v[i] = xxh_round(v[i], read_lane(p + 8 * i, 8));
		}
		acc = rotate_left(v[0], 1) + rotate_left(v[1], 7) + rotate_left(v[2], 12) +
			  rotate_left(v[3], 18);
		for (int i = 0; i < 4; i++)
			acc = (acc ^ xxh_round(0, v[i])) * PRIME1 + PRIME4;
	}
	acc += len;
	for (; left >= 8; left -= 8, p += 8)
		acc = rotate_left(acc ^ xxh_round(0, read_lane(p, 8)), 27) * PRIME1 + PRIME4;
	if (left >= 4)
	{
		acc = rotate_left(acc ^ (read_lane(p, 4) * PRIME1), 23) * PRIME2 + PRIME3;
		left -= 4;
		p += 4;
	}
	for (; left > 0; left--, p++)
		acc = rotate_left(acc ^ (*p * PRIME5), 11) * PRIME1;
	acc = (acc ^ (acc >> 33)) * PRIME2;
	acc = (acc ^ (acc >> 29)) * PRIME3;
	return acc ^ (acc >> 32);
}
