/*
 * test_vmath.c
 *		Elementary functions over arrays, against the C library, at every length of a tail.
 */
#include "unit.h"
#include "core/rng.h"
#include "core/vmath.h"

#define N 1003 /* not a multiple of a vector's length */

/* Relative distance, 0 when equal. */
static double
distance(double got, double want)
{
	return got == want ? 0 : fabs(got - want) / fmax(fabs(want), 1e-300);
}

static void
fill(double *x, double low, double high, uint64_t seed)
{
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (int i = 0; i < N; i++)
		x[i] = low + (high - low) * ml_rng_uniform(&rng);
}

static void
exp_is_within_two_units(void)
{
	static const double ranges[] = {1e-9, 1, 40, 700};
	double x[N], got[N], worst = 0;

	for (int r = 0; r < 4; r++)
	{
		fill(x, -ranges[r], ranges[r], (uint64_t) r);
		ml_vexp(x, got, N);
		for (int i = 0; i < N; i++)
			worst = fmax(worst, distance(got[i], exp(x[i])));
	}
	CHECK(worst < 4.5e-16);
}

static void
exp_of_special_numbers(void)
{
	double x[] = {0, -0.0, INFINITY, -INFINITY, NAN, 800, -800, 1, 708};
	double got[9];

	ml_vexp(x, got, 9);
	CHECK(got[0] == 1 && got[1] == 1);
	CHECK(got[2] > 1e307 && isfinite(got[2]) && got[2] == got[5] && got[2] == got[8]);
	CHECK(got[3] > 0 && got[3] < 1e-307 && got[3] == got[6]);
	CHECK(isnan(got[4]));
	CHECK_NEAR(got[7], 2.718281828459045, 3e-16);
}

static void
log_is_exact_in_absolute_terms(void)
{
	double x[N], got[N], worst = 0;

	fill(x, -690, 690, 5);
	for (int i = 0; i < N; i++)
		x[i] = i % 2 ? exp(x[i]) : 1 + 0.001 * x[i] * (x[i] > 0 ? 1 : 0.001);
	ml_vlog(x, got, N);
	for (int i = 0; i < N; i++)
		worst = fmax(worst, fabs(got[i] - log(x[i])) / fmax(1, fabs(log(x[i]))));
	CHECK(worst < 4e-16);
	x[0] = 1;
	ml_vlog(x, got, 1);
	CHECK(got[0] == 0);
}

static void
logistic_keeps_digits_on_both_sides(void)
{
	double x[N], p[N], loss[N], worst_p = 0, worst_loss = 0;

	fill(x, -700, 700, 6);
	for (int i = 0; i < N; i += 2)
		x[i] /= 100;
	ml_vlogistic(x, p, loss, N);
	for (int i = 0; i < N; i++)
	{
		double want = x[i] > 0 ? 1 / (1 + exp(-x[i])) : exp(x[i]) / (1 + exp(x[i]));

		worst_p = fmax(worst_p, distance(p[i], want));
		want = x[i] > 0 ? x[i] + log1p(exp(-x[i])) : log1p(exp(x[i]));
		worst_loss = fmax(worst_loss, distance(loss[i], want));
	}
	CHECK(worst_p < 1e-15);
	CHECK(worst_loss < 1e-15);
	x[0] = INFINITY;
	x[1] = -INFINITY;
	x[2] = NAN;
	ml_vlogistic(x, p, loss, 3);
	CHECK(p[0] == 1 && loss[0] == INFINITY && p[1] < 1e-300 && loss[1] < 1e-300);
	CHECK(isnan(p[2]) && isnan(loss[2]));
}

/* A tail gives the same bytes as the middle of an array, in place or not, and nothing beyond it is touched. */
static void
tails_are_as_whole_vectors(void)
{
	double x[40], whole[40], tail[40], p[40], loss[40], other[40];

	for (int i = 0; i < 40; i++)
		x[i] = 0.1 + i * 0.37;
	ml_vexp(x, whole, 40);
	ml_vlogistic(x, p, loss, 40);
	for (size_t n = 0; n <= 40; n++)
	{
		for (size_t i = 0; i < 40; i++)
			tail[i] = i < n ? x[i] : 99;
		ml_vexp(tail, tail, n);
		CHECK(memcmp(tail, whole, n * sizeof(double)) == 0);
		CHECK(n == 40 || tail[n] == 99);
		ml_vlogistic(x, tail, other, n);
		CHECK(memcmp(tail, p, n * sizeof(double)) == 0 &&
			  memcmp(other, loss, n * sizeof(double)) == 0);
		ml_vlog(x, tail, n);
		ml_vlog(x, other, 40);
		CHECK(memcmp(tail, other, n * sizeof(double)) == 0);
	}
}

int
main(void)
{
	RUN(exp_is_within_two_units);
	RUN(exp_of_special_numbers);
	RUN(log_is_exact_in_absolute_terms);
	RUN(logistic_keeps_digits_on_both_sides);
	RUN(tails_are_as_whole_vectors);
	return unit_end();
}
