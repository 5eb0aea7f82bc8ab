/*
 * rowappend.c
 *		The rows of a query into a table of our own that has nothing but columns.
 *
 * As CREATE TABLE AS does it, in parallel plans as well, but for many rows at a
 * time: a page is locked and its changes are logged once. COPY takes a thousand
 * rows or 64 kB for one go, and so do we.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/rel.h"

#include "pg/query.h"
#include "source/query/rowload.h"

#define MAX_HELD 1000
#define MAX_HELD_BYTES 65536

typedef struct Load
{
	Relation rel;
	CommandId command;
	BulkInsertState bulk;
	TupleTableSlot *held[MAX_HELD]; /* NULL: not made yet */
	int n;
	size_t n_bytes;
} Load;

bool
mlplat_is_bare(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION && !rel->rd_rel->relhasindex &&
		   !rel->rd_rel->relhasrules && !rel->rd_rel->relrowsecurity &&
		   !rel->rd_rel->relispartition && rel->trigdesc == NULL &&
		   RelationGetDescr(rel)->constr == NULL;
}

static void
flush(Load *load)
{
	if (load->n == 0)
		return;
	table_multi_insert(load->rel, load->held, load->n, load->command, TABLE_INSERT_SKIP_FSM,
					   load->bulk);
	for (int i = 0; i < load->n; i++)
		ExecClearTuple(load->held[i]);
	load->n = 0;
	load->n_bytes = 0;
}

/* An MlplatRowFn. What the flush allocates goes with the row. */
static void
append_row(void *arg, TupleTableSlot *row)
{
	Load *load = arg;
	TupleTableSlot **place = &load->held[load->n];

	if (!*place)
	{
		/* It outlives the row; the context of the relation's descriptor would outlive us. */
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(load));

		*place = MakeSingleTupleTableSlot(RelationGetDescr(load->rel), &TTSOpsHeapTuple);
		MemoryContextSwitchTo(caller);
	}
	ExecCopySlot(*place, row);
	load->n_bytes += ((HeapTupleTableSlot *) *place)->tuple->t_len;
	load->n++;
	if (load->n == MAX_HELD || load->n_bytes > MAX_HELD_BYTES)
		flush(load);
}

uint64
mlplat_rows_append(Relation rel, const char *query)
{
	Load *load = palloc0(sizeof *load);
	uint64 n_rows;

	CommandCounterIncrement();
	load->rel = rel;
	/* Before a parallel plan runs: its leader may write under a number that is given already, but not take one. */
	load->command = GetCurrentCommandId(true);
	load->bulk = GetBulkInsertState();
	n_rows = mlplat_run_query(query, MLPLAT_PLAN_PARALLEL, append_row, load);
	flush(load);
	for (int i = 0; i < MAX_HELD && load->held[i]; i++)
		ExecDropSingleTupleTableSlot(load->held[i]);
	FreeBulkInsertState(load->bulk);
	table_finish_bulk_insert(rel, TABLE_INSERT_SKIP_FSM);
	pfree(load);
	return n_rows;
}
