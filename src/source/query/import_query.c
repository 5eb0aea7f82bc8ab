/*
 * import_query.c
 *		import_query: what a query returns, from whatever server, into a table.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/arguments.h"
#include "pg/signature.h"
#include "source/importlog.h"
#include "source/query/loadquery.h"
#include "source/options.h"

PG_FUNCTION_INFO_V1(mlplat_import_query);

/* An MlplatImportFn; arg is the options. */
static void
import_query(MlplatImport *log, void *arg)
{
	log->rows = (int64) mlplat_load_query(log->target, log->location, arg);
}

Datum
mlplat_import_query(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "query", "options"};
	MlplatImport log = {.function = "import_query", .kind = "query"};

	mlplat_need_arguments(fcinfo, 3);
	mlplat_result_desc(fcinfo, 4);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	log.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	log.location = text_to_cstring(PG_GETARG_TEXT_PP(1));
	mlplat_import_run(&log, import_query, PG_GETARG_JSONB_P(2));
	return mlplat_import_result(fcinfo, &log);
}
