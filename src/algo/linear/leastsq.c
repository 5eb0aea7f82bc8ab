/*
 * leastsq.c
 *		Least squares from a triangular factor, with the levels of factors beside it.
 *
 * The dense columns come as a matrix M with the cross products of all rows:
 * impute, centre, append sqrt(l2) times the unit matrix, factor: R and Q'y.
 * Aliased columns are taken out of R one by one, from the left.
 *
 * Levels are never columns of M. With N the dense columns and C those of the
 * levels: R_nc = R_nn^-T N'C, and the Schur complement C'C + l2 I - R_nc'R_nc =
 * R_cc'R_cc by Cholesky; then [R_nn R_nc; 0 R_cc] is the factor of all columns.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "algo/linear/leastsq.h"
#include "core/linalg.h"

/* Few enough rows and columns that all of it in double-double takes a millisecond or two. */
#define SMALL_COLUMNS 64
/* Squares of numbers in this range neither overflow nor vanish when they are summed. */
#define SMALLEST 1e-135
#define LARGEST 1e140
/* The smallest share of a level's rows that the other columns leave unexplained; squares, so 1e-5 in length. */
#define LEVEL_TOLERANCE 1e-10

#define INTERCEPT UINT32_MAX
#define LEVELS_A_POLL 64

/* One solution: M with column 0 of ones, then n dense columns, then y; then the equations R b = q. */
typedef struct Solver
{
	MlEnv *env;
	const MlLeastOptions *options;
	const MlLeastColumns *columns;
	const MlLevelSums *levels; /* NULL: no factors */
	MlLeastSquares *fit;
	size_t n_dense;

	size_t rows, m_ld; /* rows of M that are filled, and its height */
	double *m;
	double *limit; /* of each dense column: how short its new part may be */
	double *work;

	size_t n, ld; /* columns that are left, dense ones and levels */
	double *r;
	double *q;
	uint32_t *column; /* which column of the design, or INTERCEPT */
	double *offset;   /* what was subtracted from the column */
	bool *aliased;    /* has a place, but no coefficient */
	double rest;      /* sum of squares that no column explains, penalty included */
	double y_offset;
} Solver;

MlStatus
ml_leastsq_create(MlArena *arena, size_t n_columns, MlLeastSquares **out)
{
	MlLeastSquares *fit = ml_arena_alloc(arena, sizeof *fit);

	if (fit == NULL)
		return ML_ENOMEM;
	fit->n_columns = n_columns;
	fit->coefficient = ml_arena_array(arena, n_columns, sizeof(double));
	fit->error = ml_arena_array(arena, n_columns, sizeof(double));
	fit->mean = ml_arena_array(arena, n_columns, sizeof(double));
	fit->scale = ml_arena_array(arena, n_columns, sizeof(double));
	if (!fit->coefficient || !fit->error || !fit->mean || !fit->scale)
		return ML_ENOMEM;
	for (size_t k = 0; k < n_columns; k++)
		fit->error[k] = NAN;
	*out = fit;
	return ML_OK;
}

double
ml_leastsq_penalty(const MlLeastOptions *options, const MlLeastColumns *columns,
				   const MlLeastSquares *fit, size_t k)
{
	bool scaled = options->standardize && k < columns->n_numbers;

	return scaled ? options->l2 * fit->scale[k] * fit->scale[k] : options->l2;
}

/* A standard error whose square does not fit a double is not known. */
static double
known_error(double error)
{
	return isinf(error) ? NAN : error;
}

/* error[] and intercept_error hold variances for sigma = 1: make standard errors of them. */
MlStatus
ml_leastsq_close(MlEnv *env, MlLeastSquares *fit, const MlLeastOptions *options, uint64_t n_rows)
{
	double sigma, sum = fit->intercept + fit->rss + fit->tss;

	fit->has_intercept = options->intercept;
	fit->df = n_rows > fit->rank ? (double) (n_rows - fit->rank) : 0;
	sigma = fit->df > 0 && options->l2 == 0 ? sqrt(fit->rss / fit->df) : NAN;
	fit->intercept_error =
		options->intercept ? known_error(sigma * sqrt(fit->intercept_error)) : NAN;
	for (size_t k = 0; k < fit->n_columns; k++)
	{
		fit->error[k] = known_error(sigma * sqrt(fit->error[k]));
		sum += fit->coefficient[k] + fit->mean[k] + fit->scale[k];
	}
	if (!isfinite(sum))
	{
		ml_fail(env, ML_EDATA, "the numbers are too large for least squares");
		ml_hint(env, "Rescale features or target whose values exceed about 1e140.");
		return ML_EDATA;
	}
	return ML_OK;
}

/* ---- the dense columns */

static double *
m_column(const Solver *v, size_t c)
{
	return v->m + c * v->m_ld;
}

/* A column of the state into M, imputed by the mean of what is there. Returns what it was shifted by. */
static double
copy_column(const MlTsqr *t, uint32_t source, uint32_t indicator, double *to)
{
	const double *z = t->a + source * t->ld, *missing = t->a + indicator * t->ld;
	int rows = (int) ml_tsqr_rows(t);

	memcpy(to, z, (size_t) rows * sizeof(double));
	if (indicator != 0)
	{
		double there = cblas_ddot(rows, t->a, 1, t->a, 1) - cblas_ddot(rows, t->a, 1, missing, 1);
		double fill = cblas_ddot(rows, t->a, 1, z, 1) / there;

		if (isfinite(fill))
			cblas_daxpy(rows, fill, missing, 1, to, 1);
	}
	return t->shift[source];
}

/* Subtract the mean from column c of M, which had `shift` subtracted before. */
static void
centre_column(const Solver *v, size_t c, double shift, double *mean, double *scale)
{
	double *z = m_column(v, c), total = v->fit->sum_weight;
	int rows = (int) v->rows;
	double move = cblas_ddot(rows, v->m, 1, z, 1) / total;

	cblas_daxpy(rows, -move, v->m, 1, z, 1);
	*mean = shift + move;
	*scale = cblas_dnrm2(rows, z, 1) / sqrt(total);
}

/* M from the state, with means and scales; without an intercept the columns get their means back. */
static void
fill_m(Solver *v, const MlTsqr *t, const MlLeastColumns *columns)
{
	MlLeastSquares *fit = v->fit;
	double y_mean, y_scale, shift;
	int rows = (int) v->rows;

	memcpy(v->m, t->a, v->rows * sizeof(double));
	fit->sum_weight = cblas_ddot(rows, v->m, 1, v->m, 1);
	for (size_t k = 0; k < v->n_dense; k++)
	{
		uint32_t source = columns->source[k];

		shift = copy_column(t, source, columns->indicator ? columns->indicator[source] : 0,
							m_column(v, 1 + k));
		centre_column(v, 1 + k, shift, &fit->mean[k], &fit->scale[k]);
		if (!v->options->intercept)
			cblas_daxpy(rows, fit->mean[k], v->m, 1, m_column(v, 1 + k), 1);
	}
	shift = copy_column(t, columns->target, 0, m_column(v, 1 + v->n_dense));
	centre_column(v, 1 + v->n_dense, shift, &y_mean, &y_scale);
	v->y_offset = v->options->intercept ? y_mean : 0;
	if (!v->options->intercept)
		cblas_daxpy(rows, y_mean, v->m, 1, m_column(v, 1 + v->n_dense), 1);
	fit->tss = pow(cblas_dnrm2(rows, m_column(v, 1 + v->n_dense), 1), 2);
}

/* The limits of aliasing, and the rows of the penalty. */
static void
prepare_m(Solver *v)
{
	for (size_t k = 0; k < v->n_dense; k++)
	{
		double *z = m_column(v, 1 + k), length = cblas_dnrm2((int) v->rows, z, 1);
		double with_mean = fabs(v->fit->mean[k]) * sqrt(v->fit->sum_weight);

		v->limit[k] = ML_LEAST_TOLERANCE * length;
		if (v->options->intercept)
			v->limit[k] = fmax(v->limit[k], ML_LEAST_ROUNDING * with_mean);
		if (v->options->l2 > 0)
			z[v->rows + k] = sqrt(ml_leastsq_penalty(v->options, v->columns, v->fit, k));
	}
}

/* R of M, and what is left of it without the aliased columns. */
static MlStatus
factor_dense(Solver *v)
{
	size_t skip = v->options->intercept ? 0 : 1, n = v->n_dense + 2 - skip, at = 0;
	double *r = m_column(v, skip);

	ML_TRY(ml_qr_reduce(v->env, r, v->m_ld, n, v->m_ld, v->work));
	for (size_t c = 0; c < n; c++)
		memset(r + c * v->m_ld + c + 1, 0, (v->m_ld - c - 1) * sizeof(double));
	for (size_t c = skip; c < v->n_dense + 1; c++)
	{
		if (c > 0 && !(fabs(r[at + at * v->m_ld]) > v->limit[c - 1]))
		{
			ml_qr_drop_column(r, n--, v->m_ld, at);
			ML_TRY(ml_poll(v->env));
			continue;
		}
		v->column[at] = c == 0 ? INTERCEPT : (uint32_t) (c - 1);
		v->offset[at] = c > 0 && v->options->intercept ? v->fit->mean[c - 1] : 0;
		at++;
	}
	v->n = at;
	for (size_t c = 0; c < at; c++)
		memcpy(v->r + c * v->ld, r + c * v->m_ld, (c + 1) * sizeof(double));
	memcpy(v->q, r + at * v->m_ld, at * sizeof(double));
	v->rest = pow(r[at + at * v->m_ld], 2);
	return ML_OK;
}

/* ---- the levels beside them */

/* N'C, C'C + l2 I and C'y, in the places of R_nc, R_cc and the end of q; centred as the columns are. */
static MlStatus
couple_levels(Solver *v)
{
	const MlLevelSums *levels = v->levels;
	size_t n = v->n;

	for (size_t l = 0; l < levels->n_levels; l++)
	{
		const double *strip = levels->strip + l * (v->n_dense + 2);
		double *to = v->r + (n + l) * v->ld;

		for (size_t c = 0; c < n; c++)
		{
			uint32_t k = v->column[c];

			to[c] = k == INTERCEPT ? strip[0]
								   : strip[1 + k] + (levels->centre[k] - v->offset[c]) * strip[0];
		}
		if (levels->pairs)
			memcpy(to + n, levels->pairs + l * levels->n_levels, l * sizeof(double));
		to[n + l] = strip[0] + v->options->l2;
		v->q[n + l] = strip[1 + v->n_dense] + (levels->centre[v->n_dense] - v->y_offset) * strip[0];
		v->column[n + l] = (uint32_t) (v->n_dense + l);
		v->offset[n + l] = 0;
		if (l % LEVELS_A_POLL == 0)
			ML_TRY(ml_poll(v->env));
	}
	return ML_OK;
}

/* R_nc, and R_cc by the Schur complement; by strips of columns, so that a cancel is seen. */
static MlStatus
factor_levels(Solver *v, double *diagonal)
{
	size_t n = v->n, total = v->levels->n_levels, step = 64;
	double *r_nc = v->r + n * v->ld, *r_cc = r_nc + n;
	int ld = (int) v->ld;

	for (size_t l = 0; l < total; l++)
		diagonal[l] = r_cc[l + l * v->ld];
	for (size_t l = 0; l < total; l += step)
	{
		int cols = (int) ML_MIN(step, total - l);

		cblas_dtrsm(CblasColMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int) n, cols,
					1.0, v->r, ld, r_nc + l * v->ld, ld);
		cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) l + cols, cols, (int) n, -1.0,
					r_nc, ld, r_nc + l * v->ld, ld, 1.0, r_cc + l * v->ld, ld);
		ML_TRY(ml_poll(v->env));
	}
	return ml_cholesky(v->env, r_cc, total, v->ld, diagonal, LEVEL_TOLERANCE, v->aliased + n, NULL);
}

/* Extend the system by the levels; see the head of this file. */
static MlStatus
add_levels(Solver *v)
{
	size_t n = v->n, total = v->levels->n_levels;
	double *r_nc = v->r + n * v->ld, *r_cc = r_nc + n, *q = v->q + n;

	ML_TRY(couple_levels(v));
	ML_TRY(factor_levels(v, v->work));
	cblas_dgemv(CblasColMajor, CblasTrans, (int) n, (int) total, -1.0, r_nc, (int) v->ld, v->q, 1,
				1.0, q, 1);
	for (size_t l = 0; l < total; l++)
	{
		if (v->aliased[n + l])
		{
			memset(r_nc + l * v->ld, 0, n * sizeof(double));
			q[l] = 0;
		}
	}
	ml_upper_solve_transposed(r_cc, total, v->ld, q);
	v->rest -= pow(cblas_dnrm2((int) total, q, 1), 2);
	v->n += total;
	return ML_OK;
}

/* Means and scales of the levels' columns. */
static void
describe_levels(MlLeastSquares *fit, const MlLevelSums *levels)
{
	for (size_t l = 0; levels && l < levels->n_levels; l++)
	{
		double share = levels->strip[l * (levels->n_dense + 2)] / fit->sum_weight;

		fit->mean[levels->n_dense + l] = share;
		fit->scale[levels->n_dense + l] = sqrt(ml_not_negative(share * (1 - share)));
	}
}

/* ---- the solution */

/* Coefficients, the residual sum of squares without the penalty, the intercept of the data as they were. */
static void
solve(Solver *v)
{
	MlLeastSquares *fit = v->fit;
	double penalty = 0, *b = v->work;

	memcpy(b, v->q, v->n * sizeof(double));
	ml_upper_solve(v->r, v->n, v->ld, b);
	fit->intercept = v->y_offset;
	for (size_t c = 0; c < v->n; c++)
	{
		fit->rank += !v->aliased[c];
		if (v->column[c] == INTERCEPT)
		{
			fit->intercept += b[c];
			continue;
		}
		fit->coefficient[v->column[c]] = b[c];
		fit->intercept -= b[c] * v->offset[c];
		penalty += ml_leastsq_penalty(v->options, v->columns, fit, v->column[c]) * b[c] * b[c];
	}
	fit->rss = ml_not_negative(v->rest - penalty);
}

/* Variances for sigma = 1; of the intercept: |R^-T g|^2, where g takes back the offsets. */
static MlStatus
variances(Solver *v)
{
	double *out = v->work;

	ML_TRY(ml_upper_inverse_norms(v->env, v->r, v->n, v->ld, out));
	for (size_t c = 0; c < v->n; c++)
	{
		if (v->column[c] != INTERCEPT && !v->aliased[c])
			v->fit->error[v->column[c]] = out[c];
	}
	for (size_t c = 0; c < v->n; c++)
		out[c] = v->column[c] == INTERCEPT ? 1 : -v->offset[c];
	ml_upper_solve_transposed(v->r, v->n, v->ld, out);
	v->fit->intercept_error = pow(cblas_dnrm2((int) v->n, out, 1), 2);
	return ML_OK;
}

/* Temporary memory of one solution. */
static MlStatus
make_room(MlArena *scratch, const MlTsqr *t, Solver *v)
{
	size_t n = v->n_dense, total = n + 2 + (v->levels ? v->levels->n_levels : 0);

	v->rows = ml_tsqr_rows(t);
	v->m_ld = ML_MAX(v->rows + (v->options->l2 > 0 ? n : 0), n + 2);
	v->ld = total;
	v->m = ml_arena_array(scratch, (n + 2) * v->m_ld, sizeof(double));
	v->limit = ml_arena_array(scratch, n, sizeof(double));
	v->work = ml_arena_array(scratch, ML_MAX(ml_qr_work(n + 2), total), sizeof(double));
	ML_TRY(ml_arena_zeros(scratch, total, total * sizeof(double), &v->r));
	v->q = ml_arena_array(scratch, total, sizeof(double));
	v->column = ml_arena_array(scratch, total, sizeof(uint32_t));
	v->offset = ml_arena_array(scratch, total, sizeof(double));
	v->aliased = ml_arena_array(scratch, total, sizeof(bool));
	return v->m && v->limit && v->work && v->r && v->q && v->column && v->offset && v->aliased
			   ? ML_OK
			   : ML_ENOMEM;
}

/* All steps in double. */
static MlStatus
solve_in_double(MlArena *scratch, Solver *v, const MlTsqr *t, const MlLeastColumns *columns)
{
	ML_TRY(make_room(scratch, t, v));
	ML_TRY(ml_poll(v->env));
	fill_m(v, t, columns);
	prepare_m(v);
	ML_TRY(factor_dense(v));
	if (v->levels)
		ML_TRY(add_levels(v));
	describe_levels(v->fit, v->levels);
	solve(v);
	return v->options->l2 == 0 ? variances(v) : ML_OK;
}

/* ---- few rows */

/* True when the state still has the rows themselves, few and in a range that squares stand. */
static bool
rows_for_double_double(const MlTsqr *t, const MlLevelSums *levels)
{
	if (t->shifted || t->n_columns > SMALL_COLUMNS || levels)
		return false;
	for (size_t c = 0; c < t->n_columns; c++)
	{
		for (size_t i = 0; i < t->n_waiting; i++)
		{
			double size = fabs(t->a[c * t->ld + i]);

			if (size != 0 && !(size > SMALLEST && size < LARGEST))
				return false;
		}
	}
	return true;
}

/* Cross products of the rows in double-double. */
static MlStatus
gram_of_rows(MlArena *scratch, const MlTsqr *t, MlDdGram **gram)
{
	double row[SMALL_COLUMNS];

	ML_TRY(ml_ddgram_create(scratch, t->n_columns, gram));
	for (size_t i = 0; i < t->n_waiting; i++)
	{
		for (size_t c = 0; c < t->n_columns; c++)
			row[c] = t->a[c * t->ld + i];
		ml_ddgram_add(*gram, row, 1);
	}
	return ML_OK;
}

MlStatus
ml_leastsq_from_tsqr(MlArena *arena, const MlTsqr *t, const MlLeastColumns *columns,
					 const MlLevelSums *levels, const MlLeastOptions *options, uint64_t n_rows,
					 MlLeastSquares **out)
{
	MlArena scratch;
	MlDdGram *gram;
	MlStatus status;

	ml_arena_init(&scratch, arena->env);
	if (rows_for_double_double(t, levels))
	{
		status = gram_of_rows(&scratch, t, &gram);
		if (status == ML_OK)
			status = ml_leastsq_from_gram(arena, gram, columns, options, n_rows, out);
	}
	else
	{
		Solver v = {.env = arena->env,
					.options = options,
					.columns = columns,
					.levels = levels,
					.n_dense = columns->n};

		status = ml_leastsq_create(arena, columns->n + (levels ? levels->n_levels : 0), out);
		v.fit = *out;
		if (status == ML_OK)
			status = solve_in_double(&scratch, &v, t, columns);
		if (status == ML_OK)
			status = ml_leastsq_close(arena->env, *out, options, n_rows);
	}
	ml_arena_free(&scratch);
	return status;
}
