/*
 * test_clean.c
 *		Steps of a cleaning, their statistics, white space.
 */
#include "unit.h"

#include "core/blanks.h"
#include "data/cleanstat.h"
#include "data/cleanstep.h"
#include "data/plainnumber.h"

typedef struct Parsed
{
	MlEnv env;
	MlArena arena;
	MlCleanStep *steps;
	size_t n;
	MlStatus status;
} Parsed;

static void
parse(Parsed *p, const char *text)
{
	MlJson *json = NULL;

	ml_env_init(&p->env);
	ml_arena_init(&p->arena, &p->env);
	p->steps = NULL;
	p->n = 0;
	p->status = ml_json_parse(&p->arena, text, strlen(text), &json);
	CHECK(p->status == ML_OK);
	if (p->status == ML_OK)
		p->status = ml_clean_parse(&p->arena, json, &p->steps, &p->n);
}

static void
release(Parsed *p)
{
	ml_arena_free(&p->arena);
	CHECK(p->env.used == 0);
}

static bool
fails_with(const char *text, const char *error, const char *hint)
{
	Parsed p;
	bool as_said;

	parse(&p, text);
	as_said = p.status == ML_EINVAL && strstr(p.env.error, error) && strstr(p.env.hint, hint);
	if (!as_said)
		printf("# %s: status %d, %s, %s\n", text, p.status, p.env.error, p.env.hint);
	release(&p);
	return as_said;
}

/* ---- steps */

static void
steps_have_three_forms(void)
{
	Parsed p;

	parse(
		&p,
		"[\"trim\", {\"lower\": null}, {\"upper\": \"a\"}, {\"drop_duplicates\": [\"b\", \"c\"]}, "
		"{\"fill\": {\"columns\": \"x\", \"value\": 1.50}}, {\"filter\": \"x > 1\"}]");
	CHECK(p.status == ML_OK && p.n == 6);
	CHECK(p.steps[0].action == ML_CLEAN_TRIM && ml_clean_n_names(&p.steps[0], 0) == 0);
	CHECK(p.steps[1].action == ML_CLEAN_LOWER);
	CHECK(ml_clean_n_names(&p.steps[2], 0) == 1);
	CHECK(strcmp(ml_clean_name(&p.steps[2], 0, 0), "a") == 0);
	CHECK(ml_clean_n_names(&p.steps[3], 0) == 2);
	CHECK(strcmp(ml_clean_name(&p.steps[3], 0, 1), "c") == 0);
	CHECK(ml_param_int(&p.steps[4].params, ML_CLEAN_FILL_WITH) == ML_CLEAN_CONSTANT);
	CHECK(strcmp(ml_clean_scalar(p.steps[4].params.values[ML_CLEAN_FILL_VALUE].json), "1.50") == 0);
	CHECK(strcmp(ml_param_text(&p.steps[5].params, 0), "x > 1") == 0);
	release(&p);
}

static void
defaults_are_those_of_the_field(void)
{
	Parsed p;

	parse(&p, "[\"clip\", {\"clip\": {\"by\": \"zscore\"}}, {\"clip\": {\"factor\": 2}}, "
			  "{\"clip\": {\"by\": "
			  "\"quantile\", \"upper\": 0.9}}, \"drop_empty\", \"group_rare\"]");
	CHECK(p.status == ML_OK);
	CHECK(ml_clean_factor(&p.steps[0]) == 1.5);
	CHECK(ml_clean_factor(&p.steps[1]) == 3.0);
	CHECK(ml_clean_factor(&p.steps[2]) == 2.0);
	CHECK(ml_clean_share(&p.steps[3], ML_CLEAN_CLIP_LOWER) == 0.01);
	CHECK(ml_clean_share(&p.steps[3], ML_CLEAN_CLIP_UPPER) == 0.9);
	CHECK(ml_param_real(&p.steps[4].params, ML_CLEAN_EMPTY_MAX) == 0.5);
	CHECK(strcmp(ml_param_text(&p.steps[5].params, ML_CLEAN_RARE_OTHER), "other") == 0);
	release(&p);
}

static void
every_action_has_its_table(void)
{
	int n = 0;

	for (; ml_clean_action_params(n); n++)
	{
		const MlParam *table = ml_clean_action_params(n);

		CHECK(ml_clean_action_name((MlCleanAction) n)[0] != '\0');
		for (int i = 0; table[i].name; i++)
			CHECK(table[i].help && table[i].fallback);
	}
	CHECK(n == ML_CLEAN_FILTER + 1);
	CHECK(ml_clean_action_params(-1) == NULL);
	CHECK(strcmp(ml_clean_action_name(ML_CLEAN_GROUP_RARE), "group_rare") == 0);
	CHECK(strcmp(ml_clean_action_params(ML_CLEAN_CAST)[ML_CLEAN_CAST_ON_ERROR].name, "on_error") ==
		  0);
	CHECK(strcmp(ml_clean_action_params(ML_CLEAN_CLIP)[ML_CLEAN_CLIP_UPPER].name, "upper") == 0);
	CHECK(strcmp(ml_clean_action_params(ML_CLEAN_FILL)[ML_CLEAN_FILL_GROUP].name, "group_by") == 0);
	CHECK(strcmp(ml_clean_action_params(ML_CLEAN_MAP)[ML_CLEAN_MAP_OTHER].name, "other") == 0);
}

static void
mistakes_are_named(void)
{
	CHECK(fails_with("7", "steps must be an array of steps, not a number", ""));
	CHECK(fails_with("[]", "must not be empty", ""));
	CHECK(fails_with("[{}]", "step 1 must be an action's name", ""));
	CHECK(fails_with("[\"trim\", \"drop_duplicate\"]", "step 2 has the unknown action",
					 "drop_duplicates"));
	CHECK(fails_with("[{\"fill\": {\"whit\": \"mean\"}}]",
					 "unknown option \"whit\" for step 1 (fill)", "with"));
	CHECK(fails_with("[{\"trim\": {\"columns\": [\"a\", 1]}}]",
					 "must be a column's name or an array", ""));
	CHECK(
		fails_with("[{\"fill\": {\"with\": \"previous\"}}]", "needs the option \"order_by\"", ""));
	CHECK(fails_with("[{\"clip\": {\"by\": \"quantile\", \"lower\": 0.5, \"upper\": 0.5}}]",
					 "lower before upper", ""));
	CHECK(fails_with("[{\"cast\": {\"columns\": \"a\", \"type\": \"int\", \"default\": 1}}]",
					 "only for the rule", ""));
}

static void
hostile_steps_end_in_an_error(void)
{
	char text[2000];
	int n = 0;

	text[n++] = '[';
	for (int i = 0; i < 101; i++)
		n += snprintf(text + n, sizeof text - n, "%s\"trim\"", i > 0 ? "," : "");
	snprintf(text + n, sizeof text - n, "]");
	CHECK(fails_with(text, "at most 100", ""));
	memset(text, 'x', sizeof text);
	memcpy(text, "[\"", 2);
	memcpy(text + 1500, "\"]", 3);
	CHECK(fails_with(text, "unknown action \"xxx", ""));
}

static MlStatus
parse_many(MlEnv *env, void *arg)
{
	MlArena arena;
	MlJson *json;
	MlCleanStep *steps;
	size_t n;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = ml_json_parse(&arena, arg, strlen(arg), &json);
	if (status == ML_OK)
		status = ml_clean_parse(&arena, json, &steps, &n);
	ml_arena_free(&arena);
	return status;
}

static void
survives_failing_allocations(void)
{
	unit_every_allocation_fails(parse_many,
								"[{\"fill\": {\"with\": \"mean\"}}, {\"drop_duplicates\": \"a\"}, "
								"{\"clip\": {\"by\": \"zscore\"}}]",
								1000);
}

/* ---- statistics */

static void
moments_match_by_hand(void)
{
	MlCleanMoments moments = {0};

	CHECK(isnan(ml_clean_mean(&moments)) && isnan(ml_clean_stddev(&moments)));
	ml_clean_moments_add(&moments, 2);
	CHECK(isnan(ml_clean_stddev(&moments)));
	for (double x = 4; x <= 6; x++)
		ml_clean_moments_add(&moments, x);
	ml_clean_moments_add(&moments, NAN);
	ml_clean_moments_add(&moments, INFINITY);
	CHECK(moments.n == 4);
	CHECK_NEAR(ml_clean_mean(&moments), 4.25, 1e-15);
	CHECK_NEAR(ml_clean_stddev(&moments), sqrt(8.75 / 3), 1e-15);
}

static void
sums_keep_small_numbers(void)
{
	MlCleanMoments moments = {0};

	ml_clean_moments_add(&moments, 1e17);
	for (int i = 0; i < 1000; i++)
		ml_clean_moments_add(&moments, 1);
	ml_clean_moments_add(&moments, -1e17);
	CHECK_NEAR(ml_clean_mean(&moments), 1000.0 / 1002, 1e-15);
	moments = (MlCleanMoments){0};
	for (int i = 0; i < 4; i++)
		ml_clean_moments_add(&moments, 1e308);
	CHECK_NEAR(ml_clean_mean(&moments) / 1e308, 1, 1e-15);
}

static void
quantiles_interpolate(void)
{
	int64_t lower;

	CHECK(ml_clean_rank(0.25, 5, &lower) == 0 && lower == 1);
	CHECK(ml_clean_rank(0.25, 2, &lower) == 0.25 && lower == 0);
	CHECK(ml_clean_rank(1, 5, &lower) == 0 && lower == 4);
	CHECK(ml_clean_rank(0.9, 1, &lower) == 0 && lower == 0);
	CHECK(ml_clean_between(1, 2, 0.25) == 1.25);
	CHECK(ml_clean_between(3, INFINITY, 0) == 3);
	CHECK(ml_clean_between(INFINITY, INFINITY, 0.5) == INFINITY);
	CHECK(isnan(ml_clean_between(-INFINITY, INFINITY, 0.5)));
	CHECK_NEAR(ml_clean_between(-1.7e308, 1.7e308, 0.5), 0, 1e-15);
}

static void
bounds_of_outliers(void)
{
	MlCleanMoments moments = {0};
	MlCleanBounds bounds = ml_clean_bounds_iqr(1, 3, 1.5);

	CHECK(bounds.lower == -2 && bounds.upper == 6);
	bounds = ml_clean_bounds_iqr(-INFINITY, 3, 1.5);
	CHECK(isnan(bounds.lower) && isnan(bounds.upper));
	ml_clean_moments_add(&moments, 1);
	bounds = ml_clean_bounds_zscore(&moments, 3);
	CHECK(isnan(bounds.lower) && isnan(bounds.upper));
	ml_clean_moments_add(&moments, 3);
	bounds = ml_clean_bounds_zscore(&moments, 3);
	CHECK_NEAR(bounds.lower, 2 - 3 * sqrt(2), 1e-15);
	CHECK_NEAR(bounds.upper, 2 + 3 * sqrt(2), 1e-15);
}

/* ---- white space */

static bool
trims(const char *text, const char *trimmed, const char *collapsed, bool utf8)
{
	size_t len = strlen(text), n;
	char *copy = malloc(len + 1), *out = malloc(len + 1);
	const char *start;
	bool good;

	memcpy(copy, text, len);
	n = ml_collapse_blanks(copy, len, utf8, out);
	good = n == strlen(collapsed) && memcmp(out, collapsed, n) == 0;
	start = ml_trim_blanks(copy, &len, utf8);
	good = good && len == strlen(trimmed) && memcmp(start, trimmed, len) == 0;
	free(copy);
	free(out);
	return good;
}

static void
blanks_are_those_of_unicode(void)
{
	CHECK(trims("", "", "", true));
	CHECK(trims(" \t\r\n\v\f", "", "", true));
	CHECK(trims("  a  b ", "a  b", "a b", true));
	CHECK(trims("\u00a0a\u3000\u2003b\u2028", "a\u3000\u2003b", "a b", true));
	CHECK(trims("\u1680\u205f\u202f\xc2\x85"
				"x",
				"x", "x", true));
	/* zero width space and a letter whose last bytes look alike are none */
	CHECK(trims("\u200bx\u200b", "\u200bx\u200b", "\u200bx\u200b", true));
	CHECK(trims("\u0120\u00e0", "\u0120\u00e0", "\u0120\u00e0", true));
	CHECK(trims("\xc2\xa0z", "\xc2\xa0z", "\xc2\xa0z", false));
	/* damaged at either end */
	CHECK(trims("\xe3\x80", "\xe3\x80", "\xe3\x80", true));
	CHECK(trims("\xc2", "\xc2", "\xc2", true));
	CHECK(trims("\x80\xa0", "\x80\xa0", "\x80\xa0", true));
}

static bool
is_plain(const char *text, int max_digits, bool fraction)
{
	return ml_is_plain_number(text, strlen(text), max_digits, fraction);
}

static void
plain_numbers_have_no_surprises(void)
{
	CHECK(is_plain("0", 1, false) && is_plain("-12", 2, false) && is_plain("+007", 3, false));
	CHECK(is_plain("1.5", 2, true) && is_plain("-1.", 1, true) && is_plain("12", 2, true));
	CHECK(!is_plain("", 9, true) && !is_plain("-", 9, true) && !is_plain(".", 9, true));
	CHECK(!is_plain(".5", 9, true) && !is_plain("1.5", 9, false) && !is_plain("1.5.0", 9, true));
	CHECK(!is_plain("123", 2, false) && !is_plain("1.23", 2, true) && !is_plain("1e5", 9, true));
	CHECK(!is_plain(" 1", 9, false) && !is_plain("--1", 9, false) && !is_plain("1_0", 9, false));
}

int
main(void)
{
	RUN(steps_have_three_forms);
	RUN(defaults_are_those_of_the_field);
	RUN(every_action_has_its_table);
	RUN(mistakes_are_named);
	RUN(hostile_steps_end_in_an_error);
	RUN(survives_failing_allocations);
	RUN(moments_match_by_hand);
	RUN(sums_keep_small_numbers);
	RUN(quantiles_interpolate);
	RUN(bounds_of_outliers);
	RUN(blanks_are_those_of_unicode);
	RUN(plain_numbers_have_no_surprises);
	return unit_end();
}
