/*
 * mlp_epochs.c
 *		Passes over the rows until the loss no longer falls, and their log.
 *
 * An epoch visits the rows in an order drawn anew, in batches of equal size. It
 * is judged by the loss of the rows kept aside, or where there are none by the
 * mean loss of its batches; the weights of the best epoch are kept. The step
 * gets smaller when the loss has not fallen for some epochs, and training ends
 * when that did not help. Histograms of the weights are kept of some epochs,
 * since which one will be the middle is known at the end only.
 */
#include <math.h>
#include <string.h>

#include "algo/mlp/mlp.h"

#define BETA1 0.9 /* Kingma and Ba 2015, section 2 */
#define BETA2 0.999
#define EPSILON 1e-8f
#define MAX_SHOTS 64 /* histograms kept; every second one goes when there are more */
#define POLL_STEPS 0xffffu

/* The weights of a layer at one time. */
typedef struct Shot
{
	double norm;
	float low, high;
	uint32_t counts[MLP_BINS];
} Shot;

/* What the log says of an epoch. */
typedef struct Line
{
	double loss, valid_loss, gradient_norm, weight_norm, step;
} Line;

typedef struct Run
{
	MlEnv *env;
	MlMlpModel *model;
	const MlMlpOptions *options;
	const MlMlpData *data;
	MlMlpTrainer trainer;
	uint32_t *order; /* rows: those trained on, shuffled, then the others */
	uint64_t seed;
	MlRng rng;
	size_t n_batches;

	double rate, power1, power2; /* Adam: beta1^t, beta2^t */
	uint64_t steps;

	float *best; /* weights of the best epoch */
	double best_loss;
	uint32_t epoch, best_epoch;
	uint32_t idle, falls; /* epochs without progress; times that the step was made smaller since */

	Line *lines; /* of epochs 0, 1, ... */
	size_t n_lines, lines_capacity;
	Shot *shots; /* MAX_SHOTS x n_layers */
	uint32_t shot_epoch[MAX_SHOTS], n_shots, shot_stride;
} Run;

/* ---- the log */

/* Norm, range and histogram of the weights of a layer, the levels' included, the biases not. */
static void
measure_layer(const MlMlpModel *model, uint32_t l, Shot *shot)
{
	const MlMlpLayer *layer = &model->layers[l];
	const float *parts[2] = {model->theta + layer->weights, model->theta + model->levels};
	size_t rows[2] = {layer->n_in, l == 0 ? model->n_levels : 0};
	double squares = 0, scale;

	*shot = (Shot){.low = INFINITY, .high = -INFINITY};
	for (int part = 0; part < 2; part++)
		for (size_t i = 0; i < rows[part]; i++)
			for (uint32_t j = 0; j < layer->n_out; j++)
			{
				float weight = parts[part][i * layer->ld + j];

				squares += (double) weight * weight;
				shot->low = weight < shot->low ? weight : shot->low;
				shot->high = weight > shot->high ? weight : shot->high;
			}
	shot->norm = sqrt(squares);
	scale = shot->high > shot->low ? MLP_BINS / ((double) shot->high - shot->low) : 0;
	for (int part = 0; part < 2; part++)
		for (size_t i = 0; i < rows[part]; i++)
			for (uint32_t j = 0; j < layer->n_out; j++)
			{
				double place = (parts[part][i * layer->ld + j] - (double) shot->low) * scale;

				/* Weights of a net that diverges may be anything. */
				shot->counts[place > 0 ? place < MLP_BINS ? (int) place : MLP_BINS - 1 : 0]++;
			}
}

/* Keep the histograms of this epoch, for some epochs evenly spread. */
static void
take_shots(Run *run)
{
	uint32_t n_layers = run->model->n_layers;

	if (run->epoch % run->shot_stride != 0)
		return;
	if (run->n_shots == MAX_SHOTS)
	{
		for (uint32_t s = 0; s < MAX_SHOTS; s += 2)
		{
			memcpy(run->shots + s / 2 * n_layers, run->shots + s * n_layers,
				   n_layers * sizeof(Shot));
			run->shot_epoch[s / 2] = run->shot_epoch[s];
		}
		run->n_shots = MAX_SHOTS / 2;
		run->shot_stride *= 2;
		if (run->epoch % run->shot_stride != 0)
			return;
	}
	run->shot_epoch[run->n_shots] = run->epoch;
	for (uint32_t l = 0; l < n_layers; l++)
		measure_layer(run->model, l, &run->shots[run->n_shots * n_layers + l]);
	run->n_shots++;
}

/* Note an epoch, and tell of it. */
static MlStatus
note(Run *run, Line line)
{
	double squares = 0;

	for (uint32_t l = 0; l < run->model->n_layers; l++)
	{
		const MlMlpLayer *layer = &run->model->layers[l];

		squares +=
			ml_mlp_squares(run->model->theta + layer->weights, (size_t) layer->n_in * layer->ld);
		ML_TRY(ml_poll(run->env));
	}
	squares += ml_mlp_squares(run->model->theta + run->model->levels,
							  run->model->n_theta - run->model->levels);
	line.weight_norm = sqrt(squares);
	ML_TRY(ml_grow(run->env, &run->lines, &run->lines_capacity, run->n_lines + 1, sizeof(Line)));
	run->lines[run->n_lines++] = line;
	take_shots(run);
	if (run->epoch > 0)
		ml_report(run->env, &(MlProgress){.iteration = (int) run->epoch,
										  .total = (int) run->options->max_iter,
										  .loss = line.loss,
										  .valid_loss = line.valid_loss});
	return ML_OK;
}

/* The layers of one epoch. */
static void
write_shots(MlJsonWriter *w, const Run *run, const Shot *shots)
{
	ml_json_open(w, "layers", '[');
	for (uint32_t l = 0; l < run->model->n_layers; l++)
	{
		ml_json_open(w, NULL, '{');
		ml_json_number(w, "layer", l + 1);
		ml_json_number(w, "weight_norm", shots[l].norm);
		ml_json_number(w, "low", shots[l].low);
		ml_json_number(w, "high", shots[l].high);
		ml_json_open(w, "histogram", '[');
		for (int b = 0; b < MLP_BINS; b++)
			ml_json_number(w, NULL, shots[l].counts[b]);
		ml_json_close(w, ']');
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
}

/* All lines; the histograms of the first, the middle and the last epoch that has them. */
static void
write_log(const Run *run, MlBuffer *out)
{
	uint32_t middle = 0;
	MlJsonWriter w;

	ml_json_writer(&w, out);
	while (middle + 1 < run->n_shots && run->shot_epoch[middle + 1] <= run->epoch / 2)
		middle++;
	for (size_t i = 0; i < run->n_lines; i++)
	{
		const Line *line = &run->lines[i];

		ml_json_open(&w, NULL, '{');
		ml_json_number(&w, "iteration", (double) i);
		ml_json_number(&w, "loss", line->loss);
		ml_json_number(&w, "valid_loss", line->valid_loss);
		ml_json_number(&w, "gradient_norm", line->gradient_norm);
		ml_json_number(&w, "weight_norm", line->weight_norm);
		ml_json_number(&w, "step", line->step);
		for (uint32_t s = 0; s < run->n_shots; s++)
			if (run->shot_epoch[s] == i && (s == 0 || s == middle || s + 1 == run->n_shots))
				write_shots(&w, run, run->shots + s * run->model->n_layers);
		ml_json_close(&w, '}');
	}
}

static void
write_summary(const Run *run, MlBuffer *out)
{
	const Line *best = &run->lines[run->best_epoch];
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_number(&w, "n", (double) run->data->n_fit);
	ml_json_number(&w, "valid_rows", (double) (run->data->n - run->data->n_fit));
	ml_json_number(&w, "parameters", (double) run->model->n_parameters);
	ml_json_open(&w, "layers", '[');
	for (uint32_t l = 0; l < run->model->n_layers; l++)
		ml_json_number(&w, NULL, run->model->layers[l].n_out);
	ml_json_close(&w, ']');
	ml_json_number(&w, "iterations", run->epoch);
	ml_json_number(&w, "best_iteration", run->best_epoch);
	ml_json_number(&w, "loss", best->loss);
	ml_json_number(&w, "valid_loss", best->valid_loss);
	ml_json_bool(&w, "stopped_early", run->epoch < run->options->max_iter);
	if (run->epoch == run->options->max_iter && run->options->early_stopping > 0 && run->idle == 0)
		ml_json_text(&w, "advice", "The loss was still falling: raise max_iter.");
}

/* ---- epochs */

/* Put the rows to train on in a new order (Fisher and Yates). */
static MlStatus
shuffle(Run *run)
{
	for (size_t i = run->data->n_fit; i > 1; i--)
	{
		size_t j = ml_rng_below(&run->rng, i);
		uint32_t swap = run->order[i - 1];

		if ((i & POLL_STEPS) == 0)
			ML_TRY(ml_poll(run->env));
		run->order[i - 1] = run->order[j];
		run->order[j] = swap;
	}
	return ML_OK;
}

/* Set the next step of the optimiser. */
static void
next_step(Run *run)
{
	MlMlpStep *step = &run->trainer.step;

	run->steps++;
	run->power1 *= BETA1;
	run->power2 *= BETA2;
	*step = (MlMlpStep){.adam = run->options->adam,
						.beta1 = (float) BETA1,
						.beta2 = (float) BETA2,
						.epsilon = EPSILON,
						.momentum = (float) run->options->momentum,
						.l2 = (float) run->options->l2};
	step->rate =
		(float) (step->adam ? run->rate * sqrt(1 - run->power2) / (1 - run->power1) : run->rate);
	run->trainer.drop_seed = ml_mix64(run->seed ^ ml_mix64(run->steps));
}

/* One pass: the mean loss, and the root mean square of the gradients' norms. */
static MlStatus
train_epoch(Run *run, Line *line)
{
	size_t n = run->data->n_fit;
	double loss = 0, squares = 0, batch_loss, batch_squares;

	ML_TRY(shuffle(run));
	for (size_t b = 0; b < run->n_batches; b++)
	{
		size_t first = n * b / run->n_batches, end = n * (b + 1) / run->n_batches;

		next_step(run);
		ML_TRY(ml_mlp_batch(&run->trainer, run->order + first, end - first, true, &batch_loss));
		ML_TRY(ml_mlp_descend(&run->trainer, &batch_squares));
		loss += batch_loss;
		squares += batch_squares;
	}
	line->loss = loss / (double) n;
	line->gradient_norm = sqrt(squares / (double) run->n_batches);
	line->step = run->rate;
	return ML_OK;
}

/* The sum of the weighted losses of rows first..end-1 of the order. */
static MlStatus
evaluate(Run *run, size_t first, size_t end, double *sum)
{
	double loss;

	*sum = 0;
	for (; first < end; first += ML_MIN(run->trainer.max_batch, end - first))
	{
		ML_TRY(ml_mlp_batch(&run->trainer, run->order + first,
							ML_MIN(run->trainer.max_batch, end - first), false, &loss));
		*sum += loss;
	}
	return ML_OK;
}

/* The loss of the rows kept aside; NaN: there are none. */
static MlStatus
validate(Run *run, Line *line)
{
	double sum;

	line->valid_loss = NAN;
	if (!(run->data->valid_weight > 0))
		return ML_OK;
	ML_TRY(evaluate(run, run->data->n_fit, run->data->n, &sum));
	line->valid_loss = sum / run->data->valid_weight;
	return ML_OK;
}

/* The state before the first step. */
static MlStatus
note_start(Run *run)
{
	size_t n = ML_MIN(run->data->n_fit, (size_t) 10000);
	Line line = {.gradient_norm = NAN, .step = NAN};
	double sum, weight = 0;

	ML_TRY(evaluate(run, 0, n, &sum));
	for (size_t i = 0; i < n; i++)
		weight += run->data->w[i];
	line.loss = weight > 0 ? sum / weight : NAN;
	ML_TRY(validate(run, &line));
	return note(run, line);
}

#define FALL 0.3 /* factor on the step when the loss no longer falls */
#define MAX_FALLS 2

/*
 * Judge an epoch: keep its weights when it is the best; *stop when there was no progress for too long.
 * After half the patience without progress the step is made smaller, and patience begins anew.
 */
static bool
judge(Run *run, const Line *line)
{
	double loss = isnan(line->valid_loss) ? line->loss : line->valid_loss;
	uint32_t patience = run->options->early_stopping;

	if (!isfinite(loss))
		return true;
	run->idle = loss < run->best_loss - run->options->tol ? 0 : run->idle + 1;
	if (loss < run->best_loss)
	{
		run->best_loss = loss;
		run->best_epoch = run->epoch;
		memcpy(run->best, run->model->theta, run->model->n_theta * sizeof(float));
	}
	if (patience == 0 || run->idle < patience)
		return false;
	if (run->falls == MAX_FALLS)
		return true;
	run->falls++;
	run->idle = 0;
	run->rate *= FALL;
	return false;
}

/* Epochs until it is enough; then the best weights. */
static MlStatus
run_epochs(Run *run)
{
	bool stop = false;

	ML_TRY(note_start(run));
	while (!stop && run->epoch < run->options->max_iter)
	{
		Line line;

		run->epoch++;
		ML_TRY(train_epoch(run, &line));
		ML_TRY(validate(run, &line));
		stop = judge(run, &line);
		ML_TRY(note(run, line));
	}
	if (run->best_epoch == 0)
	{
		ml_fail(run->env, ML_ENOCONV, "the loss of the net is not finite after epoch %u",
				run->epoch);
		ml_hint(run->env, "Lower learning_rate.");
		return ML_ENOCONV;
	}
	memcpy(run->model->theta, run->best, run->model->n_theta * sizeof(float));
	return ML_OK;
}

/* Room for a run, its first order, its optimiser. */
static MlStatus
begin(Run *run)
{
	size_t n = run->data->n_fit;

	run->n_batches = ML_MAX((n + run->options->batch_size / 2) / run->options->batch_size, 1);
	run->trainer = (MlMlpTrainer){.env = run->env,
								  .model = run->model,
								  .options = run->options,
								  .data = run->data,
								  .max_batch = (n + run->n_batches - 1) / run->n_batches};
	run->rate = run->options->learning_rate;
	run->power1 = run->power2 = 1;
	run->best_loss = INFINITY;
	run->shot_stride = 1;
	ml_rng_seed(&run->rng, run->seed, 1);
	run->order = ml_alloc_array(run->env, run->data->n, sizeof(uint32_t));
	run->best = ml_alloc_array(run->env, run->model->n_theta, sizeof(float));
	run->shots = ml_alloc_array(run->env, (size_t) MAX_SHOTS * run->model->n_layers, sizeof(Shot));
	if (!run->order || !run->best || !run->shots)
		return ML_ENOMEM;
	for (size_t i = 0; i < run->data->n; i++)
		run->order[i] = (uint32_t) i;
	return ml_mlp_trainer_begin(&run->trainer);
}

MlStatus
ml_mlp_train(MlEnv *env, MlMlpModel *model, const MlMlpOptions *options, const MlMlpData *data,
			 uint64_t seed, MlFitReport *report)
{
	Run run = {.env = env, .model = model, .options = options, .data = data, .seed = seed};
	MlStatus status = begin(&run);

	if (status == ML_OK)
		status = run_epochs(&run);
	if (status == ML_OK)
	{
		write_log(&run, &report->log);
		write_summary(&run, &report->summary);
	}
	ml_mlp_trainer_end(&run.trainer);
	ml_free(env, run.order);
	ml_free(env, run.best);
	ml_free(env, run.shots);
	ml_free(env, run.lines);
	return status;
}
