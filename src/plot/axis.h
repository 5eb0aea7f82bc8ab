/*
 * axis.h
 *		Axes: from values to places, with ticks at round numbers.
 *
 * Ticks are multiples of 1, 2 or 5 times a power of ten (Heckbert, "Nice
 * numbers for graph labels", Graphics Gems 1990).
 */
#ifndef ML_AXIS_H
#define ML_AXIS_H

#include "plot/svg.h"

#define ML_MAX_TICKS 12

typedef struct MlAxis
{
	double lo, hi;   /* values at the ends, lo < hi */
	double from, to; /* places of the ends */
	bool percent;    /* values are shares, labels percentages */
	int n_ticks;
	double ticks[ML_MAX_TICKS];
	char labels[ML_MAX_TICKS][ML_NUMBER_ROOM];
} MlAxis;

/* How an axis is wanted. */
typedef struct MlAxisWish
{
	const char *label; /* what it shows, with its unit */
	double lo, hi;     /* NaN: from the data */
	bool percent;
	bool whole; /* only whole numbers make sense: counts, iterations */
	bool round; /* stretch the range to ticks at both ends */
} MlAxisWish;

/* Widen lo..hi by the finite values among these. Start with an empty range: lo = INFINITY, hi = -INFINITY. */
extern void ml_range_add(double *lo, double *hi, const double *values, size_t n);

/* 1, 2 or 5 times a power of ten, the nearest to value > 0. */
extern double ml_round_step(double value);

/* Settle range and ticks (about n_wanted of them). Copes with an empty range and with one value. */
extern void ml_axis_fit(MlAxis *axis, const MlAxisWish *wish, double lo, double hi, int n_wanted);

/* The place of a value; values outside stay at the ends. */
extern double ml_axis_place(const MlAxis *axis, double value);

/* Widest label in units. */
extern double ml_axis_label_width(const MlAxis *axis);

#endif /* ML_AXIS_H */
