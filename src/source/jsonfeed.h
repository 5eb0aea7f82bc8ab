/*
 * jsonfeed.h
 *		The rows of JSON documents, as COPY is to see them.
 */
#ifndef MLPLAT_JSONFEED_H
#define MLPLAT_JSONFEED_H

#include "data/jsonreader.h"
#include "source/bytes.h"
#include "source/importlog.h"
#include "source/jsoncolumns.h"

typedef struct MlplatJsonFeed
{
	MlplatImport *import;
	MlplatBytes *bytes;
	MlEnv *env;
	const MlJsonPath *path;
	MlJsonRow *row;
	MlJsonReader reader;
	MlplatJsonColumns *columns;
	bool rejecting;     /* rows that cannot be taken go to import_rejects */
	double max_rejects; /* a number, or below 1 a share */
	bool sampling;      /* rejected rows are passed over, as they come again */
	bool ended;
	MemoryContext batch; /* of what is made while a batch of rows is read */
	MlBuffer out;        /* rows as COPY reads them */
	size_t out_pos;
	uint64 n_ignored; /* values of keys without a column */
} MlplatJsonFeed;

/* Start at the beginning of the bytes, for the sample or to load. */
extern void mlplat_json_feed_start(MlplatJsonFeed *feed, bool sampling);
extern void mlplat_json_feed_end(MlplatJsonFeed *feed);

/* Read the next item that is a row into feed->row. False: there is none. */
extern bool mlplat_json_feed_next(MlplatJsonFeed *feed);

/* An MlplatByteFn over a MlplatJsonFeed: the rows in COPY's text format, encoded in UTF-8. */
extern int mlplat_json_feed_read(void *arg, char *out, int min, int max);

#endif
