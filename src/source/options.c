/*
 * options.c
 *		The options of an import, by its parameter tables.
 */
#include "postgres.h"

#include "pg/compat.h"

#include "pg/bridge.h"
#include "source/options.h"

void
mlplat_read_options(const char *function, const MlParam *const *tables, size_t n, Jsonb *options,
					MlParams *out)
{
	MlEnv *env = palloc(sizeof *env);
	MlArena *arena = palloc(sizeof *arena);
	MlJson *object = NULL;

	mlplat_env_init(env, CurrentMemoryContext);
	ml_arena_init(arena, env);
	if (options)
	{
		char *text = JsonbToCString(NULL, &options->root, VARSIZE(options));

		mlplat_check(env, ml_json_parse(arena, text, strlen(text), &object));
	}
	mlplat_check(env, ml_params_parse(arena, function, tables, n, object, out));
}
