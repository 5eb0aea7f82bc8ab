/*
 * options_views.c
 *		The views algorithms and parameters: the tables that also validate, as rows.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "model/trainer.h"
#include "pg/param_rows.h"
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

Datum
mlplat_list_parameters(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 8, &desc);

	mlplat_put_parameters(rows, desc, NULL, ml_train_params);
	/* Of prep: the steps of a column, which every algorithm takes. */
	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
		mlplat_put_parameters(rows, desc, (*algo)->name,
							  (*algo)->prepares ? ml_prep_params : (*algo)->params);
	return (Datum) 0;
}
