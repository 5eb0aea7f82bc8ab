/*
 * evaluation.c
 *		How good models are on the rows of any query: evaluate_model, compare_models.
 *
 * The query is read once for each model, into a frame, as each has its own
 * features; what comes out is measured as a hold-out is (model/evaluate.h). An
 * evaluation of a model in the registry is stored under its version, for the
 * views of metrics and curves.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "analyze/inspect.h"
#include "metric/metric.h"
#include "model/evaluate.h"
#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/model_rows.h"
#include "pg/progress.h"
#include "pg/rows.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_evaluate_model);
PG_FUNCTION_INFO_V1(mlplat_compare_models);

#define N_RESULT_COLUMNS 8
#define N_COMPARISON_COLUMNS 8
#define MAX_COMPARED 1000

/* What is asked of one model. */
typedef struct Question
{
	const char *query, *metric, *target, *weight; /* NULL: the defaults; query is there */
} Question;

/* What came out, in the caller's context. */
typedef struct Evaluation
{
	MlplatModelRef ref; /* of a registered model */
	bool registered;
	const char *algorithm;
	int64 rows;
	const char *metric;
	double score;
	char *metrics, *curves; /* JSON objects */
} Evaluation;

/* The members of a buffer as an object, in the current context. */
static char *
as_object(const MlBuffer *members)
{
	return psprintf("{%.*s}", (int) members->len, (const char *) members->data);
}

/* Read the rows and measure. Ends the inspection. */
static void
evaluate(MlplatInspected *inspected, const Question *question, Evaluation *out)
{
	const MlModel *model = inspected->model;
	MlEnv *env = inspected->env;
	const char *target;
	MlplatModelRows *rows;
	MlBuffer metrics, curves;
	MlRows all = {0};
	MlStatus status;

	out->metric = mlplat_choose_metric(model, question->metric, "an evaluation");
	out->registered = inspected->registered;
	out->ref = inspected->ref;
	out->algorithm = model->algo->name;
	target = mlplat_choose_target(model, question->target);
	mlplat_progress_begin(env, inspected->registered ? inspected->ref.name : NULL, out->algorithm);
	rows =
		mlplat_read_model_rows(&inspected->arena, model, question->query, target, question->weight);
	all.n = ml_frame_rows(rows->frame);
	ml_phase(env, "evaluating", 0, 0);
	ml_buffer_init(&metrics, env);
	ml_buffer_init(&curves, env);
	status = ml_evaluate(env, model, &rows->data, &all, &metrics, &curves);
	if (status == ML_OK)
		status = ml_evaluate_read(env, &metrics, out->metric, &out->score);
	ml_env_close(env);
	mlplat_check(env, status);
	out->rows = (int64) all.n;
	out->metrics = as_object(&metrics);
	out->curves = as_object(&curves);
	mlplat_env_delete(env);
}

static Datum
jsonb_datum(const char *text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
}

/* ---- evaluate_model ---- */

static Datum
evaluation_row(FunctionCallInfo fcinfo, const Evaluation *evaluation, int64 id)
{
	TupleDesc desc = mlplat_result_desc(fcinfo, N_RESULT_COLUMNS);
	Datum values[N_RESULT_COLUMNS];
	bool nulls[N_RESULT_COLUMNS] = {0};

	nulls[0] = id == 0;
	values[0] = Int64GetDatum(id);
	nulls[1] = nulls[2] = !evaluation->registered;
	values[1] = evaluation->registered ? CStringGetTextDatum(evaluation->ref.name) : (Datum) 0;
	values[2] = Int32GetDatum(evaluation->ref.version);
	values[3] = Int64GetDatum(evaluation->rows);
	values[4] = CStringGetTextDatum(evaluation->metric);
	nulls[5] = isnan(evaluation->score);
	values[5] = Float8GetDatum(evaluation->score);
	values[6] = jsonb_datum(evaluation->metrics);
	values[7] = jsonb_datum(evaluation->curves);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* evaluate_model(model, query, metric, target, weight) */
Datum
mlplat_evaluate_model(PG_FUNCTION_ARGS)
{
	Question question = {0};
	Evaluation evaluation = {0};
	MlplatInspected *inspected;
	int64 id = 0;

	mlplat_need_arguments(fcinfo, 5);
	(void) mlplat_result_desc(fcinfo, N_RESULT_COLUMNS);
	question.query = mlplat_query_argument(fcinfo, "evaluate_model");
	question.metric = mlplat_text_argument(fcinfo, 2);
	question.target = mlplat_text_argument(fcinfo, 3);
	question.weight = mlplat_text_argument(fcinfo, 4);
	inspected = mlplat_inspect(fcinfo);
	if (inspected->registered)
		PreventCommandIfReadOnly("mlplat.evaluate_model()");
	evaluate(inspected, &question, &evaluation);
	if (evaluation.registered)
	{
		MlplatNewEvaluation stored = {.version_id = evaluation.ref.version_id,
									  .query = question.query,
									  .rows = evaluation.rows,
									  .metric = evaluation.metric,
									  .score = evaluation.score,
									  .metrics = evaluation.metrics,
									  .curves = evaluation.curves};

		id = mlplat_add_evaluation(&stored);
	}
	return evaluation_row(fcinfo, &evaluation, id);
}

/* ---- compare_models ---- */

/* The models' references. */
static char **
model_names(FunctionCallInfo fcinfo, int *n)
{
	Datum *names;
	bool *nulls;
	char **result;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"models\" of compare_models must not be NULL")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  n);
	if (*n < 1 || *n > MAX_COMPARED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"models\" must name 1 to %d models, not %d", MAX_COMPARED, *n)));
	result = palloc(sizeof(char *) * (size_t) *n);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"models\" must not hold NULL")));
		result[i] = TextDatumGetCString(names[i]);
	}
	return result;
}

/* The better first, what has no score last; equal ones by name and version. */
static int
compare_evaluations(const void *a, const void *b)
{
	const Evaluation *x = a, *y = b;
	double sign = ml_metric_greater_is_better(x->metric) ? 1 : -1;
	double p = isnan(x->score) ? -INFINITY : sign * x->score;
	double q = isnan(y->score) ? -INFINITY : sign * y->score;
	int names;

	if (p != q)
		return p < q ? 1 : -1;
	names = strcmp(x->ref.name, y->ref.name);
	return names != 0 ? names : x->ref.version - y->ref.version;
}

static void
put_comparison(Tuplestorestate *rows, TupleDesc desc, const Evaluation *evaluation, int rank)
{
	Datum values[N_COMPARISON_COLUMNS];
	bool nulls[N_COMPARISON_COLUMNS] = {0};

	values[0] = Int32GetDatum(rank);
	values[1] = CStringGetTextDatum(evaluation->ref.name);
	values[2] = Int32GetDatum(evaluation->ref.version);
	values[3] = CStringGetTextDatum(evaluation->algorithm);
	values[4] = Int64GetDatum(evaluation->rows);
	values[5] = CStringGetTextDatum(evaluation->metric);
	nulls[6] = isnan(evaluation->score);
	values[6] = Float8GetDatum(evaluation->score);
	values[7] = jsonb_datum(evaluation->metrics);
	tuplestore_putvalues(rows, desc, values, nulls);
}

/* Scores by different metrics have no order. */
static void
check_comparable(const Evaluation *first, const Evaluation *other)
{
	if (strcmp(first->metric, other->metric) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("models \"%s\" and \"%s\" are not of the same task", first->ref.name,
							   other->ref.name),
						errdetail("One is measured by %s, the other by %s.", first->metric,
								  other->metric)));
}

/* compare_models(models, query, metric, target, weight) */
Datum
mlplat_compare_models(PG_FUNCTION_ARGS)
{
	Question question;
	Evaluation *evaluations;
	Tuplestorestate *rows;
	TupleDesc desc;
	char **names;
	int n, rank = 0;

	mlplat_need_arguments(fcinfo, 5);
	question.query = mlplat_query_argument(fcinfo, "compare_models");
	question.metric = mlplat_text_argument(fcinfo, 2);
	question.target = mlplat_text_argument(fcinfo, 3);
	question.weight = mlplat_text_argument(fcinfo, 4);
	names = model_names(fcinfo, &n);
	rows = mlplat_rows_begin(fcinfo, N_COMPARISON_COLUMNS, &desc);
	evaluations = palloc0(sizeof *evaluations * (size_t) n);
	for (int i = 0; i < n; i++)
	{
		evaluate(mlplat_inspect_model(names[i]), &question, &evaluations[i]);
		check_comparable(&evaluations[0], &evaluations[i]);
	}
	qsort(evaluations, (size_t) n, sizeof *evaluations, compare_evaluations);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || evaluations[i].score != evaluations[i - 1].score)
			rank = i + 1;
		put_comparison(rows, desc, &evaluations[i], rank);
	}
	return (Datum) 0;
}
