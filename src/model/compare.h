/*
 * compare.h
 *		Which candidates there are, on which folds, and which one wins.
 *
 * Candidates come from a search, or from the presets of 'auto', or there is
 * one alone, whose score on folds is wanted. The rows are the training rows: a
 * hold-out is not among them, and is measured afterwards, once.
 */
#ifndef ML_COMPARE_H
#define ML_COMPARE_H

#include "model/trainer.h"
#include "model/trials.h"

typedef struct MlCompareInput
{
	const MlTrainSpec *spec;
	const MlModel *model; /* task, classes, schema */
	MlSplitInput split;   /* the training rows, and what keeps them together or in order */
	const char *metric;
} MlCompareInput;

typedef struct MlComparison
{
	MlTrial *trials; /* NULL: nothing was compared */
	size_t n;
	uint32_t n_folds; /* 1: one hold-out of the training rows */
	MlTrial *best;
} MlComparison;

/* Does this training compare anything? */
extern bool ml_compare_wanted(const MlTrainSpec *spec);

/* Whether the candidates make sense, before any row is read. */
extern MlStatus ml_compare_check(MlArena *arena, const MlTrainSpec *spec);

/* Run all candidates. With 'auto' and too few rows to compare, out->trials is NULL. Everything lives in arena. */
extern MlStatus ml_compare(MlArena *arena, const MlCompareInput *input, MlComparison *out);

/* The trials as elements of a JSON array, seconds and all. */
extern void ml_compare_write(const MlComparison *comparison, MlJsonWriter *w);

#endif /* ML_COMPARE_H */
