/*
 * mlp_model.c
 *		A fitted multilayer perceptron: layout, prediction, bytes.
 *
 * Prediction runs on the stack: two rows of units, at most MLP_MAX_WIDTH wide,
 * and a piece of the inputs at a time, so that their number does not matter. It
 * adds in the order of training, from the same kernels.
 */
#include <math.h>
#include <string.h>

#include "algo/mlp/mlp.h"
#include "core/stats.h"

#define PIECE 256 /* dense inputs worked off at a time */

/* ---- layout */

MlStatus
ml_mlp_lay_out(MlEnv *env, MlMlpModel *model, const uint32_t *hidden, uint32_t n_hidden)
{
	uint64_t at = 0, turned = 0, parameters = 0, n_in = model->design->n_dense;

	model->n_layers = n_hidden + 1;
	model->n_levels = model->design->n_columns - model->design->n_dense;
	for (uint32_t l = 0; l <= n_hidden; l++)
	{
		MlMlpLayer *layer = &model->layers[l];

		layer->n_in = (uint32_t) n_in;
		layer->n_out = l < n_hidden ? hidden[l] : model->n_outputs;
		layer->ld = (layer->n_out + MLP_LANES - 1) / MLP_LANES * MLP_LANES;
		layer->weights = at;
		layer->biases = at + n_in * layer->ld;
		layer->transposed = turned;
		at = layer->biases + layer->ld;
		turned += l > 0 ? (uint64_t) layer->n_out * layer[-1].ld : 0;
		parameters += (n_in + 1 + (l == 0 ? model->n_levels : 0)) * layer->n_out;
		n_in = layer->n_out;
	}
	model->levels = at;
	at += (uint64_t) model->n_levels * model->layers[0].ld;
	if (at > MLP_MAX_PARAMS)
	{
		ml_fail(env, ML_EDATA, "the net would have %llu parameters; mlp takes up to %zu million",
				(unsigned long long) parameters, MLP_MAX_PARAMS / 1000000);
		ml_hint(env, "Make hidden layers smaller, lower max_levels, or exclude features.");
		return ML_EDATA;
	}
	model->n_theta = at;
	model->n_transposed = turned;
	model->n_parameters = parameters;
	return ML_OK;
}

/* ---- prediction */

/* Add to sums what the dense inputs first..first+n-1 give; the biases come first. */
static void
add_inputs(const MlMlpModel *model, const double *x, float *sums)
{
	const MlDesign *design = model->design;
	const MlMlpLayer *layer = &model->layers[0];
	float input[PIECE];

	for (uint32_t first = 0; first < design->n_dense; first += PIECE)
	{
		uint32_t n = ML_MIN(design->n_dense - first, (uint32_t) PIECE);

		for (uint32_t i = 0; i < n; i++)
		{
			const MlDesignColumn *column = &design->columns[first + i];
			double value = x[column->feature];

			if (column->level == ML_DESIGN_MISSING)
				value = isnan(value);
			else if (value != value)
				value = column->mean;
			input[i] = ml_mlp_input(column, value);
		}
		ml_mlp_multiply(
			&(MlMlpProduct){.m = 1,
							.n = layer->ld,
							.k = n,
							.a = input,
							.a_col = 1,
							.b = model->theta + layer->weights + (size_t) first * layer->ld,
							.ldb = layer->ld,
							.c = sums,
							.add = true});
	}
}

/* Add to sums what the active levels give. */
static void
add_levels(const MlMlpModel *model, const double *x, float *sums)
{
	const MlDesign *design = model->design;
	size_t ld = model->layers[0].ld;

	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		double code = x[design->factor_feature[f]];
		uint32_t n_levels = design->factor_levels[f], column = ML_NO_COLUMN;

		if (code != code)
			column = design->factor_column[f][n_levels];
		else if (code >= 0 && code < n_levels)
			column = design->factor_column[f][(uint32_t) code];
		if (column != ML_NO_COLUMN)
			ml_mlp_add(model->theta + model->levels + (column - design->n_dense) * ld, sums, ld);
	}
}

/* The outputs of the net for a feature vector; returns one of the two rows. */
static const float *
run_net(const MlMlpModel *model, const double *x, float rows[2][MLP_MAX_WIDTH])
{
	const MlMlpLayer *layer = &model->layers[0];
	float *now = rows[0], *next = rows[1], *swap;

	memcpy(now, model->theta + layer->biases, layer->ld * sizeof(float));
	add_inputs(model, x, now);
	add_levels(model, x, now);
	for (uint32_t l = 1; l < model->n_layers; l++)
	{
		ml_mlp_activate(model->activation, now, layer->ld);
		layer = &model->layers[l];
		ml_mlp_multiply(&(MlMlpProduct){.m = 1,
										.n = layer->ld,
										.k = layer->n_in,
										.a = now,
										.a_col = 1,
										.b = model->theta + layer->weights,
										.ldb = layer->ld,
										.c = next,
										.start = model->theta + layer->biases});
		swap = now;
		now = next;
		next = swap;
	}
	return now;
}

/* The value, P(class 1), or the probabilities of all classes. */
void
ml_mlp_predict(const void *fitted, const double *x, double *out)
{
	const MlMlpModel *model = fitted;
	float rows[2][MLP_MAX_WIDTH];
	const float *net = run_net(model, x, rows);
	double most = net[0], sum = 0;

	if (model->n_classes == 0)
		out[0] = model->y_mean + model->y_scale * net[0];
	else if (model->n_classes == 2)
		out[0] = ml_sigmoid(net[0]);
	else
	{
		for (uint32_t k = 1; k < model->n_outputs; k++)
			most = net[k] > most ? net[k] : most;
		for (uint32_t k = 0; k < model->n_outputs; k++)
			sum += out[k] = exp(net[k] - most);
		for (uint32_t k = 0; k < model->n_outputs; k++)
			out[k] /= sum;
	}
}

/* ---- bytes */

/* Rows of weights without their padding. */
static void
put_rows(MlBuffer *out, const float *rows, size_t n, const MlMlpLayer *layer)
{
	for (size_t i = 0; i < n; i++)
		ml_put_f32_array(out, rows + i * layer->ld, layer->n_out);
}

/* Design, shape, then weights and biases layer by layer, and the levels' weights. */
void
ml_mlp_save(const void *fitted, MlBuffer *out)
{
	const MlMlpModel *model = fitted;

	ml_design_save(model->design, out);
	ml_put_u8(out, (uint8_t) model->activation);
	ml_put_u32(out, model->n_classes);
	ml_put_f64(out, model->y_mean);
	ml_put_f64(out, model->y_scale);
	ml_put_u8(out, (uint8_t) (model->n_layers - 1));
	for (uint32_t l = 0; l + 1 < model->n_layers; l++)
		ml_put_u32(out, model->layers[l].n_out);
	for (uint32_t l = 0; l < model->n_layers; l++)
		put_rows(out, model->theta + model->layers[l].weights, (size_t) model->layers[l].n_in + 1,
				 &model->layers[l]);
	put_rows(out, model->theta + model->levels, model->n_levels, &model->layers[0]);
}

/* n rows of weights, which must be finite. */
static MlStatus
get_rows(MlReader *in, float *rows, size_t n, const MlMlpLayer *layer)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < layer->n_out; j++)
		{
			float weight = ml_get_f32(in);

			if (!isfinite(weight))
				return ml_corrupt(in->env, "mlp: a weight");
			rows[i * layer->ld + j] = weight;
		}
	return ml_reader_check(in, "mlp: weights");
}

/* What stands before the weights. */
static MlStatus
load_shape(MlReader *in, MlMlpModel *model, uint32_t n_outputs)
{
	uint32_t hidden[MLP_MAX_HIDDEN] = {0};
	uint8_t activation = ml_get_u8(in), n_hidden;

	model->n_classes = ml_get_u32(in);
	model->y_mean = ml_get_f64(in);
	model->y_scale = ml_get_f64(in);
	n_hidden = ml_get_u8(in);
	ML_TRY(ml_reader_check(in, "mlp: shape"));
	if (activation > MLP_LOGISTIC || n_hidden > MLP_MAX_HIDDEN || n_outputs > MLP_MAX_WIDTH ||
		model->n_classes == 1 || (model->n_classes > 2 ? model->n_classes : 1) != n_outputs)
		return ml_corrupt(in->env, "mlp: shape");
	if (!isfinite(model->y_mean) || !(model->y_scale > 0) || !isfinite(model->y_scale))
		return ml_corrupt(in->env, "mlp: mean or scale of the target");
	for (uint32_t l = 0; l < n_hidden; l++)
	{
		hidden[l] = ml_get_u32(in);
		if (hidden[l] == 0 || hidden[l] > MLP_MAX_WIDTH)
			return ml_corrupt(in->env, "mlp: width of a layer");
	}
	model->activation = (MlMlpActivation) activation;
	model->n_outputs = n_outputs;
	if (ml_mlp_lay_out(in->env, model, hidden, n_hidden) != ML_OK ||
		model->n_parameters > (in->len - in->pos) / sizeof(float))
		return ml_corrupt(in->env, "mlp: number of weights");
	return ml_reader_check(in, "mlp: shape");
}

/* Read a model from hostile bytes. */
MlStatus
ml_mlp_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **out)
{
	MlMlpModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlDesign *design;

	if (!model)
		return ML_ENOMEM;
	ML_TRY(ml_design_load(in, arena, schema, &design));
	model->design = design;
	ML_TRY(load_shape(in, model, n_outputs));
	model->theta = ml_arena_array(arena, model->n_theta, sizeof(float));
	if (!model->theta)
		return ML_ENOMEM;
	for (uint32_t l = 0; l < model->n_layers; l++)
		ML_TRY(get_rows(in, model->theta + model->layers[l].weights,
						(size_t) model->layers[l].n_in + 1, &model->layers[l]));
	ML_TRY(get_rows(in, model->theta + model->levels, model->n_levels, &model->layers[0]));
	*out = model;
	return ML_OK;
}
