/*
 * model.h
 *		A trained model in memory, and its image: the bytes in the registry.
 *
 * Image: "MLPLATIM", u32 format version, u32 writer version, u32 CRC-32C of all
 * that follows, u32 number of sections, then per section a 4-byte tag and a u64
 * length, then the sections' bytes in that order. Sections: HEAD (algorithm,
 * task, classes, target), SCHM (schema), MODL (the algorithm's own), INFO (JSON:
 * parameters, summary, log, importance); where there is a calibration or a
 * threshold DECI (both), and where columns are prepared PREP (the recipe). An
 * unknown section is skipped. All text is UTF-8, whatever the encoding of the
 * database.
 */
#ifndef ML_MODEL_H
#define ML_MODEL_H

#include "algo/algo.h"
#include "data/prep/prep.h"
#include "model/calibration.h"

#define ML_IMAGE_FORMAT 1
#define ML_MAX_CLASSES 1000

typedef struct MlModel
{
	const MlAlgo *algo;
	MlTask task;
	char *target;       /* its name; "" when positional */
	uint32_t n_classes; /* classification; else 0 */
	char **classes;     /* labels; for binary the positive one is class 1 */
	uint32_t n_outputs; /* 1, or n_classes when there are more than two */
	MlSchema *schema;   /* of the columns: what a row binds to */
	MlPrep *prep;       /* between these and the algorithm; NULL: it sees the columns' features */
	void *fitted;
	MlCalibration *calibration; /* NULL: the algorithm's probabilities stand */
	double threshold;           /* two classes: class 1 when its probability is greater */
} MlModel;

#define ML_THRESHOLD_DEFAULT 0.5

/* The features that the algorithm sees: what importance, coefficients, nodes and contributions speak of. */
static inline const MlSchema *
ml_model_features(const MlModel *model)
{
	return model->prep ? model->prep->schema : model->schema;
}

/*
 * Fit the algorithm of a model: the recipe first, if the dataset has a plan for one, to the same rows. The recipe and
 * what is fitted live in arena.
 */
extern MlStatus ml_model_fit(MlEnv *env, MlArena *arena, const MlFitInput *input,
							 MlFitReport *report, MlModel *model);

extern MlStatus ml_image_encode(MlEnv *env, const MlModel *model, const char *info, size_t info_len,
								MlBuffer *out);
extern MlStatus ml_image_decode(MlArena *arena, const void *data, size_t len, MlModel **model);

/* HEAD, SCHM and INFO without decoding the model; info points into the data. model->fitted is NULL. */
extern MlStatus ml_image_open(MlArena *arena, const void *data, size_t len, MlModel **model,
							  const char **info, size_t *info_len);

/*
 * probs: n_classes probabilities that sum to 1, or the value of a regression in probs[0]. x: the features that the
 * algorithm sees, made of those of the columns by ml_prep_row where there is a recipe.
 */
extern void ml_model_predict(const MlModel *model, const double *x, double *probs);

/* The class that probabilities of ml_model_predict mean: by the threshold, or the first most probable. */
extern uint32_t ml_model_class(const MlModel *model, const double *probs);

/*
 * Outputs of rows of a dataset of the columns (no view), on all threads: n_outputs each, calibrated (P(class 1) for
 * two classes).
 */
extern MlStatus ml_model_predict_rows(MlEnv *env, const MlModel *model, const MlDataset *data,
									  const MlRows *rows, double *out);

/* Features that get other values than their rows have: constants, or those of other rows. */
typedef struct MlChange
{
	const uint32_t *features;
	uint32_t n;
	const double *values; /* n constants; NULL: */
	MlRows from; /* row i gets the values of from's row i; its indexes may be in any order */
} MlChange;

/* The same with a change; NULL: none. */
extern MlStatus ml_model_predict_changed(MlEnv *env, const MlModel *model, const MlDataset *data,
										 const MlRows *rows, const MlChange *change, double *out);

#endif /* ML_MODEL_H */
