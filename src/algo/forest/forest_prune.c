/*
 * forest_prune.c
 *		Cost-complexity pruning, and its strength by cross-validation.
 *
 * After Breiman, Friedman, Olshen and Stone (1984), chapters 3 and 8. The risk
 * R of a node is its share of the tree's weight times its impurity. With |T_t|
 * leaves below node t, its *link* is g(t) = (R(t) - R(T_t)) / (|T_t| - 1): the
 * alpha at which a leaf there costs no more than the branch. Cutting the weakest
 * link again and again gives nested trees, each the best one for a range of
 * alpha. Links of nodes above a cut only grow, so a heap with outdated entries
 * finds the next one.
 *
 * For alpha "auto" trees are grown that leave out a fold each, and are measured
 * on it at the geometric means of the main tree's ranges. Chosen is the greatest
 * alpha whose loss is within one standard error of the least. The loss is squared:
 * of numbers, or of class shares (Brier), of which gini is the expectation.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

/* ---- links */

/* An inner node in the heap, with its link when it was put there. */
typedef struct Link
{
	double g;
	uint32_t node;
} Link;

typedef struct Linking
{
	const ForestGrown *nodes;
	uint32_t n_nodes;
	double *below;    /* by node: R(T_t) */
	uint32_t *leaves; /* |T_t| */
	int32_t *parent;
	Link *heap;
	uint32_t n_heap;
} Linking;

static double
link_of(const Linking *l, uint32_t node)
{
	return ML_MAX(l->nodes[node].risk - l->below[node], 0) / (l->leaves[node] - 1);
}

static bool
comes_first(const Link *a, const Link *b)
{
	return a->g != b->g ? a->g < b->g : a->node > b->node;
}

static void
push_link(Linking *l, uint32_t node)
{
	Link own = {link_of(l, node), node};
	uint32_t at = l->n_heap++;

	for (; at > 0 && comes_first(&own, &l->heap[(at - 1) / 2]); at = (at - 1) / 2)
		l->heap[at] = l->heap[(at - 1) / 2];
	l->heap[at] = own;
}

static Link
pop_link(Linking *l)
{
	Link top = l->heap[0], last = l->heap[--l->n_heap];
	uint32_t at = 0, n = l->n_heap;

	for (uint32_t child; (child = 2 * at + 1) < n; at = child)
	{
		child += child + 1 < n && comes_first(&l->heap[child + 1], &l->heap[child]);
		if (!comes_first(&l->heap[child], &last))
			break;
		l->heap[at] = l->heap[child];
	}
	l->heap[at] = last;
	return top;
}

/* Risks, leaves and parents from the leaves up. */
static void
survey(Linking *l)
{
	l->parent[0] = -1;
	for (uint32_t i = l->n_nodes; i-- > 0;)
	{
		const ForestGrown *node = &l->nodes[i];

		l->below[i] = node->risk;
		l->leaves[i] = 1;
		if (node->left < 0)
			continue;
		l->below[i] = l->below[node->left] + l->below[node->left + 1];
		l->leaves[i] = l->leaves[node->left] + l->leaves[node->left + 1];
		l->parent[node->left] = l->parent[node->left + 1] = (int32_t) i;
	}
}

/* Whether an ancestor has been cut. */
static bool
below_a_cut(const Linking *l, const double *alpha, uint32_t node)
{
	for (int32_t up = l->parent[node]; up >= 0; up = l->parent[up])
	{
		if (alpha[up] < INFINITY)
			return true;
	}
	return false;
}

/* Cut the links, the weakest first; unit: of a link as the user knows it. */
static MlStatus
cut_links(MlEnv *env, Linking *l, double unit, double *alpha)
{
	double greatest = 0;
	uint32_t n_cut = 0;

	for (uint32_t i = 0; i < l->n_nodes; i++)
	{
		alpha[i] = l->nodes[i].left < 0 ? 0 : INFINITY;
		if (l->nodes[i].left >= 0)
			push_link(l, i);
	}
	while (l->n_heap > 0)
	{
		Link link = pop_link(l);
		double risk = l->nodes[link.node].risk - l->below[link.node];
		uint32_t leaves = l->leaves[link.node] - 1;

		if (n_cut++ % 4096 == 0)
			ML_TRY(ml_poll(env));
		if (below_a_cut(l, alpha, link.node))
			continue;
		if (link_of(l, link.node) > link.g)
		{
			push_link(l, link.node);
			continue;
		}
		greatest = ML_MAX(greatest, link.g);
		alpha[link.node] = greatest * unit;
		for (int32_t up = (int32_t) link.node; up >= 0; up = l->parent[up])
		{
			l->below[up] += risk;
			l->leaves[up] -= leaves;
		}
	}
	return ML_OK;
}

/* For each node the least alpha at which it becomes a leaf; see the header. */
MlStatus
ml_forest_links(MlEnv *env, const ForestRows *rows, ForestCriterion criterion,
				const ForestGrownTree *grown, double *alpha)
{
	Linking l = {.nodes = grown->nodes, .n_nodes = grown->n_nodes};
	double unit = grown->nodes[0].weight > 0 ? 1 / grown->nodes[0].weight : 0;
	MlStatus status = ML_ENOMEM;

	if (criterion == FOREST_ENTROPY)
		unit /= log(2);
	if (criterion == FOREST_SQUARED)
		unit *= rows->inverse > 0 ? 1 / rows->inverse / rows->inverse : 0;
	l.below = ml_alloc_array(env, l.n_nodes, sizeof(*l.below));
	l.leaves = ml_alloc_array(env, l.n_nodes, sizeof(*l.leaves));
	l.parent = ml_alloc_array(env, l.n_nodes, sizeof(*l.parent));
	l.heap = ml_alloc_array(env, l.n_nodes, sizeof(*l.heap));
	if (l.below && l.leaves && l.parent && l.heap)
	{
		survey(&l);
		status = cut_links(env, &l, unit, alpha);
	}
	ml_free(env, l.below);
	ml_free(env, l.leaves);
	ml_free(env, l.parent);
	ml_free(env, l.heap);
	return status;
}

/* ---- cross-validation */

struct ForestPruning
{
	MlEnv *env;
	const ForestRows *rows;
	const ForestOptions *options;
	ForestGrownTree main; /* copies */
	double *alpha;        /* by its nodes */
	bool *marks;
	double *steps; /* the distinct alphas of inner nodes, ascending, after 0 */
	size_t n_steps;
	double *loss, *loss2; /* by step: differences of sums over rows; of squares */
	double weights, weights2;
	double *shares; /* of the classes in a node */
};

/* Copy the arrays of a grown tree. */
static MlStatus
copy_tree(ForestPruning *p, const ForestGrownTree *from)
{
	size_t n_entries = 0, n_sets = 0;
	ForestGrown *nodes;
	ForestEntry *entries;
	uint32_t *sets;

	for (uint32_t i = 0; i < from->n_nodes; i++)
	{
		n_entries =
			ML_MAX(n_entries, (size_t) from->nodes[i].first_entry + from->nodes[i].n_entries);
		if (from->nodes[i].left >= 0 && from->nodes[i].categorical)
			n_sets = ML_MAX(n_sets, (size_t) from->nodes[i].set + 1);
	}
	p->main.nodes = nodes = ml_alloc_array(p->env, from->n_nodes, sizeof(*nodes));
	p->main.entries = entries = ml_alloc_array(p->env, n_entries, sizeof(*entries));
	p->main.sets = sets = ml_alloc_array(p->env, n_sets, ML_TREE_SET_WORDS * sizeof(*sets));
	if (!nodes || !entries || !sets)
		return ML_ENOMEM;
	p->main.n_nodes = from->n_nodes;
	memcpy(nodes, from->nodes, from->n_nodes * sizeof(*nodes));
	if (n_entries > 0)
		memcpy(entries, from->entries, n_entries * sizeof(*entries));
	if (n_sets > 0)
		memcpy(sets, from->sets, n_sets * ML_TREE_SET_WORDS * sizeof(*sets));
	return ML_OK;
}

/* The distinct alphas of the main tree, after 0. */
static MlStatus
list_steps(ForestPruning *p)
{
	size_t n = p->main.n_nodes, kept = 1;
	double *spare = ml_alloc_array(p->env, n, sizeof(double));

	p->steps = ml_alloc_array(p->env, n + 1, sizeof(double));
	p->loss = ml_zalloc_array(p->env, n + 2, sizeof(double));
	p->loss2 = ml_zalloc_array(p->env, n + 2, sizeof(double));
	if (!spare || !p->steps || !p->loss || !p->loss2)
	{
		ml_free(p->env, spare);
		return ML_ENOMEM;
	}
	memcpy(p->steps + 1, p->alpha, n * sizeof(double));
	ml_sort_doubles(p->steps + 1, spare, n);
	ml_free(p->env, spare);
	p->steps[0] = 0;
	for (size_t i = 1; i <= n; i++)
	{
		if (p->steps[i] > p->steps[kept - 1] && p->steps[i] < INFINITY)
			p->steps[kept++] = p->steps[i];
	}
	p->n_steps = kept;
	return ML_OK;
}

/* Keep the main tree until its folds are done; whatever the status, ml_forest_pruning_free follows. */
MlStatus
ml_forest_pruning_create(MlEnv *env, const ForestRows *rows, const ForestOptions *options,
						 const ForestGrownTree *main_tree, ForestPruning **out)
{
	ForestPruning *p = ml_zalloc(env, sizeof(*p));

	if (!p)
		return ML_ENOMEM;
	*out = p;
	p->env = env;
	p->rows = rows;
	p->options = options;
	ML_TRY(copy_tree(p, main_tree));
	p->alpha = ml_alloc_array(env, main_tree->n_nodes, sizeof(*p->alpha));
	p->marks = ml_zalloc_array(env, main_tree->n_nodes, sizeof(*p->marks));
	p->shares = ml_alloc_array(env, rows->n_classes, sizeof(*p->shares));
	if (!p->alpha || !p->marks || !p->shares)
		return ML_ENOMEM;
	ML_TRY(ml_forest_links(env, rows, options->criterion, &p->main, p->alpha));
	return list_steps(p);
}

void
ml_forest_pruning_free(MlEnv *env, ForestPruning *p)
{
	if (!p)
		return;
	ml_free(env, p->main.nodes);
	ml_free(env, (void *) p->main.entries);
	ml_free(env, (void *) p->main.sets);
	ml_free(env, p->alpha);
	ml_free(env, p->marks);
	ml_free(env, p->steps);
	ml_free(env, p->loss);
	ml_free(env, p->loss2);
	ml_free(env, p->shares);
	ml_free(env, p);
}

/* Where the trees of step i are measured: between its alpha and the next. */
static double
measured_at(const ForestPruning *p, size_t i)
{
	return i + 1 < p->n_steps ? sqrt(p->steps[i] * p->steps[i + 1]) : INFINITY;
}

/* The first step that is measured at alpha or above. */
static size_t
first_step(const ForestPruning *p, double alpha)
{
	size_t low = 0, high = p->n_steps - 1;

	while (low < high)
	{
		size_t mid = (low + high) / 2;

		if (measured_at(p, mid) < alpha)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Shares of classes among a node's rows in the bag; returns the sum of their squares. */
static double
find_shares(ForestPruning *p, const ForestGrownTree *grown, const ForestGrown *node)
{
	const ForestRows *rows = p->rows;
	double squares = 0;

	memset(p->shares, 0, rows->n_classes * sizeof(*p->shares));
	for (uint32_t i = 0; i < node->n; i++)
	{
		uint32_t at = grown->positions[node->first + i];

		p->shares[rows->class_of[at]] += rows->weight ? rows->weight[at] : 1;
	}
	for (uint32_t k = 0; k < rows->n_classes; k++)
	{
		p->shares[k] /= node->weight > 0 ? node->weight : 1;
		squares += p->shares[k] * p->shares[k];
	}
	return squares;
}

/* Add the losses of the fold's rows in a node to steps first..end-1. */
static void
add_losses(ForestPruning *p, const ForestGrownTree *grown, const ForestGrown *node, size_t first,
		   size_t end)
{
	const ForestRows *rows = p->rows;
	double squares = rows->n_classes > 0 ? find_shares(p, grown, node) : 0, sum = 0, sum2 = 0;

	for (uint32_t i = 0; i < node->out_n; i++)
	{
		uint32_t at = grown->positions[node->out_first + i];
		double w = rows->weight ? rows->weight[at] : 1, loss;

		if (rows->n_classes > 0)
			loss = 1 - 2 * p->shares[rows->class_of[at]] + squares;
		else
		{
			loss = (rows->y[at] - node->value) * rows->inverse;
			loss *= loss;
		}
		sum += w * loss;
		sum2 += w * loss * loss;
	}
	p->loss[first] += sum;
	p->loss[end] -= sum;
	p->loss2[first] += sum2;
	p->loss2[end] -= sum2;
}

/* Measure a tree that was grown without a fold on that fold. */
MlStatus
ml_forest_pruning_add(ForestPruning *p, const ForestGrownTree *grown)
{
	double *alpha = ml_alloc_array(p->env, grown->n_nodes, sizeof(*alpha));
	size_t *end = ml_alloc_array(p->env, grown->n_nodes, sizeof(*end));
	MlStatus status = ML_ENOMEM;
	size_t work = 0;

	if (alpha && end)
		status = ml_forest_links(p->env, p->rows, p->options->criterion, grown, alpha);
	if (status == ML_OK)
		end[0] = p->n_steps;
	/* a node is what remains of its branch from its own alpha on, until an ancestor is cut */
	for (uint32_t i = 0; i < grown->n_nodes && status == ML_OK; i++)
	{
		const ForestGrown *node = &grown->nodes[i];
		size_t first = node->left < 0 ? 0 : first_step(p, alpha[i]);

		if (node->left >= 0)
			end[node->left] = end[node->left + 1] = ML_MIN(first, end[i]);
		if (first < end[i] && node->out_n > 0)
			add_losses(p, grown, node, first, end[i]);
		work += node->n + node->out_n;
		if (work > 1000000)
		{
			status = ml_poll(p->env);
			work = 0;
		}
	}
	for (uint32_t i = 0; i < grown->nodes[0].out_n && status == ML_OK; i++)
	{
		uint32_t at = grown->positions[grown->nodes[0].out_first + i];
		double w = p->rows->weight ? p->rows->weight[at] : 1;

		p->weights += w;
		p->weights2 += w * w;
	}
	ml_free(p->env, alpha);
	ml_free(p->env, end);
	return status;
}

/* The greatest step within one standard error of the best. */
static size_t
choose_step(ForestPruning *p, ForestPruned *pruned)
{
	size_t best = 0, chosen = 0;
	double se = 0;

	for (size_t i = 1; i < p->n_steps; i++)
	{
		p->loss[i] += p->loss[i - 1];
		p->loss2[i] += p->loss2[i - 1];
	}
	for (size_t i = 1; i < p->n_steps; i++)
		best = p->loss[i] <= p->loss[best] ? i : best;
	if (p->weights > 0)
	{
		double mean = p->loss[best] / p->weights;

		se = sqrt(ML_MAX(p->loss2[best] / p->weights - mean * mean, 0) * p->weights2) / p->weights;
		for (size_t i = best; i < p->n_steps; i++)
			chosen = p->loss[i] / p->weights <= mean + se ? i : chosen;
		chosen = ML_MAX(chosen, best);
		pruned->loss = p->loss[chosen] / p->weights;
		pruned->loss_se = se;
	}
	if (p->rows->n_classes == 0 && p->rows->inverse > 0)
	{
		pruned->loss /= p->rows->inverse * p->rows->inverse;
		pruned->loss_se /= p->rows->inverse * p->rows->inverse;
	}
	return chosen;
}

/* The main tree with pruned marks by node; alpha given by the options, or by the folds. */
ForestPruned
ml_forest_prune(ForestPruning *p, ForestGrownTree *main_tree, const bool **marks)
{
	ForestPruned pruned = {p->options->ccp_alpha, NAN, NAN};

	if (p->options->folds > 0)
		pruned.alpha = p->steps[choose_step(p, &pruned)];
	for (uint32_t i = 0; i < p->main.n_nodes; i++)
	{
		p->marks[i] = p->main.nodes[i].left >= 0 && p->alpha[i] <= pruned.alpha;
	}
	*main_tree = p->main;
	*marks = p->marks;
	return pruned;
}
