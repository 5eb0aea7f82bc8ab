/*
 * regression_sums.h
 *		Metrics of predicted numbers, from sums that merge.
 */
#ifndef ML_REGRESSION_SUMS_H
#define ML_REGRESSION_SUMS_H

#include "core/buffer.h"

/* e = actual - predicted. A zeroed struct is an empty state. */
typedef struct MlRegressionSums
{
	uint64_t n; /* rows with a weight */
	double weight;
	double absolute;      /* sum of |e| */
	double square;        /* sum of e^2 */
	double percentage;    /* sum of |e| / |actual| */
	double origin;        /* the first actual value: the mean of actual counts from it */
	double mean_y, var_y; /* of actual - origin: mean, and sum of squares around it */
	double mean_e, var_e; /* of e */
} MlRegressionSums;

extern void ml_regression_add(MlRegressionSums *sums, double actual, double predicted,
							  double weight);
extern void ml_regression_merge(MlRegressionSums *sums, const MlRegressionSums *other);
extern void ml_regression_save(const MlRegressionSums *sums, MlBuffer *out);
extern MlStatus ml_regression_load(MlReader *in, MlRegressionSums *sums);

/* NaN: no rows; r2 and explained variance: fewer than two rows, or actual values that are all the same. */
extern double ml_regression_mse(const MlRegressionSums *sums);
extern double ml_regression_rmse(const MlRegressionSums *sums);
extern double ml_regression_mae(const MlRegressionSums *sums);
extern double ml_regression_mape(const MlRegressionSums *sums);
extern double ml_regression_r2(const MlRegressionSums *sums);
extern double ml_regression_explained_variance(const MlRegressionSums *sums);

#endif /* ML_REGRESSION_SUMS_H */
