/*
 * isolation.h
 *		What the files of the isolation forest share.
 *
 * Liu, Ting and Zhou, "Isolation Forest", ICDM 2008. Words and symbols of the
 * paper: psi is the size of a tree's sample, h(x) the *path length* of a row in a
 * tree: the edges it passes, and c(size) for the rows left together in its leaf;
 * c(n) is the mean path length of n rows; the score is 2^(-E[h(x)] / c(psi)).
 *
 * A tree lies in an array of nodes in the order of a walk that goes left first:
 * the left child of a node is the next one. A numeric node sends x <= value to
 * the left. A node on a categorical feature sends a random half of the levels to
 * the left: those whose hash with the node's seed says so. A missing value goes
 * with the larger part of the sample, since it tells nothing; a level that training
 * did not see with the smaller one, since it is unusual.
 */
#ifndef ML_ISOLATION_H
#define ML_ISOLATION_H

#include "algo/algo.h"

#define ISO_MAX_SAMPLES 65536
#define ISO_MAX_DEPTH 17 /* ceil(log2(ISO_MAX_SAMPLES)), and one to spare */
#define ISO_MAX_IMAGE 1000000000u

/* Bits beside the number of the feature. */
#define ISO_MISSING_LEFT 0x80000000u
#define ISO_LEVELS 0x40000000u
#define ISO_UNSEEN_LEFT 0x20000000u
#define ISO_FEATURE 0x1fffffffu

/* Options, in the order of the parameter table. */
enum
{
	ISO_N_TREES,
	ISO_SAMPLES,
	ISO_CONTAMINATION
};

typedef struct MlIsoNode
{
	double value; /* numeric: the threshold; levels: the seed, an integer; leaf: the path length */
	uint32_t right;   /* the right child, counted from the tree's first node; 0: a leaf */
	uint32_t feature; /* with the bits above */
} MlIsoNode;

typedef struct MlIsoModel
{
	uint32_t n_features, n_trees;
	uint32_t psi;
	double normal;      /* c(psi) */
	size_t *first;      /* n_trees + 1: where the nodes of a tree begin */
	MlIsoNode *nodes;   /* of all trees */
	uint32_t *rows;     /* of the sample in each node */
	uint32_t *n_levels; /* per feature; 0: numeric */
	double threshold;   /* of the score, by contamination; NaN: none */
} MlIsoModel;

/* Which side a level goes to in a node of that seed. */
static inline bool
ml_iso_level_left(double seed, uint32_t code)
{
	return ml_mix64((uint64_t) seed * 0x9e3779b97f4a7c15u + code) >> 63;
}

/* Whether a row goes left at an inner node. */
static inline bool
ml_iso_goes_left(const MlIsoModel *model, const MlIsoNode *node, const double *x)
{
	uint32_t feature = node->feature & ISO_FEATURE;
	double value = x[feature];

	if (value != value)
		return node->feature & ISO_MISSING_LEFT;
	if (!(node->feature & ISO_LEVELS))
		return value <= node->value;
	if (!(value >= 0 && value < model->n_levels[feature]))
		return node->feature & ISO_UNSEEN_LEFT;
	return ml_iso_level_left(node->value, (uint32_t) value);
}

/* ---- isolation_grow.c */

/* Trees on their way into a model. */
typedef struct MlIsoForest
{
	MlEnv *env;
	const MlFitInput *input;
	uint32_t n_trees, psi;
	double *average; /* c(0..psi) */
	double *weights; /* running sums of the rows' weights; NULL: all alike */
	MlIsoNode *nodes;
	uint32_t *rows;
	size_t n_nodes, nodes_capacity, rows_capacity;
	size_t *first; /* n_trees + 1 */
} MlIsoForest;

/* Fill in nodes, rows and first; the caller frees them, also on failure. */
extern MlStatus ml_iso_grow(MlIsoForest *forest);

/* ---- isolation_model.c */

extern double ml_iso_path_length(const MlIsoModel *model, const double *x); /* E[h(x)] */
extern void ml_iso_predict(const void *model, const double *x, double *out);
extern double ml_iso_row_cost(const void *model);
extern void ml_iso_save(const void *model, MlBuffer *out);
extern MlStatus ml_iso_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);
extern MlStatus ml_iso_nodes(MlEnv *env, const void *model, const MlSchema *schema, MlNodeFn emit,
							 void *arg);

/* ---- isolation_shap.c */

extern MlStatus ml_iso_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
									 double *contributions, double *base);

#endif /* ML_ISOLATION_H */
