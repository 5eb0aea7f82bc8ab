/*
 * gbdt_objective.c
 *		The rounds as the loss sees them: scores, losses, gradients as integers.
 *
 * Scores are floats: their error is far below a rounded gradient's. A
 * regression's targets are taken relative to a centre, so that they keep their
 * digits there. g and h are scaled so that their greatest size uses all 16
 * bits. Rounding is dithered: a fraction that depends on the row and the round
 * is added before truncation, so that gradients much smaller than the greatest
 * one (an outlier's) are right on average.
 *
 * Where the loss bounds the gradient the integers are made in the same pass as
 * the losses; else that pass finds the greatest ones, and another makes them.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt_objective.h"
#include "core/pool.h"

#define LEAST_G 1e-30 /* gradients below are none: their scale would not be a float */

/* What one pass over the rows is to do. */
typedef struct Pass
{
	GbdtObjective *objective;
	uint32_t output;
	const float *leaf_values;
	const uint16_t *leaf_of;
	float g_scale, h_scale;
} Pass;

/* Whether the greatest gradient is known beforehand. */
static bool
bounded(GbdtLoss loss)
{
	return loss == GBDT_LOGISTIC || loss == GBDT_SOFTMAX || loss == GBDT_ABSOLUTE ||
		   loss == GBDT_QUANTILE;
}

/* ---- chunks of rows */

/* The rows of a task: first come the chunks of the training rows. */
size_t
ml_gbdt_chunk_rows(const GbdtObjective *o, size_t task, size_t *first)
{
	size_t n_chunks = ml_gbdt_chunks(o->n_train);
	size_t end = task < n_chunks ? o->n_train : o->n_all;

	*first =
		task < n_chunks ? task * GBDT_CHUNK_ROWS : o->n_train + (task - n_chunks) * GBDT_CHUNK_ROWS;
	return ML_MIN((size_t) GBDT_CHUNK_ROWS, end - *first);
}

/* Sum up to a multiple of GBDT_LANES: what is beyond n counts nothing. */
static size_t
pad_block(float *values, size_t n)
{
	while (n % GBDT_LANES != 0)
		values[n++] = 0;
	return n;
}

/* The log of the sum of e^score of each row of a block, and its loss. */
static void
softmax_sums(GbdtObjective *o, size_t at, size_t n, float *loss)
{
	float top[GBDT_BLOCK_ROWS], sum[GBDT_BLOCK_ROWS] = {0};

	memcpy(top, o->scores + at, n * sizeof(float));
	for (uint32_t k = 1; k < o->n_outputs; k++)
		ml_gbdt_max_block(o->scores + k * o->n_all + at, n, top);
	for (uint32_t k = 0; k < o->n_outputs; k++)
		ml_gbdt_add_exp_block(o->scores + k * o->n_all + at, top, n, sum);
	for (size_t i = 0; i < n; i++)
	{
		float score = o->scores[(size_t) o->target[at + i] * o->n_all + at + i];

		o->log_sum[at + i] = top[i] + (float) log(sum[i]);
		loss[i] = o->log_sum[at + i] - score;
	}
}

/* Multiply the weights in. */
static void
weigh_block(const GbdtObjective *o, size_t at, size_t n, float *g, float *h)
{
	if (!o->weight)
		return;
	ml_gbdt_scale_block(o->weight + at, n, g);
	ml_gbdt_scale_block(o->weight + at, n, h);
}

/* How the rounding of an output's gradients is dithered in this round. */
static uint32_t
dither_shift(const GbdtObjective *o, uint32_t output)
{
	return (uint32_t) ((o->round * o->n_outputs + output) * 0x9E3779B97F4A7C15u >> 32);
}

/* The gradients of a block of training rows: their sizes are noted, and where these are bounded they are packed. */
static void
take_gradients(const Pass *pass, size_t task, size_t at, size_t n, float *g, float *h)
{
	GbdtObjective *o = pass->objective;

	weigh_block(o, at, n, g, h);
	if (bounded(o->loss))
		ml_gbdt_pack_block(g, h, at, n, dither_shift(o, pass->output), pass->g_scale, pass->h_scale,
						   o->gradients + at);
	pad_block(h, n);
	n = pad_block(g, n);
	o->chunk_squares[task] += ml_gbdt_sum_squares_block(g, n);
	if (bounded(o->loss))
		return;
	o->chunk_g[task] = ML_MAX(o->chunk_g[task], ml_gbdt_max_size_block(g, n));
	o->chunk_h[task] = ML_MAX(o->chunk_h[task], ml_gbdt_max_size_block(h, n));
}

/* Before a round: losses, and what there is to know of the gradients. */
static void
round_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	float g[GBDT_BLOCK_ROWS], h[GBDT_BLOCK_ROWS], loss[GBDT_BLOCK_ROWS];
	size_t first, n_rows = ml_gbdt_chunk_rows(o, task, &first);

	(void) worker;
	o->chunk_loss[task] = o->chunk_squares[task] = 0;
	o->chunk_g[task] = o->chunk_h[task] = 0;
	for (size_t at = first; at < first + n_rows; at += GBDT_BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) GBDT_BLOCK_ROWS, first + n_rows - at);

		if (o->loss == GBDT_SOFTMAX)
			softmax_sums(o, at, n, loss);
		else
			ml_gbdt_loss_block(o, o->scores + at, o->target + at, n, g, h, loss);
		if (o->weight)
			ml_gbdt_scale_block(o->weight + at, n, loss);
		if (o->loss != GBDT_SOFTMAX && at < o->n_train)
			take_gradients(pass, task, at, n, g, h);
		o->chunk_loss[task] += ml_gbdt_sum_block(loss, pad_block(loss, n));
	}
}

/* Gradients of one output, where round_task has not made them. */
static void
gradient_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	const float *scores = o->scores + pass->output * o->n_all;
	float factor = (float) o->n_outputs / ((float) o->n_outputs - 1);
	float g[GBDT_BLOCK_ROWS], h[GBDT_BLOCK_ROWS], loss[GBDT_BLOCK_ROWS];
	size_t first, n_rows = ml_gbdt_chunk_rows(o, task, &first);

	(void) worker;
	o->chunk_squares[task] = 0;
	for (size_t at = first; at < first + n_rows; at += GBDT_BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) GBDT_BLOCK_ROWS, first + n_rows - at);

		if (o->loss == GBDT_SOFTMAX)
			ml_gbdt_softmax_block(scores + at, o->log_sum + at, o->target + at,
								  (float) pass->output, factor, n, g, h);
		else
			ml_gbdt_loss_block(o, scores + at, o->target + at, n, g, h, loss);
		weigh_block(o, at, n, g, h);
		ml_gbdt_pack_block(g, h, at, n, dither_shift(o, pass->output), pass->g_scale, pass->h_scale,
						   o->gradients + at);
		if (o->loss == GBDT_SOFTMAX)
			o->chunk_squares[task] += ml_gbdt_sum_squares_block(g, pad_block(g, n));
	}
}

/* scores += value of the row's leaf. */
static void
add_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	size_t first = task * GBDT_CHUNK_ROWS;
	size_t n = ML_MIN((size_t) GBDT_CHUNK_ROWS, o->n_all - first);
	float *restrict scores = o->scores + pass->output * o->n_all + first;
	const uint16_t *restrict leaf_of = pass->leaf_of + first;

	(void) worker;
	for (size_t i = 0; i < n; i++)
		scores[i] += pass->leaf_values[leaf_of[i]];
}

/* ---- the rounds */

/* Scales so that the greatest |g| and h use all bits. Hessians that are all the same count rows. */
static void
set_scales(GbdtObjective *o, double max_g, double max_h, Pass *pass)
{
	bool any = max_g > LEAST_G;

	pass->g_scale = any ? (float) (GBDT_G_MAX / (max_g * o->headroom)) : 0;
	pass->h_scale = max_h > LEAST_G ? (float) (GBDT_H_MAX / (max_h * o->headroom)) : 0;
	if (ml_gbdt_constant_hessian(o->loss) && !o->weight && o->headroom == 1)
		pass->h_scale = 1;
	o->g_unit = any ? 1.0 / (double) pass->g_scale : 1;
	o->h_unit = pass->h_scale > 0 ? 1.0 / (double) pass->h_scale : 1;
}

/* Scales from what the loss bounds. */
static void
set_bounded_scales(GbdtObjective *o, Pass *pass)
{
	double w = (double) o->max_weight, alpha = (double) o->alpha;

	if (o->loss == GBDT_LOGISTIC)
		set_scales(o, w, w / 4, pass);
	else if (o->loss == GBDT_SOFTMAX)
		set_scales(o, w, w * o->n_outputs / (o->n_outputs - 1.0) / 4, pass);
	else
		set_scales(o, o->loss == GBDT_QUANTILE ? w * ML_MAX(alpha, 1 - alpha) : w, w, pass);
}

/* Add up what the chunks found. */
static void
sum_chunks(GbdtObjective *o, double *loss, double *spare_loss)
{
	size_t n_train_chunks = ml_gbdt_chunks(o->n_train);
	size_t n_chunks = n_train_chunks + ml_gbdt_chunks(o->n_all - o->n_train);
	double sums[2] = {0, 0}, weights[2] = {0, 0};

	o->max_g = o->max_h = o->square_sum = 0;
	for (size_t c = 0; c < n_chunks; c++)
	{
		sums[c >= n_train_chunks] += o->chunk_loss[c];
		weights[c >= n_train_chunks] += o->chunk_weight[c];
		o->square_sum += o->chunk_squares[c];
		o->max_g = ML_MAX(o->max_g, (double) o->chunk_g[c]);
		o->max_h = ML_MAX(o->max_h, (double) o->chunk_h[c]);
	}
	*loss = sums[0] / weights[0];
	*spare_loss = n_chunks > n_train_chunks ? sums[1] / weights[1] : NAN;
}

/* Before each round: the losses so far of the training rows and of the others (NaN: none). */
MlStatus
ml_gbdt_objective_round(GbdtObjective *o, uint64_t round, double *loss, double *spare_loss)
{
	size_t n_chunks = ml_gbdt_chunks(o->n_train) + ml_gbdt_chunks(o->n_all - o->n_train);
	Pass pass = {.objective = o};

	o->round = round;
	if (bounded(o->loss))
		set_bounded_scales(o, &pass);
	ML_TRY(ml_pool_run(o->env, n_chunks, round_task, &pass));
	sum_chunks(o, loss, spare_loss);
	if (!isfinite(o->max_g) || !isfinite(o->max_h) || !isfinite(o->square_sum))
		return ml_fail(o->env, ML_EDATA,
					   "the gradients of boosting overflow: targets or weights are too large");
	return ML_OK;
}

/* The packed gradients of one output; the scores of the others may have changed since the round began. */
MlStatus
ml_gbdt_objective_gradients(GbdtObjective *o, uint32_t output, GbdtGradients *gradients)
{
	size_t n_chunks = ml_gbdt_chunks(o->n_train);
	Pass pass = {.objective = o, .output = output};

	if (o->loss == GBDT_SOFTMAX)
		set_bounded_scales(o, &pass);
	else if (!bounded(o->loss))
		set_scales(o, o->max_g, o->max_h, &pass);
	if (o->loss == GBDT_SOFTMAX || !bounded(o->loss))
		ML_TRY(ml_pool_run(o->env, n_chunks, gradient_task, &pass));
	for (size_t c = 0; c < n_chunks && o->loss == GBDT_SOFTMAX; c++)
		o->square_sum += o->chunk_squares[c];
	*gradients = (GbdtGradients){o->gradients, o->g_unit, o->h_unit,
								 o->headroom > 1 && o->round >= o->goss_rounds};
	return ML_OK;
}

/* Losses that a gradient step fits badly put better values into the leaves, times the factor. */
MlStatus
ml_gbdt_objective_refit(GbdtObjective *o, uint32_t output, MlTree *tree, const uint16_t *leaf_of,
						const GbdtBounds *bounds, double factor)
{
	double *values;
	MlStatus status;

	if (!ml_gbdt_refits(o->loss))
		return ML_OK;
	values = ml_alloc_array(o->env, tree->n_leaves, sizeof(*values));
	if (!values)
		return ML_ENOMEM;
	status =
		ml_gbdt_refit_leaves(o, o->scores + output * o->n_all, leaf_of, tree->n_leaves, values);
	for (uint32_t i = 0; i < tree->n_leaves && status == ML_OK; i++)
	{
		double value = values[i];

		if (bounds)
			value = ML_MIN(ML_MAX(value, bounds[i].low), bounds[i].high);
		tree->values[i] = (float) (value * factor);
	}
	ml_free(o->env, values);
	return status;
}

/* Add a tree's values to the scores of an output. */
MlStatus
ml_gbdt_objective_add(GbdtObjective *o, uint32_t output, const MlTree *tree,
					  const uint16_t *leaf_of)
{
	Pass pass = {.objective = o, .output = output, .leaf_values = tree->values, .leaf_of = leaf_of};

	return ml_pool_run(o->env, ml_gbdt_chunks(o->n_all), add_task, &pass);
}

/* The root of the mean square of the gradients since the round began. */
double
ml_gbdt_gradient_norm(const GbdtObjective *o)
{
	return sqrt(o->square_sum / ((double) o->n_train * o->n_outputs));
}

/* ---- life */

/* Sums of weights by chunk, as the losses are divided by them. */
static void
sum_weights(GbdtObjective *o)
{
	size_t n_chunks = ml_gbdt_chunks(o->n_train) + ml_gbdt_chunks(o->n_all - o->n_train);

	for (size_t c = 0; c < n_chunks; c++)
	{
		size_t first, n = ml_gbdt_chunk_rows(o, c, &first);

		o->chunk_weight[c] = (double) n;
		if (!o->weight)
			continue;
		o->chunk_weight[c] = 0;
		for (size_t i = first; i < first + n; i++)
			o->chunk_weight[c] += (double) o->weight[i];
	}
}

/* Begin again with positions 0..n_train-1 as training rows: base gets the scores to start from. */
MlStatus
ml_gbdt_objective_start(GbdtObjective *o, size_t n_train, double *base)
{
	o->n_train = n_train;
	sum_weights(o);
	if (o->start)
	{
		memcpy(base, o->base, o->n_outputs * sizeof(*base));
		memcpy(o->scores, o->start, o->n_all * o->n_outputs * sizeof(*o->scores));
		return ML_OK;
	}
	ML_TRY(ml_gbdt_find_base(o));
	for (uint32_t k = 0; k < o->n_outputs; k++)
	{
		float start = (float) o->base[k];

		base[k] = (double) start + o->centre;
		for (size_t i = 0; i < o->n_all; i++)
			o->scores[k * o->n_all + i] = start;
		ML_TRY(ml_poll(o->env));
	}
	return ML_OK;
}

static MlStatus
allocate(GbdtObjective *o, bool weighted)
{
	MlEnv *env = o->env;

	o->n_chunks = ml_gbdt_chunks(o->n_all) + 1;
	o->target = ml_alloc_array(env, o->n_all, sizeof(float));
	o->scores = ml_alloc_array(env, o->n_all, o->n_outputs * sizeof(float));
	o->base = ml_alloc_array(env, o->n_outputs, sizeof(double));
	o->chunk_loss = ml_alloc_array(env, o->n_chunks, sizeof(double));
	o->chunk_weight = ml_alloc_array(env, o->n_chunks, sizeof(double));
	o->chunk_squares = ml_alloc_array(env, o->n_chunks, sizeof(double));
	o->chunk_g = ml_alloc_array(env, o->n_chunks, sizeof(float));
	o->chunk_h = ml_alloc_array(env, o->n_chunks, sizeof(float));
	o->values = ml_alloc_array(env, GBDT_CHUNK_ROWS, sizeof(double));
	ML_TRY(ml_region_alloc(env, &o->gradient_region, o->n_tiled, sizeof(*o->gradients)));
	o->gradients = o->gradient_region.data;
	if (!o->target || !o->scores || !o->base || !o->chunk_loss || !o->chunk_weight ||
		!o->chunk_squares || !o->chunk_g || !o->chunk_h || !o->values)
		return ML_ENOMEM;
	if (o->loss == GBDT_SOFTMAX && !(o->log_sum = ml_alloc_array(env, o->n_all, sizeof(float))))
		return ML_ENOMEM;
	if (weighted && !(o->weight = ml_alloc_array(env, o->n_all, sizeof(float))))
		return ML_ENOMEM;
	return ML_OK;
}

/* Start from what the trees of an earlier model say. */
static MlStatus
start_from(GbdtObjective *o, const GbdtObjectiveInput *input)
{
	GbdtScoring scoring = {input->previous, input->data, input->train, input->others,
						   o->centre,       o->n_all,    NULL};

	o->start = scoring.scores = ml_alloc_array(o->env, o->n_all, o->n_outputs * sizeof(float));
	if (!o->start)
		return ML_ENOMEM;
	memcpy(o->base, input->previous->trees->base, o->n_outputs * sizeof(*o->base));
	return ml_gbdt_score_previous(o->env, &scoring);
}

/* Targets and weights of train, then of others, are read from the dataset. */
MlStatus
ml_gbdt_objective_create(MlEnv *env, const GbdtObjectiveInput *input, GbdtObjective **out)
{
	const MlDataset *data = input->data;
	GbdtObjective *o = ml_zalloc(env, sizeof(*o));

	if (!o)
		return ML_ENOMEM;
	*out = o;
	o->env = env;
	o->loss = input->options->loss;
	o->alpha = (float) input->options->alpha;
	o->power = (float) input->options->tweedie_power;
	o->widen = (float) exp(input->options->max_delta_step);
	o->n_outputs = o->loss == GBDT_SOFTMAX ? data->n_classes : 1;
	o->headroom = ml_gbdt_headroom(input->options);
	o->goss_rounds = input->options->goss ? (uint64_t) (1 / input->options->learning_rate) : 0;
	o->n_tiled = input->train->n;
	o->n_all = input->train->n + input->others->n;
	ML_TRY(allocate(o, data->weight_column >= 0 || data->class_weight));
	ML_TRY(ml_gbdt_read_targets(o, data, input->train, input->others));
	return input->previous ? start_from(o, input) : ML_OK;
}

void
ml_gbdt_objective_free(MlEnv *env, GbdtObjective *o)
{
	if (!o)
		return;
	ml_gbdt_refit_free(o);
	ml_free(env, o->target);
	ml_free(env, o->weight);
	ml_free(env, o->scores);
	ml_free(env, o->start);
	ml_free(env, o->base);
	ml_free(env, o->log_sum);
	ml_region_free(env, &o->gradient_region);
	ml_free(env, o->chunk_loss);
	ml_free(env, o->chunk_weight);
	ml_free(env, o->chunk_squares);
	ml_free(env, o->chunk_g);
	ml_free(env, o->chunk_h);
	ml_free(env, o->values);
	ml_free(env, o);
}

/* Trees of a round. */
uint32_t
ml_gbdt_outputs(const GbdtObjective *o)
{
	return o->n_outputs;
}
