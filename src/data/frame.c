/*
 * frame.c
 *		Growing, reading and gathering columns of natural width.
 *
 * Words: a *chunk* is one region that holds a range of rows, all columns of
 * them (the PAX layout); a *cell* is one stored value; a *stage* is a block of
 * 64 rows as they came, row by row.
 *
 * A row is first copied into the stage. A full stage is flushed column by
 * column, so that the test for the width is made once in 64 rows, and every
 * flush fills one word of a missing-value bitmap. Rows of the last, partly
 * filled stage are read from there, so that nothing has to be finished before
 * reading, and threads may read a frame at the same time. A frame of few rows
 * has nothing but its stage.
 *
 * Chunks are multiples of 64 rows. Each is an eighth of what is there already,
 * at most ML_FRAME_CHUNK_MAX rows (fewer when rows are wide), so that at most
 * an eighth of the memory waits for rows. Which rows a chunk holds follows from
 * its number alone.
 *
 * Inside a chunk column c begins at n_rows * (bytes per row of the columns
 * before it), which is a multiple of 64; the bitmaps follow after the columns.
 */
#include <math.h>
#include <string.h>

#include "data/frame_inner.h"

/* A chunk of wide rows has fewer rows, so that it stays below about this many bytes. */
#define CHUNK_BYTES ((size_t) 64 << 20)

/* ---- making and growing */

/* The number of rows in the largest chunks, a power of two. */
static size_t
largest_chunk(uint32_t row_bytes)
{
	size_t rows = ML_FRAME_CHUNK_MAX;

	while (rows > ML_FRAME_CHUNK_MIN && rows * row_bytes > CHUNK_BYTES)
		rows /= 2;
	return rows;
}

/* An empty frame of n_columns columns of these widths. */
MlStatus
ml_frame_create(MlEnv *env, const MlWidth *widths, uint32_t n_columns, MlFrame **frame)
{
	MlFrame *result;

	if (n_columns == 0 || n_columns > MAX_COLUMNS)
		return ml_fail(env, ML_EINVAL, "a frame of %u columns is not possible", n_columns);
	result = ml_zalloc(env, sizeof(*result));
	if (!result)
		return ML_ENOMEM;
	result->env = env;
	result->n_columns = n_columns;
	result->columns = ml_zalloc_array(env, n_columns, sizeof(Column));
	if (!result->columns)
	{
		ml_free(env, result);
		return ML_ENOMEM;
	}
	for (uint32_t c = 0; c < n_columns; c++)
	{
		Column *column = &result->columns[c];

		column->width = widths[c];
		column->offset = result->row_bytes;
		column->bitmap = ml_cell_has_bitmap(widths[c]) ? (int32_t) result->n_bitmaps++ : -1;
		result->row_bytes += ml_cell_bytes(widths[c]);
	}
	result->max_chunk = largest_chunk(result->row_bytes);
	/* An odd number of cache lines, so that the rows of a column do not all fall into one set of the cache. */
	result->stage_stride = (((size_t) n_columns + 7) / 8 | 1) * 8;
	*frame = result;
	return ML_OK;
}

/* Free a frame; NULL is allowed. */
void
ml_frame_free(MlFrame *frame)
{
	if (!frame)
		return;
	for (size_t i = 0; i < frame->n_chunks; i++)
		ml_region_free(frame->env, &frame->chunks[i].region);
	ml_free(frame->env, frame->chunks);
	ml_free(frame->env, frame->stage);
	ml_free(frame->env, frame->columns);
	ml_free(frame->env, frame);
}

/* The rows of the chunk that follows n_rows others. */
static size_t
next_chunk_rows(const MlFrame *frame, size_t n_rows)
{
	size_t rows = n_rows / 8 / STAGE_ROWS * STAGE_ROWS;

	return ML_MIN(ML_MAX(rows, ML_FRAME_CHUNK_MIN), frame->max_chunk);
}

/* Add an empty chunk. */
MlStatus
ml_frame_add_chunk(MlFrame *frame)
{
	MlEnv *env = frame->env;
	size_t rows = next_chunk_rows(frame, frame->chunk_rows);
	size_t bytes = rows * frame->row_bytes + rows / 8 * frame->n_bitmaps;
	Chunk *chunk;

	ML_TRY(
		ml_grow(env, &frame->chunks, &frame->chunk_capacity, frame->n_chunks + 1, sizeof(Chunk)));
	chunk = &frame->chunks[frame->n_chunks];
	ML_TRY(ml_region_alloc(env, &chunk->region, bytes, 1));
	chunk->first_row = frame->chunk_rows;
	chunk->n_rows = rows;
	frame->n_chunks++;
	frame->chunk_rows += rows;
	return ML_OK;
}

/* Move a full stage into the last chunk. */
static MlStatus
flush_stage(MlFrame *frame)
{
	const Chunk *chunk;
	size_t at;

	if (frame->flushed == frame->chunk_rows)
		ML_TRY(ml_frame_add_chunk(frame));
	chunk = &frame->chunks[frame->n_chunks - 1];
	at = frame->flushed - chunk->first_row;
	for (uint32_t c = 0; c < frame->n_columns; c++)
	{
		MlWidth width = frame->columns[c].width;
		uint64_t *missing = column_missing(frame, chunk, c);
		uint8_t *cells = (uint8_t *) column_cells(frame, chunk, c) + at * ml_cell_bytes(width);
		uint64_t word =
			ml_cells_pack(width, frame->stage + c, frame->stage_stride, STAGE_ROWS, cells);

		if (missing)
			missing[at / STAGE_ROWS] = word;
	}
	frame->flushed += STAGE_ROWS;
	frame->n_staged = 0;
	return ML_OK;
}

/* Make room in the stage for one more row. */
static MlStatus
make_room(MlFrame *frame)
{
	size_t wanted;

	if (ml_frame_rows(frame) > UINT32_MAX - STAGE_ROWS)
		return ml_fail(frame->env, ML_EDATA, "more than %u rows cannot be trained on at once",
					   UINT32_MAX);
	if (frame->n_staged == STAGE_ROWS)
		return flush_stage(frame);
	wanted = ML_MIN(ML_MAX(2 * frame->stage_capacity, 8), STAGE_ROWS);
	return ml_grow(frame->env, &frame->stage, &frame->stage_capacity, wanted,
				   frame->stage_stride * sizeof(double));
}

/* Append one row of n_columns doubles. */
MlStatus
ml_frame_append(MlFrame *frame, const double *row)
{
	if (frame->n_staged == ML_MIN(frame->stage_capacity, STAGE_ROWS))
		ML_TRY(make_room(frame));
	memcpy(frame->stage + frame->n_staged * frame->stage_stride, row,
		   frame->n_columns * sizeof(double));
	frame->n_staged++;
	return ML_OK;
}

/* ---- sizes */

/* Rows appended so far. */
size_t
ml_frame_rows(const MlFrame *frame)
{
	return frame->flushed + frame->n_staged;
}

uint32_t
ml_frame_columns(const MlFrame *frame)
{
	return frame->n_columns;
}

/* Bytes in use, heap and mapped. */
size_t
ml_frame_bytes(const MlFrame *frame)
{
	size_t bytes = sizeof(*frame) + frame->n_columns * sizeof(Column) +
				   frame->chunk_capacity * sizeof(Chunk) +
				   frame->stage_capacity * frame->stage_stride * sizeof(double);

	for (size_t i = 0; i < frame->n_chunks; i++)
		bytes += frame->chunks[i].region.size;
	return bytes;
}

/* ---- reading */

/* The chunk that holds a flushed row. */
static const Chunk *
find_chunk(const MlFrame *frame, size_t row)
{
	size_t low = 0, high = frame->n_chunks - 1;

	while (low < high)
	{
		size_t middle = (low + high + 1) / 2;

		if (frame->chunks[middle].first_row <= row)
			low = middle;
		else
			high = middle - 1;
	}
	return &frame->chunks[low];
}

/* A value of the stage as the column's width keeps it. */
static double
staged_value(const MlFrame *frame, uint32_t c, size_t row)
{
	const double *value = frame->stage + (row - frame->flushed) * frame->stage_stride + c;
	Cells cell;
	double out;
	uint64_t missing = ml_cells_pack(frame->columns[c].width, value, 1, 1, &cell);

	ml_cells_unpack(frame->columns[c].width, &cell, &missing, 0, 1, &out);
	return out;
}

/* Rows first..first+n-1 of a column as doubles. */
void
ml_frame_read(const MlFrame *frame, uint32_t column, size_t first, size_t n, double *out)
{
	size_t row = first, end = first + n;
	const Chunk *chunk = row < ML_MIN(end, frame->flushed) ? find_chunk(frame, row) : NULL;

	for (; row < ML_MIN(end, frame->flushed); chunk++)
	{
		size_t at = row - chunk->first_row;
		size_t stop = ML_MIN(ML_MIN(end, frame->flushed), chunk->first_row + chunk->n_rows);

		ml_cells_unpack(frame->columns[column].width, column_cells(frame, chunk, column),
						column_missing(frame, chunk, column), at, stop - row, out + (row - first));
		row = stop;
	}
	for (; row < end; row++)
		out[row - first] = staged_value(frame, column, row);
}

/* Rows index[0..n-1] of a column as doubles. */
void
ml_frame_gather(const MlFrame *frame, uint32_t column, const uint32_t *index, size_t n, double *out)
{
	size_t i = 0;

	while (i < n)
	{
		const Chunk *chunk;

		if (index[i] >= frame->flushed)
		{
			out[i] = staged_value(frame, column, index[i]);
			i++;
			continue;
		}
		chunk = find_chunk(frame, index[i]);
		i += ml_cells_gather(frame->columns[column].width, column_cells(frame, chunk, column),
							 column_missing(frame, chunk, column), (uint32_t) chunk->first_row,
							 (uint32_t) ML_MIN(chunk->n_rows, frame->flushed - chunk->first_row),
							 index + i, n - i, out + i);
	}
}

/* The range and the number of missing values of a column. */
MlFrameRange
ml_frame_range(const MlFrame *frame, uint32_t column)
{
	MlFrameRange range = {.min = INFINITY, .max = -INFINITY};
	size_t n_rows = ml_frame_rows(frame);
	double block[256];

	for (size_t first = 0; first < n_rows; first += 256)
	{
		size_t n = ML_MIN(n_rows - first, 256);

		ml_frame_read(frame, column, first, n, block);
		for (size_t i = 0; i < n; i++)
		{
			range.min = block[i] < range.min ? block[i] : range.min;
			range.max = block[i] > range.max ? block[i] : range.max;
			range.n_missing += block[i] != block[i];
		}
	}
	return range;
}

/* ---- appending another frame */

/* Append the n rows of other from first on; rows: room for them, row by row. */
static MlStatus
append_rows(MlFrame *frame, const MlFrame *other, const uint32_t *const *recode, size_t first,
			size_t n, double *rows)
{
	for (uint32_t c = 0; c < other->n_columns; c++)
	{
		double values[STAGE_ROWS];
		const uint32_t *codes =
			recode && other->columns[c].width == ML_WIDTH_LEVEL ? recode[c] : NULL;

		ml_frame_read(other, c, first, n, values);
		for (size_t i = 0; i < n; i++)
			rows[i * other->n_columns + c] =
				codes && values[i] >= 0 ? codes[(uint32_t) values[i]] : values[i];
	}
	for (size_t i = 0; i < n; i++)
		ML_TRY(ml_frame_append(frame, rows + i * other->n_columns));
	return ML_OK;
}

/* Append all rows of other; after a failure some of them may be there. */
MlStatus
ml_frame_concat(MlFrame *frame, const MlFrame *other, const uint32_t *const *recode)
{
	MlEnv *env = frame->env;
	MlStatus status = ML_OK;
	size_t n_rows = ml_frame_rows(other);
	double *rows;

	if (frame->n_columns != other->n_columns)
		return ml_fail(env, ML_EINVAL, "frames of %u and %u columns cannot be joined",
					   frame->n_columns, other->n_columns);
	for (uint32_t c = 0; c < frame->n_columns; c++)
		if (frame->columns[c].width != other->columns[c].width)
			return ml_fail(env, ML_EINVAL, "frames that differ in the width of column %u", c + 1);
	rows = ml_alloc_array(env, (size_t) STAGE_ROWS * other->n_columns, sizeof(double));
	if (!rows)
		return ML_ENOMEM;
	for (size_t first = 0; first < n_rows && status == ML_OK; first += STAGE_ROWS)
	{
		status = ml_poll(env);
		if (status == ML_OK)
			status =
				append_rows(frame, other, recode, first, ML_MIN(n_rows - first, STAGE_ROWS), rows);
	}
	ml_free(env, rows);
	return status;
}
