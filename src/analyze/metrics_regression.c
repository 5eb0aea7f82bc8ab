/*
 * metrics_regression.c
 *		Aggregates over (actual, predicted) numbers: mse, rmse, mae, mape, r2, explained_variance.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "utils/float.h"

#include "analyze/metrics_common.h"
#include "metric/regression_sums.h"

PG_FUNCTION_INFO_V1(mlplat_regression_transfn);
PG_FUNCTION_INFO_V1(mlplat_mse_finalfn);
PG_FUNCTION_INFO_V1(mlplat_rmse_finalfn);
PG_FUNCTION_INFO_V1(mlplat_mae_finalfn);
PG_FUNCTION_INFO_V1(mlplat_mape_finalfn);
PG_FUNCTION_INFO_V1(mlplat_r2_finalfn);
PG_FUNCTION_INFO_V1(mlplat_explained_variance_finalfn);

static void
regression_merge(void *data, const void *other, MemoryContext context)
{
	(void) context;
	ml_regression_merge(data, other);
}

static void
regression_save(const void *data, MlBuffer *out)
{
	ml_regression_save(data, out);
}

static void *
regression_load(MlReader *in, MemoryContext context)
{
	MlRegressionSums *sums = MemoryContextAllocZero(context, sizeof(MlRegressionSums));

	return mlplat_state_loaded(in, ml_regression_load(in, sums), sums);
}

static const MlStateKind regression_kind = {
	.code = MLPLAT_STATE_REGRESSION,
	.name = "regression metrics",
	.merge = regression_merge,
	.save = regression_save,
	.load = regression_load,
};

void
mlplat_regression_metrics_register(void)
{
	mlplat_state_register(&regression_kind);
}

Datum
mlplat_regression_transfn(PG_FUNCTION_ARGS)
{
	MlState *state;
	double actual, predicted, weight;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	actual = PG_GETARG_FLOAT8(1);
	predicted = PG_GETARG_FLOAT8(2);
	weight = mlplat_metric_weight(fcinfo, 3);
	mlplat_metric_check_finite(actual, "actual value");
	mlplat_metric_check_finite(predicted, "predicted value");
	state = mlplat_metric_state(fcinfo, &regression_kind, sizeof(MlRegressionSums));
	ml_regression_add(state->data, actual, predicted, weight);
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

static Datum
regression_result(FunctionCallInfo fcinfo, double (*metric)(const MlRegressionSums *))
{
	const MlRegressionSums *sums = mlplat_state_get_ro(PG_GETARG_DATUM(0), &regression_kind)->data;

	/* Squares of huge values: say so, rather than let infinities cancel. */
	if (!isfinite(sums->square) || !isfinite(sums->var_y) || !isfinite(sums->var_e))
		float_overflow_error();
	return mlplat_metric_result(fcinfo, metric(sums));
}

Datum
mlplat_mse_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_mse);
}

Datum
mlplat_rmse_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_rmse);
}

Datum
mlplat_mae_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_mae);
}

Datum
mlplat_mape_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_mape);
}

Datum
mlplat_r2_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_r2);
}

Datum
mlplat_explained_variance_finalfn(PG_FUNCTION_ARGS)
{
	return regression_result(fcinfo, ml_regression_explained_variance);
}
