/*
 * test_dd.c
 *		Double-double: exactness of the parts, 30 digits of the whole, the Cholesky factorisation.
 */
#include "unit.h"

#include "core/dd.h"
#include "core/rng.h"

/* a - b relative to b, in double-double. */
static double
dd_distance(MlDd a, MlDd b)
{
	return fabs(ml_dd_value(ml_dd_sub(a, b)) / b.hi);
}

/* 1 + 2^-60 squared, and 1/3: what double loses. */
static void
basic_operations_keep_the_low_part(void)
{
	MlDd a = ml_dd_add(ml_dd(1), ml_dd(0x1p-60)), square = ml_dd_mul(a, a), third;

	CHECK(square.hi == 1 && square.lo == 0x1p-59); /* 2^-120 is below the 106 bits */
	third = ml_dd_div(ml_dd(1), ml_dd(3));
	CHECK(dd_distance(ml_dd_mul(third, ml_dd(3)), ml_dd(1)) < 1e-31);
	CHECK(third.lo != 0);
	CHECK(ml_dd_sub(a, a).hi == 0);
}

/* sqrt(2) to 32 digits, 1.41421356237309504880168872420969807856967... (OEIS A002193). */
static void
square_root_of_two(void)
{
	MlDd root = ml_dd_sqrt(ml_dd(2));

	CHECK(root.hi == 1.41421356237309504880);
	CHECK_NEAR(root.lo / -9.667293313452913e-17, 1, 1e-15);
	CHECK(dd_distance(ml_dd_mul(root, root), ml_dd(2)) < 1e-31);
	CHECK(ml_dd_sqrt(ml_dd(0)).hi == 0);
	CHECK(isnan(ml_dd_sqrt(ml_dd(-1)).hi));
}

/* The product is exact: the parts of (2^27+1)(2^27+3) and of random integers fit in 128 bits. */
static void
products_are_exact(void)
{
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < 1000; i++)
	{
		int64_t a = (int64_t) (ml_rng_next(&rng) >> 11), b = -(int64_t) (ml_rng_next(&rng) >> 12);
		MlDd p = ml_two_product((double) a, (double) b);

		CHECK((__int128) a * b == (__int128) p.hi + (__int128) p.lo);
	}
}

/* 1e16 + 1 - 1e16 and a sum that cancels: exact in double-double. */
static void
dot_survives_cancellation(void)
{
	static const double x[] = {1e16, 1, -1e16, 3e15, 1e-3, -3e15}, y[] = {1, 1, 1, 1, 1, 1};

	CHECK_NEAR(ml_dd_value(ml_dd_dot(x, y, 6)), 1.001, 1e-16);
	CHECK(ml_dd_value(ml_dd_dot(x, y, 0)) == 0);
}

/* The kernel that may use fused multiply-add gives the bytes of the plain formula. */
static void
kernel_gives_the_same_bytes_as_the_formula(void)
{
	enum
	{
		N = 13
	};
	double x[N], hi[N] = {0}, lo[N] = {0}, hi2[N] = {0}, lo2[N] = {0};
	MlRng rng;

	ml_rng_seed(&rng, 5, 0);
	for (int rep = 0; rep < 100; rep++)
	{
		double a = ml_rng_normal(&rng);

		for (int j = 0; j < N; j++)
			x[j] = ml_rng_normal(&rng) * pow(10, rep % 7);
		ml_dd_add_scaled(a, x, hi, lo, N);
		for (int j = 0; j < N; j++)
		{
			MlDd p = ml_two_product(a, x[j]), s = ml_two_sum(hi2[j], p.hi);
			double low = s.lo + (lo2[j] + p.lo);

			s = ml_quick_two_sum(s.hi, low);
			hi2[j] = s.hi;
			lo2[j] = s.lo;
		}
	}
	CHECK(memcmp(hi, hi2, sizeof hi) == 0);
	CHECK(memcmp(lo, lo2, sizeof lo) == 0);
}

/* The Hilbert matrix of order n: condition e^(3.5 n). */
static void
hilbert(MlDdMatrix *a)
{
	for (size_t i = 0; i < a->n; i++)
	{
		for (size_t j = i; j < a->n; j++)
		{
			MlDd v = ml_dd_div(ml_dd(1), ml_dd((double) (i + j + 1)));

			a->hi[i * a->ld + j] = v.hi;
			a->lo[i * a->ld + j] = v.lo;
		}
	}
}

/* Order 12 (condition 1.6e16, singular for double): row sums as right side have all ones as solution. */
static void
cholesky_solves_the_hilbert_matrix(void)
{
	enum
	{
		N = 12
	};
	double hi[N * N] = {0}, lo[N * N] = {0};
	MlDdMatrix a = {N, N, hi, lo};
	bool dropped[N];
	size_t rank;
	double b_hi[N], b_lo[N];
	MlEnv env;

	ml_env_init(&env);
	hilbert(&a);
	for (size_t i = 0; i < N; i++)
	{
		MlDd sum = ml_dd(0);

		for (size_t j = 0; j < N; j++)
			sum = ml_dd_add(sum, ml_dd_div(ml_dd(1), ml_dd((double) (i + j + 1))));
		b_hi[i] = sum.hi;
		b_lo[i] = sum.lo;
	}
	CHECK(ml_dd_cholesky(&env, &a, NULL, 1e-28, dropped, &rank) == ML_OK && rank == N);
	ml_dd_upper_solve_transposed(&a, b_hi, b_lo);
	ml_dd_upper_solve(&a, b_hi, b_lo);
	for (size_t i = 0; i < N; i++)
		CHECK_NEAR(b_hi[i], 1, 1e-13);
	ml_env_close(&env);
}

/* Columns 1 and 2 are equal, 3 is infinite: both of the later ones go, nothing becomes NaN. */
static void
cholesky_drops_dependent_columns(void)
{
	double hi[16] = {2, 1, 1, 0, 0, 3, 3, 0, 0, 0, 3, 0, 0, 0, 0, INFINITY}, lo[16] = {0};
	MlDdMatrix a = {4, 4, hi, lo};
	bool dropped[4];
	size_t rank;
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_dd_cholesky(&env, &a, NULL, 1e-26, dropped, &rank) == ML_OK && rank == 2);
	CHECK(!dropped[0] && !dropped[1] && dropped[2] && dropped[3]);
	CHECK(hi[10] == 1 && hi[15] == 1 && hi[2] == 0 && hi[6] == 0);
	ml_env_close(&env);
}

/* The diagonal of the inverse of the Hilbert matrix of order 4: 16, 1200, 6480, 2800 (integers, well known). */
static void
inverse_norms_of_the_hilbert_matrix(void)
{
	static const double diagonal[] = {16, 1200, 6480, 2800};
	double hi[16] = {0}, lo[16] = {0}, out[4];
	MlDdMatrix a = {4, 4, hi, lo};
	bool dropped[4];
	MlEnv env;

	ml_env_init(&env);
	hilbert(&a);
	CHECK(ml_dd_cholesky(&env, &a, NULL, 0, dropped, NULL) == ML_OK);
	CHECK(ml_dd_upper_inverse_norms(&env, &a, out) == ML_OK);
	for (size_t i = 0; i < 4; i++)
		CHECK(out[i] == diagonal[i]);
	ml_env_close(&env);
}

static MlStatus
factor_under(MlEnv *env, void *arg)
{
	double hi[9], lo[9], out[3];
	MlDdMatrix a = {3, 3, hi, lo};
	bool dropped[3];

	(void) arg;
	hilbert(&a);
	ML_TRY(ml_dd_cholesky(env, &a, NULL, 0, dropped, NULL));
	return ml_dd_upper_inverse_norms(env, &a, out);
}

static void
failures_are_reported(void)
{
	unit_every_allocation_fails(factor_under, NULL, 5);
}

int
main(void)
{
	RUN(basic_operations_keep_the_low_part);
	RUN(square_root_of_two);
	RUN(products_are_exact);
	RUN(dot_survives_cancellation);
	RUN(kernel_gives_the_same_bytes_as_the_formula);
	RUN(cholesky_solves_the_hilbert_matrix);
	RUN(cholesky_drops_dependent_columns);
	RUN(inverse_norms_of_the_hilbert_matrix);
	RUN(failures_are_reported);
	return unit_end();
}
