/*
 * binder.c
 *		From PostgreSQL's rows to raw rows: which column feeds which slot, and how.
 *
 * Everything that depends on a type stands in one table (type_facts) and one
 * switch (convert). Levels are texts, compared by their bytes; char(n) loses its
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

#include "pg/binder.h"
#include "pg/bridge.h"

/* ---- types ---- */

typedef struct TypeFacts
{
	Oid type;
	MlplatSource source;
	MlKind kind;
	MlWidth width;
} TypeFacts;

static const TypeFacts type_facts[] = {
	{BOOLOID, MLPLAT_BOOL, ML_NUMERIC, ML_WIDTH_BOOL},
	{INT2OID, MLPLAT_INT2, ML_NUMERIC, ML_WIDTH_INT16},
	{INT4OID, MLPLAT_INT4, ML_NUMERIC, ML_WIDTH_INT32},
	{INT8OID, MLPLAT_INT8, ML_NUMERIC, ML_WIDTH_FLOAT64},
	{FLOAT4OID, MLPLAT_FLOAT4, ML_NUMERIC, ML_WIDTH_FLOAT32},
	{FLOAT8OID, MLPLAT_FLOAT8, ML_NUMERIC, ML_WIDTH_FLOAT64},
	{NUMERICOID, MLPLAT_NUMERIC, ML_NUMERIC, ML_WIDTH_FLOAT64},
	{DATEOID, MLPLAT_DATE, ML_DATE, ML_WIDTH_FLOAT64},
	{TIMEOID, MLPLAT_TIME, ML_TIME, ML_WIDTH_FLOAT64},
	{TIMESTAMPOID, MLPLAT_TIMESTAMP, ML_TIMESTAMP, ML_WIDTH_FLOAT64},
	{TIMESTAMPTZOID, MLPLAT_TIMESTAMP, ML_TIMESTAMP, ML_WIDTH_FLOAT64},
	{INTERVALOID, MLPLAT_INTERVAL, ML_TIME, ML_WIDTH_FLOAT64},
	{TEXTOID, MLPLAT_TEXT, ML_CATEGORICAL, ML_WIDTH_LEVEL},
	{VARCHAROID, MLPLAT_TEXT, ML_CATEGORICAL, ML_WIDTH_LEVEL},
	{BPCHAROID, MLPLAT_BPCHAR, ML_CATEGORICAL, ML_WIDTH_LEVEL},
	{CHAROID, MLPLAT_OUTPUT, ML_CATEGORICAL, ML_WIDTH_LEVEL},
	{NAMEOID, MLPLAT_OUTPUT, ML_CATEGORICAL, ML_WIDTH_LEVEL},
	{UUIDOID, MLPLAT_OUTPUT, ML_CATEGORICAL, ML_WIDTH_LEVEL},
};

/* A literal in a row at prediction: levels take it, others only when it is NULL. */
static const TypeFacts unknown_facts = {UNKNOWNOID, MLPLAT_OUTPUT, ML_CATEGORICAL, ML_WIDTH_LEVEL};

static const TypeFacts enum_facts = {InvalidOid, MLPLAT_OUTPUT, ML_CATEGORICAL, ML_WIDTH_LEVEL};

/* What to do with a type, domains by their base type; NULL: nothing. Arrays: the facts of the element. */
static const TypeFacts *
find_type(Oid type, bool *is_array)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	*is_array = OidIsValid(element);
	if (*is_array)
		base = getBaseType(element);
	for (size_t i = 0; i < lengthof(type_facts); i++)
	{
		if (type_facts[i].type == base)
		{
			if (*is_array &&
				(type_facts[i].kind != ML_NUMERIC || type_facts[i].source == MLPLAT_BOOL))
				return NULL;
			return &type_facts[i];
		}
	}
	return !*is_array && get_typtype(base) == TYPTYPE_ENUM ? &enum_facts : NULL;
}

/* How the model names a type: by its base type, which means the same in every database. */
static const char *
base_type_name(Oid type)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	return OidIsValid(element) ? psprintf("%s[]", format_type_be(getBaseType(element)))
							   : format_type_be(base);
}

static _Noreturn void
unsupported_type(const char *column, Oid type)
{
	ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			errmsg("column \"%s\" has type %s, which cannot be a feature", column,
				   format_type_be(type)),
			errhint("Exclude it, or cast it to a number, a date, a text or an array of numbers."));
}

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

/* Conversions that may allocate per row. */
static bool
source_allocates(MlplatSource source)
{
	return source == MLPLAT_NUMERIC || (source >= MLPLAT_TEXT && source != MLPLAT_UNTYPED);
}

/* ---- binding for training ---- */

/* The attribute of that name, or -1. */
static int
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return i;
	}
	return -1;
}

/* There is no column of that name: say so, and name the nearest. what: "target", "weight", ... */
static _Noreturn void
no_such_column(TupleDesc desc, const char *what, const char *name)
{
	const char **names = palloc(sizeof(char *) * (desc->natts + 1));
	const char *near;
	int n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[n++] = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
	}
	near = ml_nearest(name, names, n);
	ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("%s column \"%s\" is not in the rows", what, name),
			near ? errhint("Did you mean \"%s\"?", near) : 0);
}

/* Two columns of one name cannot be told apart by name. */
static void
refuse_duplicates(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && find_attribute(desc, NameStr(attribute->attname)) != i)
			ereport(ERROR, errcode(ERRCODE_DUPLICATE_COLUMN),
					errmsg("column \"%s\" occurs more than once", NameStr(attribute->attname)),
					errhint("Give each column of the query a name of its own."));
	}
}

/* Is the attribute one of the excluded ones? */
static bool
is_excluded(const MlTrainSpec *spec, const char *name)
{
	const MlJson *exclude = spec->exclude;

	if (!exclude || exclude->type != ML_JSON_ARRAY)
		return false;
	for (size_t i = 0; i < exclude->n; i++)
	{
		if (strcmp(exclude->items[i].string, name) == 0)
			return true;
	}
	return false;
}

/* Names in the options must be columns, so that a typing error does not let a leak through. */
static void
check_option_columns(TupleDesc desc, const MlTrainSpec *spec)
{
	if (spec->exclude && spec->exclude->type == ML_JSON_ARRAY)
	{
		for (size_t i = 0; i < spec->exclude->n; i++)
		{
			if (find_attribute(desc, spec->exclude->items[i].string) < 0)
				no_such_column(desc, "excluded", spec->exclude->items[i].string);
		}
	}
	if (spec->prep && spec->prep->type == ML_JSON_OBJECT)
	{
		for (size_t i = 0; i < spec->prep->n; i++)
		{
			if (find_attribute(desc, spec->prep->keys[i]) < 0)
				no_such_column(desc, "prepared", spec->prep->keys[i]);
		}
	}
}

/* Is the column what rows are split by? */
static bool
splits_rows(const MlTrainSpec *spec, const char *name)
{
	return (spec->group_by && strcmp(name, spec->group_by) == 0) ||
		   (spec->order_by && strcmp(name, spec->order_by) == 0);
}

/* A feature: not the target, not the weight, not what rows are split by, not excluded. */
static bool
is_feature(TupleDesc desc, int i, const MlTrainSpec *spec, const char *target)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, i);
	const char *name = NameStr(attribute->attname);

	return !attribute->attisdropped && !(target && strcmp(name, target) == 0) &&
		   !(spec->weight && strcmp(name, spec->weight) == 0) && !splits_rows(spec, name) &&
		   !is_excluded(spec, name);
}

bool
mlplat_needs_first_row(TupleDesc desc, const MlTrainSpec *spec, const char *target)
{
	for (int i = 0; i < desc->natts; i++)
	{
		bool is_array;

		if (is_feature(desc, i, spec, target) &&
			find_type(TupleDescAttr(desc, i)->atttypid, &is_array) && is_array)
			return true;
	}
	return false;
}

/* The length of an array column, from the first row. */
static uint32
block_length(const char *name, int i, const Datum *values, const bool *nulls)
{
	ArrayType *array;
	int n;

	if (!values || nulls[i])
		ereport(
			ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			errmsg("array column \"%s\" is NULL in the first row, so that its length is not known",
				   name),
			errhint("Leave such rows out with a WHERE clause, or exclude the column."));
	array = DatumGetArrayTypeP(values[i]);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n < 1 || n > ML_MAX_SLOTS)
		ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("array column \"%s\" has %d elements; 1 to %d are supported", name, n,
					   ML_MAX_SLOTS));
	return (uint32) n;
}

/* Prepare a column whose values are read as levels by their text. */
static void
use_output(MlplatColumn *column, Oid type, MemoryContext context)
{
	Oid function;
	bool is_varlena;

	column->level_type = getBaseType(type);
	if (mlplat_has_level_text(column->level_type))
	{
		column->source = MLPLAT_LEVEL;
		return;
	}
	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &column->output, context);
	column->source = MLPLAT_OUTPUT;
}

/* Is the column to be read as levels whatever its type? */
static bool
wants_levels(const MlTrainSpec *spec, const char *name)
{
	return spec->prep && spec->prep->type == ML_JSON_OBJECT &&
		   ml_json_get(spec->prep, name) != NULL;
}

/* One feature column: its input in the schema and its place in the binding. */
static void
bind_feature(MlplatTraining *training, MlArena *arena, TupleDesc desc, int i,
			 const MlTrainSpec *spec, const Datum *values, const bool *nulls, MlInput *input)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, i);
	const char *name = NameStr(attribute->attname);
	const char *type_name = base_type_name(attribute->atttypid);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns++];
	bool is_array;
	const TypeFacts *facts = find_type(attribute->atttypid, &is_array);

	if (!facts)
		unsupported_type(name, attribute->atttypid);
	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = ml_arena_text(arena, type_name, strlen(type_name));
	if (!input->name || !input->type_name)
		mlplat_check(arena->env, ML_ENOMEM);
	input->kind = is_array ? ML_BLOCK : facts->kind;
	input->width = facts->width;
	input->n_slots = is_array ? block_length(name, i, values, nulls) : 1;
	column->attribute = i;
	column->name = input->name;
	column->source = is_array ? MLPLAT_ARRAY : facts->source;
	column->element = facts->source;
	column->n_slots = input->n_slots;
	if (wants_levels(spec, name))
	{
		if (is_array || facts->source == MLPLAT_INTERVAL)
			ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("column \"%s\" has type %s, which cannot be read as levels", name,
						   type_name),
					errhint("Cast it to text in the query."));
		input->kind = ML_CATEGORICAL;
		input->width = ML_WIDTH_LEVEL;
		if (facts->kind != ML_CATEGORICAL)
			use_output(column, attribute->atttypid, mlplat_env_context(arena->env));
	}
	if (column->source == MLPLAT_OUTPUT && !column->output.fn_oid)
		use_output(column, attribute->atttypid, mlplat_env_context(arena->env));
}

/* The target: numbers, booleans and texts. */
static void
bind_target(MlplatTraining *training, MlArena *arena, TupleDesc desc, const char *target)
{
	int i = find_attribute(desc, target);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const TypeFacts *facts;
	bool is_array;
	Oid type;

	if (i < 0)
		no_such_column(desc, "target", target);
	type = TupleDescAttr(desc, i)->atttypid;
	facts = find_type(type, &is_array);
	if (!facts || is_array || (facts->kind != ML_NUMERIC && facts->kind != ML_CATEGORICAL))
		ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("target column \"%s\" has type %s, which cannot be predicted", target,
					   format_type_be(type)),
				errhint("Cast it to a number, a boolean or a text."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = training->schema->n_slots;
	column->name = target;
	column->grow = true;
	if (facts->source == MLPLAT_OUTPUT)
		use_output(column, type, mlplat_env_context(arena->env));
	training->target_column = training->binding.n_columns++;
	training->target_width = facts->width;
	if (facts->kind == ML_CATEGORICAL)
		training->target_kind = ML_TARGET_TEXT;
	else if (facts->source == MLPLAT_BOOL)
		training->target_kind = ML_TARGET_BOOL;
	else if (facts->source == MLPLAT_INT2 || facts->source == MLPLAT_INT4 ||
			 facts->source == MLPLAT_INT8)
		training->target_kind = ML_TARGET_INTEGER;
	else
		training->target_kind = ML_TARGET_NUMBER;
}

/* The weight: any number. */
static void
bind_weight(MlplatTraining *training, TupleDesc desc, const char *weight)
{
	int i = find_attribute(desc, weight);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const TypeFacts *facts;
	bool is_array;

	if (i < 0)
		no_such_column(desc, "weight", weight);
	facts = find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->kind != ML_NUMERIC)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("weight column \"%s\" has type %s, not a number", weight,
					   format_type_be(TupleDescAttr(desc, i)->atttypid)));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = training->schema->n_slots + (training->target_column >= 0);
	column->name = weight;
	training->weight_column = training->binding.n_columns++;
}

/* The slot of the next column behind the features. */
static uint32
next_slot(const MlplatTraining *training)
{
	const MlplatBinding *binding = &training->binding;
	const MlplatColumn *last = binding->columns + binding->n_columns - 1;

	return binding->n_columns > 0 ? Max(last->slot + 1, training->schema->n_slots)
								  : training->schema->n_slots;
}

/* What rows are kept together by: levels of any type. */
static void
bind_group(MlplatTraining *training, TupleDesc desc, const char *group, MemoryContext context)
{
	int i = find_attribute(desc, group);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const TypeFacts *facts;
	bool is_array;

	if (i < 0)
		no_such_column(desc, "group_by", group);
	facts = find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->source == MLPLAT_INTERVAL)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("group_by column \"%s\" has type %s, which has no groups", group,
					   format_type_be(TupleDescAttr(desc, i)->atttypid)),
				errhint("Cast it to text in the query."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = next_slot(training);
	column->name = group;
	column->grow = true;
	if (facts->kind != ML_CATEGORICAL || facts->source == MLPLAT_OUTPUT)
		use_output(column, TupleDescAttr(desc, i)->atttypid, context);
	training->group_column = training->binding.n_columns++;
}

/* What rows are split in the order of: numbers and times. */
static void
bind_order(MlplatTraining *training, TupleDesc desc, const char *order)
{
	int i = find_attribute(desc, order);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const TypeFacts *facts;
	bool is_array;

	if (i < 0)
		no_such_column(desc, "order_by", order);
	facts = find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->kind == ML_CATEGORICAL)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("order_by column \"%s\" has type %s, which is neither a number nor a time",
					   order, format_type_be(TupleDescAttr(desc, i)->atttypid)),
				errhint("Use a number, a date, a time or a timestamp."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = next_slot(training);
	column->name = order;
	training->binding.n_columns++;
}

/* What rows are split by has no other part to play. */
static void
refuse_double_use(const MlTrainSpec *spec, const char *target)
{
	const char *split = spec->group_by ? spec->group_by : spec->order_by;

	if (!split)
		return;
	if ((target && strcmp(split, target) == 0) ||
		(spec->weight && strcmp(split, spec->weight) == 0))
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("column \"%s\" cannot be both %s and %s", split,
					   target && strcmp(split, target) == 0 ? "target" : "weight",
					   spec->group_by ? "group_by" : "order_by"));
}

MlplatTraining *
mlplat_bind_training(MlArena *arena, TupleDesc desc, const MlTrainSpec *spec, const char *target,
					 const Datum *values, const bool *nulls)
{
	MemoryContext context = mlplat_env_context(arena->env);
	MlplatTraining *training = MemoryContextAllocZero(context, sizeof *training);
	MlplatBinding *binding = &training->binding;
	uint32 n_inputs = 0;

	refuse_duplicates(desc);
	check_option_columns(desc, spec);
	refuse_double_use(spec, target);
	binding->env = arena->env;
	binding->columns = MemoryContextAllocZero(context, sizeof(MlplatColumn) * (desc->natts + 2));
	binding->scratch = AllocSetContextCreate(context, "mlplat row", ALLOCSET_DEFAULT_SIZES);
	training->target_column = training->weight_column = training->group_column = -1;
	training->target_kind = ML_TARGET_NONE;
	for (int i = 0; i < desc->natts; i++)
		n_inputs += is_feature(desc, i, spec, target);
	mlplat_check(arena->env, ml_schema_create(arena, n_inputs, &training->schema));
	for (int i = 0; i < desc->natts; i++)
	{
		if (is_feature(desc, i, spec, target))
			bind_feature(training, arena, desc, i, spec, values, nulls,
						 &training->schema->inputs[binding->n_columns]);
	}
	mlplat_check(arena->env, ml_schema_layout(training->schema));
	for (uint32 c = 0; c < n_inputs; c++)
	{
		binding->columns[c].slot = training->schema->inputs[c].first_slot;
		binding->columns[c].levels = training->schema->inputs[c].levels;
		binding->columns[c].grow = true;
	}
	if (target)
		bind_target(training, arena, desc, target);
	if (spec->weight)
		bind_weight(training, desc, spec->weight);
	if (spec->group_by)
		bind_group(training, desc, spec->group_by, context);
	if (spec->order_by)
		bind_order(training, desc, spec->order_by);
	binding->n_raw = next_slot(training);
	for (int c = 0; c < binding->n_columns; c++)
		binding->needs_scratch |= source_allocates(binding->columns[c].source);
	return training;
}

/* ---- binding for prediction ---- */

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
suits(const MlInput *input, const TypeFacts *facts, bool is_array)
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
static const TypeFacts *
input_facts(const MlInput *input, Oid type, bool *is_array)
{
	const TypeFacts *facts;

	*is_array = false;
	if (type == UNKNOWNOID)
		return &unknown_facts;
	facts = find_type(type, is_array);
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
	const TypeFacts *facts = input_facts(input, type, &is_array);

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
		use_output(column, type, context);
	binding->needs_scratch |= source_allocates(column->source);
}

MlplatBinding *
mlplat_bind_model(MemoryContext context, const MlModel *model, TupleDesc desc)
{
	const MlSchema *schema = model->schema;
	MlplatBinding *binding = MemoryContextAllocZero(context, sizeof *binding);
	bool positional = has_no_names(desc) && (uint32) desc->natts == schema->n_inputs;

	binding->columns =
		MemoryContextAllocZero(context, sizeof(MlplatColumn) * (schema->n_inputs + 1));
	binding->scratch = AllocSetContextCreate(context, "mlplat row", ALLOCSET_SMALL_SIZES);
	binding->n_raw = schema->n_slots;
	refuse_other_length(model, desc);
	for (uint32 k = 0; k < schema->n_inputs; k++)
	{
		int i = positional ? (int) k : find_attribute(desc, schema->inputs[k].name);

		if (i < 0)
			no_such_column(desc, "feature", schema->inputs[k].name);
		bind_input(binding, &schema->inputs[k], desc, i, context);
	}
	return binding;
}
