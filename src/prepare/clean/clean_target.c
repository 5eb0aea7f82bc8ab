/*
 * clean_target.c
 *		The table that a cleaning writes.
 *
 * It is made by CREATE TABLE with the caller's rights, filled in bulk as COPY
 * fills one, and is not there after an error. In place of an existing table it is
 * filled under another name first, so that the query may read the old one.
 *
 * Two cleanings into one name would only meet at the unique index of pg_class,
 * with an error that speaks of that; a lock on the name makes the second wait at
 * its beginning, and then see the table.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/varlena.h"

#include "prepare/clean/clean.h"

/* Rows that are written at once, at most; as COPY. */
#define MAX_ROWS 1000
#define MAX_BYTES 65535

struct CleanTarget
{
	Oid schema;
	char *schema_name;
	char *name;
	char *made_name; /* of the table that is filled */
	Oid replaced;    /* InvalidOid: there is nothing to replace */
	Relation rel;
	int *columns; /* place in the row of each column */
	TupleTableSlot *slots[MAX_ROWS];
	int n_slots;
	Size n_bytes;
	BulkInsertState bulk;
	CommandId command;
	MemoryContext flush_context;
};

/* ---- before the first row */

/* Nobody else makes a table of that name for a cleaning before the transaction ends. */
static void
lock_name(const CleanTarget *target)
{
	uint64 hash = DatumGetUInt64(hash_any_extended((const unsigned char *) target->name,
												   (int) strlen(target->name), target->schema));

	/* No object is locked by this class: relations have a kind of lock of their own. */
	LockDatabaseObject(RelationRelationId, (Oid) hash, 0, ExclusiveLock);
}

static void
check_replaced(const CleanTarget *target)
{
	if (get_rel_relkind(target->replaced) != RELKIND_RELATION ||
		get_rel_relispartition(target->replaced))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("target \"%s\" cannot be replaced, because it is not a plain table",
							   target->name)));
	if (!mlplat_owns_table(target->replaced))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, target->name);
}

CleanTarget *
mlplat_clean_target(text *name, bool replace)
{
	CleanTarget *target = palloc0(sizeof(CleanTarget));
	RangeVar *range = makeRangeVarFromNameList(textToQualifiedNameList(name));

	PreventCommandIfReadOnly("mlplat.clean()");
	target->schema = RangeVarGetAndCheckCreationNamespace(range, NoLock, NULL);
	target->schema_name = get_namespace_name(target->schema);
	target->name = range->relname;
	lock_name(target);
	target->replaced = get_relname_relid(target->name, target->schema);
	if (OidIsValid(target->replaced) && !replace)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", target->name),
				 errhint("Choose another target, or replace the table with replace => true.")));
	if (OidIsValid(target->replaced))
		check_replaced(target);
	return target;
}

char *
mlplat_clean_target_name(const CleanTarget *target)
{
	return quote_qualified_identifier(target->schema_name, target->name);
}

/* ---- making the table */

static void
execute(const char *sql)
{
	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "statement failed: %s", sql);
	SPI_finish();
}

static void
append_column(StringInfo sql, const CleanColumn *column)
{
	Oid collation = column->collation;

	appendStringInfo(sql, "%s %s", quote_identifier(column->name),
					 format_type_extended(column->type, column->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	if (OidIsValid(collation) && collation != get_typcollation(column->type))
		appendStringInfo(sql, " COLLATE %s", generate_collation_name(collation));
}

/* CREATE TABLE with the columns that are left. */
static void
create_table(CleanTarget *target, const Cleaning *cleaning)
{
	StringInfoData sql;
	int n = 0;

	target->made_name = OidIsValid(target->replaced)
							? ChooseRelationName(target->name, NULL, "clean", target->schema, false)
							: target->name;
	target->columns = palloc(sizeof(int) * cleaning->n_columns);
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(target->schema_name, target->made_name));
	for (int j = 0; j < cleaning->n_columns; j++)
	{
		if (cleaning->columns[j].dropped_by)
			continue;
		if (n > 0)
			appendStringInfoString(&sql, ", ");
		append_column(&sql, &cleaning->columns[j]);
		target->columns[n++] = j;
	}
	appendStringInfoChar(&sql, ')');
	execute(sql.data);
}

/* An event trigger may have its own ideas of new tables, which writing in bulk would pass over. */
static void
check_made(const CleanTarget *target, const Cleaning *cleaning)
{
	Relation rel = target->rel;
	int n_columns = 0;

	for (int j = 0; j < cleaning->n_columns; j++)
		n_columns += !cleaning->columns[j].dropped_by;
	if (RelationGetNumberOfAttributes(rel) != n_columns || rel->rd_rel->relhasindex ||
		rel->trigdesc || rel->rd_rules || RelationGetDescr(rel)->constr ||
		rel->rd_rel->relrowsecurity || rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" was changed while it was made", RelationGetRelationName(rel)),
				 errdetail("An event trigger may have done that.")));
}

void
mlplat_clean_target_begin(CleanTarget *target, const Cleaning *cleaning)
{
	Oid made;

	create_table(target, cleaning);
	made = get_relname_relid(target->made_name, target->schema);
	target->rel = table_open(made, AccessExclusiveLock);
	check_made(target, cleaning);
	target->bulk = GetBulkInsertState();
	target->command = GetCurrentCommandId(true);
	target->flush_context =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat clean write", ALLOCSET_DEFAULT_SIZES);
}

/* ---- rows */

static void
flush(CleanTarget *target)
{
	MemoryContext caller = MemoryContextSwitchTo(target->flush_context);

	table_multi_insert(target->rel, target->slots, target->n_slots, target->command,
					   TABLE_INSERT_SKIP_FSM, target->bulk);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(target->flush_context);
	for (int i = 0; i < target->n_slots; i++)
		ExecClearTuple(target->slots[i]);
	target->n_slots = 0;
	target->n_bytes = 0;
}

/* The next free slot; they are made as they are needed, and last as long as the target. */
static TupleTableSlot *
next_slot(CleanTarget *target)
{
	TupleTableSlot **slot = &target->slots[target->n_slots];

	if (!*slot)
	{
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(target));

		*slot = table_slot_create(target->rel, NULL);
		MemoryContextSwitchTo(caller);
	}
	return *slot;
}

void
mlplat_clean_target_row(CleanTarget *target, const CleanRow *row)
{
	TupleTableSlot *slot = next_slot(target);
	int n = RelationGetNumberOfAttributes(target->rel);
	bool copied;

	for (int j = 0; j < n; j++)
	{
		slot->tts_values[j] = row->values[target->columns[j]];
		slot->tts_isnull[j] = row->nulls[target->columns[j]];
	}
	ExecStoreVirtualTuple(slot);
	target->n_slots++;
	target->n_bytes += ExecFetchSlotHeapTuple(slot, true, &copied)->t_len;
	if (target->n_slots == MAX_ROWS || target->n_bytes > MAX_BYTES)
		flush(target);
}

/* Put the new table in the place of the old one. */
static void
replace_table(const CleanTarget *target)
{
	execute(psprintf("DROP TABLE %s", mlplat_clean_target_name(target)));
	execute(psprintf("ALTER TABLE %s RENAME TO %s",
					 quote_qualified_identifier(target->schema_name, target->made_name),
					 quote_identifier(target->name)));
}

void
mlplat_clean_target_end(CleanTarget *target)
{
	if (target->n_slots > 0)
		flush(target);
	for (int i = 0; i < MAX_ROWS && target->slots[i]; i++)
		ExecDropSingleTupleTableSlot(target->slots[i]);
	FreeBulkInsertState(target->bulk);
	table_finish_bulk_insert(target->rel, TABLE_INSERT_SKIP_FSM);
	table_close(target->rel, NoLock);
	CommandCounterIncrement();
	if (OidIsValid(target->replaced))
		replace_table(target);
}
