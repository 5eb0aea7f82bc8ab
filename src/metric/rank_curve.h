/*
 * rank_curve.h
 *		ROC, precision-recall, KS and lift curves, calibration and stability of the scores of two classes.
 */
#ifndef ML_RANK_CURVE_H
#define ML_RANK_CURVE_H

#include "metric/ranking.h"

#define ML_MIN_CURVE_POINTS 8
#define ML_CURVE_COLUMNS 3

/* The distinct scores from the highest down; tp, fp: weight of positive and negative rows with at least that score. */
typedef struct MlRankPoint
{
	double score, tp, fp;
} MlRankPoint;

typedef struct MlRankCurve
{
	MlRankPoint *points;
	size_t n, capacity;
	double p, q; /* weight of all positives and negatives */
} MlRankCurve;

/* At most max_points (ML_MIN_CURVE_POINTS or more) points with the one that ml_curve_cell adds. Both classes have rows. */
extern MlStatus ml_rank_curve(MlEnv *env, const MlScores *negative, const MlScores *positive,
							  size_t max_points, MlRankCurve *curve);
extern void ml_rank_curve_free(MlEnv *env, MlRankCurve *curve);

typedef enum MlCurveId
{
	ML_ROC,
	ML_PR,
	ML_KS,
	ML_LIFT
} MlCurveId;
#define ML_N_CURVES 4

typedef struct MlCurveKind
{
	const char *name;
	bool
		upwards; /* from the lowest score up, the added point last; else from the highest down, it first */
	struct
	{
		const char *name;
		int value;    /* which figure of a point */
		double added; /* what the added point has; NaN: what its neighbour has */
	} columns[ML_CURVE_COLUMNS];
} MlCurveKind;

extern const MlCurveKind ml_curve_kinds[ML_N_CURVES]; /* by MlCurveId */

/* Row i (0 to curve->n) of a curve. */
extern double ml_rank_curve_cell(const MlRankCurve *curve, const MlCurveKind *kind, size_t i,
								 int column);

/* ---- how often what was said to be 70 % happens: ten bins of equal width */

#define ML_CALIBRATION_BINS 10

typedef struct MlCalibrationBins
{
	double predicted[ML_CALIBRATION_BINS], observed[ML_CALIBRATION_BINS]; /* weighted sums */
	double weight[ML_CALIBRATION_BINS];
} MlCalibrationBins;

extern const char *const ml_calibration_columns[ML_CURVE_COLUMNS]; /* predicted, observed, count */

/* p in [0, 1]; y 0 or 1. */
extern void ml_calibration_add(MlCalibrationBins *bins, double p, double y, double weight);
extern double ml_calibration_cell(const MlCalibrationBins *bins, int bin, int column);

/* The same of two sets of scores; ML_EDATA when one is no probability. */
extern MlStatus ml_calibration_of(MlEnv *env, const MlScores *negative, const MlScores *positive,
								  MlCalibrationBins *bins);

/*
 * Population stability index of values against reference ones: sum over bins of (a - r) ln(a / r), where a and r are
 * the shares in ten bins of equal reference weight (fewer where values repeat); a share of zero counts as 0.0001.
 * NaN when either has none.
 */
extern MlStatus ml_stability_index(MlEnv *env, const MlScores *reference, const MlScores *values,
								   double *psi);

#endif /* ML_RANK_CURVE_H */
