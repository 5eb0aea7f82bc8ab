/*
 * clean_fit.h
 *		What a fit has gathered, and what can be read from it.
 */
#ifndef MLPLAT_CLEAN_FIT_H
#define MLPLAT_CLEAN_FIT_H

#include "data/cleanstat.h"
#include "prepare/clean/clean.h"

struct CleanFit
{
	int64 n_values, n_missing;
	MlCleanMoments moments;
	Tuplesortstate *sort; /* of the values; NULL: their order does not matter */
	int64 next;           /* rank of the value that the sort gives next */
	bool varies;          /* not all values are the same */
	Datum first;
};

/* A run of equal values. */
typedef struct CleanRun
{
	Datum value; /* the reader owns it where it is not by value */
	int64 count;
} CleanRun;

/* The runs in ascending order, from the first: one more value is known than was given out. */
typedef struct CleanRuns
{
	CleanCell *cell;
	bool has_ahead;
	Datum ahead;
} CleanRuns;

/* What the options of a step ask for. */
extern MlCleanFill mlplat_clean_fill_of(const CleanStep *step);
extern MlCleanBy mlplat_clean_by_of(const CleanStep *step);
extern bool mlplat_clean_seeks_outliers(const CleanStep *step);

/* Sort what was gathered; then one of those below may read it, once. There must be values, but for runs. */
extern void mlplat_clean_sort_fit(CleanStep *step);
extern void mlplat_clean_free_fit(CleanStep *step);
extern void mlplat_clean_quantiles(CleanCell *cell, double lower, double upper, double *quantiles);
extern Datum mlplat_clean_median(CleanCell *cell);
extern Datum mlplat_clean_mode(CleanCell *cell);
extern void mlplat_clean_runs(CleanRuns *runs, CleanCell *cell);
extern bool mlplat_clean_next_run(CleanRuns *runs, CleanRun *run);

#endif
