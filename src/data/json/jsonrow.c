/*
 * jsonrow.c
 *		One item of a JSON document, taken apart: which keys it has, and where their values are.
 *
 * One pass over the tokens, no tree: a value is the piece of text that it is
 * written as, which is also what a column's input function wants. Numbers keep
 * all their digits that way.
 *
 * Programs write the members of their objects in one order, so each key
 * remembers which one came after it: mostly that is the one, and a comparison of
 * bytes finds it. Otherwise a dictionary does.
 */
#include <string.h>

#include "data/json/jsonrow.h"

/* ---- keys */

static MlStatus
add_key(MlJsonRow *row, uint32_t parent, const char *text, size_t len)
{
	MlJsonKey *key;

	ML_TRY(ml_grow(row->arena->env, &row->keys, &row->capacity, (size_t) row->n_keys + 1,
				   sizeof *row->keys));
	key = &row->keys[row->n_keys];
	*key = (MlJsonKey){.parent = parent, .first = ML_JSON_NO_KEY, .next = ML_JSON_NO_KEY};
	key->level = row->n_keys > 0 ? row->keys[parent].level + 1 : 0;
	key->len = len;
	key->text = ml_arena_text(row->arena, text, len);
	if (!key->text)
		return ML_ENOMEM;
	row->n_keys++;
	return ML_OK;
}

MlStatus
ml_json_row_init(MlJsonRow *row, MlArena *arena, unsigned open_levels)
{
	memset(row, 0, sizeof *row);
	row->arena = arena;
	row->open_levels = open_levels;
	ml_buffer_init(&row->scratch, arena->env);
	row->names = ml_dict_create(arena);
	if (!row->names)
		return ML_ENOMEM;
	return add_key(row, ML_JSON_ROOT, "", 0);
}

void
ml_json_row_free(MlJsonRow *row)
{
	ml_free(row->arena->env, row->keys);
	ml_buffer_free(&row->scratch);
}

/* The key of that text inside of row->parent, known or new; ML_JSON_NO_KEY: there are too many. */
static MlStatus
look_up(MlJsonRow *row, const char *text, size_t len, uint32_t *found)
{
	MlBuffer *name = &row->scratch;
	uint32_t code;

	name->len = 0;
	ml_put_u32(name, row->parent);
	ml_put_bytes(name, text, len);
	ML_TRY(name->status);
	code = ml_dict_find(row->names, (const char *) name->data, name->len);
	*found = code == ML_NO_LEVEL ? ML_JSON_NO_KEY : code + 1;
	if (code != ML_NO_LEVEL || row->n_keys == ML_JSON_MAX_KEYS)
		return ML_OK;
	/* First what can fail without a trace. */
	ML_TRY(add_key(row, row->parent, text, len));
	*found = row->n_keys - 1;
	return ml_dict_add(row->names, (const char *) name->data, name->len, &code);
}

MlStatus
ml_json_row_know(MlJsonRow *row, const char *text, size_t len, uint32_t *key)
{
	row->parent = ML_JSON_ROOT;
	return look_up(row, text, len, key);
}

/* As look_up, for a key with escapes. */
static MlStatus
look_up_escaped(MlJsonRow *row, const MlJsonToken *token, uint32_t *found)
{
	MlBuffer text;
	MlStatus status;

	ml_buffer_init(&text, row->arena->env);
	ml_json_put_string(&text, token);
	status = text.status;
	if (status == ML_OK)
		status = look_up(row, (const char *) text.data, text.len, found);
	ml_buffer_free(&text);
	return status;
}

static void
set_problem(MlJsonRow *row, const char *problem, uint32_t key)
{
	if (row->problem)
		return;
	row->problem = problem;
	row->problem_key = key;
}

/* Is the key the one that came here last time? */
static bool
is_guess(const MlJsonRow *row, uint32_t guess, const MlJsonToken *token)
{
	size_t len = (size_t) (token->end - token->start) - 2;
	const MlJsonKey *key;

	if (guess == ML_JSON_NO_KEY || (token->flags & ML_STRING_ESCAPED))
		return false;
	key = &row->keys[guess];
	return key->len == len && memcmp(key->text, token->start + 1, len) == 0;
}

static MlStatus
take_key(MlJsonRow *row, const MlJsonToken *token)
{
	uint32_t before = row->before, found;
	uint32_t guess =
		before == ML_JSON_NO_KEY ? row->keys[row->parent].first : row->keys[before].next;

	row->current = ML_JSON_NO_KEY;
	if (token->flags & ML_STRING_UNSTORABLE)
	{
		set_problem(row, "a key is no text that can be stored", row->parent);
		return ML_OK;
	}
	if (is_guess(row, guess, token))
		found = guess;
	else if (token->flags & ML_STRING_ESCAPED)
		ML_TRY(look_up_escaped(row, token, &found));
	else
		ML_TRY(look_up(row, token->start + 1, (size_t) (token->end - token->start) - 2, &found));
	if (found == ML_JSON_NO_KEY)
	{
		row->n_unwanted++;
		row->n_untold++;
		return ML_OK;
	}
	if (before == ML_JSON_NO_KEY)
		row->keys[row->parent].first = found;
	else
		row->keys[before].next = found;
	if (row->keys[found].row == row->number)
		set_problem(row, "the key is there twice", found);
	row->keys[found].row = row->number;
	row->keys[found].value.kind = ML_TOKEN_NONE;
	row->current = row->before = found;
	return ML_OK;
}

/* ---- values */

void
ml_json_row_begin(MlJsonRow *row)
{
	row->number++;
	row->problem = NULL;
	row->problem_key = ML_JSON_NO_KEY;
	row->n_unwanted = row->n_untold = 0;
	row->parent = ML_JSON_ROOT;
	row->current = ML_JSON_ROOT;
	row->before = ML_JSON_NO_KEY;
	row->whole_depth = SIZE_MAX;
}

static void
take_value(MlJsonRow *row, const MlJsonValue *value)
{
	MlJsonKey *key;

	if (row->current == ML_JSON_ROOT)
		set_problem(row, "not an object", ML_JSON_NO_KEY);
	if (row->current == ML_JSON_ROOT || row->current == ML_JSON_NO_KEY)
		return;
	key = &row->keys[row->current];
	key->value = *value;
	if (!key->wanted && value->kind != ML_TOKEN_NULL)
		row->n_unwanted++;
}

static bool
may_open(const MlJsonRow *row)
{
	const MlJsonKey *key;

	if (row->current == ML_JSON_NO_KEY)
		return false;
	key = &row->keys[row->current];
	return row->current == ML_JSON_ROOT || (key->level <= row->open_levels && !key->whole);
}

/* An opened object ends: go on in the one that it is in. */
static void
close_object(MlJsonRow *row)
{
	row->before = row->parent;
	row->parent = row->keys[row->parent].parent;
}

/* Inside a value that is kept whole. */
static void
take_inside(MlJsonRow *row, const MlJsonToken *token, const MlJsonNest *nest)
{
	row->whole.flags |= token->flags;
	if (nest->depth != row->whole_depth)
		return;
	row->whole.end = token->end;
	row->whole_depth = SIZE_MAX;
	take_value(row, &row->whole);
}

MlStatus
ml_json_row_take(MlJsonRow *row, const MlJsonToken *token, const MlJsonNest *nest)
{
	if (row->whole_depth != SIZE_MAX)
	{
		take_inside(row, token, nest);
		return ML_OK;
	}
	if (nest->wants == ML_WANTS_COLON)
		return take_key(row, token);
	switch (token->kind)
	{
		case ML_TOKEN_COLON:
		case ML_TOKEN_COMMA:
			return ML_OK;
		case ML_TOKEN_CLOSE_OBJECT:
			close_object(row);
			return ML_OK;
		case ML_TOKEN_OPEN_OBJECT:
			if (may_open(row))
			{
				row->parent = row->current;
				row->before = ML_JSON_NO_KEY;
				return ML_OK;
			}
			/* FALLTHROUGH */
		case ML_TOKEN_OPEN_ARRAY:
			row->whole_depth = nest->depth - 1;
			row->whole = (MlJsonValue){.start = token->start, .kind = token->kind};
			return ML_OK;
		default:
			take_value(row, &(MlJsonValue){.start = token->start,
										   .end = token->end,
										   .kind = token->kind,
										   .flags = token->flags});
			return ML_OK;
	}
}

/* ---- output */

void
ml_json_put_name(const MlJsonRow *row, uint32_t key, const char *separator, MlBuffer *out)
{
	uint32_t path[ML_JSON_MAX_DEPTH];
	size_t n = 0;

	for (; key != ML_JSON_ROOT && n < ML_JSON_MAX_DEPTH; key = row->keys[key].parent)
		path[n++] = key;
	while (n-- > 0)
	{
		ml_put_bytes(out, row->keys[path[n]].text, row->keys[path[n]].len);
		if (n > 0)
			ml_put_bytes(out, separator, strlen(separator));
	}
}

/*
 * JSON inside a field: backslashes are doubled. Line feeds and such are white space between tokens, as within strings
 * they are escaped; they become blanks.
 */
static void
put_json(MlBuffer *out, const char *p, const char *end)
{
	const char *plain = p;

	for (; p < end; p++)
	{
		if (*p != '\\' && (unsigned char) *p >= 0x20)
			continue;
		ml_put_bytes(out, plain, (size_t) (p - plain));
		if (*p == '\\')
			ml_put_bytes(out, "\\\\", 2);
		else
			ml_put_u8(out, ' ');
		plain = p + 1;
	}
	ml_put_bytes(out, plain, (size_t) (p - plain));
}

/* A character that was written as \uXXXX. */
static void
put_code(MlBuffer *out, unsigned code)
{
	char utf8[4];

	if (code == '\n' || code == '\r' || code == '\t' || code == '\\')
	{
		ml_put_u8(out, '\\');
		ml_put_u8(out, code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : '\\');
	}
	else
		ml_put_bytes(out, utf8, (size_t) ml_json_utf8(utf8, code));
}

/* JSON's escapes of one letter are COPY's as well, but for the quote and the slash. */
static void
put_escaped(MlBuffer *out, const char *p, const char *end)
{
	while (p < end)
	{
		const char *plain = p;

		p = memchr(p, '\\', (size_t) (end - p));
		if (!p)
			p = end;
		ml_put_bytes(out, plain, (size_t) (p - plain));
		if (p == end)
			return;
		if (p[1] == 'u')
			put_code(out, ml_json_unicode(&p));
		else
		{
			ml_put_bytes(out, p[1] == '"' || p[1] == '/' ? p + 1 : p,
						 p[1] == '"' || p[1] == '/' ? 1 : 2);
			p += 2;
		}
	}
}

void
ml_json_put_field(MlBuffer *out, const MlJsonValue *value, bool as_json)
{
	bool nested;

	if (!value)
	{
		ml_put_bytes(out, "\\N", 2);
		return;
	}
	nested = value->kind == ML_TOKEN_OPEN_OBJECT || value->kind == ML_TOKEN_OPEN_ARRAY;
	if (nested || (as_json && (value->flags & ML_STRING_ESCAPED)))
		put_json(out, value->start, value->end);
	else if (as_json || value->kind != ML_TOKEN_STRING)
		ml_put_bytes(out, value->start, (size_t) (value->end - value->start));
	else if (value->flags & ML_STRING_ESCAPED)
		put_escaped(out, value->start + 1, value->end - 1);
	else
		ml_put_bytes(out, value->start + 1, (size_t) (value->end - value->start) - 2);
}
