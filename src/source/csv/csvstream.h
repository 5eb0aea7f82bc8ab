/*
 * csvstream.h
 *		The bytes of a CSV file as COPY is to see them.
 */
#ifndef MLPLAT_CSVSTREAM_H
#define MLPLAT_CSVSTREAM_H

#include "source/bytes.h"

typedef struct MlplatCsvStream
{
	MlplatBytes *file;
	bool one_column;     /* a blank line is then a row */
	bool started, ended; /* something was passed on; the end of the file was seen */
	char *buffer;
	int pos;   /* passed on up to here */
	int ready; /* may be passed on */
	int len;   /* bytes after ready are held back: their meaning depends on what follows */
} MlplatCsvStream;

/* Start at the beginning of the file, or after the blank lines there. */
extern void mlplat_csv_stream_init(MlplatCsvStream *stream, MlplatBytes *file, bool one_column);
extern void mlplat_csv_stream_skip_blank(MlplatCsvStream *stream);

/* An MlplatByteFn over a MlplatCsvStream. */
extern int mlplat_csv_stream_read(void *arg, char *out, int min, int max);

/* Read the first bytes of the file, without a byte order mark. */
extern int mlplat_csv_read_start(MlplatBytes *file, char *out, int size);

#endif
