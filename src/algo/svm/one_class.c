/*
 * one_class.c
 *		One-class support vector machine: how unlike the training rows a row is.
 *
 * kernel rbf: exp(-gamma |x - x'|^2) of standardised columns, by random Fourier features (Rahimi and
 * Recht 2007), cosine and sine of each frequency, for which a row is exactly like itself. The machine is
 * then linear in these, and training grows with the rows, not with their square. kernel linear keeps numbers
 * at their zero and asks how far a row lies beyond a plane that parts the rows from zero: for counts
 * and amounts.
 */
#include <math.h>
#include <string.h>

#include "algo/svm/one_class.h"
#include "core/pool.h"

enum
{
	ONE_CLASS_KERNEL,
	ONE_CLASS_NU,
	ONE_CLASS_GAMMA,
	ONE_CLASS_COMPONENTS,
	ONE_CLASS_MAX_ITER,
	ONE_CLASS_TOL,
	ONE_CLASS_MAX_LEVELS
};

#define CHUNK 64 /* rows of a task that computes features */

static const MlParam one_class_params[] = {
	[ONE_CLASS_KERNEL] =
		{"kernel", ML_PARAM_CHOICE, "\"rbf\"", 0, 0, "rbf|linear",
		 "What being alike means: a Gaussian of the distance, or a plane that parts "
		 "the rows from zero."},
	[ONE_CLASS_NU] = {"nu", ML_PARAM_REAL, "0.5", 1e-6, 1, NULL,
					  "At most this share of the training rows lies outside (score above 0), about "
					  "as many."},
	[ONE_CLASS_GAMMA] =
		{"gamma", ML_PARAM_REAL, "null", 1e-12, 1e12, NULL,
		 "Kernel rbf: how fast likeness falls with the squared distance of standardised "
		 "columns; by default 1 / (sum of their variances)."},
	[ONE_CLASS_COMPONENTS] = {"n_components", ML_PARAM_INT, "256", 2, 2 * ML_ONE_CLASS_FREQUENCIES,
							  NULL,
							  "Kernel rbf: random features; more are nearer to the exact kernel."},
	[ONE_CLASS_MAX_ITER] = {"max_iter", ML_PARAM_INT, "1000", 1, 1000000, NULL,
							"Most iterations of the solver."},
	[ONE_CLASS_TOL] = {"tol", ML_PARAM_REAL, "1e-3", 1e-12, 1, NULL,
					   "Stop when the violation of the optimality conditions is below this, in "
					   "scores."},
	[ONE_CLASS_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
							  "Most frequent levels of a categorical feature that are told apart."},
	{NULL},
};

typedef struct Fit
{
	MlEnv *env;
	MlArena *arena;
	const MlFitInput *input;
	MlSvmRows rows;   /* the columns */
	MlSvmRows mapped; /* their features; shares what belongs to rows */
	double gamma;
	MlOneClassModel *model;
	double *projections; /* a row of them for each worker */
} Fit;

/* ---- random features */

/* 1 / sum of the variances of the columns; numbers are centred, levels not. */
static double
default_gamma(const MlSvmRows *rows)
{
	double total = 0, variance = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		total += rows->weight[i];
		variance += rows->weight[i] * rows->square[i];
	}
	variance /= total;
	for (uint32_t l = 0; l < rows->n_columns - rows->n_dense; l++)
		variance -= rows->level_share[l] * rows->level_share[l];
	return variance > 1e-12 && isfinite(variance) ? 1 / variance : 1;
}

/* Frequencies with the density of the kernel's Fourier transform: normal, variance 2 gamma; on the data's scale. */
static MlStatus
draw_frequencies(Fit *f)
{
	MlOneClassModel *m = f->model;
	uint32_t n = m->n_frequencies, columns = f->rows.n_columns;
	double scale = sqrt(2 * f->gamma);
	MlRng rng;

	m->omega = ml_arena_array(f->arena, (size_t) columns * n, sizeof(double));
	m->phase = ml_arena_array(f->arena, n, sizeof(double));
	m->cosine = ml_arena_array(f->arena, n, sizeof(double));
	m->sine = ml_arena_array(f->arena, n, sizeof(double));
	if (!m->omega || !m->phase || !m->cosine || !m->sine)
		return ML_ENOMEM;
	ml_rng_seed(&rng, f->input->seed, 0);
	for (uint32_t c = 0; c < columns; c++)
	{
		double unit = c < f->rows.n_dense ? f->rows.scale[c] : 1;
		double center = c < f->rows.n_dense ? f->rows.center[c] : 0;

		ML_TRY(ml_poll(f->env));
		for (uint32_t k = 0; k < n; k++)
		{
			double omega = scale * ml_rng_normal(&rng) / unit;

			m->omega[(size_t) c * n + k] = omega;
			m->phase[k] -= omega * center;
		}
	}
	return ML_OK;
}

/* Features of some rows, from their standardised columns. */
static void
map_task(void *arg, size_t task, int worker)
{
	const Fit *f = arg;
	const MlSvmRows *rows = &f->rows;
	uint32_t n = f->model->n_frequencies;
	double *projection = f->projections + (size_t) worker * n, unit = sqrt(1.0 / n);
	size_t end = ML_MIN((task + 1) * CHUNK, rows->n);

	for (size_t i = task * CHUNK; i < end; i++)
	{
		const float *x = (const float *) rows->cells.data + i * rows->stride;
		const uint32_t *level = (const uint32_t *) (x + rows->n_dense);
		float *z = (float *) f->mapped.cells.data + i * f->mapped.stride;

		memset(projection, 0, n * sizeof(double));
		for (uint32_t c = 0; c < rows->n_dense; c++)
			for (uint32_t k = 0; k < n; k++)
				projection[k] +=
					(double) x[c] * rows->scale[c] * f->model->omega[(size_t) c * n + k];
		for (uint32_t j = 0; j < rows->n_factors; j++)
			for (uint32_t k = 0; k < n && level[j] < rows->n_columns; k++)
				projection[k] += f->model->omega[(size_t) level[j] * n + k];
		for (uint32_t k = 0; k < n; k++)
		{
			z[k] = (float) (unit * cos(projection[k]));
			z[n + k] = (float) (unit * sin(projection[k]));
		}
	}
}

/* The rows that the machine is trained on. */
static MlStatus
map_rows(Fit *f)
{
	uint32_t n = f->model->n_frequencies;
	size_t workers = (size_t) ml_pool_size(ml_env_pool(f->env));
	MlStatus status;

	f->mapped = f->rows;
	memset(&f->mapped.cells, 0, sizeof f->mapped.cells);
	f->mapped.n_dense = f->mapped.n_columns = 2 * n;
	f->mapped.n_factors = 0;
	f->mapped.stride = 2 * (size_t) n;
	ML_TRY(ml_region_alloc(f->env, &f->mapped.cells, f->rows.n, f->mapped.stride * sizeof(float)));
	f->projections = ml_alloc_array(f->env, workers * n, sizeof(double));
	status = f->projections ? ml_pool_run(f->env, (f->rows.n + CHUNK - 1) / CHUNK, map_task, f)
							: ML_ENOMEM;
	ml_free(f->env, f->projections);
	return status;
}

/* ---- the model */

/*
 * Weights for the score 1 - w'z / rho. rho is 0 or below only where no plane parts the rows from zero: then
 * the score is rho - w'z.
 */
static MlStatus
keep_linear(Fit *f, const MlOneClassSolution *solution)
{
	const MlSvmRows *rows = &f->rows;
	bool parted = solution->rho > 1e-9;
	double unit = parted ? solution->rho : 1;
	MlStatus status;

	for (uint32_t c = 0; c < rows->n_columns; c++)
		solution->w[c] *= -1 / unit;
	status = ml_svm_scorer(rows, solution->w, f->arena, &f->model->scorer);
	if (status == ML_OK)
		f->model->scorer->intercept += parted ? 1 : solution->rho;
	return status;
}

static MlStatus
keep_rbf(Fit *f, const MlOneClassSolution *solution)
{
	uint32_t n = f->model->n_frequencies;
	double rho = fmax(solution->rho, 1e-9);

	/* Training's features are of x - center; the phase of a row of zeros is that of the center, negative. */
	for (uint32_t k = 0; k < n; k++)
	{
		f->model->cosine[k] = solution->w[k] * sqrt(1.0 / n) / rho;
		f->model->sine[k] = solution->w[n + k] * sqrt(1.0 / n) / rho;
	}
	return ML_OK;
}

static MlStatus
summarise(const Fit *f, const MlSvmRows *rows, const MlOneClassSolution *solution,
		  MlFitReport *report)
{
	double outside = 0, total = 0;
	size_t n_support = 0;
	MlJsonWriter w;

	for (size_t i = 0; i < rows->n; i++)
	{
		if (i % 4096 == 0)
			ML_TRY(ml_poll(f->env));
		total += rows->weight[i];
		n_support += solution->alpha[i] > 0;
		if (ml_svm_score(rows, i, solution->w) < solution->rho)
			outside += rows->weight[i];
	}
	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "share_outside", outside / total);
	ml_json_number(&w, "support_vectors", (double) n_support);
	ml_json_number(&w, "rho", solution->rho);
	if (f->model->n_frequencies > 0)
		ml_json_number(&w, "gamma", f->gamma);
	ml_json_number(&w, "iterations", solution->iterations);
	ml_json_bool(&w, "converged", solution->converged);
	ml_json_number(&w, "n", (double) rows->n);
	if (!(solution->rho > 1e-9))
		ml_json_text(&w, "advice",
					 "No plane parts the rows from zero, so scores mean little: use kernel rbf.");
	else if (!solution->converged)
		ml_json_text(&w, "advice", "The solver stopped early: raise max_iter or tol.");
	return report->summary.status;
}

/* Solve on these rows, and keep what prediction needs. */
static MlStatus
fit_machine(Fit *f, const MlSvmRows *rows, MlFitReport *report)
{
	MlOneClassOptions options = {
		.nu = ml_param_real(f->input->params, ONE_CLASS_NU),
		.tol = ml_param_real(f->input->params, ONE_CLASS_TOL),
		.max_iter = ml_param_int(f->input->params, ONE_CLASS_MAX_ITER),
		.seed = f->input->seed,
	};
	MlOneClassSolution solution = {0};
	MlStatus status = ML_ENOMEM;

	solution.w = ml_zalloc_array(f->env, ml_svm_n_weights(rows), sizeof(double));
	solution.alpha = ml_zalloc_array(f->env, rows->n, sizeof(double));
	if (solution.w && solution.alpha)
		status = ml_one_class_solve(rows, &options, &solution, &report->log);
	if (status == ML_OK)
		status = summarise(f, rows, &solution, report);
	if (status == ML_OK)
		status = f->model->n_frequencies > 0 ? keep_rbf(f, &solution) : keep_linear(f, &solution);
	ml_free(f->env, solution.alpha);
	ml_free(f->env, solution.w);
	return status;
}

/* The rows are loaded. */
static MlStatus
fit_loaded(Fit *f, MlFitReport *report)
{
	const MlParams *params = f->input->params;
	MlStatus status;

	if (f->model->n_frequencies == 0)
		return fit_machine(f, &f->rows, report);
	f->gamma = params->values[ONE_CLASS_GAMMA].null ? default_gamma(&f->rows)
													: ml_param_real(params, ONE_CLASS_GAMMA);
	ML_TRY(draw_frequencies(f));
	status = map_rows(f);
	if (status == ML_OK)
		status = fit_machine(f, &f->mapped, report);
	ml_region_free(f->env, &f->mapped.cells);
	return status;
}

static MlStatus
one_class_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report,
			  void **model)
{
	bool rbf = strcmp(ml_param_text(input->params, ONE_CLASS_KERNEL), "rbf") == 0;
	MlDesignOptions options = {.max_levels =
								   (uint32_t) ml_param_int(input->params, ONE_CLASS_MAX_LEVELS)};
	Fit f = {.env = env, .arena = arena, .input = input};
	MlDesign *design;
	MlStatus status;

	if (!rbf && (ml_param_given(input->params, ONE_CLASS_GAMMA) ||
				 ml_param_given(input->params, ONE_CLASS_COMPONENTS)))
		return ml_fail(env, ML_EINVAL,
					   "options \"gamma\" and \"n_components\" are for kernel \"rbf\"");
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &options, &design));
	f.model = ml_arena_alloc(arena, sizeof(*f.model));
	if (!f.model)
		return ML_ENOMEM;
	f.model->design = design;
	f.model->n_frequencies =
		rbf ? (uint32_t) (ml_param_int(input->params, ONE_CLASS_COMPONENTS) + 1) / 2 : 0;
	f.rows.env = env;
	f.rows.data = input->data;
	f.rows.rows = &input->train;
	f.rows.design = design;
	f.rows.centred = rbf;
	status = ml_svm_rows_load(&f.rows);
	if (status == ML_OK)
		status = fit_loaded(&f, report);
	ml_svm_rows_free(&f.rows);
	*model = f.model;
	return status;
}

const MlAlgo ml_algo_one_class_svm = {
	.name = "one_class_svm",
	.summary =
		"One-class support vector machine, linear or with a Gaussian kernel: score of anomalies",
	.tasks = ML_TASK_BIT(ML_ANOMALY),
	.params = one_class_params,
	.fit = one_class_fit,
	.save = ml_one_class_save,
	.load = ml_one_class_load,
	.predict = ml_one_class_predict,
};
