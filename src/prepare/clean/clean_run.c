/*
 * clean_run.c
 *		Rows through the steps, in as few readings as the steps allow.
 *
 * A stage takes rows from the query, from a sort or from a spool (a tuplestore,
 * on disk beyond work_mem), one by one through its steps, into a sort, a spool or
 * the target. A spool is what a step with a fit needs: while rows go into it,
 * the fit sees them; then they come out of it, and the step can treat them. The
 * fits of later steps are gathered with it when nothing before changes their
 * columns or drops rows: they would see the same values in a reading of their own.
 *
 * Only a stage's own sort and spool are there at a time, and the one that it reads.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#include "pg/query.h"
#include "prepare/clean/clean.h"

/* Where rows come from, or go to; at most one is set. */
typedef struct Store
{
	CleanSort *sort;
	Tuplestorestate *spool;
	TupleDesc desc; /* of the spool */
} Store;

/* Steps [first, end) treat each row; the rows then go into the store, or, without one, the target. */
typedef struct Stage
{
	Cleaning *cleaning;
	int first, end;
	int fits_end; /* of steps [end, fits_end) those that are not fitted yet see the rows */
	Store store;
	CleanTarget *target;
	bool reads_query;
} Stage;

/* ---- which steps make a stage */

static CleanStep *
bound_step(Cleaning *cleaning, int i)
{
	if (i == cleaning->n_bound)
		mlplat_clean_bind(cleaning, i);
	return &cleaning->steps[i];
}

static bool
touches(const CleanStep *step, const bool *changed)
{
	for (int i = 0; i < step->n_cells; i++)
		if (changed[step->cells[i].index])
			return true;
	return false;
}

/* How far the fits of later steps can be gathered with that of step i. */
static int
find_fits_end(Cleaning *cleaning, int i)
{
	bool *changed = palloc0(sizeof(bool) * cleaning->n_columns);
	int end = i;

	while (end < cleaning->n_steps)
	{
		CleanStep *step = bound_step(cleaning, end);

		if (!step->fitted && touches(step, changed))
			break;
		end++;
		if (mlplat_clean_drops_rows(step) || (!step->fitted && mlplat_clean_drops_columns(step)))
			break;
		for (int k = 0; k < step->n_cells; k++)
			changed[step->cells[k].index] = true;
	}
	pfree(changed);
	return end;
}

static Stage
plan_stage(Cleaning *cleaning, int first, CleanTarget *target)
{
	Stage stage = {.cleaning = cleaning, .first = first, .end = first};

	while (stage.end < cleaning->n_steps)
	{
		CleanStep *step = bound_step(cleaning, stage.end);

		if (mlplat_clean_sorts(step) || !step->fitted)
			break;
		stage.end++;
	}
	stage.fits_end = stage.end;
	if (stage.end == cleaning->n_steps)
		stage.target = target;
	else if (!mlplat_clean_sorts(&cleaning->steps[stage.end]))
		stage.fits_end = find_fits_end(cleaning, stage.end);
	return stage;
}

/* ---- fits of a stage */

typedef void (*StepFn)(CleanStep *step, void *arg);

/* Each step whose fit the stage gathers. */
static void
for_each_fit(Stage *stage, StepFn work, void *arg)
{
	for (int i = stage->end; i < stage->fits_end; i++)
		if (!stage->cleaning->steps[i].fitted)
			work(&stage->cleaning->steps[i], arg);
}

static void
count_sorts(CleanStep *step, void *n)
{
	*(int *) n += mlplat_clean_n_sorts(step);
}

static void
begin_fit(CleanStep *step, void *work_kb)
{
	mlplat_clean_begin_fit(step, *(int *) work_kb);
}

static void
fit_row(CleanStep *step, void *row)
{
	mlplat_clean_fit_row(step, row);
}

static void
end_fit(CleanStep *step, void *cleaning)
{
	mlplat_clean_fit_done(cleaning, step);
}

/* The sorts share work_mem; less than 64 kB would be of no use to any. */
static void
begin_fits(Stage *stage)
{
	int n = 0, work_kb;

	for_each_fit(stage, count_sorts, &n);
	work_kb = Max(64, work_mem / Max(n, 1));
	for_each_fit(stage, begin_fit, &work_kb);
}

/* ---- rows */

/* One row that is in the cleaning's row, in its memory. */
static void
take_row(void *arg)
{
	Stage *stage = arg;
	Cleaning *cleaning = stage->cleaning;

	for (int i = stage->first; i < stage->end; i++)
		if (!mlplat_clean_apply(&cleaning->steps[i], &cleaning->row))
			return;
	if (stage->target)
	{
		cleaning->rows_out++;
		mlplat_clean_target_row(stage->target, &cleaning->row);
	}
	else if (stage->store.sort)
		mlplat_clean_sort_put(stage->store.sort);
	else
	{
		tuplestore_putvalues(stage->store.spool, stage->store.desc, cleaning->row.values,
							 cleaning->row.nulls);
		for_each_fit(stage, fit_row, &cleaning->row);
	}
}

/* What a query returns may change between its description and its run, where a function is replaced. */
static void
check_query_columns(const Cleaning *cleaning, TupleDesc desc)
{
	const TupleDesc described = cleaning->described;
	bool same = desc->natts == described->natts;

	for (int j = 0; same && j < desc->natts; j++)
		same = TupleDescAttr(desc, j)->atttypid == TupleDescAttr(described, j)->atttypid;
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the columns of the query have changed meanwhile")));
}

static void
take_slot(void *arg, TupleTableSlot *slot)
{
	Stage *stage = arg;
	Cleaning *cleaning = stage->cleaning;
	CleanRow *row = &cleaning->row;
	MemoryContext caller;

	if (stage->reads_query && cleaning->rows_in++ == 0)
		check_query_columns(cleaning, slot->tts_tupleDescriptor);
	ResetExprContext(row->econtext);
	memcpy(row->values, slot->tts_values, sizeof(Datum) * cleaning->n_columns);
	memcpy(row->nulls, slot->tts_isnull, sizeof(bool) * cleaning->n_columns);
	caller = MemoryContextSwitchTo(row->econtext->ecxt_per_tuple_memory);
	take_row(stage);
	MemoryContextSwitchTo(caller);
}

static void
read_spool(Store *source, Stage *stage)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(source->desc, &TTSOpsMinimalTuple);

	while (tuplestore_gettupleslot(source->spool, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		take_slot(stage, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(source->spool);
}

/* Expressions must not write, wherever the rows come from; an error restores the mark with its (sub)transaction. */
static void
read_source(Store *source, Stage *stage)
{
	bool was_read_only = XactReadOnly;

	if (stage->reads_query)
	{
		mlplat_run_query(stage->cleaning->query, MLPLAT_PLAN_SERIAL, take_slot, stage);
		return;
	}
	XactReadOnly = true;
	if (source->sort)
		mlplat_clean_sort_emit(source->sort, take_row, stage);
	else
		read_spool(source, stage);
	XactReadOnly = was_read_only;
}

/* ---- stages */

static void
begin_stage(Stage *stage)
{
	Cleaning *cleaning = stage->cleaning;
	CleanStep *step = &cleaning->steps[stage->end];

	if (stage->target)
		mlplat_clean_target_begin(stage->target, cleaning);
	else if (mlplat_clean_sorts(step))
		stage->store.sort = mlplat_clean_sort_begin(cleaning, step);
	else
	{
		stage->store.spool = tuplestore_begin_heap(false, false, work_mem);
		stage->store.desc = step->desc;
		begin_fits(stage);
	}
}

void
mlplat_clean_run(Cleaning *cleaning, CleanTarget *target)
{
	Store source = {0};
	int first = 0;
	bool done = false;

	cleaning->row.values = palloc(sizeof(Datum) * cleaning->n_columns);
	cleaning->row.nulls = palloc(sizeof(bool) * cleaning->n_columns);
	cleaning->row.econtext = CreateStandaloneExprContext();
	for (bool reads_query = true; !done; reads_query = false)
	{
		Stage stage = plan_stage(cleaning, first, target);

		stage.reads_query = reads_query;
		begin_stage(&stage);
		read_source(&source, &stage);
		for_each_fit(&stage, end_fit, cleaning);
		source = stage.store;
		first = stage.end + (source.sort != NULL);
		done = stage.target != NULL;
	}
	mlplat_clean_target_end(target);
	FreeExprContext(cleaning->row.econtext, true);
}
