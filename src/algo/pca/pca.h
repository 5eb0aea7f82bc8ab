/*
 * pca.h
 *		What the files of the algorithm `pca` share: options, the state, the model.
 *
 * X, the n rows of the columns less their means and (with scale) divided by their
 * standard deviations, is U S V'. The components are the columns of V; the explained
 * variances are S^2 / (n - 1). Weights count relative to their mean. A component's
 * sign is such that its largest loading by magnitude, the first of equals, is above
 * zero. Missing numbers are the mean; levels become 0/1 columns.
 */
#ifndef ML_PCA_H
#define ML_PCA_H

#include "algo/algo.h"
#include "data/design.h"

/* Indexes in the parameter table. */
typedef enum PcaParam
{
	PCA_N_COMPONENTS,
	PCA_SCALE,
	PCA_WHITEN,
	PCA_MAX_LEVELS
} PcaParam;

typedef struct MlPcaModel
{
	MlDesign *design;
	uint32_t n_features, n_columns, n_components;
	double *mean, *factor; /* n_columns: the coordinate is (x - mean) * factor */
	double *component;     /* [k * n_columns + c] */
	double *variance;      /* n_components */
	bool whiten;
	double *table;  /* [c * n_components + k]: what a unit of column c adds */
	double *offset; /* n_components: where all levels' columns are zero */
} MlPcaModel;

/* The scatter of the columns: a is such that a'a is X'X but for scaling. Destroyed by ml_pca_make. */
typedef struct MlPcaScatter
{
	double *a;    /* m x n_columns, column-major, or X'X itself when square is set */
	size_t m;     /* rows, also the stride */
	bool squared; /* a is X'X: its singular values are squares */
	double *mean; /* n_columns */
	double weight;
	uint64_t n_rows;
} MlPcaScatter;

/* Components of the scatter of a design's columns (pca_solve.c). */
extern MlStatus ml_pca_make(MlEnv *env, MlArena *arena, const MlParams *params,
							const MlSchema *schema, MlDesign *design, MlPcaScatter *scatter,
							MlFitReport *report, void **model);
extern MlStatus ml_pca_check_options(MlEnv *env, const MlParams *params);

/* pca_stream.c, pca_fit.c */
extern const MlStreaming ml_pca_streaming;
extern MlStatus ml_pca_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report,
						   void **model);

/* pca_model.c */
extern MlStatus ml_pca_index(MlArena *arena, MlPcaModel *m); /* what follows from the figures */
extern void ml_pca_save(const void *model, MlBuffer *out);
extern MlStatus ml_pca_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);
extern uint32_t ml_pca_n_components(const void *model);
extern void ml_pca_transform(const void *model, const double *x, double *out);
extern void ml_pca_importance(const void *model, double *gain);
extern MlStatus ml_pca_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									MlCoefficientFn emit, void *arg);

#endif /* ML_PCA_H */
