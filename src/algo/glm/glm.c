/*
 * glm.c
 *		Generalised linear models: options, the course of a fit, the summary.
 *
 * The columns are fitted standardised, and given on the scale of the data. The work is
 * in the files beside this one: families and links (glm_family), passes over the rows
 * (glm_open, glm_pass), the solver (glm_solve), theta (glm_theta), the model (glm_model).
 *
 * Figures are those of R's glm and MASS::glm.nb: dispersion by Pearson's chi squared over
 * the residual degrees of freedom where the family has one, and t then, else z; standard
 * errors only without a penalty, since a ridge has none that mean the same.
 */
#include <string.h>

#include "algo/glm/glm.h"

#define THETA_ROUNDS 30
#define THETA_CLOSE 1e-7 /* relative change of theta that ends the rounds */

static const MlParam glm_params[] = {
	[GLM_FAMILY] = {"family", ML_PARAM_CHOICE, "\"gaussian\"", 0, 0,
					"gaussian|poisson|gamma|tweedie|negative_binomial|inverse_gaussian|binomial",
					"Distribution of the target; binomial takes shares between 0 and 1, the "
					"weight being the trials."},
	[GLM_LINK] = {"link", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
				  "auto|identity|log|inverse|inverse_squared|sqrt|logit|probit|cloglog",
				  "How the mean follows from the columns; auto: identity for gaussian, logit for "
				  "binomial, else log."},
	[GLM_POWER] = {"power", ML_PARAM_REAL, "1.5", 1, 3, NULL,
				   "Tweedie: the variance is proportional to mean^power; 1 is poisson, 2 gamma, "
				   "3 inverse_gaussian."},
	[GLM_THETA] = {"theta", ML_PARAM_REAL, "null", 1e-10, 1e7, NULL,
				   "Negative binomial: the variance is mean + mean^2 / theta; by default theta is "
				   "fitted."},
	[GLM_EXPOSURE] = {"exposure", ML_PARAM_TEXT, "null", 0, 0, NULL,
					  "Column that the mean is proportional to: time at risk, population; link "
					  "log only."},
	[GLM_OFFSET] = {"offset", ML_PARAM_TEXT, "null", 0, 0, NULL,
					"Column that is added to the linear predictor with coefficient 1."},
	[GLM_L2] = {"l2", ML_PARAM_REAL, "0", 0, 1e12, NULL,
				"Ridge penalty: l2 / 2 times the sum of squared coefficients of standardised "
				"columns, beside half the deviance."},
	[GLM_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 0, NULL,
					   "Whether to fit an intercept."},
	[GLM_MAX_ITER] = {"max_iter", ML_PARAM_INT, "100", 1, 100000, NULL,
					  "Most iterations of the solver."},
	[GLM_TOL] = {"tol", ML_PARAM_REAL, "1e-6", 1e-12, 1, NULL,
				 "Stop when the coefficients are within so many standard errors of the optimum."},
	[GLM_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
						"Most frequent levels of a categorical feature that get a coefficient of "
						"their own."},
	{NULL},
};

/* ---- options */

/* The numeric feature of that name, which is the offset or the exposure. */
static MlStatus
find_column(MlEnv *env, const MlSchema *schema, const char *option, const char *name,
			int64_t *feature)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		if (strcmp(schema->features[j].name, name) != 0)
			continue;
		if (schema->features[j].categorical)
			return ml_fail(env, ML_EINVAL,
						   "option \"%s\" names column \"%.64s\", which is not a number", option,
						   name);
		*feature = j;
		return ML_OK;
	}
	return ml_fail(env, ML_EINVAL,
				   "option \"%s\" names column \"%.64s\", which is not among the features", option,
				   name);
}

static MlStatus
read_offset(const MlParams *params, const MlSchema *schema, MlGlmProblem *problem)
{
	const char *exposure = ml_param_text(params, GLM_EXPOSURE);
	const char *offset = ml_param_text(params, GLM_OFFSET);
	MlEnv *env = problem->env;

	problem->offset_feature = -1;
	problem->exposure = exposure != NULL;
	if (exposure && offset)
		return ml_fail(env, ML_EINVAL, "options \"exposure\" and \"offset\" exclude each other");
	if (exposure && problem->law.link != ML_GLM_LOG)
	{
		ml_fail(env, ML_EINVAL, "option \"exposure\" needs link \"log\", not \"%s\"",
				ml_glm_link_name(problem->law.link));
		ml_hint(env, "Give the rate as target and the exposure as weight, or use \"offset\".");
		return ML_EINVAL;
	}
	if (exposure)
		return find_column(env, schema, "exposure", exposure, &problem->offset_feature);
	if (offset)
		return find_column(env, schema, "offset", offset, &problem->offset_feature);
	return ML_OK;
}

static MlStatus
read_options(const MlFitInput *input, MlGlmProblem *problem)
{
	const MlParams *params = input->params;

	problem->data = input->data;
	problem->rows = &input->train;
	problem->l2 = ml_param_real(params, GLM_L2);
	problem->tol = ml_param_real(params, GLM_TOL);
	problem->max_iter = ml_param_int(params, GLM_MAX_ITER);
	problem->intercept = ml_param_bool(params, GLM_INTERCEPT);
	ML_TRY(ml_glm_law(problem->env, params, &problem->law));
	return read_offset(params, input->data->schema, problem);
}

/* ---- the course of a fit */

/* A fit in progress: what the summary is made of. */
typedef struct Fit
{
	MlGlmProblem *problem;
	const MlGlmModel *previous;
	MlGlmSolution solution;
	double *std_error; /* n_columns; the intercept first */
	bool fits_theta;
	double theta_error;
	double null_deviance;
	double df, dispersion; /* residual degrees of freedom */
	double log_likelihood;
	size_t n_parameters; /* that the log likelihood has */
} Fit;

/* The intercept that fits best alone; with an offset under the log link nearly so. */
static void
start_at_mean(const MlGlmProblem *problem, double *b)
{
	double mean = problem->law.link == ML_GLM_LOG ? problem->ratio : problem->mean_y;

	memset(b, 0, problem->n_columns * sizeof(double));
	if (problem->intercept)
		b[0] = ml_glm_link(&problem->law, mean);
	if (problem->intercept && problem->law.link != ML_GLM_LOG)
		b[0] -= problem->mean_offset;
	if (!isfinite(b[0]))
		b[0] = 0;
}

/* What the previous model gives a column of the new design. */
static double
previous_coefficient(const MlGlmModel *previous, const MlDesignColumn *column)
{
	for (uint32_t c = 0; c < previous->design->n_columns; c++)
		if (previous->design->columns[c].feature == column->feature &&
			previous->design->columns[c].level == column->level)
			return previous->scorer->coefficient[c];
	return 0;
}

/* The previous model's coefficients on the new scale. */
static void
start_at_previous(const MlGlmProblem *problem, const MlGlmModel *previous, double *b)
{
	b[0] = problem->intercept ? previous->scorer->intercept : 0;
	for (uint32_t c = 0; c < problem->design->n_columns; c++)
	{
		double value =
			problem->skip[1 + c] ? 0 : previous_coefficient(previous, &problem->design->columns[c]);

		b[1 + c] = c < problem->n_dense ? value * problem->scale[c] : value;
		if (c < problem->n_dense && problem->intercept)
			b[0] += value * problem->center[c];
	}
}

/* Deviance of the model without columns: that of the mean, or fitted where offsets vary. */
static MlStatus
fit_null(Fit *f, double *b)
{
	MlGlmProblem *problem = f->problem;
	MlGlmSolution null = {.b = b};
	bool *skip = problem->skip;
	MlStatus status;

	start_at_mean(problem, b);
	ML_TRY(ml_glm_point_create(problem, &null.point));
	problem->skip = ml_alloc_array(problem->env, problem->n_columns, sizeof(bool));
	status = problem->skip ? ML_OK : ML_ENOMEM;
	for (size_t j = 0; j < problem->n_columns && status == ML_OK; j++)
		problem->skip[j] = j > 0 || !problem->intercept;
	if (status == ML_OK && problem->intercept && problem->offset_feature >= 0)
		status = ml_glm_solve(problem, &null, NULL);
	else if (status == ML_OK)
		status = ml_glm_evaluate(problem, b, &null.point);
	f->null_deviance = isfinite(null.point.objective) ? null.point.deviance : NAN;
	if (status == ML_ENOCONV)
	{
		f->null_deviance = NAN;
		status = ML_OK;
	}
	ml_free(problem->env, problem->skip);
	problem->skip = skip;
	ml_glm_point_free(problem, &null.point);
	return status;
}

/* Coefficients and theta in turn, from Poisson's coefficients or the previous model on. */
static MlStatus
solve_with_theta(Fit *f, MlBuffer *log)
{
	MlGlmProblem *problem = f->problem;
	double change = 1;

	if (f->previous && f->previous->law.family == ML_GLM_NEGATIVE_BINOMIAL)
		problem->law.theta = f->previous->law.theta;
	else
	{
		problem->law.family = ML_GLM_POISSON;
		ML_TRY(ml_glm_solve(problem, &f->solution, log));
		problem->law.family = ML_GLM_NEGATIVE_BINOMIAL;
	}
	for (int round = 0; round < THETA_ROUNDS && change > THETA_CLOSE; round++)
	{
		double before = problem->law.theta;

		ML_TRY(ml_glm_fit_theta(problem, f->solution.b, &f->theta_error));
		ML_TRY(ml_glm_solve(problem, &f->solution, log));
		change = fabs(problem->law.theta - before) / problem->law.theta;
	}
	f->solution.converged &= change <= THETA_CLOSE;
	return ML_OK;
}

static MlStatus
solve(Fit *f, MlBuffer *log)
{
	if (f->previous)
		start_at_previous(f->problem, f->previous, f->solution.b);
	else
		start_at_mean(f->problem, f->solution.b);
	return f->fits_theta ? solve_with_theta(f, log) : ml_glm_solve(f->problem, &f->solution, log);
}

/* Dispersion, likelihood and errors at the solution, as R has them. */
static MlStatus
finish(Fit *f)
{
	MlGlmProblem *problem = f->problem;
	const MlGlmPoint *point = &f->solution.point;
	bool estimated = ml_glm_estimates_dispersion(&problem->law);
	double weight = problem->law.family == ML_GLM_GAUSSIAN ? (double) problem->n : problem->sum_w;
	double pearson = point->pearson;

	f->log_likelihood = NAN;
	if (problem->law.family != ML_GLM_TWEEDIE)
		ML_TRY(ml_glm_likelihood(problem, f->solution.b, estimated ? point->deviance / weight : 1,
								 &f->log_likelihood));
	ML_TRY(ml_glm_errors(problem, &f->solution, f->std_error));
	f->n_parameters = f->solution.rank + (estimated || f->fits_theta);
	f->df = (double) problem->n - (double) f->solution.rank;
	f->dispersion = !estimated ? 1 : f->df > 0 ? pearson / f->df : NAN;
	for (size_t j = 0; j < problem->n_columns; j++)
		f->std_error[j] *= sqrt(f->dispersion);
	return ML_OK;
}

/* ---- the summary */

/* What the user can do about a fit that is not what it should be; NULL: nothing. */
static const char *
advice(const Fit *f)
{
	if (f->solution.separated)
		return "Some coefficients have no finite best value, as with a level whose target is 0 in "
			   "all rows: set l2 above 0, or leave out the column.";
	if (f->fits_theta && f->problem->law.theta >= ML_GLM_MOST_THETA)
		return "The target varies no more than family poisson says: use that.";
	if (!f->solution.converged)
		return "The solver stopped early: raise max_iter, set l2 above 0, or use link log.";
	return NULL;
}

static void
summarise(const Fit *f, MlBuffer *out)
{
	const MlGlmProblem *problem = f->problem;
	double deviance = f->solution.point.deviance;
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_text(&w, "family", ml_glm_family_name(problem->law.family));
	ml_json_text(&w, "link", ml_glm_link_name(problem->law.link));
	if (problem->law.family == ML_GLM_TWEEDIE)
		ml_json_number(&w, "power", problem->law.power);
	if (problem->law.family == ML_GLM_NEGATIVE_BINOMIAL)
		ml_json_number(&w, "theta", problem->law.theta);
	if (f->fits_theta)
		ml_json_number(&w, "theta_std_error", f->theta_error);
	ml_json_number(&w, "deviance", deviance);
	ml_json_number(&w, "null_deviance", f->null_deviance);
	ml_json_number(&w, "pseudo_r2", 1 - deviance / f->null_deviance);
	ml_json_number(&w, "pearson_chi2", f->solution.point.pearson);
	ml_json_number(&w, "dispersion", f->dispersion);
	ml_json_number(&w, "df_residual", f->df);
	ml_json_number(&w, "df_null", (double) problem->n - problem->intercept);
	ml_json_number(&w, "log_likelihood", f->log_likelihood);
	ml_json_number(&w, "aic", 2 * (double) f->n_parameters - 2 * f->log_likelihood);
	ml_json_number(&w, "iterations", f->solution.iterations);
	ml_json_bool(&w, "converged", f->solution.converged);
	ml_json_number(&w, "n", (double) problem->n);
	if (advice(f))
		ml_json_text(&w, "advice", advice(f));
}

/* ---- the model */

/* Coefficients on the scale of the data; b is destroyed. */
static MlStatus
make_scorer(const Fit *f, const MlSchema *schema, MlArena *arena, MlScorer **scorer)
{
	const MlGlmProblem *problem = f->problem;
	double *b = f->solution.b, *share = f->solution.point.level_weight;

	for (uint32_t j = 0; j < problem->n_dense; j++)
	{
		b[1 + j] /= problem->scale[j];
		b[0] -= b[1 + j] * problem->center[j];
	}
	for (uint32_t l = 0; l < problem->n_levels; l++)
		share[l] /= problem->sum_w;
	for (uint32_t j = 0; j < problem->n_columns; j++)
		if (!isfinite(b[j]))
			return ml_fail(problem->env, ML_ENOCONV, "a coefficient is too large to be kept");
	return ml_scorer_make(arena, schema, problem->design, b[0], b + 1, share, scorer);
}

static MlStatus
make_model(const Fit *f, const MlSchema *schema, MlDesign *design, MlArena *arena, void **out)
{
	const MlGlmProblem *problem = f->problem;
	MlGlmModel *model = ml_arena_alloc(arena, sizeof(*model));

	if (!model)
		return ML_ENOMEM;
	model->design = design;
	model->law = problem->law;
	model->intercept = problem->intercept;
	model->exposure = problem->exposure;
	model->offset_feature = problem->offset_feature;
	model->mean_offset = problem->mean_offset;
	model->df = ml_glm_estimates_dispersion(&problem->law) ? fmax(f->df, 0) : INFINITY;
	if (problem->l2 == 0)
	{
		model->std_error = ml_arena_array(arena, problem->n_columns, sizeof(double));
		if (!model->std_error)
			return ML_ENOMEM;
		for (size_t j = 0; j < problem->n_columns; j++)
			model->std_error[j] = isfinite(f->std_error[j]) ? f->std_error[j] : NAN;
	}
	ML_TRY(make_scorer(f, schema, arena, &model->scorer));
	*out = model;
	return ML_OK;
}

/* Solve, finish, report; the problem is open. */
static MlStatus
fit_open(Fit *f, const MlSchema *schema, MlDesign *design, MlArena *arena, MlFitReport *report,
		 void **model)
{
	MlGlmProblem *problem = f->problem;

	f->fits_theta = problem->law.family == ML_GLM_NEGATIVE_BINOMIAL && problem->law.theta == 0;
	ML_TRY(solve(f, &report->log));
	/* The null model has the law as fitted; std_error lends its room. */
	ML_TRY(fit_null(f, f->std_error));
	ML_TRY(finish(f));
	summarise(f, &report->summary);
	return make_model(f, schema, design, arena, model);
}

static MlStatus
glm_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlGlmProblem problem = {.env = env};
	Fit fit = {.problem = &problem, .previous = input->previous};
	MlDesignOptions options = {.max_levels =
								   (uint32_t) ml_param_int(input->params, GLM_MAX_LEVELS)};
	const MlSchema *schema = input->data->schema;
	MlDesign *design;
	MlStatus status;

	ML_TRY(read_options(input, &problem));
	options.drop_first = problem.l2 == 0;
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &options, &design));
	problem.design = design;
	status = ml_glm_open(&problem);
	if (status == ML_OK)
	{
		fit.solution.b = ml_alloc_array(env, problem.n_columns, sizeof(double));
		fit.std_error = ml_alloc_array(env, problem.n_columns, sizeof(double));
		status = fit.solution.b && fit.std_error
					 ? ml_glm_point_create(&problem, &fit.solution.point)
					 : ML_ENOMEM;
		if (status == ML_OK)
			status = fit_open(&fit, schema, design, arena, report, model);
		ml_glm_point_free(&problem, &fit.solution.point);
	}
	ml_free(env, fit.std_error);
	ml_free(env, fit.solution.b);
	ml_glm_close(&problem);
	return status;
}

const MlAlgo ml_algo_glm = {
	.name = "glm",
	.summary =
		"Generalised linear models: poisson, gamma, tweedie, negative binomial and more, with "
		"standard errors",
	.tasks = ML_TASK_BIT(ML_REGRESSION),
	.params = glm_params,
	.continues = true,
	.fit = glm_fit,
	.save = ml_glm_save,
	.load = ml_glm_load,
	.predict = ml_glm_predict,
	.importance = ml_glm_importance,
	.coefficients = ml_glm_coefficients,
	.contributions = ml_glm_contributions,
};
