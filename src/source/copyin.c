/*
 * copyin.c
 *		Load a stream of bytes into a table, through COPY.
 *
 * COPY's own machinery reads our bytes by a callback. What DoCopy checks before
 * it does that is checked here in the same way: INSERT on the columns, row
 * security (which COPY FROM cannot honour), a read-only transaction. What
 * CopyFrom itself does needs no help: kinds of relations, triggers, defaults,
 * generated columns, constraints, partitions, foreign tables, progress.
 *
 * The callback of COPY has no argument of its own, so the stream in use stands
 * in a variable; a trigger on the target may start another import inside.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/table.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include MLPLAT_COPY_HEADER
#include "commands/defrem.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "source/copyin.h"

typedef struct Stream
{
	MlplatByteFn read;
	void *arg;
	CopyFromState copy;
	const struct Stream *outer;
} Stream;

static const Stream *active;

static int
read_active(void *out, int min, int max)
{
	return active->read(active->arg, out, min, max);
}

int64
mlplat_copyin_line(const void *arg)
{
	for (const Stream *stream = active; stream; stream = stream->outer)
		if (stream->arg == arg && stream->copy)
			return (int64) mlplat_copy_from_line(stream->copy);
	return -1;
}

Relation
mlplat_copyin_open(RangeVar *name)
{
	return table_openrv_extended(name, RowExclusiveLock, true);
}

Relation
mlplat_copyin_create(RangeVar *name, int n_columns, char **names, char **types)
{
	StringInfoData sql;

	if (n_columns > MaxHeapAttributeNumber)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the data has %d columns, a table can have %d", n_columns,
							   MaxHeapAttributeNumber)));
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(name->schemaname, name->relname));
	for (int j = 0; j < n_columns; j++)
		appendStringInfo(&sql, "%s%s %s", j > 0 ? ", " : "", quote_identifier(names[j]), types[j]);
	appendStringInfoChar(&sql, ')');
	SPI_connect();
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create table \"%s\"", name->relname);
	SPI_finish();
	pfree(sql.data);
	return table_openrv(name, RowExclusiveLock);
}

List *
mlplat_copy_option(List *options, const char *name, const char *value)
{
	return lappend(options, makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1));
}

/* As DoCopy: the caller may insert into these columns, and no row security stands in the way. */
static void
check_rights(ParseState *pstate, Relation rel, List *columns, const char *what)
{
	ParseNamespaceItem *item =
		addRangeTableEntryForRelation(pstate, rel, RowExclusiveLock, NULL, false, false);
	MlplatPermInfo *rights = mlplat_perm_info(item);
	ListCell *cell;

	rights->requiredPerms = ACL_INSERT;
	foreach (cell, CopyGetAttnums(RelationGetDescr(rel), rel, columns))
		rights->insertedCols = bms_add_member(
			rights->insertedCols, lfirst_int(cell) - FirstLowInvalidHeapAttributeNumber);
	mlplat_check_permissions(pstate, rights);
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s is not supported with row-level security", what),
						errhint("Import into another table, then use INSERT.")));
	if (XactReadOnly && !rel->rd_islocaltemp)
		PreventCommandIfReadOnly(what);
}

uint64
mlplat_copyin_run(Relation rel, List *columns, List *options, const char *what, MlplatByteFn read,
				  void *arg)
{
	ParseState *pstate = make_parsestate(NULL);
	Stream stream = {.read = read, .arg = arg, .outer = active};
	uint64 n_rows;

	check_rights(pstate, rel, columns, what);
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	PG_TRY();
	{
		active = &stream;
		stream.copy = mlplat_begin_copy_from(pstate, rel, read_active, columns, options);
		n_rows = CopyFrom(stream.copy);
		EndCopyFrom(stream.copy);
	}
	PG_FINALLY();
	{
		active = stream.outer;
	}
	PG_END_TRY();
	PopActiveSnapshot();
	free_parsestate(pstate);
	return n_rows;
}
