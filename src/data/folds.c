/*
 * folds.c
 *		Hold-outs and folds of rows; dealing rows out at random.
 *
 * Folds at random are dealt like cards within each class: a class of n_k rows
 * gives each fold n_k / K of them, and what is left over goes on dealing where the class
 * before has ended, so that folds differ by one row at most, and so does each
 * class in them. Which row gets which of its class's places is Algorithm S of
 * Knuth (see split.c) with more than two outcomes: the places still free are
 * equally likely, nothing is shuffled, and a pass over the rows is enough.
 */
#include <string.h>

#include "core/rng.h"
#include "data/folds.h"
#include "data/split.h"

#define TILE 1024

/* Places still free: by class and fold, and by class. */
typedef struct Deal
{
	MlEnv *env;
	const MlSplitInput *input;
	uint32_t n_folds, n_classes;
	size_t *left; /* of a class */
	size_t *free; /* free[class * n_folds + fold] */
} Deal;

/* The classes of rows first..first+m-1; 0 when there are none. */
static void
read_classes(const Deal *deal, size_t first, size_t m, double *class)
{
	if (deal->n_classes > 1)
		ml_dataset_target(deal->input->data, &deal->input->rows, first, m, class);
	else
		memset(class, 0, m * sizeof(double));
}

/* Count the classes. */
static MlStatus
count_classes(Deal *deal)
{
	double class[TILE];

	for (size_t first = 0; first < deal->input->rows.n; first += TILE)
	{
		size_t m = ML_MIN(deal->input->rows.n - first, TILE);

		ML_TRY(ml_poll(deal->env));
		read_classes(deal, first, m, class);
		for (size_t i = 0; i < m; i++)
			deal->left[(size_t) class[i]]++;
	}
	return ML_OK;
}

/* How many rows of each class each fold gets. */
static void
share_out(Deal *deal)
{
	size_t next = 0; /* the fold that the next left-over row goes to */

	for (uint32_t k = 0; k < deal->n_classes; k++)
	{
		size_t *free = deal->free + (size_t) k * deal->n_folds;

		for (uint32_t f = 0; f < deal->n_folds; f++)
			free[f] = deal->left[k] / deal->n_folds;
		for (size_t i = 0; i < deal->left[k] % deal->n_folds; i++)
			free[next++ % deal->n_folds]++;
	}
}

/* The fold of the next row of a class, each free place as likely as the other. */
static uint16_t
draw(Deal *deal, size_t class, MlRng *rng)
{
	size_t *free = deal->free + class * deal->n_folds;
	size_t place = ml_rng_below(rng, deal->left[class]--);
	uint32_t f = 0;

	while (place >= free[f])
		place -= free[f++];
	free[f]--;
	return (uint16_t) f;
}

/* Deal all rows. */
static MlStatus
deal_rows(Deal *deal, uint16_t *part)
{
	double class[TILE];
	MlRng rng;

	ML_TRY(count_classes(deal));
	share_out(deal);
	ml_rng_seed(&rng, deal->input->seed, 1);
	for (size_t first = 0; first < deal->input->rows.n; first += TILE)
	{
		size_t m = ML_MIN(deal->input->rows.n - first, TILE);

		ML_TRY(ml_poll(deal->env));
		read_classes(deal, first, m, class);
		for (size_t i = 0; i < m; i++)
			part[first + i] = draw(deal, (size_t) class[i], &rng);
	}
	return ML_OK;
}

/* Folds at random, stratified by class. */
static MlStatus
parts_at_random(MlEnv *env, const MlSplitInput *input, uint32_t n_folds, uint16_t *part)
{
	bool classes = input->data->task == ML_CLASSIFICATION && input->data->target_column >= 0;
	Deal deal = {env, input, n_folds, classes ? input->data->n_classes : 1, NULL, NULL};
	MlStatus status = ML_ENOMEM;

	deal.left = ml_zalloc_array(env, deal.n_classes, sizeof(size_t));
	deal.free = ml_zalloc_array(env, (size_t) deal.n_classes * n_folds, sizeof(size_t));
	if (deal.left && deal.free)
		status = deal_rows(&deal, part);
	ml_free(env, deal.left);
	ml_free(env, deal.free);
	return status;
}

/* ---- folds */

MlStatus
ml_folds_create(MlArena *arena, const MlSplitInput *input, uint32_t n, MlFolds *folds)
{
	uint32_t n_parts = n + (input->order_column >= 0);
	double *shares;

	if (input->rows.n < n_parts)
	{
		ml_fail(arena->env, ML_EDATA, "%u folds cannot be made of %zu rows", n, input->rows.n);
		ml_hint(arena->env, "Use fewer folds, or a smaller hold-out.");
		return ML_EDATA;
	}
	*folds = (MlFolds){.rows = input->rows, .n = n, .ordered = input->order_column >= 0};
	folds->part = ml_arena_array(arena, input->rows.n, sizeof(uint16_t));
	shares = ml_arena_array(arena, n_parts, sizeof(double));
	if (!folds->part || !shares)
		return ML_ENOMEM;
	for (uint32_t p = 0; p < n_parts; p++)
		shares[p] = 1.0 / n_parts;
	if (input->group_column >= 0)
		return ml_parts_by_group(arena->env, input, shares, n_parts, folds->part);
	if (input->order_column >= 0)
		return ml_parts_in_order(arena->env, input, shares, n_parts, folds->part);
	return parts_at_random(arena->env, input, n, folds->part);
}

void
ml_folds_rows(const MlFolds *folds, uint32_t k, uint32_t *train, size_t *n_train, uint32_t *valid,
			  size_t *n_valid)
{
	uint32_t tested = folds->ordered ? k + 1 : k;
	size_t t = 0, v = 0;

	for (size_t i = 0; i < folds->rows.n; i++)
	{
		uint32_t row = folds->rows.index ? folds->rows.index[i] : (uint32_t) i;

		if (folds->part[i] == tested)
			valid[v++] = row;
		else if (!folds->ordered || folds->part[i] < tested)
			train[t++] = row;
	}
	*n_train = t;
	*n_valid = v;
}

/* ---- classes */

MlStatus
ml_check_classes(MlEnv *env, const MlDataset *data, const MlRows *rows)
{
	double class[TILE], seen = -1;

	if (data->task != ML_CLASSIFICATION)
		return ML_OK;
	for (size_t first = 0; first < rows->n; first += TILE)
	{
		size_t m = ML_MIN(rows->n - first, (size_t) TILE);

		ML_TRY(ml_poll(env));
		ml_dataset_target(data, rows, first, m, class);
		for (size_t i = 0; i < m; i++)
		{
			if (seen >= 0 && class[i] != seen)
				return ML_OK;
			seen = class[i];
		}
	}
	ml_fail(env, ML_EDATA, "the training rows have one class only");
	ml_hint(env, "Use fewer folds, or rows, groups or an order in which classes mix.");
	return ML_EDATA;
}

/* ---- the hold-out */

/* The rows of parts 0 and 1 of two. */
static MlStatus
collect_parts(MlArena *arena, const MlRows *rows, const uint16_t *part, MlRows *train,
			  MlRows *valid)
{
	MlFolds two = {.rows = *rows, .n = 2, .part = (uint16_t *) part};
	size_t n_valid = 0;
	uint32_t *train_index, *valid_index;

	for (size_t i = 0; i < rows->n; i++)
		n_valid += part[i];
	train_index = ml_arena_array(arena, rows->n - n_valid, sizeof(uint32_t));
	valid_index = ml_arena_array(arena, n_valid, sizeof(uint32_t));
	if (!train_index || !valid_index)
		return ML_ENOMEM;
	ml_folds_rows(&two, 1, train_index, &train->n, valid_index, &valid->n);
	train->index = train_index;
	valid->index = valid_index;
	return ML_OK;
}

MlStatus
ml_split_holdout(MlArena *arena, const MlSplitInput *input, double share, MlRows *train,
				 MlRows *valid)
{
	const double shares[2] = {1 - share, share};
	MlEnv *env = arena->env;
	uint16_t *part;
	MlStatus status;

	*train = input->rows;
	*valid = (MlRows){NULL, 0};
	if (input->group_column < 0 && input->order_column < 0)
		return ml_split_subset(arena, input->data, &input->rows, share, input->seed, train, valid);
	if (!(share > 0 && share < 1) || input->rows.n < 2)
		return ML_OK;
	part = ml_alloc_array(env, input->rows.n, sizeof(*part));
	if (!part)
		return ML_ENOMEM;
	status = input->group_column >= 0 ? ml_parts_by_group(env, input, shares, 2, part)
									  : ml_parts_in_order(env, input, shares, 2, part);
	if (status == ML_OK)
		status = collect_parts(arena, &input->rows, part, train, valid);
	ml_free(env, part);
	return status;
}
