/*
 * test_jsonreader.c
 *		JSON tokens, paths, and documents read item by item.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/jsonreader.h"

/* What was read, as text: items as {key=value;...}, problems and ends in brackets. */
typedef struct Got
{
	char text[4000];
	size_t used;
} Got;

static void
put(Got *got, const char *text, size_t len)
{
	got->used += (size_t) snprintf(got->text + got->used, sizeof got->text - got->used, "%.*s",
								   (int) len, text);
}

static void
put_text(Got *got, const char *text)
{
	put(got, text, strlen(text));
}

static MlStatus
put_item(Got *got, const MlJsonRow *row, MlEnv *env)
{
	MlBuffer out;
	MlStatus status;

	ml_buffer_init(&out, env);
	ml_put_format(&out, "{");
	for (uint32_t k = 1; k < row->n_keys; k++)
		if (row->keys[k].row == row->number && row->keys[k].value.kind)
		{
			ml_json_put_name(row, k, ".", &out);
			ml_put_format(&out, "=");
			if (row->keys[k].value.flags & ML_STRING_UNSTORABLE)
				ml_put_format(&out, "<%s>", ml_json_unstorable(row->keys[k].value.flags));
			else
				ml_json_put_field(&out, ml_json_row_value(row, k), false);
			ml_put_format(&out, ";");
		}
	ml_put_format(&out, "}");
	status = out.status;
	if (status == ML_OK)
		put(got, (char *) out.data, out.len);
	ml_buffer_free(&out);
	if (row->problem)
	{
		put_text(got, "!");
		put_text(got, row->problem);
	}
	return status;
}

static MlStatus
put_event(Got *got, MlJsonReader *in, MlJsonEvent event)
{
	char text[600];

	if (event == ML_JSON_ITEM)
		return put_item(got, in->row, in->env);
	if (event == ML_JSON_END)
		put_text(got, ".");
	else
	{
		snprintf(text, sizeof text, "%s%d:%d %s", event == ML_JSON_BAD_LINE ? "(" : "[",
				 (int) in->problem_line, (int) in->problem_column, in->problem);
		put_text(got, text);
		if (event == ML_JSON_BAD_LINE)
		{
			put_text(got, ": ");
			put(got, in->item, (size_t) (in->item_end - in->item));
		}
		put_text(got, event == ML_JSON_BAD_LINE ? ")" : "]");
	}
	return ML_OK;
}

/* Put the next piece of text into the reader. */
static MlStatus
feed(MlJsonReader *in, const char *text, size_t len, size_t piece, size_t *at)
{
	char *room;
	size_t size, n;

	ML_TRY(ml_json_reader_room(in, &room, &size));
	CHECK(size > 0);
	n = ML_MIN(ML_MIN(piece, len - *at), size);
	memcpy(room, text + *at, n);
	*at += n;
	ml_json_reader_filled(in, n, *at == len);
	return ML_OK;
}

typedef struct Case
{
	const char *text;
	size_t len;
	const char *path;
	unsigned levels;
	size_t piece;
	Got got;
} Case;

static MlStatus
read_events(MlJsonReader *in, Case *c)
{
	size_t at = 0;
	MlJsonEvent event = ML_JSON_NEEDS_MORE;

	ML_TRY(feed(in, c->text, c->len, c->piece, &at));
	while (event != ML_JSON_END && event != ML_JSON_BROKEN)
	{
		ML_TRY(ml_json_reader_next(in, &event));
		if (event == ML_JSON_NEEDS_MORE)
			ML_TRY(feed(in, c->text, c->len, c->piece, &at));
		else
			ML_TRY(put_event(&c->got, in, event));
	}
	return ML_OK;
}

static MlStatus
read_case(MlEnv *env, void *arg)
{
	Case *c = arg;
	MlArena arena;
	MlJsonPath path;
	MlJsonRow row = {0};
	MlJsonReader in;
	MlStatus status;

	c->got.used = 0;
	c->got.text[0] = '\0';
	ml_arena_init(&arena, env);
	status = ml_json_path_parse(&arena, c->path, &path);
	if (status == ML_OK)
	{
		status = ml_json_row_init(&row, &arena, c->levels);
		ml_json_reader_init(&in, env, &path, &row);
		if (status == ML_OK)
			status = read_events(&in, c);
		ml_json_reader_free(&in);
		ml_json_row_free(&row);
	}
	ml_arena_free(&arena);
	return status;
}

/* The same comes out whatever the pieces. */
static void
check_bytes(const char *text, size_t len, const char *path, unsigned levels, const char *want)
{
	Case c = {.text = text, .len = len, .path = path, .levels = levels};

	for (c.piece = 1; c.piece <= len + 1; c.piece++)
	{
		MlEnv env;

		ml_env_init(&env);
		CHECK(read_case(&env, &c) == ML_OK);
		if (strcmp(c.got.text, want) != 0)
			printf("# pieces of %zu: %s\n#      not %s\n", c.piece, c.got.text, want);
		CHECK(strcmp(c.got.text, want) == 0);
		CHECK(env.used == 0);
		if (unit_case_failed)
			return;
	}
}

static void
check(const char *text, const char *path, const char *want)
{
	check_bytes(text, strlen(text), path, 0, want);
}

static void
reads_documents(void)
{
	check("", "$", ".");
	check(" \n\t ", "$", ".");
	check("{}", "$", "{}.");
	check("{\"a\":1}\n{\"b\":\"x\",\"a\":2}\n", "$", "{a=1;}{a=2;b=x;}.");
	check("{\"a\":1}{\"a\":-2.5e+3} {\"a\":null}\r\n{\"a\":true,\"b\":false}", "$",
		  "{a=1;}{a=-2.5e+3;}{a=\\N;}{a=true;b=false;}.");
	check("[]", "$", ".");
	check("[ {\"a\" : 1 } ,\n{\"a\":2}]", "$", "{a=1;}{a=2;}.");
	check("[{\"a\":1}]\n[{\"a\":2}]", "$", "{a=1;}{a=2;}.");
	check("[{\"a\":1}]", "$[*]", "{a=1;}.");
	check("{\n\"a\":\n{\"b\":[1,\n2]}}", "$", "{a={\"b\":[1, 2]};}.");
}

int
main(void)
{
	RUN(reads_documents);
	return unit_end();
}
