/*
 * rowinsert.c
 *		The rows of a query into any table, by an INSERT that they pass through.
 *
 * INSERT INTO ... SELECT would do it in one statement, but then the query could
 * write as well, through its functions: read-only is a state of the transaction.
 * So there are two executions, one of the query, read-only, and one of
 *
 *	   INSERT INTO target (...) SELECT ... FROM mlplat_rows
 *
 * where mlplat_rows is a tuplestore, known to the statement by name as a
 * trigger's transition table is. It holds a portion of the query's rows. When the
 * scan of it comes to the end, the next portion is fetched and the scan goes on.
 * Statement triggers fire once, transition tables are whole, and nothing spills.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "tcop/tcopprot.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"

#include "pg/query.h"
#include "source/query/rowload.h"

#define PORTION 500 /* rows; beyond this many, more of them are not faster */
#define FEED "mlplat_feed"

/* Where mlplat_rows get their rows from; the scan finds it in the statement's environment, as FEED. */
typedef struct Feed
{
	MlplatCursor *cursor;
	Tuplestorestate *rows;
	ExecProcNodeMtd scan; /* of the store as it stands */
	int n_scans;
	bool more;
} Feed;

/* The scan of mlplat_rows: over one portion after the other. */
static TupleTableSlot *
scan_feed(PlanState *node)
{
	Feed *feed = get_ENR(node->state->es_queryEnv, FEED)->reldata;
	TupleTableSlot *slot = feed->scan(node);

	while (TupIsNull(slot) && feed->more)
	{
		tuplestore_clear(feed->rows);
		feed->more = mlplat_cursor_fetch(feed->cursor, feed->rows, PORTION);
		slot = feed->scan(node);
	}
	return slot;
}

static bool
attach_feed(PlanState *node, void *arg)
{
	Feed *feed = arg;

	if (!node)
		return false;
	if (IsA(node, NamedTuplestoreScanState))
	{
		feed->n_scans++;
		feed->scan = node->ExecProcNodeReal;
		ExecSetExecProcNode(node, scan_feed);
	}
	return planstate_tree_walker(node, attach_feed, arg);
}

static void
register_name(QueryEnvironment *environment, const char *name, void *data, TupleDesc desc)
{
	EphemeralNamedRelation relation = palloc0(sizeof *relation);

	relation->md.name = pstrdup(name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = desc;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->reldata = data;
	register_ENR(environment, relation);
}

/* An error's position is one in the INSERT, not in the statement that called us. */
static void
insert_error_callback(void *arg)
{
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(arg);
	}
}

/* Rules may have made something else of it, which would need the rows more than once. */
static PlannedStmt *
plan_insert(const char *insert, QueryEnvironment *environment)
{
	RawStmt *raw = linitial_node(RawStmt, pg_parse_query(insert));
	List *queries = pg_analyze_and_rewrite_fixedparams(raw, insert, NULL, 0, environment);

	if (list_length(queries) != 1 || linitial_node(Query, queries)->commandType != CMD_INSERT)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("rows of a query cannot be loaded into a table with rules")));
	return pg_plan_query(linitial_node(Query, queries), insert, 0, NULL);
}

static uint64
execute_insert(PlannedStmt *plan, const char *insert, QueryEnvironment *environment, Feed *feed)
{
	QueryDesc *desc = CreateQueryDesc(plan, insert, GetActiveSnapshot(), InvalidSnapshot,
									  None_Receiver, NULL, environment, 0);
	uint64 n_rows;

	ExecutorStart(desc, 0);
	attach_feed(desc->planstate, feed);
	if (feed->n_scans != 1)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("rows of a query cannot be loaded into a table with rules")));
	mlplat_executor_run(desc);
	n_rows = desc->estate->es_processed;
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	return n_rows;
}

uint64
mlplat_rows_insert(const char *insert, const char *query, TupleDesc desc)
{
	ErrorContextCallback callback = {.callback = insert_error_callback,
									 .arg = unconstify(char *, insert),
									 .previous = error_context_stack};
	QueryEnvironment *environment = create_queryEnv();
	Feed feed = {.rows = tuplestore_begin_heap(false, false, work_mem), .more = true};
	PlannedStmt *plan;
	uint64 n_rows;

	register_name(environment, MLPLAT_ROWS, feed.rows, desc);
	register_name(environment, FEED, &feed, desc);
	feed.cursor = mlplat_cursor_open(query);
	error_context_stack = &callback;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	plan = plan_insert(insert, environment);
	n_rows = execute_insert(plan, insert, environment, &feed);
	PopActiveSnapshot();
	error_context_stack = callback.previous;
	mlplat_cursor_close(feed.cursor);
	tuplestore_end(feed.rows);
	return n_rows;
}
