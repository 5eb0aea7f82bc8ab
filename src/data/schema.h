/*
 * schema.h
 *		What a model knows of its rows: inputs, features, target.
 *
 * An *input* is a column of the query: a name and a kind. A *raw row* is what
 * the binder makes of a row: one double per *slot*; a numeric, date or time
 * input has one slot, a block of n has n, a categorical input has one with the
 * level's code. NaN is missing; a level not seen in training is ML_UNSEEN.
 *
 * A *feature* is what algorithms see. Most slots are a feature as they stand;
 * a date or timestamp becomes several (epoch, year, month, day, dow; hour of a
 * timestamp); an infinite one is missing in all of them.
 * ml_schema_expand makes the feature vector of a raw row, at training and at
 * prediction alike.
 */
#ifndef ML_SCHEMA_H
#define ML_SCHEMA_H

#include "core/dict.h"

typedef enum MlKind
{
	ML_NUMERIC = 0,
	ML_CATEGORICAL,
	ML_DATE,      /* slot: microseconds since 2000-01-01 (UTC for timestamptz) */
	ML_TIMESTAMP, /* same unit */
	ML_TIME,      /* slot: seconds since midnight, or of an interval; a plain numeric feature */
	ML_BLOCK      /* block_len numeric slots */
} MlKind;
#define ML_N_KINDS 6

/* How a frame stores a slot: the column's natural width. */
typedef enum MlWidth
{
	ML_WIDTH_BOOL = 0, /* 1 byte */
	ML_WIDTH_INT16,
	ML_WIDTH_INT32,
	ML_WIDTH_FLOAT32,
	ML_WIDTH_FLOAT64,
	ML_WIDTH_LEVEL /* 4-byte code */
} MlWidth;

#define ML_UNSEEN (-1.0)
#define ML_MAX_SLOTS 65536 /* features of one model */
#define ML_MAX_NAME 255    /* bytes of an input's name */

typedef struct MlInput
{
	char *name;      /* empty: bound by position; its features are called f1, f2, ... */
	char *type_name; /* SQL type as the user knows it */
	MlKind kind;
	MlWidth width;       /* of its slots in a frame; not stored: a loaded schema has the widest */
	uint32_t n_slots;    /* 1, or the length of a block */
	uint32_t first_slot; /* in the raw row */
	uint32_t first_feature, n_features;
	MlDict *levels; /* categorical only */
} MlInput;

/* What of an input a feature is. */
typedef enum MlPart
{
	ML_PART_VALUE = 0, /* the slot itself */
	ML_PART_EPOCH,     /* days since 2000-01-01, with fraction */
	ML_PART_YEAR,      /* as extract(year): 1 BC is -1 */
	ML_PART_MONTH,     /* 1..12 */
	ML_PART_DAY,       /* 1..31 */
	ML_PART_DOW,       /* 0 = Sunday, as extract(dow) */
	ML_PART_HOUR,      /* 0..24, minutes as fraction */

	/* made by a recipe only (prep.h), from the epoch */
	ML_PART_QUARTER, /* 1..4 */
	ML_PART_WEEK,    /* 1..53, of ISO 8601 as extract(week) */
	ML_PART_DOY      /* 1..366 */
} MlPart;
#define ML_N_PARTS 10

typedef struct MlFeature
{
	char *name; /* "age", "when.month", "pixels[3]" (from 1, as SQL counts) */
	uint32_t input;
	uint32_t slot;
	MlPart part;
	bool categorical;
	uint32_t n_levels; /* categorical: codes 0..n_levels-1 */
} MlFeature;

typedef struct MlSchema
{
	MlArena *arena;
	uint32_t n_inputs, n_slots, n_features;
	MlInput *inputs;
	MlFeature *features;
	bool identity; /* features are the slots as they stand: nothing to expand */
} MlSchema;

/* A schema of n_inputs inputs whose name, type_name, kind, width and n_slots the caller then fills in. */
extern MlStatus ml_schema_create(MlArena *arena, uint32_t n_inputs, MlSchema **schema);

/* Lay out slots and features from the inputs; makes the dictionaries that are not there. */
extern MlStatus ml_schema_layout(MlSchema *schema);

/* After training rows were read: fix n_levels of the features from the dictionaries. */
extern void ml_schema_seal(MlSchema *schema);

/* raw: n_slots values; features: n_features values. With schema->identity the caller may use raw itself. */
extern void ml_schema_expand(const MlSchema *schema, const double *raw, double *features);
extern double ml_date_part(MlPart part, double microseconds); /* NaN: missing or infinite */
extern const char *ml_part_name(MlPart part);

extern const char *ml_kind_name(MlKind kind);
extern int ml_schema_find(const MlSchema *schema, const char *name); /* input index or -1 */

extern void ml_schema_save(const MlSchema *schema, MlBuffer *out);
extern MlStatus ml_schema_load(MlReader *in, MlArena *arena, MlSchema **schema);

#endif /* ML_SCHEMA_H */
