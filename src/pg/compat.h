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

/* 18 has no execute_once; everything we run, we run once. */
#if PG_VERSION_NUM >= 180000
#define mlplat_executor_run(desc) ExecutorRun(desc, ForwardScanDirection, 0)
#else
#define mlplat_executor_run(desc) ExecutorRun(desc, ForwardScanDirection, 0, true)
#endif

#endif
