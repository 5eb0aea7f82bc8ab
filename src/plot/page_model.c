/*
 * page_model.c
 *		What is in the model: importance, coefficients, the course of the training, parameters.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BARS 20
#define MAX_COEFFICIENTS 20
#define NORMAL_95 \
	1.959964 /* the middle 95 % of a normal distribution: so many deviations up and down */

/* An element of an array and what it is sorted by. */
typedef struct Ranked
{
	const MlJson *item;
	double key;
	size_t place; /* in the facts: keeps equal keys in order */
} Ranked;

/* The largest keys first, missing ones last. */
static int
by_key(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;
	double kx = isnan(x->key) ? -INFINITY : x->key, ky = isnan(y->key) ? -INFINITY : y->key;

	if (kx != ky)
		return kx > ky ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Importance: the part of each feature, the largest on top. */
MlStatus
ml_page_importance(MlPage *page)
{
	size_t n, shown;
	const MlJson *array = ml_fact_array(page->facts, "importance", &n);
	Ranked *ranked = ml_arena_array(&page->arena, n + 1, sizeof(Ranked));
	MlBar bars[MAX_BARS];
	char texts[MAX_BARS][ML_NUMBER_ROOM];
	double total = 0.0;
	MlBarChart chart = {
		.caption = ml_page_caption(page, "Importance", "Share of the total gain by feature."),
		.bars = bars};

	if (!ranked)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
	{
		ranked[i] = (Ranked){&array->items[i], ml_fact_number(&array->items[i], "gain"), i};
		total += ranked[i].key > 0.0 && isfinite(ranked[i].key) ? ranked[i].key : 0.0;
	}
	if (!(total > 0.0))
		return ML_OK;
	qsort(ranked, n, sizeof(Ranked), by_key);
	shown = ML_MIN(n, MAX_BARS);
	for (size_t i = 0; i < shown; i++)
	{
		const char *name = ml_fact_text(ranked[i].item, "feature");
		double part = ranked[i].key / total;

		bars[i] = (MlBar){name ? name : "\xE2\x80\x93", part, ml_human_percent(texts[i], part)};
	}
	chart.n = shown;
	ml_page_card(page, "Importance", "");
	ml_page_raw(page, "<p>How much each feature contributes to the fit, as a share of all.</p>");
	ml_chart_bars(page->out, &chart);
	if (n > shown)
		ml_put_format(page->words, "<p class=\"more\">and %zu more features</p>", n - shown);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* A p-value as people write it. */
static void
put_p_value(MlPage *page, double p)
{
	if (p < 0.001)
		ml_page_raw(page, "&lt; 0.001");
	else if (isnan(p))
		ml_page_number(page, p, 3);
	else
		ml_put_format(page->words, "%.3f", p);
}

/* One row of the coefficients' table. */
static void
put_coefficient(MlPage *page, const MlJson *row, bool classes, bool tested)
{
	static const char *const keys[] = {"value", "std_error", "statistic"};
	const char *feature = ml_fact_text(row, "feature"), *class = ml_fact_text(row, "class");

	ml_page_raw(page, "<tr><td>");
	ml_page_name(page, feature ? feature : "\xE2\x80\x93", 22.0);
	ml_page_raw(page, "</td>");
	if (classes)
	{
		ml_page_raw(page, "<td>");
		ml_page_name(page, class ? class : "\xE2\x80\x93", 12.0);
		ml_page_raw(page, "</td>");
	}
	for (int k = 0; k < (tested ? 3 : 1); k++)
	{
		ml_page_raw(page, "<td class=\"r\">");
		ml_page_number(page, ml_fact_number(row, keys[k]), 4);
		ml_page_raw(page, "</td>");
	}
	if (tested)
	{
		ml_page_raw(page, "<td class=\"r\">");
		put_p_value(page, ml_fact_number(row, "p_value"));
		ml_page_raw(page, "</td>");
	}
	ml_page_raw(page, "</tr>");
}

/* Rank the coefficients: the intercept first, then by test statistic, or by size where there is none. */
static void
rank_coefficients(const MlJson *array, Ranked *ranked, bool *classes, bool *tested)
{
	*classes = *tested = false;
	for (size_t i = 0; i < array->n; i++)
	{
		const MlJson *row = &array->items[i];

		*classes |= ml_fact_text(row, "class") != NULL;
		*tested |= isfinite(ml_fact_number(row, "std_error"));
	}
	for (size_t i = 0; i < array->n; i++)
	{
		const char *feature = ml_fact_text(&array->items[i], "feature");
		double key = fabs(ml_fact_number(&array->items[i], *tested ? "statistic" : "value"));

		if (feature && strcmp(feature, "(intercept)") == 0)
			key = INFINITY;
		ranked[i] = (Ranked){&array->items[i], key, i};
	}
	qsort(ranked, array->n, sizeof(Ranked), by_key);
}

/* The coefficients with their tests; of many, the strongest. */
static MlStatus
put_coefficients(MlPage *page)
{
	size_t n, shown;
	const MlJson *array = ml_fact_array(page->facts, "coefficients", &n);
	Ranked *ranked = ml_arena_array(&page->arena, n + 1, sizeof(Ranked));
	bool classes, tested;

	if (!ranked)
		return ML_ENOMEM;
	if (!array)
		return ML_OK;
	rank_coefficients(array, ranked, &classes, &tested);
	shown = ML_MIN(n, MAX_COEFFICIENTS);
	ml_page_card(page, "Coefficients", "two");
	ml_page_raw(page, "<p>");
	ml_page_raw(page,
				page->task == ML_PAGE_REGRESSION
					? "The change of the prediction for one unit more of a feature, all others "
					  "alike."
					: "The change of the log-odds for one unit more of a feature, all others "
					  "alike.");
	ml_page_raw(page, tested ? " A small p-value: unlikely by chance.</p>" : "</p>");
	ml_page_raw(page, "<div class=\"scroll\"><table><thead><tr><th>Feature</th>");
	ml_page_raw(page, classes ? "<th>Class</th>" : "");
	ml_page_raw(page, "<th class=\"r\">Coefficient</th>");
	ml_page_raw(page, tested ? "<th class=\"r\">Std. error</th><th class=\"r\">Statistic</th>"
							   "<th class=\"r\">p-value</th>"
							 : "");
	ml_page_raw(page, "</tr></thead><tbody>");
	for (size_t i = 0; i < shown; i++)
		put_coefficient(page, ranked[i].item, classes, tested);
	ml_page_raw(page, "</tbody></table></div>");
	if (n > shown)
		ml_put_format(page->words, "<p class=\"more\">the strongest %zu of %zu</p>", shown, n);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* The name of a coefficient, with its class where it has one. */
static MlStatus
coefficient_name(MlPage *page, const MlJson *row, const char **name)
{
	const char *feature = ml_fact_text(row, "feature"), *class = ml_fact_text(row, "class");
	size_t room;
	char *text;

	*name = feature ? feature : "\xE2\x80\x93";
	if (!class)
		return ML_OK;
	room = strlen(*name) + strlen(class) + 8;
	text = ml_arena_alloc(&page->arena, room);
	if (!text)
		return ML_ENOMEM;
	snprintf(text, room, "%s \xC2\xB7 %s", *name, class);
	*name = text;
	return ML_OK;
}

/* The strongest coefficients but the intercept, with the interval that holds the true one 19 times of 20. */
MlStatus
ml_page_coefficients(MlPage *page)
{
	size_t n;
	const MlJson *array = ml_fact_array(page->facts, "coefficients", &n);
	Ranked *ranked = ml_arena_array(&page->arena, n + 1, sizeof(Ranked));
	MlInterval rows[MAX_COEFFICIENTS];
	char texts[MAX_COEFFICIENTS][ML_NUMBER_ROOM];
	bool classes, tested;
	MlIntervalChart chart = {.rows = rows};

	if (!ranked)
		return ML_ENOMEM;
	if (!array || ml_page_has_groups(page))
		return ML_OK;
	rank_coefficients(array, ranked, &classes, &tested);
	for (size_t i = 0; i < n && chart.n < MAX_COEFFICIENTS; i++)
	{
		const MlJson *row = ranked[i].item;
		double value = ml_fact_number(row, "value"), error = ml_fact_number(row, "std_error");
		MlInterval *out = &rows[chart.n];

		if (!isfinite(value) || ranked[i].key == INFINITY)
			continue;
		*out = (MlInterval){.value = value, .lo = value, .hi = value};
		if (isfinite(error))
		{
			out->lo -= NORMAL_95 * error;
			out->hi += NORMAL_95 * error;
		}
		ML_TRY(coefficient_name(page, row, &out->name));
		out->text = ml_human_number(texts[chart.n++], value, 3);
	}
	if (chart.n == 0)
		return ML_OK;
	chart.caption =
		ml_page_caption(page, "Coefficients",
						tested ? "Coefficients, the strongest on top, with their 95 % intervals."
							   : "Coefficients, the strongest on top.");
	ml_page_card(page, "Coefficients", "");
	ml_chart_intervals(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* True when the inputs stand beside the importance or the coefficients, where the other would be. */
bool
ml_page_inputs_with_drivers(const MlPage *page)
{
	size_t n_importance, n_coefficients;

	ml_fact_array(page->facts, "importance", &n_importance);
	ml_fact_array(page->facts, "coefficients", &n_coefficients);
	return (n_importance > 0) != (n_coefficients > 0) && !ml_page_has_groups(page);
}

/* Is there anything that tells what the predictions rest on? */
bool
ml_page_has_drivers(const MlPage *page)
{
	size_t n_importance, n_coefficients, n_tree;

	ml_fact_array(page->facts, "importance", &n_importance);
	ml_fact_array(page->facts, "coefficients", &n_coefficients);
	ml_fact_array(page->facts, "tree", &n_tree);
	return n_importance + n_coefficients + n_tree > 0 && !ml_page_has_groups(page);
}

/* What the predictions rest on. */
MlStatus
ml_page_drivers(MlPage *page)
{
	size_t n_importance;

	ml_fact_array(page->facts, "importance", &n_importance);
	if (!ml_page_has_drivers(page))
		return ML_OK;
	ml_page_raw(page, "<section id=\"drivers\"><h2>What drives the predictions</h2>"
					  "<div class=\"grid\">");
	ML_TRY(ml_page_importance(page));
	ML_TRY(put_coefficients(page));
	if (ml_page_inputs_with_drivers(page))
		ml_page_inputs(page, n_importance > 0 ? "two" : "");
	ML_TRY(ml_page_tree(page));
	ml_page_raw(page, "</div></section>");
	return ML_OK;
}

/* Columns of the training log. */
typedef struct Log
{
	double *iteration, *loss, *valid;
	size_t n, best; /* best: where the loss that counts is lowest */
	bool has_valid;
} Log;

/* Read the log. Not there: n = 0. */
static MlStatus
read_log(MlPage *page, Log *log)
{
	const MlJson *array = ml_fact_array(page->facts, "log", &log->n);
	const double *counts;

	log->iteration = ml_arena_array(&page->arena, log->n + 1, sizeof(double));
	log->loss = ml_arena_array(&page->arena, log->n + 1, sizeof(double));
	log->valid = ml_arena_array(&page->arena, log->n + 1, sizeof(double));
	if (!log->iteration || !log->loss || !log->valid)
		return ML_ENOMEM;
	log->has_valid = false;
	for (size_t i = 0; i < log->n; i++)
	{
		log->iteration[i] = ml_fact_number(&array->items[i], "iteration");
		if (isnan(log->iteration[i]))
			log->iteration[i] = (double) (i + 1);
		log->loss[i] = ml_fact_number(&array->items[i], "loss");
		log->valid[i] = ml_fact_number(&array->items[i], "valid_loss");
		log->has_valid |= isfinite(log->valid[i]);
	}
	counts = log->has_valid ? log->valid : log->loss;
	log->best = 0;
	for (size_t i = 1; i < log->n; i++)
		if (counts[i] < counts[log->best] || isnan(counts[log->best]))
			log->best = i;
	return ML_OK;
}

static bool
any_finite(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isfinite(values[i]))
			return true;
	return false;
}

/* What the learning curve says. */
static void
put_log_sentence(MlPage *page, const Log *log)
{
	ml_page_raw(page, "<p>");
	if (!log->has_valid)
	{
		ml_page_raw(page, "The loss on the training rows after each iteration.");
	}
	else
	{
		ml_page_raw(page, "The loss on validation rows was lowest after iteration ");
		ml_page_number(page, log->iteration[log->best], 9);
		ml_page_raw(page, " of ");
		ml_page_number(page, log->iteration[log->n - 1], 9);
		ml_page_raw(page, log->best + 1 < log->n ? "; more did not help." : "; more might help.");
	}
	ml_page_raw(page, "</p>");
}

/* The learning curve: the loss after each iteration, the best one marked. */
MlStatus
ml_page_learning_curve(MlPage *page)
{
	Log log;
	bool has_loss;
	char label[64], room[ML_NUMBER_ROOM];
	MlMark mark = {.label = label};
	MlSeries series[2] = {{.name = "Training", .style = ML_SERIES_LINE, .color = 1},
						  {.name = "Validation", .style = ML_SERIES_LINE, .color = 2}};
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Learning curve",
								   "Loss on training and validation rows after each iteration."),
		.x = {.label = "Iteration", .lo = NAN, .hi = NAN, .whole = true},
		.y = {.label = "Loss", .lo = NAN, .hi = NAN, .round = true},
		.series = series,
		.marks = &mark};

	ML_TRY(read_log(page, &log));
	has_loss = any_finite(log.loss, log.n);
	if (!has_loss && !log.has_valid)
		return ML_OK;
	series[0].x = series[1].x = log.iteration;
	series[0].y = log.loss;
	series[1].y = log.valid;
	series[0].n = series[1].n = log.n;
	/* out-of-bag forests have one of them only */
	chart.series = has_loss ? series : series + 1;
	chart.n_series = (size_t) has_loss + log.has_valid;
	if (log.has_valid)
	{
		snprintf(label, sizeof(label), "best: %s", ml_human_number(room, log.valid[log.best], 4));
		mark.x1 = mark.x2 = log.iteration[log.best];
		mark.y1 = mark.y2 = log.valid[log.best];
		chart.n_marks = 1;
	}
	ml_page_card(page, "Learning curve", "");
	put_log_sentence(page, &log);
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* A table of the members of an object. */
static void
put_members(MlPage *page, const char *key, const char *title)
{
	size_t n;
	const MlJson *object = ml_fact_array(page->facts, key, &n);

	if (!object || object->type != ML_JSON_OBJECT)
		return;
	ml_page_card(page, title, "");
	ml_page_raw(page, "<div class=\"scroll\"><table><tbody>");
	for (size_t i = 0; i < n; i++)
	{
		/* advice stands above, where it is seen */
		if (strcmp(object->keys[i], "advice") == 0)
			continue;
		ml_page_raw(page, "<tr><td class=\"h\">");
		ml_page_name(page, object->keys[i], 20.0);
		ml_page_raw(page, "</td><td class=\"v\">");
		ml_page_value(page, &object->items[i]);
		ml_page_raw(page, "</td></tr>");
	}
	ml_page_raw(page, "</tbody></table></div></div>");
}

/* How it was trained. */
MlStatus
ml_page_training(MlPage *page)
{
	const char *advice = ml_fact_text(ml_json_get(page->facts, "summary"), "advice");
	size_t n_log, n_params, n_summary;

	ml_fact_array(page->facts, "log", &n_log);
	ml_fact_array(page->facts, "params", &n_params);
	ml_fact_array(page->facts, "summary", &n_summary);
	if (n_log + n_params + n_summary == 0)
		return ML_OK;
	ml_page_raw(page, "<section id=\"training\"><h2>Training</h2>");
	if (advice)
	{
		ml_page_raw(page, "<div class=\"note\">");
		ml_page_text(page, advice);
		ml_page_raw(page, "</div>");
	}
	ml_page_raw(page, "<div class=\"grid\">");
	ML_TRY(ml_page_learning_curve(page));
	ML_TRY(ml_page_gradients(page));
	ML_TRY(ml_page_weights(page));
	put_members(page, "summary", "Fit");
	put_members(page, "decision", "Calibration and threshold");
	put_members(page, "params", "Parameters");
	ml_page_raw(page, "</div></section>");
	return ML_OK;
}
