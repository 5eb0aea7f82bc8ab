/*
 * logistic_solver.h
 *		The state of the solver, for the files that are one: logistic_newton.c, logistic_sparse.c.
 */
#ifndef ML_LOGISTIC_SOLVER_H
#define ML_LOGISTIC_SOLVER_H

#include "algo/linear/coordinate.h"
#include "algo/logistic/logistic.h"

typedef struct MlLogisticSolver
{
	MlLogisticProblem *problem;
	MlLogisticMetric metric;
	size_t n;
	double *b, *gradient, *step; /* here, and where to */
	double *b_trial, *gradient_trial;
	double *z, *r, *direction, *product; /* metric^-1 gradient; conjugate gradients */
	double value, value_trial;
	double length;               /* of the last step, in units of step */
	double decrement;            /* lambda^2 here, by the metric that stands */
	bool renew, fresh;           /* the metric is to be built anew; it has been, for this point */
	int cg_iterations, cg_fresh; /* in the last step, and in the last one with a fresh metric */

	int slow; /* steps that hardly lowered lambda */

	/* With a lasso penalty (logistic_sparse.c) */
	bool sparse, by_descent;
	MlArena arena; /* of the descent */
	MlDescent descent;
	double *factor; /* by_descent: n; 0 for intercepts, which are not penalised, else 1 */
	double *pseudo; /* not by_descent: n; the gradient that matters, */
	bool *fixed;    /* n; and which coefficients stay 0 in this step */
} MlLogisticSolver;

static inline bool
ml_logistic_is_intercept(const MlLogisticSolver *solver, size_t unknown)
{
	return unknown % solver->problem->n_columns == 0;
}

extern MlStatus ml_logistic_sparse_begin(MlLogisticSolver *solver);
extern void ml_logistic_sparse_end(MlLogisticSolver *solver);

/* l1 |b|_1; 0 without a lasso penalty, as are the other figures. */
extern double ml_logistic_sparse_size(const MlLogisticSolver *solver, const double *b);

/* The Newton step by coordinate descent, and the decrement, by the metric that stands. */
extern MlStatus ml_logistic_descend(MlLogisticSolver *solver);

/* The pseudo-gradient and the coefficients that stay 0. */
extern void ml_logistic_find_face(MlLogisticSolver *solver);
extern void ml_logistic_mask(const MlLogisticSolver *solver, double *v);

/* Take from the step what would lead a coefficient at 0 to the wrong side. */
extern void ml_logistic_align(MlLogisticSolver *solver);

/* b_trial = b + length step; a coefficient that would change its sign stops at 0. */
extern void ml_logistic_sparse_move(MlLogisticSolver *solver);

/* How the value changes along the step: at the start for the whole step, and at the trial as it got there. */
extern double ml_logistic_sparse_slope(const MlLogisticSolver *solver);
extern double ml_logistic_sparse_slope_back(const MlLogisticSolver *solver);

#endif /* ML_LOGISTIC_SOLVER_H */
