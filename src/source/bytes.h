/*
 * bytes.h
 *		Where imported data comes from: a stream of bytes that can be read again from its start.
 *
 * A file of the server is one (serverfile.h), a downloaded body another; gunzip.h
 * is one over another. What is read is CSV's or JSON's business.
 */
#ifndef MLPLAT_BYTES_H
#define MLPLAT_BYTES_H

typedef struct MlplatBytes MlplatBytes;

struct MlplatBytes
{
	const char *name; /* in messages: file "/data/x.csv" */
	uint64 n_read;    /* bytes read at their origin, before decompression, since the last rewind */
	int encoding;     /* as the origin says, a pg_enc; 0 (PG_SQL_ASCII): it does not say */

	/* Up to size bytes; fewer than size only at the end. Polls for cancel. */
	int (*read)(MlplatBytes *bytes, char *out, int size);
	void (*rewind)(MlplatBytes *bytes);
	/* Free it and all below it. After an error nothing need be closed: all belongs to contexts and transactions. */
	void (*close)(MlplatBytes *bytes);
};

static inline int
mlplat_bytes_read(MlplatBytes *bytes, char *out, int size)
{
	return bytes->read(bytes, out, size);
}

static inline void
mlplat_bytes_rewind(MlplatBytes *bytes)
{
	bytes->rewind(bytes);
}

static inline void
mlplat_bytes_close(MlplatBytes *bytes)
{
	bytes->close(bytes);
}

#endif
