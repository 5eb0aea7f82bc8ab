/*
 * curves.c
 *		The curves of one set of predictions, as JSON columns for drawing.
 */
#include "metric/metric.h"

#include "metric/rank_curve.h"
#include "metric/scored.h"

#define MAX_CONFUSION 256
#define POLL_EVERY (1 << 16)

static void
write_rank_curve(const MlRankCurve *curve, const MlCurveKind *kind, MlJsonWriter *w)
{
	ml_json_open(w, kind->name, '{');
	for (int c = 0; c < ML_CURVE_COLUMNS; c++)
	{
		ml_json_open(w, kind->columns[c].name, '[');
		for (size_t i = 0; i <= curve->n; i++)
			ml_json_number(w, NULL, ml_rank_curve_cell(curve, kind, i, c));
		ml_json_close(w, ']');
	}
	ml_json_close(w, '}');
}

static MlStatus
rank_curves(MlEnv *env, const MlScores scores[2], size_t max_points, MlJsonWriter *w)
{
	MlRankCurve curve;

	ML_TRY(ml_rank_curve(env, &scores[0], &scores[1], max_points, &curve));
	for (int k = 0; k < ML_N_CURVES; k++)
		write_rank_curve(&curve, &ml_curve_kinds[k], w);
	ml_rank_curve_free(env, &curve);
	return ML_OK;
}

/* ---- calibration */

static void
calibration(const MlScored *scored, MlJsonWriter *w)
{
	MlCalibrationBins bins = {0};

	for (size_t i = 0; i < scored->n; i++)
		ml_calibration_add(&bins, scored->predicted[i], scored->actual[i],
						   ml_scored_weight(scored, i));
	ml_json_open(w, "calibration", '{');
	for (int column = 0; column < ML_CURVE_COLUMNS; column++)
	{
		ml_json_open(w, ml_calibration_columns[column], '[');
		for (int k = 0; k < ML_CALIBRATION_BINS; k++)
			if (bins.weight[k] > 0)
				ml_json_number(w, NULL, ml_calibration_cell(&bins, k, column));
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
	size_t at_most = (size_t) ML_MAX(max_points, ML_MIN_CURVE_POINTS);

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
