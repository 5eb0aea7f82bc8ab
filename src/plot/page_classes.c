/*
 * page_classes.c
 *		The confusion matrix: as a heat map, as figures per class, the mix-ups that matter, other thresholds.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLASSES_LISTED 8
#define MAX_MIXUPS 10

/* Precision, recall and F1 of one class against the rest. */
typedef struct ClassFigures
{
	size_t index;
	double rows, precision, recall, f1;
} ClassFigures;

/* One kind of mistake. */
typedef struct Mixup
{
	size_t actual, predicted;
	double rows;
} Mixup;

/* a / b, or NaN where that says nothing. */
static double
share(double a, double b)
{
	return b > 0.0 ? a / b : NAN;
}

/* The figures of class k. */
static ClassFigures
figures_of(const MlPage *page, size_t k)
{
	size_t n = page->n_confusion;
	double row = 0.0, column = 0.0, hit = page->confusion[k * n + k];
	ClassFigures f = {.index = k};

	for (size_t j = 0; j < n; j++)
	{
		row += page->confusion[k * n + j];
		column += page->confusion[j * n + k];
	}
	f.rows = row;
	f.recall = share(hit, row);
	f.precision = share(hit, column);
	f.f1 = share(2.0 * hit, row + column);
	return f;
}

/* The worst found first, classes without rows last, then in their order. */
static int
by_recall(const void *a, const void *b)
{
	const ClassFigures *x = a, *y = b;
	double rx = isnan(x->recall) ? 2.0 : x->recall, ry = isnan(y->recall) ? 2.0 : y->recall;

	if (rx != ry)
		return rx < ry ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* What the two classes' figures mean, in words. */
static void
put_binary_sentence(MlPage *page)
{
	const double *c = page->confusion;

	ml_page_raw(page, "<p>Of ");
	ml_page_number(page, c[1] + c[3], 4);
	ml_page_raw(page, " rows predicted \xE2\x80\x9C");
	ml_page_name(page, page->confusion_labels[1], 20.0);
	ml_page_raw(page, "\xE2\x80\x9D, ");
	ml_page_number(page, c[3], 4);
	ml_page_raw(page, " are (precision ");
	ml_page_percent(page, share(c[3], c[1] + c[3]));
	ml_page_raw(page, "). Of ");
	ml_page_number(page, c[2] + c[3], 4);
	ml_page_raw(page, " rows that are, ");
	ml_page_number(page, c[3], 4);
	ml_page_raw(page, " were found (recall ");
	ml_page_percent(page, share(c[3], c[2] + c[3]));
	ml_page_raw(page, ").</p>");
}

/* The table of classes; of many, those that are found least. */
static MlStatus
put_class_table(MlPage *page)
{
	size_t n = page->n_confusion, shown = ML_MIN(n, MAX_CLASSES_LISTED);
	ClassFigures *rows = ml_arena_array(&page->arena, n, sizeof(ClassFigures));

	if (!rows)
		return ML_ENOMEM;
	for (size_t k = 0; k < n; k++)
		rows[k] = figures_of(page, k);
	if (n > shown)
		qsort(rows, n, sizeof(ClassFigures), by_recall);
	ml_page_card(page, n > shown ? "The classes that are found least" : "Class by class", "");
	if (n == 2)
		put_binary_sentence(page);
	ml_page_raw(page,
				"<div class=\"scroll\"><table><thead><tr><th>Class</th><th class=\"r\">Rows</th>"
				"<th class=\"r\">Precision</th><th class=\"r\">Recall</th>"
				"<th class=\"r\">F1</th></tr></thead><tbody>");
	for (size_t i = 0; i < shown; i++)
	{
		const double values[4] = {rows[i].rows, rows[i].precision, rows[i].recall, rows[i].f1};

		ml_page_raw(page, "<tr><td>");
		ml_page_name(page, page->confusion_labels[rows[i].index], 11.0);
		ml_page_raw(page, "</td>");
		for (int k = 0; k < 4; k++)
		{
			ml_page_raw(page, "<td class=\"r\">");
			ml_page_number(page, values[k], k == 0 ? 4 : 3);
			ml_page_raw(page, "</td>");
		}
		ml_page_raw(page, "</tr>");
	}
	ml_page_raw(page, "</tbody></table></div>");
	if (n > shown)
		ml_put_format(page->words, "<p class=\"more\">and %zu more classes</p>", n - shown);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* The point of the ROC curve whose threshold is nearest to wanted; SIZE_MAX: none is near. */
static size_t
nearest_threshold(const double *threshold, size_t n, double wanted)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < n; i++)
		if (fabs(threshold[i] - wanted) <
			(best == SIZE_MAX ? 0.03 : fabs(threshold[best] - wanted)))
			best = i;
	return best;
}

/* One row of the thresholds' table: how many rows are called positive, are so rightly, and are missed. */
static void
put_threshold(MlPage *page, double threshold, double fpr, double tpr)
{
	const double *c = page->confusion;
	double negatives = c[0] + c[1], positives = c[2] + c[3];
	double called = fpr * negatives + tpr * positives;
	const double shares[3] = {share(called, negatives + positives), share(tpr * positives, called),
							  tpr};

	ml_page_raw(page, "<tr><td>");
	ml_page_percent(page, threshold);
	ml_page_raw(page, "</td>");
	for (int k = 0; k < 3; k++)
	{
		ml_page_raw(page, "<td class=\"r\">");
		ml_page_percent(page, shares[k]);
		ml_page_raw(page, "</td>");
	}
	ml_page_raw(page, "</tr>");
}

/* What other thresholds than one half would give, for those who weigh the two errors otherwise. */
static MlStatus
put_thresholds(MlPage *page)
{
	static const double wanted[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
	const MlJson *roc = ml_json_get(page->curves, "roc");
	double *threshold, *fpr, *tpr;
	size_t n, n_fpr, n_tpr, last = SIZE_MAX;

	ML_TRY(ml_fact_doubles(page, roc, "threshold", &threshold, &n));
	ML_TRY(ml_fact_doubles(page, roc, "fpr", &fpr, &n_fpr));
	ML_TRY(ml_fact_doubles(page, roc, "tpr", &tpr, &n_tpr));
	n = ML_MIN(n, ML_MIN(n_fpr, n_tpr));
	if (n < 3)
		return ML_OK;
	ml_page_card(page, "Other thresholds", "");
	ml_page_raw(page, "<p>What happens when a row counts as \xE2\x80\x9C");
	ml_page_name(page, page->confusion_labels[1], 20.0);
	ml_page_raw(page, "\xE2\x80\x9D from another probability on.</p>"
					  "<div class=\"scroll\"><table><thead><tr><th>From</th>"
					  "<th class=\"r\">Rows called</th><th class=\"r\">Precision</th>"
					  "<th class=\"r\">Recall</th></tr></thead><tbody>");
	for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
	{
		size_t at = nearest_threshold(threshold, n, wanted[k]);

		if (at != SIZE_MAX && at != last)
			put_threshold(page, threshold[at], fpr[at], tpr[at]);
		last = at;
	}
	ml_page_raw(page, "</tbody></table></div></div>");
	return ML_OK;
}

/* The largest cells beside the diagonal, the largest first. Returns how many there are. */
static size_t
largest_mixups(const MlPage *page, Mixup *top)
{
	size_t n = page->n_confusion, found = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
		{
			Mixup m = {i, j, page->confusion[i * n + j]};
			size_t at;

			if (i == j || !(m.rows > 0.0) || (found == MAX_MIXUPS && m.rows <= top[found - 1].rows))
				continue;
			at = found < MAX_MIXUPS ? found++ : found - 1;
			for (; at > 0 && top[at - 1].rows < m.rows; at--)
				top[at] = top[at - 1];
			top[at] = m;
		}
	return found;
}

/* "actual, taken for predicted" */
static MlStatus
mixup_name(MlPage *page, const Mixup *mixup, char **name)
{
	const char *actual = page->confusion_labels[mixup->actual];
	const char *predicted = page->confusion_labels[mixup->predicted];
	size_t room = strlen(actual) + strlen(predicted) + 8;

	*name = ml_arena_alloc(&page->arena, room);
	if (!*name)
		return ML_ENOMEM;
	snprintf(*name, room, "%s \xE2\x86\x92 %s", actual, predicted);
	return ML_OK;
}

/* Which classes are taken for which others. */
static MlStatus
put_mixups(MlPage *page)
{
	Mixup top[MAX_MIXUPS];
	MlBar bars[MAX_MIXUPS];
	char texts[MAX_MIXUPS][ML_NUMBER_ROOM];
	size_t n = largest_mixups(page, top);
	MlBarChart chart = {
		.caption = ml_page_caption(page, "Most frequent mix-ups",
								   "Pairs of classes that are taken for each other, by rows."),
		.bars = bars,
		.n = n};

	if (n == 0)
		return ML_OK;
	for (size_t i = 0; i < n; i++)
	{
		char *name;

		ML_TRY(mixup_name(page, &top[i], &name));
		bars[i] = (MlBar){name, top[i].rows, ml_human_number(texts[i], top[i].rows, 4)};
	}
	ml_page_card(page, "Most frequent mix-ups", "");
	ml_page_raw(page, "<p>The actual class, and what it was taken for.</p>");
	ml_chart_bars(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* The heat map; tints are shares of the actual class. */
MlStatus
ml_page_heat_map(MlPage *page)
{
	size_t n = page->n_confusion;
	double *shades = ml_arena_array(&page->arena, n * n, sizeof(double));
	bool wide = n >= ML_WIDE_FROM;
	MlHeatMap map = {.caption = ml_page_caption(page, "Confusion matrix",
												"Rows are actual classes, columns predicted ones."),
					 .n = n,
					 .labels = page->confusion_labels,
					 .values = page->confusion,
					 .shades = shades,
					 .row_title = "Actual",
					 .column_title = "Predicted"};

	if (n == 0)
		return ML_OK;
	if (!shades)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
	{
		double row = figures_of(page, i).rows;

		for (size_t j = 0; j < n; j++)
			shades[i * n + j] = row > 0.0 ? page->confusion[i * n + j] / row : 0.0;
	}
	ml_page_card(page, "Confusion matrix", wide ? "two" : "");
	ml_page_raw(page,
				"<p>Rows by actual and predicted class. The darker a cell, the larger its share "
				"of the actual class; blue is right, orange is wrong.</p>");
	ml_page_raw(page, wide ? "<div class=\"wide\">" : "");
	ml_chart_heat(page->out, &map);
	ml_page_raw(page, wide ? "</div></div>" : "</div>");
	return ML_OK;
}

/* Everything that the confusion matrix tells. */
MlStatus
ml_page_confusion(MlPage *page)
{
	bool wide = page->n_confusion >= ML_WIDE_FROM;

	if (!page->confusion)
		return ML_OK;
	ml_page_raw(page, "<section id=\"classes\"><h2>Right and wrong</h2><p class=\"sub\">");
	ml_page_raw(page, page->n_confusion == 2
						  ? "Each row counts as the class that is more probable than not."
						  : "Each row counts as its most probable class.");
	ml_page_raw(page, "</p><div class=\"grid\">");
	ML_TRY(ml_page_heat_map(page));
	ml_page_raw(page, wide ? "<div class=\"stack\">" : "");
	if (page->n_confusion > 2)
		ML_TRY(put_mixups(page));
	ML_TRY(put_class_table(page));
	if (page->n_confusion == 2)
	{
		ML_TRY(put_thresholds(page));
		ML_TRY(ml_page_cost(page));
	}
	ml_page_raw(page, wide ? "</div></div></section>" : "</div></section>");
	return ML_OK;
}
