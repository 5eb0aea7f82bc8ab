/*
 * summary_results.c
 *		What a summary says in the end: distinct values, quartiles, outliers.
 */
#include <math.h>
#include <stdlib.h>

#include "data/summary.h"

/* An outlier is farther outside the quartiles than this many times their distance (Tukey 1977). */
#define FENCE 1.5

uint64_t
ml_summary_distinct(const MlSummary *summary)
{
	uint64_t estimate;

	if (!summary->hll)
		return summary->tally.n;
	estimate = (uint64_t) llrint(ml_hll_estimate(summary->hll));
	return ML_MIN(estimate, summary->n_values);
}

/* ---- quartiles: exact while all values are counted, else of the sketch */

typedef struct Weighted
{
	double value;
	uint64_t count;
} Weighted;

static int
compare_weighted(const void *a, const void *b)
{
	double x = ((const Weighted *) a)->value, y = ((const Weighted *) b)->value;

	return (x > y) - (x < y);
}

/* The numbers that were counted, in order; returns how many, and their counts together in *total. */
static size_t
sort_counted(const MlSummary *summary, Weighted *values, uint64_t *total)
{
	size_t n = 0;

	*total = 0;
	for (size_t slot = 0; slot < summary->tally.n_slots; slot++)
	{
		uint64_t count = summary->tally.slots[slot].count;
		double number = count > 0 ? ml_summary_slot_number(summary, slot) : NAN;

		if (isnan(number))
			continue;
		values[n++] = (Weighted){number, count};
		*total += count;
	}
	qsort(values, n, sizeof(Weighted), compare_weighted);
	return n;
}

/* The value at a rank, from 0. */
static double
value_at(const Weighted *values, size_t n, uint64_t rank)
{
	size_t i = 0;

	while (i + 1 < n && rank >= values[i].count)
		rank -= values[i++].count;
	return values[i].value;
}

/* As percentile_cont: between two values, on the line. */
static double
quantile_of(const Weighted *values, size_t n, uint64_t total, double p)
{
	double position = p * (double) (total - 1), below = floor(position);
	double low = value_at(values, n, (uint64_t) below);
	double high = value_at(values, n, (uint64_t) ceil(position));

	return low == high ? low : low + (high - low) * (position - below);
}

static double
count_outside(const Weighted *values, size_t n, double low, double high)
{
	double count = 0;

	for (size_t i = 0; i < n; i++)
		if (values[i].value < low || values[i].value > high)
			count += (double) values[i].count;
	return count;
}

static const double quarters[3] = {0.25, 0.5, 0.75};

static MlStatus
exact_quartiles(const MlSummary *summary, MlQuartiles *result)
{
	Weighted *values = ml_alloc_array(summary->env, summary->tally.n + 1, sizeof(Weighted));
	uint64_t total;
	size_t n;
	double reach;

	if (!values)
		return ML_ENOMEM;
	n = sort_counted(summary, values, &total);
	for (int i = 0; i < 3 && n > 0; i++)
		result->q[i] = quantile_of(values, n, total, quarters[i]);
	reach = FENCE * (result->q[2] - result->q[0]);
	if (!isnan(reach))
		result->outlier_share =
			count_outside(values, n, result->q[0] - reach, result->q[2] + reach) / (double) total;
	ml_free(summary->env, values);
	return ML_OK;
}

MlStatus
ml_summary_quartiles(const MlSummary *summary, MlQuartiles *result)
{
	double reach;

	*result = (MlQuartiles){{NAN, NAN, NAN}, NAN};
	if (!summary->kll)
		return exact_quartiles(summary, result);
	ml_kll_quantiles(summary->kll, quarters, 3, result->q);
	reach = FENCE * (result->q[2] - result->q[0]);
	result->outlier_share = ml_kll_share_below(summary->kll, result->q[0] - reach) + 1 -
							ml_kll_share_up_to(summary->kll, result->q[2] + reach);
	/* Distances between infinities are not numbers. */
	if (isnan(reach))
		result->outlier_share = NAN;
	return ML_OK;
}
