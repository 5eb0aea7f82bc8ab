/*
 * lines.c
 *		Lines, dots and columns over two axes.
 *
 * From top to bottom: legend, label of the y axis, plot, labels of the ticks,
 * label of the x axis. The plot group carries its box and ranges as data
 * attributes, so that the page's script can read values back from places; the
 * drawing is complete without it.
 *
 * A line of very many points is thinned column by column of the picture to its
 * first, lowest, highest and last point there, which draws the same pixels (M4:
 * Jugel, Jerzak, Hackenbroich and Markl, VLDB 2014).
 */
#include "plot/charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PLOT_HEIGHT 200.0
#define LEGEND_ROW 18.0
#define SWATCH 14.0
#define MAX_POINTS 500 /* more are thinned */
#define THIN_COLUMNS 150
#define MAX_PIECES 2000 /* of a line, when a label looks for its place */

/* Where things are in one chart. */
typedef struct Layout
{
	MlAxis x, y;
	MlBox plot;
	double height;
} Layout;

/* A name in the legend, and how it is drawn there. */
typedef struct LegendEntry
{
	const char *name;
	const MlSeries *series; /* NULL: the reference */
} LegendEntry;

#define MAX_LEGEND 8

/* Collect what the legend shows. */
static size_t
legend_entries(const MlLineChart *chart, LegendEntry *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < chart->n_series && n < MAX_LEGEND; i++)
		if (chart->series[i].name)
			entries[n++] = (LegendEntry){chart->series[i].name, &chart->series[i]};
	if (chart->reference.label && n < MAX_LEGEND)
		entries[n++] = (LegendEntry){chart->reference.label, NULL};
	return n;
}

/* Draw the sample of one legend entry with its left end at x. */
static void
put_swatch(MlBuffer *out, const MlSeries *series, double x, double y)
{
	char class[16];

	if (!series)
	{
		ml_svg_line(out, "rf", x, y, x + SWATCH, y);
		return;
	}
	if (series->style == ML_SERIES_DOTS)
	{
		snprintf(class, sizeof(class), "f%d", series->color);
		ml_svg_circle(out, class, x + SWATCH / 2.0, y, 4.0);
		return;
	}
	snprintf(class, sizeof(class), "ln s%d", series->color);
	ml_svg_line(out, class, x + 1.0, y, x + SWATCH - 1.0, y);
}

/* Draw the legend in rows (out NULL: only measure). Returns its height. */
static double
put_legend(MlBuffer *out, const LegendEntry *entries, size_t n)
{
	double x = 0.0, y = 0.0, gap = 16.0, room = ML_CHART_WIDTH - SWATCH - 6.0;

	if (n == 0)
		return 0.0;
	for (size_t i = 0; i < n; i++)
	{
		double width =
			fmin(ml_markup_width(entries[i].name, strlen(entries[i].name)) * ML_FONT_SIZE, room);

		if (x > 0.0 && x + SWATCH + 6.0 + width > ML_CHART_WIDTH)
		{
			x = 0.0;
			y += LEGEND_ROW;
		}
		if (out)
		{
			put_swatch(out, entries[i].series, x, y + 8.0);
			ml_svg_text(out, "", (MlPlace){x + SWATCH + 6.0, y + 12.0, ML_ANCHOR_START},
						width + 0.5, entries[i].name);
		}
		x += SWATCH + 6.0 + width + gap;
	}
	return y + LEGEND_ROW + 6.0;
}

/* Ranges of the data, columns and the marks' finite ends included. */
static void
data_range(const MlLineChart *chart, double *xlo, double *xhi, double *ylo, double *yhi)
{
	*xlo = *ylo = INFINITY;
	*xhi = *yhi = -INFINITY;
	for (size_t i = 0; i < chart->n_series; i++)
	{
		const MlSeries *s = &chart->series[i];

		ml_range_add(xlo, xhi, s->x, s->n);
		ml_range_add(ylo, yhi, s->y, s->n);
		if (s->style == ML_SERIES_COLUMNS && *xlo <= *xhi)
		{
			*xhi += s->bar_width;
			*ylo = fmin(*ylo, 0.0);
		}
	}
	for (size_t i = 0; i < chart->n_marks; i++)
	{
		const double xs[2] = {chart->marks[i].x1, chart->marks[i].x2};
		const double ys[2] = {chart->marks[i].y1, chart->marks[i].y2};

		ml_range_add(xlo, xhi, xs, 2);
		ml_range_add(ylo, yhi, ys, 2);
	}
}

/* Settle axes and boxes. */
static void
lay_out(const MlLineChart *chart, double top, Layout *l)
{
	double xlo, xhi, ylo, yhi, left, right;
	int wanted = 6;

	data_range(chart, &xlo, &xhi, &ylo, &yhi);
	ml_axis_fit(&l->y, &chart->y, ylo, yhi, 5);
	left = ceil(ml_axis_label_width(&l->y)) + 8.0;
	do
	{
		ml_axis_fit(&l->x, &chart->x, xlo, xhi, wanted);
		right = fmax(ceil(ml_axis_label_width(&l->x) / 2.0), 6.0);
		l->plot = (MlBox){left, top + 28.0, ML_CHART_WIDTH - left - right, PLOT_HEIGHT};
	} while (l->x.n_ticks * (2.0 * right + 8.0) > l->plot.width && --wanted > 1);
	l->x.from = l->plot.x;
	l->x.to = l->plot.x + l->plot.width;
	l->y.from = l->plot.y + l->plot.height;
	l->y.to = l->plot.y;
	l->height = l->y.from + 44.0;
}

/* Grid, ticks and the labels of both axes. */
static void
put_axes(MlBuffer *out, const MlLineChart *chart, const Layout *l)
{
	double left = l->x.from, right = l->x.to, bottom = l->y.from;

	ml_svg_text(out, "mu", (MlPlace){0.0, l->plot.y - 16.0, ML_ANCHOR_START}, ML_CHART_WIDTH,
				chart->y.label);
	for (int i = 0; i < l->y.n_ticks; i++)
	{
		double y = ml_axis_place(&l->y, l->y.ticks[i]);

		ml_svg_line(out, "gr", left, y, right, y);
		ml_svg_text(out, "mu", (MlPlace){left - 8.0, y + 4.0, ML_ANCHOR_END}, ML_CHART_WIDTH,
					l->y.labels[i]);
	}
	ml_svg_line(out, "ax", left, bottom, right, bottom);
	for (int i = 0; i < l->x.n_ticks; i++)
	{
		double x = ml_axis_place(&l->x, l->x.ticks[i]);

		ml_svg_line(out, "ax", x, bottom, x, bottom + 4.0);
		ml_svg_text(out, "mu", (MlPlace){x, bottom + 18.0, ML_ANCHOR_MIDDLE}, ML_CHART_WIDTH,
					l->x.labels[i]);
	}
	ml_svg_text(out, "mu", (MlPlace){(left + right) / 2.0, bottom + 38.0, ML_ANCHOR_MIDDLE},
				2.0 * fmin((left + right) / 2.0, ML_CHART_WIDTH - (left + right) / 2.0),
				chart->x.label);
}

/* One point of a path; a gap before it starts the line anew. */
static void
put_point(MlBuffer *out, const Layout *l, double x, double y, bool start)
{
	ml_put_bytes(out, start ? "M" : "L", 1);
	ml_svg_coordinate(out, ml_axis_place(&l->x, x));
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, ml_axis_place(&l->y, y));
}

/* True when the points can be thinned: many, finite, from left to right. */
static bool
can_thin(const MlSeries *s)
{
	if (s->n <= MAX_POINTS)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!isfinite(s->x[i]) || !isfinite(s->y[i]) || (i > 0 && s->x[i] < s->x[i - 1]))
			return false;
	return true;
}

/* The path of points first..end-1 reduced to first, lowest, highest and last, in their order. */
static void
put_column(MlBuffer *out, const Layout *l, const MlSeries *s, size_t first, size_t end)
{
	size_t low = first, high = first, keep[4], previous = SIZE_MAX;

	for (size_t i = first; i < end; i++)
	{
		low = s->y[i] < s->y[low] ? i : low;
		high = s->y[i] > s->y[high] ? i : high;
	}
	keep[0] = first;
	keep[1] = ML_MIN(low, high);
	keep[2] = ML_MAX(low, high);
	keep[3] = end - 1;
	for (int k = 0; k < 4; k++)
	{
		if (keep[k] == previous)
			continue;
		put_point(out, l, s->x[keep[k]], s->y[keep[k]], first == 0 && k == 0);
		previous = keep[k];
	}
}

/* The path of a line; where a value is missing it has a gap. */
static void
put_line_path(MlBuffer *out, const Layout *l, const MlSeries *s)
{
	size_t run = 0;

	if (can_thin(s))
	{
		for (size_t first = 0, end; first < s->n; first = end)
		{
			double edge = floor((ml_axis_place(&l->x, s->x[first]) - l->plot.x) / l->plot.width *
								THIN_COLUMNS);

			for (end = first + 1; end < s->n; end++)
				if (floor((ml_axis_place(&l->x, s->x[end]) - l->plot.x) / l->plot.width *
						  THIN_COLUMNS) > edge)
					break;
			put_column(out, l, s, first, end);
		}
		return;
	}
	for (size_t i = 0; i < s->n; i++)
	{
		if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
		{
			run = 0;
			continue;
		}
		put_point(out, l, s->x[i], s->y[i], run++ == 0);
	}
}

/* True when all points are there, so that the ground below the line is one shape. */
static bool
all_finite(const MlSeries *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
			return false;
	return s->n > 1;
}

/* True when point i is there and neither of its neighbours is. */
static bool
alone(const MlSeries *s, size_t i)
{
	bool before = i > 0 && isfinite(s->x[i - 1]) && isfinite(s->y[i - 1]);
	bool after = i + 1 < s->n && isfinite(s->x[i + 1]) && isfinite(s->y[i + 1]);

	return isfinite(s->x[i]) && isfinite(s->y[i]) && !before && !after;
}

/* A line, and the ground below it where it is wanted. A point without neighbours is a dot. */
static void
put_line(MlBuffer *out, const Layout *l, const MlSeries *s)
{
	char class[16];

	if (s->style == ML_SERIES_AREA && all_finite(s))
	{
		ml_put_format(out, "<path class=\"ar f%d\" d=\"", s->color);
		put_line_path(out, l, s);
		put_point(out, l, s->x[s->n - 1], l->y.lo, false);
		put_point(out, l, s->x[0], l->y.lo, false);
		ml_markup_raw(out, "Z\"/>");
	}
	ml_put_format(out, "<path class=\"ln s%d\" data-n=\"", s->color);
	ml_markup_text(out, s->name ? s->name : "");
	ml_markup_raw(out, "\" d=\"");
	put_line_path(out, l, s);
	ml_markup_raw(out, "\"/>");
	snprintf(class, sizeof(class), "do f%d", s->color);
	for (size_t i = 0; i < s->n; i++)
		if (alone(s, i))
			ml_svg_circle(out, class, ml_axis_place(&l->x, s->x[i]), ml_axis_place(&l->y, s->y[i]),
						  4.5);
}

/* True when a point is there and within both ranges. */
static bool
inside(const Layout *l, double x, double y)
{
	return x >= l->x.lo && x <= l->x.hi && y >= l->y.lo && y <= l->y.hi;
}

/* Dots; their areas follow size where it is given. Those outside the ranges are left out. */
static void
put_dots(MlBuffer *out, const Layout *l, const MlSeries *s)
{
	double largest = 0.0;

	for (size_t i = 0; s->size && i < s->n; i++)
		if (isfinite(s->size[i]))
			largest = fmax(largest, s->size[i]);
	ml_put_format(out, "<g class=\"pt f%d\" data-n=\"", s->color);
	ml_markup_text(out, s->name ? s->name : "");
	ml_markup_raw(out, "\">");
	for (size_t i = 0; i < s->n; i++)
	{
		double r = 2.5;

		if (!inside(l, s->x[i], s->y[i]))
			continue;
		if (s->size)
			r = largest > 0.0 && s->size[i] > 0.0 ? fmax(2.5, 8.0 * sqrt(s->size[i] / largest))
												  : 2.5;
		ml_markup_raw(out, "<circle cx=\"");
		ml_svg_coordinate(out, ml_axis_place(&l->x, s->x[i]));
		ml_markup_raw(out, "\" cy=\"");
		ml_svg_coordinate(out, ml_axis_place(&l->y, s->y[i]));
		ml_markup_raw(out, "\" r=\"");
		ml_svg_coordinate(out, r);
		ml_markup_raw(out, "\"/>");
	}
	ml_markup_raw(out, "</g>");
}

/* Columns from zero. */
static void
put_columns(MlBuffer *out, const Layout *l, const MlSeries *s)
{
	double zero = ml_axis_place(&l->y, 0.0);
	char class[16];

	snprintf(class, sizeof(class), "f%d", s->color);
	for (size_t i = 0; i < s->n; i++)
	{
		double x1 = ml_axis_place(&l->x, s->x[i]), x2;
		double y = ml_axis_place(&l->y, s->y[i]);
		char from[ML_NUMBER_ROOM], to[ML_NUMBER_ROOM], count[ML_NUMBER_ROOM], tip[160];

		if (!isfinite(s->x[i]) || !(s->y[i] > 0.0))
			continue;
		x2 = ml_axis_place(&l->x, s->x[i] + s->bar_width);
		snprintf(tip, sizeof(tip), "%s to %s", ml_human_number(from, s->x[i], 4),
				 ml_human_number(to, s->x[i] + s->bar_width, 4));
		ml_svg_rect(out, class, (MlBox){x1 + 0.5, y, fmax(x2 - x1 - 1.0, 0.5), zero - y}, tip,
					ml_human_number(count, s->y[i], 4));
	}
}

/* How much of a straight piece lies within a box, by samples. */
static int
covered_by_piece(const Layout *l, MlBox box, MlMark piece)
{
	double x1 = ml_axis_place(&l->x, piece.x1), y1 = ml_axis_place(&l->y, piece.y1);
	double x2 = ml_axis_place(&l->x, piece.x2), y2 = ml_axis_place(&l->y, piece.y2);
	int steps = (int) (hypot(x2 - x1, y2 - y1) / 4.0) + 1, n = 0;

	for (int k = 0; k <= steps; k++)
	{
		double x = x1 + (x2 - x1) * k / steps, y = y1 + (y2 - y1) * k / steps;

		n += x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
	}
	return n;
}

/* How much of the drawing a text in this box would cover; lines count more than the reference. */
static int
covered(const MlLineChart *chart, const Layout *l, MlBox box)
{
	int n = chart->reference.label ? covered_by_piece(l, box, chart->reference) : 0;

	if (box.x < l->plot.x || box.x + box.width > l->plot.x + l->plot.width || box.y < l->plot.y ||
		box.y + box.height > l->plot.y + l->plot.height)
		n += 1000;
	for (size_t i = 0; i < chart->n_series; i++)
	{
		const double *x = chart->series[i].x, *y = chart->series[i].y;
		size_t step = chart->series[i].n / MAX_PIECES + 1;

		for (size_t k = step; k < chart->series[i].n; k += step)
			if (isfinite(x[k - step] + x[k]) && isfinite(y[k - step] + y[k]))
				n += 3 *
					 covered_by_piece(l, box, (MlMark){x[k - step], y[k - step], x[k], y[k], NULL});
	}
	return n;
}

/* A mark's label beside (x, y), where it covers least of the drawing. */
static void
put_mark_label(MlBuffer *out, const MlLineChart *chart, const Layout *l, MlPlace at,
			   const char *label)
{
	static const double shifts[] = {4.0, 19.0, -11.0, 34.0, -26.0, 54.0, -46.0};
	double width = ceil(1.1 * ml_markup_width(label, strlen(label)) * ML_FONT_SIZE);
	MlPlace best = at;
	int least = -1;

	for (size_t k = 0; k < 2 * sizeof(shifts) / sizeof(shifts[0]); k++)
	{
		bool right = k % 2 == 0;
		double x = at.x + (right ? 9.0 : -9.0), y = at.y + shifts[k / 2];
		int n = covered(chart, l, (MlBox){right ? x : x - width, y - 11.0, width, 14.0});

		if (least >= 0 && n >= least)
			continue;
		least = n;
		best = (MlPlace){x, y, right ? ML_ANCHOR_START : ML_ANCHOR_END};
	}
	ml_svg_text(out, "la st", best, width + 1.0, label);
}

/* A dot or a dashed segment, with its label. */
static void
put_mark(MlBuffer *out, const MlLineChart *chart, const Layout *l, const MlMark *mark)
{
	double x1 = ml_axis_place(&l->x, mark->x1), y1 = ml_axis_place(&l->y, mark->y1);
	double x2 = ml_axis_place(&l->x, mark->x2), y2 = ml_axis_place(&l->y, mark->y2);

	if (isnan(mark->x1) || isnan(mark->y1) || isnan(mark->x2) || isnan(mark->y2))
		return;
	if (mark->x1 == mark->x2 && mark->y1 == mark->y2)
		ml_svg_circle(out, "do", x1, y1, 5.0);
	else
		ml_svg_line(out, "mk", x1, y1, x2, y2);
	put_mark_label(out, chart, l, (MlPlace){(x1 + x2) / 2.0, (y1 + y2) / 2.0, ML_ANCHOR_START},
				   mark->label);
}

/* The attributes by which a script finds values: box, ranges, label of x. */
static void
put_plot_group(MlBuffer *out, const MlLineChart *chart, const Layout *l)
{
	char lo[32], hi[32];

	ml_markup_raw(out, "<g class=\"pl\" data-b=\"");
	ml_svg_coordinate(out, l->plot.x);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, l->plot.y);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, l->plot.width);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, l->plot.height);
	for (int k = 0; k < 2; k++)
	{
		const MlAxis *axis = k == 0 ? &l->x : &l->y;

		snprintf(lo, sizeof(lo), "%.9g", axis->lo);
		snprintf(hi, sizeof(hi), "%.9g", axis->hi);
		ml_put_format(out, "\" data-%s=\"%s %s %d", k == 0 ? "x" : "y", lo, hi, axis->percent);
		ml_put_format(out, "\" data-%sl=\"", k == 0 ? "x" : "y");
		ml_markup_text(out, k == 0 ? chart->x.label : chart->y.label);
	}
	ml_markup_raw(out, "\">");
}

/* One chart of lines, dots and columns. */
void
ml_chart_lines(MlBuffer *out, const MlLineChart *chart)
{
	LegendEntry entries[MAX_LEGEND];
	size_t n_entries = legend_entries(chart, entries);
	Layout l;

	lay_out(chart, put_legend(NULL, entries, n_entries), &l);
	ml_svg_begin(out, &chart->caption, ML_CHART_WIDTH, l.height);
	put_legend(out, entries, n_entries);
	put_axes(out, chart, &l);
	put_plot_group(out, chart, &l);
	if (chart->reference.label)
		ml_svg_line(out, "rf", ml_axis_place(&l.x, chart->reference.x1),
					ml_axis_place(&l.y, chart->reference.y1),
					ml_axis_place(&l.x, chart->reference.x2),
					ml_axis_place(&l.y, chart->reference.y2));
	for (size_t i = 0; i < chart->n_series; i++)
	{
		const MlSeries *s = &chart->series[i];

		if (s->style == ML_SERIES_DOTS)
			put_dots(out, &l, s);
		else if (s->style == ML_SERIES_COLUMNS)
			put_columns(out, &l, s);
		else
			put_line(out, &l, s);
	}
	ml_markup_raw(out, "</g>");
	for (size_t i = 0; i < chart->n_marks; i++)
		put_mark(out, chart, &l, &chart->marks[i]);
	ml_svg_end(out, &chart->caption);
}
