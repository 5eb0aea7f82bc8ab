/*
 * json.h
 *		JSON: a small tree for options and imported models, a writer for everything we emit.
 */
#ifndef ML_JSON_H
#define ML_JSON_H

#include "core/buffer.h"

typedef enum MlJsonType
{
	ML_JSON_NULL,
	ML_JSON_BOOL,
	ML_JSON_NUMBER,
	ML_JSON_STRING,
	ML_JSON_ARRAY,
	ML_JSON_OBJECT
} MlJsonType;

/* A parsed value; lives in the arena it was parsed into. */
typedef struct MlJson
{
	MlJsonType type;
	bool boolean;
	double number;
	char *string; /* also the source text of a number */
	size_t n;     /* members or elements */
	char **keys;  /* objects only */
	struct MlJson *items;
} MlJson;

/* Parse a whole document, strictly; depth is limited to 64. ML_EINVAL with the place of the error. */
extern MlStatus ml_json_parse(MlArena *arena, const char *text, size_t len, MlJson **out);

/* The same, and NaN, Infinity and -Infinity are numbers (without a source text): for models that others write. */
extern MlStatus ml_json_parse_not_finite(MlArena *arena, const char *text, size_t len,
										 MlJson **out);
extern const MlJson *
ml_json_get(const MlJson *object,
			const char *key); /* NULL: not there, or no object; the last of equal keys */
extern const char *ml_json_type_name(MlJsonType type); /* "a number", "a string", ... */

/* Writer: appends to a buffer; commas are its business. */
typedef struct MlJsonWriter
{
	MlBuffer *out;
	bool comma;
} MlJsonWriter;

extern void ml_json_writer(MlJsonWriter *w, MlBuffer *out);
extern void ml_json_open(MlJsonWriter *w, const char *key,
						 char bracket); /* '{' or '['; key NULL in arrays */
extern void ml_json_close(MlJsonWriter *w, char bracket);
extern void ml_json_number(MlJsonWriter *w, const char *key,
						   double value); /* shortest exact; NaN, inf: null */
extern void ml_json_text(MlJsonWriter *w, const char *key,
						 const char *value); /* NULL: null; invalid UTF-8 is replaced */
extern void ml_json_bool(MlJsonWriter *w, const char *key, bool value);
extern void ml_json_value(MlJsonWriter *w, const char *key, const MlJson *value);
extern void ml_json_raw(MlJsonWriter *w, const char *key, const char *json, size_t len);

/*
 * Decimal of 15 to 17 digits, no more than it takes to read back as the same double; at least 32 bytes of
 * room. Returns the length. Not finite: NaN, Infinity, -Infinity.
 */
extern int ml_format_double(char *out, double value);

#endif /* ML_JSON_H */
