/*
 * metrics_rank.c
 *		Aggregates over (label, score): roc_auc, pr_auc, ks, gini (and the curves of metrics_curve.c) keep
 *		the scores; log_loss and brier keep sums.
 *
 * Faces: label boolean, bigint, double precision (two labels, the greater one is positive), or text
 * with the positive label as third argument: then a row is positive when the two texts are the same.
 * All aggregates of one kind share their transition functions, so that several of them over the same
 * arguments keep one state.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "analyze/metrics_common.h"
#include "metric/prob_loss.h"
#include "metric/rank_curve.h"

PG_FUNCTION_INFO_V1(mlplat_ranking_bool_transfn);
PG_FUNCTION_INFO_V1(mlplat_ranking_int_transfn);
PG_FUNCTION_INFO_V1(mlplat_ranking_real_transfn);
PG_FUNCTION_INFO_V1(mlplat_ranking_text_transfn);
PG_FUNCTION_INFO_V1(mlplat_prob_loss_bool_transfn);
PG_FUNCTION_INFO_V1(mlplat_prob_loss_int_transfn);
PG_FUNCTION_INFO_V1(mlplat_prob_loss_real_transfn);
PG_FUNCTION_INFO_V1(mlplat_prob_loss_text_transfn);
PG_FUNCTION_INFO_V1(mlplat_roc_auc_finalfn);
PG_FUNCTION_INFO_V1(mlplat_pr_auc_finalfn);
PG_FUNCTION_INFO_V1(mlplat_ks_finalfn);
PG_FUNCTION_INFO_V1(mlplat_gini_finalfn);
PG_FUNCTION_INFO_V1(mlplat_log_loss_finalfn);
PG_FUNCTION_INFO_V1(mlplat_brier_finalfn);

/* Points that a curve may have; a tuple each. */
#define MAX_POINTS 100000

/* ---- the two kinds of states */

static void
ranking_merge(void *data, const void *other, MemoryContext context)
{
	MlEnv *env = mlplat_metric_env(context);

	mlplat_check(env, ml_ranking_merge(env, data, other));
}

static void
ranking_save(const void *data, MlBuffer *out)
{
	ml_ranking_save(data, out);
}

static size_t
ranking_size(const void *data)
{
	return ml_ranking_size(data);
}

static void *
ranking_load(MlReader *in, MemoryContext context)
{
	MlRanking *ranking = MemoryContextAllocZero(context, sizeof(MlRanking));

	return mlplat_state_loaded(in, ml_ranking_load(in, ranking), ranking);
}

static void
prob_loss_merge(void *data, const void *other, MemoryContext context)
{
	MlEnv *env = mlplat_metric_env(context);

	mlplat_check(env, ml_prob_loss_merge(env, data, other));
}

static void
prob_loss_save(const void *data, MlBuffer *out)
{
	ml_prob_loss_save(data, out);
}

static void *
prob_loss_load(MlReader *in, MemoryContext context)
{
	MlProbLoss *loss = MemoryContextAllocZero(context, sizeof(MlProbLoss));

	return mlplat_state_loaded(in, ml_prob_loss_load(in, loss), loss);
}

static const MlStateKind ranking_kind = {
	.code = MLPLAT_STATE_RANKING,
	.name = "ranking metrics",
	.merge = ranking_merge,
	.save = ranking_save,
	.load = ranking_load,
	.size = ranking_size,
};

static const MlStateKind prob_loss_kind = {
	.code = MLPLAT_STATE_PROB_LOSS,
	.name = "probability metrics",
	.merge = prob_loss_merge,
	.save = prob_loss_save,
	.load = prob_loss_load,
};

void
mlplat_rank_metrics_register(void)
{
	mlplat_state_register(&ranking_kind);
	mlplat_state_register(&prob_loss_kind);
}

/* ---- transition functions */

/* Is argument 1 the same text as argument 3? */
static uint64
text_label(FunctionCallInfo fcinfo)
{
	text *label = PG_GETARG_TEXT_PP(1), *positive = PG_GETARG_TEXT_PP(3);
	Size len = VARSIZE_ANY_EXHDR(label);

	return len == VARSIZE_ANY_EXHDR(positive) &&
		   memcmp(VARDATA_ANY(label), VARDATA_ANY(positive), len) == 0;
}

/* The label of the row; type TEXT becomes BOOL. The weight comes after the last other argument. */
static uint64
row_label(FunctionCallInfo fcinfo, MlLabelType *type, double *weight)
{
	if (*type != ML_LABEL_TEXT)
	{
		*weight = mlplat_metric_weight(fcinfo, 3);
		return mlplat_metric_label(fcinfo, 1, *type);
	}
	*weight = mlplat_metric_weight(fcinfo, 4);
	*type = ML_LABEL_BOOL;
	return text_label(fcinfo);
}

/* The argument after the weight: how many points a curve may have; 0: there is none. */
static uint32
curve_points(FunctionCallInfo fcinfo, MlLabelType type)
{
	int arg = type == ML_LABEL_TEXT ? 5 : 4;
	int32 points;

	if (arg >= PG_NARGS())
		return 0;
	points = PG_GETARG_INT32(arg);
	if (points < ML_MIN_CURVE_POINTS || points > MAX_POINTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_points must be between %d and %d, not %d", ML_MIN_CURVE_POINTS,
							   MAX_POINTS, points)));
	return (uint32) points;
}

static Datum
ranking_transfn(FunctionCallInfo fcinfo, MlLabelType type)
{
	MlState *state;
	MlRanking *ranking;
	MlEnv *env;
	uint64 label;
	double score, weight;
	uint32 points;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	points = curve_points(fcinfo, type);
	label = row_label(fcinfo, &type, &weight);
	score = PG_GETARG_FLOAT8(2);
	mlplat_metric_check_finite(score, "score");
	state = mlplat_metric_state(fcinfo, &ranking_kind, sizeof(MlRanking));
	ranking = state->data;
	ranking->max_points = points;
	env = mlplat_metric_env(mlplat_state_context(state));
	mlplat_check(env, ml_ranking_add(env, ranking, type, label, score, weight));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

static Datum
prob_loss_transfn(FunctionCallInfo fcinfo, MlLabelType type)
{
	MlState *state;
	MlEnv *env;
	uint64 label;
	double p, weight;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	label = row_label(fcinfo, &type, &weight);
	p = PG_GETARG_FLOAT8(2);
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probability must be between 0 and 1, not %s", float8out_internal(p))));
	state = mlplat_metric_state(fcinfo, &prob_loss_kind, sizeof(MlProbLoss));
	env = mlplat_metric_env(mlplat_state_context(state));
	mlplat_check(env, ml_prob_loss_add(env, state->data, type, label, p, weight));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

Datum
mlplat_ranking_bool_transfn(PG_FUNCTION_ARGS)
{
	return ranking_transfn(fcinfo, ML_LABEL_BOOL);
}

Datum
mlplat_ranking_int_transfn(PG_FUNCTION_ARGS)
{
	return ranking_transfn(fcinfo, ML_LABEL_INT);
}

Datum
mlplat_ranking_real_transfn(PG_FUNCTION_ARGS)
{
	return ranking_transfn(fcinfo, ML_LABEL_REAL);
}

Datum
mlplat_ranking_text_transfn(PG_FUNCTION_ARGS)
{
	return ranking_transfn(fcinfo, ML_LABEL_TEXT);
}

Datum
mlplat_prob_loss_bool_transfn(PG_FUNCTION_ARGS)
{
	return prob_loss_transfn(fcinfo, ML_LABEL_BOOL);
}

Datum
mlplat_prob_loss_int_transfn(PG_FUNCTION_ARGS)
{
	return prob_loss_transfn(fcinfo, ML_LABEL_INT);
}

Datum
mlplat_prob_loss_real_transfn(PG_FUNCTION_ARGS)
{
	return prob_loss_transfn(fcinfo, ML_LABEL_REAL);
}

Datum
mlplat_prob_loss_text_transfn(PG_FUNCTION_ARGS)
{
	return prob_loss_transfn(fcinfo, ML_LABEL_TEXT);
}

/* ---- final functions */

const MlRanking *
mlplat_metric_ranking(FunctionCallInfo fcinfo)
{
	return mlplat_state_get_ro(PG_GETARG_DATUM(0), &ranking_kind)->data;
}

static MlRankMetrics
rank_metrics(FunctionCallInfo fcinfo)
{
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	MlRankMetrics metrics;

	mlplat_check(env, ml_ranking_metrics(env, mlplat_metric_ranking(fcinfo), &metrics));
	return metrics;
}

Datum
mlplat_roc_auc_finalfn(PG_FUNCTION_ARGS)
{
	return mlplat_metric_result(fcinfo, rank_metrics(fcinfo).roc_auc);
}

Datum
mlplat_pr_auc_finalfn(PG_FUNCTION_ARGS)
{
	return mlplat_metric_result(fcinfo, rank_metrics(fcinfo).average_precision);
}

Datum
mlplat_ks_finalfn(PG_FUNCTION_ARGS)
{
	return mlplat_metric_result(fcinfo, rank_metrics(fcinfo).ks);
}

Datum
mlplat_gini_finalfn(PG_FUNCTION_ARGS)
{
	return mlplat_metric_result(fcinfo, 2 * rank_metrics(fcinfo).roc_auc - 1);
}

Datum
mlplat_log_loss_finalfn(PG_FUNCTION_ARGS)
{
	const MlState *state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &prob_loss_kind);

	return mlplat_metric_result(fcinfo, ml_prob_log_loss(state->data));
}

Datum
mlplat_brier_finalfn(PG_FUNCTION_ARGS)
{
	const MlState *state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &prob_loss_kind);

	return mlplat_metric_result(fcinfo, ml_prob_brier(state->data));
}
