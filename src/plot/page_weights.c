/*
 * page_weights.c
 *		How gradients and weights went over a training: the norms that its log tells.
 *
 * A line of the log has the norm of the whole model, and may have a list "layers" or "features" of parts
 * with norms of their own. Not every line need have them: only those that do are points.
 */
#include "plot/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_PARTS 5 /* beside the whole model: one colour each */
#define MAX_SHOTS 6 /* of the weights: the log has three */

/* The course of the whole model or of one part. */
typedef struct Course
{
	const char *name; /* NULL: there is none */
	char number[ML_NUMBER_ROOM];
	double *x, *y;
	size_t n;
} Course;

/* The list of parts of a line of the log; *kind: what they are called. */
static const MlJson *
parts_of(const MlJson *line, const char **kind, size_t *n)
{
	const MlJson *parts = ml_fact_array(line, "layers", n);

	*kind = parts ? "layer" : "feature";
	return parts ? parts : ml_fact_array(line, "features", n);
}

/* The iteration of a line. */
static double
iteration_of(const MlJson *line, size_t place)
{
	double iteration = ml_fact_number(line, "iteration");

	return isnan(iteration) ? (double) (place + 1) : iteration;
}

/* Add a point where the norm is there. */
static void
add_point(Course *course, double iteration, double norm)
{
	if (!isfinite(iteration) || !isfinite(norm))
		return;
	course->x[course->n] = iteration;
	course->y[course->n++] = norm;
}

/* The name of a part: as the log calls it, or by its number. */
static void
name_part(Course *course, const MlJson *part, const char *kind, size_t place)
{
	const char *name = ml_fact_text(part, kind);
	char room[ML_NUMBER_ROOM];

	if (course->name)
		return;
	course->name = name;
	if (name && strcmp(kind, "feature") == 0)
		return;
	snprintf(course->number, sizeof(course->number), "%s %.20s",
			 strcmp(kind, "layer") == 0 ? "Layer" : "Feature",
			 name ? name : ml_human_number(room, (double) (place + 1), 9));
	course->name = course->number;
}

/* Read the courses of a norm: the whole model first, then the parts. */
static MlStatus
read_courses(MlPage *page, const char *norm, Course *courses)
{
	size_t n, n_parts;
	const MlJson *log = ml_fact_array(page->facts, "log", &n);
	const char *kind;

	for (int k = 0; k <= MAX_PARTS; k++)
	{
		courses[k] = (Course){.x = ml_arena_array(&page->arena, n + 1, sizeof(double)),
							  .y = ml_arena_array(&page->arena, n + 1, sizeof(double))};
		if (!courses[k].x || !courses[k].y)
			return ML_ENOMEM;
	}
	courses[0].name = "Whole model";
	for (size_t i = 0; i < n; i++)
	{
		const MlJson *line = &log->items[i], *parts = parts_of(line, &kind, &n_parts);
		double iteration = iteration_of(line, i);

		add_point(&courses[0], iteration, ml_fact_number(line, norm));
		for (size_t k = 0; k < ML_MIN(n_parts, (size_t) MAX_PARTS); k++)
		{
			add_point(&courses[k + 1], iteration, ml_fact_number(&parts->items[k], norm));
			name_part(&courses[k + 1], &parts->items[k], kind, k);
		}
	}
	return ML_OK;
}

/* Draw the courses of a norm; nothing where no line of the log has it. */
static MlStatus
put_courses(MlPage *page, const char *norm, MlLineChart *chart, const char *help)
{
	Course courses[MAX_PARTS + 1];
	MlSeries series[MAX_PARTS + 1];

	ML_TRY(read_courses(page, norm, courses));
	for (int k = 0; k <= MAX_PARTS; k++)
		if (courses[k].n > 0)
			series[chart->n_series++] = (MlSeries){.name = courses[k].name,
												   .x = courses[k].x,
												   .y = courses[k].y,
												   .n = courses[k].n,
												   .style = ML_SERIES_LINE,
												   .color = k + 1};
	if (chart->n_series == 0)
		return ML_OK;
	chart->series = series;
	ml_page_card(page, chart->caption.title, "");
	ml_page_raw(page, "<p>");
	ml_page_raw(page, help);
	ml_page_raw(page, "</p>");
	ml_chart_lines(page->out, chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* The size of the gradient: near zero, there is nothing more to gain. */
MlStatus
ml_page_gradients(MlPage *page)
{
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Gradient", "Norm of the gradient after each iteration."),
		.x = {.label = "Iteration", .lo = NAN, .hi = NAN, .whole = true},
		.y = {.label = "Norm of the gradient", .lo = 0.0, .hi = NAN, .round = true}};

	return put_courses(page, "gradient_norm", &chart,
					   "How steeply the loss still fell: near zero, the training had arrived.");
}

/* The size of the weights: steady at the end, unless the training was cut short. */
MlStatus
ml_page_weights(MlPage *page)
{
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Weights", "Norm of the weights after each iteration."),
		.x = {.label = "Iteration", .lo = NAN, .hi = NAN, .whole = true},
		.y = {.label = "Norm of the weights", .lo = 0.0, .hi = NAN, .round = true}};

	return put_courses(page, "weight_norm", &chart,
					   "How large the weights were: a steep end means more was to come.");
}

/* The shares of the weights by value, from a part of the log: "low", "high", "histogram" []. Not there: n = 0. */
static MlStatus
read_histogram(MlPage *page, const MlJson *part, Course *course)
{
	double low = ml_fact_number(part, "low"), high = ml_fact_number(part, "high"), total = 0.0;

	course->n = 0;
	ML_TRY(ml_fact_doubles(page, part, "histogram", &course->y, &course->n));
	for (size_t b = 0; b < course->n; b++)
		total += course->y[b] > 0.0 ? course->y[b] : 0.0;
	if (!(total > 0.0) || !isfinite(total) || !(high > low) || !isfinite(high - low))
		course->n = 0;
	course->x = ml_arena_array(&page->arena, course->n + 1, sizeof(double));
	if (!course->x)
		return ML_ENOMEM;
	for (size_t b = 0; b < course->n; b++)
	{
		course->x[b] = low + (high - low) * ((double) b + 0.5) / (double) course->n;
		course->y[b] = course->y[b] > 0.0 ? course->y[b] / total : 0.0;
	}
	return ML_OK;
}

/* The histograms of one layer in the lines of the log that have them; at most MAX_SHOTS. */
static MlStatus
read_shots(MlPage *page, size_t layer, Course *shots, size_t *n_shots)
{
	size_t n, n_parts;
	const MlJson *log = ml_fact_array(page->facts, "log", &n);

	*n_shots = 0;
	for (size_t i = 0; i < n && *n_shots < MAX_SHOTS; i++)
	{
		const MlJson *parts = ml_fact_array(&log->items[i], "layers", &n_parts);
		Course *shot = &shots[*n_shots];
		char room[ML_NUMBER_ROOM];

		if (layer >= n_parts)
			continue;
		*shot = (Course){0};
		ML_TRY(read_histogram(page, &parts->items[layer], shot));
		if (shot->n == 0)
			continue;
		snprintf(shot->number, sizeof(shot->number), "Iteration %.20s",
				 ml_human_number(room, iteration_of(&log->items[i], i), 9));
		shot->name = shot->number;
		++*n_shots;
	}
	return ML_OK;
}

/* How the weights of a layer were spread at the start, in the middle and at the end. */
MlStatus
ml_page_weight_distribution(MlPage *page)
{
	size_t layer = page->layer, n;
	char label[64];
	Course shots[MAX_SHOTS];
	MlSeries series[MAX_SHOTS];
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Distribution of weights",
								   "Shares of the weights of a layer by value, over the training."),
		.x = {.label = label, .lo = NAN, .hi = NAN},
		.y =
			{.label = "Share of the weights", .lo = 0.0, .hi = NAN, .percent = true, .round = true},
		.series = series};

	ML_TRY(read_shots(page, layer, shots, &n));
	if (n == 0)
		return ML_OK;
	snprintf(label, sizeof(label), "Weight in layer %zu", layer + 1);
	for (; chart.n_series < n; chart.n_series++)
	{
		const Course *shot = &shots[chart.n_series];

		series[chart.n_series] = (MlSeries){.name = shot->name,
											.x = shot->x,
											.y = shot->y,
											.n = shot->n,
											.style = ML_SERIES_LINE,
											.color = (int) chart.n_series + 1};
	}
	ml_page_card(page, "Distribution of weights", "");
	ml_page_raw(page, "<p>How the weights of the layer spread while it learned.</p>");
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}
