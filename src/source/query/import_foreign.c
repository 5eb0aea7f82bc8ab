/*
 * import_foreign.c
 *		import_foreign: copy the tables of a schema on a foreign server.
 *
 * IMPORT FOREIGN SCHEMA makes foreign tables in the session's temporary schema,
 * which nobody else sees and for which no right on the database is needed; each
 * is copied as import_query does it, and dropped. The new tables have the names,
 * columns and types of the remote ones, but no constraints. One call is one
 * import: a line in import_log, and all tables or none.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/arguments.h"
#include "pg/catalog.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "source/importlog.h"
#include "source/query/loadquery.h"
#include "source/options.h"
#include "source/statement.h"

PG_FUNCTION_INFO_V1(mlplat_import_foreign);

#define N_RESULT_COLUMNS 4

enum
{
	FOREIGN_SCHEMA
};

static const MlParam params[] = {
	{"schema", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "the schema for the new tables; by default the first of the search path"},
	{0}};

typedef struct Copied
{
	char *name; /* as it is written, with its schema */
	int64 rows;
	double seconds;
} Copied;

typedef struct Import
{
	const char *server, *remote_schema;
	ArrayType *tables; /* NULL: all */
	Jsonb *options;
	char *schema;            /* of the new tables */
	List *wanted;            /* Strings; NIL: all */
	MemoryContext result_in; /* where the rows of the result are kept */
	List *copied;            /* of Copied */
} Import;

/* ---- arguments */

static void
read_schema(Import *import)
{
	const MlParam *table = params;
	List *path = fetch_search_path(false);
	MlParams options;
	Oid schema;

	mlplat_read_options("import_foreign", &table, 1, import->options, &options);
	if (ml_param_given(&options, FOREIGN_SCHEMA))
		schema = get_namespace_oid(ml_param_text(&options, FOREIGN_SCHEMA), false);
	else if (path != NIL)
		schema = linitial_oid(path);
	else
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA),
						errmsg("no schema has been selected to create in"),
						errhint("Name one with the option {\"schema\": ...}.")));
	import->schema = get_namespace_name(schema);
}

static void
read_wanted(Import *import)
{
	Datum *elements;
	bool *nulls;
	int n;

	if (!import->tables)
		return;
	deconstruct_array(import->tables, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"tables\" names no table"),
						errhint("For all tables of the schema, leave it out.")));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"tables\" must not contain nulls")));
		import->wanted =
			list_append_unique(import->wanted, makeString(TextDatumGetCString(elements[i])));
	}
}

/* What is in the way is found before anything is read. */
static void
check_free(const Import *import, const char *table)
{
	if (OidIsValid(get_relname_relid(table, get_namespace_oid(import->schema, false))))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
						errmsg("relation %s already exists",
							   quote_qualified_identifier(import->schema, table)),
						errhint("Import into another schema, with the option {\"schema\": ...}, or "
								"into this table by import_query.")));
}

static void
check_no_temporary(const char *table)
{
	Oid temporary = LookupExplicitNamespace("pg_temp", true);

	if (OidIsValid(temporary) && OidIsValid(get_relname_relid(table, temporary)))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
						errmsg("temporary table \"%s\" is in the way", table),
						errhint("A foreign table of that name is needed in the session's temporary "
								"schema for a while.")));
}

/* ---- foreign tables */

/* Names of the server's foreign tables in our temporary schema. */
static List *
list_foreign(const Import *import)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(import->server)};
	List *names = NIL;

	mlplat_spi_begin();
	if (SPI_execute_with_args(
			"SELECT c.relname FROM pg_catalog.pg_class c "
			"JOIN pg_catalog.pg_foreign_table f ON f.ftrelid OPERATOR(pg_catalog.=) c.oid "
			"JOIN pg_catalog.pg_foreign_server s ON s.oid OPERATOR(pg_catalog.=) f.ftserver "
			"WHERE s.srvname OPERATOR(pg_catalog.=) $1 AND c.relnamespace OPERATOR(pg_catalog.=) "
			"pg_catalog.pg_my_temp_schema() ORDER BY c.relname",
			1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list foreign tables");
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names,
						makeString(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1)));
	mlplat_spi_end();
	return names;
}

/* Make the foreign tables; returns the names of those that are wanted. */
static List *
import_schema(const Import *import)
{
	List *before = list_foreign(import);
	StringInfoData limit;
	List *names;
	ListCell *cell;

	initStringInfo(&limit);
	foreach (cell, import->wanted)
		appendStringInfo(&limit, "%s%s", limit.len > 0 ? ", " : " LIMIT TO (",
						 quote_identifier(strVal(lfirst(cell))));
	if (import->wanted)
		appendStringInfoChar(&limit, ')');
	mlplat_statement("IMPORT FOREIGN SCHEMA %s%s FROM SERVER %s INTO pg_temp",
					 quote_identifier(import->remote_schema), limit.data,
					 quote_identifier(import->server));
	names = list_difference(list_foreign(import), before);
	foreach (cell, import->wanted)
		if (!list_member(names, lfirst(cell)))
			ereport(ERROR, (errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
							errmsg("schema \"%s\" of server \"%s\" has no table \"%s\"",
								   import->remote_schema, import->server, strVal(lfirst(cell)))));
	return names;
}

static void
copy_table(Import *import, const char *table)
{
	const char *foreign = quote_identifier(table);
	TimestampTz start = GetCurrentTimestamp();
	MemoryContext caller;
	Copied *copied;
	char *name = quote_qualified_identifier(import->schema, table);
	uint64 n_rows;

	check_free(import, table);
	n_rows = mlplat_load_query(name, psprintf("TABLE pg_temp.%s", foreign), NULL);
	mlplat_statement("DROP FOREIGN TABLE pg_temp.%s", foreign);
	caller = MemoryContextSwitchTo(import->result_in);
	copied = palloc(sizeof *copied);
	copied->name = pstrdup(name);
	copied->rows = (int64) n_rows;
	copied->seconds = (double) (GetCurrentTimestamp() - start) / 1e6;
	import->copied = lappend(import->copied, copied);
	MemoryContextSwitchTo(caller);
}

/* An MlplatImportFn. */
static void
import_foreign(MlplatImport *log, void *arg)
{
	Import *import = arg;
	ListCell *cell;

	(void) GetForeignServerByName(import->server, false);
	read_schema(import);
	log->target = psprintf("%s.*", quote_identifier(import->schema));
	read_wanted(import);
	foreach (cell, import->wanted)
	{
		check_free(import, strVal(lfirst(cell)));
		check_no_temporary(strVal(lfirst(cell)));
	}
	foreach (cell, import_schema(import))
	{
		copy_table(import, strVal(lfirst(cell)));
		log->rows += ((Copied *) llast(import->copied))->rows;
	}
}

/* ---- the function */

static void
return_rows(FunctionCallInfo fcinfo, const Import *import, int64 id)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, N_RESULT_COLUMNS, &desc);
	ListCell *cell;

	foreach (cell, import->copied)
	{
		const Copied *copied = lfirst(cell);
		bool nulls[N_RESULT_COLUMNS] = {false};
		Datum values[N_RESULT_COLUMNS] = {CStringGetTextDatum(copied->name),
										  Int64GetDatum(copied->rows),
										  Float8GetDatum(copied->seconds), Int64GetDatum(id)};

		tuplestore_putvalues(rows, desc, values, nulls);
	}
}

Datum
mlplat_import_foreign(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"server", "remote_schema"};
	MlplatImport log = {.function = "import_foreign", .kind = "foreign"};
	Import import = {.result_in = CurrentMemoryContext};

	mlplat_need_arguments(fcinfo, 4);
	mlplat_result_desc(fcinfo, N_RESULT_COLUMNS);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	import.server = text_to_cstring(PG_GETARG_TEXT_PP(0));
	import.remote_schema = text_to_cstring(PG_GETARG_TEXT_PP(1));
	import.tables = PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2);
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"options\" must not be null")));
	import.options = PG_GETARG_JSONB_P(3);
	log.location =
		psprintf("%s.%s", quote_identifier(import.server), quote_identifier(import.remote_schema));
	log.target = "*";
	mlplat_import_run(&log, import_foreign, &import);
	return_rows(fcinfo, &import, log.id);
	return (Datum) 0;
}
