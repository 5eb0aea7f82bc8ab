/*
 * axis.c
 *		Axes: from values to places, with ticks at round numbers.
 *
 * Traps: the difference of two finite doubles may be infinite, a range may be
 * narrower than the digits of its values, and steps do not add up exactly: so
 * ranges are clamped and widened first, and ticks are whole multiples of a step.
 */
#include "plot/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LARGEST 1e300   /* so that differences stay finite */
#define NARROWEST 1e-9  /* of the values' size: closer ones are one value */
#define SMALLEST 1e-300 /* a range below it is no range: steps would lose their digits */

/* Widen a range by the finite values. */
void
ml_range_add(double *lo, double *hi, const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!isfinite(values[i]))
			continue;
		*lo = fmin(*lo, values[i]);
		*hi = fmax(*hi, values[i]);
	}
}

/* 1, 2 or 5 times a power of ten, whichever is nearest to value > 0 by ratio. */
double
ml_round_step(double value)
{
	double power = pow(10.0, floor(log10(value))), factor = value / power;

	return (factor < M_SQRT2      ? 1.0
			: factor < sqrt(10.0) ? 2.0
			: factor < sqrt(50.0) ? 5.0
								  : 10.0) *
		   power;
}

/* Make lo < hi from any range. */
static void
settle_range(double *lo, double *hi)
{
	double size;

	if (!(*lo <= *hi))
	{
		*lo = 0.0;
		*hi = 1.0;
	}
	*lo = fmin(fmax(*lo, -LARGEST), LARGEST);
	*hi = fmin(fmax(*hi, -LARGEST), LARGEST);
	size = fmax(fabs(*lo), fabs(*hi));
	if (*hi - *lo > size * NARROWEST && *hi - *lo > SMALLEST)
		return;
	size = size > SMALLEST ? size / 2.0 : 1.0;
	*lo -= size;
	*hi += size;
}

/* Decimals that tell multiples of step apart. */
static int
decimals_of(double step)
{
	int decimals = (int) -floor(log10(step) + 1e-9);

	return ML_MIN(ML_MAX(decimals, 0), 15);
}

/* Labels of all ticks in one manner: percent, plain, with a suffix for thousands, or with an exponent. */
static void
label_ticks(MlAxis *axis, double step)
{
	static const char *const suffix[] = {"", "k", "M", "G", "T", "P"};
	double scale = axis->percent ? 0.01 : 1.0, size = fmax(fabs(axis->lo), fabs(axis->hi));
	int group = 0, digits = 2 + (int) ceil(log10(size / step));

	if (!axis->percent && (size >= 1e18 || size < 1e-4))
	{
		for (int i = 0; i < axis->n_ticks; i++)
		{
			const char *text = ml_human_number(axis->labels[i], axis->ticks[i], digits);

			if (text != axis->labels[i])
				snprintf(axis->labels[i], ML_NUMBER_ROOM, "%s", text);
		}
		return;
	}
	while (!axis->percent && size >= 1e4 && size / scale >= 1e3 && group < 5)
	{
		scale *= 1e3;
		group++;
	}
	for (int i = 0; i < axis->n_ticks; i++)
	{
		double value = axis->ticks[i] / scale;

		if (value == 0.0)
			strcpy(axis->labels[i], "0");
		else
			snprintf(axis->labels[i], ML_NUMBER_ROOM, "%.*f%s", decimals_of(step / scale), value,
					 axis->percent ? "%" : suffix[group]);
	}
}

/* Settle the range, choose the step, and label its multiples. */
void
ml_axis_fit(MlAxis *axis, const MlAxisWish *wish, double lo, double hi, int n_wanted)
{
	double step, first, last;

	if (!isnan(wish->lo))
		lo = wish->lo;
	if (!isnan(wish->hi))
		hi = wish->hi;
	settle_range(&lo, &hi);
	step = ml_round_step((hi - lo) / ML_MAX(n_wanted, 1));
	if (wish->whole)
		step = fmax(step, 1.0);
	if (wish->round)
	{
		lo = floor(lo / step + 1e-9) * step;
		hi = ceil(hi / step - 1e-9) * step;
	}
	axis->lo = lo;
	axis->hi = hi;
	axis->percent = wish->percent;
	axis->n_ticks = 0;
	first = ceil(lo / step - 1e-9);
	last = floor(hi / step + 1e-9);
	for (double k = first; k <= last && axis->n_ticks < ML_MAX_TICKS; k += 1.0)
		axis->ticks[axis->n_ticks++] = k * step;
	label_ticks(axis, step);
}

/* The place of a value, between the two ends. */
double
ml_axis_place(const MlAxis *axis, double value)
{
	double share = (value - axis->lo) / (axis->hi - axis->lo);

	return axis->from + (axis->to - axis->from) * fmin(fmax(share, 0.0), 1.0);
}

/* Widest label in units. */
double
ml_axis_label_width(const MlAxis *axis)
{
	double widest = 0.0;

	for (int i = 0; i < axis->n_ticks; i++)
		widest = fmax(widest, ml_markup_width(axis->labels[i], strlen(axis->labels[i])));
	return widest * ML_FONT_SIZE;
}
