/*
 * algo.h
 *		What an algorithm is: a table of facts and functions.
 *
 * A resident algorithm fits from a dataset; a streaming one also accumulates
 * rows into a small state that merges. Streaming states take numeric features
 * only: the trainer collects a frame when there are categorical ones.
 *
 * A fitted model is an opaque pointer whose memory lives in the arena that was
 * passed to fit, finish or load. It is never changed afterwards, so threads and
 * sessions may share it.
 */
#ifndef ML_ALGO_H
#define ML_ALGO_H

#include "core/param.h"
#include "core/rng.h"
#include "data/dataset.h"

/* What training leaves beside the model. The buffers are JSON, and go into the image's INFO section. */
typedef struct MlFitReport
{
	MlBuffer summary; /* members of an object, no braces: "r2":0.9,"sigma":1.2 */
	MlBuffer log;     /* elements of an array, no brackets: {"iteration":1,"loss":0.6},... */
} MlFitReport;

typedef struct MlFitInput
{
	const MlParams *params; /* of the algorithm's own table */
	const MlDataset *data;
	MlRows train;
	MlRows valid; /* n = 0: none; for early stopping */
	uint64_t seed;
} MlFitInput;

/* What a streaming algorithm is told at the start. */
typedef struct MlStreamInput
{
	const MlParams *params;
	uint32_t n_features;
	MlTask task;
	const MlSchema *schema; /* for names in errors; NULL: features are named by number */
} MlStreamInput;

/* The moving parts of a streaming algorithm. State: from the arena; grows there if it must. */
typedef struct MlStreaming
{
	MlStatus (*begin)(MlArena *arena, const MlStreamInput *input, void **state);
	/* n rows, row-major x[i * n_features + j], NaN missing; y never NaN; w NULL: ones */
	MlStatus (*accumulate)(void *state, const double *x, const double *y, const double *w,
						   size_t n);
	MlStatus (*merge)(void *state, const void *other); /* other is unchanged */
	MlStatus (*finish)(const void *state, MlArena *arena, const MlSchema *schema,
					   MlFitReport *report, void **model);
	void (*save)(const void *state, MlBuffer *out);
	MlStatus (*load)(MlReader *in, MlArena *arena, const MlStreamInput *input, void **state);
} MlStreaming;

/* One row of the coefficient view. NaN where there is no such figure. */
typedef struct MlCoefficient
{
	const char *feature; /* "(intercept)", "age", "origin=ATL" */
	int class_index;     /* multinomial: the class; else -1 */
	double value, std_error, statistic, p_value;
} MlCoefficient;

/* May return other than ML_OK to stop; that status is passed on. */
typedef MlStatus (*MlCoefficientFn)(void *arg, const MlCoefficient *row);

typedef struct MlAlgo
{
	const char *name;    /* as in algorithm => '...' */
	const char *summary; /* one line */
	uint32_t tasks;      /* ML_TASK_BIT of each */
	const MlParam *params;
	const MlStreaming *streaming; /* NULL: resident only */

	MlStatus (*fit)(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report,
					void **model);

	void (*save)(const void *model, MlBuffer *out);
	/* n_outputs: 1 for regression and binary (P of class 1), n_classes for multiclass. Checks everything. */
	MlStatus (*load)(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
					 void **model);

	/* x: feature vector; out: n_outputs values. No allocation, no failure, thread safe. */
	void (*predict)(const void *model, const double *x, double *out);

	/* Optional. importance: n_features values >= 0, not normalised. */
	void (*importance)(const void *model, double *gain);
	MlStatus (*coefficients)(MlEnv *env, const void *model, const MlSchema *schema,
							 MlCoefficientFn emit, void *arg);
	/* contributions[0..n_features-1] and the base value; they add up to the raw output (log-odds for classes) of
	 * output k. Returns ML_ENOMEM only. */
	MlStatus (*contributions)(MlEnv *env, const void *model, const double *x, uint32_t k,
							  double *contributions, double *base);
} MlAlgo;

extern const MlAlgo *const ml_algorithms[]; /* ends with NULL */
extern const MlAlgo *ml_algo_find(const char *name);

/* The algorithm that 'auto' stands for. */
extern const MlAlgo *ml_algo_default(MlTask task);

#endif /* ML_ALGO_H */
