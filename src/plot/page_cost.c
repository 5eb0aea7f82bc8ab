/*
 * page_cost.c
 *		What errors cost by threshold: where a false alarm and a miss have their prices.
 *
 * The ROC curve says which shares of both classes are called positive from each probability on, the
 * confusion matrix how many rows the classes have. The cost of a row at a threshold is
 *		(cost_fp * fpr * negatives + cost_fn * (1 - tpr) * positives) / rows.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>

/* The cost of a row over the threshold, thresholds ascending. */
typedef struct Cost
{
	double *threshold, *cost;
	size_t n, best; /* best: where it is lowest */
} Cost;

/* Work out the costs. Not known: n = 0. */
static MlStatus
read_cost(MlPage *page, double cost_fp, double cost_fn, Cost *c)
{
	const MlJson *roc = ml_json_get(page->curves, "roc");
	const double *matrix = page->confusion;
	double negatives, positives, *fpr, *tpr, *threshold;
	size_t n, n_fpr, n_tpr;

	c->n = c->best = 0;
	ML_TRY(ml_fact_doubles(page, roc, "threshold", &threshold, &n));
	ML_TRY(ml_fact_doubles(page, roc, "fpr", &fpr, &n_fpr));
	ML_TRY(ml_fact_doubles(page, roc, "tpr", &tpr, &n_tpr));
	c->threshold = ml_arena_array(&page->arena, n + 1, sizeof(double));
	c->cost = ml_arena_array(&page->arena, n + 1, sizeof(double));
	if (!c->threshold || !c->cost)
		return ML_ENOMEM;
	if (page->task != ML_PAGE_BINARY || !matrix || page->n_confusion != 2)
		return ML_OK;
	negatives = matrix[0] + matrix[1];
	positives = matrix[2] + matrix[3];
	for (size_t i = ML_MIN(n, ML_MIN(n_fpr, n_tpr)); i-- > 0;)
	{
		double cost = cost_fp * fpr[i] * negatives + cost_fn * (1.0 - tpr[i]) * positives;

		cost /= negatives + positives;
		if (!isfinite(threshold[i]) || !isfinite(cost))
			continue;
		c->threshold[c->n] = threshold[i];
		c->cost[c->n] = cost;
		if (cost < c->cost[c->best])
			c->best = c->n;
		c->n++;
	}
	return ML_OK;
}

/* What the curve says. */
static void
put_sentence(MlPage *page, const Cost *c, double cost_fp, double cost_fn)
{
	ml_page_raw(page, "<p>Where a false alarm costs ");
	ml_page_number(page, cost_fp, 4);
	ml_page_raw(page, " and a miss ");
	ml_page_number(page, cost_fn, 4);
	ml_page_raw(page, ", errors cost least, ");
	ml_page_number(page, c->cost[c->best], 3);
	ml_page_raw(page, " a row, when rows count as \xE2\x80\x9C");
	ml_page_name(page, page->positive, 20.0);
	ml_page_raw(page, "\xE2\x80\x9D from ");
	ml_page_percent(page, c->threshold[c->best]);
	ml_page_raw(page, " on.</p>");
}

/* The cost of a row over the threshold, the lowest one marked. */
MlStatus
ml_page_cost(MlPage *page)
{
	double cost_fp = page->cost_fp > 0.0 ? page->cost_fp : 1.0;
	double cost_fn = page->cost_fn > 0.0 ? page->cost_fn : 1.0;
	char label[64], room[ML_NUMBER_ROOM];
	Cost c;
	MlMark mark = {.label = label};
	MlSeries series = {.name = "Errors", .style = ML_SERIES_LINE, .color = 1};
	MlLineChart chart = {.caption = ml_page_caption(page, "Threshold against cost",
													"Mean cost of the errors over the threshold."),
						 .x = {.label = "Threshold", .lo = 0.0, .hi = 1.0, .percent = true},
						 .y = {.label = "Cost a row", .lo = 0.0, .hi = NAN, .round = true},
						 .series = &series,
						 .n_series = 1,
						 .marks = &mark,
						 .n_marks = 1,
						 .reference = {0.5, -INFINITY, 0.5, INFINITY, "One half"}};

	ML_TRY(read_cost(page, cost_fp, cost_fn, &c));
	if (c.n < 2)
		return ML_OK;
	series.x = c.threshold;
	series.y = c.cost;
	series.n = c.n;
	snprintf(label, sizeof(label), "least: %s", ml_human_number(room, c.cost[c.best], 3));
	mark.x1 = mark.x2 = c.threshold[c.best];
	mark.y1 = mark.y2 = c.cost[c.best];
	ml_page_card(page, "Threshold against cost", "");
	put_sentence(page, &c, cost_fp, cost_fn);
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}
