/*
 * decision.h
 *		What a classifier's training weighs and decides beside the fit: class weights,
 *		calibration, threshold.
 */
#ifndef ML_DECISION_H
#define ML_DECISION_H

#include "data/folds.h"
#include "model/trainer_state.h"

/* Check the options class_weight, calibration and threshold as far as it goes without the data. */
extern MlStatus ml_decision_check(MlEnv *env, MlTrainSpec *spec);

/* Do calibration or threshold have to see rows, so that a streaming algorithm must collect them? */
extern bool ml_decision_needs_rows(const MlTrainSpec *spec);

/*
 * The factors on the weights of rows that the option class_weight asks for, of the given rows; *weights in the
 * arena, or NULL. Regression: an error when the options ask for what only classes have.
 */
extern MlStatus ml_class_weights(MlArena *arena, const MlTrainSpec *spec, const MlClasses *classes,
								 const MlDataset *data, const MlRows *rows, double **weights);

/*
 * Calibration and threshold of a model, learnt on predictions of rows that were held out of fits like this one:
 * fit->train is divided, and as split says: whole groups, or the last rows in order of time. Sets both in the model (calibration in the arena); facts gets members of an object.
 * Does nothing for regression.
 */
extern MlStatus ml_decision_fit(MlArena *arena, const MlTrainSpec *spec, const MlFitInput *fit,
								const MlSplitInput *split, MlModel *model, MlBuffer *facts);

#endif /* ML_DECISION_H */
