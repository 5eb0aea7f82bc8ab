/*
 * importtarget.h
 *		The table that an import writes to: one that is there, with columns bound by name, or a new one.
 */
#ifndef MLPLAT_IMPORTTARGET_H
#define MLPLAT_IMPORTTARGET_H

#include "catalog/pg_attribute.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/relcache.h"

#include "core/json.h"

typedef struct MlplatTarget
{
	RangeVar *name;
	Relation rel; /* locked for writing until the end of the transaction; NULL: not there yet */
	bool created; /* by mlplat_target_create */
} MlplatTarget;

/* Parse the name and open the table, if it is there. */
extern void mlplat_target_open(MlplatTarget *target, const char *name);
extern void mlplat_target_close(MlplatTarget *target);

/* The table's column of that name; in another case if there is only one such; NULL: none. */
extern const char *mlplat_target_find_column(Relation rel, const char *name);

/* The table's columns for these names, in their order, for COPY; an error, with that hint, when one is not there. */
extern List *mlplat_target_bind(const MlplatTarget *target, int n, char *const *names,
								const char *hint);

/*
 * The table's column for one of a query's, or of another table's, by an INSERT: throws unless there is one that takes
 * values of that type. origin: "query", "source".
 */
extern const char *mlplat_target_bind_column(Relation rel, Form_pg_attribute column,
											 const char *origin);

/* Two columns of the data of one name cannot be told apart: throw. */
extern void mlplat_target_check_names(int n, char *const *names);

/*
 * Create the table. types: SQL names of types; those in the option "types" (object of column and type, NULL or
 * JSON null: not given) take their place.
 */
extern void mlplat_target_create(MlplatTarget *target, int n, char **names, char **types,
								 const MlJson *given);

/* The same with the columns of a query or of another table. */
extern void mlplat_target_create_as(MlplatTarget *target, TupleDesc desc, const MlJson *given);

#endif
