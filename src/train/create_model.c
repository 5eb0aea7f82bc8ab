/*
 * create_model.c
 *		Train on a query and register the result: create_model.
 *
 * The query is read once. A streaming algorithm over plain numeric columns and
 * without a hold-out goes through the aggregate train_columns, so that the
 * server reads and accumulates in parallel; everything else is collected by a
 * receiver of ours, in a serial plan, because the order of rows decides the
 * split and so the bytes of the model.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "metric/metric.h"
#include "model/compare.h"
#include "pg/arguments.h"
#include "pg/attempt.h"
#include "pg/catalog.h"
#include "pg/progress.h"
#include "pg/query.h"
#include "pg/signature.h"
#include "train/train.h"

PG_FUNCTION_INFO_V1(mlplat_create_model);

#define MAX_COLUMNS_OF_CALL 96 /* a call has at most 100 arguments; 4 are ours */

/* Arguments of create_model, in order. */
enum
{
	ARG_NAME,
	ARG_QUERY,
	ARG_TARGET,
	ARG_ALGORITHM,
	ARG_PARAMS,
	ARG_PREP,
	ARG_EXCLUDE,
	ARG_WEIGHT,
	ARG_HOLDOUT,
	ARG_METRIC,
	ARG_PROMOTE,
	ARG_SEED,
	ARG_CONTINUE_FROM,
	ARG_GROUP_BY,
	ARG_ORDER_BY,
	ARG_FOLDS,
	ARG_SEARCH,
	ARG_TIME_BUDGET,
	N_ARGUMENTS
};
#define N_RESULT_COLUMNS 9

typedef enum Promote
{
	PROMOTE_NEVER,
	PROMOTE_ALWAYS,
	PROMOTE_IF_BETTER
} Promote;

typedef struct CreateModel
{
	FunctionCallInfo fcinfo;
	instr_time start;
	const char *name;
	const char *query;
	const char *target;        /* NULL: none */
	const char *continue_from; /* a model, or NULL */
	char *options;             /* the flat object */
	double holdout;
	Promote promote;
	TupleDesc desc;
	MlTrainSpec *spec;
	MlplatTrainState *state;

	/* what came out */
	bytea *image;
	char *info;
	const char *algorithm;
	const char *task;
	int64 rows, dropped, valid_rows;
	const char *metric; /* NULL: not evaluated */
	double score;
	const char *trials; /* JSON; NULL: nothing was compared */
	int version;
	bool active;
	double seconds;
} CreateModel;

/* ---- arguments ---- */

static _Noreturn void
null_argument(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("argument \"%s\" of create_model must not be NULL", name)));
}

/* The members of a jsonb object, without its braces; must not name what is an argument. */
static void
append_params(MlJsonWriter *w, FunctionCallInfo fcinfo)
{
	static const char *const arguments[] = {
		"name",     "query",    "target", "algorithm", "prep",       "exclude",
		"weight",   "holdout",  "metric", "promote",   "seed",       "continue_from",
		"group_by", "order_by", "folds",  "search",    "time_budget"};
	Jsonb *params;
	char *text;

	if (PG_ARGISNULL(ARG_PARAMS))
		return;
	params = PG_GETARG_JSONB_P(ARG_PARAMS);
	if (!JB_ROOT_IS_OBJECT(params))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"params\" must be a JSON object")));
	for (size_t i = 0; i < lengthof(arguments); i++)
	{
		JsonbValue key = {.type = jbvString};

		key.val.string.val = (char *) arguments[i];
		key.val.string.len = (int) strlen(arguments[i]);
		if (findJsonbValueFromContainer(&params->root, JB_FOBJECT, &key))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"%s\" is an argument of create_model, not one of params",
								   arguments[i]),
							errhint("Write %s => ... in the call.", arguments[i])));
	}
	text = JsonbToCString(NULL, &params->root, VARSIZE(params));
	if (JB_ROOT_COUNT(params) > 0)
	{
		ml_put_bytes(w->out, text + 1, strlen(text) - 2);
		w->comma = true;
	}
}

/* "exclude" as an array of names. */
static void
append_exclude(MlJsonWriter *w, FunctionCallInfo fcinfo)
{
	Datum *names;
	bool *nulls;
	int n;

	if (PG_ARGISNULL(ARG_EXCLUDE))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_EXCLUDE), TEXTOID, -1, false, TYPALIGN_INT, &names,
					  &nulls, &n);
	if (n == 0)
		return;
	ml_json_open(w, "exclude", '[');
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"exclude\" must not hold NULL")));
		ml_json_text(w, NULL, TextDatumGetCString(names[i]));
	}
	ml_json_close(w, ']');
}

/* A float8, which JSON cannot write when it is not finite. */
static void
append_number(MlJsonWriter *w, const char *name, double value)
{
	if (!isfinite(value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be a finite number", name)));
	ml_json_number(w, name, value);
}

static void
append_jsonb(MlJsonWriter *w, const char *key, Jsonb *value)
{
	char *text = JsonbToCString(NULL, &value->root, VARSIZE(value));

	ml_json_raw(w, key, text, strlen(text));
}

/* How rows are split, and what is compared on them. */
static void
append_validation(MlJsonWriter *w, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(ARG_GROUP_BY))
		ml_json_text(w, "group_by", mlplat_text_argument(fcinfo, ARG_GROUP_BY));
	if (!PG_ARGISNULL(ARG_ORDER_BY))
		ml_json_text(w, "order_by", mlplat_text_argument(fcinfo, ARG_ORDER_BY));
	if (!PG_ARGISNULL(ARG_FOLDS) && PG_GETARG_INT32(ARG_FOLDS) != 0)
		ml_json_number(w, "folds", PG_GETARG_INT32(ARG_FOLDS));
	if (!PG_ARGISNULL(ARG_SEARCH))
		append_jsonb(w, "search", PG_GETARG_JSONB_P(ARG_SEARCH));
	if (!PG_ARGISNULL(ARG_TIME_BUDGET))
		append_number(w, "time_budget", PG_GETARG_FLOAT8(ARG_TIME_BUDGET));
}

/* The flat options object of the arguments. */
static char *
flat_options(FunctionCallInfo fcinfo, MlEnv *env)
{
	MlBuffer out;
	MlJsonWriter w;

	ml_buffer_init(&out, env);
	ml_json_writer(&w, &out);
	ml_json_open(&w, NULL, '{');
	append_params(&w, fcinfo);
	if (!PG_ARGISNULL(ARG_ALGORITHM))
		ml_json_text(&w, "algorithm", mlplat_text_argument(fcinfo, ARG_ALGORITHM));
	if (!PG_ARGISNULL(ARG_PREP) && JB_ROOT_COUNT(PG_GETARG_JSONB_P(ARG_PREP)) > 0)
		append_jsonb(&w, "prep", PG_GETARG_JSONB_P(ARG_PREP));
	append_exclude(&w, fcinfo);
	if (!PG_ARGISNULL(ARG_WEIGHT))
		ml_json_text(&w, "weight", mlplat_text_argument(fcinfo, ARG_WEIGHT));
	if (!PG_ARGISNULL(ARG_METRIC))
		ml_json_text(&w, "metric", mlplat_text_argument(fcinfo, ARG_METRIC));
	if (!PG_ARGISNULL(ARG_SEED))
		ml_json_number(&w, "seed", (double) PG_GETARG_INT32(ARG_SEED));
	append_validation(&w, fcinfo);
	ml_json_close(&w, '}');
	ml_put_u8(&out, 0);
	mlplat_check(env, out.status);
	return (char *) out.data;
}

static Promote
parse_promote(const char *word)
{
	if (!word || strcmp(word, "if_better") == 0)
		return PROMOTE_IF_BETTER;
	if (strcmp(word, "always") == 0)
		return PROMOTE_ALWAYS;
	if (strcmp(word, "never") == 0)
		return PROMOTE_NEVER;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"promote\" must be if_better, always or never, not \"%s\"", word)));
}

/* Read and check all other arguments; the query is described, not run. */
static void
read_arguments(CreateModel *job, FunctionCallInfo fcinfo)
{
	job->target = mlplat_text_argument(fcinfo, ARG_TARGET);
	job->continue_from = mlplat_text_argument(fcinfo, ARG_CONTINUE_FROM);
	mlplat_check_model_name(job->name);
	job->promote = parse_promote(mlplat_text_argument(fcinfo, ARG_PROMOTE));
	job->holdout = PG_ARGISNULL(ARG_HOLDOUT) ? 0 : PG_GETARG_FLOAT8(ARG_HOLDOUT);
	if (!(job->holdout >= 0 && job->holdout <= 0.9))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"holdout\" must be between 0 and 0.9, not %g", job->holdout)));
	job->state = mlplat_train_state_create(CurrentMemoryContext);
	job->options = flat_options(fcinfo, job->state->env);
	job->spec = mlplat_train_spec(job->state, job->options);
	mlplat_check(job->state->env, ml_compare_check(&job->state->arena, job->spec));
	mlplat_progress_begin(job->state->env, job->name,
						  job->spec->is_auto ? "auto" : job->spec->algo->name);
	job->desc = mlplat_describe_query(job->query);
}

/* Must rows be collected, even where the algorithm could stream? */
static bool
keeps_rows(const CreateModel *job)
{
	const MlTrainSpec *spec = job->spec;

	return job->holdout > 0 || job->continue_from || spec->group_by || spec->order_by ||
		   !isnan(spec->time_budget) || ml_compare_wanted(spec);
}

/* Make the trainer. values and nulls: the first row, or NULL. */
static void
begin_training(CreateModel *job, const Datum *values, const bool *nulls)
{
	MlplatTrainSetup setup = {job->target, job->options, keeps_rows(job)};
	MlEnv *env = job->state->env;
	MlModel *previous;
	bytea *image;

	mlplat_train_begin(job->state, job->desc, &setup, values, nulls);
	if (!job->continue_from)
		return;
	image = mlplat_fetch_image(mlplat_find_version(job->continue_from).version_id);
	mlplat_check(env, ml_image_decode(&job->state->arena, VARDATA_ANY(image),
									  VARSIZE_ANY_EXHDR(image), &previous));
	mlplat_check(env, ml_trainer_continue(job->state->trainer, previous, job->continue_from));
}

/* ---- the streaming way ---- */

/* SELECT mlplat.train_columns(options, target, names, q.c1, q.c2, ...) FROM (query) q; excluded columns too, as the
 * options name them. */
static char *
streaming_query(const CreateModel *job)
{
	StringInfoData names, columns, sql;

	initStringInfo(&names);
	initStringInfo(&columns);
	for (int i = 0; i < job->desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(job->desc, i)->attname);

		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(name));
		appendStringInfo(&columns, ", q.%s", quote_identifier(name));
	}
	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT mlplat.train_columns(%s::pg_catalog.jsonb, %s, "
					 "ARRAY[%s]::pg_catalog.text[]%s) FROM (%s\n) q",
					 quote_literal_cstr(job->options),
					 job->target ? quote_literal_cstr(job->target) : "NULL", names.data,
					 columns.data, mlplat_statement_text(job->query));
	return sql.data;
}

static void
take_image(void *arg, TupleTableSlot *slot)
{
	CreateModel *job = arg;

	if (!slot->tts_isnull[0])
	{
		MemoryContext old = MemoryContextSwitchTo(mlplat_env_context(job->state->env));

		job->image = DatumGetByteaPCopy(slot->tts_values[0]);
		MemoryContextSwitchTo(old);
	}
}

/* A number of the facts. */
static double
info_number(const MlJson *info, const char *key)
{
	const MlJson *value = ml_json_get(info, key);

	return value && value->type == ML_JSON_NUMBER ? value->number : 0;
}

/* Let the server run the aggregate; the facts come from the image. */
static void
train_streaming(CreateModel *job)
{
	MlModel *model;
	MlJson *info;
	const char *text;
	size_t len;
	MlEnv *env = job->state->env;

	mlplat_run_query(streaming_query(job), MLPLAT_PLAN_PARALLEL, take_image, job);
	if (!job->image)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("there is no row to train on: the query is empty")));
	mlplat_check(env, ml_image_open(&job->state->arena, VARDATA(job->image),
									VARSIZE(job->image) - VARHDRSZ, &model, &text, &len));
	mlplat_check(env, ml_json_parse(&job->state->arena, text, len, &info));
	job->info = pnstrdup(text, len);
	job->algorithm = model->algo->name;
	job->task = ml_task_name(model->task);
	job->rows = (int64) info_number(info, "rows");
	job->dropped = (int64) info_number(info, "dropped");
	job->score = NAN;
}

/* ---- the resident way ---- */

static void
take_row(void *arg, TupleTableSlot *slot)
{
	CreateModel *job = arg;

	if (unlikely(!job->state->trainer))
		begin_training(job, slot->tts_values, slot->tts_isnull);
	mlplat_train_row(job->state, slot->tts_values, slot->tts_isnull);
}

/* Make the trainer before the first row; array columns must wait for it, as it tells their length. */
static void
begin_early(CreateModel *job)
{
	if (!mlplat_needs_first_row(job->desc, job->spec, job->target))
		begin_training(job, NULL, NULL);
}

/* Can the server run the whole training as one aggregate? */
static bool
can_push_down(const CreateModel *job)
{
	return job->state->trainer && ml_trainer_streams(job->state->trainer) &&
		   job->desc->natts <= MAX_COLUMNS_OF_CALL;
}

/* Read all rows, then fit and evaluate. */
static void
train_resident(CreateModel *job)
{
	MlTrainOptions options = {.holdout = job->holdout, .compare = true};
	MlEnv *env = job->state->env;
	MlTrainResult result;
	MlStatus status;

	mlplat_run_query(job->query, MLPLAT_PLAN_SERIAL, take_row, job);
	mlplat_progress_rows(env, job->state->n_read);
	if (!job->state->trainer)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("there is no row to train on: the query is empty")));
	options.refit = ml_trainer_spec(job->state->trainer)->refit;
	status = ml_trainer_finish(job->state->trainer, &job->state->arena, &options, &result);
	ml_env_close(env);
	mlplat_check(env, status);
	if (result.image.len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has %zu bytes; an image is at most 1 GB", result.image.len)));
	job->image = palloc(VARHDRSZ + result.image.len);
	SET_VARSIZE(job->image, VARHDRSZ + result.image.len);
	memcpy(VARDATA(job->image), result.image.data, result.image.len);
	job->info = pnstrdup((char *) result.info.data, result.info.len);
	job->algorithm = result.model->algo->name;
	job->task = ml_task_name(result.model->task);
	job->rows = (int64) result.rows;
	job->dropped = (int64) result.dropped;
	job->valid_rows = (int64) result.valid_rows;
	job->metric = isnan(result.score) ? NULL : result.metric;
	job->score = result.score;
	if (result.trials.len > 0)
		job->trials = pnstrdup((char *) result.trials.data, result.trials.len);
}

/* ---- the registry ---- */

/* Should the new version become the active one? */
static bool
should_promote(const CreateModel *job, const MlplatModelRef *ref)
{
	char *metric;
	double score;

	if (job->promote != PROMOTE_IF_BETTER)
		return job->promote == PROMOTE_ALWAYS;
	if (ref->active == 0 || !job->metric || isnan(job->score) ||
		!mlplat_version_score(ref->model_id, ref->active, &metric, &score) ||
		strcmp(metric, job->metric) != 0)
		return true; /* nothing to compare with */
	return ml_metric_greater_is_better(metric) ? job->score > score : job->score < score;
}

static double
seconds_so_far(const CreateModel *job)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, job->start);
	return INSTR_TIME_GET_DOUBLE(now);
}

/* Write the run. */
static void
log_run(const CreateModel *job)
{
	MlplatRun run = {
		.model = job->name,
		.version = job->version,
		.seconds = job->seconds,
		.query = job->query,
		.target = job->target,
		.algorithm = job->algorithm,
		.options = job->options,
		.rows = job->rows,
		.dropped = job->dropped,
		.holdout = job->valid_rows,
		.metric = job->metric,
		.score = job->score,
		.promoted = job->active,
		.trials = job->trials,
	};

	mlplat_log_run(&run);
}

/* Add the version, promote it by the rule, write the run. */
static void
register_model(CreateModel *job)
{
	MlplatModelRef ref = mlplat_lock_model(job->name);
	MlplatNewVersion version = {
		.query = job->query,
		.options = job->options,
		.info = job->info,
		.metric = job->metric,
		.score = job->score,
		.image = PointerGetDatum(job->image),
	};

	job->active = should_promote(job, &ref);
	job->version = mlplat_add_version(ref.model_id, &version);
	if (job->active)
		mlplat_set_active(ref.model_id, job->version);
	job->seconds = seconds_so_far(job);
	log_run(job);
}

/* What runs tells of a training that failed; which algorithm was asked for may not be known yet. */
static void
log_failure(const CreateModel *job, const ErrorData *error)
{
	const char *algorithm = mlplat_text_argument(job->fcinfo, ARG_ALGORITHM);
	MlplatRun run = {
		.model = job->name,
		.seconds = seconds_so_far(job),
		.query = job->query,
		.target = job->target,
		.algorithm = algorithm ? algorithm : "auto",
		.options = job->options,
		.rows = job->state ? (int64) job->state->n_read : 0,
	};

	mlplat_log_failed_run(&run, error);
}

/* The result row. */
static Datum
result_row(const CreateModel *job)
{
	TupleDesc desc = mlplat_result_desc(job->fcinfo, N_RESULT_COLUMNS);
	Datum values[N_RESULT_COLUMNS];
	bool nulls[N_RESULT_COLUMNS] = {0};

	values[0] = CStringGetTextDatum(job->name);
	values[1] = Int32GetDatum(job->version);
	values[2] = CStringGetTextDatum(job->algorithm);
	values[3] = CStringGetTextDatum(job->task);
	values[4] = Int64GetDatum(job->rows);
	nulls[5] = job->metric == NULL;
	values[5] = job->metric ? CStringGetTextDatum(job->metric) : (Datum) 0;
	nulls[6] = job->metric == NULL || isnan(job->score);
	values[6] = Float8GetDatum(job->score);
	values[7] = Float8GetDatum(job->seconds);
	values[8] = BoolGetDatum(job->active);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* The whole of it: all or nothing. */
static void
create_model(void *arg)
{
	CreateModel *job = arg;

	read_arguments(job, job->fcinfo);
	begin_early(job);
	if (can_push_down(job))
		train_streaming(job);
	else
		train_resident(job);
	register_model(job);
}

/* create_model(name, query, target, algorithm, params, prep, exclude, weight, holdout, metric, promote, seed,
 * continue_from, group_by, order_by, folds, search, time_budget) */
Datum
mlplat_create_model(PG_FUNCTION_ARGS)
{
	CreateModel job = {.fcinfo = fcinfo};
	ErrorData *error;
	Datum row;

	INSTR_TIME_SET_CURRENT(job.start);
	mlplat_need_arguments(fcinfo, N_ARGUMENTS);
	(void) mlplat_result_desc(fcinfo, N_RESULT_COLUMNS); /* not after hours of training */
	PreventCommandIfReadOnly("mlplat.create_model()");
	job.name = mlplat_text_argument(fcinfo, ARG_NAME);
	job.query = mlplat_text_argument(fcinfo, ARG_QUERY);
	if (!job.name)
		null_argument("name");
	if (!job.query)
		null_argument("query");
	error = mlplat_attempt(create_model, &job);
	if (error)
	{
		log_failure(&job, error);
		ReThrowError(error);
	}
	row = result_row(&job);
	mlplat_env_delete(job.state->env);
	PG_RETURN_DATUM(row);
}
