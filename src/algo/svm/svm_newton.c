/*
 * svm_newton.c
 *		Newton's method for the squared losses, whose primal problem is smooth.
 *
 * Keerthi and DeCoste 2005; Mangasarian 2002: the objective is piecewise quadratic, so Newton steps with
 * the Hessian I + sum 2 C_i x_i x_i' over the rows inside the margin end exactly at the optimum
 * once these rows no longer change. Where there are many more rows than columns, that takes some ten passes
 * over the rows, and coordinate descent some hundreds.
 *
 * The columns here are the intercept, then the numbers, then the levels. Rows are divided among
 * parts by their number alone, each is summed up in order, and the parts are added up in order.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "algo/svm/svm.h"
#include "core/linalg.h"
#include "core/pool.h"

#define CHUNK 1024      /* rows of a task of one round, at most */
#define CHUNK_FLOPS 1e7 /* of the products in it */
#define TILE 64         /* rows gathered for one product of matrices */
#define PARTS_MAX 32
#define PARTS_BYTES ((size_t) 64 << 20)
#define HALVINGS 30
#define DESCENT 1e-4 /* share of the slope's promise that a step must keep (Armijo) */
#define SLACK 1e-13  /* rounding of the objective */

typedef struct Solver
{
	MlSvmDual *machine;
	const MlSvmRows *rows;
	size_t order, n_sums, parts, chunk, round, chunks;
	const double *at; /* where a pass evaluates; as the machine's w */
	double *partial, *here, *there, *step, *trial;
	double *tiles; /* TILE x (1 + n_dense) for each worker */
	bool *dropped;
} Solver;

/* ---- one pass: Hessian, gradient, loss */

/* How far a row is inside the margin: 0 or less, not at all; sign: of its pull on the score. */
static double
inside(const Solver *s, size_t i, double *sign)
{
	const MlSvmDual *d = s->machine;
	double score = ml_svm_score(s->rows, i, s->at), y = s->rows->y[i];

	if (d->options->loss == ML_SVM_SQUARED_HINGE)
	{
		*sign = y == d->positive ? 1 : -1;
		return 1 - *sign * score;
	}
	*sign = y > score ? 1 : -1;
	return fabs(y - score) - d->options->epsilon;
}

/* The tile's rows into the Hessian; they are root of 2 C times the row. */
static void
add_tile(const Solver *s, const double *tile, size_t n, double *h)
{
	int width = 1 + (int) s->rows->n_dense;

	if (n > 0)
		cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, width, (int) n, 1.0, tile, width, 1.0,
					h, (int) s->order);
}

/* The strips of the row's levels. */
static void
add_levels(const Solver *s, const float *x, double curvature, double *h)
{
	const MlSvmRows *rows = s->rows;
	const uint32_t *level = (const uint32_t *) (x + rows->n_dense);

	for (uint32_t f = 0; f < rows->n_factors; f++)
	{
		double *column = h + (1 + (size_t) level[f]) * s->order;

		if (level[f] >= rows->n_columns)
			continue;
		column[0] += rows->intercept ? curvature : 0;
		for (uint32_t j = 0; j < rows->n_dense; j++)
			column[1 + j] += curvature * (double) x[j];
		for (uint32_t g = 0; g <= f; g++)
			if (level[g] < rows->n_columns)
				column[1 + level[g]] += curvature;
	}
}

/* What a row inside the margin adds to gradient (negative) and tile. */
static void
add_row(const Solver *s, size_t i, double pull, double curvature, double *gradient, double *row)
{
	const MlSvmRows *rows = s->rows;
	const float *x = (const float *) rows->cells.data + i * rows->stride;
	const uint32_t *level = (const uint32_t *) (x + rows->n_dense);
	double root = sqrt(curvature);

	row[0] = rows->intercept ? root : 0;
	gradient[0] += rows->intercept ? pull : 0;
	for (uint32_t j = 0; j < rows->n_dense; j++)
	{
		row[1 + j] = root * (double) x[j];
		gradient[1 + j] += pull * (double) x[j];
	}
	for (uint32_t f = 0; f < rows->n_factors; f++)
		if (level[f] < rows->n_columns)
			gradient[1 + level[f]] += pull;
}

static void
visit_chunk(void *arg, size_t part, int worker)
{
	const Solver *s = arg;
	const MlSvmRows *rows = s->rows;
	size_t width = 1 + (size_t) rows->n_dense, n = 0;
	double *sums = s->partial + part * s->n_sums, *gradient = sums + s->order * s->order;
	double *tile = s->tiles + (size_t) worker * TILE * width, sign;
	size_t first = (s->round * s->parts + part) * s->chunk;
	size_t end = ML_MIN(first + s->chunk, rows->n);

	if (s->round == 0)
		memset(sums, 0, s->n_sums * sizeof(double));
	for (size_t i = first; i < end; i++)
	{
		double over, curvature = 2 * s->machine->options->c * rows->weight[i];

		if (s->machine->fold && s->machine->fold[i] == s->machine->held_out)
			continue;
		over = inside(s, i, &sign);
		if (!(over > 0))
			continue;
		gradient[s->order] += 0.5 * curvature * over * over;
		add_row(s, i, sign * curvature * over, curvature, gradient, tile + n * width);
		if (rows->n_factors > 0)
			add_levels(s, (const float *) rows->cells.data + i * rows->stride, curvature, sums);
		if (++n == TILE)
		{
			add_tile(s, tile, n, sums);
			n = 0;
		}
	}
	add_tile(s, tile, n, sums);
}

/* The place in w of a column of the Hessian. */
static inline size_t
place(const Solver *s, size_t j)
{
	return j == 0 ? s->rows->n_columns : j - 1;
}

/* Hessian, negative gradient and objective at w, into sums. */
static MlStatus
evaluate(Solver *s, const double *w, double *sums)
{
	double *gradient = sums + s->order * s->order, square = 0;

	s->at = w;
	for (s->round = 0; s->round * s->parts < s->chunks; s->round++)
		ML_TRY(ml_pool_run(s->rows->env, s->parts, visit_chunk, s));
	memcpy(sums, s->partial, s->n_sums * sizeof(double));
	for (size_t part = 1; part < s->parts; part++)
		cblas_daxpy((int) s->n_sums, 1.0, s->partial + part * s->n_sums, 1, sums, 1);
	for (size_t j = 0; j < s->order; j++)
	{
		double value = w[place(s, j)];

		sums[j * s->order + j] += 1;
		gradient[j] -= value;
		square += value * value;
	}
	gradient[s->order] += 0.5 * square;
	return ml_poll(s->rows->env);
}

/* ---- the iterations */

static void
log_iteration(Solver *s, double objective, double decrement)
{
	MlSvmDual *d = s->machine;
	MlProgress line = {.iteration = d->epoch, .loss = NAN, .valid_loss = NAN};
	double square = 0;

	for (size_t j = 0; j < s->order; j++)
		square += d->w[j] * d->w[j];
	line.loss = objective / (double) s->rows->n;
	ml_report(s->rows->env, &line);
	d->n_log = ML_MIN(d->n_log, ML_SVM_EPOCHS - 1);
	d->log[d->n_log++] = (MlSvmEpoch){
		.epoch = d->epoch, .objective = -objective, .violation = decrement, .norm = sqrt(square)};
}

/* From here to there, halving the step while it does not keep enough of its promise. */
static MlStatus
search_line(Solver *s, double decrement, bool *found)
{
	double before = s->here[s->n_sums - 1];
	size_t n = ml_svm_n_weights(s->rows);

	*found = false;
	for (double length = 1; length > ldexp(1, -HALVINGS) && !*found; length /= 2)
	{
		double most = before - DESCENT * length * decrement * decrement + SLACK * before;

		memcpy(s->trial, s->machine->w, n * sizeof(double));
		for (size_t j = 0; j < s->order; j++)
			s->trial[place(s, j)] += length * s->step[j];
		ML_TRY(evaluate(s, s->trial, s->there));
		*found = s->there[s->n_sums - 1] <= most;
	}
	return ML_OK;
}

static MlStatus
iterate(Solver *s)
{
	MlSvmDual *d = s->machine;
	size_t order = s->order;
	bool found = true;

	ML_TRY(evaluate(s, d->w, s->here));
	while (!d->converged && found && d->epoch < d->options->max_iter)
	{
		double *swap, decrement;

		ML_TRY(ml_cholesky(s->rows->env, s->here, order, order, NULL, 0, s->dropped, NULL));
		memcpy(s->step, s->here + order * order, order * sizeof(double));
		ml_upper_solve_transposed(s->here, order, order, s->step);
		decrement = cblas_dnrm2((int) order, s->step, 1);
		ml_upper_solve(s->here, order, order, s->step);
		d->converged = decrement <= d->options->tol;
		ML_TRY(search_line(s, decrement, &found));
		if (!found)
			break;
		memcpy(d->w, s->trial, ml_svm_n_weights(s->rows) * sizeof(double));
		swap = s->here;
		s->here = s->there;
		s->there = swap;
		d->epoch++;
		log_iteration(s, s->here[s->n_sums - 1], decrement);
	}
	d->done = true;
	return ML_OK;
}

/* Parts and rounds, by the number of rows and columns alone. */
static void
divide(Solver *s)
{
	double flops = (double) s->order * (double) s->order + 1;
	size_t affordable = PARTS_BYTES / (s->n_sums * sizeof(double));

	s->chunk = (size_t) fmin(CHUNK, fmax(TILE / 4, CHUNK_FLOPS / flops));
	s->chunks = (s->rows->n + s->chunk - 1) / s->chunk;
	s->parts = ML_MIN(s->chunks, ML_MIN(PARTS_MAX, ML_MAX(affordable, 1)));
}

bool
ml_svm_newton_fits(const MlSvmRows *rows, const MlSvmOptions *options)
{
	bool smooth = options->loss == ML_SVM_SQUARED_HINGE || options->loss == ML_SVM_SQUARED_EPSILON;

	return smooth && rows->n_columns < ML_SVM_NEWTON_COLUMNS && rows->n > rows->n_columns;
}

MlStatus
ml_svm_newton(MlSvmDual *machine)
{
	Solver s = {.machine = machine, .rows = machine->rows};
	MlEnv *env = s.rows->env;
	size_t width = 1 + (size_t) s.rows->n_dense, workers = (size_t) ml_pool_size(ml_env_pool(env));
	MlStatus status = ML_ENOMEM;

	s.order = (size_t) s.rows->n_columns + 1;
	s.n_sums = s.order * (s.order + 1) + 1;
	divide(&s);
	s.partial = ml_alloc_array(env, s.parts, s.n_sums * sizeof(double));
	s.here = ml_alloc_array(env, s.n_sums, sizeof(double));
	s.there = ml_alloc_array(env, s.n_sums, sizeof(double));
	s.step = ml_alloc_array(env, s.order, sizeof(double));
	s.trial = ml_alloc_array(env, ml_svm_n_weights(s.rows), sizeof(double));
	s.tiles = ml_alloc_array(env, workers * TILE, width * sizeof(double));
	s.dropped = ml_alloc_array(env, s.order, sizeof(bool));
	if (s.partial && s.here && s.there && s.step && s.trial && s.tiles && s.dropped)
		status = iterate(&s);
	ml_free(env, s.dropped);
	ml_free(env, s.tiles);
	ml_free(env, s.trial);
	ml_free(env, s.step);
	ml_free(env, s.there);
	ml_free(env, s.here);
	ml_free(env, s.partial);
	return status;
}
