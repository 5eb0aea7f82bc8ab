/*
 * bayes.h
 *		What the files of the algorithm `naive_bayes` share: kinds of features, the state, the model.
 *
 * The joint log-likelihood of a row and class k is log prior_k plus, for each feature
 * that is not missing, log p(x_j | k). p is by the feature's *kind*: a normal
 * distribution, a table of levels, or the feature's share in the counts of a
 * multinomial. The classes' probabilities are the softmax of that.
 */
#ifndef ML_BAYES_H
#define ML_BAYES_H

#include "algo/algo.h"

/* Indexes in the parameter table. */
typedef enum BayesParam
{
	BAYES_LIKELIHOOD,
	BAYES_ALPHA,
	BAYES_VAR_SMOOTHING,
	BAYES_PRIORS
} BayesParam;

typedef enum MlBayesKind
{
	ML_BAYES_NORMAL = 0,
	ML_BAYES_LEVELS, /* categorical features by their codes, booleans by 0 and 1 */
	ML_BAYES_COUNTS  /* part of the multinomial */
} MlBayesKind;
#define ML_BAYES_N_KINDS 3

/* Weighted moments of the values that are there. */
typedef struct MlBayesMoments
{
	double weight, mean, m2;
} MlBayesMoments;

/* Of one feature: by class, or by level and class. */
typedef struct MlBayesFeature
{
	MlBayesKind kind;
	MlBayesMoments *moments; /* normal: class_capacity */
	double *sum;             /* counts: class_capacity; levels: [l * class_capacity + k] */
	uint32_t n_levels, level_capacity;
} MlBayesFeature;

typedef struct MlBayesState
{
	MlArena *arena; /* where it grows */
	const MlParams *params;
	const MlSchema *schema;
	uint32_t n_features, n_classes, class_capacity;
	MlBayesFeature *features;
	double *class_weight; /* class_capacity */
	uint64_t n_rows;
} MlBayesState;

typedef struct MlBayesModel
{
	uint32_t n_features, n_classes;
	double *log_prior; /* n_classes */
	MlBayesKind *kind; /* n_features */
	uint32_t *n_levels;
	/*
	 * Of each feature, by class. Normal: mean and variance (0: the feature says nothing). Levels: log p of
	 * [l * n_classes + k], NaN of a level that no row had. Counts: log p.
	 */
	double **a, **b;
	double **base, **inverse; /* normal: -log(2 pi v) / 2 and 1 / (2 v) */
} MlBayesModel;

/* bayes_state.c; grow: room for n classes */
extern MlStatus ml_bayes_grow(MlBayesState *s, uint32_t n);
extern MlStatus ml_bayes_begin(MlArena *arena, const MlStreamInput *input, void **state);
extern MlStatus ml_bayes_accumulate(void *state, const double *x, const double *y, const double *w,
									size_t n);
extern MlStatus ml_bayes_merge(void *state, const void *other, const MlRecode *recode);
extern void ml_bayes_save_state(const void *state, MlBuffer *out);
extern MlStatus ml_bayes_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input,
									void **state);

/* bayes_fit.c */
extern MlStatus ml_bayes_check_options(MlEnv *env, const MlParams *params);
extern MlStatus ml_bayes_finish(const void *state, MlArena *arena, const MlStreamEnd *end,
								MlFitReport *report, void **model);
extern MlStatus ml_bayes_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							 MlFitReport *report, void **model);

/* bayes_model.c */
extern MlStatus ml_bayes_index(MlArena *arena, MlBayesModel *m); /* what follows from the figures */
extern void ml_bayes_save(const void *model, MlBuffer *out);
extern MlStatus ml_bayes_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							  uint32_t n_outputs, void **model);
extern void ml_bayes_predict(const void *model, const double *x, double *out);
extern void ml_bayes_importance(const void *model, double *gain);
extern MlStatus ml_bayes_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									  MlCoefficientFn emit, void *arg);
extern MlStatus ml_bayes_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
									   double *contributions, double *base);

#endif /* ML_BAYES_H */
