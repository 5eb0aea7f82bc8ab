/*
 * binder_inner.h
 *		What the files of the binder share.
 */
#ifndef MLPLAT_BINDER_INNER_H
#define MLPLAT_BINDER_INNER_H

#include "pg/binder.h"

/* What to do with values of a type. */
typedef struct MlplatTypeFacts
{
	Oid type;
	MlplatSource source;
	MlKind kind;
	MlWidth width;
} MlplatTypeFacts;

/* The facts of a type, domains by their base type; NULL: cannot be used. Arrays: the facts of the element. */
extern const MlplatTypeFacts *mlplat_find_type(Oid type, bool *is_array);

/* How the model names a type: by its base type, which means the same in every database. */
extern const char *mlplat_base_type_name(Oid type);
extern _Noreturn void mlplat_unsupported_type(const char *column, Oid type);

/* Conversions that may allocate per row. */
extern bool mlplat_source_allocates(MlplatSource source);

/* Prepare a column whose values are read as levels by their text. */
extern void mlplat_use_output(MlplatColumn *column, Oid type, MemoryContext context);

#endif
