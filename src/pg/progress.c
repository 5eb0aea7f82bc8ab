/*
 * progress.c
 *		What each backend's training is at, in shared memory, for the view training_progress.
 *
 * There are so many slots; a training takes a free one by exchanging its pid for
 * zero, and gives it back when its memory goes: at its end, in an abort, or when
 * the backend exits. A crash of a backend resets shared memory, so that no slot
 * is ever left behind. When all are taken, a training runs on unseen.
 *
 * A slot is written by its backend at most ten times a second, and by a copy
 * of a few hundred bytes under a spinlock; iterations in between cost a look
 * at the clock.
 */
#include "postgres.h"

#include <math.h>
#include <pthread.h>

#include "pg/compat.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/bridge.h"
#include "pg/progress.h"
#include "pg/rows.h"

PG_FUNCTION_INFO_V1(mlplat_list_training_progress);

#define N_SLOTS 256 /* trainings at one time that are shown */
#define MODEL_LEN 256
#define WORD_LEN 64
#define INTERVAL_MICROSECONDS 100000 /* between two updates */
#define N_COLUMNS 16

/* What is shown of a training. */
typedef struct Shown
{
	int pid; /* 0: not told yet */
	Oid user, database;
	int encoding; /* of the model's name */
	char model[MODEL_LEN];
	char algorithm[WORD_LEN], phase[WORD_LEN];
	int step, n_steps;
	uint64 rows;
	MlProgress line;
	TimestampTz started, phase_started;
} Shown;

typedef struct Slot
{
	pg_atomic_uint32 pid; /* 0: free */
	slock_t mutex;        /* over shown */
	Shown shown;
} Slot;

static Slot *slots = NULL; /* NULL: not preloaded */
static MlplatRequestHook previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

/* This backend's training. */
static Slot *mine = NULL;
static const MlEnv *my_env = NULL;
static pthread_t my_thread;
static Shown my_shown;
static TimestampTz my_update = 0;

/* ---- shared memory ---- */

static void
request_memory(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Slot) * N_SLOTS));
}

static void
start_memory(void)
{
	bool found;

	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	slots = ShmemInitStruct("mlplat training progress", sizeof(Slot) * N_SLOTS, &found);
	for (int i = 0; i < N_SLOTS && !found; i++)
	{
		pg_atomic_init_u32(&slots[i].pid, 0);
		SpinLockInit(&slots[i].mutex);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
mlplat_progress_register(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	mlplat_hook_shmem_request(previous_request, request_memory);
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

/* ---- writing ---- */

/* Copy what there is to tell, for others. */
static void
publish(TimestampTz now)
{
	my_update = now;
	SpinLockAcquire(&mine->mutex);
	mine->shown = my_shown;
	SpinLockRelease(&mine->mutex);
}

/* Publish, if it is time. */
static void
publish_sometimes(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now - my_update >= INTERVAL_MICROSECONDS || now < my_update)
		publish(now);
}

/* The training that is shown, in the backend's own thread: those of a pool may run fits, too. */
static bool
may_write(const void *env)
{
	return mine && env == my_env && pthread_equal(pthread_self(), my_thread);
}

/* The callbacks of a training's environment, which is its own context. */
static void
take_line(void *ctx, const MlProgress *line)
{
	if (!may_write(ctx))
		return;
	my_shown.line = *line;
	publish_sometimes();
}

static void
take_phase(void *ctx, const char *name, int step, int n_steps)
{
	if (!may_write(ctx))
		return;
	if (strcmp(my_shown.phase, name) != 0)
		my_shown.phase_started = GetCurrentTimestamp();
	strlcpy(my_shown.phase, name, WORD_LEN);
	my_shown.step = step;
	my_shown.n_steps = n_steps;
	my_shown.line = (MlProgress){.loss = NAN, .valid_loss = NAN};
	publish(GetCurrentTimestamp());
}

static void
release_slot(void)
{
	Slot *slot = mine;

	mine = NULL;
	my_env = NULL;
	if (!slot)
		return;
	SpinLockAcquire(&slot->mutex);
	slot->shown.pid = 0;
	SpinLockRelease(&slot->mutex);
	pg_atomic_write_u32(&slot->pid, 0);
}

static void
release_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	release_slot();
}

/* Take a free slot; NULL: there is none. */
static Slot *
claim_slot(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(release_at_exit, (Datum) 0);
	registered = true;
	for (int i = 0; i < N_SLOTS; i++)
	{
		uint32 expected = 0;

		if (pg_atomic_compare_exchange_u32(&slots[i].pid, &expected, (uint32) MyProcPid))
			return &slots[i];
	}
	return NULL;
}

void
mlplat_progress_begin(MlEnv *env, const char *model, const char *algorithm)
{
	TimestampTz now;

	if (!slots || mine)
		return;
	now = GetCurrentTimestamp();
	memset(&my_shown, 0, sizeof my_shown);
	my_shown.pid = MyProcPid;
	my_shown.user = GetUserId();
	my_shown.database = MyDatabaseId;
	my_shown.encoding = GetDatabaseEncoding();
	strlcpy(my_shown.model, model ? model : "", MODEL_LEN);
	strlcpy(my_shown.algorithm, algorithm, WORD_LEN);
	strlcpy(my_shown.phase, "reading", WORD_LEN);
	my_shown.line = (MlProgress){.loss = NAN, .valid_loss = NAN};
	my_shown.started = my_shown.phase_started = now;
	mine = claim_slot();
	if (!mine)
		return;
	my_env = env;
	my_thread = pthread_self();
	env->progress = take_line;
	env->phase = take_phase;
	publish(now);
}

void
mlplat_progress_rows(MlEnv *env, uint64 rows)
{
	if (my_env != env)
		return;
	my_shown.rows = rows;
	publish_sometimes();
}

void
mlplat_progress_end(const MlEnv *env)
{
	if (my_env == env)
		release_slot();
}

/* ---- reading ---- */

/* A copy of a slot in use; false: it is free, or nothing was told yet. */
static bool
read_slot(Slot *slot, Shown *shown)
{
	if (pg_atomic_read_u32(&slot->pid) == 0)
		return false;
	SpinLockAcquire(&slot->mutex);
	*shown = slot->shown;
	SpinLockRelease(&slot->mutex);
	return shown->pid != 0 && BackendPidGetProc(shown->pid) != NULL;
}

/* May the current role see it? */
static bool
may_see(const Shown *shown)
{
	return has_privs_of_role(GetUserId(), shown->user) ||
		   has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

/* Seconds to the end of the phase, at the pace so far; NaN: who knows. */
static double
seconds_left(const Shown *shown, TimestampTz now)
{
	double done = shown->line.total > 0 ? (double) shown->line.iteration / shown->line.total : 0;
	double spent = (double) (now - shown->phase_started) / 1e6;

	if (shown->n_steps > 0)
		done = (shown->step - 1 + done) / shown->n_steps;
	return done > 0 && done <= 1 ? spent * (1 - done) / done : NAN;
}

static Datum
seconds_interval(double seconds)
{
	Interval *interval = palloc0(sizeof *interval);

	interval->time = (TimeOffset) (Max(seconds, 0) * 1e6);
	return IntervalPGetDatum(interval);
}

/* A text, or NULL when empty. */
static void
put_text(Datum *value, bool *null, const char *text)
{
	*null = text == NULL || text[0] == '\0';
	*value = *null ? (Datum) 0 : CStringGetTextDatum(text);
}

/* A count, or NULL when there is none. */
static void
put_count(Datum *value, bool *null, int count)
{
	*null = count <= 0;
	*value = Int32GetDatum(count);
}

static void
put_number(Datum *value, bool *null, double number)
{
	*null = isnan(number);
	*value = Float8GetDatum(number);
}

/* One training as a row. */
static void
put_training(Tuplestorestate *rows, TupleDesc desc, const Shown *shown)
{
	TimestampTz now = GetCurrentTimestamp();
	double left = seconds_left(shown, now);
	Datum values[N_COLUMNS];
	bool nulls[N_COLUMNS] = {0};

	values[0] = Int32GetDatum(shown->pid);
	put_text(&values[1], &nulls[1], GetUserNameFromId(shown->user, true));
	put_text(&values[2], &nulls[2], get_database_name(shown->database));
	put_text(&values[3], &nulls[3], shown->encoding == GetDatabaseEncoding() ? shown->model : NULL);
	put_text(&values[4], &nulls[4], shown->algorithm);
	put_text(&values[5], &nulls[5], shown->phase);
	put_count(&values[6], &nulls[6], shown->step);
	put_count(&values[7], &nulls[7], shown->n_steps);
	nulls[8] = shown->rows == 0;
	values[8] = Int64GetDatum((int64) shown->rows);
	put_count(&values[9], &nulls[9], shown->line.iteration);
	put_count(&values[10], &nulls[10], shown->line.total);
	put_number(&values[11], &nulls[11], shown->line.loss);
	put_number(&values[12], &nulls[12], shown->line.valid_loss);
	values[13] = TimestampTzGetDatum(shown->started);
	values[14] = seconds_interval((double) (now - shown->started) / 1e6);
	nulls[15] = isnan(left);
	values[15] = isnan(left) ? (Datum) 0 : seconds_interval(left);
	tuplestore_putvalues(rows, desc, values, nulls);
}

/* The trainings that run, those that the current role may see. */
Datum
mlplat_list_training_progress(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, N_COLUMNS, &desc);

	for (int i = 0; slots && i < N_SLOTS; i++)
	{
		Shown shown;

		if (read_slot(&slots[i], &shown) && may_see(&shown))
			put_training(rows, desc, &shown);
	}
	return (Datum) 0;
}
