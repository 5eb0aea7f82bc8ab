/*
 * page.h
 *		What the parts of the report page share.
 *
 * A part writes its piece of HTML, or nothing when its facts are missing. All
 * text of the facts goes out escaped; all arrays live in the page's arena.
 */
#ifndef ML_PAGE_H
#define ML_PAGE_H

#include "plot/charts.h"
#include "plot/report.h"

typedef enum MlPageTask
{
	ML_PAGE_OTHER,
	ML_PAGE_REGRESSION,
	ML_PAGE_BINARY,
	ML_PAGE_MULTICLASS,
	ML_PAGE_CLUSTERING,
	ML_PAGE_ANOMALY,
	ML_PAGE_DECOMPOSITION
} MlPageTask;

typedef struct MlPage
{
	MlEnv *env;
	MlArena arena;
	MlBuffer *out;
	const MlJson *facts, *metrics, *curves; /* NULL: not there */
	MlPageTask task;
	const char *name, *target;
	const char *negative, *positive; /* binary: the two classes */
	size_t n_confusion;
	char **confusion_labels;
	double *confusion; /* n_confusion squared, rows actual; NULL: not there */
} MlPage;

/* How a metric is called and read. */
typedef struct MlPageMetric
{
	const char *name;
	const char *label;
	int better;       /* 1: greater, -1: smaller, 0: neither */
	const char *help; /* one sentence */
} MlPageMetric;

/* page_facts.c: reading the facts. Missing: NULL or NaN. */
extern const char *ml_fact_text(const MlJson *object, const char *key);
extern double ml_fact_number(const MlJson *object, const char *key);
extern const MlJson *ml_fact_array(const MlJson *object, const char *key, size_t *n);
extern MlStatus ml_fact_doubles(MlPage *page, const MlJson *object, const char *key, double **out,
								size_t *n);
extern double ml_page_majority(const MlPage *page, size_t *class_index);

/* page_facts.c: small pieces of markup. */
extern void ml_page_raw(MlPage *page, const char *markup);
extern void ml_page_text(MlPage *page, const char *text);
/* Cut to em; then whole in a tooltip. */
extern void ml_page_name(MlPage *page, const char *text, double em);
extern void ml_page_number(MlPage *page, double value, int digits);
extern void ml_page_percent(MlPage *page, double share);
extern void ml_page_value(MlPage *page, const MlJson *value); /* any JSON value, on one line */
extern void ml_page_card(MlPage *page, const char *title, const char *class);

/* page_text.c: metrics in words. */
extern const MlPageMetric *ml_page_metric_text(const char *name); /* NULL: unknown */
extern void ml_page_metric_sentence(MlPage *page, const char *metric, double value);

/* The parts, in their files. */
extern const char ml_page_style[], ml_page_script[], ml_page_policy[]; /* page_style.c */
extern MlStatus ml_page_curves(MlPage *page);                          /* page_curves.c */
extern MlStatus ml_page_confusion(MlPage *page);                       /* page_classes.c */
extern MlStatus ml_page_residuals(MlPage *page);                       /* page_residuals.c */
extern MlStatus ml_page_drivers(MlPage *page);                         /* page_model.c */
extern MlStatus ml_page_training(MlPage *page);
extern MlStatus ml_page_importance(MlPage *page);
extern bool
ml_page_has_groups(const MlPage *page); /* page_groups.c: then it tells what drives them */
extern MlStatus ml_page_groups(MlPage *page);
extern void ml_page_metrics(MlPage *page); /* page_tables.c */
extern void ml_page_inputs(MlPage *page, const char *class);
extern bool ml_page_inputs_with_drivers(const MlPage *page); /* page_model.c */
extern void ml_page_data(MlPage *page);
extern MlStatus ml_page_history(MlPage *page);

#endif /* ML_PAGE_H */
