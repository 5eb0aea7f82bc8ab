/*
 * kmeans_rows.c
 *		The training rows as points, in blocks.
 *
 * A block is small enough for the second-level cache, and for its comparison with
 * all centers to take less than the time between two polls of cancel. In a block,
 * eight rows stand together, column by column: each column of them makes a vector.
 * Iterations are bound by memory, and read it in order so.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"
#include "core/pool.h"

#define BLOCK_MAX 128
#define BLOCK_BYTES ((size_t) 256 * 1024)
#define BLOCK_PRODUCTS 4e6 /* some 4 ms on the slowest CPU */

/* Rows of a block: a multiple of the lanes. */
static size_t
block_rows(const MlKmeansSpace *space, size_t capacity, uint32_t n_clusters)
{
	size_t rows = BLOCK_MAX, width = (size_t) space->n_dense + space->design->n_factors + 1;

	while (rows > ML_KMEANS_LANES && (rows * width * sizeof(double) > BLOCK_BYTES ||
									  (double) rows * (double) width * n_clusters > BLOCK_PRODUCTS))
		rows /= 2;
	return ML_MIN(rows, (capacity + ML_KMEANS_LANES - 1) / ML_KMEANS_LANES * ML_KMEANS_LANES);
}

MlStatus
ml_kmeans_rows_create(MlEnv *env, const MlKmeansSpace *space, const MlDataset *data,
					  size_t capacity, uint32_t n_clusters, MlKmeansRows *rows)
{
	size_t doubles = (size_t) space->n_dense + 3, words = (size_t) space->design->n_factors + 1;

	*rows = (MlKmeansRows){.env = env, .space = space, .data = data};
	rows->block = block_rows(space, ML_MAX(capacity, 1), n_clusters);
	rows->capacity = (ML_MAX(capacity, 1) + rows->block - 1) / rows->block;
	/* Labels are an even number of words, so that the next block is aligned. */
	rows->block_bytes = rows->block * (doubles * sizeof(double) + words * sizeof(uint32_t));
	rows->scratch = ml_alloc_array(env, (size_t) ml_pool_size(ml_env_pool(env)),
								   rows->block * ((size_t) space->n_dense + 1) * sizeof(double));
	if (!rows->scratch)
		return ML_ENOMEM;
	return ml_region_alloc(env, &rows->cells, rows->capacity, rows->block_bytes);
}

void
ml_kmeans_rows_free(MlKmeansRows *rows)
{
	if (!rows->env)
		return;
	ml_region_free(rows->env, &rows->cells);
	ml_free(rows->env, rows->scratch);
}

MlKmeansBlock
ml_kmeans_block(const MlKmeansRows *rows, size_t block)
{
	char *at = (char *) rows->cells.data + block * rows->block_bytes;
	size_t n = rows->block, first = block * n;
	MlKmeansBlock b;

	b.x = (double *) at;
	b.norm = b.x + n * rows->space->n_dense;
	b.weight = b.norm + n;
	b.closest = b.weight + n;
	b.level = (uint32_t *) (b.closest + n);
	b.label = b.level + n * rows->space->design->n_factors;
	b.n = first < rows->n ? ML_MIN(n, rows->n - first) : 0;
	return b;
}

typedef struct Reading
{
	MlKmeansRows *rows;
	const MlRows *from;
	size_t first;
} Reading;

/* Read a block: coordinates, levels, weights; no label. */
static void
read_block(void *arg, size_t task, int worker)
{
	const Reading *reading = arg;
	const MlKmeansRows *rows = reading->rows;
	const MlKmeansSpace *space = rows->space;
	const MlDesign *design = space->design;
	MlKmeansBlock b = ml_kmeans_block(rows, task);
	size_t n = rows->block, first = reading->first + task * n;

	double *dense = rows->scratch + (size_t) worker * n * space->n_dense;

	ml_design_block(design, rows->data, reading->from, first, b.n, n, dense, b.level);
	ml_dataset_weight(rows->data, reading->from, first, b.n, b.weight);
	for (size_t i = 0; i < n; i++)
	{
		b.norm[i] = i < b.n ? design->n_factors : 0;
		b.weight[i] = i < b.n ? b.weight[i] : 0;
		b.closest[i] = 0;
		b.label[i] = ML_KMEANS_NO_LABEL;
	}
	for (uint32_t j = 0; j < space->n_dense; j++)
	{
		double *x = b.x + (size_t) j * ML_KMEANS_LANES;
		double shift = space->shift[j], factor = space->factor[j];

		for (size_t i = 0; i < n; i++)
		{
			double value = i < b.n ? (dense[j * n + i] - shift) * factor : 0;

			x[i / ML_KMEANS_LANES * ML_KMEANS_LANES * space->n_dense + i % ML_KMEANS_LANES] = value;
			b.norm[i] += value * value;
		}
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		uint32_t *level = b.level + f * n;

		for (size_t i = 0; i < n; i++)
		{
			bool active = i < b.n && level[i] != ML_NO_COLUMN;

			b.norm[i] -= i < b.n && !active ? 1 : 0;
			level[i] = active ? level[i] - space->n_dense : space->n_levels;
		}
	}
}

MlStatus
ml_kmeans_rows_read(MlKmeansRows *rows, const MlRows *from, size_t first, size_t n)
{
	Reading reading = {rows, from, first};

	rows->n = n;
	rows->n_blocks = (n + rows->block - 1) / rows->block;
	ML_TRY(ml_pool_run(rows->env, rows->n_blocks, read_block, &reading));
	rows->weight = 0;
	for (size_t block = 0; block < rows->n_blocks; block++)
	{
		MlKmeansBlock b = ml_kmeans_block(rows, block);
		double sum = 0;

		for (size_t i = 0; i < rows->block; i++)
			sum += b.weight[i];
		rows->weight += sum;
		if (block % 1024 == 0)
			ML_TRY(ml_poll(rows->env));
	}
	return ML_OK;
}

void
ml_kmeans_point(const MlKmeansRows *rows, size_t row, double *out)
{
	const MlKmeansSpace *space = rows->space;
	MlKmeansBlock b = ml_kmeans_block(rows, row / rows->block);
	size_t i = row % rows->block;

	memset(out, 0, space->n_columns * sizeof(double));
	for (uint32_t j = 0; j < space->n_dense; j++)
		out[j] = b.x[ml_kmeans_cell(space, i, j)];
	for (uint32_t f = 0; f < space->design->n_factors; f++)
	{
		uint32_t level = b.level[f * rows->block + i];

		if (level < space->n_levels)
			out[space->n_dense + level] = 1;
	}
}

/* Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): each row in turn, with the share that is still wanted. */
MlStatus
ml_kmeans_sample(MlEnv *env, const MlRows *rows, size_t n, MlRng *rng, MlRows *sample,
				 uint32_t **index)
{
	size_t taken = 0;

	n = ML_MIN(n, rows->n);
	*index = ml_alloc_array(env, ML_MAX(n, 1), sizeof(uint32_t));
	if (!*index)
		return ML_ENOMEM;
	for (size_t i = 0; taken < n; i++)
	{
		if ((double) (rows->n - i) * ml_rng_uniform(rng) < (double) (n - taken))
			(*index)[taken++] = rows->index ? rows->index[i] : (uint32_t) i;
		if (i % 65536 == 0)
			ML_TRY(ml_poll(env));
	}
	*sample = (MlRows){*index, n};
	return ML_OK;
}
