/*
 * threshold.c
 *		From which probability on a row of two classes is called positive.
 *
 * One walk over the distinct probabilities from the highest down passes every
 * way of cutting them in two; the metric of each comes from four sums.
 */
#include <math.h>
#include <string.h>

#include "metric/ranking.h"
#include "model/threshold.h"

#define POLL_EVERY (1 << 14)

/* The names of the option, by kind; that of a fixed one cannot be written. "ks" is another name of Youden's. */
static const char *const names[ML_N_THRESHOLDS] = {
	"fixed", "accuracy", "balanced_accuracy", "f1", "mcc", "youden", "cost"};

const char *
ml_threshold_name(MlThresholdKind kind)
{
	return names[kind];
}

/* ---- the option ---- */

static MlStatus
not_understood(MlEnv *env)
{
	ml_fail(env, ML_EINVAL, "option \"threshold\" is not understood");
	ml_hint(env, "Write a number between 0 and 1, or one of \"f1\", \"balanced_accuracy\", "
				 "\"accuracy\", \"mcc\", \"youden\", or the costs of errors: "
				 "{\"fp\": 1, \"fn\": 5}.");
	return ML_EINVAL;
}

/* {"fp": 1, "fn": 5}: both there, not negative, one of them more than nothing. */
static MlStatus
parse_costs(MlEnv *env, const MlJson *option, MlThresholdRule *rule)
{
	const MlJson *fp = ml_json_get(option, "fp"), *fn = ml_json_get(option, "fn");

	if (option->n != 2 || !fp || !fn || fp->type != ML_JSON_NUMBER || fn->type != ML_JSON_NUMBER)
		return not_understood(env);
	rule->kind = ML_THRESHOLD_COST;
	rule->fp = fp->number;
	rule->fn = fn->number;
	if (!(rule->fp >= 0 && rule->fn >= 0 && rule->fp + rule->fn > 0 &&
		  isfinite(rule->fp + rule->fn)))
		return ml_fail(env, ML_EINVAL,
					   "the costs of option \"threshold\" must not be negative, nor both 0");
	return ML_OK;
}

MlStatus
ml_threshold_parse(MlEnv *env, const MlJson *option, MlThresholdRule *rule)
{
	*rule = (MlThresholdRule){.kind = ML_THRESHOLD_FIXED, .value = 0.5};
	if (!option || option->type == ML_JSON_NULL)
		return ML_OK;
	if (option->type == ML_JSON_OBJECT)
		return parse_costs(env, option, rule);
	if (option->type == ML_JSON_NUMBER)
	{
		if (!(option->number > 0 && option->number < 1))
			return ml_fail(env, ML_EINVAL,
						   "option \"threshold\" must be between 0 and 1, not %.17g",
						   option->number);
		rule->value = option->number;
		return ML_OK;
	}
	if (option->type != ML_JSON_STRING)
		return not_understood(env);
	for (int kind = ML_THRESHOLD_ACCURACY; kind < ML_THRESHOLD_COST; kind++)
	{
		if (strcmp(option->string, names[kind]) == 0)
			rule->kind = (MlThresholdKind) kind;
	}
	if (strcmp(option->string, "ks") == 0)
		rule->kind = ML_THRESHOLD_YOUDEN;
	return rule->kind == ML_THRESHOLD_FIXED ? not_understood(env) : ML_OK;
}

/* ---- choosing ---- */

static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* What the rule makes of a cut, greater is better; p, n: weights of the classes. */
static double
judge(const MlThresholdRule *rule, double tp, double fp, double p, double n)
{
	double fn = p - tp, tn = n - fp, scale;

	switch (rule->kind)
	{
		case ML_THRESHOLD_ACCURACY:
			return ratio(tp + tn, p + n);
		case ML_THRESHOLD_BALANCED_ACCURACY:
			return (ratio(tp, p) + ratio(tn, n)) / 2;
		case ML_THRESHOLD_F1:
			return ratio(2 * tp, 2 * tp + fp + fn);
		case ML_THRESHOLD_MCC:
			scale = sqrt(tp + fp) * sqrt(p) * sqrt(n) * sqrt(tn + fn);
			return scale > 0 ? (tp * tn - fp * fn) / scale : 0;
		case ML_THRESHOLD_YOUDEN:
			return ratio(tp, p) - ratio(fp, n);
		case ML_THRESHOLD_COST:
			return -ratio(rule->fp * fp + rule->fn * fn, p + n);
		case ML_THRESHOLD_FIXED:
			break;
	}
	return 0;
}

/* Half-way between two probabilities: above the lower, not above the higher. */
static double
between(double low, double high)
{
	double middle = low + (high - low) / 2;

	return middle < high ? middle : low;
}

typedef struct Best
{
	double threshold, score;
	bool any;
} Best;

/* Take the cut if it is better, or as good and nearer to the middle. */
static void
consider(Best *best, double threshold, double score)
{
	if (!(threshold > 0))
		return; /* all are positive, which only probabilities above 0 can be */
	if (best->any &&
		(score < best->score ||
		 (score == best->score && fabs(threshold - 0.5) >= fabs(best->threshold - 0.5))))
		return;
	*best = (Best){threshold, score, true};
}

/* All cuts, from that with no positive row down to that with none but positive ones. */
static MlStatus
try_cuts(MlEnv *env, const MlThresholdRule *rule, MlRankWalk *walk, Best *best)
{
	double n = walk->total[0], p = walk->total[1];
	double tp = 0, fp = 0, above = NAN;

	for (size_t i = 0; ml_rank_walk_next(walk); i++)
	{
		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		consider(best, isnan(above) ? walk->score : between(walk->score, above),
				 judge(rule, tp, fp, p, n));
		tp = walk->tp;
		fp = walk->fp;
		above = walk->score;
	}
	consider(best, above / 2, judge(rule, tp, fp, p, n));
	return ML_OK;
}

MlStatus
ml_threshold_choose(MlEnv *env, const MlThresholdRule *rule, size_t n, const double *probs,
					const double *actual, const double *weight, double *threshold, double *score)
{
	MlScores of[2] = {{0}, {0}};
	MlRankWalk walk = {0};
	Best best = {.threshold = 0.5, .score = NAN};
	MlStatus status = ML_OK;

	for (size_t i = 0; i < n && status == ML_OK; i++)
	{
		if (i % POLL_EVERY == 0)
			status = ml_poll(env);
		if (status == ML_OK)
			status = ml_scores_add(env, &of[actual[i] == 1], probs[i], weight ? weight[i] : 1);
	}
	if (status == ML_OK)
		status = ml_rank_walk_begin(env, &walk, &of[0], &of[1]);
	if (status == ML_OK)
		status = try_cuts(env, rule, &walk, &best);
	ml_rank_walk_end(env, &walk);
	ml_scores_free(env, &of[0]);
	ml_scores_free(env, &of[1]);
	*threshold = best.threshold;
	*score = rule->kind == ML_THRESHOLD_COST ? -best.score : best.score;
	return status;
}
