/*
 * arguments.h
 *		Arguments of SQL functions, by their number.
 */
#ifndef MLPLAT_ARGUMENTS_H
#define MLPLAT_ARGUMENTS_H

#include "fmgr.h"

/* Throw when argument i, which the caller knows by that name, is NULL. */
extern void mlplat_refuse_null(FunctionCallInfo fcinfo, int i, const char *name);

/* The first n arguments, none of which may be NULL. */
extern void mlplat_refuse_nulls(FunctionCallInfo fcinfo, const char *const *names, int n);

/* A text argument; NULL where it is NULL. */
extern char *mlplat_text_argument(FunctionCallInfo fcinfo, int i);

#endif
