/*
 * compat.h
 *		Everything that differs between PostgreSQL 13 and 18, and nothing else.
 *
 * Include it after postgres.h, before other PostgreSQL headers.
 */
#ifndef MLPLAT_COMPAT_H
#define MLPLAT_COMPAT_H

#if PG_VERSION_NUM < 130000
#error mlplat needs PostgreSQL 13 or later
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15 reserves a prefix of settings; before, unknown ones only get a warning. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 15 split parse analysis by the kind of parameters. */
#if PG_VERSION_NUM < 150000
#define pg_analyze_and_rewrite_fixedparams pg_analyze_and_rewrite
#endif

/* 15 has views that read with the rights of who reads them; before, with those of their owner. */
#if PG_VERSION_NUM >= 150000
#define MLPLAT_VIEW_OF_READER " WITH (security_invoker = true)"
#else
#define MLPLAT_VIEW_OF_READER ""
#endif

/* 18 has no execute_once: to the end, or some rows further. */
#if PG_VERSION_NUM >= 180000
#define mlplat_executor_run(desc) ExecutorRun(desc, ForwardScanDirection, 0)
#define mlplat_executor_run_part(desc, n) ExecutorRun(desc, ForwardScanDirection, n)
#else
#define mlplat_executor_run(desc) ExecutorRun(desc, ForwardScanDirection, 0, true)
#define mlplat_executor_run_part(desc, n) ExecutorRun(desc, ForwardScanDirection, n, false)
#endif

/* 14 renamed the check of one character: its length, or -1. */
#if PG_VERSION_NUM < 140000
#define mlplat_verify_character(encoding, text, len) pg_encoding_verifymb(encoding, text, len)
#else
#define mlplat_verify_character(encoding, text, len) pg_encoding_verifymbchar(encoding, text, len)
#endif

/* 14 renamed the roles, and COPY's state when it split it in two; only since then others can see its line. */
#if PG_VERSION_NUM < 140000
#define ROLE_PG_READ_SERVER_FILES DEFAULT_ROLE_READ_SERVER_FILES
#define CopyFromState CopyState
#define mlplat_begin_copy_from(pstate, rel, read, columns, options) \
	BeginCopyFrom(pstate, rel, NULL, false, read, columns, options)
#define MLPLAT_COPY_HEADER "commands/copy.h"
#define mlplat_copy_from_line(copy) ((void) (copy), (uint64) 0)
#else
#define MLPLAT_COPY_HEADER "commands/copyfrom_internal.h"
#define mlplat_copy_from_line(copy) ((copy)->cur_lineno)
#define mlplat_begin_copy_from(pstate, rel, read, columns, options) \
	BeginCopyFrom(pstate, rel, NULL, NULL, false, read, columns, options)
#endif

/* 14 shows the progress of COPY. What is shown ends with a subtransaction that is rolled back: keep it, put it back. */
#if PG_VERSION_NUM >= 140000
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
typedef struct MlplatShown
{
	ProgressCommandType command;
	Oid target;
	int64 values[PGSTAT_NUM_PROGRESS_PARAM];
} MlplatShown;

static inline MlplatShown
mlplat_shown(void)
{
	MlplatShown shown = {PROGRESS_COMMAND_INVALID, InvalidOid, {0}};

	if (MyBEEntry)
	{
		shown.command = MyBEEntry->st_progress_command;
		shown.target = MyBEEntry->st_progress_command_target;
		memcpy(shown.values, MyBEEntry->st_progress_param, sizeof shown.values);
	}
	return shown;
}

static inline void
mlplat_show_again(const MlplatShown *shown)
{
	if (shown->command == PROGRESS_COMMAND_INVALID)
		return;
	pgstat_progress_start_command(shown->command, shown->target);
	for (int i = 0; i < PGSTAT_NUM_PROGRESS_PARAM; i++)
		pgstat_progress_update_param(i, shown->values[i]);
}
#else
typedef int MlplatShown;
#define mlplat_shown() 0
#define mlplat_show_again(shown) ((void) (shown))
#endif

/* 14 renamed this role, too; 15 has a hook for asking for shared memory, before it is asked for at load. */
#if PG_VERSION_NUM < 140000
#define ROLE_PG_READ_ALL_STATS DEFAULT_ROLE_READ_ALL_STATS
#endif
#if PG_VERSION_NUM >= 150000
#include "miscadmin.h"
typedef shmem_request_hook_type MlplatRequestHook;
#define mlplat_hook_shmem_request(previous, request) \
	((previous) = shmem_request_hook, shmem_request_hook = (request))
#else
typedef void (*MlplatRequestHook)(void);
#define mlplat_hook_shmem_request(previous, request) request()
#endif

/* 16 has one check for owners of all kinds of objects, and says whether a sorted value is to be copied. */
#if PG_VERSION_NUM >= 160000
#define mlplat_owns_table(oid) object_ownercheck(RelationRelationId, oid, GetUserId())
#define mlplat_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, true, value, isnull, NULL)
#else
#define mlplat_owns_table(oid) pg_class_ownercheck(oid, GetUserId())
#define mlplat_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, value, isnull, NULL)
#endif

/* 15 has numeric(p, s) with a negative s, in fewer bits. */
#if PG_VERSION_NUM >= 150000
#define mlplat_numeric_scale(typmod) (((((typmod) -VARHDRSZ) & 0x7ff) ^ 1024) - 1024)
#else
#define mlplat_numeric_scale(typmod) (((typmod) -VARHDRSZ) & 0xffff)
#endif

/* 16 took the rights out of the range table, and gave parsers of input a place for soft errors. */
#if PG_VERSION_NUM >= 160000
#define MlplatPermInfo RTEPermissionInfo
#define mlplat_perm_info(item) ((item)->p_perminfo)
#define mlplat_check_permissions(pstate, rights) \
	ExecCheckPermissions((pstate)->p_rtable, list_make1(rights), true)
#define mlplat_parse_type(text, type, typmod) ((void) parseTypeString(text, type, typmod, NULL))
#else
#define MlplatPermInfo RangeTblEntry
#define mlplat_perm_info(item) ((item)->p_rte)
#define mlplat_check_permissions(pstate, rights) \
	((void) (rights), ExecCheckRTPerms((pstate)->p_rtable, true))
#define mlplat_parse_type(text, type, typmod) parseTypeString(text, type, typmod, false)
#endif

/* 16 has one function for the rights on all objects that have no other. */
#if PG_VERSION_NUM >= 160000
#define mlplat_server_aclcheck(server, role, mode) \
	object_aclcheck(ForeignServerRelationId, server, role, mode)
#else
#define mlplat_server_aclcheck(server, role, mode) pg_foreign_server_aclcheck(server, role, mode)
#endif

/* 14 has symbols for all types of arrays. */
#if PG_VERSION_NUM < 140000
#define INT8ARRAYOID 1016
#endif

/* 18 has OLD and NEW in RETURNING; before, a variable cannot mean them. */
#if PG_VERSION_NUM >= 180000
#define mlplat_is_old_or_new(var) ((var)->varreturningtype != VAR_RETURNING_DEFAULT)
#else
#define mlplat_is_old_or_new(var) false
#endif

/* 17 has infinite intervals; before, no interval is one. */
#if PG_VERSION_NUM >= 170000
#define MLPLAT_INTERVAL_SIGN(i) (INTERVAL_IS_NOBEGIN(i) ? -1 : INTERVAL_IS_NOEND(i) ? 1 : 0)
#else
#define MLPLAT_INTERVAL_SIGN(i) 0
#endif

#endif
