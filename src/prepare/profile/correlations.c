/*
 * correlations.c
 *		correlations: how the columns of a query go together, each with each, in one reading.
 *
 * The query becomes the inner one of SELECT mlplat.correlation_columns(...) FROM (query), an aggregate that the server
 * may run in parallel. Its columns come as separate arguments, or as one record where there are more than a call takes:
 * then the products of all pairs cost far more than the record. The matrix returns as a state.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "core/comatrix.h"
#include "pg/bridge.h"
#include "pg/query.h"
#include "pg/rows.h"
#include "pg/state.h"
#include "prepare/profile/profile.h"

PG_FUNCTION_INFO_V1(mlplat_correlations);
PG_FUNCTION_INFO_V1(mlplat_correlation_columns_transfn);
PG_FUNCTION_INFO_V1(mlplat_correlation_columns_finalfn);

/* Of 100 arguments of a call, one is the state. */
#define COLUMNS_OF_CALL 98

/* ---- the state */

typedef struct Correlations
{
	MlEnv env;
	MlComatrix matrix;
	Oid *types; /* base types of the columns; NULL: it has travelled and takes no rows */
	double *row;
	TupleDesc desc; /* of the record that the columns come in, or NULL */
	Datum *values;
	bool *nulls;
} Correlations;

static Correlations *
create_correlations(MemoryContext context)
{
	Correlations *data = MemoryContextAllocZero(context, sizeof(Correlations));

	mlplat_env_init(&data->env, context);
	return data;
}

/* The state with all of its rows taken in, which changes nothing that it says. */
static const Correlations *
settled(const void *state)
{
	Correlations *data = unconstify(void *, state);

	mlplat_check(&data->env, ml_comatrix_flush(&data->matrix));
	return data;
}

static void
correlations_merge(void *state, const void *other, MemoryContext context pg_attribute_unused())
{
	Correlations *data = state;

	mlplat_check(&data->env, ml_comatrix_flush(&data->matrix));
	mlplat_check(&data->env, ml_comatrix_merge(&data->matrix, &settled(other)->matrix));
}

static void
correlations_save(const void *state, MlBuffer *out)
{
	ml_comatrix_save(&settled(state)->matrix, out);
}

static void *
correlations_load(MlReader *in, MemoryContext context)
{
	Correlations *data = create_correlations(context);
	MlReader mine = *in;
	MlStatus status;

	mine.env = &data->env;
	status = ml_comatrix_load(&mine, &data->matrix);
	in->pos = mine.pos;
	in->failed = mine.failed;
	return mlplat_state_loaded(&mine, status, data);
}

static const MlStateKind correlations_kind = {
	.code = MLPLAT_STATE_CORRELATIONS,
	.name = "correlations",
	.merge = correlations_merge,
	.save = correlations_save,
	.load = correlations_load,
};

void
mlplat_correlations_register(void)
{
	mlplat_state_register(&correlations_kind);
}

/* ---- columns and values */

static bool
is_numeric_type(Oid base_type)
{
	switch (base_type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

static double
to_number(Oid base_type, Datum value)
{
	switch (base_type)
	{
		case BOOLOID:
			return DatumGetBool(value);
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
}

/* The base type of column j, which must be a number. */
static Oid
check_type(Oid type, int j)
{
	Oid base_type = OidIsValid(type) ? getBaseType(type) : InvalidOid;

	if (!is_numeric_type(base_type))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("correlation_columns takes numbers and booleans, but column %d is "
							   "of another type",
							   j + 1)));
	return base_type;
}

/* The aggregate may be called with anything; the columns of one query have one type. */
static _Noreturn void
refuse_record(void)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("the records to correlate must be there and have the same type")));
}

static void
begin_matrix(Correlations *data, int n)
{
	if (n < 1 || n > ML_COMATRIX_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("correlation_columns takes 1 to %d columns", ML_COMATRIX_MAX)));
	data->types = palloc(sizeof(Oid) * n);
	data->row = palloc(sizeof(double) * n);
	mlplat_check(&data->env, ml_comatrix_init(&data->matrix, &data->env, (size_t) n));
}

/* The first row: a record, or separate columns. */
static void
begin_rows(FunctionCallInfo fcinfo, Correlations *data)
{
	bool is_record = PG_NARGS() == 2 && get_fn_expr_argtype(fcinfo->flinfo, 1) == RECORDOID;

	if (!is_record)
	{
		begin_matrix(data, PG_NARGS() - 1);
		for (int j = 0; j < PG_NARGS() - 1; j++)
			data->types[j] = check_type(get_fn_expr_argtype(fcinfo->flinfo, j + 1), j);
		return;
	}
	if (PG_ARGISNULL(1))
		refuse_record();
	data->desc =
		lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(PG_GETARG_HEAPTUPLEHEADER(1)),
									HeapTupleHeaderGetTypMod(PG_GETARG_HEAPTUPLEHEADER(1)));
	begin_matrix(data, data->desc->natts);
	data->values = palloc(sizeof(Datum) * data->desc->natts);
	data->nulls = palloc(sizeof(bool) * data->desc->natts);
	for (int j = 0; j < data->desc->natts; j++)
		data->types[j] = check_type(TupleDescAttr(data->desc, j)->atttypid, j);
}

static void
read_record(FunctionCallInfo fcinfo, Correlations *data)
{
	HeapTupleHeader record = PG_ARGISNULL(1) ? NULL : PG_GETARG_HEAPTUPLEHEADER(1);
	HeapTupleData tuple = {.t_data = record};

	if (!record || HeapTupleHeaderGetTypeId(record) != data->desc->tdtypeid ||
		HeapTupleHeaderGetTypMod(record) != data->desc->tdtypmod)
		refuse_record();
	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, data->desc, data->values, data->nulls);
	for (int j = 0; j < data->desc->natts; j++)
		data->row[j] = data->nulls[j] ? (double) NAN : to_number(data->types[j], data->values[j]);
}

static void
read_arguments(FunctionCallInfo fcinfo, Correlations *data)
{
	const NullableDatum *values = fcinfo->args + 1;

	for (int j = 0; j < PG_NARGS() - 1; j++)
		data->row[j] = values[j].isnull ? (double) NAN : to_number(data->types[j], values[j].value);
}

Datum
mlplat_correlation_columns_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext = mlplat_agg_context(fcinfo), caller;
	MlState *state;
	Correlations *data;

	if (PG_ARGISNULL(0))
	{
		state = mlplat_state_new(&correlations_kind, aggcontext);
		caller = MemoryContextSwitchTo(mlplat_state_context(state));
		state->data = create_correlations(CurrentMemoryContext);
		begin_rows(fcinfo, state->data);
		MemoryContextSwitchTo(caller);
	}
	else
		state = mlplat_state_get_rw(PG_GETARG_DATUM(0), &correlations_kind, aggcontext);
	data = state->data;
	if (!data->types)
		elog(ERROR, "correlations that have travelled take no rows");
	if (data->desc)
		read_record(fcinfo, data);
	else
		read_arguments(fcinfo, data);
	mlplat_check(&data->env, ml_comatrix_add(&data->matrix, data->row));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

Datum
mlplat_correlation_columns_finalfn(PG_FUNCTION_ARGS)
{
	mlplat_agg_context(fcinfo);
	return mlplat_return_state(fcinfo);
}

/* ---- the query */

typedef struct CorrelationQuery
{
	MemoryContext context;
	TupleDesc desc;
	int n; /* numeric columns */
	int *columns;
	const Correlations *result; /* NULL: there were no rows */
} CorrelationQuery;

static CorrelationQuery *
begin_query(TupleDesc desc)
{
	CorrelationQuery *query = palloc0(sizeof(CorrelationQuery));

	query->context = CurrentMemoryContext;
	query->desc = desc;
	query->columns = palloc(sizeof(int) * desc->natts);
	for (int j = 0; j < desc->natts; j++)
		if (is_numeric_type(getBaseType(TupleDescAttr(desc, j)->atttypid)))
			query->columns[query->n++] = j;
	if (query->n == 0)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the query returns no column of numbers or booleans"),
						errhint("Cast columns to numbers, such as a category to boolean by a "
								"comparison.")));
	return query;
}

/* Columns get names of ours, since those of the query need not differ. */
static char *
make_query(const CorrelationQuery *query, const char *text)
{
	bool as_record = query->n > COLUMNS_OF_CALL;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT mlplat.correlation_columns(%s", as_record ? "ROW(" : "");
	for (int j = 0; j < query->n; j++)
		appendStringInfo(&sql, "%sq.c%d", j > 0 ? ", " : "", query->columns[j]);
	appendStringInfo(&sql, "%s) FROM (%s\n) AS q (c0", as_record ? ")" : "",
					 mlplat_statement_text(text));
	for (int j = 1; j < query->desc->natts; j++)
		appendStringInfo(&sql, ", c%d", j);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* An MlplatRowFn: the one row, with the one state. */
static void
take_state(void *arg, TupleTableSlot *slot)
{
	CorrelationQuery *query = arg;
	MemoryContext caller;

	if (slot->tts_isnull[0])
		return;
	caller = MemoryContextSwitchTo(query->context);
	query->result = mlplat_state_get_ro(slot->tts_values[0], &correlations_kind)->data;
	MemoryContextSwitchTo(caller);
}

static void
put_pair(Tuplestorestate *store, TupleDesc desc, const CorrelationQuery *query, const Datum *names,
		 int i, int j)
{
	uint64 n = 0;
	double r = NAN;
	Datum values[4];
	bool nulls[4] = {false};

	if (query->result)
		r = ml_comatrix_correlation(&query->result->matrix, (size_t) i, (size_t) j, &n);
	values[0] = names[i];
	values[1] = names[j];
	values[2] = Float8GetDatum(r);
	nulls[2] = isnan(r);
	values[3] = Int64GetDatum((int64) n);
	tuplestore_putvalues(store, desc, values, nulls);
}

/* The whole matrix, in the order of the query's columns. */
static void
put_matrix(Tuplestorestate *store, TupleDesc desc, const CorrelationQuery *query)
{
	Datum *names = palloc(sizeof(Datum) * query->n);

	for (int j = 0; j < query->n; j++)
		names[j] =
			CStringGetTextDatum(NameStr(TupleDescAttr(query->desc, query->columns[j])->attname));
	for (int i = 0; i < query->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < query->n; j++)
			put_pair(store, desc, query, names, i, j);
	}
}

Datum
mlplat_correlations(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *store = mlplat_rows_begin(fcinfo, 4, &desc);
	char *sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat correlations", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	CorrelationQuery *query = begin_query(mlplat_describe_query(sql));

	mlplat_run_made_query(make_query(query, sql), sql, MLPLAT_PLAN_PARALLEL, take_state, query);
	put_matrix(store, desc, query);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
