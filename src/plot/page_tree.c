/*
 * page_tree.c
 *		One tree of a model, as far down as the facts tell it.
 *
 * Facts: "tree" {"number", "trees", "nodes" [{"parent", "rule", "condition", "rows", "value", "class", "shares" [],
 * "more"}]}; nodes in the order of their numbers in this list, parents before children, each inner node
 * with two. parent is a place in the list; more: what is below it is not told. A list that is no such
 * tree is not drawn.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT_IN_FULL 1e5 /* from here on rows are counted in thousands */
#define MAX_BOXES 127     /* a full tree of six levels below its root: more cannot be read */

/* Hang node i below its parent; false: that cannot be. */
static bool
link_node(MlTreeBox *boxes, size_t i, double parent)
{
	MlTreeBox *above;

	if (i == 0)
		return true;
	if (!(parent >= 0.0 && parent < (double) i && parent == floor(parent)))
		return false;
	above = &boxes[(size_t) parent];
	if (above->child[1] != 0)
		return false;
	above->child[above->child[0] != 0] = (uint32_t) i;
	boxes[i].depth = above->depth + 1;
	return true;
}

/* What is predicted in a box: the most frequent class with its share, or the value; "" where neither is known. */
static MlStatus
prediction_text(MlPage *page, const MlJson *node, const MlTreeBox *box, size_t n_classes,
				const char **text)
{
	const char *class = ml_fact_text(node, "class");
	char number[ML_NUMBER_ROOM];
	double most = 0.0;
	size_t room = (class ? strlen(class) : 0) + ML_NUMBER_ROOM + 2;
	char *out = ml_arena_alloc(&page->arena, room);

	if (!out)
		return ML_ENOMEM;
	for (size_t k = 0; box->shares && k < n_classes; k++)
		most = fmax(most, box->shares[k]);
	out[0] = '\0';
	if (class && most > 0.0)
		snprintf(out, room, "%s %s", ml_human_percent(number, most), class);
	else if (class)
		snprintf(out, room, "%s", class);
	else if (isfinite(box->value))
		snprintf(out, room, "%s", ml_human_number(number, box->value, 4));
	*text = out;
	return ML_OK;
}

/* The second line of a box: its rows, and what is predicted. */
static MlStatus
node_text(MlPage *page, const MlJson *node, const MlTreeBox *box, size_t n_classes,
		  const char **text)
{
	double rows = ml_fact_number(node, "rows");
	char count[ML_NUMBER_ROOM];
	const char *said;
	size_t room;
	char *out;

	ML_TRY(prediction_text(page, node, box, n_classes, &said));
	*text = said;
	if (!isfinite(rows))
		return ML_OK;
	room = strlen(said) + ML_NUMBER_ROOM + 16;
	out = ml_arena_alloc(&page->arena, room);
	if (!out)
		return ML_ENOMEM;
	snprintf(out, room, "%s rows%s%s",
			 rows < COUNT_IN_FULL ? ml_human_number(count, rows, 4) : ml_human_compact(count, rows),
			 *said ? " \xC2\xB7 " : "", said);
	*text = out;
	return ML_OK;
}

/* Read one node. */
static MlStatus
read_node(MlPage *page, const MlJson *node, size_t n_classes, MlTreeBox *box)
{
	const MlJson *more = ml_json_get(node, "more");
	const char *rule = ml_fact_text(node, "rule");
	double *shares;
	size_t n;

	box->rule = rule ? rule : "all rows";
	box->condition = ml_fact_text(node, "condition");
	box->value = ml_fact_number(node, "value");
	box->more = more && more->type == ML_JSON_BOOL && more->boolean;
	ML_TRY(ml_fact_doubles(page, node, "shares", &shares, &n));
	box->shares = n > 0 && n == n_classes ? shares : NULL;
	return node_text(page, node, box, n_classes, &box->text);
}

/* The classes that shares are of. */
static MlStatus
read_classes(MlPage *page, MlTreeChart *chart)
{
	size_t n;
	const MlJson *classes = ml_fact_array(page->facts, "classes", &n);
	const char **names = ml_arena_array(&page->arena, n + 1, sizeof(char *));

	if (!names)
		return ML_ENOMEM;
	for (size_t k = 0; k < n; k++)
		names[k] = classes->items[k].type == ML_JSON_STRING ? classes->items[k].string : "";
	chart->classes = names;
	chart->n_classes = n;
	return ML_OK;
}

/* Read the tree; *sound: it is one, and small enough. */
static MlStatus
read_tree(MlPage *page, const MlJson *nodes, MlTreeChart *chart, bool *sound)
{
	MlTreeBox *boxes = ml_arena_array(&page->arena, nodes->n, sizeof(MlTreeBox));
	bool shares = false;

	*sound = false;
	chart->boxes = boxes;
	chart->n = nodes->n;
	chart->places = ml_arena_array(&page->arena, nodes->n, sizeof(double));
	chart->stack = ml_arena_array(&page->arena, nodes->n + 1, sizeof(uint32_t));
	if (!boxes || !chart->places || !chart->stack)
		return ML_ENOMEM;
	ML_TRY(read_classes(page, chart));
	for (size_t i = 0; i < nodes->n; i++)
	{
		const MlJson *node = &nodes->items[i];

		ML_TRY(read_node(page, node, chart->n_classes, &boxes[i]));
		if (!link_node(boxes, i, ml_fact_number(node, "parent")))
			return ML_OK;
		shares |= boxes[i].shares != NULL;
	}
	for (size_t i = 0; i < nodes->n; i++)
		if (boxes[i].child[0] != 0 && boxes[i].child[1] == 0)
			return ML_OK;
	if (!shares)
		chart->n_classes = 0;
	*sound = true;
	return ML_OK;
}

/* What the reader sees, in words. */
static void
put_sentence(MlPage *page, const MlJson *tree, size_t n_classes)
{
	double number = ml_fact_number(tree, "number"), trees = ml_fact_number(tree, "trees");

	ml_page_raw(page, "<p>");
	if (trees > 1.0)
	{
		ml_page_raw(page, "Tree ");
		ml_page_number(page, number, 9);
		ml_page_raw(page, " of ");
		ml_page_number(page, trees, 9);
		ml_page_raw(page, ", counted from 0. ");
	}
	ml_page_raw(page, "From left to right: the rule that leads to a node, its rows, and ");
	ml_page_raw(page, n_classes > 0 ? "the shares of the classes." : "its value.");
	ml_page_raw(page, " \xE2\x80\xA6 marks nodes whose branches are not drawn.</p>");
}

/* The drawing of the tree. */
MlStatus
ml_page_tree(MlPage *page)
{
	const MlJson *tree = ml_json_get(page->facts, "tree"), *nodes;
	MlTreeChart chart = {
		.caption = ml_page_caption(page, "Tree", "A tree of the model, its root on the left.")};
	size_t n;
	bool sound;

	nodes = ml_fact_array(tree, "nodes", &n);
	if (!nodes || n > MAX_BOXES)
		return ML_OK;
	ML_TRY(read_tree(page, nodes, &chart, &sound));
	if (!sound)
		return ML_OK;
	ml_page_card(page, "Tree", "all");
	put_sentence(page, tree, chart.n_classes);
	ml_page_raw(page, "<div class=\"wide\">");
	ml_chart_tree(page->out, &chart);
	ml_page_raw(page, "</div></div>");
	return ML_OK;
}
