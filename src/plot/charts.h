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

/* A value with the range that it may lie in. */
typedef struct MlInterval
{
	const char *name;
	double value, lo, hi; /* finite value; lo = hi: no range */
	const char *text;     /* the value as it shall be read */
} MlInterval;

typedef struct MlIntervalChart
{
	MlCaption caption;
	const MlInterval *rows; /* top to bottom */
	size_t n;
} MlIntervalChart;

/* Values to the left and right of zero. */
extern void ml_chart_intervals(MlBuffer *out, const MlIntervalChart *chart);

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

extern void ml_chart_heat(MlBuffer *out, const MlHeatMap *map);

#define ML_TREE_COLORS 6 /* classes beyond them share one */

/* A node of a drawn tree. */
typedef struct MlTreeBox
{
	const char *rule, *text; /* its two lines */
	const char *condition;   /* the rule in full, as a tooltip; NULL: none */
	double value;            /* NaN: none */
	const double *shares;    /* of the classes; NULL: none */
	uint32_t depth;
	uint32_t child[2]; /* 0: none; else both, and greater than its own number */
	bool more;         /* it has children that are not drawn */
} MlTreeBox;

typedef struct MlTreeChart
{
	MlCaption caption;
	const MlTreeBox *boxes; /* the root is the first */
	size_t n;
	const char *const *classes;
	size_t n_classes;
	double *places;  /* room for n */
	uint32_t *stack; /* room for n + 1 */
} MlTreeChart;

extern void ml_chart_tree(MlBuffer *out, const MlTreeChart *chart);

#endif /* ML_CHARTS_H */
