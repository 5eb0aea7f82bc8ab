/*
 * metrics.c
 *		Every scalar metric of one set of predictions, as JSON.
 */
#include "metric/metric.h"

#include <math.h>
#include <string.h>

#include "metric/class_metrics.h"
#include "metric/prob_loss.h"
#include "metric/ranking.h"
#include "metric/regression_sums.h"
#include "metric/scored.h"

#define BINARY 1
#define SEVERAL 2
#define REGRESSION 4

#define POLL_EVERY (1 << 16)

typedef struct MetricFact
{
	const char *name;
	int tasks;
	bool greater_is_better;
} MetricFact;

static const MetricFact facts[] = {
	{"silhouette", 0, true}, /* without a target the algorithms measure themselves */
	{"explained_variance_ratio", 0, true},
	{"accuracy", BINARY | SEVERAL, true},
	{"balanced_accuracy", BINARY | SEVERAL, true},
	{"precision", BINARY, true},
	{"recall", BINARY, true},
	{"f1", BINARY, true},
	{"precision_macro", SEVERAL, true},
	{"recall_macro", SEVERAL, true},
	{"f1_macro", SEVERAL, true},
	{"f1_weighted", SEVERAL, true},
	{"mcc", BINARY | SEVERAL, true},
	{"roc_auc", BINARY, true},
	{"pr_auc", BINARY, true},
	{"ks", BINARY, true},
	{"gini", BINARY, true},
	{"log_loss", BINARY | SEVERAL, false},
	{"brier", BINARY, false},
	{"mse", REGRESSION, false},
	{"rmse", REGRESSION, false},
	{"mae", REGRESSION, false},
	{"mape", REGRESSION, false},
	{"r2", REGRESSION, true},
	{"explained_variance", REGRESSION, true},
};

static const MetricFact *
find_fact(const char *name)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strcmp(facts[i].name, name) == 0)
			return &facts[i];
	return NULL;
}

bool
ml_metric_known(const char *name, bool classification, uint32_t n_classes)
{
	const MetricFact *fact = find_fact(name);

	return fact && (fact->tasks & (!classification ? REGRESSION
								   : n_classes > 2 ? SEVERAL
												   : BINARY));
}

bool
ml_metric_greater_is_better(const char *name)
{
	const MetricFact *fact = find_fact(name);

	return fact && fact->greater_is_better;
}

/* ---- checked access to rows, shared with the curves */

MlStatus
ml_scored_class(MlEnv *env, const MlScored *scored, size_t i, uint32_t *actual, uint32_t *predicted)
{
	size_t n = scored->n_classes > 2 ? scored->n_classes : 1;
	const double *p = scored->predicted + i * n;
	double value = scored->actual[i];

	*actual = *predicted = 0;
	if (!(value >= 0 && value < scored->n_classes) || value != floor(value))
		return ml_fail(env, ML_EDATA, "class %g of row %zu is not one of %u", value, i,
					   scored->n_classes);
	for (size_t k = 0; k < n; k++)
		if (!(p[k] >= 0 && p[k] <= 1))
			return ml_fail(env, ML_EDATA, "predicted probability %g of row %zu is not in [0, 1]",
						   p[k], i);
	*actual = (uint32_t) value;
	*predicted = n == 1 ? p[0] > (scored->threshold > 0 ? scored->threshold : 0.5) : 0;
	for (uint32_t k = 1; k < n; k++)
		if (p[k] > p[*predicted])
			*predicted = k;
	return ML_OK;
}

MlStatus
ml_scored_split(MlEnv *env, const MlScored *scored, MlScores scores[2])
{
	for (size_t i = 0; i < scored->n; i++)
	{
		uint32_t actual, predicted;

		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		ML_TRY(ml_scored_class(env, scored, i, &actual, &predicted));
		ML_TRY(
			ml_scores_add(env, &scores[actual], scored->predicted[i], ml_scored_weight(scored, i)));
	}
	return ML_OK;
}

/* ---- classification */

static MlStatus
count_classes(MlEnv *env, const MlScored *scored, MlClassTotals *totals, double *log_loss)
{
	double sum = 0;

	for (size_t i = 0; i < scored->n; i++)
	{
		double weight = ml_scored_weight(scored, i), p;
		uint32_t actual, predicted;

		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		ML_TRY(ml_scored_class(env, scored, i, &actual, &predicted));
		totals->actual[actual] += weight;
		totals->predicted[predicted] += weight;
		totals->total += weight;
		if (actual == predicted)
			totals->hits[actual] += weight;
		if (scored->n_classes > 2)
			p = scored->predicted[i * scored->n_classes + actual];
		else
			p = actual ? scored->predicted[i] : 1 - scored->predicted[i];
		sum += weight * ml_log_loss_of(p);
	}
	*log_loss = totals->total > 0 ? sum / totals->total : NAN;
	return ML_OK;
}

static double
brier_score(const MlScored *scored)
{
	double sum = 0, sum_weight = 0;

	for (size_t i = 0; i < scored->n; i++)
	{
		double weight = ml_scored_weight(scored, i), e = scored->predicted[i] - scored->actual[i];

		sum += weight * e * e;
		sum_weight += weight;
	}
	return sum_weight > 0 ? sum / sum_weight : NAN;
}

static void
write_class_metrics(const MlClassTotals *totals, MlJsonWriter *w)
{
	ml_json_number(w, "accuracy", ml_class_accuracy(totals));
	ml_json_number(w, "balanced_accuracy", ml_class_balanced_accuracy(totals));
	if (totals->n == 2)
	{
		ml_json_number(w, "precision", ml_class_rate(totals, ML_PRECISION, 1));
		ml_json_number(w, "recall", ml_class_rate(totals, ML_RECALL, 1));
		ml_json_number(w, "f1", ml_class_rate(totals, ML_F1, 1));
	}
	else
	{
		const MlAverage macro = ML_AVERAGE_MACRO;

		ml_json_number(w, "precision_macro", ml_class_rate_average(totals, ML_PRECISION, macro));
		ml_json_number(w, "recall_macro", ml_class_rate_average(totals, ML_RECALL, macro));
		ml_json_number(w, "f1_macro", ml_class_rate_average(totals, ML_F1, macro));
		ml_json_number(w, "f1_weighted", ml_class_rate_average(totals, ML_F1, ML_AVERAGE_WEIGHTED));
	}
	ml_json_number(w, "mcc", ml_class_mcc(totals));
}

static MlStatus
write_rank_metrics(MlEnv *env, const MlScored *scored, MlJsonWriter *w)
{
	MlScores scores[2] = {{0}, {0}};
	MlRankMetrics metrics;
	MlStatus status = ml_scored_split(env, scored, scores);

	if (status == ML_OK)
		status = ml_rank_metrics(env, &scores[0], &scores[1], &metrics);
	ml_scores_free(env, &scores[0]);
	ml_scores_free(env, &scores[1]);
	ML_TRY(status);
	ml_json_number(w, "roc_auc", metrics.roc_auc);
	ml_json_number(w, "pr_auc", metrics.average_precision);
	ml_json_number(w, "ks", metrics.ks);
	ml_json_number(w, "gini", 2 * metrics.roc_auc - 1);
	return ML_OK;
}

/* Metrics that come from one way through the rows. */
enum
{
	COUNTS = 1,
	RANKS = 2,
	BRIER = 4,
	ALL = COUNTS | RANKS | BRIER
};

static MlStatus
write_counts(MlEnv *env, const MlScored *scored, MlJsonWriter *w, double *log_loss)
{
	MlClassTotals totals;
	MlStatus status;

	ML_TRY(ml_class_totals_init(env, &totals, scored->n_classes));
	status = count_classes(env, scored, &totals, log_loss);
	if (status == ML_OK)
		write_class_metrics(&totals, w);
	ml_class_totals_free(env, &totals);
	return status;
}

/* The metrics of some ways. */
static MlStatus
classification(MlEnv *env, const MlScored *scored, int ways, MlJsonWriter *w)
{
	bool binary = scored->n_classes == 2;
	double log_loss;

	if (ways & COUNTS)
		ML_TRY(write_counts(env, scored, w, &log_loss));
	if (binary && (ways & RANKS))
		ML_TRY(write_rank_metrics(env, scored, w));
	if (ways & COUNTS)
		ml_json_number(w, "log_loss", log_loss);
	if (binary && (ways & BRIER))
		ml_json_number(w, "brier", brier_score(scored));
	return ML_OK;
}

/* ---- regression */

static MlStatus
regression(MlEnv *env, const MlScored *scored, MlJsonWriter *w)
{
	MlRegressionSums sums = {0};

	for (size_t i = 0; i < scored->n; i++)
	{
		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		if (!isfinite(scored->actual[i]) || !isfinite(scored->predicted[i]))
			return ml_fail(env, ML_EDATA, "row %zu is not finite: actual %g, predicted %g", i,
						   scored->actual[i], scored->predicted[i]);
		ml_regression_add(&sums, scored->actual[i], scored->predicted[i],
						  ml_scored_weight(scored, i));
	}
	ml_json_number(w, "mse", ml_regression_mse(&sums));
	ml_json_number(w, "rmse", ml_regression_rmse(&sums));
	ml_json_number(w, "mae", ml_regression_mae(&sums));
	ml_json_number(w, "mape", ml_regression_mape(&sums));
	ml_json_number(w, "r2", ml_regression_r2(&sums));
	ml_json_number(w, "explained_variance", ml_regression_explained_variance(&sums));
	return ML_OK;
}

MlStatus
ml_metrics_all(MlEnv *env, const MlScored *scored, MlJsonWriter *w)
{
	MlStatus status =
		scored->classification ? classification(env, scored, ALL, w) : regression(env, scored, w);

	return status == ML_OK ? w->out->status : status;
}

/* The way that a metric comes from. */
static int
way_of(const char *name)
{
	static const char *const ranks[] = {"roc_auc", "pr_auc", "ks", "gini"};

	for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
		if (strcmp(name, ranks[i]) == 0)
			return RANKS;
	return strcmp(name, "brier") == 0 ? BRIER : COUNTS;
}

MlStatus
ml_metric_one(MlEnv *env, const MlScored *scored, const char *name, double *value)
{
	MlArena arena;
	MlBuffer out;
	MlJsonWriter w;
	MlJson *json = NULL;
	const MlJson *found;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&out, env);
	ml_json_writer(&w, &out);
	ml_json_open(&w, NULL, '{');
	status = scored->classification ? classification(env, scored, way_of(name), &w)
									: regression(env, scored, &w);
	ml_json_close(&w, '}');
	if (status == ML_OK)
		status = out.status;
	if (status == ML_OK)
		status = ml_json_parse(&arena, (const char *) out.data, out.len, &json);
	found = json ? ml_json_get(json, name) : NULL;
	*value = found && found->type == ML_JSON_NUMBER ? found->number : NAN;
	ml_buffer_free(&out);
	ml_arena_free(&arena);
	return status;
}
