/*
 * test_report.c
 *		The report page: every part with its facts, without them, with wrong ones, and with hostile names.
 */
#include "unit.h"

#include "core/rng.h"
#include "markup_check.h"
#include "plot/report.h"

/* A page and everything behind it. */
typedef struct Page
{
	MlEnv env;
	MlArena arena;
	MlBuffer out;
	MlStatus status;
	const char *html;
} Page;

/* Write the page of parsed facts into page, whose env and arena are there. */
static void
write_page(Page *page, const MlJson *facts)
{
	page->out.len = 0;
	page->status = ml_report_html(&page->env, facts, &page->out);
	ml_put_u8(&page->out, 0);
	page->html = page->status == ML_OK ? (const char *) page->out.data : "";
}

/* The page of facts given as text. */
static void
open_page(Page *page, const char *facts)
{
	MlJson *json = NULL;

	ml_env_init(&page->env);
	ml_arena_init(&page->arena, &page->env);
	ml_buffer_init(&page->out, &page->env);
	CHECK(ml_json_parse(&page->arena, facts, strlen(facts), &json) == ML_OK);
	write_page(page, json);
	CHECK(page->status == ML_OK);
	CHECK(markup_error(page->html) == NULL);
}

static void
close_page(Page *page)
{
	ml_buffer_free(&page->out);
	ml_arena_free(&page->arena);
	ml_env_close(&page->env);
}

/* How often a string stands in the page of these facts. */
static size_t
count_in_page(const char *facts, const char *what)
{
	Page page;
	size_t n;

	open_page(&page, facts);
	n = markup_count(page.html, what);
	close_page(&page);
	return n;
}

#define HEAD \
	"\"name\":\"late\",\"version\":3,\"created\":\"2025-12-14 " \
	"03:00:12.345+01\",\"owner\":\"ann\"," \
	"\"target\":\"late\",\"task\":\"binary\",\"algorithm\":\"gbdt\",\"rows\":200000,\"dropped\":" \
	"1204," \
	"\"holdout_rows\":40000,\"seconds\":1.834,\"image_bytes\":912345,\"active\":true," \
	"\"metric\":\"log_loss\",\"score\":0.4322,\"classes\":[\"no\",\"yes\"],"
#define QUALITY \
	"\"metrics\":{\"roc_auc\":0.79,\"accuracy\":0.8055,\"log_loss\":0.4322,\"own\":12.5}," \
	"\"curves\":{" \
	"\"roc\":{\"threshold\":[null,0.5,0.1],\"fpr\":[0,0.2,1],\"tpr\":[0,0.7,1]}," \
	"\"pr\":{\"threshold\":[0.5,0.1],\"precision\":[0.8,0.25],\"recall\":[0.6,1]}," \
	"\"ks\":{\"threshold\":[0,0.5,1],\"cdf_negative\":[0,0.8,1],\"cdf_positive\":[0,0.3,1]}," \
	"\"lift\":{\"share\":[0,0.5,1],\"gain\":[0,0.8,1],\"lift\":[null,1.6,1]}," \
	"\"calibration\":{\"predicted\":[0.1,0.9],\"observed\":[0.2,0.8],\"count\":[300,100]}," \
	"\"confusion\":{\"classes\":[\"no\",\"yes\"],\"matrix\":[[70,6],[13,11]]}},"
#define INSIDE \
	"\"importance\":[{\"feature\":\"a\",\"gain\":3},{\"feature\":\"b\",\"gain\":1}]," \
	"\"coefficients\":[{\"feature\":\"a\",\"class\":null,\"value\":2,\"std_error\":0.5," \
	"\"statistic\":4,\"p_value\":0.0001}," \
	"{\"feature\":\"(intercept)\",\"value\":-1,\"std_error\":0.1,\"statistic\":-1,\"p_value\":0." \
	"25}]," \
	"\"log\":[{\"iteration\":1,\"loss\":0.6,\"valid_loss\":0.62},{\"iteration\":2,\"loss\":0.5," \
	"\"valid_loss\":0.55}," \
	"{\"iteration\":3,\"loss\":0.4,\"valid_loss\":0.57}],\"params\":{\"n_trees\":3,\"learning_" \
	"rate\":0.1}," \
	"\"summary\":{\"leaves\":93,\"advice\":\"more rows <help>\"}," \
	"\"features\":[{\"name\":\"a\",\"type\":\"integer\",\"kind\":\"numeric\"}]," \
	"\"query\":\"SELECT * FROM flights WHERE a < 3 && b\"," \
	"\"history\":[{\"version\":3,\"score\":0.43,\"created\":\"2025-12-14 " \
	"03:00\",\"active\":true}," \
	"{\"version\":2,\"score\":0.44,\"created\":null,\"active\":false},{\"version\":1,\"score\":" \
	"null}]"
#define WHOLE "{" HEAD QUALITY INSIDE "}"

static void
every_part_is_there(void)
{
	static const char *const parts[] = {"id=\"quality\"",
										"id=\"curves\"",
										"id=\"classes\"",
										"id=\"drivers\"",
										"id=\"training\"",
										"id=\"data\"",
										"id=\"history\"",
										"<h3>ROC curve</h3>",
										"<h3>Precision and recall</h3>",
										"<h3>Separation (KS)</h3>",
										"<h3>Gain</h3>",
										"<h3>Lift</h3>",
										"<h3>Calibration</h3>",
										"<h3>Confusion matrix</h3>",
										"<h3>Other thresholds</h3>",
										"<h3>Threshold against cost</h3>",
										"<h3>Importance</h3>",
										"<h3>Coefficients</h3>",
										"<h3>Learning curve</h3>",
										"<h3>Parameters</h3>",
										"<h3>Inputs</h3>",
										"<h3>Query</h3>"};
	Page page;

	open_page(&page, WHOLE);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		CHECK(markup_count(page.html, parts[i]) == 1);
	/* seven pictures of quality, importance, learning curve, scores by version */
	CHECK(markup_count(page.html, "<svg ") == 11);
	CHECK(markup_count(page.html, "role=\"img\"") == 11 && markup_count(page.html, "<desc>") == 11);
	close_page(&page);
}

static void
figures_are_those_of_the_facts(void)
{
	Page page;

	open_page(&page, WHOLE);
	/* 160,000 = 200,000 - 40,000 */
	CHECK(markup_count(page.html, "160,000") == 1 && markup_count(page.html, "40,000") == 2);
	CHECK(markup_count(page.html, "1,204 left out") == 1);
	CHECK(markup_count(page.html, "79 of 100 cases") == 1);
	/* 76 of the 100 rows in the matrix are "no" */
	CHECK(markup_count(page.html, "81 of 100 rows") == 1 &&
		  markup_count(page.html, "76 of 100.") == 1);
	/* exp(-0.4322); the log loss of the shares 0.76 and 0.24 is 0.5511 */
	CHECK(markup_count(page.html, "64.9 %") == 1 && markup_count(page.html, "57.6 %") == 1);
	CHECK(markup_count(page.html, ">KS 0.500<") == 1);
	/* importance 3 : 1 */
	CHECK(markup_count(page.html, ">75.0 %</text>") == 1 &&
		  markup_count(page.html, ">25.0 %</text>") == 1);
	CHECK(markup_count(page.html, "lowest after iteration 2 of 3") == 1 &&
		  markup_count(page.html, ">best: 0.5500<") == 1);
	CHECK(markup_count(page.html, "&lt; 0.001") == 1 && markup_count(page.html, ">0.250<") == 1);
	/* 300 rows off by 0.1, 100 rows as well */
	CHECK(markup_count(page.html, "differ by 10 percentage points") == 1);
	/* precision 11/17, recall 11/24 */
	CHECK(markup_count(page.html, "precision 64.7 %") == 1 &&
		  markup_count(page.html, "recall 45.8 %") == 1);
	/* from 0.5 on: 0.2 of 76 and 0.7 of 24 rows */
	CHECK(markup_count(page.html, "<td>50.0 %</td><td class=\"r\">32.0 %</td><td class=\"r\">52.5 %"
								  "</td><td class=\"r\">70.0 %</td>") == 1);
	CHECK(markup_count(page.html, "more rows &lt;help&gt;") == 1 &&
		  markup_count(page.html, ">93<") == 1);
	CHECK(markup_count(page.html, "WHERE a &lt; 3 &amp;&amp; b") == 1);
	close_page(&page);
}

static void
coefficients_start_with_the_intercept(void)
{
	Page page;
	const char *intercept, *a;

	open_page(&page, WHOLE);
	intercept = strstr(page.html, "<td><bdi>(intercept)</bdi>");
	a = strstr(page.html, "<td><bdi>a</bdi></td><td class=\"r\">2</td>");
	CHECK(intercept && a && intercept < a);
	close_page(&page);
}

static void
what_was_not_evaluated_says_so(void)
{
	const char *facts = "{" HEAD "\"metrics\":{},\"curves\":{}," INSIDE "}";
	const char *trained =
		"{\"name\":\"m\",\"task\":\"regression\",\"metrics\":{},\"rows\":10,\"holdout_rows\":0}";

	CHECK(count_in_page(trained, "Not evaluated: trained without a hold-out") == 1);
	CHECK(count_in_page(trained, "<svg ") == 0);
	/* a score without the metrics is shown */
	CHECK(count_in_page(facts, "Not evaluated") == 0);
	CHECK(count_in_page(facts, "id=\"curves\"") == 0);
}

static void
no_facts_still_make_a_page(void)
{
	static const char *const others[] = {"{}", "[]", "null", "3", "\"x\""};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		CHECK(count_in_page(others[i], "Not evaluated") == 1);
}

static void
residuals_leave_wild_rows_out(void)
{
	const char *facts = "{\"name\":\"m\",\"task\":\"regression\",\"target\":\"y\",\"metric\":"
						"\"rmse\",\"metrics\":{\"rmse\":1,\"r2\":0.5},"
						"\"curves\":{\"residuals\":{\"actual\":[1,2,3,4,5,6,7,8,9,10,null],"
						"\"predicted\":[1.5,2,3.5,3,5,6.5,7,8.5,9,-9000,1]}}}";

	CHECK(count_in_page(facts, "<svg ") == 3);
	CHECK(count_in_page(facts, "A sample of 10 held-out rows") == 1);
	CHECK(count_in_page(facts, "1 row lies outside the picture.") == 3);
	/* nine dots in each cloud */
	CHECK(count_in_page(facts, "<circle cx=") == 18);
	/* the standard deviation of 1..10 */
	CHECK(count_in_page(facts, "always answering the mean would be off by 2.87") == 1);
	CHECK(count_in_page(facts, "explains 50.0 % of the variance") == 1);
}

static void
many_features_are_counted_not_shown(void)
{
	MlEnv env;
	MlBuffer facts;

	ml_env_init(&env);
	ml_buffer_init(&facts, &env);
	ml_put_format(&facts, "{\"name\":\"wide\",\"importance\":[");
	for (int i = 0; i < 1000; i++)
		ml_put_format(&facts, "%s{\"feature\":\"f%d\",\"gain\":%d}", i ? "," : "", i,
					  (i * 7) % 1000);
	ml_put_format(&facts, "],\"features\":[");
	for (int i = 0; i < 1000; i++)
		ml_put_format(&facts, "%s{\"name\":\"f%d\",\"type\":\"real\",\"kind\":\"numeric\"}",
					  i ? "," : "", i);
	ml_put_format(&facts, "]}");
	ml_put_u8(&facts, 0);
	CHECK(count_in_page((char *) facts.data, "and 980 more features") == 1);
	CHECK(count_in_page((char *) facts.data, "<p class=\"more\">and 970 more</p>") == 1);
	/* 7 * 857 = 5999: the greatest gain */
	CHECK(count_in_page((char *) facts.data, "f857</text>") == 1 &&
		  count_in_page((char *) facts.data, "f1</text>") == 0);
	ml_buffer_free(&facts);
	ml_env_close(&env);
}

static void
classes_beyond_counting(void)
{
	enum
	{
		N = 100
	};
	MlEnv env;
	MlBuffer facts;
	Page page;

	ml_env_init(&env);
	ml_buffer_init(&facts, &env);
	ml_put_format(
		&facts,
		"{\"name\":\"many\",\"task\":\"multiclass\",\"curves\":{\"confusion\":{\"classes\":[");
	for (int i = 0; i < N; i++)
		ml_put_format(&facts, "%s\"c%d\"", i ? "," : "", i);
	ml_put_format(&facts, "],\"matrix\":[");
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			ml_put_format(&facts, "%s%d%s",
						  j   ? ","
						  : i ? ",["
							  : "[",
						  i == j             ? 90
						  : (i + 1) % N == j ? i
											 : 0,
						  j == N - 1 ? "]" : "");
	ml_put_format(&facts, "]}}}");
	ml_put_u8(&facts, 0);
	open_page(&page, (char *) facts.data);
	CHECK(markup_count(page.html, "and 92 more classes") == 1);
	/* c99 goes to c0 99 times of 189: the most frequent mix-up and the class found least */
	CHECK(markup_count(page.html, "c99 \xE2\x86\x92 c0</text>") == 1);
	CHECK(markup_count(page.html, "<td><bdi>c99</bdi></td><td class=\"r\">189</td>") == 1);
	CHECK(page.out.len < 100000);
	close_page(&page);
	ml_buffer_free(&facts);
	ml_env_close(&env);
}

static void
names_cannot_break_out(void)
{
	const char *facts =
		"{\"name\":\"</title><script>alert(1)</script>\",\"owner\":\"\\\"><img src=x "
		"onerror=alert(1)>\","
		"\"target\":\"</bdi></b></p>\",\"algorithm\":\"<i>\",\"query\":\"</"
		"pre><script>\",\"task\":\"binary\","
		"\"classes\":[\"<a>\",\"\\u202E'\\\"&amp;\"],\"metric\":\"</"
		"h1>\",\"score\":1,\"metrics\":{\"</table>\":1,\"</h1>\":2},"
		"\"curves\":{\"ks\":{\"threshold\":[0,1],\"cdf_negative\":[0,1],\"cdf_positive\":[0,0.5]},"
		"\"confusion\":{\"classes\":[\"</svg>\",\"]]>\"],\"matrix\":[[1,2],[3,4]]}},"
		"\"params\":{\"<style>\":\"</style>\"},\"importance\":[{\"feature\":\"</"
		"text><script>\",\"gain\":1}],"
		"\"features\":[{\"name\":\"\\u0001\\u007f\",\"type\":\"<!--\",\"kind\":\"-->\"}],"
		"\"history\":[{\"version\":1,\"created\":\"<b>\",\"score\":2}]}";

	CHECK(count_in_page(facts, "<script") == 1 && count_in_page(facts, "</script>") == 1);
	CHECK(count_in_page(facts, "<style") == 1 && count_in_page(facts, "<img") == 0);
	CHECK(count_in_page(facts, "&lt;script&gt;alert(1)") == 2);
	CHECK(count_in_page(facts, "<!--") == 0);
}

static void
the_page_loads_nothing(void)
{
	CHECK(count_in_page(
			  WHOLE, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';") == 1);
	CHECK(count_in_page(WHOLE, "http:") + count_in_page(WHOLE, "https:") +
			  count_in_page(WHOLE, "url(") ==
		  0);
	CHECK(count_in_page(WHOLE, " src=") + count_in_page(WHOLE, "<link") +
			  count_in_page(WHOLE, "@import") ==
		  0);
}

/* Replace one value somewhere in the facts by one of another kind. */
static void
spoil(MlJson *value, MlRng *rng)
{
	static MlJson others[] = {{.type = ML_JSON_NULL},
							  {.type = ML_JSON_BOOL, .boolean = true},
							  {.type = ML_JSON_NUMBER, .number = -1e308, .string = "-1e308"},
							  {.type = ML_JSON_NUMBER, .number = 0.5, .string = "0.5"},
							  {.type = ML_JSON_STRING, .string = ""},
							  {.type = ML_JSON_STRING, .string = "text"},
							  {.type = ML_JSON_ARRAY},
							  {.type = ML_JSON_OBJECT}};

	while (value->n > 0 && ml_rng_below(rng, 4) > 0)
		value = &value->items[ml_rng_below(rng, value->n)];
	if (value->n > 0 && ml_rng_below(rng, 2) == 0)
		value->n = ml_rng_below(rng, value->n);
	else
		*value = others[ml_rng_below(rng, sizeof others / sizeof others[0])];
}

static void
wrong_facts_never_break_the_page(void)
{
	MlRng rng;

	ml_rng_seed(&rng, 3, 0);
	for (int i = 0; i < 400 && !unit_case_failed; i++)
	{
		Page page;
		MlJson *facts = NULL;

		ml_env_init(&page.env);
		ml_arena_init(&page.arena, &page.env);
		ml_buffer_init(&page.out, &page.env);
		CHECK(ml_json_parse(&page.arena, WHOLE, strlen(WHOLE), &facts) == ML_OK);
		for (int k = 0; k <= i % 5; k++)
			spoil(facts, &rng);
		write_page(&page, facts);
		CHECK(page.status == ML_OK && markup_error(page.html) == NULL);
		CHECK(markup_count(page.html, ">nan<") + markup_count(page.html, ">inf<") +
				  markup_count(page.html, "-nan") ==
			  0);
		close_page(&page);
	}
}

/* A page of small facts with the environment of the caller. */
static MlStatus
small_page(MlEnv *env, void *arg)
{
	MlArena arena;
	MlBuffer out;
	MlJson *facts;
	MlStatus status;

	(void) arg;
	ml_arena_init(&arena, env);
	ml_buffer_init(&out, env);
	status = ml_json_parse(&arena, WHOLE, strlen(WHOLE), &facts);
	if (status == ML_OK)
		status = ml_report_html(env, facts, &out);
	ml_buffer_free(&out);
	ml_arena_free(&arena);
	return status;
}

static void
running_out_of_memory_is_reported(void)
{
	unit_every_allocation_fails(small_page, NULL, 2000);
}

/* A user who has pressed Ctrl-C. */
static bool
always(void *ctx)
{
	(void) ctx;
	return true;
}

static void
cancel_ends_it(void)
{
	MlEnv env;

	ml_env_init(&env);
	env.canceled = always;
	CHECK(small_page(&env, NULL) == ML_ECANCELED);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(every_part_is_there);
	RUN(figures_are_those_of_the_facts);
	RUN(coefficients_start_with_the_intercept);
	RUN(what_was_not_evaluated_says_so);
	RUN(no_facts_still_make_a_page);
	RUN(residuals_leave_wild_rows_out);
	RUN(many_features_are_counted_not_shown);
	RUN(classes_beyond_counting);
	RUN(names_cannot_break_out);
	RUN(the_page_loads_nothing);
	RUN(wrong_facts_never_break_the_page);
	RUN(running_out_of_memory_is_reported);
	RUN(cancel_ends_it);
	return unit_end();
}
