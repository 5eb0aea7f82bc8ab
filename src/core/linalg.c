/*
 * linalg.c
 *		QR updates, Cholesky with dependent columns, triangular solves.
 *
 * Large factorisations go by panels of PANEL columns, with a cancel poll between
 * pieces of a bounded number of operations; the arithmetic inside a piece is
 * LAPACK's and BLAS's.
 *
 * Sequential QR (Golub and Van Loan, section 5.2; Demmel, Grigori, Hoemmen and
 * Langou 2012 call the tree form TSQR) keeps only R. For few columns one call
 * of dgeqrf on [R; rows], zeros included, is fastest; for many the routine that
 * knows about the triangle (dtpqrt) is. Crossing point measured.
 *
 * Trap: LAPACK comes with OpenBLAS here, without its C headers, so the few
 * routines that are used are declared below. Integers are 32 bits.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "core/linalg.h"

#define PANEL 32
#define FEW_COLUMNS 44         /* up to here dgeqrf on the whole is faster than dtpqrt */
#define PIECE_OPERATIONS 4.0e7 /* between polls: about 5 ms at 8 Gflop/s */

extern void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau,
					double *work, const int *lwork, int *info);
extern void dgeqrt_(const int *m, const int *n, const int *nb, double *a, const int *lda, double *t,
					const int *ldt, double *work, int *info);
extern void dgemqrt_(const char *side, const char *trans, const int *m, const int *n, const int *k,
					 const int *nb, const double *v, const int *ldv, const double *t,
					 const int *ldt, double *c, const int *ldc, double *work, int *info,
					 size_t side_len, size_t trans_len);
extern void dtpqrt_(const int *m, const int *n, const int *l, const int *nb, double *a,
					const int *lda, double *b, const int *ldb, double *t, const int *ldt,
					double *work, int *info);
extern void dtpmqrt_(const char *side, const char *trans, const int *m, const int *n, const int *k,
					 const int *l, const int *nb, const double *v, const int *ldv, const double *t,
					 const int *ldt, double *a, const int *lda, double *b, const int *ldb,
					 double *work, int *info, size_t side_len, size_t trans_len);

/* How many trailing columns to treat between polls, when each costs so many operations. */
static size_t
columns_per_piece(double operations_each)
{
	double columns = PIECE_OPERATIONS / ML_MAX(operations_each, 1.0);

	return columns < PANEL ? PANEL : columns > 65536 ? 65536 : (size_t) columns;
}

/* Poll when there is an environment to ask. */
static MlStatus
poll_if(MlEnv *env)
{
	return env ? ml_poll(env) : ML_OK;
}

size_t
ml_qr_work(size_t n)
{
	/* tau and the work of dgeqrf; or T of a panel and its work over n columns. */
	return n <= FEW_COLUMNS ? (PANEL + 1) * n : PANEL * PANEL + PANEL * n;
}

/* All of it in one call. */
static void
reduce_whole(double *a, size_t m, size_t n, size_t ld, double *work)
{
	int im = (int) m, in = (int) n, ild = (int) ld, lwork = (int) (n * PANEL), info;

	dgeqrf_(&im, &in, a, &ild, work, work + n, &lwork, &info);
}

MlStatus
ml_qr_reduce(MlEnv *env, double *a, size_t m, size_t n, size_t ld, double *work)
{
	size_t steps = ML_MIN(m, n);
	double *t = work, *rest = work + PANEL * PANEL;

	if (n <= FEW_COLUMNS)
	{
		if (steps > 0)
			reduce_whole(a, m, n, ld, work);
		return ML_OK;
	}
	for (size_t k = 0; k < steps; k += PANEL)
	{
		int rows = (int) (m - k), kb = (int) ML_MIN(PANEL, steps - k), ild = (int) ld, info;
		size_t piece = columns_per_piece(4.0 * rows * kb);
		double *v = a + k + k * ld;

		dgeqrt_(&rows, &kb, &kb, v, &ild, t, &kb, rest, &info);
		for (size_t j = k + (size_t) kb; j < n; j += piece)
		{
			int cols = (int) ML_MIN(piece, n - j);

			dgemqrt_("L", "T", &rows, &cols, &kb, &kb, v, &ild, t, &kb, a + k + j * ld, &ild, rest,
					 &info, 1, 1);
			ML_TRY(poll_if(env));
		}
	}
	return ML_OK;
}

/* The panel form of ml_qr_update: dtpqrt, which leaves R's zeros out of the work. */
static MlStatus
update_triangle(MlEnv *env, double *a, size_t n, size_t rows, size_t ld, double *work)
{
	double *b = a + n, *t = work, *rest = work + PANEL * PANEL;
	int m = (int) rows, ild = (int) ld, zero = 0, info;

	for (size_t k = 0; k < n; k += PANEL)
	{
		int kb = (int) ML_MIN(PANEL, n - k);
		size_t piece = columns_per_piece(4.0 * m * kb);
		double *v = b + k * ld;

		dtpqrt_(&m, &kb, &zero, &kb, a + k + k * ld, &ild, v, &ild, t, &kb, rest, &info);
		for (size_t j = k + (size_t) kb; j < n; j += piece)
		{
			int cols = (int) ML_MIN(piece, n - j);

			dtpmqrt_("L", "T", &m, &cols, &kb, &zero, &kb, v, &ild, t, &kb, a + k + j * ld, &ild,
					 b + j * ld, &ild, rest, &info, 1, 1);
			ML_TRY(poll_if(env));
		}
	}
	return ML_OK;
}

MlStatus
ml_qr_update(MlEnv *env, double *a, size_t n, size_t rows, size_t ld, double *work)
{
	if (rows == 0)
		return ML_OK;
	if (n > FEW_COLUMNS)
		return update_triangle(env, a, n, rows, ld, work);
	reduce_whole(a, n + rows, n, ld, work);
	return ML_OK;
}

/*
 * Columns after j move one to the left, which leaves one element below the diagonal in each; Givens
 * rotations of neighbouring rows remove them (Golub and Van Loan, section 6.5.2).
 */
void
ml_qr_drop_column(double *r, size_t n, size_t ld, size_t j)
{
	for (size_t k = j; k + 1 < n; k++)
		memcpy(r + k * ld, r + (k + 1) * ld, (k + 2) * sizeof(double));
	for (size_t k = j; k + 1 < n; k++)
	{
		double c, s, *top = r + k + k * ld, low = top[1];

		cblas_drotg(top, &low, &c, &s);
		top[1] = 0;
		if (k + 2 < n)
			cblas_drot((int) (n - k - 2), top + ld, (int) ld, top + ld + 1, (int) ld, c, s);
	}
	for (size_t k = 0; k < n; k++)
		r[n - 1 + k * ld] = 0;
}

/* Column j is a combination of earlier ones: give it the row and column of a unit matrix. */
static void
make_unit(double *a, size_t n, size_t ld, size_t j)
{
	memset(a + j * ld, 0, j * sizeof(double));
	for (size_t k = j + 1; k < n; k++)
		a[j + k * ld] = 0;
	a[j + j * ld] = 1;
}

/* Factor the kb columns from k, whose earlier rows are done: row by row of U inside the panel. */
static void
cholesky_panel(double *a, size_t ld, size_t k, size_t kb, const double *limit, bool *dropped)
{
	for (size_t j = k; j < k + kb; j++)
	{
		double *column = a + j * ld, pivot = column[j];

		for (size_t i = k; i < j; i++)
			pivot -= column[i] * column[i];
		dropped[j] = !(pivot > limit[j]) || !isfinite(pivot);
		if (dropped[j])
		{
			memset(column + k, 0, (j - k) * sizeof(double));
			column[j] = 1;
		}
		else
			column[j] = sqrt(pivot);
		for (size_t m = j + 1; m < k + kb; m++)
		{
			double *other = a + m * ld, sum = other[j];

			for (size_t i = k; i < j; i++)
				sum -= column[i] * other[i];
			other[j] = dropped[j] ? 0 : sum / column[j];
		}
	}
}

/* Rows k..k+kb-1 of U right of the panel, and what they take from the columns first..first+cols-1. */
static void
cholesky_trail(double *a, size_t ld, size_t k, size_t kb, size_t first, size_t cols,
			   const bool *dropped)
{
	double *strip = a + k + first * ld;

	cblas_dtrsm(CblasColMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int) kb,
				(int) cols, 1.0, a + k + k * ld, (int) ld, strip, (int) ld);
	for (size_t j = k; j < k + kb; j++)
	{
		for (size_t c = 0; dropped[j] && c < cols; c++)
			strip[j - k + c * ld] = 0;
	}
	/* Above the square on the diagonal a rectangle, then the square's own triangle. */
	if (first > k + kb)
		cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) (first - k - kb), (int) cols,
					(int) kb, -1.0, a + k + (k + kb) * ld, (int) ld, strip, (int) ld, 1.0,
					a + k + kb + first * ld, (int) ld);
	cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, (int) cols, (int) kb, -1.0, strip, (int) ld,
				1.0, a + first + first * ld, (int) ld);
}

/* Right-looking, by panels; see cholesky_panel for the dependent columns. */
MlStatus
ml_cholesky(MlEnv *env, double *a, size_t n, size_t ld, const double *diagonal, double tolerance,
			bool *dropped, size_t *rank)
{
	double *limit = ml_alloc_array(env, ML_MAX(n, 1), sizeof(double));
	MlStatus status = ML_OK;
	size_t kept = 0;

	if (limit == NULL)
		return ML_ENOMEM;
	for (size_t j = 0; j < n; j++)
		limit[j] = ML_MAX(0.0, tolerance * (diagonal ? diagonal[j] : a[j + j * ld]));
	for (size_t k = 0; k < n && status == ML_OK; k += PANEL)
	{
		size_t kb = ML_MIN(PANEL, n - k);
		size_t piece = columns_per_piece(2.0 * (double) (kb * (n - k)));

		cholesky_panel(a, ld, k, kb, limit, dropped);
		for (size_t j = k + kb; j < n && status == ML_OK; j += piece)
		{
			cholesky_trail(a, ld, k, kb, j, ML_MIN(piece, n - j), dropped);
			status = ml_poll(env);
		}
	}
	for (size_t j = 0; j < n && status == ML_OK; j++)
	{
		kept += !dropped[j];
		if (dropped[j])
			make_unit(a, n, ld, j);
	}
	if (rank)
		*rank = kept;
	ml_free(env, limit);
	return status;
}

void
ml_upper_solve(const double *u, size_t n, size_t ld, double *b)
{
	cblas_dtrsv(CblasColMajor, CblasUpper, CblasNoTrans, CblasNonUnit, (int) n, u, (int) ld, b, 1);
}

void
ml_upper_solve_transposed(const double *u, size_t n, size_t ld, double *b)
{
	cblas_dtrsv(CblasColMajor, CblasUpper, CblasTrans, CblasNonUnit, (int) n, u, (int) ld, b, 1);
}

/* By panels of columns of the unit matrix, so that the inverse is never held whole. */
MlStatus
ml_upper_inverse_norms(MlEnv *env, const double *u, size_t n, size_t ld, double *out)
{
	double *panel = ml_alloc_array(env, ML_MAX(n, 1), PANEL * sizeof(double));
	MlStatus status = ML_OK;

	if (panel == NULL)
		return ML_ENOMEM;
	memset(out, 0, n * sizeof(double));
	for (size_t k = 0, cols; k < n && status == ML_OK; k += cols)
	{
		size_t rows;

		/* A wide panel is faster, but then one call takes long when there are many rows. */
		cols = ML_MIN(k < 1024 ? PANEL : PANEL / 4, n - k);
		rows = k + cols;
		memset(panel, 0, rows * cols * sizeof(double));
		for (size_t j = 0; j < cols; j++)
			panel[k + j + j * rows] = 1;
		cblas_dtrsm(CblasColMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int) rows,
					(int) cols, 1.0, u, (int) ld, panel, (int) rows);
		for (size_t j = 0; j < cols; j++)
		{
			for (size_t i = 0; i < rows; i++)
				out[i] += panel[i + j * rows] * panel[i + j * rows];
		}
		status = ml_poll(env);
	}
	ml_free(env, panel);
	return status;
}
