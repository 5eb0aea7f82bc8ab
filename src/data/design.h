/*
 * design.h
 *		The fitted transform of linear methods: impute, scale, one-hot.
 *
 * Columns of the design, in this order: each numeric feature (missing values
 * replaced by the training mean), one indicator for each numeric feature that
 * had missing values in training (one for all parts of a date), then for each
 * categorical feature a 0/1 column per kept level. The most frequent max_levels
 * levels are kept, ties by the bytes of the label; others, and unseen ones,
 * have all zeros; missing counts as a level of its own when there were any.
 * With drop_first the most frequent level has no column (it is the reference),
 * as least squares without a penalty needs; where max_levels left levels out,
 * those are the reference, and no other is dropped.
 *
 * Features that are missing in every training row have no indicator, and levels
 * that occur in none have no column.
 *
 * A row is thus n_dense doubles and, per categorical feature, at most one
 * active column: no one-hot matrix is ever formed.
 */
#ifndef ML_DESIGN_H
#define ML_DESIGN_H

#include "data/dataset.h"

#define ML_NO_COLUMN UINT32_MAX

/* What a column is, where it is not a level. */
#define ML_DESIGN_NUMBER (-1)
#define ML_DESIGN_MISSING (-2) /* the missing indicator, or the missing level */

typedef struct MlDesignColumn
{
	uint32_t feature;
	int32_t level; /* code, ML_DESIGN_NUMBER or ML_DESIGN_MISSING */
	/* Of the imputed training rows, weighted; column = (value - mean) / scale when standardised. Levels: 0, 1. */
	double mean, scale;
} MlDesignColumn;

typedef struct MlDesign
{
	uint32_t n_dense;   /* numeric columns and missing indicators, first */
	uint32_t n_factors; /* categorical features */
	uint32_t n_columns; /* all */
	MlDesignColumn *columns;
	uint32_t *dense_feature;  /* n_dense: the feature; the indicators come after the numbers */
	uint32_t *factor_feature; /* n_factors: the categorical feature */
	uint32_t **
		factor_column; /* n_factors: code -> column or ML_NO_COLUMN; [n_levels] is the missing level */
	uint32_t *factor_levels; /* n_factors: n_levels of the feature */
	uint32_t n_numeric;
} MlDesign;

typedef struct MlDesignOptions
{
	uint32_t max_levels; /* per categorical feature */
	bool drop_first;
	bool no_indicators; /* a missing number is imputed, and no column tells */
} MlDesignOptions;

/* One pass over the training rows, which have weights above 0. ML_EDATA names a feature with an infinite number. */
extern MlStatus ml_design_fit(MlEnv *env, MlArena *arena, const MlDataset *data, const MlRows *rows,
							  const MlDesignOptions *options, MlDesign **design);

/* dense: n_dense imputed values (not standardised); active: n_factors columns or ML_NO_COLUMN. x: feature vector. */
extern void ml_design_row(const MlDesign *design, const double *x, double *dense, uint32_t *active);

/*
 * The same for rows[first..first+n-1], by column: dense[c * stride + i], active[f * stride + i].
 */
extern void ml_design_block(const MlDesign *design, const MlDataset *data, const MlRows *rows,
							size_t first, size_t n, size_t stride, double *dense, uint32_t *active);

/*
 * Name of a column: "age", "origin=ATL", "age is missing", "origin is missing". out is overwritten and holds the
 * name; NULL: out of memory.
 */
extern const char *ml_design_name(const MlDesign *design, const MlSchema *schema, uint32_t column,
								  MlBuffer *out);

/* A design of columns in the order above. */
extern MlStatus ml_design_make(MlArena *arena, const MlSchema *schema,
							   const MlDesignColumn *columns, size_t n, MlDesign **design);

extern void ml_design_save(const MlDesign *design, MlBuffer *out);
extern MlStatus ml_design_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							   MlDesign **design);

#endif /* ML_DESIGN_H */
