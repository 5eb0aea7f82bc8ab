/*
 * knn_tree.c
 *		The order of the points, and the boxes that spare most of them a look.
 *
 * A k-d tree (Friedman, Bentley and Finkel 1977) whose shape follows from the
 * numbers of points and columns alone: a run of blocks is halved, at the median of the
 * coordinate that spreads most, until few are left. So an image holds the points
 * in their order and nothing else; nodes and their boxes are made when it is
 * loaded, and whatever the bytes say, a box bounds its points.
 *
 * Categorical features have no part in it: their distance is at least zero.
 */
#include <string.h>

#include "algo/knn/knn.h"

#define POLL_STEPS 0xffffu /* steps between two polls, less one */
#define SAMPLE 256         /* points by which the spread of a column is judged */
#define STACK 64           /* runs are halved at most 28 times */

/* A run of blocks. */
typedef struct Run
{
	uint32_t first, n;
} Run;

/* ---- the order */

/* Does row a come before row b in column c? No two rows are alike. */
static inline bool
before(const MlKnnRows *rows, uint32_t c, uint32_t a, uint32_t b)
{
	float x = rows->x[(size_t) a * rows->n_dense + c], y = rows->x[(size_t) b * rows->n_dense + c];

	return x < y || (x == y && a < b);
}

/*
 * Move the nth smallest of order[0..n-1] in column c to its place, smaller ones before it (Hoare's
 * Algorithm 65, "Find", with a random pivot).
 */
static MlStatus
select_nth(MlEnv *env, const MlKnnRows *rows, uint32_t c, uint32_t *order, size_t n, size_t nth,
		   MlRng *rng)
{
	size_t low = 0, high = n, steps = 0;

	while (high - low > 1)
	{
		uint32_t pivot = order[low + ml_rng_below(rng, high - low)];
		size_t i = low, j = high; /* below i: not after the pivot; from j on: not before it */

		while (i < j)
		{
			if ((steps++ & POLL_STEPS) == POLL_STEPS)
				ML_TRY(ml_poll(env));
			if (before(rows, c, order[i], pivot))
				i++;
			else if (before(rows, c, pivot, order[j - 1]))
				j--;
			else
			{
				uint32_t swap = order[i];

				order[i++] = order[j - 1];
				order[--j] = swap;
				if (i > j)
					break; /* the pivot met itself */
			}
		}
		if (nth < j)
			high = j;
		else if (nth >= i)
			low = i;
		else
			return ML_OK;
	}
	return ML_OK;
}

/* The column that spreads most over a sample of the rows. */
static uint32_t
widest_column(const MlKnnRows *rows, const uint32_t *order, size_t n)
{
	size_t step = (n + SAMPLE - 1) / SAMPLE;
	uint32_t widest = 0;
	float most = -1;

	for (uint32_t c = 0; c < rows->n_dense; c++)
	{
		float low = rows->x[(size_t) order[0] * rows->n_dense + c], high = low;

		for (size_t i = step; i < n; i += step)
		{
			float value = rows->x[(size_t) order[i] * rows->n_dense + c];

			low = value < low ? value : low;
			high = value > high ? value : high;
		}
		if (high - low > most)
		{
			most = high - low;
			widest = c;
		}
	}
	return widest;
}

/* Put the numbers 0..n-1 in order. */
MlStatus
ml_knn_arrange(MlEnv *env, const MlKnnRows *rows, uint32_t *order)
{
	Run stack[STACK] = {{0, (uint32_t) ((rows->n + KNN_BLOCK - 1) / KNN_BLOCK)}};
	int depth = 1;
	MlRng rng;

	ml_rng_seed(&rng, rows->n, 0);
	for (size_t i = 0; i < rows->n; i++)
		order[i] = (uint32_t) i;
	while (depth > 0 && rows->n_dense > 0)
	{
		Run run = stack[--depth];
		size_t first = (size_t) run.first * KNN_BLOCK, half = run.n / 2;
		size_t n = ML_MIN((size_t) run.n * KNN_BLOCK, rows->n - first);

		ML_TRY(ml_poll(env));
		if (run.n <= ml_knn_leaf_blocks(rows->n_dense))
			continue;
		ML_TRY(select_nth(env, rows, widest_column(rows, order + first, n), order + first, n,
						  half * KNN_BLOCK, &rng));
		stack[depth++] = (Run){run.first, (uint32_t) half};
		stack[depth++] = (Run){run.first + (uint32_t) half, run.n - (uint32_t) half};
	}
	return ML_OK;
}

/* ---- nodes and boxes */

/* How many nodes the halving of n blocks makes: no run of a level differs from another by more than one. */
static uint64_t
count_nodes(uint64_t n, uint32_t leaf)
{
	uint64_t nodes = 0, runs = 1;

	for (; n / runs > leaf; runs *= 2)
		nodes += runs;
	/* Of the runs of this level, those that are one longer may still be halved. */
	nodes += runs;
	return n / runs == leaf ? nodes + 2 * (n % runs) : nodes;
}

/* Lay out the nodes: each before its children, the first child right behind it. */
static void
lay_out(MlKnnModel *model)
{
	struct
	{
		Run run;
		uint32_t parent; /* whose second child it is; UINT32_MAX: nobody's */
	} stack[STACK] = {{{0, model->n_blocks}, UINT32_MAX}};
	int depth = 1;

	while (depth > 0)
	{
		Run run = stack[--depth].run;
		uint32_t parent = stack[depth].parent, at = model->n_nodes++, half = run.n / 2;

		model->nodes[at] = (MlKnnNode){run.first, run.n, 0};
		if (parent != UINT32_MAX)
			model->nodes[parent].right = at;
		if (run.n <= ml_knn_leaf_blocks(model->design->n_dense))
			continue;
		stack[depth].run = (Run){run.first + half, run.n - half};
		stack[depth++].parent = at;
		stack[depth].run = (Run){run.first, half};
		stack[depth++].parent = UINT32_MAX;
	}
}

/* The box of the points of a leaf. */
static void
box_of_leaf(const MlKnnModel *model, const MlKnnNode *node, float *box)
{
	uint32_t n_dense = model->design->n_dense;

	for (uint32_t c = 0; c < n_dense; c++)
	{
		float low = model->x[((size_t) node->first * n_dense + c) * KNN_BLOCK], high = low;

		for (uint32_t b = 0; b < node->n; b++)
		{
			const float *x = model->x + ((size_t) (node->first + b) * n_dense + c) * KNN_BLOCK;

			for (uint32_t i = 0; i < KNN_BLOCK; i++)
			{
				low = x[i] < low ? x[i] : low;
				high = x[i] > high ? x[i] : high;
			}
		}
		box[c] = low;
		box[n_dense + c] = high;
	}
}

/* The box around two boxes. */
static void
box_of_boxes(const float *a, const float *b, uint32_t n_dense, float *box)
{
	for (uint32_t c = 0; c < n_dense; c++)
	{
		box[c] = a[c] < b[c] ? a[c] : b[c];
		box[n_dense + c] = a[n_dense + c] > b[n_dense + c] ? a[n_dense + c] : b[n_dense + c];
	}
}

/* Nodes and boxes, children before parents. */
MlStatus
ml_knn_index(MlEnv *env, MlArena *arena, MlKnnModel *model)
{
	uint32_t n_dense = model->design->n_dense;
	uint64_t n_nodes = count_nodes(model->n_blocks, ml_knn_leaf_blocks(n_dense));

	model->n_nodes = 0;
	model->nodes = ml_arena_array(arena, n_nodes, sizeof(MlKnnNode));
	model->boxes = ml_arena_array(arena, n_nodes, (size_t) n_dense * 2 * sizeof(float));
	if (!model->nodes || !model->boxes)
		return ML_ENOMEM;
	lay_out(model);
	for (uint32_t at = model->n_nodes; at-- > 0;)
	{
		const MlKnnNode *node = &model->nodes[at];
		float *box = model->boxes + (size_t) at * 2 * n_dense;

		if (at % 256 == 0)
			ML_TRY(ml_poll(env));
		if (node->right == 0)
			box_of_leaf(model, node, box);
		else
			box_of_boxes(box + 2 * n_dense, model->boxes + (size_t) node->right * 2 * n_dense,
						 n_dense, box);
	}
	return ML_OK;
}
