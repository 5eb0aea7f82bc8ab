/*
 * param_rows.c
 *		The tables that validate options, as rows of a view.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/param_rows.h"

static const char *
param_type_name(MlParamType type)
{
	switch (type)
	{
		case ML_PARAM_INT:
			return "integer";
		case ML_PARAM_REAL:
			return "real";
		case ML_PARAM_BOOL:
			return "boolean";
		case ML_PARAM_CHOICE:
			return "choice";
		case ML_PARAM_TEXT:
			return "text";
		case ML_PARAM_JSON:
			break;
	}
	return "json";
}

/* The words of "a|b|c". */
static Datum
choice_array(const char *choices)
{
	Datum words[32];
	int n = 0;

	while (*choices && n < (int) lengthof(words))
	{
		size_t len = strcspn(choices, "|");

		words[n++] = PointerGetDatum(cstring_to_text_with_len(choices, (int) len));
		choices += len + (choices[len] == '|');
	}
	return PointerGetDatum(construct_array(words, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
mlplat_put_parameters(Tuplestorestate *rows, TupleDesc desc, const char *owner,
					  const MlParam *table)
{
	for (const MlParam *param = table; param->name; param++)
	{
		bool numeric = param->type == ML_PARAM_INT || param->type == ML_PARAM_REAL;
		bool none = strcmp(param->fallback, "null") == 0;
		size_t len = strlen(param->fallback);
		Datum values[8];
		bool nulls[8] = {0};

		nulls[0] = owner == NULL;
		values[0] = owner ? CStringGetTextDatum(owner) : (Datum) 0;
		values[1] = CStringGetTextDatum(param->name);
		values[2] = CStringGetTextDatum(param_type_name(param->type));
		nulls[3] = none;
		if (!none)
			values[3] =
				param->fallback[0] == '"'
					? PointerGetDatum(cstring_to_text_with_len(param->fallback + 1, (int) len - 2))
					: CStringGetTextDatum(param->fallback);
		nulls[4] = !numeric || isinf(param->min);
		values[4] = Float8GetDatum(param->min);
		nulls[5] = !numeric || isinf(param->max);
		values[5] = Float8GetDatum(param->max);
		nulls[6] = param->type != ML_PARAM_CHOICE;
		values[6] = param->type == ML_PARAM_CHOICE ? choice_array(param->choices) : (Datum) 0;
		values[7] = CStringGetTextDatum(param->help);
		tuplestore_putvalues(rows, desc, values, nulls);
	}
}
