/*
 * foreign_inner.h
 *		What the readers of foreign files share: a model as a file tells it, before it is one of ours.
 *
 *	foreign_lightgbm.c	text of LightGBM
 *	foreign_xgboost.c	JSON and UBJSON of XGBoost
 *	foreign_schema.c	inputs, levels, classes
 *	foreign_trees.c		trees
 *	foreign_cut.c		trees that are too large, in pieces
 *	foreign.c			options, the image and its facts
 */
#ifndef ML_FOREIGN_INNER_H
#define ML_FOREIGN_INNER_H

#include "algo/gbdt/gbdt.h"
#include "model/foreign.h"

/* A node or leaf, in the file's order. Rows that meet the condition go left. */
typedef struct MlForeignCell
{
	bool leaf;
	bool missing_left;
	bool listed_right;    /* categorical: the codes go right, and not left */
	uint32_t left, right; /* cells */
	uint32_t feature;
	double cut;      /* numeric: left where x <= cut */
	uint32_t *codes; /* categorical; else NULL */
	uint32_t n_codes;
	double gain;
	double value, rows; /* of a leaf; rows may be sums of weights */
} MlForeignCell;

typedef struct MlForeignTree
{
	uint32_t output;
	uint32_t n_cells; /* cell 0 is the root; cells that nothing leads to don't matter */
	MlForeignCell *cells;
} MlForeignTree;

typedef struct MlForeignFeature
{
	char *name; /* "": by position */
	bool categorical;
	uint32_t n_codes; /* of the levels */
	uint32_t *codes;  /* of the levels, ascending; made by ml_foreign_schema */
	/* The labels of codes 0..n_labels - 1; NULL: a code is its own label. */
	char **labels;
	uint32_t n_labels;
} MlForeignFeature;

/* A model as its file tells it; all memory is the arena's. */
typedef struct MlForeign
{
	MlArena *arena;
	const char *library;   /* for people */
	const char *objective; /* the library's word */
	GbdtLoss loss;
	bool classes;       /* classification */
	uint32_t n_outputs; /* in the file; two for two classes become one in the image */
	double *base;       /* n_outputs */
	uint32_t n_features;
	MlForeignFeature *features;
	size_t n_trees;
	MlForeignTree *trees;
	int64_t best_iteration; /* -1: the file does not tell */
	bool labels_unclear;    /* the file has labels of categories, but does not tell whose */
} MlForeign;

/* The options that the schema needs. */
typedef struct MlForeignNames
{
	const char *target;
	const MlJson *classes, *features, *categories; /* NULL: not given */
} MlForeignNames;

/* Room for n_features features and n_outputs bases. */
extern MlStatus ml_foreign_begin(MlForeign *f, uint32_t n_features, uint32_t n_outputs);

extern MlStatus ml_foreign_lightgbm(MlArena *arena, const char *data, size_t len, MlForeign *out);
extern MlStatus ml_foreign_xgboost(MlArena *arena, const void *data, size_t len, MlForeign *out);

/* The texts of a JSON array of strings, numbers or booleans. what: the array, for errors. */
extern MlStatus ml_foreign_labels(MlArena *arena, const MlJson *array, const char *what,
								  char ***out, uint32_t *n);

/* Names, levels and classes into model; sorts the codes of the cells. */
extern MlStatus ml_foreign_schema(MlForeign *f, const MlForeignNames *names, MlModel *model);

/* A tree, whose n cells have an order with parents first, as a sum of pieces with fewer nodes. */
extern MlStatus ml_foreign_cut(MlArena *arena, const MlForeignTree *tree, const uint32_t *order,
							   uint32_t n, MlForeignTree **pieces, size_t *n_pieces);

/* The trees as a fitted model of n_outputs of model; what the loader of images checks holds. */
extern MlStatus ml_foreign_fit(MlForeign *f, MlModel *model);

/* The number of a level, by code; ML_NO_LEVEL: it is none. */
static inline uint32_t
ml_foreign_level(const MlForeignFeature *feature, uint32_t code)
{
	uint32_t low = 0, high = feature->n_codes;

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (feature->codes[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < feature->n_codes && feature->codes[low] == code ? low : ML_NO_LEVEL;
}

#endif /* ML_FOREIGN_INNER_H */
