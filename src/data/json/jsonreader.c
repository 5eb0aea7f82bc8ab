/*
 * jsonreader.c
 *		A stream of JSON documents, of any size, read item by item.
 *
 * The buffer holds at least what is left of the item at hand. When an item is
 * cut off by the buffer's end, it is read again from its start once there is
 * more; the buffer then at least doubles what it holds of the item, so that
 * even the largest is read twice in all. What is around the items is read token
 * by token and forgotten.
 *
 * After a mistake in an item that is a document of its own on a line of its
 * own, reading can go on with the next line: that is what makes NDJSON robust.
 * In an array there is no telling where the next item starts.
 */
#include <stdio.h>
#include <string.h>

#include "data/json/jsonreader.h"

#define FIRST_CAPACITY ((size_t) 256 * 1024)
#define MAX_BAD_LINE ((size_t) 16 * 1024 * 1024) /* of a longer one, this much is shown */
#define POLL_TOKENS 65536

enum
{
	BETWEEN,  /* documents */
	WAY,      /* to the path's end, or from there to the document's */
	ONE_ITEM, /* before an item that is no element */
	ITEMS,    /* in the array whose elements are the items */
	BAD_LINE, /* a mistake was found; its line is yet to be read to the end */
	REST_OF_LINE,
	OVER
};

void
ml_json_reader_init(MlJsonReader *in, MlEnv *env, const MlJsonPath *path, MlJsonRow *row)
{
	memset(in, 0, sizeof *in);
	in->env = env;
	in->path = path;
	in->row = row;
	in->phase = BETWEEN;
}

void
ml_json_reader_free(MlJsonReader *in)
{
	ml_free(in->env, in->buffer);
}

/* ---- the buffer */

/* Lines and characters up to an offset into the buffer. */
static void
count(const MlJsonReader *in, size_t to, uint64_t *n_lines, uint64_t *n_columns)
{
	const char *p = in->buffer + in->counted, *end = in->buffer + to, *feed;

	*n_lines = in->n_lines;
	*n_columns = in->n_columns;
	while (p < end && (feed = memchr(p, '\n', (size_t) (end - p))) != NULL)
	{
		++*n_lines;
		*n_columns = 0;
		p = feed + 1;
	}
	for (; p < end; p++)
		*n_columns += (*p & 0xC0) != 0x80;
}

/* The same, to go on from there the next time. */
static void
count_on(MlJsonReader *in, size_t to)
{
	count(in, to, &in->n_lines, &in->n_columns);
	in->counted = to;
}

MlStatus
ml_json_reader_room(MlJsonReader *in, char **room, size_t *size)
{
	if (in->start > 0)
	{
		count_on(in, in->start);
		in->len -= in->start;
		memmove(in->buffer, in->buffer + in->start, in->len);
		in->start = in->counted = 0;
	}
	if (in->len > ML_JSON_MAX_ITEM)
		return ml_fail(in->env, ML_EDATA, "the value that starts on line %llu is larger than 1 GB",
					   (unsigned long long) in->n_lines + 1);
	if (in->len * 2 > in->capacity || in->capacity == 0)
		ML_TRY(ml_grow(in->env, &in->buffer, &in->capacity,
					   ML_MAX(FIRST_CAPACITY, in->capacity * 2), 1));
	*room = in->buffer + in->len;
	*size = in->capacity - in->len;
	return ML_OK;
}

void
ml_json_reader_filled(MlJsonReader *in, size_t n, bool last)
{
	in->len += n;
	in->last = last;
}

uint64_t
ml_json_reader_line(MlJsonReader *in)
{
	count_on(in, (size_t) (in->item - in->buffer));
	return in->n_lines + 1;
}

/* The next token from an offset on, which moves behind it. */
static void
scan(const MlJsonReader *in, size_t *at, MlJsonToken *token)
{
	ml_json_scan(in->buffer + *at, in->buffer + in->len, in->last, token);
	if (token->kind != ML_TOKEN_MORE)
		*at = (size_t) (token->end - in->buffer);
}

static MlStatus
poll(MlJsonReader *in)
{
	return ++in->n_tokens % POLL_TOKENS == 0 ? ml_poll(in->env) : ML_OK;
}

/* ---- mistakes */

static MlJsonEvent
broken(MlJsonReader *in, const char *place, const char *problem)
{
	snprintf(in->problem, sizeof in->problem, "%s", problem);
	count(in, (size_t) (place - in->buffer), &in->problem_line, &in->problem_column);
	in->problem_line++;
	in->problem_column++;
	in->path_problem = false;
	in->phase = OVER;
	return ML_JSON_BROKEN;
}

/* The token is no JSON, or it is cut off, or, for that reason, must not stand here. */
static MlJsonEvent
broken_token(MlJsonReader *in, const MlJsonToken *token, const char *problem)
{
	if (token->kind == ML_TOKEN_BAD)
		return broken(in, token->end, token->problem);
	if (token->kind != ML_TOKEN_MORE)
		return broken(in, token->start, problem);
	return broken(in, in->buffer + in->len,
				  token->start < token->end && *token->start == '"'
					  ? "the text ends within a string"
					  : "the text ends within a value");
}

/* It is JSON, but not as the path wants it: at the token. */
static MlJsonEvent
wrong_way(MlJsonReader *in, const MlJsonToken *token, const char *format, const char *name,
		  const char *other)
{
	char problem[sizeof in->problem];

	snprintf(problem, sizeof problem, format, ml_utf8_cut(name, 100), name, other);
	broken(in, token->start, problem);
	in->path_problem = true;
	return ML_JSON_BROKEN;
}

/* ---- bad lines */

/* Is the item at hand a document, and so far each was on a line of its own? */
static bool
has_lines(const MlJsonReader *in)
{
	return in->path->n == 0 && in->nest.depth == 0 && !in->path->elements && !in->multiline &&
		   in->target_kind != ML_TOKEN_OPEN_ARRAY;
}

/* A mistake was found: the rest of its line is read, as far as it will be shown. */
static MlJsonEvent
bad_line(MlJsonReader *in)
{
	const char *start = in->buffer + in->start;
	const char *feed = memchr(start, '\n', in->len - in->start);

	in->phase = BAD_LINE;
	if (!feed && !in->last && in->len - in->start < MAX_BAD_LINE)
		return ML_JSON_NEEDS_MORE;
	in->phase = feed || in->last ? BETWEEN : REST_OF_LINE;
	in->item = start;
	in->item_end = feed ? feed : in->buffer + in->len;
	in->start = (size_t) (in->item_end - in->buffer);
	return ML_JSON_BAD_LINE;
}

/* Forget what comes, up to the end of the line. False: that is not there yet. */
static bool
skip_line(MlJsonReader *in)
{
	const char *feed = memchr(in->buffer + in->start, '\n', in->len - in->start);

	in->start = feed ? (size_t) (feed - in->buffer) : in->len;
	if (feed || in->last)
		in->phase = BETWEEN;
	return feed || in->last;
}

/* ---- items */

/* The token is a mistake within the item that starts at in->start, or more is needed to tell. */
static MlJsonEvent
stop_item(MlJsonReader *in, const MlJsonToken *token, const char *problem, const MlJsonNest *outer)
{
	in->nest.depth = outer->depth;
	in->nest.wants = outer->wants;
	if (token->kind == ML_TOKEN_MORE && !in->last)
		return ML_JSON_NEEDS_MORE;
	broken_token(in, token, problem);
	return has_lines(in) ? bad_line(in) : ML_JSON_BROKEN;
}

/* After an item that is a document. */
static void
end_line(MlJsonReader *in)
{
	size_t len = (size_t) (in->item_end - in->item);

	if (!in->multiline && memchr(in->item, '\n', len))
		in->multiline = true;
	in->phase = BETWEEN;
}

/* Read the item that starts at in->start. */
static MlStatus
read_item(MlJsonReader *in, MlJsonEvent *event)
{
	MlJsonNest outer = {.depth = in->nest.depth, .wants = in->nest.wants};
	size_t at = in->start;

	ml_json_row_begin(in->row);
	do
	{
		const char *problem = NULL;
		MlJsonToken token;

		scan(in, &at, &token);
		if (token.kind != ML_TOKEN_MORE && token.kind != ML_TOKEN_BAD)
			problem = ml_json_step(&in->nest, &token);
		if (token.kind == ML_TOKEN_MORE || token.kind == ML_TOKEN_BAD || problem)
		{
			*event = stop_item(in, &token, problem, &outer);
			return ML_OK;
		}
		ML_TRY(ml_json_row_take(in->row, &token, &in->nest));
		ML_TRY(poll(in));
	} while (in->nest.depth > outer.depth);
	in->item = in->buffer + in->start;
	in->item_end = in->buffer + at;
	in->start = at;
	if (in->phase == ONE_ITEM)
		in->phase = WAY;
	if (outer.depth == 0)
		end_line(in);
	*event = ML_JSON_ITEM;
	return ML_OK;
}

/* ---- the way to the items */

static void
begin_document(MlJsonReader *in)
{
	ml_json_nest_init(&in->nest);
	in->phase = WAY;
	in->n_matched = in->n_seen = 0;
	in->hit = in->found = false;
	in->seen[0] = '\0';
}

static bool
wants_value(const MlJsonReader *in)
{
	return in->nest.wants == ML_WANTS_VALUE || in->nest.wants == ML_WANTS_VALUE_OR_END;
}

/* Is the next value what the path leads to? */
static bool
at_target(const MlJsonReader *in)
{
	if (in->phase != WAY || !wants_value(in))
		return false;
	return in->path->n == 0 ? in->nest.depth == 0 : in->hit && in->n_matched + 1 == in->path->n;
}

/* Is the token a key of the next name on the path? */
static MlStatus
is_next_name(MlJsonReader *in, const MlJsonToken *token, bool *is)
{
	MlBuffer text;
	MlStatus status;

	*is = false;
	if (in->n_matched == in->path->n || (token->flags & ML_STRING_UNSTORABLE))
		return ML_OK;
	ml_buffer_init(&text, in->env);
	ml_json_put_string(&text, token);
	*is = text.len == in->path->lens[in->n_matched] &&
		  (text.len == 0 || memcmp(text.data, in->path->names[in->n_matched], text.len) == 0);
	status = text.status;
	ml_buffer_free(&text);
	return status;
}

/* Remember a member that is not the next name, for the message when the path leads nowhere. */
static void
note_member(MlJsonReader *in, const MlJsonToken *token)
{
	size_t used, len = (size_t) (token->end - token->start);

	if (in->n_matched > in->n_seen)
		in->seen[0] = '\0';
	if (in->n_matched < in->n_seen || (token->flags & ML_STRING_UNSTORABLE))
		return;
	in->n_seen = in->n_matched;
	used = strlen(in->seen);
	if (used + len + 3 < sizeof in->seen)
		snprintf(in->seen + used, sizeof in->seen - used, "%s%.*s", used > 0 ? ", " : "", (int) len,
				 token->start);
}

/* A member's key in the innermost object on the path. */
static MlStatus
take_member(MlJsonReader *in, const MlJsonToken *token)
{
	ML_TRY(is_next_name(in, token, &in->hit));
	if (!in->hit)
		note_member(in, token);
	return ML_OK;
}

static MlJsonEvent
end_document(MlJsonReader *in, const MlJsonToken *token)
{
	in->phase = BETWEEN;
	if (in->found)
		return ML_JSON_NOTHING;
	return wrong_way(in, token,
					 in->seen[0] ? "there is no member \"%.*s\", but %s"
								 : "there is no member \"%.*s\"%s",
					 in->path->names[in->n_seen], in->seen);
}

/* The value that the token starts is on the path, but no object. */
static MlJsonEvent
no_object(MlJsonReader *in, const MlJsonToken *token)
{
	return wrong_way(in, token,
					 in->hit ? "member \"%.*s\" is not an object%s" : "%.*s is not an object%s",
					 in->hit ? in->path->names[in->n_matched] : "the document", "");
}

/* A value is complete: perhaps the innermost object on the path is, or the document. */
static MlJsonEvent
end_value(MlJsonReader *in, const MlJsonToken *token)
{
	if (in->phase == ITEMS && in->nest.depth < in->items_depth)
		in->phase = WAY;
	if (in->n_matched > 0 && in->nest.depth == in->n_matched)
		in->n_matched--;
	return in->nest.depth == 0 ? end_document(in, token) : ML_JSON_NOTHING;
}

/* A token that is no part of an item. */
static MlStatus
take_on_way(MlJsonReader *in, const MlJsonToken *token, MlJsonEvent *event)
{
	bool on_path = in->phase == WAY && wants_value(in) &&
				   (in->hit || (in->nest.depth == 0 && in->path->n > 0));
	const char *problem = ml_json_step(&in->nest, token);

	if (problem)
		*event = broken_token(in, token, problem);
	else if (on_path && token->kind != ML_TOKEN_OPEN_OBJECT)
		*event = no_object(in, token);
	else if (on_path)
	{
		in->n_matched += in->hit;
		in->hit = false;
	}
	else if (in->nest.wants == ML_WANTS_COLON && in->nest.depth == in->n_matched + 1)
		ML_TRY(take_member(in, token));
	else if (in->nest.wants == ML_WANTS_COMMA_OR_END)
		*event = end_value(in, token);
	return ML_OK;
}

/* The path's end: an array to go into, or an item, or null, which is neither. */
static MlJsonEvent
enter_target(MlJsonReader *in, const MlJsonToken *token)
{
	bool array = token->kind == ML_TOKEN_OPEN_ARRAY, object = token->kind == ML_TOKEN_OPEN_OBJECT;

	if (in->found)
		return wrong_way(in, token, "member \"%.*s\" is there twice%s",
						 in->path->names[in->path->n - 1], "");
	if (in->path->elements && !array)
		return wrong_way(in, token, "%.*s%s", "there is no array for [*]", "");
	if (in->target_kind == ML_TOKEN_OPEN_ARRAY && object)
		return wrong_way(in, token, "%.*s%s", "an object follows an array of rows", "");
	in->found = true;
	in->hit = false;
	if (array && in->target_kind != ML_TOKEN_OPEN_OBJECT)
	{
		in->phase = ITEMS;
		in->items_depth = in->nest.depth + 1;
	}
	else if (token->kind != ML_TOKEN_NULL || in->path->n == 0)
		in->phase = ONE_ITEM;
	if (!in->target_kind && (array || object))
		in->target_kind = token->kind;
	return ML_JSON_NOTHING;
}

static bool
at_element(const MlJsonReader *in, const MlJsonToken *token)
{
	return in->phase == ITEMS && in->nest.depth == in->items_depth && wants_value(in) &&
		   !(token->kind == ML_TOKEN_CLOSE_ARRAY && in->nest.wants == ML_WANTS_VALUE_OR_END);
}

/* Go on by one token or one item. */
static MlStatus
go_on(MlJsonReader *in, MlJsonEvent *event)
{
	size_t at = in->start;
	MlJsonToken token;

	scan(in, &at, &token);
	in->start = (size_t) (token.start - in->buffer);
	if (token.kind == ML_TOKEN_MORE &&
		(!in->last || (in->phase == BETWEEN && token.start == token.end)))
	{
		*event = in->last ? ML_JSON_END : ML_JSON_NEEDS_MORE;
		return ML_OK;
	}
	if (in->phase == BETWEEN)
		begin_document(in);
	if (at_target(in) && (*event = enter_target(in, &token)) != ML_JSON_NOTHING)
		return ML_OK;
	if (in->phase == ONE_ITEM || at_element(in, &token))
		return read_item(in, event);
	if (token.kind == ML_TOKEN_MORE || token.kind == ML_TOKEN_BAD)
	{
		*event = broken_token(in, &token, NULL);
		return ML_OK;
	}
	in->start = at;
	ML_TRY(take_on_way(in, &token, event));
	return poll(in);
}

MlStatus
ml_json_reader_next(MlJsonReader *in, MlJsonEvent *event)
{
	*event = ML_JSON_NOTHING;
	while (*event == ML_JSON_NOTHING)
	{
		if (in->phase == OVER)
			*event = ML_JSON_END;
		else if (in->phase == BAD_LINE)
			*event = bad_line(in);
		else if (in->phase == REST_OF_LINE && !skip_line(in))
			*event = ML_JSON_NEEDS_MORE;
		else
			ML_TRY(go_on(in, event));
	}
	return ML_OK;
}
