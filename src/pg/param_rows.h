/*
 * param_rows.h
 *		The tables that validate options, as rows of a view.
 */
#ifndef MLPLAT_PARAM_ROWS_H
#define MLPLAT_PARAM_ROWS_H

#include "fmgr.h"
#include "utils/tuplestore.h"

#include "core/param.h"

/*
 * A row an option: whose it is (NULL: of all), name, type, default_value, min, max, choices, help. The table ends
 * with a NULL name.
 */
extern void mlplat_put_parameters(Tuplestorestate *rows, TupleDesc desc, const char *owner,
								  const MlParam *table);

#endif
