/*
 * gunzip.c
 *		A stream of bytes as it stands, or decompressed where it is gzip.
 *
 * gzip is known by its first two bytes. A gzip file may have several members,
 * one after another; zeros after the last are padding.
 *
 * A small file can hold content without end (a "zip bomb": deflate packs up to
 * 1,032 times). So there is a limit: what the caller gives, else far beyond what
 * real tables come to, which pack some 3 to 30 times.
 *
 * zlib's memory belongs to the current context, as all does: nothing is left
 * over after an error.
 */
#include "postgres.h"

#include <zlib.h>

#include "pg/compat.h"

#include "source/gunzip.h"

#define INPUT_SIZE (256 * 1024)
#define WINDOW_BITS (15 + 16) /* the largest window, gzip header */

#define ALWAYS_ALLOWED ((uint64) 1 << 30)
#define MAX_RATIO 200

typedef struct Gunzip
{
	MlplatBytes bytes;
	MlplatBytes *raw;
	z_stream inflate;
	uint64 max_bytes; /* 0: the default */
	uint64 n_out;
	bool member_open; /* inside a gzip member */
	unsigned char *input;
	size_t input_pos, input_len;
	bool input_end;
} Gunzip;

/* Fill the input buffer when it is used up. Returns the number of bytes at hand, 0 at the end. */
static size_t
fill_input(Gunzip *file)
{
	if (file->input_pos < file->input_len || file->input_end)
		return file->input_len - file->input_pos;
	file->input_pos = 0;
	file->input_len = (size_t) mlplat_bytes_read(file->raw, (char *) file->input, INPUT_SIZE);
	file->input_end = file->input_len < INPUT_SIZE;
	return file->input_len;
}

static void *
zlib_alloc(void *context, unsigned n, unsigned size)
{
	return MemoryContextAllocExtended(context, (Size) n * size, MCXT_ALLOC_NO_OOM);
}

static void
zlib_free(void *context pg_attribute_unused(), void *ptr)
{
	pfree(ptr);
}

static void
damaged(const Gunzip *file, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED), errmsg("gzip %s is %s", file->raw->name, what)));
}

/* Throw when the content is larger than it may be. */
static void
check_size(const Gunzip *file)
{
	uint64 allowed =
		file->max_bytes > 0 ? file->max_bytes : Max(ALWAYS_ALLOWED, file->raw->n_read * MAX_RATIO);

	if (file->n_out > allowed)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("gzip %s holds more than " UINT64_FORMAT " bytes", file->raw->name, allowed),
			 errhint("If it is meant to be so large, say so with the option max_bytes.")));
}

/* Start a member if one follows. False at the end of the file. */
static bool
open_member(Gunzip *file, bool first)
{
	while (!first && fill_input(file) > 0 && file->input[file->input_pos] == 0)
		file->input_pos++;
	if (fill_input(file) == 0)
		return false;
	if (inflateReset(&file->inflate) != Z_OK)
		elog(ERROR, "could not start to decompress %s", file->raw->name);
	file->member_open = true;
	return true;
}

/* Decompress what is at hand, into the room that next_out has. */
static void
inflate_input(Gunzip *file)
{
	int result;

	file->inflate.next_in = file->input + file->input_pos;
	file->inflate.avail_in = (unsigned) (file->input_len - file->input_pos);
	result = inflate(&file->inflate, Z_NO_FLUSH);
	file->input_pos = file->input_len - file->inflate.avail_in;
	if (result == Z_MEM_ERROR)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (result != Z_OK && result != Z_STREAM_END)
		damaged(file, "damaged");
	file->member_open = result == Z_OK;
}

static int
read_content(MlplatBytes *bytes, char *out, int size)
{
	Gunzip *file = (Gunzip *) bytes;

	file->inflate.next_out = (unsigned char *) out;
	file->inflate.avail_out = (unsigned) size;
	while (file->inflate.avail_out > 0)
	{
		if (!file->member_open && !open_member(file, false))
			break;
		if (fill_input(file) == 0)
			damaged(file, "truncated");
		inflate_input(file);
	}
	size -= (int) file->inflate.avail_out;
	file->n_out += (uint64) size;
	bytes->n_read = file->raw->n_read;
	check_size(file);
	return size;
}

static void
start(Gunzip *file)
{
	file->input_pos = file->input_len = 0;
	file->input_end = false;
	file->n_out = 0;
	file->bytes.n_read = 0;
	open_member(file, true);
}

static void
rewind_content(MlplatBytes *bytes)
{
	Gunzip *file = (Gunzip *) bytes;

	mlplat_bytes_rewind(file->raw);
	start(file);
}

static void
close_content(MlplatBytes *bytes)
{
	Gunzip *file = (Gunzip *) bytes;

	inflateEnd(&file->inflate);
	mlplat_bytes_close(file->raw);
	pfree(file->input);
	pfree(file);
}

static bool
is_gzip(MlplatBytes *raw)
{
	unsigned char magic[2];
	bool result =
		mlplat_bytes_read(raw, (char *) magic, 2) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;

	mlplat_bytes_rewind(raw);
	return result;
}

MlplatBytes *
mlplat_gunzip(MlplatBytes *raw, int64 max_bytes)
{
	Gunzip *file;

	if (!is_gzip(raw))
		return raw;
	file = palloc0(sizeof(Gunzip));
	file->raw = raw;
	file->max_bytes = (uint64) max_bytes;
	file->input = palloc(INPUT_SIZE);
	file->inflate.zalloc = zlib_alloc;
	file->inflate.zfree = zlib_free;
	file->inflate.opaque = CurrentMemoryContext;
	if (inflateInit2(&file->inflate, WINDOW_BITS) != Z_OK)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	file->bytes = (MlplatBytes){.name = raw->name,
								.encoding = raw->encoding,
								.read = read_content,
								.rewind = rewind_content,
								.close = close_content};
	start(file);
	return &file->bytes;
}
