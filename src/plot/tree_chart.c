/*
 * tree_chart.c
 *		A tree from left to right: a box for each node, with the rule that leads there.
 *
 * Leaves stand in a column of slots, in the order of the tree, and an inner node in the middle of its
 * children: so nothing crosses, and the height is that of the leaves. Boxes are wide and flat, as rules
 * are. Below its two lines a box has a bar: the shares of the classes, or where its value lies between
 * the lowest and the highest of the drawing.
 */
#include "plot/charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BOX_WIDTH 200.0
#define BOX_HEIGHT 50.0
#define COLUMN 234.0 /* from the left side of a box to that of its children */
#define SLOT 60.0    /* from one leaf to the next */
#define INSET 8.0
#define BAR_HEIGHT 5.0
#define LEGEND_ROW 18.0
#define SWATCH 10.0

/* Where the boxes are: their left sides and middles. */
typedef struct Layout
{
	double *y; /* by node */
	double top, width, height;
	double lo, hi; /* values */
} Layout;

/* Place leaves in slots, then the others, children before parents. Returns the number of leaves. */
static size_t
place_nodes(const MlTreeChart *chart, Layout *l)
{
	size_t n_leaves = 0, n_stack = 0;
	uint32_t deepest = 0;

	/* From the left: a node's children are after it, so a stack of those to come gives the order of the tree. */
	chart->stack[n_stack++] = 0;
	while (n_stack > 0)
	{
		const MlTreeBox *box = &chart->boxes[chart->stack[--n_stack]];

		deepest = ML_MAX(deepest, box->depth);
		if (box->child[0] == 0)
			l->y[box - chart->boxes] = SLOT * (double) n_leaves++ + BOX_HEIGHT / 2.0;
		else
		{
			chart->stack[n_stack++] = box->child[1];
			chart->stack[n_stack++] = box->child[0];
		}
	}
	for (size_t i = chart->n; i-- > 0;)
	{
		const uint32_t *child = chart->boxes[i].child;

		if (child[0] != 0)
			l->y[i] = (l->y[child[0]] + l->y[child[1]]) / 2.0;
	}
	l->width = COLUMN * deepest + BOX_WIDTH + 2.0;
	return n_leaves;
}

/* The range of the values. */
static void
find_range(const MlTreeChart *chart, Layout *l)
{
	l->lo = INFINITY;
	l->hi = -INFINITY;
	for (size_t i = 0; i < chart->n; i++)
		ml_range_add(&l->lo, &l->hi, &chart->boxes[i].value, 1);
}

/* The colour of a class; those beyond the colours share the quiet one of the bar's ground. */
static void
class_fill(char *class, size_t room, size_t k)
{
	if (k < ML_TREE_COLORS)
		snprintf(class, room, "f%d", (int) k + 1);
	else
		snprintf(class, room, "tr");
}

/* The classes with their colours (out NULL: only measure). Returns the height. */
static double
put_legend(MlBuffer *out, const MlTreeChart *chart, double width)
{
	size_t n = ML_MIN(chart->n_classes, (size_t) ML_TREE_COLORS);
	double x = 0.0, y = 0.0;
	char class[8];

	if (n == 0)
		return 0.0;
	for (size_t k = 0; k < n + (chart->n_classes > n); k++)
	{
		const char *name = k < n ? chart->classes[k] : "other classes";
		double room = ceil(ml_markup_width(name, strlen(name)) * ML_FONT_SIZE) + 1.0;

		room = fmin(room, BOX_WIDTH - SWATCH - 6.0);
		if (x > 0.0 && x + SWATCH + 6.0 + room > width)
		{
			x = 0.0;
			y += LEGEND_ROW;
		}
		class_fill(class, sizeof(class), k);
		if (out)
		{
			ml_svg_rect(out, class, (MlBox){x, y + 3.0, SWATCH, SWATCH}, NULL, NULL);
			ml_svg_text(out, "", (MlPlace){x + SWATCH + 6.0, y + 12.0, ML_ANCHOR_START}, room,
						name);
		}
		x += SWATCH + 6.0 + room + 16.0;
	}
	return y + LEGEND_ROW + 8.0;
}

/* From the right side of a box to the left side of its child. */
static void
put_branch(MlBuffer *out, double x1, double y1, double x2, double y2)
{
	double middle = (x1 + x2) / 2.0;

	ml_markup_raw(out, "<path class=\"br\" d=\"M");
	ml_svg_coordinate(out, x1);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, y1);
	ml_markup_raw(out, "H");
	ml_svg_coordinate(out, middle);
	ml_markup_raw(out, "V");
	ml_svg_coordinate(out, y2);
	ml_markup_raw(out, "H");
	ml_svg_coordinate(out, x2);
	ml_markup_raw(out, "\"/>");
}

/* The bar of a box: shares of classes side by side, or a value's place in the range. */
static void
put_bar(MlBuffer *out, const MlTreeChart *chart, const Layout *l, const MlTreeBox *box, MlBox bar)
{
	double from = bar.x, width = bar.width, right = bar.x + bar.width;
	char class[8], room[ML_NUMBER_ROOM];

	if (!box->shares && !(isfinite(box->value) && l->hi > l->lo))
		return;
	ml_svg_rect(out, "tr", bar, NULL, NULL);
	if (!box->shares)
	{
		bar.width = fmax(width * ((box->value - l->lo) / (l->hi - l->lo)), 1.0);
		ml_svg_rect(out, "f1", bar, NULL, NULL);
		return;
	}
	for (size_t k = 0; k < ML_MIN(chart->n_classes, (size_t) ML_TREE_COLORS); k++)
	{
		double share = fmin(fmax(box->shares[k], 0.0), 1.0);

		bar.x = from;
		bar.width = fmin(width * share, right - from);
		from += bar.width;
		class_fill(class, sizeof(class), k);
		if (bar.width > 0.0)
			ml_svg_rect(out, class, bar, chart->classes[k], ml_human_percent(room, share));
	}
}

/* One box. */
static void
put_box(MlBuffer *out, const MlTreeChart *chart, const Layout *l, size_t i)
{
	const MlTreeBox *box = &chart->boxes[i];
	double x = COLUMN * box->depth + 1.0, y = l->top + l->y[i] - BOX_HEIGHT / 2.0;
	double room = BOX_WIDTH - 2.0 * INSET;

	ml_svg_rect(out, box->more ? "bx mo" : "bx", (MlBox){x, y, BOX_WIDTH, BOX_HEIGHT},
				box->condition, NULL);
	ml_svg_text(out, "st", (MlPlace){x + INSET, y + 17.0, ML_ANCHOR_START}, room / 1.1, box->rule);
	ml_svg_text(out, "mu", (MlPlace){x + INSET, y + 33.0, ML_ANCHOR_START}, room, box->text);
	put_bar(out, chart, l, box,
			(MlBox){x + INSET, y + BOX_HEIGHT - BAR_HEIGHT - 6.0, room, BAR_HEIGHT});
	if (box->more)
		ml_svg_text(out, "mu",
					(MlPlace){x + BOX_WIDTH + 6.0, l->top + l->y[i] + 3.0, ML_ANCHOR_START}, 24.0,
					"\xE2\x80\xA6");
}

/* One tree. */
void
ml_chart_tree(MlBuffer *out, const MlTreeChart *chart)
{
	Layout l = {.y = chart->places};
	size_t n_leaves;

	if (chart->n == 0)
		return;
	n_leaves = place_nodes(chart, &l);
	find_range(chart, &l);
	l.width = fmax(l.width + 24.0, ML_CHART_WIDTH);
	l.top = put_legend(NULL, chart, l.width);
	l.height = l.top + SLOT * (double) (n_leaves - 1) + BOX_HEIGHT + 1.0;
	ml_svg_begin(out, &chart->caption, l.width, l.height);
	put_legend(out, chart, l.width);
	for (size_t i = 0; i < chart->n; i++)
		for (int side = 0; side < 2; side++)
		{
			uint32_t child = chart->boxes[i].child[side];
			double x = COLUMN * chart->boxes[i].depth + 1.0 + BOX_WIDTH;

			if (child != 0)
				put_branch(out, x, l.top + l.y[i], x + COLUMN - BOX_WIDTH, l.top + l.y[child]);
		}
	for (size_t i = 0; i < chart->n; i++)
		put_box(out, chart, &l, i);
	ml_svg_end(out, &chart->caption);
}
