/*
 * columnstats.c
 *		What the training rows of one column say: weighted moments of numbers, ranks of levels.
 *
 * Moments are merged block by block (Chan, Golub and LeVeque 1983), so that they
 * keep their digits whatever the offset of a column.
 */
#include <math.h>
#include <string.h>

#include "data/columnstats.h"

/* ---- moments of numbers */

void
ml_column_moments_init(MlColumnMoments *moments)
{
	*moments = (MlColumnMoments){.min = INFINITY, .max = -INFINITY};
}

/* Sums are kept in this many lanes, so that they vectorise in an order of their own. */
#define LANES 8

/* The weighted sum of the values that are there, into moments: weight, missing, range. */
static double
sum_block(MlColumnMoments *block, const double *x, const double *w, size_t n)
{
	double weight[LANES] = {0}, missing[LANES] = {0}, sum[LANES] = {0}, total = 0;
	double min[LANES], max[LANES];

	for (int k = 0; k < LANES; k++)
	{
		min[k] = INFINITY;
		max[k] = -INFINITY;
	}
	for (size_t i = 0; i < n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
		{
			double value = x[i + k];
			bool there = value == value;

			weight[k] += there ? w[i + k] : 0;
			missing[k] += there ? 0 : w[i + k];
			sum[k] += there ? w[i + k] * value : 0;
			min[k] = value < min[k] ? value : min[k];
			max[k] = value > max[k] ? value : max[k];
		}
	for (int k = 0; k < LANES; k++)
	{
		block->weight += weight[k];
		block->missing_weight += missing[k];
		total += sum[k];
		block->min = min[k] < block->min ? min[k] : block->min;
		block->max = max[k] > block->max ? max[k] : block->max;
	}
	return total;
}

/* The weighted sum of squares about the mean. */
static double
squares_of_block(const double *x, const double *w, size_t n, double mean)
{
	double squares[LANES] = {0}, total = 0;

	for (size_t i = 0; i < n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
		{
			double d = x[i + k] == x[i + k] ? x[i + k] - mean : 0;

			squares[k] += w[i + k] * d * d;
		}
	for (int k = 0; k < LANES; k++)
		total += squares[k];
	return total;
}

/* Merge the moments of one block; its last lanes are filled up with missing values of weight 0. */
void
ml_column_moments_add(MlColumnMoments *total, double *x, double *w, size_t n)
{
	MlColumnMoments block = {.min = total->min, .max = total->max};
	double delta, weight;

	for (; n % LANES; n++)
	{
		x[n] = NAN;
		w[n] = 0;
	}
	block.mean = sum_block(&block, x, w, n);
	total->missing_weight += block.missing_weight;
	total->min = block.min;
	total->max = block.max;
	if (!(block.weight > 0))
		return;
	block.mean /= block.weight;
	block.m2 = squares_of_block(x, w, n, block.mean);
	weight = total->weight + block.weight;
	delta = block.mean - total->mean;
	total->m2 += block.m2 + delta * delta * (total->weight * block.weight / weight);
	total->mean += delta * (block.weight / weight);
	total->weight = weight;
}

/* ---- levels */

void
ml_levels_count(uint64_t *level_rows, uint32_t n_levels, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != x[i])
			level_rows[n_levels]++;
		else if (x[i] >= 0 && x[i] < n_levels)
			level_rows[(uint32_t) x[i]]++;
}

/* True when a ranks behind b: fewer rows or, among equals, greater bytes. */
static bool
ranks_behind(const MlLevel *a, const MlLevel *b)
{
	return a->n_rows != b->n_rows ? a->n_rows < b->n_rows : strcmp(a->text, b->text) > 0;
}

/* Move the level at place i down a heap whose root ranks last, to where it belongs. */
static void
sift_down(MlLevel *heap, uint32_t n, uint32_t i)
{
	MlLevel moving = heap[i];

	for (;;)
	{
		uint64_t child = 2 * (uint64_t) i + 1;

		if (child + 1 < n && ranks_behind(&heap[child + 1], &heap[child]))
			child++;
		if (child >= n || !ranks_behind(&heap[child], &moving))
			break;
		heap[i] = heap[child];
		i = (uint32_t) child;
	}
	heap[i] = moving;
}

/* Make a heap of n levels in any order. */
static void
make_heap(MlLevel *heap, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
}

/* Sort a heap, first rank first. */
static void
sort_heap(MlLevel *heap, uint32_t n)
{
	for (uint32_t end = n; end > 1; end--)
	{
		MlLevel last = heap[0];

		heap[0] = heap[end - 1];
		heap[end - 1] = last;
		sift_down(heap, end - 1, 0);
	}
}

/*
 * The first at_most levels by rank, through a heap of so many: a column may have millions of levels,
 * and sorting all of them could not be interrupted. Returns how many; n_seen: how many levels occurred.
 */
uint32_t
ml_levels_rank(const MlDict *dict, uint32_t n_levels, const uint64_t *level_rows, uint32_t at_most,
			   MlLevel *heap, uint32_t *n_seen)
{
	uint32_t n = 0;

	*n_seen = 0;
	for (uint32_t code = 0; code < n_levels; code++)
	{
		MlLevel level = {level_rows[code], code, ml_dict_text(dict, code)};

		if (level.n_rows == 0)
			continue;
		if (*n_seen == at_most)
			make_heap(heap, n);
		(*n_seen)++;
		if (n < at_most)
			heap[n++] = level;
		else if (n > 0 && ranks_behind(&heap[0], &level))
		{
			heap[0] = level;
			sift_down(heap, n, 0);
		}
	}
	make_heap(heap, n);
	sort_heap(heap, n);
	return n;
}
