/*
 * csvfields.c
 *		The table's columns that a CSV file's fields go to: what they take.
 *
 * Whether COPY will take a value is known quickly for the plain forms of common
 * types (data/csv/csvfit.h); for all others the type's input function is called, as
 * COPY will.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/copy.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "source/csv/csvfields.h"

/* Whole numbers beyond 18 digits are asked about. */
#define MAX_SURE INT64CONST(999999999999999999)

/* So many digits before and behind the point, and of the exponent, are far from overflow and underflow. */
#define FLOAT4_DIGITS 30
#define FLOAT8_DIGITS 60
#define FLOAT8_EXPONENT 2
#define NUMERIC_DIGITS 1000

static MlCsvFit
numeric_fit(int32 typmod)
{
	MlCsvFit fit = {
		.kind = ML_CSV_FIT_DECIMAL, .max = NUMERIC_DIGITS, .max_fraction = NUMERIC_DIGITS};
	int precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	int scale = (typmod - VARHDRSZ) & 0x7ff;

	if (typmod < VARHDRSZ)
		return fit;
	/* A scale below 0 or beyond the precision (since 15) is left to the input function. */
	if (scale > precision)
		return (MlCsvFit){.kind = ML_CSV_FIT_ASK};
	fit.max = precision - scale;
	fit.max_fraction = scale;
	return fit;
}

static MlCsvFit
type_fit(Oid type, int32 typmod)
{
	switch (type)
	{
		case INT2OID:
			return (MlCsvFit){.kind = ML_CSV_FIT_INTEGER, .max = PG_INT16_MAX};
		case INT4OID:
			return (MlCsvFit){.kind = ML_CSV_FIT_INTEGER, .max = PG_INT32_MAX};
		case INT8OID:
			return (MlCsvFit){.kind = ML_CSV_FIT_INTEGER, .max = MAX_SURE};
		case FLOAT4OID:
			return (MlCsvFit){ML_CSV_FIT_DECIMAL, FLOAT4_DIGITS, FLOAT4_DIGITS, 0, 0};
		case FLOAT8OID:
			return (MlCsvFit){ML_CSV_FIT_DECIMAL, FLOAT8_DIGITS, FLOAT8_DIGITS, FLOAT8_EXPONENT, 0};
		case NUMERICOID:
			return numeric_fit(typmod);
		case BOOLOID:
			return (MlCsvFit){.kind = ML_CSV_FIT_BOOLEAN};
		case DATEOID:
			return (MlCsvFit){.kind = ML_CSV_FIT_DATE};
		case TIMESTAMPOID:
			return (MlCsvFit){.kind = ML_CSV_FIT_TIMESTAMP};
		case TIMESTAMPTZOID:
			return (MlCsvFit){.kind = ML_CSV_FIT_TIMESTAMPTZ};
		case TEXTOID:
			return (MlCsvFit){.kind = ML_CSV_FIT_ANY};
		case VARCHAROID:
		case BPCHAROID:
			if (typmod < VARHDRSZ)
				return (MlCsvFit){.kind = ML_CSV_FIT_ANY};
			return (MlCsvFit){.kind = ML_CSV_FIT_BYTES, .max = typmod - VARHDRSZ};
		default:
			return (MlCsvFit){.kind = ML_CSV_FIT_ASK};
	}
}

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == FLOAT4OID ||
		   type == FLOAT8OID || type == NUMERICOID;
}

static void
describe(Relation rel, Form_pg_attribute column, MlplatCsvField *field)
{
	Oid base = getBaseType(column->atttypid), input;
	const TriggerDesc *triggers = rel->trigdesc;

	field->name = pstrdup(NameStr(column->attname));
	field->is_number = is_number(base);
	field->is_moment = base == DATEOID || base == TIMESTAMPOID || base == TIMESTAMPTZOID;
	field->ask_null = base != column->atttypid;
	field->not_null =
		column->attnotnull &&
		!(triggers && (triggers->trig_insert_before_row || triggers->trig_insert_instead_row));
	field->fit = type_fit(column->atttypid, column->atttypmod);
	field->typmod = column->atttypmod;
	getTypeInputInfo(column->atttypid, &input, &field->ioparam);
	fmgr_info(input, &field->input);
}

MlplatCsvField *
mlplat_csv_fields(Relation rel, List *columns, int n)
{
	TupleDesc desc = RelationGetDescr(rel);
	List *numbers = CopyGetAttnums(desc, rel, columns);
	MlplatCsvField *fields = palloc0(sizeof(MlplatCsvField) * n);
	ListCell *cell;
	int j = 0;

	if (list_length(numbers) != n)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("the first row has %d fields, table \"%s\" has %d columns", n,
							   RelationGetRelationName(rel), list_length(numbers)),
						errhint("Name the columns with the option {\"columns\": [...]}.")));
	foreach (cell, numbers)
		describe(rel, TupleDescAttr(desc, lfirst_int(cell) - 1), &fields[j++]);
	return fields;
}

void
mlplat_csv_ask(MlplatCsvField *field, const char *text)
{
	(void) InputFunctionCall(&field->input, unconstify(char *, text), field->ioparam,
							 field->typmod);
}

/* Syntax errors are those of types' own languages. */
bool
mlplat_csv_is_about_value(int code)
{
	int category = ERRCODE_TO_CATEGORY(code);

	if (code == ERRCODE_INSUFFICIENT_PRIVILEGE)
		return false;
	return category == ERRCODE_DATA_EXCEPTION || code == ERRCODE_RAISE_EXCEPTION ||
		   category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_SYNTAX_ERROR);
}
