/*
 * test_json.c
 *		The strict parser, the writer, and numbers that read back the same.
 */
#include "unit.h"

#include "core/json.h"
#include "core/rng.h"

/* Parse and write again, compactly; on an error: the error. out: 2000 bytes. */
static MlStatus
round_trip(const char *text, size_t len, char *out)
{
	MlEnv env;
	MlArena arena;
	MlBuffer buf;
	MlJsonWriter w;
	MlJson *json;
	MlStatus status;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&buf, &env);
	status = ml_json_parse(&arena, text, len, &json);
	if (status == ML_OK)
	{
		ml_json_writer(&w, &buf);
		ml_json_value(&w, NULL, json);
		snprintf(out, 2000, "%.*s", (int) buf.len, (const char *) buf.data);
	}
	else
		snprintf(out, 2000, "%s", env.error);
	ml_buffer_free(&buf);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
	return status;
}

static void
documents_come_back(void)
{
	static const char *const cases[][2] = {
		{"null", "null"},
		{" true ", "true"},
		{"false", "false"},
		{"[]", "[]"},
		{"{ }", "{}"},
		{"\t[ 1 ,\r\n2 , [ ] ]", "[1,2,[]]"},
		{"{\"a\":1,\"b\":{\"c\":[null,true]}}", "{\"a\":1,\"b\":{\"c\":[null,true]}}"},
		{"-0", "-0"},
		{"1E+2", "1E+2"},
		{"-12.50e-3", "-12.50e-3"},
		/* jsonb prints 1e30 like this */
		{"1000000000000000000000000000000", "1000000000000000000000000000000"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\u0008\\u000c\\n\\u000d\\u0009\""},
		{"\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
		{"\"\"", "\"\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char got[2000];

		CHECK(round_trip(cases[i][0], strlen(cases[i][0]), got) == ML_OK);
		CHECK(strcmp(got, cases[i][1]) == 0);
	}
}

static void
errors_name_the_place(void)
{
	static const char *const cases[][2] = {
		{"", "line 1, column 1: a value is missing"},
		{"  ", "line 1, column 3: a value is missing"},
		{"[1,]", "line 1, column 4: a value is missing"},
		{"[1", "line 1, column 3: a comma or ] is missing"},
		{"{\"a\":1", "line 1, column 7: a comma or } is missing"},
		{"[1 2]", "line 1, column 4: a comma or ] is missing"},
		{"{\"a\" 1}", "line 1, column 6: a colon is missing"},
		{"{a:1}", "line 1, column 2: a key in double quotes is missing"},
		{"{\"a\":1,}", "line 1, column 8: a key in double quotes is missing"},
		{"{\n  \"\xC3\xA9\": nul }", "line 2, column 8: a value is missing"},
		{"[1] x", "line 1, column 5: something follows the value"},
		{"NaN", "line 1, column 1: a value is missing"},
		{"Infinity", "line 1, column 1: a value is missing"},
		{"-Infinity", "line 1, column 1: not a number"},
		{"TRUE", "line 1, column 1: a value is missing"},
		{"'a'", "line 1, column 1: a value is missing"},
		{"01", "line 1, column 1: not a number"},
		{"1.", "line 1, column 1: not a number"},
		{".5", "line 1, column 1: a value is missing"},
		{"1e", "line 1, column 1: not a number"},
		{"-", "line 1, column 1: not a number"},
		{"1e400", "line 1, column 1: a number is too large"},
		{"/* */ 1", "line 1, column 1: a value is missing"},
		{"\"abc", "line 1, column 1: a string does not end"},
		{"\"abc\\\"", "line 1, column 1: a string does not end"},
		{"\"a\nb\"", "line 1, column 3: a control character in a string must be escaped"},
		{"\"\\x\"", "line 1, column 3: unknown escape in a string"},
		{"\"\\u12g4\"", "line 1, column 3: four hexadecimal digits must follow \\u"},
		{"\"\\ud800\"", "half of a surrogate pair"},
		{"\"\\ude00\"", "half of a surrogate pair"},
		{"\"\\ud800\\u0041\"", "half of a surrogate pair"},
		{"\"\\u0000\"", "\\u0000 cannot be stored in a text"},
		{"\"\xFF\"", "a string is not valid UTF-8"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		char got[2000];

		CHECK(round_trip(cases[i][0], strlen(cases[i][0]), got) == ML_EINVAL);
		CHECK(strncmp(got, "invalid JSON at ", 16) == 0);
		CHECK(strstr(got, cases[i][1]) != NULL);
		if (!strstr(got, cases[i][1]))
			printf("# %s: %s\n", cases[i][0], got);
	}
}

static void
zero_bytes_are_refused(void)
{
	char got[2000];

	CHECK(round_trip("1\0", 2, got) == ML_EINVAL);
	CHECK(round_trip("\0", 1, got) == ML_EINVAL);
	CHECK(round_trip("\"\0\"", 3, got) == ML_EINVAL);
	CHECK(round_trip("\"\\\0\"", 4, got) == ML_EINVAL);
}

static void
depth_is_limited(void)
{
	char text[4000], got[2000];

	for (int depth = 63; depth <= 66; depth++)
	{
		memset(text, '[', (size_t) depth);
		memset(text + depth, ']', (size_t) depth);
		CHECK(round_trip(text, (size_t) depth * 2, got) == (depth <= 64 ? ML_OK : ML_EINVAL));
	}
	CHECK(strstr(got, "nested more than 64 deep") != NULL);
	memset(text, '[', sizeof text);
	CHECK(round_trip(text, sizeof text, got) == ML_EINVAL);
}

static void
every_prefix_is_refused(void)
{
	const char *text = "{\"a\":[1.5e3,\"x\\u00e9\\n\",null,{\"b\":false}]}";
	char got[2000];

	for (size_t len = 0; len < strlen(text); len++)
	{
		/* In a block of its own length, so that a read beyond it shows. */
		char *copy = malloc(len + (len == 0));

		memcpy(copy, text, len);
		CHECK(round_trip(copy, len, got) == ML_EINVAL);
		free(copy);
	}
	CHECK(round_trip(text, strlen(text), got) == ML_OK);
}

static void
members_are_found(void)
{
	const char *text = "{\"a\":1,\"b\":\"two\",\"a\":3,\"c\":[10,20]}";
	MlEnv env;
	MlArena arena;
	MlJson *json;
	const MlJson *c;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(ml_json_parse(&arena, text, strlen(text), &json) == ML_OK);
	CHECK(json->type == ML_JSON_OBJECT && json->n == 4);
	CHECK(ml_json_get(json, "a")->number == 3); /* the last one counts, as in jsonb */
	CHECK(strcmp(ml_json_get(json, "b")->string, "two") == 0);
	c = ml_json_get(json, "c");
	CHECK(c->type == ML_JSON_ARRAY && c->n == 2 && c->items[1].number == 20);
	CHECK(strcmp(c->items[1].string, "20") == 0);
	CHECK(ml_json_get(json, "d") == NULL);
	CHECK(ml_json_get(c, "a") == NULL && ml_json_get(NULL, "a") == NULL);
	CHECK(strcmp(ml_json_type_name(ML_JSON_ARRAY), "an array") == 0);
	ml_arena_free(&arena);
}

static void
the_writer_minds_commas_and_escapes(void)
{
	const char *want =
		"{\"a\":1,\"b\":[true,null,null,\"x\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xC3\xA9\",{}],"
		"\"c\":{\"d\":0.1},\"e\":[1,2]}";
	MlEnv env;
	MlBuffer buf;
	MlJsonWriter w;

	ml_env_init(&env);
	ml_buffer_init(&buf, &env);
	ml_json_writer(&w, &buf);
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "a", 1);
	ml_json_open(&w, "b", '[');
	ml_json_bool(&w, NULL, true);
	ml_json_number(&w, NULL, NAN);
	ml_json_text(&w, NULL, NULL);
	ml_json_text(&w, NULL, "x\"\\\n\001\xC3\xC3\xA9");
	ml_json_open(&w, NULL, '{');
	ml_json_close(&w, '}');
	ml_json_close(&w, ']');
	ml_json_open(&w, "c", '{');
	ml_json_number(&w, "d", 0.1);
	ml_json_close(&w, '}');
	ml_json_raw(&w, "e", "[1,2]", 5);
	ml_json_close(&w, '}');
	CHECK(buf.len == strlen(want) && memcmp(buf.data, want, buf.len) == 0);
	ml_buffer_free(&buf);
	CHECK(env.used == 0);
}

static void
numbers_read_back_the_same(void)
{
	static const double values[] = {
		0.0,   0.1,    -2.5,    1e21,    1e-7,        123456789012345678.0,
		1e308, 5e-324, 2.0 / 3, -1e-300, 4294967296.0};
	static const char *const texts[] = {"0", "0.1", "-2.5", "1e+21", "1e-07"};
	char text[32];
	MlRng rng;

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
	{
		CHECK(ml_format_double(text, values[i]) == (int) strlen(text));
		CHECK(strtod(text, NULL) == values[i]);
	}
	for (size_t i = 0; i < 5; i++)
	{
		ml_format_double(text, values[i]);
		CHECK(strcmp(text, texts[i]) == 0);
	}
	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < 20000; i++)
	{
		uint64_t bits = ml_rng_next(&rng);
		double value;

		memcpy(&value, &bits, sizeof value);
		CHECK(ml_format_double(text, value) < 32);
		if (isfinite(value))
			CHECK(strtod(text, NULL) == value);
	}
	ml_format_double(text, -INFINITY);
	CHECK(strcmp(text, "-Infinity") == 0);
}

static MlStatus
parse_and_write(MlEnv *env, void *arg)
{
	const char *text = arg;
	MlArena arena;
	MlBuffer buf;
	MlJsonWriter w;
	MlJson *json;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&buf, env);
	status = ml_json_parse(&arena, text, strlen(text), &json);
	if (status == ML_OK)
	{
		ml_json_writer(&w, &buf);
		ml_json_value(&w, NULL, json);
		status = buf.status;
	}
	ml_buffer_free(&buf);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	/* A string larger than an arena block, so that single values need blocks too. */
	static char text[3000];
	int len = snprintf(text, sizeof text, "{\"k\":[[1,2,3,4,5,6,7,8,9],{\"x\":null}],\"s\":\"");

	memset(text + len, 'x', 2000);
	snprintf(text + len + 2000, 20, "\"}");
	unit_every_allocation_fails(parse_and_write, text, 100);
}

int
main(void)
{
	RUN(documents_come_back);
	RUN(errors_name_the_place);
	RUN(zero_bytes_are_refused);
	RUN(depth_is_limited);
	RUN(every_prefix_is_refused);
	RUN(members_are_found);
	RUN(the_writer_minds_commas_and_escapes);
	RUN(numbers_read_back_the_same);
	RUN(every_allocation_may_fail);
	return unit_end();
}
