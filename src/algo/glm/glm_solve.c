/*
 * glm_solve.c
 *		Fisher scoring with step halving, on a factor that keeps its digits.
 *
 * The step solves H d = g, H being the expected Hessian X' S X + l2 and g the negative
 * gradient: that is iteratively reweighted least squares (McCullagh and Nelder 1989,
 * section 2.5). A step that does not lower the objective, or leads to means that the
 * family does not have, is halved.
 *
 * H is factored by Cholesky's method, which squares the condition of the columns, but
 * costs little. Where a pivot says that a number may depend on others, the factor comes
 * from a QR factorisation of the rows instead, which tells near dependence from a
 * true one; a column that truly depends on earlier ones is *aliased*: coefficient 0,
 * no standard error, as R's NA.
 */
#include <cblas.h>
#include <string.h>

#include "algo/glm/glm.h"
#include "core/linalg.h"

#define DOUBTFUL 1e-9   /* share of the diagonal: with a smaller pivot ask the QR factorisation */
#define DEPENDENT 1e-12 /* and this decides where that would cost too much */
#define QR_TOLERANCE 1e-11 /* R's glm has the same: epsilon / 1000 */
#define QR_MAX_COLUMNS 512 /* beyond, the QR factorisation costs too much */
#define CONSTANT 1e-20     /* what rounding leaves of a centred constant, to the sum of weights */
#define HALVINGS 30
#define SLACK 1e-12      /* rounding of the objective */
#define IRRELEVANT 1e-16 /* decrease, relative to the first objective, that is not worth a step */
#define MOVING 0.05      /* a last step as long as this: the optimum is at infinity */
#define NEAR_ENOUGH 1e-3 /* without any better point so near, rounding is the reason */

typedef struct Solver
{
	MlGlmProblem *problem;
	MlGlmSolution *solution;
	size_t order;
	MlGlmPoint trial;
	double *step, *there, *diagonal, *triangle;
	bool *dropped;
	double decrement; /* g' H^-1 g */
	double first_objective;
	double length; /* of the last step, as a share of Newton's */
	bool ranked; /* the aliased columns are known: from the first Hessian, whose weights are fair */
	bool vanishing; /* the last Hessian lost a column since: its weights go to 0 */
} Solver;

static MlStatus
allocate(Solver *s)
{
	MlEnv *env = s->problem->env;

	s->order = s->problem->n_columns;
	s->step = ml_alloc_array(env, 3 * s->order, sizeof(double));
	s->dropped = ml_alloc_array(env, s->order, sizeof(bool));
	if (!s->step || !s->dropped)
		return ML_ENOMEM;
	s->there = s->step + s->order;
	s->diagonal = s->there + s->order;
	return ml_glm_point_create(s->problem, &s->trial);
}

static void
release(Solver *s)
{
	MlEnv *env = s->problem->env;

	ml_glm_point_free(s->problem, &s->trial);
	ml_free(env, s->triangle);
	ml_free(env, s->dropped);
	ml_free(env, s->step);
}

/* ---- the factor */

/* The kept columns of a triangle at their places, a unit row for each dropped one. */
static void
spread(const double *triangle, const bool *dropped, size_t order, double *u)
{
	size_t kept = 0;

	memset(u, 0, order * order * sizeof(double));
	for (size_t j = 0; j < order; j++)
	{
		size_t row = 0;

		if (dropped[j])
		{
			u[j * order + j] = 1;
			continue;
		}
		for (size_t i = 0; i <= j; i++)
			if (!dropped[i])
				u[j * order + i] = triangle[kept * order + row++];
		kept++;
	}
}

/* The factor from the rows; columns that depend on others are taken out, in order. */
static MlStatus
factor_rows(Solver *s, double *u)
{
	size_t order = s->order, at = 0;

	if (!s->triangle)
		s->triangle = ml_alloc_array(s->problem->env, order * order, sizeof(double));
	if (!s->triangle)
		return ML_ENOMEM;
	ML_TRY(ml_glm_triangle(s->problem, s->solution->b, s->triangle));
	for (size_t j = 0; j < order; j++)
	{
		const double *column = s->triangle + at * order;
		double norm = cblas_dnrm2((int) at + 1, column, 1);

		s->dropped[j] = s->problem->skip[j] || !(fabs(column[at]) > QR_TOLERANCE * norm);
		if (s->dropped[j])
			ml_qr_drop_column(s->triangle, order - (j - at), order, at);
		else
			at++;
	}
	spread(s->triangle, s->dropped, order, u);
	return ML_OK;
}

/* True when a number's pivot leaves a doubt. */
static bool
in_doubt(const Solver *s, const double *u)
{
	for (size_t j = 1; j <= s->problem->n_dense; j++)
		if (!s->problem->skip[j] && (s->dropped[j] || !(u[j * s->order + j] * u[j * s->order + j] >
														DOUBTFUL * s->diagonal[j])))
			return s->order <= QR_MAX_COLUMNS;
	return false;
}

/* Columns that are constant have nothing left once centred. */
static void
skip_constants(Solver *s, const double *h)
{
	double most = 0;

	for (size_t j = 0; j < s->order; j++)
		most = fmax(most, h[j * s->order + j]);
	for (size_t j = 1; j < s->order; j++)
		if (!(h[j * s->order + j] > CONSTANT * most) && s->problem->l2 == 0)
			s->problem->skip[j] = true;
}

/* The Hessian of the point becomes its factor; columns that the first one finds aliased stay so. */
static MlStatus
factor(Solver *s)
{
	double *h = s->solution->point.hessian;

	if (!s->ranked)
		skip_constants(s, h);
	for (size_t j = 0; j < s->order; j++)
	{
		s->diagonal[j] = s->problem->skip[j] ? 1 : h[j * s->order + j];
		if (s->problem->skip[j])
			h[j * s->order + j] = 0;
	}
	ML_TRY(ml_cholesky(s->problem->env, h, s->order, s->order, s->diagonal, DEPENDENT, s->dropped,
					   &s->solution->rank));
	if (in_doubt(s, h))
		ML_TRY(factor_rows(s, h));
	s->solution->rank = 0;
	s->vanishing = false;
	for (size_t j = 0; j < s->order; j++)
	{
		if (!s->ranked)
			s->problem->skip[j] |= s->dropped[j];
		s->vanishing |= s->dropped[j] && !s->problem->skip[j];
		s->solution->rank += !s->problem->skip[j];
	}
	s->ranked = true;
	return ML_OK;
}

/* The step from the factor and the gradient, and the decrement. */
static void
find_step(Solver *s)
{
	const double *u = s->solution->point.hessian, *gradient = s->solution->point.gradient;

	for (size_t j = 0; j < s->order; j++)
		s->step[j] = s->dropped[j] ? 0 : gradient[j];
	ml_upper_solve_transposed(u, s->order, s->order, s->step);
	s->decrement = cblas_ddot((int) s->order, s->step, 1, s->step, 1);
	ml_upper_solve(u, s->order, s->order, s->step);
}

/* ---- the search */

/* Take over the trial as the point. */
static void
accept(Solver *s)
{
	MlGlmPoint point = s->solution->point;

	s->solution->point = s->trial;
	s->trial = point;
	memcpy(s->solution->b, s->there, s->order * sizeof(double));
}

/* Halve the step until the objective does not rise. *found: false when it always does. */
static MlStatus
search_line(Solver *s, bool *found)
{
	double most = s->solution->point.objective;

	most += SLACK * fabs(most);
	*found = false;
	s->length = 1;
	for (int halving = 0; halving <= HALVINGS && !*found; halving++)
	{
		s->length = halving ? s->length / 2 : 1;
		for (size_t j = 0; j < s->order; j++)
			s->there[j] = s->solution->b[j] + s->length * s->step[j];
		ML_TRY(ml_glm_evaluate(s->problem, s->there, &s->trial));
		*found = s->trial.objective <= most;
	}
	return ML_OK;
}

/* What a unit of deviance is worth: 1, or the dispersion so far. */
static double
dispersion(const Solver *s)
{
	double df = (double) s->problem->n - (double) s->solution->rank;

	if (!ml_glm_estimates_dispersion(&s->problem->law))
		return 1;
	return s->solution->point.pearson / fmax(df, 1);
}

/* The log's line and the progress of an iteration, after its step. */
static void
log_iteration(const Solver *s, MlBuffer *log)
{
	const MlGlmPoint *point = &s->solution->point;
	double loss = point->deviance / s->problem->sum_w, square = 0;
	MlProgress progress = {.iteration = s->solution->iterations, .total = 0, .loss = loss};
	MlJsonWriter w;

	progress.valid_loss = NAN;
	ml_report(s->problem->env, &progress);
	if (!log)
		return;
	for (size_t j = 0; j < s->order; j++)
		square += point->gradient[j] * point->gradient[j];
	ml_json_writer(&w, log);
	w.comma = log->len > 0;
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "iteration", s->solution->iterations);
	ml_json_number(&w, "loss", loss);
	ml_json_number(&w, "deviance", point->deviance);
	ml_json_number(&w, "gradient_norm", sqrt(square));
	ml_json_number(&w, "weight_norm", sqrt(point->penalty_norm));
	ml_json_number(&w, "step", s->length);
	ml_json_close(&w, '}');
}

/* True when the last step moved some coefficient far, or could move it no more, though it gained nothing. */
static bool
still_moving(const Solver *s)
{
	double greatest = 0;

	for (size_t j = 0; j < s->order; j++)
		greatest = fmax(greatest, fabs(s->step[j]));
	return s->problem->l2 == 0 && (s->vanishing || greatest * s->length > MOVING);
}

/* From a valid point on. */
static MlStatus
iterate(Solver *s, MlBuffer *log)
{
	MlGlmSolution *solution = s->solution;
	bool found = true;

	s->first_objective = solution->point.objective;
	for (int i = 0; i < s->problem->max_iter && !solution->converged; i++)
	{
		double worth;

		ML_TRY(factor(s));
		find_step(s);
		worth = dispersion(s) * s->problem->tol * s->problem->tol;
		solution->converged = s->decrement <= fmax(worth, IRRELEVANT * fabs(s->first_objective));
		ML_TRY(search_line(s, &found));
		if (!found)
		{
			/* The factor has overwritten the Hessian: get the point back. */
			ML_TRY(ml_glm_evaluate(s->problem, solution->b, &solution->point));
			solution->converged |= s->decrement <= NEAR_ENOUGH * NEAR_ENOUGH * dispersion(s);
			return ML_OK;
		}
		accept(s);
		solution->iterations++;
		log_iteration(s, log);
		if (solution->converged)
			solution->separated = still_moving(s);
	}
	solution->converged = solution->converged && !solution->separated;
	return ML_OK;
}

/* The first step of reweighted least squares from the means that the family starts with. */
static MlStatus
start_from_means(Solver *s)
{
	MlGlmSolution *solution = s->solution;
	MlEnv *env = s->problem->env;

	memset(solution->b, 0, s->order * sizeof(double));
	ML_TRY(ml_glm_evaluate(s->problem, NULL, &solution->point));
	if (!isfinite(solution->point.objective))
		return ml_fail(env, ML_EDATA, "the values of the target are too large to be fitted");
	ML_TRY(factor(s));
	find_step(s);
	memcpy(s->there, s->step, s->order * sizeof(double));
	ML_TRY(ml_glm_evaluate(s->problem, s->there, &s->trial));
	if (isfinite(s->trial.objective))
	{
		accept(s);
		return ML_OK;
	}
	ml_fail(env, ML_ENOCONV,
			"no coefficients were found for which family \"%s\" with link \"%s\" "
			"has a mean in every row",
			ml_glm_family_name(s->problem->law.family), ml_glm_link_name(s->problem->law.link));
	ml_hint(env, "Use link \"log\", which allows any coefficients.");
	return ML_ENOCONV;
}

MlStatus
ml_glm_solve(MlGlmProblem *problem, MlGlmSolution *solution, MlBuffer *log)
{
	Solver solver = {.problem = problem, .solution = solution};
	MlStatus status = allocate(&solver);

	solution->converged = solution->separated = false;
	if (status == ML_OK)
		status = ml_glm_evaluate(problem, solution->b, &solution->point);
	if (status == ML_OK && !isfinite(solution->point.objective))
		status = start_from_means(&solver);
	if (status == ML_OK)
		status = iterate(&solver, log);
	release(&solver);
	return status;
}

/* ---- standard errors */

/* The variance of the intercept on the scale of the data: it moves with the centres. */
static double
intercept_variance(const Solver *s, const double *u)
{
	const MlGlmProblem *problem = s->problem;
	double *v = s->there;

	memset(v, 0, s->order * sizeof(double));
	v[0] = 1;
	for (uint32_t j = 0; j < problem->n_dense; j++)
		v[1 + j] = s->dropped[1 + j] ? 0 : -problem->center[j] / problem->scale[j];
	ml_upper_solve_transposed(u, s->order, s->order, v);
	return cblas_ddot((int) s->order, v, 1, v, 1);
}

static MlStatus
find_errors(Solver *s, double *std_error)
{
	const double *u = s->solution->point.hessian;

	ML_TRY(factor(s));
	ML_TRY(ml_upper_inverse_norms(s->problem->env, u, s->order, s->order, std_error));
	std_error[0] = intercept_variance(s, u);
	for (size_t j = 0; j < s->order; j++)
	{
		double scale = j > 0 && j <= s->problem->n_dense ? s->problem->scale[j - 1] : 1;

		std_error[j] = s->dropped[j] ? NAN : sqrt(std_error[j]) / scale;
	}
	return ML_OK;
}

MlStatus
ml_glm_errors(MlGlmProblem *problem, MlGlmSolution *solution, double *std_error)
{
	Solver solver = {.problem = problem, .solution = solution, .ranked = true};
	MlStatus status = allocate(&solver);

	if (status == ML_OK)
		status = find_errors(&solver, std_error);
	release(&solver);
	return status;
}
