/*
 * charts.h
 *		The charts: lines and dots over two axes, bars, heat maps.
 *
 * Each writes one <svg> element. Values may be NaN, few, huge or alike: what
 * cannot be drawn is left out. Names are escaped and shortened here.
 */
#ifndef ML_CHARTS_H
#define ML_CHARTS_H

#include "plot/axis.h"

typedef enum MlSeriesStyle
{
	ML_SERIES_LINE,
	ML_SERIES_AREA, /* a line with the ground below it tinted */
	ML_SERIES_DOTS,
	ML_SERIES_COLUMNS /* x: left edges of columns that are bar_width wide, y: heights from zero */
} MlSeriesStyle;

typedef struct MlSeries
{
	const char *name; /* in the legend; NULL: not there */
	const double *x, *y;
	const double *size; /* dots: areas in proportion; NULL: all alike */
	size_t n;
	MlSeriesStyle style;
	int color; /* 1 to 6: s1 to s6 and f1 to f6 of the style sheet */
	double bar_width;
} MlSeries;

/* A dashed segment with a label; both ends alike: a dot. -INFINITY and INFINITY reach the ends of the plot. */
typedef struct MlMark
{
	double x1, y1, x2, y2;
	const char *label;
} MlMark;

typedef struct MlLineChart
{
	MlCaption caption;
	MlAxisWish x, y;
	const MlSeries *series;
	size_t n_series;
	const MlMark *marks;
	size_t n_marks;
	MlMark reference; /* a quiet line for comparison, its label in the legend; label NULL: none */
} MlLineChart;

extern void ml_chart_lines(MlBuffer *out, const MlLineChart *chart);

typedef struct MlBar
{
	const char *name;
	double value;     /* >= 0 */
	const char *text; /* the value as it shall be read */
} MlBar;

typedef struct MlBarChart
{
	MlCaption caption;
	const MlBar *bars; /* top to bottom */
	size_t n;
} MlBarChart;

extern void ml_chart_bars(MlBuffer *out, const MlBarChart *chart);

typedef struct MlHeatMap
{
	MlCaption caption;
	size_t n; /* rows and columns */
	char *const *labels;
	const double *values; /* n x n, row-major: what the cells say */
	const double
		*shades; /* n x n, 0 to 1: how strong they are; the diagonal has a colour of its own */
	const char *row_title, *column_title;
} MlHeatMap;

/* From this many labels on a heat map is wide: its box should have room for ML_WIDE_CHART units. */
#define ML_WIDE_FROM 9
#define ML_WIDE_CHART 640.0

extern void ml_chart_heat(MlBuffer *out, const MlHeatMap *map);

#endif /* ML_CHARTS_H */
