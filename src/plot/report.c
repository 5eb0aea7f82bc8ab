/*
 * report.c
 *		The report page of a model: its head, its headline figures, and the order of its parts.
 *
 * One HTML document that needs nothing from anywhere (page_style.c holds its
 * style, script and policy). A reader in a hurry finds on the first screen what
 * the model is, what it was trained on and how good it is, in words; everything
 * below is for those who want to know more.
 */
#include "plot/page.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_HEADLINES 5

/* A headline figure. */
typedef struct Headline
{
	const char *metric;
	double value;
	bool decides; /* versions are compared by it */
} Headline;

/* Text of the facts as the start of a sentence. */
static void
put_sentence_start(MlPage *page, const char *text)
{
	const char first[2] = {(char) toupper((unsigned char) text[0]), '\0'};
	bool letter = text[0] >= 'a' && text[0] <= 'z';

	ml_page_raw(page, letter ? first : "");
	ml_page_name(page, text + letter, 100.0);
}

/* What the model does: predict a target and its classes, or what is done without one. */
static void
put_purpose(MlPage *page)
{
	size_t n;

	if (page->task >= ML_PAGE_CLUSTERING)
	{
		ml_page_raw(page, page->task == ML_PAGE_CLUSTERING ? "<b>Groups rows</b>"
						  : page->task == ML_PAGE_ANOMALY  ? "<b>Scores how unusual a row is</b>"
														   : "<b>Condenses rows</b>");
		return;
	}
	ml_page_raw(page, "Predicts <b>");
	ml_page_name(page, page->target ? page->target : "its target", 40.0);
	ml_page_raw(page, "</b>");
	if (page->task == ML_PAGE_BINARY)
	{
		ml_page_raw(page, " (\xE2\x80\x9C");
		ml_page_name(page, page->positive, 20.0);
		ml_page_raw(page, "\xE2\x80\x9D or \xE2\x80\x9C");
		ml_page_name(page, page->negative, 20.0);
		ml_page_raw(page, "\xE2\x80\x9D)");
	}
	else if (page->task == ML_PAGE_MULTICLASS && ml_fact_array(page->facts, "classes", &n))
		ml_put_format(page->words, " (one of %zu classes)", n);
}

/* What the model is, in one or two sentences. */
static void
put_lead(MlPage *page)
{
	const char *algorithm = ml_fact_text(page->facts, "algorithm");
	const char *summary = ml_fact_text(page->facts, "algorithm_summary");
	size_t n;

	ml_page_raw(page, "<p class=\"lead\">");
	put_purpose(page);
	if (ml_fact_array(page->facts, "features", &n))
		ml_put_format(page->words, " from %zu column%s", n, n == 1 ? "" : "s");
	if (algorithm)
	{
		ml_page_raw(page, " with <b>");
		ml_page_name(page, algorithm, 20.0);
		ml_page_raw(page, "</b>");
	}
	ml_page_raw(page, ".");
	if (summary)
	{
		ml_page_raw(page, " ");
		put_sentence_start(page, summary);
		ml_page_raw(page, summary[strlen(summary) - 1] == '.' ? "" : ".");
	}
	ml_page_raw(page, "</p>");
}

/* One fact of the head: label, value, remark. */
static void
put_fact(MlPage *page, const char *label, const char *value, const char *remark)
{
	ml_page_raw(page, "<div><dt>");
	ml_page_raw(page, label);
	ml_page_raw(page, "</dt><dd>");
	ml_page_name(page, value, 24.0);
	if (remark)
	{
		ml_page_raw(page, "<small>");
		ml_page_name(page, remark, 24.0);
		ml_page_raw(page, "</small>");
	}
	ml_page_raw(page, "</dd></div>");
}

/* The strip of facts in the head. */
static void
put_facts(MlPage *page)
{
	static const struct
	{
		const char *key, *label;
		const char *(*format)(char *room, double value);
	} numbers[] = {{"seconds", "Training took", ml_human_seconds},
				   {"image_bytes", "Model size", ml_human_bytes}};
	const char *created = ml_fact_text(page->facts, "created"), *owner;
	double rows = ml_fact_number(page->facts, "rows");
	double holdout = ml_fact_number(page->facts, "holdout_rows");
	double dropped = ml_fact_number(page->facts, "dropped");
	char room[ML_NUMBER_ROOM], remark[80], day[11];

	owner = ml_fact_text(page->facts, "owner");
	ml_page_raw(page, "<dl class=\"facts\">");
	if (created)
	{
		bool dated = strlen(created) >= 16 && created[4] == '-' && created[7] == '-';

		memcpy(day, created, dated ? 10 : 0);
		day[dated ? 10 : 0] = '\0';
		snprintf(remark, sizeof(remark), dated ? "at %.5s" : "", dated ? created + 11 : "");
		put_fact(page, "Trained", dated ? day : created, dated ? remark : NULL);
	}
	if (isfinite(rows))
	{
		char text[ML_NUMBER_ROOM];

		snprintf(text, sizeof(text), "%s",
				 ml_human_number(room, fmax(rows - fmax(holdout, 0.0), 0.0), 9));
		snprintf(remark, sizeof(remark), "%s left out", ml_human_number(room, dropped, 9));
		put_fact(page, "Rows learned from", text, dropped > 0.0 ? remark : NULL);
	}
	if (holdout > 0.0)
		put_fact(page, "Rows held out", ml_human_number(room, holdout, 9), "for the figures below");
	for (int k = 0; k < 2; k++)
	{
		double value = ml_fact_number(page->facts, numbers[k].key);

		if (isfinite(value))
			put_fact(page, numbers[k].label, numbers[k].format(room, value), NULL);
	}
	if (owner)
		put_fact(page, "Owner", owner, NULL);
	ml_page_raw(page, "</dl>");
}

/* Links to the parts that are there. */
static void
put_navigation(MlPage *page)
{
	size_t n_log, n_params, n_history, n_features;
	bool curves = page->task == ML_PAGE_BINARY && ml_json_get(page->curves, "roc");
	bool residuals = page->task == ML_PAGE_REGRESSION && ml_json_get(page->curves, "residuals");

	ml_fact_array(page->facts, "log", &n_log);
	ml_fact_array(page->facts, "params", &n_params);
	ml_fact_array(page->facts, "history", &n_history);
	ml_fact_array(page->facts, "features", &n_features);
	ml_page_raw(page,
				"<nav aria-label=\"Parts of this page\"><a href=\"#quality\">How good it is</a>");
	if (curves)
		ml_page_raw(page, "<a href=\"#curves\">Curves</a>");
	if (residuals)
		ml_page_raw(page, "<a href=\"#curves\">Errors</a>");
	if (page->confusion)
		ml_page_raw(page, "<a href=\"#classes\">Right and wrong</a>");
	if (page->task == ML_PAGE_CLUSTERING)
		ml_page_raw(page, "<a href=\"#groups\">Clusters</a>");
	if (page->task == ML_PAGE_DECOMPOSITION)
		ml_page_raw(page, "<a href=\"#groups\">Components</a>");
	if (ml_page_has_drivers(page))
		ml_page_raw(page, "<a href=\"#drivers\">What drives it</a>");
	if (n_log + n_params > 0)
		ml_page_raw(page, "<a href=\"#training\">Training</a>");
	if (n_features > 0 || ml_fact_text(page->facts, "query"))
		ml_page_raw(page, "<a href=\"#data\">Data</a>");
	if (n_history > 0)
		ml_page_raw(page, "<a href=\"#history\">Versions</a>");
	ml_page_raw(page, "</nav>");
}

/* Head of the page: name, version, what it is, the strip of facts. */
static void
put_head(MlPage *page)
{
	double version = ml_fact_number(page->facts, "version");
	const MlJson *active = ml_json_get(page->facts, "active");
	const char *name = page->name ? page->name : "Model";

	ml_page_raw(page, "<header><div class=\"in\"><p class=\"eye\">Model report</p><h1>");
	ml_page_text(page, name);
	if (isfinite(version))
		ml_put_format(page->words, "<span class=\"tag\">version %.0f</span>", version);
	if (active && active->type == ML_JSON_BOOL)
		ml_page_raw(page, active->boolean ? "<span class=\"tag on\">active</span>"
										  : "<span class=\"tag\">not active</span>");
	ml_page_raw(page, "</h1>");
	put_lead(page);
	put_facts(page);
	put_navigation(page);
	ml_page_raw(page, "</div></header>");
}

/* One headline figure with what it means. */
static void
put_tile(MlPage *page, const Headline *tile, bool first)
{
	const MlPageMetric *text = ml_page_metric_text(tile->metric);

	ml_page_raw(page, first ? "<div class=\"card tile first\"><div class=\"l\">"
							: "<div class=\"card tile\"><div class=\"l\">");
	ml_page_name(page, text ? text->label : tile->metric, 20.0);
	ml_page_raw(page, "</div><div class=\"n\">");
	ml_page_number(page, tile->value, 4);
	ml_page_raw(page, "</div><p>");
	ml_page_metric_sentence(page, tile->metric, tile->value);
	if (tile->decides)
		ml_page_raw(page, " Versions are compared by it.");
	ml_page_raw(page, "</p></div>");
}

/* Choose the headline figures: three that people ask for, and the one that versions are compared by. */
static int
choose_headlines(const MlPage *page, Headline *tiles)
{
	static const char *const asked[][MAX_HEADLINES] = {
		[ML_PAGE_OTHER] = {NULL},
		[ML_PAGE_REGRESSION] = {"r2", "rmse", "mae", NULL},
		[ML_PAGE_BINARY] = {"roc_auc", "accuracy", "f1", NULL},
		[ML_PAGE_MULTICLASS] = {"accuracy", "balanced_accuracy", "f1", NULL},
		[ML_PAGE_CLUSTERING] = {NULL},
		[ML_PAGE_ANOMALY] = {NULL},
		[ML_PAGE_DECOMPOSITION] = {NULL},
	};
	const char *metric = ml_fact_text(page->facts, "metric");
	double score = ml_fact_number(page->metrics, metric ? metric : "");
	bool listed = false;
	int n = 0;

	for (int k = 0; asked[page->task][k]; k++)
	{
		Headline tile = {asked[page->task][k], ml_fact_number(page->metrics, asked[page->task][k]),
						 metric && strcmp(metric, asked[page->task][k]) == 0};

		if (isnan(tile.value))
			continue;
		listed |= tile.decides;
		tiles[n++] = tile;
	}
	if (isnan(score))
		score = ml_fact_number(page->facts, "score");
	if (metric && !listed && !isnan(score))
		tiles[n++] = (Headline){metric, score, true};
	return n;
}

/* The headline figures, the first one large. */
static void
put_tiles(MlPage *page)
{
	Headline tiles[MAX_HEADLINES];
	int n = choose_headlines(page, tiles);

	if (n == 0)
		return;
	ml_page_raw(page, "<div class=\"tiles\">");
	for (int k = 0; k < n; k++)
		put_tile(page, &tiles[k], k == 0);
	ml_page_raw(page, "</div>");
}

/* How good it is, or why that is not known. */
static void
put_quality(MlPage *page)
{
	double holdout = ml_fact_number(page->facts, "holdout_rows");

	ml_page_raw(page, "<section id=\"quality\"><h2>How good it is</h2>");
	if (page->task >= ML_PAGE_CLUSTERING && isnan(ml_fact_number(page->facts, "score")))
	{
		ml_page_raw(page,
					"<div class=\"note\">There is no target to compare with: look at what the "
					"model makes of rows that you know.</div></section>");
		return;
	}
	if (!page->metrics && isnan(ml_fact_number(page->facts, "score")))
	{
		ml_page_raw(page,
					"<div class=\"note\"><b>Not evaluated: trained without a hold-out.</b>All rows "
					"went into the training, so there were none left to try the model on. Train "
					"it with <code>holdout =&gt; 0.2</code> to see here how good it is.</div>"
					"</section>");
		return;
	}
	ml_page_raw(page, "<p class=\"sub\">");
	if (holdout > 0.0)
	{
		ml_page_raw(page, "Measured on ");
		ml_page_number(page, holdout, 9);
		ml_page_raw(page, " rows that the model never saw while it learned.");
	}
	ml_page_raw(page, "</p>");
	put_tiles(page);
	ml_page_metrics(page);
	ml_page_raw(page, "</section>");
}

/* The whole document. */
static MlStatus
put_document(MlPage *page)
{
	ML_TRY(ml_page_open(page));
	ml_page_raw(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
					  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
					  "<meta http-equiv=\"Content-Security-Policy\" content=\"");
	ml_page_raw(page, ml_page_policy);
	ml_page_raw(page, "\">\n<title>");
	ml_markup_text(page->words, page->name ? page->name : "Model");
	ml_page_raw(page, " \xC2\xB7 model report</title>\n<style>");
	ml_page_raw(page, ml_svg_style);
	ml_page_raw(page, ml_page_style);
	ml_page_raw(page, "</style>\n</head>\n<body>\n");
	put_head(page);
	ml_page_raw(page, "\n<main class=\"in\">\n");
	put_quality(page);
	ML_TRY(ml_poll(page->env));
	ML_TRY(ml_page_curves(page));
	ML_TRY(ml_page_residuals(page));
	ML_TRY(ml_page_confusion(page));
	ML_TRY(ml_page_groups(page));
	ML_TRY(ml_page_drivers(page));
	ML_TRY(ml_page_training(page));
	ml_page_data(page);
	ML_TRY(ml_page_history(page));
	ml_page_raw(
		page, "\n</main>\n<footer class=\"in\"><p>Made by mlplat inside the database. This page is "
			  "complete in itself and loads nothing.</p></footer>\n<script>");
	ml_page_raw(page, ml_page_script);
	ml_page_raw(page, "</script>\n</body>\n</html>\n");
	return page->out->status;
}

/* Write the page of these facts. */
MlStatus
ml_report_html(MlEnv *env, const MlJson *facts, MlBuffer *out)
{
	MlPage page = {.env = env, .facts = facts, .out = out, .words = out};
	MlStatus status;

	ml_arena_init(&page.arena, env);
	status = put_document(&page);
	ml_arena_free(&page.arena);
	return status;
}
