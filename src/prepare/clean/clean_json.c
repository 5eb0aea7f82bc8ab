/*
 * clean_json.c
 *		JSON of a cleaning: UTF-8 outside of the server, its own encoding inside.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "mb/pg_wchar.h"

#include "pg/bridge.h"
#include "prepare/clean/clean_json.h"

char *
mlplat_json_from_server(const char *text)
{
	return pg_server_to_any(text, (int) strlen(text), PG_UTF8);
}

char *
mlplat_json_to_server(const MlBuffer *buffer)
{
	char *text = pnstrdup((const char *) buffer->data, buffer->len);

	return pg_any_to_server(text, (int) buffer->len, PG_UTF8);
}

static void
string_to_server(char **string)
{
	*string = pg_any_to_server(*string, (int) strlen(*string), PG_UTF8);
}

/* The parser limits the depth. */
static void
to_server(MlJson *json)
{
	if (json->type == ML_JSON_STRING)
		string_to_server(&json->string);
	if (json->type != ML_JSON_OBJECT && json->type != ML_JSON_ARRAY)
		return;
	for (size_t i = 0; i < json->n; i++)
	{
		if (json->type == ML_JSON_OBJECT)
			string_to_server(&json->keys[i]);
		to_server(&json->items[i]);
	}
}

MlJson *
mlplat_json_parse(MlArena *arena, const char *text, size_t len)
{
	MlJson *json;

	mlplat_check(arena->env, ml_json_parse(arena, text, len, &json));
	if (GetDatabaseEncoding() != PG_UTF8)
		to_server(json);
	return json;
}
