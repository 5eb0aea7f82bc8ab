/*
 * linear.c
 *		Least squares with standard errors: parameters, summary, and the table of functions.
 *
 * Rows are folded into a triangular factor (tsqr.c), or into cross products in
 * double-double (ddgram.c) with precision 'extended'. linear_stream.c does so row
 * by row, with a state that merges; linear_fit.c from a dataset, with factors.
 * leastsq.c and leastsq_dd.c solve; linear_model.c predicts. linear_penalty.c makes
 * ridge, lasso and elastic_net of the same parts, with linear_path.c as their solver.
 */
#include <math.h>

#include "algo/linear/linear.h"
#include "core/rng.h"
#include "core/stats.h"

static const MlParam linear_params[] = {
	[LINEAR_L2] = {"l2", ML_PARAM_REAL, "0", 0, 1e300, NULL,
				   "Ridge penalty: l2 times the sum of squared coefficients is added to the sum of "
				   "squared residuals; columns as they are, the intercept is not penalised."},
	[LINEAR_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 1, NULL, "Fit an intercept."},
	[LINEAR_PRECISION] = {"precision", ML_PARAM_CHOICE, "\"double\"", 0, 0, "double|extended",
						  "Arithmetic of the sums: double, or extended (32 digits, slower), for "
						  "ill-conditioned data."},
	[LINEAR_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
						   "Levels of a categorical feature that get a coefficient of their own, "
						   "the most frequent ones."},
	{.name = NULL}};

static void
read_options(const MlParams *params, MlLinearOptions *options)
{
	*options = (MlLinearOptions){
		.least = {.l2 = ml_param_real(params, LINEAR_L2),
				  .intercept = ml_param_bool(params, LINEAR_INTERCEPT),
				  .extended = ml_param_int(params, LINEAR_PRECISION) == 1},
		.max_levels = (uint32_t) ml_param_int(params, LINEAR_MAX_LEVELS),
	};
}

/*
 * The Gaussian log-likelihood at its maximum over sigma, with precision weights (as R's logLik.lm): with
 * n rows, (sum(log w) - n (log(2 pi) + 1 - log n + log rss)) / 2. A perfect fit has none.
 */
static double
log_likelihood(double n, double rss, double sum_log_weight)
{
	return rss > 0 ? (sum_log_weight - n * (log(2 * M_PI) + 1 - log(n) + log(rss))) / 2 : NAN;
}

/* Share of the total sum of squares; r2 without an intercept is about zero, as R has it. */
static void
summarise(const MlLeastSquares *fit, const MlLinearSums *sums, const MlLinearOptions *options,
		  MlFitReport *report)
{
	double n = (double) sums->n_rows, free_mean = options->least.intercept ? 1 : 0, df = fit->df;
	double r2 = fit->tss > 0 ? 1 - fit->rss / fit->tss : NAN,
		   df_model = (double) fit->rank - free_mean;
	double f = df > 0 && df_model > 0 ? (fit->tss - fit->rss) / df_model / (fit->rss / df) : NAN;
	double likelihood = log_likelihood(n, fit->rss, sums->sum_log_weight);
	bool plain = options->least.l2 == 0 && !options->penalized;
	MlJsonWriter w;

	ml_json_writer(&w, &report->summary);
	w.comma = report->summary.len > 0;
	ml_json_number(&w, "n", n);
	ml_json_number(&w, "rank", (double) fit->rank);
	ml_json_number(&w, "df_residual", df);
	ml_json_number(&w, "r2", r2);
	ml_json_number(&w, "adj_r2", df > 0 ? 1 - (1 - r2) * (n - free_mean) / df : NAN);
	ml_json_number(&w, "sigma", df > 0 ? sqrt(fit->rss / df) : NAN);
	if (options->penalized)
		return;
	ml_json_number(&w, "f_statistic", plain ? f : NAN);
	ml_json_number(&w, "f_p_value", plain ? ml_f_p_upper(f, df_model, df) : NAN);
	ml_json_number(&w, "log_likelihood", likelihood);
	/* sigma counts as a parameter, as in R. */
	ml_json_number(&w, "aic", plain ? 2 * ((double) fit->rank + 1) - 2 * likelihood : NAN);
}

size_t
ml_linear_folds(const MlLinearOptions *options)
{
	return options->penalized && isnan(options->alpha) ? (size_t) options->n_folds : 1;
}

/* The order in a run is turned by a hash, so that no period of the data falls into step with it. */
size_t
ml_linear_fold_of(uint64_t row, size_t n_folds)
{
	return n_folds > 1 ? (size_t) ((row % n_folds + ml_mix64(row / n_folds) % n_folds) % n_folds)
					   : 0;
}

MlStatus
ml_linear_solve(MlArena *scratch, const MlLinearSums *sums, const MlLeastColumns *columns,
				const MlLinearOptions *options, MlFitReport *report, MlLeastSquares **fit)
{
	const MlLeastOptions *least = &options->least;

	if (options->penalized)
		ML_TRY(ml_linear_path(scratch, sums, columns, options, report, fit));
	else if (sums->gram)
		ML_TRY(ml_leastsq_from_gram(scratch, sums->gram, columns, least, sums->n_rows, fit));
	else
		ML_TRY(ml_leastsq_from_tsqr(scratch, sums->tsqr[0], columns, sums->levels[0], least,
									sums->n_rows, fit));
	summarise(*fit, sums, options, report);
	return report->summary.status;
}

static MlStatus
linear_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_fit(env, arena, input, &options, report, model);
}

static MlStatus
linear_begin(MlArena *arena, const MlStreamInput *input, void **state)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_begin(arena, input, &options, state);
}

static MlStatus
linear_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input, void **state)
{
	MlLinearOptions options;

	read_options(input->params, &options);
	return ml_linear_load_state(in, arena, input, &options, state);
}

static const MlStreaming linear_streaming = {
	.begin = linear_begin,
	.accumulate = ml_linear_accumulate,
	.merge = ml_linear_merge,
	.finish = ml_linear_finish,
	.save = ml_linear_save_state,
	.load = linear_load_state,
};

const MlAlgo ml_algo_linear = {
	.name = "linear",
	.summary = "Least squares and ridge regression with standard errors",
	.tasks = ML_TASK_BIT(ML_REGRESSION),
	.params = linear_params,
	.streaming = &linear_streaming,
	.fit = linear_fit,
	.save = ml_linear_save,
	.load = ml_linear_load,
	.predict = ml_linear_predict,
	.importance = ml_linear_importance,
	.coefficients = ml_linear_coefficients,
	.formula = ml_linear_formula,
	.contributions = ml_linear_contributions,
};
