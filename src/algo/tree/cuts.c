/*
 * cuts.c
 *		Where the bins of a number lie: quantiles that respect distinct values.
 *
 * With no more distinct values than bins each value has its own bin. Otherwise
 * a value that is at least as frequent as an average bin has its own, and the
 * others share the bins that are left evenly. A cut lies half-way between the
 * greatest value of its bin and the least of the next.
 */
#include <math.h>
#include <string.h>

#include "algo/tree/binned.h"

#define RADIX_BITS 11
#define RADIX (1u << RADIX_BITS)
#define RADIX_PASSES 6

/* A key whose unsigned order is the order of doubles. */
static inline uint64_t
sort_key(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits ^ ((uint64_t) ((int64_t) bits >> 63) | UINT64_C(1) << 63);
}

static inline double
sort_value(uint64_t key)
{
	uint64_t bits = key ^ (((key >> 63) - 1) | UINT64_C(1) << 63);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Sort by the ordinary order of doubles, no NaN among them; spare: n doubles of room. Radix sort, least digit first. */
void
ml_sort_doubles(double *values, double *spare, size_t n)
{
	double *from = values, *to = spare;

	for (int pass = 0; pass < RADIX_PASSES; pass++)
	{
		uint32_t start[RADIX] = {0}, sum = 0;
		int shift = pass * RADIX_BITS;

		for (size_t i = 0; i < n; i++)
			start[sort_key(from[i]) >> shift & (RADIX - 1)]++;
		if (n == 0 || start[sort_key(from[0]) >> shift & (RADIX - 1)] == n)
			continue;
		for (uint32_t d = 0; d < RADIX; d++)
		{
			uint32_t count = start[d];

			start[d] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
		{
			uint64_t key = sort_key(from[i]);

			to[start[key >> shift & (RADIX - 1)]++] = sort_value(key);
		}
		double *swap = from;

		from = to;
		to = swap;
	}
	if (from != values)
		memcpy(values, from, n * sizeof(double));
}

/* A number c with low <= c < high, half-way where that can be represented. */
static double
middle(double low, double high)
{
	double c = low / 2 + high / 2;

	if (isnan(c) || !(c >= low && c < high))
		return low;
	return c;
}

/* The end of the run of equal values that starts at i. */
static inline size_t
run_end(const double *sorted, size_t n, size_t i)
{
	size_t end = i + 1;

	while (end < n && sorted[end] == sorted[i])
		end++;
	return end;
}

/* Rows in runs of at least least rows, and their number. */
static size_t
count_frequent(const double *sorted, size_t n, double least, size_t *n_runs)
{
	size_t rows = 0;

	*n_runs = 0;
	for (size_t i = 0, end; i < n; i = end)
	{
		end = run_end(sorted, n, i);
		if ((double) (end - i) < least)
			continue;
		rows += end - i;
		(*n_runs)++;
	}
	return rows;
}

/* The number of distinct values, but not above limit + 1. */
static size_t
count_distinct(const double *sorted, size_t n, size_t limit)
{
	size_t n_distinct = 0;

	for (size_t i = 0; i < n && n_distinct <= limit; i = run_end(sorted, n, i))
		n_distinct++;
	return n_distinct;
}

/* The bins that are still to be made, and the rows that go into them. */
typedef struct Rest
{
	double rows;     /* in values that share bins */
	size_t frequent; /* values with a bin of their own */
	size_t bins;
} Rest;

/* Rows that a shared bin should get. */
static double
shared_rows(const Rest *rest)
{
	return rest->bins > rest->frequent ? rest->rows / (double) (rest->bins - rest->frequent)
									   : (double) rest->rows;
}

/* The cuts of sorted values, NaN excluded: at most max_bins - 1, returned by number. */
uint32_t
ml_find_cuts(const double *sorted, size_t n, uint32_t max_bins, double *cuts)
{
	bool all_own = count_distinct(sorted, n, max_bins) <= max_bins;
	double least = all_own ? 0 : (double) n / max_bins; /* rows that earn a bin of its own */
	Rest rest = {.bins = max_bins};
	uint32_t n_cuts = 0;
	double filled = 0;

	rest.rows = (double) (n - count_frequent(sorted, n, least, &rest.frequent));
	for (size_t i = 0, end, next_end; i < n; i = end)
	{
		double rows, next_rows;

		end = run_end(sorted, n, i);
		if (end == n || n_cuts + 1 == max_bins)
			break;
		next_end = run_end(sorted, n, end);
		rows = (double) (end - i);
		next_rows = (double) (next_end - end);
		filled += rows;
		if (rows < least && next_rows < least && filled + next_rows / 2 < shared_rows(&rest))
			continue;
		cuts[n_cuts++] = middle(sorted[end - 1], sorted[end]);
		if (rows >= least)
			rest.frequent--;
		else
			rest.rows -= filled;
		rest.bins--;
		filled = 0;
	}
	return n_cuts;
}
