/*
 * logistic_pass.c
 *		The objective of logistic regression: value, gradient, Hessian times vector.
 *
 * With scores eta = X b, probabilities p and residuals r = w (p - y):
 *	gradient = X' r + l2 b,
 *	Hessian v = X' (w p (1 - p) X v) + l2 v			for two classes,
 *	(Hessian v)_k = X' w p_k (u_k - sum_l p_l u_l) + l2 v_k, u = X v		for more.
 * Scores and residuals are float, probabilities and losses are computed in double.
 */
#include <string.h>

#include "algo/logistic/logistic.h"
#include "core/vmath.h"

#define LANES 8

/* ---- what all passes share */

/* The point of a pass in float, group by group, with the 0 of "no level" behind. */
static void
set_coef(MlLogisticProblem *problem, const double *b)
{
	size_t columns = problem->n_columns;

	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		float *coef = problem->coef + k * (columns + 1);

		for (size_t j = 0; j < columns; j++)
			coef[j] = (float) b[k * columns + j];
		coef[columns] = 0;
	}
}

/* eta = X coef for every group. */
static void
score_block(const MlLogisticProblem *problem, const MlLogisticBlock *view, float *eta)
{
	size_t n = problem->block;

	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		const float *coef = problem->coef + k * ((size_t) problem->n_columns + 1);

		ml_logistic_scores(view->x, n, problem->n_dense, coef, eta + k * n);
		for (uint32_t f = 0; f < problem->n_factors; f++)
			ml_logistic_add_levels(view->levels + f * n, n, coef + 1 + problem->n_dense,
								   eta + k * n);
	}
}

/* sums += X' r for every group. */
static void
project_block(const MlLogisticProblem *problem, const MlLogisticBlock *view, const float *r,
			  double *sums)
{
	size_t n = problem->block;

	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		double *out = sums + (size_t) k * problem->n_columns;

		if (problem->options.intercept)
			out[0] += ml_logistic_sum(r + k * n, n);
		ml_logistic_project(view->x, n, problem->n_dense, r + k * n, out + 1);
		for (uint32_t f = 0; f < problem->n_factors; f++)
			ml_logistic_sum_levels(view->levels + f * n, n, problem->n_levels, r + k * n,
								   out + 1 + problem->n_dense);
	}
}

/* Rough seconds for one block of a pass. */
static double
pass_seconds(const MlLogisticProblem *problem)
{
	double cells = problem->n_dense * 0.15 + problem->n_factors * 2.0 + 4.0;

	return 1e-9 * (double) problem->block * problem->n_groups * cells;
}

/* ---- value and gradient */

/* Two classes: from scores to residuals (in place) and curvatures; the loss, in eight lanes. */
ML_CLONES static double
finish_binary(const MlLogisticBlock *view, size_t n, const double *p, const double *softplus,
			  double *eta, float *r)
{
	double loss[LANES] = {0};

	for (size_t i = 0; i < n; i++)
	{
		double y = (double) (int32_t) view->label[i], w = (double) view->weight[i];

		view->state[i] = (float) (w * p[i] * (1.0 - p[i]));
		eta[i] = w * (softplus[i] - y * eta[i]);
		r[i] = (float) (w * (p[i] - y));
	}
	for (size_t i = 0; i < n; i += LANES)
		for (int l = 0; l < LANES; l++)
			loss[l] += eta[i + l];
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int l = 0; l < half; l++)
			loss[l] += loss[l + half];
	return loss[0];
}

/* One block of two classes: sums are the gradient, then the loss. */
static void
evaluate_binary(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticBlock view = ml_logistic_block(problem, block);
	size_t n = problem->block;

	score_block(problem, &view, scratch->eta);
	ml_logistic_widen(scratch->eta, scratch->a, n);
	ml_vlogistic(scratch->a, scratch->b, scratch->c, n);
	sums[problem->n_unknowns] +=
		finish_binary(&view, n, scratch->b, scratch->c, scratch->a, scratch->eta);
	project_block(problem, &view, scratch->eta, sums);
}

/* out = the greatest of n_groups scores of each row. */
ML_CLONES static void
greatest_score(const float *eta, size_t n, uint32_t n_groups, double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double) eta[i];
	for (uint32_t k = 1; k < n_groups; k++)
		for (size_t i = 0; i < n; i++)
			out[i] = (double) eta[k * n + i] > out[i] ? (double) eta[k * n + i] : out[i];
}

/* in = score - greatest; its exponential goes to state and to the row's sum. */
ML_CLONES static void
shift_scores(const float *eta, const double *greatest, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (double) eta[i] - greatest[i];
}

ML_CLONES static void
add_exponentials(const double *in, size_t n, float *state, double *sum)
{
	for (size_t i = 0; i < n; i++)
	{
		state[i] = (float) in[i];
		sum[i] += in[i];
	}
}

/* state /= sum; r = w state, to be completed at the row's own class. */
ML_CLONES static void
normalise(const double *sum, const float *weight, size_t n, float *state, float *r)
{
	for (size_t i = 0; i < n; i++)
	{
		state[i] = (float) ((double) state[i] / sum[i]);
		r[i] = weight[i] * state[i];
	}
}

/* One block of more classes: softmax. */
static void
evaluate_softmax(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticBlock view = ml_logistic_block(problem, block);
	size_t n = problem->block;
	double *greatest = scratch->a, *sum = scratch->b, *work = scratch->c, loss = 0;

	score_block(problem, &view, scratch->eta);
	greatest_score(scratch->eta, n, problem->n_groups, greatest);
	memset(sum, 0, n * sizeof(*sum));
	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		shift_scores(scratch->eta + k * n, greatest, n, work);
		ml_vexp(work, work, n);
		add_exponentials(work, n, view.state + k * n, sum);
	}
	ml_vlog(sum, work, n);
	for (size_t i = 0; i < view.n; i++)
		loss += (double) view.weight[i] *
				(work[i] + (greatest[i] - (double) scratch->eta[view.label[i] * n + i]));
	for (uint32_t k = 0; k < problem->n_groups; k++)
		normalise(sum, view.weight, n, view.state + k * n, scratch->eta + k * n);
	for (size_t i = 0; i < n; i++)
		scratch->eta[view.label[i] * n + i] -= view.weight[i];
	sums[problem->n_unknowns] += loss;
	project_block(problem, &view, scratch->eta, sums);
}

/* out += l2 b without the intercepts; returns l2 |b|^2 / 2. */
static double
add_penalty(const MlLogisticProblem *problem, const double *b, double *out)
{
	double l2 = problem->options.l2, square = 0;

	for (size_t i = 0; i < problem->n_unknowns; i++)
		if (i % problem->n_columns != 0)
		{
			out[i] += l2 * b[i];
			square += b[i] * b[i];
		}
	return 0.5 * l2 * square;
}

/* Value and gradient (n_unknowns + 1 doubles of room) at b. */
MlStatus
ml_logistic_evaluate(MlLogisticProblem *problem, const double *b, double *value, double *gradient)
{
	MlLogisticPass pass = {.problem = problem, .stride = 1, .n_sums = problem->n_unknowns + 1};

	pass.visit = problem->n_groups == 1 ? evaluate_binary : evaluate_softmax;
	pass.block_seconds = pass_seconds(problem);
	set_coef(problem, b);
	ML_TRY(ml_logistic_run(&pass, gradient));
	*value = gradient[problem->n_unknowns];
	*value += add_penalty(problem, b, gradient);
	return ML_OK;
}

/* ---- Hessian times vector */

/* u = w p (1 - p) u. */
ML_CLONES static void
curve_binary(const float *state, size_t n, float *u)
{
	for (size_t i = 0; i < n; i++)
		u[i] *= state[i];
}

/* mean += p u. */
ML_CLONES static void
add_mean(const float *p, const float *u, size_t n, float *mean)
{
	for (size_t i = 0; i < n; i++)
		mean[i] += p[i] * u[i];
}

/* u = w p (u - mean). */
ML_CLONES static void
curve_softmax(const float *p, const float *weight, const float *mean, size_t n, float *u)
{
	for (size_t i = 0; i < n; i++)
		u[i] = weight[i] * p[i] * (u[i] - mean[i]);
}

/* One block: sums are the product. */
static void
times_block(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticBlock view = ml_logistic_block(problem, block);
	size_t n = problem->block;
	float *u = scratch->eta, *mean = (float *) scratch->a;

	score_block(problem, &view, u);
	if (problem->n_groups == 1)
		curve_binary(view.state, n, u);
	else
	{
		memset(mean, 0, n * sizeof(*mean));
		for (uint32_t k = 0; k < problem->n_groups; k++)
			add_mean(view.state + k * n, u + k * n, n, mean);
		for (uint32_t k = 0; k < problem->n_groups; k++)
			curve_softmax(view.state + k * n, view.weight, mean, n, u + k * n);
	}
	project_block(problem, &view, u, sums);
}

/* out = Hessian v, at the point of the last evaluation. */
MlStatus
ml_logistic_hessian_times(MlLogisticProblem *problem, const double *v, double *out)
{
	MlLogisticPass pass = {.visit = times_block, .problem = problem, .stride = 1};

	pass.n_sums = problem->n_unknowns;
	pass.block_seconds = pass_seconds(problem);
	set_coef(problem, v);
	ML_TRY(ml_logistic_run(&pass, out));
	(void) add_penalty(problem, v, out);
	return ML_OK;
}
