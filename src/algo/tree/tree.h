/*
 * tree.h
 *		Decision trees as a fitted model keeps them; shared by all tree algorithms.
 *
 * Trees see a feature only through its *bin*, one byte. A numeric feature has
 * ascending *cuts*, doubles; the bin of x is the number of cuts below x, so
 * that "bin <= c" says exactly "x <= cuts[c]". A categorical feature maps each
 * level to a bin. The last bin of a feature is that of missing values.
 *
 * A node sends bins to the left or to the right: a numeric one by a cut and a
 * side for the missing bin, a categorical one by a *set* of bins that go left.
 * Children are nodes (>= 0) or leaves (~leaf), and a child node's number is
 * greater than its parent's: a decoder checks that, and so no walk can cycle.
 */
#ifndef ML_TREE_H
#define ML_TREE_H

#include "core/buffer.h"
#include "data/schema.h"

#define ML_TREE_BINS 256                      /* bins of a feature, the missing one included */
#define ML_TREE_CUTS (ML_TREE_BINS - 2)       /* cuts of a numeric feature */
#define ML_TREE_DEPTH 512                     /* nodes above a leaf, at most */
#define ML_TREE_SET_WORDS (ML_TREE_BINS / 32) /* words of a set of bins */

typedef struct MlTreeFeature
{
	bool categorical;
	uint8_t unseen_bin; /* categorical: of a level that training did not see */
	uint32_t n_bins;    /* the missing bin, n_bins - 1, included */
	uint32_t n_cuts;    /* numeric: n_bins - 2 */
	double *cuts;
	uint32_t n_levels; /* categorical */
	uint8_t *bin_of_level;
} MlTreeFeature;

typedef struct MlTreeNode
{
	uint32_t feature;
	float gain;
	int32_t left, right;
	uint8_t cut;         /* numeric: bins 0..cut go left */
	bool missing_left;   /* numeric */
	const uint32_t *set; /* categorical: ML_TREE_SET_WORDS words; else NULL */
} MlTreeNode;

typedef struct MlTree
{
	uint32_t n_leaves; /* one more than nodes; node 0 is the root */
	MlTreeNode *nodes;
	float *values;  /* of the leaves */
	uint32_t *rows; /* training rows in each leaf */
} MlTree;

typedef struct MlTreeScorer MlTreeScorer;

/* The sum of trees: output k is base[k] plus the trees t with t % n_outputs == k. */
typedef struct MlTreeEnsemble
{
	uint32_t n_features, n_outputs, n_trees;
	MlTreeFeature *features;
	MlTree *trees;
	double *base;
	MlTreeScorer *scorer; /* made by ml_trees_prepare */
} MlTreeEnsemble;

/* The bin of value x of a feature vector: NaN missing, a number, or a level's code. */
static inline uint8_t
ml_tree_bin(const MlTreeFeature *feature, double x)
{
	uint32_t low = 0, high = feature->n_cuts;

	if (x != x)
		return (uint8_t) (feature->n_bins - 1);
	if (feature->categorical)
		return x >= 0 && x < feature->n_levels ? feature->bin_of_level[(uint32_t) x]
											   : feature->unseen_bin;
	while (low < high)
	{
		uint32_t mid = (low + high) / 2;

		if (feature->cuts[mid] < x)
			low = mid + 1;
		else
			high = mid;
	}
	return (uint8_t) low;
}

/* Whether a bin of the node's feature goes left. */
static inline bool
ml_tree_goes_left(const MlTreeFeature *feature, const MlTreeNode *node, uint32_t bin)
{
	if (node->set)
		return node->set[bin / 32] >> (bin % 32) & 1;
	return bin == feature->n_bins - 1 ? node->missing_left : bin <= node->cut;
}

/* tree.c: the plain meaning of the trees, by walking their nodes */

/* The leaf of tree that feature vector x falls into. */
extern uint32_t ml_tree_leaf(const MlTreeEnsemble *ensemble, const MlTree *tree, const double *x);

/* Add to gain, n_features sums, the gains of the splits on each feature. */
extern void ml_trees_importance(const MlTreeEnsemble *ensemble, double *gain);

/* Drop the cuts that no node uses; the nodes' cut numbers change with them. */
extern MlStatus ml_trees_compact(MlEnv *env, MlTreeEnsemble *ensemble);

/* tree_image.c */

extern void ml_tree_feature_save(const MlTreeFeature *feature, MlBuffer *out);
extern MlStatus ml_tree_features_load(MlReader *in, MlArena *arena, const MlSchema *schema,
									  MlTreeFeature **features);

extern void ml_trees_save(const MlTreeEnsemble *ensemble, MlBuffer *out);
extern MlStatus ml_trees_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							  uint32_t n_outputs, MlTreeEnsemble **ensemble);

/* tree_score.c: the same sums, fast */

/* Build the tables of the scorer; ensemble does not change after that. */
extern MlStatus ml_trees_prepare(MlArena *arena, MlTreeEnsemble *ensemble);

/* out: n_outputs raw sums for feature vector x, the same bits on every machine. */
extern void ml_trees_score(const MlTreeEnsemble *ensemble, const double *x, double *out);

/* tree_shap.c */

/*
 * Add to contributions what each feature adds to output k of feature vector x, and to *base the mean over the
 * training rows: together they come to the sum of ml_trees_score.
 */
extern MlStatus ml_trees_contributions(MlEnv *env, const MlTreeEnsemble *ensemble, const double *x,
									   uint32_t k, double *contributions, double *base);

#endif /* ML_TREE_H */
