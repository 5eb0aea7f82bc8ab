/*
 * tree_shap.c
 *		Shapley values of a prediction: what each feature adds to it.
 *
 * The game is that of path-dependent TreeSHAP (Lundberg, Erion and Lee 2018):
 * a feature outside the coalition is averaged over both branches of a node, by
 * the training rows that went each way. The way to it is another one. A leaf
 * is reached with weight
 *
 *		prod over the path's features i of (o_i if i is in the coalition, else z_i)
 *
 * where o_i is 1 if the row passes all nodes of feature i on the path, else 0,
 * and z_i is the share of training rows that pass them. The Shapley value is the
 * integral of a partial derivative of the game's multilinear extension along
 * the diagonal (Owen 1972), so that the leaf with value v adds to feature j
 *
 *		v (o_j - z_j) integral from 0 to 1 of prod over i <> j of (z_i + t (o_i - z_i)) dt.
 *
 * A polynomial of degree D - 1 is integrated exactly by ceil(D / 2) points of
 * Gauss and Legendre. All terms are positive, so nothing cancels, however long
 * the path is. Beyond MAX_POINTS points the rest is below rounding.
 */
#include <math.h>
#include <string.h>

#include "algo/tree/tree.h"

#define MAX_POINTS 64

/* One feature of the path to a leaf. */
typedef struct PathFeature
{
	uint32_t feature;
	double zero; /* share of the training rows that pass */
	double one;  /* whether the row passes: 0 or 1 */
} PathFeature;

/* Room for one tree after the other. */
typedef struct Shap
{
	const MlTreeEnsemble *ensemble;
	const double *x;
	double *contributions;
	double *rows;      /* by node: training rows below it */
	int32_t *parent;   /* by node, then by leaf: the parent node; -1: none */
	uint32_t *depth;   /* by node, then by leaf */
	PathFeature *path; /* of a leaf */
	uint32_t *place;   /* by feature: 1 + its place in the path; 0: not in it */
	double t[MAX_POINTS], weight[MAX_POINTS];
	uint32_t n_points;
} Shap;

/* Points and weights of Gauss and Legendre on [0, 1], by Newton's method from Chebyshev's nodes. */
static void
find_points(Shap *shap, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		double x = cos(M_PI * (i + 0.75) / (n + 0.5)), slope = 1, step = 1;

		for (int round = 0; round < 100 && fabs(step) > 1e-15; round++)
		{
			double p = 1, before = 0; /* Legendre's polynomials of degree d and d - 1 */

			for (uint32_t d = 0; d < n; d++)
			{
				double next = ((2 * d + 1) * x * p - d * before) / (d + 1);

				before = p;
				p = next;
			}
			slope = n * (x * p - before) / (x * x - 1);
			step = p / slope;
			x -= step;
		}
		shap->t[i] = (1 - x) / 2;
		shap->weight[i] = 1 / ((1 - x * x) * slope * slope);
	}
	shap->n_points = n;
}

/* Rows below a child: a node, or a leaf. */
static double
rows_of(const Shap *shap, const MlTree *tree, int32_t child)
{
	return child >= 0 ? shap->rows[child] : (double) tree->rows[~child];
}

/* Parents, depths and rows of the nodes and leaves; returns the depth of the tree. */
static uint32_t
survey_tree(Shap *shap, const MlTree *tree)
{
	int32_t n_nodes = (int32_t) tree->n_leaves - 1;
	uint32_t deepest = 0;

	for (int32_t i = n_nodes - 1; i >= 0; i--)
	{
		const MlTreeNode *node = &tree->nodes[i];

		shap->rows[i] = rows_of(shap, tree, node->left) + rows_of(shap, tree, node->right);
		shap->parent[node->left >= 0 ? node->left : n_nodes + ~node->left] = i;
		shap->parent[node->right >= 0 ? node->right : n_nodes + ~node->right] = i;
	}
	shap->parent[0] = -1;
	shap->depth[0] = 0;
	for (int32_t i = 1; i < n_nodes + (int32_t) tree->n_leaves && n_nodes > 0; i++)
	{
		shap->depth[i] = shap->depth[shap->parent[i]] + 1;
		deepest = ML_MAX(deepest, shap->depth[i]);
	}
	return deepest;
}

/* Gather the features on the way from the root to a leaf; returns their number. */
static uint32_t
gather_path(Shap *shap, const MlTree *tree, uint32_t leaf)
{
	int32_t child = ~(int32_t) leaf, n_nodes = (int32_t) tree->n_leaves - 1;
	int32_t at = shap->parent[n_nodes + (int32_t) leaf];
	uint32_t n = 0;

	for (; at >= 0; child = at, at = shap->parent[at])
	{
		const MlTreeNode *node = &tree->nodes[at];
		const MlTreeFeature *feature = &shap->ensemble->features[node->feature];
		uint8_t bin = ml_tree_bin(feature, shap->x[node->feature]);
		int32_t taken = ml_tree_goes_left(feature, node, bin) ? node->left : node->right;
		PathFeature *own;

		if (shap->place[node->feature] == 0)
		{
			shap->path[n] = (PathFeature){node->feature, 1, 1};
			shap->place[node->feature] = ++n;
		}
		own = &shap->path[shap->place[node->feature] - 1];
		/* a damaged image may have nodes without rows */
		own->zero *= shap->rows[at] > 0 ? rows_of(shap, tree, child) / shap->rows[at] : 0.5;
		own->one *= taken == child;
	}
	for (uint32_t i = 0; i < n; i++)
		shap->place[shap->path[i].feature] = 0;
	return n;
}

/* Add what a leaf contributes to each feature of its path. */
static void
add_leaf(Shap *shap, uint32_t n, double value)
{
	for (uint32_t p = 0; p < shap->n_points; p++)
	{
		double t = shap->t[p], all = value * shap->weight[p];
		uint32_t n_zero = 0;

		for (uint32_t i = 0; i < n; i++)
		{
			double factor = shap->path[i].zero + t * (shap->path[i].one - shap->path[i].zero);

			n_zero += factor == 0;
			all *= factor == 0 ? 1 : factor;
		}
		for (uint32_t i = 0; i < n && n_zero <= 1; i++)
		{
			const PathFeature *own = &shap->path[i];
			double factor = own->zero + t * (own->one - own->zero);

			/* with one factor zero only that feature's product without it is not */
			if (factor == 0)
				shap->contributions[own->feature] += all * (own->one - own->zero);
			else if (n_zero == 0)
				shap->contributions[own->feature] += all / factor * (own->one - own->zero);
		}
	}
}

/* Add one tree's contributions; returns its mean over the training rows. */
static double
add_tree(Shap *shap, const MlTree *tree)
{
	double mean = 0, rows = 0;
	uint32_t deepest = survey_tree(shap, tree);
	uint32_t n_points = ML_MIN((deepest + 1) / 2, (uint32_t) MAX_POINTS);

	if (n_points != shap->n_points)
		find_points(shap, n_points);
	for (uint32_t leaf = 0; leaf < tree->n_leaves; leaf++)
	{
		uint32_t n = tree->n_leaves > 1 ? gather_path(shap, tree, leaf) : 0;

		add_leaf(shap, n, (double) tree->values[leaf]);
		mean += (double) tree->values[leaf] * tree->rows[leaf];
		rows += tree->rows[leaf];
	}
	return rows > 0 ? mean / rows : mean;
}

static MlStatus
allocate(MlEnv *env, Shap *shap)
{
	const MlTreeEnsemble *ensemble = shap->ensemble;
	size_t n_leaves = 1;

	for (uint32_t t = 0; t < ensemble->n_trees; t++)
		n_leaves = ML_MAX(n_leaves, ensemble->trees[t].n_leaves);
	shap->rows = ml_alloc_array(env, n_leaves, sizeof(*shap->rows));
	shap->parent = ml_alloc_array(env, 2 * n_leaves, sizeof(*shap->parent));
	shap->depth = ml_alloc_array(env, 2 * n_leaves, sizeof(*shap->depth));
	shap->path = ml_alloc_array(env, ML_TREE_DEPTH, sizeof(*shap->path));
	shap->place = ml_zalloc_array(env, ensemble->n_features, sizeof(*shap->place));
	return shap->rows && shap->parent && shap->depth && shap->path && shap->place ? ML_OK
																				  : ML_ENOMEM;
}

/*
 * Add to contributions what each feature adds to output k of feature vector x, and to *base the mean over the
 * training rows: together they come to the sum of ml_trees_score.
 */
MlStatus
ml_trees_contributions(MlEnv *env, const MlTreeEnsemble *ensemble, const double *x, uint32_t k,
					   double *contributions, double *base)
{
	Shap shap = {.ensemble = ensemble, .x = x, .contributions = contributions};
	MlStatus status = allocate(env, &shap);

	*base += ensemble->base[k];
	for (uint32_t t = k; t < ensemble->n_trees && status == ML_OK; t += ensemble->n_outputs)
		*base += add_tree(&shap, &ensemble->trees[t]);
	ml_free(env, shap.rows);
	ml_free(env, shap.parent);
	ml_free(env, shap.depth);
	ml_free(env, shap.path);
	ml_free(env, shap.place);
	return status;
}
