/*
 * binned.c
 *		From a dataset to bins: the rows.
 *
 * Work is shared out by blocks of rows: the result does not depend on the
 * threads.
 */
#include <string.h>

#include "algo/tree/binned.h"
#include "core/pool.h"

#define BLOCK_ROWS 4096        /* of a task, at most ... */
#define BLOCK_CELLS (1u << 19) /* ... so that it has about so many cells: some 5 ms */
#define MIN_BLOCK_ROWS 64

typedef struct Binning
{
	MlEnv *env;
	MlBinnedInput in;
	MlTreeFeature *features;
	MlBinned *binned;
	size_t block_rows; /* of a task */
	double *values;    /* by thread */
} Binning;

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
	double *values = b->values + (size_t) worker * BLOCK_ROWS;

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

	ML_TRY(ml_bins_find(b->env, arena, &b->in, b->features));
	b->values = ml_alloc_array(b->env, (size_t) ml_pool_size(ml_env_pool(b->env)) * BLOCK_ROWS,
							   sizeof(double));
	if (!b->values)
		return ML_ENOMEM;
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
	ml_free(env, b.values);
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
