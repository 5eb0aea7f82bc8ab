/*
 * binder.c
 *		From PostgreSQL's rows to raw rows: which column feeds which slot, and how.
 *
 * Everything that depends on a type stands in one table (binder_types.c) and
 * one switch (convert). Levels are texts, compared by their bytes; char(n) loses its
 * trailing blanks, as in SQL. timestamptz is read in UTC, whatever the session's
 * time zone, so that a prediction does not depend on it.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "pg/binder_inner.h"
#include "pg/bridge.h"

/* ---- conversion ---- */

/* The code of a level; training adds new ones. */
static double
level_code(const MlplatBinding *binding, const MlplatColumn *column, const char *text, size_t len)
{
	uint32 code;

	if (column->grow)
		mlplat_check(binding->env, ml_dict_add(column->levels, text, len, &code));
	else
		code = ml_dict_find(column->levels, text, len);
	return code == ML_NO_LEVEL ? ML_UNSEEN : (double) code;
}

bool
mlplat_has_level_text(Oid type)
{
	switch (type)
	{
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

char *
mlplat_level_text(Oid type, Datum value)
{
	static const int utc = 0;
	char *text;

	switch (type)
	{
		case NUMERICOID:
			return numeric_normalize(DatumGetNumeric(value));
		case FLOAT4OID:
			text = palloc(FLOAT_SHORTEST_DECIMAL_LEN);
			float_to_shortest_decimal_buf(DatumGetFloat4(value), text);
			return text;
		case FLOAT8OID:
			text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
			double_to_shortest_decimal_buf(DatumGetFloat8(value), text);
			return text;
		default:
			return JsonEncodeDateTime(palloc(MAXDATELEN + 1), value, type, &utc);
	}
}

/* A value as a level. */
static double
convert_level(const MlplatBinding *binding, const MlplatColumn *column, Datum value)
{
	if (column->source == MLPLAT_OUTPUT || column->source == MLPLAT_LEVEL)
	{
		char *text = column->source == MLPLAT_LEVEL
						 ? mlplat_level_text(column->level_type, value)
						 : OutputFunctionCall((FmgrInfo *) &column->output, value);

		return level_code(binding, column, text, strlen(text));
	}
	else
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
		const char *data = VARDATA_ANY(text);
		size_t len = VARSIZE_ANY_EXHDR(text);

		if (column->source == MLPLAT_BPCHAR)
			len = bpchartruelen((char *) data, (int) len);
		return level_code(binding, column, data, len);
	}
}

static double
convert_numeric(Datum value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

/* A date or timestamp as microseconds since 2000-01-01; infinities stay so. */
static double
convert_date(DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return -INFINITY;
	if (DATE_IS_NOEND(date))
		return INFINITY;
	return (double) date * (double) USECS_PER_DAY;
}

static double
convert_timestamp(Timestamp timestamp)
{
	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return -INFINITY;
	if (TIMESTAMP_IS_NOEND(timestamp))
		return INFINITY;
	return (double) timestamp;
}

/* As extract(epoch) on days and below; infinities stay so. */
double
mlplat_interval_seconds(const Interval *interval)
{
	if (MLPLAT_INTERVAL_SIGN(interval) != 0)
		return MLPLAT_INTERVAL_SIGN(interval) * INFINITY;
	return (double) interval->time / USECS_PER_SEC +
		   SECS_PER_DAY * ((double) interval->day + DAYS_PER_MONTH * (double) interval->month);
}

/* A value that is not NULL and not an array, as a double. */
static double
convert(const MlplatBinding *binding, const MlplatColumn *column, MlplatSource source, Datum value)
{
	switch (source)
	{
		case MLPLAT_FLOAT8:
			return DatumGetFloat8(value);
		case MLPLAT_FLOAT4:
			return DatumGetFloat4(value);
		case MLPLAT_INT4:
			return DatumGetInt32(value);
		case MLPLAT_INT8:
			return (double) DatumGetInt64(value);
		case MLPLAT_INT2:
			return DatumGetInt16(value);
		case MLPLAT_BOOL:
			return DatumGetBool(value);
		case MLPLAT_NUMERIC:
			return convert_numeric(value);
		case MLPLAT_DATE:
			return convert_date(DatumGetDateADT(value));
		case MLPLAT_TIME:
			return (double) DatumGetTimeADT(value) / USECS_PER_SEC;
		case MLPLAT_TIMESTAMP:
			return convert_timestamp(DatumGetTimestamp(value));
		case MLPLAT_INTERVAL:
			return mlplat_interval_seconds(DatumGetIntervalP(value));
		case MLPLAT_TEXT:
		case MLPLAT_BPCHAR:
		case MLPLAT_OUTPUT:
		case MLPLAT_LEVEL:
			return convert_level(binding, column, value);
		case MLPLAT_UNTYPED:
			ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("feature \"%s\" gets a literal without a type", column->name),
					errhint("Cast it: '...'::type."));
		case MLPLAT_ARRAY:
			break;
	}
	elog(ERROR, "unexpected source of a value: %d", (int) source);
	return 0;
}

/* The elements of an array into their slots; NULL elements are missing. */
static void
convert_array(const MlplatBinding *binding, const MlplatColumn *column, Datum value, double *out)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	Datum *elements;
	bool *nulls;
	int16 typlen;
	bool typbyval;
	char typalign;

	if ((uint32) n != column->n_slots)
		ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("array column \"%s\" has %d elements in one row and %u in others",
					   column->name, n, column->n_slots),
				errhint("All arrays of a feature column must have the same length."));
	if (column->element == MLPLAT_FLOAT8 && !ARR_HASNULL(array))
	{
		memcpy(out, ARR_DATA_PTR(array), n * sizeof(double));
		return;
	}
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign, &elements, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
		out[i] = nulls[i] ? NAN : convert(binding, column, column->element, elements[i]);
}

/* Convert one row. */
void
mlplat_bind_row(MlplatBinding *binding, const Datum *values, const bool *nulls, double *raw)
{
	MemoryContext old = NULL;

	if (binding->needs_scratch)
		old = MemoryContextSwitchTo(binding->scratch);
	for (int c = 0; c < binding->n_columns; c++)
	{
		const MlplatColumn *column = &binding->columns[c];

		if (nulls[column->attribute])
		{
			for (uint32 s = 0; s < column->n_slots; s++)
				raw[column->slot + s] = NAN;
		}
		else if (column->source == MLPLAT_FLOAT8)
			raw[column->slot] = DatumGetFloat8(values[column->attribute]);
		else if (column->source == MLPLAT_ARRAY)
			convert_array(binding, column, values[column->attribute], raw + column->slot);
		else
			raw[column->slot] = convert(binding, column, column->source, values[column->attribute]);
	}
	if (old)
	{
		MemoryContextSwitchTo(old);
		MemoryContextReset(binding->scratch);
	}
}

/* ---- binding for prediction ---- */

/* A literal in a row at prediction: levels take it, others only when it is NULL. */
static const MlplatTypeFacts unknown_facts = {UNKNOWNOID, MLPLAT_OUTPUT, ML_CATEGORICAL,
											  ML_WIDTH_LEVEL};

/* A row without names: a record whose columns are f1, f2, ... */
static bool
has_no_names(TupleDesc desc)
{
	if (desc->tdtypeid != RECORDOID)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		char name[16];

		snprintf(name, sizeof name, "f%d", i + 1);
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			return false;
	}
	return true;
}

/* A row without names that has not as many values as the model has inputs. */
static void
refuse_other_length(const MlModel *model, TupleDesc desc)
{
	if (has_no_names(desc) && desc->natts > 0 && (uint32) desc->natts != model->schema->n_inputs &&
		ml_schema_find(model->schema, "f1") < 0)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("a row without names must have %u values, as the model has features, not %d",
					   model->schema->n_inputs, desc->natts));
}

/* Can a column of these facts feed an input of this kind? */
static bool
suits(const MlInput *input, const MlplatTypeFacts *facts, bool is_array)
{
	if (!facts)
		return false;
	switch (input->kind)
	{
		case ML_BLOCK:
			return is_array;
		case ML_NUMERIC:
			return !is_array && facts->kind == ML_NUMERIC;
		case ML_TIME:
			return !is_array && (facts->kind == ML_TIME || facts->kind == ML_NUMERIC);
		case ML_DATE:
		case ML_TIMESTAMP:
			return !is_array && (facts->kind == ML_DATE || facts->kind == ML_TIMESTAMP);
		case ML_CATEGORICAL:
			return !is_array && facts->source != MLPLAT_INTERVAL;
	}
	return false;
}

/* What a column of the row is, checked against the input that it is to feed. */
static const MlplatTypeFacts *
input_facts(const MlInput *input, Oid type, bool *is_array)
{
	const MlplatTypeFacts *facts;

	*is_array = false;
	if (type == UNKNOWNOID)
		return &unknown_facts;
	facts = mlplat_find_type(type, is_array);
	if (!suits(input, facts, *is_array))
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("feature \"%s\" is %s in the model, but the row has type %s", input->name,
					   input->type_name, format_type_be(type)));
	return facts;
}

/* One input of the model from one attribute. */
static void
bind_input(MlplatBinding *binding, const MlInput *input, TupleDesc desc, int i,
		   MemoryContext context)
{
	MlplatColumn *column = &binding->columns[binding->n_columns++];
	Oid type = TupleDescAttr(desc, i)->atttypid;
	bool is_array;
	const MlplatTypeFacts *facts = input_facts(input, type, &is_array);

	column->attribute = i;
	column->name = input->name;
	column->source = is_array ? MLPLAT_ARRAY : facts->source;
	column->element = facts->source;
	column->slot = input->first_slot;
	column->n_slots = input->n_slots;
	column->levels = input->levels;
	if (facts == &unknown_facts && input->kind != ML_CATEGORICAL)
	{
		column->source = MLPLAT_UNTYPED;
		return;
	}
	if (input->kind == ML_CATEGORICAL &&
		(facts->kind != ML_CATEGORICAL || column->source == MLPLAT_OUTPUT))
		mlplat_use_output(column, type, context);
	binding->needs_scratch |= mlplat_source_allocates(column->source);
}

MlplatBinding *
mlplat_bind_model(MemoryContext context, const MlModel *model, TupleDesc desc)
{
	const MlSchema *schema = model->schema;
	MlplatBinding *binding = MemoryContextAllocZero(context, sizeof *binding);
	bool positional = has_no_names(desc) && (uint32) desc->natts == schema->n_inputs;

	binding->columns =
		MemoryContextAllocZero(context, sizeof(MlplatColumn) * (schema->n_inputs + 1));
	binding->n_raw = schema->n_slots;
	refuse_other_length(model, desc);
	for (uint32 k = 0; k < schema->n_inputs; k++)
	{
		int i = positional ? (int) k : mlplat_find_attribute(desc, schema->inputs[k].name);

		if (i < 0)
			mlplat_no_such_column(desc, "feature", schema->inputs[k].name);
		bind_input(binding, &schema->inputs[k], desc, i, context);
	}
	/* Statements of one row pay for what they do not need. */
	if (binding->needs_scratch)
		binding->scratch = AllocSetContextCreate(context, "mlplat row", ALLOCSET_SMALL_SIZES);
	return binding;
}
