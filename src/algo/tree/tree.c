/*
 * tree.c
 *		What trees say, by walking their nodes; sums over nodes.
 *
 * Scoring many rows has tables of its own (tree_score.c); this is the meaning
 * that they are tested against.
 */
#include <string.h>

#include "algo/tree/tree.h"

/* The leaf of tree that feature vector x falls into. */
uint32_t
ml_tree_leaf(const MlTreeEnsemble *ensemble, const MlTree *tree, const double *x)
{
	int32_t at = tree->n_leaves > 1 ? 0 : ~0;

	while (at >= 0)
	{
		const MlTreeNode *node = &tree->nodes[at];
		const MlTreeFeature *feature = &ensemble->features[node->feature];
		uint8_t bin = ml_tree_bin(feature, x[node->feature]);

		at = ml_tree_goes_left(feature, node, bin) ? node->left : node->right;
	}
	return (uint32_t) ~at;
}

/* Add to gain, n_features sums, the gains of the splits on each feature. */
void
ml_trees_importance(const MlTreeEnsemble *ensemble, double *gain)
{
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
			gain[tree->nodes[i].feature] += tree->nodes[i].gain;
	}
}

/* Renumber the cuts of the nodes by new_cut[feature * ML_TREE_CUTS + old]. */
static void
renumber_cuts(MlTreeEnsemble *ensemble, const uint8_t *new_cut)
{
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
		{
			MlTreeNode *node = &tree->nodes[i];

			if (!node->set)
				node->cut = new_cut[(size_t) node->feature * ML_TREE_CUTS + node->cut];
		}
	}
}

/* Drop the cuts that no node uses; the nodes' cut numbers change with them. */
MlStatus
ml_trees_compact(MlEnv *env, MlTreeEnsemble *ensemble)
{
	uint8_t *used = ml_zalloc_array(env, ensemble->n_features, ML_TREE_CUTS);

	if (!used)
		return ML_ENOMEM;
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
			if (!tree->nodes[i].set)
				used[(size_t) tree->nodes[i].feature * ML_TREE_CUTS + tree->nodes[i].cut] = 1;
	}
	for (uint32_t j = 0; j < ensemble->n_features; j++)
	{
		MlTreeFeature *feature = &ensemble->features[j];
		uint8_t *cut_used = used + (size_t) j * ML_TREE_CUTS;
		uint32_t n = 0;

		if (feature->categorical)
			continue;
		for (uint32_t c = 0; c < feature->n_cuts; c++)
		{
			if (!cut_used[c])
				continue;
			feature->cuts[n] = feature->cuts[c];
			cut_used[c] = (uint8_t) n++;
		}
		feature->n_cuts = n;
		feature->n_bins = n + 2;
	}
	renumber_cuts(ensemble, used);
	ml_free(env, used);
	return ML_OK;
}
