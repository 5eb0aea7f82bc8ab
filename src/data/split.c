/*
 * split.c
 *		Hash parts of a key, and the random hold-out of a training.
 *
 * The numbers here are a promise: a row that was in the test part stays there,
 * in every release and on every machine. The unit test holds golden values.
 *
 * The hold-out is Algorithm S of Knuth, The Art of Computer Programming 2,
 * 3.4.2 (selection sampling), once per class: with r rows of the class still to
 * come and s of them still to be chosen, a row is chosen with probability s/r.
 * The counts come out exactly, the indexes ascend, and nothing is shuffled.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "data/split.h"

#define TILE 1024

/* A pseudo-random number in [0, 1) for a hash and a seed. */
double
ml_split_uniform(uint64_t hash, uint64_t seed)
{
	return (double) (ml_mix64(hash ^ ml_mix64(seed)) >> 11) * 0x1p-53;
}

/* The 0-based part of a hash; fractions sum to 1. A part of fraction 0 gets nothing. */
int
ml_part_of(uint64_t hash, const double *fractions, int n)
{
	double u = ml_split_uniform(hash, 0), end = 0;
	int last = 0;

	for (int part = 0; part < n; part++)
	{
		end += fractions[part];
		if (fractions[part] > 0)
			last = part;
		if (u < end)
			return part;
	}
	return last; /* the sum fell short of 1 by rounding */
}

/* A class, or all rows when there are none. */
typedef struct Stratum
{
	size_t left;   /* rows still to come */
	size_t chosen; /* of them still to be chosen for the hold-out */
	double rest;   /* of the exact share, after rounding down */
	uint32_t class;
} Stratum;

typedef struct Split
{
	MlEnv *env;
	const MlDataset *data;
	MlRows rows;
	uint32_t n_strata; /* 1: not stratified */
	Stratum *strata;
} Split;

/* The strata of rows first..first+m-1. */
static void
read_strata(const Split *split, size_t first, size_t m, double *stratum)
{
	if (split->n_strata > 1)
		ml_dataset_target(split->data, &split->rows, first, m, stratum);
	else
		memset(stratum, 0, m * sizeof(double));
}

/* Count the rows of each stratum. */
static MlStatus
count_strata(Split *split)
{
	double stratum[TILE];

	for (size_t first = 0; first < split->rows.n; first += TILE)
	{
		size_t m = ML_MIN(split->rows.n - first, TILE);

		ML_TRY(ml_poll(split->env));
		read_strata(split, first, m, stratum);
		for (size_t i = 0; i < m; i++)
			split->strata[(size_t) stratum[i]].left++;
	}
	return ML_OK;
}

/* Larger rests first, then the lower class. */
static int
compare_rests(const void *a, const void *b)
{
	const Stratum *x = a, *y = b;

	if (x->rest != y->rest)
		return x->rest > y->rest ? -1 : 1;
	return x->class < y->class ? -1 : 1;
}

static int
compare_classes(const void *a, const void *b)
{
	const Stratum *x = a, *y = b;

	return x->class < y->class ? -1 : 1;
}

/*
 * How many rows each stratum gives: its share rounded down, and the rows that are then missing to
 * the share of all rows go to the largest rests (Hamilton's method). A stratum keeps one row at
 * least. Returns the sum.
 */
static size_t
share_out(Split *split, double holdout)
{
	size_t total = 0, wanted = (size_t) floor((double) split->rows.n * holdout + 0.5);

	for (uint32_t k = 0; k < split->n_strata; k++)
	{
		Stratum *s = &split->strata[k];
		double share = (double) s->left * holdout;

		s->class = k;
		s->chosen = s->left ? ML_MIN((size_t) share, s->left - 1) : 0;
		s->rest = share - (double) s->chosen;
		total += s->chosen;
	}
	qsort(split->strata, split->n_strata, sizeof(Stratum), compare_rests);
	for (uint32_t k = 0; k < split->n_strata && total < wanted; k++)
		if (split->strata[k].chosen + 1 < split->strata[k].left)
		{
			split->strata[k].chosen++;
			total++;
		}
	qsort(split->strata, split->n_strata, sizeof(Stratum), compare_classes);
	return total;
}

/* Algorithm S over all rows. */
static MlStatus
choose_rows(Split *split, uint64_t seed, uint32_t *train, uint32_t *valid)
{
	double stratum[TILE];
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t first = 0; first < split->rows.n; first += TILE)
	{
		size_t m = ML_MIN(split->rows.n - first, TILE);

		ML_TRY(ml_poll(split->env));
		read_strata(split, first, m, stratum);
		for (size_t i = 0; i < m; i++)
		{
			Stratum *s = &split->strata[(size_t) stratum[i]];
			size_t at = first + i;
			uint32_t row = split->rows.index ? split->rows.index[at] : (uint32_t) at;

			if (ml_rng_below(&rng, s->left--) < s->chosen)
			{
				s->chosen--;
				*valid++ = row;
			}
			else
				*train++ = row;
		}
	}
	return ML_OK;
}

/* Count, share out and choose. */
static MlStatus
split_strata(Split *split, MlArena *arena, double holdout, uint64_t seed, MlRows *train,
			 MlRows *valid)
{
	uint32_t *train_index, *valid_index;
	size_t n_valid;

	ML_TRY(count_strata(split));
	n_valid = share_out(split, holdout);
	if (n_valid == 0)
		return ML_OK;
	train_index = ml_arena_array(arena, split->rows.n - n_valid, sizeof(uint32_t));
	valid_index = ml_arena_array(arena, n_valid, sizeof(uint32_t));
	if (!train_index || !valid_index)
		return ML_ENOMEM;
	ML_TRY(choose_rows(split, seed, train_index, valid_index));
	*train = (MlRows){train_index, split->rows.n - n_valid};
	*valid = (MlRows){valid_index, n_valid};
	return ML_OK;
}

/* Split some rows at random, stratified by class. */
MlStatus
ml_split_subset(MlArena *arena, const MlDataset *data, const MlRows *rows, double holdout,
				uint64_t seed, MlRows *train, MlRows *valid)
{
	bool classes = data->task == ML_CLASSIFICATION && data->target_column >= 0;
	Split split = {.env = arena->env, .data = data, .rows = *rows};
	MlStatus status;

	*train = *rows;
	*valid = (MlRows){NULL, 0};
	if (!(holdout > 0 && holdout < 1) || rows->n < 2)
		return ML_OK;
	split.n_strata = classes ? data->n_classes : 1;
	split.strata = ml_zalloc_array(split.env, split.n_strata, sizeof(Stratum));
	if (!split.strata)
		return ML_ENOMEM;
	status = split_strata(&split, arena, holdout, seed, train, valid);
	ml_free(split.env, split.strata);
	return status;
}

MlStatus
ml_split_rows(MlArena *arena, const MlDataset *data, size_t n, double holdout, uint64_t seed,
			  MlRows *train, MlRows *valid)
{
	return ml_split_subset(arena, data, &(MlRows){NULL, n}, holdout, seed, train, valid);
}
