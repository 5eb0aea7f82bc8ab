/*
 * metrics_common.h
 *		What the metric aggregates share.
 *
 * Every transition function takes the state, the row, and a weight as last argument or none; a row
 * with any NULL is skipped. The states keep no environment: that of the call is lent to them.
 */
#ifndef MLPLAT_METRICS_COMMON_H
#define MLPLAT_METRICS_COMMON_H

#include "metric/label.h"
#include "metric/ranking.h"
#include "pg/bridge.h"
#include "pg/state.h"

extern void mlplat_metrics_register(void); /* from _PG_init */
extern void mlplat_class_metrics_register(void);
extern void mlplat_rank_metrics_register(void);
extern void mlplat_regression_metrics_register(void);
extern void mlplat_cluster_metrics_register(void);

/* The environment of one call, with memory from context. Valid until the next use. */
extern MlEnv *mlplat_metric_env(MemoryContext context);

/* Is any argument of the row NULL? */
extern bool mlplat_metric_skips(FunctionCallInfo fcinfo);

/* The state to add to, made with zeroed data of this size at the first row. */
extern MlState *mlplat_metric_state(FunctionCallInfo fcinfo, const MlStateKind *kind, Size size);

/* Argument number arg as a weight, 1 when there is no such argument; checked. */
extern double mlplat_metric_weight(FunctionCallInfo fcinfo, int arg);

/* Throws unless value is finite; what: "score", "actual value". */
extern void mlplat_metric_check_finite(double value, const char *what);

/* Argument number arg as a label of this type, not TEXT. */
extern uint64 mlplat_metric_label(FunctionCallInfo fcinfo, int arg, MlLabelType type);

/* The scores behind the first argument of a final function. */
extern const MlRanking *mlplat_metric_ranking(FunctionCallInfo fcinfo);

/* A metric as the result of a final function: NaN becomes NULL, infinity is an overflow. */
extern Datum mlplat_metric_result(FunctionCallInfo fcinfo, double value);

#endif
