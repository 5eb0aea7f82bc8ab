/*
 * gbdt.c
 *		The algorithm's table: boosting as the rest of the platform sees it.
 *
 * The trees' sums are the value of a regression or its logarithm, the log-odds
 * of the positive class, or the logarithms of the classes' probabilities up to
 * a constant. Contributions add up to these sums.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "algo/tree/tree_nodes.h"
#include "core/stats.h"

#define MAX_LOG 700.0 /* of a predicted mean: it stays finite */

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

/* Add what the other ensembles say. */
static void
add_more(const GbdtModel *gbdt, const double *x, double *out)
{
	double sums[GBDT_MAX_OUTPUTS];

	for (uint32_t i = 0; i < gbdt->n_more; i++)
	{
		ml_trees_score(gbdt->more[i], x, sums);
		for (uint32_t k = 0; k < gbdt->trees->n_outputs; k++)
			out[k] += sums[k];
	}
}

static void
predict(const void *model, const double *x, double *out)
{
	const GbdtModel *gbdt = model;

	ml_trees_score(gbdt->trees, x, out);
	if (gbdt->n_more > 0)
		add_more(gbdt, x, out);
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

	memset(gain, 0, gbdt->trees->n_features * sizeof(*gain));
	ml_trees_importance(gbdt->trees, gain);
	for (uint32_t i = 0; i < gbdt->n_more; i++)
		ml_trees_importance(gbdt->more[i], gain);
}

/* The sum of the ensembles' contributions. */
static MlStatus
contributions(MlEnv *env, const void *model, const double *x, uint32_t k, double *out, double *base)
{
	const GbdtModel *gbdt = model;

	*base = 0;
	memset(out, 0, gbdt->trees->n_features * sizeof(*out));
	ML_TRY(ml_trees_contributions(env, gbdt->trees, x, k, out, base));
	for (uint32_t i = 0; i < gbdt->n_more; i++)
		ML_TRY(ml_trees_contributions(env, gbdt->more[i], x, k, out, base));
	return ML_OK;
}

/* Passes nodes on with the number that their tree has among all. */
typedef struct Numbering
{
	MlNodeFn emit;
	void *arg;
	uint32_t first_tree;
} Numbering;

static MlStatus
emit_numbered(void *arg, const MlNode *node)
{
	const Numbering *numbering = arg;
	MlNode row = *node;

	row.tree += numbering->first_tree;
	return numbering->emit(numbering->arg, &row);
}

static MlStatus
nodes(MlEnv *env, const void *model, const MlSchema *schema, MlNodeFn emit, void *arg)
{
	const GbdtModel *gbdt = model;
	Numbering numbering = {emit, arg, gbdt->trees->n_trees};

	(void) schema;
	ML_TRY(ml_trees_nodes(env, gbdt->trees, emit, arg));
	for (uint32_t i = 0; i < gbdt->n_more; i++)
	{
		ML_TRY(ml_trees_nodes(env, gbdt->more[i], emit_numbered, &numbering));
		numbering.first_tree += gbdt->more[i]->n_trees;
	}
	return ML_OK;
}

static void
formula(const void *model, uint32_t k, MlFormula *out)
{
	const GbdtModel *gbdt = model;

	*out = (MlFormula){.link = ML_LINK_IDENTITY, .base = gbdt->trees->base[k], .scale = 1};
	for (uint32_t i = 0; i < gbdt->n_more; i++)
		out->base += gbdt->more[i]->base[k];
	if (gbdt->loss == GBDT_SOFTMAX)
		out->link = ML_LINK_SOFTMAX;
	else if (gbdt->loss == GBDT_LOGISTIC)
		out->link = ML_LINK_SIGMOID;
	else if (ml_gbdt_log_link(gbdt->loss))
		out->link = ML_LINK_EXP;
}

const MlAlgo ml_algo_gbdt = {
	.name = "gbdt",
	.summary = "Gradient boosted decision trees, histogram-based, grown leaf by leaf",
	.tasks = ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION),
	.params = ml_gbdt_params,
	.continues = true,
	.fit = ml_gbdt_fit,
	.save = ml_gbdt_save,
	.load = ml_gbdt_load,
	.predict = predict,
	.importance = importance,
	.nodes = nodes,
	.contributions = contributions,
	.formula = formula,
};
