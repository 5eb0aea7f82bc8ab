/*
 * refresh.c
 *		refresh_source: read a source again and bring its table up to date.
 *
 * All of it is one import, so one transaction: after an error the table is as it
 * was. The target is changed by DELETE and INSERT, never by TRUNCATE or another
 * table in its place: readers see the old rows until the commit and wait for
 * nothing, and grants, views and indexes stay. Rows that a foreign key refers to
 * cannot be replaced unless that key is deferred; an upsert leaves them in place.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "pg/arguments.h"
#include "pg/signature.h"
#include "source/refresh/delivery.h"
#include "source/options.h"
#include "source/statement.h"

PG_FUNCTION_INFO_V1(mlplat_refresh_source);

#define N_RESULT_COLUMNS 7

typedef struct Refresh
{
	MlplatSource *source;
	uint64 inserted, updated, deleted;
} Refresh;

static void
refresh_error_callback(void *arg)
{
	const MlplatSource *source = arg;

	errcontext("refresh of source \"%s\" into %s", source->name, source->target);
}

/* A table that was loaded before and is gone was dropped for some reason. */
static void
open_target(MlplatDelivery *delivery)
{
	const MlplatSource *source = delivery->source;

	mlplat_target_open(&delivery->target, source->target);
	if (!delivery->target.rel && source->columns != NIL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("table %s of source \"%s\" does not exist any more", source->target,
							   source->name),
						errhint("To load it anew, drop the source and create it again.")));
}

/* Tables that inherit from the target are not what INSERT fills; its partitions are. */
static uint64
delete_all(Relation rel)
{
	return mlplat_statement("DELETE FROM %s%s",
							rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
							mlplat_relation_name(rel));
}

static void
put_rows(Refresh *refresh, MlplatDelivery *delivery)
{
	const char *mode = delivery->source->refresh;

	if (strcmp(mode, "upsert") == 0)
	{
		mlplat_upsert(delivery, &refresh->inserted, &refresh->updated);
		return;
	}
	if (strcmp(mode, "replace") == 0 && !delivery->target.created)
		refresh->deleted = delete_all(delivery->target.rel);
	refresh->inserted = mlplat_delivery_insert(delivery);
}

/* An MlplatImportFn. */
static void
refresh_source(MlplatImport *import, void *arg)
{
	Refresh *refresh = arg;
	MlplatDelivery delivery = {.source = refresh->source};
	ErrorContextCallback callback = {.callback = refresh_error_callback,
									 .arg = refresh->source,
									 .previous = error_context_stack};

	error_context_stack = &callback;
	open_target(&delivery);
	mlplat_high_water_begin(&delivery);
	mlplat_deliver(&delivery, import);
	mlplat_high_water_cut(&delivery);
	mlplat_delivery_bind(&delivery);
	put_rows(refresh, &delivery);
	import->rows = (int64) (refresh->inserted + refresh->updated);
	if (!delivery.nothing_came)
		refresh->source->columns = delivery.to;
	mlplat_source_update(refresh->source);
	mlplat_delivery_drop(&delivery);
	mlplat_target_close(&delivery.target);
	error_context_stack = callback.previous;
}

/* What comes behind the path of an address may be meant for the server alone. */
static const char *
shown_location(const MlplatSource *source)
{
	if (strcmp(source->kind, "url") != 0)
		return source->location;
	return pnstrdup(source->location, strcspn(source->location, "?#"));
}

static Datum
refresh_result(TupleDesc desc, const MlplatImport *import, const Refresh *refresh)
{
	bool nulls[N_RESULT_COLUMNS] = {false};
	Datum values[N_RESULT_COLUMNS] = {
		Int64GetDatum(import->rows),
		Int64GetDatum(import->rejected),
		Int64GetDatum((int64) refresh->inserted),
		Int64GetDatum((int64) refresh->updated),
		Int64GetDatum((int64) refresh->deleted),
		Float8GetDatum(mlplat_import_seconds(import)),
		Int64GetDatum(import->id),
	};

	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
mlplat_refresh_source(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"name"};
	MlplatImport import = {.function = "refresh_source"};
	Refresh refresh = {0};
	TupleDesc desc;

	mlplat_need_arguments(fcinfo, lengthof(names));
	desc = mlplat_result_desc(fcinfo, N_RESULT_COLUMNS);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	PreventCommandIfReadOnly("refresh_source");
	/* Outside of the import: that it is locked is no failure of the other session's refresh. */
	refresh.source = mlplat_source_lock(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	import.kind = refresh.source->kind;
	import.location = shown_location(refresh.source);
	import.target = refresh.source->target;
	import.source_id = refresh.source->id;
	mlplat_import_run(&import, refresh_source, &refresh);
	return refresh_result(desc, &import, &refresh);
}
