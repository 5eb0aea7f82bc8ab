/*
 * isolation.c
 *		The isolation forest: rows that few random cuts set apart are anomalous.
 *
 * Nothing is scaled, imputed or encoded: trees cut single features. The work is
 * in the files beside this one: growing (isolation_grow), scores and bytes
 * (isolation_model), contributions (isolation_shap).
 *
 * The score says how a row compares with others, not how many are anomalies;
 * with `contamination` the summary has the score that this share of the training
 * rows exceeds.
 */
#include <math.h>
#include <string.h>

#include "algo/isolation/isolation.h"
#include "core/pool.h"
#include "core/vmath.h"

#define EULER 0.57721566490153286
#define POLL_STEPS 0xffffu
#define TASK_ROWS 64 /* scored in one task */

static const MlParam isolation_params[] = {
	[ISO_N_TREES] = {"n_trees", ML_PARAM_INT, "100", 1, 10000, NULL, "Trees."},
	[ISO_SAMPLES] = {"max_samples", ML_PARAM_INT, "256", 2, ISO_MAX_SAMPLES, NULL,
					 "Rows drawn for each tree; all of them where there are fewer."},
	[ISO_CONTAMINATION] = {"contamination", ML_PARAM_REAL, "null", 1e-9, 0.5, NULL,
						   "Share of anomalies among the training rows: then the summary has the "
						   "threshold that so many of their scores exceed."},
	{NULL},
};

/* ---- before the trees */

/* c(0), c(1), ..., c(psi): equation 1, with H(n) = ln n + Euler's constant. */
static void
fill_average(double *average, uint32_t psi)
{
	average[0] = average[1] = 0;
	for (uint32_t n = 2; n <= psi; n++)
		average[n] = n - 1;
	if (psi >= 2)
		ml_vlog(average + 2, average + 2, psi - 1);
	for (uint32_t n = 2; n <= psi; n++)
		average[n] = n == 2 ? 1 : 2 * (average[n] + EULER) - 2 * (n - 1.0) / n;
}

/* Running sums of the weights, if there are any; over the greatest, so that they stay finite. */
static MlStatus
sum_weights(MlIsoForest *forest)
{
	const MlFitInput *input = forest->input;
	size_t n = input->train.n;
	double most = 0, sum = 0;

	if (input->data->weight_column < 0)
		return ML_OK;
	forest->weights = ml_alloc_array(forest->env, n, sizeof(double));
	if (!forest->weights)
		return ML_ENOMEM;
	for (size_t first = 0; first < n; first += POLL_STEPS)
	{
		ML_TRY(ml_poll(forest->env));
		ml_dataset_weight(input->data, &input->train, first, ML_MIN(n - first, (size_t) POLL_STEPS),
						  forest->weights + first);
	}
	for (size_t i = 0; i < n; i++)
		most = forest->weights[i] > most ? forest->weights[i] : most;
	for (size_t i = 0; i < n; i++)
	{
		if ((i & POLL_STEPS) == POLL_STEPS)
			ML_TRY(ml_poll(forest->env));
		forest->weights[i] = sum += forest->weights[i] / most;
	}
	return ML_OK;
}

/* ---- after them */

/* Copy the forest into a model. */
static MlStatus
make_model(const MlIsoForest *forest, MlArena *arena, MlIsoModel **out)
{
	const MlSchema *schema = forest->input->data->schema;
	MlIsoModel *model = ml_arena_alloc(arena, sizeof(*model));

	if (!model)
		return ML_ENOMEM;
	if ((double) forest->n_nodes * 20 > ISO_MAX_IMAGE)
	{
		ml_fail(forest->env, ML_EDATA,
				"%u trees of %zu nodes take %.1f GB, and an image may have 1 GB", forest->n_trees,
				forest->n_nodes / forest->n_trees, (double) forest->n_nodes * 20e-9);
		ml_hint(forest->env, "Lower n_trees or max_samples.");
		return ML_EDATA;
	}
	model->n_features = schema->n_features;
	model->n_trees = forest->n_trees;
	model->psi = forest->psi;
	model->normal = ML_MAX(forest->average[forest->psi], 1);
	model->threshold = NAN;
	model->first = ml_arena_array(arena, (size_t) forest->n_trees + 1, sizeof(size_t));
	model->nodes = ml_arena_array(arena, forest->n_nodes, sizeof(MlIsoNode));
	model->rows = ml_arena_array(arena, forest->n_nodes, sizeof(uint32_t));
	model->n_levels = ml_arena_array(arena, schema->n_features, sizeof(uint32_t));
	if (!model->first || !model->nodes || !model->rows || !model->n_levels)
		return ML_ENOMEM;
	memcpy(model->first, forest->first, ((size_t) forest->n_trees + 1) * sizeof(size_t));
	memcpy(model->nodes, forest->nodes, forest->n_nodes * sizeof(MlIsoNode));
	memcpy(model->rows, forest->rows, forest->n_nodes * sizeof(uint32_t));
	for (uint32_t j = 0; j < schema->n_features; j++)
		if (schema->features[j].categorical)
			model->n_levels[j] = ML_MAX(schema->features[j].n_levels, 1);
	*out = model;
	return ML_OK;
}

/* The scores of all training rows. */
typedef struct Scoring
{
	const MlIsoModel *model;
	const MlFitInput *input;
	double *scores;
	double *blocks; /* per worker: TASK_ROWS feature vectors */
} Scoring;

static void
score_rows(void *arg, size_t task, int worker)
{
	const Scoring *scoring = arg;
	size_t first = task * TASK_ROWS, p = scoring->model->n_features;
	size_t n = ML_MIN(scoring->input->train.n - first, (size_t) TASK_ROWS);
	double *x = scoring->blocks + (size_t) worker * TASK_ROWS * p;

	ml_dataset_block(scoring->input->data, &scoring->input->train, first, n, x);
	for (size_t i = 0; i < n; i++)
		ml_iso_predict(scoring->model, x + i * p, &scoring->scores[first + i]);
}

static void
swap_values(double *a, double *b)
{
	double value = *a;

	*a = *b;
	*b = value;
}

/* The value that would stand at place nth in ascending order (Hoare's Algorithm 65, "Find"). */
static MlStatus
select_nth(MlEnv *env, double *values, size_t n, size_t nth, double *out)
{
	size_t low = 0, high = n, steps = 0; /* the place lies in low..high-1 */

	for (;;)
	{
		double pivot = values[low + (high - low) / 2];
		size_t below = low, i = low,
			   above = high; /* ..below: less; below..i: equal; above..: greater */

		while (i < above)
		{
			if ((steps++ & POLL_STEPS) == POLL_STEPS)
				ML_TRY(ml_poll(env));
			if (values[i] < pivot)
				swap_values(&values[below++], &values[i++]);
			else if (values[i] > pivot)
				swap_values(&values[i], &values[--above]);
			else
				i++;
		}
		if (nth < below)
			high = below;
		else if (nth >= above)
			low = above;
		else
		{
			*out = pivot;
			return ML_OK;
		}
	}
}

/* The score that a share of the training rows exceeds; weights are not regarded. */
static MlStatus
find_threshold(MlEnv *env, const MlFitInput *input, double share, MlIsoModel *model)
{
	size_t n = input->train.n, workers = (size_t) ml_pool_size(ml_env_pool(env));
	Scoring scoring = {.model = model, .input = input};
	size_t above = ML_MIN((size_t) (share * (double) n + 0.5), n - 1);
	MlStatus status = ML_ENOMEM;

	scoring.scores = ml_alloc_array(env, n, sizeof(double));
	scoring.blocks = ml_alloc_array(env, workers * TASK_ROWS, model->n_features * sizeof(double));
	if (scoring.scores && scoring.blocks)
		status = ml_pool_run(env, (n + TASK_ROWS - 1) / TASK_ROWS, score_rows, &scoring);
	if (status == ML_OK)
		status = select_nth(env, scoring.scores, n, n - 1 - above, &model->threshold);
	ml_free(env, scoring.blocks);
	ml_free(env, scoring.scores);
	return status;
}

static void
write_summary(const MlIsoModel *model, const MlFitInput *input, MlBuffer *out)
{
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_number(&w, "n", (double) input->train.n);
	ml_json_number(&w, "n_trees", model->n_trees);
	ml_json_number(&w, "sample_rows", model->psi);
	ml_json_number(&w, "nodes", (double) model->first[model->n_trees]);
	if (!isnan(model->threshold))
	{
		ml_json_number(&w, "contamination", ml_param_real(input->params, ISO_CONTAMINATION));
		ml_json_number(&w, "threshold", model->threshold);
	}
}

/* ---- fitting */

/* Trees, model, threshold; what is in forest is the caller's to free. */
static MlStatus
fit_forest(MlIsoForest *forest, MlArena *arena, MlIsoModel **model)
{
	const MlParamValue *share = &forest->input->params->values[ISO_CONTAMINATION];

	forest->average = ml_alloc_array(forest->env, (size_t) forest->psi + 2, sizeof(double));
	forest->first = ml_alloc_array(forest->env, (size_t) forest->n_trees + 1, sizeof(size_t));
	if (!forest->average || !forest->first)
		return ML_ENOMEM;
	fill_average(forest->average, forest->psi);
	ML_TRY(sum_weights(forest));
	ML_TRY(ml_iso_grow(forest));
	ML_TRY(make_model(forest, arena, model));
	return share->null ? ML_OK : find_threshold(forest->env, forest->input, share->number, *model);
}

static MlStatus
isolation_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **out)
{
	MlIsoForest forest = {.env = env, .input = input};
	MlIsoModel *model = NULL;
	MlStatus status;

	if (input->train.n == 0)
		return ml_fail(env, ML_EDATA, "there is no row to train on");
	forest.n_trees = (uint32_t) ml_param_int(input->params, ISO_N_TREES);
	forest.psi =
		(uint32_t) ML_MIN((size_t) ml_param_int(input->params, ISO_SAMPLES), input->train.n);
	status = fit_forest(&forest, arena, &model);
	ml_free(env, forest.average);
	ml_free(env, forest.weights);
	ml_free(env, forest.nodes);
	ml_free(env, forest.rows);
	ml_free(env, forest.first);
	if (status == ML_OK)
		write_summary(model, input, &report->summary);
	*out = model;
	return status;
}

const MlAlgo ml_algo_isolation_forest = {
	.name = "isolation_forest",
	.summary = "Isolation forest: scores rows by how few random cuts set them apart",
	.tasks = ML_TASK_BIT(ML_ANOMALY),
	.params = isolation_params,
	.fit = isolation_fit,
	.save = ml_iso_save,
	.load = ml_iso_load,
	.predict = ml_iso_predict,
	.row_cost = ml_iso_row_cost,
	.nodes = ml_iso_nodes,
	.contributions = ml_iso_contributions,
};
