/*
 * json.c
 *		A strict JSON parser into an arena, and a writer.
 *
 * The parser follows RFC 8259 to the letter. It is our own, not a library's,
 * because options arrive as jsonb, which prints 1e30 as an integer of 31 digits,
 * and json-c turns such a number into 2^64 - 1 without a word; it also takes
 * NaN, and replaces half surrogates. Here every byte comes from the arena, so
 * the memory budget holds, and errors name line and column.
 *
 * Values are collected on a stack; when an array or object closes, its members
 * are copied from there to an array of the right length in the arena.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define MAX_DEPTH 64
#define POLL_MEMBERS \
	16 /* of a container after which cancel is polled: large documents have large arrays */

/* A value that waits on the stack for the end of its parent. */
typedef struct Member
{
	char *key; /* NULL in arrays */
	MlJson value;
} Member;

typedef struct Parser
{
	MlArena *arena;
	MlEnv *env;
	const char *text;
	size_t len, pos;
	int depth;
	bool not_finite; /* NaN and infinities are numbers, too */
	Member *stack;
	size_t n_stack, capacity;
} Parser;

static MlStatus parse_value(Parser *p, MlJson *out);

/* An error at the current position. */
static MlStatus
fail_here(Parser *p, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < p->pos && i < p->len; i++)
	{
		if (p->text[i] == '\n')
		{
			line++;
			column = 1;
		}
		else if (((unsigned char) p->text[i] & 0xC0) != 0x80)
			column++;
	}
	return ml_fail(p->env, ML_EINVAL, "invalid JSON at line %zu, column %zu: %s", line, column,
				   what);
}

/* The next byte that is not white space; '\0' at the end (a zero byte is no JSON either). */
static char
peek(Parser *p)
{
	while (p->pos < p->len && strchr(" \t\r\n", p->text[p->pos]) && p->text[p->pos])
		p->pos++;
	return p->pos < p->len ? p->text[p->pos] : '\0';
}

static bool
digit_at(const Parser *p, size_t pos)
{
	return pos < p->len && p->text[pos] >= '0' && p->text[pos] <= '9';
}

/* Four hexadecimal digits at pos; -1: they aren't. */
static int
hex4(const Parser *p, size_t pos)
{
	int code = 0;

	if (pos + 4 > p->len)
		return -1;
	for (size_t i = pos; i < pos + 4; i++)
	{
		char c = p->text[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
					: c >= 'a' && c <= 'f' ? c - 'a' + 10
					: c >= 'A' && c <= 'F' ? c - 'A' + 10
										   : -1;

		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

/* Write a code point as UTF-8; returns the place behind it. */
static char *
put_utf8(char *out, unsigned code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xC0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else if (code < 0x10000)
	{
		*out++ = (char) (0xE0 | code >> 12);
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		*out++ = (char) (0xF0 | code >> 18);
		*out++ = (char) (0x80 | (code >> 12 & 0x3F));
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	return out;
}

/* pos stands on the u of an escape: \uXXXX, or two of them for what lies beyond U+FFFF. */
static MlStatus
parse_unicode(Parser *p, char **out)
{
	int high = hex4(p, p->pos + 1), low;

	if (high < 0)
		return fail_here(p, "four hexadecimal digits must follow \\u");
	if (high == 0)
		return fail_here(p, "\\u0000 cannot be stored in a text");
	p->pos += 5;
	if (high < 0xD800 || high > 0xDFFF)
	{
		*out = put_utf8(*out, (unsigned) high);
		return ML_OK;
	}
	low = p->pos + 1 < p->len && p->text[p->pos] == '\\' && p->text[p->pos + 1] == 'u'
			  ? hex4(p, p->pos + 2)
			  : -1;
	if (high > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
		return fail_here(p, "half of a surrogate pair");
	*out =
		put_utf8(*out, 0x10000u + ((unsigned) (high - 0xD800) << 10) + (unsigned) (low - 0xDC00));
	p->pos += 6;
	return ML_OK;
}

/* pos stands behind a backslash. */
static MlStatus
parse_escape(Parser *p, char **out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (p->pos < p->len && p->text[p->pos] == 'u')
		return parse_unicode(p, out);
	name = p->pos < p->len && p->text[p->pos] ? strchr(names, p->text[p->pos]) : NULL;
	if (name == NULL)
		return fail_here(p, "unknown escape in a string");
	*(*out)++ = bytes[name - names];
	p->pos++;
	return ML_OK;
}

/* pos stands on the opening quote. */
static MlStatus
parse_string(Parser *p, char **string)
{
	size_t first = p->pos + 1, end = first;
	char *out;

	while (end < p->len && p->text[end] != '"')
		end += p->text[end] == '\\' ? 2 : 1;
	if (end >= p->len)
		return fail_here(p, "a string does not end");
	if (!ml_utf8_valid(p->text + first, end - first))
		return fail_here(p, "a string is not valid UTF-8");
	/* Escapes only make a text shorter. */
	*string = out = ml_arena_alloc(p->arena, end - first + 1);
	if (out == NULL)
		return ML_ENOMEM;
	p->pos = first;
	while (p->pos < end)
	{
		if ((unsigned char) p->text[p->pos] < 0x20)
			return fail_here(p, "a control character in a string must be escaped");
		if (p->text[p->pos] == '\\')
		{
			p->pos++;
			ML_TRY(parse_escape(p, &out));
		}
		else
			*out++ = p->text[p->pos++];
	}
	p->pos = end + 1;
	return ML_OK;
}

/* NaN, Infinity or -Infinity at pos; false: none of them. */
static bool
parse_not_finite(Parser *p, MlJson *out)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
	static const double values[] = {NAN, INFINITY, -INFINITY};

	for (int i = 0; p->not_finite && i < 3; i++)
	{
		size_t len = strlen(words[i]);

		if (p->len - p->pos < len || memcmp(p->text + p->pos, words[i], len) != 0)
			continue;
		p->pos += len;
		*out = (MlJson){.type = ML_JSON_NUMBER, .number = values[i]};
		return true;
	}
	return false;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static MlStatus
parse_number(Parser *p, MlJson *out)
{
	size_t first = p->pos, pos = p->pos;
	bool valid;

	pos += p->text[pos] == '-';
	valid = digit_at(p, pos) && !(p->text[pos] == '0' && digit_at(p, pos + 1));
	while (digit_at(p, pos))
		pos++;
	if (valid && pos < p->len && p->text[pos] == '.')
	{
		valid = digit_at(p, ++pos);
		while (digit_at(p, pos))
			pos++;
	}
	if (valid && pos < p->len && (p->text[pos] == 'e' || p->text[pos] == 'E'))
	{
		pos++;
		pos += pos < p->len && (p->text[pos] == '+' || p->text[pos] == '-');
		valid = digit_at(p, pos);
		while (digit_at(p, pos))
			pos++;
	}
	if (!valid)
		return fail_here(p, "not a number");
	out->type = ML_JSON_NUMBER;
	out->string = ml_arena_text(p->arena, p->text + first, pos - first);
	if (out->string == NULL)
		return ML_ENOMEM;
	out->number = strtod(out->string, NULL);
	if (!isfinite(out->number))
		return fail_here(p, "a number is too large");
	p->pos = pos;
	return ML_OK;
}

/* Move the members above base from the stack into the arena, as those of out. */
static MlStatus
collect_members(Parser *p, size_t base, MlJson *out)
{
	out->n = p->n_stack - base;
	if (out->n == 0)
		return ML_OK;
	out->items = ml_arena_array(p->arena, out->n, sizeof *out->items);
	if (out->items == NULL)
		return ML_ENOMEM;
	if (out->type == ML_JSON_OBJECT)
	{
		out->keys = ml_arena_array(p->arena, out->n, sizeof *out->keys);
		if (out->keys == NULL)
			return ML_ENOMEM;
	}
	for (size_t i = 0; i < out->n; i++)
	{
		out->items[i] = p->stack[base + i].value;
		if (out->keys)
			out->keys[i] = p->stack[base + i].key;
	}
	p->n_stack = base;
	return out->n >= POLL_MEMBERS ? ml_poll(p->env) : ML_OK;
}

/* One element, or key : value, onto the stack. */
static MlStatus
parse_member(Parser *p, MlJsonType parent)
{
	Member member = {0};

	if (parent == ML_JSON_OBJECT)
	{
		if (peek(p) != '"')
			return fail_here(p, "a key in double quotes is missing");
		ML_TRY(parse_string(p, &member.key));
		if (peek(p) != ':')
			return fail_here(p, "a colon is missing");
		p->pos++;
	}
	ML_TRY(parse_value(p, &member.value));
	ML_TRY(ml_grow(p->env, &p->stack, &p->capacity, p->n_stack + 1, sizeof *p->stack));
	p->stack[p->n_stack++] = member;
	return ML_OK;
}

/* pos stands on the opening bracket. */
static MlStatus
parse_container(Parser *p, MlJson *out)
{
	char end = p->text[p->pos] == '{' ? '}' : ']';
	size_t base = p->n_stack;

	out->type = end == '}' ? ML_JSON_OBJECT : ML_JSON_ARRAY;
	if (++p->depth > MAX_DEPTH)
		return fail_here(p, "nested more than 64 deep");
	p->pos++;
	if (peek(p) != end)
	{
		for (;;)
		{
			ML_TRY(parse_member(p, out->type));
			if (peek(p) != ',')
				break;
			p->pos++;
		}
	}
	if (peek(p) != end)
		return fail_here(p, end == '}' ? "a comma or } is missing" : "a comma or ] is missing");
	p->pos++;
	p->depth--;
	return collect_members(p, base, out);
}

/* One of true, false, null. */
static MlStatus
parse_word(Parser *p, const char *word, MlJsonType type, MlJson *out)
{
	size_t len = strlen(word);

	if (p->len - p->pos < len || memcmp(p->text + p->pos, word, len) != 0)
		return fail_here(p, "a value is missing");
	p->pos += len;
	out->type = type;
	out->boolean = word[0] == 't';
	return ML_OK;
}

static MlStatus
parse_value(Parser *p, MlJson *out)
{
	switch (peek(p))
	{
		case '{':
		case '[':
			return parse_container(p, out);
		case '"':
			out->type = ML_JSON_STRING;
			return parse_string(p, &out->string);
		case 't':
			return parse_word(p, "true", ML_JSON_BOOL, out);
		case 'f':
			return parse_word(p, "false", ML_JSON_BOOL, out);
		case 'n':
			return parse_word(p, "null", ML_JSON_NULL, out);
		default:
			if (parse_not_finite(p, out))
				return ML_OK;
			if (p->pos < p->len && (p->text[p->pos] == '-' || digit_at(p, p->pos)))
				return parse_number(p, out);
			return fail_here(p, "a value is missing");
	}
}

static MlStatus
parse_document(Parser *p, MlJson **out)
{
	MlStatus status = ML_ENOMEM;

	*out = ml_arena_alloc(p->arena, sizeof **out);
	if (*out)
		status = parse_value(p, *out);
	if (status == ML_OK && (peek(p), p->pos < p->len))
		status = fail_here(p, "something follows the value");
	ml_free(p->env, p->stack);
	return status;
}

MlStatus
ml_json_parse(MlArena *arena, const char *text, size_t len, MlJson **out)
{
	Parser p = {.arena = arena, .env = arena->env, .text = text, .len = len};

	return parse_document(&p, out);
}

MlStatus
ml_json_parse_not_finite(MlArena *arena, const char *text, size_t len, MlJson **out)
{
	Parser p = {.arena = arena, .env = arena->env, .text = text, .len = len, .not_finite = true};

	return parse_document(&p, out);
}

const MlJson *
ml_json_get(const MlJson *object, const char *key)
{
	size_t n = object && object->type == ML_JSON_OBJECT ? object->n : 0;

	for (size_t i = n; i > 0; i--)
	{
		if (strcmp(object->keys[i - 1], key) == 0)
			return &object->items[i - 1];
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

/* ---- writer */

void
ml_json_writer(MlJsonWriter *w, MlBuffer *out)
{
	*w = (MlJsonWriter){.out = out};
}

/* A string in quotes; what is not UTF-8 becomes U+FFFD. */
static void
write_string(MlBuffer *out, const char *text)
{
	size_t len = strlen(text), plain = 0, n;

	ml_put_u8(out, '"');
	for (size_t i = 0; i < len; i += n)
	{
		unsigned char c = (unsigned char) text[i];

		n = 1;
		if (c >= 0x80)
		{
			/* The shortest prefix that is valid is one character. */
			while (n < 4 && i + n < len && !ml_utf8_valid(text + i, n))
				n++;
			if (ml_utf8_valid(text + i, n))
				continue;
			n = 1;
		}
		else if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ml_put_bytes(out, text + plain, i - plain);
		plain = i + 1;
		if (c >= 0x80)
			ml_put_format(out, "\xEF\xBF\xBD");
		else if (c == '\n')
			ml_put_format(out, "\\n");
		else if (c < 0x20)
			ml_put_format(out, "\\u%04x", c);
		else
			ml_put_format(out, "\\%c", c);
	}
	ml_put_bytes(out, text + plain, len - plain);
	ml_put_u8(out, '"');
}

/* What stands before a value: a comma if needed, and the key. */
static void
write_start(MlJsonWriter *w, const char *key)
{
	if (w->comma)
		ml_put_u8(w->out, ',');
	if (key)
	{
		write_string(w->out, key);
		ml_put_u8(w->out, ':');
	}
	w->comma = true;
}

void
ml_json_open(MlJsonWriter *w, const char *key, char bracket)
{
	write_start(w, key);
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

	if (isfinite(value))
		ml_json_raw(w, key, text, (size_t) ml_format_double(text, value));
	else
		ml_json_raw(w, key, "null", 4);
}

void
ml_json_text(MlJsonWriter *w, const char *key, const char *value)
{
	write_start(w, key);
	if (value)
		write_string(w->out, value);
	else
		ml_put_bytes(w->out, "null", 4);
}

void
ml_json_bool(MlJsonWriter *w, const char *key, bool value)
{
	ml_json_raw(w, key, value ? "true" : "false", value ? 4 : 5);
}

void
ml_json_raw(MlJsonWriter *w, const char *key, const char *json, size_t len)
{
	write_start(w, key);
	ml_put_bytes(w->out, json, len);
}

/* Recursion is bounded: the parser made no deeper value. */
void
ml_json_value(MlJsonWriter *w, const char *key, const MlJson *value)
{
	bool object = value->type == ML_JSON_OBJECT;

	switch (value->type)
	{
		case ML_JSON_NULL:
			ml_json_text(w, key, NULL);
			break;
		case ML_JSON_BOOL:
			ml_json_bool(w, key, value->boolean);
			break;
		case ML_JSON_NUMBER:
			ml_json_raw(w, key, value->string, strlen(value->string));
			break;
		case ML_JSON_STRING:
			ml_json_text(w, key, value->string);
			break;
		case ML_JSON_ARRAY:
		case ML_JSON_OBJECT:
			ml_json_open(w, key, object ? '{' : '[');
			for (size_t i = 0; i < value->n; i++)
				ml_json_value(w, object ? value->keys[i] : NULL, &value->items[i]);
			ml_json_close(w, object ? '}' : ']');
			break;
	}
}

int
ml_format_double(char *out, double value)
{
	int len = 0;

	if (!isfinite(value))
		return snprintf(out, 32, "%s", isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
	for (int digits = 15; digits <= 17; digits++)
	{
		len = snprintf(out, 32, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return len;
}
