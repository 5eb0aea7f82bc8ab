/*
 * plot.h
 *		One drawing of a model as an SVG document of its own.
 *
 * The facts are those of the report (report.h), and so are the drawings: a plot is a page of which only
 * one drawing is kept, and the words beside it become its alternative text.
 */
#ifndef ML_PLOT_H
#define ML_PLOT_H

#include "core/json.h"

/* A kind of drawing. */
typedef struct MlPlotKind
{
	const char *name;
	const char *title; /* one line: what it shows */
	const char
		*needs;    /* "a binary classifier that was evaluated": what a model must be to have it */
	bool compares; /* can show several models */
} MlPlotKind;

#define ML_PLOT_MODELS 6 /* that one drawing can compare */

/* What shall be drawn. */
typedef struct MlPlotRequest
{
	const char *subject; /* stands below the title: the model's name */
	/* The facts of the model, then those of models that it is compared with, and what these are called. */
	const MlJson *const *facts;
	const char *const *labels;
	size_t n;                /* 1 to ML_PLOT_MODELS */
	double cost_fp, cost_fn; /* of a false alarm and of a miss, for threshold_cost */
	size_t layer;            /* from 0, for weight_distribution */
} MlPlotRequest;

extern size_t ml_plot_count(void);
extern const MlPlotKind *ml_plot_kind(size_t index);
extern size_t ml_plot_find(const char *name); /* ml_plot_count(): there is none */
extern const char *
ml_plot_nearest(const char *name); /* for one that is mistyped; NULL: nothing near */

/* Draw. When the facts have nothing for this kind, *drawn is false and nothing is written. */
extern MlStatus ml_plot_svg(MlEnv *env, size_t kind, const MlPlotRequest *request, MlBuffer *out,
							bool *drawn);

#endif /* ML_PLOT_H */
