/*
 * rank_curve.c
 *		ROC, precision-recall, KS and lift curves, calibration and stability of the scores of two classes.
 *
 * All curves of a ranking come from the same points: the distinct scores from the highest down, each
 * with the weight of positive (tp) and negative (fp) rows that have at least that score. When there
 * are more than can be shown, points are kept at even distances along the ROC curve (measured as
 * fpr + tpr, which runs from 0 to 2), so that steep and flat parts get their share; the two ends and
 * the point of the greatest KS distance are always there.
 *
 * Each curve adds one point where no row is: above the highest score (ROC, precision-recall, lift), as
 * scikit-learn does, or where all rows are below (KS).
 */
#include "metric/rank_curve.h"

#include <math.h>

#define POLL_EVERY (1 << 16)
#define STABILITY_BINS 10
#define LEAST_SHARE 1e-4 /* in the place of zero, which has no logarithm */

enum
{
	THRESHOLD,
	TPR,
	FPR,
	PRECISION,
	BELOW_POSITIVE,
	BELOW_NEGATIVE,
	SHARE,
	LIFT
};

const MlCurveKind ml_curve_kinds[ML_N_CURVES] = {
	[ML_ROC] = {"roc",
				false,
				{{"threshold", THRESHOLD, INFINITY}, {"fpr", FPR, 0}, {"tpr", TPR, 0}}},
	[ML_PR] = {"pr",
			   false,
			   {{"threshold", THRESHOLD, INFINITY},
				{"precision", PRECISION, 1},
				{"recall", TPR, 0}}},
	[ML_KS] = {"ks",
			   true,
			   {{"threshold", THRESHOLD, NAN},
				{"cdf_negative", BELOW_NEGATIVE, 1},
				{"cdf_positive", BELOW_POSITIVE, 1}}},
	[ML_LIFT] = {"lift", false, {{"share", SHARE, 0}, {"gain", TPR, 0}, {"lift", LIFT, NAN}}},
};

/* ---- the points */

/* One walk: the number of distinct scores, and the one of the greatest KS distance. */
static MlStatus
survey(MlEnv *env, MlRankWalk *walk, size_t *n_steps, double *ks_score)
{
	double ks = -1;

	for (*n_steps = 0; ml_rank_walk_next(walk); ++*n_steps)
	{
		double distance = fabs(walk->tp / walk->total[1] - walk->fp / walk->total[0]);

		if (*n_steps % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		if (distance > ks)
		{
			ks = distance;
			*ks_score = walk->score;
		}
	}
	ml_rank_walk_rewind(walk);
	return ML_OK;
}

static MlStatus
collect(MlEnv *env, MlRankWalk *walk, size_t max_points, MlRankCurve *curve)
{
	size_t n_steps, i = 0;
	double ks_score = 0, step, next = 0;

	ML_TRY(survey(env, walk, &n_steps, &ks_score));
	/* One point is the start; when thinning, one the KS point and one the end. */
	step = n_steps < max_points ? 0 : 2.0 / (double) (max_points - 3);
	while (ml_rank_walk_next(walk))
	{
		double along = walk->tp / walk->total[1] + walk->fp / walk->total[0];

		if (i++ % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		if (along < next && walk->score != ks_score && i < n_steps)
			continue;
		ML_TRY(ml_grow(env, &curve->points, &curve->capacity, curve->n + 1, sizeof(MlRankPoint)));
		curve->points[curve->n++] = (MlRankPoint){walk->score, walk->tp, walk->fp};
		if (step > 0 && along >= next)
			next = (floor(along / step) + 1) * step;
	}
	return ML_OK;
}

MlStatus
ml_rank_curve(MlEnv *env, const MlScores *negative, const MlScores *positive, size_t max_points,
			  MlRankCurve *curve)
{
	MlRankWalk walk;
	MlStatus status;

	*curve = (MlRankCurve){0};
	ML_TRY(ml_rank_walk_begin(env, &walk, negative, positive));
	curve->q = walk.total[0];
	curve->p = walk.total[1];
	status = collect(env, &walk, max_points, curve);
	ml_rank_walk_end(env, &walk);
	if (status != ML_OK)
		ml_rank_curve_free(env, curve);
	return status;
}

void
ml_rank_curve_free(MlEnv *env, MlRankCurve *curve)
{
	ml_free(env, curve->points);
	*curve = (MlRankCurve){0};
}

/* ---- their figures */

static double
figure(const MlRankCurve *curve, const MlRankPoint *at, int value)
{
	double share = (at->tp + at->fp) / (curve->p + curve->q);

	switch (value)
	{
		case THRESHOLD:
			return at->score;
		case TPR:
			return at->tp / curve->p;
		case FPR:
			return at->fp / curve->q;
		case PRECISION:
			return at->tp / (at->tp + at->fp);
		case BELOW_POSITIVE:
			return 1 - at->tp / curve->p;
		case BELOW_NEGATIVE:
			return 1 - at->fp / curve->q;
		case SHARE:
			return share;
		case LIFT:
			return at->tp / curve->p / share;
	}
	return NAN;
}

double
ml_rank_curve_cell(const MlRankCurve *curve, const MlCurveKind *kind, size_t i, int column)
{
	size_t from_top = kind->upwards ? curve->n - i : i;
	double added = kind->columns[column].added;

	if (from_top == 0 && !isnan(added))
		return added;
	return figure(curve, &curve->points[from_top == 0 ? 0 : from_top - 1],
				  kind->columns[column].value);
}

/* ---- calibration */

const char *const ml_calibration_columns[ML_CURVE_COLUMNS] = {"predicted", "observed", "count"};

static int
bin_of(double p)
{
	int k = 0;

	while (k < ML_CALIBRATION_BINS - 1 && p > (k + 1) * (1.0 / ML_CALIBRATION_BINS))
		k++;
	return k;
}

void
ml_calibration_add(MlCalibrationBins *bins, double p, double y, double weight)
{
	int k = bin_of(p);

	bins->predicted[k] += weight * p;
	bins->observed[k] += weight * y;
	bins->weight[k] += weight;
}

double
ml_calibration_cell(const MlCalibrationBins *bins, int bin, int column)
{
	double weight = bins->weight[bin];

	return column == 0   ? bins->predicted[bin] / weight
		   : column == 1 ? bins->observed[bin] / weight
						 : weight;
}

MlStatus
ml_calibration_of(MlEnv *env, const MlScores *negative, const MlScores *positive,
				  MlCalibrationBins *bins)
{
	const MlScores *of[2] = {negative, positive};

	*bins = (MlCalibrationBins){0};
	for (int y = 0; y < 2; y++)
		for (size_t i = 0; i < of[y]->n; i++)
		{
			double p = of[y]->score[i];

			if (i % POLL_EVERY == 0)
				ML_TRY(ml_poll(env));
			if (!(p >= 0 && p <= 1))
				return ml_fail(env, ML_EDATA, "probability must be between 0 and 1, not %g", p);
			ml_calibration_add(bins, p, y, of[y]->weight ? of[y]->weight[i] : 1);
		}
	return ML_OK;
}

/* ---- stability */

/* What one bin adds: its shares of the values and of the reference. */
static double
stability_term(double a, double r)
{
	a = ML_MAX(a, LEAST_SHARE);
	r = ML_MAX(r, LEAST_SHARE);
	return (a - r) * log(a / r);
}

/* A reference of one value has no quantiles: the bins are below it, the value, above it. */
static double
stability_of_constant(double reference, const MlScores *values)
{
	double share[3] = {0, 0, 0}, total = 0;

	for (size_t i = 0; i < values->n; i++)
	{
		double value = values->score[i], weight = values->weight ? values->weight[i] : 1;

		share[(value > reference) - (value < reference) + 1] += weight;
		total += weight;
	}
	return stability_term(share[0] / total, 0) + stability_term(share[1] / total, 1) +
		   stability_term(share[2] / total, 0);
}

MlStatus
ml_stability_index(MlEnv *env, const MlScores *reference, const MlScores *values, double *psi)
{
	MlStatus status = ML_OK;
	double sum = 0, tp = 0, fp = 0;
	size_t i = 0;
	MlRankWalk walk;

	*psi = NAN;
	if (reference->n == 0 || values->n == 0)
		return ML_OK;
	ML_TRY(ml_rank_walk_begin(env, &walk, reference, values));
	if (walk.keys[0][0] == walk.keys[0][walk.n[0] - 1])
	{
		*psi = stability_of_constant(reference->score[0], values);
		ml_rank_walk_end(env, &walk);
		return ML_OK;
	}
	while (status == ML_OK && ml_rank_walk_next(&walk))
	{
		double filled = floor(fp / walk.total[0] * STABILITY_BINS + 1e-9) + 1;
		bool last = walk.left[0] + walk.left[1] == 0;
		/* The last bin takes what lies below the least reference value. */
		bool full = walk.left[0] > 0 && walk.fp * STABILITY_BINS >= filled * walk.total[0];

		if (i++ % POLL_EVERY == 0)
			status = ml_poll(env);
		if (!full && !last)
			continue;
		sum += stability_term((walk.tp - tp) / walk.total[1], (walk.fp - fp) / walk.total[0]);
		tp = walk.tp;
		fp = walk.fp;
	}
	ml_rank_walk_end(env, &walk);
	*psi = status == ML_OK ? sum : NAN;
	return status;
}
