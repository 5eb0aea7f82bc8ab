/*
 * prediction.h
 *		What the outputs of a model mean: its value, its class, its probabilities.
 */
#ifndef MLPLAT_PREDICTION_H
#define MLPLAT_PREDICTION_H

#include "postgres.h"

#include "model/model.h"

/* The value of a regression, P(positive) of two classes, else the index of the best class. */
extern double mlplat_prediction_value(const MlModel *model, const double *probs);

/* The label of the class, or the number of the cluster; NULL: the model has neither. */
extern const char *mlplat_prediction_class(const MlModel *model, const double *probs);

/* {label: probability} of all classes, as jsonb. */
extern Datum mlplat_prediction_probs(const MlModel *model, const double *probs);

#endif
