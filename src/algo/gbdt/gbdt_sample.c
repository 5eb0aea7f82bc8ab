/*
 * gbdt_sample.c
 *		The rows and features that a tree is grown from.
 *
 * Gradient-based one-side sampling (goss; Ke et al. 2017, algorithm 2) takes the rows
 * with the greatest gradients, and draws some of the others, whose gradients
 * are raised so that they stand for all of them. The integers have headroom for
 * that; where the factor is no integer, they are rounded at random.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"

#define POLL_ROWS 65536
#define SIZES (GBDT_G_MAX + 2) /* of a rounded gradient */

/* Two piles of positions: a tree's rows, and the others. */
typedef struct Piles
{
	size_t n, n_out;
} Piles;

static inline void
put_row(const GbdtSample *s, Piles *piles, bool taken, size_t i)
{
	s->positions[piles->n] = (uint32_t) i;
	s->left_out[piles->n_out] = (uint32_t) i;
	piles->n += taken;
	piles->n_out += !taken;
}

/* Each row with the probability subsample. */
static MlStatus
draw_uniform(MlEnv *env, const GbdtSample *s, MlRng *rng, Piles *piles)
{
	for (size_t i = 0; i < s->n_train; i++)
	{
		if (i % POLL_ROWS == 0)
			ML_TRY(ml_poll(env));
		put_row(s, piles, ml_rng_uniform(rng) < s->options->subsample, i);
	}
	if (piles->n == 0)
	{
		s->positions[piles->n++] = s->left_out[0];
		memmove(s->left_out, s->left_out + 1, --piles->n_out * sizeof(*s->left_out));
	}
	return ML_OK;
}

/* ---- goss */

static inline uint32_t
size_of(int32_t gradient)
{
	return (uint32_t) abs(gradient >> 16);
}

/* The least size that still belongs to the n_top greatest ones, and how many of that size do. */
static uint32_t
find_threshold(const GbdtSample *s, const int32_t *packed, uint32_t *counts, size_t n_top,
			   size_t *n_equal)
{
	uint32_t size = SIZES - 1;
	size_t above = 0;

	memset(counts, 0, SIZES * sizeof(*counts));
	for (size_t i = 0; i < s->n_train; i++)
		counts[size_of(packed[i])]++;
	while (size > 0 && above + counts[size] < n_top)
		above += counts[size--];
	*n_equal = n_top - ML_MIN(above, n_top);
	return size;
}

/* A gradient that stands for factor rows; u: the fraction that rounding adds. */
static inline int32_t
raise_gradient(int32_t gradient, double factor, double u)
{
	double g = floor((gradient >> 16) * factor + u), h = floor((gradient & 0xffff) * factor + u);

	g = ML_MIN(ML_MAX(g, -GBDT_G_MAX), GBDT_G_MAX);
	return ml_gbdt_pack_row((int32_t) g, (int32_t) ML_MIN(h, GBDT_H_MAX));
}

/* The top rows, and n_draw of the others (Knuth's algorithm S), which are raised. */
static MlStatus
draw_goss(MlEnv *env, const GbdtSample *s, int32_t *packed, MlRng *rng, Piles *piles)
{
	size_t n_top = (size_t) ((double) s->n_train * s->options->top_rate + 0.5), n_equal;
	size_t n_draw = (size_t) ((double) s->n_train * s->options->other_rate + 0.5);
	size_t n_rest = s->n_train - n_top;
	uint32_t *counts = ml_alloc_array(env, SIZES, sizeof(*counts));
	uint32_t threshold;
	double factor;

	if (!counts)
		return ML_ENOMEM;
	threshold = find_threshold(s, packed, counts, n_top, &n_equal);
	ml_free(env, counts);
	n_draw = ML_MIN(ML_MAX(n_draw, (size_t) 1), n_rest);
	factor = n_draw > 0 ? (double) n_rest / (double) n_draw : 1;
	for (size_t i = 0; i < s->n_train; i++)
	{
		uint32_t size = size_of(packed[i]);
		bool taken = size > threshold || (size == threshold && n_equal > 0);

		if (i % POLL_ROWS == 0)
			ML_TRY(ml_poll(env));
		if (taken)
			n_equal -= size == threshold;
		else
		{
			taken = ml_rng_below(rng, n_rest--) < n_draw;
			n_draw -= taken;
			if (taken)
				packed[i] = raise_gradient(packed[i], factor, ml_rng_uniform(rng));
		}
		put_row(s, piles, taken, i);
	}
	return ML_OK;
}

/* What gradients that goss raises may be raised by, at most. */
uint32_t
ml_gbdt_headroom(const GbdtOptions *options)
{
	if (!options->goss)
		return 1;
	return (uint32_t) ceil((1 - options->top_rate) / options->other_rate) + 1;
}

/* ---- both */

/* Positions of a tree's rows, ascending, come first, then those of all others; *n: of the first. */
MlStatus
ml_gbdt_sample_rows(MlEnv *env, const GbdtSample *s, const GbdtGradients *gradients, MlRng *rng,
					size_t *n)
{
	Piles piles = {0, 0};

	ML_TRY(gradients->goss ? draw_goss(env, s, gradients->packed, rng, &piles)
						   : draw_uniform(env, s, rng, &piles));
	memcpy(s->positions + piles.n, s->left_out, piles.n_out * sizeof(*s->positions));
	for (size_t i = s->n_train; i < s->n_all; i++)
		s->positions[i] = (uint32_t) i;
	*n = piles.n;
	return ML_OK;
}

/* Mark the features of a tree; false: all of them. */
bool
ml_gbdt_sample_features(const GbdtSample *s, MlRng *rng)
{
	uint32_t n = s->n_active, n_use = (uint32_t) (s->options->colsample * n + 0.5);

	memset(s->used, n_use >= n, n);
	if (n_use >= n)
		return false;
	for (uint32_t a = 0; a < n; a++)
		s->shuffled[a] = a;
	for (uint32_t i = 0; i < ML_MAX(n_use, 1u); i++)
	{
		uint32_t pick = i + (uint32_t) ml_rng_below(rng, n - i);
		uint32_t a = s->shuffled[pick];

		s->shuffled[pick] = s->shuffled[i];
		s->used[a] = 1;
	}
	return true;
}
