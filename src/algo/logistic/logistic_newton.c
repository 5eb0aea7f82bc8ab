/*
 * logistic_newton.c
 *		The solver of logistic regression: Newton's method on a budget.
 *
 * Two classes: a step is metric^-1 gradient, where the metric is the Hessian of
 * a sample of rows; it is renewed as long as a step gains less than a digit, and
 * frozen after that. A sample that is too small shows as slow progress, and is
 * made larger. Otherwise (more than two classes, or too many columns for one
 * matrix): truncated Newton, the step from conjugate gradients on the Hessian of
 * all rows with the metric as preconditioner (Nocedal and Wright 2006, algorithm
 * 7.1 with the forcing term of theorem 7.2).
 *
 * A step is shortened, by interpolation, until the value falls enough (Armijo),
 * so that it cannot diverge. lambda^2 = gradient' metric^-1 gradient
 * (Newton's decrement) is about twice what is left to gain, in units of the log
 * likelihood, hence the squared distance to the optimum in standard errors.
 *
 * A lasso penalty changes what a step is: see logistic_sparse.c.
 *
 * Without a penalty, classes that a plane separates have no finite optimum: then
 * the gradient vanishes while a coefficient still moves by whole units. The solver
 * stops there, and says so.
 */
#include <math.h>
#include <string.h>

#include "algo/logistic/logistic_solver.h"

#define ARMIJO 1e-4
#define VALUE_NOISE 1e-7 /* relative error of the value: scores are float */
#define SLOPE_MAX 0.8    /* where the value is noise, the slope may turn up by this share */
#define STEP_TRIALS 40
#define LAMBDA_NOISE 1e-2 /* below it, a lambda that does not fall by half is float's last word */
#define FACES 5           /* slow steps that may come of changing faces */
#define RENEW_ABOVE 0.1   /* a step that leaves more than this share of lambda: renew the metric */
#define SLOW_ABOVE 0.4    /* more than this: the sample is too small */
#define CG_MAX 100
#define CG_RENEW 5 /* so many iterations more than with a fresh metric: renew it */
#define FORCING 0.1
#define MOVING 0.1     /* a last step of so much, standardised, means separation */
#define SHARE_MIN 1e-9 /* of a class at the start: one without rows has no log-odds */

/* ---- vectors */

/* Inner product. */
static double
dot(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* The greatest absolute value. */
static double
greatest(const double *a, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(a[i]));
	return most;
}

/* The sum of squared coefficients, without the intercepts. */
static double
squared_weights(const MlLogisticSolver *solver)
{
	double sum = 0;

	for (size_t i = 0; i < solver->n; i++)
		sum += i % solver->problem->n_columns == 0 ? 0 : solver->b[i] * solver->b[i];
	return sum;
}

/* ---- memory and start */

/* The vectors, zeroed; one place more than the unknowns, where the passes leave the loss. */
static MlStatus
allocate(MlLogisticSolver *solver)
{
	double **vectors[] = {&solver->b,       &solver->gradient,       &solver->step,
						  &solver->b_trial, &solver->gradient_trial, &solver->z,
						  &solver->r,       &solver->direction,      &solver->product};

	for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++)
	{
		*vectors[v] = ml_zalloc_array(solver->problem->env, solver->n + 1, sizeof(double));
		if (!*vectors[v])
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* Free everything. */
static void
release(MlLogisticSolver *solver)
{
	MlEnv *env = solver->problem->env;

	ml_logistic_sparse_end(solver);
	ml_logistic_metric_free(&solver->metric);
	ml_free(env, solver->product);
	ml_free(env, solver->direction);
	ml_free(env, solver->r);
	ml_free(env, solver->z);
	ml_free(env, solver->gradient_trial);
	ml_free(env, solver->b_trial);
	ml_free(env, solver->step);
	ml_free(env, solver->gradient);
	ml_free(env, solver->b);
}

/* The best intercepts without any column. */
static void
start_at_shares(MlLogisticSolver *solver)
{
	const MlLogisticProblem *problem = solver->problem;
	double n = (double) problem->n, mean = 0;

	if (!problem->options.intercept)
		return;
	for (uint32_t k = 0; k < problem->n_classes; k++)
	{
		solver->r[k] = log(fmax(problem->class_weight[k] / n, SHARE_MIN));
		mean += solver->r[k] / problem->n_classes;
	}
	if (problem->n_groups == 1)
		solver->b[0] = solver->r[1] - solver->r[0];
	else
		for (uint32_t k = 0; k < problem->n_groups; k++)
			solver->b[(size_t) k * problem->n_columns] = solver->r[k] - mean;
}

/* ---- direction */

/*
 * Solve Hessian step = -gradient until the residual, in the metric, has fallen to the forcing term. z
 * holds metric^-1 gradient at entry.
 */
static MlStatus
conjugate_gradients(MlLogisticSolver *solver, double forcing)
{
	size_t n = solver->n;
	double *r = solver->r, *z = solver->z, *p = solver->direction, *hp = solver->product;
	const double *gradient = solver->sparse ? solver->pseudo : solver->gradient;
	double rz = solver->decrement, target = forcing * forcing * rz;

	for (size_t i = 0; i < n; i++)
	{
		solver->step[i] = 0;
		r[i] = -gradient[i];
		p[i] = -z[i];
	}
	for (solver->cg_iterations = 0; solver->cg_iterations < CG_MAX; solver->cg_iterations++)
	{
		double curvature, alpha, rz_new;

		ML_TRY(ml_logistic_hessian_times(solver->problem, p, hp));
		ml_logistic_mask(solver, hp);
		curvature = dot(p, hp, n);
		if (!(curvature > 0)) /* flat to the last digit: a first step must still be one */
		{
			if (solver->cg_iterations == 0)
				memcpy(solver->step, p, n * sizeof(*p));
			return ML_OK;
		}
		alpha = rz / curvature;
		for (size_t i = 0; i < n; i++)
		{
			solver->step[i] += alpha * p[i];
			r[i] -= alpha * hp[i];
		}
		ml_logistic_metric_solve(&solver->metric, r, z);
		ml_logistic_mask(solver, z);
		rz_new = dot(r, z, n);
		if (!(rz_new > target))
			break;
		for (size_t i = 0; i < n; i++)
			p[i] = z[i] + rz_new / rz * p[i];
		rz = rz_new;
	}
	solver->cg_iterations++;
	return ML_OK;
}

/*
 * Scores are free up to a constant for all classes: b has mean zero over them, as a penalty would make it.
 * Steps are kept so too, or that constant drifts until float scores lose their digits.
 */
static void
center_classes(const MlLogisticProblem *problem, double *b)
{
	size_t columns = problem->n_columns;
	size_t n_free = ml_logistic_penalized(&problem->options) ? 1 : columns;

	if (problem->n_groups == 1)
		return;
	for (size_t j = 0; j < n_free; j++)
	{
		double mean = 0;

		for (uint32_t k = 0; k < problem->n_groups; k++)
			mean += b[k * columns + j] / problem->n_groups;
		for (uint32_t k = 0; k < problem->n_groups; k++)
			b[k * columns + j] -= mean;
	}
}

/* The point to begin from. */
static void
start(MlLogisticSolver *solver)
{
	const MlLogisticProblem *problem = solver->problem;

	if (problem->previous)
	{
		ml_logistic_take_over(problem->previous, problem, solver->b);
		center_classes(problem, solver->b);
	}
	else
		start_at_shares(solver);
}

/*
 * step = where to go from b; z = metric^-1 gradient at entry. first_lambda: at the start. The residual falls
 * superlinearly, but no further than the tolerance asks.
 */
static MlStatus
find_direction(MlLogisticSolver *solver, double first_lambda)
{
	double lambda = sqrt(solver->decrement), forcing = fmin(FORCING, sqrt(lambda / first_lambda));

	if (solver->by_descent)
	{
		center_classes(solver->problem, solver->step);
		return ML_OK; /* measuring has found it */
	}
	if (!solver->metric.newton)
	{
		forcing = fmax(forcing, fmin(FORCING, 0.5 * solver->problem->options.tol / lambda));
		ML_TRY(conjugate_gradients(solver, forcing));
		if (solver->sparse)
			ml_logistic_align(solver);
		center_classes(solver->problem, solver->step);
		return ML_OK;
	}
	for (size_t i = 0; i < solver->n; i++)
		solver->step[i] = -solver->z[i];
	return ML_OK;
}

/* ---- step */

/* The next length to try: the minimum of the parabola, kept within a tenth and a half. */
static double
shorten(double length, double slope, double rise)
{
	double best = -slope * length * length / (2 * (rise - slope * length));

	return fmax(0.1 * length, fmin(0.5 * length, best)); /* a rise that is no number gives a half */
}

/* Value and gradient at b_trial, penalties included. */
static MlStatus
evaluate_trial(MlLogisticSolver *solver)
{
	ML_TRY(ml_logistic_evaluate(solver->problem, solver->b_trial, &solver->value_trial,
								solver->gradient_trial));
	solver->value_trial += ml_logistic_sparse_size(solver, solver->b_trial);
	return ML_OK;
}

/*
 * Go along step until the value has fallen enough, or cannot be told from falling (the approximate Wolfe
 * condition of Hager and Zhang 2005); *found: it has. Then the trial is the new point.
 */
static MlStatus
search_line(MlLogisticSolver *solver, bool *found)
{
	double slope = solver->sparse ? ml_logistic_sparse_slope(solver)
								  : dot(solver->gradient, solver->step, solver->n);
	double noise = VALUE_NOISE * fabs(solver->value);

	*found = false;
	solver->length = 1;
	for (int trial = 0; trial < STEP_TRIALS && slope < 0 && !*found; trial++)
	{
		double rise, back;

		ml_logistic_sparse_move(solver);
		ML_TRY(evaluate_trial(solver));
		rise = solver->value_trial - solver->value;
		back = solver->sparse ? ml_logistic_sparse_slope_back(solver)
							  : dot(solver->gradient_trial, solver->step, solver->n);
		if (rise <= ARMIJO * solver->length * slope ||
			(rise <= noise && back <= -SLOPE_MAX * slope))
			*found = true;
		else
			solver->length =
				isfinite(rise) ? shorten(solver->length, slope, rise) : 0.1 * solver->length;
	}
	return ML_OK;
}

/* Take the trial as the point. */
static void
accept(MlLogisticSolver *solver)
{
	double *b = solver->b, *gradient = solver->gradient;

	solver->b = solver->b_trial;
	solver->gradient = solver->gradient_trial;
	solver->value = solver->value_trial;
	solver->b_trial = b;
	solver->gradient_trial = gradient;
}

/* ---- iterations */

/* Decide after a step whether the metric is to be renewed; share: lambda after / before. */
static void
judge_metric(MlLogisticSolver *solver, double share, int iteration)
{
	MlLogisticMetric *metric = &solver->metric;

	if (metric->newton || metric->whole)
	{
		solver->renew = !(share <= RENEW_ABOVE);
		if (!(share <= SLOW_ABOVE) && iteration > 2)
			metric->stride = ML_MAX(metric->stride / 4, 1);
	}
	else
	{
		if (solver->fresh)
			solver->cg_fresh = solver->cg_iterations;
		solver->renew = solver->cg_iterations > solver->cg_fresh + CG_RENEW || iteration < 2 ||
						solver->length < 1;
	}
}

/* lambda^2 at the point, and z, or the step. */
static MlStatus
measure(MlLogisticSolver *solver)
{
	const double *gradient = solver->gradient;

	if (solver->by_descent)
		return ml_logistic_descend(solver);
	if (solver->sparse)
	{
		ml_logistic_find_face(solver);
		gradient = solver->pseudo;
	}
	ml_logistic_metric_solve(&solver->metric, gradient, solver->z);
	ml_logistic_mask(solver, solver->z);
	solver->decrement = dot(gradient, solver->z, solver->n);
	return ML_OK;
}

/* The value at the point without its penalties. */
static double
loss_of(const MlLogisticSolver *solver)
{
	return solver->value - 0.5 * solver->problem->options.l2 * squared_weights(solver) -
		   ml_logistic_sparse_size(solver, solver->b);
}

/* The greatest absolute gradient, with a lasso penalty of its part that matters. */
static double
gradient_norm(const MlLogisticSolver *solver)
{
	double most = 0, l1 = solver->problem->options.l1;

	for (size_t i = 0; i < solver->n; i++)
	{
		double g = solver->gradient[i], b = solver->b[i];

		if (solver->sparse && !ml_logistic_is_intercept(solver, i))
			g = b != 0 ? g + copysign(l1, b) : fmax(fabs(g) - l1, 0);
		most = fmax(most, fabs(g));
	}
	return most;
}

/* One line of the training log: rows of weight 1 are the unit. */
static void
log_iteration(const MlLogisticSolver *solver, int iteration, MlBuffer *out)
{
	const MlLogisticProblem *problem = solver->problem;
	double n = (double) problem->n, square = squared_weights(solver);
	MlProgress line = {
		.iteration = iteration, .total = problem->options.max_iter, .valid_loss = NAN};
	MlJsonWriter w;

	line.loss = loss_of(solver) / n;
	if (out->len > 0)
		ml_put_u8(out, ',');
	ml_json_writer(&w, out);
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "iteration", iteration);
	ml_json_number(&w, "loss", line.loss);
	ml_json_number(&w, "gradient_norm", gradient_norm(solver) / n);
	ml_json_number(&w, "weight_norm", sqrt(square));
	ml_json_number(&w, "step", solver->length);
	ml_json_close(&w, '}');
	ml_report(problem->env, &line);
}

/*
 * True at the optimum: lambda is below the tolerance, or so small that float cannot lower it. A step to
 * another face may well gain little, so there it takes several such steps to say so.
 */
static bool
is_optimal(MlLogisticSolver *solver, double lambda_before)
{
	double lambda = sqrt(fmax(solver->decrement, 0));
	bool slow = lambda <= LAMBDA_NOISE && lambda > 0.5 * lambda_before;

	solver->slow = slow ? solver->slow + 1 : 0;
	return lambda <= solver->problem->options.tol || solver->slow > (solver->sparse ? FACES : 0);
}

/*
 * The iterations. A line along which nothing falls is tried once more with a fresh metric; then float has
 * no more to give, and the point is judged as it is.
 */
static MlStatus
iterate(MlLogisticSolver *solver, MlLogisticSolution *solution, MlBuffer *log)
{
	MlLogisticProblem *problem = solver->problem;
	double first_lambda = 0, lambda = INFINITY;
	int iteration = 0;

	ML_TRY(ml_logistic_evaluate(problem, solver->b, &solver->value, solver->gradient));
	solver->value += ml_logistic_sparse_size(solver, solver->b);
	solver->renew = true;
	for (;;)
	{
		bool found;

		solver->fresh = solver->renew;
		if (solver->fresh)
		{
			ML_TRY(ml_logistic_metric_build(&solver->metric));
			ML_TRY(measure(solver));
		}
		solver->renew = false;
		solution->converged = is_optimal(solver, lambda);
		if (solution->converged || iteration == problem->options.max_iter)
			break;
		if (iteration == 0)
			first_lambda = sqrt(solver->decrement);
		ML_TRY(find_direction(solver, first_lambda));
		ML_TRY(search_line(solver, &found));
		if (!found && !solver->fresh)
		{
			ML_TRY(ml_logistic_evaluate(problem, solver->b, &solver->value, solver->gradient));
			solver->value += ml_logistic_sparse_size(solver, solver->b);
			solver->renew = true;
			continue;
		}
		if (!found)
		{
			solution->converged = solver->decrement <= LAMBDA_NOISE * LAMBDA_NOISE;
			break;
		}
		lambda = sqrt(solver->decrement);
		accept(solver);
		log_iteration(solver, ++iteration, log);
		ML_TRY(measure(solver));
		judge_metric(solver, sqrt(fmax(solver->decrement, 0)) / lambda, iteration);
	}
	solution->iterations = iteration;
	return ML_OK;
}

/* How many coefficients are free, and how many are other than 0. */
static void
count_free(const MlLogisticSolver *solver, MlLogisticSolution *solution)
{
	for (size_t i = 0; i < solver->n; i++)
	{
		bool intercept = ml_logistic_is_intercept(solver, i), used = solver->b[i] != 0;

		solution->n_nonzero += !intercept && used;
		solution->n_free += solver->sparse ? intercept || used : !solver->metric.dropped[i];
	}
	if (solver->problem->n_groups > 1 && !solver->sparse)
		solution->n_free -= solution->n_free / solver->problem->n_groups;
}

/* Minimise from the best intercepts, or from another model. solution->b is the caller's; log: elements of a JSON array. */
MlStatus
ml_logistic_solve(MlLogisticProblem *problem, MlLogisticSolution *solution, MlBuffer *log)
{
	MlLogisticSolver solver = {
		.problem = problem, .n = problem->n_unknowns, .length = 1, .metric.problem = problem};
	MlStatus status = allocate(&solver);

	if (status == ML_OK)
		status = ml_logistic_metric_create(problem, &solver.metric);
	if (status == ML_OK)
		status = ml_logistic_sparse_begin(&solver);
	if (status == ML_OK)
	{
		start(&solver);
		status = iterate(&solver, solution, log);
	}
	if (status == ML_OK)
	{
		memcpy(solution->b, solver.b, solver.n * sizeof(double));
		solution->loss = loss_of(&solver);
		solution->separated = !ml_logistic_penalized(&problem->options) &&
							  greatest(solver.step, solver.n) * solver.length > MOVING;
		solution->converged = solution->converged && !solution->separated;
		count_free(&solver, solution);
	}
	release(&solver);
	return status;
}
