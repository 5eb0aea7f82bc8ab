/*
 * clean_columns.c
 *		The columns of a cleaning: what the query returns, and what becomes of it on the way.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "prepare/clean/clean.h"
#include "prepare/clean/clean_json.h"

/* ---- columns */

static void
check_column(const Cleaning *cleaning, int j)
{
	const CleanColumn *column = &cleaning->columns[j];

	if (strcmp(column->name, "?column?") == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_COLUMN_DEFINITION),
						errmsg("column %d of the query has no name", j + 1),
						errhint("Give it one: SELECT ... AS name.")));
	if (get_typtype(column->type) == TYPTYPE_PSEUDO)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TABLE_DEFINITION),
						errmsg("column \"%s\" of the query has pseudo-type %s", column->name,
							   format_type_be(column->type)),
						errhint("Cast it in the query to a type that a table can have.")));
	for (int other = 0; other < j; other++)
		if (strcmp(column->name, cleaning->columns[other].name) == 0)
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
							errmsg("columns %d and %d of the query have the same name \"%s\"",
								   other + 1, j + 1, column->name),
							errhint("Name one of them anew: SELECT ... AS name.")));
}

/* The facts of a type, when a column gets it. */
void
mlplat_clean_set_type(CleanColumn *column, Oid type, int32 typmod, Oid collation)
{
	column->type = type;
	column->typmod = typmod;
	column->collation = collation;
	if (!OidIsValid(collation))
		column->collation = get_typcollation(type);
	column->base_type = getBaseType(type);
	get_typlenbyval(type, &column->typlen, &column->typbyval);
}

void
mlplat_clean_columns(Cleaning *cleaning, TupleDesc desc)
{
	if (desc->natts > MaxHeapAttributeNumber)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the query has %d columns, a table can have %d", desc->natts,
							   MaxHeapAttributeNumber)));
	cleaning->described = desc;
	cleaning->n_columns = desc->natts;
	cleaning->columns = palloc0(sizeof(CleanColumn) * desc->natts);
	for (int j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, j);

		cleaning->columns[j].name = pstrdup(NameStr(attribute->attname));
		cleaning->columns[j].key = mlplat_json_from_server(cleaning->columns[j].name);
		mlplat_clean_set_type(&cleaning->columns[j], attribute->atttypid, attribute->atttypmod,
							  attribute->attcollation);
		check_column(cleaning, j);
	}
}

TupleDesc
mlplat_clean_describe_row(const Cleaning *cleaning)
{
	TupleDesc desc = CreateTemplateTupleDesc(cleaning->n_columns);

	for (int j = 0; j < cleaning->n_columns; j++)
	{
		const CleanColumn *column = &cleaning->columns[j];

		TupleDescInitEntry(desc, (AttrNumber) (j + 1), column->name, column->type, column->typmod,
						   0);
		TupleDescInitEntryCollation(desc, (AttrNumber) (j + 1), column->collation);
	}
	return desc;
}

/* ---- names */

static _Noreturn void
no_such_column(const Cleaning *cleaning, const CleanStep *step, const char *name)
{
	const char **names = palloc(sizeof(char *) * cleaning->n_columns);
	const char *near;
	int n = 0;

	for (int j = 0; j < cleaning->n_columns; j++)
		if (!cleaning->columns[j].dropped_by)
			names[n++] = cleaning->columns[j].name;
	near = ml_nearest(name, names, n);
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("step %d (%s) names column \"%s\", which is not in the query",
						   step->number, ml_clean_action_name(step->spec->action), name),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

int
mlplat_clean_look_for_column(const Cleaning *cleaning, const char *name)
{
	for (int j = 0; j < cleaning->n_columns; j++)
		if (strcmp(cleaning->columns[j].name, name) == 0)
			return cleaning->columns[j].dropped_by ? -1 : j;
	return -1;
}

int
mlplat_clean_find_column(const Cleaning *cleaning, const CleanStep *step, const char *name)
{
	for (int j = 0; j < cleaning->n_columns; j++)
	{
		const CleanColumn *column = &cleaning->columns[j];

		if (strcmp(column->name, name) != 0)
			continue;
		if (column->dropped_by)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("step %d (%s) names column \"%s\", which step %d has dropped",
								   step->number, ml_clean_action_name(step->spec->action), name,
								   column->dropped_by)));
		return j;
	}
	no_such_column(cleaning, step, name);
}

char *
mlplat_clean_type_name(Oid type)
{
	return format_type_extended(type, -1,
								type < FirstNormalObjectId ? 0 : FORMAT_TYPE_FORCE_QUALIFY);
}
