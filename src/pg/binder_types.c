/*
 * binder_types.c
 *		What the binder knows of types and row types: one table, and who is which column.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/binder_inner.h"

static const MlplatTypeFacts type_facts[] = {
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

static const MlplatTypeFacts enum_facts = {InvalidOid, MLPLAT_OUTPUT, ML_CATEGORICAL,
										   ML_WIDTH_LEVEL};

/* What to do with a type, domains by their base type; NULL: nothing. Arrays: the facts of the element. */
const MlplatTypeFacts *
mlplat_find_type(Oid type, bool *is_array)
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
const char *
mlplat_base_type_name(Oid type)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	return OidIsValid(element) ? psprintf("%s[]", format_type_be(getBaseType(element)))
							   : format_type_be(base);
}

_Noreturn void
mlplat_unsupported_type(const char *column, Oid type)
{
	ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			errmsg("column \"%s\" has type %s, which cannot be a feature", column,
				   format_type_be(type)),
			errhint("Exclude it, or cast it to a number, a date, a text or an array of numbers."));
}

/* Conversions that may allocate per row. */
bool
mlplat_source_allocates(MlplatSource source)
{
	return source == MLPLAT_NUMERIC || (source >= MLPLAT_TEXT && source != MLPLAT_UNTYPED);
}

/* Prepare a column whose values are read as levels by their text. */
void
mlplat_use_output(MlplatColumn *column, Oid type, MemoryContext context)
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

/* The attribute of that name, or -1. */
int
mlplat_find_attribute(TupleDesc desc, const char *name)
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
_Noreturn void
mlplat_no_such_column(TupleDesc desc, const char *what, const char *name)
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
