/*
 * jsontoken.h
 *		JSON by tokens: no tree, no recursion, no allocation; a piece of a document is enough.
 *
 * For documents of any size. For options and other small things there is the
 * tree of core/json.h.
 */
#ifndef ML_JSONTOKEN_H
#define ML_JSONTOKEN_H

#include "core/buffer.h"

/* Arrays and objects inside each other; deeper is refused. PostgreSQL's own parsers recurse, these levels they bear. */
#define ML_JSON_MAX_DEPTH 1024

typedef enum MlJsonTokenKind
{
	ML_TOKEN_NONE = 0,
	ML_TOKEN_MORE =
		'?', /* what is there may be the start of a token; or nothing but white space is */
	ML_TOKEN_BAD = '!', /* no JSON */
	ML_TOKEN_STRING = '"',
	ML_TOKEN_NUMBER = '0',
	ML_TOKEN_TRUE = 't',
	ML_TOKEN_FALSE = 'f',
	ML_TOKEN_NULL = 'n',
	ML_TOKEN_OPEN_OBJECT = '{',
	ML_TOKEN_CLOSE_OBJECT = '}',
	ML_TOKEN_OPEN_ARRAY = '[',
	ML_TOKEN_CLOSE_ARRAY = ']',
	ML_TOKEN_COLON = ':',
	ML_TOKEN_COMMA = ','
} MlJsonTokenKind;

/* What is special about a string. The last three make it valid JSON that no text of a database can hold. */
enum
{
	ML_STRING_ESCAPED = 1, /* has a backslash */
	ML_STRING_HIGH = 2,    /* has bytes beyond ASCII */
	ML_STRING_ZERO = 4,    /* \u0000 */
	ML_STRING_HALF = 8,    /* half of a surrogate pair */
	ML_STRING_BROKEN = 16  /* not UTF-8 */
};
#define ML_STRING_UNSTORABLE (ML_STRING_ZERO | ML_STRING_HALF | ML_STRING_BROKEN)

typedef struct MlJsonToken
{
	MlJsonTokenKind kind;
	unsigned flags;
	const char *start,
		*end;            /* a string with its quotes; of a bad one, end is where it goes wrong */
	const char *problem; /* ML_TOKEN_BAD: why */
} MlJsonToken;

/* The next token from p on, after white space. last: nothing comes after end. */
extern void ml_json_scan(const char *p, const char *end, bool last, MlJsonToken *token);

/* Why a string with such flags cannot be stored. */
extern const char *ml_json_unstorable(unsigned flags);

/* Append a string's text, without quotes and escapes; its flags have nothing unstorable. */
extern void ml_json_put_string(MlBuffer *out, const MlJsonToken *token);

/* Write a code point as UTF-8 into 4 bytes; returns how many it took. */
extern int ml_json_utf8(char *out, unsigned code);

/* The code point of the escape \uXXXX, or of two of them that are a pair, at *p, which moves behind it. */
extern unsigned ml_json_unicode(const char **p);

/* ---- which token may follow */

typedef enum MlJsonWants
{
	ML_WANTS_VALUE,
	ML_WANTS_VALUE_OR_END, /* after [ */
	ML_WANTS_KEY,
	ML_WANTS_KEY_OR_END, /* after { */
	ML_WANTS_COLON,
	ML_WANTS_COMMA_OR_END /* after a value; at depth 0, it is complete */
} MlJsonWants;

typedef struct MlJsonNest
{
	size_t depth; /* open arrays and objects */
	MlJsonWants wants;
	uint64_t is_object[ML_JSON_MAX_DEPTH / 64]; /* bit d: the one at depth d + 1 is an object */
} MlJsonNest;

static inline void
ml_json_nest_init(MlJsonNest *nest)
{
	nest->depth = 0;
	nest->wants = ML_WANTS_VALUE;
}

/* Take a token in. NULL, or why it cannot stand here. A string was a key if nest wants a colon afterwards. */
extern const char *ml_json_step(MlJsonNest *nest, const MlJsonToken *token);

#endif /* ML_JSONTOKEN_H */
