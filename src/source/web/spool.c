/*
 * spool.c
 *		Bytes that are written once, then read as often as one likes: what was downloaded.
 *
 * A temporary file of PostgreSQL's: temp_file_limit counts, log_temp_files tells,
 * and after an error or a crash nothing is left over. Small contents stay in the
 * file's buffer and never reach the disk.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/buffile.h"

#include "source/web/spool.h"

struct MlplatSpool
{
	MlplatBytes bytes;
	BufFile *file;
	uint64 size;
};

static int
read_spool(MlplatBytes *bytes, char *out, int size)
{
	MlplatSpool *spool = (MlplatSpool *) bytes;
	uint64 left = spool->size - bytes->n_read;

	CHECK_FOR_INTERRUPTS();
	size = (int) Min((uint64) size, left);
	if (size > 0 && BufFileRead(spool->file, out, (size_t) size) != (size_t) size)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read temporary file: %m")));
	bytes->n_read += (uint64) size;
	return size;
}

static void
rewind_spool(MlplatBytes *bytes)
{
	MlplatSpool *spool = (MlplatSpool *) bytes;

	if (BufFileSeek(spool->file, 0, 0, SEEK_SET) != 0)
		elog(ERROR, "could not go back to the start of a temporary file");
	bytes->n_read = 0;
}

static void
close_spool(MlplatBytes *bytes)
{
	MlplatSpool *spool = (MlplatSpool *) bytes;

	BufFileClose(spool->file);
	pfree(spool);
}

MlplatSpool *
mlplat_spool_create(const char *name)
{
	MlplatSpool *spool = palloc0(sizeof(MlplatSpool));

	spool->file = BufFileCreateTemp(false);
	spool->bytes = (MlplatBytes){
		.name = name, .read = read_spool, .rewind = rewind_spool, .close = close_spool};
	return spool;
}

void
mlplat_spool_append(MlplatSpool *spool, const char *data, size_t len)
{
	BufFileWrite(spool->file, unconstify(char *, data), len);
	spool->size += len;
}

uint64
mlplat_spool_size(const MlplatSpool *spool)
{
	return spool->size;
}

void
mlplat_spool_clear(MlplatSpool *spool)
{
	BufFileClose(spool->file);
	spool->file = BufFileCreateTemp(false);
	spool->size = 0;
}

MlplatBytes *
mlplat_spool_read(MlplatSpool *spool)
{
	rewind_spool(&spool->bytes);
	return &spool->bytes;
}
