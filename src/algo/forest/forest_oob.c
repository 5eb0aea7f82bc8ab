/*
 * forest_oob.c
 *		Errors on the rows out of the bag (Breiman 2001, section 3.1).
 *
 * Each row is predicted by the trees that did not see it. Of very many rows and
 * classes only every n-th row is followed, so that memory stays bounded; what is
 * measured is an estimate anyway. Trees are added in their order, so that sums
 * do not depend on the threads.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define MAX_CELLS (1u << 23) /* rows times classes that are followed: 64 MB */
#define LEAST_SHARE 1e-15    /* of a class in the log loss */
#define POLL_ROWS 100000

struct ForestOob
{
	MlEnv *env;
	const MlDataset *data;
	const ForestRows *rows;
	uint32_t n_outputs, stride;
	size_t n;     /* rows that are followed */
	double *sums; /* by row and output: two classes have one, of class 1 */
	uint32_t *trees;
};

/* Whatever the status, ml_forest_oob_free follows. */
MlStatus
ml_forest_oob_create(MlEnv *env, const MlDataset *data, const ForestRows *rows, ForestOob **out)
{
	ForestOob *oob = ml_zalloc(env, sizeof(*oob));
	size_t cells;

	if (!oob)
		return ML_ENOMEM;
	*out = oob;
	oob->env = env;
	oob->data = data;
	oob->rows = rows;
	oob->n_outputs = rows->n_classes > 2 ? rows->n_classes : 1;
	cells = (size_t) rows->n * oob->n_outputs;
	oob->stride = (uint32_t) (cells / MAX_CELLS + 1);
	oob->n = (rows->n + oob->stride - 1) / oob->stride;
	oob->sums = ml_zalloc_array(env, oob->n * oob->n_outputs, sizeof(*oob->sums));
	oob->trees = ml_zalloc_array(env, oob->n, sizeof(*oob->trees));
	return oob->sums && oob->trees ? ML_OK : ML_ENOMEM;
}

void
ml_forest_oob_free(MlEnv *env, ForestOob *oob)
{
	if (!oob)
		return;
	ml_free(env, oob->sums);
	ml_free(env, oob->trees);
	ml_free(env, oob);
}

/* Add what a leaf says to the sums of a row. */
static void
add_leaf(ForestOob *oob, const ForestGrownTree *grown, const ForestGrown *leaf, size_t row)
{
	double *sums = oob->sums + row * oob->n_outputs;

	oob->trees[row]++;
	if (oob->rows->n_classes == 0)
	{
		sums[0] += leaf->value;
		return;
	}
	for (uint32_t e = 0; e < leaf->n_entries && leaf->weight > 0; e++)
	{
		const ForestEntry *entry = &grown->entries[leaf->first_entry + e];

		if (oob->n_outputs > 1)
			sums[entry->class_of] += entry->weight / leaf->weight;
		else if (entry->class_of == 1)
			sums[0] += entry->weight / leaf->weight;
	}
}

/* Add the predictions of a tree for the rows out of its bag. */
void
ml_forest_oob_add(ForestOob *oob, const ForestGrownTree *grown)
{
	for (uint32_t i = 0; i < grown->n_nodes; i++)
	{
		const ForestGrown *node = &grown->nodes[i];

		for (uint32_t r = 0; node->left < 0 && r < node->out_n; r++)
		{
			uint32_t at = grown->positions[node->out_first + r];

			if (at % oob->stride == 0)
				add_leaf(oob, grown, node, at / oob->stride);
		}
	}
}

/* The weight of a row, that of its class taken off. */
static double
row_weight(const ForestOob *oob, uint32_t at)
{
	const ForestRows *rows = oob->rows;
	double weight = rows->weight ? rows->weight[at] : 1;

	if (oob->data->class_weight && oob->data->class_weight[rows->class_of[at]] > 0)
		weight /= oob->data->class_weight[rows->class_of[at]];
	return weight;
}

/* Log loss of a row of a class; *right: whether its class has the greatest share. */
static double
class_loss(const ForestOob *oob, size_t row, uint32_t actual, bool *right)
{
	const double *sums = oob->sums + row * oob->n_outputs;
	double n = oob->trees[row], p;
	uint32_t best = 0;

	if (oob->n_outputs == 1)
	{
		p = actual == 1 ? sums[0] / n : 1 - sums[0] / n;
		best = sums[0] / n > 0.5;
	}
	else
	{
		p = sums[actual] / n;
		for (uint32_t k = 1; k < oob->n_outputs; k++)
			best = sums[k] > sums[best] ? k : best;
	}
	*right = best == actual;
	return -log(ML_MIN(ML_MAX(p, LEAST_SHARE), 1));
}

MlStatus
ml_forest_oob_score(const ForestOob *oob, ForestOobScore *score)
{
	const ForestRows *rows = oob->rows;
	double weights = 0, loss = 0, right = 0, mean = 0, spread = 0;

	*score = (ForestOobScore){0, NAN, NAN, NAN};
	for (size_t row = 0; row < oob->n; row++)
	{
		uint32_t at = (uint32_t) row * oob->stride;
		double w = row_weight(oob, at), own, d;
		bool hit;

		if (row % POLL_ROWS == 0)
			ML_TRY(ml_poll(oob->env));
		if (oob->trees[row] == 0 || w <= 0)
			continue;
		score->rows++;
		weights += w;
		if (rows->n_classes > 0)
		{
			loss += w * class_loss(oob, row, rows->class_of[at], &hit);
			right += hit ? w : 0;
			continue;
		}
		own = (rows->y[at] - rows->centre) * rows->inverse;
		d = own - (oob->sums[row] / oob->trees[row] - rows->centre) * rows->inverse;
		loss += w * d * d;
		d = own - mean; /* West 1979 */
		mean += w / weights * d;
		spread += w * d * (own - mean);
	}
	if (weights <= 0)
		return ML_OK;
	score->loss = loss / weights;
	score->accuracy = right / weights;
	if (rows->n_classes == 0)
	{
		score->r2 = spread > 0 ? 1 - loss / spread : NAN;
		score->loss = rows->inverse > 0 ? score->loss / rows->inverse / rows->inverse : 0;
	}
	return ML_OK;
}
