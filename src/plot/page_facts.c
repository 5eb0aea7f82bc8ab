/*
 * page_facts.c
 *		Reading the facts of a report, and the small pieces of markup around them.
 *
 * The facts come from images and tables that strangers may have written, so
 * nothing is taken for granted: every member may be missing or of another type.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A member as text: a string, or a number as it was written. NULL: neither, or empty. */
const char *
ml_fact_text(const MlJson *object, const char *key)
{
	const MlJson *value = ml_json_get(object, key);

	if (!value || (value->type != ML_JSON_STRING && value->type != ML_JSON_NUMBER) ||
		!value->string || value->string[0] == '\0')
		return NULL;
	return value->string;
}

/* A member as a number; NaN: not there, or not a number. */
double
ml_fact_number(const MlJson *object, const char *key)
{
	const MlJson *value = ml_json_get(object, key);

	return value && value->type == ML_JSON_NUMBER ? value->number : NAN;
}

/* A member that is an array or object with something in it; *n: its size. */
const MlJson *
ml_fact_array(const MlJson *object, const char *key, size_t *n)
{
	const MlJson *value = ml_json_get(object, key);

	*n = 0;
	if (!value || (value->type != ML_JSON_ARRAY && value->type != ML_JSON_OBJECT) || value->n == 0)
		return NULL;
	*n = value->n;
	return value;
}

/* An array of numbers; what is none is NaN. Missing: *n = 0. */
MlStatus
ml_fact_doubles(MlPage *page, const MlJson *object, const char *key, double **out, size_t *n)
{
	const MlJson *array = ml_fact_array(object, key, n);

	*out = ml_arena_array(&page->arena, *n + 1, sizeof(double));
	if (!*out)
		return ML_ENOMEM;
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = array->items[i].type == ML_JSON_NUMBER ? array->items[i].number : NAN;
	return ML_OK;
}

/* Our own markup. */
void
ml_page_raw(MlPage *page, const char *markup)
{
	ml_markup_raw(page->words, markup);
}

/* Text of the facts: escaped, and kept from turning the text around it. */
void
ml_page_text(MlPage *page, const char *text)
{
	ml_page_raw(page, "<bdi>");
	ml_markup_text(page->words, text);
	ml_page_raw(page, "</bdi>");
}

/* A name, cut to em where it is longer, and then whole in a tooltip. */
void
ml_page_name(MlPage *page, const char *text, double em)
{
	if (text[ml_markup_fit(text, em)] == '\0')
	{
		ml_page_text(page, text);
		return;
	}
	ml_page_raw(page, "<bdi title=\"");
	ml_markup_text(page->words, text);
	ml_page_raw(page, "\">");
	ml_markup_fitted(page->words, text, em);
	ml_page_raw(page, "</bdi>");
}

/* A number for people. */
void
ml_page_number(MlPage *page, double value, int digits)
{
	char room[ML_NUMBER_ROOM];

	ml_page_raw(page, ml_human_number(room, value, digits));
}

/* A share as a percentage. */
void
ml_page_percent(MlPage *page, double share)
{
	char room[ML_NUMBER_ROOM];

	ml_page_raw(page, ml_human_percent(room, share));
}

#define VALUE_ITEMS 12 /* elements of an array or object that are shown */

/* One scalar of the facts. */
static void
put_scalar(MlPage *page, const MlJson *value)
{
	switch (value->type)
	{
		case ML_JSON_NULL:
			ml_page_raw(page, "\xE2\x80\x93");
			break;
		case ML_JSON_BOOL:
			ml_page_raw(page, value->boolean ? "yes" : "no");
			break;
		case ML_JSON_NUMBER:
			/* as it was written, unless that is a string of digits */
			if (value->string && strlen(value->string) <= 10)
				ml_page_text(page, value->string);
			else
				ml_page_number(page, value->number, 6);
			break;
		case ML_JSON_STRING:
			ml_page_name(page, value->string, 40.0);
			break;
		default:
			ml_page_raw(page, "\xE2\x80\xA6");
			break;
	}
}

/* Any value on one line; of a long list the start, and how many more there are. */
void
ml_page_value(MlPage *page, const MlJson *value)
{
	size_t shown;

	if (value->type != ML_JSON_ARRAY && value->type != ML_JSON_OBJECT)
	{
		put_scalar(page, value);
		return;
	}
	shown = ML_MIN(value->n, VALUE_ITEMS);
	for (size_t i = 0; i < shown; i++)
	{
		ml_page_raw(page, i > 0 ? ", " : "");
		if (value->type == ML_JSON_OBJECT)
		{
			ml_page_name(page, value->keys[i], 20.0);
			ml_page_raw(page, ": ");
		}
		put_scalar(page, &value->items[i]);
	}
	if (value->n == 0)
		ml_page_raw(page, "none");
	if (value->n > shown)
		ml_put_format(page->words, ", and %zu more", value->n - shown);
}

MlCaption
ml_page_caption(const MlPage *page, const char *title, const char *summary)
{
	bool single = page->subject && page->n_others == 0;

	return (MlCaption){title, summary, page->subject, single ? page->words : NULL};
}

/* Begin a card with its heading; the caller writes the rest and closes the div. */
void
ml_page_card(MlPage *page, const char *title, const char *class)
{
	if (page->subject)
	{
		/* the drawing has its own heading; what it is followed by will be its text */
		page->words->len = 0;
		return;
	}
	ml_put_format(page->words, "<div class=\"card%s%s\"><h3>", *class ? " " : "", class);
	ml_page_raw(page, title);
	ml_page_raw(page, "</h3>");
}

/* Share of the most frequent actual class in the confusion matrix, and which that is; NaN: not known. */
double
ml_page_majority(const MlPage *page, size_t *class_index)
{
	double total = 0.0, most = -1.0;

	*class_index = 0;
	for (size_t row = 0; page->confusion && row < page->n_confusion; row++)
	{
		double sum = 0.0;

		for (size_t column = 0; column < page->n_confusion; column++)
			sum += page->confusion[row * page->n_confusion + column];
		total += sum;
		if (sum > most)
		{
			most = sum;
			*class_index = row;
		}
	}
	return total > 0.0 ? most / total : NAN;
}

/* What kind of model the facts describe. */
static MlPageTask
task_of(const MlJson *facts, const MlJson *curves)
{
	static const struct
	{
		const char *name;
		MlPageTask task;
	} named[] = {{"regression", ML_PAGE_REGRESSION},
				 {"clustering", ML_PAGE_CLUSTERING},
				 {"anomaly", ML_PAGE_ANOMALY},
				 {"decomposition", ML_PAGE_DECOMPOSITION}};
	const char *task = ml_fact_text(facts, "task");
	size_t n_classes;

	ml_fact_array(facts, "classes", &n_classes);
	for (size_t i = 0; task && i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(task, named[i].name) == 0)
			return named[i].task;
	if (n_classes == 2 || (task && strstr(task, "binary")) || ml_json_get(curves, "roc"))
		return ML_PAGE_BINARY;
	if (n_classes > 2 || (task && strstr(task, "class")) || ml_json_get(curves, "confusion"))
		return ML_PAGE_MULTICLASS;
	return ml_json_get(curves, "residuals") ? ML_PAGE_REGRESSION : ML_PAGE_OTHER;
}

/* Read the confusion matrix; anything but n rows of n numbers counts as none. */
static MlStatus
read_confusion(MlPage *page)
{
	const MlJson *object = ml_json_get(page->curves, "confusion"), *labels, *matrix;
	size_t n, n_rows;

	labels = ml_fact_array(object, "classes", &n);
	matrix = ml_fact_array(object, "matrix", &n_rows);
	if (!labels || !matrix || n != n_rows)
		return ML_OK;
	page->confusion_labels = ml_arena_array(&page->arena, n, sizeof(char *));
	page->confusion = ml_arena_array(&page->arena, n * n, sizeof(double));
	if (!page->confusion_labels || !page->confusion)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
	{
		const MlJson *row = &matrix->items[i], *label = &labels->items[i];

		page->confusion_labels[i] = label->type == ML_JSON_STRING || label->type == ML_JSON_NUMBER
										? label->string
										: "\xE2\x80\x93";
		if (row->type != ML_JSON_ARRAY || row->n != n)
		{
			page->confusion = NULL;
			return ML_OK;
		}
		for (size_t j = 0; j < n; j++)
			if (row->items[j].type == ML_JSON_NUMBER && row->items[j].number > 0.0)
				page->confusion[i * n + j] = row->items[j].number;
	}
	page->n_confusion = n;
	return ML_OK;
}

/* Find what several parts need. */
MlStatus
ml_page_open(MlPage *page)
{
	size_t n;
	const MlJson *classes = ml_fact_array(page->facts, "classes", &n);
	const MlJson *metrics = ml_fact_array(page->facts, "metrics", &n);

	page->metrics = metrics && metrics->type == ML_JSON_OBJECT ? metrics : NULL;
	page->curves = ml_fact_array(page->facts, "curves", &n);
	page->task = task_of(page->facts, page->curves);
	page->name = ml_fact_text(page->facts, "name");
	page->target = ml_fact_text(page->facts, "target");
	page->negative = "negative";
	page->positive = "positive";
	if (classes && classes->type == ML_JSON_ARRAY && classes->n == 2)
	{
		if (classes->items[0].type == ML_JSON_STRING)
			page->negative = classes->items[0].string;
		if (classes->items[1].type == ML_JSON_STRING)
			page->positive = classes->items[1].string;
	}
	return read_confusion(page);
}
