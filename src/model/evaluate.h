/*
 * evaluate.h
 *		How good a model is on rows of a dataset.
 */
#ifndef ML_EVALUATE_H
#define ML_EVALUATE_H

#include "model/model.h"

/*
 * Metrics of rows, and curves where curves is not NULL: the members of two JSON objects. Weights of rows count,
 * those of classes do not: the truth is measured on the data as it is.
 */
extern MlStatus ml_evaluate(MlEnv *env, const MlModel *model, const MlDataset *data,
							const MlRows *rows, MlBuffer *metrics, MlBuffer *curves);

/* The value of a metric among such members; NaN where it is not defined. */
extern MlStatus ml_evaluate_read(MlEnv *env, const MlBuffer *metrics, const char *metric,
								 double *value);

/* One metric of rows. */
extern MlStatus ml_evaluate_score(MlEnv *env, const MlModel *model, const MlDataset *data,
								  const MlRows *rows, const char *metric, double *value);

#endif /* ML_EVALUATE_H */
