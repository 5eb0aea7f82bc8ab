/*
 * loadquery.h
 *		Load what a query returns into a table.
 */
#ifndef MLPLAT_LOADQUERY_H
#define MLPLAT_LOADQUERY_H

#include "core/json.h"

/*
 * Into the table of that name, with columns bound by name, or into a new one with the query's columns. types: of a new
 * table, in place of the query's (see mlplat_target_create). Returns the number of rows.
 */
extern uint64 mlplat_load_query(const char *target, const char *query, const MlJson *types);

#endif
