/*
 * isolation_shap.c
 *		Exact contributions of the features to the logarithm of the score.
 *
 * log2 of the score is -E[h(x)] / c(psi), a mean over trees, so that Shapley
 * values of the trees' path lengths add up to it: TreeSHAP (Lundberg, Erion and
 * Lee 2018, Algorithm 2), with the sample's rows as covers. Positive is more
 * anomalous.
 */
#include <string.h>

#include "algo/isolation/isolation.h"

/* A feature on the way to a node: Algorithm 2's m, with the element for no feature in front. */
typedef struct Element
{
	uint32_t feature;
	double zero, one; /* share of the paths that go on when the feature is unknown, known */
	double weight;    /* of subsets, by their size */
} Element;

typedef struct Walk
{
	const MlIsoModel *model;
	const MlIsoNode *nodes; /* of the tree */
	const uint32_t *rows;
	const double *x;
	double *out;                                                 /* n_features */
	Element room[(ISO_MAX_DEPTH + 2) * (ISO_MAX_DEPTH + 3) / 2]; /* a path per depth */
} Walk;

/* EXTEND: a further element at place n of the path. */
static void
extend(Element *m, uint32_t n, uint32_t feature, double zero, double one)
{
	m[n] = (Element){feature, zero, one, n == 0};
	for (uint32_t i = n; i-- > 0;)
	{
		m[i + 1].weight += one * m[i].weight * (i + 1) / (n + 1);
		m[i].weight = zero * m[i].weight * (n - i) / (n + 1);
	}
}

/* UNWIND: take element i out of the path of elements 0..n. */
static void
unwind(Element *m, uint32_t n, uint32_t i)
{
	double one = m[i].one, zero = m[i].zero, next = m[n].weight;

	for (uint32_t j = n; j-- > 0;)
		if (one != 0)
		{
			double weight = m[j].weight;

			m[j].weight = next * (n + 1) / ((j + 1) * one);
			next = weight - m[j].weight * zero * (n - j) / (n + 1);
		}
		else
			m[j].weight = m[j].weight * (n + 1) / (zero * (n - j));
	for (uint32_t j = i; j < n; j++)
	{
		m[j].feature = m[j + 1].feature;
		m[j].zero = m[j + 1].zero;
		m[j].one = m[j + 1].one;
	}
}

/* The sum of the weights that the path of 0..n would have without element i. */
static double
unwound_sum(const Element *m, uint32_t n, uint32_t i)
{
	double one = m[i].one, zero = m[i].zero, next = m[n].weight, sum = 0;

	for (uint32_t j = n; j-- > 0;)
		if (one != 0)
		{
			double weight = next * (n + 1) / ((j + 1) * one);

			sum += weight;
			next = m[j].weight - weight * zero * (n - j) / (n + 1);
		}
		else
			sum += m[j].weight * (n + 1) / (zero * (n - j));
	return sum;
}

/* A leaf: the path of elements 0..n shares out its value. */
static void
share_leaf(Walk *walk, const Element *m, uint32_t n, double value)
{
	for (uint32_t i = 1; i <= n; i++)
		walk->out[m[i].feature] += unwound_sum(m, n, i) * (m[i].one - m[i].zero) * value;
}

/* RECURSE: a node over the path of n elements and one more; at most ISO_MAX_DEPTH + 1 deep. */
static void
recurse(Walk *walk, uint32_t at, Element *path, uint32_t n, Element last)
{
	const MlIsoNode *node = &walk->nodes[at];
	Element *m = path + n; /* behind it in the room */
	Element hot = {node->feature & ISO_FEATURE, 1, 1, 0}, cold;
	uint32_t left, right;

	memcpy(m, path, n * sizeof(*m));
	extend(m, n, last.feature, last.zero, last.one);
	if (node->right == 0)
	{
		share_leaf(walk, m, n, node->value);
		return;
	}
	for (uint32_t i = 1; i <= n; i++)
		if (m[i].feature == hot.feature)
		{
			hot = m[i];
			unwind(m, n--, i);
			break;
		}
	left = ml_iso_goes_left(walk->model, node, walk->x) ? at + 1 : node->right;
	right = left == at + 1 ? node->right : at + 1;
	cold = (Element){hot.feature, hot.zero * walk->rows[right] / walk->rows[at], 0, 0};
	hot.zero *= (double) walk->rows[left] / walk->rows[at];
	recurse(walk, left, m, n + 1, hot);
	recurse(walk, right, m, n + 1, cold);
}

/* The mean of a tree's path lengths over its sample. */
static double
expected_length(const MlIsoNode *nodes, const uint32_t *rows, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += nodes[i].right == 0 ? nodes[i].value * rows[i] : 0;
	return sum / rows[0];
}

/* Contributions to log2 of the score; base: what the trees' samples have on average. */
MlStatus
ml_iso_contributions(MlEnv *env, const void *fitted, const double *x, uint32_t k,
					 double *contributions, double *base)
{
	const MlIsoModel *model = fitted;
	double factor = -1 / (model->n_trees * model->normal), sum = 0;
	Walk walk = {.model = model, .x = x, .out = contributions};

	(void) env;
	(void) k;
	memset(contributions, 0, model->n_features * sizeof(double));
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		size_t first = model->first[t];

		walk.nodes = model->nodes + first;
		walk.rows = model->rows + first;
		sum += expected_length(walk.nodes, walk.rows, model->first[t + 1] - first);
		recurse(&walk, 0, walk.room, 0, (Element){UINT32_MAX, 1, 1, 0});
	}
	for (uint32_t j = 0; j < model->n_features; j++)
		contributions[j] *= factor;
	*base = sum * factor;
	return ML_OK;
}
