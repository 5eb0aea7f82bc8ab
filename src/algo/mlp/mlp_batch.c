/*
 * mlp_batch.c
 *		One batch: forward, backward, and the step.
 *
 * Two jobs of the pool per batch. In the first a task takes a chunk of the rows
 * all the way, and leaves the gradient of its rows in a buffer of its own. In
 * the second a task takes some parameters (a span): it adds up the chunks in
 * their order, takes the optimiser's step, and turns the new weights. Gradients
 * of levels, of which a batch touches few, are added up there as well, row by
 * row. Chunks and spans depend on the net and the batch alone, so the result
 * does not depend on the number of threads.
 *
 * Backpropagation as in Rumelhart, Hinton and Williams 1986; dropout as in
 * Srivastava et al. 2014, scaled at training ("inverted"), drawn by a hash of
 * row and unit.
 */
#include <math.h>
#include <string.h>

#include "algo/mlp/mlp.h"
#include "core/pool.h"
#include "core/vmath.h"

#define CHUNK_ROWS 16                    /* a chunk has at least so many, if the batch has */
#define CHUNK_MEMORY ((size_t) 1 << 26)  /* parameters in all chunks' gradients */
#define TASK_PRODUCTS ((size_t) 1 << 24) /* multiplications of a task, one way */
#define SPAN_PARAMS 4096                 /* of a span, at least */
#define MOST_SPANS 256                   /* about */
#define TILE 64                          /* rows whose losses are computed together */
#define HALF_BITS 16                     /* of a random number, per unit */

/* ---- where a chunk's rows are */

typedef struct Slice
{
	size_t first, n;
} Slice;

/* The rows that a chunk works on in this round. */
static Slice
slice_of(const MlMlpTrainer *trainer, size_t chunk)
{
	size_t slices = (size_t) trainer->n_chunks * trainer->n_rounds;
	size_t s = (size_t) trainer->round * trainer->n_chunks + chunk;
	size_t first = trainer->n_rows * s / slices, end = trainer->n_rows * (s + 1) / slices;

	return (Slice){first, end - first};
}

/* ---- forward */

/* Fetch the inputs of a slice. */
static void
fetch_rows(MlMlpTrainer *trainer, Slice slice)
{
	size_t n_dense = trainer->data->n_dense;

	for (size_t i = slice.first; i < slice.first + slice.n; i++)
		memcpy(trainer->x + i * n_dense,
			   (const float *) trainer->data->x.data + trainer->rows[i] * n_dense,
			   n_dense * sizeof(float));
}

/* Add the weights of the active levels to the sums of the first layer. */
static void
add_levels(MlMlpTrainer *trainer, Slice slice)
{
	const MlMlpModel *model = trainer->model;
	size_t ld = model->layers[0].ld, n_factors = trainer->data->n_factors;

	for (size_t i = slice.first; i < slice.first + slice.n; i++)
	{
		const uint32_t *columns =
			(const uint32_t *) trainer->data->columns.data + trainer->rows[i] * n_factors;

		for (size_t f = 0; f < n_factors; f++)
			if (columns[f] != ML_NO_COLUMN)
				ml_mlp_add(model->theta + model->levels + columns[f] * ld, trainer->a[0] + i * ld,
						   ld);
	}
}

/* Drop units of a hidden layer at random, and raise the others. */
static void
drop_units(MlMlpTrainer *trainer, uint32_t l, Slice slice)
{
	const MlMlpLayer *layer = &trainer->model->layers[l];
	float raised = (float) (1 / (1 - trainer->options->dropout));
	uint64_t limit = (uint64_t) (trainer->options->dropout * (1 << HALF_BITS));

	for (size_t i = slice.first; i < slice.first + slice.n; i++)
	{
		float *a = trainer->a[l] + i * layer->ld, *keep = trainer->keep[l] + i * layer->ld;
		uint64_t row = ml_mix64(trainer->drop_seed ^ ((uint64_t) l << 32 | i)), bits = 0;

		for (uint32_t j = 0; j < layer->n_out; j++)
		{
			if (j % 4 == 0)
				bits = ml_mix64(row + j);
			keep[j] = (bits & ((1 << HALF_BITS) - 1)) < limit ? 0 : raised;
			bits >>= HALF_BITS;
			a[j] *= keep[j];
		}
	}
}

/* The sums, and then the activations, of all layers. */
static void
forward(MlMlpTrainer *trainer, Slice slice)
{
	const MlMlpModel *model = trainer->model;

	fetch_rows(trainer, slice);
	for (uint32_t l = 0; l < model->n_layers; l++)
	{
		const MlMlpLayer *layer = &model->layers[l];
		size_t in_ld = l == 0 ? layer->n_in : model->layers[l - 1].ld;
		float *out = trainer->a[l] + slice.first * layer->ld;

		ml_mlp_multiply(&(MlMlpProduct){
			.m = slice.n,
			.n = layer->ld,
			.k = layer->n_in,
			.a = (l == 0 ? trainer->x : trainer->a[l - 1]) + slice.first * in_ld,
			.a_row = in_ld,
			.a_col = 1,
			.b = model->theta + layer->weights,
			.ldb = layer->ld,
			.c = out,
			.ldc = layer->ld,
			.start = model->theta + layer->biases,
		});
		if (l == 0)
			add_levels(trainer, slice);
		if (l + 1 == model->n_layers)
			break;
		ml_mlp_activate(model->activation, out, slice.n * layer->ld);
		if (trainer->learn && trainer->keep[l])
			drop_units(trainer, l, slice);
	}
}

/* ---- losses: of n <= TILE rows from row first of the batch; derivatives into d of the last layer */

/* Half the squared error. */
static double
squared_losses(MlMlpTrainer *trainer, size_t first, size_t n, float share)
{
	const MlMlpData *data = trainer->data;
	uint32_t last = trainer->model->n_layers - 1, ld = trainer->model->layers[last].ld;
	double loss = 0;

	for (size_t i = first; i < first + n; i++)
	{
		uint32_t row = trainer->rows[i];
		double error = (double) trainer->a[last][i * ld] - data->y[row];

		loss += data->w[row] * 0.5 * error * error;
		trainer->d[last][i * ld] = (float) error * data->w[row] * share;
	}
	return loss;
}

/* Log loss of two classes. */
static double
binary_losses(MlMlpTrainer *trainer, size_t first, size_t n, float share)
{
	const MlMlpData *data = trainer->data;
	uint32_t last = trainer->model->n_layers - 1, ld = trainer->model->layers[last].ld;
	double eta[TILE] = {0}, p[TILE], softplus[TILE], loss = 0;

	for (size_t i = 0; i < n; i++)
		eta[i] = trainer->a[last][(first + i) * ld];
	ml_vlogistic(eta, p, softplus, n);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t row = trainer->rows[first + i];

		loss += data->w[row] * (softplus[i] - data->y[row] * eta[i]);
		trainer->d[last][(first + i) * ld] = (float) (p[i] - data->y[row]) * data->w[row] * share;
	}
	return loss;
}

/* Log loss of several classes, row by row. */
static double
class_losses(MlMlpTrainer *trainer, size_t first, size_t n, float share)
{
	const MlMlpData *data = trainer->data;
	const MlMlpLayer *layer = &trainer->model->layers[trainer->model->n_layers - 1];
	const float *out = trainer->a[trainer->model->n_layers - 1];
	float *d = trainer->d[trainer->model->n_layers - 1];
	double score[MLP_MAX_WIDTH], sums[TILE] = {0}, logs[TILE], own[TILE], loss = 0;

	for (size_t i = 0; i < n; i++)
	{
		size_t at = (first + i) * layer->ld;
		uint32_t row = trainer->rows[first + i], class = (uint32_t) data->y[row];
		double most = -INFINITY, sum = 0;

		for (uint32_t k = 0; k < layer->n_out; k++)
			most = out[at + k] > most ? out[at + k] : most;
		for (uint32_t k = 0; k < layer->n_out; k++)
			score[k] = out[at + k] - most;
		own[i] = score[class];
		ml_vexp(score, score, layer->n_out);
		for (uint32_t k = 0; k < layer->n_out; k++)
			sum += score[k];
		sums[i] = sum;
		for (uint32_t k = 0; k < layer->n_out; k++)
			d[at + k] = (float) (score[k] / sum - (k == class)) * data->w[row] * share;
	}
	ml_vlog(sums, logs, n);
	for (size_t i = 0; i < n; i++)
		loss += data->w[trainer->rows[first + i]] * (logs[i] - own[i]);
	return loss;
}

/* The sum of a slice's weighted losses. */
static double
losses(MlMlpTrainer *trainer, Slice slice)
{
	float share = 1 / (float) trainer->n_rows;
	double loss = 0;

	for (size_t at = 0; at < slice.n; at += TILE)
	{
		size_t first = slice.first + at, n = ML_MIN(slice.n - at, (size_t) TILE);

		if (trainer->model->n_classes == 0)
			loss += squared_losses(trainer, first, n, share);
		else if (trainer->model->n_classes == 2)
			loss += binary_losses(trainer, first, n, share);
		else
			loss += class_losses(trainer, first, n, share);
	}
	return loss;
}

/* ---- backward */

/* The gradient of a layer's weights and biases over a slice, added to what earlier rounds left. */
static void
layer_gradient(MlMlpTrainer *trainer, uint32_t l, Slice slice, float *gradient)
{
	const MlMlpLayer *layer = &trainer->model->layers[l];
	size_t in_ld = l == 0 ? layer->n_in : trainer->model->layers[l - 1].ld;
	const float *d = trainer->d[l] + slice.first * layer->ld;
	float *biases = gradient + layer->biases;

	ml_mlp_multiply(&(MlMlpProduct){
		.m = layer->n_in,
		.n = layer->ld,
		.k = slice.n,
		.a = (l == 0 ? trainer->x : trainer->a[l - 1]) + slice.first * in_ld,
		.a_row = 1,
		.a_col = in_ld,
		.b = d,
		.ldb = layer->ld,
		.c = gradient + layer->weights,
		.ldc = layer->ld,
		.add = trainer->round > 0,
	});
	if (trainer->round == 0)
		memset(biases, 0, layer->ld * sizeof(float));
	for (size_t i = 0; i < slice.n; i++)
		ml_mlp_add(d + i * layer->ld, biases, layer->ld);
}

/* Derivatives by the sums of layer l - 1 from those of layer l. */
static void
pass_back(MlMlpTrainer *trainer, uint32_t l, Slice slice)
{
	const MlMlpLayer *layer = &trainer->model->layers[l], *before = layer - 1;
	float *d = trainer->d[l - 1] + slice.first * before->ld;
	float *a = trainer->a[l - 1] + slice.first * before->ld;
	size_t n = slice.n * before->ld;

	ml_mlp_multiply(&(MlMlpProduct){
		.m = slice.n,
		.n = before->ld,
		.k = layer->n_out,
		.a = trainer->d[l] + slice.first * layer->ld,
		.a_row = layer->ld,
		.a_col = 1,
		.b = trainer->transposed + layer->transposed,
		.ldb = before->ld,
		.c = d,
		.ldc = before->ld,
	});
	if (trainer->keep[l - 1])
	{
		const float *keep = trainer->keep[l - 1] + slice.first * before->ld;
		float lowered = (float) (1 - trainer->options->dropout);

		/* a was raised, or is 0 where d becomes 0. */
		for (size_t i = 0; i < n; i++)
		{
			d[i] *= keep[i];
			a[i] *= lowered;
		}
	}
	ml_mlp_deactivate(trainer->model->activation, a, d, n);
}

/* A task: a chunk's rows of this round. */
static void
work_chunk(void *arg, size_t chunk, int worker)
{
	MlMlpTrainer *trainer = arg;
	Slice slice = slice_of(trainer, chunk);
	float *gradient = trainer->chunk_gradient + chunk * trainer->model->levels;

	(void) worker;
	if (trainer->round == 0)
		trainer->chunk_loss[chunk] = 0;
	forward(trainer, slice);
	trainer->chunk_loss[chunk] += losses(trainer, slice);
	if (!trainer->learn)
		return;
	for (uint32_t l = trainer->model->n_layers; l-- > 0;)
	{
		layer_gradient(trainer, l, slice, gradient);
		if (l > 0)
			pass_back(trainer, l, slice);
	}
}

/* Losses and, with learn, gradients of some rows. */
MlStatus
ml_mlp_batch(MlMlpTrainer *trainer, const uint32_t *rows, size_t n, bool learn, double *loss)
{
	trainer->rows = rows;
	trainer->n_rows = n;
	trainer->learn = learn;
	for (trainer->round = 0; trainer->round < trainer->n_rounds; trainer->round++)
		ML_TRY(ml_pool_run(trainer->env, trainer->n_chunks, work_chunk, trainer));
	*loss = 0;
	for (uint32_t c = 0; c < trainer->n_chunks; c++)
		*loss += trainer->chunk_loss[c];
	return ML_OK;
}

/* ---- the step */

/* Where a span lies in theta. */
static void
place_span(const MlMlpModel *model, const MlMlpSpan *span, size_t *first, size_t *n)
{
	const MlMlpLayer *layer = &model->layers[span->layer];

	*first = (span->levels ? model->levels : layer->weights) + (size_t) span->first * layer->ld;
	*n = (size_t) (span->end - span->first) * layer->ld;
}

/* Gradients of the levels of a span: of each row of the batch that has one of them. */
static void
sum_levels(MlMlpTrainer *trainer, const MlMlpSpan *span, float *gradient, size_t n)
{
	size_t ld = trainer->model->layers[0].ld, n_factors = trainer->data->n_factors;

	memset(gradient, 0, n * sizeof(float));
	for (size_t i = 0; i < trainer->n_rows; i++)
	{
		const uint32_t *columns =
			(const uint32_t *) trainer->data->columns.data + trainer->rows[i] * n_factors;

		for (size_t f = 0; f < n_factors; f++)
			if (columns[f] >= span->first && columns[f] < span->end)
				ml_mlp_add(trainer->d[0] + i * ld, gradient + (columns[f] - span->first) * ld, ld);
	}
}

/* Weights of the units of a span as rows of the turned matrix. */
static void
turn(MlMlpTrainer *trainer, const MlMlpSpan *span)
{
	const MlMlpLayer *layer = &trainer->model->layers[span->layer];
	size_t ld = layer[-1].ld;

	for (uint32_t i = span->first; i < ML_MIN(span->end, layer->n_in); i++)
	{
		const float *from = trainer->model->theta + layer->weights + (size_t) i * layer->ld;
		float *to = trainer->transposed + layer->transposed + i;

		for (uint32_t j = 0; j < layer->n_out; j++)
			to[j * ld] = from[j];
	}
}

/* A task: the step on the parameters of a span. The biases, its last row if it has them, bear no penalty. */
static void
work_span(void *arg, size_t task, int worker)
{
	MlMlpTrainer *trainer = arg;
	const MlMlpSpan *span = &trainer->spans[task];
	const MlMlpModel *model = trainer->model;
	const MlMlpLayer *layer = &model->layers[span->layer];
	MlMlpStep free_step = trainer->step;
	size_t first, n, penalised;
	float *gradient;

	(void) worker;
	place_span(model, span, &first, &n);
	gradient = trainer->gradient + first;
	if (span->levels)
		sum_levels(trainer, span, gradient, n);
	else
	{
		memcpy(gradient, trainer->chunk_gradient + first, n * sizeof(float));
		for (uint32_t c = 1; c < trainer->n_chunks; c++)
			ml_mlp_add(trainer->chunk_gradient + c * model->levels + first, gradient, n);
	}
	penalised = span->levels || span->end <= layer->n_in ? n : n - layer->ld;
	free_step.l2 = 0;
	ml_mlp_step(&trainer->step, gradient, model->theta + first, trainer->m + first,
				trainer->v + first, penalised);
	first += penalised;
	ml_mlp_step(&free_step, gradient + penalised, model->theta + first, trainer->m + first,
				trainer->v + first, n - penalised);
	trainer->span_squares[task] = ml_mlp_squares(gradient, n);
	if (span->layer > 0)
		turn(trainer, span);
}

MlStatus
ml_mlp_descend(MlMlpTrainer *trainer, double *squares)
{
	ML_TRY(ml_pool_run(trainer->env, trainer->n_spans, work_span, trainer));
	*squares = 0;
	for (size_t s = 0; s < trainer->n_spans; s++)
		*squares += trainer->span_squares[s];
	return ML_OK;
}

void
ml_mlp_transpose(MlMlpTrainer *trainer)
{
	for (size_t s = 0; s < trainer->n_spans; s++)
		if (trainer->spans[s].layer > 0)
			turn(trainer, &trainer->spans[s]);
}

/* ---- room */

/* Cut rows 0..n-1 of a layer into spans; counts only while there is no room. */
static void
cut_layer(MlMlpTrainer *trainer, uint32_t layer, uint32_t n, bool levels, size_t params)
{
	uint32_t rows = (uint32_t) ML_MAX(params / trainer->model->layers[layer].ld, (size_t) 1);

	for (uint32_t first = 0; first < n; first += ML_MIN(rows, n - first))
	{
		if (trainer->spans)
			trainer->spans[trainer->n_spans] =
				(MlMlpSpan){layer, first, first + ML_MIN(rows, n - first), levels};
		trainer->n_spans++;
	}
}

static void
cut_spans(MlMlpTrainer *trainer)
{
	const MlMlpModel *model = trainer->model;
	size_t params = ML_MAX((size_t) SPAN_PARAMS, model->n_theta / MOST_SPANS);

	trainer->n_spans = 0;
	for (uint32_t l = 0; l < model->n_layers; l++)
		cut_layer(trainer, l, model->layers[l].n_in + 1, false, params);
	cut_layer(trainer, 0, model->n_levels, true, params);
}

/* How many chunks a batch has, and in how many rounds they are worked off. */
static void
choose_chunks(MlMlpTrainer *trainer)
{
	const MlMlpModel *model = trainer->model;
	size_t chunks = ML_MIN(trainer->max_batch / CHUNK_ROWS, (size_t) MLP_MAX_CHUNKS);
	size_t room = CHUNK_MEMORY / ML_MAX(model->levels, (size_t) 1);
	size_t task_rows = ML_MAX(TASK_PRODUCTS / ML_MAX(model->levels, (size_t) 1), (size_t) 8);

	trainer->n_chunks = (uint32_t) ML_MAX(ML_MIN(chunks, room), (size_t) 1);
	trainer->n_rounds = (uint32_t) ((trainer->max_batch + trainer->n_chunks * task_rows - 1) /
									(trainer->n_chunks * task_rows));
}

/* The next n floats of the work space, n rounded up to whole lanes; while there is none, only counts. */
static float *
take(const MlMlpTrainer *trainer, size_t *at, size_t n)
{
	float *place = trainer->work.data ? (float *) trainer->work.data + *at : NULL;

	*at += (n + MLP_LANES - 1) / MLP_LANES * MLP_LANES;
	return place;
}

/* Lay out the work space; returns its size. */
static size_t
share_out(MlMlpTrainer *trainer)
{
	const MlMlpModel *model = trainer->model;
	size_t at = 0;

	trainer->x = take(trainer, &at, trainer->max_batch * trainer->data->n_dense);
	for (uint32_t l = 0; l < model->n_layers; l++)
	{
		size_t n = trainer->max_batch * model->layers[l].ld;

		trainer->a[l] = take(trainer, &at, n);
		trainer->d[l] = take(trainer, &at, n);
		trainer->keep[l] =
			trainer->options->dropout > 0 && l + 1 < model->n_layers ? take(trainer, &at, n) : NULL;
	}
	trainer->chunk_gradient = take(trainer, &at, trainer->n_chunks * model->levels);
	trainer->gradient = take(trainer, &at, model->n_theta);
	trainer->m = take(trainer, &at, model->n_theta);
	trainer->v = take(trainer, &at, model->n_theta);
	trainer->transposed = take(trainer, &at, model->n_transposed);
	return at;
}

/* Memory for batches of at most max_batch rows; model, options and data are set. */
MlStatus
ml_mlp_trainer_begin(MlMlpTrainer *trainer)
{
	choose_chunks(trainer);
	trainer->spans = NULL;
	cut_spans(trainer);
	trainer->spans = ml_alloc_array(trainer->env, trainer->n_spans, sizeof(MlMlpSpan));
	trainer->span_squares = ml_alloc_array(trainer->env, trainer->n_spans, sizeof(double));
	if (!trainer->spans || !trainer->span_squares)
		return ML_ENOMEM;
	cut_spans(trainer);
	ML_TRY(ml_region_alloc(trainer->env, &trainer->work, share_out(trainer), sizeof(float)));
	share_out(trainer);
	ml_mlp_transpose(trainer);
	return ML_OK;
}

void
ml_mlp_trainer_end(MlMlpTrainer *trainer)
{
	ml_region_free(trainer->env, &trainer->work);
	ml_free(trainer->env, trainer->spans);
	ml_free(trainer->env, trainer->span_squares);
}
