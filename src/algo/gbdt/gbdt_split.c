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
 * Where features must be monotone, each leaf has bounds that its value must not
 * leave, and a split of such a feature must give values in the right order
 * (LightGBM's "basic" method): a side with gradients G, H scores what its
 * clamped value v lowers the loss by, -(2 G v + (H + l2) v^2 + 2 l1 |v|).
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
	double l1, l2;
	double min_hessian, min_rows; /* of each side */
	double rows_per_h;            /* estimate of rows from h; 0 where there are counts */
	double unit;                  /* score to loss */
	double g, h, n;               /* of the leaf */
	bool bounded;                 /* values have bounds */
	GbdtBounds bounds;
	int direction;
} Scale;

/* Left sides of the splits of a leaf, one after the other: sums of more and more bins. */
typedef struct Lefts
{
	double g[ML_TREE_BINS], h[ML_TREE_BINS], n[ML_TREE_BINS];
	double score[ML_TREE_BINS]; /* of both sides; -1: a side is too small */
} Lefts;

/* Best split so far, by its left side. */
typedef struct Best
{
	double score; /* of both sides */
	int last;     /* the left side's last bin, in the order of the search; -1: none */
	bool missing_left;
	double g, h, n; /* of the left side */
} Best;

static Scale
make_scale(const GbdtSearch *search, const uint32_t *counts)
{
	const GbdtOptions *options = search->options;
	double h = (double) search->total.h;
	Scale scale = {.l1 = options->l1 / search->g_unit,
				   .l2 = options->l2 / search->h_unit,
				   /* a side without any hessian has no value */
				   .min_hessian = ML_MAX(options->min_leaf_hessian / search->h_unit, 1),
				   /* one row needs no estimate: the caller's count will do */
				   .min_rows = options->min_leaf_rows > 1 ? options->min_leaf_rows : 0,
				   .unit = search->g_unit * search->g_unit / search->h_unit,
				   .g = (double) search->total.g,
				   .h = h,
				   .n = (double) search->n,
				   .bounded = options->monotone != NULL,
				   .bounds = {search->bounds.low * (search->h_unit / search->g_unit),
							  search->bounds.high * (search->h_unit / search->g_unit)},
				   .direction = search->direction};

	if (!counts && h > 0)
		scale.rows_per_h = (double) search->n / h;
	return scale;
}

/* T(G)^2, where T(G) is |G| less l1. */
static inline double
shrunk_square(double g, double l1)
{
	double rest = (g < 0 ? -g : g) - l1;

	return rest > 0 ? rest * rest : 0;
}

static inline GbdtSum
cell_sum(const GbdtHistogram *cells, uint32_t bin)
{
	return cells->packed ? ml_gbdt_unpack(((const int64_t *) cells->cells)[bin])
						 : ((const GbdtSum *) cells->cells)[bin];
}

/* The left sides of n splits: start, and the bins of order (NULL: 0, 1, ...) one after the other. */
static void
sum_lefts(const GbdtHistogram *cells, const uint32_t *counts, const uint8_t *order, uint32_t n,
		  int start, Lefts *lefts)
{
	GbdtSum sum = {0, 0};
	double rows = 0;

	if (start >= 0)
	{
		sum = cell_sum(cells, (uint32_t) start);
		rows = counts ? counts[start] : 0;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t bin = order ? order[i] : i;
		GbdtSum own = cell_sum(cells, bin);

		sum.g += own.g;
		sum.h += own.h;
		rows += counts ? counts[bin] : 0;
		lefts->g[i] = (double) sum.g;
		lefts->h[i] = (double) sum.h;
		lefts->n[i] = rows;
	}
}

/* The scores of n splits. */
GBDT_CLONES static void
score_lefts(const Scale *scale, uint32_t n, Lefts *restrict lefts)
{
	const Scale s = *scale;

	for (uint32_t i = 0; i < n; i++)
	{
		double g = lefts->g[i], h = lefts->h[i], rows = lefts->n[i] + h * s.rows_per_h;
		double right_h = s.h - h, right_rows = s.n - rows;
		double both =
			shrunk_square(g, s.l1) / (h + s.l2) + shrunk_square(s.g - g, s.l1) / (right_h + s.l2);
		bool fits = (h >= s.min_hessian) & (right_h >= s.min_hessian) & (rows >= s.min_rows) &
					(right_rows >= s.min_rows);

		lefts->n[i] = rows;
		lefts->score[i] = fits ? both : -1.0;
	}
}

/* The value of sums, within the bounds. */
static double
bounded_value(const Scale *s, double g, double h)
{
	double size = fabs(g) - s->l1;
	double value = size > 0 && h + s->l2 > 0 ? copysign(size, -g) / (h + s->l2) : 0;

	return ML_MIN(ML_MAX(value, s->bounds.low), s->bounds.high);
}

/* What sums score with a value. */
static double
score_of_value(const Scale *s, double g, double h, double value)
{
	return -(2 * g * value + (h + s->l2) * value * value + 2 * s->l1 * fabs(value));
}

/* The scores of n splits where values have bounds. */
static void
score_bounded_lefts(const Scale *s, uint32_t n, Lefts *lefts)
{
	for (uint32_t i = 0; i < n; i++)
	{
		double g = lefts->g[i], h = lefts->h[i], rows = lefts->n[i] + h * s->rows_per_h;
		double right_g = s->g - g, right_h = s->h - h, right_rows = s->n - rows;
		double left = bounded_value(s, g, h), right = bounded_value(s, right_g, right_h);
		bool fits = h >= s->min_hessian && right_h >= s->min_hessian && rows >= s->min_rows &&
					right_rows >= s->min_rows && s->direction * (right - left) >= 0;

		lefts->n[i] = rows;
		lefts->score[i] =
			fits ? score_of_value(s, g, h, left) + score_of_value(s, right_g, right_h, right)
				 : -INFINITY;
	}
}

/* What the leaf scores without a split. */
static double
own_score(const Scale *s)
{
	if (s->bounded)
		return score_of_value(s, s->g, s->h, bounded_value(s, s->g, s->h));
	return s->h + s->l2 > 0 ? shrunk_square(s->g, s->l1) / (s->h + s->l2) : 0;
}

/* Compare n splits with the best one so far; the first one wins among equals. */
static void
try_splits(const Scale *scale, uint32_t n, bool missing_left, Lefts *lefts, Best *best)
{
	int found = -1;

	if (scale->bounded)
		score_bounded_lefts(scale, n, lefts);
	else
		score_lefts(scale, n, lefts);
	for (uint32_t i = 0; i < n; i++)
	{
		if (lefts->score[i] > best->score)
		{
			best->score = lefts->score[i];
			found = (int) i;
		}
	}
	if (found < 0)
		return;
	best->last = found;
	best->missing_left = missing_left;
	best->g = lefts->g[found];
	best->h = lefts->h[found];
	best->n = lefts->n[found];
}

/* The best cut of a numeric feature: each is tried with the missing rows on either side. */
static void
find_cut(const Scale *scale, const MlTreeFeature *feature, const GbdtHistogram *cells,
		 const uint32_t *counts, Best *best)
{
	uint32_t missing = feature->n_bins - 1;
	GbdtSum sum = cell_sum(cells, missing);
	bool any_missing = counts ? counts[missing] > 0 : sum.g != 0 || sum.h != 0;
	Lefts lefts;

	sum_lefts(cells, counts, NULL, feature->n_cuts, -1, &lefts);
	try_splits(scale, feature->n_cuts, false, &lefts, best);
	if (any_missing)
	{
		sum_lefts(cells, counts, NULL, feature->n_cuts, (int) missing, &lefts);
		try_splits(scale, feature->n_cuts, true, &lefts, best);
	}
	else if (best->last >= 0)
		best->missing_left = best->n > scale->n / 2;
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

/* The best set of levels; order and the number returned: see sort_levels. */
static uint32_t
find_set(const GbdtSearch *search, Scale *scale, const MlTreeFeature *feature,
		 const GbdtHistogram *cells, const uint32_t *counts, uint8_t *order, Best *best)
{
	uint32_t n = sort_levels(search, feature, cells, order);
	Lefts lefts;

	if (n < 2)
		return n;
	scale->l2 += search->options->cat_l2 / search->h_unit;
	sum_lefts(cells, counts, order, n - 1, -1, &lefts);
	try_splits(scale, n - 1, false, &lefts, best);
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
	split->cut = (uint8_t) best->last;
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
	uint32_t first = 0, end = (uint32_t) best->last + 1;

	split->categorical = true;
	if (best->n > (double) search->n / 2)
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
	Best best = {.last = -1};
	double own = own_score(&scale);
	uint32_t n_used = 0;

	memset(split, 0, sizeof(*split));
	best.score = own + search->options->min_gain / scale.unit;
	if (feature->categorical)
		n_used = find_set(search, &scale, feature, cells, counts, order, &best);
	else
		find_cut(&scale, feature, cells, counts, &best);
	if (best.last < 0)
		return;
	split->gain = (best.score - own) * scale.unit;
	split->left = (GbdtSum){(int64_t) best.g, (int64_t) best.h};
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

	scale.bounds = scale.bounded ? scale.bounds : (GbdtBounds){-INFINITY, INFINITY};
	return bounded_value(&scale, scale.g, scale.h) * (search->g_unit / search->h_unit);
}
