/*
 * gbdt.h
 *		Histogram gradient boosting, leaf by leaf: what its files share.
 *
 * A round grows one tree per output on the gradients of the loss. Gradients g
 * and hessians h are rounded to 16 bits at one scale per tree and packed into
 * one 64-bit integer, so that histograms are exact integers: they can be
 * subtracted, and added in any order, with the same result.
 *
 * Rows are *positions* in the binned data: first those that trees are grown
 * from, then *spare* ones, which only get predictions (to measure a loss that was not trained on).
 *
 *	gbdt_params.c		options and their defaults
 *	gbdt_histogram.c	sums of gradients by bin
 *	gbdt_split.c		the best split of a histogram
 *	gbdt_partition.c	rows to the left and to the right
 *	gbdt_sample.c		the rows and features that a tree is grown from
 *	gbdt_grow.c			a tree
 *	gbdt_objective.h	losses, gradients: four files
 *	gbdt_continue.c		going on from an earlier model
 *	gbdt_boost.c		rounds, early stopping
 *	gbdt_image.c		the bytes of a model
 *	gbdt.c				the algorithm's table, prediction
 */
#ifndef ML_GBDT_H
#define ML_GBDT_H

#include "algo/algo.h"
#include "algo/tree/binned.h"

/* Compile a kernel for several vector widths; all give the same bytes, as nothing is contracted or reordered. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GBDT_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define GBDT_CLONES
#endif

/* ---- gbdt_params.c */

/* Losses; the numbers stand in images. */
typedef enum GbdtLoss
{
	GBDT_SQUARED = 0,
	GBDT_LOGISTIC,
	GBDT_SOFTMAX,
	GBDT_ABSOLUTE,
	GBDT_HUBER,
	GBDT_QUANTILE,
	GBDT_POISSON,
	GBDT_TWEEDIE
} GbdtLoss;
#define GBDT_LOSSES 8

/* Whether the trees' sums are logarithms of a mean. */
static inline bool
ml_gbdt_log_link(GbdtLoss loss)
{
	return loss == GBDT_POISSON || loss == GBDT_TWEEDIE;
}

extern const MlParam ml_gbdt_params[];

typedef struct GbdtOptions
{
	uint32_t n_trees;        /* rounds; with early stopping the most */
	uint32_t early_stopping; /* rounds without improvement; 0: none */
	double learning_rate;
	uint32_t max_leaves, max_depth;
	uint32_t min_leaf_rows;
	double min_leaf_hessian;
	double l1, l2, min_gain;
	double subsample, colsample;
	uint32_t max_bins;
	double cat_smooth, cat_l2;
	GbdtLoss loss;
	double alpha, tweedie_power, max_delta_step; /* of losses */
	bool goss;                                   /* sample by gradient */
	double top_rate, other_rate;                 /* of goss */
	int8_t *monotone; /* by feature: 1 rising, -1 falling, 0; NULL: none */
	uint64_t seed;
} GbdtOptions;

/* Read and check the options; ml_gbdt_options_free follows, whatever the status. */
extern MlStatus ml_gbdt_options(MlEnv *env, const MlFitInput *input, GbdtOptions *options);
extern void ml_gbdt_options_free(MlEnv *env, GbdtOptions *options);

/*
 * A fitted model: the sum of its ensembles. Training makes one. Imported trees may test a feature at more places than
 * an ensemble has bins for, and then are several.
 */
typedef struct GbdtModel
{
	GbdtLoss loss;         /* what the trees' sums mean */
	MlTreeEnsemble *trees; /* the first ensemble */
	uint32_t n_more;
	MlTreeEnsemble **more; /* the others; their bases are added, too */
} GbdtModel;

/* ---- gbdt_image.c */

#define GBDT_MAX_OUTPUTS 1000 /* of a model of several ensembles; no model has more classes */

extern void ml_gbdt_save(const void *model, MlBuffer *out);
extern MlStatus ml_gbdt_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							 uint32_t n_outputs, void **model);

/* ---- gbdt_histogram.c */

#define GBDT_PACKED_ROWS 65536 /* rows whose packed sums cannot overflow */
#define GBDT_G_MAX 32766       /* of |g| and h after rounding */
#define GBDT_H_MAX 65534

/* Sums of one cell. */
typedef struct GbdtSum
{
	int64_t g, h;
} GbdtSum;

/*
 * A histogram of a leaf: one cell a bin. With up to GBDT_PACKED_ROWS rows the sums are packed as the
 * gradients are, (g << 32) + h; else they are GbdtSums.
 */
typedef struct GbdtHistogram
{
	bool packed;
	void *cells;
} GbdtHistogram;

static inline int64_t
ml_gbdt_pack(int64_t g, int64_t h)
{
	return g * (INT64_C(1) << 32) + h;
}

static inline GbdtSum
ml_gbdt_unpack(int64_t cell)
{
	return (GbdtSum){cell >> 32, (int64_t) (uint32_t) cell};
}

/* The rounded gradient of one row: g in the upper half, h in the lower. */
static inline int32_t
ml_gbdt_pack_row(int32_t g, int32_t h)
{
	return (int32_t) ((uint32_t) g << 16 | (uint32_t) h);
}

/* The same as a packed cell. */
static inline int64_t
ml_gbdt_widen(int32_t row)
{
	return ml_gbdt_pack(row >> 16, row & 0xffff);
}

typedef struct GbdtShare GbdtShare;

/* Which features a tree may use, and room to sum in. */
typedef struct GbdtSummer
{
	const MlBinned *binned;
	const int32_t *gradients; /* packed, by position */
	int n_workers;
	bool by_tile;        /* tasks are tiles; else tiles and blocks of rows */
	size_t worker_cells; /* cells that each thread has room for: of a tile, or of all */
	int64_t *packed;     /* by thread */
	GbdtSum *sums;       /* by thread; not where tasks are tiles */
	GbdtShare *shares;   /* by thread and tile */
	uint32_t *places;    /* used features of each tile: place in the tile's row ... */
	uint32_t *offsets;   /* ... and cell in the tile's histogram */
	uint32_t *n_used;    /* by tile */
} GbdtSummer;

extern MlStatus ml_gbdt_summer_create(MlEnv *env, const MlBinned *binned, GbdtSummer *summer);
extern void ml_gbdt_summer_free(MlEnv *env, GbdtSummer *summer);

/* Choose the features of the next tree: used by active feature, or NULL for all. */
extern void ml_gbdt_summer_use(GbdtSummer *summer, const uint8_t *used);

#define GBDT_PREFETCH_ROWS 48 /* positions that are looked at beyond the last one */

/* The histogram of the rows at these positions (NULL: 0..n-1). out->packed is set by n. */
extern MlStatus ml_gbdt_sum(MlEnv *env, const GbdtSummer *summer, const uint32_t *positions,
							size_t n, GbdtHistogram *out);

/* larger = parent - smaller, cells first..end-1; larger may be the parent itself. */
extern void ml_gbdt_subtract(const GbdtHistogram *parent, const GbdtHistogram *smaller,
							 const GbdtHistogram *larger, size_t first, size_t end);

/* ---- gbdt_split.c */

typedef struct GbdtSplit
{
	double gain; /* 0: no split */
	uint32_t active;
	uint8_t cut;
	bool missing_left;
	bool categorical;
	uint32_t set[ML_TREE_SET_WORDS]; /* bins that go left, whatever the kind */
	GbdtSum left;
} GbdtSplit;

/* What the values of a leaf must not leave, so that monotone features are. */
typedef struct GbdtBounds
{
	double low, high;
} GbdtBounds;

/* What the search needs to know of a leaf and a tree. */
typedef struct GbdtSearch
{
	const GbdtOptions *options;
	double g_unit, h_unit; /* what one unit of the integers is worth */
	GbdtSum total;         /* of the leaf */
	size_t n;              /* rows of the leaf */
	GbdtBounds bounds;     /* of the leaf's value, before the learning rate */
	int direction;         /* of the feature: 1 rising, -1 falling, 0 */
} GbdtSearch;

/* cells: of the feature alone. counts: rows by bin, or NULL to estimate them from the hessians. */
extern void ml_gbdt_find_split(const GbdtSearch *search, const MlTreeFeature *feature,
							   const GbdtHistogram *cells, const uint32_t *counts,
							   GbdtSplit *split);

/* The value of a leaf with these sums, before the learning rate. */
extern double ml_gbdt_leaf_value(const GbdtSearch *search);

/* ---- gbdt_partition.c */

typedef struct GbdtPartition
{
	MlEnv *env;
	uint32_t *left, *right; /* room for every position */
} GbdtPartition;

extern MlStatus ml_gbdt_partition_create(MlEnv *env, size_t n_rows, GbdtPartition *room);
extern void ml_gbdt_partition_free(GbdtPartition *room);

/*
 * Write the n positions of from (NULL: first, first + 1, ...) to `to`: those whose bin is in set first, order kept
 * otherwise. from may be to.
 */
extern MlStatus ml_gbdt_partition(const GbdtPartition *room, const uint8_t *column,
								  const uint32_t *set, const uint32_t *from, uint32_t first,
								  uint32_t *to, size_t n, size_t *n_left);

/* ---- gbdt_sample.c */

/* Gradients of one tree. */
typedef struct GbdtGradients
{
	int32_t
		*packed; /* by position < n_train; goss raises those of the rows that stand for others */
	double g_unit, h_unit;
	bool goss; /* sample by them */
} GbdtGradients;

/* Room for a sample: positions of the rows, the features that are used, and what drawing takes. */
typedef struct GbdtSample
{
	const GbdtOptions *options;
	size_t n_train, n_all;
	uint32_t n_active;
	uint32_t *positions, *left_out; /* n_all each */
	uint8_t *used;                  /* by active feature */
	uint32_t *shuffled;             /* n_active */
} GbdtSample;

/* Positions of a tree's rows, ascending, come first, then those of all others; *n: of the first. */
extern MlStatus ml_gbdt_sample_rows(MlEnv *env, const GbdtSample *sample,
									const GbdtGradients *gradients, MlRng *rng, size_t *n);

/* Mark the features of a tree; false: all of them. */
extern bool ml_gbdt_sample_features(const GbdtSample *sample, MlRng *rng);

/* What gradients that goss raises may be raised by, at most. */
extern uint32_t ml_gbdt_headroom(const GbdtOptions *options);

/* ---- gbdt_grow.c */

typedef struct GbdtGrower GbdtGrower;

typedef struct GbdtGrowInput
{
	const GbdtOptions *options;
	const MlBinned *binned;
	const MlTreeFeature *features;
	size_t n_train; /* positions to grow from: 0..n_train-1 */
	size_t n_all;
} GbdtGrowInput;

extern MlStatus ml_gbdt_grower_create(MlEnv *env, const GbdtGrowInput *input, GbdtGrower **grower);
extern void ml_gbdt_grower_free(MlEnv *env, GbdtGrower *grower);

/* Grow a tree in arena from a sample of rows and features; leaf_of gets the leaf of every position. */
extern MlStatus ml_gbdt_grow(GbdtGrower *grower, const GbdtGradients *gradients, MlRng *rng,
							 MlArena *arena, MlTree *tree, uint16_t *leaf_of);

/* The bounds of the last tree's leaves; NULL: none. */
extern const GbdtBounds *ml_gbdt_leaf_bounds(const GbdtGrower *grower);

/* ---- gbdt_objective.c */

typedef struct GbdtObjective GbdtObjective;

typedef struct GbdtObjectiveInput
{
	const GbdtOptions *options;
	const MlDataset *data;
	const MlRows *train, *others;
	const GbdtModel *previous; /* to go on from, or NULL */
} GbdtObjectiveInput;

/* Targets and weights of train, then of others, are read from the dataset. */
extern MlStatus ml_gbdt_objective_create(MlEnv *env, const GbdtObjectiveInput *input,
										 GbdtObjective **objective);
extern void ml_gbdt_objective_free(MlEnv *env, GbdtObjective *objective);
extern uint32_t ml_gbdt_outputs(const GbdtObjective *objective);

/* Begin again with positions 0..n_train-1 as training rows: base gets the scores to start from. */
extern MlStatus ml_gbdt_objective_start(GbdtObjective *objective, size_t n_train, double *base);

/* Before each round: the losses so far of the training rows and of the others (NaN: none). */
extern MlStatus ml_gbdt_objective_round(GbdtObjective *objective, uint64_t round, double *loss,
										double *spare_loss);
/* The packed gradients of one output, to be sampled by as the options say. */
extern MlStatus ml_gbdt_objective_gradients(GbdtObjective *objective, uint32_t output,
											GbdtGradients *gradients);

/* Losses that a gradient step fits badly put better values into the leaves, times the factor. */
extern MlStatus ml_gbdt_objective_refit(GbdtObjective *objective, uint32_t output, MlTree *tree,
										const uint16_t *leaf_of, const GbdtBounds *bounds,
										double factor);
extern MlStatus ml_gbdt_objective_add(GbdtObjective *objective, uint32_t output, const MlTree *tree,
									  const uint16_t *leaf_of);

/* The root of the mean square of the gradients since the round began. */
extern double ml_gbdt_gradient_norm(const GbdtObjective *objective);

/* ---- gbdt_continue.c */

/* Whether a model's trees can be gone on from: what the caller promises, checked. */
extern MlStatus ml_gbdt_check_previous(MlEnv *env, const GbdtModel *previous, const MlDataset *data,
									   uint32_t n_outputs);

/* Copy the trees of old, whose bins those of new contain, to the first places of trees. */
extern MlStatus ml_gbdt_copy_trees(MlArena *arena, const MlTreeEnsemble *old,
								   const MlTreeEnsemble *new, MlTree *trees);

typedef struct GbdtScoring
{
	const GbdtModel *previous;
	const MlDataset *data;
	const MlRows *train, *others;
	double centre;
	size_t n_all;
	float *scores;
} GbdtScoring;

/* Sums of the old trees: scores[k * n_all + place], less the centre, for train and then for others. */
extern MlStatus ml_gbdt_score_previous(MlEnv *env, const GbdtScoring *scoring);

/* ---- gbdt_boost.c */

extern MlStatus ml_gbdt_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							MlFitReport *report, void **model);

#endif /* ML_GBDT_H */
