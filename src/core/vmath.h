/*
 * vmath.h
 *		Elementary functions over arrays, and the mark for kernels that are built per CPU.
 *
 * The results are the same bytes on every CPU: the kernels use additions,
 * multiplications, divisions and bit operations in a fixed order, contraction
 * into fused operations is off (see the Makefile), and no library function is
 * called whose rounding differs between machines.
 */
#ifndef ML_VMATH_H
#define ML_VMATH_H

#include <stddef.h>

/*
 * Build a function three times and choose by CPU when the library is loaded. Vectors only widen: a
 * function so marked must give the same bytes at any width, so it spells out the order of its sums.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define ML_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define ML_CLONES
#endif

/* out[i] = exp(x[i]), within 2 units in the last place; x is clamped to +-708; NaN stays NaN. out may be x. */
extern void ml_vexp(const double *x, double *out, size_t n);

/* out[i] = log(x[i]), error at most 3e-16 max(1, |log x|); x finite, normal and above 0. out may be x. */
extern void ml_vlog(const double *x, double *out, size_t n);

/*
 * p[i] = 1 / (1 + exp(-eta[i])), softplus[i] = log(1 + exp(eta[i])), both without loss of digits on either
 * side. The loss of a row with y in 0, 1 is softplus - y eta. Outputs may be eta; NaN stays NaN.
 */
extern void ml_vlogistic(const double *eta, double *p, double *softplus, size_t n);

#endif /* ML_VMATH_H */
