/*
 * import_csv.c
 *		import_csv: a CSV file on the server into a table.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/signature.h"
#include "source/importlog.h"
#include "source/csv/loadcsv.h"
#include "source/serverfile.h"

PG_FUNCTION_INFO_V1(mlplat_import_csv);

static void
parse_options(MlArena *arena, Jsonb *given, MlParams *options)
{
	const MlParam *table = mlplat_csv_params;
	char *text = JsonbToCString(NULL, &given->root, VARSIZE(given));
	MlJson *object;

	mlplat_check(arena->env, ml_json_parse(arena, text, strlen(text), &object));
	mlplat_check(arena->env, ml_params_parse(arena, "import_csv", &table, 1, object, options));
}

/* The work of an import: everything of it is allocated in the current context. */
static void
import_csv(MlplatImport *import, void *arg)
{
	MlEnv env;
	MlArena arena;
	MlParams options;

	mlplat_env_init(&env, CurrentMemoryContext);
	ml_arena_init(&arena, &env);
	parse_options(&arena, arg, &options);
	mlplat_load_csv(import, mlplat_server_file_open(import->location), &env, &options);
}

Datum
mlplat_import_csv(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "path", "options"};
	MlplatImport import = {.function = "import_csv", .kind = "csv"};

	mlplat_need_arguments(fcinfo, 3);
	mlplat_result_desc(fcinfo, 4);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	import.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	import.location = text_to_cstring(PG_GETARG_TEXT_PP(1));
	mlplat_import_run(&import, import_csv, PG_GETARG_JSONB_P(2));
	return mlplat_import_result(fcinfo, &import);
}
