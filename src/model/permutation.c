/*
 * permutation.c
 *		Permutation importance: Breiman, "Random forests", Machine Learning 45 (2001), section 10.
 *
 * One permutation a repeat serves all inputs: each input is shuffled by itself,
 * so that nothing is lost, and the rows are shuffled once. All features of an
 * input, such as the parts of a date, are shuffled together.
 */
#include <math.h>

#include "core/rng.h"
#include "metric/metric.h"
#include "model/effects.h"

#define BLOCK 65536 /* rows between two polls of what is cheap */

typedef struct Permutation
{
	MlEnv *env;
	const MlModel *model;
	const MlDataset *data;
	const char *metric;
	MlRows rows;
	double *actual, *weight, *predicted;
	uint32_t *features; /* room for those of one input */
	uint32_t *shuffled;
	double baseline;
} Permutation;

/* Target and weights as they are. */
static MlStatus
read_truth(Permutation *p)
{
	MlDataset plain = *p->data;

	plain.class_weight = NULL;
	for (size_t first = 0; first < p->rows.n; first += BLOCK)
	{
		size_t n = ML_MIN(p->rows.n - first, (size_t) BLOCK);

		ML_TRY(ml_poll(p->env));
		ml_dataset_target(&plain, &p->rows, first, n, p->actual + first);
		ml_dataset_weight(&plain, &p->rows, first, n, p->weight + first);
	}
	return ML_OK;
}

/* The metric with a change. */
static MlStatus
score(const Permutation *p, const MlChange *change, double *value)
{
	MlScored scored = {
		.classification = p->model->task == ML_CLASSIFICATION,
		.n_classes = p->model->n_classes,
		.classes = p->model->classes,
		.n = p->rows.n,
		.actual = p->actual,
		.predicted = p->predicted,
		.weight = p->data->weight_column >= 0 ? p->weight : NULL,
		.threshold = p->model->threshold,
	};

	ML_TRY(ml_model_predict_changed(p->env, p->model, p->data, &p->rows, change, p->predicted));
	return ml_metric_one(p->env, &scored, p->metric, value);
}

/* A random order of the rows. */
static MlStatus
shuffle(Permutation *p, uint64_t seed, uint32_t repeat)
{
	MlRng rng;

	for (size_t i = 0; i < p->rows.n; i++)
		p->shuffled[i] = (uint32_t) i;
	ml_rng_seed(&rng, seed, repeat);
	for (size_t i = p->rows.n; i-- > 1;)
	{
		size_t j = ml_rng_below(&rng, i + 1);
		uint32_t swap = p->shuffled[i];

		if (i % BLOCK == 0)
			ML_TRY(ml_poll(p->env));
		p->shuffled[i] = p->shuffled[j];
		p->shuffled[j] = swap;
	}
	return ML_OK;
}

/* How much worse the metric is when input k is shuffled. */
static MlStatus
loss_of_input(const Permutation *p, uint32_t k, double *loss)
{
	const MlInput *input = &p->model->schema->inputs[k];
	MlChange change = {.features = p->features, .n = input->n_features};
	double value;

	change.from = (MlRows){p->shuffled, p->rows.n};
	for (uint32_t j = 0; j < input->n_features; j++)
		p->features[j] = input->first_feature + j;
	ML_TRY(score(p, &change, &value));
	*loss = ml_metric_greater_is_better(p->metric) ? p->baseline - value : value - p->baseline;
	return ML_OK;
}

/* All repeats; mean and stddev hold Welford's mean and sum of squares until the end. */
static MlStatus
repeat_all(Permutation *p, uint32_t repeats, uint64_t seed, MlImportance *importance)
{
	uint32_t n_inputs = p->model->schema->n_inputs;

	ML_TRY(read_truth(p));
	ML_TRY(score(p, NULL, &p->baseline));
	for (uint32_t r = 0; r < repeats; r++)
	{
		ML_TRY(shuffle(p, seed, r));
		for (uint32_t k = 0; k < n_inputs; k++)
		{
			double loss, delta;

			ML_TRY(loss_of_input(p, k, &loss));
			delta = loss - importance[k].mean;
			importance[k].mean += delta / (r + 1);
			importance[k].stddev += delta * (loss - importance[k].mean);
			ml_report(p->env, &(MlProgress){.iteration = (int) (r * n_inputs + k + 1),
											.total = (int) (repeats * n_inputs),
											.loss = NAN,
											.valid_loss = NAN});
		}
	}
	for (uint32_t k = 0; k < n_inputs; k++)
		importance[k].stddev = repeats > 1 ? sqrt(importance[k].stddev / (repeats - 1)) : NAN;
	return ML_OK;
}

MlStatus
ml_permutation_importance(MlEnv *env, const MlModel *model, const MlDataset *data,
						  const char *metric, uint32_t repeats, uint64_t seed,
						  MlImportance *importance)
{
	size_t n = ml_frame_rows(data->frame);
	Permutation p = {.env = env, .model = model, .data = data, .metric = metric, .rows = {NULL, n}};
	MlStatus status = ML_ENOMEM;

	for (uint32_t k = 0; k < model->schema->n_inputs; k++)
		importance[k] = (MlImportance){0, 0};
	p.actual = ml_alloc_array(env, n, sizeof(double));
	p.weight = ml_alloc_array(env, n, sizeof(double));
	p.predicted = ml_alloc_array(env, n * model->n_outputs, sizeof(double));
	p.features = ml_alloc_array(env, model->schema->n_features, sizeof(uint32_t));
	p.shuffled = ml_alloc_array(env, n, sizeof(uint32_t));
	if (p.actual && p.weight && p.predicted && p.features && p.shuffled)
		status = repeat_all(&p, repeats, seed, importance);
	ml_free(env, p.actual);
	ml_free(env, p.weight);
	ml_free(env, p.predicted);
	ml_free(env, p.features);
	ml_free(env, p.shuffled);
	return status;
}
