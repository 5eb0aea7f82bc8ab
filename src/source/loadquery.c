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
#include "catalog/pg_attribute.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "core/param.h"
#include "pg/query.h"
#include "source/loadquery.h"
#include "source/rowload.h"
#include "source/target.h"

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

/* As CREATE TABLE AS: type, what the type was declared with, collation. */
static char *
column_type(Form_pg_attribute column)
{
	char *type = format_type_extended(column->atttypid, column->atttypmod,
									  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);

	if (OidIsValid(column->attcollation) &&
		column->attcollation != get_typcollation(column->atttypid))
		type = psprintf("%s COLLATE %s", type, generate_collation_name(column->attcollation));
	return type;
}

static void
create_target(MlplatTarget *target, TupleDesc desc, const MlJson *types)
{
	char **names = palloc(sizeof(char *) * desc->natts);
	char **type_names = palloc(sizeof(char *) * desc->natts);

	for (int j = 0; j < desc->natts; j++)
	{
		names[j] = NameStr(TupleDescAttr(desc, j)->attname);
		type_names[j] = column_type(TupleDescAttr(desc, j));
	}
	mlplat_target_create(target, desc->natts, names, type_names, types);
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

/* ---- columns of a table that is there */

static _Noreturn void
no_such_column(Relation rel, const char *name)
{
	TupleDesc desc = RelationGetDescr(rel);
	const char **names = palloc(sizeof(char *) * Max(desc->natts, 1));
	const char *near;
	size_t n = 0;

	for (int j = 0; j < desc->natts; j++)
		if (!TupleDescAttr(desc, j)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(desc, j)->attname);
	near = ml_nearest(name, names, n);
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("column \"%s\" of the query is not in table \"%s\"", name,
						   RelationGetRelationName(rel)),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

/* The table's column for one of the query's, which must be able to take its values. */
static const char *
bind_column(Relation rel, Form_pg_attribute column)
{
	const char *name = mlplat_target_find_column(rel, NameStr(column->attname));
	Form_pg_attribute to;

	if (!name)
		no_such_column(rel, NameStr(column->attname));
	to = TupleDescAttr(RelationGetDescr(rel), get_attnum(RelationGetRelid(rel), name) - 1);
	if (to->attgenerated != '\0' || to->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
						errmsg("column \"%s\" of table \"%s\" is generated and takes no values",
							   name, RelationGetRelationName(rel)),
						errhint("Leave it out of the query.")));
	if (!can_coerce_type(1, &column->atttypid, &to->atttypid, COERCION_ASSIGNMENT))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of table \"%s\" is of type %s, that of the query of "
							   "type %s",
							   name, RelationGetRelationName(rel),
							   format_type_with_typemod(to->atttypid, to->atttypmod),
							   format_type_with_typemod(column->atttypid, column->atttypmod)),
						errhint("Cast it in the query: CAST(%s AS %s) AS %s.",
								quote_identifier(NameStr(column->attname)),
								format_type_with_typemod(to->atttypid, to->atttypmod),
								quote_identifier(NameStr(column->attname)))));
	return name;
}

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

		appendStringInfo(&insert, "%s%s", comma,
						 quote_identifier(bind_column(rel, TupleDescAttr(desc, j))));
		appendStringInfo(&select, "%s%s", comma,
						 quote_identifier(NameStr(TupleDescAttr(desc, j)->attname)));
	}
	appendStringInfo(&insert, ") SELECT %s FROM " MLPLAT_ROWS, select.data);
	return insert.data;
}

uint64
mlplat_load_query(const char *name, const char *query, const MlJson *types)
{
	TupleDesc desc = mlplat_describe_query(query);
	MlplatTarget target;
	uint64 n_rows;

	check_names(desc);
	mlplat_target_open(&target, name);
	if (!target.rel)
		create_target(&target, desc, types);
	if (target.created && mlplat_is_bare(target.rel) &&
		same_columns(RelationGetDescr(target.rel), desc))
		n_rows = mlplat_rows_append(target.rel, query);
	else
		n_rows = mlplat_rows_insert(insert_statement(target.rel, desc), query, desc);
	mlplat_target_close(&target);
	return n_rows;
}
