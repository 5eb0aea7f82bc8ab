/*
 * clean.c
 *		clean, apply_cleaning, drop_cleaning: a query through steps into a table, on record.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/param_rows.h"
#include "pg/query.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "prepare/clean/clean.h"
#include "prepare/clean/clean_json.h"
#include "prepare/clean/clean_store.h"

PG_FUNCTION_INFO_V1(mlplat_clean);
PG_FUNCTION_INFO_V1(mlplat_apply_cleaning);
PG_FUNCTION_INFO_V1(mlplat_drop_cleaning);
PG_FUNCTION_INFO_V1(mlplat_list_clean_options);

/* Columns of the result. */
enum
{
	OUT_STEP,
	OUT_ACTION,
	OUT_COLUMNS,
	OUT_ROWS_IN,
	OUT_ROWS_DROPPED,
	OUT_CELLS_CHANGED,
	OUT_FITTED,
	N_OUT
};

/* What the two functions are asked for. */
typedef struct Request
{
	char *query;
	text *target;
	char *name;
	bool replace;
	Jsonb *steps; /* NULL: those of the recipe */
	char *recipe; /* NULL: this is the first time */
} Request;

/* ---- the result */

static Datum
column_names(const CleanStep *step)
{
	Datum *names = palloc(sizeof(Datum) * (step->n_cells + 1));

	for (int i = 0; i < step->n_cells; i++)
		names[i] = CStringGetTextDatum(step->cells[i].column.name);
	return PointerGetDatum(construct_array(names, step->n_cells, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
put_step(Tuplestorestate *store, TupleDesc desc, const CleanStep *step)
{
	Datum values[N_OUT];
	bool nulls[N_OUT] = {false};

	values[OUT_STEP] = Int32GetDatum(step->number);
	values[OUT_ACTION] = CStringGetTextDatum(ml_clean_action_name(step->spec->action));
	values[OUT_COLUMNS] = column_names(step);
	values[OUT_ROWS_IN] = Int64GetDatum(step->rows_in);
	values[OUT_ROWS_DROPPED] = Int64GetDatum(step->rows_dropped);
	values[OUT_CELLS_CHANGED] = Int64GetDatum(step->cells_changed);
	nulls[OUT_FITTED] = step->facts.len == 0;
	if (!nulls[OUT_FITTED])
		values[OUT_FITTED] =
			DirectFunctionCall1(jsonb_in, CStringGetDatum(mlplat_json_to_server(&step->facts)));
	tuplestore_putvalues(store, desc, values, nulls);
}

/* ---- the work */

/* Say which step it was, on which column, and what may help. */
static void
cleaning_error_callback(void *arg)
{
	const CleanPlace *place = &((const Cleaning *) arg)->place;
	int category = ERRCODE_TO_CATEGORY(geterrcode());

	if (!place->step)
		return;
	if (place->cell)
		errcontext("step %d (%s), column \"%s\"", place->step->number,
				   ml_clean_action_name(place->step->spec->action), place->cell->column.name);
	else
		errcontext("step %d (%s)", place->step->number,
				   ml_clean_action_name(place->step->spec->action));
	if (place->cell && place->step->spec->action == ML_CLEAN_CAST &&
		category == ERRCODE_DATA_EXCEPTION)
		errhint("What to do with values that fail is said by \"on_error\": \"null\", "
				"\"default\" or \"drop_row\".");
}

static void
prepare(Cleaning *cleaning, const Request *request)
{
	cleaning->query = request->query;
	if (request->recipe)
		mlplat_clean_load(cleaning, request->recipe);
	else
		mlplat_clean_set_steps(
			cleaning, JsonbToCString(NULL, &request->steps->root, VARSIZE(request->steps)));
	mlplat_clean_columns(cleaning, mlplat_describe_query(request->query));
	mlplat_clean_check(cleaning);
}

/* The whole of it, in a memory context of its own. */
static Datum
run_request(FunctionCallInfo fcinfo, const Request *request)
{
	TimestampTz start = GetCurrentTimestamp();
	TupleDesc desc;
	Tuplestorestate *store = mlplat_rows_begin(fcinfo, N_OUT, &desc);
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat clean", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	Cleaning cleaning = {.context = work};
	ErrorContextCallback callback = {
		.callback = cleaning_error_callback, .arg = &cleaning, .previous = error_context_stack};
	CleanTarget *target;

	error_context_stack = &callback;
	mlplat_env_init(&cleaning.env, work);
	ml_arena_init(&cleaning.arena, &cleaning.env);
	mlplat_clean_check_name(request->name);
	target = mlplat_clean_target(request->target, request->replace);
	prepare(&cleaning, request);
	mlplat_clean_run(&cleaning, target);
	mlplat_clean_save(&cleaning, request->name, mlplat_clean_target_name(target),
					  (double) (GetCurrentTimestamp() - start) / 1e6);
	for (int i = 0; i < cleaning.n_steps; i++)
		put_step(store, desc, &cleaning.steps[i]);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/* ---- SQL */

/* Argument i, or, where it is null, the target as it was written. */
static char *
name_argument(FunctionCallInfo fcinfo, int i, text *target)
{
	return text_to_cstring(PG_ARGISNULL(i) ? target : PG_GETARG_TEXT_PP(i));
}

Datum
mlplat_clean(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"query", "target", "steps", "name", "replace"};
	Request request = {0};

	mlplat_need_arguments(fcinfo, 5);
	for (int i = 0; i < 5; i++)
		if (i != 3)
			mlplat_refuse_null(fcinfo, i, names[i]);
	request.query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	request.target = PG_GETARG_TEXT_PP(1);
	request.steps = PG_GETARG_JSONB_P(2);
	request.name = name_argument(fcinfo, 3, request.target);
	request.replace = PG_GETARG_BOOL(4);
	return run_request(fcinfo, &request);
}

Datum
mlplat_apply_cleaning(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"recipe", "query", "target", "name", "replace"};
	Request request = {0};

	mlplat_need_arguments(fcinfo, 5);
	for (int i = 0; i < 5; i++)
		if (i != 3)
			mlplat_refuse_null(fcinfo, i, names[i]);
	request.recipe = text_to_cstring(PG_GETARG_TEXT_PP(0));
	request.query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	request.target = PG_GETARG_TEXT_PP(2);
	request.name = name_argument(fcinfo, 3, request.target);
	request.replace = PG_GETARG_BOOL(4);
	return run_request(fcinfo, &request);
}

Datum
mlplat_drop_cleaning(PG_FUNCTION_ARGS)
{
	mlplat_clean_drop(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

Datum
mlplat_list_clean_options(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 8, &desc);

	for (int action = 0; ml_clean_action_params(action); action++)
		mlplat_put_parameters(rows, desc, ml_clean_action_name((MlCleanAction) action),
							  ml_clean_action_params(action));
	return (Datum) 0;
}
