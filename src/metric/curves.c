/*
 * curves.c
 *		The curves of one set of predictions, as JSON columns for drawing.
 *
 * All curves of a ranking come from the same points: the distinct scores from the highest down, each
 * with the weight of positive (tp) and negative (fp) rows that have at least that score. When there
 * are more than can be shown, points are kept at even distances along the ROC curve (measured as
 * fpr + tpr, which runs from 0 to 2), so that steep and flat parts get their share; the two ends and
 * the point of the greatest KS distance are always there.
 */
#include "metric/metric.h"

#include <math.h>

#include "metric/ranking.h"
#include "metric/scored.h"

#define MIN_POINTS 8
#define MAX_CONFUSION 256
#define N_BINS 10
#define POLL_EVERY (1 << 16)

typedef struct RankPoint
{
	double score, tp, fp;
} RankPoint;

typedef struct RankCurve
{
	RankPoint *points;
	size_t n, capacity;
	double p, q; /* weight of all positives and negatives */
} RankCurve;

typedef enum RankColumn
{
	THRESHOLD,
	TPR,
	FPR,
	PRECISION,
	BELOW_POSITIVE,
	BELOW_NEGATIVE,
	SHARE,
	LIFT
} RankColumn;

static double
column_value(const RankCurve *curve, const RankPoint *at, RankColumn column)
{
	double share = (at->tp + at->fp) / (curve->p + curve->q);

	switch (column)
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

/* A column from the highest score down, after a value for the point before the first. */
static void
write_column(const RankCurve *curve, MlJsonWriter *w, const char *name, RankColumn column,
			 double first)
{
	ml_json_open(w, name, '[');
	ml_json_number(w, NULL, first);
	for (size_t i = 0; i < curve->n; i++)
		ml_json_number(w, NULL, column_value(curve, &curve->points[i], column));
	ml_json_close(w, ']');
}

/* A column from the lowest score up, and a value for the point after the last. */
static void
write_column_up(const RankCurve *curve, MlJsonWriter *w, const char *name, RankColumn column,
				double last)
{
	ml_json_open(w, name, '[');
	for (size_t i = curve->n; i > 0; i--)
		ml_json_number(w, NULL, column_value(curve, &curve->points[i - 1], column));
	ml_json_number(w, NULL, last);
	ml_json_close(w, ']');
}

static void
write_rank_curves(const RankCurve *curve, MlJsonWriter *w)
{
	const RankPoint *highest = &curve->points[0];

	ml_json_open(w, "roc", '{');
	write_column(curve, w, "threshold", THRESHOLD, INFINITY);
	write_column(curve, w, "fpr", FPR, 0);
	write_column(curve, w, "tpr", TPR, 0);
	ml_json_close(w, '}');
	ml_json_open(w, "pr", '{');
	write_column(curve, w, "threshold", THRESHOLD, INFINITY);
	write_column(curve, w, "precision", PRECISION, 1);
	write_column(curve, w, "recall", TPR, 0);
	ml_json_close(w, '}');
	ml_json_open(w, "ks", '{');
	write_column_up(curve, w, "threshold", THRESHOLD, highest->score);
	write_column_up(curve, w, "cdf_negative", BELOW_NEGATIVE, 1);
	write_column_up(curve, w, "cdf_positive", BELOW_POSITIVE, 1);
	ml_json_close(w, '}');
	ml_json_open(w, "lift", '{');
	write_column(curve, w, "share", SHARE, 0);
	write_column(curve, w, "gain", TPR, 0);
	write_column(curve, w, "lift", LIFT, column_value(curve, highest, LIFT));
	ml_json_close(w, '}');
}

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
collect(MlEnv *env, MlRankWalk *walk, size_t max_points, RankCurve *curve)
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
		ML_TRY(ml_grow(env, &curve->points, &curve->capacity, curve->n + 1, sizeof(RankPoint)));
		curve->points[curve->n++] = (RankPoint){walk->score, walk->tp, walk->fp};
		if (step > 0 && along >= next)
			next = (floor(along / step) + 1) * step;
	}
	return ML_OK;
}

static MlStatus
rank_curves(MlEnv *env, const MlScores scores[2], size_t max_points, MlJsonWriter *w)
{
	RankCurve curve = {0};
	MlRankWalk walk;
	MlStatus status;

	ML_TRY(ml_rank_walk_begin(env, &walk, &scores[0], &scores[1]));
	curve.q = walk.total[0];
	curve.p = walk.total[1];
	status = collect(env, &walk, max_points, &curve);
	if (status == ML_OK)
		write_rank_curves(&curve, w);
	ml_free(env, curve.points);
	ml_rank_walk_end(env, &walk);
	return status;
}

/* ---- calibration */

static int
bin_of(double p)
{
	int k = 0;

	while (k < N_BINS - 1 && p > (k + 1) * (1.0 / N_BINS))
		k++;
	return k;
}

static void
calibration(const MlScored *scored, MlJsonWriter *w)
{
	static const char *const names[] = {"predicted", "observed", "count"};
	double sums[3][N_BINS] = {{0}};

	for (size_t i = 0; i < scored->n; i++)
	{
		double weight = ml_scored_weight(scored, i);
		int k = bin_of(scored->predicted[i]);

		sums[0][k] += weight * scored->predicted[i];
		sums[1][k] += weight * scored->actual[i];
		sums[2][k] += weight;
	}
	ml_json_open(w, "calibration", '{');
	for (int column = 0; column < 3; column++)
	{
		ml_json_open(w, names[column], '[');
		for (int k = 0; k < N_BINS; k++)
			if (sums[2][k] > 0)
				ml_json_number(w, NULL, column < 2 ? sums[column][k] / sums[2][k] : sums[2][k]);
		ml_json_close(w, ']');
	}
	ml_json_close(w, '}');
}

static MlStatus
binary_curves(MlEnv *env, const MlScored *scored, size_t max_points, MlJsonWriter *w)
{
	MlScores scores[2] = {{0}, {0}};
	MlStatus status = ml_scored_split(env, scored, scores);

	if (status == ML_OK && scores[0].n > 0 && scores[1].n > 0)
		status = rank_curves(env, scores, max_points, w);
	ml_scores_free(env, &scores[0]);
	ml_scores_free(env, &scores[1]);
	if (status == ML_OK)
		calibration(scored, w);
	return status;
}

/* ---- confusion and residuals */

static void
write_confusion(const MlScored *scored, const double *matrix, MlJsonWriter *w)
{
	size_t n = scored->n_classes;

	ml_json_open(w, "confusion", '{');
	ml_json_open(w, "classes", '[');
	for (size_t k = 0; k < n; k++)
		ml_json_text(w, NULL, scored->classes[k]);
	ml_json_close(w, ']');
	ml_json_open(w, "matrix", '[');
	for (size_t k = 0; k < n; k++)
	{
		ml_json_open(w, NULL, '[');
		for (size_t m = 0; m < n; m++)
			ml_json_number(w, NULL, matrix[k * n + m]);
		ml_json_close(w, ']');
	}
	ml_json_close(w, ']');
	ml_json_close(w, '}');
}

static MlStatus
confusion(MlEnv *env, const MlScored *scored, MlJsonWriter *w)
{
	size_t n = scored->n_classes;
	MlStatus status = ML_OK;
	double *matrix;

	if (n > MAX_CONFUSION)
		return ML_OK;
	matrix = ml_zalloc_array(env, n * n, sizeof(double));
	if (!matrix)
		return ML_ENOMEM;
	for (size_t i = 0; i < scored->n && status == ML_OK; i++)
	{
		uint32_t actual, predicted;

		if (i % POLL_EVERY == 0)
			status = ml_poll(env);
		if (status == ML_OK)
			status = ml_scored_class(env, scored, i, &actual, &predicted);
		if (status == ML_OK)
			matrix[actual * n + predicted] += ml_scored_weight(scored, i);
	}
	if (status == ML_OK)
		write_confusion(scored, matrix, w);
	ml_free(env, matrix);
	return status;
}

/* Every n/m-th row of a column. */
static void
write_sample(const double *values, size_t n, size_t m, const char *name, MlJsonWriter *w)
{
	ml_json_open(w, name, '[');
	for (size_t i = 0; i < m; i++)
		ml_json_number(w, NULL, values[(size_t) ((double) i / (double) m * (double) n)]);
	ml_json_close(w, ']');
}

static void
residuals(const MlScored *scored, size_t max_points, MlJsonWriter *w)
{
	size_t m = ML_MIN(scored->n, max_points);

	ml_json_open(w, "residuals", '{');
	write_sample(scored->actual, scored->n, m, "actual", w);
	write_sample(scored->predicted, scored->n, m, "predicted", w);
	ml_json_close(w, '}');
}

MlStatus
ml_curves_all(MlEnv *env, const MlScored *scored, int max_points, MlJsonWriter *w)
{
	size_t at_most = (size_t) ML_MAX(max_points, MIN_POINTS);

	if (!scored->classification)
		residuals(scored, at_most, w);
	else
	{
		if (scored->n_classes == 2)
			ML_TRY(binary_curves(env, scored, at_most, w));
		ML_TRY(confusion(env, scored, w));
	}
	return w->out->status;
}
