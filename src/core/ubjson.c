/*
 * ubjson.c
 *		UBJSON, draft 12 (ubjson.org): a type mark, then the value, big-endian.
 *
 * Containers end with a mark, or tell their number of members beforehand ("#"),
 * and then maybe one type for all of them ("$"), whose marks are left out. A count is
 * believed only as far as there are bytes for it: a type without bytes, which could
 * make a small document a huge tree, is refused there. High-precision numbers ("H") are refused; XGBoost writes none.
 */
#include <math.h>
#include <string.h>

#include "core/ubjson.h"

#define MAX_DEPTH 64

typedef struct Member
{
	char *key; /* NULL in arrays */
	MlJson value;
} Member;

typedef struct Parser
{
	MlArena *arena;
	MlEnv *env;
	const uint8_t *data;
	size_t len, pos;
	int depth;
	Member *stack;
	size_t n_stack, capacity;
} Parser;

static MlStatus parse_value(Parser *p, uint8_t mark, MlJson *out);

static MlStatus
fail_here(Parser *p, const char *what)
{
	return ml_fail(p->env, ML_EINVAL, "invalid UBJSON at byte %zu: %s", p->pos, what);
}

/* The next byte, or 0 at the end, which is no mark. */
static uint8_t
peek(const Parser *p)
{
	return p->pos < p->len ? p->data[p->pos] : 0;
}

/* The next byte that is no filler. */
static uint8_t
next_mark(Parser *p)
{
	while (peek(p) == 'N')
		p->pos++;
	return p->pos < p->len ? p->data[p->pos++] : 0;
}

/* Bytes of a number of this type; 0: it is none. */
static size_t
number_bytes(uint8_t mark)
{
	switch (mark)
	{
		case 'i':
		case 'U':
			return 1;
		case 'I':
			return 2;
		case 'l':
		case 'd':
			return 4;
		case 'L':
		case 'D':
			return 8;
		default:
			return 0;
	}
}

/* A number whose type was read. */
static MlStatus
parse_number(Parser *p, uint8_t mark, double *out)
{
	size_t n = number_bytes(mark);
	uint64_t bits = 0;
	uint32_t half;
	float narrow;

	if (n == 0 || n > p->len - p->pos)
		return fail_here(p, n == 0 ? "a number is missing" : "it is cut off");
	for (size_t i = 0; i < n; i++)
		bits = bits << 8 | p->data[p->pos++];
	half = (uint32_t) bits;
	switch (mark)
	{
		case 'i':
			*out = (int8_t) bits;
			break;
		case 'U':
			*out = (double) bits;
			break;
		case 'I':
			*out = (int16_t) bits;
			break;
		case 'l':
			*out = (int32_t) bits;
			break;
		case 'L':
			*out = (double) (int64_t) bits;
			break;
		case 'd':
			memcpy(&narrow, &half, sizeof narrow);
			*out = (double) narrow;
			break;
		default:
			memcpy(out, &bits, sizeof *out);
			break;
	}
	return ML_OK;
}

/* A length or count: a whole number that what is left can hold at min_bytes each. */
static MlStatus
parse_count(Parser *p, size_t min_bytes, size_t *out)
{
	uint8_t mark = next_mark(p);
	double value;

	if (mark == 'd' || mark == 'D')
		return fail_here(p, "a length is not a whole number");
	ML_TRY(parse_number(p, mark, &value));
	if (!(value >= 0) || value > (double) ((p->len - p->pos) / min_bytes))
		return fail_here(p, "a length goes beyond the end");
	*out = (size_t) value;
	return ML_OK;
}

/* A text of n bytes. */
static MlStatus
take_text(Parser *p, size_t n, char **out)
{
	const char *text = (const char *) p->data + p->pos;

	if (n > p->len - p->pos)
		return fail_here(p, "it is cut off");
	if (!ml_utf8_valid(text, n))
		return fail_here(p, "a string is not valid UTF-8");
	*out = ml_arena_text(p->arena, text, n);
	p->pos += n;
	return *out ? ML_OK : ML_ENOMEM;
}

static MlStatus
parse_string(Parser *p, char **out)
{
	size_t n;

	ML_TRY(parse_count(p, 1, &n));
	return take_text(p, n, out);
}

/* ---- containers */

/* What stands at the head of a container. */
typedef struct Head
{
	bool counted;
	size_t n;
	uint8_t type; /* of all members; 0: each has its own */
} Head;

static MlStatus
parse_head(Parser *p, bool object, Head *head)
{
	*head = (Head){0};
	if (peek(p) == '$')
	{
		p->pos++;
		head->type = p->pos < p->len ? p->data[p->pos++] : 0;
		if (head->type == 0 || !strchr("iUIlLdDCS[{", head->type))
			return fail_here(p, "a container has members of an unknown type");
		if (peek(p) != '#')
			return fail_here(p, "a container with a type has no count");
	}
	if (peek(p) != '#')
		return ML_OK;
	p->pos++;
	head->counted = true;
	/* a member takes its number's bytes or a mark, an object's key at least two */
	return parse_count(p, ML_MAX(number_bytes(head->type), 1) + (object ? 2 : 0), &head->n);
}

/* An array of numbers of one type, straight into its items: a stack would hold it twice. */
static MlStatus
parse_numbers(Parser *p, const Head *head, MlJson *out)
{
	out->items = ml_arena_array(p->arena, head->n, sizeof *out->items);
	if (!out->items)
		return ML_ENOMEM;
	out->n = head->n;
	for (size_t i = 0; i < head->n; i++)
	{
		out->items[i].type = ML_JSON_NUMBER;
		ML_TRY(parse_number(p, head->type, &out->items[i].number));
	}
	return ml_poll(p->env);
}

/* Is this the end of the container? Takes the mark. */
static bool
at_end(Parser *p, const Head *head, size_t done, uint8_t end)
{
	if (head->counted)
		return done >= head->n;
	while (peek(p) == 'N')
		p->pos++;
	if (peek(p) != end)
		return false;
	p->pos++;
	return true;
}

/* Move the members above base from the stack into the arena. */
static MlStatus
collect_members(Parser *p, size_t base, MlJson *out)
{
	out->n = p->n_stack - base;
	out->items = ml_arena_array(p->arena, out->n, sizeof *out->items);
	if (out->type == ML_JSON_OBJECT)
		out->keys = ml_arena_array(p->arena, out->n, sizeof *out->keys);
	if (!out->items || (out->type == ML_JSON_OBJECT && !out->keys))
		return ML_ENOMEM;
	for (size_t i = 0; i < out->n; i++)
	{
		out->items[i] = p->stack[base + i].value;
		if (out->keys)
			out->keys[i] = p->stack[base + i].key;
	}
	p->n_stack = base;
	return ml_poll(p->env);
}

/* Behind '[' or '{'. */
static MlStatus
parse_container(Parser *p, bool object, MlJson *out)
{
	size_t base = p->n_stack;
	Head head;

	out->type = object ? ML_JSON_OBJECT : ML_JSON_ARRAY;
	if (++p->depth > MAX_DEPTH)
		return fail_here(p, "nested more than 64 deep");
	ML_TRY(parse_head(p, object, &head));
	if (!object && number_bytes(head.type) > 0)
	{
		p->depth--;
		return parse_numbers(p, &head, out);
	}
	for (size_t done = 0; !at_end(p, &head, done, object ? '}' : ']'); done++)
	{
		Member member = {0};

		if (object)
			ML_TRY(parse_string(p, &member.key));
		ML_TRY(parse_value(p, head.type ? head.type : next_mark(p), &member.value));
		ML_TRY(ml_grow(p->env, &p->stack, &p->capacity, p->n_stack + 1, sizeof *p->stack));
		p->stack[p->n_stack++] = member;
	}
	p->depth--;
	return collect_members(p, base, out);
}

static MlStatus
parse_value(Parser *p, uint8_t mark, MlJson *out)
{
	switch (mark)
	{
		case '[':
		case '{':
			return parse_container(p, mark == '{', out);
		case 'S':
			out->type = ML_JSON_STRING;
			return parse_string(p, &out->string);
		case 'C':
			out->type = ML_JSON_STRING;
			return take_text(p, 1, &out->string);
		case 'Z':
			out->type = ML_JSON_NULL;
			return ML_OK;
		case 'T':
		case 'F':
			out->type = ML_JSON_BOOL;
			out->boolean = mark == 'T';
			return ML_OK;
		default:
			out->type = ML_JSON_NUMBER;
			return parse_number(p, mark, &out->number);
	}
}

MlStatus
ml_ubjson_parse(MlArena *arena, const void *data, size_t len, MlJson **out)
{
	Parser p = {.arena = arena, .env = arena->env, .data = data, .len = len};
	MlStatus status = ML_ENOMEM;

	*out = ml_arena_alloc(arena, sizeof **out);
	if (*out)
		status = parse_value(&p, next_mark(&p), *out);
	if (status == ML_OK && next_mark(&p) != 0)
		status = fail_here(&p, "something follows the value");
	ml_free(p.env, p.stack);
	return status;
}
