/*
 * logistic_exact.c
 *		The unpenalised fit of two classes, finished in double precision.
 *
 * The solver ends within float's reach of the optimum. Newton steps from there,
 * with value, gradient and Hessian from the frame itself in double, square that
 * distance: one or two will do. The inverse of the last Hessian is the covariance
 * of the coefficients. A column that depends on earlier ones has no standard error.
 */
#include <math.h>
#include <string.h>

#include <cblas.h>

#include "algo/logistic/logistic.h"
#include "core/linalg.h"
#include "core/vmath.h"

#define PIVOT_TOLERANCE 1e-12
#define STEP_ENOUGH 1e-6 /* a step after which the Hessian is as good as at its end */
#define STEPS_MAX 3

/* Scores in double: numbers by a matrix product, levels by index. */
static void
score_rows(const MlLogisticProblem *problem, const MlLogisticRows *rows, const double *b,
		   double *eta)
{
	size_t width = 1 + (size_t) problem->n_dense;

	cblas_dgemv(CblasColMajor, CblasNoTrans, (int) rows->n, (int) width, 1.0, rows->x,
				(int) rows->ld, b, 1, 0.0, eta, 1);
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < rows->n; i++)
			if (rows->levels[f * rows->ld + i] < problem->n_levels)
				eta[i] += b[width + rows->levels[f * rows->ld + i]];
}

/* The rows of a block from the frame, standardised in double with ones in front; levels from the working copy. */
static MlLogisticRows
read_rows(const MlLogisticProblem *problem, size_t block, MlLogisticScratch *scratch)
{
	MlLogisticBlock view = ml_logistic_block(problem, block);
	size_t n = problem->block;
	MlLogisticRows rows = {.n = view.n, .ld = n, .x = scratch->dense, .levels = view.levels};

	ml_design_block(problem->design, problem->data, problem->rows, block * n, view.n, n,
					scratch->dense + n, scratch->levels);
	for (size_t i = 0; i < view.n; i++)
		scratch->dense[i] = 1;
	for (uint32_t j = 0; j < problem->n_dense; j++)
	{
		double *column = scratch->dense + (1 + (size_t) j) * n;

		for (size_t i = 0; i < view.n; i++)
			column[i] = (column[i] - problem->center[j]) / problem->scale[j];
	}
	return rows;
}

/* gradient += X' r. */
static void
project_rows(const MlLogisticProblem *problem, const MlLogisticRows *rows, const double *r,
			 double *gradient)
{
	size_t width = 1 + (size_t) problem->n_dense;

	cblas_dgemv(CblasColMajor, CblasTrans, (int) rows->n, (int) width, 1.0, rows->x, (int) rows->ld,
				r, 1, 1.0, gradient, 1);
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < rows->n; i++)
			if (rows->levels[f * rows->ld + i] < problem->n_levels)
				gradient[width + rows->levels[f * rows->ld + i]] += r[i];
}

/* One block: sums are the Hessian, the gradient, the loss. */
static void
visit_block(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticRows rows = read_rows(problem, block, scratch);
	size_t order = problem->n_columns;
	double *eta = scratch->a, *p = scratch->b, *softplus = scratch->c, *w = scratch->d;
	double *gradient = sums + order * order;
	const uint32_t *label = ml_logistic_block(problem, block).label;

	score_rows(problem, &rows, pass->arg, eta);
	ml_vlogistic(eta, p, softplus, rows.n);
	ml_dataset_weight(problem->data, problem->rows, block * problem->block, rows.n, w);
	for (size_t i = 0; i < rows.n; i++)
	{
		double weight = w[i] / problem->weight_mean;

		gradient[order] += weight * (softplus[i] - (label[i] ? eta[i] : 0));
		eta[i] = weight * (p[i] - (label[i] ? 1 : 0));
		p[i] = weight * p[i] * (1 - p[i]);
	}
	project_rows(problem, &rows, eta, gradient);
	rows.s = p;
	ml_logistic_add_curvature(problem, &rows, problem->n_columns, scratch, sums, NULL);
}

/* Standard errors on the scale of the data, from the factored Hessian. The intercept moves with the centers. */
static MlStatus
standard_errors(const MlLogisticProblem *problem, const double *u, const bool *dropped,
				double *work, double *std_error)
{
	size_t order = problem->n_columns;

	ML_TRY(ml_upper_inverse_norms(problem->env, u, order, order, std_error));
	memset(work, 0, order * sizeof(*work));
	work[0] = 1;
	for (uint32_t j = 0; j < problem->n_dense; j++)
		work[1 + j] = -problem->center[j] / problem->scale[j];
	for (size_t j = 0; j < order; j++)
		work[j] = dropped[j] ? 0 : work[j];
	ml_upper_solve_transposed(u, order, order, work);
	std_error[0] = 0;
	for (size_t j = 0; j < order; j++)
		std_error[0] += work[j] * work[j];
	for (size_t j = 0; j < order; j++)
	{
		double scale = j > 0 && j <= problem->n_dense ? problem->scale[j - 1] : 1;

		std_error[j] = dropped[j] ? NAN : sqrt(std_error[j] / problem->weight_mean) / scale;
	}
	return ML_OK;
}

/*
 * One Newton step from solution->b, if that is near the optimum; factors the Hessian in sums. *length: the
 * greatest change of a coefficient, 0 if the point stays.
 */
static MlStatus
newton_step(const MlLogisticProblem *problem, double *sums, bool *dropped, double *work,
			MlLogisticSolution *solution, double *length)
{
	size_t order = problem->n_columns;
	double *gradient = sums + order * order, gain = 0;

	if (!problem->options.intercept)
		sums[0] = 0;
	ML_TRY(ml_cholesky(problem->env, sums, order, order, NULL, PIVOT_TOLERANCE, dropped,
					   &solution->n_free));
	solution->loss = gradient[order];
	*length = 0;
	if (!solution->converged)
		return ML_OK;
	for (size_t j = 0; j < order; j++)
		work[j] = dropped[j] ? 0 : gradient[j];
	ml_upper_solve_transposed(sums, order, order, work);
	for (size_t j = 0; j < order; j++)
		gain += work[j] * work[j];
	ml_upper_solve(sums, order, order, work);
	solution->loss -= 0.5 * gain;
	for (size_t j = 0; j < order; j++)
	{
		solution->b[j] -= work[j];
		*length = fmax(*length, fabs(work[j]));
	}
	return ML_OK;
}

/* Newton steps in double, and the standard errors where the last one began. */
MlStatus
ml_logistic_exact(MlLogisticProblem *problem, MlLogisticSolution *solution, double *std_error)
{
	MlEnv *env = problem->env;
	size_t order = problem->n_columns;
	MlLogisticPass pass = {
		.visit = visit_block, .problem = problem, .arg = solution->b, .stride = 1};
	double *sums, *work, length = INFINITY;
	bool *dropped;
	MlStatus status = ML_ENOMEM;

	pass.n_sums = order * order + order + 1;
	pass.block_seconds = 1e-9 * (double) problem->block *
						 (20 + (double) problem->n_dense * problem->n_dense / 30 +
						  problem->n_factors * (5.0 + problem->n_factors + problem->n_dense));
	sums = ml_alloc_array(env, pass.n_sums, sizeof(double));
	work = ml_alloc_array(env, order, sizeof(double));
	dropped = ml_alloc_array(env, order, sizeof(bool));
	if (sums && work && dropped)
		status = ML_OK;
	for (int step = 0; step < STEPS_MAX && length > STEP_ENOUGH && status == ML_OK; step++)
	{
		status = ml_logistic_run(&pass, sums);
		if (status == ML_OK)
			status = newton_step(problem, sums, dropped, work, solution, &length);
	}
	if (status == ML_OK)
		status = standard_errors(problem, sums, dropped, work, std_error);
	ml_free(env, dropped);
	ml_free(env, work);
	ml_free(env, sums);
	return status;
}
