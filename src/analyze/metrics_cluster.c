/*
 * metrics_cluster.c
 *		The aggregate silhouette(label, features): how well clusters are apart.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "analyze/metrics_common.h"
#include "core/rng.h"
#include "metric/labelled_points.h"

PG_FUNCTION_INFO_V1(mlplat_silhouette_text_transfn);
PG_FUNCTION_INFO_V1(mlplat_silhouette_real_transfn);
PG_FUNCTION_INFO_V1(mlplat_silhouette_finalfn);

static void
points_merge(void *data, const void *other, MemoryContext context)
{
	MlEnv *env = mlplat_metric_env(context);

	mlplat_check(env, ml_points_merge(data, env, other));
}

static void
points_save(const void *data, MlBuffer *out)
{
	ml_points_save(data, out);
}

static void *
points_load(MlReader *in, MemoryContext context)
{
	MlLabelledPoints *points = MemoryContextAllocZero(context, sizeof *points);

	return mlplat_state_loaded(in, ml_points_load(in, in->env, points), points);
}

static const MlStateKind points_kind = {
	.code = MLPLAT_STATE_POINTS,
	.name = "clustering metrics",
	.merge = points_merge,
	.save = points_save,
	.load = points_load,
};

void
mlplat_cluster_metrics_register(void)
{
	mlplat_state_register(&points_kind);
}

/* Add a row whose label is these 64 bits. */
static Datum
add_point(FunctionCallInfo fcinfo, uint64 label)
{
	ArrayType *features = PG_GETARG_ARRAYTYPE_P(2);
	int n = ArrayGetNItems(ARR_NDIM(features), ARR_DIMS(features));
	MlState *state;
	MlEnv *env;

	if (ARR_HASNULL(features))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("features must not hold NULL"),
				 errhint("Use coalesce, or leave such rows out with FILTER.")));
	state = mlplat_metric_state(fcinfo, &points_kind, sizeof(MlLabelledPoints));
	env = mlplat_metric_env(mlplat_state_context(state));
	mlplat_check(env, ml_points_add(state->data, env, label, (double *) ARR_DATA_PTR(features),
									(size_t) n, 1));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

Datum
mlplat_silhouette_text_transfn(PG_FUNCTION_ARGS)
{
	text *label;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	label = PG_GETARG_TEXT_PP(1);
	return add_point(fcinfo, ml_hash_bytes(VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label), 0));
}

Datum
mlplat_silhouette_real_transfn(PG_FUNCTION_ARGS)
{
	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	return add_point(fcinfo, mlplat_metric_label(fcinfo, 1, ML_LABEL_REAL));
}

Datum
mlplat_silhouette_finalfn(PG_FUNCTION_ARGS)
{
	const MlState *state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &points_kind);
	MlEnv *env = mlplat_env_create(CurrentMemoryContext, "silhouette");
	double mean;
	MlStatus status = ml_points_silhouette(state->data, env, &mean);

	ml_env_close(env);
	mlplat_check(env, status);
	mlplat_env_delete(env);
	return mlplat_metric_result(fcinfo, mean);
}
