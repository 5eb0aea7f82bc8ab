/*
 * metrics_curve.c
 *		Curve aggregates over (label, score), and psi: what is made of the scores that metrics_rank.c keeps.
 *
 * A curve is an array of composites, to be unnested: aggregates cannot return sets. The type of a
 * point is read off the final function, whose expression a distributed engine does not pass on.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "analyze/metrics_common.h"
#include "metric/rank_curve.h"

PG_FUNCTION_INFO_V1(mlplat_roc_curve_finalfn);
PG_FUNCTION_INFO_V1(mlplat_pr_curve_finalfn);
PG_FUNCTION_INFO_V1(mlplat_ks_curve_finalfn);
PG_FUNCTION_INFO_V1(mlplat_lift_curve_finalfn);
PG_FUNCTION_INFO_V1(mlplat_calibration_curve_finalfn);
PG_FUNCTION_INFO_V1(mlplat_psi_finalfn);

#define DEFAULT_POINTS 1000

/* An array of points in the making. */
typedef struct Points
{
	TupleDesc desc;
	Datum *rows;
	int n;
} Points;

static void
points_begin(FunctionCallInfo fcinfo, Points *points, size_t room)
{
	Oid type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));

	points->desc = lookup_rowtype_tupdesc_copy(type, -1);
	if (points->desc->natts != ML_CURVE_COLUMNS)
		elog(ERROR, "a point of a curve has %d columns", points->desc->natts);
	points->rows = palloc(room * sizeof(Datum));
	points->n = 0;
}

static void
points_add(Points *points, const double *cells)
{
	bool nulls[ML_CURVE_COLUMNS] = {false};
	Datum values[ML_CURVE_COLUMNS];

	for (int c = 0; c < ML_CURVE_COLUMNS; c++)
		values[c] = Float8GetDatum(cells[c]);
	points->rows[points->n++] = HeapTupleGetDatum(heap_form_tuple(points->desc, values, nulls));
}

static Datum
points_end(const Points *points)
{
	return PointerGetDatum(construct_array(points->rows, points->n, points->desc->tdtypeid, -1,
										   false, TYPALIGN_DOUBLE));
}

/* The curve as an array; NULL where it is not defined, for instance with one class only. */
static Datum
curve_result(FunctionCallInfo fcinfo, MlCurveId id)
{
	const MlRanking *ranking = mlplat_metric_ranking(fcinfo);
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	const MlScores *negative, *positive;
	MlRankCurve curve;
	Points points;

	if (!ml_ranking_classes(ranking, &negative, &positive) || negative->n == 0 || positive->n == 0)
		PG_RETURN_NULL();
	mlplat_check(env,
				 ml_rank_curve(env, negative, positive,
							   ranking->max_points ? ranking->max_points : DEFAULT_POINTS, &curve));
	points_begin(fcinfo, &points, curve.n + 1);
	for (size_t i = 0; i <= curve.n; i++)
	{
		double cells[ML_CURVE_COLUMNS];

		for (int c = 0; c < ML_CURVE_COLUMNS; c++)
			cells[c] = ml_rank_curve_cell(&curve, &ml_curve_kinds[id], i, c);
		points_add(&points, cells);
	}
	ml_rank_curve_free(env, &curve);
	return points_end(&points);
}

Datum
mlplat_roc_curve_finalfn(PG_FUNCTION_ARGS)
{
	return curve_result(fcinfo, ML_ROC);
}

Datum
mlplat_pr_curve_finalfn(PG_FUNCTION_ARGS)
{
	return curve_result(fcinfo, ML_PR);
}

Datum
mlplat_ks_curve_finalfn(PG_FUNCTION_ARGS)
{
	return curve_result(fcinfo, ML_KS);
}

Datum
mlplat_lift_curve_finalfn(PG_FUNCTION_ARGS)
{
	return curve_result(fcinfo, ML_LIFT);
}

Datum
mlplat_calibration_curve_finalfn(PG_FUNCTION_ARGS)
{
	const MlRanking *ranking = mlplat_metric_ranking(fcinfo);
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	const MlScores *negative, *positive;
	MlCalibrationBins bins;
	Points points;

	if (!ml_ranking_classes(ranking, &negative, &positive))
		PG_RETURN_NULL();
	mlplat_check(env, ml_calibration_of(env, negative, positive, &bins));
	points_begin(fcinfo, &points, ML_CALIBRATION_BINS);
	for (int k = 0; k < ML_CALIBRATION_BINS; k++)
	{
		double cells[ML_CURVE_COLUMNS];

		if (bins.weight[k] == 0)
			continue;
		for (int c = 0; c < ML_CURVE_COLUMNS; c++)
			cells[c] = ml_calibration_cell(&bins, k, c);
		points_add(&points, cells);
	}
	return points_end(&points);
}

Datum
mlplat_psi_finalfn(PG_FUNCTION_ARGS)
{
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	const MlScores *reference, *values;
	double psi = NAN;

	if (ml_ranking_classes(mlplat_metric_ranking(fcinfo), &reference, &values))
		mlplat_check(env, ml_stability_index(env, reference, values, &psi));
	return mlplat_metric_result(fcinfo, psi);
}
