/*
 * csvstream.c
 *		The bytes of a CSV file as COPY is to see them.
 *
 * Three things are taken away or refused:
 *
 * - a byte order mark at the start, which COPY would take for text;
 * - blank lines at the start, which COPY would take for the header, and at the
 *   end, which COPY would take for rows without columns;
 * - a line with nothing but "\.": before version 18, COPY takes it for the end
 *   of the data and would leave the rest of the file out without a word. At the
 *   end of the file it is dropped, elsewhere it is an error. (Within a quoted
 *   text of several lines it is refused too.)
 *
 * So bytes of which such a line can consist are held back at the end of a piece
 * until it is clear what follows them.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "source/csv/csvstream.h"

#define BOM "\xef\xbb\xbf"
#define BOM_SIZE 3
#define BUFFER_SIZE (128 * 1024)

/* Beyond this many blank lines in a row, COPY may say what is wrong. */
#define MAX_HELD 4096

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool
may_be_held(char c)
{
	return is_newline(c) || c == '\\' || c == '.';
}

int
mlplat_csv_read_start(MlplatBytes *file, char *out, int size)
{
	int n = mlplat_bytes_read(file, out, size);

	if (n < BOM_SIZE || memcmp(out, BOM, BOM_SIZE) != 0)
		return n;
	memmove(out, out + BOM_SIZE, (size_t) n - BOM_SIZE);
	n -= BOM_SIZE;
	return n + mlplat_bytes_read(file, out + n, size - n);
}

void
mlplat_csv_stream_init(MlplatCsvStream *stream, MlplatBytes *file, bool one_column)
{
	stream->file = file;
	stream->one_column = one_column;
	stream->started = stream->ended = false;
	stream->buffer = palloc(BUFFER_SIZE);
	stream->pos = stream->ready = 0;
	mlplat_bytes_rewind(file);
	stream->len = mlplat_csv_read_start(file, stream->buffer, BOM_SIZE);
}

void
mlplat_csv_stream_skip_blank(MlplatCsvStream *stream)
{
	do
	{
		if (stream->pos == stream->len)
		{
			stream->pos = 0;
			stream->len = mlplat_bytes_read(stream->file, stream->buffer, BUFFER_SIZE);
		}
		while (stream->pos < stream->len && is_newline(stream->buffer[stream->pos]))
			stream->pos++;
	} while (stream->pos == stream->len && stream->len > 0);
	stream->ready = stream->pos;
}

/* Where a line of only "\." starts, at or after from; -1: nowhere. Held bytes are never cut, so the line is whole. */
static int
find_end_marker(const MlplatCsvStream *stream, const char *data, int len)
{
	const char *p = data, *end = data + len;

	while ((p = memchr(p, '\\', (size_t) (end - p))) != NULL)
	{
		bool starts = p > data ? is_newline(p[-1]) : !stream->started;

		if (starts && end - p >= 2 && p[1] == '.' && (end - p == 2 || is_newline(p[2])))
			return (int) (p - data);
		p++;
	}
	return -1;
}

static void
refuse_end_marker(void)
{
	ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					errmsg("a line before the end of the file holds only \"\\.\""),
					errdetail("COPY takes such a line for the end of the data.")));
}

/* The last bytes of the file: keep the newline that ends the last row, drop what is blank after it. */
static int
trim_end(const MlplatCsvStream *stream, const char *data, int len)
{
	int marker = find_end_marker(stream, data, len);
	int kept = marker >= 0 ? marker : len;

	for (int i = kept; i < len; i++)
		if (i >= kept + 2 && !is_newline(data[i]))
			refuse_end_marker();
	if (stream->one_column)
		return kept;
	while (kept > 0 && is_newline(data[kept - 1]))
		kept--;
	if (kept < len && data[kept] == '\r')
		kept++;
	if (kept < len && data[kept] == '\n')
		kept++;
	return kept;
}

/* How many bytes of data may be passed on, with more to follow. */
static int
ready_part(const MlplatCsvStream *stream, const char *data, int len)
{
	int ready = len;

	while (ready > 0 && len - ready < MAX_HELD && may_be_held(data[ready - 1]))
		ready--;
	if (len - ready >= MAX_HELD)
		ready = len;
	if (find_end_marker(stream, data, ready) >= 0)
		refuse_end_marker();
	return ready;
}

/* Read on, after all that was ready has been passed on. */
static void
refill(MlplatCsvStream *stream)
{
	int n;

	stream->len -= stream->pos;
	memmove(stream->buffer, stream->buffer + stream->pos, (size_t) stream->len);
	stream->pos = 0;
	n = mlplat_bytes_read(stream->file, stream->buffer + stream->len, BUFFER_SIZE - stream->len);
	stream->len += n;
	stream->ended = n == 0;
	if (stream->ended)
		stream->len = stream->ready = trim_end(stream, stream->buffer, stream->len);
	else
		stream->ready = ready_part(stream, stream->buffer, stream->len);
	stream->started |= stream->ready > 0;
}

int
mlplat_csv_stream_read(void *arg, char *out, int min pg_attribute_unused(), int max)
{
	MlplatCsvStream *stream = arg;
	int n;

	while (stream->pos == stream->ready && !stream->ended)
		refill(stream);
	n = Min(max, stream->ready - stream->pos);
	memcpy(out, stream->buffer + stream->pos, (size_t) n);
	stream->pos += n;
	return n;
}
