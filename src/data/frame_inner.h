/*
 * frame_inner.h
 *		The inside of a frame, for the files that are one.
 */
#ifndef ML_FRAME_INNER_H
#define ML_FRAME_INNER_H

#include "data/cells.h"
#include "data/frame.h"

#define STAGE_ROWS ML_CELLS_PACK

/* The slots of a schema, a target and a weight. */
#define MAX_COLUMNS (ML_MAX_SLOTS + 2)

typedef struct Column
{
	MlWidth width;
	uint32_t offset; /* bytes per row of the columns before it */
	int32_t bitmap;  /* number of its bitmap, -1: none */
} Column;

typedef struct Chunk
{
	MlRegion region;
	size_t first_row, n_rows;
} Chunk;

/* The cells of one column of a stage, in any width. */
typedef union Cells
{
	double float64[STAGE_ROWS];
	int16_t int16[STAGE_ROWS];
	int32_t int32[STAGE_ROWS];
	float float32[STAGE_ROWS];
	uint8_t uint8[STAGE_ROWS];
} Cells;

struct MlFrame
{
	MlEnv *env;
	uint32_t n_columns, n_bitmaps;
	uint32_t row_bytes; /* of all columns, bitmaps not included */
	size_t max_chunk;   /* rows; a power of two */
	Column *columns;

	Chunk *chunks;
	size_t n_chunks, chunk_capacity;
	size_t chunk_rows; /* rows that all chunks can hold */
	size_t flushed;    /* rows that they hold: a multiple of 64 */

	double *stage; /* stage_stride doubles a row */
	size_t stage_stride;
	size_t n_staged, stage_capacity; /* rows */
};

/* The cells of a column in a chunk. */
static inline void *
column_cells(const MlFrame *frame, const Chunk *chunk, uint32_t c)
{
	return (uint8_t *) chunk->region.data + chunk->n_rows * frame->columns[c].offset;
}

/* The bitmap of a column in a chunk; NULL: its width has none. */
static inline uint64_t *
column_missing(const MlFrame *frame, const Chunk *chunk, uint32_t c)
{
	if (frame->columns[c].bitmap < 0)
		return NULL;
	return (uint64_t *) ((uint8_t *) chunk->region.data + chunk->n_rows * frame->row_bytes) +
		   chunk->n_rows / STAGE_ROWS * frame->columns[c].bitmap;
}

/* Add an empty chunk. */
extern MlStatus ml_frame_add_chunk(MlFrame *frame);

#endif /* ML_FRAME_INNER_H */
