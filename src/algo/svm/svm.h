/*
 * svm.h
 *		What the files of linear support vector machines share.
 *
 * Primal problem of one *group* (a class against the rest, or a regression):
 *	min over w of |w|^2 / 2 + sum_i C_i loss(y_i, w'x_i),	C_i = c times the row's weight,
 * with x_i the standardised numbers, plain 0/1 levels, and 1 for the intercept, which is
 * penalised like the others, as in LIBLINEAR (Fan et al. 2008) and scikit-learn.
 *	hinge				max(0, 1 - y f)				squared: its square
 *	epsilon_insensitive	max(0, |y - f| - epsilon)	squared: its square
 */
#ifndef ML_SVM_H
#define ML_SVM_H

#include "algo/algo.h"
#include "data/scorer.h"

/* ---- the working copy (svm_rows.c) */

/*
 * Rows side by side: n_dense floats, then for each factor the index in w of the row's level. w has n_columns
 * numbers of the design, the intercept, and a 0 for rows without a level.
 */
typedef struct MlSvmRows
{
	MlEnv *env;
	const MlDataset *data;
	const MlRows *rows;
	const MlDesign *design;
	bool intercept, centred; /* whether x has a 1 at its end; whether numbers are less their mean */
	size_t n;
	uint32_t n_dense, n_factors, n_columns;
	size_t stride; /* cells of a row */
	double *center, *scale;
	MlRegion cells;
	double *y;           /* the class, or the number */
	double *weight;      /* of the row */
	double *square;      /* |x|^2 */
	double *level_share; /* weighted, by column of a level */
} MlSvmRows;

/* The caller has set env to centred. Whatever it returns, call ml_svm_rows_free. */
extern MlStatus ml_svm_rows_load(MlSvmRows *rows);
extern void ml_svm_rows_free(MlSvmRows *rows);

static inline size_t
ml_svm_n_weights(const MlSvmRows *rows)
{
	return (size_t) rows->n_columns + 2;
}

/* w'x of row i. */
extern double ml_svm_score(const MlSvmRows *rows, size_t i, const double *w);

/* w += step x of row i. */
extern void ml_svm_add(const MlSvmRows *rows, size_t i, double step, double *w);

/* |x - x'|^2 of rows i and j. */
extern double ml_svm_distance(const MlSvmRows *rows, size_t i, size_t j);

static inline void
ml_svm_prefetch(const MlSvmRows *rows, size_t i)
{
	const char *at = (const char *) rows->cells.data + i * rows->stride * sizeof(float);

	__builtin_prefetch(at);
	__builtin_prefetch(at + 64);
}

/* The scorer on the scale of the data. */
extern MlStatus ml_svm_scorer(const MlSvmRows *rows, const double *w, MlArena *arena,
							  MlScorer **scorer);

/* ---- dual coordinate descent (svm_dual.c) */

typedef enum MlSvmLoss
{
	ML_SVM_HINGE,
	ML_SVM_SQUARED_HINGE,
	ML_SVM_EPSILON,
	ML_SVM_SQUARED_EPSILON
} MlSvmLoss;

typedef struct MlSvmOptions
{
	MlSvmLoss loss;
	double c, epsilon, tol;
	int max_iter;
} MlSvmOptions;

/* What is kept of an epoch. */
typedef struct MlSvmEpoch
{
	int epoch;
	double objective; /* of the dual: rises to the primal's */
	double violation; /* greatest projected gradient less the smallest, or their sum of absolutes */
	double norm;      /* |w| */
} MlSvmEpoch;

#define ML_SVM_EPOCHS 64

/* One dual problem in progress: it is advanced in slices, so that threads can be asked to stop. */
typedef struct MlSvmDual
{
	const MlSvmRows *rows;
	const MlSvmOptions *options;
	double positive;     /* the class that is +1; not for regression */
	const uint8_t *fold; /* of each row; NULL: all rows are used */
	int held_out;        /* the fold whose rows are left out */
	MlRng rng;
	double *w, *alpha; /* alpha: by row */
	uint32_t *index;   /* the rows in use, the active ones first */
	size_t n, active;
	/* the epoch */
	size_t at;                      /* place in index */
	size_t ahead;                   /* places before this one have been drawn */
	double high, low, sum;          /* of the projected gradients in this epoch */
	double high_before, low_before; /* bounds for shrinking */
	double first_sum, linear,
		quadratic; /* linear and quadratic part of the dual objective without w */
	int epoch;
	bool done, converged;
	MlSvmEpoch log[ML_SVM_EPOCHS];
	int n_log;
} MlSvmDual;

/* Room, and the start: alpha 0, or the solution on all rows less what the held out ones add. */
extern MlStatus ml_svm_dual_begin(MlSvmDual *dual, const MlSvmDual *from, uint64_t seed,
								  uint64_t stream);
extern void ml_svm_dual_end(MlSvmDual *dual);

/* Advance all until they are done, on all threads. */
extern MlStatus ml_svm_dual_run(MlEnv *env, MlSvmDual *duals, size_t n);

/* ---- Newton's method for squared losses (svm_newton.c) */

#define ML_SVM_NEWTON_COLUMNS \
	1000 /* with fewer columns, and more rows than those, it is the faster way */

extern bool ml_svm_newton_fits(const MlSvmRows *rows, const MlSvmOptions *options);

/* Minimise from machine->w, which the caller has made; of the rest only fold, held_out and positive count. */
extern MlStatus ml_svm_newton(MlSvmDual *machine);

/* ---- probabilities (svm_platt.c) */

/* P(y = 1) = 1 / (1 + exp(a f + b)) fitted to decision values f, y in 0, 1. */
typedef struct MlSvmSigmoid
{
	double a, b;
} MlSvmSigmoid;

extern MlStatus ml_svm_fit_sigmoid(MlEnv *env, const double *f, const double *y, double positive,
								   const double *w, size_t n, MlSvmSigmoid *sigmoid);

/* ---- the fitted model (svm_model.c) */

typedef struct MlSvmModel
{
	MlDesign *design;
	bool classes, intercept;
	uint32_t n_groups;
	MlScorer **scorer;
	MlSvmSigmoid *sigmoid; /* n_groups; regression: NULL */
} MlSvmModel;

extern void ml_svm_save(const void *model, MlBuffer *out);
extern MlStatus ml_svm_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);
extern void ml_svm_predict(const void *model, const double *x, double *out);
extern void ml_svm_importance(const void *model, double *gain);
extern MlStatus ml_svm_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									MlCoefficientFn emit, void *arg);
extern MlStatus ml_svm_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
									 double *contributions, double *base);
extern void ml_svm_formula(const void *model, uint32_t k, MlFormula *formula);

#endif /* ML_SVM_H */
