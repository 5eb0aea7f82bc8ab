/*
 * svm_platt.c
 *		Probabilities from decision values: Platt's sigmoid, fitted by Newton's method.
 *
 * Platt 1999, with the targets (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) that keep the sigmoid
 * finite, and the safe computation of Lin, Lin and Weng 2007, algorithm 1. The decision values
 * must be of rows that the machine was not trained on: its own rows lie too far out.
 */
#include <math.h>

#include "algo/svm/svm.h"
#include "core/vmath.h"

#define BLOCK 1024
#define MAX_ITERATIONS 100
#define RIDGE 1e-12 /* on the Hessian: Newton's step exists even where all values are equal */
#define GRADIENT 1e-7
#define HALVINGS 20

/* Loss, gradient and Hessian at a, b. */
typedef struct Point
{
	double loss, ga, gb, haa, hab, hbb;
} Point;

typedef struct Fit
{
	MlEnv *env;
	const double *f, *y, *w;
	double positive;
	size_t n;
	double high, low; /* targets of the classes */
	double total;
} Fit;

/* One pass over the rows; probabilities are of y = 1, so the argument is -(a f + b). */
static MlStatus
evaluate(const Fit *fit, double a, double b, Point *out)
{
	double eta[BLOCK], p[BLOCK], softplus[BLOCK];
	Point sum = {0};

	for (size_t first = 0; first < fit->n; first += BLOCK)
	{
		size_t n = ML_MIN((size_t) BLOCK, fit->n - first);
		const double *f = fit->f + first;

		ML_TRY(ml_poll(fit->env));
		for (size_t i = 0; i < n; i++)
			eta[i] = -(a * f[i] + b);
		ml_vlogistic(eta, p, softplus, n);
		for (size_t i = 0; i < n; i++)
		{
			double w = fit->w[first + i];
			double t = fit->y[first + i] == fit->positive ? fit->high : fit->low;
			double d = w * (t - p[i]), h = w * p[i] * (1 - p[i]);

			sum.loss += w * (softplus[i] - t * eta[i]);
			sum.ga += d * f[i];
			sum.gb += d;
			sum.haa += h * f[i] * f[i];
			sum.hab += h * f[i];
			sum.hbb += h;
		}
	}
	*out = sum;
	return ML_OK;
}

/* The targets, from the weights of the classes; weights count as rows on average 1. */
static void
choose_targets(Fit *fit)
{
	double one = 0, scale;

	for (size_t i = 0; i < fit->n; i++)
	{
		fit->total += fit->w[i];
		one += fit->y[i] == fit->positive ? fit->w[i] : 0;
	}
	scale = (double) fit->n / fit->total;
	fit->high = (one * scale + 1) / (one * scale + 2);
	fit->low = 1 / ((fit->total - one) * scale + 2);
}

MlStatus
ml_svm_fit_sigmoid(MlEnv *env, const double *f, const double *y, double positive, const double *w,
				   size_t n, MlSvmSigmoid *sigmoid)
{
	Fit fit = {.env = env, .f = f, .y = y, .w = w, .positive = positive, .n = n};
	double a = 0, b, share;
	Point at, trial;

	choose_targets(&fit);
	share = (fit.high + fit.low) / 2;
	b = log((1 - share) / share);
	ML_TRY(evaluate(&fit, a, b, &at));
	for (int step = 0; step < MAX_ITERATIONS; step++)
	{
		double ridge = RIDGE * fit.total, haa = at.haa + ridge, hbb = at.hbb + ridge;
		double det = haa * hbb - at.hab * at.hab, da, db, slope, length = 1;
		int halving = 0;

		if (fabs(at.ga) <= GRADIENT * fit.total && fabs(at.gb) <= GRADIENT * fit.total)
			break;
		da = -(hbb * at.ga - at.hab * at.gb) / det;
		db = -(haa * at.gb - at.hab * at.ga) / det;
		slope = at.ga * da + at.gb * db;
		for (; halving < HALVINGS; halving++, length /= 2)
		{
			ML_TRY(evaluate(&fit, a + length * da, b + length * db, &trial));
			if (trial.loss <= at.loss + 1e-4 * length * slope)
				break;
		}
		if (halving == HALVINGS)
			break;
		a += length * da;
		b += length * db;
		at = trial;
	}
	sigmoid->a = isfinite(a) ? a : 0;
	sigmoid->b = isfinite(b) ? b : 0;
	return ML_OK;
}
