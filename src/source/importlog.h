/*
 * importlog.h
 *		What every import has in common: it succeeds or leaves nothing, and import_log tells.
 *
 * An import_* function fills in a MlplatImport and hands its work over; the work
 * counts rows, rejected rows and bytes as it goes. Rows that are rejected go to
 * import_rejects under the import's id. The refresh of a source is an import that
 * lets one of the others do a part of its work.
 */
#ifndef MLPLAT_IMPORTLOG_H
#define MLPLAT_IMPORTLOG_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef struct MlplatImport
{
	const char *function; /* SQL name, for messages: "import_csv" */
	const char *kind;     /* in import_log: "csv" */
	const char *location; /* path, address, query; passwords in it are not logged */
	const char *target;   /* as the caller wrote it */
	int64 source_id;      /* of mlplat.source, which this refreshes; 0: none */
	int64 id;             /* import_log.import_id; set by mlplat_import_run, as is started */
	TimestampTz started;
	int64 rows, rejected;
	uint64 bytes;                  /* read at the origin; 0: not known */
	int encoding;                  /* of the rows that are rejected */
	MemoryContext context;         /* lives as long as the import; set by mlplat_import_run */
	List *columns;                 /* Strings: those noted; NIL: it does not tell */
	struct MlplatRejects *rejects; /* held back by rejects.c */
} MlplatImport;

typedef void (*MlplatImportFn)(MlplatImport *import, void *arg);

/*
 * Do the work in a subtransaction and a memory context of its own, and log what came of it: a success together
 * with the rows, a failure in a transaction of its own before the error goes on. In a read-only transaction: error.
 */
extern void mlplat_import_run(MlplatImport *import, MlplatImportFn work, void *arg);

/* Columns that the import whose work is being done loads, if there is one: those of all its pages together. */
extern void mlplat_import_note_columns(const List *columns);

/*
 * Let SQL's import_KIND(target, location, options) do the work of this import: it goes under this import's id and
 * writes no line of its own. Counts, columns and what is shown of the location are then the other's.
 */
extern void mlplat_import_delegate(MlplatImport *import, const char *target, const char *location,
								   Jsonb *options);

/* Since it began. */
extern double mlplat_import_seconds(const MlplatImport *import);

/* What an import function returns: (rows_loaded, rows_rejected, seconds, import_id). */
extern Datum mlplat_import_result(FunctionCallInfo fcinfo, const MlplatImport *import);

#endif
