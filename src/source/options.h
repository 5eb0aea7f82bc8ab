/*
 * options.h
 *		The options of an import, by its parameter table.
 */
#ifndef MLPLAT_SOURCE_OPTIONS_H
#define MLPLAT_SOURCE_OPTIONS_H

#include "utils/jsonb.h"

#include "core/param.h"

/* Read them into the current context, where they stay; throws. function: the SQL name, for messages. */
extern MlParams mlplat_read_options(const char *function, const MlParam *table, Jsonb *options);

/* Arguments none of which may be NULL. */
extern void mlplat_refuse_nulls(FunctionCallInfo fcinfo, const char *const *names, int n);

#endif
