/*
 * json.c
 *		JSON: a small tree over json-c for options, a writer for everything we emit.
 *
 * json-c parses; its objects are copied into the arena and released at once, so
 * that nothing of it stays open across what may throw. Depth is limited, and
 * the parser is strict: no NaN, no comments, no trailing text.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define MAX_DEPTH 64

/* ---- reading ---- */

static MlStatus copy_value(MlArena *arena, struct json_object *source, MlJson *out);

static MlStatus
copy_array(MlArena *arena, struct json_object *source, MlJson *out)
{
	size_t n = json_object_array_length(source);

	out->type = ML_JSON_ARRAY;
	out->items = ml_arena_array(arena, n + 1, sizeof(MlJson));
	if (!out->items)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
		ML_TRY(copy_value(arena, json_object_array_get_idx(source, i), &out->items[i]));
	out->n = n;
	return ML_OK;
}

static MlStatus
copy_object(MlArena *arena, struct json_object *source, MlJson *out)
{
	size_t n = (size_t) json_object_object_length(source);

	out->type = ML_JSON_OBJECT;
	out->items = ml_arena_array(arena, n + 1, sizeof(MlJson));
	out->keys = ml_arena_array(arena, n + 1, sizeof(char *));
	if (!out->items || !out->keys)
		return ML_ENOMEM;
	json_object_object_foreach(source, key, value)
	{
		out->keys[out->n] = ml_arena_text(arena, key, strlen(key));
		if (!out->keys[out->n])
			return ML_ENOMEM;
		ML_TRY(copy_value(arena, value, &out->items[out->n]));
		out->n++;
	}
	return ML_OK;
}

/* A string, or a number with its source text. */
static MlStatus
copy_text(MlArena *arena, const char *text, size_t len, MlJson *out)
{
	out->string = ml_arena_text(arena, text, len);
	return out->string ? ML_OK : ML_ENOMEM;
}

/* Depth is bounded by the parser. */
static MlStatus
copy_value(MlArena *arena, struct json_object *source, MlJson *out)
{
	const char *text;

	switch (json_object_get_type(source))
	{
		case json_type_null:
			out->type = ML_JSON_NULL;
			return ML_OK;
		case json_type_boolean:
			out->type = ML_JSON_BOOL;
			out->boolean = json_object_get_boolean(source);
			return ML_OK;
		case json_type_int:
		case json_type_double:
			out->type = ML_JSON_NUMBER;
			out->number = json_object_get_double(source);
			text = json_object_get_string(source);
			return copy_text(arena, text ? text : "", text ? strlen(text) : 0, out);
		case json_type_string:
			out->type = ML_JSON_STRING;
			return copy_text(arena, json_object_get_string(source),
							 (size_t) json_object_get_string_len(source), out);
		case json_type_array:
			return copy_array(arena, source, out);
		case json_type_object:
			break;
	}
	return copy_object(arena, source, out);
}

/* What is wrong, and where. */
static MlStatus
parse_error(MlEnv *env, struct json_tokener *tokener)
{
	enum json_tokener_error error = json_tokener_get_error(tokener);

	if (error == json_tokener_continue)
		return ml_fail(env, ML_EINVAL, "invalid JSON: the text ends too early");
	return ml_fail(env, ML_EINVAL, "invalid JSON: %s at character %zu",
				   json_tokener_error_desc(error), json_tokener_get_parse_end(tokener) + 1);
}

MlStatus
ml_json_parse(MlArena *arena, const char *text, size_t len, MlJson **out)
{
	struct json_tokener *tokener;
	struct json_object *root;
	MlJson *json = ml_arena_alloc(arena, sizeof *json);
	MlStatus status;

	if (!json)
		return ML_ENOMEM;
	if (len > INT32_MAX)
		return ml_fail(arena->env, ML_EINVAL, "invalid JSON: the text is longer than 2 GB");
	tokener = json_tokener_new_ex(MAX_DEPTH);
	if (!tokener)
		return ml_fail(arena->env, ML_ENOMEM, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int) len);
	/* A number at the very end could go on: a space ends it. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		root = json_tokener_parse_ex(tokener, " ", 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		status = parse_error(arena->env, tokener);
	else
		status = copy_value(arena, root, json);
	json_object_put(root);
	json_tokener_free(tokener);
	ML_TRY(status);
	*out = json;
	return ML_OK;
}

const MlJson *
ml_json_get(const MlJson *object, const char *key)
{
	if (!object || object->type != ML_JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->n; i++)
	{
		if (strcmp(object->keys[i], key) == 0)
			return &object->items[i];
	}
	return NULL;
}

const char *
ml_json_type_name(MlJsonType type)
{
	static const char *const names[] = {"null",     "a boolean", "a number",
										"a string", "an array",  "an object"};

	return names[type];
}

/* ---- writing ---- */

void
ml_json_writer(MlJsonWriter *w, MlBuffer *out)
{
	w->out = out;
	w->comma = false;
}

/* The bytes of a valid UTF-8 sequence at text, 0 when it is not one. */
static size_t
utf8_length(const unsigned char *text)
{
	size_t n = text[0] < 0x80       ? 1
			   : text[0] >> 5 == 6  ? 2
			   : text[0] >> 4 == 14 ? 3
			   : text[0] >> 3 == 30 ? 4
									: 0;

	for (size_t i = 1; i < n; i++)
	{
		if (text[i] >> 6 != 2)
			return 0;
	}
	return n > 0 && ml_utf8_valid((const char *) text, n) ? n : 0;
}

static void
put_string(MlBuffer *out, const char *text)
{
	const unsigned char *c = (const unsigned char *) text;

	ml_put_u8(out, '"');
	while (*c)
	{
		size_t n = utf8_length(c);

		if (n == 0)
			ml_put_bytes(out, "\xEF\xBF\xBD", 3); /* the replacement character */
		else if (*c == '"' || *c == '\\')
		{
			ml_put_u8(out, '\\');
			ml_put_u8(out, *c);
		}
		else if (*c < 0x20)
			ml_put_format(out, "\\u%04x", *c);
		else
			ml_put_bytes(out, c, n);
		c += n ? n : 1;
	}
	ml_put_u8(out, '"');
}

/* The comma and the key that a new value needs. */
static void
begin_value(MlJsonWriter *w, const char *key)
{
	if (w->comma)
		ml_put_u8(w->out, ',');
	w->comma = true;
	if (key)
	{
		put_string(w->out, key);
		ml_put_u8(w->out, ':');
	}
}

void
ml_json_open(MlJsonWriter *w, const char *key, char bracket)
{
	begin_value(w, key);
	ml_put_u8(w->out, (uint8_t) bracket);
	w->comma = false;
}

void
ml_json_close(MlJsonWriter *w, char bracket)
{
	ml_put_u8(w->out, (uint8_t) bracket);
	w->comma = true;
}

void
ml_json_number(MlJsonWriter *w, const char *key, double value)
{
	char text[32];

	begin_value(w, key);
	if (isfinite(value))
		ml_put_bytes(w->out, text, (size_t) ml_format_double(text, value));
	else
		ml_put_bytes(w->out, "null", 4);
}

void
ml_json_text(MlJsonWriter *w, const char *key, const char *value)
{
	begin_value(w, key);
	if (value)
		put_string(w->out, value);
	else
		ml_put_bytes(w->out, "null", 4);
}

void
ml_json_bool(MlJsonWriter *w, const char *key, bool value)
{
	begin_value(w, key);
	ml_put_bytes(w->out, value ? "true" : "false", value ? 4 : 5);
}

void
ml_json_raw(MlJsonWriter *w, const char *key, const char *json, size_t len)
{
	begin_value(w, key);
	ml_put_bytes(w->out, json, len);
}

/* Seventeen digits always suffice; most doubles that people write need fewer. */
int
ml_format_double(char *out, double value)
{
	int len = 0;

	if (value == 0)
		value = 0; /* no minus zero */
	for (int digits = 15; digits <= 17; digits++)
	{
		len = snprintf(out, 32, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return len;
}
