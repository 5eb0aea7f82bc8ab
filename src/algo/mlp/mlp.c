/*
 * mlp.c
 *		The multilayer perceptron: dense layers, trained by Adam on small batches.
 *
 * Inputs go through the design: numbers imputed and standardised, one column per
 * level. The target of a regression is standardised. Weights start as He et al.
 * 2015 (relu) or Glorot and Bengio 2010 say, drawn evenly, biases at zero; of a
 * factor's levels one at most is active, so a factor counts as one input there.
 * A share of the training rows is kept aside to tell when to stop.
 *
 * The work is in the files beside this one: the copy of the rows (mlp_data),
 * kernels (mlp_kernel), a batch (mlp_batch), the epochs (mlp_epochs), the fitted
 * net (mlp_model). Exact contributions of features do not exist for a net.
 *
 * An image can be trained on: the same layers and the same transform of inputs
 * and target; levels that are new since then stay without a weight.
 */
#include <math.h>
#include <string.h>

#include "algo/mlp/mlp.h"

/* Rows of a batch by default: so many steps an epoch, within these bounds. */
#define AUTO_STEPS 500
#define LEAST_BATCH 64
#define MOST_BATCH 256
#define FEW_ROWS 100 /* below: no rows are kept aside */

static const MlParam mlp_params[] = {
	[MLP_HIDDEN] = {"hidden", ML_PARAM_JSON, "[64,32]", 0, 0, NULL,
					"Units of each hidden layer: up to 8 layers of up to 4096 units; [] for none."},
	[MLP_ACTIVATION] = {"activation", ML_PARAM_CHOICE, "\"relu\"", 0, 0, "relu|tanh|logistic",
						"Function of a unit in hidden layers."},
	[MLP_SOLVER] = {"solver", ML_PARAM_CHOICE, "\"adam\"", 0, 0, "adam|sgd",
					"How weights are moved: Adam, or gradient descent with momentum."},
	[MLP_LEARNING_RATE] = {"learning_rate", ML_PARAM_REAL, "null", 1e-7, 10, NULL,
						   "Size of the steps; lowered when the loss no longer falls. By default "
						   "0.003 for adam, 0.01 for sgd."},
	[MLP_MOMENTUM] = {"momentum", ML_PARAM_REAL, "0.9", 0, 0.999, NULL,
					  "Share of the last step that goes on (solver sgd)."},
	[MLP_BATCH_SIZE] = {"batch_size", ML_PARAM_INT, "null", 1, 65536, NULL,
						"Rows of a step. By default 64, up to 256 where there are many rows."},
	[MLP_MAX_ITER] = {"max_iter", ML_PARAM_INT, "200", 1, 100000, NULL,
					  "Most epochs: passes over the training rows."},
	[MLP_L2] = {"l2", ML_PARAM_REAL, "5e-4", 0, 1e6, NULL,
				"Penalty: l2 / 2 times the sum of squared weights is added to the mean loss."},
	[MLP_DROPOUT] = {"dropout", ML_PARAM_REAL, "0", 0, 0.9, NULL,
					 "Share of the hidden units that each step leaves out at random."},
	[MLP_EARLY_STOPPING] = {"early_stopping", ML_PARAM_INT, "10", 0, 100000, NULL,
							"Lower the step, and at last stop, after so many epochs in which the "
							"loss of rows kept aside fell by less than tol; 0: never."},
	[MLP_VALIDATION_FRACTION] = {"validation_fraction", ML_PARAM_REAL, "0.1", 0, 0.9, NULL,
								 "Share of the training rows kept aside for early_stopping; below "
								 "100 rows, or with 0, the training loss is watched."},
	[MLP_TOL] = {"tol", ML_PARAM_REAL, "1e-4", 0, 1e6, NULL,
				 "A loss that is lower by less is no progress."},
	[MLP_MAX_LEVELS] =
		{"max_levels", ML_PARAM_INT, "1000", 1, 65535, NULL,
		 "Most frequent levels of a categorical feature that get an input of their own."},
	{NULL},
};

/* ---- options */

/* Widths of the hidden layers. */
static MlStatus
read_hidden(MlEnv *env, const MlJson *json, uint32_t *hidden, uint32_t *n_hidden)
{
	bool good = json->type == ML_JSON_ARRAY && json->n <= MLP_MAX_HIDDEN;

	for (size_t l = 0; good && l < json->n; l++)
	{
		const MlJson *item = &json->items[l];

		good = item->type == ML_JSON_NUMBER && item->number >= 1 && item->number <= MLP_MAX_WIDTH &&
			   item->number == floor(item->number);
		if (good)
			hidden[l] = (uint32_t) item->number;
	}
	if (!good)
		return ml_fail(
			env, ML_EINVAL,
			"option \"hidden\" of mlp must be an array of at most %d integers between 1 and %u",
			MLP_MAX_HIDDEN, MLP_MAX_WIDTH);
	*n_hidden = (uint32_t) json->n;
	return ML_OK;
}

static void
read_options(const MlFitInput *input, MlMlpOptions *options)
{
	const MlParams *p = input->params;

	options->adam = p->values[MLP_SOLVER].number == 0;
	options->learning_rate = p->values[MLP_LEARNING_RATE].null
								 ? options->adam ? 0.003 : 0.01
								 : ml_param_real(p, MLP_LEARNING_RATE);
	options->momentum = ml_param_real(p, MLP_MOMENTUM);
	options->l2 = ml_param_real(p, MLP_L2);
	options->dropout = ml_param_real(p, MLP_DROPOUT);
	options->valid_share = ml_param_real(p, MLP_VALIDATION_FRACTION);
	options->tol = ml_param_real(p, MLP_TOL);
	options->batch_size =
		p->values[MLP_BATCH_SIZE].null
			? (uint32_t) ML_MAX(ML_MIN(input->train.n / AUTO_STEPS, MOST_BATCH), LEAST_BATCH)
			: (uint32_t) ml_param_int(p, MLP_BATCH_SIZE);
	options->max_iter = (uint32_t) ml_param_int(p, MLP_MAX_ITER);
	options->early_stopping = (uint32_t) ml_param_int(p, MLP_EARLY_STOPPING);
}

/* ---- the rows */

/*
 * Keep a share of the training rows aside (selection sampling: Knuth, The Art of Computer Programming 2,
 * 3.4.2, Algorithm S); none when the caller gave some, or there are too few.
 */
static MlStatus
keep_aside(MlEnv *env, MlArena *arena, const MlFitInput *input, const MlMlpOptions *options,
		   MlRows *fit, MlRows *valid)
{
	size_t n = input->train.n, left = (size_t) ((double) n * options->valid_share);
	uint32_t *fit_index, *valid_index;
	MlRng rng;

	*fit = input->train;
	*valid = input->valid;
	if (valid->n > 0 || options->early_stopping == 0 || n < FEW_ROWS || left == 0)
		return ML_OK;
	*valid = (MlRows){NULL, left};
	*fit = (MlRows){NULL, n - left};
	fit->index = fit_index = ml_arena_array(arena, fit->n, sizeof(uint32_t));
	valid->index = valid_index = ml_arena_array(arena, valid->n, sizeof(uint32_t));
	if (!fit_index || !valid_index)
		return ML_ENOMEM;
	ml_rng_seed(&rng, input->seed, 2);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t row = input->train.index ? input->train.index[i] : (uint32_t) i;

		if (i % 65536 == 0)
			ML_TRY(ml_poll(env));
		if (ml_rng_below(&rng, n - i) < left)
		{
			*valid_index++ = row;
			left--;
		}
		else
			*fit_index++ = row;
	}
	return ML_OK;
}

/* ---- the net */

/* Draw the weights of a layer's rows from -limit..limit. */
static MlStatus
draw_rows(MlEnv *env, float *rows, size_t n, const MlMlpLayer *layer, double limit, MlRng *rng)
{
	for (size_t i = 0; i < n; i++)
	{
		if (i % 16 == 0)
			ML_TRY(ml_poll(env));
		for (uint32_t j = 0; j < layer->n_out; j++)
			rows[i * layer->ld + j] = (float) (limit * (2 * ml_rng_uniform(rng) - 1));
	}
	return ML_OK;
}

/* Weights to start from; biases are zero. The output starts small: all classes, or the mean, at first. */
static MlStatus
draw_weights(MlEnv *env, MlMlpModel *model, uint64_t seed)
{
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (uint32_t l = 0; l < model->n_layers; l++)
	{
		const MlMlpLayer *layer = &model->layers[l];
		double inputs = (double) layer->n_in + (l == 0 ? model->design->n_factors : 0);
		double limit = model->activation == MLP_RELU && l + 1 < model->n_layers
						   ? sqrt(6 / ML_MAX(inputs, 1))
						   : sqrt(6 / (inputs + layer->n_out));

		ML_TRY(draw_rows(env, model->theta + layer->weights, layer->n_in, layer, limit, &rng));
		if (l == 0)
			ML_TRY(
				draw_rows(env, model->theta + model->levels, model->n_levels, layer, limit, &rng));
	}
	return ML_OK;
}

/* A net as the options say, its weights drawn. */
static MlStatus
new_net(MlEnv *env, MlArena *arena, const MlFitInput *input, const MlRows *fit, MlMlpModel *model)
{
	const MlDesignOptions design_options = {
		.max_levels = (uint32_t) ml_param_int(input->params, MLP_MAX_LEVELS)};
	uint32_t hidden[MLP_MAX_HIDDEN], n_hidden;
	MlDesign *design;

	ML_TRY(read_hidden(env, input->params->values[MLP_HIDDEN].json, hidden, &n_hidden));
	ML_TRY(ml_design_fit(env, arena, input->data, fit, &design_options, &design));
	model->design = design;
	model->activation = (MlMlpActivation) input->params->values[MLP_ACTIVATION].number;
	model->n_classes = input->data->task == ML_CLASSIFICATION ? input->data->n_classes : 0;
	model->n_outputs = model->n_classes > 2 ? model->n_classes : 1;
	model->y_scale = 1;
	ML_TRY(ml_mlp_lay_out(env, model, hidden, n_hidden));
	model->theta = ml_arena_array(arena, model->n_theta, sizeof(float));
	return model->theta ? draw_weights(env, model, input->seed) : ML_ENOMEM;
}

/* The net to go on from, with the transform it has; options of another shape are an error. */
static MlStatus
old_net(MlEnv *env, MlArena *arena, const MlFitInput *input, MlMlpModel *model)
{
	const MlMlpModel *previous = input->previous;
	const MlParams *p = input->params;
	uint32_t hidden[MLP_MAX_HIDDEN], n_hidden;
	MlDesign *design;
	bool same = true;

	ML_TRY(read_hidden(env, p->values[MLP_HIDDEN].json, hidden, &n_hidden));
	if (p->values[MLP_HIDDEN].given)
		same = n_hidden + 1 == previous->n_layers;
	for (uint32_t l = 0; same && p->values[MLP_HIDDEN].given && l < n_hidden; l++)
		same = hidden[l] == previous->layers[l].n_out;
	if (p->values[MLP_ACTIVATION].given)
		same &= p->values[MLP_ACTIVATION].number == (double) previous->activation;
	if (!same)
	{
		ml_fail(env, ML_EINVAL, "training cannot go on from a net of another shape");
		ml_hint(env, "Leave out hidden and activation: they are those of the net to go on from.");
		return ML_EINVAL;
	}
	*model = *previous;
	ML_TRY(ml_design_make(arena, input->data->schema, previous->design->columns,
						  previous->design->n_columns, &design));
	model->design = design;
	model->theta = ml_arena_array(arena, model->n_theta, sizeof(float));
	if (!model->theta)
		return ML_ENOMEM;
	memcpy(model->theta, previous->theta, model->n_theta * sizeof(float));
	return ML_OK;
}

static MlStatus
mlp_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **out)
{
	MlMlpModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlMlpData data = {.env = env, .data = input->data};
	MlMlpOptions options;
	MlRows fit, valid;
	MlStatus status;

	if (!model)
		return ML_ENOMEM;
	if (input->train.n == 0)
		return ml_fail(env, ML_EDATA, "there is no row to train on");
	read_options(input, &options);
	ML_TRY(keep_aside(env, arena, input, &options, &fit, &valid));
	if (input->previous)
		ML_TRY(old_net(env, arena, input, model));
	else
		ML_TRY(new_net(env, arena, input, &fit, model));
	status = ml_mlp_load_rows(&data, model, &fit, &valid, input->previous != NULL);
	if (status == ML_OK)
		status = ml_mlp_train(env, model, &options, &data, input->seed, report);
	ml_mlp_free_rows(&data);
	*out = model;
	return status;
}

const MlAlgo ml_algo_mlp = {
	.name = "mlp",
	.summary = "Neural net of dense layers, trained by Adam with early stopping",
	.tasks = ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION),
	.params = mlp_params,
	.continues = true,
	.fit = mlp_fit,
	.save = ml_mlp_save,
	.load = ml_mlp_load,
	.predict = ml_mlp_predict,
};
