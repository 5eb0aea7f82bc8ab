/*
 * stats.c
 *		Distributions, by their special functions.
 *
 * The regularised incomplete beta function by its continued fraction (DLMF
 * 8.17.22), the incomplete gamma function by its series (8.11.4) or continued
 * fraction (8.9.2), both evaluated by Lentz's method as modified by Thompson and
 * Barnett (1986). Far tails are computed as such, never as one minus the other side.
 *
 * Trap: the factor before them, x^a (1 - x)^b / B(a, b), must not be taken from
 * differences of log gammas. With a million degrees of freedom these are near
 * 1e7 and keep no more than nine digits after the point; the saddle-point form
 * of Loader (2000) has only small terms, each exact to rounding.
 */
#include <math.h>

#include "core/stats.h"

#define TINY 1e-300      /* stands for zero in a continued fraction */
#define PRECISION 1e-16  /* relative change at which an expansion ends */
#define MAX_TERMS 100000 /* large parameters need about their square root */

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

/* log gamma(x) less Stirling's formula for it: (x - 1/2) log x - x + log(2 pi) / 2. */
static double
stirling_error(double x)
{
	static const double c[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
							   1.0 / 1188, -691.0 / 360360, 1.0 / 156};
	double x2 = x * x, sum = c[6];
	int sign;

	if (x < 10)
		return lgamma_r(x, &sign) - (x - 0.5) * log(x) + x - 0.5 * log(2 * M_PI);
	for (int k = 5; k >= 0; k--)
		sum = sum / x2 + c[k];
	return sum / x;
}

/* x log(x / m) + m - x without cancellation, for x and m of any size. */
static double
deviance(double x, double m)
{
	double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v, last;

	if (fabs(v) >= 0.1)
		return x * log(x / m) + m - x;
	for (int k = 3;; k += 2)
	{
		term *= v * v;
		last = sum;
		sum += term / k;
		if (sum == last)
			return sum;
	}
}

/* x^a y^b / B(a, b), where y = 1 - x. */
static double
beta_front(double a, double b, double x, double y)
{
	double n = a + b;
	double exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) -
					  deviance(a, n * x) - deviance(b, n * y);

	return sqrt(a / (2 * M_PI) * (b / n)) * exp(exponent);
}

/* x^a exp(-x) / gamma(a) */
static double
gamma_front(double a, double x)
{
	return sqrt(a / (2 * M_PI)) * exp(-deviance(a, x) - stirling_error(a));
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

/*
 * The continued fraction of I_x(a, b) over its factor, for x <= a / (a + b) and y = 1 - x, in the form of
 * DiDonato and Morris (1992), equation 9: the small difference lambda = a - (a + b) x stands in it as such.
 */
static double
beta_fraction(double a, double b, double x, double y)
{
	double lambda = a * y - b * x, c = 1 + lambda, c1 = 1 + 1 / a;
	double p = 1, s = a + 1, value = c1 / c;
	double an = 0, bn = 1, an1 = 1, bn1 = c / c1;

	for (int n = 1; n < MAX_TERMS; n++)
	{
		double t = n / a, w = n * (b - n) * x, e = a / s;
		double alpha = p * (p + b / a) * e * e * w * x;
		double beta = n + w / s + (1 + t) / (c1 + t + t) * (c + n * (1 + y));
		double next = alpha * an + beta * an1, last = value;

		an = an1;
		an1 = next;
		next = alpha * bn + beta * bn1;
		bn = bn1;
		bn1 = next;
		value = an1 / bn1;
		if (fabs(value - last) <= PRECISION * value)
			break;
		an /= bn1;
		bn /= bn1;
		an1 = value;
		bn1 = 1;
		p = 1 + t;
		s += 2;
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
	front = beta_front(a, b, x, y);
	if (a * y >= b * x)
		return front * beta_fraction(a, b, x, y);
	return 1 - front * beta_fraction(b, a, y, x);
}

/* P(|T| > |t|) = I_{df / (df + t^2)}(df / 2, 1 / 2); with infinitely many degrees of freedom, the normal one */
double
ml_student_p_two_sided(double t, double df)
{
	double t2 = t * t;

	if (isnan(t) || !(df > 0))
		return NAN;
	if (isinf(df))
		return ml_normal_p_two_sided(t);
	if (isinf(t2))
		return 0; /* less than 1e-154 */
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
	return sum * gamma_front(a, x);
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
	return value * gamma_front(a, x);
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

/* From this argument on the asymptotic series of digamma and trigamma have 16 digits. */
#define GAMMA_FAR 12.0

/* Upwards by digamma(x) = digamma(x + 1) - 1 / x, then the series of Bernoulli numbers (Abramowitz and Stegun 6.3.18). */
double
ml_digamma(double x)
{
	double sum = 0, inverse, square;

	for (; x < GAMMA_FAR; x += 1)
		sum -= 1 / x;
	inverse = 1 / x;
	square = inverse * inverse;
	return sum + log(x) - inverse / 2 -
		   square *
			   (1.0 / 12 -
				square * (1.0 / 120 -
						  square * (1.0 / 252 -
									square * (1.0 / 240 -
											  square * (1.0 / 132 - square * (691.0 / 32760))))));
}

/* The same for the second derivative (6.4.12). */
double
ml_trigamma(double x)
{
	double sum = 0, inverse, square;

	for (; x < GAMMA_FAR; x += 1)
		sum += 1 / (x * x);
	inverse = 1 / x;
	square = inverse * inverse;
	return sum + inverse + square / 2 +
		   square * inverse *
			   (1.0 / 6 -
				square * (1.0 / 30 -
						  square * (1.0 / 42 -
									square * (1.0 / 30 -
											  square * (5.0 / 66 - square * (691.0 / 2730))))));
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
