/*
 * test_search.c
 *		Candidates of a search: all of a grid, fair and different at random; what is refused.
 */
#include "model/search.h"
#include "unit.h"

enum
{
	RATE,
	LEAVES,
	KIND,
	COUNT
};

static const MlParam table[] = {{"learning_rate", ML_PARAM_REAL, "0.1", 1e-6, 1, NULL, ""},
								{"max_leaves", ML_PARAM_INT, "31", 2, 1000, NULL, ""},
								{"kind", ML_PARAM_CHOICE, "\"a\"", 0, 0, "a|b|c", ""},
								{"count", ML_PARAM_INT, "null", 1, 100, NULL, ""},
								{NULL, 0, NULL, 0, 0, NULL, NULL}};

static const MlAlgo algo = {.name = "toy", .params = table};

typedef struct Fixture
{
	MlEnv env;
	MlArena arena;
	MlParams base;
	MlSearch search;
} Fixture;

/* Parse a text, and the search in it. base: parameters of the user's. */
static MlStatus
create(MlArena *arena, const char *base, const char *text, uint64_t seed, MlSearch *out)
{
	const MlParam *tables = table;
	MlJson *json, *fixed;
	MlParams params;

	ML_TRY(ml_json_parse(arena, base, strlen(base), &fixed));
	ML_TRY(ml_params_parse(arena, "toy", &tables, 1, fixed, &params));
	ML_TRY(ml_json_parse(arena, text, strlen(text), &json));
	return ml_search_create(arena, &algo, &params, json, seed, out);
}

static void
begin(Fixture *f)
{
	ml_env_init(&f->env);
	ml_arena_init(&f->arena, &f->env);
}

static void
end(Fixture *f)
{
	ml_arena_free(&f->arena);
	CHECK(f->env.used == 0);
}

/* The candidate as JSON. */
static const char *
written(Fixture *f, size_t i)
{
	static char text[200];
	MlBuffer out;
	MlJsonWriter w;

	ml_buffer_init(&out, &f->env);
	ml_json_writer(&w, &out);
	ml_search_write(&f->search.candidates[i], &w, NULL);
	snprintf(text, sizeof text, "%.*s", (int) out.len, (const char *) out.data);
	ml_buffer_free(&out);
	return text;
}

static void
grid(void)
{
	static const char *const all[] = {
		"{\"learning_rate\":0.1,\"kind\":\"a\",\"count\":7}",
		"{\"learning_rate\":0.2,\"kind\":\"a\",\"count\":7}",
		"{\"learning_rate\":0.1,\"kind\":\"c\",\"count\":7}",
		"{\"learning_rate\":0.2,\"kind\":\"c\",\"count\":7}",
	};
	Fixture f;

	begin(&f);
	CHECK(create(&f.arena, "{\"count\": 7}",
				 "{\"kind\": [\"a\", \"c\"], \"learning_rate\": [0.1, 0.2]}", 0,
				 &f.search) == ML_OK);
	CHECK(f.search.method == ML_SEARCH_GRID && f.search.n == 4);
	for (size_t i = 0; i < 4 && !unit_case_failed; i++)
		CHECK(strcmp(written(&f, i), all[i]) == 0);
	end(&f);
}

/* Numbers within their ranges, spread as asked for, whole where they must be. */
static void
ranges(void)
{
	Fixture f;
	int low = 0, small = 0, leaves[4] = {0};

	begin(&f);
	CHECK(create(&f.arena, "{}",
				 "{\"n_trials\": 4000, \"learning_rate\": {\"min\": 0.001, \"max\": 0.1, \"log\": "
				 "true}, \"max_leaves\": {\"min\": 10, \"max\": 13}}",
				 5, &f.search) == ML_OK);
	CHECK(f.search.method == ML_SEARCH_RANDOM && f.search.n == 4000);
	for (size_t i = 0; i < f.search.n; i++)
	{
		double rate = f.search.candidates[i].values[RATE].number;
		double n = f.search.candidates[i].values[LEAVES].number;
		char text[32];

		CHECK(rate >= 0.001 && rate <= 0.1);
		CHECK(n == 10 || n == 11 || n == 12 || n == 13);
		snprintf(text, sizeof text, "%.4g", rate);
		CHECK(strtod(text, NULL) == rate);
		CHECK(f.search.candidates[i].values[RATE].json->number == rate);
		low += rate < 0.01;
		small += n < 12;
		leaves[(int) n - 10]++;
	}
	CHECK_NEAR(low / 4000.0, 0.5, 0.03);
	for (int k = 0; k < 4; k++)
		CHECK_NEAR(leaves[k] / 4000.0, 0.25, 0.03);
	end(&f);
}

/* A logarithmic range of integers reaches both of its ends. */
static void
integer_ends(void)
{
	Fixture f;
	bool seen[9] = {false};

	begin(&f);
	CHECK(create(&f.arena, "{}",
				 "{\"n_trials\": 100, \"max_leaves\": {\"min\": 2, \"max\": 8, \"log\": true}}", 1,
				 &f.search) == ML_OK);
	CHECK(f.search.n == 7); /* no more than there are */
	for (size_t i = 0; i < f.search.n; i++)
		seen[(int) f.search.candidates[i].values[LEAVES].number] = true;
	for (int n = 2; n <= 8; n++)
		CHECK(seen[n]);
	end(&f);
}

/* Different from each other, the same for the same seed, all of a small grid. */
static void
at_random(void)
{
	static const char *const space =
		"{\"method\": \"random\", \"n_trials\": 30, \"max_leaves\": [2, 4, 8, 16, 32, 64, 128, "
		"256], \"kind\": [\"a\", \"b\", \"c\"], \"count\": [1, null]}";
	Fixture f;
	MlSearch again, other;
	size_t differ = 0;

	begin(&f);
	CHECK(create(&f.arena, "{}", space, 3, &f.search) == ML_OK);
	CHECK(create(&f.arena, "{}", space, 3, &again) == ML_OK);
	CHECK(create(&f.arena, "{}", space, 4, &other) == ML_OK);
	CHECK(f.search.n == 30 && again.n == 30 && other.n == 30);
	for (size_t i = 0; i < 30; i++)
	{
		char mine[200];

		snprintf(mine, sizeof mine, "%s", written(&f, i));
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(mine, written(&f, j)) != 0);
		for (size_t p = 0; p < 4; p++)
			CHECK(f.search.candidates[i].values[p].number == again.candidates[i].values[p].number);
		differ += f.search.candidates[i].values[LEAVES].number !=
				  other.candidates[i].values[LEAVES].number;
	}
	CHECK(differ > 15);
	CHECK(create(&f.arena, "{}", "{\"n_trials\": 10, \"kind\": [\"a\", \"b\"]}", 3, &f.search) ==
		  ML_OK);
	CHECK(f.search.n == 2);
	CHECK(create(&f.arena, "{}", "{\"method\": \"halving\", \"factor\": 4, \"kind\": [\"a\"]}", 3,
				 &f.search) == ML_OK);
	CHECK(f.search.method == ML_SEARCH_HALVING && f.search.factor == 4);
	end(&f);
}

typedef struct Refused
{
	const char *search, *error, *hint;
} Refused;

static const Refused refused[] = {
	{"[1]", "option \"search\" must be an object, not an array", ""},
	{"{}", "option \"search\" names no parameter of algorithm \"toy\"",
	 "The view mlplat.parameters lists them."},
	{"{\"max_leafs\": [1]}", "search over \"max_leafs\": algorithm \"toy\" has no such parameter",
	 "Did you mean \"max_leaves\"?"},
	{"{\"metod\": \"grid\"}", "search over \"metod\": algorithm \"toy\" has no such parameter",
	 "Did you mean \"method\"?"},
	{"{\"kind\": [\"a\", \"d\"]}",
	 "option \"kind\" of toy must be \"a\", \"b\" or \"c\", not \"d\"", ""},
	{"{\"max_leaves\": [1]}",
	 "option \"max_leaves\" of toy must be an integer between 2 and 1000, "
	 "not 1",
	 ""},
	{"{\"max_leaves\": []}", "search over \"max_leaves\" has an empty list", ""},
	{"{\"max_leaves\": 31}",
	 "search over \"max_leaves\" must be a list of values or a range, not a number", NULL},
	{"{\"max_leaves\": {\"min\": 3}}", "search over \"max_leaves\" needs both \"min\" and \"max\"",
	 ""},
	{"{\"max_leaves\": {\"min\": 3, \"max\": 3}}",
	 "search over \"max_leaves\" needs a \"min\" that is less than \"max\"", ""},
	{"{\"max_leaves\": {\"min\": 3, \"max\": 3.5}}",
	 "option \"max_leaves\" of toy must be an integer between 2 and 1000, not 3.5", ""},
	{"{\"learning_rate\": {\"min\": 0, \"max\": 1}}",
	 "option \"learning_rate\" of toy must be a number between 1e-06 and 1, not 0", ""},
	{"{\"max_leaves\": {\"min\": 3, \"max\": 9, \"step\": 2}}",
	 "unknown option \"step\" for search over \"max_leaves\"", NULL},
	{"{\"kind\": {\"min\": 0, \"max\": 1}}",
	 "search over \"kind\" cannot be a range: its values are not numbers", NULL},
	{"{\"method\": \"grid\", \"max_leaves\": {\"min\": 3, \"max\": 9}}",
	 "method \"grid\" needs a list for each parameter", NULL},
	{"{\"method\": \"grid\", \"n_trials\": 3, \"kind\": [\"a\"]}",
	 "method \"grid\" tries every combination and takes no \"n_trials\"", NULL},
	{"{\"method\": \"bayes\", \"kind\": [\"a\"]}",
	 "option \"method\" of search must be \"grid\", \"random\" or \"halving\", not \"bayes\"", ""},
	{"{\"n_trials\": 0, \"kind\": [\"a\"]}",
	 "option \"n_trials\" of search must be an integer between 1 and 10000, not 0", ""},
	{"{\"factor\": 3, \"kind\": [\"a\"]}", "option \"factor\" is for method \"halving\"", ""},
	{"{\"kind\": [\"a\"], \"kind\": [\"b\"]}", "search over \"kind\" is given twice", ""},
};

static void
refusals(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
	{
		Fixture f;

		begin(&f);
		CHECK(create(&f.arena, "{}", refused[i].search, 0, &f.search) == ML_EINVAL);
		CHECK(strcmp(f.env.error, refused[i].error) == 0);
		if (refused[i].hint)
			CHECK(strcmp(f.env.hint, refused[i].hint) == 0);
		if (unit_case_failed)
			printf("# %s: %s (%s)\n", refused[i].search, f.env.error, f.env.hint);
		end(&f);
	}
}

/* More combinations than are tried. */
static void
huge_grid(void)
{
	char text[2000] = "{\"max_leaves\": [2", one[16];
	Fixture f;

	for (int i = 3; i < 200; i++)
	{
		snprintf(one, sizeof one, ",%d", i);
		strcat(text, one);
	}
	strcat(text, "], \"count\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20], \"kind\": "
				 "[\"a\",\"b\",\"c\"]}");
	begin(&f);
	CHECK(create(&f.arena, "{}", text, 0, &f.search) == ML_EINVAL);
	CHECK(strcmp(f.env.error, "the grid has 11880 combinations; at most 10000 are tried") == 0);
	end(&f);
}

static MlStatus
some_search(MlEnv *env, void *arg)
{
	MlArena arena;
	MlSearch search;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = create(&arena, "{}", arg, 1, &search);
	ml_arena_free(&arena);
	return status;
}

static void
allocations_fail(void)
{
	unit_every_allocation_fails(some_search,
								"{\"n_trials\": 40, \"learning_rate\": {\"min\": 0.1, \"max\": 1}, "
								"\"kind\": [\"a\", \"b\"], \"max_leaves\": [2,3,4,5,6,7,8,9]}",
								1000);
	unit_every_allocation_fails(some_search, "{\"max_leaves\": [2,3,4], \"kind\": [\"a\", \"b\"]}",
								1000);
}

int
main(void)
{
	RUN(grid);
	RUN(ranges);
	RUN(integer_ends);
	RUN(at_random);
	RUN(refusals);
	RUN(huge_grid);
	RUN(allocations_fail);
	return unit_end();
}
