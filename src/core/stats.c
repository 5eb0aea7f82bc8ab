/*
 * stats.c
 *		Distributions, by their special functions.
 *
 * The regularised incomplete beta function by its continued fraction (DLMF
 * 8.17.22), the incomplete gamma function by its series (8.11.4) or continued
 * fraction (8.9.2), both evaluated by Lentz's method as modified by Thompson and
 * Barnett (1986). Tails are computed as such, never as one minus the other side.
 */
#include <math.h>

#include "core/stats.h"

#define TINY 1e-300      /* stands for zero in a continued fraction */
#define PRECISION 1e-16  /* relative change at which an expansion ends */
#define MAX_TERMS 100000 /* large parameters need about their square root */

static double
log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double
ml_normal_cdf(double z)
{
	return 0.5 * erfc(-z / sqrt(2));
}

double
ml_normal_p_two_sided(double z)
{
	return erfc(fabs(z) / sqrt(2));
}

/* One step of a continued fraction: the factor by which it changes. */
static double
lentz_step(double a, double b, double *c, double *d)
{
	*d = b + a * *d;
	*c = b + a / *c;
	if (fabs(*d) < TINY)
		*d = TINY;
	if (fabs(*c) < TINY)
		*c = TINY;
	*d = 1 / *d;
	return *c * *d;
}

/* The continued fraction of I_x(a, b), for x below (a + 1) / (a + b + 2). */
static double
beta_fraction(double a, double b, double x)
{
	double c = 1, d = 0, value;

	d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < TINY ? TINY : d);
	value = d;
	for (int m = 1; m < MAX_TERMS; m++)
	{
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double factor;

		value *= lentz_step(even, 1, &c, &d);
		factor = lentz_step(odd, 1, &c, &d);
		value *= factor;
		if (fabs(factor - 1) < PRECISION)
			break;
	}
	return value;
}

/* I_x(a, b), given also y = 1 - x so that neither loses digits. */
static double
incomplete_beta(double a, double b, double x, double y)
{
	double front;

	if (x <= 0)
		return 0;
	if (y <= 0)
		return 1;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(y));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, y) / b;
}

/* P(|T| > |t|) = I_{df / (df + t^2)}(df / 2, 1 / 2) */
double
ml_student_p_two_sided(double t, double df)
{
	double t2 = t * t;

	if (isnan(t) || !(df > 0))
		return NAN;
	if (isinf(t2))
		return 0;
	return incomplete_beta(df / 2, 0.5, df / (df + t2), t2 / (df + t2));
}

/* P(F > f) = I_{df2 / (df2 + df1 f)}(df2 / 2, df1 / 2) */
double
ml_f_p_upper(double f, double df1, double df2)
{
	double x = df1 * f;

	if (isnan(f) || !(df1 > 0) || !(df2 > 0))
		return NAN;
	if (f <= 0)
		return 1;
	if (isinf(x))
		return 0;
	return incomplete_beta(df2 / 2, df1 / 2, df2 / (df2 + x), x / (df2 + x));
}

/* The lower regularised gamma function by its series, for x < a + 1. */
static double
gamma_series(double a, double x)
{
	double term = 1 / a, sum = term;

	for (int n = 1; n < MAX_TERMS && fabs(term) > fabs(sum) * PRECISION; n++)
	{
		term *= x / (a + n);
		sum += term;
	}
	return sum * exp(a * log(x) - x - log_gamma(a));
}

/* The upper one by its continued fraction, for x >= a + 1. */
static double
gamma_fraction(double a, double x)
{
	double b = x + 1 - a, c = 1 / TINY, d = 1 / b, value = d;

	for (int n = 1; n < MAX_TERMS; n++)
	{
		double factor = lentz_step(-n * (n - a), b + 2 * n, &c, &d);

		value *= factor;
		if (fabs(factor - 1) < PRECISION)
			break;
	}
	return value * exp(a * log(x) - x - log_gamma(a));
}

double
ml_chi2_p_upper(double x, double df)
{
	double a = df / 2, half = x / 2;

	if (isnan(x) || !(df > 0))
		return NAN;
	if (x <= 0)
		return 1;
	if (isinf(x))
		return 0;
	return half < a + 1 ? 1 - gamma_series(a, half) : gamma_fraction(a, half);
}

double
ml_sigmoid(double eta)
{
	double e;

	if (eta >= 0)
		return 1 / (1 + exp(-eta));
	e = exp(eta);
	return e / (1 + e);
}

double
ml_log1p_exp(double eta)
{
	return eta > 0 ? eta + log1p(exp(-eta)) : log1p(exp(eta));
}
