/*
 * predict_batch.c
 *		predict_batch(model, query, key): the predictions for all rows of a query.
 *
 * The query runs once, and each row is predicted as it comes; one model, bound
 * once, serves them all, whatever is promoted meanwhile. The plan is serial, so
 * that the same rows have the same numbers each time.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/binder.h"
#include "pg/query.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "serve/prediction.h"
#include "serve/site.h"

PG_FUNCTION_INFO_V1(mlplat_predict_batch);

enum
{
	ROW_NUMBER,
	ROW_KEY,
	PREDICTION,
	CLASS,
	PROBABILITIES,
	N_COLUMNS
};

typedef struct Batch
{
	Tuplestorestate *rows;
	TupleDesc desc;
	const MlplatSiteModel *sited; /* NULL: no model, no predictions */
	int key;                      /* attribute; -1: none */
	FmgrInfo key_output;
	int64 n;
} Batch;

/* Find the column whose text stands beside each prediction. */
static void
choose_key(Batch *batch, TupleDesc desc, const char *name)
{
	Oid output;
	bool is_varlena;

	batch->key = mlplat_find_attribute(desc, name);
	if (batch->key < 0)
		mlplat_no_such_column(desc, "key", name);
	getTypeOutputInfo(TupleDescAttr(desc, batch->key)->atttypid, &output, &is_varlena);
	fmgr_info(output, &batch->key_output);
}

/* Set a column of the result. */
static void
set_column(Datum *values, bool *nulls, int column, Datum value)
{
	values[column] = value;
	nulls[column] = false;
}

/* What the model says of a row. */
static void
set_prediction(const MlModel *model, const double *probs, Datum *values, bool *nulls)
{
	const char *class = mlplat_prediction_class(model, probs);

	set_column(values, nulls, PREDICTION, Float8GetDatum(mlplat_prediction_value(model, probs)));
	if (class)
		set_column(values, nulls, CLASS, CStringGetTextDatum(class));
	if (model->n_classes > 0)
		set_column(values, nulls, PROBABILITIES, mlplat_prediction_probs(model, probs));
}

static void
predict_row(void *arg, TupleTableSlot *slot)
{
	Batch *batch = arg;
	Datum values[N_COLUMNS] = {0};
	bool nulls[N_COLUMNS] = {true, true, true, true, true};

	set_column(values, nulls, ROW_NUMBER, Int64GetDatum(++batch->n));
	if (batch->key >= 0 && !slot->tts_isnull[batch->key])
	{
		char *text = OutputFunctionCall(&batch->key_output, slot->tts_values[batch->key]);

		set_column(values, nulls, ROW_KEY, CStringGetTextDatum(text));
	}
	if (batch->sited)
		set_prediction(batch->sited->model,
					   mlplat_site_predict_values(batch->sited, slot->tts_values, slot->tts_isnull),
					   values, nulls);
	tuplestore_putvalues(batch->rows, batch->desc, values, nulls);
}

/* predict_batch(model, query, key) -> row_number, row_key, prediction, class, probabilities */
Datum
mlplat_predict_batch(PG_FUNCTION_ARGS)
{
	Batch batch = {.key = -1};
	TupleDesc desc;
	char *query;

	mlplat_need_arguments(fcinfo, 3);
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"query\" of predict_batch must not be NULL")));
	query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	desc = mlplat_describe_query(query);
	batch.sited = mlplat_site_open(fcinfo, desc);
	if (!PG_ARGISNULL(2))
		choose_key(&batch, desc, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	batch.rows = mlplat_rows_begin(fcinfo, N_COLUMNS, &batch.desc);
	mlplat_run_query(query, MLPLAT_PLAN_SERIAL, predict_row, &batch);
	return (Datum) 0;
}
