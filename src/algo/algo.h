/*
 * algo.h
 *		What an algorithm is: a table of facts and functions.
 *
 * A resident algorithm fits from a dataset; a streaming one also accumulates
 * rows into a small state that merges. Most streaming states take numeric features
 * and a number as the target; one that says so takes levels and classes too, whose
 * codes grow as rows come. Else the trainer collects a frame.
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
#include "data/design.h"

/* What training leaves beside the model. The buffers are JSON, and go into the image's INFO section. */
typedef struct MlFitReport
{
	MlBuffer summary; /* members of an object, no braces: "r2":0.9,"sigma":1.2 */
	MlBuffer log;     /* elements of an array, no brackets: {"iteration":1,"loss":0.6},... */
	const char
		*metric; /* tasks without a target: what score is, e.g. "silhouette"; NULL: nothing */
	double score;
} MlFitReport;

typedef struct MlFitInput
{
	const MlParams *params; /* of the algorithm's own table */
	const MlDataset *data;
	MlRows train;
	MlRows valid; /* n = 0: none; for early stopping */
	uint64_t seed;
	/*
	 * A fitted model of this algorithm and task to go on from, or NULL; only where the algorithm continues. It was
	 * trained on the same inputs and classes; a level's code is the same, but there may be more levels now.
	 */
	const void *previous;
} MlFitInput;

/* What a streaming algorithm is told at the start. */
typedef struct MlStreamInput
{
	const MlParams *params;
	uint32_t n_features;
	MlTask task;
	const MlSchema *schema; /* for names in errors; NULL: features are named by number */
} MlStreamInput;

/* The codes of another state in this one, which met levels and classes in another order. */
typedef struct MlRecode
{
	const uint32_t *const *feature; /* n_features tables by level code; NULL for a number */
	const uint32_t *classes;        /* by class code */
} MlRecode;

/* What is known when all rows are in. */
typedef struct MlStreamEnd
{
	const MlSchema *schema; /* sealed */
	uint32_t n_classes;
	char *const *labels;
	const uint32_t *class_of; /* by class code */
} MlStreamEnd;

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

	/*
	 * A classifier has these in the place of merge and finish. x then holds level codes for categorical features
	 * (never ML_UNSEEN), and y class codes from 0 in order of appearance, below ML_MAX_STREAM_CLASSES.
	 */
	MlStatus (*merge_codes)(void *state, const void *other, const MlRecode *recode);
	MlStatus (*finish_classes)(const void *state, MlArena *arena, const MlStreamEnd *end,
							   MlFitReport *report, void **model);
} MlStreaming;

#define ML_MAX_STREAM_CLASSES 1000

/* One row of the coefficient view. NaN where there is no such figure. */
typedef struct MlCoefficient
{
	const char *feature; /* "(intercept)", "age", "origin=ATL" */
	int class_index;     /* multinomial: the class; else -1 */
	double value, std_error, statistic, p_value;
} MlCoefficient;

/* May return other than ML_OK to stop; that status is passed on. */
typedef MlStatus (*MlCoefficientFn)(void *arg, const MlCoefficient *row);

/* One node of a tree, for the views of trees. */
typedef struct MlNode
{
	uint32_t tree,
		node;       /* from 0; node 0 is the root, a child's number is greater than its parent's */
	int64_t parent; /* -1: the root */
	bool is_left;   /* of its parent */
	uint32_t depth; /* of the root: 0 */
	bool is_leaf;

	/* Inner nodes: rows that meet the condition go left. */
	uint32_t feature; /* of the schema */
	double threshold; /* numeric: left where x <= threshold */
	const uint32_t
		*levels; /* categorical: the level codes that go left, n_levels of them; else NULL */
	uint32_t n_levels;
	bool missing_left, unseen_left; /* unseen: levels that training did not see */
	double gain;                    /* of the split; NaN: not kept */

	/* All nodes; NaN or NULL: not kept. */
	double rows;
	double impurity;
	double value;         /* regression and boosting: what a row that ends here gets */
	uint32_t class_index; /* boosting of several classes: the class that the tree is for */
	/* Classification, n_classes of each: rows, and shares of their weights. */
	const double *counts;
	const double *probabilities;
} MlNode;

/* May return other than ML_OK to stop; that status is passed on. The row is valid during the call. */
typedef MlStatus (*MlNodeFn)(void *arg, const MlNode *node);

/* What makes predictions of scores. */
typedef enum MlLink
{
	ML_LINK_IDENTITY,
	ML_LINK_EXP,
	ML_LINK_SIGMOID, /* of several classes: divided by their sum */
	ML_LINK_SOFTMAX
} MlLink;

/* How an output comes about: its score is base + scale * sum. */
typedef struct MlFormula
{
	MlLink link; /* the same for all outputs */
	double base, scale;
	/* The sum: of coefficients times the columns of the design as ml_design_row has them; NULL: of the trees' leaves. */
	const MlDesign *design;
	const double *coefficient;
} MlFormula;

typedef struct MlAlgo
{
	const char *name;    /* as in algorithm => '...' */
	const char *summary; /* one line */
	uint32_t tasks;      /* ML_TASK_BIT of each */
	const MlParam *params;
	const MlStreaming *streaming; /* NULL: resident only */
	bool continues;               /* fit goes on from input->previous */
	bool prepares; /* all there is to learn is the recipe: columns are prepared by default, and a
								   * target may be given for it */

	MlStatus (*fit)(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report,
					void **model);

	void (*save)(const void *model, MlBuffer *out);
	/* n_outputs: n_classes for more than two classes, else 1. Checks everything. */
	MlStatus (*load)(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
					 void **model);

	/*
	 * x: feature vector; out: n_outputs values: the number, P(class 1) of two, P of each of several classes, the
	 * cluster's number from 0, or the anomaly score (greater: more anomalous). NULL for decompositions. No
	 * allocation, no failure, thread safe.
	 */
	void (*predict)(const void *model, const double *x, double *out);
	/* Optional: microseconds that one prediction may take, roughly; for those that take more than a few. */
	double (*row_cost)(const void *model);

	/* Optional: the row in the model's own space; out: n_components values. As predict otherwise. */
	uint32_t (*n_components)(const void *model);
	void (*transform)(const void *model, const double *x, double *out);
	const char
		*component; /* what a component is called, before its number; NULL: as the features are */
	uint32_t first_component; /* its first number */

	/* Optional. importance: n_features values >= 0, not normalised. */
	void (*importance)(const void *model, double *gain);
	MlStatus (*coefficients)(MlEnv *env, const void *model, const MlSchema *schema,
							 MlCoefficientFn emit, void *arg);
	/* All nodes of all trees, parents before children, tree by tree. */
	MlStatus (*nodes)(MlEnv *env, const void *model, const MlSchema *schema, MlNodeFn emit,
					  void *arg);
	/* contributions[0..n_features-1] and the base value; they add up to the raw output (log-odds of
	 * classes, but the probability itself where trees vote) of output k. Returns ML_ENOMEM or ML_ECANCELED. */
	MlStatus (*contributions)(MlEnv *env, const void *model, const double *x, uint32_t k,
							  double *contributions, double *base);
	/*
	 * The formula of output k, for those that have one. A tree's leaf adds its value, to the output of its class_index,
	 * or where nodes have probabilities that of class k (of two: of class 1). The pointers are the model's.
	 */
	void (*formula)(const void *model, uint32_t k, MlFormula *formula);
} MlAlgo;

extern const MlAlgo *const ml_algorithms[]; /* ends with NULL */
extern const MlAlgo *ml_algo_find(const char *name);

/* The algorithm that 'auto' stands for. */
extern const MlAlgo *ml_algo_default(MlTask task);

#endif /* ML_ALGO_H */
