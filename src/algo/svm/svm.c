/*
 * svm.c
 *		Linear support vector machines: options, classes against the rest, calibration, summary.
 *
 * Each class has a machine against the rest (two classes: one machine). Losses of this kind give no
 * probabilities, so each machine is trained again without each of some folds, from where the first
 * training ended, and a sigmoid is fitted to the decision values of the rows that were left out.
 * What predict says is that sigmoid; the decision value itself is what contributions add up to.
 *
 * Squared losses on more rows than columns are solved by Newton's method (svm_newton), the others by dual
 * coordinate descent (svm_dual). Only the first can go on from a previous model, whose dual variables are
 * not kept; the optimum is the same.
 *
 * The target of a regression is standardised, as R's e1071 does, so that c and epsilon mean the same
 * whatever its unit; scale_target switches that off.
 */
#include <math.h>
#include <string.h>

#include "algo/svm/svm.h"

enum
{
	SVM_LOSS,
	SVM_C,
	SVM_EPSILON,
	SVM_SCALE_TARGET,
	SVM_INTERCEPT,
	SVM_MAX_ITER,
	SVM_TOL,
	SVM_FOLDS,
	SVM_MAX_LEVELS
};

/* A machine without a fold starts near its end, and probabilities need no more digits than these give. */
#define FOLD_TOLERANCE 0.01
#define FOLD_EPOCHS 20
#define MANY_ROWS \
	20000 /* Newton steps without a fold: a fold of many rows moves the optimum little */
#define MANY_ROWS_STEPS 1
#define FEW_ROWS_STEPS 5

#define BATCH_BYTES ((size_t) 256 << 20) /* that the machines of classes side by side may take */

static const MlParam svm_params[] = {
	[SVM_LOSS] = {"loss", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
				  "auto|hinge|squared_hinge|epsilon_insensitive|squared_epsilon_insensitive",
				  "Loss; auto: squared_hinge for classes, epsilon_insensitive for numbers."},
	[SVM_C] = {"c", ML_PARAM_REAL, "1.0", 1e-12, 1e12, NULL,
			   "Weight of the loss against half the squared coefficients of standardised columns."},
	[SVM_EPSILON] = {"epsilon", ML_PARAM_REAL, "0.1", 0, 1e12, NULL,
					 "Regression: deviations up to this are free; in standard deviations of the "
					 "target where it is scaled."},
	[SVM_SCALE_TARGET] = {"scale_target", ML_PARAM_BOOL, "true", 0, 0, NULL,
						  "Regression: whether to standardise the target."},
	[SVM_INTERCEPT] = {"intercept", ML_PARAM_BOOL, "true", 0, 0, NULL,
					   "Whether to fit an intercept, which is penalised like a coefficient."},
	[SVM_MAX_ITER] = {"max_iter", ML_PARAM_INT, "1000", 1, 1000000, NULL,
					  "Most epochs of coordinate descent, or steps of Newton's method."},
	[SVM_TOL] = {"tol", ML_PARAM_REAL, "1e-4", 1e-12, 1, NULL,
				 "Stop when the violation of the optimality conditions is below this."},
	[SVM_FOLDS] = {"probability_folds", ML_PARAM_INT, "5", 2, 100, NULL,
				   "Classes: folds whose decision values the probabilities are fitted to."},
	[SVM_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
						"Most frequent levels of a categorical feature that get a coefficient of "
						"their own."},
	{NULL},
};

/* A training in progress. */
typedef struct Fit
{
	MlEnv *env;
	const MlFitInput *input;
	MlArena *arena;
	MlSvmRows rows;
	MlSvmOptions options;
	bool classes;
	uint32_t n_groups;
	int n_folds;
	uint8_t *fold;
	double *value;        /* decision values of one group, out of fold */
	double center, scale; /* of the target */
	MlSvmModel *model;
	/* the summary */
	double primal, dual;
	size_t n_support;
	int epochs;
	bool converged;
} Fit;

/* ---- options */

static MlStatus
read_options(Fit *f)
{
	static const char *const words[] = {"hinge", "squared_hinge", "epsilon_insensitive",
										"squared_epsilon_insensitive"};
	const MlParams *params = f->input->params;
	const char *loss = ml_param_text(params, SVM_LOSS);

	f->options.loss = f->classes ? ML_SVM_SQUARED_HINGE : ML_SVM_EPSILON;
	for (int k = 0; k < 4; k++)
		if (strcmp(loss, words[k]) == 0)
			f->options.loss = (MlSvmLoss) k;
	if (f->classes != (f->options.loss <= ML_SVM_SQUARED_HINGE))
	{
		ml_fail(f->env, ML_EINVAL, "loss \"%s\" is for %s, not for %s", loss,
				ml_task_name(f->classes ? ML_REGRESSION : ML_CLASSIFICATION),
				ml_task_name(f->classes ? ML_CLASSIFICATION : ML_REGRESSION));
		ml_hint(f->env, "Use loss %s.",
				f->classes ? "\"hinge\" or \"squared_hinge\""
						   : "\"epsilon_insensitive\" or \"squared_epsilon_insensitive\"");
		return ML_EINVAL;
	}
	f->options.c = ml_param_real(params, SVM_C);
	f->options.epsilon = ml_param_real(params, SVM_EPSILON);
	f->options.tol = ml_param_real(params, SVM_TOL);
	f->options.max_iter = ml_param_int(params, SVM_MAX_ITER);
	f->n_folds = ml_param_int(params, SVM_FOLDS);
	/* Without an intercept zero must stay zero. */
	f->rows.intercept = f->rows.centred = ml_param_bool(params, SVM_INTERCEPT);
	return ML_OK;
}

/* ---- before the machines */

/* Weighted mean and standard deviation of the target, which it is then given in. */
static MlStatus
scale_target(Fit *f)
{
	MlSvmRows *rows = &f->rows;
	double total = 0, sum = 0, square = 0;

	f->scale = 1;
	if (f->classes || !ml_param_bool(f->input->params, SVM_SCALE_TARGET))
		return ML_OK;
	for (size_t i = 0; i < rows->n; i++)
	{
		total += rows->weight[i];
		sum += rows->weight[i] * rows->y[i];
	}
	f->center = rows->intercept ? sum / total : 0;
	for (size_t i = 0; i < rows->n; i++)
		square += rows->weight[i] * (rows->y[i] - sum / total) * (rows->y[i] - sum / total);
	f->scale = square > 0 ? sqrt(square / total) : 1;
	if (!isfinite(f->scale))
		return ml_fail(f->env, ML_EDATA, "the values of the target are too large to be fitted");
	for (size_t i = 0; i < rows->n; i++)
		rows->y[i] = (rows->y[i] - f->center) / f->scale;
	return ml_poll(f->env);
}

/* Deal the rows of each class out to the folds, in random order. */
static MlStatus
assign_folds(Fit *f)
{
	size_t n = f->rows.n;
	uint32_t *order = ml_alloc_array(f->env, n, sizeof(uint32_t));
	uint32_t *next = ml_zalloc_array(f->env, f->input->data->n_classes, sizeof(uint32_t));
	MlRng rng;

	f->fold = ml_alloc_array(f->env, n, sizeof(uint8_t));
	f->value = ml_alloc_array(f->env, n, sizeof(double));
	if (order && next && f->fold && f->value)
	{
		ml_rng_seed(&rng, f->input->seed, UINT64_MAX);
		for (size_t i = 0; i < n; i++)
			order[i] = (uint32_t) i;
		ml_rng_shuffle(&rng, order, n);
		for (size_t i = 0; i < n; i++)
			f->fold[order[i]] =
				(uint8_t) (next[(size_t) f->rows.y[order[i]]]++ % (uint32_t) f->n_folds);
	}
	ml_free(f->env, next);
	ml_free(f->env, order);
	return f->fold && f->value && next && order ? ml_poll(f->env) : ML_ENOMEM;
}

/* ---- one machine */

static double
row_loss(const Fit *f, const MlSvmDual *d, size_t i, double value)
{
	double y = f->rows.y[i], over;

	if (f->classes)
		over = fmax(0, 1 - (y == d->positive ? value : -value));
	else
		over = fmax(0, fabs(y - value) - f->options.epsilon);
	return f->options.loss == ML_SVM_SQUARED_HINGE || f->options.loss == ML_SVM_SQUARED_EPSILON
			   ? over * over
			   : over;
}

/* Add a machine's figures to the summary. The dual problem has no value where only the primal one was solved. */
static MlStatus
add_summary(Fit *f, const MlSvmDual *d)
{
	double square = 0, loss = 0;

	for (uint32_t c = 0; c <= f->rows.n_columns; c++)
		square += d->w[c] * d->w[c];
	for (size_t i = 0; i < f->rows.n; i++)
	{
		double of_row = row_loss(f, d, i, ml_svm_score(&f->rows, i, d->w));

		if (i % 4096 == 0)
			ML_TRY(ml_poll(f->env));
		loss += f->options.c * f->rows.weight[i] * of_row;
		f->n_support += d->alpha ? d->alpha[i] != 0 : of_row > 0;
	}
	f->primal += 0.5 * square + loss;
	f->dual += d->alpha ? d->linear - 0.5 * (square + d->quadratic) : NAN;
	f->epochs = ML_MAX(f->epochs, d->epoch);
	f->converged &= d->converged;
	return ML_OK;
}

static void
write_log(const Fit *f, const MlSvmDual *d, uint32_t group, MlBuffer *out)
{
	MlJsonWriter w;

	ml_json_writer(&w, out);
	w.comma = out->len > 0;
	for (int k = 0; k < d->n_log; k++)
	{
		ml_json_open(&w, NULL, '{');
		ml_json_number(&w, "iteration", d->log[k].epoch);
		if (f->n_groups > 1)
			ml_json_number(&w, "class", group);
		ml_json_number(&w, "loss", -d->log[k].objective / (double) f->rows.n);
		ml_json_number(&w, "gradient_norm", d->log[k].violation);
		ml_json_number(&w, "weight_norm", d->log[k].norm);
		ml_json_close(&w, '}');
	}
}

/* The machine of a group on the scale of the data; its w is destroyed. */
static MlStatus
keep_machine(Fit *f, const MlSvmDual *d, uint32_t group)
{
	for (uint32_t c = 0; c <= f->rows.n_columns; c++)
		d->w[c] *= f->scale;
	if (f->rows.intercept)
		d->w[f->rows.n_columns] += f->center;
	for (uint32_t c = 0; c <= f->rows.n_columns; c++)
		if (!isfinite(d->w[c]))
			return ml_fail(f->env, ML_ENOCONV, "a coefficient is not finite: lower c");
	return ml_svm_scorer(&f->rows, d->w, f->arena, &f->model->scorer[group]);
}

/* ---- batches of machines */

/* The decision values of the rows that each machine was not trained on, and the sigmoid for them. */
static MlStatus
fit_sigmoid(Fit *f, const MlSvmDual *folds, uint32_t group)
{
	const MlSvmRows *rows = &f->rows;

	for (size_t i = 0; i < rows->n; i++)
	{
		if (i % 4096 == 0)
			ML_TRY(ml_poll(f->env));
		f->value[i] = ml_svm_score(rows, i, folds[f->fold[i]].w);
	}
	return ml_svm_fit_sigmoid(f->env, f->value, rows->y, folds[0].positive, rows->weight, rows->n,
							  &f->model->sigmoid[group]);
}

/* The same machines without each of the folds, from where the first ones ended. */
static MlStatus
calibrate(Fit *f, const MlSvmDual *mains, uint32_t first, size_t n)
{
	size_t n_duals = n * (size_t) f->n_folds;
	MlSvmDual *duals = ml_zalloc_array(f->env, n_duals, sizeof(*duals));
	MlSvmOptions options = f->options;
	MlStatus status = duals ? ML_OK : ML_ENOMEM;

	options.tol = fmax(options.tol, FOLD_TOLERANCE);
	options.max_iter = ML_MIN(options.max_iter, FOLD_EPOCHS);

	for (size_t k = 0; k < n_duals && duals; k++)
	{
		size_t group = k / (size_t) f->n_folds;
		MlSvmDual *d = &duals[k];

		d->rows = &f->rows;
		d->options = &options;
		d->positive = mains[group].positive;
		d->fold = f->fold;
		d->held_out = (int) (k % (size_t) f->n_folds);
		if (status == ML_OK)
			status = ml_svm_dual_begin(d, &mains[group], f->input->seed,
									   (first + group) * 128 + 1 + (uint64_t) d->held_out);
	}
	if (status == ML_OK)
		status = ml_svm_dual_run(f->env, duals, n_duals);
	for (size_t k = 0; k < n && status == ML_OK; k++)
		status = fit_sigmoid(f, duals + k * (size_t) f->n_folds, first + (uint32_t) k);
	for (size_t k = 0; k < n_duals && duals; k++)
		ml_svm_dual_end(&duals[k]);
	ml_free(f->env, duals);
	return status;
}

/* ---- machines by Newton's method */

/* What the previous model gives a column of the new design, on the standardised scale. */
static double
previous_weight(const Fit *f, const MlSvmModel *previous, uint32_t group, uint32_t column)
{
	const MlDesignColumn *wanted = &f->model->design->columns[column];

	for (uint32_t c = 0; c < previous->design->n_columns; c++)
		if (previous->design->columns[c].feature == wanted->feature &&
			previous->design->columns[c].level == wanted->level)
			return previous->scorer[group]->coefficient[c] *
				   (column < f->rows.n_dense ? f->rows.scale[column] : 1) / f->scale;
	return 0;
}

/* Start where the previous model ended. */
static void
start_at_previous(const Fit *f, const MlSvmModel *previous, uint32_t group, double *w)
{
	double *intercept = &w[f->rows.n_columns];

	*intercept = (previous->scorer[group]->intercept - f->center) / f->scale;
	for (uint32_t c = 0; c < f->rows.n_columns; c++)
	{
		w[c] = previous_weight(f, previous, group, c);
		if (c < f->rows.n_dense)
			*intercept += w[c] / f->rows.scale[c] * f->rows.center[c];
	}
	if (!f->rows.intercept)
		*intercept = 0;
}

/* Decision values of the rows of one fold, by a machine that starts at the one of all rows. */
static MlStatus
leave_fold_out(Fit *f, const MlSvmDual *main, int fold)
{
	MlSvmOptions options = f->options;
	MlSvmDual d = {.rows = &f->rows,
				   .options = &options,
				   .positive = main->positive,
				   .fold = f->fold,
				   .held_out = fold};
	size_t n = ml_svm_n_weights(&f->rows);
	MlStatus status = ML_ENOMEM;

	options.max_iter = f->rows.n < MANY_ROWS ? FEW_ROWS_STEPS : MANY_ROWS_STEPS;
	d.w = ml_alloc_array(f->env, n, sizeof(double));
	if (d.w)
	{
		memcpy(d.w, main->w, n * sizeof(double));
		status = ml_svm_newton(&d);
	}
	for (size_t i = 0; i < f->rows.n && status == ML_OK; i++)
	{
		if (i % 4096 == 0)
			status = ml_poll(f->env);
		if (f->fold[i] == fold)
			f->value[i] = ml_svm_score(&f->rows, i, d.w);
	}
	ml_free(f->env, d.w);
	return status;
}

/* One group: the machine of all rows, then those without a fold. */
static MlStatus
fit_by_newton(Fit *f, MlSvmDual *main, uint32_t group)
{
	main->w = ml_zalloc_array(f->env, ml_svm_n_weights(&f->rows), sizeof(double));
	if (!main->w)
		return ML_ENOMEM;
	if (f->input->previous)
		start_at_previous(f, f->input->previous, group, main->w);
	ML_TRY(ml_svm_newton(main));
	for (int fold = 0; f->classes && fold < f->n_folds; fold++)
		ML_TRY(leave_fold_out(f, main, fold));
	if (!f->classes)
		return ML_OK;
	return ml_svm_fit_sigmoid(f->env, f->value, f->rows.y, main->positive, f->rows.weight,
							  f->rows.n, &f->model->sigmoid[group]);
}

/* ---- all machines */

/* Groups first..first+n-1; mains: room for n. */
static MlStatus
fit_batch(Fit *f, MlSvmDual *mains, uint32_t first, size_t n, MlFitReport *report)
{
	bool newton = ml_svm_newton_fits(&f->rows, &f->options);

	for (size_t k = 0; k < n; k++)
	{
		uint32_t group = first + (uint32_t) k;

		mains[k].options = &f->options;
		mains[k].positive = f->n_groups == 1 ? 1 : group;
		if (newton)
			ML_TRY(fit_by_newton(f, &mains[k], group));
		else
			ML_TRY(ml_svm_dual_begin(&mains[k], NULL, f->input->seed, (uint64_t) group * 128));
	}
	if (!newton)
		ML_TRY(ml_svm_dual_run(f->env, mains, n));
	if (!newton && f->classes)
		ML_TRY(calibrate(f, mains, first, n));
	for (size_t k = 0; k < n; k++)
	{
		uint32_t group = first + (uint32_t) k;

		ML_TRY(add_summary(f, &mains[k]));
		write_log(f, &mains[k], group, &report->log);
		ML_TRY(keep_machine(f, &mains[k], group));
	}
	return ML_OK;
}

/* All groups, as many side by side as memory allows. */
static MlStatus
fit_groups(Fit *f, MlFitReport *report)
{
	size_t bytes = f->rows.n * 12 * (1 + (size_t) f->n_folds);
	size_t batch = ML_MIN(ML_MAX(BATCH_BYTES / bytes, 1), f->n_groups);
	MlStatus status = ML_OK;

	for (uint32_t first = 0; first < f->n_groups && status == ML_OK; first += (uint32_t) batch)
	{
		size_t n = ML_MIN(batch, f->n_groups - first);
		MlSvmDual *mains = ml_zalloc_array(f->env, n, sizeof(*mains));

		for (size_t k = 0; k < n && mains; k++)
			mains[k].rows = &f->rows;
		status = mains ? fit_batch(f, mains, first, n, report) : ML_ENOMEM;
		for (size_t k = 0; k < n && mains; k++)
			ml_svm_dual_end(&mains[k]);
		ml_free(f->env, mains);
	}
	return status;
}

static void
summarise(const Fit *f, MlBuffer *out)
{
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_number(&w, "primal_objective", f->primal);
	ml_json_number(&w, "dual_objective", f->dual);
	ml_json_number(&w, "support_vectors", (double) f->n_support);
	ml_json_number(&w, "iterations", f->epochs);
	ml_json_bool(&w, "converged", f->converged);
	ml_json_number(&w, "n", (double) f->rows.n);
	if (!f->converged)
		ml_json_text(&w, "advice", "The solver stopped early: raise max_iter or tol, or lower c.");
}

/* Everything between loading the rows and freeing them. */
static MlStatus
fit_loaded(Fit *f, MlFitReport *report)
{
	MlSvmModel *model = f->model;

	model->n_groups = f->n_groups;
	model->classes = f->classes;
	model->intercept = f->rows.intercept;
	model->scorer = ml_arena_array(f->arena, f->n_groups, sizeof(*model->scorer));
	model->sigmoid = ml_arena_array(f->arena, f->n_groups, sizeof(*model->sigmoid));
	if (!model->scorer || !model->sigmoid)
		return ML_ENOMEM;
	ML_TRY(scale_target(f));
	if (f->classes)
		ML_TRY(assign_folds(f));
	ML_TRY(fit_groups(f, report));
	summarise(f, &report->summary);
	return ML_OK;
}

static MlStatus
svm_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	const MlDataset *data = input->data;
	Fit f = {.env = env, .input = input, .arena = arena, .converged = true};
	MlDesignOptions options = {.max_levels =
								   (uint32_t) ml_param_int(input->params, SVM_MAX_LEVELS)};
	MlDesign *design;
	MlStatus status;

	f.classes = data->task == ML_CLASSIFICATION;
	f.n_groups = f.classes && data->n_classes > 2 ? data->n_classes : 1;
	ML_TRY(read_options(&f));
	ML_TRY(ml_design_fit(env, arena, data, &input->train, &options, &design));
	f.model = ml_arena_alloc(arena, sizeof(*f.model));
	if (!f.model)
		return ML_ENOMEM;
	f.model->design = design;
	f.rows.env = env;
	f.rows.data = data;
	f.rows.rows = &input->train;
	f.rows.design = design;
	status = ml_svm_rows_load(&f.rows);
	if (status == ML_OK)
		status = fit_loaded(&f, report);
	ml_free(env, f.value);
	ml_free(env, f.fold);
	ml_svm_rows_free(&f.rows);
	*model = f.model;
	return status;
}

const MlAlgo ml_algo_svm = {
	.name = "svm",
	.summary =
		"Linear support vector machine for classes and numbers, with calibrated probabilities",
	.tasks = ML_TASK_BIT(ML_CLASSIFICATION) | ML_TASK_BIT(ML_REGRESSION),
	.params = svm_params,
	.continues = true,
	.fit = svm_fit,
	.save = ml_svm_save,
	.load = ml_svm_load,
	.predict = ml_svm_predict,
	.importance = ml_svm_importance,
	.coefficients = ml_svm_coefficients,
	.formula = ml_svm_formula,
	.contributions = ml_svm_contributions,
};
