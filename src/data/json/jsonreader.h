/*
 * jsonreader.h
 *		A stream of JSON documents, of any size, read item by item.
 *
 * NDJSON, an array of objects, documents one after another, rows inside a
 * document: all are a sequence of documents in each of which a path leads to
 * an array of items or to one item (jsonpath.h).
 */
#ifndef ML_JSONREADER_H
#define ML_JSONREADER_H

#include "data/json/jsonpath.h"
#include "data/json/jsonrow.h"

/* The largest item; COPY has the same limit for a row. */
#define ML_JSON_MAX_ITEM ((size_t) 0x3fffff00)

typedef enum MlJsonEvent
{
	ML_JSON_NOTHING,    /* not returned */
	ML_JSON_NEEDS_MORE, /* fill it: ml_json_reader_room, ml_json_reader_filled */
	ML_JSON_ITEM,       /* an item was read into the row; that may have a problem */
	ML_JSON_BAD_LINE,   /* no JSON; the next call goes on with the next line */
	ML_JSON_BROKEN,     /* no JSON, or not as the path wants it; there is no going on */
	ML_JSON_END
} MlJsonEvent;

typedef struct MlJsonReader
{
	MlEnv *env;
	const MlJsonPath *path;
	MlJsonRow *row;

	/* The item, or the bad line, of the last event; valid until room is made. */
	const char *item, *item_end;

	/* Of ML_JSON_BAD_LINE and ML_JSON_BROKEN: what is wrong where; lines and columns count from 1. */
	char problem[512];
	bool path_problem; /* it is JSON, but not as the path wants it */
	uint64_t problem_line, problem_column;

	char *buffer;
	size_t capacity, start, len; /* what is yet to be read: buffer[start .. len) */
	bool last;                   /* nothing comes after it */

	/* Lines are counted when asked for: up to counted, an offset into the buffer. */
	size_t counted;
	uint64_t n_lines;   /* line feeds before counted */
	uint64_t n_columns; /* characters between the last of them and counted */

	int phase;
	MlJsonNest nest;
	size_t items_depth;          /* of the array whose elements are read */
	MlJsonTokenKind target_kind; /* the first that the path led to: a bracket of either kind */
	bool multiline;              /* some document took more than one line */

	/* On the way along the path. */
	size_t n_matched; /* names of the path that lead into the innermost object on it */
	bool hit;         /* the value that comes is the member of the next name */
	bool found;       /* the path's end was there in this document */
	char seen[160];   /* members that were there where the way ended */
	size_t n_seen;    /* matched names there */
	unsigned n_tokens;
} MlJsonReader;

extern void ml_json_reader_init(MlJsonReader *in, MlEnv *env, const MlJsonPath *path,
								MlJsonRow *row);
extern void ml_json_reader_free(MlJsonReader *in);

/* Where to put the bytes that come next, and for how many there is room. ML_EDATA: an item is too large. */
extern MlStatus ml_json_reader_room(MlJsonReader *in, char **room, size_t *size);
extern void ml_json_reader_filled(MlJsonReader *in, size_t n, bool last);

extern MlStatus ml_json_reader_next(MlJsonReader *in, MlJsonEvent *event);

/* The line where the item of the last event starts. */
extern uint64_t ml_json_reader_line(MlJsonReader *in);

#endif /* ML_JSONREADER_H */
