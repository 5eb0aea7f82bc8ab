/*
 * options_views.c
 *		The views algorithms and parameters: the tables that also validate, as rows.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "model/trainer.h"
#include "pg/rows.h"

PG_FUNCTION_INFO_V1(mlplat_list_algorithms);
PG_FUNCTION_INFO_V1(mlplat_list_parameters);

/* An array of text. */
static Datum
text_array(Datum *items, int n)
{
	return PointerGetDatum(construct_array(items, n, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
mlplat_list_algorithms(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 4, &desc);

	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
	{
		Datum tasks[ML_N_TASKS];
		Datum values[4];
		bool nulls[4] = {0};
		int n = 0;

		for (int task = 0; task < ML_N_TASKS; task++)
		{
			if ((*algo)->tasks & ML_TASK_BIT(task))
				tasks[n++] = CStringGetTextDatum(ml_task_name((MlTask) task));
		}
		values[0] = CStringGetTextDatum((*algo)->name);
		values[1] = CStringGetTextDatum((*algo)->summary);
		values[2] = text_array(tasks, n);
		values[3] = BoolGetDatum((*algo)->streaming != NULL);
		tuplestore_putvalues(rows, desc, values, nulls);
	}
	return (Datum) 0;
}

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
	return text_array(words, n);
}

/* One row a parameter; algorithm NULL: a common one. */
static void
put_parameters(Tuplestorestate *rows, TupleDesc desc, const char *algorithm, const MlParam *table)
{
	for (const MlParam *param = table; param->name; param++)
	{
		bool numeric = param->type == ML_PARAM_INT || param->type == ML_PARAM_REAL;
		bool none = strcmp(param->fallback, "null") == 0;
		size_t len = strlen(param->fallback);
		Datum values[8];
		bool nulls[8] = {0};

		nulls[0] = algorithm == NULL;
		values[0] = algorithm ? CStringGetTextDatum(algorithm) : (Datum) 0;
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

Datum
mlplat_list_parameters(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 8, &desc);

	put_parameters(rows, desc, NULL, ml_train_params);
	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
		put_parameters(rows, desc, (*algo)->name, (*algo)->params);
	return (Datum) 0;
}
