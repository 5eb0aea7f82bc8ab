/*
 * page_groups.c
 *		Models without a target: the parts that they make of the rows or columns.
 *
 * Clusters have sizes and centers, components have shares of the variance and
 * loadings. Both are a table of features by groups.
 */
#include "plot/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GROUPS 12
#define MAX_FEATURES 30
#define MAX_SHARES 20

/* The values of the coefficients by feature (rows) and group (columns), in the order of the facts. */
typedef struct GroupTable
{
	const char *group[MAX_GROUPS];
	const char *feature[MAX_FEATURES];
	double value[MAX_FEATURES][MAX_GROUPS];
	size_t n_groups, n_features;
	bool cut; /* there are more of either */
} GroupTable;

/* The place of a name, appended where it is new; max: there is no room. */
static size_t
place_of(const char **names, size_t *n, size_t max, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	if (*n == max)
		return max;
	names[*n] = name;
	return (*n)++;
}

/* Read the table; a coefficient without a group stands for none. */
static void
read_table(const MlPage *page, GroupTable *table)
{
	size_t n;
	const MlJson *array = ml_fact_array(page->facts, "coefficients", &n);

	for (size_t i = 0; i < MAX_FEATURES; i++)
		for (size_t k = 0; k < MAX_GROUPS; k++)
			table->value[i][k] = NAN;
	for (size_t i = 0; i < n; i++)
	{
		const char *feature = ml_fact_text(&array->items[i], "feature");
		const char *group = ml_fact_text(&array->items[i], "class");
		size_t row, column;

		if (!feature || !group)
			continue;
		column = place_of(table->group, &table->n_groups, MAX_GROUPS, group);
		row = place_of(table->feature, &table->n_features, MAX_FEATURES, feature);
		if (row < MAX_FEATURES && column < MAX_GROUPS)
			table->value[row][column] = ml_fact_number(&array->items[i], "value");
		else
			table->cut = true;
	}
}

/* A row a feature, a column a group. */
static void
put_table(MlPage *page, const char *title, const char *help)
{
	GroupTable table = {0};

	read_table(page, &table);
	if (table.n_features == 0)
		return;
	ml_page_card(page, title, "all");
	ml_page_raw(page, "<p>");
	ml_page_raw(page, help);
	ml_page_raw(page, "</p><div class=\"scroll\"><table><thead><tr><th>Feature</th>");
	for (size_t k = 0; k < table.n_groups; k++)
	{
		ml_page_raw(page, "<th class=\"r\">");
		ml_page_name(page, table.group[k], 12.0);
		ml_page_raw(page, "</th>");
	}
	ml_page_raw(page, "</tr></thead><tbody>");
	for (size_t i = 0; i < table.n_features; i++)
	{
		ml_page_raw(page, "<tr><td>");
		ml_page_name(page, table.feature[i], 22.0);
		ml_page_raw(page, "</td>");
		for (size_t k = 0; k < table.n_groups; k++)
		{
			ml_page_raw(page, "<td class=\"r\">");
			ml_page_number(page, table.value[i][k], 4);
			ml_page_raw(page, "</td>");
		}
		ml_page_raw(page, "</tr>");
	}
	ml_page_raw(page, "</tbody></table></div>");
	if (table.cut)
		ml_page_raw(page, "<p class=\"more\">and more, in mlplat.coefficients</p>");
	ml_page_raw(page, "</div>");
}

/* Bars of the shares that an array of the summary holds, named by number from `first`. */
static MlStatus
put_shares(MlPage *page, const char *key, int first, const char *title, const char *help)
{
	MlBar bars[MAX_SHARES];
	char names[MAX_SHARES][ML_NUMBER_ROOM], texts[MAX_SHARES][ML_NUMBER_ROOM];
	MlBarChart chart = {.caption = ml_page_caption(page, title, help), .bars = bars};
	double *values, total = 0.0;
	size_t n;

	ML_TRY(ml_fact_doubles(page, ml_json_get(page->facts, "summary"), key, &values, &n));
	for (size_t i = 0; i < n; i++)
		total += values[i] > 0.0 && isfinite(values[i]) ? values[i] : 0.0;
	if (!(total > 0.0))
		return ML_OK;
	/* Counts are made shares; shares of the variance are ones, and need not sum to 1. */
	total = total > 1.0 + 1e-9 ? total : 1.0;
	chart.n = ML_MIN(n, (size_t) MAX_SHARES);
	for (size_t i = 0; i < chart.n; i++)
	{
		double share = isfinite(values[i]) ? values[i] / total : 0.0;

		bars[i] = (MlBar){ml_human_number(names[i], (double) first + (double) i, 9), share,
						  ml_human_percent(texts[i], share)};
	}
	ml_page_card(page, title, "");
	ml_page_raw(page, "<p>");
	ml_page_raw(page, help);
	ml_page_raw(page, "</p>");
	ml_chart_bars(page->out, &chart);
	if (n > chart.n)
		ml_put_format(page->words, "<p class=\"more\">and %zu more</p>", n - chart.n);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

MlStatus
ml_page_sizes(MlPage *page)
{
	if (page->task != ML_PAGE_CLUSTERING)
		return ML_OK;
	return put_shares(page, "sizes", 0, "Sizes", "Share of the rows in each cluster.");
}

MlStatus
ml_page_variance(MlPage *page)
{
	if (page->task != ML_PAGE_DECOMPOSITION)
		return ML_OK;
	return put_shares(page, "explained_variance_ratio", 1, "Explained variance",
					  "Share of the variance that each component holds.");
}

bool
ml_page_has_groups(const MlPage *page)
{
	return page->task == ML_PAGE_CLUSTERING || page->task == ML_PAGE_DECOMPOSITION;
}

/* What the clusters or components are. */
MlStatus
ml_page_groups(MlPage *page)
{
	bool clusters = page->task == ML_PAGE_CLUSTERING;

	if (!ml_page_has_groups(page))
		return ML_OK;
	ml_page_raw(page, "<section id=\"groups\"><h2>");
	ml_page_raw(page, clusters ? "The clusters" : "The components");
	ml_page_raw(page, "</h2><div class=\"grid\">");
	if (clusters)
	{
		ML_TRY(ml_page_sizes(page));
		ML_TRY(ml_page_importance(page));
		put_table(page, "Centers", "The mean of each feature in each cluster.");
	}
	else
	{
		ML_TRY(ml_page_variance(page));
		put_table(page, "Loadings", "How much of each feature goes into each component.");
	}
	ml_page_raw(page, "</div></section>");
	return ML_OK;
}
