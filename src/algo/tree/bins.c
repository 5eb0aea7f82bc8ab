/*
 * bins.c
 *		The bins of features: cuts of numbers, bins of levels.
 *
 * Cuts come from a sample of the rows, one out of each of SAMPLE_ROWS equal
 * runs, so that sorted data is covered evenly. The levels of a categorical
 * feature keep a bin each as long as there are enough; else the most frequent
 * do, and the others share one, which is also that of unseen levels.
 *
 * Where earlier trees are to be continued, their cuts and bins stay, so that
 * the trees go on to say what they did; what is new gets the bins that are left.
 *
 * Work is shared out by feature: the result does not depend on the threads.
 */
#include <string.h>

#include "algo/tree/binned.h"
#include "core/pool.h"
#include "core/rng.h"

#define SAMPLE_ROWS (1u << 17)
#define BLOCK_ROWS 4096
#define OWN_LEVELS (ML_TREE_BINS - 1) /* levels that can have a bin each, beside the missing bin */

typedef struct Finding
{
	MlEnv *env;
	MlBinnedInput in;
	MlTreeFeature *features;
	MlRows sample;
	uint32_t *sample_index;
	size_t scratch_size; /* doubles of each thread */
	double *scratch;   /* by thread; holds a sample and room to sort it, or the counts of levels */
	uint32_t max_cuts; /* of a feature: fewer than there are rows in the sample */
	double *cuts;      /* by feature */
} Finding;

/* Every row, or one at random from each of SAMPLE_ROWS equal runs of rows. */
static MlStatus
draw_sample(Finding *f)
{
	MlRng rng;
	size_t n = f->in.tiled->n;

	f->sample = *f->in.tiled;
	if (n <= SAMPLE_ROWS)
		return ML_OK;
	f->sample_index = ml_alloc_array(f->env, SAMPLE_ROWS, sizeof(*f->sample_index));
	if (!f->sample_index)
		return ML_ENOMEM;
	ml_rng_seed(&rng, f->in.seed, 0);
	for (uint64_t s = 0; s < SAMPLE_ROWS; s++)
	{
		uint64_t first = s * n / SAMPLE_ROWS, end = (s + 1) * n / SAMPLE_ROWS;
		uint64_t i = first + ml_rng_below(&rng, end - first);

		f->sample_index[s] = f->in.tiled->index ? f->in.tiled->index[i] : (uint32_t) i;
	}
	f->sample = (MlRows){f->sample_index, SAMPLE_ROWS};
	return ML_OK;
}

static bool
ends_with_infinity(const MlTreeFeature *feature)
{
	return feature->n_cuts > 0 && feature->cuts[feature->n_cuts - 1] == __builtin_inf();
}

/* The cuts of earlier trees, and as many of the sorted values' own as there is room for beside them. */
static void
add_cuts(const MlTreeFeature *old, const double *sorted, size_t n, uint32_t max_bins,
		 bool any_missing, MlTreeFeature *feature)
{
	double own[ML_TREE_CUTS];
	uint32_t room = ML_TREE_CUTS - old->n_cuts, n_own = 0, i = 0, k = 0;

	room -= any_missing && !ends_with_infinity(old) && room > 0;
	if (room > 0)
		n_own = ml_find_cuts(sorted, n, ML_MIN(max_bins - any_missing, room + 1), own);
	while (i < old->n_cuts || k < n_own)
	{
		bool take_old = k == n_own || (i < old->n_cuts && old->cuts[i] <= own[k]);
		double cut = take_old ? old->cuts[i++] : own[k++];

		if (feature->n_cuts == 0 || feature->cuts[feature->n_cuts - 1] < cut)
			feature->cuts[feature->n_cuts++] = cut;
	}
}

/* Cuts of a numeric feature from the sample. Where values are missing, the last cut parts them from all numbers. */
static void
find_number_bins(Finding *f, uint32_t j, double *values)
{
	MlTreeFeature *feature = &f->features[j];
	size_t n = 0;
	bool any_missing;

	ml_dataset_feature(f->in.data, j, &f->sample, 0, f->sample.n, values);
	for (size_t i = 0; i < f->sample.n; i++)
	{
		if (values[i] == values[i])
			values[n++] = values[i] + 0.0; /* there is one zero */
	}
	ml_sort_doubles(values, values + f->sample.n, n);
	feature->cuts = f->cuts + (size_t) j * f->max_cuts;
	any_missing = n < f->sample.n;
	if (f->in.previous)
		add_cuts(&f->in.previous[j], values, n, f->in.max_bins, any_missing, feature);
	else
		feature->n_cuts = ml_find_cuts(values, n, f->in.max_bins - any_missing, feature->cuts);
	if (any_missing && !ends_with_infinity(feature) && feature->n_cuts < ML_TREE_CUTS)
		feature->cuts[feature->n_cuts++] = __builtin_inf();
	feature->n_bins = feature->n_cuts + 2;
}

/*
 * The most frequent n levels, the lower code first among equals, get bins 0..n-1 and all others bin n.
 * room: the counts of the levels, and twice as much beyond.
 */
static void
keep_frequent_levels(MlTreeFeature *feature, double *room, uint32_t n)
{
	uint32_t n_levels = feature->n_levels;
	double *counts = room, *sorted = room + n_levels;
	uint32_t bin = 0, n_equal = n;
	double least;

	memcpy(sorted, counts, n_levels * sizeof(double));
	ml_sort_doubles(sorted, sorted + n_levels, n_levels);
	least = sorted[n_levels - n];
	for (uint32_t level = 0; level < n_levels; level++)
		n_equal -= counts[level] > least;
	for (uint32_t level = 0; level < n_levels; level++)
	{
		bool keep = counts[level] > least || (counts[level] == least && n_equal > 0);

		n_equal -= keep && counts[level] == least;
		feature->bin_of_level[level] = keep ? (uint8_t) bin++ : (uint8_t) n;
	}
}

/* Count the levels of a categorical feature over all tiled rows. */
static void
count_levels(Finding *f, uint32_t j, double *counts, double *values)
{
	memset(counts, 0, f->features[j].n_levels * sizeof(double));
	for (size_t first = 0; first < f->in.tiled->n; first += BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) BLOCK_ROWS, f->in.tiled->n - first);

		ml_dataset_feature(f->in.data, j, f->in.tiled, first, n, values);
		for (size_t i = 0; i < n; i++)
		{
			if (values[i] >= 0 && values[i] < f->features[j].n_levels)
				counts[(uint32_t) values[i]]++;
		}
	}
}

/* Bins of a categorical feature: by level, or of the most frequent levels. */
static void
find_level_bins(Finding *f, uint32_t j, double *room)
{
	MlTreeFeature *feature = &f->features[j];
	uint32_t n_levels = feature->n_levels;

	if (n_levels <= OWN_LEVELS)
	{
		for (uint32_t level = 0; level < n_levels; level++)
			feature->bin_of_level[level] = (uint8_t) level;
		feature->n_bins = n_levels + 1;
		feature->unseen_bin = (uint8_t) n_levels;
		return;
	}
	count_levels(f, j, room, room + 3 * (size_t) n_levels);
	keep_frequent_levels(feature, room, OWN_LEVELS - 1);
	feature->n_bins = ML_TREE_BINS;
	feature->unseen_bin = OWN_LEVELS - 1;
}

/* The bins of earlier trees' levels, and bins of their own for as many new levels as there are some left. */
static void
add_levels(const MlTreeFeature *old, MlTreeFeature *feature)
{
	uint32_t n_values = old->n_bins - 1; /* bins that are not the missing one */
	bool unseen_missing = old->unseen_bin == n_values;

	for (uint32_t level = 0; level < feature->n_levels; level++)
	{
		if (level < old->n_levels)
			feature->bin_of_level[level] = old->bin_of_level[level];
		else if (n_values < OWN_LEVELS)
			feature->bin_of_level[level] = (uint8_t) n_values++;
		else
			feature->bin_of_level[level] = unseen_missing ? OWN_LEVELS : old->unseen_bin;
	}
	feature->n_bins = n_values + 1;
	feature->unseen_bin = unseen_missing ? (uint8_t) n_values : old->unseen_bin;
}

static void
find_bins_task(void *arg, size_t task, int worker)
{
	Finding *f = arg;
	double *room = f->scratch + (size_t) worker * f->scratch_size;

	if (f->features[task].categorical && f->in.previous)
		add_levels(&f->in.previous[task], &f->features[task]);
	else if (f->features[task].categorical)
		find_level_bins(f, (uint32_t) task, room);
	else
		find_number_bins(f, (uint32_t) task, room);
}

/* Kinds of the features, and the memory for their bins. */
static MlStatus
prepare_features(Finding *f, MlArena *arena)
{
	const MlSchema *schema = f->in.data->schema;
	size_t max_levels = 0;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		MlTreeFeature *feature = &f->features[j];

		feature->categorical = schema->features[j].categorical;
		if (!feature->categorical)
			continue;
		feature->n_levels = schema->features[j].n_levels;
		feature->bin_of_level = ml_arena_alloc(arena, feature->n_levels);
		if (!feature->bin_of_level)
			return ML_ENOMEM;
		max_levels = ML_MAX(max_levels, feature->n_levels);
	}
	f->scratch_size = ML_MAX(2 * f->sample.n, 3 * max_levels + BLOCK_ROWS);
	f->scratch_size = ML_MAX(f->scratch_size, (size_t) BLOCK_ROWS);
	f->max_cuts =
		f->in.previous ? ML_TREE_CUTS : (uint32_t) ML_MIN(f->sample.n + 1, (size_t) ML_TREE_CUTS);
	f->cuts = ml_alloc_array(f->env, schema->n_features, f->max_cuts * sizeof(double));
	f->scratch = ml_alloc_array(
		f->env, f->scratch_size * (size_t) ml_pool_size(ml_env_pool(f->env)), sizeof(double));
	return f->cuts && f->scratch ? ML_OK : ML_ENOMEM;
}

/* Move the cuts to the arena, in the size they have. */
static MlStatus
keep_cuts(Finding *f, MlArena *arena)
{
	for (uint32_t j = 0; j < f->in.data->schema->n_features; j++)
	{
		MlTreeFeature *feature = &f->features[j];
		double *cuts;

		if (feature->categorical)
			continue;
		cuts = ml_arena_array(arena, feature->n_cuts, sizeof(double));
		if (!cuts)
			return ML_ENOMEM;
		memcpy(cuts, feature->cuts, feature->n_cuts * sizeof(double));
		feature->cuts = cuts;
	}
	return ML_OK;
}

static MlStatus
find_bins(Finding *f, MlArena *arena)
{
	ML_TRY(draw_sample(f));
	ML_TRY(prepare_features(f, arena));
	ML_TRY(ml_pool_run(f->env, f->in.data->schema->n_features, find_bins_task, f));
	return keep_cuts(f, arena);
}

/* The bins of each feature, in arena. features: n_features of the schema, written here. */
MlStatus
ml_bins_find(MlEnv *env, MlArena *arena, const MlBinnedInput *input, MlTreeFeature *features)
{
	Finding f = {.env = env, .in = *input, .features = features};
	MlStatus status = find_bins(&f, arena);

	ml_free(env, f.sample_index);
	ml_free(env, f.scratch);
	ml_free(env, f.cuts);
	return status;
}
