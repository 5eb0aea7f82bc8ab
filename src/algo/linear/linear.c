/*
 * linear.c
 *		Least squares and ridge regression: parameters, summary, and the table of functions.
 *
 * Rows are folded into a triangular factor (tsqr.c), or into cross products in
 * double-double (ddgram.c) with precision 'extended'. linear_stream.c does so row
 * by row, with a state that merges; linear_fit.c from a dataset, with factors.
 * leastsq.c and leastsq_dd.c solve; linear_model.c predicts.
 */
#include <math.h>

#include "algo/linear/linear.h"
#include "core/stats.h"

static const MlParam linear_params[] = {
	[LINEAR_L2] = {"l2", ML_PARAM_REAL, "0", 0, 1e300, NULL,
				   "Ridge penalty: l2 times the sum of squared coefficients is added to the sum of "
				   "squared residuals; columns as they are, the intercept is not penalised."},
	[LINEAR_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 1, NULL, "Fit an intercept."},
	[LINEAR_PRECISION] = {"precision", ML_PARAM_CHOICE, "\"double\"", 0, 0, "double|extended",
						  "Arithmetic of the sums: double, or extended (32 digits, slower), for "
						  "ill-conditioned data."},
	[LINEAR_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "255", 1, 65535, NULL,
						   "Levels of a categorical feature that get a coefficient of their own, "
						   "the most frequent ones."},
	{.name = NULL}};

void
ml_linear_options(const MlParams *params, MlLeastOptions *options)
{
	options->l2 = ml_param_real(params, LINEAR_L2);
	options->intercept = ml_param_bool(params, LINEAR_INTERCEPT);
	options->extended = ml_param_int(params, LINEAR_PRECISION) == 1;
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
void
ml_linear_summary(const MlLeastSquares *fit, const MlLeastOptions *options, uint64_t n_rows,
				  double sum_log_weight, MlFitReport *report)
{
	double n = (double) n_rows, free_mean = options->intercept ? 1 : 0, df = fit->df;
	double r2 = fit->tss > 0 ? 1 - fit->rss / fit->tss : NAN,
		   df_model = (double) fit->rank - free_mean;
	double f = df > 0 && df_model > 0 ? (fit->tss - fit->rss) / df_model / (fit->rss / df) : NAN;
	double likelihood = log_likelihood(n, fit->rss, sum_log_weight);
	bool plain = options->l2 == 0;
	MlJsonWriter w;

	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "n", n);
	ml_json_number(&w, "rank", (double) fit->rank);
	ml_json_number(&w, "df_residual", df);
	ml_json_number(&w, "r2", r2);
	ml_json_number(&w, "adj_r2", df > 0 ? 1 - (1 - r2) * (n - free_mean) / df : NAN);
	ml_json_number(&w, "sigma", df > 0 ? sqrt(fit->rss / df) : NAN);
	ml_json_number(&w, "f_statistic", plain ? f : NAN);
	ml_json_number(&w, "f_p_value", plain ? ml_f_p_upper(f, df_model, df) : NAN);
	ml_json_number(&w, "log_likelihood", likelihood);
	/* sigma counts as a parameter, as in R. */
	ml_json_number(&w, "aic", plain ? 2 * ((double) fit->rank + 1) - 2 * likelihood : NAN);
}

const MlAlgo ml_algo_linear = {
	.name = "linear",
	.summary = "least squares and ridge regression with standard errors",
	.tasks = ML_TASK_BIT(ML_REGRESSION),
	.params = linear_params,
	.streaming = &ml_linear_streaming,
	.fit = ml_linear_fit,
	.save = ml_linear_save,
	.load = ml_linear_load,
	.predict = ml_linear_predict,
	.importance = ml_linear_importance,
	.coefficients = ml_linear_coefficients,
	.contributions = ml_linear_contributions,
};
