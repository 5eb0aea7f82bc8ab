/*
 * query.c
 *		Read a user's query: what it returns, and its rows, one call a row.
 *
 * The query is parsed, analysed and planned here and executed with a receiver
 * of our own, not through SPI: a cursor never gets a parallel plan and costs
 * more than twice as much a row, and SPI before PostgreSQL 14 cannot pass a
 * receiver on.
 *
 * Read-only has two parts. Statements that write are refused by their shape.
 * Functions in the query may still try to write, so the transaction is marked
 * read-only while the query runs; while a cursor's does, that is, while it
 * fetches. That mark, and the setting that fixes the order of rows, are restored
 * at the end, and on an error by the abort of the (sub)transaction, as for a
 * function with a SET clause.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/query.h"

/* The query being handled, for error messages. */
typedef struct QueryText
{
	const char *sql;
	const char *shown; /* what the user knows it by */
	bool parsing;
	ErrorContextCallback callback;
} QueryText;

typedef struct RowReceiver
{
	DestReceiver pub;
	MlplatRowFn row;
	void *arg;
	MemoryContext row_context;
	uint64 n_rows;
} RowReceiver;

/* Is the text one word, as when a table's name is given in place of a query? */
static bool
is_one_name(const char *sql)
{
	return sql[0] != '\0' && strpbrk(sql, " \t\r\n();") == NULL;
}

/* Point an error's position into the user's query, not into the statement that called us. */
static void
query_error_callback(void *arg)
{
	QueryText *text = arg;
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(text->sql);
		if (text->parsing && is_one_name(text->sql))
			errhint("A whole table is read by the query \"TABLE %s\".", text->sql);
	}
	else
		errcontext("query \"%s\"", text->shown);
}

static void
push_query_text(QueryText *text, const char *sql, const char *shown)
{
	text->sql = sql;
	text->shown = shown;
	text->callback.callback = query_error_callback;
	text->callback.arg = text;
	text->callback.previous = error_context_stack;
	error_context_stack = &text->callback;
}

static void
pop_query_text(QueryText *text)
{
	error_context_stack = text->callback.previous;
}

static void
refuse_query(const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg_internal("%s", message)));
}

/* The one SELECT of the text, parsed. */
static RawStmt *
parse_query(const char *sql)
{
	List *statements = pg_parse_query(sql);
	RawStmt *raw = list_length(statements) == 1 ? linitial_node(RawStmt, statements) : NULL;

	if (!raw || !IsA(raw->stmt, SelectStmt))
		refuse_query("the query must be a single SELECT");
	return raw;
}

/* Parse and analyse; the result is one plain SELECT that returns at least one column. */
static Query *
analyze_query(const char *sql)
{
	RawStmt *raw = parse_query(sql);
	List *statements;
	Query *query;

	statements = pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0, NULL);
	if (list_length(statements) != 1)
		refuse_query("the query must be a single SELECT");
	query = linitial_node(Query, statements);
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
		refuse_query("the query must be a SELECT without INTO");
	if (query->hasModifyingCTE)
		refuse_query("the query must not change data");
	if (query->rowMarks != NIL)
		refuse_query("the query must not lock rows");
	if (ExecCleanTargetListLength(query->targetList) == 0)
		refuse_query("the query returns no columns");
	return query;
}

TupleDesc
mlplat_describe_query(const char *sql)
{
	QueryText text;
	TupleDesc desc;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work =
		AllocSetContextCreate(caller, "mlplat describe query", ALLOCSET_DEFAULT_SIZES);

	text.parsing = true;
	push_query_text(&text, sql, sql);
	MemoryContextSwitchTo(work);
	PushActiveSnapshot(GetTransactionSnapshot());
	desc = ExecCleanTypeFromTL(analyze_query(sql)->targetList);
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	desc = CreateTupleDescCopy(desc);
	MemoryContextDelete(work);
	pop_query_text(&text);
	return desc;
}

char *
mlplat_statement_text(const char *sql)
{
	RawStmt *raw = parse_query(sql);

	return raw->stmt_len > 0 ? pnstrdup(sql + raw->stmt_location, raw->stmt_len)
							 : pstrdup(sql + raw->stmt_location);
}

static void
receiver_startup(DestReceiver *self, int operation pg_attribute_unused(),
				 TupleDesc desc pg_attribute_unused())
{
	RowReceiver *receiver = (RowReceiver *) self;

	receiver->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat row", ALLOCSET_DEFAULT_SIZES);
}

static bool
receiver_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext caller = MemoryContextSwitchTo(receiver->row_context);

	CHECK_FOR_INTERRUPTS();
	slot_getallattrs(slot);
	receiver->row(receiver->arg, slot);
	receiver->n_rows++;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(receiver->row_context);
	return true;
}

/* The row context goes with the executor's own. */
static void
receiver_nothing(DestReceiver *self pg_attribute_unused())
{
}

/* Plan the analysed query and send its rows to the receiver. The caller has pushed the snapshot. */
static void
execute_query(Query *query, const char *sql, MlplatPlanKind kind, DestReceiver *receiver)
{
	int options = kind == MLPLAT_PLAN_PARALLEL ? CURSOR_OPT_PARALLEL_OK : 0;
	PlannedStmt *plan = pg_plan_query(query, sql, options, NULL);
	QueryDesc *desc =
		CreateQueryDesc(plan, sql, GetActiveSnapshot(), InvalidSnapshot, receiver, NULL, NULL, 0);

	ExecutorStart(desc, 0);
	mlplat_executor_run(desc);
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
}

uint64
mlplat_run_query(const char *sql, MlplatPlanKind kind, MlplatRowFn row, void *arg)
{
	return mlplat_run_made_query(sql, sql, kind, row, arg);
}

uint64
mlplat_run_made_query(const char *sql, const char *shown, MlplatPlanKind kind, MlplatRowFn row,
					  void *arg)
{
	QueryText text;
	Query *query;
	bool was_read_only = XactReadOnly;
	int nest_level = NewGUCNestLevel();
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlplat query", ALLOCSET_DEFAULT_SIZES);
	RowReceiver receiver = {.pub = {.receiveSlot = receiver_row,
									.rStartup = receiver_startup,
									.rShutdown = receiver_nothing,
									.rDestroy = receiver_nothing,
									.mydest = DestNone},
							.row = row,
							.arg = arg};

	/* A scan that joins another one in the middle would give the rows in another order each time. */
	(void) set_config_option("synchronize_seqscans", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	text.parsing = true;
	push_query_text(&text, sql, shown);
	MemoryContextSwitchTo(work);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	XactReadOnly = true;
	query = analyze_query(sql);
	text.parsing = false;
	execute_query(query, sql, kind, &receiver.pub);
	XactReadOnly = was_read_only;
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	pop_query_text(&text);
	AtEOXact_GUC(true, nest_level);
	return receiver.n_rows;
}

/* ---- in portions */

typedef struct StoreReceiver
{
	DestReceiver pub;
	Tuplestorestate *rows; /* of the current portion */
} StoreReceiver;

struct MlplatCursor
{
	MemoryContext context;
	QueryText text;
	QueryDesc *desc;
	StoreReceiver receiver;
	bool was_read_only; /* outside of the cursor's doings */
};

static bool
store_row(TupleTableSlot *slot, DestReceiver *self)
{
	tuplestore_puttupleslot(((StoreReceiver *) self)->rows, slot);
	return true;
}

static void
store_startup(DestReceiver *self pg_attribute_unused(), int operation pg_attribute_unused(),
			  TupleDesc desc pg_attribute_unused())
{
}

static void
cursor_enter(MlplatCursor *cursor, Snapshot snapshot)
{
	cursor->was_read_only = XactReadOnly;
	XactReadOnly = true;
	push_query_text(&cursor->text, cursor->text.sql, cursor->text.sql);
	PushActiveSnapshot(snapshot);
}

static void
cursor_leave(MlplatCursor *cursor)
{
	PopActiveSnapshot();
	pop_query_text(&cursor->text);
	XactReadOnly = cursor->was_read_only;
}

MlplatCursor *
mlplat_cursor_open(const char *sql)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat cursor", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	MlplatCursor *cursor = palloc0(sizeof *cursor);
	PlannedStmt *plan;

	cursor->context = context;
	cursor->text = (QueryText){.sql = sql, .parsing = true};
	cursor->receiver.pub = (DestReceiver){.receiveSlot = store_row,
										  .rStartup = store_startup,
										  .rShutdown = receiver_nothing,
										  .rDestroy = receiver_nothing,
										  .mydest = DestNone};
	CommandCounterIncrement();
	cursor_enter(cursor, GetTransactionSnapshot());
	plan = pg_plan_query(analyze_query(sql), sql, 0, NULL);
	cursor->text.parsing = false;
	cursor->desc = CreateQueryDesc(plan, sql, GetActiveSnapshot(), InvalidSnapshot,
								   &cursor->receiver.pub, NULL, NULL, 0);
	ExecutorStart(cursor->desc, 0);
	cursor_leave(cursor);
	MemoryContextSwitchTo(caller);
	return cursor;
}

bool
mlplat_cursor_fetch(MlplatCursor *cursor, Tuplestorestate *rows, uint64 n)
{
	cursor->receiver.rows = rows;
	cursor_enter(cursor, cursor->desc->snapshot);
	mlplat_executor_run_part(cursor->desc, n);
	cursor_leave(cursor);
	return cursor->desc->estate->es_processed == n;
}

void
mlplat_cursor_close(MlplatCursor *cursor)
{
	cursor_enter(cursor, cursor->desc->snapshot);
	ExecutorFinish(cursor->desc);
	ExecutorEnd(cursor->desc);
	cursor_leave(cursor);
	FreeQueryDesc(cursor->desc);
	MemoryContextDelete(cursor->context);
}
