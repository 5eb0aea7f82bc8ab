/*
 * loadquery.h
 *		Load what a query returns into a table.
 */
#ifndef MLPLAT_LOADQUERY_H
#define MLPLAT_LOADQUERY_H

#include "utils/jsonb.h"

#include "core/param.h"

/* Options of import_query. */
extern const MlParam mlplat_query_params[];

/*
 * Into the table of that name, with columns bound by name, or into a new one with the query's columns. options: by
 * mlplat_query_params; NULL: none. Returns the number of rows.
 */
extern uint64 mlplat_load_query(const char *target, const char *query, Jsonb *options);

#endif
