/*
 * trials.h
 *		Candidates on folds: fitted, scored, compared.
 *
 * A *trial* is a candidate (an algorithm with parameters) and what came of it.
 * Its score is the mean of its scores on the folds; trials are ranked by it.
 * All of them read the same frame.
 *
 * Fits run side by side, one thread each, where they are small or many; a large
 * one gets all threads, the whole memory budget and its temporary files. The
 * result is the same either way. A trial that fails tells why and is left out;
 * only when all fail does the comparison.
 *
 * With a time budget no fit begins, and none goes on, when the rest is needed for
 * the fit that follows, but for the first trial that can be completed: there is always a
 * result.
 */
#ifndef ML_TRIALS_H
#define ML_TRIALS_H

#include "data/folds.h"
#include "model/model.h"
#include "model/search.h"

typedef struct MlTrial
{
	const MlAlgo *algo;
	MlParams params;

	/* what came of it */
	double score, stddev; /* over the folds; NaN: none, or one fold only */
	double *fold_scores;  /* by fold; NaN: the metric is not defined there */
	double seconds;       /* of all its fits and predictions, on the thread that did them */
	double share;  /* of the training rows of each fold, in the last round of a halving; else 1 */
	uint32_t rank; /* from 1, the best; 0: no score */
	bool chosen;
	const char *error; /* why it has no score; NULL: it has one */
} MlTrial;

typedef struct MlTrialsInput
{
	const MlModel *model; /* task, classes, schema; its algorithm is not looked at */
	const MlDataset *data;
	const MlFolds *folds; /* NULL: one fold, train and valid */
	MlRows train, valid;
	const char *metric;
	uint64_t seed;
	double time_budget; /* seconds from now on; INFINITY: none */
	bool halving;
	uint32_t factor; /* halving: one trial of so many goes on */
} MlTrialsInput;

/*
 * Run n trials whose algo and params are set; the rest is written, texts and arrays in arena. *best is the trial of
 * rank 1. When none has a score, the first one's error is the status.
 */
extern MlStatus ml_trials_run(MlArena *arena, const MlTrialsInput *input, MlTrial *trials, size_t n,
							  MlTrial **best);

#endif /* ML_TRIALS_H */
