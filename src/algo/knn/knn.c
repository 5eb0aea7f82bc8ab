/*
 * knn.c
 *		Nearest neighbours: a prediction is the mean, or the vote, of the training rows most like it.
 *
 * Nothing is fitted but the scale of the columns: the model holds the training
 * rows. That is its price (an image of some bytes per cell, below the 1 GB of a
 * bytea, and predictions that search it), and its point: no shape is assumed.
 * The points lie in a tree of boxes (knn_tree.c) that is searched exactly
 * (knn_search.c); in many dimensions boxes spare little, and the search becomes
 * a scan of the points in blocks.
 *
 * Ties: of training rows at the same distance the earlier is the nearer.
 * scikit-learn, which says nothing of ties, agrees wherever there are none.
 */
#include <math.h>
#include <string.h>

#include "algo/knn/knn.h"
#include "core/pool.h"

#define READ_ROWS 512 /* rows that a task reads */

static const MlParam knn_params[] = {
	[KNN_N_NEIGHBORS] = {"n_neighbors", ML_PARAM_INT, "5", 1, KNN_MAX_NEIGHBORS, NULL,
						 "Training rows that have a say in a prediction. The model keeps all "
						 "training rows: an image takes about 4 bytes a cell, at most 1 GB."},
	[KNN_WEIGHTS] = {"weights", ML_PARAM_CHOICE, "\"uniform\"", 0, 0, "uniform|distance",
					 "Whether all neighbours count alike, or nearer ones more (by the inverse of "
					 "the distance)."},
	[KNN_DISTANCE] = {"distance", ML_PARAM_CHOICE, "\"euclidean\"", 0, 0, "euclidean|manhattan",
					  "How far rows are apart: the root of the sum of squares, or the sum of "
					  "absolute values, of the differences."},
	[KNN_SCALE] = {"scale", ML_PARAM_BOOL, "true", 0, 0, NULL,
				   "Whether numbers are divided by their standard deviation, so that all columns "
				   "count alike."},
	{NULL},
};

/* ---- the rows */

/* The training rows on their way into a model. */
typedef struct Fit
{
	MlEnv *env;
	const MlFitInput *input;
	MlKnnModel *model;
	MlRegion x, columns; /* n x n_dense floats, n x n_factors columns: row by row */
	uint32_t *order;
	double *scratch; /* per worker: READ_ROWS x n_dense */
	uint32_t *active;
} Fit;

/* A task: read, scale and turn some rows. */
static void
read_rows(void *arg, size_t task, int worker)
{
	const Fit *fit = arg;
	const MlDesign *design = fit->model->design;
	size_t first = task * READ_ROWS, n = ML_MIN(fit->input->train.n - first, (size_t) READ_ROWS);
	double *dense = fit->scratch + (size_t) worker * READ_ROWS * design->n_dense;
	uint32_t *active = fit->active + (size_t) worker * READ_ROWS * design->n_factors;
	float *x = (float *) fit->x.data + first * design->n_dense;
	uint32_t *columns = (uint32_t *) fit->columns.data + first * design->n_factors;

	ml_design_block(design, fit->input->data, &fit->input->train, first, n, READ_ROWS, dense,
					active);
	for (uint32_t c = 0; c < design->n_dense; c++)
		for (size_t i = 0; i < n; i++)
			x[i * design->n_dense + c] = ml_knn_coordinate(fit->model, c, dense[c * READ_ROWS + i]);
	for (uint32_t f = 0; f < design->n_factors; f++)
		for (size_t i = 0; i < n; i++)
			columns[i * design->n_factors + f] = active[f * READ_ROWS + i];
}

/* Read all training rows. */
static MlStatus
read_all(Fit *fit)
{
	const MlDesign *design = fit->model->design;
	size_t n = fit->input->train.n, workers = (size_t) ml_pool_size(ml_env_pool(fit->env));

	ML_TRY(ml_region_alloc(fit->env, &fit->x, n, (size_t) design->n_dense * sizeof(float)));
	ML_TRY(ml_region_alloc(fit->env, &fit->columns, n, design->n_factors * sizeof(uint32_t)));
	fit->scratch = ml_alloc_array(fit->env, workers * READ_ROWS, design->n_dense * sizeof(double));
	fit->active =
		ml_alloc_array(fit->env, workers * READ_ROWS, design->n_factors * sizeof(uint32_t));
	fit->order = ml_alloc_array(fit->env, n, sizeof(uint32_t));
	if (!fit->scratch || !fit->active || !fit->order)
		return ML_ENOMEM;
	return ml_pool_run(fit->env, (n + READ_ROWS - 1) / READ_ROWS, read_rows, fit);
}

static void
free_fit(Fit *fit)
{
	ml_region_free(fit->env, &fit->x);
	ml_region_free(fit->env, &fit->columns);
	ml_free(fit->env, fit->order);
	ml_free(fit->env, fit->scratch);
	ml_free(fit->env, fit->active);
}

/* ---- the model */

/* Bytes that a training row takes in an image: cells, row number, target. */
static double
bytes_a_row(const MlKnnModel *model)
{
	return 4.0 * model->design->n_dense + 4.0 * model->design->n_factors + 4 +
		   (model->n_classes ? 4 : 8) + (model->weight ? 4 : 0);
}

/* Refuse what would not fit an image, before the work. */
static MlStatus
check_size(MlEnv *env, const MlKnnModel *model)
{
	double bytes = bytes_a_row(model) * model->n;

	if (model->design->n_dense > KNN_MAX_COLUMNS || model->design->n_factors > KNN_MAX_COLUMNS)
	{
		ml_fail(env, ML_EDATA,
				"knn takes at most %u numeric and %u categorical columns, not %u and %u",
				KNN_MAX_COLUMNS, KNN_MAX_COLUMNS, model->design->n_dense, model->design->n_factors);
		ml_hint(env, "Exclude features, or reduce them with pca.");
		return ML_EDATA;
	}
	if (bytes > KNN_MAX_IMAGE)
	{
		ml_fail(env, ML_EDATA,
				"knn keeps its training rows: %u rows of %u columns take %.1f GB, and an image may "
				"have 1 GB",
				model->n, model->design->n_dense + model->design->n_factors, bytes / 1e9);
		ml_hint(env, "Train on a sample of the rows, or exclude features.");
		return ML_EDATA;
	}
	return ML_OK;
}

/* Options and sizes. */
static MlStatus
begin_model(MlEnv *env, MlArena *arena, const MlFitInput *input, MlKnnModel **out)
{
	const MlParams *params = input->params;
	const MlDesignOptions options = {.max_levels = UINT16_MAX};
	MlKnnModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlDesign *design;

	if (!model)
		return ML_ENOMEM;
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &options, &design));
	model->design = design;
	model->n_neighbors = (uint32_t) ml_param_int(params, KNN_N_NEIGHBORS);
	model->distance = (MlKnnDistance) params->values[KNN_DISTANCE].number;
	model->by_distance = params->values[KNN_WEIGHTS].number != 0;
	model->scale = ml_param_bool(params, KNN_SCALE);
	model->n_classes = input->data->task == ML_CLASSIFICATION ? input->data->n_classes : 0;
	model->n = (uint32_t) input->train.n;
	model->n_blocks = (model->n - 1) / KNN_BLOCK + 1;
	*out = model;
	return check_size(env, model);
}

/* Room for the points of a model. */
static MlStatus
allocate_points(MlArena *arena, MlKnnModel *model)
{
	size_t cells = (size_t) model->n_blocks * KNN_BLOCK;

	model->x = ml_arena_array(arena, cells, model->design->n_dense * sizeof(float));
	model->columns = ml_arena_array(arena, cells, model->design->n_factors * sizeof(uint32_t));
	model->row = ml_arena_array(arena, model->n, sizeof(uint32_t));
	model->weight = ml_arena_array(arena, model->n, sizeof(float));
	if (model->n_classes == 0)
		model->value = ml_arena_array(arena, model->n, sizeof(double));
	else
		model->class = ml_arena_array(arena, model->n, sizeof(uint32_t));
	return model->x && model->columns && model->row && model->weight &&
				   (model->value || model->class)
			   ? ML_OK
			   : ML_ENOMEM;
}

/* The coordinates of one block; the last point fills the block up. */
static void
fill_block(const Fit *fit, uint32_t block)
{
	const MlKnnModel *model = fit->model;
	size_t n_dense = model->design->n_dense, n_factors = model->design->n_factors;
	float *x = model->x + block * n_dense * KNN_BLOCK;
	uint32_t *columns = model->columns + block * n_factors * KNN_BLOCK;

	for (uint32_t i = 0; i < KNN_BLOCK; i++)
	{
		size_t row = fit->order[ML_MIN(block * KNN_BLOCK + i, model->n - 1)];
		const float *from = (const float *) fit->x.data + row * n_dense;
		const uint32_t *levels = (const uint32_t *) fit->columns.data + row * n_factors;

		for (size_t c = 0; c < n_dense; c++)
			x[c * KNN_BLOCK + i] = from[c];
		for (size_t f = 0; f < n_factors; f++)
			columns[f * KNN_BLOCK + i] = levels[f];
	}
}

/* Targets and weights of one block; *alike stays true while all weights are the first one's. */
static void
fill_targets(const Fit *fit, uint32_t block, bool *alike)
{
	MlKnnModel *model = fit->model;
	uint32_t first = block * KNN_BLOCK, n = ML_MIN(KNN_BLOCK, model->n - first);
	uint32_t index[KNN_BLOCK];
	const MlRows rows = {index, n}, *train = &fit->input->train;
	double y[KNN_BLOCK], w[KNN_BLOCK];

	for (uint32_t i = 0; i < n; i++)
	{
		model->row[first + i] = fit->order[first + i];
		index[i] = train->index ? train->index[fit->order[first + i]] : fit->order[first + i];
	}
	ml_dataset_target(fit->input->data, &rows, 0, n, y);
	ml_dataset_weight(fit->input->data, &rows, 0, n, w);
	for (uint32_t i = 0; i < n; i++)
	{
		if (model->value)
			model->value[first + i] = y[i];
		else
			model->class[first + i] = (uint32_t) y[i];
		model->weight[first + i] = (float) ML_MAX(1e-30, ML_MIN(w[i], 1e30));
		*alike &= model->weight[first + i] == model->weight[0];
	}
}

/* From rows to points in their order. */
static MlStatus
make_points(Fit *fit, MlArena *arena)
{
	MlKnnModel *model = fit->model;
	MlKnnRows rows = {NULL, model->n, model->design->n_dense};
	bool alike = true;

	ML_TRY(read_all(fit));
	rows.x = fit->x.data;
	ML_TRY(ml_knn_arrange(fit->env, &rows, fit->order));
	ML_TRY(allocate_points(arena, model));
	for (uint32_t block = 0; block < model->n_blocks; block++)
	{
		if (block % 64 == 0)
			ML_TRY(ml_poll(fit->env));
		fill_block(fit, block);
		fill_targets(fit, block, &alike);
	}
	if (alike)
		model->weight = NULL;
	return ml_knn_index(fit->env, arena, model);
}

static MlStatus
knn_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **out)
{
	Fit fit = {.env = env, .input = input};
	MlJsonWriter w;
	MlStatus status;

	if (input->train.n == 0)
		return ml_fail(env, ML_EDATA, "there is no row to train on");
	ML_TRY(begin_model(env, arena, input, &fit.model));
	status = make_points(&fit, arena);
	free_fit(&fit);
	ML_TRY(status);
	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "n", fit.model->n);
	ml_json_number(&w, "columns", fit.model->design->n_dense + fit.model->design->n_factors);
	ml_json_number(&w, "points_bytes", bytes_a_row(fit.model) * fit.model->n);
	ml_json_text(&w, "note",
				 "The model holds all training rows; its size and the time of a "
				 "prediction grow with them.");
	*out = fit.model;
	return ML_OK;
}

const MlAlgo ml_algo_knn = {
	.name = "knn",
	.summary = "Nearest neighbours, exact; the model keeps the training rows",
	.tasks = ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION),
	.params = knn_params,
	.fit = knn_fit,
	.save = ml_knn_save,
	.load = ml_knn_load,
	.predict = ml_knn_predict,
	.row_cost = ml_knn_row_cost,
};
