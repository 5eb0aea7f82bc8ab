/*
 * json_row.c
 *		A row as a jsonb object: members by name, numbers, texts and dates.
 *
 * Dates are read as ISO 8601 (2024-05-31, 2024-05-31T17:30:00.5+02:00) whatever
 * DateStyle says, so that a prediction by image depends on its arguments alone.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

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

static double
json_number(const MlInput *input, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return NAN;
		case jbvBool:
			return value->val.boolean;
		case jbvNumeric:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													  NumericGetDatum(value->val.numeric)));
		default:
			wrong_member(input, json_type(value));
	}
}

/* The level of a text, a number or a boolean. */
static double
json_level(const MlInput *input, const JsonbValue *value)
{
	const char *text;
	size_t len;
	uint32 code;

	switch (value->type)
	{
		case jbvNull:
			return NAN;
		case jbvString:
			text = value->val.string.val;
			len = value->val.string.len;
			break;
		case jbvBool:
			text = value->val.boolean ? "t" : "f";
			len = 1;
			break;
		case jbvNumeric:
			text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			len = strlen(text);
			break;
		default:
			wrong_member(input, json_type(value));
	}
	code = ml_dict_find(input->levels, text, len);
	return code == ML_NO_LEVEL ? ML_UNSEEN : (double) code;
}

/* Microseconds since 2000-01-01, UTC where there is an offset. */
static double
json_date(const MlInput *input, const JsonbValue *value)
{
	int year, month, day, used = 0, hour = 0, minute = 0, offset_hour, offset_minute = 0;
	double second = 0, result;
	char *text, *rest, sign;

	if (value->type == jbvNull)
		return NAN;
	if (value->type != jbvString)
		wrong_member(input, json_type(value));
	text = pnstrdup(value->val.string.val, value->val.string.len);
	if (sscanf(text, "%5d-%2d-%2d%n", &year, &month, &day, &used) != 3 || month < 1 || month > 12 ||
		day < 1 || day > 31 || year < 1)
		wrong_member(input, "not an ISO date");
	rest = text + used;
	if ((*rest == 'T' || *rest == ' ') && sscanf(rest + 1, "%2d:%2d%n", &hour, &minute, &used) == 2)
	{
		rest += 1 + used;
		if (*rest == ':')
			second = strtod(rest + 1, &rest);
	}
	result =
		(((double) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * 24 + hour) * 60 + minute) *
			60 +
		second;
	if ((*rest == '+' || *rest == '-') &&
		(used = 0, sign = *rest, sscanf(rest + 1, "%2d%n", &offset_hour, &used)) == 1)
	{
		rest += 1 + used;
		if (*rest == ':' && sscanf(rest + 1, "%2d%n", &offset_minute, &used) == 1)
			rest += 1 + used;
		result -= (sign == '-' ? -1 : 1) * (offset_hour * 60.0 + offset_minute) * 60;
	}
	else if (*rest == 'Z')
		rest++;
	if (*rest != '\0' || hour > 24 || minute > 59 || !(second >= 0 && second < 61))
		wrong_member(input, "not an ISO date");
	return result * USECS_PER_SEC;
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
