/*
 * heatmap.c
 *		A square table of values as tinted cells: the confusion matrix.
 *
 * Few labels: cells with their values. Many: narrower cells with the values
 * that fit, names on end. Very many: tints alone, one path for each strength
 * of tint, and only as many names as can be read.
 */
#include "plot/charts.h"

#include <math.h>
#include <string.h>

#define CELL_LIMIT 40   /* up to this many rows each cell is a shape of its own, with a tooltip */
#define N_TINTS 10      /* strengths of tint above the limit */
#define NAME_LIMIT 96.0 /* units for the names on either side */
#define LARGEST_CELL 120.0
#define NAME_ROW 12.0 /* units that a name needs across its direction */

#define MARGIN 6.0     /* right and below: half of a name that stands beside the last, narrow row */
#define TWO_LINES 56.0 /* a cell of this size holds its value and its share */

/* One cell. */
typedef struct Cell
{
	size_t row, column;
	double value, shade, x, y;
} Cell;

/* Where things are in one heat map. */
typedef struct Layout
{
	double width, left, top, cell;
	double side;       /* of the whole square */
	double name_width; /* room for a row's name */
	bool upright;      /* columns' names read from bottom to top */
	size_t every;      /* every which name is shown */
} Layout;

/* Settle the sizes. */
static void
lay_out(const MlHeatMap *map, Layout *l)
{
	double widest = 0.0, n = (double) map->n;

	for (size_t k = 0; k < map->n; k++)
		widest = fmax(widest, ml_markup_width(map->labels[k], strlen(map->labels[k])));
	widest = ceil(widest * ML_FONT_SIZE) + 1.0;
	l->width = map->n < ML_WIDE_FROM ? ML_CHART_WIDTH : ML_WIDE_CHART;
	l->name_width = fmin(widest, NAME_LIMIT);
	l->left = l->name_width + 26.0;
	l->cell = fmin((l->width - l->left - MARGIN) / n, LARGEST_CELL);
	l->side = l->cell * n;
	l->left += (l->width - l->left - MARGIN - l->side) / 2.0;
	l->upright = widest > l->cell - 4.0;
	l->top = 20.0 + (l->upright ? l->name_width : 14.0) + 8.0;
	l->every = (size_t) ceil(NAME_ROW / l->cell);
}

/* A text that is read from bottom to top. */
static void
put_turned_text(MlBuffer *out, const char *class, MlPlace place, double width, const char *text)
{
	ml_markup_raw(out, "<g transform=\"rotate(-90 ");
	ml_svg_coordinate(out, place.x);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, place.y);
	ml_markup_raw(out, ")\">");
	ml_svg_text(out, class, place, width, text);
	ml_markup_raw(out, "</g>");
}

/* Titles of both sides and the names of rows and columns. */
static void
put_names(MlBuffer *out, const MlHeatMap *map, const Layout *l)
{
	double side = l->side, title_x = l->left - l->name_width - 14.0;

	ml_svg_text(out, "mu", (MlPlace){l->left + side / 2.0, 12.0, ML_ANCHOR_MIDDLE}, l->width,
				map->column_title);
	put_turned_text(out, "mu", (MlPlace){title_x, l->top + side / 2.0, ML_ANCHOR_MIDDLE}, side,
					map->row_title);
	for (size_t k = 0; k < map->n; k += l->every)
	{
		double middle = l->cell * ((double) k + 0.5);

		ml_svg_text(out, "", (MlPlace){l->left - 6.0, l->top + middle + 4.0, ML_ANCHOR_END},
					l->name_width, map->labels[k]);
		if (l->upright)
			put_turned_text(out, "",
							(MlPlace){l->left + middle + 4.0, l->top - 6.0, ML_ANCHOR_START},
							l->name_width, map->labels[k]);
		else
			ml_svg_text(out, "", (MlPlace){l->left + middle, l->top - 6.0, ML_ANCHOR_MIDDLE},
						l->name_width, map->labels[k]);
	}
}

/* The colour of a text on a tint, so that its contrast is at least 4.5 in both themes (WCAG 2.1). */
static const char *
text_class(const Cell *cell)
{
	if (cell->shade <= 0.6)
		return "lo";
	return cell->shade > 0.92 && cell->row == cell->column ? "on" : "mi";
}

/* The value of a cell where it fits, and below it the share where there is room for both. */
static void
put_cell_value(MlBuffer *out, const Layout *l, const Cell *cell)
{
	char room[ML_NUMBER_ROOM];
	bool large = l->cell >= TWO_LINES;
	const char *text =
		large ? ml_human_number(room, cell->value, 3) : ml_human_compact(room, cell->value);
	MlPlace place = {cell->x + l->cell / 2.0, cell->y + l->cell / 2.0 + 4.0, ML_ANCHOR_MIDDLE};

	if (ml_markup_width(text, strlen(text)) * ML_FONT_SIZE > l->cell - 3.0)
		return;
	place.y -= large ? 7.0 : 0.0;
	ml_svg_text(out, text_class(cell), place, l->cell, text);
	if (!large)
		return;
	place.y += 16.0;
	ml_svg_text(out, text_class(cell), place, l->cell, ml_human_percent(room, cell->shade));
}

/* One cell with its tint, its value and a tooltip. */
static void
put_cell(MlBuffer *out, const MlHeatMap *map, const Layout *l, const Cell *cell)
{
	char room[ML_NUMBER_ROOM];
	double gap = l->cell > 16.0 ? 1.0 : 0.5;

	ml_put_format(out, "<rect class=\"f%d\" fill-opacity=\"%.2f\" x=\"",
				  cell->row == cell->column ? 1 : 2, 0.08 + 0.92 * cell->shade);
	ml_svg_coordinate(out, cell->x + gap);
	ml_markup_raw(out, "\" y=\"");
	ml_svg_coordinate(out, cell->y + gap);
	ml_markup_raw(out, "\" width=\"");
	ml_svg_coordinate(out, l->cell - 2.0 * gap);
	ml_markup_raw(out, "\" height=\"");
	ml_svg_coordinate(out, l->cell - 2.0 * gap);
	ml_markup_raw(out, "\"><title>");
	ml_markup_text(out, map->labels[cell->row]);
	ml_markup_raw(out, " \xE2\x86\x92 ");
	ml_markup_text(out, map->labels[cell->column]);
	ml_put_format(out, ": %s, ", ml_human_number(room, cell->value, 3));
	ml_put_format(out, "%s</title></rect>", ml_human_percent(room, cell->shade));
	put_cell_value(out, l, cell);
}

/* All cells, each a shape of its own. */
static void
put_cells(MlBuffer *out, const MlHeatMap *map, const Layout *l)
{
	for (size_t row = 0; row < map->n; row++)
		for (size_t column = 0; column < map->n; column++)
		{
			Cell cell = {.row = row,
						 .column = column,
						 .value = map->values[row * map->n + column],
						 .shade = fmin(fmax(map->shades[row * map->n + column], 0.0), 1.0),
						 .x = l->left + l->cell * (double) column,
						 .y = l->top + l->cell * (double) row};

			if (cell.value > 0.0)
				put_cell(out, map, l, &cell);
		}
}

/* All cells of one tint and colour as one path. */
static void
put_tint(MlBuffer *out, const MlHeatMap *map, const Layout *l, int tint, bool diagonal)
{
	bool begun = false;

	for (size_t row = 0; row < map->n; row++)
		for (size_t column = 0; column < map->n; column++)
		{
			size_t at = row * map->n + column;
			double shade = fmin(fmax(map->shades[at], 0.0), 1.0);

			if ((row == column) != diagonal || !(map->values[at] > 0.0) ||
				(int) fmin(shade * N_TINTS, N_TINTS - 1) != tint)
				continue;
			if (!begun)
				ml_put_format(out, "<path class=\"f%d\" fill-opacity=\"%.2f\" d=\"",
							  diagonal ? 1 : 2, 0.1 + 0.9 * (tint + 0.5) / N_TINTS);
			begun = true;
			ml_put_bytes(out, "M", 1);
			ml_svg_coordinate(out, l->left + l->cell * (double) column);
			ml_put_bytes(out, " ", 1);
			ml_svg_coordinate(out, l->top + l->cell * (double) row);
			ml_put_bytes(out, "h", 1);
			ml_svg_coordinate(out, l->cell);
			ml_put_bytes(out, "v", 1);
			ml_svg_coordinate(out, l->cell);
			ml_put_bytes(out, "h", 1);
			ml_svg_coordinate(out, -l->cell);
			ml_put_bytes(out, "z", 1);
		}
	if (begun)
		ml_markup_raw(out, "\"/>");
}

/* One heat map. */
void
ml_chart_heat(MlBuffer *out, const MlHeatMap *map)
{
	Layout l;

	if (map->n == 0)
		return;
	lay_out(map, &l);
	ml_svg_begin(out, &map->caption, l.width, l.top + l.side + MARGIN);
	ml_svg_rect(out, "tr", (MlBox){l.left, l.top, l.side, l.side}, NULL, NULL);
	put_names(out, map, &l);
	if (map->n <= CELL_LIMIT)
		put_cells(out, map, &l);
	else
		for (int tint = 0; tint < 2 * N_TINTS; tint++)
			put_tint(out, map, &l, tint % N_TINTS, tint >= N_TINTS);
	ml_svg_end(out, &map->caption);
}
