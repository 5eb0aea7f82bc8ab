/*
 * prep_inner.h
 *		The inside of a plan, for the files that make it and fit it.
 */
#ifndef ML_PREP_INNER_H
#define ML_PREP_INNER_H

#include "data/prep/prep.h"

/* Words of the options, in their order. */
typedef enum MlPrepImpute
{
	ML_IMPUTE_AUTO = 0,
	ML_IMPUTE_NONE,
	ML_IMPUTE_MEAN,
	ML_IMPUTE_MEDIAN,
	ML_IMPUTE_MODE,
	ML_IMPUTE_CONSTANT
} MlPrepImpute;

typedef enum MlPrepScale
{
	ML_SCALE_AUTO = 0,
	ML_SCALE_NONE,
	ML_SCALE_STANDARD,
	ML_SCALE_MINMAX,
	ML_SCALE_ROBUST
} MlPrepScale;

typedef enum MlPrepBins
{
	ML_BINS_QUANTILE = 0,
	ML_BINS_UNIFORM,
	ML_BINS_EDGES /* given: nothing to fit */
} MlPrepBins;

typedef enum MlPrepIndicator
{
	ML_INDICATOR_NO = 0,
	ML_INDICATOR_YES,
	ML_INDICATOR_IF_MISSING /* in a training row */
} MlPrepIndicator;

/* One column of the recipe, before it is fitted. */
typedef struct MlPrepStep
{
	MlPrepColumn column; /* as far as it is known without rows */
	const char *name;    /* of the source, for errors */
	bool passes;         /* nothing is done to it */
	bool clips;          /* at quantiles: column.low and high are these until they are fitted */
	MlPrepImpute impute;
	MlPrepIndicator indicator;
	MlPrepScale scale;
	MlPrepBins bins;
	uint32_t n_bins;
	uint32_t top;        /* one_hot */
	double smoothing;    /* target; NaN: auto */
	const MlJson *order; /* ordinal, or NULL */
} MlPrepStep;

struct MlPrepPlan
{
	MlSchema *schema;
	size_t n;
	MlPrepStep *steps;
	size_t n_products;
	MlPrepProduct *products;
	char *options;
	const MlPrep *adopted; /* NULL: to be fitted */
};

/* ---- prepstep.c ---- */

/* Classes of columns; a time of day is a number that comes round again. */
#define ML_PREP_CLASS_NUMBERS 1u
#define ML_PREP_CLASS_LEVELS 2u
#define ML_PREP_CLASS_DATES 4u
#define ML_PREP_CLASS_TIMES 8u

/* One column of the training, and what is said of it. */
typedef struct MlPrepAsked
{
	MlArena *arena;
	MlEnv *env;
	const MlPrepSpec *spec;
	const MlParams *own; /* by its name, or NULL */
	MlSchema *schema;
	MlInput *input;
	const char *name;
	uint32_t class;
	bool has_target;
	MlPrepPlan *plan;
} MlPrepAsked;

extern uint32_t ml_prep_class(MlKind kind);

/* Is anything asked of the column? */
extern bool ml_prep_is_asked(const MlPrepAsked *c);

/* Check the options of the column, and add its steps to the plan. */
extern MlStatus ml_prep_plan_column(const MlPrepAsked *c);

/* The JSON of an option that holds for the column, or NULL. */
extern const MlJson *ml_prep_json_of(const MlPrepAsked *c, int option);

/* An error about one option of the column; hint may be NULL. */
extern MlStatus ml_prep_refuse(const MlPrepAsked *c, int option, const char *why, const char *hint);

/* ---- prep.c ---- */

/* Does the source come out as it is? */
extern bool ml_prep_passes(const MlPrepColumn *column);

/* The value of a number as far as the power, NaN where it is missing or the power is not defined. */
extern double ml_prep_power(const MlPrepColumn *column, double value);

/* The number as it is scaled or binned: clipped, filled, transformed. */
extern double ml_prep_number(const MlPrepColumn *column, double value);

/* The place of a value in the tables: the code, n_codes for missing, n_codes + 1 for unseen. */
extern uint32_t ml_prep_place(const MlPrepColumn *column, double value);

/* Read the source of a column of rows[first..first+n-1]. */
extern void ml_prep_source(const MlPrepColumn *column, const MlDataset *data, const MlRows *rows,
						   size_t first, size_t n, double *out);

/* ---- preptarget.c ---- */

/* The target encodings of the columns that want one; the others are fitted. */
extern MlStatus ml_prep_fit_targets(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data,
									const MlRows *rows, uint64_t seed, MlPrep *prep,
									MlPrepView *view);

#endif /* ML_PREP_INNER_H */
