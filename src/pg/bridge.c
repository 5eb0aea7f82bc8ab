/*
 * bridge.c
 *		Between pure code and the server: environments over memory contexts, status to error.
 *
 * Pure code never throws, so its memory callbacks must not either: allocation asks for NULL on
 * failure and for blocks over 1 GB. The cancel poll only looks; the error is thrown by mlplat_check
 * after pure code has unwound and freed its temporaries.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/bridge.h"

static void *
bridge_alloc(void *context, size_t size)
{
	if (!AllocHugeSizeIsValid(size))
		return NULL;
	return MemoryContextAllocExtended((MemoryContext) context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

static void
bridge_free(void *context, void *ptr)
{
	(void) context;
	if (ptr)
		pfree(ptr);
}

static bool
bridge_canceled(void *context)
{
	(void) context;
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
			return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		case ML_ECORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case ML_ECANCELED:
			return ERRCODE_QUERY_CANCELED;
		case ML_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
mlplat_check(const MlEnv *env, MlStatus status)
{
	if (status == ML_OK)
		return;
	if (status == ML_ECANCELED)
		CHECK_FOR_INTERRUPTS();
	ereport(ERROR, (errcode(status_errcode(status)),
					status == ML_ECANCELED ? errmsg("canceling statement due to user request")
					: env->error[0]        ? errmsg_internal("%s", env->error)
										   : errmsg("out of memory"),
					env->hint[0] ? errhint("%s", env->hint) : 0));
}
