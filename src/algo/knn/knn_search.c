/*
 * knn_search.c
 *		The nearest points of a row, and what they say of it.
 *
 * Nodes are visited nearer box first; a box farther than the worst of the
 * neighbours found so far is passed by. The answer is exact: the distance to a
 * box is a sum of the same terms in the same order as that to a point, each
 * rounded from a number that is no greater, so it never exceeds it. Equal
 * distances are decided by the number of the training row: the earlier is nearer.
 *
 * Most points are far: a block is first measured in single precision, with room for
 * its rounding, and in double only if one of its points may be near enough.
 *
 * Everything lives on the stack: about 80 kB.
 */
#include <math.h>
#include <string.h>

#include "algo/knn/knn.h"
#include "core/vmath.h"

#define STACK 64 /* nodes that wait: one a level, and there are at most 28 levels */
#define LANES 8
#define ABANDON 16 /* columns between two looks at whether a block is too far */

typedef double Reals __attribute__((vector_size(8 * LANES)));
typedef float Singles __attribute__((vector_size(4 * LANES)));
typedef int64_t Words __attribute__((vector_size(8 * LANES)));
typedef float Block __attribute__((vector_size(4 * KNN_BLOCK)));
typedef int32_t BlockWords __attribute__((vector_size(4 * KNN_BLOCK)));

/* The row that is looked for, and the nearest points so far: a heap, the farthest on top. */
typedef struct Search
{
	const MlKnnModel *model;
	uint32_t n, k;
	double d[KNN_MAX_NEIGHBORS];
	uint32_t at[KNN_MAX_NEIGHBORS];
	double q[KNN_MAX_COLUMNS];
	float short_q[KNN_MAX_COLUMNS]; /* the same numbers: they are rounded to single precision */
	uint32_t columns[KNN_MAX_COLUMNS];
} Search;

/* ---- distances */

#define INLINE static inline __attribute__((always_inline))

INLINE void
widen(const float *x, Reals *out)
{
	Singles singles;

	memcpy(&singles, x, sizeof(singles));
	*out = __builtin_convertvector(singles, Reals);
}

/* *sum += (*x - q)^2, or |*x - q|. */
INLINE void
add_term(Reals *sum, const Reals *x, double q, bool euclidean)
{
	Reals gap = *x - q;

	*sum += euclidean
				? gap * gap
				: (Reals) ((Words) gap & INT64_MAX); /* without the sign: the absolute value */
}

/* True when all of the block's sums so far are above the limit. */
INLINE bool
all_above(const Reals *a, const Reals *b, double limit)
{
	Words above = (*a > limit) & (*b > limit);
	int64_t all = -1;

	for (int l = 0; l < LANES; l++)
		all &= above[l];
	return all != 0;
}

/* Distances of a block's numbers to out; false: all of them, and more, are above the limit. */
INLINE bool
measure(const float *x, size_t n_dense, const double *q, double limit, bool euclidean, double *out)
{
	Reals a = {0}, b = {0}, first, second;

	for (size_t c = 0; c < n_dense; c++)
	{
		widen(x + c * KNN_BLOCK, &first);
		widen(x + c * KNN_BLOCK + LANES, &second);
		add_term(&a, &first, q[c], euclidean);
		add_term(&b, &second, q[c], euclidean);
		if (c % ABANDON == ABANDON - 1 && all_above(&a, &b, limit))
			return false;
	}
	memcpy(out, &a, sizeof(a));
	memcpy(out + LANES, &b, sizeof(b));
	return true;
}

/* True when all of a block's sums are above the limit. */
INLINE bool
block_above(const Block *sum, float limit)
{
	BlockWords above = *sum > limit;
	int32_t all = -1;

	for (uint32_t l = 0; l < KNN_BLOCK; l++)
		all &= above[l];
	return all != 0;
}

/*
 * True when the numbers alone put all points of a block beyond the limit. Each of the n terms, and their
 * sum, is off by at most n + 3 roundings of 2^-24; a sum that comes out too small is looked at again.
 */
INLINE bool
beyond(const float *x, size_t n_dense, const float *q, double limit, bool euclidean)
{
	float above = (float) (limit * (1 + (double) (n_dense + 8) * 0x1p-22));
	Block sum = {0}, gap;

	for (size_t c = 0; c < n_dense; c++)
	{
		memcpy(&gap, x + c * KNN_BLOCK, sizeof(gap));
		gap = gap - q[c];
		sum += euclidean ? gap * gap : (Block) ((BlockWords) gap & INT32_MAX);
		if (c % ABANDON == ABANDON - 1 && block_above(&sum, above))
			return true;
	}
	return block_above(&sum, above);
}

ML_CLONES static bool
beyond_euclidean(const float *x, size_t n_dense, const float *q, double limit)
{
	return beyond(x, n_dense, q, limit, true);
}

ML_CLONES static bool
beyond_manhattan(const float *x, size_t n_dense, const float *q, double limit)
{
	return beyond(x, n_dense, q, limit, false);
}

ML_CLONES static bool
measure_euclidean(const float *x, size_t n_dense, const double *q, double limit, double *out)
{
	return measure(x, n_dense, q, limit, true, out);
}

ML_CLONES static bool
measure_manhattan(const float *x, size_t n_dense, const double *q, double limit, double *out)
{
	return measure(x, n_dense, q, limit, false, out);
}

/* Add what the levels are apart. */
ML_CLONES static void
add_levels(const uint32_t *columns, size_t n_factors, const uint32_t *wanted, double *out)
{
	for (size_t f = 0; f < n_factors; f++)
	{
		uint32_t mine = wanted[f], has = mine != ML_NO_COLUMN;

		for (uint32_t i = 0; i < KNN_BLOCK; i++)
		{
			uint32_t theirs = columns[f * KNN_BLOCK + i];

			out[i] += theirs == mine ? 0 : has + (theirs != ML_NO_COLUMN);
		}
	}
}

/* The least distance that a point of a node can have; may stop early when it is above the limit. */
static double
box_distance(const Search *s, uint32_t node, double limit)
{
	uint32_t n_dense = s->model->design->n_dense;
	const float *box = s->model->boxes + (size_t) node * 2 * n_dense;
	bool euclidean = s->model->distance == KNN_EUCLIDEAN;
	double sum = 0;

	for (uint32_t c = 0; c < n_dense && sum <= limit; c++)
	{
		double below = box[c] - s->q[c], above = s->q[c] - box[n_dense + c];
		double gap = below > 0 ? below : above > 0 ? above : 0;

		sum += euclidean ? gap * gap : gap;
	}
	return sum;
}

/* ---- the nearest so far */

/* Is neighbour i farther than one of distance d at point p? */
static inline bool
is_farther(const Search *s, uint32_t i, double d, uint32_t p)
{
	return s->d[i] > d || (s->d[i] == d && s->model->row[s->at[i]] > s->model->row[p]);
}

/* Add a neighbour while there are fewer than wanted: up the heap. */
static void
push(Search *s, double d, uint32_t p)
{
	uint32_t i = s->n++;

	while (i > 0 && !is_farther(s, (i - 1) / 2, d, p))
	{
		s->d[i] = s->d[(i - 1) / 2];
		s->at[i] = s->at[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->d[i] = d;
	s->at[i] = p;
}

/* Put a neighbour in the place of the farthest: down the heap. */
static void
replace(Search *s, double d, uint32_t p)
{
	uint32_t i = 0;

	for (;;)
	{
		uint32_t child = 2 * i + 1;

		if (child + 1 < s->n && is_farther(s, child + 1, s->d[child], s->at[child]))
			child++;
		if (child >= s->n || !is_farther(s, child, d, p))
			break;
		s->d[i] = s->d[child];
		s->at[i] = s->at[child];
		i = child;
	}
	s->d[i] = d;
	s->at[i] = p;
}

/* Distances above this need no look. */
static inline double
limit_of(const Search *s)
{
	return s->n < s->k ? INFINITY : s->d[0];
}

/* Look at the points of a block. */
static void
scan_block(Search *s, uint32_t block)
{
	const MlKnnModel *model = s->model;
	size_t n_dense = model->design->n_dense, n_factors = model->design->n_factors;
	const float *x = model->x + block * n_dense * KNN_BLOCK;
	uint32_t n = ML_MIN(KNN_BLOCK, model->n - block * KNN_BLOCK);
	double d[KNN_BLOCK], limit = limit_of(s);
	bool euclidean = model->distance == KNN_EUCLIDEAN;

	if (euclidean ? beyond_euclidean(x, n_dense, s->short_q, limit)
				  : beyond_manhattan(x, n_dense, s->short_q, limit))
		return;
	if (!(euclidean ? measure_euclidean(x, n_dense, s->q, limit, d)
					: measure_manhattan(x, n_dense, s->q, limit, d)))
		return;
	if (n_factors > 0)
		add_levels(model->columns + block * n_factors * KNN_BLOCK, n_factors, s->columns, d);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t p = block * KNN_BLOCK + i;

		if (s->n < s->k)
			push(s, d[i], p);
		else if (d[i] <= s->d[0] && is_farther(s, 0, d[i], p))
			replace(s, d[i], p);
	}
}

/* Visit the nodes that may hold neighbours, nearer ones first. */
static void
search(Search *s)
{
	struct
	{
		uint32_t node;
		double distance;
	} stack[STACK];
	int depth = 0;
	uint32_t at = 0;

	for (;;)
	{
		const MlKnnNode *node = &s->model->nodes[at];

		if (node->right != 0)
		{
			double limit = limit_of(s), left = box_distance(s, at + 1, limit),
				   right = box_distance(s, node->right, limit);
			bool swap = right < left;

			stack[depth].node = swap ? at + 1 : node->right;
			stack[depth++].distance = swap ? left : right;
			at = swap ? node->right : at + 1;
			if ((swap ? right : left) <= limit)
				continue;
		}
		else
			for (uint32_t b = 0; b < node->n; b++)
				scan_block(s, node->first + b);
		while (depth > 0 && stack[depth - 1].distance > limit_of(s))
			depth--;
		if (depth == 0)
			return;
		at = stack[--depth].node;
	}
}

/* ---- what they say */

/*
 * The weights of the neighbours, over their distances: 1, or inverse to the distance, the nearest having
 * 1; when some are at no distance, only those count.
 */
static void
weigh(Search *s)
{
	const MlKnnModel *model = s->model;
	double least = INFINITY;

	for (uint32_t i = 0; i < s->n; i++)
	{
		s->d[i] = model->distance == KNN_EUCLIDEAN ? sqrt(s->d[i]) : s->d[i];
		least = s->d[i] < least ? s->d[i] : least;
	}
	for (uint32_t i = 0; i < s->n; i++)
	{
		if (!model->by_distance || s->d[i] == least)
			s->d[i] = 1;
		else
			s->d[i] = least / s->d[i];
		if (model->weight)
			s->d[i] *= model->weight[s->at[i]];
	}
}

/* The coordinates of a feature vector; as ml_design_row, but scaled at once. */
static void
locate(Search *s, const double *x)
{
	const MlDesign *design = s->model->design;

	ml_design_row(design, x, s->q, s->columns);
	for (uint32_t c = 0; c < design->n_dense; c++)
		s->q[c] = s->short_q[c] = ml_knn_coordinate(s->model, c, s->q[c]);
}

/* The mean of the neighbours' targets, or the shares of the classes among them. */
void
ml_knn_predict(const void *fitted, const double *x, double *out)
{
	const MlKnnModel *model = fitted;
	uint32_t n_outputs = model->n_classes > 2 ? model->n_classes : 1;
	double total = 0;
	Search s;

	s.model = model;
	s.n = 0;
	s.k = ML_MIN(model->n_neighbors, model->n);
	locate(&s, x);
	search(&s);
	weigh(&s);
	for (uint32_t k = 0; k < n_outputs; k++)
		out[k] = 0;
	for (uint32_t i = 0; i < s.n; i++)
	{
		total += s.d[i];
		if (model->n_classes == 0)
			out[0] += s.d[i] * model->value[s.at[i]];
		else if (n_outputs > 1)
			out[model->class[s.at[i]]] += s.d[i];
		else if (model->class[s.at[i]] == 1)
			out[0] += s.d[i];
	}
	for (uint32_t k = 0; k < n_outputs; k++)
		out[k] /= total;
}

/* Microseconds that a prediction takes when every point is looked at, half a nanosecond a coordinate. */
double
ml_knn_row_cost(const void *fitted)
{
	const MlKnnModel *model = fitted;

	return 5e-4 * model->n * (1.0 + model->design->n_dense + model->design->n_factors);
}
