/*
 * copyin.h
 *		Load a stream of bytes into a table, through COPY.
 */
#ifndef MLPLAT_COPYIN_H
#define MLPLAT_COPYIN_H

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/relcache.h"

/* Put min to max bytes into out and return how many; fewer than min ends the data. */
typedef int (*MlplatByteFn)(void *arg, char *out, int min, int max);

/* The table of that name, locked for writing until the end of the transaction; NULL: there is none. */
extern Relation mlplat_copyin_open(RangeVar *name);

/* Create a table; types are SQL type names that the caller has checked. Returns it as mlplat_copyin_open does. */
extern Relation mlplat_copyin_create(RangeVar *name, int n_columns, char **names, char **types);

/* One option of COPY. */
extern List *mlplat_copy_option(List *options, const char *name, const char *value);

/*
 * COPY rel (columns) FROM the stream; columns NIL: all. Same rights, row security, triggers, defaults and
 * constraints as COPY. Returns the number of rows. "what" names the statement in errors.
 */
extern uint64 mlplat_copyin_run(Relation rel, List *columns, List *options, const char *what,
								MlplatByteFn read, void *arg);

/*
 * The line of the data that the COPY reading that stream is at, as its error messages say; 0: not known (before
 * version 14); -1: no such COPY is running. For error contexts.
 */
extern int64 mlplat_copyin_line(const void *arg);

#endif
