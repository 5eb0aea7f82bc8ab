/*
 * serverfile.c
 *		A file on the server as a stream of bytes.
 *
 * Who may read is asked here and nowhere else, so that no import can forget it:
 * the same right as for COPY, pg_read_server_files. The file is opened without
 * blocking and looked at through its descriptor: a fifo or a device is refused
 * before a byte is read, and the name cannot be exchanged in between.
 *
 * The descriptor belongs to the (sub)transaction and all memory to the current
 * context: nothing is left over after an error.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg/compat.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "source/serverfile.h"

typedef struct ServerFile
{
	MlplatBytes bytes;
	const char *path;
	int fd;
} ServerFile;

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

static void
could_not_read(const ServerFile *file)
{
	ereport(ERROR,
			(errcode_for_file_access(), errmsg("could not read file \"%s\": %m", file->path)));
}

static int
read_file(MlplatBytes *bytes, char *out, int size)
{
	ServerFile *file = (ServerFile *) bytes;
	int done = 0;

	CHECK_FOR_INTERRUPTS();
	while (done < size)
	{
		ssize_t n = read(file->fd, out + done, (size_t) (size - done));

		if (n < 0)
			could_not_read(file);
		if (n == 0)
			break;
		done += (int) n;
	}
	bytes->n_read += (uint64) done;
	return done;
}

static void
rewind_file(MlplatBytes *bytes)
{
	ServerFile *file = (ServerFile *) bytes;

	if (lseek(file->fd, 0, SEEK_SET) < 0)
		could_not_read(file);
	bytes->n_read = 0;
}

static void
close_file(MlplatBytes *bytes)
{
	ServerFile *file = (ServerFile *) bytes;

	CloseTransientFile(file->fd);
	pfree(file);
}

MlplatBytes *
mlplat_server_file_open(const char *path)
{
	ServerFile *file;

	check_rights();
	file = palloc0(sizeof(ServerFile));
	file->path = pstrdup(path);
	file->fd = open_regular_file(path);
	file->bytes = (MlplatBytes){.name = psprintf("file \"%s\"", path),
								.read = read_file,
								.rewind = rewind_file,
								.close = close_file};
	return &file->bytes;
}
