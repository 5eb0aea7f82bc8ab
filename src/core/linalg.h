/*
 * linalg.h
 *		Dense linear algebra over CBLAS and LAPACK, cut so that it can be cancelled.
 *
 * Matrices are column-major: element (i, j) is a[i + j * ld]. What CBLAS does in
 * one short call is not wrapped: include <cblas.h> and call it.
 *
 * The library is set to one thread when it is loaded (src/pg/threads.c); its
 * routines may be called from several threads of our pool at once.
 */
#ifndef ML_LINALG_H
#define ML_LINALG_H

#include "core/env.h"

/*
 * The factor R of the QR factorisation of a (m x n), into the upper triangle of a. Below it lies rubbish
 * (Householder vectors). Signs of R's rows are not normalised. work: ml_qr_work(n) doubles.
 */
extern MlStatus ml_qr_reduce(MlEnv *env, double *a, size_t m, size_t n, size_t ld, double *work);

/*
 * One step of a sequential QR: rows 0..n-1 of a are an upper triangular R with zeros below it, rows
 * n..n+rows-1 are new. R becomes the factor of both, the zeros stay, the new rows are destroyed.
 * work: ml_qr_work(n) doubles. env may be NULL: then it can not be cancelled.
 */
extern MlStatus ml_qr_update(MlEnv *env, double *a, size_t n, size_t rows, size_t ld, double *work);
extern size_t ml_qr_work(size_t n);

/* Take column j out of R (n x n, upper triangular); R is (n-1) columns wide after that, its last row zero. */
extern void ml_qr_drop_column(double *r, size_t n, size_t ld, size_t j);

/*
 * Cholesky factorisation a = U'U in the upper triangle (the lower one is not touched). A pivot that is at
 * most tolerance * diagonal[j] (NULL: the diagonal of a at entry), or not a number, means that column j
 * depends on the earlier ones: it is marked in dropped[], and gets the row and column of a unit matrix, so
 * that solving with U leaves it alone. *rank (may be NULL): columns that were kept.
 */
extern MlStatus ml_cholesky(MlEnv *env, double *a, size_t n, size_t ld, const double *diagonal,
							double tolerance, bool *dropped, size_t *rank);

/* b := U^-1 b and b := U^-T b, one right-hand side. */
extern void ml_upper_solve(const double *u, size_t n, size_t ld, double *b);
extern void ml_upper_solve_transposed(const double *u, size_t n, size_t ld, double *b);

/* out[i] = sum over j of (U^-1)_ij^2: the diagonal of (U'U)^-1, which is the variance of coefficients. */
extern MlStatus ml_upper_inverse_norms(MlEnv *env, const double *u, size_t n, size_t ld,
									   double *out);

#endif /* ML_LINALG_H */
