/*
 * gbdt.c
 *		The algorithm's table: boosting as the rest of the platform sees it.
 *
 * The trees' sums are the value of a regression or its logarithm, the log-odds
 * of the positive class, or the logarithms of the classes' probabilities up to
 * a constant. Contributions add up to these sums.
 */
#include <math.h>

#include "algo/gbdt/gbdt.h"
#include "algo/tree/tree_nodes.h"
#include "core/stats.h"

#define MAX_LOG 700.0 /* of a predicted mean: it stays finite */

static void
save(const void *model, MlBuffer *out)
{
	const GbdtModel *gbdt = model;

	ml_put_u8(out, (uint8_t) gbdt->loss);
	ml_trees_save(gbdt->trees, out);
}

static MlStatus
load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	GbdtModel *gbdt = ml_arena_alloc(arena, sizeof(*gbdt));
	uint8_t loss = ml_get_u8(in);

	if (!gbdt)
		return ML_ENOMEM;
	if (in->failed || loss >= GBDT_LOSSES || (n_outputs > 1) != (loss == GBDT_SOFTMAX))
		return ml_corrupt(in->env, "loss of the boosted trees");
	gbdt->loss = (GbdtLoss) loss;
	ML_TRY(ml_trees_load(in, arena, schema, n_outputs, &gbdt->trees));
	ML_TRY(ml_trees_prepare(arena, gbdt->trees));
	*model = gbdt;
	return ML_OK;
}

/* Scores of classes to probabilities. */
static void
softmax(double *scores, uint32_t n)
{
	double top = scores[0], sum = 0;

	for (uint32_t k = 1; k < n; k++)
		top = ML_MAX(top, scores[k]);
	for (uint32_t k = 0; k < n; k++)
	{
		scores[k] = exp(scores[k] - top);
		sum += scores[k];
	}
	for (uint32_t k = 0; k < n; k++)
		scores[k] /= sum;
}

static void
predict(const void *model, const double *x, double *out)
{
	const GbdtModel *gbdt = model;

	ml_trees_score(gbdt->trees, x, out);
	if (gbdt->loss == GBDT_SOFTMAX)
		softmax(out, gbdt->trees->n_outputs);
	else if (gbdt->loss == GBDT_LOGISTIC)
		out[0] = ml_sigmoid(out[0]);
	else if (ml_gbdt_log_link(gbdt->loss))
		out[0] = exp(ML_MIN(out[0], MAX_LOG));
}

static void
importance(const void *model, double *gain)
{
	const GbdtModel *gbdt = model;

	ml_trees_importance(gbdt->trees, gain);
}

static MlStatus
contributions(MlEnv *env, const void *model, const double *x, uint32_t k, double *out, double *base)
{
	const GbdtModel *gbdt = model;

	return ml_trees_contributions(env, gbdt->trees, x, k, out, base);
}

static MlStatus
nodes(MlEnv *env, const void *model, const MlSchema *schema, MlNodeFn emit, void *arg)
{
	const GbdtModel *gbdt = model;

	(void) schema;
	return ml_trees_nodes(env, gbdt->trees, emit, arg);
}

const MlAlgo ml_algo_gbdt = {
	.name = "gbdt",
	.summary = "Gradient boosted decision trees, histogram-based, grown leaf by leaf",
	.tasks = ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION),
	.params = ml_gbdt_params,
	.continues = true,
	.fit = ml_gbdt_fit,
	.save = save,
	.load = load,
	.predict = predict,
	.importance = importance,
	.nodes = nodes,
	.contributions = contributions,
};
