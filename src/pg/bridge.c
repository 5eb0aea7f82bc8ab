/*
 * bridge.c
 *		Between pure code and the server: environments over memory contexts, status to error.
 *
 * Pure code never throws, so its callbacks must not either: allocation asks for NULL on failure and
 * for blocks over 1 GB. The cancel poll only looks; the error is thrown by mlplat_check after pure code
 * has unwound and freed its temporaries.
 *
 * Memory beyond the budget comes from temporary files that are mapped. The file
 * is reserved in full (a sparse one would end in SIGBUS on a full disk), mapped
 * and closed at once, which unlinks it: nothing is left over after a crash, and
 * no file handle must be kept in step with transactions. temp_file_limit counts.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "pg/compat.h"
#include "commands/tablespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "pg/bridge.h"
#include "pg/guc.h"
#include "pg/progress.h"

/* The longest sum of mapped memory at a time, all environments of this backend. */
static size_t mapped_bytes = 0;

typedef struct Mapping
{
	void *data;
	size_t size;
	struct Mapping *next;
} Mapping;

typedef struct TrainingEnv
{
	MlEnv ml; /* first: an MlEnv * of ours is one of these */
	MemoryContext context;
	MemoryContextCallback at_reset;
	Mapping *mappings;
	int sqlerrcode; /* of a failure that pure code knows no code for; 0: none */
} TrainingEnv;

/* ---- the plain environment: ctx is a memory context ---- */

static void *
bridge_alloc(void *context, size_t size)
{
	if (!AllocHugeSizeIsValid(size))
		return NULL;
	return MemoryContextAllocExtended((MemoryContext) context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

static void
bridge_free(void *ctx, void *ptr)
{
	(void) ctx;
	if (ptr)
		pfree(ptr);
}

static bool
bridge_canceled(void *ctx)
{
	(void) ctx;
	return InterruptPending && (QueryCancelPending || ProcDiePending);
}

void
mlplat_env_init(MlEnv *env, MemoryContext context)
{
	ml_env_init(env);
	env->alloc = bridge_alloc;
	env->free = bridge_free;
	env->canceled = bridge_canceled;
	env->ctx = context;
}

/* ---- the environment of a training: ctx is the TrainingEnv ---- */

static void *
training_alloc(void *ctx, size_t size)
{
	return bridge_alloc(((TrainingEnv *) ctx)->context, size);
}

/* Note why temporary memory is not to be had; returns NULL. */
static void *
map_failed(TrainingEnv *env, int sqlerrcode, const char *error, const char *hint)
{
	env->sqlerrcode = sqlerrcode;
	strlcpy(env->ml.error, error, sizeof env->ml.error);
	strlcpy(env->ml.hint, hint, sizeof env->ml.hint);
	return NULL;
}

/* Is there room below temp_file_limit for size bytes more? */
static bool
within_temp_file_limit(size_t size)
{
	return temp_file_limit < 0 || (mapped_bytes + size + 1023) / 1024 <= (size_t) temp_file_limit;
}

/* Give the file its blocks; returns an errno. Any signal of the server's interrupts it, not only a cancel. */
static int
reserve(File file, size_t size)
{
	int failure;

	do
		failure = posix_fallocate(FileGetRawDesc(file), 0, (off_t) size);
	while (failure == EINTR && !bridge_canceled(NULL));
	return failure;
}

/* Zeroed memory in an unlinked temporary file. */
static void *
training_map(void *ctx, size_t size)
{
	TrainingEnv *env = ctx;
	Mapping *mapping;
	File file;
	void *data;
	int failure;

	if (!within_temp_file_limit(size))
		return map_failed(
			env, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
			psprintf("training data does not fit: temporary file size exceeds "
					 "temp_file_limit (%dkB)",
					 temp_file_limit),
			"Raise temp_file_limit or mlplat.training_memory, or train on fewer rows.");
	mapping = MemoryContextAllocExtended(env->context, sizeof *mapping, MCXT_ALLOC_NO_OOM);
	if (!mapping)
		return NULL;
	file = OpenTemporaryFile(false);
	failure = reserve(file, size);
	data = failure ? MAP_FAILED
				   : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, FileGetRawDesc(file), 0);
	if (!failure && data == MAP_FAILED)
		failure = errno;
	FileClose(file);
	if (failure)
	{
		pfree(mapping);
		return map_failed(
			env, failure == ENOSPC ? ERRCODE_DISK_FULL : ERRCODE_IO_ERROR,
			psprintf("could not reserve %zu kB of temporary file for training data: %s",
					 (size + 1023) / 1024, strerror(failure)),
			"Raise mlplat.training_memory, free disk space, or train on fewer rows.");
	}
	mapping->data = data;
	mapping->size = size;
	mapping->next = env->mappings;
	env->mappings = mapping;
	mapped_bytes += size;
	return data;
}

/* Undo one mapping. */
static void
training_unmap(void *ctx, void *ptr, size_t size)
{
	TrainingEnv *env = ctx;
	Mapping **link = &env->mappings;

	(void) size;
	while (*link && (*link)->data != ptr)
		link = &(*link)->next;
	if (*link)
	{
		Mapping *mapping = *link;

		munmap(mapping->data, mapping->size);
		mapped_bytes -= mapping->size;
		*link = mapping->next;
		pfree(mapping);
	}
}

/* The context goes away: end the threads, unmap what is mapped. */
static void
training_reset(void *arg)
{
	TrainingEnv *env = arg;

	mlplat_progress_end(&env->ml);
	ml_env_close(&env->ml);
	for (Mapping *mapping = env->mappings; mapping; mapping = mapping->next)
	{
		munmap(mapping->data, mapping->size);
		mapped_bytes -= mapping->size;
	}
	env->mappings = NULL;
}

MlEnv *
mlplat_env_create(MemoryContext parent, const char *name)
{
	MemoryContext context = AllocSetContextCreate(parent, "mlplat", ALLOCSET_SMALL_SIZES);
	TrainingEnv *env = MemoryContextAllocZero(context, sizeof *env);

	MemoryContextSetIdentifier(context, name);
	PrepareTempTablespaces(); /* looks into catalogs, which later, in pure code, must not be */
	ml_env_init(&env->ml);
	env->context = context;
	env->ml.alloc = training_alloc;
	env->ml.free = bridge_free;
	env->ml.canceled = bridge_canceled;
	env->ml.map = training_map;
	env->ml.unmap = training_unmap;
	env->ml.ctx = env;
	env->ml.budget = (size_t) mlplat_training_memory * 1024;
	env->ml.n_threads = mlplat_thread_count();
	env->at_reset.func = training_reset;
	env->at_reset.arg = env;
	MemoryContextRegisterResetCallback(context, &env->at_reset);
	return &env->ml;
}

MemoryContext
mlplat_env_context(const MlEnv *env)
{
	return ((const TrainingEnv *) env)->context;
}

void
mlplat_env_delete(MlEnv *env)
{
	MemoryContextDelete(((const TrainingEnv *) env)->context);
}

/* ---- errors ---- */

static int
status_errcode(MlStatus status)
{
	switch (status)
	{
		case ML_ENOMEM:
			return ERRCODE_OUT_OF_MEMORY;
		case ML_EINVAL:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case ML_EDATA:
			return ERRCODE_DATA_EXCEPTION;
		case ML_ENOCONV:
			return ERRCODE_DATA_EXCEPTION;
		case ML_ECANCELED:
			return ERRCODE_QUERY_CANCELED;
		case ML_ECORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case ML_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

/* The whole characters of a text: pure code cuts long values between bytes. */
static const char *
whole_characters(const char *text)
{
	int left = (int) strlen(text), encoding = GetDatabaseEncoding();
	char *copy = palloc((Size) left + 1), *out = copy;

	while (left > 0)
	{
		int len = mlplat_verify_character(encoding, text, left);

		if (len > 0)
			memcpy(out, text, (size_t) len);
		out += Max(len, 0);
		text += Max(len, 1);
		left -= Max(len, 1);
	}
	*out = '\0';
	return copy;
}

/* The error's texts are copied by ereport, as the abort may free the environment. */
void
mlplat_check(const MlEnv *env, MlStatus status)
{
	int sqlerrcode = status_errcode(status);
	const char *hint = env->hint[0] ? env->hint : NULL;

	if (status == ML_OK)
		return;
	if (status == ML_ECANCELED || bridge_canceled(NULL))
		CHECK_FOR_INTERRUPTS();
	if (env->map == training_map)
	{
		const TrainingEnv *training = env->ctx;

		if (training->sqlerrcode)
			sqlerrcode = training->sqlerrcode;
		else if (status == ML_ENOMEM && !hint)
			hint = "Raise mlplat.training_memory, or train on fewer rows or features.";
	}
	ereport(ERROR, (errcode(sqlerrcode),
					status == ML_ECANCELED ? errmsg("canceling statement due to user request")
					: env->error[0]        ? errmsg_internal("%s", whole_characters(env->error))
										   : errmsg("out of memory"),
					hint ? errhint("%s", whole_characters(hint)) : 0));
}
