/*
 * clean_sort.c
 *		Steps that need the rows in order: duplicates, and values of the row before.
 *
 * Rows go through the server's sort, by the columns of their group, then by the
 * order that the step gives, then by their number, which makes the result the
 * same whatever the sort does with equal ones. Beyond work_mem they go to
 * temporary files.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "executor/executor.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/typcache.h"

#include "prepare/clean/clean.h"

/* The last value that was not missing of a column. */
typedef struct Last
{
	bool is_there;
	Datum value;
} Last;

struct CleanSort
{
	Cleaning *cleaning;
	CleanStep *step;
	Tuplesortstate *sort;
	TupleTableSlot *in;         /* the row and its number */
	TupleTableSlot *out, *head; /* the row at hand, and the first one of its group */
	SortSupport group;          /* step->n_group of them */
	int64 n_rows;
	Last *lasts; /* by cell */
};

/* The columns that the rows are sorted by. */
typedef struct Keys
{
	int n;
	AttrNumber *columns;
	Oid *operators, *collations;
	bool *nulls_first;
} Keys;

/* ---- sorting */

static void
add_key(Keys *keys, int j, Oid operator, Oid collation)
{
	keys->columns[keys->n] = (AttrNumber) (j + 1);
	keys->operators[keys->n] = operator;
	keys->collations[keys->n] = collation;
	keys->nulls_first[keys->n] = false;
	keys->n++;
}

static bool
keeps_last(const CleanStep *step)
{
	return step->spec->action == ML_CLEAN_DROP_DUPLICATES &&
		   ml_param_int(&step->spec->params, ML_CLEAN_DUPLICATES_KEEP) == 1;
}

/* A column of the step, as it is before it. */
static Form_pg_attribute
attribute_of(const CleanStep *step, int j)
{
	return TupleDescAttr(step->desc, j);
}

static CleanColumn
column_of(const CleanStep *step, int j)
{
	return (CleanColumn){.type = attribute_of(step, j)->atttypid,
						 .collation = attribute_of(step, j)->attcollation};
}

/* Sort by column j as well; NULLs come last in both directions. */
static void
add_order(Keys *keys, int j, Oid type, Oid collation, bool descending)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);

	add_key(keys, j, descending ? entry->gt_opr : entry->lt_opr, collation);
}

static Keys
make_keys(const CleanStep *step)
{
	int n = step->n_group + step->n_order + 1;
	Keys keys = {0, palloc(sizeof(AttrNumber) * n), palloc(sizeof(Oid) * n),
				 palloc(sizeof(Oid) * n), palloc(sizeof(bool) * n)};
	bool descending = keeps_last(step);

	for (int i = 0; i < step->n_group; i++)
	{
		CleanColumn column = column_of(step, step->group[i]);

		add_key(&keys, step->group[i], lookup_type_cache(column.type, TYPECACHE_LT_OPR)->lt_opr,
				mlplat_clean_equality_collation(&column));
	}
	for (int i = 0; i < step->n_order; i++)
		add_order(&keys, step->order[i], attribute_of(step, step->order[i])->atttypid,
				  attribute_of(step, step->order[i])->attcollation, descending);
	add_order(&keys, step->desc->natts, INT8OID, InvalidOid, descending);
	return keys;
}

/* The row with its number behind it. */
static TupleDesc
describe_numbered(const CleanStep *step)
{
	int n = step->desc->natts;
	TupleDesc desc = CreateTemplateTupleDesc(n + 1);

	for (int j = 0; j < n; j++)
		TupleDescCopyEntry(desc, (AttrNumber) (j + 1), step->desc, (AttrNumber) (j + 1));
	TupleDescInitEntry(desc, (AttrNumber) (n + 1), "number", INT8OID, -1, 0);
	return desc;
}

CleanSort *
mlplat_clean_sort_begin(Cleaning *cleaning, CleanStep *step)
{
	MemoryContext caller = MemoryContextSwitchTo(cleaning->context);
	CleanSort *sort = palloc0(sizeof(CleanSort));
	TupleDesc desc = describe_numbered(step);
	Keys keys = make_keys(step);

	sort->cleaning = cleaning;
	sort->step = step;
	sort->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	sort->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	sort->head = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	sort->group = palloc0(sizeof(SortSupportData) * (step->n_group + 1));
	sort->lasts = palloc0(sizeof(Last) * (step->n_cells + 1));
	for (int i = 0; i < step->n_group; i++)
	{
		CleanColumn column = column_of(step, step->group[i]);

		mlplat_clean_order(&column, &sort->group[i]);
	}
	sort->sort = tuplesort_begin_heap(desc, keys.n, keys.columns, keys.operators, keys.collations,
									  keys.nulls_first, work_mem, NULL, 0);
	MemoryContextSwitchTo(caller);
	return sort;
}

void
mlplat_clean_sort_put(CleanSort *sort)
{
	const CleanRow *row = &sort->cleaning->row;
	int n = sort->cleaning->n_columns;
	TupleTableSlot *slot = sort->in;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * n);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * n);
	slot->tts_values[n] = Int64GetDatum(sort->n_rows++);
	slot->tts_isnull[n] = false;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sort->sort, slot);
	sort->step->rows_in++;
}

/* ---- in order */

/* Does the row at hand begin a new group? Then it is the new head. */
static bool
begins_group(CleanSort *sort)
{
	bool same = !TTS_EMPTY(sort->head);

	for (int i = 0; same && i < sort->step->n_group; i++)
	{
		int j = sort->step->group[i];

		same = ApplySortComparator(sort->head->tts_values[j], sort->head->tts_isnull[j],
								   sort->out->tts_values[j], sort->out->tts_isnull[j],
								   &sort->group[i]) == 0;
	}
	if (same)
		return false;
	ExecCopySlot(sort->head, sort->out);
	slot_getallattrs(sort->head);
	return true;
}

static void
keep_last(CleanSort *sort, const CleanCell *cell, Last *last, Datum value)
{
	MemoryContext caller = MemoryContextSwitchTo(sort->cleaning->context);

	if (last->is_there && !cell->column.typbyval)
		pfree(DatumGetPointer(last->value));
	last->value = datumCopy(value, cell->column.typbyval, cell->column.typlen);
	last->is_there = true;
	MemoryContextSwitchTo(caller);
}

static void
forget_lasts(CleanSort *sort)
{
	for (int i = 0; i < sort->step->n_cells; i++)
	{
		Last *last = &sort->lasts[i];

		if (last->is_there && !sort->step->cells[i].column.typbyval)
			pfree(DatumGetPointer(last->value));
		last->is_there = false;
	}
}

static void
fill_from_previous(CleanSort *sort)
{
	CleanRow *row = &sort->cleaning->row;

	for (int i = 0; i < sort->step->n_cells; i++)
	{
		const CleanCell *cell = &sort->step->cells[i];
		Last *last = &sort->lasts[i];
		Datum *value = &row->values[cell->index];
		bool *isnull = &row->nulls[cell->index];

		if (!mlplat_clean_is_missing(&cell->column, *value, *isnull))
			keep_last(sort, cell, last, *value);
		else if (last->is_there)
		{
			*value = last->value;
			*isnull = false;
			sort->step->cells_changed++;
		}
	}
}

/* Treat the row at hand; false: it goes. */
static bool
treat_in_order(CleanSort *sort)
{
	bool begins = begins_group(sort);

	if (sort->step->spec->action == ML_CLEAN_DROP_DUPLICATES)
	{
		sort->step->rows_dropped += !begins;
		return begins;
	}
	if (begins)
		forget_lasts(sort);
	fill_from_previous(sort);
	return true;
}

void
mlplat_clean_sort_emit(CleanSort *sort, CleanRowFn emit, void *arg)
{
	CleanRow *row = &sort->cleaning->row;
	MemoryContext caller = CurrentMemoryContext;
	int n = sort->cleaning->n_columns;

	tuplesort_performsort(sort->sort);
	MemoryContextSwitchTo(row->econtext->ecxt_per_tuple_memory);
	while (tuplesort_gettupleslot(sort->sort, true, false, sort->out, NULL))
	{
		CHECK_FOR_INTERRUPTS();
		ResetExprContext(row->econtext);
		slot_getallattrs(sort->out);
		memcpy(row->values, sort->out->tts_values, sizeof(Datum) * n);
		memcpy(row->nulls, sort->out->tts_isnull, sizeof(bool) * n);
		if (treat_in_order(sort))
			emit(arg);
	}
	MemoryContextSwitchTo(caller);
	ExecDropSingleTupleTableSlot(sort->in);
	ExecDropSingleTupleTableSlot(sort->out);
	ExecDropSingleTupleTableSlot(sort->head);
	tuplesort_end(sort->sort);
}
