/*
 * name_cache.h
 *		Which version a name stands for, remembered from statement to statement.
 */
#ifndef MLPLAT_NAME_CACHE_H
#define MLPLAT_NAME_CACHE_H

#include "postgres.h"

/* The version of a reference, by the rights of the current role; errors when there is none. */
extern int64 mlplat_resolve_name(const char *reference, Size len);

#endif
