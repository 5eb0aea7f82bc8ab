/*
 * predict_rows.c
 *		Predictions: of one row, of many rows of a dataset on all threads.
 */
#include "core/pool.h"
#include "model/model.h"

#define BLOCK 1024            /* rows a task, fewer when they are wide */
#define BLOCK_CELLS (1 << 20) /* at most, of one block of features */
#define TASK_MICROSECONDS 5000.0
#define TILE 256 /* values of a column at once */

/* The algorithm's outputs, calibrated. */
static inline void
predict_outputs(const MlModel *model, const double *x, double *out)
{
	model->algo->predict(model->fitted, x, out);
	if (model->calibration)
		ml_calibration_apply(model->calibration, out);
}

void
ml_model_predict(const MlModel *model, const double *x, double *probs)
{
	if (model->n_classes == 2)
	{
		double p;

		predict_outputs(model, x, &p);
		probs[0] = 1 - p;
		probs[1] = p;
	}
	else
		predict_outputs(model, x, probs);
}

uint32_t
ml_model_class(const MlModel *model, const double *probs)
{
	uint32_t best = 0;

	if (model->n_classes == 2)
		return probs[1] > model->threshold;
	for (uint32_t k = 1; k < model->n_classes; k++)
	{
		if (probs[k] > probs[best])
			best = k;
	}
	return best;
}

/* ---- many rows ---- */

/* Rows that one task may predict: no more at once than take 5 ms, and fit a block. */
static size_t
rows_of_a_task(const MlModel *model, size_t n_features)
{
	double cost = model->algo->row_cost ? model->algo->row_cost(model->fitted) : 0;
	size_t rows = ML_MAX((size_t) 1, ML_MIN((size_t) BLOCK, BLOCK_CELLS / n_features));

	return cost * (double) rows > TASK_MICROSECONDS ? (size_t) ML_MAX(1, TASK_MICROSECONDS / cost)
													: rows;
}

typedef struct PredictJob
{
	const MlModel *model;
	const MlDataset *data;
	const MlRows *rows;
	const MlChange *change; /* or NULL */
	size_t block;           /* rows */
	double *blocks;         /* a feature block per worker, and a prepared row behind each */
	size_t block_cells;     /* of both */
	double *out;
} PredictJob;

/* Put the changed values into the features of a block. */
static void
change_block(const PredictJob *job, size_t first, size_t n, double *x)
{
	const MlChange *change = job->change;
	uint32_t n_features = job->model->schema->n_features;
	double column[TILE];

	for (uint32_t c = 0; c < change->n; c++)
	{
		for (size_t at = 0; at < n; at += TILE)
		{
			size_t m = ML_MIN(n - at, (size_t) TILE);

			if (!change->values)
				ml_dataset_feature(job->data, change->features[c], &change->from, first + at, m,
								   column);
			for (size_t i = 0; i < m; i++)
				x[(at + i) * n_features + change->features[c]] =
					change->values ? change->values[c] : column[i];
		}
	}
}

/* The features that the algorithm sees, of a row of columns' features. */
static const double *
prepare(const MlModel *model, const double *x, double *prepared)
{
	if (!model->prep)
		return x;
	ml_prep_row(model->prep, x, prepared);
	return prepared;
}

/* Predict one block of rows. */
static void
predict_block(void *arg, size_t task, int worker)
{
	PredictJob *job = arg;
	uint32_t n_features = job->model->schema->n_features;
	double *x = job->blocks + (size_t) worker * job->block_cells;
	double *prepared = x + job->block * n_features;
	size_t first = task * job->block;
	size_t n = ML_MIN(job->block, job->rows->n - first);

	ml_dataset_block(job->data, job->rows, first, n, x);
	if (job->change)
		change_block(job, first, n, x);
	for (size_t i = 0; i < n; i++)
		predict_outputs(job->model, prepare(job->model, x + i * n_features, prepared),
						job->out + (first + i) * job->model->n_outputs);
}

MlStatus
ml_model_predict_changed(MlEnv *env, const MlModel *model, const MlDataset *data,
						 const MlRows *rows, const MlChange *change, double *out)
{
	size_t n_features = ML_MAX(model->schema->n_features, 1u);
	size_t workers = (size_t) ML_MAX(1, env->n_threads);
	PredictJob job = {
		.model = model,
		.data = data,
		.rows = rows,
		.change = change,
		.block = rows_of_a_task(model, n_features),
		.out = out,
	};
	MlStatus status;

	job.block_cells = job.block * n_features + (model->prep ? model->prep->schema->n_features : 0);
	job.blocks = ml_alloc_array(env, workers * job.block_cells, sizeof(double));
	if (!job.blocks)
		return ML_ENOMEM;
	status = ml_pool_run(env, (rows->n + job.block - 1) / job.block, predict_block, &job);
	ml_free(env, job.blocks);
	return status;
}

MlStatus
ml_model_predict_rows(MlEnv *env, const MlModel *model, const MlDataset *data, const MlRows *rows,
					  double *out)
{
	return ml_model_predict_changed(env, model, data, rows, NULL, out);
}
