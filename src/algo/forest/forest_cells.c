/*
 * forest_cells.c
 *		Sums by bin: the inner loop of growing.
 *
 * The rows of a node are gathered in blocks, once for all its features; then
 * each feature adds the block into its cells. Small nodes also note which cells
 * they touched, so that neither finding them nor clearing them costs a pass over
 * all bins: most nodes of a deep tree are small.
 */
#include <string.h>

#include "algo/forest/forest.h"

/* The kind of cells that the rows need. */
ForestCells
ml_forest_cells(const ForestRows *rows)
{
	if (rows->n_classes > 2)
		return rows->weight ? FOREST_WEIGHTED_COUNTS : FOREST_COUNTS;
	if (rows->weight)
		return FOREST_WEIGHTED_SUMS;
	return rows->n_classes == 2 ? FOREST_PAIRS : FOREST_SUMS;
}

/* Bytes of one cell. */
size_t
ml_forest_cell_bytes(const ForestRows *rows, ForestCells kind)
{
	switch (kind)
	{
		case FOREST_PAIRS:
			return sizeof(uint64_t);
		case FOREST_COUNTS:
			return rows->n_classes * sizeof(uint32_t);
		case FOREST_SUMS:
			return 2 * sizeof(double);
		case FOREST_WEIGHTED_SUMS:
			return 3 * sizeof(double);
		case FOREST_WEIGHTED_COUNTS:
			break;
	}
	return (1 + (size_t) rows->n_classes) * sizeof(double);
}

/* The value that sums are of: a number on the scale of the search, or whether the class is 1. */
static inline double
searched_value(const ForestRows *rows, uint32_t at)
{
	return rows->y ? (rows->y[at] - rows->centre) * rows->inverse : rows->class_of[at];
}

/* Gather n rows; bag: multiplicities by position, NULL: all 1. */
void
ml_forest_gather(const ForestRows *rows, ForestCells kind, const uint8_t *bag,
				 const uint32_t *positions, uint32_t n, ForestBlock *block)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t at = positions[i], count = bag ? bag[at] : 1;
		double weight = rows->weight ? rows->weight[at] * count : count;

		switch (kind)
		{
			case FOREST_PAIRS:
				block->pair[i] = (uint64_t) count << 32 * rows->class_of[at];
				break;
			case FOREST_COUNTS:
				block->count[i] = count;
				block->class_of[i] = rows->class_of[at];
				break;
			case FOREST_SUMS:
			case FOREST_WEIGHTED_SUMS:
				block->rows[i] = count;
				block->weight[i] = weight;
				block->sum[i] = weight * searched_value(rows, at);
				break;
			case FOREST_WEIGHTED_COUNTS:
				block->rows[i] = count;
				block->weight[i] = weight;
				block->class_of[i] = rows->class_of[at];
				break;
		}
	}
}

/* Totals of one class more. */
static inline void
add_class(ForestTotals *totals, uint32_t k, double rows, double weight)
{
	totals->rows += rows;
	totals->weight += weight;
	totals->class_rows[k] += rows;
	if (totals->class_weight != totals->class_rows)
		totals->class_weight[k] += weight;
}

/* Add the gathered rows to the totals of a node. */
void
ml_forest_add_totals(const ForestRows *rows, ForestCells kind, const uint32_t *positions,
					 uint32_t n, const ForestBlock *block, ForestTotals *totals)
{
	uint64_t pairs = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		double y;

		if (kind == FOREST_PAIRS)
			pairs += block->pair[i];
		else if (kind == FOREST_COUNTS)
			add_class(totals, block->class_of[i], block->count[i], 0);
		else if (rows->n_classes > 0)
			add_class(totals, rows->class_of[positions[i]], block->rows[i], block->weight[i]);
		else
		{
			y = rows->y[positions[i]];
			totals->rows += block->rows[i];
			totals->weight += block->weight[i];
			totals->sum += block->sum[i];
			totals->sum2 += block->sum[i] * ((y - rows->centre) * rows->inverse);
			totals->min = ML_MIN(totals->min, y);
			totals->max = ML_MAX(totals->max, y);
		}
	}
	if (kind == FOREST_PAIRS)
	{
		add_class(totals, 0, (double) (uint32_t) pairs, 0);
		add_class(totals, 1, (double) (pairs >> 32), 0);
	}
	if (kind == FOREST_PAIRS || kind == FOREST_COUNTS)
		totals->weight = totals->rows;
}

#define TOUCH(bin) (touched[(bin) / 64] |= UINT64_C(1) << (bin) % 64)

/* One kind of cells; inlined with and without touched. */
static inline __attribute__((always_inline)) void
add_rows(const ForestRows *rows, ForestCells kind, const uint8_t *column, const uint32_t *positions,
		 uint32_t n, const ForestBlock *block, void *cells, uint64_t *touched)
{
	size_t n_classes = rows->n_classes;

	for (uint32_t i = 0; i < n; i++)
	{
		size_t bin = column[positions[i]];

		if (touched)
			TOUCH(bin);
		if (kind == FOREST_PAIRS)
			((uint64_t *) cells)[bin] += block->pair[i];
		else if (kind == FOREST_COUNTS)
			((uint32_t *) cells)[bin * n_classes + block->class_of[i]] += block->count[i];
		else if (kind == FOREST_WEIGHTED_COUNTS)
		{
			double *cell = (double *) cells + bin * (1 + n_classes);

			cell[0] += block->rows[i];
			cell[1 + block->class_of[i]] += block->weight[i];
		}
		else
		{
			double *cell = (double *) cells + bin * (kind == FOREST_SUMS ? 2 : 3);

			cell[0] += block->rows[i];
			cell[1] += block->sum[i];
			if (kind == FOREST_WEIGHTED_SUMS)
				cell[2] += block->weight[i];
		}
	}
}

/* Add the gathered rows to the cells of one feature; touched: 4 words of bits by bin, or NULL. */
void
ml_forest_add_cells(const ForestRows *rows, ForestCells kind, const uint8_t *column,
					const uint32_t *positions, uint32_t n, const ForestBlock *block, void *cells,
					uint64_t *touched)
{
#define ADD(kind) \
	case kind: \
		if (touched) \
			add_rows(rows, kind, column, positions, n, block, cells, touched); \
		else \
			add_rows(rows, kind, column, positions, n, block, cells, NULL); \
		break
	switch (kind)
	{
		ADD(FOREST_PAIRS);
		ADD(FOREST_COUNTS);
		ADD(FOREST_SUMS);
		ADD(FOREST_WEIGHTED_SUMS);
		ADD(FOREST_WEIGHTED_COUNTS);
	}
#undef ADD
}
