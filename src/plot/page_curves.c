/*
 * page_curves.c
 *		The curves of a binary classifier, each with what it says of this model.
 *
 * Every card is a heading, one sentence with numbers read off the curve, and
 * the drawing. Curves come as columns (metric.h); one that is missing has no card.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Two columns of one curve. */
typedef struct Curve
{
	double *x, *y;
	size_t n;
} Curve;

/* Read two columns of these curves; a curve that is not there has n = 0. */
static MlStatus
read_columns(MlPage *page, const MlJson *curves, const char *name, const char *x, const char *y,
			 Curve *curve)
{
	const MlJson *columns = ml_json_get(curves, name);
	size_t nx, ny;

	ML_TRY(ml_fact_doubles(page, columns, x, &curve->x, &nx));
	ML_TRY(ml_fact_doubles(page, columns, y, &curve->y, &ny));
	curve->n = ML_MIN(nx, ny);
	return ML_OK;
}

/* Read two columns of a curve of the model. */
static MlStatus
read_curve(MlPage *page, const char *name, const char *x, const char *y, Curve *curve)
{
	return read_columns(page, page->curves, name, x, y, curve);
}

/*
 * Put the same curve of the models that this one is compared with behind the series that there are; then all
 * are lines with the models' names. series has room for ML_PAGE_OTHERS more.
 */
static MlStatus
add_others(MlPage *page, const char *name, const char *x, const char *y, MlSeries *series,
		   size_t *n)
{
	if (page->n_others == 0)
		return ML_OK;
	series[0].name = page->label;
	series[0].style = ML_SERIES_LINE;
	for (size_t i = 0; i < page->n_others; i++)
	{
		Curve curve;

		ML_TRY(read_columns(page, page->others[i].curves, name, x, y, &curve));
		if (curve.n > 0)
			series[(*n)++] = (MlSeries){.name = page->others[i].label,
										.x = curve.x,
										.y = curve.y,
										.n = curve.n,
										.style = ML_SERIES_LINE,
										.color = (int) i + 2};
	}
	return ML_OK;
}

/* y at x, on the straight line between the neighbours; NaN: outside. x ascends. */
static double
value_at(const Curve *curve, double x)
{
	for (size_t i = 0; i < curve->n; i++)
	{
		double x0, x1 = curve->x[i];

		if (!(x1 >= x))
			continue;
		if (i == 0 || x1 == x)
			return x1 == x ? curve->y[i] : NAN;
		x0 = curve->x[i - 1];
		return curve->y[i - 1] + (curve->y[i] - curve->y[i - 1]) * (x - x0) / (x1 - x0);
	}
	return NAN;
}

/* “yes” */
static void
put_class(MlPage *page, const char *name)
{
	ml_page_raw(page, "\xE2\x80\x9C");
	ml_page_name(page, name, 20.0);
	ml_page_raw(page, "\xE2\x80\x9D");
}

/* A share axis from 0 to 1. */
static MlAxisWish
share_axis(const char *label)
{
	return (MlAxisWish){.label = label, .lo = 0.0, .hi = 1.0, .percent = true};
}

static const MlMark diagonal = {0.0, 0.0, 1.0, 1.0, NULL};

/* A quiet line with a name. */
static MlMark
named(MlMark mark, const char *label)
{
	mark.label = label;
	return mark;
}

/* ROC: how many positives are found at the price of how many false alarms. */
MlStatus
ml_page_roc(MlPage *page)
{
	Curve roc;
	size_t best = 0;
	MlMark mark;
	MlSeries series[1 + ML_PAGE_OTHERS] = {{.style = ML_SERIES_AREA, .color = 1}};
	MlLineChart chart = {
		.caption = ml_page_caption(page, "ROC curve",
								   "True positive rate over false positive rate, all thresholds."),
		.x = share_axis("False positive rate"),
		.y = share_axis("True positive rate"),
		.series = series,
		.n_series = 1,
		.marks = &mark,
		.n_marks = page->n_others == 0,
		.reference = named(diagonal, "Coin toss")};

	ML_TRY(read_curve(page, "roc", "fpr", "tpr", &roc));
	if (roc.n == 0)
		return ML_OK;
	for (size_t i = 1; i < roc.n; i++)
		if (roc.y[i] - roc.x[i] > roc.y[best] - roc.x[best])
			best = i;
	series[0].name = "Model";
	series[0].x = roc.x;
	series[0].y = roc.y;
	series[0].n = roc.n;
	mark = (MlMark){roc.x[best], roc.y[best], roc.x[best], roc.y[best], "best trade-off"};
	ml_page_card(page, "ROC curve", "");
	ml_page_raw(page, "<p>At its best trade-off it finds ");
	ml_page_percent(page, roc.y[best]);
	ml_page_raw(page, " of ");
	put_class(page, page->positive);
	ml_page_raw(page, " and raises a false alarm for ");
	ml_page_percent(page, roc.x[best]);
	ml_page_raw(page, " of the others.</p>");
	ML_TRY(add_others(page, "roc", "fpr", "tpr", series, &chart.n_series));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Precision over recall: how many alarms are right, the more are raised. */
MlStatus
ml_page_pr(MlPage *page)
{
	Curve pr;
	double at_half = NAN, share = NAN, widest = -1.0;
	MlSeries series[1 + ML_PAGE_OTHERS] = {{.name = "Model", .style = ML_SERIES_AREA, .color = 1}};
	MlLineChart chart = {.caption = ml_page_caption(page, "Precision and recall",
													"Precision over recall, all thresholds."),
						 .x = share_axis("Recall: share of positives found"),
						 .y = share_axis("Precision: share of alarms that are right"),
						 .series = series,
						 .n_series = 1};

	ML_TRY(read_curve(page, "pr", "recall", "precision", &pr));
	if (pr.n == 0)
		return ML_OK;
	for (size_t i = 0; i < pr.n; i++)
	{
		if (pr.x[i] >= 0.5 && !(pr.y[i] <= at_half))
			at_half = pr.y[i];
		/* with everything called positive, precision is the share of positives */
		if (pr.x[i] > widest || (pr.x[i] == widest && pr.y[i] < share))
		{
			widest = pr.x[i];
			share = pr.y[i];
		}
	}
	series[0].x = pr.x;
	series[0].y = pr.y;
	series[0].n = pr.n;
	if (isfinite(share) && page->n_others == 0)
		chart.reference = (MlMark){0.0, share, 1.0, share, "Random order"};
	ml_page_card(page, "Precision and recall", "");
	ml_page_raw(page, "<p>When half of ");
	put_class(page, page->positive);
	ml_page_raw(page, " shall be found, ");
	ml_page_percent(page, at_half);
	ml_page_raw(page, " of the alarms are right; at random, ");
	ml_page_percent(page, share);
	ml_page_raw(page, ".</p>");
	ML_TRY(add_others(page, "pr", "recall", "precision", series, &chart.n_series));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* KS: the two classes' distributions of the score, and their largest distance. */
MlStatus
ml_page_ks(MlPage *page)
{
	Curve negative, positive;
	double gap = -1.0;
	size_t best = 0;
	char label[64], room[ML_NUMBER_ROOM];
	MlMark mark = {.label = label};
	MlSeries series[2] = {{.name = page->negative, .style = ML_SERIES_LINE, .color = 1},
						  {.name = page->positive, .style = ML_SERIES_LINE, .color = 2}};
	MlLineChart chart = {
		.caption = ml_page_caption(page, "KS curves",
								   "Share of each class at or below a predicted probability."),
		.x = {.label = "Predicted probability", .lo = NAN, .hi = NAN, .percent = true},
		.y = share_axis("Share of the class at or below"),
		.series = series,
		.n_series = 2,
		.marks = &mark};

	ML_TRY(read_curve(page, "ks", "threshold", "cdf_negative", &negative));
	ML_TRY(read_curve(page, "ks", "threshold", "cdf_positive", &positive));
	if (negative.n == 0 || positive.n != negative.n)
		return ML_OK;
	for (size_t i = 0; i < negative.n; i++)
		if (fabs(negative.y[i] - positive.y[i]) > gap && isfinite(negative.x[i]))
		{
			gap = fabs(negative.y[i] - positive.y[i]);
			best = i;
		}
	series[0].x = series[1].x = negative.x;
	series[0].y = negative.y;
	series[1].y = positive.y;
	series[0].n = series[1].n = negative.n;
	/* probabilities that take up most of the range get all of it */
	if (negative.x[0] < 0.2 && negative.x[negative.n - 1] > 0.8)
	{
		chart.x.lo = 0.0;
		chart.x.hi = 1.0;
	}
	ml_page_card(page, "Separation (KS)", "");
	if (gap >= 0.0)
	{
		snprintf(label, sizeof(label), "KS %s", ml_human_number(room, gap, 3));
		mark.x1 = mark.x2 = negative.x[best];
		mark.y1 = negative.y[best];
		mark.y2 = positive.y[best];
		chart.n_marks = 1;
		ml_page_raw(page, "<p>The two classes are furthest apart at a probability of ");
		ml_page_percent(page, negative.x[best]);
		ml_page_raw(page, ": a distance of ");
		ml_page_raw(page, ml_human_number(room, gap, 3));
		ml_page_raw(page, ".</p>");
	}
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Gain: the share of positives among the rows with the highest scores. */
MlStatus
ml_page_gain(MlPage *page)
{
	Curve gain;
	double at;
	MlSeries series[1 + ML_PAGE_OTHERS] = {{.name = "Model", .style = ML_SERIES_AREA, .color = 1}};
	MlLineChart chart = {
		.caption = ml_page_caption(
			page, "Gain", "Share of all positives found over the share of rows looked at."),
		.x = share_axis("Share of rows, highest score first"),
		.y = share_axis("Share of positives found"),
		.series = series,
		.n_series = 1,
		.reference = named(diagonal, "Random order")};

	ML_TRY(read_curve(page, "lift", "share", "gain", &gain));
	if (gain.n == 0)
		return ML_OK;
	at = value_at(&gain, 0.2);
	series[0].x = gain.x;
	series[0].y = gain.y;
	series[0].n = gain.n;
	ml_page_card(page, "Gain", "");
	ml_page_raw(page, "<p>The 20 % of rows with the highest scores hold ");
	ml_page_percent(page, at);
	ml_page_raw(page, " of all ");
	put_class(page, page->positive);
	ml_page_raw(page, " rows.</p>");
	ML_TRY(add_others(page, "lift", "share", "gain", series, &chart.n_series));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Lift: how many times more positives than at random. */
MlStatus
ml_page_lift(MlPage *page)
{
	Curve lift;
	char room[ML_NUMBER_ROOM];
	MlSeries series[1 + ML_PAGE_OTHERS] = {{.name = "Model", .style = ML_SERIES_LINE, .color = 1}};
	MlLineChart chart = {
		.caption = ml_page_caption(
			page, "Lift", "How many times more positives than at random, by share of rows."),
		.x = share_axis("Share of rows, highest score first"),
		.y = {.label = "Times more positives than at random", .lo = 0.0, .hi = NAN, .round = true},
		.series = series,
		.n_series = 1,
		.reference = {0.0, 1.0, 1.0, 1.0, "Random order"}};

	ML_TRY(read_curve(page, "lift", "share", "lift", &lift));
	if (lift.n == 0)
		return ML_OK;
	series[0].x = lift.x;
	series[0].y = lift.y;
	series[0].n = lift.n;
	ml_page_card(page, "Lift", "");
	ml_page_raw(page, "<p>Among the 10 % of rows with the highest scores, ");
	put_class(page, page->positive);
	ml_page_raw(page, " is ");
	ml_page_raw(page, ml_human_number(room, value_at(&lift, 0.1), 3));
	ml_page_raw(page, " times as frequent as overall.</p>");
	ML_TRY(add_others(page, "lift", "share", "lift", series, &chart.n_series));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Mean distance of predicted and observed shares, weighted by rows. */
static double
calibration_error(const Curve *curve, const double *count)
{
	double sum = 0.0, weight = 0.0;

	for (size_t i = 0; i < curve->n; i++)
	{
		if (!isfinite(curve->x[i]) || !isfinite(curve->y[i]) || !(count[i] > 0.0))
			continue;
		sum += count[i] * fabs(curve->x[i] - curve->y[i]);
		weight += count[i];
	}
	return weight > 0.0 ? sum / weight : NAN;
}

/* Calibration: does what is given 30 % happen in 30 % of cases? */
MlStatus
ml_page_calibration(MlPage *page)
{
	Curve curve;
	double *count;
	size_t n;
	MlSeries series[2 + ML_PAGE_OTHERS] = {
		{.style = ML_SERIES_LINE, .color = 1},
		{.name = "Group of rows, larger with more rows", .style = ML_SERIES_DOTS, .color = 1}};
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Calibration",
								   "Observed share of positives over the predicted probability."),
		.x = share_axis("Predicted probability"),
		.y = share_axis("Observed share of positives"),
		.series = series,
		.n_series = 2,
		.reference = named(diagonal, "Perfect")};

	ML_TRY(read_curve(page, "calibration", "predicted", "observed", &curve));
	ML_TRY(ml_fact_doubles(page, ml_json_get(page->curves, "calibration"), "count", &count, &n));
	if (curve.n == 0 || n < curve.n)
		return ML_OK;
	for (int k = 0; k < 2; k++)
	{
		series[k].x = curve.x;
		series[k].y = curve.y;
		series[k].n = curve.n;
	}
	series[1].size = count;
	ml_page_card(page, "Calibration", "");
	ml_page_raw(page, "<p>Predicted probabilities and observed shares differ by ");
	ml_page_number(page, 100.0 * calibration_error(&curve, count), 2);
	ml_page_raw(page, " percentage points on average.</p>");
	if (page->n_others > 0)
		series[1].name = NULL;
	ML_TRY(add_others(page, "calibration", "predicted", "observed", series, &chart.n_series));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* All curves that there are. */
MlStatus
ml_page_curves(MlPage *page)
{
	static MlStatus (*const parts[])(MlPage *) = {ml_page_roc,  ml_page_pr,   ml_page_ks,
												  ml_page_gain, ml_page_lift, ml_page_calibration};

	if (page->task != ML_PAGE_BINARY || !page->curves)
		return ML_OK;
	ml_page_raw(page,
				"<section id=\"curves\"><h2>Curves</h2><p class=\"sub\">Each point of a curve "
				"is one threshold: from which probability on a row counts as ");
	put_class(page, page->positive);
	ml_page_raw(page, ".</p><div class=\"grid\">");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ML_TRY(parts[i](page));
	ml_page_raw(page, "</div></section>");
	return ML_OK;
}
