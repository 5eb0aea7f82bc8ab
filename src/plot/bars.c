/*
 * bars.c
 *		Horizontal bars with their names and values: what matters most on top.
 *
 * Names stand in a column of their own, as wide as the longest needs and at
 * most half of the drawing; longer ones are cut.
 */
#include "plot/charts.h"

#include <math.h>
#include <string.h>

#define ROW_HEIGHT 24.0
#define BAR_HEIGHT 12.0

/* Widest of the names or values in units. */
static double
widest(const MlBarChart *chart, bool names)
{
	double width = 0.0;

	for (size_t i = 0; i < chart->n; i++)
	{
		const char *text = names ? chart->bars[i].name : chart->bars[i].text;

		width = fmax(width, ml_markup_width(text, strlen(text)));
	}
	return ceil(width * ML_FONT_SIZE);
}

/* One chart of bars. */
void
ml_chart_bars(MlBuffer *out, const MlBarChart *chart)
{
	double left = fmin(widest(chart, true), ML_CHART_WIDTH / 2.0) + 10.0;
	double room = ML_CHART_WIDTH - left - widest(chart, false) - 8.0, largest = 0.0;

	for (size_t i = 0; i < chart->n; i++)
		if (isfinite(chart->bars[i].value))
			largest = fmax(largest, chart->bars[i].value);
	ml_svg_begin(out, &chart->caption, ML_CHART_WIDTH, ROW_HEIGHT * (double) ML_MAX(chart->n, 1));
	for (size_t i = 0; i < chart->n; i++)
	{
		const MlBar *bar = &chart->bars[i];
		double top = ROW_HEIGHT * (double) i, length;

		length = largest > 0.0 && bar->value > 0.0 ? room * fmin(bar->value / largest, 1.0) : 0.0;
		ml_svg_text(out, "", (MlPlace){left - 10.0, top + 16.0, ML_ANCHOR_END}, left - 9.5,
					bar->name);
		ml_svg_rect(out, "tr", (MlBox){left, top + 6.0, room, BAR_HEIGHT}, NULL, NULL);
		if (length > 0.0)
			ml_svg_rect(out, "f1", (MlBox){left, top + 6.0, fmax(length, 1.0), BAR_HEIGHT},
						bar->name, bar->text);
		ml_svg_text(out, "mu", (MlPlace){ML_CHART_WIDTH, top + 16.0, ML_ANCHOR_END}, ML_CHART_WIDTH,
					bar->text);
	}
	ml_svg_end(out, &chart->caption);
}
