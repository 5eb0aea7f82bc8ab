/*
 * dd.c
 *		Double-double kernels and the Cholesky factorisation that uses them.
 *
 * The two kernels that take all the time are compiled twice on x86-64, with and
 * without AVX2 and FMA, and chosen at each call. Every operation is elementwise
 * and every product exact, so both give the same bytes.
 *
 * The sum in ml_dd_add_scaled is the short one (two-sum of the high parts, all
 * low parts added in double): its error is below 2^-104 of the larger of the
 * operands, and sums of squares lose nothing by that.
 */
#include <string.h>

#include "core/dd.h"

#define POLL_OPERATIONS 2000000 /* element updates between polls: about 5 ms without FMA */

MlDd
ml_dd_div(MlDd a, MlDd b)
{
	double q1 = a.hi / b.hi, q2, q3;
	MlDd rest = ml_dd_sub(a, ml_dd_mul(b, ml_dd(q1)));

	q2 = rest.hi / b.hi;
	rest = ml_dd_sub(rest, ml_dd_mul(b, ml_dd(q2)));
	q3 = rest.hi / b.hi;
	return ml_dd_add(ml_quick_two_sum(q1, q2), ml_dd(q3));
}

/* Karp's trick: one Newton step on the double root. */
MlDd
ml_dd_sqrt(MlDd a)
{
	double root, correction;

	if (!(a.hi > 0))
		return ml_dd(a.hi == 0 ? 0 : NAN);
	root = sqrt(a.hi);
	correction = ml_dd_value(ml_dd_sub(a, ml_two_product(root, root))) / (2 * root);
	return ml_quick_two_sum(root, correction);
}

MlDd
ml_dd_dot(const double *x, const double *y, size_t n)
{
	MlDd sum = {0, 0};

	for (size_t i = 0; i < n; i++)
		sum = ml_dd_add(sum, ml_two_product(x[i], y[i]));
	return sum;
}

/* The product of ml_two_product, with the choice of method made at compile time of each kernel. */
static inline __attribute__((always_inline)) MlDd
product(double a, double b, bool fused)
{
	if (fused)
	{
		double p = a * b;

		return (MlDd){p, __builtin_fma(a, b, -p)};
	}
	return ml_two_product(a, b);
}

static inline __attribute__((always_inline)) void
add_scaled(double a, const double *restrict x, double *restrict y_hi, double *restrict y_lo,
		   size_t n, bool fused)
{
	for (size_t j = 0; j < n; j++)
	{
		MlDd p = product(a, x[j], fused), s = ml_two_sum(y_hi[j], p.hi);
		double low = s.lo + (y_lo[j] + p.lo), high = s.hi + low;

		y_lo[j] = low - (high - s.hi);
		y_hi[j] = high;
	}
}

static inline __attribute__((always_inline)) void
subtract_scaled(MlDd a, const double *restrict x_hi, const double *restrict x_lo,
				double *restrict y_hi, double *restrict y_lo, size_t n, bool fused)
{
	for (size_t j = 0; j < n; j++)
	{
		MlDd p = product(a.hi, x_hi[j], fused), s;
		double low, high;

		p.lo += a.hi * x_lo[j] + a.lo * x_hi[j];
		s = ml_two_sum(y_hi[j], -p.hi);
		low = s.lo + (y_lo[j] - p.lo);
		high = s.hi + low;
		y_lo[j] = low - (high - s.hi);
		y_hi[j] = high;
	}
}

#if defined(__x86_64__) && !defined(__FP_FAST_FMA)
#define HAVE_FUSED_KERNELS

__attribute__((target("avx2,fma"))) static void
add_scaled_fused(double a, const double *x, double *y_hi, double *y_lo, size_t n)
{
	add_scaled(a, x, y_hi, y_lo, n, true);
}

__attribute__((target("avx2,fma"))) static void
subtract_scaled_fused(MlDd a, const double *x_hi, const double *x_lo, double *y_hi, double *y_lo,
					  size_t n)
{
	subtract_scaled(a, x_hi, x_lo, y_hi, y_lo, n, true);
}

static bool
have_fused(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

void
ml_dd_add_scaled(double a, const double *x, double *y_hi, double *y_lo, size_t n)
{
#ifdef HAVE_FUSED_KERNELS
	if (have_fused())
	{
		add_scaled_fused(a, x, y_hi, y_lo, n);
		return;
	}
#endif
	add_scaled(a, x, y_hi, y_lo, n, false);
}

void
ml_dd_subtract_scaled(MlDd a, const double *x_hi, const double *x_lo, double *y_hi, double *y_lo,
					  size_t n)
{
#ifdef HAVE_FUSED_KERNELS
	if (have_fused())
	{
		subtract_scaled_fused(a, x_hi, x_lo, y_hi, y_lo, n);
		return;
	}
#endif
	subtract_scaled(a, x_hi, x_lo, y_hi, y_lo, n, false);
}

static MlDd
element(const MlDdMatrix *a, size_t i, size_t j)
{
	return (MlDd){a->hi[i * a->ld + j], a->lo[i * a->ld + j]};
}

static void
set_element(MlDdMatrix *a, size_t i, size_t j, MlDd value)
{
	a->hi[i * a->ld + j] = value.hi;
	a->lo[i * a->ld + j] = value.lo;
}

/* Row j of U from row j of what is left of a; false: the column is dependent. */
static bool
cholesky_row(MlDdMatrix *a, size_t j, double limit)
{
	MlDd pivot = element(a, j, j), root;
	bool kept = pivot.hi > limit && isfinite(pivot.hi);

	root = kept ? ml_dd_sqrt(pivot) : ml_dd(1);
	set_element(a, j, j, root);
	for (size_t k = j + 1; k < a->n; k++)
		set_element(a, j, k, kept ? ml_dd_div(element(a, j, k), root) : ml_dd(0));
	for (size_t i = 0; i < j && !kept; i++)
		set_element(a, i, j, ml_dd(0));
	return kept;
}

/* Right-looking, row by row: the trailing rows are contiguous, as the kernel wants them. */
MlStatus
ml_dd_cholesky(MlEnv *env, MlDdMatrix *a, const double *diagonal, double tolerance, bool *dropped,
			   size_t *rank)
{
	size_t n = a->n, ld = a->ld, kept = 0, work = 0;
	double *limit = ml_alloc_array(env, ML_MAX(n, 1), sizeof(double));
	MlStatus status = ML_OK;

	if (limit == NULL)
		return ML_ENOMEM;
	for (size_t j = 0; j < n; j++)
		limit[j] = ML_MAX(0.0, tolerance * (diagonal ? diagonal[j] : a->hi[j * ld + j]));
	for (size_t j = 0; j < n && status == ML_OK; j++)
	{
		dropped[j] = !cholesky_row(a, j, limit[j]);
		kept += !dropped[j];
		for (size_t i = j + 1; i < n && !dropped[j]; i++)
		{
			ml_dd_subtract_scaled(element(a, j, i), a->hi + j * ld + i, a->lo + j * ld + i,
								  a->hi + i * ld + i, a->lo + i * ld + i, n - i);
			work += n - i;
		}
		if (work > POLL_OPERATIONS)
		{
			status = ml_poll(env);
			work = 0;
		}
	}
	if (rank)
		*rank = kept;
	ml_free(env, limit);
	return status;
}

void
ml_dd_upper_solve(const MlDdMatrix *u, double *b_hi, double *b_lo)
{
	for (size_t i = u->n; i-- > 0;)
	{
		MlDd value = {b_hi[i], b_lo[i]};

		for (size_t j = i + 1; j < u->n; j++)
			value = ml_dd_sub(value, ml_dd_mul(element(u, i, j), (MlDd){b_hi[j], b_lo[j]}));
		value = ml_dd_div(value, element(u, i, i));
		b_hi[i] = value.hi;
		b_lo[i] = value.lo;
	}
}

/* From element `first` on, the ones before it being zero. */
static void
solve_transposed_from(const MlDdMatrix *u, size_t first, double *b_hi, double *b_lo)
{
	for (size_t i = first; i < u->n; i++)
	{
		MlDd value = ml_dd_div((MlDd){b_hi[i], b_lo[i]}, element(u, i, i));
		size_t row = i * u->ld + i + 1;

		b_hi[i] = value.hi;
		b_lo[i] = value.lo;
		ml_dd_subtract_scaled(value, u->hi + row, u->lo + row, b_hi + i + 1, b_lo + i + 1,
							  u->n - i - 1);
	}
}

void
ml_dd_upper_solve_transposed(const MlDdMatrix *u, double *b_hi, double *b_lo)
{
	solve_transposed_from(u, 0, b_hi, b_lo);
}

/* Row i of the inverse is U^-T e_i, zero before i. */
MlStatus
ml_dd_upper_inverse_norms(MlEnv *env, const MlDdMatrix *u, double *out)
{
	size_t n = u->n, work = 0;
	double *hi = ml_alloc_array(env, ML_MAX(n, 1), 2 * sizeof(double)), *lo;
	MlStatus status = ML_OK;

	if (hi == NULL)
		return ML_ENOMEM;
	lo = hi + n;
	for (size_t i = 0; i < n && status == ML_OK; i++)
	{
		MlDd sum = {0, 0};

		memset(hi, 0, 2 * n * sizeof(double));
		hi[i] = 1;
		solve_transposed_from(u, i, hi, lo);
		for (size_t j = i; j < n; j++)
			sum = ml_dd_add(sum, ml_dd_mul((MlDd){hi[j], lo[j]}, (MlDd){hi[j], lo[j]}));
		out[i] = ml_dd_value(sum);
		work += (n - i) * (n - i) / 2;
		if (work > POLL_OPERATIONS)
		{
			status = ml_poll(env);
			work = 0;
		}
	}
	ml_free(env, hi);
	return status;
}
