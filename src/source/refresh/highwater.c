/*
 * highwater.c
 *		Only rows whose column lies beyond the greatest value that was loaded: the mark.
 *
 * Appending takes rows above the mark. A row that comes later with the mark's own
 * value is not taken, so the column should be one that never repeats itself, a
 * number or a fine timestamp. An upsert takes rows from the mark on, that is, the
 * last ones once more, which does no harm.
 *
 * A row without a value is neither, and an error: it would be lost without a word.
 *
 * A query gets the condition around it, so that another server, an index or
 * partitions can make use of it. The mark is kept as text in ISO styles.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/stratnum.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "core/param.h"
#include "pg/query.h"
#include "source/refresh/delivery.h"
#include "source/statement.h"

static bool
takes_ties(const MlplatSource *source)
{
	return strcmp(source->refresh, "upsert") == 0;
}

/* The comparison by which a value is beyond the mark, of the type's own order. */
static char *
beyond(const MlplatDelivery *delivery, Oid type)
{
	const char *column = delivery->source->high_water_column;
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid comparison = InvalidOid;

	if (OidIsValid(entry->btree_opf))
		comparison = get_opfamily_member(
			entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
			takes_ties(delivery->source) ? BTGreaterEqualStrategyNumber : BTGreaterStrategyNumber);
	if (!OidIsValid(comparison))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" cannot be a high-water mark: values of type %s have "
							   "no order",
							   column, format_type_be(type))));
	return mlplat_operator_name(comparison);
}

/* Values are written so that they can be read in any session. Ended by AtEOXact_GUC. */
static int
push_styles(void)
{
	int nest_level = NewGUCNestLevel();

	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "3", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	return nest_level;
}

static char *
greatest(const char *table, const char *column)
{
	int nest_level = push_styles();
	char *value = mlplat_statement_value("SELECT t.%s::pg_catalog.text FROM %s AS t WHERE t.%s IS "
										 "NOT NULL ORDER BY t.%s DESC LIMIT 1",
										 column, table, column, column);

	AtEOXact_GUC(true, nest_level);
	return value;
}

static Form_pg_attribute
find_column(const MlplatDelivery *delivery, TupleDesc desc)
{
	const char *name = delivery->source->high_water_column;
	List *names = NIL;

	for (int j = 0; j < desc->natts; j++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, j)->attname), name) == 0)
			return TupleDescAttr(desc, j);
		names = lappend(names, makeString(NameStr(TupleDescAttr(desc, j)->attname)));
	}
	mlplat_no_such_delivered(delivery, "high_water", name, names);
}

const char *
mlplat_high_water_query(const MlplatDelivery *delivery)
{
	const MlplatSource *source = delivery->source;
	const char *column;
	Form_pg_attribute found;

	if (!source->high_water_column || !source->high_water)
		return source->location;
	found = find_column(delivery, mlplat_describe_query(source->location));
	column = quote_identifier(source->high_water_column);
	return psprintf("SELECT * FROM (%s\n) AS q WHERE q.%s %s %s::%s OR q.%s IS NULL",
					mlplat_statement_text(source->location), column,
					beyond(delivery, found->atttypid), quote_literal_cstr(source->high_water),
					format_type_extended(found->atttypid, found->atttypmod,
										 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					column);
}

void
mlplat_high_water_begin(MlplatDelivery *delivery)
{
	MlplatSource *source = delivery->source;
	const char *column;

	if (!source->high_water_column || source->high_water || takes_ties(source) ||
		!delivery->target.rel)
		return;
	column = mlplat_target_find_column(delivery->target.rel, source->high_water_column);
	if (column)
		source->high_water =
			greatest(mlplat_relation_name(delivery->target.rel), quote_identifier(column));
}

static void
check_no_nulls(const MlplatDelivery *delivery, const char *column)
{
	if (mlplat_statement_value("SELECT 1 FROM %s AS d WHERE d.%s IS NULL LIMIT 1", delivery->name,
							   column))
		ereport(
			ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("source \"%s\" delivers rows without a value in its high-water column \"%s\"",
					delivery->source->name, delivery->source->high_water_column),
			 errhint("Give them a value, or leave them out, where the source is read.")));
}

void
mlplat_high_water_cut(MlplatDelivery *delivery)
{
	MlplatSource *source = delivery->source;
	const char *column, *value;
	Form_pg_attribute found;

	if (!source->high_water_column)
		return;
	found = find_column(delivery, RelationGetDescr(delivery->rel));
	if (!list_member(delivery->from, makeString(NameStr(found->attname))))
		mlplat_no_such_delivered(delivery, "high_water", source->high_water_column, delivery->from);
	column = quote_identifier(NameStr(found->attname));
	check_no_nulls(delivery, column);
	if (source->high_water)
		mlplat_statement("DELETE FROM %s AS d WHERE (d.%s %s %s::%s) IS NOT TRUE", delivery->name,
						 column, beyond(delivery, found->atttypid),
						 quote_literal_cstr(source->high_water),
						 mlplat_column_type_name(delivery->rel, NameStr(found->attname)));
	else
		(void) beyond(delivery, found->atttypid);
	value = greatest(delivery->name, column);
	if (value)
		source->high_water = value;
}
