/*
 * statement.c
 *		SQL statements that are put together: run them, and write the names in them.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/catalog.h"
#include "source/statement.h"

static char *format_statement(const char *format, va_list arguments) pg_attribute_printf(1, 0);

static char *
format_statement(const char *format, va_list arguments)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (;;)
	{
		va_list copy;
		int missing;

		va_copy(copy, arguments);
		missing = appendStringInfoVA(&sql, format, copy);
		va_end(copy);
		if (missing == 0)
			return sql.data;
		enlargeStringInfo(&sql, missing);
	}
}

/* SPI stays open for the result. */
static void
run(const char *sql)
{
	int result;

	mlplat_spi_begin();
	result = SPI_execute(sql, false, 0);
	if (result < 0)
		elog(ERROR, "statement failed: %s", SPI_result_code_string(result));
}

uint64
mlplat_statement(const char *format, ...)
{
	va_list arguments;
	uint64 n_rows;
	char *sql;

	va_start(arguments, format);
	sql = format_statement(format, arguments);
	va_end(arguments);
	run(sql);
	n_rows = SPI_processed;
	mlplat_spi_end();
	pfree(sql);
	return n_rows;
}

char *
mlplat_statement_value(const char *format, ...)
{
	MemoryContext caller = CurrentMemoryContext;
	va_list arguments;
	char *sql, *value = NULL;

	va_start(arguments, format);
	sql = format_statement(format, arguments);
	va_end(arguments);
	run(sql);
	MemoryContextSwitchTo(caller);
	if (SPI_processed > 0)
		value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	mlplat_spi_end();
	pfree(sql);
	return value;
}

char *
mlplat_relation_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

char *
mlplat_operator_name(Oid oid)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oid));
	Form_pg_operator form;
	char *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", oid);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	name = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return name;
}

static Form_pg_attribute
find_column(Relation rel, const char *column)
{
	AttrNumber number = get_attnum(RelationGetRelid(rel), column);

	if (number <= 0)
		elog(ERROR, "column \"%s\" of table \"%s\" is gone", column, RelationGetRelationName(rel));
	return TupleDescAttr(RelationGetDescr(rel), number - 1);
}

Oid
mlplat_column_type(Relation rel, const char *column)
{
	return find_column(rel, column)->atttypid;
}

char *
mlplat_column_type_name(Relation rel, const char *column)
{
	Form_pg_attribute found = find_column(rel, column);

	return format_type_extended(found->atttypid, found->atttypmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}
