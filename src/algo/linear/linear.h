/*
 * linear.h
 *		What the files of the algorithm `linear` share: options, the fitted model, the summary.
 */
#ifndef ML_LINEAR_H
#define ML_LINEAR_H

#include "algo/algo.h"
#include "algo/linear/leastsq.h"
#include "data/design.h"

/* Indexes in the parameter table. */
typedef enum LinearParam
{
	LINEAR_L2,
	LINEAR_INTERCEPT,
	LINEAR_PRECISION,
	LINEAR_MAX_LEVELS
} LinearParam;

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

extern void ml_linear_options(const MlParams *params, MlLeastOptions *options);

/* The model of a solution, and the summary into the report. */
extern MlStatus ml_linear_make(MlArena *arena, const MlSchema *schema, MlDesign *design,
							   const MlLeastSquares *fit, MlLinearModel **model);
extern void ml_linear_summary(const MlLeastSquares *fit, const MlLeastOptions *options,
							  uint64_t n_rows, double sum_log_weight, MlFitReport *report);

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

/* linear_fit.c, linear_stream.c */
extern MlStatus ml_linear_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							  MlFitReport *report, void **model);
extern const MlStreaming ml_linear_streaming;

#endif /* ML_LINEAR_H */
