/*
 * logistic_sparse.c
 *		What a lasso penalty changes in the solver of logistic regression.
 *
 * Where one matrix of all unknowns stands for the Hessian H, a step is the minimum of
 *		g'd + 1/2 d'Hd + l1 |b + d|_1,
 * by coordinate descent from d = 0: the proximal Newton method (Lee, Sun and
 * Saunders 2014; Friedman, Hastie and Tibshirani 2010, section 3). H may be sampled
 * and old: only the number of steps depends on it.
 *
 * Where there are too many unknowns for that, a step stays on a face: coefficients
 * that are 0, and whose gradient is within l1, remain so; the others keep their sign,
 * so that |b| is linear, and conjugate gradients do as without a penalty (Andrew
 * and Gao 2007, orthant-wise). A coefficient that would change its sign stops at 0.
 *
 * The decrement is what the model of the value falls by, which without a lasso
 * penalty is Newton's.
 */
#include <math.h>
#include <string.h>

#include "algo/logistic/logistic_solver.h"

#define STILL 1e-10    /* a descent rests at this share of the last decrement, */
#define STILL_MIN 1e-3 /* or of the square of the tolerance */
#define SWEEPS_MAX 500 /* a step need not be exact */
#define SLICE ((size_t) 2000000)

MlStatus
ml_logistic_sparse_begin(MlLogisticSolver *solver)
{
	MlEnv *env = solver->problem->env;
	size_t n = solver->n;

	solver->sparse = solver->problem->options.l1 > 0;
	solver->by_descent = solver->metric.whole;
	ml_arena_init(&solver->arena, env);
	if (!solver->sparse)
		return ML_OK;
	if (!solver->by_descent)
	{
		solver->pseudo = ml_arena_array(&solver->arena, n, sizeof(double));
		solver->fixed = ml_arena_array(&solver->arena, n, sizeof(bool));
		return solver->pseudo && solver->fixed ? ML_OK : ML_ENOMEM;
	}
	solver->factor = ml_arena_array(&solver->arena, n, sizeof(double));
	if (!solver->factor)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
		solver->factor[i] = ml_logistic_is_intercept(solver, i) ? 0 : 1;
	return ml_descent_create(&solver->arena, n, &solver->descent);
}

void
ml_logistic_sparse_end(MlLogisticSolver *solver)
{
	if (solver->arena.env)
		ml_arena_free(&solver->arena);
}

double
ml_logistic_sparse_size(const MlLogisticSolver *solver, const double *b)
{
	double sum = 0;

	for (size_t i = 0; i < solver->n && solver->sparse; i++)
		sum += ml_logistic_is_intercept(solver, i) ? 0 : fabs(b[i]);
	return solver->sparse ? solver->problem->options.l1 * sum : 0;
}

/* ---- by descent */

MlStatus
ml_logistic_descend(MlLogisticSolver *solver)
{
	const MlLogisticOptions *options = &solver->problem->options;
	MlDescent *d = &solver->descent;
	double still = fmax(STILL * solver->decrement, STILL_MIN * options->tol * options->tol);
	bool rests = false;

	d->h = solver->metric.sums;
	d->factor = solver->factor;
	d->l1 = options->l1; /* l2 is in the metric and in the gradient */
	for (size_t i = 0; i < solver->n; i++)
	{
		d->b[i] = solver->b[i];
		d->r[i] = -solver->gradient[i];
	}
	ml_descent_start(d);
	while (!rests && d->sweeps < SWEEPS_MAX)
	{
		rests = ml_descent_run(d, still, SLICE);
		ML_TRY(ml_poll(solver->problem->env));
	}
	for (size_t i = 0; i < solver->n; i++)
		solver->step[i] = d->b[i] - solver->b[i];
	solver->decrement = -ml_logistic_sparse_slope(solver);
	return ML_OK;
}

/* ---- on a face */

void
ml_logistic_find_face(MlLogisticSolver *solver)
{
	double l1 = solver->problem->options.l1;

	for (size_t i = 0; i < solver->n; i++)
	{
		double g = solver->gradient[i], b = solver->b[i];

		if (ml_logistic_is_intercept(solver, i))
			solver->pseudo[i] = g;
		else if (b != 0)
			solver->pseudo[i] = g + copysign(l1, b);
		else
			solver->pseudo[i] = g > l1 ? g - l1 : g < -l1 ? g + l1 : 0;
		solver->fixed[i] = b == 0 && solver->pseudo[i] == 0;
	}
}

void
ml_logistic_mask(const MlLogisticSolver *solver, double *v)
{
	for (size_t i = 0; i < solver->n && solver->fixed; i++)
		v[i] = solver->fixed[i] ? 0 : v[i];
}

void
ml_logistic_align(MlLogisticSolver *solver)
{
	for (size_t i = 0; i < solver->n; i++)
	{
		bool at_zero = solver->b[i] == 0 && !ml_logistic_is_intercept(solver, i);

		if (at_zero && solver->step[i] * solver->pseudo[i] >= 0)
			solver->step[i] = 0;
	}
}

void
ml_logistic_sparse_move(MlLogisticSolver *solver)
{
	for (size_t i = 0; i < solver->n; i++)
	{
		double from = solver->b[i], to = from + solver->length * solver->step[i];
		bool crosses = solver->fixed && from * to < 0 && !ml_logistic_is_intercept(solver, i);

		solver->b_trial[i] = crosses ? 0 : to;
	}
}

/* ---- slopes */

double
ml_logistic_sparse_slope(const MlLogisticSolver *solver)
{
	double smooth = 0, before = 0, after = 0;

	for (size_t i = 0; i < solver->n; i++)
	{
		bool penalized = !ml_logistic_is_intercept(solver, i);

		smooth += (solver->by_descent ? solver->gradient : solver->pseudo)[i] * solver->step[i];
		before += penalized ? fabs(solver->b[i]) : 0;
		after += penalized ? fabs(solver->b[i] + solver->step[i]) : 0;
	}
	/* The pseudo-gradient has the penalty in it. */
	return solver->by_descent ? smooth + solver->problem->options.l1 * (after - before) : smooth;
}

double
ml_logistic_sparse_slope_back(const MlLogisticSolver *solver)
{
	double smooth = 0, size = 0;

	for (size_t i = 0; i < solver->n; i++)
	{
		double to = solver->b_trial[i], step = solver->step[i];

		smooth += solver->gradient_trial[i] * step;
		if (!ml_logistic_is_intercept(solver, i))
			size += to != 0 ? copysign(1, to) * step : -fabs(step);
	}
	return smooth + solver->problem->options.l1 * size;
}
