/*
 * importlog.c
 *		What every import has in common: it succeeds or leaves nothing, and import_log tells.
 *
 * The work is attempted (pg/attempt.h). When it fails, the line about that is
 * written by another process (pg/apart.h) before the error goes on its way. The
 * log's own failure never hides the import's.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/apart.h"
#include "pg/attempt.h"
#include "pg/catalog.h"
#include "pg/signature.h"
#include "source/importlog.h"
#include "source/redact.h"
#include "source/rejects.h"

#define N_VALUES 12

static const char insert_line[] =
	"INSERT INTO mlplat.import_log (import_id, kind, location, target, started_at, seconds, rows, "
	"rejected, bytes, outcome, sqlstate, error, source_id) VALUES ($1::pg_catalog.int8, $2, $3, "
	"$4, "
	"$5::pg_catalog.timestamptz, $6::pg_catalog.float8, $7::pg_catalog.int8, $8::pg_catalog.int8, "
	"$9::pg_catalog.int8, CASE WHEN $10 IS NULL THEN 'loaded' ELSE 'failed' END, $10, $11, "
	"$12::pg_catalog.int8)";

/*
 * The import whose work is being done, and the one that waits for another to do it. Both for errors' sake only ever
 * set for the time of a block that puts them back.
 */
static MlplatImport *current, *waiting;

double
mlplat_import_seconds(const MlplatImport *import)
{
	return (double) (GetCurrentTimestamp() - import->started) / 1e6;
}

/* A number that is given once, also where the import fails. */
static int64
next_id(void)
{
	int64 id;
	bool isnull;

	mlplat_spi_begin();
	if (SPI_execute(
			"SELECT pg_catalog.nextval('mlplat.import_log_import_id_seq'::pg_catalog.regclass)",
			false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not number the import");
	id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	mlplat_spi_end();
	return id;
}

/* The parameters of insert_line, as text; error NULL: it was loaded. */
static void
line_values(const MlplatImport *import, const ErrorData *error, const char **values)
{
	values[0] = psprintf(INT64_FORMAT, import->id);
	values[1] = import->kind;
	values[2] = mlplat_redact(import->location, NULL);
	values[3] = import->target;
	values[4] = timestamptz_to_str(import->started);
	values[5] = psprintf("%.6f", mlplat_import_seconds(import));
	values[6] = psprintf(INT64_FORMAT, error ? 0 : import->rows);
	values[7] = psprintf(INT64_FORMAT, error ? 0 : import->rejected);
	values[8] = import->bytes > 0 ? psprintf(UINT64_FORMAT, import->bytes) : NULL;
	values[9] = error ? pstrdup(unpack_sql_state(error->sqlerrcode)) : NULL;
	values[10] = error ? mlplat_redact(error->message, NULL) : NULL;
	values[11] = import->source_id > 0 ? psprintf(INT64_FORMAT, import->source_id) : NULL;
}

static void
log_success(const MlplatImport *import)
{
	const char *texts[N_VALUES];
	Oid types[N_VALUES];
	Datum values[N_VALUES];
	char nulls[N_VALUES];

	line_values(import, NULL, texts);
	for (int i = 0; i < N_VALUES; i++)
	{
		types[i] = TEXTOID;
		nulls[i] = texts[i] ? ' ' : 'n';
		values[i] = texts[i] ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	mlplat_spi_begin();
	if (SPI_execute_with_args(insert_line, N_VALUES, types, values, nulls, false, 0) !=
		SPI_OK_INSERT)
		elog(ERROR, "could not write to import_log");
	mlplat_spi_end();
}

static void
log_failure(const MlplatImport *import, const ErrorData *error)
{
	const char *values[N_VALUES];

	line_values(import, error, values);
	if (!mlplat_log_apart(error, insert_line, N_VALUES, values))
		ereport(WARNING, (errmsg("the failure of %s could not be written to mlplat.import_log",
								 import->function),
						  errhint("A background worker writes it: see the server's log, and "
								  "max_worker_processes.")));
}

void
mlplat_import_note_columns(const List *columns)
{
	MemoryContext caller;

	if (!current)
		return;
	caller = MemoryContextSwitchTo(current->context);
	current->columns = list_union(current->columns, copyObject(columns));
	MemoryContextSwitchTo(caller);
}

/* Do the work as the current import; what was current before is so again, also after an error. */
static void
run_work(MlplatImport *import, MlplatImportFn work, void *arg)
{
	MlplatImport *outer = current;

	current = import;
	PG_TRY();
	{
		work(import, arg);
		mlplat_rejects_flush(import);
	}
	PG_FINALLY();
	{
		current = outer;
	}
	PG_END_TRY();
}

/* Work for an import that waits for it, and has its own subtransaction and line. */
static void
run_for(MlplatImport *outer, MlplatImport *import, MlplatImportFn work, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;

	waiting = NULL;
	import->id = outer->id;
	import->started = outer->started;
	import->context = caller;
	/* It knows best what of its location may be shown. */
	outer->location = MemoryContextStrdup(outer->context, import->location);
	run_work(import, work, arg);
	outer->rows = import->rows;
	outer->rejected = import->rejected;
	outer->bytes = import->bytes;
	MemoryContextSwitchTo(outer->context);
	outer->columns = copyObject(import->columns);
	MemoryContextSwitchTo(caller);
}

typedef struct Attempt
{
	MlplatImport *import;
	MlplatImportFn work;
	void *arg;
} Attempt;

static void
load_and_log(void *arg)
{
	const Attempt *attempt = arg;

	run_work(attempt->import, attempt->work, attempt->arg);
	log_success(attempt->import);
}

void
mlplat_import_run(MlplatImport *import, MlplatImportFn work, void *arg)
{
	Attempt attempt = {import, work, arg};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	ErrorData *error;

	if (waiting)
	{
		run_for(waiting, import, work, arg);
		return;
	}
	PreventCommandIfReadOnly(import->function);
	import->started = GetCurrentTimestamp();
	import->id = next_id();
	context = AllocSetContextCreate(caller, "mlplat import", ALLOCSET_DEFAULT_SIZES);
	import->context = context;
	MemoryContextSwitchTo(context);
	error = mlplat_attempt(load_and_log, &attempt);
	MemoryContextSwitchTo(caller);
	if (error)
	{
		log_failure(import, error);
		ReThrowError(error);
	}
	MemoryContextDelete(context);
}

/* SELECT mlplat.import_KIND(...); the import_run that this comes to finds the import that waits. */
static void
call_import(const MlplatImport *import, const char *target, const char *location, Jsonb *options)
{
	char *sql = psprintf("SELECT FROM mlplat.%s($1, $2, $3)",
						 quote_identifier(psprintf("import_%s", import->kind)));
	Oid types[3] = {TEXTOID, TEXTOID, JSONBOID};
	Datum values[3] = {CStringGetTextDatum(target), CStringGetTextDatum(location),
					   JsonbPGetDatum(options)};

	mlplat_spi_begin();
	if (SPI_execute_with_args(sql, 3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not call import_%s", import->kind);
	mlplat_spi_end();
}

void
mlplat_import_delegate(MlplatImport *import, const char *target, const char *location,
					   Jsonb *options)
{
	PG_TRY();
	{
		waiting = import;
		call_import(import, target, location, options);
	}
	PG_FINALLY();
	{
		waiting = NULL;
	}
	PG_END_TRY();
}

Datum
mlplat_import_result(FunctionCallInfo fcinfo, const MlplatImport *import)
{
	TupleDesc desc = mlplat_result_desc(fcinfo, 4);
	bool nulls[4] = {false, false, false, false};
	Datum values[4];

	values[0] = Int64GetDatum(import->rows);
	values[1] = Int64GetDatum(import->rejected);
	values[2] = Float8GetDatum(mlplat_import_seconds(import));
	values[3] = Int64GetDatum(import->id);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
