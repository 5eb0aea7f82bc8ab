/*
 * dd.h
 *		Double-double arithmetic: about 32 digits from pairs of doubles.
 *
 * A number is hi + lo, where lo is at most half a unit in the last place of hi
 * (Dekker 1971; Knuth, TAOCP 4.2.2; Hida, Li and Bailey 2001). Relative errors
 * of one operation are below 2^-103; sums of products of doubles are exact but
 * for that. Infinite or overflowing values give NaN.
 *
 * Traps: never compile with -ffast-math or contraction of our own expressions.
 * The product of two doubles uses a fused multiply-add where the machine has
 * one, else Dekker's split; both are exact (without overflow), so results are
 * the same bytes. The split overflows above 2^996.
 */
#ifndef ML_DD_H
#define ML_DD_H

#include <math.h>

#include "core/env.h"

typedef struct MlDd
{
	double hi, lo;
} MlDd;

static inline MlDd
ml_dd(double value)
{
	return (MlDd){value, 0};
}

/* a + b exactly (Knuth's two-sum). */
static inline MlDd
ml_two_sum(double a, double b)
{
	double s = a + b, t = s - a;

	return (MlDd){s, (a - (s - t)) + (b - t)};
}

/* a + b exactly, when |a| >= |b| or a is 0. */
static inline MlDd
ml_quick_two_sum(double a, double b)
{
	double s = a + b;

	return (MlDd){s, b - (s - a)};
}

/* a b exactly (Dekker's product). */
static inline MlDd
ml_two_product(double a, double b)
{
#ifdef __FP_FAST_FMA
	double p = a * b;

	return (MlDd){p, __builtin_fma(a, b, -p)};
#else
	double p = a * b, t = 134217729.0 * a, ah = t - (t - a), al = a - ah, bh, bl;

	t = 134217729.0 * b; /* 2^27 + 1 */
	bh = t - (t - b);
	bl = b - bh;
	return (MlDd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
#endif
}

static inline MlDd
ml_dd_add(MlDd a, MlDd b)
{
	MlDd s = ml_two_sum(a.hi, b.hi), t = ml_two_sum(a.lo, b.lo);

	s = ml_quick_two_sum(s.hi, s.lo + t.hi);
	return ml_quick_two_sum(s.hi, s.lo + t.lo);
}

static inline MlDd
ml_dd_neg(MlDd a)
{
	return (MlDd){-a.hi, -a.lo};
}

static inline MlDd
ml_dd_sub(MlDd a, MlDd b)
{
	return ml_dd_add(a, ml_dd_neg(b));
}

static inline MlDd
ml_dd_mul(MlDd a, MlDd b)
{
	MlDd p = ml_two_product(a.hi, b.hi);

	return ml_quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline double
ml_dd_value(MlDd a)
{
	return a.hi + a.lo;
}

extern MlDd ml_dd_div(MlDd a, MlDd b);
extern MlDd ml_dd_sqrt(MlDd a); /* a < 0: NaN */

/* Of n doubles: the sum of products. */
extern MlDd ml_dd_dot(const double *x, const double *y, size_t n);

/* y += a x, with a a double and x doubles: the update of sums of products. Lengths n; y as two arrays. */
extern void ml_dd_add_scaled(double a, const double *x, double *y_hi, double *y_lo, size_t n);

/* y -= a x in double-double. */
extern void ml_dd_subtract_scaled(MlDd a, const double *x_hi, const double *x_lo, double *y_hi,
								  double *y_lo, size_t n);

/* A symmetric or upper triangular matrix: row i holds the columns i..n-1, at [i * ld + j]. */
typedef struct MlDdMatrix
{
	size_t n, ld;
	double *hi, *lo;
} MlDdMatrix;

/*
 * Cholesky factorisation a = U'U in double-double, in place. Dependent columns as in ml_cholesky: a pivot
 * of at most tolerance * diagonal[j] (NULL: that of a at entry) is marked in dropped, its row and column become a unit's.
 */
extern MlStatus ml_dd_cholesky(MlEnv *env, MlDdMatrix *a, const double *diagonal, double tolerance,
							   bool *dropped, size_t *rank);

/* b := U^-1 b and b := U^-T b, with b as two arrays. */
extern void ml_dd_upper_solve(const MlDdMatrix *u, double *b_hi, double *b_lo);
extern void ml_dd_upper_solve_transposed(const MlDdMatrix *u, double *b_hi, double *b_lo);

/* out[i]: the diagonal of (U'U)^-1, rounded to double. */
extern MlStatus ml_dd_upper_inverse_norms(MlEnv *env, const MlDdMatrix *u, double *out);

#endif /* ML_DD_H */
