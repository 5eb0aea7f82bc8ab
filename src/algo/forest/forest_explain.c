/*
 * forest_explain.c
 *		What a forest says about itself: contributions, importance, its nodes.
 *
 * Contributions are those of tree_shap.c, tree by tree: a tree is put into the
 * form that it reads, with one class's shares as the values of the leaves. They
 * add up to the prediction itself, a probability for classes.
 *
 * The rows of a node are those of its leaves, which are numbered from left to
 * right, so that they are a run of them.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

void
ml_forest_importance(const void *fitted, double *gain)
{
	const ForestModel *model = fitted;

	memcpy(gain, model->importance, model->n_features * sizeof(*gain));
}

/* ---- contributions */

/* The value of a leaf for output k. */
static double
leaf_value(const ForestModel *model, const ForestTree *tree, uint32_t leaf, uint32_t k)
{
	if (model->n_classes <= 2)
		return tree->values[leaf];
	for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
	{
		if (tree->shares[s].class_of == k)
			return (double) tree->shares[s].share;
	}
	return 0;
}

/* Training rows in a leaf. */
static double
leaf_rows(const ForestModel *model, const ForestTree *tree, uint32_t leaf)
{
	double rows = 0;

	if (model->n_classes == 0)
		return tree->rows[leaf];
	for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
		rows += tree->share_rows[s];
	return rows;
}

/* Room for a tree in the form of MlTree. */
typedef struct Plain
{
	MlTree tree;
	uint32_t *number; /* by node: of inner ones */
	double centre;    /* what has been taken off its values */
} Plain;

/* The tree for output k; leaves are given as differences, which keeps their digits. */
static void
make_plain(const ForestModel *model, const ForestTree *from, uint32_t k, Plain *to)
{
	uint32_t n_inner = 0;

	to->tree.n_leaves = from->n_leaves;
	to->centre = leaf_value(model, from, 0, k);
	for (uint32_t i = 0; i + 1 < 2 * from->n_leaves; i++)
		to->number[i] = ml_forest_is_leaf(&from->nodes[i]) ? 0 : n_inner++;
	for (uint32_t i = 0; i + 1 < 2 * from->n_leaves; i++)
	{
		const ForestNode *node = &from->nodes[i];
		int32_t child[2];

		if (ml_forest_is_leaf(node))
		{
			uint32_t leaf = from->extra[i];

			to->tree.values[leaf] = (float) (leaf_value(model, from, leaf, k) - to->centre);
			to->tree.rows[leaf] = (uint32_t) ML_MIN(leaf_rows(model, from, leaf), UINT32_MAX);
			continue;
		}
		for (uint32_t side = 0; side < 2; side++)
		{
			uint32_t at = i + node->step + side;

			child[side] = ml_forest_is_leaf(&from->nodes[at]) ? ~(int32_t) from->extra[at]
															  : (int32_t) to->number[at];
		}
		to->tree.nodes[to->number[i]] = (MlTreeNode){
			.feature = ml_forest_feature(model, node),
			.left = child[0],
			.right = child[1],
			.cut = (uint8_t) node->test,
			.missing_left = ml_forest_missing_left(node),
			.set = node->test & 256 ? model->sets + (size_t) from->extra[i] * ML_TREE_SET_WORDS
									: NULL};
	}
}

static MlStatus
create_plain(MlEnv *env, const ForestModel *model, Plain *plain)
{
	size_t n = 1;

	for (uint32_t t = 0; t < model->n_trees; t++)
		n = ML_MAX(n, model->trees[t].n_leaves);
	plain->tree.nodes = ml_alloc_array(env, n, sizeof(*plain->tree.nodes));
	plain->tree.values = ml_alloc_array(env, n, sizeof(*plain->tree.values));
	plain->tree.rows = ml_alloc_array(env, n, sizeof(*plain->tree.rows));
	plain->number = ml_alloc_array(env, 2 * n, sizeof(*plain->number));
	return plain->tree.nodes && plain->tree.values && plain->tree.rows && plain->number ? ML_OK
																						: ML_ENOMEM;
}

/* contributions[0..n_features-1] and *base add up to output k of the prediction. */
MlStatus
ml_forest_contributions(MlEnv *env, const void *fitted, const double *x, uint32_t k,
						double *contributions, double *base)
{
	const ForestModel *model = fitted;
	double zero = 0, *own = ml_alloc_array(env, model->n_features, sizeof(*own));
	Plain plain = {0};
	MlTreeEnsemble one = {.n_features = model->n_features,
						  .n_outputs = 1,
						  .n_trees = 1,
						  .features = model->features,
						  .trees = &plain.tree,
						  .base = &zero};
	MlStatus status = own ? create_plain(env, model, &plain) : ML_ENOMEM;

	memset(contributions, 0, model->n_features * sizeof(*contributions));
	*base = 0;
	for (uint32_t t = 0; t < model->n_trees && status == ML_OK; t++)
	{
		double mean = 0;

		status = ml_poll(env);
		if (status != ML_OK)
			break;
		memset(own, 0, model->n_features * sizeof(*own));
		make_plain(model, &model->trees[t], k, &plain);
		status = ml_trees_contributions(env, &one, x, 0, own, &mean);
		for (uint32_t j = 0; j < model->n_features && status == ML_OK; j++)
			contributions[j] += own[j] / model->n_trees;
		if (status == ML_OK)
			*base += (mean + plain.centre) / model->n_trees;
	}
	ml_free(env, own);
	ml_free(env, plain.tree.nodes);
	ml_free(env, plain.tree.values);
	ml_free(env, plain.tree.rows);
	ml_free(env, plain.number);
	return status;
}

/* ---- nodes */

/* Emission of one tree after the other. */
typedef struct Emitting
{
	const ForestModel *model;
	const ForestTree *tree;
	MlNodeFn emit;
	void *arg;
	uint32_t *levels;               /* room for those that go left */
	double *counts, *probabilities; /* of a node; n_classes each */
	uint32_t number;                /* of tree, and the next node's */
	uint32_t next;
} Emitting;

/* What a run of leaves sums up to. */
typedef struct Sums
{
	double rows, weight, mean, impurity;
} Sums;

/* Numbers: rows, weight, mean and variance of the leaves first..end-1, after the law of total variance. */
static Sums
sum_numbers(const Emitting *e, uint32_t first, uint32_t end)
{
	const ForestTree *tree = e->tree;
	Sums sums = {0};
	double sum2 = 0, centre = tree->values[first];

	for (uint32_t leaf = first; leaf < end; leaf++)
	{
		double w = tree->weight ? tree->weight[leaf] : tree->rows[leaf];
		double d = tree->values[leaf] - centre;

		sums.rows += tree->rows[leaf];
		sums.weight += w;
		sums.mean += w * d;
		sum2 += w * ((double) tree->impurity[leaf] + d * d);
	}
	if (sums.weight > 0)
	{
		sums.mean /= sums.weight;
		sums.impurity = ML_MAX(sum2 / sums.weight - sums.mean * sums.mean, 0);
	}
	if (end - first == 1)
		sums.impurity = (double) tree->impurity[first];
	sums.mean += centre;
	return sums;
}

/* Classes: counts and shares of the leaves first..end-1, and their impurity; entropy in bits. */
static Sums
sum_classes(Emitting *e, uint32_t first, uint32_t end)
{
	const ForestTree *tree = e->tree;
	uint32_t n_classes = e->model->n_classes;
	Sums sums = {.mean = NAN};

	memset(e->counts, 0, n_classes * sizeof(double));
	memset(e->probabilities, 0, n_classes * sizeof(double));
	for (uint32_t s = tree->start[first]; s < tree->start[end]; s++)
	{
		double w = tree->share_weight ? tree->share_weight[s] : tree->share_rows[s];

		e->counts[tree->shares[s].class_of] += tree->share_rows[s];
		e->probabilities[tree->shares[s].class_of] += w;
		sums.rows += tree->share_rows[s];
		sums.weight += w;
	}
	sums.impurity = e->model->criterion == FOREST_GINI;
	for (uint32_t k = 0; k < n_classes; k++)
	{
		double p = e->probabilities[k] /= sums.weight > 0 ? sums.weight : 1;

		if (e->model->criterion == FOREST_GINI)
			sums.impurity -= p * p;
		else if (p > 0)
			sums.impurity -= p * log2(p);
	}
	sums.impurity = ML_MAX(sums.impurity, 0);
	return sums;
}

static Sums
sum_leaves(Emitting *e, uint32_t first, uint32_t end)
{
	return e->model->n_classes > 0 ? sum_classes(e, first, end) : sum_numbers(e, first, end);
}

/* The split of an inner node. */
static void
describe_split(Emitting *e, uint32_t at, MlNode *out)
{
	const ForestNode *node = &e->tree->nodes[at];
	const MlTreeFeature *feature;

	out->feature = ml_forest_feature(e->model, node);
	feature = &e->model->features[out->feature];
	out->missing_left = ml_forest_missing_left(node);
	if (!feature->categorical)
	{
		out->threshold = feature->cuts[node->test & 255];
		return;
	}
	const uint32_t *set = e->model->sets + (size_t) e->tree->extra[at] * ML_TREE_SET_WORDS;
	uint32_t missing = feature->n_bins - 1;

	out->missing_left = set[missing / 32] >> missing % 32 & 1;
	out->unseen_left = set[feature->unseen_bin / 32] >> feature->unseen_bin % 32 & 1;
	out->levels = e->levels;
	for (uint32_t level = 0; level < feature->n_levels; level++)
	{
		uint32_t bin = feature->bin_of_level[level];

		if (set[bin / 32] >> bin % 32 & 1)
			e->levels[out->n_levels++] = level;
	}
}

/* The leaves below a node: those of its outermost children. */
static void
find_run(const ForestTree *tree, uint32_t at, uint32_t *first, uint32_t *end)
{
	uint32_t left = at, right = at;

	while (!ml_forest_is_leaf(&tree->nodes[left]))
		left += tree->nodes[left].step;
	while (!ml_forest_is_leaf(&tree->nodes[right]))
		right += tree->nodes[right].step + 1;
	*first = tree->extra[left];
	*end = tree->extra[right] + 1;
}

/* The risk of the node at a place, of the tree's weight. */
static double
node_risk(Emitting *e, uint32_t at, double all)
{
	uint32_t first, end;
	Sums sums;

	find_run(e->tree, at, &first, &end);
	sums = sum_leaves(e, first, end);
	return all > 0 ? sums.weight / all * sums.impurity : 0;
}

/* A node, then what is below it; all: the tree's weight. */
static MlStatus
emit_node(Emitting *e, uint32_t at, const MlNode *parent, bool is_left, double all)
{
	const ForestTree *tree = e->tree;
	const ForestNode *node = &tree->nodes[at];
	MlNode out = {.tree = e->number,
				  .node = e->next++,
				  .parent = parent ? (int64_t) parent->node : -1,
				  .is_left = is_left,
				  .depth = parent ? parent->depth + 1 : 0,
				  .is_leaf = ml_forest_is_leaf(node),
				  .gain = NAN,
				  .threshold = NAN};
	double below = 0;
	uint32_t first, end;
	Sums sums;

	if (!out.is_leaf)
	{
		describe_split(e, at, &out);
		below = node_risk(e, at + node->step, all) + node_risk(e, at + node->step + 1, all);
	}
	find_run(tree, at, &first, &end);
	sums = sum_leaves(e, first, end);
	out.rows = sums.rows;
	out.impurity = sums.impurity;
	out.value = sums.mean;
	if (!out.is_leaf)
		out.gain = ML_MAX((all > 0 ? sums.weight / all * sums.impurity : 0) - below, 0);
	if (e->model->n_classes > 0)
	{
		out.counts = e->counts;
		out.probabilities = e->probabilities;
	}
	ML_TRY(e->emit(e->arg, &out));
	if (out.is_leaf)
		return ML_OK;
	ML_TRY(emit_node(e, at + node->step, &out, true, all));
	return emit_node(e, at + node->step + 1, &out, false, all);
}

/* All nodes of all trees, parents before children. */
MlStatus
ml_forest_nodes(MlEnv *env, const void *fitted, const MlSchema *schema, MlNodeFn emit, void *arg)
{
	const ForestModel *model = fitted;
	Emitting e = {.model = model, .emit = emit, .arg = arg};
	MlStatus status = ML_OK;
	size_t max_levels = 1;

	for (uint32_t j = 0; j < schema->n_features; j++)
		max_levels = ML_MAX(max_levels, model->features[j].n_levels);
	e.levels = ml_alloc_array(env, max_levels, sizeof(*e.levels));
	e.counts = ml_alloc_array(env, model->n_classes, 2 * sizeof(double));
	if (!e.levels || !e.counts)
		status = ML_ENOMEM;
	else
		e.probabilities = e.counts + model->n_classes;
	for (; e.number < model->n_trees && status == ML_OK; e.number++)
	{
		e.tree = &model->trees[e.number];
		e.next = 0;
		status = ml_poll(env);
		if (status == ML_OK)
			status = emit_node(&e, 0, NULL, false, sum_leaves(&e, 0, e.tree->n_leaves).weight);
	}
	ml_free(env, e.levels);
	ml_free(env, e.counts);
	return status;
}

/* Trees vote with equal weight. */
void
ml_forest_formula(const void *fitted, uint32_t k, MlFormula *formula)
{
	const ForestModel *model = fitted;

	(void) k;
	*formula = (MlFormula){.link = ML_LINK_IDENTITY, .scale = 1.0 / model->n_trees};
}
