/*
 * forest_model.c
 *		Trees as a fitted model keeps them, and prediction.
 *
 * A node takes 8 bytes, and children lie side by side, soon after their parent:
 * most of a walk stays within a few cache lines. A row's values are put into
 * bins once; then some trees are walked at a time, to hide the latency of loads.
 * A leaf leads to itself, so the walks need no branch.
 *
 * Each used feature has two *bin slots*: in the first a missing value is above
 * every cut, in the second below. So the side of missing values costs nothing.
 *
 * Leaves of several classes list the classes that occur, as most leaves of a
 * deep tree have one or two.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define WALK_LANES 8
#define MISSING_RIGHT 255

/* ---- building */

/* Memory for the nodes and leaves of a tree; n_shares: of classes. The tree is zeroed before. */
MlStatus
ml_forest_tree_create(MlArena *arena, const ForestModel *model, uint32_t n_leaves, size_t n_shares,
					  ForestTree *tree)
{
	size_t n_nodes = 2 * (size_t) n_leaves - 1;
	bool ok = true;

	tree->n_leaves = n_leaves;
	ok &= (tree->nodes = ml_arena_array(arena, n_nodes, sizeof(*tree->nodes))) != NULL;
	ok &= (tree->extra = ml_arena_array(arena, n_nodes, sizeof(*tree->extra))) != NULL;
	if (model->n_classes <= 2)
		ok &= (tree->values = ml_arena_array(arena, n_leaves, sizeof(*tree->values))) != NULL;
	if (model->n_classes == 0)
	{
		ok &= (tree->rows = ml_arena_array(arena, n_leaves, sizeof(*tree->rows))) != NULL;
		ok &= (tree->impurity = ml_arena_array(arena, n_leaves, sizeof(*tree->impurity))) != NULL;
		if (model->weighted)
			ok &= (tree->weight = ml_arena_array(arena, n_leaves, sizeof(*tree->weight))) != NULL;
		return ok ? ML_OK : ML_ENOMEM;
	}
	ok &=
		(tree->start = ml_arena_array(arena, (size_t) n_leaves + 1, sizeof(*tree->start))) != NULL;
	ok &= (tree->shares = ml_arena_array(arena, n_shares, sizeof(*tree->shares))) != NULL;
	ok &= (tree->share_rows = ml_arena_array(arena, n_shares, sizeof(*tree->share_rows))) != NULL;
	if (model->weighted)
		ok &= (tree->share_weight = ml_arena_array(arena, n_shares, sizeof(double))) != NULL;
	return ok ? ML_OK : ML_ENOMEM;
}

/* The place of a new set in the model's sets. */
MlStatus
ml_forest_add_set(MlArena *arena, ForestModel *model, const uint32_t *set, uint32_t *place)
{
	if (model->n_sets == model->sets_room)
	{
		uint32_t room = ML_MAX(2 * model->sets_room, 16u);
		uint32_t *sets = ml_arena_array(arena, room, ML_TREE_SET_WORDS * sizeof(*sets));

		if (!sets)
			return ML_ENOMEM;
		if (model->n_sets > 0)
			memcpy(sets, model->sets, (size_t) model->n_sets * ML_TREE_SET_WORDS * sizeof(*sets));
		model->sets = sets;
		model->sets_room = room;
	}
	memcpy(model->sets + (size_t) model->n_sets * ML_TREE_SET_WORDS, set,
		   ML_TREE_SET_WORDS * sizeof(*set));
	*place = model->n_sets++;
	return ML_OK;
}

/* A grown tree on its way into the model. */
typedef struct Keeping
{
	const ForestRows *rows;
	const ForestGrownTree *grown;
	const bool *pruned;
	ForestModel *model;
	ForestTree *tree;
	double *class_rows, *class_weight; /* of one leaf */
	size_t n_shares;
	uint32_t n_leaves;
} Keeping;

static bool
ends_here(const Keeping *k, const ForestGrown *node)
{
	return node->left < 0 || (k->pruned && k->pruned[node - k->grown->nodes]);
}

/* Add up the classes of the leaves below a node. */
static void
add_classes(const Keeping *k, const ForestGrown *node)
{
	if (node->left >= 0)
	{
		add_classes(k, &k->grown->nodes[node->left]);
		add_classes(k, &k->grown->nodes[node->left + 1]);
		return;
	}
	for (uint32_t e = 0; e < node->n_entries; e++)
	{
		const ForestEntry *entry = &k->grown->entries[node->first_entry + e];

		k->class_rows[entry->class_of] += entry->rows;
		k->class_weight[entry->class_of] += entry->weight;
	}
}

/* Leaves and classes in them, from a node down. */
static void
count_leaves(Keeping *k, const ForestGrown *node)
{
	if (!ends_here(k, node))
	{
		count_leaves(k, &k->grown->nodes[node->left]);
		count_leaves(k, &k->grown->nodes[node->left + 1]);
		return;
	}
	k->n_leaves++;
	if (node->left < 0)
		k->n_shares += node->n_entries;
	else
		k->n_shares += k->rows->n_classes;
}

/* What a leaf of numbers keeps. */
static void
keep_number(Keeping *k, const ForestGrown *node, uint32_t leaf)
{
	double unit = k->rows->inverse > 0 ? 1 / k->rows->inverse : 0;
	double impurity = node->weight > 0 ? node->risk / node->weight * unit * unit : 0;

	k->tree->values[leaf] = node->value;
	k->tree->rows[leaf] = (uint32_t) node->rows;
	k->tree->impurity[leaf] = (float) ML_MIN(impurity, (double) FLT_MAX);
	if (k->model->weighted)
		k->tree->weight[leaf] = node->weight * k->rows->weight_unit;
}

/* What a leaf of classes keeps. */
static void
keep_classes(Keeping *k, const ForestGrown *node, uint32_t leaf)
{
	ForestTree *tree = k->tree;
	uint32_t n_classes = k->rows->n_classes;
	size_t at = tree->start[leaf];

	memset(k->class_rows, 0, 2 * n_classes * sizeof(double));
	add_classes(k, node);
	for (uint32_t c = 0; c < n_classes; c++)
	{
		if (k->class_rows[c] <= 0)
			continue;
		tree->shares[at].class_of = c;
		tree->share_rows[at] = (uint32_t) k->class_rows[c];
		if (k->model->weighted)
			tree->share_weight[at] = k->class_weight[c] * k->rows->weight_unit;
		at++;
	}
	tree->start[leaf + 1] = (uint32_t) at;
}

/* What a split adds to the importance of its feature. */
static void
count_gain(Keeping *k, const ForestGrown *node)
{
	const ForestGrown *child = &k->grown->nodes[node->left];
	double gain = node->risk - child[0].risk - child[1].risk, all = k->grown->nodes[0].weight;

	if (gain > 0 && all > 0)
		k->model->importance[k->rows->binned.active[node->active]] += gain / all;
}

/* Write a node at its place, and what is below it: children side by side from *next on. */
static MlStatus
keep_node(Keeping *k, MlArena *arena, const ForestGrown *node, uint32_t at, uint32_t *next)
{
	ForestNode *out = &k->tree->nodes[at];
	uint32_t left = *next;

	k->tree->depth = ML_MAX(k->tree->depth, node->depth);
	if (ends_here(k, node))
	{
		uint32_t leaf = k->n_leaves++;

		*out = (ForestNode){0, FOREST_LEAF_TEST};
		k->tree->extra[at] = leaf;
		if (k->rows->n_classes > 0)
			keep_classes(k, node, leaf);
		else
			keep_number(k, node, leaf);
		return ML_OK;
	}
	*next += 2;
	count_gain(k, node);
	out->step = left - at;
	out->test = k->rows->binned.active[node->active] << 10 | (uint32_t) node->missing_left << 9 |
				(uint32_t) node->categorical << 8 | node->cut;
	if (node->categorical)
		ML_TRY(ml_forest_add_set(arena, k->model,
								 k->grown->sets + (size_t) node->set * ML_TREE_SET_WORDS,
								 &k->tree->extra[at]));
	ML_TRY(keep_node(k, arena, &k->grown->nodes[node->left], left, next));
	return keep_node(k, arena, &k->grown->nodes[node->left + 1], left + 1, next);
}

/* Keep a grown tree in arena. pruned: by node, true: it becomes a leaf; NULL: none. */
MlStatus
ml_forest_keep(MlArena *arena, const ForestRows *rows, const ForestGrownTree *grown,
			   const bool *pruned, ForestModel *model, ForestTree *tree)
{
	Keeping k = {.rows = rows, .grown = grown, .pruned = pruned, .model = model, .tree = tree};
	MlStatus status;
	uint32_t next = 1;

	memset(tree, 0, sizeof(*tree));
	count_leaves(&k, grown->nodes);
	ML_TRY(ml_forest_tree_create(arena, model, k.n_leaves, k.n_shares, tree));
	k.class_rows = ml_alloc_array(arena->env, rows->n_classes, 2 * sizeof(double));
	if (!k.class_rows)
		return ML_ENOMEM;
	k.class_weight = k.class_rows + rows->n_classes;
	k.n_leaves = 0;
	status = keep_node(&k, arena, grown->nodes, 0, &next);
	ml_free(arena->env, k.class_rows);
	if (status == ML_OK && rows->n_classes > 0)
		ml_forest_find_shares(model, tree);
	return status;
}

/* Find the shares of classes in the leaves from rows and weights. */
void
ml_forest_find_shares(const ForestModel *model, ForestTree *tree)
{
	for (uint32_t leaf = 0; leaf < tree->n_leaves; leaf++)
	{
		uint32_t first = tree->start[leaf], end = tree->start[leaf + 1];
		double total = 0;

		for (uint32_t s = first; s < end; s++)
			total += tree->share_weight ? tree->share_weight[s] : tree->share_rows[s];
		for (uint32_t s = first; s < end; s++)
		{
			double own = tree->share_weight ? tree->share_weight[s] : tree->share_rows[s];

			own = total > 0 ? own / total : 1.0 / (end - first);
			tree->shares[s].share = (float) own;
			if (model->n_classes == 2 && tree->shares[s].class_of == 1)
				tree->values[leaf] = own;
		}
	}
}

/* ---- finishing */

/* Mark the features that nodes test, and their cuts where there is room for them. */
static void
mark_used(const ForestModel *model, uint8_t *used, uint8_t *cut_used)
{
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		const ForestTree *tree = &model->trees[t];

		for (uint32_t i = 0; i + 1 < 2 * tree->n_leaves; i++)
		{
			const ForestNode *node = &tree->nodes[i];

			if (ml_forest_is_leaf(node))
				continue;
			used[node->test >> 10] = 1;
			if (cut_used && !(node->test & 256))
				cut_used[(size_t) (node->test >> 10) * ML_TREE_CUTS + (node->test & 255)] = 1;
		}
	}
}

/* Drop the cuts that are not used; new_cut gets the new number of each. */
static void
drop_cuts(ForestModel *model, uint8_t *new_cut)
{
	for (uint32_t j = 0; j < model->n_features; j++)
	{
		MlTreeFeature *feature = &model->features[j];
		uint8_t *own = new_cut + (size_t) j * ML_TREE_CUTS;
		uint32_t n = 0;

		if (feature->categorical)
			continue;
		for (uint32_t c = 0; c < feature->n_cuts; c++)
		{
			if (!own[c])
				continue;
			feature->cuts[n] = feature->cuts[c];
			own[c] = (uint8_t) n++;
		}
		feature->n_cuts = n;
		feature->n_bins = n + 2;
	}
}

/* Give the nodes the numbers of their features and cuts. */
static void
renumber(ForestModel *model, const uint8_t *new_cut)
{
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		const ForestTree *tree = &model->trees[t];

		for (uint32_t i = 0; i + 1 < 2 * tree->n_leaves; i++)
		{
			ForestNode *node = &tree->nodes[i];
			uint32_t feature = node->test >> 10, cut = node->test & 255;

			if (ml_forest_is_leaf(node))
				continue;
			if (new_cut && !(node->test & 256))
				cut = new_cut[(size_t) feature * ML_TREE_CUTS + cut];
			node->test = (model->slot_of[feature] - 1) << 10 | (node->test & 768) | cut;
		}
	}
}

/* Number the used features; compact: drop the cuts that no node uses. */
MlStatus
ml_forest_finish(MlArena *arena, ForestModel *model, bool compact)
{
	uint8_t *used = ml_zalloc_array(arena->env, model->n_features, 1);
	uint8_t *cuts = compact ? ml_zalloc_array(arena->env, model->n_features, ML_TREE_CUTS) : NULL;
	MlStatus status = ML_ENOMEM;

	model->slot_of = ml_arena_array(arena, model->n_features, sizeof(*model->slot_of));
	model->used = ml_arena_array(arena, model->n_features, sizeof(*model->used));
	if (used && (cuts || !compact) && model->slot_of && model->used)
	{
		mark_used(model, used, cuts);
		for (uint32_t j = 0; j < model->n_features; j++)
		{
			if (!used[j])
				continue;
			model->used[model->n_used++] = j;
			model->slot_of[j] = model->n_used;
		}
		if (compact)
			drop_cuts(model, cuts);
		renumber(model, cuts);
		status = ML_OK;
	}
	ml_free(arena->env, used);
	ml_free(arena->env, cuts);
	return status;
}

/* ---- prediction */

/* The number of cuts below x: halvings without a branch. */
static inline uint32_t
find_bin(const MlTreeFeature *feature, double x)
{
	const double *at = feature->cuts;
	uint32_t n = feature->n_cuts;

	if (n == 0)
		return 0;
	while (n > 1)
	{
		uint32_t half = n / 2;

		at += half & -(uint32_t) (at[half - 1] < x);
		n -= half;
	}
	return (uint32_t) (at - feature->cuts) + (*at < x);
}

/* Both bin slots of each used feature. */
static void
find_bins(const ForestModel *model, const double *x, uint8_t *bins)
{
	for (uint32_t u = 0; u < model->n_used; u++)
	{
		const MlTreeFeature *feature = &model->features[model->used[u]];
		double value = x[model->used[u]];
		bool missing = value != value;

		if (feature->categorical)
			bins[2 * u] = ml_tree_bin(feature, value);
		else
		{
			uint8_t bin = (uint8_t) find_bin(feature, value);

			bins[2 * u] = missing ? MISSING_RIGHT : bin;
			bins[2 * u + 1] = missing ? 0 : bin;
		}
	}
}

/* Walk n trees from `first` on to their leaves: at gets the places of the nodes. */
static inline __attribute__((always_inline)) void
walk(const ForestModel *model, const uint8_t *bins, uint32_t first, uint32_t n, bool any_sets,
	 uint32_t *at)
{
	const ForestTree *trees = model->trees + first;
	const ForestNode *node[WALK_LANES];
	uint32_t steps;

	for (uint32_t l = 0; l < n; l++)
		node[l] = trees[l].nodes;
	do
	{
		steps = 0;
#pragma GCC unroll 8
		for (uint32_t l = 0; l < n; l++)
		{
			uint32_t test = node[l]->test, step = node[l]->step;
			uint32_t bin = bins[test >> 9];
			uint32_t right = bin > (test & 255);

			if (any_sets && (test & 256))
			{
				uint32_t set = trees[l].extra[node[l] - trees[l].nodes];

				right = ~(model->sets[(size_t) set * ML_TREE_SET_WORDS + bin / 32] >> bin % 32) & 1;
			}
			steps |= step;
			node[l] += step + right;
		}
	} while (steps != 0);
	for (uint32_t l = 0; l < n; l++)
		at[l] = (uint32_t) (node[l] - trees[l].nodes);
}

/* Add what a tree says to the sums. */
static inline void
add_leaf(const ForestModel *model, const ForestTree *tree, uint32_t at, double *out)
{
	uint32_t leaf = tree->extra[at];

	if (model->n_classes <= 2)
		out[0] += tree->values[leaf];
	else
	{
		for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
			out[tree->shares[s].class_of] += (double) tree->shares[s].share;
	}
}

/* The mean of the trees: the number, the share of class 1 of two, or the shares of all classes. */
void
ml_forest_predict(const void *fitted, const double *x, double *out)
{
	const ForestModel *model = fitted;
	uint32_t n_outputs = model->n_classes > 2 ? model->n_classes : 1;
	uint8_t bins[2 * ML_MAX_SLOTS + 1];
	double total = 0;

	bins[0] = 0; /* that of leaves, where no node tests a feature */
	find_bins(model, x, bins);
	memset(out, 0, n_outputs * sizeof(*out));
	for (uint32_t t = 0; t < model->n_trees; t += WALK_LANES)
	{
		uint32_t n = ML_MIN(model->n_trees - t, (uint32_t) WALK_LANES), at[WALK_LANES];

		if (n == WALK_LANES && model->n_sets == 0)
			walk(model, bins, t, WALK_LANES, false, at);
		else if (n == WALK_LANES)
			walk(model, bins, t, WALK_LANES, true, at);
		else
			walk(model, bins, t, n, true, at);
		for (uint32_t l = 0; l < n; l++)
			add_leaf(model, &model->trees[t + l], at[l], out);
	}
	if (n_outputs == 1)
	{
		out[0] /= model->n_trees;
		return;
	}
	for (uint32_t k = 0; k < n_outputs; k++)
		total += out[k];
	for (uint32_t k = 0; k < n_outputs; k++)
		out[k] /= total;
}

/* The leaf that feature vector x falls into. */
uint32_t
ml_forest_leaf(const ForestModel *model, const ForestTree *tree, const double *x)
{
	const ForestNode *node = tree->nodes;

	while (!ml_forest_is_leaf(node))
	{
		uint32_t j = ml_forest_feature(model, node);
		const MlTreeFeature *feature = &model->features[j];
		uint32_t bin = ml_tree_bin(feature, x[j]), cut = node->test & 255;
		uint32_t set = tree->extra[node - tree->nodes];
		bool left;

		if (node->test & 256)
			left = model->sets[(size_t) set * ML_TREE_SET_WORDS + bin / 32] >> bin % 32 & 1;
		else
			left = bin == feature->n_bins - 1 ? ml_forest_missing_left(node) : bin <= cut;
		node += node->step + !left;
	}
	return tree->extra[node - tree->nodes];
}
