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

#endif
