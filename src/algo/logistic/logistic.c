/*
 * logistic.c
 *		Logistic regression with ridge, lasso and elastic net penalties, for two classes or more.
 *
 * Fits the penalised likelihood of logistic.h on numbers that are standardised
 * and levels that are not, and gives the coefficients on the scale of the data.
 * The work is in the files beside this one: a compact copy of the rows and passes
 * over it (logistic_data, _kernel, _pass), the metric (_curvature), the solver
 * (_newton, and _sparse for a lasso penalty), the last digits and standard errors (_exact), the model (_model).
 *
 * Classes that can be told apart without error have no finite fit without a
 * penalty: training then ends with large coefficients, converged = false in the
 * summary, and a word on what to do. That is not an error.
 */
#include <math.h>
#include <string.h>

#include "algo/logistic/logistic.h"

static const MlParam logistic_params[] = {
	[LOGISTIC_L2] = {"l2", ML_PARAM_REAL, "1.0", 0, 1e12, NULL,
					 "Ridge penalty: l2 / 2 times the sum of squared coefficients of standardised "
					 "columns; 0 for none "
					 "(then two classes get standard errors)."},
	[LOGISTIC_L1] = {"l1", ML_PARAM_REAL, "0", 0, 1e12, NULL,
					 "Lasso penalty: l1 times the sum of absolute coefficients of standardised "
					 "columns, which leaves columns out; with l2 it is an elastic net."},
	[LOGISTIC_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 0, NULL,
							"Whether to fit an intercept."},
	[LOGISTIC_MAX_ITER] = {"max_iter", ML_PARAM_INT, "100", 1, 100000, NULL,
						   "Most iterations of the solver."},
	[LOGISTIC_TOL] =
		{"tol", ML_PARAM_REAL, "1e-4", 1e-12, 1, NULL,
		 "Stop when the coefficients are within so many standard errors of the optimum."},
	[LOGISTIC_MAX_LEVELS] =
		{"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
		 "Most frequent levels of a categorical feature that get a coefficient of their own."},
	{NULL},
};

/* ---- the report */

/* The log likelihood of the best model without columns. */
static double
null_log_likelihood(const MlLogisticProblem *problem)
{
	double n = (double) problem->n, sum = 0;

	if (!problem->options.intercept)
		return -n * log(problem->n_classes) * problem->weight_mean;
	for (uint32_t k = 0; k < problem->n_classes; k++)
		if (problem->class_weight[k] > 0)
			sum += problem->class_weight[k] * log(problem->class_weight[k] / n);
	return sum * problem->weight_mean;
}

/* The members of the summary. */
static void
summarise(const MlLogisticProblem *problem, const MlLogisticSolution *solution, MlBuffer *out)
{
	double fitted = -solution->loss * problem->weight_mean, null = null_log_likelihood(problem);
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_number(&w, "log_likelihood", fitted);
	ml_json_number(&w, "null_log_likelihood", null);
	ml_json_number(&w, "pseudo_r2", null < 0 ? 1 - fitted / null : NAN);
	ml_json_number(&w, "aic", 2 * (double) solution->n_free - 2 * fitted);
	if (problem->options.l1 > 0)
		ml_json_number(&w, "nonzero", (double) solution->n_nonzero);
	ml_json_number(&w, "iterations", solution->iterations);
	ml_json_bool(&w, "converged", solution->converged);
	ml_json_number(&w, "n", (double) problem->n);
	if (solution->separated)
		ml_json_text(&w, "advice",
					 "Some columns tell the classes apart without error, so their best "
					 "coefficients are infinite: "
					 "set l2 above 0, or leave out the column that gives the answer away.");
	else if (!solution->converged)
		ml_json_text(&w, "advice", "The solver stopped early: raise max_iter, or set l2 higher.");
}

/* ---- fitting */

static void
read_options(const MlParams *params, MlLogisticOptions *options)
{
	options->l1 = ml_param_real(params, LOGISTIC_L1);
	options->l2 = ml_param_real(params, LOGISTIC_L2);
	options->tol = ml_param_real(params, LOGISTIC_TOL);
	options->max_iter = ml_param_int(params, LOGISTIC_MAX_ITER);
	options->intercept = ml_param_bool(params, LOGISTIC_INTERCEPT);
}

/* From the standardised solution to a model on the scale of the data. */
static MlStatus
make_model(const MlLogisticProblem *problem, const MlLogisticSolution *solution,
		   const double *std_error, MlArena *arena, void **out)
{
	size_t columns = problem->n_columns;
	MlLogisticModel *model = ml_arena_alloc(arena, sizeof(*model));

	if (!model)
		return ML_ENOMEM;
	model->design = problem->design;
	model->n_groups = problem->n_groups;
	model->intercept = problem->options.intercept;
	model->coef = ml_arena_array(arena, problem->n_unknowns, sizeof(double));
	model->level_share = ml_arena_array(arena, problem->n_levels, sizeof(double));
	model->std_error = std_error ? ml_arena_array(arena, columns, sizeof(double)) : NULL;
	if (!model->coef || !model->level_share || (std_error && !model->std_error))
		return ML_ENOMEM;
	if (std_error)
		memcpy(model->std_error, std_error, columns * sizeof(double));
	memcpy(model->level_share, problem->level_share, problem->n_levels * sizeof(double));
	memcpy(model->coef, solution->b, problem->n_unknowns * sizeof(double));
	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		double *coef = model->coef + k * columns;

		for (uint32_t j = 0; j < problem->n_dense; j++)
		{
			coef[1 + j] /= problem->scale[j];
			coef[0] -= coef[1 + j] * problem->center[j];
		}
	}
	ML_TRY(ml_logistic_model_tables(arena, model));
	*out = model;
	return ML_OK;
}

/* Solve, finish, report; the problem is loaded. b and std_error have room for the unknowns and the columns. */
static MlStatus
fit_loaded(MlLogisticProblem *problem, double *b, double *std_error, MlArena *arena,
		   MlFitReport *report, void **model)
{
	MlLogisticSolution solution = {.b = b};
	bool exact = !ml_logistic_penalized(&problem->options) && problem->n_groups == 1 &&
				 problem->n_columns <= ML_LOGISTIC_MAX_FULL;

	ML_TRY(ml_logistic_solve(problem, &solution, &report->log));
	if (exact)
		ML_TRY(ml_logistic_exact(problem, &solution, std_error));
	summarise(problem, &solution, &report->summary);
	return make_model(problem, &solution, exact ? std_error : NULL, arena, model);
}

static MlStatus
logistic_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlLogisticProblem problem = {.env = env, .data = input->data, .rows = &input->train};
	MlDesignOptions options = {.max_levels =
								   (uint32_t) ml_param_int(input->params, LOGISTIC_MAX_LEVELS)};
	MlDesign *design;
	double *b = NULL, *std_error = NULL;
	MlStatus status;

	read_options(input->params, &problem.options);
	options.drop_first = !ml_logistic_penalized(&problem.options);
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &options, &design));
	problem.design = design;
	problem.previous = input->previous;
	status = ml_logistic_load(&problem);
	if (status == ML_OK)
	{
		b = ml_alloc_array(env, problem.n_unknowns, sizeof(double));
		std_error = ml_alloc_array(env, problem.n_columns, sizeof(double));
		status =
			b && std_error ? fit_loaded(&problem, b, std_error, arena, report, model) : ML_ENOMEM;
	}
	ml_free(env, std_error);
	ml_free(env, b);
	ml_logistic_free(&problem);
	return status;
}

const MlAlgo ml_algo_logistic = {
	.name = "logistic",
	.summary =
		"Logistic regression, binary and multinomial, with ridge, lasso and elastic net penalties",
	.tasks = ML_TASK_BIT(ML_CLASSIFICATION),
	.params = logistic_params,
	.continues = true,
	.fit = logistic_fit,
	.save = ml_logistic_save,
	.load = ml_logistic_load_model,
	.predict = ml_logistic_predict,
	.importance = ml_logistic_importance,
	.coefficients = ml_logistic_coefficients,
	.formula = ml_logistic_formula,
	.contributions = ml_logistic_contributions,
};
