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

#include "data/cells.h"
#include "data/frame.h"

#define STAGE_ROWS ML_CELLS_PACK

/* A chunk of wide rows has fewer rows, so that it stays below about this many bytes. */
#define CHUNK_BYTES ((size_t) 64 << 20)

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
static MlStatus
add_chunk(MlFrame *frame)
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

/* Move a full stage into the last chunk. */
static MlStatus
flush_stage(MlFrame *frame)
{
	const Chunk *chunk;
	size_t at;

	if (frame->flushed == frame->chunk_rows)
		ML_TRY(add_chunk(frame));
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

/* True when every level code of a column is below n_levels. */
bool
ml_frame_levels_below(const MlFrame *frame, uint32_t column, uint32_t n_levels)
{
	double block[256];
	size_t n_rows = ml_frame_rows(frame);
	bool below = true;

	for (size_t row = 0; row < n_rows; row += 256)
	{
		size_t n = ML_MIN(n_rows - row, 256);

		ml_frame_read(frame, column, row, n, block);
		for (size_t i = 0; i < n; i++)
			below &= !(block[i] >= n_levels);
	}
	return below;
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

/* ---- travelling: columns, widths, rows; then per column its cells and its bitmap */

/* The other byte order, for machines whose own is not little-endian: n values of that many bytes. */
static void
swap_bytes(uint8_t *data, size_t n, size_t bytes)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < bytes / 2; k++)
		{
			uint8_t *value = data + i * bytes;
			uint8_t low = value[k];

			value[k] = value[bytes - 1 - k];
			value[bytes - 1 - k] = low;
		}
}

/* Append n values of that many bytes in little-endian order. */
static void
put_values(MlBuffer *out, const void *values, size_t n, size_t bytes)
{
	size_t start = out->len;

	ml_put_bytes(out, values, n * bytes);
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && out->status == ML_OK)
		swap_bytes(out->data + start, n, bytes);
}

/* Copy n little-endian values out of bytes that may be unaligned. */
static void
copy_values(void *values, const uint8_t *from, size_t n, size_t bytes)
{
	memcpy(values, from, n * bytes);
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		swap_bytes(values, n, bytes);
}

/* Write one column: the cells of all chunks and of the stage, then the words of its bitmap. */
static void
save_column(const MlFrame *frame, uint32_t c, MlBuffer *out)
{
	MlWidth width = frame->columns[c].width;
	size_t bytes = ml_cell_bytes(width);
	Cells staged;
	uint64_t word = 0;

	for (size_t k = 0; k < frame->n_chunks; k++)
	{
		const Chunk *chunk = &frame->chunks[k];

		put_values(out, column_cells(frame, chunk, c),
				   ML_MIN(chunk->n_rows, frame->flushed - chunk->first_row), bytes);
	}
	if (frame->n_staged)
		word =
			ml_cells_pack(width, frame->stage + c, frame->stage_stride, frame->n_staged, &staged);
	put_values(out, &staged, frame->n_staged, bytes);
	if (!ml_cell_has_bitmap(width))
		return;
	for (size_t k = 0; k < frame->n_chunks; k++)
	{
		const Chunk *chunk = &frame->chunks[k];

		put_values(out, column_missing(frame, chunk, c),
				   ML_MIN(chunk->n_rows, frame->flushed - chunk->first_row) / STAGE_ROWS,
				   sizeof(uint64_t));
	}
	if (frame->n_staged)
		ml_put_u64(out, word);
}

/* Write the frame, for a state that travels. */
void
ml_frame_save(const MlFrame *frame, MlBuffer *out)
{
	ml_put_u32(out, frame->n_columns);
	for (uint32_t c = 0; c < frame->n_columns; c++)
		ml_put_u8(out, (uint8_t) frame->columns[c].width);
	ml_put_u64(out, ml_frame_rows(frame));
	for (uint32_t c = 0; c < frame->n_columns; c++)
		save_column(frame, c, out);
}

/* Unpack the cells of a column that fall into the stage. */
static bool
load_staged(MlFrame *frame, uint32_t c, const uint8_t *from, uint64_t word)
{
	MlWidth width = frame->columns[c].width;
	double values[STAGE_ROWS];
	Cells cells;

	copy_values(&cells, from, frame->n_staged, ml_cell_bytes(width));
	ml_cells_unpack(width, &cells, &word, 0, frame->n_staged, values);
	for (size_t i = 0; i < frame->n_staged; i++)
		frame->stage[i * frame->stage_stride + c] = values[i];
	return ml_cells_valid(width, &cells, frame->n_staged);
}

/* Read one column into chunks and stage, which are there already. */
static MlStatus
load_column(MlFrame *frame, uint32_t c, MlReader *in)
{
	MlWidth width = frame->columns[c].width;
	size_t n_rows = ml_frame_rows(frame), bytes = ml_cell_bytes(width);
	const uint8_t *cells = ml_get_bytes(in, n_rows * bytes);
	const uint8_t *words = NULL;
	uint64_t staged_word = 0;
	bool valid = true;

	if (ml_cell_has_bitmap(width))
		words = ml_get_bytes(in, (n_rows + 63) / 64 * sizeof(uint64_t));
	if (in->failed)
		return ml_corrupt(in->env, "frame column");
	for (size_t k = 0; k < frame->n_chunks; k++)
	{
		const Chunk *chunk = &frame->chunks[k];
		size_t n = ML_MIN(chunk->n_rows, frame->flushed - chunk->first_row);
		void *to = column_cells(frame, chunk, c);

		copy_values(to, cells + chunk->first_row * bytes, n, bytes);
		valid &= ml_cells_valid(width, to, n);
		if (words)
			copy_values(column_missing(frame, chunk, c), words + chunk->first_row / 8, n / 64,
						sizeof(uint64_t));
	}
	if (frame->n_staged)
	{
		if (words)
			copy_values(&staged_word, words + frame->flushed / 8, 1, sizeof(uint64_t));
		if (frame->n_staged < 64)
			staged_word &= ((uint64_t) 1 << frame->n_staged) - 1;
		valid &= load_staged(frame, c, cells + frame->flushed * bytes, staged_word);
	}
	return valid ? ML_OK : ml_corrupt(in->env, "frame cell");
}

/* Make the chunks and the stage for n_rows rows, and read all columns. */
static MlStatus
load_rows(MlFrame *frame, size_t n_rows, MlReader *in)
{
	while (frame->chunk_rows < n_rows / STAGE_ROWS * STAGE_ROWS)
		ML_TRY(add_chunk(frame));
	frame->flushed = n_rows / STAGE_ROWS * STAGE_ROWS;
	ML_TRY(ml_grow(frame->env, &frame->stage, &frame->stage_capacity, n_rows - frame->flushed,
				   frame->stage_stride * sizeof(double)));
	frame->n_staged = n_rows - frame->flushed;
	for (uint32_t c = 0; c < frame->n_columns; c++)
		ML_TRY(load_column(frame, c, in));
	return ML_OK;
}

/* Read a frame from hostile bytes. Level codes are the caller's to check (ml_frame_levels_below). */
MlStatus
ml_frame_load(MlReader *in, MlEnv *env, MlFrame **frame)
{
	uint32_t n_columns = ml_get_count(in, 1);
	const uint8_t *bytes = ml_get_bytes(in, n_columns);
	uint64_t n_rows = ml_get_u64(in);
	MlWidth *widths;
	MlFrame *result;
	MlStatus status;

	if (in->failed || n_columns == 0 || n_columns > MAX_COLUMNS || n_rows > UINT32_MAX)
		return ml_corrupt(env, "frame size");
	widths = ml_alloc_array(env, n_columns, sizeof(*widths));
	if (!widths)
		return ML_ENOMEM;
	status = ML_OK;
	for (uint32_t c = 0; c < n_columns && status == ML_OK; c++)
	{
		if (bytes[c] > ML_WIDTH_LEVEL)
			status = ml_corrupt(env, "frame width");
		widths[c] = (MlWidth) bytes[c];
	}
	if (status == ML_OK)
		status = ml_frame_create(env, widths, n_columns, &result);
	ml_free(env, widths);
	ML_TRY(status);
	/* No more memory than the bytes that are there can fill. */
	if (n_rows > (in->len - in->pos) / result->row_bytes)
		status = ml_corrupt(env, "frame rows");
	else
		status = load_rows(result, n_rows, in);
	if (status != ML_OK)
	{
		ml_frame_free(result);
		return status;
	}
	*frame = result;
	return ML_OK;
}
