/*
 * json_row.c
 *		A row as a jsonb object: members by name, numbers, texts and dates.
 *
 * Dates are read as ISO 8601 (2024-05-31, 2024-05-31T17:30:00.5+02:00) whatever
 * DateStyle says, so that a prediction by image depends on its arguments alone.
 * What to_jsonb makes of a row predicts as the row does, with one exception: intervals
 * that were written under IntervalStyle sql_standard with a leading minus.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "pg/binder.h"
#include "serve/json_row.h"

static _Noreturn void
wrong_member(const MlInput *input, const char *got)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("feature \"%s\" is %s in the model, but the member is %s", input->name,
						   input->type_name, got)));
}

static const char *
json_type(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNumeric:
			return "a number";
		case jbvString:
			return "a string";
		case jbvBool:
			return "a boolean";
		case jbvNull:
			return "null";
		default:
			return "an object or array";
	}
}

/* The type that a member's text is read as; what to_jsonb makes of a row must mean what the row means. */
static bool
has_type(const MlInput *input, const char *name)
{
	size_t len = strlen(name);

	return strncmp(input->type_name, name, len) == 0 &&
		   (input->type_name[len] == '\0' || input->type_name[len] == '[');
}

/* Is the member this string? */
static bool
is_text(const JsonbValue *value, const char *text)
{
	return (size_t) value->val.string.len == strlen(text) &&
		   memcmp(value->val.string.val, text, strlen(text)) == 0;
}

/* NaN and the infinities, which JSON has no numbers for. */
static double
json_special(const MlInput *input, const JsonbValue *value)
{
	if (is_text(value, "NaN"))
		return NAN;
	if (is_text(value, "Infinity"))
		return INFINITY;
	if (is_text(value, "-Infinity"))
		return -INFINITY;
	wrong_member(input, json_type(value));
}

/* Seconds of a time of day or an interval, as the type interval reads it in its default style. */
static double
json_interval(const JsonbValue *value)
{
	int style = IntervalStyle;
	char *text = pnstrdup(value->val.string.val, value->val.string.len);
	Interval *interval = NULL;

	IntervalStyle = INTSTYLE_POSTGRES;
	PG_TRY();
	{
		interval = DatumGetIntervalP(DirectFunctionCall3(
			interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	PG_FINALLY();
	{
		IntervalStyle = style;
	}
	PG_END_TRY();
	return mlplat_interval_seconds(interval);
}

static double
json_number(const MlInput *input, const JsonbValue *value)
{
	double number;

	switch (value->type)
	{
		case jbvNull:
			return NAN;
		case jbvBool:
			return value->val.boolean;
		case jbvNumeric:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
														NumericGetDatum(value->val.numeric)));
			/* A column of this type holds 0.1 as the nearest float4. */
			return has_type(input, "real") ? (double) (float) number : number;
		case jbvString:
			return input->kind == ML_TIME ? json_interval(value) : json_special(input, value);
		default:
			wrong_member(input, json_type(value));
	}
}

/* The text of a level that was a number in JSON. */
static char *
json_number_text(const MlInput *input, const JsonbValue *value)
{
	Datum number = NumericGetDatum(value->val.numeric);

	if (has_type(input, "double precision"))
		return mlplat_level_text(FLOAT8OID, DirectFunctionCall1(numeric_float8, number));
	if (has_type(input, "real"))
		return mlplat_level_text(FLOAT4OID, DirectFunctionCall1(numeric_float4, number));
	return mlplat_level_text(NUMERICOID, number);
}

/* ---- dates ---- */

/* A time zone's offset in seconds at *text, which moves behind it; 0 where there is none. */
static double
read_offset(const char **text)
{
	int hour, minute = 0, second = 0, used = 0;
	const char *rest = *text;
	double sign = *rest == '-' ? -1 : 1;

	if (*rest == 'Z')
	{
		*text = rest + 1;
		return 0;
	}
	if ((*rest != '+' && *rest != '-') || sscanf(rest + 1, "%2d%n", &hour, &used) != 1)
		return 0;
	rest += 1 + used;
	if (*rest == ':' && sscanf(rest + 1, "%2d%n", &minute, &used) == 1)
		rest += 1 + used;
	if (*rest == ':' && sscanf(rest + 1, "%2d%n", &second, &used) == 1)
		rest += 1 + used;
	*text = rest;
	return sign * ((hour * 60.0 + minute) * 60 + second);
}

/* A time of day in microseconds at *text, behind a T or a blank. */
static bool
read_time(const char **text, double *result)
{
	int hour, minute, used = 0;
	const char *rest = *text;
	char *end;
	double second = 0;

	*result = 0;
	if ((*rest != 'T' && *rest != ' ') || !isdigit((unsigned char) rest[1]))
		return true;
	if (sscanf(rest + 1, "%2d:%2d%n", &hour, &minute, &used) != 2 || hour > 24 || minute > 59)
		return false;
	rest += 1 + used;
	if (*rest == ':')
	{
		second = strtod(rest + 1, &end);
		rest = end;
	}
	*text = rest;
	*result = (hour * 60.0 + minute) * 60 * USECS_PER_SEC + rint(second * USECS_PER_SEC);
	return second >= 0 && second < 61;
}

/* Microseconds since 2000-01-01, UTC where there is an offset; false: not an ISO date. */
static bool
read_date(const char *text, double *result)
{
	int year, month, day, used = 0, year2, month2, day2;
	const char *rest = text;
	double time;

	if (!isdigit((unsigned char) *text) ||
		sscanf(text, "%7d-%2d-%2d%n", &year, &month, &day, &used) != 3 || year < 1)
		return false;
	rest += used;
	if (strlen(rest) >= 3 && strcmp(rest + strlen(rest) - 3, " BC") == 0)
		year = 1 - year;
	if (month < 1 || month > 12 || !IS_VALID_JULIAN(year, month, day))
		return false;
	j2date(date2j(year, month, day), &year2, &month2, &day2);
	if (day2 != day || !read_time(&rest, &time))
		return false;
	*result = (double) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY + time -
			  read_offset(&rest) * USECS_PER_SEC;
	return *rest == '\0' || strcmp(rest, " BC") == 0;
}

/* Microseconds since 2000-01-01. */
static double
json_date(const MlInput *input, const JsonbValue *value)
{
	double result;

	if (value->type == jbvNull)
		return NAN;
	if (value->type != jbvString)
		wrong_member(input, json_type(value));
	if (is_text(value, "infinity"))
		return INFINITY;
	if (is_text(value, "-infinity"))
		return -INFINITY;
	if (!read_date(pnstrdup(value->val.string.val, value->val.string.len), &result))
		wrong_member(input, "not an ISO date");
	return result;
}

/* ---- levels and blocks ---- */

/* The level of a text, a number or a boolean. */
static double
json_level(const MlInput *input, const JsonbValue *value)
{
	const char *text;
	size_t len;
	double date;
	uint32 code;

	switch (value->type)
	{
		case jbvNull:
			return NAN;
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			/* to_jsonb writes it in the session's time zone */
			if (has_type(input, "timestamp with time zone") && read_date(text, &date) &&
				fabs(date) < 9e18)
				text = mlplat_level_text(TIMESTAMPTZOID, TimestampTzGetDatum((TimestampTz) date));
			break;
		case jbvBool:
			text = value->val.boolean ? "t" : "f";
			break;
		case jbvNumeric:
			text = json_number_text(input, value);
			break;
		default:
			wrong_member(input, json_type(value));
	}
	len = strlen(text);
	if (has_type(input, "character"))
		len = bpchartruelen((char *) text, (int) len);
	code = ml_dict_find(input->levels, text, len);
	return code == ML_NO_LEVEL ? ML_UNSEEN : (double) code;
}

/* An array of numbers of the block's length. */
static void
json_block(const MlInput *input, JsonbValue *value, double *out)
{
	JsonbContainer *array = value->val.binary.data;

	if (value->type == jbvNull)
	{
		for (uint32 s = 0; s < input->n_slots; s++)
			out[s] = NAN;
		return;
	}
	if (value->type != jbvBinary || !JsonContainerIsArray(array) ||
		JsonContainerSize(array) != input->n_slots)
		wrong_member(input, psprintf("not an array of %u numbers", input->n_slots));
	for (uint32 s = 0; s < input->n_slots; s++)
		out[s] = json_number(input, getIthJsonbValueFromContainer(array, s));
}

void
mlplat_read_json_row(const MlSchema *schema, Jsonb *row, double *raw)
{
	if (!JB_ROOT_IS_OBJECT(row))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a row as jsonb must be an object")));
	for (uint32 k = 0; k < schema->n_inputs; k++)
	{
		const MlInput *input = &schema->inputs[k];
		JsonbValue key = {.type = jbvString};
		JsonbValue *value;
		double *out = raw + input->first_slot;

		key.val.string.val = input->name;
		key.val.string.len = (int) strlen(input->name);
		value = findJsonbValueFromContainer(&row->root, JB_FOBJECT, &key);
		if (!value)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("feature \"%s\" is not in the object", input->name),
							errhint("Write null for a value that is not known.")));
		if (input->kind == ML_BLOCK)
			json_block(input, value, out);
		else if (input->kind == ML_CATEGORICAL)
			*out = json_level(input, value);
		else if (input->kind == ML_DATE || input->kind == ML_TIMESTAMP)
			*out = json_date(input, value);
		else
			*out = json_number(input, value);
	}
}
