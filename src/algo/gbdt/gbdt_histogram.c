/*
 * gbdt_histogram.c
 *		Sums of gradients by bin: the inner loop of boosting.
 *
 * A thread takes a run of rows and a tile, and adds the packed gradients of
 * each row into packed cells that stay in the first-level cache. A packed cell
 * holds the sums of at most GBDT_PACKED_ROWS rows; after so many it is emptied
 * into plain 64-bit sums. The time goes into one load, add and store a cell;
 * rows come in any order, so they are prefetched.
 *
 * All of it is integer arithmetic, so it does not matter which thread adds
 * which rows.
 */
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#define INLINE_CELLS 60000 /* additions that are not worth waking another thread for: some 30 us */
#define CACHE_LINE 64

/* A histogram to be made: tasks are tiles times ranges of rows. */
typedef struct SumJob
{
	const GbdtSummer *summer;
	const uint32_t *positions;
	size_t n;
	size_t rows_per_task, n_ranges;
	GbdtHistogram *out;
} SumJob;

MlStatus
ml_gbdt_summer_create(MlEnv *env, const MlBinned *binned, GbdtSummer *summer)
{
	size_t n_workers = (size_t) ml_pool_size(ml_env_pool(env));

	memset(summer, 0, sizeof(*summer));
	summer->binned = binned;
	summer->n_workers = (int) n_workers;
	summer->n_cells = binned->cell[binned->n_active];
	summer->packed = ml_alloc_array(env, n_workers * ML_BINNED_TILE_CELLS, sizeof(*summer->packed));
	summer->sums = ml_alloc_array(env, n_workers * summer->n_cells, sizeof(*summer->sums));
	summer->places = ml_alloc_array(env, binned->n_active, sizeof(*summer->places));
	summer->offsets = ml_alloc_array(env, binned->n_active, sizeof(*summer->offsets));
	summer->n_used = ml_alloc_array(env, binned->n_tiles, sizeof(*summer->n_used));
	if (summer->packed && summer->sums && summer->places && summer->offsets && summer->n_used)
		return ML_OK;
	ml_gbdt_summer_free(env, summer);
	return ML_ENOMEM;
}

void
ml_gbdt_summer_free(MlEnv *env, GbdtSummer *summer)
{
	ml_free(env, summer->packed);
	ml_free(env, summer->sums);
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

	summer->used = used;
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
add_features(const uint8_t *row, int64_t gradient, uint32_t n, uint32_t stride, int64_t *cells)
{
	uint32_t k = 0;

	for (; k + 4 <= n; k += 4)
	{
		cells[row[k]] += gradient;
		cells[stride + row[k + 1]] += gradient;
		cells[2 * stride + row[k + 2]] += gradient;
		cells[3 * stride + row[k + 3]] += gradient;
		cells += 4 * (size_t) stride;
	}
	for (; k < n; k++)
	{
		cells[row[k]] += gradient;
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
prefetch_row(const MlBinnedTile *tile, const int64_t *gradients, size_t at)
{
	__builtin_prefetch(tile->rows + at * tile->n);
	__builtin_prefetch(tile->rows + at * tile->n + tile->n - 1);
	__builtin_prefetch(gradients + at);
}

/* Add the rows at n positions. Beyond the n-th there are GBDT_PREFETCH_ROWS more that may be looked at. */
static void
add_positions(const MlBinnedTile *tile, const int64_t *gradients, const uint32_t *positions,
			  size_t n, int64_t *cells)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t at = positions[i];

		prefetch_row(tile, gradients, positions[i + GBDT_PREFETCH_ROWS]);
		add_row(tile, tile->rows + at * tile->n, gradients[at], cells);
	}
}

/* Add rows first..first+n-1. */
static void
add_run(const MlBinnedTile *tile, const int64_t *gradients, size_t first, size_t n, int64_t *cells)
{
	const uint8_t *row = tile->rows + first * tile->n;

	for (size_t i = 0; i < n; i++, row += tile->n)
		add_row(tile, row, gradients[first + i], cells);
}

/* Add the rows at n positions (NULL: first..first+n-1), but only the features of a list. */
static void
add_some_features(const GbdtSummer *summer, uint32_t t, const uint32_t *positions, size_t first,
				  size_t n, int64_t *cells)
{
	const MlBinnedTile *tile = &summer->binned->tiles[t];
	const uint32_t *places = summer->places + tile->first;
	const uint32_t *offsets = summer->offsets + tile->first;
	uint32_t n_used = summer->n_used[t];

	for (size_t i = 0; i < n; i++)
	{
		size_t at = positions ? positions[i] : first + i;
		const uint8_t *row = tile->rows + at * tile->n;
		int64_t gradient = summer->gradients[at];

		if (positions)
			prefetch_row(tile, summer->gradients, positions[i + GBDT_PREFETCH_ROWS]);
		for (uint32_t k = 0; k < n_used; k++)
			cells[offsets[k] + row[places[k]]] += gradient;
	}
}

/* The packed sums of up to GBDT_PACKED_ROWS rows in a tile: first.. of the positions, or of all rows. */
static void
sum_packed(const GbdtSummer *summer, uint32_t t, const uint32_t *positions, size_t first, size_t n,
		   int64_t *cells)
{
	const MlBinnedTile *tile = &summer->binned->tiles[t];
	uint32_t n_cells =
		summer->binned->cell[tile->first + tile->n] - summer->binned->cell[tile->first];

	if (positions)
		positions += first;
	memset(cells, 0, n_cells * sizeof(*cells));
	if (summer->n_used[t] < tile->n)
		add_some_features(summer, t, positions, first, n, cells);
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

/* One tile of one range of rows: into the histogram where the range is all rows, else the worker's sums. */
static void
sum_task(void *arg, size_t task, int worker)
{
	SumJob *job = arg;
	const GbdtSummer *summer = job->summer;
	uint32_t t = (uint32_t) (task / job->n_ranges);
	const MlBinnedTile *tile = &summer->binned->tiles[t];
	size_t first = task % job->n_ranges * job->rows_per_task;
	size_t end = ML_MIN(first + job->rows_per_task, job->n);
	size_t cell = summer->binned->cell[tile->first];
	size_t n_cells = summer->binned->cell[tile->first + tile->n] - cell;
	int64_t *packed = summer->packed + (size_t) worker * ML_BINNED_TILE_CELLS;
	GbdtSum *sums = summer->sums + (size_t) worker * summer->n_cells + cell;

	if (job->n_ranges == 1 && job->out->packed)
	{
		sum_packed(summer, t, job->positions, 0, job->n, (int64_t *) job->out->cells + cell);
		return;
	}
	if (job->n_ranges == 1)
	{
		sums = (GbdtSum *) job->out->cells + cell;
		memset(sums, 0, n_cells * sizeof(*sums));
	}
	for (; first < end; first += GBDT_PACKED_ROWS)
	{
		sum_packed(summer, t, job->positions, first, ML_MIN(end - first, (size_t) GBDT_PACKED_ROWS),
				   packed);
		empty_packed(packed, sums, n_cells);
	}
}

/* Add the workers' sums up. */
static void
reduce(const GbdtSummer *summer, GbdtHistogram *out)
{
	size_t n = summer->n_cells;

	for (int w = 1; w < summer->n_workers; w++)
	{
		for (size_t c = 0; c < n; c++)
		{
			summer->sums[c].g += summer->sums[(size_t) w * n + c].g;
			summer->sums[c].h += summer->sums[(size_t) w * n + c].h;
		}
	}
	if (out->packed)
	{
		for (size_t c = 0; c < n; c++)
			((int64_t *) out->cells)[c] = ml_gbdt_pack(summer->sums[c].g, summer->sums[c].h);
	}
	else
		memcpy(out->cells, summer->sums, n * sizeof(*summer->sums));
}

/* The histogram of the rows at these positions (NULL: 0..n-1). out->packed is set by n. */
MlStatus
ml_gbdt_sum(MlEnv *env, const GbdtSummer *summer, const uint32_t *positions, size_t n,
			GbdtHistogram *out)
{
	const MlBinned *binned = summer->binned;
	size_t n_workers = (size_t) summer->n_workers;
	/* two tasks a thread level out what the threads differ in speed */
	size_t n_ranges = binned->n_tiles < 2 * n_workers ? 2 * n_workers : 1;
	SumJob job = {summer, positions, n, n, 1, out};

	out->packed = n <= GBDT_PACKED_ROWS;
	if (n_workers == 1 || n * binned->n_active < INLINE_CELLS)
	{
		for (uint32_t t = 0; t < binned->n_tiles; t++)
			sum_task(&job, t, 0);
		return ML_OK;
	}
	if (n_ranges > 1)
	{
		job.rows_per_task = (n + n_ranges - 1) / n_ranges;
		job.rows_per_task = ML_MIN(job.rows_per_task, (size_t) GBDT_PACKED_ROWS);
		job.n_ranges = (n + job.rows_per_task - 1) / job.rows_per_task;
	}
	if (job.n_ranges > 1)
		memset(summer->sums, 0, n_workers * summer->n_cells * sizeof(*summer->sums));
	ML_TRY(ml_pool_run(env, job.n_ranges * binned->n_tiles, sum_task, &job));
	if (job.n_ranges > 1)
		reduce(summer, out);
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
