/*
 * forest_image.c
 *		Forests as bytes, and back from bytes that nobody vouches for.
 *
 * A tree is stored from the root down, left before right: for a node 1 + 2 *
 * feature + the side of missing values, and its cut or set; for a leaf 0, and
 * what it keeps. So children need no numbers, and nothing can be a child twice.
 * What can be computed is not stored: inner nodes are the sums of their leaves.
 *
 * Small whole numbers are stored in 7 bits a byte, low ones first.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define NODE_BYTES 2  /* at least: of an inner node with its number, and of a leaf */
#define SHARE_BYTES 2 /* at least */

/* ---- saving */

static void
put_small(MlBuffer *out, uint32_t value)
{
	for (; value > 127; value >>= 7)
		ml_put_u8(out, (uint8_t) (value | 128));
	ml_put_u8(out, (uint8_t) value);
}

static void
save_leaf(const ForestModel *model, const ForestTree *tree, uint32_t leaf, MlBuffer *out)
{
	uint32_t before = 0;

	put_small(out, 0);
	if (model->n_classes == 0)
	{
		ml_put_f64(out, tree->values[leaf]);
		ml_put_f32(out, tree->impurity[leaf]);
		put_small(out, tree->rows[leaf]);
		if (model->weighted)
			ml_put_f64(out, tree->weight[leaf]);
		return;
	}
	put_small(out, tree->start[leaf + 1] - tree->start[leaf]);
	for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
	{
		put_small(out, tree->shares[s].class_of - before);
		before = tree->shares[s].class_of;
		put_small(out, tree->share_rows[s]);
		if (model->weighted)
			ml_put_f64(out, tree->share_weight[s]);
	}
}

static void
save_node(const ForestModel *model, const ForestTree *tree, uint32_t at, MlBuffer *out)
{
	const ForestNode *node = &tree->nodes[at];
	const MlTreeFeature *feature;
	uint32_t j;

	if (ml_forest_is_leaf(node))
	{
		save_leaf(model, tree, tree->extra[at], out);
		return;
	}
	j = ml_forest_feature(model, node);
	feature = &model->features[j];
	put_small(out, 1 + 2 * j + ml_forest_missing_left(node));
	if (feature->categorical)
	{
		const uint32_t *set = model->sets + (size_t) tree->extra[at] * ML_TREE_SET_WORDS;

		for (uint32_t b = 0; b < (feature->n_bins + 7) / 8; b++)
			ml_put_u8(out, (uint8_t) (set[b / 4] >> (b % 4 * 8)));
	}
	else
		ml_put_u8(out, (uint8_t) node->test);
	save_node(model, tree, at + node->step, out);
	save_node(model, tree, at + node->step + 1, out);
}

void
ml_forest_save(const void *fitted, MlBuffer *out)
{
	const ForestModel *model = fitted;

	ml_put_u8(out, (uint8_t) model->criterion);
	ml_put_u8(out, model->weighted);
	ml_put_u32(out, model->n_features);
	for (uint32_t j = 0; j < model->n_features; j++)
		ml_tree_feature_save(&model->features[j], out);
	ml_put_f64_array(out, model->importance, model->n_features);
	ml_put_u32(out, model->n_trees);
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		const ForestTree *tree = &model->trees[t];

		put_small(out, tree->n_leaves);
		put_small(out, model->n_classes > 0 ? tree->start[tree->n_leaves] : 0);
		save_node(model, tree, 0, out);
	}
}

/* ---- loading */

/* What is being loaded of one tree. */
typedef struct Loading
{
	MlReader *in;
	MlArena *arena;
	ForestModel *model;
	ForestTree *tree;
	size_t n_shares;
	uint32_t next, n_leaves; /* places of nodes, and leaves, that are taken */
} Loading;

static uint32_t
get_small(MlReader *in)
{
	uint64_t value = 0;

	for (int shift = 0; shift < 35; shift += 7)
	{
		uint8_t byte = ml_get_u8(in);

		value |= (uint64_t) (byte & 127) << shift;
		if (byte < 128 && value <= UINT32_MAX)
			return (uint32_t) value;
	}
	in->failed = true;
	return 0;
}

static bool
is_weight(double weight)
{
	return weight >= 0 && isfinite(weight);
}

/* The classes of a leaf: ascending, at least one. */
static MlStatus
load_classes(Loading *l, uint32_t leaf)
{
	MlReader *in = l->in;
	ForestTree *tree = l->tree;
	uint32_t n = get_small(in), first = tree->start[leaf];
	uint64_t class_of = 0;

	if (in->failed || n == 0 || n > l->n_shares - first)
		return ml_corrupt(in->env, "classes of a leaf");
	for (uint32_t s = first; s < first + n; s++)
	{
		uint32_t more = get_small(in);

		class_of += more;
		tree->share_rows[s] = get_small(in);
		if (l->model->weighted)
			tree->share_weight[s] = ml_get_f64(in);
		if (in->failed || (s > first && more == 0) || class_of >= l->model->n_classes ||
			(l->model->weighted && !is_weight(tree->share_weight[s])))
			return ml_corrupt(in->env, "classes of a leaf");
		tree->shares[s].class_of = (uint32_t) class_of;
	}
	tree->start[leaf + 1] = first + n;
	return ML_OK;
}

static MlStatus
load_leaf(Loading *l, uint32_t at)
{
	MlReader *in = l->in;
	ForestTree *tree = l->tree;
	uint32_t leaf = l->n_leaves++;

	if (leaf >= tree->n_leaves)
		return ml_corrupt(in->env, "leaves of a tree");
	tree->nodes[at] = (ForestNode){0, FOREST_LEAF_TEST};
	tree->extra[at] = leaf;
	if (l->model->n_classes > 0)
		return load_classes(l, leaf);
	tree->values[leaf] = ml_get_f64(in);
	tree->impurity[leaf] = ml_get_f32(in);
	tree->rows[leaf] = get_small(in);
	if (l->model->weighted)
		tree->weight[leaf] = ml_get_f64(in);
	if (in->failed || !isfinite(tree->values[leaf]) || !isfinite(tree->impurity[leaf]) ||
		tree->impurity[leaf] < 0 || (l->model->weighted && !is_weight(tree->weight[leaf])))
		return ml_corrupt(in->env, "a tree leaf");
	return ML_OK;
}

/* A set of the feature's bins; bits beyond them are corrupt. */
static MlStatus
load_set(Loading *l, const MlTreeFeature *feature, uint32_t *place)
{
	uint32_t set[ML_TREE_SET_WORDS] = {0}, n = (feature->n_bins + 7) / 8;
	const uint8_t *bytes = ml_get_bytes(l->in, n);

	if (!bytes || (feature->n_bins % 8 != 0 && bytes[n - 1] >> feature->n_bins % 8 != 0))
		return ml_corrupt(l->in->env, "a set of levels in a tree");
	for (uint32_t b = 0; b < n; b++)
		set[b / 4] |= (uint32_t) bytes[b] << (b % 4 * 8);
	return ml_forest_add_set(l->arena, l->model, set, place);
}

/* The node at a place, and what is below it. */
static MlStatus
load_node(Loading *l, uint32_t at, uint32_t depth)
{
	ForestTree *tree = l->tree;
	uint32_t kind = get_small(l->in), left = l->next, cut = 0, j = (kind - 1) / 2;
	const MlTreeFeature *feature;

	if (l->in->failed || depth > ML_TREE_DEPTH)
		return ml_corrupt(l->in->env, "depth of a tree");
	tree->depth = ML_MAX(tree->depth, depth);
	if (kind == 0)
		return load_leaf(l, at);
	if (j >= l->model->n_features || left + 2 > 2 * tree->n_leaves - 1)
		return ml_corrupt(l->in->env, "a tree node");
	feature = &l->model->features[j];
	l->next += 2;
	if (feature->categorical)
		ML_TRY(load_set(l, feature, &tree->extra[at]));
	else
		cut = ml_get_u8(l->in);
	if (l->in->failed || (feature->categorical ? (kind - 1) % 2 != 0 : cut >= feature->n_cuts))
		return ml_corrupt(l->in->env, "a tree node");
	tree->nodes[at].step = left - at;
	tree->nodes[at].test =
		j << 10 | (kind - 1) % 2 << 9 | (uint32_t) feature->categorical << 8 | cut;
	ML_TRY(load_node(l, left, depth + 1));
	return load_node(l, left + 1, depth + 1);
}

static MlStatus
load_tree(MlReader *in, MlArena *arena, ForestModel *model, ForestTree *tree)
{
	uint32_t n_leaves = get_small(in);
	Loading l = {.in = in, .arena = arena, .model = model, .tree = tree, .next = 1};

	l.n_shares = get_small(in);
	if (in->failed || n_leaves == 0 || n_leaves > (in->len - in->pos) / NODE_BYTES + 1 ||
		l.n_shares > (in->len - in->pos) / SHARE_BYTES)
		return ml_corrupt(in->env, "leaves of a tree");
	ML_TRY(ml_forest_tree_create(arena, model, n_leaves, l.n_shares, tree));
	ML_TRY(load_node(&l, 0, 0));
	if (l.n_leaves != n_leaves || l.next != 2 * n_leaves - 1 ||
		(model->n_classes > 0 && tree->start[n_leaves] != l.n_shares))
		return ml_corrupt(in->env, "leaves of a tree");
	if (model->n_classes > 0)
		ml_forest_find_shares(model, tree);
	return ml_poll(arena->env);
}

/* Everything before the trees. */
static MlStatus
load_head(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
		  ForestModel *model)
{
	uint8_t criterion = ml_get_u8(in), weighted = ml_get_u8(in);

	model->n_features = ml_get_u32(in);
	if (in->failed || criterion > FOREST_ENTROPY || weighted > 1 ||
		(criterion == FOREST_SQUARED && n_outputs > 1) || model->n_features != schema->n_features)
		return ml_corrupt(in->env, "size of the trees");
	model->criterion = (ForestCriterion) criterion;
	model->weighted = weighted;
	model->n_classes = criterion == FOREST_SQUARED ? 0 : ML_MAX(n_outputs, 2u);
	ML_TRY(ml_tree_features_load(in, arena, schema, &model->features));
	model->importance = ml_get_f64_array(in, arena, model->n_features);
	if (!model->importance)
		return ml_reader_check(in, "importance of features");
	for (uint32_t j = 0; j < model->n_features; j++)
	{
		if (!is_weight(model->importance[j]))
			return ml_corrupt(in->env, "importance of features");
	}
	return ML_OK;
}

MlStatus
ml_forest_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **out)
{
	ForestModel *model = ml_arena_alloc(arena, sizeof(*model));

	if (!model)
		return ML_ENOMEM;
	ML_TRY(load_head(in, arena, schema, n_outputs, model));
	model->n_trees = ml_get_count(in, 2 + NODE_BYTES);
	if (in->failed || model->n_trees == 0)
		return ml_corrupt(in->env, "number of trees");
	model->trees = ml_arena_array(arena, model->n_trees, sizeof(*model->trees));
	if (!model->trees)
		return ML_ENOMEM;
	for (uint32_t t = 0; t < model->n_trees; t++)
		ML_TRY(load_tree(in, arena, model, &model->trees[t]));
	ML_TRY(ml_forest_finish(arena, model, false));
	*out = model;
	return ML_OK;
}
