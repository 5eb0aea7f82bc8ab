/*
 * inspect.c
 *		Look into a model: its facts, its coefficients, the importance of its features.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "analyze/inspect.h"
#include "metric/metric.h"
#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/rows.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_model_info);
PG_FUNCTION_INFO_V1(mlplat_coefficients);
PG_FUNCTION_INFO_V1(mlplat_feature_importance);
PG_FUNCTION_INFO_V1(mlplat_image_has);
PG_FUNCTION_INFO_V1(mlplat_transform_names);

/* ---- opening ---- */

/* Decode the image. */
static MlplatInspected *
open_image(MlplatInspected *inspected)
{
	const char *data = VARDATA_ANY(inspected->image);
	size_t len = VARSIZE_ANY_EXHDR(inspected->image);
	MlModel *head;

	inspected->env = mlplat_env_create(CurrentMemoryContext, "inspect");
	ml_arena_init(&inspected->arena, inspected->env);
	mlplat_check(inspected->env, ml_image_decode(&inspected->arena, data, len, &inspected->model));
	mlplat_check(inspected->env, ml_image_open(&inspected->arena, data, len, &head,
											   &inspected->info, &inspected->info_len));
	return inspected;
}

MlplatInspected *
mlplat_inspect_model(const char *reference)
{
	MlplatInspected *inspected = palloc0(sizeof *inspected);

	inspected->registered = true;
	inspected->ref = mlplat_find_version(reference);
	inspected->image = mlplat_fetch_image(inspected->ref.version_id);
	return open_image(inspected);
}

MlplatInspected *
mlplat_inspect(FunctionCallInfo fcinfo)
{
	MlplatInspected *inspected;

	if (get_fn_expr_argtype(fcinfo->flinfo, 0) != BYTEAOID)
		return mlplat_inspect_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	inspected = palloc0(sizeof *inspected);
	inspected->image = PG_GETARG_BYTEA_PP(0);
	return open_image(inspected);
}

/* ---- arguments ---- */

/* What argument 0 is called. */
static const char *
model_argument(FunctionCallInfo fcinfo)
{
	switch (get_fn_expr_argtype(fcinfo->flinfo, 0))
	{
		case BYTEAOID:
			return "image";
		case TEXTARRAYOID:
			return "models";
		default:
			return "model";
	}
}

char *
mlplat_query_argument(FunctionCallInfo fcinfo, const char *function)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("arguments \"%s\" and \"query\" of %s must not be NULL",
							   model_argument(fcinfo), function)));
	return mlplat_text_argument(fcinfo, 1);
}

const char *
mlplat_choose_metric(const MlModel *model, const char *wish, const char *what)
{
	bool classes = model->task == ML_CLASSIFICATION;

	if (!classes && model->task != ML_REGRESSION)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("%s needs a model with a target; this one does %s", what,
							   ml_task_name(model->task))));
	if (!wish)
		return classes ? "log_loss" : "rmse";
	if (!ml_metric_known(wish, classes, model->n_classes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" is not one of %s", wish,
						classes ? model->n_classes == 2 ? "binary classification"
														: "multiclass classification"
								: "regression"),
				 errhint("For instance: %s.", classes ? "log_loss, accuracy" : "rmse, mae, r2")));
	return wish;
}

const char *
mlplat_choose_target(const MlModel *model, const char *wish)
{
	if (!wish && model->target[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model's target has no name"),
				 errhint("Name the column that has it: target => '...'.")));
	return wish ? wish : model->target;
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

/* ---- the numbers of transform ---- */

/* What number k of transform is called: "pc1", "distance_0", or as the prepared feature is. */
static const char *
component_name(const MlModel *model, uint32 k)
{
	if (!model->algo->component)
		return ml_model_features(model)->features[k].name;
	return psprintf("%s%u", model->algo->component, model->algo->first_component + k);
}

/* transform_names(model): the names of what transform returns, in its order. */
Datum
mlplat_transform_names(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlModel *model = inspected->model;
	Datum *names;
	uint32 n;

	if (!model->algo->transform)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" transforms nothing", model->algo->name),
						errhint("See mlplat.feature_importance for the names of its features.")));
	n = model->algo->n_components(model->fitted);
	names = palloc(sizeof(Datum) * (n + 1));
	for (uint32 k = 0; k < n; k++)
		names[k] = CStringGetTextDatum(component_name(model, k));
	mlplat_env_delete(inspected->env);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
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
	sink.rows = mlplat_rows_begin(fcinfo, 6, &sink.desc);
	mlplat_check(inspected->env,
				 algo->coefficients(inspected->env, inspected->model->fitted,
									ml_model_features(inspected->model), put_coefficient, &sink));
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}

/* ---- importance ---- */

/* Count the splits of a feature. */
static MlStatus
count_split(void *arg, const MlNode *node)
{
	double *counts = arg;

	if (!node->is_leaf)
		counts[node->feature]++;
	return ML_OK;
}

/* What feature_importance tells: argument 1. */
static bool
wants_splits(FunctionCallInfo fcinfo)
{
	char *kind;

	mlplat_need_arguments(fcinfo, 2);
	kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(kind, "gain") != 0 && strcmp(kind, "split") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"kind\" must be gain or split, not \"%s\"", kind),
						errhint("See also mlplat.permutation_importance.")));
	return strcmp(kind, "split") == 0;
}

/* The figures of all features, not normalised. */
static void
read_importance(const MlplatInspected *inspected, bool splits, double *figures)
{
	const MlModel *model = inspected->model;
	const MlAlgo *algo = model->algo;

	if (splits && !algo->nodes)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" has no splits", algo->name)));
	if (!splits && !algo->importance)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("a model of algorithm \"%s\" does not tell the importance of its features",
						algo->name),
				 errhint("mlplat.permutation_importance measures it for any model.")));
	if (splits)
		mlplat_check(inspected->env, algo->nodes(inspected->env, model->fitted,
												 ml_model_features(model), count_split, figures));
	else
		algo->importance(model->fitted, figures);
}

/* feature_importance(model, kind): shares of the features, that sum to 1; or how many splits each has. */
Datum
mlplat_feature_importance(PG_FUNCTION_ARGS)
{
	bool splits = wants_splits(fcinfo);
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlSchema *schema = ml_model_features(inspected->model);
	double *figures = palloc0(sizeof(double) * (schema->n_features + 1));
	double sum = 0;
	Tuplestorestate *rows;
	TupleDesc desc;

	read_importance(inspected, splits, figures);
	rows = mlplat_rows_begin(fcinfo, 2, &desc);
	for (uint32 j = 0; j < schema->n_features; j++)
		sum += figures[j];
	for (uint32 j = 0; j < schema->n_features; j++)
	{
		double share = sum > 0 ? figures[j] / sum : 0;
		Datum values[2] = {CStringGetTextDatum(schema->features[j].name),
						   Float8GetDatum(splits ? figures[j] : share)};
		bool nulls[2] = {0};

		tuplestore_putvalues(rows, desc, values, nulls);
	}
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}

/* ---- for views, which must not fail on a row ---- */

/* Does an algorithm tell this of its models? */
static bool
tells(const MlAlgo *algo, const char *part)
{
	if (strcmp(part, "coefficients") == 0)
		return algo->coefficients != NULL;
	if (strcmp(part, "nodes") == 0)
		return algo->nodes != NULL;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("argument \"part\" must be coefficients or nodes, not \"%s\"", part)));
}

/* image_has(image, part): false for bytes that are no sound image. */
Datum
mlplat_image_has(PG_FUNCTION_ARGS)
{
	bytea *image = PG_GETARG_BYTEA_PP(0);
	char *part = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MlEnv *env = mlplat_env_create(CurrentMemoryContext, "inspect");
	MlArena arena;
	MlModel *model;
	MlStatus status;
	bool result;

	(void) tells(ml_algorithms[0], part); /* throws for another part, whatever the image */
	ml_arena_init(&arena, env);
	status = ml_image_decode(&arena, VARDATA_ANY(image), VARSIZE_ANY_EXHDR(image), &model);
	if (status != ML_OK && status != ML_ECORRUPT && status != ML_EINVAL)
		mlplat_check(env, status);
	result = status == ML_OK && tells(model->algo, part);
	mlplat_env_delete(env);
	PG_RETURN_BOOL(result);
}
