/*
 * tree_image.c
 *		Trees as bytes, and back from bytes that nobody vouches for.
 *
 * Per feature: its cuts or its levels' bins. Per tree: the nodes in order,
 * then the leaves. A set is stored as the bytes that hold the feature's bins.
 * The decoder checks every number against what it indexes: features, cuts,
 * bins, children (each node and leaf has exactly one parent, with a smaller
 * number), and that values are finite.
 */
#include <math.h>
#include <string.h>

#include "algo/tree/tree.h"

#define LEAF_BYTES 8
#define MAX_LEAVES 65536u

/* Bytes that hold one bit a bin. */
static size_t
set_bytes(const MlTreeFeature *feature)
{
	return (feature->n_bins + 7) / 8;
}

/* The cuts or levels of a feature. */
void
ml_tree_feature_save(const MlTreeFeature *feature, MlBuffer *out)
{
	ml_put_u8(out, feature->categorical);
	if (feature->categorical)
	{
		ml_put_u32(out, feature->n_levels);
		ml_put_u32(out, feature->n_bins);
		ml_put_u8(out, feature->unseen_bin);
		ml_put_bytes(out, feature->bin_of_level, feature->n_levels);
	}
	else
	{
		ml_put_u32(out, feature->n_cuts);
		ml_put_f64_array(out, feature->cuts, feature->n_cuts);
	}
}

static void
save_node(const MlTreeEnsemble *ensemble, const MlTreeNode *node, MlBuffer *out)
{
	const MlTreeFeature *feature = &ensemble->features[node->feature];

	ml_put_u32(out, node->feature);
	ml_put_f32(out, node->gain);
	ml_put_u32(out, (uint32_t) node->left);
	ml_put_u32(out, (uint32_t) node->right);
	if (feature->categorical)
	{
		for (size_t b = 0; b < set_bytes(feature); b++)
			ml_put_u8(out, (uint8_t) (node->set[b / 4] >> (b % 4 * 8)));
	}
	else
	{
		ml_put_u8(out, node->cut);
		ml_put_u8(out, node->missing_left);
	}
}

void
ml_trees_save(const MlTreeEnsemble *ensemble, MlBuffer *out)
{
	ml_put_u32(out, ensemble->n_features);
	ml_put_u32(out, ensemble->n_outputs);
	ml_put_f64_array(out, ensemble->base, ensemble->n_outputs);
	for (uint32_t j = 0; j < ensemble->n_features; j++)
		ml_tree_feature_save(&ensemble->features[j], out);
	ml_put_u32(out, ensemble->n_trees);
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		ml_put_u32(out, tree->n_leaves);
		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
			save_node(ensemble, &tree->nodes[i], out);
		for (uint32_t i = 0; i < tree->n_leaves; i++)
		{
			ml_put_f32(out, tree->values[i]);
			ml_put_u32(out, tree->rows[i]);
		}
	}
}

/* Cuts: a count, then ascending numbers (infinities may bound them). */
static MlStatus
load_cuts(MlReader *in, MlArena *arena, MlTreeFeature *feature)
{
	feature->n_cuts = ml_get_count(in, sizeof(double));
	if (in->failed || feature->n_cuts > ML_TREE_CUTS)
		return ml_corrupt(in->env, "cuts of a tree feature");
	feature->n_bins = feature->n_cuts + 2;
	feature->cuts = ml_get_f64_array(in, arena, feature->n_cuts);
	if (!feature->cuts)
		return ml_reader_check(in, "cuts of a tree feature");
	for (uint32_t c = 0; c < feature->n_cuts; c++)
	{
		if (isnan(feature->cuts[c]) || (c > 0 && !(feature->cuts[c - 1] < feature->cuts[c])))
			return ml_corrupt(in->env, "cuts of a tree feature");
	}
	return ML_OK;
}

/* Levels: their number, the bins, and the bin of each level. */
static MlStatus
load_levels(MlReader *in, MlArena *arena, MlTreeFeature *feature)
{
	uint32_t n_levels = ml_get_u32(in);
	uint32_t n_bins = ml_get_u32(in);
	uint8_t unseen_bin = ml_get_u8(in);
	const uint8_t *bins = ml_get_bytes(in, n_levels);

	if (in->failed || n_levels != feature->n_levels || n_bins < 1 || n_bins > ML_TREE_BINS ||
		unseen_bin >= n_bins)
		return ml_corrupt(in->env, "levels of a tree feature");
	for (uint32_t i = 0; i < n_levels; i++)
	{
		if (bins[i] >= n_bins)
			return ml_corrupt(in->env, "levels of a tree feature");
	}
	feature->bin_of_level = ml_arena_alloc(arena, n_levels);
	if (!feature->bin_of_level)
		return ML_ENOMEM;
	if (n_levels > 0)
		memcpy(feature->bin_of_level, bins, n_levels);
	feature->n_bins = n_bins;
	feature->unseen_bin = unseen_bin;
	return ML_OK;
}

/* A set of the feature's bins; bits beyond them are corrupt. */
static MlStatus
load_set(MlReader *in, MlArena *arena, const MlTreeFeature *feature, const uint32_t **out)
{
	size_t n = set_bytes(feature);
	const uint8_t *bytes = ml_get_bytes(in, n);
	uint32_t *set;

	if (!bytes || (feature->n_bins % 8 != 0 && bytes[n - 1] >> feature->n_bins % 8 != 0))
		return ml_corrupt(in->env, "a set of levels in a tree");
	set = ml_arena_array(arena, ML_TREE_SET_WORDS, sizeof(*set));
	if (!set)
		return ML_ENOMEM;
	for (size_t b = 0; b < n; b++)
		set[b / 4] |= (uint32_t) bytes[b] << (b % 4 * 8);
	*out = set;
	return ML_OK;
}

/* A child of node i: a later node or a leaf, that nothing else has as a child. */
static bool
claim_child(int32_t child, uint32_t i, uint32_t n_leaves, uint8_t *claimed)
{
	uint32_t leaf = (uint32_t) ~child;
	uint32_t place = child >= 0 ? (uint32_t) child : n_leaves - 1 + leaf;

	if (child >= 0 ? (uint32_t) child <= i || (uint32_t) child >= n_leaves - 1 : leaf >= n_leaves)
		return false;
	if (claimed[place])
		return false;
	claimed[place] = 1;
	return true;
}

static MlStatus
load_node(MlReader *in, MlArena *arena, const MlTreeEnsemble *ensemble, MlTreeNode *node)
{
	const MlTreeFeature *feature;

	node->feature = ml_get_u32(in);
	node->gain = ml_get_f32(in);
	node->left = (int32_t) ml_get_u32(in);
	node->right = (int32_t) ml_get_u32(in);
	if (in->failed || node->feature >= ensemble->n_features || !isfinite(node->gain) ||
		node->gain < 0)
		return ml_corrupt(in->env, "a tree node");
	feature = &ensemble->features[node->feature];
	if (feature->categorical)
		return load_set(in, arena, feature, &node->set);
	node->cut = ml_get_u8(in);
	uint8_t side = ml_get_u8(in);

	node->missing_left = side == 1;
	if (in->failed || node->cut >= feature->n_cuts || side > 1)
		return ml_corrupt(in->env, "a tree node");
	return ML_OK;
}

/* Marks of one tree. */
typedef struct Marks
{
	uint8_t claimed[2 * MAX_LEAVES]; /* nodes, then leaves, that have a parent */
	uint16_t depth[MAX_LEAVES];      /* of nodes */
} Marks;

/* Hang the children of node i below it. */
static bool
claim_children(const MlTreeNode *node, uint32_t i, uint32_t n_leaves, Marks *marks)
{
	if (!claim_child(node->left, i, n_leaves, marks->claimed) ||
		!claim_child(node->right, i, n_leaves, marks->claimed) || marks->depth[i] >= ML_TREE_DEPTH)
		return false;
	if (node->left >= 0)
		marks->depth[node->left] = marks->depth[i] + 1;
	if (node->right >= 0)
		marks->depth[node->right] = marks->depth[i] + 1;
	return true;
}

static MlStatus
load_tree(MlReader *in, MlArena *arena, const MlTreeEnsemble *ensemble, Marks *marks, MlTree *tree)
{
	uint32_t n = ml_get_count(in, LEAF_BYTES);

	if (in->failed || n < 1 || n > MAX_LEAVES)
		return ml_corrupt(in->env, "leaves of a tree");
	tree->n_leaves = n;
	tree->nodes = ml_arena_array(arena, n - 1, sizeof(*tree->nodes));
	tree->values = ml_arena_array(arena, n, sizeof(*tree->values));
	tree->rows = ml_arena_array(arena, n, sizeof(*tree->rows));
	if (!tree->nodes || !tree->values || !tree->rows)
		return ML_ENOMEM;
	memset(marks->claimed, 0, 2 * (size_t) n);
	marks->depth[0] = 0;
	for (uint32_t i = 0; i + 1 < n; i++)
	{
		MlTreeNode *node = &tree->nodes[i];

		ML_TRY(load_node(in, arena, ensemble, node));
		if (!claim_children(node, i, n, marks))
			return ml_corrupt(in->env, "children of a tree node");
	}
	for (uint32_t i = 0; i < n; i++)
	{
		tree->values[i] = ml_get_f32(in);
		tree->rows[i] = ml_get_u32(in);
		if (in->failed || !isfinite(tree->values[i]))
			return ml_corrupt(in->env, "a tree leaf");
	}
	return ML_OK;
}

/* The features of a schema; every number is checked. */
MlStatus
ml_tree_features_load(MlReader *in, MlArena *arena, const MlSchema *schema, MlTreeFeature **out)
{
	MlTreeFeature *features = ml_arena_array(arena, schema->n_features, sizeof(*features));

	if (!features)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		MlTreeFeature *feature = &features[j];

		feature->categorical = schema->features[j].categorical;
		feature->n_levels = feature->categorical ? schema->features[j].n_levels : 0;
		if (ml_get_u8(in) != feature->categorical)
			return ml_corrupt(in->env, "kind of a tree feature");
		ML_TRY(feature->categorical ? load_levels(in, arena, feature)
									: load_cuts(in, arena, feature));
	}
	*out = features;
	return ML_OK;
}

static MlStatus
load_trees(MlReader *in, MlArena *arena, MlTreeEnsemble *ensemble)
{
	Marks *marks;
	MlStatus status = ML_OK;

	ensemble->n_trees = ml_get_count(in, 4 + LEAF_BYTES);
	if (in->failed || ensemble->n_trees % ensemble->n_outputs != 0)
		return ml_corrupt(in->env, "number of trees");
	ensemble->trees = ml_arena_array(arena, ensemble->n_trees, sizeof(*ensemble->trees));
	if (!ensemble->trees)
		return ML_ENOMEM;
	marks = ml_alloc(arena->env, sizeof(*marks));
	if (!marks)
		return ML_ENOMEM;
	for (uint32_t t = 0; t < ensemble->n_trees && status == ML_OK; t++)
		status = load_tree(in, arena, ensemble, marks, &ensemble->trees[t]);
	ml_free(arena->env, marks);
	return status;
}

/* The ensemble in the arena; every number is checked. Not yet prepared for scoring. */
MlStatus
ml_trees_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
			  MlTreeEnsemble **out)
{
	MlTreeEnsemble *ensemble = ml_arena_alloc(arena, sizeof(*ensemble));

	if (!ensemble)
		return ML_ENOMEM;
	ensemble->n_features = ml_get_u32(in);
	ensemble->n_outputs = ml_get_u32(in);
	if (in->failed || ensemble->n_features != schema->n_features ||
		ensemble->n_outputs != n_outputs)
		return ml_corrupt(in->env, "size of the trees");
	ensemble->base = ml_get_f64_array(in, arena, n_outputs);
	if (!ensemble->base)
		return ml_reader_check(in, "base of the trees");
	for (uint32_t k = 0; k < n_outputs; k++)
	{
		if (!isfinite(ensemble->base[k]))
			return ml_corrupt(in->env, "base of the trees");
	}
	ML_TRY(ml_tree_features_load(in, arena, schema, &ensemble->features));
	ML_TRY(load_trees(in, arena, ensemble));
	*out = ensemble;
	return ML_OK;
}
