/*
 * leastsq_dd.c
 *		Least squares from cross products in double-double.
 *
 * The normal equations lose half the digits, and double-double has twice as
 * many, so that what remains is what the data hold: NIST's Wampler sets come
 * out with 13 to 15 digits. Nothing is centred before the sums.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/leastsq.h"

/* One solution: the columns of the design, the intercept first when there is one, then y. */
typedef struct DdSolver
{
	MlEnv *env;
	const MlDdGram *g;
	const MlLeastColumns *columns;
	const MlLeastOptions *options;
	MlLeastSquares *fit;

	size_t first;     /* 1: column 0 is the intercept; 0: it is left out */
	MlDdMatrix a;     /* X'X, then its Cholesky factor */
	MlDd *fill;       /* what stands for a missing value of column k */
	double *diagonal; /* what a pivot is compared with */
	double *q_hi, *q_lo;
	bool *aliased;
	double *variance;
} DdSolver;

/* Where column k of the design (n: the target; INTERCEPT: ones) comes from in the cross products. */
#define INTERCEPT SIZE_MAX

static MlDd
ratio(MlDd a, MlDd b)
{
	MlDd result = ml_dd_div(a, b);

	return isfinite(result.hi) ? result : ml_dd(0);
}

/* The cross product of two columns after imputation: x + fill * indicator on both sides. */
static MlDd
product(const DdSolver *v, size_t k, size_t l)
{
	size_t pair[2] = {k, l}, source[2], missing[2];
	MlDd fill[2] = {{0, 0}, {0, 0}}, sum;

	for (size_t p = 0; p < 2; p++)
	{
		size_t c = pair[p];

		source[p] = c == INTERCEPT       ? 0
					: c == v->columns->n ? v->columns->target
										 : v->columns->source[c];
		missing[p] = v->columns->indicator ? v->columns->indicator[source[p]] : 0;
		if (c < v->columns->n)
			fill[p] = v->fill[c];
	}
	sum = ml_ddgram_at(v->g, source[0], source[1]);
	if (missing[1])
		sum = ml_dd_add(sum, ml_dd_mul(fill[1], ml_ddgram_at(v->g, source[0], missing[1])));
	if (missing[0])
		sum = ml_dd_add(sum, ml_dd_mul(fill[0], ml_ddgram_at(v->g, missing[0], source[1])));
	if (missing[0] && missing[1])
		sum = ml_dd_add(sum, ml_dd_mul(ml_dd_mul(fill[0], fill[1]),
									   ml_ddgram_at(v->g, missing[0], missing[1])));
	return sum;
}

/* Means of what is there, by which missing values are imputed. */
static void
set_fills(DdSolver *v)
{
	for (size_t k = 0; k < v->columns->n; k++)
	{
		size_t source = v->columns->source[k];
		size_t missing = v->columns->indicator ? v->columns->indicator[source] : 0;
		MlDd there = ml_ddgram_at(v->g, 0, 0);

		if (missing)
			there = ml_dd_sub(there, ml_ddgram_at(v->g, 0, missing));
		v->fill[k] = missing ? ratio(ml_ddgram_at(v->g, 0, source), there) : ml_dd(0);
	}
}

/* The sum of squares about the mean. */
static MlDd
centred_square(const DdSolver *v, size_t k)
{
	MlDd sum = product(v, INTERCEPT, k), total = product(v, INTERCEPT, INTERCEPT);

	return ml_dd_sub(product(v, k, k), ratio(ml_dd_mul(sum, sum), total));
}

/* Means, scales, and what the pivots will be compared with. */
static void
describe(DdSolver *v, double tolerance)
{
	MlLeastSquares *fit = v->fit;
	MlDd total = product(v, INTERCEPT, INTERCEPT);
	double rounding = pow(ML_LEAST_ROUNDING / tolerance, 2);

	fit->sum_weight = total.hi;
	for (size_t k = 0; k < fit->n_columns; k++)
	{
		double square = product(v, k, k).hi, centred = centred_square(v, k).hi;

		fit->mean[k] = ml_dd_value(ratio(product(v, INTERCEPT, k), total));
		fit->scale[k] = sqrt(ml_not_negative(centred) / total.hi);
		v->diagonal[v->first + k] = v->first ? fmax(centred, rounding * square) : square;
	}
	fit->tss = v->first ? centred_square(v, fit->n_columns).hi
						: product(v, fit->n_columns, fit->n_columns).hi;
	fit->tss = ml_not_negative(fit->tss);
}

/* X'X + l2 I, and X'y. */
static void
fill_matrix(DdSolver *v)
{
	size_t n = v->a.n;

	for (size_t i = 0; i < n; i++)
	{
		size_t k = i < v->first ? INTERCEPT : i - v->first;
		MlDd y = product(v, k, v->columns->n);

		for (size_t j = i; j < n; j++)
		{
			MlDd value = product(v, k, j < v->first ? INTERCEPT : j - v->first);

			if (i == j && k != INTERCEPT)
				value =
					ml_dd_add(value, ml_dd(ml_leastsq_penalty(v->options, v->columns, v->fit, k)));
			v->a.hi[i * n + j] = value.hi;
			v->a.lo[i * n + j] = value.lo;
		}
		v->q_hi[i] = y.hi;
		v->q_lo[i] = y.lo;
	}
}

/* Sum of squares of q. */
static MlDd
sum_of_squares(const double *hi, const double *lo, size_t n)
{
	MlDd sum = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		MlDd value = {hi[i], lo[i]};

		sum = ml_dd_add(sum, ml_dd_mul(value, value));
	}
	return sum;
}

/* Forward and back; the residual sum of squares comes in between. */
static void
solve(DdSolver *v)
{
	MlLeastSquares *fit = v->fit;
	size_t n = v->a.n;
	MlDd rss = product(v, v->columns->n, v->columns->n);

	for (size_t i = 0; i < n; i++)
	{
		if (v->aliased[i])
			v->q_hi[i] = v->q_lo[i] = 0;
	}
	ml_dd_upper_solve_transposed(&v->a, v->q_hi, v->q_lo);
	rss = ml_dd_sub(rss, sum_of_squares(v->q_hi, v->q_lo, n));
	ml_dd_upper_solve(&v->a, v->q_hi, v->q_lo);
	for (size_t k = 0; k + v->first < n && v->options->l2 > 0; k++)
	{
		MlDd b = {v->q_hi[v->first + k], v->q_lo[v->first + k]};
		MlDd each = ml_dd(ml_leastsq_penalty(v->options, v->columns, fit, k));

		rss = ml_dd_sub(rss, ml_dd_mul(each, ml_dd_mul(b, b)));
	}
	fit->rss = ml_not_negative(rss.hi);
	fit->intercept = v->first ? v->q_hi[0] : 0;
	memcpy(fit->coefficient, v->q_hi + v->first, fit->n_columns * sizeof(double));
}

/* Temporary memory of one solution. */
static MlStatus
make_room(MlArena *scratch, DdSolver *v)
{
	size_t n = v->columns->n + v->first;

	v->a.n = v->a.ld = n;
	ML_TRY(ml_arena_zeros(scratch, n, n * sizeof(double), &v->a.hi));
	ML_TRY(ml_arena_zeros(scratch, n, n * sizeof(double), &v->a.lo));
	v->fill = ml_arena_array(scratch, v->columns->n, sizeof(MlDd));
	v->diagonal = ml_arena_array(scratch, n, sizeof(double));
	v->q_hi = ml_arena_array(scratch, n, sizeof(double));
	v->q_lo = ml_arena_array(scratch, n, sizeof(double));
	v->aliased = ml_arena_array(scratch, n, sizeof(bool));
	v->variance = ml_arena_array(scratch, n, sizeof(double));
	return v->a.hi && v->a.lo && v->fill && v->diagonal && v->q_hi && v->q_lo && v->aliased &&
				   v->variance
			   ? ML_OK
			   : ML_ENOMEM;
}

/* All steps in double-double. */
static MlStatus
solve_in_double_double(MlArena *scratch, DdSolver *v)
{
	double tolerance = v->options->extended ? ML_LEAST_TOLERANCE_EXTENDED : ML_LEAST_TOLERANCE;

	ML_TRY(make_room(scratch, v));
	set_fills(v);
	describe(v, tolerance);
	fill_matrix(v);
	ML_TRY(ml_dd_cholesky(v->env, &v->a, v->diagonal, tolerance * tolerance, v->aliased,
						  &v->fit->rank));
	solve(v);
	if (v->options->l2 > 0)
		return ML_OK;
	ML_TRY(ml_dd_upper_inverse_norms(v->env, &v->a, v->variance));
	v->fit->intercept_error = v->first ? v->variance[0] : NAN;
	for (size_t k = 0; k < v->fit->n_columns; k++)
	{
		if (!v->aliased[v->first + k])
			v->fit->error[k] = v->variance[v->first + k];
	}
	return ML_OK;
}

MlStatus
ml_leastsq_from_gram(MlArena *arena, const MlDdGram *g, const MlLeastColumns *columns,
					 const MlLeastOptions *options, uint64_t n_rows, MlLeastSquares **out)
{
	DdSolver v = {.env = arena->env,
				  .g = g,
				  .columns = columns,
				  .options = options,
				  .first = options->intercept ? 1 : 0};
	MlArena scratch;
	MlStatus status;

	ml_arena_init(&scratch, arena->env);
	status = ml_leastsq_create(arena, columns->n, &v.fit);
	if (status == ML_OK)
		status = solve_in_double_double(&scratch, &v);
	if (status == ML_OK)
		status = ml_leastsq_close(arena->env, v.fit, options, n_rows);
	ml_arena_free(&scratch);
	*out = v.fit;
	return status;
}
