/*
 * delivery.c
 *		What a source delivers, in a temporary table, before its target sees anything of it.
 *
 * A query's columns are its own, and so is a first delivery's. Otherwise the
 * temporary table has the target's types, so that a file whose column happens to
 * be empty, or to hold whole numbers only, is read as the one before.
 *
 * The temporary table must not have the target's name: functions that triggers
 * call would find it in the place of the target.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/table.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/param.h"
#include "pg/query.h"
#include "source/copyin.h"
#include "source/refresh/delivery.h"
#include "source/query/loadquery.h"
#include "source/statement.h"

static char *
delivery_name(const MlplatDelivery *delivery, const MlplatImport *import)
{
	return makeObjectName(delivery->target.name->relname, NULL,
						  psprintf("delivery_" INT64_FORMAT, import->id));
}

/* ---- loading */

/* An empty table with the target's columns and nothing else. */
static void
create_as_target(const MlplatDelivery *delivery, const char *relname)
{
	TupleDesc desc = RelationGetDescr(delivery->target.rel);
	char **names = palloc(sizeof(char *) * Max(desc->natts, 1));
	char **types = palloc(sizeof(char *) * Max(desc->natts, 1));
	int n = 0;

	for (int j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, j);

		if (column->attisdropped)
			continue;
		names[n] = NameStr(column->attname);
		types[n++] = mlplat_column_type_name(delivery->target.rel, NameStr(column->attname));
	}
	table_close(
		mlplat_copyin_create(makeRangeVar("pg_temp", pstrdup(relname), -1), n, names, types),
		NoLock);
}

/* Strings: the columns that take values. */
static List *
writable_columns(Relation rel)
{
	List *columns = NIL;

	for (int j = 0; j < RelationGetDescr(rel)->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel), j);

		if (!column->attisdropped && column->attgenerated == '\0' &&
			column->attidentity != ATTRIBUTE_IDENTITY_ALWAYS)
			columns = lappend(columns, makeString(pstrdup(NameStr(column->attname))));
	}
	return columns;
}

/*
 * An import that says nothing of columns, as that of JSON, has put nulls where it found nothing. Those are values of a
 * column that it has loaded before; in others, which somebody else may have added to the target, they are not.
 */
static List *
columns_with_values(MlplatDelivery *delivery)
{
	List *columns = NIL;
	ListCell *cell;

	foreach (cell, writable_columns(delivery->rel))
		if (list_member(delivery->source->columns, lfirst(cell)) ||
			mlplat_statement_value("SELECT 1 FROM %s AS d WHERE d.%s IS NOT NULL LIMIT 1",
								   delivery->name, quote_identifier(strVal(lfirst(cell)))))
			columns = lappend(columns, lfirst(cell));
	delivery->nothing_came = columns == NIL;
	return columns ? columns : writable_columns(delivery->target.rel);
}

static List *
loaded_columns(MlplatDelivery *delivery, const MlplatImport *import)
{
	if (import->columns)
		return import->columns;
	if (!delivery->target.rel || strcmp(delivery->source->kind, "query") == 0)
		return writable_columns(delivery->rel);
	return columns_with_values(delivery);
}

void
mlplat_deliver(MlplatDelivery *delivery, MlplatImport *import)
{
	const MlplatSource *source = delivery->source;
	char *relname = delivery_name(delivery, import);
	char *name = psprintf("pg_temp.%s", quote_identifier(relname));

	if (strcmp(source->kind, "query") == 0)
		mlplat_load_query(name, mlplat_high_water_query(delivery), source->options);
	else
	{
		if (delivery->target.rel)
			create_as_target(delivery, relname);
		mlplat_import_delegate(import, name, source->location, source->options);
	}
	delivery->rel = table_openrv(makeRangeVar("pg_temp", relname, -1), AccessShareLock);
	delivery->name = mlplat_relation_name(delivery->rel);
	delivery->from = loaded_columns(delivery, import);
}

void
mlplat_delivery_drop(MlplatDelivery *delivery)
{
	table_close(delivery->rel, NoLock);
	mlplat_statement("DROP TABLE %s", delivery->name);
}

uint64
mlplat_delivery_insert(const MlplatDelivery *delivery)
{
	return mlplat_statement("INSERT INTO %s (%s) SELECT %s FROM %s AS d",
							mlplat_relation_name(delivery->target.rel),
							mlplat_column_list(delivery->to, ""),
							mlplat_column_list(delivery->from, "d."), delivery->name);
}

/* ---- binding */

char *
mlplat_column_list(const List *columns, const char *prefix)
{
	StringInfoData list;
	ListCell *cell;

	initStringInfo(&list);
	foreach (cell, columns)
		appendStringInfo(&list, "%s%s%s", list.len > 0 ? ", " : "", prefix,
						 quote_identifier(strVal(lfirst(cell))));
	return list.data;
}

static const char *
nearest_column(const char *name, const List *columns)
{
	const char **names = palloc(sizeof(char *) * Max(list_length(columns), 1));
	size_t n = 0;
	ListCell *cell;

	foreach (cell, columns)
		names[n++] = strVal(lfirst(cell));
	return ml_nearest(name, names, n);
}

void
mlplat_no_such_delivered(const MlplatDelivery *delivery, const char *option, const char *name,
						 const List *columns)
{
	const char *near = nearest_column(name, columns);

	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("option \"%s\" of source \"%s\" names column \"%s\", which the source "
						   "does not deliver",
						   option, delivery->source->name, name),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

/* A column that was loaded before must come again: its values would be missing from now on. */
static void
check_columns_come(const MlplatDelivery *delivery)
{
	ListCell *cell;

	foreach (cell, delivery->source->columns)
		if (!list_member(delivery->to, lfirst(cell)))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("source \"%s\" does not deliver column \"%s\" any more",
								   delivery->source->name, strVal(lfirst(cell))),
							errhint("If it is to be so, drop the source and create it again.")));
}

void
mlplat_delivery_bind(MlplatDelivery *delivery)
{
	ListCell *cell;

	if (!delivery->target.rel)
		mlplat_target_create_as(&delivery->target, RelationGetDescr(delivery->rel), NULL);
	foreach (cell, delivery->from)
	{
		AttrNumber number = get_attnum(RelationGetRelid(delivery->rel), strVal(lfirst(cell)));
		const char *name = mlplat_target_bind_column(
			delivery->target.rel, TupleDescAttr(RelationGetDescr(delivery->rel), number - 1),
			"source");

		delivery->to = lappend(delivery->to, makeString(pstrdup(name)));
	}
	check_columns_come(delivery);
}
