/*
 * rows.h
 *		Return rows from a set-returning function, all at once.
 */
#ifndef MLPLAT_ROWS_H
#define MLPLAT_ROWS_H

#include "fmgr.h"
#include "utils/tuplestore.h"

/* The store that takes the function's result, n_columns wide; *desc gets the columns. The function then returns (Datum) 0. */
extern Tuplestorestate *mlplat_rows_begin(FunctionCallInfo fcinfo, int n_columns, TupleDesc *desc);

#endif
