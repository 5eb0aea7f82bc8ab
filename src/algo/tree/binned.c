/*
 * binned.c
 *		From a dataset to bins: find the bins of each feature, then bin the rows.
 *
 * Cuts come from a sample of the rows, one out of each of SAMPLE_ROWS equal
 * runs, so that sorted data is covered evenly. The levels of a categorical
 * feature keep a bin each as long as there are enough; else the most frequent
 * do, and the others share one, which is also that of unseen levels.
 *
 * Work is shared out by feature, then by blocks of rows: the result does not
 * depend on the threads.
 */
#include <string.h>

#include "algo/tree/binned.h"
#include "core/pool.h"
#include "core/rng.h"

#define SAMPLE_ROWS (1u << 17)
#define BLOCK_ROWS 4096        /* of a task, at most ... */
#define BLOCK_CELLS (1u << 20) /* ... so that it has about so many cells: some 5 ms */
#define MIN_BLOCK_ROWS 64
#define OWN_LEVELS (ML_TREE_BINS - 1) /* levels that can have a bin each, beside the missing bin */

typedef struct Binning
{
	MlEnv *env;
	MlBinnedInput in;
	MlTreeFeature *features;
	MlBinned *binned;

	MlRows sample;
	uint32_t *sample_index;
	size_t block_rows;   /* of a task that bins rows */
	size_t scratch_size; /* doubles of each thread */
	double *scratch;   /* by thread; holds a sample and room to sort it, or the counts of levels */
	uint32_t max_cuts; /* of a feature: fewer than there are rows in the sample */
	double *cuts;      /* by feature */
} Binning;

/* ---- finding bins */

/* Every row, or one at random from each of SAMPLE_ROWS equal runs of rows. */
static MlStatus
draw_sample(Binning *b)
{
	MlRng rng;
	size_t n = b->in.tiled->n;

	b->sample = *b->in.tiled;
	if (n <= SAMPLE_ROWS)
		return ML_OK;
	b->sample_index = ml_alloc_array(b->env, SAMPLE_ROWS, sizeof(*b->sample_index));
	if (!b->sample_index)
		return ML_ENOMEM;
	ml_rng_seed(&rng, b->in.seed, 0);
	for (uint64_t s = 0; s < SAMPLE_ROWS; s++)
	{
		uint64_t first = s * n / SAMPLE_ROWS, end = (s + 1) * n / SAMPLE_ROWS;
		uint64_t i = first + ml_rng_below(&rng, end - first);

		b->sample_index[s] = b->in.tiled->index ? b->in.tiled->index[i] : (uint32_t) i;
	}
	b->sample = (MlRows){b->sample_index, SAMPLE_ROWS};
	return ML_OK;
}

/* Cuts of a numeric feature from the sample. Where values are missing, the last cut parts them from all numbers. */
static void
find_number_bins(Binning *b, uint32_t j, double *values)
{
	MlTreeFeature *feature = &b->features[j];
	size_t n = 0;
	bool any_missing;

	ml_dataset_feature(b->in.data, j, &b->sample, 0, b->sample.n, values);
	for (size_t i = 0; i < b->sample.n; i++)
	{
		if (values[i] == values[i])
			values[n++] = values[i] + 0.0; /* there is one zero */
	}
	ml_sort_doubles(values, values + b->sample.n, n);
	feature->cuts = b->cuts + (size_t) j * b->max_cuts;
	any_missing = n < b->sample.n;
	feature->n_cuts = ml_find_cuts(values, n, b->in.max_bins - any_missing, feature->cuts);
	if (any_missing)
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
count_levels(Binning *b, uint32_t j, double *counts, double *values)
{
	memset(counts, 0, b->features[j].n_levels * sizeof(double));
	for (size_t first = 0; first < b->in.tiled->n; first += BLOCK_ROWS)
	{
		size_t n = ML_MIN((size_t) BLOCK_ROWS, b->in.tiled->n - first);

		ml_dataset_feature(b->in.data, j, b->in.tiled, first, n, values);
		for (size_t i = 0; i < n; i++)
		{
			if (values[i] >= 0 && values[i] < b->features[j].n_levels)
				counts[(uint32_t) values[i]]++;
		}
	}
}

/* Bins of a categorical feature: by level, or of the most frequent levels. */
static void
find_level_bins(Binning *b, uint32_t j, double *room)
{
	MlTreeFeature *feature = &b->features[j];
	uint32_t n_levels = feature->n_levels;

	if (n_levels <= OWN_LEVELS)
	{
		for (uint32_t level = 0; level < n_levels; level++)
			feature->bin_of_level[level] = (uint8_t) level;
		feature->n_bins = n_levels + 1;
		feature->unseen_bin = (uint8_t) n_levels;
		return;
	}
	count_levels(b, j, room, room + 3 * (size_t) n_levels);
	keep_frequent_levels(feature, room, OWN_LEVELS - 1);
	feature->n_bins = ML_TREE_BINS;
	feature->unseen_bin = OWN_LEVELS - 1;
}

static void
find_bins_task(void *arg, size_t task, int worker)
{
	Binning *b = arg;
	double *room = b->scratch + (size_t) worker * b->scratch_size;

	if (b->features[task].categorical)
		find_level_bins(b, (uint32_t) task, room);
	else
		find_number_bins(b, (uint32_t) task, room);
}

/* Kinds of the features, and the memory for their bins. */
static MlStatus
prepare_features(Binning *b, MlArena *arena)
{
	const MlSchema *schema = b->in.data->schema;
	size_t max_levels = 0;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		MlTreeFeature *feature = &b->features[j];

		feature->categorical = schema->features[j].categorical;
		if (!feature->categorical)
			continue;
		feature->n_levels = schema->features[j].n_levels;
		feature->bin_of_level = ml_arena_alloc(arena, feature->n_levels);
		if (!feature->bin_of_level)
			return ML_ENOMEM;
		max_levels = ML_MAX(max_levels, feature->n_levels);
	}
	b->scratch_size = ML_MAX(2 * b->sample.n, 3 * max_levels + BLOCK_ROWS);
	b->scratch_size = ML_MAX(b->scratch_size, (size_t) BLOCK_ROWS);
	b->max_cuts = (uint32_t) ML_MIN(b->sample.n + 1, (size_t) ML_TREE_CUTS);
	b->cuts = ml_alloc_array(b->env, schema->n_features, b->max_cuts * sizeof(double));
	b->scratch = ml_alloc_array(
		b->env, b->scratch_size * (size_t) ml_pool_size(ml_env_pool(b->env)), sizeof(double));
	return b->cuts && b->scratch ? ML_OK : ML_ENOMEM;
}

/* Move the cuts to the arena, in the size they have. */
static MlStatus
keep_cuts(Binning *b, MlArena *arena)
{
	for (uint32_t j = 0; j < b->in.data->schema->n_features; j++)
	{
		MlTreeFeature *feature = &b->features[j];
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

/* ---- binning rows */

/* Which of the strides holds the bins of a feature. */
static int
stride_of(const MlTreeFeature *feature)
{
	int s = ML_BINNED_STRIDES - 1;

	while (ml_binned_stride[s] < feature->n_bins)
		s--;
	return s;
}

/* Number the features that can be split, by falling stride, and lay their cells out. */
static void
number_features(Binning *b)
{
	MlBinned *binned = b->binned;

	binned->cell[0] = 0;
	for (int s = 0; s < ML_BINNED_STRIDES; s++)
	{
		for (uint32_t j = 0; j < b->in.data->schema->n_features; j++)
		{
			uint32_t a = binned->n_active;

			if (b->features[j].n_bins < 2 || stride_of(&b->features[j]) != s)
				continue;
			binned->active[a] = j;
			binned->cell[a + 1] = binned->cell[a] + ml_binned_stride[s];
			binned->n_active++;
		}
	}
}

/* Group the active features into tiles of about equal size. */
static MlStatus
lay_out(Binning *b)
{
	MlBinned *binned = b->binned;
	uint32_t n_features = b->in.data->schema->n_features, cells, n_tiles;

	binned->active = ml_alloc_array(b->env, n_features, sizeof(*binned->active));
	binned->cell = ml_alloc_array(b->env, (size_t) n_features + 1, sizeof(*binned->cell));
	binned->tiles = ml_zalloc_array(b->env, n_features, sizeof(*binned->tiles));
	if (!binned->active || !binned->cell || !binned->tiles)
		return ML_ENOMEM;
	number_features(b);
	cells = binned->cell[binned->n_active];
	n_tiles = (cells + ML_BINNED_TILE_CELLS - 1) / ML_BINNED_TILE_CELLS;
	for (uint32_t a = 0; a < binned->n_active; a++)
	{
		MlBinnedTile *tile = &binned->tiles[binned->n_tiles];
		uint32_t used = binned->cell[a] - binned->cell[tile->first];

		if (tile->n > 0 && (used + binned->cell[a + 1] - binned->cell[a] > ML_BINNED_TILE_CELLS ||
							(size_t) used * n_tiles >= cells))
			tile = &binned->tiles[++binned->n_tiles];
		if (tile->n++ == 0)
			tile->first = a;
		tile->n_of_stride[stride_of(&b->features[binned->active[a]])]++;
	}
	binned->n_tiles += binned->n_active > 0;
	return ML_OK;
}

/* Memory for the bytes themselves. */
static MlStatus
allocate_bytes(Binning *b)
{
	MlBinned *binned = b->binned;
	size_t n_tiled = b->in.tiled->n, at = 0;

	binned->n_rows = n_tiled + b->in.others->n;
	binned->column_bytes = (binned->n_rows + 2 * ML_BINNED_PAD - 1) / ML_BINNED_PAD * ML_BINNED_PAD;
	ML_TRY(ml_region_alloc(b->env, &binned->column_region, binned->n_active, binned->column_bytes));
	binned->columns = binned->column_region.data;
	if (b->in.columns_only)
		return ML_OK;
	ML_TRY(ml_region_alloc(b->env, &binned->tile_region, n_tiled + ML_BINNED_PAD,
						   ML_MAX(binned->n_active, 1u)));
	for (uint32_t t = 0; t < binned->n_tiles; t++)
	{
		binned->tiles[t].rows = (uint8_t *) binned->tile_region.data + at;
		at += n_tiled * binned->tiles[t].n;
	}
	return ML_OK;
}

/* Bins of n values of a numeric feature: all cuts are searched by the same halvings. */
static void
bin_numbers(const MlTreeFeature *feature, const double *padded, uint32_t top, const double *values,
			size_t n, uint8_t *bins)
{
	uint8_t missing = (uint8_t) (feature->n_bins - 1);

	for (size_t i = 0; i < n; i++)
	{
		double value = values[i];
		uint32_t at = 0;

		for (uint32_t step = top; step > 0; step >>= 1)
			at += (uint32_t) (padded[at + step - 1] < value) * step;
		bins[i] = value != value ? missing : (uint8_t) at;
	}
}

/* Bins of rows first.. (of one of the two sets of rows) into a column from place `at` on. */
static void
bin_column(const Binning *b, uint32_t a, const MlRows *rows, size_t first, size_t n, double *values,
		   size_t at)
{
	const MlBinned *binned = b->binned;
	uint32_t j = binned->active[a];
	const MlTreeFeature *feature = &b->features[j];
	uint8_t *bins = binned->columns + a * binned->column_bytes + at;
	double padded[ML_TREE_BINS];
	uint32_t top = 1;

	ml_dataset_feature(b->in.data, j, rows, first, n, values);
	if (feature->categorical)
	{
		for (size_t i = 0; i < n; i++)
			bins[i] = ml_tree_bin(feature, values[i]);
		return;
	}
	while (2 * top - 1 < feature->n_cuts)
		top *= 2;
	for (uint32_t c = 0; c < 2 * top - 1; c++)
		padded[c] = c < feature->n_cuts ? feature->cuts[c] : __builtin_inf();
	bin_numbers(feature, padded, top, values, n, bins);
}

/* Copy rows first..first+n-1 from the columns into the tiles. */
static void
fill_tiles(const MlBinned *binned, size_t first, size_t n)
{
	for (uint32_t t = 0; t < binned->n_tiles; t++)
	{
		const MlBinnedTile *tile = &binned->tiles[t];

		for (uint32_t k = 0; k < tile->n; k++)
		{
			const uint8_t *column =
				binned->columns + (tile->first + k) * binned->column_bytes + first;
			uint8_t *row = tile->rows + first * tile->n + k;

			for (size_t i = 0; i < n; i++)
				row[i * tile->n] = column[i];
		}
	}
}

/* Tasks that a set of rows makes. */
static size_t
blocks_of(const Binning *b, const MlRows *rows)
{
	return (rows->n + b->block_rows - 1) / b->block_rows;
}

static void
bin_rows_task(void *arg, size_t task, int worker)
{
	Binning *b = arg;
	size_t tiled_blocks = blocks_of(b, b->in.tiled);
	const MlRows *rows = task < tiled_blocks ? b->in.tiled : b->in.others;
	size_t first = (task < tiled_blocks ? task : task - tiled_blocks) * b->block_rows;
	size_t n = ML_MIN(b->block_rows, rows->n - first);
	double *values = b->scratch + (size_t) worker * b->scratch_size;

	for (uint32_t a = 0; a < b->binned->n_active; a++)
		bin_column(b, a, rows, first, n, values,
				   first + (rows == b->in.others ? b->in.tiled->n : 0));
	if (rows == b->in.tiled && !b->in.columns_only)
		fill_tiles(b->binned, first, n);
}

static MlStatus
find_and_fill(Binning *b, MlArena *arena)
{
	size_t n_blocks;

	ML_TRY(draw_sample(b));
	ML_TRY(prepare_features(b, arena));
	ML_TRY(ml_pool_run(b->env, b->in.data->schema->n_features, find_bins_task, b));
	ML_TRY(keep_cuts(b, arena));
	ML_TRY(lay_out(b));
	ML_TRY(allocate_bytes(b));
	b->block_rows = ML_MAX(BLOCK_CELLS / ML_MAX(b->binned->n_active, 1u), MIN_BLOCK_ROWS);
	b->block_rows = ML_MIN(b->block_rows, (size_t) BLOCK_ROWS);
	n_blocks = blocks_of(b, b->in.tiled) + blocks_of(b, b->in.others);
	return ml_pool_run(b->env, n_blocks, bin_rows_task, b);
}

/* Find the bins of each feature and make the binned rows; see the header. */
MlStatus
ml_binned_create(MlEnv *env, MlArena *arena, const MlBinnedInput *input, MlTreeFeature *features,
				 MlBinned *binned)
{
	Binning b = {.env = env, .in = *input, .features = features, .binned = binned};
	MlStatus status;

	memset(binned, 0, sizeof(*binned));
	status = find_and_fill(&b, arena);
	ml_free(env, b.sample_index);
	ml_free(env, b.scratch);
	ml_free(env, b.cuts);
	if (status != ML_OK)
		ml_binned_free(env, binned);
	return status;
}

void
ml_binned_free(MlEnv *env, MlBinned *binned)
{
	ml_free(env, binned->active);
	ml_free(env, binned->cell);
	ml_free(env, binned->tiles);
	ml_region_free(env, &binned->column_region);
	ml_region_free(env, &binned->tile_region);
	memset(binned, 0, sizeof(*binned));
}
