/*
 * gbdt_objective.c
 *		Losses: squared error, logistic, softmax; their gradients as integers.
 *
 * For a row with weight w, target y and scores s:
 *	squared		loss w (s - y)^2			g = w (s - y)		h = w
 *	logistic	loss w log(1 + e^-(2y-1)s)	g = w (p - y)		h = w p (1 - p)
 *	softmax		loss -w log p_y				g_k = w (p_k - [y = k])	h_k = w p_k (1 - p_k) f
 * with p the probability, and f = n / (n - 1), as classes share one degree of
 * freedom (Friedman 2001, algorithm 6, has it in the leaf's value).
 *
 * Scores are floats: their error is far below a rounded gradient's. A
 * regression's targets are taken relative to a centre, so that they keep their
 * digits there. g and h are scaled so that their greatest size uses all 16
 * bits. Rounding is dithered: a fraction that depends on the row and the round
 * is added before truncation, so that gradients much smaller than the greatest
 * one (an outlier's) are right on average.
 *
 * The exponential is our own polynomial and each kernel a plain loop that
 * compilers turn into vectors of any width, lane by lane the same operations:
 * the image must not depend on the machine.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#define CHUNK_ROWS 8192 /* of a task */
#define BLOCK_ROWS 512  /* of a kernel */
#define LANES 16        /* sums of a block that run side by side */
#define MAX_TARGET 1e30 /* floats must hold its sums */

struct GbdtObjective
{
	MlEnv *env;
	GbdtLoss loss;
	uint32_t n_outputs;
	size_t n_tiled; /* positions that can be training rows */
	size_t n_all, n_train;
	float *target; /* relative to centre; the class of a classification */
	float *weight; /* NULL: all are 1 */
	float max_weight;
	double centre;
	double *base;             /* n_outputs scores to start from, relative to centre */
	float *scores;            /* output by output */
	float *log_sum;           /* softmax: log of the sum of e^score */
	int64_t *gradients;       /* packed, of training rows */
	MlRegion gradient_region; /* read in any order: huge pages help */
	uint64_t round;
	double g_unit, h_unit;

	size_t n_chunks; /* at most; training rows and others have chunks of their own */
	double *chunk_loss, *chunk_weight;
	float *chunk_max;
	double *values; /* room to read a chunk, by thread */
};

/* What one pass over the rows is to do. */
typedef struct Pass
{
	GbdtObjective *objective;
	uint32_t output;
	const float *leaf_values;
	const uint16_t *leaf_of;
	float g_scale, h_scale;
} Pass;

/* ---- kernels: n is a multiple of LANES, arrays are padded */

/* e^x for x <= 0, relative error below 3e-7; x below -87 counts as -87. Cody and Waite's reduction, then Taylor. */
static inline float
exp_negative(float x)
{
	const float shifter = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	float k, r, p;
	int32_t bits;

	x = x < -87.0f ? -87.0f : x;
	k = (x * 1.44269504f + shifter) - shifter;
	r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
	p = 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	bits = ((int32_t) k + 127) * (1 << 23);
	memcpy(&r, &bits, sizeof(r));
	return p * r;
}

/* log(1 + t) for t in [0, 1], error below 1e-7: 2 artanh(t / (2 + t)) */
static inline float
log_1p(float t)
{
	float z = t / (2.0f + t), z2 = z * z, p;

	p = 1.0f / 13;
	p = p * z2 + 1.0f / 11;
	p = p * z2 + 1.0f / 9;
	p = p * z2 + 1.0f / 7;
	p = p * z2 + 1.0f / 5;
	p = p * z2 + 1.0f / 3;
	p = p * z2 + 1.0f;
	return 2.0f * z * p;
}

/* A fraction in [0, 1) for a row: multiples of the golden ratio cover it evenly. 23 bits, so that 1 + it is below 2. */
static inline float
dither(uint32_t position, uint32_t shift)
{
	return (float) (int32_t) ((position * 2654435769u + shift) >> 9) * 0x1p-23f;
}

/* g and h of a block as packed integers. */
GBDT_CLONES static void
pack_block(const float *restrict g, const float *restrict h, size_t first, size_t n, uint32_t shift,
		   float g_scale, float h_scale, int64_t *restrict packed)
{
	for (size_t i = 0; i < n; i++)
	{
		float u = dither((uint32_t) (first + i), shift);
		int32_t g_int = (int32_t) (g[i] * g_scale + 32768.0f + u) - 32768;
		int32_t h_int = (int32_t) (h[i] * h_scale + u);

		packed[i] = ml_gbdt_pack(g_int, h_int);
	}
}

/* Gradients, hessians and losses of a block of the logistic loss, weights aside. */
GBDT_CLONES static void
logistic_block(const float *restrict s, const float *restrict y, size_t n, float *restrict g,
			   float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		float size = s[i] < 0 ? -s[i] : s[i];
		float t = exp_negative(-size);
		float q = 1.0f / (1.0f + t);
		float p = s[i] < 0 ? t * q : q;

		g[i] = p - y[i];
		h[i] = t * q * q;
		loss[i] = (s[i] > 0 ? s[i] : 0.0f) - s[i] * y[i] + log_1p(t);
	}
}

/* The same of the squared error. */
GBDT_CLONES static void
squared_block(const float *restrict s, const float *restrict y, size_t n, float *restrict g,
			  float *restrict h, float *restrict loss)
{
	for (size_t i = 0; i < n; i++)
	{
		g[i] = s[i] - y[i];
		h[i] = 1.0f;
		loss[i] = g[i] * g[i];
	}
}

/* sum += e^(s - top) */
GBDT_CLONES static void
add_exp_block(const float *restrict s, const float *restrict top, size_t n, float *restrict sum)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += exp_negative(s[i] - top[i]);
}

GBDT_CLONES static void
max_block(const float *restrict s, size_t n, float *restrict top)
{
	for (size_t i = 0; i < n; i++)
		top[i] = s[i] > top[i] ? s[i] : top[i];
}

/* Gradients of one class. */
GBDT_CLONES static void
softmax_block(const float *restrict s, const float *restrict log_sum, const float *restrict y,
			  float k, float factor, size_t n, float *restrict g, float *restrict h)
{
	for (size_t i = 0; i < n; i++)
	{
		float d = s[i] - log_sum[i];
		float p = exp_negative(d > 0 ? 0 : d);

		g[i] = p - (y[i] == k ? 1.0f : 0.0f);
		h[i] = p * (1.0f - p) * factor;
	}
}

GBDT_CLONES static void
scale_block(const float *restrict w, size_t n, float *restrict values)
{
	for (size_t i = 0; i < n; i++)
		values[i] *= w[i];
}

/* The sum of a block, LANES partial sums side by side. */
GBDT_CLONES static double
sum_block(const float *values, size_t n)
{
	float lanes[LANES] = {0};
	double sum = 0;

	for (size_t i = 0; i < n; i += LANES)
	{
		for (int l = 0; l < LANES; l++)
			lanes[l] += values[i + (size_t) l];
	}
	for (int l = 0; l < LANES; l++)
		sum += lanes[l];
	return sum;
}

GBDT_CLONES static float
max_size_block(const float *values, size_t n)
{
	float lanes[LANES] = {0}, max = 0;

	for (size_t i = 0; i < n; i += LANES)
	{
		for (int l = 0; l < LANES; l++)
		{
			float size = values[i + (size_t) l];

			size = size < 0 ? -size : size;
			lanes[l] = size > lanes[l] ? size : lanes[l];
		}
	}
	for (int l = 0; l < LANES; l++)
		max = lanes[l] > max ? lanes[l] : max;
	return max;
}

/* ---- chunks of rows */

static size_t
chunks_of(size_t n)
{
	return (n + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

/* The rows of a task: first come the chunks of the training rows. */
static size_t
chunk_rows(const GbdtObjective *o, size_t task, size_t *first)
{
	size_t n_chunks = chunks_of(o->n_train);
	size_t end = task < n_chunks ? o->n_train : o->n_all;

	*first = task < n_chunks ? task * CHUNK_ROWS : o->n_train + (task - n_chunks) * CHUNK_ROWS;
	return ML_MIN((size_t) CHUNK_ROWS, end - *first);
}

/* Sum up to a multiple of LANES: what is beyond n counts nothing. */
static size_t
pad_block(float *values, size_t n)
{
	while (n % LANES != 0)
		values[n++] = 0;
	return n;
}

/* The log of the sum of e^score of each row of a block, and its loss. */
static void
softmax_sums(GbdtObjective *o, size_t at, size_t n, float *loss)
{
	float top[BLOCK_ROWS], sum[BLOCK_ROWS] = {0};

	memcpy(top, o->scores + at, n * sizeof(float));
	for (uint32_t k = 1; k < o->n_outputs; k++)
		max_block(o->scores + k * o->n_all + at, n, top);
	for (uint32_t k = 0; k < o->n_outputs; k++)
		add_exp_block(o->scores + k * o->n_all + at, top, n, sum);
	for (size_t i = 0; i < n; i++)
	{
		float score = o->scores[(size_t) o->target[at + i] * o->n_all + at + i];

		o->log_sum[at + i] = top[i] + (float) log(sum[i]);
		loss[i] = o->log_sum[at + i] - score;
	}
}

/* Before a round: losses; what the gradients need beforehand, and the logistic gradients themselves. */
static void
round_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	float g[BLOCK_ROWS], h[BLOCK_ROWS], loss[BLOCK_ROWS];
	size_t first, n_rows = chunk_rows(o, task, &first);
	double sum = 0;
	float max = 0;

	(void) worker;
	for (size_t at = first; at < first + n_rows; at += BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) BLOCK_ROWS, first + n_rows - at);
		const float *weight = o->weight ? o->weight + at : NULL;

		if (o->loss == GBDT_SOFTMAX)
			softmax_sums(o, at, n, loss);
		else
			(o->loss == GBDT_LOGISTIC ? logistic_block : squared_block)(
				o->scores + at, o->target + at, n, g, h, loss);
		if (weight)
			scale_block(weight, n, loss);
		if (o->loss != GBDT_SOFTMAX && weight && at < o->n_train)
		{
			scale_block(weight, n, g);
			scale_block(weight, n, h);
		}
		if (o->loss == GBDT_LOGISTIC && at < o->n_train)
			pack_block(g, h, at, n, (uint32_t) (o->round * 0x9E3779B97F4A7C15u >> 32),
					   pass->g_scale, pass->h_scale, o->gradients + at);
		if (o->loss == GBDT_SQUARED)
			max = ML_MAX(max, max_size_block(g, pad_block(g, n)));
		sum += sum_block(loss, pad_block(loss, n));
	}
	o->chunk_loss[task] = sum;
	o->chunk_max[task] = max;
}

/* Gradients of one output, where round_task has not made them. */
static void
gradient_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	const float *scores = o->scores + pass->output * o->n_all;
	float factor = (float) o->n_outputs / ((float) o->n_outputs - 1);
	uint32_t shift =
		(uint32_t) ((o->round * o->n_outputs + pass->output) * 0x9E3779B97F4A7C15u >> 32);
	float g[BLOCK_ROWS], h[BLOCK_ROWS], loss[BLOCK_ROWS];
	size_t first, n_rows = chunk_rows(o, task, &first);

	(void) worker;
	for (size_t at = first; at < first + n_rows; at += BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) BLOCK_ROWS, first + n_rows - at);

		if (o->loss == GBDT_SQUARED)
			squared_block(scores + at, o->target + at, n, g, h, loss);
		else
			softmax_block(scores + at, o->log_sum + at, o->target + at, (float) pass->output,
						  factor, n, g, h);
		if (o->weight)
		{
			scale_block(o->weight + at, n, g);
			scale_block(o->weight + at, n, h);
		}
		pack_block(g, h, at, n, shift, pass->g_scale, pass->h_scale, o->gradients + at);
	}
}

/* scores += value of the row's leaf. */
static void
add_task(void *arg, size_t task, int worker)
{
	Pass *pass = arg;
	GbdtObjective *o = pass->objective;
	size_t first = task * CHUNK_ROWS;
	size_t n = ML_MIN((size_t) CHUNK_ROWS, o->n_all - first);
	float *restrict scores = o->scores + pass->output * o->n_all + first;
	const uint16_t *restrict leaf_of = pass->leaf_of + first;

	(void) worker;
	for (size_t i = 0; i < n; i++)
		scores[i] += pass->leaf_values[leaf_of[i]];
}

/* ---- the rounds */

/* Scales so that the greatest |g| and h use all bits. */
static void
set_scales(GbdtObjective *o, double max_g, double max_h, Pass *pass)
{
	pass->g_scale = max_g > 0 ? (float) (GBDT_G_MAX / max_g) : 0;
	pass->h_scale = (float) (GBDT_H_MAX / max_h);
	o->g_unit = max_g > 0 ? 1.0 / (double) pass->g_scale : 1;
	o->h_unit = 1.0 / (double) pass->h_scale;
}

/* Before each round: the losses so far of the training rows and of the others (NaN: none). */
MlStatus
ml_gbdt_objective_round(GbdtObjective *o, uint64_t round, double *loss, double *spare_loss)
{
	size_t n_train_chunks = chunks_of(o->n_train);
	size_t n_chunks = n_train_chunks + chunks_of(o->n_all - o->n_train);
	double sums[2] = {0, 0}, weights[2] = {0, 0};
	float max = 0;
	Pass pass = {.objective = o};

	o->round = round;
	if (o->loss == GBDT_LOGISTIC)
		set_scales(o, o->max_weight, o->max_weight / 4, &pass);
	ML_TRY(ml_pool_run(o->env, n_chunks, round_task, &pass));
	for (size_t c = 0; c < n_chunks; c++)
	{
		sums[c >= n_train_chunks] += o->chunk_loss[c];
		weights[c >= n_train_chunks] += o->chunk_weight[c];
		if (c < n_train_chunks)
			max = ML_MAX(max, o->chunk_max[c]);
	}
	*loss = sums[0] / weights[0];
	*spare_loss = n_chunks > n_train_chunks ? sums[1] / weights[1] : NAN;
	if (o->loss == GBDT_SQUARED)
		o->g_unit = max; /* until the gradients are made */
	return ML_OK;
}

/* The packed gradients of one output; the scores of the others may have changed since the round began. */
MlStatus
ml_gbdt_objective_gradients(GbdtObjective *o, uint32_t output, GbdtGradients *gradients)
{
	Pass pass = {.objective = o, .output = output};

	if (o->loss == GBDT_SQUARED)
		set_scales(o, o->g_unit, o->max_weight, &pass);
	if (o->loss == GBDT_SOFTMAX)
	{
		float factor = (float) o->n_outputs / ((float) o->n_outputs - 1);

		set_scales(o, o->max_weight, o->max_weight * factor / 4, &pass);
	}
	if (o->loss == GBDT_SQUARED && !o->weight)
	{
		pass.h_scale = 1; /* h counts rows */
		o->h_unit = 1;
	}
	if (o->loss != GBDT_LOGISTIC)
		ML_TRY(ml_pool_run(o->env, chunks_of(o->n_train), gradient_task, &pass));
	*gradients = (GbdtGradients){o->gradients, o->g_unit, o->h_unit};
	return ML_OK;
}

/* Add a tree's values to the scores of an output. */
MlStatus
ml_gbdt_objective_add(GbdtObjective *o, uint32_t output, const MlTree *tree,
					  const uint16_t *leaf_of)
{
	Pass pass = {.objective = o, .output = output, .leaf_values = tree->values, .leaf_of = leaf_of};

	return ml_pool_run(o->env, chunks_of(o->n_all), add_task, &pass);
}

/* ---- targets */

/* Sums of weights by chunk, as the losses are divided by them. */
static void
sum_weights(GbdtObjective *o)
{
	size_t n_chunks = chunks_of(o->n_train) + chunks_of(o->n_all - o->n_train);

	for (size_t c = 0; c < n_chunks; c++)
	{
		size_t first, n = chunk_rows(o, c, &first);

		o->chunk_weight[c] = (double) n;
		if (!o->weight)
			continue;
		o->chunk_weight[c] = 0;
		for (size_t i = first; i < first + n; i++)
			o->chunk_weight[c] += (double) o->weight[i];
	}
}

/* Weighted mean of the targets of training rows; for classes their share. */
static void
find_base(GbdtObjective *o)
{
	double total = 0;
	const double least = 1e-6; /* share of a class that training rows lack */

	memset(o->base, 0, o->n_outputs * sizeof(*o->base));
	for (size_t i = 0; i < o->n_train; i++)
	{
		double w = o->weight ? (double) o->weight[i] : 1;
		double y = (double) o->target[i];

		total += w;
		if (o->loss == GBDT_SOFTMAX)
			o->base[(uint32_t) y] += w;
		else
			o->base[0] += w * y;
	}
	for (uint32_t k = 0; k < o->n_outputs; k++)
	{
		double mean = total > 0 ? o->base[k] / total : 0;

		if (o->loss == GBDT_LOGISTIC)
			mean = ML_MIN(ML_MAX(mean, least), 1 - least);
		o->base[k] = o->loss == GBDT_SQUARED    ? mean
					 : o->loss == GBDT_LOGISTIC ? log(mean / (1 - mean))
												: log(ML_MAX(mean, least));
	}
}

/* Begin again with positions 0..n_train-1 as training rows: base gets the scores to start from. */
MlStatus
ml_gbdt_objective_start(GbdtObjective *o, size_t n_train, double *base)
{
	o->n_train = n_train;
	sum_weights(o);
	find_base(o);
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

/* Weights of rows from place `at` on. */
static MlStatus
read_weights(GbdtObjective *o, const MlDataset *data, const MlRows *rows, size_t at)
{
	for (size_t first = 0; first < rows->n; first += CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) CHUNK_ROWS, rows->n - first);

		ml_dataset_weight(data, rows, first, n, o->values);
		for (size_t i = 0; i < n; i++)
		{
			if (!(o->values[i] >= 0 && o->values[i] <= MAX_TARGET))
				return ml_fail(o->env, ML_EDATA, "a row has the weight %g", o->values[i]);
			o->weight[at + first + i] = (float) o->values[i];
			o->max_weight = ML_MAX(o->max_weight, (float) o->values[i]);
		}
		ML_TRY(ml_poll(o->env));
	}
	return ML_OK;
}

/* Targets of rows from place `at` on, less the centre. */
static MlStatus
read_targets(GbdtObjective *o, const MlDataset *data, const MlRows *rows, size_t at)
{
	for (size_t first = 0; first < rows->n; first += CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) CHUNK_ROWS, rows->n - first);

		ml_dataset_target(data, rows, first, n, o->values);
		for (size_t i = 0; i < n; i++)
		{
			if (!(fabs(o->values[i]) <= MAX_TARGET))
				return ml_fail(o->env, ML_EDATA,
							   "the target has the value %g, boosting takes up to %g", o->values[i],
							   MAX_TARGET);
			o->target[at + first + i] = (float) (o->values[i] - o->centre);
		}
		ML_TRY(ml_poll(o->env));
	}
	return ML_OK;
}

/* A regression's centre: the mean of some rows will do, as it only keeps digits. */
static double
find_centre(GbdtObjective *o, const MlDataset *data, const MlRows *rows)
{
	size_t n = ML_MIN((size_t) CHUNK_ROWS, rows->n);
	double sum = 0;

	ml_dataset_target(data, rows, 0, n, o->values);
	for (size_t i = 0; i < n; i++)
		sum += o->values[i] / (double) n;
	return isfinite(sum) ? sum : 0;
}

static MlStatus
allocate(GbdtObjective *o, bool weighted)
{
	MlEnv *env = o->env;

	o->n_chunks = chunks_of(o->n_all) + 1;
	o->target = ml_alloc_array(env, o->n_all, sizeof(float));
	o->scores = ml_alloc_array(env, o->n_all, o->n_outputs * sizeof(float));
	o->base = ml_alloc_array(env, o->n_outputs, sizeof(double));
	o->chunk_loss = ml_alloc_array(env, o->n_chunks, sizeof(double));
	o->chunk_weight = ml_alloc_array(env, o->n_chunks, sizeof(double));
	o->chunk_max = ml_alloc_array(env, o->n_chunks, sizeof(float));
	o->values = ml_alloc_array(env, CHUNK_ROWS, sizeof(double));
	ML_TRY(ml_region_alloc(env, &o->gradient_region, o->n_tiled, sizeof(*o->gradients)));
	o->gradients = o->gradient_region.data;
	if (!o->target || !o->scores || !o->base || !o->chunk_loss || !o->chunk_weight ||
		!o->chunk_max || !o->values)
		return ML_ENOMEM;
	if (o->loss == GBDT_SOFTMAX && !(o->log_sum = ml_alloc_array(env, o->n_all, sizeof(float))))
		return ML_ENOMEM;
	if (weighted && !(o->weight = ml_alloc_array(env, o->n_all, sizeof(float))))
		return ML_ENOMEM;
	return ML_OK;
}

/* Targets and weights of train, then of others, read from the dataset. */
MlStatus
ml_gbdt_objective_create(MlEnv *env, const MlDataset *data, const MlRows *train,
						 const MlRows *others, GbdtObjective **out)
{
	GbdtObjective *o = ml_zalloc(env, sizeof(*o));

	if (!o)
		return ML_ENOMEM;
	*out = o;
	o->env = env;
	o->n_outputs = data->task == ML_CLASSIFICATION && data->n_classes > 2 ? data->n_classes : 1;
	o->loss = data->task == ML_REGRESSION ? GBDT_SQUARED
			  : o->n_outputs > 1          ? GBDT_SOFTMAX
										  : GBDT_LOGISTIC;
	o->n_tiled = train->n;
	o->n_all = train->n + others->n;
	ML_TRY(allocate(o, data->weight_column >= 0 || data->class_weight));
	if (o->loss == GBDT_SQUARED)
		o->centre = find_centre(o, data, train);
	ML_TRY(read_targets(o, data, train, 0));
	ML_TRY(read_targets(o, data, others, train->n));
	o->max_weight = o->weight ? 0 : 1;
	if (o->weight)
	{
		ML_TRY(read_weights(o, data, train, 0));
		ML_TRY(read_weights(o, data, others, train->n));
	}
	if (o->max_weight <= 0)
		return ml_fail(env, ML_EDATA, "the weights of all rows are 0");
	return ML_OK;
}

void
ml_gbdt_objective_free(MlEnv *env, GbdtObjective *o)
{
	if (!o)
		return;
	ml_free(env, o->target);
	ml_free(env, o->weight);
	ml_free(env, o->scores);
	ml_free(env, o->base);
	ml_free(env, o->log_sum);
	ml_region_free(env, &o->gradient_region);
	ml_free(env, o->chunk_loss);
	ml_free(env, o->chunk_weight);
	ml_free(env, o->chunk_max);
	ml_free(env, o->values);
	ml_free(env, o);
}

/* Trees of a round. */
uint32_t
ml_gbdt_outputs(const GbdtObjective *o)
{
	return o->n_outputs;
}

GbdtLoss
ml_gbdt_loss(const GbdtObjective *o)
{
	return o->loss;
}
