/*
 * jsoncolumns.h
 *		Which key of the items goes to which column of the table.
 */
#ifndef MLPLAT_JSONCOLUMNS_H
#define MLPLAT_JSONCOLUMNS_H

#include "core/param.h"
#include "data/csv/csvtype.h"
#include "data/json/jsonrow.h"
#include "source/importtarget.h"

/* What the sample says of a key. */
typedef struct MlplatJsonFacts
{
	unsigned kinds;     /* of values: bits of jsoncolumns.c */
	bool has_inner;     /* it is an object whose members are keys of their own */
	MlCsvColumn values; /* numbers, or texts */
	bool looked_up;     /* whether a column takes it is decided */
	bool left_out;      /* by the option "columns" */
} MlplatJsonFacts;

typedef struct MlplatJsonColumn
{
	const char *name;
	uint32 key;   /* ML_JSON_NO_KEY: of no item so far */
	bool as_json; /* its type is one of JSON */
} MlplatJsonColumn;

typedef struct MlplatJsonColumns
{
	const MlParams *options;
	const char *what;       /* in messages: file "/data/x.json" */
	const MlJson *selected; /* the option "columns"; NULL: not given */
	MlplatTarget *target;
	MlJsonRow *row;
	MlplatJsonFacts *facts; /* by key */
	size_t n_facts, facts_capacity;
	int64 n_rows; /* of the sample */
	int n;
	MlplatJsonColumn *columns; /* those that are loaded, in COPY's order */
} MlplatJsonColumns;

/* Before the first item is read. */
extern void mlplat_json_columns_init(MlplatJsonColumns *columns, const MlParams *options,
									 MlplatTarget *target, MlJsonRow *row, const char *what);

/* Take an item of the sample in. */
extern void mlplat_json_observe(MlplatJsonColumns *columns);

/* After the sample: create the table if there is none, and bind keys to columns. */
extern void mlplat_json_bind(MlplatJsonColumns *columns);

/* COPY's list of columns. */
extern List *mlplat_json_copy_columns(const MlplatJsonColumns *columns);

/*
 * A key of the last item that has a value, but no column, though not because it was left out; ML_JSON_NO_KEY: there
 * is none. Keys that are new get their column, if the table has one. n: how many there are.
 */
extern uint32 mlplat_json_find_extra(MlplatJsonColumns *columns, uint64 *n);

/* Are keys that the option "columns" does not name left out, and are those that it names all known? */
extern bool mlplat_json_selects(const MlplatJsonColumns *columns);

/* A key's name as a column, in the server's encoding. */
extern char *mlplat_json_key_name(const MlplatJsonColumns *columns, uint32 key);

/* Throw: the key has no column. line: where it was. */
extern void mlplat_json_extra_error(const MlplatJsonColumns *columns, uint32 key, uint64 line)
	pg_attribute_noreturn();

#endif
