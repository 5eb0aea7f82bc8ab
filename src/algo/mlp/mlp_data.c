/*
 * mlp_data.c
 *		The working copy: rows as the net sees them, in single precision, row by row.
 *
 * Batches pick rows at random, so a row's inputs lie together. Rows that are
 * trained on come first, then those that tell when to stop.
 */
#include <math.h>

#include "algo/mlp/mlp.h"
#include "core/pool.h"

#define READ_ROWS 512 /* rows that a task reads */

/* The reading of one set of rows into the working copy. */
typedef struct Reading
{
	MlMlpData *rows;
	const MlDesign *design;
	const MlRows *from;
	size_t at;       /* of its first row in the copy */
	double *scratch; /* per worker: READ_ROWS x n_dense */
	uint32_t *active;
} Reading;

/* A task: read and standardise the inputs of some rows. */
static void
read_inputs(void *arg, size_t task, int worker)
{
	const Reading *reading = arg;
	const MlDesign *design = reading->design;
	size_t n_dense = design->n_dense, n_factors = design->n_factors;
	size_t first = task * READ_ROWS, n = ML_MIN(reading->from->n - first, (size_t) READ_ROWS);
	double *dense = reading->scratch + (size_t) worker * READ_ROWS * n_dense;
	uint32_t *active = reading->active + (size_t) worker * READ_ROWS * n_factors;
	float *x = (float *) reading->rows->x.data + (reading->at + first) * n_dense;
	uint32_t *columns =
		(uint32_t *) reading->rows->columns.data + (reading->at + first) * n_factors;

	ml_design_block(design, reading->rows->data, reading->from, first, n, READ_ROWS, dense, active);
	for (size_t c = 0; c < n_dense; c++)
		for (size_t i = 0; i < n; i++)
			x[i * n_dense + c] = ml_mlp_input(&design->columns[c], dense[c * READ_ROWS + i]);
	for (size_t f = 0; f < n_factors; f++)
		for (size_t i = 0; i < n; i++)
		{
			uint32_t column = active[f * READ_ROWS + i];

			columns[i * n_factors + f] =
				column == ML_NO_COLUMN ? ML_NO_COLUMN : column - design->n_dense;
		}
}

/* Targets and weights of one set, as they are. */
static MlStatus
read_targets(const Reading *reading)
{
	MlMlpData *rows = reading->rows;
	double y[READ_ROWS], w[READ_ROWS];

	for (size_t first = 0; first < reading->from->n; first += READ_ROWS)
	{
		size_t n = ML_MIN(reading->from->n - first, (size_t) READ_ROWS);

		ML_TRY(ml_poll(rows->env));
		ml_dataset_target(rows->data, reading->from, first, n, y);
		ml_dataset_weight(rows->data, reading->from, first, n, w);
		for (size_t i = 0; i < n; i++)
		{
			rows->y[reading->at + first + i] = (float) y[i];
			rows->w[reading->at + first + i] = (float) ML_MIN(w[i], 1e30);
		}
	}
	return ML_OK;
}

static MlStatus
read_set(MlMlpData *rows, const MlDesign *design, const MlRows *from, size_t at)
{
	Reading reading = {.rows = rows, .design = design, .from = from, .at = at};
	size_t workers = (size_t) ml_pool_size(ml_env_pool(rows->env));
	MlStatus status = ML_ENOMEM;

	reading.scratch =
		ml_alloc_array(rows->env, workers * READ_ROWS, design->n_dense * sizeof(double));
	reading.active =
		ml_alloc_array(rows->env, workers * READ_ROWS, design->n_factors * sizeof(uint32_t));
	if (reading.scratch && reading.active)
		status =
			ml_pool_run(rows->env, (from->n + READ_ROWS - 1) / READ_ROWS, read_inputs, &reading);
	ml_free(rows->env, reading.active);
	ml_free(rows->env, reading.scratch);
	return status == ML_OK ? read_targets(&reading) : status;
}

/* Divide the weights by their mean over the rows trained on. */
static void
scale_weights(MlMlpData *rows)
{
	double sum = 0, factor;

	for (size_t i = 0; i < rows->n_fit; i++)
		sum += rows->w[i];
	factor = sum > 0 ? (double) rows->n_fit / sum : 1;
	rows->valid_weight = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		rows->w[i] = (float) (rows->w[i] * factor);
		rows->valid_weight += i < rows->n_fit ? 0 : rows->w[i];
	}
}

/* Sums for the mean and deviation of the target, from the data and not from its single-precision copy. */
static MlStatus
measure_target(MlMlpData *rows, MlMlpModel *model, const MlRows *fit)
{
	double y[READ_ROWS], mean = 0, squares = 0, weight = 0;

	for (size_t first = 0; first < fit->n; first += READ_ROWS)
	{
		size_t n = ML_MIN(fit->n - first, (size_t) READ_ROWS);

		ML_TRY(ml_poll(rows->env));
		ml_dataset_target(rows->data, fit, first, n, y);
		for (size_t i = 0; i < n; i++)
		{
			double w = rows->w[first + i], off = y[i] - mean;

			if (!(w > 0))
				continue;
			weight += w; /* West 1979 */
			mean += off * (w / weight);
			squares += w * off * (y[i] - mean);
		}
	}
	if (!isfinite(squares) || !isfinite(mean))
	{
		ml_fail(rows->env, ML_EDATA, "the target has values too large to be scaled");
		ml_hint(rows->env, "Rescale it in the query.");
		return ML_EDATA;
	}
	model->y_mean = mean;
	model->y_scale = weight > 0 && squares / weight > 0 ? sqrt(squares / weight) : 1;
	return ML_OK;
}

#define FAR_TARGET \
	1e6 /* deviations from the mean: only rows that were not trained on can be farther */

/* Targets of a regression, standardised. */
static MlStatus
standardise_target(MlMlpData *rows, const MlMlpModel *model, const MlRows *from, size_t at)
{
	double y[READ_ROWS];

	for (size_t first = 0; first < from->n; first += READ_ROWS)
	{
		size_t n = ML_MIN(from->n - first, (size_t) READ_ROWS);

		ML_TRY(ml_poll(rows->env));
		ml_dataset_target(rows->data, from, first, n, y);
		for (size_t i = 0; i < n; i++)
		{
			double z = (y[i] - model->y_mean) / model->y_scale;

			rows->y[at + first + i] = (float) fmax(-FAR_TARGET, fmin(FAR_TARGET, z));
		}
	}
	return ML_OK;
}

MlStatus
ml_mlp_load_rows(MlMlpData *rows, MlMlpModel *model, const MlRows *fit, const MlRows *valid,
				 bool keep_target)
{
	rows->n_fit = fit->n;
	rows->n = fit->n + valid->n;
	rows->n_dense = model->design->n_dense;
	rows->n_factors = model->design->n_factors;
	ML_TRY(ml_region_alloc(rows->env, &rows->x, rows->n, rows->n_dense * sizeof(float)));
	ML_TRY(ml_region_alloc(rows->env, &rows->columns, rows->n, rows->n_factors * sizeof(uint32_t)));
	rows->y = ml_alloc_array(rows->env, rows->n, sizeof(float));
	rows->w = ml_alloc_array(rows->env, rows->n, sizeof(float));
	if (!rows->y || !rows->w)
		return ML_ENOMEM;
	ML_TRY(read_set(rows, model->design, fit, 0));
	ML_TRY(read_set(rows, model->design, valid, fit->n));
	scale_weights(rows);
	if (model->n_classes > 0)
		return ML_OK;
	if (!keep_target)
		ML_TRY(measure_target(rows, model, fit));
	ML_TRY(standardise_target(rows, model, fit, 0));
	return standardise_target(rows, model, valid, fit->n);
}

void
ml_mlp_free_rows(MlMlpData *rows)
{
	ml_region_free(rows->env, &rows->x);
	ml_region_free(rows->env, &rows->columns);
	ml_free(rows->env, rows->y);
	ml_free(rows->env, rows->w);
}
