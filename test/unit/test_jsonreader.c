/*
 * test_jsonreader.c
 *		JSON tokens, paths, and documents read item by item.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/json/jsonreader.h"

/* What was read, as text: items as {key=value;...}, problems and ends in brackets. */
typedef struct Got
{
	char text[4000];
	size_t used;
} Got;

static void
put(Got *got, const char *text, size_t len)
{
	len = ML_MIN(len, sizeof got->text - 1 - got->used);
	memcpy(got->text + got->used, text, len);
	got->used += len;
	got->text[got->used] = '\0';
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
check_levels(const char *text, unsigned levels, const char *want)
{
	check_bytes(text, strlen(text), "$", levels, want);
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

static void
follows_paths(void)
{
	check("{\"x\":[1,{\"a\":7}],\"data\":{\"n\":1,\"items\":[{\"a\":1},{\"a\":2}],\"z\":{}},\"y\":"
		  "\"\\u0000\"}",
		  "$.data.items", "{a=1;}{a=2;}.");
	check("{\"data\":{\"x\":{\"items\":[{\"a\":0}]},\"items\":[{\"a\":1}]}}", "$.data.items[*]",
		  "{a=1;}.");
	check("{\"items\":{\"items\":[{\"a\":1}]}}", "$.items.items", "{a=1;}.");
	check("{\"data\":{\"a\":1}}\n{\"data\":{\"a\":2}}", "$.data", "{a=1;}{a=2;}.");
	check("{\"p\":[{\"a\":1}],\"n\":2}\n{\"p\":null}\n{\"p\":[{\"a\":2}]}", "$.p", "{a=1;}{a=2;}.");
	check("{\"d\":{},\"d\":{\"i\":[{\"a\":1}]}}", "$.d.i", "{a=1;}.");
	check("{\"\\u00e9 b\":[{\"a\":1}]}", "$.\"\xC3\xA9 b\"", "{a=1;}.");
	check("{\"a]\\\"b\":[{\"a\":1}]}", "$['a]\"b']", "{a=1;}.");
	check("{\"\":[{\"a\":1}]}", "$.\"\"", "{a=1;}.");
}

static void
tells_where_a_path_ends(void)
{
	check("{\"a\":1,\"b\":{\"c\":2}}", "$.items",
		  "[1:19 there is no member \"items\", but \"a\", \"b\"]");
	check("{\"a\":1,\"b\":{\"c\":2}}", "$.b.items",
		  "[1:19 there is no member \"items\", but \"c\"]");
	check("{}", "$.x", "[1:2 there is no member \"x\"]");
	check("{\"a\":[1]}", "$.a.b", "[1:6 member \"a\" is not an object]");
	check("{\"a\":5}", "$.a.b", "[1:6 member \"a\" is not an object]");
	check("[{\"a\":1}]", "$.a", "[1:1 the document is not an object]");
	check("3", "$.a", "[1:1 the document is not an object]");
	check("{\"a\":1}", "$[*]", "[1:1 there is no array for [*]]");
	check("{\"p\":{}}", "$.p[*]", "[1:6 there is no array for [*]]");
	check("{\"p\":[],\"p\":[]}", "$.p", "[1:13 member \"p\" is there twice]");
	check("[{\"a\":1}]\n{\"a\":1}", "$", "{a=1;}[2:1 an object follows an array of rows]");
	check("{\"a\":1}\n[{\"a\":1}]", "$", "{a=1;}{}!not an object.");
	check("{\"p\":[{\"a\":1}]", "$.p", "{a=1;}[1:15 the text ends within a value]");
	check("{\"p\":[{\"a\":1}", "$.p", "{a=1;}[1:14 the text ends within a value]");
	check("{\"p\":[{\"a\":1}]]", "$.p", "{a=1;}[1:15 a comma or } is missing]");
}

static void
takes_items_apart(void)
{
	check_levels("{\"a\":{\"b\":1,\"c\":{\"d\":[1]}},\"e\":{}}", 9, "{a.b=1;a.c.d=[1];}.");
	check_levels("{\"a\":{\"b\":1,\"c\":{\"d\":[1]}},\"e\":{}}", 1, "{a.b=1;a.c={\"d\":[1]};}.");
	check("{\"a\":{\"b\":1,\"c\":{\"d\":[1]}},\"e\":{}}", "$",
		  "{a={\"b\":1,\"c\":{\"d\":[1]}};e={};}.");
	check("{\"a\":1,\"b\":2}{\"b\":3,\"a\":4}{\"c\":5,\"b\":6}{\"a\":7}", "$",
		  "{a=1;b=2;}{a=4;b=3;}{b=6;c=5;}{a=7;}.");
	check("{\"\\u0061\":1}{\"a\":2,\"\\u0061b\":3}", "$", "{a=1;}{a=2;ab=3;}.");
	check("{\"\":1}", "$", "{=1;}.");
	check("1 \"x\" null [] true", "$",
		  "{}!not an object{}!not an object{}!not an object{}!not an object.");
	check("[1,\"x\",[2],{\"a\":1},null]", "$",
		  "{}!not an object{}!not an object{}!not an object{a=1;}{}!not an object.");
	check("{\"a\":1,\"b\":2,\"a\":3}{\"a\":4}", "$", "{a=3;b=2;}!the key is there twice{a=4;}.");
	check_levels("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", 9, "{a.b=1;a.c=2;}!the key is there twice.");
}

static void
writes_fields(void)
{
	check("{\"a\":\"\\\"\\/\\\\\\b\\f\\n\\r\\t\"}", "$", "{a=\"/\\\\\\b\\f\\n\\r\\t;}.");
	check("{\"a\":\"\\u000a\\u000D\\u0009\\u005c\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}", "$",
		  "{a=\\n\\r\\t\\\\A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80;}.");
	check("{\"a\":\"\\\\N\",\"b\":null}", "$", "{a=\\\\N;b=\\N;}.");
	check("{\"a\":[\"\\n\\\\\",\n\t1 ]}", "$", "{a=[\"\\\\n\\\\\\\\\",  1 ];}.");
	check("{\"a\":0,\"b\":-0,\"c\":1.0,\"d\":1E5,\"e\":1e-5}", "$",
		  "{a=0;b=-0;c=1.0;d=1E5;e=1e-5;}.");
	check("{\"a\":\"\xF0\x9F\x98\x80 plain text, longer than a word of eight bytes\"}", "$",
		  "{a=\xF0\x9F\x98\x80 plain text, longer than a word of eight bytes;}.");
}

static void
tells_what_cannot_be_stored(void)
{
	check("{\"a\":\"x\\u0000\"}{\"a\":1}", "$", "{a=<\\u0000 cannot be stored>;}{a=1;}.");
	check("{\"a\":\"\\ud800\"}", "$", "{a=<half of a surrogate pair cannot be stored>;}.");
	check("{\"a\":\"\\udc00\\ud800\"}", "$", "{a=<half of a surrogate pair cannot be stored>;}.");
	check("{\"a\":\"\\ud800\\n\"}", "$", "{a=<half of a surrogate pair cannot be stored>;}.");
	check("{\"a\":\"\\ud800\\ud800\\udc00\"}", "$",
		  "{a=<half of a surrogate pair cannot be stored>;}.");
	check("{\"a\":[{\"b\":\"\\udfff\"}]}", "$",
		  "{a=<half of a surrogate pair cannot be stored>;}.");
	check("{\"a\":\"\xFF\"}{\"a\":\"\xC3\xA9\"}", "$", "{a=<not valid UTF-8>;}{a=\xC3\xA9;}.");
	check("{\"a\":\"\xED\xA0\x80\"}", "$", "{a=<not valid UTF-8>;}.");
	check("{\"a\":\"a long text of many bytes \xC0\x80 and more\"}", "$",
		  "{a=<not valid UTF-8>;}.");
	check("{\"\\u0000\":1}", "$", "{}!a key is no text that can be stored.");
	check("{\"\xFF\":1,\"b\":2}", "$", "{b=2;}!a key is no text that can be stored.");
}

/* In an array a mistake is the end. */
static void
check_mistake(const char *value, int column, const char *problem)
{
	char text[300], want[300];

	snprintf(text, sizeof text, "[\n%s\n]", value);
	snprintf(want, sizeof want, "[2:%d %s]", column, problem);
	check(text, "$", want);
}

static void
names_mistakes(void)
{
	const char *number = "not a number as JSON writes them", *word = "not true, false or null";

	check_mistake("{\"a\":1,}", 8, "a comma before the }");
	check_mistake("{\"a\":[1,]}", 9, "a comma before the ]");
	check_mistake("{\"a\":,}", 6, "a value is missing");
	check_mistake("{\"a\":}", 6, "a value is missing");
	check_mistake("{\"a\" 1}", 6, "a colon is missing");
	check_mistake("{\"a\":1 \"b\":2}", 8, "a comma or } is missing");
	check_mistake("{\"a\":[1 2]}", 9, "a comma or ] is missing");
	check_mistake("{a:1}", 2, "no value starts like this");
	check_mistake("{1:1}", 2, "a key in double quotes is missing");
	check_mistake("{'a':1}", 2, "strings and keys are in double quotes, not in apostrophes");
	check_mistake("{\"a\":1 // x", 8, "JSON has no comments");
	check_mistake("{\"a\":NaN}", 6, number);
	check_mistake("{\"a\":-Infinity}", 6, number);
	check_mistake("{\"a\":01}", 6, number);
	check_mistake("{\"a\":1.}", 6, number);
	check_mistake("{\"a\":.5}", 6, number);
	check_mistake("{\"a\":+5}", 6, number);
	check_mistake("{\"a\":1e}", 6, number);
	check_mistake("{\"a\":0x1F}", 6, number);
	check_mistake("{\"a\":1_000}", 6, number);
	check_mistake("{\"a\":True}", 6, "no value starts like this");
	check_mistake("{\"a\":truely}", 6, word);
	check_mistake("{\"a\":nil}", 6, word);
	check_mistake("{\"a\":\"\xC3\xA9\\x\"}", 8, "unknown escape in a string");
	check_mistake("{\"a\":\"\\u12g4\"}", 7, "four hexadecimal digits must follow \\u");
	check_mistake("{\"a\":\"x\ty\"}", 8, "a control character in a string must be escaped");
	check_mistake("}", 1, "a value is missing");
	check("[{\"a\":1},]", "$", "{a=1;}[1:10 a comma before the ]]");
	check("[{\"a\":1}", "$", "{a=1;}[1:9 the text ends within a value]");
	check("[{\"a\":\"x", "$", "[1:9 the text ends within a string]");
	check_bytes("[{\"a\":\0}]", 9, "$", 0, "[1:7 a zero byte]");
}

static void
goes_on_with_the_next_line(void)
{
	check("{\"a\":1}\n{\"a\":x}\n{\"a\":3}\n", "$",
		  "{a=1;}(2:6 no value starts like this: {\"a\":x}){a=3;}.");
	check("{\"a\":1\n{\"a\":2}\n", "$", "(2:1 a comma or } is missing: {\"a\":1){a=2;}.");
	check("{\"a\":\"1\n{\"a\":2}\n", "$",
		  "(1:8 a control character in a string must be escaped: {\"a\":\"1){a=2;}.");
	check(
		"oops\n\n{\"a\":2}\n{\"a\":3", "$",
		"(1:1 no value starts like this: oops){a=2;}(4:7 the text ends within a value: {\"a\":3).");
	check("{\"a\":1},\n{\"a\":2}\n", "$", "{a=1;}(1:8 a value is missing: ,){a=2;}.");
	check("{\"a\":1}x\r\n{\"a\":2}", "$", "{a=1;}(1:8 no value starts like this: x\r){a=2;}.");
	check("{\n\"a\":1}\n{\"a\":x}\n{\"a\":3}", "$", "{a=1;}[3:6 no value starts like this]");
}

/* A deep document is refused without recursion; up to the limit it is read. */
static void
bounds_depth(void)
{
	for (int depth = ML_JSON_MAX_DEPTH - 1; depth <= ML_JSON_MAX_DEPTH + 1; depth++)
	{
		char text[3 * ML_JSON_MAX_DEPTH];
		Case c = {.text = text, .path = "$", .piece = 1000};
		int n = sprintf(text, "{\"a\":");
		MlEnv env;

		memset(text + n, '[', (size_t) depth);
		memset(text + n + depth, ']', (size_t) depth);
		text[n + 2 * depth] = '}';
		c.len = (size_t) (n + 2 * depth) + 1;
		ml_env_init(&env);
		CHECK(read_case(&env, &c) == ML_OK);
		CHECK((strstr(c.got.text, "nested more than 1024 deep") != NULL) ==
			  (depth >= ML_JSON_MAX_DEPTH));
	}
}

/* Items larger than the buffer, and longer bad lines than are shown. */
static void
reads_large_items(void)
{
	size_t len = (size_t) 20 << 20;
	char *text = malloc(len + 100);
	size_t n = (size_t) sprintf(text, "{\"a\":\"");
	Case c = {.text = text, .path = "$", .piece = SIZE_MAX};
	MlEnv env;

	memset(text + n, 'x', len);
	c.len = n + len + (size_t) sprintf(text + n + len, "\"}\n{\"a\":2}");
	ml_env_init(&env);
	CHECK(read_case(&env, &c) == ML_OK);
	CHECK(strstr(c.got.text, "{a=xxxx") == c.got.text);
	text[0] = '?';
	CHECK(read_case(&env, &c) == ML_OK);
	CHECK(strstr(c.got.text, "(1:1 no value starts like this: ?") == c.got.text);
	CHECK(env.used == 0);
	free(text);
}

static void
parses_paths(void)
{
	static const char *const bad[] = {"",         "x",       "$.",        "$..a",     "$[0]",
									  "$.a[*].b", "$[*][*]", "$.a b",     "$.*",      "$[a]",
									  "$.\"a",    "$['a'",   "$[?(@.a)]", "a.b",      "$.a[1:2]",
									  "$[",       "$.a[*] ", "$.'a\\",    "$[\"a\"x]"};
	MlEnv env;

	ml_env_init(&env);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
	{
		Case c = {.text = "", .path = bad[i], .piece = 1};

		env.error[0] = '\0';
		CHECK(read_case(&env, &c) == ML_EINVAL);
		CHECK(strstr(env.error, "JSON path") != NULL);
		if (unit_case_failed)
			printf("# %s\n", bad[i]);
	}
}

static void
bears_failing_allocations(void)
{
	static const char text[] =
		"{\"data\":{\"\\u0061x\":[{\"a\":1,\"b\":{\"c\":\"\\u00e9\"}},{\"\\u0061\":2}]}}";
	Case c = {
		.text = text, .len = sizeof text - 1, .path = "$.data.\"ax\"", .levels = 5, .piece = 7};

	unit_every_allocation_fails(read_case, &c, 200);
	CHECK(strcmp(c.got.text, "{a=1;b.c=\xC3\xA9;}{a=2;}.") == 0);
}

/* Random text of special characters comes out the same in pieces of any size. */
static void
reads_noise_in_any_pieces(void)
{
	static const char *const words[] = {
		"{",    "}",    "[",  "]", ",",  ":",  "\"a\"",   "\"b\"",        "1",       "-2.5",
		"true", "null", "\n", " ", "\"", "\\", "\\u0061", "\"x\\ud800\"", "{\"a\":", "}\n"};
	MlRng rng;
	MlEnv env;

	ml_env_init(&env);
	ml_rng_seed(&rng, 5, 0);
	for (int i = 0; i < 3000; i++)
	{
		char text[400] = "";
		Case whole = {.text = text, .path = i % 3 ? "$" : "$.a", .levels = i % 2 ? 5 : 0}, pieces;

		for (size_t j = 1 + ml_rng_below(&rng, 20); j > 0; j--)
			strcat(text, words[ml_rng_below(&rng, sizeof words / sizeof *words)]);
		whole.len = whole.piece = strlen(text);
		pieces = whole;
		pieces.piece = 1 + ml_rng_below(&rng, 5);
		CHECK(read_case(&env, &whole) == ML_OK);
		CHECK(read_case(&env, &pieces) == ML_OK);
		if (strcmp(whole.got.text, pieces.got.text) != 0)
			printf("# %s: %s, not %s\n", text, pieces.got.text, whole.got.text);
		CHECK(strcmp(whole.got.text, pieces.got.text) == 0);
	}
}

int
main(void)
{
	RUN(reads_documents);
	RUN(follows_paths);
	RUN(tells_where_a_path_ends);
	RUN(takes_items_apart);
	RUN(writes_fields);
	RUN(tells_what_cannot_be_stored);
	RUN(names_mistakes);
	RUN(goes_on_with_the_next_line);
	RUN(bounds_depth);
	RUN(reads_large_items);
	RUN(parses_paths);
	RUN(bears_failing_allocations);
	RUN(reads_noise_in_any_pieces);
	return unit_end();
}
