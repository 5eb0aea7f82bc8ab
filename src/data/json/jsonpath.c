/*
 * jsonpath.c
 *		Where in a document the rows are.
 *
 * path = "$" *( "." name / "." quoted / "[" quoted "]" ) [ "[*]" ], where a name
 * is letters, digits, _, - and anything beyond ASCII, and a quoted one is in
 * double quotes or apostrophes, with a backslash before what it would end.
 */
#include <string.h>

#include "data/json/jsonpath.h"

#define MAX_LEN 4096

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '-' || (c & 0x80);
}

static MlStatus
fail(MlEnv *env, const char *text, const char *at)
{
	ml_hint(env, "A path names members and may end in [*], such as $.data.items, $[*] or "
				 "$.\"odd name\".rows.");
	if (*at == '\0')
		return ml_fail(env, ML_EINVAL, "JSON path \"%s\" is not complete", text);
	return ml_fail(env, ML_EINVAL, "JSON path \"%s\" is not supported from character %zu on", text,
				   (size_t) (at - text) + 1);
}

/* *p stands on a quote; afterwards behind the closing one. False: it does not close, or is empty. */
static bool
take_quoted(const char **p, char *out, size_t *len)
{
	char quote = *(*p)++;

	for (*len = 0; **p && **p != quote; (*p)++)
	{
		if (**p == '\\' && (*p)[1])
			(*p)++;
		out[(*len)++] = **p;
	}
	out[*len] = '\0';
	return *(*p)++ == quote;
}

static bool
take_plain(const char **p, char *out, size_t *len)
{
	for (*len = 0; is_name_char(**p); (*p)++)
		out[(*len)++] = **p;
	out[*len] = '\0';
	return *len > 0;
}

/* One step into a member. */
static bool
take_member(const char **p, char *out, size_t *len)
{
	bool bracket = **p == '[';

	(*p)++;
	if (!bracket && **p != '"' && **p != '\'')
		return take_plain(p, out, len);
	if ((**p != '"' && **p != '\'') || !take_quoted(p, out, len))
		return false;
	return !bracket || *(*p)++ == ']';
}

MlStatus
ml_json_path_parse(MlArena *arena, const char *text, MlJsonPath *path)
{
	size_t len = strlen(text);
	const char *p = text;

	if (len > MAX_LEN)
		return ml_fail(arena->env, ML_EINVAL, "JSON path of %zu bytes is too long", len);
	/* No path has more members than characters. */
	*path = (MlJsonPath){.text = text};
	path->names = ml_arena_array(arena, len + 1, sizeof *path->names);
	path->lens = ml_arena_array(arena, len + 1, sizeof *path->lens);
	if (!path->names || !path->lens)
		return ML_ENOMEM;
	if (*p != '$')
		return fail(arena->env, text, p);
	for (p++; *p == '.' || (*p == '[' && p[1] != '*'); path->n++)
	{
		const char *start = p;

		path->names[path->n] = ml_arena_alloc(arena, strlen(p) + 1);
		if (!path->names[path->n])
			return ML_ENOMEM;
		if (!take_member(&p, path->names[path->n], &path->lens[path->n]))
			return fail(arena->env, text, start);
	}
	path->elements = strcmp(p, "[*]") == 0;
	if (*p && !path->elements)
		return fail(arena->env, text, p);
	return ML_OK;
}
