/*
 * effects.c
 *		What inputs do to predictions: permutation_importance, partial_dependence.
 *
 * The query is read once, into a frame; everything after that is pure code on
 * all threads.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "analyze/inspect.h"
#include "metric/metric.h"
#include "model/effects.h"
#include "pg/arguments.h"
#include "pg/binder.h"
#include "pg/bridge.h"
#include "pg/model_rows.h"
#include "pg/progress.h"
#include "pg/rows.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_permutation_importance);
PG_FUNCTION_INFO_V1(mlplat_partial_dependence);

#define MAX_REPEATS 1000
#define MAX_POINTS 10000

/* ---- arguments ---- */

/* Check how many there are; the query. */
static char *
inspect_arguments(FunctionCallInfo fcinfo, int n_arguments, const char *function)
{
	mlplat_need_arguments(fcinfo, n_arguments);
	return mlplat_query_argument(fcinfo, function);
}

/* An integer within bounds, or the default when NULL. */
static uint32
count_argument(FunctionCallInfo fcinfo, int argument, const char *name, int fallback, int most)
{
	int32 value = PG_ARGISNULL(argument) ? fallback : PG_GETARG_INT32(argument);

	if (value < 1 || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be between 1 and %d, not %d", name, most, value)));
	return (uint32) value;
}

/* ---- permutation importance ---- */

typedef struct RankedInput
{
	uint32 input;
	MlImportance importance;
} RankedInput;

/* The more important first; what is not defined last. */
static int
compare_inputs(const void *a, const void *b)
{
	const RankedInput *x = a, *y = b;
	double p = isnan(x->importance.mean) ? -INFINITY : x->importance.mean;
	double q = isnan(y->importance.mean) ? -INFINITY : y->importance.mean;

	if (p != q)
		return p < q ? 1 : -1;
	return x->input < y->input ? -1 : x->input > y->input;
}

/* An input as the query calls it. */
static const char *
input_name(const MlSchema *schema, uint32 k)
{
	return schema->inputs[k].name[0] ? schema->inputs[k].name
									 : schema->features[schema->inputs[k].first_feature].name;
}

static void
put_importance(FunctionCallInfo fcinfo, const MlSchema *schema, const MlImportance *importance)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 3, &desc);
	RankedInput *ranked = palloc(sizeof *ranked * (schema->n_inputs + 1));

	for (uint32 k = 0; k < schema->n_inputs; k++)
		ranked[k] = (RankedInput){k, importance[k]};
	qsort(ranked, schema->n_inputs, sizeof *ranked, compare_inputs);
	for (uint32 k = 0; k < schema->n_inputs; k++)
	{
		const MlImportance *one = &ranked[k].importance;
		Datum values[3] = {CStringGetTextDatum(input_name(schema, ranked[k].input)),
						   Float8GetDatum(one->mean), Float8GetDatum(one->stddev)};
		bool nulls[3] = {false, isnan(one->mean), isnan(one->stddev)};

		tuplestore_putvalues(rows, desc, values, nulls);
	}
}

/* permutation_importance(model, query, metric, repeats, seed, target, weight) -> feature, importance, stddev */
Datum
mlplat_permutation_importance(PG_FUNCTION_ARGS)
{
	char *query = inspect_arguments(fcinfo, 7, "permutation_importance");
	uint32 repeats = count_argument(fcinfo, 3, "repeats", 5, MAX_REPEATS);
	int32 seed = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlModel *model = inspected->model;
	const char *metric =
		mlplat_choose_metric(model, mlplat_text_argument(fcinfo, 2), "permutation_importance");
	const char *target = mlplat_choose_target(model, mlplat_text_argument(fcinfo, 5));
	MlImportance *importance = palloc0(sizeof *importance * (model->schema->n_inputs + 1));
	MlplatModelRows *rows;
	MlStatus status;

	mlplat_progress_begin(inspected->env, inspected->registered ? inspected->ref.name : NULL,
						  model->algo->name);
	rows = mlplat_read_model_rows(&inspected->arena, model, query, target,
								  mlplat_text_argument(fcinfo, 6));
	ml_phase(inspected->env, "permuting", 0, 0);
	status = ml_permutation_importance(inspected->env, model, &rows->data, metric, repeats,
									   (uint64) (uint32) seed, importance);
	ml_env_close(inspected->env);
	mlplat_check(inspected->env, status);
	put_importance(fcinfo, model->schema, importance);
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}

/* ---- partial dependence ---- */

/* The input or feature that the argument names. */
static void
find_feature(const MlModel *model, const char *name, MlDependence *wanted)
{
	const MlSchema *schema = model->schema;
	const char **names = palloc(sizeof(char *) * (schema->n_features + 1));
	const char *near;

	if (!name)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"feature\" of partial_dependence must not be NULL")));
	if (ml_dependence_find(schema, name, wanted))
		return;
	for (uint32 j = 0; j < schema->n_features; j++)
		names[j] = schema->features[j].name;
	near = ml_nearest(name, names, schema->n_features);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the model has no feature \"%s\"", name),
			 near ? errhint("Did you mean \"%s\"?", near) : 0));
}

/* The quantiles that are wanted of single predictions. */
static void
read_quantiles(FunctionCallInfo fcinfo, int argument, MlDependence *wanted)
{
	ArrayType *array;
	double *quantiles;
	int n;

	if (PG_ARGISNULL(argument))
		return;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	quantiles = (double *) ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		if (ARR_HASNULL(array) || !(quantiles[i] >= 0 && quantiles[i] <= 1))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("argument \"quantiles\" must hold numbers between 0 and 1")));
	}
	wanted->n_quantiles = (uint32) n;
	wanted->quantiles = quantiles;
}

/* Averages of clusters' numbers mean nothing, and some models have no prediction at all. */
static void
refuse_task(const MlModel *model)
{
	if (model->task == ML_CLUSTERING || model->task == ML_DECOMPOSITION || !model->algo->predict)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("partial_dependence needs a model that predicts a number or "
							   "probabilities; this one does %s",
							   ml_task_name(model->task))));
}

/* A date or time as people read it; NULL: another kind of input. */
static char *
date_text(const MlInput *input, double raw)
{
	Oid type = input->kind == ML_TIMESTAMP ? TIMESTAMPOID : DATEOID;

	if ((input->kind != ML_DATE && input->kind != ML_TIMESTAMP) || !isfinite(raw))
		return NULL;
	return mlplat_level_text(type, type == TIMESTAMPOID
									   ? TimestampGetDatum((Timestamp) raw)
									   : DateADTGetDatum((DateADT) floor(raw / USECS_PER_DAY)));
}

/* The value of a point: a number, or a text for levels and dates. */
static void
put_value(const MlSchema *schema, const MlDependence *wanted, double raw, Datum *values,
		  bool *nulls)
{
	const MlFeature *feature = &schema->features[wanted->feature];
	const MlInput *input = &schema->inputs[wanted->input];
	const char *text = NULL;

	if (feature->categorical && !isnan(raw))
		text = raw < 0 || raw >= ml_dict_size(input->levels)
				   ? "(not seen in training)"
				   : ml_dict_text(input->levels, (uint32) raw);
	else if (wanted->whole_input)
		text = date_text(input, raw);
	nulls[0] = isnan(raw) || text != NULL;
	values[0] = Float8GetDatum(raw);
	nulls[1] = text == NULL;
	values[1] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* The quantiles of one output as an array. */
static Datum
quantile_array(const double *quantiles, uint32 n)
{
	Datum *items = palloc(sizeof(Datum) * (n + 1));

	for (uint32 q = 0; q < n; q++)
		items[q] = Float8GetDatum(quantiles[q]);
	return PointerGetDatum(construct_array(items, (int) n, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* One row a point, and a class where there are several. */
static void
put_points(FunctionCallInfo fcinfo, const MlModel *model, const MlDependence *wanted,
		   const MlDependencePoint *points, uint32 n_points, size_t n_rows)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 6, &desc);

	for (uint32 i = 0; i < n_points; i++)
	{
		for (uint32 k = 0; k < model->n_outputs; k++)
		{
			uint32 class = model->n_classes == 2 ? 1 : k;
			Datum values[6];
			bool nulls[6] = {0};

			put_value(model->schema, wanted, points[i].raw, values, nulls);
			nulls[2] = model->n_classes == 0;
			values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(model->classes[class]);
			values[3] = Float8GetDatum(points[i].mean[k]);
			nulls[4] = wanted->n_quantiles == 0;
			values[4] = nulls[4] ? (Datum) 0
								 : quantile_array(points[i].quantiles + k * wanted->n_quantiles,
												  wanted->n_quantiles);
			values[5] = Int64GetDatum((int64) n_rows);
			tuplestore_putvalues(rows, desc, values, nulls);
		}
	}
}

/* partial_dependence(model, query, feature, points, quantiles) -> value, level, class, prediction, quantiles, n */
Datum
mlplat_partial_dependence(PG_FUNCTION_ARGS)
{
	char *query = inspect_arguments(fcinfo, 5, "partial_dependence");
	MlDependence wanted = {.n_points = count_argument(fcinfo, 3, "points", 20, MAX_POINTS)};
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	const MlModel *model = inspected->model;
	MlDependencePoint *points;
	MlplatModelRows *rows;
	uint32 n_points;
	MlStatus status;

	refuse_task(model);
	find_feature(model, mlplat_text_argument(fcinfo, 2), &wanted);
	read_quantiles(fcinfo, 4, &wanted);
	rows = mlplat_read_model_rows(&inspected->arena, model, query, NULL, NULL);
	status =
		ml_partial_dependence(&inspected->arena, model, &rows->data, &wanted, &points, &n_points);
	ml_env_close(inspected->env);
	mlplat_check(inspected->env, status);
	put_points(fcinfo, model, &wanted, points, n_points, ml_frame_rows(rows->frame));
	mlplat_env_delete(inspected->env);
	return (Datum) 0;
}
