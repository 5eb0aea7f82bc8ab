/*
 * rejects.c
 *		Rows that an import does not take: to import_rejects, with the reason.
 *
 * They are held back and written some hundred at a time, by one statement.
 * Their content is any bytes: what is a character of the database's encoding
 * stays, other bytes are written as \xNN, so that the text can always be stored
 * and the bytes can be found again.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/catalog.h"
#include "source/rejects.h"

#define MAX_HELD 500
#define MAX_HELD_BYTES (1024 * 1024)
#define MAX_CONTENT (16 * 1024 * 1024) /* bytes of a row that are kept */

struct MlplatRejects
{
	MemoryContext context; /* of the values held */
	int n;
	size_t n_bytes;
	Datum line[MAX_HELD], column[MAX_HELD], reason[MAX_HELD], content[MAX_HELD];
	bool no_column[MAX_HELD];
};

/* In the import's context: COPY reads in one that it resets at each row. */
static struct MlplatRejects *
rejects_create(MemoryContext parent)
{
	struct MlplatRejects *held = MemoryContextAllocZero(parent, sizeof *held);

	held->context = AllocSetContextCreate(parent, "mlplat rejects", ALLOCSET_DEFAULT_SIZES);
	return held;
}

/* Any bytes as text that the database can store. */
static Datum
printable(const char *bytes, size_t len, int encoding)
{
	bool same = encoding == GetDatabaseEncoding();
	size_t kept = Min(len, MAX_CONTENT);
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < kept;)
	{
		int n = 1;

		if (bytes[i] != '\0' && (same || !IS_HIGHBIT_SET(bytes[i])))
			n = mlplat_verify_character(encoding, bytes + i, (int) (kept - i));
		if (bytes[i] == '\0' || n <= 0 || (!same && IS_HIGHBIT_SET(bytes[i])))
		{
			appendStringInfo(&text, "\\x%02x", (unsigned char) bytes[i]);
			n = 1;
		}
		else
			appendBinaryStringInfo(&text, bytes + i, n);
		i += (size_t) n;
	}
	if (kept < len)
		appendStringInfo(&text, "... (%zu bytes in all)", len);
	return PointerGetDatum(cstring_to_text_with_len(text.data, text.len));
}

void
mlplat_reject(MlplatImport *import, int64 line, const char *column, const char *reason,
			  const char *content, size_t len)
{
	struct MlplatRejects *held = import->rejects;
	MemoryContext caller;

	if (!held)
		held = import->rejects = rejects_create(import->context);
	caller = MemoryContextSwitchTo(held->context);
	held->line[held->n] = Int64GetDatum(line);
	held->no_column[held->n] = column == NULL;
	held->column[held->n] = column ? CStringGetTextDatum(column) : (Datum) 0;
	held->reason[held->n] = CStringGetTextDatum(reason);
	held->content[held->n] = printable(content, len, import->encoding);
	MemoryContextSwitchTo(caller);
	held->n++;
	held->n_bytes += len;
	import->rejected++;
	if (held->n == MAX_HELD || held->n_bytes > MAX_HELD_BYTES)
		mlplat_rejects_flush(import);
}

static Datum
text_array(Datum *values, bool *nulls, int n)
{
	int low = 1;

	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &low, TEXTOID, -1, false, TYPALIGN_INT));
}

void
mlplat_rejects_flush(MlplatImport *import)
{
	struct MlplatRejects *held = import->rejects;
	Oid types[6] = {INT8OID, TEXTOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum values[6];

	if (!held || held->n == 0)
		return;
	mlplat_spi_begin();
	values[0] = Int64GetDatum(import->id);
	values[1] = CStringGetTextDatum(import->location);
	values[2] = PointerGetDatum(construct_array(held->line, held->n, INT8OID, sizeof(int64),
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[3] = text_array(held->column, held->no_column, held->n);
	values[4] = text_array(held->reason, NULL, held->n);
	values[5] = text_array(held->content, NULL, held->n);
	if (SPI_execute_with_args(
			"INSERT INTO mlplat.import_rejects (import_id, location, line, column_name, reason, "
			"content) SELECT $1, $2, * FROM ROWS FROM (pg_catalog.unnest($3), "
			"pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6))",
			6, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to import_rejects");
	mlplat_spi_end();
	MemoryContextReset(held->context);
	held->n = 0;
	held->n_bytes = 0;
}
