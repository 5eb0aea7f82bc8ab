/*
 * framesave.c
 *		A frame as bytes, for states that travel.
 *
 * Number of columns, a byte of width each, number of rows; then per column its
 * cells in natural width and, in widths that have one, its bitmap in words of
 * 64 rows. Little-endian. How the rows lie in chunks is not written.
 *
 * The loader trusts nothing: it allocates no more than the bytes that are there
 * can fill, and refuses cells that no frame has.
 */
#include <string.h>

#include "data/frame_inner.h"

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
		ML_TRY(ml_frame_add_chunk(frame));
	frame->flushed = n_rows / STAGE_ROWS * STAGE_ROWS;
	ML_TRY(ml_grow(frame->env, &frame->stage, &frame->stage_capacity, n_rows - frame->flushed,
				   frame->stage_stride * sizeof(double)));
	frame->n_staged = n_rows - frame->flushed;
	for (uint32_t c = 0; c < frame->n_columns; c++)
		ML_TRY(load_column(frame, c, in));
	return ML_OK;
}

/* Read a frame from hostile bytes. What the values mean is the caller's to check, with ml_frame_range. */
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
