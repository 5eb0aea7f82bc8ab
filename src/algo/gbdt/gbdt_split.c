/*
 * gbdt_split.c
 *		The best split of one feature of one leaf.
 *
 * With G and H the sums of gradients and hessians, a leaf's best value is
 * -T(G) / (H + l2), where T shrinks |G| by l1, and it lowers the loss by half of
 * its *score* T(G)^2 / (H + l2). The gain of a split is the score of both sides
 * less that of the leaf (Chen and Guestrin 2016, formula 7, without the half).
 *
 * Numbers: every cut is tried, with the missing rows on either side. Where a
 * leaf has no missing rows, they will go where more rows are.
 *
 * Levels (Fisher 1958; Hastie, Tibshirani, Friedman, section 9.2.4): sorted by
 * G / (H + smooth) the best set is a prefix. The smoothing keeps rare levels
 * in the middle, and l2 is raised, since the choice of the order has already
 * used the target. The set holds the side of fewer rows; the levels that the
 * leaf has not seen go to the other.
 *
 * The number of rows of a bin is not in the histogram: it is estimated in
 * proportion to the hessian. The caller counts after it has split, and comes
 * back with exact counts when the estimate was too high.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"

/* One leaf's search in the units of the integers: everything is divided by what a unit is worth. */
typedef struct Scale
{
	double l1, l2, min_hessian;
	double min_rows;
	double rows_per_h; /* estimate of rows from h; 0 where there are counts */
	double unit;       /* score to loss */
} Scale;

/* A side of a split. */
typedef struct Side
{
	GbdtSum sum;
	double n; /* rows, perhaps estimated */
} Side;

/* Best split so far, by its left side. */
typedef struct Best
{
	double score; /* of both sides */
	int cut;      /* or length of the prefix; -1: none */
	bool missing_left;
	Side left;
} Best;

static Scale
make_scale(const GbdtSearch *search, const uint32_t *counts)
{
	const GbdtOptions *options = search->options;
	double h = (double) search->total.h;
	Scale scale = {.l1 = options->l1 / search->g_unit,
				   .l2 = options->l2 / search->h_unit,
				   .min_hessian = options->min_leaf_hessian / search->h_unit,
				   /* one row needs no estimate: the caller's count will do */
				   .min_rows = options->min_leaf_rows > 1 ? options->min_leaf_rows : 0,
				   .unit = search->g_unit * search->g_unit / search->h_unit};

	if (!counts && h > 0)
		scale.rows_per_h = (double) search->n / h;
	return scale;
}

/* T(G): |G| less l1. */
static inline double
shrink(double g, double l1)
{
	double rest = fabs(g) - l1;

	return rest > 0 ? copysign(rest, g) : 0;
}

/* T(G)^2 / (H + l2); an empty side is worth nothing. */
static inline double
score(GbdtSum sum, double l1, double l2)
{
	double g = l1 > 0 ? shrink((double) sum.g, l1) : (double) sum.g;
	double h = (double) sum.h + l2;

	return h > 0 ? g * g / h : 0;
}

static inline GbdtSum
cell_sum(const GbdtHistogram *cells, uint32_t bin)
{
	return cells->packed ? ml_gbdt_unpack(((const int64_t *) cells->cells)[bin])
						 : ((const GbdtSum *) cells->cells)[bin];
}

static inline void
add_bin(Side *side, const GbdtHistogram *cells, const uint32_t *counts, const Scale *scale,
		uint32_t bin)
{
	GbdtSum sum = cell_sum(cells, bin);

	side->sum.g += sum.g;
	side->sum.h += sum.h;
	side->n += counts ? counts[bin] : (double) sum.h * scale->rows_per_h;
}

/* Compare a split with the best one so far. */
static inline void
try_split(const GbdtSearch *search, const Scale *scale, const Side *left, int cut,
		  bool missing_left, Best *best)
{
	GbdtSum right = {search->total.g - left->sum.g, search->total.h - left->sum.h};
	double n_right = (double) search->n - left->n;
	double both;

	if (left->n < scale->min_rows || n_right < scale->min_rows ||
		(double) left->sum.h < scale->min_hessian || (double) right.h < scale->min_hessian)
		return;
	both = score(left->sum, scale->l1, scale->l2) + score(right, scale->l1, scale->l2);
	if (both > best->score)
		*best = (Best){both, cut, missing_left, *left};
}

/* Every cut with the missing rows on one side. */
static void
scan_cuts(const GbdtSearch *search, const Scale *scale, const MlTreeFeature *feature,
		  const GbdtHistogram *cells, const uint32_t *counts, bool missing_left, Best *best)
{
	Side left = {0};

	if (missing_left)
		add_bin(&left, cells, counts, scale, feature->n_bins - 1);
	for (uint32_t cut = 0; cut < feature->n_cuts; cut++)
	{
		add_bin(&left, cells, counts, scale, cut);
		try_split(search, scale, &left, (int) cut, missing_left, best);
	}
}

/* The best cut of a numeric feature. */
static void
find_cut(const GbdtSearch *search, const Scale *scale, const MlTreeFeature *feature,
		 const GbdtHistogram *cells, const uint32_t *counts, Best *best)
{
	uint32_t missing = feature->n_bins - 1;
	GbdtSum sum = cell_sum(cells, missing);
	bool any_missing = counts ? counts[missing] > 0 : sum.g != 0 || sum.h != 0;

	scan_cuts(search, scale, feature, cells, counts, false, best);
	if (any_missing)
		scan_cuts(search, scale, feature, cells, counts, true, best);
	else if (best->cut >= 0)
		best->missing_left = best->left.n > (double) search->n / 2;
}

/* Bins that hold rows of the leaf, by rising G / (H + smooth); returns their number. */
static uint32_t
sort_levels(const GbdtSearch *search, const MlTreeFeature *feature, const GbdtHistogram *cells,
			uint8_t *order)
{
	double smooth = search->options->cat_smooth / search->h_unit;
	double key[ML_TREE_BINS];
	uint32_t n = 0;

	for (uint32_t bin = 0; bin < feature->n_bins; bin++)
	{
		GbdtSum sum = cell_sum(cells, bin);
		double own = (double) sum.g / ((double) sum.h + smooth);
		uint32_t at = n;

		if (sum.h <= 0)
			continue;
		for (; at > 0 && key[at - 1] > own; at--)
		{
			key[at] = key[at - 1];
			order[at] = order[at - 1];
		}
		key[at] = own;
		order[at] = (uint8_t) bin;
		n++;
	}
	return n;
}

/* The best set of levels; order and n_used: see sort_levels. */
static uint32_t
find_set(const GbdtSearch *search, Scale *scale, const MlTreeFeature *feature,
		 const GbdtHistogram *cells, const uint32_t *counts, uint8_t *order, Best *best)
{
	uint32_t n = sort_levels(search, feature, cells, order);
	Side left = {0};

	scale->l2 += search->options->cat_l2 / search->h_unit;
	for (uint32_t i = 0; i + 1 < n; i++)
	{
		add_bin(&left, cells, counts, scale, order[i]);
		try_split(search, scale, &left, (int) i, false, best);
	}
	return n;
}

static inline void
add_to_set(uint32_t *set, uint32_t bin)
{
	set[bin / 32] |= 1u << bin % 32;
}

/* Write the best cut as a split. */
static void
describe_cut(const MlTreeFeature *feature, const Best *best, GbdtSplit *split)
{
	split->cut = (uint8_t) best->cut;
	split->missing_left = best->missing_left;
	for (uint32_t bin = 0; bin <= split->cut; bin++)
		add_to_set(split->set, bin);
	if (best->missing_left)
		add_to_set(split->set, feature->n_bins - 1);
}

/* Write the best set as a split: the side of fewer rows is the set. */
static void
describe_set(const GbdtSearch *search, const uint8_t *order, uint32_t n_used, const Best *best,
			 GbdtSplit *split)
{
	uint32_t first = 0, end = (uint32_t) best->cut + 1;

	split->categorical = true;
	if (best->left.n > (double) search->n / 2)
	{
		first = end;
		end = n_used;
		split->left.g = search->total.g - split->left.g;
		split->left.h = search->total.h - split->left.h;
	}
	for (uint32_t i = first; i < end; i++)
		add_to_set(split->set, order[i]);
}

/* cells: of the feature alone. counts: rows by bin, or NULL to estimate them from the hessians. */
void
ml_gbdt_find_split(const GbdtSearch *search, const MlTreeFeature *feature,
				   const GbdtHistogram *cells, const uint32_t *counts, GbdtSplit *split)
{
	Scale scale = make_scale(search, counts);
	uint8_t order[ML_TREE_BINS];
	Best best = {.cut = -1};
	double own = score(search->total, scale.l1, scale.l2);
	uint32_t n_used = 0;

	memset(split, 0, sizeof(*split));
	best.score = own + search->options->min_gain / scale.unit;
	if (feature->categorical)
		n_used = find_set(search, &scale, feature, cells, counts, order, &best);
	else
		find_cut(search, &scale, feature, cells, counts, &best);
	if (best.cut < 0)
		return;
	split->gain = (best.score - own) * scale.unit;
	split->left = best.left.sum;
	if (feature->categorical)
		describe_set(search, order, n_used, &best, split);
	else
		describe_cut(feature, &best, split);
}

/* The value of a leaf with these sums, before the learning rate. */
double
ml_gbdt_leaf_value(const GbdtSearch *search)
{
	Scale scale = make_scale(search, NULL);
	double g = shrink((double) search->total.g, scale.l1);
	double h = (double) search->total.h + scale.l2;

	return h > 0 ? -g / h * (search->g_unit / search->h_unit) : 0;
}
