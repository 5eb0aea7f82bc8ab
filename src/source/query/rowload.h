/*
 * rowload.h
 *		The rows of a query into a table: as they are, or as INSERT does it.
 */
#ifndef MLPLAT_ROWLOAD_H
#define MLPLAT_ROWLOAD_H

#include "access/tupdesc.h"
#include "utils/relcache.h"

/*
 * Into a table that the current transaction has created, whose columns are those of the query, and which has
 * nothing that an INSERT would have to mind: see mlplat_is_bare. Returns the number of rows.
 */
extern uint64 mlplat_rows_append(Relation rel, const char *query);

/* Has the table nothing but columns: no index, trigger, rule, policy, default, constraint or partition? */
extern bool mlplat_is_bare(Relation rel);

/* The name under which the statement of mlplat_rows_insert reads the query's rows. */
#define MLPLAT_ROWS "mlplat_rows"

/*
 * Run an INSERT that selects from MLPLAT_ROWS, whose columns are desc's. The query's rows pass through it without
 * being stored, so that it is one statement to triggers and constraints; the query is read-only, the INSERT is not.
 * Returns the number of rows inserted.
 */
extern uint64 mlplat_rows_insert(const char *insert, const char *query, TupleDesc desc);

#endif
