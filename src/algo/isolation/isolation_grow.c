/*
 * isolation_grow.c
 *		Growing the trees: Algorithms 1 and 2 of Liu, Ting and Zhou 2008.
 *
 * A tree is a task of its own, with random numbers of its own; trees are grown a
 * few at a time and then packed together, so that memory stays small and nothing
 * depends on the number of threads. A node reads the values of one feature of its
 * rows from the frame when it needs them. Features that are constant in a node
 * are so in all below it: they wait in front of the others and are not drawn
 * again there.
 *
 * The paper draws an attribute and gives up when it is constant; here another
 * one is drawn, as scikit-learn does. Where rows have weights, a sample is drawn
 * with replacement by them.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "algo/isolation/isolation.h"
#include "core/pool.h"

#define WAVE 16       /* trees grown before they are packed */
#define SEED_TRIES 32 /* seeds tried until a set of levels splits */
#define SEED_BITS 48  /* of a seed: an integer that a double holds */
#define EMPTY UINT32_MAX

/* A node that waits for being grown. */
typedef struct Waiting
{
	uint32_t first, n; /* rows of the sample */
	uint32_t depth;
	uint32_t n_constant; /* features known to be constant */
	uint32_t parent;     /* whose right child it is; EMPTY: nobody's */
} Waiting;

/* What a worker needs for a tree. */
typedef struct Scratch
{
	uint32_t *sample; /* psi row numbers */
	uint32_t *spare;  /* psi */
	uint32_t *table;  /* n_slots: the set of a sample */
	uint32_t *features;
	double *values; /* psi */
} Scratch;

typedef struct Tree
{
	MlIsoNode *nodes; /* room for 2 psi - 1 */
	uint32_t *rows;
	uint32_t n_nodes;
} Tree;

typedef struct Wave
{
	const MlIsoForest *forest;
	uint32_t first_tree, n_slots;
	uint32_t max_depth; /* the height limit l */
	Scratch *scratch;
	Tree trees[WAVE];
} Wave;

/* ---- samples */

/* Put a number into the set; false: it is there already. */
static bool
enter(const Wave *wave, Scratch *s, uint32_t number)
{
	uint32_t slot = (uint32_t) ml_mix64(number) & (wave->n_slots - 1);

	while (s->table[slot] != EMPTY && s->table[slot] != number)
		slot = (slot + 1) & (wave->n_slots - 1);
	if (s->table[slot] == number)
		return false;
	s->table[slot] = number;
	return true;
}

/* psi of n numbers, without replacement (Floyd's algorithm; Bentley, CACM 30, 1987). */
static void
sample_evenly(const Wave *wave, Scratch *s, MlRng *rng)
{
	uint32_t n = (uint32_t) wave->forest->input->train.n, psi = wave->forest->psi;

	memset(s->table, 0xff, wave->n_slots * sizeof(uint32_t)); /* EMPTY */
	for (uint32_t i = 0; i < psi; i++)
	{
		uint32_t last = n - psi + i, number = (uint32_t) ml_rng_below(rng, (uint64_t) last + 1);

		if (!enter(wave, s, number))
		{
			number = last;
			enter(wave, s, number);
		}
		s->sample[i] = number;
	}
}

/* psi numbers by weight, with replacement. */
static void
sample_by_weight(const Wave *wave, Scratch *s, MlRng *rng)
{
	const double *sums = wave->forest->weights;
	size_t n = wave->forest->input->train.n;

	for (uint32_t i = 0; i < wave->forest->psi; i++)
	{
		double place = ml_rng_uniform(rng) * sums[n - 1];
		size_t low = 0, high = n - 1;

		while (low < high)
		{
			size_t middle = (low + high) / 2;

			if (sums[middle] > place)
				high = middle;
			else
				low = middle + 1;
		}
		s->sample[i] = (uint32_t) low;
	}
}

/* The rows of a tree's sample. */
static void
draw_sample(const Wave *wave, Scratch *s, MlRng *rng)
{
	const uint32_t *index = wave->forest->input->train.index;

	if (wave->forest->weights)
		sample_by_weight(wave, s, rng);
	else
		sample_evenly(wave, s, rng);
	for (uint32_t i = 0; index && i < wave->forest->psi; i++)
		s->sample[i] = index[s->sample[i]];
}

/* ---- splits */

/* Infinite values are as far as a number can be. */
static inline double
bounded(double x)
{
	return x > DBL_MAX ? DBL_MAX : x < -DBL_MAX ? -DBL_MAX : x;
}

/* A threshold between the least and the greatest of n values; false: there is none. */
static bool
draw_threshold(const double *values, uint32_t n, MlRng *rng, double *threshold)
{
	double low = INFINITY, high = -INFINITY, u;

	for (uint32_t i = 0; i < n; i++)
		if (values[i] == values[i])
		{
			double x = bounded(values[i]);

			low = x < low ? x : low;
			high = x > high ? x : high;
		}
	if (!(low < high))
		return false;
	u = ml_rng_uniform(rng);
	*threshold = low * (1 - u) + high * u;
	if (!(*threshold >= low && *threshold < high))
		*threshold = low;
	return true;
}

/* A seed by which some of the levels go left and some right; false: there is but one. */
static bool
draw_seed(const double *values, uint32_t n, MlRng *rng, double *seed)
{
	double one = NAN;
	bool several = false;

	for (uint32_t i = 0; i < n && !several; i++)
		if (values[i] >= 0)
		{
			several = one == one && values[i] != one;
			one = values[i];
		}
	for (int attempt = 0; several && attempt < SEED_TRIES; attempt++)
	{
		uint32_t left = 0, right = 0;

		*seed = (double) (ml_rng_next(rng) >> (64 - SEED_BITS));
		for (uint32_t i = 0; i < n; i++)
			if (values[i] >= 0)
			{
				bool goes_left = ml_iso_level_left(*seed, (uint32_t) values[i]);

				left += goes_left;
				right += !goes_left;
			}
		if (left > 0 && right > 0)
			return true;
	}
	return false;
}

/* Draw a feature that is not constant in a node, and where to split it; false: all are constant. */
static bool
draw_split(const Wave *wave, Scratch *s, Waiting *w, MlRng *rng, MlIsoNode *node)
{
	const MlDataset *data = wave->forest->input->data;
	uint32_t n_features = data->schema->n_features;
	MlRows rows = {s->sample + w->first, w->n};

	while (w->n_constant < n_features)
	{
		uint32_t at = w->n_constant + (uint32_t) ml_rng_below(rng, n_features - w->n_constant);
		uint32_t feature = s->features[at];
		bool levels = data->schema->features[feature].categorical;

		ml_dataset_feature(data, feature, &rows, 0, w->n, s->values);
		if (levels ? draw_seed(s->values, w->n, rng, &node->value)
				   : draw_threshold(s->values, w->n, rng, &node->value))
		{
			node->feature = feature | (levels ? ISO_LEVELS : 0);
			return true;
		}
		s->features[at] = s->features[w->n_constant];
		s->features[w->n_constant++] = feature;
	}
	return false;
}

/* Part the rows of a node by the values of its feature; returns how many go left. Sets the node's bits. */
static uint32_t
part_rows(Scratch *s, const Waiting *w, MlIsoNode *node)
{
	uint32_t left = 0, right = 0, n_left = 0, n_right = 0;
	uint32_t *sample = s->sample + w->first;

	for (uint32_t i = 0; i < w->n; i++)
		if (s->values[i] == s->values[i])
		{
			bool goes_left = node->feature & ISO_LEVELS
								 ? ml_iso_level_left(node->value, (uint32_t) s->values[i])
								 : s->values[i] <= node->value;

			left += goes_left;
			right += !goes_left;
		}
	node->feature |= left >= right ? ISO_MISSING_LEFT : ISO_UNSEEN_LEFT;
	for (uint32_t i = 0; i < w->n; i++)
	{
		bool goes_left = s->values[i] != s->values[i] ? (node->feature & ISO_MISSING_LEFT) != 0
						 : node->feature & ISO_LEVELS
							 ? ml_iso_level_left(node->value, (uint32_t) s->values[i])
							 : s->values[i] <= node->value;

		if (goes_left)
			sample[n_left++] = sample[i];
		else
			s->spare[n_right++] = sample[i];
	}
	memcpy(sample + n_left, s->spare, n_right * sizeof(uint32_t));
	return n_left;
}

/* ---- trees */

/* Grow one node; its children wait on the stack. */
static void
grow_node(const Wave *wave, Scratch *s, Tree *tree, Waiting *stack, int *depth, MlRng *rng)
{
	Waiting w = stack[--*depth];
	uint32_t at = tree->n_nodes++, n_left;
	MlIsoNode *node = &tree->nodes[at];

	*node = (MlIsoNode){0};
	tree->rows[at] = w.n;
	if (w.parent != EMPTY)
		tree->nodes[w.parent].right = at;
	if (w.n <= 1 || w.depth >= wave->max_depth || !draw_split(wave, s, &w, rng, node))
	{
		node->value = w.depth + wave->forest->average[w.n];
		return;
	}
	n_left = part_rows(s, &w, node);
	stack[(*depth)++] = (Waiting){w.first + n_left, w.n - n_left, w.depth + 1, w.n_constant, at};
	stack[(*depth)++] = (Waiting){w.first, n_left, w.depth + 1, w.n_constant, EMPTY};
}

/* A task: a tree. */
static void
grow_tree(void *arg, size_t task, int worker)
{
	Wave *wave = arg;
	const MlIsoForest *forest = wave->forest;
	Scratch *s = &wave->scratch[worker];
	Waiting stack[ISO_MAX_DEPTH + 2];
	int depth = 1;
	MlRng rng;

	ml_rng_seed(&rng, forest->input->seed, wave->first_tree + task);
	draw_sample(wave, s, &rng);
	for (uint32_t j = 0; j < forest->input->data->schema->n_features; j++)
		s->features[j] = j;
	stack[0] = (Waiting){0, forest->psi, 0, 0, EMPTY};
	wave->trees[task].n_nodes = 0;
	while (depth > 0)
		grow_node(wave, s, &wave->trees[task], stack, &depth, &rng);
}

/* ---- waves */

/* Append the trees of a wave to the forest. */
static MlStatus
pack(MlIsoForest *forest, const Wave *wave, uint32_t n)
{
	for (uint32_t t = 0; t < n; t++)
	{
		const Tree *tree = &wave->trees[t];
		size_t end = forest->n_nodes + tree->n_nodes;

		ML_TRY(
			ml_grow(forest->env, &forest->nodes, &forest->nodes_capacity, end, sizeof(MlIsoNode)));
		ML_TRY(ml_grow(forest->env, &forest->rows, &forest->rows_capacity, end, sizeof(uint32_t)));
		memcpy(forest->nodes + forest->n_nodes, tree->nodes, tree->n_nodes * sizeof(MlIsoNode));
		memcpy(forest->rows + forest->n_nodes, tree->rows, tree->n_nodes * sizeof(uint32_t));
		forest->first[wave->first_tree + t] = forest->n_nodes;
		forest->n_nodes = end;
	}
	forest->first[wave->first_tree + n] = forest->n_nodes;
	return ML_OK;
}

/* Room for a wave in one piece; *block is freed by the caller. */
static MlStatus
make_wave(Wave *wave, uint8_t **block)
{
	MlEnv *env = wave->forest->env;
	size_t psi = wave->forest->psi, n_features = wave->forest->input->data->schema->n_features;
	size_t workers = (size_t) ml_pool_size(ml_env_pool(env)), at = 0;
	size_t tree = 2 * psi * (sizeof(MlIsoNode) + sizeof(uint32_t));
	size_t scratch = psi * (sizeof(double) + 2 * sizeof(uint32_t)) +
					 (wave->n_slots + n_features + n_features % 2) * sizeof(uint32_t);

	*block = ml_alloc(env, WAVE * tree + workers * scratch);
	wave->scratch = ml_alloc_array(env, workers, sizeof(Scratch));
	if (!*block || !wave->scratch)
		return ML_ENOMEM;
	for (int t = 0; t < WAVE; t++, at += tree)
	{
		wave->trees[t].nodes = (MlIsoNode *) (*block + at);
		wave->trees[t].rows = (uint32_t *) (*block + at + 2 * psi * sizeof(MlIsoNode));
	}
	for (size_t w = 0; w < workers; w++, at += scratch)
	{
		Scratch *s = &wave->scratch[w];

		s->values = (double *) (*block + at);
		s->sample = (uint32_t *) (s->values + psi);
		s->spare = s->sample + psi;
		s->table = s->spare + psi;
		s->features = s->table + wave->n_slots;
	}
	return ML_OK;
}

/* Algorithm 1. */
MlStatus
ml_iso_grow(MlIsoForest *forest)
{
	Wave wave = {.forest = forest, .n_slots = 2, .max_depth = 0};
	uint8_t *block = NULL;
	MlStatus status;

	while (wave.n_slots < 2 * forest->psi)
		wave.n_slots *= 2;
	while ((uint32_t) 1 << wave.max_depth < forest->psi)
		wave.max_depth++;
	status = make_wave(&wave, &block);
	for (uint32_t t = 0; t < forest->n_trees && status == ML_OK; t += WAVE)
	{
		uint32_t n = ML_MIN(forest->n_trees - t, (uint32_t) WAVE);

		wave.first_tree = t;
		status = ml_pool_run(forest->env, n, grow_tree, &wave);
		if (status == ML_OK)
			status = pack(forest, &wave, n);
		if (status == ML_OK)
			ml_report(forest->env, &(MlProgress){.iteration = (int) (t + n),
												 .total = (int) forest->n_trees,
												 .loss = NAN,
												 .valid_loss = NAN});
	}
	ml_free(forest->env, wave.scratch);
	ml_free(forest->env, block);
	return status;
}
