/*
 * upsert.c
 *		A delivery into the target by key: rows that are there are updated, others inserted.
 *
 * One INSERT ... ON CONFLICT, for which the target needs a unique index on the
 * key. A row that is there already, byte for byte, is left alone. How many rows
 * were inserted and how many updated is counted before, and so is not exact where
 * others write to the same rows meanwhile.
 *
 * A key that comes twice in one delivery is an error: rows of a query have no
 * order that would tell which of them is to stay.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_index.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "source/refresh/delivery.h"
#include "source/statement.h"

/* ---- the key */

/* The delivery's columns that go to the key's. */
static List *
key_columns(const MlplatDelivery *delivery)
{
	List *columns = NIL;
	ListCell *cell;

	foreach (cell, delivery->source->key)
	{
		const char *name = strVal(lfirst(cell));
		int i = 0;

		while (i < list_length(delivery->to) &&
			   strcmp(strVal(list_nth(delivery->to, i)), name) != 0)
			i++;
		if (i == list_length(delivery->to))
			mlplat_no_such_delivered(delivery, "key", name, delivery->to);
		columns = lappend(columns, list_nth(delivery->from, i));
	}
	return columns;
}

/* Is it an index that ON CONFLICT (key) finds? */
static bool
is_unique_on(Relation index, const Bitmapset *key)
{
	const FormData_pg_index *form = index->rd_index;
	Bitmapset *columns = NULL;

	if (!form->indisunique || !form->indimmediate || !form->indisvalid ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] <= 0)
			return false;
		columns = bms_add_member(columns, form->indkey.values[i]);
	}
	return bms_equal(columns, key);
}

static void
check_unique_index(const MlplatDelivery *delivery)
{
	Relation rel = delivery->target.rel;
	Bitmapset *key = NULL;
	bool found = false;
	ListCell *cell;

	foreach (cell, delivery->source->key)
		key = bms_add_member(key, get_attnum(RelationGetRelid(rel), strVal(lfirst(cell))));
	foreach (cell, RelationGetIndexList(rel))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found || is_unique_on(index, key);
		index_close(index, NoLock);
	}
	if (!found)
		ereport(ERROR, (errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
						errmsg("table \"%s\" has no unique index on the key (%s)",
							   RelationGetRelationName(rel),
							   mlplat_column_list(delivery->source->key, "")),
						errhint("CREATE UNIQUE INDEX ON %s (%s);", mlplat_relation_name(rel),
								mlplat_column_list(delivery->source->key, ""))));
}

/* Every row has a key, and one of its own. */
static void
check_keys(const MlplatDelivery *delivery, List *columns)
{
	char *list = mlplat_column_list(columns, "d.");
	char *value;
	ListCell *cell;

	foreach (cell, columns)
		if (mlplat_statement_value("SELECT 1 FROM %s AS d WHERE d.%s IS NULL LIMIT 1",
								   delivery->name, quote_identifier(strVal(lfirst(cell)))))
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("source \"%s\" delivers rows without a value in column \"%s\" "
								   "of its key",
								   delivery->source->name, strVal(lfirst(cell)))));
	value = mlplat_statement_value("SELECT pg_catalog.concat_ws(', ', %s) FROM %s AS d GROUP BY %s "
								   "HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 "
								   "ORDER BY %s LIMIT 1",
								   list, delivery->name, list, list);
	if (value)
		ereport(
			ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("source \"%s\" delivers the key (%s) = (%s) more than once",
					delivery->source->name, mlplat_column_list(delivery->source->key, ""), value),
			 errhint("One row can stay: choose it in the query, for example by SELECT DISTINCT "
					 "ON (%s).",
					 mlplat_column_list(delivery->source->key, ""))));
}

/* ---- the rows */

/* A type to compare in: of no certain length, which would cut values off. */
static char *
bare_type(Relation rel, const char *column)
{
	return format_type_extended(mlplat_column_type(rel, column), -1,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* The condition that rows t of the target and d of the delivery have the same key. */
static char *
same_key(const MlplatDelivery *delivery, const List *columns)
{
	Relation rel = delivery->target.rel;
	StringInfoData condition;

	initStringInfo(&condition);
	for (int i = 0; i < list_length(columns); i++)
	{
		const char *key = strVal(list_nth(delivery->source->key, i));
		TypeCacheEntry *type = lookup_type_cache(mlplat_column_type(rel, key), TYPECACHE_EQ_OPR);

		appendStringInfo(&condition, "%st.%s %s d.%s::%s", i > 0 ? " AND " : "",
						 quote_identifier(key), mlplat_operator_name(type->eq_opr),
						 quote_identifier(strVal(list_nth(columns, i))), bare_type(rel, key));
	}
	return condition.data;
}

/* The condition that their other columns differ, in as little as a byte; NULL: there are none. */
static char *
other_values(const MlplatDelivery *delivery)
{
	StringInfoData there, here;

	initStringInfo(&there);
	initStringInfo(&here);
	for (int i = 0; i < list_length(delivery->to); i++)
	{
		const char *name = strVal(list_nth(delivery->to, i));
		const char *comma = there.len > 0 ? ", " : "";

		if (list_member(delivery->source->key, list_nth(delivery->to, i)))
			continue;
		appendStringInfo(&there, "%st.%s", comma, quote_identifier(name));
		appendStringInfo(&here, "%sd.%s::%s", comma,
						 quote_identifier(strVal(list_nth(delivery->from, i))),
						 bare_type(delivery->target.rel, name));
	}
	/* The casts keep the rows whole: without them the operator would be looked for column by column. */
	return there.len == 0 ? NULL
						  : psprintf("ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) "
									 "ROW(%s)::pg_catalog.record",
									 there.data, here.data);
}

/* What ON CONFLICT does: nothing where there are only keys, or all is the same. */
static char *
conflict_action(const MlplatDelivery *delivery)
{
	List *others = list_difference(delivery->to, delivery->source->key);
	StringInfoData set;
	ListCell *cell;

	if (others == NIL)
		return pstrdup("NOTHING");
	initStringInfo(&set);
	foreach (cell, others)
	{
		const char *name = quote_identifier(strVal(lfirst(cell)));

		appendStringInfo(&set, "%s%s = excluded.%s", set.len > 0 ? ", " : "", name, name);
	}
	return psprintf("UPDATE SET %s WHERE ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) "
					"ROW(%s)::pg_catalog.record",
					set.data, mlplat_column_list(others, "t."),
					mlplat_column_list(others, "excluded."));
}

/* It cannot be altered while we have it open. */
static void
add_primary_key(MlplatDelivery *delivery)
{
	Relation rel = delivery->target.rel;
	Oid relid = RelationGetRelid(rel);
	const char *name = mlplat_relation_name(rel);

	table_close(rel, NoLock);
	mlplat_statement("ALTER TABLE %s ADD PRIMARY KEY (%s)", name,
					 mlplat_column_list(delivery->source->key, ""));
	delivery->target.rel = table_open(relid, NoLock);
}

/* Rows of the delivery that are new. */
static uint64
count_new(const MlplatDelivery *delivery, const char *key)
{
	return strtoull(
		mlplat_statement_value("SELECT pg_catalog.count(*) FROM %s AS d WHERE NOT EXISTS "
							   "(SELECT FROM %s AS t WHERE %s)",
							   delivery->name, mlplat_relation_name(delivery->target.rel), key),
		NULL, 10);
}

/*
 * Rows that are there and the same are left out before the INSERT, which would lock each of them, and that is a write.
 * ON CONFLICT is for those that others write meanwhile, and decides by the values as they are stored.
 */
static uint64
insert_changes(const MlplatDelivery *delivery, const char *key)
{
	const char *target = mlplat_relation_name(delivery->target.rel);
	const char *differs = other_values(delivery);
	const char *first = quote_identifier(strVal(linitial(delivery->source->key)));

	return mlplat_statement(
		"INSERT INTO %s AS t (%s) SELECT %s FROM %s AS d LEFT JOIN %s AS t ON %s "
		"WHERE t.%s IS NULL%s%s ON CONFLICT (%s) DO %s",
		target, mlplat_column_list(delivery->to, ""), mlplat_column_list(delivery->from, "d."),
		delivery->name, target, key, first, differs ? " OR " : "", differs ? differs : "",
		mlplat_column_list(delivery->source->key, ""), conflict_action(delivery));
}

void
mlplat_upsert(MlplatDelivery *delivery, uint64 *inserted, uint64 *updated)
{
	List *columns = key_columns(delivery);
	uint64 n_new, n_changed;
	const char *key;

	*updated = 0;
	if (!delivery->target.created)
		check_unique_index(delivery);
	check_keys(delivery, columns);
	if (delivery->target.created)
	{
		*inserted = mlplat_delivery_insert(delivery);
		add_primary_key(delivery);
		return;
	}
	mlplat_statement("ANALYZE %s", delivery->name);
	key = same_key(delivery, columns);
	n_new = count_new(delivery, key);
	n_changed = insert_changes(delivery, key);
	*inserted = Min(n_new, n_changed);
	*updated = n_changed - *inserted;
}
