/*
 * jsonfeed.h
 *		The rows of JSON documents, as COPY is to see them.
 */
#ifndef MLPLAT_JSONFEED_H
#define MLPLAT_JSONFEED_H

#include "data/json/jsonreader.h"
#include "source/bytes.h"
#include "source/importlog.h"
#include "source/json/jsoncheck.h"
#include "source/json/jsoncolumns.h"

/* So many rows may be between us and what COPY is at: it reads ahead by some buffers of 64 kB. */
#define MLPLAT_JSON_LINES 262144

typedef struct MlplatJsonFeed
{
	MlplatImport *import;
	MlplatBytes *bytes;
	MlEnv *env;
	const MlJsonPath *path;
	MlJsonRow *row;
	MlJsonReader reader;
	MlplatJsonColumns *columns;
	MlplatJsonCheck check; /* when rejecting */
	bool rejecting;        /* rows that cannot be taken go to import_rejects */
	double max_rejects;    /* a number, or below 1 a share */
	bool sampling;         /* rejected rows are passed over, as they come again */
	bool ended;
	uint64_t *lines;     /* of the last rows that were put out: of row i at i % MLPLAT_JSON_LINES */
	uint64_t n_rows;     /* that were put out */
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

/* The line where a row starts, rows counted from 1 as COPY does; 0: not known. */
extern uint64 mlplat_json_feed_line(const MlplatJsonFeed *feed, int64 row);

/* An MlplatByteFn over a MlplatJsonFeed: the rows in COPY's text format, encoded in UTF-8. */
extern int mlplat_json_feed_read(void *arg, char *out, int min, int max);

#endif
