/*
 * utf16.c
 *		A stream of bytes as it stands, or as UTF-8 where it is UTF-16 with a byte order mark.
 *
 * Spreadsheets save "Unicode text" so, and the server knows no such encoding.
 * Half a pair of surrogates, or half a unit at the end, becomes bytes that are no
 * UTF-8 either, so that whoever reads them finds the fault and its line.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "mb/pg_wchar.h"

#include "source/csv/utf16.h"

#define INPUT_SIZE (64 * 1024)
#define NO_UNIT (-1)

typedef struct Utf16
{
	MlplatBytes bytes;
	MlplatBytes *raw;
	bool big_endian;
	unsigned char input[INPUT_SIZE];
	int input_pos, input_len;
	unsigned char chars[4]; /* the character that is being handed out */
	int chars_pos, chars_len;
} Utf16;

static void
refill(Utf16 *file)
{
	file->input_len = mlplat_bytes_read(file->raw, (char *) file->input, INPUT_SIZE);
	file->input_pos = 0;
	file->bytes.n_read = file->raw->n_read;
}

/* The next unit, without taking it; NO_UNIT: less than one is left. INPUT_SIZE is even, so none is cut in two. */
static int
peek_unit(Utf16 *file)
{
	const unsigned char *p;

	if (file->input_pos == file->input_len)
		refill(file);
	if (file->input_len - file->input_pos < 2)
		return NO_UNIT;
	p = file->input + file->input_pos;
	return file->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

static void
put_char(Utf16 *file, int c)
{
	unsigned char *out = file->chars;

	file->chars_pos = 0;
	if (c < 0x80)
		*out++ = (unsigned char) c;
	else if (c < 0x800)
		*out++ = (unsigned char) (0xc0 | c >> 6);
	else if (c < 0x10000)
	{
		*out++ = (unsigned char) (0xe0 | c >> 12);
		*out++ = (unsigned char) (0x80 | (c >> 6 & 0x3f));
	}
	else
	{
		*out++ = (unsigned char) (0xf0 | c >> 18);
		*out++ = (unsigned char) (0x80 | (c >> 12 & 0x3f));
		*out++ = (unsigned char) (0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		*out++ = (unsigned char) (0x80 | (c & 0x3f));
	file->chars_len = (int) (out - file->chars);
}

/* Make the next character ready. False at the end. */
static bool
next_char(Utf16 *file)
{
	int c = peek_unit(file), low;

	if (c == NO_UNIT)
	{
		if (file->input_pos == file->input_len)
			return false;
		file->chars[0] = 0xff; /* half a unit */
		file->chars_pos = 0;
		file->chars_len = 1;
		file->input_pos = file->input_len;
		return true;
	}
	file->input_pos += 2;
	if (c >= 0xd800 && c < 0xdc00 && (low = peek_unit(file)) >= 0xdc00 && low < 0xe000)
	{
		file->input_pos += 2;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_char(file, c);
	return true;
}

static int
read_chars(MlplatBytes *bytes, char *out, int size)
{
	Utf16 *file = (Utf16 *) bytes;
	int done = 0;

	while (done < size && (file->chars_pos < file->chars_len || next_char(file)))
		out[done++] = (char) file->chars[file->chars_pos++];
	return done;
}

static void
start(Utf16 *file)
{
	char mark[2];

	(void) mlplat_bytes_read(file->raw, mark, 2);
	file->input_pos = file->input_len = 0;
	file->chars_pos = file->chars_len = 0;
	file->bytes.n_read = 0;
}

static void
rewind_chars(MlplatBytes *bytes)
{
	Utf16 *file = (Utf16 *) bytes;

	mlplat_bytes_rewind(file->raw);
	start(file);
}

static void
close_chars(MlplatBytes *bytes)
{
	Utf16 *file = (Utf16 *) bytes;

	mlplat_bytes_close(file->raw);
	pfree(file);
}

MlplatBytes *
mlplat_utf16(MlplatBytes *raw)
{
	char mark[2] = "";
	int n = mlplat_bytes_read(raw, mark, 2);
	Utf16 *file;

	mlplat_bytes_rewind(raw);
	if (n < 2 || (memcmp(mark, "\xff\xfe", 2) != 0 && memcmp(mark, "\xfe\xff", 2) != 0))
		return raw;
	file = palloc0(sizeof(Utf16));
	file->raw = raw;
	file->big_endian = mark[0] == '\xfe';
	file->bytes = (MlplatBytes){.name = raw->name,
								.encoding = PG_UTF8,
								.read = read_chars,
								.rewind = rewind_chars,
								.close = close_chars};
	start(file);
	return &file->bytes;
}
