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

#define ML_PAGE_OTHERS 5 /* as many colours as there are, less one */

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

/* A model that others are compared with in one drawing. */
typedef struct MlPageModel
{
	const char *label;
	const MlJson *curves; /* NULL: none */
} MlPageModel;

typedef struct MlPage
{
	MlEnv *env;
	MlArena arena;
	MlBuffer *out;       /* drawings */
	MlBuffer *words;     /* all else; on a page, where both stand together, the same as out */
	const char *subject; /* a single drawing: what it shows; NULL: a page */
	const MlJson *facts, *metrics, *curves; /* NULL: not there */
	MlPageTask task;
	const char *name, *target;
	const char *negative, *positive; /* binary: the two classes */
	size_t n_confusion;
	char **confusion_labels;
	double *confusion;       /* n_confusion squared, rows actual; NULL: not there */
	double cost_fp, cost_fn; /* of a false alarm and of a miss; 0: both alike */
	size_t layer;            /* whose weights are shown, from 0 */
	const char *label;       /* of this model among others */
	const MlPageModel *others;
	size_t n_others; /* at most ML_PAGE_OTHERS */
} MlPage;

/* How a metric is called and read. */
typedef struct MlPageMetric
{
	const char *name;
	const char *label;
	int better;       /* 1: greater, -1: smaller, 0: neither */
	const char *help; /* one sentence */
} MlPageMetric;

/* page_facts.c: find what several parts need; facts, env, arena, out and words are there. */
extern MlStatus ml_page_open(MlPage *page);

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
/* What a drawing is called; on its own, it goes on with what the words before it say. */
extern MlCaption ml_page_caption(const MlPage *page, const char *title, const char *summary);
extern void ml_page_card(MlPage *page, const char *title, const char *class);

/* page_text.c: metrics in words. */
extern const MlPageMetric *ml_page_metric_text(const char *name); /* NULL: unknown */
extern void ml_page_metric_sentence(MlPage *page, const char *metric, double value);

/* The parts, in their files. */
extern const char ml_page_style[], ml_page_script[], ml_page_policy[]; /* page_style.c */
extern MlStatus ml_page_curves(MlPage *page);                          /* page_curves.c */
extern MlStatus ml_page_confusion(MlPage *page);                       /* page_classes.c */
extern MlStatus ml_page_residuals(MlPage *page);                       /* page_residuals.c */
extern bool ml_page_has_drivers(const MlPage *page);
extern MlStatus ml_page_drivers(MlPage *page); /* page_model.c */
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

/* The drawings, each with its card: nothing where its facts are missing. */
extern MlStatus ml_page_roc(MlPage *page); /* page_curves.c */
extern MlStatus ml_page_pr(MlPage *page);
extern MlStatus ml_page_ks(MlPage *page);
extern MlStatus ml_page_gain(MlPage *page);
extern MlStatus ml_page_lift(MlPage *page);
extern MlStatus ml_page_calibration(MlPage *page);
extern MlStatus ml_page_cost(MlPage *page);     /* page_cost.c */
extern MlStatus ml_page_heat_map(MlPage *page); /* page_classes.c */
extern MlStatus ml_page_scatter(MlPage *page);  /* page_residuals.c */
extern MlStatus ml_page_errors(MlPage *page);
extern MlStatus ml_page_errors_by_prediction(MlPage *page);
extern MlStatus ml_page_coefficients(MlPage *page); /* page_model.c */
extern MlStatus ml_page_learning_curve(MlPage *page);
extern MlStatus ml_page_weights(MlPage *page); /* page_weights.c */
extern MlStatus ml_page_gradients(MlPage *page);
extern MlStatus ml_page_weight_distribution(MlPage *page);
extern MlStatus ml_page_sizes(MlPage *page); /* page_groups.c */
extern MlStatus ml_page_variance(MlPage *page);
extern MlStatus ml_page_tree(MlPage *page); /* page_tree.c */

#endif /* ML_PAGE_H */
