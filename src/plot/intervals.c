/*
 * intervals.c
 *		Values to the left and right of zero, each with the range that it may lie in: coefficients.
 *
 * Names and values stand in columns of their own, as in bars.c; ticks at round numbers below. A range
 * that is much wider than all values ends at the edge, so that one vague value does not press the others
 * into a line.
 */
#include "plot/charts.h"

#include <math.h>
#include <string.h>

#define ROW_HEIGHT 24.0
#define LARGEST_RANGE 3.0 /* times the largest value: how far ranges are drawn */

/* Where things are in one chart. */
typedef struct Layout
{
	MlAxis axis;
	double left, right, bottom;
} Layout;

/* The widest of n texts in units. */
static double
widest(const MlIntervalChart *chart, bool names)
{
	double width = 0.0;

	for (size_t i = 0; i < chart->n; i++)
	{
		const char *text = names ? chart->rows[i].name : chart->rows[i].text;

		width = fmax(width, ml_markup_width(text, strlen(text)));
	}
	return ceil(width * ML_FONT_SIZE);
}

/* Settle the columns and the axis, which holds zero. */
static void
lay_out(const MlIntervalChart *chart, Layout *l)
{
	static const MlAxisWish wish = {.lo = NAN, .hi = NAN};
	double lo = 0.0, hi = 0.0, low = 0.0, high = 0.0, reach, half;
	int wanted = 5;

	for (size_t i = 0; i < chart->n; i++)
	{
		ml_range_add(&lo, &hi, &chart->rows[i].value, 1);
		ml_range_add(&low, &high, &chart->rows[i].lo, 1);
		ml_range_add(&low, &high, &chart->rows[i].hi, 1);
	}
	reach = LARGEST_RANGE * fmax(fabs(lo), fabs(hi));
	l->left = fmin(widest(chart, true), ML_CHART_WIDTH / 2.0) + 14.0;
	l->right = ML_CHART_WIDTH - widest(chart, false) - 14.0;
	l->bottom = ROW_HEIGHT * (double) chart->n + 4.0;
	do
	{
		ml_axis_fit(&l->axis, &wish, fmax(low, -reach), fmin(high, reach), wanted);
		half = ml_axis_label_width(&l->axis) / 2.0;
	} while (l->axis.n_ticks * (2.0 * half + 8.0) > l->right - l->left && --wanted > 1);
	l->axis.from = l->left + half;
	l->axis.to = fmin(l->right, ML_CHART_WIDTH - half);
}

/* Grid lines with their labels; zero is stronger. */
static void
put_axis(MlBuffer *out, const Layout *l)
{
	for (int i = 0; i < l->axis.n_ticks; i++)
	{
		double x = ml_axis_place(&l->axis, l->axis.ticks[i]);

		ml_svg_line(out, l->axis.ticks[i] == 0.0 ? "ax" : "gr", x, 0.0, x, l->bottom);
		ml_svg_text(out, "mu", (MlPlace){x, l->bottom + 16.0, ML_ANCHOR_MIDDLE}, ML_CHART_WIDTH,
					l->axis.labels[i]);
	}
}

/* One row: its name, range, value. */
static void
put_row(MlBuffer *out, const Layout *l, const MlInterval *row, double middle)
{
	double x = ml_axis_place(&l->axis, row->value);
	double from = ml_axis_place(&l->axis, row->lo), to = ml_axis_place(&l->axis, row->hi);
	const char *fill = row->value < 0.0 ? "f2" : "f1";

	ml_svg_text(out, "", (MlPlace){l->left - 14.0, middle + 4.0, ML_ANCHOR_END}, l->left - 13.5,
				row->name);
	if (to > from)
		ml_svg_line(out, row->value < 0.0 ? "ln s2" : "ln s1", from, middle, to, middle);
	ml_svg_rect(out, fill, (MlBox){x - 4.0, middle - 4.0, 8.0, 8.0}, row->name, row->text);
	ml_svg_text(out, "mu", (MlPlace){ML_CHART_WIDTH, middle + 4.0, ML_ANCHOR_END}, ML_CHART_WIDTH,
				row->text);
}

/* One chart of values and their ranges. */
void
ml_chart_intervals(MlBuffer *out, const MlIntervalChart *chart)
{
	Layout l;

	lay_out(chart, &l);
	ml_svg_begin(out, &chart->caption, ML_CHART_WIDTH, l.bottom + 22.0);
	put_axis(out, &l);
	for (size_t i = 0; i < chart->n; i++)
		put_row(out, &l, &chart->rows[i], ROW_HEIGHT * ((double) i + 0.5));
	ml_svg_end(out, &chart->caption);
}
