/*
 * serverfile.c
 *		A file on the server, plain or gzip, as a stream of bytes.
 *
 * Who may read is asked here and nowhere else, so that no import can forget it:
 * the same right as for COPY, pg_read_server_files. The file is opened without
 * blocking and looked at through its descriptor: a fifo or a device is refused
 * before a byte is read, and the name cannot be exchanged in between.
 *
 * gzip is known by its first two bytes. A gzip file may have several members,
 * one after another; zeros after the last are padding.
 *
 * The descriptor belongs to the (sub)transaction, and all memory to the current
 * context, zlib's included: nothing is left over after an error.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "pg/compat.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "source/serverfile.h"

#define INPUT_SIZE (256 * 1024)
#define WINDOW_BITS (15 + 16) /* the largest window, gzip header */

struct MlplatServerFile
{
	const char *path;
	int fd;
	bool gzip;
	z_stream inflate;
	bool member_open; /* inside a gzip member */
	unsigned char *input;
	size_t input_pos, input_len;
	bool input_end;
	MemoryContext context;
};

static void
check_rights(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be superuser or have privileges of the "
							   "pg_read_server_files role to read a file on the server"),
						errhint("Anyone can load a file from the client with psql's \\copy.")));
}

static int
open_regular_file(const char *path)
{
	struct stat status;
	int fd;

	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME), errmsg("path \"%s\" is not absolute", path)));
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0 || fstat(fd, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", path)));
	if (!S_ISREG(status.st_mode))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg(S_ISDIR(status.st_mode) ? "\"%s\" is a directory"
													   : "\"%s\" is not a regular file",
							   path)));
	return fd;
}

/* Fill the input buffer when it is used up. Returns the number of bytes at hand, 0 at the end. */
static size_t
fill_input(MlplatServerFile *file)
{
	ssize_t n;

	if (file->input_pos < file->input_len || file->input_end)
		return file->input_len - file->input_pos;
	n = read(file->fd, file->input, INPUT_SIZE);
	if (n < 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not read file \"%s\": %m", file->path)));
	file->input_pos = 0;
	file->input_len = (size_t) n;
	file->input_end = n == 0;
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
damaged(const MlplatServerFile *file, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED), errmsg("gzip file \"%s\" is %s", file->path, what)));
}

/* Start a member if one follows. False at the end of the file. */
static bool
open_member(MlplatServerFile *file, bool first)
{
	while (!first && fill_input(file) > 0 && file->input[file->input_pos] == 0)
		file->input_pos++;
	if (fill_input(file) == 0)
		return false;
	if (inflateReset(&file->inflate) != Z_OK)
		elog(ERROR, "could not start to decompress file \"%s\"", file->path);
	file->member_open = true;
	return true;
}

static int
read_gzip(MlplatServerFile *file, char *out, int size)
{
	file->inflate.next_out = (unsigned char *) out;
	file->inflate.avail_out = (unsigned) size;
	while (file->inflate.avail_out > 0)
	{
		int result;

		if (!file->member_open && !open_member(file, false))
			break;
		if (fill_input(file) == 0)
			damaged(file, "truncated");
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
	return size - (int) file->inflate.avail_out;
}

static int
read_plain(MlplatServerFile *file, char *out, int size)
{
	int done = 0;

	while (done < size && fill_input(file) > 0)
	{
		size_t n = Min((size_t) (size - done), file->input_len - file->input_pos);

		memcpy(out + done, file->input + file->input_pos, n);
		file->input_pos += n;
		done += (int) n;
	}
	return done;
}

int
mlplat_server_file_read(MlplatServerFile *file, char *out, int size)
{
	CHECK_FOR_INTERRUPTS();
	return file->gzip ? read_gzip(file, out, size) : read_plain(file, out, size);
}

static void
start_reading(MlplatServerFile *file)
{
	file->input_pos = file->input_len = 0;
	file->input_end = false;
	fill_input(file);
	file->gzip = file->input_len >= 2 && file->input[0] == 0x1f && file->input[1] == 0x8b;
	if (file->gzip)
		open_member(file, true);
}

MlplatServerFile *
mlplat_server_file_open(const char *path)
{
	MlplatServerFile *file;

	check_rights();
	file = palloc0(sizeof(MlplatServerFile));
	file->path = pstrdup(path);
	file->context = CurrentMemoryContext;
	file->input = palloc(INPUT_SIZE);
	file->inflate.zalloc = zlib_alloc;
	file->inflate.zfree = zlib_free;
	file->inflate.opaque = file->context;
	if (inflateInit2(&file->inflate, WINDOW_BITS) != Z_OK)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	file->fd = open_regular_file(path);
	start_reading(file);
	return file;
}

void
mlplat_server_file_rewind(MlplatServerFile *file)
{
	if (lseek(file->fd, 0, SEEK_SET) < 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not read file \"%s\": %m", file->path)));
	start_reading(file);
}

void
mlplat_server_file_close(MlplatServerFile *file)
{
	inflateEnd(&file->inflate);
	CloseTransientFile(file->fd);
	pfree(file->input);
	pfree(file);
}
