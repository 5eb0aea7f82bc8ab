/*
 * logistic.h
 *		What the files of logistic regression share.
 *
 * Words: a *group* is one linear predictor: the log-odds of class 1 when there
 * are two classes, else one score per class. The *columns* are the intercept,
 * then those of the design (numbers and indicators, then levels); the unknowns
 * are groups x columns, group by group. A *block* is a run of rows of the
 * working copy. A *pass* visits blocks and adds up sums.
 *
 * Objective: sum_i w_i loss_i + l1 |b|_1 + l2 / 2 |b|^2 over standardised numbers
 * and plain 0/1 levels, the intercept without penalty. As scikit-learn with
 * C = 1 / l2; with its l1_ratio: l1 = l1_ratio / C, l2 = (1 - l1_ratio) / C.
 */
#ifndef ML_LOGISTIC_H
#define ML_LOGISTIC_H

#include "algo/algo.h"
#include "data/design.h"

/* Options, in the order of the parameter table. */
enum
{
	LOGISTIC_L2,
	LOGISTIC_L1,
	LOGISTIC_INTERCEPT,
	LOGISTIC_MAX_ITER,
	LOGISTIC_TOL,
	LOGISTIC_MAX_LEVELS
};

typedef struct MlLogisticOptions
{
	double l1, l2, tol;
	int max_iter;
	bool intercept;
} MlLogisticOptions;

static inline bool
ml_logistic_penalized(const MlLogisticOptions *options)
{
	return options->l1 > 0 || options->l2 > 0;
}

/* ---- the working copy and passes over it (logistic_data.c) */

/* What a worker needs for a block; every array has one block's rows. */
typedef struct MlLogisticScratch
{
	float *eta;               /* n_groups x block: scores, then residuals */
	uint32_t *levels;         /* n_factors x block */
	double *a, *b, *c, *d;    /* block */
	double *dense;            /* 1 + n_dense columns */
	double *tile, *tile_rows; /* made by the curvature passes, see there */
} MlLogisticScratch;

/* One block of the working copy. Rows that pad the last block have weight 0 and no level. */
typedef struct MlLogisticBlock
{
	const float *x;         /* n_dense x block, standardised */
	const uint32_t *levels; /* n_factors x block: 0..n_levels-1, n_levels = none */
	const uint32_t *label;  /* class */
	const float *weight;
	float *
		state; /* n_groups x block, left by the last evaluation: w p (1 - p) for two classes, else p of each class */
	size_t n;  /* rows that are not padding */
} MlLogisticBlock;

typedef struct MlLogisticModel MlLogisticModel;

typedef struct MlLogisticProblem
{
	MlEnv *env;
	const MlDataset *data;
	const MlRows *rows;
	const MlDesign *design;
	const MlLogisticModel *previous; /* to begin from; NULL: from the shares of the classes */
	MlLogisticOptions options;

	size_t n, block, n_blocks; /* rows, rows in a block (a multiple of 16), blocks */
	uint32_t n_classes, n_groups;
	uint32_t n_dense, n_factors, n_levels;
	uint32_t n_columns; /* 1 + n_dense + n_levels */
	size_t n_unknowns;
	double *center, *scale; /* n_dense: x = (value - center) / scale */

	MlRegion cells;
	size_t block_bytes;
	int n_workers;
	MlLogisticScratch *scratch; /* one a worker */
	double *scratch_data;
	float *scratch_floats;
	float *coef; /* n_groups x (n_columns + 1) in float; the last one, 0, is that of "no level" */
	double *partial; /* the parts' sums */
	size_t partial_size;

	double weight_mean;   /* what the weights were divided by: the working copy's sum to n */
	double *class_weight; /* n_classes: sums of those weights */
	double *level_share;  /* n_levels: weighted share of rows */
} MlLogisticProblem;

typedef struct MlLogisticPass MlLogisticPass;

struct MlLogisticPass
{
	void (*visit)(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch,
				  double *sums);
	MlLogisticProblem *problem;
	const void *arg;
	size_t n_sums;
	size_t stride;        /* every stride-th block */
	double block_seconds; /* rough, for the size of tasks */
};

/* All NULL at first; free releases what there is. */
extern MlStatus ml_logistic_load(MlLogisticProblem *problem);
extern void ml_logistic_free(MlLogisticProblem *problem);
extern MlLogisticBlock ml_logistic_block(const MlLogisticProblem *problem, size_t block);

/* Visit the blocks and add up: total[0..n_sums-1]. The same bytes whatever the number of threads. */
extern MlStatus ml_logistic_run(const MlLogisticPass *pass, double *total);

/* ---- kernels over one block (logistic_kernel.c); n is a multiple of 16, columns lie n apart */

extern void ml_logistic_scores(const float *x, size_t n, size_t n_dense, const float *coef,
							   float *eta);
extern void ml_logistic_project(const float *x, size_t n, size_t n_dense, const float *r,
								double *sums);
extern void ml_logistic_add_levels(const uint32_t *levels, size_t n, const float *coef, float *eta);
extern void ml_logistic_sum_levels(const uint32_t *levels, size_t n, uint32_t n_levels,
								   const float *r, double *sums);
extern double ml_logistic_sum(const float *r, size_t n);
extern void ml_logistic_widen(const float *in, double *out, size_t n);

/* ---- objective (logistic_pass.c) */

/* Value and gradient at b, the penalty included; leaves the state for the other passes. */
extern MlStatus ml_logistic_evaluate(MlLogisticProblem *problem, const double *b, double *value,
									 double *gradient);

/* out = Hessian at the last evaluation times v. */
extern MlStatus ml_logistic_hessian_times(MlLogisticProblem *problem, const double *v, double *out);

/* ---- curvature (logistic_curvature.c) */

/*
 * An approximate Hessian, factored: of all unknowns together, or of each group by itself; in a group the
 * first n_full columns in full, the others by their diagonal. From every stride-th block.
 */
typedef struct MlLogisticMetric
{
	MlLogisticProblem *problem;
	bool coupled;
	bool newton; /* two classes in full: its steps are Newton's, up to sampling */
	bool whole;  /* one matrix of all unknowns that is kept as it is, both triangles, for descent */
	uint32_t n_full;
	size_t stride;
	size_t order; /* of each factored matrix */
	size_t n_matrices;
	size_t n_sums;
	double *
		sums; /* matrices, factored in place (if not whole); then the diagonals, or the blocks on the diagonal if coupled */
	float *work; /* coupled: room for each worker */
	size_t work_size;
	bool *dropped; /* n_unknowns: depends on earlier ones: not moved */
} MlLogisticMetric;

extern MlStatus ml_logistic_metric_create(MlLogisticProblem *problem, MlLogisticMetric *metric);
extern void ml_logistic_metric_free(MlLogisticMetric *metric);
extern MlStatus ml_logistic_metric_build(MlLogisticMetric *metric); /* at the last evaluation */
extern void ml_logistic_metric_solve(const MlLogisticMetric *metric, const double *r, double *z);

/* Rows as the curvature sums want them: x is n x (1 + n_dense) with ones first, columns ld apart; s: weights. */
typedef struct MlLogisticRows
{
	size_t n, ld;
	const double *x;
	const uint32_t *levels; /* n_factors columns, ld apart */
	const double *s;
} MlLogisticRows;

/* h (upper triangle, order n_full) += X' diag(s) X; diagonal (the other columns) likewise. */
extern void ml_logistic_add_curvature(const MlLogisticProblem *problem, const MlLogisticRows *rows,
									  uint32_t n_full, MlLogisticScratch *scratch, double *h,
									  double *diagonal);

#define ML_LOGISTIC_MAX_FULL 2048    /* columns of a matrix that we factor */
#define ML_LOGISTIC_MAX_COUPLED 1536 /* unknowns of one for all classes together */

/* ---- solver (logistic_newton.c) */

typedef struct MlLogisticSolution
{
	double *b;        /* n_unknowns */
	double loss;      /* without the penalties; weights have mean 1 */
	size_t n_free;    /* coefficients that are not bound by others */
	size_t n_nonzero; /* and, without the intercepts, not 0 */
	int iterations;
	bool converged;
	bool separated; /* a coefficient without a finite best value */
} MlLogisticSolution;

extern MlStatus ml_logistic_solve(MlLogisticProblem *problem, MlLogisticSolution *solution,
								  MlBuffer *log);

/* ---- the unpenalised binary case, finished in double precision (logistic_exact.c) */

/*
 * Newton steps from solution->b with everything in double, if that is near the optimum; standard errors
 * (n_columns) on the scale of the data, NaN for a column that depends on others. problem->n_columns is at
 * most ML_LOGISTIC_MAX_FULL.
 */
extern MlStatus ml_logistic_exact(MlLogisticProblem *problem, MlLogisticSolution *solution,
								  double *std_error);

/* ---- the model (logistic_model.c) */

struct MlLogisticModel
{
	const MlDesign *design;
	uint32_t n_groups;
	bool intercept;
	double *coef;        /* n_groups x (1 + n_columns of the design), on the scale of the data */
	double *std_error;   /* 1 + n_columns, or NULL */
	double *level_share; /* of each level column, in the training rows */

	/* Tables for prediction, made from the above; the values of the groups lie side by side. */
	double *terms;       /* a row per column of the design, and one of zeros */
	double *missing;     /* per number: what a missing value adds */
	double *center;      /* per number: mean contribution in training */
	double *factor_mean; /* per factor: the same */
	double *base;        /* prediction of an average row */
};

/* The coefficients of a model on the standardised columns of a problem with the same classes; b: n_unknowns. */
extern void ml_logistic_take_over(const MlLogisticModel *model, const MlLogisticProblem *problem,
								  double *b);

extern MlStatus ml_logistic_model_tables(MlArena *arena, MlLogisticModel *model);
extern void ml_logistic_save(const void *model, MlBuffer *out);
extern MlStatus ml_logistic_load_model(MlReader *in, MlArena *arena, const MlSchema *schema,
									   uint32_t n_outputs, void **model);
extern void ml_logistic_predict(const void *model, const double *x, double *out);
extern void ml_logistic_importance(const void *model, double *gain);
extern MlStatus ml_logistic_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
										 MlCoefficientFn emit, void *arg);
extern MlStatus ml_logistic_contributions(MlEnv *env, const void *model, const double *x,
										  uint32_t k, double *contributions, double *base);
extern void ml_logistic_formula(const void *model, uint32_t k, MlFormula *formula);

#endif /* ML_LOGISTIC_H */
