/*
 * test_param.c
 *		Parameter tables: defaults, checks, error texts, the nearest name.
 */
#include "unit.h"

#include <limits.h>

#include "core/param.h"

enum
{
	P_TREES,
	P_RATE,
	P_DEPTH,
	P_GROWTH,
	P_VERBOSE,
	P_LABEL,
	P_EXTRA,
	P_TOL,
	P_SHIFT
};

static const MlParam boosting[] = {
	{"n_trees", ML_PARAM_INT, "100", 1, 10000, NULL, "Number of trees."},
	{"learning_rate", ML_PARAM_REAL, "0.1", 0, 1, NULL, "Step."},
	{"max_depth", ML_PARAM_INT, "null", 1, INT_MAX, NULL, "Depth."},
	{"growth", ML_PARAM_CHOICE, "\"leaf\"", 0, 0, "leaf|level|oblivious", "Order."},
	{"verbose", ML_PARAM_BOOL, "false", 0, 0, NULL, "Log."},
	{"label", ML_PARAM_TEXT, "null", 0, 0, NULL, "Text."},
	{"extra", ML_PARAM_JSON, "{}", 0, 0, NULL, "Anything."},
	{"tol", ML_PARAM_REAL, "1e-6", 0, INFINITY, NULL, "Tolerance."},
	{"shift", ML_PARAM_REAL, "0", -INFINITY, INFINITY, NULL, "Any number."},
	{0}};
static const MlParam common[] = {{"seed", ML_PARAM_INT, "0", INT_MIN, INT_MAX, NULL, "Seed."}, {0}};
static const MlParam *const tables[] = {boosting, common};

typedef struct Parsed
{
	MlEnv env;
	MlArena arena;
	MlParams params[2];
	MlStatus status;
} Parsed;

/* text NULL: no object. */
static void
parse(Parsed *p, const char *text)
{
	MlJson *json = NULL;

	ml_env_init(&p->env);
	ml_arena_init(&p->arena, &p->env);
	p->status = text ? ml_json_parse(&p->arena, text, strlen(text), &json) : ML_OK;
	CHECK(p->status == ML_OK);
	p->status = ml_params_parse(&p->arena, "gbdt", tables, 2, json, p->params);
}

static void
release(Parsed *p)
{
	ml_arena_free(&p->arena);
	CHECK(p->env.used == 0);
}

static void
defaults_come_from_the_table(void)
{
	static const char *const texts[] = {NULL, "{}", "{\"n_trees\":null,\"growth\":null}"};

	for (int i = 0; i < 3; i++)
	{
		Parsed p;

		parse(&p, texts[i]);
		CHECK(p.status == ML_OK);
		CHECK(p.params[0].n == 9 && p.params[1].n == 1);
		CHECK(ml_param_int(p.params, P_TREES) == 100);
		CHECK(ml_param_real(p.params, P_RATE) == 0.1);
		CHECK(p.params[0].values[P_DEPTH].null);
		CHECK(strcmp(ml_param_text(p.params, P_GROWTH), "leaf") == 0);
		CHECK(!ml_param_bool(p.params, P_VERBOSE));
		CHECK(ml_param_text(p.params, P_LABEL) == NULL);
		CHECK(!ml_param_given(p.params, P_TREES) && !ml_param_given(p.params, P_GROWTH));
		CHECK(ml_param_int(&p.params[1], 0) == 0);
		release(&p);
	}
}

static void
given_values_are_read(void)
{
	Parsed p;

	parse(&p, "{\"n_trees\":5.0,\"learning_rate\":1,\"growth\":\"oblivious\",\"verbose\":true,"
			  "\"label\":\"x\",\"extra\":[1,{\"a\":2}],\"seed\":-7,\"max_depth\":3}");
	CHECK(p.status == ML_OK);
	CHECK(ml_param_int(p.params, P_TREES) == 5 && ml_param_given(p.params, P_TREES));
	CHECK(ml_param_real(p.params, P_RATE) == 1);
	CHECK(p.params[0].values[P_GROWTH].number == 2);
	CHECK(strcmp(ml_param_text(p.params, P_GROWTH), "oblivious") == 0);
	CHECK(ml_param_bool(p.params, P_VERBOSE));
	CHECK(strcmp(ml_param_text(p.params, P_LABEL), "x") == 0);
	CHECK(p.params[0].values[P_EXTRA].json->n == 2);
	CHECK(ml_param_int(p.params, P_DEPTH) == 3 && !p.params[0].values[P_DEPTH].null);
	CHECK(ml_param_int(&p.params[1], 0) == -7);
	CHECK(!ml_param_given(p.params, P_TOL));
	release(&p);
}

static void
errors_say_what_was_expected(void)
{
	static const char *const cases[][3] = {
		{"{\"learning_rat\":1}", "unknown option \"learning_rat\" for gbdt",
		 "Did you mean \"learning_rate\"?"},
		{"{\"Learning-Rate\":1}", "unknown option \"Learning-Rate\" for gbdt",
		 "Did you mean \"learning_rate\"?"},
		{"{\"sede\":1}", "unknown option \"sede\" for gbdt", "Did you mean \"seed\"?"},
		{"{\"bananas\":1}", "unknown option \"bananas\" for gbdt", ""},
		{"{\"n_trees\":5.5}",
		 "option \"n_trees\" of gbdt must be an integer between 1 and 10000, not 5.5", ""},
		{"{\"n_trees\":\"5\"}",
		 "option \"n_trees\" of gbdt must be an integer between 1 and 10000, not \"5\"", ""},
		{"{\"n_trees\":0}",
		 "option \"n_trees\" of gbdt must be an integer between 1 and 10000, not 0", ""},
		{"{\"n_trees\":[]}",
		 "option \"n_trees\" of gbdt must be an integer between 1 and 10000, not an array", ""},
		{"{\"max_depth\":0}",
		 "option \"max_depth\" of gbdt must be an integer of at least 1, not 0", ""},
		{"{\"max_depth\":3000000000}",
		 "option \"max_depth\" of gbdt must be an integer of at least 1, not 3000000000", ""},
		{"{\"learning_rate\":1.5}",
		 "option \"learning_rate\" of gbdt must be a number between 0 and 1, not 1.5", ""},
		{"{\"tol\":-1}", "option \"tol\" of gbdt must be a number of at least 0, not -1", ""},
		{"{\"shift\":{}}", "option \"shift\" of gbdt must be a number, not an object", ""},
		{"{\"seed\":true}", "option \"seed\" of gbdt must be an integer, not true", ""},
		{"{\"seed\":1e12}", "option \"seed\" of gbdt must be an integer, not 1e12", ""},
		{"{\"verbose\":1}", "option \"verbose\" of gbdt must be true or false, not 1", ""},
		{"{\"growth\":\"levle\"}",
		 "option \"growth\" of gbdt must be \"leaf\", \"level\" or \"oblivious\", not \"levle\"",
		 "Did you mean \"level\"?"},
		{"{\"growth\":2}",
		 "option \"growth\" of gbdt must be \"leaf\", \"level\" or \"oblivious\", not 2", ""},
		{"{\"label\":3}", "option \"label\" of gbdt must be a string, not 3", ""},
		{"[1]", "the options of gbdt must be an object, not an array", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Parsed p;

		parse(&p, cases[i][0]);
		CHECK(p.status == ML_EINVAL);
		CHECK(strcmp(p.env.error, cases[i][1]) == 0);
		CHECK(strcmp(p.env.hint, cases[i][2]) == 0);
		if (strcmp(p.env.error, cases[i][1]) != 0)
			printf("# %s\n", p.env.error);
		release(&p);
	}
}

static void
long_values_are_cut(void)
{
	char text[3000];
	Parsed p;
	int len = snprintf(text, sizeof text, "{\"n_trees\":\"x");

	for (int i = 0; i < 900; i++)
		len += snprintf(text + len, sizeof text - (size_t) len, "\xE2\x82\xAC");
	snprintf(text + len, sizeof text - (size_t) len, "\"}");
	parse(&p, text);
	CHECK(p.status == ML_EINVAL && strlen(p.env.error) < 250);
	CHECK(ml_utf8_valid(p.env.error, strlen(p.env.error)));
	release(&p);

	memset(text, '9', 1000);
	memcpy(text, "{\"n_trees\":", 11);
	snprintf(text + 300, 10, "}");
	parse(&p, text);
	CHECK(p.status == ML_EINVAL && strlen(p.env.error) < 250);
	release(&p);
}

static void
written_values_read_back(void)
{
	const char *want =
		"{\"n_trees\":7,\"learning_rate\":0.1,\"max_depth\":null,\"growth\":\"level\","
		"\"verbose\":true,\"label\":null,\"extra\":{\"a\":[1]},\"tol\":1e-6,\"shift\":0}";
	MlBuffer buf;
	MlJsonWriter w;
	Parsed p, again;

	parse(&p, "{\"n_trees\":7,\"growth\":\"level\",\"verbose\":true,\"extra\":{\"a\":[1]}}");
	ml_buffer_init(&buf, &p.env);
	ml_json_writer(&w, &buf);
	ml_params_write(&p.params[0], &w, NULL);
	ml_put_u8(&buf, 0);
	CHECK(strcmp((char *) buf.data, want) == 0);
	parse(&again, (char *) buf.data);
	CHECK(again.status == ML_OK);
	CHECK(ml_param_int(again.params, P_TREES) == 7);
	release(&again);
	ml_buffer_free(&buf);
	release(&p);
}

static void
nearest_finds_typing_errors_only(void)
{
	static const char *const names[] = {"max_iter", "max_depth", "l1", "l2", "tol", "n_clusters"};
	size_t n = sizeof names / sizeof *names;

	CHECK(strcmp(ml_nearest("max_itre", names, n), "max_iter") == 0); /* a swap */
	CHECK(strcmp(ml_nearest("maxdepth", names, n), "max_depth") == 0);
	CHECK(strcmp(ml_nearest("MAX DEPTH", names, n), "max_depth") == 0);
	CHECK(strcmp(ml_nearest("n_cluster", names, n), "n_clusters") == 0);
	CHECK(strcmp(ml_nearest("tols", names, n), "tol") == 0);
	CHECK(strcmp(ml_nearest("l1", names, n), "l1") == 0);
	CHECK(ml_nearest("colsample", names, n) == NULL);
	CHECK(ml_nearest("xy", names, n) == NULL);
	CHECK(ml_nearest("", names, n) == NULL);
	CHECK(ml_nearest("a_name_of_more_than_sixty_four_characters_is_never_a_typing_error_of", names,
					 n) == NULL);
	CHECK(ml_nearest("tol", names, 0) == NULL);
}

static MlStatus
parse_once(MlEnv *env, void *arg)
{
	const char *text = arg;
	MlParams params[2];
	MlArena arena;
	MlJson *json;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = ml_json_parse(&arena, text, strlen(text), &json);
	if (status == ML_OK)
		status = ml_params_parse(&arena, "gbdt", tables, 2, json, params);
	ml_arena_free(&arena);
	/* The error is what this case is after: only memory may be missing on the way to it. */
	return status == ML_EINVAL ? ML_OK : status;
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(parse_once, (void *) "{\"n_trees\":7,\"growth\":\"level\"}", 100);
	unit_every_allocation_fails(parse_once, (void *) "{\"growth\":\"levels\"}", 100);
	unit_every_allocation_fails(parse_once, (void *) "{\"n_tree\":7}", 100);
}

int
main(void)
{
	RUN(defaults_come_from_the_table);
	RUN(given_values_are_read);
	RUN(errors_say_what_was_expected);
	RUN(long_values_are_cut);
	RUN(written_values_read_back);
	RUN(nearest_finds_typing_errors_only);
	RUN(every_allocation_may_fail);
	return unit_end();
}
