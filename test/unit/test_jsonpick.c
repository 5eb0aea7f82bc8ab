/*
 * test_jsonpick.c
 *		Picking one value out of a JSON document.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/json/jsonpick.h"

/* The value at the path: its token's text, with "(empty)" after an empty container; or what is wrong. */
static const char *
pick_with(MlEnv *env, const char *text, const char *path_text)
{
	static char out[400];
	MlArena arena;
	MlJsonPath path;
	MlJsonPick pick;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = ml_json_path_parse(&arena, path_text, &path);
	if (status == ML_OK)
		status = ml_json_pick(env, text, strlen(text), &path, &pick);
	if (status != ML_OK)
		snprintf(out, sizeof out, "error: %.300s", env->error);
	else if (pick.token.kind == ML_TOKEN_NONE)
		snprintf(out, sizeof out, "(none)");
	else
		snprintf(out, sizeof out, "%.*s%s", (int) (pick.token.end - pick.token.start),
				 pick.token.start, pick.empty ? "(empty)" : "");
	ml_arena_free(&arena);
	return out;
}

static const char *
pick(const char *text, const char *path)
{
	MlEnv env;

	ml_env_init(&env);
	return pick_with(&env, text, path);
}

#define CHECK_PICK(text, path, want) \
	do \
	{ \
		const char *got = pick(text, path); \
		if (strcmp(got, want) != 0) \
			printf("# %s in %s: %s, not %s\n", path, text, got, want); \
		CHECK(strcmp(got, want) == 0); \
	} while (0)

static void
values_are_found(void)
{
	CHECK_PICK("{\"a\": 1}", "$.a", "1");
	CHECK_PICK("{\"b\": {\"a\": 2}, \"a\": 1}", "$.a", "1");
	CHECK_PICK("{\"b\": {\"a\": 2}, \"a\": 1}", "$.b.a", "2");
	CHECK_PICK("{\"a\": \"x\\ny\"}", "$.a", "\"x\\ny\"");
	CHECK_PICK("{\"\\u0061\": true}", "$.a", "true");
	CHECK_PICK("{\"a\": 1, \"a\": 2}", "$.a", "1");
	CHECK_PICK("{\"a\": null}", "$.a", "null");
	CHECK_PICK("[{\"a\": 3}]", "$", "[");
	CHECK_PICK("7", "$", "7");
	CHECK_PICK("{\"a\": {\"b\": 1}, \"c\": {\"b\": 2}}", "$.c.b", "2");
	CHECK_PICK("{\"a\": {\"x\": 1}, \"a\": {\"b\": 2}}", "$.a.b", "2");
	CHECK_PICK("{\"a\": [{\"b\": 1}], \"b\": 5}", "$.b", "5");
	CHECK_PICK("{\"a b\": {\"\": 1, \"c\": {}}}", "$.\"a b\".c", "{(empty)");
	CHECK_PICK("{\"a\": []}", "$.a", "[(empty)");
	CHECK_PICK("{\"a\": [[]]}", "$.a", "[");
	CHECK_PICK("{\"a\": [ ]}", "$.a[*]", "[(empty)");
	CHECK_PICK("[]", "$", "[(empty)");
	CHECK_PICK("{}", "$", "{(empty)");
	CHECK_PICK("{\"a\": 1} {\"a\": 2}", "$.a", "1");
}

static void
others_are_not(void)
{
	CHECK_PICK("{}", "$.a", "(none)");
	CHECK_PICK("{\"b\": 1}", "$.a", "(none)");
	CHECK_PICK("[{\"a\": 1}]", "$.a", "(none)");
	CHECK_PICK("[1, {\"b\": {\"a\": 1}}]", "$.b.a", "(none)");
	CHECK_PICK("{\"a\": [{\"b\": 1}]}", "$.a.b", "(none)");
	CHECK_PICK("{\"a\": 1, \"b\": 2}", "$.a.b", "(none)");
	CHECK_PICK("{\"x\": {\"a\": 1}}", "$.a", "(none)");
	CHECK_PICK("{\"a\": {\"x\": {\"b\": 1}}}", "$.a.b", "(none)");
	CHECK_PICK("\"a\"", "$.a", "(none)");
	CHECK_PICK("{\"a\\u0000\": 1}", "$.a", "(none)");
}

static void
what_is_no_document_is_said(void)
{
	CHECK_PICK("", "$.a", "error: the JSON document ends too early");
	CHECK_PICK("{\"a\": 1", "$.a", "error: the JSON document ends too early");
	CHECK_PICK("{\"a\": \"x", "$.a", "error: the JSON document ends too early");
	CHECK(strncmp(pick("<html>", "$.a"), "error: the document is no JSON at byte 1", 40) == 0);
	CHECK(strncmp(pick("{\"a\": 1,}", "$.a"), "error: the document is no JSON at byte 9", 40) == 0);
	CHECK(strncmp(pick("{\"a\": 1]", "$.a"), "error: the document is no JSON at byte 8", 40) == 0);
}

static void
any_bytes_are_borne(void)
{
	static const char seed[] =
		"{\"b\": {\"a\": [1, \"x\"]}, \"\\u0061\": {\"b\": [], \"c\": null}}";
	char text[sizeof seed];
	MlRng rng;

	ml_rng_seed(&rng, 3, 0);
	for (int round = 0; round < 20000; round++)
	{
		memcpy(text, seed, sizeof seed);
		for (int n = 0; n < 3; n++)
			text[ml_rng_below(&rng, sizeof seed - 1)] = "{}[]\":,\\ ab1"[ml_rng_below(&rng, 12)];
		text[ml_rng_below(&rng, sizeof seed)] = '\0';
		CHECK(pick(text, "$.a.b")[0] != '\0');
	}
}

static MlStatus
pick_escaped(MlEnv *env, void *arg)
{
	const char *got = pick_with(env, "{\"\\u0061\": 1}", arg);

	return strcmp(got, "1") == 0 ? ML_OK : ML_ENOMEM;
}

static void
memory_may_fail(void)
{
	unit_every_allocation_fails(pick_escaped, "$.a", 20);
}

int
main(void)
{
	RUN(values_are_found);
	RUN(others_are_not);
	RUN(what_is_no_document_is_said);
	RUN(any_bytes_are_borne);
	RUN(memory_may_fail);
	return unit_end();
}
