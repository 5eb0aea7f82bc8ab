/*
 * binned.h
 *		Training rows as bins: what trees grow from.
 *
 * The same bytes lie there twice. *Columns* are for the partition, which reads
 * one feature of many rows. *Tiles* are for histograms, which read all features
 * of a row: a tile is a run of features whose histogram fits the first-level
 * cache, its rows one after the other. So a cell costs two bytes. Rows that
 * never enter a histogram (those of an outer validation set) have columns only.
 *
 * Features with a single value take no part; the others are *active* and are
 * numbered from 0. The bins of all active features, one after the other, are
 * the *cells* of a histogram. Features take a fixed number of cells, of three
 * sizes, and come in falling order of it: so the loop that sums needs no table of offsets.
 */
#ifndef ML_BINNED_H
#define ML_BINNED_H

#include "algo/tree/tree.h"
#include "data/dataset.h"

#define ML_BINNED_TILE_CELLS 5120 /* 8-byte cells: 40 KB */
#define ML_BINNED_PAD 64          /* bytes that may be read beyond the end of a column or tile */

/* Cells of a feature: the least of these that holds its bins. */
#define ML_BINNED_STRIDES 3
static const uint32_t ml_binned_stride[ML_BINNED_STRIDES] = {256, 64, 16};

typedef struct MlBinnedTile
{
	uint32_t first, n;                       /* active features */
	uint32_t n_of_stride[ML_BINNED_STRIDES]; /* of them */
	uint8_t *rows;                           /* rows[i * n + (a - first)] */
} MlBinnedTile;

typedef struct MlBinned
{
	uint32_t n_active;
	uint32_t *active; /* the feature */
	uint32_t *cell;   /* n_active + 1: first cell of each */
	uint32_t n_tiles;
	MlBinnedTile *tiles;
	size_t n_rows;       /* rows with columns */
	size_t column_bytes; /* from one column to the next */
	uint8_t *columns;    /* columns[a * column_bytes + i] */
	MlRegion column_region, tile_region;
} MlBinned;

/* What is to be binned. */
typedef struct MlBinnedInput
{
	const MlDataset *data;
	const MlRows *tiled;  /* bins are found from these (from a sample of them, for numbers) ... */
	const MlRows *others; /* ... and not from these, which have no tiles */
	uint32_t max_bins;    /* of a number */
	uint64_t seed;
	bool columns_only; /* no row enters a histogram by tiles: make none */
	/* Features whose cuts and bins must go on to mean what they do, as trees refer to them; NULL: none. */
	const MlTreeFeature *previous;
} MlBinnedInput;

/*
 * Find the bins of each feature, in arena, and make the binned rows: first those of tiled, then the others.
 * features: n_features of the schema, written here.
 */
extern MlStatus ml_binned_create(MlEnv *env, MlArena *arena, const MlBinnedInput *input,
								 MlTreeFeature *features, MlBinned *binned);
extern void ml_binned_free(MlEnv *env, MlBinned *binned);

/* bins.c: the bins alone, in arena. */
extern MlStatus ml_bins_find(MlEnv *env, MlArena *arena, const MlBinnedInput *input,
							 MlTreeFeature *features);

/* cuts.c: the cuts of sorted values, NaN excluded: at most max_bins - 1, returned by number. */
extern uint32_t ml_find_cuts(const double *sorted, size_t n, uint32_t max_bins, double *cuts);

/* Sort by the ordinary order of doubles, no NaN among them; spare: n doubles of room. */
extern void ml_sort_doubles(double *values, double *spare, size_t n);

#endif /* ML_BINNED_H */
