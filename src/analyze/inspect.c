/*
 * inspect.c
 *		Look into a model: its facts, its coefficients, the importance of its features.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "analyze/inspect.h"
#include "pg/bridge.h"
#include "pg/rows.h"

PG_FUNCTION_INFO_V1(mlplat_model_info);
PG_FUNCTION_INFO_V1(mlplat_coefficients);
PG_FUNCTION_INFO_V1(mlplat_feature_importance);

/* The image of a model in the registry. */
static void
fetch_registered(MlplatInspected *inspected, const char *reference)
{
	inspected->registered = true;
	inspected->ref = mlplat_find_version(reference);
	inspected->image = mlplat_fetch_image(inspected->ref.version_id);
}

MlplatInspected *
mlplat_inspect(FunctionCallInfo fcinfo)
{
	MlplatInspected *inspected = palloc0(sizeof *inspected);
	MlModel *head;
	const char *data;
	size_t len;

	if (get_fn_expr_argtype(fcinfo->flinfo, 0) == BYTEAOID)
		inspected->image = PG_GETARG_BYTEA_PP(0);
	else
		fetch_registered(inspected, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	data = VARDATA_ANY(inspected->image);
	len = VARSIZE_ANY_EXHDR(inspected->image);
	inspected->env = mlplat_env_create(CurrentMemoryContext, "inspect");
	ml_arena_init(&inspected->arena, inspected->env);
	mlplat_check(inspected->env, ml_image_decode(&inspected->arena, data, len, &inspected->model));
	mlplat_check(inspected->env, ml_image_open(&inspected->arena, data, len, &head,
											   &inspected->info, &inspected->info_len));
	return inspected;
}

const char *
mlplat_group_label(const MlModel *model, int index)
{
	if (index < 0)
		return NULL;
	if (model->task == ML_CLUSTERING)
		return psprintf("%d", index);
	if (model->task == ML_DECOMPOSITION)
		return psprintf("%d", index + 1);
	return (uint32) index < model->n_classes ? model->classes[index] : NULL;
}

/* model_info(model): the facts of an image as jsonb. */
Datum
mlplat_model_info(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	char *text = pnstrdup(inspected->info, inspected->info_len);

	mlplat_env_delete(inspected->env);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* ---- coefficients ---- */

typedef struct CoefficientSink
{
	Tuplestorestate *rows;
	TupleDesc desc;
	const MlModel *model;
} CoefficientSink;

/* One row; NaN is NULL. */
static MlStatus
put_coefficient(void *arg, const MlCoefficient *row)
{
	CoefficientSink *sink = arg;
	const char *label = mlplat_group_label(sink->model, row->class_index);
	double figures[4] = {row->value, row->std_error, row->statistic, row->p_value};
	Datum values[6];
	bool nulls[6] = {0};

	values[0] = CStringGetTextDatum(row->feature);
	nulls[1] = label == NULL;
	values[1] = label ? CStringGetTextDatum(label) : (Datum) 0;
	for (int i = 0; i < 4; i++)
	{
		nulls[i + 2] = isnan(figures[i]);
		values[i + 2] = Float8GetDatum(figures[i]);
	}
	tuplestore_putvalues(sink->rows, sink->desc, values, nulls);
	return ML_OK;
}

/* coefficients(model): one row a coefficient, and a class where there are several. */
Datum
mlplat_coefficients(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlAlgo *algo = inspected->model->algo;
	CoefficientSink sink = {.model = inspected->model};

	if (!algo->coefficients)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" has no coefficients", algo->name),
						errhint("See mlplat.feature_importance.")));
	sink.rows = mlplat_rows_begin(fcinfo, &sink.desc);
	mlplat_check(inspected->env,
				 algo->coefficients(inspected->env, inspected->model->fitted,
									inspected->model->schema, put_coefficient, &sink));
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}

/* ---- importance ---- */

/* feature_importance(model): shares of the features, that sum to 1. */
Datum
mlplat_feature_importance(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlModel *model = inspected->model;
	uint32 n = model->schema->n_features;
	double *gain = palloc0(sizeof(double) * (n + 1));
	double sum = 0;
	Tuplestorestate *rows;
	TupleDesc desc;

	if (!model->algo->importance)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("a model of algorithm \"%s\" does not tell the importance of its features",
						model->algo->name)));
	rows = mlplat_rows_begin(fcinfo, &desc);
	model->algo->importance(model->fitted, gain);
	for (uint32 j = 0; j < n; j++)
		sum += gain[j];
	for (uint32 j = 0; j < n; j++)
	{
		Datum values[2] = {CStringGetTextDatum(model->schema->features[j].name),
						   Float8GetDatum(sum > 0 ? gain[j] / sum : 0)};
		bool nulls[2] = {0};

		tuplestore_putvalues(rows, desc, values, nulls);
	}
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}
