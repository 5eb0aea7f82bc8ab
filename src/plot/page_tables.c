/*
 * page_tables.c
 *		The tables of the report page: metrics, inputs, versions.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_INPUTS 30
#define MAX_VERSIONS 12

/* One row of the metrics' table. */
static void
put_metric(MlPage *page, const char *name, double value)
{
	static const char *const arrow[] = {
		"<span class=\"ar\" title=\"lower is better\">\xE2\x86\x93</span>", "",
		"<span class=\"ar\" title=\"higher is better\">\xE2\x86\x91</span>"};
	const MlPageMetric *text = ml_page_metric_text(name);

	ml_page_raw(page, "<tr><td>");
	if (text)
		ml_put_format(page->words, "%s %s <code>%s</code>", text->label, arrow[text->better + 1],
					  text->name);
	else
		ml_page_name(page, name, 30.0);
	ml_page_raw(page, "</td><td class=\"r\">");
	ml_page_number(page, value, 4);
	ml_page_raw(page, "</td><td class=\"h\">");
	if (text)
		ml_page_raw(page, text->help);
	ml_page_raw(page, "</td></tr>");
}

/* All metrics, each with what it means. */
void
ml_page_metrics(MlPage *page)
{
	if (!page->metrics)
		return;
	ml_page_raw(page,
				"<div class=\"grid\"><div class=\"card all\"><h3>All metrics</h3><p>\xE2\x86\x91 "
				"higher is better, \xE2\x86\x93 lower is better.</p>"
				"<div class=\"scroll\"><table class=\"m\"><thead><tr><th>Metric</th>"
				"<th class=\"r\">Value</th><th>What it says</th></tr></thead><tbody>");
	for (size_t i = 0; i < page->metrics->n; i++)
	{
		const MlJson *value = &page->metrics->items[i];

		if (value->type == ML_JSON_NUMBER || value->type == ML_JSON_NULL)
			put_metric(page, page->metrics->keys[i],
					   value->type == ML_JSON_NUMBER ? value->number : NAN);
	}
	ml_page_raw(page, "</tbody></table></div></div></div>");
}

/* One column: its name, type, and what it is used as. */
static void
put_input(MlPage *page, const MlJson *feature)
{
	const char *name = ml_fact_text(feature, "name"), *type = ml_fact_text(feature, "type");
	const char *kind = ml_fact_text(feature, "kind");

	ml_page_raw(page, "<li>");
	ml_page_name(page, name ? name : "\xE2\x80\x93", 22.0);
	ml_page_raw(page, " <span>");
	ml_page_name(page, type ? type : "\xE2\x80\x93", 22.0);
	if (kind && (!type || strncmp(type, kind, strlen(kind)) != 0))
	{
		ml_page_raw(page, " \xC2\xB7 ");
		ml_page_name(page, kind, 16.0);
	}
	ml_page_raw(page, "</span></li>");
}

/* The columns that the model reads, as a card of this class. */
void
ml_page_inputs(MlPage *page, const char *class)
{
	size_t n, shown;
	const MlJson *features = ml_fact_array(page->facts, "features", &n);

	if (!features)
		return;
	shown = ML_MIN(n, MAX_INPUTS);
	ml_page_card(page, "Inputs", class);
	ml_page_raw(page, "<ul class=\"items\">");
	for (size_t i = 0; i < shown; i++)
		put_input(page, &features->items[i]);
	ml_page_raw(page, "</ul>");
	if (n > shown)
		ml_put_format(page->words, "<p class=\"more\">and %zu more</p>", n - shown);
	ml_page_raw(page, "</div>");
}

/* The query as it was given, and what of it the model learns from. */
void
ml_page_data(MlPage *page)
{
	const char *query = ml_fact_text(page->facts, "query");
	double dropped = ml_fact_number(page->facts, "dropped");
	bool inputs = !ml_page_inputs_with_drivers(page) && ml_json_get(page->facts, "features");

	if (!query && !inputs)
		return;
	ml_page_raw(page, "<section id=\"data\"><h2>Data</h2><div class=\"grid\">");
	if (query)
	{
		ml_page_card(page, "Query", "all");
		ml_page_raw(page, "<pre>");
		ml_markup_text(page->words, query);
		ml_page_raw(page, "</pre>");
		if (dropped > 0.0)
		{
			ml_page_raw(page, "<p class=\"more\">");
			ml_page_number(page, dropped, 4);
			ml_page_raw(page, dropped == 1.0 ? " row was left out: no value in "
											 : " rows were left out: no value in ");
			ml_page_name(page, page->target ? page->target : "the target", 20.0);
			ml_page_raw(page, ", or a weight of zero.</p>");
		}
		ml_page_raw(page, "</div>");
	}
	if (inputs)
		ml_page_inputs(page, "all");
	ml_page_raw(page, "</div></section>");
}

/* A date and time without what is below the minute. */
static void
put_moment(MlPage *page, const char *text)
{
	char minute[17];

	if (text && strlen(text) >= 16 && text[4] == '-' && text[7] == '-' && text[13] == ':')
	{
		snprintf(minute, sizeof(minute), "%.16s", text);
		if (minute[10] == 'T')
			minute[10] = ' ';
		ml_page_text(page, minute);
	}
	else
		ml_page_name(page, text ? text : "\xE2\x80\x93", 20.0);
}

/* The score of each version over the versions. */
static MlStatus
put_history_chart(MlPage *page, const MlJson *history, const MlPageMetric *text)
{
	double *x = ml_arena_array(&page->arena, history->n, sizeof(double));
	double *y = ml_arena_array(&page->arena, history->n, sizeof(double));
	MlSeries series[2] = {{.x = x, .y = y, .n = history->n, .style = ML_SERIES_LINE, .color = 1},
						  {.x = x, .y = y, .n = history->n, .style = ML_SERIES_DOTS, .color = 1}};
	MlMark mark = {.label = "active"};
	MlLineChart chart = {
		.caption =
			ml_page_caption(page, "Score by version", "The score of every version of this model."),
		.x = {.label = "Version", .lo = NAN, .hi = NAN, .whole = true},
		.y = {.label = text ? text->label : "Score", .lo = NAN, .hi = NAN, .round = true},
		.series = series,
		.n_series = 2,
		.marks = &mark};

	if (!x || !y)
		return ML_ENOMEM;
	for (size_t i = 0; i < history->n; i++)
	{
		const MlJson *active = ml_json_get(&history->items[i], "active");

		x[i] = ml_fact_number(&history->items[i], "version");
		y[i] = ml_fact_number(&history->items[i], "score");
		if (active && active->type == ML_JSON_BOOL && active->boolean && isfinite(y[i]))
		{
			mark.x1 = mark.x2 = x[i];
			mark.y1 = mark.y2 = y[i];
			chart.n_marks = 1;
		}
	}
	ml_page_card(page, "Score by version", "");
	ml_page_raw(page, "<p>How the versions compare, each on its own hold-out");
	if (text && text->better != 0)
		ml_page_raw(page, text->better > 0 ? "; higher is better" : "; lower is better");
	ml_page_raw(page, ".</p>");
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* The versions of this model, the newest first as the facts have them. */
MlStatus
ml_page_history(MlPage *page)
{
	size_t n, shown;
	const MlJson *history = ml_fact_array(page->facts, "history", &n);
	const char *metric = ml_fact_text(page->facts, "metric");
	const MlPageMetric *text = metric ? ml_page_metric_text(metric) : NULL;

	if (!history)
		return ML_OK;
	shown = ML_MIN(n, MAX_VERSIONS);
	ml_page_raw(page, "<section id=\"history\"><h2>Versions</h2><div class=\"grid\">");
	if (n > 2)
		ML_TRY(put_history_chart(page, history, text));
	ml_page_card(page, "History", "two");
	ml_page_raw(page, "<div class=\"scroll\"><table><thead><tr><th>Version</th><th>Made</th>"
					  "<th class=\"r\">");
	ml_page_name(page, text ? text->label : metric ? metric : "Score", 20.0);
	ml_page_raw(page, "</th><th></th></tr></thead><tbody>");
	for (size_t i = 0; i < shown; i++)
	{
		const MlJson *row = &history->items[i], *active = ml_json_get(row, "active");
		bool now = active && active->type == ML_JSON_BOOL && active->boolean;

		ml_page_raw(page, now ? "<tr class=\"now\"><td>" : "<tr><td>");
		ml_page_number(page, ml_fact_number(row, "version"), 9);
		ml_page_raw(page, "</td><td class=\"t\">");
		put_moment(page, ml_fact_text(row, "created"));
		ml_page_raw(page, "</td><td class=\"r\">");
		ml_page_number(page, ml_fact_number(row, "score"), 4);
		ml_page_raw(page, now ? "</td><td>active</td></tr>" : "</td><td></td></tr>");
	}
	ml_page_raw(page, "</tbody></table></div>");
	if (n > shown)
		ml_put_format(page->words, "<p class=\"more\">and %zu more versions</p>", n - shown);
	ml_page_raw(page, "</div></div></section>");
	return ML_OK;
}
