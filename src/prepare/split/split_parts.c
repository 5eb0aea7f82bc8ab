/*
 * split_parts.c
 *		The views or tables of split_table: what they are called, making and counting them.
 *
 * They stand beside the relation, or where the caller says, and belong to the
 * caller. A view reads with the rights of who reads it (from PostgreSQL 15 on).
 * Tables are filled and counted by one statement, that is, under one snapshot, so
 * that no row is in two parts or in none, whatever other sessions do meanwhile.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "core/rng.h"
#include "prepare/split/split_table.h"

#define MAX_PART_NAME 40

const char *
mlplat_split_column_name(const Split *split, int attribute)
{
	return NameStr(TupleDescAttr(RelationGetDescr(split->rel), attribute)->attname);
}

Oid
mlplat_split_column_type(const Split *split, int attribute)
{
	return TupleDescAttr(RelationGetDescr(split->rel), attribute)->atttypid;
}

const char *
mlplat_split_column(const Split *split, int attribute)
{
	return psprintf("t.%s", quote_identifier(mlplat_split_column_name(split, attribute)));
}

/* ---- names */

static void
check_part_name(const Split *split, int part)
{
	const char *name = split->parts[part].name;

	if (name[0] == '\0' || strlen(name) > MAX_PART_NAME)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid name of a part: \"%s\"", name),
						errdetail("The name of a part has 1 to %d bytes.", MAX_PART_NAME)));
	for (int other = 0; other < part; other++)
		if (strcmp(split->parts[other].name, name) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("two parts have the name \"%s\"", name)));
}

/* The relation that has the part's name now must be one that may be replaced. */
static void
check_occupied(const Split *split, const SplitPart *part)
{
	char kind = get_rel_relkind(part->replaced);

	if (part->replaced == RelationGetRelid(split->rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("part \"%s\" would replace the relation that is split", part->name)));
	if (!split->replace)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_TABLE),
						errmsg("relation %s already exists", part->qualified),
						errhint("Replace it with replace => true, or give the parts another name "
								"with name => '...'.")));
	if (kind != RELKIND_VIEW && !(kind == RELKIND_RELATION && split->tables))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("relation %s is not a view%s, and is not replaced", part->qualified,
							   split->tables ? " or a table" : ""),
						errhint("Drop it first, or give the parts another name with "
								"name => '...'.")));
}

/*
 * One split to a name at a time, until the end of the transaction: the second session then sees what the first has
 * made, and does not fail on an index of the catalog. The number of a column, which schemas have none of, keeps the
 * lock apart from all others on the schema; two names of one number only wait for each other.
 */
static void
lock_names(Oid namespace, const char *base)
{
	uint16 number = (uint16) ml_hash_bytes(base, strlen(base), 0) | 1;

	LockDatabaseObject(NamespaceRelationId, namespace, number, ExclusiveLock);
}

/* Say so when a part of an earlier split stays, which may share rows with the parts of this one. */
static void
notice_leftovers(const Split *split, Oid namespace, const char *base)
{
	static const char *const usual[] = {"train", "valid", "test"};

	for (size_t i = 0; i < lengthof(usual); i++)
	{
		const char *relation = makeObjectName(base, NULL, usual[i]);
		bool ours = false;

		for (int part = 0; part < split->n_parts; part++)
			ours = ours || strcmp(split->parts[part].relation, relation) == 0;
		if (!ours && OidIsValid(get_relname_relid(relation, namespace)))
			ereport(NOTICE,
					(errmsg("relation %s is not replaced, and may share rows with the new parts",
							quote_qualified_identifier(get_namespace_name(namespace), relation)),
					 errhint("Drop it if it is of an earlier split.")));
	}
}

/* The schema of the parts, and the name before theirs: those of the relation, or what the caller says. */
static Oid
find_place(const Split *split, const char *name, const char **base)
{
	const char *schema = get_namespace_name(RelationGetNamespace(split->rel));

	*base = RelationGetRelationName(split->rel);
	if (name)
	{
		RangeVar *given = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));

		if (given->catalogname)
			ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
							errmsg("invalid name of a relation: \"%s\"", name)));
		schema = given->schemaname ? given->schemaname : schema;
		*base = given->relname;
	}
	return LookupCreationNamespace(schema);
}

/* Long names are cut before the part's own. */
static void
name_part(Split *split, int i, Oid namespace, const char *base)
{
	SplitPart *part = &split->parts[i];

	check_part_name(split, i);
	part->relation = makeObjectName(base, NULL, part->name);
	for (int other = 0; other < i; other++)
		if (strcmp(split->parts[other].relation, part->relation) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
							errmsg("two parts would both be called \"%s\"", part->relation)));
	part->schema = namespace;
	part->qualified = quote_qualified_identifier(get_namespace_name(namespace), part->relation);
	part->replaced = get_relname_relid(part->relation, namespace);
	if (OidIsValid(part->replaced))
		check_occupied(split, part);
}

void
mlplat_split_name_parts(Split *split, const char *name)
{
	const char *base;
	Oid namespace = find_place(split, name, &base);

	lock_names(namespace, base);
	for (int i = 0; i < split->n_parts; i++)
		name_part(split, i, namespace, base);
	if (split->replace)
		notice_leftovers(split, namespace, base);
}

/* ---- statements */

static void
run_utility(const char *sql)
{
	int result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "making the parts failed: %s", SPI_result_code_string(result));
	CHECK_FOR_INTERRUPTS();
}

typedef const char *(*MlplatColumnText)(const Split *split, int attribute);

/* The columns of the relation, each as the function writes it. */
static void
append_columns(StringInfo text, const Split *split, MlplatColumnText column)
{
	TupleDesc desc = RelationGetDescr(split->rel);
	const char *separator = "";

	for (int j = 0; j < desc->natts; j++)
	{
		if (TupleDescAttr(desc, j)->attisdropped)
			continue;
		appendStringInfo(text, "%s%s", separator, column(split, j));
		separator = ", ";
	}
}

/* A column of the rows that are kept aside: a number cannot be the name of another column. */
static const char *
numbered_column(const Split *split pg_attribute_unused(), int attribute)
{
	return psprintf("c%d", attribute + 1);
}

/* The number of a row's part, from 1; NULL: none. */
static void
append_part(StringInfo text, const Split *split)
{
	appendStringInfoString(text, "CASE");
	for (int i = 0; i < split->n_parts; i++)
		appendStringInfo(text, " WHEN %s THEN %d", split->parts[i].condition, i + 1);
	appendStringInfoString(text, " END");
}

/*
 * Rows by part and class, of rows s (part, and the class by the name given; NULL: not counted), with the rows of the
 * class in all parts and of the part in all classes.
 */
static void
append_count(StringInfo text, const char *class)
{
	appendStringInfo(
		text,
		"SELECT s.part, %s, pg_catalog.count(*),"
		" (pg_catalog.sum(pg_catalog.count(*)) OVER (PARTITION BY s.part))::pg_catalog.int8,"
		" (pg_catalog.sum(pg_catalog.count(*)) OVER (PARTITION BY %s))::pg_catalog.int8",
		class ? class : "NULL", class ? class : "NULL::pg_catalog.int4");
}

static void
append_grouping(StringInfo text, bool classes)
{
	appendStringInfoString(text,
						   classes ? " GROUP BY 1, 2 ORDER BY 1, 2" : " GROUP BY 1 ORDER BY 1");
}

static void
run_count(const Split *split, const char *sql)
{
	int result = SPI_execute(sql, !split->tables, (SPLIT_MAX_PARTS + 1) * SPLIT_MAX_CLASSES + 1);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "counting the parts failed: %s", SPI_result_code_string(result));
}

/* ---- views */

static void
count_views(const Split *split)
{
	bool classes = split->class_column >= 0;
	StringInfoData sql;

	initStringInfo(&sql);
	append_count(&sql, classes ? "s.class" : NULL);
	appendStringInfoString(&sql, " FROM (SELECT ");
	append_part(&sql, split);
	appendStringInfo(
		&sql, " AS part%s%s FROM %s t) s", classes ? ", " : "",
		classes ? psprintf("%s AS class", mlplat_split_column(split, split->class_column)) : "",
		split->source);
	append_grouping(&sql, classes);
	run_count(split, sql.data);
}

static void
create_view(const Split *split, const SplitPart *part)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE OR REPLACE VIEW %s" MLPLAT_VIEW_OF_READER " AS SELECT ",
					 part->qualified);
	append_columns(&sql, split, mlplat_split_column);
	appendStringInfo(&sql, " FROM %s t WHERE %s", split->source, part->condition);
	run_utility(sql.data);
}

/* ---- tables */

static void
create_table(const Split *split, const SplitPart *part)
{
	StringInfoData sql;

	if (OidIsValid(part->replaced))
		run_utility(psprintf("DROP %s %s",
							 get_rel_relkind(part->replaced) == RELKIND_VIEW ? "VIEW" : "TABLE",
							 part->qualified));
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s AS SELECT ", part->qualified);
	append_columns(&sql, split, mlplat_split_column);
	appendStringInfo(&sql, " FROM %s t WITH NO DATA", split->source);
	run_utility(sql.data);
}

/*
 * Is it cheaper to read the relation again for each part than to keep its rows aside? Keeping 200,000 rows of 12
 * columns costs as much as eight more readings of a table. (The server keeps rows aside, too, when a function among
 * the columns is volatile: no row can then be in two parts.)
 */
static bool
read_again(const Split *split)
{
	char kind = split->rel->rd_rel->relkind;

	return kind != RELKIND_VIEW && kind != RELKIND_FOREIGN_TABLE && split->n_parts <= 8;
}

/* In one statement, put each row where it belongs, and count. */
static void
fill_tables(const Split *split)
{
	bool classes = split->class_column >= 0;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "WITH s (");
	append_columns(&sql, split, numbered_column);
	appendStringInfo(&sql, ", part) AS %sMATERIALIZED (SELECT ", read_again(split) ? "NOT " : "");
	append_columns(&sql, split, mlplat_split_column);
	appendStringInfoString(&sql, ", ");
	append_part(&sql, split);
	appendStringInfo(&sql, " FROM %s t)", split->source);
	for (int i = 0; i < split->n_parts; i++)
	{
		appendStringInfo(&sql, ", part_%d AS (INSERT INTO %s SELECT ", i + 1,
						 split->parts[i].qualified);
		append_columns(&sql, split, numbered_column);
		appendStringInfo(&sql, " FROM s WHERE s.part OPERATOR(pg_catalog.=) %d)", i + 1);
	}
	appendStringInfoChar(&sql, ' ');
	append_count(&sql,
				 classes ? psprintf("s.%s", numbered_column(split, split->class_column)) : NULL);
	appendStringInfoString(&sql, " FROM s");
	append_grouping(&sql, classes);
	run_count(split, sql.data);
}

/* ---- both */

static const char *
describe(const Split *split, int part)
{
	static const char *const rules[] = {"at random", "stratified by", "by group", "in order of"};
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "Part %s (%g) of %s, %s", split->parts[part].name, split->shares[part],
					 split->source, rules[split->rule]);
	if (split->column >= 0)
		appendStringInfo(&text, " %s", mlplat_split_column_name(split, split->column));
	if (split->rule != SPLIT_IN_ORDER)
		appendStringInfo(&text, ", seed %d", split->seed);
	appendStringInfoString(&text, "; made by mlplat.split_table");
	return text.data;
}

void
mlplat_split_create(const Split *split)
{
	for (int i = 0; i < split->n_parts; i++)
	{
		const SplitPart *part = &split->parts[i];

		if (split->tables)
			create_table(split, part);
		else
			create_view(split, part);
		run_utility(psprintf("COMMENT ON %s %s IS %s", split->tables ? "TABLE" : "VIEW",
							 part->qualified, quote_literal_cstr(describe(split, i))));
	}
}

void
mlplat_split_count(const Split *split)
{
	if (split->tables)
		fill_tables(split);
	else
		count_views(split);
}
