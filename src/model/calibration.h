/*
 * calibration.h
 *		From a classifier's probabilities to calibrated ones: Platt's sigmoid, isotonic regression.
 *
 * A *map* takes the probability of one class to a calibrated one. Two classes
 * have one map, of class 1; more have one each, and the results are normalised
 * (one against the rest). Maps are fitted on predictions of rows that the
 * model has not seen.
 */
#ifndef ML_CALIBRATION_H
#define ML_CALIBRATION_H

#include "core/buffer.h"

typedef enum MlCalibrationKind
{
	ML_CALIBRATION_NONE = 0,
	ML_CALIBRATION_PLATT,
	ML_CALIBRATION_ISOTONIC
} MlCalibrationKind;
#define ML_N_CALIBRATIONS 3

typedef struct MlCalibrationMap
{
	/* Platt: 1 / (1 + exp(-(slope * f + intercept))), f the log-odds of p, or p itself */
	double slope, intercept;
	bool log_odds;
	/* isotonic: linear between knots, flat outside; x and y ascend */
	uint32_t n_knots;
	double *x, *y;
} MlCalibrationMap;

typedef struct MlCalibration
{
	MlCalibrationKind kind;
	uint32_t n_maps;
	MlCalibrationMap *maps;
} MlCalibration;

/* Predictions to fit on: of n rows the n_outputs probabilities, the class, the weight. */
typedef struct MlCalibrationRows
{
	size_t n;
	uint32_t n_outputs; /* 1: P(class 1) of two classes; else one a class */
	const double *probs;
	const double *actual; /* class index */
	const double *weight; /* NULL: ones */
} MlCalibrationRows;

/* Maps for all outputs, in the arena. Every class needs a row of weight and a row of another class. */
extern MlStatus ml_calibration_fit(MlArena *arena, MlCalibrationKind kind,
								   const MlCalibrationRows *rows, MlCalibration **calibration);

/* n_maps probabilities in place: P(class 1), or of all classes, which then sum to 1. Allocates nothing. */
extern void ml_calibration_apply(const MlCalibration *calibration, double *probs);

extern const char *ml_calibration_name(MlCalibrationKind kind);
extern void ml_calibration_save(const MlCalibration *calibration, MlBuffer *out);
extern MlStatus ml_calibration_load(MlReader *in, MlArena *arena, uint32_t n_outputs,
									MlCalibration **calibration);

#endif /* ML_CALIBRATION_H */
