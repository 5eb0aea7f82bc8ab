/*
 * vmath.c
 *		Elementary functions over arrays, eight numbers at a time.
 *
 * The vectors are the compiler's own (vector_size): it splits them for narrow
 * CPUs, and each lane is computed by the same operations whatever the width.
 * Comparisons give masks of all ones, so that a choice is bit operations, never
 * a branch.
 *
 * exp: Cody and Waite reduction x = k ln2 + r, |r| <= ln2 / 2, and the Taylor
 * polynomial of degree 13 in r. k comes from adding 1.5 * 2^52, which leaves it
 * in the low bits of the mantissa, so that no conversion to an integer is needed.
 *
 * log(1 + e) for 0 <= e <= 1: m = 1 + e is halved when e > sqrt(2) - 1, then
 * log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172, by its series. m - 1
 * is formed from e, so that a small e keeps its digits. log of other numbers
 * takes the exponent from the bits and the same series for the mantissa.
 */
#include <stdint.h>
#include <string.h>

#include "core/vmath.h"

#define LANES 8

typedef double Reals __attribute__((vector_size(8 * LANES)));
typedef uint64_t Words __attribute__((vector_size(8 * LANES)));

/* Passed by pointer: vectors wider than the CPU's passed by value warn of the ABI. */
#define INLINE static inline __attribute__((always_inline))

#define EXP_MAX 708.0
#define LOG2_E 1.4426950408889634
/* ln2 = HIGH + LOW; HIGH has 32 trailing zero bits, so k * HIGH is exact. */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define LN2 6.93147180559945286e-01
#define ROUND_TO_INTEGER 6755399441055744.0 /* 1.5 * 2^52 */
#define SQRT2_MINUS_1 0.41421356237309503
#define TWO_52 4503599627370496.0
#define EXPONENT_OF_2_52 UINT64_C(0x4330000000000000)
#define MANTISSA UINT64_C(0x000fffffffffffff)
#define ONE UINT64_C(0x3ff0000000000000)

/* mask ? a : b, lane by lane. */
#define CHOOSE(mask, a, b) \
	((Reals) (((Words) (mask) & (Words) (a)) | (~(Words) (mask) & (Words) (b))))
#define ALL(value) ((Reals){0} + (value))

/* *out = exp(*in). */
INLINE void
exp_lanes(const Reals *in, Reals *out)
{
	Reals x = *in, shifted, k, r, poly, scale;

	x = CHOOSE(x > EXP_MAX, ALL(EXP_MAX), x); /* false for NaN, which stays */
	x = CHOOSE(x < -EXP_MAX, ALL(-EXP_MAX), x);
	shifted = x * LOG2_E + ROUND_TO_INTEGER;
	k = shifted - ROUND_TO_INTEGER;
	r = (x - k * LN2_HIGH) - k * LN2_LOW;
	poly = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
	poly = poly * r + 1.0 / 39916800.0;
	poly = poly * r + 1.0 / 3628800.0;
	poly = poly * r + 1.0 / 362880.0;
	poly = poly * r + 1.0 / 40320.0;
	poly = poly * r + 1.0 / 5040.0;
	poly = poly * r + 1.0 / 720.0;
	poly = poly * r + 1.0 / 120.0;
	poly = poly * r + 1.0 / 24.0;
	poly = poly * r + 1.0 / 6.0;
	poly = poly * r + 0.5;
	poly = poly * (r * r) + r + 1.0;
	scale = (Reals) (((Words) shifted + 1023) << 52);
	*out = poly * scale;
}

/* *out = 2 atanh(*in) = log((1 + s) / (1 - s)), |s| < 0.172. */
INLINE void
atanh_lanes(const Reals *in, Reals *out)
{
	Reals s = *in, z = s * s, series;

	series = z * (1.0 / 21.0) + 1.0 / 19.0;
	series = series * z + 1.0 / 17.0;
	series = series * z + 1.0 / 15.0;
	series = series * z + 1.0 / 13.0;
	series = series * z + 1.0 / 11.0;
	series = series * z + 1.0 / 9.0;
	series = series * z + 1.0 / 7.0;
	series = series * z + 1.0 / 5.0;
	series = series * z + 1.0 / 3.0;
	*out = 2.0 * s + 2.0 * s * (z * series);
}

/* *out = log(1 + *in), 0 <= *in <= 1. */
INLINE void
log1p_lanes(const Reals *in, Reals *out)
{
	Reals e = *in, large = CHOOSE(e > SQRT2_MINUS_1, ALL(1.0), ALL(0.0));
	Reals s = (e - large) / (e + 2.0 + large), series;

	atanh_lanes(&s, &series);
	*out = large * LN2 + series;
}

/* *out = log(*in), *in normal and above 0. */
INLINE void
log_lanes(const Reals *in, Reals *out)
{
	Words bits = (Words) *in;
	Reals exponent = (Reals) ((bits >> 52) | EXPONENT_OF_2_52) - (TWO_52 + 1023.0);
	Reals e = (Reals) ((bits & MANTISSA) | ONE) - 1.0, log1p;

	log1p_lanes(&e, &log1p);
	*out = exponent * LN2_HIGH + (exponent * LN2_LOW + log1p);
}

/* *p = 1 / (1 + exp(-*in)), *softplus = log(1 + exp(*in)). */
INLINE void
logistic_lanes(const Reals *in, Reals *p, Reals *softplus)
{
	Reals x = *in, negative = CHOOSE(x < 0.0, x, -x), e, above, log1p;

	exp_lanes(&negative, &e);
	above = 1.0 / (1.0 + e);
	log1p_lanes(&e, &log1p);
	*p = CHOOSE(x < 0.0, e * above, above);
	*softplus = log1p + CHOOSE(x < 0.0, ALL(0.0), x);
}

/* One vector, or the last n < LANES numbers; the copies become plain loads and stores. */
INLINE void
exp_step(const double *x, double *out)
{
	Reals in, result;

	memcpy(&in, x, sizeof(in));
	exp_lanes(&in, &result);
	memcpy(out, &result, sizeof(in));
}

INLINE void
log_step(const double *x, double *out)
{
	Reals in, result;

	memcpy(&in, x, sizeof(in));
	log_lanes(&in, &result);
	memcpy(out, &result, sizeof(in));
}

INLINE void
logistic_step(const double *eta, double *p, double *softplus)
{
	Reals in, probability, loss;

	memcpy(&in, eta, sizeof(in));
	logistic_lanes(&in, &probability, &loss);
	memcpy(p, &probability, sizeof(in));
	memcpy(softplus, &loss, sizeof(in));
}

ML_CLONES void
ml_vexp(const double *x, double *out, size_t n)
{
	double rest[LANES] = {0};
	size_t whole = n - n % LANES;

	for (size_t i = 0; i < whole; i += LANES)
		exp_step(x + i, out + i);
	memcpy(rest, x + whole, (n - whole) * sizeof(*x));
	exp_step(rest, rest);
	memcpy(out + whole, rest, (n - whole) * sizeof(*x));
}

ML_CLONES void
ml_vlog(const double *x, double *out, size_t n)
{
	double rest[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
	size_t whole = n - n % LANES;

	for (size_t i = 0; i < whole; i += LANES)
		log_step(x + i, out + i);
	memcpy(rest, x + whole, (n - whole) * sizeof(*x));
	log_step(rest, rest);
	memcpy(out + whole, rest, (n - whole) * sizeof(*x));
}

ML_CLONES void
ml_vlogistic(const double *eta, double *p, double *softplus, size_t n)
{
	double rest[LANES] = {0}, loss[LANES];
	size_t whole = n - n % LANES;

	for (size_t i = 0; i < whole; i += LANES)
		logistic_step(eta + i, p + i, softplus + i);
	memcpy(rest, eta + whole, (n - whole) * sizeof(*eta));
	logistic_step(rest, rest, loss);
	memcpy(p + whole, rest, (n - whole) * sizeof(*eta));
	memcpy(softplus + whole, loss, (n - whole) * sizeof(*eta));
}
