/*
 * linear.h
 *		What `linear`, `ridge`, `lasso` and `elastic_net` share: options, the fitted model, the summary.
 *
 * Rows may be kept in *folds*: sums of their own for each, which is what choosing a penalty by
 * cross-validation takes. Without that there is one fold.
 */
#ifndef ML_LINEAR_H
#define ML_LINEAR_H

#include "algo/algo.h"
#include "algo/linear/leastsq.h"
#include "data/design.h"

/* Indexes in the parameter table of `linear`. */
typedef enum LinearParam
{
	LINEAR_L2,
	LINEAR_INTERCEPT,
	LINEAR_PRECISION,
	LINEAR_MAX_LEVELS
} LinearParam;

/* The options of all four; those from `penalized` on are for the penalised ones. */
typedef struct MlLinearOptions
{
	MlLeastOptions least;
	uint32_t max_levels;
	bool penalized;
	double alpha; /* NaN: choose by cross-validation */
	double l1_ratio;
	bool ridge; /* alpha is on the scale of the sum of squares, not of its mean; l1_ratio is 0 */
	bool one_se;
	int n_folds, n_alphas, max_iter;
	double tol;
} MlLinearOptions;

#define ML_LINEAR_MAX_FOLDS 20

/* How many folds the rows are kept in, and the one of row i: each run of that many rows is dealt out in turn. */
extern size_t ml_linear_folds(const MlLinearOptions *options);
extern size_t ml_linear_fold_of(uint64_t row, size_t n_folds);

/* The sums of all rows, by fold. */
typedef struct MlLinearSums
{
	size_t n_folds;
	const MlTsqr *tsqr[ML_LINEAR_MAX_FOLDS];
	const MlLevelSums *levels[ML_LINEAR_MAX_FOLDS]; /* all NULL: no factors */
	const MlDdGram *gram;                           /* extended precision: instead of tsqr */
	uint64_t n_rows;
	double sum_log_weight;
} MlLinearSums;

/* Coefficients from the sums, into scratch, and the report. */
extern MlStatus ml_linear_solve(MlArena *scratch, const MlLinearSums *sums,
								const MlLeastColumns *columns, const MlLinearOptions *options,
								MlFitReport *report, MlLeastSquares **fit);

/* linear_path.c: the same for a penalty, which it chooses if it is to */
extern MlStatus ml_linear_path(MlArena *scratch, const MlLinearSums *sums,
							   const MlLeastColumns *columns, const MlLinearOptions *options,
							   MlFitReport *report, MlLeastSquares **fit);

/*
 * A fitted model: the design and a coefficient for each of its columns. For prediction the same once more
 * by feature: a slope, what a missing value adds, and for a categorical feature what each level adds.
 */
typedef struct MlLinearModel
{
	MlDesign *design;
	uint32_t n_features;
	bool has_intercept;
	double intercept, intercept_error;
	double *coefficient, *error; /* by column */
	double *mean, *scale;        /* by column, of the training rows */
	double df;                   /* residual degrees of freedom */

	double *slope, *when_missing; /* by feature; 0 for categorical ones */
	double *centre;               /* by feature: what it adds to the prediction on average */
	uint32_t n_factors;
	uint32_t *factor, *factor_levels; /* the categorical features, and how many levels each has */
	double **level;                   /* by factor: what a level adds; [n_levels]: missing */
} MlLinearModel;

/* The model of a solution. */
extern MlStatus ml_linear_make(MlArena *arena, const MlSchema *schema, MlDesign *design,
							   const MlLeastSquares *fit, MlLinearModel **model);

/* linear_model.c */
extern void ml_linear_save(const void *model, MlBuffer *out);
extern MlStatus ml_linear_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							   uint32_t n_outputs, void **model);
extern void ml_linear_predict(const void *model, const double *x, double *out);
extern void ml_linear_importance(const void *model, double *gain);
extern MlStatus ml_linear_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									   MlCoefficientFn emit, void *arg);
extern MlStatus ml_linear_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
										double *contributions, double *base);
extern void ml_linear_formula(const void *model, uint32_t k, MlFormula *formula);

/* linear_fit.c, linear_stream.c: what each algorithm wraps with its own reading of options */
extern MlStatus ml_linear_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							  const MlLinearOptions *options, MlFitReport *report, void **model);
extern MlStatus ml_linear_begin(MlArena *arena, const MlStreamInput *input,
								const MlLinearOptions *options, void **state);
extern MlStatus ml_linear_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input,
									 const MlLinearOptions *options, void **state);
extern MlStatus ml_linear_accumulate(void *state, const double *x, const double *y, const double *w,
									 size_t n);
extern MlStatus ml_linear_merge(void *state, const void *from);
extern MlStatus ml_linear_finish(const void *state, MlArena *arena, const MlSchema *schema,
								 MlFitReport *report, void **model);
extern void ml_linear_save_state(const void *state, MlBuffer *out);

#endif /* ML_LINEAR_H */
