/*
 * forest_split.c
 *		The best cut, the best set of levels, or a random cut, of one feature of one node.
 *
 * Each side of a split has a *purity*, and the split with the greatest sum of
 * both lowers the risk most. With W the weight of a side: for numbers S^2 / W,
 * where S is the sum of w y (the risk is the sum of squares less that); for
 * classes with weights W_k, gini: sum of W_k^2 / W; entropy: sum of W_k ln W_k
 * less W ln W. For two classes with y 0 or 1, gini is twice S^2 / W but for a
 * constant, so both are one search.
 *
 * Numbers: every cut between two bins with rows is tried, the missing rows on
 * either side. Of the cuts between the same bins the one nearest to the middle
 * of their values is taken. Where a node has no missing rows, they will go where
 * more rows are.
 *
 * Levels: for numbers and two classes the best set is a prefix of the levels in
 * order of their means (Fisher 1958; Breiman et al. 1984, theorem 4.5). For
 * several classes there is no such order; levels are ordered along the first
 * principal axis of their class shares (Coppersmith, Hong and Hosking 1999), which
 * is near the best. The set is the side of fewer rows; levels that the node has
 * not seen go to the other.
 *
 * Random cuts (Geurts, Ernst and Wehenkel 2006): one cut, uniform between the
 * least and the greatest value in the node; of levels, a random order and place.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define AXIS_ROUNDS 12 /* of power iteration */

/* ---- bins with rows */

/* A bin's rows, weight and sum; the counts of several classes stay in the cells. */
static void
list_bin(const ForestSearch *search, const void *cells, uint32_t bin)
{
	ForestBins *bins = search->bins;
	uint32_t n_classes = search->rows->n_classes;
	double rows = 0, weight = 0, sum = 0;

	switch (search->kind)
	{
		case FOREST_PAIRS:
		{
			uint64_t pair = ((const uint64_t *) cells)[bin];

			sum = (double) (pair >> 32);
			rows = weight = (double) (uint32_t) pair + sum;
			break;
		}
		case FOREST_COUNTS:
			for (uint32_t k = 0; k < n_classes; k++)
				rows += ((const uint32_t *) cells)[(size_t) bin * n_classes + k];
			weight = rows;
			break;
		case FOREST_SUMS:
			rows = weight = ((const double *) cells)[2 * bin];
			sum = ((const double *) cells)[2 * bin + 1];
			break;
		case FOREST_WEIGHTED_SUMS:
			rows = ((const double *) cells)[3 * bin];
			sum = ((const double *) cells)[3 * bin + 1];
			weight = ((const double *) cells)[3 * bin + 2];
			break;
		case FOREST_WEIGHTED_COUNTS:
			rows = ((const double *) cells)[(size_t) bin * (1 + n_classes)];
			for (uint32_t k = 0; k < n_classes && rows > 0; k++)
				weight += ((const double *) cells)[(size_t) bin * (1 + n_classes) + 1 + k];
			break;
	}
	if (rows <= 0)
		return;
	bins->bin[bins->n] = (uint8_t) bin;
	bins->rows[bins->n] = rows;
	bins->weight[bins->n] = weight;
	bins->sum[bins->n++] = sum;
}

/* List the bins that hold rows. touched: as it was filled, or NULL for all. */
void
ml_forest_list_bins(const ForestSearch *search, const MlTreeFeature *feature, const void *cells,
					const uint64_t *touched)
{
	search->bins->n = 0;
	for (uint32_t bin = 0; !touched && bin < feature->n_bins; bin++)
		list_bin(search, cells, bin);
	for (uint32_t word = 0; touched && word < ML_TREE_BINS / 64; word++)
	{
		for (uint64_t bits = touched[word]; bits != 0; bits &= bits - 1)
			list_bin(search, cells, word * 64 + (uint32_t) __builtin_ctzll(bits));
	}
}

/* Weight of class k in a bin; several classes only. */
static inline double
class_weight(const ForestSearch *search, const void *cells, uint32_t bin, uint32_t k)
{
	size_t n_classes = search->rows->n_classes;

	if (search->kind == FOREST_COUNTS)
		return ((const uint32_t *) cells)[bin * n_classes + k];
	return ((const double *) cells)[bin * (1 + n_classes) + 1 + k];
}

/* ---- purity */

static inline double
x_log_x(double x)
{
	return x > 0 ? x * log(x) : 0;
}

/* Of one side of numbers or two classes. */
static inline double
scalar_purity(ForestCriterion criterion, double weight, double sum)
{
	if (weight <= 0)
		return 0;
	if (criterion == FOREST_ENTROPY)
		return x_log_x(sum) + x_log_x(weight - sum) - x_log_x(weight);
	return (criterion == FOREST_GINI ? 2 : 1) * sum * sum / weight;
}

/* Of one side of several classes: powers is the sum of W_k^2, or of W_k ln W_k. */
static inline double
class_purity(ForestCriterion criterion, double weight, double powers)
{
	if (weight <= 0)
		return 0;
	return criterion == FOREST_ENTROPY ? powers - x_log_x(weight) : powers / weight;
}

static inline double
power(ForestCriterion criterion, double x)
{
	return criterion == FOREST_ENTROPY ? x_log_x(x) : x * x;
}

/* Purity of the whole node. */
static double
node_purity(const ForestSearch *search)
{
	const ForestTotals *totals = search->totals;
	ForestCriterion criterion = search->options->criterion;
	double powers = 0;

	if (search->rows->n_classes <= 2)
		return scalar_purity(criterion, totals->weight,
							 search->rows->n_classes ? totals->class_weight[1] : totals->sum);
	for (uint32_t k = 0; k < search->rows->n_classes; k++)
		powers += power(criterion, totals->class_weight[k]);
	return class_purity(criterion, totals->weight, powers);
}

/* Risk of a node: its weight times its impurity. */
double
ml_forest_risk(const ForestRows *rows, ForestCriterion criterion, const ForestTotals *totals)
{
	double risk = 0;

	if (rows->n_classes == 0)
	{
		if (totals->min == totals->max || totals->weight <= 0)
			return 0;
		return ML_MAX(totals->sum2 - totals->sum * totals->sum / totals->weight, 0);
	}
	if (totals->n_classes_in < 2 || totals->weight <= 0)
		return 0;
	for (uint32_t k = 0; k < rows->n_classes; k++)
		risk += power(criterion, totals->class_weight[k]);
	risk = criterion == FOREST_ENTROPY ? x_log_x(totals->weight) - risk
									   : totals->weight - risk / totals->weight;
	return ML_MAX(risk, 0);
}

/* ---- cuts of an order of bins */

/* An order of the listed bins, and what has been found along it. */
typedef struct Order
{
	const ForestSearch *search;
	const void *cells;
	uint8_t place[ML_TREE_BINS]; /* in the list */
	uint32_t n;
	int start;   /* this one is to the left from the beginning; -1: none */
	int only;    /* the only last place to try; -1: all */
	double best; /* purity of both sides */
	int last;    /* of the left side; -1: nothing better than at the beginning */
	double left_rows;
} Order;

/* Sums of the left side. */
typedef struct Side
{
	double rows, weight, sum;
	double left_powers, right_powers; /* several classes */
} Side;

/* Move a bin of several classes from the right side to the left one. */
static void
move_classes(const Order *order, uint32_t bin, Side *left)
{
	const ForestSearch *search = order->search;
	ForestBins *bins = search->bins;
	ForestCriterion criterion = search->options->criterion;

	for (uint32_t k = 0; k < search->rows->n_classes; k++)
	{
		double w = class_weight(search, order->cells, bin, k);

		if (w == 0)
			continue;
		left->left_powers += power(criterion, bins->left[k] + w) - power(criterion, bins->left[k]);
		left->right_powers +=
			power(criterion, bins->right[k] - w) - power(criterion, bins->right[k]);
		bins->left[k] += w;
		bins->right[k] -= w;
	}
}

static void
move_bin(const Order *order, uint32_t at, Side *left)
{
	const ForestBins *bins = order->search->bins;

	left->rows += bins->rows[at];
	left->weight += bins->weight[at];
	left->sum += bins->sum[at];
	if (order->search->rows->n_classes > 2)
		move_classes(order, bins->bin[at], left);
}

/* Purity of both sides. */
static double
both_purity(const Order *order, const Side *left, double total_sum)
{
	const ForestSearch *search = order->search;
	ForestCriterion criterion = search->options->criterion;
	double right = search->totals->weight - left->weight;

	if (search->rows->n_classes > 2)
		return class_purity(criterion, left->weight, left->left_powers) +
			   class_purity(criterion, right, left->right_powers);
	return scalar_purity(criterion, left->weight, left->sum) +
		   scalar_purity(criterion, right, total_sum - left->sum);
}

/* Begin with everything on the right side. */
static Side
begin_sides(const ForestSearch *search)
{
	Side left = {0};

	for (uint32_t k = 0; search->rows->n_classes > 2 && k < search->rows->n_classes; k++)
	{
		search->bins->left[k] = 0;
		search->bins->right[k] = search->totals->class_weight[k];
		left.right_powers += power(search->options->criterion, search->bins->right[k]);
	}
	return left;
}

/* Try the cuts along an order; whether any has enough rows on both sides. */
static bool
try_order(Order *order)
{
	const ForestSearch *search = order->search;
	const ForestTotals *totals = search->totals;
	double least = search->options->min_leaf_rows;
	double total_sum = search->rows->n_classes == 2 ? totals->class_weight[1] : totals->sum;
	Side left = begin_sides(search);
	bool any = false;

	if (order->start >= 0)
		move_bin(order, (uint32_t) order->start, &left);
	for (uint32_t i = 0; i + (order->start < 0) < order->n; i++)
	{
		double both;

		move_bin(order, order->place[i], &left);
		if (totals->rows - left.rows < least)
			break;
		if (left.rows < least || (order->only >= 0 && order->only != (int) i))
			continue;
		any = true;
		both = both_purity(order, &left, total_sum);
		if (both > order->best)
		{
			order->best = both;
			order->last = (int) i;
			order->left_rows = left.rows;
		}
	}
	return any;
}

/* ---- numbers */

/* Of the cuts from low to high, the one nearest to the middle. */
static uint32_t
middle_cut(const MlTreeFeature *feature, uint32_t low, uint32_t high)
{
	double middle = feature->cuts[low] / 2 + feature->cuts[high] / 2;
	uint32_t c = low;

	if (!isfinite(middle))
		return low;
	while (c < high && fabs(feature->cuts[c + 1] - middle) < fabs(feature->cuts[c] - middle))
		c++;
	return c;
}

/* The place of a cut that is uniform between the values of the first and the last of n bins; -1: none. */
static int
draw_cut(const ForestSearch *search, const MlTreeFeature *feature, uint32_t n, uint32_t *cut)
{
	const ForestBins *bins = search->bins;
	uint32_t low = bins->bin[0], high = bins->bin[n - 1] - 1u;
	double from = feature->cuts[low], to = feature->cuts[high], u = ml_rng_uniform(search->rng);
	double at = from + u * (to - from);
	int place = 0;

	if (isfinite(at))
	{
		while (low < high && feature->cuts[low] < at)
			low++;
	}
	else
		low += (uint32_t) (u * (high - low + 1));
	while (place + 1 < (int) n && bins->bin[place + 1] <= low)
		place++;
	*cut = low;
	return place;
}

/* Write a cut as a split. */
static void
describe_cut(const MlTreeFeature *feature, uint32_t cut, bool missing_left, ForestSplit *split)
{
	memset(split->set, 0, sizeof(split->set));
	split->categorical = false;
	split->cut = (uint8_t) cut;
	split->missing_left = missing_left;
	for (uint32_t bin = 0; bin <= cut; bin++)
		split->set[bin / 32] |= 1u << bin % 32;
	if (missing_left)
		split->set[(feature->n_bins - 1) / 32] |= 1u << (feature->n_bins - 1) % 32;
}

/* The best cut, or a random one. The last bin of the list may be that of missing values. */
static bool
find_cut(Order *order, const MlTreeFeature *feature, uint32_t *cut, bool *missing_left)
{
	const ForestSearch *search = order->search;
	const ForestBins *bins = search->bins;
	bool missing = bins->bin[bins->n - 1] == feature->n_bins - 1, any;
	uint32_t n = bins->n - missing, drawn = UINT32_MAX;
	double before;

	for (uint32_t i = 0; i < n; i++)
		order->place[i] = (uint8_t) i;
	order->n = n;
	if (missing && n > 0 && bins->bin[n - 1] < feature->n_cuts)
	{
		/* the missing rows alone on the right are one more cut */
		order->place[n] = (uint8_t) n;
		order->n = n + 1;
	}
	if (search->options->random_cuts && n > 1)
		order->only = draw_cut(search, feature, n, &drawn);
	any = try_order(order);
	*missing_left = false;
	before = order->best;
	if (missing && n > 1)
	{
		order->n = n - 1;
		order->start = (int) n;
		any |= try_order(order);
		*missing_left = order->best > before;
	}
	if (order->last < 0)
		return any;
	if (!missing)
		*missing_left = order->left_rows > search->totals->rows / 2;
	if ((uint32_t) order->last + 1 == n)
		*cut = feature->n_cuts - 1;
	else
		*cut = drawn != UINT32_MAX
				   ? drawn
				   : middle_cut(feature, bins->bin[order->last], bins->bin[order->last + 1] - 1u);
	return any;
}

/* ---- levels */

/* Sort the places by rising key; equal keys stay in order. */
static void
sort_places(const double *key, uint8_t *place, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t at = i;

		for (; at > 0 && key[place[at - 1]] > key[i]; at--)
			place[at] = place[at - 1];
		place[at] = (uint8_t) i;
	}
}

/* Where the class shares of a level lie on the axis. */
static double
project(const ForestSearch *search, const void *cells, uint32_t at)
{
	const ForestBins *bins = search->bins;
	double sum = 0;

	for (uint32_t k = 0; k < search->rows->n_classes && bins->weight[at] > 0; k++)
		sum += (class_weight(search, cells, bins->bin[at], k) / bins->weight[at] - bins->mean[k]) *
			   bins->axis[k];
	return sum;
}

/* One round of power iteration towards the first principal axis; false: the shares do not vary along it. */
static bool
improve_axis(const ForestSearch *search, const void *cells, double *key)
{
	const ForestBins *bins = search->bins;
	double length = 0;

	for (uint32_t i = 0; i < bins->n; i++)
		key[i] = project(search, cells, i);
	for (uint32_t k = 0; k < search->rows->n_classes; k++)
	{
		double sum = 0;

		for (uint32_t i = 0; i < bins->n; i++)
			sum += key[i] *
				   (class_weight(search, cells, bins->bin[i], k) - bins->weight[i] * bins->mean[k]);
		bins->axis[k] = sum;
		length += sum * sum;
	}
	if (!(length > 0))
		return false;
	length = sqrt(length);
	for (uint32_t k = 0; k < search->rows->n_classes; k++)
		bins->axis[k] /= length;
	return true;
}

/* Keys of levels for several classes: their places on the first principal axis of the shares. */
static void
key_by_axis(const ForestSearch *search, const void *cells, double *key)
{
	const ForestTotals *totals = search->totals;
	ForestBins *bins = search->bins;
	uint32_t first = 0;

	/* from the direction of the most frequent class */
	for (uint32_t k = 0; k < search->rows->n_classes; k++)
	{
		bins->mean[k] = totals->class_weight[k] / totals->weight;
		bins->axis[k] = 0;
		if (totals->class_weight[k] > totals->class_weight[first])
			first = k;
	}
	bins->axis[first] = 1;
	for (int round = 0; round < AXIS_ROUNDS; round++)
	{
		if (!improve_axis(search, cells, key))
			break;
	}
	for (uint32_t i = 0; i < bins->n; i++)
		key[i] = project(search, cells, i);
}

/* The best prefix of the levels in order, or a random one. */
static bool
find_set(Order *order)
{
	const ForestSearch *search = order->search;
	const ForestBins *bins = search->bins;
	double key[ML_TREE_BINS];

	if (search->options->random_cuts)
	{
		for (uint32_t i = 0; i < bins->n; i++)
			key[i] = ml_rng_uniform(search->rng);
		order->only = (int) ml_rng_below(search->rng, bins->n - 1);
	}
	else if (search->rows->n_classes > 2)
		key_by_axis(search, order->cells, key);
	else
	{
		for (uint32_t i = 0; i < bins->n; i++)
			key[i] = bins->weight[i] > 0 ? bins->sum[i] / bins->weight[i] : 0;
	}
	sort_places(key, order->place, bins->n);
	order->n = bins->n;
	return try_order(order);
}

/* Write the best set as a split: the side of fewer rows is the set. */
static void
describe_set(const Order *order, ForestSplit *split)
{
	const ForestBins *bins = order->search->bins;
	uint32_t first = 0, end = (uint32_t) order->last + 1;

	if (order->left_rows > order->search->totals->rows / 2)
	{
		first = end;
		end = order->n;
	}
	memset(split->set, 0, sizeof(split->set));
	split->categorical = true;
	split->missing_left = false;
	split->cut = 0;
	for (uint32_t i = first; i < end; i++)
	{
		uint32_t bin = bins->bin[order->place[i]];

		split->set[bin / 32] |= 1u << bin % 32;
	}
}

/* Whether the feature of the listed bins can be split at all; if so, *best is replaced where that is better. */
bool
ml_forest_find_split(const ForestSearch *search, uint32_t active, const void *cells,
					 ForestSplit *best)
{
	const MlTreeFeature *feature = &search->rows->features[search->rows->binned.active[active]];
	double own = node_purity(search);
	Order order = {.search = search, .cells = cells, .start = -1, .only = -1, .last = -1};
	bool any, missing_left = false;
	uint32_t cut = 0;

	if (search->bins->n < 2)
		return false;
	order.best = best->gain >= 0 ? own + best->gain : -INFINITY;
	any = feature->categorical ? find_set(&order) : find_cut(&order, feature, &cut, &missing_left);
	if (order.last < 0)
		return any;
	if (feature->categorical)
		describe_set(&order, best);
	else
		describe_cut(feature, cut, missing_left, best);
	best->gain = ML_MAX(order.best - own, 0);
	best->active = active;
	return true;
}
