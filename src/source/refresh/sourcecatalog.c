/*
 * sourcecatalog.c
 *		The sources in mlplat.source.
 *
 * All statements are schema-qualified, take their values as parameters, and run
 * as the caller. A name that several owners use means the caller's own source.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/catalog.h"
#include "source/refresh/sourcecatalog.h"

/* Run one statement with parameters; returns the number of rows. */
static uint64
run(const char *sql, int n, Oid *types, Datum *values, const char *nulls)
{
	int result = SPI_execute_with_args(sql, n, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "statement on the sources failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

Datum
mlplat_text_or_null(const char *text, char *null)
{
	*null = text ? ' ' : 'n';
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* A list of Strings as text[]; NIL is NULL. */
static Datum
array_or_null(const List *strings, char *null)
{
	int n = list_length(strings);
	Datum *values = palloc(sizeof(Datum) * Max(n, 1));

	*null = n > 0 ? ' ' : 'n';
	for (int i = 0; i < n; i++)
		values[i] = CStringGetTextDatum(strVal(list_nth(strings, i)));
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static List *
result_list(int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	List *strings = NIL;
	Datum *elements;
	bool *nulls;
	int n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			strings = lappend(strings, makeString(TextDatumGetCString(elements[i])));
	return strings;
}

static const char *
result_text(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

static int64
result_int8(uint64 row)
{
	bool isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull));
}

static int64
find_source(const char *name)
{
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(name)};
	uint64 n = run("SELECT source_id, owner OPERATOR(pg_catalog.=) current_user FROM mlplat.source "
				   "WHERE name OPERATOR(pg_catalog.=) $1 ORDER BY 2 DESC, 1 LIMIT 2",
				   1, types, values, NULL);

	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("source \"%s\" does not exist", name),
				 errhint("The view mlplat.sources lists the sources that you may use.")));
	if (n == 2 && strcmp(result_text(2), "f") == 0)
		ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_ALIAS),
						errmsg("several sources that you may use are named \"%s\"", name)));
	return result_int8(0);
}

/* The row that was just selected; allocated in the current context. */
static MlplatSource *
read_source(void)
{
	MlplatSource *source = palloc0(sizeof *source);
	bool isnull;

	source->id = result_int8(0);
	source->name = result_text(2);
	source->kind = result_text(3);
	source->location = result_text(4);
	source->target = result_text(5);
	source->refresh = result_text(6);
	source->key = result_list(7);
	source->high_water_column = result_text(8);
	source->options =
		DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 9, &isnull));
	source->columns = result_list(10);
	source->high_water = result_text(11);
	return source;
}

MlplatSource *
mlplat_source_lock(const char *name)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid types[1] = {INT8OID};
	Datum values[1];
	MlplatSource *source;

	mlplat_spi_begin();
	values[0] = Int64GetDatum(find_source(name));
	if (run("SELECT source_id, name, kind, location, target, refresh, key, high_water_column, "
			"options, columns, high_water FROM mlplat.source "
			"WHERE source_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED",
			1, types, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
						errmsg("source \"%s\" is being refreshed by another session", name),
						errhint("Try again when that has ended its transaction.")));
	MemoryContextSwitchTo(caller);
	source = read_source();
	mlplat_spi_end();
	return source;
}

void
mlplat_source_insert(const MlplatSource *source)
{
	Oid types[8] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID, JSONBOID};
	char nulls[9] = "        ";
	Datum values[8];

	mlplat_spi_begin();
	values[0] = CStringGetTextDatum(source->name);
	values[1] = CStringGetTextDatum(source->kind);
	values[2] = CStringGetTextDatum(source->location);
	values[3] = CStringGetTextDatum(source->target);
	values[4] = CStringGetTextDatum(source->refresh);
	values[5] = array_or_null(source->key, &nulls[5]);
	values[6] = mlplat_text_or_null(source->high_water_column, &nulls[6]);
	values[7] = JsonbPGetDatum(source->options);
	if (run("INSERT INTO mlplat.source (name, kind, location, target, refresh, key, "
			"high_water_column, options) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
			"ON CONFLICT (owner, name) DO NOTHING",
			8, types, values, nulls) == 0)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("source \"%s\" already exists", source->name)));
	mlplat_spi_end();
}

void
mlplat_source_update(const MlplatSource *source)
{
	Oid types[3] = {INT8OID, TEXTARRAYOID, TEXTOID};
	Datum values[3] = {Int64GetDatum(source->id)};
	char nulls[4] = "   ";

	mlplat_spi_begin();
	values[1] = array_or_null(source->columns, &nulls[1]);
	values[2] = mlplat_text_or_null(source->high_water, &nulls[2]);
	if (run("UPDATE mlplat.source SET columns = $2, high_water = $3 "
			"WHERE source_id OPERATOR(pg_catalog.=) $1",
			3, types, values, nulls) != 1)
		elog(ERROR, "source \"%s\" is gone", source->name);
	mlplat_spi_end();
}

void
mlplat_source_delete(const MlplatSource *source)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(source->id)};

	mlplat_spi_begin();
	run("DELETE FROM mlplat.source WHERE source_id OPERATOR(pg_catalog.=) $1", 1, types, values,
		NULL);
	mlplat_spi_end();
}
