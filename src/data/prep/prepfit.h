/*
 * prepfit.h
 *		What is measured of columns while a recipe is fitted to them.
 */
#ifndef ML_PREPFIT_H
#define ML_PREPFIT_H

#include "data/columnstats.h"
#include "data/prep/prep_inner.h"

/* What is measured of one column while it is fitted. */
typedef struct MlPrepWork
{
	const MlPrepStep *step;
	MlPrepColumn *column;
	MlColumnMoments moments; /* of the last scan */
	double *sample;          /* of quantiles, or NULL */
	size_t n_sample;         /* values in it */
	uint64_t *counts;        /* rows by level, [n_codes] missing; or NULL */
	bool infinite;
} MlPrepWork;

/* A batch of columns. */
typedef struct MlPrepBatch
{
	MlEnv *env;
	MlArena *arena;
	const MlDataset *data;
	const MlRows *rows;
	MlRows sample;    /* the rows that quantiles come from */
	MlPrepWork *work; /* n */
	size_t n;
	size_t first, count; /* the segment of a scan */
	bool prepared;       /* scan what scale and bins see; else what is imputed */
} MlPrepBatch;

/* Is it a column of levels, not of numbers? */
static inline bool
ml_prep_has_levels(const MlPrepStep *step)
{
	return step->column.encoding != ML_ENCODE_AUTO && !step->column.binned;
}

/* How far a value is taken through the steps before it is sampled. */
typedef enum MlPrepDepth
{
	ML_PREP_RAW,
	ML_PREP_CLIPPED, /* what a fill is computed from */
	ML_PREP_FILLED,  /* what the exponent of a power is fitted to */
	ML_PREP_PREPARED /* what scale and bins see */
} MlPrepDepth;

/* ---- prepsample.c ---- */

/* Choose the rows that quantiles come from; *index is the caller's to free. */
extern MlStatus ml_prep_choose_sample(MlPrepBatch *b, uint64_t seed, uint32_t **index);

/* A value at a depth; NaN where it is missing there. */
extern double ml_prep_value_at(const MlPrepColumn *column, double value, MlPrepDepth depth);

/* The sample of a column in ascending order, without what is missing. */
extern void ml_prep_take_sample(const MlPrepBatch *b, MlPrepWork *w, MlPrepDepth depth);

/* Of the sample that was taken; NaN: it is empty. */
extern double ml_prep_quantile(const MlPrepWork *w, double p);
extern double ml_prep_mode(const MlPrepWork *w);

/* The exponent of Yeo and Johnson, from the sample. */
extern void ml_prep_fit_exponent(MlPrepWork *w);

/* ---- preplevels.c ---- */

/* What is known of levels once they are counted, or bins once they are cut. */
extern MlStatus ml_prep_settle_levels(MlPrepBatch *b, MlPrepWork *w);

#endif /* ML_PREPFIT_H */
