/*
 * forest.h
 *		Decision trees, random forests and extremely randomised trees: what their files share.
 *
 * A tree is grown on one thread, several trees at a time, each in a *slot* that
 * is stepped a few milliseconds at a time (so that a cancel is heard, and so that
 * only the calling thread allocates). Rows of a tree are *in the bag*, with a
 * multiplicity, or *out of it*: these go along down the tree, so that its error
 * on rows it was not grown from is known at the end.
 *
 *	forest_params.c		options of the three algorithms
 *	forest_rows.c		targets, weights and bins of the training rows
 *	forest_cells.c		sums by bin: the inner loop
 *	forest_split.c		the best cut, set or random cut of a feature
 *	forest_grow.c		a tree, step by step
 *	forest_prune.c		cost-complexity pruning, and its strength by cross-validation
 *	forest_oob.c		errors on the rows out of the bag
 *	forest_fit.c		the training
 *	forest_model.c		trees as a fitted model keeps them; prediction
 *	forest_image.c		bytes
 *	forest_explain.c	contributions, importance, the rows of the view of nodes
 *	forest.c			the tables of tree, forest and extra_trees
 */
#ifndef ML_FOREST_H
#define ML_FOREST_H

#include "algo/algo.h"
#include "algo/tree/binned.h"

/* ---- forest_params.c */

typedef enum ForestCriterion
{
	FOREST_SQUARED = 0, /* variance around the mean */
	FOREST_GINI,
	FOREST_ENTROPY
} ForestCriterion;

typedef struct ForestOptions
{
	ForestCriterion criterion;
	uint32_t n_trees;
	uint32_t max_depth, max_leaves; /* max_leaves UINT32_MAX: no limit */
	uint32_t min_leaf_rows, min_split_rows;
	double min_gain;       /* share of the root's risk that a split must take away */
	uint32_t max_features; /* of a node */
	uint32_t max_bins;
	bool bootstrap;
	double subsample;
	bool random_cuts; /* extra_trees */
	double ccp_alpha;
	uint32_t folds; /* ccp_alpha "auto": chosen by so many folds; else 0 */
	uint64_t seed;
} ForestOptions;

extern const MlParam ml_tree_params[], ml_forest_params[], ml_extra_trees_params[];

extern MlStatus ml_forest_options(MlEnv *env, const MlFitInput *input, ForestOptions *options);

/* ---- forest_rows.c */

/* The training rows by position. */
typedef struct ForestRows
{
	uint32_t n;
	uint32_t n_classes;     /* 0: numbers */
	uint16_t *class_of;     /* classes */
	double *y;              /* numbers */
	double centre, inverse; /* numbers are searched as (y - centre) * inverse: within -1..1 */
	double *weight;         /* NULL: all 1; scaled to a mean of 1 */
	double weight_unit;     /* what a weight of 1 is */
	MlTreeFeature *features;
	MlBinned binned;
} ForestRows;

extern MlStatus ml_forest_rows_create(MlEnv *env, MlArena *arena, const MlFitInput *input,
									  uint32_t max_bins, ForestRows *rows);
extern void ml_forest_rows_free(MlEnv *env, ForestRows *rows);

/* ---- forest_cells.c */

#define FOREST_BLOCK 1024      /* rows that are gathered at a time */
#define FOREST_SPARSE_ROWS 256 /* nodes of fewer rows note which cells they touch */

/* What a cell holds. */
typedef enum ForestCells
{
	FOREST_PAIRS,          /* two classes: rows of class 0, rows of class 1 << 32 */
	FOREST_COUNTS,         /* several classes: rows of each, 32 bits */
	FOREST_SUMS,           /* numbers: doubles: rows, sum of y */
	FOREST_WEIGHTED_SUMS,  /* numbers or two classes: doubles: rows, sum of w y, sum of w */
	FOREST_WEIGHTED_COUNTS /* several classes: doubles: rows, then weights by class */
} ForestCells;

/* Rows of a node, gathered for all its features. */
typedef struct ForestBlock
{
	uint64_t pair[FOREST_BLOCK];
	double rows[FOREST_BLOCK], sum[FOREST_BLOCK], weight[FOREST_BLOCK];
	uint32_t count[FOREST_BLOCK];
	uint16_t class_of[FOREST_BLOCK];
} ForestBlock;

/* Sums over all rows of a node. */
typedef struct ForestTotals
{
	double rows;           /* with multiplicity */
	double weight;         /* equals rows where there are no weights */
	double sum, sum2;      /* numbers: of w y, w y^2; two classes: of w y with y 0 or 1 */
	double min, max;       /* numbers: of y as it stands */
	double *class_rows;    /* n_classes */
	double *class_weight;  /* n_classes; class_rows itself where there are no weights */
	uint32_t n_classes_in; /* classes that occur */
} ForestTotals;

extern ForestCells ml_forest_cells(const ForestRows *rows);
extern size_t ml_forest_cell_bytes(const ForestRows *rows, ForestCells kind);

/* Gather n rows; bag: multiplicities by position, NULL: all 1. */
extern void ml_forest_gather(const ForestRows *rows, ForestCells kind, const uint8_t *bag,
							 const uint32_t *positions, uint32_t n, ForestBlock *block);

/* Add the gathered rows to the totals of a node. */
extern void ml_forest_add_totals(const ForestRows *rows, ForestCells kind,
								 const uint32_t *positions, uint32_t n, const ForestBlock *block,
								 ForestTotals *totals);

/* Add the gathered rows to the cells of one feature; touched: 4 words of bits by bin, or NULL. */
extern void ml_forest_add_cells(const ForestRows *rows, ForestCells kind, const uint8_t *column,
								const uint32_t *positions, uint32_t n, const ForestBlock *block,
								void *cells, uint64_t *touched);

/* ---- forest_split.c */

typedef struct ForestSplit
{
	double gain; /* risk that it takes away; below 0: none */
	uint32_t active;
	uint8_t cut;
	bool missing_left;
	bool categorical;
	uint32_t set[ML_TREE_SET_WORDS]; /* bins that go left, whatever the kind */
} ForestSplit;

/* Room of one search. */
typedef struct ForestBins
{
	uint32_t n;
	uint8_t bin[ML_TREE_BINS];
	double rows[ML_TREE_BINS], weight[ML_TREE_BINS], sum[ML_TREE_BINS];
	double *left, *right, *axis, *mean; /* by class: of each side; room to order levels */
} ForestBins;

typedef struct ForestSearch
{
	const ForestOptions *options;
	const ForestRows *rows;
	ForestCells kind;
	const ForestTotals *totals;
	ForestBins *bins;
	MlRng *rng;
} ForestSearch;

/* List the bins that hold rows, and clear the cells. touched: as it was filled, or NULL for all. */
extern void ml_forest_list_bins(const ForestSearch *search, const MlTreeFeature *feature,
								const void *cells, const uint64_t *touched);

/* Whether the feature of the listed bins can be split at all; if so, *best is replaced where that is better. */
extern bool ml_forest_find_split(const ForestSearch *search, uint32_t active, const void *cells,
								 ForestSplit *best);

/* Risk of a node: its weight times its impurity; entropy in nats, numbers as they are searched. */
extern double ml_forest_risk(const ForestRows *rows, ForestCriterion criterion,
							 const ForestTotals *totals);

/* ---- forest_grow.c */

/* A node of a tree that is being grown. */
typedef struct ForestGrown
{
	uint32_t first, n;         /* in the bag: positions */
	uint32_t out_first, out_n; /* out of it */
	int32_t left;              /* the right child is the next one; -1: a leaf */
	uint32_t active;           /* of the split */
	uint32_t set;              /* categorical: place in sets */
	uint16_t depth;
	uint8_t cut;
	bool missing_left, categorical;
	double rows, weight, risk;
	double value;         /* numbers: mean of y */
	uint32_t first_entry; /* leaves, classes: in entries */
	uint32_t n_entries;
} ForestGrown;

/* Rows of one class in a leaf. */
typedef struct ForestEntry
{
	uint32_t class_of;
	uint32_t rows;
	double weight;
} ForestEntry;

typedef struct ForestSlot ForestSlot;

/* What the trees of a training have in common. */
typedef struct ForestGrower
{
	MlEnv *env;
	const ForestOptions *options;
	const ForestRows *rows;
	const uint16_t *fold_of; /* cross-validation: tree t > 0 leaves out fold t - 1; NULL: none */
	ForestCells kind;
	size_t cell_bytes;
	uint64_t poisson[16]; /* cumulative probabilities of multiplicities, of 2^64 */
	uint32_t n_poisson;
} ForestGrower;

extern void ml_forest_grower_init(MlEnv *env, const ForestOptions *options, const ForestRows *rows,
								  const uint16_t *fold_of, ForestGrower *grower);
extern MlStatus ml_forest_slot_create(const ForestGrower *grower, ForestSlot **slot);
extern void ml_forest_slot_free(MlEnv *env, ForestSlot *slot);

/* Begin tree number t. */
extern void ml_forest_slot_begin(ForestSlot *slot, uint32_t tree);

/* Work on the tree for a few milliseconds, or until it is done or needs room; allocates nothing. */
extern void ml_forest_slot_step(ForestSlot *slot);

/* Give the slot the room that it needs to go on. */
extern MlStatus ml_forest_slot_grow(ForestSlot *slot);

/* What has been grown. */
typedef struct ForestGrownTree
{
	uint32_t tree;
	ForestGrown *nodes; /* children after parents; 0 is the root */
	uint32_t n_nodes;
	const ForestEntry *entries;
	const uint32_t *sets;      /* ML_TREE_SET_WORDS words each */
	const uint32_t *positions; /* of rows, in the nodes' runs */
} ForestGrownTree;

extern bool ml_forest_slot_done(const ForestSlot *slot, ForestGrownTree *grown);

/* ---- forest_model.c */

/* A node: bins of its slot above the cut go to the right. A leaf leads to itself. */
typedef struct ForestNode
{
	uint32_t step; /* to the left child, in nodes; the right one is the next */
	uint32_t test; /* bin slot << 9 | categorical << 8 | cut; of a leaf the cut is 255 */
} ForestNode;

#define FOREST_LEAF_TEST 255u

/* Share of a class in a leaf. */
typedef struct ForestShare
{
	uint32_t class_of;
	float share;
} ForestShare;

typedef struct ForestTree
{
	uint32_t n_leaves; /* nodes: 2 * n_leaves - 1 */
	uint32_t depth;    /* of the deepest leaf */
	ForestNode *nodes;
	uint32_t *extra; /* by node: number of a leaf, from left to right; set of a categorical node */

	double *values; /* of leaves: numbers: the mean; two classes: the share of class 1; else NULL */
	uint32_t *rows; /* numbers: training rows in the leaf */
	float *impurity; /* numbers */
	double *weight;  /* numbers, with weights: of the rows; else NULL */
	uint32_t *start; /* classes: n_leaves + 1 places in shares */
	ForestShare *shares;
	uint32_t *share_rows;
	double *share_weight; /* with weights; else NULL */
} ForestTree;

typedef struct ForestModel
{
	ForestCriterion criterion;
	uint32_t n_features, n_classes, n_trees; /* n_classes 0: numbers */
	bool weighted;
	MlTreeFeature *features;
	uint32_t *slot_of; /* by feature: 1 + number among the used ones; 0: no node tests it */
	uint32_t n_used;
	uint32_t *used; /* features that nodes test */
	ForestTree *trees;
	uint32_t *sets; /* ML_TREE_SET_WORDS words each */
	uint32_t n_sets, sets_room;
	double *importance; /* by feature: what its splits took off the risk, of a tree's weight */
} ForestModel;

/* The feature that a node tests, and where a missing value goes. */
static inline uint32_t
ml_forest_feature(const ForestModel *model, const ForestNode *node)
{
	return model->used[node->test >> 10];
}

static inline bool
ml_forest_missing_left(const ForestNode *node)
{
	return node->test >> 9 & 1;
}

static inline bool
ml_forest_is_leaf(const ForestNode *node)
{
	return node->step == 0;
}

/* Memory for the nodes and leaves of a tree; n_shares: of classes. The tree is zeroed before. */
extern MlStatus ml_forest_tree_create(MlArena *arena, const ForestModel *model, uint32_t n_leaves,
									  size_t n_shares, ForestTree *tree);

/* Keep a grown tree in arena. pruned: by node, true: it becomes a leaf; NULL: none. */
extern MlStatus ml_forest_keep(MlArena *arena, const ForestRows *rows, const ForestGrownTree *grown,
							   const bool *pruned, ForestModel *model, ForestTree *tree);

/* Find the shares of classes in the leaves from rows and weights. */
extern void ml_forest_find_shares(const ForestModel *model, ForestTree *tree);

/* The place of a new set in the model's sets, which are grown in pieces of the arena. */
extern MlStatus ml_forest_add_set(MlArena *arena, ForestModel *model, const uint32_t *set,
								  uint32_t *place);

/*
 * The tests of the nodes name a feature by its number until here, where the used ones are numbered. compact: drop
 * the cuts that no node uses.
 */
extern MlStatus ml_forest_finish(MlArena *arena, ForestModel *model, bool compact);

/* The leaf that feature vector x falls into. */
extern uint32_t ml_forest_leaf(const ForestModel *model, const ForestTree *tree, const double *x);

extern void ml_forest_predict(const void *model, const double *x, double *out);

/* ---- forest_image.c */

extern void ml_forest_save(const void *model, MlBuffer *out);
extern MlStatus ml_forest_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							   uint32_t n_outputs, void **model);

/* ---- forest_prune.c */

typedef struct ForestPruning ForestPruning;

/*
 * For each inner node the least alpha at which weakest-link pruning makes it a leaf, infinity where an ancestor
 * becomes one before; of leaves 0. In units of impurity, as the user knows it.
 */
extern MlStatus ml_forest_links(MlEnv *env, const ForestRows *rows, ForestCriterion criterion,
								const ForestGrownTree *grown, double *alpha);

/* Keep the main tree until its folds are done; whatever the status, ml_forest_pruning_free follows. */
extern MlStatus ml_forest_pruning_create(MlEnv *env, const ForestRows *rows,
										 const ForestOptions *options,
										 const ForestGrownTree *main_tree, ForestPruning **pruning);
extern void ml_forest_pruning_free(MlEnv *env, ForestPruning *pruning);

/* Measure a tree that was grown without a fold on that fold. */
extern MlStatus ml_forest_pruning_add(ForestPruning *pruning, const ForestGrownTree *grown);

/* What pruning comes to. */
typedef struct ForestPruned
{
	double alpha;
	double loss, loss_se; /* by cross-validation at that alpha; NaN: there was none */
} ForestPruned;

/* The main tree with pruned marks by node; alpha given by the options, or by the folds. */
extern ForestPruned ml_forest_prune(ForestPruning *pruning, ForestGrownTree *main_tree,
									const bool **marks);

/* ---- forest_oob.c */

typedef struct ForestOob ForestOob;

/* Errors on the rows out of the bag. */
typedef struct ForestOobScore
{
	size_t rows; /* that some tree left out */
	double loss; /* log loss, or mean squared error */
	double accuracy, r2;
} ForestOobScore;

extern MlStatus ml_forest_oob_create(MlEnv *env, const MlDataset *data, const ForestRows *rows,
									 ForestOob **oob);
extern void ml_forest_oob_free(MlEnv *env, ForestOob *oob);
extern void ml_forest_oob_add(ForestOob *oob, const ForestGrownTree *grown);
extern MlStatus ml_forest_oob_score(const ForestOob *oob, ForestOobScore *score);

/* ---- forest_fit.c */

extern MlStatus ml_forest_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							  MlFitReport *report, void **model);

/* ---- forest_explain.c */

extern void ml_forest_importance(const void *model, double *gain);
extern MlStatus ml_forest_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
										double *contributions, double *base);
extern MlStatus ml_forest_nodes(MlEnv *env, const void *model, const MlSchema *schema,
								MlNodeFn emit, void *arg);
extern void ml_forest_formula(const void *model, uint32_t k, MlFormula *formula);

#endif /* ML_FOREST_H */
