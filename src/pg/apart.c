/*
 * apart.c
 *		Log an error in a transaction of its own, whatever becomes of the caller's.
 *
 * A log of failures must outlive the transaction that failed. PostgreSQL has no
 * autonomous transactions, so a dynamic background worker runs the statement;
 * nothing needs to be preloaded for that. The worker connects as the session's
 * role and then becomes the current one, so the statement has the rights and the
 * row security of the caller and no others. Statement and parameters travel in a
 * segment of dynamic shared memory.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "pg/apart.h"

#define MAX_PARAMETERS 16
#define MAX_WAIT_MS 10000
#define STEP_MS 20

/* What the segment starts with; the texts follow, each with a zero byte: the statement, then the parameters. */
typedef struct Order
{
	Oid database, session_user, user;
	int n;
	bool null[MAX_PARAMETERS];
	bool pinned;        /* the caller does not wait: it is the worker that lets the segment go */
	volatile bool done; /* set by the worker after its commit */
} Order;

extern PGDLLEXPORT void mlplat_apart_main(Datum segment);

/* ---- the worker's side */

static void
execute(const Order *order)
{
	const char *text = (const char *) (order + 1);
	const char *sql = text;
	Oid types[MAX_PARAMETERS];
	Datum values[MAX_PARAMETERS];
	char nulls[MAX_PARAMETERS];
	int result;

	for (int i = 0; i < order->n; i++)
	{
		text += strlen(text) + 1;
		types[i] = TEXTOID;
		values[i] = CStringGetTextDatum(text);
		nulls[i] = order->null[i] ? 'n' : ' ';
	}
	SPI_connect();
	result = SPI_execute_with_args(sql, order->n, types, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "statement failed: %s", SPI_result_code_string(result));
	SPI_finish();
}

void
mlplat_apart_main(Datum segment_handle)
{
	dsm_segment *segment;
	Order *order;

	BackgroundWorkerUnblockSignals();
	segment = dsm_attach(DatumGetUInt32(segment_handle));
	if (!segment)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the session that asked for a statement is gone")));
	order = dsm_segment_address(segment);
	if (order->pinned)
		dsm_unpin_segment(dsm_segment_handle(segment));
	BackgroundWorkerInitializeConnectionByOid(order->database, order->session_user, 0);
	/* A lock that the caller holds must not keep both waiting. */
	SetConfigOption("lock_timeout", "1s", PGC_USERSET, PGC_S_OVERRIDE);
	StartTransactionCommand();
	SetUserIdAndSecContext(order->user, 0);
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "mlplat: writing a log");
	execute(order);
	PopActiveSnapshot();
	CommitTransactionCommand();
	order->done = true;
	dsm_detach(segment);
}

/* ---- the caller's side */

static dsm_segment *
write_order(const char *sql, int n, const char *const *values)
{
	dsm_segment *segment;
	StringInfoData texts;
	Order order = {
		.database = MyDatabaseId, .session_user = GetSessionUserId(), .user = GetUserId(), .n = n};

	Assert(n <= MAX_PARAMETERS);
	initStringInfo(&texts);
	appendBinaryStringInfo(&texts, sql, (int) strlen(sql) + 1);
	for (int i = 0; i < n; i++)
	{
		const char *value = values[i] ? values[i] : "";

		order.null[i] = !values[i];
		appendBinaryStringInfo(&texts, value, (int) strlen(value) + 1);
	}
	segment = dsm_create(sizeof(Order) + (Size) texts.len, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (segment)
	{
		memcpy(dsm_segment_address(segment), &order, sizeof order);
		memcpy((char *) dsm_segment_address(segment) + sizeof order, texts.data, (Size) texts.len);
	}
	pfree(texts.data);
	return segment;
}

static BackgroundWorkerHandle *
start_worker(dsm_segment *segment)
{
	BackgroundWorker worker = {.bgw_flags =
								   BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = BGW_NEVER_RESTART,
							   .bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment)),
							   .bgw_notify_pid = MyProcPid};
	BackgroundWorkerHandle *handle;

	strlcpy(worker.bgw_library_name, "mlplat", sizeof worker.bgw_library_name);
	strlcpy(worker.bgw_function_name, "mlplat_apart_main", sizeof worker.bgw_function_name);
	strlcpy(worker.bgw_name, "mlplat log writer", sizeof worker.bgw_name);
	strlcpy(worker.bgw_type, "mlplat log writer", sizeof worker.bgw_type);
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : NULL;
}

static void
wait_for_end(BackgroundWorkerHandle *handle)
{
	pid_t pid;

	for (int waited = 0; waited < MAX_WAIT_MS; waited += STEP_MS)
	{
		if (GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, STEP_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Ask a worker, and wait for it. */
static bool
run_order(dsm_segment *segment)
{
	BackgroundWorkerHandle *handle = start_worker(segment);

	if (handle)
		wait_for_end(handle);
	return ((const Order *) dsm_segment_address(segment))->done;
}

/* Ask a worker, and do not wait: the segment stays until the worker has it. */
static bool
send_order(dsm_segment *segment)
{
	bool sent;

	((Order *) dsm_segment_address(segment))->pinned = true;
	dsm_pin_segment(segment);
	sent = start_worker(segment) != NULL;
	if (!sent)
		dsm_unpin_segment(dsm_segment_handle(segment));
	return sent;
}

bool
mlplat_log_apart(const ErrorData *error, const char *sql, int n, const char *const *values)
{
	dsm_segment *segment = write_order(sql, n, values);
	bool done;

	if (!segment)
		return false;
	done = error->sqlerrcode == ERRCODE_QUERY_CANCELED ? send_order(segment) : run_order(segment);
	dsm_detach(segment);
	return done;
}
