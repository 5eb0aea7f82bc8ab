/*
 * gbdt_histogram.c
 *		Sums of gradients by bin: the inner loop of boosting.
 *
 * The packed gradients of each row are added into packed cells that stay in the
 * first-level cache. A packed cell holds the sums of at most GBDT_PACKED_ROWS
 * rows; before there are more it is emptied into plain 64-bit sums. The time
 * goes into one load, add and store a cell; rows come in any order, so they are
 * prefetched.
 *
 * Work is shared out by tiles where there are enough of them. Else the threads
 * also take blocks of rows; each adds into cells of its own as long as the
 * histogram is being made, and these are added up at the end. All of it is
 * integer arithmetic, so it does not matter which thread adds which rows.
 */
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#define INLINE_CELLS 30000  /* additions that are not worth waking another thread for: some 10 us */
#define BLOCKS_PER_WORKER 4 /* level out what the threads differ in speed */
#define MIN_BLOCK_ROWS 1024
#define MAX_BLOCK_ROWS 32768
#define NARROW 8             /* features up to which the loop over them is unrolled */
#define POLL_ROWS (1u << 20) /* rows of a tile between two polls: some 8 ms */

/* A histogram to be made: tasks are tiles times blocks of rows. */
typedef struct SumJob
{
	const GbdtSummer *summer;
	const uint32_t *positions;
	size_t n;
	size_t begin, end; /* rows of one pass over whole tiles */
	size_t block_rows, n_blocks;
	GbdtHistogram *out;
} SumJob;

/* What one thread has of one tile. */
struct GbdtShare
{
	uint32_t rows; /* in its packed cells */
	bool emptied;  /* its sums hold some, too */
};

/* Cells of a tile. */
static inline size_t
tile_cells(const MlBinned *binned, uint32_t t)
{
	const MlBinnedTile *tile = &binned->tiles[t];

	return binned->cell[tile->first + tile->n] - binned->cell[tile->first];
}

MlStatus
ml_gbdt_summer_create(MlEnv *env, const MlBinned *binned, GbdtSummer *summer)
{
	size_t n_workers = (size_t) ml_pool_size(ml_env_pool(env));

	memset(summer, 0, sizeof(*summer));
	summer->binned = binned;
	summer->n_workers = (int) n_workers;
	summer->by_tile = binned->n_tiles >= 2 * n_workers || n_workers == 1;
	summer->worker_cells = summer->by_tile ? ML_BINNED_TILE_CELLS : binned->cell[binned->n_active];
	summer->packed = ml_alloc_array(env, n_workers * summer->worker_cells, sizeof(*summer->packed));
	summer->sums = ml_alloc_array(env, summer->by_tile ? 1 : n_workers * summer->worker_cells,
								  sizeof(*summer->sums));
	summer->shares = ml_alloc_array(env, n_workers * binned->n_tiles, sizeof(*summer->shares));
	summer->places = ml_alloc_array(env, binned->n_active, sizeof(*summer->places));
	summer->offsets = ml_alloc_array(env, binned->n_active, sizeof(*summer->offsets));
	summer->n_used = ml_alloc_array(env, binned->n_tiles, sizeof(*summer->n_used));
	if (summer->packed && summer->sums && summer->shares && summer->places && summer->offsets &&
		summer->n_used)
		return ML_OK;
	ml_gbdt_summer_free(env, summer);
	return ML_ENOMEM;
}

void
ml_gbdt_summer_free(MlEnv *env, GbdtSummer *summer)
{
	ml_free(env, summer->packed);
	ml_free(env, summer->sums);
	ml_free(env, summer->shares);
	ml_free(env, summer->places);
	ml_free(env, summer->offsets);
	ml_free(env, summer->n_used);
	memset(summer, 0, sizeof(*summer));
}

/* Choose the features of the next tree: used by active feature, or NULL for all. */
void
ml_gbdt_summer_use(GbdtSummer *summer, const uint8_t *used)
{
	const MlBinned *binned = summer->binned;

	for (uint32_t t = 0; t < binned->n_tiles; t++)
	{
		const MlBinnedTile *tile = &binned->tiles[t];
		uint32_t n = 0;

		for (uint32_t k = 0; k < tile->n; k++)
		{
			if (used && !used[tile->first + k])
				continue;
			summer->places[tile->first + n] = k;
			summer->offsets[tile->first + n] =
				binned->cell[tile->first + k] - binned->cell[tile->first];
			n++;
		}
		summer->n_used[t] = n;
	}
}

/* Add one row's features of one stride; returns the cells after them. */
static inline __attribute__((always_inline)) int64_t *
add_features(const uint8_t *row, int64_t gradient, size_t n, size_t stride, int64_t *cells)
{
	const uint8_t *end = row + n;

	for (; row + 4 <= end; row += 4)
	{
		cells[row[0]] += gradient;
		cells[stride + row[1]] += gradient;
		cells[2 * stride + row[2]] += gradient;
		cells[3 * stride + row[3]] += gradient;
		cells += 4 * stride;
	}
	for (; row < end; row++)
	{
		cells[*row] += gradient;
		cells += stride;
	}
	return cells;
}

/* Add one row to the cells of a tile. */
static inline __attribute__((always_inline)) void
add_row(const MlBinnedTile *tile, const uint8_t *row, int64_t gradient, int64_t *cells)
{
	const uint32_t *n = tile->n_of_stride;

	_Static_assert(ML_BINNED_STRIDES == 3, "strides are unrolled here");
	cells = add_features(row, gradient, n[0], ml_binned_stride[0], cells);
	cells = add_features(row + n[0], gradient, n[1], ml_binned_stride[1], cells);
	add_features(row + n[0] + n[1], gradient, n[2], ml_binned_stride[2], cells);
}

static inline __attribute__((always_inline)) void
prefetch_row(const MlBinnedTile *tile, const int32_t *gradients, size_t at)
{
	__builtin_prefetch(tile->rows + at * tile->n);
	__builtin_prefetch(tile->rows + at * tile->n + tile->n - 1);
	__builtin_prefetch(gradients + at);
}

/* Add the rows at n positions. Beyond the n-th there are GBDT_PREFETCH_ROWS more that may be looked at. */
static void
add_positions(const MlBinnedTile *tile, const int32_t *gradients, const uint32_t *positions,
			  size_t n, int64_t *cells)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t at = positions[i];

		prefetch_row(tile, gradients, positions[i + GBDT_PREFETCH_ROWS]);
		add_row(tile, tile->rows + at * tile->n, ml_gbdt_widen(gradients[at]), cells);
	}
}

/* Add rows first..first+n-1. */
static void
add_run(const MlBinnedTile *tile, const int32_t *gradients, size_t first, size_t n, int64_t *cells)
{
	const uint8_t *row = tile->rows + first * tile->n;

	for (size_t i = 0; i < n; i++, row += tile->n)
		add_row(tile, row, ml_gbdt_widen(gradients[first + i]), cells);
}

/*
 * The same for a tile of width features, a number that the compiler knows: there is no loop over them. positions
 * NULL: rows first..first+n-1.
 */
static inline __attribute__((always_inline)) void
add_narrow(const MlBinnedTile *tile, const uint32_t *cell, const int32_t *gradients,
		   const uint32_t *positions, size_t first, size_t n, size_t width, int64_t *cells)
{
	const uint8_t *rows = tile->rows;
	int64_t *of[NARROW];

	for (size_t k = 0; k < width; k++)
		of[k] = cells + (cell[k] - cell[0]);
	for (size_t i = 0; i < n; i++)
	{
		size_t at = positions ? positions[i] : first + i;
		int64_t gradient = ml_gbdt_widen(gradients[at]);
		const uint8_t *row = rows + at * width;

		if (positions)
		{
			size_t ahead = positions[i + GBDT_PREFETCH_ROWS];

			__builtin_prefetch(rows + ahead * width);
			__builtin_prefetch(gradients + ahead);
		}
#pragma GCC unroll 8
		for (size_t k = 0; k < width; k++)
			of[k][row[k]] += gradient;
	}
}

/* Choose the loop by the tile's width. */
static void
add_narrow_tile(const MlBinnedTile *tile, const GbdtSummer *summer, const uint32_t *positions,
				size_t first, size_t n, int64_t *cells)
{
	const uint32_t *cell = summer->binned->cell + tile->first;
	const int32_t *gradients = summer->gradients;

	switch (tile->n)
	{
#define WIDTH(width) \
	case width: \
		add_narrow(tile, cell, gradients, positions, first, n, width, cells); \
		break
		WIDTH(1);
		WIDTH(2);
		WIDTH(3);
		WIDTH(4);
		WIDTH(5);
		WIDTH(6);
		WIDTH(7);
		WIDTH(8);
#undef WIDTH
	}
}

/* Add the rows at n positions (NULL: first..first+n-1), but only the features of a list. */
static void
add_some_features(const GbdtSummer *summer, uint32_t t, const uint32_t *positions, size_t first,
				  size_t n, int64_t *cells)
{
	const MlBinnedTile *tile = &summer->binned->tiles[t];
	const uint32_t *places = summer->places + tile->first;
	const uint32_t *offsets = summer->offsets + tile->first;
	size_t n_used = summer->n_used[t];

	for (size_t i = 0; i < n; i++)
	{
		size_t at = positions ? positions[i] : first + i;
		const uint8_t *row = tile->rows + at * tile->n;
		int64_t gradient = ml_gbdt_widen(summer->gradients[at]);

		if (positions)
			prefetch_row(tile, summer->gradients, positions[i + GBDT_PREFETCH_ROWS]);
		for (size_t k = 0; k < n_used; k++)
			cells[offsets[k] + row[places[k]]] += gradient;
	}
}

/* Add rows first..first+n-1 of the positions, or of all rows, to the packed cells of a tile. */
static void
add_packed(const GbdtSummer *summer, uint32_t t, const uint32_t *positions, size_t first, size_t n,
		   int64_t *cells)
{
	const MlBinnedTile *tile = &summer->binned->tiles[t];

	if (positions)
		positions += first;
	if (summer->n_used[t] < tile->n)
		add_some_features(summer, t, positions, first, n, cells);
	else if (tile->n <= NARROW)
		add_narrow_tile(tile, summer, positions, first, n, cells);
	else if (positions)
		add_positions(tile, summer->gradients, positions, n, cells);
	else
		add_run(tile, summer->gradients, first, n, cells);
}

/* sums += packed cells. */
GBDT_CLONES static void
empty_packed(const int64_t *restrict cells, GbdtSum *restrict sums, size_t n)
{
	for (size_t c = 0; c < n; c++)
	{
		sums[c].g += cells[c] >> 32;
		sums[c].h += (int64_t) (uint32_t) cells[c];
	}
}

GBDT_CLONES static void
add_cells(const int64_t *restrict cells, int64_t *restrict out, size_t n)
{
	for (size_t c = 0; c < n; c++)
		out[c] += cells[c];
}

/* Rows begin..end-1 in a whole tile, straight into the histogram. */
static void
tile_task(void *arg, size_t task, int worker)
{
	SumJob *job = arg;
	const GbdtSummer *summer = job->summer;
	uint32_t t = (uint32_t) task;
	size_t cell = summer->binned->cell[summer->binned->tiles[t].first];
	size_t n_cells = tile_cells(summer->binned, t);
	int64_t *packed = job->out->packed ? (int64_t *) job->out->cells + cell
									   : summer->packed + (size_t) worker * summer->worker_cells;
	GbdtSum *sums = (GbdtSum *) job->out->cells + cell;

	if (!job->out->packed && job->begin == 0)
		memset(sums, 0, n_cells * sizeof(*sums));
	for (size_t first = job->begin; first < job->end; first += GBDT_PACKED_ROWS)
	{
		memset(packed, 0, n_cells * sizeof(*packed));
		add_packed(summer, t, job->positions, first,
				   ML_MIN(job->end - first, (size_t) GBDT_PACKED_ROWS), packed);
		if (!job->out->packed)
			empty_packed(packed, sums, n_cells);
	}
}

/* Sum tile by tile, on this thread alone or on all. */
static MlStatus
sum_tiles(MlEnv *env, SumJob *job, bool alone)
{
	uint32_t n_tiles = job->summer->binned->n_tiles;

	for (; job->begin < job->n; job->begin = job->end)
	{
		job->end = ML_MIN(job->begin + POLL_ROWS, job->n);
		if (!alone)
			ML_TRY(ml_pool_run(env, n_tiles, tile_task, job));
		else
		{
			for (uint32_t t = 0; t < n_tiles; t++)
				tile_task(job, t, 0);
			ML_TRY(ml_poll(env));
		}
	}
	return ML_OK;
}

/* A block of rows of a tile, into the cells of this thread. */
static void
block_task(void *arg, size_t task, int worker)
{
	SumJob *job = arg;
	const GbdtSummer *summer = job->summer;
	uint32_t t = (uint32_t) (task / job->n_blocks);
	size_t first = task % job->n_blocks * job->block_rows;
	size_t n = ML_MIN(job->block_rows, job->n - first);
	size_t n_cells = tile_cells(summer->binned, t);
	size_t cell = (size_t) worker * summer->worker_cells +
				  summer->binned->cell[summer->binned->tiles[t].first];
	GbdtShare *share = &summer->shares[(size_t) worker * summer->binned->n_tiles + t];

	if (share->rows + n > GBDT_PACKED_ROWS)
	{
		if (!share->emptied)
			memset(summer->sums + cell, 0, n_cells * sizeof(*summer->sums));
		empty_packed(summer->packed + cell, summer->sums + cell, n_cells);
		*share = (GbdtShare){0, true};
	}
	if (share->rows == 0)
		memset(summer->packed + cell, 0, n_cells * sizeof(*summer->packed));
	add_packed(summer, t, job->positions, first, n, summer->packed + cell);
	share->rows += (uint32_t) n;
}

/* Add up what the threads have of a tile. */
static void
reduce_tile(const SumJob *job, uint32_t t)
{
	const GbdtSummer *summer = job->summer;
	size_t first = summer->binned->cell[summer->binned->tiles[t].first];
	size_t n_cells = tile_cells(summer->binned, t);
	size_t size = job->out->packed ? sizeof(int64_t) : sizeof(GbdtSum);
	void *out = (char *) job->out->cells + first * size;

	memset(out, 0, n_cells * size);
	for (int worker = 0; worker < summer->n_workers; worker++)
	{
		size_t cell = (size_t) worker * summer->worker_cells + first;
		const GbdtShare *share = &summer->shares[(size_t) worker * summer->binned->n_tiles + t];

		if (share->rows > 0 && job->out->packed)
			add_cells(summer->packed + cell, out, n_cells);
		else if (share->rows > 0)
			empty_packed(summer->packed + cell, out, n_cells);
		if (share->emptied)
			add_cells((const int64_t *) (summer->sums + cell), out, 2 * n_cells);
	}
}

/* The histogram of the rows at these positions (NULL: 0..n-1). out->packed is set by n. */
MlStatus
ml_gbdt_sum(MlEnv *env, const GbdtSummer *summer, const uint32_t *positions, size_t n,
			GbdtHistogram *out)
{
	uint32_t n_tiles = summer->binned->n_tiles;
	size_t n_workers = (size_t) summer->n_workers;
	SumJob job = {.summer = summer, .positions = positions, .n = n, .out = out};

	out->packed = n <= GBDT_PACKED_ROWS;
	if (n_workers == 1 || n * summer->binned->n_active < INLINE_CELLS)
		return sum_tiles(env, &job, n * summer->binned->n_active < INLINE_CELLS);
	if (summer->by_tile)
		return sum_tiles(env, &job, false);
	job.block_rows = n / (BLOCKS_PER_WORKER * n_workers) + 1;
	job.block_rows =
		ML_MIN(ML_MAX(job.block_rows, (size_t) MIN_BLOCK_ROWS), (size_t) MAX_BLOCK_ROWS);
	job.n_blocks = (n + job.block_rows - 1) / job.block_rows;
	memset(summer->shares, 0, n_workers * n_tiles * sizeof(*summer->shares));
	ML_TRY(ml_pool_run(env, n_tiles * job.n_blocks, block_task, &job));
	for (uint32_t t = 0; t < n_tiles; t++)
		reduce_tile(&job, t);
	return ML_OK;
}

/* larger = parent - smaller, cells first..end-1; larger may be the parent itself. */
void
ml_gbdt_subtract(const GbdtHistogram *parent, const GbdtHistogram *smaller,
				 const GbdtHistogram *larger, size_t first, size_t end)
{
	if (parent->packed)
	{
		for (size_t c = first; c < end; c++)
			((int64_t *) larger->cells)[c] =
				((const int64_t *) parent->cells)[c] - ((const int64_t *) smaller->cells)[c];
		return;
	}
	for (size_t c = first; c < end; c++)
	{
		GbdtSum sum = ((const GbdtSum *) parent->cells)[c];
		GbdtSum less = smaller->packed ? ml_gbdt_unpack(((const int64_t *) smaller->cells)[c])
									   : ((const GbdtSum *) smaller->cells)[c];

		sum.g -= less.g;
		sum.h -= less.h;
		if (larger->packed)
			((int64_t *) larger->cells)[c] = ml_gbdt_pack(sum.g, sum.h);
		else
			((GbdtSum *) larger->cells)[c] = sum;
	}
}
