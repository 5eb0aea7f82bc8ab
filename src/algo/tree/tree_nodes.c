/*
 * tree_nodes.c
 *		The nodes of an ensemble, one by one, for the views of trees.
 *
 * In a view leaves are nodes, too: leaf l of a tree with n inner nodes has the
 * number n + l, so that a child's number is greater than its parent's.
 */
#include <math.h>

#include "algo/tree/tree_nodes.h"

typedef struct Walk
{
	const MlTreeEnsemble *ensemble;
	MlNodeFn emit;
	void *arg;
	/* of the tree at hand, by number */
	int64_t *parent;
	uint32_t *depth;
	bool *is_left;
	double *rows;
	uint32_t *levels; /* room for those of one node */
} Walk;

/* The number that a child has in the view. */
static uint32_t
number_of(const MlTree *tree, int32_t child)
{
	return child >= 0 ? (uint32_t) child : tree->n_leaves - 1 + (uint32_t) ~child;
}

/* Parents, depths and rows of all nodes; children have greater numbers, so one pass each way is enough. */
static void
link_nodes(Walk *walk, const MlTree *tree)
{
	uint32_t n_inner = tree->n_leaves - 1;

	walk->parent[0] = -1;
	walk->depth[0] = 0;
	walk->is_left[0] = false;
	for (uint32_t i = 0; i < n_inner; i++)
	{
		const int32_t children[2] = {tree->nodes[i].left, tree->nodes[i].right};

		for (int side = 0; side < 2; side++)
		{
			uint32_t child = number_of(tree, children[side]);

			walk->parent[child] = i;
			walk->depth[child] = walk->depth[i] + 1;
			walk->is_left[child] = side == 0;
		}
		walk->rows[i] = 0;
	}
	for (uint32_t l = 0; l < tree->n_leaves; l++)
		walk->rows[n_inner + l] = tree->rows[l];
	for (uint32_t i = n_inner + tree->n_leaves; i-- > 1;)
		walk->rows[walk->parent[i]] += walk->rows[i];
}

/* Where rows go from an inner node. */
static void
describe_split(const Walk *walk, const MlTreeNode *node, MlNode *row)
{
	const MlTreeFeature *feature = &walk->ensemble->features[node->feature];

	row->feature = node->feature;
	row->gain = node->gain;
	row->threshold = NAN;
	row->missing_left = ml_tree_goes_left(feature, node, feature->n_bins - 1);
	row->unseen_left = node->set && ml_tree_goes_left(feature, node, feature->unseen_bin);
	if (!node->set)
	{
		row->threshold = feature->cuts[node->cut];
		return;
	}
	row->levels = walk->levels;
	for (uint32_t code = 0; code < feature->n_levels; code++)
	{
		if (ml_tree_goes_left(feature, node, feature->bin_of_level[code]))
			walk->levels[row->n_levels++] = code;
	}
}

/* Emit one tree. */
static MlStatus
emit_tree(Walk *walk, uint32_t t)
{
	const MlTree *tree = &walk->ensemble->trees[t];
	uint32_t n_inner = tree->n_leaves - 1;

	link_nodes(walk, tree);
	for (uint32_t i = 0; i < n_inner + tree->n_leaves; i++)
	{
		MlNode row = {
			.tree = t,
			.node = i,
			.parent = walk->parent[i],
			.is_left = walk->is_left[i],
			.depth = walk->depth[i],
			.is_leaf = i >= n_inner,
			.threshold = NAN,
			.gain = NAN,
			.rows = walk->rows[i],
			.impurity = NAN,
			.value = i >= n_inner ? tree->values[i - n_inner] : NAN,
			.class_index = t % walk->ensemble->n_outputs,
		};

		if (i < n_inner)
			describe_split(walk, &tree->nodes[i], &row);
		ML_TRY(walk->emit(walk->arg, &row));
	}
	return ML_OK;
}

/* Room for the largest tree, and for all levels of a feature. */
static bool
size_walk(MlEnv *env, Walk *walk)
{
	const MlTreeEnsemble *ensemble = walk->ensemble;
	size_t n_nodes = 1, n_levels = 1;

	for (uint32_t t = 0; t < ensemble->n_trees; t++)
		n_nodes = ML_MAX(n_nodes, 2 * (size_t) ensemble->trees[t].n_leaves);
	for (uint32_t j = 0; j < ensemble->n_features; j++)
		n_levels = ML_MAX(n_levels, (size_t) ensemble->features[j].n_levels);
	walk->parent = ml_alloc_array(env, n_nodes, sizeof(*walk->parent));
	walk->depth = ml_alloc_array(env, n_nodes, sizeof(*walk->depth));
	walk->is_left = ml_alloc_array(env, n_nodes, sizeof(*walk->is_left));
	walk->rows = ml_alloc_array(env, n_nodes, sizeof(*walk->rows));
	walk->levels = ml_alloc_array(env, n_levels, sizeof(*walk->levels));
	return walk->parent && walk->depth && walk->is_left && walk->rows && walk->levels;
}

MlStatus
ml_trees_nodes(MlEnv *env, const MlTreeEnsemble *ensemble, MlNodeFn emit, void *arg)
{
	Walk walk = {.ensemble = ensemble, .emit = emit, .arg = arg};
	MlStatus status = size_walk(env, &walk) ? ML_OK : ML_ENOMEM;

	for (uint32_t t = 0; t < ensemble->n_trees && status == ML_OK; t++)
	{
		status = ml_poll(env);
		if (status == ML_OK)
			status = emit_tree(&walk, t);
	}
	ml_free(env, walk.parent);
	ml_free(env, walk.depth);
	ml_free(env, walk.is_left);
	ml_free(env, walk.rows);
	ml_free(env, walk.levels);
	return status;
}
