/*
 * test_plot_kinds.c
 *		Drawings of models: each kind with its facts, without them, with wrong ones, and with hostile names.
 */
#include "unit.h"

#include "core/rng.h"
#include "markup_check.h"
#include "plot/plot.h"

#define BINARY \
	"{\"task\":\"classification\",\"classes\":[\"no\",\"yes\"],\"curves\":{" \
	"\"roc\":{\"threshold\":[null,0.5,0.1],\"fpr\":[0,0.2,1],\"tpr\":[0,0.7,1]}," \
	"\"pr\":{\"threshold\":[0.5,0.1],\"precision\":[0.8,0.25],\"recall\":[0.6,1]}," \
	"\"ks\":{\"threshold\":[0,0.5,1],\"cdf_negative\":[0,0.8,1],\"cdf_positive\":[0,0.3,1]}," \
	"\"lift\":{\"share\":[0,0.5,1],\"gain\":[0,0.8,1],\"lift\":[null,1.6,1]}," \
	"\"calibration\":{\"predicted\":[0.1,0.9],\"observed\":[0.2,0.8],\"count\":[300,100]}," \
	"\"confusion\":{\"classes\":[\"no\",\"yes\"],\"matrix\":[[70,6],[13,11]]}}," \
	"\"importance\":[{\"feature\":\"a\",\"gain\":3},{\"feature\":\"b\",\"gain\":1}]," \
	"\"coefficients\":[{\"feature\":\"a\",\"class\":\"k\",\"value\":2,\"std_error\":0.5," \
	"\"statistic\":4},{\"feature\":\"(intercept)\",\"value\":-1e6,\"std_error\":0.1," \
	"\"statistic\":" \
	"-1},{\"feature\":\"b\",\"value\":-1}]," \
	"\"log\":[{\"iteration\":1,\"loss\":0.6,\"valid_loss\":0.62,\"gradient_norm\":3," \
	"\"weight_norm\":1},{\"iteration\":2,\"loss\":0.5,\"gradient_norm\":2,\"weight_norm\":2," \
	"\"layers\":[{\"layer\":1,\"weight_norm\":2,\"low\":-1,\"high\":1,\"histogram\":[1,2,1]},{" \
	"\"weight_norm\":3}]}]," \
	"\"tree\":{\"number\":0,\"trees\":3,\"nodes\":[{\"rows\":100,\"class\":\"no\",\"shares\":[0." \
	"7," \
	"0.3]},{\"parent\":0,\"rule\":\"age <= " \
	"30\",\"rows\":60,\"class\":\"no\",\"shares\":[0.9,0.1]," \
	"\"more\":true},{\"parent\":0,\"rule\":\"age > " \
	"30\",\"rows\":40,\"class\":\"yes\",\"shares\":[0.4," \
	"0.6]}]}}"
#define REGRESSION \
	"{\"task\":\"regression\",\"curves\":{\"residuals\":{\"actual\":[1,2,3,4,5,6,7,8]," \
	"\"predicted\":[1.5,2,2.5,4,5.5,6,6,8]}}}"
#define CLUSTERS "{\"task\":\"clustering\",\"summary\":{\"sizes\":[70,30]}}"
#define COMPONENTS \
	"{\"task\":\"decomposition\",\"summary\":{\"explained_variance_ratio\":[0.7,0.2]}}"

/* A drawing and everything behind it. */
typedef struct Plot
{
	MlEnv env;
	MlArena arena;
	MlBuffer out;
	MlStatus status;
	bool drawn;
	const char *svg;
} Plot;

static void
draw(Plot *plot, size_t kind, const MlJson *const *facts, size_t n)
{
	static const char *const labels[] = {"late@1", "late@2", "late@3",
										 "late@4", "late@5", "late@6"};
	const MlPlotRequest request = {
		.subject = labels[0], .facts = facts, .labels = labels, .n = n, .cost_fn = 5.0};

	plot->out.len = 0;
	plot->status = ml_plot_svg(&plot->env, kind, &request, &plot->out, &plot->drawn);
	ml_put_u8(&plot->out, 0);
	plot->svg = (const char *) plot->out.data;
}

/* Draw a kind of facts given as text. */
static void
open_plot(Plot *plot, const char *kind, const char *facts)
{
	MlJson *json = NULL;
	const MlJson *list[1];

	ml_env_init(&plot->env);
	ml_arena_init(&plot->arena, &plot->env);
	ml_buffer_init(&plot->out, &plot->env);
	CHECK(ml_json_parse(&plot->arena, facts, strlen(facts), &json) == ML_OK);
	list[0] = json;
	CHECK(ml_plot_find(kind) < ml_plot_count());
	draw(plot, ml_plot_find(kind), list, 1);
	CHECK(plot->status == ML_OK && markup_error(plot->svg) == NULL);
}

static void
close_plot(Plot *plot)
{
	ml_buffer_free(&plot->out);
	ml_arena_free(&plot->arena);
	ml_env_close(&plot->env);
}

/* How often a string stands in the drawing of these facts. */
static size_t
count_in_plot(const char *kind, const char *facts, const char *what)
{
	Plot plot;
	size_t n;

	open_plot(&plot, kind, facts);
	n = markup_count(plot.svg, what);
	close_plot(&plot);
	return n;
}

/* The facts that a kind needs. */
static const char *
facts_of(const char *kind)
{
	if (strcmp(kind, "predicted") == 0 || strncmp(kind, "residual", 8) == 0)
		return REGRESSION;
	if (strcmp(kind, "cluster_sizes") == 0)
		return CLUSTERS;
	return strcmp(kind, "explained_variance") == 0 ? COMPONENTS : BINARY;
}

static void
every_kind_is_drawn_from_its_facts(void)
{
	for (size_t i = 0; i < ml_plot_count(); i++)
	{
		const char *kind = ml_plot_kind(i)->name;
		const char *svg = "<svg class=\"ch";

		CHECK(count_in_plot(kind, facts_of(kind), svg) == 1);
		CHECK(count_in_plot(kind, facts_of(kind), "xmlns=\"http://www.w3.org/2000/svg\"") == 1);
		CHECK(count_in_plot(kind, facts_of(kind), "<style>") == 1);
		CHECK(count_in_plot(kind, facts_of(kind), "late@1</title><desc>") == 1);
		CHECK(count_in_plot(kind, facts_of(kind), "class=\"card") == 0);
		CHECK(count_in_plot(kind, facts_of(kind), "<bdi") == 0);
		CHECK(count_in_plot(kind, "{}", svg) == 0);
	}
}

static void
words_become_the_alternative_text(void)
{
	CHECK(count_in_plot("roc", BINARY,
						"all thresholds. At its best trade-off it finds 70.0 % of \xE2\x80\x9Cyes"
						"\xE2\x80\x9D") == 1);
}

static void
costs_are_those_of_the_errors(void)
{
	/* from 0.5 on: 0.2 x 76 alarms of cost 1 and 0.3 x 24 misses of cost 5, over 100 rows */
	CHECK(count_in_plot("threshold_cost", BINARY, "least: 0.512") == 1);
}

static void
intercepts_are_not_drawn(void)
{
	CHECK(count_in_plot("coefficients", BINARY, "(intercept)") == 0);
	CHECK(count_in_plot("coefficients", BINARY, "a \xC2\xB7 k") > 0);
}

static void
trees_have_a_box_for_each_node(void)
{
	static const char *const unsound[] = {
		"{\"tree\":{\"nodes\":[{},{\"parent\":0}]}}",
		"{\"tree\":{\"nodes\":[{},{\"parent\":0},{\"parent\":0},{\"parent\":0}]}}",
		"{\"tree\":{\"nodes\":[{},{\"parent\":1},{\"parent\":0}]}}",
		"{\"tree\":{\"nodes\":[{},{\"parent\":0.5},{\"parent\":0}]}}",
		"{\"tree\":{\"nodes\":[{},{},{\"parent\":0}]}}",
		"{\"tree\":{\"nodes\":[]}}",
		"{\"tree\":{\"nodes\":7}}",
	};

	CHECK(count_in_plot("tree", BINARY, "class=\"bx") == 3);
	CHECK(count_in_plot("tree", BINARY, "class=\"bx mo\"") == 1);
	CHECK(count_in_plot("tree", BINARY, "age &lt;= 30") == 1);
	CHECK(count_in_plot("tree", "{\"tree\":{\"nodes\":[{\"value\":3}]}}", "class=\"bx\"") == 1);
	for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++)
		CHECK(count_in_plot("tree", unsound[i], "<svg") == 0);
}

static void
models_are_compared_by_name(void)
{
	Plot plot;
	const MlJson *list[6];
	MlJson *json = NULL, *none = NULL;

	ml_env_init(&plot.env);
	ml_arena_init(&plot.arena, &plot.env);
	ml_buffer_init(&plot.out, &plot.env);
	CHECK(ml_json_parse(&plot.arena, BINARY, strlen(BINARY), &json) == ML_OK);
	CHECK(ml_json_parse(&plot.arena, "{}", 2, &none) == ML_OK);
	for (size_t i = 0; i < 6; i++)
		list[i] = i == 3 ? none : json;
	for (size_t i = 0; i < ml_plot_count(); i++)
	{
		if (!ml_plot_kind(i)->compares)
			continue;
		draw(&plot, i, list, 6);
		CHECK(plot.status == ML_OK && plot.drawn && markup_error(plot.svg) == NULL);
		CHECK(markup_count(plot.svg, ">late@6<") == 1 && markup_count(plot.svg, ">late@4<") == 0);
		CHECK(markup_count(plot.svg, "class=\"ln ") == 5 + 5);
	}
	close_plot(&plot);
}

/* Replace one value somewhere in the facts by one of another kind. */
static void
spoil(MlJson *value, MlRng *rng)
{
	static MlJson others[] = {{.type = ML_JSON_NULL},
							  {.type = ML_JSON_BOOL, .boolean = true},
							  {.type = ML_JSON_NUMBER, .number = -1e308, .string = "-1e308"},
							  {.type = ML_JSON_NUMBER, .number = 1e308, .string = "1e308"},
							  {.type = ML_JSON_STRING, .string = "</title>\"<script>&\xFF"},
							  {.type = ML_JSON_ARRAY},
							  {.type = ML_JSON_OBJECT}};

	while (value->n > 0 && ml_rng_below(rng, 8) > 0)
		value = &value->items[ml_rng_below(rng, value->n)];
	if (value->n > 0 && ml_rng_below(rng, 2) == 0)
		value->n = ml_rng_below(rng, value->n);
	else
		*value = others[ml_rng_below(rng, sizeof others / sizeof others[0])];
}

static void
wrong_facts_never_break_a_drawing(void)
{
	MlRng rng;

	ml_rng_seed(&rng, 3, 0);
	for (int i = 0; i < 1500 && !unit_case_failed; i++)
	{
		size_t kind = (size_t) i % ml_plot_count();
		const char *facts = facts_of(ml_plot_kind(kind)->name);
		MlJson *json = NULL;
		const MlJson *list[1];
		Plot plot;

		ml_env_init(&plot.env);
		ml_arena_init(&plot.arena, &plot.env);
		ml_buffer_init(&plot.out, &plot.env);
		CHECK(ml_json_parse(&plot.arena, facts, strlen(facts), &json) == ML_OK);
		for (int k = 0; k <= i % 7; k++)
			spoil(json, &rng);
		list[0] = json;
		draw(&plot, kind, list, 1);
		CHECK(plot.status == ML_OK && markup_error(plot.svg) == NULL);
		CHECK(markup_count(plot.svg, "nan") + markup_count(plot.svg, "<script") == 0);
		close_plot(&plot);
	}
}

/* Every kind once, with the environment of the caller. */
static MlStatus
all_kinds(MlEnv *env, void *arg)
{
	MlStatus status = ML_OK;

	(void) arg;
	for (size_t i = 0; i < ml_plot_count() && status == ML_OK; i++)
	{
		const char *facts = facts_of(ml_plot_kind(i)->name);
		MlPlotRequest request = {.subject = "m", .n = 1};
		const MlJson *list[1];
		MlArena arena;
		MlBuffer out;
		MlJson *json;
		bool drawn;

		ml_arena_init(&arena, env);
		ml_buffer_init(&out, env);
		status = ml_json_parse(&arena, facts, strlen(facts), &json);
		list[0] = json;
		request.facts = list;
		if (status == ML_OK)
			status = ml_plot_svg(env, i, &request, &out, &drawn);
		ml_buffer_free(&out);
		ml_arena_free(&arena);
	}
	return status;
}

static void
running_out_of_memory_is_reported(void)
{
	unit_every_allocation_fails(all_kinds, NULL, 5000);
}

static void
kinds_are_found_by_name(void)
{
	CHECK(strcmp(ml_plot_kind(ml_plot_find("roc"))->name, "roc") == 0);
	CHECK(ml_plot_find("roq") == ml_plot_count() && ml_plot_find("") == ml_plot_count());
	CHECK(strcmp(ml_plot_nearest("calibratoin"), "calibration") == 0);
	CHECK(ml_plot_nearest("something else") == NULL);
}

int
main(void)
{
	RUN(every_kind_is_drawn_from_its_facts);
	RUN(words_become_the_alternative_text);
	RUN(costs_are_those_of_the_errors);
	RUN(intercepts_are_not_drawn);
	RUN(trees_have_a_box_for_each_node);
	RUN(models_are_compared_by_name);
	RUN(wrong_facts_never_break_a_drawing);
	RUN(running_out_of_memory_is_reported);
	RUN(kinds_are_found_by_name);
	return unit_end();
}
