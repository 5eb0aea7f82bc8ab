/*
 * metrics_common.c
 *		What the metric aggregates share.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "utils/float.h"

#include "analyze/metrics_common.h"

void
mlplat_metrics_register(void)
{
	mlplat_class_metrics_register();
	mlplat_rank_metrics_register();
	mlplat_regression_metrics_register();
	mlplat_cluster_metrics_register();
}

/*
 * One environment for all calls: it has more than a kilobyte of room for messages, which a state of
 * each of many groups need not carry.
 */
MlEnv *
mlplat_metric_env(MemoryContext context)
{
	static MlEnv env;

	if (!env.alloc)
		mlplat_env_init(&env, context);
	env.ctx = context;
	env.used = 0;
	env.error[0] = env.hint[0] = '\0';
	return &env;
}

bool
mlplat_metric_skips(FunctionCallInfo fcinfo)
{
	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return true;
	return false;
}

MlState *
mlplat_metric_state(FunctionCallInfo fcinfo, const MlStateKind *kind, Size size)
{
	MemoryContext aggcontext = mlplat_agg_context(fcinfo);
	MlState *state;

	if (!PG_ARGISNULL(0))
		return mlplat_state_get_rw(PG_GETARG_DATUM(0), kind, aggcontext);
	state = mlplat_state_new(kind, aggcontext);
	state->data = MemoryContextAllocZero(mlplat_state_context(state), size);
	return state;
}

double
mlplat_metric_weight(FunctionCallInfo fcinfo, int arg)
{
	double weight;

	if (arg >= PG_NARGS())
		return 1;
	weight = PG_GETARG_FLOAT8(arg);
	if (!(weight >= 0) || isinf(weight))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("weight must be finite and not negative, not %s",
							   float8out_internal(weight))));
	return weight;
}

void
mlplat_metric_check_finite(double value, const char *what)
{
	if (!isfinite(value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be finite, not %s", what, float8out_internal(value))));
}

uint64
mlplat_metric_label(FunctionCallInfo fcinfo, int arg, MlLabelType type)
{
	double value;

	if (type == ML_LABEL_BOOL)
		return ml_label_bool(PG_GETARG_BOOL(arg)).bits;
	if (type == ML_LABEL_INT)
		return ml_label_int(PG_GETARG_INT64(arg)).bits;
	value = PG_GETARG_FLOAT8(arg);
	mlplat_metric_check_finite(value, "label");
	return ml_label_real(value).bits;
}

Datum
mlplat_metric_result(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	if (isinf(value))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}
