/*
 * site.c
 *		A call site of predict: how it reads its rows. site_models.c finds the models.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "pg/binder.h"
#include "pg/bridge.h"
#include "serve/json_row.h"
#include "serve/model_cache.h"
#include "serve/site.h"
#include "serve/site_models.h"

typedef enum RowKind
{
	ROW_RECORD,
	ROW_JSONB,
	ROW_ARRAY,
	ROW_COLUMNS,
	ROW_QUERY /* a batch: the rows are those of a query */
} RowKind;

typedef struct Site
{
	MemoryContext context;
	RowKind row_kind;
	bool by_name;
	Datum *values; /* of the widest row so far */
	bool *nulls;
	int n_values;
	MlplatSiteModels models;
} Site;

/* ---- set-up ---- */

/* What the arguments are, by the declared types of the SQL function. */
static Site *
site_create(FunctionCallInfo fcinfo)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Site *site = MemoryContextAllocZero(context, sizeof *site);
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	Oid model_type, row_type;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	model_type = ((Form_pg_proc) GETSTRUCT(tuple))->proargtypes.values[0];
	row_type = ((Form_pg_proc) GETSTRUCT(tuple))->proargtypes.values[1];
	ReleaseSysCache(tuple);
	site->context = context;
	mlplat_site_models_init(&site->models, context);
	site->by_name = model_type == TEXTOID;
	switch (row_type)
	{
		case RECORDOID:
			site->row_kind = ROW_RECORD;
			break;
		case JSONBOID:
			site->row_kind = ROW_JSONB;
			break;
		case FLOAT8ARRAYOID:
			site->row_kind = ROW_ARRAY;
			break;
		case TEXTARRAYOID:
			site->row_kind = ROW_COLUMNS;
			if (!get_fn_expr_arg_stable(fcinfo->flinfo, 1))
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("the names of the columns must be a constant")));
			break;
		case TEXTOID:
			site->row_kind = ROW_QUERY;
			break;
		default:
			elog(ERROR, "unexpected row type %u of a predict function", row_type);
	}
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* ---- the row ---- */

/* Room for the values of n columns. */
static void
size_values(Site *site, int n)
{
	if (n <= site->n_values)
		return;
	site->values = MemoryContextAlloc(site->context, sizeof(Datum) * n);
	site->nulls = MemoryContextAlloc(site->context, sizeof(bool) * n);
	site->n_values = n;
}

/* Bind rows of a type; what was bound before goes. */
static void
bind_rows(Site *site, const MlplatSiteModel *sited, TupleDesc desc, Oid type, int32 typmod)
{
	MlplatSiteRows *rows = sited->rows;
	uint64 relations = mlplat_relations_generation();
	MemoryContext old;

	rows->binding = NULL;
	MemoryContextReset(rows->context);
	old = MemoryContextSwitchTo(rows->context);
	rows->desc = CreateTupleDescCopy(desc);
	rows->binding = mlplat_bind_model(rows->context, sited->model, rows->desc);
	rows->type = type;
	rows->typmod = typmod;
	rows->relations = relations;
	MemoryContextSwitchTo(old);
	size_values(site, desc->natts + 1);
}

static void
read_record(Site *site, const MlplatSiteModel *sited, Datum datum)
{
	MlplatSiteRows *rows = sited->rows;
	HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
	Oid type = HeapTupleHeaderGetTypeId(row);
	int32 typmod = HeapTupleHeaderGetTypMod(row);
	HeapTupleData tuple;

	/* A named row type may change from one row to the next: variables of PL/pgSQL outlive an ALTER TABLE. */
	if (!rows->binding || rows->type != type || rows->typmod != typmod ||
		rows->relations != mlplat_relations_generation())
	{
		TupleDesc desc = lookup_rowtype_tupdesc(type, typmod);

		bind_rows(site, sited, desc, type, typmod);
		ReleaseTupleDesc(desc);
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, rows->desc, site->values, site->nulls);
	mlplat_bind_row(rows->binding, site->values, site->nulls, rows->raw);
}

/* The row type of predict(model, names, VARIADIC columns). */
static TupleDesc
columns_desc(FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 2;
	TupleDesc desc = CreateTemplateTupleDesc(n);
	Datum *names;
	int n_names;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL,
					  &n_names);
	if (n_names != n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("got %d names for %d columns", n_names, n)));
	for (int i = 0; i < n; i++)
		TupleDescInitEntry(desc, (AttrNumber) (i + 1), TextDatumGetCString(names[i]),
						   get_fn_expr_argtype(fcinfo->flinfo, i + 2), -1, 0);
	return desc;
}

static void
read_columns(Site *site, MlplatSiteModel *sited, FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 2;

	if (!sited->rows->binding)
		bind_rows(site, sited, columns_desc(fcinfo), RECORDOID, 0);
	for (int i = 0; i < n; i++)
	{
		site->values[i] = PG_GETARG_DATUM(i + 2);
		site->nulls[i] = PG_ARGISNULL(i + 2);
	}
	mlplat_bind_row(sited->rows->binding, site->values, site->nulls, sited->rows->raw);
}

/* Numbers by position; levels and dates have none. */
static void
read_array(MlplatSiteModel *sited, ArrayType *array)
{
	const MlSchema *schema = sited->model->schema;
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if ((uint32) n != schema->n_slots)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("the array must have %u values, as the model has features, not %d",
							   schema->n_slots, n)));
	for (uint32 i = 0; i < schema->n_inputs; i++)
	{
		if (schema->inputs[i].kind == ML_CATEGORICAL || schema->inputs[i].kind == ML_DATE ||
			schema->inputs[i].kind == ML_TIMESTAMP)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" is %s in the model, which an array of numbers cannot hold",
						schema->inputs[i].name, schema->inputs[i].type_name),
				 errhint("Pass the row, or a jsonb object.")));
	}
	if (!ARR_HASNULL(array))
		memcpy(sited->rows->raw, ARR_DATA_PTR(array), n * sizeof(double));
	else
	{
		Datum *values;
		bool *nulls;

		deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &values, &nulls, &n);
		for (int i = 0; i < n; i++)
			sited->rows->raw[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(values[i]);
	}
}

static void
read_row(Site *site, MlplatSiteModel *sited, FunctionCallInfo fcinfo)
{
	switch (site->row_kind)
	{
		case ROW_RECORD:
			read_record(site, sited, PG_GETARG_DATUM(1));
			break;
		case ROW_JSONB:
			mlplat_read_json_row(sited->model->schema, PG_GETARG_JSONB_P(1), sited->rows->raw);
			break;
		case ROW_ARRAY:
			read_array(sited, PG_GETARG_ARRAYTYPE_P(1));
			break;
		case ROW_COLUMNS:
			read_columns(site, sited, fcinfo);
			break;
		case ROW_QUERY:
			elog(ERROR, "a batch has more than one row");
	}
}

/* What the algorithm sees of the raw row. */
static const double *
seen_features(const MlplatSiteModel *sited)
{
	const MlModel *model = sited->model;
	const double *features = sited->rows->raw;

	if (!model->schema->identity)
	{
		ml_schema_expand(model->schema, sited->rows->raw, sited->rows->features);
		features = sited->rows->features;
	}
	if (!model->prep)
		return features;
	ml_prep_row(model->prep, features, sited->prepared);
	return sited->prepared;
}

/* The call site and the model of argument 0, which is not NULL. */
static MlplatSiteModel *
site_model(FunctionCallInfo fcinfo, Site **site)
{
	*site = fcinfo->flinfo->fn_extra;
	if (unlikely(!*site))
		*site = site_create(fcinfo);
	if ((*site)->by_name)
		return mlplat_site_model_by_name(&(*site)->models, PG_GETARG_TEXT_PP(0));
	return mlplat_site_model_by_image(&(*site)->models, PG_GETARG_DATUM(0));
}

/* The features of the row, and the model that reads them; NULL when either argument is. */
static const double *
site_features(FunctionCallInfo fcinfo, MlplatSiteModel **out)
{
	Site *site;
	MlplatSiteModel *sited;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return NULL;
	sited = site_model(fcinfo, &site);
	read_row(site, sited, fcinfo);
	*out = sited;
	return seen_features(sited);
}

const double *
mlplat_site_features(FunctionCallInfo fcinfo, const MlModel **model)
{
	MlplatSiteModel *sited;
	const double *features = site_features(fcinfo, &sited);

	if (features)
		*model = sited->model;
	return features;
}

/* Refuse a model that only transforms. */
static void
need_predictions(const MlModel *model)
{
	if (!model->algo->predict)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" does %s, and predicts nothing",
							   model->algo->name, ml_task_name(model->task)),
						errhint("Use mlplat.transform.")));
}

const double *
mlplat_site_predict(FunctionCallInfo fcinfo, const MlModel **model)
{
	MlplatSiteModel *sited;
	const double *features = site_features(fcinfo, &sited);

	if (!features)
		return NULL;
	need_predictions(sited->model);
	ml_model_predict(sited->model, features, sited->probs);
	*model = sited->model;
	return sited->probs;
}

bool
mlplat_site_has_label(FunctionCallInfo fcinfo)
{
	const Site *site = fcinfo->flinfo->fn_extra;

	return PG_NARGS() > 2 && site->row_kind != ROW_COLUMNS;
}

/* ---- batches ---- */

MlplatSiteModel *
mlplat_site_open(FunctionCallInfo fcinfo, TupleDesc desc)
{
	Site *site;
	MlplatSiteModel *sited;

	if (PG_ARGISNULL(0))
		return NULL;
	sited = site_model(fcinfo, &site);
	need_predictions(sited->model);
	bind_rows(site, sited, desc, desc->tdtypeid, desc->tdtypmod);
	return sited;
}

const double *
mlplat_site_predict_values(const MlplatSiteModel *sited, const Datum *values, const bool *nulls)
{
	mlplat_bind_row(sited->rows->binding, values, nulls, sited->rows->raw);
	ml_model_predict(sited->model, seen_features(sited), sited->probs);
	return sited->probs;
}
