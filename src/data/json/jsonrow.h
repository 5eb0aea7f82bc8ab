/*
 * jsonrow.h
 *		One item of a JSON document, taken apart: which keys it has, and where their values are.
 *
 * Words: an *item* is a value that becomes a row; a *key* is a member's name
 * together with the keys it is inside of, known from the items read so far. An
 * object is *opened* when its members count as keys of their own, and kept
 * *whole* when it is one value.
 */
#ifndef ML_JSONROW_H
#define ML_JSONROW_H

#include "core/dict.h"
#include "data/json/jsontoken.h"

/* More different keys than this are not told apart; a table has at most 1,600 columns. */
#define ML_JSON_MAX_KEYS 20000

#define ML_JSON_ROOT 0 /* the item itself, as parent of its keys */
#define ML_JSON_NO_KEY UINT32_MAX

/* Where a value stands in the bytes of the item; kind: of its first token, ML_TOKEN_NONE: not there. */
typedef struct MlJsonValue
{
	const char *start, *end;
	MlJsonTokenKind kind;
	unsigned flags;
} MlJsonValue;

typedef struct MlJsonKey
{
	const char *text; /* as it is meant, without escapes; ends with a zero byte */
	size_t len;
	uint32_t parent;
	unsigned level; /* 1: a member of the item */
	uint32_t first,
		next;     /* guesses: the first key inside of it, the one after it; ML_JSON_NO_KEY: none */
	bool whole;   /* set by the owner of the row: its objects are not opened */
	bool wanted;  /* set by the owner: some column takes its values */
	uint64_t row; /* the item that had it last */
	MlJsonValue value; /* in that item */
} MlJsonKey;

typedef struct MlJsonRow
{
	MlArena *arena;       /* of the keys */
	unsigned open_levels; /* objects at this many levels below the item are opened */
	MlDict *names;        /* parent's number and text of a key; code + 1 is its number */
	MlJsonKey *keys;      /* keys[ML_JSON_ROOT] is the item */
	uint32_t n_keys;
	size_t capacity;
	uint64_t number; /* items read so far; key.row == number: the last one has it */

	/* Of the last item. */
	const char *problem;  /* why it is no row, though valid JSON; NULL: it is one */
	uint32_t problem_key; /* ML_JSON_NO_KEY: the item as a whole */
	size_t n_unwanted;    /* values other than null under keys that are not wanted */
	size_t n_untold;      /* of these, keys that are not told apart */

	/* While an item is read. */
	uint32_t parent, current, before; /* object being read; key whose value comes; key before it */
	size_t whole_depth;               /* a value is kept whole until this depth; SIZE_MAX: none */
	MlJsonValue whole;
	MlBuffer scratch;
} MlJsonRow;

extern MlStatus ml_json_row_init(MlJsonRow *row, MlArena *arena, unsigned open_levels);
extern void ml_json_row_free(MlJsonRow *row); /* what is not in the arena */

/* Make a member of the item known before one has it. */
extern MlStatus ml_json_row_know(MlJsonRow *row, const char *text, size_t len, uint32_t *key);

/* Read an item: begin, then its tokens in turn, each after it was taken by nest. */
extern void ml_json_row_begin(MlJsonRow *row);
extern MlStatus ml_json_row_take(MlJsonRow *row, const MlJsonToken *token, const MlJsonNest *nest);

/* The value of a key in the last item; NULL: it is not there, or null. */
static inline const MlJsonValue *
ml_json_row_value(const MlJsonRow *row, uint32_t key)
{
	const MlJsonKey *k = &row->keys[key];

	if (k->row != row->number || k->value.kind == ML_TOKEN_NONE || k->value.kind == ML_TOKEN_NULL)
		return NULL;
	return &k->value;
}

/* Append a key's name: those that it is inside of, and its own, with a separator between. */
extern void ml_json_put_name(const MlJsonRow *row, uint32_t key, const char *separator,
							 MlBuffer *out);

/*
 * Append a value as a field of COPY's text format; NULL: a missing one. as_json: a string stays one of JSON, for
 * columns of such a type; else it is its text. The value has nothing unstorable.
 */
extern void ml_json_put_field(MlBuffer *out, const MlJsonValue *value, bool as_json);

#endif /* ML_JSONROW_H */
