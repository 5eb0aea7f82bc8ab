/*
 * import_json.c
 *		import_json: a JSON file on the server into a table.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/signature.h"
#include "source/json/loadjson.h"
#include "source/serverfile.h"

PG_FUNCTION_INFO_V1(mlplat_import_json);

static void
import_json(MlplatImport *import, void *arg)
{
	const MlParam *table = mlplat_json_params;
	Jsonb *options = arg;
	char *text = JsonbToCString(NULL, &options->root, VARSIZE(options));
	MlEnv env;
	MlArena arena;
	MlJson *object;
	MlParams parsed;

	mlplat_env_init(&env, CurrentMemoryContext);
	ml_arena_init(&arena, &env);
	mlplat_check(&env, ml_json_parse(&arena, text, strlen(text), &object));
	mlplat_check(&env, ml_params_parse(&arena, "import_json", &table, 1, object, &parsed));
	mlplat_load_json(import, mlplat_server_file_open(import->location), &env, &parsed);
}

Datum
mlplat_import_json(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "path", "options"};
	MlplatImport import = {.function = "import_json", .kind = "json"};

	mlplat_need_arguments(fcinfo, 3);
	mlplat_result_desc(fcinfo, 4);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	import.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	import.location = text_to_cstring(PG_GETARG_TEXT_PP(1));
	mlplat_import_run(&import, import_json, PG_GETARG_JSONB_P(2));
	return mlplat_import_result(fcinfo, &import);
}
