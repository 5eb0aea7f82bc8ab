/*
 * signature.h
 *		Is the SQL definition that calls a C function the one it was written for?
 *
 * After new files are installed, and until ALTER EXTENSION UPDATE, functions of the old script call the
 * new library. One that has got an argument or a column since must say so, not read beyond what it was given.
 */
#ifndef MLPLAT_SIGNATURE_H
#define MLPLAT_SIGNATURE_H

#include "access/tupdesc.h"
#include "fmgr.h"

/* Throw, unless the call has n_arguments or more. For functions that have arguments with defaults. */
extern void mlplat_need_arguments(FunctionCallInfo fcinfo, int n_arguments);

/* The row that the call returns; throws unless it has n_columns. */
extern TupleDesc mlplat_result_desc(FunctionCallInfo fcinfo, int n_columns);

#endif
