/*
 * importtarget.c
 *		The table that an import writes to: one that is there, with columns bound by name, or a new one.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/varlena.h"

#include "core/param.h"
#include "source/copyin.h"
#include "source/importlog.h"
#include "source/importtarget.h"

void
mlplat_target_open(MlplatTarget *target, const char *name)
{
	target->name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	target->rel = mlplat_copyin_open(target->name);
	target->created = false;
}

void
mlplat_target_close(MlplatTarget *target)
{
	table_close(target->rel, NoLock);
}

/* ---- columns */

const char *
mlplat_target_find_column(Relation rel, const char *name)
{
	TupleDesc desc = RelationGetDescr(rel);
	const char *found = NULL;
	int n_found = 0;

	for (int j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, j);

		if (column->attisdropped)
			continue;
		if (strcmp(NameStr(column->attname), name) == 0)
			return NameStr(column->attname);
		if (pg_strcasecmp(NameStr(column->attname), name) == 0)
		{
			found = NameStr(column->attname);
			n_found++;
		}
	}
	return n_found == 1 ? found : NULL;
}

void
mlplat_target_check_names(int n, char *const *names)
{
	for (int j = 0; j < n; j++)
		for (int other = 0; other < j; other++)
			if (strcmp(names[j], names[other]) == 0)
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
								errmsg("columns %d and %d of the file have the same name \"%s\"",
									   other + 1, j + 1, names[j]),
								errhint("Name the columns with the option {\"columns\": [...]}.")));
}

List *
mlplat_target_bind(const MlplatTarget *target, int n, char *const *names, const char *hint)
{
	List *columns = NIL;

	for (int j = 0; j < n; j++)
	{
		const char *name = mlplat_target_find_column(target->rel, names[j]);

		if (!name)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("column \"%s\" of the file is not in table \"%s\"", names[j],
								   RelationGetRelationName(target->rel)),
							hint ? errhint("%s", hint) : 0));
		columns = lappend(columns, makeString(pstrdup(name)));
	}
	mlplat_import_note_columns(columns);
	return columns;
}

static _Noreturn void
no_such_column(Relation rel, const char *name, const char *origin)
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
					errmsg("column \"%s\" of the %s is not in table \"%s\"", name, origin,
						   RelationGetRelationName(rel)),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

static void
check_takes(Relation rel, Form_pg_attribute to, Form_pg_attribute column, const char *origin)
{
	const char *type = format_type_with_typemod(to->atttypid, to->atttypmod);
	const char *from = quote_identifier(NameStr(column->attname));

	if (to->attgenerated != '\0' || to->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
						errmsg("column \"%s\" of table \"%s\" is generated and takes no values",
							   NameStr(to->attname), RelationGetRelationName(rel)),
						errhint("Leave it out of the %s.", origin)));
	if (!can_coerce_type(1, &column->atttypid, &to->atttypid, COERCION_ASSIGNMENT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is of type %s, that of the %s of type %s",
						NameStr(to->attname), RelationGetRelationName(rel), type, origin,
						format_type_with_typemod(column->atttypid, column->atttypmod)),
				 errhint("Cast it in the query: CAST(%s AS %s) AS %s.", from, type, from)));
}

const char *
mlplat_target_bind_column(Relation rel, Form_pg_attribute column, const char *origin)
{
	const char *name = mlplat_target_find_column(rel, NameStr(column->attname));
	AttrNumber number;

	if (!name)
		no_such_column(rel, NameStr(column->attname), origin);
	number = get_attnum(RelationGetRelid(rel), name);
	check_takes(rel, TupleDescAttr(RelationGetDescr(rel), number - 1), column, origin);
	return name;
}

/* ---- a new table */

/* A type's name as the user wrote it, checked and written out in full. */
static char *
check_type(const char *column, const MlJson *type)
{
	Oid oid;
	int32 typmod;

	if (type->type != ML_JSON_STRING)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("type of column \"%s\" must be a string", column)));
	mlplat_parse_type(type->string, &oid, &typmod);
	return format_type_extended(oid, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* Put the types of the option in place of the inferred ones. */
static void
override_types(int n, char *const *names, char **types, const MlJson *given)
{
	if (!given || given->type == ML_JSON_NULL)
		return;
	if (given->type != ML_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"types\" must be an object of column name and type")));
	for (size_t i = 0; i < given->n; i++)
	{
		const char *near = ml_nearest(given->keys[i], (const char *const *) names, (size_t) n);
		int j = 0;

		while (j < n && strcmp(names[j], given->keys[i]) != 0)
			j++;
		if (j == n)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("option \"types\" names column \"%s\", which is not in the file",
								   given->keys[i]),
							near ? errhint("Did you mean \"%s\"?", near) : 0));
		types[j] = check_type(names[j], &given->items[i]);
	}
}

void
mlplat_target_create(MlplatTarget *target, int n, char **names, char **types, const MlJson *given)
{
	override_types(n, names, types, given);
	target->rel = mlplat_copyin_create(target->name, n, names, types);
	target->created = true;
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

void
mlplat_target_create_as(MlplatTarget *target, TupleDesc desc, const MlJson *given)
{
	char **names = palloc(sizeof(char *) * desc->natts);
	char **types = palloc(sizeof(char *) * desc->natts);

	for (int j = 0; j < desc->natts; j++)
	{
		names[j] = NameStr(TupleDescAttr(desc, j)->attname);
		types[j] = column_type(TupleDescAttr(desc, j));
	}
	mlplat_target_create(target, desc->natts, names, types, given);
}
