/*
 * page_residuals.c
 *		How the predictions of a regression miss: three drawings of one sample of rows.
 */
#include "plot/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 40

/* The sample, rows with a missing value left out. */
typedef struct Sample
{
	double *actual, *predicted, *residual;
	double *sorted;   /* residuals, ascending */
	double *absolute; /* without their signs, ascending */
	size_t n;
	double lo, hi;             /* range of values that is drawn */
	double error_lo, error_hi; /* range of residuals that is drawn */
} Sample;

/* qsort comparison of doubles. */
static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Quantile of n > 0 sorted values, between neighbours. */
static double
quantile(const double *sorted, size_t n, double p)
{
	double at = p * (double) (n - 1);
	size_t i = (size_t) at, next = ML_MIN(i + 1, n - 1);

	return sorted[i] + (sorted[next] - sorted[i]) * (at - (double) i);
}

/* Choose the ranges to draw: a few wild rows must not press all others into a corner. */
static void
choose_ranges(Sample *s)
{
	double lo = INFINITY, hi = -INFINITY, room;
	double spread = quantile(s->sorted, s->n, 0.75) - quantile(s->sorted, s->n, 0.25);
	double middle = quantile(s->sorted, s->n, 0.5);

	/* Actual values are all drawn; predictions may go beyond them by half of their range. */
	ml_range_add(&lo, &hi, s->actual, s->n);
	room = hi > lo ? (hi - lo) / 2.0 : INFINITY;
	s->lo = s->hi = s->actual[0];
	for (size_t i = 0; i < s->n; i++)
	{
		s->lo = fmin(s->lo, fmin(s->actual[i], fmax(s->predicted[i], lo - room)));
		s->hi = fmax(s->hi, fmax(s->actual[i], fmin(s->predicted[i], hi + room)));
	}
	s->error_lo = s->sorted[0];
	s->error_hi = s->sorted[s->n - 1];
	if (spread > 0.0 && s->error_hi - s->error_lo > 10.0 * spread)
	{
		s->error_lo = fmax(s->error_lo, middle - 5.0 * spread);
		s->error_hi = fmin(s->error_hi, middle + 5.0 * spread);
	}
}

/* Read the sample. Not there: n = 0. */
static MlStatus
read_sample(MlPage *page, Sample *s)
{
	const MlJson *columns = ml_json_get(page->curves, "residuals");
	size_t na, np, n = 0;

	ML_TRY(ml_fact_doubles(page, columns, "actual", &s->actual, &na));
	ML_TRY(ml_fact_doubles(page, columns, "predicted", &s->predicted, &np));
	s->residual = ml_arena_array(&page->arena, na + 1, sizeof(double));
	s->sorted = ml_arena_array(&page->arena, na + 1, sizeof(double));
	s->absolute = ml_arena_array(&page->arena, na + 1, sizeof(double));
	if (!s->residual || !s->sorted || !s->absolute)
		return ML_ENOMEM;
	for (size_t i = 0; i < ML_MIN(na, np); i++)
	{
		double residual = s->actual[i] - s->predicted[i];

		if (!isfinite(residual))
			continue;
		s->actual[n] = s->actual[i];
		s->predicted[n] = s->predicted[i];
		s->residual[n] = s->sorted[n] = residual;
		s->absolute[n++] = fabs(residual);
	}
	s->n = n;
	qsort(s->sorted, n, sizeof(double), compare_doubles);
	qsort(s->absolute, n, sizeof(double), compare_doubles);
	if (n > 0)
		choose_ranges(s);
	return ML_OK;
}

/* The remark on rows that are not in a picture, and the end of the paragraph. */
static void
put_outside(MlPage *page, size_t outside)
{
	if (outside > 0)
	{
		ml_page_raw(page, " ");
		ml_page_number(page, (double) outside, 4);
		ml_page_raw(page, outside == 1 ? " row lies outside the picture."
									   : " rows lie outside the picture.");
	}
	ml_page_raw(page, "</p>");
}

/* How many of n values lie outside a range. */
static size_t
count_outside(const double *values, size_t n, double lo, double hi)
{
	size_t outside = 0;

	for (size_t i = 0; i < n; i++)
		outside += values[i] < lo || values[i] > hi;
	return outside;
}

/* Predicted over actual: on the diagonal where the model is right. */
static MlStatus
put_scatter(MlPage *page, const Sample *s)
{
	MlSeries series = {.x = s->actual,
					   .y = s->predicted,
					   .n = s->n,
					   .name = "Row",
					   .style = ML_SERIES_DOTS,
					   .color = 1};
	MlLineChart chart = {.caption =
							 ml_page_caption(page, "Predicted against actual",
											 "One dot per row; exact predictions are on the line."),
						 .x = {.label = "Actual", .lo = s->lo, .hi = s->hi, .round = true},
						 .y = {.label = "Predicted", .lo = s->lo, .hi = s->hi, .round = true},
						 .series = &series,
						 .n_series = 1,
						 .reference = {s->lo, s->lo, s->hi, s->hi, "Exact"}};

	ml_page_card(page, "Predicted against actual", "");
	ml_page_raw(page, "<p>Half of the rows are predicted to within ");
	ml_page_number(page, quantile(s->absolute, s->n, 0.5), 3);
	ml_page_raw(page, " of the actual value, 9 of 10 to within ");
	ml_page_number(page, quantile(s->absolute, s->n, 0.9), 3);
	ml_page_raw(page, ".");
	put_outside(page, count_outside(s->predicted, s->n, s->lo, s->hi));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Edges of the histogram: round, about as wide as Freedman and Diaconis (1981) say. Returns the number of columns. */
static size_t
histogram_bins(const Sample *s, double *first, double *width)
{
	double lo = s->error_lo, hi = s->error_hi;
	double spread = quantile(s->sorted, s->n, 0.75) - quantile(s->sorted, s->n, 0.25);

	*width = 2.0 * spread / cbrt((double) s->n);
	*width = fmin(fmax(*width, (hi - lo) / MAX_COLUMNS), (hi - lo) / 8.0);
	if (!(*width > 1e-9 * fmax(fabs(lo), fabs(hi))) || !isfinite(*width))
		return 0;
	*width = ml_round_step(*width);
	*first = floor(lo / *width) * *width;
	return (size_t) fmin(ceil((hi - *first) / *width + 1e-9), 2.0 * MAX_COLUMNS);
}

/* How large the errors are, and how often. */
static MlStatus
put_histogram(MlPage *page, const Sample *s)
{
	double first = 0.0, width = 0.0;
	size_t n = histogram_bins(s, &first, &width);
	double *edge = ml_arena_array(&page->arena, n + 1, sizeof(double));
	double *count = ml_arena_array(&page->arena, n + 1, sizeof(double));
	MlSeries series = {
		.x = edge, .y = count, .n = n, .style = ML_SERIES_COLUMNS, .color = 1, .bar_width = width};
	MlLineChart chart = {
		.caption = ml_page_caption(page, "Errors", "How many rows have an error of which size."),
		.x = {.label = "Actual minus predicted", .lo = NAN, .hi = NAN},
		.y = {.label = "Rows of the sample", .lo = 0.0, .hi = NAN, .whole = true, .round = true},
		.series = &series,
		.n_series = 1,
		.reference = {0.0, -INFINITY, 0.0, INFINITY, "No error"}};

	if (!edge || !count)
		return ML_ENOMEM;
	if (n == 0)
		return ML_OK;
	for (size_t k = 0; k < n; k++)
		edge[k] = first + (double) k * width;
	for (size_t i = 0; i < s->n; i++)
	{
		double k = floor((s->residual[i] - first) / width);

		if (k >= 0.0 && k < (double) n)
			count[(size_t) k] += 1.0;
	}
	ml_page_card(page, "Errors", "");
	ml_page_raw(page, "<p>The middle half of the errors lies between ");
	ml_page_number(page, quantile(s->sorted, s->n, 0.25), 3);
	ml_page_raw(page, " and ");
	ml_page_number(page, quantile(s->sorted, s->n, 0.75), 3);
	ml_page_raw(page, ".");
	put_outside(page, count_outside(s->residual, s->n, first, first + (double) n * width));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Errors over predictions: a pattern here is something the model has not learned. */
static MlStatus
put_errors_by_prediction(MlPage *page, const Sample *s)
{
	double mean = 0.0;
	MlSeries series = {.x = s->predicted,
					   .y = s->residual,
					   .n = s->n,
					   .name = "Row",
					   .style = ML_SERIES_DOTS,
					   .color = 1};
	MlLineChart chart = {.caption = ml_page_caption(page, "Errors by prediction",
													"Actual minus predicted, over predicted."),
						 .x = {.label = "Predicted", .lo = s->lo, .hi = s->hi, .round = true},
						 .y = {.label = "Actual minus predicted",
							   .lo = s->error_lo,
							   .hi = s->error_hi,
							   .round = true},
						 .series = &series,
						 .n_series = 1,
						 .reference = {-INFINITY, 0.0, INFINITY, 0.0, "No error"}};

	for (size_t i = 0; i < s->n; i++)
		mean += (s->residual[i] - mean) / (double) (i + 1);
	ml_page_card(page, "Errors by prediction", "");
	ml_page_raw(page, "<p>On average the prediction is ");
	ml_page_number(page, fabs(mean), 2);
	ml_page_raw(page, mean >= 0.0 ? " too low" : " too high");
	ml_page_raw(page, ". A pattern in the cloud is something left to learn.");
	put_outside(page, count_outside(s->residual, s->n, s->error_lo, s->error_hi));
	ml_chart_lines(page->out, &chart);
	ml_page_raw(page, "</div>");
	return ML_OK;
}

/* Read the sample and draw it; nothing when there is none. */
static MlStatus
with_sample(MlPage *page, MlStatus (*put)(MlPage *page, const Sample *sample))
{
	Sample sample;

	if (page->task != ML_PAGE_REGRESSION)
		return ML_OK;
	ML_TRY(read_sample(page, &sample));
	return sample.n > 0 ? put(page, &sample) : ML_OK;
}

MlStatus
ml_page_scatter(MlPage *page)
{
	return with_sample(page, put_scatter);
}

MlStatus
ml_page_errors(MlPage *page)
{
	return with_sample(page, put_histogram);
}

MlStatus
ml_page_errors_by_prediction(MlPage *page)
{
	return with_sample(page, put_errors_by_prediction);
}

/* The section with all drawings of the errors. */
static MlStatus
put_section(MlPage *page, const Sample *sample)
{
	ml_page_raw(page, "<section id=\"curves\"><h2>Errors</h2><p class=\"sub\">A sample of ");
	ml_page_number(page, (double) sample->n, 4);
	ml_page_raw(page, " held-out rows.</p><div class=\"grid\">");
	ML_TRY(put_scatter(page, sample));
	ML_TRY(put_histogram(page, sample));
	ML_TRY(put_errors_by_prediction(page, sample));
	ml_page_raw(page, "</div></section>");
	return ML_OK;
}

/* All drawings of the errors. */
MlStatus
ml_page_residuals(MlPage *page)
{
	return with_sample(page, put_section);
}
