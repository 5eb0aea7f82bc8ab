/*
 * loadquery.c
 *		Load what a query returns into a table.
 *
 * A table that we create gets the rows as they are; one that is there gets them
 * as by INSERT, with its defaults, constraints, triggers, policies, partitions.
 * The query changes nothing either way (pg/query.h). What does not fit is found
 * before the first row is read.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/query.h"
#include "source/query/loadquery.h"
#include "source/options.h"
#include "source/query/rowload.h"
#include "source/importtarget.h"

enum
{
	QUERY_TYPES
};

const MlParam mlplat_query_params[] = {
	{"types", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "types of columns of a new table, in place of the query's: an object of column and type"},
	{0}};

/* ---- a new table */

static void
check_names(TupleDesc desc)
{
	for (int j = 0; j < desc->natts; j++)
		for (int other = 0; other < j; other++)
			if (strcmp(NameStr(TupleDescAttr(desc, j)->attname),
					   NameStr(TupleDescAttr(desc, other)->attname)) == 0)
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
								errmsg("columns %d and %d of the query have the same name \"%s\"",
									   other + 1, j + 1, NameStr(TupleDescAttr(desc, j)->attname)),
								errhint("Name one of them otherwise: ... AS name.")));
}

/* Are the table's columns those of the query, one for one? */
static bool
same_columns(TupleDesc table, TupleDesc query)
{
	if (table->natts != query->natts)
		return false;
	for (int j = 0; j < table->natts; j++)
		if (TupleDescAttr(table, j)->attisdropped ||
			TupleDescAttr(table, j)->atttypid != TupleDescAttr(query, j)->atttypid ||
			TupleDescAttr(table, j)->atttypmod != TupleDescAttr(query, j)->atttypmod)
			return false;
	return true;
}

/* ---- a table that is there */

/* INSERT INTO target (its columns) SELECT the query's columns FROM mlplat_rows */
static char *
insert_statement(Relation rel, TupleDesc desc)
{
	StringInfoData insert, select;

	initStringInfo(&insert);
	initStringInfo(&select);
	appendStringInfo(&insert, "INSERT INTO %s (",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)));
	for (int j = 0; j < desc->natts; j++)
	{
		const char *comma = j > 0 ? ", " : "";

		appendStringInfo(
			&insert, "%s%s", comma,
			quote_identifier(mlplat_target_bind_column(rel, TupleDescAttr(desc, j), "query")));
		appendStringInfo(&select, "%s%s", comma,
						 quote_identifier(NameStr(TupleDescAttr(desc, j)->attname)));
	}
	appendStringInfo(&insert, ") SELECT %s FROM " MLPLAT_ROWS, select.data);
	return insert.data;
}

uint64
mlplat_load_query(const char *name, const char *query, Jsonb *given)
{
	const MlParam *table = mlplat_query_params;
	TupleDesc desc;
	MlplatTarget target;
	MlParams options;
	uint64 n_rows;

	mlplat_read_options("import_query", &table, 1, given, &options);
	desc = mlplat_describe_query(query);
	check_names(desc);
	mlplat_target_open(&target, name);
	if (!target.rel)
		mlplat_target_create_as(&target, desc, options.values[QUERY_TYPES].json);
	if (target.created && mlplat_is_bare(target.rel) &&
		same_columns(RelationGetDescr(target.rel), desc))
		n_rows = mlplat_rows_append(target.rel, query);
	else
		n_rows = mlplat_rows_insert(insert_statement(target.rel, desc), query, desc);
	mlplat_target_close(&target);
	return n_rows;
}
