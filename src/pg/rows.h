/*
 * rows.h
 *		Return rows from a set-returning function, all at once.
 */
#ifndef MLPLAT_ROWS_H
#define MLPLAT_ROWS_H

#include "fmgr.h"
#include "utils/tuplestore.h"

/* The store that takes the function's result; *desc gets its columns. The function then returns (Datum) 0. */
extern Tuplestorestate *mlplat_rows_begin(FunctionCallInfo fcinfo, TupleDesc *desc);

#endif
