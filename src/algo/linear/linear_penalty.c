/*
 * linear_penalty.c
 *		ridge, lasso and elastic_net: their parameters and tables of functions.
 *
 * Three faces of one solver (linear_path.c, whose head has the objectives) over the
 * sums that `linear` keeps. Names and scales of the options are scikit-learn's;
 * standardize is on, as in glmnet, since SQL columns come in all units.
 */
#include <math.h>

#include "algo/linear/linear.h"

/* Indexes in the tables: ridge has the first ones only, lasso all but the last. */
typedef enum PenaltyParam
{
	PENALTY_ALPHA,
	PENALTY_INTERCEPT,
	PENALTY_STANDARDIZE,
	PENALTY_MAX_LEVELS,
	PENALTY_FOLDS,
	PENALTY_N_ALPHAS,
	PENALTY_SELECTION,
	PENALTY_TOL,
	PENALTY_MAX_ITER,
	PENALTY_L1_RATIO
} PenaltyParam;

#define SHARED_PARAMS(alpha_help, n_alphas) \
	[PENALTY_ALPHA] = {"alpha", ML_PARAM_REAL, "null", 0, 1e300, NULL, alpha_help}, \
	[PENALTY_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 1, NULL, "Fit an intercept."}, \
	[PENALTY_STANDARDIZE] = {"standardize", \
							 ML_PARAM_BOOL, \
							 "true", \
							 0, \
							 1, \
							 NULL, \
							 "Penalise the coefficients of numbers divided by their standard " \
							 "deviation; the coefficients shown are those of the data as they " \
							 "are. Levels are 0 or 1 either way."}, \
	[PENALTY_MAX_LEVELS] = {"max_levels", \
							ML_PARAM_INT, \
							"1000", \
							1, \
							65535, \
							NULL, \
							"Levels of a categorical feature that get a coefficient of their " \
							"own, the most frequent ones."}, \
	[PENALTY_FOLDS] = {"path_folds", \
					   ML_PARAM_INT, \
					   "5", \
					   2, \
					   ML_LINEAR_MAX_FOLDS, \
					   NULL, \
					   "Folds of the cross-validation that chooses alpha."}, \
	[PENALTY_N_ALPHAS] = {"n_alphas", \
						  ML_PARAM_INT, \
						  n_alphas, \
						  2, \
						  1000, \
						  NULL, \
						  "Values of alpha that are tried, evenly spaced in their logarithm."}, \
	[PENALTY_SELECTION] = { \
		"selection", \
		ML_PARAM_CHOICE, \
		"\"min\"", \
		0, \
		0, \
		"min|one_se", \
		"Take the alpha of the smallest cross-validated error, or the greatest one within a " \
		"standard error of it."}

#define DESCENT_PARAMS \
	[PENALTY_TOL] = {"tol", \
					 ML_PARAM_REAL, \
					 "1e-6", \
					 1e-10, \
					 1, \
					 NULL, \
					 "Stop when the duality gap is below this share of the target's sum of " \
					 "squares."}, \
	[PENALTY_MAX_ITER] = {"max_iter", \
						  ML_PARAM_INT, \
						  "10000", \
						  1, \
						  100000000, \
						  NULL, \
						  "Most sweeps over the coefficients for a value of alpha."}

static const MlParam ridge_params[] = {
	SHARED_PARAMS("Penalty: alpha times the sum of squared coefficients is added to the sum of "
				  "squared residuals; by default chosen by cross-validation.",
				  "25"),
	{.name = NULL}};

static const MlParam lasso_params[] = {
	SHARED_PARAMS("Penalty: alpha times the sum of absolute coefficients is added to half the mean "
				  "squared residual; by default chosen by cross-validation.",
				  "100"),
	DESCENT_PARAMS,
	{.name = NULL}};

static const MlParam elastic_net_params[] = {
	SHARED_PARAMS("Penalty: alpha times (l1_ratio times the sum of absolute coefficients, plus (1 "
				  "- l1_ratio) / 2 times the sum of squared ones) is added to half the mean "
				  "squared residual; by default chosen by cross-validation.",
				  "100"),
	DESCENT_PARAMS,
	[PENALTY_L1_RATIO] = {"l1_ratio", ML_PARAM_REAL, "0.5", 0, 1, NULL,
						  "Share of the absolute coefficients in the penalty: 1 is lasso, 0 is "
						  "ridge."},
	{.name = NULL}};

static void
read_options(const MlParams *params, MlLinearOptions *options)
{
	*options = (MlLinearOptions){
		.penalized = true,
		.ridge = params->table == ridge_params,
		.least = {.intercept = ml_param_bool(params, PENALTY_INTERCEPT),
				  .standardize = ml_param_bool(params, PENALTY_STANDARDIZE)},
		.max_levels = (uint32_t) ml_param_int(params, PENALTY_MAX_LEVELS),
		.alpha = params->values[PENALTY_ALPHA].null ? NAN : ml_param_real(params, PENALTY_ALPHA),
		.n_folds = ml_param_int(params, PENALTY_FOLDS),
		.n_alphas = ml_param_int(params, PENALTY_N_ALPHAS),
		.one_se = ml_param_int(params, PENALTY_SELECTION) == 1,
	};
	if (options->ridge)
		return;
	options->l1_ratio = params->table == lasso_params ? 1 : ml_param_real(params, PENALTY_L1_RATIO);
	options->tol = ml_param_real(params, PENALTY_TOL);
	options->max_iter = ml_param_int(params, PENALTY_MAX_ITER);
}

static MlStatus
penalty_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_fit(env, arena, input, &options, report, model);
}

static MlStatus
penalty_begin(MlArena *arena, const MlStreamInput *input, void **state)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_begin(arena, input, &options, state);
}

static MlStatus
penalty_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input, void **state)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_load_state(in, arena, input, &options, state);
}

static const MlStreaming penalty_streaming = {
	.begin = penalty_begin,
	.accumulate = ml_linear_accumulate,
	.merge = ml_linear_merge,
	.finish = ml_linear_finish,
	.save = ml_linear_save_state,
	.load = penalty_load_state,
};

#define PENALTY_FUNCTIONS \
	.tasks = ML_TASK_BIT(ML_REGRESSION), .streaming = &penalty_streaming, .fit = penalty_fit, \
	.save = ml_linear_save, .load = ml_linear_load, .predict = ml_linear_predict, \
	.importance = ml_linear_importance, .coefficients = ml_linear_coefficients, \
	.formula = ml_linear_formula, .contributions = ml_linear_contributions

const MlAlgo ml_algo_ridge = {
	.name = "ridge",
	.summary = "Ridge regression; the penalty is chosen by cross-validation",
	.params = ridge_params,
	PENALTY_FUNCTIONS,
};

const MlAlgo ml_algo_lasso = {
	.name = "lasso",
	.summary = "Lasso: linear regression that leaves features out; the penalty is chosen by "
			   "cross-validation",
	.params = lasso_params,
	PENALTY_FUNCTIONS,
};

const MlAlgo ml_algo_elastic_net = {
	.name = "elastic_net",
	.summary = "Elastic net: lasso and ridge together; the penalty is chosen by cross-validation",
	.params = elastic_net_params,
	PENALTY_FUNCTIONS,
};
