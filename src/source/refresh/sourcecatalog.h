/*
 * sourcecatalog.h
 *		The sources in mlplat.source. Everything runs with the caller's rights: row security decides what there is.
 */
#ifndef MLPLAT_SOURCECATALOG_H
#define MLPLAT_SOURCECATALOG_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* The words of the option "refresh", in order. */
typedef enum MlplatRefresh
{
	MLPLAT_REPLACE,
	MLPLAT_APPEND,
	MLPLAT_UPSERT
} MlplatRefresh;

#define MLPLAT_REFRESHES "replace|append|upsert"

typedef struct MlplatSource
{
	int64 id;
	const char *name;
	const char *kind;
	const char *location;
	const char *target; /* with its schema, quoted */
	const char *refresh;
	List *key;                     /* of Strings */
	const char *high_water_column; /* NULL: none */
	Jsonb *options;                /* of the import */
	List *columns;                 /* of Strings: the target's that were loaded last; NIL: never */
	const char *high_water;        /* text in ISO styles; NULL: none */
} MlplatSource;

/*
 * The source of that name, the caller's own first. It stays locked until the end of the transaction; when another
 * session has locked it, an error at once.
 */
extern MlplatSource *mlplat_source_lock(const char *name);

extern void mlplat_source_insert(const MlplatSource *source);
extern void mlplat_source_update(const MlplatSource *source); /* columns and high_water */
extern void mlplat_source_delete(const MlplatSource *source);

/* Text or its absence as a value, with its mark for SPI. */
extern Datum mlplat_text_or_null(const char *text, char *null);

#endif
