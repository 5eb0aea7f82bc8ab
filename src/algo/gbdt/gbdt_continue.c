/*
 * gbdt_continue.c
 *		Going on from an earlier model: its trees come first, and new ones improve on their sums.
 *
 * The bins of the new model contain those of the old one (see bins.c), so the old
 * trees are copied with their cuts renumbered and their sets of levels widened:
 * they say exactly what they said. A level that they never saw goes where
 * unseen levels went.
 */
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#define SCORE_ROWS 256 /* of a task */

/* The place of a cut among the new ones, of which it is one. */
static uint8_t
find_cut(const MlTreeFeature *feature, double cut)
{
	uint32_t low = 0, high = feature->n_cuts - 1;

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (feature->cuts[middle] < cut)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint8_t) low;
}

static inline bool
in_set(const uint32_t *set, uint32_t bin)
{
	return set[bin / 32] >> bin % 32 & 1;
}

/* A set of old bins as one of new bins. */
static MlStatus
widen_set(MlArena *arena, const MlTreeFeature *old, const MlTreeFeature *new, const uint32_t **set)
{
	uint32_t *wide = ml_arena_alloc(arena, ML_TREE_SET_WORDS * sizeof(*wide));
	uint32_t old_missing = old->n_bins - 1;

	if (!wide)
		return ML_ENOMEM;
	for (uint32_t bin = 0; bin < new->n_bins; bin++)
	{
		uint32_t was = bin == new->n_bins - 1 ? old_missing
					   : bin < old_missing    ? bin
											  : old->unseen_bin;

		wide[bin / 32] |= (uint32_t) in_set(*set, was) << bin % 32;
	}
	*set = wide;
	return ML_OK;
}

/* Copy a tree, its nodes as the new features have them. */
static MlStatus
copy_tree(MlArena *arena, const MlTreeEnsemble *old, const MlTreeEnsemble *new, const MlTree *from,
		  MlTree *to)
{
	to->n_leaves = from->n_leaves;
	to->nodes = ml_arena_array(arena, from->n_leaves - 1, sizeof(*to->nodes));
	to->values = ml_arena_array(arena, from->n_leaves, sizeof(*to->values));
	to->rows = ml_arena_array(arena, from->n_leaves, sizeof(*to->rows));
	if (!to->nodes || !to->values || !to->rows)
		return ML_ENOMEM;
	memcpy(to->values, from->values, from->n_leaves * sizeof(*to->values));
	memcpy(to->rows, from->rows, from->n_leaves * sizeof(*to->rows));
	for (uint32_t i = 0; i + 1 < from->n_leaves; i++)
	{
		MlTreeNode *node = &to->nodes[i];

		*node = from->nodes[i];
		if (node->set)
			ML_TRY(widen_set(arena, &old->features[node->feature], &new->features[node->feature],
							 &node->set));
		else
			node->cut = find_cut(&new->features[node->feature],
								 old->features[node->feature].cuts[node->cut]);
	}
	return ML_OK;
}

/* Whether a model's trees can be gone on from: what the caller promises, checked. */
MlStatus
ml_gbdt_check_previous(MlEnv *env, const GbdtModel *previous, const MlDataset *data,
					   uint32_t n_outputs)
{
	const MlTreeEnsemble *trees = previous->trees;

	if (trees->n_features != data->schema->n_features || trees->n_outputs != n_outputs)
		return ml_fail(env, ML_EINVAL, "the model to go on from has other features or classes");
	if (previous->n_more > 0)
		return ml_fail(env, ML_EINVAL,
					   "the imported model cannot be gone on from: it tests a feature at more than "
					   "%d values",
					   ML_TREE_CUTS);
	for (uint32_t j = 0; j < trees->n_features; j++)
	{
		const MlFeature *feature = &data->schema->features[j];

		if (trees->features[j].categorical != feature->categorical ||
			(feature->categorical && trees->features[j].n_levels > feature->n_levels))
			return ml_fail(env, ML_EINVAL, "the model to go on from knows \"%.64s\" otherwise",
						   feature->name);
	}
	return ML_OK;
}

/* Copy the old trees to the first places of trees. */
MlStatus
ml_gbdt_copy_trees(MlArena *arena, const MlTreeEnsemble *old, const MlTreeEnsemble *new,
				   MlTree *trees)
{
	for (uint32_t t = 0; t < old->n_trees; t++)
	{
		ML_TRY(ml_poll(arena->env));
		ML_TRY(copy_tree(arena, old, new, &old->trees[t], &trees[t]));
	}
	return ML_OK;
}

/* ---- what the old trees say of the rows */

typedef struct ScoreJob
{
	const GbdtScoring *scoring;
	const MlRows *rows;
	size_t at; /* of the first row */
	double *x; /* by thread */
} ScoreJob;

static void
score_task(void *arg, size_t task, int worker)
{
	const ScoreJob *job = arg;
	const GbdtScoring *s = job->scoring;
	const MlTreeEnsemble *trees = s->previous->trees;
	size_t n_features = trees->n_features, first = task * SCORE_ROWS;
	size_t n = ML_MIN((size_t) SCORE_ROWS, job->rows->n - first);
	double *x = job->x + (size_t) worker * (SCORE_ROWS * n_features + trees->n_outputs);
	double *out = x + SCORE_ROWS * n_features;

	ml_dataset_block(s->data, job->rows, first, n, x);
	for (size_t i = 0; i < n; i++)
	{
		ml_trees_score(trees, x + i * n_features, out);
		for (uint32_t k = 0; k < trees->n_outputs; k++)
			s->scores[k * s->n_all + job->at + first + i] = (float) (out[k] - s->centre);
	}
}

/* Sums of the old trees: scores[k * n_all + place], less the centre, for train and then for others. */
MlStatus
ml_gbdt_score_previous(MlEnv *env, const GbdtScoring *scoring)
{
	const MlTreeEnsemble *trees = scoring->previous->trees;
	const MlRows *rows[2] = {scoring->train, scoring->others};
	size_t workers = (size_t) ml_pool_size(ml_env_pool(env));
	ScoreJob job = {.scoring = scoring};
	MlStatus status = ML_OK;

	job.x =
		ml_alloc_array(env, workers * (SCORE_ROWS * (size_t) trees->n_features + trees->n_outputs),
					   sizeof(double));
	if (!job.x)
		return ML_ENOMEM;
	for (int part = 0; part < 2 && status == ML_OK; part++)
	{
		job.rows = rows[part];
		job.at = part == 0 ? 0 : rows[0]->n;
		status = ml_pool_run(env, (rows[part]->n + SCORE_ROWS - 1) / SCORE_ROWS, score_task, &job);
	}
	ml_free(env, job.x);
	return status;
}
